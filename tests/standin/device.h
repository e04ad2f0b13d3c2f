/* The words of CUDA C++ for a compiler that does not know them: a kernel compiled with this header runs on the host, every
 * block and every thread of it, in an order drawn from BURST_STANDIN_SEED. A missing barrier, an array read before it is
 * written or an order of blocks taken for granted changes the result; a barrier that some threads do not reach ends the
 * program with the kernel's name. Included through kernels/cuda.h only. */
#ifndef BURST_STANDIN_DEVICE_H
#define BURST_STANDIN_DEVICE_H
#include <cuda_runtime_api.h>
#include <functional>
#include <math.h>
#include <stdint.h>
#include <string.h>
#include <tuple>

#undef __global__
#undef __device__
#undef __host__
#undef __shared__
#undef __constant__
#undef __launch_bounds__
#define __global__
#define __device__
#define __host__
#define __constant__
#define __launch_bounds__(...)

/* The __shared__ arrays of one source file lie in a section of their own, so that they can be filled with NaN before each
 * block. BURST_STANDIN is the name of the file without its ending. */
#define STANDIN_TEXT_(x)  #x
#define STANDIN_TEXT(x)   STANDIN_TEXT_(x)
#define STANDIN_SHARED_IN "standin_" STANDIN_TEXT(BURST_STANDIN)
#define __shared__        static __attribute__((section(STANDIN_SHARED_IN)))
extern unsigned char standin_shared_start[] __asm__("__start_" STANDIN_SHARED_IN)
    __attribute__((weak, visibility("hidden")));
extern unsigned char standin_shared_stop[] __asm__("__stop_" STANDIN_SHARED_IN)
    __attribute__((weak, visibility("hidden")));

struct standin_thread {
    uint3 threadIdx, blockIdx;
    dim3 blockDim, gridDim;
};
/* The thread this code is executed for. It does not change within one run of a kernel. */
const struct standin_thread *standin_here(void) __attribute__((const));
#define threadIdx (standin_here()->threadIdx)
#define blockIdx  (standin_here()->blockIdx)
#define blockDim  (standin_here()->blockDim)
#define gridDim   (standin_here()->gridDim)
static const int warpSize = 32;

/* Where in the source a thread waits: threads that wait at different places do not wait for each other. */
struct standin_place {
    const char *file;
    int line;
};
enum standin_vote { STANDIN_COUNT, STANDIN_AND, STANDIN_OR };
int standin_barrier(enum standin_vote, int predicate, struct standin_place);
/* Every lane of `mask` brings a record of its own; when the last of them has come, op is run once with all records (lane[i]
 * is NULL for a lane outside of mask) and may write into them; then the lanes go on. */
typedef void standin_op(void *const lane[32], unsigned mask);
void standin_collective(unsigned mask, standin_op *op, void *mine, struct standin_place);
void *standin_dynamic_shared(void);
void standin_fence(void);
__attribute__((noreturn)) void standin_trap(struct standin_place);

#define STANDIN_PLACE const char *file = __builtin_FILE(), int line = __builtin_LINE()
static inline void __syncthreads(STANDIN_PLACE)
{
    (void)standin_barrier(STANDIN_COUNT, 1, {file, line});
}
static inline int __syncthreads_count(int predicate, STANDIN_PLACE)
{
    return standin_barrier(STANDIN_COUNT, predicate, {file, line});
}
static inline int __syncthreads_and(int predicate, STANDIN_PLACE)
{
    return standin_barrier(STANDIN_AND, predicate, {file, line});
}
static inline int __syncthreads_or(int predicate, STANDIN_PLACE)
{
    return standin_barrier(STANDIN_OR, predicate, {file, line});
}
static inline void __trap(STANDIN_PLACE)
{
    standin_trap({file, line});
}
static inline void __threadfence(void)
{
    standin_fence();
}
static inline void __threadfence_block(void)
{
    standin_fence();
}
static inline void __threadfence_system(void)
{
    standin_fence();
}
static inline void cuda_store_release(uint32_t *at, uint32_t value)
{
    __atomic_store_n(at, value, __ATOMIC_RELEASE);
}
static inline uint32_t cuda_load_acquire(const uint32_t *at)
{
    return __atomic_load_n(at, __ATOMIC_ACQUIRE);
}

#define CUDA_DYNAMIC_SHARED(type, name) type *name = static_cast<type *>(standin_dynamic_shared())

#include "tests/standin/device_math.h"
#include "tests/standin/device_warp.h"

/* A launch: what cuda_launch of kernels/cuda.h makes of its arguments, with the kernel's name taken from the text. */
struct standin_kernel {
    const char *text;
    const void *function;
    dim3 grid, block;
    size_t shared_bytes;
    unsigned char *shared, *shared_end; /* the file's __shared__ arrays */
    size_t argument_bytes;
    std::function<void()> body; /* one thread: the kernel with its arguments, copied when it was queued */
};
int standin_launch(const struct standin_kernel *, void *stream);

template <typename T> struct cuda_same {
    typedef T type;
};

template <typename... P>
static inline int standin_cuda_launch(const char *text, void (*kernel)(P...), dim3 grid, dim3 block,
                                      size_t shared_bytes, void *stream, typename cuda_same<P>::type... args)
{
    std::function<void()> body = [=] { kernel(args...); };
    size_t bytes = (size_t)0;
    (void)std::initializer_list<size_t>{(size_t)0, (bytes += sizeof(P))...};
    struct standin_kernel k = {text,
                               reinterpret_cast<const void *>(kernel),
                               grid,
                               block,
                               shared_bytes,
                               standin_shared_start,
                               standin_shared_stop,
                               bytes,
                               body};
    return standin_launch(&k, stream);
}
#define cuda_launch(...) standin_cuda_launch(#__VA_ARGS__, __VA_ARGS__)
#endif
