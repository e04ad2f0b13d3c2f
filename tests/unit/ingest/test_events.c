#include "base/bytes.h"
#include "base/clock.h"
#include "base/hash.h"
#include "check.h"
#include "fits/write.h"
#include "ingest/ingest.h"
#include "unit/ingest/changed.h"

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

static const int64_t MET[5] = {332916465760476000, 332916465760476001, 332916466000000000, 332916467999999999,
                               332916470000000000};
static const uint16_t CHANNEL[5] = {0, 2, 1, 2, 0};
static const struct fits_good GOOD[2] = {{332916465760476000, 332916466500000000},
                                         {332916467000000000, 332916470500000000}};

static enum burst_err read(struct source source)
{
    arena_fini(&arena);
    if (arena_init(&arena, ingest_arena_need(file.n), &why)) return BURST_E_NOMEM;
    return ingest_events(source, file.bytes, file.n, &arena, &packet, &why);
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

TEST(a_gbm_event_keeps_its_nanosecond)
{
    make_gbm(6, 332916465760476000);
    CHECK_INT(read(GBM), BURST_OK);
    CHECK_INT(packet.n_list, 1);
    const struct event_list *l = &packet.list[0];
    CHECK_INT(l->detector, 6);
    CHECK_INT(l->n_event, 5);
    CHECK_INT(l->n_dropped, 0);
    for (int i = 0; i < 5; i++) {
        CHECK(l->t_ns[i] == FERMI_EPOCH_NS + MET[i]);
        CHECK_INT(l->channel[i], CHANNEL[i]);
    }
    CHECK_INT(l->n_channel, 3);
    CHECK(l->e_min_kev[2] == 40 && l->e_max_kev[2] == 80);
    CHECK_INT(l->n_good, 2);
    CHECK(l->good[1].start_ns == FERMI_EPOCH_NS + GOOD[1].start_ns &&
          l->good[1].stop_ns == FERMI_EPOCH_NS + GOOD[1].stop_ns);
    CHECK(packet.span.start_ns == FERMI_EPOCH_NS + GOOD[0].start_ns &&
          packet.span.stop_ns == FERMI_EPOCH_NS + GOOD[1].stop_ns);
    CHECK(packet.epoch_ns == FERMI_EPOCH_NS);
    CHECK(packet.source.realm == REALM_ARCHIVE);
    uint8_t digest[32];
    hash_sha256(&(struct hash_piece){file.bytes, file.n}, 1, digest);
    CHECK(!memcmp(digest, packet.sha256, sizeof digest));
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
    CHECK_INT(l->n_event, 2);
    CHECK_INT(l->n_dropped, 6);
    CHECK_INT(l->channel[0], 0);
    CHECK_INT(l->channel[1], 447);
    CHECK(l->t_ns[1] == GECAM_EPOCH_NS + 332916466199999988);
    CHECK_INT(l->n_channel, LADDER);
    CHECK(l->e_max_kev[447] == 10053.5F);
    CHECK_INT(packet.list[1].detector, 24);
    CHECK_INT(packet.list[1].n_event, 0);
    CHECK(packet.list[1].good == l->good && l->n_good == 2);
}

/* 131903046.67 s as a double is 131903046.670000001788..., so to the nearest nanosecond ...670000002. */
TEST(a_gecam_time_is_the_stored_double_to_the_nearest_nanosecond)
{
    static const int64_t met = 332916466000000000;
    static const uint16_t channel = 5;
    const struct fits_detector_events list = {0, 1, &met, &channel, NULL, NULL, NULL};
    make_gecam(&list, 1);
    changed_unsum(&file);
    changed_f64(changed_data(&file, "EVENTS01"), 131903046.67);
    changed_f64(changed_data(&file, "GTI"), 131903046.0);
    changed_f64(changed_data(&file, "GTI") + 8, 131903047.0);
    changed_card(&file, NULL, "TSTART  =", "TSTART  =         131903046.0");
    CHECK_INT(read(GECAM), BURST_OK);
    CHECK(packet.list[0].t_ns[0] == GECAM_EPOCH_NS + INT64_C(131903046670000002));
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
    CHECK_INT(packet.list[0].n_channel, 3);
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
    CHECK_REFUSED(read((struct source){REALM_LIVE, MISSION_GECAM_B, INSTRUMENT_CPD}), BURST_E_UNSUPPORTED, why,
                  "no event chunks");
}

TEST(a_changed_byte_is_noticed_by_the_sums)
{
    make_gbm(0, 0);
    changed_data(&file, "EVENTS")[9] ^= 1;
    CHECK_REFUSED(read(GBM), BURST_E_FORMAT, why, "EVENTS: DATASUM is");
}

TEST(a_full_arena_is_an_answer)
{
    make_gbm(0, 0);
    for (size_t size = 0; size < 1024; size += 64) {
        struct arena small;
        CHECK_INT(arena_init(&small, size, &why), BURST_OK);
        small.size = size;
        enum burst_err err = ingest_events(GBM, file.bytes, file.n, &small, &packet, &why);
        CHECK_SAY(err == (size < 5 * 64 ? BURST_E_NOMEM : BURST_OK), "%zu bytes gave %s", size, burst_err_name(err));
        arena_fini(&small);
    }
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
    CHECK_INT(packet.list[7].n_event, 40000);
    make_gbm(0, 0);
    CHECK_INT(read(GBM), BURST_OK);
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
    CHECK_INT(l->n_event, 284600);
    CHECK_INT(l->n_channel, 128);
    size_t overflow = 0;
    for (size_t i = 0; i < l->n_event; i++)
        overflow += l->channel[i] == 127;
    CHECK_INT(overflow, 7516);
    CHECK_NEAR(l->e_min_kev[0], 5.3075233, 1e-6);
    CHECK_NEAR(l->e_max_kev[127], 2000.0, 0);
    /* -33.96912199258804 s from MET 332916465.760476; T0 is 2011-07-21T04:47:43.760Z */
    CHECK(l->t_ns[0] == FERMI_EPOCH_NS + INT64_C(332916465760476000) - INT64_C(33969121993));
    clock_utc_text(FERMI_EPOCH_NS + INT64_C(332916465760476000), text);
    CHECK_STR(text, "2011-07-21T04:47:43.760476Z");
    CHECK_INT(l->n_good, 1);
}

int main(void)
{
    RUN(a_gbm_event_keeps_its_nanosecond);
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
    RUN(the_stated_arena_is_enough_for_the_fullest_file);
    RUN(a_real_burst_reads_as_its_catalogue_says);
    changed_drop(&file);
    arena_fini(&arena);
    return check_report();
}
