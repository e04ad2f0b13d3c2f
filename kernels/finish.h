/* How a kernel tells the host that everything is there, for kernels/X.cu only. */
#ifndef BURST_KERNELS_FINISH_H
#define BURST_KERNELS_FINISH_H
#include "kernels/cuda.h"
#include "kernels/finish_cuda.h"

/* By one thread, once all that the host will read was written, by it or by threads it has waited for. */
static __device__ inline void finish_now(const struct finish_job &job)
{
    uint32_t sequence = *static_cast<const volatile uint32_t *>(job.sequence);
    __threadfence_system();
    cuda_store_release(job.ret_done, sequence);
}

/* By one thread of each of the kernel's n_block blocks, after its block has written: the last one finishes. */
static __device__ inline void finish_after(const struct finish_job &job, uint32_t *counter, unsigned n_block)
{
    __threadfence_system();
    if (atomicAdd(counter, 1u) != n_block - 1) return;
    *counter = 0;
    finish_now(job);
}
#endif
