/* Notices in JSON: GCN's unified schema (v2 to v7: fields have only been added), and VOEvents that a program has written
 * as JSON. A key given twice is refused: two readers would believe different ones. */
#include "ingest/notice_json.h"
#include "ingest/notice_inside.h"
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* ---- the list ---- */

enum burst_err notice_json_put(struct said *said, const char *group, const char *name, const json_t *value,
                               struct burst_error *reterr)
{
    if (json_is_string(value)) {
        const char *text = json_string_value(value);
        return said_put(said, (struct saying){group, name, text, 0, 0}, reterr);
    }
    if (json_is_number(value))
        return said_put(said, (struct saying){group, name, NULL, json_number_value(value), 0}, reterr);
    if (json_is_boolean(value))
        return said_put(said, (struct saying){group, name, json_is_true(value) ? "true" : "false", 0, 0}, reterr);
    return BURST_OK; /* null says nothing; lists and objects are read where they are known */
}

/* ---- who ---- */

/* A mission by its `mission` or by the folder of its `$schema`. Names as the missions' notices give them. */
static const struct {
    const char *name, *folder, *mission_name, *instrument_name;
    enum burst_mission mission; /* whose topic; MISSION_GECAM_A: that of any GECAM */
} MISSIONS[] = {
    {"SVOM", "/svom/", "SVOM", "", MISSION_SVOM},
    {"Fermi", "/fermi/gbm/", "Fermi", "GBM", MISSION_FERMI},
    {"GECAM", "/gecam/", "GECAM", "GRD", MISSION_GECAM_A},
    {"GECAM-A", "/gecam/", "GECAM-A", "GRD", MISSION_GECAM_A},
    {"GECAM-B", "/gecam/", "GECAM-B", "GRD", MISSION_GECAM_B},
    {"GECAM-C", "/gecam/", "GECAM-C", "GRD", MISSION_GECAM_C},
    {"Einstein Probe", "/einstein_probe/", "Einstein Probe", "WXT", MISSION_EXTERNAL},
    {"EP", "/einstein_probe/", "Einstein Probe", "WXT", MISSION_EXTERNAL},
    {"Swift", "/swift/bat/", "Swift", "BAT", MISSION_EXTERNAL},
};
enum { N_MISSION = sizeof MISSIONS / sizeof MISSIONS[0] };

static int find_mission(const struct said *said)
{
    const char *schema = said_text(said, "", "$schema");
    for (int i = 0; i < N_MISSION; i++)
        if (said_is(said, "", "mission", MISSIONS[i].name)) return i;
    for (int i = 0; i < N_MISSION && !said_find(said, "", "mission"); i++)
        if (strstr(schema, MISSIONS[i].folder)) return i;
    return N_MISSION;
}

static bool is_gecam(enum burst_mission m)
{
    return m == MISSION_GECAM_A || m == MISSION_GECAM_B || m == MISSION_GECAM_C;
}

/* "GECAM" alone, with or without `mission_type` A, B or C, takes its satellite from the topic. */
static bool fits_topic(const struct reading *r, int i)
{
    enum burst_mission topic = r->n->source.mission;
    const char *type = said_text(r->said, "", "mission_type");
    if (i == N_MISSION) return topic == MISSION_EXTERNAL || !said_find(r->said, "", "mission");
    if (strcmp(MISSIONS[i].mission_name, "GECAM") != 0) return MISSIONS[i].mission == topic;
    return is_gecam(topic) && (!type[0] || !strcmp(type, notice_mission_name(topic) + strlen("GECAM-")));
}

static void read_origin(struct reading *r)
{
    struct notice *n = r->n;
    int i = find_mission(r->said);
    char mission[NOTICE_WORD_TEXT] = "", instrument[NOTICE_WORD_TEXT] = "";
    read_text(r, said_find(r->said, "", "mission"), mission, sizeof mission);
    if (!fits_topic(r, i)) {
        const char *topic = notice_mission_name(n->source.mission);
        r->err = burst_fail(r->reterr, BURST_E_CONFLICT, "a notice of %s on the topic of %s",
                            i < N_MISSION ? MISSIONS[i].mission_name : mission, topic ? topic : "other missions");
        return;
    }
    read_text(r, said_find(r->said, "", "instrument"), instrument, sizeof instrument);
    if (i < N_MISSION && !instrument[0])
        (void)snprintf(instrument, sizeof instrument, "%s", MISSIONS[i].instrument_name);
    const char *own = notice_mission_name(n->source.mission);
    const char *name = own ? own : i < N_MISSION ? MISSIONS[i].mission_name : mission;
    if (!name[0]) name = instrument;
    if (!name[0]) r->err = burst_fail(r->reterr, BURST_E_MISSING, "neither mission, instrument nor a known $schema");
    notice_set_origin(n, name, instrument);
}

