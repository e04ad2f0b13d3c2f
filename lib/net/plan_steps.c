/* Shapes were checked by shape_infer; products of dimensions of checked tensors cannot overflow. */
#include "net/plan_steps.h"
#include "net/onnx_node.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

/* The node, its step, and the plan they belong to. */
struct lowering {
    struct net_plan *p;
    const struct net_node *node;
    struct plan_step *step;
    struct burst_error *reterr;
};

static const struct net_dims *dims_of(const struct lowering *l, int i)
{
    return &l->p->value[l->node->input[i]].dims;
}

static const struct net_dims *out_dims(const struct lowering *l)
{
    return &l->p->value[l->node->output].dims;
}

/* The constant behind input i; NULL where the input is left out. */
static const float *constant_of(const struct lowering *l, int i)
{
    return i < l->node->n_input && l->node->input[i] >= 0 ? l->p->value[l->node->input[i]].constant : NULL;
}

/* Product of dimensions [first, last). */
static int64_t span(const struct net_dims *d, int first, int last)
{
    int64_t n = 1;
    for (int i = first; i < last; i++)
        n *= d->dim[i];
    return n;
}

/* See the tensor as [outer][axis][inner], the middle being dimensions [first, last). */
static void split_at(struct plan_step *s, const struct net_dims *d, int first, int last)
{
    s->outer = span(d, 0, first);
    s->axis = span(d, first, last);
    s->inner = span(d, last, d->rank);
}

bool plan_is_view(const struct net_node *node)
{
    switch (node->op) {
    case NET_OP_DROPOUT:
    case NET_OP_FLATTEN:
    case NET_OP_IDENTITY:
    case NET_OP_RESHAPE:
    case NET_OP_SQUEEZE:
    case NET_OP_UNSQUEEZE: return true;
    default: return false;
    }
}

/* ---- windows ---- */

static void lower_window(const struct lowering *l, enum plan_op op)
{
    const struct net_dims *x = dims_of(l, 0), *y = out_dims(l);
    struct plan_step *s = l->step;
    s->op = op;
    s->window = l->node->at.window;
    s->group = 1;
    s->n_image = x->dim[0];
    s->n_in = x->dim[1];
    s->n_out = y->dim[1];
    for (int i = 0; i < 2; i++) {
        bool flat = x->rank == 3 && i == 0;
        s->in_size[i] = flat ? 1 : x->dim[x->rank - 2 + i];
        s->out_size[i] = flat ? 1 : y->dim[y->rank - 2 + i];
    }
}

static enum burst_err lower_conv(const struct lowering *l)
{
    struct plan_step *s = l->step;
    lower_window(l, PLAN_CONV);
    s->n_input = 1;
    s->group = l->node->at.group;
    s->weight = constant_of(l, 1);
    s->bias = constant_of(l, 2);
    s->macs = dims_count(out_dims(l)) * (s->n_in / s->group) * s->window.kernel[0] * s->window.kernel[1];
    return BURST_OK;
}

static enum burst_err lower_max_pool(const struct lowering *l)
{
    lower_window(l, PLAN_MAX_POOL);
    return BURST_OK;
}

static enum burst_err lower_average_pool(const struct lowering *l)
{
    lower_window(l, PLAN_AVERAGE_POOL);
    return BURST_OK;
}

/* ---- dense layers ---- */

/* weight [n][k] = factor * b, transposed where b is [k][n]. Lent as it is where nothing changes. */
static enum burst_err dense_weight(const struct lowering *l, bool transposed, double factor, const float **ret)
{
    const float *b = constant_of(l, 1);
    int64_t n = l->step->n, k = l->step->k;
    *ret = b;
    if (transposed && factor == 1) return BURST_OK;
    float *w = graph_take(l->p->graph, n * k, sizeof *w, l->reterr);
    if (!w) return l->reterr->code;
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < k; j++)
            w[i * k + j] = (float)(factor * (double)(transposed ? b[i * k + j] : b[j * n + i]));
    *ret = w;
    return BURST_OK;
}

/* bias [n] = factor * c, where c has n elements or one. */
static enum burst_err dense_bias(const struct lowering *l, double factor, const float **ret)
{
    const float *c = constant_of(l, 2);
    int64_t n = l->step->n, have = dims_count(dims_of(l, 2));
    float *bias = graph_take(l->p->graph, n, sizeof *bias, l->reterr);
    if (!bias) return l->reterr->code;
    for (int64_t i = 0; i < n; i++)
        bias[i] = (float)(factor * (double)c[have == 1 ? 0 : i]);
    *ret = bias;
    return BURST_OK;
}

