/* A stream's log in memory: for gateways and tests. Lives as long as its process, so each one is a new stream. When its
 * bound is reached it forgets its oldest messages, of whatever topic. Refuses a message larger than its whole bound. */
#ifndef BURST_STREAM_LOG_MEMORY_H
#define BURST_STREAM_LOG_MEMORY_H
#include "stream/log.h"

/* A new log with a random UUID that keeps at most most_bytes (bodies, topics, headers and seals together).
 * Returned  *ret_log   the log's functions; log_memory_close frees it
 * Errors    BURST_E_NOMEM; *ret_log untouched */
enum burst_err log_memory_open(size_t most_bytes, struct stream_log *ret_log, struct burst_error *reterr);

/* Free everything. Accepts a log that is all zeros. */
void log_memory_close(struct stream_log *log);

/* What a consumer has acknowledged of a topic; 0 where nothing. */
uint64_t log_memory_acked(const struct stream_log *log, const char *name, const char *topic);

/* Bytes kept now. */
size_t log_memory_bytes(const struct stream_log *log);
#endif
