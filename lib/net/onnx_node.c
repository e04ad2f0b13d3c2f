/* Operators of ONNX opsets 11 to 17, as far as PyTorch's exports of our networks and of ResNets use them. */
#include "net/onnx_node.h"
#include "net/onnx_tensor.h"
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* How many inputs; the first `need` may not be left out. */
static const struct input_rule {
    size_t need, most;
} input_rules[NET_OP_N] = {
    [NET_OP_ADD] = {2, 2},        [NET_OP_AVERAGE_POOL] = {1, 1},
    [NET_OP_BATCH_NORM] = {5, 5}, [NET_OP_CONCAT] = {1, 1024},
    [NET_OP_CONSTANT] = {0, 0},   [NET_OP_CONV] = {2, 3},
    [NET_OP_DROPOUT] = {1, 3},    [NET_OP_FLATTEN] = {1, 1},
    [NET_OP_GEMM] = {2, 3},       [NET_OP_GLOBAL_AVERAGE_POOL] = {1, 1},
    [NET_OP_IDENTITY] = {1, 1},   [NET_OP_MATMUL] = {2, 2},
    [NET_OP_MAX_POOL] = {1, 1},   [NET_OP_REDUCE_MEAN] = {1, 1},
    [NET_OP_RELU] = {1, 1},       [NET_OP_RESHAPE] = {2, 2},
    [NET_OP_SIGMOID] = {1, 1},    [NET_OP_SOFTMAX] = {1, 1},
    [NET_OP_SQUEEZE] = {1, 2},    [NET_OP_TRANSPOSE] = {1, 1},
    [NET_OP_UNSQUEEZE] = {1, 2},
};

enum attribute_kind {
    AT_INT,
    AT_BOOL,
    AT_FLOAT,
    AT_AXES,
    AT_KERNEL,
    AT_STRIDES,
    AT_DILATIONS,
    AT_PADS,
    AT_AUTO_PAD,
    AT_ZERO,   /* must be 0: what other values mean is not implemented */
    AT_IGNORED /* has no bearing on inference */
};

#define FIELD(f) offsetof(struct net_attributes, f)
static const struct attribute_rule {
    enum net_op op;
    const char *name;
    enum attribute_kind kind;
    size_t offset; /* AT_INT, AT_BOOL, AT_FLOAT */
} attribute_rules[] = {
    {NET_OP_AVERAGE_POOL, "auto_pad", AT_AUTO_PAD, 0},
    {NET_OP_AVERAGE_POOL, "ceil_mode", AT_BOOL, FIELD(window.ceil_mode)},
    {NET_OP_AVERAGE_POOL, "count_include_pad", AT_BOOL, FIELD(window.count_include_pad)},
    {NET_OP_AVERAGE_POOL, "kernel_shape", AT_KERNEL, 0},
    {NET_OP_AVERAGE_POOL, "pads", AT_PADS, 0},
    {NET_OP_AVERAGE_POOL, "strides", AT_STRIDES, 0},
    {NET_OP_BATCH_NORM, "epsilon", AT_FLOAT, FIELD(epsilon)},
    {NET_OP_BATCH_NORM, "momentum", AT_IGNORED, 0},
    {NET_OP_BATCH_NORM, "training_mode", AT_ZERO, 0},
    {NET_OP_CONCAT, "axis", AT_INT, FIELD(axis)},
    {NET_OP_CONV, "auto_pad", AT_AUTO_PAD, 0},
    {NET_OP_CONV, "dilations", AT_DILATIONS, 0},
    {NET_OP_CONV, "group", AT_INT, FIELD(group)},
    {NET_OP_CONV, "kernel_shape", AT_KERNEL, 0},
    {NET_OP_CONV, "pads", AT_PADS, 0},
    {NET_OP_CONV, "strides", AT_STRIDES, 0},
    {NET_OP_DROPOUT, "ratio", AT_IGNORED, 0},
    {NET_OP_DROPOUT, "seed", AT_IGNORED, 0},
    {NET_OP_FLATTEN, "axis", AT_INT, FIELD(axis)},
    {NET_OP_GEMM, "alpha", AT_FLOAT, FIELD(alpha)},
    {NET_OP_GEMM, "beta", AT_FLOAT, FIELD(beta)},
    {NET_OP_GEMM, "transA", AT_BOOL, FIELD(trans_a)},
    {NET_OP_GEMM, "transB", AT_BOOL, FIELD(trans_b)},
    {NET_OP_MAX_POOL, "auto_pad", AT_AUTO_PAD, 0},
    {NET_OP_MAX_POOL, "ceil_mode", AT_BOOL, FIELD(window.ceil_mode)},
    {NET_OP_MAX_POOL, "dilations", AT_DILATIONS, 0},
    {NET_OP_MAX_POOL, "kernel_shape", AT_KERNEL, 0},
    {NET_OP_MAX_POOL, "pads", AT_PADS, 0},
    {NET_OP_MAX_POOL, "storage_order", AT_IGNORED, 0}, /* of the indices output, which we refuse */
    {NET_OP_MAX_POOL, "strides", AT_STRIDES, 0},
    {NET_OP_REDUCE_MEAN, "axes", AT_AXES, 0},
    {NET_OP_REDUCE_MEAN, "keepdims", AT_BOOL, FIELD(keep_dims)},
    {NET_OP_RESHAPE, "allowzero", AT_BOOL, FIELD(allow_zero)},
    {NET_OP_SOFTMAX, "axis", AT_INT, FIELD(axis)},
    {NET_OP_SQUEEZE, "axes", AT_AXES, 0},
    {NET_OP_TRANSPOSE, "perm", AT_AXES, 0},
    {NET_OP_UNSQUEEZE, "axes", AT_AXES, 0},
};

