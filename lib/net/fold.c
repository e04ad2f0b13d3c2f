/* Passes over the node list; what goes is marked dead and swept out at the end. */
#include "net/fold.h"
#include "net/onnx_node.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct fold {
    struct net_graph *g;
    int *readers; /* [n_value] how many inputs and additions of living nodes read it */
    bool *dead;   /* [n_node] */
    struct burst_error *reterr;
};

static void count_readers(struct fold *f)
{
    struct net_graph *g = f->g;
    for (int i = 0; i < g->n_node; i++)
        for (int j = 0; j < g->node[i].n_input && !f->dead[i]; j++)
            if (g->node[i].input[j] >= 0) f->readers[g->node[i].input[j]]++;
}

/* Nobody but its one reader would notice if value v vanished. */
static bool private_to_reader(const struct fold *f, int v)
{
    const struct net_value *value = &f->g->value[v];
    return f->readers[v] == 1 && !value->kept && !value->output;
}

/* The living node that makes v, if nobody else reads v; NULL otherwise. */
static struct net_node *private_maker(const struct fold *f, int v)
{
    int maker = f->g->value[v].maker;
    return maker >= 0 && private_to_reader(f, v) ? &f->g->node[maker] : NULL;
}

static void kill(struct fold *f, const struct net_node *node)
{
    f->dead[node - f->g->node] = true;
}

/* `node` now makes the value that `other` made; `other` goes, and with it node's old output. */
static void take_output(struct fold *f, struct net_node *node, const struct net_node *other)
{
    node->output = other->output;
    f->g->value[node->output].maker = (int)(node - f->g->node);
    kill(f, other);
}

/* ---- dropout and identity ---- */

/* One pass: `same` says which value stands for each, and grows with the nodes, which are in order. */
static enum burst_err drop_pass(struct fold *f)
{
    struct net_graph *g = f->g;
    int *same = malloc(((size_t)g->n_value + 1) * sizeof *same);
    if (!same) return burst_fail(f->reterr, BURST_E_NOMEM, "no memory to fold %d nodes", g->n_node);
    for (int v = 0; v < g->n_value; v++)
        same[v] = v;
    for (int i = 0; i < g->n_node; i++) {
        struct net_node *node = &g->node[i];
        for (int k = 0; k < node->n_input; k++)
            if (node->input[k] >= 0) node->input[k] = same[node->input[k]];
        bool nothing = node->op == NET_OP_DROPOUT || node->op == NET_OP_IDENTITY;
        const struct net_value *out = &g->value[node->output];
        if (!nothing || out->kept || out->output) continue;
        same[node->output] = node->input[0];
        f->dead[i] = true;
    }
    free(same);
    return BURST_OK;
}

/* ---- batch normalisation ---- */

/* A new float constant, to be filled; reterr says why it is NULL. */
static struct net_tensor *new_constant(struct fold *f, const struct net_dims *dims)
{
    struct net_tensor *t = graph_take(f->g, 1, sizeof *t, f->reterr);
    float *content = t ? graph_take(f->g, dims_count(dims), sizeof(float), f->reterr) : NULL;
    if (!content) return NULL;
    *t = (struct net_tensor){.name = "", .dtype = NET_F32, .dims = *dims, .f32 = content};
    return t;
}

/* A constant as a value, so that a node can have it as input. The room was taken in fold_graph. */
static int add_constant(struct fold *f, const struct net_tensor *t)
{
    struct net_graph *g = f->g;
    g->value[g->n_value] = (struct net_value){.name = t->name,
                                              .dims = t->dims,
                                              .shaped = true,
                                              .declared.rank = -1,
                                              .maker = -1,
                                              .input_port = -1,
                                              .constant = t};
    return g->n_value++;
}

static const float *constant_of(const struct fold *f, const struct net_node *node, int i)
{
    return i < node->n_input && node->input[i] >= 0 ? f->g->value[node->input[i]].constant->f32 : NULL;
}

/* y = x * factor + shift of one channel. */
static enum burst_err norm_of(const struct fold *f, const struct net_node *bn, int64_t c, double *ret_factor,
                              double *ret_shift)
{
    char text[NODE_TEXT];
    double scale = (double)constant_of(f, bn, 1)[c], bias = (double)constant_of(f, bn, 2)[c];
    double mean = (double)constant_of(f, bn, 3)[c], var = (double)constant_of(f, bn, 4)[c] + (double)bn->at.epsilon;
    double factor = scale / sqrt(var), shift = bias - mean * factor;
    node_text(bn->name, net_op_name(bn->op), text);
    if (!(var > 0) || !isfinite((float)factor) || !isfinite((float)shift))
        return burst_fail(f->reterr, BURST_E_RANGE,
                          "%s: channel %lld has variance + epsilon %g, scale %g: no finite result", text, (long long)c,
                          var, scale);
    *ret_factor = factor;
    *ret_shift = shift;
    return BURST_OK;
}

