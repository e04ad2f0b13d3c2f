/* Distributions by their moments. Tolerances are 5 standard errors of the n drawn: a fixed seed decides once and for
 * all. */
#include "check.h"
#include "sim/rng.h"

static struct rng start(void)
{
    struct rng r;
    rng_seed(&r, 42, 7);
    return r;
}

TEST(same_seed_and_stream_give_the_same_numbers)
{
    struct rng a = start(), b = start();
    for (int i = 0; i < 100; i++)
        CHECK(rng_next(&a) == rng_next(&b));
}

TEST(other_stream_or_seed_gives_other_numbers)
{
    struct rng a, b, c;
    rng_seed(&a, 42, 7);
    rng_seed(&b, 42, 8);
    rng_seed(&c, 43, 7);
    uint64_t x = rng_next(&a), y = rng_next(&b), z = rng_next(&c);
    CHECK(x != y && x != z && y != z);
}

/* First outputs of xoshiro256** from the state {1, 2, 3, 4}, by hand: rotl(2 * 5, 7) * 9 = 1280 * 9; the next state's
 * second word is 2 ^ (3 ^ 1) ^ ... = 0, so the second output is 0. */
TEST(generator_is_xoshiro256_starstar)
{
    struct rng r = {{1, 2, 3, 4}};
    CHECK(rng_next(&r) == 11520);
    CHECK(rng_next(&r) == 0);
    CHECK(rng_next(&r) == 1509978240);
}

TEST(uniform_has_mean_half_and_variance_a_twelfth)
{
    enum { N = 100000 };
    struct rng r = start();
    double sum = 0.0, sum2 = 0.0;
    for (int i = 0; i < N; i++) {
        double x = rng_uniform(&r);
        CHECK(x >= 0.0 && x < 1.0);
        sum += x;
        sum2 += x * x;
    }
    CHECK_NEAR(sum / N, 0.5, 0.0046);
    CHECK_NEAR(sum2 / N - 0.25, 1.0 / 12.0, 0.006);
}

TEST(between_keeps_its_bounds)
{
    struct rng r = start();
    for (int i = 0; i < 1000; i++) {
        double x = rng_between(&r, -3.0, 5.0), y = rng_log_between(&r, 0.01, 100.0);
        CHECK(x >= -3.0 && x < 5.0);
        CHECK(y >= 0.01 && y <= 100.0);
    }
}

TEST(log_between_has_its_median_in_the_middle_of_the_logarithm)
{
    struct rng r = start();
    int below = 0;
    for (int i = 0; i < 10000; i++)
        below += rng_log_between(&r, 0.01, 100.0) < 1.0;
    CHECK_NEAR(below, 5000, 250);
}

TEST(normal_has_the_normal_moments)
{
    enum { N = 100000 };
    struct rng r = start();
    double m[5] = {0};
    for (int i = 0; i < N; i++) {
        double x = rng_normal(&r);
        for (int k = 1; k < 5; k++)
            m[k] += pow(x, k) / N;
    }
    CHECK_NEAR(m[1], 0.0, 0.016);
    CHECK_NEAR(m[2], 1.0, 0.023);
    CHECK_NEAR(m[3], 0.0, 0.062);
    CHECK_NEAR(m[4], 3.0, 0.16);
}

TEST(lognormal_has_its_median)
{
    struct rng r = start();
    int below = 0;
    for (int i = 0; i < 10000; i++)
        below += rng_lognormal(&r, 14.0, 1.1) < 14.0;
    CHECK_NEAR(below, 5000, 250);
}

TEST(exponential_and_laplace_have_their_moments)
{
    enum { N = 100000 };
    struct rng r = start();
    double mean = 0.0, sum = 0.0, size = 0.0;
    for (int i = 0; i < N; i++) {
        mean += rng_exponential(&r) / N;
        double x = rng_laplace(&r, 0.02);
        sum += x / N;
        size += fabs(x) / N;
    }
    CHECK_NEAR(mean, 1.0, 0.016);
    CHECK_NEAR(sum, 0.0, 0.00045);
    CHECK_NEAR(size, 0.02, 0.00032);
}

static void check_poisson(double mean)
{
    enum { N = 100000 };
    struct rng r = start();
    double sum = 0.0, sum2 = 0.0, zero = 0.0;
    for (int i = 0; i < N; i++) {
        double k = rng_poisson(&r, mean);
        sum += k / N;
        sum2 += k * k / N;
        zero += k < 0.5 ? 1.0 / N : 0.0;
    }
    CHECK_NEAR(sum, mean, 5.0 * sqrt(mean / N));
    CHECK_NEAR((sum2 - sum * sum) / mean, 1.0, 5.0 * sqrt((2.0 + 1.0 / mean) / N));
    CHECK_NEAR(zero, exp(-mean), 5.0 * sqrt(exp(-mean) / N) + 1e-9);
}

TEST(poisson_has_mean_variance_and_zeros_below_and_above_the_change_of_method)
{
    check_poisson(0.1);
    check_poisson(2.5);
    check_poisson(9.99);
    check_poisson(10.01);
    check_poisson(53.0);
    check_poisson(3000.0);
}

/* P(X <= 12) for mean 10 is 0.791556 (the sum of its terms). */
TEST(poisson_has_the_right_tail)
{
    enum { N = 100000 };
    struct rng r = start();
    double ten = 0.0;
    for (int i = 0; i < N; i++)
        ten += rng_poisson(&r, 10.0) <= 12 ? 1.0 / N : 0.0;
    CHECK_NEAR(ten, 0.791556, 0.0065);
}

TEST(poisson_of_nothing_is_zero)
{
    struct rng r = start();
    CHECK_INT(rng_poisson(&r, 0.0), 0);
    CHECK_INT(rng_poisson(&r, -1.0), 0);
}

TEST(pick_follows_the_weights)
{
    const double weight[3] = {1.0, 0.0, 3.0};
    struct rng r = start();
    int n[3] = {0};
    for (int i = 0; i < 10000; i++)
        n[rng_pick(&r, weight, 3)]++;
    CHECK_INT(n[1], 0);
    CHECK_NEAR(n[2], 7500, 220);
    CHECK_INT(rng_pick(&r, weight, 1), 0);
}

TEST(chance_never_and_always)
{
    struct rng r = start();
    int n = 0;
    for (int i = 0; i < 10000; i++) {
        CHECK(!rng_chance(&r, 0.0) && rng_chance(&r, 1.0));
        n += rng_chance(&r, 0.2);
    }
    CHECK_NEAR(n, 2000, 200);
}

int main(void)
{
    RUN(same_seed_and_stream_give_the_same_numbers);
    RUN(other_stream_or_seed_gives_other_numbers);
    RUN(generator_is_xoshiro256_starstar);
    RUN(uniform_has_mean_half_and_variance_a_twelfth);
    RUN(between_keeps_its_bounds);
    RUN(log_between_has_its_median_in_the_middle_of_the_logarithm);
    RUN(normal_has_the_normal_moments);
    RUN(lognormal_has_its_median);
    RUN(exponential_and_laplace_have_their_moments);
    RUN(poisson_has_mean_variance_and_zeros_below_and_above_the_change_of_method);
    RUN(poisson_has_the_right_tail);
    RUN(poisson_of_nothing_is_zero);
    RUN(pick_follows_the_weights);
    RUN(chance_never_and_always);
    return check_report();
}
