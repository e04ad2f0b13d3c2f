/* What our readers make of files, as JSON lines, for comparison with other readers.
 *
 *   ingest_dump fits FILE...      every HDU through our gate, cards, tables and images
 *   ingest_dump cfitsio FILE...   the same through cfitsio
 *   ingest_dump ingest            pairs "TOPIC PATH" from standard input, all in this one process: the packet or the refusal
 *
 * Numbers of columns and images appear as the SHA-256 of their values, scaled, as little-endian doubles (NaN as the one
 * quiet NaN), so that equal means equal to the last bit. */
#include "base/bytes.h"
#include "base/hash.h"
#include "fits/card.h"
#include "fits/image.h"
#include "fits/table.h"
#include "ingest/ingest.h"
#include <fitsio.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { FILE_MOST = 1 << 28 };

/* ---- JSON ---- */

static void put_string(const char *text)
{
    (void)putchar('"');
    for (; *text; text++) {
        if (*text == '"' || *text == '\\') (void)putchar('\\');
        (void)putchar(*text);
    }
    (void)putchar('"');
}

static void put_hash(const void *bytes, size_t n)
{
    uint8_t digest[32];
    char text[65];
    hash_sha256(&(struct hash_piece){bytes, n}, 1, digest);
    bytes_hex(digest, sizeof digest, text);
    printf("\"%s\"", text);
}

static void *take(size_t n, size_t size)
{
    void *p = calloc(n ? n : 1, size);
    if (!p) exit(4);
    return p;
}

static double one_nan(double value)
{
    return isnan(value) ? (double)NAN : value;
}

static void put_card(const char *key, const char *type, const char *value, int first)
{
    printf("%s[\"%s\",\"%s\",", first ? "" : ",", key, type);
    put_string(value);
    printf("]");
}

/* ---- our readers ---- */

static void our_cards(const struct fits_hdu *hdu)
{
    static const char *const words[] = {[FITS_VALUE_NONE] = "none",
                                        [FITS_VALUE_TEXT] = "text",
                                        [FITS_VALUE_LOGICAL] = "logical",
                                        [FITS_VALUE_INT] = "int",
                                        [FITS_VALUE_REAL] = "real"};
    int n = 0;
    for (size_t i = 0; i < hdu->n_card; i++) {
        struct fits_card card;
        char value[80] = "";
        int64_t integer = 0;
        double real = 0;
        if (fits_card_parse(hdu->cards + i * FITS_CARD, hdu->name, 0, &card, NULL))
            exit(3); /* the gate let it through */
        if (card.type == FITS_VALUE_COMMENT) continue;
        if (card.type == FITS_VALUE_TEXT) fits_card_text(&card, value);
        if (card.type == FITS_VALUE_LOGICAL) value[0] = card.value[0];
        if (card.type == FITS_VALUE_INT && !fits_card_int(&card, &integer))
            (void)snprintf(value, sizeof value, "%lld", (long long)integer);
        if (card.type == FITS_VALUE_REAL && !fits_card_real(&card, &real))
            (void)snprintf(value, sizeof value, "%.17g", real);
        put_card(card.key, words[card.type], value, !n++);
    }
}

static void our_text_column(const struct fits_table *t, const struct fits_column *c)
{
    char *all = take(t->n_row, (size_t)c->n_item + 2), *p = all;
    for (size_t row = 0; row < t->n_row; row++) {
        if (fits_cell_text(t, c, row, p, (size_t)c->n_item + 1)) exit(3);
        p += strlen(p);
        *p++ = '\n';
    }
    put_hash(all, (size_t)(p - all));
    free(all);
}

static void our_column(const struct fits_table *t, const struct fits_column *c)
{
    size_t n_item = (size_t)c->n_item, n = t->n_row * n_item;
    if (c->form == 'A') {
        our_text_column(t, c);
        return;
    }
    double *values = take(n, sizeof *values);
    for (size_t i = 0; i < n; i++) {
        double value = fits_cell_real(t, c, i / n_item, (int64_t)(i % n_item));
        if (c->form == 'L') value = fits_cell(t, c, i / n_item)[i % n_item] == 'T';
        values[i] = one_nan(value);
    }
    put_hash(values, n * sizeof *values);
    free(values);
}

static void our_data(const struct fits_hdu *hdu)
{
    struct fits_table table;
    struct fits_image image;
    if (hdu->kind == FITS_TABLE) {
        if (fits_table_view(hdu, &table, NULL)) exit(3);
        printf(",\"columns\":[");
        for (int i = 0; i < table.n_column; i++) {
            printf("%s[", i ? "," : "");
            put_string(table.column[i].name);
            printf(",%lld,\"%c\",", (long long)table.column[i].n_item, table.column[i].form);
            our_column(&table, &table.column[i]);
            printf("]");
        }
        printf("]");
        return;
    }
    struct burst_error why;
    if (fits_image_view(hdu, &image, &why)) return;
    double *values = take(image.n_pixel, sizeof *values);
    for (size_t i = 0; i < image.n_pixel; i++)
        values[i] = one_nan(fits_image_pixel(&image, i));
    printf(",\"pixels\":");
    put_hash(values, image.n_pixel * sizeof *values);
    free(values);
}

