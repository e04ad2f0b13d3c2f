#include "base/clock.h"
#include "check.h"
#include "unit/ingest/notice_texts.h"
#include <math.h>

/* 2026-11-20T12:34:00 UTC as TT ns, by astropy. */
#define TRIGGER_NS INT64_C(1795178109184000000)

static enum burst_err svom(const char *text)
{
    return read_as(MISSION_SVOM, NOTICE_XML, text);
}

TEST(an_eclairs_wakeup_is_read_whole)
{
    CHECK_INT(svom(SVOM_XML), BURST_OK);
    CHECK(notice.source.instrument == INSTRUMENT_ECLAIRS && notice.source.mission == MISSION_SVOM);
    CHECK_STR(notice.mission_name, "SVOM");
    CHECK_STR(notice.instrument_name, "ECLAIRs");
    CHECK_STR(notice.id, "sb26112003");
    CHECK_STR(notice.kind_word, "eclairs-wakeup");
    CHECK_STR(notice.ivorn, "ivo://org.svom/fsc#sb26112003_eclairs-wakeup");
    CHECK(notice.kind == NOTICE_TRIGGER && notice.type == ALERT_INITIAL && notice.tense == TENSE_CURRENT);
    CHECK(notice.packet_type == 202 && notice.packet_serial == 1 && notice.n_cited == 0);
    CHECK_INT(notice.trigger_ns, TRIGGER_NS);
    CHECK_INT(notice.published_ns, TRIGGER_NS + 60 * CLOCK_NS_PER_S);
    CHECK_INT(notice.window.stop_ns - notice.window.start_ns, 20480000000);
    CHECK_NEAR(notice.snr_sigma, 9.25, 0);
    CHECK_NEAR(notice.timescale_s, 20.48, 0);
    CHECK(notice.e_min_kev == 5 && notice.e_max_kev == 20 && notice.trigger_type == TRIGGER_TYPE_IMAGE);
    CHECK(notice.ra_deg == 150.1234 && notice.dec_deg == 12.3456 && notice.error_deg == 0.1357);
    CHECK_NEAR(notice.containment, 0.9, 0);
    CHECK(notice.slew == SLEW_NOT_REQUESTED && notice.sat_longitude_deg == -126.5);
    CHECK(notice.event_class == CLASS_N && notice.flags == 0 && !notice.detectors_known);
    CHECK(isnan(notice.sat_altitude_km) && isnan(notice.class_p) && isnan(notice.quaternion[0]));
}

TEST(a_grm_trigger_without_place_has_none)
{
    CHECK_INT(svom(GRM_XML), BURST_OK);
    CHECK(isnan(notice.ra_deg) && isnan(notice.dec_deg) && isnan(notice.error_deg) && isnan(notice.containment));
    CHECK(notice.detectors_known && notice.detectors == 6); /* "011": GRD 2 and 3 */
    CHECK(notice.trigger_type == TRIGGER_TYPE_RATE && notice.source.instrument == INSTRUMENT_GRM);
    CHECK_NEAR(notice.trigger_digit_s, 1, 0);
    CHECK_INT(svom(changed(GRM_XML, "\"011\"", "\"0111\"")), BURST_E_FORMAT);
}

TEST(a_radius_of_minus_one_is_no_radius)
{
    CHECK_INT(svom(changed(SVOM_XML, "<Error2Radius>0.1357", "<Error2Radius>-1.0000")), BURST_OK);
    CHECK(notice.ra_deg == 150.1234 && isnan(notice.error_deg) && isnan(notice.containment));
}

TEST(a_retraction_says_what_it_takes_back)
{
    CHECK_INT(svom(RETRACTION_XML), BURST_OK);
    CHECK(notice.kind == NOTICE_RETRACTION && notice.type == ALERT_RETRACTION && notice.n_cited == 2);
    CHECK_INT(notice.cited[1].cite, CITE_RETRACTION);
    CHECK_STR(notice.cited[1].ivorn, "ivo://org.svom/fsc#sb26112003_eclairs-wakeup");
    CHECK_STR(notice.text, "Not a burst");
}

