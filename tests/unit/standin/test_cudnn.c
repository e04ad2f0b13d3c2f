/* What the stand-in's cuDNN promises: the refusals of the real one, and right convolutions. */
#include "check.h"
#include "tests/standin/standin.h"
#include <cuda_runtime_api.h>
#include <cudnn.h>
#include <stdlib.h>

static cudnnHandle_t handle;
static cudnnBackendDescriptor_t made[64];
static int n_made;

static cudnnBackendDescriptor_t make(cudnnBackendDescriptorType_t type)
{
    cudnnBackendDescriptor_t d = NULL;
    CHECK_INT(cudnnBackendCreateDescriptor(type, &d), CUDNN_STATUS_SUCCESS);
    return made[n_made++] = d;
}

static void give_back(void)
{
    while (n_made)
        CHECK_INT(cudnnBackendDestroyDescriptor(made[--n_made]), CUDNN_STATUS_SUCCESS);
}

static void set(cudnnBackendDescriptor_t d, cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type,
                int64_t n, const void *value)
{
    CHECK_INT(cudnnBackendSetAttribute(d, name, type, n, value), CUDNN_STATUS_SUCCESS);
}

static cudnnBackendDescriptor_t tensor(int64_t id, const int64_t dim[4], bool is_virtual)
{
    const int64_t stride[4] = {dim[1] * dim[2] * dim[3], 1, dim[3] * dim[1], dim[1]}, alignment = 16;
    const cudnnDataType_t type = CUDNN_DATA_FLOAT;
    cudnnBackendDescriptor_t d = make(CUDNN_BACKEND_TENSOR_DESCRIPTOR);
    set(d, CUDNN_ATTR_TENSOR_UNIQUE_ID, CUDNN_TYPE_INT64, 1, &id);
    set(d, CUDNN_ATTR_TENSOR_DATA_TYPE, CUDNN_TYPE_DATA_TYPE, 1, &type);
    set(d, CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, CUDNN_TYPE_INT64, 1, &alignment);
    set(d, CUDNN_ATTR_TENSOR_DIMENSIONS, CUDNN_TYPE_INT64, 4, dim);
    set(d, CUDNN_ATTR_TENSOR_STRIDES, CUDNN_TYPE_INT64, 4, stride);
    set(d, CUDNN_ATTR_TENSOR_IS_VIRTUAL, CUDNN_TYPE_BOOLEAN, 1, &is_virtual);
    CHECK_INT(cudnnBackendFinalize(d), CUDNN_STATUS_SUCCESS);
    return d;
}

static cudnnBackendDescriptor_t window(const int64_t pad[2], const int64_t stride[2])
{
    static const int64_t two = 2, one[2] = {1, 1};
    static const cudnnDataType_t type = CUDNN_DATA_FLOAT;
    static const cudnnConvolutionMode_t mode = CUDNN_CROSS_CORRELATION;
    cudnnBackendDescriptor_t d = make(CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR);
    set(d, CUDNN_ATTR_CONVOLUTION_COMP_TYPE, CUDNN_TYPE_DATA_TYPE, 1, &type);
    set(d, CUDNN_ATTR_CONVOLUTION_CONV_MODE, CUDNN_TYPE_CONVOLUTION_MODE, 1, &mode);
    set(d, CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS, CUDNN_TYPE_INT64, 1, &two);
    set(d, CUDNN_ATTR_CONVOLUTION_DILATIONS, CUDNN_TYPE_INT64, 2, one);
    set(d, CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES, CUDNN_TYPE_INT64, 2, stride);
    set(d, CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS, CUDNN_TYPE_INT64, 2, pad);
    set(d, CUDNN_ATTR_CONVOLUTION_POST_PADDINGS, CUDNN_TYPE_INT64, 2, pad);
    CHECK_INT(cudnnBackendFinalize(d), CUDNN_STATUS_SUCCESS);
    return d;
}

static cudnnBackendDescriptor_t convolution(cudnnBackendDescriptor_t x, cudnnBackendDescriptor_t w,
                                            cudnnBackendDescriptor_t y, cudnnStatus_t want)
{
    static const int64_t pad[2] = {0, 1}, stride[2] = {1, 2};
    cudnnBackendDescriptor_t conv = window(pad, stride);
    cudnnBackendDescriptor_t op = make(CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR);
    set(op, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &conv);
    set(op, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &x);
    set(op, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &w);
    set(op, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &y);
    CHECK_INT(cudnnBackendFinalize(op), want);
    return op;
}

