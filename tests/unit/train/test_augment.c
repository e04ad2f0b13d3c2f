/* Fainter bursts and other rates stay Poisson; the printed formula does not. Limits are 5 standard errors where none are said. */
#include "check.h"
#include "made_curves.h"
#include "train/augment.h"

static const struct draw seed1 = {.seed = 1};

TEST(thinned_background_stays_poisson_at_any_part_kept)
{
    const double kept[] = {0.0, 0.2, 0.5, 0.8, 1.0};
    struct made m = made_new(400, 5, 200, 52); /* 52, 26, 13, 6.5, 3.25 counts per bin: 80,000 bins of each */
    made_draw(&m, 2);
    for (size_t k = 0; k < sizeof kept / sizeof kept[0]; k++) {
        made_numbers(&m, kept[k]);
        CHECK_INT(curves_thin(&m.c, m.number, seed1, m.ret_atoms, NULL), BURST_OK);
        for (size_t a = 0; a < 5; a++)
            CHECK_NEAR(made_dispersion(&m, m.ret_atoms, a), 1.0, 0.02); /* science.md A.8 */
    }
    CHECK(memcmp(m.atoms, m.ret_atoms, sizeof *m.atoms * 400 * 5 * 200) == 0); /* 1 keeps every count */
    made_fini(&m);
}

/* Variance / mean of L - c L + Poisson(c B): (1 - c)^2 + c. */
TEST(the_printed_formula_leaks_where_ours_does_not)
{
    const double removed[3] = {0.2, 0.5, 0.8};
    struct made m = made_new(400, 1, 200, 52);
    made_draw(&m, 3);
    for (int k = 0; k < 3; k++) {
        double sum = 0, sum2 = 0, n = 400 * 200, part = 0, c = removed[k];
        made_numbers(&m, c);
        CHECK_INT(curves_thin_as_printed(&m.c, m.number, seed1, m.ret_background, NULL), BURST_OK);
        for (int i = 0; i < 400 * 200; i++) {
            double x = (double)m.ret_background[i];
            sum += x;
            sum2 += x * x;
            part += fabs(x - round(x)) > 1e-3;
        }
        CHECK_NEAR(sum / n, 52, 5 * sqrt(52 / n));
        CHECK_NEAR((sum2 / n - sum / n * (sum / n)) / (sum / n), (1 - c) * (1 - c) + c, 0.02);
        CHECK_NEAR(part / n, c == 0.5 ? 0.5 : 0.8, 0.02); /* halves of odd counts; fifths of all but every fifth */
        made_numbers(&m, 1 - c);
        CHECK_INT(curves_thin(&m.c, m.number, seed1, m.ret_atoms, NULL), BURST_OK);
        CHECK_NEAR(made_dispersion(&m, m.ret_atoms, 0), 1.0, 0.02);
    }
    made_fini(&m);
}

TEST(of_a_burst_the_part_kept_is_left_in_every_atom)
{
    struct made m = made_new(20000, 3, 4, 12);
    for (size_t i = 0; i < 20000; i++)
        for (size_t a = 0; a < 3; a++)
            m.burst[(i * 3 + a) * 4 + 2] = 40.0 / (double)(a + 1);
    made_draw(&m, 4);
    made_numbers(&m, 0.3);
    CHECK_INT(curves_thin(&m.c, m.number, seed1, m.ret_atoms, NULL), BURST_OK);
    for (size_t a = 0; a < 3; a++) {
        double b = 12.0 / (double)(1 << a);
        CHECK(made_is_poisson(&m, m.ret_atoms, a, 1, b));
        CHECK(made_is_poisson(&m, m.ret_atoms, a, 2, b + 0.3 * 40.0 / (double)(a + 1)));
    }
    made_fini(&m);
}

/* Values of a thinned bin against the Poisson probabilities of mean 8: chi-square of 0..15 and above, 16 degrees of freedom, under
 * 45 but for one in 10,000. */