/* `id` is a text, a number, or a list of which the first counts. A bare number gets the mission and instrument before it,
 * so that it names the same event as the mission's VOEvents do, and no other mission's. */
static void read_id(struct reading *r, const json_t *root)
{
    const struct notice *n = r->n;
    const json_t *id = json_object_get(root, "id");
    char prefix[2 * NOTICE_WORD_TEXT + 2];
    if (json_is_array(id)) id = json_array_get(id, 0);
    if (r->err || !id || json_is_null(id)) return;
    const struct saying s = {"", "id", json_string_value(id), json_number_value(id), 0};
    if (!s.text && !json_is_integer(id)) {
        r->err = burst_fail(r->reterr, BURST_E_FORMAT, "key id: a text, a whole number or a list of them expected");
        return;
    }
    bool gecam = is_gecam(n->source.mission);
    const char *mission = !strcmp(n->mission_name, "Einstein Probe") ? "EP" : n->mission_name;
    bool with_instrument = !gecam && n->instrument_name[0] && strcmp(mission, n->instrument_name) != 0;
    (void)snprintf(prefix, sizeof prefix, "%s-%s%s", mission, with_instrument ? n->instrument_name : "",
                   with_instrument ? "-" : "");
    for (char *c = prefix; *c; c++)
        if (!isalnum((unsigned char)*c) && !strchr("_.-", *c)) *c = '_';
    notice_set_id(r, &s, prefix);
}

/* ---- figures ---- */

static const struct rule RULES[] = {
    {"trigger_time_error", RULE_REAL, RULE_TO(trigger_error_s), 0, 1e6, UNKNOWN_MINUS_1, 0},
    {"alert_datetime", RULE_UTC, RULE_TO(published_ns), 0, 0, 0, 0},
    {"observation_start", RULE_UTC, RULE_TO(window.start_ns), 0, 0, 0, 0},
    {"observation_stop", RULE_UTC, RULE_TO(window.stop_ns), 0, 0, 0, 0},
    {"record_number", RULE_INT, RULE_TO(record), 0, 1e6, 0, 0},
    {"ra", RULE_REAL, RULE_TO(ra_deg), 0, 360, UNKNOWN_NEVER, 0},
    {"dec", RULE_REAL, RULE_TO(dec_deg), -90, 90, UNKNOWN_NEVER, 0},
    {"ra_dec_error", RULE_REAL, RULE_TO(error_deg), 0, 180, UNKNOWN_MINUS_1 | UNKNOWN_ZERO, 0},
    {"containment_probability", RULE_REAL, RULE_TO(containment), 0, 1, UNKNOWN_MINUS_1, 0},
    {"instrument_phi", RULE_REAL, RULE_TO(phi_deg), -360, 360, UNKNOWN_NEVER, 0},
    {"instrument_theta", RULE_REAL, RULE_TO(theta_deg), -180, 180, UNKNOWN_NEVER, 0},
    {"sun_distance", RULE_REAL, RULE_TO(sun_angle_deg), 0, 180, UNKNOWN_MINUS_1, 0},
    {"moon_distance", RULE_REAL, RULE_TO(moon_angle_deg), 0, 180, UNKNOWN_MINUS_1, 0},
    {"p_astro", RULE_REAL, RULE_TO(p_astro), 0, 1, UNKNOWN_MINUS_1, 0},
    {"far", RULE_REAL, RULE_TO(far_hz), 0, 1e9, UNKNOWN_MINUS_1, 0},
    {"net_count_rate", RULE_REAL, RULE_TO(intensity), -1e9, 1e9, UNKNOWN_MINUS_1, 0},
    {"flux", RULE_REAL, RULE_TO(intensity), 0, 1e9, UNKNOWN_MINUS_1, 0},
    {"hardness_ratio", RULE_REAL, RULE_TO(hardness), 0, 1e6, UNKNOWN_MINUS_1 | UNKNOWN_ZERO, 0},
    {"t90", RULE_REAL, RULE_TO(duration_s), 0, 1e6, UNKNOWN_MINUS_1 | UNKNOWN_ZERO, 0},
    {"latitude", RULE_REAL, RULE_TO(sat_latitude_deg), -90, 90, UNKNOWN_NEVER, 0},
    {"longitude", RULE_REAL, RULE_TO(sat_longitude_deg), -180, 360, UNKNOWN_NEVER, 0},
    {"altitude", RULE_REAL, RULE_TO(sat_altitude_km), 0, 1e9, UNKNOWN_MINUS_1, 0},
    {"ra_pointing", RULE_REAL, RULE_TO(attitude_ra_deg), -360, 360, UNKNOWN_NEVER, 0},
    {"dec_pointing", RULE_REAL, RULE_TO(attitude_dec_deg), -90, 90, UNKNOWN_NEVER, 0},
    {"roll", RULE_REAL, RULE_TO(attitude_roll_deg), -360, 360, UNKNOWN_NEVER, 0},
    {"additional_info", RULE_TEXT, RULE_TO(text), 0, 0, 0, NOTICE_TEXT},
    {"subtype", RULE_TEXT, RULE_TO(kind_word), 0, 0, 0, NOTICE_WORD_TEXT},
    {"alert_type", RULE_TEXT, RULE_TO(kind_word), 0, 0, 0, NOTICE_WORD_TEXT},
    {"human_in_the_loop", RULE_FLAG, NOTICE_HUMAN, 0, 0, 0, 0},
    {"ground_generated_notice", RULE_FLAG, NOTICE_GROUND, 0, 0, 0, 0},
};

