/* The ingest thread: gateways' messages become windows and sub-images. It owns the subscribers and the rings. */
#include "ingest/ingest.h"
#include "base/clock.h"
#include "base/log.h"
#include "daemon/feed.h"
#include "daemon/pipeline.h"
#include "ingest/repeats.h"
#include "ingest/slice.h"
#include "prepare/subimage.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WAIT_MS = 100, BODIES_MOST = 4096 };
static const int64_t SLICE_NS = LIGHTCURVE_SPAN_NS / 2, SHED_EVERY_NS = CLOCK_NS_PER_S;
/* Live data cannot end later than now; an hour is for clocks that are wrong. One gateway's far future would close the bins of
 * all the others for good. */
static const int64_t AHEAD_MOST_NS = 3600 * CLOCK_NS_PER_S;

struct ingest {
    struct pipeline *p;
    int n_feed;
    struct feed feed[FEED_MAX];
    int n_subscriber;
    struct subscriber *subscriber[CONFIG_INPUT_MAX];
    bool has_stream[CONFIG_INPUT_MAX]; /* it has said which log is its own */
    struct arena arena;
    struct ingest_repeats *repeats; /* bodies that another gateway brought, sub-images */
    struct slice_storage slice;
    int64_t arrived_mono_ns; /* of the message in hand */
    int64_t polled_mono_ns;  /* when the live sockets were last looked at, or emptied */
};

static const struct restart_point *restart_of(const struct pipeline *p, const char *topic)
{
    for (int i = 0; i < p->n_restart; i++)
        if (strcmp(p->restart[i].topic, topic) == 0) return &p->restart[i];
    return NULL;
}

/* Every instrument in every realm has its own rings from the start: memory does not grow when a new one appears. */
static enum burst_err feeds_open(struct ingest *in, struct burst_error *reterr)
{
    const struct band_set *bands = in->p->science.bands.n_atom ? &in->p->science.bands : NULL;
    int64_t lateness_ns = (int64_t)(in->p->config.lightcurve_lateness_s * 1e9);
    enum burst_err err = BURST_OK;
    size_t n_fact;
    const struct instrument_fact *facts = source_facts(&n_fact);
    for (int realm = 0; !err && realm < REALM_N; realm++)
        for (size_t i = 0; !err && i < n_fact; i++) {
            struct source source = {(enum burst_realm)realm, facts[i].mission, facts[i].instrument};
            struct feed *f = &in->feed[in->n_feed++];
            char topic[STREAM_TOPIC_TEXT];
            if (source_topic(source, NULL, topic, sizeof topic))
                topic[0] = 0; /* refused by feed_open, with a sentence */
            err = feed_open(f, source, bands, lateness_ns, restart_of(in->p, topic), reterr);
        }
    return err;
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

static enum burst_err subscriber_start(struct ingest *in, const struct config_input *input, struct burst_error *reterr)
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
    settings.from_start = true; /* a gateway that was up before us has sent data that a burst may be in */
    return subscriber_open(in->p->context, &settings, &in->subscriber[in->n_subscriber++], reterr);
}

static void ingest_close(struct ingest *in)
{
    for (int i = 0; i < in->n_subscriber; i++)
        subscriber_close(in->subscriber[i]);
    for (int i = 0; i < in->n_feed; i++)
        feed_close(&in->feed[i]);
    ingest_repeats_free(in->repeats);
    arena_fini(&in->arena);
    free(in);
}

static enum burst_err ingest_open(struct pipeline *p, struct ingest **ret_in, struct burst_error *reterr)
{
    struct ingest *in = calloc(1, sizeof *in);
    if (!in) return burst_fail(reterr, BURST_E_NOMEM, "no memory for the ingest thread");
    in->p = p;
    enum burst_err err = arena_init(&in->arena, (size_t)p->config.limits_packet_arena_mib << 20, reterr);
    if (!err) err = ingest_repeats_new(BODIES_MOST, &in->repeats, reterr);
    if (!err) err = feeds_open(in, reterr);
    for (int i = 0; !err && i < p->config.n_input; i++)
        err = subscriber_start(in, &p->config.input[i], reterr);
    if (err)
        ingest_close(in);
    else
        *ret_in = in;
    return err;
}

