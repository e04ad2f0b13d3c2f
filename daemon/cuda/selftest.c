/* The self-test of burst-cuda: see selftest.h. */
#include "daemon/cuda/selftest.h"
#include "base/clock.h"
#include "daemon/cuda/models.h"
#include "net/cuda/cuda.h"
#include "net/net.h"
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { COMPARED = 25, REPEATS_MOST = 200, TIMES = 3 };
static const int BATCH[TIMES] = {1, 25, 256};
/* |cuda - other| / max(1, |other|): float sums in another order; a 10-bit mantissa; an 8-bit one (architecture.md 6). */
static const double TOLERANCE[CUDA_PRECISION_N] = {1e-4, 1e-3, 5e-2};

/* A model, and what plain C says of made samples. */
struct subject {
    char folder[4096];
    const char *path; /* what to open */
    float *input;     /* [most][n_in] */
    float *plain;     /* [COMPARED][n_out] */
    float *answer;    /* [most][n_out] */
    int64_t n_in, n_out;
    int most, n_compared;
};

struct test {
    const struct selftest_settings *settings;
    FILE *out;
    int64_t patience_ns;
    int n_wrong;
};

/* ---- a subject ---- */

/* Numbers like standardised counts: mean 0, deviation 1, the same in every run. Sum of 12 uniform ones. */
static void make_samples(float *ret, int64_t n)
{
    uint64_t state = 0x9e3779b97f4a7c15;
    for (int64_t i = 0; i < n; i++) {
        double sum = -6;
        for (int j = 0; j < 12; j++) {
            state = state * 6364136223846793005u + 1442695040888963407u; /* Knuth's MMIX */
            sum += (double)(state >> 11) * 0x1p-53;
        }
        ret[i] = (float)sum;
    }
}

static void subject_fini(struct subject *s)
{
    free(s->input);
    free(s->plain);
    free(s->answer);
}

static void set_folder(struct subject *s)
{
    struct stat st;
    size_t n = strnlen(s->path, sizeof s->folder - 1);
    memcpy(s->folder, s->path, n);
    s->folder[n] = 0;
    if (stat(s->path, &st) == 0 && S_ISDIR(st.st_mode)) return;
    char *slash = strrchr(s->folder, '/');
    if (slash)
        *slash = 0;
    else
        memcpy(s->folder, ".", 2);
}

static enum burst_err take_memory(struct subject *s, const struct net *plain, int most, struct burst_error *reterr)
{
    if (net_n_input(plain) != 1 || net_n_output(plain) != 1)
        return burst_fail(reterr, BURST_E_UNSUPPORTED, "%s has %d inputs and %d outputs; this test takes one each",
                          s->path, net_n_input(plain), net_n_output(plain));
    s->most = net_batch(plain) < most ? net_batch(plain) : most;
    s->n_compared = s->most < COMPARED ? s->most : COMPARED;
    s->n_in = net_input(plain, 0)->n_element;
    s->n_out = net_output(plain, 0)->n_element;
    s->input = calloc((size_t)s->most * (size_t)s->n_in, sizeof(float));
    s->plain = calloc((size_t)s->n_compared * (size_t)s->n_out, sizeof(float));
    s->answer = calloc((size_t)s->most * (size_t)s->n_out, sizeof(float));
    if (!s->input || !s->plain || !s->answer)
        return burst_fail(reterr, BURST_E_NOMEM, "no memory for samples of %s", s->path);
    make_samples(s->input, (int64_t)s->most * s->n_in);
    return BURST_OK;
}

static enum burst_err subject_init(const char *path, int most, struct subject *ret, struct burst_error *reterr)
{
    struct net_settings settings = {.backend = NET_BACKEND_PLAIN, .batch_most = most, .memory_most = (size_t)8 << 30};
    struct net *plain = NULL;
    *ret = (struct subject){.path = path};
    set_folder(ret);
    enum burst_err err = net_open(path, &settings, &plain, reterr);
    if (!err) err = take_memory(ret, plain, most, reterr);
    if (!err) err = net_run(plain, ret->input, ret->n_compared, ret->plain, reterr);
    net_close(plain);
    if (err) subject_fini(ret);
    return err;
}

