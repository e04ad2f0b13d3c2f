/* Element by element: the plain C truth. */
#ifndef BURST_KERNELS_POINTWISE_H
#define BURST_KERNELS_POINTWISE_H
#include <math.h>
#include <stdint.h>

enum { POINTWISE_RANK_MAX = 8 };

#ifdef __CUDACC__
#define POINTWISE_BOTH static __host__ __device__ inline
#else
#define POINTWISE_BOTH static inline
#endif

POINTWISE_BOTH float relu_one(float x)
{
    return x < 0 ? 0.0F : x;
}

POINTWISE_BOTH float sigmoid_one(float x)
{
    return 1 / (1 + expf(-x));
}

/* max(x, 0); ret_y may be x. NaN stays NaN, so that a broken input shows. */
void relu_all(int64_t n, const float *x, float *ret_y);
/* 1 / (1 + exp(-x)); ret_y may be x. */
void sigmoid_all(int64_t n, const float *x, float *ret_y);
/* y += x. */
void add_into(int64_t n, const float *x, float *y);
/* y = a + b over an output of shape `dim`, where a_step and b_step say how far each operand moves, in elements, per step of a
 * dimension: 0 where it is stretched. rank <= POINTWISE_RANK_MAX. */
void add_broadcast(int rank, const int64_t *dim, const float *a, const int64_t *a_step, const float *b,
                   const int64_t *b_step, float *ret_y);
#endif