/* A batch normalisation of its own becomes factor and shift: inputs {x, factor, shift}. */
static enum burst_err norm_alone(struct fold *f, struct net_node *bn)
{
    struct net_dims dims = {.rank = 1, .dim = {f->g->value[bn->input[1]].dims.dim[0]}};
    struct net_tensor *factor = new_constant(f, &dims), *shift = factor ? new_constant(f, &dims) : NULL;
    if (!shift) return f->reterr->code;
    for (int64_t c = 0; c < dims.dim[0]; c++) {
        double a = 0, b = 0;
        enum burst_err err = norm_of(f, bn, c, &a, &b);
        if (err) return err;
        ((float *)factor->f32)[c] = (float)a;
        ((float *)shift->f32)[c] = (float)b;
    }
    bn->input[1] = add_constant(f, factor);
    bn->input[2] = add_constant(f, shift);
    bn->n_input = 3;
    return BURST_OK;
}

static enum burst_err norm_channel(struct fold *f, const struct net_node *conv, const struct net_node *bn, int64_t c,
                                   int64_t n, float *weight, float *bias)
{
    const float *old_weight = constant_of(f, conv, 1) + c * n, *old_bias = constant_of(f, conv, 2);
    double factor = 0, shift = 0, sum = 0;
    enum burst_err err = norm_of(f, bn, c, &factor, &shift);
    if (err) return err;
    for (int64_t i = 0; i < n; i++) {
        weight[c * n + i] = (float)((double)old_weight[i] * factor);
        sum += fabs((double)weight[c * n + i]);
    }
    bias[c] = (float)((old_bias ? (double)old_bias[c] : 0) * factor + shift);
    if (isfinite(sum) && isfinite(bias[c])) return BURST_OK;
    return burst_fail(f->reterr, BURST_E_RANGE,
                      "node '%.130s' (BatchNormalization): channel %lld overflows the weights before it", bn->name,
                      (long long)c);
}

static enum burst_err norm_into_conv(struct fold *f, struct net_node *conv, const struct net_node *bn)
{
    const struct net_dims *dims = &f->g->value[conv->input[1]].dims;
    struct net_dims bias_dims = {.rank = 1, .dim = {dims->dim[0]}};
    struct net_tensor *weight = new_constant(f, dims), *bias = weight ? new_constant(f, &bias_dims) : NULL;
    int *input = bias ? graph_take(f->g, 3, sizeof(int), f->reterr) : NULL;
    if (!input) return f->reterr->code;
    int64_t n = dims_count(dims) / dims->dim[0];
    for (int64_t c = 0; c < dims->dim[0]; c++) {
        enum burst_err err = norm_channel(f, conv, bn, c, n, (float *)weight->f32, (float *)bias->f32);
        if (err) return err;
    }
    input[0] = conv->input[0];
    input[1] = add_constant(f, weight);
    input[2] = add_constant(f, bias);
    conv->input = input;
    conv->n_input = 3;
    take_output(f, conv, bn);
    return BURST_OK;
}

static enum burst_err norm_pass(struct fold *f)
{
    enum burst_err err = BURST_OK;
    for (int i = 0; !err && i < f->g->n_node; i++) {
        struct net_node *bn = &f->g->node[i];
        if (bn->op != NET_OP_BATCH_NORM) continue;
        struct net_node *conv = private_maker(f, bn->input[0]);
        err = conv && conv->op == NET_OP_CONV ? norm_into_conv(f, conv, bn) : norm_alone(f, bn);
    }
    return err;
}

/* ---- bias, addition, ReLU ---- */

/* Convolutions and dense layers can end in an addition and a ReLU; a Gemm whose third input is more than a bias has used
 * its one addition. */
static bool takes_more(const struct fold *f, const struct net_node *node)
{
    if (node->relu || node->add >= 0) return false;
    if (node->op == NET_OP_CONV) return true;
    bool third = node->n_input > 2 && node->input[2] >= 0;
    return graph_is_dense(f->g, node) && (!third || graph_has_bias(f->g, node));
}

/* Is t [n] along the axis at distance `from_end` from the end, and 1 elsewhere? */
static bool is_bias(const struct net_tensor *t, int64_t n, int from_end)
{
    int axis = t->dims.rank - 1 - from_end;
    return axis >= 0 && t->dims.dim[axis] == n && dims_count(&t->dims) == n;
}

