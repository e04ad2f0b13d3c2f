/* Random numbers of the simulators: the same on every machine for the same seed. */
#ifndef BURST_SIM_RNG_H
#define BURST_SIM_RNG_H
#include <stdint.h>

/* State of xoshiro256**. One per stream; for one thread. */
struct rng {
    uint64_t s[4];
};

/* Start the stream `stream` of `seed`: streams of one seed, and equal streams of two seeds, are independent.
 * Source  Blackman & Vigna 2021 (xoshiro256**), seeded through splitmix64 as they advise */
void rng_seed(struct rng *r, uint64_t seed, uint64_t stream);
/* 64 random bits. */
uint64_t rng_next(struct rng *r);
/* Uniform on [0, 1). */
double rng_uniform(struct rng *r);
/* Uniform on [low, high). */
double rng_between(struct rng *r, double low, double high);
/* Uniform in the logarithm on [low, high); both > 0. */
double rng_log_between(struct rng *r, double low, double high);
/* Standard normal. */
double rng_normal(struct rng *r);
/* exp of a normal: `median` > 0, `sigma` of the natural logarithm. */
double rng_lognormal(struct rng *r, double median, double sigma);
/* Mean 1. */
double rng_exponential(struct rng *r);
/* Density exp(-|x| / scale) / (2 scale). */
double rng_laplace(struct rng *r, double scale);
/* Poisson count of `mean` 0..1e8; a mean that is not positive gives 0.
 * Source  products of uniforms below 10; above, Hormann 1993, transformed rejection PTRS (exact, no normal
 *         approximation) */
uint32_t rng_poisson(struct rng *r, double mean);
/* Index drawn with probability weight[i] / sum; n > 0, weights >= 0, sum > 0. */
int rng_pick(struct rng *r, const double *weight, int n);
/* 1 with probability p, else 0. */
int rng_chance(struct rng *r, double p);
#endif
