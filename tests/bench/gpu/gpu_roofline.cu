/* What this very card can do: the roof over every figure of bench.py.
 *
 *   gpu_roofline [small]
 *
 * Prints lines with tabs between, medians of nine:
 *   copy GB_PER_S     device memory to device memory, bytes read and written, far more than its caches hold
 *   l2 GB_PER_S       the same over 8 MiB, again and again
 *   fp32|tf32|bf16 TFLOP_PER_S  multiplications and additions in registers: plain, and mma.sync on random numbers
 *   launch US         an empty kernel queued and waited for, by the wall clock
 * `small` makes every size such that the stand-in device is through in a second; its figures say nothing.
 * Hopper's wgmma reaches more than mma.sync: bench.py also times PyTorch's large matrix product and takes the larger. */
#include "kernels/bf16.h"
#include "kernels/cuda.h"
#include "kernels/mma.h"
#include <algorithm>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { TIMES = 9, CHAINS = 8, THREADS = 256 };
enum rate { RATE_FP32, RATE_TF32, RATE_BF16 };

static __global__ void copy(const float4 *from, float4 *to, size_t n, int again)
{
    size_t stride = (size_t)gridDim.x * blockDim.x;
    for (int r = 0; r < again; r++)
        for (size_t i = (size_t)blockIdx.x * blockDim.x + threadIdx.x; i < n; i += stride)
            to[i] = from[i];
}

/* Independent chains, so that none waits for another; the sum leaves so that nothing is left out. */
static __global__ void multiply_fp32(const float *x, float *ret, int n)
{
    float sum[CHAINS], a = x[threadIdx.x], b = x[threadIdx.x + THREADS];
    for (int c = 0; c < CHAINS; c++)
        sum[c] = x[threadIdx.x + (unsigned)c];
    for (int i = 0; i < n; i++)
#pragma unroll
        for (int c = 0; c < CHAINS; c++)
            sum[c] = fmaf(sum[c], a, b);
    for (int c = 1; c < CHAINS; c++)
        sum[0] += sum[c];
    ret[blockIdx.x * blockDim.x + threadIdx.x] = sum[0];
}

/* bf16: two values in a word; tf32: a float. */
template <int RATE> static __global__ void multiply_matrix(const float *x, float *ret, int n)
{
    float d[CHAINS][4] = {};
    uint32_t a[4], b[2];
    for (int i = 0; i < 4; i++) {
        float f = x[threadIdx.x + (unsigned)i], g = x[threadIdx.x + (unsigned)i + 7u];
        a[i] = RATE == RATE_BF16 ? bf16_from_float(f) | (uint32_t)bf16_from_float(g) << 16 : __float_as_uint(f);
        if (i < 2)
            b[i] = RATE == RATE_BF16 ? bf16_from_float(g) | (uint32_t)bf16_from_float(f) << 16 : __float_as_uint(g);
    }
    for (int i = 0; i < n; i++)
#pragma unroll
        for (int c = 0; c < CHAINS; c++) {
            if (RATE == RATE_BF16)
                mma_bf16_16x8x16(d[c], a, b);
            else
                mma_tf32_16x8x8(d[c], a, b);
        }
    float sum = 0;
    for (int c = 0; c < CHAINS; c++)
        sum += d[c][0] + d[c][1] + d[c][2] + d[c][3];
    ret[blockIdx.x * blockDim.x + threadIdx.x] = sum;
}

static __global__ void nothing(int)
{
}

static void must(int error, const char *what)
{
    if (error == 0) return;
    (void)fprintf(stderr, "gpu_roofline: %s: %s (%d)\n", what, cudaGetErrorString((cudaError_t)error), error);
    exit(3);
}

