#include "check.h"
#include "unit/ingest/notice_texts.h"
#include <math.h>

#define TRIGGER_NS INT64_C(1795178109184000000) /* 2026-11-20T12:34:00 UTC, by astropy */

static enum burst_err svom(const char *text)
{
    return read_as(MISSION_SVOM, NOTICE_JSON, text);
}

TEST(an_eclairs_trigger_is_read_whole)
{
    CHECK_INT(svom(SVOM_JSON), BURST_OK);
    CHECK_STR(notice.id, "sb26112003");
    CHECK_STR(notice.mission_name, "SVOM");
    CHECK_STR(notice.kind_word, "initial");
    CHECK(notice.source.instrument == INSTRUMENT_ECLAIRS && notice.kind == NOTICE_TRIGGER);
    CHECK(notice.type == ALERT_INITIAL && notice.tense == TENSE_CURRENT && notice.slew == SLEW_NOT_REQUESTED);
    CHECK_INT(notice.trigger_ns, TRIGGER_NS);
    CHECK(notice.ra_deg == 150.1234 && notice.dec_deg == 12.3456 && notice.error_deg == 0.1357);
    CHECK_NEAR(notice.containment, 0.9, 0); /* the schema's default */
    CHECK(notice.snr_sigma == 9.25 && notice.timescale_s == 20.48 && notice.trigger_type == TRIGGER_TYPE_IMAGE);
    CHECK(notice.e_min_kev == 5 && notice.e_max_kev == 20 && notice.packet_type == 0 && !notice.ivorn[0]);
}

TEST(a_gbm_position_has_the_id_its_voevents_have)
{
    CHECK_INT(read_as(MISSION_FERMI, NOTICE_JSON, GBM_JSON), BURST_OK);
    CHECK_STR(notice.id, "Fermi-GBM-816870845");
    CHECK_STR(notice.trigger_name, "816870845");
    CHECK_STR(notice.mission_class, "SOLAR_FLARE");
    CHECK_STR(notice.second_class, "DISTANT_PARTICLES");
    CHECK(notice.class_p == 0.72 && notice.second_p == 0.25 && notice.event_class == CLASS_SOLAR_FLARE);
    CHECK(notice.ra_deg == 161.2345 && notice.dec_deg == -31.2); /* written as texts */
    CHECK(notice.snr_sigma == 6.4 && notice.e_min_kev == 47 && notice.e_max_kev == 291 && notice.containment == 0.68);
    CHECK(notice.detectors_known && notice.detectors == 6 && notice.record == 2 && notice.kind == NOTICE_UPDATE);
    CHECK_STR(notice.kind_word, "FLIGHT_POSITION");
    CHECK_NEAR(notice.sat_longitude_deg, -102.83, 1e-9);
}

TEST(einstein_probe_is_known_by_its_schema_alone)
{
    CHECK_INT(read_as(MISSION_EXTERNAL, NOTICE_JSON, EP_JSON), BURST_OK);
    CHECK_STR(notice.id, "EP-WXT-01709990001");
    CHECK_STR(notice.trigger_name, "01709990001");
    CHECK_STR(notice.mission_name, "Einstein Probe");
    CHECK_STR(notice.instrument_name, "WXT");
    CHECK_STR(notice.text, "Words, and more.");
    CHECK(notice.type == ALERT_INITIAL && notice.intensity == 0.07 && notice.trigger_ns == TRIGGER_NS + 500000000);
    CHECK(notice.source.instrument == INSTRUMENT_NONE && notice.e_min_kev == 0.5 && notice.e_max_kev == 4);
}

TEST(an_id_is_a_text_a_number_or_the_first_of_a_list)
{
    static const struct {
        const char *to, *id;
        enum burst_mission mission;
    } TABLE[] = {{"\"sb26112003\"", "sb26112003", MISSION_SVOM},
                 {"[\"sb26112003\", \"other\"]", "sb26112003", MISSION_SVOM},
                 {"[368]", "SVOM-ECLAIRs-368", MISSION_SVOM},
                 {"368", "SVOM-ECLAIRs-368", MISSION_SVOM}};
    for (size_t i = 0; i < sizeof TABLE / sizeof TABLE[0]; i++) {
        CHECK_INT(read_as(TABLE[i].mission, NOTICE_JSON, changed(SVOM_JSON, "[\"sb26112003\"]", TABLE[i].to)),
                  BURST_OK);
        CHECK_STR(notice.id, TABLE[i].id);
    }
}

