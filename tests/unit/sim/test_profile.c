/* Pulses by hand, populations by the quantiles they must have. */
#include "check.h"
#include "sim/profile.h"
#include <stdlib.h>

static int rising(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

TEST(avalanche_pulse_falls_by_e_in_its_decay_and_rises_as_a_gaussian)
{
    const struct pulse p = {PULSE_AVALANCHE, 10.0, 1.0, 2.0, 3.0, 1.0};
    CHECK_NEAR(pulse_value(&p, 10.0, 1.0, 0.0), 3.0, 1e-12);
    CHECK_NEAR(pulse_value(&p, 12.0, 1.0, 0.0), 3.0 * exp(-1.0), 1e-12);
    CHECK_NEAR(pulse_value(&p, 9.0, 1.0, 0.0), 3.0 * exp(-1.0), 1e-12);
    CHECK_NEAR(pulse_value(&p, 14.5, 2.0, 0.5), 3.0 * exp(-1.0), 1e-12); /* half a second late, twice as wide */
}

/* Norris+2005 by hand: tau1 = 4, tau2 = 1, start 0: peak at 2 of height 1; at t = 4: exp(4 - 1 - 4) = exp(-1). */
TEST(norris_pulse_has_its_peak_where_the_formula_says)
{
    const struct pulse p = {PULSE_NORRIS, 2.0, 4.0, 1.0, 1.0, 1.0};
    CHECK_NEAR(pulse_value(&p, 2.0, 1.0, 0.0), 1.0, 1e-12);
    CHECK_NEAR(pulse_value(&p, 4.0, 1.0, 0.0), exp(-1.0), 1e-12);
    CHECK_NEAR(pulse_value(&p, -0.1, 1.0, 0.0), 0.0, 0.0);
}

TEST(extent_holds_the_pulse)
{
    const struct pulse p = {PULSE_AVALANCHE, 10.0, 1.0, 2.0, 1.0, 1.0}, q = {PULSE_NORRIS, 2.0, 4.0, 1.0, 1.0, 1.0};
    double start, stop;
    pulse_extent(&p, &start, &stop);
    CHECK(pulse_value(&p, start, 1.0, 0.0) < 1e-4 && pulse_value(&p, stop, 1.0, 0.0) < 1e-4);
    pulse_extent(&q, &start, &stop);
    CHECK(pulse_value(&q, start, 1.0, 0.0) < 1e-4 && pulse_value(&q, stop, 1.0, 0.0) < 1e-4);
}

/* A single exponential decay of 2 s with a short rise: 5 % to 95 % of its counts is 2 (ln 20 - ln(1/0.95)) = 5.89 s. */
TEST(t90_of_an_exponential)
{
    struct burst b = {.n_pulse = 1, .pulse = {{PULSE_AVALANCHE, 0.0, 1e-4, 2.0, 1.0, 1.0}}};
    CHECK_NEAR(burst_t90(&b), 5.889, 0.02);
}

/* science.md A.2 (i): prototype of the BATSE set: T90 5/25/50/75/95 % = 0.3/1.5/8.6/40/118 s, median 4 pulses,
 * 95 % 38. Within a factor of 1.5; more where a
 * grid of bins keeps the shortest from being seen as short as they are. */
TEST(avalanche_durations_are_those_of_bursts)
{
    enum { N = 3000 };
    static double t90[N];
    static struct burst b;
    struct rng r;
    double n_pulse[N];
    rng_seed(&r, 5, 0);
    for (int i = 0; i < N; i++) {
        burst_draw_avalanche(&r, 0.0, &b);
        t90[i] = burst_t90(&b);
        n_pulse[i] = b.n_pulse;
        CHECK(b.n_pulse >= 1 && b.n_pulse <= PULSE_MAX);
    }
    qsort(t90, N, sizeof t90[0], rising);
    qsort(n_pulse, N, sizeof n_pulse[0], rising);
    static const double AT[5] = {0.05, 0.25, 0.5, 0.75, 0.95}, WANT_S[5] = {0.3, 1.5, 8.6, 40.0, 118.0},
                        WITHIN[5] = {2.5, 1.7, 1.5, 1.5, 1.5};
    for (int i = 0; i < 5; i++) {
        double got = t90[(int)(AT[i] * N)];
        CHECK_SAY(got > WANT_S[i] / WITHIN[i] && got < WANT_S[i] * WITHIN[i], "T90 at %g is %.3g s, not about %g",
                  AT[i], got, WANT_S[i]);
    }
    CHECK_SAY(n_pulse[N / 2] >= 3 && n_pulse[N / 2] <= 6, "median of %g pulses", n_pulse[N / 2]);
}

TEST(short_norris_bursts_are_short_and_long_ones_long)
{
    enum { N = 400 };
    static struct burst b;
    static double s[N], l[N];
    struct rng r;
    rng_seed(&r, 6, 0);
    for (int i = 0; i < N; i++) {
        burst_draw_norris(&r, 1, &b);
        s[i] = burst_t90(&b);
        burst_draw_norris(&r, 0, &b);
        l[i] = burst_t90(&b);
    }
    qsort(s, N, sizeof s[0], rising);
    qsort(l, N, sizeof l[0], rising);
    CHECK_SAY(s[N / 2] < 1.0, "median %.3g s", s[N / 2]);
    CHECK_SAY(l[N / 2] > 2.0, "median %.3g s", l[N / 2]);
}

TEST(a_burst_adds_its_amplitude_at_the_top)
{
    static double rate[SIM_GROUP * 4000];
    const struct sim_grid grid = {-20.0, 0.01, 4000};
    const double gain[SIM_GROUP] = {500, 500, 500, 500, 500, 500};
    struct burst b = {.n_pulse = 1,
                      .pulse = {{PULSE_AVALANCHE, 0.0, 2.0, 4.0, 1.0, 1.0}},
                      .spectrum = {SPECTRUM_BAND, -1.0, -2.3, 200.0},
                      .change = CHANGE_TRACKING};
    memset(rate, 0, sizeof rate);
    burst_add(&b, CRYSTAL_NAI, gain, &grid, 5.0, rate); /* its peak lies at t = 5 s: bin 2500 */
    double top = 0.0, early = 0.0;
    for (int a = 0; a < SIM_ATOM; a++) {
        top += rate[a * 4000 + 2500];
        early += rate[a * 4000 + 100];
    }
    CHECK_NEAR(top, 500.0, 2.0);
    CHECK_NEAR(early, 0.0, 1e-9);
}

/* Counts do not depend on how time is cut: one bin of 64 ms holds what eight of 8 ms do, for a pulse shorter than a
 * bin. */
TEST(coarse_bins_hold_the_counts_of_fine_ones)
{
    static double coarse[SIM_GROUP * 50], fine[SIM_GROUP * 400];
    const double one[SIM_GROUP] = {1, 1, 1, 1, 1, 1};
    const struct sim_grid c = {0.0, 0.064, 50}, f = {0.0, 0.008, 400};
    struct burst b = {.n_pulse = 1,
                      .pulse = {{PULSE_AVALANCHE, 0.0, 0.02, 0.04, 1.0, 1.0}},
                      .spectrum = {SPECTRUM_BAND, -1.0, -2.3, 200.0},
                      .width_index = -0.3,
                      .lag_s = 0.01};
    memset(coarse, 0, sizeof coarse);
    memset(fine, 0, sizeof fine);
    burst_add(&b, CRYSTAL_NAI, one, &c, 1.0, coarse);
    burst_add(&b, CRYSTAL_NAI, one, &f, 1.0, fine);
    for (int g = 0; g < SIM_ATOM; g++) {
        double a = 0.0, d = 0.0;
        for (int i = 0; i < 50; i++)
            a += coarse[g * 50 + i] * 0.064;
        for (int i = 0; i < 400; i++)
            d += fine[g * 400 + i] * 0.008;
        CHECK_NEAR(a / d, 1.0, 0.03);
    }
}

/* width ~ (E / 100 keV)^-0.4: 25-50 keV (35.4) against 100-300 (173.2) is (173.2/35.4)^0.4 = 1.887 wide. */
TEST(pulses_are_wider_at_low_energy)
{
    enum { N = 8000 };
    static double rate[SIM_GROUP * N];
    const double one[SIM_GROUP] = {1, 1, 1, 1, 1, 1};
    const struct sim_grid grid = {0.0, 0.01, N};
    struct burst b = {.n_pulse = 1,
                      .pulse = {{PULSE_AVALANCHE, 0.0, 0.01, 4.0, 1.0, 1.0}},
                      .spectrum = {SPECTRUM_POWER, -1.5, 0.0, 0.0}, /* no peak: colours do not change in time */
                      .width_index = -0.4};
    memset(rate, 0, sizeof rate);
    burst_add(&b, CRYSTAL_NAI, one, &grid, 1.0, rate);
    double width[SIM_GROUP] = {0};
    for (int g = 0; g < SIM_GROUP; g++) {
        double sum = 0.0, top = 0.0;
        for (int i = 0; i < N; i++) {
            sum += rate[g * N + i];
            top = fmax(top, rate[g * N + i]);
        }
        width[g] = sum / top;
    }
    CHECK_NEAR(width[0] / width[2], 1.887, 0.03);
}

TEST(the_same_seed_draws_the_same_burst)
{
    static struct burst a, b;
    struct rng r, q;
    rng_seed(&r, 9, 1);
    rng_seed(&q, 9, 1);
    for (int i = 0; i < 50; i++) {
        burst_draw(&r, &a);
        burst_draw(&q, &b);
        CHECK(memcmp(&a, &b, sizeof a) == 0);
        double start, stop;
        burst_extent(&a, &start, &stop);
        CHECK(start < stop && a.t90_s <= stop - start && a.spectrum.alpha > -2.0);
    }
}

int main(void)
{
    RUN(avalanche_pulse_falls_by_e_in_its_decay_and_rises_as_a_gaussian);
    RUN(norris_pulse_has_its_peak_where_the_formula_says);
    RUN(extent_holds_the_pulse);
    RUN(t90_of_an_exponential);
    RUN(avalanche_durations_are_those_of_bursts);
    RUN(short_norris_bursts_are_short_and_long_ones_long);
    RUN(a_burst_adds_its_amplitude_at_the_top);
    RUN(coarse_bins_hold_the_counts_of_fine_ones);
    RUN(pulses_are_wider_at_low_energy);
    RUN(the_same_seed_draws_the_same_burst);
    return check_report();
}
