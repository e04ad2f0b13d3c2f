/* One value: its grammar, its range, its text. Numbers are plain decimals only, so that no two readers of YAML can differ
 * about 010, 1e3, 0x10, 1_000, yes or .nan. */
#include "config/table.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_name(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' || c == '_' || c == '-';
}

bool config_parse_decimal(struct config_scalar scalar, bool whole, double *ret_value)
{
    const char *p = scalar.text, *end = p + scalar.n;
    bool negative = p < end && *p == '-';
    p += negative;
    if (p == end || !is_digit(*p)) return false;
    if (*p == '0' && end - p > 1 && p[1] != '.') return false; /* 010 is 8 to one reader and 10 to the next */
    /* Up to 15 digits and a power of ten up to 10^15 are exact in a double, so one division rounds once: no strtod, no locale. */
    double digits = 0, scale = 1;
    int n_digit = 0;
    for (; p < end && is_digit(*p); p++, n_digit++)
        digits = digits * 10 + (*p - '0');
    if (p < end && *p == '.' && !whole) {
        if (++p == end) return false;
        for (; p < end && is_digit(*p); p++, n_digit++) {
            digits = digits * 10 + (*p - '0');
            scale *= 10;
        }
    }
    if (p != end || n_digit > 15) return false;
    *ret_value = (negative ? -digits : digits) / scale;
    return true;
}

/* Up to 40 characters of a value for a sentence; bytes that could disturb a terminal become '?'. */
static const char *shown(struct config_scalar scalar, char ret_text[48])
{
    size_t n = scalar.n < 40 ? scalar.n : 40;
    for (size_t i = 0; i < n; i++)
        ret_text[i] = (unsigned char)scalar.text[i] < 0x20 || scalar.text[i] == 0x7f ? '?' : scalar.text[i];
    (void)snprintf(ret_text + n, 48 - n, "%s", n < scalar.n ? "..." : "");
    return ret_text;
}

static enum burst_err set_number(const struct config_key *key, void *member, struct config_scalar scalar,
                                 struct burst_error *reterr)
{
    char text[48];
    double value;
    bool whole = key->kind == CONFIG_KIND_INT;
    if (scalar.quoted || !config_parse_decimal(scalar, whole, &value))
        return burst_fail(reterr, BURST_E_CONFIG, "%s: \"%s\" is no %s number (digits%s, no exponent, no leading zero)",
                          key->path, shown(scalar, text), whole ? "whole" : "decimal",
                          whole ? " only" : " and one point");
    if (value < key->least || value > key->most)
        return burst_fail(reterr, BURST_E_CONFIG, "%s: %s is outside %g to %g%s%s", key->path, shown(scalar, text),
                          key->least, key->most, key->unit[0] ? " " : "", key->unit);
    if (whole)
        *(int64_t *)member = (int64_t)value;
    else
        *(double *)member = value == 0 ? 0 : value; /* no minus zero: equal values have equal text */
    return BURST_OK;
}

/* The i-th word of a row; false past the last. */
static bool word_at(const char *words, int i, char ret_word[32])
{
    while (i-- > 0) {
        words = strchr(words, ' ');
        if (!words) return false;
        words++;
    }
    size_t n = strcspn(words, " ");
    (void)snprintf(ret_word, 32, "%.*s", (int)n, words);
    return true;
}

static enum burst_err set_word(const struct config_key *key, int *member, struct config_scalar scalar,
                               struct burst_error *reterr)
{
    char word[32], text[48];
    for (int i = 0; word_at(key->words, i, word); i++)
        if (strlen(word) == scalar.n && memcmp(word, scalar.text, scalar.n) == 0) {
            *member = (int)key->least + i;
            return BURST_OK;
        }
    return burst_fail(reterr, BURST_E_CONFIG, "%s: \"%s\" is none of: %s", key->path, shown(scalar, text), key->words);
}

static bool has_parent_step(const char *text, size_t n)
{
    for (size_t i = 0; i + 1 < n; i++)
        if (text[i] == '.' && text[i + 1] == '.' && (i == 0 || text[i - 1] == '/') &&
            (i + 2 == n || text[i + 2] == '/'))
            return true;
    return false;
}

/* Why an endpoint is refused, or NULL. CURVE keys are what would make another host's traffic safe (protocol.md 9). */
static const char *endpoint_fault(const char *text)
{
    if (strncmp(text, "ipc://", 6) == 0) {
        if (text[6] != '/') return "needs an absolute path after ipc://";
        if (strlen(text) > 6 + 107) return "is longer than a Unix socket's path may be (107 bytes)";
        return has_parent_step(text + 6, strlen(text + 6)) ? "leads upward with .." : NULL;
    }
    if (strncmp(text, "tcp://", 6) != 0) return "starts neither with tcp:// nor with ipc://";
    const char *host = text + 6, *colon = strrchr(host, ':');
    if (!colon || colon == host) return "is not tcp://HOST:PORT";
    struct config_scalar digits = {colon + 1, strlen(colon + 1), false};
    double port;
    if (!config_parse_decimal(digits, true, &port) || port < 1 || port > 65535) return "has no port of 1 to 65535";
    size_t n = (size_t)(colon - host);
    bool loopback = strncmp(host, "127.", 4) == 0 && strspn(host + 4, "0123456789.") == n - 4;
    loopback = loopback || (n == 5 && memcmp(host, "[::1]", 5) == 0) || (n == 9 && memcmp(host, "localhost", 9) == 0);
    return loopback ? NULL : "is no loopback address: TCP to other hosts needs CURVE keys";
}

