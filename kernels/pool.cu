/* CUDA twin of pool.c: a thread for each output and piece of channels, its window clipped to the image first. */
#include "kernels/piece.h"
#include "kernels/pool_cuda.h"

enum { THREADS = 256 };

/* Where in a map the taps of one output lie. */
struct taps {
    struct window_taps down, right;
    const void *x;
    int64_t row, step; /* elements from one row, and from one tap, to the next */
    int64_t first;     /* element of the input of tap (0, 0), were it there */
};

template <bool BF16, int W>
static __device__ struct piece<W> largest(const struct pool_job &job, const struct taps &t) {
    struct piece<W> most;
#pragma unroll
    for (int e = 0; e < W; e++)
        most.value[e] = -INFINITY;
    for (int64_t ky = t.down.first; ky < t.down.last; ky++)
        for (int64_t kx = t.right.first; kx < t.right.last; kx++) {
            struct piece<W> v = piece_load<BF16, W>(job.x, t.first + ky * t.row + kx * t.step);
#pragma unroll
            for (int e = 0; e < W; e++)
                most.value[e] = pool_larger(most.value[e], v.value[e]);
        }
    return most;
}

template <bool BF16, int W>
static __device__ struct piece<W> sum(const struct pool_job &job, const struct taps &t) {
    struct piece<W> all;
#pragma unroll
    for (int e = 0; e < W; e++)
        all.value[e] = 0;
    for (int64_t ky = t.down.first; ky < t.down.last; ky++)
        for (int64_t kx = t.right.first; kx < t.right.last; kx++) {
            struct piece<W> v = piece_load<BF16, W>(job.x, t.first + ky * t.row + kx * t.step);
#pragma unroll
            for (int e = 0; e < W; e++)
                all.value[e] += v.value[e];
        }
    return all;
}

template <bool BF16, int W>
static __global__ void pool(const struct pool_job job)
{
    const struct window_shape &s = job.shape;
    unsigned pieces = (unsigned)(job.n_padded / W), width = (unsigned)s.out_size[1];
    unsigned item = blockIdx.x * THREADS + threadIdx.x, position = item / pieces;
    int64_t channel = item % pieces * W, y = position / width, x = position % width, sample = blockIdx.y;
    if (y >= s.out_size[0] || sample >= piece_samples(job.n, job.n_sample)) return;
    struct taps t = {window_taps_inside(&s, 0, y), window_taps_inside(&s, 1, x), job.x, 0, 0, 0};
    t.row = s.dilation[0] * s.in_size[1] * job.n_padded;
    t.step = s.dilation[1] * job.n_padded;
    t.first = ((sample * s.in_size[0] + t.down.origin) * s.in_size[1] + t.right.origin) * job.n_padded + channel;
    int64_t divisor = job.is_average ? pool_divisor(&s, job.count_pad, y, x) : 1;
    struct piece<W> out = job.is_average ? sum<BF16, W>(job, t) : largest<BF16, W>(job, t);
#pragma unroll
    for (int e = 0; e < W; e++) {
        if (job.is_average) out.value[e] = pool_mean(out.value[e], divisor);
        if (channel + e >= s.n_in) out.value[e] = 0;
    }
    piece_store<BF16, W>(job.ret, (sample * s.out_size[0] * s.out_size[1] + position) * job.n_padded + channel, out);
}

int pool_cuda(const struct pool_job *job, void *stream)
{
    int width = piece_width(job->bf16);
    bool whole = job->n_padded % width == 0;
    int64_t items = job->shape.out_size[0] * job->shape.out_size[1] * (job->n_padded / (whole ? width : 1));
    auto pool_kernel = PIECE_KERNEL(pool, job->bf16, whole);
    return cuda_launch(pool_kernel, dim3(piece_blocks(items, THREADS), (unsigned)job->n_sample), THREADS, 0, stream,
                       *job);
}