static void our_file(const uint8_t *bytes, size_t n)
{
    struct fits_file file;
    struct burst_error why = {0};
    if (fits_gate(bytes, n, &file, &why)) {
        printf("\"code\":\"%s\",\"text\":", burst_err_name(why.code));
        put_string(why.text);
        return;
    }
    printf("\"code\":\"ok\",\"hdus\":[");
    for (int i = 0; i < file.n_hdu; i++) {
        const struct fits_hdu *hdu = &file.hdu[i];
        printf("%s{\"axes\":[", i ? "," : "");
        for (int k = 0; k < hdu->n_axis; k++)
            printf("%s%lld", k ? "," : "", (long long)hdu->axis[k]);
        printf("],\"cards\":[");
        our_cards(hdu);
        printf("]");
        our_data(hdu);
        printf("}");
    }
    printf("]");
}

/* ---- cfitsio ---- */

static void check(int status, const char *doing)
{
    if (!status) return;
    fits_report_error(stderr, status);
    (void)fprintf(stderr, "ingest_dump: cfitsio: %s\n", doing);
    exit(3);
}

/* By name, and never as an integer: a long string in an integer's place ends the process in this version of cfitsio. */
static void cfitsio_card(fitsfile *f, const char *key, const char *value, int first)
{
    char text[FLEN_VALUE] = "";
    int status = 0;
    if (value[0] == '\'') {
        fits_read_key(f, TSTRING, key, text, NULL, &status);
        check(status, key);
        put_card(key, "text", text, first);
    } else if (value[0] == 'T' || value[0] == 'F') {
        put_card(key, "logical", value, first);
    } else if (!value[0]) {
        put_card(key, "none", "", first);
    } else if (!strpbrk(value, ".ED")) {
        (void)snprintf(text, sizeof text, "%lld", strtoll(value, NULL, 10));
        put_card(key, "int", text, first);
    } else {
        double real = 0;
        fits_read_key(f, TDOUBLE, key, &real, NULL, &status);
        check(status, key);
        (void)snprintf(text, sizeof text, "%.17g", real);
        put_card(key, "real", text, first);
    }
}

static void cfitsio_cards(fitsfile *f)
{
    int n = 0, n_key = 0, status = 0;
    fits_get_hdrspace(f, &n_key, NULL, &status);
    for (int i = 1; i <= n_key; i++) {
        char key[FLEN_KEYWORD], value[FLEN_VALUE], comment[FLEN_COMMENT];
        fits_read_keyn(f, i, key, value, comment, &status);
        check(status, "card");
        if (key[0] && strcmp(key, "COMMENT") != 0 && strcmp(key, "HISTORY") != 0) cfitsio_card(f, key, value, !n++);
    }
}

static void cfitsio_text_column(fitsfile *f, int column, long n_row, long width)
{
    char *all = take((size_t)n_row, (size_t)width + 2), *p = all;
    int status = 0;
    for (long row = 1; row <= n_row; row++) {
        char none[] = "";
        fits_read_col(f, TSTRING, column, row, 1, 1, none, &p, NULL, &status);
        check(status, "text column");
        p += strlen(p);
        *p++ = '\n';
    }
    put_hash(all, (size_t)(p - all));
    free(all);
}

/* Null values are looked for in integers only: in floats that search also turns denormal numbers into zero. */
static void cfitsio_column(fitsfile *f, int column, long n_row)
{
    int type = 0, status = 0, any = 0;
    long repeat = 0, width = 0;
    double null = (double)NAN;
    fits_get_coltype(f, column, &type, &repeat, &width, &status);
    if (type == TSTRING) {
        cfitsio_text_column(f, column, n_row, repeat);
        return;
    }
    size_t n = (size_t)n_row * (size_t)repeat;
    double *values = take(n, sizeof *values);
    char *flags = take(n, 1);
    if (n && type == TLOGICAL) {
        fits_read_col(f, TLOGICAL, column, 1, 1, (LONGLONG)n, NULL, flags, &any, &status);
        for (size_t i = 0; i < n; i++)
            values[i] = flags[i];
    } else if (n) {
        bool checked = type == TBYTE || type == TSHORT || type == TLONG || type == TLONGLONG;
        fits_read_col(f, TDOUBLE, column, 1, 1, (LONGLONG)n, checked ? &null : NULL, values, &any, &status);
    }
    check(status, "column");
    for (size_t i = 0; i < n; i++)
        values[i] = one_nan(values[i]);
    put_hash(values, n * sizeof *values);
    free(values);
    free(flags);
}

