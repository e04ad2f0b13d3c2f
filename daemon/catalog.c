/* See catalog.h. */
#include "daemon/catalog.h"
#include "base/bytes.h"
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { HISTORY = 100 };

/* ---- requests ---- */

enum member_kind { MEMBER_NAME, MEMBER_DEGREES, MEMBER_FLAG, MEMBER_BY, MEMBER_COMMENT };

/* Members besides "command" and "action"; the actions that need one, and those that may have it, by bit number. */
static const struct member {
    const char *name;
    enum member_kind kind;
    unsigned needed, allowed;
} MEMBER[] = {
    {"name", MEMBER_NAME, 1U << CATALOG_SHOW | 1U << CATALOG_ADD | 1U << CATALOG_REMOVE, 0},
    {"ra_deg", MEMBER_DEGREES, 1U << CATALOG_ADD, 0},
    {"dec_deg", MEMBER_DEGREES, 1U << CATALOG_ADD, 0},
    {"bright", MEMBER_FLAG, 0, 1U << CATALOG_ADD},
    {"force", MEMBER_FLAG, 0, 1U << CATALOG_ADD},
    {"by", MEMBER_BY, 1U << CATALOG_ADD | 1U << CATALOG_REMOVE, 0},
    {"comment", MEMBER_COMMENT, 1U << CATALOG_ADD | 1U << CATALOG_REMOVE, 0},
};
enum { N_MEMBER = sizeof MEMBER / sizeof MEMBER[0] };

static enum burst_err read_action(const json_t *request, enum catalog_action *ret_action, struct burst_error *reterr)
{
    static const char *const WORD[CATALOG_N] = {"list", "show", "add", "remove"};
    const char *action = json_string_value(json_object_get(request, "action"));
    for (int i = 0; action && i < CATALOG_N; i++)
        if (strcmp(action, WORD[i]) == 0) {
            *ret_action = (enum catalog_action)i;
            return BURST_OK;
        }
    return burst_fail(reterr, BURST_E_UNSUPPORTED,
                      "catalog takes \"action\": \"list\", \"show\", \"add\" or \"remove\"");
}

static enum burst_err check_members(const json_t *request, enum catalog_action action, struct burst_error *reterr)
{
    const char *key;
    json_t *value;
    /* jansson's iteration wants a pointer that is not const, and changes nothing */
    json_object_foreach((json_t *)(uintptr_t)request, key, value)
    {
        int i = 0;
        while (i < N_MEMBER && strcmp(key, MEMBER[i].name) != 0)
            i++;
        bool known = i < N_MEMBER ? ((MEMBER[i].needed | MEMBER[i].allowed) >> action) & 1
                                  : strcmp(key, "command") == 0 || strcmp(key, "action") == 0;
        if (!known) /* a long name is not quoted: cut, it might be no UTF-8 any more */
            return burst_fail(reterr, BURST_E_FORMAT, "catalog: this action has no \"%s\"",
                              strlen(key) <= 40 ? key : "...");
    }
    for (int i = 0; i < N_MEMBER; i++)
        if ((MEMBER[i].needed >> action) & 1 && !json_object_get(request, MEMBER[i].name))
            return burst_fail(reterr, BURST_E_MISSING, "catalog: this action needs \"%s\"", MEMBER[i].name);
    return BURST_OK;
}

/* Text without control characters; JSON has made sure that it is UTF-8, and may hide a zero byte in it. */
static enum burst_err read_text(const json_t *value, const char *name, char *ret_text, size_t size,
                                struct burst_error *reterr)
{
    const char *text = json_string_value(value);
    size_t n = json_string_length(value);
    if (!text) return burst_fail(reterr, BURST_E_FORMAT, "catalog: \"%s\" is no text", name);
    if (n == 0 || n >= size)
        return burst_fail(reterr, BURST_E_LIMIT, "catalog: \"%s\" has %zu bytes, 1 to %zu expected", name, n, size - 1);
    for (size_t i = 0; i < n; i++)
        if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
            return burst_fail(reterr, BURST_E_FORMAT, "catalog: \"%s\" holds a control character", name);
    memcpy(ret_text, text, n + 1);
    return BURST_OK;
}

static enum burst_err read_degrees(const json_t *value, const char *name, double *ret_degrees,
                                   struct burst_error *reterr)
{
    if (!json_is_number(value)) return burst_fail(reterr, BURST_E_FORMAT, "catalog: \"%s\" is no number", name);
    *ret_degrees = json_number_value(value);
    return BURST_OK;
}

static enum burst_err read_flag(const json_t *value, const char *name, bool *ret_flag, struct burst_error *reterr)
{
    if (!json_is_boolean(value))
        return burst_fail(reterr, BURST_E_FORMAT, "catalog: \"%s\" is not true or false", name);
    *ret_flag = json_is_true(value);
    return BURST_OK;
}

