/* The geometry that convolution and pooling share. */
#ifndef BURST_KERNELS_WINDOW_H
#define BURST_KERNELS_WINDOW_H
#include <stdint.h>

/* One image, [0] height, [1] width; height 1 throughout for one-dimensional data. Output (y, x) sees the inputs
 * y * stride - pad + dilation * (0 .. kernel - 1), of which those outside the image are padding. */
struct window_shape {
    int64_t n_in, n_out, group; /* channels; group divides both; pooling has n_in = n_out and ignores group */
    int64_t in_size[2], out_size[2];
    int64_t kernel[2], stride[2], dilation[2], pad_begin[2], pad_end[2];
};

#ifdef __CUDACC__
#define WINDOW_BOTH static __host__ __device__ inline
#else
#define WINDOW_BOTH static inline
#endif

/* The taps [first, last) of one output in one dimension, the first tap of all being at `origin`. */
struct window_taps {
    int64_t first, last, origin;
};

/* Those of output `at` in dimension d that lie in [low, high). */
WINDOW_BOTH struct window_taps window_taps_in(const struct window_shape *s, int d, int64_t at, int64_t low,
                                              int64_t high)
{
    struct window_taps t = {0, s->kernel[d], at * s->stride[d] - s->pad_begin[d]};
    while (t.first < t.last && t.origin + t.first * s->dilation[d] < low)
        t.first++;
    while (t.last > t.first && t.origin + (t.last - 1) * s->dilation[d] >= high)
        t.last--;
    return t;
}

/* Those inside the image. */
WINDOW_BOTH struct window_taps window_taps_inside(const struct window_shape *s, int d, int64_t at)
{
    return window_taps_in(s, d, at, 0, s->in_size[d]);
}

/* How many lie inside the padded image. */
WINDOW_BOTH int64_t window_taps_padded(const struct window_shape *s, int d, int64_t at)
{
    struct window_taps t = window_taps_in(s, d, at, -s->pad_begin[d], s->in_size[d] + s->pad_end[d]);
    return t.last - t.first;
}
#endif
