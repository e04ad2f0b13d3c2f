/* The rings with data that come late, twice, in parts, or before the windows of others were taken. */
#include "check.h"
#include "unit/prepare/made_stream.h"

/* Detector 5 comes 30 s late: 999 events from 1147 s, 749 of them inside the atoms, all in closed bins of the ring. */
TEST(late_data_fill_closed_bins_and_windows_given_before_stay)
{
    struct lightcurve *lc = rings();
    struct taken all = {0};
    char text[65];
    for (int64_t t = 1000000; t < 1180000; t += 1000)
        (void)add(lc, packet_cut(&made, 0, t, t + 1000), &all);
    uint64_t before = lightcurve_counts(lc).events;
    CHECK_INT(window->n_detector, 1);
    CHECK_INT(add(lc, packet_cut(&made, 5, 1147000, 1150000), &all), BURST_OK);
    CHECK_INT(lightcurve_counts(lc).late, 749);
    CHECK_INT(lightcurve_counts(lc).events, before);
    CHECK_INT(all.n, 145);
    lightcurve_flush(lc);
    drain(lc, &all);
    CHECK_INT(window->n_detector, 2);
    CHECK_INT(window->detector[1], 5);
    CHECK_INT(window->n_valid[1], 46); /* 1147 s is 7/8 into bin 17921, 1150 s 3/4 into 17968 */
    chain_text(&all, text);
    CHECK_STR(text, CHAIN);
    lightcurve_free(lc);
}

/* A chunk of the stream's own detector comes 20 s late, into the hole it left. */
TEST(a_hole_that_is_filled_late_gives_the_windows_of_a_stream_without_one)
{
    struct lightcurve *lc = rings();
    struct taken all = {0};
    char text[65];
    for (int64_t t = 1000000; t < 1160000; t += 1000)
        if (t != 1060000) (void)add(lc, packet_cut(&made, 0, t, t + 1000), &all);
    CHECK_INT(add(lc, packet_cut(&made, 0, 1060000, 1061000), &all), BURST_OK);
    CHECK(lightcurve_counts(lc).late > 240);
    int n_before = all.n;
    for (int64_t t = 1160000; t < 1180000; t += 1000)
        (void)add(lc, packet_cut(&made, 0, t, t + 1000), &all);
    bytes_hex(all.chain[144], 32, text);
    CHECK(all.n == 145 && n_before < 145);
    CHECK_STR(text, LAST);
    lightcurve_free(lc);
}

TEST(data_older_than_the_rings_is_archival)
{
    struct lightcurve *lc = rings();
    struct taken all = {0};
    struct burst_error e;
    for (int64_t t = 1000000; t < 1180000; t += 1000)
        (void)add(lc, packet_cut(&made, 0, t, t + 1000), &all);
    packet_cut(&made, 3, 1000000, 1003000);
    CHECK_REFUSED(put(lc, &made.packet, &e), BURST_E_LATE, e, "older than the rings");
    CHECK_INT(lightcurve_counts(lc).archival, 749);
    lightcurve_free(lc);
}

TEST(good_time_counted_with_other_counts_is_refused_and_other_detectors_are_taken)
{
    static struct made two;
    struct lightcurve *lc = rings();
    struct taken all = {0};
    struct burst_error e;
    for (int64_t t = 1000000; t < 1050000; t += 1000)
        (void)add(lc, packet_cut(&made, 0, t, t + 1000), &all);
    packet_cut(&made, 0, 1049500, 1051000);
    event_put(&made, &made.packet.list[0], 16402, 1); /* 1049.728 s */
    packet_cut(&two, 7, 1049500, 1051000);
    made.packet.list[1] = two.packet.list[0];
    made.packet.n_list = 2;
    struct lightcurve_counts before = lightcurve_counts(lc);
    CHECK_REFUSED(put(lc, &made.packet, &e), BURST_E_CONFLICT, e, "g01 at 1049.728 s");
    CHECK_INT(lightcurve_counts(lc).conflicts, 1);
    CHECK_INT(lightcurve_counts(lc).events - before.events,
              376); /* 500 events of g08, 6 of 8 channels inside the atoms */
    CHECK_INT(lightcurve_counts(lc).repeated, 0);
    CHECK_INT(add(lc, packet_cut(&made, 0, 1050000, 1051000), &all), BURST_OK);
    lightcurve_free(lc);
}

