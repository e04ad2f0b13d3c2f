/* Windows of light curves made by hand: 2 s bins, flat at 100 counts where nothing else is said, so that S/N is excess / 10. */
#include "check.h"
#include "train/windows.h"
#include <stdlib.h>

enum { LENGTH = 100, CURVES = 6, ROOM = 64, BINS = 20 };

/* Curves of LENGTH bins; curve i begins at bin i x LENGTH. Bin k is [2 k - 41, 2 k - 39) s: the trigger is in the middle of bin 20. */
struct scene {
    struct known_curves c;
    struct window_rules rules;
    int32_t counts[CURVES * LENGTH];
    int64_t offset[CURVES + 1], burst[CURVES];
    double t_first_s[CURVES], t90_start_s[CURVES], t90_s[CURVES];
    struct known_window window[ROOM];
    uint16_t cut[ROOM * BINS];
    size_t n;
};

/* n curves of one burst in bins 20 to 22 of `excess[i]` counts each, T90 from 0 to 4 s. */
static void scene_set(struct scene *s, size_t n, const int *excess)
{
    *s = (struct scene){
        .c = {s->counts, s->offset, s->t_first_s, s->t90_start_s, s->t90_s, s->burst, n * LENGTH, n, 2.0}, .n = 99};
    window_rules_default(&s->rules);
    s->rules.n_bin = BINS;
    s->rules.guard_s = 4; /* 2 bins */
    s->rules.quiet_most = 0;
    for (size_t i = 0; i < n; i++) {
        s->offset[i + 1] = (int64_t)(i + 1) * LENGTH;
        s->t_first_s[i] = -40;
        s->t90_s[i] = 4;
        for (size_t t = 0; t < LENGTH; t++)
            s->counts[i * LENGTH + t] = 100 + (t >= 20 && t < 23 ? excess[i] : 0);
    }
}

static enum burst_err scene_cut(struct scene *s, struct burst_error *reterr)
{
    return known_windows_cut(&s->c, &s->rules, ROOM, s->window, s->cut, &s->n, reterr);
}

TEST(a_burst_window_holds_all_of_t90_and_its_counts)
{
    static struct scene s;
    static int seen[40];
    for (uint64_t seed = 0; seed < 300; seed++) {
        scene_set(&s, 1, (int[]){100});
        s.rules.seed = seed;
        CHECK_INT(scene_cut(&s, NULL), BURST_OK);
        CHECK_INT(s.n, 1);
        const struct known_window *w = &s.window[0];
        CHECK(w->label == 1 && w->curve == 0 && w->place == 0 && w->n_saturated == 0);
        CHECK(w->first_bin >= 3 && w->first_bin <= 20); /* 23 - 20 to 20 */
        CHECK_INT(w->onset_bin, 20 - w->first_bin);
        CHECK_INT(w->stop_bin, 23 - w->first_bin);
        int guarded = (w->onset_bin < 2 ? w->onset_bin : 2) + 3 + (BINS - w->stop_bin < 2 ? BINS - w->stop_bin : 2);
        CHECK_INT(w->n_background, BINS - guarded);
        for (int t = 0; t < BINS; t++)
            CHECK_INT(s.cut[t], t >= w->onset_bin && t < w->stop_bin ? 200 : 100);
        seen[w->first_bin]++;
    }
    for (int at = 3; at <= 20; at++)
        CHECK_NEAR(seen[at], 300 / 18.0, 5 * sqrt(300 / 18.0)); /* every place alike */
}

/* Bin 20 is [-1, 1) s, bin 22 [3, 5) s. */
TEST(t90_begins_and_ends_in_the_bins_that_hold_its_times)
{
    static struct scene s;
    static const struct {
        double start_s, t90_s;
        int first, stop;
    } cases[] = {
        {-0.99, 4.0, 20, 23}, {0.99, 1.9, 20, 22}, {0.99, 2.1, 20, 23}, {1.01, 3.9, 21, 23}, {-1.01, 0.0, 19, 20}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        scene_set(&s, 1, (int[]){100});
        s.t90_start_s[0] = cases[i].start_s;
        s.t90_s[0] = cases[i].t90_s;
        CHECK_INT(scene_cut(&s, NULL), BURST_OK);
        CHECK_INT(s.n, 1);
        CHECK_INT(s.window[0].first_bin + s.window[0].onset_bin, cases[i].first);
        CHECK_INT(s.window[0].first_bin + s.window[0].stop_bin, cases[i].stop);
    }
}

