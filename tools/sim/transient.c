/* Families of look-alikes: how each is drawn, and its shape in time. */
#include "sim/transient.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *const NAME[TRANSIENT_N] = {"hump", "particles", "flare", "spike", "flash",
                                              "bit",  "hot",       "step",  "ramp"};
static const double BIN_S = 0.064, WHOLE_FWHM = 2.3548; /* sigma to full width at half maximum */

const char *transient_name(enum transient_family family)
{
    return NAME[family];
}

static void fold_parts(const struct spectrum *s, enum crystal crystal, double *part)
{
    spectrum_fold(s, crystal, part);
    double sum = 0.0;
    for (int g = 0; g < SIM_ATOM; g++)
        sum += part[g];
    for (int g = 0; g < SIM_GROUP; g++)
        part[g] /= sum;
}

static void power_parts(struct rng *r, double low, double high, enum crystal crystal, double *part)
{
    struct spectrum s = {SPECTRUM_POWER, rng_between(r, low, high), 0.0, 0.0};
    fold_parts(&s, crystal, part);
}

static void one_group(struct rng *r, double *part)
{
    memset(part, 0, SIM_GROUP * sizeof *part);
    part[(int)(SIM_ATOM * rng_uniform(r))] = 1.0;
}

static void draw_hump(struct rng *r, enum crystal crystal, double level, struct transient *t)
{
    double fwhm = rng_log_between(r, 20.0, 200.0), skew = rng_between(r, 0.6, 1.7);
    t->rise_s = fwhm / WHOLE_FWHM * 2.0 / (1.0 + skew);
    t->fall_s = t->rise_s * skew;
    t->height = level * rng_log_between(r, 0.1, 3.0);
    power_parts(r, -3.5, -1.5, crystal, t->part);
    if (rng_chance(r, 0.3)) t->red_rms = rng_between(r, 0.02, 0.07);
    t->red_time_s = rng_between(r, 1.0, 10.0);
}

static void draw_particles(struct rng *r, enum crystal crystal, double level, struct transient *t)
{
    t->rise_s = t->fall_s = rng_log_between(r, 10.0, 30.0) / WHOLE_FWHM;
    t->height = level * rng_log_between(r, 0.1, 1.0);
    power_parts(r, -5.0, -3.0, crystal, t->part);
}

static void draw_flare(struct rng *r, enum crystal crystal, double level, struct transient *t)
{
    t->rise_s = rng_log_between(r, 5.0, 60.0);
    t->fall_s = fmax(rng_log_between(r, 30.0, 600.0), t->rise_s);
    t->height = level * rng_log_between(r, 0.05, 5.0);
    struct spectrum s = {SPECTRUM_THERMAL, 0.0, 0.0, rng_between(r, 2.5, 7.0)};
    if (rng_chance(r, 0.5)) s = (struct spectrum){SPECTRUM_POWER, rng_between(r, -7.0, -4.0), 0.0, 0.0};
    fold_parts(&s, crystal, t->part);
    t->part[SIM_REST] = fmin(t->part[SIM_REST], 30.0); /* the detector saturates below 25 keV long before */
    if (rng_chance(r, 0.4)) t->red_rms = rng_between(r, 0.02, 0.10);
    t->red_time_s = rng_between(r, 1.0, 5.0);
}

static void draw_step(struct rng *r, enum crystal crystal, double level, struct transient *t)
{
    t->rise_s = rng_chance(r, 0.6) ? rng_between(r, 1.0, 12.0) : rng_log_between(r, 12.0, 100.0);
    t->height = level * rng_log_between(r, 0.03, 0.5) * (rng_chance(r, 0.5) ? 1.0 : -1.0);
    power_parts(r, -4.0, -2.0, crystal, t->part);
}

static void draw_instrumental(struct rng *r, double level, struct transient *t)
{
    static const double SPIKE_PART[SIM_GROUP] = {0.85, 0.12, 0.03, 0.0, 0.0, 0.8};
    static const double FLASH_PART[SIM_GROUP] = {0.08, 0.12, 0.35, 0.20, 0.25, 0.4};
    switch (t->family) {
    case TRANSIENT_SPIKE:
        t->fall_s = rng_log_between(r, 0.05, 0.5);
        t->height = rng_log_between(r, 20.0, 2000.0) / t->fall_s;
        memcpy(t->part, SPIKE_PART, sizeof t->part);
        break;
    case TRANSIENT_FLASH:
        t->height = rng_log_between(r, 12.0, 100.0) / BIN_S;
        memcpy(t->part, FLASH_PART, sizeof t->part);
        break;
    case TRANSIENT_BIT:
        t->height = pow(2.0, floor(rng_between(r, 5.0, 13.0))) / BIN_S;
        one_group(r, t->part);
        break;
    default:
        t->rise_s = rng_log_between(r, 0.5, 60.0); /* how long the group stays hot */
        t->height = level * rng_log_between(r, 0.1, 2.0);
        one_group(r, t->part);
    }
}

