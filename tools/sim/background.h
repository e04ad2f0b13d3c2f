/* What a detector counts when nothing happens: levels, slow trends, red noise; and what happens that is no burst. */
#ifndef BURST_SIM_BACKGROUND_H
#define BURST_SIM_BACKGROUND_H
#include "sim/profile.h"

/* Of scenes; the order is kept, as seeds draw by it. */
enum sim_mission { SIM_GECAM_B, SIM_FERMI_GBM, SIM_GECAM_A, SIM_GECAM_C, SIM_SVOM_GRM, SIM_MISSION_N };

/* Mean rates of one detector in counts per second, and their slow change over one orbit.
 * b_k(t) = level_k (1 + slope_k x + bend_k (4 x^2 - 1/3) + twist_k x^3), x = (t - middle) / span. */
struct background {
    double level[SIM_GROUP], slope[SIM_GROUP], bend[SIM_GROUP], twist[SIM_GROUP];
    double turn[SIM_GROUP], turn_at,
        turn_width;             /* a soft turn on top: relative height after it; in parts of the span */
    double red_rms, red_time_s; /* Ornstein-Uhlenbeck part common to all groups; 0: none */
};

/* Draw a background of a mission. `spread` 1 keeps the mission's own levels (+-20 %); more widens them by up to that
 * factor either way. Trends are soft against hard, as measured;
 * two skies in five turn in the soft groups alone, as when the Earth's limb covers or frees the X-ray background.
 * Source  science.md A.5 (GECAM-B levels), A.6 (NaI levels, trends, red noise in 2.6 % of quiet windows); the turn: GBM n6 after
 *         GRB 110721A, 25-50 keV falling by 37 % in 150 s, 50-100 keV by 12 %, nothing above */
void background_draw(struct rng *r, enum sim_mission mission, double spread, struct background *ret_background);

/* Set rate [SIM_GROUP][n_bin], counts per second; trends span the grid. */
void background_set(struct rng *r, const struct background *b, const struct sim_grid *grid, double *rate);

/* Set rate over any length: levels with an orbit of 95 minutes and its harmonic instead of the polynomial, phase
 * 0..1. */
void background_set_orbit(const struct background *b, double phase, const struct sim_grid *grid, double *rate);

/* Multiply values [n_bin] by 1 + an Ornstein-Uhlenbeck path of this rms and correlation time, never below 0. */
void red_noise_apply(struct rng *r, double rms, double time_s, const struct sim_grid *grid, double *values);
#endif
