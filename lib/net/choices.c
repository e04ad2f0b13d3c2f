#include "net/choices.h"
#include "base/bytes.h"
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char FIRST_LINE[] = "burst choices 1";
enum { LINE_MOST = 2048 };          /* characters of one choice: 64 knobs of at most 24 and the rest */
static const double US_MOST = 1e12; /* eleven days: no engine takes as long */

void choices_init(struct choices *c, const char *title)
{
    *c = (struct choices){0};
    (void)snprintf(c->title, sizeof c->title, "%s", title);
}

void choices_fini(struct choices *c)
{
    free(c->item);
    *c = (struct choices){0};
}

static struct choice *find(const struct choices *c, const char *shape)
{
    for (int i = 0; i < c->n; i++)
        if (strcmp(c->item[i].shape, shape) == 0) return &c->item[i];
    return NULL;
}

const struct choice *choices_find(const struct choices *c, const char *shape)
{
    return find(c, shape);
}

enum burst_err choices_put(struct choices *c, const struct choice *choice, struct burst_error *reterr)
{
    struct choice *same = find(c, choice->shape);
    if (same) {
        *same = *choice;
        return BURST_OK;
    }
    if (c->n == CHOICES_MOST) return burst_fail(reterr, BURST_E_LIMIT, "%d choices are kept, no more", CHOICES_MOST);
    if (c->n == c->room) {
        int room = c->room ? 2 * c->room : 16;
        struct choice *grown = realloc(c->item, (size_t)room * sizeof *grown);
        if (!grown) return burst_fail(reterr, BURST_E_NOMEM, "no memory for %d choices", room);
        c->item = grown;
        c->room = room;
    }
    c->item[c->n++] = *choice;
    return BURST_OK;
}

/* ---- reading ---- */

/* A decimal number up to a character of `ends` or the end of the text. */
static bool take_integer(const char **at, const char *ends, int64_t least, int64_t most, int64_t *ret)
{
    if (**at != '-' && (**at < '0' || **at > '9')) return false; /* strtoll takes spaces and plus signs */
    char *end;
    errno = 0;
    long long x = strtoll(*at, &end, 10);
    if (errno || end == *at || x < least || x > most || (*end && !strchr(ends, *end))) return false;
    *ret = x;
    *at = end;
    return true;
}

static bool take_space(const char **at)
{
    if (**at != ' ') return false;
    (*at)++;
    return true;
}

static bool take_shape(const char **at, char ret[CHOICE_SHAPE])
{
    size_t n = strcspn(*at, " ");
    if (n == 0 || n >= CHOICE_SHAPE) return false;
    for (size_t i = 0; i < n; i++)
        if ((*at)[i] < '!' || (*at)[i] > '~') return false;
    memcpy(ret, *at, n);
    ret[n] = 0;
    *at += n;
    return true;
}

static bool take_us(const char **at, double *ret)
{
    if (**at < '0' || **at > '9') return false;
    char *end;
    double x = strtod(*at, &end);
    if (!(x <= US_MOST) || (*end && *end != ' ')) return false;
    *ret = x;
    *at = end;
    return true;
}

/* "2=17,14=4" to the end of the line; nothing is no knobs. */
static bool take_knobs(const char *at, struct choice *ret)
{
    for (ret->n_knob = 0; *at;) {
        int64_t type, value;
        if (ret->n_knob == CHOICE_KNOBS || !take_integer(&at, "=", 0, INT_MAX, &type) || *at++ != '=') return false;
        if (!take_integer(&at, ",", INT64_MIN, INT64_MAX, &value)) return false;
        ret->knob[ret->n_knob++] = (struct choice_knob){(int)type, value};
        if (*at == ',' && !*++at) return false;
    }
    return true;
}

static bool line_read(const char *at, struct choice *ret)
{
    int64_t form;
    if (!take_shape(&at, ret->shape) || !take_space(&at)) return false;
    if (!take_integer(&at, " ", 0, INT64_MAX, &ret->engine) || !take_space(&at)) return false;
    if (!take_integer(&at, " ", 0, 99, &form) || !take_space(&at)) return false;
    ret->form = (int)form;
    if (!take_us(&at, &ret->us)) return false;
    if (*at) at++;
    return take_knobs(at, ret);
}

