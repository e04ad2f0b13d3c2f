/* CUDA twin of cam.c: a block makes one map, its threads being channels, outputs, inputs and positions in turn. Every sum keeps the
 * order of plain C. It runs when somebody asks why, so it is short rather than fast. */
#include "kernels/cam_cuda.h"
#include "kernels/piece.h"

enum { THREADS = 256 };

struct shared {
    double gradient[2][HEAD_WIDTH_MOST];
    float value[2][HEAD_WIDTH_MOST];
    bool open[HEAD_LAYERS][HEAD_WIDTH_MOST];
};

static __device__ inline double map_get(const struct cam_job &job, int64_t sample, int64_t channel, int64_t position)
{
    int64_t place = sample * job.as.n_position + position;
    return (double)layout_get(job.feature, job.as.bf16, place * job.as.n_padded + channel);
}

static __device__ void forward(const struct cam_job &job, int64_t sample, struct shared *s)
{
    for (int k = (int)threadIdx.x; k < job.as.n_channel; k += THREADS) {
        double sum = 0;
        for (int64_t t = 0; t < job.as.n_position; t++)
            sum += map_get(job, sample, k, t);
        s->value[0][k] = head_mean(sum, job.as.n_position);
    }
    for (int i = 0; i < job.head.n_layer; i++) {
        const struct head_layer l = job.head.layer[i];
        __syncthreads();
        for (int o = (int)threadIdx.x; o < l.n_out; o += THREADS) {
            float y = cam_output(&l, o, s->value[i % 2]);
            s->value[(i + 1) % 2][o] = y;
            s->open[i][o] = cam_is_open(&l, y);
        }
    }
}

/* Gradients at the input of layer i lie in gradient[i % 2]. */
static __device__ void backward(const struct cam_job &job, struct shared *s)
{
    for (int o = (int)threadIdx.x; o < HEAD_WIDTH_MOST; o += THREADS)
        s->gradient[job.head.n_layer % 2][o] = o == job.index;
    for (int i = job.head.n_layer - 1; i >= 0; i--) {
        const struct head_layer l = job.head.layer[i];
        __syncthreads();
        for (int k = (int)threadIdx.x; k < l.n_in; k += THREADS)
            s->gradient[i % 2][k] = cam_down(&l, s->open[i], s->gradient[(i + 1) % 2], k);
    }
    __syncthreads();
}

static __global__ void cam(const struct cam_job job)
{
    CUDA_DYNAMIC_SHARED(struct shared, s);
    int64_t sample = blockIdx.x;
    if (sample >= piece_samples(job.n, job.n_sample)) return;
    forward(job, sample, s);
    backward(job, s);
    for (int64_t t = threadIdx.x; t < job.as.n_position; t += THREADS) {
        double sum = 0;
        for (int k = 0; k < job.as.n_channel; k++)
            sum += s->gradient[0][k] * map_get(job, sample, k, t);
        job.ret[sample * job.as.n_position + t] = cam_weight(sum, job.as.n_position);
    }
}

int cam_cuda(const struct cam_job *job, void *stream)
{
    if (!head_fits(&job->head, job->as.n_channel) || job->head.n_layer < 1) return (int)cudaErrorInvalidValue;
    return cuda_launch(cam, (unsigned)job->n_sample, THREADS, sizeof(struct shared), stream, *job);
}
