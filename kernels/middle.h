/* Operations along the middle of a tensor seen as [outer][axis][inner]: the plain C truth. */
#ifndef BURST_KERNELS_MIDDLE_H
#define BURST_KERNELS_MIDDLE_H
#include <math.h>
#include <stdint.h>

#ifdef __CUDACC__
#define MIDDLE_BOTH static __host__ __device__ inline
#else
#define MIDDLE_BOTH static inline
#endif

MIDDLE_BOTH float scale_one(float x, float factor, float shift)
{
    return x * factor + shift;
}

/* One column of `n` values, `step` apart. */
MIDDLE_BOTH void softmax_column(int64_t n, int64_t step, const float *x, float *ret_y)
{
    float most = x[0];
    double sum = 0;
    for (int64_t a = 1; a < n; a++)
        most = x[a * step] > most ? x[a * step] : most;
    for (int64_t a = 0; a < n; a++) {
        ret_y[a * step] = expf(x[a * step] - most);
        sum += (double)ret_y[a * step];
    }
    for (int64_t a = 0; a < n; a++)
        ret_y[a * step] = (float)((double)ret_y[a * step] / sum);
}

/* Mean over the axis. Returned ret_y [outer][inner]. Sums are in double: exact enough for any feature map. */
void mean_middle(int64_t outer, int64_t axis, int64_t inner, const float *x, float *ret_y);
/* exp(x) / sum of exp(x) over the axis, computed from the largest x down so that it cannot overflow. ret_y [outer][axis][inner],
 * may be x. */
void softmax_middle(int64_t outer, int64_t axis, int64_t inner, const float *x, float *ret_y);
/* x * factor[axis] + shift[axis]. ret_y [outer][axis][inner], may be x. */
void scale_middle(int64_t outer, int64_t axis, int64_t inner, const float *x, const float *factor, const float *shift,
                  float *ret_y);
#endif
