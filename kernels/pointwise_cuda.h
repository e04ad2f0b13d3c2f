/* What is done element by element or along channels on a GPU: the twin of pointwise.h and middle.h. See layout_cuda.h for what all
 * jobs have in common. */
#ifndef BURST_KERNELS_POINTWISE_CUDA_H
#define BURST_KERNELS_POINTWISE_CUDA_H
#include "kernels/layout.h"

#ifdef __cplusplus
extern "C" {
#endif

enum pointwise_op {
    POINTWISE_RELU,    /* max(x, 0), NaN stays NaN */
    POINTWISE_ADD,     /* x + b */
    POINTWISE_SCALE,   /* x * factor[channel] + shift[channel]; then + b where there is one */
    POINTWISE_SIGMOID, /* 1 / (1 + exp(-x)) */
    POINTWISE_OP_N
};

/* ret may be x or b. Add, relu and scale are equal to plain C to the last bit before rounding to bfloat16; the sigmoid within the
 * two units in the last place that CUDA states for expf. */
struct pointwise_job {
    enum pointwise_op op;
    bool relu; /* afterwards */
    struct layout as;
    const void *x, *b;           /* b: POINTWISE_ADD, and POINTWISE_SCALE, or NULL there */
    const float *factor, *shift; /* [n_channel]: POINTWISE_SCALE only; factor NULL: 1 */
    void *ret;
    int n_sample;
    const int32_t *n;
};
int pointwise_cuda(const struct pointwise_job *job, void *stream);

enum { CONCAT_MOST = 8 };

/* Channels side by side: those of x[0], then those of x[1] ... `as` is the result's, with n_channel the sum; all have its
 * positions and its kind of element. */
struct concat_job {
    struct layout as;
    int n_input;
    const void *x[CONCAT_MOST];
    int64_t n_channel[CONCAT_MOST], n_padded[CONCAT_MOST];
    void *ret; /* none of x */
    int n_sample;
    const int32_t *n;
};
int concat_cuda(const struct concat_job *job, void *stream);

/* exp(x) / sum of exp(x) over the axis of floats [n_sample][outer][axis][inner]; ret may be x. Within CUDA's expf of
 * softmax_middle. */
struct softmax_job {
    int64_t outer, axis, inner;
    const float *x;
    float *ret;
    int n_sample;
    const int32_t *n;
};
int softmax_cuda(const struct softmax_job *job, void *stream);

#ifdef __cplusplus
}
#endif
#endif
