/* See subimage.h. Frame pixel [z][y] is sky pixel (trigger_y + y - 28, trigger_z + z - 28). */
#include "prepare/subimage.h"
#include "prepare/sky.h"
#include <math.h>
#include <string.h>

static const double SOURCE_REACH_PX = 1.0; /* protocol.md 5, third mask rule */
enum { SKY_SIDE_MAX = 4096 };              /* far above ECLAIRs' 200: keeps pixel sums inside an int */
enum { CHUNK = 64 };                       /* catalogue sources looked at in one go: bounds the stack */
enum { SPARSE_LEAST = IMAGE_SIDE * IMAGE_SIDE / 4 };

/* Half the angular size at the mean distance, degrees: 1,737.4 km at 384,400 km, 695,700 km at 149,597,871 km. From perigee to
 * apogee the Moon's changes by 0.02 degrees, a thirtieth of a pixel. */
static const double MOON_RADIUS_DEG = 0.2590, SUN_RADIUS_DEG = 0.2665;
enum {
    LIMB_POINTS = 16
}; /* with 1.0 pixel of reach each, their union leaves out less than 0.02 pixel of the disc's own */
/* Parallax from 1,000 km above the ground at perigee, 1.19 degrees, stretched by the projection at 45 degrees from the axis. */
static const double PARALLAX_PX = 5.0;
/* Four pixels: beyond that a known source is marked where it is not (decide takes 3 pixels for "near"). */
static const double OFF_AXIS_DEG = 2.0;

static bool is_inside(int y, int z, int y0, int z0, int n_y, int n_z)
{
    return y >= y0 && y < y0 + n_y && z >= z0 && z < z0 + n_z;
}

static enum burst_err check_geometry(const struct subimage_packet *p, struct burst_error *reterr)
{
    if (p->n_y < 1 || p->n_y > SUBIMAGE_SIDE || p->n_z < 1 || p->n_z > SUBIMAGE_SIDE)
        return burst_fail(reterr, BURST_E_SHAPE, "sub-image of %d x %d pixels, at most %d x %d", p->n_y, p->n_z,
                          SUBIMAGE_SIDE, SUBIMAGE_SIDE);
    if (p->sky_n < 1 || p->sky_n > SKY_SIDE_MAX)
        return burst_fail(reterr, BURST_E_RANGE, "a sky of %d pixels a side, 1 to %d are taken", p->sky_n,
                          SKY_SIDE_MAX);
    if (p->sky_y0 < 0 || p->sky_z0 < 0 || p->sky_y0 > p->sky_n - p->n_y || p->sky_z0 > p->sky_n - p->n_z)
        return burst_fail(reterr, BURST_E_RANGE, "sub-image at sky pixel (%d, %d) leaves the sky of %d x %d pixels",
                          p->sky_y0, p->sky_z0, p->sky_n, p->sky_n);
    if (!is_inside(p->trigger_y, p->trigger_z, 0, 0, p->sky_n, p->sky_n))
        return burst_fail(reterr, BURST_E_RANGE, "trigger pixel (%d, %d) lies outside the sky of %d x %d pixels",
                          p->trigger_y, p->trigger_z, p->sky_n, p->sky_n);
    return BURST_OK;
}

static enum burst_err check_pixels(const struct subimage_packet *p, struct burst_error *reterr)
{
    for (int i = 0; i < p->n_y * p->n_z; i++)
        if (isinf(p->snr[i]))
            return burst_fail(reterr, BURST_E_RANGE, "pixel (%d, %d) is infinite", i % p->n_y + 1, i / p->n_y + 1);
    return BURST_OK;
}

/* First and fourth mask rule; snr and n_missing on the way. */
static void place_pixels(const struct subimage_packet *p, struct image_sample *s)
{
    for (int z = 0; z < IMAGE_SIDE; z++)
        for (int y = 0; y < IMAGE_SIDE; y++) {
            int sky_y = p->trigger_y + y - IMAGE_CENTRE, sky_z = p->trigger_z + z - IMAGE_CENTRE;
            float snr = NAN;
            if (is_inside(sky_y, sky_z, p->sky_y0, p->sky_z0, p->n_y, p->n_z))
                snr = p->snr[(sky_z - p->sky_z0) * p->n_y + sky_y - p->sky_y0];
            s->snr[z][y] = isnan(snr) ? 0.0f : snr;
            s->mask[z][y] = (uint8_t)(isnan(snr) ? MASK_IGNORE : MASK_BACKGROUND);
            if (isnan(snr) && is_inside(sky_y, sky_z, 0, 0, p->sky_n, p->sky_n)) s->n_missing++;
        }
}

