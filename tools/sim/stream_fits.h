/* FITS bytes put down as fast as rows can be made: cards, tables, padding. lib/fits writes what has more time. */
#ifndef BURST_SIM_STREAM_FITS_H
#define BURST_SIM_STREAM_FITS_H
#include "sim/stream.h"

/* Grows; `failed` once memory was refused, and then nothing more is put down. */
struct fits_out {
    uint8_t *byte;
    size_t n, room;
    bool failed;
};

struct stream_good {
    double start_s, stop_s; /* mission elapsed time */
};

/* n bytes more at the end, for the caller to fill; NULL when there is no memory. */
uint8_t *fits_out_take(struct fits_out *o, size_t n);
/* Give back what of the last take was not used. */
void fits_out_cut(struct fits_out *o, size_t n);

/* PRIMARY, EBOUNDS and GTI of an event file. */
void stream_fits_begin(struct fits_out *o, const struct instrument_fact *fact, const struct ladder *ladder,
                       const struct stream_good *good, int n_good);
/* EVENTSnn of a detector: its header. Rows follow; then stream_fits_end_table(o, header's answer, rows). */
size_t stream_fits_begin_events(struct fits_out *o, const struct instrument_fact *fact, int detector,
                                const struct stream_good *hull);
void stream_fits_end_table(struct fits_out *o, size_t header_at, size_t n_row);
/* EVENTSnn without rows and columns, as real files have it for a detector without data. */
void stream_fits_placeholder(struct fits_out *o, int detector);
#endif
