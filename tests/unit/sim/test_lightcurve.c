/* Labelled windows: determinism, labels, validity that tells nothing, S/N by hand. */
#include "check.h"
#include "sim/lightcurve.h"

static struct lightcurve_window *window(void)
{
    struct lightcurve_window *w = NULL;
    (void)window_new(1, &w, NULL);
    return w;
}

static const struct sample_wish ANY = {SIM_MIX_BOTH, -1, -1};

TEST(a_sample_depends_on_seed_and_index_alone)
{
    struct lightcurve_window *a = window(), *b = window();
    struct sample_facts fa, fb;
    lightcurve_sample(11, 3, &ANY, a, &fa);
    lightcurve_sample(11, 4, &ANY, b, &fb);
    CHECK(memcmp(a->counts, b->counts, 5 * WINDOW_BINS * sizeof *a->counts) != 0);
    lightcurve_sample(11, 3, &ANY, b, &fb);
    CHECK(memcmp(a->counts, b->counts, 5 * WINDOW_BINS * sizeof *a->counts) == 0);
    CHECK(memcmp(a->valid, b->valid, WINDOW_BINS) == 0);
    CHECK_INT(fa.label, fb.label);
    CHECK_NEAR(fa.snr, fb.snr, 0.0);
    window_free(a);
    window_free(b);
}

TEST(half_are_bursts_and_bursts_reach_the_floor)
{
    enum { N = 600 };
    struct lightcurve_window *w = window();
    int n_burst = 0, n_gecam = 0;
    for (int i = 0; i < N; i++) {
        struct sample_facts f;
        lightcurve_sample(12, (uint64_t)i, &ANY, w, &f);
        n_burst += f.label;
        n_gecam += f.mission == SIM_GECAM_B;
        CHECK(f.label == (strcmp(f.family, "burst") == 0));
        CHECK(!f.label || (f.snr >= 5.0 && f.t90_s > 0.0 && f.peak_s >= 0.0));
        CHECK(f.n_valid >= 469 && f.n_valid <= WINDOW_BINS && w->n_valid[0] == f.n_valid);
    }
    CHECK_NEAR(n_burst, N / 2, 5.0 * sqrt(N / 4.0));
    CHECK_NEAR(n_gecam, N / 2, 5.0 * sqrt(N / 4.0));
    window_free(w);
}

TEST(missing_bins_hold_no_counts)
{
    struct lightcurve_window *w = window();
    int n_missing = 0;
    for (int i = 0; i < 60; i++) {
        struct sample_facts f;
        lightcurve_sample(13, (uint64_t)i, &ANY, w, &f);
        for (int t = 0; t < WINDOW_BINS; t++) {
            n_missing += !w->valid[t];
            for (int a = 0; a < 5; a++)
                CHECK(w->valid[t] || w->counts[a * WINDOW_BINS + t] == 0);
        }
    }
    CHECK(n_missing > 0);
    window_free(w);
}

/* The number of valid bins must not tell the label: both classes short (below 1,875) equally often but for the
 * ramps. */
TEST(short_windows_are_as_common_in_both_classes)
{
    enum { N = 400 };
    struct lightcurve_window *w = window();
    int cut[2] = {0};
    for (int label = 0; label < 2; label++)
        for (int i = 0; i < N; i++) {
            struct sample_facts f;
            const struct sample_wish wish = {SIM_MIX_BOTH, label, TRANSIENT_N};
            lightcurve_sample(14, (uint64_t)i, &wish, w, &f);
            cut[label] += f.n_valid < WINDOW_BINS;
        }
    CHECK_NEAR(cut[0], cut[1], 5.0 * sqrt(2.0 * N * 0.36 * 0.64));
    CHECK_NEAR(cut[0], 0.36 * N, 5.0 * sqrt(N * 0.36 * 0.64));
    window_free(w);
}

TEST(a_wish_for_a_family_is_granted)
{
    struct lightcurve_window *w = window();
    for (int family = 0; family < TRANSIENT_N; family++) {
        struct sample_facts f;
        const struct sample_wish wish = {SIM_MIX_GECAM_B, 0, family};
        lightcurve_sample(15, (uint64_t)family, &wish, w, &f);
        CHECK_STR(f.family, transient_name((enum transient_family)family));
        CHECK_INT(f.label, 0);
        CHECK_INT(f.mission, SIM_GECAM_B);
    }
    struct sample_facts f;
    const struct sample_wish lossy = {SIM_MIX_FERMI_GBM, 0, TRANSIENT_N + 1};
    lightcurve_sample(15, 99, &lossy, w, &f);
    CHECK_STR(f.family, "dropout");
    CHECK_INT(f.mission, SIM_FERMI_GBM);
    window_free(w);
}

/* Quiet windows scatter as Poisson (slow trends add a little, some have red noise): median of var / mean near 1. */
TEST(quiet_counts_have_dispersion_near_one)
{
    enum { N = 101 };
    struct lightcurve_window *w = window();
    int below = 0;
    for (int i = 0; i < N; i++) {
        struct sample_facts f;
        const struct sample_wish wish = {SIM_MIX_BOTH, 0, TRANSIENT_N};
        double sum = 0.0, sum2 = 0.0;
        lightcurve_sample(16, (uint64_t)i, &wish, w, &f);
        for (int t = 0; t < WINDOW_BINS; t++) {
            double c = w->counts[t] + w->counts[WINDOW_BINS + t];
            sum += w->valid[t] * c;
            sum2 += w->valid[t] * c * c;
        }
        double mean = sum / f.n_valid;
        below += (sum2 / f.n_valid - mean * mean) / mean < 1.02;
    }
    CHECK_SAY(below > N / 2, "%d of %d below 1.02", below, N);
    window_free(w);
}

/* 9 counts in each of 4 bins over a background of 4: one bin 9/2 = 4.5, two 18/sqrt 8, four 36/4 = 9, eight 36/sqrt
 * 32. */
TEST(snr_is_that_of_the_best_length)
{
    double signal[64] = {0}, background[64];
    uint8_t valid[64];
    for (int i = 0; i < 64; i++)
        background[i] = 4.0;
    memset(valid, 1, sizeof valid);
    for (int i = 20; i < 24; i++)
        signal[i] = 9.0;
    CHECK_NEAR(lightcurve_snr(signal, background, valid, 64), 9.0, 1e-12);
    valid[22] = valid[23] = 0; /* half of it lost: 18 / sqrt(2 x 4) within two bins */
    CHECK_NEAR(lightcurve_snr(signal, background, valid, 64), 18.0 / sqrt(8.0), 1e-12);
    memset(valid, 0, sizeof valid);
    CHECK_NEAR(lightcurve_snr(signal, background, valid, 64), 0.0, 0.0);
}

int main(void)
{
    RUN(a_sample_depends_on_seed_and_index_alone);
    RUN(half_are_bursts_and_bursts_reach_the_floor);
    RUN(missing_bins_hold_no_counts);
    RUN(short_windows_are_as_common_in_both_classes);
    RUN(a_wish_for_a_family_is_granted);
    RUN(quiet_counts_have_dispersion_near_one);
    RUN(snr_is_that_of_the_best_length);
    return check_report();
}
