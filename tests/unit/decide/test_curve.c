/* Measurements on an event's light curve: the truth is what the counts were made of. */
#include "check.h"
#include "decide/curve.h"
#include "unit/decide/synthetic.h"

static struct lightcurve_window *window;
static struct curve *curve;
static const bool FIRST[DETECTOR_MAX] = {true};

/* 640 counts per second and detector, as GBM has in 25-900 keV (science.md A.6). */
static struct synthetic scene(double (*excess)(int64_t, int))
{
    return (struct synthetic){.source = {REALM_LIVE, MISSION_GECAM_B, INSTRUMENT_GRD},
                              .n_detector = 2,
                              .background = {15, 10, 11, 2, 2},
                              .excess = excess,
                              .first_k = INT64_MIN};
}

/* A box of 100 counts per bin from bin 10000 to 10200 (12.8 s), in detector 0. */
static double box(int64_t k, int detector)
{
    return detector == 0 && k >= 10000 && k < 10200 ? 100 : 0;
}

/* A sudden rise and a decay of 8 s. */
static double fred(int64_t k, int detector)
{
    return detector == 0 && k >= 10000 ? 150 * exp(-(double)(k - 10000) / 125) : 0;
}

static double faint(int64_t k, int detector)
{
    return 0.2 * box(k, detector);
}

static double nothing(int64_t k, int detector)
{
    (void)k;
    (void)detector;
    return 0;
}

static void watch(const struct synthetic *s, int64_t first_end, int64_t last_end)
{
    synthetic_window(s, first_end, window);
    curve_begin(curve, window);
    for (int64_t k = first_end + STRIDE_BINS; k <= last_end; k += STRIDE_BINS) {
        synthetic_window(s, k, window);
        curve_extend(curve, window);
    }
}

TEST(onset_and_end_of_a_box_are_found_to_the_bin)
{
    struct synthetic s = scene(box);
    watch(&s, 10016, 11824);
    CHECK_INT(curve_first_bin(curve), 10016 - WINDOW_BINS);
    CHECK_INT(curve_n_bin(curve), 11824 - 10016 + WINDOW_BINS);
    struct burst_place place = curve_locate(curve, FIRST);
    CHECK(place.found);
    CHECK_NEAR((double)place.onset + 10016 - WINDOW_BINS, 10000, 1);
    CHECK_NEAR((double)place.ending + 10016 - WINDOW_BINS, 10200, 4);
    CHECK_NEAR(place.best.snr, 20000 / sqrt(256 * 40.0),
               4); /* 256 bins hold all of it; Poisson: sqrt(30240) / 101 = 1.7 */
}

TEST(a_burst_that_only_just_began_has_its_onset_within_a_second)
{
    struct synthetic s = scene(box);
    for (int64_t k_end = 10016; k_end <= 10064; k_end += 16) {
        watch(&s, k_end, k_end);
        struct burst_place place = curve_locate(curve, FIRST);
        CHECK(place.found);
        CHECK_NEAR((double)place.onset + (double)(k_end - WINDOW_BINS), 10000, 2);
    }
}

TEST(a_faint_burst_has_its_onset_within_a_second)
{
    struct synthetic s = scene(faint);
    watch(&s, 10080, 11824);
    struct burst_place place = curve_locate(curve, FIRST);
    CHECK(place.found);
    CHECK_NEAR((double)place.onset + 10080 - WINDOW_BINS, 10000, 15);
}

TEST(figures_are_those_of_the_burst)
{
    struct synthetic s = scene(box);
    struct evidence e;
    watch(&s, 10016, 11824);
    struct burst_place place = curve_locate(curve, FIRST);
    curve_measure(curve, 0, &place, &e);
    CHECK_NEAR(e.t90_s, 0.9 * 12.8, 0.7);
    CHECK_NEAR(e.hardness, 40 / 30.0, 0.08);
    CHECK_NEAR(e.snr, place.best.snr, 1e-9);
    CHECK(e.peak_rate_hz > 100 / 0.064 && e.peak_rate_hz < (100 + 5 * sqrt(140.0)) / 0.064);
    curve_measure(curve, 1, &place, &e); /* nothing there: no T90, no hardness */
    CHECK(e.snr < 6);
    CHECK(isnan(e.t90_s));
}

/* Half of every bin is dead: a peak of n counts stands for 2 n in live time, and the 40 of background are as recorded. */
TEST(the_peak_rate_is_that_of_live_time)
{
    struct synthetic s = scene(box);
    struct evidence all, half;
    watch(&s, 10016, 11824);
    struct burst_place place = curve_locate(curve, FIRST);
    curve_measure(curve, 0, &place, &all);
    for (int64_t k = 10016; k <= 11824; k += STRIDE_BINS) {
        synthetic_window(&s, k, window);
        for (int t = 0; t < WINDOW_BINS; t++)
            window->dead[t] = 320000;
        if (k == 10016)
            curve_begin(curve, window);
        else
            curve_extend(curve, window);
    }
    curve_measure(curve, 0, &place, &half);
    CHECK_NEAR(half.peak_rate_hz, 2 * all.peak_rate_hz + 40 / 0.064,
               1 / 0.064); /* the fitted background is 40 within 1 */
    CHECK_NEAR(half.snr, all.snr, 0);
    CHECK_NEAR(half.t90_s, all.t90_s, 0);
    memset(window->dead, 0, sizeof *window->dead * WINDOW_BINS);
}

