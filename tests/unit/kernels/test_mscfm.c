/* The fusion module as one operation, against the six steps of the plan that it replaces (convolutions tested on
 * their own in test_convolve.c, other order of sums), against paths followed by hand, and bytes of packed weights
 * against the layout. */
#include "check.h"
#include "kernels/bf16.h"
#include "kernels/convolve.h"
#include "kernels/mscfm.h"
#include "kernels/pointwise.h"
#include <stdlib.h>

enum { WEIGHT_MOST = 256 * 256, PACKED_MOST = (256 * 64 + 9 * 64 * 64 + 256 * 256 + 512) * 4 };

struct weights {
    float reduce[64 * 256], scale[3][64 * 64 * 3], join[WEIGHT_MOST], bias[4 * 64 + 256];
    struct mscfm_weights as;
};

static uint64_t state;

/* Between -1 and 1. */
static float draw(void)
{
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (float)(int32_t)(state >> 32) / 2147483648.0f;
}

static struct weights *take_weights(int64_t c)
{
    struct weights *w = calloc(1, sizeof *w);
    int64_t r = c / 4;
    w->as = (struct mscfm_weights){w->reduce, w->bias, {0}, {0}, w->join, w->bias + 4 * r};
    for (int i = 0; i < MSCFM_SCALES; i++) {
        w->as.scale[i] = w->scale[i];
        w->as.scale_bias[i] = w->bias + (i + 1) * r;
    }
    return w;
}

static void fill(float *at, int64_t n, float scale)
{
    for (int64_t i = 0; i < n; i++)
        at[i] = draw() * scale;
}

static struct weights *draw_weights(int64_t c)
{
    struct weights *w = take_weights(c);
    int64_t r = c / 4;
    fill(w->reduce, r * c, 0.2f);
    for (int i = 0; i < MSCFM_SCALES; i++)
        fill(w->scale[i], r * r * 3, 0.3f);
    fill(w->join, c * c, 0.2f);
    fill(w->bias, 4 * r + c, 0.5f);
    return w;
}

/* ---- the six steps, channels first ---- */

static void step(int64_t in, int64_t out, int64_t taps, int64_t n_bin, const float *x, const float *w,
                 const float *bias, float *ret_y)
{
    struct window_shape s = {.n_in = in,
                             .n_out = out,
                             .group = 1,
                             .in_size = {1, n_bin},
                             .out_size = {1, n_bin},
                             .kernel = {1, taps},
                             .stride = {1, 1},
                             .dilation = {1, 1},
                             .pad_begin = {0, taps / 2}};
    convolve_image(&s, x, w, bias, ret_y);
}

static void run_steps(int64_t c, const struct mscfm_weights *w, int64_t n_bin, const float *x, float *f, float *ret_y)
{
    int64_t r = c / 4, part = r * n_bin;
    step(c, r, 1, n_bin, x, w->reduce, w->reduce_bias, f);
    relu_all(part, f, f);
    for (int i = 0; i < MSCFM_SCALES; i++) {
        step(r, r, 3, n_bin, f + i * part, w->scale[i], w->scale_bias[i], f + (i + 1) * part);
        relu_all(part, f + (i + 1) * part, f + (i + 1) * part);
    }
    step(c, c, 1, n_bin, f, w->join, w->join_bias, ret_y);
    add_into(c * n_bin, x, ret_y);
    relu_all(c * n_bin, ret_y, ret_y);
}

static void turn(int64_t rows, int64_t columns, const float *x, float *ret)
{
    for (int64_t i = 0; i < rows; i++)
        for (int64_t j = 0; j < columns; j++)
            ret[j * rows + i] = x[i * columns + j];
}

/* Sums of at most 256 terms in two orders: n times half a unit in the last place of the sum of magnitudes, about 10
 * here. */
static void compare(int64_t c, int64_t n_bin)
{
    struct weights *w = draw_weights(c);
    size_t bytes = (size_t)(c * n_bin) * sizeof(float);
    float *x = malloc(bytes), *f = malloc(bytes), *y = malloc(bytes), *last = malloc(bytes), *got = malloc(bytes);
    fill(x, c * n_bin, 2);
    run_steps(c, &w->as, n_bin, x, f, y);
    turn(c, n_bin, x, last);
    mscfm_plain(c, TENSOR_FP32, &w->as, 1, n_bin, last, f, got);
    turn(c, n_bin, y, last);
    double worst = 0;
    for (int64_t i = 0; i < c * n_bin; i++)
        worst = fmax(worst, fabs((double)got[i] - (double)last[i]));
    CHECK_SAY(worst < 2e-5, "C %d, %d bins: off by %g", (int)c, (int)n_bin, worst);
    free(x), free(f), free(y), free(last), free(got), free(w);
}

