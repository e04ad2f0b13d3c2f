/* Sub-images to an image network's first tensor on a GPU: the twin of image_pack.h. One kernel serves a single image and a batch
 * of occluded ones. See layout_cuda.h for what all jobs have in common. */
#ifndef BURST_KERNELS_IMAGE_PACK_CUDA_H
#define BURST_KERNELS_IMAGE_PACK_CUDA_H
#include "kernels/image_pack.h"

/* Equal to image_pack_one to the last bit. A sample that names no image becomes zeros. job, snr and mask may be the host's
 * memory. */
struct image_pack_job {
    const struct image_job *job;
    const float *snr;    /* [n_image][side * side] */
    const uint8_t *mask; /* [n_image][side * side] */
    int n_image, side;
    struct image_scaling scaling;
    struct layout as; /* n_position = side * side, n_channel = 2 */
    int n_sample;     /* the batch the graph is captured for; job->n_sample of them are made */
    void *ret;        /* [n_sample] as `as` says; 16 divides the address */
};

#ifdef __cplusplus
extern "C"
#endif
    int
    image_pack_cuda(const struct image_pack_job *job, void *stream);
#endif