static enum burst_err check_scaled(const struct lowering *l, const float *x, int64_t n)
{
    for (int64_t i = 0; x && i < n; i++)
        if (!isfinite(x[i]))
            return burst_fail(l->reterr, BURST_E_RANGE, "node '%.130s' (Gemm): alpha or beta overflow its weights",
                              l->node->name);
    return BURST_OK;
}

/* The third input of a Gemm: bias, or a whole matrix that is added. A scaled constant matrix becomes a value of its own. */
static enum burst_err dense_third(const struct lowering *l, double factor)
{
    struct net_plan *p = l->p;
    struct plan_step *s = l->step;
    if (l->node->n_input < 3 || l->node->input[2] < 0) return BURST_OK;
    if (graph_has_bias(p->graph, l->node)) return dense_bias(l, factor, &s->bias);
    int c = l->node->input[2];
    s->add = c;
    if (factor == 1) return BURST_OK;
    struct plan_value *v = &p->value[c]; /* constant: shape_infer asks for beta 1 otherwise */
    float *scaled = graph_take(p->graph, v->n_element, sizeof *scaled, l->reterr);
    if (!scaled) return l->reterr->code;
    for (int64_t i = 0; i < v->n_element; i++)
        scaled[i] = (float)(factor * (double)v->constant[i]);
    s->add = p->n_value++;
    p->value[s->add] = *v;
    p->value[s->add].constant = scaled;
    return check_scaled(l, scaled, v->n_element);
}

/* A Gemm with transA takes its input transposed: a step before. */
static void transpose_first(const struct lowering *l, int *input)
{
    struct net_plan *p = l->p;
    struct plan_step *before = &p->step[p->n_step++];
    const struct plan_value *x = &p->value[l->node->input[0]];
    int turned = p->n_value++;
    p->value[turned] = (struct plan_value){.name = l->node->name,
                                           .dims = {.rank = 2, .dim = {x->dims.dim[1], x->dims.dim[0]}},
                                           .n_element = x->n_element,
                                           .at = PLAN_AT_SCRATCH,
                                           .buffer = -1};
    *before = (struct plan_step){.op = PLAN_TRANSPOSE,
                                 .name = l->node->name,
                                 .kind = "Transpose",
                                 .n_input = 1,
                                 .input = l->node->input,
                                 .output = turned,
                                 .add = -1,
                                 .perm = {1, 0}};
    *input = turned;
}

static enum burst_err lower_dense(const struct lowering *l)
{
    const struct net_attributes *at = &l->node->at;
    bool gemm = l->node->op == NET_OP_GEMM;
    const struct net_dims *y = out_dims(l);
    struct plan_step *s = l->step;
    s->op = PLAN_DENSE;
    s->n_input = 1;
    s->n = y->dim[y->rank - 1];
    s->m = span(y, 0, y->rank - 1);
    s->k = l->p->value[l->node->input[1]].n_element / s->n;
    s->macs = s->m * s->n * s->k;
    enum burst_err err = dense_weight(l, gemm && at->trans_b, gemm ? (double)at->alpha : 1, &s->weight);
    if (!err) err = dense_third(l, gemm ? (double)at->beta : 1);
    if (!err) err = check_scaled(l, s->weight, s->n * s->k);
    if (!err) err = check_scaled(l, s->bias, s->n);
    return err;
}

static enum burst_err lower_matmul(const struct lowering *l)
{
    const struct net_dims *a = dims_of(l, 0), *b = dims_of(l, 1);
    struct plan_step *s = l->step;
    if (graph_is_dense(l->p->graph, l->node)) return lower_dense(l);
    s->op = PLAN_MATMUL;
    s->m = a->dim[a->rank - 2];
    s->k = a->dim[a->rank - 1];
    s->n = b->dim[b->rank - 1];
    int64_t na = span(a, 0, a->rank - 2), nb = span(b, 0, b->rank - 2);
    s->batch = na > nb ? na : nb;
    s->a_step = na == 1 ? 0 : s->m * s->k;
    s->b_step = nb == 1 ? 0 : s->k * s->n;
    s->macs = s->batch * s->m * s->n * s->k;
    return BURST_OK;
}

/* ---- the rest ---- */

