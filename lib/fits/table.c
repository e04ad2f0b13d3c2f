/* Binary tables in place. */
#include "fits/table.h"
#include "base/bytes.h"
#include "fits/card.h"
#include <math.h>
#include <stdio.h>
#include <strings.h>

enum { ITEM_MOST = 1 << 24 }; /* items of one cell; a message has 16 MiB */

/* Bytes of one item of a form; X counts bits. 0: no such form. */
static size_t form_width(char form)
{
    switch (form) {
    case 'L':
    case 'B':
    case 'A':
    case 'X': return 1;
    case 'I': return 2;
    case 'J':
    case 'E': return 4;
    case 'K':
    case 'D':
    case 'C': return 8;
    case 'M': return 16;
    default: return 0;
    }
}

static bool is_integer_form(char form)
{
    return form == 'B' || form == 'I' || form == 'J' || form == 'K';
}

static enum burst_err parse_form(const struct fits_hdu *hdu, const char *text, struct fits_column *column,
                                 struct burst_error *reterr)
{
    size_t n_digit = strspn(text, "0123456789");
    int64_t n = 0;
    for (size_t i = 0; i < n_digit && n <= ITEM_MOST; i++)
        n = n * 10 + (text[i] - '0');
    if (!n_digit) n = 1;
    char form = text[n_digit];
    if (form == 'P' || form == 'Q')
        return burst_fail(reterr, BURST_E_UNSUPPORTED,
                          "%s: TFORM '%s': variable-length columns are not taken (card at byte %zu)", hdu->name, text,
                          column->form_at);
    if (!form_width(form) || text[n_digit + 1] || n < 1)
        return burst_fail(reterr, BURST_E_FORMAT, "%s: TFORM '%s' is no form (card at byte %zu)", hdu->name, text,
                          column->form_at);
    if (n > ITEM_MOST)
        return burst_fail(reterr, BURST_E_LIMIT, "%s: TFORM '%s': at most %d items a cell (card at byte %zu)",
                          hdu->name, text, ITEM_MOST, column->form_at);
    column->form = form;
    column->n_item = n;
    column->n_bytes = form == 'X' ? ((size_t)n + 7) / 8 : (size_t)n * form_width(form);
    return BURST_OK;
}

/* By hand: five keys of each column of each detector are made for every message. */
static void column_key(const char *stem, int column, char ret_key[24])
{
    size_t n = strlen(stem);
    int number = column + 1;
    memcpy(ret_key, stem, n);
    if (number >= 10) ret_key[n++] = (char)('0' + number / 10 % 10);
    ret_key[n++] = (char)('0' + number % 10);
    ret_key[n] = 0;
}

static enum burst_err read_scale(const struct fits_hdu *hdu, int i, struct fits_column *column,
                                 struct burst_error *reterr)
{
    char key[24];
    enum burst_err err = BURST_OK;
    column->scale = 1;
    column_key("TSCAL", i, key);
    if (fits_key_has(hdu, key)) err = fits_key_real(hdu, key, -HUGE_VAL, HUGE_VAL, &column->scale, reterr);
    if (!err && column->scale == 0)
        err =
            burst_fail(reterr, BURST_E_FORMAT, "%s: %s = 0 (card at byte %zu)", hdu->name, key, fits_key_at(hdu, key));
    column_key("TZERO", i, key);
    column->has_zero_ns = true;
    if (!err && fits_key_has(hdu, key)) {
        err = fits_key_real(hdu, key, -HUGE_VAL, HUGE_VAL, &column->zero, reterr);
        column->has_zero_ns = !fits_key_ns(hdu, key, &column->zero_ns, NULL);
    }
    column_key("TNULL", i, key);
    column->has_null = fits_key_has(hdu, key);
    if (!err && column->has_null) err = fits_key_int(hdu, key, INT64_MIN, INT64_MAX, &column->null, reterr);
    column->has_null = column->has_null && is_integer_form(column->form);
    return err;
}

static enum burst_err read_column(const struct fits_hdu *hdu, int i, struct fits_column *column,
                                  struct burst_error *reterr)
{
    char key[24], text[FITS_TEXT_MAX];
    *column = (struct fits_column){0};
    column_key("TFORM", i, key);
    column->form_at = fits_key_at(hdu, key);
    enum burst_err err = fits_key_text(hdu, key, text, sizeof text, reterr);
    if (err == BURST_E_MISSING)
        return burst_fail(reterr, BURST_E_FORMAT, "%s: no %s (header at byte %zu)", hdu->name, key, hdu->header_at);
    if (err || (err = parse_form(hdu, text, column, reterr))) return err;
    column_key("TTYPE", i, key);
    if (fits_key_has(hdu, key)) {
        if ((err = fits_key_text(hdu, key, text, sizeof text, reterr))) return err;
        (void)snprintf(column->name, sizeof column->name, "%.*s", FITS_NAME_TEXT - 1, text);
    }
    return read_scale(hdu, i, column, reterr);
}