static void cfitsio_table(fitsfile *f)
{
    int status = 0, n_column = 0;
    long n_row = 0;
    fits_get_num_cols(f, &n_column, &status);
    fits_get_num_rows(f, &n_row, &status);
    check(status, "table");
    printf(",\"columns\":[");
    for (int i = 1; i <= n_column; i++) {
        char name[FLEN_VALUE] = "", form[FLEN_VALUE] = "";
        long repeat = 0;
        fits_get_bcolparms(f, i, name, NULL, form, &repeat, NULL, NULL, NULL, NULL, &status);
        check(status, "column");
        printf("%s[", i > 1 ? "," : "");
        put_string(name);
        printf(",%ld,\"%c\",", repeat, form[0]);
        cfitsio_column(f, i, n_row);
        printf("]");
    }
    printf("]");
}

static void cfitsio_image(fitsfile *f, int bitpix, size_t n)
{
    int status = 0, any = 0;
    double null = (double)NAN, *values = take(n, sizeof *values);
    if (n) fits_read_img(f, TDOUBLE, 1, (LONGLONG)n, bitpix > 0 ? &null : NULL, values, &any, &status);
    check(status, "image");
    for (size_t i = 0; i < n; i++)
        values[i] = one_nan(values[i]);
    printf(",\"pixels\":");
    put_hash(values, n * sizeof *values);
    free(values);
}

static void cfitsio_hdu(fitsfile *f)
{
    int status = 0, type = 0, bitpix = 0, n_axis = 0;
    LONGLONG axis[FITS_AXIS_MAX] = {0}, n = 1;
    fits_get_hdu_type(f, &type, &status);
    if (type == IMAGE_HDU)
        fits_get_img_paramll(f, FITS_AXIS_MAX, &bitpix, &n_axis, axis, &status);
    else {
        n_axis = 2;
        double size[2] = {0};
        fits_read_key(f, TDOUBLE, "NAXIS1", &size[0], NULL, &status);
        fits_read_key(f, TDOUBLE, "NAXIS2", &size[1], NULL, &status);
        axis[0] = (LONGLONG)size[0];
        axis[1] = (LONGLONG)size[1];
    }
    check(status, "HDU");
    printf("{\"axes\":[");
    for (int k = 0; k < n_axis; k++) {
        printf("%s%lld", k ? "," : "", (long long)axis[k]);
        n *= axis[k];
    }
    printf("],\"cards\":[");
    cfitsio_cards(f);
    printf("]");
    if (type == IMAGE_HDU)
        cfitsio_image(f, bitpix, n_axis ? (size_t)n : 0);
    else
        cfitsio_table(f);
    printf("}");
}

static void cfitsio_file(uint8_t *bytes, size_t n)
{
    fitsfile *f = NULL;
    int status = 0, n_hdu = 0;
    void *memory = bytes;
    fits_open_memfile(&f, "m", READONLY, &memory, &n, 0, NULL, &status);
    check(status, "open");
    fits_get_num_hdus(f, &n_hdu, &status);
    printf("\"code\":\"ok\",\"hdus\":[");
    for (int i = 1; i <= n_hdu; i++) {
        fits_movabs_hdu(f, i, NULL, &status);
        check(status, "HDU");
        printf("%s", i > 1 ? "," : "");
        cfitsio_hdu(f);
    }
    printf("]");
    fits_close_file(f, &status);
}

/* ---- ingest ---- */

/* Cells of a list that are not zero, in order of bin and atom: "[[k,atom,count],...]"; dead time has the last atom's number + 1. */
static void put_cells(const struct event_packet *p, const struct event_list *l)
{
    int n = 0;
    for (size_t i = 0; i < l->n_tile; i++)
        for (int t = 0; t < EVENT_TILE_BINS; t++)
            for (int a = 0; a <= p->bands.n_atom; a++) {
                uint32_t count = l->tile[i].counts[a * EVENT_TILE_BINS + t];
                if (count) printf("%s[%lld,%d,%u]", n++ ? "," : "", (long long)(l->tile[i].k0 + t), a, count);
            }
}

