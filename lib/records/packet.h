/* packet: what one message said, checked. Made by ingest; everything a pointer names lives in the packet's arena. */
#ifndef BURST_RECORDS_PACKET_H
#define BURST_RECORDS_PACKET_H
#include "records/source.h"

/* [start, stop) in TT ns. */
struct time_span {
    int64_t start_ns, stop_ns;
};

/* Events of one detector in one chunk, in file order (steps back in time are legal, formats.md 2). */
struct event_list {
    int detector;            /* index from 0, less than DETECTOR_MAX; GBM: n0..nb = 0..11, b0 b1 = 12, 13 */
    size_t n_event;          /* recommended events only: others are counted in n_dropped */
    const int64_t *t_ns;     /* [n_event] TT */
    const uint16_t *channel; /* [n_event] index into the energy bounds */
    size_t n_good;           /* good time intervals, disjoint, rising */
    const struct time_span *good;
    size_t n_channel; /* energy bounds of this detector */
    const float *e_min_kev, *e_max_kev;
    size_t n_dropped; /* rows that are no recommended events */
};

struct event_packet {
    struct source source;
    int64_t epoch_ns; /* mission elapsed time zero, TT: bins are counted from here */
    size_t n_list;
    struct event_list list[DETECTOR_MAX];
    struct time_span span; /* hull of the good time */
    uint8_t sha256[32];    /* of the message body */
};

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
