/* Maximum and average pooling of one image: the plain C truth. */
#ifndef BURST_KERNELS_POOL_H
#define BURST_KERNELS_POOL_H
#include "kernels/window.h"
#include <stdbool.h>

/* Largest input of each window; padding is never the largest.
 * Given     x [n_in][in h][in w];  returned ret_y [n_in][out h][out w], sharing no byte with x */
void pool_max(const struct window_shape *s, const float *x, float *ret_y);

/* Mean of each window.
 * Given     count_pad  padding counts as zeros: the divisor is the window clipped to the padded image (a window that
 *                      ceil_mode lets reach past the last pad is not divided by what lies there), as in PyTorch;
 *                      otherwise the divisor is the number of inputs inside the image */
void pool_average(const struct window_shape *s, bool count_pad, const float *x, float *ret_y);
#endif
