/* The bytes of one piece: headers copied with a few cards changed, rows copied, sums made right. */
#ifndef BURST_REPLAY_PIECE_H
#define BURST_REPLAY_PIECE_H
#include "fits/table.h"
#include <stdbool.h>

/* A buffer that only grows. */
struct piece {
    uint8_t *bytes;
    size_t n, room;
};

void piece_free(struct piece *p);

/* Begin an HDU with the header of `hdu`. n_row < 0: not a table whose rows are chosen; else NAXIS2 becomes n_row. Where the
 * header has TSTART and TSTOP they become the two moments (mission elapsed time, ns). BURST_E_NOMEM. */
enum burst_err piece_begin(struct piece *p, const struct fits_hdu *hdu, int64_t n_row, int64_t start_ns,
                           int64_t stop_ns, struct burst_error *reterr);
/* Add data bytes to the HDU begun last. BURST_E_NOMEM. */
enum burst_err piece_add(struct piece *p, const uint8_t *bytes, size_t n, struct burst_error *reterr);
/* Fill the HDU that began at `at` up to its block and make DATASUM and CHECKSUM right where the header has them.
 * BURST_E_NOMEM. */
enum burst_err piece_end(struct piece *p, size_t at, size_t header_bytes, struct burst_error *reterr);
#endif