TEST(gecam_takes_its_satellite_from_the_topic_or_agrees_with_it)
{
    static const char GECAM[] =
        "{\"mission\": \"GECAM\", \"mission_type\": \"B\", \"id\": [368], \"trigger_type\": \"rate\","
        " \"trigger_time\": \"2026-11-20T12:34:00Z\", \"rate_snr\": 5.09, \"ra_dec_error\": 1.57,"
        " \"ra\": 56.25, \"dec\": 16.21, \"classification\": [{\"SFLARE\": 1}]}";
    CHECK_INT(read_as(MISSION_GECAM_B, NOTICE_JSON, GECAM), BURST_OK);
    CHECK_STR(notice.id, "GECAM-B-368");
    CHECK_STR(notice.mission_name, "GECAM-B");
    CHECK(notice.event_class == CLASS_SOLAR_FLARE && notice.class_p == 1 && notice.source.instrument == INSTRUMENT_GRD);
    CHECK_REFUSED(read_as(MISSION_GECAM_A, NOTICE_JSON, GECAM), BURST_E_CONFLICT, why, "GECAM on the topic of GECAM-A");
    CHECK_INT(read_as(MISSION_GECAM_C, NOTICE_JSON, changed(GECAM, " \"mission_type\": \"B\",", "")), BURST_OK);
    CHECK_STR(notice.id, "GECAM-C-368");
    CHECK_INT(read_as(MISSION_GECAM_B, NOTICE_JSON, changed(GECAM, "\"GECAM\"", "\"GECAM-B\"")), BURST_OK);
    CHECK_REFUSED(read_as(MISSION_GECAM_B, NOTICE_JSON, changed(GECAM, "\"GECAM\"", "\"GECAM-A\"")), BURST_E_CONFLICT,
                  why, "GECAM-A on the topic of GECAM-B");
}

TEST(svom_says_by_other_fields_what_its_xml_says_by_packet_type)
{
    CHECK_INT(svom(changed(changed(SVOM_JSON, "\"initial\"", "\"update\""), "not_requested", "rejected")), BURST_OK);
    CHECK(notice.kind == NOTICE_SLEW && notice.slew == SLEW_REJECTED && notice.type == ALERT_UPDATE);
    CHECK_INT(svom(changed(SVOM_JSON, "\"id\":", "\"event_name\": [\"M1\"], \"id\":")), BURST_OK);
    CHECK(notice.kind == NOTICE_CATALOGUE_SOURCE && notice.event_class == CLASS_KNOWN_SOURCE);
    CHECK_STR(notice.catalogue_name, "M1");
    CHECK_INT(svom(changed(SVOM_JSON, "\"id\":", "\"event_name\": \"GRB 261120A\", \"id\":")), BURST_OK);
    CHECK(notice.kind == NOTICE_TRIGGER && notice.event_class == CLASS_N && !notice.catalogue_name[0]);
    CHECK_INT(svom(changed(SVOM_JSON, "ECLAIRs", "MXT")), BURST_OK);
    CHECK_INT(notice.kind, NOTICE_FOLLOW_UP);
    CHECK_INT(svom(changed(SVOM_JSON, "\"slew_status\"", "\"triggered_GRDs\": [true, false, true], \"slew_status\"")),
              BURST_OK);
    CHECK(notice.detectors_known && notice.detectors == 5);
}

TEST(a_retraction_needs_no_trigger_time)
{
    const char *text = changed(changed(SVOM_JSON, "\"initial\"", "\"retraction\""),
                               "\"trigger_time\": \"2026-11-20T12:34:00.000000\",", "");
    CHECK_INT(svom(text), BURST_OK);
    CHECK(notice.kind == NOTICE_RETRACTION && notice.type == ALERT_RETRACTION && notice.trigger_ns == 0);
    CHECK_INT(svom(changed(SVOM_JSON, "\"id\":", "\"retraction\": true, \"id\":")), BURST_OK);
    CHECK_INT(notice.kind, NOTICE_RETRACTION);
    CHECK_REFUSED(svom(changed(SVOM_JSON, "\"trigger_time\"", "\"time\"")), BURST_E_MISSING, why, "no trigger time");
}

