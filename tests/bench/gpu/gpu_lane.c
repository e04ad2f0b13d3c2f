/* A lane to burst-cuda as burstd has it, timed for bench.py and put under stress by tests/gpu/run: light curves of many
 * detectors, a stride at a time.
 *
 *   gpu_lane PROGRAM MODEL COUNTS ATOMS BANDS fp32|tf32|bf16 spin|sleep [CACHE]
 *
 * PROGRAM is burst-cuda, started from here. COUNTS: bare uint32 [WORKER_ROWS_MOST][ATOMS][bins], at least 1,875 + 16 bins.
 * BANDS: "0-1,1-2,1-3", band b being the sum of the atoms from the first number to before the second. Prints
 * `worker PID DEVICE` once it is ready, and one line for each line of standard input until that ends:
 *   window ROWS TIMES      ns of each; each a stride (16 bins) further, another detector's ring for each row
 *   device ROWS TIMES      the same, but what the worker says that it took
 *   echo BYTES TIMES       ns of each
 *   idle ROWS TIMES REST   window, each after REST seconds without a job
 *   check ROWS TIMES       window, against plain C: `worst X flips N` over all answers
 *   digest ROWS            window at the beginning: a checksum of the answers' bits
 *   again                  until the lane is ready after it was given up: `worker PID DEVICE`
 * A job that fails is answered `failed CODE MS WHY`, and the lane is as it then is. */
#include "base/bytes.h"
#include "base/clock.h"
#include "kernels/standardise.h"
#include "net/net.h"
#include "net/worker.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { STRIDE = 16, OUT_MOST = 16 };

struct lane {
    struct worker *w;
    struct net *plain;
    const uint32_t *counts; /* [WORKER_ROWS_MOST][n_atom][n_bin] */
    size_t n_atom, n_bin, n_out;
    int n_band;
    uint8_t first[WORKER_BANDS_MOST], last[WORKER_BANDS_MOST];
    int64_t k_first;
    uint32_t *window; /* [WORKER_ROWS_MOST][n_atom][WORKER_WINDOW_BINS] */
    uint8_t *valid;
    uint64_t key[WORKER_ROWS_MOST];
    float answer[WORKER_ROWS_MOST * OUT_MOST];
    int64_t patience_ns;
};

static int refuse(const struct burst_error *error)
{
    (void)fprintf(stderr, "gpu_lane: %s\n", error->text);
    return 3;
}

/* The next stride; from the beginning again where the counts end. */
static void next_window(struct lane *l, int n_row)
{
    l->k_first += STRIDE;
    if ((size_t)l->k_first + WORKER_WINDOW_BINS > l->n_bin) l->k_first = 0;
    for (int r = 0; r < n_row; r++)
        for (size_t a = 0; a < l->n_atom; a++)
            memcpy(l->window + ((size_t)r * l->n_atom + a) * WORKER_WINDOW_BINS,
                   l->counts + ((size_t)r * l->n_atom + a) * l->n_bin + (size_t)l->k_first,
                   WORKER_WINDOW_BINS * sizeof *l->window);
}

static enum burst_err run_window(struct lane *l, int n_row, int64_t *ret_ns, struct burst_error *reterr)
{
    next_window(l, n_row);
    const struct worker_window job = {.n_row = n_row,
                                      .n_atom = (int)l->n_atom,
                                      .k_first = l->k_first,
                                      .key = l->key,
                                      .counts = l->window,
                                      .valid = l->valid};
    int64_t begun = clock_mono_ns();
    enum burst_err err = worker_window(l->w, 0, &job, l->answer, begun + l->patience_ns, reterr);
    *ret_ns = clock_mono_ns() - begun;
    return err;
}

static enum burst_err run_echo(struct lane *l, size_t n, int64_t *ret_ns, struct burst_error *reterr)
{
    static uint8_t sent[1 << 16], got[1 << 16];
    for (size_t i = 0; i < n; i++)
        sent[i] = (uint8_t)(i * 31 + n);
    int64_t begun = clock_mono_ns();
    enum burst_err err = worker_echo(l->w, sent, n, got, begun + l->patience_ns, reterr);
    *ret_ns = clock_mono_ns() - begun;
    if (!err && memcmp(sent, got, n) != 0) return burst_fail(reterr, BURST_E_CONFLICT, "the echo is another");
    return err;
}

/* What plain C makes of the window that ran last. */
static enum burst_err run_plain(struct lane *l, int n_row, float *ret, struct burst_error *reterr)
{
    static float z[WORKER_BANDS_MOST * WORKER_WINDOW_BINS];
    enum burst_err err = BURST_OK;
    for (int r = 0; !err && r < n_row; r++) {
        standardise_bands(l->window + (size_t)r * l->n_atom * WORKER_WINDOW_BINS,
                          l->valid + (size_t)r * WORKER_WINDOW_BINS, WORKER_WINDOW_BINS, l->first, l->last, l->n_band,
                          z);
        err = net_run(l->plain, z, 1, ret + (size_t)r * l->n_out, reterr);
    }
    return err;
}

