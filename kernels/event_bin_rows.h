/* One row at a time: the rules of event_bin.h, which every implementation follows; vectors hand over to these where a row is
 * out of the ordinary. Private to kernels/event_bin*. */
#ifndef BURST_KERNELS_EVENT_BIN_ROWS_H
#define BURST_KERNELS_EVENT_BIN_ROWS_H
#include "base/bytes.h"
#include "kernels/event_bin.h"
#include <stdbool.h>

/* Beyond these no sum of a stored time and zero_ns can lie in [least_ns, most_ns]; within, no product overflows. */
#define EVENT_STORED_MOST_S 9e9

enum { NOBODY = -1, NEXT_IS_PAIRED = -2 }; /* seen.gain, where it is none */

/* Stored seconds to ns. The whole seconds are taken apart, so that the product of the rest keeps its last digits. Rises with
 * `stored`, or stays: every step of it does.
 * Given  stored  |stored| <= EVENT_STORED_MOST_S */
static inline int64_t event_stored_ns(double stored)
{
    int64_t whole = (int64_t)stored;
    whole -= (double)whole > stored;
    return whole * INT64_C(1000000000) + (int64_t)((stored - (double)whole) * 1e9 + 0.5);
}

/* Mission elapsed time of a row, where it has one within the limits. */
static inline bool event_row_met(const struct event_layout *l, const uint8_t *row, int64_t *ret_met_ns)
{
    double stored = bytes_get_f64(row + l->time_at);
    int64_t met;
    if (!(stored >= -EVENT_STORED_MOST_S && stored <= EVENT_STORED_MOST_S)) return false;
    if (__builtin_add_overflow(event_stored_ns(stored), l->zero_ns, &met)) return false;
    *ret_met_ns = met;
    return met >= l->least_ns && met <= l->most_ns;
}

/* A bin's place in the tile; EVENT_TILE_BINS or more where it has none. */
static inline uint64_t event_place(const struct event_tile *tile, int64_t met_ns)
{
    return (uint64_t)(met_ns / EVENT_BIN_NS) - (uint64_t)tile->k0;
}

static inline int event_row_channel(const struct event_layout *l, const uint8_t *row)
{
    return l->channel_bytes == 1 ? row[l->channel_at] : (int16_t)bytes_get_u16(row + l->channel_at);
}

/* Type and flag say that the row is recommended; its channel may still say otherwise. */
static inline bool event_row_passes(const struct event_layout *l, const uint8_t *row)
{
    return (l->type_at < 0 || row[l->type_at] == l->type_is) && (l->flag_at < 0 || row[l->flag_at] < l->flag_below);
}

/* Whether row i is the row in front of it once more. Rows of one time are rare, so that few are compared whole. */
static inline bool event_row_repeats(const struct event_layout *l, const uint8_t *rows, size_t i)
{
    const uint8_t *row = rows + i * l->row_bytes;
    if (i == 0 || memcmp(row + l->time_at, row - l->row_bytes + l->time_at, 8) != 0) return false;
    return memcmp(row, row - l->row_bytes, l->row_bytes) == 0;
}

/* Add to a cell that stays at its most: a sum of dead times must not begin again at 0. */
static inline void event_add_dead(uint32_t *cell, uint64_t dead)
{
    *cell = dead > UINT32_MAX - *cell ? UINT32_MAX : *cell + (uint32_t)dead;
}

/* Dead time of a row in units of EVENT_DEAD_NS and in ns. A column's is rounded in single precision, as it is stored.
 * Returned  false: not finite, negative or above 1 s */
static inline bool event_row_dead(const struct event_layout *l, const uint8_t *row, uint32_t *ret_dead,
                                  int64_t *ret_dead_ns)
{
    if (l->dead_at < 0) {
        bool last = event_row_channel(l, row) == (int)l->n_channel - 1;
        *ret_dead = last ? l->dead_last : l->dead;
        *ret_dead_ns = (int64_t)*ret_dead * EVENT_DEAD_NS;
        return true;
    }
    float us = bytes_get_f32(row + l->dead_at);
    if (!(us >= 0 && us <= 1e6f)) return false;
    *ret_dead = (uint32_t)(us * 10.0f + 0.5f);
    *ret_dead_ns = (int64_t)((double)us * 1000.0 + 0.5);
    return true;
}

/* Take the row seen last out of the counts: it was the high gain of a pair.
 * Returned  false: rows out of order have left it in another tile; it stays */
bool event_uncount_seen(const struct event_tile *tile, struct event_tally *tally);

/* Take rows [tally->n_row, until) of n_row by the rules of event_bin. */
enum event_row_fault event_bin_rows(const struct event_layout *layout, const uint8_t *rows, size_t n_row, size_t until,
                                    const struct event_tile *tile, struct event_tally *tally);
#endif
