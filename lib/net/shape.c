/* One function per operator; each fills the shape of its output. The convolution and pooling arithmetic is shape_window.c's. */
#include "net/shape.h"
#include "net/onnx_node.h"
#include "net/shape_window.h"
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* What one inference step works on. */
struct step {
    struct net_graph *g;
    struct net_node *node;
    const struct net_value *x; /* the first input */
    struct net_value *out;
    struct burst_error *reterr;
};

static enum burst_err refuse(const struct step *s, enum burst_err code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static enum burst_err refuse(const struct step *s, enum burst_err code, const char *format, ...)
{
    char text[NODE_TEXT], why[400];
    va_list list;
    va_start(list, format);
    (void)vsnprintf(why, sizeof why, format, list);
    va_end(list);
    node_text(s->node->name, net_op_name(s->node->op), text);
    return burst_fail(s->reterr, code, "%s: %s", text, why);
}

/* "... input of shape [..] ..." */
static enum burst_err refuse_shape(const struct step *s, const char *why)
{
    char dims[DIMS_TEXT];
    dims_text(&s->x->dims, s->x->batched, dims);
    return refuse(s, BURST_E_SHAPE, "%s; its input is %s", why, dims);
}

static enum burst_err refuse_batch(const struct step *s)
{
    return refuse(s, BURST_E_UNSUPPORTED, "it would mix or move the samples of a batch");
}

/* Input i, or NULL where it is left out. */
static const struct net_value *input_of(const struct step *s, int i)
{
    return i < s->node->n_input && s->node->input[i] >= 0 ? &s->g->value[s->node->input[i]] : NULL;
}

/* Negative axes count from the end. `rank` of the tensor the axis belongs to. */
static enum burst_err resolve_axis(const struct step *s, int64_t *axis, int rank)
{
    int64_t a = *axis < 0 ? *axis + rank : *axis;
    if (a < 0 || a >= rank)
        return refuse(s, BURST_E_SHAPE, "axis %" PRId64 " of a tensor of %d dimensions", *axis, rank);
    *axis = a;
    return BURST_OK;
}

/* Resolve all axes; each may occur once. Returns them also as bits. */
static enum burst_err resolve_axes(const struct step *s, int rank, unsigned *ret_bits)
{
    unsigned bits = 0;
    for (int i = 0; i < s->node->at.n_axes; i++) {
        enum burst_err err = resolve_axis(s, &s->node->at.axes[i], rank);
        if (err) return err;
        unsigned bit = 1u << s->node->at.axes[i];
        if (bits & bit) return refuse(s, BURST_E_SHAPE, "axis %" PRId64 " is given twice", s->node->at.axes[i]);
        bits |= bit;
    }
    *ret_bits = bits;
    return BURST_OK;
}

static enum burst_err shape_same(const struct step *s)
{
    s->out->dims = s->x->dims;
    return BURST_OK;
}

/* As numpy: trailing dimensions align, 1 stretches. */
static enum burst_err broadcast(const struct step *s, const struct net_dims *a, const struct net_dims *b,
                                struct net_dims *ret)
{
    struct net_dims d = {.rank = a->rank > b->rank ? a->rank : b->rank};
    char ta[DIMS_TEXT], tb[DIMS_TEXT];
    for (int i = 0; i < d.rank; i++) {
        int ia = i - (d.rank - a->rank), ib = i - (d.rank - b->rank);
        int64_t da = ia < 0 ? 1 : a->dim[ia], db = ib < 0 ? 1 : b->dim[ib];
        if (da != db && da != 1 && db != 1) {
            dims_text(a, false, ta);
            dims_text(b, false, tb);
            return refuse(s, BURST_E_SHAPE, "shapes %s and %s do not fit", ta, tb);
        }
        d.dim[i] = da == 1 ? db : da;
    }
    *ret = d;
    return BURST_OK;
}

/* A batched operand must keep its first dimension first. */
static bool batch_stays(const struct net_value *v, int out_rank)
{
    return !v->batched || v->dims.rank == out_rank;
}

static enum burst_err shape_add(const struct step *s)
{
    const struct net_value *b = input_of(s, 1);
    enum burst_err err = broadcast(s, &s->x->dims, &b->dims, &s->out->dims);
    if (err) return err;
    int rank = s->out->dims.rank;
    return batch_stays(s->x, rank) && batch_stays(b, rank) ? BURST_OK : refuse_batch(s);
}

static enum burst_err shape_batch_norm(const struct step *s)
{
    static const char *const names[] = {"", "scale", "bias", "mean", "variance"};
    if (s->x->dims.rank < 2) return refuse_shape(s, "it needs a channel dimension");
    for (int i = 1; i < 5; i++) {
        const struct net_value *v = input_of(s, i);
        if (!v->constant) return refuse(s, BURST_E_UNSUPPORTED, "its %s is not a constant", names[i]);
        if (v->dims.rank != 1 || v->dims.dim[0] != s->x->dims.dim[1])
            return refuse(s, BURST_E_SHAPE, "its %s has %" PRId64 " elements, not one for each of %" PRId64 " channels",
                          names[i], dims_count(&v->dims), s->x->dims.dim[1]);
    }
    return shape_same(s);
}

static enum burst_err shape_concat(const struct step *s)
{
    struct net_dims d = s->x->dims;
    enum burst_err err = resolve_axis(s, &s->node->at.axis, d.rank);
    if (err) return err;
    int64_t axis = s->node->at.axis;
    if (s->out->batched && axis == 0) return refuse_batch(s);
    d.dim[axis] = 0;
    for (int i = 0; i < s->node->n_input; i++) {
        const struct net_value *v = input_of(s, i);
        struct net_dims other = v->dims;
        if (v->batched != s->out->batched) return refuse_batch(s);
        if (other.rank == d.rank) other.dim[axis] = d.dim[axis];
        if (!dims_equal(&other, &d)) return refuse(s, BURST_E_SHAPE, "input %d does not fit the first", i);
        d.dim[axis] += v->dims.dim[axis];
    }
    s->out->dims = d;
    return BURST_OK;
}

static enum burst_err shape_flatten(const struct step *s)
{
    const struct net_dims *x = &s->x->dims;
    struct net_dims d = {.rank = 2, .dim = {1, 1}};
    int64_t axis = s->node->at.axis;
    if (axis < 0) axis += x->rank;
    if (axis < 0 || axis > x->rank) return refuse_shape(s, "its axis is out of range");
    if (s->x->batched && axis == 0) return refuse_batch(s);
    for (int i = 0; i < x->rank; i++)
        d.dim[i >= axis] *= x->dim[i];
    s->node->at.axis = axis;
    s->out->dims = d;
    return BURST_OK;
}

static enum burst_err shape_gemm(const struct step *s)
{
    const struct net_value *b = input_of(s, 1), *c = input_of(s, 2);
    bool ta = s->node->at.trans_a, tb = s->node->at.trans_b;
    if (!b->constant) return refuse(s, BURST_E_UNSUPPORTED, "its weights are computed, not constant");
    if (s->x->dims.rank != 2 || b->dims.rank != 2) return refuse_shape(s, "it takes matrices");
    if (s->x->batched && ta) return refuse_batch(s);
    int64_t m = s->x->dims.dim[ta], k = s->x->dims.dim[!ta], kb = b->dims.dim[tb], n = b->dims.dim[!tb];
    if (k != kb) return refuse(s, BURST_E_SHAPE, "%" PRId64 " inputs meet weights for %" PRId64, k, kb);
    s->out->dims = (struct net_dims){.rank = 2, .dim = {m, n}};
    if (!c) return BURST_OK;
    int64_t nc = dims_count(&c->dims);
    if (c->constant && (nc == 1 || (nc == n && c->dims.dim[c->dims.rank - 1] == n))) return BURST_OK;
    if (dims_equal(&c->dims, &s->out->dims) && (c->constant ? !s->out->batched : s->node->at.beta == 1))
        return BURST_OK;
    return refuse(s, BURST_E_UNSUPPORTED, "its third input must be a constant of 1 or %" PRId64 " elements", n);
}

static enum burst_err shape_global_pool(const struct step *s)
{
    if (s->x->dims.rank < 3) return refuse_shape(s, "it needs dimensions behind the channels");
    s->out->dims = s->x->dims;
    for (int i = 2; i < s->x->dims.rank; i++)
        s->out->dims.dim[i] = 1;
    return BURST_OK;
}

/* Leading dimensions broadcast; here all of the second must be those of the first, or absent, or 1. */
static enum burst_err shape_matmul(const struct step *s)
{
    const struct net_value *a = s->x, *b = input_of(s, 1);
    int ra = a->dims.rank, rb = b->dims.rank;
    if (ra < 2 || rb < 2) return refuse(s, BURST_E_UNSUPPORTED, "it takes two matrices or stacks of them");
    if (a->dims.dim[ra - 1] != b->dims.dim[rb - 2])
        return refuse(s, BURST_E_SHAPE, "%" PRId64 " columns meet %" PRId64 " rows", a->dims.dim[ra - 1],
                      b->dims.dim[rb - 2]);
    struct net_dims lead_a = a->dims, lead_b = b->dims, lead;
    lead_a.rank -= 2;
    lead_b.rank -= 2;
    int64_t na = dims_count(&lead_a), nb = dims_count(&lead_b);
    if (!dims_equal(&lead_a, &lead_b) && na != 1 && nb != 1)
        return refuse(s, BURST_E_UNSUPPORTED, "stacks of different shapes");
    enum burst_err err = broadcast(s, &lead_a, &lead_b, &lead);
    if (err) return err;
    struct net_dims d = lead;
    d.dim[d.rank++] = a->dims.dim[ra - 2];
    d.dim[d.rank++] = b->dims.dim[rb - 1];
    s->out->dims = d;
    bool b_stays = !b->batched || (rb == d.rank && rb > 2);
    return batch_stays(a, d.rank) && b_stays ? BURST_OK : refuse_batch(s);
}

/* Axes sorted, made whole (none given: all), and next to one another: what the exports of mean() need. */
static enum burst_err shape_mean(const struct step *s)
{
    struct net_attributes *at = &s->node->at;
    struct net_dims d = {0};
    int rank = s->x->dims.rank;
    unsigned bits;
    enum burst_err err = resolve_axes(s, rank, &bits);
    if (err) return err;
    if (at->n_axes == 0) bits = (1u << rank) - 1;
    if (s->x->batched && (bits & 1)) return refuse_batch(s);
    at->n_axes = 0;
    for (int i = 0; i < rank; i++) {
        if (bits & 1u << i) at->axes[at->n_axes++] = i;
        if (!(bits & 1u << i))
            d.dim[d.rank++] = s->x->dims.dim[i];
        else if (at->keep_dims)
            d.dim[d.rank++] = 1;
    }
    if (at->n_axes && at->axes[at->n_axes - 1] - at->axes[0] != at->n_axes - 1)
        return refuse(s, BURST_E_UNSUPPORTED, "its axes are not next to one another");
    s->out->dims = d;
    return BURST_OK;
}

/* The -1 of a target takes what is left. */
static enum burst_err reshape_rest(const struct step *s, struct net_dims *d, int unknown, int64_t have)
{
    int64_t known = 1;
    for (int i = 0; i < d->rank; i++)
        if (i != unknown && (d->dim[i] < 0 || __builtin_mul_overflow(known, d->dim[i], &known)))
            return refuse_shape(s, "its target shape is out of range");
    if (unknown >= 0) {
        if (known == 0 || have % known) return refuse_shape(s, "its target shape does not divide the elements");
        d->dim[unknown] = have / known;
    } else if (known != have)
        return refuse_shape(s, "its target shape has another number of elements");
    return BURST_OK;
}

static enum burst_err shape_reshape(const struct step *s)
{
    struct net_attributes *at = &s->node->at;
    struct net_dims d = at->shape;
    int unknown = -1;
    bool batch_first = d.rank > 0 && (d.dim[0] == -1 || (d.dim[0] == 0 && !at->allow_zero));
    if (s->x->batched && !batch_first) return refuse_batch(s);
    for (int i = 0; i < d.rank; i++) {
        if (d.dim[i] == -1 && unknown >= 0) return refuse_shape(s, "its target shape has two -1");
        if (d.dim[i] == -1) unknown = i;
        if (d.dim[i] != 0 || at->allow_zero) continue;
        if (i >= s->x->dims.rank) return refuse_shape(s, "its target shape copies a dimension that is not there");
        d.dim[i] = s->x->dims.dim[i];
    }
    enum burst_err err = reshape_rest(s, &d, unknown, dims_count(&s->x->dims));
    if (!err) s->out->dims = at->shape = d;
    return err;
}

static enum burst_err shape_softmax(const struct step *s)
{
    enum burst_err err = resolve_axis(s, &s->node->at.axis, s->x->dims.rank);
    if (!err && s->x->batched && s->node->at.axis == 0) err = refuse_batch(s);
    return err ? err : shape_same(s);
}

static enum burst_err shape_squeeze(const struct step *s)
{
    struct net_dims d = {0};
    const struct net_dims *x = &s->x->dims;
    unsigned bits;
    enum burst_err err = resolve_axes(s, x->rank, &bits);
    if (err) return err;
    /* No axes: every 1; the batch is not one of them, whatever its size happens to be. */
    for (int i = s->x->batched; s->node->at.n_axes == 0 && i < x->rank; i++)
        bits |= x->dim[i] == 1 ? 1u << i : 0;
    if (s->x->batched && (bits & 1)) return refuse_batch(s);
    for (int i = 0; i < x->rank; i++) {
        if (!(bits & 1u << i))
            d.dim[d.rank++] = x->dim[i];
        else if (x->dim[i] != 1)
            return refuse_shape(s, "it removes a dimension that is not 1");
    }
    s->out->dims = d;
    return BURST_OK;
}

static enum burst_err shape_transpose(const struct step *s)
{
    struct net_attributes *at = &s->node->at;
    const struct net_dims *x = &s->x->dims;
    unsigned bits;
    if (at->n_axes == 0)
        for (; at->n_axes < x->rank; at->n_axes++)
            at->axes[at->n_axes] = x->rank - 1 - at->n_axes;
    if (at->n_axes != x->rank) return refuse_shape(s, "perm has another length than the shape");
    enum burst_err err = resolve_axes(s, x->rank, &bits);
    if (err) return err;
    if (s->x->batched && at->axes[0] != 0) return refuse_batch(s);
    s->out->dims.rank = x->rank;
    for (int i = 0; i < x->rank; i++)
        s->out->dims.dim[i] = x->dim[at->axes[i]];
    return BURST_OK;
}

static enum burst_err shape_unsqueeze(const struct step *s)
{
    struct net_dims d = {.rank = s->x->dims.rank + s->node->at.n_axes};
    unsigned bits;
    if (s->node->at.n_axes == 0) return refuse(s, BURST_E_MISSING, "it has no axes");
    if (d.rank > NET_RANK_MAX) return refuse_shape(s, "it makes too many dimensions");
    enum burst_err err = resolve_axes(s, d.rank, &bits);
    if (err) return err;
    if (s->x->batched && (bits & 1)) return refuse_batch(s);
    for (int i = 0, from = 0; i < d.rank; i++)
        d.dim[i] = bits & 1u << i ? 1 : s->x->dims.dim[from++];
    s->out->dims = d;
    return BURST_OK;
}

static enum burst_err shape_window(const struct step *s)
{
    const struct net_value *w = input_of(s, 1), *bias = input_of(s, 2);
    char why[SHAPE_WHY];
    enum burst_err err;
    if (s->node->op != NET_OP_CONV)
        err = shape_pool(&s->node->at, &s->x->dims, &s->out->dims, why);
    else if (!w->constant || (bias && !bias->constant))
        return refuse(s, BURST_E_UNSUPPORTED, "its weights are computed, not constant");
    else
        err = shape_conv(&s->node->at, &s->x->dims, &w->dims, bias ? &bias->dims : NULL, &s->out->dims, why);
    return err ? refuse(s, err, "%s", why) : BURST_OK;
}

static enum burst_err (*const shapers[NET_OP_N])(const struct step *) = {
    [NET_OP_ADD] = shape_add,
    [NET_OP_AVERAGE_POOL] = shape_window,
    [NET_OP_BATCH_NORM] = shape_batch_norm,
    [NET_OP_CONCAT] = shape_concat,
    [NET_OP_CONV] = shape_window,
    [NET_OP_DROPOUT] = shape_same,
    [NET_OP_FLATTEN] = shape_flatten,
    [NET_OP_GEMM] = shape_gemm,
    [NET_OP_GLOBAL_AVERAGE_POOL] = shape_global_pool,
    [NET_OP_IDENTITY] = shape_same,
    [NET_OP_MATMUL] = shape_matmul,
    [NET_OP_MAX_POOL] = shape_window,
    [NET_OP_REDUCE_MEAN] = shape_mean,
    [NET_OP_RELU] = shape_same,
    [NET_OP_RESHAPE] = shape_reshape,
    [NET_OP_SIGMOID] = shape_same,
    [NET_OP_SOFTMAX] = shape_softmax,
    [NET_OP_SQUEEZE] = shape_squeeze,
    [NET_OP_TRANSPOSE] = shape_transpose,
    [NET_OP_UNSQUEEZE] = shape_unsqueeze,
};

/* Integers occur only as shapes and axes, which reading has taken out. */
static enum burst_err check_types(const struct step *s)
{
    for (int i = 0; i < s->node->n_input; i++) {
        const struct net_value *v = input_of(s, i);
        if (v && v->constant && v->constant->dtype != NET_F32)
            return refuse(s, BURST_E_UNSUPPORTED, "its input '%.60s' is not of type FLOAT", v->name);
    }
    return BURST_OK;
}

static enum burst_err infer_node(struct net_graph *g, struct net_node *node, struct burst_error *reterr)
{
    struct step s = {g, node, NULL, &g->value[node->output], reterr};
    int64_t n;
    char dims[DIMS_TEXT];
    s.x = input_of(&s, 0);
    for (int i = 0; i < node->n_input; i++)
        if (input_of(&s, i)) s.out->batched |= input_of(&s, i)->batched;
    enum burst_err err = check_types(&s);
    if (!err) err = shapers[node->op](&s);
    if (!err) err = dims_elements(&s.out->dims, &n, reterr);
    if (err) return err;
    if (s.out->batched && (s.out->dims.rank == 0 || s.out->dims.dim[0] != 1)) return refuse_batch(&s);
    if (n == 0) {
        dims_text(&s.out->dims, s.out->batched, dims);
        return refuse(&s, BURST_E_SHAPE, "its output of shape %s is empty", dims);
    }
    s.out->shaped = true;
    return BURST_OK;
}

/* The batch may be declared as anything; -1 elsewhere says nothing. */
static enum burst_err check_output(const struct net_value *v, struct burst_error *reterr)
{
    char got[DIMS_TEXT], want[DIMS_TEXT];
    bool same = v->declared.rank == v->dims.rank;
    for (int i = v->batched; same && i < v->dims.rank; i++)
        same = v->declared.dim[i] == -1 || v->declared.dim[i] == v->dims.dim[i];
    if (same || v->declared.rank < 0) return BURST_OK;
    dims_text(&v->dims, v->batched, got);
    dims_text(&v->declared, v->batched, want);
    return burst_fail(reterr, BURST_E_SHAPE, "output '%.130s' is %s by its nodes and %s by its declaration", v->name,
                      got, want);
}

enum burst_err shape_infer(struct net_graph *g, struct burst_error *reterr)
{
    enum burst_err err = BURST_OK;
    for (int i = 0; !err && i < g->n_node; i++)
        err = infer_node(g, &g->node[i], reterr);
    for (int i = 0; !err && i < g->n_output; i++)
        err = check_output(&g->value[g->output[i]], reterr);
    return err;
}