TEST(a_retraction_is_known_by_any_of_its_three_signs)
{
    CHECK_INT(svom(changed(RETRACTION_XML, "\"219\"", "\"299\"")), BURST_OK);
    CHECK_INT(notice.kind, NOTICE_RETRACTION);
    CHECK_INT(svom(changed(SVOM_XML, "\"202\"", "\"219\"")), BURST_OK);
    CHECK_INT(notice.kind, NOTICE_RETRACTION);
    CHECK_INT(svom(changed(SVOM_XML, "</What>", "<Param name=\"Retraction\" value=\"1\"/></What>")), BURST_OK);
    CHECK(notice.kind == NOTICE_RETRACTION && notice.type == ALERT_RETRACTION);
}

TEST(an_svom_packet_type_that_is_new_is_information)
{
    CHECK_INT(svom(changed(SVOM_XML, "\"202\"", "\"207\"")), BURST_OK);
    CHECK(notice.kind == NOTICE_INFORMATION && notice.type == ALERT_UPDATE);
}

TEST(a_catalogue_source_has_number_and_name)
{
    const char *text = changed(changed(SVOM_XML, "\"202\"", "\"203\""), "</What>",
                               "<Group name=\"Target_Info\"><Param name=\"Onboard_Catalog_Id\" value=\"7\"/>"
                               "<Param name=\"Source_Name\" value=\"Source X-1\"/></Group></What>");
    CHECK_INT(svom(text), BURST_OK);
    CHECK(notice.kind == NOTICE_CATALOGUE_SOURCE && notice.event_class == CLASS_KNOWN_SOURCE);
    CHECK(notice.catalogue_id == 7 && notice.flags == NOTICE_IN_CATALOGUE);
    CHECK_STR(notice.catalogue_name, "Source X-1");
}

TEST(gecam_flight_is_read_with_its_satellite_in_the_id)
{
    CHECK_INT(read_as(MISSION_GECAM_B, NOTICE_XML, GECAM_XML), BURST_OK);
    CHECK_STR(notice.id, "GECAM-B-411");
    CHECK_STR(notice.trigger_name, "411");
    CHECK_STR(notice.mission_class, "SFLARE");
    CHECK(notice.event_class == CLASS_SOLAR_FLARE && notice.detectors == 0x1020081);
    CHECK(notice.snr_sigma == 5.3 && notice.timescale_s == 0.2 && notice.e_min_kev == 30 && notice.e_max_kev == 140);
    CHECK(notice.intensity == 1234 && notice.duration_s == 4 && notice.containment == 0.68);
    CHECK_NEAR(notice.sat_longitude_deg, -109.5, 1e-12);
    CHECK(notice.source.instrument == INSTRUMENT_GRD && notice.trigger_ns == TRIGGER_NS);
    CHECK_INT(read_as(MISSION_GECAM_B, NOTICE_XML, changed(GECAM_XML, "\"188\"", "\"189\"")), BURST_OK);
    CHECK(notice.kind == NOTICE_UPDATE && notice.flags == NOTICE_GROUND && notice.trigger_type == TRIGGER_TYPE_UNKNOWN);
}

TEST(gecam_numbers_from_a_hundred_million_are_tests)
{
    CHECK_INT(read_as(MISSION_GECAM_B, NOTICE_XML, changed(GECAM_XML, "\"411\"", "\"99999999\"")), BURST_OK);
    CHECK_INT(notice.tense, TENSE_CURRENT);
    CHECK_INT(read_as(MISSION_GECAM_B, NOTICE_XML, changed(GECAM_XML, "\"411\"", "\"100000000\"")), BURST_OK);
    CHECK_INT(notice.tense, TENSE_TEST);
}

TEST(gbm_flight_has_two_classes_and_an_open_band)
{
    CHECK_INT(read_as(MISSION_FERMI, NOTICE_XML, GBM_XML), BURST_OK);
    CHECK_STR(notice.id, "Fermi-GBM-816870845");
    CHECK_STR(notice.mission_class, "SOLAR_FLARE");
    CHECK_STR(notice.second_class, "DISTANT_PARTICLES");
    CHECK(notice.class_p == 0.72 && notice.second_p == 0.25 && notice.event_class == CLASS_SOLAR_FLARE);
    CHECK(notice.e_min_kev == 291 && isnan(notice.e_max_kev) && isnan(notice.intensity));
    CHECK(notice.record == 44 && notice.detectors == 6 && notice.flags == NOTICE_DELAYED);
    CHECK(notice.kind == NOTICE_UPDATE && notice.n_cited == 1 && notice.cited[0].cite == CITE_FOLLOW_UP);
    CHECK_INT(read_as(MISSION_FERMI, NOTICE_XML, changed(GBM_XML, "\"8\"", "\"1\"")), BURST_OK);
    CHECK_INT(notice.event_class, CLASS_N); /* an unreliable location says nothing of the source */
    CHECK_INT(read_as(MISSION_FERMI, NOTICE_XML, changed(GBM_XML, "\"8\"", "\"15\"")), BURST_OK);
    CHECK_STR(notice.mission_class, "GBM_CLASS_15");
}

