/* Our own kernel for convolutions along bins, beside cuDNN's engines: with bias, residual and ReLU, in any of a few tiles. */
#include "net/cuda/code.h"
#include <stdlib.h>

/* The kernel's shape of a step; false where it is none of its kind. */
static bool shape_of(const struct conv_shape *s, struct conv1d_shape *ret)
{
    bool bins = s->in[0] == 1 && s->out[0] == 1 && s->kernel[0] == 1 && s->pad_begin[0] == 0 && s->dilation[1] == 1;
    bool small = s->c <= CONV1D_CHANNEL_MOST && s->k <= 65536 && s->kernel[1] <= CONV1D_TAP_MOST &&
                 s->in[1] <= 1 << 22 && s->out[1] <= 1 << 22 && s->stride[1] <= 2 && s->pad_begin[1] < s->kernel[1];
    if (!bins || !small) return false;
    *ret =
        (struct conv1d_shape){(int)s->c,     (int)s->k,     (int)s->kernel[1], (int)s->stride[1], (int)s->pad_begin[1],
                              (int)s->in[1], (int)s->out[1]};
    return conv1d_fits(ret);
}

static enum tensor_precision precision_of(const struct cuda_code *c)
{
    return (enum tensor_precision)c->engine->precision;
}

enum burst_err ours_prepare(struct cuda_code *c, const struct plan_step *s, struct op_conv *conv,
                            struct burst_error *reterr)
{
    int tile[CONV1D_TILE_N];
    if (!shape_of(&conv->shape, &conv->ours) || ours_tiles(c, conv, tile) == 0) return BURST_OK;
    struct matrix m = {s->n_in, s->n_out, s->window.kernel[1], s->weight, s->bias};
    size_t bytes = conv1d_packed_bytes(&conv->ours, precision_of(c));
    void *packed = malloc(bytes);
    if (!packed) return burst_fail(reterr, BURST_E_NOMEM, "cuda: no memory for weights");
    conv1d_pack(&conv->ours, precision_of(c), &m, packed);
    enum burst_err err = constant_put(c, packed, bytes, &conv->ours_weights, reterr);
    free(packed);
    return err;
}

int ours_tiles(const struct cuda_code *c, const struct op_conv *conv, int ret_tile[CONV1D_TILE_N])
{
    return conv1d_tiles(&conv->ours, precision_of(c), c->engine->shared_most, ret_tile);
}

int ours_queue(const struct cuda_code *c, const struct cuda_op *op, int tile, int n)
{
    const struct op_conv *conv = op->conv;
    struct conv1d_job job = {.x = c->form[op->in[0]].at,
                             .add = op->n_in == 2 ? c->form[op->in[1]].at : NULL,
                             .y = c->form[op->out].at,
                             .weights = conv->ours_weights,
                             .shape = conv->ours,
                             .n_sample = n * (int)conv->shape.n,
                             .precision = precision_of(c),
                             .relu = conv->shape.relu,
                             .tile = tile};
    return conv1d_cuda(&job, c->engine->stream);
}
