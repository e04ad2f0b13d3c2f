/* sample: what a network is asked about, and the counts or pixels it was made of. Made by prepare. */
#ifndef BURST_RECORDS_SAMPLE_H
#define BURST_RECORDS_SAMPLE_H
#include "records/bands.h"
#include "records/packet.h"
#include "records/platform.h"

#define BIN_NS INT64_C(64000000)               /* 64 ms: the paper's bin */
enum { WINDOW_BINS = 1875, STRIDE_BINS = 16 }; /* 120 s; windows end at k = 0 mod 16 (protocol.md 4) */

/* One stride's look back: bins [k_end - WINDOW_BINS, k_end) of mission elapsed time, bin k = [k, k+1) x 64 ms from
 * epoch_ns. Rows are detectors that have data, in rising detector order. Made once per window, handed from thread to
 * thread. */
struct lightcurve_window {
    struct source source;
    int64_t epoch_ns, k_end;
    struct band_set bands;
    int room; /* rows that counts and valid have storage for */
    int n_detector;
    int detector[DETECTOR_MAX]; /* index of each row */
    int n_valid[DETECTOR_MAX];  /* bins inside good time */
    bool scored[DETECTOR_MAX];  /* at least 30 s valid: goes through the network */
    uint32_t *counts;           /* [n_detector][n_atom][WINDOW_BINS] counts per bin */
    uint8_t *valid;             /* [n_detector][WINDOW_BINS] 1 inside good time */
    uint32_t *dead; /* [n_detector][WINDOW_BINS] dead time, units of EVENT_DEAD_NS; 0 unknown. Not in the digests */
    unsigned quality[DETECTOR_MAX]; /* enum event_quality, of any valid bin. Not in the digests */
    bool incomplete;                /* a gap in the stream was not repaired over these bins */
    double
        particle_ratio; /* charged particles over their usual rate, most in the last 30 s; 0: not known. Not in the digests */
    struct platform_state platform; /* at the end of the window; all zeros: nothing is known. Not in the digests */
    int64_t arrived_mono_ns;        /* host monotonic time of the message that closed it: latency only */
    double decode_s;                /* seconds spent on that message before it was closed: latency only */
};

/* All storage of a window at once: rows for n_detector detectors of ATOM_MAX atoms each.
 *
 * Given     n_detector  1..DETECTOR_MAX
 * Returned  *ret_w      zeroed; the caller frees it with window_free
 * Errors    BURST_E_SHAPE, BURST_E_NOMEM; *ret_w untouched */
enum burst_err window_new(int n_detector, struct lightcurve_window **ret_w, struct burst_error *reterr);
/* NULL is accepted. */
void window_free(struct lightcurve_window *w);

/* Copy a window with its counts into other storage.
 * Errors    BURST_E_SHAPE  `to` has fewer rows of storage than `from` uses; `to` untouched */
enum burst_err window_copy(const struct lightcurve_window *from, struct lightcurve_window *to,
                           struct burst_error *reterr);

/* SHA-256 of one row's data, the `input_sha256` of a detector: its counts [n_atom][WINDOW_BINS], then its validity
 * [WINDOW_BINS], every number as u32 little-endian. Source: protocol.md 6, `verdict_id`. */
void window_row_sha256(const struct lightcurve_window *w, int row, uint8_t ret_sha256[32]);

/* Mask values. Source: the SVOM seed's image network; protocol.md 5, first rule that fits. */
enum mask_value { MASK_IGNORE = 0, MASK_BACKGROUND = 1, MASK_SOURCE = 2, MASK_TRIGGER = 3 };
/* Bits of image_sample.flags. */
enum image_flag {
    IMAGE_TRIGGER_NO_DATA = 1,
    IMAGE_PARTIAL = 2,     /* n_missing > 0 */
    IMAGE_SPARSE = 4,      /* so little data that no network's answer means anything */
    IMAGE_NO_WCS = 8,      /* packet->faults: no position, and no known source in the mask */
    IMAGE_SWAPPED = 16,    /* packet->faults */
    IMAGE_NO_NOISE = 32,   /* packet->faults */
    IMAGE_GEOCENTRIC = 64, /* the Moon is in or beside the sky image, as the Earth's centre sees it: no platform */
    IMAGE_OFF_AXIS = 128   /* the attitude sent with the platform contradicts the sky coordinates */
};
enum { IMAGE_SIDE = SUBIMAGE_SIDE, IMAGE_CENTRE = 28, SOURCE_NAME_TEXT = 32 };

/* A sub-image with the trigger pixel shifted to [28][28], padded. Arrays are [Z][Y]. */
struct image_sample {
    const struct subimage_packet *packet; /* lent: as long as the packet lives */
    float snr[IMAGE_SIDE][IMAGE_SIDE];    /* sigma; 0 where the mask is MASK_IGNORE */
    uint8_t mask[IMAGE_SIDE][IMAGE_SIDE];
    unsigned flags;         /* enum image_flag */
    int n_missing;          /* pixels inside the sky without data */
    double ra_deg, dec_deg; /* of the trigger pixel, ICRS; NaN with IMAGE_NO_WCS */
    double nearest_px;      /* nearest known source, pixels from the trigger; negative: none in the sky */
    char nearest_name[SOURCE_NAME_TEXT];
    struct platform_state platform; /* at the middle of the exposure; all zeros: nothing is known */
    uint8_t config_sha256[32];      /* stands for configuration and catalogue in verdict_id; whoever has both sets it */
    int64_t arrived_mono_ns;
    double decode_s;
};
#endif
