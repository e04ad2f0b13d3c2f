/* burst-classify: the whole path of an alert without threads and sockets. FITS and notices in, final verdicts out.
 *
 *     bytes -> ingest -> packet -> prepare -> window or image -> infer -> score -> decide -> verdict -> publish/json
 *
 * One lane per instrument: its packets, its rings, its event logic. */
#include "base/bytes.h"
#include "base/clock.h"
#include "decide/image.h"
#include "decide/trigger.h"
#include "ingest/identify.h"
#include "ingest/ingest.h"
#include "ingest/notice.h"
#include "options.h"
#include "prepare/lightcurve.h"
#include "prepare/subimage.h"
#include "prepare/window.h"
#include "publish/json.h"
#include "publish/trace.h"
#include "science/science.h"
#include <math.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    FILE_MOST = 1 << 30,
    LANE_MAX = 8,
    STEP_BINS = 16
}; /* files of several detectors are read together, a second at a time */

struct source_lane {
    struct source source;
    struct lightcurve *lc;
    struct tracker *tracker;
    struct lightcurve_window *window;
    int n_packet;
    struct event_packet *packet; /* [n_packet] */
};

struct run {
    const struct options *options;
    struct science science;
    struct window_trace *trace; /* NULL: none is asked for */
    struct book book;           /* of what has been told: events of all lanes and notices */
    int n_lane, n_final, n_arena, status;
    struct source_lane lane[LANE_MAX];
    struct arena *arena;   /* [n_arena] one per event file */
    struct verdict *final; /* [n_final] newest revision of each event */
};

static void complain(struct run *r, const char *what, const struct burst_error *e)
{
    bool named = strncmp(e->text, what, strlen(what)) == 0; /* of a file that cannot be read */
    (void)fprintf(stderr, "burst-classify: %s%s%s (%s)\n", named ? "" : what, named ? "" : ": ", e->text,
                  burst_err_name(e->code));
    r->status = e->code == BURST_E_IO ? EXIT_IO : EXIT_REFUSED;
}

/* Keep the newest revision of each event. */
static enum burst_err keep(struct run *r, const struct verdict *v, struct burst_error *reterr)
{
    int i = 0;
    while (i < r->n_final && strcmp(r->final[i].id, v->id) != 0)
        i++;
    if (i == r->n_final) {
        struct verdict *more = realloc(r->final, ((size_t)i + 1) * sizeof *more);
        if (!more) return burst_fail(reterr, BURST_E_NOMEM, "no memory for %d verdicts", i + 1);
        r->final = more;
        r->n_final++;
    }
    r->final[i] = *v;
    r->final[i].latency_since_trigger_s = r->final[i].latency_decode_s = r->final[i].latency_infer_s = (double)NAN;
    return BURST_OK;
}

static const char *lane_name(const struct source_lane *lane)
{
    return source_fact(lane->source.mission, lane->source.instrument)->topic;
}

/* Loading may time every engine of cuDNN. */
static const int64_t GPU_WAIT_NS = 240 * CLOCK_NS_PER_S;

/* A GPU that was asked for by name is waited for; where there is none, that is said, and the cpu answers. */
static void await_gpu(struct run *r)
{
    struct device_status s;
    char line[320];
    if (r->options->config.models_backend != CONFIG_BACKEND_CUDA) return;
    if (infer_gpu_wait(r->science.infer, GPU_WAIT_NS) || !infer_gpu_status(r->science.infer, &s)) return;
    (void)device_status_text(&s, clock_mono_ns(), line, sizeof line);
    (void)fprintf(stderr, "burst-classify: no GPU can be used. Judging on %s\n", line);
}

/* Between two questions: a GPU that became ready meanwhile is used, one that failed is told of once. */
static void keep_gpu(struct run *r)
{
    struct device_event e;
    (void)infer_step(r->science.infer, clock_mono_ns());
    while (infer_gpu_event(r->science.infer, &e))
        if (e.alarm)
            (void)fprintf(stderr, "burst-classify: ALARM the GPU's answer is wrong and not used: %s\n", e.text);
}

