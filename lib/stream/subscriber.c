#include "stream/subscriber.h"
#include "base/clock.h"
#include "stream/subscriber_state.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define MS_NS (CLOCK_NS_PER_S / 1000)
enum { WAIT_MOST = 16, LIVE_HWM = 256 };
#define REFUSED_MOST (2 * FRAME_BODY_MAX) /* bytes of a refused message that are kept until its turn */

void subscriber_defaults(struct subscriber_settings *ret_settings)
{
    *ret_settings = (struct subscriber_settings){
        .name = "burst",
        .batch = 64,
        .hold_most = 256,
        .hold_bytes = (size_t)64 << 20,
        .answer_ms = 2000,
        .attempts = 4,
        .silent_ms = 5000,
        .repeat_most = 4096,
    };
}

struct slot *slot_take(struct subscriber *s)
{
    struct slot *slot = s->free; /* never empty: as many are spare as can be outside hold and pool at once */
    s->free = slot->next;
    slot->next = NULL;
    slot->replayed = false;
    slot->fault = FAULT_NONE;
    return slot;
}

void slot_give(struct subscriber *s, struct slot *slot)
{
    message_clear(&slot->m);
    slot->next = s->free;
    s->free = slot;
}

bool event_bad(struct subscriber *s, enum frame_fault fault, const struct burst_error *error, const char *topic,
               uint64_t seq, struct subscriber_event *ev)
{
    *ev = (struct subscriber_event){.kind = SUBSCRIBER_BAD, .from = seq, .to = seq, .fault = fault, .error = *error};
    ev->n_fault = ++s->counts.bad[fault];
    memcpy(ev->stream, s->stream, STREAM_UUID);
    memmove(ev->topic, topic, strlen(topic) + 1);
    return true;
}

bool event_bad_message(struct subscriber *s, struct slot *slot, const struct burst_error *error, const char *topic,
                       uint64_t seq, struct subscriber_event *ev)
{
    size_t first = slot->replayed ? 1 : 0; /* after the word ITEM */
    (void)event_bad(s, slot->fault, error, topic, seq, ev);
    for (size_t i = first; i < slot->m.n_part && i < MESSAGE_PARTS; i++)
        ev->frame[ev->n_frame++] = message_part(&slot->m, i);
    ev->n_frame_seen = slot->m.n_part - (slot->m.n_part ? first : 0);
    s->current = slot;
    return true;
}

void slot_refused(struct slot *slot)
{
    size_t n = 0;
    for (size_t i = 0; i < slot->m.n_part && i < MESSAGE_PARTS; i++)
        n += message_part(&slot->m, i).n;
    if (n > REFUSED_MOST) message_clear(&slot->m);
    slot->item.body = NULL; /* the frames were not understood: they have a size, no meaning */
    slot->item.n_body = n > REFUSED_MOST ? 0 : n;
}

bool topic_wanted(const struct subscriber *s, const char *topic)
{
    for (size_t i = 0; i < s->set.n_prefix; i++)
        if (strncmp(topic, s->prefix[i], strlen(s->prefix[i])) == 0) return true;
    return false;
}

static enum burst_err check_numbers(const struct subscriber_settings *s, struct burst_error *reterr)
{
    const struct {
        const char *name;
        size_t value, least, most;
    } row[] = {{"n_prefix", s->n_prefix, 1, PREFIX_MOST},
               {"batch", s->batch, 1, 10000},
               {"hold_most", s->hold_most, 1, 65536},
               {"hold_bytes", s->hold_bytes, 1, SIZE_MAX},
               {"answer_ms", (size_t)s->answer_ms, 10, 600000},
               {"attempts", (size_t)s->attempts, 1, 1000},
               {"silent_ms", (size_t)s->silent_ms, 100, 600000},
               {"repeat_most", s->repeat_most, 0, 65536},
               {"n_resume", s->n_resume, 0, 4096}};
    for (size_t i = 0; i < sizeof row / sizeof *row; i++)
        if (row[i].value < row[i].least || row[i].value > row[i].most)
            return burst_fail(reterr, BURST_E_RANGE, "subscriber: %s is %zd, allowed %zu to %zu", row[i].name,
                              (ssize_t)row[i].value, row[i].least, row[i].most);
    return BURST_OK;
}

