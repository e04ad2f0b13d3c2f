/* The MSCFM on a GPU, five convolutions and a concatenation in one kernel: the twin of mscfm.h. */
#ifndef BURST_KERNELS_MSCFM_CUDA_H
#define BURST_KERNELS_MSCFM_CUDA_H
#include "kernels/mscfm.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { MSCFM_TILE_N = 4 };

/* All pointers are device memory, at multiples of 16. */
struct mscfm_job {
    const void *x;       /* [n_sample][n_bin][n_channel] */
    void *y;             /* the same; shares no byte with x */
    const void *weights; /* mscfm_pack() of this precision */
    int n_channel;       /* one that fits */
    int n_bin, n_sample; /* 1 .. 2^22, 1 .. 65,535 */
    enum tensor_precision precision;
    int tile; /* one of mscfm_tiles() */
};

/* The bins a block may take at once, least first; which is fastest depends on device, n_bin and n_sample, and is for
 * the caller to time. Small tiles spread a single sample over many multiprocessors; large ones compute fewer bins
 * twice (3 on either side of a tile) and read the weights less often.
 *
 * Given     shared_most  bytes of shared memory a block may have (cudaDevAttrMaxSharedMemoryPerBlockOptin)
 * Returned  how many; the first so many of ret_tile. 0 where the device is too small. */
int mscfm_tiles(int n_channel, enum tensor_precision precision, size_t shared_most, int ret_tile[MSCFM_TILE_N]);
/* Bytes of shared memory of a block. */
size_t mscfm_shared_bytes(int n_channel, enum tensor_precision precision, int tile);

/* Queue the work on `stream` (a cudaStream_t; it may be capturing). Returned  the cudaError_t of the launch, 0 is good;
 * cudaErrorInvalidValue (1) for a job outside the limits above. */
int mscfm_cuda(const struct mscfm_job *job, void *stream);

#ifdef __cplusplus
}
#endif
#endif
