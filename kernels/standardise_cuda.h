/* Standardise many rows and bands on a GPU: the twin of standardise.h. */
#ifndef BURST_KERNELS_STANDARDISE_CUDA_H
#define BURST_KERNELS_STANDARDISE_CUDA_H
#include "kernels/standardise.h"

enum { STANDARDISE_BAND_MAX = 16 };

/* All pointers are device memory. */
struct standardise_job {
    const uint32_t *counts; /* [n_row][n_atom][n_bin] */
    const uint8_t *valid;   /* [n_row][n_bin] */
    float *ret_z;           /* [n_row][n_band][n_bin] */
    size_t n_bin;
    int n_row, n_atom, n_band;
    uint8_t first[STANDARDISE_BAND_MAX], last[STANDARDISE_BAND_MAX]; /* band b sums atoms [first, last) */
};

#ifdef __cplusplus
extern "C"
#endif
    /* Queue the work on `stream` (a cudaStream_t). Returned  the cudaError_t of the launch, 0 is good. Arithmetic and edge rules
 * as standardise_band; equal to it to the last bit, because both add integers and share standardise_one. */
    int
    standardise_cuda(const struct standardise_job *job, void *stream);
#endif
