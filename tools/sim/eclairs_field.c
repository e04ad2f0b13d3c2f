/* See eclairs_field.h. */
#include "sim/eclairs_field.h"
#include "base/clock.h"
#include "prepare/sky.h"
#include <math.h>

static const double ORBIT_KM = 6378.0 + 620.0; /* SVOM's notices: 614 to 623 km */
static const double DEG = M_PI / 180.0;
static const double MOON_CODED_LEAST = 0.1; /* of the plane: where the Moon is put */
static const double LIT_DEG = 100.0;        /* Moon from Sun: more than half of it is lit */

/* Strips of real notices (sb26020402 5-8, sb26030408 5-20, sb26043009 8-50, sb26030704 8-120 keV). Their shares are the
 * integral of the cosmic background's photon spectrum E^-1.29 exp(-E/41.13 keV) over that above 4 keV.
 * Source: Gruber et al. 1999. Assumed: an effective area that does not depend on energy. */
static const struct {
    double low_kev, high_kev, share;
} STRIP[] = {{5.0, 8.0, 0.256}, {5.0, 20.0, 0.607}, {8.0, 50.0, 0.522}, {8.0, 120.0, 0.538}};

static double overlap(double sky)
{
    double shift = fabs(sky - SKY_CENTRE) - (MASK_SIDE - PLANE_SIDE) / 2;
    return 1.0 - fmin(fmax(shift, 0.0), PLANE_SIDE) / PLANE_SIDE;
}

double coded_fraction(double y, double z)
{
    return overlap(y) * overlap(z);
}

static void draw_unit(struct rng *r, double ret[3])
{
    double z = rng_between(r, -1.0, 1.0), angle = rng_between(r, 0.0, 2.0 * M_PI), out = sqrt(1.0 - z * z);
    ret[0] = out * cos(angle);
    ret[1] = out * sin(angle);
    ret[2] = z;
}

/* Time, orbit and energies. */
static void draw_circumstances(struct rng *r, int n_strip, struct field *f)
{
    double dot = 0.0, length = 0.0;
    int strip = (int)(rng_uniform(r) * n_strip);
    /* 2026-01-01T00:01:09.184 TT and the four years after it */
    f->start_ns = INT64_C(1767225669184000000) + (int64_t)(rng_uniform(r) * 126144000.0) * CLOCK_NS_PER_S;
    f->e_min_kev = STRIP[strip].low_kev;
    f->e_max_kev = STRIP[strip].high_kev;
    f->strip_share = STRIP[strip].share;
    draw_unit(r, f->orbit[0]);
    draw_unit(r, f->orbit[1]);
    for (int i = 0; i < 3; i++)
        dot += f->orbit[0][i] * f->orbit[1][i];
    for (int i = 0; i < 3; i++) {
        f->orbit[1][i] -= dot * f->orbit[0][i];
        length += f->orbit[1][i] * f->orbit[1][i];
    }
    for (int i = 0; i < 3; i++)
        f->orbit[1][i] /= sqrt(length);
}

void field_observer(const struct field *f, double after_s, double ret_km[3])
{
    double angle = ORBIT_DEG_PER_S * DEG * after_s;
    for (int i = 0; i < 3; i++)
        ret_km[i] = ORBIT_KM * (cos(angle) * f->orbit[0][i] + sin(angle) * f->orbit[1][i]);
}

static void find_moon(const struct field *f, double after_s, double ret_deg[2])
{
    double observer_km[3];
    field_observer(f, after_s, observer_km);
    sky_moon_from(f->start_ns + llround(after_s * 1e9), observer_km, ret_deg);
}

void field_moon(const struct field *f, double after_s, double ret_pixel[2])
{
    double deg[1][2], pixel[1][2] = {{NAN, NAN}};
    find_moon(f, after_s, deg[0]);
    (void)sky_to_pixels(&f->wcs, 1, (const double(*)[2])deg, pixel, NULL); /* our own coordinates */
    ret_pixel[0] = pixel[0][0] - 1.0;
    ret_pixel[1] = pixel[0][1] - 1.0;
}

static void look(double ra_deg, double dec_deg, double roll, struct tan_wcs *ret_wcs)
{
    const double px_deg = TAN_PER_PIXEL / DEG;
    *ret_wcs = (struct tan_wcs){
        .crpix = {SKY_CENTRE + 1, SKY_CENTRE + 1},
        .crval_deg = {ra_deg, dec_deg},
        .cd = {{-px_deg * cos(roll), px_deg * sin(roll)}, {px_deg * sin(roll), px_deg * cos(roll)}},
    };
}

