/* Standardise light-curve bands: the one arithmetic that training and serving share. */
#ifndef BURST_KERNELS_STANDARDISE_H
#define BURST_KERNELS_STANDARDISE_H
#include <math.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __CUDACC__
#define STANDARDISE_BOTH static __host__ __device__ inline
#else
#define STANDARDISE_BOTH static inline
#endif

/* What plain C and CUDA share. */
struct standardise_scale {
    double mean, scale;
};

/* Mean and 1 / deviation of n bins with that sum and that sum of squares; scale 0 where the bins are all equal. */
STANDARDISE_BOTH struct standardise_scale standardise_scale_of(uint64_t n, uint64_t sum, double sum2)
{
    struct standardise_scale s = {n ? (double)sum / (double)n : 0.0, 0.0};
    double variance = n ? sum2 / (double)n - s.mean * s.mean : 0.0;
    if (variance > 1e-9 * (s.mean * s.mean + 1.0)) s.scale = 1.0 / sqrt(variance); /* equal bins leave only rounding */
    return s;
}

STANDARDISE_BOTH float standardise_one(uint32_t count, struct standardise_scale s)
{
    return (float)(((double)count - s.mean) * s.scale);
}

/* Sum atoms to one band, subtract the mean over valid bins and divide by their standard deviation.
 *
 * Given     counts [n_atom][n_bin]  counts per bin
 *           valid  [n_bin]          1 where the bin is data, 0 where it is missing
 *           first, last             the band is the sum of atoms [first, last)
 * Returned  ret_z  [n_bin]          unitless; missing bins are 0
 * Notes     Population deviation (divide by the number of valid bins). A band whose valid bins are all equal, or with no
 *           valid bin, becomes zeros: a dead detector must not look like a burst. Sums are exact integers, so the result
 *           does not depend on the order of summation; counts up to 2^20 per bin in 8 atoms and 4,096 bins fit.
 * Source    science.md A.9 (Zhang et al., table 2: standardise each channel); protocol.md 4. */
void standardise_band(const uint32_t *counts, const uint8_t *valid, size_t n_bin, int first, int last, float *ret_z);

/* The same for every band of a light curve.
 *
 * Given     first, last [n_band]     band b is the sum of atoms [first[b], last[b]); last[b] <= n_atom
 *           n_bin                    bins per row, for counts, valid and ret_z alike
 * Returned  ret_z [n_band][n_bin] */
void standardise_bands(const uint32_t *counts, const uint8_t *valid, size_t n_bin, const uint8_t *first,
                       const uint8_t *last, int n_band, float *ret_z);
#endif
