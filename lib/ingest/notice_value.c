/* Values of a notice: numbers, words, times and masks out of text that people's programs have printed in many ways. */
#include "base/clock.h"
#include "ingest/notice_inside.h"
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* ---- the list ---- */

enum burst_err said_put(struct said *said, struct saying item, struct burst_error *reterr)
{
    if (said->n == SAYING_MOST) return burst_fail(reterr, BURST_E_LIMIT, "more than %d %ss", SAYING_MOST, said->what);
    said->item[said->n++] = item;
    return BURST_OK;
}

const struct saying *said_find(const struct said *said, const char *group, const char *name)
{
    for (size_t i = 0; i < said->n; i++) {
        const struct saying *s = &said->item[i];
        bool here = group ? !strcasecmp(s->group, group) : s->group[0] != '/';
        if (here && !strcasecmp(s->name, name)) return s;
    }
    return NULL;
}

const char *said_text(const struct said *said, const char *group, const char *name)
{
    const struct saying *s = said_find(said, group, name);
    return s && s->text ? s->text : "";
}

/* A copy without the blanks around it; false where it does not fit. */
static bool trim(const char *text, char *ret, size_t size)
{
    while (isspace((unsigned char)*text))
        text++;
    size_t n = strlen(text);
    while (n && isspace((unsigned char)text[n - 1]))
        n--;
    if (n >= size) return false;
    memcpy(ret, text, n);
    ret[n] = 0;
    return true;
}

bool said_is(const struct said *said, const char *group, const char *name, const char *text)
{
    char word[64];
    return trim(said_text(said, group, name), word, sizeof word) && !strcasecmp(word, text);
}

const char *notice_plain(const char *text, char *ret, size_t size)
{
    (void)snprintf(ret, size, "%s", text);
    for (char *c = ret; *c; c++)
        if (*c < ' ' || *c > '~') *c = '?';
    return ret;
}

void reading_fail(struct reading *r, enum burst_err code, const struct saying *s, const char *why)
{
    char value[48], quoted[56], name[49], line[24] = "";
    if (r->err) return;
    if (s->text)
        (void)snprintf(quoted, sizeof quoted, "'%.40s'", notice_plain(s->text, value, sizeof value));
    else
        (void)snprintf(quoted, sizeof quoted, "%.9g", s->number);
    if (s->line) (void)snprintf(line, sizeof line, "line %d: ", s->line);
    bool own = s->group[0] == '/'; /* of the VOEvent, no Param */
    r->err = burst_fail(r->reterr, code, "%s%s%s%s is %s: %s", line, own ? "" : r->said->what, own ? "" : " ",
                        notice_plain(s->name, name, sizeof name), quoted, why);
}

/* ---- unknown ---- */

/* Seen in notices, or printed by the languages that make them. */
static bool is_unknown_word(const char *word)
{
    static const char *const WORDS[] = {
        "",     "N/A",  "NA",     "undefined", "unknown", "unavailable", "not available",
        "none", "null", "(null)", "nan",       "-",       "--",          "TBD"};
    for (size_t i = 0; i < sizeof WORDS / sizeof WORDS[0]; i++)
        if (!strcasecmp(word, WORDS[i])) return true;
    return false;
}

static bool is_infinite_word(const char *word)
{
    return !strcasecmp(word, "infinity") || !strcasecmp(word, "inf");
}

/* ---- numbers ---- */

/* Decimal digits only: strtod alone would also take "0x1p3" and "nan(...)". */
static bool parse_decimal(const char *word, double *ret)
{
    char *end;
    if (!word[0] || word[strspn(word, "+-.0123456789eE")]) return false;
    *ret = strtod(word, &end);
    return !*end && isfinite(*ret);
}

