/* CUDA twin of pointwise.c and middle.c: a thread for each piece of channels. */
#include "kernels/middle.h"
#include "kernels/piece.h"
#include "kernels/pointwise.h"
#include "kernels/pointwise_cuda.h"

enum { THREADS = 256 };

/* The piece this thread is for. */
struct item {
    bool here;       /* there is one */
    int64_t first;   /* its first element in a batch of maps */
    int64_t channel; /* its first channel */
    int64_t place;   /* sample and position together */
};

static __device__ inline struct item item_of(const struct layout &as, int w, const int32_t *n, int n_sample)
{
    unsigned pieces = (unsigned)(as.n_padded / w), i = blockIdx.x * THREADS + threadIdx.x, sample = blockIdx.y;
    struct item it;
    it.here = i < (unsigned)as.n_position * pieces && (int)sample < piece_samples(n, n_sample);
    it.channel = (int64_t)(i % pieces) * w;
    it.place = (int64_t)sample * as.n_position + i / pieces;
    it.first = it.place * as.n_padded + it.channel;
    return it;
}

static dim3 grid_of(const struct layout *as, bool whole, int n_sample)
{
    int64_t items = as->n_position * (as->n_padded / (whole ? piece_width(as->bf16) : 1));
    return dim3(piece_blocks(items, THREADS), (unsigned)n_sample);
}

static __device__ inline float apply(const struct pointwise_job &job, float x, float b, int64_t channel)
{
    float y = relu_one(x);
    if (job.op == POINTWISE_ADD) y = x + b;
    if (job.op == POINTWISE_SCALE) {
        y = scale_one(x, job.factor ? job.factor[channel] : 1.0f, job.shift[channel]);
        if (job.b) y += b;
    }
    if (job.op == POINTWISE_SIGMOID) y = sigmoid_one(x);
    return job.relu ? relu_one(y) : y;
}

template <bool BF16, int W> static __global__ void pointwise(const struct pointwise_job job)
{
    struct item it = item_of(job.as, W, job.n, job.n_sample);
    if (!it.here) return;
    struct piece<W> x = piece_load<BF16, W>(job.x, it.first);
    struct piece<W> b = x;
    if (job.b) b = piece_load<BF16, W>(job.b, it.first);
#pragma unroll
    for (int e = 0; e < W; e++)
        x.value[e] = it.channel + e < job.as.n_channel ? apply(job, x.value[e], b.value[e], it.channel + e) : 0.0f;
    piece_store<BF16, W>(job.ret, it.first, x);
}

int pointwise_cuda(const struct pointwise_job *job, void *stream)
{
    bool whole = job->as.n_padded % piece_width(job->as.bf16) == 0;
    auto pointwise_kernel = PIECE_KERNEL(pointwise, job->as.bf16, whole);
    return cuda_launch(pointwise_kernel, grid_of(&job->as, whole, job->n_sample), THREADS, 0, stream, *job);
}

template <bool BF16, int W> static __global__ void concat(const struct concat_job job)
{
    struct item it = item_of(job.as, W, job.n, job.n_sample);
    if (!it.here) return;
    int64_t channel = it.channel;
    int i = 0;
    while (i < job.n_input && channel >= job.n_channel[i])
        channel -= job.n_channel[i++];
    struct piece<W> p;
#pragma unroll
    for (int e = 0; e < W; e++)
        p.value[e] = 0;
    if (i < job.n_input) p = piece_load<BF16, W>(job.x[i], it.place * job.n_padded[i] + channel);
    piece_store<BF16, W>(job.ret, it.first, p);
}

/* Does every piece of the result come from one piece of one input? */
static bool is_whole(const struct concat_job *job)
{
    int width = piece_width(job->as.bf16);
    bool whole = job->as.n_padded % width == 0;
    for (int i = 0; i < job->n_input; i++)
        whole = whole && job->n_padded[i] % width == 0 && (i == job->n_input - 1 || job->n_channel[i] % width == 0);
    return whole;
}

int concat_cuda(const struct concat_job *job, void *stream)
{
    bool whole = is_whole(job);
    auto concat_kernel = PIECE_KERNEL(concat, job->as.bf16, whole);
    return cuda_launch(concat_kernel, grid_of(&job->as, whole, job->n_sample), THREADS, 0, stream, *job);
}

static __global__ void softmax(const struct softmax_job job)
{
    int64_t column = (int64_t)blockIdx.x * THREADS + threadIdx.x, columns = job.outer * job.inner;
    if (column >= columns * piece_samples(job.n, job.n_sample)) return;
    int64_t first = column / job.inner * job.axis * job.inner + column % job.inner;
    softmax_column(job.axis, job.inner, job.x + first, job.ret + first);
}

int softmax_cuda(const struct softmax_job *job, void *stream)
{
    return cuda_launch(softmax, piece_blocks(job->outer * job->inner * job->n_sample, THREADS), THREADS, 0, stream,
                       *job);
}
