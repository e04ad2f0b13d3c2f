/* Plain loops. */
#include "kernels/middle.h"

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
                *ret_y++ = scale_one(*x++, factor[a], shift[a]);
}
