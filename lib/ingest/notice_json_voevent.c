/* A VOEvent written as JSON: elements are objects, repeated ones lists, attributes keys; some writers mark attributes
 * with '@' and texts with '#text'. */
#include "ingest/notice_json.h"
#include <stdio.h>
#include <string.h>

struct listing {
    struct said *said;
    struct burst_error *reterr;
    enum burst_err err;
};

/* `key`, or the same marked as an attribute. */
static const json_t *get(const json_t *object, const char *key)
{
    char marked[64];
    const json_t *value = json_object_get(object, key);
    if (value) return value;
    (void)snprintf(marked, sizeof marked, "@%s", key);
    return json_object_get(object, marked);
}

/* Down a path of elements; NULL where it ends. */
static const json_t *walk(const json_t *object, const char *const *path)
{
    for (; *path && object; path++)
        object = get(object, *path);
    return object;
}

/* An element is itself, or the text within it where it has attributes too. */
static const json_t *text_of(const json_t *element)
{
    return json_is_object(element) ? json_object_get(element, "#text") : element;
}

static void put(struct listing *l, const char *group, const char *name, const json_t *value)
{
    if (!l->err && value) l->err = notice_json_put(l->said, group, name, value, l->reterr);
}

/* A list, or one alone: writers make a list only where there are several. */
static size_t count(const json_t *one_or_more)
{
    if (json_is_array(one_or_more)) return json_array_size(one_or_more);
    return json_is_object(one_or_more) || json_is_string(one_or_more) ? 1 : 0;
}

static const json_t *element(const json_t *one_or_more, size_t i)
{
    return json_is_array(one_or_more) ? json_array_get(one_or_more, i) : one_or_more;
}

static bool same(const struct saying *s, const json_t *value)
{
    if (json_is_string(value)) return s->text && !strcmp(s->text, json_string_value(value));
    return json_is_number(value) && !s->text && s->number == json_number_value(value);
}

static void put_params(struct listing *l, const char *group, const json_t *params)
{
    for (size_t i = 0; i < count(params) && !l->err; i++) {
        const json_t *param = element(params, i), *value = get(param, "value");
        const char *name = json_string_value(get(param, "name"));
        char plain[49];
        if (!value) value = json_object_get(param, "Value");
        if (!name || !value) continue;
        const struct saying *before = said_find(l->said, group, name);
        if (before && !same(before, value))
            l->err = burst_fail(l->reterr, BURST_E_FORMAT, "Param %s is given twice, with other values",
                                notice_plain(name, plain, sizeof plain));
        else
            put(l, group, name, value);
    }
}

static void put_what(struct listing *l, const json_t *what)
{
    const json_t *groups = json_object_get(what, "Group");
    put_params(l, "", json_object_get(what, "Param"));
    for (size_t i = 0; i < count(groups); i++) {
        const json_t *group = element(groups, i);
        const char *name = json_string_value(get(group, "name"));
        put_params(l, name && name[0] && name[0] != '/' ? name : "?", json_object_get(group, "Param"));
    }
}

static void put_where(struct listing *l, const json_t *root)
{
    static const char *const COORDS[] = {"WhereWhen", "ObsDataLocation", "ObservationLocation", "AstroCoords", NULL};
    static const char *const TIME[] = {"Time", "TimeInstant", "ISOTime", NULL};
    static const char *const C1[] = {"Value2", "C1", NULL}, *const C2[] = {"Value2", "C2", NULL};
    const json_t *coords = walk(root, COORDS), *place = get(coords, "Position2D");
    put(l, "/WhereWhen", "coord_system", get(coords, "coord_system_id"));
    put(l, "/WhereWhen", "ISOTime", text_of(walk(coords, TIME)));
    put(l, "/WhereWhen", "unit", get(place, "unit"));
    put(l, "/WhereWhen", "Name1", text_of(get(place, "Name1")));
    put(l, "/WhereWhen", "C1", text_of(walk(place, C1)));
    put(l, "/WhereWhen", "C2", text_of(walk(place, C2)));
    put(l, "/WhereWhen", "Error2Radius", text_of(get(place, "Error2Radius")));
}

static void put_citations(struct listing *l, const json_t *citations)
{
    const json_t *all = json_object_get(citations, "EventIVORN");
    struct said *said = l->said;
    put(l, "/Citations", "Description", text_of(json_object_get(citations, "Description")));
    for (size_t i = 0; i < count(all) && !l->err; i++) {
        const json_t *one = element(all, i), *text = text_of(one);
        const char *cite = json_string_value(get(one, "cite"));
        if (!json_is_string(text)) text = json_object_get(one, "text");
        if (!json_is_string(text)) continue;
        if (said->n_cited == NOTICE_CITED_MAX) {
            l->err = burst_fail(l->reterr, BURST_E_LIMIT, "more than %d EventIVORNs", NOTICE_CITED_MAX);
            return;
        }
        said->cited[said->n_cited].cite = cite ? cite : "";
        said->cited[said->n_cited].ivorn = json_string_value(text);
        said->cited[said->n_cited++].line = 0;
    }
}

enum burst_err notice_read_json_voevent(const json_t *root, struct notice *ret_n, struct burst_error *reterr)
{
    static const char *const DATE[] = {"Who", "Date", NULL}, *const PROBABILITY[] = {"Why", "Inference", "probability",
                                                                                     NULL};
    struct said said = {.what = "Param"};
    struct listing l = {&said, reterr, BURST_OK};
    put(&l, "/VOEvent", "ivorn", get(root, "ivorn"));
    put(&l, "/VOEvent", "role", get(root, "role"));
    put(&l, "/Who", "Date", text_of(walk(root, DATE)));
    put_what(&l, json_object_get(root, "What"));
    put_where(&l, root);
    put(&l, "/Why", "probability", walk(root, PROBABILITY));
    put_citations(&l, json_object_get(root, "Citations"));
    return l.err ? l.err : notice_read_voevent(&said, ret_n, reterr);
}
