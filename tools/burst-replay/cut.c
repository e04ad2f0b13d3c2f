/* Which rows and which good time belong to which piece. */
#include "cut.h"
#include "base/bytes.h"
#include "base/clock.h"
#include "fits/card.h"
#include "ingest/identify.h"
#include "piece.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const size_t FILE_MOST = (size_t)8 << 30;
static const double MET_MOST_S = 4e9;
enum { PIECE_MOST = 10000000, GOOD_MOST = 1 << 20 };

/* A column of times: stored double plus TZERO. */
struct times {
    struct fits_table table;
    const struct fits_column *column;
};

struct events {
    const struct fits_hdu *hdu;
    struct times time;
    uint32_t *row; /* rows of the file in order of pieces, in file order within one */
    size_t *first; /* [n_slot + 1] where each slot's rows begin in `row` */
};

struct good {
    int64_t start_ns, stop_ns; /* mission elapsed time */
    size_t row;                /* of the file's GTI */
};

struct cut {
    uint8_t *bytes;
    size_t n_bytes;
    struct fits_file file;
    struct source source;
    int64_t epoch_ns, chunk_ns, first; /* slot i is piece number first + i: [first + i, first + i + 1) x chunk_ns */
    bool whole;                        /* one piece: the file */
    struct time_span span;             /* TT */
    struct events event[FITS_HDU_MAX];
    int n_event;
    const struct fits_hdu *good_hdu;
    struct fits_table good_table;
    const struct fits_column *start, *stop;
    struct good *good;
    size_t n_good, n_slot, next, n_piece, n_outside;
    bool *sent; /* [n_slot] has good time: becomes a piece */
    struct piece piece;
};

static enum burst_err cell_time(const struct fits_table *t, const struct fits_column *column, size_t row,
                                int64_t *ret_ns, struct burst_error *reterr)
{
    double stored = bytes_get_f64(fits_cell(t, column, row));
    if (!(fabs(stored) < MET_MOST_S))
        return burst_fail(reterr, BURST_E_TIME, "%s: row %zu: %s is %g (byte %zu), less than 4e9 expected",
                          t->hdu->name, row + 1, column->name, stored, fits_cell_at(t, column, row));
    double whole = floor(stored);
    *ret_ns = column->zero_ns + (int64_t)whole * CLOCK_NS_PER_S + (int64_t)((stored - whole) * 1e9 + 0.5);
    return BURST_OK;
}

static enum burst_err time_column(const struct fits_table *t, const char *name, const struct fits_column **ret_column,
                                  struct burst_error *reterr)
{
    enum burst_err err = fits_table_column(t, name, 'D', ret_column, reterr);
    if (err) return err;
    if ((*ret_column)->scale == 1 && (*ret_column)->has_zero_ns) return BURST_OK;
    return burst_fail(reterr, BURST_E_FORMAT, "%s: column %s has TSCAL or TZERO that are no mission time", t->hdu->name,
                      name);
}

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

/* ---- good time ---- */

static enum burst_err read_good(struct cut *c, struct burst_error *reterr)
{
    c->good_hdu = fits_hdu_named(&c->file, "GTI");
    if (!c->good_hdu) return burst_fail(reterr, BURST_E_MISSING, "no HDU GTI among the file's %d", c->file.n_hdu);
    enum burst_err err = fits_table_view(c->good_hdu, &c->good_table, reterr);
    if (!err) err = time_column(&c->good_table, "START", &c->start, reterr);
    if (!err) err = time_column(&c->good_table, "STOP", &c->stop, reterr);
    if (err) return err;
    size_t n = c->good_table.n_row;
    if (n > GOOD_MOST) return burst_fail(reterr, BURST_E_LIMIT, "GTI has %zu rows, limit %d", n, GOOD_MOST);
    c->good = calloc(n + 1, sizeof *c->good);
    if (!c->good) return burst_fail(reterr, BURST_E_NOMEM, "no memory for %zu good-time intervals", n);
    for (size_t i = 0; i < n; i++) {
        struct good *g = &c->good[c->n_good];
        err = cell_time(&c->good_table, c->start, i, &g->start_ns, reterr);
        if (!err) err = cell_time(&c->good_table, c->stop, i, &g->stop_ns, reterr);
        if (err) return err;
        if (g->start_ns < 0 || g->stop_ns < g->start_ns || (c->n_good && g->start_ns < g[-1].stop_ns))
            return burst_fail(reterr, BURST_E_TIME, "GTI: row %zu is not after the one before, or before the epoch",
                              i + 1);
        g->row = i;
        c->n_good += g->stop_ns > g->start_ns;
    }
    return c->n_good ? BURST_OK : burst_fail(reterr, BURST_E_MISSING, "GTI: no good time");
}

