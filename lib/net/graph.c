/* The pool, the shapes and the names of a graph. */
#include "net/graph.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ALIGN = 64 };

struct net_block {
    struct net_block *next;
    char filler[ALIGN - sizeof(void *)]; /* what follows is aligned as the block is */
};

static const char *const op_names[NET_OP_N] = {
    [NET_OP_ADD] = "Add",
    [NET_OP_AVERAGE_POOL] = "AveragePool",
    [NET_OP_BATCH_NORM] = "BatchNormalization",
    [NET_OP_CONCAT] = "Concat",
    [NET_OP_CONSTANT] = "Constant",
    [NET_OP_CONV] = "Conv",
    [NET_OP_DROPOUT] = "Dropout",
    [NET_OP_FLATTEN] = "Flatten",
    [NET_OP_GEMM] = "Gemm",
    [NET_OP_GLOBAL_AVERAGE_POOL] = "GlobalAveragePool",
    [NET_OP_IDENTITY] = "Identity",
    [NET_OP_MATMUL] = "MatMul",
    [NET_OP_MAX_POOL] = "MaxPool",
    [NET_OP_REDUCE_MEAN] = "ReduceMean",
    [NET_OP_RELU] = "Relu",
    [NET_OP_RESHAPE] = "Reshape",
    [NET_OP_SIGMOID] = "Sigmoid",
    [NET_OP_SOFTMAX] = "Softmax",
    [NET_OP_SQUEEZE] = "Squeeze",
    [NET_OP_TRANSPOSE] = "Transpose",
    [NET_OP_UNSQUEEZE] = "Unsqueeze",
};

const char *net_op_name(enum net_op op)
{
    return (unsigned)op < NET_OP_N ? op_names[op] : "unknown";
}

enum burst_err dims_elements(const struct net_dims *d, int64_t *ret_n, struct burst_error *reterr)
{
    int64_t n = 1;
    char text[DIMS_TEXT];
    for (int i = 0; i < d->rank; i++) {
        if (d->dim[i] < 0 || __builtin_mul_overflow(n, d->dim[i], &n) || n > NET_ELEMENTS_MAX) {
            dims_text(d, false, text);
            return burst_fail(reterr, BURST_E_LIMIT, "a tensor of shape %s; at most %lld elements are taken", text,
                              (long long)NET_ELEMENTS_MAX);
        }
    }
    *ret_n = n;
    return BURST_OK;
}

int64_t dims_count(const struct net_dims *d)
{
    int64_t n = 1;
    for (int i = 0; i < d->rank; i++)
        n *= d->dim[i];
    return n;
}

bool dims_equal(const struct net_dims *a, const struct net_dims *b)
{
    if (a->rank != b->rank) return false;
    for (int i = 0; i < a->rank; i++)
        if (a->dim[i] != b->dim[i]) return false;
    return true;
}

void dims_text(const struct net_dims *d, bool batched, char ret_text[DIMS_TEXT])
{
    int at = snprintf(ret_text, DIMS_TEXT, "[");
    for (int i = 0; i < d->rank; i++) {
        const char *comma = i ? ", " : "";
        size_t room = DIMS_TEXT - (size_t)at;
        if (batched && i == 0)
            at += snprintf(ret_text + at, room, "%sN", comma);
        else
            at += snprintf(ret_text + at, room, "%s%lld", comma, (long long)d->dim[i]);
    }
    (void)snprintf(ret_text + at, DIMS_TEXT - (size_t)at, "]"); /* 8 numbers of 20 digits always fit */
}

void graph_init(struct net_graph *g, size_t pool_most)
{
    *g = (struct net_graph){.pool_most = pool_most, .producer = ""};
}

void graph_fini(struct net_graph *g)
{
    while (g->pool) {
        struct net_block *next = g->pool->next;
        free(g->pool);
        g->pool = next;
    }
    *g = (struct net_graph){0};
}

void *graph_take(struct net_graph *g, int64_t n, size_t size, struct burst_error *reterr)
{
    size_t bytes;
    if (n < 0 || __builtin_mul_overflow((size_t)n, size, &bytes) || bytes > g->pool_most ||
        g->pool_bytes > g->pool_most - bytes) {
        (void)burst_fail(reterr, BURST_E_LIMIT, "the network needs more than the %zu bytes allowed", g->pool_most);
        return NULL;
    }
    bytes = (bytes + ALIGN - 1) / ALIGN * ALIGN + sizeof(struct net_block);
    struct net_block *block = aligned_alloc(ALIGN, bytes);
    if (!block) {
        (void)burst_fail(reterr, BURST_E_NOMEM, "no memory for %zu bytes of a network", bytes);
        return NULL;
    }
    memset(block, 0, bytes);
    block->next = g->pool;
    g->pool = block;
    g->pool_bytes += bytes;
    return block + 1;
}

const char *graph_text(struct net_graph *g, const char *text, struct burst_error *reterr)
{
    size_t n = strlen(text) + 1;
    char *copy = graph_take(g, (int64_t)n, 1, reterr);
    if (copy) memcpy(copy, text, n);
    return copy;
}

int graph_find(const struct net_graph *g, const char *name)
{
    for (int i = 0; i < g->n_value; i++)
        if (strcmp(g->value[i].name, name) == 0) return i;
    for (int i = 0; i < g->n_node; i++)
        if (strcmp(g->node[i].name, name) == 0) return g->node[i].output;
    return -1;
}

bool graph_is_dense(const struct net_graph *g, const struct net_node *node)
{
    if (node->op == NET_OP_GEMM) return true;
    if (node->op != NET_OP_MATMUL) return false;
    const struct net_value *b = &g->value[node->input[1]];
    return b->constant && b->dims.rank == 2;
}

bool graph_has_bias(const struct net_graph *g, const struct net_node *node)
{
    if (node->n_input < 3 || node->input[2] < 0) return false;
    const struct net_value *c = &g->value[node->input[2]];
    const struct net_dims *out = &g->value[node->output].dims;
    int64_t n = out->dim[out->rank - 1], have = dims_count(&c->dims);
    return c->constant && (have == 1 || (have == n && c->dims.dim[c->dims.rank - 1] == n));
}