TEST(zeros_of_a_gbm_alert_are_no_place)
{
    const char *text = changed(GBM_XML, "source_object", "unavailable/inappropriate");
    CHECK_INT(read_as(MISSION_FERMI, NOTICE_XML, text), BURST_OK);
    CHECK(isnan(notice.ra_deg) && isnan(notice.error_deg) && isnan(notice.containment));
}

TEST(swift_flags_a_lost_star_tracker_and_a_catalogued_source)
{
    CHECK_INT(read_as(MISSION_EXTERNAL, NOTICE_XML, SWIFT_XML), BURST_OK);
    CHECK_STR(notice.id, "Swift-BAT-1234567");
    CHECK(notice.flags == NOTICE_LOST_LOCK && notice.event_class == CLASS_GRB && notice.kind == NOTICE_TRIGGER);
    CHECK(notice.snr_sigma == 21.75 && notice.trigger_type == TRIGGER_TYPE_IMAGE && notice.catalogue_id == 12345);
    CHECK(notice.source.instrument == INSTRUMENT_NONE && notice.containment == 0.9);
    const char *known =
        changed(SWIFT_XML, "\"Target_in_Flt_Catalog\" value=\"false\"", "\"Target_in_Flt_Catalog\" value=\"true\"");
    CHECK_INT(read_as(MISSION_EXTERNAL, NOTICE_XML, known), BURST_OK);
    CHECK(notice.kind == NOTICE_CATALOGUE_SOURCE && notice.event_class == CLASS_KNOWN_SOURCE);
}

TEST(tests_and_unreal_realms_never_look_current)
{
    CHECK_INT(svom(changed(SVOM_XML, "role=\"observation\"", "role=\"test\"")), BURST_OK);
    CHECK_INT(notice.tense, TENSE_TEST);
    CHECK_INT(read_as(MISSION_FERMI, NOTICE_XML,
                      changed(GBM_XML, "\"Test_Submission\" value=\"false\"", "\"Test_Submission\" value=\"true\"")),
              BURST_OK);
    CHECK_INT(notice.tense, TENSE_TEST);
    static const enum alert_tense WANT[REALM_N] = {TENSE_CURRENT, TENSE_TEST, TENSE_ARCHIVAL};
    for (int realm = 0; realm < REALM_N; realm++) {
        struct source source = {(enum burst_realm)realm, MISSION_SVOM, INSTRUMENT_NONE};
        CHECK_INT(ingest_notice(source, NOTICE_XML, (const uint8_t *)SVOM_XML, strlen(SVOM_XML), &notice, &why), 0);
        CHECK_INT(notice.tense, WANT[realm]);
    }
}

