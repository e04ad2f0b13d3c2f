/* Rows of an event table to tiles of counts. Private to lib/ingest. */
#ifndef BURST_INGEST_ROWS_H
#define BURST_INGEST_ROWS_H
#include "ingest/chunk.h"

/* Where a layout keeps what event_bin needs; column names and places for the sentences. NULL: there is no such column. */
struct event_rows {
    const struct fits_table *table;
    const uint8_t *row;       /* [n_row] rows to count, with the table's columns; NULL: all of the table's own */
    size_t n_row;             /* with `row` */
    const uint32_t *file_row; /* [n_row] with `row`: which row of the table each is, for the sentences */
    struct chunk_times time;
    const struct fits_column *channel, *gain, *type, *flag, *dead;
    int type_is, flag_below;       /* see struct event_layout */
    uint32_t dead_each, dead_last; /* where there is no dead column; units of EVENT_DEAD_NS */
    size_t n_channel;              /* channels that a row may name */
};

/* Energy atoms of the chunk's channels: the n_channel of the ladder by their energy, the others up to n_bound not recommended.
 * Errors    BURST_E_NOMEM, BURST_E_RANGE */
enum burst_err rows_atoms(struct chunk *c);

/* Count every row of a table.
 * Given     c      atoms are made; least_ns, most_ns are set
 * Returned  list   tiles, counters, quality; the rest untouched
 * Errors    BURST_E_TIME, BURST_E_RANGE  a row, by its number, byte and value; BURST_E_NOMEM  the arena is full */
enum burst_err rows_count(const struct chunk *c, const struct event_rows *rows, struct event_list *list);
#endif
