/* One window at a time, clipped to the image first so that the inner loops need no test. */
#include "kernels/pool.h"
#include <math.h>

/* The taps [first, last) of output `at` in dimension d that lie in [0, in), or with pads in [-pad, in + pad). */
struct taps {
    int64_t first, last, origin;
};

static struct taps taps_in(const struct window_shape *s, int d, int64_t at, int64_t low, int64_t high)
{
    struct taps t = {0, s->kernel[d], at * s->stride[d] - s->pad_begin[d]};
    while (t.first < t.last && t.origin + t.first * s->dilation[d] < low)
        t.first++;
    while (t.last > t.first && t.origin + (t.last - 1) * s->dilation[d] >= high)
        t.last--;
    return t;
}

static struct taps taps_inside(const struct window_shape *s, int d, int64_t at)
{
    return taps_in(s, d, at, 0, s->in_size[d]);
}

static int64_t taps_padded(const struct window_shape *s, int d, int64_t at)
{
    struct taps t = taps_in(s, d, at, -s->pad_begin[d], s->in_size[d] + s->pad_end[d]);
    return t.last - t.first;
}

static float window_max(const struct window_shape *s, const float *x, struct taps ty, struct taps tx)
{
    float most = -INFINITY;
    for (int64_t ky = ty.first; ky < ty.last; ky++) {
        const float *row = x + (ty.origin + ky * s->dilation[0]) * s->in_size[1];
        for (int64_t kx = tx.first; kx < tx.last; kx++) {
            float v = row[tx.origin + kx * s->dilation[1]];
            most = v > most ? v : most;
        }
    }
    return most;
}

static float window_sum(const struct window_shape *s, const float *x, struct taps ty, struct taps tx)
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
                *ret_y++ = window_max(s, x, taps_inside(s, 0, y), taps_inside(s, 1, i));
}

void pool_average(const struct window_shape *s, bool count_pad, const float *x, float *ret_y)
{
    for (int64_t c = 0; c < s->n_in; c++, x += s->in_size[0] * s->in_size[1])
        for (int64_t y = 0; y < s->out_size[0]; y++)
            for (int64_t i = 0; i < s->out_size[1]; i++) {
                struct taps ty = taps_inside(s, 0, y), tx = taps_inside(s, 1, i);
                int64_t n = (ty.last - ty.first) * (tx.last - tx.first);
                if (count_pad) n = taps_padded(s, 0, y) * taps_padded(s, 1, i);
                *ret_y++ = n ? window_sum(s, x, ty, tx) / (float)n : 0;
            }
}