static cudnnBackendDescriptor_t pointwise(cudnnPointwiseMode_t mode, cudnnBackendDescriptor_t x,
                                          cudnnBackendDescriptor_t b, cudnnBackendDescriptor_t y)
{
    static const cudnnDataType_t type = CUDNN_DATA_FLOAT;
    cudnnBackendDescriptor_t how = make(CUDNN_BACKEND_POINTWISE_DESCRIPTOR);
    set(how, CUDNN_ATTR_POINTWISE_MODE, CUDNN_TYPE_POINTWISE_MODE, 1, &mode);
    set(how, CUDNN_ATTR_POINTWISE_MATH_PREC, CUDNN_TYPE_DATA_TYPE, 1, &type);
    CHECK_INT(cudnnBackendFinalize(how), CUDNN_STATUS_SUCCESS);
    cudnnBackendDescriptor_t op = make(CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR);
    set(op, CUDNN_ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &how);
    set(op, CUDNN_ATTR_OPERATION_POINTWISE_XDESC, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &x);
    if (b) set(op, CUDNN_ATTR_OPERATION_POINTWISE_BDESC, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &b);
    set(op, CUDNN_ATTR_OPERATION_POINTWISE_YDESC, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &y);
    CHECK_INT(cudnnBackendFinalize(op), CUDNN_STATUS_SUCCESS);
    return op;
}

/* One image of 1 x 5 with 2 channels, one filter of 1 x 3, stride 2, padding 1: three answers. Then + bias, relu. */
static const int64_t X_DIM[4] = {1, 2, 1, 5}, W_DIM[4] = {2, 2, 1, 3}, Y_DIM[4] = {1, 2, 1, 3}, B_DIM[4] = {1, 2, 1, 1};
static const float X_DATA[10] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10};
static const float W_DATA[12] = {1, 0, 0, 1, 2, -1, 0, 0, -1, 0, 0, 1}, B_DATA[2] = {0.5f, -1};
/* By hand: filter 0 is (1,0)(0,1)(2,-1), filter 1 is (0,0)(-1,0)(0,1), over x = (1,2)(3,4)(5,6)(7,8)(9,10). */
static const float Y_ALONE[6] = {2 + 2 * 3 - 4, -1 + 4, 3 + 6 + 2 * 7 - 8, -5 + 8, 7 + 10, -9};
static const float Y_FUSED[6] = {4.5f, 2, 15.5f, 2, 17.5f, 0};

static cudnnBackendDescriptor_t graph_of(int64_t n, const cudnnBackendDescriptor_t *ops, cudnnStatus_t want)
{
    cudnnBackendDescriptor_t g = make(CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR);
    set(g, CUDNN_ATTR_OPERATIONGRAPH_HANDLE, CUDNN_TYPE_HANDLE, 1, &handle);
    set(g, CUDNN_ATTR_OPERATIONGRAPH_OPS, CUDNN_TYPE_BACKEND_DESCRIPTOR, n, ops);
    CHECK_INT(cudnnBackendFinalize(g), want);
    return g;
}

static cudnnBackendDescriptor_t graph(bool fused)
{
    cudnnBackendDescriptor_t x = tensor('x', X_DIM, false), w = tensor('w', W_DIM, false);
    cudnnBackendDescriptor_t y = tensor('y', Y_DIM, false), ops[3];
    if (!fused) {
        ops[0] = convolution(x, w, y, CUDNN_STATUS_SUCCESS);
        return graph_of(1, ops, CUDNN_STATUS_SUCCESS);
    }
    cudnnBackendDescriptor_t a = tensor(1000, Y_DIM, true), b = tensor(1001, Y_DIM, true),
                             bias = tensor('b', B_DIM, false);
    ops[0] = convolution(x, w, a, CUDNN_STATUS_SUCCESS);
    ops[1] = pointwise(CUDNN_POINTWISE_ADD, a, bias, b);
    ops[2] = pointwise(CUDNN_POINTWISE_RELU_FWD, b, NULL, y);
    return graph_of(3, ops, CUDNN_STATUS_SUCCESS);
}

