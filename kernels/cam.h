/* Grad-CAM through a dense head: which positions of the last feature map an answer rests on. The plain C truth. */
#ifndef BURST_KERNELS_CAM_H
#define BURST_KERNELS_CAM_H
#include "kernels/head.h"

/* Output `o` of a layer, its terms added in their order after the bias. */
LAYOUT_BOTH float cam_output(const struct head_layer *l, int o, const float *in)
{
    double y = l->bias ? (double)l->bias[o] : 0.0;
    for (int k = 0; k < l->n_in; k++)
        y += (double)l->weight[(size_t)o * (size_t)l->n_in + (size_t)k] * (double)in[k];
    return l->relu && y < 0 ? 0.0F : (float)y;
}

/* Does that output follow its inputs? */
LAYOUT_BOTH bool cam_is_open(const struct head_layer *l, float output)
{
    return !(l->relu && output <= 0);
}

/* Gradient at input k from the gradients `up` at a layer's outputs. */
LAYOUT_BOTH double cam_down(const struct head_layer *l, const bool *open, const double *up, int k)
{
    double sum = 0;
    for (int o = 0; o < l->n_out; o++)
        if (open[o]) sum += up[o] * (double)l->weight[(size_t)o * (size_t)l->n_in + (size_t)k];
    return sum;
}

/* One position of the map. */
LAYOUT_BOTH float cam_weight(double sum, int64_t n_position)
{
    sum /= (double)n_position; /* the pooling's share: d pooled / d A[t] */
    return sum > 0 ? (float)sum : 0.0F;
}

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