/* Three bins of 100 over 100: one bin 10, two 200 / sqrt(200) = 14.142, four 300 / sqrt(400) = 15, eight 300 / sqrt(800). A window
 * that ends in T90 has no fourth bin; with the guard it has. */
TEST(snr_is_the_best_of_one_two_four_and_eight_bins)
{
    static struct scene s;
    scene_set(&s, 1, (int[]){100});
    s.rules.seed = 3;
    CHECK_INT(scene_cut(&s, NULL), BURST_OK);
    CHECK_INT(s.n, 1);
    CHECK(s.window[0].onset_bin > 0 || s.window[0].stop_bin < BINS);
    CHECK_NEAR(s.window[0].snr, 15, 1e-6);
    CHECK_NEAR(s.window[0].snr_blind, 15, 1e-6);
}

TEST(the_best_detectors_of_a_burst_are_kept)
{
    static struct scene s;
    scene_set(&s, 6, (int[]){60, 100, 80, 100, 70, 20});
    s.burst[5] = -7; /* another burst: S/N 3 */
    s.rules.snr_least = 3.5;
    CHECK_INT(scene_cut(&s, NULL), BURST_OK);
    CHECK_INT(s.n, 3);
    static const int64_t best[3] = {1, 2, 3};
    for (size_t i = 0; i < 3 && s.n == 3; i++) {
        CHECK_INT(s.window[i].curve, best[i]);
        CHECK_INT(s.window[i].first_bin, s.window[0].first_bin); /* placed alike */
    }
    s.rules.best_most = 0;
    CHECK_INT(scene_cut(&s, NULL), BURST_OK);
    CHECK_INT(s.n, 5);
    s.rules.best_most = 1;
    s.rules.snr_least = 2;
    CHECK_INT(scene_cut(&s, NULL), BURST_OK);
    CHECK_INT(s.n, 2);
    CHECK_INT(s.window[0].curve, 1); /* of equals the first */
    CHECK_INT(s.window[1].curve, 5);
}

TEST(weak_long_and_crowded_bursts_are_left_out)
{
    static struct scene s;
    scene_set(&s, 1, (int[]){20}); /* S/N 3 */
    CHECK_INT(scene_cut(&s, NULL), BURST_OK);
    CHECK_INT(s.n, 0);
    scene_set(&s, 1, (int[]){100});
    s.rules.t90_most_s = 4; /* as long as that is too long */
    CHECK_INT(scene_cut(&s, NULL), BURST_OK);
    CHECK_INT(s.n, 0);
    s.rules.t90_most_s = 4.01;
    CHECK_INT(scene_cut(&s, NULL), BURST_OK);
    CHECK_INT(s.n, 1);
    s.rules.background_least = 18; /* at most 20 - 3 are outside */
    CHECK_INT(scene_cut(&s, NULL), BURST_OK);
    CHECK_INT(s.n, 0);
}

TEST(curves_that_do_not_cover_the_burst_give_none)
{
    static struct scene s;
    static const struct {
        int64_t from, to;
        size_t want;
    } part[] = {{0, 23, 1}, {0, 22, 0}, {20, 100, 1}, {21, 100, 0}, {3, 23, 1}, {4, 23, 0}, {50, 50, 0}};
    for (size_t i = 0; i < sizeof part / sizeof part[0]; i++) {
        scene_set(&s, 1, (int[]){100});
        s.offset[0] = part[i].from;
        s.offset[1] = part[i].to;
        s.t_first_s[0] = -40 + 2 * (double)part[i].from;
        CHECK_INT(scene_cut(&s, NULL), BURST_OK);
        CHECK_SAY(s.n == part[i].want, "bins %d to %d give %zu", (int)part[i].from, (int)part[i].to, s.n);
    }
}

