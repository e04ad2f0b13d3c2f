/* A convolution along bins on a GPU, in one kernel of ours: the twin of conv1d.h. */
#ifndef BURST_KERNELS_CONV1D_CUDA_H
#define BURST_KERNELS_CONV1D_CUDA_H
#include "kernels/conv1d.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { CONV1D_TILE_N = 4 };

/* All pointers are device memory, at multiples of 16. */
struct conv1d_job {
    const void *x;       /* [n_sample][n_bin_in][n_in] */
    const void *add;     /* [n_sample][n_bin_out][n_out], or NULL */
    void *y;             /* the same; shares no byte with x or add */
    const void *weights; /* conv1d_pack() of this shape and precision */
    struct conv1d_shape shape;
    int n_sample; /* 1 .. 65,535 */
    enum tensor_precision precision;
    bool relu;
    int tile; /* one of conv1d_tiles() */
};

/* How a block may cut the output; which is fastest depends on device and sizes, and is for the caller to time.
 *
 * Given     s            one that fits
 *           shared_most  bytes of shared memory a block may have (cudaDevAttrMaxSharedMemoryPerBlockOptin)
 * Returned  how many; the first so many of ret_tile, small ones first: numbers from 0 to CONV1D_TILE_N - 1. 0 where
 *           the shape does not fit, or the device is too small. */
int conv1d_tiles(const struct conv1d_shape *s, enum tensor_precision precision, size_t shared_most,
                 int ret_tile[CONV1D_TILE_N]);
/* Bytes of shared memory of a block; bins and channels of the output that it makes. */
size_t conv1d_shared_bytes(const struct conv1d_shape *s, enum tensor_precision precision, int tile);
void conv1d_tile_size(int tile, int *ret_bins, int *ret_channels);

/* Queue the work on `stream` (a cudaStream_t; it may be capturing). Returned  the cudaError_t of the launch, 0 is good;
 * cudaErrorInvalidValue (1) for a job outside the limits above. */
int conv1d_cuda(const struct conv1d_job *job, void *stream);

#ifdef __cplusplus
}
#endif
#endif
