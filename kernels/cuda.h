/* What every kernels/X.cu includes: the words of CUDA and the one way to launch a kernel. The same source is compiled by
 * nvcc for the card and, with BURST_STANDIN defined, by a C++ compiler for the stand-in device of tests/standin
 * (docs/decisions/0012-stand-in-device.md). So: kernels and device functions are `static`; __shared__ arrays have a
 * constant size (and __align__(n), not alignas) or come from CUDA_DYNAMIC_SHARED, in templates always from that; no thread
 * waits in a loop for another. */
#ifndef BURST_KERNELS_CUDA_H
#define BURST_KERNELS_CUDA_H
#include <stddef.h>
#include <stdint.h>

#ifdef BURST_STANDIN
#include "tests/standin/device.h"
#else
#include <cuda_runtime.h>

/* `type *name`: the dynamic shared memory of this block, aligned to 16 bytes; one per kernel. */
#define CUDA_DYNAMIC_SHARED(type, name)                                                                                \
    extern __shared__ __align__(16) unsigned char cuda_dynamic_shared[];                                               \
    type *name = reinterpret_cast<type *>(cuda_dynamic_shared)

template <typename T> struct cuda_same {
    typedef T type;
};

/* Queue kernel<<<grid, block, shared_bytes, stream>>>(args...).
 *
 * Given     args   converted to the types of the kernel's parameters and copied before this returns; at most 4,096 bytes
 *           stream a cudaStream_t
 * Returned  a cudaError_t: 0, or why it could not be queued. What happens while it runs is told by later calls. */
template <typename... P>
static inline int cuda_launch(void (*kernel)(P...), dim3 grid, dim3 block, size_t shared_bytes, void *stream,
                              typename cuda_same<P>::type... args)
{
    void *at[] = {const_cast<void *>(static_cast<const void *>(&args))..., nullptr};
    return (int)cudaLaunchKernel(reinterpret_cast<const void *>(kernel), grid, block, at, shared_bytes,
                                 static_cast<cudaStream_t>(stream));
}

/* Store a word in mapped host memory after everything this thread has written before: what the host then polls for. */
static __device__ inline void cuda_store_release(uint32_t *at, uint32_t value)
{
    asm volatile("st.release.sys.u32 [%0], %1;" ::"l"(at), "r"(value) : "memory");
}

/* Load a word of mapped host memory before everything this thread reads after. */
static __device__ inline uint32_t cuda_load_acquire(const uint32_t *at)
{
    uint32_t value;
    asm volatile("ld.acquire.sys.u32 %0, [%1];" : "=r"(value) : "l"(at) : "memory");
    return value;
}
#endif

/* Let a kernel without static shared memory have as much dynamic shared memory as the device gives a block. To be called before
 * each launch that may need more than 48 KiB. The limit belongs to the kernel, not to the launch: one set to what this launch
 * needs would take it away from a larger one that another thread is about to launch, or that a graph holds. */
template <typename... P> static inline int cuda_allow_shared(void (*kernel)(P...))
{
    int device = 0, most = 0;
    cudaError_t error = cudaGetDevice(&device);
    if (!error) error = cudaDeviceGetAttribute(&most, cudaDevAttrMaxSharedMemoryPerBlockOptin, device);
    if (!error)
        error = cudaFuncSetAttribute(reinterpret_cast<const void *>(kernel),
                                     cudaFuncAttributeMaxDynamicSharedMemorySize, most);
    return (int)error;
}
#endif
