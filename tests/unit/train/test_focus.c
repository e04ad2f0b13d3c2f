/* Poisson-FOCuS against all intervals by brute force, hand calculation and published behaviour. */
#include "check.h"
#include "train/focus.h"
#include <stdlib.h>

enum { N = 600 };

/* Poisson counts by products of uniforms (Knuth), from a generator of the test's own. */
static uint64_t state;
static double uniform(void)
{
    state = state * 6364136223846793005ULL + 1442695040888963407ULL;
    return (double)(state >> 11) / 9007199254740992.0;
}
static double poisson(double mean)
{
    double left = exp(-mean), product = uniform();
    int n = 0;
    for (; product > left; n++)
        product *= uniform();
    return n;
}

/* The greatest S over every start, mu at least mu_min: the definition. */
static double brute(const double *counts, const double *expected, size_t stop, double mu_min, size_t *ret_length)
{
    double best = 0.0, x = 0.0, l = 0.0;
    *ret_length = 0;
    for (size_t start = stop; start-- > 0;) {
        x += counts[start];
        l += expected[start];
        double mu = fmax(x / l, mu_min), s = mu > 1.0 ? x * log(mu) - l * (mu - 1.0) : 0.0;
        if (s > best) best = s, *ret_length = stop - start;
    }
    return best;
}

/* Sums of multiples of 1/4 are exact, so the maxima must be equal to the last bit. */
static void compare(double mu_min, double flare, uint64_t seed)
{
    static double counts[N], expected[N], significance[N];
    static uint32_t length[N];
    struct burst_error e;
    state = seed;
    for (int i = 0; i < N; i++) {
        expected[i] = 2.0 + 0.25 * (i / 50 % 5);
        counts[i] = poisson(expected[i] * (i > 200 && i < 230 ? flare : 1.0));
    }
    CHECK_INT(focus_run(counts, expected, NULL, N, mu_min, significance, length, &e), BURST_OK);
    for (size_t i = 0; i < N; i++) {
        size_t want_length;
        double want = brute(counts, expected, i + 1, mu_min, &want_length);
        CHECK_SAY(!(significance[i] > sqrt(2.0 * want)) && !(significance[i] < sqrt(2.0 * want)),
                  "bin %zu, mu_min %g: %.17g, not %.17g", i, mu_min, significance[i], sqrt(2.0 * want));
        if (want > 0.0) CHECK_SAY(length[i] > 0, "bin %zu: no length", i);
    }
}

TEST(maximum_equals_that_over_all_intervals_exactly)
{
    for (uint64_t seed = 1; seed <= 10; seed++) {
        compare(1.0, 1.0, seed);
        compare(1.0, 1.5, seed);
        compare(1.1, 1.0, seed);
        compare(1.1, 3.0, seed);
        compare(2.0, 1.5, seed);
    }
}

TEST(length_is_that_of_the_best_interval)
{
    struct focus f;
    struct focus_peak p;
    CHECK_INT(focus_init(1.0, &f, NULL), BURST_OK);
    static const double COUNTS[6] = {1, 2, 0, 8, 7, 9};
    for (int i = 0; i < 6; i++)
        CHECK_INT(focus_step(&f, COUNTS[i], 2.0, &p, NULL), BURST_OK);
    CHECK_INT(p.length, 3); /* 24 counts on 6: with the 0 before it 24 on 8 */
    CHECK_NEAR(p.significance, sqrt(2.0 * (24.0 * log(4.0) - 18.0)), 1e-12);
    focus_fini(&f);
}

/* Ward et al. 2023, figure 4: background 2, three times brighter for 20 bins; S for the expected counts themselves is
 * 40 (3 ln 3 - 2) = 51.83, 10.18 sigma. */
TEST(the_papers_anomaly_has_the_significance_of_its_likelihood_ratio)
{
    double counts[80], expected[80], significance[80];
    uint32_t length[80];
    for (int i = 0; i < 80; i++) {
        expected[i] = 2.0;
        counts[i] = i >= 40 && i < 60 ? 6.0 : 2.0;
    }
    CHECK_INT(focus_run(counts, expected, NULL, 80, 1.0, significance, length, NULL), BURST_OK);
    CHECK_NEAR(significance[59], 10.1817, 1e-4);
    CHECK_INT(length[59], 20);
    CHECK_NEAR(significance[39], 0.0, 0.0); /* no excess before it */
}

/* Of a random walk of n steps, the lower hull has H_n sides on average (Andersen 1954), and half of them rise faster than
 * expected: (log n + 0.577) / 2, the cost that Ward et al. give (figure 9, rate 100). */
