/* CUDA twin of head.c: a block answers one sample. Thread by thread it sums 32 parts of every channel's mean, then warp by warp
 * the dense layers, 32 lanes being the 32 parts of a sum: the order of head.h. All weights of a usual head (33 kB) stay in L2. */
#include "kernels/finish.h"
#include "kernels/head_cuda.h"
#include "kernels/piece.h"

enum { THREADS = 512, WARPS = THREADS / 32, TILE = 128, TOGETHER = 4 };

struct shared {
    double part[HEAD_LANES]
               [TILE]; /* channel q * W + e of the tile at [e * TILE / W + q]: neighbours in different banks */
    float value[2][HEAD_WIDTH_MOST];
};

/* One part of the sums of one piece of channels. */
template <bool BF16, int W>
static __device__ inline void add_part(const struct head_job &job, int64_t sample, int64_t channel, int lane,
                                       double *part)
{
    double sum[W];
#pragma unroll
    for (int e = 0; e < W; e++)
        sum[e] = 0;
#pragma unroll 4
    for (int64_t t = lane; t < job.as.n_position; t += HEAD_LANES) {
        int64_t place = sample * job.as.n_position + t;
        struct piece<W> p = piece_load<BF16, W>(job.feature, place * job.as.n_padded + channel);
#pragma unroll
        for (int e = 0; e < W; e++)
            sum[e] += (double)p.value[e];
    }
#pragma unroll
    for (int e = 0; e < W; e++)
        part[e * (TILE / W)] = sum[e];
}

/* Means of the channels of one tile. */
template <bool BF16, int W>
static __device__ void mean_tile(const struct head_job &job, int64_t sample, int64_t c0, struct shared *s)
{
    for (int i = (int)threadIdx.x; i < HEAD_LANES * (TILE / W); i += THREADS) {
        int lane = i / (TILE / W), q = i % (TILE / W);
        if (c0 + q * W < job.as.n_padded) add_part<BF16, W>(job, sample, c0 + q * W, lane, &s->part[lane][q]);
    }
    __syncthreads();
    for (int i = (int)threadIdx.x; i < TILE; i += THREADS) {
        int64_t channel = c0 + i % (TILE / W) * W + i / (TILE / W);
        if (channel < job.as.n_channel)
            s->value[0][channel] = head_mean(head_join(&s->part[0][i], TILE), job.as.n_position);
    }
    __syncthreads();
}

/* TOGETHER outputs of a layer by one warp, so that as many sums are on their way at once. */
static __device__ inline void four_outputs(const struct head_layer &l, int o, const float *in, float *out)
{
    int lane = (int)threadIdx.x % 32;
    double sum[TOGETHER];
#pragma unroll
    for (int j = 0; j < TOGETHER; j++)
        sum[j] = 0;
    for (int k = lane; k < l.n_in; k += HEAD_LANES)
#pragma unroll
        for (int j = 0; j < TOGETHER; j++) {
            int row = o + j < l.n_out ? o + j : o; /* past the end: the first again, and not kept */
            sum[j] += (double)l.weight[(size_t)row * (size_t)l.n_in + (size_t)k] * (double)in[k];
        }
#pragma unroll
    for (int half = HEAD_LANES / 2; half; half /= 2)
#pragma unroll
        for (int j = 0; j < TOGETHER; j++)
            sum[j] += __shfl_xor_sync(0xffffffffu, sum[j], half);
#pragma unroll
    for (int j = 0; j < TOGETHER; j++)
        if (lane == j && o + j < l.n_out) out[o + j] = head_output(&l, o + j, sum[j]);
}

static __device__ void layers(const struct head_job &job, int64_t sample, struct shared *s)
{
    int n_out = (int)job.as.n_channel;
    for (int i = 0; i < job.head.n_layer; i++) {
        const struct head_layer l = job.head.layer[i];
        for (int o = (int)threadIdx.x / 32 * TOGETHER; o < l.n_out; o += WARPS * TOGETHER)
            four_outputs(l, o, s->value[i % 2], s->value[(i + 1) % 2]);
        n_out = l.n_out;
        __syncthreads();
    }
    for (int o = (int)threadIdx.x; o < n_out; o += THREADS)
        job.ret[sample * n_out + o] = s->value[job.head.n_layer % 2][o];
}

template <bool BF16, int W> static __global__ void __launch_bounds__(THREADS) answer(const struct head_job job)
{
    CUDA_DYNAMIC_SHARED(struct shared, s);
    int64_t sample = blockIdx.x;
    if (sample < piece_samples(job.n, job.n_sample)) {
        for (int64_t c0 = 0; c0 < job.as.n_channel; c0 += TILE)
            mean_tile<BF16, W>(job, sample, c0, s);
        layers(job, sample, s);
    }
    if (!job.finish.ret_done) return;
    __syncthreads();
    if (threadIdx.x == 0) finish_after(job.finish, job.counter, gridDim.x);
}

int head_cuda(const struct head_job *job, void *stream)
{
    if (!head_fits(&job->head, job->as.n_channel)) return (int)cudaErrorInvalidValue;
    bool whole = job->as.n_padded % piece_width(job->as.bf16) == 0;
    auto head_answer_kernel = PIECE_KERNEL(answer, job->as.bf16, whole);
    return cuda_launch(head_answer_kernel, (unsigned)job->n_sample, THREADS, sizeof(struct shared), stream, *job);
}