TEST(the_module_is_its_six_steps)
{
    static const int64_t channels[] = {64, 128, 256}, bins[] = {1, 2, 3, 7, 40};
    for (size_t i = 0; i < 3; i++)
        for (size_t j = 0; j < 5; j++)
            compare(channels[i], bins[j]);
}

TEST(samples_do_not_meet)
{
    enum { C = 64, T = 5, N = 3 };
    struct weights *w = draw_weights(C);
    float x[N][T * C], y[N][T * C], one[T * C], scratch[T * C];
    fill(x[0], N * T * C, 2);
    mscfm_plain(C, TENSOR_FP32, &w->as, N, T, x, scratch, y);
    for (int i = 0; i < N; i++) {
        mscfm_plain(C, TENSOR_FP32, &w->as, 1, T, x[i], scratch, one);
        CHECK(memcmp(one, y[i], sizeof one) == 0);
    }
    free(w);
}

/* One 3 in x, one weight of 1 in each convolution: the 3 wanders from channel to channel and, with taps 0, 2 and 2,
 * from bin 4 to 5, 4 and 3. */
TEST(a_number_wanders_as_the_weights_say)
{
    enum { C = 64, R = 16, T = 6 };
    struct weights *w = take_weights(C);
    float x[T * C] = {0}, y[T * C], scratch[T * C];
    x[4 * C + 9] = 3;
    w->reduce[5 * C + 9] = 1;              /* f0[4][5] */
    w->scale[0][(7 * R + 5) * 3 + 0] = 1;  /* f1[5][7] */
    w->scale[1][(1 * R + 7) * 3 + 2] = 1;  /* f2[4][1] */
    w->scale[2][(15 * R + 1) * 3 + 2] = 1; /* f3[3][15] */
    w->join[60 * C + 0 * R + 5] = 1;       /* y[4][60] */
    w->join[61 * C + 1 * R + 7] = 1;       /* y[5][61] */
    w->join[62 * C + 2 * R + 1] = 1;       /* y[4][62] */
    w->join[63 * C + 3 * R + 15] = 1;      /* y[3][63] */
    mscfm_plain(C, TENSOR_FP32, &w->as, 1, T, x, scratch, y);
    CHECK_NEAR(y[4 * C + 9], 3, 0);
    CHECK_NEAR(y[4 * C + 60], 3, 0);
    CHECK_NEAR(y[5 * C + 61], 3, 0);
    CHECK_NEAR(y[4 * C + 62], 3, 0);
    CHECK_NEAR(y[3 * C + 63], 3, 0);
    int n_not_zero = 0;
    for (int i = 0; i < T * C; i++)
        n_not_zero += y[i] != 0;
    CHECK_INT(n_not_zero, 5);
    free(w);
}

/* A bias in f0 is not there outside of the sample: f1 at the ends has two taps of three. */
TEST(beyond_the_ends_f0_is_zero_and_not_its_bias)
{
    enum { C = 64, R = 16, T = 4 };
    struct weights *w = take_weights(C);
    float x[T * C] = {0}, y[T * C], scratch[T * C];
    w->bias[2] = 1;
    for (int tap = 0; tap < 3; tap++)
        w->scale[0][(3 * R + 2) * 3 + tap] = 1;
    w->join[10 * C + R + 3] = 1;
    mscfm_plain(C, TENSOR_FP32, &w->as, 1, T, x, scratch, y);
    static const float want[T] = {2, 3, 3, 2};
    for (int t = 0; t < T; t++)
        CHECK_NEAR(y[t * C + 10], want[t], 0);
    free(w);
}

/* 1 + 2^-9 has one bit more than bfloat16 holds and 1 + 2^-11 one more than TF32: as a factor it is 1 (the even one) or
 * 1 + 2^-10 (away from zero); where x is added, it stays whole if x is float. */
