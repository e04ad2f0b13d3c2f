/* Several steps that run as one kernel: the MSCFM, and the end of a network. */
#include "net/cuda/code.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- the MSCFM ---- */

enum { MSCFM_STEPS = 1 + MSCFM_SCALES + 2 }; /* reduce, scales, concatenation, join */

/* A convolution along one dimension, stride 1, from `in` (a root) to as many bins, with or without a residual. */
static bool is_conv(const struct cuda_code *c, const struct plan_step *s, int in, int64_t taps, int64_t n_out, bool add)
{
    const struct net_window *w = &s->window;
    return s->op == PLAN_CONV && c->root[s->input[0]] == in && s->group == 1 && s->n_image == 1 && s->relu &&
           (s->add >= 0) == add && s->n_out == n_out && s->in_size[0] == 1 && s->out_size[0] == 1 &&
           w->kernel[0] == 1 && w->kernel[1] == taps && w->stride[1] == 1 && w->dilation[1] == 1 &&
           w->pad_begin[1] == taps / 2 && w->pad_end[1] == taps / 2 && w->pad_begin[0] == 0 && w->pad_end[0] == 0;
}

/* Is a value that the fused kernel never writes read by nobody else? */
static bool is_inner(const struct cuda_code *c, int value, int readers)
{
    return form_readers(c, value) == readers && !form_is_kept(c, value);
}

static bool is_mscfm(const struct cuda_code *c, int i)
{
    const struct plan_step *s = &c->plan->step[i];
    if (i + MSCFM_STEPS > c->plan->n_step || s->op != PLAN_CONV) return false;
    int x = c->root[s->input[0]];
    int64_t n = s->n_in, r = s->n_out;
    if (!mscfm_fits(n, r, MSCFM_SCALES) || !is_conv(c, s, x, 1, r, false) || !is_inner(c, s->output, 2)) return false;
    const struct plan_step *concat = &s[1 + MSCFM_SCALES], *join = concat + 1;
    bool fits = concat->op == PLAN_CONCAT && concat->n_input == 1 + MSCFM_SCALES && concat->axis == n &&
                concat->outer == 1 && c->root[concat->input[0]] == s->output && is_inner(c, concat->output, 1);
    for (int k = 1; fits && k <= MSCFM_SCALES; k++)
        fits = is_conv(c, &s[k], s[k - 1].output, MSCFM_TAPS, r, false) && s[k].n_in == r &&
               c->root[concat->input[k]] == s[k].output && is_inner(c, s[k].output, k == MSCFM_SCALES ? 1 : 2);
    return fits && is_conv(c, join, concat->output, 1, n, true) && c->root[join->add] == x;
}

static enum burst_err pack_mscfm(struct cuda_code *c, const struct plan_step *s, void **ret, struct burst_error *reterr)
{
    enum tensor_precision precision = (enum tensor_precision)c->engine->precision;
    const struct plan_step *join = &s[MSCFM_STEPS - 1];
    struct mscfm_weights w = {s->weight, s->bias, {0}, {0}, join->weight, join->bias};
    for (int k = 0; k < MSCFM_SCALES; k++) {
        w.scale[k] = s[1 + k].weight;
        w.scale_bias[k] = s[1 + k].bias;
    }
    size_t bytes = mscfm_packed_bytes(s->n_in, precision);
    void *packed = malloc(bytes);
    if (!packed) return burst_fail(reterr, BURST_E_NOMEM, "cuda: no memory for weights");
    mscfm_pack(s->n_in, precision, &w, packed);
    enum burst_err err = constant_put(c, packed, bytes, ret, reterr);
    free(packed);
    return err;
}

/* Can this device's blocks hold it? */
static bool has_tile(const struct cuda_code *c, int64_t n_channel)
{
    int tile[MSCFM_TILE_N];
    return mscfm_tiles((int)n_channel, (enum tensor_precision)c->engine->precision, c->engine->shared_most, tile) > 0;
}

enum burst_err step_mscfm(struct cuda_code *c, int i, int *ret_used, struct burst_error *reterr)
{
    const struct plan_step *s = &c->plan->step[i], *join = &s[MSCFM_STEPS - 1];
    struct cuda_op op = {.kind = OP_MSCFM, .n_in = 1, .name = "burst:mscfm"};
    void *weights;
    if (!is_mscfm(c, i) || !has_tile(c, s->n_in)) return BURST_OK;
    enum burst_err err = form_map(c, s->input[0], &op.in[0], reterr);
    if (!err) err = form_output(c, join->output, true, &op.out, reterr);
    if (!err) err = pack_mscfm(c, s, &weights, reterr);
    if (err) return err;
    op.mscfm.job = (struct mscfm_job){.weights = weights,
                                      .n_channel = (int)s->n_in,
                                      .n_bin = (int)s->in_size[1],
                                      .precision = (enum tensor_precision)c->engine->precision};
    err = form_op(c, &op, reterr);
    if (!err) *ret_used = MSCFM_STEPS;
    return err;
}