/* ---- one line of the table ---- */

static double worst_difference(const float *a, const float *b, int64_t n)
{
    double worst = 0;
    for (int64_t i = 0; i < n; i++) {
        double size = (double)b[i] < 0 ? -(double)b[i] : (double)b[i];
        double d = ((double)a[i] - (double)b[i]) / (size > 1 ? size : 1);
        if (d < 0) d = -d;
        if (!(d <= worst)) worst = d; /* a NaN, too */
    }
    return worst;
}

static int rising(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* Median of up to REPEATS_MOST runs, or of what fits in a second; at least three. */
static enum burst_err time_batch(struct net *net, const struct subject *s, int n, double *ret_s,
                                 struct burst_error *reterr)
{
    int64_t took[REPEATS_MOST], begun = clock_mono_ns();
    int k = 0;
    enum burst_err err =
        net_run(net, s->input, n, s->answer, reterr); /* the first of a size may still set something up */
    while (!err && k < REPEATS_MOST && (k < 3 || clock_mono_ns() - begun < CLOCK_NS_PER_S)) {
        int64_t start = clock_mono_ns();
        err = net_run(net, s->input, n, s->answer, reterr);
        took[k++] = clock_mono_ns() - start;
    }
    if (err) return err;
    qsort(took, (size_t)k, sizeof *took, rising);
    *ret_s = 1e-9 * (double)took[k / 2];
    return BURST_OK;
}

static enum burst_err print_times(const struct test *t, struct net *net, const struct subject *s,
                                  struct burst_error *reterr)
{
    for (int i = 0; i < TIMES; i++) {
        double seconds = 0;
        if (BATCH[i] > s->most) {
            (void)fprintf(t->out, " %10s", "-");
            continue;
        }
        enum burst_err err = time_batch(net, s, BATCH[i], &seconds, reterr);
        if (err) return err;
        (void)fprintf(t->out, " %10.3f", 1e3 * seconds);
        (void)fflush(t->out);
    }
    return BURST_OK;
}

/* A network opened on the device: golden answers, plain C's answers, times. */
static enum burst_err examine(struct test *t, struct net *net, const struct subject *s, double tolerance,
                              struct burst_error *reterr)
{
    struct burst_error wrong = {0};
    int n_set = 0;
    double golden = 0;
    enum burst_err bad = net_check(net, s->folder, tolerance, &n_set, &golden, &wrong);
    if (bad && bad != BURST_E_MODEL) return burst_fail(reterr, bad, "%s", wrong.text);
    enum burst_err err = net_run(net, s->input, s->n_compared, s->answer, reterr);
    if (err) return err;
    double plain = worst_difference(s->answer, s->plain, s->n_compared * s->n_out);
    (void)fprintf(t->out, " %9.1e %9.1e %7.0e", golden, plain, tolerance);
    err = print_times(t, net, s, reterr);
    if (err) return err;
    bool good = !bad && plain <= tolerance;
    t->n_wrong += !good;
    (void)fprintf(t->out, "  %s%s%s\n", good ? "right" : "WRONG", bad ? ": " : "", bad ? wrong.text : "");
    return BURST_OK;
}

/* End a line of the table whose network gave an error. A late answer is not a wrong one: what it says is not known. */
static enum burst_err end_line(const struct test *t, enum burst_err err, struct burst_error *reterr)
{
    if (err != BURST_E_TIMEOUT) {
        (void)fprintf(t->out, "\n");
        return err;
    }
    double patience = 1e-9 * (double)t->patience_ns;
    (void)fprintf(t->out, "  NO ANSWER within %g s\n", patience);
    return burst_fail(reterr, err, "no answer within %g s (--patience): the device hangs, or is very slow", patience);
}

static enum burst_err test_model(struct test *t, struct cuda_engine *engine, enum cuda_precision precision,
                                 const struct subject *s, struct burst_error *reterr)
{
    struct net_settings settings = {
        .batch_most = s->most, .memory_most = (size_t)8 << 30, .with = &net_backend_cuda, .engine = engine};
    struct net *net = NULL;
    int64_t start = clock_mono_ns();
    (void)fprintf(t->out, "  %-5s", cuda_precision_name(precision));
    (void)fflush(t->out);
    enum burst_err err = net_open(s->path, &settings, &net, reterr);
    if (err == BURST_E_UNSUPPORTED) {
        t->n_wrong++;
        (void)fprintf(t->out, "  REFUSED: %s\n", reterr->text);
        return BURST_OK;
    }
    if (err) return end_line(t, err, reterr);
    (void)fprintf(t->out, " %7.2f", 1e-9 * (double)(clock_mono_ns() - start));
    err = examine(t, net, s, TOLERANCE[precision], reterr);
    if (!cuda_is_dead(engine)) net_close(net);
    return err ? end_line(t, err, reterr) : BURST_OK;
}

/* ---- the whole ---- */

static enum burst_err print_device(const struct test *t, struct burst_error *reterr)
{
    struct cuda_settings settings = {.device = t->settings->device, .cache_folder = t->settings->cache_folder};
    struct cuda_device_facts f;
    struct cuda_engine *engine;
    enum burst_err err = cuda_open(&settings, &engine, reterr);
    if (err) return err;
    cuda_describe(engine, &f);
    cuda_close(engine);
    (void)fprintf(t->out, "device %d: %s, compute capability %d.%d, %d multiprocessors, %.1f GiB\n",
                  t->settings->device, f.name, f.sm / 10, f.sm % 10, f.n_multiprocessor,
                  (double)f.memory_bytes / (double)(1 << 30));
    (void)fprintf(t->out, "driver for CUDA %d.%d, runtime CUDA %d.%d, cuDNN %d.%d.%d\n", f.driver / 1000,
                  f.driver % 1000 / 10, f.runtime / 1000, f.runtime % 1000 / 10, f.cudnn / 10000, f.cudnn % 10000 / 100,
                  f.cudnn % 100);
    return BURST_OK;
}

static enum burst_err test_subject(void *context, const char *path, struct burst_error *reterr)
{
    struct test *t = context;
    struct subject s;
    enum burst_err err = subject_init(path, t->settings->most, &s, reterr);
    if (err == BURST_E_UNSUPPORTED) reterr->code = BURST_E_MODEL; /* not the device's fault */
    if (err) return reterr->code;
    (void)fprintf(t->out, "\n%s\n  %-5s %7s %9s %9s %7s %10s %10s %10s\n", path, "", "load s", "golden", "plain",
                  "most", "1: ms", "25: ms", "256: ms");
    for (int p = 0; !err && p < CUDA_PRECISION_N; p++) {
        struct cuda_settings settings = {.device = t->settings->device,
                                         .precision = (enum cuda_precision)p,
                                         .cache_folder = t->settings->cache_folder,
                                         .patience_ns = t->patience_ns};
        struct cuda_engine *engine = NULL;
        err = cuda_open(&settings, &engine, reterr);
        if (!err) err = test_model(t, engine, (enum cuda_precision)p, &s, reterr);
        if (engine && !cuda_is_dead(engine)) cuda_close(engine); /* a device that hangs would not let it go */
    }
    subject_fini(&s);
    return err;
}

enum burst_err selftest_run(const struct selftest_settings *settings, FILE *out, int *ret_n_wrong,
                            struct burst_error *reterr)
{
    struct test t = {settings, out, settings->patience_ns > 0 ? settings->patience_ns : 60 * CLOCK_NS_PER_S, 0};
    enum burst_err err = print_device(&t, reterr);
    if (!err) err = models_visit(settings->model, settings->n_model, test_subject, &t, reterr);
    if (err) return err;
    (void)fprintf(out, "\n%s\n", t.n_wrong ? "NOT all right: do not use this device" : "all right");
    if (fflush(out) != 0 || ferror(out)) return burst_fail(reterr, BURST_E_IO, "the table could not be written");
    *ret_n_wrong = t.n_wrong;
    return BURST_OK;
}
