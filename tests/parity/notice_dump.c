/* What our reader makes of notices, as JSON lines: notice_dump reads lines "REALM MISSION CONTENT PATH" from standard input
 * (e.g. "live svom xml a.xml") and answers each with the record, absent fields left out, or with the refusal. */
#include "base/bytes.h"
#include "ingest/notice.h"
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- what is there ---- */

static void put_text(json_t *o, const char *key, const char *text)
{
    if (text[0]) (void)json_object_set_new(o, key, json_string(text));
}

static void put_real(json_t *o, const char *key, double value)
{
    if (!isnan(value)) (void)json_object_set_new(o, key, json_real(value));
}

static void put_int(json_t *o, const char *key, int64_t value)
{
    if (value) (void)json_object_set_new(o, key, json_integer(value));
}

static void put_identity(json_t *o, const struct notice *n)
{
    static const char *const TYPES[] = {"initial", "update", "retraction"};
    static const char *const TENSES[] = {"current", "test", "injection", "archival"};
    put_text(o, "mission_name", n->mission_name);
    put_text(o, "instrument_name", n->instrument_name);
    put_int(o, "instrument", n->source.instrument + 1);
    put_text(o, "id", n->id);
    put_text(o, "trigger_name", n->trigger_name);
    put_text(o, "kind", NOTICE_KIND_WORD[n->kind]);
    put_text(o, "kind_word", n->kind_word);
    put_text(o, "type", TYPES[n->type]);
    put_text(o, "tense", TENSES[n->tense]);
    put_int(o, "packet_type", n->packet_type);
    put_int(o, "packet_serial", n->packet_serial);
    put_int(o, "record", n->record);
    put_text(o, "ivorn", n->ivorn);
    put_text(o, "text", n->text);
    json_t *cited = json_array();
    for (int i = 0; i < n->n_cited; i++)
        (void)json_array_append_new(cited, json_pack("[ss]", NOTICE_CITE_WORD[n->cited[i].cite], n->cited[i].ivorn));
    (void)json_object_set_new(o, "cited", cited);
}

static void put_detection(json_t *o, const struct notice *n)
{
    put_int(o, "published_ns", n->published_ns);
    put_int(o, "trigger_ns", n->trigger_ns);
    put_real(o, "trigger_digit_s", n->trigger_digit_s);
    put_real(o, "trigger_error_s", n->trigger_error_s);
    put_int(o, "sequence_ns", n->sequence_ns);
    put_int(o, "window_start_ns", n->window.start_ns);
    put_int(o, "window_stop_ns", n->window.stop_ns);
    put_real(o, "timescale_s", n->timescale_s);
    put_real(o, "e_min_kev", n->e_min_kev);
    put_real(o, "e_max_kev", n->e_max_kev);
    put_real(o, "snr_sigma", n->snr_sigma);
    put_text(o, "trigger_type", NOTICE_TRIGGER_TYPE_WORD[n->trigger_type]);
    if (n->detectors_known) (void)json_object_set_new(o, "detectors", json_integer(n->detectors));
    put_real(o, "duration_s", n->duration_s);
    put_real(o, "intensity", n->intensity);
    put_real(o, "hardness", n->hardness);
}

static void put_place(json_t *o, const struct notice *n)
{
    put_real(o, "ra_deg", n->ra_deg);
    put_real(o, "dec_deg", n->dec_deg);
    put_real(o, "error_deg", n->error_deg);
    put_real(o, "containment", n->containment);
    put_real(o, "phi_deg", n->phi_deg);
    put_real(o, "theta_deg", n->theta_deg);
    put_real(o, "sun_angle_deg", n->sun_angle_deg);
    put_real(o, "moon_angle_deg", n->moon_angle_deg);
    put_text(o, "slew", NOTICE_SLEW_WORD[n->slew]);
    put_real(o, "attitude_ra_deg", n->attitude_ra_deg);
    put_real(o, "attitude_dec_deg", n->attitude_dec_deg);
    put_real(o, "attitude_roll_deg", n->attitude_roll_deg);
    if (!isnan(n->quaternion[0]))
        (void)json_object_set_new(
            o, "quaternion",
            json_pack("[ffff]", n->quaternion[0], n->quaternion[1], n->quaternion[2], n->quaternion[3]));
    put_real(o, "sat_longitude_deg", n->sat_longitude_deg);
    put_real(o, "sat_latitude_deg", n->sat_latitude_deg);
    put_real(o, "sat_altitude_km", n->sat_altitude_km);
}

