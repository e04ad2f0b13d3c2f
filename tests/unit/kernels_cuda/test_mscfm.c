/* The MSCFM kernel against its plain twin, block by block and thread by thread on the stand-in, the same program on a
 * card: FP32 to the last bit, TF32 and bfloat16 within what roundings can do to each element and far closer on the
 * whole. */
#include "kernels/mscfm_cuda.h"
#include "tensor_case.h"

enum { SHARED_H200 = 227 * 1024 };

struct module {
    int c;
    struct mscfm_weights w;
    float *all[2 + MSCFM_SCALES], *bias;
};

/* Weights of about the size that keeps activations of size one; zeros where scale is 0. */
static struct module module_make(int c, float scale)
{
    size_t n = (size_t)c, r = n / 4;
    struct module m = {.c = c};
    m.all[0] = case_floats(r * n, scale * 1.7f / sqrtf((float)c));
    for (int i = 0; i < MSCFM_SCALES; i++)
        m.all[1 + i] = case_floats(r * r * 3, scale * 2.4f / sqrtf(3 * (float)r));
    m.all[4] = case_floats(n * n, scale * 1.7f / sqrtf((float)c));
    m.bias = case_floats(2 * n, scale * 0.3f);
    m.w = (struct mscfm_weights){
        m.all[0], m.bias,    {m.all[1], m.all[2], m.all[3]}, {m.bias + r, m.bias + 2 * r, m.bias + 3 * r},
        m.all[4], m.bias + n};
    return m;
}

static void module_free(struct module *m)
{
    for (int i = 0; i < 2 + MSCFM_SCALES; i++)
        free(m->all[i]);
    free(m->bias);
}

static void run_kernel(const struct module *m, enum tensor_precision precision, int n_sample, int n_bin, int tile,
                       const void *x, void *ret_y)
{
    size_t bytes = (size_t)m->c * (size_t)n_bin * (size_t)n_sample * precision_bytes(precision);
    size_t packed_bytes = mscfm_packed_bytes(m->c, precision);
    void *packed = malloc(packed_bytes);
    mscfm_pack(m->c, precision, &m->w, packed);
    void *dw = device_upload(packed, packed_bytes), *dx = device_upload(x, bytes), *dy = device_poisoned(bytes);
    struct mscfm_job job = {dx, dy, dw, m->c, n_bin, n_sample, precision, tile};
    CHECK_INT(mscfm_cuda(&job, NULL), cudaSuccess);
    device_download(ret_y, dy, bytes);
    (void)cudaFree(dw), (void)cudaFree(dx);
    free(packed);
}

/* ---- how far the twins may be apart: the module once more, in double, with what rounding may add ---- */

struct bounded {
    double *value, *apart; /* [n_bin][c] */
};

static void bound_step(const struct bounded *in, int64_t n_in, int64_t taps, const float *w, const float *bias,
                       enum tensor_precision p, int64_t step, int64_t n_bin, int64_t n_out, struct bounded out)
{
    for (int64_t t = 0; t < n_bin; t++)
        for (int64_t n = 0; n < n_out; n++) {
            double sum = (double)bias[n], size = fabs(sum), apart = 0;
            for (int64_t tap = 0; tap < taps; tap++) {
                int64_t from = t + tap - taps / 2;
                for (int64_t i = 0; from >= 0 && from < n_bin && i < n_in; i++) {
                    double f = case_factor(p, w[(n * n_in + i) * taps + tap]), x = in->value[from * step + i];
                    sum += f * x;
                    size += fabs(f * x);
                    apart += fabs(f) * in->apart[from * step + i];
                }
            }
            apart += case_sum_bound(n_in * taps, size + apart);
            out.value[t * step + n] = sum < 0 ? 0 : sum;
            out.apart[t * step + n] = apart;
        }
}

static void bound_round(struct bounded b, enum tensor_precision p, int64_t step, int64_t n_bin, int64_t n)
{
    for (int64_t t = 0; t < n_bin; t++)
        for (int64_t i = t * step; i < t * step + n; i++) {
            b.apart[i] = case_round_bound(p, b.value[i], b.apart[i]);
            b.value[i] = case_factor(p, (float)b.value[i]);
        }
}