TEST(thinned_counts_have_the_poisson_distribution)
{
    struct made m = made_new(50000, 1, 1, 8);
    double seen[17] = {0}, chi2 = 0, p = exp(-8.0), rest = 1;
    made_draw(&m, 5);
    made_numbers(&m, 0.4);
    CHECK_INT(curves_thin(&m.c, m.number, seed1, m.ret_atoms, NULL), BURST_OK);
    for (int i = 0; i < 50000; i++)
        seen[m.ret_atoms[i] < 16 ? m.ret_atoms[i] : 16]++;
    for (int k = 0; k < 16; k++, p *= 8.0 / k) {
        chi2 += pow(seen[k] - 50000 * p, 2) / (50000 * p);
        rest -= p;
    }
    chi2 += pow(seen[16] - 50000 * rest, 2) / (50000 * rest);
    CHECK_SAY(chi2 < 45, "chi2 %g", chi2);
    made_fini(&m);
}

TEST(a_row_draws_the_same_whatever_batch_and_thread_it_comes_in)
{
    struct made m = made_new(6, 2, 30, 20);
    uint64_t index[6] = {0, 1, 2, 3, 4, 5};
    struct draw draw = {.seed = 9, .index = index};
    made_draw(&m, 6);
    made_numbers(&m, 0.5);
    CHECK_INT(curves_thin(&m.c, m.number, (struct draw){.seed = 9}, m.ret_atoms, NULL), BURST_OK);
    uint16_t *all = calloc(6 * 60, sizeof *all);
    m.c.n_thread = 4;
    CHECK_INT(curves_thin(&m.c, m.number, draw, all, NULL), BURST_OK);
    CHECK(memcmp(all, m.ret_atoms, sizeof *all * 6 * 60) == 0);
    struct curves one = m.c;
    one.n = 1;
    one.atoms += (size_t)4 * 60;
    one.background += (size_t)4 * 60;
    index[0] = 4;
    CHECK_INT(curves_thin(&one, m.number, draw, all, NULL), BURST_OK);
    CHECK(memcmp(all, m.ret_atoms + (size_t)4 * 60, sizeof *all * 60) == 0);
    index[0] = 5;
    CHECK_INT(curves_thin(&one, m.number, draw, all, NULL), BURST_OK);
    CHECK(memcmp(all, m.ret_atoms + (size_t)4 * 60, sizeof *all * 60) != 0);
    free(all);
    made_fini(&m);
}

TEST(missing_bins_stay_empty_and_full_ones_stay_full)
{
    struct made m = made_new(1, 2, 3, 10);
    struct burst_error e = {0};
    for (int i = 0; i < 6; i++)
        m.atoms[i] = 65535;
    m.valid[1] = 0;
    made_numbers(&m, 1.0);
    CHECK_INT(curves_thin(&m.c, m.number, seed1, m.ret_atoms, &e), BURST_OK);
    CHECK_INT(m.ret_atoms[0], 65535);
    CHECK_INT(m.ret_atoms[1], 0);
    CHECK_INT(m.ret_atoms[4], 0);
    made_numbers(&m, 1.4);
    m.background[0] = 1e6f;
    CHECK_INT(curves_rate(&m.c, m.number, seed1, m.ret_atoms, m.ret_background, &e), BURST_OK);
    CHECK_INT(m.ret_atoms[0], 65535); /* 65,535 + 400,000 */
    CHECK_INT(m.ret_atoms[1], 0);
    CHECK_NEAR(m.ret_background[3], 7, 1e-6);
    made_numbers(&m, 0.5);
    CHECK_INT(curves_thin_as_printed(&m.c, m.number, seed1, m.ret_background, &e), BURST_OK);
    CHECK_NEAR(m.ret_background[1], 0, 0);
    const double edge[3] = {10, 20, 40};
    made_numbers(&m, 0.95);
    CHECK_INT(curves_gain(&m.c, edge, m.number, 1, seed1, m.ret_atoms, NULL, &e), BURST_OK);
    CHECK_INT(m.ret_atoms[0], 65535); /* what came from above finds it full */
    CHECK_INT(m.ret_atoms[1], 0);
    made_fini(&m);
}

