/* A publisher, a relay that may lose, change or reorder what passes, and a subscriber behind it, all in one thread over
 * ipc sockets in a temporary folder. History goes past the relay. */
#ifndef BURST_TESTS_STREAM_RIG_H
#define BURST_TESTS_STREAM_RIG_H
#include "base/clock.h"
#include "check.h"
#include "stream/log_memory.h"
#include "stream/publisher.h"
#include "stream/subscriber.h"
#include <stdlib.h>
#include <unistd.h>
#include <zmq.h>

#define RIG_TOPIC "burst.v1.fermi.gbm.events"
enum { RIG_PARTS = 8, RIG_PATIENCE_S = 60 }; /* a test that waits longer has failed */

struct rig_message {
    zmq_msg_t part[RIG_PARTS];
    int n_part;
};

struct rig;
/* Send on, drop or keep one live message that is no heartbeat; n counts them from 1. */
typedef void rig_policy(struct rig *r, struct rig_message *m, int n);

struct rig {
    char folder[32], live[64], relayed[64], history[64];
    struct stream_context *context;
    struct stream_log log;
    struct publisher *publisher;
    struct subscriber *subscriber;
    struct subscriber_settings set;
    const char *prefix;
    void *zmq, *in, *out;
    rig_policy *policy;
    int n_relayed;
    bool mute;                   /* no heartbeat passes */
    void (*also)(struct rig *r); /* served too: a history of the test's own */
    void *fake;
    struct rig_message kept;
    struct burst_error e;
};

static inline void rig_send_on(struct rig *r, struct rig_message *m)
{
    for (int i = 0; i < m->n_part; i++) {
        zmq_msg_t copy;
        zmq_msg_init(&copy);
        zmq_msg_copy(&copy, &m->part[i]);
        CHECK(zmq_msg_send(&copy, r->out, i + 1 < m->n_part ? ZMQ_SNDMORE : 0) >= 0);
    }
}

static inline void rig_drop(struct rig_message *m)
{
    for (int i = 0; i < m->n_part; i++)
        zmq_msg_close(&m->part[i]);
    m->n_part = 0;
}

static inline bool rig_receive(void *socket, struct rig_message *m)
{
    m->n_part = 0;
    int more = 1;
    while (more) {
        zmq_msg_init(&m->part[m->n_part]);
        if (zmq_msg_recv(&m->part[m->n_part], socket, m->n_part ? 0 : ZMQ_DONTWAIT) < 0) return false;
        more = zmq_msg_more(&m->part[m->n_part++]);
    }
    return true;
}

static inline void rig_relay(struct rig *r)
{
    struct rig_message m;
    while (rig_receive(r->in, &m)) {
        bool beat = zmq_msg_size(&m.part[0]) == strlen(STREAM_HEARTBEAT) &&
                    memcmp(zmq_msg_data(&m.part[0]), STREAM_HEARTBEAT, strlen(STREAM_HEARTBEAT)) == 0;
        if (beat && r->mute)
            rig_drop(&m);
        else if (beat || !r->policy)
            rig_send_on(r, &m);
        else
            r->policy(r, &m, ++r->n_relayed);
        rig_drop(&m);
    }
}

static inline void rig_pump(struct rig *r)
{
    if (r->publisher) CHECK_INT(publisher_serve(r->publisher, 0, &r->e), BURST_OK);
    rig_relay(r);
    if (r->also) r->also(r);
}

static inline void rig_publisher(struct rig *r)
{
    struct publisher_settings set;
    publisher_defaults(&set);
    set.live = r->live;
    set.history = r->history;
    set.log = &r->log;
    set.heartbeat_ms = 30;
    CHECK_INT(publisher_open(r->context, &set, &r->publisher, &r->e), BURST_OK);
}

/* Close the publisher and, since ZeroMQ closes in the background, wait until its addresses are free again. */
static inline void rig_stop_publisher(struct rig *r)
{
    publisher_close(r->publisher);
    r->publisher = NULL;
    for (int i = 0; i < 200; i++) {
        void *probe = zmq_socket(r->zmq, ZMQ_PUB);
        int live = zmq_bind(probe, r->live), history = zmq_bind(probe, r->history);
        zmq_close(probe);
        usleep(20000);
        if (live == 0 && history == 0) return;
    }
}

