#include "base/bytes.h"
#include "base/clock.h"
#include "check.h"
#include "fits/write.h"
#include "ingest/ingest.h"
#include "unit/ingest/changed.h"
#include <math.h>

static const struct source GBM = {REALM_ARCHIVE, MISSION_FERMI, INSTRUMENT_GBM};
static const struct source GECAM = {REALM_LIVE, MISSION_GECAM_B, INSTRUMENT_GRD};
static const struct source SVOM_GRM = {REALM_LIVE, MISSION_SVOM, INSTRUMENT_GRM};

/* MJD 51910 is 11,323 days after 1970-01-01; TT - UTC was 64.184 s on 2001-01-01 and 69.184 s from 2017 on. */
static const int64_t FERMI_EPOCH_NS = INT64_C(11323) * 86400 * 1000000000 + INT64_C(64184000000);
static const int64_t GECAM_EPOCH_NS = INT64_C(17897) * 86400 * 1000000000 + INT64_C(69184000000);

static struct burst_error why;
static struct arena arena;
static struct event_packet packet;
static struct changed file;

/* The second is the last nanosecond of bin 5201819777, the third the first of the next: 5201819778 x 64 ms. */
static const int64_t MET[5] = {332916465760476000, 332916465791999999, 332916465792000000, 332916467999999999,
                               332916470000000000};
static const uint16_t CHANNEL[5] = {0, 2, 1, 2, 0};
static const struct fits_good GOOD[2] = {{332916465760476000, 332916466500000000},
                                         {332916467000000000, 332916470500000000}};

/* Atoms 10-20, 20-40, 40-80 keV: the GBM channels below; 80-20000 keV: most of GECAM's ladder. */
static const struct band_set BANDS = {
    .n_atom = 4, .n_band = 1, .edge_kev = {10, 20, 40, 80, 20000}, .first = {0}, .last = {4}};

static enum burst_err read(struct source source)
{
    arena_fini(&arena);
    if (arena_init(&arena, ingest_arena_need(file.n), &why)) return BURST_E_NOMEM;
    return ingest_events(source, file.bytes, file.n, &BANDS, &arena, &packet, &why);
}

/* What a list holds of an atom (4: dead time) in the bin of mission time met_ns. */
static unsigned counted(const struct event_list *l, int64_t met_ns, int atom)
{
    int64_t k = met_ns / EVENT_BIN_NS;
    for (size_t i = 0; i < l->n_tile; i++)
        if (l->tile[i].k0 <= k && k < l->tile[i].k0 + EVENT_TILE_BINS)
            return l->tile[i].counts[atom * EVENT_TILE_BINS + (int)(k - l->tile[i].k0)];
    return 0;
}

static unsigned long long counted_in_all(const struct event_list *l, int atom)
{
    unsigned long long n = 0;
    for (size_t i = 0; i < l->n_tile; i++)
        for (int t = 0; t < EVENT_TILE_BINS; t++)
            n += l->tile[i].counts[atom * EVENT_TILE_BINS + t];
    return n;
}

static void make(const struct fits_event_chunk *chunk)
{
    changed_drop(&file);
    CHECK_INT(fits_write_events(chunk, &file.bytes, &file.n, &why), BURST_OK);
}

static void make_gbm(int detector, int64_t zero_ns)
{
    static const float low[3] = {10, 20, 40}, high[3] = {20, 40, 80};
    const struct fits_detector_events list = {.detector = detector, .n_event = 5, .met_ns = MET, .channel = CHANNEL};
    const struct fits_event_chunk chunk = {FITS_GBM_TTE, "GLAST", "GBM", 51910, 64.184 / 86400, zero_ns, 3, low,
                                           high,         2,       GOOD,  1,     &list};
    make(&chunk);
}

/* GECAM's ladder: 448 contiguous channels from 2.00 to 10053.5 keV, here in equal steps, then two overflow rows. */
enum { LADDER = 448, BOUNDS = 450 };
static float ladder_low[BOUNDS], ladder_high[BOUNDS];

static void make_ladder(void)
{
    for (int i = 0; i <= LADDER; i++) {
        float edge = i == LADDER ? 10053.5F : 2.0F + (float)i * 22.0F;
        if (i < LADDER) ladder_low[i] = edge;
        if (i) ladder_high[i - 1] = edge;
    }
    for (int i = LADDER; i < BOUNDS; i++) {
        ladder_low[i] = 8000.0F;
        ladder_high[i] = 0.0F; /* as GECAM-A and the generator before 2022 write it */
    }
}

