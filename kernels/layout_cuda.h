/* Planes of floats to channels last and back on a GPU: the twin of layout.h.
 *
 * What all jobs of kernels/X_cuda.h have in common: pointers are addresses that the device can read and write (its own memory,
 * or the host's made known to it) and are frozen, with all other members, in a CUDA graph that the launch is captured into.
 * What changes from job to job is read from memory: `n` is where the device finds how many of the n_sample samples are wanted
 * (a number outside 0..n_sample counts as n_sample; NULL: all of them). Threads of samples beyond that do nothing. Feature maps
 * start at addresses that 16 divides. Functions return the cudaError_t of the launch; 0 is good. */
#ifndef BURST_KERNELS_LAYOUT_CUDA_H
#define BURST_KERNELS_LAYOUT_CUDA_H
#include "kernels/layout.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ret = x as `as` says. Equal to layout_pack to the last bit. */
struct layout_pack_job {
    struct layout as;
    const float *x; /* [n_sample][n_channel][n_position] */
    void *ret;
    int n_sample;
    const int32_t *n;
};
int layout_pack_cuda(const struct layout_pack_job *job, void *stream);

/* ret = x back again. Equal to layout_unpack to the last bit. */
struct layout_unpack_job {
    struct layout as;
    const void *x;
    float *ret; /* [n_sample][n_channel][n_position] */
    int n_sample;
    const int32_t *n;
};
int layout_unpack_cuda(const struct layout_unpack_job *job, void *stream);

#ifdef __cplusplus
}
#endif
#endif
