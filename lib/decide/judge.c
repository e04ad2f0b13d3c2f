/* What the windows of an event say: its probability, what speaks for particles, evidence and sentences. */
#include "base/clock.h"
#include "decide/compose.h"
#include "decide/tracker_inside.h"
#include <math.h>

enum { MEMBER_LEAST = 3 };
#define HYSTERESIS     0.05              /* a call is left only this far beyond its threshold */
#define PARTICLE_ALIKE 2.302585092994046 /* ln 10: ten times likelier that all detectors see the same */
#define NOISE_SNR      6.0
/* A burst this strong in a detector is recognised in it 98 times of 100 (science.md 0, S/N above 6). */
#define CLEAR_SIGMA       8.0
#define CLEAR_PART        0.3 /* of the best: within some 65 degrees of the source (science.md A.5, angular response) */
#define DISAGREE_PARTICLE 0.8 /* share of particles in what many detectors see and few call a burst */
#define LIMB_DEG          5.0 /* the atmosphere scatters bursts from behind it, and occults: no sharp edge */
#define PARTICLE_TIMES    3.0 /* times the median of two minutes: chosen, for no such data are public to measure it on */
#define BIN_S             (1e-9 * (double)BIN_NS)

int tracker_votes(const struct tracker *t, const struct window_score *score)
{
    int n = 0;
    for (int i = 0; i < score->n_score; i++)
        n += score->score[i].p > t->set.open;
    return n;
}

void top_add(double top[TOP_WINDOWS], int *n_top, double logit)
{
    if (*n_top == TOP_WINDOWS && top[TOP_WINDOWS - 1] >= logit) return;
    int at = *n_top < TOP_WINDOWS ? (*n_top)++ : TOP_WINDOWS - 1;
    for (; at > 0 && top[at - 1] < logit; at--)
        top[at] = top[at - 1];
    top[at] = logit;
}

double top_mean(const double *top, int n_top)
{
    double sum = 0;
    for (int i = 0; i < n_top; i++)
        sum += top[i];
    return sum / n_top;
}

/* The detectors whose sum shows the burst: those that vote, else the best three. */
static void members_choose(const struct tracker *t, struct judged *j)
{
    const struct window_score *best = &t->event.best;
    j->n_vote = tracker_votes(t, best);
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
    bool apart = best->n_score >= ANGULAR_LEAST && !t->fact->parallel;
    for (int i = 0; i < best->n_score && apart; i++)
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

struct judged tracker_judge(const struct tracker *t)
{
    struct judged j = {.p = 0};
    members_choose(t, &j);
    j.place = curve_locate(t->curve, j.member);
    j.p_clear = 1;
    if (j.place.found) {
        j.angular = angular_judge(t, &j.place);
        agreement_judge(t, &j);
    }
    double logit = top_mean(t->event.top, t->event.n_top) / t->event.best.model.temperature;
    j.p_network = compose_logistic(logit);
    j.p = fmin(compose_logistic(logit - (j.angular.alike > 0 ? j.angular.alike : 0)), j.p_clear);
    return j;
}

enum verdict_call tracker_call(const struct decide_settings *s, enum verdict_call before, double p, bool triggered)
{
    if (p >= s->high || (before == CALL_TRUE && p >= s->high - HYSTERESIS)) return CALL_TRUE;
    if (before == CALL_NONE && !triggered) return CALL_UNCLEAR;
    if (p <= s->low || (before == CALL_FALSE && p <= s->low + HYSTERESIS)) return CALL_FALSE;
    return CALL_UNCLEAR;
}

static bool particles(const struct judged *j)
{
    return j->angular.tested && j->angular.alike > PARTICLE_ALIKE;
}

/* The satellite's own particle monitor rises. It says what the excess may be, not how likely. */
static bool in_particles(const struct tracker *t)
{
    return t->window->particle_ratio >= PARTICLE_TIMES;
}

static bool disagree(const struct judged *j)
{
    return j->p_clear < j->p_network && 2 * j->n_clear_vote < j->n_clear;
}

/* Is the place the mission gives behind the Earth, or near its edge? */
static bool near_limb(const struct tracker *t, const struct alert *a)
{
    const struct platform_state *p = &t->window->platform;
    if (!p->has_position || isnan(a->ra_deg)) return false;
    return platform_limb_deg(p, (double[2]){a->ra_deg, a->dec_deg}) < LIMB_DEG;
}

enum reason_code tracker_reason(const struct tracker *t, const struct judged *j, const struct alert *a,
                                enum verdict_call call)
{
    if (call == CALL_TRUE) return REASON_BURST_LIKE;
    if (call == CALL_FALSE && t->window->platform.saa == SAA_IN) return REASON_SAA;
    if (particles(j) || disagree(j) || in_particles(t)) return REASON_PARTICLE;
    if (call == CALL_UNCLEAR) return REASON_LOW_CONFIDENCE;
    if (near_limb(t, a)) return REASON_EARTH_LIMB;
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
        e->quality |= w->quality[row] << EVIDENCE_EVENT_SHIFT;
        window_row_sha256(w, row, e->input_sha256);
    }
}

