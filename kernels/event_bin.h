/* Rows of a photon event table, big-endian as they stand in a FITS file, to counts per energy atom and 64 ms bin, in one pass
 * over the message's own bytes. Times are checked for every row; order does not matter to the counts. */
#ifndef BURST_KERNELS_EVENT_BIN_H
#define BURST_KERNELS_EVENT_BIN_H
#include <stddef.h>
#include <stdint.h>

enum { EVENT_TILE_BINS = 1024, EVENT_NO_ATOM = -1, EVENT_NOT_RECOMMENDED = -2 };
#define EVENT_BIN_NS  INT64_C(64000000)
#define EVENT_DEAD_NS 100 /* unit of the dead-time row */

/* Where the fields of a row lie and which rows count. Offsets are bytes within a row; -1: there is no such column. */
struct event_layout {
    size_t row_bytes;
    int time_at;               /* f64, seconds; adds zero_ns, rounded to the nearest ns */
    int channel_at;            /* i16, or u8 where channel_bytes is 1 */
    int channel_bytes;         /* 1 or 2 */
    int64_t zero_ns;           /* mission elapsed time of a stored 0, ns; in [-4e18, 4e18] */
    int64_t least_ns, most_ns; /* mission elapsed time that a row may have, inclusive; both in [0, 4e18] */
    int type_at, type_is;      /* u8: rows of another type are not recommended */
    int flag_at, flag_below;   /* u8: rows with a flag of at least this are not recommended */
    int gain_at;               /* u8, 0 high, 1 low gain: one deposit in both is merged, see Notes */
    int dead_at;               /* f32, us per row; else the two constants: */
    uint32_t dead, dead_last;  /* dead time of a row, and of one in the last channel, units of EVENT_DEAD_NS */
    size_t n_channel;
    const int8_t *atom; /* [n_channel] energy atom, or EVENT_NO_ATOM, or EVENT_NOT_RECOMMENDED */
    int n_atom;
};

/* 1,024 bins of one detector: bin k0 + t covers mission elapsed time [k0 + t, k0 + t + 1) x 64 ms. */
struct event_tile {
    int64_t k0;
    uint32_t *counts; /* [n_atom + 1][EVENT_TILE_BINS]; the last row is dead time of all rows, units of EVENT_DEAD_NS,
                         and stays at its most where it would overflow */
};

enum event_row_fault {
    EVENT_ROWS_DONE,   /* all rows were taken */
    EVENT_ROW_BEYOND,  /* the next row's bin is not in the tile */
    EVENT_ROW_TIME,    /* not finite, or outside [least_ns, most_ns] */
    EVENT_ROW_CHANNEL, /* below 0 or not below n_channel, in a row that passes type and flag */
    EVENT_ROW_GAIN,    /* neither 0 nor 1 */
    EVENT_ROW_DEAD,    /* not finite, negative or above 1 s */
};

/* What became of the rows so far, and what the next call must know of the last one. Begin with zeros. */
struct event_tally {
    size_t n_row;              /* taken; on a fault: the index of the row it is about */
    size_t n_event;            /* counted in an atom */
    size_t n_outside;          /* recommended, but of no atom's energy */
    size_t n_dropped;          /* not recommended */
    size_t n_merged;           /* deposits seen in both gains, counted once */
    size_t n_back;             /* rows before the row in front of them */
    size_t n_repeat;           /* rows that are the row in front of them once more, byte for byte */
    int64_t first_ns, last_ns; /* least and greatest mission elapsed time of all rows taken; valid where n_row > 0 */
    int64_t before_ns;         /* of the last row taken */
    struct {                   /* the last recommended row, for merging */
        int64_t t_ns, dead_ns;
        int gain, atom; /* gain -1: none, or half of a pair; -2: the next one is half of a pair across two tiles */
    } seen;
};

/* Count rows [tally->n_row, n_row) until one does not belong to the tile. A row is asked for its time, tile, gain, dead
 * time and channel, in this order.
 *
 * Given     rows   n_row rows of row_bytes each
 *           tile   k0 any multiple of EVENT_TILE_BINS; counts hold what was counted before
 *           tally  zeros before the first call of a table; seen.gain -1
 * Returned  tile->counts, tally; on EVENT_ROW_BEYOND ask for the tile of row tally->n_row (event_row_bin) and call again; on a
 *           fault the tile has been partly filled: throw the table's counts away
 * Notes     A deposit recorded in both gains: of two recommended rows in succession whose gains differ, the later within the
 *           first's dead time, the low-gain one counts; pairs are taken in order, a row belongs to one at most. That needs
 *           rows in order of time: where n_back is not 0 and gain_at is not -1, sort the rows and begin again.
 *           Always n_event + n_outside + n_dropped + n_merged = n_row. Rows behind n_row are not read.
 *           A caller may step over a row that it knows to be void: add 1 to tally->n_row and call again.
 *           The widest implementation the processor has is used (AVX-512, AVX2, portable); all give the same counts.
 * Source    formats.md 2 (recommended events, both gains, dead time), protocol.md 4 (bins), performance.md 4 */
enum event_row_fault event_bin(const struct event_layout *layout, const uint8_t *rows, size_t n_row,
                               const struct event_tile *tile, struct event_tally *tally);

/* The bin a row belongs to.
 * Returned  EVENT_ROWS_DONE and *ret_k, or EVENT_ROW_TIME */
enum event_row_fault event_row_bin(const struct event_layout *layout, const uint8_t *row, int64_t *ret_k);

/* Which implementation event_bin uses here: "avx512", "avx2" or "portable". */
const char *event_bin_name(void);

/* The implementations, for tests and benchmarks that compare them; NULL where this processor or build has none. */
typedef enum event_row_fault event_bin_call(const struct event_layout *layout, const uint8_t *rows, size_t n_row,
                                            const struct event_tile *tile, struct event_tally *tally);
event_bin_call *event_bin_portable(void);
event_bin_call *event_bin_avx2(void);
event_bin_call *event_bin_avx512(void);
#endif
