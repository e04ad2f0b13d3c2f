/* backend `cuda`: a plan to operations, places, engines and graphs; and what net.c asks of every backend. */
#include "net/cuda/entry.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

_Static_assert((int)CUDA_FP32 == (int)TENSOR_FP32 && (int)CUDA_TF32 == (int)TENSOR_TF32 &&
                   (int)CUDA_BF16 == (int)TENSOR_BF16,
               "a precision is the same number here and in kernels/precision.h");

static const int SIZES[] = {1, 2, 4, 8, 16, 25, 32, 64, 256};
static const size_t WINDOW_BYTES = (size_t)16 << 20; /* net_read looks through no more at once, but for one large row */

static enum burst_err open_engine(void **ret_engine, struct burst_error *reterr)
{
    struct cuda_engine *engine;
    enum burst_err err = cuda_open(NULL, &engine, reterr);
    if (!err) *ret_engine = engine;
    return err;
}

static void close_engine(void *engine)
{
    cuda_close(engine);
}

static void release(void *code)
{
    struct cuda_code *c = code;
    if (!c) return;
    cuda_entry_free(c->entry);
    for (int i = 0; i < c->n_op; i++) {
        if (c->op[i].kind != OP_CONV) continue;
        for (int w = 0; w < c->n_size; w++) {
            conv_plan_free(&c->op[i].conv->plan[w]);
            conv_graph_free(&c->op[i].conv->graph[w]);
        }
        free(c->op[i].conv);
    }
    memory_give_back_all(&c->memory);
    free(c->form);
    free(c->op);
    free(c->constant);
    free(c->root);
    free(c->home);
    free(c->keep);
    free(c->rows);
    free(c->rows_at);
    free(c->results);
    free(c->results_at);
    free(c->remark);
    free(c);
}

/* ---- compiling ---- */

static void set_sizes(struct cuda_code *c)
{
    for (size_t i = 0; i < sizeof SIZES / sizeof *SIZES; i++)
        if (SIZES[i] < c->plan->batch) c->size[c->n_size++] = SIZES[i];
    c->size[c->n_size++] = c->plan->batch;
}

static enum burst_err start(struct cuda_engine *engine, const struct net_plan *plan, struct cuda_code **ret,
                            struct burst_error *reterr)
{
    struct cuda_code *c = calloc(1, sizeof *c);
    if (!c) return burst_fail(reterr, BURST_E_NOMEM, "cuda: no memory for a program");
    size_t n_value = (size_t)plan->n_value + 1, n_in = (size_t)plan->n_input + 1, n_out = (size_t)plan->n_output + 1;
    c->engine = engine;
    c->plan = plan;
    c->root = calloc(n_value, sizeof *c->root);
    c->home = calloc(n_value, sizeof *c->home);
    c->keep = calloc((size_t)plan->n_keep + 1, sizeof *c->keep);
    c->rows = calloc(n_in, sizeof *c->rows);
    c->rows_at = calloc(n_in, sizeof *c->rows_at);
    c->results = calloc(n_out, sizeof *c->results);
    c->results_at = calloc(n_out, sizeof *c->results_at);
    if (!c->root || !c->home || !c->keep || !c->rows || !c->rows_at || !c->results || !c->results_at) {
        release(c);
        return burst_fail(reterr, BURST_E_NOMEM, "cuda: no memory for a program");
    }
    set_sizes(c);
    *ret = c;
    return BURST_OK;
}

/* Pinned rows for a value, for the whole batch. */
static enum burst_err take_rows(struct cuda_code *c, int value, float **ret, void **ret_at, struct burst_error *reterr)
{
    void *host;
    size_t bytes = (size_t)c->plan->batch * (size_t)c->plan->value[value].n_element * sizeof(float);
    enum burst_err err = memory_take(c->engine, &c->memory, CUDA_ON_HOST, bytes ? bytes : 1, ret_at, &host, reterr);
    if (!err) *ret = host;
    return err;
}

static enum burst_err take_ends(struct cuda_code *c, struct burst_error *reterr)
{
    const struct net_plan *p = c->plan;
    void *host, *device;
    enum burst_err err = BURST_OK;
    for (int i = 0; !err && i < p->n_input; i++)
        err = take_rows(c, p->input[i], &c->rows[i], &c->rows_at[i], reterr);
    for (int i = 0; !err && i < p->n_output; i++)
        err = take_rows(c, p->output[i], &c->results[i], &c->results_at[i], reterr);
    if (!err) err = memory_take(c->engine, &c->memory, CUDA_ON_HOST, 2 * sizeof(uint32_t), &device, &host, reterr);
    if (err) return err;
    c->sequence = host;
    c->sequence_at = device;
    err = memory_take(c->engine, &c->memory, CUDA_ON_DEVICE, sizeof(uint32_t), &device, NULL, reterr);
    if (!err) c->counter = device;
    return err;
}

static enum burst_err compile_steps(struct cuda_code *c, struct burst_error *reterr)
{
    enum burst_err err = form_find_roots(c, reterr);
    for (int i = 0, used = 0; !err && i < c->plan->n_step; i += used)
        err = step_compile(c, i, &used, reterr);
    if (!err) err = form_results(c, reterr);
    if (!err && c->n_op == 0) err = burst_fail(reterr, BURST_E_UNSUPPORTED, "cuda: the network does nothing");
    return err ? err : step_whole_head(c, reterr);
}