/* What is known of the satellite, where the reason rests on it. */
static void sentence_platform(const struct platform_state *p, const struct verdict *v, struct verdict *to)
{
    if (v->reason == REASON_SAA && p->has_position && p->l_shell > 0)
        compose_sentence(to, "In the South Atlantic anomaly: latitude %.1f, longitude %.1f degrees, L %.2f.",
                         p->lat_deg, p->lon_deg, p->l_shell);
    else if (v->reason == REASON_SAA)
        compose_sentence(to, "In the South Atlantic anomaly.");
    else if (v->reason == REASON_EARTH_LIMB)
        compose_limb(to, v->platform.limb_deg);
}

static void sentences_fill(const struct tracker *t, const struct judged *j, const struct alert *a,
                           enum verdict_call call, struct verdict *v)
{
    const struct window_score *best = &t->event.best;
    double t90_s = NAN;
    int top = 0;
    for (int i = 1; i < best->n_score; i++)
        if (best->score[i].logit > best->score[top].logit) top = i;
    if (v->type == ALERT_RETRACTION)
        compose_sentence(v, "Record %d said true; the probability has fallen to %.3f.", a->now.true_record, v->p_true);
    else if (call == CALL_UNCLEAR && !particles(j) && !disagree(j))
        compose_sentence(v, "The probability is %.3f; false is at or under %.2f, true at or over %.2f.", j->p,
                         t->set.low, t->set.high);
    sentence_platform(&t->window->platform, v, v);
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
    if (in_particles(t) && call != CALL_TRUE)
        compose_sentence(v, "Charged particles rise to %.1f times their usual rate.", t->window->particle_ratio);
    compose_sentence(v, "%d of %d detectors vote for a burst (p above %.2f); the best is %s with p %.3f.", j->n_vote,
                     best->n_score, t->set.open, v->evidence[top].name, v->evidence[top].score);
    if (j->place.found) {
        t90_s = v->evidence[top].t90_s;
        compose_sentence(v, isnan(t90_s) ? "S/N %.1f in %.3f s." : "S/N %.1f in %.3f s; T90 %.2f s.", j->place.best.snr,
                         (double)(j->place.best.to - j->place.best.from) * BIN_S, t90_s);
    }
}

int64_t tracker_onset_ns(const struct tracker *t, const struct judged *j)
{
    int64_t k = curve_first_bin(t->curve) + (int64_t)(j->place.found ? j->place.onset : curve_n_bin(t->curve));
    return t->epoch_ns + k * BIN_NS;
}

/* The onset where it is news: of an event that was not named after it, and only of a burst. */
static int64_t refined_ns(const struct tracker *t, const struct judged *j, const struct alert *a,
                          enum verdict_call call)
{
    if (!j->place.found || (a->triggered && call != CALL_TRUE)) return 0;
    int64_t onset_ns = tracker_onset_ns(t, j);
    return onset_ns != a->trigger_ns ? onset_ns : 0;
}

void tracker_compose(const struct tracker *t, const struct judged *j, const struct alert *a, enum verdict_call call,
                     struct verdict *v)
{
    if (v->p_true < j->p || v->p_true > j->p)
        v->classification[0] = NAN; /* another lane decides: of that probability, no shares are known here */
    else
        classify(j, v->classification);
    v->trigger_refined_ns = refined_ns(t, j, a, call);
    v->window = (struct time_span){t->epoch_ns + curve_first_bin(t->curve) * BIN_NS, t->epoch_ns + t->last_k * BIN_NS};
    v->n_model = 1;
    v->model[0] = t->event.best.model;
    evidence_fill(t, j, v);
    alert_platform(&t->window->platform, v);
    sentences_fill(t, j, a, call, v);
}
