/* A convolution along bins with bias, residual and ReLU, channels-last: the plain C truth of our own kernel, which
 * stands beside cuDNN's engines. */
#ifndef BURST_KERNELS_CONV1D_H
#define BURST_KERNELS_CONV1D_H
#include "kernels/matrix.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { CONV1D_TAP_MOST = 7, CONV1D_CHANNEL_MOST = 256 };

/* Channels are those in memory, padding included. */
struct conv1d_shape {
    int n_in, n_out;   /* multiples of 8, n_in up to 256, n_out up to 65,536 */
    int n_tap, stride; /* 1 .. 7; 1 or 2 */
    int pad;           /* zero bins before the first: 0 .. n_tap - 1 */
    int n_bin_in,
        n_bin_out; /* each 1 .. 2^22; output t is made of bins t * stride - pad + (0 .. n_tap - 1); zero outside */
};

/* Is there a kernel for it? */
bool conv1d_fits(const struct conv1d_shape *s);

/* Weights as the kernel reads them.
 *
 * Given     s           one that fits
 *           m           as many taps; at most as many channels, the rest being padding
 * Returned  ret_packed  conv1d_packed_bytes() bytes, to lie at a multiple of 16: bias and matrix as kernels/matrix.h
 *                       packs them, outputs padded to a multiple of 16 */
size_t conv1d_packed_bytes(const struct conv1d_shape *s, enum tensor_precision precision);
void conv1d_pack(const struct conv1d_shape *s, enum tensor_precision precision, const struct matrix *m,
                 void *ret_packed);

/* y = relu(convolution of x + bias + add), on n_sample samples.
 *
 * Given     m     as conv1d_pack
 *           x     [n_sample][n_bin_in][n_in], float or bfloat16 (TENSOR_BF16)
 *           add   [n_sample][n_bin_out][n_out] as x, or NULL
 * Returned  ret_y [n_sample][n_bin_out][n_out] as x, padding 0 where that of add is; shares no byte with x or add
 * Notes     Sums as matrix_sum, then add. The FP32 kernel gives these very bits; tensor cores take the same rounded
 *           factors and add in an order of their own. Takes no memory. */
void conv1d_plain(const struct conv1d_shape *s, enum tensor_precision precision, const struct matrix *m,
                  int64_t n_sample, const void *x, const void *add, bool relu, void *ret_y);

#ifdef __cplusplus
}
#endif
#endif
