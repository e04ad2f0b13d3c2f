/* A bounded queue that hands a pointer from one thread to another. Putting gives the pointer away; *full* is an answer.
 */
#ifndef BURST_BASE_QUEUE_H
#define BURST_BASE_QUEUE_H
#include "base/err.h"
#include <stddef.h>

struct queue;

/* Errors    BURST_E_NOMEM; *ret_q untouched */
enum burst_err queue_new(size_t capacity, struct queue **ret_q, struct burst_error *reterr);
/* Items still inside are the caller's to drain first. NULL is accepted. */
void queue_free(struct queue *q);
/* Errors    BURST_E_FULL after timeout_ms, BURST_E_STATE once closed; the item then stays the caller's.
 * Notes     Any thread. timeout_ms 0 does not wait. */
enum burst_err queue_put(struct queue *q, void *item, int timeout_ms);
/* Errors    BURST_E_TIMEOUT; BURST_E_STATE when closed and empty; *ret_item untouched. */
enum burst_err queue_take(struct queue *q, void **ret_item, int timeout_ms);
/* No more puts; takers drain what is left. Any thread, any number of times. */
void queue_close(struct queue *q);
/* Items inside now: a figure for metrics. */
size_t queue_depth(struct queue *q);
#endif
