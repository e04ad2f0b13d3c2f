/* The convolution kernel against its plain twin, block by block and thread by thread on the stand-in, the same
 * program on a card: FP32 to the last bit, TF32 and bfloat16 within what roundings can do. */
#include "kernels/conv1d_cuda.h"
#include "tensor_case.h"

enum { SHARED_H200 = 227 * 1024 };

/* A shape with its weights; real channels may be fewer than those in memory. */
struct layer {
    struct conv1d_shape s;
    struct matrix m;
    float *weight, *bias;
    bool with_add, relu;
};

static struct layer layer_make(struct conv1d_shape s, int n_in, int n_out, bool with_add, bool relu, float scale)
{
    struct layer l = {.s = s, .with_add = with_add, .relu = relu};
    l.weight = case_floats((size_t)(n_in * n_out * s.n_tap), scale * 1.7f / sqrtf((float)(n_in * s.n_tap)));
    l.bias = case_floats((size_t)n_out, scale * 0.3f);
    l.m = (struct matrix){n_in, n_out, s.n_tap, l.weight, l.bias};
    return l;
}

static void layer_free(struct layer *l)
{
    free(l->weight), free(l->bias);
}

/* Rows of `n` channels of which the first `real` are drawn, the rest 0. */
static void *draw_rows(enum tensor_precision p, size_t n_row, int n, int real, float scale)
{
    void *at = case_tensor(p, n_row * (size_t)n, 0);
    for (size_t r = 0; scale > 0 && r < n_row; r++)
        for (int i = 0; i < real; i++)
            case_put(p, at, r * (size_t)n + (size_t)i, case_draw() * scale);
    return at;
}

static size_t in_count(const struct layer *l, int n_sample)
{
    return (size_t)n_sample * (size_t)l->s.n_bin_in * (size_t)l->s.n_in;
}

static size_t out_count(const struct layer *l, int n_sample)
{
    return (size_t)n_sample * (size_t)l->s.n_bin_out * (size_t)l->s.n_out;
}

static void run_kernel(const struct layer *l, enum tensor_precision p, int n_sample, int tile, const void *x,
                       const void *add, void *ret_y)
{
    size_t out_bytes = out_count(l, n_sample) * precision_bytes(p), packed_bytes = conv1d_packed_bytes(&l->s, p);
    void *packed = malloc(packed_bytes);
    conv1d_pack(&l->s, p, &l->m, packed);
    void *dw = device_upload(packed, packed_bytes), *dy = device_poisoned(out_bytes);
    void *dx = device_upload(x, in_count(l, n_sample) * precision_bytes(p)), *da = NULL;
    if (add) da = device_upload(add, out_bytes);
    struct conv1d_job job = {dx, da, dy, dw, l->s, n_sample, p, l->relu, tile};
    CHECK_INT(conv1d_cuda(&job, NULL), cudaSuccess);
    device_download(ret_y, dy, out_bytes);
    (void)cudaFree(dw), (void)cudaFree(dx), (void)cudaFree(da);
    free(packed);
}

/* Bound on |kernel - plain| of output (t, n) of one sample. Factors are the same in both; only sums and the last
 * rounding differ. */
static double bound_at(const struct layer *l, enum tensor_precision p, const void *x, size_t from, int t, int n,
                       double y, double add)
{
    double size = fabs((double)l->bias[n]) + fabs(add);
    for (int tap = 0; tap < l->s.n_tap; tap++) {
        int bin = t * l->s.stride - l->s.pad + tap;
        for (int i = 0; bin >= 0 && bin < l->s.n_bin_in && i < l->m.n_in; i++)
            size += fabs(case_factor(p, l->weight[(n * (int)l->m.n_in + i) * l->s.n_tap + tap]) *
                         case_factor(p, case_get(p, x, from + (size_t)(bin * l->s.n_in + i))));
    }
    double apart = case_sum_bound(l->s.n_in * l->s.n_tap, size);
    return p == TENSOR_BF16 ? case_round_bound(p, y, apart) : apart;
}