/* T90 ends at 4 s, 60 s later is the middle of bin 52: quiet windows begin at 53, 73; the one at 93 does not fit. */
TEST(quiet_windows_follow_one_another_from_a_minute_after_the_burst)
{
    static struct scene s;
    scene_set(&s, 2, (int[]){100, 10});
    s.rules.quiet_most = 5;
    for (int t = 0; t < LENGTH; t++)
        s.counts[t] += t % 7;
    CHECK_INT(scene_cut(&s, NULL), BURST_OK);
    CHECK_INT(s.n, 3); /* curve 1 gave no burst window */
    for (int i = 1; i < 3; i++) {
        CHECK(s.window[i].label == 0 && s.window[i].curve == 0 && s.window[i].place == i - 1);
        CHECK_INT(s.window[i].first_bin, 33 + 20 * i);
        CHECK_INT(s.window[i].n_background, BINS);
        CHECK_INT(s.window[i].onset_bin + s.window[i].stop_bin, 0);
        for (int t = 0; t < BINS; t++)
            CHECK_INT(s.cut[i * BINS + t], 100 + (33 + 20 * i + t) % 7);
        CHECK(s.window[i].snr > 0 && s.window[i].snr < 2);
        CHECK_NEAR(s.window[i].snr_blind, s.window[i].snr, 0);
    }
    s.rules.quiet_of_kept = 0;
    CHECK_INT(scene_cut(&s, NULL), BURST_OK);
    CHECK_INT(s.n, 5);
    s.rules.per_curve = 0;
    s.rules.quiet_most = 1;
    CHECK_INT(scene_cut(&s, NULL), BURST_OK);
    CHECK_INT(s.n, 2);
}

/* A peak of 40 over 100 that T90 does not tell of: left out of the fit, 4 sigma. */
TEST(blind_a_peak_stands_over_what_is_left_without_it)
{
    static struct scene s;
    scene_set(&s, 1, (int[]){100});
    s.rules.quiet_most = 1;
    s.counts[60] += 40;
    CHECK_INT(scene_cut(&s, NULL), BURST_OK);
    CHECK_INT(s.n, 2);
    CHECK_NEAR(s.window[1].snr, 4, 1e-6);
}

TEST(each_place_is_drawn_anew)
{
    static struct scene s;
    scene_set(&s, 1, (int[]){100});
    s.rules.per_curve = 20;
    CHECK_INT(scene_cut(&s, NULL), BURST_OK);
    CHECK_INT(s.n, 20);
    int other = 0;
    for (size_t i = 0; i < s.n; i++) {
        CHECK_INT(s.window[i].place, i);
        other += s.window[i].first_bin != s.window[0].first_bin;
    }
    CHECK(other > 10);
    struct scene again = s;
    again.c = s.c;
    CHECK_INT(known_windows_cut(&s.c, &s.rules, ROOM, again.window, again.cut, &again.n, NULL), BURST_OK);
    CHECK(memcmp(s.window, again.window, sizeof s.window) == 0);
}

TEST(bins_too_full_for_16_bits_are_counted)
{
    static struct scene s;
    scene_set(&s, 1, (int[]){70000});
    CHECK_INT(scene_cut(&s, NULL), BURST_OK);
    CHECK_INT(s.n, 1);
    CHECK_INT(s.window[0].n_saturated, 3);
    CHECK_INT(s.cut[s.window[0].onset_bin], 65535);
    CHECK_NEAR(s.window[0].snr, 210000 / 20.0, 1); /* measured before */
}

TEST(curves_that_make_no_sense_are_refused)
{
    static struct scene s;
    struct burst_error e;
    const double wrong[] = {(double)NAN, (double)INFINITY, -2e6};
    for (int i = 0; i < 3; i++) {
        scene_set(&s, 2, (int[]){100, 100});
        s.t_first_s[1] = wrong[i];
        CHECK_REFUSED(scene_cut(&s, &e), BURST_E_RANGE, e, "curve 1");
        scene_set(&s, 2, (int[]){100, 100});
        s.t90_start_s[1] = wrong[i];
        CHECK_REFUSED(scene_cut(&s, &e), BURST_E_RANGE, e, "curve 1");
        scene_set(&s, 2, (int[]){100, 100});
        s.t90_s[1] = wrong[i];
        CHECK_REFUSED(scene_cut(&s, &e), BURST_E_RANGE, e, "curve 1");
        scene_set(&s, 2, (int[]){100, 100});
        s.c.bin_s = wrong[i];
        CHECK_REFUSED(scene_cut(&s, &e), BURST_E_RANGE, e, "bins of");
    }
    scene_set(&s, 2, (int[]){100, 100});
    s.counts[LENGTH + 3] = -1;
    CHECK_REFUSED(scene_cut(&s, &e), BURST_E_RANGE, e, "-1 counts");
    scene_set(&s, 2, (int[]){100, 100});
    s.offset[2] = 2 * LENGTH + 1;
    CHECK_REFUSED(scene_cut(&s, &e), BURST_E_SHAPE, e, "[100, 201) of 200");
    s.offset[2] = 50;
    CHECK_REFUSED(scene_cut(&s, &e), BURST_E_SHAPE, e, "[100, 50)");
    s.offset[0] = -1;
    CHECK_REFUSED(scene_cut(&s, &e), BURST_E_SHAPE, e, "[-1, 100)");
    CHECK_INT(s.n, 99);
}

