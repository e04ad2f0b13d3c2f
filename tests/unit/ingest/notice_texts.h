/* Notices written for the tests, one of each kind, and a way to change one place of them. */
#ifndef BURST_TESTS_INGEST_NOTICE_TEXTS_H
#define BURST_TESTS_INGEST_NOTICE_TEXTS_H
#include "ingest/notice.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXTS_HEAD(ivorn)                                                                                              \
    "<?xml version='1.0' encoding='UTF-8'?>\n"                                                                         \
    "<voe:VOEvent xmlns:voe=\"http://www.ivoa.net/xml/VOEvent/v2.0\" role=\"observation\" version=\"2.0\" "            \
    "ivorn=\"" ivorn                                                                                                   \
    "\">\n<Who><AuthorIVORN>ivo://example/site</AuthorIVORN><Date>2026-11-20T12:35:00</Date></Who>\n<What>\n"
#define TEXTS_PLACE(iso, ra, dec, radius)                                                                              \
    "</What>\n<WhereWhen><ObsDataLocation><ObservationLocation><AstroCoordSystem id=\"UTC-ICRS-GEO\"/>\n"              \
    "<AstroCoords coord_system_id=\"UTC-ICRS-GEO\"><Time unit=\"s\"><TimeInstant><ISOTime>" iso                        \
    "</ISOTime></TimeInstant></Time>\n<Position2D unit=\"deg\"><Name1>RA</Name1><Name2>Dec</Name2><Value2><C1>" ra     \
    "</C1><C2>" dec "</C2></Value2>\n<Error2Radius>" radius                                                            \
    "</Error2Radius></Position2D></AstroCoords></ObservationLocation></ObsDataLocation></WhereWhen>\n"
#define TEXTS_TAIL "</voe:VOEvent>\n"

static const char SVOM_XML[] = TEXTS_HEAD(
    "ivo://org.svom/fsc#sb26112003_eclairs-wakeup") "<Param name=\"Packet_Type\" value=\"202\"/><Param "
                                                    "name=\"Pkt_Ser_Num\" value=\"1\"/>\n"
                                                    "<Param name=\"Instrument\" value=\"ECLAIRs\"/>\n"
                                                    "<Group name=\"Svom_Identifiers\"><Param name=\"Notice_Level\" "
                                                    "value=\"N1e\"/>\n"
                                                    "<Param name=\"Burst_Id\" value=\"sb26112003\"/></Group>\n"
                                                    "<Group name=\"Detection_Info\"><Param name=\"SNR\" value=\"9.25\" "
                                                    "unit=\"sigma\"/>\n"
                                                    "<Param name=\"Timescale\" value=\"20.48\"/><Param "
                                                    "name=\"Time_Window_Start\" value=\"2026-11-20T12:34:00.000Z\"/>\n"
                                                    "<Param name=\"Time_Window_End\" "
                                                    "value=\"2026-11-20T12:34:20.480Z\"/>\n"
                                                    "<Param name=\"Lower_Energy_Bound\" value=\"5\"/><Param "
                                                    "name=\"Upper_Energy_Bound\" value=\"20\"/>\n"
                                                    "<Param name=\"Trigger_Type\" value=\"IMT\"/></Group>\n"
                                                    "<Group name=\"Satellite_Info\"><Param name=\"Slew_Status\" "
                                                    "value=\"not-requested\"/>\n"
                                                    "<Param name=\"Sat_Longitude\" "
                                                    "value=\"-126.5\"/></Group>\n" TEXTS_PLACE(
                                                        "2026-11-20T12:34:00.000000", "150.1234", "12.3456", "0.1357")
                                                        TEXTS_TAIL;