/* Returned  ret_apart [n_bin][c]: the bound on |kernel - plain| of each element of one sample of y. */
static void bound_sample(const struct module *m, enum tensor_precision p, int64_t n_bin, const void *x,
                         double *ret_apart)
{
    int64_t c = m->c, r = c / 4, n = n_bin * c;
    double *all = calloc((size_t)(6 * n), sizeof *all);
    struct bounded in = {all, all + n}, f = {all + 2 * n, all + 3 * n}, y = {all + 4 * n, ret_apart};
    for (int64_t i = 0; i < n; i++)
        in.value[i] = case_factor(p, case_get(p, x, (size_t)i));
    bound_step(&in, c, 1, m->w.reduce, m->w.reduce_bias, p, c, n_bin, r, f);
    bound_round(f, p, c, n_bin, r);
    for (int i = 0; i < MSCFM_SCALES; i++) {
        struct bounded from = {f.value + i * r, f.apart + i * r}, to = {from.value + r, from.apart + r};
        bound_step(&from, r, 3, m->w.scale[i], m->w.scale_bias[i], p, c, n_bin, r, to);
        bound_round(to, p, c, n_bin, r);
    }
    bound_step(&f, c, 1, m->w.join, m->w.join_bias, p, c, n_bin, c, y);
    for (int64_t i = 0; i < n; i++) {
        double whole = fabs((double)case_get(p, x, (size_t)i)), size = y.value[i] + y.apart[i] + whole;
        ret_apart[i] += 2 * 0x1p-24 * size;
        if (p == TENSOR_BF16) ret_apart[i] = case_round_bound(p, size, ret_apart[i]);
    }
    free(all);
}

/* The whole is much closer than any element must be: sums differ in the seventh digit, so that few of the roundings
 * after them fall differently. Flips come at about 2^-24 n / unit of the elements and cost a unit: below 2e-4 in
 * TF32, 1e-3 in bfloat16. */
static const double NORM[TENSOR_PRECISION_N] = {0, 2e-4, 1e-3};

static void compare(int c, enum tensor_precision p, int n_sample, int n_bin, int tile, const double *apart,
                    const void *want, const void *got)
{
    double worst = 0, off = 0, size = 0;
    for (size_t i = 0; i < (size_t)c * (size_t)n_bin * (size_t)n_sample; i++) {
        double a = (double)case_get(p, want, i), b = (double)case_get(p, got, i);
        if (!(fabs(a - b) <= apart[i])) worst = fmax(worst, isnan(b) ? INFINITY : fabs(a - b) / (apart[i] + 1e-300));
        off += (a - b) * (a - b), size += a * a;
    }
    CHECK_SAY(worst == 0, "%s C %d T %d n %d tile %d: %g times the bound", PRECISION_NAME[p], c, n_bin, n_sample, tile,
              worst);
    CHECK_SAY(sqrt(off / size) <= NORM[p], "%s C %d T %d n %d tile %d: off by %g of the whole", PRECISION_NAME[p], c,
              n_bin, n_sample, tile, sqrt(off / size));
}

/* Every tile there is, on one shape; of many samples the small ones. */
static void check_shape(int c, enum tensor_precision p, int n_sample, int n_bin)
{
    struct module m = module_make(c, 1);
    size_t one = (size_t)c * (size_t)n_bin, n = one * (size_t)n_sample;
    void *x = case_tensor(p, n, 2), *want = malloc(n * precision_bytes(p)), *got = malloc(n * precision_bytes(p));
    float *scratch = malloc(one * sizeof *scratch);
    double *apart = calloc(n, sizeof *apart);
    int tile[MSCFM_TILE_N];
    mscfm_plain(c, p, &m.w, n_sample, n_bin, x, scratch, want);
    for (size_t i = 0; p != TENSOR_FP32 && i < n; i += one)
        bound_sample(&m, p, n_bin, (const char *)x + i * precision_bytes(p), apart + i);
    int n_tile = mscfm_tiles(c, p, SHARED_H200, tile);
    CHECK(n_tile >= 3);
    for (int i = 0; i < (n_sample > 7 ? 2 : n_tile); i++) {
        run_kernel(&m, p, n_sample, n_bin, tile[i], x, got);
        compare(c, p, n_sample, n_bin, tile[i], apart, want, got);
    }
    free(x), free(want), free(got), free(scratch), free(apart);
    module_free(&m);
}

static void check_precision(enum tensor_precision p)
{
    static const int bins[] = {1, 2, 3, 7, 16, 17, 118, 235}, samples[] = {1, 2, 7, 25, 33};
    for (size_t i = 0; i < sizeof bins / sizeof bins[0]; i++)
        check_shape(128, p, 1, bins[i]);
    for (size_t i = 1; i < sizeof samples / sizeof samples[0]; i++)
        check_shape(128, p, samples[i], samples[i] > 7 ? 3 : 19);
}

