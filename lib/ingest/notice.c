/* The door for notices: size, first byte, the reader that fits, and the checks that all of them share. */
#include "base/clock.h"
#include "base/hash.h"
#include "ingest/notice_inside.h"
#include <ctype.h>
#include <libxml/parser.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

void ingest_notice_start(void)
{
    xmlInitParser(); /* xmlCleanupParser is for the end of a process alone: other users in it may still need libxml2 */
}

/* ---- words the readers share ---- */

const char *notice_mission_name(enum burst_mission mission)
{
    size_t n;
    const struct instrument_fact *facts = source_facts(&n);
    for (size_t i = 0; i < n; i++)
        if (facts[i].mission == mission) return facts[i].mission_name;
    return NULL;
}

void notice_set_origin(struct notice *n, const char *mission_name, const char *instrument_name)
{
    size_t n_fact;
    const struct instrument_fact *facts = source_facts(&n_fact);
    (void)snprintf(n->mission_name, sizeof n->mission_name, "%s", mission_name);
    (void)snprintf(n->instrument_name, sizeof n->instrument_name, "%s", instrument_name);
    n->source.instrument = INSTRUMENT_NONE;
    for (size_t i = 0; i < n_fact; i++)
        if (facts[i].mission == n->source.mission && !strcasecmp(facts[i].instrument_name, instrument_name))
            n->source.instrument = facts[i].instrument;
}

void notice_set_detectors(struct notice *n, uint32_t mask)
{
    n->detectors = mask;
    n->detectors_known = true;
}

void notice_set_id(struct reading *r, const struct saying *s, const char *prefix)
{
    struct notice *n = r->n;
    read_name(r, s, n->trigger_name, sizeof n->trigger_name);
    if (r->err || !n->trigger_name[0]) return;
    bool bare = n->trigger_name[strspn(n->trigger_name, "0123456789")] == 0;
    int length = snprintf(n->id, sizeof n->id, "%s%s", bare ? prefix : "", n->trigger_name);
    if (length < 0 || (size_t)length >= sizeof n->id) reading_fail(r, BURST_E_FORMAT, s, "too long for an event's id");
}

int64_t notice_set_number(struct reading *r, const struct saying *s, int64_t most, const char *prefix)
{
    struct notice *n = r->n;
    int64_t number = read_int(r, s, 1, most);
    if (r->err || !number) return 0;
    (void)snprintf(n->trigger_name, sizeof n->trigger_name, "%lld", (long long)number);
    (void)snprintf(n->id, sizeof n->id, "%.32s%lld", prefix, (long long)number);
    return number;
}

void notice_check_ivorn(struct reading *r, const struct saying *s)
{
    const struct notice *n = r->n;
    char why[NOTICE_IVORN_TEXT + 48];
    size_t length = strlen(n->trigger_name);
    if (r->err) return;
    for (const char *at = strstr(n->ivorn + 1, n->trigger_name); at; at = strstr(at + 1, n->trigger_name))
        if (!isdigit((unsigned char)at[-1]) && !isdigit((unsigned char)at[length])) return;
    (void)snprintf(why, sizeof why, "the IVORN is of another trigger: %s", n->ivorn);
    reading_fail(r, BURST_E_CONFLICT, s, why);
}

/* GBM and GECAM classes: formats.md 4.3; SF, LOCAL_PARTICLES with a blank: BurstCube's notices. */
enum event_class notice_class(const char *word)
{
    static const struct {
        const char *word;
        enum event_class class;
    } TABLE[] = {
        {"GRB", CLASS_GRB},
        {"GENERIC_SGR", CLASS_SGR},
        {"SGR", CLASS_SGR},
        {"SGR_1806_20", CLASS_SGR},
        {"SOLAR_FLARE", CLASS_SOLAR_FLARE},
        {"SFLARE", CLASS_SOLAR_FLARE},
        {"SOLARFLARE", CLASS_SOLAR_FLARE},
        {"SF", CLASS_SOLAR_FLARE},
        {"TGF", CLASS_TGF},
        {"KNOWN_SOURCE", CLASS_KNOWN_SOURCE},
        {"KNOWNSOURCE", CLASS_KNOWN_SOURCE},
        {"CYG_X1", CLASS_KNOWN_SOURCE},
        {"GROJ_0422_32", CLASS_KNOWN_SOURCE},
        {"LOCAL_PARTICLES", CLASS_PARTICLE},
        {"DISTANT_PARTICLES", CLASS_PARTICLE},
        {"PARTICLES", CLASS_PARTICLE},
        {"PARTICLE", CLASS_PARTICLE},
        {"INSTRUMENTAL", CLASS_INSTRUMENTAL},
        {"GENERIC_TRANSIENT", CLASS_OTHER},
        {"GENERIC_SOURCE", CLASS_OTHER},
        {"OTHER", CLASS_OTHER},
    };
    char same[NOTICE_WORD_TEXT];
    (void)snprintf(same, sizeof same, "%s", word);
    for (char *c = same; *c; c++)
        if (*c == ' ' || *c == '-') *c = '_';
    for (size_t i = 0; i < sizeof TABLE / sizeof TABLE[0]; i++)
        if (!strcasecmp(same, TABLE[i].word)) return TABLE[i].class;
    return CLASS_N;
}

/* ---- what every notice must keep ---- */

static const int64_t YEAR_1990_NS = 631152000 * CLOCK_NS_PER_S, YEAR_2101_NS = 4133980800 * CLOCK_NS_PER_S;

