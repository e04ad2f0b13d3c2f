/* The forms in which one mission's event files come: ladders and overflow blocks of GECAM, its charged-particle detectors, trigger and
 * daily files of GBM, SVOM/GRM. Forms: formats.md 2, 3. */
#include "check.h"
#include "fits/write.h"
#include "ingest/identify.h"
#include "ingest/ingest.h"
#include "unit/ingest/changed.h"
#include <math.h>

static const struct source GECAM_A = {REALM_LIVE, MISSION_GECAM_A, INSTRUMENT_GRD};
static const struct source GECAM_B = {REALM_LIVE, MISSION_GECAM_B, INSTRUMENT_GRD};
static const struct source GECAM_C = {REALM_LIVE, MISSION_GECAM_C, INSTRUMENT_GRD};
static const struct source CPD_B = {REALM_LIVE, MISSION_GECAM_B, INSTRUMENT_CPD};
static const struct source CPD_C = {REALM_LIVE, MISSION_GECAM_C, INSTRUMENT_CPD};
static const struct source GBM = {REALM_LIVE, MISSION_FERMI, INSTRUMENT_GBM};

static const struct fits_good GOOD[1] = {{131903046000000000, 131903050000000000}};
static const int64_t MET[4] = {131903046670000000, 131903047000000000, 131903048000000000, 131903049000000000};

static struct burst_error why;
static struct arena arena;
static struct event_packet packet;
static struct changed file;
static struct band_set bands;

static enum burst_err read(struct source source)
{
    arena_fini(&arena);
    if (arena_init(&arena, ingest_arena_need(file.n), &why)) return BURST_E_NOMEM;
    return ingest_events(source, file.bytes, file.n, &bands, &arena, &packet, &why);
}

/* 448 or 896 channels in equal ratios from 2.00 to 10053.5 keV, then an overflow block. */
enum { BOUND_MOST = 1024 };
static float low_kev[BOUND_MOST], high_kev[BOUND_MOST];

static size_t ladder(int n_channel, int n_overflow, float overflow_high)
{
    float edge = 2.0F;
    for (int i = 0; i < n_channel; i++) {
        low_kev[i] = edge;
        edge = i + 1 == n_channel ? 10053.5F : 2.0F * powf(10053.5F / 2.0F, (float)(i + 1) / (float)n_channel);
        high_kev[i] = edge;
    }
    for (int i = n_channel; i < n_channel + n_overflow; i++) {
        low_kev[i] = 7000.0F + (float)i;
        high_kev[i] = overflow_high;
    }
    return (size_t)(n_channel + n_overflow);
}

static void make(struct source source, size_t n_bound, const struct fits_detector_events *lists, int n_list)
{
    const struct instrument_fact *fact = source_fact(source.mission, source.instrument);
    const struct fits_event_chunk chunk = {.layout = FITS_GECAM_EVT,
                                           .telescope = fact->fits_telescope,
                                           .instrument = fact->fits_instrument,
                                           .mjdref_i = fact->epoch_mjd_i,
                                           .mjdref_f = fact->epoch_mjd_f,
                                           .n_channel = n_bound,
                                           .e_min_kev = low_kev,
                                           .e_max_kev = high_kev,
                                           .n_good = 1,
                                           .good = GOOD,
                                           .n_list = n_list,
                                           .list = lists};
    changed_drop(&file);
    CHECK_INT(fits_write_events(&chunk, &file.bytes, &file.n, &why), BURST_OK);
}

/* Channel of an energy in the ladder. */
static uint16_t channel_of(double kev, int n_channel)
{
    return (uint16_t)(log(kev / 2.0) / log(10053.5 / 2.0) * n_channel);
}

TEST(both_ladders_and_the_three_forms_of_the_overflow_block_are_read)
{
    const struct {
        struct source source;
        int n_channel, n_overflow;
        float high;
    } forms[] = {{GECAM_B, 448, 50, 20000.0F},
                 {GECAM_A, 448, 50, 0.0F},
                 {GECAM_C, 448, 22, 20000.0F},
                 {GECAM_C, 448, 22, 0.0F},
                 {GECAM_C, 896, 0, 0.0F}};
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        int n = forms[i].n_channel;
        const uint16_t channel[4] = {channel_of(40, n), channel_of(200, n), channel_of(9000, n),
                                     (uint16_t)(forms[i].n_overflow ? n + 3 : n - 1)};
        const uint8_t type[4] = {1, 1, 1, (uint8_t)(forms[i].n_overflow ? 2 : 1)};
        const struct fits_detector_events list = {0, 4, MET, channel, NULL, type, NULL};
        make(forms[i].source, ladder(n, forms[i].n_overflow, forms[i].high), &list, 1);
        CHECK_SAY(read(forms[i].source) == BURST_OK, "form %zu: %s", i, why.text);
        CHECK_INT(packet.list[0].n_event, 2);
        CHECK_INT(packet.list[0].n_outside, forms[i].n_overflow ? 1 : 2);
        CHECK_INT(packet.list[0].n_dropped, forms[i].n_overflow ? 1 : 0);
    }
}

