/* The ingest thread: gateways' messages, each to the reader of its kind (take_*.c). It owns the subscribers and the rings. */
#include "base/clock.h"
#include "base/log.h"
#include "daemon/intake.h"
#include "daemon/platforms.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BODIES_MOST = 4096, BATCH_MOST = 64 };
static const int64_t SHED_EVERY_NS = CLOCK_NS_PER_S, TELL_EVERY_NS = CLOCK_NS_PER_S;
/* Live data cannot end later than now; an hour is for clocks that are wrong. One gateway's far future would close the bins of
 * all the others for good. */
static const int64_t AHEAD_MOST_NS = 3600 * CLOCK_NS_PER_S;

static const struct restart_point *restart_of(const struct pipeline *p, const char *topic)
{
    for (int i = 0; i < p->n_restart; i++)
        if (strcmp(p->restart[i].topic, topic) == 0) return &p->restart[i];
    return NULL;
}

/* After a restart the first message of every gateway that brings a topic is waited for, where more than one had brought it. */
static void feed_expect(struct feed *f, const struct burst_config *config)
{
    for (int i = 0; f->n_begun > 1 && i < config->n_input; i++)
        for (int k = 0; k < config->input[i].n_topic; k++) {
            const char *prefix = config->input[i].topic[k];
            if (strncmp(f->topic, prefix, strlen(prefix)) == 0) order_expect(&f->order, i, clock_mono_ns());
        }
}

/* Every instrument in every realm has its own rings from the start: memory does not grow when a new one appears. */
static enum burst_err feeds_open(struct intake *in, struct burst_error *reterr)
{
    const struct band_set *bands = in->p->science.bands.n_atom ? &in->p->science.bands : NULL;
    int64_t lateness_ns = (int64_t)(in->p->config.lightcurve_lateness_s * 1e9);
    struct source source;
    enum topic_kind kind;
    char topic[STREAM_TOPIC_TEXT];
    for (size_t i = 0; source_input(i, &source, &kind); i++) {
        if (in->n_feed == FEED_MAX) return burst_fail(reterr, BURST_E_LIMIT, "more than %d input topics", FEED_MAX);
        if (source_input_topic(source, kind, topic, sizeof topic))
            topic[0] = 0; /* refused by feed_open, with a sentence */
        struct feed *f = &in->feed[in->n_feed++];
        enum burst_err err = feed_open(f, source, kind, bands, lateness_ns, restart_of(in->p, topic), reterr);
        if (err) return err;
        feed_expect(f, &in->p->config);
    }
    return BURST_OK;
}

/* Every place the restart points know of; each subscriber picks those of its own stream. */
static size_t resume_fill(const struct pipeline *p, struct stream_position *ret_resume)
{
    size_t n = 0;
    for (int i = 0; i < p->n_restart; i++)
        for (int k = 0; k < p->restart[i].n_from; k++, n++) {
            memcpy(ret_resume[n].topic, p->restart[i].topic, sizeof ret_resume[n].topic);
            memcpy(ret_resume[n].stream, p->restart[i].from[k].stream, STREAM_UUID);
            ret_resume[n].seq = p->restart[i].from[k].seq;
        }
    return n;
}

static enum burst_err subscriber_start(struct intake *in, const struct config_input *input, struct burst_error *reterr)
{
    struct subscriber_settings settings;
    subscriber_defaults(&settings);
    const char *prefix[CONFIG_TOPIC_MAX];
    struct stream_position resume[FEED_MAX * RESTART_FROM_MAX];
    for (int i = 0; i < input->n_topic; i++)
        prefix[i] = input->topic[i];
    settings.live = input->live;
    settings.history = input->history;
    settings.name = in->p->config.site_name;
    settings.prefix = prefix;
    settings.n_prefix = (size_t)input->n_topic;
    settings.resume = resume;
    settings.n_resume = resume_fill(in->p, resume);
    settings.first = ".platform"; /* windows are told where the satellite was */
    settings.from_start = true;   /* a gateway that was up before us has sent data that a burst may be in */
    return subscriber_open(in->p->context, &settings, &in->subscriber[in->n_subscriber++], reterr);
}

