/* The plain C truth of event_bin.h, and the choice of an implementation. */
#include "kernels/event_bin_rows.h"

#define ROW_INLINE inline __attribute__((always_inline))

/* What a row is once its fields are read. */
struct row {
    int64_t met_ns, dead_ns;
    uint64_t place;
    uint32_t dead;
    int gain, atom; /* atom: EVENT_NOT_RECOMMENDED also for rows that do not pass type and flag */
};

static ROW_INLINE enum event_row_fault find_atom(const struct event_layout *l, const uint8_t *row, int *ret_atom)
{
    *ret_atom = EVENT_NOT_RECOMMENDED;
    if (!event_row_passes(l, row)) return EVENT_ROWS_DONE;
    int channel = event_row_channel(l, row);
    if (channel < 0 || (size_t)channel >= l->n_channel) return EVENT_ROW_CHANNEL;
    *ret_atom = l->atom[channel];
    return EVENT_ROWS_DONE;
}

static ROW_INLINE enum event_row_fault read_fields(const struct event_layout *l, const uint8_t *row, struct row *ret)
{
    ret->gain = l->gain_at < 0 ? 0 : row[l->gain_at];
    if (ret->gain > 1) return EVENT_ROW_GAIN;
    if (!event_row_dead(l, row, &ret->dead, &ret->dead_ns)) return EVENT_ROW_DEAD;
    return find_atom(l, row, &ret->atom);
}

static ROW_INLINE void note_time(struct event_tally *tally, int64_t met_ns)
{
    if (!tally->n_row) tally->first_ns = tally->last_ns = tally->before_ns = met_ns;
    if (met_ns < tally->first_ns) tally->first_ns = met_ns;
    if (met_ns > tally->last_ns) tally->last_ns = met_ns;
    tally->n_back += met_ns < tally->before_ns;
    tally->before_ns = met_ns;
}

/* ---- one deposit in both gains ---- */

static bool is_same_deposit(const struct event_tally *tally, int gain, int64_t met_ns)
{
    return tally->seen.gain >= 0 && tally->seen.gain != gain && met_ns >= tally->seen.t_ns &&
           met_ns - tally->seen.t_ns <= tally->seen.dead_ns;
}

bool event_uncount_seen(const struct event_tile *tile, struct event_tally *tally)
{
    uint64_t place = event_place(tile, tally->seen.t_ns);
    if (place >= EVENT_TILE_BINS) return false;
    if (tally->seen.atom >= 0) {
        tile->counts[(size_t)tally->seen.atom * EVENT_TILE_BINS + place]--;
        tally->n_event--;
    } else {
        tally->n_outside--;
    }
    tally->n_merged++;
    tally->seen.gain = NOBODY; /* a row belongs to one pair at most */
    return true;
}

/* The high gain of a deposit in the last bin of a tile, the low gain in the next tile: settled before the tile is left. Rows
 * between the two may be not recommended. A step back ends the search, so that all searches together stay within n_row. */
static void settle_border(const struct event_layout *l, const uint8_t *rows, size_t n_row,
                          const struct event_tile *tile, struct event_tally *tally)
{
    int64_t met, before = tally->seen.t_ns;
    if (l->gain_at < 0 || tally->seen.gain != 0) return;
    for (size_t i = tally->n_row; i < n_row; i++) {
        const uint8_t *bytes = rows + i * l->row_bytes;
        struct row row;
        if (!event_row_met(l, bytes, &met) || met < before || met - tally->seen.t_ns > tally->seen.dead_ns) return;
        if (read_fields(l, bytes, &row)) return;
        before = met;
        if (row.atom == EVENT_NOT_RECOMMENDED) continue;
        if (is_same_deposit(tally, row.gain, met) && event_uncount_seen(tile, tally)) tally->seen.gain = NEXT_IS_PAIRED;
        return;
    }
}

/* ---- counting ---- */

static ROW_INLINE void count_atom(const struct row *row, const struct event_tile *tile, struct event_tally *tally)
{
    if (row->atom >= 0) {
        tile->counts[(size_t)row->atom * EVENT_TILE_BINS + row->place]++;
        tally->n_event++;
    } else {
        tally->n_outside++;
    }
}

/* A recommended row of an instrument with two gains. */
static ROW_INLINE void count_gain(const struct row *row, const struct event_tile *tile, struct event_tally *tally)
{
    bool paired = tally->seen.gain == NEXT_IS_PAIRED;
    if (is_same_deposit(tally, row->gain, row->met_ns)) {
        if (row->gain == 0) { /* the low gain came first and stands */
            tally->seen.gain = NOBODY;
            tally->n_merged++;
            return;
        }
        paired = event_uncount_seen(tile, tally);
    }
    count_atom(row, tile, tally);
    tally->seen.t_ns = row->met_ns;
    tally->seen.dead_ns = row->dead_ns;
    tally->seen.gain = paired ? NOBODY : row->gain;
    tally->seen.atom = row->atom;
}

static ROW_INLINE void count_row(const struct event_layout *l, const struct row *row, const struct event_tile *tile,
                                 struct event_tally *tally)
{
    event_add_dead(&tile->counts[(size_t)l->n_atom * EVENT_TILE_BINS + row->place], row->dead);
    if (row->atom == EVENT_NOT_RECOMMENDED)
        tally->n_dropped++;
    else if (l->gain_at < 0)
        count_atom(row, tile, tally);
    else
        count_gain(row, tile, tally);
}

enum event_row_fault event_bin_rows(const struct event_layout *l, const uint8_t *rows, size_t n_row, size_t until,
                                    const struct event_tile *tile, struct event_tally *tally)
{
    for (; tally->n_row < until; tally->n_row++) {
        const uint8_t *bytes = rows + tally->n_row * l->row_bytes;
        struct row row;
        if (!event_row_met(l, bytes, &row.met_ns)) return EVENT_ROW_TIME;
        row.place = event_place(tile, row.met_ns);
        if (row.place >= EVENT_TILE_BINS) {
            settle_border(l, rows, n_row, tile, tally);
            return EVENT_ROW_BEYOND;
        }
        enum event_row_fault fault = read_fields(l, bytes, &row);
        if (fault) return fault;
        note_time(tally, row.met_ns);
        tally->n_repeat += event_row_repeats(l, rows, tally->n_row);
        count_row(l, &row, tile, tally);
    }
    return EVENT_ROWS_DONE;
}

static enum event_row_fault bin_portable(const struct event_layout *layout, const uint8_t *rows, size_t n_row,
                                         const struct event_tile *tile, struct event_tally *tally)
{
    return event_bin_rows(layout, rows, n_row, n_row, tile, tally);
}

event_bin_call *event_bin_portable(void)
{
    return bin_portable;
}

enum event_row_fault event_row_bin(const struct event_layout *layout, const uint8_t *row, int64_t *ret_k)
{
    int64_t met;
    if (!event_row_met(layout, row, &met)) return EVENT_ROW_TIME;
    *ret_k = met / EVENT_BIN_NS;
    return EVENT_ROWS_DONE;
}

/* Asked at every call, of what the C library has read once: no state of our own. */
enum event_row_fault event_bin(const struct event_layout *layout, const uint8_t *rows, size_t n_row,
                               const struct event_tile *tile, struct event_tally *tally)
{
    event_bin_call *call = event_bin_avx512();
    if (!call) call = event_bin_avx2();
    return (call ? call : bin_portable)(layout, rows, n_row, tile, tally);
}

const char *event_bin_name(void)
{
    return event_bin_avx512() ? "avx512" : event_bin_avx2() ? "avx2" : "portable";
}
