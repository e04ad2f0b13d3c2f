/* The history client: one question at a time, asked again on a fresh socket when nothing comes back, so that a late answer
 * to an old question cannot be taken for one to a new question. */
#include "base/bytes.h"
#include "base/clock.h"
#include "stream/subscriber_state.h"
#include <errno.h>
#include <string.h>

#define MS_NS (CLOCK_NS_PER_S / 1000)
enum { SLOWER_MOST = 3, HELLO_AGAIN_S = 5, HISTORY_HWM = 64, ACK_LINGER_MS = 200 };

enum burst_err repair_connect(struct subscriber *s, struct burst_error *reterr)
{
    void *fresh;
    struct socket_options o = {.endpoint = s->set.history,
                               .type = ZMQ_DEALER,
                               .hwm = HISTORY_HWM,
                               .linger_ms = ACK_LINGER_MS,
                               .most_bytes = SOCKET_FRAME_MOST};
    enum burst_err err = socket_open(s->context, &o, &fresh, reterr);
    if (err) return err;
    if (s->history) (void)socket_set(s->history, ZMQ_LINGER, 0); /* nobody waits for what it still had to ask */
    socket_close(&s->history);
    s->history = fresh;
    s->request.kind = REQUEST_NONE;
    s->greeted = false;
    s->reconnect = false;
    return BURST_OK;
}

/* A REPLAY brought nothing. After the last attempt what is missing is given up, so that what came after it can be given. */
static void note_fruitless(struct subscriber *s, struct topic_state *t, int64_t retry_ns)
{
    uint64_t last;
    if (!sequence_is_missing(t, &last)) return;
    t->retry_ns = retry_ns;
    if (++t->attempts < s->set.attempts) return;
    t->gap_to = last;
    t->attempts = 0;
}

/* A question that nobody answered is asked again with twice the time: a history that is slow, not dead, is heard at last. */
static int64_t patience_ns(const struct subscriber *s)
{
    return (s->set.answer_ms * MS_NS) << s->n_doubling;
}

/* As slow as it was last is how slow it may be next. A greeting is not a measure: it needs no disk. */
static void learn_patience(struct subscriber *s)
{
    if (s->request.kind == REQUEST_NONE || s->request.kind == REQUEST_HELLO) return;
    s->n_doubling = 0;
    while (s->n_doubling < SLOWER_MOST && patience_ns(s) < s->request.silent_ns)
        s->n_doubling++;
}

static enum burst_err give_up_waiting(struct subscriber *s, int64_t now, struct burst_error *reterr)
{
    s->counts.timeouts++;
    if (s->n_doubling < SLOWER_MOST) s->n_doubling++;
    /* A silent history brings nothing to any topic. */
    for (size_t i = 0; i < s->n_topic; i++)
        note_fruitless(s, &s->topic[i], now);
    return repair_connect(s, reterr);
}

static enum burst_err ask(struct subscriber *s, enum request_kind kind, struct topic_state *t, uint64_t seq,
                          const struct frame_bytes *parts, size_t n_part, struct burst_error *reterr)
{
    int64_t now = clock_mono_ns();
    int why = message_send(s->history, parts, n_part, ZMQ_DONTWAIT);
    if (why && why != EAGAIN)
        return burst_fail(reterr, BURST_E_NET, "history %s cannot be asked: %s", s->set.history, zmq_strerror(why));
    s->request = (struct request){.kind = kind, .topic = t, .seq = seq, .heard_ns = now};
    s->counts.requests++;
    return BURST_OK;
}

static enum burst_err ask_hello(struct subscriber *s, struct burst_error *reterr)
{
    struct frame_bytes parts[] = {{"HELLO", 5}, {s->name, strlen(s->name)}};
    return ask(s, REQUEST_HELLO, NULL, 0, parts, 2, reterr);
}

