/* packet: what one message said, checked. Made by ingest; everything a pointer names lives in the packet's arena. */
#ifndef BURST_RECORDS_PACKET_H
#define BURST_RECORDS_PACKET_H
#include "kernels/event_bin.h"
#include "records/bands.h"
#include "records/source.h"

/* [start, stop) in TT ns. */
struct time_span {
    int64_t start_ns, stop_ns;
};

/* What is odd about the rows of a detector in one chunk: taken all the same, and counted (reliability.md 5, class T). Not in the
 * evidence: another cut of the same stream shows it elsewhere or not at all, and `core` does not depend on the cut (0005). */
enum chunk_odd {
    CHUNK_STEPS_BACK = 1,    /* T8: times step back */
    CHUNK_ONE_TIME = 2,      /* T11: all of several events at one time */
    CHUNK_REPEATED_ROWS = 4, /* T16: a row is the one in front of it again */
};

/* What is odd about the events of a detector in a bin, found in the rings and told in the evidence. */
enum event_quality {
    EVENT_FAST = 1,      /* T12: 100 times the instrument's ordinary rate in a bin */
    EVENT_SATURATED = 2, /* a bin at the limit of what the instrument records */
    EVENT_DEAD_TIME = 4, /* a bin with over 10 % dead time */
    EVENT_QUALITY_N = 3
};

/* Counts of one detector in one chunk. Bin k covers mission elapsed time [k, k + 1) x 64 ms; where there is no tile, nothing was
 * counted. */
struct event_list {
    int detector;  /* index from 0; GBM: n0..nb = 0..11, b0 b1 = 12, 13 */
    size_t n_tile; /* stretches of time that hold rows */
    const struct event_tile
        *tile;     /* [n_tile] rising k0; counts [n_atom + 1][EVENT_TILE_BINS], the last row dead time */
    size_t n_good; /* good time intervals, disjoint, rising */
    const struct time_span *good;
    size_t n_event;   /* counted in an atom; with the next three and n_row they account for every row */
    size_t n_outside; /* recommended events of no atom's energy */
    size_t n_dropped; /* rows that are no recommended events */
    size_t n_merged;  /* deposits that stood in both gains, counted once */
    size_t n_back;    /* rows before the row in front of them */
    unsigned odd;     /* enum chunk_odd */
};

struct event_packet {
    struct source source;
    int64_t epoch_ns;      /* mission elapsed time zero, TT: bins are counted from here */
    struct band_set bands; /* whose atoms the tiles count */
    size_t n_list;
    struct event_list list[DETECTOR_MAX];
    struct time_span span; /* hull of the good time */
};

/* First good-time interval of a list that ends after t_ns, TT: they are disjoint and rising; n_good where there is none. */
size_t event_list_good_after(const struct event_list *list, int64_t t_ns);
/* The first bin at or after k that holds good time of any detector; INT64_MAX where there is none. */
int64_t event_packet_next(const struct event_packet *packet, int64_t k);

enum { SUBIMAGE_SIDE = 56, BURST_ID_TEXT = 40 };

/* Gnomonic (TAN) sky coordinates; FITS pixel convention (1-based). Source: protocol.md 5. */
struct tan_wcs {
    double crpix[2], crval_deg[2], cd[2][2];
};

/* What is wrong with a sub-image that is judged all the same, for a person to look at: docs/decisions/0008. */
enum subimage_fault {
    SUBIMAGE_NO_WCS = 1,  /* sky coordinates absent, singular or absurd: nobody knows where it looks */
    SUBIMAGE_SWAPPED = 2, /* its pixels came with their bytes in the wrong order, and were turned round */
    SUBIMAGE_NO_NOISE = 4 /* its pixels hardly differ: no sky looks so */
};
enum { FAULT_TEXT = 160 };

struct subimage_packet {
    struct source source;
    char burst_id[BURST_ID_TEXT];
    int alert_count;               /* ALERTCNT, from 0 */
    struct time_span span;         /* DATE-OBS, DATE-END */
    double e_min_kev, e_max_kev;   /* energy strip */
    double timescale_s, snr_sigma; /* of the trigger */
    char trigger_type[8], slew_status[16], data_stream[8];
    int n_y, n_z;               /* NAXIS1, NAXIS2: at most SUBIMAGE_SIDE */
    int sky_y0, sky_z0, sky_n;  /* sky pixel (0-based) of FITS pixel (1,1); side of the sky image */
    int trigger_y, trigger_z;   /* sky pixel that triggered (TRIGY, TRIGZ) */
    const float *snr;           /* [n_z][n_y] sigma; NaN where no data came */
    unsigned faults;            /* enum subimage_fault */
    char wcs_fault[FAULT_TEXT]; /* why there are no sky coordinates; "" where there are */
    struct tan_wcs wcs;         /* zeros with SUBIMAGE_NO_WCS */
    uint8_t sha256[32];
};
#endif
