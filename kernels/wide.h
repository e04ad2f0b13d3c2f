/* Loads and stores of up to 16 bytes at once. For kernels only, after kernels/cuda.h. Addresses are multiples of the size: on
 * the card anything else is a fault, on the stand-in it ends the program. */
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
#endif