/* A node, an attribute, and where a refusal goes. */
struct reading {
    struct net_node *node;
    const Onnx__AttributeProto *p;
    struct burst_error *reterr;
};

void node_text(const char *name, const char *op, char ret_text[NODE_TEXT])
{
    (void)snprintf(ret_text, NODE_TEXT, "node '%.130s' (%.50s)", name, op);
}

enum burst_err onnx_node_op(const Onnx__NodeProto *p, const char *name, enum net_op *ret, struct burst_error *reterr)
{
    const char *op = p->op_type ? p->op_type : "", *domain = p->domain ? p->domain : "";
    if (*domain && strcmp(domain, "ai.onnx") != 0)
        return burst_fail(reterr, BURST_E_UNSUPPORTED, "node '%.130s': operator %.60s of domain %.60s is not supported",
                          name, op, domain);
    for (int i = 0; i < NET_OP_N; i++) {
        if (strcmp(op, net_op_name((enum net_op)i)) != 0) continue;
        *ret = (enum net_op)i;
        return BURST_OK;
    }
    return burst_fail(reterr, BURST_E_UNSUPPORTED, "node '%.130s': operator %.60s is not supported", name, op);
}

/* Fails with "node ... : attribute ... <text>". */
static enum burst_err refuse(const struct reading *r, enum burst_err code, const char *text)
{
    char node[NODE_TEXT];
    node_text(r->node->name, net_op_name(r->node->op), node);
    return burst_fail(r->reterr, code, "%s: attribute %.60s %s", node, r->p->name, text);
}

static enum burst_err take_int(const struct reading *r, int64_t *ret)
{
    if (!r->p->has_i) return refuse(r, BURST_E_FORMAT, "is not an integer");
    *ret = r->p->i;
    return BURST_OK;
}

static enum burst_err take_bool(const struct reading *r, bool *ret)
{
    int64_t i = 0;
    enum burst_err err = take_int(r, &i);
    if (err) return err;
    if (i != 0 && i != 1) return refuse(r, BURST_E_RANGE, "is neither 0 nor 1");
    *ret = i == 1;
    return BURST_OK;
}

static enum burst_err take_zero(const struct reading *r)
{
    int64_t i = 0;
    enum burst_err err = take_int(r, &i);
    if (err) return err;
    return i == 0 ? BURST_OK : refuse(r, BURST_E_UNSUPPORTED, "is not 0: only inference is supported");
}

static enum burst_err take_float(const struct reading *r, float *ret)
{
    if (!r->p->has_f) return refuse(r, BURST_E_FORMAT, "is not a number");
    if (!isfinite(r->p->f)) return refuse(r, BURST_E_RANGE, "is not finite");
    *ret = r->p->f;
    return BURST_OK;
}

static enum burst_err take_axes(const struct reading *r)
{
    if (r->p->n_ints > NET_RANK_MAX) return refuse(r, BURST_E_SHAPE, "has too many axes");
    r->node->at.n_axes = (int)r->p->n_ints;
    for (size_t i = 0; i < r->p->n_ints; i++)
        r->node->at.axes[i] = r->p->ints[i];
    return BURST_OK;
}

/* The window's number of dimensions is the length of the first list given; all lists must agree. */
static enum burst_err take_spatial(const struct reading *r, size_t n_list)
{
    struct net_window *w = &r->node->at.window;
    if (n_list != 1 && n_list != 2) return refuse(r, BURST_E_UNSUPPORTED, "is not of 1 or 2 dimensions");
    if (w->n_spatial && w->n_spatial != (int)n_list)
        return refuse(r, BURST_E_SHAPE, "has another length than the one before");
    w->n_spatial = (int)n_list;
    return BURST_OK;
}

