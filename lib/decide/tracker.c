/* The state machine of protocol.md 6 "When", over one event at a time. */
#include "base/clock.h"
#include "decide/tracker_inside.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BIN_S (1e-9 * (double)BIN_NS)

enum burst_err tracker_new(struct source source, const struct decide_settings *settings, struct book *book,
                           struct tracker **ret_t, struct burst_error *reterr)
{
    const struct instrument_fact *fact = source_fact(source.mission, source.instrument);
    if (!fact || fact->n_detector == 0)
        return burst_fail(reterr, BURST_E_UNSUPPORTED, "%s sends no light curves", fact ? fact->topic : "this source");
    enum burst_err err = decide_settings_check(settings, reterr);
    if (err) return err;
    struct tracker *t = calloc(1, sizeof *t);
    if (!t) return burst_fail(reterr, BURST_E_NOMEM, "no memory for a tracker");
    t->source = source;
    t->set = *settings;
    t->book = book;
    t->fact = fact;
    t->epoch_ns = source_epoch_ns(fact);
    t->last_k = INT64_MIN;
    err = window_new(fact->n_detector, &t->window, reterr);
    if (!err) err = curve_new(fact->n_detector, &t->curve, reterr);
    if (err) {
        tracker_free(t);
        return err;
    }
    *ret_t = t;
    return BURST_OK;
}

void tracker_search_archive(struct tracker *t)
{
    t->archival = true;
}

void tracker_free(struct tracker *t)
{
    if (!t) return;
    curve_free(t->curve);
    window_free(t->window);
    free(t);
}

bool tracker_idle(const struct tracker *t)
{
    return !t->event.held;
}

const struct lightcurve_window *tracker_evidence_window(const struct tracker *t)
{
    return t->window_told ? t->window : NULL;
}

enum burst_err tracker_get_state(const struct tracker *t, struct tracker_state *ret_state, struct burst_error *reterr)
{
    if (t->event.held) return burst_fail(reterr, BURST_E_STATE, "event %s is held", t->event.id);
    *ret_state = (struct tracker_state){.k_end = t->last_k};
    return BURST_OK;
}

enum burst_err tracker_set_state(struct tracker *t, const struct tracker_state *state, struct burst_error *reterr)
{
    if (t->event.held) return burst_fail(reterr, BURST_E_STATE, "event %s is held", t->event.id);
    t->last_k = state->k_end;
    t->n_row = 0; /* windows of another pass answer no trigger of this one */
    return BURST_OK;
}

int64_t tracker_bin(const struct tracker *t, int64_t tt_ns)
{
    int64_t since = tt_ns - t->epoch_ns, k = since / BIN_NS;
    return k * BIN_NS > since ? k - 1 : k;
}

static bool opens(const struct tracker *t, const struct window_score *score)
{
    int need = t->fact->n_open < score->n_score ? t->fact->n_open : score->n_score;
    return need > 0 && tracker_votes(t, score) >= need;
}

static void best_keep(struct tracker *t, const struct window_score *score)
{
    (void)window_copy(score->window, t->window, NULL); /* room for every detector of the search */
    t->event.best = *score;
    t->event.best.window = t->window;
}

/* What has been told of the event that is held; NULL where the book has forgotten it, which ends it. */
static struct alert *event_alert(struct tracker *t)
{
    struct alert *a = t->event.held ? book_find(t->book, t->source.mission, t->event.id) : NULL;
    t->event.held = a != NULL;
    return a;
}

/* Nothing more is to be said of the light curves, unless they show more. */
static bool is_done(const struct alert *a)
{
    return a->now.lane[LANE_CURVE].closed || a->now.state == STATE_RETRACTED;
}

/* Write the next record of the event and remember what it said. */
static void event_tell(struct tracker *t, struct alert *a, const struct window_score *score, const struct judged *j,
                       enum verdict_call call, bool closing, struct verdict *ret_v)
{
    struct answer answer = {call, j->p, tracker_reason(t, j, a, call), closing};
    alert_answer(a, t->source, LANE_CURVE, &answer, ret_v);
    tracker_compose(t, j, a, call, ret_v);
    ret_v->latency_decode_s = score ? score->window->decode_s : NAN;
    ret_v->latency_infer_s = score ? score->infer_s : NAN;
    ret_v->arrived_mono_ns = score ? score->window->arrived_mono_ns : 0;
    alert_told(t->book, a, t->set.config_sha256, ret_v);
    a->now.told_k = a->now.revised_k = t->last_k;
    a->repeat = score ? REPEAT_WINDOW : REPEAT_NOTHING;
    t->window_told = true;
}