TEST(only_the_word_current_is_current)
{
    static const struct {
        const char *word;
        enum alert_tense tense;
    } TABLE[] = {{"\"test\"", TENSE_TEST},
                 {"\"commanded\"", TENSE_TEST},
                 {"\"injection\"", TENSE_INJECTION},
                 {"\"archival\"", TENSE_ARCHIVAL},
                 {"\"CURRENT\"", TENSE_CURRENT}};
    for (size_t i = 0; i < sizeof TABLE / sizeof TABLE[0]; i++) {
        CHECK_INT(svom(changed(SVOM_JSON, "\"current\"", TABLE[i].word)), BURST_OK);
        CHECK_INT(notice.tense, TABLE[i].tense);
    }
    CHECK_REFUSED(svom(changed(SVOM_JSON, "\"current\"", "\"planned\"")), BURST_E_UNSUPPORTED, why, "no trigger");
    CHECK_REFUSED(svom(changed(SVOM_JSON, "\"current\"", "\"drill\"")), BURST_E_FORMAT, why, "alert_tense is 'drill'");
    CHECK_REFUSED(svom(changed(SVOM_JSON, "\"current\"", "3")), BURST_E_FORMAT, why, "alert_tense is 3");
}

TEST(significance_is_that_of_the_kind_of_trigger)
{
    const char *both = changed(GBM_JSON, "\"rate_snr\"", "\"image_snr\": 17, \"image_duration\": 20, \"rate_snr\"");
    CHECK_INT(read_as(MISSION_FERMI, NOTICE_JSON, both), BURST_OK);
    CHECK(notice.snr_sigma == 6.4 && notice.timescale_s == 1.024);
    CHECK_INT(
        read_as(MISSION_FERMI, NOTICE_JSON, changed(both, "\"trigger_type\": \"rate\"", "\"trigger_type\": \"image\"")),
        BURST_OK);
    CHECK(notice.snr_sigma == 17 && notice.timescale_s == 20);
}

TEST(an_ellipse_counts_by_its_larger_half_axis)
{
    CHECK_INT(svom(changed(SVOM_JSON, "0.1357", "[2.5, 1.0, 40]")), BURST_OK);
    CHECK(notice.error_deg == 2.5 && notice.containment == 0.9);
}

TEST(an_attitude_is_a_unit_quaternion)
{
    CHECK_INT(svom(changed(SVOM_JSON, "\"id\":", "\"attitude_quarternion\": [0.6, 0, 0.8, 0], \"id\":")), BURST_OK);
    CHECK(notice.quaternion[0] == 0.6 && notice.quaternion[2] == 0.8);
    CHECK_REFUSED(svom(changed(SVOM_JSON, "\"id\":", "\"attitude_quaternion\": [1, 1, 0, 0], \"id\":")), BURST_E_RANGE,
                  why, "its square is 2");
}

TEST(other_missions_are_taken_on_the_external_topic_by_name)
{
    static const char OTHER[] = "{\"mission\": \"BurstCube\", \"instrument\": \"CsI 1\", \"id\": \"240601000\","
                                " \"trigger_time\": \"2026-11-20T12:34:00Z\", \"far\": 1e-5, \"p_astro\": 0.9}";
    CHECK_INT(read_as(MISSION_EXTERNAL, NOTICE_JSON, OTHER), BURST_OK);
    CHECK_STR(notice.id, "BurstCube-CsI_1-240601000");
    CHECK(notice.far_hz == 1e-5 && notice.p_astro == 0.9 && isnan(notice.ra_deg));
    CHECK_REFUSED(svom(OTHER), BURST_E_CONFLICT, why, "BurstCube on the topic of SVOM");
    CHECK_REFUSED(read_as(MISSION_EXTERNAL, NOTICE_JSON, SVOM_JSON), BURST_E_CONFLICT, why,
                  "SVOM on the topic of other");
    CHECK_REFUSED(read_as(MISSION_EXTERNAL, NOTICE_JSON, "{\"id\": \"a\"}"), BURST_E_MISSING, why, "neither mission");
}

