/* burst-sim events: a scene as FITS event files, and what is true of it as CSV on standard output. */
#include "sim/events.h"
#include "base/bytes.h"
#include "base/clock.h"
#include "commands.h"
#include "fits/write.h"
#include "records/source.h"
#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const char USAGE[] =
    "usage: burst-sim events --out FILE [options]\n"
    "\n"
    "  --out FILE       one FITS file with all detectors (GECAM-B: 25). Fermi/GBM: a folder for 12 files, one per NaI\n"
    "  --mission WORD   gecam-b (default), fermi-gbm, gecam-a, gecam-c or svom-grm\n"
    "  --scenario WORD  burst (default), hump (particles, all detectors alike), quiet, or night (something every 4 "
    "minutes)\n"
    "  --duration S     60 to 86400, default 300; GECAM-B takes 0.37 MB per second\n"
    "  --split S        not Fermi/GBM: a file for each S seconds, FILE-000.fits and so on (60 to 3600; needed above "
    "3600)\n"
    "  --seed S         default 1: the same seed gives the same bytes\n"
    "  --snr X          of the burst in its best detector, 1 to 10000; default by chance, 8 to 150\n"
    "  --start UTC      of the first second, default 2026-01-01T00:00:00\n"
    "\n"
    "Standard output: what,start_s,stop_s,snr,azimuth_deg,zenith_deg,start_utc of everything that is not background.\n";

enum { WHOLE_MOST_S = 3600 };

struct request {
    int mission, kind;
    double duration_s, split_s, snr;
    uint64_t seed;
    int64_t start_tt_ns;
    const char *out;
};

static int parse_option(int c, struct request *q)
{
    static const char *const MISSION[SIM_MISSION_N] = {"gecam-b", "fermi-gbm", "gecam-a", "gecam-c", "svom-grm"};
    static const char *const KIND[] = {"burst", "hump", "quiet", "night"};
    struct burst_error err;
    switch (c) {
    case 'o': q->out = optarg; return 1;
    case 'm': return option_word("mission", optarg, MISSION, SIM_MISSION_N, &q->mission);
    case 'k': return option_word("scenario", optarg, KIND, SCENE_KIND_N, &q->kind);
    case 'd': return option_number("duration", optarg, 60.0, 86400.0, &q->duration_s);
    case 'p': return option_number("split", optarg, 60.0, WHOLE_MOST_S, &q->split_s);
    case 's': return option_count("seed", optarg, 0, UINT64_MAX, &q->seed);
    case 'r': return option_number("snr", optarg, 1.0, 1e4, &q->snr);
    case 't':
        if (clock_parse_utc(optarg, &q->start_tt_ns, &err) == BURST_OK) return 1;
        (void)fprintf(stderr, "burst-sim: --start: %s\n", err.text);
        return 0;
    default: return 0;
    }
}

/* EXIT_GOOD: go on; the request is filled. */
static int parse(int argc, char **argv, struct request *q)
{
    static const struct option OPTION[] = {{"out", required_argument, NULL, 'o'},
                                           {"mission", required_argument, NULL, 'm'},
                                           {"scenario", required_argument, NULL, 'k'},
                                           {"duration", required_argument, NULL, 'd'},
                                           {"split", required_argument, NULL, 'p'},
                                           {"seed", required_argument, NULL, 's'},
                                           {"snr", required_argument, NULL, 'r'},
                                           {"start", required_argument, NULL, 't'},
                                           {NULL, 0, NULL, 0}};
    int c;
    *q = (struct request){.duration_s = 300.0, .seed = 1};
    (void)clock_parse_utc("2026-01-01T00:00:00", &q->start_tt_ns, NULL); /* a constant that parses */
    while ((c = getopt_long(argc, argv, "", OPTION, NULL)) != -1)
        if (!parse_option(c, q)) return EXIT_USAGE;
    if (!q->out || optind != argc) {
        (void)fputs(USAGE, stderr);
        return EXIT_USAGE;
    }
    if (q->mission != SIM_FERMI_GBM && q->split_s <= 0.0 && q->duration_s > WHOLE_MOST_S) {
        (void)fprintf(stderr, "burst-sim: more than %d s in one file need --split\n", WHOLE_MOST_S);
        return EXIT_USAGE;
    }
    return EXIT_GOOD;
}

/* Everything one run holds. */
struct run {
    const struct request *q;
    const struct instrument_fact *fact;
    struct scene *scene;
    struct ladder ladder;
    struct event_store store[SCENE_DETECTOR_MAX];
    int64_t start_met_ns;
};

static void print_truth(const struct run *run)
{
    (void)puts("what,start_s,stop_s,snr,azimuth_deg,zenith_deg,start_utc");
    for (int i = 0; i < run->scene->n_item; i++) {
        const struct scene_item *item = &run->scene->item[i];
        char utc[CLOCK_UTC_TEXT];
        clock_utc_text(run->q->start_tt_ns + (int64_t)(item->start_s * 1e9), utc);
        (void)printf("%s,%.3f,%.3f,%.2f,%.1f,%.1f,%s\n", scene_item_name(item), item->start_s, item->stop_s, item->snr,
                     item->from.azimuth_deg, item->from.zenith_deg, utc);
    }
}