double read_real(struct reading *r, const struct saying *s, double least, double most, unsigned unknown)
{
    char word[64], why[80];
    double value;
    if (r->err || !s) return NAN;
    if (s->text) {
        bool fits = trim(s->text, word, sizeof word);
        if (fits && (is_unknown_word(word) || ((unknown & UNKNOWN_INFINITE) && is_infinite_word(word)))) return NAN;
        if (!fits || !parse_decimal(word, &value)) {
            reading_fail(r, BURST_E_FORMAT, s, "a number expected");
            return NAN;
        }
    } else
        value = s->number;
    if ((unknown & UNKNOWN_MINUS_1) && value == -1) return NAN;
    if ((unknown & UNKNOWN_ZERO) && value == 0) return NAN;
    if (value >= least && value <= most) return value + 0.0; /* -0 becomes 0 */
    (void)snprintf(why, sizeof why, "%g to %g expected", least, most);
    reading_fail(r, BURST_E_RANGE, s, why);
    return NAN;
}

int64_t read_int(struct reading *r, const struct saying *s, int64_t least, int64_t most)
{
    double value = read_real(r, s, (double)least, (double)most, UNKNOWN_MINUS_1);
    if (isnan(value)) return 0;
    if (value != floor(value)) {
        reading_fail(r, BURST_E_FORMAT, s, "a whole number expected");
        return 0;
    }
    return (int64_t)value;
}

bool read_mask(struct reading *r, const struct saying *s, int n_bit, uint32_t *ret_mask)
{
    char word[32], *end;
    unsigned long long value = 0;
    if (r->err || !s) return false;
    if (!s->text)
        value = s->number >= 0 && s->number <= 4294967295.0 && s->number == floor(s->number)
                    ? (unsigned long long)s->number
                    : ~0ULL;
    else if (!trim(s->text, word, sizeof word) || is_unknown_word(word))
        return false;
    else {
        bool hex = word[0] == '0' && (word[1] == 'x' || word[1] == 'X');
        errno = 0;
        value = strtoull(word, &end, hex ? 16 : 10);
        if (*end || errno || !isxdigit((unsigned char)word[hex ? 2 : 0])) {
            reading_fail(r, BURST_E_FORMAT, s, "a mask in hexadecimal (0x...) or decimal expected");
            return false;
        }
    }
    if (value >> n_bit) {
        char why[48];
        (void)snprintf(why, sizeof why, "%d bits expected", n_bit);
        reading_fail(r, BURST_E_RANGE, s, why);
        return false;
    }
    *ret_mask = (uint32_t)value;
    return true;
}

/* ---- texts ---- */

/* Where a UTF-8 text may be cut so that at most n bytes stay and no character is halved. */
static size_t cut_at(const char *text, size_t n)
{
    while (n && ((unsigned char)text[n] & 0xc0) == 0x80)
        n--;
    return n;
}

void read_text(struct reading *r, const struct saying *s, char *ret_text, size_t size)
{
    if (r->err || !s) return;
    if (!s->text) {
        (void)snprintf(ret_text, size, "%.17g", s->number);
        return;
    }
    const char *from = s->text;
    while (isspace((unsigned char)*from))
        from++;
    size_t n = strlen(from);
    if (n >= size) n = cut_at(from, size - 1);
    while (n && isspace((unsigned char)from[n - 1]))
        n--;
    for (size_t i = 0; i < n; i++)
        ret_text[i] = (unsigned char)from[i] < 0x20 || from[i] == 0x7f ? ' ' : from[i];
    ret_text[n] = 0;
    if (is_unknown_word(ret_text)) ret_text[0] = 0;
}

void read_name(struct reading *r, const struct saying *s, char *ret_text, size_t size)
{
    char word[256], why[64];
    if (r->err || !s) return;
    if (!s->text)
        (void)snprintf(word, sizeof word, "%.17g", s->number);
    else if (!trim(s->text, word, sizeof word))
        word[0] = ' ', word[1] = 0; /* too long: refused below */
    if (is_unknown_word(word)) return;
    for (const char *c = word; *c; c++)
        if (!isalnum((unsigned char)*c) && !strchr("_.-", *c)) {
            reading_fail(r, BURST_E_FORMAT, s, "letters, digits, '_', '.' and '-' expected");
            return;
        }
    if (strlen(word) >= size) {
        (void)snprintf(why, sizeof why, "at most %zu characters expected", size - 1);
        reading_fail(r, BURST_E_FORMAT, s, why);
        return;
    }
    memcpy(ret_text, word, strlen(word) + 1);
}

