/* The configuration as text: the commented defaults, the canonical core, and what differs between two. */
#include "base/hash.h"
#include "config/table.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* A text that grows in the caller's storage; `n` counts on when it is full, as snprintf does. */
struct sheet {
    char *text;
    size_t size, n;
};

static void put(struct sheet *s, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void put(struct sheet *s, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    size_t left = s->n < s->size ? s->size - s->n : 0;
    int n = vsnprintf(left ? s->text + s->n : NULL, left, format, args);
    va_end(args);
    s->n += n > 0 ? (size_t)n : 0;
}

/* " # 0 to 60 s [core]": what a reader must know to change the value. */
static void put_note(struct sheet *s, const struct config_key *key)
{
    bool number = key->kind == CONFIG_KIND_INT || key->kind == CONFIG_KIND_REAL;
    if (!number && !key->words && !(key->flags & (CONFIG_CORE | CONFIG_LIVE))) return;
    put(s, "  #");
    if (number) put(s, " %g to %g%s%s", key->least, key->most, key->unit[0] ? " " : "", key->unit);
    if (key->words) put(s, " one of: %s", key->words);
    if (key->flags & CONFIG_CORE) put(s, " [core]");
    if (key->flags & CONFIG_LIVE) put(s, " [live]");
}

static void put_key(struct sheet *s, const struct config_key *key, const char *before_help, const char *before_key)
{
    const char *quote = key->kind == CONFIG_KIND_TEXT ? "\"" : "";
    put(s, "%s# %s\n", before_help, key->help);
    put(s, "%s%s: %s%s%s", before_key, strchr(key->path, '.') + 1, quote, key->fallback, quote);
    put_note(s, key);
    put(s, "\n");
}

static void put_inputs(struct sheet *s)
{
    size_t n;
    const struct config_key *key = config_input_keys(&n);
    for (size_t i = 0; i < n; i++)
        put_key(s, &key[i], i == 0 ? "  - " : "    ", "    ");
    put(s, "    # topic prefixes to take, at most %d\n    topics:\n", CONFIG_TOPIC_MAX);
    for (int i = 0; i < CONFIG_N_DEFAULT_TOPIC; i++)
        put(s, "      - \"%s\"\n", CONFIG_DEFAULT_TOPICS[i]);
}

static bool is_in_section(const struct config_key *key, const char *section)
{
    size_t n = strlen(section);
    return strncmp(key->path, section, n) == 0 && key->path[n] == '.';
}

size_t config_print_defaults(char *ret_text, size_t size)
{
    struct sheet s = {ret_text, size, 0};
    size_t n_section, n_key;
    const struct config_section *section = config_sections(&n_section);
    const struct config_key *key = config_keys(&n_key);
    put(&s, "# burstd.yaml: every key with its default. Printed by `burstd --print-defaults`; an absent key means its "
            "default.\n"
            "# [core]  changes what a verdict may say: part of the configuration digest in every verdict_id.\n"
            "# [live]  taken over at once on SIGHUP or `burstctl reload`; any other change needs a restart.\n"
            "# A relative path is inside the data folder: $BURST_DATADIR, else share/burstd beside the program.\n");
    for (size_t i = 0; i < n_section; i++) {
        put(&s, "\n# %s\n%s:\n", section[i].help, section[i].name);
        for (size_t j = 0; j < n_key; j++)
            if (is_in_section(&key[j], section[i].name)) put_key(&s, &key[j], "  ", "  ");
        if (strcmp(section[i].name, "inputs") == 0) put_inputs(&s);
    }
    return s.n;
}

size_t config_canonical(const struct burst_config *config, char *ret_text, size_t size)
{
    struct sheet s = {ret_text, size, 0};
    size_t n_key;
    const struct config_key *key = config_keys(&n_key);
    for (size_t i = 0; i < n_key; i++) {
        char value[CONFIG_TEXT];
        if (!(key[i].flags & CONFIG_CORE)) continue;
        (void)config_value_text(&key[i], config, value, sizeof value); /* no value is longer than its member */
        put(&s, "%s=%s\n", key[i].path, value);
    }
    return s.n;
}

void config_digest(const struct burst_config *config, uint8_t ret_digest[32])
{
    char text[CONFIG_CANONICAL_MAX];
    struct hash_piece piece = {text, config_canonical(config, text, sizeof text)};
    hash_sha256(&piece, 1, ret_digest);
}

static bool inputs_differ(const struct burst_config *a, const struct burst_config *b)
{
    if (a->n_input != b->n_input) return true;
    for (int i = 0; i < a->n_input; i++) {
        const struct config_input *p = &a->input[i], *q = &b->input[i];
        if (strcmp(p->name, q->name) != 0 || strcmp(p->live, q->live) != 0 || strcmp(p->history, q->history) != 0)
            return true;
        if (p->n_topic != q->n_topic) return true;
        for (int t = 0; t < p->n_topic; t++)
            if (strcmp(p->topic[t], q->topic[t]) != 0) return true;
    }
    return false;
}

enum burst_err config_reload(const struct burst_config *now, const struct burst_config *next,
                             struct config_faults *ret_faults)
{
    if (ret_faults) memset(ret_faults, 0, sizeof *ret_faults);
    size_t n_key;
    const struct config_key *key = config_keys(&n_key);
    enum burst_err err = BURST_OK;
    for (size_t i = 0; i < n_key; i++) {
        char a[CONFIG_TEXT], b[CONFIG_TEXT];
        (void)config_value_text(&key[i], now, a, sizeof a);
        (void)config_value_text(&key[i], next, b, sizeof b);
        if ((key[i].flags & CONFIG_LIVE) || strcmp(a, b) == 0) continue;
        config_fault_add(ret_faults, 0, 0, "%s: from \"%.70s\" to \"%.70s\" needs a restart", key[i].path, a, b);
        err = BURST_E_STATE;
    }
    if (inputs_differ(now, next)) {
        config_fault_add(ret_faults, 0, 0, "inputs: a change needs a restart");
        err = BURST_E_STATE;
    }
    return err;
}
