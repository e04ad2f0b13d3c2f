/* Values, steps, lifetimes, places: in that order. */
#include "net/plan.h"
#include "net/plan_steps.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { ALIGN = 64 }; /* a cache line, and a vector register of the widest kind */

static const char *const op_names[PLAN_OP_N] = {
    [PLAN_ADD] = "Add",
    [PLAN_AVERAGE_POOL] = "AveragePool",
    [PLAN_CONCAT] = "Concat",
    [PLAN_CONV] = "Conv",
    [PLAN_DENSE] = "Dense",
    [PLAN_MATMUL] = "MatMul",
    [PLAN_MAX_POOL] = "MaxPool",
    [PLAN_MEAN] = "Mean",
    [PLAN_RELU] = "Relu",
    [PLAN_SCALE] = "Scale",
    [PLAN_SIGMOID] = "Sigmoid",
    [PLAN_SOFTMAX] = "Softmax",
    [PLAN_TRANSPOSE] = "Transpose",
};

const char *plan_op_name(enum plan_op op)
{
    return (unsigned)op < PLAN_OP_N ? op_names[op] : "unknown";
}

static void set_value(struct plan_value *ret, const struct net_value *v)
{
    *ret = (struct plan_value){.name = v->name,
                               .dims = v->dims,
                               .n_element = dims_count(&v->dims),
                               .batched = v->batched,
                               .at = PLAN_AT_SCRATCH,
                               .index = v->input_port,
                               .constant = v->constant ? v->constant->f32 : NULL,
                               .buffer = -1};
    if (v->constant)
        ret->at = PLAN_AT_CONSTANT;
    else if (v->input_port >= 0)
        ret->at = PLAN_AT_INPUT;
}

/* Room for everything: a node makes at most two steps and one value of its own. */
static enum burst_err take_room(struct net_plan *p, struct burst_error *reterr)
{
    struct net_graph *g = p->graph;
    p->value = graph_take(g, g->n_value + (int64_t)g->n_node * 2, sizeof *p->value, reterr);
    p->step = p->value ? graph_take(g, 2 * (int64_t)g->n_node, sizeof *p->step, reterr) : NULL;
    p->buffer = p->step ? graph_take(g, 2 * (int64_t)g->n_node, sizeof *p->buffer, reterr) : NULL;
    p->keep = p->buffer ? graph_take(g, g->n_value, sizeof *p->keep, reterr) : NULL;
    if (!p->keep) return reterr->code;
    p->n_value = g->n_value;
    for (int i = 0; i < g->n_value; i++)
        set_value(&p->value[i], &g->value[i]);
    return BURST_OK;
}

/* A buffer for what step i makes. */
static enum burst_err new_buffer(struct net_plan *p, int v, int i, struct burst_error *reterr)
{
    struct plan_value *value = &p->value[v];
    size_t bytes = (size_t)value->n_element * sizeof(float); /* at most 1 GiB: dims_elements */
    if (bytes == 0)
        return burst_fail(reterr, BURST_E_INTERNAL, "an empty tensor '%.130s' reached the plan", value->name);
    p->buffer[p->n_buffer] = (struct plan_buffer){.bytes = (bytes + ALIGN - 1) / ALIGN * ALIGN, .first = i, .last = i};
    value->buffer = p->n_buffer++;
    return BURST_OK;
}

static void make_view(struct net_plan *p, const struct net_node *node)
{
    struct plan_value *out = &p->value[node->output];
    const struct plan_value *in = &p->value[node->input[0]];
    out->at = in->at;
    out->index = in->index;
    out->constant = in->constant;
    out->buffer = in->buffer;
}

