/* What the detectors of a spacecraft count when nothing happens: for the light-curve sets. */
#ifndef BURST_SIM_QUIET_H
#define BURST_SIM_QUIET_H
#include "sim/spacecraft.h"

/* What all detectors have in common for one window: levels and trends, relative. */
struct quiet_sky {
    double level[SIM_GROUP], slope[SIM_GROUP], bend[SIM_GROUP], twist[SIM_GROUP]; /* trends per 120 s */
    double turn[SIM_GROUP], turn_at,
        turn_width;             /* a soft turn on top: relative height after it; in parts of the window */
    double red_rms, red_time_s; /* Ornstein-Uhlenbeck part common to groups and detectors; 0: none */
};

/* Draw one.
 * Notes   Levels scatter by half either way in common and by a fifth per group; trends are soft against hard, as
 *         measured; two skies in five turn in the soft groups alone, as when the Earth's limb covers or frees the X-ray
 *         background.
 * Source  science.md A.6: percentiles of trends over 14,115 windows, red noise in 2.6 % of them; the turn: GBM n6 after
 *         GRB 110721A, 25-50 keV falling by 37 % in 150 s, 50-100 keV by 12 %, nothing above */
void quiet_sky_draw(struct rng *r, struct quiet_sky *ret_sky);

/* Set rate [SIM_GROUP][n_bin], expected counts per second of one detector: the sky's, its own level off by 6 % and its
 * own trend by 0.6 % in each group (science.md A.6). `red` and
 * `turn` [n_bin] are quiet_red's and quiet_turn's. */
void quiet_paint(struct rng *r, const struct quiet_sky *sky, const struct detector_kind *kind,
                 const struct sim_grid *grid, const float *red, const float *turn, float *rate);

/* Set turn [n_bin] to how much of the sky's turn is done, 0 to 1. */
void quiet_turn(const struct quiet_sky *sky, const struct sim_grid *grid, float *turn);

/* Set red [n_bin] to 1 + the sky's red noise, or to 1. */
void quiet_red(struct rng *r, const struct quiet_sky *sky, const struct sim_grid *grid, float *red);
#endif
