/* The keys of an instrument's file, and what they must be together. */
#include "config/instrument.h"
#include "config/walk.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define AT(member) offsetof(struct config_instrument, member)
#define TEXT(path_, member, rule_, flags_)                                                                             \
    {                                                                                                                  \
        .path = path_, .kind = CONFIG_KIND_TEXT, .rule = rule_, .offset = AT(member), .unit = "", .fallback = "",      \
        .flags = flags_                                                                                                \
    }
#define INT(path_, member, least_, most_, fallback_, flags_)                                                           \
    {                                                                                                                  \
        .path = path_, .kind = CONFIG_KIND_INT, .offset = AT(member), .unit = "", .least = least_, .most = most_,      \
        .fallback = fallback_, .flags = flags_                                                                         \
    }
#define REAL(path_, member, unit_, least_, most_, fallback_, flags_)                                                   \
    {                                                                                                                  \
        .path = path_, .kind = CONFIG_KIND_REAL, .offset = AT(member), .unit = unit_, .least = least_, .most = most_,  \
        .fallback = fallback_, .flags = flags_                                                                         \
    }
#define WORD(path_, member, words_, fallback_)                                                                         \
    {                                                                                                                  \
        .path = path_, .kind = CONFIG_KIND_WORD, .offset = AT(member), .unit = "", .words = words_,                    \
        .fallback = fallback_                                                                                          \
    }

static const struct config_key KEYS[] = {
    TEXT("mission.name", mission_name, CONFIG_NAME, CONFIG_NEEDED),
    TEXT("mission.instrument", mission_instrument, CONFIG_NAME, CONFIG_NEEDED),
    TEXT("mission.topic", mission_topic, CONFIG_NAME, CONFIG_NEEDED),
    TEXT("mission.telescope", mission_telescope, CONFIG_NAME, CONFIG_NEEDED),
    TEXT("mission.instrume", mission_instrume, CONFIG_NAME, CONFIG_NEEDED),
    INT("mission.epoch_mjd", mission_epoch_mjd, 40587, 88069, "0", CONFIG_NEEDED),
    REAL("mission.epoch_s", mission_epoch_s, "s", 0, 86400, "0", CONFIG_NEEDED),
    INT("detectors.count", detectors_count, 1, 25, "0", CONFIG_NEEDED),
    INT("detectors.open", detectors_open, 0, 25, "0", CONFIG_NEEDED),
    TEXT("detectors.geometry", detectors_geometry, CONFIG_PATH, CONFIG_NEEDED),
    REAL("detectors.rate_hz", detectors_rate_hz, "Hz", 0, 1000000, "0", 0),
    TEXT("rows.table", rows_table, CONFIG_NAME, CONFIG_NEEDED),
    WORD("rows.tables", rows_tables, "one each", "one"),
    TEXT("rows.time", rows_time, CONFIG_NAME, CONFIG_NEEDED),
    TEXT("rows.channel", rows_channel, CONFIG_NAME, CONFIG_NEEDED),
    TEXT("rows.detector", rows_detector, CONFIG_NAME_OR_NONE, 0),
    INT("rows.first_detector", rows_first_detector, 0, 1, "0", 0),
    REAL("rows.dead_us", rows_dead_us, "us", 0, 1000, "0", 0),
    WORD("rows.good", rows_good, "gti header", "gti"),
    WORD("energy.from", energy_from, "ebounds linear", "ebounds"),
    INT("energy.channels", energy_channels, 2, 4096, "2", 0),
    REAL("energy.first_kev", energy_first_kev, "keV", 0, 100000, "0", 0),
    REAL("energy.channel_kev", energy_channel_kev, "keV", 0, 100000, "0", 0),
};
enum { N_KEY = sizeof KEYS / sizeof KEYS[0] };

#undef AT
#define AT(member) offsetof(struct instrument_keep, member)
static const struct config_key KEEP_KEYS[] = {
    {.path = "keep[].column", .kind = CONFIG_KIND_TEXT, .rule = CONFIG_NAME, .offset = AT(column), .unit = ""},
    INT("keep[].least", least, -32768, 32767, "-32768", 0),
    INT("keep[].most", most, -32768, 32767, "32767", 0),
};
enum { N_KEEP_KEY = sizeof KEEP_KEYS / sizeof KEEP_KEYS[0] };

static const char *const SECTIONS[] = {"mission", "detectors", "rows", "energy", "keep"};
enum { N_SECTION = sizeof SECTIONS / sizeof SECTIONS[0], KEEP = N_SECTION - 1 };

