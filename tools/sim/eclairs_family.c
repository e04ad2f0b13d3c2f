/* See eclairs_family.h. Ranges not given a source are choices that keep the images between B.5's easy and hard sets. */
#include "sim/eclairs_family.h"
#include "sim/eclairs_trouble.h"
#include <math.h>
#include <string.h>

static const double EXPOSURE_S = 20.48;   /* shortest image; longer ones double it up to 1,310.72 s */
static const double KNOWN_REACH_PX = 4.0; /* B.2 step 6 */
/* S/N of n counts on axis is GAIN n / sqrt(background counts of the plane): 2,000 in 20.48 s give 7.2 (B.1). */
static const double SNR_GAIN = 0.95;
static const double RATE_HZ = 0.53;         /* per pixel above 4 keV: 3,400 counts/s on the plane (B.1) */
static const double MOON_RADIUS_PX = 0.462; /* 0.259 degrees over 0.56: the mean disc */
/* Of bad subtractions, and of true alerts on a background that is a little disturbed: between B.5's easy set (none) and
 * hard set (45 and 35 %). */
static const double AMPLITUDE_ONLY = 0.12;
static const double DISTURBED = 0.18;
/* Of all exposures: SVOM looks away from the Sun and sees the Earth cross its field every orbit. The limb alone is no
 * family of false alerts: the fit takes the smooth loss of cosmic background away, and what stays is below 5 sigma. */
static const double EARTH_IN_FIELD = 0.15;

const char *const ECLAIRS_FAMILY_WORD[ECLAIRS_FAMILY_N] = {"true",   "outburst", "setting", "badsub",   "saa",
                                                           "column", "xrdpix",   "hotpix",  "artefact", "noise",
                                                           "moon",   "lost",     "unclear"};

int eclairs_label(enum eclairs_family family)
{
    if (family == ECLAIRS_UNCLEAR) return -1;
    return family <= ECLAIRS_SETTING;
}

/* ---- sources ---- */

static struct plane_source *add_source(struct plane_scene *s, double y, double z, double counts)
{
    struct plane_source *source = &s->source[s->n_source++];
    *source = (struct plane_source){.y = y, .z = z, .end_y = y, .end_z = z, .fit_y = y, .fit_z = z, .counts = counts};
    return source;
}

static void exclude(struct aim *aim, double y, double z)
{
    aim->excluded[aim->n_excluded][0] = y;
    aim->excluded[aim->n_excluded++][1] = z;
}

/* 10^low to 10^high counts in 20.48 s above 4 keV; the strip sees its share. */
static double steady_counts(struct rng *r, const struct field *f, const struct plane_scene *s, double low, double high)
{
    return pow(10.0, rng_between(r, low, high)) * f->strip_share * s->exposure_s / EXPOSURE_S;
}

/* Every bright known source but `skip` shines steadily and is cleaned. */
static void add_known(struct rng *r, const struct field *f, int skip, double low, double high, struct plane_scene *s,
                      struct aim *aim)
{
    for (int i = 0; i < f->n_known && s->n_source < PLANE_SOURCE_MAX - 3; i++) {
        double counts = steady_counts(r, f, s, low, high);
        if (!f->known[i].bright || i == skip) continue;
        add_source(s, f->known[i].y, f->known[i].z, counts)->cleaned = true;
        exclude(aim, f->known[i].y, f->known[i].z);
    }
}

/* A known source, bright ones only if asked, with at least a tenth of the plane coded; -1: none. */
static int pick_known(struct rng *r, const struct field *f, bool bright)
{
    double weight[KNOWN_MAX], sum = 0.0;
    for (int i = 0; i < f->n_known; i++) {
        bool fits = coded_fraction(f->known[i].y, f->known[i].z) >= 0.1 && (f->known[i].bright || !bright);
        weight[i] = fits ? 1.0 : 0.0;
        sum += weight[i];
    }
    return sum > 0.0 ? rng_pick(r, weight, f->n_known) : -1;
}

static double distance_to_known(const struct field *f, double y, double z)
{
    double least = INFINITY;
    for (int i = 0; i < f->n_known; i++)
        least = fmin(least, hypot(f->known[i].y - y, f->known[i].z - z));
    return least;
}