TEST(factors_are_rounded_and_what_is_added_is_not)
{
    enum { C = 64, T = 1 };
    struct weights *w = take_weights(C);
    float x[C] = {0}, y[C], scratch[C];
    w->reduce[0] = 1;
    w->join[0] = 1;
    x[0] = 1 + 0x1p-11f;
    mscfm_plain(C, TENSOR_TF32, &w->as, 1, T, x, scratch, y);
    CHECK_NEAR(y[0], 2 + 0x1p-10 + 0x1p-11, 0);
    uint16_t x16[C] = {0}, y16[C];
    x16[0] = bf16_from_float(1);
    w->join[0] = 1 + 0x1p-9f;
    mscfm_plain(C, TENSOR_BF16, &w->as, 1, T, x16, scratch, y16);
    CHECK_NEAR(bf16_to_float(y16[0]), 2, 0);
    free(w);
}

/* What a lower precision costs over the module, of the whole: a few units of 2^-12 and of 2^-9, the mean rounding. */
static double cost_of(enum tensor_precision precision)
{
    enum { C = 128, T = 24 };
    struct weights *w = draw_weights(C);
    static float x[T * C], y[T * C], got[T * C], scratch[T * C];
    static uint16_t x16[T * C], y16[T * C];
    double off = 0, size = 0;
    for (int i = 0; i < T * C; i++)
        x[i] = bf16_round(2 * draw()), x16[i] = bf16_from_float(x[i]);
    bool is16 = precision == TENSOR_BF16;
    mscfm_plain(C, TENSOR_FP32, &w->as, 1, T, x, scratch, y);
    mscfm_plain(C, precision, &w->as, 1, T, is16 ? (void *)x16 : (void *)x, scratch, is16 ? (void *)y16 : (void *)got);
    for (int i = 0; i < T * C; i++) {
        double value = is16 ? (double)bf16_to_float(y16[i]) : (double)got[i], d = value - (double)y[i];
        off += d * d, size += (double)y[i] * (double)y[i];
    }
    free(w);
    return sqrt(off / size);
}

TEST(a_lower_precision_costs_what_its_roundings_do)
{
    double tf32 = cost_of(TENSOR_TF32), bf16 = cost_of(TENSOR_BF16);
    CHECK_SAY(tf32 > 1e-5 && tf32 < 1e-3, "TF32 %g", tf32);
    CHECK_SAY(bf16 > 1e-3 && bf16 < 1e-2, "bfloat16 %g", bf16);
}

TEST(tf32_has_ten_bits_and_rounds_halves_away_from_zero)
{
    CHECK_NEAR(tf32_round(1 + 0x1p-10f), 1 + 0x1p-10, 0);
    CHECK_NEAR(tf32_round(1 + 0x1p-11f), 1 + 0x1p-10, 0);
    CHECK_NEAR(tf32_round(-1 - 0x1p-11f), -1 - 0x1p-10, 0);
    CHECK_NEAR(tf32_round(1 + 0x1p-12f), 1, 0);
    CHECK(isinf(tf32_round(0x1.fffffep127f)) && isinf(tf32_round(INFINITY)) && isnan(tf32_round(NAN)));
    uint32_t bits = 0x7fffffffu; /* the NaN that GPUs make: adding to its bits would give -0 */
    float nan;
    memcpy(&nan, &bits, sizeof nan);
    CHECK(isnan(tf32_round(nan)));
}

TEST(a_nan_comes_out_as_nan)
{
    enum { C = 64, T = 9 };
    struct weights *w = draw_weights(C);
    float x[T * C], y[T * C], scratch[T * C];
    fill(x, T * C, 2);
    x[4 * C + 3] = NAN;
    mscfm_plain(C, TENSOR_FP32, &w->as, 1, T, x, scratch, y);
    for (int t = 0; t < T; t++)
        CHECK_INT(isnan(y[t * C + 40]), t >= 1 && t <= 7); /* three bins on either side */
    free(w);
}

TEST(a_missing_bias_is_zero)
{
    enum { C = 64, T = 3 };
    struct weights *w = draw_weights(C);
    float x[T * C], y[T * C], none[T * C], scratch[T * C];
    unsigned char *packed = malloc(PACKED_MOST), *bare = malloc(PACKED_MOST);
    fill(x, T * C, 2);
    memset(w->bias, 0, sizeof w->bias);
    mscfm_plain(C, TENSOR_FP32, &w->as, 1, T, x, scratch, y);
    mscfm_pack(C, TENSOR_FP32, &w->as, packed);
    w->as.reduce_bias = w->as.join_bias = NULL;
    memset(w->as.scale_bias, 0, sizeof w->as.scale_bias);
    mscfm_plain(C, TENSOR_FP32, &w->as, 1, T, x, scratch, none);
    mscfm_pack(C, TENSOR_FP32, &w->as, bare);
    CHECK(memcmp(y, none, sizeof y) == 0);
    CHECK(memcmp(packed, bare, mscfm_packed_bytes(C, TENSOR_FP32)) == 0);
    free(packed), free(bare), free(w);
}

