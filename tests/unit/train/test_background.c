/* Fits under bursts. Expected numbers: polynomials that the counts lie on exactly, and the maximum of the Poisson likelihood found by
 * damped Newton steps in numpy (another road to it than the fit's own). */
#include "check.h"
#include "made_curves.h"
#include "train/background.h"

static const uint16_t sixteen[16] = {7, 3, 9, 12, 5, 50, 60, 40, 14, 11, 17, 9, 16, 20, 13, 18};

TEST(the_fit_is_the_poisson_likelihoods_maximum)
{
    /* bins 0, 5, 6, 12, 15 of degrees 0, 1, 2; bins 5 to 7 are the burst's, bin 12 is missing */
    static const int bin[5] = {0, 5, 6, 12, 15};
    static const double want[3][5] = {{11.5, 11.5, 11.5, 11.5, 11.5},
                                      {5.83472, 9.6115733, 10.366944, 14.899168, 17.16528},
                                      {5.7701123, 9.6804484, 10.444299, 14.899879, 17.045692}};
    uint8_t valid[16];
    float fit[16];
    const int32_t onset = 5, stop = 8;
    struct curves c = {.atoms = sixteen, .valid = valid, .n = 1, .n_atom = 1, .n_bin = 16, .n_thread = 1};
    memset(valid, 1, sizeof valid);
    valid[12] = 0;
    for (int degree = 0; degree < 3; degree++) {
        CHECK_INT(curves_background(&c, &onset, &stop, degree, fit, NULL), BURST_OK);
        for (int k = 0; k < 5; k++)
            CHECK_NEAR(fit[bin[k]], want[degree][k], 2e-6 * want[degree][k]); /* float, and 8 digits of numpy's */
    }
}

TEST(a_polynomial_is_found_again_under_the_burst_for_each_atom)
{
    struct made m = made_new(2, 3, 50, 1);
    int32_t onset[2] = {20, 50}, stop[2] = {35, 50};
    struct burst_error e = {0};
    for (int i = 0; i < 2; i++)
        for (int a = 0; a < 3; a++)
            for (int t = 0; t < 50; t++)
                m.atoms[(i * 3 + a) * 50 + t] =
                    (uint16_t)(100 * (a + 1) + i + 3 * t + t * t + (t >= onset[i] && t < stop[i] ? 500 : 0));
    CHECK_INT(curves_background(&m.c, onset, stop, 2, m.ret_background, &e), BURST_OK);
    for (int i = 0; i < 2; i++)
        for (int a = 0; a < 3; a++)
            for (int t = 0; t < 50; t++) {
                double want = 100 * (a + 1) + i + 3 * t + t * t;
                CHECK_NEAR(m.ret_background[(i * 3 + a) * 50 + t], want, 1e-5 * want);
            }
    made_fini(&m);
}

/* 5 standard errors of a mean of 40 fits; each quadratic's centre has a variance of about 9/4 x 20 / 45 counts. */
TEST(fits_to_drawn_counts_are_unbiased)
{
    struct made m = made_new(40, 1, 60, 20);
    int32_t onset[40], stop[40];
    double mean = 0;
    for (int i = 0; i < 40; i++)
        onset[i] = 22, stop[i] = 37;
    for (size_t t = 22; t < 37; t++)
        for (size_t i = 0; i < 40; i++)
            m.burst[i * 60 + t] = 100;
    made_draw(&m, 11);
    CHECK_INT(curves_background(&m.c, onset, stop, 2, m.ret_background, NULL), BURST_OK);
    for (size_t i = 0; i < 40; i++)
        mean += (double)m.ret_background[i * 60 + 30] / 40;
    CHECK_NEAR(mean, 20, 5 * sqrt(9.0 / 4 * 20 / 45 / 40));
    made_fini(&m);
}

TEST(beyond_the_outermost_bins_it_is_held)
{
    struct made m = made_new(1, 1, 40, 1);
    int32_t onset = 0, stop = 20;
    for (int t = 0; t < 40; t++)
        m.atoms[t] = (uint16_t)(t < 20 ? 900 : 10 + t);
    CHECK_INT(curves_background(&m.c, &onset, &stop, 4, m.ret_background, NULL), BURST_OK);
    CHECK_NEAR(m.ret_background[35], 45, 1e-4); /* a burst at the edge leaves degree 1 */
    CHECK_NEAR(m.ret_background[20], 30, 1e-4);
    CHECK_NEAR(m.ret_background[0], 30, 1e-4);
    for (int t = 30; t < 40; t++)
        m.valid[t] = 0;
    onset = -5, stop = 0; /* before the window: there is none */
    CHECK_INT(curves_background(&m.c, &onset, &stop, 0, m.ret_background, NULL), BURST_OK);
    CHECK_NEAR(m.ret_background[39], (20 * 900 + 345) / 30.0, 1e-3);
    made_fini(&m);
}

