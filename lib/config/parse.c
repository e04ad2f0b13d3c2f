/* YAML events to a configuration. A fault is noted and reading goes on with the next key, so that one run tells them all; only
 * broken YAML and too deep nesting end it. */
#include "config/walk.h"
#include <assert.h>
#include <stdio.h>
#include <string.h>

/* The walk through the file, and what is read on it. */
struct reading {
    struct walk walk; /* first: a walk of ours is a reading */
    struct burst_config *config;
    struct place detect, output, input[CONFIG_INPUT_MAX]; /* for faults that involve several keys */
};

static struct reading *reading_of(struct walk *w)
{
    return (struct reading *)(void *)w;
}

static void read_scalar(struct walk *w, const struct config_key *key, void *base)
{
    yaml_event_t event;
    if (!walk_open(w, key->path, YAML_SCALAR_EVENT, &event)) return;
    struct burst_error why;
    if (config_set(key, base, walk_scalar(&event), &why) != BURST_OK)
        WALK_FAULT(w, walk_place(&event.start_mark), "%.255s", why.text);
    yaml_event_delete(&event);
}

static void add_topic(struct walk *w, struct config_input *input, const yaml_event_t *event)
{
    struct place at = walk_place(&event->start_mark);
    struct burst_error why;
    struct config_scalar scalar = walk_scalar(event);
    if (config_check_text("inputs[].topics", CONFIG_TOPIC, scalar, CONFIG_TOPIC_TEXT, &why) != BURST_OK) {
        WALK_FAULT(w, at, "%.255s", why.text);
        return;
    }
    if (input->n_topic == CONFIG_TOPIC_MAX) {
        WALK_FAULT(w, at, "inputs[].topics: more than %d prefixes", CONFIG_TOPIC_MAX);
        return;
    }
    for (int i = 0; i < input->n_topic; i++)
        if (strcmp(input->topic[i], scalar.text) == 0)
            WALK_FAULT(w, at, "inputs[].topics: %s is given twice", scalar.text);
    memcpy(input->topic[input->n_topic++], scalar.text, scalar.n);
}

static void read_topics(struct walk *w, struct config_input *input)
{
    yaml_event_t event;
    if (!walk_open(w, "inputs[].topics", YAML_SEQUENCE_START_EVENT, &event)) return;
    struct place at = walk_place(&event.start_mark);
    yaml_event_delete(&event);
    memset(input->topic, 0, sizeof input->topic);
    input->n_topic = 0;
    int n_fault = w->n_fault;
    while (walk_next(w, &event)) {
        yaml_event_type_t type = event.type;
        if (type == YAML_SCALAR_EVENT)
            add_topic(w, input, &event);
        else if (type == YAML_MAPPING_START_EVENT || type == YAML_SEQUENCE_START_EVENT)
            WALK_FAULT(w, walk_place(&event.start_mark), "inputs[].topics: is %s, must be a value", walk_kind(type));
        yaml_event_delete(&event);
        if (type == YAML_SEQUENCE_END_EVENT) break;
        walk_skip_value(w, type);
    }
    if (input->n_topic == 0 && w->n_fault == n_fault)
        WALK_FAULT(w, at, "inputs[].topics: is empty: nothing would be received");
}

static void read_inputs(struct walk *w);
static walk_member read_member;

static void read_section(struct walk *w, const struct config_section *section, struct place at)
{
    char prefix[WALK_PATH_TEXT];
    yaml_event_t event;
    if (strcmp(section->name, "inputs") == 0) {
        read_inputs(w);
        return;
    }
    if (strcmp(section->name, "detect") == 0) reading_of(w)->detect = at;
    if (strcmp(section->name, "output") == 0) reading_of(w)->output = at;
    if (!walk_open(w, section->name, YAML_MAPPING_START_EVENT, &event)) return;
    yaml_event_delete(&event);
    struct seen seen = {0};
    (void)snprintf(prefix, sizeof prefix, "%s.", section->name);
    walk_mapping(w, prefix, reading_of(w)->config, &seen, read_member);
}

