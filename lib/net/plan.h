/* plan: what a backend runs. A list of steps over values whose every shape, offset and byte of storage was computed here,
 * once, with checked multiplication. A plan holds no astronomy and no ONNX: all that a backend must know is in this header.
 *
 * One sample at a time: shapes and offsets are those of one sample (a batched network's dim[0] is 1). A backend may run the
 * n samples of a call one after the other over the same scratch (what backend_plain does, and what measured fastest on a
 * CPU), or all at once with every offset multiplied by its batch. After sample i the values in `keep` are copied to row i of
 * the results: outputs, and whatever somebody wants to read. */
#ifndef BURST_NET_PLAN_H
#define BURST_NET_PLAN_H
#include "net/graph.h"

enum plan_op {
    PLAN_ADD,          /* out = a + b, broadcast as in numpy; then relu */
    PLAN_AVERAGE_POOL, /* window */
    PLAN_CONCAT,       /* inputs side by side: [outer][axis of each][inner] */
    PLAN_CONV,         /* window, group; weight [n_out][n_in / group][kernel h][kernel w]; bias; then add; then relu */
    PLAN_DENSE,        /* rows m: out [m][n] = in [m][k] x weight [n][k] transposed + bias; then add; then relu */
    PLAN_MATMUL,       /* out [batch][m][n] = a [batch][m][k] x b [batch][k][n]; a_step, b_step 0 where one is shared */
    PLAN_MAX_POOL,     /* window; padding never wins */
    PLAN_MEAN,         /* in [outer][axis][inner] -> out [outer][inner] */
    PLAN_RELU,
    PLAN_SCALE, /* in [outer][axis][inner] * weight [axis] + bias [axis]; then relu (a batch norm nothing could take) */
    PLAN_SIGMOID,
    PLAN_SOFTMAX,   /* over the middle of [outer][axis][inner] */
    PLAN_TRANSPOSE, /* out dim i is in dim perm[i] */
    PLAN_OP_N
};

/* Where a value's first byte is. */
enum plan_place {
    PLAN_AT_INPUT,    /* the caller's input `index`, at row `sample` */
    PLAN_AT_CONSTANT, /* `constant` */
    PLAN_AT_SCRATCH   /* scratch + offset */
};

struct plan_value {
    const char *name;
    struct net_dims dims; /* of one sample */
    int64_t n_element;
    bool batched;
    enum plan_place at;
    int index;             /* PLAN_AT_INPUT: which input */
    const float *constant; /* PLAN_AT_CONSTANT */
    int buffer;            /* PLAN_AT_SCRATCH: several values may be views of one buffer (reshape, flatten) */
};

/* A piece of scratch. Live from step `first` to step `last`, both included; buffers that live at different times share bytes.
 * A backend with layouts of its own (blocked, padded) computes its own sizes and calls plan_arrange again. */
struct plan_buffer {
    size_t bytes;  /* a multiple of 64 */
    size_t offset; /* a multiple of 64 */
    int first, last;
};

struct plan_step {
    enum plan_op op;
    const char *name; /* of the node it came from (the convolution's, where others were fused into it) */
    const char *kind; /* "Conv+Add+Relu": for listings */
    int n_input;
    const int *input; /* [n_input] values */
    int output;       /* value; never shares bytes with an input or `add` of the same step */
    int add;          /* PLAN_CONV, PLAN_DENSE: value of the output's shape, added before the ReLU; -1 none */
    bool relu;
    /* The fields below are used as the operator's comment says, and 0 otherwise. */
    const float *weight, *bias; /* bias NULL: none. Both finite; lent by the plan as long as it lives */
    int64_t n_image;            /* window operators: images in this sample's tensor (1 for batched networks) */
    int64_t n_in, n_out;        /* channels; pools have n_in = n_out */
    int64_t group;
    int64_t in_size[2], out_size[2]; /* height, width; height 1 where n_spatial is 1 */
    struct net_window window;
    int64_t outer, axis, inner;
    int64_t m, k, n, batch, a_step, b_step; /* steps in elements from one batch to the next */
    int perm[NET_RANK_MAX];
    int64_t macs; /* multiplications of one sample */
};

/* A value copied out after each sample. */
struct plan_keep {
    int value;
    size_t offset; /* in the results; row i is at offset + i * bytes */
    size_t bytes;  /* of one row: n_element * 4, not rounded */
};

struct net_plan {
    int batch; /* most samples of one call; 1 where no input is batched */
    int n_step, n_value, n_buffer, n_keep, n_input, n_output;
    struct plan_step *step;
    struct plan_value *value;
    struct plan_buffer *buffer;
    struct plan_keep *keep; /* the outputs first, in the order of the file */
    int *input, *output;    /* values */
    size_t scratch_bytes, result_bytes;
    int64_t macs;
    struct net_graph *graph; /* lent; its pool holds all of the above */
};

/* The dense layers between a global average pooling and the output: what Grad-CAM differentiates. */
struct net_layer {
    int n_in, n_out;
    const float *weight; /* [n_out][n_in] */
    const float *bias;   /* [n_out], or NULL */
    bool relu;
};
struct net_head {
    int feature;      /* value: the last feature map, [1][n_channel][positions]; it is always kept */
    const char *name; /* of that value: what net_read takes */
    int n_channel;
    int64_t n_position; /* bins, or height x width */
    int64_t size[2];    /* height (1 for one-dimensional networks), width */
    int n_layer;
    struct net_layer layer[NET_HEAD_LAYERS]; /* layer[0] takes the pooled feature map */
};

/* Turn a folded graph into steps and place everything.
 *
 * Given     g      shaped and folded; lends its pool, must outlive the plan
 *           batch  most samples in one call, >= 1; forced to 1 for a network without a batch dimension
 *           most_bytes  of scratch and results together
 * Returned  *ret   no storage of its own: goes with the graph
 * Errors    BURST_E_UNSUPPORTED  a node that no step expresses, named
 *           BURST_E_SHAPE        shapes that do not fit
 *           BURST_E_LIMIT        more storage than most_bytes
 *           BURST_E_NOMEM */
enum burst_err plan_make(struct net_graph *g, int batch, size_t most_bytes, struct net_plan *ret,
                         struct burst_error *reterr);

/* Give each buffer an offset so that no two that are alive at the same step overlap: largest first, lowest hole.
 * Returned  offsets in buffer[]; *ret_bytes the block they need, a multiple of 64
 * Errors    BURST_E_LIMIT on overflow */
enum burst_err plan_arrange(struct plan_buffer *buffer, int n_buffer, size_t *ret_bytes, struct burst_error *reterr);

/* The dense head. BURST_E_UNSUPPORTED, with the reason, where the network does not end in pooling and dense layers. */
enum burst_err plan_head(const struct net_plan *p, struct net_head *ret, struct burst_error *reterr);

/* "Conv", "Dense" ...; static. */
const char *plan_op_name(enum plan_op op);
#endif
