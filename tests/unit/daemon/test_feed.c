/* How far an input has been read, with several gateways, duplicates and replays that go back. */
#include "check.h"
#include "daemon/feed.h"

static const uint8_t A[STREAM_UUID] = {1}, B[STREAM_UUID] = {2}, C[STREAM_UUID] = {3};
static const struct source GBM = {REALM_ARCHIVE, MISSION_FERMI, INSTRUMENT_GBM};
static struct feed feed;
static int64_t epoch_ns;

static void begin(struct source source, const struct restart_point *restart)
{
    struct burst_error e;
    memset(&feed, 0, sizeof feed);
    CHECK_INT(feed_open(&feed, source, TOPIC_EVENTS, NULL, 0, restart, &e), BURST_OK);
    epoch_ns = source_epoch_ns(source_fact(source.mission, source.instrument));
}

/* End of bin k, TT. */
static int64_t at(int64_t k)
{
    return epoch_ns + k * BIN_NS;
}

static uint64_t place(const struct restart_point *p, const uint8_t stream[STREAM_UUID])
{
    for (int i = 0; i < p->n_from; i++)
        if (memcmp(p->from[i].stream, stream, STREAM_UUID) == 0) return p->from[i].seq;
    return 999;
}

TEST(every_gateway_has_its_own_place)
{
    struct restart_point p;
    begin(GBM, NULL);
    /* The window after the one ending at bin 2000 begins at bin 141. */
    feed_read(&feed, 0, A, 1, at(100));
    feed_read(&feed, 1, B, 51, at(141));
    feed_read(&feed, 0, A, 2, at(150));
    feed_read(&feed, 1, B, 52, at(160));
    feed_read(&feed, 0, A, 3, at(2000));
    feed_window_point(&feed, 2000, &p);
    CHECK_STR(p.topic, "burst-archive.v1.fermi.gbm.events");
    CHECK_INT(p.score_from_k, 2000);
    CHECK_INT(p.n_from, 2);
    CHECK_INT(place(&p, A), 1);
    CHECK_INT(place(&p, B), 51);
}

TEST(a_gateway_that_is_silent_since_the_start_keeps_its_place)
{
    struct restart_point p, first = {.n_from = 2, .score_from_k = 1000};
    memcpy(first.from[0].stream, A, STREAM_UUID);
    first.from[0].seq = 10;
    memcpy(first.from[1].stream, C, STREAM_UUID);
    first.from[1].seq = 30;
    begin(GBM, &first);
    CHECK_INT(feed.judged_k, 1000);
    feed_read(&feed, 1, A, 11, at(2000));
    feed_window_point(&feed, 2000, &p);
    CHECK_INT(p.n_from, 2);
    CHECK_INT(place(&p, A), 10);
    CHECK_INT(place(&p, C), 30);
}

TEST(sub_images_are_done_with_once_read)
{
    struct restart_point p;
    begin((struct source){REALM_LIVE, MISSION_SVOM, INSTRUMENT_ECLAIRS}, NULL);
    feed_read(&feed, 0, A, 7, INT64_MIN);
    feed_read_again(&feed, 2, B, 9);
    feed_image_point(&feed, &p);
    CHECK_STR(p.topic, "burst.v1.svom.eclairs.subimage");
    CHECK(p.score_from_k == INT64_MIN && p.tracker.k_end == INT64_MIN);
    CHECK_INT(place(&p, A), 7);
    CHECK_INT(place(&p, B), 9);
}

TEST(a_duplicate_holds_its_place_while_its_data_may_be_needed)
{
    struct restart_point p;
    struct burst_error e;
    struct band_set bands = {.n_atom = 1, .n_band = 1, .edge_kev = {10, 1000}, .last = {1}};
    begin(GBM, NULL);
    feed_close(&feed);
    memset(&feed, 0, sizeof feed);
    CHECK_INT(feed_open(&feed, GBM, TOPIC_EVENTS, &bands, 0, NULL, &e), BURST_OK);
    struct time_span good = {at(0), at(160)};
    struct event_packet packet = {.source = GBM, .epoch_ns = epoch_ns, .bands = bands, .n_list = 1, .span = good};
    packet.list[0] = (struct event_list){.n_good = 1, .good = &good};
    CHECK_INT(lightcurve_add(feed.lc, &packet, 0, 160, &e), BURST_OK);
    feed_read(&feed, 0, A, 1, at(160));
    feed_read_again(&feed, 1, B, 1); /* its data end at bin 160 at the latest */
    feed_window_point(&feed, 2000, &p);
    CHECK_INT(place(&p, B), 0);
    feed_window_point(&feed, 2032, &p); /* the next looks back to bin 173 */
    CHECK_INT(place(&p, B), 1);
    feed_close(&feed);
}

