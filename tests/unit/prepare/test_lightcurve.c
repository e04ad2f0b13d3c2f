/* The rings: bins, windows, closing, refusals. The stream and the expected numbers are those of made_stream.h. */
#include "check.h"
#include "unit/prepare/made_stream.h"

TEST(every_closed_stride_gives_one_window_with_numpys_counts)
{
    struct lightcurve *lc = rings();
    struct taken all = {0};
    char text[65];
    for (int64_t t = 1000000; t < 1180000; t += 1000)
        CHECK_INT(add(lc, packet_cut(&made, 0, t, t + 1000), &all), BURST_OK);
    CHECK_INT(all.n, 145);
    CHECK_INT(all.first_k, 16096); /* the first stride with 30 s of data */
    CHECK_INT(all.last_k, 18400);  /* the last multiple of 16 before 1178 s */
    bytes_hex(all.chain[60], 32, text);
    CHECK_STR(text, "ac40cf816165123cd7f09757f069b7a6f544c8c6e054180314f4a1fb05a709d1");
    chain_text(&all, text);
    CHECK_STR(text, CHAIN);
    CHECK_INT(window->n_detector, 1);
    CHECK_INT(window->n_valid[0], 1796);
    CHECK(window->scored[0] && !window->incomplete);
    struct lightcurve_counts n = lightcurve_counts(lc);
    CHECK_INT(n.windows, 145);
    CHECK_INT(n.late, 0);
    CHECK_INT(n.conflicts, 0);
    lightcurve_free(lc);
}

TEST(the_windows_do_not_depend_on_how_the_stream_is_cut)
{
    static const int64_t length[4] = {64, 710, 15990,
                                      180000}; /* ms: a bin, no multiple of a bin, two steps and a half, all */
    for (int i = 0; i < 4; i++) {
        struct lightcurve *lc = rings();
        struct taken all = {0};
        char text[65];
        for (int64_t t = 1000000; t < 1180000; t += length[i])
            (void)add(lc, packet_cut(&made, 0, t, t + length[i]), &all);
        CHECK_INT(all.n, 145);
        chain_text(&all, text);
        CHECK_STR(text, CHAIN);
        lightcurve_free(lc);
    }
}

TEST(packets_out_of_order_within_the_lateness_change_nothing)
{
    struct lightcurve *lc = rings();
    struct taken all = {0};
    char text[65];
    for (int64_t t = 1000000; t < 1180000; t += 1500) {
        CHECK_INT(add(lc, packet_cut(&made, 0, t + 750, t + 1500), &all), BURST_OK);
        CHECK_INT(add(lc, packet_cut(&made, 0, t, t + 750), &all), BURST_OK);
    }
    CHECK_INT(all.n, 145);
    chain_text(&all, text);
    CHECK_STR(text, CHAIN);
    lightcurve_free(lc);
}

TEST(flush_closes_up_to_the_end_of_good_time)
{
    struct lightcurve *lc = rings();
    struct taken all = {0};
    for (int64_t t = 1000000; t < 1180000; t += 1000)
        (void)add(lc, packet_cut(&made, 0, t, t + 1000), &all);
    lightcurve_flush(lc);
    drain(lc, &all);
    CHECK_INT(all.last_k, 18432); /* floor(1180 s / 64 ms / 16) x 16 */
    CHECK_INT(all.n, 147);
    lightcurve_free(lc);
}

TEST(the_gateways_data_time_closes_bins_but_never_past_the_data)
{
    struct lightcurve *lc = rings();
    struct taken all = {0};
    for (int64_t t = 1000000; t < 1180000; t += 1000)
        (void)add(lc, packet_cut(&made, 0, t, t + 1000), &all);
    lightcurve_data_time(lc, EPOCH_NS + 1181000 * MS); /* 1179 s: bin 18421 */
    drain(lc, &all);
    CHECK_INT(all.last_k, 18416);
    lightcurve_data_time(lc, EPOCH_NS + 1100000 * MS);
    drain(lc, &all);
    CHECK_INT(all.last_k, 18416);
    lightcurve_data_time(lc, INT64_MAX);
    drain(lc, &all);
    CHECK_INT(all.last_k, 18432);
    lightcurve_free(lc);
}