/* A key has been read: find what it names and read its value. */
static void read_member(struct walk *w, const char *prefix, const char *name, struct place at, void *base,
                        struct seen *seen)
{
    static const char topics; /* identity of the one list inside an item */
    char path[WALK_PATH_TEXT];
    (void)snprintf(path, sizeof path, "%s%.100s", prefix, name);
    const struct config_section *section = prefix[0] ? NULL : config_find_section(path);
    const struct config_key *key = prefix[0] ? config_find_key(path) : NULL;
    bool is_topics = strcmp(path, "inputs[].topics") == 0;
    const void *what = section ? (const void *)section : key ? (const void *)key : is_topics ? &topics : NULL;
    if (!what) {
        const char *nearest = config_nearest_key(path);
        WALK_FAULT(w, at, "unknown key %s%s%s%s", path, nearest ? "; did you mean " : "", nearest ? nearest : "",
                   nearest ? "?" : "");
        walk_skip_next(w);
    } else if (!walk_first(w, seen, what, path, at)) {
        walk_skip_next(w);
    } else if (section) {
        read_section(w, section, at);
    } else if (key) {
        read_scalar(w, key, base);
    } else {
        read_topics(w, base);
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
    walk_mapping(w, "inputs[].", &input, &seen, read_member);
    size_t n_key;
    const struct config_key *key = config_input_keys(&n_key);
    for (size_t i = 0; i < n_key; i++) {
        bool given = false;
        for (int j = 0; j < seen.n; j++)
            given = given || seen.what[j] == &key[i];
        if (!given && (key[i].flags & CONFIG_NEEDED) && !w->broken) WALK_FAULT(w, at, "%s: is missing", key[i].path);
    }
    if (reading_of(w)->config->n_input == CONFIG_INPUT_MAX) {
        WALK_FAULT(w, at, "inputs: more than %d", CONFIG_INPUT_MAX);
        return;
    }
    reading_of(w)->input[reading_of(w)->config->n_input] = at;
    reading_of(w)->config->input[reading_of(w)->config->n_input++] = input;
}

static void read_inputs(struct walk *w)
{
    yaml_event_t event;
    if (!walk_open(w, "inputs", YAML_SEQUENCE_START_EVENT, &event)) return;
    yaml_event_delete(&event);
    memset(reading_of(w)->config->input, 0, sizeof reading_of(w)->config->input);
    reading_of(w)->config->n_input = 0;
    walk_sections(w, "inputs", "live and history", read_input);
}

static void name_inputs(struct burst_config *config)
{
    for (int i = 0; i < config->n_input; i++)
        if (!config->input[i].name[0]) (void)snprintf(config->input[i].name, CONFIG_TEXT, "gateway%d", i + 1);
}

/* Two sockets cannot share an endpoint, and burstd must not listen to itself. */
static void check_endpoints(struct walk *w)
{
    const struct burst_config *c = reading_of(w)->config;
    const char *taken[3 + 2 * CONFIG_INPUT_MAX] = {c->output_live, c->output_history, c->command_socket};
    int n = 3;
    struct place at = reading_of(w)->output;
    for (int i = 0; i <= c->n_input; i++) {
        for (int a = 0; a < n; a++)
            for (int b = i == 0 ? a + 1 : n - 2; b < n; b++)
                if (a < b && taken[a][0] && strcmp(taken[a], taken[b]) == 0)
                    WALK_FAULT(w, at, "two sockets have the endpoint %s", taken[b]);
        if (i == c->n_input) break;
        at = reading_of(w)->input[i];
        taken[n++] = c->input[i].live;
        taken[n++] = c->input[i].history;
    }
}

static void check_together(struct walk *w)
{
    const struct burst_config *c = reading_of(w)->config;
    if (c->detect_low >= c->detect_high)
        WALK_FAULT(w, reading_of(w)->detect, "detect.low %g is not below detect.high %g", c->detect_low,
                   c->detect_high);
    if (c->n_input == 0)
        config_fault_add(w->faults, 0, 0, "inputs: is empty: burstd would receive nothing"), w->n_fault++;
    for (int i = 0; i < c->n_input; i++)
        for (int j = 0; j < i; j++)
            if (strcmp(c->input[i].name, c->input[j].name) == 0)
                WALK_FAULT(w, reading_of(w)->input[i], "inputs[].name: %s is given twice", c->input[i].name);
    check_endpoints(w);
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
    struct reading r = {.walk = {.faults = ret_faults, .what = "burstd.yaml"}, .config = &config};
    enum burst_err err = walk_document(&r.walk, bytes, n, &config, read_member);
    if (err == BURST_E_NOMEM) return err;
    name_inputs(&config);
    if (r.walk.n_fault == 0) check_together(&r.walk);
    if (r.walk.n_fault > 0) return BURST_E_CONFIG;
    *ret_config = config;
    return BURST_OK;
}
