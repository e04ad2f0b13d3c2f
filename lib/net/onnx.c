/* ModelProto to graph: names become indices, Constant nodes and identities of constants become constants. */
#include "net/onnx.h"
#include "net/onnx_node.h"
#include "net/onnx_scan.h"
#include "net/onnx_tensor.h"
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The graph under construction, and a hash table from names to values (open addressing, at most half full). */
struct builder {
    struct net_graph *g;
    const Onnx__GraphProto *p;
    const struct onnx_options *options;
    int *slot; /* [n_slot] value index + 1, 0 is free */
    uint32_t n_slot;
    struct burst_error *reterr;
};

static uint32_t name_hash(const char *name)
{
    uint32_t h = 2166136261u; /* FNV-1a */
    for (; *name; name++)
        h = (h ^ (uint8_t)*name) * 16777619u;
    return h;
}

/* The slot of a name: its own, or the free one where it belongs. */
static int *slot_of(const struct builder *b, const char *name)
{
    uint32_t i = name_hash(name) & (b->n_slot - 1);
    while (b->slot[i] && strcmp(b->g->value[b->slot[i] - 1].name, name) != 0)
        i = (i + 1) & (b->n_slot - 1);
    return &b->slot[i];
}

static int find(const struct builder *b, const char *name)
{
    return *slot_of(b, name) - 1;
}

static enum burst_err check_name(const char *name, const char *what, struct burst_error *reterr)
{
    if (!name || !*name) return burst_fail(reterr, BURST_E_FORMAT, "%s has no name", what);
    if (strlen(name) > NET_NAME_MAX)
        return burst_fail(reterr, BURST_E_LIMIT, "%s has a name of more than %d characters: '%.60s...'", what,
                          NET_NAME_MAX, name);
    return BURST_OK;
}

/* A new value; its name must be new. */
static enum burst_err add_value(struct builder *b, const char *name, const char *what, int *ret)
{
    struct net_graph *g = b->g;
    enum burst_err err = check_name(name, what, b->reterr);
    if (err) return err;
    int *slot = slot_of(b, name);
    if (*slot)
        return burst_fail(b->reterr, BURST_E_CONFLICT, "%s '%.130s': the file defines that tensor twice", what, name);
    struct net_value v = {.maker = -1, .input_port = -1, .declared.rank = -1, .name = graph_text(g, name, b->reterr)};
    if (!v.name) return b->reterr->code;
    g->value[g->n_value] = v;
    *ret = g->n_value++;
    *slot = g->n_value;
    return BURST_OK;
}

/* NULL from graph_take has filled reterr, which is never NULL in here. */
static enum burst_err pool_failed(const struct builder *b)
{
    return b->reterr->code;
}

/* ---- constants ---- */

static enum burst_err check_finite(const struct net_tensor *t, const char *what, struct burst_error *reterr)
{
    int64_t n = t->f32 ? dims_count(&t->dims) : 0;
    for (int64_t i = 0; i < n; i++)
        if (!isfinite(t->f32[i]))
            return burst_fail(reterr, BURST_E_RANGE, "%s: element %" PRId64 " is %g; weights must be finite", what, i,
                              (double)t->f32[i]);
    return BURST_OK;
}

/* Room in the pool for a constant of that type and shape. */
static struct net_tensor *new_tensor(struct builder *b, const char *name, enum net_dtype dtype,
                                     const struct net_dims *dims, int64_t n)
{
    struct net_tensor *t = graph_take(b->g, 1, sizeof *t, b->reterr);
    void *content = t ? graph_take(b->g, n, dtype == NET_F32 ? sizeof(float) : sizeof(int64_t), b->reterr) : NULL;
    if (!content) return NULL;
    *t = (struct net_tensor){.name = name, .dtype = dtype, .dims = *dims};
    if (dtype == NET_F32)
        t->f32 = content;
    else
        t->i64 = content;
    return t;
}

static enum burst_err take_tensor(struct builder *b, const Onnx__TensorProto *p, const char *what,
                                  const struct net_tensor **ret)
{
    enum net_dtype dtype;
    struct net_dims dims;
    int64_t n;
    enum burst_err err = onnx_tensor_measure(p, what, &dtype, &dims, &n, b->reterr);
    if (err) return err;
    struct net_tensor *t = new_tensor(b, "", dtype, &dims, n);
    if (!t) return pool_failed(b);
    onnx_tensor_copy(p, n, (float *)t->f32, (int64_t *)t->i64);
    *ret = t;
    return check_finite(t, what, b->reterr);
}

