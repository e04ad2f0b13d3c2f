#include "check.h"
#include "prepare/particles.h"
#include "records/bands.h"

/* Two detectors; bin t of detector d holds rate[d] + (its stride mod 3 - 1) counts, so that the median is the rate. */
static struct lightcurve_window *monitor(int n_stride)
{
    struct lightcurve_window *w = NULL;
    if (window_new(2, &w, NULL)) return NULL;
    band_set_total(&w->bands);
    w->n_detector = 2;
    for (int t = WINDOW_BINS - n_stride * STRIDE_BINS; t < WINDOW_BINS; t++)
        for (int d = 0; d < 2; d++) {
            int stride = (WINDOW_BINS - 1 - t) / STRIDE_BINS;
            w->valid[d * WINDOW_BINS + t] = 1;
            w->counts[d * WINDOW_BINS + t] = (uint32_t)(10 + 20 * d + (stride % 3 - 1));
        }
    return w;
}

static void last_stride(struct lightcurve_window *w, uint32_t count)
{
    for (int t = WINDOW_BINS - STRIDE_BINS; t < WINDOW_BINS; t++)
        w->counts[t] = w->counts[WINDOW_BINS + t] = count;
}

TEST(the_ratio_is_the_last_strides_rate_over_the_median)
{
    struct lightcurve_window *w = monitor(100);
    last_stride(w, 20); /* 20 per detector, as ever */
    CHECK_NEAR(particles_ratio(w), 1.0, 1e-12);
    last_stride(w, 110);
    CHECK_NEAR(particles_ratio(w), 5.5, 1e-12);
    window_free(w);
}

TEST(a_detector_that_is_missing_is_no_fall_of_the_rate)
{
    struct lightcurve_window *w = monitor(100);
    last_stride(w, 20);
    memset(w->valid + 2 * WINDOW_BINS - STRIDE_BINS, 0, STRIDE_BINS);
    memset(w->counts + 2 * WINDOW_BINS - STRIDE_BINS, 0, STRIDE_BINS * sizeof *w->counts);
    CHECK_NEAR(particles_ratio(w), 1.0, 1e-12);
    window_free(w);
}

TEST(a_ratio_without_enough_to_compare_with_is_not_known)
{
    struct lightcurve_window *w = monitor(PARTICLES_PAST_LEAST); /* the last one and 29 before */
    CHECK_NEAR(particles_ratio(w), 0, 0);
    window_free(w);
    w = monitor(PARTICLES_PAST_LEAST + 1);
    CHECK(particles_ratio(w) > 0);
    memset(w->counts, 0, WINDOW_BINS * 2 * sizeof *w->counts);
    last_stride(w, 5);
    CHECK_NEAR(particles_ratio(w), 0, 0); /* the median is 0 */
    window_free(w);
    w = monitor(100);
    for (int d = 0; d < 2; d++)
        memset(w->valid + (d + 1) * WINDOW_BINS - STRIDE_BINS, 0, STRIDE_BINS);
    CHECK_NEAR(particles_ratio(w), 0, 0);
    window_free(w);
}

int main(void)
{
    RUN(the_ratio_is_the_last_strides_rate_over_the_median);
    RUN(a_detector_that_is_missing_is_no_fall_of_the_rate);
    RUN(a_ratio_without_enough_to_compare_with_is_not_known);
    return check_report();
}