static const char GRM_XML[] = TEXTS_HEAD(
    "ivo://org.svom/fsc#sb26112003_grm-trigger") "<Param name=\"Packet_Type\" value=\"201\"/><Param "
                                                 "name=\"Pkt_Ser_Num\" value=\"1\"/>\n"
                                                 "<Param name=\"Instrument\" value=\"GRM\"/><Group "
                                                 "name=\"Svom_Identifiers\">\n"
                                                 "<Param name=\"Burst_Id\" value=\"sb26112003\"/></Group>\n"
                                                 "<Group name=\"Detection_Info\"><Param name=\"SNR\" "
                                                 "value=\"7.20\"/><Param name=\"Timescale\" value=\"1.0\"/>\n"
                                                 "<Param name=\"Triggered_GRDs\" value=\"011\"/></Group></What>\n"
                                                 "<WhereWhen><ObsDataLocation><ObservationLocation><AstroCoords "
                                                 "coord_system_id=\"UTC-ICRS-GEO\"><Time><TimeInstant>\n"
                                                 "<ISOTime>2026-11-20T12:34:00</ISOTime></TimeInstant></Time></"
                                                 "AstroCoords></ObservationLocation></ObsDataLocation>\n"
                                                 "</WhereWhen>\n" TEXTS_TAIL;

static const char RETRACTION_XML[] =
    TEXTS_HEAD("ivo://org.svom/fsc#sb26112003_retraction") "<Param name=\"Packet_Type\" value=\"219\"/><Param "
                                                           "name=\"Pkt_Ser_Num\" value=\"1\"/>\n"
                                                           "<Param name=\"Instrument\" value=\"ECLAIRs\"/>\n"
                                                           "<Group name=\"Svom_Identifiers\"><Param name=\"Burst_Id\" "
                                                           "value=\"sb26112003\"/></Group>\n" TEXTS_PLACE(
                                                               "2026-11-20T12:34:00.000000", "150.1234", "12.3456",
                                                               "0.1357") "<Citations><EventIVORN "
                                                                         "cite=\"retraction\">ivo://org.svom/"
                                                                         "fsc#sb26112003_grm-trigger</EventIVORN>\n"
                                                                         "<EventIVORN "
                                                                         "cite=\"retraction\">ivo://org.svom/"
                                                                         "fsc#sb26112003_eclairs-wakeup</EventIVORN>\n"
                                                                         "<Description>Not a "
                                                                         "burst</Description></Citations>\n" TEXTS_TAIL;

static const char GECAM_XML[] = TEXTS_HEAD(
    "ivo://nasa.gsfc.gcn/GECAM#FLT_Event_2026-11-20T1256:40:00.00_000003-111") "<Param name=\"Packet_Type\" "
                                                                               "dataType=\"int\" value=\"188\"/><Param "
                                                                               "name=\"Pkt_Ser_Num\" dataType=\"int\" "
                                                                               "value=\"3\"/>\n"
                                                                               "<Param name=\"Trigger_Number\" "
                                                                               "dataType=\"int\" value=\"411\"/><Param "
                                                                               "name=\"MISSION\" value=\"B\"/>\n"
                                                                               "<Param name=\"EVENT_DATE\" "
                                                                               "value=\"21364\"/><Param "
                                                                               "name=\"EVENT_TIME\" datatype=\"float\" "
                                                                               "value=\"45240.000\"/>\n"
                                                                               "<Param name=\"TRIGGER_SIGNIF\" "
                                                                               "value=\" "
                                                                               "5.30\"/><Param name=\"TRIGGER_DUR\" "
                                                                               "value=\"0.200\"/>\n"
                                                                               "<Param "
                                                                               "name=\"TRIGGER_ERANGE_LoEnergy\" "
                                                                               "value=\"30\"/><Param "
                                                                               "name=\"TRIGGER_ERANGE_HiEnergy\" "
                                                                               "value=\"140\"/>\n"
                                                                               "<Param name=\"TRIGGER_DETS\" "
                                                                               "value=\"0x1020081\"/><Param "
                                                                               "name=\"SRC_CLASS\" value=\"SFLARE\"/>\n"
                                                                               "<Param name=\"BURST_INTEN\" "
                                                                               "value=\"1234\"/><Param "
                                                                               "name=\"BURST_DUR\" value=\"4.000\"/>\n"
                                                                               "<Param name=\"SC_LAT\" "
                                                                               "value=\"-21.50\"/><Param "
                                                                               "name=\"SC_LONG\" "
                                                                               "value=\"250.5\"/>\n" TEXTS_PLACE(
                                                                                   "2026-11-20T12:34:00.00", "291.2500",
                                                                                   "17.6200", "4.1203") TEXTS_TAIL;