/* What net_read copies through: as many samples of the largest tensor kept as are no more than WINDOW_BYTES, but one. */
static enum burst_err take_window(struct cuda_code *c, struct burst_error *reterr)
{
    size_t most = 0;
    for (int i = c->plan->n_output; i < c->plan->n_keep; i++)
        if (c->plan->keep[i].bytes > most) most = c->plan->keep[i].bytes;
    if (most == 0) return BURST_OK;
    size_t bytes = most * (size_t)c->plan->batch;
    if (bytes > WINDOW_BYTES) bytes = most > WINDOW_BYTES ? most : WINDOW_BYTES;
    void *host;
    enum burst_err err = memory_take(c->engine, &c->memory, CUDA_ON_HOST, bytes, &c->window_at, &host, reterr);
    if (err) return err;
    c->window = host;
    c->window_bytes = bytes;
    return BURST_OK;
}

/* Everything once before anything is captured: a kernel is brought to the device when it is first launched. */
static enum burst_err warm(struct cuda_code *c, struct burst_error *reterr)
{
    enum burst_err err = BURST_OK;
    for (int i = 0; !err && i < c->n_op; i++)
        err = queue_op(c, i, 0, i == c->n_op - 1, reterr);
    return err ? err : engine_wait(c->engine, engine_deadline(c->engine), reterr);
}

static enum burst_err build(struct cuda_code *c, struct burst_error *reterr)
{
    enum burst_err err = engine_alive(c->engine, reterr);
    if (!err) err = take_ends(c, reterr);
    if (!err) err = compile_steps(c, reterr);
    if (!err) err = form_arrange(c, reterr);
    if (!err) err = take_window(c, reterr);
    if (!err) err = tune_all(c, reterr);
    if (!err) err = warm(c, reterr);
    return err ? err : entry_make(c, NULL, -1, &c->entry, reterr);
}

static enum burst_err compile(void *engine, const struct net_plan *plan, void **ret_code, struct burst_error *reterr)
{
    struct cuda_code *c = NULL;
    struct burst_error why = {0}; /* of engines that are passed over, too */
    enum burst_err err = start(engine, plan, &c, &why);
    if (!err) err = build(c, &why);
    if (!err) {
        *ret_code = c;
        return BURST_OK;
    }
    release(c);
    return burst_fail(reterr, err, "%s", why.text);
}

/* ---- running ---- */

static enum burst_err run(void *code, const float *const *input, int n, struct burst_error *reterr)
{
    struct cuda_code *c = code;
    enum burst_err err = engine_alive(c->engine, reterr);
    if (err) return err; /* what the device still reads of the last rows, nobody knows */
    for (int i = 0; i < c->plan->n_input; i++) {
        const struct plan_value *v = &c->plan->value[c->plan->input[i]];
        memcpy(c->rows[i], input[i], (size_t)n * (size_t)v->n_element * sizeof(float));
    }
    return entry_launch(c->entry, n, engine_deadline(c->engine), reterr);
}

/* Rows first .. first + n - 1 of a form in device memory, to the window. */
static enum burst_err look(struct cuda_code *c, const struct cuda_form *f, int first, int n, struct burst_error *reterr)
{
    struct cuda_engine *engine = c->engine;
    const uint8_t *from = (const uint8_t *)f->at + layout_bytes(&f->as, first * f->n_image);
    struct layout_unpack_job job = {.as = f->as, .x = from, .ret = c->window_at, .n_sample = n * (int)f->n_image};
    enum burst_err err = f->map ? cuda_check(engine, layout_unpack_cuda(&job, engine->stream), "burst:unpack", reterr)
                                : CUDA_TRY(cudaMemcpyAsync, c->window, from, layout_bytes(&f->as, n),
                                           cudaMemcpyDeviceToHost, engine->stream);
    return err ? err : engine_wait(engine, engine_deadline(engine), reterr);
}

static enum burst_err read_device(struct cuda_code *c, const struct cuda_form *f, size_t row, int n, float *ret,
                                  struct burst_error *reterr)
{
    int at_once = row ? (int)(c->window_bytes / row) : n;
    for (int i = 0; i < n; i += at_once) {
        int rows = n - i < at_once ? n - i : at_once;
        enum burst_err err = look(c, f, i, rows, reterr);
        if (err) return err;
        memcpy((uint8_t *)ret + (size_t)i * row, c->window, (size_t)rows * row);
    }
    return BURST_OK;
}

static enum burst_err read_keep(void *code, int keep, int n, float *ret, struct burst_error *reterr)
{
    struct cuda_code *c = code;
    const struct cuda_form *f = &c->form[c->keep[keep]];
    size_t row = c->plan->keep[keep].bytes;
    const float *host = keep < c->plan->n_output  ? c->results[keep]
                        : f->place == FORM_RESULT ? c->results[f->index]
                        : f->place == FORM_ROWS   ? c->rows[f->index]
                                                  : NULL;
    if (host) {
        memcpy(ret, host, (size_t)n * row);
        return BURST_OK;
    }
    enum burst_err err = engine_alive(c->engine, reterr);
    return err ? err : read_device(c, f, row, n, ret, reterr);
}

static bool list_operation(void *code, int i, int *ret_step, const char **ret_name)
{
    const struct cuda_code *c = code;
    if (i >= c->n_op) return false;
    *ret_step = c->op[i].step;
    *ret_name = c->op[i].name;
    return true;
}

const char *cuda_remark(const void *code, int i)
{
    const struct cuda_code *c = code;
    return i >= 0 && i < c->n_remark ? c->remark[i] : NULL;
}

const struct net_backend net_backend_cuda = {.name = "cuda",
                                             .open = open_engine,
                                             .compile = compile,
                                             .run = run,
                                             .read = read_keep,
                                             .release = release,
                                             .close = close_engine,
                                             .operation = list_operation};