TEST(fp32_gives_the_bits_of_plain_c)
{
    if (!device_here()) SKIP("no GPU here");
    check_precision(TENSOR_FP32);
}

TEST(tf32_differs_by_roundings_alone)
{
    if (!device_here()) SKIP("no GPU here");
    check_precision(TENSOR_TF32);
}

TEST(bf16_differs_by_roundings_alone)
{
    if (!device_here()) SKIP("no GPU here");
    check_precision(TENSOR_BF16);
}

TEST(all_lengths_of_the_light_curve_network)
{
    if (!device_here()) SKIP("no GPU here");
    static const int bins[] = {118, 235, 469, 938};
    for (int i = 0; i < 4; i++)
        for (int p = 0; p < TENSOR_PRECISION_N; p++)
            check_shape(128, (enum tensor_precision)p, i ? 1 : 2, bins[i]);
}

TEST(other_widths)
{
    if (!device_here()) SKIP("no GPU here");
    for (int p = 0; p < TENSOR_PRECISION_N; p++) {
        check_shape(64, (enum tensor_precision)p, 2, 70);
        check_shape(64, (enum tensor_precision)p, 1, 1);
        check_shape(256, (enum tensor_precision)p, 1, 37);
        check_shape(256, (enum tensor_precision)p, 3, 2);
    }
}

/* ---- probes: one number and one weight per convolution, where it goes worked out by hand ---- */

static int below(int n)
{
    int i = (int)((case_draw() + 1) / 2 * (float)n);
    return i < n ? i : n - 1;
}

/* Draw the number's path and put its weights; add what it leaves in y. Once it has left the sample it is lost, though
 * the next tap would bring it back. */
static void lay_path(struct module *m, int n_bin, int at, int channel, float value, float *y)
{
    int c = m->c, r = c / 4, from = channel, bin = at;
    y[at * c + channel] += value;
    for (int i = 0; i <= MSCFM_SCALES; i++) {
        int to = below(r), out = below(c), tap = below(3);
        if (i == 0)
            m->all[0][to * c + from] = 1;
        else
            m->all[i][(to * r + from) * 3 + tap] = 1, bin += 1 - tap;
        m->all[4][out * c + i * r + to] = 1;
        if (bin < 0 || bin >= n_bin) value = 0;
        if (value != 0) y[bin * c + out] += value;
        from = to;
    }
}

static void check_probe(int c, enum tensor_precision p, int tile, int n_bin, int sample, int at)
{
    enum { SAMPLES = 2 };
    size_t one = (size_t)c * (size_t)n_bin, n = SAMPLES * one;
    struct module m = module_make(c, 0);
    void *x = case_tensor(p, n, 0), *got = malloc(n * precision_bytes(p));
    float *want = calloc(n, sizeof *want);
    int channel = below(c), n_wrong = 0;
    case_put(p, x, (size_t)sample * one + (size_t)(at * c + channel), 3);
    lay_path(&m, n_bin, at, channel, 3, want + (size_t)sample * one);
    run_kernel(&m, p, SAMPLES, n_bin, tile, x, got);
    for (size_t i = 0; i < n; i++)
        n_wrong += case_get(p, got, i) != want[i];
    CHECK_SAY(!n_wrong, "%s C %d tile %d: 3 at bin %d channel %d: %d elements wrong", PRECISION_NAME[p], c, tile, at,
              channel, n_wrong);
    free(x), free(got), free(want);
    module_free(&m);
}

TEST(one_number_goes_where_its_weights_say)
{
    if (!device_here()) SKIP("no GPU here");
    static const int channels[] = {64, 128, 256}, at[] = {0, 1, 14, 15, 16, 17, 31, 32, 36, 37};
    for (int i = 0; i < 3; i++)
        for (int p = 0; p < TENSOR_PRECISION_N; p++) {
            int tile[MSCFM_TILE_N], n_tile = mscfm_tiles(channels[i], (enum tensor_precision)p, SHARED_H200, tile);
            for (size_t k = 0; k < sizeof at / sizeof at[0]; k++)
                check_probe(channels[i], (enum tensor_precision)p, tile[k % (size_t)n_tile], 38, (int)k % 2, at[k]);
        }
}

/* ---- the order of threads, odd numbers, refusals ---- */

