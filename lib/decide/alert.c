/* Records of an event. The order is: alert_answer (or _again, _withdraw, _give_up), what the caller knows, alert_told. */
#include "decide/alert.h"
#include "base/clock.h"
#include "decide/compose.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

static const char *const LANE_NAME[LANE_N] = {"The light curves", "The sub-image"};
static const char *const LANE_AWAITED[LANE_N] = {"Its light curves are awaited; false is not said before.",
                                                 "Its sub-image is awaited; false is not said before."};

/* `true` by any is true; `false` needs every lane that is expected to answer. CALL_NONE: none has. */
static enum verdict_call call_together(const struct alert *a)
{
    bool heard = false, unclear = false;
    for (int i = 0; i < LANE_N; i++) {
        const struct lane *l = &a->now.lane[i];
        if (l->heard && l->call == CALL_TRUE) return CALL_TRUE;
        heard = heard || l->heard;
        unclear = unclear || (l->heard ? l->call == CALL_UNCLEAR : l->awaited);
    }
    if (!heard) return CALL_NONE;
    return unclear ? CALL_UNCLEAR : CALL_FALSE;
}

/* Another lane that has answered, and is surer of a burst; -1: none. */
static int lane_surer(const struct alert *a, enum alert_lane lane)
{
    const struct lane *own = &a->now.lane[lane];
    for (int i = 0; i < LANE_N; i++) {
        const struct lane *l = &a->now.lane[i];
        if (i == (int)lane || !l->heard) continue;
        if ((l->call == CALL_TRUE && own->call != CALL_TRUE) || (own->call != CALL_TRUE && l->p > own->p)) return i;
    }
    return -1;
}

static bool waits(const struct alert *a)
{
    for (int i = 0; i < LANE_N; i++)
        if (a->now.lane[i].awaited && !a->now.lane[i].heard) return true;
    return false;
}

static bool all_closed(const struct alert *a)
{
    for (int i = 0; i < LANE_N; i++) {
        const struct lane *l = &a->now.lane[i];
        if (l->heard ? !l->closed : l->awaited) return false;
    }
    return true;
}

static void awaiting_fill(const struct alert *a, struct verdict *v)
{
    const struct lane *image = &a->now.lane[LANE_IMAGE];
    v->await = v->call ? AWAIT_NOTHING : image->awaited ? AWAIT_SUBIMAGE : AWAIT_EVENTS;
    v->expected_ns = v->call ? 0 : a->now.expected_ns;
}

/* The position of a notice with a radius is better than that of a pixel, which is better than one without; an older one is better
 * than none. */
static void position_fill(const struct alert *a, struct verdict *v)
{
    if (isnan(v->ra_deg) && a->now.record_number > 0) {
        v->ra_deg = a->last.ra_deg;
        v->dec_deg = a->last.dec_deg;
    }
    if (isnan(a->ra_deg) || (isnan(a->error_deg) && !isnan(v->ra_deg))) return;
    v->ra_deg = a->ra_deg;
    v->dec_deg = a->dec_deg;
    v->ra_dec_error_deg = a->error_deg;
    v->containment = a->containment;
}

static void record_begin(struct alert *a, struct source source, struct verdict *v)
{
    a->repeat = REPEAT_NOTHING;
    compose_begin(source, v);
    memcpy(v->id, a->id, sizeof v->id);
    v->record_number = a->now.record_number + 1;
    v->type = v->record_number == 1 ? ALERT_INITIAL : ALERT_UPDATE;
    v->state = a->now.state;
    v->tense = a->tense;
    v->trigger_ns = a->trigger_ns;
    v->classification[0] = NAN;
    v->latency_decode_s = v->latency_infer_s = NAN;
    position_fill(a, v);
}

/* Type, state, call and action that follow from what the lanes say together. */
static void outcome_fill(struct alert *a, enum verdict_call call, struct verdict *v)
{
    bool retraction = call == CALL_FALSE && a->now.true_record > 0 && a->now.state != STATE_RETRACTED;
    if (a->now.withdrawn) { /* the mission's word stands; the machine's is told beside it */
        v->machine_call = call;
        v->call = CALL_FALSE;
        v->action = ACTION_CANCEL;
        v->closed = true;
        return;
    }
    if (a->now.state == STATE_RETRACTED && call == CALL_TRUE) call = CALL_UNCLEAR;
    v->call = call;
    if (retraction) v->type = ALERT_RETRACTION;
    if (retraction || a->now.state == STATE_RETRACTED)
        v->state = STATE_RETRACTED;
    else
        v->state = call == CALL_FALSE && all_closed(a) ? STATE_EXPIRED : STATE_OPEN;
    v->closed = v->state != STATE_OPEN || all_closed(a);
}

