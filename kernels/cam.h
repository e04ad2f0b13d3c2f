/* Grad-CAM through a dense head: which positions of the last feature map an answer rests on. The plain C truth. */
#ifndef BURST_KERNELS_CAM_H
#define BURST_KERNELS_CAM_H
#include "kernels/head.h"

/* Map of one sample.
 *
 * Given     h        head_fits, n_layer >= 1
 *           as       how the feature map lies
 *           index    0..head_n_out-1: the answer to be explained
 * Returned  ret [n_position]  max(0, sum over channels k of g_k A[k][t]); g_k = d answer / d A[k][t] by the chain rule, the same
 *                    for every t: the pooling divides by the number of positions
 * Notes     Sums are in double, in the order of positions, channels and outputs. A ReLU at zero is closed.
 * Source    Selvaraju et al. 2017 */
void cam_one(const struct head *h, const struct layout *as, const void *feature, int index, float *ret);
/* The same of a feature map [n_channel][n_position] of floats, row-major. */
void cam_plane(const struct head *h, int64_t n_channel, int64_t n_position, const float *feature, int index,
               float *ret);
#endif