static void make_gecam(const struct fits_detector_events *lists, int n_list)
{
    make_ladder();
    const struct fits_event_chunk chunk = {FITS_GECAM_EVT, "GECAM-B",   "GRD", 58484, 69.184 / 86400, 0,    BOUNDS,
                                           ladder_low,     ladder_high, 2,     GOOD,  n_list,         lists};
    make(&chunk);
}

TEST(a_gbm_event_is_in_the_bin_of_its_nanosecond)
{
    make_gbm(6, 332916465760476000);
    CHECK_INT(read(GBM), BURST_OK);
    CHECK_INT(packet.n_list, 1);
    const struct event_list *l = &packet.list[0];
    CHECK_INT(l->detector, 6);
    CHECK_INT(l->n_event, 5);
    CHECK_INT(l->n_dropped, 0);
    CHECK_INT(counted(l, MET[0], 0), 1);
    CHECK_INT(counted(l, MET[1], 2), 1);
    CHECK_INT(counted(l, MET[2], 1), 1);
    CHECK_INT(counted(l, MET[2], 2), 0);
    CHECK_INT(counted(l, MET[3], 2), 1);
    CHECK_INT(counted(l, MET[4], 0), 1);
    /* Dead time: 2.6 us each, 10.4 us in the last channel, in units of 100 ns. */
    CHECK_INT(counted(l, MET[1], 4), 26 + 104);
    CHECK_INT(counted(l, MET[2], 4), 26);
    CHECK_INT(counted_in_all(l, 4), 3 * 26 + 2 * 104);
    CHECK_INT(l->n_good, 2);
    CHECK_INT(l->odd, 0);
    CHECK(l->good[1].start_ns == FERMI_EPOCH_NS + GOOD[1].start_ns &&
          l->good[1].stop_ns == FERMI_EPOCH_NS + GOOD[1].stop_ns);
    CHECK(packet.span.start_ns == FERMI_EPOCH_NS + GOOD[0].start_ns &&
          packet.span.stop_ns == FERMI_EPOCH_NS + GOOD[1].stop_ns);
    CHECK(packet.epoch_ns == FERMI_EPOCH_NS);
    CHECK(packet.source.realm == REALM_ARCHIVE);
    CHECK(band_set_equal(&packet.bands, &BANDS));
}

TEST(the_bgo_detectors_follow_the_nai)
{
    make_gbm(13, 0);
    CHECK_INT(read(GBM), BURST_OK);
    CHECK_INT(packet.list[0].detector, 13);
}

/* 332916466.2 s as a double is ...199999988 ns. Row by row: normal, overflow type, flag 1, flag 2, flag 11, overflow
 * channel, then types 2 and 3 inside the ladder; both gains count. */
TEST(only_recommended_gecam_events_are_kept)
{
    static const int64_t met[8] = {332916466000000000, 332916466100000000, 332916466200000000, 332916466300000000,
                                   332916466400000000, 332916466500000000, 332916466600000000, 332916466700000000};
    static const uint16_t channel[8] = {0, 449, 447, 100, 100, 448, 100, 100};
    static const uint8_t gain[8] = {0, 0, 1, 1, 0, 0, 0, 1}, type[8] = {1, 2, 1, 1, 1, 1, 2, 3},
                         flag[8] = {0, 0, 1, 2, 11, 0, 0, 0};
    const struct fits_detector_events lists[2] = {{2, 8, met, channel, gain, type, flag},
                                                  {24, 0, met, channel, NULL, NULL, NULL}};
    make_gecam(lists, 2);
    CHECK_INT(read(GECAM), BURST_OK);
    CHECK_INT(packet.n_list, 2);
    const struct event_list *l = &packet.list[0];
    CHECK_INT(l->detector, 2);
    CHECK_INT(l->n_event, 1);   /* channel 447, 9836-10053.5 keV */
    CHECK_INT(l->n_outside, 1); /* channel 0, 2-24 keV: mean 6.9 keV */
    CHECK_INT(l->n_dropped, 6);
    CHECK_INT(l->n_merged, 0);
    CHECK_INT(counted(l, 332916466199999988, 3), 1);
    CHECK_INT(packet.list[1].detector, 24);
    CHECK_INT(packet.list[1].n_event, 0);
    CHECK(packet.list[1].good == l->good && l->n_good == 2);
}