void alert_answer(struct alert *a, struct source source, enum alert_lane lane, const struct answer *answer,
                  struct verdict *ret_v)
{
    record_begin(a, source, ret_v);
    struct lane *own = &a->now.lane[lane];
    *own = (struct lane){.awaited = own->awaited,
                         .heard = true,
                         .closed = answer->closed,
                         .call = answer->call,
                         .reason = answer->reason,
                         .p = answer->p};
    int surer = lane_surer(a, lane);
    const struct lane *deciding = surer < 0 ? own : &a->now.lane[surer];
    outcome_fill(a, call_together(a), ret_v);
    ret_v->p_true = isnan(deciding->p) ? 0.5 : deciding->p;
    ret_v->reason = deciding->reason;
    if (ret_v->call == CALL_UNCLEAR && deciding->call != CALL_UNCLEAR)
        ret_v->reason = a->now.state == STATE_RETRACTED ? REASON_OTHER : REASON_LOW_CONFIDENCE;
    if (a->now.withdrawn) ret_v->reason = REASON_OTHER;
    ret_v->action = compose_action(ret_v->call, ret_v->reason);
    if (!waits(a)) a->now.expected_ns = 0;
}

/* Which of the sentences it is; negative: none. */
static int sentence_find(const struct verdict *v, const char *sentence)
{
    for (int i = 0; i < v->n_reason; i++)
        if (strcmp(v->reasons[i], sentence) == 0) return i;
    return -1;
}

static void sentence_drop(struct verdict *v, const char *sentence)
{
    int at = sentence_find(v, sentence);
    if (at < 0) return;
    for (v->n_reason--; at < v->n_reason; at++)
        memcpy(v->reasons[at], v->reasons[at + 1], sizeof v->reasons[at]);
    memset(v->reasons[at], 0, sizeof v->reasons[at]);
}

/* "The light curves alone: ...". */
static void sentence_alone(enum alert_lane lane, const struct lane *l, struct verdict *v)
{
    char text[REASON_TEXT];
    (void)snprintf(text, sizeof text, "%s alone: %s, p %.3f.", LANE_NAME[lane], VERDICT_CALL_WORD[l->call],
                   isnan(l->p) ? 0.5 : l->p);
    if (sentence_find(v, text) < 0) compose_sentence(v, "%s", text);
}

/* What may have changed since the last record is said anew by alert_told. */
static void sentences_refresh(const struct alert *a, struct verdict *v)
{
    sentence_drop(v, a->said_told);
    for (int i = 0; i < LANE_N; i++)
        sentence_drop(v, LANE_AWAITED[i]);
}

void alert_again(struct alert *a, struct source source, struct verdict *ret_v)
{
    struct verdict v;
    record_begin(a, source, &v);
    if (a->now.record_number > 0) {
        enum alert_type type = v.type;
        int number = v.record_number;
        source.instrument = a->last.n_evidence ? a->last.source.instrument : source.instrument;
        v = a->last;
        v.source = source;
        v.type = type;
        v.record_number = number;
        v.trigger_refined_ns = a->last.trigger_refined_ns;
        v.latency_since_trigger_s = v.latency_decode_s = v.latency_infer_s = NAN;
        v.arrived_mono_ns = 0;
        sentences_refresh(a, &v);
    }
    *ret_v = v;
}

static void sentences_forget(struct verdict *v)
{
    v->n_reason = 0;
    memset(v->reasons, 0, sizeof v->reasons);
}

void alert_withdraw(struct alert *a, struct source source, const char *why, struct verdict *ret_v)
{
    alert_again(a, source, ret_v);
    bool told_true = a->now.true_record > 0 && a->now.state != STATE_RETRACTED;
    a->now.withdrawn = true;
    a->now.expected_ns = 0;
    ret_v->machine_call = call_together(a);
    ret_v->call = CALL_FALSE;
    ret_v->action = ACTION_CANCEL;
    ret_v->reason = REASON_OTHER;
    ret_v->closed = true;
    if (told_true) ret_v->type = ALERT_RETRACTION;
    ret_v->state = told_true || a->now.state == STATE_RETRACTED ? STATE_RETRACTED : STATE_REJECTED;
    if (isnan(ret_v->p_true)) ret_v->p_true = 0.5; /* which says nothing */
    sentences_forget(ret_v);
    /* Stays the mission's sentence: no later record says false without it. */
    (void)snprintf(a->said, sizeof a->said, "The mission has withdrawn it%s%.120s.", why[0] ? ": " : "", why);
    compose_sentence(ret_v, "%s", a->said);
    if (told_true)
        compose_sentence(ret_v, "Record %d said true; the probability is %.3f now.", a->now.true_record, ret_v->p_true);
}