static struct feed *feed_of(struct ingest *in, struct source s)
{
    for (int i = 0; i < in->n_feed; i++) {
        struct source f = in->feed[i].source;
        if (f.realm == s.realm && f.mission == s.mission && f.instrument == s.instrument) return &in->feed[i];
    }
    return NULL;
}

/* What comes live while we cannot read is dropped now and then: memory stays bounded, and history gives it again when there is
 * room. */
static void shed_live(struct ingest *in)
{
    int64_t now = clock_mono_ns();
    if (now - in->polled_mono_ns < SHED_EVERY_NS) return;
    in->polled_mono_ns = now;
    for (int i = 0; i < in->n_subscriber; i++)
        subscriber_shed(in->subscriber[i]);
}

/* A unit for the work thread, waiting while it is busy; NULL when the daemon is stopping. Progress is said at every call, not at
 * every long wait: a message of an hour is a thousand short ones. */
static struct work_unit *take_free(struct ingest *in)
{
    for (void *unit = NULL;;) {
        health_progress(in->p->health, THREAD_INGEST); /* the work thread has its own watch */
        if (atomic_load(&in->p->stop_ingest)) return NULL;
        if (queue_take(in->p->units.free_work, &unit, WAIT_MS) == BURST_OK) return unit;
        shed_live(in);
    }
}

/* BURST_E_TIME  live data that end more than AHEAD_MOST_NS after the host's clock */
static enum burst_err check_ahead(enum burst_realm realm, const char *what, int64_t stop_ns, struct burst_error *reterr)
{
    int64_t now = clock_tt_now_ns();
    char stop_text[CLOCK_UTC_TEXT], now_text[CLOCK_UTC_TEXT];
    if (realm != REALM_LIVE || stop_ns <= now + AHEAD_MOST_NS) return BURST_OK;
    clock_utc_text(stop_ns, stop_text);
    clock_utc_text(now, now_text);
    return burst_fail(reterr, BURST_E_TIME, "%s at %s, more than an hour after the host's clock, %s", what, stop_text,
                      now_text);
}

static void feed_count(struct ingest *in, struct feed *f)
{
    struct health *h = in->p->health;
    struct lightcurve_counts now = lightcurve_counts(f->lc);
    health_add(h, COUNT_EVENTS, now.events - f->told.events);
    health_add(h, COUNT_EVENTS_DROPPED, now.outside - f->told.outside);
    health_add(h, COUNT_EVENTS_LATE, now.late + now.archival - f->told.late - f->told.archival);
    f->told = now;
}

/* Hand every closed window to the work thread. False: the daemon is stopping. */
static bool drain_windows(struct ingest *in, struct feed *f)
{
    for (;;) {
        struct work_unit *unit = take_free(in);
        if (!unit) return false;
        bool ready = false;
        struct burst_error e;
        enum burst_err err = lightcurve_next(f->lc, unit->window, &ready, &e);
        if (err) pipeline_refused(in->p, BAD_EVENTS, err, f->topic, &e);
        if (err || !ready) {
            pipeline_give(in->p->units.free_work, unit);
            return true;
        }
        unit->kind = WORK_WINDOW;
        unit->source = f->source;
        unit->window->arrived_mono_ns = in->arrived_mono_ns;
        unit->window->decode_s = (double)(clock_mono_ns() - in->arrived_mono_ns) * 1e-9;
        f->judged_k = unit->window->k_end;
        feed_window_point(f, f->judged_k, &unit->restart);
        pipeline_give(in->p->units.work, unit);
    }
}

static bool add_slice(struct ingest *in, struct feed *f, const struct event_packet *part)
{
    struct burst_error e;
    enum burst_err err;
    while ((err = lightcurve_add(f->lc, part, &e)) == BURST_E_FULL)
        if (!drain_windows(in, f)) return false;
    if (err) pipeline_refused(in->p, BAD_EVENTS, err, f->topic, &e);
    return drain_windows(in, f);
}

