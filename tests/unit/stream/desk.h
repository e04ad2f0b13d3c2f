/* A publisher on tcp, with a raw SUB and DEALER in a context of their own: what a stranger's program sees. */
#ifndef BURST_TESTS_STREAM_DESK_H
#define BURST_TESTS_STREAM_DESK_H
#include "base/bytes.h"
#include "rig.h"

#define TOPIC RIG_TOPIC

/* A publisher on tcp with a DEALER and a SUB in a context of their own. */
struct desk {
    struct stream_context *context;
    struct stream_log log;
    struct publisher *publisher;
    struct publisher_settings set;
    void *zmq, *dealer, *sub;
    struct rig_message m;
    struct burst_error e;
};

static inline void desk_open(struct desk *d, int heartbeat_ms)
{
    memset(d, 0, sizeof *d);
    CHECK_INT(stream_context_open(&d->context, &d->e), BURST_OK);
    CHECK_INT(log_memory_open((size_t)256 << 20, &d->log, &d->e), BURST_OK);
    publisher_defaults(&d->set);
    d->set.live = d->set.history = "tcp://127.0.0.1:*";
    d->set.log = &d->log;
    d->set.heartbeat_ms = heartbeat_ms;
    CHECK_INT(publisher_open(d->context, &d->set, &d->publisher, &d->e), BURST_OK);
    d->zmq = zmq_ctx_new();
    d->dealer = zmq_socket(d->zmq, ZMQ_DEALER);
    d->sub = zmq_socket(d->zmq, ZMQ_SUB);
    int zero = 0;
    zmq_setsockopt(d->dealer, ZMQ_LINGER, &zero, sizeof zero);
    zmq_setsockopt(d->sub, ZMQ_SUBSCRIBE, "", 0);
    CHECK(zmq_connect(d->dealer, publisher_history(d->publisher)) == 0);
    CHECK(zmq_connect(d->sub, publisher_live(d->publisher)) == 0);
}

static inline void desk_close(struct desk *d)
{
    rig_drop(&d->m);
    publisher_close(d->publisher);
    stream_context_close(d->context);
    log_memory_close(&d->log);
    zmq_close(d->dealer);
    zmq_close(d->sub);
    zmq_ctx_term(d->zmq);
}

/* The next message of a socket, the publisher serving meanwhile. */
static inline bool get(struct desk *d, void *socket)
{
    int64_t until = clock_mono_ns() + RIG_PATIENCE_S * CLOCK_NS_PER_S;
    rig_drop(&d->m);
    while (clock_mono_ns() < until) {
        CHECK_INT(publisher_serve(d->publisher, 1, &d->e), BURST_OK);
        if (rig_receive(socket, &d->m)) return true;
    }
    CHECK_SAY(false, "nothing came in %d s", RIG_PATIENCE_S);
    return false;
}

static inline bool part_is(struct desk *d, int i, const void *bytes, size_t n)
{
    return i < d->m.n_part && zmq_msg_size(&d->m.part[i]) == n && memcmp(zmq_msg_data(&d->m.part[i]), bytes, n) == 0;
}

static inline bool word_is(struct desk *d, int i, const char *word)
{
    return part_is(d, i, word, strlen(word));
}

static inline uint64_t number(struct desk *d, int i)
{
    CHECK_INT(zmq_msg_size(&d->m.part[i]), 8);
    return bytes_get_u64(zmq_msg_data(&d->m.part[i]));
}

static inline void ask(struct desk *d, const struct frame_bytes *parts, size_t n)
{
    for (size_t i = 0; i < n; i++)
        CHECK(zmq_send(d->dealer, parts[i].bytes, parts[i].n, i + 1 < n ? ZMQ_SNDMORE : 0) >= 0);
}

#define ASK(d, ...)                                                                                                    \
    do {                                                                                                               \
        const struct frame_bytes parts_[] = {__VA_ARGS__};                                                             \
        ask(d, parts_, sizeof parts_ / sizeof *parts_);                                                                \
        if (!get(d, (d)->dealer)) return;                                                                              \
    } while (0)
#define WORD(text)                                                                                                     \
    {                                                                                                                  \
        text, sizeof(text) - 1                                                                                         \
    }

static inline void ask_replay(struct desk *d, const char *topic, const uint8_t *stream, uint64_t from, uint32_t most)
{
    uint8_t n8[8], n4[4];
    bytes_put_u64(n8, from);
    bytes_put_u32(n4, most);
    ASK(d, WORD("REPLAY"), {topic, strlen(topic)}, {stream, STREAM_UUID}, {n8, 8}, {n4, 4});
}

static inline void send_numbered(struct desk *d, int from, int to)
{
    for (int i = from; i <= to; i++) {
        char text[32];
        uint64_t seq = 0;
        int n = snprintf(text, sizeof text, "message %d", i);
        CHECK_INT(publisher_send(d->publisher, TOPIC, 0, FRAME_FITS, (const uint8_t *)text, (size_t)n, &seq, &d->e),
                  BURST_OK);
        CHECK_INT(seq, i);
    }
}

/* Until the subscription stands: heartbeats come. */
static inline void settle(struct desk *d)
{
    CHECK(get(d, d->sub));
}

static inline bool get_live(struct desk *d)
{
    while (get(d, d->sub))
        if (!word_is(d, 0, STREAM_HEARTBEAT)) return true;
    return false;
}
#endif
