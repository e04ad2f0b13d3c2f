/* The quiet day: levels, the orbit's harmonics. */
#include "sim/day_inside.h"
#include <math.h>

enum { HARMONICS = 6, STEP = 16 }; /* bins between points; the fastest harmonic turns in 950 s */

/* A smooth path over the day: sum of sines with amplitudes 1 / n, so that each adds as much to the slope. */
struct path {
    double sine[HARMONICS], cosine[HARMONICS];
};

/* Of unit deviation in its relative change over 120 s. */
static void path_draw(struct rng *r, struct path *p)
{
    double scale = 1.0 / (2.0 * M_PI * 120.0 / DAY_ORBIT_S * sqrt((double)HARMONICS));
    for (int n = 0; n < HARMONICS; n++) {
        p->sine[n] = scale * rng_normal(r) / (n + 1);
        p->cosine[n] = scale * rng_normal(r) / (n + 1);
    }
}

static double path_value(const struct path *p, double angle)
{
    double sum = 0.0;
    for (int n = 0; n < HARMONICS; n++)
        sum += p->sine[n] * sin((n + 1) * angle) + p->cosine[n] * cos((n + 1) * angle);
    return sum;
}

enum { SOFT_ALL, SOFT_OWN, MIDDLE, HARD, N_PATH };

/* How far each path moves each atom, as the deviation of its slope over 120 s. Source: 3.7 hours of 12 NaI (DeepGRB,
 * 2019-02-28): fitted |slope| 50/90 % = 2.2/5.9 % at 28-50 keV, 1.65/4.2 % at 50-300, less what counting noise gives such a
 * fit (deviation sqrt(12 / counts)); above 300 keV noise is all there is, so the orbital rms of 8 % of science.md A.6. */
static const double SLOPE[N_PATH][SIM_ATOM] = {
    [SOFT_ALL] = {0.015, 0.005, 0.0, 0.0, 0.0},
    [SOFT_OWN] = {0.015, 0.005, 0.0, 0.0, 0.0},
    [MIDDLE] = {0.0, 0.014, 0.015, 0.0, 0.0},
    [HARD] = {0.0, 0.0, 0.008, 0.022, 0.022},
};

static void fill_atom(struct day_draft *d, const struct path *path, int k, int a)
{
    float *rate = d->rate + ((size_t)k * SIM_ATOM + (size_t)a) * DAY_BIN;
    double last = 0.0;
    for (size_t i = 0; i <= DAY_BIN; i += STEP) {
        double t = (double)i * DAY_BIN_S, angle = 2.0 * M_PI * (t / DAY_ORBIT_S + d->orbit_phase), sum = 0.0;
        for (int p = 0; p < N_PATH; p++)
            sum += SLOPE[p][a] * path_value(&path[p], angle);
        double value = d->level[k][a] * exp(sum);
        for (size_t j = 0; i > 0 && j < STEP; j++)
            rate[i - STEP + j] = (float)(last + (value - last) * (double)j / STEP);
        last = value;
    }
}

void day_background(struct day_draft *d)
{
    struct path path[N_PATH];
    path_draw(&d->r, &path[SOFT_ALL]);
    path_draw(&d->r, &path[MIDDLE]);
    path_draw(&d->r, &path[HARD]);
    for (int k = 0; k < d->day->n_detector; k++) {
        path_draw(&d->r, &path[SOFT_OWN]);
        for (int a = 0; a < SIM_ATOM; a++) { /* +-20 %: science.md A.5 */
            d->level[k][a] = day_kind(d, k)->level[a] / DAY_BIN_S * rng_between(&d->r, 0.8, 1.2);
            fill_atom(d, path, k, a);
        }
    }
}
