/* Dense layers and matrix products: the plain C truth. */
#ifndef BURST_KERNELS_DENSE_H
#define BURST_KERNELS_DENSE_H
#include <stdint.h>

/* y[i][j] = bias[j] + sum over l of x[i][l] * weight[j][l].
 * Given     x [m][k], weight [n][k], bias [n] or NULL;  returned ret_y [m][n], sharing no byte with x
 * Notes     Sixteen partial sums in float32, joined in a fixed order: the same bits on every machine. */
void dense_rows(int64_t m, int64_t n, int64_t k, const float *x, const float *weight, const float *bias, float *ret_y);

/* y = a x b.  Given a [m][k], b [k][n];  returned ret_y [m][n], sharing no byte with a or b. */
void matrix_multiply(int64_t m, int64_t n, int64_t k, const float *a, const float *b, float *ret_y);
#endif
