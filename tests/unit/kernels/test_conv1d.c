/* The channels-last convolution along bins and its packed weights, against the channels-first one (tested on its own in
 * test_convolve.c, other order of sums), sums by hand, and bytes against the layout of matrix.h. */
#include "check.h"
#include "kernels/bf16.h"
#include "kernels/conv1d.h"
#include "kernels/convolve.h"
#include "kernels/pointwise.h"
#include <stdlib.h>

static uint64_t state;

/* Between -1 and 1. */
static float draw(void)
{
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (float)(int32_t)(state >> 32) / 2147483648.0f;
}

static float *draws(int64_t n)
{
    float *at = malloc((size_t)n * sizeof *at);
    for (int64_t i = 0; i < n; i++)
        at[i] = draw();
    return at;
}

/* [n_row][n] of channels-first [real][n_row], zeros beyond. */
static float *turn(const float *x, int64_t n_row, int64_t real, int64_t n)
{
    float *at = calloc((size_t)(n_row * n), sizeof *at);
    for (int64_t i = 0; i < real; i++)
        for (int64_t r = 0; r < n_row; r++)
            at[r * n + i] = x[i * n_row + r];
    return at;
}

/* Sums of at most 7 x 20 terms below 1 in two orders. */
static void compare(struct conv1d_shape s, int64_t n_in, int64_t n_out, bool relu)
{
    float *x = draws(n_in * s.n_bin_in), *w = draws(n_in * n_out * s.n_tap), *bias = draws(n_out);
    float *add = draws(n_out * s.n_bin_out), *y = malloc((size_t)(n_out * s.n_bin_out) * sizeof *y);
    struct window_shape as = {.n_in = n_in,
                              .n_out = n_out,
                              .group = 1,
                              .in_size = {1, s.n_bin_in},
                              .out_size = {1, s.n_bin_out},
                              .kernel = {1, s.n_tap},
                              .stride = {1, s.stride},
                              .dilation = {1, 1},
                              .pad_begin = {0, s.pad}};
    convolve_image(&as, x, w, bias, y);
    add_into(n_out * s.n_bin_out, add, y);
    if (relu) relu_all(n_out * s.n_bin_out, y, y);
    float *x_last = turn(x, s.n_bin_in, n_in, s.n_in), *add_last = turn(add, s.n_bin_out, n_out, s.n_out);
    float *want = turn(y, s.n_bin_out, n_out, s.n_out), *got = malloc((size_t)(s.n_out * s.n_bin_out) * sizeof *got);
    struct matrix m = {n_in, n_out, s.n_tap, w, bias};
    conv1d_plain(&s, TENSOR_FP32, &m, 1, x_last, add_last, relu, got);
    for (int i = 0; i < s.n_out * s.n_bin_out; i++)
        CHECK_NEAR(got[i], want[i], 2e-5);
    free(x), free(w), free(bias), free(add), free(y), free(x_last), free(add_last), free(want), free(got);
}

TEST(it_is_the_convolution_of_a_plan)
{
    for (int n_tap = 1; n_tap <= 7; n_tap++)
        for (int stride = 1; stride <= 2; stride++)
            compare((struct conv1d_shape){24, 16, n_tap, stride, n_tap / 2, 19, 18 / stride + 1}, 20, 13, n_tap % 2);
    compare((struct conv1d_shape){8, 8, 5, 2, 4, 9, 7}, 8, 8, false);
    compare((struct conv1d_shape){8, 8, 3, 1, 0, 1, 1}, 8, 8, false);
}

/* Two taps of stride 2 over 1 2 3 4 5: (1, 2), (3, 4), (5, nothing). */
TEST(two_taps_by_hand)
{
    struct conv1d_shape s = {8, 8, 2, 2, 0, 5, 3};
    float x[5 * 8] = {0}, y[3 * 8];
    const float w[] = {10, 100}, bias[] = {-2000};
    struct matrix m = {1, 1, 2, w, bias};
    for (int t = 0; t < 5; t++)
        x[t * 8] = (float)(t + 1);
    conv1d_plain(&s, TENSOR_FP32, &m, 1, x, NULL, false, y);
    CHECK_NEAR(y[0], 210 - 2000, 0);
    CHECK_NEAR(y[8], 430 - 2000, 0);
    CHECK_NEAR(y[16], 50 - 2000, 0);
    for (int i = 1; i < 8; i++)
        CHECK_NEAR(y[i], 0, 0); /* channels that are padding */
    conv1d_plain(&s, TENSOR_FP32, &m, 1, x, NULL, true, y);
    CHECK_NEAR(y[0], 0, 0);
}

/* 1 + 2^-11 is 1 + 2^-10 as a TF32 factor, 1 + 2^-9 is 1 as a bfloat16 one; add stays whole; bfloat16 results are
 * rounded. */
