/* What the tests of convolution kernels share: random tensors, device memory with a guard behind it, and bounds on what
 * rounding may do. */
#ifndef BURST_TESTS_TENSOR_CASE_H
#define BURST_TESTS_TENSOR_CASE_H
#include "check.h"
#include "kernels/bf16.h"
#include "kernels/precision.h"
#include <cuda_runtime_api.h>
#include <stdlib.h>

static const char *const PRECISION_NAME[TENSOR_PRECISION_N] = {"fp32", "tf32", "bf16"};

static inline bool device_here(void)
{
    int n = 0;
    return cudaGetDeviceCount(&n) == cudaSuccess && n > 0;
}

static uint64_t case_state = 1;

/* Between -1 and 1. */
static inline float case_draw(void)
{
    case_state = case_state * 6364136223846793005u + 1442695040888963407u;
    return (float)(int32_t)(case_state >> 32) / 2147483648.0f;
}

static inline float *case_floats(size_t n, float scale)
{
    float *at = calloc(n, sizeof *at);
    for (size_t i = 0; scale > 0 && i < n; i++)
        at[i] = case_draw() * scale;
    return at;
}

/* Elements of a tensor as they lie in memory. */
static inline float case_get(enum tensor_precision precision, const void *at, size_t i)
{
    return precision == TENSOR_BF16 ? bf16_to_float(((const uint16_t *)at)[i]) : ((const float *)at)[i];
}

static inline void case_put(enum tensor_precision precision, void *at, size_t i, float value)
{
    if (precision == TENSOR_BF16)
        ((uint16_t *)at)[i] = bf16_from_float(value);
    else
        ((float *)at)[i] = value;
}

static inline void *case_tensor(enum tensor_precision precision, size_t n, float scale)
{
    void *at = malloc(n * precision_bytes(precision));
    for (size_t i = 0; i < n; i++)
        case_put(precision, at, i, case_draw() * scale);
    return at;
}

/* A factor as the tensor cores take it. */
static inline double case_factor(enum tensor_precision precision, float value)
{
    if (precision == TENSOR_TF32) return (double)tf32_round(value);
    return precision == TENSOR_BF16 ? (double)bf16_round(value) : (double)value;
}

/* ---- device memory ---- */

enum { GUARD = 512 };

static inline void *device_upload(const void *from, size_t bytes)
{
    void *at = NULL;
    CHECK_INT(cudaMalloc(&at, bytes), cudaSuccess);
    CHECK_INT(cudaMemcpy(at, from, bytes, cudaMemcpyHostToDevice), cudaSuccess);
    return at;
}

/* All bytes 0xff, which is NaN in every form, with a guard behind them. */
static inline void *device_poisoned(size_t bytes)
{
    void *at = NULL;
    CHECK_INT(cudaMalloc(&at, bytes + GUARD), cudaSuccess);
    CHECK_INT(cudaMemset(at, 0xff, bytes + GUARD), cudaSuccess);
    return at;
}

/* Give it back with its contents in `to`; nothing may have been written behind them. */
static inline void device_download(void *to, void *from, size_t bytes)
{
    unsigned char guard[GUARD];
    CHECK_INT(cudaDeviceSynchronize(), cudaSuccess);
    CHECK_INT(cudaMemcpy(to, from, bytes, cudaMemcpyDeviceToHost), cudaSuccess);
    CHECK_INT(cudaMemcpy(guard, (char *)from + bytes, GUARD, cudaMemcpyDeviceToHost), cudaSuccess);
    for (int i = 0; i < GUARD; i++)
        if (guard[i] != 0xff) CHECK_SAY(false, "written %d bytes behind the end", i);
    (void)cudaFree(from);
}

/* ---- bounds ---- */

/* Half a unit in the last place, relative: of floats, and of what a factor or an element is rounded to. */
static inline double case_unit(enum tensor_precision precision)
{
    return precision == TENSOR_FP32 ? 0x1p-24 : precision == TENSOR_TF32 ? 0x1p-11 : 0x1p-8;
}

/* How far two sums of the same n products may lie apart, where magnitudes add up to `sum`: n roundings to nearest in
 * the one and n that cut off, which cost twice as much, in the other (what tensor cores do is not specified). */
static inline double case_sum_bound(int64_t n, double sum)
{
    return 3 * (double)(n + 2) * 0x1p-24 * sum;
}

/* How far two numbers that lie `apart` at most, and one of which is `value`, may be apart once both are rounded. */
static inline double case_round_bound(enum tensor_precision precision, double value, double apart)
{
    return precision == TENSOR_FP32 ? apart : apart + 2 * case_unit(precision) * (fabs(value) + apart);
}
#endif
