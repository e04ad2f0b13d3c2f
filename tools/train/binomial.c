/* Binomial draws for p up to 1/2; above, what is lost is drawn. */
#include "train/binomial.h"
#include <math.h>

static const double SMALL = 10.0; /* n p */

static uint32_t draw_small(struct rng *r, uint32_t n, double p)
{
    const double odds = p / (1.0 - p);
    for (;;) {
        double u = rng_uniform(r), term = exp((double)n * log1p(-p));
        for (uint32_t k = 0; k <= n; k++) {
            if (u < term) return k;
            u -= term;
            term *= odds * (double)(n - k) / (double)(k + 1);
        }
    } /* rounding left u above all terms: about once in 10^15 draws */
}

/* lgamma itself writes a variable that threads share. */
static double log_factorial(double n)
{
    int sign;
    return lgamma_r(n + 1.0, &sign);
}

/* Names as in the paper: a and b shape the hat, v_r is the quick-acceptance bound, m the mode. */
static uint32_t draw_large(struct rng *r, uint32_t n, double p)
{
    const double size = n, spread = sqrt(size * p * (1.0 - p)), b = 1.15 + 2.53 * spread;
    const double a = -0.0873 + 0.0248 * b + 0.01 * p, v_r = 0.92 - 4.2 / b, alpha = (2.83 + 5.1 / b) * spread;
    const double m = floor((size + 1.0) * p), odds = log(p / (1.0 - p));
    for (;;) {
        double u = rng_uniform(r) - 0.5, v = 1.0 - rng_uniform(r);
        double us = 0.5 - fabs(u), k = floor((2.0 * a / us + b) * u + size * p + 0.5);
        if (us >= 0.07 && v <= v_r) return (uint32_t)k;
        if (!(k >= 0.0 && k <= size)) continue; /* us may be 0 */
        double most =
            log_factorial(m) + log_factorial(size - m) - log_factorial(k) - log_factorial(size - k) + (k - m) * odds;
        if (log(v * alpha / (a / (us * us) + b)) <= most) return (uint32_t)k;
    }
}

uint32_t binomial_draw(struct rng *r, uint32_t n, double p)
{
    if (n == 0 || !(p > 0.0)) return 0;
    if (p >= 1.0) return n;
    if (p > 0.5) return n - binomial_draw(r, n, 1.0 - p);
    return (double)n * p < SMALL ? draw_small(r, n, p) : draw_large(r, n, p);
}
