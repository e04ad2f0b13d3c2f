/* What rises in the data and is no burst: for the light-curve sets. */
#ifndef BURST_SIM_LOOK_ALIKE_H
#define BURST_SIM_LOOK_ALIKE_H
#include "sim/family.h"
#include "sim/spacecraft.h"
#include <stdint.h>

/* Counts per second of a quiet Fermi/GBM NaI in its five atoms: heights below are in counts of such a detector. */
#define LOOK_ALIKE_LEVEL 634.4

enum { LOOK_ALIKE_PULSES = 24 };

/* How the detectors of a spacecraft share it. */
enum look_alike_reach {
    REACH_SOURCE,    /* a source in the sky: by angle, scatter and shadow, each by its area */
    REACH_SUN,       /* by angle alone */
    REACH_ALIKE,     /* all alike to 10 % */
    REACH_PARTICLES, /* all, by factors that scatter by half and know no direction */
    REACH_ONE,       /* one detector */
    REACH_SIGNED,    /* each up or down by a factor of its own */
    REACH_NONE
};

struct look_alike {
    enum sky_family family;
    enum look_alike_reach reach;
    double centre_s, rise_s, fall_s, period_s; /* what each is: look_alike.c */
    double height;                             /* counts per second at the top */
    struct spectrum spectrum;                  /* of what does not have parts of its own */
    bool has_part;
    double part[SIM_GROUP];     /* of the height */
    double red_rms, red_time_s; /* flicker on top; 0: none */
    int n_pulse;
    struct {
        double at_s, length_s, height,
            lag_s; /* start from the centre; counts per second; softer later by lag_s per e-fold of energy */
        bool hard; /* in the hard spectrum */
    } pulse[LOOK_ALIKE_PULSES];
    struct spectrum hard; /* of hard pulses */
    double pause_s;       /* saturation: nothing is recorded behind it for so long */
};

/* Draw one of a family, centre 0. */
void look_alike_draw(struct rng *r, enum sky_family family, struct look_alike *ret_look_alike);

/* Where it differs from nothing by more than a few per cent of its height, about its centre. */
void look_alike_extent(const struct look_alike *l, double *ret_before_s, double *ret_after_s);

/* Set rate [SIM_GROUP][n_bin], counts per second in a detector of the table's response that stands on the source's axis
 * and has its area, or of a gain of 1.
 * Notes  `r` feeds the flicker: equal states give equal flicker. */
void look_alike_paint(struct rng *r, const struct look_alike *l, const struct colour_table *table,
                      const struct sim_grid *grid, float *rate);

/* Add `height` between from_s and to_s, the bins' shares exact; values [n_bin]. */
void paint_box(const struct sim_grid *grid, double from_s, double to_s, double height, float *values);
#endif