static void ingest_close(struct intake *in)
{
    for (int i = 0; i < in->n_subscriber; i++)
        subscriber_close(in->subscriber[i]);
    for (int i = 0; i < in->n_feed; i++)
        feed_close(&in->feed[i]);
    platforms_free(in->platforms);
    ingest_repeats_free(in->repeats);
    arena_fini(&in->arena);
    free(in);
}

static enum burst_err ingest_open(struct pipeline *p, struct intake **ret_in, struct burst_error *reterr)
{
    struct intake *in = calloc(1, sizeof *in);
    if (!in) return burst_fail(reterr, BURST_E_NOMEM, "no memory for the ingest thread");
    in->p = p;
    enum burst_err err = arena_init(&in->arena, (size_t)p->config.limits_packet_arena_mib << 20, reterr);
    if (!err) err = ingest_repeats_new(BODIES_MOST, &in->repeats, reterr);
    if (!err) err = platforms_new(&in->platforms, reterr);
    if (!err) err = feeds_open(in, reterr);
    for (int i = 0; !err && i < p->config.n_input; i++)
        err = subscriber_start(in, &p->config.input[i], reterr);
    if (err)
        ingest_close(in);
    else
        *ret_in = in;
    return err;
}

/* What comes live while we cannot read is dropped now and then: memory stays bounded, and history gives it again when there is
 * room. */
void intake_shed(struct intake *in)
{
    int64_t now = clock_mono_ns();
    if (now - in->polled_mono_ns < SHED_EVERY_NS) return;
    in->polled_mono_ns = now;
    for (int i = 0; i < in->n_subscriber; i++)
        subscriber_shed(in->subscriber[i]);
}

/* A unit for the work thread, waiting while it is busy; NULL when the daemon is stopping. Progress is said at every call, not at
 * every long wait: a message of an hour is a thousand short ones. */
struct work_unit *intake_take_free(struct intake *in)
{
    for (void *unit = NULL;;) {
        health_progress(in->p->health, THREAD_INGEST); /* the work thread has its own watch */
        if (atomic_load(&in->p->stop_ingest)) return NULL;
        if (queue_take(in->p->units.free_work, &unit, INTAKE_WAIT_MS) == BURST_OK) {
            ((struct work_unit *)unit)->archival = false;
            return unit;
        }
        intake_shed(in);
    }
}

/* BURST_E_TIME  live data that end more than AHEAD_MOST_NS after the host's clock */
enum burst_err intake_check_ahead(enum burst_realm realm, const char *what, int64_t stop_ns, struct burst_error *reterr)
{
    int64_t now = clock_tt_now_ns();
    char stop_text[CLOCK_UTC_TEXT], now_text[CLOCK_UTC_TEXT];
    if (realm != REALM_LIVE || stop_ns <= now + AHEAD_MOST_NS) return BURST_OK;
    clock_utc_text(stop_ns, stop_text);
    clock_utc_text(now, now_text);
    return burst_fail(reterr, BURST_E_TIME, "%s at %s, more than an hour after the host's clock, %s", what, stop_text,
                      now_text);
}

void intake_refuse(struct intake *in, enum health_kind kind, const char *source, int gateway,
                   const struct stream_item *item, const struct burst_error *e)
{
    pipeline_refused(in->p, kind, e->code, source, e);
    if (!item) return;
    struct quarantine_note note = {.kind = health_kind_name(kind),
                                   .code = e->code,
                                   .text = e->text,
                                   .topic = item->topic,
                                   .gateway = in->p->config.input[gateway].name,
                                   .stream = item->stream,
                                   .seq = item->seq};
    quarantine_keep(in->p->quarantine, &note, &(struct frame_bytes){item->body, item->n_body}, 1);
}