/* ---- mean and dense layers ---- */

static enum burst_err upload_layer(struct cuda_code *c, struct head_layer layer, struct head *ret,
                                   struct burst_error *reterr)
{
    void *weight, *bias = NULL;
    size_t row = (size_t)layer.n_in * sizeof(float), out = (size_t)layer.n_out;
    enum burst_err err = constant_share(c, layer.weight, out * row, &weight, reterr);
    if (!err && layer.bias) err = constant_share(c, layer.bias, out * sizeof(float), &bias, reterr);
    if (err) return err;
    layer.weight = weight;
    layer.bias = bias;
    ret->layer[ret->n_layer++] = layer;
    return BURST_OK;
}

/* Is step i a dense layer over the rows that the step before makes, and nobody else reads those? */
static bool follows(const struct cuda_code *c, int i, int64_t width)
{
    if (i >= c->plan->n_step) return false;
    const struct plan_step *s = &c->plan->step[i];
    int before = c->plan->step[i - 1].output;
    return s->op == PLAN_DENSE && c->root[s->input[0]] == before && is_inner(c, before, 1) && s->m == 1 && s->add < 0 &&
           s->k == width && s->n <= HEAD_WIDTH_MOST;
}

enum burst_err step_head(struct cuda_code *c, int i, int *ret_used, struct burst_error *reterr)
{
    const struct plan_step *s = &c->plan->step[i];
    if (s->op != PLAN_MEAN || !form_lies_as_map(c, s->input[0])) return BURST_OK;
    struct cuda_op op = {.kind = OP_HEAD, .n_in = 1, .name = "burst:head"};
    struct head head = {0};
    const struct net_dims *d = &c->plan->value[s->input[0]].dims;
    bool whole = s->outer == d->dim[0] * d->dim[1] && s->inner == 1 && d->dim[0] == 1 && d->dim[1] <= HEAD_WIDTH_MOST;
    int64_t width = d->dim[1];
    int n = 0;
    enum burst_err err = BURST_OK;
    for (; whole && !err && n < HEAD_LAYERS && follows(c, i + 1 + n, width); n++) {
        const struct plan_step *dense = &c->plan->step[i + 1 + n];
        struct head_layer layer = {(int)dense->k, (int)dense->n, dense->weight, dense->bias, dense->relu};
        err = upload_layer(c, layer, &head, reterr);
        width = dense->n;
    }
    if (err || n == 0) return err;
    err = form_map(c, s->input[0], &op.in[0], reterr);
    if (!err) err = form_output(c, c->plan->step[i + n].output, false, &op.out, reterr);
    if (err) return err;
    op.head = (struct head_job){.head = head, .as = c->form[op.in[0]].as};
    err = form_op(c, &op, reterr);
    if (!err) *ret_used = 1 + n;
    return err;
}

/* ---- for the Grad-CAM ---- */

enum burst_err step_whole_head(struct cuda_code *c, struct burst_error *reterr)
{
    struct net_head head;
    struct burst_error why = {0};
    c->head_feature = CODE_NONE;
    enum burst_err err = plan_head(c->plan, &head, &why);
    int feature = err ? CODE_NONE : c->home[c->root[head.feature]];
    bool fits = feature != CODE_NONE && c->form[feature].map && head.n_channel <= HEAD_WIDTH_MOST;
    for (int i = 0; fits && i < head.n_layer; i++)
        fits = head.layer[i].n_out <= HEAD_WIDTH_MOST;
    if (!fits) {
        (void)snprintf(c->no_head, sizeof c->no_head, "%.199s", err ? why.text : "its head is too wide");
        return BURST_OK;
    }
    for (int i = 0; i < head.n_layer; i++) {
        const struct net_layer *l = &head.layer[i];
        struct head_layer layer = {l->n_in, l->n_out, l->weight, l->bias, l->relu};
        err = upload_layer(c, layer, &c->head, reterr);
        if (err) return err;
    }
    c->head_feature = feature;
    return BURST_OK;
}