TEST(another_rate_is_poisson_below_and_above)
{
    struct made m = made_new(20000, 2, 2, 30);
    for (size_t i = 0; i < 20000; i++)
        m.burst[i * 4 + 1] = 50;
    made_draw(&m, 7);
    made_numbers(&m, 0.7);
    CHECK_INT(curves_rate(&m.c, m.number, seed1, m.ret_atoms, m.ret_background, NULL), BURST_OK);
    CHECK(made_is_poisson(&m, m.ret_atoms, 0, 0, 21));
    CHECK(made_is_poisson(&m, m.ret_atoms, 0, 1, 56)); /* the burst thinned too */
    CHECK(made_is_poisson(&m, m.ret_atoms, 1, 1, 10.5));
    CHECK_NEAR(m.ret_background[0], 21, 1e-5);
    made_numbers(&m, 1.4);
    CHECK_INT(curves_rate(&m.c, m.number, seed1, m.ret_atoms, m.ret_background, NULL), BURST_OK);
    CHECK(made_is_poisson(&m, m.ret_atoms, 0, 0, 42));
    CHECK(made_is_poisson(&m, m.ret_atoms, 0, 1, 92)); /* the burst as it was */
    CHECK_NEAR(m.ret_background[2], 21, 1e-5);
    made_fini(&m);
}

/* Parts that cross at index 1 (counts even in ln E), edges 10, 20, 40, 80 keV: ln 1.05 / ln 2 = 0.070389 of an atom; at index 2,
 * of [20, 40]: (1/38.0952 - 1/40) / (1/20 - 1/40) = 0.05. */
TEST(a_gain_moves_counts_over_inner_edges_only)
{
    static const double edge[4] = {10, 20, 40, 80};
    struct made m = made_new(20000, 3, 1, 40); /* 40, 20, 10 */
    made_draw(&m, 8);
    made_numbers(&m, 1.05);
    CHECK_INT(curves_gain(&m.c, edge, m.number, 1, seed1, m.ret_atoms, m.ret_background, NULL), BURST_OK);
    const double out = 0.0703893;
    CHECK(made_is_poisson(&m, m.ret_atoms, 0, 0, 40 * (1 - out)));
    CHECK(made_is_poisson(&m, m.ret_atoms, 1, 0, 20 + 40 * out - 20 * out));
    CHECK(made_is_poisson(&m, m.ret_atoms, 2, 0, 10 + 20 * out));
    CHECK_NEAR(m.ret_background[1], 20 + 20 * out, 1e-4);
    for (size_t i = 0; i < 20000; i++) {
        int before = m.atoms[3 * i] + m.atoms[3 * i + 1] + m.atoms[3 * i + 2];
        int after = m.ret_atoms[3 * i] + m.ret_atoms[3 * i + 1] + m.ret_atoms[3 * i + 2];
        CHECK_INT(after, before);
    }
    made_numbers(&m, 1 / 1.05);
    CHECK_INT(curves_gain(&m.c, edge, m.number, 1, seed1, m.ret_atoms, NULL, NULL), BURST_OK);
    CHECK(made_is_poisson(&m, m.ret_atoms, 0, 0, 40 + 20 * out));
    CHECK(made_is_poisson(&m, m.ret_atoms, 2, 0, 10 * (1 - out)));
    made_numbers(&m, 1.05);
    CHECK_INT(curves_gain(&m.c, edge, m.number, 2, seed1, m.ret_atoms, NULL, NULL), BURST_OK);
    CHECK(made_is_poisson(&m, m.ret_atoms, 2, 0, 10 + 20 * 0.05));
    made_numbers(&m, 1);
    m.c.background = NULL;
    CHECK_INT(curves_gain(&m.c, edge, m.number, 1, seed1, m.ret_atoms, NULL, NULL), BURST_OK);
    CHECK(memcmp(m.atoms, m.ret_atoms, sizeof *m.atoms * 20000 * 3) == 0);
    made_fini(&m);
}