TEST(a_voevent_in_json_reads_as_the_voevent)
{
    static const char LIKE_XML[] =
        "{\"ivorn\": \"ivo://nasa.gsfc.gcn/GECAM#FLT_Event_x_000003-111\", \"role\": \"observation\",\n"
        " \"Who\": {\"Date\": \"2026-11-20T12:35:00\"}, \"What\": {\"Param\": [\n"
        "  {\"name\": \"Packet_Type\", \"dataType\": \"int\", \"value\": \"188\"}, {\"name\": \"Pkt_Ser_Num\", "
        "\"value\": 3},\n"
        "  {\"@name\": \"Trigger_Number\", \"@value\": \"411\"}, {\"name\": \"MISSION\", \"value\": \"B\"},\n"
        "  {\"name\": \"EVENT_DATE\", \"value\": \"21364\"}, {\"name\": \"EVENT_TIME\", \"value\": \"45240.000\"},\n"
        "  {\"name\": \"TRIGGER_SIGNIF\", \"value\": \" 5.30\"}, {\"name\": \"TRIGGER_DUR\", \"value\": \"0.200\"},\n"
        "  {\"name\": \"TRIGGER_ERANGE_LoEnergy\", \"value\": 30}, {\"name\": \"TRIGGER_ERANGE_HiEnergy\", \"value\": "
        "140},\n"
        "  {\"name\": \"SRC_CLASS\", \"value\": \"SFLARE\"}, {\"name\": \"BURST_INTEN\", \"value\": \"1234\"}],\n"
        "  \"Group\": {\"name\": \"More\", \"Param\": {\"name\": \"TRIGGER_DETS\", \"value\": \"0x1020081\"}}},\n"
        " \"WhereWhen\": {\"ObsDataLocation\": {\"ObservationLocation\": {\"AstroCoords\": {\"Time\": "
        "{\"TimeInstant\":\n"
        "  {\"ISOTime\": \"2026-11-20T12:34:00.00\"}}, \"Position2D\": {\"unit\": \"deg\", \"Value2\": {\"C1\": "
        "291.25,\n"
        "  \"C2\": \"17.6200\"}, \"Error2Radius\": {\"#text\": \"4.1203\"}}}}}},\n"
        " \"Citations\": {\"EventIVORN\": {\"cite\": \"supersedes\", \"text\": \"ivo://nasa.gsfc.gcn/GECAM#x\"}}}";
    CHECK_INT(read_as(MISSION_GECAM_B, NOTICE_JSON, LIKE_XML), BURST_OK);
    CHECK_STR(notice.id, "GECAM-B-411");
    CHECK(notice.detectors == 0x1020081 && notice.snr_sigma == 5.3 && notice.e_max_kev == 140);
    CHECK(notice.ra_deg == 291.25 && notice.error_deg == 4.1203 && notice.trigger_ns == TRIGGER_NS);
    CHECK(notice.n_cited == 1 && notice.cited[0].cite == CITE_SUPERSEDES && notice.packet_serial == 3);
    CHECK_REFUSED(
        read_as(MISSION_GECAM_B, NOTICE_JSON,
                changed(LIKE_XML, "\"TRIGGER_DUR\", \"value\": \"0.200\"", "\"TRIGGER_SIGNIF\", \"value\": \"5\"")),
        BURST_E_FORMAT, why, "TRIGGER_SIGNIF is given twice");
    CHECK_REFUSED(read_as(MISSION_GECAM_B, NOTICE_JSON, changed(LIKE_XML, "\"supersedes\"", "\"replaces\"")),
                  BURST_E_FORMAT, why, "cite is 'replaces'");
}