/* ---- times ---- */

struct utc_text {
    int year, month, day, hour, minute, second, n_digit;
    int64_t ns, offset_s;
};

/* ".123456" after the seconds; digits past the ninth are read and dropped. */
static const char *parse_fraction(const char *p, struct utc_text *ret)
{
    int64_t unit = 100000000;
    if (*p != '.') return p;
    for (p++; isdigit((unsigned char)*p); p++, unit /= 10) {
        ret->ns += (*p - '0') * unit;
        ret->n_digit += ret->n_digit < 9;
    }
    return p;
}

static bool has_shape(const char *word, const char *shape)
{
    for (; *shape; shape++, word++)
        if (*shape == 'd' ? !isdigit((unsigned char)*word) : *word != *shape && !(*shape == 'T' && *word == ' '))
            return false;
    return true;
}

/* "", "Z", "UT", "UTC", "+00:00", "+0000", "+00". */
static bool parse_zone(const char *p, struct utc_text *ret)
{
    while (*p == ' ')
        p++;
    if (!*p || !strcasecmp(p, "Z") || !strcasecmp(p, "UT") || !strcasecmp(p, "UTC")) return true;
    if (*p != '+' && *p != '-') return false;
    size_t n = strlen(p + 1);
    bool colon = n == 5;
    if (!has_shape(p + 1, colon ? "dd:dd" : n == 4 ? "dddd" : "dd") || (n != 5 && n != 4 && n != 2)) return false;
    int hour = (p[1] - '0') * 10 + p[2] - '0', minute = 0;
    const char *last = p + n - 1; /* the tens of the minutes */
    if (n > 2) minute = (last[0] - '0') * 10 + last[1] - '0';
    if (hour > 14 || minute > 59) return false;
    ret->offset_s = (*p == '-' ? -1 : 1) * (hour * 3600 + minute * 60);
    return true;
}