TEST(minus_one_is_unknown_wherever_a_field_cannot_be_minus_one)
{
    static const struct {
        const char *text, *name;
        enum burst_mission mission;
        const double *field;
    } TABLE[] = {
        {SVOM_XML, "SNR", MISSION_SVOM, &notice.snr_sigma},
        {SVOM_XML, "Timescale", MISSION_SVOM, &notice.timescale_s},
        {SVOM_XML, "Lower_Energy_Bound", MISSION_SVOM, &notice.e_min_kev},
        {SVOM_XML, "Upper_Energy_Bound", MISSION_SVOM, &notice.e_max_kev},
        {SVOM_XML, "Moon_Angle", MISSION_SVOM, &notice.moon_angle_deg},
        {SVOM_XML, "Sun_Angle", MISSION_SVOM, &notice.sun_angle_deg},
        {SVOM_XML, "Sat_Altitude", MISSION_SVOM, &notice.sat_altitude_km},
        {GECAM_XML, "TRIGGER_SIGNIF", MISSION_GECAM_B, &notice.snr_sigma},
        {GECAM_XML, "TRIGGER_DUR", MISSION_GECAM_B, &notice.timescale_s},
        {GECAM_XML, "BURST_INTEN", MISSION_GECAM_B, &notice.intensity},
        {GECAM_XML, "BURST_DUR", MISSION_GECAM_B, &notice.duration_s},
        {GBM_XML, "Data_Signif", MISSION_FERMI, &notice.snr_sigma},
        {GBM_XML, "Data_Timescale", MISSION_FERMI, &notice.timescale_s},
        {GBM_XML, "Hardness_Ratio", MISSION_FERMI, &notice.hardness},
        {GBM_XML, "Sun_Distance", MISSION_FERMI, &notice.sun_angle_deg},
        {SWIFT_XML, "Image_Signif", MISSION_EXTERNAL, &notice.snr_sigma},
        {SWIFT_XML, "Integ_Time", MISSION_EXTERNAL, &notice.timescale_s},
    };
    for (size_t i = 0; i < sizeof TABLE / sizeof TABLE[0]; i++) {
        char old[64], new[128];
        (void)snprintf(old, sizeof old, "name=\"%s\"", TABLE[i].name);
        bool there = strstr(TABLE[i].text, old) != NULL; /* the old Param is renamed, the new one put first */
        const char *text = there ? changed(TABLE[i].text, old, "name=\"Was\"") : TABLE[i].text;
        (void)snprintf(new, sizeof new, "<What>\n<Param name=\"%s\" value=\"-1\"/>", TABLE[i].name);
        why.text[0] = 0;
        CHECK_SAY(!read_as(TABLE[i].mission, NOTICE_XML, changed(text, "<What>", new)) && isnan(*TABLE[i].field),
                  "%s: %s", TABLE[i].name, why.text);
    }
}

TEST(spelling_may_vary)
{
    static const char *const CHANGES[][2] = {
        {"<voe:VOEvent xmlns:voe=", "\n<!-- a comment --><?style no?><VOEvent xmlns="},
        {"name=\"SNR\" value=\"9.25\"", "Name='SNR' VALUE=' 9.25 ' dataType='float'"},
        {"<Group name=\"Detection_Info\"><Param name=\"SNR\" value=\"9.25\" unit=\"sigma\"/>",
         "<Param name=\"SNR\"><Value>9.25</Value></Param><Group name=\"Detection_Info\">"},
        {"<Author", "<Author><title>{\"full_name\": \"A &amp; B\"}</title></Author><Author"},
        {"<C1>150.1234</C1>", "<C1>150.<!-- split -->1234</C1>"},
        {"<C1>150.1234</C1>", "<C1><![CDATA[150.1234]]></C1>"},
        {"<?xml version='1.0' encoding='UTF-8'?>\n", "\xef\xbb\xbf \n<?xml version=\"1.0\" encoding=\"iso-8859-1\"?>"},
        {"<Param name=\"Instrument\"", "<Param name=\"Surprise\" value=\"&lt;7&gt;\"/><Param name=\"Instrument\""},
        {"UTC-ICRS-GEO\"/>", "UTC-FK5-GEO\"/>"},
        {" unit=\"sigma\"", ""},
        {"<Name1>RA</Name1><Name2>Dec</Name2><Value2><C1>150.1234</C1><C2>12.3456",
         "<Name1>Dec</Name1><Name2>RA</Name2><Value2><C1>12.3456</C1><C2>150.1234"},
    };
    for (size_t i = 0; i < sizeof CHANGES / sizeof CHANGES[0]; i++) {
        const char *text = changed(SVOM_XML, CHANGES[i][0], CHANGES[i][1]);
        if (strstr(text, "<VOEvent")) text = changed(text, "</voe:VOEvent>", "</VOEvent>");
        why.text[0] = 0;
        CHECK_SAY(!svom(text), "%s: %s", CHANGES[i][1], why.text);
        CHECK(notice.snr_sigma == 9.25 && notice.ra_deg == 150.1234 && notice.dec_deg == 12.3456);
    }
}

