/* Bursts turned, laid over other windows and cut by edges: what is claimed to be Poisson is, mean by mean. */
#include "check.h"
#include "made_curves.h"
#include "train/augment.h"

enum { ROWS = 20000 };
static const struct draw seed1 = {.seed = 1};

/* One atom, 4 bins, backgrounds 20, 30, 40, 10, a burst of 50 in bin 1. */
static struct made small(uint64_t seed)
{
    static const float level[4] = {20, 30, 40, 10};
    struct made m = made_new(ROWS, 1, 4, 1);
    for (size_t i = 0; i < ROWS; i++) {
        for (size_t t = 0; t < 4; t++)
            m.background[i * 4 + t] = level[t];
        m.burst[i * 4 + 1] = 50;
    }
    made_draw(&m, seed);
    return m;
}

static void set_bins(struct made *m, int32_t bins)
{
    for (size_t i = 0; i < m->c.n; i++)
        m->bins[i] = bins;
}

TEST(a_turned_burst_stands_on_the_new_places_background)
{
    struct made m = small(1);
    set_bins(&m, 1);
    CHECK_INT(curves_turn(&m.c, m.bins, seed1, m.ret_atoms, m.ret_valid, NULL), BURST_OK);
    CHECK(made_is_poisson(&m, m.ret_atoms, 0, 0, 20)); /* from 10 up to 20 */
    CHECK(made_is_poisson(&m, m.ret_atoms, 0, 1, 30));
    CHECK(made_is_poisson(&m, m.ret_atoms, 0, 2, 90)); /* 50 whole on 40 */
    CHECK(made_is_poisson(&m, m.ret_atoms, 0, 3, 10)); /* from 40 down to 10 */
    set_bins(&m, -9);                                  /* as 3: to bin 0 */
    CHECK_INT(curves_turn(&m.c, m.bins, seed1, m.ret_atoms, m.ret_valid, NULL), BURST_OK);
    CHECK(made_is_poisson(&m, m.ret_atoms, 0, 0, 20 + 50 * 20 / 30.0)); /* the burst thinned with it */
    CHECK(made_is_poisson(&m, m.ret_atoms, 0, 1, 30));
    made_fini(&m);
}

TEST(a_full_turn_leaves_all_as_it_was)
{
    struct made m = small(2);
    set_bins(&m, INT32_MIN); /* 4 divides it */
    m.valid[6] = 0;
    CHECK_INT(curves_turn(&m.c, m.bins, seed1, m.ret_atoms, m.ret_valid, NULL), BURST_OK);
    m.atoms[6] = 0;
    CHECK(memcmp(m.atoms, m.ret_atoms, sizeof *m.atoms * ROWS * 4) == 0);
    CHECK(memcmp(m.valid, m.ret_valid, ROWS * 4) == 0);
    made_fini(&m);
}

TEST(a_gap_turns_with_the_light_curve)
{
    struct made m = made_new(1, 2, 5, 10);
    made_draw(&m, 3);
    m.valid[1] = 0;
    m.bins[0] = 6;
    CHECK_INT(curves_turn(&m.c, m.bins, seed1, m.ret_atoms, m.ret_valid, NULL), BURST_OK);
    for (int t = 0; t < 5; t++)
        CHECK_INT(m.ret_valid[t], t != 2);
    CHECK_INT(m.ret_atoms[2], 0);
    CHECK_INT(m.ret_atoms[5 + 2], 0);
    CHECK_INT(m.ret_atoms[5 + 3], m.atoms[5 + 2]); /* a flat background moves counts untouched */
    m.c.valid = NULL;
    CHECK_INT(curves_turn(&m.c, m.bins, seed1, m.ret_atoms, m.ret_valid, NULL), BURST_OK);
    CHECK_INT(m.ret_valid[2], 1);
    made_fini(&m);
}

