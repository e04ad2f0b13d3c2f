/* Event files of added instruments: where things are is in the map (records/event_map.h), what may be in them is judged here. Rows are
 * copied once, those of each detector together, without the ones that do not count. */
#include "ingest/rows.h"
#include <stdio.h>
#include <string.h>

/* One condition on a row. */
struct filter {
    const struct fits_column *column;
    int64_t least, most;
};

struct split {
    const struct fits_table *table;
    const struct fits_column *detector; /* NULL: all rows are of detector `only` */
    int only, first;
    int n_filter;
    struct filter filter[EVENT_MAP_KEEP];
    size_t n_row[DETECTOR_MAX], n_dropped[DETECTOR_MAX];
    uint8_t *row[DETECTOR_MAX];
    uint32_t *file_row[DETECTOR_MAX];
};

static int bits_set(const struct fits_table *t, const struct fits_column *column, size_t row)
{
    int n = 0;
    for (size_t i = 0; i < column->n_bytes; i++)
        n += __builtin_popcount(fits_cell(t, column, row)[i]);
    return n;
}

static bool counts(const struct split *s, size_t row)
{
    for (int i = 0; i < s->n_filter; i++) {
        const struct filter *f = &s->filter[i];
        int64_t value = f->column->form == 'X' ? bits_set(s->table, f->column, row)
                                               : (int64_t)fits_cell_stored(s->table, f->column, row, 0);
        if (value < f->least || value > f->most) return false;
    }
    return true;
}

/* A column of small integers; of bits, too, where `bits` is allowed. */
static enum burst_err small_column(const struct chunk *c, const struct fits_table *t, const char *name,
                                   const char *forms, const struct fits_column **ret_column)
{
    enum burst_err err = fits_table_column(t, name, 0, ret_column, c->reterr);
    if (err) return err;
    const struct fits_column *k = *ret_column;
    if (strchr(forms, k->form) && (k->form == 'X' || (k->n_item == 1 && k->scale == 1 && k->zero == 0)))
        return BURST_OK;
    return burst_fail(c->reterr, BURST_E_FORMAT,
                      "%s: column %s is %lld%c, one unscaled of %s expected (card at byte %zu)", t->hdu->name, k->name,
                      (long long)k->n_item, k->form, forms, k->form_at);
}

static enum burst_err find_filters(const struct chunk *c, const struct event_map *map, struct split *s)
{
    enum burst_err err = BURST_OK;
    for (s->n_filter = 0; !err && s->n_filter < map->n_keep; s->n_filter++) {
        const struct event_keep *keep = &map->keep[s->n_filter];
        struct filter *f = &s->filter[s->n_filter];
        f->least = keep->least;
        f->most = keep->most;
        err = small_column(c, s->table, keep->column, "IBX", &f->column);
    }
    return err;
}

/* The detector of a row. BURST_E_RANGE  a number the instrument does not have */
static enum burst_err detector_of(const struct chunk *c, const struct split *s, size_t row, int *ret_detector)
{
    int number = s->detector ? (int)fits_cell_stored(s->table, s->detector, row, 0) : s->only + s->first;
    *ret_detector = number - s->first;
    if (*ret_detector >= 0 && *ret_detector < c->fact->n_detector) return BURST_OK;
    return burst_fail(c->reterr, BURST_E_RANGE, "%s: row %zu: %s is %d, %d to %d expected (byte %zu)",
                      s->table->hdu->name, row + 1, s->detector->name, number, s->first,
                      s->first + c->fact->n_detector - 1, fits_cell_at(s->table, s->detector, row));
}

static enum burst_err split_count(const struct chunk *c, struct split *s)
{
    for (size_t row = 0; row < s->table->n_row; row++) {
        int d;
        enum burst_err err = detector_of(c, s, row, &d);
        if (err) return err;
        *(counts(s, row) ? &s->n_row[d] : &s->n_dropped[d]) += 1;
    }
    return BURST_OK;
}

