/* The plain C truth of standardise.h. */
#include "kernels/standardise.h"

static uint32_t band_count(const uint32_t *counts, size_t n_bin, int first, int last, size_t t)
{
    uint32_t sum = 0;
    for (int a = first; a < last; a++)
        sum += counts[(size_t)a * n_bin + t];
    return sum;
}

void standardise_band(const uint32_t *counts, const uint8_t *valid, size_t n_bin, int first, int last, float *ret_z)
{
    uint64_t n = 0, sum = 0;
    double sum2 = 0; /* exact below 2^53: squares of integers, whatever their order */
    for (size_t t = 0; t < n_bin; t++) {
        if (!valid[t]) continue;
        uint64_t c = band_count(counts, n_bin, first, last, t);
        n++;
        sum += c;
        sum2 += (double)(c * c);
    }
    struct standardise_scale s = standardise_scale_of(n, sum, sum2);
    for (size_t t = 0; t < n_bin; t++)
        ret_z[t] = valid[t] ? standardise_one(band_count(counts, n_bin, first, last, t), s) : 0.0f;
}

void standardise_bands(const uint32_t *counts, const uint8_t *valid, size_t n_bin, const uint8_t *first,
                       const uint8_t *last, int n_band, float *ret_z)
{
    for (int b = 0; b < n_band; b++)
        standardise_band(counts, valid, n_bin, first[b], last[b], ret_z + (size_t)b * n_bin);
}