static void set_constant(struct net_value *v, const struct net_tensor *t)
{
    v->constant = t;
    v->dims = t->dims;
    v->shaped = true;
}

static enum burst_err add_initialiser(struct builder *b, const Onnx__TensorProto *p)
{
    char what[NODE_TEXT];
    const struct net_tensor *t;
    int v;
    enum burst_err err = add_value(b, p->name, "initialiser", &v);
    if (err) return err;
    (void)snprintf(what, sizeof what, "initialiser '%.130s'", p->name);
    err = take_tensor(b, p, what, &t);
    if (!err) set_constant(&b->g->value[v], t);
    return err;
}

/* A constant of one list of numbers. */
static enum burst_err list_constant(struct builder *b, enum net_dtype dtype, int rank, size_t n, const void *content,
                                    const struct net_tensor **ret)
{
    struct net_dims dims = {.rank = rank, .dim = {(int64_t)n}};
    struct net_tensor *t = new_tensor(b, "", dtype, &dims, (int64_t)n);
    if (!t) return pool_failed(b);
    if (n) memcpy(dtype == NET_F32 ? (void *)t->f32 : (void *)t->i64, content, n * (dtype == NET_F32 ? 4 : 8));
    *ret = t;
    return check_finite(t, "a Constant node", b->reterr);
}

static enum burst_err constant_value(struct builder *b, const Onnx__NodeProto *p, const char *name,
                                     const struct net_tensor **ret)
{
    const Onnx__AttributeProto *a = p->n_attribute == 1 ? p->attribute[0] : NULL;
    const char *key = a && a->name ? a->name : "";
    char what[NODE_TEXT];
    node_text(name, "Constant", what);
    if (a && strcmp(key, "value") == 0 && a->t) return take_tensor(b, a->t, what, ret);
    if (a && strcmp(key, "value_float") == 0 && a->has_f) return list_constant(b, NET_F32, 0, 1, &a->f, ret);
    if (a && strcmp(key, "value_floats") == 0) return list_constant(b, NET_F32, 1, a->n_floats, a->floats, ret);
    if (a && strcmp(key, "value_int") == 0 && a->has_i) return list_constant(b, NET_I64, 0, 1, &a->i, ret);
    if (a && strcmp(key, "value_ints") == 0) return list_constant(b, NET_I64, 1, a->n_ints, a->ints, ret);
    return burst_fail(b->reterr, BURST_E_UNSUPPORTED, "%s: attribute '%.60s' is not supported", what, key);
}

/* ---- inputs and outputs ---- */

/* Shape of a declared value: -1 where a dimension is free. */
static enum burst_err declared_dims(const Onnx__ValueInfoProto *p, struct net_dims *ret, struct burst_error *reterr)
{
    const Onnx__TypeProto *type = p->type;
    const Onnx__TypeProto__Tensor *tensor =
        type && type->value_case == ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE ? type->tensor_type : NULL;
    struct net_dims dims = {.rank = -1};
    if (!tensor) return burst_fail(reterr, BURST_E_FORMAT, "'%.130s' is declared without a tensor type", p->name);
    if (tensor->elem_type != ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT)
        return burst_fail(reterr, BURST_E_UNSUPPORTED, "'%.130s' is of type %s; inputs and outputs must be FLOAT",
                          p->name, onnx_type_name(tensor->elem_type));
    if (tensor->shape) {
        if (tensor->shape->n_dim > NET_RANK_MAX)
            return burst_fail(reterr, BURST_E_SHAPE, "'%.130s' has %zu dimensions; at most %d are taken", p->name,
                              tensor->shape->n_dim, NET_RANK_MAX);
        dims.rank = (int)tensor->shape->n_dim;
        for (int i = 0; i < dims.rank; i++) {
            const Onnx__TensorShapeProto__Dimension *d = tensor->shape->dim[i];
            dims.dim[i] = d->value_case == ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE ? d->dim_value : -1;
            if (dims.dim[i] < -1 || dims.dim[i] == 0)
                return burst_fail(reterr, BURST_E_SHAPE, "'%.130s': dimension %d is %" PRId64, p->name, i, dims.dim[i]);
        }
    }
    *ret = dims;
    return BURST_OK;
}

