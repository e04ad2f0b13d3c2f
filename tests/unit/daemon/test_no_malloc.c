/* After opening, the alert path takes no memory: packet bytes -> ingest -> rings -> network -> event -> JSON.
 * (architecture.md 4). The linker puts the functions below before those of the C library in all objects of ours.
 *
 * Not seen, because they lie in shared libraries of others, bounded and known:
 *   libdnnl      scratch of a primitive's first execution and its per-thread registry; nothing that grows with the number of runs
 *   libc         qsort above a kilobyte, the first stdio buffer of a stream
 *   liberfa, libwcs, libsodium   none on this path
 * Off this path, after the verdict has been told: cfitsio (evidence), SQLite (pages of the log), libzmq (a frame's own
 * memory on either side), jansson (heartbeats, answers to commands). */
#include "base/clock.h"
#include "base/hash.h"
#include "check.h"
#include "daemon/feed.h"
#include "decide/image.h"
#include "fits/write.h"
#include "infer/infer.h"
#include "ingest/ingest.h"
#include "ingest/repeats.h"
#include "prepare/subimage.h"
#include "publish/json.h"
#include "records/bands.h"
#include "unit/infer/peer.h"
#include <stdlib.h>
#include <unistd.h>

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t n);
void *__real_aligned_alloc(size_t align, size_t n);
int __real_posix_memalign(void **p, size_t align, size_t n);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t n);
void *__wrap_aligned_alloc(size_t align, size_t n);
int __wrap_posix_memalign(void **p, size_t align, size_t n);

static int n_taken, n_cuda; /* calls; answers of the GPU's worker */

void *__wrap_malloc(size_t n)
{
    n_taken++;
    return __real_malloc(n);
}
void *__wrap_calloc(size_t n, size_t size)
{
    n_taken++;
    return __real_calloc(n, size);
}
void *__wrap_realloc(void *p, size_t n)
{
    n_taken++;
    return __real_realloc(p, n);
}
void *__wrap_aligned_alloc(size_t align, size_t n)
{
    n_taken++;
    return __real_aligned_alloc(align, n);
}
int __wrap_posix_memalign(void **p, size_t align, size_t n)
{
    n_taken++;
    return __real_posix_memalign(p, align, n);
}

#define MODELS BURST_SOURCE_DIR "/models/"
enum { N_DETECTOR = 3, SECONDS = 40, RATE = 200, N_EVENT = SECONDS * RATE, N_CHANNEL = 448 };
static const struct source GECAM = {REALM_LIVE, MISSION_GECAM_B, INSTRUMENT_GRD};
static const struct source ECLAIRS = {REALM_LIVE, MISSION_SVOM, INSTRUMENT_ECLAIRS};
static const int64_t START_NS = INT64_C(131903046) * CLOCK_NS_PER_S;

/* Everything that is opened before the first packet. */
struct opened {
    struct infer *infer;
    struct catalogue catalogue;
    struct decide_settings settings;
    struct arena arena;
    struct ingest_repeats *repeats;
    struct tracker *tracker;
    struct lightcurve_window *window;
    struct feed feed;
    struct book book;
    uint8_t *events, *image;
    size_t n_events, n_image;
    struct band_set bands;
};
static struct opened open;

/* A GECAM-B chunk of three detectors at a steady rate. */
static void make_events(void)
{
    static int64_t met_ns[N_EVENT];
    static uint16_t channel[N_EVENT];
    static float low[N_CHANNEL], high[N_CHANNEL];
    const struct instrument_fact *fact = source_fact(GECAM.mission, GECAM.instrument);
    for (int i = 0; i < N_EVENT; i++) {
        met_ns[i] = START_NS + i * (CLOCK_NS_PER_S / RATE) + (i * 7919 % 997) * 1000;
        channel[i] = (uint16_t)(i * 31 % N_CHANNEL);
    }
    for (int i = 0; i < N_CHANNEL; i++) {
        low[i] = i ? high[i - 1] : 2;
        high[i] = i + 1 < N_CHANNEL ? low[i] * 1.0192F : 10053.5F;
    }
    struct fits_good good = {START_NS, START_NS + SECONDS * CLOCK_NS_PER_S};
    struct fits_detector_events list[N_DETECTOR];
    for (int d = 0; d < N_DETECTOR; d++)
        list[d] =
            (struct fits_detector_events){.detector = d, .n_event = N_EVENT, .met_ns = met_ns, .channel = channel};
    struct fits_event_chunk chunk = {.layout = FITS_GECAM_EVT,
                                     .telescope = fact->fits_telescope,
                                     .instrument = fact->fits_instrument,
                                     .mjdref_i = fact->epoch_mjd_i,
                                     .mjdref_f = fact->epoch_mjd_f,
                                     .n_channel = N_CHANNEL,
                                     .e_min_kev = low,
                                     .e_max_kev = high,
                                     .n_good = 1,
                                     .good = &good,
                                     .n_list = N_DETECTOR,
                                     .list = list};
    struct burst_error e;
    enum burst_err err = fits_write_events(&chunk, &open.events, &open.n_events, &e);
    CHECK_SAY(!err, "%s", e.text);
}