TEST(factors_are_rounded_and_what_is_added_is_not)
{
    struct conv1d_shape s = {8, 8, 1, 1, 0, 1, 1};
    float x[8] = {1 + 0x1p-11f}, add[8] = {0x1p-11f}, y[8], w = 1;
    struct matrix m = {1, 1, 1, &w, NULL};
    conv1d_plain(&s, TENSOR_TF32, &m, 1, x, add, false, y);
    CHECK_NEAR(y[0], 1 + 0x1p-10 + 0x1p-11, 0);
    uint16_t x16[8] = {bf16_from_float(1)}, add16[8] = {bf16_from_float(0x1p-9f)}, y16[8];
    w = 1 + 0x1p-9f;
    conv1d_plain(&s, TENSOR_BF16, &m, 1, x16, add16, false, y16);
    CHECK_NEAR(bf16_to_float(y16[0]), 1, 0);
    add16[0] = bf16_from_float(0x1p-7f);
    conv1d_plain(&s, TENSOR_BF16, &m, 1, x16, add16, false, y16);
    CHECK_NEAR(bf16_to_float(y16[0]), 1 + 0x1p-7, 0);
}

TEST(samples_do_not_meet)
{
    enum { N = 3 };
    struct conv1d_shape s = {8, 8, 3, 1, 1, 4, 4};
    float *x = draws(N * 4 * 8), *w = draws(8 * 8 * 3), y[N][4 * 8], one[4 * 8];
    struct matrix m = {8, 8, 3, w, NULL};
    conv1d_plain(&s, TENSOR_FP32, &m, N, x, x, true, y);
    for (int i = 0; i < N; i++) {
        conv1d_plain(&s, TENSOR_FP32, &m, 1, x + i * 32, x + i * 32, true, one);
        CHECK(memcmp(one, y[i], sizeof one) == 0);
    }
    free(x), free(w);
}

/* ---- packed weights ---- */

static float float_at(const unsigned char *packed, size_t i)
{
    float value;
    memcpy(&value, packed + i * sizeof value, sizeof value);
    return value;
}

/* 20 to 13 channels, 3 taps, in memory 24 and 16: weight (n, i, tap) is at [n][20][3] of the plan. */
TEST(packed_weights_stand_where_the_kernel_looks)
{
    struct conv1d_shape s = {24, 16, 3, 1, 1, 9, 9};
    float *w = draws(13 * 20 * 3), *bias = draws(13);
    struct matrix m = {20, 13, 3, w, bias};
    CHECK_INT(conv1d_packed_bytes(&s, TENSOR_FP32), (16 + 3 * 24 * 16) * 4);
    CHECK_INT(conv1d_packed_bytes(&s, TENSOR_TF32), (16 + 3 * 24 * 16) * 4);
    CHECK_INT(conv1d_packed_bytes(&s, TENSOR_BF16), 16 * 4 + 3 * 32 * 16 * 2); /* 24 channels are two steps of 16 */
    unsigned char *packed = malloc((16 + 3 * 24 * 16) * 4);
    conv1d_pack(&s, TENSOR_FP32, &m, packed);
    CHECK_NEAR(float_at(packed, 12), bias[12], 0);
    CHECK_NEAR(float_at(packed, 13), 0, 0);
    CHECK_NEAR(float_at(packed, 16 + (2 * 24 + 19) * 16 + 7), w[(7 * 20 + 19) * 3 + 2], 0);
    CHECK_NEAR(float_at(packed, 16 + (2 * 24 + 20) * 16 + 7), 0, 0);
    conv1d_pack(&s, TENSOR_TF32, &m, packed);
    /* tap 1, step 2: lane 18 (g = 4, t = 2), word 2: channel 2 x 8 + 2, n = 8 + 4 */
    CHECK_NEAR(float_at(packed, 16 + ((1 * 3 + 2) * 32 + 18) * 4 + 2), tf32_round(w[(12 * 20 + 18) * 3 + 1]), 0);
    conv1d_pack(&s, TENSOR_BF16, &m, packed);
    /* tap 2, step 1: lane 5 (g = 1, t = 1), word 0: channels 16 + 2 and 16 + 3, n = 1; word 1: 16 + 10 is no channel */
    uint16_t word[4];
    memcpy(word, packed + 64 + ((2 * 2 + 1) * 32 + 5) * 16, sizeof word);
    CHECK_INT(word[0], bf16_from_float(w[(1 * 20 + 18) * 3 + 2]));
    CHECK_INT(word[1], bf16_from_float(w[(1 * 20 + 19) * 3 + 2]));
    CHECK(word[2] == 0 && word[3] == 0);
    free(w), free(bias), free(packed);
}

TEST(shapes_without_a_kernel_do_not_fit)
{
    const struct conv1d_shape good = {16, 128, 7, 2, 3, 1875, 938};
    struct conv1d_shape s = good;
    CHECK(conv1d_fits(&s));
    s.n_in = 264;
    CHECK(!conv1d_fits(&s));
    s = good, s.n_in = 9;
    CHECK(!conv1d_fits(&s));
    s = good, s.n_out = 0;
    CHECK(!conv1d_fits(&s));
    s = good, s.n_tap = 8;
    CHECK(!conv1d_fits(&s));
    s = good, s.stride = 3;
    CHECK(!conv1d_fits(&s));
    s = good, s.pad = 7;
    CHECK(!conv1d_fits(&s));
    s = good, s.n_bin_out = 0;
    CHECK(!conv1d_fits(&s));
}

int main(void)
{
    RUN(it_is_the_convolution_of_a_plan);
    RUN(two_taps_by_hand);
    RUN(factors_are_rounded_and_what_is_added_is_not);
    RUN(samples_do_not_meet);
    RUN(packed_weights_stand_where_the_kernel_looks);
    RUN(shapes_without_a_kernel_do_not_fit);
    return check_report();
}