TEST(only_windows_after_the_restart_point_are_given_and_they_are_the_same)
{
    struct lightcurve_settings s = {.source = {REALM_LIVE, MISSION_GECAM_B, INSTRUMENT_GRD}};
    s.epoch_ns = EPOCH_NS;
    s.lateness_ns = LATENESS_NS;
    s.score_from_k = 17040;
    band_set_default(&s.bands);
    struct lightcurve *lc = NULL;
    struct taken all = {0};
    char text[65];
    CHECK_INT(lightcurve_new(&s, &lc, NULL), BURST_OK);
    for (int64_t t = 1000000; t < 1180000; t += 1000)
        (void)add(lc, packet_cut(&made, 0, t, t + 1000), &all);
    CHECK_INT(all.first_k, 17056);
    bytes_hex(all.chain[0], 32, text);
    CHECK_STR(text, "ac40cf816165123cd7f09757f069b7a6f544c8c6e054180314f4a1fb05a709d1");
    lightcurve_free(lc);
}

TEST(dead_time_comes_with_the_window)
{
    struct lightcurve *lc = rings();
    struct taken all = {0};
    for (int64_t t = 1000000; t < 1060000; t += 1000) {
        packet_cut(&made, 0, t, t + 1000);
        if (t == 1030000) made.packet.list[0].odd = CHUNK_STEPS_BACK; /* counted elsewhere, not carried */
        (void)add(lc, &made.packet, &all);
    }
    CHECK_INT(window->quality[0], 0);
    uint64_t events = 0, dead = 0;
    for (int t = 0; t < WINDOW_BINS; t++) {
        dead += window->dead[t];
        for (int a = 0; a < N_ATOM; a++)
            events += window->counts[a * WINDOW_BINS + t];
    }
    CHECK(events > 0 && dead == 40 * events);
    lightcurve_free(lc);
}

TEST(a_jump_far_ahead_closes_what_is_there_and_starts_anew)
{
    struct lightcurve *lc = rings();
    struct taken all = {0};
    for (int64_t t = 1000000; t < 1060000; t += 1000)
        (void)add(lc, packet_cut(&made, 0, t, t + 1000), &all);
    int n_before = all.n;
    packet_cut(&made, 0, 1060000, 1061000);
    const int64_t day = INT64_C(86400000) * MS;
    made.good[0].start_ns += day;
    made.good[0].stop_ns += day;
    made.packet.span = made.good[0];
    made.packet.list[0].n_tile = 0; /* a second of silence */
    CHECK_INT(put(lc, &made.packet, NULL), BURST_E_FULL);
    drain(lc, &all);
    /* Data end at bin 16562 (1060 s); the last window with 469 of its bins ends at or before 16562 - 469 + 1875. */
    CHECK_INT(all.last_k, 17968);
    CHECK(all.n > n_before);
    CHECK_INT(put(lc, &made.packet, NULL), BURST_OK);
    CHECK(lightcurve_counts(lc).skipped > 84000); /* a day of strides, jumped over */
    CHECK_INT(lightcurve_counts(lc).late, 0);
    lightcurve_free(lc);
}

TEST(windows_over_an_unrepaired_gap_are_incomplete)
{
    struct lightcurve *lc = rings();
    struct taken all = {0};
    for (int64_t t = 1000000; t < 1050000; t += 1000)
        (void)add(lc, packet_cut(&made, 0, t, t + 1000), &all);
    CHECK(!window->incomplete);
    lightcurve_gap(lc);
    for (int64_t t = 1053000; t < 1060000; t += 1000)
        (void)add(lc, packet_cut(&made, 0, t, t + 1000), &all);
    CHECK(window->incomplete);
    lightcurve_free(lc);
}