/* A unit without data, behind all windows so far. False: the daemon is stopping. */
static bool give_word(struct ingest *in, struct feed *f, enum work_kind kind)
{
    struct work_unit *unit = take_free(in);
    if (!unit) return false;
    unit->kind = kind;
    unit->source = f->source;
    unit->restart.topic[0] = 0;
    if (f->judged_k != INT64_MIN) feed_window_point(f, f->judged_k, &unit->restart);
    pipeline_give(in->p->units.work, unit);
    return true;
}

/* A replay that was started again further back: what is open is closed, and time begins anew. */
static bool begin_anew(struct ingest *in, struct feed *f)
{
    log_line(LOG_LEVEL_NOTICE, "a replay goes back in time, its light curves begin anew topic=%s", f->topic);
    lightcurve_flush(f->lc);
    if (!drain_windows(in, f) || !give_word(in, f, WORK_ANEW)) return false;
    feed_begin_anew(f);
    return true;
}

static void take_slices(struct ingest *in, struct feed *f, const struct event_packet *packet)
{
    struct burst_error e;
    struct event_packet part;
    for (int64_t t = packet->span.start_ns; t < packet->span.stop_ns; t = slice_next(packet, t + SLICE_NS, SLICE_NS)) {
        shed_live(in);
        enum burst_err err = slice_take(packet, t, t + SLICE_NS, &in->slice, &part, &e);
        if (err)
            pipeline_refused(in->p, BAD_EVENTS, err, f->topic, &e);
        else if (!add_slice(in, f, &part))
            return;
    }
}

static void take_events(struct ingest *in, struct feed *f, int gateway, const struct stream_item *item)
{
    struct burst_error e;
    struct event_packet packet;
    if (!f->lc) return; /* no light-curve network is configured */
    arena_reset(&in->arena);
    enum burst_err err = ingest_events(f->source, item->body, item->n_body, &in->arena, &packet, &e);
    if (!err) err = check_ahead(f->source.realm, "data end", packet.span.stop_ns, &e);
    if (!err) err = slice_sort(&packet, &in->arena, &e);
    if (err) {
        pipeline_refused(in->p, BAD_EVENTS, err, f->topic, &e);
        feed_read(f, gateway, item->stream, item->seq, INT64_MIN);
        return;
    }
    if (feed_goes_back(f, gateway, item->stream, packet.span) && !begin_anew(in, f)) return;
    feed_read(f, gateway, item->stream, item->seq, packet.span.stop_ns);
    for (size_t i = 0; i < packet.n_list; i++)
        health_add(in->p->health, COUNT_EVENTS_DROPPED, packet.list[i].n_dropped);
    take_slices(in, f, &packet);
    feed_count(in, f);
    pipeline_feed_seen(in->p, f->topic, packet.span.stop_ns, true);
}

static enum burst_err prepare_image(struct ingest *in, struct feed *f, const struct stream_item *item,
                                    struct work_unit *unit, struct burst_error *reterr)
{
    arena_reset(&unit->arena);
    enum burst_err err = ingest_subimage(f->source, item->body, item->n_body, &unit->arena, &unit->packet, reterr);
    if (!err) err = check_ahead(f->source.realm, "the exposure ends", unit->packet.span.stop_ns, reterr);
    if (!err) err = ingest_repeats_subimage(in->repeats, &unit->packet, reterr);
    if (!err) err = subimage_prepare(&unit->packet, &in->p->science.catalogue, &unit->image, reterr);
    return err;
}

static void take_image(struct ingest *in, struct feed *f, int gateway, const struct stream_item *item)
{
    struct burst_error e;
    struct work_unit *unit = take_free(in);
    if (!unit) return;
    feed_read(f, gateway, item->stream, item->seq, INT64_MIN);
    enum burst_err err = prepare_image(in, f, item, unit, &e);
    if (err == BURST_E_DUPLICATE)
        health_add(in->p->health, COUNT_DUPLICATES, 1);
    else if (err)
        pipeline_refused(in->p, BAD_SUBIMAGE, err, f->topic, &e);
    if (err) {
        pipeline_give(in->p->units.free_work, unit);
        return;
    }
    unit->kind = WORK_IMAGE;
    unit->source = f->source;
    unit->image.arrived_mono_ns = in->arrived_mono_ns;
    unit->image.decode_s = (double)(clock_mono_ns() - in->arrived_mono_ns) * 1e-9;
    feed_image_point(f, &unit->restart);
    pipeline_feed_seen(in->p, f->topic, unit->packet.span.stop_ns, true);
    pipeline_give(in->p->units.work, unit);
}