enum { WINDOW_MOST = 65536 }; /* of a kernel, stride, dilation or pad */

static enum burst_err take_list(const struct reading *r, const int64_t *ints, int64_t least, int64_t ret[2])
{
    int n = r->node->at.window.n_spatial;
    for (int i = 0; i < n; i++) {
        if (ints[i] < least || ints[i] > WINDOW_MOST) return refuse(r, BURST_E_RANGE, "has a value out of range");
        ret[2 - n + i] = ints[i]; /* one dimension is the width */
    }
    return BURST_OK;
}

static enum burst_err take_pads(const struct reading *r)
{
    struct net_window *w = &r->node->at.window;
    if (r->p->n_ints % 2) return refuse(r, BURST_E_SHAPE, "has an odd length");
    enum burst_err err = take_spatial(r, r->p->n_ints / 2);
    if (!err) err = take_list(r, r->p->ints, 0, w->pad_begin);
    if (!err) err = take_list(r, r->p->ints + r->p->n_ints / 2, 0, w->pad_end);
    return err;
}

static enum burst_err take_window(const struct reading *r, int64_t ret[2])
{
    enum burst_err err = take_spatial(r, r->p->n_ints);
    return err ? err : take_list(r, r->p->ints, 1, ret);
}

static enum burst_err take_auto_pad(const struct reading *r)
{
    static const char *const words[] = {"NOTSET", "SAME_UPPER", "SAME_LOWER", "VALID"};
    for (int i = 0; i < 4; i++) {
        size_t n = strlen(words[i]);
        if (!r->p->has_s || r->p->s.len != n || memcmp(r->p->s.data, words[i], n) != 0) continue;
        r->node->at.window.auto_pad = (enum net_auto_pad)i;
        return BURST_OK;
    }
    return refuse(r, BURST_E_UNSUPPORTED, "is none of NOTSET, SAME_UPPER, SAME_LOWER, VALID");
}

static enum burst_err take_attribute(const struct reading *r, const struct attribute_rule *rule)
{
    char *field = (char *)&r->node->at + rule->offset;
    struct net_window *w = &r->node->at.window;
    switch (rule->kind) {
    case AT_INT: return take_int(r, (int64_t *)(void *)field);
    case AT_BOOL: return take_bool(r, (bool *)field);
    case AT_FLOAT: return take_float(r, (float *)(void *)field);
    case AT_AXES: return take_axes(r);
    case AT_KERNEL: return take_window(r, w->kernel);
    case AT_STRIDES: return take_window(r, w->stride);
    case AT_DILATIONS: return take_window(r, w->dilation);
    case AT_PADS: return take_pads(r);
    case AT_AUTO_PAD: return take_auto_pad(r);
    case AT_ZERO: return take_zero(r);
    case AT_IGNORED: return BURST_OK;
    }
    return refuse(r, BURST_E_INTERNAL, "has a rule of unknown kind");
}

enum { AXIS_MISSING = -1000 };

static void defaults(int64_t opset, struct net_node *node)
{
    struct net_attributes *at = &node->at;
    *at = (struct net_attributes){.group = 1, .alpha = 1, .beta = 1, .epsilon = 1e-5f, .keep_dims = true};
    for (int i = 0; i < 2; i++)
        at->window.kernel[i] = at->window.stride[i] = at->window.dilation[i] = 1;
    at->window.kernel[1] = 0; /* not given: a convolution takes it from its weights, a pooling must have it */
    if (node->op == NET_OP_FLATTEN) at->axis = 1;
    if (node->op == NET_OP_CONCAT) at->axis = AXIS_MISSING;
    if (node->op == NET_OP_SOFTMAX) {
        at->axis = opset >= 13 ? -1 : 1;
        at->coerce_2d = opset < 13;
    }
}

static enum burst_err check_required(const struct net_node *node, struct burst_error *reterr)
{
    char text[NODE_TEXT];
    node_text(node->name, net_op_name(node->op), text);
    if (node->op == NET_OP_CONCAT && node->at.axis == AXIS_MISSING)
        return burst_fail(reterr, BURST_E_MISSING, "%s has no attribute axis", text);
    bool pool = node->op == NET_OP_MAX_POOL || node->op == NET_OP_AVERAGE_POOL;
    if (pool && node->at.window.kernel[1] == 0)
        return burst_fail(reterr, BURST_E_MISSING, "%s has no attribute kernel_shape", text);
    return BURST_OK;
}

