/* The state machine of protocol.md 6 "When", over one event at a time. */
#include "decide/tracker.h"
#include "base/clock.h"
#include "decide/angular.h"
#include "decide/compose.h"
#include "decide/curve.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* An event's score is the mean logit of its best 4 windows (4.1 s): a burst stays in the 120 s window for a hundred strides,
 * a lucky fluctuation does not, so an event that only one window saw sinks as the next ones come. */
enum { TOP_WINDOWS = 4, MEMBER_LEAST = 3 };
#define HYSTERESIS     0.05              /* a call is left only this far beyond its threshold */
#define PARTICLE_ALIKE 2.302585092994046 /* ln 10: ten times likelier that all detectors see the same */
#define NOISE_SNR      6.0
#define CLEAR_SIGMA                                                                                                    \
    8.0 /* a burst this strong in a detector is recognised in it 98 times of 100 (science.md 0, S/N above 6) */
#define CLEAR_PART        0.3 /* of the best: within some 65 degrees of the source (science.md A.5, angular response) */
#define DISAGREE_PARTICLE 0.8 /* share of particles in what many detectors see and few call a burst */
#define BIN_S             (1e-9 * (double)BIN_NS)

struct event {
    bool held, closed, retracted;
    int64_t positive_k;             /* end of the last window that would have opened an event */
    int64_t revised_k;              /* data time of the last revision */
    int record_number, true_record; /* record that last said true, 0: none */
    enum verdict_call call;
    enum verdict_state state; /* as last told */
    char id[EVENT_ID_TEXT];
    int64_t trigger_ns;
    int n_top;
    double top[TOP_WINDOWS];  /* falling */
    struct window_score best; /* of the highest logit; its window is the tracker's copy */
};

struct tracker {
    struct source source;
    struct decide_settings set;
    const struct instrument_fact *fact;
    int64_t last_k;
    struct event event;
    struct lightcurve_window *window; /* behind event.best */
    bool window_told;
    struct curve *curve;
};

/* Everything a revision needs, measured on the event as it is now. */
struct judged {
    double p;         /* calibrated probability of the event */
    double p_network; /* the same before the tests of all detectors together */
    struct angular angular;
    int n_clear, n_clear_vote; /* detectors that see the excess clearly; of those, how many vote */
    double p_clear;            /* p of the mean logit of the clear ones; 1 where they are too few */
    struct burst_place place;
    bool member[DETECTOR_MAX];
    int n_vote;
};

enum burst_err tracker_new(struct source source, const struct decide_settings *settings, struct tracker **ret_t,
                           struct burst_error *reterr)
{
    const struct instrument_fact *fact = source_fact(source.mission, source.instrument);
    if (!fact || fact->n_detector == 0)
        return burst_fail(reterr, BURST_E_UNSUPPORTED, "%s sends no light curves", fact ? fact->topic : "this source");
    enum burst_err err = decide_settings_check(settings, reterr);
    if (err) return err;
    struct tracker *t = calloc(1, sizeof *t);
    if (!t) return burst_fail(reterr, BURST_E_NOMEM, "no memory for a tracker");
    *t = (struct tracker){.source = source, .set = *settings, .fact = fact, .last_k = INT64_MIN};
    err = window_new(fact->n_detector, &t->window, reterr);
    if (!err) err = curve_new(fact->n_detector, &t->curve, reterr);
    if (err) {
        tracker_free(t);
        return err;
    }
    *ret_t = t;
    return BURST_OK;
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
    return BURST_OK;
}

static int votes(const struct tracker *t, const struct window_score *score)
{
    int n = 0;
    for (int i = 0; i < score->n_score; i++)
        n += score->score[i].p > t->set.open;
    return n;
}

static bool opens(const struct tracker *t, const struct window_score *score)
{
    int need = t->fact->n_open < score->n_score ? t->fact->n_open : score->n_score;
    return need > 0 && votes(t, score) >= need;
}

static void top_add(struct event *e, double logit)
{
    if (e->n_top == TOP_WINDOWS && e->top[TOP_WINDOWS - 1] >= logit) return;
    int at = e->n_top < TOP_WINDOWS ? e->n_top++ : TOP_WINDOWS - 1;
    for (; at > 0 && e->top[at - 1] < logit; at--)
        e->top[at] = e->top[at - 1];
    e->top[at] = logit;
}

static double top_mean(const struct event *e)
{
    double sum = 0;
    for (int i = 0; i < e->n_top; i++)
        sum += e->top[i];
    return sum / e->n_top;
}