static void make_image(void)
{
    static float snr[SUBIMAGE_SIDE * SUBIMAGE_SIDE];
    for (int i = 0; i < SUBIMAGE_SIDE * SUBIMAGE_SIDE; i++)
        snr[i] = (float)(i * 7919 % 997) / 250 - 2;
    snr[28 * SUBIMAGE_SIDE + 28] = 12;
    struct fits_subimage image = {.burst_id = "sb26112001",
                                  .date_obs = "2026-11-20T03:04:05.250",
                                  .date_end = "2026-11-20T03:04:25.730",
                                  .e_min_kev = 5,
                                  .e_max_kev = 20,
                                  .timescale_s = 20.48,
                                  .snr_sigma = 12,
                                  .trigger_type = "IMT",
                                  .slew_status = "accepted",
                                  .data_stream = "VHF",
                                  .n_y = SUBIMAGE_SIDE,
                                  .n_z = SUBIMAGE_SIDE,
                                  .sky_y0 = 70,
                                  .sky_z0 = 60,
                                  .sky_n = 200,
                                  .trigger_y = 98,
                                  .trigger_z = 88,
                                  .snr = snr,
                                  .crpix = {30.5, 40.5},
                                  .crval_deg = {83.6331, 22.0145},
                                  .cd = {{-0.5463, 0}, {0, 0.5463}}};
    struct burst_error e;
    enum burst_err err = fits_write_subimage(&image, &open.image, &open.n_image, &e);
    CHECK_SAY(!err, "%s", e.text);
}

static enum burst_err open_all(enum net_backend_id backend, const struct device_settings *gpu,
                               struct burst_error *reterr)
{
    struct infer_settings networks = {.light_curve = MODELS "gecam-resnet-mscfm/1",
                                      .image = MODELS "eclairs-cnn/1",
                                      .backend = backend,
                                      .gpu = gpu,
                                      .cross_check = INFER_CROSS_ALL};
    memset(&open, 0, sizeof open);
    open.settings = decide_defaults();
    enum burst_err err = infer_open(&networks, &open.infer, reterr);
    const struct infer_model *m = err ? NULL : infer_lightcurve_model(open.infer);
    if (!err) err = band_set_parse(m->band_kev, m->n_band, &open.bands, reterr);
    if (!err) err = catalogue_load(BURST_SOURCE_DIR "/config/catalogues/known-sources.csv", &open.catalogue, reterr);
    if (!err) err = arena_init(&open.arena, (size_t)32 << 20, reterr);
    if (!err) err = ingest_repeats_new(64, &open.repeats, reterr);
    if (!err) err = tracker_new(GECAM, &open.settings, &open.book, &open.tracker, reterr);
    if (!err) err = window_new(DETECTOR_MAX, &open.window, reterr);
    if (!err) err = feed_open(&open.feed, GECAM, TOPIC_EVENTS, &open.bands, 2 * CLOCK_NS_PER_S, NULL, reterr);
    if (err) return err;
    make_events();
    make_image();
    return BURST_OK;
}

static void close_all(void)
{
    infer_close(open.infer);
    catalogue_fini(&open.catalogue);
    arena_fini(&open.arena);
    ingest_repeats_free(open.repeats);
    tracker_free(open.tracker);
    window_free(open.window);
    feed_close(&open.feed);
    free(open.events);
    free(open.image);
}

