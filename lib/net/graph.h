/* graph: a network as ONNX states it, checked, in our own words: values (tensors) and the nodes that make them. Everything
 * a graph points to lives in its pool and goes with it. A graph is built by onnx.h, completed by shape.h, simplified by
 * fold.h and turned into something that can run by plan.h. */
#ifndef BURST_NET_GRAPH_H
#define BURST_NET_GRAPH_H
#include "base/err.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { NET_RANK_MAX = 8, NET_NODE_MAX = 4096, NET_VALUE_MAX = 16384, NET_NAME_MAX = 255, NET_HEAD_LAYERS = 8 };
#define NET_ELEMENTS_MAX (INT64_C(1) << 28) /* of one tensor: 1 GiB of float */

/* A shape. Rank 0 is a scalar (one element). */
struct net_dims {
    int rank;
    int64_t dim[NET_RANK_MAX];
};

/* What a tensor holds. Activations are float32; integers occur as constants only (shapes, axes). */
enum net_dtype { NET_F32, NET_I64 };

/* A tensor of known content: an initialiser, a file, a test's input. Exactly one of f32 and i64 is not NULL. */
struct net_tensor {
    const char *name; /* never NULL */
    enum net_dtype dtype;
    struct net_dims dims;
    const float *f32;   /* [dims] row-major */
    const int64_t *i64; /* INT64, INT32 and BOOL tensors, widened */
};

enum net_op {
    NET_OP_ADD,
    NET_OP_AVERAGE_POOL,
    NET_OP_BATCH_NORM,
    NET_OP_CONCAT,
    NET_OP_CONSTANT, /* resolved while reading: never in a built graph */
    NET_OP_CONV,
    NET_OP_DROPOUT,
    NET_OP_FLATTEN,
    NET_OP_GEMM,
    NET_OP_GLOBAL_AVERAGE_POOL,
    NET_OP_IDENTITY,
    NET_OP_MATMUL,
    NET_OP_MAX_POOL,
    NET_OP_REDUCE_MEAN,
    NET_OP_RELU,
    NET_OP_RESHAPE,
    NET_OP_SIGMOID,
    NET_OP_SOFTMAX,
    NET_OP_SQUEEZE,
    NET_OP_TRANSPOSE,
    NET_OP_UNSQUEEZE,
    NET_OP_N
};

/* Sliding window of a convolution or pooling, [0] height, [1] width. One-dimensional ones have height 1 throughout, so that
 * there is one kernel for both. */
enum net_auto_pad { NET_PAD_GIVEN, NET_PAD_SAME_UPPER, NET_PAD_SAME_LOWER, NET_PAD_VALID };
struct net_window {
    int n_spatial; /* 1 or 2, as in the file */
    int64_t kernel[2], stride[2], dilation[2], pad_begin[2], pad_end[2];
    enum net_auto_pad auto_pad; /* resolved to pads, and set to NET_PAD_GIVEN, by shape_infer */
    bool ceil_mode, count_include_pad;
};

/* Attributes, flat: the comment says whose. Axes may be negative until shape_infer. */
struct net_attributes {
    struct net_window window; /* Conv, MaxPool, AveragePool */
    int64_t group;            /* Conv */
    int64_t axis;             /* Concat, Flatten, Softmax */
    int n_axes;               /* ReduceMean (0: all), Squeeze (0: every 1), Unsqueeze; Transpose's perm (0: reversed) */
    int64_t axes[NET_RANK_MAX];
    bool keep_dims;             /* ReduceMean */
    bool allow_zero;            /* Reshape */
    struct net_dims shape;      /* Reshape: target, with 0 and -1 as in the file */
    float alpha, beta, epsilon; /* Gemm, Gemm, BatchNormalization */
    bool trans_a, trans_b;      /* Gemm */
    bool coerce_2d;             /* Softmax before opset 13: everything from `axis` on is one axis */
};

struct net_value {
    const char *name;
    struct net_dims dims; /* of one sample where `batched`: dim[0] is then 1 and stands for N */
    bool batched;
    bool shaped;              /* dims are known */
    bool kept;                /* asked for by name: folding must leave it */
    bool output;              /* an output of the graph */
    struct net_dims declared; /* what the file says of an output, -1 where it says nothing; rank -1: no shape given */
    int maker;                /* node index; -1: input or constant */
    int input_port;           /* index among the graph's inputs; -1 otherwise */
    const struct net_tensor *constant; /* NULL unless constant */
};

struct net_node {
    enum net_op op;
    const char *name; /* as in the file, or "Conv_12" (operator, position) where the file has none */
    int n_input;
    int *input; /* [n_input] value indices; -1 where an optional input is left out */
    int output; /* value index: we take operators with one used output */
    struct net_attributes at;
    bool relu; /* set by folding: ReLU is applied to the output */
    int add;   /* set by folding: this value is added before the ReLU; -1 none */
};

struct net_meta {
    const char *key, *value;
};

struct net_graph {
    int64_t opset, ir_version;
    const char *producer;
    int n_value, n_node, n_input, n_output, n_meta;
    struct net_value *value; /* [n_value] */
    struct net_node *node;   /* [n_node], every node after the makers of its inputs */
    int *input, *output;     /* value indices */
    struct net_meta *meta;
    int64_t n_parameter; /* floats in the initialisers that nodes use, as the file has them */
    /* The storage of all the above. */
    struct net_block *pool;
    size_t pool_bytes, pool_most;
};

/* "Conv", "BatchNormalization" ...; static. */
const char *net_op_name(enum net_op op);

/* Product of the dimensions. BURST_E_LIMIT above NET_ELEMENTS_MAX or on a negative dimension; *ret_n untouched. */
enum burst_err dims_elements(const struct net_dims *d, int64_t *ret_n, struct burst_error *reterr);
/* The same for a shape that has been checked already. */
int64_t dims_count(const struct net_dims *d);
bool dims_equal(const struct net_dims *a, const struct net_dims *b);
enum { DIMS_TEXT = 200 };
/* "[N, 128, 938]" (batched) or "[1, 3]"; for errors and listings. */
void dims_text(const struct net_dims *d, bool batched, char ret_text[DIMS_TEXT]);

/* An empty graph whose pool may take `pool_most` bytes. */
void graph_init(struct net_graph *g, size_t pool_most);
/* Frees the pool. Accepts a graph that is all zeros, and a half-built one. */
void graph_fini(struct net_graph *g);
/* `n` items of `size` bytes from the pool, 64-byte aligned, cleared. NULL when memory or the pool's limit is exhausted;
 * BURST_E_NOMEM or BURST_E_LIMIT is then in reterr. n = 0 gives a valid pointer. */
void *graph_take(struct net_graph *g, int64_t n, size_t size, struct burst_error *reterr);
/* A copy of text in the pool. */
const char *graph_text(struct net_graph *g, const char *text, struct burst_error *reterr);
/* Index of the value of that name, or of the output of the node of that name (values first); -1 when there is none. */
int graph_find(const struct net_graph *g, const char *name);
/* Is the node a dense layer: a Gemm, or a MatMul by a constant matrix? */
bool graph_is_dense(const struct net_graph *g, const struct net_node *node);
/* Is the third input of a dense layer a bias: a constant of 1 or `columns` elements? */
bool graph_has_bias(const struct net_graph *g, const struct net_node *node);
#endif