TEST(results_may_lie_where_counts_lay)
{
    static const double edge[4] = {10, 20, 40, 80};
    struct made m = made_new(3, 3, 50, 40);
    made_draw(&m, 8);
    made_numbers(&m, 0.97);
    CHECK_INT(curves_gain(&m.c, edge, m.number, 1.6, seed1, m.ret_atoms, m.ret_background, NULL), BURST_OK);
    CHECK_INT(curves_gain(&m.c, edge, m.number, 1.6, seed1, m.atoms, m.background, NULL), BURST_OK);
    CHECK(memcmp(m.atoms, m.ret_atoms, sizeof *m.atoms * 450) == 0);
    CHECK(memcmp(m.background, m.ret_background, sizeof *m.background * 450) == 0);
    CHECK_INT(curves_rate(&m.c, m.number, seed1, m.ret_atoms, m.ret_background, NULL), BURST_OK);
    CHECK_INT(curves_rate(&m.c, m.number, seed1, m.atoms, m.background, NULL), BURST_OK);
    CHECK(memcmp(m.atoms, m.ret_atoms, sizeof *m.atoms * 450) == 0);
    CHECK(memcmp(m.background, m.ret_background, sizeof *m.background * 450) == 0);
    made_fini(&m);
}

/* c ~ exp(N(-2, 0.6)): median exp(-2) = 0.1353, mean exp(-1.7) = 0.1827, over 1 in 0.49 % (science.md A.8). */
TEST(the_papers_part_is_log_normal_kept_or_removed)
{
    enum { N = 100000 };
    static double snr0[N], kept[N], snr[N];
    int below = 0, none = 0;
    double mean = 0;
    for (int i = 0; i < N; i++)
        snr0[i] = 10;
    CHECK_INT(kept_draw(snr0, N, KEPT_SEED_KEPT, 0, seed1, kept, snr, NULL), BURST_OK);
    for (int i = 0; i < N; i++) {
        CHECK(kept[i] > 0 && kept[i] <= 1);
        CHECK_NEAR(snr[i], 10 * kept[i], 1e-12);
        below += kept[i] < 0.135335;
        none += kept[i] >= 1;
    }
    CHECK_NEAR(below, 0.5 * N, 5 * sqrt(0.25 * N));
    CHECK_NEAR(none, 0.00491 * N, 5 * sqrt(0.00491 * N));
    CHECK_INT(kept_draw(snr0, N, KEPT_SEED_REMOVED, 0, seed1, kept, snr, NULL), BURST_OK);
    for (int i = 0; i < N; i++) {
        CHECK(kept[i] >= 0 && kept[i] < 1);
        mean += (1 - kept[i]) / N;
    }
    CHECK_NEAR(mean, 0.1811, 0.0026); /* 0.18268 less what lies over 1: 0.18268 x 0.03538 - 0.00491 */
}