/* ---- packed weights: what stands where, from the layout in mscfm.h ---- */

static float float_at(const unsigned char *packed, size_t i)
{
    float value;
    memcpy(&value, packed + i * sizeof value, sizeof value);
    return value;
}

TEST(packed_weights_stand_where_the_kernel_looks)
{
    enum { C = 128, R = 32 };
    struct weights *w = draw_weights(C);
    unsigned char *packed = malloc(PACKED_MOST);
    /* 2 C biases, then reduce R x C, three scales R x 3 R, join C x C: 256 + 4096 + 9216 + 16384 numbers */
    CHECK_INT(mscfm_packed_bytes(C, TENSOR_FP32), 29952 * 4);
    CHECK_INT(mscfm_packed_bytes(C, TENSOR_TF32), 29952 * 4);
    CHECK_INT(mscfm_packed_bytes(C, TENSOR_BF16), 256 * 4 + 29696 * 2);
    mscfm_pack(C, TENSOR_FP32, &w->as, packed);
    CHECK_NEAR(float_at(packed, 3 * R + 5), w->as.scale_bias[2][5], 0);
    CHECK_NEAR(float_at(packed, 4 * R + 77), w->as.join_bias[77], 0);
    CHECK_NEAR(float_at(packed, 256 + 100 * R + 9), w->reduce[9 * C + 100], 0);
    size_t scale2 = 256 + 4096 + 3072, join = 256 + 4096 + 9216; /* scale 2: k = 2 x 32 + 7, n = 31 */
    CHECK_NEAR(float_at(packed, scale2 + (2 * R + 7) * R + 31), w->scale[1][(31 * R + 7) * 3 + 2], 0);
    mscfm_pack(C, TENSOR_TF32, &w->as, packed);
    /* join, columns 32..47, step 3 of k: lane 13 (g = 3, t = 1), word 3: k = 3 x 8 + 1 + 4, n = 32 + 8 + 3 */
    CHECK_NEAR(float_at(packed, join + ((2 * (C / 8) + 3) * 32 + 13) * 4 + 3), tf32_round(w->join[43 * C + 29]), 0);
    mscfm_pack(C, TENSOR_BF16, &w->as, packed);
    /* the same in bfloat16: k = 3 x 16 + 2 + 8 and the next one, lower half first */
    uint16_t pair[2];
    memcpy(pair, packed + 1024 + 13312 * 2 + ((2 * (C / 16) + 3) * 32 + 13) * 16 + 3 * 4, sizeof pair);
    CHECK_INT(pair[0], bf16_from_float(w->join[43 * C + 58]));
    CHECK_INT(pair[1], bf16_from_float(w->join[43 * C + 59]));
    free(packed), free(w);
}

TEST(other_modules_do_not_fit)
{
    CHECK(mscfm_fits(64, 16, 3) && mscfm_fits(128, 32, 3) && mscfm_fits(256, 64, 3));
    CHECK(!mscfm_fits(128, 64, 3) && !mscfm_fits(128, 32, 2) && !mscfm_fits(128, 32, 4) && !mscfm_fits(96, 24, 3));
    CHECK(!mscfm_fits(0, 0, 3) && !mscfm_fits(-64, -16, 3) && !mscfm_fits(512, 128, 3));
}

int main(void)
{
    RUN(the_module_is_its_six_steps);
    RUN(samples_do_not_meet);
    RUN(a_number_wanders_as_the_weights_say);
    RUN(beyond_the_ends_f0_is_zero_and_not_its_bias);
    RUN(factors_are_rounded_and_what_is_added_is_not);
    RUN(a_lower_precision_costs_what_its_roundings_do);
    RUN(tf32_has_ten_bits_and_rounds_halves_away_from_zero);
    RUN(a_nan_comes_out_as_nan);
    RUN(a_missing_bias_is_zero);
    RUN(packed_weights_stand_where_the_kernel_looks);
    RUN(other_modules_do_not_fit);
    return check_report();
}
