/* burst-sim days: whole days of counts, a file per day, for measuring false alarms. A day that is there is not drawn again. */
#include "sim/days.h"
#include "base/datadir.h"
#include "commands.h"
#include "sim/npy.h"
#include <errno.h>
#include <getopt.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char USAGE[] =
    "usage: burst-sim days --days N --out DIR [options]\n"
    "\n"
    "Continuous days in orbit, each in files of its own: day-000.npy (uint16 [detectors, 5 atoms, 1350000], 64 ms),\n"
    "day-000-valid.npy (uint8 [1350000]), day-000.csv (what happened); then truth.csv of all of them, and set.json. "
    "Days that\n"
    "are there already are kept, so that a run can be stopped and gone on with.\n"
    "\n"
    "  --days N         1 to 1000\n"
    "  --out DIR        made when absent\n"
    "  --mission WORD   a file of config/geometry, default gecam-b\n"
    "  --detectors K    1 (default), or 3 that look the same way\n"
    "  --seed S         default 1\n"
    "  --bursts WORD    real (default): 0.65 a day; none\n"
    "  --inject LO,HI   instead: bursts of S/N from LO to HI, even in the logarithm, 1 to 1000\n"
    "  --every S        seconds between injected bursts, 300 or more, default 400\n"
    "  --rate X         what is no burst comes X times as often, 0 to 100, default 1\n"
    "  --threads T      1 to 64, default 1\n";

enum { PATH_ROOM = 4096, THREAD_MAX = 64 };

struct request {
    struct day_settings set;
    uint64_t n, threads;
    const char *folder, *mission;
};

static int parse_inject(const char *text, struct day_settings *set)
{
    char *end = NULL;
    set->snr_low = strtod(text, &end);
    if (*end == ',') set->snr_high = strtod(end + 1, &end);
    set->bursts = DAY_BURSTS_INJECT;
    if (*end == '\0' && set->snr_high > 0.0) return 1;
    (void)fprintf(stderr, "burst-sim: --inject %s: two numbers LO,HI are needed\n", text);
    return 0;
}

static int parse_option(int c, struct request *q)
{
    static const char *const BURSTS[] = {"real", "none"};
    int word = 0;
    uint64_t count = 0;
    switch (c) {
    case 'n': return option_count("days", optarg, 1, 1000, &q->n);
    case 'o': return (q->folder = optarg) != NULL;
    case 's': return option_count("seed", optarg, 0, UINT64_MAX, &q->set.seed);
    case 't': return option_count("threads", optarg, 1, THREAD_MAX, &q->threads);
    case 'r': return option_number("rate", optarg, 0.0, 100.0, &q->set.rate);
    case 'e': return option_number("every", optarg, 300.0, 86400.0, &q->set.every_s);
    case 'i': return parse_inject(optarg, &q->set);
    case 'm': return (q->mission = optarg) != NULL;
    case 'b':
        if (!option_word("bursts", optarg, BURSTS, 2, &word)) return 0;
        q->set.bursts = word == 0 ? DAY_BURSTS_REAL : DAY_BURSTS_NONE;
        return 1;
    case 'd':
        if (!option_count("detectors", optarg, 1, 3, &count)) return 0;
        q->set.n_detector = (int)count;
        return 1;
    default: return 0;
    }
}

static int parse(int argc, char **argv, struct request *q)
{
    static const struct option OPTION[] = {{"days", required_argument, NULL, 'n'},
                                           {"out", required_argument, NULL, 'o'},
                                           {"seed", required_argument, NULL, 's'},
                                           {"threads", required_argument, NULL, 't'},
                                           {"rate", required_argument, NULL, 'r'},
                                           {"every", required_argument, NULL, 'e'},
                                           {"inject", required_argument, NULL, 'i'},
                                           {"mission", required_argument, NULL, 'm'},
                                           {"bursts", required_argument, NULL, 'b'},
                                           {"detectors", required_argument, NULL, 'd'},
                                           {NULL, 0, NULL, 0}};
    *q = (struct request){
        .set = {.seed = 1, .n_detector = 1, .every_s = 400.0, .rate = 1.0}, .threads = 1, .mission = "gecam-b"};
    for (int c; (c = getopt_long(argc, argv, "", OPTION, NULL)) != -1;)
        if (!parse_option(c, q)) return EXIT_USAGE;
    if (q->n > 0 && q->folder && optind == argc && strlen(q->folder) < PATH_ROOM - 64) return EXIT_GOOD;
    (void)fputs(USAGE, stderr);
    return EXIT_USAGE;
}

