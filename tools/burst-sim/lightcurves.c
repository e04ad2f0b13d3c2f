/* burst-sim lightcurves: x.npy [N, 9, 1875] float32, y.npy [N] int64, meta.csv. */
#include "commands.h"
#include "prepare/window.h"
#include "sim/lightcurve.h"
#include "sim/npy.h"
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const char USAGE[] =
    "usage: burst-sim lightcurves --n N --out DIR [options]\n"
    "\n"
    "  --n N            samples, 1 to 10000000\n"
    "  --out DIR        made when absent; gets x.npy (float32 [N,9,1875], standardised), y.npy (int64), meta.csv\n"
    "  --seed S         default 1; samples of two seeds share no burst\n"
    "  --mission WORD   gecam-b, fermi-gbm or mix (default)\n"
    "  --only WORD      burst, quiet, dropout, or one look-alike: hump particles flare spike flash bit hot step ramp\n";

struct request {
    uint64_t n, seed;
    struct sample_wish wish;
    const char *folder;
};

enum { ONLY_BURST = TRANSIENT_N + 2, N_ONLY };

static int parse_only(const char *text, struct sample_wish *wish)
{
    const char *words[N_ONLY];
    int only = 0;
    for (int i = 0; i < TRANSIENT_N; i++)
        words[i] = transient_name((enum transient_family)i);
    words[TRANSIENT_N] = "quiet";
    words[TRANSIENT_N + 1] = "dropout";
    words[ONLY_BURST] = "burst";
    if (!option_word("only", text, words, N_ONLY, &only)) return 0;
    wish->label = only == ONLY_BURST;
    wish->family = only == ONLY_BURST ? -1 : only;
    return 1;
}

/* EXIT_GOOD: go on; the request is filled. */
static int parse(int argc, char **argv, struct request *q)
{
    static const struct option OPTION[] = {
        {"n", required_argument, NULL, 'n'},    {"seed", required_argument, NULL, 's'},
        {"out", required_argument, NULL, 'o'},  {"mission", required_argument, NULL, 'm'},
        {"only", required_argument, NULL, 'f'}, {NULL, 0, NULL, 0}};
    static const char *const MISSION[] = {"gecam-b", "fermi-gbm", "mix"};
    int c, mix = SIM_MIX_BOTH;
    *q = (struct request){.seed = 1, .wish = {SIM_MIX_BOTH, -1, -1}};
    while ((c = getopt_long(argc, argv, "", OPTION, NULL)) != -1) {
        int good = 0;
        if (c == 'n')
            good = option_count("n", optarg, 1, 10000000, &q->n);
        else if (c == 's')
            good = option_count("seed", optarg, 0, UINT64_MAX, &q->seed);
        else if (c == 'o')
            good = (q->folder = optarg) != NULL;
        else if (c == 'm')
            good = option_word("mission", optarg, MISSION, 3, &mix);
        else if (c == 'f')
            good = parse_only(optarg, &q->wish);
        if (!good) return EXIT_USAGE;
    }
    q->wish.mix = (enum sim_mix)mix;
    if (q->n > 0 && q->folder && optind == argc) return EXIT_GOOD;
    (void)fputs(USAGE, stderr);
    return EXIT_USAGE;
}

struct output {
    char x_path[512], y_path[512], meta_path[512];
    FILE *x, *y, *meta;
};

static enum burst_err output_open(const struct request *q, struct output *o, struct burst_error *reterr)
{
    size_t shape[3] = {(size_t)q->n, 9, WINDOW_BINS};
    if (mkdir(q->folder, 0777) != 0 && errno != EEXIST)
        return burst_fail(reterr, BURST_E_IO, "cannot make %s: %s", q->folder, strerror(errno));
    if (strlen(q->folder) > sizeof o->x_path - 16)
        return burst_fail(reterr, BURST_E_LIMIT, "the folder's name is too long");
    (void)snprintf(o->x_path, sizeof o->x_path, "%s/x.npy", q->folder);
    (void)snprintf(o->y_path, sizeof o->y_path, "%s/y.npy", q->folder);
    (void)snprintf(o->meta_path, sizeof o->meta_path, "%s/meta.csv", q->folder);
    enum burst_err err = npy_open(o->x_path, "<f4", shape, 3, &o->x, reterr);
    if (!err) err = npy_open(o->y_path, "<i8", shape, 1, &o->y, reterr);
    if (err) return err;
    o->meta = fopen(o->meta_path, "w");
    if (!o->meta) return burst_fail(reterr, BURST_E_IO, "cannot write %s: %s", o->meta_path, strerror(errno));
    (void)fputs("index,seed,label,family,mission,snr,t90_s,peak_s,n_valid,n_missing_inside,counts,dispersion\n",
                o->meta);
    return BURST_OK;
}

