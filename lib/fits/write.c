/* The general writer: cfitsio lays out HDUs, data and sums; cards and table rows are made here, because cfitsio's own
 * number texts lose digits and its checksum comment carries the date of writing. */
#include "fits/write.h"
#include "base/bytes.h"
#include <assert.h>
#include <fitsio.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK_HEAD = 16, CARD = 80, FIRST_BUFFER = 10 * 2880, ROW_BATCH = 1 << 16, COLUMN_MAX = 64, TEXT_MOST = 68 };

struct fits_writer {
    fitsfile *file;
    void *buffer; /* grown by cfitsio through zeroed_realloc */
    size_t size;
    int n_hdu;   /* begun so far */
    bool broken; /* a call failed: nothing but free is safe */
};

/* cfitsio's status as our error; its stack of messages is emptied, for it is shared with the next call. */
static enum burst_err writer_failed(struct fits_writer *w, int status, const char *doing, struct burst_error *reterr)
{
    char why[FLEN_STATUS];
    fits_get_errstatus(status, why);
    fits_clear_errmsg();
    w->broken = true;
    enum burst_err code = status == MEMORY_ALLOCATION ? BURST_E_NOMEM : BURST_E_IO;
    return burst_fail(reterr, code, "%s: cfitsio %d: %s", doing, status, why);
}

/* cfitsio takes whatever lies past the end of the file for a further HDU, so fresh memory must be zero; but it grows its
 * buffer through a call that is not told the old size. Hence a size in front of the block. */
static void *zeroed_realloc(void *block, size_t n)
{
    uint8_t *old = block ? (uint8_t *)block - BLOCK_HEAD : NULL;
    size_t had = 0;
    if (old) memcpy(&had, old, sizeof had);
    uint8_t *grown = n > SIZE_MAX - BLOCK_HEAD ? NULL : realloc(old, n + BLOCK_HEAD);
    if (!grown) return NULL;
    if (n > had) memset(grown + BLOCK_HEAD + had, 0, n - had);
    memcpy(grown, &n, sizeof n);
    return grown + BLOCK_HEAD;
}

static void zeroed_free(void *block)
{
    if (block) free((uint8_t *)block - BLOCK_HEAD);
}

enum burst_err fits_writer_new(struct fits_writer **ret_writer, struct burst_error *reterr)
{
    struct fits_writer *w = calloc(1, sizeof *w);
    if (!w) return burst_fail(reterr, BURST_E_NOMEM, "no memory for a FITS writer");
    w->size = FIRST_BUFFER;
    w->buffer = zeroed_realloc(NULL, w->size);
    int status = w->buffer ? 0 : MEMORY_ALLOCATION;
    fits_create_memfile(&w->file, &w->buffer, &w->size, FIRST_BUFFER, zeroed_realloc, &status);
    if (status) {
        enum burst_err err = writer_failed(w, status, "starting a FITS file", reterr);
        fits_writer_free(w);
        return err;
    }
    *ret_writer = w;
    return BURST_OK;
}

void fits_writer_free(struct fits_writer *w)
{
    if (!w) return;
    int status = 0;
    if (w->file)
        fits_close_file(w->file, &status); /* what was not finished is thrown away: its status does not matter */
    fits_clear_errmsg();
    zeroed_free(w->buffer);
    free(w);
}

static enum burst_err writer_usable(const struct fits_writer *w, struct burst_error *reterr)
{
    if (w->broken || !w->file) return burst_fail(reterr, BURST_E_STATE, "the FITS writer is used up");
    return BURST_OK;
}

/* ---- keywords ---- */

