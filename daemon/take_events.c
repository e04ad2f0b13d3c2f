/* Event chunks to windows: decoded, placed in the rings, and every window that closes handed to the work thread. */
#include "base/clock.h"
#include "base/log.h"
#include "daemon/intake.h"
#include "daemon/platforms.h"
#include "ingest/ingest.h"

enum { STEP_BINS = LIGHTCURVE_STEP_BINS / 2, POINT_EVERY_STRIDES = 64 }; /* 8 s; 65.5 s */

static void feed_count(struct intake *in, struct feed *f)
{
    struct health *h = in->p->health;
    struct lightcurve_counts now = lightcurve_counts(f->lc);
    health_add(h, f->monitor ? COUNT_EVENTS_UNSEARCHED : COUNT_EVENTS, now.events - f->told.events);
    health_add(h, COUNT_EVENTS_UNSEARCHED, now.unsearched - f->told.unsearched);
    health_add(h, COUNT_EVENTS_REPEATED, now.repeated - f->told.repeated);
    health_add(h, COUNT_EVENTS_DROPPED, now.outside - f->told.outside);
    health_add(h, COUNT_EVENTS_LATE, now.late + now.archival - f->told.late - f->told.archival);
    f->told = now;
}

static void count_list(struct health *h, const struct event_list *list)
{
    health_add(h, COUNT_EVENTS_DROPPED, list->n_dropped + list->n_outside);
    health_add(h, COUNT_CHUNKS_STEP_BACK, list->odd & CHUNK_STEPS_BACK ? 1 : 0);
    health_add(h, COUNT_CHUNKS_ONE_TIME, list->odd & CHUNK_ONE_TIME ? 1 : 0);
    health_add(h, COUNT_CHUNKS_REPEATED_ROWS, list->odd & CHUNK_REPEATED_ROWS ? 1 : 0);
}

/* The particle monitor beside an instrument. */
static double particles_of(const struct intake *in, struct source s, int64_t k_end)
{
    double most = 0;
    for (int i = 0; i < in->n_feed; i++) {
        const struct feed *f = &in->feed[i];
        if (!f->monitor || f->source.realm != s.realm || f->source.mission != s.mission) continue;
        double ratio = feed_particles(f, k_end);
        if (ratio > most) most = ratio;
    }
    return most;
}

/* Now and then, where to read a monitor again from after a restart. False: the daemon is stopping. */
static bool give_point(struct intake *in, struct feed *f)
{
    if (f->monitor->k_end % (POINT_EVERY_STRIDES * STRIDE_BINS) != 0) return true;
    struct work_unit *unit = intake_take_free(in);
    if (!unit) return false;
    unit->kind = WORK_POINT;
    unit->source = f->source;
    feed_window_point(f, f->judged_k, &unit->restart);
    pipeline_give(in->p->units.work, unit);
    return true;
}

/* Windows of a particle monitor go to no network. */
static bool take_monitor(struct intake *in, struct feed *f)
{
    for (;;) {
        bool ready = false;
        struct burst_error e;
        enum burst_err err = lightcurve_next(f->lc, f->monitor, &ready, &e);
        if (err) pipeline_refused(in->p, BAD_EVENTS, err, f->topic, &e);
        if (err || !ready) return true;
        f->judged_k = f->monitor->k_end;
        pipeline_particles_seen(in->p, f->topic, feed_particles_add(f));
        if (!give_point(in, f)) return false;
    }
}

bool take_windows(struct intake *in, struct feed *f)
{
    if (f->monitor) return take_monitor(in, f);
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
        platforms_state_of_window(in->platforms, unit->window);
        unit->window->arrived_mono_ns = in->arrived_mono_ns;
        unit->window->decode_s = (double)(clock_mono_ns() - in->arrived_mono_ns) * 1e-9;
        unit->window->particle_ratio = particles_of(in, f->source, unit->window->k_end);
        f->judged_k = unit->window->k_end;
        feed_window_point(f, f->judged_k, &unit->restart);
        pipeline_give(in->p->units.work, unit);
    }
}

static bool add_step(struct intake *in, struct feed *f, const struct event_packet *packet, int64_t k, int64_t to)
{
    struct burst_error e;
    enum burst_err err;
    while ((err = lightcurve_add(f->lc, packet, k, to, &e)) == BURST_E_FULL)
        if (!take_windows(in, f)) return false;
    if (err) pipeline_refused(in->p, BAD_EVENTS, err, f->topic, &e);
    return take_windows(in, f);
}

bool take_word(struct intake *in, struct feed *f, enum work_kind kind)
{
    if (f->monitor) return true; /* nothing is open in it */
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
    ingest_repeats_forget(in->repeats);
    return true;
}

/* Bins older than the rings go to the archive. *ret_late: there were such. */
static void take_steps(struct intake *in, struct feed *f, const struct event_packet *packet, bool *ret_late)
{
    int64_t to;
    *ret_late = false;
    for (int64_t k = event_packet_next(packet, 0); k != INT64_MAX; k = event_packet_next(packet, to)) {
        int64_t low = f->monitor ? INT64_MIN : lightcurve_low_k(f->lc);
        bool late = k < low;
        to = late && low < k + STEP_BINS ? low : k + STEP_BINS;
        *ret_late = *ret_late || late;
        intake_shed(in);
        if (!(late ? archive_add(in, f, packet, k, to) : add_step(in, f, packet, k, to))) return;
    }
}

void take_events(struct intake *in, struct feed *f, int gateway, const struct stream_item *item)
{
    struct burst_error e;
    struct event_packet packet;
    if (!f->lc) return; /* no light-curve network is configured */
    arena_reset(&in->arena);
    enum burst_err err = ingest_events(f->source, item->body, item->n_body, &f->bands, &in->arena, &packet, &e);
    if (!err) err = intake_check_ahead(f->source.realm, "data end", packet.span.stop_ns, &e);
    ingest_repeats_told(in->repeats, err ? INT64_MIN : packet.span.stop_ns);
    if (err) {
        intake_refuse(in, BAD_EVENTS, f->topic, gateway, item, &e);
        feed_read(f, gateway, item->stream, item->seq, INT64_MIN);
        return;
    }
    if (feed_goes_back(f, gateway, item->stream, packet.span) && !begin_anew(in, f)) return;
    feed_read(f, gateway, item->stream, item->seq, packet.span.stop_ns);
    for (size_t i = 0; i < packet.n_list; i++)
        count_list(in->p->health, &packet.list[i]);
    bool late;
    take_steps(in, f, &packet, &late);
    if (late) feed_hold(f, gateway, item->stream, item->seq);
    feed_gap_end(f);
    feed_count(in, f);
    pipeline_feed_seen(in->p, f->topic, packet.span.stop_ns, true);
}
