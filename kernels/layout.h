/* How feature maps lie in a GPU's memory, and the way there and back: the plain C truth.
 *
 * Channels last: [sample][position][n_padded], positions row by row, channels neighbours of each other. Channels from n_channel
 * on are padding and are zero, always: whoever writes a map writes them, too. Elements are float, or bfloat16 (kernels/bf16.h). */
#ifndef BURST_KERNELS_LAYOUT_H
#define BURST_KERNELS_LAYOUT_H
#include "kernels/bf16.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __CUDACC__
#define LAYOUT_BOTH static __host__ __device__ inline
#else
#define LAYOUT_BOTH static inline
#endif

/* One sample's map. Rows of plain numbers [k] are the map {1, k, k, false}. */
struct layout {
    int64_t n_position; /* bins, or height x width */
    int64_t n_channel, n_padded;
    bool bf16;
};

/* Element i of a map, and what becomes of a number that is put there. */
LAYOUT_BOTH float layout_get(const void *at, bool bf16, int64_t i)
{
    return bf16 ? bf16_to_float(((const uint16_t *)at)[i]) : ((const float *)at)[i];
}

LAYOUT_BOTH void layout_put(void *at, bool bf16, int64_t i, float value)
{
    if (bf16)
        ((uint16_t *)at)[i] = bf16_from_float(value);
    else
        ((float *)at)[i] = value;
}

/* Elements of one sample, padding included; bytes of n samples. */
int64_t layout_elements(const struct layout *as);
size_t layout_bytes(const struct layout *as, int64_t n);

/* Given  x [n][n_channel][n_position] row-major;  returned ret, n samples as `as` says, padding zero */
void layout_pack(const struct layout *as, int64_t n, const float *x, void *ret);
/* The way back. Given  x as `as` says;  returned ret [n][n_channel][n_position] */
void layout_unpack(const struct layout *as, int64_t n, const void *x, float *ret);
/* Weights for a dense layer over a flattened map that lies channels last.
 * Given     weight [n_out][n_channel * n_position], the columns in the order [channel][position]
 * Returned  ret [n_out][n_position * n_padded], the columns in the order of the map; 0 for padding */
void layout_columns(const struct layout *as, int64_t n_out, const float *weight, float *ret);
#endif