static void best_keep(struct tracker *t, const struct window_score *score)
{
    (void)window_copy(score->window, t->window, NULL); /* room for every detector of the search */
    t->event.best = *score;
    t->event.best.window = t->window;
}

/* The detectors whose sum shows the burst: those that vote, else the best three. */
static void members_choose(const struct tracker *t, struct judged *j)
{
    const struct window_score *best = &t->event.best;
    j->n_vote = votes(t, best);
    for (int i = 0; i < best->n_score; i++) {
        int better = 0;
        for (int k = 0; k < best->n_score; k++)
            better += best->score[k].logit > best->score[i].logit;
        j->member[best->score[i].detector] = j->n_vote > 0 ? best->score[i].p > t->set.open : better < MEMBER_LEAST;
    }
}

static struct angular angular_judge(const struct tracker *t, const struct burst_place *place)
{
    const struct window_score *best = &t->event.best;
    double excess[DETECTOR_MAX], sigma[DETECTOR_MAX];
    int n = 0;
    for (int i = 0; i < best->n_score && best->n_score >= ANGULAR_LEAST; i++)
        n += curve_excess(t->curve, best->score[i].detector, place, &excess[n], &sigma[n]);
    return angular_test(excess, sigma, n);
}

/* Detectors that see the excess clearly must agree on its shape. The score is that of the best three detectors of 25, so
 * among many that see a hump some will take it for a burst by chance; a real burst of that strength convinces them all.
 * Clear is also relative to the best: behind the spacecraft a burst is faint, whatever its significance. */
static void agreement_judge(const struct tracker *t, struct judged *j)
{
    const struct window_score *best = &t->event.best;
    double snr[DETECTOR_MAX], most = 0, sum = 0;
    j->p_clear = 1;
    if (best->n_score < ANGULAR_LEAST) return;
    for (int i = 0; i < best->n_score; i++) {
        double excess, sigma;
        bool seen = curve_excess(t->curve, best->score[i].detector, &j->place, &excess, &sigma);
        snr[i] = seen ? excess / sigma : 0;
        most = fmax(most, snr[i]);
    }
    for (int i = 0; i < best->n_score; i++) {
        if (snr[i] < fmax(CLEAR_SIGMA, CLEAR_PART * most)) continue;
        j->n_clear++;
        j->n_clear_vote += best->score[i].p > t->set.open;
        sum += best->score[i].logit;
    }
    if (j->n_clear >= ANGULAR_LEAST) j->p_clear = compose_logistic(sum / j->n_clear / best->model.temperature);
}

static struct judged event_judge(const struct tracker *t)
{
    struct judged j = {.p = 0};
    members_choose(t, &j);
    j.place = curve_locate(t->curve, j.member);
    j.p_clear = 1;
    if (j.place.found) {
        j.angular = angular_judge(t, &j.place);
        agreement_judge(t, &j);
    }
    double logit = top_mean(&t->event) / t->event.best.model.temperature;
    j.p_network = compose_logistic(logit);
    j.p = fmin(compose_logistic(logit - (j.angular.alike > 0 ? j.angular.alike : 0)), j.p_clear);
    return j;
}

/* The call for p, given the call before it (CALL_NONE at opening, where `false` is not for a search to say). */
static enum verdict_call call_of(const struct decide_settings *s, enum verdict_call before, double p)
{
    if (p >= s->high || (before == CALL_TRUE && p >= s->high - HYSTERESIS)) return CALL_TRUE;
    if (before == CALL_NONE) return CALL_UNCLEAR;
    if (p <= s->low || (before == CALL_FALSE && p <= s->low + HYSTERESIS)) return CALL_FALSE;
    return CALL_UNCLEAR;
}

static bool particles(const struct judged *j)
{
    return j->angular.tested && j->angular.alike > PARTICLE_ALIKE;
}

static bool disagree(const struct judged *j)
{
    return j->p_clear < j->p_network && 2 * j->n_clear_vote < j->n_clear;
}

static enum reason_code reason_of(const struct judged *j, enum verdict_call call)
{
    if (call == CALL_TRUE) return REASON_BURST_LIKE;
    if (particles(j) || disagree(j)) return REASON_PARTICLE;
    if (call == CALL_UNCLEAR) return REASON_LOW_CONFIDENCE;
    return j->place.found && j->place.best.snr >= NOISE_SNR ? REASON_OTHER : REASON_NOISE;
}