TEST(detectors_without_data_have_no_row_and_bgo_is_not_searched)
{
    static struct made two, three;
    struct lightcurve_settings s = {.source = {REALM_LIVE, MISSION_FERMI, INSTRUMENT_GBM}, .score_from_k = INT64_MIN};
    struct lightcurve *lc = NULL;
    struct taken all = {0};
    s.epoch_ns = EPOCH_NS;
    s.lateness_ns = 0;
    band_set_default(&s.bands);
    CHECK_INT(lightcurve_new(&s, &lc, NULL), BURST_OK);
    for (int64_t t = 1000000; t < 1060000; t += 10000) {
        packet_cut(&made, 11, t, t + 10000);
        packet_cut(&two, 2, t + 5000, t + 10000);
        packet_cut(&three, 12, t, t + 10000);
        made.packet.list[1] = two.packet.list[0];
        made.packet.list[2] = three.packet.list[0];
        made.packet.n_list = 3;
        CHECK_INT(add(lc, &made.packet, &all), BURST_OK);
    }
    CHECK_INT(window->n_detector, 2);
    CHECK_INT(window->detector[0], 2);
    CHECK_INT(window->detector[1], 11);
    CHECK(!window->scored[0] && window->scored[1]); /* 30 s, but with ten broken bins: 460 or fewer valid */
    lightcurve_free(lc);
}

TEST(bad_packets_are_refused_by_name_and_leave_nothing)
{
    struct lightcurve *lc = rings();
    struct burst_error e;
    packet_cut(&made, 0, 1000000, 1001000);
    made.packet.epoch_ns++;
    CHECK_REFUSED(put(lc, &made.packet, &e), BURST_E_TIME, e, "epoch");
    packet_cut(&made, 0, 1000000, 1001000);
    CHECK_REFUSED(lightcurve_add(lc, &made.packet, 15625, 15625 + LIGHTCURVE_STEP_BINS + 1, &e), BURST_E_LIMIT, e,
                  "251 bins");
    made.packet.bands.edge_kev[2]++;
    CHECK_REFUSED(put(lc, &made.packet, &e), BURST_E_SHAPE, e, "other energy bands");
    packet_cut(&made, 0, 1000000, 1001000);
    made.good[1] = made.good[0];
    made.packet.list[0].n_good = 2;
    CHECK_REFUSED(put(lc, &made.packet, &e), BURST_E_RANGE, e, "overlaps itself");
    CHECK_INT(lightcurve_counts(lc).events, 0);
    CHECK(lightcurve_latest_ns(lc) == INT64_MIN);
    packet_cut(&made, 0, 1000000, 1001000);
    CHECK_INT(put(lc, &made.packet, &e), BURST_OK);
    CHECK(lightcurve_latest_ns(lc) == EPOCH_NS + 1001000 * MS);
    lightcurve_free(lc);
}

TEST(a_restart_forgets_the_data_and_keeps_the_counters)
{
    struct lightcurve *lc = rings();
    struct taken all = {0}, again = {0};
    char text[65];
    for (int64_t t = 1000000; t < 1180000; t += 1000)
        (void)add(lc, packet_cut(&made, 0, t, t + 1000), &all);
    lightcurve_restart(lc);
    for (int64_t t = 1000000; t < 1180000; t += 1000)
        (void)add(lc, packet_cut(&made, 0, t, t + 1000), &again);
    CHECK_INT(lightcurve_counts(lc).windows, 290);
    chain_text(&again, text);
    CHECK_STR(text, CHAIN);
    lightcurve_free(lc);
}

TEST(a_restart_also_forgets_which_windows_were_judged)
{
    struct lightcurve *lc = rings_from(INT64_MAX);
    struct taken all = {0};
    for (int64_t t = 1000000; t < 1180000; t += 1000)
        (void)add(lc, packet_cut(&made, 0, t, t + 1000), &all);
    CHECK_INT(lightcurve_counts(lc).windows, 0);
    lightcurve_restart(lc);
    for (int64_t t = 1000000; t < 1180000; t += 1000)
        (void)add(lc, packet_cut(&made, 0, t, t + 1000), &all);
    CHECK_INT(lightcurve_counts(lc).windows, 145);
    lightcurve_free(lc);
}

