/* See eclairs.h: exposure, decoding, trigger, and the pixels that are sent. */
#include "sim/eclairs.h"
#include "sim/eclairs_decode.h"
#include "sim/eclairs_family.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TRY_MOST = 4000, ROUND_MOST = 5, SKY_PIXELS = SKY_SIDE * SKY_SIDE, SKY_FILE_SIDE = 200 };
/* Quality cuts of the trigger, the same for all families. Source: science.md B.2 step 6, B.5. */
static const double SPREAD_USUAL = 2.0, SPREAD_MOST = 6.0; /* 85 % and the rest of the images */
static const double SNR_MOST = 40.0, SECOND_PEAK_PX = 6.0, SECOND_PEAK_RATIO = 1.0, KNOWN_REACH_PX = 4.0;

struct eclairs {
    struct coded_mask mask;
    struct decoder *decoder;
    const struct catalogue *catalogue;
    struct eclairs_shift shift;
    struct plane_detector detector;
    struct field field;
    struct plane_scene scene;
    struct plane_work work;
    struct aim aim;
    struct exposure exposure;
    float sky[SKY_PIXELS];
};

struct peak {
    int y, z;
    double snr;
};

enum burst_err eclairs_new(uint64_t mask_seed, const struct catalogue *c, struct eclairs **ret_e,
                           struct burst_error *reterr)
{
    struct eclairs *e = calloc(1, sizeof *e);
    if (!e) return burst_fail(reterr, BURST_E_NOMEM, "no memory for the ECLAIRs simulator");
    e->catalogue = c;
    e->shift = (struct eclairs_shift){1.0, 1.0};
    mask_make(mask_seed, &e->mask);
    enum burst_err err = decoder_new(&e->mask, &e->decoder, reterr);
    if (err) {
        free(e);
        return err;
    }
    *ret_e = e;
    return BURST_OK;
}

void eclairs_free(struct eclairs *e)
{
    if (!e) return;
    decoder_free(e->decoder);
    free(e);
}

void eclairs_set_shift(struct eclairs *e, const struct eclairs_shift *shift)
{
    e->shift = *shift;
}

static void draw_detector(struct eclairs *e, struct rng *r)
{
    plane_detector_draw(r, e->shift.response, &e->detector);
    decoder_set_alive(e->decoder, e->detector.alive);
}

static void draw_scene(struct eclairs *e, const struct staging *staging, struct rng *r)
{
    if (staging->wish->family == ECLAIRS_MOON)
        field_draw_moon(r, e->catalogue, &e->field);
    else
        field_draw(r, e->catalogue, &e->field);
    family_scene(r, staging, &e->field, &e->scene, &e->aim);
    plane_prepare(&e->mask, &e->detector, &e->scene, r, &e->work);
}

static void expose(struct eclairs *e, struct rng *r)
{
    plane_expose(&e->detector, &e->scene, &e->work, r, &e->exposure);
    decode_sky(e->decoder, e->exposure.residual, e->exposure.counts, e->sky);
}

/* ---- trigger ---- */

/* Half the distance between the 15.87th and 84.13th percentile, from a histogram of 0.01 sigma: the deviation of a
 * normal sky, little moved by sources. */
static double sky_spread(const float *sky)
{
    enum { BINS = 4001, PER_SIGMA = 100 };
    int histogram[BINS] = {0}, n = 0, below = 0, low = -1, high = -1;
    for (int i = 0; i < SKY_PIXELS; i++) {
        if (isnan(sky[i])) continue;
        double bin = sky[i] * PER_SIGMA + BINS / 2;
        histogram[bin < 0.0 ? 0 : bin > BINS - 1 ? BINS - 1 : (int)bin]++;
        n++;
    }
    for (int i = 0; i < BINS && high < 0; i++) {
        below += histogram[i];
        if (low < 0 && below >= 0.1587 * n) low = i;
        if (below >= 0.8413 * n) high = i;
    }
    return 0.5 * (high - low) / PER_SIGMA;
}

