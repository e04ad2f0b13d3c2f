/* SVOM's VOEvents (packet types 201 to 219). Source: formats.md 4.1; error radii are 90 % (ibid.). */
#include "ingest/notice_inside.h"
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static const struct {
    int packet_type;
    enum notice_kind kind;
} KINDS[] = {
    {201, NOTICE_TRIGGER}, /* grm-trigger */
    {202, NOTICE_TRIGGER}, /* eclairs-wakeup */
    {203, NOTICE_CATALOGUE_SOURCE},
    {204, NOTICE_SLEW},      /* slewing */
    {205, NOTICE_SLEW},      /* not-slewing */
    {209, NOTICE_FOLLOW_UP}, /* mxt-initial */
    {210, NOTICE_FOLLOW_UP}, /* mxt-update */
    {211, NOTICE_FOLLOW_UP}, /* vt-candidate */
    {219, NOTICE_RETRACTION},
};

static const struct rule RULES[] = {
    {"SNR", RULE_REAL, RULE_TO(snr_sigma), 0, 1e6, UNKNOWN_MINUS_1, 0},
    {"Timescale", RULE_REAL, RULE_TO(timescale_s), 0, 1e5, UNKNOWN_MINUS_1 | UNKNOWN_ZERO, 0},
    {"Time_Window_Start", RULE_UTC, RULE_TO(window.start_ns), 0, 0, 0, 0},
    {"Time_Window_End", RULE_UTC, RULE_TO(window.stop_ns), 0, 0, 0, 0},
    {"Alert_Seq_T0", RULE_UTC, RULE_TO(sequence_ns), 0, 0, 0, 0},
    {"Lower_Energy_Bound", RULE_REAL, RULE_TO(e_min_kev), 0, 1e6, UNKNOWN_MINUS_1, 0},
    {"Upper_Energy_Bound", RULE_REAL, RULE_TO(e_max_kev), 0, 1e6, UNKNOWN_MINUS_1, 0},
    {"Moon_Angle", RULE_REAL, RULE_TO(moon_angle_deg), 0, 180, UNKNOWN_MINUS_1, 0},
    {"Sun_Angle", RULE_REAL, RULE_TO(sun_angle_deg), 0, 180, UNKNOWN_MINUS_1, 0},
    {"Attitude_Ra", RULE_REAL, RULE_TO(attitude_ra_deg), -360, 360, UNKNOWN_NEVER, 0},
    {"Attitude_Dec", RULE_REAL, RULE_TO(attitude_dec_deg), -90, 90, UNKNOWN_NEVER, 0},
    {"Attitude_Roll", RULE_REAL, RULE_TO(attitude_roll_deg), -360, 360, UNKNOWN_NEVER, 0},
    {"Sat_Longitude", RULE_REAL, RULE_TO(sat_longitude_deg), -180, 360, UNKNOWN_NEVER, 0},
    {"Sat_Latitude", RULE_REAL, RULE_TO(sat_latitude_deg), -90, 90, UNKNOWN_NEVER, 0},
    {"Sat_Altitude", RULE_REAL, RULE_TO(sat_altitude_km), 0, 1e6, UNKNOWN_MINUS_1, 0},
    {"Onboard_Catalog_Id", RULE_INT, RULE_TO(catalogue_id), 0, 1e6, 0, 0},
    {"Source_Name", RULE_TEXT, RULE_TO(catalogue_name), 0, 0, 0, NOTICE_NAME_TEXT},
};

static void read_kind(struct reading *r)
{
    struct notice *n = r->n;
    for (size_t i = 0; i < sizeof KINDS / sizeof KINDS[0]; i++)
        if (KINDS[i].packet_type == n->packet_type && n->kind != NOTICE_RETRACTION) n->kind = KINDS[i].kind;
    if (n->kind != NOTICE_CATALOGUE_SOURCE) return;
    n->event_class = CLASS_KNOWN_SOURCE;
    n->flags |= NOTICE_IN_CATALOGUE;
}

