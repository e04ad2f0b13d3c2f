/* The weights of a convolution along bins as our kernels read them, and its sums in plain C. What mscfm.h and
 * conv1d.h share. */
#ifndef BURST_KERNELS_MATRIX_H
#define BURST_KERNELS_MATRIX_H
#include "kernels/precision.h"
#include <stdbool.h>

/* As a plan has them: weight [n_out][n_in][n_tap], bias [n_out] or NULL. Input k = tap * n_in + channel, output n. */
struct matrix {
    int64_t n_in, n_out, n_tap;
    const float *weight, *bias;
};

/* Given     in_padded, out_padded  channels with padding, >= n_in and n_out; a packed weight from or to padding is 0.
 *                                  Multiples of 8 and 16
 * Returned  matrix_bytes; matrix_pack where the bytes end. Element (k, n), k = tap * in_padded + channel, is in
 *             TENSOR_FP32  float [k][out_padded]
 *             TENSOR_TF32  uint32_t [n / 16][tap][channel / 8 ][lane 32][4], the bits of rounded floats
 *             TENSOR_BF16  uint32_t [n / 16][tap][channel / 16][lane 32][4], two bfloat16 in each, the lower k in the
 *                          lower half; where in_padded is no multiple of 16, the last 8 are 0
 *           Words 0 and 1 of a lane are its fragment B (kernels/mma.h) for columns 0..7 of the 16, words 2 and 3 for
 *           8..15: a lane reads what a step of k needs at once, and a warp 512 bytes in a row. */
size_t matrix_bytes(const struct matrix *m, int64_t in_padded, int64_t out_padded, enum tensor_precision precision);
unsigned char *matrix_pack(const struct matrix *m, int64_t in_padded, int64_t out_padded,
                           enum tensor_precision precision, unsigned char *to);
/* float [out_padded]; zeros without a bias. Returns where they end. */
unsigned char *matrix_pack_bias(const struct matrix *m, int64_t out_padded, unsigned char *to);

/* A factor as the kernels multiply it: rounded to 10 bits of mantissa, to bfloat16, or not at all. */
float matrix_factor(enum tensor_precision precision, float value);

/* Rows of a sample, channels-last. */
struct matrix_rows {
    const void *at; /* float, or uint16_t as in kernels/bf16.h */
    bool bf16;
    int64_t step; /* elements from one bin to the next */
    int64_t n_bin;
};
float matrix_read(const struct matrix_rows *rows, int64_t bin, int64_t channel);
/* Bias and products of output n where tap 0 meets bin `first`; rows outside of the sample are zero. In float, in the
 * order of k, by fused multiply-add: the bits of the FP32 kernels. */
float matrix_sum(const struct matrix *m, enum tensor_precision precision, const struct matrix_rows *rows, int64_t first,
                 int64_t n);
/* max(value, 0); NaN stays NaN, so that a broken input shows. */
float matrix_relu(float value);
#endif
