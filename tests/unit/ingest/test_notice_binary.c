#include "base/bytes.h"
#include "check.h"
#include "ingest/notice.h"
#include <math.h>

#define TRIGGER_NS INT64_C(1795178109184000000) /* 2026-11-20T12:34:00 UTC, by astropy; TJD 21364, second 45240 */

static struct notice notice;
static struct burst_error why;

/* The packet of GECAM-B's trigger 411 in notice_texts.h, by the layout in the reader's own comment. */
static const int32_t GECAM[40] = {
    [0] = 188,    [1] = 3,      [4] = 411,  [5] = 21364, [6] = 452400000, [7] = 2912500, [8] = 176200,
    [9] = 1234,   [10] = 41203, [11] = 2,   [12] = 190,  [13] = 8000,     [14] = 40000,  [16] = -2150,
    [17] = 25050, [19] = 2,     [20] = 530, [24] = 30,   [25] = 140};
static const int32_t GBM[40] = {
    [0] = 111,     [1] = 5,       [4] = 816870845,          [5] = 21364,    [6] = 4524000, [7] = 1612345,
    [8] = -312000, [11] = 112345, [18] = 1 << 27 | 1 << 29, [19] = 1 << 24, [21] = 640,    [23] = 8 | 184 << 16};

static enum burst_err read_words(enum burst_mission mission, const int32_t words[40], int at, int32_t value)
{
    uint8_t body[160];
    struct source source = {REALM_LIVE, mission, INSTRUMENT_NONE};
    for (int i = 0; i < 40; i++)
        bytes_put_u32(body + 4 * i, (uint32_t)(i == at ? value : words[i]));
    return ingest_notice(source, NOTICE_BINARY, body, sizeof body, &notice, &why);
}

TEST(a_gecam_packet_says_what_its_voevent_says)
{
    CHECK_INT(read_words(MISSION_GECAM_B, GECAM, 0, 188), BURST_OK);
    CHECK_STR(notice.id, "GECAM-B-411");
    CHECK_STR(notice.mission_class, "SFLARE");
    CHECK_STR(notice.kind_word, "GECAM_FLT");
    CHECK(notice.event_class == CLASS_SOLAR_FLARE && notice.kind == NOTICE_TRIGGER && notice.type == ALERT_INITIAL);
    CHECK_INT(notice.trigger_ns, TRIGGER_NS);
    CHECK_NEAR(notice.trigger_digit_s, 1e-4, 1e-12);
    CHECK_NEAR(notice.ra_deg, 291.25, 1e-9);
    CHECK_NEAR(notice.dec_deg, 17.62, 1e-9);
    CHECK_NEAR(notice.error_deg, 4.1203, 1e-9);
    CHECK_NEAR(notice.snr_sigma, 5.3, 1e-9);
    CHECK_NEAR(notice.duration_s, 4, 1e-9);
    CHECK_NEAR(notice.sat_longitude_deg, -109.5, 1e-9);
    CHECK(notice.e_min_kev == 30 && notice.e_max_kev == 140 && notice.intensity == 1234 && notice.containment == 0.68);
    CHECK(notice.trigger_type == TRIGGER_TYPE_RATE && !notice.detectors_known && notice.tense == TENSE_CURRENT);
}

TEST(a_gecam_ground_packet_has_no_trigger_criteria)
{
    CHECK_INT(read_words(MISSION_GECAM_B, GECAM, 0, 189), BURST_OK);
    CHECK(notice.kind == NOTICE_UPDATE && notice.flags == NOTICE_GROUND && isnan(notice.snr_sigma));
}

TEST(gecam_tests_are_tests_by_number_or_by_flag)
{
    CHECK_INT(read_words(MISSION_GECAM_B, GECAM, 4, 100000000), BURST_OK);
    CHECK_INT(notice.tense, TENSE_TEST);
    CHECK_INT(read_words(MISSION_GECAM_B, GECAM, 18, 1), BURST_OK);
    CHECK_INT(notice.tense, TENSE_TEST);
}