/* 2026-11-20T12:34:00 UTC is second 816870845 of Fermi's mission elapsed time. */
static const char GBM_XML[] = TEXTS_HEAD(
    "ivo://nasa.gsfc.gcn/Fermi#GBM_Flt_Pos_2026-11-20T12:34:00.00_816870845_44-945") "<Param name=\"Packet_Type\" "
                                                                                     "value=\"111\"/><Param "
                                                                                     "name=\"Pkt_Ser_Num\" "
                                                                                     "value=\"5\"/>\n"
                                                                                     "<Param name=\"TrigID\" "
                                                                                     "value=\"816870845\"/><Param "
                                                                                     "name=\"Sequence_Num\" "
                                                                                     "value=\"44\"/>\n"
                                                                                     "<Param name=\"Burst_TJD\" "
                                                                                     "value=\"21364\"/><Param "
                                                                                     "name=\"Burst_SOD\" "
                                                                                     "value=\"45240.00\"/>\n"
                                                                                     "<Param name=\"Burst_Inten\" "
                                                                                     "value=\"0\"/><Param "
                                                                                     "name=\"Data_Timescale\" "
                                                                                     "value=\"1.024\"/>\n"
                                                                                     "<Param name=\"Data_Signif\" "
                                                                                     "value=\"6.40\"/><Param "
                                                                                     "name=\"Dets\" value=\"0x6\"/>\n"
                                                                                     "<Param name=\"Lo_Chan_Energy\" "
                                                                                     "value=\"291\"/><Param "
                                                                                     "name=\"Hi_Chan_Energy\" "
                                                                                     "value=\"infinity\"/>\n"
                                                                                     "<Param "
                                                                                     "name=\"Most_Likely_Index\" "
                                                                                     "value=\"8\"/><Param "
                                                                                     "name=\"Most_Likely_Prob\" "
                                                                                     "value=\"72\"/>\n"
                                                                                     "<Param "
                                                                                     "name=\"Sec_Most_Likely_Index\" "
                                                                                     "value=\"7\"/><Param "
                                                                                     "name=\"Sec_Most_Likely_Prob\" "
                                                                                     "value=\"25\"/>\n"
                                                                                     "<Param name=\"SC_Long\" "
                                                                                     "value=\"257.17\"/>\n"
                                                                                     "<Group "
                                                                                     "name=\"Trigger_ID\"><Param "
                                                                                     "name=\"Def_NOT_a_GRB\" "
                                                                                     "value=\"false\"/>\n"
                                                                                     "<Param name=\"Test_Submission\" "
                                                                                     "value=\"false\"/></Group>\n"
                                                                                     "<Group "
                                                                                     "name=\"Misc_Flags\"><Param "
                                                                                     "name=\"Delayed_Transmission\" "
                                                                                     "value=\"true\"/></Group>\n"
                                                                                     "<Param name=\"Coords_String\" "
                                                                                     "value=\"source_object\"/"
                                                                                     ">\n" TEXTS_PLACE(
                                                                                         "2026-11-20T12:34:00.00",
                                                                                         "161.2345", "-31.2000",
                                                                                         "11.2345") "<Citations><"
                                                                                                    "EventIVORN "
                                                                                                    "cite=\"followup\">"
                                                                                                    "ivo://"
                                                                                                    "nasa.gsfc.gcn/"
                                                                                                    "Fermi#GBM_Alert_"
                                                                                                    "816870845_1-944</"
                                                                                                    "EventIVORN></"
                                                                                                    "Citations>"
                                                                                                    "\n" TEXTS_TAIL;