static enum burst_err ask_last(struct subscriber *s, struct burst_error *reterr)
{
    const char *prefix = s->prefix[s->n_listed];
    struct frame_bytes parts[] = {{"LAST", 4}, {prefix, strlen(prefix)}};
    return ask(s, REQUEST_LAST, NULL, 0, parts, 2, reterr);
}

static enum burst_err ask_replay(struct subscriber *s, struct topic_state *t, uint64_t last, struct burst_error *reterr)
{
    uint8_t from[8], most[4];
    /* The last attempt leaves the first missing one out: it may be the very message that breaks the connection. */
    uint64_t start = t->attempts == s->set.attempts - 1 && t->next < last ? t->next + 1 : t->next;
    uint64_t n = last - start + 1;
    bytes_put_u64(from, start);
    bytes_put_u32(most, n < s->set.batch ? (uint32_t)n : s->set.batch);
    struct frame_bytes parts[] = {{"REPLAY", 6},
                                  {t->topic, strlen(t->topic)},
                                  {s->stream, STREAM_UUID},
                                  {from, sizeof from},
                                  {most, sizeof most}};
    return ask(s, REQUEST_REPLAY, t, t->next, parts, 5, reterr);
}

/* ACK for the newest number of a topic, where its chain value is known. */
static enum burst_err ask_ack(struct subscriber *s, struct topic_state *t, struct burst_error *reterr)
{
    uint64_t seq = t->ack_want;
    uint8_t number[8];
    if (t->ring[seq % CHAIN_RING].seq != seq) {
        t->ack_done = seq;
        return BURST_OK;
    }
    bytes_put_u64(number, seq);
    struct frame_bytes parts[] = {{"ACK", 3},
                                  {t->topic, strlen(t->topic)},
                                  {s->stream, STREAM_UUID},
                                  {number, sizeof number},
                                  {t->ring[seq % CHAIN_RING].h, STREAM_CHAIN}};
    return ask(s, REQUEST_ACK, t, seq, parts, 5, reterr);
}

static bool ends_in(const char *topic, const char *end)
{
    size_t n = strlen(topic), n_end = strlen(end);
    return n >= n_end && memcmp(topic + n - n_end, end, n_end) == 0;
}

/* The next topic with something missing, among those that end in `end`. */
static struct topic_state *topic_in_turn(struct subscriber *s, const char *end, int64_t now, uint64_t *ret_last)
{
    for (size_t i = 0; i < s->n_topic; i++) {
        struct topic_state *t = &s->topic[(s->turn + i) % s->n_topic];
        if (now < t->retry_ns || !ends_in(t->topic, end) || !sequence_is_missing(t, ret_last)) continue;
        s->turn = (size_t)(t - s->topic) + 1;
        return t;
    }
    return NULL;
}

/* Topics take turns, so that a long catch-up of one does not keep another waiting; but for those that go first. */
static struct topic_state *topic_to_repair(struct subscriber *s, int64_t now, uint64_t *ret_last)
{
    struct topic_state *t = s->set.first ? topic_in_turn(s, s->set.first, now, ret_last) : NULL;
    return t ? t : topic_in_turn(s, "", now, ret_last);
}

static struct topic_state *topic_to_ack(struct subscriber *s)
{
    for (size_t i = 0; i < s->n_topic; i++)
        if (s->topic[i].ack_want > s->topic[i].ack_done) return &s->topic[i];
    return NULL;
}

