/* Keywords of one header that passed the gate: each getter gives one value of the type asked for, or one sentence with
 * HDU, keyword, what stands there and its byte offset. A keyword that comes twice is refused by whoever asks for it. */
#ifndef BURST_FITS_CARD_H
#define BURST_FITS_CARD_H
#include "fits/gate.h"
#include <stdbool.h>

enum { FITS_TEXT_MAX = 69 }; /* longest string value of a card, with the closing 0 */

/* True if the keyword stands in the header. */
bool fits_key_has(const struct fits_hdu *hdu, const char *key);

/* Common to the getters below.
 * Errors  BURST_E_MISSING  no such keyword, or it has no value
 *         BURST_E_FORMAT   the value is of another type, or the keyword comes twice
 *         BURST_E_CONFLICT it comes twice with different values
 *         BURST_E_RANGE    the value lies outside [least, most], or outside its type
 *         outputs untouched */

/* A string; '' becomes ', trailing blanks go. BURST_E_LIMIT when it does not fit `size` with its closing 0. */
enum burst_err fits_key_text(const struct fits_hdu *hdu, const char *key, char *ret_text, size_t size,
                             struct burst_error *reterr);
/* An integer, written without point or exponent. */
enum burst_err fits_key_int(const struct fits_hdu *hdu, const char *key, int64_t least, int64_t most,
                            int64_t *ret_value, struct burst_error *reterr);
/* An integer or a real (exponent E or D); finite. */
enum burst_err fits_key_real(const struct fits_hdu *hdu, const char *key, double least, double most, double *ret_value,
                             struct burst_error *reterr);
/* T or F. */
enum burst_err fits_key_logical(const struct fits_hdu *hdu, const char *key, bool *ret_value,
                                struct burst_error *reterr);
/* A time in seconds as nanoseconds, taken digit by digit: 332916465.760476 is 332916465760476000 exactly, which the
 * nearest double is not. Rounded to nearest beyond 9 decimals. BURST_E_RANGE from 4e9 s on. */
enum burst_err fits_key_ns(const struct fits_hdu *hdu, const char *key, int64_t *ret_ns, struct burst_error *reterr);
/* The value must be this text, else BURST_E_FORMAT with both in the sentence. */
enum burst_err fits_key_expect(const struct fits_hdu *hdu, const char *key, const char *want,
                               struct burst_error *reterr);

/* Byte offset of the keyword's card in the file, of the header's first card where it is absent: for messages. */
size_t fits_key_at(const struct fits_hdu *hdu, const char *key);

/* A view of one card's parts, for whoever walks a header (the gate, the table view, dumps). */
enum fits_value_type {
    FITS_VALUE_NONE, /* a value card without value */
    FITS_VALUE_COMMENT,
    FITS_VALUE_TEXT,
    FITS_VALUE_LOGICAL,
    FITS_VALUE_INT,
    FITS_VALUE_REAL,
};
struct fits_card {
    char key[9];
    enum fits_value_type type;
    const char *value; /* first character inside the quotes, or of the number; not closed by a 0 */
    size_t n_value;    /* characters; quotes still doubled */
};

/* Take one card apart. BURST_E_FORMAT or BURST_E_UNSUPPORTED with `at` (its byte offset) in the sentence. */
enum burst_err fits_card_parse(const uint8_t card[FITS_CARD], const char *hdu_name, size_t at,
                               struct fits_card *ret_card, struct burst_error *reterr);
/* Value of a TEXT card: quotes undoubled, trailing blanks cut, closed by a 0. */
void fits_card_text(const struct fits_card *card, char ret_text[FITS_TEXT_MAX]);
/* Value of an INT card. BURST_E_RANGE past int64. */
enum burst_err fits_card_int(const struct fits_card *card, int64_t *ret_value);
/* Value of an INT or REAL card. BURST_E_RANGE when it is not finite. */
enum burst_err fits_card_real(const struct fits_card *card, double *ret_value);
/* Value of an INT or REAL card in units of 1e-9, rounded to nearest. BURST_E_RANGE from 4e9 on. */
enum burst_err fits_card_ns(const struct fits_card *card, int64_t *ret_ns);
#endif
