/* A strict walk through one YAML document: events of libyaml, checked for what none of our files may hold, every fault noted with
 * its place and reading going on. Shared by burstd.yaml and the instruments' files. Private to lib/config; the only header that
 * knows libyaml. */
#ifndef BURST_CONFIG_WALK_H
#define BURST_CONFIG_WALK_H
#include "config/table.h"
#include <yaml.h>

enum { WALK_PATH_TEXT = 160, WALK_SEEN_MAX = 48 };

struct place {
    int line, column;
};

struct walk {
    yaml_parser_t yaml;
    struct config_faults *faults; /* may be NULL */
    const char *what;             /* the file in sentences: "burstd.yaml" */
    int depth, n_fault;
    bool broken; /* no further event can be read */
};

/* What one mapping has had so far: rows, sections or lists, by identity. */
struct seen {
    int n;
    const void *what[WALK_SEEN_MAX];
    int line[WALK_SEEN_MAX];
};

/* A key of a mapping has been read: find what it names below `prefix` and read its value into `base`. */
typedef void walk_member(struct walk *w, const char *prefix, const char *name, struct place at, void *base,
                         struct seen *seen);

/* A section in a list begins; read it to its end. */
typedef void walk_item(struct walk *w, struct place at);

#define WALK_FAULT(w, place, ...)                                                                                      \
    ((w)->n_fault++, config_fault_add((w)->faults, (place).line, (place).column, __VA_ARGS__))

/* The whole document: a mapping of keys, each given to `member`.
 * Errors  BURST_E_CONFIG  faults were noted; BURST_E_NOMEM */
enum burst_err walk_document(struct walk *w, const uint8_t *bytes, size_t n, void *base, walk_member *member);
/* Keys and values up to the end of a mapping whose start has been read. */
void walk_mapping(struct walk *w, const char *prefix, void *base, struct seen *seen, walk_member *member);

/* Sections up to the end of the list `path` whose start has been read. What is none is noted, with what one `holds`, and passed over. */
void walk_sections(struct walk *w, const char *path, const char *holds, walk_item *item);

/* The next event. False at the end of what can be read; nothing is to be deleted then. */
bool walk_next(struct walk *w, yaml_event_t *ret_event);
/* Read the first event of a value. False when it is not of the type wanted: the value has then been noted and passed over. */
bool walk_open(struct walk *w, const char *path, yaml_event_type_t want, yaml_event_t *ret_event);
/* Read past the rest of a value whose first event has been read; past the whole of the next value. */
void walk_skip_value(struct walk *w, yaml_event_type_t first);
void walk_skip_next(struct walk *w);
/* Note that `what` is set; false when this mapping had it before. */
bool walk_first(struct walk *w, struct seen *seen, const void *what, const char *path, struct place at);

struct place walk_place(const yaml_mark_t *mark);
struct config_scalar walk_scalar(const yaml_event_t *event);
/* "a section", "a list" or "a value". */
const char *walk_kind(yaml_event_type_t type);
#endif
