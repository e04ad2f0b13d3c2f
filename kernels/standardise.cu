/* CUDA twin of standardise.c: the same sums of the same integers, so that the answer does not depend on the order in which
 * threads add. One block per (row, band). */
#include "kernels/cuda.h"
#include "kernels/standardise_cuda.h"

enum { THREADS = 256 };

struct sums {
    unsigned long long n, sum, sum2; /* exact: counts up to 2^20 in 4,096 bins keep sum2 under 2^53 */
};

static __device__ unsigned band_count(const uint32_t *counts, size_t n_bin, int first, int last, size_t t)
{
    unsigned sum = 0;
    for (int a = first; a < last; a++)
        sum += counts[(size_t)a * n_bin + t];
    return sum;
}

static __device__ void add_bin(struct sums *s, unsigned long long c)
{
    s->n++;
    s->sum += c;
    s->sum2 += c * c;
}

static __device__ void reduce(struct sums *shared)
{
    for (unsigned half = THREADS / 2; half; half /= 2) {
        __syncthreads();
        if (threadIdx.x >= half) continue;
        shared[threadIdx.x].n += shared[threadIdx.x + half].n;
        shared[threadIdx.x].sum += shared[threadIdx.x + half].sum;
        shared[threadIdx.x].sum2 += shared[threadIdx.x + half].sum2;
    }
    __syncthreads();
}

static __global__ void standardise(struct standardise_job job)
{
    __shared__ struct sums shared[THREADS];
    int row = blockIdx.x, band = blockIdx.y;
    const uint32_t *counts = job.counts + (size_t)row * job.n_atom * job.n_bin;
    const uint8_t *valid = job.valid + (size_t)row * job.n_bin;
    int first = job.first[band], last = job.last[band];
    struct sums mine = {0, 0, 0};
    for (size_t t = threadIdx.x; t < job.n_bin; t += THREADS)
        if (valid[t]) add_bin(&mine, band_count(counts, job.n_bin, first, last, t));
    shared[threadIdx.x] = mine;
    reduce(shared);
    struct standardise_scale s = standardise_scale_of(shared[0].n, shared[0].sum, (double)shared[0].sum2);
    float *z = job.ret_z + ((size_t)row * job.n_band + band) * job.n_bin;
    for (size_t t = threadIdx.x; t < job.n_bin; t += THREADS)
        z[t] = valid[t] ? standardise_one(band_count(counts, job.n_bin, first, last, t), s) : 0.0f;
}

extern "C" int standardise_cuda(const struct standardise_job *job, void *stream)
{
    dim3 grid((unsigned)job->n_row, (unsigned)job->n_band);
    return cuda_launch(standardise, grid, THREADS, 0, stream, *job);
}