/* Which logit is larger; for one logit, its sign. */
static int class_of(const float *y, size_t n_out)
{
    return n_out == 1 ? y[0] > 0 : y[1] > y[0];
}

static enum burst_err check(struct lane *l, int n_row, int times, struct burst_error *reterr)
{
    float want[WORKER_ROWS_MOST * OUT_MOST];
    double worst = 0;
    int flips = 0;
    enum burst_err err = BURST_OK;
    for (int i = 0; !err && i < times; i++) {
        int64_t ns;
        err = run_window(l, n_row, &ns, reterr);
        if (!err) err = run_plain(l, n_row, want, reterr);
        for (size_t k = 0; !err && k < (size_t)n_row * l->n_out; k++) {
            double e = fabs((double)l->answer[k] - (double)want[k]) / fmax(1, fabs((double)want[k]));
            if (!(e <= worst)) worst = e; /* a NaN gets through and stays */
        }
        for (int r = 0; !err && r < n_row; r++)
            flips +=
                class_of(want + (size_t)r * l->n_out, l->n_out) != class_of(l->answer + (size_t)r * l->n_out, l->n_out);
    }
    if (!err) printf("worst %.6g flips %d\n", worst, flips);
    return err;
}

static enum burst_err digest(struct lane *l, int n_row, struct burst_error *reterr)
{
    int64_t ns;
    uint64_t sum = UINT64_C(14695981039346656037); /* FNV-1a */
    l->k_first = (int64_t)l->n_bin;                /* so that the next is the beginning */
    enum burst_err err = run_window(l, n_row, &ns, reterr);
    if (err) return err;
    const uint8_t *bytes = (const uint8_t *)l->answer;
    for (size_t i = 0; i < (size_t)n_row * l->n_out * sizeof *l->answer; i++)
        sum = (sum ^ bytes[i]) * UINT64_C(1099511628211);
    printf("%016llx\n", (unsigned long long)sum);
    return BURST_OK;
}

static void rest(double seconds)
{
    struct timespec t = {(time_t)seconds, (long)((seconds - (double)(time_t)seconds) * 1e9)};
    (void)nanosleep(&t, NULL); /* a signal would end the program */
}

static enum burst_err time_jobs(struct lane *l, const char *what, int n, int times, double seconds,
                                struct burst_error *reterr)
{
    enum burst_err err = BURST_OK;
    int64_t *ns = calloc((size_t)times, sizeof *ns);
    if (!ns) return burst_fail(reterr, BURST_E_NOMEM, "no memory for %d times", times);
    for (int i = 0; !err && i < times; i++) {
        if (seconds > 0) rest(seconds);
        err = strcmp(what, "echo") == 0 ? run_echo(l, (size_t)n, &ns[i], reterr) : run_window(l, n, &ns[i], reterr);
        if (strcmp(what, "device") == 0) ns[i] = worker_device_ns(l->w);
    }
    for (int i = 0; !err && i < times; i++)
        printf("%lld%s", (long long)ns[i], i + 1 < times ? " " : "\n");
    free(ns);
    return err;
}

/* Until the lane is ready: 10 minutes at most, since every engine is timed the first time, and no more than LOSSES workers that
 * came and went. */
static enum burst_err get_ready(struct lane *l, struct burst_error *reterr)
{
    enum { LOSSES = 3 };
    int64_t until = clock_mono_ns() + INT64_C(600000000000);
    enum worker_state before = WORKER_ABSENT, now;
    int lost = 0;
    while ((now = worker_step(l->w, clock_mono_ns())) != WORKER_READY) {
        lost += now == WORKER_ABSENT && before != WORKER_ABSENT;
        if (lost == LOSSES || clock_mono_ns() > until)
            return burst_fail(reterr, BURST_E_DEVICE, "no worker: %.300s", worker_why(l->w));
        before = now;
        rest(0.005);
    }
    const struct worker_slot *slot = worker_slot(l->w, 0);
    if (slot->state != WORKER_SLOT_LOADED) return burst_fail(reterr, slot->code, "the worker refuses: %s", slot->text);
    printf("worker %d %s\n", worker_facts(l->w)->pid, worker_facts(l->w)->device);
    return BURST_OK;
}

static enum burst_err obey(struct lane *l, const char *line, struct burst_error *reterr)
{
    char what[16] = "";
    int n = 0, times = 1;
    double seconds = 0;
    int n_word = sscanf(line, "%15s %d %d %lf", what, &n, &times, &seconds);
    if (strcmp(what, "again") == 0) return get_ready(l, reterr);
    int most = strcmp(what, "echo") == 0 ? 1 << 16 : WORKER_ROWS_MOST;
    if (n_word < 2 || n < 1 || n > most || times < 1 || !strstr(" window device echo idle check digest ", what))
        return burst_fail(reterr, BURST_E_RANGE, "'%.100s' is no command", line);
    if (strcmp(what, "check") == 0) return check(l, n, times, reterr);
    if (strcmp(what, "digest") == 0) return digest(l, n, reterr);
    return time_jobs(l, what, n, times, seconds, reterr);
}

