/* Levels, trends and scatter of quiet detectors, against the figures of science.md A.5 and A.6. */
#include "check.h"
#include "sim/background.h"

enum { N = 1875 };
static const struct sim_grid WINDOW = {0.0, 0.064, N};
static double rate[SIM_GROUP * N];

TEST(mean_levels_are_the_missions_own)
{
    static const double WANT[SIM_MISSION_N][SIM_ATOM] = {{12, 6.5, 8, 2.6, 1.9},
                                                         {16, 10.5, 10.2, 2.1, 1.8},
                                                         {12, 6.5, 8, 2.6, 1.9},
                                                         {12, 6.5, 8, 2.6, 1.9},
                                                         {25.4, 16.7, 16.2, 3.3, 2.9}};
    struct rng r;
    rng_seed(&r, 1, 0);
    for (int m = 0; m < SIM_MISSION_N; m++) {
        double mean[SIM_GROUP] = {0};
        for (int i = 0; i < 2000; i++) {
            struct background b;
            background_draw(&r, (enum sim_mission)m, 1.0, &b);
            for (int g = 0; g < SIM_GROUP; g++)
                mean[g] += b.level[g] * 0.064 / 2000;
        }
        for (int a = 0; a < SIM_ATOM; a++)
            CHECK_NEAR(mean[a] / WANT[m][a], 1.0, 0.013); /* uniform +-20 %: 5 standard errors of 2000 */
    }
}

TEST(all_channels_of_a_grd_count_53_per_bin)
{
    struct rng r;
    double sum = 0.0;
    rng_seed(&r, 2, 0);
    for (int i = 0; i < 1000; i++) {
        struct background b;
        background_draw(&r, SIM_GECAM_B, 1.0, &b);
        for (int g = 0; g < SIM_GROUP; g++)
            sum += b.level[g] * 0.064 / 1000;
    }
    CHECK_NEAR(sum, 53.0, 0.5);
}

/* science.md A.6: |slope| over 120 s: 50/90/99 % = 1.4-1.8 / 3.8-6.3 / 7.6-23 %. */
TEST(slopes_are_as_large_as_measured)
{
    enum { DRAWS = 4000 };
    struct rng r;
    int over_1 = 0, over_10 = 0;
    rng_seed(&r, 3, 0);
    for (int i = 0; i < DRAWS; i++) {
        struct background b;
        background_draw(&r, SIM_FERMI_GBM, 1.0, &b);
        over_1 += fabs(b.slope[0]) > 0.016;
        over_10 += fabs(b.slope[0]) > 0.10;
    }
    CHECK_NEAR(over_1, 0.48 * DRAWS, 0.08 * DRAWS);
    CHECK_NEAR(over_10, 0.04 * DRAWS, 0.02 * DRAWS);
}

TEST(soft_and_hard_trends_move_against_each_other)
{
    struct rng r;
    double product = 0.0, soft = 0.0, hard = 0.0;
    rng_seed(&r, 4, 0);
    for (int i = 0; i < 4000; i++) {
        struct background b;
        background_draw(&r, SIM_FERMI_GBM, 1.0, &b);
        product += b.slope[0] * b.slope[4];
        soft += b.slope[0] * b.slope[0];
        hard += b.slope[4] * b.slope[4];
    }
    double correlation = product / sqrt(soft * hard);
    CHECK_SAY(correlation < -0.5, "correlation %.2f; -0.63 was measured", correlation);
}

TEST(trend_runs_through_the_level_in_the_middle)
{
    struct rng r;
    struct background b = {.level = {100, 100, 100, 100, 100, 100}, .slope = {0.1}, .bend = {0, 0.03}};
    rng_seed(&r, 5, 0);
    background_set(&r, &b, &WINDOW, rate);
    CHECK_NEAR(rate[0], 95.0, 0.01);
    CHECK_NEAR(rate[N / 2], 100.0, 0.01);
    CHECK_NEAR(rate[N - 1], 105.0, 0.01);
    CHECK_NEAR(rate[N], 102.0, 0.01); /* 100 (1 + 0.03 (1 - 1/3)) */
    CHECK_NEAR(rate[N + N / 2], 99.0, 0.01);
}

