/* One step of the plan to operations: all but convolutions and what is fused. */
#include "net/cuda/code.h"
#include <stdio.h>
#include <stdlib.h>

/* The step, its network, and the operation that is being made of it. */
struct lower {
    struct cuda_code *c;
    const struct plan_step *s;
    struct cuda_op op;
    struct burst_error *reterr;
};

static const struct net_dims *dims_of(const struct lower *l, int value)
{
    return &l->c->plan->value[value].dims;
}

static enum burst_err refuse(const struct lower *l, const char *why)
{
    return code_refuse(l->c, BURST_E_UNSUPPORTED, l->reterr, why);
}

static enum burst_err finish(struct lower *l, enum op_kind kind, const char *name)
{
    l->op.kind = kind;
    (void)snprintf(l->op.name, sizeof l->op.name, "%s", name);
    return form_op(l->c, &l->op, l->reterr);
}

/* Input i as a map or as rows, into the operation's list. */
static enum burst_err take(struct lower *l, int value, bool map)
{
    int form;
    enum burst_err err = map ? form_map(l->c, value, &form, l->reterr) : form_rows(l->c, value, &form, l->reterr);
    if (!err) l->op.in[l->op.n_in++] = form;
    return err;
}

static enum burst_err give(struct lower *l, bool map)
{
    return form_output(l->c, l->s->output, map, &l->op.out, l->reterr);
}

static const struct cuda_form *form_in(const struct lower *l, int i)
{
    return &l->c->form[l->op.in[i]];
}

static const struct cuda_form *form_out(const struct lower *l)
{
    return &l->c->form[l->op.out];
}

/* ---- element by element ---- */

static enum burst_err lower_add(struct lower *l)
{
    const struct plan_step *s = l->s;
    const struct net_dims *out = dims_of(l, s->output);
    if (!dims_equal(dims_of(l, s->input[0]), out) || !dims_equal(dims_of(l, s->input[1]), out))
        return refuse(l, "shapes that are stretched have no kernel");
    bool map = form_lies_as_map(l->c, s->input[0]) && form_lies_as_map(l->c, s->input[1]);
    enum burst_err err = take(l, s->input[0], map);
    if (!err) err = take(l, s->input[1], map);
    if (!err) err = give(l, map);
    if (err) return err;
    l->op.pointwise = (struct pointwise_job){.op = POINTWISE_ADD, .relu = s->relu, .as = form_out(l)->as};
    return finish(l, OP_POINTWISE, "burst:add");
}

static enum burst_err lower_unary(struct lower *l, enum pointwise_op op, const char *name)
{
    bool map = form_lies_as_map(l->c, l->s->input[0]);
    enum burst_err err = take(l, l->s->input[0], map);
    if (!err) err = give(l, map);
    if (err) return err;
    l->op.pointwise = (struct pointwise_job){.op = op, .relu = l->s->relu, .as = form_out(l)->as};
    return finish(l, OP_POINTWISE, name);
}

static enum burst_err lower_relu(struct lower *l)
{
    return lower_unary(l, POINTWISE_RELU, "burst:relu");
}

static enum burst_err lower_sigmoid(struct lower *l)
{
    return lower_unary(l, POINTWISE_SIGMOID, "burst:sigmoid");
}

/* Channels are the middle of [images][channels][positions], or the last of rows. */
static enum burst_err lower_scale(struct lower *l)
{
    const struct plan_step *s = l->s;
    int rank = dims_of(l, s->output)->rank;
    bool map = rank == 3 || rank == 4;
    if (!map && s->inner != 1) return refuse(l, "more dimensions than a map has");
    enum burst_err err = take(l, s->input[0], map);
    void *factor = NULL, *shift = NULL;
    size_t bytes = (size_t)s->axis * sizeof(float);
    if (!err) err = give(l, map);
    if (!err) err = constant_share(l->c, s->weight, bytes, &factor, l->reterr);
    if (!err) err = constant_share(l->c, s->bias, bytes, &shift, l->reterr);
    if (err) return err;
    struct layout rows = {1, s->axis, s->axis, false};
    l->op.pointwise = (struct pointwise_job){.op = POINTWISE_SCALE,
                                             .relu = s->relu,
                                             .as = map ? form_out(l)->as : rows,
                                             .factor = factor,
                                             .shift = shift,
                                             .n_sample = map ? 0 : (int)s->outer};
    return finish(l, OP_POINTWISE, "burst:scale");
}

