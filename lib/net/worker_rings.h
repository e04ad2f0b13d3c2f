/* worker_rings: what the worker's rings of counts hold, so that only what differs must travel. One ring for each detector:
 * RING_BINS places, bin k at place k mod RING_BINS. A place that nobody has written since worker_rings_forget differs from
 * everything. Compares numbers, never times: data that come late, a stream that jumps or begins anew need no rules. */
#ifndef BURST_NET_WORKER_RINGS_H
#define BURST_NET_WORKER_RINGS_H
#include "net/worker.h"

struct worker_rings;

/* Rings for n_atom atoms (1..WORKER_ATOMS_MOST), all unknown. BURST_E_NOMEM; *ret untouched. */
enum burst_err worker_rings_new(int n_atom, struct worker_rings **ret, struct burst_error *reterr);
/* NULL is accepted. */
void worker_rings_free(struct worker_rings *r);
/* Nothing is known of any ring. */
void worker_rings_forget(struct worker_rings *r);

/* Begin a window: rings used from here on are not taken from one another before the next one begins. */
void worker_rings_begin(struct worker_rings *r);
/* The ring of a key; where it has none, the one not asked for longest, with nothing known of it. At most WORKER_RINGS different
 * keys between two worker_rings_begin. */
int worker_rings_of_key(struct worker_rings *r, uint64_t key);

/* Bins of a row that its ring does not hold: from *ret_from on *ret_n bins, the first and the last of which differ; 0: none.
 * Given     k_first  number of the row's first bin
 *           counts [n_atom][WORKER_WINDOW_BINS], valid [WORKER_WINDOW_BINS] */
void worker_rings_differ(const struct worker_rings *r, int ring, int64_t k_first, const uint32_t *counts,
                         const uint8_t *valid, int *ret_from, int *ret_n);

/* Copy n bins of a row from bin `from` on to where they travel, and remember that the ring holds them.
 * Returned  ret_counts [n_atom][n], ret_valid [n] */
void worker_rings_send(struct worker_rings *r, int ring, int64_t k_first, const uint32_t *counts, const uint8_t *valid,
                       int from, int n, uint32_t *ret_counts, uint8_t *ret_valid);
#endif
