/* Swift's VOEvents: BAT alerts and positions, and what XRT and UVOT then see. Radii are 90 % (BAT, XRT and UVOT alike).
 * Source: the classic GCN notice types; fields as in the public BAT_GRB_POS notices. */
#include "ingest/notice_inside.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

static const struct {
    int packet_type;
    const char *word, *instrument;
    enum notice_kind kind;
    bool test;
} KINDS[] = {
    {60, "SWIFT_BAT_GRB_ALERT", "BAT", NOTICE_TRIGGER, false},
    {61, "SWIFT_BAT_GRB_POS", "BAT", NOTICE_TRIGGER, false},
    {67, "SWIFT_XRT_POSITION", "XRT", NOTICE_FOLLOW_UP, false},
    {81, "SWIFT_UVOT_POS", "UVOT", NOTICE_FOLLOW_UP, false},
    {82, "SWIFT_BAT_GRB_POS_TEST", "BAT", NOTICE_TRIGGER, true},
    {84, "SWIFT_BAT_TRANS", "BAT", NOTICE_CATALOGUE_SOURCE, false},
    {97, "SWIFT_BAT_QL_POS", "BAT", NOTICE_TRIGGER, false},
};

static const struct rule RULES[] = {
    {"Integ_Time", RULE_REAL, RULE_TO(timescale_s), 0, 1e5, UNKNOWN_MINUS_1 | UNKNOWN_ZERO, 0},
    {"Burst_Inten", RULE_REAL, RULE_TO(intensity), 0, 1e9, UNKNOWN_MINUS_1 | UNKNOWN_ZERO, 0},
    {"Burst_Peak", RULE_REAL, RULE_TO(intensity), 0, 1e9, UNKNOWN_MINUS_1 | UNKNOWN_ZERO, 0},
    {"Image_Signif", RULE_REAL, RULE_TO(snr_sigma), 0, 1e6, UNKNOWN_MINUS_1 | UNKNOWN_ZERO, 0},
    {"Rate_Signif", RULE_REAL, RULE_TO(snr_sigma), 0, 1e6, UNKNOWN_MINUS_1 | UNKNOWN_ZERO, 0},
    {"Phi", RULE_REAL, RULE_TO(phi_deg), -360, 360, UNKNOWN_NEVER, 0},
    {"Theta", RULE_REAL, RULE_TO(theta_deg), -180, 180, UNKNOWN_NEVER, 0},
    {"SC_Long", RULE_REAL, RULE_TO(sat_longitude_deg), -180, 360, UNKNOWN_NEVER, 0},
    {"SC_Lat", RULE_REAL, RULE_TO(sat_latitude_deg), -90, 90, UNKNOWN_NEVER, 0},
    {"Sun_Distance", RULE_REAL, RULE_TO(sun_angle_deg), 0, 180, UNKNOWN_MINUS_1, 0},
    {"MOON_Distance", RULE_REAL, RULE_TO(moon_angle_deg), 0, 180, UNKNOWN_MINUS_1, 0},
    {"Cat_Num", RULE_INT, RULE_TO(catalogue_id), 0, 1e9, 0, 0},
    {"Def_NOT_a_GRB", RULE_FLAG, NOTICE_NOT_A_GRB, 0, 0, 0, 0},
    {"Target_in_Flt_Catalog", RULE_FLAG, NOTICE_IN_CATALOGUE, 0, 0, 0, 0},
    {"Target_in_Gnd_Catalog", RULE_FLAG, NOTICE_IN_CATALOGUE, 0, 0, 0, 0},
    {"Target_in_Blk_Catalog", RULE_FLAG, NOTICE_IN_CATALOGUE, 0, 0, 0, 0},
    {"StarTrack_Lost_Lock", RULE_FLAG, NOTICE_LOST_LOCK, 0, 0, 0, 0},
    {"ImTrig_during_ST_LoL", RULE_FLAG, NOTICE_LOST_LOCK, 0, 0, 0, 0},
    {"Gnd_Generated", RULE_FLAG, NOTICE_GROUND, 0, 0, 0, 0},
    {"Delayed_Transmission", RULE_FLAG, NOTICE_DELAYED, 0, 0, 0, 0},
    {"Temporal_Prox_Match", RULE_FLAG, NOTICE_TIME_MATCH, 0, 0, 0, 0},
    {"Spatial_Prox_Match", RULE_FLAG, NOTICE_PLACE_MATCH, 0, 0, 0, 0},
    {"Values_Out_of_Range", RULE_FLAG, NOTICE_OUT_OF_RANGE, 0, 0, 0, 0},
};

static void read_kind(struct reading *r)
{
    struct notice *n = r->n;
    for (size_t i = 0; i < sizeof KINDS / sizeof KINDS[0]; i++)
        if (KINDS[i].packet_type == n->packet_type) {
            notice_set_origin(n, "Swift", KINDS[i].instrument);
            if (n->kind != NOTICE_RETRACTION) n->kind = KINDS[i].kind;
            (void)snprintf(n->kind_word, sizeof n->kind_word, "%s", KINDS[i].word);
            if (KINDS[i].test || said_is(r->said, NULL, "Test_Submission", "true")) n->tense = TENSE_TEST;
            return;
        }
    r->err = burst_fail(r->reterr, BURST_E_UNSUPPORTED, "Swift packet type %d (%.80s) is not taken", n->packet_type,
                        strchr(n->ivorn, '#') ? strchr(n->ivorn, '#') + 1 : "");
}

/* The flight software's own solution: a GRB, or a source it knows. */
static void read_solution(struct reading *r)
{
    struct notice *n = r->n;
    if (said_is(r->said, NULL, "Target_Imag_Trig", "true")) n->trigger_type = TRIGGER_TYPE_IMAGE;
    if (said_is(r->said, NULL, "Target_Rate_Trig", "true")) n->trigger_type = TRIGGER_TYPE_RATE;
    if (n->flags & NOTICE_IN_CATALOGUE) {
        n->event_class = CLASS_KNOWN_SOURCE;
        if (n->kind == NOTICE_TRIGGER) n->kind = NOTICE_CATALOGUE_SOURCE;
    } else if (said_is(r->said, NULL, "GRB_Identified", "true") && !(n->flags & NOTICE_NOT_A_GRB))
        n->event_class = CLASS_GRB;
}

void notice_read_swift(struct reading *r)
{
    struct notice *n = r->n;
    const struct saying *trigger = said_find(r->said, NULL, "TrigID");
    if (n->source.mission != MISSION_EXTERNAL) {
        r->err = burst_fail(r->reterr, BURST_E_CONFLICT, "a notice of Swift on the topic of another mission");
        return;
    }
    read_kind(r);
    /* XRT and UVOT carry the trigger number of BAT */
    if (notice_set_number(r, trigger, UINT32_MAX, "Swift-BAT-")) notice_check_ivorn(r, trigger);
    read_rules(r, RULES, sizeof RULES / sizeof RULES[0]);
    read_solution(r);
    n->containment = isnan(n->error_deg) ? NAN : 0.9;
}