static enum burst_err lower_add(const struct lowering *l)
{
    l->step->op = PLAN_ADD;
    return BURST_OK;
}

static enum burst_err lower_batch_norm(const struct lowering *l)
{
    l->step->op = PLAN_SCALE;
    l->step->n_input = 1;
    split_at(l->step, dims_of(l, 0), 1, 2);
    l->step->weight = constant_of(l, 1);
    l->step->bias = constant_of(l, 2);
    return BURST_OK;
}

static enum burst_err lower_concat(const struct lowering *l)
{
    int axis = (int)l->node->at.axis;
    l->step->op = PLAN_CONCAT;
    split_at(l->step, out_dims(l), axis, axis + 1);
    return BURST_OK;
}

static enum burst_err lower_global_pool(const struct lowering *l)
{
    l->step->op = PLAN_MEAN;
    split_at(l->step, dims_of(l, 0), 2, dims_of(l, 0)->rank);
    return BURST_OK;
}

static enum burst_err lower_mean(const struct lowering *l)
{
    const struct net_attributes *at = &l->node->at;
    int first = at->n_axes ? (int)at->axes[0] : 0;
    l->step->op = PLAN_MEAN;
    split_at(l->step, dims_of(l, 0), first, first + at->n_axes);
    return BURST_OK;
}

static enum burst_err lower_relu(const struct lowering *l)
{
    l->step->op = PLAN_RELU;
    return BURST_OK;
}

static enum burst_err lower_sigmoid(const struct lowering *l)
{
    l->step->op = PLAN_SIGMOID;
    return BURST_OK;
}

static enum burst_err lower_softmax(const struct lowering *l)
{
    const struct net_attributes *at = &l->node->at;
    int axis = (int)at->axis;
    l->step->op = PLAN_SOFTMAX;
    split_at(l->step, out_dims(l), axis, at->coerce_2d ? out_dims(l)->rank : axis + 1);
    return BURST_OK;
}

static enum burst_err lower_transpose(const struct lowering *l)
{
    l->step->op = PLAN_TRANSPOSE;
    for (int i = 0; i < l->node->at.n_axes; i++)
        l->step->perm[i] = (int)l->node->at.axes[i];
    return BURST_OK;
}

/* Views have no entry, and Constant nodes are gone. */
static enum burst_err (*const lowerers[NET_OP_N])(const struct lowering *) = {
    [NET_OP_ADD] = lower_add,
    [NET_OP_AVERAGE_POOL] = lower_average_pool,
    [NET_OP_BATCH_NORM] = lower_batch_norm,
    [NET_OP_CONCAT] = lower_concat,
    [NET_OP_CONV] = lower_conv,
    [NET_OP_GEMM] = lower_dense,
    [NET_OP_GLOBAL_AVERAGE_POOL] = lower_global_pool,
    [NET_OP_MATMUL] = lower_matmul,
    [NET_OP_MAX_POOL] = lower_max_pool,
    [NET_OP_REDUCE_MEAN] = lower_mean,
    [NET_OP_RELU] = lower_relu,
    [NET_OP_SIGMOID] = lower_sigmoid,
    [NET_OP_SOFTMAX] = lower_softmax,
    [NET_OP_TRANSPOSE] = lower_transpose,
};

/* "Conv+Add+Relu" */
static const char *kind_of(const struct lowering *l)
{
    char kind[64];
    bool add = l->step->add >= 0, relu = l->step->relu;
    (void)snprintf(kind, sizeof kind, "%s%s%s", net_op_name(l->node->op), add ? "+Add" : "", relu ? "+Relu" : "");
    return graph_text(l->p->graph, kind, l->reterr);
}

enum burst_err plan_add_step(struct net_plan *p, const struct net_node *node, struct burst_error *reterr)
{
    struct plan_step step = {.name = node->name,
                             .n_input = node->n_input,
                             .input = node->input,
                             .output = node->output,
                             .add = node->add,
                             .relu = node->relu};
    struct lowering l = {p, node, &step, reterr};
    enum burst_err err = lowerers[node->op](&l);
    if (err) return err;
    step.kind = kind_of(&l);
    if (!step.kind) return reterr->code;
    if (node->op == NET_OP_GEMM && node->at.trans_a) {
        int *input = graph_take(p->graph, 1, sizeof *input, reterr);
        if (!input) return reterr->code;
        transpose_first(&l, input);
        step.input = input;
    }
    p->step[p->n_step++] = step;
    return BURST_OK;
}