static void compare(const struct layer *l, enum tensor_precision p, int n_sample, int tile, const void *x,
                    const void *add, const void *want, const void *got)
{
    int n_wrong = 0;
    for (size_t i = 0; i < out_count(l, n_sample); i++) {
        int n = (int)(i % (size_t)l->s.n_out), t = (int)(i / (size_t)l->s.n_out % (size_t)l->s.n_bin_out);
        size_t sample = i / (size_t)l->s.n_out / (size_t)l->s.n_bin_out;
        double a = (double)case_get(p, want, i), b = (double)case_get(p, got, i), most = 0;
        if (p != TENSOR_FP32 && n < l->m.n_out && a != b)
            most = bound_at(l, p, x, sample * (size_t)l->s.n_bin_in * (size_t)l->s.n_in, t, n, a,
                            add ? (double)case_get(p, add, i) : 0);
        n_wrong += !(fabs(a - b) <= most);
    }
    CHECK_SAY(!n_wrong, "%s %d->%d k%d/%d T %d->%d n %d tile %d: %d elements", PRECISION_NAME[p], l->s.n_in, l->s.n_out,
              l->s.n_tap, l->s.stride, l->s.n_bin_in, l->s.n_bin_out, n_sample, tile, n_wrong);
}

/* In every precision, with every tile; where there are many samples, with the small ones. */
static void check_layer(struct layer l, int n_sample)
{
    for (int i = 0; i < TENSOR_PRECISION_N; i++) {
        enum tensor_precision p = (enum tensor_precision)i;
        size_t n = out_count(&l, n_sample) * precision_bytes(p), rows = (size_t)n_sample * (size_t)l.s.n_bin_out;
        void *x = draw_rows(p, (size_t)(n_sample * l.s.n_bin_in), l.s.n_in, (int)l.m.n_in, 2);
        void *add = l.with_add ? draw_rows(p, rows, l.s.n_out, (int)l.m.n_out, 2) : NULL;
        void *want = malloc(n), *got = malloc(n);
        int tile[CONV1D_TILE_N], n_tile = conv1d_tiles(&l.s, p, SHARED_H200, tile);
        CHECK(n_tile >= 3);
        conv1d_plain(&l.s, p, &l.m, n_sample, x, add, l.relu, want);
        for (int k = 0; k < (n_sample > 2 ? 2 : n_tile); k++) {
            run_kernel(&l, p, n_sample, tile[k], x, add, got);
            compare(&l, p, n_sample, tile[k], x, add, want, got);
        }
        free(x), free(add), free(want), free(got);
    }
    layer_free(&l);
}

/* As the light-curve network has them: padding on both sides, length (n - 1) / stride + 1. */
static struct conv1d_shape same(int n_in, int n_out, int n_tap, int stride, int n_bin)
{
    return (struct conv1d_shape){n_in, n_out, n_tap, stride, n_tap / 2, n_bin, (n_bin - 1) / stride + 1};
}

TEST(all_taps_and_strides)
{
    if (!device_here()) SKIP("no GPU here");
    for (int n_tap = 1; n_tap <= 7; n_tap++)
        for (int stride = 1; stride <= 2; stride++)
            check_layer(layer_make(same(32, 48, n_tap, stride, 37), 32, 48, n_tap % 2, n_tap != 3, 1), 1);
}

TEST(odd_lengths)
{
    if (!device_here()) SKIP("no GPU here");
    static const int bins[] = {1, 2, 3, 7, 15, 16, 17, 31, 33, 65, 118};
    for (size_t i = 0; i < sizeof bins / sizeof bins[0]; i++)
        check_layer(layer_make(same(64, 32, 5, 1 + (int)i % 2, bins[i]), 64, 32, true, true, 1), 1);
}

TEST(many_samples)
{
    if (!device_here()) SKIP("no GPU here");
    static const int samples[] = {2, 7, 25, 33};
    for (size_t i = 0; i < sizeof samples / sizeof samples[0]; i++)
        check_layer(layer_make(same(32, 32, 3, 1, 19), 32, 32, true, true, 1), samples[i]);
}

/* 9 bands in 16 channels; bfloat16 of 8 channels fills half a step of k; outputs that are no multiple of 16. */
TEST(padded_channels)
{
    if (!device_here()) SKIP("no GPU here");
    check_layer(layer_make(same(16, 128, 7, 2, 75), 9, 128, false, true, 1), 1);
    check_layer(layer_make(same(8, 16, 3, 1, 40), 5, 13, true, true, 1), 2);
    check_layer(layer_make(same(24, 8, 5, 2, 40), 20, 6, true, false, 1), 1);
    check_layer(layer_make(same(40, 72, 1, 1, 20), 33, 70, false, false, 1), 1);
}

