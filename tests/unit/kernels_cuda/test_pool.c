/* Pooling and what is done element by element on a GPU against plain C. Bit by bit where nothing but additions in the same order,
 * comparisons and one rounding to bfloat16 are done; sigmoid and softmax within 4 units in the last place of a float: CUDA states
 * 2 for expf (programming guide, mathematical functions), the C library's has 1, a sum and a division 1. */
#include "gpu.h"
#include "kernels/middle.h"
#include "kernels/pointwise.h"
#include "kernels/pointwise_cuda.h"
#include "kernels/pool_cuda.h"

#define EXP_TOLERANCE (4 * 6e-8)

/* A batch of maps twice: as planes of floats that hold what the maps hold, and as maps on the device. */
struct both {
    struct layout as;
    int n_sample;
    float *planes;
    void *map;
};

static struct both both_new(struct layout as, int n_sample)
{
    size_t n = (size_t)(as.n_channel * as.n_position * n_sample), bytes = layout_bytes(&as, n_sample);
    struct both b = {as, n_sample, gpu_random_floats(n), NULL};
    void *map = malloc(bytes);
    layout_pack(&as, n_sample, b.planes, map);
    layout_unpack(&as, n_sample, map, b.planes);
    b.map = gpu_put(map, bytes);
    free(map);
    return b;
}

static void both_free(struct both *b)
{
    free(b->planes);
    gpu_free(b->map);
}

static float *plane(const struct both *b, int sample, int64_t channel)
{
    return b->planes + (sample * b->as.n_channel + channel) * b->as.n_position;
}

/* The device's result against planes of the first n samples; those after them must be as gpu_fill(0x5a) left them. */
static void compare(const struct layout *as, int n_sample, int n, const float *want, const void *d_got,
                    const char *what)
{
    size_t one = layout_bytes(as, 1), bytes = one * (size_t)n_sample;
    uint8_t *map = malloc(bytes), *got = gpu_get(d_got, bytes);
    memset(map, 0x5a, bytes);
    layout_pack(as, n, want, map);
    CHECK_SAY(memcmp(map, got, bytes) == 0, "%s: %d of %d samples, %d positions, %d channels in %d, bf16 %d", what, n,
              n_sample, (int)as->n_position, (int)as->n_channel, (int)as->n_padded, as->bf16);
    free(map);
    free(got);
}

static void pools_compare(struct window_shape s, bool bf16, int64_t n_padded, int n_sample, int n)
{
    struct layout in = {s.in_size[0] * s.in_size[1], s.n_in, n_padded, bf16},
                  out = {s.out_size[0] * s.out_size[1], s.n_in, n_padded, bf16};
    struct both b = both_new(in, n_sample);
    float *want = malloc((size_t)(out.n_channel * out.n_position * n_sample) * 4);
    int32_t *d_n = gpu_put(&n, sizeof n);
    for (int how = 0; how < 3; how++) {
        void *d_ret = gpu_fill(0x5a, layout_bytes(&out, n_sample));
        struct pool_job job = {s, how > 0, how == 2, bf16, n_padded, b.map, d_ret, n_sample, d_n};
        CHECK_INT(pool_cuda(&job, NULL), cudaSuccess);
        for (int i = 0; i < n; i++) {
            float *y = want + i * out.n_channel * out.n_position;
            if (how)
                pool_average(&s, how == 2, plane(&b, i, 0), y);
            else
                pool_max(&s, plane(&b, i, 0), y);
        }
        compare(&out, n_sample, n, want, d_ret, how ? "average" : "maximum");
        gpu_free(d_ret);
    }
    free(want);
    gpu_free(d_n);
    both_free(&b);
}