/* Copy the next line, without its end, as text. False: none is left, or it is too long or holds a 0 (*ret_text empty). */
static bool next_line(const uint8_t **at, size_t *n, char ret_text[LINE_MOST])
{
    ret_text[0] = 0;
    if (*n == 0) return false;
    const uint8_t *end = memchr(*at, '\n', *n);
    size_t length = end ? (size_t)(end - *at) : *n;
    if (length < LINE_MOST && !memchr(*at, 0, length)) {
        memcpy(ret_text, *at, length);
        ret_text[length] = 0;
    }
    size_t used = end ? length + 1 : length;
    *at += used;
    *n -= used;
    return true;
}

enum burst_err choices_parse(struct choices *c, const uint8_t *bytes, size_t n, struct burst_error *reterr)
{
    char line[LINE_MOST];
    if (n > CHOICES_FILE_MOST)
        return burst_fail(reterr, BURST_E_LIMIT, "choices of %zu bytes; at most %d are taken", n, CHOICES_FILE_MOST);
    (void)next_line(&bytes, &n, line); /* an empty file has an empty first line */
    if (strcmp(line, FIRST_LINE) != 0) return burst_fail(reterr, BURST_E_FORMAT, "no file of choices");
    (void)next_line(&bytes, &n, line); /* as above */
    if (strcmp(line, c->title) != 0)
        return burst_fail(reterr, BURST_E_CONFLICT, "choices for '%.200s', not for '%.200s'", line, c->title);
    while (next_line(&bytes, &n, line)) {
        struct choice choice = {0};
        if (!line_read(line, &choice) || find(c, choice.shape)) continue;
        enum burst_err err = choices_put(c, &choice, reterr);
        if (err) return err;
    }
    return BURST_OK;
}

enum burst_err choices_read(struct choices *c, const char *path, struct burst_error *reterr)
{
    uint8_t *bytes;
    size_t n;
    enum burst_err err = bytes_read_file(path, CHOICES_FILE_MOST, &bytes, &n, reterr);
    if (err) return err;
    err = choices_parse(c, bytes, n, reterr);
    free(bytes);
    return err ? burst_prefix(reterr, err, path) : BURST_OK;
}

/* ---- writing ---- */

static void line_write(FILE *to, const struct choice *c)
{
    (void)fprintf(to, "%s %" PRId64 " %d %.3g", c->shape, c->engine, c->form, c->us); /* ferror is asked at the end */
    for (int i = 0; i < c->n_knob; i++)
        (void)fprintf(to, "%c%d=%" PRId64, i ? ',' : ' ', c->knob[i].type, c->knob[i].value);
    (void)fputc('\n', to);
}

enum burst_err choices_write(const struct choices *c, const char *path, struct burst_error *reterr)
{
    char *text = NULL;
    size_t n = 0;
    FILE *to = open_memstream(&text, &n);
    if (!to) return burst_fail(reterr, BURST_E_NOMEM, "no memory for a file of choices");
    (void)fprintf(to, "%s\n%s\n", FIRST_LINE, c->title);
    for (int i = 0; i < c->n; i++)
        line_write(to, &c->item[i]);
    bool written = !ferror(to);
    if (fclose(to) != 0 || !written) {
        free(text);
        return burst_fail(reterr, BURST_E_NOMEM, "no memory for a file of choices");
    }
    enum burst_err err = bytes_write_file(path, (const uint8_t *)text, n, reterr);
    free(text);
    return err;
}

void choices_file_name(const char *title, char ret_name[CHOICES_TITLE])
{
    size_t n = 0;
    for (const char *p = title; *p && n < CHOICES_TITLE - 5; p++) {
        bool plain = (*p >= '0' && *p <= '9') || (*p >= 'A' && *p <= 'Z') || (*p >= 'a' && *p <= 'z');
        if (plain)
            ret_name[n++] = *p;
        else if (n > 0 && ret_name[n - 1] != '-')
            ret_name[n++] = '-';
    }
    memcpy(ret_name + n, ".txt", 5);
}