TEST(a_gbm_packet_says_what_its_voevent_says)
{
    CHECK_INT(read_words(MISSION_FERMI, GBM, 0, 111), BURST_OK);
    CHECK_STR(notice.id, "Fermi-GBM-816870845");
    CHECK_STR(notice.mission_class, "SOLAR_FLARE");
    CHECK_INT(notice.trigger_ns, TRIGGER_NS);
    CHECK_NEAR(notice.trigger_digit_s, 0.01, 1e-12);
    CHECK_NEAR(notice.dec_deg, -31.2, 1e-9);
    CHECK_NEAR(notice.error_deg, 11.2345, 1e-9);
    CHECK_NEAR(notice.snr_sigma, 6.4, 1e-9);
    CHECK(notice.flags == (NOTICE_LONG | NOTICE_TIME_MATCH | NOTICE_DELAYED) && isnan(notice.class_p));
    CHECK_INT(read_words(MISSION_FERMI, GBM, 0, 112), BURST_OK);
    CHECK_NEAR(notice.snr_sigma, 64, 1e-9); /* tenths in a ground position */
    CHECK(!notice.mission_class[0] && notice.event_class == CLASS_N);
    CHECK_INT(read_words(MISSION_FERMI, GBM, 0, 110), BURST_OK);
    CHECK(isnan(notice.ra_deg) && notice.kind == NOTICE_TRIGGER && notice.flags == 0);
    CHECK_INT(read_words(MISSION_FERMI, GBM, 0, 119), BURST_OK);
    CHECK_INT(notice.tense, TENSE_TEST);
    CHECK_INT(read_words(MISSION_FERMI, GBM, 11, -1), BURST_OK);
    CHECK(isnan(notice.error_deg) && !isnan(notice.ra_deg));
}

TEST(what_cannot_be_believed_is_refused_with_its_byte)
{
    static const struct {
        enum burst_mission mission;
        const int32_t *words;
        int at;
        int32_t value;
        enum burst_err code;
        const char *part;
    } TABLE[] = {
        {MISSION_GECAM_B, GECAM, 7, 3600001, BURST_E_RANGE, "word 7 (byte 28) is 3600001, so 360: 0 to 360 expected"},
        {MISSION_GECAM_B, GECAM, 8, -900001, BURST_E_RANGE, "word 8 (byte 32)"},
        {MISSION_GECAM_B, GECAM, 10, 1800001, BURST_E_RANGE, "word 10"},
        {MISSION_GECAM_B, GECAM, 5, 0, BURST_E_RANGE, "word 5 (byte 20) is 0"},
        {MISSION_GECAM_B, GECAM, 6, -1, BURST_E_RANGE, "word 6"},
        {MISSION_GECAM_B, GECAM, 6, 864010001, BURST_E_RANGE, "word 6"},
        {MISSION_GECAM_B, GECAM, 4, 0, BURST_E_RANGE, "word 4 (byte 16), the trigger number, is 0"},
        {MISSION_GECAM_B, GECAM, 19, 4, BURST_E_RANGE, "the satellite, is 4"},
        {MISSION_GECAM_B, GECAM, 19, 1, BURST_E_CONFLICT, "GECAM-A on the topic of GECAM-B"},
        {MISSION_FERMI, GECAM, 19, 2, BURST_E_CONFLICT, "GECAM on the topic of another"},
        {MISSION_GECAM_B, GBM, 0, 111, BURST_E_CONFLICT, "Fermi on the topic of another"},
        {MISSION_FERMI, GBM, 0, 120, BURST_E_UNSUPPORTED, "packet type 120 is not taken"},
        {MISSION_FERMI, GBM, 0, INT32_MIN, BURST_E_UNSUPPORTED, "packet type -2147483648"},
        {MISSION_FERMI, GBM, 6, INT32_MAX, BURST_E_RANGE, "word 6"},
    };
    for (size_t i = 0; i < sizeof TABLE / sizeof TABLE[0]; i++) {
        (void)memset(&notice, 0x5a, sizeof notice);
        struct notice before = notice;
        enum burst_err err = read_words(TABLE[i].mission, TABLE[i].words, TABLE[i].at, TABLE[i].value);
        CHECK_SAY(err == TABLE[i].code && strstr(why.text, TABLE[i].part), "word %d = %d: %s, \"%s\"", TABLE[i].at,
                  TABLE[i].value, burst_err_name(err), why.text);
        CHECK_INT(memcmp(&notice, &before, sizeof notice), 0);
    }
}

TEST(a_packet_has_160_bytes)
{
    uint8_t body[161] = {0};
    struct source source = {REALM_LIVE, MISSION_FERMI, INSTRUMENT_NONE};
    CHECK_REFUSED(ingest_notice(source, NOTICE_BINARY, body, 159, &notice, &why), BURST_E_TRUNCATED, why, "159 bytes");
    CHECK_REFUSED(ingest_notice(source, NOTICE_BINARY, body, 161, &notice, &why), BURST_E_FORMAT, why, "161 bytes");
}

int main(void)
{
    RUN(a_gecam_packet_says_what_its_voevent_says);
    RUN(a_gecam_ground_packet_has_no_trigger_criteria);
    RUN(gecam_tests_are_tests_by_number_or_by_flag);
    RUN(a_gbm_packet_says_what_its_voevent_says);
    RUN(what_cannot_be_believed_is_refused_with_its_byte);
    RUN(a_packet_has_160_bytes);
    return check_report();
}
