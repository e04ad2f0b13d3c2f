/* Batches of light curves as training holds them: arrays of Python's, lent for one call. Nothing here is kept. */
#ifndef BURST_TRAIN_CURVES_H
#define BURST_TRAIN_CURVES_H
#include "base/err.h"
#include <stddef.h>
#include <stdint.h>

enum { CURVES_BINS_MOST = 4096, CURVES_THREADS_MOST = 64 };

/* n light curves of n_atom disjoint energy intervals. Row-major, without gaps between rows. */
struct curves {
    const uint16_t *atoms; /* [n][n_atom][n_bin] counts per bin */
    const uint8_t *valid;  /* [n][n_bin] 1 where the bin is data, 0 where it is missing; NULL: all are data */
    const float *
        background; /* [n][n_atom][n_bin] counts expected without the burst, finite, >= 0; NULL where none is asked for */
    size_t n, n_atom, n_bin; /* n_atom 1..ATOM_MAX, n_bin 1..CURVES_BINS_MOST */
    int32_t n_thread;        /* 1..CURVES_THREADS_MOST; results do not depend on it */
};

/* Refuse a batch that cannot be read.
 * Errors    BURST_E_SHAPE    a size out of range, or more values than memory can hold
 *           BURST_E_MISSING  atoms is NULL while n > 0 */
enum burst_err curves_check(const struct curves *c, struct burst_error *reterr);
/* The same for functions that need `background`.
 * Errors    those above; BURST_E_MISSING  background is NULL; BURST_E_RANGE  it holds a number that is negative, not finite or
 *           over 1e8: which row */
enum burst_err curves_check_background(const struct curves *c, struct burst_error *reterr);

/* Do rows [from, to) as part number `part`: BURST_OK, or a refusal. */
typedef enum burst_err curves_part(void *what, int part, size_t from, size_t to, struct burst_error *reterr);
/* Rows 0..n-1 in n_thread parts, each in a thread of its own; part 0 runs in the caller's.
 *
 * Given     n_thread  1..CURVES_THREADS_MOST
 * Errors    what the lowest refused part returned; BURST_E_NOMEM where no thread can be made. Other parts may have written */
enum burst_err curves_each(size_t n, int n_thread, curves_part *part, void *what, struct burst_error *reterr);
#endif
