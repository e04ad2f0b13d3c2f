/* The rings from inside: shared by lightcurve.c (closing, windows) and lightcurve_add.c (packets). Private to lib/prepare.
 *
 * A ring of bins [low, low + n_ring) per detector; low follows the closed bins one window behind, so that a closed stride's
 * window is always whole. A bin remembers which part of it was good time: chunks may meet inside a bin. */
#ifndef BURST_PREPARE_LIGHTCURVE_INSIDE_H
#define BURST_PREPARE_LIGHTCURVE_INSIDE_H
#include "prepare/lightcurve.h"

enum { GAP_MAX = 8 };
/* Mission times are doubles: at 3e8 s they step by 60 ns, so that chunks that meet may differ by that much per end. */
#define COVER_SLACK_NS 1000

struct gap_span {
    int64_t from_k, to_k;
};

/* Good time of a bin: `ns` of it, all inside [from_ns, to_ns) of the bin; ns 0: none. */
struct bin_cover {
    int32_t ns, from_ns, to_ns;
};

struct lightcurve {
    struct lightcurve_settings set;
    const struct instrument_fact *fact;
    int n_detector;
    int64_t n_ring;
    bool started, gap;
    int64_t closed_k;  /* bins before it are closed; a multiple of STRIDE_BINS */
    int64_t cover_k;   /* end of the last bin with good time */
    int64_t latest_ns; /* end of the latest good time */
    int64_t close_ns;  /* bins wholly before it may be closed */
    int n_gap;
    struct gap_span gap_span[GAP_MAX];
    struct lightcurve_counts n;
    uint32_t *counts;                             /* [n_detector][n_atom + 1][n_ring], the last row dead time */
    struct bin_cover *cover;                      /* [n_detector][n_ring] */
    struct bin_cover piece[LIGHTCURVE_STEP_BINS]; /* good time of the list in hand */
};

static inline int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

static inline int64_t bin_of(const struct lightcurve *lc, int64_t t_ns)
{
    return floor_div(t_ns - lc->set.epoch_ns, BIN_NS);
}

static inline int64_t stride_floor(int64_t k)
{
    return floor_div(k, STRIDE_BINS) * STRIDE_BINS;
}

static inline int64_t low_bin(const struct lightcurve *lc)
{
    return lc->closed_k + STRIDE_BINS - WINDOW_BINS;
}

static inline int64_t head_bin(const struct lightcurve *lc)
{
    return low_bin(lc) + lc->n_ring;
}

static inline size_t slot_of(const struct lightcurve *lc, int64_t k)
{
    return (size_t)(k - floor_div(k, lc->n_ring) * lc->n_ring);
}

/* atom n_atom: dead time. */
static inline uint32_t *row_counts(const struct lightcurve *lc, int detector, int atom)
{
    return lc->counts + ((size_t)detector * (size_t)(lc->set.bands.n_atom + 1) + (size_t)atom) * (size_t)lc->n_ring;
}

static inline struct bin_cover *row_cover(const struct lightcurve *lc, int detector)
{
    return lc->cover + (size_t)detector * (size_t)lc->n_ring;
}

static inline int64_t lateness_bins(const struct lightcurve *lc)
{
    return (lc->set.lateness_ns + BIN_NS - 1) / BIN_NS;
}

/* Bins wholly before t_ns may be closed; never takes it back. */
static inline void close_until(struct lightcurve *lc, int64_t t_ns)
{
    if (t_ns > lc->close_ns) lc->close_ns = t_ns;
}

/* Messages were lost before the data that begin at next_start_ns. */
void lightcurve_gap_mark(struct lightcurve *lc, int64_t next_start_ns);
#endif
