/* Rows of skies: what decides them, labels, validity that tells nothing, one sky in many detectors. */
#include "check.h"
#include "sim/sky_inside.h"
#include <stdlib.h>

enum { BINS = 1875 };

static void plan_of(struct sky_plan *plan, const char *mission)
{
    sky_plan_default(plan);
    plan->n_craft = 1;
    CHECK_INT(spacecraft_read(BURST_SOURCE_DIR "/config/geometry", mission, &plan->craft[0], NULL), BURST_OK);
}

static struct sky_work *work_of(const struct sky_plan *plan)
{
    struct sky_work *w = NULL;
    CHECK_INT(sky_work_new(plan, &w, NULL), BURST_OK);
    return w;
}

TEST(a_sky_depends_on_seed_and_number_alone)
{
    static struct sky_plan plan;
    plan_of(&plan, "gecam-b");
    struct sky_work *a = work_of(&plan), *b = work_of(&plan);
    for (uint64_t sky = 0; sky < 20; sky++)
        sky_draw(b, 11, sky); /* b has a past */
    sky_draw(a, 11, 3);
    sky_draw(b, 11, 3);
    CHECK(memcmp(sky_atoms(a, 0), sky_atoms(b, 0), 5 * BINS * sizeof(uint16_t)) == 0);
    CHECK(memcmp(sky_valid(a, 0), sky_valid(b, 0), BINS) == 0);
    CHECK_NEAR(sky_row(a, 0)->snr, sky_row(b, 0)->snr, 0.0);
    sky_draw(b, 12, 3);
    CHECK(memcmp(sky_atoms(a, 0), sky_atoms(b, 0), 5 * BINS * sizeof(uint16_t)) != 0);
    sky_work_free(a);
    sky_work_free(b);
    sky_work_free(NULL);
}

TEST(half_are_bursts_and_facts_agree)
{
    enum { N = 600 };
    static struct sky_plan plan;
    int n_burst = 0;
    plan_of(&plan, "fermi-gbm");
    struct sky_work *w = work_of(&plan);
    for (uint64_t i = 0; i < N; i++) {
        sky_draw(w, 12, i);
        const struct sky_row *f = sky_row(w, 0);
        n_burst += f->label;
        CHECK(f->label == (f->family == FAMILY_BURST));
        CHECK(!f->label || (f->snr >= 3.99 && f->t90_s > 0.0 && f->peak_s >= f->onset_s && f->stop_s > f->peak_s));
        CHECK(f->label || (f->onset_s < 0.0 && f->stop_s < 0.0));
        CHECK(f->detector >= 0 && f->detector < 12);
        int n_valid = 0;
        for (int t = 0; t < BINS; t++) {
            n_valid += sky_valid(w, 0)[t];
            for (int a = 0; a < 5; a++)
                CHECK(sky_valid(w, 0)[t] || sky_atoms(w, 0)[a * BINS + t] == 0);
        }
        CHECK_INT(n_valid, f->n_valid);
        CHECK(f->family == FAMILY_RAMP || n_valid >= 469); /* 30 s */
    }
    CHECK_NEAR(n_burst, N / 2, 5.0 * sqrt(N / 4.0));
    sky_work_free(w);
}

/* The number of valid bins must not tell the label: the same draws for both. */
TEST(bursts_and_quiet_skies_pause_alike)
{
    static struct sky_plan burst, quiet;
    plan_of(&burst, "gecam-c");
    quiet = burst;
    burst.only = FAMILY_BURST;
    quiet.only = FAMILY_QUIET;
    struct sky_work *a = work_of(&burst), *b = work_of(&quiet);
    for (uint64_t i = 0; i < 60; i++) {
        sky_draw(a, 13, i);
        sky_draw(b, 13, i);
        CHECK(memcmp(sky_valid(a, 0), sky_valid(b, 0), BINS) == 0);
    }
    sky_work_free(a);
    sky_work_free(b);
}

