/* What operators added to the known sources while burstd runs, on top of the catalogue file, which is never changed. Pure
 * arithmetic: who keeps it, and who may change it, is the daemon's business. */
#ifndef BURST_PREPARE_OVERLAY_H
#define BURST_PREPARE_OVERLAY_H
#include "prepare/catalogue.h"

enum { OVERLAY_MAX = 512, OVERLAY_TEXT = OVERLAY_MAX * 64 };

/* Plain data; all zeros is an overlay without sources. In the order of strcmp of their names, so that the same sources are the
 * same text whatever the order in which they came. A source with the name of one in the file stands for it. */
struct overlay {
    size_t n_source;
    struct catalogue_source source[OVERLAY_MAX];
};

/* Add a source, or with `force` give a known one another place.
 *
 * Given     base    the catalogue of the file
 *           s       as catalogue_check wants it; its position is rounded to 0.00001 degrees
 *           force   take it although there is one of that name (in any case of letters), which it then stands for, or one
 *                   within 0.05 degrees
 * Errors    those of catalogue_check
 *           BURST_E_DUPLICATE  there is one of that name or nearby, named in the sentence; also with force where one of
 *                              another name lies within 0.001 degrees: that is the same source
 *           BURST_E_LIMIT      OVERLAY_MAX added, or CATALOGUE_MAX in all; *o is untouched on every error */
enum burst_err overlay_add(struct overlay *o, const struct catalogue *base, const struct catalogue_source *s,
                           bool force, struct burst_error *reterr);

/* Take back what was added; a source of the file that it stood for is in force again.
 * Errors    BURST_E_UNSUPPORTED  the source is the file's; BURST_E_MISSING  there is none of that name; *o untouched */
enum burst_err overlay_remove(struct overlay *o, const struct catalogue *base, const char *name,
                              struct burst_error *reterr);

/* Both together: the file's sources in their order, those that were given another place in theirs, then the added ones.
 * Returned  *ret_c  freed by catalogue_fini
 * Errors    BURST_E_LIMIT, BURST_E_NOMEM; *ret_c untouched */
enum burst_err overlay_merge(const struct overlay *o, const struct catalogue *base, struct catalogue *ret_c,
                             struct burst_error *reterr);

/* A catalogue file's text: what is kept, and what stands for the overlay in a digest. Returns its length. */
size_t overlay_text(const struct overlay *o, char ret_text[OVERLAY_TEXT]);
/* What overlay_text wrote.
 * Errors    those of catalogue_parse, but an overlay may be empty; BURST_E_LIMIT  more than OVERLAY_MAX; *ret_o untouched */
enum burst_err overlay_parse(const char *text, size_t n, const char *where, struct overlay *ret_o,
                             struct burst_error *reterr);
#endif
