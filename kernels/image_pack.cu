/* CUDA twin of image_pack.c: a thread takes one pixel of up to SAMPLES samples, so that a batch of occlusions, all of one image,
 * reads it from the host a few times and not 256. */
#include "kernels/image_pack_cuda.h"
#include "kernels/piece.h"

enum { THREADS = 128, SAMPLES = 32 };

/* Channels [channel, channel + W) of a pixel. */
template <int W> static __device__ inline struct piece<W> piece_of(const struct image_pixel &px, int64_t channel) {
    struct piece<W> p;
#pragma unroll
    for (int e = 0; e < W; e++)
        p.value[e] = channel + e == 0 ? px.snr : channel + e == 1 ? px.mask : 0.0f;
    return p;
}

template <bool BF16, int W>
static __global__ void image_pack(const struct image_pack_job job)
{
    int n_px = job.side * job.side, px = (int)(blockIdx.x * THREADS + threadIdx.x), image = -1;
    int from = (int)blockIdx.y * SAMPLES, to = piece_samples(&job.job->n_sample, job.n_sample);
    float snr = 0;
    uint8_t mask = 0;
    for (int i = from; px < n_px && i < to && i < from + SAMPLES; i++) {
        const volatile struct image_variant *v = &job.job->sample[i];
        struct image_variant now = {v->image, v->without};
        struct image_pixel out = {0, 0};
        if (now.image >= 0 && now.image < job.n_image) {
            if (now.image != image) {
                snr = job.snr[(int64_t)now.image * n_px + px];
                mask = job.mask[(int64_t)now.image * n_px + px];
                image = now.image;
            }
            out = image_pixel_without(snr, mask, px / job.side, px % job.side, job.side, now.without, &job.scaling);
        }
        int64_t first = ((int64_t)i * n_px + px) * job.as.n_padded;
        for (int64_t c = 0; c < job.as.n_padded; c += W)
            piece_store<BF16, W>(job.ret, first + c, piece_of<W>(out, c));
    }
}

int image_pack_cuda(const struct image_pack_job *job, void *stream)
{
    int n_px = job->side * job->side;
    if (job->as.n_position != n_px || job->as.n_channel != 2 || job->as.n_padded < 2 || job->n_sample > IMAGE_JOB_MOST)
        return (int)cudaErrorInvalidValue;
    bool whole = job->as.n_padded % piece_width(job->as.bf16) == 0;
    auto image_pack_kernel = PIECE_KERNEL(image_pack, job->as.bf16, whole);
    dim3 grid(piece_blocks(n_px, THREADS), piece_blocks(job->n_sample, SAMPLES));
    return cuda_launch(image_pack_kernel, grid, THREADS, 0, stream, *job);
}