static void tell(const struct verdict *v)
{
    static char json[VERDICT_JSON_MAX];
    size_t n = 0;
    struct burst_error e;
    enum burst_err err = verdict_json(v, clock_tt_now_ns(), json, sizeof json, &n, &e);
    CHECK_SAY(!err && n > 500, "%s", e.text);
}

/* The network's own answer, raised where the burst shall be: what it says of noise is not the matter here. */
static void judge_window(bool burst, int *n_verdict)
{
    static struct window_score score;
    static struct window_explanation why;
    static struct verdict verdict[TRACKER_VERDICTS];
    struct restart_point point;
    struct burst_error e;
    int n = 0;
    feed_window_point(&open.feed, open.window->k_end, &point);
    if (infer_gpu_alerts(open.infer)) (void)infer_step(open.infer, clock_mono_ns()); /* connecting anew takes some */
    CHECK_INT(infer_window(open.infer, open.window, &score, &e), BURST_OK);
    CHECK_INT(infer_explain_window(open.infer, open.window, 0, &why, &e), BURST_OK);
    n_cuda += strcmp(score.model.backend, "cuda") == 0;
    for (int i = 0; i < score.n_score; i++) {
        score.score[i].logit = burst ? 5 : -5;
        score.score[i].p = burst ? 0.99 : 0.01;
    }
    score.logit = burst ? 5 : -5;
    CHECK_INT(tracker_window(open.tracker, &score, verdict, &n, &e), BURST_OK);
    for (int i = 0; i < n; i++)
        tell(&verdict[i]);
    *n_verdict += n;
}

static void judge_events(int *n_window, int *n_verdict)
{
    static struct event_packet packet;
    static const uint8_t stream[STREAM_UUID] = {1};
    struct burst_error e;
    arena_reset(&open.arena);
    enum burst_err err = ingest_events(GECAM, open.events, open.n_events, &open.bands, &open.arena, &packet, &e);
    CHECK_SAY(!err, "%s", e.text);
    uint8_t sha256[32];
    hash_sha256(&(struct hash_piece){open.events, open.n_events}, 1, sha256);
    int64_t stop_ns;
    CHECK_INT(ingest_repeats_body(open.repeats, "t", 1, sha256, &stop_ns, &e), BURST_OK);
    ingest_repeats_told(open.repeats, packet.span.stop_ns);
    feed_read(&open.feed, 0, stream, 1, packet.span.stop_ns);
    const int64_t step = LIGHTCURVE_STEP_BINS / 2;
    for (int64_t k = event_packet_next(&packet, 0); k != INT64_MAX; k = event_packet_next(&packet, k + step)) {
        CHECK_INT(lightcurve_add(open.feed.lc, &packet, k, k + step, &e), BURST_OK);
        for (bool ready = false;; ++*n_window) {
            CHECK_INT(lightcurve_next(open.feed.lc, open.window, &ready, &e), BURST_OK);
            if (!ready) break;
            judge_window(*n_window == 3, n_verdict);
        }
    }
    static struct verdict closing[TRACKER_VERDICTS];
    int n = 0;
    tracker_flush(open.tracker, closing, &n);
    for (int i = 0; i < n; i++)
        tell(&closing[i]);
    *n_verdict += n;
}

static void judge_image(void)
{
    static struct subimage_packet packet;
    static struct image_sample sample;
    static struct image_score score;
    static struct image_explanation why;
    static struct verdict verdict;
    struct burst_error e;
    int done = 0;
    arena_reset(&open.arena);
    enum burst_err err = ingest_subimage(ECLAIRS, open.image, open.n_image, &open.arena, &packet, &e);
    CHECK_SAY(!err, "%s", e.text);
    CHECK_INT(ingest_repeats_subimage(open.repeats, &packet, &e), BURST_OK);
    CHECK_INT(subimage_prepare(&packet, &open.catalogue, NULL, &sample, &e), BURST_OK);
    CHECK_INT(infer_image(open.infer, &sample, &score, &e), BURST_OK);
    CHECK_INT(infer_explain_image_part(open.infer, &sample, 64, &done, &why, &e), BURST_OK);
    n_cuda += strcmp(score.model.backend, "cuda") == 0;
    CHECK_INT(image_decide(&open.book, &open.settings, &score, NULL, &verdict, &e), BURST_OK);
    tell(&verdict);
    packet.alert_count = 1;
    CHECK_INT(
        image_decide_failed(&open.book, &open.settings, &sample, &score.model, &(struct burst_error){0}, &verdict, &e),
        BURST_OK);
    tell(&verdict);
}