/* 131903046.72 s as a double is 131903046.719999998807..., 1.2 ns before bin 2060985105 begins; the next double, 14.9 ns on, is in
 * it. Nearest nanoseconds: ...719999999 and ...720000014. */
TEST(a_gecam_time_is_the_stored_double_to_the_nearest_nanosecond)
{
    static const int64_t met = 332916466000000000;
    static const uint16_t channel = 5;
    const struct fits_detector_events list = {0, 1, &met, &channel, NULL, NULL, NULL};
    make_gecam(&list, 1);
    changed_unsum(&file);
    changed_f64(changed_data(&file, "EVENTS01"), 131903046.72);
    changed_f64(changed_data(&file, "GTI"), 131903046.0);
    changed_f64(changed_data(&file, "GTI") + 8, 131903047.0);
    changed_card(&file, NULL, "TSTART  =", "TSTART  =         131903046.0");
    CHECK_INT(read(GECAM), BURST_OK);
    CHECK_INT(counted(&packet.list[0], INT64_C(2060985104) * EVENT_BIN_NS, 3), 1);
    changed_f64(changed_data(&file, "EVENTS01"), nextafter(131903046.72, 2e8));
    CHECK_INT(read(GECAM), BURST_OK);
    CHECK_INT(counted(&packet.list[0], INT64_C(2060985105) * EVENT_BIN_NS, 3), 1);
    CHECK(packet.epoch_ns == GECAM_EPOCH_NS);
}

TEST(a_grm_file_keeps_its_ladder_of_any_energies)
{
    static const float low[4] = {15, 50, 300, 5000}, high[4] = {50, 300, 5000, 0};
    const struct fits_detector_events list = {2, 5, MET, CHANNEL, NULL, NULL, NULL};
    const struct fits_event_chunk chunk = {FITS_GECAM_EVT, "SVOM", "GRM", 57754, 69.184 / 86400, 0, 4, low,
                                           high,           2,      GOOD,  1,     &list};
    make(&chunk);
    CHECK_INT(read(SVOM_GRM), BURST_OK);
    CHECK_INT(packet.n_list, 1);
    CHECK_INT(packet.list[0].detector, 2);
    CHECK_INT(packet.list[0].n_event, 5); /* channels 0, 1, 2: 27, 122, 1225 keV */
    CHECK_INT(counted(&packet.list[0], MET[0], 1), 1);
}

TEST(an_epoch_printed_short_is_the_missions_all_the_same)
{
    make_gbm(0, 0);
    changed_unsum(&file);
    changed_card(&file, NULL, "MJDREFF =", "MJDREFF = 7.4287037E-4");
    CHECK_INT(read(GBM), BURST_OK);
    CHECK(packet.epoch_ns == FERMI_EPOCH_NS);
    changed_card(&file, NULL, "MJDREFI =", "MJDREF  = 51910.00074287037");
    changed_card(&file, NULL, "MJDREFF =", "COMMENT");
    CHECK_INT(read(GBM), BURST_OK);
    changed_card(&file, NULL, "MJDREF  =", "MJDREF  = 51911.00074287037");
    CHECK_REFUSED(read(GBM), BURST_E_TIME, why, "PRIMARY: the epoch MJD 51911");
    changed_card(&file, NULL, "MJDREF  =", "COMMENT");
    CHECK_INT(read(GBM), BURST_OK);
}

TEST(events_between_good_times_stay_and_one_second_of_slack_is_given)
{
    make_gbm(0, 0);
    changed_unsum(&file);
    changed_f64(changed_data(&file, "EVENTS"), 332916464.760477); /* 0.999999 s before TSTART */
    CHECK_INT(read(GBM), BURST_OK);
    CHECK_INT(packet.list[0].n_event, 5);
    changed_f64(changed_data(&file, "EVENTS"), 332916464.760475);
    CHECK_REFUSED(read(GBM), BURST_E_TIME, why, "EVENTS: row 1: TIME is 0 + 332916464.76");
}

