/* Quiet detectors of the sets: levels, trends, what is common. */
#include "check.h"
#include "sim/quiet.h"

enum { N = 1875 };
static const struct sim_grid GRID = {0.0, 0.064, N};
static float red[N], turn[N], rate[SIM_GROUP * N];

static double mean_of(int group)
{
    double sum = 0.0;
    for (int i = 0; i < N; i++)
        sum += (double)rate[group * N + i];
    return sum / N;
}

static void plain_sky(struct quiet_sky *s)
{
    memset(s, 0, sizeof *s);
    for (int g = 0; g < SIM_GROUP; g++)
        s->level[g] = 1.0;
    s->red_time_s = 5.0;
    s->turn_width = 1.0;
}

/* 16 counts per 64 ms in 25-50 keV of a GBM NaI (A.6): 250 per second, detectors off by 6 %. */
TEST(levels_are_the_kinds_own)
{
    enum { TIMES = 400 };
    struct quiet_sky s;
    struct rng r;
    double sum = 0.0, sum2 = 0.0;
    rng_seed(&r, 1, 0);
    plain_sky(&s);
    quiet_red(&r, &s, &GRID, red);
    quiet_turn(&s, &GRID, turn);
    for (int k = 0; k < TIMES; k++) {
        quiet_paint(&r, &s, spacecraft_kind("gbm-nai"), &GRID, red, turn, rate);
        double m = mean_of(0) / 250.0;
        sum += m;
        sum2 += m * m;
    }
    CHECK_NEAR(sum / TIMES, 1.0, 5.0 * 0.06 / sqrt(TIMES));
    CHECK_NEAR(sqrt(sum2 / TIMES - sum * sum / TIMES / TIMES), 0.06, 0.012);
}

/* A slope of 0.1 per 120 s over a window of 120 s; and of 240 s twice as much. */
TEST(a_slope_is_what_it_says)
{
    struct quiet_sky s;
    struct rng r;
    rng_seed(&r, 2, 0);
    plain_sky(&s);
    quiet_red(&r, &s, &GRID, red);
    quiet_turn(&s, &GRID, turn);
    for (int g = 0; g < SIM_GROUP; g++)
        s.slope[g] = 0.3;
    const struct sim_grid longer = {0.0, 0.128, N};
    quiet_paint(&r, &s, spacecraft_kind("gbm-nai"), &GRID, red, turn, rate);
    CHECK_NEAR((double)(rate[N - 1] - rate[0]) / mean_of(0), 0.3, 0.03);
    quiet_paint(&r, &s, spacecraft_kind("gbm-nai"), &longer, red, turn, rate);
    CHECK_NEAR((double)(rate[N - 1] - rate[0]) / mean_of(0), 0.6, 0.03);
}

TEST(rates_stay_positive_however_steep)
{
    struct quiet_sky s;
    struct rng r;
    rng_seed(&r, 3, 0);
    plain_sky(&s);
    s.slope[0] = 50.0;
    s.red_rms = 3.0;
    quiet_red(&r, &s, &GRID, red);
    quiet_turn(&s, &GRID, turn);
    quiet_paint(&r, &s, spacecraft_kind("gbm-nai"), &GRID, red, turn, rate);
    for (int i = 0; i < N; i++)
        CHECK(rate[i] >= 0.0f && red[i] >= 0.0f);
}

/* (1 + tanh x) / 2: a half at its place, 0.8808 one width later. */
TEST(a_turn_is_half_done_at_its_place)
{
    struct quiet_sky s;
    plain_sky(&s);
    s.turn_at = 0.0;
    s.turn_width = 0.25;
    quiet_turn(&s, &GRID, turn);
    CHECK_NEAR(turn[N / 2], 0.5, 1e-3);
    CHECK_NEAR(turn[3 * N / 4], 0.8808, 2e-3);
}

TEST(red_noise_has_its_size_and_none_is_one)
{
    enum { TIMES = 200 };
    struct quiet_sky s;
    struct rng r;
    double sum2 = 0.0;
    rng_seed(&r, 4, 0);
    plain_sky(&s);
    quiet_red(&r, &s, &GRID, red);
    for (int i = 0; i < N; i++)
        CHECK_NEAR(red[i], 1.0, 0.0);
    s.red_rms = 0.05;
    for (int k = 0; k < TIMES; k++) {
        quiet_red(&r, &s, &GRID, red);
        for (int i = 0; i < N; i++)
            sum2 += ((double)red[i] - 1.0) * ((double)red[i] - 1.0);
    }
    CHECK_NEAR(sqrt(sum2 / TIMES / N), 0.05, 0.003);
}

/* A.6: the trend of 25-50 keV runs against that of 500-900 keV. */
TEST(soft_and_hard_trends_run_against_each_other)
{
    enum { TIMES = 3000 };
    struct quiet_sky s;
    struct rng r;
    double product = 0.0;
    int n_red = 0;
    rng_seed(&r, 5, 0);
    for (int k = 0; k < TIMES; k++) {
        quiet_sky_draw(&r, &s);
        product += s.slope[0] * s.slope[4] < 0.0 ? -1.0 : 1.0;
        n_red += s.red_rms > 0.0;
        for (int g = 0; g < SIM_GROUP; g++)
            CHECK(s.level[g] > 0.5 && s.level[g] < 1.9);
    }
    CHECK(product / TIMES < -0.5);
    CHECK_NEAR((double)n_red / TIMES, 0.026, 0.015); /* A.6: 2.6 % of the windows */
}

int main(void)
{
    RUN(levels_are_the_kinds_own);
    RUN(a_slope_is_what_it_says);
    RUN(rates_stay_positive_however_steep);
    RUN(a_turn_is_half_done_at_its_place);
    RUN(red_noise_has_its_size_and_none_is_one);
    RUN(soft_and_hard_trends_run_against_each_other);
    return check_report();
}