TEST(a_decay_has_the_t90_of_its_constant)
{
    /* Cumulated A (1 - exp(-t / tau)): from -tau ln 0.95 to -tau ln 0.05, 2.944 tau = 23.6 s. Its end drowns in noise. */
    struct synthetic s = scene(fred);
    struct evidence e;
    watch(&s, 10016, 12832);
    struct burst_place place = curve_locate(curve, FIRST);
    curve_measure(curve, 0, &place, &e);
    CHECK_NEAR((double)place.onset + 10016 - WINDOW_BINS, 10000, 1);
    CHECK_NEAR(e.t90_s, 23.6, 3);
}

TEST(excess_and_its_deviation_are_of_the_best_stretch)
{
    struct synthetic s = scene(box);
    double excess = 0, sigma = 0;
    watch(&s, 10016, 11824);
    struct burst_place place = curve_locate(curve, FIRST);
    CHECK(curve_excess(curve, 0, &place, &excess, &sigma));
    CHECK_NEAR(excess, 20000, 3 * sqrt(20000 + 256 * 40.0)); /* 256 bins that hold the box */
    CHECK_NEAR(sigma, sqrt(20000 + 256 * 40.0), 5);
    CHECK(curve_excess(curve, 1, &place, &excess, &sigma));
    CHECK_NEAR(excess, 0, 5 * sigma);
}

TEST(a_gap_is_no_dip_and_no_burst)
{
    struct synthetic s = scene(nothing);
    s.gap_from_k = 9500;
    s.gap_to_k = 9700;
    watch(&s, 10016, 10016);
    struct burst_place place = curve_locate(curve, FIRST);
    CHECK(!place.found || place.best.snr < 6);
    double excess, sigma;
    place.best = (struct stretch){.from = 9690 - (10016 - WINDOW_BINS), .to = 9710 - (10016 - WINDOW_BINS)};
    CHECK(!curve_excess(curve, 0, &place, &excess, &sigma));
}

TEST(strides_that_no_window_showed_are_missing)
{
    struct synthetic s = scene(box);
    watch(&s, 9008, 9008);
    synthetic_window(&s, 9008 + 3 * WINDOW_BINS, window); /* 120 s nobody saw */
    curve_extend(curve, window);
    CHECK_INT(curve_n_bin(curve), 4 * WINDOW_BINS);
    double excess, sigma;
    struct burst_place place = {.best = {WINDOW_BINS - 2, WINDOW_BINS, 0}};
    CHECK(curve_excess(curve, 0, &place, &excess, &sigma));
    place.best = (struct stretch){WINDOW_BINS - 2, WINDOW_BINS + 1, 0};
    CHECK(!curve_excess(curve, 0, &place, &excess, &sigma));
}

TEST(a_curve_that_is_full_keeps_its_beginning)
{
    struct synthetic s = scene(nothing);
    watch(&s, 10016, 10016);
    for (int64_t k = 10016 + 1600; k < 10016 + 20800; k += 1600) {
        synthetic_window(&s, k, window);
        curve_extend(curve, window);
    }
    CHECK(curve_n_bin(curve) <= CURVE_BINS);
    CHECK(curve_n_bin(curve) > CURVE_BINS - 1600);
    CHECK_INT(curve_first_bin(curve), 10016 - WINDOW_BINS);
}

TEST(a_dead_detector_has_no_place_and_no_figures)
{
    struct synthetic s = scene(nothing);
    struct evidence e;
    s.first_k = 100000;
    watch(&s, 10016, 10016);
    struct burst_place place = curve_locate(curve, FIRST);
    CHECK(!place.found);
    curve_measure(curve, 0, &place, &e);
    CHECK(isnan(e.snr) && isnan(e.t90_s) && isnan(e.peak_rate_hz) && isnan(e.hardness));
}

int main(void)
{
    if (window_new(2, &window, NULL) || curve_new(2, &curve, NULL)) return 1;
    RUN(onset_and_end_of_a_box_are_found_to_the_bin);
    RUN(a_burst_that_only_just_began_has_its_onset_within_a_second);
    RUN(a_faint_burst_has_its_onset_within_a_second);
    RUN(figures_are_those_of_the_burst);
    RUN(the_peak_rate_is_that_of_live_time);
    RUN(a_decay_has_the_t90_of_its_constant);
    RUN(excess_and_its_deviation_are_of_the_best_stretch);
    RUN(a_gap_is_no_dip_and_no_burst);
    RUN(strides_that_no_window_showed_are_missing);
    RUN(a_curve_that_is_full_keeps_its_beginning);
    RUN(a_dead_detector_has_no_place_and_no_figures);
    curve_free(curve);
    window_free(window);
    curve_free(NULL);
    return check_report();
}
