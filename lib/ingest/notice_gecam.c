/* GECAM's VOEvents: flight (188) and ground (189). Source: formats.md 4.3; the radius is one sigma, 68 % (GCN Circular
 * 30400; nasa-gcn/gcn-classic-to-json, GECAM_FLT); numbers from 100000000 are tests (gcn.nasa.gov, missions/gecam). */
#include "ingest/notice_inside.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { TYPE_FLIGHT = 188, TYPE_GROUND = 189, N_GRD = 25, TEST_FROM = 100000000 };

static const struct rule RULES[] = {
    {"TRIGGER_SIGNIF", RULE_REAL, RULE_TO(snr_sigma), 0, 1e6, UNKNOWN_MINUS_1 | UNKNOWN_ZERO, 0},
    {"TRIGGER_DUR", RULE_REAL, RULE_TO(timescale_s), 0, 1e5, UNKNOWN_MINUS_1 | UNKNOWN_ZERO, 0},
    {"TRIGGER_ERANGE_LoEnergy", RULE_REAL, RULE_TO(e_min_kev), 0, 1e6, UNKNOWN_MINUS_1, 0},
    {"TRIGGER_ERANGE_HiEnergy", RULE_REAL, RULE_TO(e_max_kev), 0, 1e6, UNKNOWN_MINUS_1 | UNKNOWN_INFINITE, 0},
    {"SRC_CLASS", RULE_TEXT, RULE_TO(mission_class), 0, 0, 0, NOTICE_WORD_TEXT},
    {"BURST_INTEN", RULE_REAL, RULE_TO(intensity), 0, 1e9, UNKNOWN_MINUS_1 | UNKNOWN_ZERO, 0},
    {"BURST_DUR", RULE_REAL, RULE_TO(duration_s), 0, 1e6, UNKNOWN_MINUS_1 | UNKNOWN_ZERO, 0},
    {"Phi", RULE_REAL, RULE_TO(phi_deg), -360, 360, UNKNOWN_NEVER, 0},
    {"Theta", RULE_REAL, RULE_TO(theta_deg), -180, 180, UNKNOWN_NEVER, 0},
    {"SC_LAT", RULE_REAL, RULE_TO(sat_latitude_deg), -90, 90, UNKNOWN_NEVER, 0},
    {"SC_LONG", RULE_REAL, RULE_TO(sat_longitude_deg), -180, 360, UNKNOWN_NEVER, 0},
};

const char *notice_gecam_class(int index)
{
    static const char *const WORDS[] = {"", "GRB", "SFLARE", "KNOWN_SOURCE", "GENERIC_SOURCE"};
    return index >= 0 && index < (int)(sizeof WORDS / sizeof WORDS[0]) ? WORDS[index] : "";
}

/* MISSION is "A", "B" or "C"; where it is absent the topic says which. */
static const char *read_mission(struct reading *r)
{
    const struct saying *s = said_find(r->said, NULL, "MISSION");
    char word[NOTICE_WORD_TEXT] = "";
    enum burst_mission topic = r->n->source.mission;
    if (topic != MISSION_GECAM_A && topic != MISSION_GECAM_B && topic != MISSION_GECAM_C) {
        r->err = burst_fail(r->reterr, BURST_E_CONFLICT, "a notice of GECAM on the topic of another mission");
        return "";
    }
    const char *name = notice_mission_name(topic);
    read_text(r, s, word, sizeof word);
    if (word[0] && strcmp(word, name + strlen("GECAM-")) != 0 && strcmp(word, name) != 0) {
        char why[64];
        (void)snprintf(why, sizeof why, "the topic is of %s", name);
        reading_fail(r, BURST_E_CONFLICT, s, why);
    }
    return name;
}

static void read_kind(struct reading *r)
{
    struct notice *n = r->n;
    if (r->err) return;
    if (n->packet_type != TYPE_FLIGHT && n->packet_type != TYPE_GROUND) {
        r->err = burst_fail(r->reterr, BURST_E_UNSUPPORTED,
                            "GECAM packet type %d: 188 (flight) or 189 (ground) expected", n->packet_type);
        return;
    }
    bool ground = n->packet_type == TYPE_GROUND;
    if (n->kind != NOTICE_RETRACTION) n->kind = ground ? NOTICE_UPDATE : NOTICE_TRIGGER;
    if (ground) n->flags |= NOTICE_GROUND;
    (void)snprintf(n->kind_word, sizeof n->kind_word, ground ? "GECAM_GND" : "GECAM_FLT");
}

void notice_read_gecam(struct reading *r)
{
    struct notice *n = r->n;
    uint32_t mask;
    char prefix[NOTICE_WORD_TEXT + 1];
    const char *mission = read_mission(r);
    const struct saying *trigger = said_find(r->said, NULL, "Trigger_Number");
    notice_set_origin(n, mission, "GRD");
    (void)snprintf(prefix, sizeof prefix, "%s-", mission);
    read_kind(r);
    if (notice_set_number(r, trigger, INT32_MAX, prefix) >= TEST_FROM) n->tense = TENSE_TEST;
    read_rules(r, RULES, sizeof RULES / sizeof RULES[0]);
    if (read_mask(r, said_find(r->said, NULL, "TRIGGER_DETS"), N_GRD, &mask)) notice_set_detectors(n, mask);
    if (n->packet_type == TYPE_FLIGHT) n->trigger_type = TRIGGER_TYPE_RATE;
    n->containment = isnan(n->error_deg) ? NAN : 0.68;
}
