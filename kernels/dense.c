/* Row times row. */
#include "kernels/dense.h"
#include <string.h>

enum { LANE = 16 };

/* Without partial sums the additions would have to stay in order, and no vector could be used. */
static float dot(const float *a, const float *b, int64_t k)
{
    float part[LANE] = {0}, sum = 0;
    int64_t whole = k / LANE * LANE;
    for (int64_t l = 0; l < whole; l += LANE)
        for (int64_t i = 0; i < LANE; i++)
            part[i] += a[l + i] * b[l + i];
    for (int64_t l = whole; l < k; l++)
        part[l - whole] += a[l] * b[l];
    for (int64_t i = 0; i < LANE; i++)
        sum += part[i];
    return sum;
}

void dense_rows(int64_t m, int64_t n, int64_t k, const float *x, const float *weight, const float *bias, float *ret_y)
{
    for (int64_t i = 0; i < m; i++)
        for (int64_t j = 0; j < n; j++)
            ret_y[i * n + j] = dot(x + i * k, weight + j * k, k) + (bias ? bias[j] : 0);
}

void matrix_multiply(int64_t m, int64_t n, int64_t k, const float *a, const float *b, float *ret_y)
{
    memset(ret_y, 0, (size_t)(m * n) * sizeof(float));
    for (int64_t i = 0; i < m; i++)
        for (int64_t l = 0; l < k; l++)
            for (int64_t j = 0; j < n; j++)
                ret_y[i * n + j] += a[i * k + l] * b[l * n + j];
}
