/* The result in its order, gathering from x by steps. */
#include "kernels/transpose.h"

static float *gather(int rank, const int64_t *dim, const int64_t *step, const float *x, float *y)
{
    if (rank == 0) {
        *y = *x;
        return y + 1;
    }
    for (int64_t i = 0; i < *dim; i++)
        y = gather(rank - 1, dim + 1, step + 1, x + i * *step, y);
    return y;
}

void transpose_dims(int rank, const int64_t *dim, const int *perm, const float *x, float *ret_y)
{
    int64_t step[TRANSPOSE_RANK_MAX], to_dim[TRANSPOSE_RANK_MAX], to_step[TRANSPOSE_RANK_MAX], n = 1;
    for (int i = rank - 1; i >= 0; i--) {
        step[i] = n;
        n *= dim[i];
    }
    for (int i = 0; i < rank; i++) {
        to_dim[i] = dim[perm[i]];
        to_step[i] = step[perm[i]];
    }
    (void)gather(rank, to_dim, to_step, x, ret_y); /* its end is of use to itself only */
}