static struct feed *feed_of_topic(struct ingest *in, const char *topic)
{
    for (int i = 0; i < in->n_feed; i++)
        if (strcmp(in->feed[i].topic, topic) == 0) return &in->feed[i];
    return NULL;
}

/* The same body came before on this topic, from this gateway or another. */
static void take_duplicate(struct ingest *in, int gateway, const struct stream_item *item)
{
    struct feed *f = feed_of_topic(in, item->topic);
    health_add(in->p->health, COUNT_DUPLICATES, 1);
    if (f) feed_read_again(f, gateway, item->stream, item->seq);
}

static bool came_before(struct ingest *in, const struct subscriber_event *event)
{
    const char *topic = event->item.topic;
    struct burst_error e;
    return ingest_repeats_body(in->repeats, topic, strlen(topic), event->sha256, &e) == BURST_E_DUPLICATE;
}

static void take_message(struct ingest *in, int gateway, const struct subscriber_event *event)
{
    struct pipeline *p = in->p;
    struct source source;
    struct burst_error e;
    const struct stream_item *item = &event->item;
    health_add(p->health, COUNT_MESSAGES, 1);
    health_add(p->health, COUNT_BYTES, item->n_body);
    if (event->replayed) health_add(p->health, COUNT_REPAIRED, 1);
    enum burst_err err = source_parse_topic(item->topic, strlen(item->topic), &source, &e);
    if (!err && item->content != FRAME_FITS)
        err = burst_fail(&e, BURST_E_UNSUPPORTED, "content %u, FITS (1) expected", item->content);
    struct feed *f = err ? NULL : feed_of(in, source);
    if (!f) {
        pipeline_refused(p, BAD_FRAME, err ? err : BURST_E_UNSUPPORTED, item->topic, &e);
        return;
    }
    f->seen_mono_ns = clock_mono_ns();
    if (came_before(in, event))
        take_duplicate(in, gateway, item);
    else if (source_fact(source.mission, source.instrument)->n_detector)
        take_events(in, f, gateway, item);
    else
        take_image(in, f, gateway, item);
    f->seen_mono_ns = clock_mono_ns();
}

static void take_data_time(struct ingest *in, struct feed *f, int64_t tt_ns)
{
    struct burst_error e;
    enum burst_err err = check_ahead(f->source.realm, "a heartbeat's data_time lies", tt_ns, &e);
    if (err) {
        pipeline_refused(in->p, BAD_FRAME, err, f->topic, &e);
        return;
    }
    pipeline_feed_seen(in->p, f->topic, tt_ns, false);
    if (!f->lc) return;
    lightcurve_data_time(f->lc, tt_ns);
    (void)drain_windows(in, f); /* stopping shows at the next loop */
}

static void take_heartbeat(struct ingest *in, const struct subscriber_event *event)
{
    for (size_t i = 0; i < event->n_data_time; i++) {
        struct feed *f = feed_of_topic(in, event->data_time[i].topic);
        if (f) take_data_time(in, f, event->data_time[i].tt_ns); /* of what we do not read, no time is kept */
    }
}

static void take_gap(struct ingest *in, int gateway, const struct subscriber_event *event)
{
    uint64_t n = event->to >= event->from ? event->to - event->from + 1 : 0;
    health_add(in->p->health, COUNT_GAPS, n);
    log_line(LOG_LEVEL_WARNING, "input lost for good topic=%s from=%llu to=%llu", event->topic,
             (unsigned long long)event->from, (unsigned long long)event->to);
    struct feed *f = feed_of_topic(in, event->topic);
    if (f && f->lc) lightcurve_gap(f->lc);
    if (f) feed_read(f, gateway, event->stream, event->to, INT64_MIN);
}