/* Packets to verdicts, once everything is open. */
static void walk_path(void)
{
    int n_window = 0, n_verdict = 0, before = n_taken;
    judge_events(&n_window, &n_verdict);
    judge_image();
    CHECK_SAY(n_taken == before, "memory was taken %d times", n_taken - before);
    CHECK_SAY(n_window >= 6, "%d windows", n_window);
    CHECK_INT(n_verdict, 2); /* opened, closed */
}

static bool open_path(enum net_backend_id backend, const struct device_settings *gpu)
{
    struct burst_error e;
    if (access(MODELS "gecam-resnet-mscfm/1/model.onnx", R_OK) || access(MODELS "eclairs-cnn/1/model.onnx", R_OK)) {
        check_skip_why = "the shipped models are absent";
        return false;
    }
    enum burst_err err = open_all(backend, gpu, &e);
    CHECK_SAY(!err, "%s", e.text);
    CHECK_SAY(err || n_taken > 20, "opening took memory %d times: is it counted?", n_taken);
    n_cuda = 0;
    return !err;
}

static void path_with(enum net_backend_id backend)
{
    if (open_path(backend, NULL)) walk_path();
    CHECK_INT(n_cuda, 0);
    close_all();
}

TEST(plain_takes_no_memory_from_packet_to_verdict)
{
    path_with(NET_BACKEND_PLAIN);
}

TEST(cpu_takes_no_memory_from_packet_to_verdict)
{
    path_with(NET_BACKEND_CPU);
}

static char control_path[64], self_path[4096];

static bool make_control(void)
{
    struct peer_control zero;
    memset(&zero, 0, sizeof zero);
    (void)snprintf(control_path, sizeof control_path, "/tmp/burst-peer-%d", (int)getpid());
    FILE *file = fopen(control_path, "wb");
    bool good = file && fwrite(&zero, sizeof zero, 1, file) == 1;
    if (file) good = fclose(file) == 0 && good;
    good = good && readlink("/proc/self/exe", self_path, sizeof self_path - 1) > 0;
    if (good) peer_control = peer_map_control(control_path);
    return good && setenv("PEER_CONTROL", control_path, 1) == 0;
}

/* Both lanes on, a canary between any two windows, every answer compared; then the same while the worker fails. */
TEST(the_lanes_to_a_gpu_take_none_and_neither_does_their_failing)
{
    const struct device_settings gpu = {.program = self_path,
                                        .deadline_ns = 20 * CLOCK_NS_PER_S,
                                        .background_ns = 20 * CLOCK_NS_PER_S,
                                        .canary_ns = 1,
                                        .core = -1};
    CHECK(make_control());
    for (int failing = 0; failing < 2 && !check_case_failed && !check_skip_why; failing++) {
        if (open_path(NET_BACKEND_AUTO, &gpu)) {
            CHECK(infer_gpu_wait(open.infer, 60 * CLOCK_NS_PER_S));
            while (!infer_gpu_explains(open.infer) && infer_gpu_alerts(open.infer))
                (void)infer_step(open.infer, clock_mono_ns());
            peer_control->lane = 0;
            peer_control->spared = 5;
            peer_control->fault = failing ? PEER_DEVICE : PEER_GOOD;
            walk_path();
            peer_control->fault = PEER_GOOD;
            CHECK_SAY(failing ? n_cuda > 0 && n_cuda < 5 : n_cuda >= 7, "%d answers are cuda's", n_cuda);
        }
        close_all();
    }
    (void)unlink(control_path);
}

int main(int argc, char **argv)
{
    if (argc > 3 && strcmp(argv[1], "--once") == 0) return peer_main(argv[3]);
    RUN(plain_takes_no_memory_from_packet_to_verdict);
    RUN(cpu_takes_no_memory_from_packet_to_verdict);
    RUN(the_lanes_to_a_gpu_take_none_and_neither_does_their_failing);
    return check_report();
}
