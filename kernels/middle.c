/* Plain loops. */
#include "kernels/middle.h"
#include <math.h>

void mean_middle(int64_t outer, int64_t axis, int64_t inner, const float *x, float *ret_y)
{
    for (int64_t o = 0; o < outer; o++)
        for (int64_t i = 0; i < inner; i++) {
            double sum = 0;
            for (int64_t a = 0; a < axis; a++)
                sum += (double)x[(o * axis + a) * inner + i];
            *ret_y++ = (float)(sum / (double)axis);
        }
}

/* One column of `n` values, `step` apart. */
static void softmax_column(int64_t n, int64_t step, const float *x, float *ret_y)
{
    float most = x[0];
    double sum = 0;
    for (int64_t a = 1; a < n; a++)
        most = x[a * step] > most ? x[a * step] : most;
    for (int64_t a = 0; a < n; a++) {
        ret_y[a * step] = expf(x[a * step] - most);
        sum += (double)ret_y[a * step];
    }
    for (int64_t a = 0; a < n; a++)
        ret_y[a * step] = (float)((double)ret_y[a * step] / sum);
}

void softmax_middle(int64_t outer, int64_t axis, int64_t inner, const float *x, float *ret_y)
{
    for (int64_t o = 0; o < outer; o++)
        for (int64_t i = 0; i < inner; i++)
            softmax_column(axis, inner, x + o * axis * inner + i, ret_y + o * axis * inner + i);
}

void scale_middle(int64_t outer, int64_t axis, int64_t inner, const float *x, const float *factor, const float *shift,
                  float *ret_y)
{
    for (int64_t o = 0; o < outer; o++)
        for (int64_t a = 0; a < axis; a++)
            for (int64_t i = 0; i < inner; i++)
                *ret_y++ = *x++ * factor[a] + shift[a];
}
