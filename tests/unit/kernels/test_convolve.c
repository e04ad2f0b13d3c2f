/* Convolution against values worked out by hand and by numpy's correlate. */
#include "check.h"
#include "kernels/convolve.h"
#include <stdlib.h>

/* One row, one channel in and out. */
static struct window_shape row(int64_t in, int64_t out, int64_t kernel)
{
    return (struct window_shape){.n_in = 1,
                                 .n_out = 1,
                                 .group = 1,
                                 .in_size = {1, in},
                                 .out_size = {1, out},
                                 .kernel = {1, kernel},
                                 .stride = {1, 1},
                                 .dilation = {1, 1}};
}

TEST(a_row_is_correlated_not_flipped)
{
    const float x[] = {1, 2, 3, 4}, w[] = {1, 10, 100};
    float y[2];
    struct window_shape s = row(4, 2, 3);
    convolve_image(&s, x, w, NULL, y);
    CHECK_NEAR(y[0], 321, 0);
    CHECK_NEAR(y[1], 432, 0);
}

TEST(padding_is_zeros_on_either_side)
{
    const float x[] = {1, 2, 3}, w[] = {1, 10, 100};
    const float bias = 0.5F, want[] = {10 * 1 + 100 * 2 + 0.5F, 1 + 20 + 300 + 0.5F, 2 + 30 + 0.5F, 3 + 0.5F};
    float y[4];
    struct window_shape s = row(3, 4, 3);
    s.pad_begin[1] = 1;
    s.pad_end[1] = 2;
    convolve_image(&s, x, w, &bias, y);
    for (int i = 0; i < 4; i++)
        CHECK_NEAR(y[i], want[i], 0);
}

TEST(strides_and_dilations_skip_inputs)
{
    const float x[] = {1, 2, 3, 4, 5, 6, 7, 8}, w[] = {1, 10};
    float y[3];
    struct window_shape s = row(8, 3, 2);
    s.stride[1] = 2;
    s.dilation[1] = 3;
    convolve_image(&s, x, w, NULL, y);
    CHECK_NEAR(y[0], 1 + 40, 0);
    CHECK_NEAR(y[1], 3 + 60, 0);
    CHECK_NEAR(y[2], 5 + 80, 0);
}

TEST(groups_see_their_own_channels)
{
    const float x[] = {1, 2, 3, 4}, w[] = {1, 10, 2, 20};
    float y[4];
    struct window_shape s = row(1, 1, 1);
    s.n_in = 4;
    s.n_out = 4;
    s.group = 4;
    convolve_image(&s, x, w, NULL, y);
    CHECK_NEAR(y[0], 1, 0);
    CHECK_NEAR(y[1], 20, 0);
    CHECK_NEAR(y[2], 6, 0);
    CHECK_NEAR(y[3], 80, 0);
    s.n_out = 2;
    s.group = 2;
    convolve_image(&s, x, w, NULL, y);
    CHECK_NEAR(y[0], 1 * 1 + 2 * 10, 0);
    CHECK_NEAR(y[1], 3 * 2 + 4 * 20, 0);
}

TEST(planes_are_seen_as_planes)
{
    /* scipy.signal.correlate2d(arange(12).reshape(3, 4), [[1, 2], [3, 4]], "valid") */
    const float want[] = {34, 44, 54, 74, 84, 94};
    const float w[] = {1, 2, 3, 4};
    float x[12], y[6];
    for (int i = 0; i < 12; i++)
        x[i] = (float)i;
    struct window_shape s = row(4, 3, 2);
    s.in_size[0] = 3;
    s.out_size[0] = 2;
    s.kernel[0] = 2;
    convolve_image(&s, x, w, NULL, y);
    for (int i = 0; i < 6; i++)
        CHECK_NEAR(y[i], want[i], 0);
}

