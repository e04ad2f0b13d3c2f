/* The classical trigger on counts whose S/N is known. */
#include "check.h"
#include "train/trigger.h"

enum { T = 1000, D = 3, A = 5 };
static uint16_t counts[D * A * T];
static uint8_t valid[D * T];
static float score[T];
static int32_t best[T];
static const struct trigger_data DATA = {D, A, T, 0.064, counts, valid};

/* Each atom counts 9 a bin. */
static void set_quiet(void)
{
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++)
        counts[i] = 9;
    memset(valid, 1, sizeof valid);
}

static void add(size_t detector, size_t atom, size_t bin, uint16_t more)
{
    counts[(detector * A + atom) * T + bin] = (uint16_t)(counts[(detector * A + atom) * T + bin] + more);
}

TEST(flight_lines_are_the_published_ones)
{
    struct trigger_line line[TRIGGER_LINE_MAX];
    size_t n = 0, half = 0;
    CHECK_INT(trigger_flight_lines(0.016, line, &n, NULL), BURST_OK);
    CHECK_INT(n, 4 * (10 + 9)); /* 16 ms to 8.192 s in 10 doublings, all but the shortest also shifted */
    for (size_t i = 0; i < n; i++) {
        if (line[i].atoms != 0x06) continue; /* 50-300 keV: all of it flies */
        double want = line[i].length <= 2 ? 7.5 : line[i].length <= 8 ? 5.0 : 4.5;
        CHECK_NEAR(line[i].threshold, want, 0.0);
        half += line[i].offset > 0 && 2 * line[i].offset == line[i].length;
    }
    CHECK_INT(half, 9);
    CHECK_NEAR(line[0].threshold, 8.0, 0.0); /* 25-50 keV, 16 ms */
    CHECK_INT(line[0].atoms, 0x01);
    CHECK_INT(trigger_flight_lines(0.064, line, &n, NULL), BURST_OK);
    CHECK_INT(n, 4 * (8 + 7));
}

/* 64 ms of 50-300 keV: 18 expected; 36 more are 36 / sqrt(18) = 8.485 sigma, against 5.0. */
TEST(a_flash_has_the_score_of_its_own_bin)
{
    struct trigger_line line = {1, 0, 0x06, 5.0};
    set_quiet();
    for (size_t k = 0; k < 2; k++)
        add(k, 1, 600, 20), add(k, 2, 600, 16);
    CHECK_INT(trigger_run(&DATA, &line, 1, 2, score, best, NULL), BURST_OK);
    CHECK_NEAR(score[600], 4.5 / 5.0 * 36.0 / sqrt(18.0), 1e-5);
    CHECK_INT(best[600], 0);
    CHECK_NEAR(score[599], 0.0, 0.0);
    CHECK_INT(best[599], -1);
}

TEST(one_detector_alone_does_not_fire_two)
{
    struct trigger_line line = {1, 0, 0x06, 5.0};
    set_quiet();
    add(1, 1, 600, 100);
    CHECK_INT(trigger_run(&DATA, &line, 1, 2, score, best, NULL), BURST_OK);
    CHECK_NEAR(score[600], 0.0, 0.0);
    CHECK_INT(trigger_run(&DATA, &line, 1, 1, score, best, NULL), BURST_OK);
    CHECK(score[600] > 20.0F);
    add(0, 1, 600, 30);
    add(2, 1, 600, 60);
    CHECK_INT(trigger_run(&DATA, &line, 1, 2, score, best, NULL), BURST_OK);
    CHECK_NEAR(score[600], 4.5 / 5.0 * 60.0 / sqrt(18.0), 1e-5); /* the second best */
}

TEST(a_shifted_window_sees_what_an_edge_cuts)
{
    struct trigger_line line[2] = {{16, 0, 0x06, 4.5}, {16, 8, 0x06, 4.5}};
    set_quiet();
    for (size_t i = 600; i < 616; i++) /* 600 = 37.5 windows: only the shifted one holds it all */
        add(0, 1, i, 9);
    CHECK_INT(trigger_run(&DATA, line, 2, 1, score, best, NULL), BURST_OK);
    CHECK_INT(best[615], 1);
    CHECK_NEAR(score[615], 16.0 * 9.0 / sqrt(16.0 * 18.0), 1e-4);
    CHECK_NEAR(score[607], 8.0 * 9.0 / sqrt(16.0 * 18.0), 1e-4);
}

