/* The work thread: scores, verdicts, evidence. It owns the networks, the trackers and the image trackers. */
#include "base/clock.h"
#include "base/log.h"
#include "daemon/explain.h"
#include "daemon/gpu.h"
#include "decide/image.h"
#include "decide/trigger.h"
#include "publish/trace.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { REFUSE_MS = 200, N_TRACKER = FEED_MAX, EXPLAIN_EVERY = 8 };
static const int64_t RESTART_EVERY_NS = CLOCK_NS_PER_S; /* a commit per second at most, even at full replay speed */
/* Explanations still to be made at an end that was asked for get this long; what is left is made after the next start, for its
 * restart point is not kept before it. */
static const int64_t FINISH_NS = 5 * CLOCK_NS_PER_S;
static const int64_t CATCH_UP_NS = 60 * CLOCK_NS_PER_S;

struct track {
    struct source source;
    bool archival; /* for data older than the rings */
    struct tracker *tracker;
    int64_t kept_mono_ns; /* when its restart point was last given away */
};

struct work {
    struct pipeline *p;
    int n_track;
    struct track track[N_TRACKER];
    struct window_score score;
    struct image_score image_score;
    struct explainer *explainer;
    struct window_trace *trace;       /* NULL: none is asked for, or it could not be written */
    int n_since_step;                 /* units judged since the last piece of an explanation */
    struct lightcurve_window *before; /* behind the event that was held before this window */
    int64_t begun_mono_ns;            /* when this thread began */
    bool has_past[REALM_N];           /* the book had events then */
    struct verdict verdict[TRACKER_VERDICTS];
};

/* A tracker that was idle at the restart point goes on from its state. */
static enum burst_err track_resume(const struct pipeline *p, struct track *t, struct burst_error *reterr)
{
    char topic[STREAM_TOPIC_TEXT];
    enum burst_err err = source_topic(t->source, NULL, topic, sizeof topic);
    for (int i = 0; !err && i < p->n_restart; i++)
        if (strcmp(p->restart[i].topic, topic) == 0)
            err = tracker_set_state(t->tracker, &p->restart[i].tracker, reterr);
    return err;
}

/* The archive's tracker has no state to go on from: what was not searched to its end is read again. */
static enum burst_err track_open(struct work *w, struct source source, bool archival, struct burst_error *reterr)
{
    struct track *t = &w->track[w->n_track];
    if (w->n_track == N_TRACKER) return burst_fail(reterr, BURST_E_LIMIT, "more than %d trackers", N_TRACKER);
    t->source = source;
    t->archival = archival;
    enum burst_err err = tracker_new(source, &w->p->science.decide, &w->p->book[source.realm], &t->tracker, reterr);
    if (err) return err;
    w->n_track++;
    if (!archival) return track_resume(w->p, t, reterr);
    tracker_search_archive(t->tracker);
    return BURST_OK;
}

static enum burst_err tracks_open(struct work *w, struct burst_error *reterr)
{
    size_t n_fact;
    const struct instrument_fact *facts = source_facts(&n_fact);
    enum burst_err err = BURST_OK;
    for (int realm = 0; !err && realm < REALM_N; realm++)
        for (size_t i = 0; !err && i < n_fact; i++) {
            if (!facts[i].n_open) continue;
            struct source source = {(enum burst_realm)realm, facts[i].mission, facts[i].instrument};
            err = track_open(w, source, false, reterr);
            if (!err) err = track_open(w, source, true, reterr);
        }
    return err;
}

static void work_close(struct work *w)
{
    for (int i = 0; i < w->n_track; i++)
        tracker_free(w->track[i].tracker);
    explainer_free(w->explainer);
    window_trace_close(w->trace);
    window_free(w->before);
    free(w);
}

static struct track *track_of(struct work *w, struct source s, bool archival)
{
    for (int i = 0; i < w->n_track; i++) {
        struct source t = w->track[i].source;
        if (t.realm == s.realm && t.mission == s.mission && t.instrument == s.instrument &&
            w->track[i].archival == archival)
            return &w->track[i];
    }
    return NULL;
}

/* Waits as long as it takes: the publish thread drains until this one has ended, so a verdict is never given up here. */
static struct publish_unit *take_publish(struct work *w)
{
    return pipeline_take_free(w->p, w->p->units.free_publish, THREAD_WORK, NULL);
}