static int64_t ask(cudnnBackendDescriptor_t g, cudnnBackendHeurMode_t mode, cudnnBackendDescriptor_t *ret, int64_t most)
{
    cudnnBackendDescriptor_t h = make(CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR);
    int64_t n = 0;
    set(h, CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &g);
    set(h, CUDNN_ATTR_ENGINEHEUR_MODE, CUDNN_TYPE_HEUR_MODE, 1, &mode);
    if (cudnnBackendFinalize(h) != CUDNN_STATUS_SUCCESS) return -1;
    for (int64_t i = 0; i < most; i++)
        ret[i] = make(CUDNN_BACKEND_ENGINECFG_DESCRIPTOR);
    CHECK_INT(cudnnBackendGetAttribute(h, CUDNN_ATTR_ENGINEHEUR_RESULTS, CUDNN_TYPE_BACKEND_DESCRIPTOR, most, &n, ret),
              CUDNN_STATUS_SUCCESS);
    return n;
}

static cudnnStatus_t plan_of(cudnnBackendDescriptor_t config, cudnnBackendDescriptor_t *ret)
{
    *ret = make(CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR);
    set(*ret, CUDNN_ATTR_EXECUTION_PLAN_HANDLE, CUDNN_TYPE_HANDLE, 1, &handle);
    set(*ret, CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &config);
    return cudnnBackendFinalize(*ret);
}

static void *on_device(const float *from, size_t n)
{
    void *at = NULL;
    CHECK_INT(cudaMalloc(&at, n * sizeof *from), cudaSuccess);
    if (from) CHECK_INT(cudaMemcpy(at, from, n * sizeof *from, cudaMemcpyHostToDevice), cudaSuccess);
    return at;
}

static cudnnStatus_t run(cudnnBackendDescriptor_t plan, float y[6], bool with_bias, size_t shift)
{
    int64_t ids[4] = {'x', 'w', 'y', 'b'}, bytes = 0, n = 0;
    void *at[4] = {on_device(X_DATA, 10), on_device(W_DATA, 12), on_device(NULL, 6), on_device(B_DATA, 2)};
    void *workspace = NULL, *moved[4] = {(char *)at[0] + shift, at[1], at[2], at[3]};
    CHECK_INT(cudnnBackendGetAttribute(plan, CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE, CUDNN_TYPE_INT64, 1, &n, &bytes),
              CUDNN_STATUS_SUCCESS);
    if (bytes) CHECK_INT(cudaMalloc(&workspace, (size_t)bytes), cudaSuccess);
    cudnnBackendDescriptor_t pack = make(CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR);
    set(pack, CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS, CUDNN_TYPE_INT64, with_bias ? 4 : 3, ids);
    set(pack, CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS, CUDNN_TYPE_VOID_PTR, with_bias ? 4 : 3, moved);
    set(pack, CUDNN_ATTR_VARIANT_PACK_WORKSPACE, CUDNN_TYPE_VOID_PTR, 1, &workspace);
    CHECK_INT(cudnnBackendFinalize(pack), CUDNN_STATUS_SUCCESS);
    cudnnStatus_t status = cudnnBackendExecute(handle, plan, pack);
    if (!status) CHECK_INT(cudaMemcpy(y, at[2], 6 * sizeof *y, cudaMemcpyDeviceToHost), cudaSuccess);
    for (int i = 0; i < 4; i++)
        CHECK_INT(cudaFree(at[i]), cudaSuccess);
    CHECK_INT(cudaFree(workspace), cudaSuccess);
    return status;
}

static void every_engine(bool fused, const float want[6])
{
    cudnnBackendDescriptor_t config[10], plan;
    int n_refused = 0, n_right = 0;
    int64_t n = ask(graph(fused), CUDNN_HEUR_MODE_B, config, 10);
    for (int64_t i = 0; i < n; i++) {
        float y[6];
        if (plan_of(config[i], &plan) != CUDNN_STATUS_SUCCESS) {
            n_refused++;
            continue;
        }
        CHECK_INT(run(plan, y, fused, 0), CUDNN_STATUS_SUCCESS);
        for (int k = 0; k < 6; k++)
            CHECK_NEAR(y[k], want[k], 0); /* small integers: exact in every precision */
        n_right++;
    }
    CHECK(n_refused >= 1 && n_right >= 2);
    give_back();
}

TEST(every_engine_computes_the_convolution)
{
    every_engine(false, Y_ALONE);
}

TEST(every_engine_fuses_bias_and_relu)
{
    every_engine(true, Y_FUSED);
}