enum burst_err repair_step(struct subscriber *s, struct burst_error *reterr)
{
    int64_t now = clock_mono_ns();
    enum burst_err err = s->reconnect ? repair_connect(s, reterr) : BURST_OK;
    /* Our caller may have been away: an answer that lies there is an answer. */
    bool overdue = s->request.kind && now - s->request.heard_ns > patience_ns(s);
    if (!err && overdue && !socket_has_message(s->history)) err = give_up_waiting(s, now, reterr);
    if (err || s->request.kind || s->switching || now < s->asking_ns) return err;
    if (!s->greeted) return ask_hello(s, reterr);
    if (!s->has_stream) return BURST_OK;
    if (s->n_listed < s->set.n_prefix) return ask_last(s, reterr);
    uint64_t last;
    struct topic_state *t = topic_to_repair(s, now, &last);
    if (t) return ask_replay(s, t, last, reterr);
    t = topic_to_ack(s);
    if (!t) return BURST_OK;
    /* A publisher that was restarted with its log has forgotten our name, not our number. */
    if (now - s->hello_ns > HELLO_AGAIN_S * CLOCK_NS_PER_S) return ask_hello(s, reterr);
    return ask_ack(s, t, reterr);
}

int repair_wait_ms(const struct subscriber *s, int most)
{
    int64_t now = clock_mono_ns(), until = INT64_MAX;
    if (s->request.kind) {
        until = s->request.heard_ns + patience_ns(s);
    } else {
        bool soon = !s->greeted || s->reconnect || s->n_listed < s->set.n_prefix;
        uint64_t last;
        if (soon) until = s->asking_ns;
        for (size_t i = 0; i < s->n_topic; i++) {
            const struct topic_state *t = &s->topic[i];
            if (sequence_is_missing(t, &last) && t->retry_ns < until) until = t->retry_ns;
            if (t->ack_want > t->ack_done && s->asking_ns < until) until = s->asking_ns;
        }
    }
    int64_t ms = until <= now ? 0 : (until - now) / MS_NS + 1;
    return ms < most ? (int)ms : most;
}

static bool bad_answer(struct subscriber *s, const char *what, struct subscriber_event *ev)
{
    struct burst_error why;
    (void)burst_fail(&why, BURST_E_FORMAT, "history %s: %s", s->set.history, what);
    return event_bad(s, FAULT_HISTORY, &why, "", 0, ev);
}

/* The question is answered, for better or worse. */
static void end_request(struct subscriber *s, bool fruitless)
{
    int64_t retry = clock_mono_ns() + s->set.answer_ms * MS_NS;
    struct topic_state *t = s->request.topic;
    if (s->request.kind == REQUEST_REPLAY && fruitless && t->next == s->request.seq) note_fruitless(s, t, retry);
    if (s->request.kind == REQUEST_ACK && s->request.seq > t->ack_done) t->ack_done = s->request.seq;
    if (s->request.kind == REQUEST_LAST) s->n_listed++;
    if (s->request.kind == REQUEST_HELLO && !s->greeted) s->asking_ns = retry;
    learn_patience(s);
    s->request.kind = REQUEST_NONE;
}

static bool take_ok(struct subscriber *s, struct slot *slot, struct subscriber_event *ev)
{
    if (s->request.kind == REQUEST_ACK && slot->m.n_part == 1) {
        end_request(s, false);
        return false;
    }
    if (s->request.kind != REQUEST_HELLO || slot->m.n_part != 2 || message_part(&slot->m, 1).n != STREAM_UUID)
        return bad_answer(s, "OK does not fit what was asked", ev);
    s->greeted = true;
    s->hello_ns = clock_mono_ns();
    end_request(s, false);
    if (s->has_stream || s->switching) return false; /* which log is followed is for live messages to say */
    s->switching = true;
    memcpy(s->next_stream, message_part(&slot->m, 1).bytes, STREAM_UUID);
    return false;
}

static bool take_fork(struct subscriber *s, struct subscriber_event *ev)
{
    if (s->request.kind != REQUEST_ACK) return bad_answer(s, "FORK does not fit what was asked", ev);
    struct burst_error why;
    const struct topic_state *t = s->request.topic;
    (void)burst_fail(&why, BURST_E_CONFLICT, "%s seq %llu: the publisher's log holds another message under this number",
                     t->topic, (unsigned long long)s->request.seq);
    uint64_t seq = s->request.seq;
    end_request(s, false);
    return event_bad(s, FAULT_FORK, &why, t->topic, seq, ev);
}