static enum burst_err judge_windows(struct run *r, struct source_lane *lane, struct burst_error *reterr)
{
    for (bool ready = false;;) {
        struct window_score score;
        struct verdict verdict[TRACKER_VERDICTS];
        int n = 0;
        enum burst_err err = lightcurve_next(lane->lc, lane->window, &ready, reterr);
        if (err || !ready) return err;
        if (r->trace && (err = window_trace_add(r->trace, lane->window, reterr))) return err;
        keep_gpu(r);
        err = infer_window(r->science.infer, lane->window, &score, reterr);
        if (!err) err = tracker_window(lane->tracker, &score, verdict, &n, reterr);
        if (err) complain(r, lane_name(lane), reterr); /* this window was left out: go on, as burstd does */
        for (int i = 0; i < n; i++)
            if ((err = keep(r, &verdict[i], reterr))) return err;
    }
}

static enum burst_err judge_step(struct run *r, struct source_lane *lane, const struct event_packet *packet, int64_t k,
                                 struct burst_error *reterr)
{
    enum burst_err err;
    while ((err = lightcurve_add(lane->lc, packet, k, k + STEP_BINS, reterr)) == BURST_E_FULL)
        if ((err = judge_windows(r, lane, reterr))) return err;
    if (err != BURST_E_CONFLICT && err != BURST_E_RANGE && err != BURST_E_LATE) return err;
    complain(r, lane_name(lane), reterr); /* a part was left out: go on */
    return BURST_OK;
}

/* The next second in which a file has data: years between two files cost nothing. */
static int64_t next_step(const struct source_lane *lane, int64_t k)
{
    int64_t next = INT64_MAX;
    for (int i = 0; i < lane->n_packet; i++) {
        int64_t own = event_packet_next(&lane->packet[i], k);
        if (own < next) next = own;
    }
    return next;
}

static enum burst_err judge_lane(struct run *r, struct source_lane *lane, struct burst_error *reterr)
{
    enum burst_err err = BURST_OK;
    for (int64_t k = next_step(lane, 0); !err && k != INT64_MAX; k = next_step(lane, k + STEP_BINS)) {
        for (int i = 0; !err && i < lane->n_packet; i++)
            err = judge_step(r, lane, &lane->packet[i], k, reterr);
        if (!err) err = judge_windows(r, lane, reterr);
    }
    struct verdict verdict[TRACKER_VERDICTS];
    int n = 0;
    if (!err) lightcurve_flush(lane->lc);
    if (!err) err = judge_windows(r, lane, reterr);
    if (!err) tracker_flush(lane->tracker, verdict, &n);
    for (int i = 0; !err && i < n; i++)
        err = keep(r, &verdict[i], reterr);
    return err;
}

static enum burst_err lane_open(struct run *r, struct source source, struct source_lane **ret_lane,
                                struct burst_error *reterr)
{
    for (int i = 0; i < r->n_lane; i++)
        if (r->lane[i].source.mission == source.mission && r->lane[i].source.instrument == source.instrument) {
            *ret_lane = &r->lane[i];
            return BURST_OK;
        }
    if (!infer_lightcurve_model(r->science.infer))
        return burst_fail(reterr, BURST_E_CONFIG, "models.light_curve names no network");
    if (r->n_lane == LANE_MAX) return burst_fail(reterr, BURST_E_LIMIT, "files of more than %d instruments", LANE_MAX);
    struct source_lane *lane = &r->lane[r->n_lane++];
    struct lightcurve_settings settings = {.source = source,
                                           .bands = r->science.bands,
                                           .epoch_ns = source_epoch_ns(source_fact(source.mission, source.instrument)),
                                           .lateness_ns = (int64_t)(r->options->config.lightcurve_lateness_s * 1e9),
                                           .score_from_k = INT64_MIN};
    lane->source = source;
    enum burst_err err = lightcurve_new(&settings, &lane->lc, reterr);
    if (!err) err = tracker_new(source, &r->science.decide, &r->book, &lane->tracker, reterr);
    if (!err) err = window_new(DETECTOR_MAX, &lane->window, reterr);
    *ret_lane = lane;
    return err;
}