/* Events of detectors [first, last) between two times of the scene, as one file. */
static enum burst_err write_file(struct run *run, int first, int last, double start_s, double stop_s, const char *path,
                                 struct burst_error *reterr)
{
    struct fits_detector_events list[SCENE_DETECTOR_MAX];
    int gecam = run->q->mission != SIM_FERMI_GBM; /* or GRM, in the same layout */
    int64_t from_ns = run->start_met_ns + llround(start_s * 1e9), to_ns = run->start_met_ns + llround(stop_s * 1e9);
    enum burst_err err = BURST_OK;
    for (int d = first; d < last && !err; d++) {
        struct event_store *e = &run->store[d];
        err = events_draw(run->scene, &run->ladder, d, start_s, stop_s, e, reterr);
        for (size_t i = 0; i < e->n_event; i++)
            e->t_ns[i] += run->start_met_ns;
        list[d - first] =
            (struct fits_detector_events){d, e->n_event, e->t_ns, e->channel, gecam ? e->gain : NULL, NULL, NULL};
        progress_show(path, (size_t)(d + 1 - first), (size_t)(last - first));
    }
    if (err) return err;
    struct fits_good good = {from_ns, to_ns};
    struct fits_event_chunk chunk = {gecam ? FITS_GECAM_EVT : FITS_GBM_TTE,
                                     run->fact->fits_telescope,
                                     run->fact->fits_instrument,
                                     run->fact->epoch_mjd_i,
                                     run->fact->epoch_mjd_f,
                                     gecam ? 0 : run->start_met_ns,
                                     run->ladder.n_channel,
                                     run->ladder.e_min_kev,
                                     run->ladder.e_max_kev,
                                     1,
                                     &good,
                                     last - first,
                                     list};
    uint8_t *bytes = NULL;
    size_t n = 0;
    err = fits_write_events(&chunk, &bytes, &n, reterr);
    if (!err) err = bytes_write_file(path, bytes, n, reterr);
    free(bytes);
    return err;
}

static enum burst_err write_gbm(struct run *run, struct burst_error *reterr)
{
    char path[560], name[8];
    enum burst_err err = BURST_OK;
    if (mkdir(run->q->out, 0777) != 0 && errno != EEXIST)
        return burst_fail(reterr, BURST_E_IO, "cannot make %s: %s", run->q->out, strerror(errno));
    for (int d = 0; d < run->scene->n_detector && !err; d++) {
        source_detector_name(INSTRUMENT_GBM, d, name);
        if (snprintf(path, sizeof path, "%s/glg_tte_%s_sim_v00.fit", run->q->out, name) >= (int)sizeof path)
            return burst_fail(reterr, BURST_E_LIMIT, "the folder's name is too long");
        err = write_file(run, d, d + 1, 0.0, run->q->duration_s, path, reterr);
        event_store_fini(&run->store[d]);
    }
    return err;
}

/* "a/b.fits" and 7 to "a/b-007.fits". */
static int piece_path(const char *out, int piece, char *path, size_t size)
{
    const char *dot = strrchr(out, '.'), *slash = strrchr(out, '/');
    if (!dot || (slash && dot < slash)) dot = out + strlen(out);
    return snprintf(path, size, "%.*s-%03d%s", (int)(dot - out), out, piece, dot);
}

static enum burst_err write_gecam(struct run *run, struct burst_error *reterr)
{
    const struct request *q = run->q;
    char path[560];
    enum burst_err err = BURST_OK;
    if (q->split_s <= 0.0) return write_file(run, 0, run->scene->n_detector, 0.0, q->duration_s, q->out, reterr);
    for (int piece = 0; piece * q->split_s < q->duration_s && !err; piece++) {
        if (piece_path(q->out, piece, path, sizeof path) >= (int)sizeof path)
            return burst_fail(reterr, BURST_E_LIMIT, "the file's name is too long");
        double stop = fmin((piece + 1) * q->split_s, q->duration_s);
        err = write_file(run, 0, run->scene->n_detector, piece * q->split_s, stop, path, reterr);
    }
    return err;
}

/* Bounds on the 8 ms grid of the events. */
static double on_grid(double seconds)
{
    return round(seconds / 0.008) * 0.008;
}

static const struct {
    enum burst_mission mission;
    enum burst_instrument instrument;
} SOURCE[SIM_MISSION_N] = {[SIM_GECAM_B] = {MISSION_GECAM_B, INSTRUMENT_GRD},
                           [SIM_FERMI_GBM] = {MISSION_FERMI, INSTRUMENT_GBM},
                           [SIM_GECAM_A] = {MISSION_GECAM_A, INSTRUMENT_GRD},
                           [SIM_GECAM_C] = {MISSION_GECAM_C, INSTRUMENT_GRD},
                           [SIM_SVOM_GRM] = {MISSION_SVOM, INSTRUMENT_GRM}};

int command_events(int argc, char **argv)
{
    struct request q;
    struct burst_error err;
    if (argc > 1 && strcmp(argv[1], "--help") == 0) {
        (void)fputs(USAGE, stdout);
        return EXIT_GOOD;
    }
    int status = parse(argc, argv, &q);
    if (status != EXIT_GOOD) return status;
    q.duration_s = on_grid(q.duration_s);
    q.split_s = on_grid(q.split_s);
    struct run run = {.q = &q};
    run.fact = source_fact(SOURCE[q.mission].mission, SOURCE[q.mission].instrument);
    run.start_met_ns = q.start_tt_ns - source_epoch_ns(run.fact);
    ladder_make((enum sim_mission)q.mission, &run.ladder);
    enum burst_err bad =
        run.start_met_ns < 0 ? burst_fail(&err, BURST_E_TIME, "--start is before the mission's epoch") : BURST_OK;
    if (!bad)
        bad = scene_new((enum sim_mission)q.mission, (enum scene_kind)q.kind, q.seed, q.duration_s, q.snr, &run.scene,
                        &err);
    if (!bad) bad = q.mission == SIM_FERMI_GBM ? write_gbm(&run, &err) : write_gecam(&run, &err);
    if (!bad) print_truth(&run);
    for (int d = 0; d < SCENE_DETECTOR_MAX; d++)
        event_store_fini(&run.store[d]);
    scene_free(run.scene);
    return bad ? fail_with(&err) : EXIT_GOOD;
}
