/* The class table of protocol.md 6 for sub-images. */
#include "decide/image.h"
#include "decide/alert.h"
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

/* Flags that forbid a call, whatever the network answers: docs/decisions/0008. */
#define FORBIDS (IMAGE_TRIGGER_NO_DATA | IMAGE_SPARSE | IMAGE_NO_WCS | IMAGE_SWAPPED | IMAGE_NO_NOISE | IMAGE_OFF_AXIS)

/* A notice's position and the trigger pixel of its own alert are one place, three radii and two pixels at most apart: a burst is
 * fitted within its pixel, and the radius holds 90 % or less. */
#define APART_RADII 3.0
#define APART_DEG   1.0

/* Between the trigger pixel and the notice's position; NaN where one is unknown. */
static double apart_deg(const struct image_sample *s, const struct alert *a)
{
    if (isnan(a->error_deg) || isnan(s->ra_deg)) return (double)NAN;
    return platform_separation_deg((double[2]){s->ra_deg, s->dec_deg}, (double[2]){a->ra_deg, a->dec_deg});
}

static bool is_elsewhere(const struct image_sample *s, const struct alert *a)
{
    return apart_deg(s, a) > APART_RADII * a->error_deg + APART_DEG;
}

static bool is_forbidden(const struct image_sample *s, const struct alert *a)
{
    return s->flags & FORBIDS || is_elsewhere(s, a);
}

static enum verdict_call call_of(const struct decide_settings *s, const struct alert *a,
                                 const struct image_score *score)
{
    if (is_forbidden(score->sample, a)) return CALL_UNCLEAR;
    if (score->p >= s->high) return is_moon(score->sample) ? CALL_UNCLEAR : CALL_TRUE;
    return score->p <= s->low ? CALL_FALSE : CALL_UNCLEAR;
}

/* Where the sky's edge is seen: the Earth in or near the position takes noise away and adds its own (science.md B.3). */
#define LIMB_DEG 5.0

/* Of the notice's position, else the trigger pixel's, above the Earth's limb; 180 where nothing is known. */
static double limb_deg(const struct image_sample *s, const struct alert *a)
{
    const double *ra = isnan(a->error_deg) ? &s->ra_deg : &a->ra_deg;
    const double *dec = isnan(a->error_deg) ? &s->dec_deg : &a->dec_deg;
    if (!s->platform.has_position || isnan(*ra)) return 180;
    return platform_limb_deg(&s->platform, (double[2]){*ra, *dec});
}

static enum reason_code reason_of(const struct image_score *score, const struct alert *a, enum verdict_call call)
{
    const struct image_sample *s = score->sample;
    if (s->flags & (IMAGE_TRIGGER_NO_DATA | IMAGE_SPARSE)) return REASON_PARTIAL_IMAGE;
    if (s->flags & (IMAGE_SWAPPED | IMAGE_NO_NOISE)) return REASON_OUT_OF_DISTRIBUTION;
    if (s->flags & (IMAGE_NO_WCS | IMAGE_OFF_AXIS) || is_elsewhere(s, a)) return REASON_OTHER;
    if (call == CALL_TRUE) return is_near(s) ? REASON_KNOWN_SOURCE : REASON_POINT_SOURCE;
    if (call == CALL_UNCLEAR) return is_moon(s) ? REASON_OTHER : REASON_LOW_CONFIDENCE;
    if (is_moon(s)) return REASON_MOON;
    if (is_near(s)) return REASON_BAD_SUBTRACTION;
    if (s->platform.saa == SAA_IN) return REASON_SAA;
    if (limb_deg(s, a) < LIMB_DEG) return REASON_EARTH_LIMB;
    return is_striped(s) ? REASON_COLUMN_EFFECT : REASON_NOISE;
}

/* What is no celestial source was made by the instrument or its software: that is what the network learnt as false. */
static void classify(const struct image_score *score, double ret_classification[CLASS_N])
{
    ret_classification[is_near(score->sample) ? CLASS_KNOWN_SOURCE : CLASS_GRB] = score->p;
    ret_classification[CLASS_INSTRUMENTAL] = 1 - score->p;
}