/* With the record goes what the book holds of its event: both are kept in one commit. */
static void attach_alert(struct work *w, const struct verdict *v, struct publish_unit *unit)
{
    struct book *b = &w->p->book[v->source.realm];
    const struct alert *a = book_find(b, v->source.mission, v->id);
    unit->realm = v->source.realm;
    unit->slot = a ? (int)(a - b->alert) : -1;
    if (!a) return;
    unit->alert = *a;
    (void)book_take_dirty(b, unit->slot);
}

static void tell(struct work *w, struct verdict *v, int64_t arrived_mono_ns, double decode_s, double infer_s)
{
    struct publish_unit *unit = take_publish(w);
    v->arrived_mono_ns = arrived_mono_ns;
    v->latency_decode_s = decode_s;
    v->latency_infer_s = infer_s;
    /* How long after the burst: a figure only where the data are of now. */
    v->latency_since_trigger_s =
        v->tense == TENSE_ARCHIVAL ? (double)NAN : (double)(clock_tt_now_ns() - v->trigger_ns) * 1e-9;
    unit->kind = PUBLISH_VERDICT;
    unit->verdict = *v;
    attach_alert(w, v, unit);
    pipeline_give(w->p->units.publish, unit);
}

/* What has changed in a book without a record. */
static void keep_book(struct work *w, enum burst_realm realm)
{
    struct book *b = &w->p->book[realm];
    for (int slot = 0; slot < BOOK_ALERTS; slot++) {
        if (!book_take_dirty(b, slot)) continue;
        struct publish_unit *unit = take_publish(w);
        unit->kind = PUBLISH_ALERT;
        unit->realm = realm;
        unit->slot = slot;
        unit->alert = b->alert[slot];
        pipeline_give(w->p->units.publish, unit);
    }
    if (!b->sightings_dirty) return;
    struct publish_unit *unit = take_publish(w);
    b->sightings_dirty = false;
    unit->kind = PUBLISH_SIGHTINGS;
    unit->realm = realm;
    memcpy(unit->sighting, b->sighting, sizeof unit->sighting);
    pipeline_give(w->p->units.publish, unit);
}

static void keep_restart(struct work *w, struct track *t, const struct restart_point *point)
{
    int64_t now = clock_mono_ns();
    struct burst_error e;
    if (!point->topic[0] || !tracker_idle(t->tracker) || now - t->kept_mono_ns < RESTART_EVERY_NS) return;
    if (explainer_waits(w->explainer)) return; /* evidence that is not told yet must be made again after a crash */
    struct publish_unit *unit = take_publish(w);
    unit->kind = PUBLISH_RESTART;
    unit->restart = *point;
    if (tracker_get_state(t->tracker, &unit->restart.tracker, &e)) {
        pipeline_give(w->p->units.free_publish, unit);
        return;
    }
    t->kept_mono_ns = now;
    pipeline_give(w->p->units.publish, unit);
}

static enum burst_err open_trace(struct work *w, struct burst_error *reterr)
{
    char path[CONFIG_TEXT + 4096];
    const char *configured = w->p->config.lightcurve_trace;
    if (!configured[0]) return BURST_OK;
    enum burst_err err = config_data_path(configured, path, sizeof path, reterr);
    return err ? err : window_trace_open(path, &w->trace, reterr);
}

/* A trace that cannot be written ends; judging goes on. */
static void trace_window(struct work *w, const struct lightcurve_window *window)
{
    struct burst_error e;
    if (!w->trace || window_trace_add(w->trace, window, &e) == BURST_OK) return;
    log_line(LOG_LEVEL_ERROR, "trace of windows ended, going on what=\"%s\"", e.text);
    window_trace_close(w->trace);
    w->trace = NULL;
}

static void work_window(struct work *w, const struct work_unit *unit)
{
    struct burst_error e;
    struct track *t = track_of(w, unit->source, unit->archival);
    const struct lightcurve_window *held = tracker_idle(t->tracker) ? NULL : tracker_evidence_window(t->tracker);
    int n = 0;
    if (!unit->archival)
        trace_window(w, unit->window); /* what comes hours late is searched in the order it happens to come */
    if (held) (void)window_copy(held, w->before, NULL); /* room for every detector there is */
    enum burst_err err = unit->archival ? infer_window_background(w->p->science.infer, unit->window, &w->score, &e)
                                        : infer_window(w->p->science.infer, unit->window, &w->score, &e);
    if (!err) err = tracker_window(t->tracker, &w->score, w->verdict, &n, &e);
    if (err) {
        pipeline_refused(w->p, BAD_INFER, err, unit->restart.topic, &e);
        return;
    }
    health_add(w->p->health, COUNT_WINDOWS, 1);
    health_add(w->p->health, COUNT_WINDOWS_DETECTORS, (uint64_t)w->score.n_score);
    for (int i = 0; i < n; i++)
        tell(w, &w->verdict[i], unit->window->arrived_mono_ns, unit->window->decode_s, w->score.infer_s);
    const struct lightcurve_window *behind = tracker_evidence_window(t->tracker);
    for (int i = 0; i < n; i++) /* the first of two closes the event before */
        explainer_window(w->explainer, &w->verdict[i], i + 1 < n ? w->before : behind);
    keep_restart(w, t, &unit->restart);
}