/* Counts that give the S/N wished, or B.3's log-normal tail. */
static double transient_counts(struct rng *r, const struct eclairs_wish *wish, const struct plane_scene *s, double y,
                               double z)
{
    double ty = (y - SKY_CENTRE) * TAN_PER_PIXEL, tz = (z - SKY_CENTRE) * TAN_PER_PIXEL;
    double background = s->rate_hz * s->exposure_s * PLANE_PIXELS;
    if (!(wish->snr > 0.0)) /* B.3's counts are for the whole background */
        return pow(10.0, 2.45 + 0.25 * rng_exponential(r)) * 2.0 *
               sqrt(background / (RATE_HZ * EXPOSURE_S * PLANE_PIXELS));
    return wish->snr / SNR_GAIN * sqrt(background / coded_fraction(y, z)) * sqrt(1.0 + ty * ty + tz * tz);
}

static void aim_at(struct aim *aim, double y, double z, double reach_px)
{
    aim->has_target = true;
    aim->y = y;
    aim->z = z;
    aim->reach_px = reach_px;
}

/* A family whose source is not in the field cannot fire: no peak lies that far out. */
static void aim_nowhere(struct aim *aim)
{
    aim_at(aim, -1000.0, -1000.0, 0.0);
}

/* A transient there, which the trigger must find; false ones are not steered towards a brightness. */
static void add_target(struct rng *r, const struct eclairs_wish *wish, double y, double z, struct plane_scene *s,
                       struct aim *aim)
{
    aim->source = s->n_source;
    (void)add_source(s, y, z, transient_counts(r, wish, s, y, z));
    aim_at(aim, y, z, 2.0);
}

static void find_empty_place(struct rng *r, const struct field *f, double *ret_y, double *ret_z)
{
    do {
        *ret_y = rng_between(r, 4.0, SKY_SIDE - 5.0);
        *ret_z = rng_between(r, 4.0, SKY_SIDE - 5.0);
    } while (coded_fraction(*ret_y, *ret_z) < 0.05 || distance_to_known(f, *ret_y, *ret_z) < KNOWN_REACH_PX + 1.0);
}

static void add_new_source(struct rng *r, const struct eclairs_wish *wish, const struct field *f, struct plane_scene *s,
                           struct aim *aim)
{
    double y, z;
    find_empty_place(r, f, &y, &z);
    add_target(r, wish, y, z, s, aim);
}

/* B.3: there for the first part of the exposure, then behind the Earth. `counts` are those that arrive. */
static void add_setting_source(struct rng *r, const struct eclairs_wish *wish, const struct field *f, struct decoder *d,
                               struct plane_scene *s, struct aim *aim)
{
    double y, z, hidden = rng_between(r, 0.1, 0.8);
    find_empty_place(r, f, &y, &z);
    struct earth earth = earth_over(r, y, z, s->exposure_s, hidden);
    trouble_earth(&earth, d, s);
    add_target(r, wish, y, z, s, aim);
}

/* B.3: 10^3.2 to 10^4.6 counts; position off by 0.035 to 0.35 pixels and 3 % response mismatch, or an amplitude
 * error of 3 to 25 % that leaves a perfect point. */
static void add_bad_subtraction(struct rng *r, const struct staging *g, const struct field *f, int known,
                                struct plane_scene *s, struct aim *aim)
{
    const struct known_source *k = &f->known[known];
    double off = rng_between(r, 0.035, 0.35), angle = rng_between(r, 0.0, 2.0 * M_PI);
    struct plane_source *source = add_source(s, k->y, k->z, steady_counts(r, f, s, 3.2, 4.6));
    source->cleaned = true;
    if (g->variant < AMPLITUDE_ONLY) {
        source->left_over = rng_between(r, 0.03, 0.25);
    } else {
        source->fit_y += off * cos(angle);
        source->fit_z += off * sin(angle);
        source->mismatch = 0.03 * g->shift->response;
    }
    aim_at(aim, k->y, k->z, 3.0);
}

