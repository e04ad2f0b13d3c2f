/* Rings of counts that stay on the device, the job that changes them, and windows cut out of them: the plain C truth, and what
 * client, worker and kernels agree on.
 *
 * A ring is the last RING_BINS bins of one detector, bin k at place k mod RING_BINS. A place says nothing of which bin it holds:
 * whoever sends jobs knows, and sends every place that differs from what it wants to be there. A new ring, and one that is
 * cleared, holds no valid bin; bins that are not valid count nowhere. */
#ifndef BURST_KERNELS_RING_H
#define BURST_KERNELS_RING_H
#include "base/err.h"
#include "kernels/layout.h"
#include "kernels/standardise.h"

enum { RING_BINS = 2048, RING_UPDATE_MOST = 64, RING_WINDOW_MOST = 256, RING_ATOM_MOST = 8, RING_BAND_MOST = 16 };

struct rings {
    uint32_t *counts; /* [n_ring][n_atom][RING_BINS]; 16 divides the address */
    uint8_t *valid;   /* [n_ring][RING_BINS] 1 data, 0 missing; 16 divides the address */
    int32_t n_ring, n_atom;
};

/* New content of bins [from, from + n_new) of one ring. */
struct ring_update {
    int64_t from;
    int32_t ring;
    int32_t n_new;      /* 0..RING_BINS */
    uint32_t counts_at; /* first number of [n_atom][n_new] among the job's counts */
    uint32_t valid_at;  /* first byte of [n_new] among the job's valid */
    int32_t clear;      /* not 0: first make every bin of the ring not valid */
    int32_t unused;
};

/* Bins [k_first, k_first + n_bin) of one ring, to be sample i of the network's input. */
struct ring_window {
    int64_t k_first;
    int32_t ring;
    int32_t unused;
};

/* One job: all updates first (each ring at most once), then all windows. Numbers of fixed size: it crosses processes. */
struct ring_job {
    int32_t n_update, n_window;
    struct ring_update update[RING_UPDATE_MOST];
    struct ring_window window[RING_WINDOW_MOST];
};

/* What is made of a window. */
struct ring_view {
    int32_t n_bin;                                       /* 1..RING_BINS */
    int32_t n_band;                                      /* 1..RING_BAND_MOST, and 1..n_padded */
    uint8_t first[RING_BAND_MOST], last[RING_BAND_MOST]; /* band b is the sum of atoms [first, last) */
    int32_t n_padded;                                    /* channels of the output: n_band and zeros */
    bool bf16;                                           /* else float */
};

/* What a job may touch. */
struct ring_limits {
    int32_t n_ring, n_atom, n_update, n_window; /* the last two: most of one job */
    uint32_t n_counts, n_valid;                 /* room for a job's counts (numbers) and valid (bytes) */
};

STANDARDISE_BOTH bool ring_update_fits(const struct ring_update *u, const struct ring_limits *l)
{
    return u->ring >= 0 && u->ring < l->n_ring && u->n_new >= 0 && u->n_new <= RING_BINS &&
           (uint64_t)u->counts_at + (uint64_t)u->n_new * (uint64_t)l->n_atom <= l->n_counts &&
           (uint64_t)u->valid_at + (uint64_t)u->n_new <= l->n_valid;
}

/* Where bin k + step lies; k may be any number that another process sent. */
STANDARDISE_BOTH int32_t ring_place(int64_t k, int32_t step)
{
    return (int32_t)(((uint64_t)k + (uint64_t)step) & (uint64_t)(RING_BINS - 1));
}

/* Check a job that came from outside.
 * Errors  BURST_E_RANGE  a number outside the limits, or two updates of one ring: which, and what it is */
enum burst_err ring_job_check(const struct ring_job *job, const struct ring_limits *limits, struct burst_error *reterr);

/* Do one update.
 * Given  u fits the rings; counts, valid  the job's, from their start */
void ring_update_one(const struct rings *rings, const struct ring_update *u, const uint32_t *counts,
                     const uint8_t *valid);

/* Standardise one window.
 * Given     w       its ring exists; k_first may be any number
 * Returned  ret     [n_bin][n_padded] float or bfloat16: what standardise_bands gives, missing bins and padding 0
 * Notes     Rounded to bfloat16 last, to the nearest, ties to even. */
void ring_window_one(const struct rings *rings, const struct ring_window *w, const struct ring_view *view, void *ret);
#endif