static enum burst_err check_texts(const struct subscriber_settings *s, struct burst_error *reterr)
{
    if (!s->name || !*s->name || strlen(s->name) >= CLIENT_NAME_TEXT)
        return burst_fail(reterr, BURST_E_FORMAT, "subscriber: name \"%.70s\" has not 1 to %d characters",
                          s->name ? s->name : "", CLIENT_NAME_TEXT - 1);
    for (const char *p = s->name; *p; p++)
        if (*p < 0x20 || *p >= 0x7f)
            return burst_fail(reterr, BURST_E_FORMAT, "subscriber: name has a character that is not printable ASCII");
    for (size_t i = 0; i < s->n_prefix; i++)
        if (strncmp(s->prefix[i], "burst", 5) != 0 || strlen(s->prefix[i]) >= STREAM_TOPIC_TEXT)
            return burst_fail(reterr, BURST_E_FORMAT,
                              "subscriber: topic prefix \"%.60s\" does not start with \"burst\" or is longer than %d",
                              s->prefix[i], STREAM_TOPIC_TEXT - 1);
    enum burst_err err = stream_check_endpoint(s->live, reterr);
    return err ? err : stream_check_endpoint(s->history, reterr);
}

static enum burst_err copy_settings(struct subscriber *s, const struct subscriber_settings *set,
                                    struct burst_error *reterr)
{
    s->set = *set;
    memcpy(s->name, set->name, strlen(set->name) + 1);
    memcpy(s->live_text, set->live, strlen(set->live) + 1);
    memcpy(s->history_text, set->history, strlen(set->history) + 1);
    for (size_t i = 0; i < set->n_prefix; i++)
        memcpy(s->prefix[i], set->prefix[i], strlen(set->prefix[i]) + 1);
    s->set.name = s->name;
    s->set.live = s->live_text;
    s->set.history = s->history_text;
    s->set.prefix = NULL;
    if (set->public_key) memcpy(s->public_key, set->public_key, SEAL_PUBLIC);
    s->resume = calloc(set->n_resume + 1, sizeof *s->resume);
    s->repeat = calloc(set->repeat_most + 1, sizeof *s->repeat);
    s->beat_text = malloc(HEARTBEAT_MOST + 1);
    s->pool = calloc(set->hold_most + SLOT_SPARE, sizeof *s->pool);
    if (!s->resume || !s->repeat || !s->beat_text || !s->pool)
        return burst_fail(reterr, BURST_E_NOMEM, "no memory for a subscriber that holds %zu messages", set->hold_most);
    if (set->n_resume) memcpy(s->resume, set->resume, set->n_resume * sizeof *s->resume);
    for (size_t i = 0; i < set->hold_most + SLOT_SPARE; i++)
        slot_give(s, &s->pool[i]);
    return BURST_OK;
}

/* A fresh live socket in place of the one there is. */
static enum burst_err live_connect(struct subscriber *s, struct burst_error *reterr)
{
    void *fresh;
    struct socket_options o = {
        .endpoint = s->set.live, .type = ZMQ_SUB, .hwm = LIVE_HWM, .most_bytes = SOCKET_FRAME_MOST};
    enum burst_err err = socket_open(s->context, &o, &fresh, reterr);
    if (err) return err;
    bool good = zmq_setsockopt(fresh, ZMQ_SUBSCRIBE, STREAM_HEARTBEAT, strlen(STREAM_HEARTBEAT)) == 0;
    for (size_t i = 0; i < s->set.n_prefix; i++)
        good = zmq_setsockopt(fresh, ZMQ_SUBSCRIBE, s->prefix[i], strlen(s->prefix[i])) == 0 && good;
    if (!good) err = burst_fail(reterr, BURST_E_NET, "cannot subscribe: %s", zmq_strerror(zmq_errno()));
    socket_close(err ? &fresh : &s->live);
    if (!err) s->live = fresh;
    s->live_ns = clock_mono_ns();
    return err;
}

