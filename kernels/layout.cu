/* CUDA twin of layout.c: tiles of 32 positions by 32 channels, turned round in shared memory so that both sides are read and
 * written in neighbouring addresses. */
#include "kernels/layout_cuda.h"
#include "kernels/piece.h"

enum { TILE = 32, THREADS = 256 };

/* [channel][position]; a column more than needed keeps neighbours in different banks. */
typedef float tile[TILE][TILE + 1];

template <bool BF16, int W> static __global__ void pack(const struct layout_pack_job job)
{
    CUDA_DYNAMIC_SHARED(tile, turn);
    int sample = (int)blockIdx.z;
    if (sample >= piece_samples(job.n, job.n_sample)) return;
    int64_t p0 = (int64_t)blockIdx.x * TILE, c0 = (int64_t)blockIdx.y * TILE;
    const float *x = job.x + sample * job.as.n_channel * job.as.n_position;
    for (int i = (int)threadIdx.x; i < TILE * TILE; i += THREADS) {
        int64_t c = c0 + i / TILE, p = p0 + i % TILE;
        bool inside = c < job.as.n_channel && p < job.as.n_position;
        (*turn)[i / TILE][i % TILE] = inside ? x[c * job.as.n_position + p] : 0.0f;
    }
    __syncthreads();
    for (int i = (int)threadIdx.x; i < TILE * (TILE / W); i += THREADS) {
        int p = i / (TILE / W), c = i % (TILE / W) * W;
        if (p0 + p >= job.as.n_position || c0 + c >= job.as.n_padded) continue;
        struct piece<W> out;
#pragma unroll
        for (int e = 0; e < W; e++)
            out.value[e] = (*turn)[c + e][p];
        int64_t position = sample * job.as.n_position + p0 + p;
        piece_store<BF16, W>(job.ret, position * job.as.n_padded + c0 + c, out);
    }
}

template <bool BF16, int W> static __global__ void unpack(const struct layout_unpack_job job)
{
    CUDA_DYNAMIC_SHARED(tile, turn);
    int sample = (int)blockIdx.z;
    if (sample >= piece_samples(job.n, job.n_sample)) return;
    int64_t p0 = (int64_t)blockIdx.x * TILE, c0 = (int64_t)blockIdx.y * TILE;
    for (int i = (int)threadIdx.x; i < TILE * (TILE / W); i += THREADS) {
        int p = i / (TILE / W), c = i % (TILE / W) * W;
        if (p0 + p >= job.as.n_position || c0 + c >= job.as.n_padded) continue;
        int64_t position = sample * job.as.n_position + p0 + p;
        struct piece<W> in = piece_load<BF16, W>(job.x, position * job.as.n_padded + c0 + c);
#pragma unroll
        for (int e = 0; e < W; e++)
            (*turn)[c + e][p] = in.value[e];
    }
    __syncthreads();
    float *ret = job.ret + sample * job.as.n_channel * job.as.n_position;
    for (int i = (int)threadIdx.x; i < TILE * TILE; i += THREADS) {
        int64_t c = c0 + i / TILE, p = p0 + i % TILE;
        if (c < job.as.n_channel && p < job.as.n_position) ret[c * job.as.n_position + p] = (*turn)[i / TILE][i % TILE];
    }
}

static dim3 grid_of(const struct layout *as, int n_sample)
{
    return dim3(piece_blocks(as->n_position, TILE), piece_blocks(as->n_padded, TILE), (unsigned)n_sample);
}

int layout_pack_cuda(const struct layout_pack_job *job, void *stream)
{
    bool whole = job->as.n_padded % piece_width(job->as.bf16) == 0;
    auto layout_pack_kernel = PIECE_KERNEL(pack, job->as.bf16, whole);
    return cuda_launch(layout_pack_kernel, grid_of(&job->as, job->n_sample), THREADS, sizeof(tile), stream, *job);
}

int layout_unpack_cuda(const struct layout_unpack_job *job, void *stream)
{
    bool whole = job->as.n_padded % piece_width(job->as.bf16) == 0;
    auto layout_unpack_kernel = PIECE_KERNEL(unpack, job->as.bf16, whole);
    return cuda_launch(layout_unpack_kernel, grid_of(&job->as, job->n_sample), THREADS, sizeof(tile), stream, *job);
}