enum burst_err fits_table_view(const struct fits_hdu *hdu, struct fits_table *ret_table, struct burst_error *reterr)
{
    struct fits_table t = {.hdu = hdu, .n_column = hdu->n_column};
    size_t at = 0;
    if (hdu->kind != FITS_TABLE)
        return burst_fail(reterr, BURST_E_SHAPE,
                          "%s: a binary table expected, an image stands there (header at byte %zu)", hdu->name,
                          hdu->header_at);
    t.row_bytes = (size_t)hdu->axis[0];
    t.n_row = (size_t)hdu->axis[1];
    for (int i = 0; i < t.n_column; i++) {
        enum burst_err err = read_column(hdu, i, &t.column[i], reterr);
        if (err) return err;
        t.column[i].offset = at;
        at += t.column[i].n_bytes; /* 64 columns of 256 MiB at most: no overflow */
    }
    if (at != t.row_bytes)
        return burst_fail(reterr, BURST_E_SHAPE,
                          "%s: the columns add up to %zu bytes a row, NAXIS1 is %zu (card at byte %zu)", hdu->name, at,
                          t.row_bytes, fits_key_at(hdu, "NAXIS1"));
    *ret_table = t;
    return BURST_OK;
}

enum burst_err fits_table_column(const struct fits_table *table, const char *name, char form,
                                 const struct fits_column **ret_column, struct burst_error *reterr)
{
    const struct fits_column *found = NULL;
    for (int i = 0; i < table->n_column; i++) {
        const struct fits_column *c = &table->column[i];
        if (strcasecmp(c->name, name) != 0) continue;
        if (found)
            return burst_fail(reterr, BURST_E_FORMAT, "%s: two columns %s (cards at bytes %zu and %zu)",
                              table->hdu->name, name, found->form_at, c->form_at);
        found = c;
    }
    if (!found)
        return burst_fail(reterr, BURST_E_MISSING, "%s: no column %s (header at byte %zu)", table->hdu->name, name,
                          table->hdu->header_at);
    if (form && (found->form != form || found->n_item != 1))
        return burst_fail(reterr, BURST_E_FORMAT, "%s: column %s is %lld%c, 1%c expected (card at byte %zu)",
                          table->hdu->name, name, (long long)found->n_item, found->form, form, found->form_at);
    *ret_column = found;
    return BURST_OK;
}

size_t fits_cell_at(const struct fits_table *table, const struct fits_column *column, size_t row)
{
    return table->hdu->data_at + row * table->row_bytes + column->offset;
}

static int64_t cell_int(const uint8_t *p, char form)
{
    switch (form) {
    case 'B': return *p;
    case 'I': return (int16_t)bytes_get_u16(p);
    case 'J': return (int32_t)bytes_get_u32(p);
    default: return (int64_t)bytes_get_u64(p);
    }
}

double fits_cell_stored(const struct fits_table *table, const struct fits_column *column, size_t row, int64_t k)
{
    const uint8_t *p = fits_cell(table, column, row) + (size_t)k * form_width(column->form);
    if (is_integer_form(column->form)) return (double)cell_int(p, column->form);
    if (column->form == 'E') return (double)bytes_get_f32(p);
    return column->form == 'D' ? bytes_get_f64(p) : (double)NAN;
}

double fits_cell_real(const struct fits_table *table, const struct fits_column *column, size_t row, int64_t k)
{
    const uint8_t *p = fits_cell(table, column, row) + (size_t)k * form_width(column->form);
    if (column->has_null && cell_int(p, column->form) == column->null) return (double)NAN;
    return fits_cell_stored(table, column, row, k) * column->scale + column->zero;
}

enum burst_err fits_cell_text(const struct fits_table *table, const struct fits_column *column, size_t row,
                              char *ret_text, size_t size)
{
    const char *p = (const char *)fits_cell(table, column, row);
    size_t n = column->form == 'A' ? strnlen(p, column->n_bytes) : 0;
    while (n && p[n - 1] == ' ')
        n--;
    if (n >= size) return BURST_E_LIMIT;
    memcpy(ret_text, p, n);
    ret_text[n] = 0;
    return BURST_OK;
}
