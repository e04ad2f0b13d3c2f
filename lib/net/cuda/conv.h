/* conv: a convolution with its bias, residual and ReLU as cuDNN runs it. Through the backend interface a computation is a graph
 * of operations over described tensors; heuristics offer engines for it; an engine with its knobs set becomes a plan; a plan
 * with addresses runs. What this folder asks for:
 *
 *   ADD_FIRST   y = relu(conv(x, w) + add + bias)   the order of cuDNN's ready-made kernels, which take a bias of x's type only
 *   BIAS_FIRST  y = relu(conv(x, w) + bias + add)   the bias in float; in bfloat16 only engines that cuDNN compiles for it
 *   ALONE       y = conv(x, w)                      the rest by a kernel of ours
 *   OURS        the whole by a kernel of ours (kernels/conv1d_cuda.h); `engine` is its tile
 *
 * Intermediates are virtual and in float. What each form finds in cuDNN 9.19 on Hopper: tests/unit/cudnn/test_offers.c --table.
 *
 * One-dimensional ones have height 1. Tensors are channels-last in memory; cuDNN is told dimensions as N, C, H, W with strides.
 * Source  NVIDIA cuDNN 9 backend API reference; cudnn_graph_v9.h. */
#ifndef BURST_NET_CUDA_CONV_H
#define BURST_NET_CUDA_CONV_H
#include "net/cuda/engine.h"

struct conv_shape {
    int64_t n, c, k; /* images, padded channels in and out */
    int64_t in[2], out[2], kernel[2], stride[2], pad_begin[2], pad_end[2], dilation[2];
    bool bias, add, relu;
    bool bf16; /* x, w, add and y, and the bias of ADD_FIRST; sums are float */
};

/* The shape as a word, for choices: the device, cuDNN and precision are the file's. */
void conv_shape_text(const struct conv_shape *s, char ret_text[CHOICE_SHAPE]);

enum conv_form {
    CONV_BIAS_FIRST,
    CONV_ADD_FIRST,
    CONV_ALONE,
    CONV_OURS,
    CONV_FORM_N
}; /* numbers are in the file of choices */

enum { CONV_DESCRIPTORS = 40 + CHOICE_KNOBS };

/* Descriptors that are freed together, last made first. */
struct conv_descriptors {
    int n;
    cudnnBackendDescriptor_t made[CONV_DESCRIPTORS];
};

struct conv_graph {
    enum conv_form form;
    cudnnBackendDescriptor_t graph;
    struct conv_descriptors own;
};

struct conv_address {
    const void *x, *w, *add;
    const void *bias, *bias_stored; /* in float; of x's type */
    void *y;
};

/* An engine with its knobs, ready to run once it is bound to addresses. */
struct conv_plan {
    enum conv_form form;
    int64_t engine;
    bool compiled; /* cuDNN compiles its kernel: 0.3 to 5 s each, seen on one core of a Zen 5 with 9.19 */
    int n_knob;
    struct choice_knob knob[CHOICE_KNOBS];
    size_t workspace; /* bytes */
    cudnnBackendDescriptor_t plan, pack;
    struct conv_descriptors own;
};

/* ---- conv_graph.c ---- */

/* Say what is to be computed. To be freed after every plan made of it.
 * Errors    BURST_E_UNSUPPORTED  cuDNN knows no such graph;  BURST_E_DEVICE; *ret untouched */
enum burst_err conv_graph_make(struct cuda_engine *engine, const struct conv_shape *s, enum conv_form form,
                               struct conv_graph *ret, struct burst_error *reterr);
/* Accepts one that is all zeros. */
void conv_graph_free(struct conv_graph *g);

/* A new descriptor on the list; its attributes; and that it is complete. Errors are cudnn_check's; of conv_finalize,
 * BURST_E_UNSUPPORTED where cuDNN has nothing against the call but cannot do it. */
enum burst_err conv_make(struct cuda_engine *engine, struct conv_descriptors *own, cudnnBackendDescriptorType_t type,
                         cudnnBackendDescriptor_t *ret, struct burst_error *reterr);
enum burst_err conv_set(struct cuda_engine *engine, cudnnBackendDescriptor_t d, cudnnBackendAttributeName_t name,
                        cudnnBackendAttributeType_t type, int64_t n, const void *value, struct burst_error *reterr);
enum burst_err conv_finalize(struct cuda_engine *engine, cudnnBackendDescriptor_t d, const char *what,
                             struct burst_error *reterr);
void conv_descriptors_free(struct conv_descriptors *own);

/* ---- conv_plan.c ---- */

/* Plans of the engines that cuDNN's heuristics offer and that keep to the engine's precision, the most promising first.
 * Returned  ret [most], *ret_n of them (0: none can do it)
 * Errors    BURST_E_DEVICE, BURST_E_NOMEM; *ret_n is 0 */
enum burst_err conv_plans_offered(struct cuda_engine *engine, const struct conv_graph *g, int most,
                                  struct conv_plan *ret, int *ret_n, struct burst_error *reterr);
/* The plan of an earlier choice. BURST_E_UNSUPPORTED where it no longer fits; BURST_E_DEVICE; *ret untouched. */
enum burst_err conv_plan_of(struct cuda_engine *engine, const struct conv_graph *g, const struct choice *choice,
                            struct conv_plan *ret, struct burst_error *reterr);
/* Say where everything is. Addresses are multiples of 16; workspace holds plan->workspace bytes. */
enum burst_err conv_plan_bind(struct cuda_engine *engine, struct conv_plan *plan, const struct conv_address *at,
                              void *workspace, struct burst_error *reterr);
/* Queue it on the engine's stream. */
enum burst_err conv_plan_run(struct cuda_engine *engine, const struct conv_plan *plan, struct burst_error *reterr);
void conv_plan_free(struct conv_plan *plan);
#endif
