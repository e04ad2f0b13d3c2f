/* Levels and slow trends; expectation values only. */
#include "sim/quiet.h"
#include "sim/fastexp.h"
#include <math.h>

static const double LEVEL_BIN_S = 0.064, TREND_S = 120.0;

/* Trends in parts of the softest atom's: soft rates follow the X-ray sky that the Earth covers, hard ones albedo and
 * particles. With these and the chances below, slopes and bends fitted to 60 bins of 2.048 s have the percentiles of
 * real GBM windows (tests/realism/test_background.py); signs: science.md A.6, and that hard bands drift together. */
static const double TREND[SIM_GROUP] = {1.0, 0.6, -0.3, -0.6, -0.7, 1.0};

static double draw_slope(struct rng *r)
{
    return rng_chance(r, 0.05) ? rng_between(r, -0.25, 0.25) : rng_laplace(r, rng_between(r, 0.022, 0.034));
}

static void draw_turn(struct rng *r, struct quiet_sky *s)
{
    static const double PART[SIM_GROUP] = {1.0, 0.35, 0.05, 0.0, 0.0, 1.0};
    double height = rng_chance(r, 1.0 / 7.0) ? rng_log_between(r, 0.05, 0.6) : 0.0;
    if (rng_chance(r, 0.5)) height = 1.0 / (1.0 + height) - 1.0; /* falls undo rises */
    s->turn_at = rng_between(r, -0.7, 0.7);
    s->turn_width = rng_log_between(r, 0.1, 1.0);
    for (int g = 0; g < SIM_GROUP; g++)
        s->turn[g] = height * PART[g];
}

void quiet_sky_draw(struct rng *r, struct quiet_sky *ret_sky)
{
    struct quiet_sky *s = ret_sky;
    double common = rng_log_between(r, 1.0 / 1.5, 1.5);
    double slope = draw_slope(r), bend = rng_laplace(r, 0.005), twist = rng_laplace(r, 0.003);
    for (int g = 0; g < SIM_GROUP; g++) {
        double hard = g == SIM_REST ? 0.0 : (double)g / (SIM_ATOM - 1);
        s->level[g] = common * (1.0 + rng_between(r, -0.2, 0.2));
        s->slope[g] = slope * TREND[g];
        s->bend[g] = bend * (1.0 - hard) + 0.003 * rng_normal(r);
        s->twist[g] = twist * (1.0 - hard) + 0.002 * rng_normal(r);
    }
    s->red_rms = rng_chance(r, 0.026) ? rng_between(r, 0.02, 0.08) : 0.0;
    s->red_time_s = rng_between(r, 2.0, 15.0);
    draw_turn(r, s);
}

void quiet_red(struct rng *r, const struct quiet_sky *sky, const struct sim_grid *grid, float *red)
{
    double keep = exp(-grid->bin_s / sky->red_time_s), kick = sky->red_rms * sqrt(1.0 - keep * keep), state = 0.0;
    if (sky->red_rms > 0.0) state = sky->red_rms * rng_normal(r);
    for (size_t i = 0; i < grid->n_bin; i++) {
        red[i] = (float)fmax(1.0 + state, 0.0);
        if (sky->red_rms > 0.0) state = keep * state + kick * rng_normal(r);
    }
}

void quiet_turn(const struct quiet_sky *sky, const struct sim_grid *grid, float *turn)
{
    double step = 1.0 / (double)grid->n_bin;
    for (size_t i = 0; i < grid->n_bin; i++) { /* (1 + tanh x) / 2 */
        double x = (((double)i + 0.5) * step - 0.5 - sky->turn_at) / sky->turn_width;
        turn[i] = (float)(1.0 / (1.0 + fast_exp(-2.0 * x)));
    }
}

void quiet_paint(struct rng *r, const struct quiet_sky *sky, const struct detector_kind *kind,
                 const struct sim_grid *grid, const float *red, const float *turn, float *rate)
{
    double span = (double)grid->n_bin * grid->bin_s / TREND_S;
    float step = 1.0f / (float)grid->n_bin;
    for (int g = 0; g < SIM_GROUP; g++) {
        float level = (float)(kind->level[g] / LEVEL_BIN_S * sky->level[g] * fmax(1.0 + 0.06 * rng_normal(r), 0.5));
        float slope = (float)((sky->slope[g] + 0.006 * rng_normal(r)) * span),
              bend = (float)(sky->bend[g] * span * span);
        float twist = (float)(sky->twist[g] * span * span * span), turned = (float)sky->turn[g];
        float *at = rate + (size_t)g * grid->n_bin;
        for (size_t i = 0; i < grid->n_bin; i++) {
            float x = ((float)(int)i + 0.5f) * step - 0.5f;
            float shape = 1.0f + x * (slope + x * (4.0f * bend + x * twist)) - bend / 3.0f;
            at[i] = level * (shape > 0.05f ? shape : 0.05f) * red[i] * (1.0f + turned * turn[i]);
        }
    }
}
