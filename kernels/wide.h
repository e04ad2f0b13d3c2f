/* Loads and stores of up to 16 bytes at once, and products of four. For kernels only, after kernels/cuda.h. Addresses
 * are multiples of the size: on the card anything else is a fault, on the stand-in it ends the program. */
#ifndef BURST_KERNELS_WIDE_H
#define BURST_KERNELS_WIDE_H

#ifdef BURST_STANDIN
template <typename T> static inline void wide_check(const void *at)
{
    if ((uintptr_t)at % sizeof(T)) __trap();
}

template <typename T> static inline T wide_load(const void *at)
{
    wide_check<T>(at);
    T value;
    memcpy(&value, at, sizeof value);
    return value;
}

template <typename T> static inline T wide_load_constant(const void *at)
{
    return wide_load<T>(at);
}

template <typename T> static inline void wide_store(void *at, T value)
{
    wide_check<T>(at);
    memcpy(at, &value, sizeof value);
}
#else
template <typename T> static __device__ inline T wide_load(const void *at)
{
    return *static_cast<const T *>(at);
}

/* From device memory that nothing writes while this kernel runs. */
template <typename T> static __device__ inline T wide_load_constant(const void *at)
{
    return __ldg(static_cast<const T *>(at));
}

template <typename T> static __device__ inline void wide_store(void *at, T value)
{
    *static_cast<T *>(at) = value;
}
#endif

/* Four neighbouring columns of a sum: four factors, lowest k first, times a row of weights each; fused
 * multiply-adds. */
static __device__ inline void wide_multiply(float4 *sum, float4 x, const float4 w[4])
{
    const float factor[4] = {x.x, x.y, x.z, x.w};
#pragma unroll
    for (int i = 0; i < 4; i++) {
        sum->x = __fmaf_rn(factor[i], w[i].x, sum->x);
        sum->y = __fmaf_rn(factor[i], w[i].y, sum->y);
        sum->z = __fmaf_rn(factor[i], w[i].z, sum->z);
        sum->w = __fmaf_rn(factor[i], w[i].w, sum->w);
    }
}

/* Rows of weights that a thread with so many sums of four columns asks for at once: as many as its registers hold,
 * because the way to L2 and back takes as long as some hundred multiplications. */
static __host__ __device__ constexpr int wide_ahead(int n_sum)
{
    return n_sum <= 1 ? 32 : n_sum <= 4 ? 16 : n_sum <= 8 ? 8 : 4;
}
#endif