/* What is not a burst is shared between particles, by the odds of the angular test, and the unknown rest. */
static void classify(const struct judged *j, double ret_classification[CLASS_N])
{
    double particle = j->angular.tested ? compose_logistic(j->angular.alike) : 0.5;
    if (disagree(j)) particle = fmax(particle, DISAGREE_PARTICLE);
    ret_classification[CLASS_GRB] = j->p;
    ret_classification[CLASS_PARTICLE] = (1 - j->p) * particle;
    ret_classification[CLASS_OTHER] = (1 - j->p) * (1 - particle);
}

static void evidence_fill(const struct tracker *t, const struct judged *j, struct verdict *v)
{
    const struct window_score *best = &t->event.best;
    const struct lightcurve_window *w = t->window;
    int row = 0;
    for (int i = 0; i < best->n_score; i++) {
        struct evidence *e = &v->evidence[v->n_evidence++];
        while (w->detector[row] != best->score[i].detector)
            row++; /* scores are in the order of the rows they were made of */
        source_detector_name(t->source.instrument, w->detector[row], e->name);
        e->score = best->score[i].p;
        curve_measure(t->curve, w->detector[row], &j->place, e);
        if (w->incomplete) e->quality |= EVIDENCE_INCOMPLETE;
        if (w->n_valid[row] < WINDOW_BINS) e->quality |= EVIDENCE_SHORT;
        window_row_sha256(w, row, e->input_sha256);
    }
}

static void sentences_fill(const struct tracker *t, const struct judged *j, struct verdict *v)
{
    const struct window_score *best = &t->event.best;
    double t90_s = NAN;
    int top = 0;
    for (int i = 1; i < best->n_score; i++)
        if (best->score[i].logit > best->score[top].logit) top = i;
    if (v->type == ALERT_RETRACTION)
        compose_sentence(v, "Record %d said true; the probability has fallen to %.3f.", t->event.true_record,
                         v->p_true);
    else if (v->call == CALL_UNCLEAR && !particles(j) && !disagree(j))
        compose_sentence(v, "The probability is %.3f; false is at or under %.2f, true at or over %.2f.", v->p_true,
                         t->set.low, t->set.high);
    if (particles(j))
        compose_sentence(v,
                         "All %d detectors rise alike (scatter %.0f %% of the mean): e^%.1f times likelier particles "
                         "than a direction, so that p falls from %.3f to %.3f.",
                         best->n_score, 100 * j->angular.scatter, j->angular.alike, j->p_network, j->p);
    else if (disagree(j))
        compose_sentence(
            v,
            "%d detectors see the excess above %.0f sigma, but only %d of them the shape of a burst: p falls "
            "from %.3f to %.3f.",
            j->n_clear, CLEAR_SIGMA, j->n_clear_vote, j->p_network, j->p);
    compose_sentence(v, "%d of %d detectors vote for a burst (p above %.2f); the best is %s with p %.3f.", j->n_vote,
                     best->n_score, t->set.open, v->evidence[top].name, v->evidence[top].score);
    if (j->place.found) {
        t90_s = v->evidence[top].t90_s;
        compose_sentence(v, isnan(t90_s) ? "S/N %.1f in %.3f s." : "S/N %.1f in %.3f s; T90 %.2f s.", j->place.best.snr,
                         (double)(j->place.best.to - j->place.best.from) * BIN_S, t90_s);
    }
}

static int64_t bin_ns(const struct tracker *t, int64_t k)
{
    return t->window->epoch_ns + k * BIN_NS;
}

/* Onset of the burst, TT; the end of the first window's data where nothing stands out. */
static int64_t onset_ns(const struct tracker *t, const struct judged *j)
{
    int64_t k = curve_first_bin(t->curve) + (int64_t)(j->place.found ? j->place.onset : curve_n_bin(t->curve));
    return bin_ns(t, k);
}

