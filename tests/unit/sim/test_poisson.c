/* Counts of many means at once, held against the distribution itself. */
#include "check.h"
#include "sim/fastexp.h"
#include "sim/poisson.h"
#include <stdlib.h>

enum { N = 200000 };

/* Pearson's chi-squared of N draws of one mean against exp(k ln m - m - ln k!), cells of at least ten expected; must
 * stay within five standard deviations of its degrees of freedom. */
static void check_mean(const struct poisson_tables *t, double mean)
{
    enum { MOST = 400 };
    static float means[N];
    static uint32_t counts[N];
    double seen[MOST] = {0}, chi2 = 0.0, cell = 0.0, in_cell = 0.0;
    int n_cell = 0;
    struct rng r;
    rng_seed(&r, 3, (uint64_t)(mean * 1000.0));
    for (int i = 0; i < N; i++)
        means[i] = (float)mean;
    poisson_draw(t, &r, means, N, counts);
    for (int i = 0; i < N; i++)
        seen[counts[i] < MOST ? counts[i] : MOST - 1] += 1.0;
    for (int k = 0; k < MOST; k++) {
        cell += N * exp(k * log((double)means[0]) - (double)means[0] - lgamma(k + 1.0));
        in_cell += seen[k];
        if (cell < 10.0 && k < MOST - 1) continue;
        chi2 += cell > 0.0 ? (in_cell - cell) * (in_cell - cell) / fmax(cell, 1.0) : 0.0;
        n_cell++;
        cell = in_cell = 0.0;
    }
    CHECK_SAY(chi2 < n_cell + 5.0 * sqrt(2.0 * n_cell), "mean %g: chi2 %.1f of %d cells", mean, chi2, n_cell);
}

TEST(counts_are_poisson_at_every_size_of_mean)
{
    static const double MEAN[] = {0.01, 0.1249, 0.125, 0.4, 1.9, 2.6, 7.31, 10.5, 16.0, 23.99, 41.7, 63.9, 64.1, 150.0};
    struct poisson_tables *t = NULL;
    CHECK_INT(poisson_new(&t, NULL), BURST_OK);
    for (size_t i = 0; i < sizeof MEAN / sizeof MEAN[0]; i++)
        check_mean(t, MEAN[i]);
    poisson_free(t);
}

TEST(no_counts_without_a_positive_mean)
{
    const float mean[4] = {0.0f, -3.0f, NAN, 1e-30f};
    uint32_t counts[4] = {9, 9, 9, 9};
    struct poisson_tables *t = NULL;
    struct rng r;
    rng_seed(&r, 1, 1);
    CHECK_INT(poisson_new(&t, NULL), BURST_OK);
    poisson_draw(t, &r, mean, 4, counts);
    for (int i = 0; i < 4; i++)
        CHECK_INT(counts[i], 0);
    poisson_free(t);
    poisson_free(NULL);
}

TEST(very_bright_bins_are_drawn_too)
{
    const float mean[1] = {1e6f};
    uint32_t counts[1];
    struct poisson_tables *t = NULL;
    struct rng r;
    rng_seed(&r, 1, 2);
    CHECK_INT(poisson_new(&t, NULL), BURST_OK);
    poisson_draw(t, &r, mean, 1, counts);
    CHECK_NEAR(counts[0], 1e6, 5e3);
    poisson_free(t);
}

/* One count tells nothing of the next: lag-1 correlation of 200,000 within five standard errors of 0. */
TEST(neighbours_are_independent)
{
    static float means[N];
    static uint32_t counts[N];
    double product = 0.0;
    struct poisson_tables *t = NULL;
    struct rng r;
    rng_seed(&r, 4, 0);
    for (int i = 0; i < N; i++)
        means[i] = 10.3f;
    CHECK_INT(poisson_new(&t, NULL), BURST_OK);
    poisson_draw(t, &r, means, N, counts);
    for (int i = 1; i < N; i++)
        product += ((double)counts[i] - 10.3) * ((double)counts[i - 1] - 10.3);
    CHECK_NEAR(product / N / 10.3, 0.0, 5.0 / sqrt(N));
    poisson_free(t);
}

TEST(the_fast_exponential_agrees_with_the_librarys)
{
    double worst = 0.0;
    for (double x = -690.0; x < 690.0; x += 0.137)
        worst = fmax(worst, fabs(fast_exp(x) / exp(x) - 1.0));
    CHECK_SAY(worst < 1e-9, "off by %g", worst);
    CHECK_NEAR(fast_exp(-1e9), 0.0, 0.0);
    CHECK_NEAR(fast_exp(0.0), 1.0, 0.0);
}

int main(void)
{
    RUN(counts_are_poisson_at_every_size_of_mean);
    RUN(no_counts_without_a_positive_mean);
    RUN(very_bright_bins_are_drawn_too);
    RUN(neighbours_are_independent);
    RUN(the_fast_exponential_agrees_with_the_librarys);
    return check_report();
}
