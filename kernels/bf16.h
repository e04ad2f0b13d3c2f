/* bfloat16, the upper half of a float, kept in memory as uint16_t: what plain C and CUDA share. */
#ifndef BURST_KERNELS_BF16_H
#define BURST_KERNELS_BF16_H
#include <stdint.h>
#include <string.h>

#ifdef __CUDACC__
#define BF16_BOTH static __host__ __device__ inline
#else
#define BF16_BOTH static inline
#endif

/* The float with that bit pattern in its upper half: exact. */
BF16_BOTH float bf16_to_float(uint16_t x)
{
    uint32_t bits = (uint32_t)x << 16;
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* The nearest bfloat16, ties to the even one; infinities stay, and what rounds past the largest becomes one. A NaN stays
 * a NaN, made quiet, with its sign. */
BF16_BOTH uint16_t bf16_from_float(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    if ((bits & 0x7fffffffu) > 0x7f800000u) return (uint16_t)((bits >> 16) | 0x40u);
    return (uint16_t)((bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16);
}

/* The float nearest to value that a bfloat16 holds. */
BF16_BOTH float bf16_round(float value)
{
    return bf16_to_float(bf16_from_float(value));
}
#endif