static enum burst_err lay_slots(struct cut *c, struct burst_error *reterr)
{
    int64_t start = c->good[0].start_ns, stop = c->good[c->n_good - 1].stop_ns;
    c->first = floor_div(start, c->chunk_ns);
    int64_t n = floor_div(stop - 1, c->chunk_ns) - c->first + 1;
    if (n > PIECE_MOST)
        return burst_fail(reterr, BURST_E_LIMIT, "%.0f s of good time would be %lld pieces, limit %d",
                          (double)(stop - start) * 1e-9, (long long)n, PIECE_MOST);
    c->n_slot = (size_t)n;
    c->span = (struct time_span){c->epoch_ns + start, c->epoch_ns + stop};
    c->sent = calloc(c->n_slot, sizeof *c->sent);
    if (!c->sent) return burst_fail(reterr, BURST_E_NOMEM, "no memory for %zu pieces", c->n_slot);
    for (size_t i = 0; i < c->n_good; i++)
        for (int64_t k = floor_div(c->good[i].start_ns, c->chunk_ns); k * c->chunk_ns < c->good[i].stop_ns; k++)
            c->sent[k - c->first] = true;
    for (size_t i = 0; i < c->n_slot; i++)
        c->n_piece += c->sent[i];
    return BURST_OK;
}

/* ---- events ---- */

/* The slot of a row, or n_slot where it is in no piece. */
static enum burst_err slot_of(const struct cut *c, const struct events *e, size_t row, size_t *ret_slot,
                              struct burst_error *reterr)
{
    int64_t met;
    enum burst_err err = cell_time(&e->time.table, e->time.column, row, &met, reterr);
    if (err) return err;
    int64_t slot = floor_div(met, c->chunk_ns) - c->first;
    *ret_slot = slot >= 0 && (size_t)slot < c->n_slot && c->sent[slot] ? (size_t)slot : c->n_slot;
    return BURST_OK;
}

/* Count, then place: rows of one slot keep their order in the file. */
static enum burst_err sort_rows(struct cut *c, struct events *e, struct burst_error *reterr)
{
    size_t n = e->time.table.n_row, slot = c->n_slot;
    if (n > UINT32_MAX) return burst_fail(reterr, BURST_E_LIMIT, "%s has %zu rows, limit 2^32", e->hdu->name, n);
    e->row = malloc((n + 1) * sizeof *e->row);
    e->first = calloc(c->n_slot + 2, sizeof *e->first);
    if (!e->row || !e->first) return burst_fail(reterr, BURST_E_NOMEM, "no memory to sort %zu rows", n);
    for (size_t i = 0; i < n; i++) {
        enum burst_err err = slot_of(c, e, i, &slot, reterr);
        if (err) return err;
        e->first[slot + 1]++;
    }
    for (size_t i = 0; i <= c->n_slot; i++)
        e->first[i + 1] += e->first[i];
    c->n_outside += n - e->first[c->n_slot];
    for (size_t i = 0; i < n; i++) {
        (void)slot_of(c, e, i, &slot, NULL); /* cannot fail: it did not above */
        e->row[e->first[slot]++] = (uint32_t)i;
    }
    for (size_t i = c->n_slot + 1; i > 0; i--) /* placing moved each beginning to the next one's */
        e->first[i] = e->first[i - 1];
    e->first[0] = 0;
    return BURST_OK;
}

static enum burst_err read_events(struct cut *c, struct burst_error *reterr)
{
    for (int i = 0; i < c->file.n_hdu; i++) {
        const struct fits_hdu *hdu = &c->file.hdu[i];
        if (strncmp(hdu->name, "EVENTS", 6) != 0 || hdu->kind != FITS_TABLE || hdu->n_column == 0) continue;
        struct events *e = &c->event[c->n_event++];
        e->hdu = hdu;
        enum burst_err err = fits_table_view(hdu, &e->time.table, reterr);
        if (!err) err = time_column(&e->time.table, "TIME", &e->time.column, reterr);
        if (!err) err = sort_rows(c, e, reterr);
        if (err) return err;
    }
    return c->n_event ? BURST_OK
                      : burst_fail(reterr, BURST_E_MISSING, "no HDU EVENTS among the file's %d", c->file.n_hdu);
}