static bool is_excluded(const struct aim *aim, int y, int z)
{
    for (int i = 0; i < aim->n_excluded; i++)
        if (hypot(aim->excluded[i][0] - y, aim->excluded[i][1] - z) <= KNOWN_REACH_PX) return true;
    return false;
}

/* Highest pixel outside the excluded circles and at least `apart_px` from `other` (NULL: anywhere). */
static struct peak find_peak(const struct eclairs *e, const struct peak *other, double apart_px)
{
    struct peak best = {-1, -1, -INFINITY};
    for (int i = 0; i < SKY_PIXELS; i++) {
        int y = i % SKY_SIDE, z = i / SKY_SIDE;
        if (!(e->sky[i] > best.snr)) continue;
        if (other && hypot(other->y - y, other->z - z) < apart_px) continue;
        if (!is_excluded(&e->aim, y, z)) best = (struct peak){y, z, e->sky[i]};
    }
    return best;
}

static bool meets(double value, double aim, double tolerance)
{
    return !(aim > 0.0) || fabs(value / aim - 1.0) <= tolerance;
}

/* What the trigger makes of a sky. */
struct reading {
    struct peak peak;
    double spread;
    bool fired;   /* by the mission's own rules ... */
    bool granted; /* ... and the wish is met */
};

static struct reading read_sky(const struct eclairs *e, const struct eclairs_wish *wish, double spread_most)
{
    struct reading x = {.peak = find_peak(e, NULL, 0.0), .spread = sky_spread(e->sky)};
    double threshold = wish->low_threshold ? 5.5 : 6.5;
    x.fired = x.peak.snr > threshold * sqrt(fmax(1.0, x.spread)) && x.peak.snr <= SNR_MOST && x.spread <= spread_most;
    if (e->aim.has_target && hypot(e->aim.y - x.peak.y, e->aim.z - x.peak.z) > e->aim.reach_px) x.fired = false;
    if (x.fired) x.fired = x.peak.snr >= SECOND_PEAK_RATIO * find_peak(e, &x.peak, SECOND_PEAK_PX).snr;
    x.granted = x.fired && meets(x.peak.snr, wish->snr, 0.10) && meets(x.spread, wish->spread, 0.25);
    return x;
}

/* Highest pixel within reach of the target. */
static double target_snr(const struct eclairs *e)
{
    double best = 0.0;
    int y = (int)lround(e->aim.y), z = (int)lround(e->aim.z), reach = (int)e->aim.reach_px;
    for (int j = z - reach; j <= z + reach; j++)
        for (int i = y - reach; i <= y + reach; i++)
            if (i >= 0 && i < SKY_SIDE && j >= 0 && j < SKY_SIDE && e->sky[j * SKY_SIDE + i] > best)
                best = (double)e->sky[j * SKY_SIDE + i];
    return best;
}

/* Bring the source and what disturbs the background nearer to the wish, for another exposure of the same scene. The
 * square of a sky's width grows with the square of the disturbance. False: nothing here can be brought nearer. */
static bool steer(struct eclairs *e, const struct eclairs_wish *wish, const struct reading *x)
{
    const double quiet2 = 0.93 * 0.93; /* B.2: noise alone */
    bool changed = false;
    double snr = target_snr(e), wide2 = x->spread * x->spread - quiet2;
    if (!meets(x->spread, wish->spread, 0.25)) {
        if (wide2 < 0.05) return false;
        double factor = sqrt(fmax(wish->spread * wish->spread - quiet2, 0.01) / wide2);
        for (int i = 0; i < PLANE_PIXELS; i++)
            e->scene.extra[i] *= (float)fmin(fmax(factor, 0.1), 10.0);
        changed = true;
    }
    if (snr > 0.0 && !meets(snr, wish->snr, 0.05)) {
        e->scene.source[e->aim.source].counts *= fmin(fmax(wish->snr / snr, 0.3), 3.0);
        changed = true;
    }
    return changed;
}

/* ---- what is sent ---- */

static int clip_start(int peak)
{
    int start = peak - SUBIMAGE_SIDE / 2;
    return start < 0 ? 0 : start;
}