TEST(rows_are_told_by_view_and_spacecraft)
{
    static struct sky_plan plan;
    plan_of(&plan, "gecam-b");
    CHECK_INT(sky_rows(&plan), 1);
    plan.view = VIEW_BEST3;
    CHECK_INT(sky_rows(&plan), 3);
    plan.view = VIEW_ALL;
    CHECK_INT(sky_rows(&plan), 25);
    plan.craft[1] = plan.craft[0];
    plan.n_craft = 2;
    CHECK_INT(sky_rows(&plan), 25);
    plan.craft[1].n_detector = 12;
    CHECK_INT(sky_rows(&plan), 0);
}

/* All 12 NaI and 2 BGO see the burst by their angles: the best of them at the S/N asked for, others less; those below
 * 3.5 have no label. */
TEST(all_detectors_share_a_burst)
{
    static struct sky_plan plan;
    plan_of(&plan, "fermi-gbm");
    plan.view = VIEW_ALL;
    plan.only = FAMILY_BURST;
    plan.snr_low = plan.snr_high = 20.0;
    struct sky_work *w = work_of(&plan);
    double ratio = 0.0;
    int n_faint = 0;
    for (uint64_t i = 0; i < 30; i++) {
        sky_draw(w, 14, i);
        double best = 0.0, least = 1e9;
        for (int d = 0; d < 14; d++) {
            const struct sky_row *f = sky_row(w, d);
            CHECK_INT(f->detector, d);
            CHECK_INT(f->label, f->snr >= 3.5);
            CHECK(memcmp(sky_valid(w, d), sky_valid(w, 0), BINS) == 0);
            if (d < 12) best = fmax(best, f->snr), least = fmin(least, f->snr);
            n_faint += !f->label;
        }
        CHECK(best > 19.9 && best < 40.0);
        ratio += least / best / 30.0;
    }
    CHECK(ratio < 0.25 && n_faint > 30);
    sky_work_free(w);
}

TEST(best3_are_three_detectors_in_falling_order)
{
    static struct sky_plan plan;
    plan_of(&plan, "gecam-a");
    plan.view = VIEW_BEST3;
    plan.only = FAMILY_BURST;
    plan.snr_low = plan.snr_high = 40.0;
    struct sky_work *w = work_of(&plan);
    double third = 0.0;
    for (uint64_t i = 0; i < 30; i++) {
        sky_draw(w, 15, i);
        CHECK(sky_row(w, 0)->detector != sky_row(w, 1)->detector && sky_row(w, 1)->detector != sky_row(w, 2)->detector);
        CHECK_NEAR(sky_row(w, 0)->snr, 40.0, 0.01);
        third += sky_row(w, 2)->snr / 30.0;
    }
    CHECK(third > 25.0 && third < 40.0);
    sky_work_free(w);
}

/* Quiet counts of a GBM NaI per 64 ms, 8 keV and up: 64.6; in 2.048 s 2067 (A.6: 1010 counts/s), windows scattering by
 * half. */
TEST(long_bins_in_one_band_hold_all_energies)
{
    enum { N = 200 };
    static struct sky_plan plan;
    double sum = 0.0;
    plan_of(&plan, "fermi-gbm");
    plan.bin_s = 2.048;
    plan.n_bin = 60;
    plan.n_atom = 1;
    plan.only = FAMILY_QUIET;
    struct sky_work *w = work_of(&plan);
    for (uint64_t i = 0; i < N; i++) {
        sky_draw(w, 16, i);
        sum += log(sky_row(w, 0)->counts) / N;
    }
    CHECK_NEAR(sum, log(2067.0), 5.0 * 0.27 / sqrt(N));
    sky_work_free(w);
}

TEST(an_onset_is_at_the_end_of_the_data)
{
    static struct sky_plan plan;
    plan_of(&plan, "svom-grm");
    plan.only = FAMILY_BURST;
    plan.onset = 1.0;
    struct sky_work *w = work_of(&plan);
    int late = 0;
    for (uint64_t i = 0; i < 100; i++) {
        size_t first, last;
        sky_draw(w, 17, i);
        sky_valid_range(sky_valid(w, 0), BINS, &first, &last);
        late += 0.064 * (double)(last + 1) - sky_row(w, 0)->onset_s < 10.2;
    }
    CHECK_SAY(late > 90, "%d of 100", late);
    sky_work_free(w);
}

