#include "net/cuda/conv.h"
#include <stdio.h>

enum { X = 'x', W = 'w', BIAS = 'b', ADD = 'z', Y = 'y', FIRST_VIRTUAL = 1000, ALIGNMENT = 16, TENSOR_DIMS = 4 };

void conv_shape_text(const struct conv_shape *s, char ret_text[CHOICE_SHAPE])
{
    (void)snprintf(ret_text, CHOICE_SHAPE,
                   "%lldx%lldx%lldx%lld:%lldx%lldx%lld:s%lldx%lld:p%lld,%lld,%lld,%lld:d%lldx%lld:%c%c%c",
                   (long long)s->n, (long long)s->in[0], (long long)s->in[1], (long long)s->c, (long long)s->k,
                   (long long)s->kernel[0], (long long)s->kernel[1], (long long)s->stride[0], (long long)s->stride[1],
                   (long long)s->pad_begin[0], (long long)s->pad_end[0], (long long)s->pad_begin[1],
                   (long long)s->pad_end[1], (long long)s->dilation[0], (long long)s->dilation[1], s->bias ? 'b' : '-',
                   s->add ? 'a' : '-', s->relu ? 'r' : '-');
}

/* ---- descriptors ---- */

enum burst_err conv_make(struct cuda_engine *engine, struct conv_descriptors *own, cudnnBackendDescriptorType_t type,
                         cudnnBackendDescriptor_t *ret, struct burst_error *reterr)
{
    if (own->n == CONV_DESCRIPTORS) return burst_fail(reterr, BURST_E_INTERNAL, "too many cuDNN descriptors");
    cudnnBackendDescriptor_t d = NULL;
    enum burst_err err = CUDNN_TRY(cudnnBackendCreateDescriptor, type, &d);
    if (err) return err;
    own->made[own->n++] = d;
    *ret = d;
    return BURST_OK;
}

enum burst_err conv_set(struct cuda_engine *engine, cudnnBackendDescriptor_t d, cudnnBackendAttributeName_t name,
                        cudnnBackendAttributeType_t type, int64_t n, const void *value, struct burst_error *reterr)
{
    return CUDNN_TRY(cudnnBackendSetAttribute, d, name, type, n, value);
}

/* Not something cuDNN can do, rather than something that went wrong. */
static bool is_refusal(cudnnStatus_t status)
{
    int category = CUDNN_STATUS_CATEGORY((int)status);
    return category == 2000 || category == 3000 || category == 4000;
}

enum burst_err conv_finalize(struct cuda_engine *engine, cudnnBackendDescriptor_t d, const char *what,
                             struct burst_error *reterr)
{
    cudnnStatus_t status = cudnnBackendFinalize(d);
    if (status == CUDNN_STATUS_SUCCESS) return BURST_OK;
    bool refused = is_refusal(status) && !cuda_is_fatal((int)cudaPeekAtLastError());
    enum burst_err err = cudnn_check(refused ? NULL : engine, status, what, reterr);
    if (!refused) return err;
    if (reterr) reterr->code = BURST_E_UNSUPPORTED;
    return BURST_E_UNSUPPORTED;
}

void conv_descriptors_free(struct conv_descriptors *own)
{
    while (own->n > 0)
        (void)cudnnBackendDestroyDescriptor(own->made[--own->n]); /* cannot fail on what was made */
}

/* ---- the graph ---- */

/* What is being built, and the first thing that went wrong: so that a graph reads as a list of its parts. */
struct build {
    struct cuda_engine *engine;
    const struct conv_shape *s;
    struct conv_graph *g;
    enum conv_form form;
    cudnnBackendDescriptor_t op[4];
    int n_op;
    int64_t n_virtual;
    enum burst_err err;
    struct burst_error *reterr;
};

static cudnnBackendDescriptor_t make(struct build *b, cudnnBackendDescriptorType_t type)
{
    cudnnBackendDescriptor_t d = NULL;
    if (!b->err) b->err = conv_make(b->engine, &b->g->own, type, &d, b->reterr);
    return d;
}

static void set(struct build *b, cudnnBackendDescriptor_t d, cudnnBackendAttributeName_t name,
                cudnnBackendAttributeType_t type, int64_t n, const void *value)
{
    if (!b->err) b->err = conv_set(b->engine, d, name, type, n, value, b->reterr);
}

static void set_integer(struct build *b, cudnnBackendDescriptor_t d, cudnnBackendAttributeName_t name, int64_t value)
{
    set(b, d, name, CUDNN_TYPE_INT64, 1, &value);
}

