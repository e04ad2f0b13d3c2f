/* The rings. Expected digests are numpy's on the same events: event i at 1000 s + 3 i + (i^2 mod 7) ms of mission time in
 * channel 5 i mod 8, good time [1000, 1090.01) and [1095, 1180) s, counts by np.add.at, missing bins zero. */
#include "base/bytes.h"
#include "base/hash.h"
#include "check.h"
#include "prepare/lightcurve.h"
#include "records/bands.h"
#include <stdlib.h>

enum { N_EVENT = 60000, N_CHANNEL = 8 };
#define MS          INT64_C(1000000)
#define EPOCH_NS    (INT64_C(1546300800) * 1000 * MS)
#define LATENESS_NS (2000 * MS)

/* Channels of 10-20 25-40 40-60 60-110 110-300 300-500 500-900 900-2000 keV in the default atoms, by their mean energy. */
static const int ATOM[N_CHANNEL] = {-1, 0, 0, 1, 2, 3, 4, -1};
enum { N_TILE = 5, N_ATOM = 5, TILE_COUNTS = (N_ATOM + 1) * EVENT_TILE_BINS };

struct made {
    struct event_packet packet;
    struct time_span good[2];
    struct event_tile tile[N_TILE];
    uint32_t counts[N_TILE][TILE_COUNTS];
};
static struct made made;
static struct lightcurve_window *window;

static void good_cut(struct made *m, struct event_list *list, int64_t lo, int64_t hi, int64_t from, int64_t to)
{
    if (lo < from) lo = from;
    if (hi > to) hi = to;
    if (lo < hi) m->good[list->n_good++] = (struct time_span){EPOCH_NS + lo * MS, EPOCH_NS + hi * MS};
}

/* One event, and 4 us of dead time with it. */
static void event_put(struct made *m, struct event_list *list, int64_t k, int atom)
{
    int64_t k0 = k / EVENT_TILE_BINS * EVENT_TILE_BINS;
    if (!list->n_tile || m->tile[list->n_tile - 1].k0 < k0) {
        memset(m->counts[list->n_tile], 0, sizeof m->counts[0]);
        m->tile[list->n_tile] = (struct event_tile){k0, m->counts[list->n_tile]};
        list->n_tile++;
    }
    uint32_t *bin = m->counts[list->n_tile - 1] + (k - k0);
    bin[atom * EVENT_TILE_BINS]++;
    bin[N_ATOM * EVENT_TILE_BINS] += 40;
    list->n_event++;
}

/* The part of the test's events inside [from, to) ms of mission time, as one packet of one detector. */
static const struct event_packet *packet_cut(struct made *m, int detector, int64_t from, int64_t to)
{
    struct event_list *list = &m->packet.list[0];
    *list = (struct event_list){.detector = detector, .good = m->good, .tile = m->tile};
    for (int64_t i = 0; i < N_EVENT; i++) {
        int64_t t = 1000000 + 3 * i + i * i % 7;
        if (t < from || t >= to) continue;
        if (ATOM[5 * i % 8] < 0)
            list->n_outside++;
        else
            event_put(m, list, t * MS / BIN_NS, ATOM[5 * i % 8]);
    }
    good_cut(m, list, 1000000, 1090010, from, to);
    good_cut(m, list, 1095000, 1180000, from, to);
    m->packet.epoch_ns = EPOCH_NS;
    band_set_default(&m->packet.bands);
    m->packet.n_list = 1;
    m->packet.span = (struct time_span){0, 0};
    if (list->n_good > 0) m->packet.span = (struct time_span){m->good[0].start_ns, m->good[list->n_good - 1].stop_ns};
    return &m->packet;
}

static struct lightcurve *rings_from(int64_t score_from_k)
{
    struct lightcurve_settings s = {.source = {REALM_LIVE, MISSION_GECAM_B, INSTRUMENT_GRD}};
    struct lightcurve *lc = NULL;
    s.epoch_ns = EPOCH_NS;
    s.lateness_ns = LATENESS_NS;
    s.score_from_k = score_from_k;
    band_set_default(&s.bands);
    CHECK_INT(lightcurve_new(&s, &lc, NULL), BURST_OK);
    return lc;
}

static struct lightcurve *rings(void)
{
    return rings_from(INT64_MIN);
}

struct taken {
    int n;
    int64_t first_k, last_k;
    uint8_t chain[145][32]; /* digest of row 0 of each window */
};

static void drain(struct lightcurve *lc, struct taken *all)
{
    bool ready = true;
    while (lightcurve_next(lc, window, &ready, NULL) == BURST_OK && ready) {
        if (all->n == 0)
            all->first_k = window->k_end;
        else
            CHECK_INT(window->k_end, all->last_k + STRIDE_BINS);
        all->last_k = window->k_end;
        if (all->n < 145) window_row_sha256(window, 0, all->chain[all->n]);
        all->n++;
    }
}

static enum burst_err put(struct lightcurve *lc, const struct event_packet *p, struct burst_error *reterr)
{
    int64_t k = event_packet_next(p, 0);
    return k == INT64_MAX ? BURST_OK : lightcurve_add(lc, p, k, k + LIGHTCURVE_STEP_BINS, reterr);
}

static enum burst_err add(struct lightcurve *lc, const struct event_packet *p, struct taken *all)
{
    enum burst_err err = BURST_OK, one;
    for (int64_t k = event_packet_next(p, 0); k != INT64_MAX; k = event_packet_next(p, k + 100)) {
        one = lightcurve_add(lc, p, k, k + 100, NULL);
        if (one == BURST_E_FULL) {
            drain(lc, all);
            one = lightcurve_add(lc, p, k, k + 100, NULL);
        }
        if (one) err = one;
        drain(lc, all);
    }
    return err;
}

static void chain_text(const struct taken *all, char ret_text[65])
{
    struct hash_piece piece = {all->chain, sizeof all->chain};
    uint8_t sha[32];
    hash_sha256(&piece, 1, sha);
    bytes_hex(sha, 32, ret_text);
}

/* CHAIN: of all 145 windows; LAST: of the last alone. */
static const char *const LAST = "218906cf87282644384551efb2da7fd0714ec6ee226c0123c721b91f0fa78825";
static const char *const CHAIN = "6348c80d6b109634829f1cc33ccf6cf9ce6de81d7598f001b9c1f9ea125cf9cc";

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

TEST(dead_time_and_what_is_odd_come_with_the_window)
{
    struct lightcurve *lc = rings();
    struct taken all = {0};
    for (int64_t t = 1000000; t < 1060000; t += 1000) {
        packet_cut(&made, 0, t, t + 1000);
        if (t == 1030000) made.packet.list[0].quality = EVENT_STEPS_BACK;
        (void)add(lc, &made.packet, &all);
    }
    CHECK_INT(window->quality[0], EVENT_STEPS_BACK);
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
    RUN(late_data_fill_closed_bins_and_windows_given_before_stay);
    RUN(a_hole_that_is_filled_late_gives_the_windows_of_a_stream_without_one);
    RUN(data_older_than_the_rings_is_archival);
    RUN(good_time_counted_with_other_counts_is_refused_and_other_detectors_are_taken);
    RUN(the_same_good_time_again_is_not_counted_twice);
    RUN(parts_of_a_bin_that_cannot_be_told_apart_leave_it_missing);
    RUN(dead_time_and_what_is_odd_come_with_the_window);
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