TEST(over_another_window_there_is_its_background_and_the_part_kept)
{
    struct made m = small(4), quiet = made_new(ROWS, 1, 4, 60);
    made_draw(&quiet, 5);
    made_numbers(&m, 0.6);
    m.valid[2] = 0;
    quiet.valid[5] = 0;
    CHECK_INT(curves_swap(&m.c, &quiet.c, m.number, seed1, m.ret_atoms, m.ret_valid, m.ret_number, NULL), BURST_OK);
    CHECK(made_is_poisson(&m, m.ret_atoms, 0, 0, 60));
    CHECK(made_is_poisson(&m, m.ret_atoms, 0, 1, 60 + 0.6 * 50));
    CHECK(made_is_poisson(&m, m.ret_atoms, 0, 3, 60));
    CHECK_NEAR(m.ret_number[7], 0.6, 0);
    CHECK_INT(m.ret_valid[2] + m.ret_valid[5], 0);
    CHECK_INT(m.ret_atoms[2] + m.ret_atoms[5], 0);
    CHECK_INT(m.ret_valid[0] + m.ret_valid[1] + m.ret_valid[3] + m.ret_valid[4], 4);
    made_fini(&quiet);
    made_fini(&m);
}

TEST(no_more_is_kept_than_the_other_background_covers)
{
    struct made m = small(6), quiet = made_new(ROWS, 1, 4, 24);
    made_draw(&quiet, 7);
    made_numbers(&m, 1);
    m.valid[2] = 0; /* of row 0: 40 does not count there */
    CHECK_INT(curves_swap(&m.c, &quiet.c, m.number, seed1, m.ret_atoms, m.ret_valid, m.ret_number, NULL), BURST_OK);
    CHECK_NEAR(m.ret_number[0], 0.8, 1e-9); /* 24 / 30 */
    CHECK_NEAR(m.ret_number[1], 0.6, 1e-9); /* 24 / 40 */
    CHECK(made_is_poisson(&m, m.ret_atoms, 0, 3, 24));
    CHECK(made_is_poisson(&m, m.ret_atoms, 0, 1, 24 + 0.6 * 50));
    for (size_t i = 0; i < ROWS * 4; i++)
        quiet.background[i] = 0;
    CHECK_INT(curves_swap(&m.c, &quiet.c, m.number, seed1, m.ret_atoms, m.ret_valid, m.ret_number, NULL), BURST_OK);
    CHECK_NEAR(m.ret_number[1], 0, 0);
    CHECK(memcmp(m.ret_atoms + 4, quiet.atoms + 4, 4 * sizeof *m.ret_atoms) == 0);
    made_fini(&quiet);
    made_fini(&m);
}

TEST(a_moved_window_is_filled_from_the_background_at_its_end)
{
    struct made m = small(8);
    set_bins(&m, 2);
    m.valid[3] = 0;
    CHECK_INT(curves_slide(&m.c, m.bins, seed1, m.ret_atoms, m.ret_valid, m.ret_background, NULL), BURST_OK);
    CHECK(made_is_poisson(&m, m.ret_atoms, 0, 0, 40));
    CHECK(made_is_poisson(&m, m.ret_atoms, 0, 3, 10)); /* came in: held at bin 3's */
    CHECK_INT(m.ret_atoms[4 + 0], m.atoms[4 + 2]);
    CHECK_INT(m.ret_valid[1], 0);
    CHECK_INT(m.ret_valid[2], 1);
    CHECK_INT(m.ret_atoms[1], 0);
    CHECK_NEAR(m.ret_background[0], 40, 0);
    CHECK_NEAR(m.ret_background[2], 10, 0);
    set_bins(&m, -1);
    CHECK_INT(curves_slide(&m.c, m.bins, seed1, m.ret_atoms, m.ret_valid, NULL, NULL), BURST_OK);
    CHECK(made_is_poisson(&m, m.ret_atoms, 0, 0, 20));
    CHECK(made_is_poisson(&m, m.ret_atoms, 0, 2, 80));
    for (size_t i = 1; i < 50; i++)
        for (size_t t = 0; t < 3; t++)
            CHECK_INT(m.ret_atoms[4 * i + t + 1], m.atoms[4 * i + t]);
    set_bins(&m, 1);
    CHECK_INT(curves_slide(&m.c, m.bins, seed1, m.ret_atoms, m.ret_valid, NULL, NULL), BURST_OK);
    for (size_t i = 1; i < 50; i++)
        for (size_t t = 0; t < 3; t++)
            CHECK_INT(m.ret_atoms[4 * i + t], m.atoms[4 * i + t + 1]);
    made_fini(&m);
}