TEST(what_cannot_be_believed_is_refused_by_name)
{
    static const struct {
        const char *from, *to;
        enum burst_err code;
        const char *part;
    } TABLE[] = {
        {"\"ra\": 150.1234", "\"ra\": 360.5", BURST_E_RANGE, "key ra is 360.5: 0 to 360 expected"},
        {"\"ra\": 150.1234", "\"ra\": \"N/A\"", BURST_E_RANGE, "half a position: declination"},
        {"\"ra\": 150.1234", "\"ra\": \"157 deg\"", BURST_E_FORMAT, "key ra is '157 deg'"},
        {"\"dec\": 12.3456", "\"dec\": -90.01", BURST_E_RANGE, "key dec"},
        {"0.1357", "181", BURST_E_RANGE, "ra_dec_error"},
        {"[5, 20]", "[20, 5]", BURST_E_RANGE, "energy band 20 to 5"},
        {"\"image_snr\": 9.25", "\"image_snr\": NaN", BURST_E_FORMAT, "JSON, line 4:"},
        {"\"image_snr\": 9.25", "\"image_snr\": Infinity", BURST_E_FORMAT, "JSON, line 4:"},
        {"\"image_snr\": 9.25", "\"image_snr\": 1e999", BURST_E_FORMAT, "JSON, line 4:"},
        {"\"image_snr\": 9.25", "\"image_snr\": 9.25, \"image_snr\": 9.26", BURST_E_FORMAT, "duplicate object key"},
        {"\"image_snr\": 9.25", "\"image_snr\": \"inf\"", BURST_E_FORMAT, "key image_snr is 'inf'"},
        {"[\"sb26112003\"]", "[\"a b\"]", BURST_E_FORMAT, "key id is 'a b'"},
        {"[\"sb26112003\"]", "[1.5]", BURST_E_FORMAT, "key id: a text, a whole number"},
        {"[\"sb26112003\"]", "{\"a\": 1}", BURST_E_FORMAT, "key id"},
        {"[\"sb26112003\"]", "[]", BURST_E_MISSING, "no trigger id"},
        {"[\"sb26112003\"]", "null", BURST_E_MISSING, "no trigger id"},
        {"\"2026-11-20T12:34:00.000000\"", "\"yesterday\"", BURST_E_TIME, "key trigger_time is 'yesterday'"},
        {"\"2026-11-20T12:34:00.000000\"", "1795178109", BURST_E_TIME, "key trigger_time is 1.79517811e+09"},
        {"\"initial\"", "\"first\"", BURST_E_FORMAT, "alert_type is 'first'"},
        {"\"id\":", "\"classification\": {\"GRB\": 0.9, \"SGR\": 0.3}, \"id\":", BURST_E_RANGE, "sum to 1.2"},
        {"\"id\":", "\"classification\": {\"GRB\": 1.5}, \"id\":", BURST_E_RANGE, "key GRB is 1.5"},
        {"\"id\":", "\"observation_start\": \"2026-11-20T12:34:00Z\", \"id\":", BURST_E_TIME, "half a time window"},
        {"\"id\":", "\"mission\": \"Fermi\", \"id\":", BURST_E_CONFLICT, "a notice of Fermi on the topic of SVOM"},
        {"}", "", BURST_E_FORMAT, "JSON, line"},
        {"{", "[{", BURST_E_FORMAT, "begins with byte 0x5b"},
        {"\"id\":", "\"a\": \"\\u0000\", \"id\":", BURST_E_FORMAT, "JSON, line"},
        {"\"id\":", "\"a\": \"\xff\", \"id\":", BURST_E_FORMAT, "JSON, line"},
    };
    for (size_t i = 0; i < sizeof TABLE / sizeof TABLE[0]; i++) {
        (void)memset(&notice, 0x5a, sizeof notice);
        struct notice before = notice;
        why.text[0] = 0;
        enum burst_err err = svom(changed(SVOM_JSON, TABLE[i].from, TABLE[i].to));
        CHECK_SAY(err == TABLE[i].code && strstr(why.text, TABLE[i].part), "%s -> %s: %s, \"%s\"", TABLE[i].from,
                  TABLE[i].to, burst_err_name(err), why.text);
        CHECK_INT(memcmp(&notice, &before, sizeof notice), 0);
    }
}

TEST(limits_on_depth_and_keys_hold)
{
    static char text[32768];
    char *end = text + sprintf(text, "{\"a\": \"[[[[\\\"[[[\", \"b\": ");
    for (int i = 0; i < NOTICE_DEPTH_MOST; i++)
        end += sprintf(end, "[");
    for (int i = 0; i < NOTICE_DEPTH_MOST; i++)
        end += sprintf(end, "]");
    (void)sprintf(end, "}");
    CHECK_REFUSED(svom(text), BURST_E_LIMIT, why, "more than 32 brackets within each other");
    end = text + sprintf(text, "{\"k\": 0");
    for (int i = 0; i < 512; i++)
        end += sprintf(end, ", \"k%d\": 0", i);
    (void)sprintf(end, "}");
    CHECK_REFUSED(svom(text), BURST_E_LIMIT, why, "more than 512 keys");
}

int main(void)
{
    RUN(an_eclairs_trigger_is_read_whole);
    RUN(a_gbm_position_has_the_id_its_voevents_have);
    RUN(einstein_probe_is_known_by_its_schema_alone);
    RUN(an_id_is_a_text_a_number_or_the_first_of_a_list);
    RUN(gecam_takes_its_satellite_from_the_topic_or_agrees_with_it);
    RUN(svom_says_by_other_fields_what_its_xml_says_by_packet_type);
    RUN(a_retraction_needs_no_trigger_time);
    RUN(only_the_word_current_is_current);
    RUN(significance_is_that_of_the_kind_of_trigger);
    RUN(an_ellipse_counts_by_its_larger_half_axis);
    RUN(an_attitude_is_a_unit_quaternion);
    RUN(other_missions_are_taken_on_the_external_topic_by_name);
    RUN(a_voevent_in_json_reads_as_the_voevent);
    RUN(what_cannot_be_believed_is_refused_by_name);
    RUN(limits_on_depth_and_keys_hold);
    return check_report();
}
