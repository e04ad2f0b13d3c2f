/* What rises in the data and is no burst. */
#ifndef BURST_SIM_TRANSIENT_H
#define BURST_SIM_TRANSIENT_H
#include "sim/background.h"

/* Source: science.md A.7. */
enum transient_family {
    TRANSIENT_HUMP,      /* particles on the way into or out of the belts: smooth, all detectors alike, 20-200 s wide */
    TRANSIENT_PARTICLES, /* distant particles: faster (10-30 s), softer */
    TRANSIENT_FLARE,     /* solar flare: slow and very soft */
    TRANSIENT_SPIKE,     /* phosphorescence after a heavy nucleus: one detector, soft, decay 50-500 ms */
    TRANSIENT_FLASH,     /* terrestrial gamma-ray flash: inside one bin, hard */
    TRANSIENT_BIT,       /* electronics: one bin of one energy group */
    TRANSIENT_HOT,       /* electronics: one energy group at a constant extra rate for a while */
    TRANSIENT_STEP,      /* occultation or slew: a level changes over 1-100 s */
    TRANSIENT_RAMP,      /* the South Atlantic Anomaly's edge: an exponential up to the moment data stop */
    TRANSIENT_N
};

struct transient {
    enum transient_family family;
    double centre_s;            /* middle, onset or edge */
    double rise_s, fall_s;      /* 1 sigma, e-folding or tanh widths: see transient.c */
    double height;              /* counts per second in the five atoms at the top; < 0 falls (a step) */
    double part[SIM_GROUP];     /* of that height; the five atoms sum to 1 */
    double red_rms, red_time_s; /* flicker on top; 0: smooth */
};

/* Name for tables ("hump"). */
const char *transient_name(enum transient_family family);

/* Draw one of a family, centre 0, seen by a detector that counts `level` per second in its atoms when quiet. */
void transient_draw(struct rng *r, enum transient_family family, enum crystal crystal, double level,
                    struct transient *ret_transient);

/* Where it differs from nothing by more than a few per cent of its height. */
void transient_extent(const struct transient *t, double *ret_start_s, double *ret_stop_s);

/* Add it, times `gain`, to rate [SIM_GROUP][n_bin]; no rate falls below 0. `r` feeds the flicker: equal states give
 * detectors the same flicker. */
void transient_add(struct rng *r, const struct transient *t, double gain, const struct sim_grid *grid, double *rate);
#endif
