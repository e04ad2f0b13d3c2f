/* burst-sim stream: a day in orbit as event chunks: into a folder, down a pipe, or any stretch of it as asked. */
#include "sim/stream.h"
#include "base/bytes.h"
#include "base/clock.h"
#include "commands.h"
#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const char USAGE[] =
    "usage: burst-sim stream --out FOLDER | --pipe | --requests | --truth   [options]\n"
    "\n"
    "GECAM-B as it comes down: 25 detectors with both gains, rows that are not recommended, outages in the South "
    "Atlantic\n"
    "Anomaly, an orbit's modulation, and bursts, humps, flares and spikes. Any stretch can be made alone: the same "
    "events in\n"
    "whatever pieces.\n"
    "\n"
    "  --out FOLDER   a file for each chunk: chunk-000000.fits and so on\n"
    "  --pipe         chunks on standard output, each behind its length in bytes (8 bytes, most significant first)\n"
    "  --requests     the same for each line of standard input: FROM TO [MASK], seconds of the scene and detectors as\n"
    "                 hexadecimal bits (1ffffff: all). Length 0: the detectors are off all the time\n"
    "  --truth        what happens, as CSV on standard output\n"
    "  --seed S       default 1\n"
    "  --rate X       0.001 to 1000, default 1: 1,780 rows a second and detector; 32 MB an hour at 0.01\n"
    "  --duration S   of the scene, 60 to 604800, default 86400; another duration is another scene\n"
    "  --every S      between happenings on average, 120 or more, default 600\n"
    "  --start UTC    of the first second, default 2026-01-01T00:00:00\n"
    "  --from S, --to S   the stretch to make, default all\n"
    "  --chunk S      length of a chunk, 0.0625 to 3600, default 1\n"
    "\n"
    "Times are whole sixteenths of a second.\n";

enum mode { MODE_NONE, MODE_OUT, MODE_PIPE, MODE_REQUESTS, MODE_TRUTH };
enum { ALL_DETECTORS = 0x1FFFFFF };

struct request {
    enum mode mode;
    const char *out;
    struct sim_stream_settings set;
    double from_s, to_s, chunk_s;
};

static int parse_option(int c, struct request *q)
{
    struct burst_error err;
    switch (c) {
    case 'o': q->mode = MODE_OUT, q->out = optarg; return 1;
    case 'p': q->mode = MODE_PIPE; return 1;
    case 'q': q->mode = MODE_REQUESTS; return 1;
    case 'w': q->mode = MODE_TRUTH; return 1;
    case 's': return option_count("seed", optarg, 0, UINT64_MAX, &q->set.seed);
    case 'r': return option_number("rate", optarg, 1e-3, 1e3, &q->set.rate);
    case 'd': return option_number("duration", optarg, 60.0, 604800.0, &q->set.duration_s);
    case 'e': return option_number("every", optarg, 120.0, 604800.0, &q->set.every_s);
    case 'f': return option_number("from", optarg, 0.0, 604800.0, &q->from_s);
    case 't': return option_number("to", optarg, 0.0, 604800.0, &q->to_s);
    case 'c': return option_number("chunk", optarg, 0.0625, 3600.0, &q->chunk_s);
    case 'b':
        if (clock_parse_utc(optarg, &q->set.start_tt_ns, &err) == BURST_OK) return 1;
        (void)fprintf(stderr, "burst-sim: --start: %s\n", err.text);
        return 0;
    default: return 0;
    }
}

static int parse(int argc, char **argv, struct request *q)
{
    static const struct option OPTION[] = {{"out", required_argument, NULL, 'o'},
                                           {"pipe", no_argument, NULL, 'p'},
                                           {"requests", no_argument, NULL, 'q'},
                                           {"truth", no_argument, NULL, 'w'},
                                           {"seed", required_argument, NULL, 's'},
                                           {"rate", required_argument, NULL, 'r'},
                                           {"start", required_argument, NULL, 'b'},
                                           {"duration", required_argument, NULL, 'd'},
                                           {"every", required_argument, NULL, 'e'},
                                           {"from", required_argument, NULL, 'f'},
                                           {"to", required_argument, NULL, 't'},
                                           {"chunk", required_argument, NULL, 'c'},
                                           {NULL, 0, NULL, 0}};
    *q = (struct request){.set = {.seed = 1, .duration_s = 86400.0, .every_s = 600.0, .rate = 1.0}, .chunk_s = 1.0};
    (void)clock_parse_utc("2026-01-01T00:00:00", &q->set.start_tt_ns, NULL); /* a constant that parses */
    q->to_s = -1.0;
    for (int c; (c = getopt_long(argc, argv, "", OPTION, NULL)) != -1;)
        if (!parse_option(c, q)) return EXIT_USAGE;
    if (q->to_s < 0.0) q->to_s = q->set.duration_s;
    if (q->mode == MODE_NONE || optind != argc) {
        (void)fputs(USAGE, stderr);
        return EXIT_USAGE;
    }
    return EXIT_GOOD;
}

/* Seconds as cells. */
static enum burst_err cells_of(double seconds, int64_t *ret_cells, struct burst_error *reterr)
{
    double cells = seconds * STREAM_CELL_PER_S;
    if (!(fabs(cells) < 1e8) || nearbyint(cells) < cells || nearbyint(cells) > cells)
        return burst_fail(reterr, BURST_E_RANGE, "%g s is no whole number of sixteenths of a second", seconds);
    *ret_cells = (int64_t)cells;
    return BURST_OK;
}

