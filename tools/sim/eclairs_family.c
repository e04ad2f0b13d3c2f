/* See eclairs_family.h. Ranges not given a source are choices that keep the images between B.5's easy and hard sets. */
#include "sim/eclairs_family.h"
#include "prepare/sky.h"
#include <math.h>
#include <string.h>

static const double EXPOSURE_S = 20.48;   /* shortest image; longer ones double it up to 1,310.72 s */
static const double KNOWN_REACH_PX = 4.0; /* B.2 step 6 */
/* S/N of n counts on axis is GAIN n / sqrt(background counts of the plane): 2,000 in 20.48 s give 7.2 (B.1). */
static const double SNR_GAIN = 0.95;
static const double RATE_HZ = 0.53; /* per pixel: 3,400 counts/s on the plane (B.1) */

const char *const ECLAIRS_FAMILY_WORD[ECLAIRS_FAMILY_N] = {"true",   "outburst", "setting", "badsub",   "saa",
                                                           "column", "xrdpix",   "hotpix",  "artefact", "noise"};

int eclairs_label(enum eclairs_family family)
{
    return family <= ECLAIRS_SETTING;
}

/* ---- pointing ---- */

static void look(struct rng *r, struct tan_wcs *ret_wcs)
{
    const double px_deg = TAN_PER_PIXEL * 180.0 / M_PI;
    double roll = rng_between(r, 0.0, 2.0 * M_PI), dec = asin(rng_between(r, -1.0, 1.0)) * 180.0 / M_PI;
    *ret_wcs = (struct tan_wcs){
        .crpix = {SKY_CENTRE + 1, SKY_CENTRE + 1},
        .crval_deg = {rng_between(r, 0.0, 360.0), dec},
        .cd = {{-px_deg * cos(roll), px_deg * sin(roll)}, {px_deg * sin(roll), px_deg * cos(roll)}},
    };
}

static bool is_within(double y, double z, double half_side)
{
    return fabs(y - SKY_CENTRE) <= half_side && fabs(z - SKY_CENTRE) <= half_side;
}

static bool find_known(const struct catalogue *c, struct field *f)
{
    bool has_bright = false;
    f->n_known = 0;
    for (size_t i = 0; i < c->n_source && f->n_known < KNOWN_MAX; i++) {
        const double deg[1][2] = {{c->source[i].ra_deg, c->source[i].dec_deg}};
        double pixel[1][2] = {{NAN, NAN}};
        (void)sky_to_pixels(&f->wcs, 1, deg, pixel, NULL); /* our own coordinates: NaN is behind the plane */
        if (!is_within(pixel[0][0] - 1.0, pixel[0][1] - 1.0, SKY_CENTRE)) continue;
        f->known[f->n_known++] = (struct known_source){pixel[0][0] - 1.0, pixel[0][1] - 1.0, c->source[i].bright};
        has_bright |= c->source[i].bright && is_within(pixel[0][0] - 1.0, pixel[0][1] - 1.0, 80.0);
    }
    return has_bright;
}

void field_draw(struct rng *r, const struct catalogue *c, struct field *ret_field)
{
    for (int i = 0; i < 1000; i++) { /* a list with no bright source gives an ordinary pointing in the end */
        look(r, &ret_field->wcs);
        if (find_known(c, ret_field)) return;
    }
}

static double overlap(double sky)
{
    double shift = fabs(sky - SKY_CENTRE) - (MASK_SIDE - PLANE_SIDE) / 2;
    return 1.0 - fmin(fmax(shift, 0.0), PLANE_SIDE) / PLANE_SIDE;
}

double coded_fraction(double y, double z)
{
    return overlap(y) * overlap(z);
}

/* ---- sources ---- */

static struct plane_source *add_source(struct plane_scene *s, double y, double z, double counts)
{
    struct plane_source *source = &s->source[s->n_source++];
    *source = (struct plane_source){.y = y, .z = z, .fit_y = y, .fit_z = z, .counts = counts};
    return source;
}