TEST(descriptors_are_refused_as_cudnn_refuses_them)
{
    cudnnBackendDescriptor_t t = make(CUDNN_BACKEND_TENSOR_DESCRIPTOR), none = NULL;
    int64_t id = 'x', got[4] = {0}, n = 0;
    CHECK_INT(cudnnBackendFinalize(t), CUDNN_STATUS_BAD_PARAM);
    CHECK_INT(cudnnBackendSetAttribute(t, CUDNN_ATTR_TENSOR_UNIQUE_ID, CUDNN_TYPE_FLOAT, 1, &id),
              CUDNN_STATUS_BAD_PARAM_ATTRIBUTE_TYPE);
    CHECK_INT(cudnnBackendSetAttribute(t, CUDNN_ATTR_TENSOR_UNIQUE_ID, CUDNN_TYPE_INT64, 2, got),
              CUDNN_STATUS_BAD_PARAM);
    CHECK_INT(cudnnBackendSetAttribute(t, CUDNN_ATTR_TENSOR_UNIQUE_ID, CUDNN_TYPE_INT64, 1, NULL),
              CUDNN_STATUS_BAD_PARAM);
    CHECK_INT(cudnnBackendSetAttribute(t, CUDNN_ATTR_ENGINE_GLOBAL_INDEX, CUDNN_TYPE_INT64, 1, &id),
              CUDNN_STATUS_BAD_PARAM);
    CHECK_INT(cudnnBackendGetAttribute(t, CUDNN_ATTR_TENSOR_UNIQUE_ID, CUDNN_TYPE_INT64, 1, &n, got),
              CUDNN_STATUS_NOT_INITIALIZED);
    cudnnBackendDescriptor_t x = tensor('x', X_DIM, false);
    CHECK_INT(cudnnBackendSetAttribute(x, CUDNN_ATTR_TENSOR_UNIQUE_ID, CUDNN_TYPE_INT64, 1, &id),
              CUDNN_STATUS_BAD_PARAM);
    CHECK_INT(cudnnBackendFinalize(x), CUDNN_STATUS_BAD_PARAM);
    CHECK_INT(cudnnBackendGetAttribute(x, CUDNN_ATTR_TENSOR_DIMENSIONS, CUDNN_TYPE_INT64, 0, &n, NULL),
              CUDNN_STATUS_SUCCESS);
    CHECK_INT(n, 4);
    CHECK_INT(cudnnBackendGetAttribute(x, CUDNN_ATTR_TENSOR_DIMENSIONS, CUDNN_TYPE_INT64, 2, &n, got),
              CUDNN_STATUS_SUCCESS);
    CHECK_INT(n, 2);
    CHECK_INT(cudnnBackendFinalize(none), CUDNN_STATUS_BAD_PARAM_NULL_POINTER);
    CHECK_INT(cudnnBackendDestroyDescriptor(none), CUDNN_STATUS_BAD_PARAM_NULL_POINTER);
    cudnnBackendDescriptor_t op = make(CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR);
    CHECK_INT(
        cudnnBackendSetAttribute(op, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &t),
        CUDNN_STATUS_BAD_PARAM_NOT_FINALIZED); /* stricter than the real one */
    give_back();
}

TEST(graphs_that_make_no_sense_are_refused)
{
    static const int64_t wrong[4] = {1, 2, 1, 4};
    cudnnBackendDescriptor_t x = tensor('x', X_DIM, false), w = tensor('w', W_DIM, false),
                             y = tensor('y', Y_DIM, false);
    (void)convolution(x, w, tensor('y', wrong, false), CUDNN_STATUS_BAD_PARAM_SHAPE_MISMATCH);
    cudnnBackendDescriptor_t op = convolution(x, w, tensor('x', Y_DIM, false), CUDNN_STATUS_SUCCESS);
    (void)graph_of(1, &op, CUDNN_STATUS_BAD_PARAM_DUPLICATED_ENTRIES);
    cudnnBackendDescriptor_t two[2] = {convolution(x, w, y, CUDNN_STATUS_SUCCESS),
                                       pointwise(CUDNN_POINTWISE_RELU_FWD, y, NULL, tensor('z', Y_DIM, false))};
    (void)graph_of(2, two, CUDNN_STATUS_NOT_SUPPORTED_GRAPH_PATTERN); /* between two operations lies no memory */
    op = convolution(x, w, tensor(1000, Y_DIM, true), CUDNN_STATUS_SUCCESS);
    (void)graph_of(1, &op, CUDNN_STATUS_BAD_PARAM);
    give_back();
}

TEST(a_pack_must_have_every_address_and_aligned)
{
    cudnnBackendDescriptor_t config[1], plan;
    float y[6];
    CHECK_INT(ask(graph(true), CUDNN_HEUR_MODE_B, config, 1), 1);
    CHECK_INT(plan_of(config[0], &plan), CUDNN_STATUS_SUCCESS);
    CHECK_INT(run(plan, y, false, 0), CUDNN_STATUS_BAD_PARAM);
    CHECK_INT(run(plan, y, true, 4), CUDNN_STATUS_BAD_PARAM_MISALIGNED_POINTER);
    give_back();
}