bool alert_give_up(struct alert *a, struct verdict *ret_v)
{
    char when[CLOCK_UTC_TEXT];
    clock_utc_text(a->now.expected_ns, when);
    struct alert_facts was = a->now;
    for (int i = 0; i < LANE_N; i++)
        if (a->now.lane[i].awaited && !a->now.lane[i].heard) {
            a->now.lane[i].awaited = false;
            a->now.lane[i].given_up = true;
        }
    a->now.expected_ns = 0;
    enum verdict_call call = call_together(a);
    /* Said already: by the lanes that have answered, or when another lane was given up. */
    if (a->now.withdrawn || (call == CALL_NONE ? a->now.call != CALL_NONE : call == a->now.call)) return false;
    alert_again(a, a->last.source, ret_v);
    sentences_forget(ret_v);
    if (call == CALL_NONE) {
        ret_v->p_true = 0.5; /* which says nothing */
        ret_v->reason = REASON_TELEMETRY;
        call = CALL_UNCLEAR;
        compose_sentence(ret_v,
                         was.lane[LANE_IMAGE].awaited ? "No sub-image of this trigger has come by %s."
                                                      : "No events around the trigger time have come by %s.",
                         when);
    } else {
        compose_sentence(ret_v, "%s",
                         was.lane[LANE_IMAGE].heard ? "No events around the trigger time have come."
                                                    : "No sub-image of this trigger has come.");
        for (int i = 0; i < LANE_N; i++)
            if (a->now.lane[i].heard) {
                ret_v->reason = a->now.lane[i].reason;
                sentence_alone((enum alert_lane)i, &a->now.lane[i], ret_v);
            }
    }
    outcome_fill(a, call, ret_v);
    ret_v->action = compose_action(ret_v->call, ret_v->reason);
    return true;
}

static bool is_image(const struct evidence *e)
{
    return strcmp(e->name, "image") == 0;
}

static bool has_evidence(const struct verdict *v, const struct evidence *e)
{
    for (int i = 0; i < v->n_evidence; i++)
        if (strcmp(v->evidence[i].name, e->name) == 0) return true;
    return false;
}

/* Every record carries the full state: the evidence and network of the lane that is silent now stay. */
static void carry_over(const struct alert *a, struct verdict *v)
{
    const struct verdict *last = &a->last;
    bool image = v->n_evidence && is_image(&v->evidence[0]), any = false;
    if (!v->trigger_refined_ns) v->trigger_refined_ns = last->trigger_refined_ns;
    for (int i = 0; i < last->n_evidence && v->n_evidence < EVIDENCE_MAX; i++)
        if (is_image(&last->evidence[i]) != image && !has_evidence(v, &last->evidence[i])) {
            v->evidence[v->n_evidence++] = last->evidence[i];
            any = true;
        }
    for (int i = 0; any && i < last->n_model && v->n_model < MODEL_MAX; i++)
        if (strcmp(last->model[i].sha256, v->model[0].sha256) != 0) v->model[v->n_model++] = last->model[i];
}

static void lanes_sentence(const struct alert *a, struct verdict *v)
{
    bool image = v->n_evidence && is_image(&v->evidence[0]);
    enum alert_lane other = image ? LANE_CURVE : LANE_IMAGE;
    const struct lane *l = &a->now.lane[other];
    if (!v->n_model || !v->call) return;
    if (l->heard)
        sentence_alone(other, l, v);
    else if (l->awaited && sentence_find(v, LANE_AWAITED[other]) < 0)
        compose_sentence(v, "%s", LANE_AWAITED[other]);
}

/* The mission's sentence stands nowhere else: where there is no room for it, the last one makes room. */
static void said_fill(struct alert *a, struct verdict *v)
{
    memcpy(a->said_told, a->said, sizeof a->said_told);
    if (!a->said[0] || sentence_find(v, a->said) >= 0) return;
    if (v->n_reason == REASON_MAX) sentence_drop(v, v->reasons[REASON_MAX - 1]);
    compose_sentence(v, "%s", a->said);
}

void alert_told(struct book *b, struct alert *a, const uint8_t config_sha256[32], struct verdict *v)
{
    lanes_sentence(a, v);
    if (a->now.record_number > 0) carry_over(a, v);
    position_fill(a, v);
    awaiting_fill(a, v);
    said_fill(a, v);
    v->n_related = book_related(b, a, v->related);
    compose_identity(v, config_sha256);
    a->now.record_number = v->record_number;
    a->now.call = v->call;
    a->now.state = v->state;
    if (v->call == CALL_TRUE) a->now.true_record = v->record_number;
    a->last = *v;
    book_touch(b, a);
}

void alert_platform(const struct platform_state *p, struct verdict *v)
{
    struct verdict_platform *to = &v->platform;
    static const enum verdict_saa SAA[] = {
        [SAA_UNKNOWN] = VERDICT_SAA_UNKNOWN, [SAA_OUT] = VERDICT_SAA_OUTSIDE, [SAA_IN] = VERDICT_SAA_INSIDE};
    to->saa = SAA[p->saa];
    if (!p->has_position) return;
    to->lat_deg = p->lat_deg;
    to->lon_deg = p->lon_deg;
    to->alt_km = p->alt_km;
    if (p->l_shell > 0) to->l_shell = p->l_shell;
    if (isnan(v->ra_deg)) return;
    const double place[2] = {v->ra_deg, v->dec_deg};
    to->limb_deg = platform_limb_deg(p, place);
    to->sun_deg = platform_separation_deg(place, p->sun_deg);
    to->moon_deg = platform_separation_deg(place, p->moon_deg);
}