/* DIR/day-007ENDING */
static void day_path(const struct request *q, uint64_t day, const char *ending, char path[PATH_ROOM])
{
    (void)snprintf(path, PATH_ROOM, "%s/day-%03llu%s", q->folder, (unsigned long long)day, ending);
}

static enum burst_err write_array(const char *path, const char *type, const size_t *shape, int n_dim,
                                  const void *values, size_t size, size_t n, struct burst_error *reterr)
{
    FILE *file = NULL;
    enum burst_err err = npy_open(path, type, shape, n_dim, &file, reterr);
    if (err) return err;
    (void)fwrite(values, size, n, file); /* npy_close tells */
    return npy_close(file, path, reterr);
}

static const char HEADER[] = "day,what,start_s,stop_s,peak_s,onset_s,snr,detector,t90_s,azimuth_deg,zenith_deg\n";

static enum burst_err write_truth(const char *path, uint64_t number, const struct day *d, struct burst_error *reterr)
{
    FILE *file = fopen(path, "w");
    if (!file) return burst_fail(reterr, BURST_E_IO, "cannot write %s: %s", path, strerror(errno));
    for (int i = 0; i < d->n_item; i++) {
        const struct day_item *t = &d->item[i];
        (void)fprintf(file, "%llu,%s,%.3f,%.3f,%.3f,%.3f,%.3f,%d,%.3f,%.2f,%.2f\n", (unsigned long long)number, t->what,
                      t->start_s, t->stop_s, t->peak_s, t->onset_s, t->snr, t->detector, t->t90_s, t->from.azimuth_deg,
                      t->from.zenith_deg);
    }
    return npy_close(file, path, reterr);
}

/* The table is renamed into place last: it says that the day is whole. */
static enum burst_err make_day(const struct request *q, uint64_t number, struct burst_error *reterr)
{
    char path[PATH_ROOM], part[PATH_ROOM];
    struct day *d = NULL;
    day_path(q, number, ".csv", path);
    if (access(path, R_OK) == 0) return BURST_OK;
    enum burst_err err = day_new(&q->set, number, &d, reterr);
    if (err) return err;
    size_t shape[3] = {(size_t)d->n_detector, SIM_ATOM, DAY_BIN};
    day_path(q, number, ".npy", part);
    err = write_array(part, "<u2", shape, 3, d->counts, sizeof *d->counts, shape[0] * shape[1] * shape[2], reterr);
    day_path(q, number, "-valid.npy", part);
    if (!err) err = write_array(part, "|u1", shape + 2, 1, d->valid, 1, DAY_BIN, reterr);
    day_path(q, number, ".part", part);
    if (!err) err = write_truth(part, number, d, reterr);
    if (!err && rename(part, path) != 0)
        err = burst_fail(reterr, BURST_E_IO, "cannot rename %s: %s", part, strerror(errno));
    day_free(d);
    return err;
}

/* Days are handed out to threads one by one; the first failure ends all. */
struct work {
    const struct request *q;
    atomic_uint_least64_t next, done;
    atomic_int failed;
    struct burst_error error; /* of the thread that set `failed` */
};

static void *work_days(void *argument)
{
    struct work *w = argument;
    struct burst_error error;
    for (uint64_t day; !atomic_load(&w->failed) && (day = atomic_fetch_add(&w->next, 1)) < w->q->n;) {
        int expected = 0;
        if (make_day(w->q, day, &error) != BURST_OK && atomic_compare_exchange_strong(&w->failed, &expected, 1))
            w->error = error;
        progress_show("days", (size_t)atomic_fetch_add(&w->done, 1) + 1, (size_t)w->q->n);
    }
    return NULL;
}

static enum burst_err make_days(const struct request *q, struct burst_error *reterr)
{
    struct work w = {.q = q};
    pthread_t thread[THREAD_MAX];
    uint64_t n = 0;
    while (n + 1 < q->threads && pthread_create(&thread[n], NULL, work_days, &w) == 0)
        n++;
    (void)work_days(&w); /* this thread works too: without any other all is still done */
    while (n > 0)
        (void)pthread_join(thread[--n], NULL);
    if (!atomic_load(&w.failed)) return BURST_OK;
    *reterr = w.error;
    return w.error.code;
}

