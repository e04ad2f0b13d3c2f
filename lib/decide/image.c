/* The class table of protocol.md 6 for sub-images. */
#include "decide/image.h"
#include "decide/compose.h"
#include "kernels/stripes.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A catalogued source this near is the one the on-board software subtracted: science.md B.3 puts bad subtractions within 3 px
 * of the trigger; the point-spread function is 4 px wide at half maximum. */
#define KNOWN_PX 3.0

/* Stripes of hot or dead detector columns. In 400 images of burst-sim (seed 7) both bounds are passed by 20 of 20 of that
 * family and by 4 of the 143 other false ones. The trigger's own 9 x 9 pixels are left out. */
#define STRIPES_LEAST 22.0
#define STRIPES_RATIO 4.0
enum { CENTRE_REACH = 4 };

static bool is_near(const struct image_sample *s)
{
    return s->nearest_px >= 0 && s->nearest_px <= KNOWN_PX;
}

static bool is_moon(const struct image_sample *s)
{
    return is_near(s) && strcmp(s->nearest_name, "Moon") == 0;
}

static bool is_striped(const struct image_sample *s)
{
    uint8_t use[IMAGE_SIDE][IMAGE_SIDE];
    struct stripes found;
    for (int z = 0; z < IMAGE_SIDE; z++)
        for (int y = 0; y < IMAGE_SIDE; y++) {
            bool centre = abs(z - IMAGE_CENTRE) <= CENTRE_REACH && abs(y - IMAGE_CENTRE) <= CENTRE_REACH;
            use[z][y] = s->mask[z][y] != MASK_IGNORE && !centre;
        }
    if (!stripes_measure(&s->snr[0][0], &use[0][0], IMAGE_SIDE, &found)) return false;
    double most = fmax(found.along_rows, found.along_columns), least = fmin(found.along_rows, found.along_columns);
    return most >= STRIPES_LEAST && most >= STRIPES_RATIO * least;
}

/* Later alerts revise earlier ones; of one alert, the X-band copy (all data) revises the VHF one. */
static int rank_of(const struct subimage_packet *p)
{
    return 2 * p->alert_count + (strcmp(p->data_stream, "XBAND") == 0);
}

static struct image_event *event_find(struct image_tracker *t, const char *burst_id)
{
    for (int i = 0; i < IMAGE_EVENTS_MAX; i++)
        if (t->event[i].record_number > 0 && strcmp(t->event[i].burst_id, burst_id) == 0) return &t->event[i];
    return NULL;
}

static struct image_event *event_oldest(struct image_tracker *t)
{
    struct image_event *oldest = &t->event[0];
    for (int i = 1; i < IMAGE_EVENTS_MAX; i++)
        if (t->event[i].used < oldest->used) oldest = &t->event[i];
    return oldest;
}

/* Flags that forbid a call, whatever the network answers: docs/decisions/0008. */
#define FORBIDS (IMAGE_TRIGGER_NO_DATA | IMAGE_SPARSE | IMAGE_NO_WCS | IMAGE_SWAPPED | IMAGE_NO_NOISE | IMAGE_OFF_AXIS)

static enum verdict_call call_of(const struct decide_settings *s, const struct image_score *score)
{
    if (score->sample->flags & FORBIDS) return CALL_UNCLEAR;
    if (score->p >= s->high) return is_moon(score->sample) ? CALL_UNCLEAR : CALL_TRUE;
    return score->p <= s->low ? CALL_FALSE : CALL_UNCLEAR;
}

static enum reason_code reason_of(const struct image_score *score, enum verdict_call call, bool retracted)
{
    const struct image_sample *s = score->sample;
    if (s->flags & (IMAGE_TRIGGER_NO_DATA | IMAGE_SPARSE)) return REASON_PARTIAL_IMAGE;
    if (s->flags & (IMAGE_SWAPPED | IMAGE_NO_NOISE)) return REASON_OUT_OF_DISTRIBUTION;
    if (s->flags & (IMAGE_NO_WCS | IMAGE_OFF_AXIS)) return REASON_OTHER;
    if (call == CALL_TRUE) return is_near(s) ? REASON_KNOWN_SOURCE : REASON_POINT_SOURCE;
    if (call == CALL_UNCLEAR) return retracted || is_moon(s) ? REASON_OTHER : REASON_LOW_CONFIDENCE;
    if (is_moon(s)) return REASON_MOON;
    if (is_near(s)) return REASON_BAD_SUBTRACTION;
    return is_striped(s) ? REASON_COLUMN_EFFECT : REASON_NOISE;
}

/* What is no celestial source was made by the instrument or its software: that is what the network learnt as false. */
static void classify(const struct image_score *score, double ret_classification[CLASS_N])
{
    ret_classification[is_near(score->sample) ? CLASS_KNOWN_SOURCE : CLASS_GRB] = score->p;
    ret_classification[CLASS_INSTRUMENTAL] = 1 - score->p;
}

