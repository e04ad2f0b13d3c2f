/* Publisher: one stream out. Numbers, seals and logs each message, then tells it on the live PUB socket; answers the history
 * ROUTER (HELLO, REPLAY, LAST, OPEN, ACK); sends the heartbeat. Refuses to tell what the log has not taken, and to bind
 * where anybody could listen. One thread. Source: protocol.md 1, 2, 8; reliability.md 2.2. */
#ifndef BURST_STREAM_PUBLISHER_H
#define BURST_STREAM_PUBLISHER_H
#include "stream/context.h"
#include "stream/log.h"

struct publisher;

/* All that can be chosen; publisher_defaults fills the rest. */
struct publisher_settings {
    const char *live, *history;   /* endpoints to bind; tcp://127.0.0.1:* takes a free port */
    const struct stream_log *log; /* lent until publisher_close */
    const uint8_t *secret;        /* SEAL_SECRET bytes, copied; NULL: unsigned */
    int hwm;                      /* messages queued per subscriber, 1..100000; 256 */
    int wait_ms;      /* how long a send waits for the slowest subscriber before the message is dropped for that
                                     one alone (it then repairs the gap from history): 0 for a daemon, more for a replay */
    int heartbeat_ms; /* 1000 */
    int linger_ms;    /* 2000: how long stream_context_close waits for what is still queued */
};

struct publisher_counts {
    uint64_t sent, heartbeats, requests, refused_requests, items_replayed, waits, forks;
};

void publisher_defaults(struct publisher_settings *ret_settings);

/* Bind both sockets; take the numbers of all topics from the log.
 * Errors    BURST_E_AUTH, BURST_E_UNSUPPORTED, BURST_E_FORMAT  stream_check_endpoint
 *           BURST_E_NET    ZeroMQ refused (address in use, ...), its words quoted
 *           BURST_E_RANGE  a setting
 *           BURST_E_NOMEM, BURST_E_IO of the log, BURST_E_LIMIT more than 64 topics; *ret_p untouched */
enum burst_err publisher_open(struct stream_context *context, const struct publisher_settings *settings,
                              struct publisher **ret_p, struct burst_error *reterr);

/* Close the sockets; what is queued lingers. NULL is accepted. */
void publisher_close(struct publisher *p);

/* Number, seal, log, then tell one message.
 *
 * Given     topic           one of ours (frame_check_topic), not the heartbeat's, not provisional
 *           flags, content  enum frame_flag, enum frame_content
 *           body [n]        n <= FRAME_BODY_MAX
 * Returned  ret_seq         its number; may be NULL
 * Errors    BURST_E_FORMAT, BURST_E_UNSUPPORTED, BURST_E_LIMIT  topic; flags or content; size, or more than 64 topics
 *           what log->append says: nothing was told and the number stays free
 *           BURST_E_NET  logged, but ZeroMQ refused it: subscribers will fetch it from history; ret_seq is written
 * Notes     Waits at most wait_ms for slow subscribers and answers history meanwhile. */
enum burst_err publisher_send(struct publisher *p, const char *topic, unsigned flags, unsigned content,
                              const uint8_t *body, size_t n, uint64_t *ret_seq, struct burst_error *reterr);

/* Tell a message the log could not take: topic under burst-provisional.v1., seq 0, no seal. People see it, schedulers ignore
 * it. BURST_E_FORMAT for another topic; BURST_E_UNSUPPORTED, BURST_E_LIMIT, BURST_E_NET as above. */
enum burst_err publisher_send_provisional(struct publisher *p, const char *topic, unsigned flags, unsigned content,
                                          const uint8_t *body, size_t n, struct burst_error *reterr);

/* Members of every heartbeat from now on beside stream, alert_datetime and last: a JSON object's text, copied; NULL: none.
 * BURST_E_FORMAT where it is no object or has one of those three names; BURST_E_LIMIT over 48 KiB. The old one then stays. */
enum burst_err publisher_set_status(struct publisher *p, const char *json, struct burst_error *reterr);

/* Answer history requests and send the heartbeat when it is due; returns after timeout_ms, or sooner once something was
 * done and nothing more is waiting. Errors  BURST_E_NET, BURST_E_IO of the log, BURST_E_NOMEM: of one answer (the asker is
 * told ERROR where possible) or of the heartbeat; the publisher goes on. */
enum burst_err publisher_serve(struct publisher *p, int timeout_ms, struct burst_error *reterr);

/* The endpoints as bound, e.g. with the port that was free. Static until close. */
const char *publisher_live(const struct publisher *p);
const char *publisher_history(const struct publisher *p);
/* History answers still being sent. */
size_t publisher_pending(const struct publisher *p);
void publisher_counts(const struct publisher *p, struct publisher_counts *ret_counts);
#endif
