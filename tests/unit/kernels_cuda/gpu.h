/* What the tests of kernels/X.cu share: memory of the device filled from the host's and read back, and numbers drawn from a
 * seed. Nothing here knows whether the device is a card or the stand-in. */
#ifndef BURST_TESTS_GPU_H
#define BURST_TESTS_GPU_H
#include "check.h"
#include <cuda_runtime_api.h>
#include <stdint.h>
#include <stdlib.h>

#define GPU_TEST(name)                                                                                                 \
    static void name##_here(void);                                                                                     \
    TEST(name)                                                                                                         \
    {                                                                                                                  \
        int n_device = 0;                                                                                              \
        if (cudaGetDeviceCount(&n_device) != cudaSuccess || !n_device) SKIP("no GPU here");                            \
        name##_here();                                                                                                 \
    }                                                                                                                  \
    static void name##_here(void)

/* A copy on the device. */
static inline void *gpu_put(const void *from, size_t bytes)
{
    void *at = NULL;
    CHECK_INT(cudaMalloc(&at, bytes ? bytes : 1), cudaSuccess);
    if (at && bytes) CHECK_INT(cudaMemcpy(at, from, bytes, cudaMemcpyHostToDevice), cudaSuccess);
    return at;
}

/* Memory of the device in which every byte is `byte`. */
static inline void *gpu_fill(int byte, size_t bytes)
{
    void *at = NULL;
    CHECK_INT(cudaMalloc(&at, bytes ? bytes : 1), cudaSuccess);
    if (at && bytes) CHECK_INT(cudaMemset(at, byte, bytes), cudaSuccess);
    return at;
}

/* Everything queued is done; the device's bytes on the host. */
static inline void *gpu_get(const void *at, size_t bytes)
{
    void *ret = malloc(bytes ? bytes : 1);
    CHECK_INT(cudaDeviceSynchronize(), cudaSuccess);
    if (bytes) CHECK_INT(cudaMemcpy(ret, at, bytes, cudaMemcpyDeviceToHost), cudaSuccess);
    return ret;
}

static inline void gpu_free(void *at)
{
    CHECK_INT(cudaFree(at), cudaSuccess);
}

static uint64_t gpu_random_state = 88172645463325252u;

static inline uint32_t gpu_random(void)
{
    gpu_random_state ^= gpu_random_state << 13;
    gpu_random_state ^= gpu_random_state >> 7;
    gpu_random_state ^= gpu_random_state << 17;
    return (uint32_t)(gpu_random_state >> 20);
}

/* Between -2 and 2, some of them 0. */
static inline float gpu_random_float(void)
{
    uint32_t x = gpu_random();
    return x % 16 ? (float)((int32_t)(x % 65536) - 32768) / 16384.0F : 0.0F;
}

static inline float *gpu_random_floats(size_t n)
{
    float *ret = malloc((n ? n : 1) * sizeof *ret);
    for (size_t i = 0; i < n; i++)
        ret[i] = gpu_random_float();
    return ret;
}
#endif
