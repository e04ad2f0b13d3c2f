/* What the kernels on feature maps have in common, for kernels/X.cu only: sixteen bytes of a map at once where its channels come
 * in such pieces, one element where they do not; and how many samples a job has. */
#ifndef BURST_KERNELS_PIECE_H
#define BURST_KERNELS_PIECE_H
#include "kernels/cuda.h"
#include "kernels/layout.h"
#include "kernels/wide.h"

/* W elements: 1, or as many as 16 bytes hold. Indices are known when the kernel is compiled, so that they stay in registers. */
template <int W> struct piece {
    float value[W];
};

/* The elements [first, first + W) of a map; W divides `first`. */
template <bool BF16, int W> static __device__ inline struct piece<W> piece_load(const void *at, int64_t first) {
    static_assert(W == 1 || W == (BF16 ? 8 : 4), "one element or sixteen bytes");
    struct piece<W> p;
    if (W == 1) {
        p.value[0] = layout_get(at, BF16, first);
    } else if (BF16) {
        uint4 x = wide_load<uint4>(static_cast<const uint16_t *>(at) + first);
        const uint32_t word[4] = {x.x, x.y, x.z, x.w};
#pragma unroll
        for (int i = 0; i < W; i++)
            p.value[i] = bf16_to_float((uint16_t)(word[i / 2] >> (i % 2 * 16)));
    } else {
        float4 x = wide_load<float4>(static_cast<const float *>(at) + first);
        const float value[4] = {x.x, x.y, x.z, x.w};
#pragma unroll
        for (int i = 0; i < W; i++)
            p.value[i] = value[i % 4];
    }
    return p;
}

template <bool BF16, int W>
static __device__ inline void piece_store(void *at, int64_t first, const struct piece<W> &p)
{
    if (W == 1) {
        layout_put(at, BF16, first, p.value[0]);
    } else if (BF16) {
        uint32_t word[4] = {0, 0, 0, 0};
#pragma unroll
        for (int i = 0; i < W; i++)
            word[i / 2 % 4] |= (uint32_t)bf16_from_float(p.value[i]) << (i % 2 * 16);
        uint4 x = {word[0], word[1], word[2], word[3]};
        wide_store(static_cast<uint16_t *>(at) + first, x);
    } else {
        float4 x = {p.value[0], p.value[1 % W], p.value[2 % W], p.value[3 % W]};
        wide_store(static_cast<float *>(at) + first, x);
    }
}

/* Elements in sixteen bytes. */
static inline int piece_width(bool bf16)
{
    return bf16 ? 8 : 4;
}

/* Samples wanted: layout_cuda.h. */
static __device__ inline int piece_samples(const int32_t *n, int n_sample)
{
    if (!n) return n_sample;
    int wanted = *static_cast<const volatile int32_t *>(n);
    return wanted >= 0 && wanted <= n_sample ? wanted : n_sample;
}

/* The instance of a kernel template <bool BF16, int W> for maps of that kind. */
#define PIECE_KERNEL(kernel, bf16, whole)                                                                              \
    ((bf16) ? ((whole) ? kernel<true, 8> : kernel<true, 1>) : ((whole) ? kernel<false, 4> : kernel<false, 1>))

static inline unsigned piece_blocks(int64_t items, int per_block)
{
    return (unsigned)((items + per_block - 1) / per_block);
}
#endif