/* An event in the overflow block is not recommended, whatever its type says. */
TEST(an_overflow_channel_is_dropped_though_its_type_is_normal)
{
    const uint16_t channel[4] = {448, 497, 100, 100};
    const struct fits_detector_events list = {0, 4, MET, channel, NULL, NULL, NULL};
    make(GECAM_B, ladder(448, 50, 20000.0F), &list, 1);
    CHECK_INT(read(GECAM_B), BURST_OK);
    CHECK_INT(packet.list[0].n_dropped, 2);
}

TEST(a_ladder_that_breaks_or_ends_elsewhere_is_refused)
{
    const uint16_t channel[4] = {1, 2, 3, 4};
    const struct fits_detector_events list = {0, 4, MET, channel, NULL, NULL, NULL};
    size_t n = ladder(448, 50, 20000.0F);
    high_kev[100] += 1.0F;
    make(GECAM_B, n, &list, 1);
    CHECK_REFUSED(read(GECAM_B), BURST_E_RANGE, why, "the first 101 are contiguous");
    n = ladder(448, 50, 20000.0F);
    low_kev[0] = 2.02F;
    make(GECAM_B, n, &list, 1);
    CHECK_REFUSED(read(GECAM_B), BURST_E_RANGE, why, "2.00 to 10053.5 keV expected");
}

/* FLAG: 0 time good, 1 ok, 2 bad; +10 not recommended by the pair, +243 wrong gain bias. */
TEST(pair_and_bias_flags_drop_an_event)
{
    static const int64_t met[8] = {131903046100000000, 131903046200000000, 131903046300000000, 131903046400000000,
                                   131903046500000000, 131903046600000000, 131903046700000000, 131903046800000000};
    static const uint8_t flag[8] = {0, 1, 2, 10, 11, 243, 244, 253};
    const uint16_t c = channel_of(200, 448), channel[8] = {c, c, c, c, c, c, c, c};
    const struct fits_detector_events list = {0, 8, met, channel, NULL, NULL, flag};
    make(GECAM_B, ladder(448, 50, 20000.0F), &list, 1);
    CHECK_INT(read(GECAM_B), BURST_OK);
    CHECK_INT(packet.list[0].n_event, 2);
    CHECK_INT(packet.list[0].n_dropped, 6);
}

/* Detectors 6 and 12 of GECAM-C have one gain only: nothing is missing in them. Placeholders are tables of no rows and columns. */
TEST(detectors_are_those_that_are_there)
{
    const uint16_t c = channel_of(200, 448), channel[4] = {c, c, c, c};
    static const uint8_t high_gain[4] = {0};
    const struct fits_detector_events lists[3] = {{0, 4, MET, channel, NULL, NULL, NULL},
                                                  {5, 4, MET, channel, high_gain, NULL, NULL},
                                                  {11, 4, MET, channel, high_gain, NULL, NULL}};
    make(GECAM_C, ladder(448, 22, 20000.0F), lists, 3);
    CHECK_INT(read(GECAM_C), BURST_OK);
    CHECK_INT(packet.n_list, 3);
    CHECK_INT(packet.list[1].detector, 5);
    CHECK_INT(packet.list[2].n_event, 4);
    const struct fits_detector_events beyond = {12, 4, MET, channel, NULL, NULL, NULL};
    make(GECAM_C, ladder(448, 22, 20000.0F), &beyond, 1);
    CHECK_REFUSED(read(GECAM_C), BURST_E_LIMIT, why, "EVENTS13: GECAM-C has detectors EVENTS01 to EVENTS12");
}