static double now_s(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t); /* exists on every Linux */
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Median seconds on the device of what `queue` puts on the stream. */
template <typename F> static double device_seconds(F queue)
{
    double seconds[TIMES];
    cudaEvent_t begun, ended;
    must(cudaEventCreate(&begun), "cudaEventCreate");
    must(cudaEventCreate(&ended), "cudaEventCreate");
    for (int i = -1; i < TIMES; i++) { /* the first time is not counted */
        float ms = 0;
        must(cudaEventRecord(begun, NULL), "cudaEventRecord");
        must(queue(), "cudaLaunchKernel");
        must(cudaEventRecord(ended, NULL), "cudaEventRecord");
        must(cudaEventSynchronize(ended), "cudaEventSynchronize");
        must(cudaEventElapsedTime(&ms, begun, ended), "cudaEventElapsedTime");
        if (i >= 0) seconds[i] = (double)ms * 1e-3;
    }
    (void)cudaEventDestroy(begun), (void)cudaEventDestroy(ended);
    std::sort(seconds, seconds + TIMES);
    return seconds[TIMES / 2];
}

static void *take(size_t bytes)
{
    void *p = NULL;
    must(cudaMalloc(&p, bytes), "cudaMalloc");
    return p;
}

static void tell_copy(const char *name, size_t bytes, int again, unsigned blocks)
{
    float4 *from = (float4 *)take(bytes), *to = (float4 *)take(bytes);
    must(cudaMemset(from, 0x3c, bytes), "cudaMemset");
    double s = device_seconds(
        [&] { return cuda_launch(copy, dim3(blocks), dim3(THREADS), 0, NULL, from, to, bytes / sizeof *from, again); });
    printf("%s\t%.1f\n", name, 2.0 * (double)bytes * again / s * 1e-9);
    (void)cudaFree(from), (void)cudaFree(to);
}

static void tell_rate(enum rate rate, unsigned blocks, int n)
{
    static const char *const names[] = {"fp32", "tf32", "bf16"};
    float host[2 * THREADS + 16];
    for (size_t i = 0; i < sizeof host / sizeof host[0]; i++)
        host[i] = (float)(rand() % 2001 - 1000) * 1e-3f;
    float *x = (float *)take(sizeof host), *ret = (float *)take((size_t)blocks * THREADS * sizeof *ret);
    must(cudaMemcpy(x, host, sizeof host, cudaMemcpyHostToDevice), "cudaMemcpy");
    double s = device_seconds([&] {
        dim3 grid(blocks), block(THREADS);
        if (rate == RATE_FP32) return cuda_launch(multiply_fp32, grid, block, 0, NULL, x, ret, n);
        if (rate == RATE_TF32) return cuda_launch(multiply_matrix<RATE_TF32>, grid, block, 0, NULL, x, ret, n);
        return cuda_launch(multiply_matrix<RATE_BF16>, grid, block, 0, NULL, x, ret, n);
    });
    /* Multiplications and additions of one thread: a fused one; a warp's share of 16 x 8 x 8 and of 16 x 8 x 16. */
    static const double per_thread[] = {2, 2.0 * 16 * 8 * 8 / 32, 2.0 * 16 * 8 * 16 / 32};
    printf("%s\t%.6g\n", names[rate], per_thread[rate] * (double)n * (double)(blocks * CHAINS * THREADS) / s * 1e-12);
    (void)cudaFree(x), (void)cudaFree(ret);
}

static void tell_launch(int n)
{
    double s[TIMES];
    for (int i = 0; i < TIMES; i++) {
        double begun = now_s();
        for (int k = 0; k < n; k++) {
            must(cuda_launch(nothing, dim3(1), dim3(32), 0, NULL, 0), "cudaLaunchKernel");
            must(cudaStreamSynchronize(NULL), "cudaStreamSynchronize");
        }
        s[i] = (now_s() - begun) / n;
    }
    std::sort(s, s + TIMES);
    printf("launch\t%.2f\n", s[TIMES / 2] * 1e6);
}

int main(int argc, char **argv)
{
    bool small = argc > 1 && strcmp(argv[1], "small") == 0;
    unsigned blocks = small ? 2 : 132 * 8;
    tell_copy("copy", small ? (size_t)1 << 16 : (size_t)4 << 30, 1, small ? 2 : 132 * 16);
    tell_copy("l2", small ? (size_t)1 << 14 : (size_t)8 << 20, small ? 2 : 200, blocks);
    tell_rate(RATE_FP32, blocks, small ? 2 : 20000);
    tell_rate(RATE_TF32, blocks, small ? 1 : 4000);
    tell_rate(RATE_BF16, blocks, small ? 1 : 4000);
    tell_launch(small ? 4 : 1000);
    return 0;
}