static enum burst_err write_all(const void *bytes, size_t n, struct burst_error *reterr)
{
    if (fwrite(bytes, 1, n, stdout) == n) return BURST_OK;
    return burst_fail(reterr, BURST_E_IO, "standard output: %s", strerror(errno));
}

static enum burst_err send_frame(const uint8_t *bytes, size_t n, struct burst_error *reterr)
{
    uint8_t length[8];
    bytes_put_u64(length, n);
    enum burst_err err = write_all(length, sizeof length, reterr);
    return err ? err : write_all(bytes, n, reterr);
}

static enum burst_err put_chunk(const struct request *q, struct sim_stream *s, int64_t from, int64_t to, int number,
                                struct burst_error *reterr)
{
    const uint8_t *bytes;
    size_t n, n_row;
    char path[4096];
    enum burst_err err = sim_stream_chunk(s, from, to, ALL_DETECTORS, &bytes, &n, &n_row, reterr);
    if (err || n == 0) return err;
    if (q->mode == MODE_PIPE) return send_frame(bytes, n, reterr);
    if (snprintf(path, sizeof path, "%s/chunk-%06d.fits", q->out, number) >= (int)sizeof path)
        return burst_fail(reterr, BURST_E_LIMIT, "the folder's name is too long");
    return bytes_write_file(path, bytes, n, reterr);
}

static enum burst_err put_chunks(const struct request *q, struct sim_stream *s, struct burst_error *reterr)
{
    int64_t from = 0, to = 0, step = 0;
    enum burst_err err = cells_of(q->from_s, &from, reterr);
    if (!err) err = cells_of(q->to_s, &to, reterr);
    if (!err) err = cells_of(q->chunk_s, &step, reterr);
    if (!err && q->mode == MODE_OUT && mkdir(q->out, 0777) != 0 && errno != EEXIST)
        err = burst_fail(reterr, BURST_E_IO, "cannot make %s: %s", q->out, strerror(errno));
    for (int64_t at = from, i = 0; at < to && !err; at += step, i++) {
        int64_t stop = at + step < to ? at + step : to;
        err = put_chunk(q, s, at, stop, (int)i, reterr);
        progress_show("stream", (size_t)(stop - from), (size_t)(to - from));
    }
    return err;
}

static enum burst_err answer_line(struct sim_stream *s, const char *line, struct burst_error *reterr)
{
    double from_s, to_s;
    unsigned mask = ALL_DETECTORS;
    int64_t from = 0, to = 0;
    const uint8_t *bytes = NULL;
    size_t n = 0, n_row;
    if (sscanf(line, "%lf %lf %x", &from_s, &to_s, &mask) < 2)
        return burst_fail(reterr, BURST_E_FORMAT, "\"%.40s\": FROM TO [MASK] is needed", line);
    enum burst_err err = cells_of(from_s, &from, reterr);
    if (!err) err = cells_of(to_s, &to, reterr);
    if (!err) err = sim_stream_chunk(s, from, to, mask, &bytes, &n, &n_row, reterr);
    if (!err) err = send_frame(bytes, n, reterr);
    if (!err && fflush(stdout) != 0) err = burst_fail(reterr, BURST_E_IO, "standard output: %s", strerror(errno));
    return err;
}

static enum burst_err answer_requests(struct sim_stream *s, struct burst_error *reterr)
{
    char line[128];
    enum burst_err err = BURST_OK;
    while (!err && fgets(line, sizeof line, stdin))
        err = answer_line(s, line, reterr);
    return err;
}

static void print_truth(const struct request *q, const struct scene *scene)
{
    char utc[CLOCK_UTC_TEXT];
    (void)puts("what,start_s,stop_s,snr,azimuth_deg,zenith_deg,start_utc");
    for (int i = 0; i < scene->n_item; i++) {
        const struct scene_item *item = &scene->item[i];
        clock_utc_text(q->set.start_tt_ns + (int64_t)(item->start_s * 1e9), utc);
        (void)printf("%s,%.3f,%.3f,%.2f,%.1f,%.1f,%s\n", scene_item_name(item), item->start_s, item->stop_s, item->snr,
                     item->from.azimuth_deg, item->from.zenith_deg, utc);
    }
    for (int i = 0; i < scene->n_outage; i++) {
        clock_utc_text(q->set.start_tt_ns + (int64_t)(scene->outage[i].start_s * 1e9), utc);
        (void)printf("outage,%.3f,%.3f,,,,%s\n", scene->outage[i].start_s, scene->outage[i].stop_s, utc);
    }
}

int command_stream(int argc, char **argv)
{
    struct request q;
    struct burst_error e;
    struct sim_stream *s = NULL;
    if (argc > 1 && strcmp(argv[1], "--help") == 0) {
        (void)fputs(USAGE, stdout);
        return EXIT_GOOD;
    }
    int status = parse(argc, argv, &q);
    if (status != EXIT_GOOD) return status;
    enum burst_err err = sim_stream_new(&q.set, &s, &e);
    if (!err && q.mode == MODE_TRUTH) print_truth(&q, sim_stream_scene(s));
    if (!err && q.mode == MODE_REQUESTS) err = answer_requests(s, &e);
    if (!err && (q.mode == MODE_OUT || q.mode == MODE_PIPE)) err = put_chunks(&q, s, &e);
    if (!err && fflush(stdout) != 0) err = burst_fail(&e, BURST_E_IO, "standard output: %s", strerror(errno));
    sim_stream_free(s);
    return err ? fail_with(&e) : EXIT_GOOD;
}