TEST(charged_particles_are_counted_whatever_their_energy)
{
    struct source found;
    const uint16_t channel[4] = {0, 1, 2, 3};
    const struct fits_detector_events lists[2] = {{0, 4, MET, channel, NULL, NULL, NULL},
                                                  {7, 2, MET, channel, NULL, NULL, NULL}};
    static const float low[5] = {100, 300, 1000, 3000, 9000}, high[5] = {300, 1000, 3000, 8000, 0};
    memcpy(low_kev, low, sizeof low);
    memcpy(high_kev, high, sizeof high);
    band_set_total(&bands);
    make(CPD_B, 5, lists, 2);
    CHECK_INT(ingest_identify(file.bytes, file.n, REALM_LIVE, &found, &why), BURST_OK);
    CHECK_INT(found.instrument, INSTRUMENT_CPD);
    CHECK_INT(read(CPD_B), BURST_OK);
    CHECK_INT(packet.n_list, 2);
    CHECK_INT(packet.list[0].n_event, 4);
    CHECK_INT(packet.list[1].detector, 7);
    CHECK_INT(packet.list[1].n_event, 2);
    CHECK_REFUSED(read(GECAM_B), BURST_E_FORMAT, why, "'GRD' expected");
    make(CPD_C, 5, lists, 2);
    CHECK_REFUSED(read(CPD_C), BURST_E_LIMIT, why, "EVENTS02");
    band_set_default(&bands);
}

/* Daily files have TZERO at the day's start or none, and neither TRIGTIME nor OBJECT. */
TEST(gbm_trigger_and_daily_files_give_the_same_counts)
{
    static const int64_t zero[3] = {131903046670000000, 131846400000000000, 0};
    static const float low[3] = {10, 25, 50}, high[3] = {25, 50, 100};
    static const uint16_t channel[4] = {0, 1, 2, 2};
    for (int d = 0; d < 14; d++)
        for (int i = 0; i < 3; i++) {
            const struct fits_detector_events list = {d, 4, MET, channel, NULL, NULL, NULL};
            const struct fits_event_chunk chunk = {FITS_GBM_TTE, "GLAST", "GBM", 51910, 64.184 / 86400, zero[i], 3, low,
                                                   high,         1,       GOOD,  1,     &list};
            changed_drop(&file);
            CHECK_INT(fits_write_events(&chunk, &file.bytes, &file.n, &why), BURST_OK);
            if (i) changed_unsum(&file);
            if (i == 1) changed_card(&file, NULL, "TRIGTIME=", "COMMENT");
            CHECK_INT(read(GBM), BURST_OK);
            CHECK_INT(packet.list[0].detector, d);
            CHECK_INT(packet.list[0].n_event, 3);
            CHECK_INT(packet.list[0].n_outside, 1);
            CHECK_INT(packet.list[0].n_tile, 1);
            int64_t k = MET[3] / EVENT_BIN_NS - packet.list[0].tile[0].k0;
            CHECK_INT(packet.list[0].tile[0].counts[EVENT_TILE_BINS + k], 1); /* 50-100 keV */
        }
}

TEST(dead_time_of_gbm_is_what_its_header_says)
{
    static const float low[3] = {10, 25, 50}, high[3] = {25, 50, 100};
    static const uint16_t channel[4] = {0, 1, 2, 2};
    const struct fits_detector_events list = {0, 4, MET, channel, NULL, NULL, NULL};
    const struct fits_event_chunk chunk = {FITS_GBM_TTE, "GLAST", "GBM", 51910, 64.184 / 86400, 0, 3, low,
                                           high,         1,       GOOD,  1,     &list};
    changed_drop(&file);
    CHECK_INT(fits_write_events(&chunk, &file.bytes, &file.n, &why), BURST_OK);
    changed_unsum(&file);
    changed_card(&file, "EVENTS", "TIMEUNIT=", "EVT_DEAD=              5.0E-06");
    CHECK_INT(read(GBM), BURST_OK);
    int64_t k = MET[1] / EVENT_BIN_NS - packet.list[0].tile[0].k0;
    CHECK_INT(packet.list[0].tile[0].counts[5 * EVENT_TILE_BINS + k], 50);
    changed_card(&file, "EVENTS", "EVT_DEAD=", "EVT_DEAD=              2.0E-03");
    CHECK_REFUSED(read(GBM), BURST_E_RANGE, why, "EVT_DEAD");
}

int main(void)
{
    band_set_default(&bands);
    RUN(both_ladders_and_the_three_forms_of_the_overflow_block_are_read);
    RUN(an_overflow_channel_is_dropped_though_its_type_is_normal);
    RUN(a_ladder_that_breaks_or_ends_elsewhere_is_refused);
    RUN(pair_and_bias_flags_drop_an_event);
    RUN(detectors_are_those_that_are_there);
    RUN(charged_particles_are_counted_whatever_their_energy);
    RUN(gbm_trigger_and_daily_files_give_the_same_counts);
    RUN(dead_time_of_gbm_is_what_its_header_says);
    changed_drop(&file);
    arena_fini(&arena);
    return check_report();
}
