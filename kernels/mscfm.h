/* The multi-scale feature cross fusion module of the light-curve network as one operation: the plain C truth.
 *
 *   f0 = relu(reduce x)      1 x 1, C -> R = C / 4
 *   f1 = relu(scale_1 f0)    three taps, R -> R, one zero bin on either side; f2 of f1 and f3 of f2 in the same way
 *   y  = relu(join (f0, f1, f2, f3) + x)      1 x 1, 4 R = C -> C
 *
 * Tensors are channels-last, [sample][bin][channel], without padding channels. C is 64, 128 or 256; anything else is
 * not this module and has to be run step by step.
 *
 * Source    science.md A.10; Zhang et al., section 3. Batch norms are folded into the weights. */
#ifndef BURST_KERNELS_MSCFM_H
#define BURST_KERNELS_MSCFM_H
#include "kernels/precision.h"
#include <stdbool.h>

enum { MSCFM_SCALES = 3, MSCFM_TAPS = 3, MSCFM_CHANNEL_MOST = 256 };

/* A module's convolutions, as a plan has them: weight [n_out][n_in][taps], bias [n_out] or NULL for none. */
struct mscfm_weights {
    const float *reduce, *reduce_bias;                           /* [R][C] */
    const float *scale[MSCFM_SCALES], *scale_bias[MSCFM_SCALES]; /* [R][R][3] */
    const float *join, *join_bias;                               /* [C][4 R] */
};

/* Is there a kernel for this many channels, so many of them reduced, and so many scales? */
bool mscfm_fits(int64_t n_channel, int64_t n_reduced, int64_t n_scale);

/* Weights as the kernel reads them, made once at load.
 *
 * Given     n_channel   one that fits
 * Returned  ret_packed  mscfm_packed_bytes() bytes, to lie at a multiple of 16 on the device:
 *             float bias: reduce [R], scale 1 to 3 [R] each, join [C]; then the five matrices in the same order, as
 *             matrix_pack of kernels/matrix.h */
size_t mscfm_packed_bytes(int64_t n_channel, enum tensor_precision precision);
void mscfm_pack(int64_t n_channel, enum tensor_precision precision, const struct mscfm_weights *w, void *ret_packed);

/* The module on n_sample samples of n_bin bins.
 *
 * Given     n_channel  one that fits; n_bin and n_sample >= 1
 *           precision  x and y are float, or bfloat16 (uint16_t, kernels/bf16.h) where it is TENSOR_BF16
 *           x          [n_sample][n_bin][n_channel]
 *           scratch    [n_bin][n_channel] floats
 * Returned  ret_y      as x; shares no byte with it
 * Notes     Every sum runs in float in the order bias, k (fused multiply-add), then x: the FP32 kernel gives these
 *           very bits. Factors and the results of each convolution are rounded where the kernel rounds them (to 10
 *           bits of mantissa or to bfloat16; x stays whole where it is added), but a tensor core adds in an order of
 *           its own. A NaN in x comes out as NaN. Takes no memory. */
void mscfm_plain(int64_t n_channel, enum tensor_precision precision, const struct mscfm_weights *w, int64_t n_sample,
                 int64_t n_bin, const void *x, float *scratch, void *ret_y);
#endif
