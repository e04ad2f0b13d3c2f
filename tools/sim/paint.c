/* Each pulse is a chain of parabolas through points chosen for its shape; bins take the parabolas' integrals. */
#include "sim/paint.h"
#include "sim/fastexp.h"
#include <math.h>
#include <string.h>

enum { INTERVALS = 40, POINTS = 2 * INTERVALS + 1 }; /* even points join parabolas, odd ones lie in their middles */
static const double COLOUR_LOW_KEV = 12.0, COLOUR_HIGH_KEV = 8000.0;
static const double FADED = 12.0; /* e-folds below the top at which a pulse ends */

/* One pulse: seconds from its top, not stretched; heights; places between the colours. */
struct curve {
    int n_point;
    double x[POINTS], height[POINTS], colour[POINTS];
};

/* Points of the rise are even, those of the decay wider and wider. */
static void avalanche_curve(const struct pulse *p, struct curve *c)
{
    enum { RISE = 8 };
    static const double DECAY[] = {0.2, 0.4, 0.6, 0.8, 1.0, 1.25, 1.5, 1.75, 2.0, 2.5,
                                   3.0, 3.5, 4.0, 5.0, 6.0, 7.0,  8.0, 10.0, 12.0};
    enum { FALL = sizeof DECAY / sizeof DECAY[0] };
    double last = 0.0;
    for (int k = 0; k < 2 * RISE; k++)
        c->x[k] = p->rise_s * 3.5 * ((double)k / (2 * RISE) - 1.0);
    c->x[2 * RISE] = 0.0;
    for (int k = 0; k < FALL; k++) {
        c->x[2 * (RISE + k) + 1] = 0.5 * (last + DECAY[k]) * p->decay_s;
        c->x[2 * (RISE + k) + 2] = DECAY[k] * p->decay_s;
        last = DECAY[k];
    }
    c->n_point = 2 * (RISE + FALL) + 1;
    for (int k = 0; k < c->n_point; k++) {
        double y = c->x[k] < 0.0 ? c->x[k] / p->rise_s : 0.0, z = c->x[k] > 0.0 ? c->x[k] / p->decay_s : 0.0;
        c->height[k] = p->amplitude * fast_exp(-y * y - z);
    }
}

/* With t the time since the pulse began and t0 that of its top, u = ln(t / t0): height = exp(2 mu (1 - cosh u)). */
static void norris_curve(const struct pulse *p, struct curve *c)
{
    double mu = sqrt(p->rise_s / p->decay_s), top = sqrt(p->rise_s * p->decay_s);
    double most = acosh(1.0 + FADED / (2.0 * mu)), grow = exp(2.0 * most / INTERVALS), t = top * exp(-most);
    c->n_point = POINTS;
    for (int k = 0; k < POINTS; k += 2, t *= grow)
        c->x[k] = t;
    for (int k = 1; k < POINTS; k += 2)
        c->x[k] = 0.5 * (c->x[k - 1] + c->x[k + 1]);
    for (int k = 0; k < POINTS; k++) {
        c->height[k] = p->amplitude * fast_exp(2.0 * mu - p->rise_s / c->x[k] - c->x[k] / p->decay_s);
        c->x[k] -= top;
    }
}

/* Where between the colours each point lies. Hard to soft: 1.5 Ep at the start, so that the mean over a pulse stays
 * near Ep. */
static void curve_colours(const struct burst *b, const struct pulse *p, struct curve *c)
{
    static double const LAST = COLOUR_PEAKS - 1.001;
    double ep = b->spectrum.peak_kev * p->hardness, scale = (COLOUR_PEAKS - 1) / log(COLOUR_HIGH_KEV / COLOUR_LOW_KEV);
    double length = p->shape == PULSE_AVALANCHE ? p->rise_s + p->decay_s : p->decay_s + sqrt(p->rise_s * p->decay_s);
    for (int k = 0; k < c->n_point; k++) {
        double peak = b->change == CHANGE_TRACKING ? ep * sqrt(fmax(c->height[k] / p->amplitude, 0.04))
                                                   : 1.5 * ep / (1.0 + (c->x[k] - c->x[0]) / (1.5 * length));
        c->colour[k] = fmin(fmax(log(peak / COLOUR_LOW_KEV) * scale, 0.0), LAST);
    }
}

static void pulse_curve(const struct pulse *p, struct curve *c)
{
    if (p->shape == PULSE_AVALANCHE)
        avalanche_curve(p, c);
    else
        norris_curve(p, c);
}