/* Every second of data comes again, cut elsewhere and before or after the first copy; parts of bins at all the ends. */
TEST(the_same_good_time_again_is_not_counted_twice)
{
    for (int again_first = 0; again_first < 2; again_first++) {
        struct lightcurve *lc = rings();
        struct taken all = {0};
        char text[65];
        for (int64_t t = 1000000; t < 1180000; t += 1000) {
            for (int i = 0; i < 2; i++)
                CHECK_INT(
                    add(lc,
                        i == again_first ? packet_cut(&made, 0, t, t + 1000) : packet_cut(&made, 0, t + 370, t + 985),
                        &all),
                    BURST_OK);
            drain(lc, &all);
        }
        CHECK_INT(all.n, 145);
        chain_text(&all, text);
        CHECK_STR(text, CHAIN);
        CHECK_INT(lightcurve_counts(lc).conflicts, 0);
        CHECK(lightcurve_counts(lc).repeated > 20000);
        lightcurve_free(lc);
    }
}

/* [1010, 1010.030) and [1010.010, 1011) s meet inside bin 15781, which is [1009.984, 1010.048) s: 20 ms of it are in both, and how
 * many events of the second are is not known. */
TEST(parts_of_a_bin_that_cannot_be_told_apart_leave_it_missing)
{
    struct lightcurve *lc = rings();
    struct taken all = {0};
    (void)add(lc, packet_cut(&made, 0, 1000000, 1010030), &all);
    CHECK_INT(add(lc, packet_cut(&made, 0, 1010010, 1060000), &all), BURST_OK);
    CHECK_INT(lightcurve_counts(lc).conflicts, 0);
    lightcurve_flush(lc);
    drain(lc, &all);
    CHECK_INT(window->k_end, 16560);
    CHECK_INT(window->valid[1875 - (16560 - 15780)], 1);
    CHECK_INT(window->valid[1875 - (16560 - 15781)], 0);
    CHECK_INT(window->valid[1875 - (16560 - 15782)], 1);
    lightcurve_free(lc);
}

/* A backlog of 2,600 bins, 166 s: all of the stream's 180 s are added before a window is taken. */
TEST(with_a_backlog_windows_wait_in_the_rings)
{
    struct lightcurve_settings s = {.source = {REALM_LIVE, MISSION_GECAM_B, INSTRUMENT_GRD}, .score_from_k = INT64_MIN};
    struct lightcurve *lc = NULL;
    struct taken all = {0};
    char text[65];
    s.epoch_ns = EPOCH_NS;
    s.lateness_ns = LATENESS_NS;
    s.backlog_bins = 2600;
    band_set_default(&s.bands);
    CHECK_INT(lightcurve_new(&s, &lc, NULL), BURST_OK);
    CHECK(lightcurve_low_k(lc) == INT64_MIN);
    for (int64_t t = 1000000; t < 1180000; t += 1000)
        CHECK_INT(put(lc, packet_cut(&made, 0, t, t + 1000), NULL), BURST_OK);
    CHECK_INT(lightcurve_low_k(lc),
              15584 + 16 - 1875); /* closed up to 1000 s less the lateness, bin 15593, on a stride */
    drain(lc, &all);
    CHECK_INT(all.n, 145);
    chain_text(&all, text);
    CHECK_STR(text, CHAIN);
    lightcurve_free(lc);
}

TEST(before_any_data_the_oldest_bin_is_that_of_the_restart_point)
{
    struct lightcurve *lc = rings_from(17040);
    CHECK_INT(lightcurve_low_k(lc), 17040 + 16 - 1875);
    CHECK_INT(put(lc, packet_cut(&made, 0, 1100000, 1101000), NULL), BURST_OK);
    CHECK_INT(lightcurve_low_k(lc), 17152 + 16 - 1875); /* 1098 s is in bin 17156 */
    lightcurve_free(lc);
}

int main(void)
{
    if (window_new(DETECTOR_MAX, &window, NULL)) return 1;
    RUN(late_data_fill_closed_bins_and_windows_given_before_stay);
    RUN(a_hole_that_is_filled_late_gives_the_windows_of_a_stream_without_one);
    RUN(data_older_than_the_rings_is_archival);
    RUN(good_time_counted_with_other_counts_is_refused_and_other_detectors_are_taken);
    RUN(the_same_good_time_again_is_not_counted_twice);
    RUN(parts_of_a_bin_that_cannot_be_told_apart_leave_it_missing);
    RUN(with_a_backlog_windows_wait_in_the_rings);
    RUN(before_any_data_the_oldest_bin_is_that_of_the_restart_point);
    window_free(window);
    return check_report();
}