static inline void rig_open(struct rig *r)
{
    memset(r, 0, sizeof *r);
    char folder[] = "/tmp/burst-XXXXXX";
    CHECK(mkdtemp(folder) != NULL);
    memcpy(r->folder, folder, sizeof folder);
    (void)snprintf(r->live, sizeof r->live, "ipc://%s/live", folder);
    (void)snprintf(r->relayed, sizeof r->relayed, "ipc://%s/relayed", folder);
    (void)snprintf(r->history, sizeof r->history, "ipc://%s/history", folder);
    CHECK_INT(stream_context_open(&r->context, &r->e), BURST_OK);
    CHECK_INT(log_memory_open((size_t)256 << 20, &r->log, &r->e), BURST_OK);
    r->zmq = zmq_ctx_new();
    r->in = zmq_socket(r->zmq, ZMQ_SUB);
    r->out = zmq_socket(r->zmq, ZMQ_PUB);
    int zero = 0;
    zmq_setsockopt(r->in, ZMQ_RCVHWM, &zero, sizeof zero);
    zmq_setsockopt(r->out, ZMQ_SNDHWM, &zero, sizeof zero);
    zmq_setsockopt(r->in, ZMQ_LINGER, &zero, sizeof zero);
    zmq_setsockopt(r->out, ZMQ_LINGER, &zero, sizeof zero);
    zmq_setsockopt(r->in, ZMQ_SUBSCRIBE, "", 0);
    CHECK(zmq_connect(r->in, r->live) == 0);
    CHECK(zmq_bind(r->out, r->relayed) == 0);
    subscriber_defaults(&r->set);
    r->prefix = "burst.v1.";
    r->set.prefix = &r->prefix;
    r->set.n_prefix = 1;
    r->set.live = r->relayed;
    r->set.history = r->history;
    r->set.name = "test";
    r->set.from_start = true;
    r->set.answer_ms = 200;
    rig_publisher(r);
}

static inline void rig_subscribe(struct rig *r)
{
    CHECK_INT(subscriber_open(r->context, &r->set, &r->subscriber, &r->e), BURST_OK);
}

/* The next event; heartbeats too where asked. false: patience is over. */
static inline bool rig_event(struct rig *r, struct subscriber_event *ev, bool beats)
{
    int64_t until = clock_mono_ns() + RIG_PATIENCE_S * CLOCK_NS_PER_S;
    while (clock_mono_ns() < until) {
        rig_pump(r);
        enum burst_err err = subscriber_next(r->subscriber, 2, ev, &r->e);
        if (err == BURST_E_TIMEOUT) continue;
        CHECK_SAY(err == BURST_OK, "subscriber_next: %s", r->e.text);
        if (err) return false;
        if (beats || ev->kind != SUBSCRIBER_HEARTBEAT) return true;
    }
    CHECK_SAY(false, "no event in %d s", RIG_PATIENCE_S);
    return false;
}

static inline bool rig_next(struct rig *r, struct subscriber_event *ev)
{
    return rig_event(r, ev, false);
}

/* Until a heartbeat has come all the way and history has told what was there before (HELLO, LAST): from now on only what
 * live loses is asked for. Other events on the way are thrown away. */
static inline void rig_settle(struct rig *r)
{
    struct subscriber_event ev;
    struct publisher_counts c = {.requests = 0};
    bool ours = strcmp(r->set.history, r->history) == 0;
    do {
        if (!rig_event(r, &ev, true)) return;
        if (r->publisher) publisher_counts(r->publisher, &c);
    } while (ev.kind != SUBSCRIBER_HEARTBEAT || (ours && c.requests < 2));
}

/* As most tests begin: nothing else is set, and all is quiet. */
static inline void rig_begin(struct rig *r)
{
    rig_open(r);
    rig_subscribe(r);
    rig_settle(r);
}