static enum burst_err add_events(struct run *r, struct source source, const uint8_t *body, size_t n,
                                 struct burst_error *reterr)
{
    struct source_lane *lane = NULL;
    if (!source_fact(source.mission, source.instrument)->n_open)
        return burst_fail(reterr, BURST_E_UNSUPPORTED, "a particle monitor: no bursts are searched for in it");
    enum burst_err err = lane_open(r, source, &lane, reterr);
    if (err) return err;
    struct event_packet *more = realloc(lane->packet, ((size_t)lane->n_packet + 1) * sizeof *more);
    if (!more) return burst_fail(reterr, BURST_E_NOMEM, "no memory for a packet");
    lane->packet = more;
    struct arena *arena = &r->arena[r->n_arena++];
    err = arena_init(arena, ingest_arena_need(n), reterr);
    if (!err) err = ingest_events(source, body, n, &r->science.bands, arena, &more[lane->n_packet], reterr);
    if (!err) lane->n_packet++;
    return err;
}

/* A good sub-image gets a verdict also where the network fails, as in burstd. */
static enum burst_err call_image(struct run *r, const struct image_sample *sample, struct verdict *ret_verdict,
                                 struct burst_error *reterr)
{
    struct image_score score;
    const struct infer_model *model = infer_image_model(r->science.infer);
    keep_gpu(r);
    enum burst_err err = infer_image(r->science.infer, sample, &score, reterr);
    if (!err) return image_decide(&r->book, &r->science.decide, &score, NULL, ret_verdict, reterr);
    if (!model) return err;
    struct burst_error why = *reterr;
    complain(r, sample->packet->burst_id, &why);
    return image_decide_failed(&r->book, &r->science.decide, sample, &model->tag, &why, ret_verdict, reterr);
}

static enum burst_err judge_image(struct run *r, struct source source, const uint8_t *body, size_t n,
                                  struct burst_error *reterr)
{
    struct arena arena;
    struct subimage_packet packet;
    static struct image_sample sample;
    struct verdict verdict;
    enum burst_err err = arena_init(&arena, ingest_arena_need(n), reterr);
    if (!err) err = ingest_subimage(source, body, n, &arena, &packet, reterr);
    if (!err) err = subimage_prepare(&packet, &r->science.catalogue, NULL, &sample, reterr);
    (void)memcpy(sample.config_sha256, r->science.decide.config_sha256, sizeof sample.config_sha256);
    if (!err) err = call_image(r, &sample, &verdict, reterr);
    if (!err) err = keep(r, &verdict, reterr);
    arena_fini(&arena);
    return err;
}

/* The first character that is no blank: '{' of JSON, '<' of XML, 'S' of FITS. */
static uint8_t first_of(const uint8_t *body, size_t n)
{
    size_t i = 0;
    while (i < n && (body[i] == ' ' || body[i] == '\n' || body[i] == '\r' || body[i] == '\t'))
        i++;
    return i < n ? body[i] : 0;
}

static bool is_notice(const uint8_t *body, size_t n)
{
    return first_of(body, n) == '{' || first_of(body, n) == '<';
}

/* A file does not say whose topic it came by: the mission it agrees with, none of ours first, for a notice without a name fits any.
 * What its own mission's reader says of it is told, not that it is no other mission's. */
static enum burst_err read_notice(const uint8_t *body, size_t n, struct notice *ret_notice, struct burst_error *reterr)
{
    enum notice_content content = first_of(body, n) == '<' ? NOTICE_XML : NOTICE_JSON;
    enum burst_err told = BURST_OK;
    for (int i = 0; i < MISSION_N; i++) {
        enum burst_mission mission = (enum burst_mission)((MISSION_EXTERNAL + i) % MISSION_N);
        struct source source = {REALM_ARCHIVE, mission, INSTRUMENT_NONE};
        struct burst_error why;
        enum burst_err err = ingest_notice(source, content, body, n, ret_notice, &why);
        if (!err) return BURST_OK;
        bool other = err == BURST_E_CONFLICT && strstr(why.text, " topic ");
        if (told && other) continue;
        told = err;
        *reterr = why;
        if (!other) return err;
    }
    return told;
}

/* The light curves that answer it are judged after all files have been read. */
static enum burst_err judge_notice(struct run *r, const uint8_t *body, size_t n, struct burst_error *reterr)
{
    static struct notice notice;
    struct verdict verdict;
    bool told = false;
    enum burst_err err = read_notice(body, n, &notice, reterr);
    if (!err) err = trigger_notice(&r->book, &r->science.decide, NULL, &notice, &verdict, &told, reterr);
    return !err && told ? keep(r, &verdict, reterr) : err;
}