/* The background stops 64 bins (4.096 s) before the window's end: what is younger does not raise it. */
TEST(the_last_four_seconds_are_no_background)
{
    struct trigger_line line = {1, 0, 0x01, 4.5};
    set_quiet();
    for (size_t i = 537; i < 600; i++)
        add(0, 0, i, 100);
    add(0, 0, 600, 27);
    CHECK_INT(trigger_run(&DATA, &line, 1, 1, score, best, NULL), BURST_OK);
    CHECK_NEAR(score[600], 27.0 / 3.0, 1e-5); /* bins 271 to 536: 9 a bin still */
    add(0, 0, 536, 266);
    CHECK_INT(trigger_run(&DATA, &line, 1, 1, score, best, NULL), BURST_OK);
    CHECK_NEAR(score[600], 26.0 / sqrt(10.0), 1e-5); /* one of its 266 bins: 1 more on average */
    counts[536] = 9;
    add(0, 0, 271, 266);
    CHECK_INT(trigger_run(&DATA, &line, 1, 1, score, best, NULL), BURST_OK);
    CHECK_NEAR(score[600], 26.0 / sqrt(10.0), 1e-5);
    counts[271] = 9;
    add(0, 0, 270, 266); /* older than 17.024 s */
    CHECK_INT(trigger_run(&DATA, &line, 1, 1, score, best, NULL), BURST_OK);
    CHECK_NEAR(score[600], 9.0, 1e-5);
}

TEST(missing_bins_give_no_score)
{
    struct trigger_line line = {4, 0, 0x01, 4.5};
    set_quiet();
    for (size_t i = 596; i < 604; i++)
        add(0, 0, i, 50);
    valid[602] = 0;
    CHECK_INT(trigger_run(&DATA, &line, 1, 1, score, best, NULL), BURST_OK);
    CHECK(score[599] > 10.0F);
    CHECK_NEAR(score[603], 0.0, 0.0);
    memset(valid + 300, 0, 200); /* 134 of 266 background bins of detector 0 and, before them, good ones */
    CHECK_INT(trigger_run(&DATA, &line, 1, 1, score, best, NULL), BURST_OK);
    CHECK_NEAR(score[599], 0.0, 0.0);
    CHECK_NEAR(score[50], 0.0, 0.0); /* no background yet */
}

TEST(background_is_the_mean_of_the_bins_before_the_gap)
{
    double c[10] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10}, mean[10];
    uint8_t v[10] = {1, 1, 1, 1, 0, 1, 1, 1, 1, 1};
    CHECK_INT(trigger_background(c, NULL, 10, 3, 2, mean, NULL), BURST_OK);
    CHECK_NEAR(mean[3], 0.0, 0.0); /* one bin of three is fewer than half */
    CHECK_NEAR(mean[4], 1.5, 1e-12);
    CHECK_NEAR(mean[5], 2.0, 1e-12);
    CHECK_NEAR(mean[9], 6.0, 1e-12); /* bins 4, 5, 6 */
    CHECK_INT(trigger_background(c, v, 10, 3, 2, mean, NULL), BURST_OK);
    CHECK_NEAR(mean[9], 6.5, 1e-12);
    struct burst_error e;
    CHECK_REFUSED(trigger_background(c, v, 10, 0, 2, mean, &e), BURST_E_RANGE, e, "no bins");
}

TEST(wrong_calls_are_refused)
{
    struct trigger_line line = {4, 4, 0x01, 4.5};
    struct trigger_data d = DATA;
    struct burst_error e;
    size_t n = 3;
    score[0] = 42.0F;
    CHECK_REFUSED(trigger_run(&DATA, &line, 1, 1, score, best, &e), BURST_E_RANGE, e, "offset 4");
    line.offset = 0;
    CHECK_REFUSED(trigger_run(&DATA, &line, 1, 4, score, best, &e), BURST_E_RANGE, e, "there are 3");
    d.n_atom = 0;
    CHECK_REFUSED(trigger_run(&d, &line, 1, 1, score, best, &e), BURST_E_SHAPE, e, "0 atoms");
    d = DATA;
    d.bin_s = 0.0;
    CHECK_REFUSED(trigger_run(&d, &line, 1, 1, score, best, &e), BURST_E_RANGE, e, "bins of 0 s");
    CHECK_NEAR(score[0], 42.0, 0.0);
    CHECK_REFUSED(trigger_flight_lines(2.048, &line, &n, &e), BURST_E_RANGE, e, "2.048");
    CHECK_INT(n, 3);
}

int main(void)
{
    RUN(flight_lines_are_the_published_ones);
    RUN(a_flash_has_the_score_of_its_own_bin);
    RUN(one_detector_alone_does_not_fire_two);
    RUN(a_shifted_window_sees_what_an_edge_cuts);
    RUN(the_last_four_seconds_are_no_background);
    RUN(missing_bins_give_no_score);
    RUN(background_is_the_mean_of_the_bins_before_the_gap);
    RUN(wrong_calls_are_refused);
    return check_report();
}