TEST(cuts_fall_inside_the_burst_at_either_end)
{
    enum { N = 4000 };
    static int32_t onset[N], stop[N], offset[N];
    int left = 0, seen[8] = {0};
    for (int i = 0; i < N; i++)
        onset[i] = 10, stop[i] = 18;
    CHECK_INT(cut_draw(onset, stop, N, 60, seed1, offset, NULL), BURST_OK);
    for (int i = 0; i < N; i++) {
        int edge = offset[i] > 0 ? offset[i] : offset[i] + 60;
        CHECK_SAY(edge > 10 && edge < 18, "offset %d", (int)offset[i]);
        if (edge > 10 && edge < 18) seen[edge - 10]++;
        left += offset[i] > 0;
    }
    CHECK_NEAR(left, N / 2, 5 * sqrt(N / 4.0));
    for (int k = 1; k < 8; k++)
        CHECK_NEAR(seen[k], N / 7.0, 5 * sqrt(N / 7.0));
    onset[0] = 59, stop[0] = 60;
    CHECK_INT(cut_draw(onset, stop, 1, 60, seed1, offset, NULL), BURST_OK);
    CHECK_INT(offset[0], 0);
}

TEST(bursts_outside_the_window_cannot_be_cut)
{
    static const int32_t wrong[4][2] = {{-1, 5}, {5, 5}, {9, 3}, {50, 61}};
    struct burst_error e;
    int32_t offset = 77, onset = 1, stop = 5;
    for (int i = 0; i < 4; i++)
        CHECK_REFUSED(cut_draw(&wrong[i][0], &wrong[i][1], 1, 60, seed1, &offset, &e), BURST_E_RANGE, e, "row 0");
    CHECK_REFUSED(cut_draw(&onset, &stop, 1, 0, seed1, &offset, &e), BURST_E_RANGE, e, "0 bins");
    CHECK_REFUSED(cut_draw(NULL, &stop, 1, 60, seed1, &offset, &e), BURST_E_MISSING, e, "bounds");
    CHECK_REFUSED(cut_draw(&onset, &stop, 1, 60, seed1, NULL, &e), BURST_E_MISSING, e, "nowhere");
    CHECK_INT(offset, 77);
}

TEST(draws_depend_on_seed_and_index_alone)
{
    struct made m = made_new(3, 2, 20, 30), quiet = made_new(3, 2, 20, 40);
    uint16_t one[3 * 2 * 20];
    made_draw(&m, 1);
    made_draw(&quiet, 2);
    for (size_t t = 0; t < 20; t++)
        for (size_t a = 0; a < 6; a++)
            m.background[a * 20 + t] = 20 + (float)t;
    set_bins(&m, 7);
    made_numbers(&m, 0.5);
    for (int kind = 0; kind < 3; kind++)
        for (int pass = 0; pass < 3; pass++) {
            struct draw draw = {.seed = pass == 2 ? 8 : 7};
            m.c.n_thread = 1 + pass;
            if (kind == 0) CHECK_INT(curves_turn(&m.c, m.bins, draw, m.ret_atoms, m.ret_valid, NULL), BURST_OK);
            if (kind == 1)
                CHECK_INT(curves_swap(&m.c, &quiet.c, m.number, draw, m.ret_atoms, m.ret_valid, m.ret_number, NULL),
                          BURST_OK);
            if (kind == 2) CHECK_INT(curves_slide(&m.c, m.bins, draw, m.ret_atoms, m.ret_valid, NULL, NULL), BURST_OK);
            if (pass == 0) memcpy(one, m.ret_atoms, sizeof one);
            CHECK((memcmp(one, m.ret_atoms, sizeof one) == 0) == (pass < 2));
        }
    made_fini(&quiet);
    made_fini(&m);
}