/* Strong, and modelled at a wrong place or with a wrong flux: its own dot is not looked at, its coding noise is. */
static void add_artefact(struct rng *r, const struct staging *g, const struct field *f, int known,
                         struct plane_scene *s, struct aim *aim)
{
    const struct known_source *k = &f->known[known];
    double off = rng_between(r, 0.1, 1.2), angle = rng_between(r, 0.0, 2.0 * M_PI);
    struct plane_source *source = add_source(s, k->y, k->z, steady_counts(r, f, s, 3.8, 5.0));
    source->cleaned = true;
    source->mismatch = 0.03 * g->shift->response;
    source->left_over = rng_between(r, 0.0, 0.5);
    source->fit_y += off * cos(angle);
    source->fit_z += off * sin(angle);
    exclude(aim, k->y, k->z);
}

/* ---- Moon ---- */

double moon_hole_counts(const struct plane_scene *s)
{
    double cosmic = COSMIC_SHARE * s->rate_hz * s->exposure_s * PLANE_PIXELS, whole = 0.0;
    for (int i = 0; i < SKY_SIDE * SKY_SIDE; i++) {
        double ty = (i % SKY_SIDE - SKY_CENTRE) * TAN_PER_PIXEL, tz = (i / SKY_SIDE - SKY_CENTRE) * TAN_PER_PIXEL;
        double cosine = 1.0 / sqrt(1.0 + ty * ty + tz * tz);
        whole += pow(cosine, 4.0) * coded_fraction(i % SKY_SIDE, i / SKY_SIDE);
    }
    return cosmic * M_PI * MOON_RADIUS_PX * MOON_RADIUS_PX / whole;
}

/* The Moon in the X-rays of a solar flare, which its lit side throws back. Two of SVOM's false alerts are that:
 * sb26020402 (5-8 keV, 40.96 s, S/N 16.9) has the maximum of the X4.2 flare of 2026-02-04 12:13 UTC in its window and
 * came from 0.13 degrees off the Moon's centre as the satellite of its notice saw it, half the disc's radius;
 * sb26020303 (5-8 keV, 655.36 s, S/N 7.6, error 0.17 degrees) has that of the X1.5 flare of 2026-02-03 14:08 UTC, and
 * the Moon 0.42 degrees away. It was 92 and 97 % lit. The disc also covers cosmic background, 0.2 of 3,400 counts/s: no
 * exposure shows that (below 0.2 sigma in 1,310 s), so that it is the shine that fires.
 * Assumed: brightness as of any new source; an even disc; it is not cleaned, as it was not. */
static void add_moon(struct rng *r, const struct eclairs_wish *wish, const struct field *f, struct plane_scene *s,
                     struct aim *aim)
{
    double start[2], stop[2];
    field_moon(f, 0.0, start);
    field_moon(f, s->exposure_s, stop);
    if (!(coded_fraction(start[0], start[1]) > 0.02)) {
        aim_nowhere(aim);
        return;
    }
    double shine = transient_counts(r, wish, s, start[0], start[1]);
    struct plane_source *moon = add_source(s, start[0], start[1], shine - moon_hole_counts(s));
    moon->end_y = stop[0];
    moon->end_z = stop[1];
    moon->radius_px = MOON_RADIUS_PX;
    aim_at(aim, 0.5 * (start[0] + stop[0]), 0.5 * (start[1] + stop[1]), 2.0);
}

/* ---- families ---- */

/* Columns, particles or modules; strength 1 is what a good alert may come on. */
static void disturb(struct rng *r, double strength, struct plane_scene *s)
{
    switch ((int)(rng_uniform(r) * 3)) {
    case 0: trouble_columns(r, 0.02 * strength, 0.08 * strength, s); break;
    case 1: trouble_particles(r, rng_log_between(r, 0.05, 0.3) * strength, s); break;
    default: trouble_modules(r, 10, 0.02 * strength, 0.08 * strength, s); break;
    }
}

/* Some true alerts come on a disturbed background, and one that must be as wide as a false one always does. */
static void disturb_good(struct rng *r, const struct eclairs_wish *wish, struct plane_scene *s)
{
    bool wide = wish->spread > 1.15;
    double strength = wide ? rng_log_between(r, 1.0, 10.0) : 1.0;
    if (wide || rng_chance(r, DISTURBED)) disturb(r, strength, s);
}

