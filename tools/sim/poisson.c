/* Guide tables of the Poisson distribution at means k / 8. */
#include "sim/poisson.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { STEPS = 8, MEAN_MAX = 64, N_TABLE = STEPS * MEAN_MAX, GUIDE = 256, COUNT_MAX = 160 }; /* P(> 160 | 64) < 1e-22 */

struct poisson_table {
    uint32_t below[COUNT_MAX]; /* P(count <= k) in units of 2^-32, the last ones saturated */
    uint8_t guide[GUIDE];      /* least k with P(count <= k) above i / 256 */
};

struct poisson_tables {
    struct poisson_table at[N_TABLE];
};

static void table_fill(double mean, struct poisson_table *t)
{
    double p = exp(-mean), sum = 0.0;
    for (int k = 0; k < COUNT_MAX; k++) {
        sum += p;
        p *= mean / (k + 1);
        double scaled = sum * 0x1p32;
        t->below[k] = scaled >= 4294967295.0 ? UINT32_MAX : (uint32_t)scaled;
    }
    t->below[COUNT_MAX - 1] = UINT32_MAX;
    int k = 0;
    for (uint32_t i = 0; i < GUIDE; i++) {
        while (t->below[k] <= i << 24 && k < COUNT_MAX - 1)
            k++;
        t->guide[i] = (uint8_t)k;
    }
}

enum burst_err poisson_new(struct poisson_tables **ret_tables, struct burst_error *reterr)
{
    struct poisson_tables *t = malloc(sizeof *t);
    if (!t) return burst_fail(reterr, BURST_E_NOMEM, "no memory for tables of the Poisson distribution");
    for (int i = 0; i < N_TABLE; i++)
        table_fill((double)i / STEPS, &t->at[i]);
    *ret_tables = t;
    return BURST_OK;
}

void poisson_free(struct poisson_tables *tables)
{
    free(tables);
}

static uint32_t look_up(const struct poisson_table *t, uint32_t u)
{
    uint32_t k = t->guide[u >> 24];
    while (u >= t->below[k] && k < COUNT_MAX - 1)
        k++;
    return k;
}

/* Counts of a mean below 1/8 by adding probabilities up. u is a whole number of 2^-32, so u < p has probability p to
 * 2^-32. */
static uint32_t small_count(double mean, uint32_t u)
{
    double x = ((double)u + 0.5) * 0x1p-32;
    if (x <= 1.0 - mean) return 0; /* exp(-m) >= 1 - m */
    double p = exp(-mean), sum = p;
    uint32_t k = 0;
    while (x > sum && k < 40) {
        k++;
        p *= mean / k;
        sum += p;
    }
    return k;
}

void poisson_draw(const struct poisson_tables *tables, struct rng *r, const float *mean, size_t n, uint32_t *counts)
{
    for (size_t i = 0; i < n; i++) {
        double m = (double)mean[i];
        if (!(m > 0.0)) {
            counts[i] = 0;
        } else if (m < MEAN_MAX) {
            int whole = (int)(m * STEPS);
            uint64_t u = rng_next(r);
            counts[i] =
                look_up(&tables->at[whole], (uint32_t)(u >> 32)) + small_count(m - (double)whole / STEPS, (uint32_t)u);
        } else {
            counts[i] = rng_poisson(r, m);
        }
    }
}