static enum burst_err check_times(const struct notice *n, struct burst_error *reterr)
{
    const struct {
        const char *name;
        int64_t ns;
    } times[] = {{"trigger time", n->trigger_ns},
                 {"publication time", n->published_ns},
                 {"sequence start", n->sequence_ns},
                 {"window start", n->window.start_ns},
                 {"window end", n->window.stop_ns}};
    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++)
        if (times[i].ns && (times[i].ns < YEAR_1990_NS || times[i].ns >= YEAR_2101_NS))
            return burst_fail(reterr, BURST_E_TIME, "the %s is outside 1990 to 2100", times[i].name);
    if (!n->trigger_ns && n->kind != NOTICE_RETRACTION) return burst_fail(reterr, BURST_E_MISSING, "no trigger time");
    if (!n->window.start_ns != !n->window.stop_ns)
        return burst_fail(reterr, BURST_E_TIME, "half a time window: start and end expected");
    if (n->window.stop_ns < n->window.start_ns)
        return burst_fail(reterr, BURST_E_TIME, "the time window ends before it starts");
    return BURST_OK;
}

static enum burst_err check_place(struct notice *n, struct burst_error *reterr)
{
    if (isnan(n->ra_deg) != isnan(n->dec_deg))
        return burst_fail(reterr, BURST_E_RANGE, "half a position: %s is there alone",
                          isnan(n->ra_deg) ? "declination" : "right ascension");
    if (n->ra_deg == 360) n->ra_deg = 0;
    if (isnan(n->ra_deg)) n->error_deg = NAN;
    if (isnan(n->error_deg)) n->containment = NAN;
    if (n->sat_longitude_deg > 180) n->sat_longitude_deg -= 360;
    return BURST_OK;
}

static void complete(struct notice *n)
{
    for (int i = 0; i < n->n_cited; i++)
        if (n->cited[i].cite == CITE_RETRACTION) n->kind = NOTICE_RETRACTION;
    if (n->kind == NOTICE_RETRACTION) n->type = ALERT_RETRACTION;
    if (n->type == ALERT_N) n->type = n->kind == NOTICE_TRIGGER && !n->n_cited ? ALERT_INITIAL : ALERT_UPDATE;
    if (n->tense == TENSE_CURRENT && n->source.realm == REALM_TEST) n->tense = TENSE_TEST;
    if (n->tense == TENSE_CURRENT && n->source.realm == REALM_ARCHIVE) n->tense = TENSE_ARCHIVAL;
    if (n->mission_class[0]) n->event_class = notice_class(n->mission_class);
    if (n->timescale_s == 0) n->timescale_s = NAN;
}

enum burst_err notice_finish(struct notice *n, struct burst_error *reterr)
{
    complete(n);
    if (!n->id[0]) return burst_fail(reterr, BURST_E_MISSING, "no trigger id");
    enum burst_err err = check_times(n, reterr);
    if (!err) err = check_place(n, reterr);
    if (!err && n->e_max_kev <= n->e_min_kev)
        err =
            burst_fail(reterr, BURST_E_RANGE, "energy band %g to %g keV: rising expected", n->e_min_kev, n->e_max_kev);
    return err;
}

/* ---- the door ---- */

/* Programs put a byte order mark or an empty line in front of what they send. */
static void skip_blank(const char **text, size_t *n)
{
    if (*n >= 3 && !memcmp(*text, "\xef\xbb\xbf", 3)) *text += 3, *n -= 3;
    while (*n && isspace((unsigned char)**text))
        (*text)++, (*n)--;
}

static enum burst_err read_text_body(enum notice_content content, const char *text, size_t n, struct notice *notice,
                                     struct burst_error *reterr)
{
    skip_blank(&text, &n);
    if (!n) return burst_fail(reterr, BURST_E_FORMAT, "an empty notice");
    char first = content == NOTICE_JSON ? '{' : '<';
    if (*text != first)
        return burst_fail(reterr, BURST_E_FORMAT, "the header says %s, but the body begins with byte 0x%02x, not '%c'",
                          content == NOTICE_JSON ? "JSON" : "XML", (unsigned)(unsigned char)*text, first);
    return content == NOTICE_JSON ? notice_read_json(text, n, notice, reterr)
                                  : notice_read_xml(text, n, notice, reterr);
}

enum burst_err ingest_notice(struct source source, enum notice_content content, const uint8_t *body, size_t n,
                             struct notice *ret_notice, struct burst_error *reterr)
{
    struct notice notice;
    enum burst_err err;
    if (n > NOTICE_BODY_MOST)
        return burst_fail(reterr, BURST_E_LIMIT, "a notice of %zu bytes, at most %d expected", n, NOTICE_BODY_MOST);
    notice_clear(&notice);
    notice.source = (struct source){source.realm, source.mission, INSTRUMENT_NONE};
    notice.type = ALERT_N; /* until one is said or follows from the kind */
    switch (content) {
    case NOTICE_JSON:
    case NOTICE_XML: err = read_text_body(content, (const char *)body, n, &notice, reterr); break;
    case NOTICE_BINARY: err = notice_read_binary(body, n, &notice, reterr); break;
    default:
        return burst_fail(reterr, BURST_E_UNSUPPORTED, "content %d: a notice is JSON (%d) or XML (%d)", (int)content,
                          NOTICE_JSON, NOTICE_XML);
    }
    if (err || (err = notice_finish(&notice, reterr))) return err;
    hash_sha256(&(struct hash_piece){body, n}, 1, notice.sha256);
    *ret_notice = notice;
    return BURST_OK;
}