static void put_nature(json_t *o, const struct notice *n)
{
    static const char *const CLASSES[CLASS_N] = {"GRB",         "SGR",      "SolarFlare",   "TGF",
                                                 "KnownSource", "Particle", "Instrumental", "Other"};
    if (n->event_class < CLASS_N) put_text(o, "event_class", CLASSES[n->event_class]);
    put_text(o, "mission_class", n->mission_class);
    put_real(o, "class_p", n->class_p);
    put_text(o, "second_class", n->second_class);
    put_real(o, "second_p", n->second_p);
    put_real(o, "p_astro", n->p_astro);
    put_real(o, "far_hz", n->far_hz);
    put_real(o, "inference_p", n->inference_p);
    json_t *flags = json_array();
    for (int i = 0; i < NOTICE_FLAG_N; i++)
        if (n->flags & 1u << i) (void)json_array_append_new(flags, json_string(NOTICE_FLAG_WORD[i]));
    (void)json_object_set_new(o, "flags", flags);
    put_int(o, "catalogue_id", n->catalogue_id);
    put_text(o, "catalogue_name", n->catalogue_name);
}

/* ---- one line ---- */

static int find_word(const char *word, const char *const *words)
{
    for (int i = 0; words[i]; i++)
        if (!strcmp(word, words[i])) return i;
    return -1;
}

static json_t *answer(const char *realm, const char *mission, const char *content, const char *path)
{
    static const char *const REALMS[] = {"live", "test", "archive", NULL}, *const MISSIONS[] = {"gecam-a", "gecam-b",
                                                                                                "gecam-c", "svom",
                                                                                                "fermi",   "external",
                                                                                                NULL},
                             *const CONTENTS[] = {"json", "xml", "binary", NULL};
    static const enum notice_content CONTENT[] = {NOTICE_JSON, NOTICE_XML, NOTICE_BINARY};
    int r = find_word(realm, REALMS), m = find_word(mission, MISSIONS), c = find_word(content, CONTENTS);
    struct burst_error why = {.text = ""};
    struct notice n;
    uint8_t *body;
    size_t size;
    if (r < 0 || m < 0 || c < 0) return json_pack("{ssss}", "code", "usage", "text", path);
    if (bytes_read_file(path, (size_t)1 << 26, &body, &size, &why))
        return json_pack("{ssss}", "code", "io", "text", why.text);
    struct source source = {(enum burst_realm)r, (enum burst_mission)m, INSTRUMENT_NONE};
    enum burst_err err = ingest_notice(source, CONTENT[c], body, size, &n, &why);
    free(body);
    if (err) return json_pack("{ssss}", "code", burst_err_name(err), "text", why.text);
    json_t *o = json_pack("{ss}", "code", "ok");
    put_identity(o, &n);
    put_detection(o, &n);
    put_place(o, &n);
    put_nature(o, &n);
    return o;
}

int main(void)
{
    char line[4096], realm[16], mission[16], content[16], path[4000];
    ingest_notice_start();
    while (fgets(line, sizeof line, stdin)) {
        if (sscanf(line, "%15s %15s %15s %3999[^\n]", realm, mission, content, path) != 4) return 2;
        json_t *o = answer(realm, mission, content, path);
        char *text = json_dumps(o, JSON_COMPACT | JSON_REAL_PRECISION(17));
        (void)puts(text ? text : "{}");
        free(text);
        json_decref(o);
    }
    return 0;
}
