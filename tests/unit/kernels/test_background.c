/* Background fits: the truth is the polynomial the counts were made of. */
#include "check.h"
#include "kernels/background.h"

enum { N = 1875 };
static uint32_t counts[17000];
static uint8_t use[17000];

static double truth(double u)
{
    return 40 + 4 * u - 6 * u * u;
}

/* The polynomial, rounded after a dither of up to 5 counts with mean 0 and the spread of Poisson noise. */
static void fill(size_t n)
{
    for (size_t t = 0; t < n; t++) {
        double u = ((double)t + 0.5) / (0.5 * (double)n) - 1;
        counts[t] = (uint32_t)(truth(u) + (double)(t * 5 % 11) - 5 + 0.5);
        use[t] = 1;
    }
}

static double worst(const struct background *b, size_t n)
{
    double most = 0;
    for (size_t t = 0; t < n; t++) {
        double off = fabs(background_at(b, t) - truth(((double)t + 0.5) / (0.5 * (double)n) - 1));
        if (off > most) most = off;
    }
    return most;
}

TEST(a_parabola_is_found_again)
{
    struct background b;
    fill(N);
    CHECK(background_fit(counts, use, N, 2, &b));
    CHECK_INT(b.degree, 2);
    CHECK(worst(&b, N) < 0.3); /* rounding adds up to half a count to each bin, the mean of it 0 */
}

TEST(a_burst_does_not_lift_its_own_background)
{
    struct background b;
    fill(N);
    for (size_t t = 900; t < 1100; t++) /* 13 s, bright, with a tail of 10 s that fades to nothing */
        counts[t] += 200;
    for (size_t t = 1100; t < 1256; t++)
        counts[t] += (uint32_t)(1256 - t) / 4;
    CHECK(background_fit(counts, use, N, 2, &b));
    CHECK(worst(&b, N) < 0.5);
}

TEST(a_burst_that_begins_at_the_end_does_not_either)
{
    struct background b;
    fill(N);
    for (size_t t = N - 30; t < N; t++)
        counts[t] += 60;
    CHECK(background_fit(counts, use, N, 2, &b));
    CHECK(worst(&b, N) < 0.5);
}

TEST(missing_bins_are_not_zeros)
{
    struct background b;
    fill(N);
    for (size_t t = 0; t < 1400; t++)
        if (t < 900 || t % 2) counts[t] = use[t] = 0;
    CHECK(background_fit(counts, use, N, 1, &b));
    for (size_t t = 1000; t < N; t += 100) /* a line through 15 s of parabola: within its sagitta */
        CHECK_NEAR(background_at(&b, t), truth(((double)t + 0.5) / (0.5 * N) - 1), 1.5);
}

TEST(few_blocks_lower_the_degree)
{
    struct background b;
    for (size_t t = 0; t < 80; t++) {
        counts[t] = 10;
        use[t] = 1;
    }
    CHECK(background_fit(counts, use, 80, 3, &b)); /* five blocks: not enough for a slope */
    CHECK_INT(b.degree, 0);
    CHECK_NEAR(background_at(&b, 0), 10, 1e-9);
    CHECK_NEAR(background_at(&b, 79), 10, 1e-9);
}

TEST(long_curves_are_fitted_in_larger_blocks)
{
    struct background b;
    fill(17000);
    CHECK(background_fit(counts, use, 17000, 2, &b));
    CHECK(worst(&b, 17000) < 0.3);
}

TEST(without_a_usable_block_there_is_no_background)
{
    struct background b = {.degree = 7};
    fill(N);
    for (size_t t = 0; t < N; t++)
        use[t] = t % 16 < 7; /* less than half of every block */
    CHECK(!background_fit(counts, use, N, 2, &b));
    CHECK(!background_fit(counts, use, 0, 2, &b));
    CHECK_INT(b.degree, 7);
}

TEST(an_empty_detector_has_the_least_background)
{
    struct background b;
    for (size_t t = 0; t < N; t++) {
        counts[t] = 0;
        use[t] = 1;
    }
    CHECK(background_fit(counts, use, N, 2, &b));
    CHECK_NEAR(background_at(&b, 700), BACKGROUND_LEAST, 1e-12);
}

int main(void)
{
    RUN(a_parabola_is_found_again);
    RUN(a_burst_does_not_lift_its_own_background);
    RUN(a_burst_that_begins_at_the_end_does_not_either);
    RUN(missing_bins_are_not_zeros);
    RUN(few_blocks_lower_the_degree);
    RUN(long_curves_are_fitted_in_larger_blocks);
    RUN(without_a_usable_block_there_is_no_background);
    RUN(an_empty_detector_has_the_least_background);
    return check_report();
}
