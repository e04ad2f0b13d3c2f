/* Rings on a GPU: the twin of ring.h. Two kernels of one graph: the first brings the new bins in, the second makes the network's
 * input. See layout_cuda.h for what all jobs have in common. */
#ifndef BURST_KERNELS_RING_CUDA_H
#define BURST_KERNELS_RING_CUDA_H
#include "kernels/ring.h"

#ifdef __cplusplus
extern "C" {
#endif

/* job, counts and valid may be the host's memory: each number is read once. An update that does not fit the limits is left out
 * (ring_job_check tells the sender before; this keeps the device's memory whole if the job changes after that). */
struct ring_update_job {
    struct rings rings;
    struct ring_limits limits; /* limits.n_update blocks are launched */
    const struct ring_job *job;
    const uint32_t *counts;
    const uint8_t *valid;
    struct ring_window *ret_window; /* [limits.n_window] device memory: the job's windows, for ring_window_cuda ... */
    int32_t *ret_n_window;          /* ... and how many */
};
int ring_update_cuda(const struct ring_update_job *job, void *stream);

/* Equal to ring_window_one to the last bit, because both add integers and share standardise_one. A window of a ring that does
 * not exist becomes zeros. */
struct ring_window_job {
    struct rings rings;
    struct ring_view view;
    const struct ring_window *window; /* [n_sample] */
    int n_sample;                     /* blocks launched: the batch the graph is captured for */
    const int32_t *n;
    void *ret; /* [n_sample][n_bin][n_padded]; 16 divides the address */
};
int ring_window_cuda(const struct ring_window_job *job, void *stream);

#ifdef __cplusplus
}
#endif
#endif
