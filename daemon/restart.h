/* Where to go on after a restart: per input topic the last message of each gateway that need not be read again, and the state
 * of the event logic at that point. Kept in the store as small blobs; the same input read from there gives the same windows,
 * events and revisions, and the store recognises those it has told. */
#ifndef BURST_DAEMON_RESTART_H
#define BURST_DAEMON_RESTART_H
#include "config/config.h"
#include "decide/tracker.h"
#include "stream/frame.h"

enum { RESTART_FROM_MAX = CONFIG_INPUT_MAX };

/* All of the topic in this stream up to seq is not needed any more. */
struct restart_from {
    uint8_t stream[STREAM_UUID];
    uint64_t seq;
};

struct restart_point {
    char topic[STREAM_TOPIC_TEXT]; /* "" : no point */
    int n_from;
    struct restart_from from[RESTART_FROM_MAX]; /* one per gateway that carries the topic */
    int64_t score_from_k; /* windows ending at or before this bin have been judged; INT64_MIN for images */
    struct tracker_state tracker;
};

enum { RESTART_BLOB = 1024, RESTART_KEY_TEXT = STREAM_TOPIC_TEXT };

/* Key in the store: the topic. */
const char *restart_key(const struct restart_point *point);
/* Returned  bytes of the blob, at most RESTART_BLOB */
size_t restart_encode(const struct restart_point *point, uint8_t ret_blob[RESTART_BLOB]);
/* BURST_E_FORMAT  another length or version, or a count out of range: start from the history's beginning then; outputs
 *                 untouched */
enum burst_err restart_decode(const char *topic, const uint8_t *blob, size_t n, struct restart_point *ret_point,
                              struct burst_error *reterr);

enum { COVER_MAX = 4096 };
#define COVER_OPEN INT64_MAX /* an end that is not known yet: needed whatever the time */

/* Which messages of one topic hold data after which time: the oldest message that the rings still need. */
struct cover {
    uint8_t stream[STREAM_UUID];
    uint64_t newest; /* number of the last message added; 0: none */
    int n;
    struct {
        uint64_t seq;
        int64_t stop_ns;
    } entry[COVER_MAX]; /* rising seq */
};

/* A message was taken, with data up to stop_ns (INT64_MIN: none). A new stream forgets the old one, and so does a stream that
 * goes back to a number with data. When full, neighbours are joined: the point then lies earlier than needed, never later. */
void cover_add(struct cover *c, const uint8_t stream[STREAM_UUID], uint64_t seq, int64_t stop_ns);
/* What was added with COVER_OPEN ends there. */
void cover_close(struct cover *c, int64_t stop_ns);
/* The last message such that it and all before it hold no data after t_ns; older entries are forgotten. 0: all are needed. */
uint64_t cover_done_before(struct cover *c, int64_t t_ns);
#endif