static const char *topic_fault(const char *text, size_t n)
{
    bool known = false;
    for (int i = 0; i < CONFIG_N_DEFAULT_TOPIC; i++)
        known = known || strncmp(text, CONFIG_DEFAULT_TOPICS[i], strlen(CONFIG_DEFAULT_TOPICS[i])) == 0;
    if (!known) return "does not start with burst.v1., burst-test.v1. or burst-archive.v1.";
    return strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789.-") == n ? NULL : "holds more than a-z, 0-9, . and -";
}

static const char *rule_fault(enum config_rule rule, const char *text, size_t n)
{
    switch (rule) {
    case CONFIG_NAME_OR_NONE:
        if (n == 0) return NULL;
        __attribute__((fallthrough));
    case CONFIG_NAME:
        if (n == 0 || n > 47) return "is not 1 to 47 characters long";
        for (size_t i = 0; i < n; i++)
            if (!is_name(text[i])) return "holds more than letters, digits, . _ and -";
        return NULL;
    case CONFIG_PATH:
        if (n == 0) return "is empty";
        __attribute__((fallthrough));
    case CONFIG_PATH_OR_NONE: return has_parent_step(text, n) ? "leads upward with .." : NULL;
    case CONFIG_ENDPOINT_OR_NONE:
        if (n == 0) return NULL;
        __attribute__((fallthrough));
    case CONFIG_ENDPOINT: return endpoint_fault(text);
    case CONFIG_TOPIC: return topic_fault(text, n);
    }
    return "has no rule";
}

/* Words that YAML readers take for something else than text. */
static bool is_other_type(struct config_scalar scalar)
{
    static const char *const WORDS[] = {"~", "null", "yes", "no", "on", "off", "true", "false"};
    for (size_t i = 0; i < sizeof WORDS / sizeof WORDS[0]; i++)
        if (scalar.n == strlen(WORDS[i]) && strncasecmp(scalar.text, WORDS[i], scalar.n) == 0) return true;
    return false;
}

enum burst_err config_check_text(const char *what, enum config_rule rule, struct config_scalar scalar, size_t size,
                                 struct burst_error *reterr)
{
    char text[48], copy[CONFIG_TEXT];
    if (!scalar.quoted && scalar.n == 0)
        return burst_fail(reterr, BURST_E_CONFIG, "%s: has no value; write \"\" for none", what);
    if (!scalar.quoted && is_other_type(scalar))
        return burst_fail(reterr, BURST_E_CONFIG,
                          "%s: %s is not text; quote it if the word is meant, write \"\" for none", what,
                          shown(scalar, text));
    if (scalar.n >= size || scalar.n >= sizeof copy)
        return burst_fail(reterr, BURST_E_CONFIG, "%s: %zu characters, at most %zu", what, scalar.n, size - 1);
    for (size_t i = 0; i < scalar.n; i++)
        if ((unsigned char)scalar.text[i] < 0x20 || scalar.text[i] == 0x7f)
            return burst_fail(reterr, BURST_E_CONFIG, "%s: holds a control character (byte 0x%02x)", what,
                              (unsigned)(unsigned char)scalar.text[i]);
    memcpy(copy, scalar.text, scalar.n);
    copy[scalar.n] = 0;
    const char *fault = rule_fault(rule, copy, scalar.n);
    if (fault) return burst_fail(reterr, BURST_E_CONFIG, "%s: \"%s\" %s", what, shown(scalar, text), fault);
    return BURST_OK;
}

enum burst_err config_set(const struct config_key *key, void *base, struct config_scalar scalar,
                          struct burst_error *reterr)
{
    char *member = (char *)base + key->offset;
    if (key->kind == CONFIG_KIND_INT || key->kind == CONFIG_KIND_REAL) return set_number(key, member, scalar, reterr);
    if (key->kind == CONFIG_KIND_WORD) return set_word(key, (int *)(void *)member, scalar, reterr);
    enum burst_err err = config_check_text(key->path, key->rule, scalar, CONFIG_TEXT, reterr);
    if (err != BURST_OK) return err;
    memset(member, 0, CONFIG_TEXT); /* the whole member, so that equal configurations are equal bytes */
    memcpy(member, scalar.text, scalar.n);
    return BURST_OK;
}

int config_value_text(const struct config_key *key, const void *base, char *ret_text, size_t size)
{
    const char *member = (const char *)base + key->offset;
    char word[32] = "";
    switch (key->kind) {
    case CONFIG_KIND_TEXT: return snprintf(ret_text, size, "%s", member);
    case CONFIG_KIND_INT: return snprintf(ret_text, size, "%lld", (long long)*(const int64_t *)(const void *)member);
    case CONFIG_KIND_REAL: return snprintf(ret_text, size, "%.17g", *(const double *)(const void *)member);
    case CONFIG_KIND_WORD: (void)word_at(key->words, *(const int *)(const void *)member - (int)key->least, word);
    }
    return snprintf(ret_text, size, "%s", word);
}
