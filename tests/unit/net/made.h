/* Graphs made by hand, without a file: values and nodes appended to a pool of their own. */
#ifndef BURST_TESTS_NET_MADE_H
#define BURST_TESTS_NET_MADE_H
#include "net/graph.h"
#include <string.h>

enum { MADE_VALUES = 64, MADE_NODES = 32 };

static inline void made_init(struct net_graph *g)
{
    graph_init(g, 1 << 24);
    g->value = graph_take(g, MADE_VALUES, sizeof *g->value, NULL);
    g->node = graph_take(g, MADE_NODES, sizeof *g->node, NULL);
    g->input = graph_take(g, 8, sizeof(int), NULL);
    g->output = graph_take(g, 8, sizeof(int), NULL);
}

static inline int made_value(struct net_graph *g, const char *name)
{
    g->value[g->n_value] = (struct net_value){.name = name, .maker = -1, .input_port = -1, .declared.rank = -1};
    return g->n_value++;
}

/* Dimensions from the arguments, ended by 0; the first may be -1: the batch. */
#define DIMS(...) made_dims((const int64_t[]){__VA_ARGS__, 0})
static inline struct net_dims made_dims(const int64_t *dim)
{
    struct net_dims d = {0};
    for (; *dim; dim++)
        d.dim[d.rank++] = *dim;
    return d;
}

static inline int made_input(struct net_graph *g, const char *name, struct net_dims dims)
{
    int v = made_value(g, name);
    g->value[v].batched = dims.dim[0] == -1;
    if (dims.dim[0] == -1) dims.dim[0] = 1;
    g->value[v].dims = dims;
    g->value[v].shaped = true;
    g->value[v].input_port = g->n_input;
    g->input[g->n_input++] = v;
    return v;
}

/* Content is repeated from the n numbers given. */
static inline int made_constant(struct net_graph *g, const char *name, struct net_dims dims, const float *content,
                                int n)
{
    int v = made_value(g, name);
    struct net_tensor *t = graph_take(g, 1, sizeof *t, NULL);
    float *f = graph_take(g, dims_count(&dims), sizeof *f, NULL);
    for (int64_t i = 0; i < dims_count(&dims); i++)
        f[i] = content[i % n];
    *t = (struct net_tensor){.name = name, .dtype = NET_F32, .dims = dims, .f32 = f};
    g->value[v].constant = t;
    g->value[v].dims = dims;
    g->value[v].shaped = true;
    return v;
}

/* A node with the attributes' ordinary defaults; inputs from the arguments. Returns its output, named as the node. */
#define NODE(g, op, name, ...)                                                                                         \
    made_node(g, op, name, (const int[]){__VA_ARGS__}, (int)(sizeof((const int[]){__VA_ARGS__}) / sizeof(int)))
static inline int made_node(struct net_graph *g, enum net_op op, const char *name, const int *input, int n_input)
{
    int v = made_value(g, name);
    struct net_node *node = &g->node[g->n_node];
    *node = (struct net_node){.op = op, .name = name, .n_input = n_input, .output = v, .add = -1};
    node->input = graph_take(g, n_input, sizeof(int), NULL);
    memcpy(node->input, input, (size_t)n_input * sizeof(int));
    node->at = (struct net_attributes){.group = 1, .alpha = 1, .beta = 1, .epsilon = 1e-5F, .keep_dims = true};
    for (int i = 0; i < 2; i++)
        node->at.window.kernel[i] = node->at.window.stride[i] = node->at.window.dilation[i] = 1;
    node->at.window.kernel[1] = 0;
    g->value[v].maker = g->n_node++;
    return v;
}

/* Attributes of the node appended last. */
static inline struct net_attributes *made_at(struct net_graph *g)
{
    return &g->node[g->n_node - 1].at;
}

static inline void made_output(struct net_graph *g, int v)
{
    g->value[v].output = true;
    g->output[g->n_output++] = v;
}
#endif
