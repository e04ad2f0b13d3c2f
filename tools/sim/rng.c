/* xoshiro256** and the distributions the simulators draw from. */
#include "sim/rng.h"
#include <math.h>

static uint64_t mix(uint64_t *state)
{
    uint64_t z = (*state += UINT64_C(0x9E3779B97F4A7C15));
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

void rng_seed(struct rng *r, uint64_t seed, uint64_t stream)
{
    uint64_t state = seed;
    state = mix(&state) ^ (stream * UINT64_C(0xD1342543DE82EF95) + 1); /* odd factor: distinct streams stay distinct */
    for (int i = 0; i < 4; i++)
        r->s[i] = mix(&state);
}

static uint64_t rotate(uint64_t x, int k)
{
    return x << k | x >> (64 - k);
}

uint64_t rng_next(struct rng *r)
{
    uint64_t result = rotate(r->s[1] * 5, 7) * 9;
    uint64_t t = r->s[1] << 17;
    r->s[2] ^= r->s[0];
    r->s[3] ^= r->s[1];
    r->s[1] ^= r->s[2];
    r->s[0] ^= r->s[3];
    r->s[2] ^= t;
    r->s[3] = rotate(r->s[3], 45);
    return result;
}

double rng_uniform(struct rng *r)
{
    return (double)(rng_next(r) >> 11) * 0x1p-53;
}

double rng_between(struct rng *r, double low, double high)
{
    return low + (high - low) * rng_uniform(r);
}

double rng_log_between(struct rng *r, double low, double high)
{
    return low * exp(log(high / low) * rng_uniform(r));
}

double rng_normal(struct rng *r)
{
    double u = 1.0 - rng_uniform(r); /* (0, 1]: the logarithm stays finite */
    return sqrt(-2.0 * log(u)) * cos(2.0 * M_PI * rng_uniform(r));
}

double rng_lognormal(struct rng *r, double median, double sigma)
{
    return median * exp(sigma * rng_normal(r));
}

double rng_exponential(struct rng *r)
{
    return -log(1.0 - rng_uniform(r));
}

double rng_laplace(struct rng *r, double scale)
{
    double x = scale * rng_exponential(r);
    return rng_next(r) >> 63 ? x : -x;
}

static uint32_t poisson_small(struct rng *r, double mean)
{
    double limit = exp(-mean), product = rng_uniform(r);
    uint32_t n = 0;
    while (product > limit) {
        n++;
        product *= rng_uniform(r);
    }
    return n;
}

/* Names as in the paper: a and b shape the hat, v_r is the quick-acceptance bound. */
static uint32_t poisson_large(struct rng *r, double mean)
{
    double b = 0.931 + 2.53 * sqrt(mean), a = -0.059 + 0.02483 * b;
    double inverse_alpha = 1.1239 + 1.1328 / (b - 3.4), v_r = 0.9277 - 3.6224 / (b - 2.0);
    for (;;) {
        double u = rng_uniform(r) - 0.5, v = 1.0 - rng_uniform(r);
        double us = 0.5 - fabs(u), k = floor((2.0 * a / us + b) * u + mean + 0.43);
        if (us >= 0.07 && v <= v_r) return (uint32_t)k;
        if (k < 0.0 || (us < 0.013 && v > us)) continue;
        int sign; /* lgamma itself writes a variable that threads share */
        double most = k * log(mean) - mean - lgamma_r(k + 1.0, &sign);
        if (log(v * inverse_alpha / (a / (us * us) + b)) <= most) return (uint32_t)k;
    }
}

uint32_t rng_poisson(struct rng *r, double mean)
{
    if (!(mean > 0.0)) return 0;
    return mean < 10.0 ? poisson_small(r, mean) : poisson_large(r, mean);
}

int rng_pick(struct rng *r, const double *weight, int n)
{
    double sum = 0.0;
    for (int i = 0; i < n; i++)
        sum += weight[i];
    double x = sum * rng_uniform(r);
    for (int i = 0; i < n - 1; i++) {
        x -= weight[i];
        if (x < 0.0) return i;
    }
    return n - 1;
}

int rng_chance(struct rng *r, double p)
{
    return rng_uniform(r) < p;
}