/* A frame that breaks the rules is told once per gateway and rule: a topic is the sender's to make up. */
static void take_bad(struct ingest *in, int gateway, const struct subscriber_event *event)
{
    char source[CONFIG_TEXT + 32];
    (void)snprintf(source, sizeof source, "%s (%s)", in->p->config.input[gateway].name, frame_fault_name(event->fault));
    pipeline_refused(in->p, BAD_FRAME, event->error.code, source, &event->error);
    struct feed *f = feed_of_topic(in, event->topic);
    if (f && event->from) feed_read(f, gateway, event->stream, event->from, INT64_MIN);
}

static void take_stream(struct ingest *in, int gateway)
{
    if (in->has_stream[gateway]) health_add(in->p->health, COUNT_RESTARTS, 1);
    in->has_stream[gateway] = true;
}

/* `gateway` is its place among the inputs of the configuration. */
static void take_event(struct ingest *in, int gateway, const struct subscriber_event *event)
{
    switch (event->kind) {
    case SUBSCRIBER_MESSAGE: take_message(in, gateway, event); break;
    case SUBSCRIBER_DUPLICATE: take_duplicate(in, gateway, &event->item); break;
    case SUBSCRIBER_GAP: take_gap(in, gateway, event); break;
    case SUBSCRIBER_HEARTBEAT: take_heartbeat(in, event); break;
    case SUBSCRIBER_STREAM: take_stream(in, gateway); break;
    case SUBSCRIBER_BAD: take_bad(in, gateway, event); break;
    }
}

/* Nothing has come for a while: close all bins, and the open event with them (protocol.md 4). */
static void flush_silent(struct ingest *in)
{
    int64_t silence_ns = (int64_t)(in->p->config.lightcurve_silence_s * 1e9), now = clock_mono_ns();
    for (int i = 0; i < in->n_feed; i++) {
        struct feed *f = &in->feed[i];
        if (!f->lc || !f->seen_mono_ns || now - f->seen_mono_ns < silence_ns) continue;
        f->seen_mono_ns = 0;
        in->arrived_mono_ns = now;
        lightcurve_flush(f->lc);
        if (!drain_windows(in, f)) return;
        if (!give_word(in, f, WORK_SILENCE)) return;
    }
}

/* Take what every gateway has; at most a batch of each, so that none starves another. */
static bool poll_gateways(struct ingest *in)
{
    bool any = false;
    struct subscriber_event event;
    struct burst_error e;
    in->polled_mono_ns = clock_mono_ns();
    for (int i = 0; i < in->n_subscriber; i++)
        for (int k = 0; k < 64 && !atomic_load(&in->p->stop_ingest); k++) {
            enum burst_err err = subscriber_next(in->subscriber[i], 0, &event, &e);
            if (err == BURST_E_TIMEOUT) break;
            if (err) {
                pipeline_refused(in->p, BAD_FRAME, err, in->p->config.input[i].name, &e);
                break;
            }
            in->arrived_mono_ns = clock_mono_ns();
            any = any || event.kind != SUBSCRIBER_HEARTBEAT;
            take_event(in, i, &event);
            health_progress(in->p->health, THREAD_INGEST);
        }
    return any;
}

void *ingest_thread(void *arg)
{
    struct pipeline *p = arg;
    struct ingest *in = NULL;
    struct burst_error e;
    if (ingest_open(p, &in, &e)) health_fatal(p->health, &e);
    while (in && !atomic_load(&p->stop_ingest)) {
        health_progress(p->health, THREAD_INGEST);
        if (poll_gateways(in)) continue;
        flush_silent(in);
        (void)subscriber_wait(in->subscriber, (size_t)in->n_subscriber, WAIT_MS,
                              NULL); /* a time-out is the usual answer */
    }
    while (!in && !atomic_load(&p->stop_ingest)) { /* main ends the process; wait for it alive */
        health_progress(p->health, THREAD_INGEST);
        (void)nanosleep(&(struct timespec){.tv_nsec = WAIT_MS * 1000000L}, NULL);
    }
    if (in) ingest_close(in);
    queue_close(p->units.work); /* the work thread drains what is left and ends */
    return NULL;
}
