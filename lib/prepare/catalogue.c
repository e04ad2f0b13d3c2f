/* See catalogue.h. One pass over the lines; everything is checked before the caller's struct is touched. */
#include "prepare/catalogue.h"
#include "base/bytes.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define HEADER "name,ra_deg,dec_deg,bright"
enum { LINE_TEXT = 160 };             /* longest line with its closing 0 */
static const double SAME_DEG = 0.001; /* two entries this close are one source entered twice */

struct reader {
    const char *where;
    int line; /* from 1 */
    struct burst_error *reterr;
};

static enum burst_err refuse(const struct reader *r, enum burst_err code, const char *what, const char *text)
{
    return burst_fail(r->reterr, code, "%s:%d: %s: \"%s\"", r->where, r->line, what, text);
}

static enum burst_err prefix_line(const struct reader *r, enum burst_err err)
{
    char where[256];
    (void)snprintf(where, sizeof where, "%.200s:%d", r->where, r->line);
    return burst_prefix(r->reterr, err, where);
}

static bool is_good_name(const char *name)
{
    static const char PLAIN[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    static const char LEGAL[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789 +-./_()[]*:";
    size_t n = strnlen(name, SOURCE_NAME_TEXT);
    if (n == 0 || n == SOURCE_NAME_TEXT || !strchr(PLAIN, name[0]) || strspn(name, LEGAL) != n) return false;
    return name[n - 1] != ' ' && !strstr(name, "  ") && strcasecmp(name, "Moon") != 0 && strcasecmp(name, "Sun") != 0;
}

enum burst_err catalogue_check(const struct catalogue_source *s, struct burst_error *reterr)
{
    if (!is_good_name(s->name))
        return burst_fail(
            reterr, BURST_E_FORMAT,
            "not a name: 1 to 31 letters, digits, single spaces and +-./_()[]*:, a letter or digit first, "
            "not Moon or Sun: \"%.40s\"",
            s->name);
    if (!(s->ra_deg >= 0.0 && s->ra_deg < 360.0))
        return burst_fail(reterr, BURST_E_RANGE, "right ascension %g of %s is not in [0, 360) degrees", s->ra_deg,
                          s->name);
    if (!(fabs(s->dec_deg) <= 90.0))
        return burst_fail(reterr, BURST_E_RANGE, "declination %g of %s is not in [-90, 90] degrees", s->dec_deg,
                          s->name);
    return BURST_OK;
}

/* A plain decimal number: strtod alone would also take "nan", "0x1p3" and leading spaces. */
static bool parse_degrees(const char *text, double *ret)
{
    char *end;
    if (text[0] == 0 || strspn(text, "+-.0123456789") != strlen(text)) return false;
    *ret = strtod(text, &end);
    return *end == 0;
}

/* Cut `line` at its commas into exactly four columns. */
static bool split_columns(char *line, char *ret_column[4])
{
    int n = 0;
    for (char *rest = line; rest; n++) {
        char *comma = strchr(rest, ',');
        if (n == 4) return false;
        ret_column[n] = rest;
        if (comma) *comma++ = 0;
        rest = comma;
    }
    return n == 4;
}

static enum burst_err parse_source(const struct reader *r, const char *line, struct catalogue_source *ret_s)
{
    char copy[LINE_TEXT], *column[4];
    struct catalogue_source s = {0};
    memcpy(copy, line, strlen(line) + 1);
    if (!split_columns(copy, column)) return refuse(r, BURST_E_FORMAT, "not four columns", line);
    if (strlen(column[0]) >= sizeof s.name) return refuse(r, BURST_E_FORMAT, "not a name of 1 to 31 characters", line);
    if (!parse_degrees(column[1], &s.ra_deg) || !parse_degrees(column[2], &s.dec_deg))
        return refuse(r, BURST_E_FORMAT, "not a decimal number of degrees", line);
    if (strcmp(column[3], "0") != 0 && strcmp(column[3], "1") != 0)
        return refuse(r, BURST_E_FORMAT, "bright is not 0 or 1", line);
    memcpy(s.name, column[0], strlen(column[0]) + 1);
    s.bright = column[3][0] == '1';
    enum burst_err err = catalogue_check(&s, r->reterr);
    if (err) return prefix_line(r, err);
    *ret_s = s;
    return BURST_OK;
}

double catalogue_separation_deg(const struct catalogue_source *a, const struct catalogue_source *b)
{
    const double rad = M_PI / 180.0;
    double s_dec = sin((a->dec_deg - b->dec_deg) * rad / 2), s_ra = sin((a->ra_deg - b->ra_deg) * rad / 2);
    double h = s_dec * s_dec + cos(a->dec_deg * rad) * cos(b->dec_deg * rad) * s_ra * s_ra;
    return 2.0 * asin(sqrt(h < 1.0 ? h : 1.0)) / rad;
}

static enum burst_err add_source(const struct reader *r, const char *line, struct catalogue *c)
{
    struct catalogue_source *s = &c->source[c->n_source];
    if (c->n_source == CATALOGUE_MAX) return refuse(r, BURST_E_LIMIT, "more than 4096 sources", line);
    enum burst_err err = parse_source(r, line, s);
    if (err) return err;
    for (size_t i = 0; i < c->n_source; i++)
        if (strcmp(c->source[i].name, s->name) == 0 || catalogue_separation_deg(&c->source[i], s) < SAME_DEG)
            return refuse(r, BURST_E_DUPLICATE, c->source[i].name, line);
    c->n_source++;
    return BURST_OK;
}

/* Copy the line that starts at text[*at] into `ret_line` and step past it. */
static enum burst_err next_line(const struct reader *r, const char *text, size_t n, size_t *at,
                                char ret_line[LINE_TEXT])
{
    const char *end = memchr(text + *at, '\n', n - *at);
    size_t length = (end ? (size_t)(end - text) : n) - *at;
    if (length >= LINE_TEXT || memchr(text + *at, 0, length))
        return burst_fail(r->reterr, BURST_E_FORMAT, "%s:%d: a line of %zu bytes (at most %d, no zero byte)", r->where,
                          r->line, length, LINE_TEXT - 1);
    memcpy(ret_line, text + *at, length);
    ret_line[length] = 0;
    *at += length + (end ? 1 : 0);
    return BURST_OK;
}

static enum burst_err parse_lines(const char *text, size_t n, struct reader *r, struct catalogue *c)
{
    bool seen_header = false;
    for (size_t at = 0; at < n;) {
        char line[LINE_TEXT];
        r->line++;
        enum burst_err err = next_line(r, text, n, &at, line);
        if (err) return err;
        if (line[0] == 0 || line[0] == '#') continue;
        if (seen_header)
            err = add_source(r, line, c);
        else if (strcmp(line, HEADER) != 0)
            err = refuse(r, BURST_E_FORMAT, "the header is not " HEADER, line);
        if (err) return err;
        seen_header = true;
    }
    if (c->n_source == 0) return burst_fail(r->reterr, BURST_E_MISSING, "%s: no source in it", r->where);
    return BURST_OK;
}

enum burst_err catalogue_parse(const char *text, size_t n, const char *where, struct catalogue *ret_c,
                               struct burst_error *reterr)
{
    struct reader r = {.where = where, .reterr = reterr};
    struct catalogue c = {0};
    if (n > CATALOGUE_BYTES_MAX)
        return burst_fail(reterr, BURST_E_LIMIT, "%s: %zu bytes, at most %d are read", where, n, CATALOGUE_BYTES_MAX);
    c.source = calloc(CATALOGUE_MAX + 1, sizeof *c.source);
    if (!c.source) return burst_fail(reterr, BURST_E_NOMEM, "%s: no memory for the catalogue", where);
    enum burst_err err = parse_lines(text, n, &r, &c);
    if (err) {
        catalogue_fini(&c);
        return err;
    }
    *ret_c = c;
    return BURST_OK;
}

enum burst_err catalogue_load(const char *path, struct catalogue *ret_c, struct burst_error *reterr)
{
    uint8_t *bytes;
    size_t n;
    enum burst_err err = bytes_read_file(path, CATALOGUE_BYTES_MAX, &bytes, &n, reterr);
    if (err) return err;
    err = catalogue_parse((const char *)bytes, n, path, ret_c, reterr);
    free(bytes);
    return err;
}

void catalogue_fini(struct catalogue *c)
{
    free(c->source);
    *c = (struct catalogue){0};
}