static void event_close(struct tracker *t, struct alert *a, const struct window_score *score, struct verdict *ret_v)
{
    struct judged j = tracker_judge(t);
    enum verdict_call call = tracker_call(&t->set, a->now.lane[LANE_CURVE].call, j.p, a->triggered);
    event_tell(t, a, score, &j, call, true, ret_v);
}

/* Take a window into the event that is held. */
static void event_grow(struct tracker *t, const struct window_score *score, bool positive)
{
    struct event *e = &t->event;
    top_add(e->top, &e->n_top, score->logit);
    if (score->logit > e->best.logit) best_keep(t, score);
    curve_extend(t->curve, score->window);
    if (positive && t->last_k > e->positive_k) e->positive_k = t->last_k;
}

/* True where the event as it is now makes a revision. */
static bool event_revise(struct tracker *t, struct alert *a, const struct window_score *score, bool positive,
                         struct verdict *ret_v)
{
    struct lane *lane = &a->now.lane[LANE_CURVE];
    double quiet_s = (double)(t->last_k - t->event.positive_k) * BIN_S;
    if (a->now.state == STATE_RETRACTED) return false;
    if (lane->heard && !positive && !lane->closed && quiet_s >= t->set.quiet_s) {
        event_close(t, a, score, ret_v);
        return true;
    }
    if (lane->closed && !positive) return false;
    lane->closed = false;
    bool soon = a->now.revised_k != INT64_MIN && (double)(t->last_k - a->now.revised_k) * BIN_S < t->set.revision_gap_s;
    if (lane->heard && soon) return false;
    struct judged j = tracker_judge(t);
    enum verdict_call call = tracker_call(&t->set, lane->call, j.p, a->triggered);
    if (lane->heard && call == lane->call && a->now.state != STATE_EXPIRED)
        return false; /* `expired`: it is open again */
    event_tell(t, a, score, &j, call, false, ret_v);
    return true;
}

/* event_revise for windows that may have been judged before a restart: they make no record again, but the one that made the last
 * record gives it again, so that its evidence can be made again. */
static bool event_step(struct tracker *t, struct alert *a, const struct window_score *score, bool positive,
                       struct verdict *ret_v)
{
    a->to_ns = t->epoch_ns + t->event.positive_k * BIN_NS;
    if (t->last_k > a->now.told_k) return event_revise(t, a, score, positive, ret_v);
    if (t->last_k < a->now.told_k || a->repeat != REPEAT_WINDOW) return false;
    *ret_v = a->last;
    t->window_told = true;
    return true;
}

static void event_begin(struct tracker *t, const char *id, const struct window_score *score)
{
    t->event = (struct event){.held = true, .positive_k = t->last_k};
    if (id) memcpy(t->event.id, id, sizeof t->event.id);
    top_add(t->event.top, &t->event.n_top, score->logit);
    best_keep(t, score);
    curve_begin(t->curve, score->window);
}

/* A trigger's event begins with the first window that holds it, whatever the votes. */
static bool event_take(struct tracker *t, struct alert *a, const struct window_score *score, bool positive,
                       struct verdict *ret_v)
{
    int64_t useful_k = tracker_bin(t, a->trigger_ns) + USEFUL_TO;
    event_begin(t, a->id, score);
    for (int i = 0; i < a->n_top; i++)
        top_add(t->event.top, &t->event.n_top, a->top[i]);
    if (useful_k > t->event.positive_k) t->event.positive_k = useful_k;
    a->from_ns = t->epoch_ns + curve_first_bin(t->curve) * BIN_NS;
    book_touch(t->book, a);
    return event_step(t, a, score, positive, ret_v);
}

