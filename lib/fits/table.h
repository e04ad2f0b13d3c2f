/* A binary table seen in place: columns by name, cells by row, nothing copied. */
#ifndef BURST_FITS_TABLE_H
#define BURST_FITS_TABLE_H
#include "fits/gate.h"
#include <stdbool.h>

enum { FITS_COLUMN_MAX = 64 };

/* One column. `form` is the letter of TFORM: L B I J K E D A X C M. */
struct fits_column {
    char name[FITS_NAME_TEXT]; /* TTYPE, "" where absent */
    char form;
    int64_t n_item;         /* repeat count; of X: bits */
    size_t offset, n_bytes; /* inside the row */
    double scale, zero;     /* TSCAL (1), TZERO (0) */
    int64_t zero_ns;        /* TZERO in units of 1e-9, exact from its digits; 0 unless has_zero_ns */
    bool has_zero_ns;       /* TZERO lies within +-4e9 */
    bool has_null;          /* TNULL given (integer columns) */
    int64_t null;
    size_t form_at; /* byte offset of the TFORM card */
};

struct fits_table {
    const struct fits_hdu *hdu;
    size_t n_row, row_bytes;
    int n_column;
    struct fits_column column[FITS_COLUMN_MAX];
};

/* View a table of a file that is passing or has passed the gate.
 * Errors  BURST_E_SHAPE    the HDU is no table, or the TFORMs do not add up to NAXIS1
 *         BURST_E_FORMAT   a TFORM, TZERO, TSCAL or TNULL is missing, broken or comes twice
 *         BURST_E_CONFLICT one of them comes twice with different values
 *         BURST_E_UNSUPPORTED  variable-length columns (P, Q)
 *         BURST_E_LIMIT    more than FITS_COLUMN_MAX columns; ret_table untouched on every error */
enum burst_err fits_table_view(const struct fits_hdu *hdu, struct fits_table *ret_table, struct burst_error *reterr);

/* The column of that name (case-insensitive, as the standard compares names).
 * Given     form  letter expected with one item per row, e.g. 'D'; 0 takes any form
 * Errors    BURST_E_MISSING  no such column
 *           BURST_E_FORMAT   it comes twice or has another form: "EVENTS: column TIME is 1E, 1D expected (card at byte
 *                            8640)"; *ret_column untouched */
enum burst_err fits_table_column(const struct fits_table *table, const char *name, char form,
                                 const struct fits_column **ret_column, struct burst_error *reterr);

/* The cell's bytes as they lie in the file (big-endian). row < n_row. */
static inline const uint8_t *fits_cell(const struct fits_table *table, const struct fits_column *column, size_t row)
{
    return table->hdu->data + row * table->row_bytes + column->offset;
}

/* Byte offset of a cell in the file: for messages. */
size_t fits_cell_at(const struct fits_table *table, const struct fits_column *column, size_t row);

/* Item k of a numeric cell as stored, integers exactly up to 2^53. NaN for the forms L, A, X, C, M. */
double fits_cell_stored(const struct fits_table *table, const struct fits_column *column, size_t row, int64_t k);
/* Item k of a numeric cell: stored * TSCAL + TZERO; NaN where the stored integer is TNULL. */
double fits_cell_real(const struct fits_table *table, const struct fits_column *column, size_t row, int64_t k);
/* Text of an A cell, cut at the first 0, trailing blanks gone, closed by a 0. BURST_E_LIMIT when it does not fit. */
enum burst_err fits_cell_text(const struct fits_table *table, const struct fits_column *column, size_t row,
                              char *ret_text, size_t size);
#endif
