/* The numbered log behind a stream, as the publisher sees it. lib/publish implements it over SQLite, log_memory.c in memory.
 * A log belongs to one thread, the publisher's. Source: protocol.md 1, 2. */
#ifndef BURST_STREAM_LOG_H
#define BURST_STREAM_LOG_H
#include "stream/frame.h"

/* Called for each item read; the item and what it points to are lent for the call. Anything but BURST_OK stops the
 * reading, which then returns BURST_OK itself (the visitor has had enough). */
typedef enum burst_err stream_visit(void *arg, const struct stream_item *item);

struct stream_log {
    void *ctx;                   /* given to every function below */
    uint8_t stream[STREAM_UUID]; /* identity of this log: a new, restored or truncated log has a new one */

    /* Newest number and chain value of a topic; 0 and 32 zero bytes where the topic is new. BURST_E_IO. */
    enum burst_err (*head)(void *ctx, const char *topic, uint64_t *ret_seq, uint8_t ret_h[STREAM_CHAIN],
                           struct burst_error *reterr);

    /* Add the item after the topic's newest; durable when it returns. item->seal is set.
     * BURST_E_CONFLICT  item->seq is not the newest plus 1
     * BURST_E_IO, BURST_E_FULL, BURST_E_NOMEM  not stored, the number stays free */
    enum burst_err (*append)(void *ctx, const struct stream_item *item, struct burst_error *reterr);

    /* Visit at most `most` items of a topic from number `from` (>= 1) on, in order. *ret_next: the number after the last one
     * visited, `from` where there was none (unknown topic, or `from` beyond the newest).
     * BURST_E_GONE  `from` is older than the oldest kept; nothing visited
     * BURST_E_IO */
    enum burst_err (*read)(void *ctx, const char *topic, uint64_t from, uint32_t most, stream_visit *visit, void *arg,
                           uint64_t *ret_next, struct burst_error *reterr);

    /* Oldest number kept of a topic; newest + 1 where all has been dropped, 1 for an unknown topic. BURST_E_IO. */
    enum burst_err (*earliest)(void *ctx, const char *topic, uint64_t *ret_seq, struct burst_error *reterr);

    /* Visit the newest item of every topic that starts with `prefix`, in rising topic order. BURST_E_IO. */
    enum burst_err (*last)(void *ctx, const char *prefix, stream_visit *visit, void *arg, struct burst_error *reterr);

    /* Visit the newest revision of every event under `prefix` that was not closed before since_ns (UTC ns). NULL where the
     * log knows no events: OPEN then answers with none. BURST_E_IO. */
    enum burst_err (*open_events)(void *ctx, const char *prefix, int64_t since_ns, stream_visit *visit, void *arg,
                                  struct burst_error *reterr);

    /* Consumer `name` has durably handled all of `topic` up to seq, whose chain value it holds as h. The mark only rises.
     * BURST_E_CONFLICT  the log has another h under that number, or has never reached it: a fork
     * BURST_E_IO
     * A number no longer kept cannot be compared and is accepted. */
    enum burst_err (*ack)(void *ctx, const char *name, const char *topic, uint64_t seq, const uint8_t h[STREAM_CHAIN],
                          struct burst_error *reterr);
};
#endif
