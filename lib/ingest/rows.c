/* Rows of an event table to tiles of counts: one pass over the message's own bytes. Only a file of two gains whose rows are out of
 * order is copied, to be put in order. */
#include "ingest/rows.h"
#include "base/bytes.h"
#include <stdio.h>
#include <string.h>

static const int64_t TILE_NS = EVENT_TILE_BINS * EVENT_BIN_NS;

struct counting {
    const struct chunk *c;
    const struct event_rows *rows;
    struct event_layout layout;
    size_t n_tile, room, tile_bytes;
    struct event_tile *tile; /* [room] rising k0 */
    struct event_tally tally;
    size_t n_row, n_null; /* rows to count; of them, those whose channel is the column's null */
};

/* Which row of the file row i of those to count is. */
static size_t file_row(const struct counting *k, size_t i)
{
    return k->rows->file_row ? k->rows->file_row[i] : i;
}

enum burst_err rows_atoms(struct chunk *c)
{
    c->atom = arena_take(c->arena, c->n_bound, sizeof *c->atom);
    if (!c->atom) return burst_fail(c->reterr, BURST_E_NOMEM, "atoms of %zu channels do not fit the arena", c->n_bound);
    for (size_t i = c->n_channel; i < c->n_bound; i++)
        c->atom[i] = EVENT_NOT_RECOMMENDED;
    return band_channel_atoms(&c->bands, c->n_channel, c->e_min_kev, c->e_max_kev, c->atom, c->reterr);
}

static int place(const struct fits_column *column)
{
    return column ? (int)column->offset : -1;
}

static struct event_layout layout_of(const struct chunk *c, const struct event_rows *r)
{
    return (struct event_layout){.row_bytes = r->table->row_bytes,
                                 .time_at = place(r->time.column),
                                 .channel_at = place(r->channel),
                                 .channel_bytes = r->channel->form == 'B' ? 1 : 2,
                                 .zero_ns = r->time.column->zero_ns,
                                 .least_ns = c->least_ns > 0 ? c->least_ns : 0,
                                 .most_ns = c->most_ns,
                                 .type_at = place(r->type),
                                 .type_is = r->type_is,
                                 .flag_at = place(r->flag),
                                 .flag_below = r->flag_below,
                                 .gain_at = place(r->gain),
                                 .dead_at = place(r->dead),
                                 .dead = r->dead_each,
                                 .dead_last = r->dead_last,
                                 .n_channel = r->n_channel,
                                 .atom = c->atom,
                                 .n_atom = c->bands.n_atom};
}

/* ---- tiles ---- */

/* Room for as many tiles as there can be: no more than rows, than the header's time holds, than the arena has room for. */
static enum burst_err tiles_begin(struct counting *k)
{
    const struct arena *a = k->c->arena;
    size_t span = (size_t)((k->layout.most_ns - k->layout.least_ns) / TILE_NS) + 2;
    k->tile_bytes = (size_t)(k->layout.n_atom + 1) * EVENT_TILE_BINS * sizeof *k->tile->counts;
    k->room = (a->size - a->used) / k->tile_bytes + 1;
    if (k->room > span) k->room = span;
    if (k->room > k->n_row) k->room = k->n_row;
    k->tile = arena_take(k->c->arena, k->room, sizeof *k->tile);
    if (k->tile) return BURST_OK;
    return burst_fail(k->c->reterr, BURST_E_NOMEM, "%s: no room in the arena of %zu bytes", k->rows->table->hdu->name,
                      a->size);
}

/* Tiles that begin at or before k0. */
static size_t tiles_up_to(const struct counting *k, int64_t k0)
{
    size_t low = 0, n = k->n_tile;
    while (n) {
        size_t half = n / 2;
        if (k->tile[low + half].k0 <= k0) {
            low += half + 1;
            n -= half + 1;
        } else
            n = half;
    }
    return low;
}

static enum burst_err tile_full(const struct counting *k)
{
    const struct fits_table *t = k->rows->table;
    size_t row = file_row(k, k->tally.n_row);
    return burst_fail(
        k->c->reterr, BURST_E_NOMEM,
        "%s: row %zu: the times of the rows so far lie in %zu stretches of 65.536 s; no more of %zu bytes each "
        "fit the arena of %zu bytes (byte %zu)",
        t->hdu->name, row + 1, k->n_tile, k->tile_bytes, k->c->arena->size, fits_cell_at(t, k->rows->time.column, row));
}