/* A parabola would have 0 at bin 20; a line through its right side is above the arc in the middle. */
TEST(from_one_side_alone_the_fit_is_a_line)
{
    struct made m = made_new(1, 1, 40, 1);
    int32_t onset = 0, stop = 20;
    const float *fit = m.ret_background;
    for (int t = 0; t < 40; t++)
        m.atoms[t] = (uint16_t)(t < 20 ? 900 : 100 + (t - 20) * (t - 20));
    CHECK_INT(curves_background(&m.c, &onset, &stop, 2, m.ret_background, NULL), BURST_OK);
    for (int t = 21; t < 39; t++)
        CHECK_NEAR(fit[t - 1] - 2 * fit[t] + fit[t + 1], 0, 1e-3);
    CHECK(fit[30] > 200.5f);
    onset = 0, stop = 0; /* no burst: two sides */
    for (int t = 0; t < 20; t++)
        m.valid[t] = 0;
    CHECK_INT(curves_background(&m.c, &onset, &stop, 2, m.ret_background, NULL), BURST_OK);
    CHECK_NEAR(fit[30], 200, 1e-3);
    made_fini(&m);
}

TEST(few_bins_bear_a_low_degree)
{
    uint8_t valid[16] = {0};
    float fit[16];
    const int32_t none = 0;
    struct curves c = {.atoms = sixteen, .valid = valid, .n = 1, .n_atom = 1, .n_bin = 16, .n_thread = 1};
    for (int t = 0; t < 5; t++)
        valid[3 * t] = 1; /* 7, 12, 60, 11, 16: five bins bear a constant */
    CHECK_INT(curves_background(&c, &none, &none, 2, fit, NULL), BURST_OK);
    for (int t = 0; t < 16; t++)
        CHECK_NEAR(fit[t], 21.2, 1e-5);
}

TEST(it_is_never_nothing)
{
    static const uint16_t falling[12] = {60, 41, 22, 9, 3, 0, 0, 0, 0, 0, 0, 0};
    static const uint16_t zero[12];
    float fit[12];
    const int32_t none = 0;
    struct curves c = {.atoms = falling, .n = 1, .n_atom = 1, .n_bin = 12, .n_thread = 1};
    for (int degree = 0; degree <= CURVE_DEGREE_MOST; degree++) {
        CHECK_INT(curves_background(&c, &none, &none, degree, fit, NULL), BURST_OK);
        for (int t = 0; t < 12; t++)
            CHECK(isfinite(fit[t]) && (double)fit[t] >= CURVE_BACKGROUND_LEAST);
    }
    c.atoms = zero;
    CHECK_INT(curves_background(&c, &none, &none, 2, fit, NULL), BURST_OK);
    for (int t = 0; t < 12; t++)
        CHECK_NEAR(fit[t], CURVE_BACKGROUND_LEAST, 1e-9);
}

TEST(a_row_that_is_all_burst_is_refused_by_its_number)
{
    struct made m = made_new(3, 1, 20, 5);
    int32_t onset[3] = {2, -4, 0}, stop[3] = {5, 24, 0};
    struct burst_error e;
    CHECK_REFUSED(curves_background(&m.c, onset, stop, 2, m.ret_background, &e), BURST_E_MISSING, e, "row 1");
    onset[1] = 3;
    memset(m.valid + 40, 0, 20);
    CHECK_REFUSED(curves_background(&m.c, onset, stop, 2, m.ret_background, &e), BURST_E_MISSING, e, "row 2");
    m.c.n_thread = 3;
    CHECK_REFUSED(curves_background(&m.c, onset, stop, 2, m.ret_background, &e), BURST_E_MISSING, e, "row 2");
    CHECK_REFUSED(curves_background(&m.c, onset, stop, -1, m.ret_background, &e), BURST_E_RANGE, e, "degree -1");
    CHECK_REFUSED(curves_background(&m.c, onset, stop, 5, m.ret_background, &e), BURST_E_RANGE, e, "degree 5");
    CHECK_REFUSED(curves_background(&m.c, NULL, stop, 2, m.ret_background, &e), BURST_E_MISSING, e, "bounds");
    CHECK_REFUSED(curves_background(&m.c, onset, stop, 2, NULL, &e), BURST_E_MISSING, e, "nowhere");
    m.c.n_bin = 0;
    CHECK_REFUSED(curves_background(&m.c, onset, stop, 2, m.ret_background, &e), BURST_E_SHAPE, e, "0 bins");
    made_fini(&m);
}

TEST(one_row_of_numbers_is_fitted_or_told_to_be_empty)
{
    const double counts[4] = {8, 100, 12, 16};
    uint8_t use[4] = {1, 0, 1, 1};
    double fit[4] = {-1};
    CHECK(background_fit_row(counts, use, 4, 0, fit));
    CHECK_NEAR(fit[1], 12, 1e-12);
    memset(use, 0, sizeof use);
    fit[0] = -1;
    CHECK(!background_fit_row(counts, use, 4, 0, fit));
    CHECK_NEAR(fit[0], -1, 0);
}

int main(void)
{
    RUN(the_fit_is_the_poisson_likelihoods_maximum);
    RUN(a_polynomial_is_found_again_under_the_burst_for_each_atom);
    RUN(fits_to_drawn_counts_are_unbiased);
    RUN(beyond_the_outermost_bins_it_is_held);
    RUN(from_one_side_alone_the_fit_is_a_line);
    RUN(few_bins_bear_a_low_degree);
    RUN(it_is_never_nothing);
    RUN(a_row_that_is_all_burst_is_refused_by_its_number);
    RUN(one_row_of_numbers_is_fitted_or_told_to_be_empty);
    return check_report();
}
