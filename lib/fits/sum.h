/* The checksums of a file that carries them: bytes changed on the way are noticed, whatever they now say. The gate does
 * not ask for this, because archives hold files cut by hand whose sums are stale; whoever reads a message does. */
#ifndef BURST_FITS_SUM_H
#define BURST_FITS_SUM_H
#include "fits/gate.h"

/* 32-bit ones' complement sum of big-endian words; n a multiple of 4, below 16 GiB; `sum` is the sum so far. */
uint32_t fits_sum(const uint8_t *bytes, size_t n, uint32_t sum);

/* Compare DATASUM and CHECKSUM, where present, with the bytes of every HDU of a file that passed the gate.
 * Errors  BURST_E_CONFLICT  a sum differs: bytes were changed on the way (the text says which HDU and both values)
 *         BURST_E_FORMAT    a sum is not written as the standard says
 * Source  FITS Standard 4.0, 4.4.2.7 and appendix J */
enum burst_err fits_sums_check(const struct fits_file *file, struct burst_error *reterr);
#endif
