/* Plain loops; the compiler makes vectors of them. */
#include "kernels/pointwise.h"

void relu_all(int64_t n, const float *x, float *ret_y)
{
    for (int64_t i = 0; i < n; i++)
        ret_y[i] = relu_one(x[i]);
}

void sigmoid_all(int64_t n, const float *x, float *ret_y)
{
    for (int64_t i = 0; i < n; i++)
        ret_y[i] = sigmoid_one(x[i]);
}

void add_into(int64_t n, const float *x, float *y)
{
    for (int64_t i = 0; i < n; i++)
        y[i] += x[i];
}

/* Recursion over at most 8 dimensions; the last is a loop. */
static float *add_from(int rank, const int64_t *dim, const float *a, const int64_t *a_step, const float *b,
                       const int64_t *b_step, float *y)
{
    if (rank == 0) {
        *y = *a + *b;
        return y + 1;
    }
    for (int64_t i = 0; i < *dim; i++)
        if (rank == 1)
            *y++ = a[i * *a_step] + b[i * *b_step];
        else
            y = add_from(rank - 1, dim + 1, a + i * *a_step, a_step + 1, b + i * *b_step, b_step + 1, y);
    return y;
}

void add_broadcast(int rank, const int64_t *dim, const float *a, const int64_t *a_step, const float *b,
                   const int64_t *b_step, float *ret_y)
{
    (void)add_from(rank, dim, a, a_step, b, b_step, ret_y); /* its end is of use to itself only */
}
