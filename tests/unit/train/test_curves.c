/* The door from Python, threads, and the running median's bag. */
#include "check.h"
#include "made_curves.h"
#include "train/median.h"
#include <stdatomic.h>

TEST(sizes_out_of_range_are_refused)
{
    static const struct {
        size_t n, n_atom, n_bin;
        int n_thread;
        const char *part;
    } cases[] = {{1, 0, 10, 1, "0 atoms"},     {1, 9, 10, 1, "9 atoms"},     {1, 5, 0, 1, "0 bins"},
                 {1, 5, 4097, 1, "4097 bins"}, {1, 5, 10, 0, "0 threads"},   {1, 5, 10, 65, "65 threads"},
                 {1, 5, 10, -1, "-1 threads"}, {SIZE_MAX, 1, 1, 1, "memory"}};
    const uint16_t count = 0;
    struct burst_error e;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct curves c = {.atoms = &count, .n = cases[i].n, .n_atom = cases[i].n_atom, .n_bin = cases[i].n_bin};
        c.n_thread = cases[i].n_thread;
        CHECK_REFUSED(curves_check(&c, &e), BURST_E_SHAPE, e, cases[i].part);
        CHECK_REFUSED(curves_check_background(&c, &e), BURST_E_SHAPE, e, cases[i].part);
    }
}

TEST(what_is_not_there_is_refused)
{
    const uint16_t count = 0;
    struct curves c = {.n = 1, .n_atom = 1, .n_bin = 1, .n_thread = 1};
    struct burst_error e;
    CHECK_REFUSED(curves_check(&c, &e), BURST_E_MISSING, e, "no atoms");
    c.atoms = &count;
    CHECK_INT(curves_check(&c, &e), BURST_OK);
    CHECK_REFUSED(curves_check_background(&c, &e), BURST_E_MISSING, e, "no background");
    c.n = 0;
    CHECK_INT(curves_check_background(&c, &e), BURST_OK);
}

TEST(backgrounds_that_are_no_expectation_are_refused_by_their_place)
{
    const double wrong[] = {-1e-3, (double)NAN, (double)INFINITY, 2e8};
    struct made m = made_new(2, 3, 4, 10);
    struct burst_error e;
    CHECK_INT(curves_check_background(&m.c, &e), BURST_OK);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        m.background[(1 * 3 + 2) * 4 + 1] = (float)wrong[i];
        CHECK_REFUSED(curves_check_background(&m.c, &e), BURST_E_RANGE, e, "row 1, atom 2, bin 1");
    }
    made_fini(&m);
}

struct tally {
    atomic_int seen[100], parts;
    size_t refuse;
};

static enum burst_err tally_part(void *what, int part, size_t from, size_t to, struct burst_error *reterr)
{
    struct tally *t = what;
    atomic_fetch_add(&t->parts, 1 << part);
    for (size_t i = from; i < to; i++) {
        atomic_fetch_add(&t->seen[i], 1);
        if (i >= t->refuse) return burst_fail(reterr, BURST_E_RANGE, "row %zu", i);
    }
    return BURST_OK;
}

TEST(every_row_is_done_once_whatever_the_threads)
{
    for (int n_thread = 1; n_thread <= 7; n_thread++) {
        struct tally t = {.refuse = 1000};
        CHECK_INT(curves_each(100, n_thread, tally_part, &t, NULL), BURST_OK);
        CHECK_INT(t.parts, (1 << n_thread) - 1);
        for (int i = 0; i < 100; i++)
            CHECK_INT(t.seen[i], 1);
    }
}

TEST(the_first_part_that_refuses_says_why)
{
    struct tally t = {.refuse = 30};
    struct burst_error e;
    CHECK_REFUSED(curves_each(100, 4, tally_part, &t, &e), BURST_E_RANGE, e,
                  "row 30"); /* parts begin at 0, 25, 50, 75 */
    CHECK_INT(t.seen[24], 1);
    CHECK_INT(t.seen[31], 0);
    CHECK_INT(curves_each(100, 4, tally_part, &t, NULL), BURST_E_RANGE);
}

TEST(a_median_is_the_middle_value_or_between_the_two)
{
    static const struct {
        int add, remove;
        double want;
    } step[] = {{5, -1, 5},    {9, -1, 7},  {1, -1, 5},    {1, -1, 3}, {40, -1, 5}, {40, 1, 9},
                {-1, 1, 24.5}, {-1, 40, 9}, {-1, 5, 24.5}, {0, -1, 9}, {-1, 9, 20}};
    struct median m;
    CHECK(median_init(&m, 40));
    CHECK_NEAR(median_value(&m), 0, 0);
    for (size_t i = 0; i < sizeof step / sizeof step[0]; i++) {
        if (step[i].add >= 0) median_add(&m, (uint32_t)step[i].add);
        if (step[i].remove >= 0) median_remove(&m, (uint32_t)step[i].remove);
        CHECK_SAY(median_value(&m) == step[i].want, "step %zu: %g, not %g", i, median_value(&m), step[i].want);
    }
    median_fini(&m);
    median_fini(&m);
}

static int compare(const void *a, const void *b)
{
    const uint32_t *x = a, *y = b;
    return *x < *y ? -1 : *x > *y;
}

TEST(a_running_bag_agrees_with_sorting)
{
    enum { N = 500, LONG = 21 };
    static uint32_t x[N];
    struct median m;
    struct rng r;
    rng_seed(&r, 3, 0);
    CHECK(median_init(&m, 1000));
    for (int i = 0; i < N; i++) {
        x[i] = (uint32_t)(rng_chance(&r, 0.1) ? rng_between(&r, 0, 1001) : rng_poisson(&r, 3));
        median_add(&m, x[i]);
        if (i >= LONG) median_remove(&m, x[i - LONG]);
        uint32_t sorted[LONG];
        int n = i + 1 < LONG ? i + 1 : LONG;
        memcpy(sorted, x + i + 1 - n, (size_t)n * sizeof *x);
        qsort(sorted, (size_t)n, sizeof *sorted, compare);
        CHECK_NEAR(median_value(&m), 0.5 * (sorted[(n - 1) / 2] + sorted[n / 2]), 0);
    }
    median_fini(&m);
}

int main(void)
{
    RUN(sizes_out_of_range_are_refused);
    RUN(what_is_not_there_is_refused);
    RUN(backgrounds_that_are_no_expectation_are_refused_by_their_place);
    RUN(every_row_is_done_once_whatever_the_threads);
    RUN(the_first_part_that_refuses_says_why);
    RUN(a_median_is_the_middle_value_or_between_the_two);
    RUN(a_running_bag_agrees_with_sorting);
    return check_report();
}