TEST(what_cannot_be_believed_is_refused_by_name)
{
    static const struct {
        const char *text, *from, *to;
        enum burst_mission mission;
        enum burst_err code;
        const char *part;
    } TABLE[] = {
        {SVOM_XML, "value=\"sb26112003\"", "value=\"sb26112004\"", MISSION_SVOM, BURST_E_CONFLICT, "another burst"},
        {SVOM_XML, "#sb26112003_", "#sb261120031_", MISSION_SVOM, BURST_E_CONFLICT, "Burst_Id is 'sb26112003'"},
        {SVOM_XML, "value=\"sb26112003\"", "value=\"grb1\"", MISSION_SVOM, BURST_E_FORMAT, "sbYYMMDDnn"},
        {SVOM_XML, "<Param name=\"Burst_Id\" value=\"sb26112003\"/>", "", MISSION_SVOM, BURST_E_MISSING, "Burst_Id"},
        {SVOM_XML, "", "", MISSION_FERMI, BURST_E_CONFLICT, "SVOM on the topic of another"},
        {SVOM_XML, "", "", MISSION_EXTERNAL, BURST_E_CONFLICT, "SVOM on the topic of another"},
        {SVOM_XML, "<C2>12.3456", "<C2>90.0001", MISSION_SVOM, BURST_E_RANGE, "line 19: C2 is '90.0001': -90 to 90"},
        {SVOM_XML, "<C1>150.1234</C1>", "", MISSION_SVOM, BURST_E_RANGE, "half a position: declination"},
        {SVOM_XML, "<C1>150.1234", "<C1>-0.1", MISSION_SVOM, BURST_E_RANGE, "0 to 360"},
        {SVOM_XML, "\"20\"", "\"5\"", MISSION_SVOM, BURST_E_RANGE, "energy band 5 to 5"},
        {SVOM_XML, "12:34:20.480Z", "12:33:20.480Z", MISSION_SVOM, BURST_E_TIME, "ends before it starts"},
        {SVOM_XML, "value=\"2026-11-20T12:34:20.480Z\"", "value=\"N/A\"", MISSION_SVOM, BURST_E_TIME,
         "half a time window"},
        {SVOM_XML, "<ISOTime>2026-11-20T12:34:00.000000", "<ISOTime>", MISSION_SVOM, BURST_E_MISSING, "trigger time"},
        {SVOM_XML, "<ISOTime>2026", "<ISOTime>1926", MISSION_SVOM, BURST_E_TIME, "1990 to 2100"},
        {SVOM_XML, "value=\"9.25\"", "value=\"high\"", MISSION_SVOM, BURST_E_FORMAT, "line 9: Param SNR is 'high'"},
        {SVOM_XML, "<Param name=\"Lower", "<Param name=\"SNR\" value=\"9\"/><Param name=\"Lower", MISSION_SVOM,
         BURST_E_FORMAT, "Param SNR is given twice"},
        {SVOM_XML, "role=\"observation\"", "role=\"utility\"", MISSION_SVOM, BURST_E_UNSUPPORTED,
         "observation and test"},
        {SVOM_XML, "ivo://org.svom", "ivo://org.other", MISSION_SVOM, BURST_E_UNSUPPORTED, "no reader for notices of"},
        {SVOM_XML, "ivo://org.svom", "http://org.svom", MISSION_SVOM, BURST_E_FORMAT, "ivo://... expected"},
        {SVOM_XML, " ivorn=", " other=", MISSION_SVOM, BURST_E_MISSING, "without ivorn"},
        {SVOM_XML, "coord_system_id=\"UTC-ICRS-GEO\"", "coord_system_id=\"UTC-GAL-GEO\"", MISSION_SVOM,
         BURST_E_UNSUPPORTED, "ICRS or FK5"},
        {SVOM_XML, "Position2D unit=\"deg\"", "Position2D unit=\"rad\"", MISSION_SVOM, BURST_E_UNSUPPORTED,
         "deg expected"},
        {RETRACTION_XML, "cite=\"retraction\"", "cite=\"nothing\"", MISSION_SVOM, BURST_E_FORMAT, "cite is 'nothing'"},
        {GECAM_XML, "", "", MISSION_GECAM_A, BURST_E_CONFLICT, "MISSION is 'B': the topic is of GECAM-A"},
        {GECAM_XML, "", "", MISSION_SVOM, BURST_E_CONFLICT, "GECAM on the topic of another"},
        {GECAM_XML, "\"188\"", "\"190\"", MISSION_GECAM_B, BURST_E_UNSUPPORTED, "packet type 190"},
        {GECAM_XML, "\"45240.000\"", "\"45242.000\"", MISSION_GECAM_B, BURST_E_CONFLICT, "2.00 s from it"},
        {GECAM_XML, "\"411\"", "\"0\"", MISSION_GECAM_B, BURST_E_RANGE, "Trigger_Number is '0'"},
        {GECAM_XML, "Trigger_Number", "Trigger_Nummer", MISSION_GECAM_B, BURST_E_MISSING, "no trigger id"},
        {GECAM_XML, "0x1020081", "0x2020081", MISSION_GECAM_B, BURST_E_RANGE, "25 bits"},
        {GBM_XML, "value=\"816870845\"", "value=\"816870846\"", MISSION_FERMI, BURST_E_CONFLICT, "another trigger"},
        {GBM_XML, "00_816870845_44", "00_8168708451_44", MISSION_FERMI, BURST_E_CONFLICT, "another trigger"},
        {GBM_XML, "\"111\"", "\"131\"", MISSION_FERMI, BURST_E_UNSUPPORTED, "packet type 131 (GBM_Flt_Pos"},
        {GBM_XML, "Delayed_Transmission\" value=\"true\"", "Delayed_Transmission\" value=\"perhaps\"", MISSION_FERMI,
         BURST_E_FORMAT, "true or false"},
        {GBM_XML, "\"0x6\"", "\"0x4000\"", MISSION_FERMI, BURST_E_RANGE, "14 bits"},
        {SWIFT_XML, "\"61\"", "\"63\"", MISSION_EXTERNAL, BURST_E_UNSUPPORTED, "Swift packet type 63"},
        {SWIFT_XML, "value=\"1234567\"", "value=\"123456\"", MISSION_EXTERNAL, BURST_E_CONFLICT, "another trigger"},
        {SWIFT_XML, "", "", MISSION_SVOM, BURST_E_CONFLICT, "Swift on the topic of another"},
    };
    for (size_t i = 0; i < sizeof TABLE / sizeof TABLE[0]; i++) {
        (void)memset(&notice, 0x5a, sizeof notice);
        struct notice before = notice;
        why.text[0] = 0;
        enum burst_err err = read_as(TABLE[i].mission, NOTICE_XML, changed(TABLE[i].text, TABLE[i].from, TABLE[i].to));
        CHECK_SAY(err == TABLE[i].code && strstr(why.text, TABLE[i].part), "%s -> %s: %s, \"%s\"", TABLE[i].from,
                  TABLE[i].to, burst_err_name(err), why.text);
        CHECK_INT(memcmp(&notice, &before, sizeof notice), 0);
    }
}