/* Only the first dimension may be free: it is the batch. */
static enum burst_err set_input(struct net_value *v, const struct net_dims *declared, struct burst_error *reterr)
{
    int64_t n;
    if (declared->rank < 0) return burst_fail(reterr, BURST_E_SHAPE, "input '%.130s' has no shape", v->name);
    v->dims = *declared;
    for (int i = 0; i < declared->rank; i++) {
        if (declared->dim[i] > 0) continue;
        if (i)
            return burst_fail(reterr, BURST_E_UNSUPPORTED,
                              "input '%.130s': dimension %d is free; only the first may be", v->name, i);
        v->batched = true;
        v->dims.dim[0] = 1;
    }
    v->shaped = true;
    enum burst_err err = dims_elements(&v->dims, &n, reterr);
    return err ? burst_prefix(reterr, err, v->name) : BURST_OK;
}

static enum burst_err promote_input(struct builder *b, struct net_value *v, const struct net_tensor *given)
{
    int64_t n;
    enum burst_err err = dims_elements(&given->dims, &n, b->reterr);
    if (err) return err;
    struct net_tensor *t = new_tensor(b, v->name, given->dtype, &given->dims, n);
    if (!t) return pool_failed(b);
    if (given->f32)
        memcpy((float *)t->f32, given->f32, (size_t)n * sizeof(float));
    else
        memcpy((int64_t *)t->i64, given->i64, (size_t)n * sizeof(int64_t));
    set_constant(v, t);
    return check_finite(t, v->name, b->reterr);
}

/* An input that an initialiser already provides is a constant (exporters of IR 3 list all weights as inputs). */
static enum burst_err add_input(struct builder *b, const Onnx__ValueInfoProto *p)
{
    struct net_graph *g = b->g;
    struct net_dims declared;
    int v;
    if (p->name && find(b, p->name) >= 0) return BURST_OK;
    enum burst_err err = add_value(b, p->name, "input", &v);
    if (err) return err;
    for (int i = 0; i < b->options->n_promote; i++)
        if (strcmp(b->options->promote[i].name, p->name) == 0)
            return promote_input(b, &g->value[v], &b->options->promote[i]);
    err = declared_dims(p, &declared, b->reterr);
    if (!err) err = set_input(&g->value[v], &declared, b->reterr);
    if (err) return err;
    if (g->n_input && g->value[g->input[0]].batched != g->value[v].batched)
        return burst_fail(b->reterr, BURST_E_UNSUPPORTED,
                          "input '%.130s' and input '%.130s': one has a free first dimension and the other not",
                          g->value[g->input[0]].name, p->name);
    g->value[v].input_port = g->n_input;
    g->input[g->n_input++] = v;
    return BURST_OK;
}

static enum burst_err add_output(struct builder *b, const Onnx__ValueInfoProto *p)
{
    struct net_graph *g = b->g;
    enum burst_err err = check_name(p->name, "an output", b->reterr);
    if (err) return err;
    int v = find(b, p->name);
    if (v < 0) return burst_fail(b->reterr, BURST_E_MISSING, "output '%.130s' is made by no node", p->name);
    if (g->value[v].output) return burst_fail(b->reterr, BURST_E_CONFLICT, "output '%.130s' is listed twice", p->name);
    if (g->value[v].constant && g->value[v].constant->dtype != NET_F32)
        return burst_fail(b->reterr, BURST_E_UNSUPPORTED, "output '%.130s' is not of type FLOAT", p->name);
    err = declared_dims(p, &g->value[v].declared, b->reterr);
    if (err) return err;
    g->value[v].output = true;
    g->output[g->n_output++] = v;
    return BURST_OK;
}

/* ---- nodes ---- */

/* Why an input is unknown: later nodes may make it. Only on the way to a refusal. */
static enum burst_err input_unknown(const struct builder *b, size_t at, const char *text, const char *input)
{
    for (size_t i = at; i < b->p->n_node; i++) {
        const Onnx__NodeProto *later = b->p->node[i];
        for (size_t j = 0; j < later->n_output; j++)
            if (strcmp(later->output[j], input) == 0)
                return burst_fail(b->reterr, BURST_E_MODEL,
                                  "%s needs '%.80s', which node %zu ('%.80s') makes later: wrong order or a cycle",
                                  text, input, i, later->name ? later->name : "");
    }
    return burst_fail(b->reterr, BURST_E_MISSING,
                      "%s needs '%.130s', which is no input, initialiser or output of a node", text, input);
}

static enum burst_err node_inputs(struct builder *b, size_t at, struct net_node *node)
{
    const Onnx__NodeProto *p = b->p->node[at];
    char text[NODE_TEXT];
    node_text(node->name, net_op_name(node->op), text);
    node->input = graph_take(b->g, (int64_t)p->n_input, sizeof(int), b->reterr);
    if (!node->input) return pool_failed(b);
    node->n_input = (int)p->n_input;
    for (int i = 0; i < node->n_input; i++) {
        node->input[i] = *p->input[i] ? find(b, p->input[i]) : -1;
        if (*p->input[i] && node->input[i] < 0) return input_unknown(b, at, text, p->input[i]);
    }
    return BURST_OK;
}