TEST(layers_of_the_light_curve_network)
{
    if (!device_here()) SKIP("no GPU here");
    check_layer(layer_make(same(128, 128, 7, 2, 235), 128, 128, false, true, 1), 1);
    check_layer(layer_make(same(128, 128, 5, 1, 118), 128, 128, false, true, 1), 1);
    check_layer(layer_make(same(128, 128, 3, 1, 118), 128, 128, false, false, 1), 1);
    check_layer(layer_make(same(128, 128, 1, 2, 235), 128, 128, true, true, 1), 1);
}

TEST(widest_layers)
{
    if (!device_here()) SKIP("no GPU here");
    check_layer(layer_make(same(256, 64, 7, 1, 20), 256, 64, false, true, 1), 1);
    check_layer(layer_make(same(32, 264, 1, 1, 20), 32, 260, true, true, 1), 1);
}

/* The last outputs may need more bins than there are, and the first may have none before them. */
TEST(padding_on_one_side_alone)
{
    if (!device_here()) SKIP("no GPU here");
    check_layer(layer_make((struct conv1d_shape){16, 16, 5, 1, 0, 20, 20}, 16, 16, false, true, 1), 1);
    check_layer(layer_make((struct conv1d_shape){16, 16, 5, 2, 4, 20, 12}, 16, 16, false, true, 1), 1);
    check_layer(layer_make((struct conv1d_shape){16, 16, 3, 1, 0, 20, 18}, 16, 16, false, true, 1), 1);
}

/* ---- one number, one weight ---- */

static int below(int n)
{
    int i = (int)((case_draw() + 1) / 2 * (float)n);
    return i < n ? i : n - 1;
}

static void check_probe(enum tensor_precision p, int tile, struct conv1d_shape s)
{
    struct layer l = layer_make(s, s.n_in, s.n_out, false, false, 0);
    int channel = below(s.n_in), n = below(s.n_out), tap = below(s.n_tap), bin = below(s.n_bin_in), n_wrong = 0;
    void *x = draw_rows(p, 2 * (size_t)s.n_bin_in, s.n_in, s.n_in, 0);
    void *got = malloc(out_count(&l, 2) * precision_bytes(p));
    l.weight[(n * s.n_in + channel) * s.n_tap + tap] = 2;
    case_put(p, x, (size_t)((s.n_bin_in + bin) * s.n_in + channel), 3); /* in the second sample */
    run_kernel(&l, p, 2, tile, x, NULL, got);
    for (int t = 0; t < 2 * s.n_bin_out; t++)
        for (int k = 0; k < s.n_out; k++) {
            bool meets = t >= s.n_bin_out && (t - s.n_bin_out) * s.stride - s.pad + tap == bin && k == n;
            n_wrong += case_get(p, got, (size_t)(t * s.n_out + k)) != (meets ? 6.0f : 0.0f);
        }
    CHECK_SAY(!n_wrong, "%s tile %d k%d/%d: bin %d channel %d tap %d to %d: %d elements wrong", PRECISION_NAME[p], tile,
              s.n_tap, s.stride, bin, channel, tap, n, n_wrong);
    free(x), free(got);
    layer_free(&l);
}

TEST(one_number_goes_where_its_weight_says)
{
    if (!device_here()) SKIP("no GPU here");
    for (int p = 0; p < TENSOR_PRECISION_N; p++)
        for (int i = 0; i < 24; i++)
            check_probe((enum tensor_precision)p, i % CONV1D_TILE_N, same(64, 40, 1 + i % 7, 1 + i / 4 % 2, 70));
}

/* Also where rows are filled up in shared memory: what stands there is not the next bin's. */
static void check_nan(enum tensor_precision p, int tile, struct conv1d_shape s)
{
    struct layer l = layer_make(s, s.n_in, s.n_out, false, true, 1);
    void *x = draw_rows(p, (size_t)s.n_bin_in, s.n_in, s.n_in, 1);
    void *got = malloc(out_count(&l, 1) * precision_bytes(p));
    int at = 21, n_wrong = 0;
    for (int i = 0; i < s.n_in; i++)
        case_put(p, x, (size_t)(at * s.n_in + i), NAN);
    run_kernel(&l, p, 1, tile, x, NULL, got);
    for (int t = 0; t < s.n_bin_out; t++) {
        bool meets = t * s.stride - s.pad <= at && at < t * s.stride - s.pad + s.n_tap;
        for (int k = 0; k < s.n_out; k++)
            n_wrong += (isnan(case_get(p, got, (size_t)(t * s.n_out + k))) != 0) != meets;
    }
    CHECK_SAY(!n_wrong, "%s tile %d, %d channels: %d elements", PRECISION_NAME[p], tile, s.n_in, n_wrong);
    free(x), free(got);
    layer_free(&l);
}