static enum burst_err read_member(const struct member *m, const json_t *value, struct known_change *c,
                                  struct burst_error *reterr)
{
    struct catalogue_source *s = &c->source;
    switch (m->kind) {
    case MEMBER_NAME: return read_text(value, m->name, s->name, sizeof s->name, reterr);
    case MEMBER_DEGREES: return read_degrees(value, m->name, m->name[0] == 'r' ? &s->ra_deg : &s->dec_deg, reterr);
    case MEMBER_FLAG: return read_flag(value, m->name, m->name[0] == 'b' ? &s->bright : &c->force, reterr);
    case MEMBER_BY: return read_text(value, m->name, c->who, sizeof c->who, reterr);
    case MEMBER_COMMENT: return read_text(value, m->name, c->why, sizeof c->why, reterr);
    }
    return BURST_OK;
}

enum burst_err catalog_read(const json_t *request, struct catalog_request *ret_request, struct burst_error *reterr)
{
    struct catalog_request r = {0};
    enum burst_err err = read_action(request, &r.action, reterr);
    if (!err) err = check_members(request, r.action, reterr);
    for (int i = 0; !err && i < N_MEMBER; i++) {
        const json_t *value = json_object_get(request, MEMBER[i].name);
        if (value) err = read_member(&MEMBER[i], value, &r.change, reterr);
    }
    r.change.remove = r.action == CATALOG_REMOVE;
    if (!err) *ret_request = r;
    return err;
}

/* ---- answers ---- */

static bool is_added(const struct known *k, const char *name)
{
    const struct overlay *o = known_overlay(k);
    for (size_t i = 0; i < o->n_source; i++)
        if (strcasecmp(o->source[i].name, name) == 0) return true;
    return false;
}

static json_t *source_json(const struct catalogue_source *s, bool added)
{
    return json_pack("{s:s, s:f, s:f, s:b, s:s}", "name", s->name, "ra_deg", s->ra_deg, "dec_deg", s->dec_deg, "bright",
                     s->bright, "origin", added ? "added" : "file");
}

static json_t *digest_json(const struct known *k)
{
    uint8_t digest[32];
    char hex[65];
    known_sha256(k, digest);
    bytes_hex(digest, sizeof digest, hex);
    return json_string(hex);
}

static json_t *list_json(const struct known *k)
{
    const struct catalogue *c = known_catalogue(k);
    json_t *sources = json_array();
    for (size_t i = 0; i < c->n_source; i++)
        (void)json_array_append_new(sources, source_json(&c->source[i], is_added(k, c->source[i].name)));
    return json_pack("{s:b, s:o, s:o}", "ok", 1, "sources", sources, "config_sha256", digest_json(k));
}

static json_t *show_json(const struct known *k, struct store_reader *reader, const char *name,
                         struct burst_error *reterr)
{
    const struct catalogue *c = known_catalogue(k);
    char *text = NULL;
    if (store_audit_list(reader, NULL, name, HISTORY, &text, reterr)) return NULL;
    json_t *history = json_loads(text, JSON_REJECT_DUPLICATES, NULL), *answer = json_pack("{s:b}", "ok", 1);
    free(text);
    bool any = json_array_size(history) > 0;
    (void)json_object_set_new(answer, "history", history);
    for (size_t i = 0; i < c->n_source; i++)
        if (strcasecmp(c->source[i].name, name) == 0) {
            (void)json_object_set_new(answer, "source", source_json(&c->source[i], is_added(k, name)));
            any = true;
        }
    if (any) return answer;
    json_decref(answer);
    (void)burst_fail(reterr, BURST_E_MISSING, "no known source of the name \"%.40s\"", name);
    return NULL;
}

json_t *catalog_answer(struct known *k, struct store_reader *reader, const json_t *request, bool *ret_later,
                       struct burst_error *reterr)
{
    struct catalog_request r;
    *ret_later = false;
    if (catalog_read(request, &r, reterr)) return NULL;
    if (r.action == CATALOG_LIST) return list_json(k);
    if (r.action == CATALOG_SHOW) return show_json(k, reader, r.change.source.name, reterr);
    *ret_later = known_begin(k, &r.change, reterr) == BURST_OK;
    return NULL;
}

json_t *catalog_outcome(const struct known *k, const struct known_outcome *outcome)
{
    const struct known_change *c = &outcome->change;
    return json_pack("{s:b, s:o, s:I, s:o}", "ok", 1, c->remove ? "removed" : "added", source_json(&c->source, true),
                     "audit", (json_int_t)outcome->audit_number, "config_sha256", digest_json(k));
}