static bool event_open(struct tracker *t, const struct window_score *score, struct verdict *ret_v)
{
    char when[CLOCK_ID_TEXT];
    event_begin(t, NULL, score);
    struct judged j = tracker_judge(t);
    int64_t trigger_ns = tracker_onset_ns(t, &j);
    clock_id_text(trigger_ns, when);
    (void)snprintf(t->event.id, sizeof t->event.id, "%s-%s-%s", t->fact->mission_name, t->fact->instrument_name, when);
    struct alert *a = book_find(t->book, t->source.mission, t->event.id);
    if (!a) {
        a = book_add(t->book, t->source, t->event.id, trigger_ns);
        if (t->archival && t->source.realm == REALM_LIVE) a->tense = TENSE_ARCHIVAL;
    }
    a->from_ns = t->epoch_ns + curve_first_bin(t->curve) * BIN_NS;
    return event_step(t, a, score, true, ret_v);
}

static enum burst_err window_check(const struct tracker *t, const struct window_score *score,
                                   struct burst_error *reterr)
{
    const struct lightcurve_window *w = score->window;
    if (w->source.realm != t->source.realm || w->source.mission != t->source.mission ||
        w->source.instrument != t->source.instrument)
        return burst_fail(reterr, BURST_E_CONFLICT, "a window of another source came to the tracker of %s",
                          t->fact->topic);
    if (w->k_end <= t->last_k)
        return burst_fail(reterr, BURST_E_TIME, "window ending at bin %lld comes after the one ending at %lld",
                          (long long)w->k_end, (long long)t->last_k);
    bool same = w->epoch_ns == t->window->epoch_ns && w->bands.n_atom == t->window->bands.n_atom;
    for (int i = 0; same && i <= w->bands.n_atom; i++)
        same = !(w->bands.edge_kev[i] < t->window->bands.edge_kev[i]) &&
               !(w->bands.edge_kev[i] > t->window->bands.edge_kev[i]);
    if (t->event.held && !same)
        return burst_fail(reterr, BURST_E_CONFLICT, "a window of other energies or epoch than those of event %s",
                          t->event.id);
    return BURST_OK;
}

/* The event that is held is over: its closing revision, if it still owes one. */
static int event_end(struct tracker *t, struct alert *a, struct verdict *ret_v)
{
    bool owes = a && !is_done(a) && a->now.lane[LANE_CURVE].heard && t->last_k >= a->now.told_k;
    if (owes) event_close(t, a, NULL, ret_v);
    t->event.held = false;
    return owes;
}

enum burst_err tracker_window(struct tracker *t, const struct window_score *score, struct verdict *ret_verdict,
                              int *ret_n, struct burst_error *reterr)
{
    enum burst_err err = window_check(t, score, reterr);
    if (err) return err;
    int64_t k_end = score->window->k_end;
    int n = 0;
    struct alert *a = event_alert(t);
    t->epoch_ns = score->window->epoch_ns;
    book_clock(t->book, t->source.mission, t->epoch_ns + k_end * BIN_NS);
    /* No later window can come within merge_s of the event's last one: it is over, before this window is looked at. */
    if (a && (double)(k_end - WINDOW_BINS - t->event.positive_k) * BIN_S >= t->set.merge_s) {
        n += event_end(t, a, &ret_verdict[n]);
        a = NULL;
    }
    t->last_k = k_end;
    t->model = score->model;
    history_add(t, score);
    bool positive = opens(t, score);
    struct alert *due = trigger_due(t, score->window, positive && !a);
    if (due && due != a) {
        if (a) n += event_end(t, a, &ret_verdict[n]);
        n += event_take(t, due, score, positive, &ret_verdict[n]);
    } else if (a) {
        event_grow(t, score, positive);
        n += event_step(t, a, score, positive, &ret_verdict[n]);
    } else if (positive)
        n += event_open(t, score, &ret_verdict[n]);
    *ret_n = n;
    return BURST_OK;
}

void tracker_silence(struct tracker *t, struct verdict *ret_verdict, int *ret_n)
{
    struct alert *a = event_alert(t);
    *ret_n = 0;
    if (!a) return;
    *ret_n = event_end(t, a, ret_verdict);
    t->event.held = true;
}

void tracker_flush(struct tracker *t, struct verdict *ret_verdict, int *ret_n)
{
    tracker_silence(t, ret_verdict, ret_n);
    t->event.held = false;
}
