/* Subscriber: one stream in, every topic in the order of its numbers. Live messages come from a SUB socket; whatever they
 * miss (late start, dropped, publisher restarted, silent loss shown by the heartbeat) is fetched from history, while
 * messages ahead of the hole are held back, within bounds. Refuses bad messages one by one and goes on. One thread.
 * Never waits longer than it is told. Source: protocol.md 1, 2; reliability.md 2.2. */
#ifndef BURST_STREAM_SUBSCRIBER_H
#define BURST_STREAM_SUBSCRIBER_H
#include "stream/context.h"
#include "stream/frame.h"
#include <stdbool.h>

struct subscriber;
enum { SUBSCRIBER_FRAMES = 6 };

/* All up to and with `seq` of that topic of that log has been handled. */
struct stream_position {
    char topic[STREAM_TOPIC_TEXT];
    uint8_t stream[STREAM_UUID];
    uint64_t seq;
};

/* All that can be chosen; subscriber_defaults fills the rest. */
struct subscriber_settings {
    const char *live, *history; /* endpoints to connect to */
    const char *name;           /* who we are, for HELLO: 1..63 printable characters */
    const char *const *prefix;  /* [n_prefix] topics wanted, by prefix; at most 16 */
    size_t n_prefix;
    const struct stream_position
        *resume; /* [n_resume] where to go on; of a topic's, that of the publisher's own stream. Copied */
    size_t n_resume;
    /* Topics that end in this are fetched from history before the others, so that what describes data is there before the
     * data; NULL: all take turns. Lent as long as the subscriber lives. */
    const char *first;
    bool from_start; /* a topic without a position: true everything history keeps, false only what comes from now on */
    const uint8_t
        *public_key;   /* SEAL_PUBLIC bytes, copied: every message must be sealed and signed by it; NULL: seals are
                                  optional and only their chain is checked */
    uint32_t batch;    /* messages asked for per REPLAY, 1..10000; 64 */
    size_t hold_most;  /* messages held ahead of a hole, 1..65536; 256 */
    size_t hold_bytes; /* their bodies; 64 MiB. What does not fit is dropped and fetched from history in its turn */
    int answer_ms; /* history is asked again when nothing came for so long, then for twice as long, up to 8 times; 2000 */
    int attempts; /* so often, then the hole becomes a GAP; 4: 30 s of a history that is silent, 8 s of one that has nothing */
    int silent_ms;      /* the live socket is connected anew when not even a heartbeat came for so long; 5000 */
    size_t repeat_most; /* SHA-256 of bodies remembered to find repeats, 0..65536; 4096 */
};

enum subscriber_event_kind {
    SUBSCRIBER_MESSAGE,   /* item, sha256: the next message of its topic */
    SUBSCRIBER_DUPLICATE, /* item, sha256: the next number, but the topic has had the same body before */
    SUBSCRIBER_GAP,       /* topic, from, to: lost for good; the messages after them follow */
    SUBSCRIBER_HEARTBEAT, /* text, data_time */
    SUBSCRIBER_STREAM, /* stream: the publisher's log is this one from here on; the first time, or a new one (its topics
                             start at 1) */
    SUBSCRIBER_BAD,    /* fault, n_fault, error: something was refused. Where a message could be placed, it is told in
                             its turn: topic and from are its own, and its number counts as handled */
};

/* "All data of this topic up to this moment have been sent" (a gateway's data_time). */
struct stream_data_time {
    char topic[STREAM_TOPIC_TEXT];
    int64_t tt_ns;
};

/* What subscriber_next found. Pointers are lent until the next call. */
struct subscriber_event {
    enum subscriber_event_kind kind;
    struct stream_item item;
    uint8_t sha256[32];
    bool replayed; /* the item came from history */
    char topic[STREAM_TOPIC_TEXT];
    uint64_t from, to;
    uint8_t stream[STREAM_UUID];
    const char *text; /* JSON object, [n_text] bytes and a closing 0 */
    size_t n_text;
    const struct stream_data_time
        *data_time; /* [n_data_time] only topics of which nothing sent before is still missing here */
    size_t n_data_time;
    enum frame_fault fault;
    uint64_t n_fault; /* how many of this kind so far: log the first */
    struct frame_bytes
        frame[SUBSCRIBER_FRAMES]; /* of a BAD message: what came, as far as it was kept; the first of n_frame_seen */
    size_t n_frame, n_frame_seen;
    struct burst_error error;
};

struct subscriber_counts {
    uint64_t messages, replayed, duplicates, repeats, gaps, lost, heartbeats, streams, requests, timeouts, not_held,
        shed, reconnects;
    uint64_t bad[FAULT_N];
    size_t held, held_bytes;   /* now */
    int64_t heartbeat_mono_ns; /* when the last heartbeat came; 0: never */
};

void subscriber_defaults(struct subscriber_settings *ret_settings);

/* Connect; nothing has to be there yet.
 * Errors    BURST_E_AUTH, BURST_E_UNSUPPORTED, BURST_E_FORMAT  stream_check_endpoint; a name or prefix
 *           BURST_E_RANGE  a setting;  BURST_E_NET, BURST_E_NOMEM; *ret_s untouched */
enum burst_err subscriber_open(struct stream_context *context, const struct subscriber_settings *settings,
                               struct subscriber **ret_s, struct burst_error *reterr);

/* NULL is accepted. */
void subscriber_close(struct subscriber *s);

/* The next event, waiting at most timeout_ms.
 * Returned  ret_event      its pointers are lent until the next call
 * Errors    BURST_E_TIMEOUT  nothing came
 *           BURST_E_NET, BURST_E_NOMEM; ret_event untouched, the subscriber goes on */
enum burst_err subscriber_next(struct subscriber *s, int timeout_ms, struct subscriber_event *ret_event,
                               struct burst_error *reterr);

/* Wait, at most timeout_ms, until one of several subscribers (1 to 16) may have an event or something to ask; then call
 * subscriber_next(s, 0) on each, until BURST_E_TIMEOUT. Errors  BURST_E_NET, BURST_E_LIMIT */
enum burst_err subscriber_wait(struct subscriber *const *s, size_t n, int timeout_ms, struct burst_error *reterr);

/* For a caller that must wait elsewhere for more than some 100 ms: drop what has come live meanwhile, so that memory does not
 * grow. What was dropped is a hole like any other and comes from history in its turn. */
void subscriber_shed(struct subscriber *s);

/* All of `topic` up to seq, which subscriber_next gave, has been durably handled: told to the publisher (ACK) in the
 * background, the newest only. Errors  BURST_E_MISSING  no such topic; BURST_E_RANGE  not given yet */
enum burst_err subscriber_ack(struct subscriber *s, const char *topic, uint64_t seq, struct burst_error *reterr);

void subscriber_counts(const struct subscriber *s, struct subscriber_counts *ret_counts);
/* Where we stand: at most `most` topics; how many are written. */
size_t subscriber_positions(const struct subscriber *s, struct stream_position *ret_positions, size_t most);
#endif