TEST(points_stay_before_what_waits_in_the_archive)
{
    struct restart_point p;
    begin(GBM, NULL);
    for (uint64_t seq = 1; seq <= 20; seq++)
        feed_read(&feed, 0, A, seq, at((int64_t)seq * 100));
    feed_window_point(&feed, 3500, &p); /* all up to bin 1641 are done with */
    CHECK_INT(place(&p, A), 16);
    feed_hold(&feed, 0, A, 7);
    feed_hold(&feed, 0, A, 9); /* the first one counts */
    feed_window_point(&feed, 3500, &p);
    CHECK_INT(place(&p, A), 6);
    feed_hold(&feed, 0, C, 3); /* the gateway's log is another one now */
    feed_window_point(&feed, 3500, &p);
    CHECK_INT(place(&p, A), 16);
    feed_hold(&feed, 0, A, 7);
    feed_archive_done(&feed);
    feed_window_point(&feed, 3500, &p);
    CHECK_INT(place(&p, A), 16);
}

/* Bins [from_k, to_k) of detector 1, empty. */
static void add_good(const struct band_set *bands, int64_t from_k, int64_t to_k)
{
    struct burst_error e;
    struct time_span good = {at(from_k), at(to_k)};
    struct event_packet packet = {.source = GBM, .epoch_ns = epoch_ns, .bands = *bands, .n_list = 1, .span = good};
    packet.list[0] = (struct event_list){.n_good = 1, .good = &good};
    CHECK_INT(lightcurve_add(feed.lc, &packet, from_k, to_k, &e), BURST_OK);
}

/* A restart that reads nothing of a gap knows nothing of it: its windows would not say "incomplete", as those before it did. */
TEST(points_stay_before_a_gap_as_long_as_windows_reach_into_it)
{
    struct restart_point p;
    struct burst_error e;
    struct band_set bands = {.n_atom = 1, .n_band = 1, .edge_kev = {10, 1000}, .last = {1}};
    memset(&feed, 0, sizeof feed);
    CHECK_INT(feed_open(&feed, GBM, TOPIC_EVENTS, &bands, 64000000, NULL, &e), BURST_OK);
    epoch_ns = source_epoch_ns(source_fact(GBM.mission, GBM.instrument));
    feed_read(&feed, 0, A, 1, at(100));
    add_good(&bands, 0, 100);
    feed_gap_end(&feed); /* there is none */
    feed_gap(&feed, 0, A, 5);
    feed_gap_end(&feed); /* nothing has come after it */
    feed_order(&feed, 0, true, 1);
    CHECK_INT(feed.order.place[0].latest_ns, INT64_MIN);
    feed_window_point(&feed, 4000, &p);
    CHECK_INT(place(&p, A), 4);
    feed_read(&feed, 0, A, 6, at(210));
    add_good(&bands, 200, 210); /* the gap ends with bin 200 + 1 of lateness */
    feed_gap_end(&feed);
    feed_window_point(&feed, 2048, &p); /* the next window begins at bin 189 */
    CHECK_INT(place(&p, A), 4);
    feed_window_point(&feed, 2064, &p); /* and this one at bin 205: message 6 alone is needed */
    CHECK_INT(place(&p, A), 5);
    feed_close(&feed);
    memset(&feed, 0, sizeof feed);
}