static enum burst_err output_close(struct output *o, struct burst_error *reterr)
{
    enum burst_err err = o->x ? npy_close(o->x, o->x_path, reterr) : BURST_OK;
    enum burst_err err_y = o->y ? npy_close(o->y, o->y_path, err ? NULL : reterr) : BURST_OK;
    enum burst_err err_m = o->meta ? npy_close(o->meta, o->meta_path, err || err_y ? NULL : reterr) : BURST_OK;
    return err ? err : err_y ? err_y : err_m;
}

/* Mean and variance over mean of the 25-900 keV counts of valid bins: for leak probes, standardising hides them. */
static void raw_moments(const struct lightcurve_window *w, double *ret_mean, double *ret_dispersion)
{
    double n = 0.0, sum = 0.0, sum2 = 0.0;
    for (size_t i = 0; i < WINDOW_BINS; i++) {
        double c = 0.0;
        for (size_t a = 0; a < SIM_ATOM; a++)
            c += w->counts[a * WINDOW_BINS + i];
        n += w->valid[i];
        sum += w->valid[i] * c;
        sum2 += w->valid[i] * c * c;
    }
    *ret_mean = sum / n;
    *ret_dispersion = sum > 0.0 ? (sum2 / n - *ret_mean * *ret_mean) / *ret_mean : 0.0;
}

static void write_sample(const struct request *q, uint64_t index, struct lightcurve_window *w, struct output *o)
{
    static float z[9 * WINDOW_BINS];
    static const char *const MISSION[SIM_MISSION_N] = {"gecam-b", "fermi-gbm"};
    struct sample_facts f;
    double mean, dispersion;
    lightcurve_sample(q->seed, index, &q->wish, w, &f);
    window_standardise(w, 0, z);
    raw_moments(w, &mean, &dispersion);
    int64_t label = f.label;
    (void)fwrite(z, sizeof z[0], sizeof z / sizeof z[0], o->x); /* ferror is asked at the end */
    (void)fwrite(&label, sizeof label, 1, o->y);
    (void)fprintf(o->meta, "%llu,%llu,%d,%s,%s,%.3f,%.3f,%.3f,%d,%d,%.4f,%.4f\n", (unsigned long long)index,
                  (unsigned long long)q->seed, f.label, f.family, MISSION[f.mission], f.snr, f.t90_s, f.peak_s,
                  f.n_valid, f.n_missing_inside, mean, dispersion);
}

int command_lightcurves(int argc, char **argv)
{
    struct request q;
    struct output o = {0};
    struct burst_error err;
    struct lightcurve_window *w = NULL;
    if (argc > 1 && strcmp(argv[1], "--help") == 0) {
        (void)fputs(USAGE, stdout);
        return EXIT_GOOD;
    }
    int status = parse(argc, argv, &q);
    if (status != EXIT_GOOD) return status;
    enum burst_err bad = window_new(1, &w, &err);
    if (!bad) bad = output_open(&q, &o, &err);
    for (uint64_t i = 0; i < q.n && !bad; i++) {
        write_sample(&q, i, w, &o);
        progress_show("lightcurves", (size_t)i + 1, (size_t)q.n);
    }
    enum burst_err bad_close = output_close(&o, bad ? NULL : &err);
    window_free(w);
    return bad || bad_close ? fail_with(&err) : EXIT_GOOD;
}
