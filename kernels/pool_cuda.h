/* Maximum and average pooling of channels-last maps on a GPU: the twin of pool.h. See layout_cuda.h for what all jobs have in
 * common. */
#ifndef BURST_KERNELS_POOL_CUDA_H
#define BURST_KERNELS_POOL_CUDA_H
#include "kernels/pool.h"
#include <stdbool.h>

/* Equal to pool_max and pool_average to the last bit before a result is rounded to bfloat16. */
struct pool_job {
    struct window_shape shape; /* n_in channels */
    bool is_average;           /* else the maximum */
    bool count_pad;            /* as pool_average */
    bool bf16;                 /* of x and ret alike */
    int64_t n_padded;
    const void *x; /* [n_sample][in h][in w][n_padded] */
    void *ret;     /* [n_sample][out h][out w][n_padded] */
    int n_sample;
    const int32_t *n;
};

#ifdef __cplusplus
extern "C"
#endif
    int
    pool_cuda(const struct pool_job *job, void *stream);
#endif
