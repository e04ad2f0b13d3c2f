/* Grad-CAM on a GPU: the twin of cam.h, one block for each sample. See layout_cuda.h for what all jobs have in common. */
#ifndef BURST_KERNELS_CAM_CUDA_H
#define BURST_KERNELS_CAM_CUDA_H
#include "kernels/cam.h"

/* Equal to cam_one to the last bit. */
struct cam_job {
    struct head head; /* weights and biases in device memory */
    struct layout as;
    const void *feature; /* [n_sample] maps */
    int index;
    float *ret; /* [n_sample][n_position]: may be the host's memory */
    int n_sample;
    const int32_t *n;
};

#ifdef __cplusplus
extern "C"
#endif
    int
    cam_cuda(const struct cam_job *job, void *stream);
#endif