static enum burst_err lower_softmax(struct lower *l)
{
    const struct plan_step *s = l->s;
    enum burst_err err = take(l, s->input[0], false);
    if (!err) err = give(l, false);
    if (err) return err;
    l->op.softmax = (struct softmax_job){.outer = s->outer, .axis = s->axis, .inner = s->inner};
    return finish(l, OP_SOFTMAX, "burst:softmax");
}

/* ---- tensors side by side ---- */

/* Are all inputs maps whose channels are put side by side? */
static bool concat_of_maps(const struct lower *l)
{
    const struct plan_step *s = l->s;
    const struct net_dims *d = dims_of(l, s->output);
    bool map = (d->rank == 3 || d->rank == 4) && s->outer == d->dim[0] && s->axis == d->dim[1];
    for (int i = 0; map && i < s->n_input; i++)
        map = form_lies_as_map(l->c, s->input[i]);
    return map;
}

static enum burst_err lower_concat(struct lower *l)
{
    const struct plan_step *s = l->s;
    if (s->n_input > CONCAT_MOST) return refuse(l, "more than 8 tensors side by side");
    bool map = concat_of_maps(l);
    enum burst_err err = BURST_OK;
    for (int i = 0; !err && i < s->n_input; i++)
        err = take(l, s->input[i], map);
    if (!err) err = give(l, map);
    if (err) return err;
    int64_t row = s->axis * s->inner;
    struct concat_job job = {.as = map ? form_out(l)->as : (struct layout){1, row, row, false}, .n_input = s->n_input};
    for (int i = 0; i < s->n_input; i++) {
        job.n_channel[i] = map ? form_in(l, i)->as.n_channel : form_in(l, i)->as.n_channel / s->outer;
        job.n_padded[i] = map ? form_in(l, i)->as.n_padded : job.n_channel[i];
    }
    job.n_sample = map ? 0 : (int)s->outer;
    l->op.concat = job;
    return finish(l, OP_CONCAT, "burst:concat");
}

/* ---- windows ---- */

static enum burst_err lower_pool(struct lower *l)
{
    bool average = l->s->op == PLAN_AVERAGE_POOL;
    enum burst_err err = take(l, l->s->input[0], true);
    if (!err) err = give(l, true);
    if (err) return err;
    l->op.pool = (struct pool_job){.shape = plain_window(l->s),
                                   .is_average = average,
                                   .count_pad = l->s->window.count_include_pad,
                                   .bf16 = form_out(l)->as.bf16,
                                   .n_padded = form_out(l)->as.n_padded};
    return finish(l, OP_POOL, average ? "burst:average_pool" : "burst:max_pool");
}

/* Over all positions of maps; other means have no kernel. */
static enum burst_err lower_mean(struct lower *l)
{
    const struct plan_step *s = l->s;
    const struct net_dims *d = dims_of(l, s->input[0]);
    bool map = (d->rank == 3 || d->rank == 4) && s->outer == d->dim[0] * d->dim[1] && s->inner == 1;
    if (!map) return refuse(l, "a mean over anything but all positions");
    if (d->dim[1] > HEAD_WIDTH_MOST) return refuse(l, "means of too many channels");
    enum burst_err err = take(l, s->input[0], true);
    if (!err) err = give(l, false);
    if (err) return err;
    l->op.head = (struct head_job){.as = form_in(l, 0)->as};
    return finish(l, OP_HEAD, "burst:mean");
}

/* ---- dense layers ---- */

