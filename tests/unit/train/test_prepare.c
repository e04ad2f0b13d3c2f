/* Counts to input. Expected numbers: numpy, formulas beside the cases; the daemon's own window_standardise for the bits. */
#include "check.h"
#include "prepare/window.h"
#include "records/bands.h"
#include "sim/rng.h"
#include "train/prepare.h"
#include <stdlib.h>

enum { BINS = 60, ATOMS = 5 };
static const uint8_t first9[9] = {0, 1, 1, 2, 2, 2, 3, 3, 4}, last9[9] = {1, 2, 3, 3, 4, 5, 4, 5, 5};

static uint16_t atoms[2 * ATOMS * BINS];
static uint8_t valid[2 * BINS];
static float x[2 * 9 * BINS];

/* counts[r, a, t] = (7 r + 3 a + t^2) mod 11, valid[r, t] = t mod 10 != r */
static struct curves made(void)
{
    for (int r = 0; r < 2; r++)
        for (int t = 0; t < BINS; t++) {
            valid[r * BINS + t] = t % 10 != r;
            for (int a = 0; a < ATOMS; a++)
                atoms[(r * ATOMS + a) * BINS + t] = (uint16_t)((r * 7 + a * 3 + t * t) % 11);
        }
    return (struct curves){.atoms = atoms, .valid = valid, .n = 2, .n_atom = ATOMS, .n_bin = BINS, .n_thread = 1};
}

static struct scaling_plan nine(int scaling, int together, int median_bins)
{
    return (struct scaling_plan){first9, last9, 9, scaling, together, median_bins};
}

/* Bins 0, 1, 2, 30, 59 of bands 50-300, 100-900, 500-900 of row 1. */
static void check_row(struct scaling_plan plan, const double want[3][5])
{
    static const int band[3] = {2, 5, 8}, bin[5] = {0, 1, 2, 30, 59};
    struct curves c = made();
    struct burst_error e = {0};
    CHECK_INT(curves_prepare(&c, &plan, x, &e), BURST_OK);
    for (int i = 0; i < 3; i++)
        for (int k = 0; k < 5; k++)
            CHECK_NEAR(x[(9 + band[i]) * BINS + bin[k]], want[i][k], 1e-6 * (1 + fabs(want[i][k]))); /* float */
}

TEST(standardised_by_itself_every_bit_is_the_daemons)
{
    struct lightcurve_window *w = NULL;
    enum { ROWS = 3, ALL = ROWS * ATOMS * WINDOW_BINS };
    uint16_t *counts = malloc(ALL * sizeof *counts);
    float *ours = malloc(sizeof *ours * ROWS * 9 * WINDOW_BINS), *theirs = malloc(sizeof *theirs * 9 * WINDOW_BINS);
    struct burst_error e = {0};
    struct rng r;
    CHECK(counts && ours && theirs);
    CHECK_INT(window_new(ROWS, &w, &e), BURST_OK);
    band_set_default(&w->bands);
    w->n_detector = ROWS;
    rng_seed(&r, 5, 0);
    for (int i = 0; i < ALL; i++)
        w->counts[i] = counts[i] = (uint16_t)rng_poisson(&r, i % 977 == 0 ? 60000.0 : 11.0); /* bright bins too */
    for (int i = 0; i < ROWS * WINDOW_BINS; i++)
        w->valid[i] = i / WINDOW_BINS == 2 ? 0 : !rng_chance(&r, 0.1); /* row 2: no data at all */
    struct curves c = {
        .atoms = counts, .valid = w->valid, .n = ROWS, .n_atom = ATOMS, .n_bin = WINDOW_BINS, .n_thread = 2};
    struct scaling_plan plan = {w->bands.first, w->bands.last, w->bands.n_band, SCALING_STANDARDISE, 0, 0};
    CHECK_INT(curves_prepare(&c, &plan, ours, &e), BURST_OK);
    for (int row = 0; row < ROWS; row++) {
        window_standardise(w, row, theirs);
        CHECK(memcmp(ours + (size_t)row * 9 * WINDOW_BINS, theirs, sizeof *theirs * 9 * WINDOW_BINS) == 0);
    }
    window_free(w);
    free(counts);
    free(ours);
    free(theirs);
}

/* x = (x - x[v].mean()) / x[v].std() over all bands of the row */
TEST(standardised_together_bands_share_one_scale)
{
    check_row(nine(SCALING_STANDARDISE, 1, 0),
              (const double[3][5]){{0.875061011, 0, 0.269824316, 0.0680787504, 0.673315446},
                                   {1.48029771, 0, 1.68204327, 0.269824316, 2.28727997},
                                   {0.0680787504, 0, -1.34414021, -0.33541238, -1.14239464}});
}

