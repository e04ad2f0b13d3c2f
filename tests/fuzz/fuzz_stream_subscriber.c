/* A hostile publisher: any order of live messages, heartbeats and history answers, right and wrong ones. Whatever comes, the
 * subscriber neither crashes nor loses a number in silence: what it tells of a topic (messages, duplicates, refusals, gaps)
 * follows number after number.
 * An input is a row of 5-byte steps: what comes, topic, stream, number, what is wrong with it. */
#include "base/bytes.h"
#include "base/clock.h"
#include "stream/log_memory.h"
#include "stream/publisher.h"
#include "stream/subscriber_state.h"
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

enum { STEP = 5, TOPICS = 3, STREAMS = 3 };
enum what { LIVE, LIVE_AGAIN, ITEM, BEAT, END, GONE, OK_HELLO, OK_ACK, FORK, ERROR, JUNK, SILENCE, ACK, WHAT_N };
static const char *const TOPIC[TOPICS] = {"burst.v1.a.events", "burst.v1.b.events", "burst-test.v1.c.events"};

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

/* What has been told of each topic so far. */
struct told {
    bool begun[TOPICS];
    uint64_t next[TOPICS];
};

static void add_part(struct stream_message *m, const void *bytes, size_t n)
{
    (void)zmq_msg_init_size(&m->part[m->n_part], n);
    if (n) memcpy(zmq_msg_data(&m->part[m->n_part]), bytes, n);
    m->n_part++;
}

static void add_word(struct stream_message *m, const char *word)
{
    add_part(m, word, strlen(word));
}

static void uuid_of(int stream, uint8_t ret_uuid[STREAM_UUID])
{
    memset(ret_uuid, 0x10 + stream, STREAM_UUID);
}

static void add_frames(struct stream_message *m, const uint8_t *step)
{
    static const uint64_t FAR[] = {UINT64_MAX, INT64_MAX, (UINT64_C(1) << 40) + 1, (UINT64_C(1) << 40) + 40};
    struct stream_item item = {.content = FRAME_FITS, .seq = step[3] % 40u, .sent_ns = 1};
    if (step[3] >= 252) item.seq = FAR[step[3] - 252];
    uint8_t seal[FRAME_SEAL] = {0};
    char body[16];
    uuid_of(step[2] % STREAMS, item.stream);
    if (step[4] & 1) item.content = step[4];
    if (step[4] & 2) item.flags = step[4];
    frame_pack_header(&item);
    seal[0] = step[4] & 4 ? step[3] : 0;
    add_word(m, TOPIC[step[1] % TOPICS]);
    add_part(m, item.header, step[4] & 8 ? 39 : FRAME_HEADER);
    add_part(m, body, (size_t)snprintf(body, sizeof body, "%d", step[4] & 16 ? 0 : step[3]));
    if (step[4] & 32) add_part(m, seal, step[4] & 64 ? 95 : FRAME_SEAL);
}

static void add_beat(struct stream_message *m, const uint8_t *step)
{
    struct stream_item item = {.content = FRAME_JSON, .sent_ns = 1};
    char uuid[37], text[400];
    uuid_of(step[2] % STREAMS, item.stream);
    frame_pack_header(&item);
    bytes_uuid_text(item.stream, uuid);
    int n = snprintf(text, sizeof text,
                     "{\"stream\":\"%s\",\"last\":{\"%s\":%lld},\"data_time\":{\"%s\":\"2017-01-01T00:00:%02dZ\"}}",
                     uuid, TOPIC[step[1] % TOPICS], step[3] == 255 ? LLONG_MAX : step[3] % 40, TOPIC[step[4] % TOPICS],
                     step[3] % 60);
    add_word(m, STREAM_HEARTBEAT);
    add_part(m, item.header, FRAME_HEADER);
    add_part(m, text, (size_t)n - (step[4] == 255));
}

static void add_answer(struct stream_message *m, enum what what, const uint8_t *step)
{
    uint8_t number[8], uuid[STREAM_UUID];
    static const char *const word[WHAT_N] = {[ITEM] = "ITEM", [END] = "END",   [GONE] = "GONE",   [OK_HELLO] = "OK",
                                             [OK_ACK] = "OK", [FORK] = "FORK", [ERROR] = "ERROR", [JUNK] = "WHAT"};
    bytes_put_u64(number, step[3] % 40u);
    uuid_of(step[2] % STREAMS, uuid);
    add_word(m, word[what]);
    if (what == ITEM) add_frames(m, step);
    if (what == OK_HELLO) add_part(m, uuid, step[4] == 1 ? 3 : sizeof uuid);
    if (what == END || what == GONE) {
        add_word(m, TOPIC[step[1] % TOPICS]);
        add_part(m, number, step[4] == 1 ? 7 : 8);
    }
    if (what == ERROR) {
        add_word(m, "io");
        add_part(m, step, STEP);
    }
}