/* Counts drawn from a flat background scatter as Poisson: variance over mean 1 within 5 standard errors (sqrt(2 /
 * n)). */
TEST(counts_of_a_flat_background_have_dispersion_one)
{
    enum { BINS = 40 * N };
    struct rng r;
    double sum = 0.0, sum2 = 0.0;
    struct background b = {.level = {187.5, 100, 125, 40, 30, 340}};
    rng_seed(&r, 6, 0);
    background_set(&r, &b, &WINDOW, rate);
    for (int i = 0; i < BINS; i++) {
        double c = 0.0;
        for (int a = 0; a < SIM_ATOM; a++)
            c += rng_poisson(&r, rate[a * N + i % N] * 0.064);
        sum += c;
        sum2 += c * c;
    }
    double mean = sum / BINS;
    CHECK_NEAR((sum2 / BINS - mean * mean) / mean, 1.0, 5.0 * sqrt(2.0 / BINS));
}

TEST(red_noise_has_its_rms_and_memory)
{
    enum { LONG = 60000 };
    static double v[LONG];
    struct rng r;
    struct sim_grid grid = {0.0, 0.064, LONG};
    double sum2 = 0.0, lagged = 0.0;
    for (int i = 0; i < LONG; i++)
        v[i] = 1.0;
    rng_seed(&r, 7, 0);
    red_noise_apply(&r, 0.05, 2.0, &grid, v);
    for (int i = 31; i < LONG; i++) { /* 31 bins are 1.98 s: one correlation time */
        sum2 += (v[i] - 1.0) * (v[i] - 1.0);
        lagged += (v[i] - 1.0) * (v[i - 31] - 1.0);
    }
    CHECK_NEAR(sqrt(sum2 / LONG), 0.05, 0.006);
    CHECK_NEAR(lagged / sum2, exp(-31.0 * 0.064 / 2.0), 0.1);
}

TEST(red_noise_is_common_to_all_groups)
{
    struct rng r;
    struct background b = {.level = {100, 200, 100, 100, 100, 100}, .red_rms = 0.1, .red_time_s = 5.0};
    rng_seed(&r, 8, 0);
    background_set(&r, &b, &WINDOW, rate);
    for (int i = 0; i < N; i += 100)
        CHECK_NEAR(rate[N + i], 2.0 * rate[i], 1e-9);
}

TEST(an_orbit_modulates_and_comes_back)
{
    static double orbit[SIM_GROUP * 570];
    struct sim_grid grid = {0.0, 10.0, 570};
    struct background b = {.level = {100, 100, 100, 100, 100, 100}};
    double low = 1e9, high = 0.0, sum = 0.0;
    background_set_orbit(&b, 0.3, &grid, orbit);
    for (int i = 0; i < 570; i++) {
        low = fmin(low, orbit[i]);
        high = fmax(high, orbit[i]);
        sum += orbit[i] / 570;
    }
    CHECK_NEAR(sum, 100.0, 0.1); /* 570 x 10 s is one orbit */
    CHECK(low < 96.0 && high > 104.0 && low > 90.0 && high < 110.0);
}

int main(void)
{
    RUN(mean_levels_are_the_missions_own);
    RUN(all_channels_of_a_grd_count_53_per_bin);
    RUN(slopes_are_as_large_as_measured);
    RUN(soft_and_hard_trends_move_against_each_other);
    RUN(trend_runs_through_the_level_in_the_middle);
    RUN(counts_of_a_flat_background_have_dispersion_one);
    RUN(red_noise_has_its_rms_and_memory);
    RUN(red_noise_is_common_to_all_groups);
    RUN(an_orbit_modulates_and_comes_back);
    return check_report();
}