/* Integral from 0 to s of the parabola through f0, fm, f1 at 0, 1/2, 1. */
struct parabola {
    double a, b, c;
};

static struct parabola parabola_through(double f0, double fm, double f1)
{
    return (struct parabola){f0, 0.5 * (4.0 * fm - 3.0 * f0 - f1), (2.0 * f0 - 4.0 * fm + 2.0 * f1) / 3.0};
}

static double parabola_integral(const struct parabola *p, double s)
{
    return s * (p->a + s * (p->b + s * p->c));
}

/* Add the integrals of one parabola over the bins it touches; times in bins from the grid's start. */
static void add_interval(double from, double to, const struct parabola *p, size_t n_bin, float *rate)
{
    double length = to - from, first = from > 0.0 ? from : 0.0, last = to < (double)n_bin ? to : (double)n_bin;
    if (!(last > first) || !(length > 0.0)) return;
    double before = parabola_integral(p, (first - from) / length), per = 1.0 / length;
    for (size_t i = (size_t)first; (double)i < last; i++) {
        double edge = (double)(i + 1) < last ? (double)(i + 1) : last, s = (edge - from) * per,
               after = parabola_integral(p, s);
        rate[i] += (float)(length * (after - before));
        before = after;
    }
}

static void add_curve(const struct curve *c, const double *height, double peak_bin, double bins_per_s, size_t n_bin,
                      float *rate)
{
    double end = peak_bin + c->x[c->n_point - 1] * bins_per_s;
    if (end <= 0.0 || peak_bin + c->x[0] * bins_per_s >= (double)n_bin) return;
    for (int k = 0; k + 2 < c->n_point; k += 2) {
        struct parabola p = parabola_through(height[k], height[k + 1], height[k + 2]);
        add_interval(peak_bin + c->x[k] * bins_per_s, peak_bin + c->x[k + 2] * bins_per_s, &p, n_bin, rate);
    }
}

/* Source of the powers: science.md A.2 (Fenimore+95, Norris+05). Energies are the groups' own middles. */
static void energy_change(const struct burst *b, int group, double *ret_stretch, double *ret_shift_s)
{
    static const double LOG_MIDDLE[SIM_GROUP] = {-1.03846, -0.34672, 0.54928,
                                                 1.35403,  1.90331,  -1.83258}; /* ln(E / 100 keV) */
    *ret_stretch = exp(b->width_index * LOG_MIDDLE[group]);
    *ret_shift_s = -b->lag_s / log(173.2 / 35.4) * LOG_MIDDLE[group];
}

void burst_paint(const struct burst *b, float part[][SIM_GROUP], const struct sim_grid *grid, double start_s,
                 float *rate)
{
    double stretch[SIM_GROUP], shift_s[SIM_GROUP], height[POINTS];
    struct curve curve;
    for (int g = 0; g < SIM_GROUP; g++)
        energy_change(b, g, &stretch[g], &shift_s[g]);
    for (int i = 0; i < b->n_pulse; i++) {
        const struct pulse *p = &b->pulse[i];
        pulse_curve(p, &curve);
        curve_colours(b, p, &curve);
        for (int g = 0; g < SIM_GROUP; g++) {
            for (int k = 0; k < curve.n_point; k++) {
                int at = (int)curve.colour[k];
                double beyond = curve.colour[k] - at, low = (double)part[at][g];
                height[k] = curve.height[k] * (low + beyond * ((double)part[at + 1][g] - low));
            }
            double peak_bin = (start_s + p->peak_s + shift_s[g] - grid->t0_s) / grid->bin_s;
            add_curve(&curve, height, peak_bin, stretch[g] / grid->bin_s, grid->n_bin, rate + (size_t)g * grid->n_bin);
        }
    }
}

double burst_paint_t90(const struct burst *b)
{
    enum { N = 2048 };
    double start, stop, sum = 0.0, reached = 0.0;
    float rate[N] = {0};
    struct curve curve;
    burst_extent(b, &start, &stop);
    double per_s = N / (stop - start);
    for (int i = 0; i < b->n_pulse; i++) {
        pulse_curve(&b->pulse[i], &curve);
        add_curve(&curve, curve.height, (b->pulse[i].peak_s - start) * per_s, per_s, N, rate);
    }
    for (int k = 0; k < N; k++)
        sum += (double)rate[k];
    int k05 = 0, k95 = 0;
    for (int k = 0; k < N; k++) {
        reached += (double)rate[k];
        k05 += reached < 0.05 * sum;
        k95 += reached < 0.95 * sum;
    }
    return (k95 - k05) / per_s;
}