/* libzmq 4.3.4 never connects again after a peer that broke its protocol (a frame over the limit, bytes that are no ZMTP): its
 * session ends in silence. A gateway says something every second, so silence is the sign, whatever its reason. */
static enum burst_err live_check(struct subscriber *s, struct burst_error *reterr)
{
    if (clock_mono_ns() - s->live_ns < s->set.silent_ms * MS_NS) return BURST_OK;
    s->counts.reconnects++;
    return live_connect(s, reterr);
}

enum burst_err subscriber_open(struct stream_context *context, const struct subscriber_settings *settings,
                               struct subscriber **ret_s, struct burst_error *reterr)
{
    enum burst_err err = check_numbers(settings, reterr);
    if (!err) err = check_texts(settings, reterr);
    if (err) return err;
    struct subscriber *s = calloc(1, sizeof *s);
    if (!s) return burst_fail(reterr, BURST_E_NOMEM, "no memory for a subscriber");
    s->context = context;
    err = copy_settings(s, settings, reterr);
    if (!err) err = live_connect(s, reterr);
    if (!err) err = repair_connect(s, reterr);
    if (err) {
        subscriber_close(s);
        return err;
    }
    *ret_s = s;
    return BURST_OK;
}

void subscriber_close(struct subscriber *s)
{
    if (!s) return;
    for (size_t i = 0; s->pool && i < s->set.hold_most + SLOT_SPARE; i++)
        message_clear(&s->pool[i].m);
    socket_close(&s->live);
    socket_close(&s->history);
    free(s->pool);
    free(s->beat_text);
    free(s->repeat);
    free(s->resume);
    free(s);
}

bool live_take(struct subscriber *s, struct slot *slot, struct subscriber_event *ev)
{
    struct frame_bytes frames[MESSAGE_PARTS];
    for (size_t i = 0; i < slot->m.n_part && i < MESSAGE_PARTS; i++)
        frames[i] = message_part(&slot->m, i);
    enum burst_err err = frame_parse(frames, slot->m.n_part, &slot->item, &slot->fault, &slot->error);
    const struct stream_item *item = &slot->item;
    if (!err && strcmp(item->topic, STREAM_HEARTBEAT) == 0) {
        s->counts.heartbeat_mono_ns = clock_mono_ns();
        return sequence_heartbeat(s, slot, ev);
    }
    bool placed = item->topic[0] && item->seq > 0 && slot->fault != FAULT_SEQ && topic_wanted(s, item->topic);
    if (placed && err) slot_refused(slot);
    if (placed || (!err && topic_wanted(s, item->topic))) return sequence_take(s, slot, ev);
    if (err) return event_bad_message(s, slot, &slot->error, item->topic, slot->fault == FAULT_SEQ ? 0 : item->seq, ev);
    slot_give(s, slot);
    return false;
}

/* Nothing more can be held, or a change of stream is under way: what comes live now is shed, and history has it. */
static bool live_is_open(const struct subscriber *s)
{
    return !s->parked && !s->switching && !sequence_is_full(s);
}

void subscriber_shed(struct subscriber *s)
{
    struct slot *slot = slot_take(s);
    while (message_receive(s->live, &slot->m, NULL) == BURST_OK) {
        s->counts.shed++;
        s->live_ns = clock_mono_ns();
        if (message_word(&slot->m, 0, STREAM_HEARTBEAT)) s->counts.heartbeat_mono_ns = clock_mono_ns();
    }
    slot_give(s, slot);
}

/* Receive one message, history first: it fills the holes that hold the others back. *ret_got: there was one. */
static enum burst_err receive_one(struct subscriber *s, struct subscriber_event *ev, bool *ret_got, bool *ret_made,
                                  struct burst_error *reterr)
{
    *ret_got = *ret_made = false;
    if (!live_is_open(s)) subscriber_shed(s);
    for (int live = 0; live <= live_is_open(s); live++) {
        struct slot *slot = slot_take(s);
        enum burst_err err = message_receive(live ? s->live : s->history, &slot->m, reterr);
        if (err) {
            slot_give(s, slot);
            if (err == BURST_E_TIMEOUT) err = live ? live_check(s, reterr) : BURST_OK;
            if (!err) continue;
            return err;
        }
        *ret_got = true;
        if (live) s->live_ns = clock_mono_ns();
        *ret_made = live ? live_take(s, slot, ev) : repair_take(s, slot, ev);
        return BURST_OK;
    }
    return BURST_OK;
}

