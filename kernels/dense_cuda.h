/* Dense layers on a GPU: the twin of dense.h. Wide ones are limited by how fast their weights can be read, so the work is cut
 * along the inputs as well as the outputs. See layout_cuda.h for what all jobs have in common. */
#ifndef BURST_KERNELS_DENSE_CUDA_H
#define BURST_KERNELS_DENSE_CUDA_H
#include "kernels/dense.h"
#include "kernels/layout.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ret[i][j] = bias[j] + sum over l of x[i][l] * weight[j][l]; then add; then ReLU. Sums are in float, in parts joined in a fixed
 * order: the same bits from the same job, whatever ran before, but not the bits of dense_rows. */
struct dense_job {
    int n_sample; /* rows of x and ret */
    int64_t n_in, n_out;
    const void *x;           /* [n_sample][n_in] float, or bfloat16 */
    bool bf16;               /* of x; all else is float */
    const float *weight;     /* [n_out][n_in] */
    const float *bias, *add; /* [n_out], [n_sample][n_out]; each may be NULL */
    bool relu;
    float *ret;
    void *work; /* zeros at first; see below */
    const int32_t *n;
};
int dense_cuda(const struct dense_job *job, void *stream);
/* Bytes of job->work, device memory; of the job's other members only n_sample, n_in and n_out are read. It may serve jobs of fewer
 * rows as well, and the same n_in and n_out, but nothing that may run at the same time. */
size_t dense_cuda_work(const struct dense_job *job);

#ifdef __cplusplus
}
#endif
#endif
