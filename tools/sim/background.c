/* Background rates: expectation values only, counts are drawn from them elsewhere. */
#include "sim/background.h"
#include <math.h>

/* Counts per 64 ms: five atoms, then the rest (below 25 and above 900 keV). Source: science.md A.5, A.6. */
static const double LEVEL[SIM_MISSION_N][SIM_GROUP] = {
    [SIM_GECAM_B] = {12.0, 6.5, 8.0, 2.6, 1.9, 22.0},    [SIM_FERMI_GBM] = {16.0, 10.5, 10.2, 2.1, 1.8, 24.0},
    [SIM_GECAM_A] = {12.0, 6.5, 8.0, 2.6, 1.9, 22.0},    [SIM_GECAM_C] = {12.0, 6.5, 8.0, 2.6, 1.9, 22.0},
    [SIM_SVOM_GRM] = {25.4, 16.7, 16.2, 3.3, 2.9, 30.0}, /* GBM's by area, 200 over 126 cm2; above 15 keV */
};
static const double BIN_S = 0.064;

static double draw_slope(struct rng *r)
{
    return rng_chance(r, 0.06) ? rng_between(r, -0.25, 0.25) : rng_laplace(r, rng_between(r, 0.017, 0.025));
}

static void draw_turn(struct rng *r, struct background *b)
{
    static const double PART[SIM_GROUP] = {1.0, 0.35, 0.05, 0.0, 0.0, 1.0};
    double height = rng_chance(r, 0.4) ? rng_log_between(r, 0.05, 0.6) : 0.0;
    if (rng_chance(r, 0.5)) height = 1.0 / (1.0 + height) - 1.0; /* falls undo rises */
    b->turn_at = rng_between(r, -0.7, 0.7);
    b->turn_width = rng_log_between(r, 0.1, 1.0);
    for (int g = 0; g < SIM_GROUP; g++)
        b->turn[g] = height * PART[g];
}

void background_draw(struct rng *r, enum sim_mission mission, double spread, struct background *ret_background)
{
    struct background *b = ret_background;
    double common = rng_log_between(r, 1.0 / spread, spread);
    double slope = draw_slope(r), bend = rng_laplace(r, 0.007), twist = rng_laplace(r, 0.003);
    for (int g = 0; g < SIM_GROUP; g++) {
        double hard = g == SIM_REST ? 0.0 : (double)g / (SIM_ATOM - 1);
        b->level[g] = LEVEL[mission][g] / BIN_S * common * (1.0 + rng_between(r, -0.2, 0.2));
        b->slope[g] = slope * (1.0 - 1.6 * hard) + 0.006 * rng_normal(r);
        b->bend[g] = bend * (1.0 - hard) + 0.003 * rng_normal(r);
        b->twist[g] = twist * (1.0 - hard) + 0.002 * rng_normal(r);
    }
    int red = rng_chance(r, 0.026);
    b->red_rms = red ? rng_between(r, 0.02, 0.08) : 0.0;
    b->red_time_s = rng_between(r, 2.0, 15.0);
    draw_turn(r, b);
}

void background_set(struct rng *r, const struct background *b, const struct sim_grid *grid, double *rate)
{
    for (int g = 0; g < SIM_GROUP; g++)
        for (size_t i = 0; i < grid->n_bin; i++) {
            double x = ((double)i + 0.5) / (double)grid->n_bin - 0.5;
            double shape = 1.0 + b->slope[g] * x + b->bend[g] * (4.0 * x * x - 1.0 / 3.0) + b->twist[g] * x * x * x;
            if (b->turn_width > 0.0) shape *= 1.0 + b->turn[g] * 0.5 * (1.0 + tanh((x - b->turn_at) / b->turn_width));
            rate[(size_t)g * grid->n_bin + i] = b->level[g] * fmax(shape, 0.05);
        }
    if (b->red_rms <= 0.0) return;
    struct rng path = *r; /* the same path in every group: particles do not choose a band */
    for (int g = 0; g < SIM_GROUP; g++) {
        *r = path;
        red_noise_apply(r, b->red_rms, b->red_time_s, grid, rate + (size_t)g * grid->n_bin);
    }
}

void background_set_orbit(const struct background *b, double phase, const struct sim_grid *grid, double *rate)
{
    static const double ORBIT_S = 5700.0;
    /* Peak modulation: root 2 times the measured rms (science.md A.6); soft and hard move against each other. */
    static const double MODULATION[SIM_GROUP] = {0.050, -0.034, -0.075, -0.110, -0.130, 0.050};
    for (int g = 0; g < SIM_GROUP; g++)
        for (size_t i = 0; i < grid->n_bin; i++) {
            double angle = 2.0 * M_PI * ((grid->t0_s + ((double)i + 0.5) * grid->bin_s) / ORBIT_S + phase);
            double shape = 1.0 + MODULATION[g] * (sin(angle) + 0.3 * sin(2.0 * angle + 1.0));
            rate[(size_t)g * grid->n_bin + i] = b->level[g] * shape;
        }
}

void red_noise_apply(struct rng *r, double rms, double time_s, const struct sim_grid *grid, double *values)
{
    double keep = exp(-grid->bin_s / time_s), kick = rms * sqrt(1.0 - keep * keep), state = rms * rng_normal(r);
    for (size_t i = 0; i < grid->n_bin; i++) {
        values[i] *= fmax(1.0 + state, 0.0);
        state = keep * state + kick * rng_normal(r);
    }
}
