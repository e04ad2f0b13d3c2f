/* Look-alikes as rates: shapes in time, colours, flicker. */
#include "sim/look_alike.h"
#include <math.h>
#include <string.h>

void look_alike_extent(const struct look_alike *l, double *ret_before_s, double *ret_after_s)
{
    double before = 0.0, after = 0.0;
    switch (l->family) {
    case FAMILY_HUMP:
    case FAMILY_PARTICLES: before = 2.5 * l->rise_s, after = 2.5 * fabs(l->fall_s); break;
    case FAMILY_FLARE: before = l->rise_s, after = 3.0 * l->fall_s; break;
    case FAMILY_SPIKE: after = 4.0 * l->fall_s; break;
    case FAMILY_STEP:
    case FAMILY_SLEW: before = after = 2.0 * l->rise_s; break;
    case FAMILY_RAMP: before = fmax(3.0 * l->rise_s, 0.0), after = fmax(-3.0 * l->rise_s, 0.0); break;
    case FAMILY_PULSAR: before = after = 0.5 * l->period_s; break;
    default: break;
    }
    for (int i = 0; i < l->n_pulse; i++) {
        before = fmax(before, -l->pulse[i].at_s);
        after = fmax(after, l->pulse[i].at_s + l->pulse[i].length_s);
    }
    *ret_before_s = before;
    *ret_after_s = after;
}

void paint_box(const struct sim_grid *grid, double from_s, double to_s, double height, float *values)
{
    double from = fmax((from_s - grid->t0_s) / grid->bin_s, 0.0),
           to = fmin((to_s - grid->t0_s) / grid->bin_s, (double)grid->n_bin);
    for (size_t i = (size_t)from; (double)i < to; i++)
        values[i] += (float)(height * (fmin((double)(i + 1), to) - fmax((double)i, from)));
}

static double gauss(double x)
{
    return exp(-0.5 * x * x);
}

/* Slow shapes, 1 at the top; x from the centre. */
static double slow_shape(const struct look_alike *l, double x)
{
    double angle;
    switch (l->family) {
    case FAMILY_HUMP:
    case FAMILY_PARTICLES: return x < 0.0 ? gauss(x / l->rise_s) : l->fall_s < 0.0 ? 1.0 : gauss(x / l->fall_s);
    case FAMILY_FLARE: return x < 0.0 ? fmax(1.0 + x / l->rise_s, 0.0) : exp(-x / l->fall_s);
    case FAMILY_STEP:
    case FAMILY_SLEW: return 0.5 + 0.5 * tanh(x / l->rise_s);
    case FAMILY_PULSAR:
        angle = 2.0 * M_PI * x / l->period_s;
        return 0.5 * (1.0 + cos(angle)) + l->rise_s * 0.25 * (1.0 + cos(2.0 * angle));
    case FAMILY_RAMP: /* on the way out what the protons made radioactive fades more slowly */
        if (l->rise_s > 0.0) return x <= 0.0 ? exp(x / l->rise_s) : 0.0;
        return x >= 0.0 ? 0.85 * exp(x / l->rise_s) + 0.15 * exp(-x / l->fall_s) : 0.0;
    default: return 0.0;
    }
}

/* Mean of exp(-t / fall) over [x, x + step), 0 before t = 0: spikes are shorter than a bin. */
static double decay_mean(double x, double step, double fall)
{
    double from = fmax(x, 0.0), to = x + step;
    return to <= 0.0 ? 0.0 : fall / step * (exp(-from / fall) - exp(-to / fall));
}

