/* What is in front of the telescope and what is wrong with it: a pointing, and a scene per family. Inner part of
 * eclairs.h. Source: science.md B.3, B.5. */
#ifndef BURST_SIM_ECLAIRS_FAMILY_H
#define BURST_SIM_ECLAIRS_FAMILY_H
#include "sim/eclairs.h"
#include "sim/eclairs_plane.h"

enum { KNOWN_MAX = 512 };

struct known_source {
    double y, z; /* sky pixel, fractional, 0-based */
    bool bright;
};

/* One pointing: coordinates of the whole sky image and the known sources inside it. */
struct field {
    struct tan_wcs wcs; /* FITS pixel 1 is sky pixel 0 */
    int n_known;
    struct known_source known[KNOWN_MAX];
};

/* Where the trigger must, or must not, fire. */
struct aim {
    bool has_target;
    double y, z, reach_px; /* the peak must lie within reach_px of the target */
    int n_excluded;        /* known sources around which peaks are not looked at */
    double excluded[PLANE_SOURCE_MAX][2];
};

/* A random pointing and roll with at least one bright known source well inside: for every family, so that neither
 * pointing nor the number of known sources tells the label. */
void field_draw(struct rng *r, const struct catalogue *c, struct field *ret_field);
/* A scene of the wished family on that field. */
void family_scene(struct rng *r, const struct eclairs_wish *wish, const struct field *field,
                  struct plane_scene *ret_scene, struct aim *ret_aim);
/* Share of the plane that sees this sky pixel through the mask. */
double coded_fraction(double y, double z);
#endif