/* (x - x[v].min()) / ptp(x[v]) per band */
TEST(normalised_the_least_is_0_and_the_largest_1)
{
    check_row(nine(SCALING_NORMALISE, 0, 0),
              (const double[3][5]){{1, 0, 0.666666667, 0.555555556, 0.888888889},
                                   {0.6, 0, 0.7, 0, 1},
                                   {0.888888889, 0, 0.111111111, 0.666666667, 0.222222222}});
}

TEST(normalised_together_the_least_and_largest_are_of_all_bands)
{
    check_row(nine(SCALING_NORMALISE, 1, 0),
              (const double[3][5]){{0.631578947, 0, 0.473684211, 0.421052632, 0.578947368},
                                   {0.789473684, 0, 0.842105263, 0.473684211, 1},
                                   {0.421052632, 0, 0.0526315789, 0.315789474, 0.105263158}});
}

/* m = numpy.median of the valid bins of [t - 6, t + 6], then (x - m) / sqrt(max(m, 1)) in [-5, 50] */
TEST(a_running_median_looks_to_both_sides)
{
    check_row(nine(SCALING_RUNNING, 0, 12), (const double[3][5]){{1.2004901, 0, 0.171498585, 0, 0.666666667},
                                                                 {0.267261242, 0, 0.534522484, -1.65100165, 0.75},
                                                                 {5.30722778, 0, -0.707106781, 1, -1.63299316}});
    check_row(nine(SCALING_RUNNING, 0, 7), (const double[3][5]){{1, 0, 0, 0.182574186, 0.857492926},
                                                                {0, 0, 0.25819889, -1.33630621, 0.48507125},
                                                                {0.816496581, 0, -0.707106781, 1, -1}});
}

/* m of [t - 9, t); 0 until 3 valid bins went before: bins 0, 2, 3 did, 4 is the first */
TEST(a_causal_median_knows_only_the_past)
{
    check_row(nine(SCALING_RUNNING_CAUSAL, 0, 9), (const double[3][5]){{0, 0, 0, -0.171498585, 1.06066017},
                                                                       {0, 0, 0, -1.65100165, 0.889000889},
                                                                       {0, 0, 0, 2.82842712, -1.63299316}});
    CHECK_NEAR(x[(9 + 2) * BINS + 3], 0, 0);
    CHECK_NEAR(x[(9 + 2) * BINS + 4], 0.66666667, 1e-6);
    CHECK_NEAR(x[(9 + 2) * BINS + 5], -0.9486833, 1e-6);
    struct curves c = made();
    struct scaling_plan plan = nine(SCALING_RUNNING_CAUSAL, 0, 9);
    static float changed[2 * 9 * BINS];
    for (int t = 40; t < BINS; t++)
        atoms[t] = 1000; /* what comes later changes nothing before */
    CHECK_INT(curves_prepare(&c, &plan, changed, NULL), BURST_OK);
    c = made();
    CHECK_INT(curves_prepare(&c, &plan, x, NULL), BURST_OK);
    CHECK(memcmp(changed, x, 40 * sizeof *x) == 0);
}

TEST(a_running_median_is_clipped_where_it_is_far_off)
{
    static uint16_t flat[BINS];
    const uint8_t lo = 0, hi = 1;
    float z[BINS];
    for (int t = 0; t < BINS; t++)
        flat[t] = 100;
    flat[10] = 65535;
    flat[20] = 0;
    flat[30] = 599;
    struct curves c = {.atoms = flat, .n = 1, .n_atom = 1, .n_bin = BINS, .n_thread = 1};
    struct scaling_plan plan = {&lo, &hi, 1, SCALING_RUNNING, 0, 0};
    CHECK_INT(curves_prepare(&c, &plan, z, NULL), BURST_OK);
    CHECK_NEAR(z[10], 50, 0);
    CHECK_NEAR(z[20], -5, 0);
    CHECK_NEAR(z[30], 49.9, 1e-5); /* (599 - 100) / 10 */
    CHECK_NEAR(z[11], 0, 0);
}