static bool is_within(double y, double z, double half_side)
{
    return fabs(y - SKY_CENTRE) <= half_side && fabs(z - SKY_CENTRE) <= half_side;
}

/* The known sources in the sky image; tells whether a bright one is well inside. */
static bool find_known(const struct catalogue *c, struct field *f)
{
    double deg[KNOWN_MAX][2], pixel[KNOWN_MAX][2];
    size_t n = c->n_source < KNOWN_MAX ? c->n_source : KNOWN_MAX;
    bool has_bright = false;
    f->n_known = 0;
    for (size_t i = 0; i < n; i++) {
        deg[i][0] = c->source[i].ra_deg;
        deg[i][1] = c->source[i].dec_deg;
        pixel[i][0] = pixel[i][1] = NAN;
    }
    (void)sky_to_pixels(&f->wcs, n, (const double(*)[2])deg, pixel,
                        NULL); /* our own coordinates: NaN is behind the plane */
    for (size_t i = 0; i < n; i++) {
        double y = pixel[i][0] - 1.0, z = pixel[i][1] - 1.0;
        if (!is_within(y, z, SKY_CENTRE)) continue;
        f->known[f->n_known++] = (struct known_source){y, z, c->source[i].bright};
        has_bright |= c->source[i].bright && is_within(y, z, 80.0);
    }
    return has_bright;
}

static bool has_bright_source(const struct catalogue *c)
{
    for (size_t i = 0; i < c->n_source; i++)
        if (c->source[i].bright) return true;
    return false;
}

void field_draw(struct rng *r, const struct catalogue *c, struct field *ret_field)
{
    int most = has_bright_source(c) ? 1000 : 1; /* a list with no bright source gives an ordinary pointing */
    draw_circumstances(r, (int)(sizeof STRIP / sizeof STRIP[0]), ret_field);
    for (int i = 0; i < most; i++) {
        double roll = rng_between(r, 0.0, 2.0 * M_PI), dec_deg = asin(rng_between(r, -1.0, 1.0)) / DEG;
        look(rng_between(r, 0.0, 360.0), dec_deg, roll, &ret_field->wcs);
        if (find_known(c, ret_field)) return;
    }
}

static double separation_deg(const double a[2], const double b[2])
{
    double cosine = sin(a[1] * DEG) * sin(b[1] * DEG) + cos(a[1] * DEG) * cos(b[1] * DEG) * cos((a[0] - b[0]) * DEG);
    return acos(fmin(fmax(cosine, -1.0), 1.0)) / DEG;
}

/* Look so that a sky position lies at a random coded pixel: first straight at it, then at what lies opposite. */
static void look_beside(struct rng *r, const double deg[2], struct tan_wcs *ret_wcs)
{
    double pixel[1][2], axis[1][2] = {{deg[0], deg[1]}}, roll = rng_between(r, 0.0, 2.0 * M_PI), y, z;
    do {
        y = rng_between(r, 4.0, SKY_SIDE - 5.0);
        z = rng_between(r, 4.0, SKY_SIDE - 5.0);
    } while (coded_fraction(y, z) < MOON_CODED_LEAST);
    pixel[0][0] = 2 * SKY_CENTRE - y + 1.0;
    pixel[0][1] = 2 * SKY_CENTRE - z + 1.0;
    look(deg[0], deg[1], roll, ret_wcs);
    (void)sky_from_pixels(ret_wcs, 1, (const double(*)[2])pixel, axis, NULL); /* our own coordinates */
    look(axis[0][0], axis[0][1], roll, ret_wcs);
}

void field_draw_moon(struct rng *r, const struct catalogue *c, struct field *ret_field)
{
    double moon[2], sun[2], pixel[2];
    for (int i = 0; i < 1000; i++) {
        draw_circumstances(r, 2, ret_field);
        find_moon(ret_field, 0.0, moon);
        sky_sun_from(ret_field->start_ns, NULL, sun);
        if (separation_deg(moon, sun) < LIT_DEG) continue;
        look_beside(r, moon, &ret_field->wcs);
        field_moon(ret_field, 0.0, pixel);
        if (!(coded_fraction(pixel[0], pixel[1]) >= MOON_CODED_LEAST)) continue; /* turned out of it near the poles */
        if (find_known(c, ret_field)) return;
    }
}