TEST(targets_are_even_in_the_logarithm_and_never_unclear)
{
    enum { N = 20000 };
    static double snr0[N], kept[N], snr[N];
    int low = 0;
    for (int i = 0; i < N; i++)
        snr0[i] = 45;
    CHECK_INT(kept_draw(snr0, N, KEPT_TARGET_SNR, 4, seed1, kept, snr, NULL), BURST_OK);
    for (int i = 0; i < N; i++) {
        CHECK(snr[i] >= SNR_CLEAR && snr[i] <= 45 && snr_label(snr[i]) == 1);
        CHECK_NEAR(kept[i] * 45, snr[i], 1e-12);
        low += snr[i] < sqrt(4.5 * 45); /* the middle of the logarithm */
    }
    CHECK_NEAR(low, 0.5 * N, 5 * sqrt(0.25 * N));
    CHECK_INT(kept_draw(snr0, N, KEPT_TARGET_SNR, 3, seed1, kept, snr, NULL), BURST_OK);
    low = 0;
    for (int i = 0; i < N; i++)
        low += snr[i] < 3.5;
    CHECK_NEAR(low, N * log(3.5 / 3) / log(15), 5 * sqrt(N * 0.057));
    snr0[0] = 4.4, snr0[1] = 1;
    CHECK_INT(kept_draw(snr0, 2, KEPT_TARGET_SNR, 4, seed1, kept, snr, NULL), BURST_OK);
    CHECK_NEAR(kept[0], 1, 0);
    CHECK_NEAR(snr[1], 1, 0);
}

TEST(between_faint_and_clear_is_unclear)
{
    CHECK_INT(snr_label(3.49), 0);
    CHECK_INT(snr_label(3.5), -1);
    CHECK_INT(snr_label(4.49), -1);
    CHECK_INT(snr_label(4.5), 1);
    CHECK_INT(snr_label((double)NAN), -1);
}

TEST(numbers_out_of_range_are_refused_by_row_and_nothing_is_written)
{
    static const double edge[4] = {10, 20, 40, 80}, narrow[4] = {10, 20, 22, 80}, falling[4] = {10, 20, 15, 80};
    struct made m = made_new(2, 3, 4, 10);
    struct burst_error e;
    double kept[2] = {7, 7}, snr[2] = {7, 7};
    m.ret_atoms[0] = 99;
    m.number[0] = 0.5, m.number[1] = 1.01;
    CHECK_REFUSED(curves_thin(&m.c, m.number, seed1, m.ret_atoms, &e), BURST_E_RANGE, e, "part kept of row 1 is 1.01");
    CHECK_REFUSED(curves_thin_as_printed(&m.c, m.number, seed1, m.ret_background, &e), BURST_E_RANGE, e, "row 1");
    m.number[1] = (double)NAN;
    CHECK_REFUSED(curves_thin(&m.c, m.number, seed1, m.ret_atoms, &e), BURST_E_RANGE, e, "row 1 is nan");
    m.number[1] = 11;
    CHECK_REFUSED(curves_rate(&m.c, m.number, seed1, m.ret_atoms, NULL, &e), BURST_E_RANGE, e, "factor of row 1");
    m.number[0] = 1, m.number[1] = 1.2;
    CHECK_REFUSED(curves_gain(&m.c, edge, m.number, 1, seed1, m.ret_atoms, NULL, &e), BURST_E_RANGE, e,
                  "gain of row 1");
    m.number[1] = 1;
    CHECK_REFUSED(curves_gain(&m.c, narrow, m.number, 1, seed1, m.ret_atoms, NULL, &e), BURST_E_RANGE, e, "20 and 22");
    CHECK_REFUSED(curves_gain(&m.c, falling, m.number, 1, seed1, m.ret_atoms, NULL, &e), BURST_E_RANGE, e, "20 and 15");
    CHECK_REFUSED(curves_gain(&m.c, edge, m.number, 11, seed1, m.ret_atoms, NULL, &e), BURST_E_RANGE, e, "index 11");
    CHECK_REFUSED(curves_gain(&m.c, NULL, m.number, 1, seed1, m.ret_atoms, NULL, &e), BURST_E_MISSING, e, "edges");
    CHECK_REFUSED(kept_draw(m.number, 2, 3, 4, seed1, kept, snr, &e), BURST_E_RANGE, e, "number 3");
    CHECK_REFUSED(kept_draw(m.number, 2, KEPT_TARGET_SNR, 0, seed1, kept, snr, &e), BURST_E_RANGE, e, "aimed at");
    m.number[1] = 0;
    CHECK_REFUSED(kept_draw(m.number, 2, KEPT_TARGET_SNR, 4, seed1, kept, snr, &e), BURST_E_RANGE, e, "S/N of row 1");
    CHECK_REFUSED(kept_draw(NULL, 2, KEPT_TARGET_SNR, 4, seed1, kept, snr, &e), BURST_E_MISSING, e, "S/N");
    CHECK_NEAR(kept[0] + snr[0], 14, 0);
    CHECK_INT(m.ret_atoms[0], 99);
    made_fini(&m);
}

