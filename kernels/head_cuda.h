/* Global average pooling and dense layers in one kernel on a GPU: the twin of head.h, one block for each sample. See
 * layout_cuda.h for what all jobs have in common. */
#ifndef BURST_KERNELS_HEAD_CUDA_H
#define BURST_KERNELS_HEAD_CUDA_H
#include "kernels/finish_cuda.h"
#include "kernels/head.h"

/* Equal to head_one to the last bit. */
struct head_job {
    struct head head; /* weights and biases in device memory */
    struct layout as;
    const void *feature; /* [n_sample] maps */
    float *ret;          /* [n_sample][head_n_out]: may be the host's memory */
    int n_sample;
    const int32_t *n;
    /* Where the head is the last kernel: it does finish_cuda's work as well, once all samples are done. ret_done NULL: it does
     * not. counter: one number of device memory for this purpose alone, 0 at first. */
    struct finish_job finish;
    uint32_t *counter;
};

#ifdef __cplusplus
extern "C"
#endif
    int
    head_cuda(const struct head_job *job, void *stream);
#endif
