/* Inside lib/stream: the heartbeat's JSON, made and read. Refuses more than 64 topics or 64 KiB. Source: protocol.md 1. */
#ifndef BURST_STREAM_HEARTBEAT_H
#define BURST_STREAM_HEARTBEAT_H
#include "stream/frame.h"
#include "stream/subscriber.h"
#include <jansson.h>

enum { STREAM_TOPIC_MOST = 64, HEARTBEAT_MOST = 64 << 10, HEARTBEAT_EXTRA_MOST = 48 << 10 };

/* The newest number of a topic and its chain value. */
struct topic_head {
    char topic[STREAM_TOPIC_TEXT];
    uint64_t seq;
    uint8_t h[STREAM_CHAIN];
};

struct heartbeat {
    uint8_t stream[STREAM_UUID];
    size_t n_last, n_data_time;
    struct {
        char topic[STREAM_TOPIC_TEXT];
        uint64_t seq;
    } last[STREAM_TOPIC_MOST];
    struct stream_data_time data_time[STREAM_TOPIC_MOST];
};

/* Members a caller wants in its heartbeats. *ret_extra is json_decref'd by the caller. Errors as publisher_set_status. */
enum burst_err heartbeat_extra(const char *json, json_t **ret_extra, struct burst_error *reterr);

/* The body, now. extra may be NULL. *ret_text is freed by the caller. BURST_E_NOMEM. */
enum burst_err heartbeat_make(const uint8_t stream[STREAM_UUID], const struct topic_head *heads, size_t n_head,
                              json_t *extra, char **ret_text, struct burst_error *reterr);

/* Read one. BURST_E_LIMIT over 64 KiB or 64 topics; BURST_E_FORMAT or BURST_E_MISSING with the member's name; BURST_E_TIME
 * for a data_time. ret_beat is only whole on success. */
enum burst_err heartbeat_parse(const uint8_t *body, size_t n, struct heartbeat *ret_beat, struct burst_error *reterr);
#endif
