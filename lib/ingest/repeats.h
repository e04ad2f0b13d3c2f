/* What came before: the same body on the same topic, or the same sub-image with other bytes. Bounded memory: the oldest
 * of n entries is forgotten for the newest. */
#ifndef BURST_INGEST_REPEATS_H
#define BURST_INGEST_REPEATS_H
#include "base/err.h"
#include "records/packet.h"

struct ingest_repeats;

/* Errors  BURST_E_NOMEM, BURST_E_RANGE (n_most outside 1..2^20); *ret_r untouched */
enum burst_err ingest_repeats_new(size_t n_most, struct ingest_repeats **ret_r, struct burst_error *reterr);
void ingest_repeats_free(struct ingest_repeats *r);

#define INGEST_REPEATS_UNTOLD INT64_MAX /* where a body's data end is not known */

/* Judge a body before it is decoded, and remember it.
 * Returned  *ret_stop_ns     with BURST_E_DUPLICATE where its data end, as ingest_repeats_told has it; untouched otherwise
 * Errors    BURST_E_DUPLICATE  the same topic and SHA-256 among the last n_most bodies */
enum burst_err ingest_repeats_body(struct ingest_repeats *r, const char *topic, size_t n_topic,
                                   const uint8_t sha256[32], int64_t *ret_stop_ns, struct burst_error *reterr);
/* The body remembered last has been decoded: its data end at stop_ns, TT; INT64_MIN: it holds none. */
void ingest_repeats_told(struct ingest_repeats *r, int64_t stop_ns);

/* Forget the bodies, not the sub-images: a replay goes back in time, and what was taken from them is forgotten too. */
void ingest_repeats_forget(struct ingest_repeats *r);

/* Judge a decoded sub-image, and remember it if it is new.
 * Errors  BURST_E_DUPLICATE  same realm, BURST_ID, ALERTCNT, DSTREAM and bytes
 *         BURST_E_CONFLICT   same realm, BURST_ID, ALERTCNT and DSTREAM, other bytes: a defect or a forgery; the first
 *                            one stays remembered */
enum burst_err ingest_repeats_subimage(struct ingest_repeats *r, const struct subimage_packet *packet,
                                       struct burst_error *reterr);
#endif