/* Every bright known source but `skip` shines steadily and is cleaned: 10^low to 10^high counts in 20.48 s. */
static void add_known(struct rng *r, const struct field *f, int skip, double low, double high, struct plane_scene *s,
                      struct aim *aim)
{
    for (int i = 0; i < f->n_known && s->n_source < PLANE_SOURCE_MAX - 1; i++) {
        double counts = pow(10.0, rng_between(r, low, high)) * s->exposure_s / EXPOSURE_S;
        if (!f->known[i].bright || i == skip) continue;
        add_source(s, f->known[i].y, f->known[i].z, counts)->cleaned = true;
        aim->excluded[aim->n_excluded][0] = f->known[i].y;
        aim->excluded[aim->n_excluded++][1] = f->known[i].z;
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
    if (!(wish->snr > 0.0)) return pow(10.0, 2.45 + 0.25 * rng_exponential(r)) * 2.0 * sqrt(s->exposure_s / EXPOSURE_S);
    return wish->snr / SNR_GAIN * sqrt(background / coded_fraction(y, z)) * sqrt(1.0 + ty * ty + tz * tz);
}

static void aim_at(struct aim *aim, double y, double z, double reach_px)
{
    aim->has_target = true;
    aim->y = y;
    aim->z = z;
    aim->reach_px = reach_px;
}

static void add_new_source(struct rng *r, const struct eclairs_wish *wish, const struct field *f, struct plane_scene *s,
                           struct aim *aim)
{
    double y, z;
    do {
        y = rng_between(r, 4.0, SKY_SIDE - 5.0);
        z = rng_between(r, 4.0, SKY_SIDE - 5.0);
    } while (coded_fraction(y, z) < 0.05 || distance_to_known(f, y, z) < KNOWN_REACH_PX + 1.0);
    (void)add_source(s, y, z, transient_counts(r, wish, s, y, z));
    aim_at(aim, y, z, 2.0);
}

static void add_outburst(struct rng *r, const struct eclairs_wish *wish, const struct field *f, int known,
                         struct plane_scene *s, struct aim *aim)
{
    const struct known_source *k = &f->known[known];
    (void)add_source(s, k->y, k->z, transient_counts(r, wish, s, k->y, k->z));
    aim_at(aim, k->y, k->z, 2.0);
}

/* B.3: 10^3.2 to 10^4.6 counts; position off by 0.035 to 0.35 pixels and 3 % response mismatch, or (a quarter, B.5) an
 * amplitude error of 3 to 25 % that leaves a perfect point. */
static void add_bad_subtraction(struct rng *r, const struct field *f, int known, struct plane_scene *s, struct aim *aim)
{
    const struct known_source *k = &f->known[known];
    double counts = pow(10.0, rng_between(r, 3.2, 4.6)) * s->exposure_s / EXPOSURE_S;
    double shift = rng_between(r, 0.035, 0.35), angle = rng_between(r, 0.0, 2.0 * M_PI);
    struct plane_source *source = add_source(s, k->y, k->z, counts);
    source->cleaned = true;
    if (rng_chance(r, 0.25)) {
        source->left_over = rng_between(r, 0.03, 0.25);
    } else {
        source->fit_y += shift * cos(angle);
        source->fit_z += shift * sin(angle);
        source->mismatch = 0.03;
    }
    aim_at(aim, k->y, k->z, 3.0);
}

/* Strong, and modelled at a wrong place or with a wrong flux: its own dot is not looked at, its coding noise is. */
static void add_artefact(struct rng *r, const struct field *f, int known, struct plane_scene *s, struct aim *aim)
{
    const struct known_source *k = &f->known[known];
    double counts = pow(10.0, rng_between(r, 3.8, 5.0)) * s->exposure_s / EXPOSURE_S;
    double shift = rng_between(r, 0.1, 1.2), angle = rng_between(r, 0.0, 2.0 * M_PI);
    struct plane_source *source = add_source(s, k->y, k->z, counts);
    source->cleaned = true;
    source->mismatch = 0.03;
    source->left_over = rng_between(r, 0.0, 0.5);
    source->fit_y += shift * cos(angle);
    source->fit_z += shift * sin(angle);
    aim->excluded[aim->n_excluded][0] = k->y;
    aim->excluded[aim->n_excluded++][1] = k->z;
}

/* ---- background and detector ---- */

static double background(const struct plane_scene *s, int pixel)
{
    return s->rate_hz * s->exposure_s * s->shape[pixel];
}

/* Particles: exponential slopes, ripples, and 10 % from module to module; `strength` in units of the background. */
static void add_particles(struct rng *r, double strength, struct plane_scene *s)
{
    double slope[2] = {rng_between(r, -1.2, 1.2), rng_between(r, -1.2, 1.2)}, ripple = rng_between(r, 0.0, 0.4);
    double wave[2] = {rng_between(r, -9.0, 9.0), rng_between(r, -9.0, 9.0)}, phase = rng_between(r, 0.0, 2.0 * M_PI);
    float module[PLANE_SIDE / 8][PLANE_SIDE / 4];
    for (int i = 0; i < PLANE_PIXELS / 32; i++)
        module[i / (PLANE_SIDE / 4)][i % (PLANE_SIDE / 4)] = (float)(1.0 + 0.1 * rng_normal(r));
    for (int i = 0; i < PLANE_PIXELS; i++) {
        double u = plane_coordinate(i % PLANE_SIDE), v = plane_coordinate(i / PLANE_SIDE);
        double rate = exp(slope[0] * u + slope[1] * v) * (1.0 + ripple * cos(wave[0] * u + wave[1] * v + phase));
        double here = (double)module[i / PLANE_SIDE / 8][i % PLANE_SIDE / 4];
        s->extra[i] += (float)(strength * s->rate_hz * s->exposure_s * rate * here);
    }
}

/* Columns or rows, one or two pixels wide, `low` to `high` above the background. */
static void add_columns(struct rng *r, double low, double high, struct plane_scene *s)
{
    int n = 1 + (int)(rng_uniform(r) * 4);
    for (int k = 0; k < n; k++) {
        bool row = rng_chance(r, 0.5);
        int first = (int)(rng_uniform(r) * PLANE_SIDE), width = 1 + rng_chance(r, 0.5);
        double excess = rng_log_between(r, low, high);
        for (int i = 0; i < PLANE_PIXELS; i++) {
            int at = row ? i / PLANE_SIDE : i % PLANE_SIDE;
            if (at >= first && at < first + width) s->extra[i] += (float)(excess * background(s, i));
        }
    }
}

/* XRDPIX modules of 8 x 4 pixels whose background is `low` to `high` too large or too small. */
static void add_modules(struct rng *r, int most, double low, double high, struct plane_scene *s)
{
    int n = 3 + (int)(rng_uniform(r) * (most - 2));
    for (int k = 0; k < n; k++) {
        int z0 = 8 * (int)(rng_uniform(r) * (PLANE_SIDE / 8)), y0 = 4 * (int)(rng_uniform(r) * (PLANE_SIDE / 4));
        double excess = rng_log_between(r, low, high) * (rng_chance(r, 0.5) ? 1.0 : -1.0);
        for (int i = 0; i < 32; i++) {
            int pixel = (z0 + i / 4) * PLANE_SIDE + y0 + i % 4;
            s->extra[pixel] += (float)fmax(excess * background(s, pixel), -0.9 * background(s, pixel));
        }
    }
}

static void add_hot_pixels(struct rng *r, struct plane_scene *s)
{
    int n = 1 + (int)(rng_uniform(r) * 3);
    for (int k = 0; k < n; k++)
        s->extra[(int)(rng_uniform(r) * PLANE_PIXELS)] +=
            (float)(pow(10.0, rng_between(r, 2.1, 3.2)) * sqrt(s->exposure_s / EXPOSURE_S));
}

/* The Earth hides part of the cosmic background from part of the plane. */
static void add_limb(struct rng *r, struct plane_scene *s)
{
    double depth = rng_between(r, 0.2, 0.7), angle = rng_between(r, 0.0, 2.0 * M_PI);
    for (int i = 0; i < PLANE_PIXELS; i++) {
        double u = plane_coordinate(i % PLANE_SIDE), v = plane_coordinate(i / PLANE_SIDE);
        s->shape[i] *= (float)(1.0 - depth / (1.0 + exp(-3.0 * (u * cos(angle) + v * sin(angle)))));
    }
}

/* B.5: 35 % of true alerts come on a disturbed background, and one that must be as wide as a false one always does. */
static void disturb(struct rng *r, const struct eclairs_wish *wish, struct plane_scene *s)
{
    bool wide = wish->spread > 1.15;
    double strength = wide ? rng_log_between(r, 1.0, 10.0) : 1.0;
    if (!wide && !rng_chance(r, 0.35)) return;
    switch ((int)(rng_uniform(r) * 3)) {
    case 0: add_columns(r, 0.02 * strength, 0.08 * strength, s); break;
    case 1: add_particles(r, rng_log_between(r, 0.05, 0.3) * strength, s); break;
    default: add_modules(r, 10, 0.02 * strength, 0.08 * strength, s); break;
    }
}

/* ---- families ---- */

static double draw_exposure(struct rng *r, enum eclairs_family family)
{
    int doubled = family == ECLAIRS_XRDPIX ? 3 + (int)(rng_uniform(r) * 4) : (int)(rng_uniform(r) * 7);
    return EXPOSURE_S * pow(2.0, family == ECLAIRS_XRDPIX || rng_chance(r, 0.5) ? doubled : 0);
}

static bool needs_target(enum eclairs_family family)
{
    return family == ECLAIRS_OUTBURST || family == ECLAIRS_BADSUB || family == ECLAIRS_ARTEFACT;
}

static int draw_target(struct rng *r, enum eclairs_family family, const struct field *f)
{
    return needs_target(family) ? pick_known(r, f, family != ECLAIRS_OUTBURST) : -1;
}

void family_scene(struct rng *r, const struct eclairs_wish *wish, const struct field *field,
                  struct plane_scene *ret_scene, struct aim *ret_aim)
{
    int known = draw_target(r, wish->family, field);
    double exposure_s = draw_exposure(r, wish->family);
    bool noise = wish->family == ECLAIRS_NOISE;
    memset(ret_aim, 0, sizeof *ret_aim);
    plane_start(r, exposure_s, rng_lognormal(r, RATE_HZ, 0.2), ret_scene);
    add_known(r, field, known, noise ? 3.6 : 2.3, noise ? 4.6 : 3.9, ret_scene, ret_aim);
    if (eclairs_label(wish->family)) disturb(r, wish, ret_scene);
    /* A family whose source is not in the field cannot fire: no peak lies that far out. */
    if (needs_target(wish->family) && known < 0) aim_at(ret_aim, -1000.0, -1000.0, 0.0);
    switch (wish->family) {
    case ECLAIRS_SETTING:
        add_limb(r, ret_scene);
        add_new_source(r, wish, field, ret_scene, ret_aim);
        break;
    case ECLAIRS_OUTBURST:
        if (known >= 0) add_outburst(r, wish, field, known, ret_scene, ret_aim);
        break;
    case ECLAIRS_BADSUB:
        if (known >= 0) add_bad_subtraction(r, field, known, ret_scene, ret_aim);
        break;
    case ECLAIRS_ARTEFACT:
        if (known >= 0) add_artefact(r, field, known, ret_scene, ret_aim);
        break;
    case ECLAIRS_SAA: add_particles(r, rng_log_between(r, 0.1, 3.0), ret_scene); break;
    case ECLAIRS_COLUMN: add_columns(r, 0.15, 2.0, ret_scene); break;
    case ECLAIRS_XRDPIX: add_modules(r, 30, 0.06, 0.5, ret_scene); break;
    case ECLAIRS_HOTPIX: add_hot_pixels(r, ret_scene); break;
    case ECLAIRS_NOISE:
        for (int i = 0; i < ret_scene->n_source; i++)
            ret_scene->source[i].left_over = rng_between(r, -0.15, 0.15);
        break;
    default: add_new_source(r, wish, field, ret_scene, ret_aim); break;
    }
}