TEST(a_gbm_time_of_another_second_contradicts_its_number)
{
    const char *later = changed(GBM_XML, "<ISOTime>2026-11-20T12:34:00.00", "<ISOTime>2026-11-20T12:34:05.00");
    CHECK_REFUSED(read_as(MISSION_FERMI, NOTICE_XML, changed(later, "45240.00", "45245.00")), BURST_E_CONFLICT, why,
                  "another second of mission elapsed time");
}

TEST(xml_that_is_none_is_refused_with_line_and_column)
{
    static const struct {
        const char *text;
        enum burst_err code;
        const char *part;
    } TABLE[] = {
        {"", BURST_E_FORMAT, "an empty notice"},
        {" \n\t", BURST_E_FORMAT, "an empty notice"},
        {"{}", BURST_E_FORMAT, "the header says XML, but the body begins with byte 0x7b, not '<'"},
        {"<VOEvent>\n<What>\n</VOEvent>", BURST_E_FORMAT, "XML, line 3:11: Opening and ending tag mismatch"},
        {"<VOEvent", BURST_E_FORMAT, "XML, line 1:9:"},
        {"<html><body/></html>", BURST_E_UNSUPPORTED, "a <html> is no VOEvent"},
        {"<!DOCTYPE x [<!ENTITY a \"b\"><!ENTITY c \"&a;&a;\">]><VOEvent ivorn=\"&c;\"/>", BURST_E_FORMAT,
         "document type declaration"},
        {"<!DOCTYPE x SYSTEM \"file:///etc/passwd\"><VOEvent/>", BURST_E_FORMAT, "document type declaration"},
        {"<VOEvent ivorn=\"&secret;\"/>", BURST_E_FORMAT, "'secret' not defined"},
        {"<a:VOEvent/>", BURST_E_FORMAT, "Namespace prefix a"},
        {"<VOEvent ivorn='1' ivorn='2'/>", BURST_E_FORMAT, "Attribute ivorn redefined"},
        {"<?xml version='1.0' encoding='UTF-7'?><VOEvent/>", BURST_E_UNSUPPORTED, "encoding 'UTF-7'"},
        {"<VOEvent a='\xff'/>", BURST_E_FORMAT, "XML, line 1:"},
    };
    for (size_t i = 0; i < sizeof TABLE / sizeof TABLE[0]; i++) {
        why.text[0] = 0;
        enum burst_err err = svom(TABLE[i].text);
        CHECK_SAY(err == TABLE[i].code && strstr(why.text, TABLE[i].part), "%s: %s, \"%s\"", TABLE[i].text,
                  burst_err_name(err), why.text);
        CHECK(!strchr(why.text, '\n'));
    }
}