static void tell_closing(struct work *w, struct track *t)
{
    const struct lightcurve_window *behind = tracker_evidence_window(t->tracker);
    int n = 0;
    tracker_silence(t->tracker, w->verdict, &n);
    for (int i = 0; i < n; i++) {
        tell(w, &w->verdict[i], clock_mono_ns(), (double)NAN, (double)NAN);
        if (behind) explainer_window(w->explainer, &w->verdict[i], behind);
    }
}

/* The closing revision is told; the event is held, for the data may go on where they stopped. */
static void work_silence(struct work *w, const struct work_unit *unit)
{
    struct track *t = track_of(w, unit->source, unit->archival);
    tell_closing(w, t);
    t->kept_mono_ns = 0; /* nothing more comes for now: this point is the one to keep */
    keep_restart(w, t, &unit->restart);
}

static void work_anew(struct work *w, const struct work_unit *unit)
{
    struct track *t = track_of(w, unit->source, unit->archival);
    const struct tracker_state nothing = {INT64_MIN};
    struct burst_error e;
    int n = 0;
    tell_closing(w, t);
    tracker_flush(t->tracker, w->verdict, &n); /* n is 0: it is closed; what is left is to forget it */
    if (tracker_set_state(t->tracker, &nothing, &e)) health_fatal(w->p->health, &e);
}

/* A good sub-image gets a verdict whatever happens here: where the network fails, "unclear" and why. */
static enum burst_err judge_image(struct work *w, const struct work_unit *unit, struct burst_error *reterr)
{
    struct infer *infer = w->p->science.infer;
    struct book *book = &w->p->book[unit->source.realm];
    const struct infer_model *model = infer_image_model(infer);
    struct burst_error why;
    enum burst_err err = infer_image(infer, &unit->image, &w->image_score, &why);
    if (!err) return image_decide(book, &w->p->science.decide, &w->image_score, NULL, &w->verdict[0], reterr);
    if (!model) return burst_fail(reterr, err, "%s", why.text);
    pipeline_refused(w->p, BAD_INFER, err, unit->restart.topic, &why);
    w->image_score.infer_s = (double)NAN;
    return image_decide_failed(book, &w->p->science.decide, &unit->image, &model->tag, &why, &w->verdict[0], reterr);
}

/* What ingest could not see, because it remembers nothing of before a restart, is told here in the same words. */
static void refuse_image(struct work *w, const struct work_unit *unit, const struct burst_error *e)
{
    bool sender = e->code == BURST_E_LATE || e->code == BURST_E_CONFLICT;
    if (e->code == BURST_E_DUPLICATE) {
        health_add(w->p->health, COUNT_DUPLICATES, 1);
        return;
    }
    if (e->code == BURST_E_CONFLICT) pipeline_alarm_image(unit->restart.topic, e);
    pipeline_refused(w->p, sender ? BAD_SUBIMAGE : BAD_INFER, e->code, unit->restart.topic, e);
}

/* The unit is kept until the image is explained. */
static void work_image(struct work *w, struct work_unit *unit)
{
    struct burst_error e;
    enum burst_err err = judge_image(w, unit, &e);
    if (err) {
        refuse_image(w, unit, &e);
        pipeline_give(w->p->units.free_work, unit);
        return;
    }
    health_add(w->p->health, COUNT_IMAGES, 1);
    tell(w, &w->verdict[0], unit->image.arrived_mono_ns, unit->image.decode_s, w->image_score.infer_s);
    explainer_image(w->explainer, &w->verdict[0], unit);
}

static void work_point(struct work *w, const struct work_unit *unit)
{
    struct publish_unit *point = take_publish(w);
    point->kind = PUBLISH_RESTART;
    point->restart = unit->restart;
    pipeline_give(w->p->units.publish, point);
}