/* The tile that holds bin `bin`, made where there is none yet. */
static enum burst_err tile_of(struct counting *k, int64_t bin, const struct event_tile **ret_tile)
{
    int64_t k0 = bin / EVENT_TILE_BINS * EVENT_TILE_BINS;
    size_t at = tiles_up_to(k, k0);
    if (at && k->tile[at - 1].k0 == k0) {
        *ret_tile = &k->tile[at - 1];
        return BURST_OK;
    }
    uint32_t *counts = k->n_tile < k->room ? arena_take(k->c->arena, 1, k->tile_bytes) : NULL;
    if (!counts) return tile_full(k);
    memset(counts, 0, k->tile_bytes);
    memmove(k->tile + at + 1, k->tile + at, (k->n_tile - at) * sizeof *k->tile);
    k->tile[at] = (struct event_tile){k0, counts};
    k->n_tile++;
    *ret_tile = &k->tile[at];
    return BURST_OK;
}

/* ---- faults ---- */

static enum burst_err bad_cell(const struct counting *k, const struct fits_column *column, double value,
                               const char *expected)
{
    const struct fits_table *t = k->rows->table;
    size_t row = file_row(k, k->tally.n_row);
    return burst_fail(k->c->reterr, BURST_E_RANGE, "%s: row %zu: %s is %g, %s expected (byte %zu)", t->hdu->name,
                      row + 1, column->name, value, expected, fits_cell_at(t, column, row));
}

static enum burst_err bad_channel(const struct counting *k)
{
    const struct event_rows *r = k->rows;
    char expected[32];
    (void)snprintf(expected, sizeof expected, "0 to %zu", r->n_channel - 1);
    return bad_cell(k, r->channel, fits_cell_stored(r->table, r->channel, file_row(k, k->tally.n_row), 0), expected);
}

/* The kernel says which rule a row breaks; the sentence is made from the row itself. */
static enum burst_err bad_row(const struct counting *k, enum event_row_fault fault)
{
    const struct event_rows *r = k->rows;
    size_t row = file_row(k, k->tally.n_row);
    int64_t met;
    enum burst_err err = BURST_OK;
    switch (fault) {
    case EVENT_ROW_TIME:
        err = chunk_event_time(k->c, &r->time, row, &met);
        return err ? err
                   : bad_cell(k, r->time.column, fits_cell_real(r->table, r->time.column, row, 0), "another time");
    case EVENT_ROW_CHANNEL: return bad_channel(k);
    case EVENT_ROW_GAIN: return bad_cell(k, r->gain, *fits_cell(r->table, r->gain, row), "0 or 1");
    case EVENT_ROW_DEAD:
        return bad_cell(k, r->dead, fits_cell_stored(r->table, r->dead, row, 0), "0 to 1e6 microseconds");
    case EVENT_ROW_BEYOND:
    case EVENT_ROWS_DONE: break;
    }
    return BURST_OK;
}

static bool is_null(const struct event_rows *r, size_t row)
{
    return r->channel->has_null &&
           fits_cell_stored(r->table, r->channel, row, 0) == (double)r->channel->null; /* small integers: exact */
}

/* ---- counting ---- */

/* All rows into their tiles. */
static enum burst_err count_all(struct counting *k, const uint8_t *row)
{
    size_t n_row = k->n_row;
    const struct event_tile nowhere = {INT64_MIN, NULL}, *tile = &nowhere;
    k->tally = (struct event_tally){.seen.gain = -1};
    k->n_null = 0;
    while (k->tally.n_row < n_row) {
        int64_t bin;
        enum event_row_fault fault =
            tile == &nowhere ? EVENT_ROW_BEYOND : event_bin(&k->layout, row, n_row, tile, &k->tally);
        if (fault == EVENT_ROWS_DONE) break;
        if (fault == EVENT_ROW_BEYOND)
            fault = event_row_bin(&k->layout, row + k->tally.n_row * k->layout.row_bytes, &bin);
        if (fault == EVENT_ROWS_DONE) {
            enum burst_err err = tile_of(k, bin, &tile);
            if (err) return err;
        } else if (fault == EVENT_ROW_CHANNEL && is_null(k->rows, file_row(k, k->tally.n_row))) {
            k->tally.n_row++;
            k->n_null++;
        } else
            return bad_row(k, fault);
    }
    return BURST_OK;
}