static enum burst_err split_rows(const struct chunk *c, struct split *s)
{
    size_t n_byte = s->table->row_bytes, n[DETECTOR_MAX] = {0};
    if (s->table->n_row > UINT32_MAX)
        return burst_fail(c->reterr, BURST_E_LIMIT, "%s: %zu rows", s->table->hdu->name, s->table->n_row);
    enum burst_err err = split_count(c, s);
    for (int d = 0; !err && d < c->fact->n_detector; d++) {
        s->row[d] = arena_take(c->arena, s->n_row[d], n_byte);
        s->file_row[d] = arena_take(c->arena, s->n_row[d], sizeof *s->file_row[d]);
        if (!s->row[d] || !s->file_row[d])
            err = burst_fail(c->reterr, BURST_E_NOMEM, "%s: %zu rows do not fit the arena of %zu bytes",
                             s->table->hdu->name, s->table->n_row, c->arena->size);
    }
    for (size_t row = 0; !err && row < s->table->n_row; row++) {
        int d;
        if ((err = detector_of(c, s, row, &d)) || !counts(s, row)) continue;
        memcpy(s->row[d] + n[d] * n_byte, s->table->hdu->data + row * n_byte, n_byte);
        s->file_row[d][n[d]++] = (uint32_t)row;
    }
    return err;
}

/* A detector none of whose rows is there may be off: that is no list, zero counts would be a lie. In a table of its own, it is there. */
static enum burst_err count_split(const struct chunk *c, const struct event_map *map, const struct split *s,
                                  struct event_rows *rows, struct event_packet *packet)
{
    rows->dead_each = rows->dead_last = (uint32_t)(map->dead_s * 1e9 / EVENT_DEAD_NS + 0.5);
    rows->n_channel = c->n_channel;
    for (int d = 0; d < c->fact->n_detector; d++) {
        if (s->detector ? s->n_row[d] + s->n_dropped[d] == 0 : d != s->only) continue;
        struct event_list *list = &packet->list[packet->n_list];
        rows->row = s->row[d];
        rows->n_row = s->n_row[d];
        rows->file_row = s->file_row[d];
        list->detector = d;
        enum burst_err err = rows_count(c, rows, list);
        if (err) return err;
        list->n_dropped += s->n_dropped[d];
        packet->n_list++;
    }
    return BURST_OK;
}

static enum burst_err read_table(const struct chunk *c, const struct fits_hdu *hdu, int only,
                                 struct event_packet *packet)
{
    const struct event_map *map = c->fact->map;
    struct fits_table t;
    struct split s = {.table = &t, .only = only, .first = map->first_detector};
    struct event_rows rows = {.table = &t};
    enum burst_err err = fits_table_view(hdu, &t, c->reterr);
    if (err || (err = chunk_check_epoch(c, hdu))) return err;
    if (map->table_each && !t.n_column && !t.n_row) return BURST_OK; /* a placeholder, as GECAM's */
    if ((err = chunk_time_column(c, &t, map->time, &rows.time)) ||
        (err = small_column(c, &t, map->channel, "IB", &rows.channel)))
        return err;
    if (!map->table_each && map->detector[0] && (err = small_column(c, &t, map->detector, "IB", &s.detector)))
        return err;
    if ((err = find_filters(c, map, &s)) || (err = split_rows(c, &s))) return err;
    return count_split(c, map, &s, &rows, packet);
}

static enum burst_err read_each(const struct chunk *c, struct event_packet *packet)
{
    enum burst_err err = BURST_OK;
    for (int d = 0; !err && d < c->fact->n_detector; d++) {
        char name[EVENT_MAP_TEXT + 8];
        const struct fits_hdu *hdu = NULL;
        (void)snprintf(name, sizeof name, "%s%02d", c->fact->map->table, (d + 1) % 100);
        if (!fits_hdu_named(c->file, name)) continue;
        if (!(err = chunk_hdu(c, name, &hdu))) err = read_table(c, hdu, d, packet);
    }
    if (!err && !packet->n_list)
        err = burst_fail(c->reterr, BURST_E_MISSING, "no %snn among the file's %d HDUs", c->fact->map->table,
                         c->file->n_hdu);
    return err;
}

enum burst_err events_read_mapped(struct chunk *c, struct event_packet *packet)
{
    const struct event_map *map = c->fact->map;
    const struct fits_hdu *hdu = &c->file->hdu[0];
    enum burst_err err = map->table_each ? BURST_OK : chunk_hdu(c, map->table, &hdu);
    if (!err)
        err = map->linear ? chunk_linear_bounds(c, map->n_channel, map->first_kev, map->channel_kev)
                          : chunk_read_bounds(c);
    if (!err) err = rows_atoms(c);
    if (!err) err = map->good_in_header ? chunk_read_good_in_header(c, hdu) : chunk_read_good(c);
    if (err) return err;
    return map->table_each ? read_each(c, packet) : read_table(c, hdu, 0, packet);
}
