/* Events of libyaml, strictly. */
#include "config/walk.h"
#include <assert.h>
#include <string.h>

struct place walk_place(const yaml_mark_t *mark)
{
    return (struct place){(int)mark->line + 1, (int)mark->column + 1};
}

static void check_decoration(struct walk *w, const yaml_event_t *event)
{
    struct place at = walk_place(&event->start_mark);
    const yaml_char_t *anchor = NULL, *tag = NULL;
    switch (event->type) {
    case YAML_ALIAS_EVENT:
        WALK_FAULT(w, at, "alias *%.40s: %s has no aliases", (const char *)event->data.alias.anchor, w->what);
        return;
    case YAML_SCALAR_EVENT: anchor = event->data.scalar.anchor, tag = event->data.scalar.tag; break;
    case YAML_SEQUENCE_START_EVENT:
        anchor = event->data.sequence_start.anchor, tag = event->data.sequence_start.tag;
        break;
    case YAML_MAPPING_START_EVENT:
        anchor = event->data.mapping_start.anchor, tag = event->data.mapping_start.tag;
        break;
    default: return;
    }
    if (anchor) WALK_FAULT(w, at, "anchor &%.40s: %s has no anchors", (const char *)anchor, w->what);
    if (tag) WALK_FAULT(w, at, "tag %.40s: %s has no tags", (const char *)tag, w->what);
}

/* The next event, checked for what no file may hold. False at the end of what can be read; nothing is to be deleted then. */
bool walk_next(struct walk *w, yaml_event_t *ret_event)
{
    if (w->broken) return false;
    if (!yaml_parser_parse(&w->yaml, ret_event)) {
        struct place at = walk_place(w->yaml.problem_mark.line || w->yaml.problem_mark.column ? &w->yaml.problem_mark
                                                                                              : &w->yaml.mark);
        WALK_FAULT(w, at, "not YAML: %s%s%s", w->yaml.context ? w->yaml.context : "", w->yaml.context ? ", " : "",
                   w->yaml.problem ? w->yaml.problem : "out of memory");
        w->broken = true;
        return false;
    }
    check_decoration(w, ret_event);
    if (ret_event->type == YAML_MAPPING_START_EVENT || ret_event->type == YAML_SEQUENCE_START_EVENT) w->depth++;
    if (ret_event->type == YAML_MAPPING_END_EVENT || ret_event->type == YAML_SEQUENCE_END_EVENT) w->depth--;
    if (w->depth <= CONFIG_DEPTH_MAX) return true;
    WALK_FAULT(w, walk_place(&ret_event->start_mark), "nested deeper than %d levels", CONFIG_DEPTH_MAX);
    yaml_event_delete(ret_event);
    w->broken = true;
    return false;
}

/* Read past the rest of a value whose first event has been read. */
void walk_skip_value(struct walk *w, yaml_event_type_t first)
{
    bool nested = first == YAML_MAPPING_START_EVENT || first == YAML_SEQUENCE_START_EVENT;
    int outside = w->depth - 1;
    yaml_event_t event;
    while (nested && w->depth > outside && walk_next(w, &event))
        yaml_event_delete(&event);
}

const char *walk_kind(yaml_event_type_t type)
{
    return type == YAML_MAPPING_START_EVENT ? "a section" : type == YAML_SEQUENCE_START_EVENT ? "a list" : "a value";
}

/* Read the first event of a value. False when it is not of the type wanted: the value has then been noted and passed over. */
bool walk_open(struct walk *w, const char *path, yaml_event_type_t want, yaml_event_t *ret_event)
{
    if (!walk_next(w, ret_event)) return false;
    if (ret_event->type == want) return true;
    if (ret_event->type != YAML_ALIAS_EVENT) /* told already */
        WALK_FAULT(w, walk_place(&ret_event->start_mark), "%s: is %s, must be %s", path, walk_kind(ret_event->type),
                   walk_kind(want));
    yaml_event_type_t got = ret_event->type;
    yaml_event_delete(ret_event);
    walk_skip_value(w, got);
    return false;
}

struct config_scalar walk_scalar(const yaml_event_t *event)
{
    return (struct config_scalar){(const char *)event->data.scalar.value, event->data.scalar.length,
                                  event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE};
}

/* Note that `what` is set; false when this mapping had it before. */
bool walk_first(struct walk *w, struct seen *seen, const void *what, const char *path, struct place at)
{
    for (int i = 0; i < seen->n; i++)
        if (seen->what[i] == what) {
            WALK_FAULT(w, at, "%s: given twice, first on line %d", path, seen->line[i]);
            return false;
        }
    assert(seen->n < WALK_SEEN_MAX); /* fewer known names than places */
    seen->what[seen->n] = what;
    seen->line[seen->n++] = at.line;
    return true;
}