/* Write the next record of the event and remember what it said. */
static void event_tell(struct tracker *t, const struct window_score *score, const struct judged *j,
                       enum verdict_call call, bool closing, struct verdict *ret_v)
{
    struct event *e = &t->event;
    compose_begin(t->source, ret_v);
    (void)memcpy(ret_v->id, e->id, sizeof e->id);
    ret_v->record_number = ++e->record_number;
    bool retraction = call == CALL_FALSE && e->true_record > 0;
    ret_v->type = retraction ? ALERT_RETRACTION : e->record_number == 1 ? ALERT_INITIAL : ALERT_UPDATE;
    ret_v->call = call;
    ret_v->closed = closing || retraction;
    ret_v->state = retraction ? STATE_RETRACTED : closing && call == CALL_FALSE ? STATE_EXPIRED : STATE_OPEN;
    ret_v->p_true = j->p;
    classify(j, ret_v->classification);
    ret_v->reason = reason_of(j, call);
    ret_v->action = compose_action(call, ret_v->reason);
    ret_v->trigger_ns = e->trigger_ns;
    int64_t refined_ns = j->place.found ? onset_ns(t, j) : e->trigger_ns;
    ret_v->trigger_refined_ns = refined_ns != e->trigger_ns ? refined_ns : 0;
    ret_v->window = (struct time_span){bin_ns(t, curve_first_bin(t->curve)), bin_ns(t, t->last_k)};
    ret_v->n_model = 1;
    ret_v->model[0] = e->best.model;
    evidence_fill(t, j, ret_v);
    sentences_fill(t, j, ret_v);
    compose_identity(ret_v, t->set.config_sha256);
    ret_v->latency_decode_s = score ? score->window->decode_s : NAN;
    ret_v->latency_infer_s = score ? score->infer_s : NAN;
    ret_v->arrived_mono_ns = score ? score->window->arrived_mono_ns : 0;
    e->call = call;
    e->state = ret_v->state;
    e->closed = ret_v->closed;
    e->retracted = e->retracted || retraction;
    e->revised_k = t->last_k;
    if (call == CALL_TRUE) e->true_record = e->record_number;
    t->window_told = true;
}

static void event_open(struct tracker *t, const struct window_score *score, struct verdict *ret_v)
{
    char when[CLOCK_ID_TEXT];
    t->event = (struct event){.held = true, .positive_k = t->last_k};
    top_add(&t->event, score->logit);
    best_keep(t, score);
    curve_begin(t->curve, score->window);
    struct judged j = event_judge(t);
    t->event.trigger_ns = onset_ns(t, &j);
    clock_id_text(t->event.trigger_ns, when);
    (void)snprintf(t->event.id, sizeof t->event.id, "%s-%s-%s", t->fact->mission_name, t->fact->instrument_name, when);
    event_tell(t, score, &j, call_of(&t->set, CALL_NONE, j.p), false, ret_v);
}

static void event_close(struct tracker *t, const struct window_score *score, struct verdict *ret_v)
{
    struct judged j = event_judge(t);
    event_tell(t, score, &j, call_of(&t->set, t->event.call, j.p), true, ret_v);
}

/* Take a window into the event; true where that made a revision. */
static bool event_extend(struct tracker *t, const struct window_score *score, bool positive, struct verdict *ret_v)
{
    struct event *e = &t->event;
    double quiet_s = (double)(t->last_k - e->positive_k) * BIN_S;
    top_add(e, score->logit);
    if (score->logit > e->best.logit) best_keep(t, score);
    curve_extend(t->curve, score->window);
    if (positive) e->positive_k = t->last_k;
    if (e->retracted) return false;
    if (!positive && !e->closed && quiet_s >= t->set.quiet_s) {
        event_close(t, score, ret_v);
        return true;
    }
    if (e->closed && !positive) return false;
    e->closed = false;
    if ((double)(t->last_k - e->revised_k) * BIN_S < t->set.revision_gap_s) return false;
    struct judged j = event_judge(t);
    enum verdict_call call = call_of(&t->set, e->call, j.p);
    if (call == e->call && e->state == STATE_OPEN) return false; /* `expired` at a closing: it is open again */
    event_tell(t, score, &j, call, false, ret_v);
    return true;
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

enum burst_err tracker_window(struct tracker *t, const struct window_score *score, struct verdict *ret_verdict,
                              int *ret_n, struct burst_error *reterr)
{
    enum burst_err err = window_check(t, score, reterr);
    if (err) return err;
    struct event *e = &t->event;
    int64_t k_end = score->window->k_end;
    int n = 0;
    /* No later window can come within merge_s of the event's last one: it is over, before this window is looked at. */
    if (e->held && (double)(k_end - WINDOW_BINS - e->positive_k) * BIN_S >= t->set.merge_s) {
        if (!e->closed) event_close(t, NULL, &ret_verdict[n++]);
        e->held = false;
    }
    t->last_k = k_end;
    bool positive = opens(t, score);
    if (e->held)
        n += event_extend(t, score, positive, &ret_verdict[n]);
    else if (positive)
        event_open(t, score, &ret_verdict[n++]);
    *ret_n = n;
    return BURST_OK;
}

void tracker_silence(struct tracker *t, struct verdict *ret_verdict, int *ret_n)
{
    *ret_n = 0;
    if (t->event.held && !t->event.closed) event_close(t, NULL, &ret_verdict[(*ret_n)++]);
}

void tracker_flush(struct tracker *t, struct verdict *ret_verdict, int *ret_n)
{
    tracker_silence(t, ret_verdict, ret_n);
    t->event.held = false;
}