static unsigned quality_of(const struct image_sample *s)
{
    static const struct {
        enum image_flag flag;
        enum evidence_flag word;
    } SAME[] = {{IMAGE_PARTIAL, EVIDENCE_PARTIAL},   {IMAGE_TRIGGER_NO_DATA, EVIDENCE_TRIGGER_NO_DATA},
                {IMAGE_NO_WCS, EVIDENCE_NO_WCS},     {IMAGE_SWAPPED, EVIDENCE_SWAPPED},
                {IMAGE_NO_NOISE, EVIDENCE_NO_NOISE}, {IMAGE_GEOCENTRIC, EVIDENCE_GEOCENTRIC},
                {IMAGE_OFF_AXIS, EVIDENCE_OFF_AXIS}};
    unsigned quality = 0;
    for (size_t i = 0; i < sizeof SAME / sizeof SAME[0]; i++)
        if (s->flags & SAME[i].flag) quality |= SAME[i].word;
    return quality;
}

static void evidence_fill(const struct image_sample *s, double p, struct verdict *v)
{
    struct evidence *e = &v->evidence[v->n_evidence++];
    bool no_data = s->flags & IMAGE_TRIGGER_NO_DATA;
    (void)snprintf(e->name, sizeof e->name, "image");
    e->score = p;
    e->snr = no_data ? NAN : (double)s->snr[IMAGE_CENTRE][IMAGE_CENTRE];
    e->t90_s = e->peak_rate_hz = e->hardness = NAN;
    e->quality = quality_of(s);
    (void)memcpy(e->input_sha256, s->packet->sha256, sizeof e->input_sha256);
}

static int count_data(const struct image_sample *s)
{
    int n = 0;
    for (int i = 0; i < IMAGE_SIDE * IMAGE_SIDE; i++)
        n += s->mask[i / IMAGE_SIDE][i % IMAGE_SIDE] != MASK_IGNORE;
    return n;
}

/* Why no call is made, one sentence for each flag that forbids it. */
static void sentences_forbid(const struct image_score *score, struct verdict *v)
{
    const struct image_sample *s = score->sample;
    if (s->flags & IMAGE_TRIGGER_NO_DATA)
        compose_sentence(v, "No data came for the trigger pixel; %d pixels of the frame are missing.", s->n_missing);
    else if (s->flags & IMAGE_SPARSE)
        compose_sentence(v, "Only %d of %d pixels have data: too few for a call; the network says %.3f.", count_data(s),
                         IMAGE_SIDE * IMAGE_SIDE, score->p);
    if (s->flags & IMAGE_SWAPPED)
        compose_sentence(v, "The pixels came with their bytes in the wrong order; turned round, the network says %.3f.",
                         score->p);
    if (s->flags & IMAGE_NO_NOISE) compose_sentence(v, "The pixels hardly differ from one another: no sky looks so.");
    if (s->flags & IMAGE_NO_WCS)
        compose_sentence(v, "No position, and known sources are not in the mask (%s); the network says %.3f.",
                         s->packet->wcs_fault, score->p);
    if (s->flags & IMAGE_OFF_AXIS)
        compose_sentence(v,
                         "The sky coordinates look %.1f degrees away from where the attitude says the camera looked.",
                         platform_separation_deg(s->platform.axis_deg, s->packet->wcs.crval_deg));
}

static void sentence_call(const struct decide_settings *set, const struct image_event *e,
                          const struct image_score *score, struct verdict *v)
{
    if (v->type == ALERT_RETRACTION)
        compose_sentence(v, "An earlier record said true; this sub-image has p %.3f.", score->p);
    else if (score->sample->flags & FORBIDS)
        sentences_forbid(score, v);
    else if (v->call == CALL_UNCLEAR && e->retracted)
        compose_sentence(v, "The alert was retracted, but this sub-image has p %.3f: a person must decide.", score->p);
    else if (v->call == CALL_UNCLEAR)
        compose_sentence(v, "The probability is %.3f; false is at or under %.2f, true at or over %.2f.", score->p,
                         set->low, set->high);
    else
        compose_sentence(v, "S/N %.1f at the trigger pixel; the probability of a real source is %.3f.",
                         v->evidence[0].snr, score->p);
}

static void sentences_fill(const struct image_score *score, const struct image_explanation *x, struct verdict *v)
{
    const struct image_sample *s = score->sample;
    if (is_near(s)) compose_sentence(v, "%s lies %.1f pixels from the trigger.", s->nearest_name, s->nearest_px);
    if (!x) return;
    if (x->p_without_sources >= 0)
        compose_sentence(v, "Without the 5 x 5 pixels at the trigger p is %.3f, without the known sources %.3f.",
                         x->p_without_centre, x->p_without_sources);
    else
        compose_sentence(v, "Without the 5 x 5 pixels at the trigger p is %.3f.", x->p_without_centre);
}