static int clip_side(int peak)
{
    int stop = peak + SUBIMAGE_SIDE / 2;
    return (stop > SKY_SIDE ? SKY_SIDE : stop) - clip_start(peak);
}

/* Sky rows counted from the top of the untruncated 56 x 56 cut, so that stripes do not depend on where it was cut. */
static void lose(struct eclairs_alert *a, int row_first, int row_last, int y_first, int y_last)
{
    struct subimage_packet *p = &a->packet;
    for (int i = 0; i < p->n_y * p->n_z; i++) {
        int y = i % p->n_y + p->sky_y0 - p->trigger_y + SUBIMAGE_SIDE / 2;
        int z = i / p->n_y + p->sky_z0 - p->trigger_z + SUBIMAGE_SIDE / 2;
        if (z >= row_first && z <= row_last && y >= y_first && y <= y_last) a->pixels[i] = NAN;
    }
}

/* Lost packets: one to three of eight stripes of seven rows, or a block; the trigger pixel's only where the family
 * is that. */
static void lose_packets(struct rng *r, struct eclairs_alert *a)
{
    if (a->family == ECLAIRS_LOST) lose(a, SUBIMAGE_SIDE / 2, SUBIMAGE_SIDE / 2 + 6, 0, SUBIMAGE_SIDE - 1);
    const int stripe = SUBIMAGE_SIDE / 8, centre = SUBIMAGE_SIDE / 2;
    int n = 1 + (int)(rng_uniform(r) * 3);
    if (rng_chance(r, 0.7)) {
        for (int k = 0; k < n; k++) {
            int lost = (int)(rng_uniform(r) * 7);
            lost += lost >= centre / stripe;
            lose(a, lost * stripe, lost * stripe + stripe - 1, 0, SUBIMAGE_SIDE - 1);
        }
        return;
    }
    int z = (int)(rng_uniform(r) * 2) * centre, y = (int)(rng_uniform(r) * 2) * centre;
    int inset_z = z > 0 ? 4 : 0, inset_y = y > 0 ? 4 : 0; /* a corner, four pixels clear of the centre */
    lose(a, z + inset_z, z + inset_z + 21, y + inset_y, y + inset_y + 21);
}

static void describe(struct rng *r, const struct eclairs *e, const struct peak *peak, struct eclairs_alert *a)
{
    struct subimage_packet *p = &a->packet;
    p->source = (struct source){REALM_TEST, MISSION_SVOM, INSTRUMENT_ECLAIRS};
    p->span = (struct time_span){e->field.start_ns, e->field.start_ns + llround(a->exposure_s * 1e9)};
    p->e_min_kev = e->field.e_min_kev;
    p->e_max_kev = e->field.e_max_kev;
    p->timescale_s = a->exposure_s;
    p->snr_sigma = peak->snr;
    (void)strcpy(p->trigger_type, a->exposure_s > 20.48 || rng_chance(r, 0.5) ? "IMT" : "CRT");
    (void)strcpy(p->slew_status, rng_chance(r, 0.5) ? "accepted" : "not-requested");
    (void)strcpy(p->data_stream, "VHF");
    p->wcs = e->field.wcs;
    p->wcs.crpix[0] -= p->sky_y0;
    p->wcs.crpix[1] -= p->sky_z0;
}

static void cut(const struct eclairs *e, const struct peak *peak, struct eclairs_alert *a)
{
    struct subimage_packet *p = &a->packet;
    p->sky_n = SKY_FILE_SIDE; /* the last row and column of 200 are never coded: no file reaches them */
    p->trigger_y = peak->y;
    p->trigger_z = peak->z;
    p->sky_y0 = clip_start(peak->y);
    p->sky_z0 = clip_start(peak->z);
    p->n_y = clip_side(peak->y);
    p->n_z = clip_side(peak->z);
    p->snr = a->pixels;
    for (int z = 0; z < p->n_z; z++)
        memcpy(a->pixels + z * p->n_y, e->sky + (p->sky_z0 + z) * SKY_SIDE + p->sky_y0,
               sizeof *a->pixels * (size_t)p->n_y);
}

