/* Poolings: small windows by hand; padded and ceil ones as torch.nn.functional gives them. */
#include "check.h"
#include "kernels/pool.h"

static struct window_shape square(int64_t in, int64_t out, int64_t kernel, int64_t stride, int64_t pad)
{
    return (struct window_shape){.n_in = 1,
                                 .n_out = 1,
                                 .group = 1,
                                 .in_size = {in, in},
                                 .out_size = {out, out},
                                 .kernel = {kernel, kernel},
                                 .stride = {stride, stride},
                                 .dilation = {1, 1},
                                 .pad_begin = {pad, pad},
                                 .pad_end = {pad, pad}};
}

static const float plane[16] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};

TEST(maximum_of_two_by_two)
{
    float y[4];
    struct window_shape s = square(4, 2, 2, 2, 0);
    pool_max(&s, plane, y);
    CHECK_NEAR(y[0], 6, 0);
    CHECK_NEAR(y[1], 8, 0);
    CHECK_NEAR(y[2], 14, 0);
    CHECK_NEAR(y[3], 16, 0);
}

TEST(padding_never_is_the_maximum)
{
    const float x[4] = {-5, -6, -7, -8};
    float y[4];
    struct window_shape s = square(2, 2, 3, 1, 1);
    pool_max(&s, x, y);
    for (int i = 0; i < 4; i++)
        CHECK_NEAR(y[i], -5, 0);
}

TEST(channels_are_pooled_apart)
{
    const float x[8] = {1, 2, 3, 4, -1, -2, -3, -4};
    float y[2];
    struct window_shape s = square(2, 1, 2, 2, 0);
    s.n_in = s.n_out = 2;
    pool_max(&s, x, y);
    CHECK_NEAR(y[0], 4, 0);
    CHECK_NEAR(y[1], -1, 0);
    pool_average(&s, true, x, y);
    CHECK_NEAR(y[0], 2.5, 0);
    CHECK_NEAR(y[1], -2.5, 0);
}

TEST(dilated_windows_skip_inputs)
{
    const float x[5] = {9, 1, 3, 8, 2};
    float y[3];
    struct window_shape s = {
        .n_in = 1, .n_out = 1, .in_size = {1, 5}, .out_size = {1, 3}, .kernel = {1, 2}, .stride = {1, 1}};
    s.dilation[0] = 1;
    s.dilation[1] = 2;
    pool_max(&s, x, y);
    CHECK_NEAR(y[0], 9, 0);
    CHECK_NEAR(y[1], 8, 0);
    CHECK_NEAR(y[2], 3, 0);
}

TEST(average_with_and_without_counting_the_padding)
{
    /* torch.nn.functional.avg_pool2d(arange(1, 17).reshape(1, 1, 4, 4), 3, 2, 1, count_include_pad=True / False) */
    const float with[4] = {14 / 9.0F, 30 / 9.0F, 57 / 9.0F, 11}, without[4] = {3.5F, 5, 9.5F, 11};
    float y[4];
    struct window_shape s = square(4, 2, 3, 2, 1);
    pool_average(&s, true, plane, y);
    for (int i = 0; i < 4; i++)
        CHECK_NEAR(y[i], with[i], 1e-6);
    pool_average(&s, false, plane, y);
    for (int i = 0; i < 4; i++)
        CHECK_NEAR(y[i], without[i], 1e-6);
}

TEST(a_window_that_ceil_mode_lets_reach_out_divides_by_what_is_there)
{
    /* torch.nn.functional.avg_pool1d(arange(1, 7), 4, 3, 1, ceil_mode=True, count_include_pad=True) */
    const float x[6] = {1, 2, 3, 4, 5, 6}, want[3] = {1.5F, 4.5F, 3};
    float y[3];
    struct window_shape s = {
        .n_in = 1, .n_out = 1, .in_size = {1, 6}, .out_size = {1, 3}, .kernel = {1, 4}, .stride = {1, 3}};
    s.dilation[0] = s.dilation[1] = 1;
    s.pad_begin[1] = s.pad_end[1] = 1;
    pool_average(&s, true, x, y);
    for (int i = 0; i < 3; i++)
        CHECK_NEAR(y[i], want[i], 1e-6);
}

int main(void)
{
    RUN(maximum_of_two_by_two);
    RUN(padding_never_is_the_maximum);
    RUN(channels_are_pooled_apart);
    RUN(dilated_windows_skip_inputs);
    RUN(average_with_and_without_counting_the_padding);
    RUN(a_window_that_ceil_mode_lets_reach_out_divides_by_what_is_there);
    return check_report();
}