/* Third mask rule around the frame position (y, z) of one source. */
static void mark_source(struct image_sample *s, double y, double z)
{
    int y_first = (int)fmax(ceil(y - SOURCE_REACH_PX), 0.0), z_first = (int)fmax(ceil(z - SOURCE_REACH_PX), 0.0);
    for (int i = z_first; i < IMAGE_SIDE && i <= z + SOURCE_REACH_PX; i++)
        for (int j = y_first; j < IMAGE_SIDE && j <= y + SOURCE_REACH_PX; j++)
            if (s->mask[i][j] == MASK_BACKGROUND && hypot(j - y, i - z) <= SOURCE_REACH_PX) s->mask[i][j] = MASK_SOURCE;
}

/* Pixel centres of the sky are 0 .. sky_n - 1; a NaN (behind the tangent plane) fails both comparisons. */
static bool is_in_sky(const struct subimage_packet *p, double sky_y, double sky_z, double margin_px)
{
    return fmin(sky_y, sky_z) >= -margin_px && fmax(sky_y, sky_z) <= p->sky_n - 1 + margin_px;
}

/* One known source at FITS pixel `pixel` of the file: mask, and the nearest so far. */
static void meet_source(const struct subimage_packet *p, const double pixel[2], const char *name,
                        struct image_sample *s)
{
    double sky_y = pixel[0] - 1.0 + p->sky_y0, sky_z = pixel[1] - 1.0 + p->sky_z0;
    double y = sky_y - p->trigger_y, z = sky_z - p->trigger_z, distance = hypot(y, z);
    if (!is_in_sky(p, sky_y, sky_z, SOURCE_REACH_PX)) return;
    mark_source(s, y + IMAGE_CENTRE, z + IMAGE_CENTRE);
    if (s->nearest_px >= 0.0 && distance >= s->nearest_px) return;
    s->nearest_px = distance;
    memset(s->nearest_name, 0, sizeof s->nearest_name);
    memcpy(s->nearest_name, name, strnlen(name, sizeof s->nearest_name - 1));
}

static enum burst_err meet_catalogue(const struct subimage_packet *p, const struct catalogue *c, struct image_sample *s,
                                     struct burst_error *reterr)
{
    double deg[CHUNK][2], pixel[CHUNK][2];
    for (size_t at = 0; at < c->n_source; at += CHUNK) {
        size_t n = c->n_source - at < CHUNK ? c->n_source - at : CHUNK;
        for (size_t i = 0; i < n; i++) {
            deg[i][0] = c->source[at + i].ra_deg;
            deg[i][1] = c->source[at + i].dec_deg;
        }
        enum burst_err err = sky_to_pixels(&p->wcs, n, (const double(*)[2])deg, pixel, reterr);
        if (err) return err;
        for (size_t i = 0; i < n; i++)
            meet_source(p, pixel[i], c->source[at + i].name, s);
    }
    return BURST_OK;
}

/* The direction `radius_deg` away from `centre_deg` at the position angle (north through east). */
static void limb_point(const double centre_deg[2], double radius_deg, double angle_rad, double ret_deg[2])
{
    const double rad = M_PI / 180.0;
    double dec = centre_deg[1] * rad, r = radius_deg * rad;
    double up = sin(dec) * cos(r) + cos(dec) * sin(r) * cos(angle_rad);
    double along = atan2(sin(r) * sin(angle_rad), cos(dec) * cos(r) - sin(dec) * sin(r) * cos(angle_rad));
    ret_deg[0] = centre_deg[0] + along / rad;
    ret_deg[1] = asin(fmin(fmax(up, -1.0), 1.0)) / rad;
}

/* A disc on the sky: its centre and its limb are sources. */
static enum burst_err meet_disc(const struct subimage_packet *p, const double centre_deg[2], double radius_deg,
                                const char *name, struct image_sample *s, struct burst_error *reterr)
{
    double deg[LIMB_POINTS + 1][2] = {{centre_deg[0], centre_deg[1]}}, pixel[LIMB_POINTS + 1][2];
    for (int i = 0; i < LIMB_POINTS; i++)
        limb_point(centre_deg, radius_deg, 2 * M_PI * i / LIMB_POINTS, deg[i + 1]);
    enum burst_err err = sky_to_pixels(&p->wcs, LIMB_POINTS + 1, (const double(*)[2])deg, pixel, reterr);
    for (int i = 0; !err && i <= LIMB_POINTS; i++)
        meet_source(p, pixel[i], name, s);
    return err;
}