GPU_TEST(pools_are_those_of_plain_c)
{
    static const struct window_shape shapes[7] = {
        {32, 32, 1, {56, 56}, {28, 28}, {2, 2}, {2, 2}, {1, 1}, {0, 0}, {0, 0}},
        {9, 9, 1, {1, 1875}, {1, 938}, {1, 3}, {1, 2}, {1, 1}, {0, 1}, {0, 1}},
        {5, 5, 1, {7, 9}, {4, 4}, {3, 2}, {2, 3}, {1, 2}, {1, 1}, {1, 2}},
        {17, 17, 1, {5, 5}, {1, 1}, {5, 5}, {1, 1}, {1, 1}, {0, 0}, {0, 0}},
        {3, 3, 1, {6, 6}, {4, 4}, {2, 2}, {2, 2}, {1, 1}, {1, 1}, {0, 0}}, /* ceil_mode: past the last pad */
        {1, 1, 1, {1, 1}, {1, 1}, {1, 1}, {1, 1}, {1, 1}, {0, 0}, {0, 0}},
        {4, 4, 1, {1, 6}, {1, 8}, {1, 1}, {1, 1}, {1, 1}, {0, 1}, {0, 1}}}; /* windows of nothing but pads */
    static const int64_t padded[7] = {32, 16, 8, 24, 8, 8, 8}, exact[7] = {32, 9, 5, 17, 3, 1, 4};
    static const int samples[7] = {2, 7, 33, 25, 7, 1, 2};
    for (int i = 0; i < 7; i++)
        for (int bf16 = 0; bf16 < 2; bf16++) {
            pools_compare(shapes[i], bf16, padded[i], samples[i], samples[i] - (i % 2));
            if (i) pools_compare(shapes[i], bf16, exact[i], 2, 2);
        }
}

/* One operation of pointwise.h on planes; b and factor may be NULL for POINTWISE_SCALE. */
static void plain(enum pointwise_op op, const struct both *x, const struct both *b, const float *factor,
                  const float *shift, float *ret)
{
    int64_t n = x->as.n_channel * x->as.n_position * x->n_sample;
    float *ones = malloc((size_t)x->as.n_channel * 4);
    for (int64_t i = 0; i < x->as.n_channel; i++)
        ones[i] = 1;
    memcpy(ret, x->planes, (size_t)n * 4);
    if (op == POINTWISE_RELU) relu_all(n, ret, ret);
    if (op == POINTWISE_SIGMOID) sigmoid_all(n, ret, ret);
    if (op == POINTWISE_SCALE)
        scale_middle(x->n_sample, x->as.n_channel, x->as.n_position, x->planes, factor ? factor : ones, shift, ret);
    if (b) add_into(n, b->planes, ret);
    free(ones);
}

static void steps_compare(struct layout as, int n_sample, int n, bool relu)
{
    static const struct {
        enum pointwise_op op;
        bool b, factor;
        const char *name;
    } steps[6] = {{POINTWISE_RELU, false, false, "relu"},          {POINTWISE_ADD, true, false, "add"},
                  {POINTWISE_SCALE, false, true, "scale"},         {POINTWISE_SCALE, true, true, "scale and add"},
                  {POINTWISE_SCALE, true, false, "shift and add"}, {POINTWISE_SCALE, false, false, "shift"}};
    struct both x = both_new(as, n_sample), b = both_new(as, n_sample);
    size_t n_float = (size_t)(as.n_channel * as.n_position * n_sample), n_channel = (size_t)as.n_channel;
    float *want = malloc(n_float * 4), *factor = gpu_random_floats(n_channel), *shift = gpu_random_floats(n_channel);
    float *d_factor = gpu_put(factor, n_channel * 4), *d_shift = gpu_put(shift, n_channel * 4);
    int32_t *d_n = gpu_put(&n, sizeof n);
    for (int i = 0; i < 6; i++) {
        void *d_ret = gpu_fill(0x5a, layout_bytes(&as, n_sample));
        struct pointwise_job job = {.op = steps[i].op,
                                    .relu = relu,
                                    .as = as,
                                    .x = x.map,
                                    .shift = d_shift,
                                    .ret = d_ret,
                                    .n_sample = n_sample,
                                    .n = d_n};
        if (steps[i].b) job.b = b.map;
        if (steps[i].factor) job.factor = d_factor;
        CHECK_INT(pointwise_cuda(&job, NULL), cudaSuccess);
        plain(steps[i].op, &x, steps[i].b ? &b : NULL, steps[i].factor ? factor : NULL, shift, want);
        if (relu) relu_all((int64_t)n_float, want, want);
        compare(&as, n_sample, n, want, d_ret, steps[i].name);
        gpu_free(d_ret);
    }
    free(want), free(factor), free(shift);
    gpu_free(d_factor), gpu_free(d_shift), gpu_free(d_n);
    both_free(&x);
    both_free(&b);
}