TEST(empty_good_times_are_left_out)
{
    make_gbm(0, 0);
    changed_unsum(&file);
    changed_f64(changed_data(&file, "GTI") + 8, 332916465.760476); /* the first now ends where it begins */
    CHECK_INT(read(GBM), BURST_OK);
    CHECK_INT(packet.list[0].n_good, 1);
    CHECK(packet.span.start_ns == FERMI_EPOCH_NS + GOOD[1].start_ns);
}

TEST(a_null_channel_is_dropped_and_not_refused)
{
    make_gbm(0, 0);
    changed_unsum(&file);
    changed_card(&file, "EVENTS", "TIMEUNIT=", "TNULL2  =                   -1");
    memcpy(changed_data(&file, "EVENTS") + 8, "\xff\xff", 2);
    CHECK_INT(read(GBM), BURST_OK);
    CHECK_INT(packet.list[0].n_event, 4);
    CHECK_INT(packet.list[0].n_dropped, 1);
    changed_card(&file, "EVENTS", "TNULL2  =", "TNULL2  =                   -2");
    CHECK_REFUSED(read(GBM), BURST_E_RANGE, why, "EVENTS: row 1: PHA is -1, 0 to 2 expected");
}

/* One of each code; tests/bad/ holds the catalogue. The packet must be what it was. */
TEST(refusals_leave_the_packet_alone)
{
    static const struct {
        const char *hdu, *begin, *with, *part;
        enum burst_err code;
    } cases[] = {{NULL, "TELESCOP=", "TELESCOP= 'SWIFT   '", "'GLAST' expected", BURST_E_FORMAT},
                 {NULL, "DETNAM  =", "COMMENT", "no DETNAM", BURST_E_MISSING},
                 {NULL, "DETNAM  =", "DETNAM  = 'NAI_12  '", "NAI_12", BURST_E_UNSUPPORTED},
                 {NULL, "TIMESYS =", "TIMESYS = 'UTC     '", "TT expected", BURST_E_TIME},
                 {"EBOUNDS", "TTYPE2  =", "TTYPE2  = 'LOW     '", "no column E_MIN", BURST_E_MISSING},
                 {"EVENTS", "TFORM1  =", "TFORM1  = '1K      '", "column TIME is 1K, 1D expected", BURST_E_FORMAT},
                 {"EVENTS", "NAXIS2  =", "NAXIS2  =                50000", "declares 500000 bytes", BURST_E_TRUNCATED},
                 {"EVENTS", "DETNAM  =", "DETNAM  = 'NAI_05  '", "'NAI_00' expected", BURST_E_FORMAT},
                 {"GTI", "TTYPE2  =", "TTYPE2  = 'END     '", "no column STOP", BURST_E_MISSING}};
    struct event_packet before;
    make_gbm(0, 0);
    CHECK_INT(read(GBM), BURST_OK);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        make_gbm(0, 0);
        changed_unsum(&file);
        changed_card(&file, cases[i].hdu, cases[i].begin, cases[i].with);
        before = packet;
        CHECK_REFUSED(read(GBM), cases[i].code, why, cases[i].part);
        CHECK(!memcmp(&before, &packet, sizeof packet));
    }
}

TEST(a_source_without_events_is_refused)
{
    make_gbm(0, 0);
    CHECK_REFUSED(read((struct source){REALM_LIVE, MISSION_SVOM, INSTRUMENT_ECLAIRS}), BURST_E_UNSUPPORTED, why,
                  "svom.eclairs sends no event chunks");
}

TEST(a_changed_byte_is_noticed_by_the_sums)
{
    make_gbm(0, 0);
    changed_data(&file, "EVENTS")[9] ^= 1;
    CHECK_REFUSED(read(GBM), BURST_E_CONFLICT, why, "EVENTS: DATASUM is");
}

TEST(a_full_arena_is_an_answer)
{
    make_gbm(0, 0);
    enum burst_err last = BURST_E_NOMEM;
    for (size_t size = 0; size < 24 * 1024; size += 512) {
        struct arena small;
        CHECK_INT(arena_init(&small, size, &why), BURST_OK);
        enum burst_err err = ingest_events(GBM, file.bytes, file.n, &BANDS, &small, &packet, &why);
        CHECK_SAY(err == last || (last == BURST_E_NOMEM && !err), "%zu bytes gave %s", size, burst_err_name(err));
        last = err;
        arena_fini(&small);
    }
    CHECK_INT(last, BURST_OK); /* one tile of 5 rows, 20 KiB, and little else */
}