static bool take_gone(struct subscriber *s, struct slot *slot, struct subscriber_event *ev)
{
    struct frame_bytes earliest = message_part(&slot->m, 2);
    if (s->request.kind != REQUEST_REPLAY || slot->m.n_part != 3 || earliest.n != 8)
        return bad_answer(s, "GONE does not fit what was asked", ev);
    struct topic_state *t = s->request.topic;
    uint64_t first = bytes_get_u64(earliest.bytes), last;
    bool dropped = sequence_is_missing(t, &last) && first > t->next;
    end_request(s, !dropped);
    if (dropped) t->gap_to = first - 1 < last ? first - 1 : last;
    return false;
}

static bool take_end(struct subscriber *s, struct slot *slot, struct subscriber_event *ev)
{
    if ((s->request.kind != REQUEST_REPLAY && s->request.kind != REQUEST_LAST) || slot->m.n_part != 3)
        return bad_answer(s, "END does not fit what was asked", ev);
    end_request(s, true);
    return false;
}

static bool take_error(struct subscriber *s, struct slot *slot, struct subscriber_event *ev)
{
    char text[160];
    struct frame_bytes f = slot->m.n_part == 3 ? message_part(&slot->m, 2) : (struct frame_bytes){"", 0};
    size_t n = f.n < sizeof text - 20 ? f.n : sizeof text - 20;
    memcpy(text, "ERROR: ", 7);
    for (size_t i = 0; i < n; i++) {
        char c = ((const char *)f.bytes)[i];
        text[7 + i] = c >= 0x20 && c < 0x7f ? c : '?';
    }
    text[7 + n] = 0;
    end_request(s, true);
    return bad_answer(s, text, ev);
}

static bool take_item(struct subscriber *s, struct slot *slot, struct subscriber_event *ev)
{
    struct frame_bytes frames[MESSAGE_PARTS];
    size_t n = slot->m.n_part - 1;
    for (size_t i = 0; i < n && i + 1 < MESSAGE_PARTS; i++)
        frames[i] = message_part(&slot->m, i + 1);
    enum burst_err err = frame_parse(frames, n, &slot->item, &slot->fault, &slot->error);
    bool placed =
        slot->item.topic[0] && slot->item.seq > 0 && slot->fault != FAULT_SEQ && topic_wanted(s, slot->item.topic);
    bool made = false;
    slot->replayed = true;
    if (placed && s->request.kind == REQUEST_LAST) {
        made = sequence_newest(s, &slot->item, ev);
    } else if (placed) {
        if (err) slot_refused(slot);
        return sequence_take(s, slot, ev);
    } else if (err) {
        return event_bad_message(s, slot, &slot->error, "", 0, ev);
    }
    slot_give(s, slot);
    return made;
}

bool repair_take(struct subscriber *s, struct slot *slot, struct subscriber_event *ev)
{
    int64_t now = clock_mono_ns(), silent_ns = now - s->request.heard_ns;
    if (silent_ns > s->request.silent_ns) s->request.silent_ns = silent_ns;
    s->request.heard_ns = now;
    if (message_word(&slot->m, 0, "ITEM")) return take_item(s, slot, ev);
    bool made;
    if (message_word(&slot->m, 0, "OK"))
        made = take_ok(s, slot, ev);
    else if (message_word(&slot->m, 0, "FORK"))
        made = take_fork(s, ev);
    else if (message_word(&slot->m, 0, "GONE"))
        made = take_gone(s, slot, ev);
    else if (message_word(&slot->m, 0, "END"))
        made = take_end(s, slot, ev);
    else if (message_word(&slot->m, 0, "ERROR"))
        made = take_error(s, slot, ev);
    else
        made = bad_answer(s, "a word that is no answer", ev);
    slot_give(s, slot);
    return made;
}