/* ---- opening ---- */

static enum burst_err read_whole(struct cut *c, struct burst_error *reterr)
{
    char text[FITS_TEXT_MAX];
    enum burst_err err = fits_key_text(&c->file.hdu[0], "DATE-END", text, sizeof text, reterr);
    if (!err) err = clock_parse_utc(text, &c->span.stop_ns, reterr);
    if (err) return err;
    c->span.start_ns = c->span.stop_ns;
    c->whole = true;
    c->n_slot = c->n_piece = 1;
    return BURST_OK;
}

static enum burst_err read_file(struct cut *c, const char *path, enum burst_realm realm, struct burst_error *reterr)
{
    enum burst_err err = bytes_read_file(path, FILE_MOST, &c->bytes, &c->n_bytes, reterr);
    if (!err) err = fits_gate(c->bytes, c->n_bytes, &c->file, reterr);
    if (!err) err = ingest_identify(c->bytes, c->n_bytes, realm, &c->source, reterr);
    if (err) return err;
    const struct instrument_fact *fact = source_fact(c->source.mission, c->source.instrument);
    c->epoch_ns = source_epoch_ns(fact);
    if (fact->n_detector == 0) return read_whole(c, reterr);
    err = read_good(c, reterr);
    if (!err) err = lay_slots(c, reterr);
    return err ? err : read_events(c, reterr);
}

enum burst_err cut_open(const char *path, enum burst_realm realm, int64_t chunk_ns, struct cut **ret_cut,
                        struct burst_error *reterr)
{
    struct cut *c = calloc(1, sizeof *c);
    if (!c) return burst_fail(reterr, BURST_E_NOMEM, "no memory to cut %s", path);
    c->chunk_ns = chunk_ns;
    enum burst_err err = read_file(c, path, realm, reterr);
    if (err) {
        cut_close(c);
        return err;
    }
    *ret_cut = c;
    return BURST_OK;
}

void cut_close(struct cut *c)
{
    if (!c) return;
    for (int i = 0; i < c->n_event; i++) {
        free(c->event[i].row);
        free(c->event[i].first);
    }
    piece_free(&c->piece);
    free(c->sent);
    free(c->good);
    free(c->bytes);
    free(c);
}

struct source cut_source(const struct cut *c)
{
    return c->source;
}

size_t cut_count(const struct cut *c)
{
    return c->n_piece;
}

size_t cut_outside(const struct cut *c)
{
    return c->n_outside;
}

struct time_span cut_span(const struct cut *c)
{
    return c->span;
}

/* ---- pieces ---- */

static size_t next_slot(const struct cut *c)
{
    size_t i = c->next;
    while (i < c->n_slot && !c->whole && !c->sent[i])
        i++;
    return i;
}

/* Mission elapsed time of a slot, cut to the file's. */
static struct time_span slot_span(const struct cut *c, size_t slot)
{
    int64_t start = (c->first + (int64_t)slot) * c->chunk_ns, stop = start + c->chunk_ns;
    if (start < c->span.start_ns - c->epoch_ns) start = c->span.start_ns - c->epoch_ns;
    if (stop > c->span.stop_ns - c->epoch_ns) stop = c->span.stop_ns - c->epoch_ns;
    return (struct time_span){start, stop};
}

bool cut_next(const struct cut *c, struct time_span *ret_span)
{
    size_t slot = next_slot(c);
    if (slot >= c->n_slot) return false;
    if (c->whole) {
        *ret_span = c->span;
        return true;
    }
    struct time_span met = slot_span(c, slot);
    *ret_span = (struct time_span){c->epoch_ns + met.start_ns, c->epoch_ns + met.stop_ns};
    return true;
}

static void put_time(uint8_t *cell, const struct fits_column *column, int64_t met_ns)
{
    double stored = (double)(met_ns - column->zero_ns) / 1e9;
    uint64_t bits;
    memcpy(&bits, &stored, 8);
    bytes_put_u64(cell, bits);
}

