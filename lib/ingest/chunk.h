/* What the event layouts share: HDUs by name, source and epoch, energy bounds, good time, one time cell to nanoseconds.
 * Private to lib/ingest. */
#ifndef BURST_INGEST_CHUNK_H
#define BURST_INGEST_CHUNK_H
#include "base/arena.h"
#include "fits/card.h"
#include "fits/table.h"
#include "records/packet.h"

/* Seconds that an event may lie outside the header's TSTART..TSTOP: see ingest.h. */
#define CHUNK_SLACK_NS INT64_C(1000000000)
enum { CHUNK_CHANNEL_MOST = 4096 };
/* Rows of GTI: an interval every 20 s of a day. Each costs work however short it is, so that their number is bounded. */
enum { CHUNK_GOOD_MOST = 4320 };

struct chunk {
    const struct instrument_fact *fact;
    const struct fits_file *file;
    struct arena *arena;
    struct burst_error *reterr;
    int64_t epoch_ns;
    int64_t least_ns, most_ns; /* mission elapsed time that events may have */
    size_t n_good;             /* good time, TT */
    struct time_span *good;
    struct time_span span;
    size_t n_bound, n_channel;    /* EBOUNDS rows; those of them events may name */
    float *e_min_kev, *e_max_kev; /* [n_bound] */
    size_t bound_at, bound_bytes; /* byte offset of the first EBOUNDS row, bytes per row: for messages */
    size_t good_at;               /* byte offset of the first GTI row */
    struct band_set bands;
    int8_t *atom; /* [n_bound] see rows.h */
};

/* A column of times: stored double, plus TZERO. */
struct chunk_times {
    const struct fits_table *table;
    const struct fits_column *column;
};

/* The one HDU of that name. BURST_E_MISSING, BURST_E_FORMAT (twice). */
enum burst_err chunk_hdu(const struct chunk *c, const char *name, const struct fits_hdu **ret_hdu);
/* TELESCOP and INSTRUME of the primary HDU. BURST_E_MISSING, BURST_E_FORMAT. */
enum burst_err chunk_check_source(const struct fits_hdu *primary, const struct instrument_fact *fact,
                                  struct burst_error *reterr);
/* MJDREFI + MJDREFF (or MJDREF) and TIMESYS of an HDU, where present, must be the mission's. BURST_E_TIME. */
enum burst_err chunk_check_epoch(const struct chunk *c, const struct fits_hdu *hdu);
/* EBOUNDS: CHANNEL counts from 0, 0 <= E_MIN < E_MAX; n_channel: the rows that are contiguous, of GBM and added instruments all. */
enum burst_err chunk_read_bounds(struct chunk *c);
/* GTI, and the time limits of events from the primary's TSTART, TSTOP (else from the good time itself). */
enum burst_err chunk_read_good(struct chunk *c);
/* The same where the header's TSTART to TSTOP is all the good time there is. */
enum burst_err chunk_read_good_in_header(struct chunk *c, const struct fits_hdu *hdu);
/* Energy bounds of a linear law instead of EBOUNDS. BURST_E_NOMEM */
enum burst_err chunk_linear_bounds(struct chunk *c, int n_channel, double first_kev, double channel_kev);
/* A 1D column of unscaled times. BURST_E_MISSING, BURST_E_FORMAT. */
enum burst_err chunk_time_column(const struct chunk *c, const struct fits_table *table, const char *name,
                                 struct chunk_times *ret_times);
/* An unscaled column of single numbers, 'I', 'B' or 'E'. BURST_E_MISSING, BURST_E_FORMAT. */
enum burst_err chunk_number_column(const struct chunk *c, const struct fits_table *table, const char *name, char form,
                                   const struct fits_column **ret_column);
/* Mission elapsed time of a cell in ns. BURST_E_TIME when it is not finite, or negative. */
enum burst_err chunk_time(const struct chunk *c, const struct chunk_times *times, size_t row, int64_t *ret_met_ns);
/* The same for events: also within the header's time. */
enum burst_err chunk_event_time(const struct chunk *c, const struct chunk_times *times, size_t row,
                                int64_t *ret_met_ns);
/* The layouts: fill ret_packet's lists from a chunk whose source and epoch are checked. */
enum burst_err events_read_gbm(struct chunk *c, struct event_packet *packet);
enum burst_err events_read_gecam(struct chunk *c, struct event_packet *packet);
enum burst_err events_read_mapped(struct chunk *c, struct event_packet *packet);
#endif
