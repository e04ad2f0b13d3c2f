/* Inside lib/stream: what a subscriber knows. subscriber.c receives, sequence.c puts in order, repair.c asks history. */
#ifndef BURST_STREAM_SUBSCRIBER_STATE_H
#define BURST_STREAM_SUBSCRIBER_STATE_H
#include "stream/heartbeat.h"
#include "stream/seal.h"
#include "stream/socket.h"
#include "stream/subscriber.h"

enum { PREFIX_MOST = 16, RETIRED_MOST = 8, CHAIN_RING = 64, CLIENT_NAME_TEXT = 64, SLOT_SPARE = 4 };

/* A received message and what was found out about it. Slots never move: short frames lie inside ZeroMQ's own struct. */
struct slot {
    struct slot *next;
    struct stream_message m;
    struct stream_item item;
    bool replayed;
    enum frame_fault fault; /* refused, but its topic and number are known: it holds its place in the order */
    struct burst_error error;
};

struct topic_state {
    char topic[STREAM_TOPIC_TEXT];
    uint64_t next;     /* to be given next */
    uint64_t head;     /* newest known to exist in this stream; next - 1 or less: nothing is missing */
    uint64_t gap_to;   /* not 0: next .. gap_to are given up, the GAP event is still to be told */
    struct slot *held; /* ahead of the hole, rising seq */
    bool has_h;
    uint8_t h[STREAM_CHAIN]; /* chain value of next - 1 */
    int attempts;            /* fruitless REPLAYs since the last progress */
    int64_t retry_ns;        /* monotonic time before which history is not asked again */
    uint64_t ack_want, ack_done;
    struct {
        uint64_t seq;
        uint8_t h[STREAM_CHAIN];
    } ring[CHAIN_RING]; /* chain values of the newest given, for ACK */
    struct {
        uint64_t seq;
        uint8_t sha256[32];
    } body[CHAIN_RING]; /* of the newest given: the same number must not come again with another one */
};

enum request_kind { REQUEST_NONE, REQUEST_HELLO, REQUEST_LAST, REQUEST_REPLAY, REQUEST_ACK };

struct request {
    enum request_kind kind;
    struct topic_state *topic; /* REPLAY, ACK */
    uint64_t seq;              /* REPLAY: topic->next when asked; ACK: the number acknowledged */
    int64_t heard_ns;          /* monotonic time of asking, or of the last piece of the answer */
    int64_t silent_ns;         /* longest time before a piece of the answer */
};

struct subscriber {
    struct stream_context *context;
    struct subscriber_settings set; /* its pointers are replaced by the copies below */
    char live_text[256], history_text[256], name[CLIENT_NAME_TEXT];
    char prefix[PREFIX_MOST][STREAM_TOPIC_TEXT];
    struct stream_position *resume;
    uint8_t public_key[SEAL_PUBLIC];
    void *live, *history;

    bool has_stream;
    uint8_t stream[STREAM_UUID];
    bool switching; /* next_stream takes over as soon as what is held of the old one has been given */
    uint8_t next_stream[STREAM_UUID];
    uint8_t retired[RETIRED_MOST][STREAM_UUID];
    size_t n_retired;
    struct topic_state topic[STREAM_TOPIC_MOST];
    size_t n_topic, turn; /* turn: where the next search for a topic to repair begins */

    struct slot *pool, *free;
    struct slot *current; /* lent to the caller */
    struct slot *parked;  /* first message of next_stream */

    struct request request;
    int n_doubling; /* of answer_ms, for the next answer: one per silence, then as many as the last answer needed */
    bool greeted, reconnect;
    size_t n_listed;   /* prefixes whose LAST was answered */
    int64_t hello_ns;  /* when HELLO was last answered */
    int64_t live_ns;   /* when the live socket last gave anything, or was connected */
    int64_t asking_ns; /* nothing is asked before that */

    uint8_t (*repeat)[16]; /* [repeat_most] digests of (topic, SHA-256) */
    size_t n_repeat;       /* ever noted; the newest repeat_most are kept */

    struct heartbeat beat;
    char *beat_text; /* [HEARTBEAT_MOST + 1] */
    struct stream_data_time data_time[STREAM_TOPIC_MOST];
    struct subscriber_counts counts;
};

/* subscriber.c */
struct slot *slot_take(struct subscriber *s);
void slot_give(struct subscriber *s, struct slot *slot);
/* Fill a BAD event and count it. topic "" and seq 0 where the place is unknown. Always true: an event was made. */
bool event_bad(struct subscriber *s, enum frame_fault fault, const struct burst_error *error, const char *topic,
               uint64_t seq, struct subscriber_event *ev);
bool topic_wanted(const struct subscriber *s, const char *topic);
/* The same for a message in hand, which is lent with the event (the slot is given away). */
bool event_bad_message(struct subscriber *s, struct slot *slot, const struct burst_error *error, const char *topic,
                       uint64_t seq, struct subscriber_event *ev);
/* Of a message that was refused but holds its place only what a person may want to see is kept. */
void slot_refused(struct slot *slot);
/* Take one message of the live socket (the slot is given away). Whether an event was made in ev. */
bool live_take(struct subscriber *s, struct slot *slot, struct subscriber_event *ev);

/* sequence.c: each returns whether an event was made in ev. */

/* Take one message that could be placed (the slot is given away). */
bool sequence_take(struct subscriber *s, struct slot *slot, struct subscriber_event *ev);
/* Take a heartbeat (the slot is given away). */
bool sequence_heartbeat(struct subscriber *s, struct slot *slot, struct subscriber_event *ev);
/* Something that needs no new message: held ones whose turn has come, gaps given up, a change of stream. */
bool sequence_ready(struct subscriber *s, struct subscriber_event *ev);
/* The newest message of a topic, as LAST tells it at the start. */
bool sequence_newest(struct subscriber *s, const struct stream_item *item, struct subscriber_event *ev);
struct topic_state *sequence_find(struct subscriber *s, const char *topic);
bool sequence_is_full(const struct subscriber *s);
/* Whether numbers before the held ones, or before the head, are missing; the last such number. */
bool sequence_is_missing(const struct topic_state *t, uint64_t *ret_last);

/* repair.c */

/* Give up on a silent history, ask the next question. BURST_E_NET, BURST_E_NOMEM. */
enum burst_err repair_step(struct subscriber *s, struct burst_error *reterr);
/* Take one message of the history socket (the slot is given away). */
bool repair_take(struct subscriber *s, struct slot *slot, struct subscriber_event *ev);
/* Milliseconds until repair_step has something to do, at most `most`. */
int repair_wait_ms(const struct subscriber *s, int most);
enum burst_err repair_connect(struct subscriber *s, struct burst_error *reterr);
#endif
