/* S/N and onset: numbers by hand. */
#include "check.h"
#include "kernels/significance.h"

enum { N = 1000 };
static double seen[N + 1], expected[N + 1];

/* 25 counts expected and seen per bin, and `extra` more in [from, to). */
static struct running series(size_t from, size_t to, double extra)
{
    for (size_t t = 0; t < N; t++) {
        expected[t + 1] = expected[t] + 25;
        seen[t + 1] = seen[t] + 25 + (t >= from && t < to ? extra : 0);
    }
    return (struct running){N, seen, expected};
}

TEST(snr_is_excess_over_the_root_of_the_background)
{
    struct running r = series(100, 104, 50);
    CHECK_NEAR(stretch_excess(&r, 100, 104), 200, 1e-9);
    CHECK_NEAR(stretch_snr(&r, 100, 104), 20, 1e-9); /* 200 / sqrt(100) */
    CHECK_NEAR(stretch_snr(&r, 99, 104), 200 / sqrt(125.0), 1e-9);
    CHECK_NEAR(stretch_snr(&r, 100, 100), 0, 0);
    expected[1] = seen[1] = 0.04;
    struct running faint = {1, seen, expected};
    CHECK_NEAR(stretch_snr(&faint, 0, 1), 0, 1e-12);
    seen[1] = 3.04;
    CHECK_NEAR(stretch_snr(&faint, 0, 1), 3, 1e-12); /* never divided by less than one count */
}

TEST(sigma_is_the_signed_root_of_the_likelihood_ratio)
{
    struct running r = series(10, 11, 25);
    /* 50 seen where 25 are expected: sqrt(2 (50 ln 2 - 25)) */
    CHECK_NEAR(stretch_sigma(&r, 10, 11), sqrt(2 * (50 * log(2.0) - 25)), 1e-9);
    r = series(10, 11, -25);
    CHECK_NEAR(stretch_sigma(&r, 10, 11), -sqrt(50.0), 1e-9); /* none seen: sqrt(2 x 25) */
    CHECK_NEAR(stretch_sigma(&r, 20, 30), 0, 1e-6);
    CHECK_NEAR(stretch_sigma(&r, 20, 20), 0, 0);
}

TEST(the_best_stretch_has_a_dyadic_length)
{
    struct running r = series(300, 332, 10);
    struct stretch best = stretch_best(&r, 0, N, 256);
    CHECK_INT(best.from, 300);
    CHECK_INT(best.to, 332);
    CHECK_NEAR(best.snr, 320 / sqrt(800.0), 1e-9);
    best = stretch_best(&r, 0, N, 8); /* first of equals */
    CHECK_INT(best.from, 300);
    CHECK_INT(best.to, 308);
    best = stretch_best(&r, 310, 315, 256); /* never outside */
    CHECK_INT(best.from, 310);
    CHECK_INT(best.to, 314);
    best = stretch_best(&r, 500, 500, 256);
    CHECK_INT(best.to - best.from, 0);
}

TEST(the_onset_is_where_the_excess_begins_and_the_ending_where_it_ends)
{
    struct running r = series(300, 337, 10);
    struct stretch best = stretch_best(&r, 0, N, 256);
    CHECK_INT(best.to - best.from, 32);
    CHECK_INT(stretch_onset(&r, best.to, 256, 4.5), 300);
    CHECK_INT(stretch_ending(&r, best.from, 256, 4.5), 337);
}

TEST(the_onset_walks_back_over_a_faint_beginning)
{
    /* 100 bins of +4 before 20 bins of +100: the bright part alone is the best, the faint part before it 400 / 50 = 8 sigma. */
    struct running r = series(500, 520, 100);
    for (size_t t = 400; t < N; t++)
        seen[t + 1] += t < 500 ? 4 * (double)(t - 399) : 400;
    struct stretch best = stretch_best(&r, 0, N, 256);
    CHECK(best.from >= 500);
    CHECK_INT(stretch_onset(&r, best.to, 256, 4.5), 400);
    CHECK_INT(stretch_onset(&r, best.to, 256, 20), 500); /* not over one that is too faint for the threshold */
}

TEST(walks_stop_at_the_edges)
{
    struct running r = series(0, N, 10);
    CHECK_INT(stretch_onset(&r, 700, 256, 4.5), 0);
    CHECK_INT(stretch_ending(&r, 700, 256, 4.5), N);
    CHECK_INT(stretch_onset(&r, 0, 256, 4.5), 0);
}

int main(void)
{
    RUN(snr_is_excess_over_the_root_of_the_background);
    RUN(sigma_is_the_signed_root_of_the_likelihood_ratio);
    RUN(the_best_stretch_has_a_dyadic_length);
    RUN(the_onset_is_where_the_excess_begins_and_the_ending_where_it_ends);
    RUN(the_onset_walks_back_over_a_faint_beginning);
    RUN(walks_stop_at_the_edges);
    return check_report();
}
