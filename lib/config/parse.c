/* YAML events to a configuration. A fault is noted and reading goes on with the next key, so that one run tells them all; only
 * broken YAML and too deep nesting end it. */
#include "config/table.h"
#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <yaml.h>

enum { PATH_TEXT = 160, SEEN_MAX = 48 };

struct place {
    int line, column;
};

struct walk {
    yaml_parser_t yaml;
    struct config_faults *faults;
    struct burst_config *config;
    int depth, n_fault;
    bool broken;                                          /* no further event can be read */
    struct place detect, output, input[CONFIG_INPUT_MAX]; /* for faults that involve several keys */
};

/* What one mapping has had so far: rows, sections or lists, by identity. */
struct seen {
    int n;
    const void *what[SEEN_MAX];
    int line[SEEN_MAX];
};

static struct place place_of(const yaml_mark_t *mark)
{
    return (struct place){(int)mark->line + 1, (int)mark->column + 1};
}

#define FAULT(w, place, ...) ((w)->n_fault++, config_fault_add((w)->faults, (place).line, (place).column, __VA_ARGS__))

static void check_decoration(struct walk *w, const yaml_event_t *event)
{
    struct place at = place_of(&event->start_mark);
    const yaml_char_t *anchor = NULL, *tag = NULL;
    switch (event->type) {
    case YAML_ALIAS_EVENT:
        FAULT(w, at, "alias *%.40s: burstd.yaml has no aliases", (const char *)event->data.alias.anchor);
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
    if (anchor) FAULT(w, at, "anchor &%.40s: burstd.yaml has no anchors", (const char *)anchor);
    if (tag) FAULT(w, at, "tag %.40s: burstd.yaml has no tags", (const char *)tag);
}

/* The next event, checked for what no file may hold. False at the end of what can be read; nothing is to be deleted then. */
static bool next_event(struct walk *w, yaml_event_t *ret_event)
{
    if (w->broken) return false;
    if (!yaml_parser_parse(&w->yaml, ret_event)) {
        struct place at =
            place_of(w->yaml.problem_mark.line || w->yaml.problem_mark.column ? &w->yaml.problem_mark : &w->yaml.mark);
        FAULT(w, at, "not YAML: %s%s%s", w->yaml.context ? w->yaml.context : "", w->yaml.context ? ", " : "",
              w->yaml.problem ? w->yaml.problem : "out of memory");
        w->broken = true;
        return false;
    }
    check_decoration(w, ret_event);
    if (ret_event->type == YAML_MAPPING_START_EVENT || ret_event->type == YAML_SEQUENCE_START_EVENT) w->depth++;
    if (ret_event->type == YAML_MAPPING_END_EVENT || ret_event->type == YAML_SEQUENCE_END_EVENT) w->depth--;
    if (w->depth <= CONFIG_DEPTH_MAX) return true;
    FAULT(w, place_of(&ret_event->start_mark), "nested deeper than %d levels", CONFIG_DEPTH_MAX);
    yaml_event_delete(ret_event);
    w->broken = true;
    return false;
}

/* Read past the rest of a value whose first event has been read. */
static void skip_value(struct walk *w, yaml_event_type_t first)
{
    bool nested = first == YAML_MAPPING_START_EVENT || first == YAML_SEQUENCE_START_EVENT;
    int outside = w->depth - 1;
    yaml_event_t event;
    while (nested && w->depth > outside && next_event(w, &event))
        yaml_event_delete(&event);
}

static const char *kind_of(yaml_event_type_t type)
{
    return type == YAML_MAPPING_START_EVENT ? "a section" : type == YAML_SEQUENCE_START_EVENT ? "a list" : "a value";
}

/* Read the first event of a value. False when it is not of the type wanted: the value has then been noted and passed over. */
static bool open_value(struct walk *w, const char *path, yaml_event_type_t want, yaml_event_t *ret_event)
{
    if (!next_event(w, ret_event)) return false;
    if (ret_event->type == want) return true;
    if (ret_event->type != YAML_ALIAS_EVENT) /* told already */
        FAULT(w, place_of(&ret_event->start_mark), "%s: is %s, must be %s", path, kind_of(ret_event->type),
              kind_of(want));
    yaml_event_type_t got = ret_event->type;
    yaml_event_delete(ret_event);
    skip_value(w, got);
    return false;
}

static struct config_scalar scalar_of(const yaml_event_t *event)
{
    return (struct config_scalar){(const char *)event->data.scalar.value, event->data.scalar.length,
                                  event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE};
}

static void read_scalar(struct walk *w, const struct config_key *key, void *base)
{
    yaml_event_t event;
    if (!open_value(w, key->path, YAML_SCALAR_EVENT, &event)) return;
    struct burst_error why;
    if (config_set(key, base, scalar_of(&event), &why) != BURST_OK)
        FAULT(w, place_of(&event.start_mark), "%.255s", why.text);
    yaml_event_delete(&event);
}

static void add_topic(struct walk *w, struct config_input *input, const yaml_event_t *event)
{
    struct place at = place_of(&event->start_mark);
    struct burst_error why;
    struct config_scalar scalar = scalar_of(event);
    if (config_check_text("inputs[].topics", CONFIG_TOPIC, scalar, CONFIG_TOPIC_TEXT, &why) != BURST_OK) {
        FAULT(w, at, "%.255s", why.text);
        return;
    }
    if (input->n_topic == CONFIG_TOPIC_MAX) {
        FAULT(w, at, "inputs[].topics: more than %d prefixes", CONFIG_TOPIC_MAX);
        return;
    }
    for (int i = 0; i < input->n_topic; i++)
        if (strcmp(input->topic[i], scalar.text) == 0) FAULT(w, at, "inputs[].topics: %s is given twice", scalar.text);
    memcpy(input->topic[input->n_topic++], scalar.text, scalar.n);
}

static void read_topics(struct walk *w, struct config_input *input)
{
    yaml_event_t event;
    if (!open_value(w, "inputs[].topics", YAML_SEQUENCE_START_EVENT, &event)) return;
    struct place at = place_of(&event.start_mark);
    yaml_event_delete(&event);
    memset(input->topic, 0, sizeof input->topic);
    input->n_topic = 0;
    int n_fault = w->n_fault;
    while (next_event(w, &event)) {
        yaml_event_type_t type = event.type;
        if (type == YAML_SCALAR_EVENT)
            add_topic(w, input, &event);
        else if (type == YAML_MAPPING_START_EVENT || type == YAML_SEQUENCE_START_EVENT)
            FAULT(w, place_of(&event.start_mark), "inputs[].topics: is %s, must be a value", kind_of(type));
        yaml_event_delete(&event);
        if (type == YAML_SEQUENCE_END_EVENT) break;
        skip_value(w, type);
    }
    if (input->n_topic == 0 && w->n_fault == n_fault)
        FAULT(w, at, "inputs[].topics: is empty: nothing would be received");
}

static void read_inputs(struct walk *w);

/* Note that `what` is set; false when this mapping had it before. */
static bool is_first(struct walk *w, struct seen *seen, const void *what, const char *path, struct place at)
{
    for (int i = 0; i < seen->n; i++)
        if (seen->what[i] == what) {
            FAULT(w, at, "%s: given twice, first on line %d", path, seen->line[i]);
            return false;
        }
    assert(seen->n < SEEN_MAX); /* fewer known names than places */
    seen->what[seen->n] = what;
    seen->line[seen->n++] = at.line;
    return true;
}

static void skip_next(struct walk *w)
{
    yaml_event_t event;
    if (!next_event(w, &event)) return;
    yaml_event_type_t type = event.type;
    yaml_event_delete(&event);
    skip_value(w, type);
}

static void read_mapping(struct walk *w, const char *prefix, void *base, struct seen *seen);

static void read_section(struct walk *w, const struct config_section *section, struct place at)
{
    char prefix[PATH_TEXT];
    yaml_event_t event;
    if (strcmp(section->name, "inputs") == 0) {
        read_inputs(w);
        return;
    }
    if (strcmp(section->name, "detect") == 0) w->detect = at;
    if (strcmp(section->name, "output") == 0) w->output = at;
    if (!open_value(w, section->name, YAML_MAPPING_START_EVENT, &event)) return;
    yaml_event_delete(&event);
    struct seen seen = {0};
    (void)snprintf(prefix, sizeof prefix, "%s.", section->name);
    read_mapping(w, prefix, w->config, &seen);
}

/* A key has been read: find what it names and read its value. */
static void read_member(struct walk *w, const char *prefix, const char *name, struct place at, void *base,
                        struct seen *seen)
{
    static const char topics; /* identity of the one list inside an item */
    char path[PATH_TEXT];
    (void)snprintf(path, sizeof path, "%s%.100s", prefix, name);
    const struct config_section *section = prefix[0] ? NULL : config_find_section(path);
    const struct config_key *key = prefix[0] ? config_find_key(path) : NULL;
    bool is_topics = strcmp(path, "inputs[].topics") == 0;
    const void *what = section ? (const void *)section : key ? (const void *)key : is_topics ? &topics : NULL;
    if (!what) {
        const char *nearest = config_nearest_key(path);
        FAULT(w, at, "unknown key %s%s%s%s", path, nearest ? "; did you mean " : "", nearest ? nearest : "",
              nearest ? "?" : "");
        skip_next(w);
    } else if (!is_first(w, seen, what, path, at)) {
        skip_next(w);
    } else if (section) {
        read_section(w, section, at);
    } else if (key) {
        read_scalar(w, key, base);
    } else {
        read_topics(w, base);
    }
}

/* Keys and values up to the end of a mapping whose start has been read. */
static void read_mapping(struct walk *w, const char *prefix, void *base, struct seen *seen)
{
    yaml_event_t event;
    while (next_event(w, &event)) {
        yaml_event_type_t type = event.type;
        struct place at = place_of(&event.start_mark);
        if (type == YAML_SCALAR_EVENT) {
            struct config_scalar scalar = scalar_of(&event);
            bool whole = strlen(scalar.text) == scalar.n;
            if (whole) {
                read_member(w, prefix, scalar.text, at, base, seen);
            } else {
                FAULT(w, at, "a key holds a zero byte");
                skip_next(w);
            }
        } else if (type != YAML_MAPPING_END_EVENT) {
            if (type != YAML_ALIAS_EVENT) FAULT(w, at, "a key is %s, must be a word", kind_of(type));
            skip_value(w, type);
            skip_next(w);
        }
        yaml_event_delete(&event);
        if (type == YAML_MAPPING_END_EVENT) return;
    }
}

static void input_defaults(struct config_input *input)
{
    memset(input, 0, sizeof *input);
    input->n_topic = CONFIG_N_DEFAULT_TOPIC;
    for (int i = 0; i < CONFIG_N_DEFAULT_TOPIC; i++)
        (void)snprintf(input->topic[i], CONFIG_TOPIC_TEXT, "%s", CONFIG_DEFAULT_TOPICS[i]);
}

static void read_input(struct walk *w, struct place at)
{
    struct config_input input;
    struct seen seen = {0};
    input_defaults(&input);
    read_mapping(w, "inputs[].", &input, &seen);
    size_t n_key;
    const struct config_key *key = config_input_keys(&n_key);
    for (size_t i = 0; i < n_key; i++) {
        bool given = false;
        for (int j = 0; j < seen.n; j++)
            given = given || seen.what[j] == &key[i];
        if (!given && (key[i].flags & CONFIG_NEEDED) && !w->broken) FAULT(w, at, "%s: is missing", key[i].path);
    }
    if (w->config->n_input == CONFIG_INPUT_MAX) {
        FAULT(w, at, "inputs: more than %d", CONFIG_INPUT_MAX);
        return;
    }
    w->input[w->config->n_input] = at;
    w->config->input[w->config->n_input++] = input;
}

static void read_inputs(struct walk *w)
{
    yaml_event_t event;
    if (!open_value(w, "inputs", YAML_SEQUENCE_START_EVENT, &event)) return;
    yaml_event_delete(&event);
    memset(w->config->input, 0, sizeof w->config->input);
    w->config->n_input = 0;
    while (next_event(w, &event)) {
        yaml_event_type_t type = event.type;
        struct place at = place_of(&event.start_mark);
        yaml_event_delete(&event);
        if (type == YAML_SEQUENCE_END_EVENT) return;
        if (type == YAML_MAPPING_START_EVENT) {
            read_input(w, at);
        } else {
            if (type != YAML_ALIAS_EVENT)
                FAULT(w, at, "inputs: an item is %s, must be a section with live and history", kind_of(type));
            skip_value(w, type);
        }
    }
}

static void name_inputs(struct burst_config *config)
{
    for (int i = 0; i < config->n_input; i++)
        if (!config->input[i].name[0]) (void)snprintf(config->input[i].name, CONFIG_TEXT, "gateway%d", i + 1);
}

/* Two sockets cannot share an endpoint, and burstd must not listen to itself. */
static void check_endpoints(struct walk *w)
{
    const struct burst_config *c = w->config;
    const char *taken[3 + 2 * CONFIG_INPUT_MAX] = {c->output_live, c->output_history, c->command_socket};
    int n = 3;
    struct place at = w->output;
    for (int i = 0; i <= c->n_input; i++) {
        for (int a = 0; a < n; a++)
            for (int b = i == 0 ? a + 1 : n - 2; b < n; b++)
                if (a < b && taken[a][0] && strcmp(taken[a], taken[b]) == 0)
                    FAULT(w, at, "two sockets have the endpoint %s", taken[b]);
        if (i == c->n_input) break;
        at = w->input[i];
        taken[n++] = c->input[i].live;
        taken[n++] = c->input[i].history;
    }
}

static void check_together(struct walk *w)
{
    const struct burst_config *c = w->config;
    if (c->detect_low >= c->detect_high)
        FAULT(w, w->detect, "detect.low %g is not below detect.high %g", c->detect_low, c->detect_high);
    if (c->n_input == 0)
        config_fault_add(w->faults, 0, 0, "inputs: is empty: burstd would receive nothing"), w->n_fault++;
    for (int i = 0; i < c->n_input; i++)
        for (int j = 0; j < i; j++)
            if (strcmp(c->input[i].name, c->input[j].name) == 0)
                FAULT(w, w->input[i], "inputs[].name: %s is given twice", c->input[i].name);
    check_endpoints(w);
}

static void read_document(struct walk *w)
{
    yaml_event_t event;
    int n_document = 0;
    for (bool more = true; more && next_event(w, &event);) {
        yaml_event_type_t type = event.type;
        struct place at = place_of(&event.start_mark);
        if (type == YAML_DOCUMENT_START_EVENT && n_document++ > 0)
            FAULT(w, at, "a second document begins: one is allowed");
        if (type == YAML_DOCUMENT_START_EVENT &&
            (event.data.document_start.version_directive ||
             event.data.document_start.tag_directives.start != event.data.document_start.tag_directives.end))
            FAULT(w, at, "%%YAML and %%TAG lines are not allowed");
        yaml_event_delete(&event);
        more = type != YAML_STREAM_END_EVENT && n_document < 2;
        if (type == YAML_MAPPING_START_EVENT) {
            struct seen seen = {0};
            read_mapping(w, "", w->config, &seen);
        } else if (type == YAML_SCALAR_EVENT || type == YAML_SEQUENCE_START_EVENT) {
            FAULT(w, at, "the file is %s, must be a section of keys", kind_of(type));
            skip_value(w, type);
        }
    }
    if (n_document == 0 && !w->broken)
        FAULT(w, ((struct place){0, 0}), "the file is empty; write {} to take every default");
}

/* Bytes libyaml would pass over or read in its own way: a zero ends its input, a byte-order mark changes its encoding. */
static bool check_bytes(struct walk *w, const uint8_t *bytes, size_t n)
{
    struct place at = {1, 1};
    if (n >= 3 && memcmp(bytes, "\xef\xbb\xbf", 3) == 0)
        FAULT(w, at, "starts with a byte-order mark; save as UTF-8 without it");
    for (size_t i = 0; i < n && w->n_fault == 0; i++) {
        if (bytes[i] == '\r')
            FAULT(w, at, "a line ends with CR LF; save with LF line ends");
        else if ((bytes[i] < 0x20 && bytes[i] != '\n' && bytes[i] != '\t') || bytes[i] == 0x7f)
            FAULT(w, at, "control character (byte 0x%02x)", (unsigned)bytes[i]);
        at = bytes[i] == '\n' ? (struct place){at.line + 1, 1} : (struct place){at.line, at.column + 1};
    }
    return w->n_fault == 0;
}

void config_defaults(struct burst_config *ret_config)
{
    memset(ret_config, 0, sizeof *ret_config);
    size_t n_key, n_input_key;
    const struct config_key *key = config_keys(&n_key), *input_key = config_input_keys(&n_input_key);
    enum burst_err err = BURST_OK;
    for (size_t i = 0; i < n_key && err == BURST_OK; i++)
        err = config_set(
            &key[i], ret_config,
            (struct config_scalar){key[i].fallback, strlen(key[i].fallback), key[i].kind == CONFIG_KIND_TEXT}, NULL);
    ret_config->n_input = 1;
    input_defaults(&ret_config->input[0]);
    for (size_t i = 0; i < n_input_key && err == BURST_OK; i++)
        err = config_set(&input_key[i], &ret_config->input[0],
                         (struct config_scalar){input_key[i].fallback, strlen(input_key[i].fallback), true}, NULL);
    name_inputs(ret_config);
    assert(err == BURST_OK); /* every default keeps its own row's limits */
    (void)err;
}

enum burst_err config_parse(const uint8_t *bytes, size_t n, struct burst_config *ret_config,
                            struct config_faults *ret_faults)
{
    if (ret_faults) memset(ret_faults, 0, sizeof *ret_faults);
    if (n > CONFIG_FILE_MAX) {
        config_fault_add(ret_faults, 0, 0, "%zu bytes, at most %d", n, CONFIG_FILE_MAX);
        return BURST_E_LIMIT;
    }
    struct burst_config config;
    config_defaults(&config);
    struct walk w = {.faults = ret_faults, .config = &config};
    if (!check_bytes(&w, bytes, n)) return BURST_E_CONFIG;
    if (!yaml_parser_initialize(&w.yaml)) return BURST_E_NOMEM;
    yaml_parser_set_encoding(&w.yaml, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&w.yaml, bytes, n);
    read_document(&w);
    yaml_parser_delete(&w.yaml);
    name_inputs(&config);
    if (w.n_fault == 0) check_together(&w);
    if (w.n_fault > 0) return BURST_E_CONFIG;
    *ret_config = config;
    return BURST_OK;
}