static bool key_is_legal(const char *key)
{
    size_t n = strlen(key);
    return n >= 1 && n <= 8 && strspn(key, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") == n;
}

static bool text_is_legal(const char *text)
{
    for (; *text; text++)
        if (*text < 0x20 || *text > 0x7e) return false;
    return true;
}

static enum burst_err put_card(struct fits_writer *w, const char *key, const char *value, const char *comment,
                               struct burst_error *reterr)
{
    enum burst_err err = writer_usable(w, reterr);
    if (err) return err;
    if (!w->n_hdu) return burst_fail(reterr, BURST_E_STATE, "keyword %.8s before any HDU", key);
    if (!key_is_legal(key) || (comment && !text_is_legal(comment)))
        return burst_fail(reterr, BURST_E_FORMAT, "'%.20s' is no FITS keyword, or its comment is not ASCII", key);
    char card[2 * CARD + 8];
    int n = snprintf(card, sizeof card, "%-8s= %s", key, value);
    assert(n >= 0 && n <= CARD); /* values are made above, 70 characters at most */
    if (comment && n < CARD - 4)
        (void)snprintf(card + n, sizeof card - (size_t)n, " / %s", comment); /* cut at column 80 */
    int status = 0;
    fits_write_record(w->file, card, &status);
    return status ? writer_failed(w, status, key, reterr) : BURST_OK;
}

enum burst_err fits_put_text(struct fits_writer *w, const char *key, const char *text, const char *comment,
                             struct burst_error *reterr)
{
    char value[CARD], *p = value;
    if (!text_is_legal(text)) return burst_fail(reterr, BURST_E_FORMAT, "%.8s: the text is not printable ASCII", key);
    *p++ = '\'';
    for (const char *t = text; *t; t++) {
        if (p - value - 1 + (*t == '\'') >= TEXT_MOST)
            return burst_fail(reterr, BURST_E_FORMAT, "%.8s: '%.40s...' is longer than 68 characters", key, text);
        *p++ = *t;
        if (*t == '\'') *p++ = '\'';
    }
    while (p - value < 9) /* at least 8 characters inside the quotes: the fixed form of the standard */
        *p++ = ' ';
    *p++ = '\'';
    while (p - value < 20)
        *p++ = ' ';
    *p = 0;
    return put_card(w, key, value, comment, reterr);
}

enum burst_err fits_put_int(struct fits_writer *w, const char *key, int64_t value, const char *comment,
                            struct burst_error *reterr)
{
    char text[CARD];
    (void)snprintf(text, sizeof text, "%20lld", (long long)value);
    return put_card(w, key, text, comment, reterr);
}

/* The fewest digits that read back the same, always with a point so that no reader takes it for an integer. */
static void real_text(double value, char ret_text[40])
{
    char digits[32];
    for (int n = 6; n <= 17; n++) {
        (void)snprintf(digits, sizeof digits, "%.*G", n, value);
        if (strtod(digits, NULL) == value) break;
    }
    size_t mantissa = strcspn(digits, "E");
    bool has_point = memchr(digits, '.', mantissa) != NULL;
    (void)snprintf(ret_text, 40, "%.*s%s%s", (int)mantissa, digits, has_point ? "" : ".0", digits + mantissa);
}

enum burst_err fits_put_real(struct fits_writer *w, const char *key, double value, const char *comment,
                             struct burst_error *reterr)
{
    char digits[40], text[CARD];
    if (!isfinite(value))
        return burst_fail(reterr, BURST_E_RANGE, "%.8s is %g: FITS keywords hold finite numbers", key, value);
    real_text(value, digits);
    (void)snprintf(text, sizeof text, "%20s", digits);
    return put_card(w, key, text, comment, reterr);
}

enum burst_err fits_put_logical(struct fits_writer *w, const char *key, bool value, const char *comment,
                                struct burst_error *reterr)
{
    return put_card(w, key, value ? "                   T" : "                   F", comment, reterr);
}

enum burst_err fits_put_ns(struct fits_writer *w, const char *key, int64_t ns, const char *comment,
                           struct burst_error *reterr)
{
    char digits[40], text[CARD];
    uint64_t size = ns < 0 ? -(uint64_t)ns : (uint64_t)ns;
    int n = snprintf(digits, sizeof digits, "%s%llu.%09llu", ns < 0 ? "-" : "",
                     (unsigned long long)(size / 1000000000u), (unsigned long long)(size % 1000000000u));
    while (digits[n - 1] == '0' && digits[n - 2] != '.')
        digits[--n] = 0;
    (void)snprintf(text, sizeof text, "%20s", digits);
    return put_card(w, key, text, comment, reterr);
}

/* ---- images ---- */

static int pixel_type(enum fits_pixel type)
{
    switch (type) {
    case FITS_U8: return TBYTE;
    case FITS_I16: return TSHORT;
    case FITS_I32: return TINT;
    case FITS_F32: return TFLOAT;
    case FITS_F64: return TDOUBLE;
    }
    return 0;
}

/* cfitsio takes pixels through a pointer it promises not to write through but does not call const. */
static void *unconst(const void *p)
{
    void *q;
    memcpy(&q, &p, sizeof q);
    return q;
}

enum burst_err fits_put_image(struct fits_writer *w, const char *name, enum fits_pixel type, int n_axis,
                              const int64_t *axis, const void *pixels, struct burst_error *reterr)
{
    enum burst_err err = writer_usable(w, reterr);
    if (err) return err;
    LONGLONG size[4] = {0}, n_pixel = n_axis > 0;
    if (n_axis < 0 || n_axis > 4 || !pixel_type(type))
        return burst_fail(reterr, BURST_E_SHAPE, "an image of %d axes and BITPIX %d: 0..4 axes are written", n_axis,
                          (int)type);
    for (int i = 0; i < n_axis; i++) {
        if (axis[i] < 1 || __builtin_mul_overflow(n_pixel, axis[i], &n_pixel))
            return burst_fail(reterr, BURST_E_SHAPE, "NAXIS%d = %lld cannot be written", i + 1, (long long)axis[i]);
        size[i] = axis[i];
    }
    int status = 0;
    fits_create_imgll(w->file, (int)type, n_axis, size, &status);
    if (n_pixel) fits_write_img(w->file, pixel_type(type), 1, n_pixel, unconst(pixels), &status);
    if (status) return writer_failed(w, status, "writing an image", reterr);
    w->n_hdu++;
    return name ? fits_put_text(w, "EXTNAME", name, NULL, reterr) : BURST_OK;
}

/* ---- tables ---- */

/* What one item of a column is: its bytes, and how many of them form a number to be turned round. */
struct item {
    size_t n, width;
};

static bool parse_form(const char *form, struct item *ret_item)
{
    char *end;
    unsigned long n = *form >= '0' && *form <= '9' ? strtoul(form, &end, 10) : 1;
    if (*form < '0' || *form > '9') end = unconst(form);
    if (!*end || end[1] || n < 1 || n > 1 << 20) return false;
    const char *known = strchr("DEJIKBLA", *end);
    if (!known) return false;
    static const size_t width[] = {8, 4, 4, 2, 8, 1, 1, 1};
    *ret_item = (struct item){n, width[known - "DEJIKBLA"]};
    return true;
}

static void put_item(uint8_t *to, const uint8_t *from, size_t width)
{
    for (size_t i = 0; i < width; i++)
        to[i] = from[width - 1 - i];
}

static void put_row(uint8_t *row, size_t r, const struct fits_put_column *columns, const struct item *items,
                    int n_column)
{
    for (int c = 0; c < n_column; c++) {
        size_t n_bytes = items[c].n * items[c].width;
        const uint8_t *from = (const uint8_t *)columns[c].data + r * n_bytes;
        bool logical = strchr(columns[c].form, 'L') != NULL;
        for (size_t i = 0; i < items[c].n; i++)
            put_item(row + i * items[c].width, from + i * items[c].width, items[c].width);
        for (size_t i = 0; logical && i < n_bytes; i++)
            row[i] = from[i] ? 'T' : 'F';
        row += n_bytes;
    }
}

/* Rows as the file holds them, a batch at a time: cfitsio would scale by TZERO, which the stored values already exclude. */
static enum burst_err write_rows(struct fits_writer *w, size_t n_row, size_t row_bytes,
                                 const struct fits_put_column *columns, const struct item *items, int n_column,
                                 struct burst_error *reterr)
{
    size_t batch = ROW_BATCH / row_bytes + 1;
    uint8_t *bytes = malloc(batch * row_bytes);
    if (!bytes) return burst_fail(reterr, BURST_E_NOMEM, "no memory for %zu table rows", batch);
    int status = 0;
    for (size_t first = 0; first < n_row && !status; first += batch) {
        size_t n = n_row - first < batch ? n_row - first : batch;
        for (size_t i = 0; i < n; i++)
            put_row(bytes + i * row_bytes, first + i, columns, items, n_column);
        fits_write_tblbytes(w->file, (LONGLONG)first + 1, 1, (LONGLONG)(n * row_bytes), bytes, &status);
    }
    free(bytes);
    return status ? writer_failed(w, status, "writing table rows", reterr) : BURST_OK;
}

/* cfitsio wants arrays of char pointers that are not const. */
static enum burst_err create_table(struct fits_writer *w, const char *name, size_t n_row,
                                   const struct fits_put_column *columns, int n_column, struct burst_error *reterr)
{
    char *names[COLUMN_MAX], *forms[COLUMN_MAX], *units[COLUMN_MAX], none[] = "";
    for (int c = 0; c < n_column; c++) {
        names[c] = unconst(columns[c].name);
        forms[c] = unconst(columns[c].form);
        units[c] = columns[c].unit ? unconst(columns[c].unit) : none;
    }
    int status = 0;
    fits_create_tbl(w->file, BINARY_TBL, (LONGLONG)n_row, n_column, names, forms, units, name, &status);
    if (status) return writer_failed(w, status, "beginning a table", reterr);
    w->n_hdu++;
    return BURST_OK;
}

static enum burst_err put_zeros(struct fits_writer *w, const struct fits_put_column *columns, int n_column,
                                struct burst_error *reterr)
{
    for (int c = 0; c < n_column; c++) {
        char key[24];
        (void)snprintf(key, sizeof key, "TZERO%d", c + 1);
        if (!columns[c].zero_ns) continue;
        enum burst_err err = fits_put_ns(w, key, columns[c].zero_ns, "offset of the stored values", reterr);
        if (err) return err;
    }
    return BURST_OK;
}

enum burst_err fits_put_table(struct fits_writer *w, const char *name, size_t n_row,
                              const struct fits_put_column *columns, int n_column, struct burst_error *reterr)
{
    struct item items[COLUMN_MAX];
    size_t row_bytes = 0;
    enum burst_err err = writer_usable(w, reterr);
    if (err) return err;
    if (n_column < 0 || n_column > COLUMN_MAX || (n_row && !n_column))
        return burst_fail(reterr, BURST_E_SHAPE, "%s: %d columns: 1..%d are written", name, n_column, COLUMN_MAX);
    for (int c = 0; c < n_column; c++) {
        if (!parse_form(columns[c].form, &items[c]))
            return burst_fail(reterr, BURST_E_SHAPE, "%s: column %s: form '%.20s' is not written", name,
                              columns[c].name, columns[c].form);
        row_bytes += items[c].n * items[c].width;
    }
    if (!w->n_hdu && (err = fits_put_image(w, NULL, FITS_U8, 0, NULL, NULL, reterr))) return err;
    if ((err = create_table(w, name, n_row, columns, n_column, reterr))) return err;
    if (n_row && (err = write_rows(w, n_row, row_bytes, columns, items, n_column, reterr))) return err;
    return put_zeros(w, columns, n_column, reterr);
}

/* ---- the end ---- */

/* What fits_write_chksum does, but with comments that do not change from day to day. The sum of the HDU is taken with
 * CHECKSUM all zeros, then its complement goes into CHECKSUM. Source: FITS Standard 4.0, appendix J. */
static void put_sums(fitsfile *file, int *status)
{
    static const char zeros[] = "0000000000000000", why[] = "HDU checksum", why_data[] = "data unit checksum";
    unsigned long data_sum = 0, hdu_sum = 0;
    char text[32];
    fits_update_key_str(file, "CHECKSUM", zeros, why, status);
    fits_update_key_str(file, "DATASUM", "0", why_data, status);
    fits_flush_file(file,
                    status); /* puts END and blanks behind the last card; before that the sum is of another header */
    fits_get_chksum(file, &data_sum, &hdu_sum, status);
    (void)snprintf(text, sizeof text, "%lu", data_sum);
    fits_update_key_str(file, "DATASUM", text, why_data, status);
    fits_flush_file(file, status);
    fits_get_chksum(file, &data_sum, &hdu_sum, status);
    fits_encode_chksum(hdu_sum, 1, text);
    fits_update_key_str(file, "CHECKSUM", text, why, status);
}

enum burst_err fits_writer_finish(struct fits_writer *w, uint8_t **ret_bytes, size_t *ret_n, struct burst_error *reterr)
{
    enum burst_err err = writer_usable(w, reterr);
    if (err) return err;
    if (!w->n_hdu) return burst_fail(reterr, BURST_E_STATE, "a FITS file without HDUs");
    int status = 0;
    LONGLONG end = 0;
    for (int i = 1; i <= w->n_hdu && !status; i++) {
        fits_movabs_hdu(w->file, i, NULL, &status);
        put_sums(w->file, &status);
    }
    fits_flush_file(w->file, &status);
    fits_get_hduaddrll(w->file, NULL, NULL, &end, &status); /* of the last HDU: the file's true size */
    if (!status) {
        fits_close_file(w->file, &status);
        w->file = NULL;
    }
    if (status) return writer_failed(w, status, "finishing a FITS file", reterr);
    uint8_t *bytes = malloc((size_t)end);
    if (!bytes) return burst_fail(reterr, BURST_E_NOMEM, "no memory for a FITS file of %lld bytes", (long long)end);
    memcpy(bytes, w->buffer, (size_t)end);
    *ret_bytes = bytes;
    *ret_n = (size_t)end;
    return BURST_OK;
}