/* Does the layer take a whole map, flattened? Then its weights are put in the map's order and nothing is unpacked. */
static bool flattened_map(const struct lower *l, struct layout *ret)
{
    const struct plan_step *s = l->s;
    int root = l->c->root[s->input[0]], home = l->c->home[root];
    if (home == CODE_NONE || !l->c->form[home].map || s->m != 1 || l->c->form[home].n_image != 1) return false;
    *ret = l->c->form[home].as;
    return s->k == ret->n_channel * ret->n_position;
}

static enum burst_err dense_weight(struct lower *l, const struct layout *as, void **ret)
{
    const struct plan_step *s = l->s;
    if (!as) return constant_share(l->c, s->weight, (size_t)(s->n * s->k) * sizeof(float), ret, l->reterr);
    size_t n = (size_t)(s->n * layout_elements(as));
    float *columns = malloc(n * sizeof *columns);
    if (!columns) return burst_fail(l->reterr, BURST_E_NOMEM, "cuda: no memory for %zu weights", n);
    layout_columns(as, s->n, s->weight, columns);
    enum burst_err err = constant_put(l->c, columns, n * sizeof *columns, ret, l->reterr);
    free(columns);
    return err;
}

/* The job for the largest batch tells how much memory it needs. */
static enum burst_err dense_work(struct lower *l, struct dense_job *job)
{
    job->n_sample = (int)l->s->m * l->c->plan->batch;
    size_t bytes = dense_cuda_work(job);
    job->n_sample = (int)l->s->m;
    return bytes ? memory_take(l->c->engine, &l->c->memory, CUDA_ON_DEVICE, bytes, &job->work, NULL, l->reterr)
                 : BURST_OK;
}

static enum burst_err lower_dense(struct lower *l)
{
    const struct plan_step *s = l->s;
    struct layout as;
    bool whole = flattened_map(l, &as);
    enum burst_err err = BURST_OK;
    void *weight = NULL, *bias = NULL;
    if (whole) l->op.in[l->op.n_in++] = l->c->home[l->c->root[s->input[0]]];
    if (!whole) err = take(l, s->input[0], false);
    if (!err && s->add >= 0) err = take(l, s->add, false);
    if (!err) err = give(l, false);
    if (!err) err = dense_weight(l, whole ? &as : NULL, &weight);
    if (!err && s->bias) err = constant_share(l->c, s->bias, (size_t)s->n * sizeof(float), &bias, l->reterr);
    if (err) return err;
    struct dense_job job = {.n_in = whole ? layout_elements(&as) : s->k,
                            .n_out = s->n,
                            .bf16 = whole && as.bf16,
                            .weight = weight,
                            .bias = bias,
                            .relu = s->relu};
    err = dense_work(l, &job);
    if (err) return err;
    l->op.dense = job;
    return finish(l, OP_DENSE, "burst:dense");
}

/* ---- all of them ---- */

static enum burst_err lower(struct lower *l)
{
    switch (l->s->op) {
    case PLAN_ADD: return lower_add(l);
    case PLAN_AVERAGE_POOL:
    case PLAN_MAX_POOL: return lower_pool(l);
    case PLAN_CONCAT: return lower_concat(l);
    case PLAN_CONV: return step_conv(l->c, l->s, l->reterr);
    case PLAN_DENSE: return lower_dense(l);
    case PLAN_MEAN: return lower_mean(l);
    case PLAN_RELU: return lower_relu(l);
    case PLAN_SCALE: return lower_scale(l);
    case PLAN_SIGMOID: return lower_sigmoid(l);
    case PLAN_SOFTMAX: return lower_softmax(l);
    case PLAN_MATMUL:
    case PLAN_TRANSPOSE:
    case PLAN_OP_N: break;
    }
    return refuse(l, "no kernel");
}

enum burst_err step_compile(struct cuda_code *c, int i, int *ret_used, struct burst_error *reterr)
{
    struct lower l = {.c = c, .s = &c->plan->step[i], .reterr = reterr};
    int used = 0;
    c->step = i;
    enum burst_err err = step_mscfm(c, i, &used, reterr);
    if (!err && !used) err = step_head(c, i, &used, reterr);
    if (!err && !used) {
        used = 1;
        err = lower(&l);
    }
    if (!err) *ret_used = used;
    return err;
}