static unsigned quality_of(const struct image_sample *s, const struct alert *a)
{
    static const struct {
        enum image_flag flag;
        enum evidence_flag word;
    } SAME[] = {{IMAGE_PARTIAL, EVIDENCE_PARTIAL},      {IMAGE_TRIGGER_NO_DATA, EVIDENCE_TRIGGER_NO_DATA},
                {IMAGE_NO_WCS, EVIDENCE_NO_WCS},        {IMAGE_SWAPPED, EVIDENCE_SWAPPED},
                {IMAGE_NO_NOISE, EVIDENCE_NO_NOISE},    {IMAGE_GEOCENTRIC, EVIDENCE_GEOCENTRIC},
                {IMAGE_OFF_AXIS, EVIDENCE_WCS_CONFLICT}};
    unsigned quality = is_elsewhere(s, a) ? EVIDENCE_WCS_CONFLICT : 0U;
    for (size_t i = 0; i < sizeof SAME / sizeof SAME[0]; i++)
        if (s->flags & SAME[i].flag) quality |= SAME[i].word;
    return quality;
}

static void evidence_fill(const struct alert *a, const struct image_sample *s, double p, struct verdict *v)
{
    struct evidence *e = &v->evidence[v->n_evidence++];
    bool no_data = s->flags & IMAGE_TRIGGER_NO_DATA;
    (void)snprintf(e->name, sizeof e->name, "image");
    e->score = p;
    e->snr = no_data ? NAN : (double)s->snr[IMAGE_CENTRE][IMAGE_CENTRE];
    e->t90_s = e->peak_rate_hz = e->hardness = NAN;
    e->quality = quality_of(s, a);
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
static void sentences_forbid(const struct alert *a, const struct image_score *score, struct verdict *v)
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
        compose_sentence(v, "No usable sky coordinates (%s): no known source is in the mask; the network says %.3f.",
                         s->packet->wcs_fault, score->p);
    if (s->flags & IMAGE_OFF_AXIS)
        compose_sentence(v,
                         "The sky coordinates look %.1f degrees away from where the attitude says the camera looked.",
                         platform_separation_deg(s->platform.axis_deg, s->packet->wcs.crval_deg));
    if (is_elsewhere(s, a))
        compose_sentence(v, "The sky coordinates put the trigger %.1f degrees from the notice's position.",
                         apart_deg(s, a));
}