enum burst_err onnx_node_attributes(const Onnx__NodeProto *p, int64_t opset, struct net_node *node,
                                    struct burst_error *reterr)
{
    defaults(opset, node);
    for (size_t i = 0; i < p->n_attribute; i++) {
        const struct attribute_rule *rule = NULL;
        const char *name = p->attribute[i]->name ? p->attribute[i]->name : "";
        for (size_t j = 0; j < sizeof attribute_rules / sizeof attribute_rules[0]; j++)
            if (attribute_rules[j].op == node->op && strcmp(attribute_rules[j].name, name) == 0)
                rule = &attribute_rules[j];
        if (!rule)
            return burst_fail(reterr, BURST_E_UNSUPPORTED, "node '%.130s' (%s): attribute '%.60s' is not supported",
                              node->name, net_op_name(node->op), name);
        struct reading r = {node, p->attribute[i], reterr};
        enum burst_err err = take_attribute(&r, rule);
        if (err) return err;
    }
    return check_required(node, reterr);
}

enum burst_err onnx_node_inputs(const Onnx__NodeProto *p, enum net_op op, const char *name, struct burst_error *reterr)
{
    const struct input_rule *rule = &input_rules[op];
    char text[NODE_TEXT];
    node_text(name, net_op_name(op), text);
    if (p->n_input < rule->need || p->n_input > rule->most)
        return burst_fail(reterr, BURST_E_SHAPE, "%s has %zu inputs, not %zu to %zu", text, p->n_input, rule->need,
                          rule->most);
    for (size_t i = 0; i < p->n_input; i++) {
        bool needed = i < rule->need || op == NET_OP_CONCAT;
        if (needed && !*p->input[i]) return burst_fail(reterr, BURST_E_MISSING, "%s: input %zu is left out", text, i);
    }
    return BURST_OK;
}

/* The constant behind input i, as integers. */
static enum burst_err integers_of(const struct net_graph *g, const struct net_node *node, int i, const char *what,
                                  const struct net_tensor **ret, struct burst_error *reterr)
{
    char text[NODE_TEXT];
    node_text(node->name, net_op_name(node->op), text);
    const struct net_tensor *t = g->value[node->input[i]].constant;
    if (!t || t->dtype != NET_I64)
        return burst_fail(reterr, BURST_E_UNSUPPORTED, "%s: its %s is not a constant list of integers", text, what);
    if (t->dims.rank > 1 || dims_count(&t->dims) > NET_RANK_MAX)
        return burst_fail(reterr, BURST_E_SHAPE, "%s: its %s is not a list of at most %d integers", text, what,
                          NET_RANK_MAX);
    *ret = t;
    return BURST_OK;
}

static enum burst_err take_shape(const struct net_graph *g, struct net_node *node, struct burst_error *reterr)
{
    const struct net_tensor *t;
    enum burst_err err = integers_of(g, node, 1, "shape", &t, reterr);
    if (err) return err;
    node->at.shape.rank = (int)dims_count(&t->dims);
    memcpy(node->at.shape.dim, t->i64, (size_t)node->at.shape.rank * sizeof(int64_t));
    return BURST_OK;
}

static enum burst_err take_axes_input(const struct net_graph *g, struct net_node *node, struct burst_error *reterr)
{
    const struct net_tensor *t;
    enum burst_err err = integers_of(g, node, 1, "axes", &t, reterr);
    if (err) return err;
    node->at.n_axes = (int)dims_count(&t->dims);
    memcpy(node->at.axes, t->i64, (size_t)node->at.n_axes * sizeof(int64_t));
    return BURST_OK;
}

/* Input 1 is the ratio, which has no bearing; input 2 says whether values are dropped. */
static enum burst_err check_dropout(const struct net_graph *g, const struct net_node *node, struct burst_error *reterr)
{
    const struct net_tensor *t;
    if (node->n_input < 3 || node->input[2] < 0) return BURST_OK;
    enum burst_err err = integers_of(g, node, 2, "training_mode", &t, reterr);
    if (err) return err;
    if (dims_count(&t->dims) == 1 && t->i64[0] == 0) return BURST_OK;
    return burst_fail(reterr, BURST_E_UNSUPPORTED,
                      "node '%.130s' (Dropout) is in training mode; export the network for inference", node->name);
}

enum burst_err onnx_node_constants(const struct net_graph *g, struct net_node *node, struct burst_error *reterr)
{
    enum burst_err err = BURST_OK;
    bool second = node->n_input > 1 && node->input[1] >= 0;
    switch (node->op) {
    case NET_OP_RESHAPE: err = take_shape(g, node, reterr); break;
    case NET_OP_SQUEEZE:
    case NET_OP_UNSQUEEZE:
        if (second) err = take_axes_input(g, node, reterr);
        break;
    case NET_OP_DROPOUT: err = check_dropout(g, node, reterr); break;
    default: return BURST_OK;
    }
    node->n_input = 1;
    return err;
}