/* A burst of P = 1 leaves about 200 counts/s in a NaI that faces it (A.5), S/N about 8 in a second over 634: of the
 * population from 0.15 on a part is seen, and most is not bright. */
TEST(bursts_by_flux_are_mostly_faint)
{
    enum { MANY = 400 };
    static struct sky_plan plan;
    int seen = 0, bright = 0;
    plan_of(&plan, "fermi-gbm");
    plan.only = FAMILY_BURST;
    plan.by_flux = true;
    struct sky_work *w = work_of(&plan);
    for (uint64_t i = 0; i < MANY; i++) {
        sky_draw(w, 20, i);
        CHECK_INT(sky_row(w, 0)->label, sky_row(w, 0)->snr >= 3.5);
        seen += sky_row(w, 0)->label;
        bright += sky_row(w, 0)->snr > 30.0;
    }
    CHECK_SAY(seen > 0.4 * MANY && seen < 0.9 * MANY && bright > 0.02 * MANY && bright < 0.25 * MANY, "%d %d", seen,
              bright);
    sky_work_free(w);
}

TEST(families_left_out_do_not_come)
{
    static struct sky_plan plan;
    plan_of(&plan, "gecam-b");
    plan.without = 1u << FAMILY_HUMP | 1u << FAMILY_BURST;
    struct sky_work *w = work_of(&plan);
    for (uint64_t i = 0; i < 200; i++) {
        sky_draw(w, 18, i);
        CHECK(sky_row(w, 0)->family != FAMILY_HUMP && sky_row(w, 0)->family != FAMILY_BURST && !sky_row(w, 0)->label);
    }
    sky_work_free(w);
}

TEST(real_rates_are_mostly_quiet)
{
    static struct sky_plan plan;
    int quiet = 0;
    plan_of(&plan, "gecam-b");
    plan.rates = RATES_REAL;
    struct sky_work *w = work_of(&plan);
    for (uint64_t i = 0; i < 300; i++) {
        sky_draw(w, 19, i);
        quiet += sky_row(w, 0)->family == FAMILY_QUIET;
    }
    CHECK(quiet > 210);
    sky_work_free(w);
}

/* 9 counts in each of 4 bins over a background of 4: one bin 9/2, two 18/sqrt 8, four 36/4 = 9, eight 36/sqrt 32; the
 * fourth length is 8 bins whatever their length. */
TEST(snr_is_that_of_the_best_length)
{
    double signal[64] = {0}, background[64];
    uint8_t valid[64];
    for (int i = 0; i < 64; i++)
        background[i] = 4.0;
    memset(valid, 1, sizeof valid);
    for (int i = 20; i < 24; i++)
        signal[i] = 9.0;
    CHECK_NEAR(sky_snr(signal, background, valid, 64, 0.064), 9.0, 1e-9);
    CHECK_NEAR(sky_snr(signal, background, valid, 64, 60.0), 9.0, 1e-9);
    valid[22] = valid[23] = 0;
    CHECK_NEAR(sky_snr(signal, background, valid, 64, 0.064), 18.0 / sqrt(8.0), 1e-9);
    memset(valid, 0, sizeof valid);
    CHECK_NEAR(sky_snr(signal, background, valid, 64, 0.064), 0.0, 0.0);
}

/* E^-1 counts: equal numbers per ln E of 100; of every atom ln 1.03 x 100 enters and leaves; nothing is lost. */
TEST(a_gain_moves_counts_across_edges)
{
    float rate[SIM_GROUP] = {69.31f, 69.31f, 109.86f, 51.08f, 58.78f, 113.94f + 29.39f};
    float before[SIM_GROUP];
    memcpy(before, rate, sizeof rate);
    sky_gain(1.03, 1, rate);
    double sum = 0.0;
    for (int g = 0; g < SIM_GROUP; g++)
        sum += (double)(rate[g] - before[g]);
    CHECK_NEAR(sum, 0.0, 1e-3);
    for (int a = 0; a < 4; a++)
        CHECK_NEAR(rate[a] - before[a], 0.0, 0.05);
    float steep[SIM_GROUP] = {100.0f, 0.0f, 0.0f, 0.0f, 0.0f, 0.0f};
    sky_gain(1.03, 1, steep);
    CHECK_NEAR(steep[1], log(1.03) * 0.5 * 100.0 / 0.6931, 1e-3); /* 2.132 */
}

