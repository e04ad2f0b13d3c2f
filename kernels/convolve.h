/* Convolution of one image: the plain C truth. */
#ifndef BURST_KERNELS_CONVOLVE_H
#define BURST_KERNELS_CONVOLVE_H
#include "kernels/window.h"

/* y[o] = bias[o] + sum over (i, ky, kx) of weight[o][i][ky][kx] * x[i][...], padding being 0.
 *
 * Given     x       [n_in][in h][in w]
 *           weight  [n_out][n_in / group][kernel h][kernel w]
 *           bias    [n_out], or NULL for none
 * Returned  ret_y   [n_out][out h][out w]; shares no byte with x
 * Notes     Sums run in float32 in the order bias, i, ky, kx: the same bits on every machine, with whatever vectors it has.
 *           Takes no memory. */
void convolve_image(const struct window_shape *s, const float *x, const float *weight, const float *bias, float *ret_y);
#endif