static void put_events(const struct event_packet *p)
{
    printf("\"epoch_ns\":%lld,\"span\":[%lld,%lld],\"lists\":[", (long long)p->epoch_ns, (long long)p->span.start_ns,
           (long long)p->span.stop_ns);
    for (size_t i = 0; i < p->n_list; i++) {
        const struct event_list *l = &p->list[i];
        printf(
            "%s{\"detector\":%d,\"n_event\":%zu,\"n_outside\":%zu,\"n_dropped\":%zu,\"n_merged\":%zu,\"n_back\":%zu,",
            i ? "," : "", l->detector, l->n_event, l->n_outside, l->n_dropped, l->n_merged, l->n_back);
        printf("\"quality\":%u,", l->odd);
        printf("\"cells\":[");
        put_cells(p, l);
        printf("],\"good\":[");
        for (size_t k = 0; k < l->n_good; k++)
            printf("%s[%lld,%lld]", k ? "," : "", (long long)l->good[k].start_ns, (long long)l->good[k].stop_ns);
        printf("]}");
    }
    printf("]");
}

static void put_subimage(const struct subimage_packet *p)
{
    char text[65];
    bytes_hex(p->sha256, sizeof p->sha256, text);
    printf("\"sha256\":\"%s\",\"burst_id\":\"%s\",\"alert_count\":%d,\"span\":[%lld,%lld]", text, p->burst_id,
           p->alert_count, (long long)p->span.start_ns, (long long)p->span.stop_ns);
    printf(",\"reals\":[%.17g,%.17g,%.17g,%.17g,%.17g,%.17g,%.17g,%.17g,%.17g,%.17g,%.17g,%.17g]", p->e_min_kev,
           p->e_max_kev, p->timescale_s, p->snr_sigma, p->wcs.crpix[0], p->wcs.crpix[1], p->wcs.crval_deg[0],
           p->wcs.crval_deg[1], p->wcs.cd[0][0], p->wcs.cd[0][1], p->wcs.cd[1][0], p->wcs.cd[1][1]);
    printf(",\"integers\":[%d,%d,%d,%d,%d,%d,%d]", p->n_y, p->n_z, p->sky_y0, p->sky_z0, p->sky_n, p->trigger_y,
           p->trigger_z);
    printf(",\"words\":[\"%s\",\"%s\",\"%s\"],\"faults\":%u,\"snr\":", p->trigger_type, p->slew_status, p->data_stream,
           p->faults);
    put_hash(p->snr, (size_t)p->n_y * (size_t)p->n_z * sizeof *p->snr);
}

static void ingest_one(const char *topic, const uint8_t *bytes, size_t n)
{
    struct source source;
    struct burst_error why = {0};
    struct arena arena;
    struct band_set bands;
    union {
        struct event_packet events;
        struct subimage_packet image;
    } packet;
    if (source_parse_topic(topic, strlen(topic), &source, &why)) exit(2);
    band_set_default(&bands);
    if (arena_init(&arena, ingest_arena_need(n), &why)) exit(4);
    bool image = source.instrument == INSTRUMENT_ECLAIRS;
    enum burst_err err = image ? ingest_subimage(source, bytes, n, &arena, &packet.image, &why)
                               : ingest_events(source, bytes, n, &bands, &arena, &packet.events, &why);
    printf("\"code\":\"%s\",\"text\":", burst_err_name(err));
    put_string(err ? why.text : "");
    if (!err) {
        printf(",\"arena\":%zu,", arena.high);
        if (image)
            put_subimage(&packet.image);
        else
            put_events(&packet.events);
    }
    arena_fini(&arena);
}

/* The file's bytes in a block of exactly that size, so that a sanitizer sees the first byte read past its end. */
static uint8_t *read_exactly(const char *path, size_t *ret_n)
{
    uint8_t *bytes = NULL;
    struct burst_error why = {0};
    if (bytes_read_file(path, FILE_MOST, &bytes, ret_n, &why)) {
        (void)fprintf(stderr, "ingest_dump: %s\n", why.text);
        exit(4);
    }
    uint8_t *exact = malloc(*ret_n ? *ret_n : 1);
    if (!exact) exit(4);
    if (*ret_n) memcpy(exact, bytes, *ret_n);
    free(bytes);
    return exact;
}

static void dump_one(const char *mode, const char *topic, const char *path)
{
    size_t n = 0;
    uint8_t *bytes = read_exactly(path, &n);
    printf("{\"file\":");
    put_string(path);
    printf(",");
    if (!strcmp(mode, "fits"))
        our_file(bytes, n);
    else if (!strcmp(mode, "cfitsio"))
        cfitsio_file(bytes, n);
    else
        ingest_one(topic, bytes, n);
    printf("}\n");
    free(bytes);
}

int main(int argc, char **argv)
{
    char topic[128], path[1024];
    if (argc < 2) return 2;
    if (!strcmp(argv[1], "ingest"))
        while (scanf("%127s %1023s", topic, path) == 2)
            dump_one(argv[1], topic, path);
    for (int i = 2; i < argc; i++)
        dump_one(argv[1], NULL, argv[i]);
    return 0;
}