/* Nodes to steps, in order; the values they make get buffers as they appear, so that views find theirs. */
static enum burst_err lower(struct net_plan *p, struct burst_error *reterr)
{
    enum burst_err err = BURST_OK;
    for (int i = 0; !err && i < p->graph->n_node; i++) {
        const struct net_node *node = &p->graph->node[i];
        int first = p->n_step;
        if (plan_is_view(node))
            make_view(p, node);
        else
            err = plan_add_step(p, node, reterr);
        for (int s = first; !err && s < p->n_step; s++)
            err = new_buffer(p, p->step[s].output, s, reterr);
    }
    return err;
}

static void reads(struct net_plan *p, int v, int step)
{
    if (v >= 0 && p->value[v].buffer >= 0) p->buffer[p->value[v].buffer].last = step;
}

static void find_lifetimes(struct net_plan *p)
{
    for (int i = 0; i < p->n_step; i++) {
        for (int j = 0; j < p->step[i].n_input; j++)
            reads(p, p->step[i].input[j], i);
        reads(p, p->step[i].add, i);
        p->macs += p->step[i].macs;
    }
    for (int i = 0; i < p->n_keep; i++)
        reads(p, p->keep[i].value, p->n_step);
}

static void add_keep(struct net_plan *p, int v)
{
    for (int i = 0; i < p->n_keep; i++)
        if (p->keep[i].value == v) return;
    p->keep[p->n_keep++].value = v;
}

/* Outputs, then the feature map that explanations read, then what was asked for. */
static void find_keeps(struct net_plan *p)
{
    struct net_graph *g = p->graph;
    struct net_head head;
    for (int i = 0; i < g->n_output; i++)
        add_keep(p, g->output[i]);
    if (plan_head(p, &head, NULL) == BURST_OK) add_keep(p, head.feature);
    for (int i = 0; i < g->n_value; i++)
        if (g->value[i].kept && !g->value[i].constant) add_keep(p, i);
}

/* Results: for each kept value a block of `batch` rows. */
static enum burst_err place_keeps(struct net_plan *p, struct burst_error *reterr)
{
    size_t at = 0;
    for (int i = 0; i < p->n_keep; i++) {
        struct plan_keep *k = &p->keep[i];
        size_t all;
        k->bytes = (size_t)p->value[k->value].n_element * sizeof(float);
        k->offset = at;
        if (__builtin_mul_overflow(k->bytes, (size_t)p->batch, &all) || all > SIZE_MAX - ALIGN ||
            __builtin_add_overflow(at, (all + ALIGN - 1) / ALIGN * ALIGN, &at))
            return burst_fail(reterr, BURST_E_LIMIT, "a batch of %d is too large to count in bytes", p->batch);
    }
    p->result_bytes = at;
    return BURST_OK;
}

static enum burst_err place(struct net_plan *p, size_t most_bytes, struct burst_error *reterr)
{
    enum burst_err err = plan_arrange(p->buffer, p->n_buffer, &p->scratch_bytes, reterr);
    if (!err) err = place_keeps(p, reterr);
    if (err) return err;
    if (p->scratch_bytes > most_bytes || p->result_bytes > most_bytes - p->scratch_bytes)
        return burst_fail(reterr, BURST_E_LIMIT, "needs %zu bytes of scratch and %zu of results; %zu are allowed",
                          p->scratch_bytes, p->result_bytes, most_bytes);
    return BURST_OK;
}

enum burst_err plan_make(struct net_graph *g, int batch, size_t most_bytes, struct net_plan *ret,
                         struct burst_error *reterr)
{
    struct burst_error local = {0};
    if (!reterr) reterr = &local;
    if (batch < 1) return burst_fail(reterr, BURST_E_RANGE, "a batch of %d samples", batch);
    bool batched = g->n_input && g->value[g->input[0]].batched;
    struct net_plan p = {.graph = g,
                         .batch = batched ? batch : 1,
                         .n_input = g->n_input,
                         .n_output = g->n_output,
                         .input = g->input,
                         .output = g->output};
    enum burst_err err = take_room(&p, reterr);
    if (!err) err = lower(&p, reterr);
    if (err) return err;
    find_keeps(&p);
    find_lifetimes(&p);
    err = place(&p, most_bytes, reterr);
    if (!err) *ret = p;
    return err;
}

