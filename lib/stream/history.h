/* Inside lib/stream: the history ROUTER. Each request becomes a job; jobs of one client are answered in order, those of
 * several side by side, and only as fast as each client takes them: a stuck client costs its queue, nothing else.
 * Refuses requests that are not in protocol.md 2 with ERROR, code, text. */
#ifndef BURST_STREAM_HISTORY_H
#define BURST_STREAM_HISTORY_H
#include "stream/context.h"
#include "stream/log.h"
#include "stream/publisher.h"
#include <stdbool.h>

struct history;

enum burst_err history_open(struct stream_context *c, const struct publisher_settings *settings, struct history **ret_h,
                            struct burst_error *reterr);
void history_close(struct history *h);
/* Take the requests that wait and send what can be sent now, without waiting. *ret_did: something was done. The error of a
 * log or socket is told to the asker where possible, returned once, and the rest goes on. */
enum burst_err history_serve(struct history *h, bool *ret_did, struct burst_error *reterr);
/* Jobs not yet finished. */
size_t history_pending(const struct history *h);
void *history_socket(const struct history *h);
/* Adds what history counts. */
void history_counts(const struct history *h, struct publisher_counts *counts);
#endif