/* We take nodes of one output. Dropout's second output, the mask, is left undefined: who needs it is told so. */
static enum burst_err node_output(struct builder *b, const Onnx__NodeProto *p, const struct net_node *node, int *ret)
{
    char text[NODE_TEXT];
    node_text(node->name, net_op_name(node->op), text);
    if (!p->n_output || !*p->output[0]) return burst_fail(b->reterr, BURST_E_MODEL, "%s has no output", text);
    for (size_t i = 1; i < p->n_output; i++)
        if (*p->output[i] && node->op != NET_OP_DROPOUT)
            return burst_fail(b->reterr, BURST_E_UNSUPPORTED, "%s: its output %zu ('%.80s') is not supported", text, i,
                              p->output[i]);
    return add_value(b, p->output[0], text, ret);
}

static const char *node_name(struct builder *b, size_t at)
{
    const Onnx__NodeProto *p = b->p->node[at];
    char made[96];
    if (p->name && *p->name && strlen(p->name) <= NET_NAME_MAX) return graph_text(b->g, p->name, b->reterr);
    (void)snprintf(made, sizeof made, "%.60s_%zu", p->op_type ? p->op_type : "", at);
    return graph_text(b->g, made, b->reterr);
}

static enum burst_err add_node(struct builder *b, size_t at)
{
    struct net_graph *g = b->g;
    const Onnx__NodeProto *p = b->p->node[at];
    struct net_node node = {.add = -1, .name = node_name(b, at)};
    const struct net_tensor *t = NULL;
    if (!node.name) return pool_failed(b);
    enum burst_err err = onnx_node_op(p, node.name, &node.op, b->reterr);
    if (!err) err = onnx_node_inputs(p, node.op, node.name, b->reterr);
    if (!err) err = node_inputs(b, at, &node);
    if (!err) err = node_output(b, p, &node, &node.output);
    if (err) return err;
    if (node.op == NET_OP_CONSTANT)
        err = constant_value(b, p, node.name, &t);
    else
        err = onnx_node_attributes(p, g->opset, &node, b->reterr);
    if (!err) err = onnx_node_constants(g, &node, b->reterr);
    if (err) return err;
    if (node.op == NET_OP_IDENTITY) t = g->value[node.input[0]].constant;
    if (t) {
        set_constant(&g->value[node.output], t);
        return BURST_OK;
    }
    g->value[node.output].maker = g->n_node;
    g->node[g->n_node++] = node;
    return BURST_OK;
}

/* ---- the model ---- */

static enum burst_err check_versions(const Onnx__ModelProto *m, int least, struct net_graph *g,
                                     struct burst_error *reterr)
{
    g->ir_version = m->ir_version;
    if (g->ir_version < ONNX_IR_LEAST || g->ir_version > ONNX_IR_MOST)
        return burst_fail(reterr, BURST_E_UNSUPPORTED, "IR version %" PRId64 "; %d to %d are supported", g->ir_version,
                          ONNX_IR_LEAST, ONNX_IR_MOST);
    for (size_t i = 0; i < m->n_opset_import; i++) {
        const char *domain = m->opset_import[i]->domain ? m->opset_import[i]->domain : "";
        if (!*domain || strcmp(domain, "ai.onnx") == 0) g->opset = m->opset_import[i]->version;
    }
    if (g->opset < least || g->opset > ONNX_OPSET_MOST)
        return burst_fail(reterr, BURST_E_UNSUPPORTED, "opset %" PRId64 "; %d to %d are supported", g->opset, least,
                          ONNX_OPSET_MOST);
    if (!m->graph) return burst_fail(reterr, BURST_E_MODEL, "the file holds no graph");
    return BURST_OK;
}

static enum burst_err read_meta(const Onnx__ModelProto *m, struct net_graph *g, struct burst_error *reterr)
{
    char producer[160];
    (void)snprintf(producer, sizeof producer, "%.80s%s%.40s", m->producer_name ? m->producer_name : "",
                   m->producer_version && *m->producer_version ? " " : "",
                   m->producer_version ? m->producer_version : "");
    g->producer = graph_text(g, producer, reterr);
    g->meta = graph_take(g, (int64_t)m->n_metadata_props, sizeof *g->meta, reterr);
    if (!g->producer || !g->meta) return reterr->code;
    for (size_t i = 0; i < m->n_metadata_props; i++) {
        const Onnx__StringStringEntryProto *e = m->metadata_props[i];
        struct net_meta meta = {graph_text(g, e->key ? e->key : "", reterr),
                                graph_text(g, e->value ? e->value : "", reterr)};
        if (!meta.key || !meta.value) return reterr->code;
        g->meta[g->n_meta++] = meta;
    }
    return BURST_OK;
}

