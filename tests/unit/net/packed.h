/* ONNX files packed in the test, for what no exporter writes into a small file. */
#ifndef BURST_TESTS_NET_PACKED_H
#define BURST_TESTS_NET_PACKED_H
#include "onnx.pb-c.h"
#include <stdlib.h>
#include <string.h>

enum { PACKED_MOST = 8, PACKED_DIMS = 4 };

struct packed_value {
    Onnx__ValueInfoProto info;
    Onnx__TypeProto type;
    Onnx__TypeProto__Tensor tensor;
    Onnx__TensorShapeProto shape;
    Onnx__TensorShapeProto__Dimension dim[PACKED_DIMS], *dims[PACKED_DIMS];
};

/* A model under construction; everything it points to is in here. */
struct packed {
    Onnx__ModelProto model;
    Onnx__GraphProto graph;
    Onnx__OperatorSetIdProto opset, *opsets[1];
    Onnx__NodeProto node[PACKED_MOST], *nodes[PACKED_MOST];
    Onnx__AttributeProto attribute[PACKED_MOST], *attributes[PACKED_MOST][1];
    char *names[PACKED_MOST][4], *output[PACKED_MOST][1];
    struct packed_value value[PACKED_MOST];
    int n_value;
    Onnx__ValueInfoProto *inputs[PACKED_MOST], *outputs[PACKED_MOST];
    Onnx__TensorProto tensor[PACKED_MOST], *tensors[PACKED_MOST];
    int64_t tensor_dims[PACKED_MOST][PACKED_DIMS];
};

static inline void packed_init(struct packed *p, int64_t opset)
{
    memset(p, 0, sizeof *p);
    p->model = (Onnx__ModelProto)ONNX__MODEL_PROTO__INIT;
    p->graph = (Onnx__GraphProto)ONNX__GRAPH_PROTO__INIT;
    p->opset = (Onnx__OperatorSetIdProto)ONNX__OPERATOR_SET_ID_PROTO__INIT;
    p->opset.has_version = 1;
    p->opset.version = opset;
    p->opsets[0] = &p->opset;
    p->model.n_opset_import = 1;
    p->model.opset_import = p->opsets;
    p->model.has_ir_version = 1;
    p->model.ir_version = 7;
    p->model.graph = &p->graph;
    p->graph.node = p->nodes;
    p->graph.input = p->inputs;
    p->graph.output = p->outputs;
    p->graph.initializer = p->tensors;
}

/* A FLOAT value; dimensions end with 0, -1 is free. */
static inline Onnx__ValueInfoProto *packed_value(struct packed *p, const char *name, const int64_t *dim)
{
    struct packed_value *v = &p->value[p->n_value++];
    v->info = (Onnx__ValueInfoProto)ONNX__VALUE_INFO_PROTO__INIT;
    v->type = (Onnx__TypeProto)ONNX__TYPE_PROTO__INIT;
    v->tensor = (Onnx__TypeProto__Tensor)ONNX__TYPE_PROTO__TENSOR__INIT;
    v->shape = (Onnx__TensorShapeProto)ONNX__TENSOR_SHAPE_PROTO__INIT;
    v->info.name = (char *)name;
    v->info.type = &v->type;
    v->type.value_case = ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE;
    v->type.tensor_type = &v->tensor;
    v->tensor.has_elem_type = 1;
    v->tensor.elem_type = ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT;
    v->tensor.shape = &v->shape;
    v->shape.dim = v->dims;
    for (; *dim; dim++) {
        Onnx__TensorShapeProto__Dimension *d = &v->dim[v->shape.n_dim];
        *d = (Onnx__TensorShapeProto__Dimension)ONNX__TENSOR_SHAPE_PROTO__DIMENSION__INIT;
        d->value_case = *dim < 0 ? ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_PARAM
                                 : ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE;
        if (*dim < 0)
            d->dim_param = "N";
        else
            d->dim_value = *dim;
        v->dims[v->shape.n_dim++] = d;
    }
    return &v->info;
}

static inline void packed_input(struct packed *p, const char *name, const int64_t *dim)
{
    p->inputs[p->graph.n_input++] = packed_value(p, name, dim);
}

static inline void packed_output(struct packed *p, const char *name, const int64_t *dim)
{
    p->outputs[p->graph.n_output++] = packed_value(p, name, dim);
}

/* Up to three inputs; NULL ends them. */
static inline Onnx__NodeProto *packed_node(struct packed *p, const char *op, const char *name, const char *a,
                                           const char *b, const char *c, const char *out)
{
    size_t i = p->graph.n_node++;
    const char *input[] = {a, b, c};
    p->node[i] = (Onnx__NodeProto)ONNX__NODE_PROTO__INIT;
    p->node[i].op_type = (char *)op;
    p->node[i].name = (char *)name;
    p->node[i].input = p->names[i];
    for (int j = 0; j < 3 && input[j]; j++)
        p->names[i][p->node[i].n_input++] = (char *)input[j];
    p->output[i][0] = (char *)out;
    p->node[i].output = p->output[i];
    p->node[i].n_output = 1;
    p->nodes[i] = &p->node[i];
    return &p->node[i];
}

/* The one attribute of the node appended last. */
static inline Onnx__AttributeProto *packed_attribute(struct packed *p, const char *name)
{
    size_t i = p->graph.n_node - 1;
    p->attribute[i] = (Onnx__AttributeProto)ONNX__ATTRIBUTE_PROTO__INIT;
    p->attribute[i].name = (char *)name;
    p->attributes[i][0] = &p->attribute[i];
    p->node[i].attribute = p->attributes[i];
    p->node[i].n_attribute = 1;
    return &p->attribute[i];
}

/* An initialiser without content; the caller fills a list of it. */
static inline Onnx__TensorProto *packed_tensor(struct packed *p, const char *name, int type, const int64_t *dim)
{
    size_t i = p->graph.n_initializer++;
    Onnx__TensorProto *t = &p->tensor[i];
    *t = (Onnx__TensorProto)ONNX__TENSOR_PROTO__INIT;
    t->name = (char *)name;
    t->has_data_type = 1;
    t->data_type = type;
    t->dims = p->tensor_dims[i];
    for (; *dim; dim++)
        t->dims[t->n_dims++] = *dim;
    p->tensors[i] = t;
    return t;
}

/* The file, malloc'd. */
static inline uint8_t *packed_bytes(const struct packed *p, size_t *ret_n)
{
    *ret_n = onnx__model_proto__get_packed_size(&p->model);
    uint8_t *bytes = malloc(*ret_n + 1);
    if (bytes) (void)onnx__model_proto__pack(&p->model, bytes);
    return bytes;
}
#endif