/* The slow part with its flicker, into `shape` [n_bin]. */
static void slow_part(struct rng *r, const struct look_alike *l, const struct sim_grid *grid, float *shape)
{
    double keep = exp(-grid->bin_s / fmax(l->red_time_s, 1e-3)), kick = l->red_rms * sqrt(1.0 - keep * keep);
    double flicker = l->red_rms > 0.0 ? l->red_rms * rng_normal(r) : 0.0;
    for (size_t i = 0; i < grid->n_bin; i++) {
        double x = grid->t0_s + (double)i * grid->bin_s - l->centre_s;
        double value =
            l->family == FAMILY_SPIKE ? decay_mean(x, grid->bin_s, l->fall_s) : slow_shape(l, x + 0.5 * grid->bin_s);
        shape[i] = (float)(l->height * value * fmax(1.0 + flicker, 0.0));
        if (l->red_rms > 0.0) flicker = keep * flicker + kick * rng_normal(r);
    }
}

/* Shape of a pulse at part x of its length: flat-topped bursts of magnetars, boxes of electronics and flashes, bells
 * else. */
static double pulse_shape(enum sky_family family, double x)
{
    switch (family) {
    case FAMILY_MAGNETAR: return fmin(fmin(x / 0.1, 1.0), (1.0 - x) / 0.2);
    case FAMILY_FLASH:
    case FAMILY_BEAM:
    case FAMILY_BIT:
    case FAMILY_HOT:
    case FAMILY_SATURATION: return 1.0;
    default: return gauss((x - 0.5) / 0.17); /* FWHM 0.4 of the length */
    }
}

static void pulse_part(const struct look_alike *l, int i, int group, const struct sim_grid *grid, float weight,
                       float *rate)
{
    static const double LOG_MIDDLE[SIM_GROUP] = {-1.038, -0.347, 0.549, 1.354, 1.903, -1.833}; /* ln(E / 100 keV) */
    double start = l->centre_s + l->pulse[i].at_s - l->pulse[i].lag_s * LOG_MIDDLE[group],
           length = l->pulse[i].length_s;
    int n = pulse_shape(l->family, 0.0) == 1.0 && pulse_shape(l->family, 1.0) == 1.0 ? 1 : 32;
    if (length > 32.0 * grid->bin_s) n = n == 1 ? 1 : (int)fmin(length / grid->bin_s, 1024.0);
    for (int k = 0; k < n; k++)
        paint_box(grid, start + length * k / n, start + length * (k + 1) / n,
                  (double)weight * l->pulse[i].height * pulse_shape(l->family, (k + 0.5) / n), rate);
}

/* Parts of the height by group: own ones, or the spectrum's. What lies below 25 keV is cut where detectors saturate
 * long before. */
static void parts(const struct look_alike *l, const struct spectrum *s, const struct colour_table *table, double *part)
{
    if (l->has_part) {
        memcpy(part, l->part, sizeof l->part);
        return;
    }
    float colour[COLOUR_PEAKS][SIM_GROUP];
    spacecraft_colours(table, s, colour);
    for (int g = 0; g < SIM_GROUP; g++)
        part[g] = (double)colour[0][g];
    part[SIM_REST] = fmin(part[SIM_REST], 30.0);
}

void look_alike_paint(struct rng *r, const struct look_alike *l, const struct colour_table *table,
                      const struct sim_grid *grid, float *rate)
{
    double soft[SIM_GROUP] = {0}, hard[SIM_GROUP] = {0};
    size_t n_bin = grid->n_bin;
    memset(rate, 0, SIM_GROUP * n_bin * sizeof *rate);
    if (l->reach == REACH_NONE) return;
    parts(l, &l->spectrum, table, soft);
    if (l->family == FAMILY_FLARE) parts(l, &l->hard, table, hard);
    if (l->height != 0.0) {
        float *shape = rate + SIM_REST * n_bin; /* the last group is filled last, from itself */
        slow_part(r, l, grid, shape);
        for (size_t g = 0; g < SIM_GROUP; g++)
            for (size_t i = 0; i < n_bin; i++)
                rate[g * n_bin + i] = (float)soft[g] * shape[i];
    }
    for (int p = 0; p < l->n_pulse; p++)
        for (int g = 0; g < SIM_GROUP; g++)
            pulse_part(l, p, g, grid, (float)(l->pulse[p].hard ? hard[g] : soft[g]), rate + (size_t)g * n_bin);
}