/* The good time of one piece: cells as the file has them, but where it is cut. */
static enum burst_err add_good(struct cut *c, struct time_span met, struct burst_error *reterr)
{
    size_t at = c->piece.n, header = c->good_hdu->data_at - c->good_hdu->header_at, n = 0;
    const struct fits_table *t = &c->good_table;
    for (size_t i = 0; i < c->n_good; i++)
        n += c->good[i].stop_ns > met.start_ns && c->good[i].start_ns < met.stop_ns;
    enum burst_err err = piece_begin(&c->piece, c->good_hdu, (int64_t)n, met.start_ns, met.stop_ns, reterr);
    for (size_t i = 0; !err && i < c->n_good; i++) {
        const struct good *g = &c->good[i];
        if (g->stop_ns <= met.start_ns || g->start_ns >= met.stop_ns) continue;
        err = piece_add(&c->piece, t->hdu->data + g->row * t->row_bytes, t->row_bytes, reterr);
        if (err) return err;
        uint8_t *row = c->piece.bytes + c->piece.n - t->row_bytes;
        if (g->start_ns < met.start_ns) put_time(row + c->start->offset, c->start, met.start_ns);
        if (g->stop_ns > met.stop_ns) put_time(row + c->stop->offset, c->stop, met.stop_ns);
    }
    return err ? err : piece_end(&c->piece, at, header, reterr);
}

/* Rows that lie side by side in the file are copied at once. */
static enum burst_err add_rows(struct cut *c, const struct events *e, size_t slot, struct burst_error *reterr)
{
    const struct fits_table *t = &e->time.table;
    enum burst_err err = BURST_OK;
    for (size_t i = e->first[slot], n; !err && i < e->first[slot + 1]; i += n) {
        n = 1;
        while (i + n < e->first[slot + 1] && e->row[i + n] == e->row[i] + n)
            n++;
        err = piece_add(&c->piece, t->hdu->data + e->row[i] * t->row_bytes, n * t->row_bytes, reterr);
    }
    return err;
}

static enum burst_err add_events(struct cut *c, const struct events *e, size_t slot, struct time_span met,
                                 struct burst_error *reterr)
{
    size_t at = c->piece.n, n = e->first[slot + 1] - e->first[slot];
    enum burst_err err = piece_begin(&c->piece, e->hdu, (int64_t)n, met.start_ns, met.stop_ns, reterr);
    if (!err) err = add_rows(c, e, slot, reterr);
    return err ? err : piece_end(&c->piece, at, e->hdu->data_at - e->hdu->header_at, reterr);
}

static enum burst_err add_copy(struct cut *c, const struct fits_hdu *hdu, struct time_span met,
                               struct burst_error *reterr)
{
    size_t at = c->piece.n;
    enum burst_err err = piece_begin(&c->piece, hdu, -1, met.start_ns, met.stop_ns, reterr);
    if (!err) err = piece_add(&c->piece, hdu->data, hdu->n_data, reterr);
    return err ? err : piece_end(&c->piece, at, hdu->data_at - hdu->header_at, reterr);
}

static enum burst_err make_piece(struct cut *c, size_t slot, size_t *ret_event, struct burst_error *reterr)
{
    struct time_span met = slot_span(c, slot);
    enum burst_err err = BURST_OK;
    int k = 0;
    c->piece.n = 0;
    *ret_event = 0;
    for (int i = 0; !err && i < c->file.n_hdu; i++) {
        const struct fits_hdu *hdu = &c->file.hdu[i];
        if (hdu == c->good_hdu) {
            err = add_good(c, met, reterr);
        } else if (k < c->n_event && hdu == c->event[k].hdu) {
            *ret_event += c->event[k].first[slot + 1] - c->event[k].first[slot];
            err = add_events(c, &c->event[k++], slot, met, reterr);
        } else {
            err = add_copy(c, hdu, met, reterr);
        }
    }
    return err;
}

enum burst_err cut_take(struct cut *c, const uint8_t **ret_bytes, size_t *ret_n, size_t *ret_event,
                        struct burst_error *reterr)
{
    size_t slot = next_slot(c), n_event = 0;
    enum burst_err err = c->whole ? BURST_OK : make_piece(c, slot, &n_event, reterr);
    if (err) return err;
    c->next = slot + 1;
    *ret_bytes = c->whole ? c->bytes : c->piece.bytes;
    *ret_n = c->whole ? c->n_bytes : c->piece.n;
    *ret_event = n_event;
    return BURST_OK;
}
