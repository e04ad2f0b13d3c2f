/* The end of a network: global average pooling and up to HEAD_LAYERS dense layers. The plain C truth. */
#ifndef BURST_KERNELS_HEAD_H
#define BURST_KERNELS_HEAD_H
#include "kernels/layout.h"

enum { HEAD_LAYERS = 8, HEAD_WIDTH_MOST = 1024 };

struct head_layer {
    int n_in, n_out;     /* 1..HEAD_WIDTH_MOST */
    const float *weight; /* [n_out][n_in] */
    const float *bias;   /* [n_out], or NULL */
    bool relu;
};

/* layer[0].n_in is the map's number of channels, layer[i + 1].n_in is layer[i].n_out. Without layers the means are the answer. */
struct head {
    int n_layer;
    struct head_layer layer[HEAD_LAYERS];
};

enum { HEAD_LANES = 32 };

/* Four, and all 32, parts of a sum, `step` apart, joined by halves: part i and part i + 16, of those i and i + 8 ... */
LAYOUT_BOTH double head_join_four(const double *part, int64_t step)
{
    return (part[0] + part[16 * step]) + (part[8 * step] + part[24 * step]);
}

LAYOUT_BOTH double head_join(const double *part, int64_t step)
{
    double even = (head_join_four(part, step) + head_join_four(part + 4 * step, step)) +
                  (head_join_four(part + 2 * step, step) + head_join_four(part + 6 * step, step));
    double odd = (head_join_four(part + step, step) + head_join_four(part + 5 * step, step)) +
                 (head_join_four(part + 3 * step, step) + head_join_four(part + 7 * step, step));
    return even + odd;
}

LAYOUT_BOTH float head_mean(double sum, int64_t n_position)
{
    return (float)(sum / (double)n_position);
}

/* Output `o` of a layer from its sum without bias. */
LAYOUT_BOTH float head_output(const struct head_layer *l, int o, double sum)
{
    double y = sum + (l->bias ? (double)l->bias[o] : 0.0);
    return l->relu && y < 0 ? 0.0F : (float)y;
}

#ifdef __cplusplus
extern "C" {
#endif

/* Do the widths of the layers follow from each other, and fit? */
bool head_fits(const struct head *h, int64_t n_channel);
/* Numbers in an answer. */
int head_n_out(const struct head *h, int64_t n_channel);

/* Answer one sample.
 * Given     feature  one map as `as` says; head_fits
 * Returned  ret      [head_n_out]
 * Notes     Sums are in double, in an order that the GPU can keep: HEAD_LANES parts, each of every HEAD_LANES-th term, joined by
 *           halves. Between layers numbers are rounded to float. */
void head_one(const struct head *h, const struct layout *as, const void *feature, float *ret);

#ifdef __cplusplus
}
#endif
#endif