/* Nothing more will come. */
static enum burst_err give_up(struct run *r, struct burst_error *reterr)
{
    struct verdict verdict;
    enum burst_err err = BURST_OK;
    while (!err && trigger_tick(&r->book, &r->science.decide, INT64_MAX, &verdict))
        err = keep(r, &verdict, reterr);
    return err;
}

static enum burst_err take_fits(struct run *r, const uint8_t *body, size_t n, struct burst_error *reterr)
{
    struct source source;
    enum burst_err err = ingest_identify(body, n, REALM_ARCHIVE, &source, reterr);
    if (err) return err;
    if (source_fact(source.mission, source.instrument)->n_detector) return add_events(r, source, body, n, reterr);
    return judge_image(r, source, body, n, reterr);
}

static void take_file(struct run *r, const char *path)
{
    struct burst_error e;
    uint8_t *body = NULL;
    size_t n = 0;
    enum burst_err err = bytes_read_file(path, FILE_MOST, &body, &n, &e);
    if (!err) err = is_notice(body, n) ? judge_notice(r, body, n, &e) : take_fits(r, body, n, &e);
    free(body);
    if (err) complain(r, path, &e);
}

static void print_line(const struct verdict *v)
{
    char time[CLOCK_UTC_TEXT];
    clock_utc_text(v->trigger_ns, time);
    (void)printf("%-7s p=%.3f %-20s %-34s %s", VERDICT_CALL_WORD[v->call] ? VERDICT_CALL_WORD[v->call] : "waits",
                 v->p_true, v->reason ? REASON_CODE_WORD[v->reason] : "-", v->id, time);
    for (int i = 0; i < v->n_reason; i++)
        (void)printf("%s %s", i ? ";" : " ", v->reasons[i]);
    (void)printf("\n");
}

static void print_all(struct run *r)
{
    static char json[VERDICT_JSON_MAX];
    struct burst_error e;
    size_t n;
    for (int i = 0; i < r->n_final; i++)
        if (!r->options->json)
            print_line(&r->final[i]);
        else if (verdict_json(&r->final[i], clock_tt_now_ns(), json, sizeof json, &n, &e))
            complain(r, r->final[i].id, &e);
        else if (puts(json) < 0)
            r->status = EXIT_IO;
    if (fflush(stdout)) r->status = EXIT_IO;
}

static void run_close(struct run *r)
{
    for (int i = 0; i < r->n_lane; i++) {
        lightcurve_free(r->lane[i].lc);
        tracker_free(r->lane[i].tracker);
        window_free(r->lane[i].window);
        free(r->lane[i].packet);
    }
    for (int i = 0; i < r->n_arena; i++)
        arena_fini(&r->arena[i]);
    free(r->arena);
    window_trace_close(r->trace);
    free(r->final);
    science_close(&r->science);
}

static enum burst_err open_trace(struct run *r, struct burst_error *reterr)
{
    char path[CONFIG_TEXT + 4096];
    const char *configured = r->options->config.lightcurve_trace;
    if (!configured[0]) return BURST_OK;
    enum burst_err err = config_data_path(configured, path, sizeof path, reterr);
    return err ? err : window_trace_open(path, &r->trace, reterr);
}

int main(int argc, char **argv)
{
    struct options options = {0};
    static struct run r;
    struct burst_error e;
    int status = options_parse(argc, argv, &options);
    if (status >= 0) return status;
    r.options = &options;
    r.arena = calloc((size_t)options.n_file, sizeof *r.arena);
    if (!r.arena || sodium_init() < 0) return EXIT_IO;
    if (science_open(&options.config, &r.science, &e) || open_trace(&r, &e)) {
        complain(&r, "configuration", &e);
        r.status = EXIT_CONFIG;
    }
    if (r.science.infer) await_gpu(&r);
    for (int i = 0; r.science.infer && i < options.n_file; i++)
        take_file(&r, options.file[i]);
    status = r.status;
    for (int i = 0; i < r.n_lane; i++)
        if (judge_lane(&r, &r.lane[i], &e)) complain(&r, lane_name(&r.lane[i]), &e);
    if (give_up(&r, &e)) complain(&r, "notices", &e);
    print_all(&r);
    run_close(&r);
    return r.status ? r.status : status;
}
