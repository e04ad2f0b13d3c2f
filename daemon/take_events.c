/* Event chunks to windows: decoded, placed in the rings, and every window that closes handed to the work thread. */
#include "base/clock.h"
#include "base/log.h"
#include "daemon/intake.h"
#include "ingest/ingest.h"

enum { STEP_BINS = LIGHTCURVE_STEP_BINS / 2 }; /* 8 s */

static void feed_count(struct intake *in, struct feed *f)
{
    struct health *h = in->p->health;
    struct lightcurve_counts now = lightcurve_counts(f->lc);
    health_add(h, COUNT_EVENTS, now.events - f->told.events);
    health_add(h, COUNT_EVENTS_DROPPED, now.outside - f->told.outside);
    health_add(h, COUNT_EVENTS_LATE, now.late + now.archival - f->told.late - f->told.archival);
    f->told = now;
}

bool take_windows(struct intake *in, struct feed *f)
{
    for (;;) {
        struct work_unit *unit = intake_take_free(in);
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

static bool add_step(struct intake *in, struct feed *f, const struct event_packet *packet, int64_t k)
{
    struct burst_error e;
    enum burst_err err;
    while ((err = lightcurve_add(f->lc, packet, k, k + STEP_BINS, &e)) == BURST_E_FULL)
        if (!take_windows(in, f)) return false;
    if (err) pipeline_refused(in->p, BAD_EVENTS, err, f->topic, &e);
    return take_windows(in, f);
}

bool take_word(struct intake *in, struct feed *f, enum work_kind kind)
{
    struct work_unit *unit = intake_take_free(in);
    if (!unit) return false;
    unit->kind = kind;
    unit->source = f->source;
    unit->restart.topic[0] = 0;
    if (f->judged_k != INT64_MIN) feed_window_point(f, f->judged_k, &unit->restart);
    pipeline_give(in->p->units.work, unit);
    return true;
}

/* A replay that was started again further back: what is open is closed, and time begins anew. */
static bool begin_anew(struct intake *in, struct feed *f)
{
    log_line(LOG_LEVEL_NOTICE, "a replay goes back in time, its light curves begin anew topic=%s", f->topic);
    lightcurve_flush(f->lc);
    if (!take_windows(in, f) || !take_word(in, f, WORK_ANEW)) return false;
    feed_begin_anew(f);
    return true;
}

static void take_steps(struct intake *in, struct feed *f, const struct event_packet *packet)
{
    for (int64_t k = event_packet_next(packet, 0); k != INT64_MAX; k = event_packet_next(packet, k + STEP_BINS)) {
        intake_shed(in);
        if (!add_step(in, f, packet, k)) return;
    }
}

void take_events(struct intake *in, struct feed *f, int gateway, const struct stream_item *item)
{
    struct burst_error e;
    struct event_packet packet;
    if (!f->lc) return; /* no light-curve network is configured */
    arena_reset(&in->arena);
    enum burst_err err =
        ingest_events(f->source, item->body, item->n_body, &in->p->science.bands, &in->arena, &packet, &e);
    if (!err) err = intake_check_ahead(f->source.realm, "data end", packet.span.stop_ns, &e);
    if (err) {
        intake_refuse(in, BAD_EVENTS, f->topic, gateway, item, &e);
        feed_read(f, gateway, item->stream, item->seq, INT64_MIN);
        return;
    }
    if (feed_goes_back(f, gateway, item->stream, packet.span) && !begin_anew(in, f)) return;
    feed_read(f, gateway, item->stream, item->seq, packet.span.stop_ns);
    for (size_t i = 0; i < packet.n_list; i++)
        health_add(in->p->health, COUNT_EVENTS_DROPPED, packet.list[i].n_dropped + packet.list[i].n_outside);
    take_steps(in, f, &packet);
    feed_count(in, f);
    pipeline_feed_seen(in->p, f->topic, packet.span.stop_ns, true);
}