TEST(what_is_not_given_is_refused)
{
    struct made m = made_new(2, 1, 4, 10);
    const double edge[2] = {10, 20};
    struct burst_error e;
    double out[2];
    made_numbers(&m, 1);
    CHECK_REFUSED(curves_thin(&m.c, NULL, seed1, m.ret_atoms, &e), BURST_E_MISSING, e, "part kept");
    CHECK_REFUSED(curves_thin(&m.c, m.number, seed1, NULL, &e), BURST_E_MISSING, e, "nowhere");
    CHECK_REFUSED(curves_thin_as_printed(&m.c, m.number, seed1, NULL, &e), BURST_E_MISSING, e, "nowhere");
    CHECK_REFUSED(curves_rate(&m.c, m.number, seed1, NULL, NULL, &e), BURST_E_MISSING, e, "nowhere");
    CHECK_REFUSED(curves_gain(&m.c, edge, m.number, 1, seed1, m.ret_atoms, NULL, &e), BURST_E_SHAPE, e, "one atom");
    CHECK_REFUSED(kept_draw(m.number, 2, 0, 0, seed1, NULL, out, &e), BURST_E_MISSING, e, "nowhere");
    m.c.background = NULL;
    CHECK_REFUSED(curves_thin(&m.c, m.number, seed1, m.ret_atoms, &e), BURST_E_MISSING, e, "background");
    CHECK_REFUSED(curves_thin_as_printed(&m.c, m.number, seed1, m.ret_background, &e), BURST_E_MISSING, e,
                  "background");
    CHECK_REFUSED(curves_rate(&m.c, m.number, seed1, m.ret_atoms, NULL, &e), BURST_E_MISSING, e, "background");
    made_fini(&m);
    m = made_new(2, 2, 4, 10);
    const double edges[3] = {10, 20, 40};
    made_numbers(&m, 1);
    CHECK_REFUSED(curves_gain(&m.c, edges, m.number, 1, seed1, NULL, NULL, &e), BURST_E_MISSING, e, "nowhere");
    m.c.background = NULL;
    CHECK_REFUSED(curves_gain(&m.c, edges, m.number, 1, seed1, m.ret_atoms, m.ret_background, &e), BURST_E_MISSING, e,
                  "background");
    made_fini(&m);
}

int main(void)
{
    RUN(thinned_background_stays_poisson_at_any_part_kept);
    RUN(the_printed_formula_leaks_where_ours_does_not);
    RUN(of_a_burst_the_part_kept_is_left_in_every_atom);
    RUN(thinned_counts_have_the_poisson_distribution);
    RUN(a_row_draws_the_same_whatever_batch_and_thread_it_comes_in);
    RUN(missing_bins_stay_empty_and_full_ones_stay_full);
    RUN(another_rate_is_poisson_below_and_above);
    RUN(a_gain_moves_counts_over_inner_edges_only);
    RUN(results_may_lie_where_counts_lay);
    RUN(the_papers_part_is_log_normal_kept_or_removed);
    RUN(targets_are_even_in_the_logarithm_and_never_unclear);
    RUN(between_faint_and_clear_is_unclear);
    RUN(numbers_out_of_range_are_refused_by_row_and_nothing_is_written);
    RUN(what_is_not_given_is_refused);
    return check_report();
}