TEST(equal_bins_become_zeros_in_every_scaling)
{
    static uint16_t flat[2 * BINS];
    static uint8_t none[2 * BINS];
    const uint8_t lo = 0, hi = 1;
    for (int t = 0; t < BINS; t++)
        flat[t] = 7, none[t] = 1; /* row 1: counts, but none of them data */
    for (int scaling = 0; scaling < SCALING_N; scaling++) {
        struct curves c = {.atoms = flat, .valid = none, .n = 2, .n_atom = 1, .n_bin = BINS, .n_thread = 1};
        struct scaling_plan plan = {&lo, &hi, 1, scaling, 0, 0};
        memset(x, 1, sizeof x);
        CHECK_INT(curves_prepare(&c, &plan, x, NULL), BURST_OK);
        for (int t = 0; t < 2 * BINS; t++)
            CHECK(x[t] == 0.0f);
    }
}

TEST(threads_change_nothing)
{
    static float one[2 * 9 * BINS];
    struct curves c = made();
    for (int scaling = 0; scaling < SCALING_N; scaling++) {
        struct scaling_plan plan = nine(scaling, 0, 0);
        c.n_thread = 1;
        CHECK_INT(curves_prepare(&c, &plan, one, NULL), BURST_OK);
        c.n_thread = 7; /* more than rows */
        CHECK_INT(curves_prepare(&c, &plan, x, NULL), BURST_OK);
        CHECK(memcmp(one, x, sizeof x) == 0);
    }
}

TEST(no_light_curves_are_no_work)
{
    struct curves c = {.n_atom = 5, .n_bin = BINS, .n_thread = 2};
    struct scaling_plan plan = nine(SCALING_STANDARDISE, 0, 0);
    CHECK_INT(curves_prepare(&c, &plan, NULL, NULL), BURST_OK);
}

TEST(plans_that_make_no_sense_are_refused)
{
    static const uint8_t empty[1] = {2}, beyond[1] = {6};
    struct curves c = made();
    struct burst_error e;
    struct scaling_plan plan = nine(0, 0, 0);
    x[0] = 77;
    plan.n_band = 0;
    CHECK_REFUSED(curves_prepare(&c, &plan, x, &e), BURST_E_SHAPE, e, "0 bands");
    plan.n_band = BAND_MAX + 1;
    CHECK_REFUSED(curves_prepare(&c, &plan, x, &e), BURST_E_SHAPE, e, "17 bands");
    plan = (struct scaling_plan){empty, empty, 1, 0, 0, 0};
    CHECK_REFUSED(curves_prepare(&c, &plan, x, &e), BURST_E_SHAPE, e, "[2, 2) of 5");
    plan.last = beyond;
    CHECK_REFUSED(curves_prepare(&c, &plan, x, &e), BURST_E_SHAPE, e, "[2, 6) of 5");
    plan.last = NULL;
    CHECK_REFUSED(curves_prepare(&c, &plan, x, &e), BURST_E_MISSING, e, "bounds");
    plan = nine(SCALING_N, 0, 0);
    CHECK_REFUSED(curves_prepare(&c, &plan, x, &e), BURST_E_RANGE, e, "number 4");
    plan = nine(SCALING_RUNNING, 1, 0);
    CHECK_REFUSED(curves_prepare(&c, &plan, x, &e), BURST_E_RANGE, e, "all together");
    plan = nine(SCALING_RUNNING, 0, BINS + 1);
    CHECK_REFUSED(curves_prepare(&c, &plan, x, &e), BURST_E_RANGE, e, "61 bins");
    plan = nine(SCALING_RUNNING, 0, -1);
    CHECK_REFUSED(curves_prepare(&c, &plan, x, &e), BURST_E_RANGE, e, "-1 bins");
    plan = nine(0, 0, 0);
    CHECK_REFUSED(curves_prepare(&c, &plan, NULL, &e), BURST_E_MISSING, e, "nowhere");
    c.n_atom = 9;
    CHECK_REFUSED(curves_prepare(&c, &plan, x, &e), BURST_E_SHAPE, e, "9 atoms");
    CHECK_NEAR(x[0], 77, 0);
}

int main(void)
{
    RUN(standardised_by_itself_every_bit_is_the_daemons);
    RUN(standardised_together_bands_share_one_scale);
    RUN(normalised_the_least_is_0_and_the_largest_1);
    RUN(normalised_together_the_least_and_largest_are_of_all_bands);
    RUN(a_running_median_looks_to_both_sides);
    RUN(a_causal_median_knows_only_the_past);
    RUN(a_running_median_is_clipped_where_it_is_far_off);
    RUN(equal_bins_become_zeros_in_every_scaling);
    RUN(threads_change_nothing);
    RUN(no_light_curves_are_no_work);
    RUN(plans_that_make_no_sense_are_refused);
    return check_report();
}
