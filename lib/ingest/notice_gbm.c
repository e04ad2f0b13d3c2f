/* Fermi/GBM's VOEvents: alert (110), flight (111), ground (112) and final (115) position, test (119). Source: formats.md
 * 4.3; the radius is the statistical 68 % one (Connaughton et al. 2015, section 5). Lo_Energy, Hi_Energy of 112 and 115
 * are the band of the localization, in eV whatever their unit says, and are not read. */
#include "ingest/notice_inside.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { TYPE_ALERT = 110, TYPE_FLIGHT = 111, TYPE_TEST = 119, N_DETECTOR = 14, CLASS_INDEX_MOST = 19 };

static const struct {
    int packet_type;
    const char *word;
    enum notice_kind kind;
} KINDS[] = {
    {TYPE_ALERT, "FERMI_GBM_ALERT", NOTICE_TRIGGER},  {TYPE_FLIGHT, "FERMI_GBM_FLT_POS", NOTICE_UPDATE},
    {112, "FERMI_GBM_GND_POS", NOTICE_UPDATE},        {115, "FERMI_GBM_FIN_POS", NOTICE_UPDATE},
    {TYPE_TEST, "FERMI_GBM_POS_TEST", NOTICE_UPDATE},
};

/* 0 where a value was not computed: final positions have no significance, ground positions no intensity. */
static const struct rule RULES[] = {
    {"Sequence_Num", RULE_INT, RULE_TO(record), 0, 1e6, 0, 0},
    {"Trig_Signif", RULE_REAL, RULE_TO(snr_sigma), 0, 1e6, UNKNOWN_MINUS_1 | UNKNOWN_ZERO, 0},
    {"Data_Signif", RULE_REAL, RULE_TO(snr_sigma), 0, 1e6, UNKNOWN_MINUS_1 | UNKNOWN_ZERO, 0},
    {"Burst_Signif", RULE_REAL, RULE_TO(snr_sigma), 0, 1e6, UNKNOWN_MINUS_1 | UNKNOWN_ZERO, 0},
    {"Trig_Dur", RULE_REAL, RULE_TO(timescale_s), 0, 1e5, UNKNOWN_MINUS_1 | UNKNOWN_ZERO, 0},
    {"Data_Timescale", RULE_REAL, RULE_TO(timescale_s), 0, 1e5, UNKNOWN_MINUS_1 | UNKNOWN_ZERO, 0},
    {"Data_Integ", RULE_REAL, RULE_TO(timescale_s), 0, 1e5, UNKNOWN_MINUS_1 | UNKNOWN_ZERO, 0},
    {"Lo_Chan_Energy", RULE_REAL, RULE_TO(e_min_kev), 0, 1e6, UNKNOWN_MINUS_1, 0},
    {"Hi_Chan_Energy", RULE_REAL, RULE_TO(e_max_kev), 0, 1e6, UNKNOWN_MINUS_1 | UNKNOWN_INFINITE, 0},
    {"Burst_Inten", RULE_REAL, RULE_TO(intensity), 0, 1e9, UNKNOWN_MINUS_1 | UNKNOWN_ZERO, 0},
    {"Hardness_Ratio", RULE_REAL, RULE_TO(hardness), 0, 1e6, UNKNOWN_MINUS_1 | UNKNOWN_ZERO, 0},
    {"Phi", RULE_REAL, RULE_TO(phi_deg), -360, 360, UNKNOWN_NEVER, 0},
    {"Theta", RULE_REAL, RULE_TO(theta_deg), -180, 180, UNKNOWN_NEVER, 0},
    {"SC_Long", RULE_REAL, RULE_TO(sat_longitude_deg), -180, 360, UNKNOWN_NEVER, 0},
    {"SC_Lat", RULE_REAL, RULE_TO(sat_latitude_deg), -90, 90, UNKNOWN_NEVER, 0},
    {"Sun_Distance", RULE_REAL, RULE_TO(sun_angle_deg), 0, 180, UNKNOWN_MINUS_1, 0},
    {"MOON_Distance", RULE_REAL, RULE_TO(moon_angle_deg), 0, 180, UNKNOWN_MINUS_1, 0},
    {"Def_NOT_a_GRB", RULE_FLAG, NOTICE_NOT_A_GRB, 0, 0, 0, 0},
    {"Target_in_Blk_Catalog", RULE_FLAG, NOTICE_IN_CATALOGUE, 0, 0, 0, 0},
    {"Human_generated", RULE_FLAG, NOTICE_HUMAN, 0, 0, 0, 0},
    {"Gnd_Generated", RULE_FLAG, NOTICE_GROUND, 0, 0, 0, 0},
    {"Delayed_Transmission", RULE_FLAG, NOTICE_DELAYED, 0, 0, 0, 0},
    {"Temporal_Prox_Match", RULE_FLAG, NOTICE_TIME_MATCH, 0, 0, 0, 0},
    {"Spatial_Prox_Match", RULE_FLAG, NOTICE_PLACE_MATCH, 0, 0, 0, 0},
    {"Values_Out_of_Range", RULE_FLAG, NOTICE_OUT_OF_RANGE, 0, 0, 0, 0},
};

