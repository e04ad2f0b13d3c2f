/* Look-alikes: shapes at known times, colours, names. */
#include "check.h"
#include "sim/transient.h"

enum { N = 4000 };
static const struct sim_grid GRID = {0.0, 0.064, N};
static double rate[SIM_GROUP * N];

static void add(const struct transient *t, double gain)
{
    struct rng r;
    rng_seed(&r, 1, 0);
    memset(rate, 0, sizeof rate);
    transient_add(&r, t, gain, &GRID, rate);
}

TEST(every_family_has_a_name_of_its_own)
{
    for (int i = 0; i < TRANSIENT_N; i++)
        for (int k = 0; k < i; k++)
            CHECK(strcmp(transient_name((enum transient_family)i), transient_name((enum transient_family)k)) != 0);
    CHECK_STR(transient_name(TRANSIENT_HUMP), "hump");
}

TEST(parts_of_every_family_sum_to_one_and_extents_hold_them)
{
    struct rng r;
    rng_seed(&r, 2, 0);
    for (int i = 0; i < 40 * TRANSIENT_N; i++) {
        struct transient t;
        double sum = 0.0, start, stop;
        transient_draw(&r, (enum transient_family)(i % TRANSIENT_N), CRYSTAL_NAI, 600.0, &t);
        for (int a = 0; a < SIM_ATOM; a++)
            sum += t.part[a];
        CHECK_NEAR(sum, 1.0, 1e-9);
        transient_extent(&t, &start, &stop);
        CHECK(start <= t.centre_s && stop >= t.centre_s && start < stop);
    }
}

/* A Gaussian of sigma 20 s: half its height 23.55 s from the middle. */
TEST(a_hump_is_a_gaussian)
{
    struct transient t = {TRANSIENT_HUMP, 120.0, 20.0, 20.0, 100.0, {1.0}, 0.0, 0.0};
    add(&t, 2.0);
    CHECK_NEAR(rate[1875], 200.0, 0.1);
    CHECK_NEAR(rate[(int)((120.0 + 23.548) / 0.064)], 100.0, 0.5);
    CHECK_NEAR(rate[N + 1875], 0.0, 0.0);
}

/* 50 ms decay starting at a bin's edge: the first bin holds (1 - exp(-64/50)) x 50/64 of the height. */
TEST(a_spike_keeps_its_counts_in_one_bin)
{
    struct transient t = {TRANSIENT_SPIKE, 64.0, 0.0, 0.05, 1000.0, {1.0}, 0.0, 0.0};
    double sum = 0.0;
    add(&t, 1.0);
    CHECK_NEAR(rate[999], 0.0, 1e-9);
    CHECK_NEAR(rate[1000], 1000.0 * (1.0 - exp(-1.28)) / 1.28, 1e-6);
    for (int i = 0; i < N; i++)
        sum += rate[i] * 0.064;
    CHECK_NEAR(sum, 50.0, 1e-6); /* height x decay */
}

TEST(a_flash_and_a_bit_error_fill_one_bin)
{
    struct transient t = {TRANSIENT_FLASH, 64.0, 0.0, 0.0, 500.0, {0.5, 0.5}, 0.0, 0.0};
    double sum = 0.0;
    add(&t, 1.0);
    for (int i = 0; i < N; i++)
        sum += rate[i];
    CHECK_NEAR(sum, 250.0, 1e-9);
}

TEST(a_step_stays_and_a_fall_does_not_go_below_nothing)
{
    struct transient up = {TRANSIENT_STEP, 128.0, 5.0, 0.0, 80.0, {1.0}, 0.0, 0.0}, down = up;
    add(&up, 1.0);
    CHECK_NEAR(rate[0], 0.0, 1e-6);
    CHECK_NEAR(rate[2000], 40.0, 0.6);
    CHECK_NEAR(rate[N - 1], 80.0, 1e-6);
    down.height = -80.0;
    add(&down, 1.0);
    CHECK_NEAR(rate[N - 1], 0.0, 0.0);
}

TEST(a_hot_group_begins_and_ends_at_once)
{
    struct transient t = {TRANSIENT_HOT, 64.0, 6.4, 0.0, 30.0, {0, 0, 1.0}, 0.0, 0.0};
    add(&t, 1.0);
    CHECK_NEAR(rate[2 * N + 999], 0.0, 0.0);
    CHECK_NEAR(rate[2 * N + 1000], 30.0, 0.0);
    CHECK_NEAR(rate[2 * N + 1099], 30.0, 0.0);
    CHECK_NEAR(rate[2 * N + 1101], 0.0, 0.0);
}

TEST(a_ramp_grows_by_e_and_stops)
{
    struct transient t = {TRANSIENT_RAMP, 128.0, 10.0, 0.0, 100.0, {1.0}, 0.0, 0.0};
    add(&t, 1.0);
    CHECK_NEAR(rate[(int)(118.0 / 0.064)], 100.0 * exp(-1.0), 0.3);
    CHECK_NEAR(rate[2001], 0.0, 0.0);
}

TEST(a_flare_rises_in_a_line_and_decays)
{
    struct transient t = {TRANSIENT_FLARE, 64.0, 32.0, 50.0, 100.0, {1.0}, 0.0, 0.0};
    add(&t, 1.0);
    CHECK_NEAR(rate[500], 0.0, 0.2);
    CHECK_NEAR(rate[750], 50.0, 0.2);
    CHECK_NEAR(rate[(int)(114.0 / 0.064)], 100.0 * exp(-1.0), 0.1);
}

TEST(flares_are_soft_and_flashes_hard)
{
    struct rng r;
    struct transient flare, flash;
    rng_seed(&r, 3, 0);
    for (int i = 0; i < 50; i++) {
        transient_draw(&r, TRANSIENT_FLARE, CRYSTAL_NAI, 600.0, &flare);
        transient_draw(&r, TRANSIENT_FLASH, CRYSTAL_NAI, 600.0, &flash);
        CHECK(flare.part[0] > 0.7);
        CHECK(flash.part[3] + flash.part[4] > 0.4);
    }
}

TEST(flicker_is_the_same_for_equal_generators)
{
    static double other[SIM_GROUP * N];
    struct transient t = {TRANSIENT_HUMP, 120.0, 20.0, 20.0, 100.0, {0.5, 0.5}, 0.2, 3.0};
    struct rng r;
    add(&t, 1.0);
    rng_seed(&r, 1, 0);
    memset(other, 0, sizeof other);
    transient_add(&r, &t, 2.0, &GRID, other);
    for (int i = 0; i < N; i += 50)
        CHECK_NEAR(other[i], 2.0 * rate[i], 1e-9);
    CHECK_NEAR(rate[1900], rate[N + 1900], 1e-12);
    CHECK(fabs(rate[1875] - 50.0) > 1e-6);
}

int main(void)
{
    RUN(every_family_has_a_name_of_its_own);
    RUN(parts_of_every_family_sum_to_one_and_extents_hold_them);
    RUN(a_hump_is_a_gaussian);
    RUN(a_spike_keeps_its_counts_in_one_bin);
    RUN(a_flash_and_a_bit_error_fill_one_bin);
    RUN(a_step_stays_and_a_fall_does_not_go_below_nothing);
    RUN(a_hot_group_begins_and_ends_at_once);
    RUN(a_ramp_grows_by_e_and_stops);
    RUN(a_flare_rises_in_a_line_and_decays);
    RUN(flares_are_soft_and_flashes_hard);
    RUN(flicker_is_the_same_for_equal_generators);
    return check_report();
}