TEST(limits_on_depth_attributes_params_citations_and_bytes_hold)
{
    static char text[NOTICE_BODY_MOST + 2];
    char *end = text;
    for (int i = 0; i < NOTICE_DEPTH_MOST + 1; i++)
        end += sprintf(end, "<a>");
    for (int i = 0; i < NOTICE_DEPTH_MOST + 1; i++)
        end += sprintf(end, "</a>");
    CHECK_REFUSED(svom(text), BURST_E_LIMIT, why, "more than 32 elements within each other");
    end = text + sprintf(text, "<VOEvent><!-- ' -->\n<What ");
    for (int i = 0; i < 65; i++)
        end += sprintf(end, " a%d='>'", i);
    (void)sprintf(end, "/></VOEvent>");
    CHECK_REFUSED(svom(text), BURST_E_LIMIT, why, "line 2: a tag with more than 64 attributes");
    end = text + sprintf(text, "<VOEvent><What>");
    for (int i = 0; i < 513; i++)
        end += sprintf(end, "<Param name='p%d' value='1'/>", i);
    (void)sprintf(end, "</What></VOEvent>");
    CHECK_REFUSED(svom(text), BURST_E_LIMIT, why, "more than 512 Params");
    end = text + sprintf(text, "<VOEvent><Citations>");
    for (int i = 0; i < 9; i++)
        end += sprintf(end, "<EventIVORN cite='followup'>ivo://x</EventIVORN>");
    (void)sprintf(end, "</Citations></VOEvent>");
    CHECK_REFUSED(svom(text), BURST_E_LIMIT, why, "more than 8 EventIVORNs");
    (void)memset(text, ' ', NOTICE_BODY_MOST + 1);
    text[NOTICE_BODY_MOST + 1] = 0;
    CHECK_REFUSED(svom(text), BURST_E_LIMIT, why, "a notice of 262145 bytes, at most 262144");
    text[NOTICE_BODY_MOST] = 0;
    CHECK_REFUSED(svom(text), BURST_E_FORMAT, why, "empty");
}

TEST(content_that_is_no_notice_is_refused)
{
    struct source source = {REALM_LIVE, MISSION_SVOM, INSTRUMENT_NONE};
    CHECK_REFUSED(ingest_notice(source, (enum notice_content)1, (const uint8_t *)"SIMPLE", 6, &notice, &why),
                  BURST_E_UNSUPPORTED, why, "content 1");
}

int main(void)
{
    ingest_notice_start();
    RUN(an_eclairs_wakeup_is_read_whole);
    RUN(a_grm_trigger_without_place_has_none);
    RUN(a_radius_of_minus_one_is_no_radius);
    RUN(a_retraction_says_what_it_takes_back);
    RUN(a_retraction_is_known_by_any_of_its_three_signs);
    RUN(an_svom_packet_type_that_is_new_is_information);
    RUN(a_catalogue_source_has_number_and_name);
    RUN(gecam_flight_is_read_with_its_satellite_in_the_id);
    RUN(gecam_numbers_from_a_hundred_million_are_tests);
    RUN(gbm_flight_has_two_classes_and_an_open_band);
    RUN(zeros_of_a_gbm_alert_are_no_place);
    RUN(swift_flags_a_lost_star_tracker_and_a_catalogued_source);
    RUN(tests_and_unreal_realms_never_look_current);
    RUN(minus_one_is_unknown_wherever_a_field_cannot_be_minus_one);
    RUN(spelling_may_vary);
    RUN(what_cannot_be_believed_is_refused_by_name);
    RUN(a_gbm_time_of_another_second_contradicts_its_number);
    RUN(xml_that_is_none_is_refused_with_line_and_column);
    RUN(limits_on_depth_attributes_params_citations_and_bytes_hold);
    RUN(content_that_is_no_notice_is_refused);
    return check_report();
}