TEST(an_address_that_is_no_device_memory_ends_the_device)
{
    cudnnBackendDescriptor_t config[1], plan;
    float y[6];
    CHECK_INT(ask(graph(true), CUDNN_HEUR_MODE_FALLBACK, config, 1), 1);
    CHECK_INT(plan_of(config[0], &plan), CUDNN_STATUS_SUCCESS);
    static _Alignas(16) float host[16];
    int64_t ids[4] = {'x', 'w', 'y', 'b'};
    void *at[4] = {host, host, host, host}, *none = NULL;
    cudnnBackendDescriptor_t pack = make(CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR);
    set(pack, CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS, CUDNN_TYPE_INT64, 4, ids);
    set(pack, CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS, CUDNN_TYPE_VOID_PTR, 4, at);
    set(pack, CUDNN_ATTR_VARIANT_PACK_WORKSPACE, CUDNN_TYPE_VOID_PTR, 1, &none);
    CHECK_INT(cudnnBackendFinalize(pack), CUDNN_STATUS_SUCCESS);
    CHECK_INT(cudnnBackendExecute(handle, plan, pack), CUDNN_STATUS_SUCCESS);
    CHECK_INT(cudaDeviceSynchronize(), cudaErrorIllegalAddress);
    CHECK_INT(cudnnBackendExecute(handle, plan, pack), CUDNN_STATUS_EXECUTION_FAILED_CUDART);
    standin_heal();
    CHECK_INT(run(plan, y, true, 0), CUDNN_STATUS_SUCCESS);
    give_back();
}

TEST(engines_behave_as_they_are_told)
{
    cudnnBackendDescriptor_t config[10], plan, g = graph(true);
    CHECK(!setenv("BURST_STANDIN_ENGINES", "none_fused", 1));
    CHECK_INT(ask(g, CUDNN_HEUR_MODE_A, config, 10), 0);
    CHECK_INT(ask(g, CUDNN_HEUR_MODE_B, config, 10), -1);
    CHECK(!setenv("BURST_STANDIN_ENGINES", "first_refuses", 1));
    CHECK_INT(ask(g, CUDNN_HEUR_MODE_A, config, 1), 1);
    CHECK_INT(plan_of(config[0], &plan), CUDNN_STATUS_NOT_SUPPORTED_SHARED_MEMORY_INSUFFICIENT);
    CHECK(!unsetenv("BURST_STANDIN_ENGINES"));
    give_back();
}

TEST(the_nth_call_of_cudnn_fails)
{
    cudnnBackendDescriptor_t config[1], plan;
    float y[6];
    CHECK_INT(ask(graph(false), CUDNN_HEUR_MODE_FALLBACK, config, 1), 1);
    CHECK_INT(plan_of(config[0], &plan), CUDNN_STATUS_SUCCESS);
    standin_fail("cudnnBackendExecute:2=CUDNN_STATUS_EXECUTION_FAILED,cudnnCreate:1");
    cudnnHandle_t other = NULL;
    CHECK_INT(run(plan, y, false, 0), CUDNN_STATUS_SUCCESS);
    CHECK_INT(run(plan, y, false, 0), CUDNN_STATUS_EXECUTION_FAILED);
    CHECK_INT(run(plan, y, false, 0), CUDNN_STATUS_SUCCESS);
    CHECK_INT(cudnnCreate(&other), CUDNN_STATUS_INTERNAL_ERROR);
    standin_heal();
    give_back();
}

TEST(nothing_is_left)
{
    CHECK_INT(cudnnDestroy(handle), CUDNN_STATUS_SUCCESS);
    CHECK_INT(standin_live(NULL), 0);
}

int main(void)
{
    if (cudnnCreate(&handle) != CUDNN_STATUS_SUCCESS) return 1;
    RUN(every_engine_computes_the_convolution);
    RUN(every_engine_fuses_bias_and_relu);
    RUN(descriptors_are_refused_as_cudnn_refuses_them);
    RUN(graphs_that_make_no_sense_are_refused);
    RUN(a_pack_must_have_every_address_and_aligned);
    RUN(an_address_that_is_no_device_memory_ends_the_device);
    RUN(engines_behave_as_they_are_told);
    RUN(the_nth_call_of_cudnn_fails);
    RUN(nothing_is_left);
    return check_report();
}