static enum burst_err copy_table(const char *path, FILE *out, struct burst_error *reterr)
{
    char block[4096];
    FILE *in = fopen(path, "r");
    if (!in) return burst_fail(reterr, BURST_E_IO, "cannot read %s: %s", path, strerror(errno));
    for (size_t n; (n = fread(block, 1, sizeof block, in)) > 0;)
        (void)fwrite(block, 1, n, out);
    return npy_close(in, path, reterr);
}

static enum burst_err join_tables(const struct request *q, struct burst_error *reterr)
{
    char path[PATH_ROOM], day[PATH_ROOM];
    (void)snprintf(path, sizeof path, "%s/truth.csv", q->folder);
    FILE *out = fopen(path, "w");
    if (!out) return burst_fail(reterr, BURST_E_IO, "cannot write %s: %s", path, strerror(errno));
    enum burst_err err = BURST_OK;
    (void)fputs(HEADER, out);
    for (uint64_t i = 0; i < q->n && !err; i++) {
        day_path(q, i, ".csv", day);
        err = copy_table(day, out, reterr);
    }
    enum burst_err err_close = npy_close(out, path, err ? NULL : reterr);
    return err ? err : err_close;
}

/* What days depend on; the number of days is no part of it. */
static void describe(const struct request *q, char *text, size_t size)
{
    static const char *const BURSTS[] = {"real", "none", "inject"};
    (void)snprintf(text, size,
                   "{\"what\":\"days\",\"version\":1,\"seed\":%llu,\"mission\":\"%s\",\"detectors\":%d,\"bin_s\":0.064,"
                   "\"n_bin\":%d,\"n_atom\":%d,\"edges_kev\":[25,50,100,300,500,900],\"bursts\":\"%s\",\"snr\":[%g,%g],"
                   "\"every_s\":%g,\"rate\":%g,\"burst_sim\":\"" BURST_VERSION "\"}\n",
                   (unsigned long long)q->set.seed, q->mission, q->set.n_detector, DAY_BIN, SIM_ATOM,
                   BURSTS[q->set.bursts], q->set.snr_low, q->set.snr_high, q->set.every_s, q->set.rate);
}

/* A folder holds days of one kind: going on with others would mix them. */
static enum burst_err claim_folder(const struct request *q, struct burst_error *reterr)
{
    char path[PATH_ROOM], want[512], have[512] = "";
    if (mkdir(q->folder, 0777) != 0 && errno != EEXIST)
        return burst_fail(reterr, BURST_E_IO, "cannot make %s: %s", q->folder, strerror(errno));
    describe(q, want, sizeof want);
    (void)snprintf(path, sizeof path, "%s/set.json", q->folder);
    FILE *file = fopen(path, "r");
    if (file) {
        size_t n = fread(have, 1, sizeof have - 1, file);
        have[n] = '\0';
        (void)fclose(file);
        if (strcmp(have, want) == 0) return BURST_OK;
        return burst_fail(reterr, BURST_E_CONFLICT, "%s holds other days: %.200s", q->folder, have);
    }
    file = fopen(path, "w");
    if (!file) return burst_fail(reterr, BURST_E_IO, "cannot write %s: %s", path, strerror(errno));
    (void)fputs(want, file);
    return npy_close(file, path, reterr);
}

static enum burst_err read_mission(struct request *q, struct burst_error *reterr)
{
    char folder[512];
    enum burst_err err = datadir_find(folder, sizeof folder - 17, reterr);
    if (err) return err;
    (void)strcat(folder, "/config/geometry");
    return spacecraft_read(folder, q->mission, &q->set.craft, reterr);
}

int command_days(int argc, char **argv)
{
    struct request q;
    struct burst_error err;
    if (argc > 1 && strcmp(argv[1], "--help") == 0) {
        (void)fputs(USAGE, stdout);
        return EXIT_GOOD;
    }
    int status = parse(argc, argv, &q);
    if (status != EXIT_GOOD) return status;
    enum burst_err bad = read_mission(&q, &err);
    if (!bad) bad = claim_folder(&q, &err);
    if (!bad) bad = make_days(&q, &err);
    if (!bad) bad = join_tables(&q, &err);
    return bad ? fail_with(&err) : EXIT_GOOD;
}