/* B.3: two more sources near the first, or one on a background as bad as those of false alerts. */
static void add_unclear(struct rng *r, const struct staging *g, const struct field *f, struct plane_scene *s,
                        struct aim *aim)
{
    add_new_source(r, g->wish, f, s, aim);
    if (g->variant < 0.5) {
        disturb(r, rng_log_between(r, 5.0, 20.0), s);
        return;
    }
    for (int i = 0; i < 2; i++) {
        double angle = rng_between(r, 0.0, 2.0 * M_PI), out = rng_between(r, 7.0, 22.0);
        double share = rng_between(r, 0.6, 0.95);
        (void)add_source(s, aim->y + out * cos(angle), aim->z + out * sin(angle),
                         share * s->source[aim->source].counts);
    }
}

static double draw_exposure(struct rng *r, const struct eclairs_wish *wish)
{
    if (wish->exposure_s > 0.0) return wish->exposure_s;
    if (wish->family == ECLAIRS_XRDPIX) return EXPOSURE_S * pow(2.0, 3 + (int)(rng_uniform(r) * 4));
    return EXPOSURE_S * pow(2.0, rng_chance(r, 0.5) ? (int)(rng_uniform(r) * 7) : 0);
}

static bool needs_known(enum eclairs_family family)
{
    return family == ECLAIRS_OUTBURST || family == ECLAIRS_BADSUB || family == ECLAIRS_ARTEFACT;
}

static void add_family(struct rng *r, const struct staging *g, const struct field *f, int known, struct plane_scene *s,
                       struct aim *aim)
{
    const struct eclairs_wish *wish = g->wish;
    switch (wish->family) {
    case ECLAIRS_SETTING: add_setting_source(r, wish, f, g->decoder, s, aim); break;
    case ECLAIRS_OUTBURST: add_target(r, wish, f->known[known].y, f->known[known].z, s, aim); break;
    case ECLAIRS_BADSUB: add_bad_subtraction(r, g, f, known, s, aim); break;
    case ECLAIRS_ARTEFACT: add_artefact(r, g, f, known, s, aim); break;
    case ECLAIRS_SAA: trouble_particles(r, rng_log_between(r, 0.1, 3.0), s); break;
    case ECLAIRS_COLUMN: trouble_columns(r, 0.15, 2.0, s); break;
    case ECLAIRS_XRDPIX: trouble_modules(r, 30, 0.06, 0.5, s); break;
    case ECLAIRS_HOTPIX: trouble_hot_pixels(r, s); break;
    case ECLAIRS_NOISE:
        for (int i = 0; i < s->n_source; i++)
            s->source[i].left_over = rng_between(r, -0.15, 0.15);
        break;
    case ECLAIRS_MOON: add_moon(r, wish, f, s, aim); break;
    case ECLAIRS_UNCLEAR: add_unclear(r, g, f, s, aim); break;
    default: add_new_source(r, wish, f, s, aim); break;
    }
}

void family_scene(struct rng *r, const struct staging *staging, const struct field *field,
                  struct plane_scene *ret_scene, struct aim *ret_aim)
{
    const struct eclairs_wish *wish = staging->wish;
    int known = needs_known(wish->family) ? pick_known(r, field, wish->family != ECLAIRS_OUTBURST) : -1;
    double exposure_s = draw_exposure(r, wish), rate_hz = RATE_HZ * field->strip_share * staging->shift->background;
    bool noise = wish->family == ECLAIRS_NOISE;
    memset(ret_aim, 0, sizeof *ret_aim);
    ret_aim->source = -1;
    plane_start(exposure_s, rng_lognormal(r, rate_hz, 0.2), ret_scene);
    add_known(r, field, known, noise ? 3.6 : 2.3, noise ? 4.6 : 3.9, ret_scene, ret_aim);
    if (eclairs_label(wish->family) == 1 || wish->family == ECLAIRS_MOON) disturb_good(r, wish, ret_scene);
    if (needs_known(wish->family) && known < 0)
        aim_nowhere(ret_aim);
    else
        add_family(r, staging, field, known, ret_scene, ret_aim);
    if (wish->family != ECLAIRS_SETTING && rng_chance(r, EARTH_IN_FIELD)) {
        struct earth earth = earth_draw(r);
        trouble_earth(&earth, staging->decoder, ret_scene);
    }
}
