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
#endif