/* A particle monitor of GECAM-C: its ratio is known to windows of the next 30 s. */
TEST(a_particle_monitor_keeps_its_ratios_for_half_a_minute)
{
    struct burst_error e;
    struct band_set bands = {.n_atom = 1, .n_band = 1, .edge_kev = {10, 1000}, .last = {1}};
    begin(GBM, NULL);
    feed_close(&feed);
    memset(&feed, 0, sizeof feed);
    struct source cpd = {REALM_LIVE, MISSION_GECAM_C, INSTRUMENT_CPD};
    CHECK_INT(feed_open(&feed, cpd, TOPIC_EVENTS, &bands, 0, NULL, &e), BURST_OK);
    CHECK(feed.monitor && feed.lc);
    CHECK_INT(feed.bands.n_atom, 1);
    CHECK_NEAR(feed.bands.edge_kev[0], 0, 0);
    feed.monitor->bands = feed.bands;
    feed.monitor->n_detector = 1;
    feed.monitor->k_end = 3200;
    for (int t = 0; t < WINDOW_BINS; t++) {
        feed.monitor->valid[t] = 1;
        feed.monitor->counts[t] = t < WINDOW_BINS - STRIDE_BINS ? 10 : 70;
    }
    CHECK_NEAR(feed_particles_add(&feed), 7, 1e-12);
    CHECK_NEAR(feed_particles(&feed, 3184), 0, 0); /* not yet */
    CHECK_NEAR(feed_particles(&feed, 3200), 7, 1e-12);
    CHECK_NEAR(feed_particles(&feed, 3200 + 464), 7, 1e-12);
    CHECK_NEAR(feed_particles(&feed, 3200 + 480), 0, 0);
    feed_begin_anew(&feed);
    CHECK_NEAR(feed_particles(&feed, 3200), 0, 0);
    feed_close(&feed);
    CHECK(!feed.monitor);
}

TEST(only_a_new_stream_of_an_unreal_realm_goes_back)
{
    begin(GBM, NULL);
    struct time_span old = {at(0), at(1000)}, later = {at(900), at(1001)};
    CHECK(!feed_goes_back(&feed, 0, A, old)); /* nothing has been judged */
    feed_read(&feed, 0, A, 1, at(1002));
    feed_order(&feed, 0, false, 1);
    feed.judged_k = 1000;
    CHECK(!feed_goes_back(&feed, 0, A, old)); /* the same stream: late data */
    CHECK(!feed_goes_back(&feed, 0, B, later));
    CHECK(!feed_goes_back(&feed, 0, B, old)); /* only its first packet is asked */
    CHECK(feed_goes_back(&feed, 0, C, old));
    begin((struct source){REALM_LIVE, MISSION_FERMI, INSTRUMENT_GBM}, NULL);
    feed.judged_k = 1000;
    CHECK(!feed_goes_back(&feed, 0, A, old));
}

/* Two gateways bring parts of one instrument's data, and one of them begins later, or behind: its data are late, and what the
 * other one brought stands. */
TEST(a_gateway_beside_another_does_not_go_back)
{
    struct time_span old = {at(0), at(900)}, on = {at(940), at(950)};
    begin(GBM, NULL);
    feed_read(&feed, 0, A, 1, at(1002));
    feed_order(&feed, 0, false, 1);
    feed_read(&feed, 1, B, 1, at(940));
    feed_order(&feed, 1, false, 1);
    feed.judged_k = 1000;
    CHECK(!feed_goes_back(&feed, 2, C, old)); /* its first data */
    CHECK(!feed_goes_back(&feed, 1, C, on));  /* a new log that goes on where the old one was */
    begin(GBM, NULL);
    feed_read(&feed, 1, B, 1, at(940));
    feed_order(&feed, 1, false, 1);
    feed.judged_k = 1000;
    CHECK(feed_goes_back(&feed, 1, C, old));
}

TEST(after_a_restart_the_stream_of_the_point_goes_on)
{
    struct restart_point first = {.n_from = 1, .score_from_k = 1000};
    struct time_span old = {at(0), at(1000)};
    memcpy(first.from[0].stream, A, STREAM_UUID);
    begin(GBM, &first);
    CHECK(!feed_goes_back(&feed, 0, A, old));
    begin(GBM, &first);
    CHECK(feed_goes_back(&feed, 0, B, old));
}

int main(void)
{
    RUN(every_gateway_has_its_own_place);
    RUN(a_gateway_that_is_silent_since_the_start_keeps_its_place);
    RUN(sub_images_are_done_with_once_read);
    RUN(a_duplicate_holds_its_place_while_its_data_may_be_needed);
    RUN(points_stay_before_what_waits_in_the_archive);
    RUN(points_stay_before_a_gap_as_long_as_windows_reach_into_it);
    RUN(a_particle_monitor_keeps_its_ratios_for_half_a_minute);
    RUN(only_a_new_stream_of_an_unreal_realm_goes_back);
    RUN(a_gateway_beside_another_does_not_go_back);
    RUN(after_a_restart_the_stream_of_the_point_goes_on);
    return check_report();
}
