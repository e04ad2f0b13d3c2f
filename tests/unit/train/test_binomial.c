/* Binomial draws against the probabilities themselves (lgamma). Limits: 5 standard errors, chi-square at one in 10,000; a fixed
 * seed decides once and for all. */
#include "check.h"
#include "train/binomial.h"

enum { DRAWS = 200000 };

static double probability(unsigned n, double p, unsigned k)
{
    return exp(lgamma(n + 1.0) - lgamma(k + 1.0) - lgamma(n - k + 1.0) + k * log(p) + (n - k) * log(1 - p));
}

/* Chi-square over values of at least 20 expected draws, the rest in one; its normal form by Wilson and Hilferty. */
static void check_drawn(unsigned n, double p)
{
    static unsigned seen[70000];
    double sum = 0, sum2 = 0, chi2 = 0, rest_seen = 0, rest = 0;
    int freedom = 0;
    struct rng r;
    rng_seed(&r, 17, n);
    memset(seen, 0, sizeof seen);
    for (int i = 0; i < DRAWS; i++) {
        unsigned k = binomial_draw(&r, n, p);
        CHECK(k <= n);
        seen[k]++;
        sum += k;
        sum2 += (double)k * k;
    }
    double mean = sum / DRAWS, variance = sum2 / DRAWS - mean * mean, want = n * p * (1 - p);
    CHECK_NEAR(mean, n * p, 5 * sqrt(want / DRAWS));
    CHECK_NEAR(variance / want, 1, 5 * sqrt((2 + 1 / want) / DRAWS));
    for (unsigned k = 0; k <= n; k++) {
        double expected = DRAWS * probability(n, p, k);
        if (expected < 20) {
            rest += expected;
            rest_seen += seen[k];
            continue;
        }
        chi2 += (seen[k] - expected) * (seen[k] - expected) / expected;
        freedom++;
    }
    if (rest > 1) {
        chi2 += (rest_seen - rest) * (rest_seen - rest) / rest;
        freedom++;
    }
    double f = freedom - 1, z = (cbrt(chi2 / f) - (1 - 2 / (9 * f))) / sqrt(2 / (9 * f));
    CHECK_SAY(fabs(z) < 3.9, "n %u, p %g: chi2 %g of %g, %g sigma", n, p, chi2, f, z);
}

TEST(draws_have_the_binomial_distribution)
{
    check_drawn(1, 0.3);
    check_drawn(5, 0.5);
    check_drawn(20, 0.3);
    check_drawn(20, 0.8);   /* drawn as what is lost */
    check_drawn(52, 0.19);  /* below the change of method: 9.9 kept */
    check_drawn(52, 0.195); /* above it: 10.1 */
    check_drawn(52, 0.5);
    check_drawn(400, 0.03);
    check_drawn(3000, 0.97);
    check_drawn(65535, 0.4);
    check_drawn(65535, 0.00015);
}

TEST(none_and_all_are_certain)
{
    struct rng r;
    rng_seed(&r, 1, 0);
    CHECK_INT(binomial_draw(&r, 0, 0.5), 0);
    CHECK_INT(binomial_draw(&r, 40, 0.0), 0);
    CHECK_INT(binomial_draw(&r, 40, -0.1), 0);
    CHECK_INT(binomial_draw(&r, 40, 1.0), 40);
    CHECK_INT(binomial_draw(&r, 40, 1.1), 40);
    CHECK_INT(binomial_draw(&r, 65535, 1e-300), 0);
}

int main(void)
{
    RUN(draws_have_the_binomial_distribution);
    RUN(none_and_all_are_certain);
    return check_report();
}