struct reading {
    struct walk walk; /* first: a walk of ours is a reading */
    struct config_instrument *instrument;
    struct place section[N_SECTION];
    bool given[N_KEY];
};

static struct reading *reading_of(struct walk *w)
{
    return (struct reading *)(void *)w;
}

static const struct config_key *key_named(const struct config_key *keys, int n_key, const char *path)
{
    for (int i = 0; i < n_key; i++)
        if (strcmp(keys[i].path, path) == 0) return &keys[i];
    return NULL;
}

/* The nearest key, for a word that is none. */
static const char *nearest(const struct config_key *keys, int n_key, const char *path)
{
    int best = 4;
    const char *found = NULL;
    for (int i = 0; i < n_key; i++) {
        int distance = config_distance(path, keys[i].path);
        if (distance < best) best = distance, found = keys[i].path;
    }
    return found;
}

static void read_value(struct walk *w, const struct config_key *key, void *base)
{
    yaml_event_t event;
    struct burst_error why;
    if (!walk_open(w, key->path, YAML_SCALAR_EVENT, &event)) return;
    if (config_set(key, base, walk_scalar(&event), &why) != BURST_OK)
        WALK_FAULT(w, walk_place(&event.start_mark), "%.255s", why.text);
    yaml_event_delete(&event);
}

static void read_key(struct walk *w, const struct config_key *keys, int n_key, const char *path, struct place at,
                     void *base, struct seen *seen)
{
    const struct config_key *key = key_named(keys, n_key, path);
    if (!key) {
        const char *near = nearest(keys, n_key, path);
        WALK_FAULT(w, at, "unknown key %s%s%s%s", path, near ? "; did you mean " : "", near ? near : "",
                   near ? "?" : "");
    }
    if (!key || !walk_first(w, seen, key, path, at)) {
        walk_skip_next(w);
        return;
    }
    if (keys == KEYS) reading_of(w)->given[key - KEYS] = true;
    read_value(w, key, base);
}

static void read_section_key(struct walk *w, const char *prefix, const char *name, struct place at, void *base,
                             struct seen *seen)
{
    char path[WALK_PATH_TEXT];
    (void)snprintf(path, sizeof path, "%s%.100s", prefix, name);
    read_key(w, KEYS, N_KEY, path, at, base, seen);
}

static void read_keep_key(struct walk *w, const char *prefix, const char *name, struct place at, void *base,
                          struct seen *seen)
{
    char path[WALK_PATH_TEXT];
    (void)snprintf(path, sizeof path, "%s%.100s", prefix, name);
    read_key(w, KEEP_KEYS, N_KEEP_KEY, path, at, base, seen);
}

static void read_keep(struct walk *w, struct place at)
{
    struct config_instrument *in = reading_of(w)->instrument;
    struct instrument_keep keep = {.least = INT16_MIN, .most = INT16_MAX};
    struct seen seen = {0};
    walk_mapping(w, "keep[].", &keep, &seen, read_keep_key);
    if (!keep.column[0] && !w->broken) WALK_FAULT(w, at, "keep[].column: is missing");
    if (keep.least > keep.most)
        WALK_FAULT(w, at, "keep[]: least %lld is above most %lld", (long long)keep.least, (long long)keep.most);
    if (in->n_keep == INSTRUMENT_KEEP_MAX)
        WALK_FAULT(w, at, "keep: more than %d", INSTRUMENT_KEEP_MAX);
    else
        in->keep[in->n_keep++] = keep;
}

static void read_keeps(struct walk *w)
{
    yaml_event_t event;
    if (!walk_open(w, "keep", YAML_SEQUENCE_START_EVENT, &event)) return;
    yaml_event_delete(&event);
    walk_sections(w, "keep", "column, least, most", read_keep);
}

static void read_section(struct walk *w, const char *prefix, const char *name, struct place at, void *base,
                         struct seen *seen)
{
    char path[WALK_PATH_TEXT];
    yaml_event_t event;
    struct seen inside = {0};
    int i = 0;
    (void)prefix; /* sections stand at the top */
    while (i < N_SECTION && strcmp(SECTIONS[i], name) != 0)
        i++;
    if (i == N_SECTION)
        WALK_FAULT(w, at, "unknown section %.100s; there are mission, detectors, rows, energy, keep", name);
    if (i == N_SECTION || !walk_first(w, seen, &SECTIONS[i], name, at)) {
        walk_skip_next(w);
        return;
    }
    reading_of(w)->section[i] = at;
    if (i == KEEP) {
        read_keeps(w);
        return;
    }
    if (!walk_open(w, name, YAML_MAPPING_START_EVENT, &event)) return;
    yaml_event_delete(&event);
    (void)snprintf(path, sizeof path, "%s.", name);
    walk_mapping(w, path, base, &inside, read_section_key);
}