static enum verdict_state state_of(const struct image_event *e, enum verdict_call call)
{
    if (e->retracted) return STATE_RETRACTED;
    return call == CALL_FALSE ? STATE_EXPIRED : STATE_OPEN;
}

/* What a record says of the event and the image, whatever the networks answered. */
static void event_begin(struct image_event *e, const struct image_sample *s, const struct model_tag *model,
                        struct verdict *ret_v)
{
    compose_begin(s->packet->source, ret_v);
    (void)snprintf(ret_v->id, sizeof ret_v->id, "%s", e->burst_id);
    ret_v->record_number = ++e->record_number;
    ret_v->type = e->record_number == 1 ? ALERT_INITIAL : ALERT_UPDATE;
    ret_v->trigger_ns = e->trigger_ns;
    ret_v->window = s->packet->span;
    ret_v->ra_deg = s->ra_deg;
    ret_v->dec_deg = s->dec_deg;
    ret_v->n_model = 1;
    ret_v->model[0] = *model;
    ret_v->latency_decode_s = s->decode_s;
    ret_v->arrived_mono_ns = s->arrived_mono_ns;
}

static void event_call(struct image_event *e, enum verdict_call call, enum reason_code reason, struct verdict *v)
{
    v->call = call;
    v->state = state_of(e, call);
    v->closed = v->state != STATE_OPEN;
    v->reason = reason;
    v->action = compose_action(call, reason);
}

static void event_tell(struct image_event *e, const struct decide_settings *set, const struct image_score *score,
                       const struct image_explanation *explanation, struct verdict *ret_v)
{
    enum verdict_call call = call_of(set, score);
    bool retraction = call == CALL_FALSE && e->said_true && !e->retracted;
    if (e->retracted && call == CALL_TRUE) call = CALL_UNCLEAR;
    e->retracted = e->retracted || retraction;
    e->said_true = e->said_true || call == CALL_TRUE;
    event_begin(e, score->sample, &score->model, ret_v);
    if (retraction) ret_v->type = ALERT_RETRACTION;
    event_call(e, call, reason_of(score, call, e->retracted), ret_v);
    ret_v->p_true = score->p;
    classify(score, ret_v->classification);
    evidence_fill(score->sample, score->p, ret_v);
    sentence_call(set, e, score, ret_v);
    sentences_fill(score, explanation, ret_v);
    compose_identity(ret_v, score->sample->config_sha256);
    ret_v->latency_infer_s = score->infer_s;
}

/* The event this sub-image belongs to, made where it is new. */
static enum burst_err event_take(struct image_tracker *t, const struct subimage_packet *p, struct image_event **ret_e,
                                 struct burst_error *reterr)
{
    struct image_event *e = event_find(t, p->burst_id);
    int rank = rank_of(p);
    if (e && rank <= e->rank)
        return burst_fail(reterr, BURST_E_LATE, "alert %d (%s) of %s comes after record %d, which judged a later one",
                          p->alert_count, p->data_stream, p->burst_id, e->record_number);
    if (!e) {
        e = event_oldest(t);
        *e = (struct image_event){.trigger_ns = p->span.start_ns};
        (void)memcpy(e->burst_id, p->burst_id, sizeof e->burst_id);
    }
    e->rank = rank;
    e->used = ++t->n_used;
    *ret_e = e;
    return BURST_OK;
}

enum burst_err image_decide(struct image_tracker *t, const struct decide_settings *settings,
                            const struct image_score *score, const struct image_explanation *explanation,
                            struct verdict *ret_verdict, struct burst_error *reterr)
{
    struct image_event *e = NULL;
    enum burst_err err = decide_settings_check(settings, reterr);
    if (!err) err = event_take(t, score->sample->packet, &e, reterr);
    if (!err) event_tell(e, settings, score, explanation, ret_verdict);
    return err;
}

enum burst_err image_decide_failed(struct image_tracker *t, const struct decide_settings *settings,
                                   const struct image_sample *sample, const struct model_tag *model,
                                   const struct burst_error *why, struct verdict *ret_verdict,
                                   struct burst_error *reterr)
{
    struct image_event *e = NULL;
    enum burst_err err = decide_settings_check(settings, reterr);
    if (!err) err = event_take(t, sample->packet, &e, reterr);
    if (err) return err;
    event_begin(e, sample, model, ret_verdict);
    event_call(e, CALL_UNCLEAR, REASON_INTERNAL, ret_verdict);
    ret_verdict->p_true = 0.5;
    ret_verdict->classification[0] = NAN;
    evidence_fill(sample, (double)NAN, ret_verdict);
    compose_sentence(ret_verdict, "This sub-image could not be judged (%s): a person must look at it.",
                     burst_err_name(why->code));
    compose_sentence(ret_verdict, "%s.", why->text);
    compose_identity(ret_verdict, sample->config_sha256);
    ret_verdict->latency_infer_s = NAN;
    return BURST_OK;
}