/* The element of a list of two, NaN where it is absent or null. */
static double read_element(struct reading *r, const json_t *list, size_t i, const char *name)
{
    const json_t *value = json_array_get(list, i);
    const struct saying s = {"", name, json_string_value(value), json_number_value(value), 0};
    if (!value || (!s.text && !json_is_number(value))) return NAN;
    return read_real(r, &s, 0, 1e9, UNKNOWN_MINUS_1 | UNKNOWN_INFINITE);
}

/* Significance, time scale and band of the trigger: those of its kind, rate or image. */
static void read_detection(struct reading *r, const json_t *root)
{
    static const char *const SNR[] = {"image_snr", "rate_snr"}, *const SCALE[] = {"image_duration", "rate_duration"},
                             *const BAND[] = {"image_energy_range", "rate_energy_range"};
    struct notice *n = r->n;
    if (said_is(r->said, "", "trigger_type", "rate")) n->trigger_type = TRIGGER_TYPE_RATE;
    if (said_is(r->said, "", "trigger_type", "image")) n->trigger_type = TRIGGER_TYPE_IMAGE;
    for (int i = 0; i < 2; i++) {
        int k = n->trigger_type == TRIGGER_TYPE_RATE ? 1 - i : i;
        const json_t *band = json_object_get(root, BAND[k]);
        if (isnan(n->snr_sigma))
            n->snr_sigma = read_real(r, said_find(r->said, "", SNR[k]), -1e6, 1e6, UNKNOWN_MINUS_1);
        if (isnan(n->timescale_s))
            n->timescale_s = read_real(r, said_find(r->said, "", SCALE[k]), 0, 1e6, UNKNOWN_MINUS_1 | UNKNOWN_ZERO);
        if (!isnan(n->e_min_kev) || !json_is_array(band) || said_is(r->said, "", "spectral_band_units", "nm")) continue;
        n->e_min_kev = read_element(r, band, 0, BAND[k]);
        n->e_max_kev = read_element(r, band, 1, BAND[k]);
    }
}

/* `ra_dec_error` may be an ellipse: the larger half-axis comes first. */
static void read_radius(struct reading *r, const json_t *root)
{
    const json_t *error = json_object_get(root, "ra_dec_error"), *first = json_array_get(error, 0);
    const struct saying s = {"", "ra_dec_error", NULL, json_number_value(first), 0};
    if (json_is_number(first)) r->n->error_deg = read_real(r, &s, 0, 180, UNKNOWN_MINUS_1 | UNKNOWN_ZERO);
    if (isnan(r->n->containment) && !isnan(r->n->error_deg)) r->n->containment = 0.9; /* the schema's default */
}

static void read_attitude(struct reading *r, const json_t *root)
{
    const json_t *q = json_object_get(root, "attitude_quarternion"); /* the schema's spelling */
    if (!q) q = json_object_get(root, "attitude_quaternion");
    double part[4], norm = 0;
    if (r->err || json_array_size(q) != 4) return;
    for (size_t i = 0; i < 4; i++) {
        part[i] = json_number_value(json_array_get(q, i));
        norm += part[i] * part[i];
    }
    if (fabs(norm - 1) > 0.01)
        r->err = burst_fail(r->reterr, BURST_E_RANGE, "key attitude_quarternion: its square is %g, 1 expected", norm);
    else
        memcpy(r->n->quaternion, part, sizeof part);
}