static struct feed *feed_of_topic(struct intake *in, const char *topic)
{
    for (int i = 0; i < in->n_feed; i++)
        if (strcmp(in->feed[i].topic, topic) == 0) return &in->feed[i];
    return NULL;
}

static bool came_before(struct intake *in, const struct subscriber_event *event, int64_t *ret_stop_ns)
{
    const char *topic = event->item.topic;
    struct burst_error e;
    return ingest_repeats_body(in->repeats, topic, strlen(topic), event->sha256, ret_stop_ns, &e) == BURST_E_DUPLICATE;
}

/* The same body came before on this topic, from this gateway or another. Its data end at stop_ns. */
static void take_duplicate(struct feed *f, int gateway, const struct stream_item *item, int64_t stop_ns)
{
    if (stop_ns == INGEST_REPEATS_UNTOLD)
        feed_read_again(f, gateway, item->stream, item->seq);
    else
        feed_read(f, gateway, item->stream, item->seq, stop_ns);
}

/* The gateway's own stream had that body before. */
static void take_repeat(struct intake *in, int gateway, const struct subscriber_event *event)
{
    int64_t stop_ns = INGEST_REPEATS_UNTOLD;
    struct feed *f = feed_of_topic(in, event->item.topic);
    (void)came_before(in, event, &stop_ns); /* remembered since, or as good as new */
    health_add(in->p->health, COUNT_DUPLICATES, 1);
    if (f) take_duplicate(f, gateway, &event->item, stop_ns);
}

/* FITS, or what a kind of topic takes instead. */
static enum burst_err check_content(enum topic_kind kind, unsigned content, struct burst_error *reterr)
{
    if (kind == TOPIC_EVENTS || kind == TOPIC_SUBIMAGE)
        return content == FRAME_FITS
                   ? BURST_OK
                   : burst_fail(reterr, BURST_E_UNSUPPORTED, "content %u, FITS (1) expected", content);
    if (kind == TOPIC_PLATFORM)
        return content == FRAME_JSON
                   ? BURST_OK
                   : burst_fail(reterr, BURST_E_UNSUPPORTED, "content %u, JSON (2) expected", content);
    if (content == FRAME_JSON || content == FRAME_XML) return BURST_OK;
    return burst_fail(reterr, BURST_E_UNSUPPORTED, "content %u, JSON (2) or XML (3) expected", content);
}

static void take_kind(struct intake *in, struct feed *f, int gateway, const struct stream_item *item)
{
    switch (f->kind) {
    case TOPIC_EVENTS: take_events(in, f, gateway, item); break;
    case TOPIC_SUBIMAGE: take_image(in, f, gateway, item); break;
    case TOPIC_PLATFORM: take_platform(in, f, gateway, item); break;
    case TOPIC_TRIGGER: take_notice(in, f, gateway, item); break;
    }
}

static void take_message(struct intake *in, int gateway, const struct subscriber_event *event)
{
    struct pipeline *p = in->p;
    struct burst_error e;
    const struct stream_item *item = &event->item;
    health_add(p->health, COUNT_MESSAGES, 1);
    health_add(p->health, COUNT_BYTES, item->n_body);
    if (event->replayed) health_add(p->health, COUNT_REPAIRED, 1);
    struct feed *f = feed_of_topic(in, item->topic);
    enum burst_err err = f ? check_content(f->kind, item->content, &e)
                           : burst_fail(&e, BURST_E_UNSUPPORTED, "no input topic '%.80s'", item->topic);
    if (err) {
        intake_refuse(in, BAD_FRAME, item->topic, gateway, item, &e);
        return;
    }
    f->seen_mono_ns = clock_mono_ns();
    /* Repeated positions do no harm, and one a second would push the rest out of what is remembered. */
    int64_t stop_ns = INGEST_REPEATS_UNTOLD;
    if (f->kind != TOPIC_PLATFORM && came_before(in, event, &stop_ns)) {
        health_add(p->health, COUNT_DUPLICATES, 1);
        take_duplicate(f, gateway, item, stop_ns);
    } else {
        take_kind(in, f, gateway, item);
    }
    f->seen_mono_ns = clock_mono_ns();
    if (f->lc) feed_order(f, gateway, event->replayed, f->seen_mono_ns);
}