static void serve(struct lane *l)
{
    char line[128];
    struct burst_error error;
    while (fgets(line, sizeof line, stdin)) {
        int64_t begun = clock_mono_ns();
        line[strcspn(line, "\n")] = 0;
        if (obey(l, line, &error))
            printf("failed %s %.1f %s\n", burst_err_name(error.code), (double)(clock_mono_ns() - begun) * 1e-6,
                   error.text);
        (void)fflush(stdout);
    }
}

/* "0-1,1-3" */
static bool parse_bands(struct lane *l, const char *text)
{
    unsigned first, last;
    int used = 0;
    while (l->n_band < WORKER_BANDS_MOST && sscanf(text, "%u-%u%n", &first, &last, &used) == 2) {
        if (first >= last || last > l->n_atom) return false;
        l->first[l->n_band] = (uint8_t)first;
        l->last[l->n_band++] = (uint8_t)last;
        text += used;
        if (*text++ != ',') return true;
    }
    return false;
}

static enum burst_err read_counts(struct lane *l, const char *path, struct burst_error *reterr)
{
    uint8_t *bytes;
    size_t n, row = WORKER_ROWS_MOST * l->n_atom * sizeof *l->counts;
    enum burst_err err = bytes_read_file(path, (size_t)1 << 30, &bytes, &n, reterr);
    if (err) return err;
    l->counts = (const uint32_t *)(const void *)bytes; /* from malloc, so aligned */
    l->n_bin = n / row;
    if (n % row || l->n_bin < WORKER_WINDOW_BINS + STRIDE)
        return burst_fail(reterr, BURST_E_SHAPE, "%.130s has %zu bytes", path, n);
    size_t n_window = WORKER_ROWS_MOST * l->n_atom * WORKER_WINDOW_BINS;
    l->window = malloc(n_window * sizeof *l->window);
    l->valid = malloc(WORKER_ROWS_MOST * WORKER_WINDOW_BINS);
    if (!l->window || !l->valid) return burst_fail(reterr, BURST_E_NOMEM, "no memory for a window");
    memset(l->valid, 1, WORKER_ROWS_MOST * WORKER_WINDOW_BINS);
    for (int r = 0; r < WORKER_ROWS_MOST; r++)
        l->key[r] = (uint64_t)r + 1;
    return BURST_OK;
}

static enum burst_err open_worker(struct lane *l, char **argv, const char *cache, struct burst_error *reterr)
{
    static const char *const words[] = {"fp32", "tf32", "bf16"};
    struct worker_settings settings = {.program = argv[1],
                                       .cache = cache,
                                       .spin = strcmp(argv[7], "spin") == 0,
                                       .core = -1,
                                       .load_limit_ns = INT64_C(600000000000)};
    struct worker_model model = {.role = WORKER_LIGHT_CURVE,
                                 .batch = WORKER_ROWS_MOST,
                                 .n_atom = (int)l->n_atom,
                                 .n_band = l->n_band,
                                 .cam_index = (int)l->n_out - 1};
    uint8_t *bytes = NULL;
    char path[4096];
    while (settings.precision < WORKER_PRECISION_N && strcmp(argv[6], words[settings.precision]) != 0)
        settings.precision++;
    memcpy(model.first, l->first, sizeof l->first);
    memcpy(model.last, l->last, sizeof l->last);
    (void)snprintf(path, sizeof path, "%s/model.onnx", argv[2]); /* cut short, it does not exist */
    enum burst_err err = bytes_read_file(path, NET_FILE_MOST, &bytes, &model.n, reterr);
    if (err) return err;
    model.bytes = bytes;
    err = worker_new(&settings, &l->w, reterr);
    if (!err) err = worker_model(l->w, 0, &model, reterr);
    free(bytes);
    return err ? err : get_ready(l, reterr);
}

int main(int argc, char **argv)
{
    struct lane l = {.patience_ns = INT64_C(2000000000)};
    struct burst_error error;
    struct net_settings plain = {.backend = NET_BACKEND_PLAIN};
    if (argc < 8 || argc > 9) return 2;
    l.n_atom = (size_t)strtoul(argv[4], NULL, 10);
    if (l.n_atom < 1 || l.n_atom > WORKER_ATOMS_MOST || !parse_bands(&l, argv[5])) return 2;
    enum burst_err err = read_counts(&l, argv[3], &error);
    if (!err) err = net_open(argv[2], &plain, &l.plain, &error);
    if (!err) l.n_out = (size_t)net_output(l.plain, 0)->n_element;
    if (!err && (l.n_out > OUT_MOST || net_input(l.plain, 0)->n_element != (int64_t)l.n_band * WORKER_WINDOW_BINS))
        err = burst_fail(&error, BURST_E_SHAPE, "that network takes no windows of %d bands", l.n_band);
    if (!err) err = open_worker(&l, argv, argc == 9 ? argv[8] : NULL, &error);
    (void)fflush(stdout);
    if (!err) serve(&l);
    worker_free(l.w);
    net_close(l.plain);
    free((void *)(uintptr_t)l.counts);
    free(l.window);
    free(l.valid);
    return err ? refuse(&error) : 0;
}