/* ---- the dense head ---- */

/* The step that makes value v, or a view of the same buffer; -1 none. */
static int step_making(const struct net_plan *p, int v)
{
    const struct plan_value *value = &p->value[v];
    for (int i = 0; i < p->n_step && value->buffer >= 0; i++)
        if (p->value[p->step[i].output].buffer == value->buffer) return i;
    return -1;
}

/* relu_after: a ReLU that could not be fused, because somebody keeps the layer's own result, follows. */
static enum burst_err head_layer(const struct plan_step *s, bool relu_after, struct net_head *h,
                                 struct burst_error *reterr)
{
    if (h->n_layer == NET_HEAD_LAYERS)
        return burst_fail(reterr, BURST_E_UNSUPPORTED, "more than %d dense layers after the pooling", NET_HEAD_LAYERS);
    if (s->m != 1 || s->add >= 0)
        return burst_fail(reterr, BURST_E_UNSUPPORTED, "dense layer '%.130s' does not take one row of features",
                          s->name);
    h->layer[h->n_layer++] = (struct net_layer){(int)s->k, (int)s->n, s->weight, s->bias, s->relu || relu_after};
    return BURST_OK;
}

/* Layers were found from the output backwards. */
static void turn_round(struct net_head *h)
{
    for (int i = 0; i < h->n_layer / 2; i++) {
        struct net_layer last = h->layer[h->n_layer - 1 - i];
        h->layer[h->n_layer - 1 - i] = h->layer[i];
        h->layer[i] = last;
    }
}

static enum burst_err head_feature(const struct net_plan *p, const struct plan_step *mean, struct net_head *h,
                                   struct burst_error *reterr)
{
    h->feature = mean->input[0];
    const struct plan_value *v = &p->value[h->feature];
    bool fits = v->dims.rank >= 3 && v->dims.rank <= 4 && v->dims.dim[0] == 1 && mean->outer == v->dims.dim[1] &&
                mean->inner == 1;
    if (!fits || v->at != PLAN_AT_SCRATCH)
        return burst_fail(reterr, BURST_E_UNSUPPORTED, "'%.130s' does not average each channel of one feature map",
                          mean->name);
    h->name = v->name;
    h->n_channel = (int)mean->outer;
    h->n_position = mean->axis;
    h->size[0] = v->dims.rank == 4 ? v->dims.dim[2] : 1;
    h->size[1] = v->dims.dim[v->dims.rank - 1];
    return BURST_OK;
}

enum burst_err plan_head(const struct net_plan *p, struct net_head *ret, struct burst_error *reterr)
{
    struct net_head h = {0};
    enum burst_err err = BURST_OK;
    if (p->n_output != 1)
        return burst_fail(reterr, BURST_E_UNSUPPORTED, "the network has %d outputs, not one", p->n_output);
    bool relu = false;
    for (int v = p->output[0];;) {
        int i = step_making(p, v);
        const struct plan_step *s = i < 0 ? NULL : &p->step[i];
        bool relu_after = relu;
        relu = s && s->op == PLAN_RELU;
        if (s && s->op == PLAN_DENSE)
            err = head_layer(s, relu_after, &h, reterr);
        else if (s && s->op == PLAN_MEAN && h.n_layer && !relu_after)
            err = head_feature(p, s, &h, reterr);
        else if (!relu || !h.n_layer)
            err = burst_fail(reterr, BURST_E_UNSUPPORTED,
                             "the network does not end in a global average pooling and dense layers: '%.130s' is %s",
                             s ? s->name : p->value[v].name, s ? plan_op_name(s->op) : "an input");
        if (err) return err;
        if (s->op == PLAN_MEAN) break;
        v = s->input[0];
    }
    turn_round(&h);
    *ret = h;
    return BURST_OK;
}