/* "ivo://org.svom/fsc#sb26021102_eclairs-wakeup": the burst, then the notice. */
static void read_burst_id(struct reading *r)
{
    struct notice *n = r->n;
    const struct saying *s = said_find(r->said, NULL, "Burst_Id");
    if (!s) {
        r->err = burst_fail(r->reterr, BURST_E_MISSING, "SVOM notice without Burst_Id");
        return;
    }
    notice_set_id(r, s, "SVOM-");
    if (r->err) return;
    const char *id = n->trigger_name;
    if (strncmp(id, "sb", 2) != 0 || strspn(id + 2, "0123456789") != 8 || id[10]) {
        reading_fail(r, BURST_E_FORMAT, s, "sbYYMMDDnn expected");
        return;
    }
    const char *fragment = strchr(n->ivorn, '#');
    size_t length = strlen(id);
    if (!fragment || strncmp(fragment + 1, id, length) != 0 || (fragment[1 + length] && fragment[1 + length] != '_')) {
        char why[NOTICE_IVORN_TEXT + 32];
        (void)snprintf(why, sizeof why, "the IVORN is of another burst: %s", n->ivorn);
        reading_fail(r, BURST_E_CONFLICT, s, why);
        return;
    }
    if (fragment[1 + length]) (void)snprintf(n->kind_word, sizeof n->kind_word, "%.31s", fragment + 2 + length);
}

static void read_words(struct reading *r)
{
    static const char *const SLEW[SLEW_N] = {NULL, "not-requested", "requested", "accepted", "rejected"};
    struct notice *n = r->n;
    for (int i = 1; i < SLEW_N; i++)
        if (said_is(r->said, NULL, "Slew_Status", SLEW[i])) n->slew = (enum notice_slew)i;
    if (said_is(r->said, NULL, "Slew_Status", "not_requested")) n->slew = SLEW_NOT_REQUESTED;
    if (said_is(r->said, NULL, "Trigger_Type", "CRT")) n->trigger_type = TRIGGER_TYPE_RATE;
    if (said_is(r->said, NULL, "Trigger_Type", "IMT")) n->trigger_type = TRIGGER_TYPE_IMAGE;
    if (n->source.instrument == INSTRUMENT_GRM && n->trigger_type == TRIGGER_TYPE_UNKNOWN)
        n->trigger_type = TRIGGER_TYPE_RATE; /* GRM has no image */
}

/* "011": one digit for each GRD, the first for GRD 1. */
static void read_grds(struct reading *r)
{
    const struct saying *s = said_find(r->said, NULL, "Triggered_GRDs");
    uint32_t mask = 0;
    if (r->err || !s || !s->text || !s->text[0]) return;
    if (strlen(s->text) != 3 || strspn(s->text, "01") != 3) {
        reading_fail(r, BURST_E_FORMAT, s, "three digits 0 or 1 expected");
        return;
    }
    for (uint32_t i = 0; i < 3; i++)
        mask |= (uint32_t)(s->text[i] == '1') << i;
    notice_set_detectors(r->n, mask);
}

void notice_read_svom(struct reading *r)
{
    struct notice *n = r->n;
    char instrument[NOTICE_WORD_TEXT] = "";
    if (n->source.mission != MISSION_SVOM) {
        r->err = burst_fail(r->reterr, BURST_E_CONFLICT, "a notice of SVOM on the topic of another mission");
        return;
    }
    read_text(r, said_find(r->said, NULL, "Instrument"), instrument, sizeof instrument);
    notice_set_origin(n, "SVOM", instrument);
    read_burst_id(r);
    read_kind(r);
    read_rules(r, RULES, sizeof RULES / sizeof RULES[0]);
    read_words(r);
    read_grds(r);
    n->containment = isnan(n->error_deg) ? NAN : 0.9;
}
