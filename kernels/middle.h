/* Operations along the middle of a tensor seen as [outer][axis][inner]: the plain C truth. */
#ifndef BURST_KERNELS_MIDDLE_H
#define BURST_KERNELS_MIDDLE_H
#include <stdint.h>

/* Mean over the axis. Returned ret_y [outer][inner]. Sums are in double: exact enough for any feature map. */
void mean_middle(int64_t outer, int64_t axis, int64_t inner, const float *x, float *ret_y);
/* exp(x) / sum of exp(x) over the axis, computed from the largest x down so that it cannot overflow. ret_y [outer][axis][inner],
 * may be x. */
void softmax_middle(int64_t outer, int64_t axis, int64_t inner, const float *x, float *ret_y);
/* x * factor[axis] + shift[axis]. ret_y [outer][axis][inner], may be x. */
void scale_middle(int64_t outer, int64_t axis, int64_t inner, const float *x, const float *factor, const float *shift,
                  float *ret_y);
#endif