TEST(a_nan_reaches_the_bins_of_its_taps_alone)
{
    if (!device_here()) SKIP("no GPU here");
    for (int p = 0; p < TENSOR_PRECISION_N; p++)
        for (int i = 0; i < 8; i++)
            check_nan((enum tensor_precision)p, i % CONV1D_TILE_N, same(i < 4 ? 8 : 24, 16, 3, 1 + i % 2, 40));
}

/* ---- the order of threads, refusals ---- */

TEST(no_order_of_threads_changes_it)
{
    if (!device_here()) SKIP("no GPU here");
    const char *before = getenv("BURST_STANDIN_SEED"); /* read by the stand-in alone */
    char *kept = before ? strdup(before) : NULL;
    static const char *const seeds[] = {"2", "3", "4", "5"};
    for (int i = 0; i < 4; i++) {
        CHECK(setenv("BURST_STANDIN_SEED", seeds[i], 1) == 0);
        check_layer(layer_make(same(64, 64, 5, 1 + i % 2, 50), 64, 64, true, true, 1), 1);
    }
    CHECK((kept ? setenv("BURST_STANDIN_SEED", kept, 1) : unsetenv("BURST_STANDIN_SEED")) == 0);
    free(kept);
}

TEST(shared_memory_is_what_the_rows_need)
{
    struct conv1d_shape s = same(128, 128, 7, 2, 938);
    int tile[CONV1D_TILE_N], bins, channels;
    conv1d_tile_size(0, &bins, &channels);
    CHECK(bins == 16 && channels == 32);
    conv1d_tile_size(CONV1D_TILE_N, &bins, &channels);
    CHECK(bins == 0 && channels == 0);
    /* 1,024 bytes of steps; 15 x 2 + 7 = 37 rows, even and odd ones 19 each, of 272 and of 528 bytes */
    CHECK_INT(conv1d_shared_bytes(&s, TENSOR_BF16, 0), 1024 + 38 * 272);
    CHECK_INT(conv1d_shared_bytes(&s, TENSOR_TF32, 0), 1024 + 38 * 528);
    CHECK_INT(conv1d_shared_bytes(&s, TENSOR_TF32, -1), 0);
    s = same(16, 128, 1, 1, 938); /* 16 rows of 48 bytes are less than three parts of 16 x 32 sums */
    CHECK_INT(conv1d_shared_bytes(&s, TENSOR_BF16, 0), 1024 + 3 * 16 * 32 * 4);
    CHECK_INT(conv1d_tiles(&s, TENSOR_BF16, 48 * 1024, tile), 4);
    s = same(256, 256, 7, 2, 938); /* 262 rows of 1,040 bytes are too many for any block */
    CHECK_INT(conv1d_tiles(&s, TENSOR_FP32, SHARED_H200, tile), 3);
    CHECK_INT(conv1d_tiles(&s, TENSOR_FP32, 1024, tile), 0);
}

TEST(jobs_outside_the_limits_are_refused)
{
    struct conv1d_job good = {.shape = same(16, 16, 3, 1, 5), .n_sample = 1, .precision = TENSOR_TF32}, job = good;
    job.shape.n_in = 12;
    CHECK_INT(conv1d_cuda(&job, NULL), cudaErrorInvalidValue);
    job = good, job.tile = CONV1D_TILE_N;
    CHECK_INT(conv1d_cuda(&job, NULL), cudaErrorInvalidValue);
    job = good, job.n_sample = 0;
    CHECK_INT(conv1d_cuda(&job, NULL), cudaErrorInvalidValue);
    job = good, job.shape.stride = 3;
    CHECK_INT(conv1d_cuda(&job, NULL), cudaErrorInvalidValue);
    int tile[CONV1D_TILE_N];
    CHECK_INT(conv1d_tiles(&job.shape, TENSOR_TF32, SHARED_H200, tile), 0);
}

int main(void)
{
    RUN(all_taps_and_strides);
    RUN(odd_lengths);
    RUN(many_samples);
    RUN(padded_channels);
    RUN(layers_of_the_light_curve_network);
    RUN(widest_layers);
    RUN(padding_on_one_side_alone);
    RUN(one_number_goes_where_its_weight_says);
    RUN(a_nan_reaches_the_bins_of_its_taps_alone);
    RUN(no_order_of_threads_changes_it);
    RUN(shared_memory_is_what_the_rows_need);
    RUN(jobs_outside_the_limits_are_refused);
    return check_report();
}
