/* The last word of a CUDA graph: tell the host that its answers are there. */
#ifndef BURST_KERNELS_FINISH_CUDA_H
#define BURST_KERNELS_FINISH_CUDA_H
#include <stdint.h>

/* The number at `sequence` is stored at `ret_done` after everything that earlier kernels of the stream wrote, to the host's
 * memory as well, can be seen there. Both are the host's memory, or the device's. */
struct finish_job {
    const uint32_t *sequence;
    uint32_t *ret_done;
};

#ifdef __cplusplus
extern "C"
#endif
    /* Queue the work on `stream`. Returned  the cudaError_t of the launch, 0 is good. */
    int
    finish_cuda(const struct finish_job *job, void *stream);
#endif
