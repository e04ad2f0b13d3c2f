/* Events: ladders, order, Poisson scatter, the counts each band must get. */
#include "check.h"
#include "records/bands.h"
#include "sim/events.h"

static struct ladder ladder;

/* formats.md 2: 448 contiguous channels, 2.00 to 10053.5 keV, channel 0 ends at 2.183, channel 54 begins at 39.118. */
TEST(gecam_ladder_has_the_flight_ladders_ends)
{
    ladder_make(SIM_GECAM_B, &ladder);
    CHECK_INT(ladder.n_channel, 448);
    CHECK_NEAR(ladder.e_min_kev[0], 2.00, 1e-6);
    CHECK_NEAR(ladder.e_max_kev[0], 2.183, 0.002);
    CHECK_NEAR(ladder.e_min_kev[54], 39.118, 0.1);
    CHECK_NEAR(ladder.e_max_kev[447], 10053.5, 1e-3);
    for (size_t k = 1; k < 448; k++)
        CHECK(!(ladder.e_min_kev[k] < ladder.e_max_kev[k - 1]) && !(ladder.e_min_kev[k] > ladder.e_max_kev[k - 1]));
}

TEST(gbm_ladder_has_128_rising_channels)
{
    ladder_make(SIM_FERMI_GBM, &ladder);
    CHECK_INT(ladder.n_channel, 128);
    CHECK_NEAR(ladder.e_min_kev[0], 5.3, 1e-5);
    CHECK_NEAR(ladder.e_max_kev[127], 2000.0, 1e-3);
    for (size_t k = 0; k < 128; k++)
        CHECK(ladder.e_max_kev[k] > ladder.e_min_kev[k]);
}

/* Rows of a real file: 259 (formats.md 2); 15 keV to 5 MeV (GRM's page at svom.eu). */
TEST(grm_ladder_has_259_rising_channels)
{
    ladder_make(SIM_SVOM_GRM, &ladder);
    CHECK_INT(ladder.n_channel, 259);
    CHECK_NEAR(ladder.e_min_kev[0], 15.0, 1e-5);
    CHECK_NEAR(ladder.e_max_kev[258], 5000.0, 1e-2);
}

static struct scene *quiet(double seconds)
{
    struct scene *s = NULL;
    (void)scene_new(SIM_GECAM_B, SCENE_QUIET, 8, seconds, 0.0, &s, NULL);
    return s;
}

TEST(events_rise_in_time_and_stay_inside)
{
    struct scene *s = quiet(60.0);
    struct event_store e = {0};
    ladder_make(SIM_GECAM_B, &ladder);
    CHECK_INT(events_draw(s, &ladder, 3, 8.0, 40.0, &e, NULL), BURST_OK);
    CHECK(e.n_event > 20000 && e.n_event < 35000);
    for (size_t i = 0; i < e.n_event; i++) {
        CHECK(e.t_ns[i] >= INT64_C(8000000000) && e.t_ns[i] < INT64_C(40000000000) && e.channel[i] < 448);
        CHECK(i == 0 || e.t_ns[i] >= e.t_ns[i - 1]);
        CHECK(e.gain[i] == (ladder.e_min_kev[e.channel[i]] >= 300.0F));
    }
    event_store_fini(&e);
    scene_free(s);
}

/* Through burstd's own rule for channels, the atoms get the rates of the scene: 5 standard errors. */
TEST(atoms_get_the_rates_of_the_background)
{
    struct scene *s = quiet(60.0);
    struct event_store e = {0};
    struct band_set bands;
    int8_t atom[LADDER_MAX];
    double n[SIM_ATOM] = {0}, want[SIM_ATOM] = {0};
    static double rate[SIM_GROUP * 60];
    struct sim_grid grid = {0.0, 1.0, 60};
    ladder_make(SIM_GECAM_B, &ladder);
    band_set_default(&bands);
    CHECK_INT(band_channel_atoms(&bands, ladder.n_channel, ladder.e_min_kev, ladder.e_max_kev, atom, NULL), BURST_OK);
    CHECK_INT(events_draw(s, &ladder, 0, 0.0, 60.0, &e, NULL), BURST_OK);
    for (size_t i = 0; i < e.n_event; i++)
        if (atom[e.channel[i]] >= 0) n[atom[e.channel[i]]] += 1.0;
    scene_rates(s, 0, &grid, rate);
    for (int a = 0; a < SIM_ATOM; a++) {
        for (int i = 0; i < 60; i++)
            want[a] += rate[a * 60 + i];
        CHECK_NEAR(n[a], want[a], 5.0 * sqrt(want[a]));
    }
    event_store_fini(&e);
    scene_free(s);
}

/* Gaps between events of a Poisson process are exponential: the part longer than the mean is exp(-1). */
TEST(gaps_between_events_are_exponential)
{
    struct scene *s = quiet(60.0);
    struct event_store e = {0};
    ladder_make(SIM_GECAM_B, &ladder);
    CHECK_INT(events_draw(s, &ladder, 7, 0.0, 60.0, &e, NULL), BURST_OK);
    double mean = 60e9 / (double)e.n_event, n_longer = 0.0, n = (double)e.n_event - 1.0;
    for (size_t i = 1; i < e.n_event; i++)
        n_longer += (double)(e.t_ns[i] - e.t_ns[i - 1]) > mean;
    CHECK_NEAR(n_longer / n, exp(-1.0), 5.0 * sqrt(0.2325 / n) + 0.002);
    event_store_fini(&e);
    scene_free(s);
}

TEST(the_same_cut_gives_the_same_events)
{
    struct scene *s = quiet(60.0);
    struct event_store a = {0}, b = {0};
    ladder_make(SIM_GECAM_B, &ladder);
    CHECK_INT(events_draw(s, &ladder, 1, 0.0, 8.0, &a, NULL), BURST_OK);
    CHECK_INT(events_draw(s, &ladder, 1, 0.0, 8.0, &b, NULL), BURST_OK);
    CHECK(a.n_event == b.n_event && memcmp(a.t_ns, b.t_ns, a.n_event * sizeof *a.t_ns) == 0);
    CHECK_INT(events_draw(s, &ladder, 2, 0.0, 8.0, &b, NULL), BURST_OK);
    CHECK(a.n_event != b.n_event || memcmp(a.t_ns, b.t_ns, a.n_event * sizeof *a.t_ns) != 0);
    event_store_fini(&a);
    event_store_fini(&b);
    scene_free(s);
}

TEST(wrong_detectors_and_times_are_refused)
{
    struct scene *s = quiet(60.0);
    struct event_store e = {0};
    struct burst_error err;
    ladder_make(SIM_GECAM_B, &ladder);
    CHECK_REFUSED(events_draw(s, &ladder, 25, 0.0, 8.0, &e, &err), BURST_E_RANGE, err, "detector 25");
    CHECK_REFUSED(events_draw(s, &ladder, 0, 8.0, 8.0, &e, &err), BURST_E_RANGE, err, "from 8 to 8");
    CHECK_INT(e.n_event, 0);
    event_store_fini(&e);
    scene_free(s);
}

int main(void)
{
    RUN(gecam_ladder_has_the_flight_ladders_ends);
    RUN(gbm_ladder_has_128_rising_channels);
    RUN(grm_ladder_has_259_rising_channels);
    RUN(events_rise_in_time_and_stay_inside);
    RUN(atoms_get_the_rates_of_the_background);
    RUN(gaps_between_events_are_exponential);
    RUN(the_same_cut_gives_the_same_events);
    RUN(wrong_detectors_and_times_are_refused);
    return check_report();
}