/* x + constant: the constant becomes the bias of the node that makes x. */
static enum burst_err take_bias(struct fold *f, struct net_node *node, const struct net_node *add, int constant,
                                bool *ret_done)
{
    struct net_graph *g = f->g;
    const struct net_value *out = &g->value[node->output];
    const struct net_tensor *t = g->value[constant].constant;
    bool conv = node->op == NET_OP_CONV;
    int from_end = conv ? out->dims.rank - 2 : 0;
    int64_t n = out->dims.dim[out->dims.rank - 1 - from_end];
    bool free_place = node->n_input == 2 || node->input[2] < 0;
    if (!free_place || node->op == NET_OP_GEMM || !is_bias(t, n, from_end) ||
        !dims_equal(&out->dims, &g->value[add->output].dims))
        return BURST_OK;
    int *input = graph_take(g, 3, sizeof(int), f->reterr);
    if (!input) return f->reterr->code;
    struct net_tensor *bias = graph_take(g, 1, sizeof *bias, f->reterr);
    if (!bias) return f->reterr->code;
    *bias = *t;
    bias->dims = (struct net_dims){.rank = 1, .dim = {n}};
    memcpy(input, node->input, 2 * sizeof(int));
    input[2] = add_constant(f, bias);
    node->input = input;
    node->n_input = 3;
    take_output(f, node, add);
    *ret_done = true;
    return BURST_OK;
}

/* The fused node takes the addition's place in the order: there both operands are known. */
static void take_addition(struct fold *f, const struct net_node *node, struct net_node *add, int other)
{
    struct net_node fused = *node;
    fused.add = other;
    fused.output = add->output;
    kill(f, node);
    *add = fused;
}

static enum burst_err fuse_add(struct fold *f, struct net_node *add)
{
    struct net_graph *g = f->g;
    bool done = false;
    for (int i = 1; i >= 0; i--) {
        int mine = add->input[i], other = add->input[1 - i];
        struct net_node *node = private_maker(f, mine);
        if (!node || !takes_more(f, node)) continue;
        enum burst_err err = g->value[other].constant ? take_bias(f, node, add, other, &done) : BURST_OK;
        if (err || done) return err;
        if (!dims_equal(&g->value[mine].dims, &g->value[other].dims) ||
            g->value[mine].batched != g->value[other].batched)
            continue;
        take_addition(f, node, add, other);
        return BURST_OK;
    }
    return BURST_OK;
}

static enum burst_err add_pass(struct fold *f)
{
    enum burst_err err = BURST_OK;
    for (int i = 0; !err && i < f->g->n_node; i++)
        if (!f->dead[i] && f->g->node[i].op == NET_OP_ADD) err = fuse_add(f, &f->g->node[i]);
    return err;
}

static void relu_pass(struct fold *f)
{
    for (int i = 0; i < f->g->n_node; i++) {
        struct net_node *relu = &f->g->node[i];
        if (f->dead[i] || relu->op != NET_OP_RELU) continue;
        struct net_node *node = private_maker(f, relu->input[0]);
        if (!node) continue;
        bool can = node->op == NET_OP_CONV || node->op == NET_OP_ADD || node->op == NET_OP_BATCH_NORM ||
                   graph_is_dense(f->g, node);
        if (!can || node->relu) continue;
        node->relu = true;
        take_output(f, node, relu);
    }
}

/* Close the gaps, and tell the values their makers' new places. */
static void sweep(struct fold *f)
{
    struct net_graph *g = f->g;
    int n = 0;
    for (int i = 0; i < g->n_node; i++) {
        if (f->dead[i]) continue;
        g->node[n] = g->node[i];
        g->value[g->node[n].output].maker = n;
        n++;
    }
    g->n_node = n;
}

/* Room for two new constants a node. */
static enum burst_err take_room(struct fold *f)
{
    struct net_graph *g = f->g;
    struct net_value *value = graph_take(g, g->n_value + 2 * (int64_t)g->n_node, sizeof *value, f->reterr);
    if (!value) return f->reterr->code;
    if (g->n_value) memcpy(value, g->value, (size_t)g->n_value * sizeof *value);
    g->value = value;
    f->readers = calloc((size_t)g->n_value + 1, sizeof *f->readers);
    f->dead = calloc((size_t)g->n_node + 1, sizeof *f->dead);
    if (f->readers && f->dead) return BURST_OK;
    return burst_fail(f->reterr, BURST_E_NOMEM, "no memory to fold %d nodes", g->n_node);
}

enum burst_err fold_graph(struct net_graph *g, struct burst_error *reterr)
{
    struct burst_error local = {0};
    struct fold f = {.g = g, .reterr = reterr ? reterr : &local};
    enum burst_err err = take_room(&f);
    if (!err) err = drop_pass(&f);
    if (!err) {
        count_readers(&f);
        err = norm_pass(&f);
    }
    if (!err) err = add_pass(&f);
    if (!err) {
        relu_pass(&f);
        sweep(&f);
    }
    free(f.readers);
    free(f.dead);
    return err;
}