TEST(candidates_are_as_few_as_published)
{
    enum { STEPS = 4096, RUNS = 40 };
    double sum = 0.0;
    state = 77;
    for (int run = 0; run < RUNS; run++) {
        struct focus f;
        struct focus_peak p;
        (void)focus_init(1.0, &f, NULL); /* 1 is allowed */
        for (int i = 0; i < STEPS; i++)
            (void)focus_step(&f, poisson(100.0), 100.0, &p, NULL);
        sum += (double)(f.n - 1);
        focus_fini(&f);
    }
    CHECK_NEAR(sum / RUNS, 0.5 * (log(STEPS) + 0.5772), 1.0); /* H = 8.89; deviation of one run about 2 */
}

/* What mu_min is for: figure 9 sets it to 1.02 to look no farther back than 1,024 bins at rate 100. */
TEST(mu_min_forgets_long_faint_excesses)
{
    struct focus f;
    struct focus_peak p;
    state = 5;
    CHECK_INT(focus_init(1.5, &f, NULL), BURST_OK);
    for (int i = 0; i < 2000; i++)
        CHECK_INT(focus_step(&f, 11.0, 10.0, &p, NULL), BURST_OK); /* 10 % more for ever: 14 sigma, but faint */
    CHECK_NEAR(p.significance, 0.0, 0.0);
    CHECK_INT(f.n, 1);
    focus_fini(&f);
}

TEST(no_interval_reaches_over_a_gap)
{
    double counts[6] = {9, 9, 0, 2, 2, 3}, expected[6] = {2, 2, 2, 2, 2, 2}, significance[6];
    uint8_t valid[6] = {1, 1, 0, 1, 1, 1};
    uint32_t length[6];
    CHECK_INT(focus_run(counts, expected, valid, 6, 1.0, significance, length, NULL), BURST_OK);
    CHECK(significance[1] > 5.0);
    CHECK_NEAR(significance[2], 0.0, 0.0);
    CHECK_NEAR(significance[4], 0.0, 0.0);
    CHECK_NEAR(significance[5], sqrt(2.0 * (3.0 * log(1.5) - 1.0)), 1e-12);
    CHECK_INT(length[5], 1);
    expected[4] = 0.0; /* no expectation is a gap too */
    CHECK_INT(focus_run(counts, expected, valid, 6, 1.0, significance, length, NULL), BURST_OK);
    CHECK_NEAR(significance[4], 0.0, 0.0);
}

TEST(a_burst_that_only_rises_keeps_every_start)
{
    struct focus f;
    struct focus_peak p;
    CHECK_INT(focus_init(1.0, &f, NULL), BURST_OK);
    for (int i = 0; i < 300; i++)
        CHECK_INT(focus_step(&f, 2.0 + i, 1.0, &p, NULL), BURST_OK);
    CHECK_INT(f.n, 301); /* far more than the first room */
    focus_fini(&f);
}

TEST(bad_numbers_are_refused_and_take_nothing)
{
    struct focus f = {0};
    struct focus_peak p = {1.0, 7};
    struct burst_error e;
    CHECK_REFUSED(focus_init(0.9, &f, &e), BURST_E_RANGE, e, "0.9");
    CHECK_REFUSED(focus_init(NAN, &f, &e), BURST_E_RANGE, e, "faintest");
    CHECK(f.start == NULL);
    CHECK_INT(focus_init(1.0, &f, &e), BURST_OK);
    CHECK_REFUSED(focus_step(&f, -1.0, 2.0, &p, &e), BURST_E_RANGE, e, "-1 counts");
    CHECK_REFUSED(focus_step(&f, 1.0, 0.0, &p, &e), BURST_E_RANGE, e, "0 expected");
    CHECK_REFUSED(focus_step(&f, INFINITY, 1.0, &p, &e), BURST_E_RANGE, e, "finite");
    CHECK_INT(p.length, 7);
    CHECK_INT(f.bin, 0);
    focus_fini(&f);
    focus_fini(&f);
}

int main(void)
{
    RUN(maximum_equals_that_over_all_intervals_exactly);
    RUN(length_is_that_of_the_best_interval);
    RUN(the_papers_anomaly_has_the_significance_of_its_likelihood_ratio);
    RUN(candidates_are_as_few_as_published);
    RUN(mu_min_forgets_long_faint_excesses);
    RUN(no_interval_reaches_over_a_gap);
    RUN(a_burst_that_only_rises_keeps_every_start);
    RUN(bad_numbers_are_refused_and_take_nothing);
    return check_report();
}