/* Room for all values and nodes, counted before anything is added. */
static enum burst_err take_room(struct builder *b)
{
    struct net_graph *g = b->g;
    const Onnx__GraphProto *p = b->p;
    size_t n_value = p->n_input + p->n_initializer;
    for (size_t i = 0; i < p->n_node; i++)
        n_value += p->node[i]->n_output;
    if (p->n_node > NET_NODE_MAX || n_value > NET_VALUE_MAX || p->n_output > NET_VALUE_MAX)
        return burst_fail(b->reterr, BURST_E_LIMIT, "%zu nodes and %zu tensors; at most %d and %d are taken", p->n_node,
                          n_value, NET_NODE_MAX, NET_VALUE_MAX);
    for (b->n_slot = 64; b->n_slot < 2 * n_value; b->n_slot *= 2) {
    }
    g->value = graph_take(g, (int64_t)n_value, sizeof *g->value, b->reterr);
    g->node = graph_take(g, (int64_t)p->n_node, sizeof *g->node, b->reterr);
    g->input = graph_take(g, (int64_t)p->n_input, sizeof(int), b->reterr);
    g->output = graph_take(g, (int64_t)p->n_output, sizeof(int), b->reterr);
    if (!g->value || !g->node || !g->input || !g->output) return pool_failed(b);
    b->slot = calloc(b->n_slot, sizeof(int));
    return b->slot ? BURST_OK : burst_fail(b->reterr, BURST_E_NOMEM, "no memory for %u names", b->n_slot);
}

/* Each initialiser that nodes read counts once. The name table is no longer needed: its room marks what was counted. */
static void count_parameters(struct builder *b)
{
    struct net_graph *g = b->g;
    memset(b->slot, 0, b->n_slot * sizeof(int));
    for (int i = 0; i < g->n_node; i++) {
        for (int j = 0; j < g->node[i].n_input; j++) {
            int v = g->node[i].input[j];
            const struct net_tensor *t = v < 0 ? NULL : g->value[v].constant;
            if (t && t->f32 && !b->slot[v]++) g->n_parameter += dims_count(&t->dims);
        }
    }
}

static enum burst_err build(struct builder *b)
{
    const Onnx__GraphProto *p = b->p;
    enum burst_err err = take_room(b);
    for (size_t i = 0; !err && i < p->n_initializer; i++)
        err = add_initialiser(b, p->initializer[i]);
    for (size_t i = 0; !err && i < p->n_input; i++)
        err = add_input(b, p->input[i]);
    for (size_t i = 0; !err && i < p->n_node; i++)
        err = add_node(b, i);
    for (size_t i = 0; !err && i < p->n_output; i++)
        err = add_output(b, p->output[i]);
    if (!err && b->g->n_output == 0) err = burst_fail(b->reterr, BURST_E_MODEL, "the network has no output");
    if (!err) count_parameters(b);
    free(b->slot);
    return err;
}

enum burst_err onnx_read(const uint8_t *bytes, size_t n, const struct onnx_options *options, struct net_graph *g,
                         struct burst_error *reterr)
{
    struct onnx_budget budget;
    struct burst_error local = {0};
    if (!reterr) reterr = &local;
    if (n == 0) return burst_fail(reterr, BURST_E_TRUNCATED, "the file is empty");
    enum burst_err err = onnx_scan(bytes, n, SCAN_MODEL, reterr);
    if (err) return err;
    onnx_budget_init(&budget, n);
    Onnx__ModelProto *m = onnx__model_proto__unpack(&budget.allocator, n, bytes);
    if (!m) return onnx_budget_fail(&budget, "the model", reterr);
    err = check_versions(m, options->opset_least ? options->opset_least : ONNX_OPSET_LEAST, g, reterr);
    if (!err) err = read_meta(m, g, reterr);
    if (!err) {
        struct builder b = {.g = g, .p = m->graph, .options = options, .reterr = reterr};
        err = build(&b);
    }
    onnx__model_proto__free_unpacked(m, &budget.allocator);
    return err;
}