static void set_defaults(struct config_instrument *in)
{
    memset(in, 0, sizeof *in);
    for (int i = 0; i < N_KEY; i++)
        if (!(KEYS[i].flags & CONFIG_NEEDED) && KEYS[i].kind != CONFIG_KIND_TEXT)
            (void)config_set(&KEYS[i], in, (struct config_scalar){KEYS[i].fallback, strlen(KEYS[i].fallback), false},
                             NULL); /* every default keeps its own row's limits; tested */
}

static void check_needed(struct reading *r)
{
    for (int i = 0; i < N_KEY; i++) {
        if (r->given[i] || !(KEYS[i].flags & CONFIG_NEEDED)) continue;
        struct place at = {0, 0};
        for (int k = 0; k < N_SECTION; k++)
            if (strncmp(KEYS[i].path, SECTIONS[k], strlen(SECTIONS[k])) == 0) at = r->section[k];
        WALK_FAULT(&r->walk, at, "%s: is missing", KEYS[i].path);
    }
}

/* "mission.instrument" in lower case: the middle of a topic (protocol.md 3). */
static bool is_topic(const char *text)
{
    const char *dot = strchr(text, '.');
    return dot && dot != text && dot[1] && !strchr(dot + 1, '.') && strlen(text) < 48 &&
           strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-.") == strlen(text);
}

static void check_together(struct reading *r)
{
    struct config_instrument *in = r->instrument;
    struct walk *w = &r->walk;
    if (!is_topic(in->mission_topic))
        WALK_FAULT(w, r->section[0], "mission.topic: \"%.60s\" is not MISSION.INSTRUMENT in lower case",
                   in->mission_topic);
    if (in->detectors_open > in->detectors_count)
        WALK_FAULT(w, r->section[1], "detectors.open: %lld of %lld detectors", (long long)in->detectors_open,
                   (long long)in->detectors_count);
    if (in->rows_tables == INSTRUMENT_ONE_TABLE && in->detectors_count > 1 && !in->rows_detector[0])
        WALK_FAULT(w, r->section[2], "rows.detector: is missing: one table of %lld detectors",
                   (long long)in->detectors_count);
    if (in->rows_tables == INSTRUMENT_TABLE_EACH && in->rows_detector[0])
        WALK_FAULT(w, r->section[2], "rows.detector: each table is of one detector");
    if (in->energy_from == INSTRUMENT_LINEAR && !(in->energy_channel_kev > 0))
        WALK_FAULT(w, r->section[3], "energy.channel_kev: must be above 0 for energy.from linear");
}

enum burst_err config_instrument_parse(const uint8_t *bytes, size_t n, struct config_instrument *ret_instrument,
                                       struct config_faults *ret_faults)
{
    struct config_instrument instrument;
    if (ret_faults) memset(ret_faults, 0, sizeof *ret_faults);
    if (n > CONFIG_FILE_MAX) {
        config_fault_add(ret_faults, 0, 0, "%zu bytes, at most %d", n, CONFIG_FILE_MAX);
        return BURST_E_LIMIT;
    }
    set_defaults(&instrument);
    struct reading r = {.walk = {.faults = ret_faults, .what = "an instrument's file"}, .instrument = &instrument};
    enum burst_err err = walk_document(&r.walk, bytes, n, &instrument, read_section);
    if (err == BURST_E_NOMEM) return err;
    if (!r.walk.broken) check_needed(&r);
    if (!r.walk.n_fault) check_together(&r);
    if (r.walk.n_fault) return BURST_E_CONFIG;
    *ret_instrument = instrument;
    return BURST_OK;
}

enum burst_err config_instrument_read(const char *path, struct config_instrument *ret_instrument,
                                      struct config_faults *ret_faults)
{
    uint8_t *bytes = NULL;
    size_t n = 0;
    enum burst_err err = config_read_bytes(path, &bytes, &n, ret_faults);
    if (err) return err;
    err = config_instrument_parse(bytes, n, ret_instrument, ret_faults);
    free(bytes);
    return err;
}