TEST(rules_that_make_no_sense_are_refused)
{
    static struct scene s;
    struct burst_error e;
    for (int i = 0; i < 11; i++) {
        scene_set(&s, 1, (int[]){100});
        struct window_rules *r = &s.rules;
        if (i == 0) r->n_bin = 7;
        if (i == 1) r->n_bin = 4097;
        if (i == 2) r->background_least = -1;
        if (i == 3) r->best_most = -1;
        if (i == 4) r->per_curve = 1001;
        if (i == 5) r->quiet_most = -1;
        if (i == 6) r->t90_most_s = (double)NAN;
        if (i == 7) r->snr_least = -1;
        if (i == 8) r->guard_s = 1e7;
        if (i == 9) r->quiet_after_s = (double)INFINITY;
        if (i == 10) r->guard_s = -1;
        enum burst_err want = i < 6 ? BURST_E_SHAPE : BURST_E_RANGE;
        CHECK_REFUSED(scene_cut(&s, &e), want, e, i < 2 ? "windows of" : "_");
        CHECK_INT(s.n, 99);
    }
}

TEST(what_is_not_given_or_does_not_fit_is_refused)
{
    static struct scene s;
    struct burst_error e;
    scene_set(&s, 2, (int[]){100, 100});
    struct known_curves c = s.c;
    CHECK_REFUSED(known_windows_cut(&c, &s.rules, 1, s.window, s.cut, &s.n, &e), BURST_E_LIMIT, e, "the 1 windows");
    CHECK_REFUSED(known_windows_cut(&c, &s.rules, ROOM, NULL, s.cut, &s.n, &e), BURST_E_MISSING, e, "nowhere");
    CHECK_REFUSED(known_windows_cut(&c, &s.rules, ROOM, s.window, NULL, &s.n, &e), BURST_E_MISSING, e, "nowhere");
    CHECK_REFUSED(known_windows_cut(&c, &s.rules, ROOM, s.window, s.cut, NULL, &e), BURST_E_MISSING, e, "nowhere");
    CHECK_INT(s.n, 99);
    for (int i = 0; i < 6; i++) {
        c = s.c;
        if (i == 0) c.counts = NULL;
        if (i == 1) c.offset = NULL;
        if (i == 2) c.t_first_s = NULL;
        if (i == 3) c.t90_start_s = NULL;
        if (i == 4) c.t90_s = NULL;
        if (i == 5) c.burst = NULL;
        CHECK_REFUSED(known_windows_cut(&c, &s.rules, ROOM, s.window, s.cut, &s.n, &e), BURST_E_MISSING, e, "an array");
    }
    c = s.c;
    c.n_curve = 0;
    CHECK_INT(known_windows_cut(&c, &s.rules, 0, NULL, NULL, &s.n, &e), BURST_OK);
    CHECK_INT(s.n, 0);
}

int main(void)
{
    RUN(a_burst_window_holds_all_of_t90_and_its_counts);
    RUN(t90_begins_and_ends_in_the_bins_that_hold_its_times);
    RUN(snr_is_the_best_of_one_two_four_and_eight_bins);
    RUN(the_best_detectors_of_a_burst_are_kept);
    RUN(weak_long_and_crowded_bursts_are_left_out);
    RUN(curves_that_do_not_cover_the_burst_give_none);
    RUN(quiet_windows_follow_one_another_from_a_minute_after_the_burst);
    RUN(blind_a_peak_stands_over_what_is_left_without_it);
    RUN(each_place_is_drawn_anew);
    RUN(bins_too_full_for_16_bits_are_counted);
    RUN(curves_that_make_no_sense_are_refused);
    RUN(rules_that_make_no_sense_are_refused);
    RUN(what_is_not_given_or_does_not_fit_is_refused);
    return check_report();
}
