/* Window storage and the network's input: numbers from numpy (mean and std over valid bins of summed atoms). */
#include "check.h"
#include "records/bands.h"
#include "prepare/window.h"

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

int main(void)
{
    RUN(bands_are_sums_of_atoms_standardised_over_valid_bins);
    RUN(a_copy_owns_its_counts);
    RUN(windows_of_no_or_too_many_detectors_are_refused);
    return check_report();
}