void transient_draw(struct rng *r, enum transient_family family, enum crystal crystal, double level,
                    struct transient *ret_transient)
{
    struct transient t = {.family = family};
    switch (family) {
    case TRANSIENT_HUMP: draw_hump(r, crystal, level, &t); break;
    case TRANSIENT_PARTICLES: draw_particles(r, crystal, level, &t); break;
    case TRANSIENT_FLARE: draw_flare(r, crystal, level, &t); break;
    case TRANSIENT_STEP: draw_step(r, crystal, level, &t); break;
    case TRANSIENT_RAMP:
        t.rise_s = (rng_chance(r, 0.5) ? 1.0 : -1.0) * rng_log_between(r, 6.0, 50.0); /* < 0: on the way out */
        t.height = level * rng_log_between(r, 0.3, 5.0);
        power_parts(r, -3.0, -1.5, crystal, t.part);
        break;
    default: draw_instrumental(r, level, &t);
    }
    *ret_transient = t;
}

void transient_extent(const struct transient *t, double *ret_start_s, double *ret_stop_s)
{
    double before = 0.0, after = BIN_S;
    switch (t->family) {
    case TRANSIENT_HUMP:
    case TRANSIENT_PARTICLES: before = 2.5 * t->rise_s, after = 2.5 * t->fall_s; break;
    case TRANSIENT_FLARE: before = t->rise_s, after = 3.0 * t->fall_s; break;
    case TRANSIENT_SPIKE: after = 4.0 * t->fall_s; break;
    case TRANSIENT_HOT: after = t->rise_s; break;
    case TRANSIENT_STEP: before = after = 2.0 * t->rise_s; break;
    case TRANSIENT_RAMP: before = fmax(3.0 * t->rise_s, 0.0), after = fmax(-3.0 * t->rise_s, 0.0); break;
    default: break;
    }
    *ret_start_s = t->centre_s - before;
    *ret_stop_s = t->centre_s + after;
}

static double gauss(double x)
{
    return exp(-0.5 * x * x);
}

/* Mean of exp(-t / fall) for t > 0 over [x, x + step): spikes are shorter than a bin. */
static double decay_mean(double x, double step, double fall)
{
    double from = fmax(x, 0.0), to = x + step;
    return to <= 0.0 ? 0.0 : fall / step * (exp(-from / fall) - exp(-to / fall));
}

static double shape_value(const struct transient *t, double x, double step)
{
    double middle = x + 0.5 * step;
    switch (t->family) {
    case TRANSIENT_HUMP:
    case TRANSIENT_PARTICLES: return gauss(middle / (middle < 0.0 ? t->rise_s : t->fall_s));
    case TRANSIENT_FLARE: return middle < 0.0 ? fmax(1.0 + middle / t->rise_s, 0.0) : exp(-middle / t->fall_s);
    case TRANSIENT_SPIKE: return decay_mean(x, step, t->fall_s);
    case TRANSIENT_HOT: return middle >= 0.0 && middle < t->rise_s ? 1.0 : 0.0;
    case TRANSIENT_STEP: return 0.5 + 0.5 * tanh(middle / t->rise_s);
    case TRANSIENT_RAMP: return middle / t->rise_s <= 0.0 ? exp(middle / t->rise_s) : 0.0;
    default: return middle >= 0.0 && middle < BIN_S ? 1.0 : 0.0;
    }
}

void transient_add(struct rng *r, const struct transient *t, double gain, const struct sim_grid *grid, double *rate)
{
    struct rng path = *r;
    for (int g = 0; g < SIM_GROUP; g++) {
        double keep = exp(-grid->bin_s / fmax(t->red_time_s, 1e-3)), kick = t->red_rms * sqrt(1.0 - keep * keep);
        *r = path; /* the same flicker in every group */
        double flicker = t->red_rms > 0.0 ? t->red_rms * rng_normal(r) : 0.0;
        for (size_t i = 0; i < grid->n_bin; i++) {
            double x = grid->t0_s + (double)i * grid->bin_s - t->centre_s;
            double *at = &rate[(size_t)g * grid->n_bin + i];
            *at = fmax(*at + gain * t->height * t->part[g] * shape_value(t, x, grid->bin_s) * fmax(1.0 + flicker, 0.0),
                       0.0);
            if (t->red_rms > 0.0) flicker = keep * flicker + kick * rng_normal(r);
        }
    }
}