TEST(what_does_not_fit_together_is_refused)
{
    struct made m = made_new(2, 2, 4, 10), quiet = made_new(2, 2, 5, 10);
    struct burst_error e;
    CHECK_REFUSED(curves_swap(&m.c, &quiet.c, m.number, seed1, m.ret_atoms, m.ret_valid, m.ret_number, &e),
                  BURST_E_SHAPE, e, "[2][2][4] over quiet windows [2][2][5]");
    quiet.c.n_bin = 4;
    m.number[1] = -0.1;
    CHECK_REFUSED(curves_swap(&m.c, &quiet.c, m.number, seed1, m.ret_atoms, m.ret_valid, m.ret_number, &e),
                  BURST_E_RANGE, e, "row 1");
    m.number[1] = 0.5;
    CHECK_REFUSED(curves_swap(&m.c, &quiet.c, m.number, seed1, m.ret_atoms, m.ret_valid, NULL, &e), BURST_E_MISSING, e,
                  "nowhere");
    CHECK_REFUSED(curves_swap(&m.c, &quiet.c, NULL, seed1, m.ret_atoms, m.ret_valid, m.ret_number, &e), BURST_E_MISSING,
                  e, "part kept");
    CHECK_REFUSED(curves_swap(&m.c, &quiet.c, m.number, seed1, quiet.atoms, m.ret_valid, m.ret_number, &e),
                  BURST_E_MISSING, e, "over what is read");
    quiet.background[0] = -1;
    CHECK_REFUSED(curves_swap(&m.c, &quiet.c, m.number, seed1, m.ret_atoms, m.ret_valid, m.ret_number, &e),
                  BURST_E_RANGE, e, "quiet windows: background of row 0");
    CHECK_REFUSED(curves_turn(&m.c, m.bins, seed1, m.atoms, m.ret_valid, &e), BURST_E_MISSING, e, "over what is read");
    CHECK_REFUSED(curves_turn(&m.c, m.bins, seed1, m.ret_atoms, NULL, &e), BURST_E_MISSING, e, "nowhere");
    CHECK_REFUSED(curves_turn(&m.c, NULL, seed1, m.ret_atoms, m.ret_valid, &e), BURST_E_MISSING, e, "no shift");
    m.bins[1] = 4;
    CHECK_REFUSED(curves_slide(&m.c, m.bins, seed1, m.ret_atoms, m.ret_valid, NULL, &e), BURST_E_RANGE, e,
                  "offset 4 of row 1");
    m.bins[1] = INT32_MIN;
    CHECK_REFUSED(curves_slide(&m.c, m.bins, seed1, m.ret_atoms, m.ret_valid, NULL, &e), BURST_E_RANGE, e, "row 1");
    CHECK_REFUSED(curves_slide(&m.c, NULL, seed1, m.ret_atoms, m.ret_valid, NULL, &e), BURST_E_MISSING, e, "no offset");
    CHECK_REFUSED(curves_slide(&m.c, m.bins, seed1, NULL, m.ret_valid, NULL, &e), BURST_E_MISSING, e, "nowhere");
    CHECK_REFUSED(curves_slide(&m.c, m.bins, seed1, m.ret_atoms, m.ret_valid, m.background, &e), BURST_E_MISSING, e,
                  "over what");
    m.c.background = NULL;
    CHECK_REFUSED(curves_turn(&m.c, m.bins, seed1, m.ret_atoms, m.ret_valid, &e), BURST_E_MISSING, e, "background");
    CHECK_REFUSED(curves_slide(&m.c, m.bins, seed1, m.ret_atoms, m.ret_valid, NULL, &e), BURST_E_MISSING, e,
                  "background");
    CHECK_INT(m.ret_atoms[0] + m.ret_valid[0], 0);
    made_fini(&quiet);
    made_fini(&m);
}

int main(void)
{
    RUN(a_turned_burst_stands_on_the_new_places_background);
    RUN(a_full_turn_leaves_all_as_it_was);
    RUN(a_gap_turns_with_the_light_curve);
    RUN(over_another_window_there_is_its_background_and_the_part_kept);
    RUN(no_more_is_kept_than_the_other_background_covers);
    RUN(a_moved_window_is_filled_from_the_background_at_its_end);
    RUN(cuts_fall_inside_the_burst_at_either_end);
    RUN(bursts_outside_the_window_cannot_be_cut);
    RUN(draws_depend_on_seed_and_index_alone);
    RUN(what_does_not_fit_together_is_refused);
    return check_report();
}
