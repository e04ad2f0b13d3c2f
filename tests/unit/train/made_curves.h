/* Light curves for tests: Poisson counts over a known background with a known burst, and measures of how Poisson they are. */
#ifndef BURST_TESTS_TRAIN_MADE_CURVES_H
#define BURST_TESTS_TRAIN_MADE_CURVES_H
#include "sim/rng.h"
#include "train/curves.h"
#include <math.h>
#include <stdlib.h>

/* Expected counts of every bin, and counts drawn from them. All arrays are the set's own. */
struct made {
    struct curves c;
    uint16_t *atoms, *ret_atoms;
    uint8_t *valid, *ret_valid;
    float *background, *ret_background;
    double *burst, *number, *ret_number; /* burst [n][n_atom][n_bin]; the others [n] */
    int32_t *bins;                       /* [n] */
};

static inline void made_fini(struct made *m)
{
    free(m->atoms);
    free(m->ret_atoms);
    free(m->valid);
    free(m->ret_valid);
    free(m->background);
    free(m->ret_background);
    free(m->burst);
    free(m->number);
    free(m->ret_number);
    free(m->bins);
}

/* Sizes and storage: all bins valid, no burst, a background of `level` in atom 0 and half of the one before in each next. */
static inline struct made made_new(size_t n, size_t n_atom, size_t n_bin, double level)
{
    const size_t all = n * n_atom * n_bin;
    struct made m = {.atoms = calloc(all, sizeof *m.atoms),
                     .ret_atoms = calloc(all, sizeof *m.ret_atoms),
                     .valid = malloc(n * n_bin),
                     .ret_valid = calloc(n * n_bin, 1),
                     .background = calloc(all, sizeof *m.background),
                     .ret_background = calloc(all, sizeof *m.ret_background),
                     .burst = calloc(all, sizeof *m.burst),
                     .number = calloc(n, sizeof *m.number),
                     .ret_number = calloc(n, sizeof *m.ret_number),
                     .bins = calloc(n, sizeof *m.bins)};
    if (!m.atoms || !m.ret_atoms || !m.valid || !m.ret_valid || !m.background || !m.ret_background || !m.burst ||
        !m.number || !m.ret_number || !m.bins)
        abort();
    memset(m.valid, 1, n * n_bin);
    for (size_t i = 0; i < all; i++)
        m.background[i] = (float)(level / (double)(1 << i / n_bin % n_atom));
    m.c = (struct curves){m.atoms, m.valid, m.background, n, n_atom, n_bin, 1};
    return m;
}

/* Counts of background and burst together. */
static inline void made_draw(struct made *m, uint64_t seed)
{
    struct rng r;
    rng_seed(&r, seed, 0);
    for (size_t i = 0; i < m->c.n * m->c.n_atom * m->c.n_bin; i++)
        m->atoms[i] = (uint16_t)rng_poisson(&r, (double)m->background[i] + m->burst[i]);
}

static inline void made_numbers(struct made *m, double number)
{
    for (size_t i = 0; i < m->c.n; i++)
        m->number[i] = number;
}

/* Mean and variance over rows of one atom's one bin. */
struct moments {
    double n, mean, variance;
};

static inline struct moments made_moments(const struct made *m, const uint16_t *atoms, size_t a, size_t t)
{
    struct moments s = {.n = (double)m->c.n};
    double sum2 = 0;
    for (size_t i = 0; i < m->c.n; i++) {
        double x = atoms[(i * m->c.n_atom + a) * m->c.n_bin + t];
        s.mean += x / s.n;
        sum2 += x * x / s.n;
    }
    s.variance = (sum2 - s.mean * s.mean) * s.n / (s.n - 1);
    return s;
}

/* Whether the rows of one bin look like Poisson(mean): mean within 5 standard errors, variance / mean within 5 of its own
 * (variance of the dispersion index: 2 / (n - 1)). */
static inline bool made_is_poisson(const struct made *m, const uint16_t *atoms, size_t a, size_t t, double mean)
{
    struct moments s = made_moments(m, atoms, a, t);
    bool good =
        fabs(s.mean - mean) <= 5 * sqrt(mean / s.n) && fabs(s.variance / s.mean - 1) <= 5 * sqrt((2 + 1 / mean) / s.n);
    if (!good) printf("atom %zu, bin %zu: mean %g, variance %g, not Poisson(%g)\n", a, t, s.mean, s.variance, mean);
    return good;
}

/* Variance / mean over all values of atom a. */
static inline double made_dispersion(const struct made *m, const uint16_t *atoms, size_t a)
{
    double n = 0, sum = 0, sum2 = 0;
    for (size_t i = 0; i < m->c.n; i++)
        for (size_t t = 0; t < m->c.n_bin; t++) {
            double x = atoms[(i * m->c.n_atom + a) * m->c.n_bin + t];
            n++;
            sum += x;
            sum2 += x * x;
        }
    return (sum2 / n - sum / n * (sum / n)) / (sum / n);
}
#endif
