/* Constants: weights in the layout that kernels want, in device memory. */
#include "kernels/bf16.h"
#include "net/cuda/code.h"
#include <stdlib.h>
#include <string.h>

enum burst_err constant_put(struct cuda_code *c, const void *host, size_t bytes, void **ret, struct burst_error *reterr)
{
    struct cuda_engine *engine = c->engine;
    void *device;
    enum burst_err err = memory_take(engine, &c->memory, CUDA_ON_DEVICE, bytes ? bytes : 1, &device, NULL, reterr);
    if (!err) err = CUDA_TRY(cudaMemcpyAsync, device, host, bytes, cudaMemcpyHostToDevice, engine->stream);
    /* The source is pageable and may go when this returns: the copy must be over. */
    if (!err) err = engine_wait(engine, engine_deadline(engine), reterr);
    if (!err) *ret = device;
    return err;
}

enum burst_err constant_share(struct cuda_code *c, const void *host, size_t bytes, void **ret,
                              struct burst_error *reterr)
{
    for (int i = 0; i < c->n_constant; i++)
        if (c->constant[i].host == host) {
            *ret = c->constant[i].device;
            return BURST_OK;
        }
    struct code_constant *grown = realloc(c->constant, (size_t)(c->n_constant + 1) * sizeof *grown);
    if (!grown) return burst_fail(reterr, BURST_E_NOMEM, "cuda: no memory for a program");
    c->constant = grown;
    void *device;
    enum burst_err err = constant_put(c, host, bytes, &device, reterr);
    if (err) return err;
    c->constant[c->n_constant++] = (struct code_constant){host, device};
    *ret = device;
    return BURST_OK;
}

enum burst_err constant_padded(struct cuda_code *c, const float *x, int64_t n, int64_t padded, float **ret,
                               struct burst_error *reterr)
{
    float *all = calloc((size_t)padded, sizeof *all);
    if (!all) return burst_fail(reterr, BURST_E_NOMEM, "cuda: no memory for %lld numbers", (long long)padded);
    memcpy(all, x, (size_t)n * sizeof *all);
    void *device;
    enum burst_err err = constant_put(c, all, (size_t)padded * sizeof *all, &device, reterr);
    free(all);
    if (!err) *ret = device;
    return err;
}

enum burst_err constant_stored(struct cuda_code *c, const float *x, int64_t n, int64_t padded, void **ret,
                               struct burst_error *reterr)
{
    if (c->engine->precision != CUDA_BF16) {
        float *same = NULL;
        enum burst_err err = constant_padded(c, x, n, padded, &same, reterr);
        if (!err) *ret = same;
        return err;
    }
    uint16_t *all = calloc((size_t)padded, sizeof *all);
    if (!all) return burst_fail(reterr, BURST_E_NOMEM, "cuda: no memory for %lld numbers", (long long)padded);
    for (int64_t i = 0; i < n; i++)
        all[i] = bf16_from_float(x[i]);
    enum burst_err err = constant_put(c, all, (size_t)padded * sizeof *all, ret, reterr);
    free(all);
    return err;
}

/* [n_out][n_in][taps] to [k][taps][n_c]. */
static void reorder(const struct plan_step *s, int64_t n_c, bool bf16, void *ret)
{
    int64_t taps = s->window.kernel[0] * s->window.kernel[1];
    for (int64_t o = 0; o < s->n_out; o++)
        for (int64_t i = 0; i < s->n_in; i++)
            for (int64_t t = 0; t < taps; t++) {
                float w = s->weight[(o * s->n_in + i) * taps + t];
                int64_t at = (o * taps + t) * n_c + i;
                if (bf16)
                    ((uint16_t *)ret)[at] = bf16_from_float(w);
                else
                    ((float *)ret)[at] = w;
            }
}

enum burst_err constant_filter(struct cuda_code *c, const struct plan_step *s, int64_t k, int64_t n_c, void **ret,
                               struct burst_error *reterr)
{
    bool bf16 = c->engine->precision == CUDA_BF16;
    size_t n = (size_t)(k * s->window.kernel[0] * s->window.kernel[1] * n_c);
    size_t bytes = n * (bf16 ? sizeof(uint16_t) : sizeof(float));
    void *w = calloc(n, bf16 ? sizeof(uint16_t) : sizeof(float));
    if (!w) return burst_fail(reterr, BURST_E_NOMEM, "cuda: no memory for %zu weights", n);
    reorder(s, n_c, bf16, w);
    enum burst_err err = constant_put(c, w, bytes, ret, reterr);
    free(w);
    return err;
}
