/* Where the telescope looks, when, from where and in which energies: the same draw for every family, so that none of it
 * tells the label. Inner part of eclairs.h. */
#ifndef BURST_SIM_ECLAIRS_FIELD_H
#define BURST_SIM_ECLAIRS_FIELD_H
#include "prepare/catalogue.h"
#include "records/packet.h"
#include "sim/eclairs_mask.h"
#include "sim/rng.h"
#include <stdbool.h>

enum { KNOWN_MAX = 512 };
#define EARTH_RADIUS_DEG 65.9   /* of its disc, from 620 km: the height in SVOM's notices */
#define ORBIT_DEG_PER_S  0.0619 /* a circular orbit at that height goes round in 97 minutes */

struct known_source {
    double y, z; /* sky pixel, fractional, 0-based */
    bool bright;
};

struct field {
    struct tan_wcs wcs; /* FITS pixel 1 is sky pixel 0 */
    int64_t start_ns;   /* TT */
    double orbit[2][3]; /* unit vectors, axes of ICRS: where the satellite is at the start, and where it goes */
    double e_min_kev, e_max_kev;
    double strip_share; /* of the background above 4 keV that this energy strip holds */
    int n_known;
    struct known_source known[KNOWN_MAX];
};

/* A random time, orbit, strip, pointing and roll with at least one bright known source well inside. */
void field_draw(struct rng *r, const struct catalogue *c, struct field *ret_field);
/* The same with a lit Moon in the coded field, in the two soft strips. */
void field_draw_moon(struct rng *r, const struct catalogue *c, struct field *ret_field);
/* Where the satellite is `after_s` seconds into the exposure, km. */
void field_observer(const struct field *f, double after_s, double ret_km[3]);
/* Sky pixel of the Moon's centre then, as the satellite sees it; NaN behind the plane. */
void field_moon(const struct field *f, double after_s, double ret_pixel[2]);
/* Share of the plane that sees this sky pixel through the mask. */
double coded_fraction(double y, double z);
#endif