/* Rows 65.536 s apart and further need a tile each; the header is what allows such times. */
TEST(rows_spread_over_more_time_than_there_is_room_for_are_refused)
{
    struct arena small;
    make_gbm(0, 0);
    changed_unsum(&file);
    changed_card(&file, NULL, "TSTOP   =", "TSTOP   =          3999999999.0");
    for (int i = 1; i < 5; i++)
        changed_f64(changed_data(&file, "EVENTS") + 10 * i, 332916465.0 + 5e8 * i);
    CHECK_INT(arena_init(&small, 70 * 1024, &why), BURST_OK);
    CHECK_REFUSED(ingest_events(GBM, file.bytes, file.n, &BANDS, &small, &packet, &why), BURST_E_NOMEM, why,
                  "EVENTS: row 4: the times of the rows so far lie in 3 stretches");
    arena_fini(&small);
    CHECK_INT(read(GBM), BURST_OK);
    CHECK_INT(packet.list[0].n_tile, 5);
    for (int i = 1; i < 5; i++)
        CHECK(packet.list[0].tile[i].k0 > packet.list[0].tile[i - 1].k0);
}

TEST(the_stated_arena_is_enough_for_the_fullest_file)
{
    static int64_t met[40000];
    static uint16_t channel[40000];
    struct fits_detector_events lists[25];
    for (int i = 0; i < 40000; i++) {
        met[i] = GOOD[0].start_ns + i;
        channel[i] = (uint16_t)(i % LADDER);
    }
    for (int d = 0; d < 25; d++)
        lists[d] = (struct fits_detector_events){d, d == 7 ? 40000 : 1, met, channel, NULL, NULL, NULL};
    make_gecam(lists, 25);
    CHECK_INT(read(GECAM), BURST_OK);
    CHECK_INT(packet.n_list, 25);
    CHECK_INT(packet.list[7].n_event + packet.list[7].n_outside, 40000);
    make_gbm(0, 0);
    CHECK_INT(read(GBM), BURST_OK);
}

/* Two deposits 3 us apart in both gains (dead time 4 us), the rows written backwards: put in order, the low gain of each pair
 * counts; a third event stands alone. */
TEST(rows_out_of_order_are_put_in_order_before_both_gains_are_merged)
{
    static const int64_t met[5] = {332916470000000000, 332916466200003000, 332916466200000000, 332916466100003000,
                                   332916466100000000};
    static const uint16_t channel[5] = {100, 200, 10, 300, 20};
    static const uint8_t gain[5] = {0, 1, 0, 0, 1}, type[5] = {1, 1, 1, 1, 1}, flag[5] = {0};
    const struct fits_detector_events list = {0, 5, met, channel, gain, type, flag};
    make_gecam(&list, 1);
    CHECK_INT(read(GECAM), BURST_OK);
    const struct event_list *l = &packet.list[0];
    CHECK_INT(l->n_event, 3);
    CHECK_INT(l->n_merged, 2);
    CHECK_INT(l->n_back, 4);
    CHECK_INT(l->odd, CHUNK_STEPS_BACK);
    CHECK_INT(counted(l, met[1], 3), 1);
    CHECK_INT(counted_in_all(l, 4), 5 * 40); /* the writer gives each row 4 us */
}

TEST(odd_event_lists_are_accepted_and_flagged)
{
    static const int64_t same[3] = {332916466000000000, 332916466000000000, 332916466000000000},
                         back[3] = {332916466000000000, 332916467000000000, 332916466500000000};
    static const uint16_t apart[3] = {1, 2, 3}, equal[3] = {1, 2, 2};
    static const struct {
        const int64_t *met;
        const uint16_t *channel;
        unsigned odd;
    } cases[] = {{same, apart, CHUNK_ONE_TIME},
                 {same, equal, CHUNK_ONE_TIME | CHUNK_REPEATED_ROWS},
                 {back, apart, CHUNK_STEPS_BACK},
                 {MET, CHANNEL, 0}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct fits_detector_events list = {4, 3, cases[i].met, cases[i].channel, NULL, NULL, NULL};
        make_gecam(&list, 1);
        CHECK_INT(read(GECAM), BURST_OK);
        CHECK_INT(packet.list[0].odd, cases[i].odd);
        CHECK_INT(packet.list[0].n_event + packet.list[0].n_outside, 3);
    }
}