GPU_TEST(add_relu_and_scale_are_those_of_plain_c)
{
    static const struct layout as[6] = {{938, 128, 128, true}, {118, 9, 16, false},  {1, 5, 8, true},
                                        {257, 12, 12, true},   {1, 100, 100, false}, {3, 3, 3, false}};
    for (int i = 0; i < 6; i++)
        steps_compare(as[i], i ? 7 : 2, i % 2 ? 5 : i ? 7 : 2, i % 3 == 1);
}

GPU_TEST(what_is_not_a_number_stays_so)
{
    float x[8] = {NAN, -1, 0, INFINITY, -INFINITY, -0.0F, 1, -NAN}, *d_x = gpu_put(x, sizeof x);
    struct pointwise_job job = {.op = POINTWISE_RELU, .as = {1, 8, 8, false}, .x = d_x, .ret = d_x, .n_sample = 1};
    CHECK_INT(pointwise_cuda(&job, NULL), cudaSuccess);
    float *got = gpu_get(d_x, sizeof x);
    CHECK(isnan(got[0]) && got[1] == 0 && got[3] > 1e38F && got[4] == 0 && got[6] == 1 && isnan(got[7]));
    free(got);
    gpu_free(d_x);
}

GPU_TEST(sigmoid_is_that_of_plain_c_and_leaves_padding_zero)
{
    struct layout as = {33, 9, 16, false};
    struct both x = both_new(as, 2);
    float *want = malloc(33 * 9 * 2 * 4);
    void *d_ret = gpu_fill(0x5a, layout_bytes(&as, 2));
    for (int i = 0; i < 33 * 9 * 2; i++)
        x.planes[i] *= 40; /* to both ends */
    void *map = malloc(layout_bytes(&as, 2));
    layout_pack(&as, 2, x.planes, map);
    CHECK_INT(cudaMemcpy(x.map, map, layout_bytes(&as, 2), cudaMemcpyHostToDevice), cudaSuccess);
    struct pointwise_job job = {.op = POINTWISE_SIGMOID, .as = as, .x = x.map, .ret = d_ret, .n_sample = 2};
    CHECK_INT(pointwise_cuda(&job, NULL), cudaSuccess);
    plain(POINTWISE_SIGMOID, &x, NULL, NULL, NULL, want);
    float *got = gpu_get(d_ret, layout_bytes(&as, 2));
    double worst = 0;
    for (int i = 0; i < 2 * 33 * 16; i++) {
        float w = i % 16 < 9 ? want[(i / (33 * 16) * 9 + i % 16) * 33 + i / 16 % 33] : 0;
        worst = fmax(worst, fabs((double)got[i] - (double)w) / fmax(1e-30, fabs((double)w)));
        if (i % 16 >= 9) CHECK(got[i] == 0);
    }
    CHECK_SAY(worst <= EXP_TOLERANCE, "sigmoid differs by %g of itself", worst);
    free(want), free(map), free(got);
    gpu_free(d_ret);
    both_free(&x);
}