static void work_notice(struct work *w, const struct work_unit *unit)
{
    struct burst_error e;
    bool told = false;
    struct track *t = track_of(w, unit->source, unit->archival);
    enum burst_err err = trigger_notice(&w->p->book[unit->source.realm], &w->p->science.decide, t ? t->tracker : NULL,
                                        &unit->notice, &w->verdict[0], &told, &e);
    if (err) pipeline_refused(w->p, BAD_TRIGGER, err, unit->restart.topic, &e);
    if (!err) health_add(w->p->health, COUNT_NOTICES, 1);
    if (told) tell(w, &w->verdict[0], unit->arrived_mono_ns, unit->decode_s, (double)NAN);
    keep_book(w, unit->source.realm);
    work_point(w, unit);
}

/* What an event waited for may have come while we were down: it lies in history, and gets this long to be read before anyone is told
 * that it did not come. */
static bool reads_the_past(const struct work *w, int realm)
{
    return realm != REALM_ARCHIVE && w->has_past[realm] && clock_mono_ns() - w->begun_mono_ns < CATCH_UP_NS;
}

/* What has not come by its time: the clock of the live sky is the host's, that of an archive its own data's. */
static void work_tick(struct work *w)
{
    for (int realm = 0; realm < REALM_N; realm++) {
        int64_t now_ns = realm == REALM_ARCHIVE ? INT64_MIN : clock_tt_now_ns();
        while (!reads_the_past(w, realm) &&
               trigger_tick(&w->p->book[realm], &w->p->science.decide, now_ns, &w->verdict[0]))
            tell(w, &w->verdict[0], clock_mono_ns(), (double)NAN, (double)NAN);
        keep_book(w, (enum burst_realm)realm);
    }
}

static void work_unit_done(struct work *w, struct work_unit *unit)
{
    switch (unit->kind) {
    case WORK_WINDOW: work_window(w, unit); break;
    case WORK_SILENCE: work_silence(w, unit); break;
    case WORK_ANEW: work_anew(w, unit); break;
    case WORK_IMAGE: work_image(w, unit); return;
    case WORK_NOTICE: work_notice(w, unit); break;
    case WORK_POINT: work_point(w, unit); break;
    }
    pipeline_give(w->p->units.free_work, unit);
}

/* A piece of an explanation, where the queue is empty or has not been for long. False: there was none to do. */
static bool explain(struct work *w)
{
    w->n_since_step = 0;
    return explainer_step(w->explainer);
}

/* Until the queue is closed and empty: units first, explanations while none waits. */
static void work_loop(struct work *w)
{
    int64_t closed_ns = 0, gpu_told_ns = 0;
    int wait_ms = 0;
    bool busy = false;
    for (void *unit;;) {
        health_progress(w->p->health, THREAD_WORK);
        enum burst_err got = queue_take(w->p->units.work, &unit, busy ? 0 : wait_ms);
        if (!got) work_unit_done(w, unit);
        work_tick(w);
        wait_ms = gpu_keep(w->p, &gpu_told_ns);
        if (got || ++w->n_since_step >= EXPLAIN_EVERY)
            busy = explain(w) || !got;
        else
            busy = true; /* after a unit, look for the next one first */
        if (got != BURST_E_STATE) continue;
        if (!closed_ns) closed_ns = clock_mono_ns();
        if (!busy || clock_mono_ns() - closed_ns > FINISH_NS) return;
    }
}

/* Nothing can be judged: main ends the process, and nobody may wait for this thread. */
static void refuse_loop(struct pipeline *p)
{
    for (void *unit;;) {
        health_progress(p->health, THREAD_WORK);
        enum burst_err got = queue_take(p->units.work, &unit, REFUSE_MS);
        if (got == BURST_E_STATE) return;
        if (!got) pipeline_give(p->units.free_work, unit);
    }
}

static void work_begin(struct work *w, struct pipeline *p)
{
    w->p = p;
    w->begun_mono_ns = clock_mono_ns();
    for (int realm = 0; realm < REALM_N; realm++)
        w->has_past[realm] = p->book[realm].n_used > 0;
}

void *work_thread(void *arg)
{
    struct pipeline *p = arg;
    struct burst_error e;
    struct work *w = calloc(1, sizeof *w);
    if (w) work_begin(w, p);
    enum burst_err err = w ? tracks_open(w, &e) : burst_fail(&e, BURST_E_NOMEM, "no memory for the work thread");
    if (!err) err = window_new(DETECTOR_MAX, &w->before, &e);
    if (!err) err = explainer_new(p, &w->explainer, &e);
    if (!err) err = open_trace(w, &e);
    if (err) {
        health_fatal(p->health, &e);
        refuse_loop(p);
    } else
        work_loop(w);
    if (w) work_close(w);
    queue_close(p->units.publish);
    return NULL;
}