TEST(shifts_change_one_thing)
{
    static struct sky_plan plain, plan;
    plan_of(&plain, "gecam-b");
    for (int s = 0; s < SHIFT_N; s++) {
        plan = plain;
        sky_shift_apply((enum sky_shift)s, &plan);
        int changes = (plan.mix_low != plain.mix_low || plan.mix_high != plain.mix_high) + (plan.level != plain.level) +
                      (plan.gain != plain.gain) +
                      (plan.craft[0].detector[3].axis.azimuth_deg != plain.craft[0].detector[3].axis.azimuth_deg);
        CHECK_INT(changes, s != SHIFT_NONE);
        CHECK(strlen(sky_shift_name((enum sky_shift)s)) > 2);
    }
    sky_shift_apply(SHIFT_LOUD_SKY, &plain);
    CHECK_NEAR(plain.level, 2.0, 0.0);
}

TEST(plans_out_of_range_are_refused)
{
    static struct sky_plan good, bad;
    struct burst_error err;
    struct sky_work *w = NULL;
    plan_of(&good, "svom-grm");
    bad = good, bad.n_craft = 0;
    CHECK_REFUSED(sky_work_new(&bad, &w, &err), BURST_E_RANGE, err, "0 spacecraft");
    bad = good, bad.n_bin = 15;
    CHECK_REFUSED(sky_work_new(&bad, &w, &err), BURST_E_RANGE, err, "15 bins");
    bad = good, bad.bin_s = 0.0;
    CHECK_REFUSED(sky_work_new(&bad, &w, &err), BURST_E_RANGE, err, "bins of 0 s");
    bad = good, bad.n_atom = 3;
    CHECK_REFUSED(sky_work_new(&bad, &w, &err), BURST_E_RANGE, err, "3 atoms");
    bad = good, bad.level = 0.0;
    CHECK_REFUSED(sky_work_new(&bad, &w, &err), BURST_E_RANGE, err, "times 0");
    bad = good, bad.only = FAMILY_HUMP, bad.without = 1u << FAMILY_HUMP;
    CHECK_REFUSED(sky_work_new(&bad, &w, &err), BURST_E_RANGE, err, "left out");
    bad = good, bad.without = (1u << FAMILY_N) - 1u;
    CHECK_REFUSED(sky_work_new(&bad, &w, &err), BURST_E_RANGE, err, "every family");
    bad = good, bad.view = VIEW_BEST3, bad.craft[0].n_search = 2;
    CHECK_REFUSED(sky_work_new(&bad, &w, &err), BURST_E_RANGE, err, "fewer than three");
    CHECK(w == NULL);
}

int main(void)
{
    RUN(a_sky_depends_on_seed_and_number_alone);
    RUN(half_are_bursts_and_facts_agree);
    RUN(bursts_and_quiet_skies_pause_alike);
    RUN(rows_are_told_by_view_and_spacecraft);
    RUN(all_detectors_share_a_burst);
    RUN(best3_are_three_detectors_in_falling_order);
    RUN(long_bins_in_one_band_hold_all_energies);
    RUN(an_onset_is_at_the_end_of_the_data);
    RUN(bursts_by_flux_are_mostly_faint);
    RUN(families_left_out_do_not_come);
    RUN(real_rates_are_mostly_quiet);
    RUN(snr_is_that_of_the_best_length);
    RUN(a_gain_moves_counts_across_edges);
    RUN(shifts_change_one_thing);
    RUN(plans_out_of_range_are_refused);
    return check_report();
}
