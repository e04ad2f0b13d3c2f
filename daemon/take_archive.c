/* Data older than the rings (an hours-late downlink): rings and a tracker of their own, searched while the work thread has nothing
 * else to do, so that live data never wait for them (protocol.md 4; docs/decisions, late data). */
#include "base/clock.h"
#include "base/log.h"
#include "daemon/intake.h"
#include "daemon/platforms.h"

enum { BACKLOG_BINS = 56250 }; /* an hour waits in the rings; what is more waits with its gateway */

static enum burst_err archive_open(const struct intake *in, struct feed *f, struct burst_error *reterr)
{
    const struct instrument_fact *fact = source_fact(f->source.mission, f->source.instrument);
    struct lightcurve_settings settings = {.source = f->source,
                                           .bands = f->bands,
                                           .epoch_ns = source_epoch_ns(fact),
                                           .lateness_ns = (int64_t)(in->p->config.lightcurve_lateness_s * 1e9),
                                           .backlog_bins = BACKLOG_BINS,
                                           .score_from_k = INT64_MIN};
    return lightcurve_new(&settings, &f->archive, reterr);
}

/* *ret_given: there was a window. False: the daemon is stopping. */
static bool give_window(struct intake *in, struct feed *f, bool *ret_given)
{
    struct burst_error e;
    struct work_unit *unit = intake_take_free(in);
    *ret_given = false;
    if (!unit) return false;
    enum burst_err err = lightcurve_next(f->archive, unit->window, ret_given, &e);
    if (err) pipeline_refused(in->p, BAD_EVENTS, err, f->topic, &e);
    if (err || !*ret_given) {
        pipeline_give(in->p->units.free_work, unit);
        return true;
    }
    unit->kind = WORK_WINDOW;
    unit->source = f->source;
    unit->archival = true;
    unit->restart.topic[0] = 0; /* points stay before the data until all of them have been searched */
    unit->window->arrived_mono_ns = clock_mono_ns();
    platforms_state_of_window(in->platforms, unit->window);
    pipeline_give(in->p->units.work, unit);
    return true;
}

/* Every window that has closed, whatever else waits. */
static bool give_all(struct intake *in, struct feed *f)
{
    for (bool given = true; given;)
        if (!give_window(in, f, &given)) return false;
    return true;
}

static bool give_word(struct intake *in, struct feed *f, enum work_kind kind)
{
    struct work_unit *unit = intake_take_free(in);
    if (!unit) return false;
    unit->kind = kind;
    unit->source = f->source;
    unit->archival = true;
    unit->restart.topic[0] = 0;
    pipeline_give(in->p->units.work, unit);
    return true;
}

/* What comes now is older than even the archive's rings: search what they hold, and begin anew with it. */
static bool begin_anew(struct intake *in, struct feed *f)
{
    lightcurve_flush(f->archive);
    if (!give_all(in, f) || !give_word(in, f, WORK_ANEW)) return false;
    lightcurve_restart(f->archive);
    return true;
}

static void archive_count(struct intake *in, struct feed *f)
{
    struct lightcurve_counts now = lightcurve_counts(f->archive);
    health_add(in->p->health, COUNT_EVENTS_ARCHIVAL,
               now.events + now.late - f->archive_told.events - f->archive_told.late);
    health_add(in->p->health, COUNT_EVENTS_UNSEARCHED, now.unsearched - f->archive_told.unsearched);
    health_add(in->p->health, COUNT_EVENTS_REPEATED, now.repeated - f->archive_told.repeated);
    health_add(in->p->health, COUNT_EVENTS_DROPPED, now.outside - f->archive_told.outside);
    f->archive_told = now;
}

bool archive_add(struct intake *in, struct feed *f, const struct event_packet *packet, int64_t from_k, int64_t to_k)
{
    struct burst_error e;
    enum burst_err err = f->archive ? BURST_OK : archive_open(in, f, &e);
    if (!f->archive_mono_ns)
        log_line(LOG_LEVEL_NOTICE, "data older than the rings, searched when there is time topic=%s", f->topic);
    /* Full rings: the oldest window makes room for a stride. Not all that wait: there is newer data behind this message. */
    for (bool given = true; !err && (err = lightcurve_add(f->archive, packet, from_k, to_k, &e)) != BURST_OK;) {
        if (err != BURST_E_LATE && (err != BURST_E_FULL || !given)) break;
        in->waited = true;
        if (!(err == BURST_E_FULL ? give_window(in, f, &given) : begin_anew(in, f))) return false;
        err = BURST_OK;
    }
    if (err) pipeline_refused(in->p, BAD_EVENTS, err, f->topic, &e);
    if (f->archive) archive_count(in, f);
    f->archive_mono_ns = clock_mono_ns();
    f->archive_flushed = false;
    return true;
}

/* One window of a feed, or what ends its search. True where it goes on. */
static bool search_one(struct intake *in, struct feed *f)
{
    int64_t silence_ns = (int64_t)(in->p->config.lightcurve_silence_s * 1e9);
    bool given;
    if (!give_window(in, f, &given)) return false;
    if (given) return true;
    if (clock_mono_ns() - f->archive_mono_ns < silence_ns) return false;
    if (!f->archive_flushed) {
        lightcurve_flush(f->archive);
        f->archive_flushed = true;
        return true;
    }
    if (give_word(in, f, WORK_SILENCE)) feed_archive_done(f);
    return false;
}

bool archive_search(struct intake *in)
{
    bool more = false;
    for (int i = 0; i < in->n_feed; i++) {
        struct feed *f = &in->feed[i];
        if (!f->archive_mono_ns || !f->archive) continue;
        if (queue_depth(in->p->units.work)) return true; /* anything else goes first */
        more = search_one(in, f) || more;
    }
    return more;
}