static void check_seed(const char *seed)
{
    CHECK(setenv("BURST_STANDIN_SEED", seed, 1) == 0); /* read by the stand-in alone */
    for (int p = 0; p < TENSOR_PRECISION_N; p++)
        check_shape(128, (enum tensor_precision)p, 1, 40);
}

TEST(no_order_of_threads_changes_it)
{
    if (!device_here()) SKIP("no GPU here");
    const char *before = getenv("BURST_STANDIN_SEED");
    char *kept = before ? strdup(before) : NULL;
    static const char *const seeds[] = {"2", "3", "4", "5"};
    for (int i = 0; i < 4; i++)
        check_seed(seeds[i]);
    CHECK((kept ? setenv("BURST_STANDIN_SEED", kept, 1) : unsetenv("BURST_STANDIN_SEED")) == 0);
    free(kept);
}

TEST(a_nan_reaches_three_bins_on_either_side)
{
    if (!device_here()) SKIP("no GPU here");
    enum { C = 128, T = 40 };
    for (int p = 0; p < TENSOR_PRECISION_N; p++) {
        struct module m = module_make(C, 1);
        void *x = case_tensor((enum tensor_precision)p, C * T, 2), *y = malloc(C * T * sizeof(float));
        case_put((enum tensor_precision)p, x, 15 * C + 3, NAN);
        run_kernel(&m, (enum tensor_precision)p, 1, T, 16, x, y);
        for (int t = 0; t < T; t++)
            CHECK_INT(isnan(case_get((enum tensor_precision)p, y, (size_t)(t * C + 77))), t >= 12 && t <= 18);
        free(x), free(y);
        module_free(&m);
    }
}

TEST(shared_memory_is_what_the_tiles_need)
{
    int tile[MSCFM_TILE_N];
    /* 2 (tile + 6) (C e + 16) bytes: C 128, 64 bins of bfloat16 2 x 70 x 272; 32 of float 2 x 38 x 528 */
    CHECK_INT(mscfm_shared_bytes(128, TENSOR_BF16, 64), 38080);
    CHECK_INT(mscfm_shared_bytes(128, TENSOR_TF32, 32), 40128);
    CHECK_INT(mscfm_shared_bytes(128, TENSOR_TF32, 48), 0);
    CHECK_INT(mscfm_tiles(128, TENSOR_BF16, SHARED_H200, tile), 4);
    CHECK_INT(tile[0], 16);
    CHECK_INT(tile[3], 128);
    CHECK_INT(mscfm_tiles(128, TENSOR_TF32, 48 * 1024, tile), 2);
    CHECK_INT(mscfm_tiles(256, TENSOR_FP32, SHARED_H200, tile), 3); /* 2 x 134 x 1040 = 278,720 bytes are too many */
    CHECK_INT(mscfm_tiles(96, TENSOR_FP32, SHARED_H200, tile), 0);
    CHECK_INT(mscfm_tiles(128, TENSOR_FP32, 1024, tile), 0);
}

TEST(jobs_outside_the_limits_are_refused)
{
    struct mscfm_job good = {NULL, NULL, NULL, 128, 1, 1, TENSOR_FP32, 16}, job = good;
    job.n_channel = 96;
    CHECK_INT(mscfm_cuda(&job, NULL), cudaErrorInvalidValue);
    job = good, job.tile = 17;
    CHECK_INT(mscfm_cuda(&job, NULL), cudaErrorInvalidValue);
    job = good, job.n_bin = 0;
    CHECK_INT(mscfm_cuda(&job, NULL), cudaErrorInvalidValue);
    job = good, job.n_sample = 65536;
    CHECK_INT(mscfm_cuda(&job, NULL), cudaErrorInvalidValue);
    job = good, job.n_channel = 256, job.tile = 128;
    CHECK_INT(mscfm_cuda(&job, NULL), cudaErrorInvalidValue);
}

int main(void)
{
    RUN(fp32_gives_the_bits_of_plain_c);
    RUN(tf32_differs_by_roundings_alone);
    RUN(bf16_differs_by_roundings_alone);
    RUN(all_lengths_of_the_light_curve_network);
    RUN(other_widths);
    RUN(one_number_goes_where_its_weights_say);
    RUN(no_order_of_threads_changes_it);
    RUN(a_nan_reaches_three_bins_on_either_side);
    RUN(shared_memory_is_what_the_tiles_need);
    RUN(jobs_outside_the_limits_are_refused);
    return check_report();
}