static void read_detectors(struct reading *r, const json_t *root)
{
    const json_t *grds = json_object_get(root, "triggered_GRDs"), *status = json_object_get(root, "detectors_status"),
                 *list = grds ? grds : status, *value;
    uint32_t mask = 0;
    size_t i;
    if (!json_array_size(list) || json_array_size(list) > DETECTOR_MAX) return;
    json_array_foreach(list, i, value)
    {
        const char *word = json_string_value(value);
        mask |= (uint32_t)(json_is_true(value) || (word && !strcasecmp(word, "triggered"))) << i;
    }
    notice_set_detectors(r->n, mask);
}

/* The two likeliest of `classification`, an object (some send it as a list of one). */
static void read_class(struct reading *r, const json_t *root)
{
    struct notice *n = r->n;
    json_t *all = json_object_get(root, "classification"), *value;
    if (json_is_array(all)) all = json_array_get(all, 0);
    const char *word;
    double sum = 0;
    if (r->err || !json_is_object(all)) return;
    json_object_foreach(all, word, value)
    {
        const struct saying s = {"", word, json_string_value(value), json_number_value(value), 0};
        double p = read_real(r, &s, 0, 1, UNKNOWN_MINUS_1);
        const struct saying name = {"", "classification", word, 0, 0};
        if (isnan(p)) continue;
        sum += p;
        if (isnan(n->class_p) || p > n->class_p) {
            memcpy(n->second_class, n->mission_class, sizeof n->second_class);
            n->second_p = n->class_p;
            n->class_p = p;
            read_text(r, &name, n->mission_class, sizeof n->mission_class);
        } else if (isnan(n->second_p) || p > n->second_p) {
            n->second_p = p;
            read_text(r, &name, n->second_class, sizeof n->second_class);
        }
    }
    if (!r->err && sum > 1.01)
        r->err = burst_fail(r->reterr, BURST_E_RANGE, "key classification: the probabilities sum to %g", sum);
}

/* ---- what it is ---- */

static void read_tense(struct reading *r)
{
    static const struct {
        const char *word;
        enum alert_tense tense;
    } WORDS[] = {{"current", TENSE_CURRENT},
                 {"test", TENSE_TEST},
                 {"commanded", TENSE_TEST}, /* a trigger that was ordered is no burst */
                 {"injection", TENSE_INJECTION},
                 {"archival", TENSE_ARCHIVAL}};
    const struct saying *s = said_find(r->said, "", "alert_tense");
    r->n->tense = TENSE_CURRENT;
    if (!s) return;
    for (size_t i = 0; i < sizeof WORDS / sizeof WORDS[0]; i++)
        if (said_is(r->said, "", "alert_tense", WORDS[i].word)) {
            r->n->tense = WORDS[i].tense;
            return;
        }
    if (said_is(r->said, "", "alert_tense", "planned"))
        reading_fail(r, BURST_E_UNSUPPORTED, s, "a planned observation is no trigger");
    else /* a new word must not pass for "current" */
        reading_fail(r, BURST_E_FORMAT, s, "current, archival, injection, commanded or test expected");
}

static void read_kind(struct reading *r)
{
    struct notice *n = r->n;
    const struct saying *s = said_find(r->said, "", "alert_type");
    n->kind = NOTICE_TRIGGER;
    if (said_is(r->said, "", "alert_type", "initial"))
        n->type = ALERT_INITIAL;
    else if (said_is(r->said, "", "alert_type", "subsequent")) /* the same source triggers again */
        n->type = ALERT_UPDATE;
    else if (said_is(r->said, "", "alert_type", "update"))
        n->type = ALERT_UPDATE, n->kind = NOTICE_UPDATE;
    else if (said_is(r->said, "", "alert_type", "retraction"))
        n->type = ALERT_RETRACTION, n->kind = NOTICE_RETRACTION;
    else if (s)
        reading_fail(r, BURST_E_FORMAT, s, "initial, subsequent, update or retraction expected");
    if (said_is(r->said, "", "retraction", "true")) n->kind = NOTICE_RETRACTION;
    if (said_is(r->said, "", "duration_class", "LONG")) n->flags |= NOTICE_LONG;
    if (said_is(r->said, "", "duration_class", "SHORT")) n->flags |= NOTICE_SHORT;
}