/* The Moon where the satellite saw it; without a satellite the geocentric one, and a flag where that makes a difference. */
static enum burst_err meet_moon_and_sun(const struct subimage_packet *p, struct image_sample *s,
                                        struct burst_error *reterr)
{
    const double *observer_km = s->platform.has_position ? s->platform.position_icrs_km : NULL;
    int64_t middle_ns = p->span.start_ns + (p->span.stop_ns - p->span.start_ns) / 2;
    double moon[1][2], sun[2], pixel[1][2];
    sky_moon_from(middle_ns, observer_km, moon[0]);
    sky_sun_from(middle_ns, observer_km, sun);
    enum burst_err err = sky_to_pixels(&p->wcs, 1, (const double(*)[2])moon, pixel, reterr);
    if (!err) err = meet_disc(p, moon[0], MOON_RADIUS_DEG, "Moon", s, reterr);
    if (!err) err = meet_disc(p, sun, SUN_RADIUS_DEG, "Sun", s, reterr);
    if (err) return err;
    bool beside = is_in_sky(p, pixel[0][0] - 1.0 + p->sky_y0, pixel[0][1] - 1.0 + p->sky_z0, PARALLAX_PX);
    if (beside && !observer_km) s->flags |= IMAGE_GEOCENTRIC;
    return BURST_OK;
}

static enum burst_err find_trigger(const struct subimage_packet *p, struct image_sample *s, struct burst_error *reterr)
{
    double pixel[1][2] = {{p->trigger_y - p->sky_y0 + 1, p->trigger_z - p->sky_z0 + 1}}, deg[1][2];
    enum burst_err err = sky_from_pixels(&p->wcs, 1, (const double(*)[2])pixel, deg, reterr);
    if (err) return err;
    s->ra_deg = deg[0][0];
    s->dec_deg = deg[0][1];
    return BURST_OK;
}

/* What the sky holds, by the image's own coordinates. */
static enum burst_err meet_sky(const struct subimage_packet *p, const struct catalogue *c, struct image_sample *s,
                               struct burst_error *reterr)
{
    enum burst_err err = find_trigger(p, s, reterr);
    if (!err) err = meet_catalogue(p, c, s, reterr);
    if (!err) err = meet_moon_and_sun(p, s, reterr);
    if (!err && s->platform.has_pointing &&
        platform_separation_deg(s->platform.axis_deg, p->wcs.crval_deg) > OFF_AXIS_DEG)
        s->flags |= IMAGE_OFF_AXIS;
    return err;
}

static void mark_trigger(struct image_sample *s)
{
    if (s->mask[IMAGE_CENTRE][IMAGE_CENTRE] == MASK_IGNORE)
        s->flags |= IMAGE_TRIGGER_NO_DATA;
    else
        s->mask[IMAGE_CENTRE][IMAGE_CENTRE] = MASK_TRIGGER;
}

static unsigned flags_of(const struct subimage_packet *p, const struct image_sample *s)
{
    int n_data = 0;
    for (int i = 0; i < IMAGE_SIDE * IMAGE_SIDE; i++)
        n_data += s->mask[i / IMAGE_SIDE][i % IMAGE_SIDE] != MASK_IGNORE;
    return (s->n_missing > 0 ? IMAGE_PARTIAL : 0U) | (n_data < SPARSE_LEAST ? IMAGE_SPARSE : 0U) |
           (p->faults & SUBIMAGE_NO_WCS ? IMAGE_NO_WCS : 0U) | (p->faults & SUBIMAGE_SWAPPED ? IMAGE_SWAPPED : 0U) |
           (p->faults & SUBIMAGE_NO_NOISE ? IMAGE_NO_NOISE : 0U);
}

enum burst_err subimage_prepare(const struct subimage_packet *p, const struct catalogue *c,
                                const struct platform_state *platform, struct image_sample *ret_s,
                                struct burst_error *reterr)
{
    struct image_sample s = {.packet = p, .nearest_px = -1.0, .ra_deg = NAN, .dec_deg = NAN};
    enum burst_err err = check_geometry(p, reterr);
    if (!err) err = check_pixels(p, reterr);
    if (err) return err;
    if (platform) s.platform = *platform;
    place_pixels(p, &s);
    mark_trigger(&s);
    s.flags |= flags_of(p, &s);
    if (!(s.flags & IMAGE_NO_WCS)) err = meet_sky(p, c, &s, reterr);
    if (!err) *ret_s = s;
    return err;
}