static const char SWIFT_XML[] = TEXTS_HEAD(
    "ivo://nasa.gsfc.gcn/SWIFT#BAT_GRB_Pos_1234567-406") "<Param name=\"Packet_Type\" value=\"61\"/><Param "
                                                         "name=\"Pkt_Ser_Num\" value=\"12\"/>\n"
                                                         "<Param name=\"TrigID\" value=\"1234567\"/><Param "
                                                         "name=\"Integ_Time\" value=\"144.000\"/>\n"
                                                         "<Param name=\"Cat_Num\" value=\"12345\"/><Param "
                                                         "name=\"Rate_Signif\" value=\"0.00\"/>\n"
                                                         "<Param name=\"Image_Signif\" value=\"21.75\"/>\n"
                                                         "<Group name=\"Solution_Status\"><Param "
                                                         "name=\"GRB_Identified\" value=\"true\"/>\n"
                                                         "<Param name=\"Target_Imag_Trig\" value=\"true\"/><Param "
                                                         "name=\"Target_Rate_Trig\" value=\"false\"/>\n"
                                                         "<Param name=\"Target_in_Flt_Catalog\" "
                                                         "value=\"false\"/><Param name=\"StarTrack_Lost_Lock\" "
                                                         "value=\"true\"/>\n"
                                                         "<Param name=\"Near_Bright_Star\" value=\"false\"/></Group>\n"
                                                         "<Group name=\"Misc_Flags\"><Param name=\"Near_Bright_Star\" "
                                                         "value=\"true\"/></Group>\n" TEXTS_PLACE(
                                                             "2026-11-20T12:34:00.00", "80.1250", "21.5000", "0.0500")
                                                             TEXTS_TAIL;

static const char SVOM_JSON[] =
    "{\"$schema\": \"https://gcn.nasa.gov/schema/v7.2.1/gcn/notices/svom/trigger.schema.json\",\n"
    " \"instrument\": \"ECLAIRs\", \"alert_datetime\": \"2026-11-20T12:35:00Z\", \"alert_tense\": \"current\",\n"
    " \"alert_type\": \"initial\", \"id\": [\"sb26112003\"], \"trigger_time\": \"2026-11-20T12:34:00.000000\",\n"
    " \"ra\": 150.1234, \"dec\": 12.3456, \"ra_dec_error\": 0.1357, \"image_snr\": 9.25, \"image_duration\": 20.48,\n"
    " \"image_energy_range\": [5, 20], \"trigger_type\": \"image\", \"slew_status\": \"not_requested\"}\n";

static const char GBM_JSON[] =
    "{\"alert_type\": \"update\", \"alert_tense\": \"current\", \"mission\": \"Fermi\", \"instrument\": \"GBM\",\n"
    " \"id\": [\"816870845\", \"bn261120523\"], \"trigger_time\": \"2026-11-20T12:34:00.00\", \"record_number\": 2,\n"
    " \"classification\": {\"DISTANT_PARTICLES\": 0.25, \"SOLAR_FLARE\": 0.72}, \"ra\": \"161.2345\", \"dec\": "
    "\"-31.2\",\n"
    " \"ra_dec_error\": 11.2345, \"containment_probability\": 0.68, \"rate_snr\": 6.4, \"rate_duration\": 1.024,\n"
    " \"rate_energy_range\": [47, 291], \"trigger_type\": \"rate\", \"subtype\": \"FLIGHT_POSITION\", \"longitude\": "
    "257.17,\n"
    " \"detectors_status\": [\"on\", \"triggered\", \"triggered\", \"on\"], \"human_in_the_loop\": false}\n";

static const char EP_JSON[] =
    "{\"$schema\": \"https://gcn.nasa.gov/schema/v4.1.0/gcn/notices/einstein_probe/wxt/alert.schema.json\",\n"
    " \"instrument\": \"WXT\", \"trigger_time\": \"2026-11-20T12:34:00.5Z\", \"id\": [\"01709990001\"], \"ra\": "
    "181.25,\n"
    " \"dec\": -5.5, \"ra_dec_error\": 0.05, \"image_energy_range\": [0.5, 4.0], \"net_count_rate\": 0.07,\n"
    " \"image_snr\": 7.0, \"additional_info\": \"Words,\\nand more.\"}\n";

/* `text`, which may be the last answer, with the first `from` replaced by `to`; the test is wrong if there is none. */
static inline const char *changed(const char *text, const char *from, const char *to)
{
    static char out[8192];
    char made[sizeof out];
    const char *at = strstr(text, from);
    if (!at) abort();
    int n = snprintf(made, sizeof made, "%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
    if (n < 0 || (size_t)n >= sizeof made) abort();
    memcpy(out, made, sizeof out);
    return out;
}

static struct notice notice;
static struct burst_error why;

static inline enum burst_err read_as(enum burst_mission mission, enum notice_content content, const char *text)
{
    struct source source = {REALM_LIVE, mission, INSTRUMENT_NONE};
    return ingest_notice(source, content, (const uint8_t *)text, strlen(text), &notice, &why);
}
#endif
