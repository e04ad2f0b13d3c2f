/* The quiet day: levels, the orbit's harmonics, activation after the anomaly. */
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
 * 2019-02-28): |slope| 50/90 % = 2.2/5.9 % at 28-50 keV, 1.65/4.2 % at 50-300, 3.9/9.3 % at 300-500; correlations +0.33
 * (soft, middle), +0.28 (middle, hard), -0.03 (soft, hard). */
static const double SLOPE[N_PATH][SIM_ATOM] = {
    [SOFT_ALL] = {0.020, 0.008, 0.0, 0.0, 0.0},
    [SOFT_OWN] = {0.020, 0.008, 0.0, 0.0, 0.0},
    [MIDDLE] = {0.0, 0.020, 0.022, 0.0, 0.0},
    [HARD] = {0.0, 0.0, 0.013, 0.057, 0.057},
};

/* Relative level at a time since the last pass through the anomaly. Decays of 2.5 and 25 minutes (science.md A.6). */
static double activation(const struct day *day, double t)
{
    double sum = 0.0;
    for (int i = 0; i < day->n_item; i++) { /* only outages are there yet */
        double since = t - day->item[i].stop_s;
        if (since > 0.0 && since < 9000.0) sum += 0.15 * exp(-since / 150.0) + 0.05 * exp(-since / 1500.0);
    }
    return sum;
}

static void fill_atom(struct day_draft *d, const struct path *path, int k, int a)
{
    static const double ACTIVE[SIM_ATOM] = {0.5, 1.0, 1.0, 1.5, 2.0};
    float *rate = d->rate + ((size_t)k * SIM_ATOM + (size_t)a) * DAY_BIN;
    double last = 0.0;
    for (size_t i = 0; i <= DAY_BIN; i += STEP) {
        double t = (double)i * DAY_BIN_S, angle = 2.0 * M_PI * (t / DAY_ORBIT_S + d->orbit_phase), sum = 0.0;
        for (int p = 0; p < N_PATH; p++)
            sum += SLOPE[p][a] * path_value(&path[p], angle);
        double value = d->level[k][a] * (exp(sum) + ACTIVE[a] * activation(d->day, t));
        for (size_t j = 0; i > 0 && j < STEP; j++)
            rate[i - STEP + j] = (float)(last + (value - last) * (double)j / STEP);
        last = value;
    }
}

void day_background(struct day_draft *d)
{
    struct path path[N_PATH];
    struct background quiet;
    path_draw(&d->r, &path[SOFT_ALL]);
    path_draw(&d->r, &path[MIDDLE]);
    path_draw(&d->r, &path[HARD]);
    for (int k = 0; k < d->day->n_detector; k++) {
        path_draw(&d->r, &path[SOFT_OWN]);
        background_draw(&d->r, d->set->mission, 1.0, &quiet);
        for (int a = 0; a < SIM_ATOM; a++) {
            d->level[k][a] = quiet.level[a];
            fill_atom(d, path, k, a);
        }
    }
}

double day_level(const struct day_draft *d, int k)
{
    double sum = 0.0;
    for (int a = 0; a < SIM_ATOM; a++)
        sum += d->level[k][a];
    return sum;
}
