/* Where the detectors of a mission look. */
#ifndef BURST_SIM_GEOMETRY_H
#define BURST_SIM_GEOMETRY_H
#include "sim/background.h"

/* A direction in the spacecraft's frame: zenith angle from its z axis, azimuth about it. */
struct direction {
    double azimuth_deg, zenith_deg;
};

/* Detectors of the light-curve search: GECAM-A and -B 25 GRD, GECAM-C 12, Fermi/GBM 12 NaI, SVOM/GRM 3. */
int geometry_count(enum sim_mission mission);
/* Axis of detector 0..count-1.
 * Source  Fermi/GBM: the flight pointings; GECAM-B: a layout of our own with the flight layout's coverage (the
 *         flight table is not public): one detector on the axis and rings of 6 at 40, 8 at 73.5 and 10 at 90 degrees
 *         (science.md A.5). config/geometry has them
 *         as tables. GECAM-A as its twin; GECAM-C and SVOM/GRM: as those tables say. */
struct direction geometry_axis(enum sim_mission mission, int detector);
/* Cosine of the angle between two directions. */
double geometry_cosine(struct direction a, struct direction b);
/* Uniform over the sky above `most_zenith_deg`. */
struct direction geometry_draw(struct rng *r, double most_zenith_deg);
#endif
