/* One window at a time, clipped to the image first so that the inner loops need no test. */
#include "kernels/pool.h"
#include <math.h>

static float window_max(const struct window_shape *s, const float *x, struct window_taps ty, struct window_taps tx)
{
    float most = -INFINITY;
    for (int64_t ky = ty.first; ky < ty.last; ky++) {
        const float *row = x + (ty.origin + ky * s->dilation[0]) * s->in_size[1];
        for (int64_t kx = tx.first; kx < tx.last; kx++) {
            float v = row[tx.origin + kx * s->dilation[1]];
            most = pool_larger(most, v);
        }
    }
    return most;
}

static float window_sum(const struct window_shape *s, const float *x, struct window_taps ty, struct window_taps tx)
{
    float sum = 0;
    for (int64_t ky = ty.first; ky < ty.last; ky++) {
        const float *row = x + (ty.origin + ky * s->dilation[0]) * s->in_size[1];
        for (int64_t kx = tx.first; kx < tx.last; kx++)
            sum += row[tx.origin + kx * s->dilation[1]];
    }
    return sum;
}

void pool_max(const struct window_shape *s, const float *x, float *ret_y)
{
    for (int64_t c = 0; c < s->n_in; c++, x += s->in_size[0] * s->in_size[1])
        for (int64_t y = 0; y < s->out_size[0]; y++)
            for (int64_t i = 0; i < s->out_size[1]; i++)
                *ret_y++ = window_max(s, x, window_taps_inside(s, 0, y), window_taps_inside(s, 1, i));
}

void pool_average(const struct window_shape *s, bool count_pad, const float *x, float *ret_y)
{
    for (int64_t c = 0; c < s->n_in; c++, x += s->in_size[0] * s->in_size[1])
        for (int64_t y = 0; y < s->out_size[0]; y++)
            for (int64_t i = 0; i < s->out_size[1]; i++) {
                struct window_taps ty = window_taps_inside(s, 0, y), tx = window_taps_inside(s, 1, i);
                int64_t n = pool_divisor(s, count_pad, y, i);
                *ret_y++ = pool_mean(window_sum(s, x, ty, tx), n);
            }
}