TEST(narrow_storage_is_refused_and_loses_nothing)
{
    struct lightcurve *lc = rings();
    struct lightcurve_window none = {.room = 0};
    struct taken all = {0};
    struct burst_error e;
    bool ready = true;
    char text[65];
    for (int64_t t = 1000000; t < 1031000; t += 1000)
        (void)add(lc, packet_cut(&made, 0, t, t + 1000), &all);
    CHECK_INT(all.n, 0);
    CHECK_INT(put(lc, packet_cut(&made, 0, 1031000, 1033000), NULL), BURST_OK);
    CHECK_REFUSED(lightcurve_next(lc, &none, &ready, &e), BURST_E_SHAPE, e, "0 detectors");
    drain(lc, &all);
    CHECK_INT(all.first_k, 16096);
    bytes_hex(all.chain[0], 32, text);
    CHECK_STR(text, "ff18389ec6c79c2e5e5b46b861a1834d6aed587709b99f79355088bc2655b8a7");
    lightcurve_free(lc);
}

TEST(impossible_settings_are_refused)
{
    struct lightcurve_settings s = {.source = {REALM_LIVE, MISSION_GECAM_B, INSTRUMENT_GRD}};
    struct lightcurve *lc = NULL;
    struct burst_error e;
    CHECK_REFUSED(lightcurve_new(&s, &lc, &e), BURST_E_SHAPE, e, "bands");
    band_set_default(&s.bands);
    s.lateness_ns = -1;
    CHECK_REFUSED(lightcurve_new(&s, &lc, &e), BURST_E_RANGE, e, "lateness");
    s.lateness_ns = LIGHTCURVE_LATENESS_MOST_NS + 1;
    CHECK_REFUSED(lightcurve_new(&s, &lc, &e), BURST_E_RANGE, e, "lateness");
    s.lateness_ns = 0;
    s.backlog_bins = LIGHTCURVE_BACKLOG_MOST + 1;
    CHECK_REFUSED(lightcurve_new(&s, &lc, &e), BURST_E_RANGE, e, "backlog");
    s.backlog_bins = 0;
    s.source.instrument = INSTRUMENT_ECLAIRS;
    s.source.mission = MISSION_SVOM;
    CHECK_REFUSED(lightcurve_new(&s, &lc, &e), BURST_E_UNSUPPORTED, e, "svom.eclairs");
    CHECK(!lc);
    lightcurve_free(NULL);
}

int main(void)
{
    if (window_new(DETECTOR_MAX, &window, NULL)) return 1;
    RUN(every_closed_stride_gives_one_window_with_numpys_counts);
    RUN(the_windows_do_not_depend_on_how_the_stream_is_cut);
    RUN(packets_out_of_order_within_the_lateness_change_nothing);
    RUN(flush_closes_up_to_the_end_of_good_time);
    RUN(the_gateways_data_time_closes_bins_but_never_past_the_data);
    RUN(only_windows_after_the_restart_point_are_given_and_they_are_the_same);
    RUN(dead_time_comes_with_the_window);
    RUN(a_jump_far_ahead_closes_what_is_there_and_starts_anew);
    RUN(windows_over_an_unrepaired_gap_are_incomplete);
    RUN(detectors_without_data_have_no_row_and_bgo_is_not_searched);
    RUN(bad_packets_are_refused_by_name_and_leave_nothing);
    RUN(a_restart_forgets_the_data_and_keeps_the_counters);
    RUN(a_restart_also_forgets_which_windows_were_judged);
    RUN(narrow_storage_is_refused_and_loses_nothing);
    RUN(impossible_settings_are_refused);
    window_free(window);
    return check_report();
}
