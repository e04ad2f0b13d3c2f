/* Reorder the dimensions of a tensor: the plain C truth. */
#ifndef BURST_KERNELS_TRANSPOSE_H
#define BURST_KERNELS_TRANSPOSE_H
#include <stdint.h>

enum { TRANSPOSE_RANK_MAX = 8 };

/* Dimension i of the result is dimension perm[i] of x.
 * Given     dim [rank] shape of x, perm [rank] a permutation;  returned ret_y, sharing no byte with x */
void transpose_dims(int rank, const int64_t *dim, const int *perm, const float *x, float *ret_y);
#endif
