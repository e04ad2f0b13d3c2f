/* Windows made of known rates, for the tests of decide: a seeded Poisson background, and an excess as a function of time and
 * detector. Bins are counted as the rings count them; the same bin always has the same counts. */
#ifndef BURST_TESTS_DECIDE_SYNTHETIC_H
#define BURST_TESTS_DECIDE_SYNTHETIC_H
#include "records/score.h"
#include <math.h>
#include <string.h>

#define SYNTHETIC_EPOCH_NS (INT64_C(1546300800) * 1000000000)
enum { SYNTHETIC_ATOMS = 5 };

struct synthetic {
    struct source source;
    int n_detector;
    double background[SYNTHETIC_ATOMS]; /* counts per bin */
    /* Counts above background in bin k of a detector, all atoms, shared out 3:3:4:0:0 over the atoms. */
    double (*excess)(int64_t k, int detector);
    int64_t first_k; /* bins before it are missing */
    int64_t gap_from_k, gap_to_k;
};

static inline uint64_t synthetic_mix(uint64_t x)
{
    x += UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

/* Poisson by inversion: the number follows from bin, detector and atom alone. */
static inline uint32_t synthetic_poisson(double mean, int64_t k, int detector, int atom)
{
    uint64_t seed = (uint64_t)k * 1000003u + (uint64_t)detector * 101u + (uint64_t)atom;
    double u = (double)(synthetic_mix(synthetic_mix(seed)) >> 11) * 0x1p-53, p = exp(-mean), sum = p;
    uint32_t n = 0;
    while (u > sum && n < 100000 && p > 1e-300)
        sum += p *= mean / ++n;
    return n;
}

/* What was made last: the next window of the same sky shares all but its newest bins with it. */
struct synthetic_made {
    struct synthetic s;
    int64_t k_end;
    uint32_t counts[DETECTOR_MAX * SYNTHETIC_ATOMS][WINDOW_BINS];
    uint8_t valid[DETECTOR_MAX][WINDOW_BINS];
};

static inline void synthetic_bin(struct synthetic_made *m, int d, int t)
{
    static const double SHARE[SYNTHETIC_ATOMS] = {0.3, 0.3, 0.4, 0, 0};
    const struct synthetic *s = &m->s;
    int64_t k = m->k_end - WINDOW_BINS + t;
    bool valid = k >= s->first_k && (k < s->gap_from_k || k >= s->gap_to_k);
    double excess = valid ? s->excess(k, d) : 0;
    m->valid[d][t] = valid;
    for (int a = 0; a < SYNTHETIC_ATOMS; a++)
        m->counts[d * SYNTHETIC_ATOMS + a][t] =
            valid ? synthetic_poisson(s->background[a] + SHARE[a] * excess, k, d, a) : 0;
}

/* The bins of [k_end - WINDOW_BINS, k_end), of which those made before move down. */
static inline const struct synthetic_made *synthetic_make(const struct synthetic *s, int64_t k_end)
{
    static struct synthetic_made made;
    int64_t step = k_end - made.k_end;
    bool goes_on = memcmp(&made.s, s, sizeof *s) == 0 && step >= 0 && step < WINDOW_BINS;
    size_t keep = goes_on ? (size_t)(WINDOW_BINS - step) : 0;
    made.s = *s;
    made.k_end = k_end;
    for (int d = 0; d < s->n_detector; d++) {
        memmove(made.valid[d], made.valid[d] + WINDOW_BINS - keep, keep);
        for (int a = 0; a < SYNTHETIC_ATOMS; a++) {
            uint32_t *row = made.counts[d * SYNTHETIC_ATOMS + a];
            memmove(row, row + WINDOW_BINS - keep, keep * sizeof *row);
        }
        for (int t = (int)keep; t < WINDOW_BINS; t++)
            synthetic_bin(&made, d, t);
    }
    return &made;
}

static inline void synthetic_window(const struct synthetic *s, int64_t k_end, struct lightcurve_window *w)
{
    static const float EDGE[SYNTHETIC_ATOMS + 1] = {25, 50, 100, 300, 500, 900};
    const struct synthetic_made *made = synthetic_make(s, k_end);
    w->source = s->source;
    w->epoch_ns = SYNTHETIC_EPOCH_NS;
    w->k_end = k_end;
    w->bands = (struct band_set){.n_atom = SYNTHETIC_ATOMS, .n_band = 1, .last = {SYNTHETIC_ATOMS}};
    memcpy(w->bands.edge_kev, EDGE, sizeof EDGE);
    w->n_detector = s->n_detector;
    memcpy(w->counts, made->counts, (size_t)s->n_detector * SYNTHETIC_ATOMS * sizeof made->counts[0]);
    memcpy(w->valid, made->valid, (size_t)s->n_detector * sizeof made->valid[0]);
    for (int d = 0; d < s->n_detector; d++) {
        w->detector[d] = d;
        w->n_valid[d] = 0;
        for (int t = 0; t < WINDOW_BINS; t++)
            w->n_valid[d] += made->valid[d][t];
        w->scored[d] = w->n_valid[d] >= 469;
    }
}
#endif