TEST(a_gain_or_a_dead_time_that_cannot_be_is_refused_by_its_row)
{
    static const uint8_t gain[2] = {0, 2};
    const struct fits_detector_events list = {0, 2, MET, CHANNEL, gain, NULL, NULL};
    make_gecam(&list, 1);
    CHECK_REFUSED(read(GECAM), BURST_E_RANGE, why, "EVENTS01: row 2: GAIN_TYPE is 2, 0 or 1 expected (byte");
    const struct fits_detector_events good = {0, 2, MET, CHANNEL, NULL, NULL, NULL};
    make_gecam(&good, 1);
    changed_unsum(&file);
    memcpy(changed_data(&file, "EVENTS01") + 11, "\xbf\x80\x00\x00", 4); /* -1.0 in the first row */
    CHECK_REFUSED(read(GECAM), BURST_E_RANGE, why, "EVENTS01: row 1: DEAD_TIME is -1");
}

/* GRB 110721A: 284,600 events (README of the data); times by astropy and numpy from the same columns. */
TEST(a_real_burst_reads_as_its_catalogue_says)
{
    static const char path[] = BURST_SOURCE_DIR "/../shared/data/fermi-gbm/bn110721200/glg_tte_n6_bn110721200_v00.fit";
    char text[CLOCK_UTC_TEXT];
    changed_drop(&file);
    if (bytes_read_file(path, 1 << 24, &file.bytes, &file.n, &why)) SKIP("../shared/data is not there");
    CHECK_INT(read(GBM), BURST_OK);
    const struct event_list *l = &packet.list[0];
    CHECK_INT(l->detector, 6);
    CHECK_INT(l->n_event + l->n_outside, 284600);
    CHECK_INT(l->n_dropped, 0);
    CHECK_INT(l->n_back, 0);
    CHECK_INT(l->odd, 0);
    CHECK_INT(counted_in_all(l, 4), 26 * (284600 - 7516) + 104 * 7516); /* 7,516 in the overflow channel, by numpy */
    /* -33.96912199258804 s from MET 332916465.760476 lies in bin 5201819246; T0 is 2011-07-21T04:47:43.760Z */
    CHECK_INT(l->tile[0].k0, 5201819246 / EVENT_TILE_BINS * EVENT_TILE_BINS);
    clock_utc_text(FERMI_EPOCH_NS + INT64_C(332916465760476000), text);
    CHECK_STR(text, "2011-07-21T04:47:43.760476Z");
    CHECK_INT(l->n_good, 1);
}

int main(void)
{
    RUN(a_gbm_event_is_in_the_bin_of_its_nanosecond);
    RUN(the_bgo_detectors_follow_the_nai);
    RUN(only_recommended_gecam_events_are_kept);
    RUN(a_gecam_time_is_the_stored_double_to_the_nearest_nanosecond);
    RUN(a_grm_file_keeps_its_ladder_of_any_energies);
    RUN(an_epoch_printed_short_is_the_missions_all_the_same);
    RUN(events_between_good_times_stay_and_one_second_of_slack_is_given);
    RUN(empty_good_times_are_left_out);
    RUN(a_null_channel_is_dropped_and_not_refused);
    RUN(refusals_leave_the_packet_alone);
    RUN(a_source_without_events_is_refused);
    RUN(a_changed_byte_is_noticed_by_the_sums);
    RUN(a_full_arena_is_an_answer);
    RUN(rows_spread_over_more_time_than_there_is_room_for_are_refused);
    RUN(the_stated_arena_is_enough_for_the_fullest_file);
    RUN(rows_out_of_order_are_put_in_order_before_both_gains_are_merged);
    RUN(odd_event_lists_are_accepted_and_flagged);
    RUN(a_gain_or_a_dead_time_that_cannot_be_is_refused_by_its_row);
    RUN(a_real_burst_reads_as_its_catalogue_says);
    changed_drop(&file);
    arena_fini(&arena);
    return check_report();
}