const char *notice_gbm_class(int index)
{
    static const char *const WORDS[CLASS_INDEX_MOST + 1] = {"",
                                                            "UNRELIABLE_LOCATION",
                                                            "LOCAL_PARTICLES",
                                                            "BELOW_HORIZON",
                                                            "GRB",
                                                            "GENERIC_SGR",
                                                            "GENERIC_TRANSIENT",
                                                            "DISTANT_PARTICLES",
                                                            "SOLAR_FLARE",
                                                            "CYG_X1",
                                                            "SGR_1806_20",
                                                            "GROJ_0422_32",
                                                            "UNDEFINED",
                                                            [19] = "TGF"};
    return index >= 0 && index <= CLASS_INDEX_MOST && WORDS[index] ? WORDS[index] : "";
}

static void read_class(struct reading *r, const char *index, const char *p, char *ret_word, double *ret_p)
{
    int64_t i = read_int(r, said_find(r->said, NULL, index), 0, 255);
    double percent = read_real(r, said_find(r->said, NULL, p), 0, 100, UNKNOWN_MINUS_1);
    if (r->err || !i || isnan(percent)) return; /* index 0, "ERROR", at 0 %: there is no second class */
    (void)snprintf(ret_word, NOTICE_WORD_TEXT, "%s", notice_gbm_class((int)i));
    if (!ret_word[0]) (void)snprintf(ret_word, NOTICE_WORD_TEXT, "GBM_CLASS_%d", (int)i);
    *ret_p = percent / 100;
}

static void read_kind(struct reading *r)
{
    struct notice *n = r->n;
    for (size_t i = 0; i < sizeof KINDS / sizeof KINDS[0]; i++)
        if (KINDS[i].packet_type == n->packet_type) {
            if (n->kind != NOTICE_RETRACTION) n->kind = KINDS[i].kind;
            (void)snprintf(n->kind_word, sizeof n->kind_word, "%s", KINDS[i].word);
            return;
        }
    if (!r->err)
        r->err = burst_fail(r->reterr, BURST_E_UNSUPPORTED, "Fermi packet type %d (%.80s) is not taken", n->packet_type,
                            strchr(n->ivorn, '#') ? strchr(n->ivorn, '#') + 1 : "");
}

/* The trigger number is the whole seconds of mission elapsed time of the trigger. */
static void check_number(struct reading *r, const struct saying *s, int64_t number)
{
    struct notice *n = r->n;
    if (r->err || !number || n->packet_type == TYPE_TEST) return; /* tests have made-up numbers */
    double met_s = (double)(n->trigger_ns - source_epoch_ns(source_fact(MISSION_FERMI, INSTRUMENT_GBM))) * 1e-9;
    if (n->trigger_ns && fabs(met_s - (double)number) > 2)
        reading_fail(r, BURST_E_CONFLICT, s, "the trigger time is another second of mission elapsed time");
    notice_check_ivorn(r, s);
}

static void read_length(struct reading *r)
{
    if (said_is(r->said, NULL, "Long_short", "Long")) r->n->flags |= NOTICE_LONG;
    if (said_is(r->said, NULL, "Long_short", "Short")) r->n->flags |= NOTICE_SHORT;
}

void notice_read_gbm(struct reading *r)
{
    struct notice *n = r->n;
    uint32_t mask;
    const struct saying *trigger = said_find(r->said, NULL, "TrigID");
    if (n->source.mission != MISSION_FERMI) {
        r->err = burst_fail(r->reterr, BURST_E_CONFLICT, "a notice of Fermi on the topic of another mission");
        return;
    }
    notice_set_origin(n, "Fermi", "GBM");
    read_kind(r);
    check_number(r, trigger, notice_set_number(r, trigger, UINT32_MAX, "Fermi-GBM-"));
    read_rules(r, RULES, sizeof RULES / sizeof RULES[0]);
    read_class(r, "Most_Likely_Index", "Most_Likely_Prob", n->mission_class, &n->class_p);
    read_class(r, "Sec_Most_Likely_Index", "Sec_Most_Likely_Prob", n->second_class, &n->second_p);
    if (read_mask(r, said_find(r->said, NULL, "Dets"), N_DETECTOR, &mask)) notice_set_detectors(n, mask);
    read_length(r);
    if (n->packet_type == TYPE_TEST || said_is(r->said, NULL, "Test_Submission", "true")) n->tense = TENSE_TEST;
    n->trigger_type = TRIGGER_TYPE_RATE;
    n->containment = isnan(n->error_deg) ? NAN : 0.68;
}