static void sentence_call(const struct decide_settings *set, const struct alert *a, const struct image_score *score,
                          enum verdict_call call, struct verdict *v)
{
    if (v->type == ALERT_RETRACTION)
        compose_sentence(v, "An earlier record said true; this sub-image has p %.3f.", score->p);
    else if (is_forbidden(score->sample, a))
        sentences_forbid(a, score, v);
    else if (call == CALL_TRUE && a->now.state == STATE_RETRACTED)
        compose_sentence(v, "The alert was retracted, but this sub-image has p %.3f: a person must decide.", score->p);
    else if (call == CALL_UNCLEAR)
        compose_sentence(v, "The probability is %.3f; false is at or under %.2f, true at or over %.2f.", score->p,
                         set->low, set->high);
    else
        compose_sentence(v, "S/N %.1f at the trigger pixel; the probability of a real source is %.3f.",
                         v->evidence[0].snr, score->p);
    if (v->reason == REASON_SAA)
        compose_sentence(v, "The satellite was in the South Atlantic anomaly.");
    else if (v->reason == REASON_EARTH_LIMB)
        compose_limb(v, limb_deg(score->sample, a));
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

/* What a record says of the image, whatever the networks answered. */
static void image_fill(const struct alert *a, const struct image_sample *s, const struct model_tag *model, double p,
                       struct verdict *v)
{
    v->window = s->packet->span;
    if (isnan(a->error_deg)) {
        v->ra_deg = s->ra_deg;
        v->dec_deg = s->dec_deg;
    }
    v->n_model = 1;
    v->model[0] = *model;
    v->latency_decode_s = s->decode_s;
    v->arrived_mono_ns = s->arrived_mono_ns;
    alert_platform(&s->platform, v);
    evidence_fill(a, s, p, v);
}

static void tell_scored(struct book *b, struct alert *a, const struct decide_settings *set,
                        const struct image_score *score, const struct image_explanation *explanation,
                        struct verdict *ret_v)
{
    const struct image_sample *s = score->sample;
    enum verdict_call call = call_of(set, a, score);
    struct answer answer = {call, score->p, reason_of(score, a, call), call == CALL_FALSE};
    alert_answer(a, s->packet->source, LANE_IMAGE, &answer, ret_v);
    if (!(ret_v->p_true < score->p || ret_v->p_true > score->p)) classify(score, ret_v->classification);
    image_fill(a, s, &score->model, score->p, ret_v);
    sentence_call(set, a, score, call, ret_v);
    sentences_fill(score, explanation, ret_v);
    ret_v->latency_infer_s = score->infer_s;
    alert_told(b, a, s->config_sha256, ret_v);
}

static void tell_failed(struct book *b, struct alert *a, const struct image_sample *s, const struct model_tag *model,
                        const struct burst_error *why, struct verdict *ret_v)
{
    struct answer answer = {CALL_UNCLEAR, (double)NAN, REASON_INTERNAL, false};
    alert_answer(a, s->packet->source, LANE_IMAGE, &answer, ret_v);
    image_fill(a, s, model, (double)NAN, ret_v);
    compose_sentence(ret_v, "This sub-image could not be judged (%s): a person must look at it.",
                     burst_err_name(why->code));
    compose_sentence(ret_v, "%s.", why->text);
    alert_told(b, a, s->config_sha256, ret_v);
}

/* The alert this sub-image belongs to, made where it is new; *ret_again: this very sub-image made its last record. */
static enum burst_err alert_take(struct book *b, const struct subimage_packet *p, struct alert **ret_a, bool *ret_again,
                                 struct burst_error *reterr)
{
    struct alert *a = book_find(b, p->source.mission, p->burst_id);
    int rank = rank_of(p);
    bool same = a && memcmp(a->now.image_sha256, p->sha256, sizeof p->sha256) == 0 && a->now.rank == rank;
    *ret_again = same && a->repeat == REPEAT_IMAGE;
    if (a && rank == a->now.rank && !same)
        return burst_fail(reterr, BURST_E_CONFLICT, "%s: sub-image ALERTCNT %d of %s came before with other bytes",
                          p->burst_id, p->alert_count, p->data_stream);
    if (same && !*ret_again)
        return burst_fail(reterr, BURST_E_DUPLICATE, "%s: sub-image ALERTCNT %d of %s is behind an earlier record",
                          p->burst_id, p->alert_count, p->data_stream);
    if (a && rank < a->now.rank)
        return burst_fail(reterr, BURST_E_LATE, "alert %d (%s) of %s comes after record %d, which judged a later one",
                          p->alert_count, p->data_stream, p->burst_id, a->now.record_number);
    if (!a) a = book_add(b, p->source, p->burst_id, p->span.start_ns);
    a->now.rank = rank;
    memcpy(a->now.image_sha256, p->sha256, sizeof p->sha256);
    book_clock(b, p->source.mission, p->span.stop_ns);
    *ret_a = a;
    return BURST_OK;
}

enum burst_err image_decide(struct book *b, const struct decide_settings *settings, const struct image_score *score,
                            const struct image_explanation *explanation, struct verdict *ret_verdict,
                            struct burst_error *reterr)
{
    struct alert *a = NULL;
    bool again = false;
    enum burst_err err = decide_settings_check(settings, reterr);
    if (!err) err = alert_take(b, score->sample->packet, &a, &again, reterr);
    if (err) return err;
    if (again)
        *ret_verdict = a->last;
    else
        tell_scored(b, a, settings, score, explanation, ret_verdict);
    a->repeat = REPEAT_IMAGE;
    return BURST_OK;
}

enum burst_err image_decide_failed(struct book *b, const struct decide_settings *settings,
                                   const struct image_sample *sample, const struct model_tag *model,
                                   const struct burst_error *why, struct verdict *ret_verdict,
                                   struct burst_error *reterr)
{
    struct alert *a = NULL;
    bool again = false;
    enum burst_err err = decide_settings_check(settings, reterr);
    if (!err) err = alert_take(b, sample->packet, &a, &again, reterr);
    if (err) return err;
    if (again)
        *ret_verdict = a->last;
    else
        tell_failed(b, a, sample, model, why, ret_verdict);
    a->repeat = REPEAT_IMAGE;
    return BURST_OK;
}