void walk_skip_next(struct walk *w)
{
    yaml_event_t event;
    if (!walk_next(w, &event)) return;
    yaml_event_type_t type = event.type;
    yaml_event_delete(&event);
    walk_skip_value(w, type);
}

/* Keys and values up to the end of a mapping whose start has been read. */
void walk_mapping(struct walk *w, const char *prefix, void *base, struct seen *seen, walk_member *member)
{
    yaml_event_t event;
    while (walk_next(w, &event)) {
        yaml_event_type_t type = event.type;
        struct place at = walk_place(&event.start_mark);
        if (type == YAML_SCALAR_EVENT) {
            struct config_scalar scalar = walk_scalar(&event);
            bool whole = strlen(scalar.text) == scalar.n;
            if (whole) {
                member(w, prefix, scalar.text, at, base, seen);
            } else {
                WALK_FAULT(w, at, "a key holds a zero byte");
                walk_skip_next(w);
            }
        } else if (type != YAML_MAPPING_END_EVENT) {
            if (type != YAML_ALIAS_EVENT) WALK_FAULT(w, at, "a key is %s, must be a word", walk_kind(type));
            walk_skip_value(w, type);
            walk_skip_next(w);
        }
        yaml_event_delete(&event);
        if (type == YAML_MAPPING_END_EVENT) return;
    }
}

void walk_sections(struct walk *w, const char *path, const char *holds, walk_item *item)
{
    yaml_event_t event;
    while (walk_next(w, &event)) {
        yaml_event_type_t type = event.type;
        struct place at = walk_place(&event.start_mark);
        yaml_event_delete(&event);
        if (type == YAML_SEQUENCE_END_EVENT) return;
        if (type == YAML_MAPPING_START_EVENT) {
            item(w, at);
        } else {
            if (type != YAML_ALIAS_EVENT)
                WALK_FAULT(w, at, "%s: an item is %s, must be a section with %s", path, walk_kind(type), holds);
            walk_skip_value(w, type);
        }
    }
}

static void read_document(struct walk *w, void *base, walk_member *member)
{
    yaml_event_t event;
    int n_document = 0;
    for (bool more = true; more && walk_next(w, &event);) {
        yaml_event_type_t type = event.type;
        struct place at = walk_place(&event.start_mark);
        if (type == YAML_DOCUMENT_START_EVENT && n_document++ > 0)
            WALK_FAULT(w, at, "a second document begins: one is allowed");
        if (type == YAML_DOCUMENT_START_EVENT &&
            (event.data.document_start.version_directive ||
             event.data.document_start.tag_directives.start != event.data.document_start.tag_directives.end))
            WALK_FAULT(w, at, "%%YAML and %%TAG lines are not allowed");
        yaml_event_delete(&event);
        more = type != YAML_STREAM_END_EVENT && n_document < 2;
        if (type == YAML_MAPPING_START_EVENT) {
            struct seen seen = {0};
            walk_mapping(w, "", base, &seen, member);
        } else if (type == YAML_SCALAR_EVENT || type == YAML_SEQUENCE_START_EVENT) {
            WALK_FAULT(w, at, "the file is %s, must be a section of keys", walk_kind(type));
            walk_skip_value(w, type);
        }
    }
    if (n_document == 0 && !w->broken)
        WALK_FAULT(w, ((struct place){0, 0}), "the file is empty; write {} to take every default");
}

/* Bytes libyaml would pass over or read in its own way: a zero ends its input, a byte-order mark changes its encoding. */
static bool check_bytes(struct walk *w, const uint8_t *bytes, size_t n)
{
    struct place at = {1, 1};
    if (n >= 3 && memcmp(bytes, "\xef\xbb\xbf", 3) == 0)
        WALK_FAULT(w, at, "starts with a byte-order mark; save as UTF-8 without it");
    for (size_t i = 0; i < n && w->n_fault == 0; i++) {
        if (bytes[i] == '\r')
            WALK_FAULT(w, at, "a line ends with CR LF; save with LF line ends");
        else if ((bytes[i] < 0x20 && bytes[i] != '\n' && bytes[i] != '\t') || bytes[i] == 0x7f)
            WALK_FAULT(w, at, "control character (byte 0x%02x)", (unsigned)bytes[i]);
        at = bytes[i] == '\n' ? (struct place){at.line + 1, 1} : (struct place){at.line, at.column + 1};
    }
    return w->n_fault == 0;
}

enum burst_err walk_document(struct walk *w, const uint8_t *bytes, size_t n, void *base, walk_member *member)
{
    if (!check_bytes(w, bytes, n)) return BURST_E_CONFIG;
    if (!yaml_parser_initialize(&w->yaml)) return BURST_E_NOMEM;
    yaml_parser_set_encoding(&w->yaml, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&w->yaml, bytes, n);
    read_document(w, base, member);
    yaml_parser_delete(&w->yaml);
    return w->n_fault ? BURST_E_CONFIG : BURST_OK;
}