/* SVOM: an update that says how the slew went is the slew notice; a name that is no burst's is the catalogue's. */
static void read_svom(struct reading *r, const json_t *root)
{
    static const char *const SLEW[SLEW_N] = {NULL, "not_requested", "requested", "accepted", "rejected"};
    struct notice *n = r->n;
    const json_t *name = json_object_get(root, "event_name");
    if (json_is_array(name)) name = json_array_get(name, 0);
    for (int i = 1; i < SLEW_N; i++)
        if (said_is(r->said, "", "slew_status", SLEW[i])) n->slew = (enum notice_slew)i;
    if (said_is(r->said, "", "slew_status", "not-requested")) n->slew = SLEW_NOT_REQUESTED;
    if (n->kind == NOTICE_UPDATE && (n->slew == SLEW_ACCEPTED || n->slew == SLEW_REJECTED)) n->kind = NOTICE_SLEW;
    if (n->source.instrument == INSTRUMENT_GRM && n->trigger_type == TRIGGER_TYPE_UNKNOWN)
        n->trigger_type = TRIGGER_TYPE_RATE;
    if (!strcmp(n->instrument_name, "MXT") || !strcmp(n->instrument_name, "VT"))
        n->kind = n->kind == NOTICE_RETRACTION ? n->kind : NOTICE_FOLLOW_UP;
    const char *word = json_string_value(name);
    if (!word || n->kind != NOTICE_TRIGGER || !strncasecmp(word, "GRB", 3) || !strncmp(word, "sb", 2)) return;
    const struct saying s = {"", "event_name", word, 0, 0};
    read_text(r, &s, n->catalogue_name, sizeof n->catalogue_name);
    n->kind = NOTICE_CATALOGUE_SOURCE;
    n->event_class = CLASS_KNOWN_SOURCE;
    n->flags |= NOTICE_IN_CATALOGUE;
}

static enum burst_err read_unified(json_t *root, struct notice *n, struct burst_error *reterr)
{
    struct said said = {.what = "key"};
    struct reading r = {&said, n, reterr, BURST_OK};
    const char *key;
    json_t *value;
    json_object_foreach(root, key, value)
    {
        if (!r.err) r.err = notice_json_put(&said, "", key, value, reterr);
    }
    if (!r.err) read_origin(&r);
    read_tense(&r);
    read_kind(&r);
    read_id(&r, root);
    n->trigger_ns = read_utc(&r, said_find(&said, "", "trigger_time"), &n->trigger_digit_s);
    read_rules(&r, RULES, sizeof RULES / sizeof RULES[0]);
    read_radius(&r, root);
    read_detection(&r, root);
    read_attitude(&r, root);
    read_detectors(&r, root);
    read_class(&r, root);
    if (!r.err && n->source.mission == MISSION_SVOM) read_svom(&r, root);
    return r.err;
}

/* ---- the parser ---- */

/* jansson's own limit is 2048 levels, each a call. */
static enum burst_err check_depth(const char *text, size_t n, struct burst_error *reterr)
{
    int depth = 0;
    bool quoted = false;
    for (size_t i = 0; i < n; i++) {
        if (quoted && text[i] == '\\')
            i++;
        else if (text[i] == '"')
            quoted = !quoted;
        else if (!quoted && (text[i] == '{' || text[i] == '['))
            depth++;
        else if (!quoted && (text[i] == '}' || text[i] == ']'))
            depth--;
        if (depth > NOTICE_DEPTH_MOST)
            return burst_fail(reterr, BURST_E_LIMIT, "JSON, byte %zu: more than %d brackets within each other", i,
                              NOTICE_DEPTH_MOST);
    }
    return BURST_OK;
}

enum burst_err notice_read_json(const char *text, size_t n, struct notice *ret_n, struct burst_error *reterr)
{
    json_error_t why;
    enum burst_err err = check_depth(text, n, reterr);
    if (err) return err;
    json_t *root = json_loadb(text, n, JSON_REJECT_DUPLICATES, &why);
    if (!root) {
        char plain[121];
        return burst_fail(reterr, json_error_code(&why) == json_error_out_of_memory ? BURST_E_NOMEM : BURST_E_FORMAT,
                          "JSON, line %d:%d: %s", why.line, why.column, notice_plain(why.text, plain, sizeof plain));
    }
    err = json_object_get(root, "ivorn") || json_object_get(root, "@ivorn")
              ? notice_read_json_voevent(root, ret_n, reterr)
              : read_unified(root, ret_n, reterr);
    json_decref(root);
    return err;
}
