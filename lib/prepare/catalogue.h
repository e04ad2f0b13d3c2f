/* Known X-ray sources: where a trigger is an old acquaintance or the remains of one.
 * A strict reader: a file with one wrong line is refused whole, because a silently shorter list turns known sources
 * into discoveries. */
#ifndef BURST_PREPARE_CATALOGUE_H
#define BURST_PREPARE_CATALOGUE_H
#include "base/err.h"
#include "records/sample.h"

enum { CATALOGUE_MAX = 4096 };          /* sources */
enum { CATALOGUE_BYTES_MAX = 1 << 20 }; /* of the file */

struct catalogue_source {
    char name[SOURCE_NAME_TEXT];
    double ra_deg, dec_deg; /* ICRS; [0, 360), [-90, 90] */
    bool bright;            /* seen by ECLAIRs in seconds, so cleaned on board (science.md B.1) */
};

/* Read-only once loaded: any number of threads. */
struct catalogue {
    size_t n_source;
    struct catalogue_source *source; /* in file order */
};

/* Is this a source that a catalogue may hold?
 *
 * Given     s  name: 1 to 31 characters, the first a letter or digit, then letters, digits, single spaces and any of
 *              "+-./_()[]*:"; not "Moon" or "Sun", which are no catalogued sources; ra_deg [0, 360), dec_deg [-90, 90]
 * Errors    BURST_E_FORMAT  the name: what else a name might hold means something in HTML, SQL, CSV or a terminal
 *           BURST_E_RANGE   the position, also where it is no number */
enum burst_err catalogue_check(const struct catalogue_source *s, struct burst_error *reterr);
/* Angle between two sources, degrees. */
double catalogue_separation_deg(const struct catalogue_source *a, const struct catalogue_source *b);

/* Read a catalogue from text.
 *
 * Given     text [n]  UTF-8 CSV; `#` lines and empty lines are skipped; the first other line is exactly
 *                     `name,ra_deg,dec_deg,bright`; then one source a line as catalogue_check wants it,
 *                     degrees as decimal numbers, bright 0 or 1
 *           where     name for error sentences, usually the path
 * Returned  *ret_c    freed by catalogue_fini
 * Errors    BURST_E_FORMAT     header, columns or a number are not as above; the line is named
 *           BURST_E_RANGE      a position outside the sphere
 *           BURST_E_DUPLICATE  a name, or a position within 0.001 degree, seen on an earlier line
 *           BURST_E_MISSING    no source at all
 *           BURST_E_LIMIT      more than CATALOGUE_MAX sources or CATALOGUE_BYTES_MAX bytes
 *           BURST_E_NOMEM      *ret_c is untouched on every error */
enum burst_err catalogue_parse(const char *text, size_t n, const char *where, struct catalogue *ret_c,
                               struct burst_error *reterr);

/* The same from a file. Also BURST_E_IO. */
enum burst_err catalogue_load(const char *path, struct catalogue *ret_c, struct burst_error *reterr);

/* Accepts a catalogue that is all zeros. */
void catalogue_fini(struct catalogue *c);
#endif
