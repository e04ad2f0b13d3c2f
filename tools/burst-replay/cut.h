/* Cut an event file into pieces of its own time, each a FITS file with all that a chunk needs: the source's rows byte for
 * byte, its headers with the few cards changed that would otherwise be wrong, energy bounds, good time clipped. A sub-image
 * is one piece. Refuses files the gate refuses, files of no instrument burstd takes, times that are none. */
#ifndef BURST_REPLAY_CUT_H
#define BURST_REPLAY_CUT_H
#include "records/packet.h"
#include <stdint.h>

struct cut;

/* Read a file and find its pieces: piece k is [k, k+1) x chunk_ns of mission elapsed time, so that files of one instrument
 * are cut at the same moments. Pieces without good time are left out.
 * Errors    BURST_E_IO  cannot be read; those of fits_gate and ingest_identify
 *           BURST_E_MISSING, BURST_E_FORMAT  EVENTS or GTI, their columns or the sub-image's DATE-END
 *           BURST_E_TIME   a time that is not finite or outside +-4e9 s; good time unordered
 *           BURST_E_LIMIT  more than ten million pieces; BURST_E_NOMEM. *ret_cut untouched */
enum burst_err cut_open(const char *path, enum burst_realm realm, int64_t chunk_ns, struct cut **ret_cut,
                        struct burst_error *reterr);
/* NULL is accepted. */
void cut_close(struct cut *c);

struct source cut_source(const struct cut *c);
/* Pieces in all. */
size_t cut_count(const struct cut *c);
/* Rows outside all good time: they are in no piece. */
size_t cut_outside(const struct cut *c);
/* TT: the time the file covers. */
struct time_span cut_span(const struct cut *c);

/* TT: what the next piece covers. false where none is left. */
bool cut_next(const struct cut *c, struct time_span *ret_span);
/* Make the next piece and go on to the one after it. Only after cut_next said there is one.
 * Returned  *ret_bytes [*ret_n]  lent until the next call
 *           *ret_event           rows of events in it
 * Errors    BURST_E_NOMEM; the piece stays the next one */
enum burst_err cut_take(struct cut *c, const uint8_t **ret_bytes, size_t *ret_n, size_t *ret_event,
                        struct burst_error *reterr);
#endif