static void check_event(struct told *told, const struct subscriber_event *ev)
{
    int t = 0;
    if (ev->kind == SUBSCRIBER_STREAM) memset(told, 0, sizeof *told);
    while (t < TOPICS && strcmp(TOPIC[t], ev->topic) != 0)
        t++;
    bool placed =
        ev->kind == SUBSCRIBER_MESSAGE || ev->kind == SUBSCRIBER_DUPLICATE || ev->kind == SUBSCRIBER_GAP ||
        (ev->kind == SUBSCRIBER_BAD && ev->from > 0 && ev->fault != FAULT_FORK && ev->fault != FAULT_POSITION);
    if (t == TOPICS || !placed) return;
    if (told->begun[t] && ev->from != told->next[t]) abort(); /* a number was left out, or told twice */
    if (ev->to < ev->from) abort();
    told->begun[t] = true;
    told->next[t] = ev->to + 1;
}

/* As subscriber_next does between two messages, without sockets. */
static void settle(struct subscriber *s, struct told *told)
{
    struct subscriber_event ev;
    struct burst_error e;
    for (int i = 0; i < 1000; i++) {
        if (s->current) slot_give(s, s->current);
        s->current = NULL;
        if (!sequence_ready(s, &ev)) break;
        check_event(told, &ev);
    }
    (void)repair_step(s, &e); /* asks into a socket nobody answers */
}

static void play(struct subscriber *s, struct told *told, const uint8_t *step)
{
    enum what what = (enum what)(step[0] % WHAT_N);
    struct subscriber_event ev;
    if (what == SILENCE) {
        s->request.heard_ns -= 3600 * CLOCK_NS_PER_S;
        for (size_t i = 0; i < s->n_topic; i++)
            s->topic[i].retry_ns = 0;
    } else if (what == ACK) {
        (void)subscriber_ack(s, TOPIC[step[1] % TOPICS], step[3], NULL);
    } else if (what <= LIVE_AGAIN || what == BEAT) {
        if (s->parked || s->switching || sequence_is_full(s)) return; /* the socket would not be read */
        struct slot *slot = slot_take(s);
        if (what == BEAT)
            add_beat(&slot->m, step);
        else
            add_frames(&slot->m, step);
        if (live_take(s, slot, &ev)) check_event(told, &ev);
    } else {
        struct slot *slot = slot_take(s);
        add_answer(&slot->m, what, step);
        if (repair_take(s, slot, &ev)) check_event(told, &ev);
    }
    settle(s, told);
}

static struct stream_context *context;
static struct publisher *publisher;
static struct stream_log history;

/* What ZeroMQ's threads hand each other when the process ends belongs to nobody: a leak, to who looks for leaks. */
static void stop_listening(void)
{
    publisher_close(publisher);
    stream_context_close(context);
    log_memory_close(&history);
}

/* Somebody who listens, so that sockets can be closed again: what they really ask is answered when nobody is there. */
static void listen_once(void)
{
    struct publisher_settings set;
    if (publisher) return;
    publisher_defaults(&set);
    set.live = "inproc://live";
    set.history = "inproc://history";
    set.log = &history;
    set.heartbeat_ms = 10; /* sockets that were closed are let go when this one is used */
    if (stream_context_open(&context, NULL) || log_memory_open(1 << 20, &history, NULL) ||
        publisher_open(context, &set, &publisher, NULL) || atexit(stop_listening))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    static const char *const prefix[] = {"burst.v1.", "burst-test.v1."};
    struct subscriber_settings set;
    struct subscriber *s;
    struct told told = {{false}, {0}};
    if (n < 1) return 0;
    listen_once();
    subscriber_defaults(&set);
    set.live = "inproc://live";
    set.history = "inproc://history";
    set.prefix = prefix;
    set.n_prefix = 2;
    set.from_start = bytes[0] & 1;
    set.hold_most = 4;
    set.attempts = 2;
    set.repeat_most = 8;
    while (subscriber_open(context, &set, &s, NULL))
        (void)publisher_serve(publisher, 20, NULL); /* ZeroMQ is still letting go of the sockets of the inputs before */
    for (size_t at = 1; at + STEP <= n; at += STEP)
        play(s, &told, bytes + at);
    subscriber_close(s);
    (void)publisher_serve(publisher, 0, NULL);
    return 0;
}
