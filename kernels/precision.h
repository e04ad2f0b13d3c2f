/* What tensors between the convolutions of a network are kept and multiplied in on a GPU. */
#ifndef BURST_KERNELS_PRECISION_H
#define BURST_KERNELS_PRECISION_H
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef __CUDACC__
#define PRECISION_BOTH static __host__ __device__ inline
#else
#define PRECISION_BOTH static inline
#endif

enum tensor_precision {
    TENSOR_FP32, /* float; products and sums in float */
    TENSOR_TF32, /* float in memory; factors rounded to 10 bits of mantissa, sums in float */
    TENSOR_BF16, /* bfloat16 in memory; sums in float */
    TENSOR_PRECISION_N
};

/* Bytes of one element in memory. */
PRECISION_BOTH size_t precision_bytes(enum tensor_precision p)
{
    return p == TENSOR_BF16 ? 2 : 4;
}

/* The nearest number with 10 bits of mantissa, halves away from zero; NaN and infinity stay: PTX's cvt.rna.tf32.f32,
 * bit by bit. What a tensor core does with bits that are not rounded away is not defined (PTX ISA 9.0, mma). */
PRECISION_BOTH float tf32_round(float value)
{
#ifdef __CUDA_ARCH__
    uint32_t bits;
    asm("cvt.rna.tf32.f32 %0, %1;" : "=r"(bits) : "f"(value));
    return __uint_as_float(bits & 0xffffe000u);
#else
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    if ((bits & 0x7fffffffu) > 0x7f800000u) return value;
    bits = (bits + 0x1000u) & 0xffffe000u;
    memcpy(&value, &bits, sizeof bits);
    return value;
#endif
}
#endif