static void concats_compare(const int64_t *channel, const int64_t *padded, int n_input, int64_t n_padded, bool bf16)
{
    enum { SAMPLES = 3, N = 2 };
    struct concat_job job = {.as = {21, 0, n_padded, bf16}, .n_input = n_input, .n_sample = SAMPLES};
    struct both x[CONCAT_MOST];
    int32_t n = N;
    for (int i = 0; i < n_input; i++) {
        x[i] = both_new((struct layout){21, channel[i], padded[i], bf16}, SAMPLES);
        job.x[i] = x[i].map;
        job.n_channel[i] = channel[i];
        job.n_padded[i] = padded[i];
        job.as.n_channel += channel[i];
    }
    float *want = malloc((size_t)(job.as.n_channel * 21 * SAMPLES) * 4), *to = want;
    for (int s = 0; s < SAMPLES; s++)
        for (int i = 0; i < n_input; i++) {
            memcpy(to, plane(&x[i], s, 0), (size_t)(channel[i] * 21) * 4);
            to += channel[i] * 21;
        }
    job.ret = gpu_fill(0x5a, layout_bytes(&job.as, SAMPLES));
    job.n = gpu_put(&n, sizeof n);
    CHECK_INT(concat_cuda(&job, NULL), cudaSuccess);
    compare(&job.as, SAMPLES, N, want, job.ret, "concat");
    for (int i = 0; i < n_input; i++)
        both_free(&x[i]);
    free(want);
    gpu_free(job.ret);
    gpu_free((void *)job.n);
}

GPU_TEST(channels_lie_side_by_side)
{
    for (int bf16 = 0; bf16 < 2; bf16++) {
        concats_compare((const int64_t[]){32, 32, 32, 32}, (const int64_t[]){32, 32, 32, 32}, 4, 128, bf16);
        concats_compare((const int64_t[]){16, 5}, (const int64_t[]){16, 8}, 2, 24, bf16);
        concats_compare((const int64_t[]){5, 3, 9}, (const int64_t[]){8, 8, 16}, 3, 24, bf16);
        concats_compare((const int64_t[]){5, 3}, (const int64_t[]){5, 3}, 2, 8, bf16);
        concats_compare((const int64_t[]){8}, (const int64_t[]){8}, 1, 16, bf16);
        concats_compare((const int64_t[]){1, 2, 3, 4, 5, 6, 7, 8}, (const int64_t[]){8, 8, 8, 8, 8, 8, 8, 8}, 8, 40,
                        bf16);
    }
}

static void softmax_compare(int64_t outer, int64_t axis, int64_t inner, int n_sample, int n)
{
    size_t one = (size_t)(outer * axis * inner), all = one * (size_t)n_sample;
    float *x = gpu_random_floats(all), *want = malloc(all * 4);
    for (size_t i = 0; i < all; i++)
        x[i] *= 30;
    struct softmax_job job = {
        outer, axis, inner, gpu_put(x, all * 4), gpu_fill(0x5a, all * 4), n_sample, gpu_put(&n, sizeof n)};
    CHECK_INT(softmax_cuda(&job, NULL), cudaSuccess);
    float *got = gpu_get(job.ret, all * 4);
    memset(want, 0x5a, all * 4);
    softmax_middle(outer * n, axis, inner, x, want);
    double worst = 0;
    for (size_t i = 0; i < one * (size_t)n; i++)
        worst = fmax(worst, fabs((double)got[i] - (double)want[i]) / fmax(1e-30, (double)want[i]));
    CHECK_SAY(worst <= EXP_TOLERANCE, "softmax over %d differs by %g of itself", (int)axis, worst);
    CHECK(memcmp(got + one * (size_t)n, want + one * (size_t)n, (all - one * (size_t)n) * 4) == 0);
    free(x), free(want), free(got);
    gpu_free((void *)job.x), gpu_free(job.ret), gpu_free((void *)job.n);
}

GPU_TEST(softmax_is_that_of_plain_c)
{
    softmax_compare(1, 2, 1, 33, 25);
    softmax_compare(3, 10, 7, 2, 2);
    softmax_compare(1, 1, 1, 1, 1);
    softmax_compare(1, 1000, 1, 7, 6);
}

int main(void)
{
    RUN(pools_are_those_of_plain_c);
    RUN(add_relu_and_scale_are_those_of_plain_c);
    RUN(what_is_not_a_number_stays_so);
    RUN(sigmoid_is_that_of_plain_c_and_leaves_padding_zero);
    RUN(channels_lie_side_by_side);
    RUN(softmax_is_that_of_plain_c);
    return check_report();
}