static bool keeps(struct rng *r, const struct eclairs_wish *wish, double snr)
{
    double chance = wish->thin_below > 0.0 ? snr / wish->thin_below : 1.0;
    return chance >= 1.0 || rng_chance(r, chance * chance);
}

/* Scenes until one is granted; one that can be steered is exposed several times. */
static bool search(struct eclairs *e, struct rng *r, const struct eclairs_wish *wish, struct reading *ret_x,
                   int *ret_try)
{
    int try_most = wish->try_most > 0 ? wish->try_most : TRY_MOST, n_try = 0;
    double spread_most = rng_chance(r, 0.85) && !(wish->spread > 0.0) ? SPREAD_USUAL : SPREAD_MOST;
    struct staging staging = {wish, &e->shift, e->decoder, rng_uniform(r)};
    draw_detector(e, r);
    while (n_try < try_most) {
        draw_scene(e, &staging, r);
        bool again = !(e->aim.has_target && e->aim.reach_px == 0.0); /* nothing to look for in this field */
        if (!again) *ret_try = ++n_try;
        for (int round = 0; again && round < ROUND_MOST && n_try < try_most; round++) {
            expose(e, r);
            *ret_try = ++n_try;
            *ret_x = read_sky(e, wish, spread_most);
            if (ret_x->granted && keeps(r, wish, ret_x->peak.snr)) return true;
            again = e->aim.source >= 0 && steer(e, wish, ret_x);
        }
    }
    return false;
}

static void fill_alert(struct eclairs *e, struct rng *r, const struct eclairs_wish *wish, const struct reading *x,
                       struct eclairs_alert *a)
{
    memset(a, 0, sizeof *a);
    a->family = wish->family;
    a->low_threshold = wish->low_threshold;
    a->snr = x->peak.snr;
    a->spread = x->spread;
    a->coded = coded_fraction(x->peak.y, x->peak.z);
    a->exposure_s = e->scene.exposure_s;
    field_observer(&e->field, 0.5 * a->exposure_s, a->observer_km);
    cut(e, &x->peak, a);
    describe(r, e, &x->peak, a);
    if (wish->lose_packets || wish->family == ECLAIRS_LOST) lose_packets(r, a);
}

enum burst_err eclairs_alert(struct eclairs *e, uint64_t seed, uint64_t index, const struct eclairs_wish *wish,
                             struct eclairs_alert *ret_a, struct burst_error *reterr)
{
    struct rng r;
    struct reading x;
    int n_try = 0;
    rng_seed(&r, seed, index);
    if (!search(e, &r, wish, &x, &n_try))
        return burst_fail(reterr, BURST_E_LIMIT, "%s alert %llu: no trigger in %d exposures",
                          ECLAIRS_FAMILY_WORD[wish->family], (unsigned long long)index, n_try);
    fill_alert(e, &r, wish, &x, ret_a);
    ret_a->n_try = n_try;
    (void)snprintf(ret_a->packet.burst_id, sizeof ret_a->packet.burst_id, "sim%llu-%06llu", (unsigned long long)seed,
                   (unsigned long long)index);
    return BURST_OK;
}

/* ---- checks ---- */

void eclairs_source_sky(struct eclairs *e, uint64_t seed, double exposure_s, double counts, double y, double z,
                        float *ret_snr)
{
    struct rng r;
    rng_seed(&r, seed, UINT64_C(0x736b79)); /* "sky" */
    draw_detector(e, &r);
    plane_start(exposure_s, 0.53, &e->scene);
    e->scene.n_source = counts > 0.0;
    e->scene.source[0] = (struct plane_source){.y = y, .z = z, .end_y = y, .end_z = z, .counts = counts};
    plane_prepare(&e->mask, &e->detector, &e->scene, &r, &e->work);
    expose(e, &r);
    memcpy(ret_snr, e->sky, sizeof e->sky);
}

void eclairs_empty_sky(struct eclairs *e, uint64_t seed, double exposure_s, float *ret_snr)
{
    eclairs_source_sky(e, seed, exposure_s, 0.0, 0.0, 0.0, ret_snr);
}
