/* The population of bursts: durations, brightness, hardness, what comes with some of them. */
#include "check.h"
#include "sim/population.h"
#include <stdlib.h>

enum { N = 4000 };

static int rising(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* GBM's burst catalogue: T90 5.6, 19.5, 46 s at 25, 50, 75 %, 16.5 % below 2 s. Within a third, as the realism tests
 * look closer. */
TEST(durations_are_those_of_gbm)
{
    static struct burst b;
    static double t90[N];
    struct rng r;
    int n_short = 0;
    rng_seed(&r, 21, 0);
    for (int i = 0; i < N; i++) {
        population_draw(&r, 0.0, 1.0, 0.0, &b);
        CHECK(b.n_pulse >= 1 && b.n_pulse <= PULSE_MAX && b.t90_s > 0.0);
        t90[i] = b.t90_s;
        n_short += b.t90_s < 2.0;
    }
    qsort(t90, N, sizeof t90[0], rising);
    CHECK_NEAR(log(t90[N / 4] / 5.6), 0.0, 0.35);
    CHECK_NEAR(log(t90[N / 2] / 19.5), 0.0, 0.3);
    CHECK_NEAR(log(t90[3 * N / 4] / 46.0), 0.0, 0.3);
    CHECK_NEAR((double)n_short / N, 0.165, 0.05);
}

/* Gaussian copula: the correlation of the two normal variables is 0.27 (science.md A.3); long bursts, Ep within its
 * bounds. */
TEST(bright_bursts_are_hard)
{
    static struct burst b;
    struct rng r;
    double x = 0.0, y = 0.0, xx = 0.0, yy = 0.0, xy = 0.0;
    int n = 0;
    rng_seed(&r, 22, 0);
    for (int i = 0; i < N; i++) {
        double sigma = rng_normal(&r);
        population_draw(&r, 0.0, 1.0, sigma, &b);
        if (b.t90_s < 5.0) continue; /* none of the short population but with extended emission */
        double ep = log10(b.spectrum.peak_kev);
        n++;
        x += sigma, y += ep, xx += sigma * sigma, yy += ep * ep, xy += sigma * ep;
    }
    double rho = (n * xy - x * y) / sqrt((n * xx - x * x) * (n * yy - y * y));
    CHECK_NEAR(rho, 0.27, 5.0 / sqrt(n));
    CHECK_NEAR(y / n, 2.26, 0.03); /* median 180 keV, A.3 */
}

/* Of long bursts 10 % have a precursor (hardness 0.7 in our pulses); of short ones 15 % soft extended emission. */
TEST(some_have_precursors_and_extended_emission)
{
    static struct burst b;
    struct rng r;
    int before = 0, after = 0;
    rng_seed(&r, 23, 0);
    for (int i = 0; i < N; i++) {
        population_draw(&r, 0.0, 1.0, 0.0, &b);
        double most = 0.0;
        for (int k = 0; k < b.n_pulse; k++)
            most = fmax(most, b.pulse[k].amplitude);
        const struct pulse *last = &b.pulse[b.n_pulse - 1];
        before += last->hardness == 0.7;
        after += last->hardness == 0.2;
        CHECK(last->hardness == 1.0 || last->amplitude <= 0.1501 * most);
    }
    CHECK_NEAR((double)before / N, 0.76 * 0.10, 0.03); /* of all but slow single pulses and short ones */
    CHECK_NEAR((double)after / N, 0.17 * 0.15, 0.015);
}

/* ln S/N normal about ln 14 with 1.1 cut at 4: median 16.9 of the normal part, by scipy; a part of 3 % lies above
 * 100. */
TEST(brightness_is_as_triggers_find_it)
{
    static double snr[N];
    struct rng r;
    rng_seed(&r, 24, 0);
    for (int i = 0; i < N; i++)
        snr[i] = population_snr(&r);
    qsort(snr, N, sizeof snr[0], rising);
    CHECK(snr[0] >= 4.0 && snr[N - 1] <= 1500.0);
    CHECK_NEAR(snr[N / 2], 17.5, 1.2);
    CHECK_NEAR(population_sigma(14.0), 0.0, 1e-12);
    CHECK_NEAR(population_sigma(14.0 * exp(1.1)), 1.0, 1e-12);
}

/* Avalanches between BATSE's and BAT's parameters: tau at most 40.2 s in the one, up to 56.8 s in the other, before a
 * child is longer. */
TEST(avalanches_can_be_held_to_one_instrument)
{
    static struct burst a, b;
    struct rng r, s;
    rng_seed(&r, 25, 0);
    s = r;
    int same = 0;
    for (int i = 0; i < 50; i++) {
        population_draw(&r, 0.0, 0.0, 0.0, &a);
        population_draw(&s, 1.0, 1.0, 0.0, &b);
        same += a.t90_s == b.t90_s;
    }
    CHECK(same < 50);
}

/* N(> 1) = (1 / 0.15)^-0.6 = 0.3204 of all, N(> 10) a tenth of that (A.4). */
TEST(fluxes_fall_as_in_the_sky)
{
    enum { MANY = 20000 };
    struct rng r;
    int one = 0, ten = 0;
    rng_seed(&r, 26, 0);
    for (int i = 0; i < MANY; i++) {
        double flux = population_flux(&r);
        CHECK(flux >= 0.15 && flux <= 300.0);
        one += flux > 1.0;
        ten += flux > 10.0;
    }
    CHECK_NEAR(one, 0.3204 * MANY, 5.0 * sqrt(0.32 * 0.68 * MANY));
    CHECK_NEAR(ten, 0.03204 * MANY, 5.0 * sqrt(0.032 * MANY));
    CHECK_NEAR(population_flux_sigma(pow(10.0, 0.107 + 0.465)), 1.0, 1e-9);
}

int main(void)
{
    RUN(fluxes_fall_as_in_the_sky);
    RUN(durations_are_those_of_gbm);
    RUN(bright_bursts_are_hard);
    RUN(some_have_precursors_and_extended_emission);
    RUN(brightness_is_as_triggers_find_it);
    RUN(avalanches_can_be_held_to_one_instrument);
    return check_report();
}