/* ---- order ---- */

struct key {
    int64_t t;
    size_t row;
};

static void merge_runs(const struct key *from, struct key *to, size_t low, size_t middle, size_t high)
{
    size_t a = low, b = middle;
    for (size_t i = low; i < high; i++)
        to[i] = a < middle && (b >= high || from[a].t <= from[b].t) ? from[a++] : from[b++];
}

/* Bottom-up merge sort between two buffers; stable: equal times keep file order. */
static const struct key *merge_sort(struct key *x, struct key *y, size_t n)
{
    for (size_t width = 1; width < n; width *= 2) {
        for (size_t low = 0; low < n; low += 2 * width) {
            size_t middle = low + width < n ? low + width : n, high = low + 2 * width < n ? low + 2 * width : n;
            merge_runs(x, y, low, middle, high);
        }
        struct key *swap = x;
        x = y;
        y = swap;
    }
    return x;
}

/* A copy of the rows in order of time. Their times have been checked. */
static const uint8_t *rows_in_order(const struct counting *k, const uint8_t *row)
{
    size_t n = k->n_row, n_byte = k->layout.row_bytes;
    struct key *x = arena_take(k->c->arena, n, sizeof *x), *y = arena_take(k->c->arena, n, sizeof *y);
    uint8_t *copy = arena_take(k->c->arena, n, n_byte);
    if (!x || !y || !copy) return NULL;
    for (size_t i = 0; i < n; i++) {
        x[i].row = i;
        (void)chunk_event_time(k->c, &k->rows->time, file_row(k, i), &x[i].t); /* the first pass took every row */
    }
    const struct key *sorted = merge_sort(x, y, n);
    for (size_t i = 0; i < n; i++)
        memcpy(copy + i * n_byte, row + sorted[i].row * n_byte, n_byte);
    return copy;
}

/* Deposits of both gains are merged by looking at neighbours: rows out of order are put in order and counted anew, into the tiles
 * that the first pass made. */
static enum burst_err count_in_order(struct counting *k, const uint8_t *row)
{
    size_t used = k->c->arena->used, n_back = k->tally.n_back;
    const uint8_t *copy = rows_in_order(k, row);
    if (!copy)
        return burst_fail(k->c->reterr, BURST_E_NOMEM, "%s: no room to put %zu rows in order in the arena of %zu bytes",
                          k->rows->table->hdu->name, k->n_row, k->c->arena->size);
    for (size_t i = 0; i < k->n_tile; i++)
        memset(k->tile[i].counts, 0, k->tile_bytes);
    enum burst_err err = count_all(k, copy);
    k->tally.n_back = n_back;
    k->c->arena->used = used;
    return err;
}

/* ---- what is odd about them ---- */

static unsigned odd_of(const struct counting *k)
{
    const struct event_tally *y = &k->tally;
    unsigned odd = y->n_back ? CHUNK_STEPS_BACK : 0;
    if (y->n_row < 2) return odd;
    if (y->first_ns == y->last_ns) odd |= CHUNK_ONE_TIME;
    return y->n_repeat ? odd | CHUNK_REPEATED_ROWS : odd;
}

enum burst_err rows_count(const struct chunk *c, const struct event_rows *rows, struct event_list *list)
{
    struct counting k = {.c = c, .rows = rows, .layout = layout_of(c, rows)};
    const uint8_t *row = rows->row ? rows->row : rows->table->hdu->data;
    k.n_row = rows->row ? rows->n_row : rows->table->n_row;
    enum burst_err err = tiles_begin(&k);
    if (err || (err = count_all(&k, row))) return err;
    if (k.tally.n_back && rows->gain && (err = count_in_order(&k, row))) return err;
    list->n_tile = k.n_tile;
    list->tile = k.tile;
    list->n_event = k.tally.n_event;
    list->n_outside = k.tally.n_outside;
    list->n_dropped = k.tally.n_dropped + k.n_null;
    list->n_merged = k.tally.n_merged;
    list->n_back = k.tally.n_back;
    list->odd = odd_of(&k);
    return BURST_OK;
}
