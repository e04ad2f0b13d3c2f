/* Whose file is this? For programs that are given files instead of topics. */
#ifndef BURST_INGEST_IDENTIFY_H
#define BURST_INGEST_IDENTIFY_H
#include "records/packet.h"

/* Mission and instrument of a FITS file, from TELESCOP and INSTRUME of its primary header.
 *
 * Given     body [n]     lent for the call
 *           realm        put into the answer: a file does not say
 * Errors    those of fits_gate; BURST_E_MISSING, BURST_E_FORMAT  the two keywords are absent or no text
 *           BURST_E_UNSUPPORTED  an instrument burstd does not take; both are quoted. ret_source untouched */
enum burst_err ingest_identify(const uint8_t *body, size_t n, enum burst_realm realm, struct source *ret_source,
                               struct burst_error *reterr);
#endif