static enum burst_err wait_for(struct subscriber *const *s, size_t n, int64_t deadline_ns, struct burst_error *reterr)
{
    zmq_pollitem_t poll[2 * WAIT_MOST];
    int n_poll = 0;
    int64_t now = clock_mono_ns();
    int ms = deadline_ns <= now ? 0 : (int)((deadline_ns - now + MS_NS - 1) / MS_NS);
    for (size_t i = 0; i < n; i++) {
        poll[n_poll++] = (zmq_pollitem_t){.socket = s[i]->history, .events = ZMQ_POLLIN};
        poll[n_poll++] = (zmq_pollitem_t){.socket = s[i]->live, .events = ZMQ_POLLIN};
        ms = repair_wait_ms(s[i], ms);
    }
    if (zmq_poll(poll, n_poll, ms) >= 0 || zmq_errno() == EINTR) return BURST_OK;
    return burst_fail(reterr, BURST_E_NET, "poll refused: %s", zmq_strerror(zmq_errno()));
}

enum burst_err subscriber_next(struct subscriber *s, int timeout_ms, struct subscriber_event *ret_event,
                               struct burst_error *reterr)
{
    int64_t deadline = clock_mono_ns() + timeout_ms * MS_NS;
    if (s->current) slot_give(s, s->current);
    s->current = NULL;
    for (bool last_turn = false;;) {
        bool got, made;
        if (sequence_ready(s, ret_event)) return BURST_OK;
        enum burst_err err = repair_step(s, reterr);
        if (!err) err = receive_one(s, ret_event, &got, &made, reterr);
        if (err) return err;
        if (made) return BURST_OK;
        if (got) continue;
        if (last_turn) return burst_fail(reterr, BURST_E_TIMEOUT, "nothing came in %d ms", timeout_ms);
        err = wait_for(&s, 1, deadline, reterr);
        if (err) return err;
        last_turn = clock_mono_ns() >= deadline; /* look once more, so that a timeout of 0 sees what is there */
    }
}

enum burst_err subscriber_wait(struct subscriber *const *s, size_t n, int timeout_ms, struct burst_error *reterr)
{
    if (n == 0 || n > WAIT_MOST)
        return burst_fail(reterr, BURST_E_LIMIT, "%zu subscribers to wait for, allowed 1 to %d", n, WAIT_MOST);
    return wait_for(s, n, clock_mono_ns() + timeout_ms * MS_NS, reterr);
}

enum burst_err subscriber_ack(struct subscriber *s, const char *topic, uint64_t seq, struct burst_error *reterr)
{
    struct topic_state *t = sequence_find(s, topic);
    if (!t) return burst_fail(reterr, BURST_E_MISSING, "no message of \"%.60s\" was ever given", topic);
    if (seq == 0 || seq >= t->next)
        return burst_fail(reterr, BURST_E_RANGE, "%s: seq %llu was not given yet, the newest is %llu", topic,
                          (unsigned long long)seq, (unsigned long long)(t->next - 1));
    if (seq > t->ack_want) t->ack_want = seq;
    return BURST_OK;
}

void subscriber_counts(const struct subscriber *s, struct subscriber_counts *ret_counts)
{
    *ret_counts = s->counts;
}

size_t subscriber_positions(const struct subscriber *s, struct stream_position *ret_positions, size_t most)
{
    size_t n = s->n_topic < most ? s->n_topic : most;
    for (size_t i = 0; i < n; i++) {
        memcpy(ret_positions[i].topic, s->topic[i].topic, STREAM_TOPIC_TEXT);
        memcpy(ret_positions[i].stream, s->stream, STREAM_UUID);
        ret_positions[i].seq = s->topic[i].next - 1;
    }
    return n;
}