static void set_child(struct build *b, cudnnBackendDescriptor_t d, cudnnBackendAttributeName_t name,
                      cudnnBackendDescriptor_t child)
{
    set(b, d, name, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &child);
}

static void set_type(struct build *b, cudnnBackendDescriptor_t d, cudnnBackendAttributeName_t name,
                     cudnnDataType_t type)
{
    set(b, d, name, CUDNN_TYPE_DATA_TYPE, 1, &type);
}

static void finalize(struct build *b, cudnnBackendDescriptor_t d, const char *what)
{
    if (!b->err) b->err = conv_finalize(b->engine, d, what, b->reterr);
}

/* A channels-last tensor; the strides of a filter are the same, with K for N. */
static cudnnBackendDescriptor_t tensor(struct build *b, int64_t id, const int64_t dim[TENSOR_DIMS],
                                       cudnnDataType_t type, bool is_virtual)
{
    const int64_t stride[TENSOR_DIMS] = {dim[1] * dim[2] * dim[3], 1, dim[3] * dim[1], dim[1]};
    cudnnBackendDescriptor_t d = make(b, CUDNN_BACKEND_TENSOR_DESCRIPTOR);
    set_integer(b, d, CUDNN_ATTR_TENSOR_UNIQUE_ID, id);
    set_type(b, d, CUDNN_ATTR_TENSOR_DATA_TYPE, type);
    set_integer(b, d, CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, ALIGNMENT);
    set(b, d, CUDNN_ATTR_TENSOR_DIMENSIONS, CUDNN_TYPE_INT64, TENSOR_DIMS, dim);
    set(b, d, CUDNN_ATTR_TENSOR_STRIDES, CUDNN_TYPE_INT64, TENSOR_DIMS, stride);
    set(b, d, CUDNN_ATTR_TENSOR_IS_VIRTUAL, CUDNN_TYPE_BOOLEAN, 1, &is_virtual);
    finalize(b, d, "cudnnBackendFinalize of a tensor");
    return d;
}

static cudnnDataType_t stored(const struct conv_shape *s)
{
    return s->bf16 ? CUDNN_DATA_BFLOAT16 : CUDNN_DATA_FLOAT;
}

/* What the next operation writes: the answer if it is the last one, else something that never reaches memory. */
static cudnnBackendDescriptor_t result(struct build *b, bool last)
{
    const struct conv_shape *s = b->s;
    const int64_t dim[TENSOR_DIMS] = {s->n, s->k, s->out[0], s->out[1]};
    return last ? tensor(b, Y, dim, stored(s), false)
                : tensor(b, FIRST_VIRTUAL + b->n_virtual++, dim, CUDNN_DATA_FLOAT, true);
}

static cudnnBackendDescriptor_t window(struct build *b)
{
    const struct conv_shape *s = b->s;
    const cudnnConvolutionMode_t mode = CUDNN_CROSS_CORRELATION;
    cudnnBackendDescriptor_t d = make(b, CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR);
    set_type(b, d, CUDNN_ATTR_CONVOLUTION_COMP_TYPE, CUDNN_DATA_FLOAT);
    set(b, d, CUDNN_ATTR_CONVOLUTION_CONV_MODE, CUDNN_TYPE_CONVOLUTION_MODE, 1, &mode);
    set_integer(b, d, CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS, 2);
    set(b, d, CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES, CUDNN_TYPE_INT64, 2, s->stride);
    set(b, d, CUDNN_ATTR_CONVOLUTION_DILATIONS, CUDNN_TYPE_INT64, 2, s->dilation);
    set(b, d, CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS, CUDNN_TYPE_INT64, 2, s->pad_begin);
    set(b, d, CUDNN_ATTR_CONVOLUTION_POST_PADDINGS, CUDNN_TYPE_INT64, 2, s->pad_end);
    finalize(b, d, "cudnnBackendFinalize of a convolution");
    return d;
}

static cudnnBackendDescriptor_t convolve(struct build *b, bool last)
{
    const struct conv_shape *s = b->s;
    const float one = 1, zero = 0;
    const int64_t x_dim[TENSOR_DIMS] = {s->n, s->c, s->in[0], s->in[1]};
    const int64_t w_dim[TENSOR_DIMS] = {s->k, s->c, s->kernel[0], s->kernel[1]};
    cudnnBackendDescriptor_t x = tensor(b, X, x_dim, stored(s), false), w = tensor(b, W, w_dim, stored(s), false);
    cudnnBackendDescriptor_t y = result(b, last), conv = window(b);
    cudnnBackendDescriptor_t op = make(b, CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR);
    set_child(b, op, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC, conv);
    set_child(b, op, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X, x);
    set_child(b, op, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W, w);
    set_child(b, op, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y, y);
    set(b, op, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_ALPHA, CUDNN_TYPE_FLOAT, 1, &one);
    set(b, op, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_BETA, CUDNN_TYPE_FLOAT, 1, &zero);
    finalize(b, op, "cudnnBackendFinalize of a convolution's operation");
    b->op[b->n_op++] = op;
    return y;
}

