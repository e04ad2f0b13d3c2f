/* Window storage and the network's input: numbers from numpy (mean and std over valid bins of summed atoms). */
#include "check.h"
#include "prepare/window.h"
#include "records/bands.h"

static struct lightcurve_window *window_filled(void)
{
    struct lightcurve_window *w = NULL;
    if (window_new(2, &w, NULL)) return NULL;
    band_set_default(&w->bands);
    w->n_detector = 2;
    w->detector[1] = 7;
    for (int r = 0; r < 2; r++)
        for (int t = 0; t < WINDOW_BINS; t++) {
            w->valid[r * WINDOW_BINS + t] = t % 10 != r;
            for (int a = 0; a < 5; a++)
                w->counts[(r * 5 + a) * WINDOW_BINS + t] = (uint32_t)((r * 7 + a * 3 + t * t) % 11);
        }
    return w;
}

TEST(bands_are_sums_of_atoms_standardised_over_valid_bins)
{
    /* (x - x[v].mean()) / x[v].std(), 0 where not v: bins 0..3 and 1874 of bands 50-300, 100-900, 500-900 of row 1 */
    static const int band[3] = {2, 5, 8}, bin[5] = {0, 1, 2, 3, 1874};
    static const double want[3][5] = {
        {1.41285304, 0, 0.35195553, -0.00167698, 1.059220537389311},
        {1.71096322e-04, 0, 2.88810592e-01, -1.73166588, 1.1547290801370875},
        {1.15495741, 0, -0.86651762, 0.57739311, -0.5777354742831379},
    };
    static float z[BAND_MAX * WINDOW_BINS];
    struct lightcurve_window *w = window_filled();
    CHECK(w);
    window_standardise(w, 1, z);
    for (int i = 0; i < 3; i++)
        for (int k = 0; k < 5; k++)
            CHECK_NEAR(z[band[i] * WINDOW_BINS + bin[k]], want[i][k], 2e-7); /* float of numbers near 1 */
    window_free(w);
}

TEST(a_copy_owns_its_counts)
{
    struct lightcurve_window *w = window_filled(), *copy = NULL, *narrow = NULL;
    struct burst_error e;
    CHECK_INT(window_new(3, &copy, &e), BURST_OK);
    CHECK_INT(window_copy(w, copy, &e), BURST_OK);
    CHECK_INT(copy->room, 3);
    CHECK_INT(copy->n_detector, 2);
    CHECK_INT(copy->detector[1], 7);
    CHECK(copy->counts != w->counts);
    CHECK(memcmp(copy->counts, w->counts, 2 * 5 * WINDOW_BINS * sizeof *w->counts) == 0);
    CHECK(memcmp(copy->valid, w->valid, 2 * WINDOW_BINS) == 0);
    CHECK_INT(window_new(1, &narrow, &e), BURST_OK);
    CHECK_REFUSED(window_copy(w, narrow, &e), BURST_E_SHAPE, e, "window of 2");
    CHECK_INT(narrow->n_detector, 0);
    window_free(narrow);
    window_free(copy);
    window_free(w);
}

TEST(windows_of_no_or_too_many_detectors_are_refused)
{
    struct lightcurve_window *w = NULL;
    struct burst_error e;
    CHECK_REFUSED(window_new(0, &w, &e), BURST_E_SHAPE, e, "0 detectors");
    CHECK_REFUSED(window_new(DETECTOR_MAX + 1, &w, &e), BURST_E_SHAPE, e, "26 detectors");
    CHECK(!w);
    window_free(NULL);
}

/* A bin is 64 ms, 640,000 units of 100 ns; the ordinary rate of a GRD is 1,780 per second, 11,392 counts per bin a hundredfold. */
TEST(what_is_odd_about_a_bin_is_told_of_its_row)
{
    static const struct {
        uint32_t dead, count;
        unsigned quality;
    } cases[] = {{64000, 11392, 0},
                 {64001, 0, EVENT_DEAD_TIME},
                 {320000, 0, EVENT_DEAD_TIME | EVENT_SATURATED},
                 {0, 11393, EVENT_FAST}};
    const struct instrument_fact *fact = source_fact(MISSION_GECAM_B, INSTRUMENT_GRD);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct lightcurve_window *w = window_filled();
        w->quality[0] = EVENT_FAST; /* stays: it is added to */
        w->dead[WINDOW_BINS + 1800] = cases[i].dead;
        for (int a = 0; a < 5; a++)
            w->counts[(5 + a) * WINDOW_BINS + 1800] = a == 2 ? cases[i].count : 0;
        window_judge_bins(w, fact);
        CHECK_INT(w->quality[0], EVENT_FAST);
        CHECK_INT(w->quality[1], cases[i].quality);
        window_free(w);
    }
}

/* GBM records 375,000 rows per second of 2.6 us each: 95 % of that in a bin is 22,800 rows, 592,800 units of 100 ns over all
 * detectors. */
TEST(an_instrument_at_the_limit_of_what_it_records_is_saturated_in_every_detector)
{
    const struct instrument_fact *fact = source_fact(MISSION_FERMI, INSTRUMENT_GBM);
    for (uint32_t more = 0; more < 2; more++) {
        struct lightcurve_window *w = window_filled();
        w->dead[500] = 300000;
        w->dead[WINDOW_BINS + 500] = 292799 + 2 * more;
        window_judge_bins(w, fact);
        CHECK_INT(w->quality[0] & EVENT_SATURATED, more ? EVENT_SATURATED : 0);
        CHECK_INT(w->quality[1] & EVENT_SATURATED, more ? EVENT_SATURATED : 0);
        window_free(w);
    }
}

int main(void)
{
    RUN(bands_are_sums_of_atoms_standardised_over_valid_bins);
    RUN(a_copy_owns_its_counts);
    RUN(what_is_odd_about_a_bin_is_told_of_its_row);
    RUN(an_instrument_at_the_limit_of_what_it_records_is_saturated_in_every_detector);
    RUN(windows_of_no_or_too_many_detectors_are_refused);
    return check_report();
}
