/* The strict gate in front of every FITS file from outside: it defines a grammar, not a list of bad things, and what it
 * lets through holds no second meaning for another reader (architecture.md 7).
 *
 * A file is one or more HDUs, each a header of 2,880-byte blocks of 80-byte cards and a data unit:
 *   card     bytes 0x20..0x7e; keyword [A-Z0-9_-]{1,8}, left-justified; "= " in columns 9-10 and one value, or
 *            COMMENT, HISTORY or a blank keyword with free text. END alone, then blanks to the end of the block.
 *   value    'text' (quotes doubled), T, F, an integer, a real, or nothing; then blanks and "/ comment" or the end
 *   HDU      SIMPLE=T or XTENSION='IMAGE'|'BINTABLE' first, then BITPIX, NAXIS, NAXISn, PCOUNT=0, GCOUNT=1, TFIELDS
 *   data     exactly the declared size, zero bytes to the end of the block; nothing after the last HDU
 * It refuses compressed files and images, random groups, ASCII tables, heaps, CONTINUE and HIERARCH cards, and any
 * keyword of structure that comes twice. It reads nothing but the bytes it is given and allocates nothing. */
#ifndef BURST_FITS_GATE_H
#define BURST_FITS_GATE_H
#include "base/err.h"
#include <stddef.h>
#include <stdint.h>

enum {
    FITS_BLOCK = 2880,
    FITS_CARD = 80,
    FITS_HDU_MAX = 64,    /* GECAM-A/B: 25 detectors + 3; a file with more is no mission product */
    FITS_CARD_MAX = 4096, /* cards of one header; the fullest real one seen has 1,009 */
    FITS_AXIS_MAX = 4,
    FITS_NAME_TEXT = 32,
};

enum fits_kind { FITS_PRIMARY, FITS_IMAGE, FITS_TABLE };

/* One HDU. Pointers lead into the caller's bytes. */
struct fits_hdu {
    enum fits_kind kind;
    char name
        [FITS_NAME_TEXT]; /* EXTNAME without trailing blanks, "PRIMARY", else "HDU n" (n from 0): for messages too */
    const uint8_t *cards; /* [n_card][80], END not counted */
    size_t n_card;
    size_t header_at, data_at; /* byte offsets in the file */
    const uint8_t *data;       /* [n_data], padding not counted */
    size_t n_data;
    int bitpix, n_axis;
    int64_t axis[FITS_AXIS_MAX]; /* NAXISn; of a table: bytes per row, rows */
    int n_column;                /* TFIELDS of a table */
};

struct fits_file {
    int n_hdu;
    struct fits_hdu hdu[FITS_HDU_MAX];
};

/* Check a whole file against the grammar.
 *
 * Given     bytes [n]  lent; must outlive ret_file's use
 * Returned  ret_file   every HDU in file order; every table's TFORMs add up to its NAXIS1
 * Errors    BURST_E_TRUNCATED    the bytes end inside a header or a declared data unit
 *           BURST_E_FORMAT       the grammar is broken; the text names HDU, keyword and byte offset
 *           BURST_E_UNSUPPORTED  legal FITS that burstd does not take (gzip, compressed image, heap, groups, ASCII table)
 *           BURST_E_LIMIT        more HDUs, cards, axes or columns than the limits above
 *           ret_file is untouched on every error
 * Source    FITS Standard 4.0, sections 3, 4, 7 */
enum burst_err fits_gate(const uint8_t *bytes, size_t n, struct fits_file *ret_file, struct burst_error *reterr);

/* The HDU with that EXTNAME (case-sensitive; the first of them), or NULL. "PRIMARY" is the first HDU. */
const struct fits_hdu *fits_hdu_named(const struct fits_file *file, const char *name);
#endif
