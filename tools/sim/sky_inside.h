/* Inside skyset: the room a thread draws in. */
#ifndef BURST_SIM_SKY_INSIDE_H
#define BURST_SIM_SKY_INSIDE_H
#include "sim/look_alike.h"
#include "sim/paint.h"
#include "sim/poisson.h"
#include "sim/quiet.h"
#include "sim/skyset.h"

struct sky_work {
    const struct sky_plan *plan;
    struct sim_grid grid;
    struct poisson_tables *tables;
    struct colour_table colours[RESPONSE_N];
    int n_row;
    struct rng r;
    struct quiet_sky quiet;
    struct burst burst;
    float *kept;                                     /* [n_bin] part of the counts that arrives */
    double gain[SPACECRAFT_DETECTOR_MAX][SIM_GROUP]; /* burst or look-alike, by detector */
    float *turn, *red,
        *paint[RESPONSE_N]; /* [n_bin]; [SIM_GROUP][n_bin] of a burst of amplitude 1, NULL: no such response */
    float *signal, *total;  /* [SIM_GROUP][n_bin], [n_bin]: one row's */
    float *background;      /* [n_row][SIM_GROUP][n_bin] */
    double *sum[2];         /* [n_bin] counts per bin, signal and background */
    uint32_t *counts;       /* [n_bin] */
    uint16_t *atoms;        /* [n_row][n_atom][n_bin] */
    uint8_t *valid;         /* [n_row][n_bin] */
    struct sky_row row[SPACECRAFT_DETECTOR_MAX];
};

/* Best expected S/N: signal over the root of background, counts per bin [n_bin] of valid bins, over lengths of 1, 2, 4
 * ... bins up to 8.192 s, and 8 bins at least. */
double sky_snr(const double *signal, const double *background, const uint8_t *valid, size_t n_bin, double bin_s);

/* First and last valid bin. */
void sky_valid_range(const uint8_t *valid, size_t n_bin, size_t *ret_first, size_t *ret_last);

/* Counts per bin of row `row`: `sum` [n_bin] of all atoms of the plan (1: all groups), from rates
 * [SIM_GROUP][n_bin]. */
void sky_sum(const struct sky_work *w, const float *rate, double *sum);

/* Measure every energy `gain` times too high: of rates [SIM_GROUP][n_bin] what lies near the edges of atoms moves
 * across them, at each edge the mean of its two sides' counts per ln E. */
void sky_gain(double gain, size_t n_bin, float *rate);

/* Draw the row's counts from w->background and w->signal, `loses` telling whether w->kept holds for it, after dead time
 * and the ceiling of its electronics, and fill what follows from them in its facts: n_valid, n_missing_inside,
 * n_saturated, counts, dispersion. */
void sky_count(struct sky_work *w, int row, bool loses);
#endif