static int64_t days_from_1970(int year, int month, int day)
{
    int y = month <= 2 ? year - 1 : year;
    int64_t era = y / 400, of_era = y - era * 400; /* y > 0 */
    int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static bool is_date(const struct utc_text *t)
{
    static const int DAYS[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = t->year % 4 == 0 && (t->year % 100 != 0 || t->year % 400 == 0);
    if (t->month < 1 || t->month > 12 || t->day < 1 || t->day > DAYS[t->month - 1]) return false;
    if (t->month == 2 && t->day == 29 && !leap) return false;
    if (t->minute < 0 || t->minute > 59 || t->second < 0 || t->second > 60 || t->hour < 0) return false;
    /* "24:00:00" is the end of the day, and ISO 8601's own */
    return t->hour < 24 || (t->hour == 24 && !t->minute && !t->second && !t->ns);
}

static bool parse_moment(const char *word, struct utc_text *ret)
{
    static const char SHAPE[] = "dddd-dd-ddTdd:dd:dd";
    if (!has_shape(word, SHAPE)) return false;
    (void)sscanf(word, "%4d-%2d-%2d%*c%2d:%2d:%2d", &ret->year, &ret->month, &ret->day, &ret->hour, &ret->minute,
                 &ret->second); /* the shape is known to be right */
    return parse_zone(parse_fraction(word + sizeof SHAPE - 1, ret), ret) && is_date(ret);
}

/* Second 60 where UTC has none comes of rounding ("12:34:60.00"): the next minute. */
static int64_t to_tt_ns(const struct utc_text *t)
{
    char text[80];
    int64_t tt_ns, utc_s = days_from_1970(t->year, t->month, t->day) * 86400 + t->hour * 3600 + t->minute * 60 +
                           t->second - t->offset_s;
    if (t->second == 60 && !t->offset_s) {
        (void)snprintf(text, sizeof text, "%04d-%02d-%02dT%02d:%02d:60", t->year, t->month, t->day, t->hour, t->minute);
        if (!clock_parse_utc(text, &tt_ns, NULL)) return tt_ns + t->ns;
    }
    return clock_tt_from_utc_ns(utc_s * CLOCK_NS_PER_S + t->ns);
}

int64_t read_utc(struct reading *r, const struct saying *s, double *ret_digit_s)
{
    char word[64];
    struct utc_text t = {0};
    if (r->err || !s) return 0;
    bool fits = s->text && trim(s->text, word, sizeof word);
    if (fits && is_unknown_word(word)) return 0;
    if (!fits || !parse_moment(word, &t)) {
        reading_fail(r, BURST_E_TIME, s, "UTC as YYYY-MM-DDTHH:MM:SS[.f][Z] expected");
        return 0;
    }
    if (t.year < 1990 || t.year > 2100) {
        reading_fail(r, BURST_E_TIME, s, "a year of 1990 to 2100 expected");
        return 0;
    }
    if (ret_digit_s) *ret_digit_s = pow(10, -t.n_digit);
    return to_tt_ns(&t);
}

/* The unit of the last digit printed: 0.01 for "20553.65". */
static double last_digit(const char *text)
{
    const char *point = text ? strchr(text, '.') : NULL;
    size_t n = point ? strspn(point + 1, "0123456789") : 0;
    return pow(10, -(double)(n < 9 ? n : 9));
}

int64_t read_tjd(struct reading *r, const struct saying *day, const struct saying *second, double *ret_digit_s)
{
    /* Truncated Julian day = MJD - 40000; 1970-01-01 is MJD 40587. 1990..2100: TJD 7892..48409. */
    int64_t tjd = read_int(r, day, 7892, 48409);
    double sod = read_real(r, second, 0, 86401, UNKNOWN_MINUS_1);
    if (r->err || !tjd || isnan(sod)) return 0;
    if (ret_digit_s) *ret_digit_s = last_digit(second->text);
    int64_t utc_ns = (tjd - 587) * 86400 * CLOCK_NS_PER_S + llround(sod * 1e6) * 1000;
    return clock_tt_from_utc_ns(utc_ns);
}

/* ---- rules ---- */

static void apply_text(struct reading *r, const struct rule *rule, const struct saying *s)
{
    char *to = (char *)r->n + rule->to;
    if (!to[0]) read_text(r, s, to, rule->size);
}

static void apply_flag(struct reading *r, const struct rule *rule, const struct saying *s)
{
    char word[16] = "";
    bool fits = s->text ? trim(s->text, word, sizeof word) : true;
    bool yes = s->text ? !strcasecmp(word, "true") || !strcmp(word, "1") || !strcasecmp(word, "yes") : s->number == 1;
    bool no = s->text ? !strcasecmp(word, "false") || !strcmp(word, "0") || !strcasecmp(word, "no") : s->number == 0;
    if (yes)
        r->n->flags |= (unsigned)rule->to;
    else if (!no && !(fits && is_unknown_word(word)))
        reading_fail(r, BURST_E_FORMAT, s, "true or false expected");
}

static void apply(struct reading *r, const struct rule *rule, const struct saying *s)
{
    void *to = (char *)r->n + rule->to;
    switch (rule->kind) {
    case RULE_REAL:
        if (isnan(*(double *)to)) *(double *)to = read_real(r, s, rule->least, rule->most, rule->unknown);
        break;
    case RULE_INT:
        if (!*(int *)to) *(int *)to = (int)read_int(r, s, (int64_t)rule->least, (int64_t)rule->most);
        break;
    case RULE_TEXT: apply_text(r, rule, s); break;
    case RULE_UTC:
        if (!*(int64_t *)to) *(int64_t *)to = read_utc(r, s, NULL);
        break;
    case RULE_FLAG: apply_flag(r, rule, s); break;
    }
}

void read_rules(struct reading *r, const struct rule *rules, size_t n_rule)
{
    for (size_t i = 0; i < n_rule && !r->err; i++) {
        const struct saying *s = said_find(r->said, NULL, rules[i].name);
        if (s) apply(r, &rules[i], s);
    }
}
