/* Maximum and average pooling of one image: the plain C truth. */
#ifndef BURST_KERNELS_POOL_H
#define BURST_KERNELS_POOL_H
#include "kernels/window.h"
#include <stdbool.h>

WINDOW_BOTH float pool_larger(float most, float v)
{
    return v > most ? v : most;
}

/* What the sum of the window of output (y, x) is divided by. */
WINDOW_BOTH int64_t pool_divisor(const struct window_shape *s, bool count_pad, int64_t y, int64_t x)
{
    if (count_pad) return window_taps_padded(s, 0, y) * window_taps_padded(s, 1, x);
    struct window_taps ty = window_taps_inside(s, 0, y), tx = window_taps_inside(s, 1, x);
    return (ty.last - ty.first) * (tx.last - tx.first);
}

WINDOW_BOTH float pool_mean(float sum, int64_t n)
{
    return n ? sum / (float)n : 0.0F;
}

/* Largest input of each window; padding is never the largest.
 * Given     x [n_in][in h][in w];  returned ret_y [n_in][out h][out w], sharing no byte with x */
void pool_max(const struct window_shape *s, const float *x, float *ret_y);

/* Mean of each window.
 * Given     count_pad  padding counts as zeros: the divisor is the window clipped to the padded image (a window that
 *                      ceil_mode lets reach past the last pad is not divided by what lies there), as in PyTorch;
 *                      otherwise the divisor is the number of inputs inside the image */
void pool_average(const struct window_shape *s, bool count_pad, const float *x, float *ret_y);
#endif