static void take_data_time(struct intake *in, struct feed *f, int gateway, int64_t tt_ns)
{
    struct burst_error e;
    int64_t quiet_ns = (int64_t)(in->p->config.lightcurve_silence_s * 1e9);
    enum burst_err err = intake_check_ahead(f->source.realm, "a heartbeat's data_time lies", tt_ns, &e);
    if (err) {
        pipeline_refused(in->p, BAD_FRAME, err, f->topic, &e);
        return;
    }
    pipeline_feed_seen(in->p, f->topic, tt_ns, false);
    if (!f->lc) return;
    tt_ns = order_data_time(&f->order, gateway, tt_ns, quiet_ns, clock_mono_ns());
    if (tt_ns != INT64_MIN) lightcurve_data_time(f->lc, tt_ns);
    (void)take_windows(in, f); /* stopping shows at the next loop */
}

static void take_heartbeat(struct intake *in, int gateway, const struct subscriber_event *event)
{
    for (size_t i = 0; i < event->n_data_time; i++) {
        struct feed *f = feed_of_topic(in, event->data_time[i].topic);
        if (f) take_data_time(in, f, gateway, event->data_time[i].tt_ns); /* of what we do not read, no time is kept */
    }
}

static void take_gap(struct intake *in, int gateway, const struct subscriber_event *event)
{
    uint64_t n = event->to >= event->from ? event->to - event->from + 1 : 0;
    health_add(in->p->health, COUNT_GAPS, n);
    log_line(LOG_LEVEL_WARNING, "input lost for good topic=%s from=%llu to=%llu", event->topic,
             (unsigned long long)event->from, (unsigned long long)event->to);
    struct feed *f = feed_of_topic(in, event->topic);
    if (f) feed_gap(f, gateway, event->stream, event->to);
}

/* A frame that breaks the rules is told once per gateway and rule: a topic is the sender's to make up. */
static void take_bad(struct intake *in, int gateway, const struct subscriber_event *event)
{
    char source[CONFIG_TEXT + 32];
    (void)snprintf(source, sizeof source, "%s (%s)", in->p->config.input[gateway].name, frame_fault_name(event->fault));
    pipeline_refused(in->p, BAD_FRAME, event->error.code, source, &event->error);
    struct quarantine_note note = {.kind = health_kind_name(BAD_FRAME),
                                   .code = event->error.code,
                                   .text = event->error.text,
                                   .topic = event->topic,
                                   .gateway = in->p->config.input[gateway].name,
                                   .seq = event->from,
                                   .is_frames = true};
    if (event->n_frame) quarantine_keep(in->p->quarantine, &note, event->frame, event->n_frame);
    struct feed *f = feed_of_topic(in, event->topic);
    if (f && event->from) feed_read(f, gateway, event->stream, event->from, INT64_MIN);
}

static void take_stream(struct intake *in, int gateway)
{
    if (in->has_stream[gateway]) health_add(in->p->health, COUNT_RESTARTS, 1);
    in->has_stream[gateway] = true;
}

/* `gateway` is its place among the inputs of the configuration. */
static void take_event(struct intake *in, int gateway, const struct subscriber_event *event)
{
    switch (event->kind) {
    case SUBSCRIBER_MESSAGE: take_message(in, gateway, event); break;
    case SUBSCRIBER_DUPLICATE: take_repeat(in, gateway, event); break;
    case SUBSCRIBER_GAP: take_gap(in, gateway, event); break;
    case SUBSCRIBER_HEARTBEAT: take_heartbeat(in, gateway, event); break;
    case SUBSCRIBER_STREAM: take_stream(in, gateway); break;
    case SUBSCRIBER_BAD: take_bad(in, gateway, event); break;
    }
}

