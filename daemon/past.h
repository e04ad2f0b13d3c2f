/* Events that have left the book: asked for by name in the store, where each is kept for a year with its last record (kept.h), and
 * the newest here, for their last record may still be on its way there. The work thread's alone. */
#ifndef BURST_DAEMON_PAST_H
#define BURST_DAEMON_PAST_H
#include "decide/book.h"

struct past;

/* Behind the books of all realms from now on, until past_close.
 * Given   database   path of the store's file, which is there
 *         n_on_way   records that can be on their way to the store at once
 *         book       [REALM_N]
 * Errors  of store_reader_open; BURST_E_NOMEM */
enum burst_err past_open(const char *database, int n_on_way, struct book *book, struct past **ret_past,
                         struct burst_error *reterr);
/* NULL is accepted. */
void past_close(struct past *past);
#endif