/* The definition, one output at a time, in double. */
static double defined(const struct window_shape *s, const float *x, const float *w, int64_t o, int64_t oy, int64_t ox)
{
    int64_t per = s->n_in / s->group, first = o / (s->n_out / s->group) * per;
    double sum = 0;
    for (int64_t i = 0; i < per; i++)
        for (int64_t ky = 0; ky < s->kernel[0]; ky++)
            for (int64_t kx = 0; kx < s->kernel[1]; kx++) {
                int64_t iy = oy * s->stride[0] + ky * s->dilation[0] - s->pad_begin[0];
                int64_t ix = ox * s->stride[1] + kx * s->dilation[1] - s->pad_begin[1];
                if (iy < 0 || iy >= s->in_size[0] || ix < 0 || ix >= s->in_size[1]) continue;
                sum += (double)w[((o * per + i) * s->kernel[0] + ky) * s->kernel[1] + kx] *
                       (double)x[((first + i) * s->in_size[0] + iy) * s->in_size[1] + ix];
            }
    return sum;
}

/* Sizes around those of the tiles (64 positions, 64 taps, 4 channels): whole ones, one less, one more. */
TEST(tiles_of_every_filling_agree_with_the_definition)
{
    static const struct {
        int64_t n_in, n_out, h, w, kh, kw, stride, dilation, pad, group;
    } cases[] = {
        {1, 1, 1, 64, 1, 1, 1, 1, 0, 1},   {2, 4, 1, 65, 1, 3, 1, 1, 1, 1},  {9, 5, 1, 187, 1, 7, 2, 1, 3, 1},
        {64, 3, 1, 63, 1, 1, 1, 1, 0, 1},  {65, 8, 1, 70, 1, 1, 2, 1, 0, 1}, {21, 7, 9, 9, 3, 3, 1, 1, 1, 1},
        {32, 12, 8, 8, 3, 3, 2, 1, 1, 4},  {4, 6, 11, 13, 3, 2, 2, 3, 2, 2}, {3, 4, 20, 21, 7, 7, 2, 1, 3, 1},
        {16, 16, 5, 40, 1, 1, 1, 1, 0, 1},
    };
    for (size_t c = 0; c < sizeof cases / sizeof cases[0]; c++) {
        struct window_shape s = {.n_in = cases[c].n_in, .n_out = cases[c].n_out, .group = cases[c].group};
        const int64_t in[2] = {cases[c].h, cases[c].w}, kernel[2] = {cases[c].kh, cases[c].kw};
        for (int d = 0; d < 2; d++) {
            bool flat = in[0] == 1 && d == 0;
            s.in_size[d] = in[d];
            s.kernel[d] = kernel[d];
            s.stride[d] = flat ? 1 : cases[c].stride;
            s.dilation[d] = flat ? 1 : cases[c].dilation;
            s.pad_begin[d] = s.pad_end[d] = flat ? 0 : cases[c].pad;
            s.out_size[d] = (in[d] + 2 * s.pad_begin[d] - s.dilation[d] * (kernel[d] - 1) - 1) / s.stride[d] + 1;
        }
        int64_t n_x = s.n_in * in[0] * in[1], n_w = s.n_out * s.n_in / s.group * kernel[0] * kernel[1];
        int64_t area = s.out_size[0] * s.out_size[1];
        float *x = malloc((size_t)n_x * sizeof *x), *w = malloc((size_t)n_w * sizeof *w);
        float *y = malloc((size_t)(s.n_out * area) * sizeof *y);
        for (int64_t i = 0; i < n_x; i++)
            x[i] = (float)((i * 37 + 11) % 101 - 50) / 50;
        for (int64_t i = 0; i < n_w; i++)
            w[i] = (float)((i * 53 + 7) % 97 - 48) / 48;
        convolve_image(&s, x, w, NULL, y);
        double worst = 0;
        for (int64_t i = 0; i < s.n_out * area; i++) {
            double error =
                fabs((double)y[i] - defined(&s, x, w, i / area, i % area / s.out_size[1], i % s.out_size[1]));
            worst = fmax(worst, error);
        }
        /* 450 products of at most 1, rounded to 2^-24 each. */
        CHECK_SAY(worst < 450 * ldexp(1, -20), "case %zu: error %g", c, worst);
        free(x);
        free(w);
        free(y);
    }
}

int main(void)
{
    RUN(a_row_is_correlated_not_flipped);
    RUN(padding_is_zeros_on_either_side);
    RUN(strides_and_dilations_skip_inputs);
    RUN(groups_see_their_own_channels);
    RUN(planes_are_seen_as_planes);
    RUN(tiles_of_every_filling_agree_with_the_definition);
    return check_report();
}