/* Serve for a while and expect no event but heartbeats. */
static inline void rig_expect_silence(struct rig *r, int n_beat)
{
    struct subscriber_event ev;
    for (int i = 0; i < n_beat && rig_event(r, &ev, true); i++)
        CHECK_SAY(ev.kind == SUBSCRIBER_HEARTBEAT, "event %d %s %s", ev.kind, ev.topic, ev.error.text);
}

static inline uint64_t rig_send_text(struct rig *r, const char *topic, const char *text)
{
    uint64_t seq = 0;
    CHECK_SAY(publisher_send(r->publisher, topic, 0, FRAME_FITS, (const uint8_t *)text, strlen(text), &seq, &r->e) ==
                  BURST_OK,
              "publisher_send: %s", r->e.text);
    return seq;
}

/* Messages "message FROM" ... "message TO" on RIG_TOPIC. */
static inline void rig_send(struct rig *r, int from, int to)
{
    for (int i = from; i <= to; i++) {
        char text[32];
        (void)snprintf(text, sizeof text, "message %d", i);
        rig_send_text(r, RIG_TOPIC, text);
    }
}

static inline bool rig_body_is(const struct subscriber_event *ev, const char *text)
{
    return ev->item.n_body == strlen(text) && memcmp(ev->item.body, text, ev->item.n_body) == 0;
}

/* Expect MESSAGE events number from .. to of RIG_TOPIC, in order, with the bodies of rig_send. */
static inline void rig_expect(struct rig *r, int from, int to)
{
    for (int i = from; i <= to; i++) {
        struct subscriber_event ev;
        char text[32];
        (void)snprintf(text, sizeof text, "message %d", i);
        if (!rig_next(r, &ev)) return;
        bool right = ev.kind == SUBSCRIBER_MESSAGE && ev.item.seq == (uint64_t)i && strcmp(ev.topic, RIG_TOPIC) == 0 &&
                     rig_body_is(&ev, text);
        CHECK_SAY(right, "event %d of %s from %d to %d (%s), not message %d", ev.kind, ev.topic, (int)ev.from,
                  (int)ev.to, ev.error.text, i);
        if (!right) return;
    }
}

static inline void rig_expect_gap(struct rig *r, int from, int to)
{
    struct subscriber_event ev;
    if (!rig_next(r, &ev)) return;
    CHECK_SAY(ev.kind == SUBSCRIBER_GAP && ev.from == (uint64_t)from && ev.to == (uint64_t)to,
              "event %d from %d to %d (%s)", ev.kind, (int)ev.from, (int)ev.to, ev.error.text);
    CHECK_STR(ev.topic, RIG_TOPIC);
}

static inline void rig_expect_bad(struct rig *r, enum frame_fault fault, const char *part)
{
    struct subscriber_event ev;
    if (!rig_next(r, &ev)) return;
    CHECK_SAY(ev.kind == SUBSCRIBER_BAD && ev.fault == fault && strstr(ev.error.text, part),
              "event %d, %s: \"%s\" lacks \"%s\"", ev.kind, frame_fault_name(ev.fault), ev.error.text, part);
}

static inline void rig_expect_stream(struct rig *r)
{
    struct subscriber_event ev;
    if (!rig_next(r, &ev)) return;
    CHECK_INT(ev.kind, SUBSCRIBER_STREAM);
    CHECK(memcmp(ev.stream, r->log.stream, STREAM_UUID) == 0);
}

static inline struct subscriber_counts rig_counts(struct rig *r)
{
    struct subscriber_counts c;
    subscriber_counts(r->subscriber, &c);
    return c;
}

static inline void rig_close(struct rig *r)
{
    char path[80];
    rig_drop(&r->kept);
    subscriber_close(r->subscriber);
    publisher_close(r->publisher);
    stream_context_close(r->context);
    log_memory_close(&r->log);
    zmq_close(r->in);
    zmq_close(r->out);
    if (r->fake) zmq_close(r->fake);
    zmq_ctx_term(r->zmq);
    const char *const names[] = {"live", "relayed", "history", "fake"};
    for (int i = 0; i < 4; i++) {
        (void)snprintf(path, sizeof path, "%s/%s", r->folder, names[i]);
        (void)unlink(path);
    }
    (void)rmdir(r->folder);
}
#endif