/* x + operand, or relu(x) where operand is NULL. */
static cudnnBackendDescriptor_t pointwise(struct build *b, cudnnPointwiseMode_t mode, cudnnBackendDescriptor_t x,
                                          cudnnBackendDescriptor_t operand, bool last)
{
    cudnnBackendDescriptor_t y = result(b, last), how = make(b, CUDNN_BACKEND_POINTWISE_DESCRIPTOR);
    set(b, how, CUDNN_ATTR_POINTWISE_MODE, CUDNN_TYPE_POINTWISE_MODE, 1, &mode);
    set_type(b, how, CUDNN_ATTR_POINTWISE_MATH_PREC, CUDNN_DATA_FLOAT);
    finalize(b, how, "cudnnBackendFinalize of a pointwise descriptor");
    cudnnBackendDescriptor_t op = make(b, CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR);
    set_child(b, op, CUDNN_ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR, how);
    set_child(b, op, CUDNN_ATTR_OPERATION_POINTWISE_XDESC, x);
    if (operand) set_child(b, op, CUDNN_ATTR_OPERATION_POINTWISE_BDESC, operand);
    set_child(b, op, CUDNN_ATTR_OPERATION_POINTWISE_YDESC, y);
    finalize(b, op, "cudnnBackendFinalize of a pointwise operation");
    b->op[b->n_op++] = op;
    return y;
}

static cudnnBackendDescriptor_t add_bias(struct build *b, cudnnBackendDescriptor_t x, bool last)
{
    const int64_t dim[TENSOR_DIMS] = {1, b->s->k, 1, 1};
    cudnnDataType_t type = b->form == CONV_ADD_FIRST ? stored(b->s) : CUDNN_DATA_FLOAT;
    return pointwise(b, CUDNN_POINTWISE_ADD, x, tensor(b, BIAS, dim, type, false), last);
}

static cudnnBackendDescriptor_t add_residual(struct build *b, cudnnBackendDescriptor_t x, bool last)
{
    const int64_t dim[TENSOR_DIMS] = {b->s->n, b->s->k, b->s->out[0], b->s->out[1]};
    return pointwise(b, CUDNN_POINTWISE_ADD, x, tensor(b, ADD, dim, stored(b->s), false), last);
}

static void operations(struct build *b, enum conv_form form)
{
    const struct conv_shape *s = b->s;
    int left = form == CONV_ALONE ? 0 : s->bias + s->add + s->relu;
    cudnnBackendDescriptor_t at = convolve(b, left == 0);
    if (form == CONV_ALONE) return;
    if (s->add && form == CONV_ADD_FIRST) at = add_residual(b, at, --left == 0);
    if (s->bias) at = add_bias(b, at, --left == 0);
    if (s->add && form == CONV_BIAS_FIRST) at = add_residual(b, at, --left == 0);
    if (s->relu) (void)pointwise(b, CUDNN_POINTWISE_RELU_FWD, at, NULL, --left == 0); /* nothing follows */
}

enum burst_err conv_graph_make(struct cuda_engine *engine, const struct conv_shape *s, enum conv_form form,
                               struct conv_graph *ret, struct burst_error *reterr)
{
    struct conv_graph g = {.form = form};
    struct build b = {.engine = engine, .s = s, .g = &g, .form = form, .reterr = reterr};
    operations(&b, form);
    g.graph = make(&b, CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR);
    if (!engine->described) set(&b, g.graph, CUDNN_ATTR_OPERATIONGRAPH_HANDLE, CUDNN_TYPE_HANDLE, 1, &engine->cudnn);
    set(&b, g.graph, CUDNN_ATTR_OPERATIONGRAPH_OPS, CUDNN_TYPE_BACKEND_DESCRIPTOR, b.n_op, b.op);
    finalize(&b, g.graph, "cudnnBackendFinalize of an operation graph");
    if (b.err) {
        conv_graph_free(&g);
        return b.err;
    }
    *ret = g;
    return BURST_OK;
}

void conv_graph_free(struct conv_graph *g)
{
    conv_descriptors_free(&g->own);
    g->graph = NULL;
}