/* Nothing has come for a while: close all bins, and the open event with them (protocol.md 4). */
static void flush_silent(struct intake *in)
{
    int64_t silence_ns = (int64_t)(in->p->config.lightcurve_silence_s * 1e9), now = clock_mono_ns();
    for (int i = 0; i < in->n_feed; i++) {
        struct feed *f = &in->feed[i];
        if (!f->lc || !f->seen_mono_ns || now - f->seen_mono_ns < silence_ns) continue;
        f->seen_mono_ns = 0;
        in->arrived_mono_ns = now;
        lightcurve_flush(f->lc);
        if (!take_windows(in, f)) return;
        if (!take_word(in, f, WORK_SILENCE)) return;
    }
}

/* A gateway that reads history ahead of another one is left for now (order.h). Half the lateness: what it brings next closes no
 * bin that the other one has data for. */
static bool must_wait(struct intake *in, int gateway)
{
    int64_t slack_ns = (int64_t)(in->p->config.lightcurve_lateness_s * 0.5e9), now = clock_mono_ns();
    int64_t patience_ns = (int64_t)(in->p->config.lightcurve_history_patience_s * 1e9);
    for (int i = 0; i < in->n_feed; i++)
        if (in->feed[i].lc && order_must_wait(&in->feed[i].order, gateway, slack_ns, patience_ns, now)) return true;
    return false;
}

/* Take what every gateway has; at most a batch of each, so that none starves another. */
static bool poll_gateways(struct intake *in)
{
    bool any = false;
    struct subscriber_event event;
    struct burst_error e;
    in->polled_mono_ns = clock_mono_ns();
    for (int i = 0; i < in->n_subscriber; i++)
        for (int k = 0; k < BATCH_MOST && !atomic_load(&in->p->stop_ingest); k++) {
            if (in->n_subscriber > 1 && must_wait(in, i)) break;
            enum burst_err err = subscriber_next(in->subscriber[i], 0, &event, &e);
            if (err == BURST_E_TIMEOUT) break;
            if (err) {
                pipeline_refused(in->p, BAD_FRAME, err, in->p->config.input[i].name, &e);
                break;
            }
            in->arrived_mono_ns = clock_mono_ns();
            in->waited = false;
            any = any || event.kind != SUBSCRIBER_HEARTBEAT;
            take_event(in, i, &event);
            health_progress(in->p->health, THREAD_INGEST);
            if (in->waited) break;
        }
    return any;
}

/* What the subscribers have met, for status. */
static void gateways_tell(struct intake *in)
{
    int64_t now = clock_mono_ns();
    if (now - in->told_mono_ns < TELL_EVERY_NS) return;
    in->told_mono_ns = now;
    (void)pthread_mutex_lock(&in->p->feed_lock);
    for (int i = 0; i < in->n_subscriber; i++)
        subscriber_counts(in->subscriber[i], &in->p->gateway[i]);
    (void)pthread_mutex_unlock(&in->p->feed_lock);
}

void *ingest_thread(void *arg)
{
    struct pipeline *p = arg;
    struct intake *in = NULL;
    struct burst_error e;
    if (ingest_open(p, &in, &e)) health_fatal(p->health, &e);
    while (in && !atomic_load(&p->stop_ingest)) {
        health_progress(p->health, THREAD_INGEST);
        bool searching = archive_search(in);
        gateways_tell(in);
        if (poll_gateways(in)) continue;
        flush_silent(in);
        platforms_tell(in->platforms, p);
        (void)subscriber_wait(in->subscriber, (size_t)in->n_subscriber, searching ? ARCHIVE_WAIT_MS : INTAKE_WAIT_MS,
                              NULL); /* a time-out is the usual answer */
    }
    while (!in && !atomic_load(&p->stop_ingest)) { /* main ends the process; wait for it alive */
        health_progress(p->health, THREAD_INGEST);
        (void)nanosleep(&(struct timespec){.tv_nsec = INTAKE_WAIT_MS * 1000000L}, NULL);
    }
    if (in) ingest_close(in);
    queue_close(p->units.work); /* the work thread drains what is left and ends */
    return NULL;
}
