/* A scene per family: what is in front of the telescope and what is wrong with it. Inner part of eclairs.h.
 * Source: science.md B.3, B.5. */
#ifndef BURST_SIM_ECLAIRS_FAMILY_H
#define BURST_SIM_ECLAIRS_FAMILY_H
#include "sim/eclairs.h"
#include "sim/eclairs_decode.h"
#include "sim/eclairs_field.h"
#include "sim/eclairs_plane.h"

/* Where the trigger must, or must not, fire. */
struct aim {
    bool has_target;
    double y, z, reach_px; /* the peak must lie within reach_px of the target */
    int source;            /* of the scene: the target itself, whose counts may be changed; -1: none */
    int n_excluded;        /* known sources around which peaks are not looked at */
    double excluded[PLANE_SOURCE_MAX][2];
};

/* What the scenes of one alert have in common. */
struct staging {
    const struct eclairs_wish *wish;
    const struct eclairs_shift *shift;
    struct decoder *decoder; /* is asked what the Earth hides */
    double variant;          /* 0 to 1: which kind of the family; drawn once, as kinds fire more or less often */
};

/* A scene of the wished family on that field. */
void family_scene(struct rng *r, const struct staging *staging, const struct field *field,
                  struct plane_scene *ret_scene, struct aim *ret_aim);
/* Counts of the cosmic background that the Moon's disc hides from the whole plane, on axis. */
double moon_hole_counts(const struct plane_scene *s);
#endif
