/* Numbers in order: what is given now, what is held back, what is missing, and which log it all belongs to. */
#include "base/hash.h"
#include "stream/subscriber_state.h"
#include <string.h>

#define JUMP_MOST (UINT64_C(1) << 40) /* 35 years of a thousand messages a second */

struct topic_state *sequence_find(struct subscriber *s, const char *topic)
{
    for (size_t i = 0; i < s->n_topic; i++)
        if (strcmp(s->topic[i].topic, topic) == 0) return &s->topic[i];
    return NULL;
}

bool sequence_is_full(const struct subscriber *s)
{
    return s->counts.held >= s->set.hold_most || s->counts.held_bytes >= s->set.hold_bytes;
}

bool sequence_is_missing(const struct topic_state *t, uint64_t *ret_last)
{
    uint64_t last = t->held ? t->held->item.seq - 1 : t->head;
    if (t->gap_to || last < t->next) return false;
    *ret_last = last;
    return true;
}

static struct topic_state *add_topic(struct subscriber *s, const char *topic, uint64_t next)
{
    if (s->n_topic == STREAM_TOPIC_MOST) return NULL;
    struct topic_state *t = &s->topic[s->n_topic++];
    *t = (struct topic_state){.next = next, .has_h = next == 1}; /* h(0) is known: 32 zero bytes */
    memcpy(t->topic, topic, strlen(topic) + 1);
    return t;
}

/* Where a topic without state begins. `newest`: where it begins when only what comes from now on is wanted. A topic that
 * several gateways carry has a position in the log of each: ours is the one of our stream. */
static uint64_t first_wanted(const struct subscriber *s, const char *topic, uint64_t newest)
{
    bool resumed = false;
    for (size_t i = 0; i < s->set.n_resume; i++) {
        if (strcmp(s->resume[i].topic, topic) != 0) continue;
        if (memcmp(s->resume[i].stream, s->stream, STREAM_UUID) == 0) return s->resume[i].seq + 1;
        resumed = true;
    }
    return resumed || s->set.from_start ? 1 : newest;
}

static bool too_many_topics(struct subscriber *s, const char *topic, uint64_t seq, struct subscriber_event *ev)
{
    struct burst_error why;
    (void)burst_fail(&why, BURST_E_LIMIT, "%s seq %llu would be topic %d of the stream, limit %d", topic,
                     (unsigned long long)seq, STREAM_TOPIC_MOST + 1, STREAM_TOPIC_MOST);
    return event_bad(s, FAULT_TOPIC, &why, topic, seq, ev);
}

/* The log ends before the position we were told to go on from, although it says it is the same log. */
static bool position_beyond(struct subscriber *s, struct topic_state *t, uint64_t newest, struct subscriber_event *ev)
{
    struct burst_error why;
    (void)burst_fail(&why, BURST_E_CONFLICT,
                     "%s: the position to resume from is seq %llu, but the log under the same stream ends at %llu",
                     t->topic, (unsigned long long)(t->next - 1), (unsigned long long)newest);
    t->next = newest + 1;
    t->has_h = t->next == 1;
    return event_bad(s, FAULT_POSITION, &why, t->topic, newest, ev);
}

/* Nobody has sent so many: such a number is a defect, and believing it would make all that really come too old. */
static bool jumps(const struct topic_state *t, uint64_t seq)
{
    return seq > t->next && seq - t->next > JUMP_MOST;
}

static enum burst_err fail_jump(const struct topic_state *t, uint64_t seq, struct burst_error *reterr)
{
    return burst_fail(reterr, BURST_E_RANGE, "%s: seq %llu is more than 2^40 after the next one expected, %llu",
                      t->topic, (unsigned long long)seq, (unsigned long long)t->next);
}

bool sequence_newest(struct subscriber *s, const struct stream_item *item, struct subscriber_event *ev)
{
    if (!s->has_stream || memcmp(item->stream, s->stream, STREAM_UUID) != 0) return false;
    struct topic_state *t = sequence_find(s, item->topic);
    bool fresh = !t;
    if (!t) t = add_topic(s, item->topic, first_wanted(s, item->topic, item->seq + 1));
    if (!t) return too_many_topics(s, item->topic, item->seq, ev);
    if (fresh && t->next > item->seq + 1) return position_beyond(s, t, item->seq, ev);
    if (jumps(t, item->seq)) {
        struct burst_error why;
        (void)fail_jump(t, item->seq, &why);
        return event_bad(s, FAULT_SEQ, &why, t->topic, 0, ev);
    }
    if (item->seq > t->head) t->head = item->seq;
    return false;
}

static bool listed(const struct subscriber *s)
{
    return s->n_listed == s->set.n_prefix;
}

/* The state of a numbered message's topic, made where it is new. NULL with an event in ev, or without room. */
static struct topic_state *topic_of(struct subscriber *s, const struct stream_item *item, struct subscriber_event *ev,
                                    bool *ret_event)
{
    *ret_event = false;
    struct topic_state *t = sequence_find(s, item->topic);
    if (t) return t;
    /* A topic that LAST did not name has begun since: all of it is wanted. */
    t = add_topic(s, item->topic, first_wanted(s, item->topic, listed(s) ? 1 : item->seq));
    if (!t) {
        *ret_event = too_many_topics(s, item->topic, item->seq, ev);
        return NULL;
    }
    if (listed(s) && t->next > item->seq) *ret_event = position_beyond(s, t, item->seq - 1, ev);
    return t;
}

/* Chain and signature. Writes slot->fault and slot->error. After a refusal the chain is taken up again from the next seal,
 * so that one broken message does not condemn those after it. */
static void check_seal(struct subscriber *s, struct topic_state *t, struct slot *slot)
{
    const struct stream_item *item = &slot->item;
    uint8_t h[STREAM_CHAIN];
    bool known = t->has_h;
    if (known) seal_next(t->h, item, h);
    if (item->seal && known && memcmp(h, item->seal, STREAM_CHAIN) != 0) {
        slot->fault = FAULT_CHAIN;
        (void)burst_fail(&slot->error, BURST_E_CONFLICT,
                         "%s seq %llu: frame 3 (seal) does not follow from the message before", item->topic,
                         (unsigned long long)item->seq);
    } else if (s->set.public_key && (!item->seal || !seal_signed_by(item->seal, s->public_key))) {
        slot->fault = FAULT_SIGNATURE;
        (void)burst_fail(&slot->error, BURST_E_AUTH, "%s seq %llu: frame 3 (seal) is %s", item->topic,
                         (unsigned long long)item->seq, item->seal ? "not signed by the expected key" : "absent");
    }
    t->has_h = !slot->fault && (known || item->seal);
    if (t->has_h) memcpy(t->h, item->seal ? item->seal : h, STREAM_CHAIN);
}

/* Whether the topic had this body before; notes it. */
static bool is_repeat(struct subscriber *s, const char *topic, const uint8_t sha256[32])
{
    const struct hash_piece pieces[] = {{topic, strlen(topic)}, {sha256, 32}};
    uint8_t digest[16];
    if (s->set.repeat_most == 0) return false;
    hash_blake2b(pieces, 2, sizeof digest, digest);
    size_t n = s->n_repeat < s->set.repeat_most ? s->n_repeat : s->set.repeat_most;
    for (size_t i = 0; i < n; i++)
        if (memcmp(s->repeat[i], digest, sizeof digest) == 0) return true;
    memcpy(s->repeat[s->n_repeat++ % s->set.repeat_most], digest, sizeof digest);
    return false;
}

/* Whether a number that was given not long ago comes again with another body: one of the two is a defect or a forgery. */
static bool is_rewritten(const struct topic_state *t, const struct slot *slot)
{
    size_t at = slot->item.seq % CHAIN_RING;
    uint8_t sha256[32];
    if (slot->fault || t->body[at].seq != slot->item.seq) return false;
    hash_sha256(&(struct hash_piece){slot->item.body, slot->item.n_body}, 1, sha256);
    return memcmp(sha256, t->body[at].sha256, sizeof sha256) != 0;
}

static bool refuse_rewritten(struct subscriber *s, struct slot *slot, struct subscriber_event *ev)
{
    slot->fault = FAULT_REWRITTEN;
    (void)burst_fail(&slot->error, BURST_E_CONFLICT, "%s seq %llu came before with another body; the first one stands",
                     slot->item.topic, (unsigned long long)slot->item.seq);
    return event_bad_message(s, slot, &slot->error, "", 0, ev); /* its number has been told already */
}

static bool give_message(struct subscriber *s, struct slot *slot, struct topic_state *t, struct subscriber_event *ev)
{
    struct hash_piece body = {slot->item.body, slot->item.n_body};
    *ev = (struct subscriber_event){.kind = SUBSCRIBER_MESSAGE, .item = slot->item, .replayed = slot->replayed};
    hash_sha256(&body, 1, ev->sha256);
    if (t) {
        t->body[slot->item.seq % CHAIN_RING].seq = slot->item.seq;
        memcpy(t->body[slot->item.seq % CHAIN_RING].sha256, ev->sha256, sizeof ev->sha256);
    }
    if (t && is_repeat(s, slot->item.topic, ev->sha256)) {
        ev->kind = SUBSCRIBER_DUPLICATE;
        s->counts.repeats++;
    } else {
        s->counts.messages++;
    }
    memcpy(ev->topic, slot->item.topic, sizeof ev->topic);
    ev->from = ev->to = slot->item.seq;
    memcpy(ev->stream, slot->item.stream, STREAM_UUID);
    s->counts.replayed += slot->replayed;
    s->current = slot;
    return true;
}

/* The turn of this message has come. */
static bool give(struct subscriber *s, struct topic_state *t, struct slot *slot, struct subscriber_event *ev)
{
    t->next = slot->item.seq + 1;
    t->attempts = 0;
    t->retry_ns = 0;
    if (slot->fault)
        t->has_h = false; /* it was not read whole */
    else
        check_seal(s, t, slot);
    if (t->has_h) {
        t->ring[slot->item.seq % CHAIN_RING].seq = slot->item.seq;
        memcpy(t->ring[slot->item.seq % CHAIN_RING].h, t->h, STREAM_CHAIN);
    }
    if (!slot->fault) return give_message(s, slot, t, ev);
    return event_bad_message(s, slot, &slot->error, slot->item.topic, slot->item.seq, ev);
}

static bool is_other_body(const struct slot *held, const struct slot *slot)
{
    if (held->fault || slot->fault) return false;
    size_t n = held->item.n_body;
    return n != slot->item.n_body || (n && memcmp(held->item.body, slot->item.body, n) != 0);
}

/* Whether an event was made. */
static bool hold(struct subscriber *s, struct topic_state *t, struct slot *slot, struct subscriber_event *ev)
{
    struct slot **at = &t->held;
    while (*at && (*at)->item.seq < slot->item.seq)
        at = &(*at)->next;
    bool seen = *at && (*at)->item.seq == slot->item.seq;
    s->counts.duplicates += seen;
    if (seen && is_other_body(*at, slot)) return refuse_rewritten(s, slot, ev);
    if (seen || sequence_is_full(s)) { /* what is not held is fetched from history in its turn */
        s->counts.not_held += !seen;
        slot_give(s, slot);
        return false;
    }
    slot->next = *at;
    *at = slot;
    s->counts.held++;
    s->counts.held_bytes += slot->item.n_body;
    return false;
}

enum admission { ADMITTED, PARKED, REFUSED };

static bool is_retired(const struct subscriber *s, const uint8_t stream[STREAM_UUID])
{
    size_t n = s->n_retired < RETIRED_MOST ? s->n_retired : RETIRED_MOST;
    for (size_t i = 0; i < n; i++)
        if (memcmp(s->retired[i], stream, STREAM_UUID) == 0) return true;
    return false;
}

/* Whether the message belongs to the stream we follow. A new stream is taken from live messages alone: they come in order,
 * so that nothing of the old stream is still on its way behind them; history may know the new log sooner. */
static enum admission admit(struct subscriber *s, struct slot *slot)
{
    if (s->has_stream && memcmp(slot->item.stream, s->stream, STREAM_UUID) == 0) return ADMITTED;
    if (slot->replayed || is_retired(s, slot->item.stream)) return REFUSED;
    s->switching = true;
    memcpy(s->next_stream, slot->item.stream, STREAM_UUID);
    s->parked = slot;
    return PARKED;
}

static bool refuse_stream(struct subscriber *s, struct slot *slot, struct subscriber_event *ev)
{
    if (!slot->replayed) {
        slot->fault = FAULT_STREAM;
        (void)burst_fail(&slot->error, BURST_E_CONFLICT,
                         "%s seq %llu belongs to a stream that another one has replaced", slot->item.topic,
                         (unsigned long long)slot->item.seq);
        /* Its number says nothing about the stream we follow. */
        return event_bad_message(s, slot, &slot->error, "", 0, ev);
    }
    slot_give(s, slot);
    return false;
}

bool sequence_take(struct subscriber *s, struct slot *slot, struct subscriber_event *ev)
{
    const struct stream_item *item = &slot->item;
    if (item->seq == 0) return give_message(s, slot, NULL, ev); /* provisional: outside every order */
    enum admission admission = admit(s, slot);
    if (admission == PARKED) return false;
    if (admission == REFUSED) return refuse_stream(s, slot, ev);
    bool made;
    struct topic_state *t = topic_of(s, item, ev, &made);
    if (!t) {
        slot_give(s, slot);
        return made;
    }
    if (!made && jumps(t, item->seq)) {
        slot->fault = FAULT_SEQ;
        (void)fail_jump(t, item->seq, &slot->error);
        return event_bad_message(s, slot, &slot->error, t->topic, 0, ev);
    }
    if (item->seq > t->head) t->head = item->seq;
    if (item->seq < t->next) {
        s->counts.duplicates++;
        if (!made && is_rewritten(t, slot)) return refuse_rewritten(s, slot, ev);
        slot_give(s, slot);
    } else if (item->seq > t->next || t->gap_to || made) {
        return hold(s, t, slot, ev) || made; /* made: the topic is new, nothing is held that could make another event */
    } else {
        return give(s, t, slot, ev);
    }
    return made;
}

/* Note what the heartbeat says exists; keep the data times of topics of which nothing is missing here. */
static void note_heartbeat(struct subscriber *s, struct subscriber_event *ev)
{
    const struct heartbeat *beat = &s->beat;
    for (size_t i = 0; i < beat->n_last; i++) {
        struct topic_state *t = sequence_find(s, beat->last[i].topic);
        if (!t && listed(s) && topic_wanted(s, beat->last[i].topic))
            t = add_topic(s, beat->last[i].topic, first_wanted(s, beat->last[i].topic, 1));
        if (t && beat->last[i].seq > t->head) t->head = beat->last[i].seq;
    }
    ev->data_time = s->data_time;
    for (size_t i = 0; i < beat->n_data_time; i++) {
        const struct topic_state *t = sequence_find(s, beat->data_time[i].topic);
        uint64_t last;
        if (topic_wanted(s, beat->data_time[i].topic) && (t ? !t->gap_to && !sequence_is_missing(t, &last) : listed(s)))
            s->data_time[ev->n_data_time++] = beat->data_time[i];
    }
}

/* BURST_E_RANGE: it names numbers that cannot be. */
static enum burst_err check_beat(const struct subscriber *s, const struct slot *slot, struct burst_error *reterr)
{
    if (!s->has_stream || memcmp(slot->item.stream, s->stream, STREAM_UUID) != 0) return BURST_OK;
    for (size_t i = 0; i < s->beat.n_last; i++)
        for (size_t k = 0; k < s->n_topic; k++)
            if (strcmp(s->topic[k].topic, s->beat.last[i].topic) == 0 && jumps(&s->topic[k], s->beat.last[i].seq))
                return fail_jump(&s->topic[k], s->beat.last[i].seq, reterr);
    return BURST_OK;
}

bool sequence_heartbeat(struct subscriber *s, struct slot *slot, struct subscriber_event *ev)
{
    struct burst_error why;
    enum burst_err err = heartbeat_parse(slot->item.body, slot->item.n_body, &s->beat, &why);
    if (!err && memcmp(s->beat.stream, slot->item.stream, STREAM_UUID) != 0)
        err = burst_fail(&why, BURST_E_FORMAT, "heartbeat: \"stream\" is not the stream of its header");
    if (!err) err = check_beat(s, slot, &why);
    if (err) {
        slot->fault = FAULT_BEAT;
        return event_bad_message(s, slot, &why, STREAM_HEARTBEAT, 0, ev);
    }
    enum admission admission = admit(s, slot);
    if (admission == PARKED) return false;
    if (admission == REFUSED) return refuse_stream(s, slot, ev);
    *ev = (struct subscriber_event){.kind = SUBSCRIBER_HEARTBEAT, .item = slot->item, .text = s->beat_text};
    memcpy(s->beat_text, slot->item.body, slot->item.n_body);
    s->beat_text[slot->item.n_body] = 0;
    ev->n_text = slot->item.n_body;
    memcpy(ev->topic, STREAM_HEARTBEAT, sizeof STREAM_HEARTBEAT);
    memcpy(ev->stream, slot->item.stream, STREAM_UUID);
    s->counts.heartbeats++;
    note_heartbeat(s, ev);
    s->current = slot;
    return true;
}

static bool give_gap(struct subscriber *s, struct topic_state *t, struct subscriber_event *ev)
{
    *ev = (struct subscriber_event){.kind = SUBSCRIBER_GAP, .from = t->next, .to = t->gap_to};
    memcpy(ev->topic, t->topic, sizeof ev->topic);
    memcpy(ev->stream, s->stream, STREAM_UUID);
    s->counts.gaps++;
    s->counts.lost += ev->to - ev->from + 1;
    t->next = t->gap_to + 1;
    t->gap_to = 0;
    t->has_h = false;
    t->attempts = 0;
    t->retry_ns = 0;
    return true;
}

/* Everything of the old stream has been given or given up: begin the new one. What it has said so far is all new to us. */
static bool switch_stream(struct subscriber *s, struct subscriber_event *ev)
{
    if (s->has_stream) {
        memcpy(s->retired[s->n_retired++ % RETIRED_MOST], s->stream, STREAM_UUID);
        for (size_t i = 0; i < s->n_topic; i++) {
            char topic[STREAM_TOPIC_TEXT];
            memcpy(topic, s->topic[i].topic, sizeof topic);
            s->topic[i] = (struct topic_state){.next = 1, .has_h = true};
            memcpy(s->topic[i].topic, topic, sizeof topic);
        }
        s->n_repeat = 0; /* a new log may bring the same again, and mean it: a replay that begins further back */
        s->set.n_resume = 0;
        s->set.from_start = true;
        s->reconnect = true; /* whoever was asked last has gone with its log */
    }
    s->has_stream = true;
    s->switching = false;
    memcpy(s->stream, s->next_stream, STREAM_UUID);
    s->counts.streams++;
    *ev = (struct subscriber_event){.kind = SUBSCRIBER_STREAM};
    memcpy(ev->stream, s->stream, STREAM_UUID);
    return true;
}

static struct slot *unhold(struct subscriber *s, struct topic_state *t)
{
    struct slot *slot = t->held;
    t->held = slot->next;
    s->counts.held--;
    s->counts.held_bytes -= slot->item.n_body;
    return slot;
}

/* Forget what history gave meanwhile, unless it gave something else (then there is an event); keep a gap from reaching over what came after it was declared. */
static bool tidy_held(struct subscriber *s, struct topic_state *t, struct subscriber_event *ev)
{
    while (t->held && t->held->item.seq < t->next) {
        struct slot *slot = unhold(s, t);
        s->counts.duplicates++;
        if (is_rewritten(t, slot)) return refuse_rewritten(s, slot, ev);
        slot_give(s, slot);
    }
    if (t->gap_to && t->held && t->held->item.seq <= t->gap_to)
        t->gap_to = t->held->item.seq == t->next ? 0 : t->held->item.seq - 1;
    return false;
}

static bool ready_topic(struct subscriber *s, struct topic_state *t, struct subscriber_event *ev)
{
    uint64_t last;
    if (tidy_held(s, t, ev)) return true;
    if (s->switching && sequence_is_missing(t, &last)) t->gap_to = last; /* nobody can give it any more */
    if (t->gap_to) return give_gap(s, t, ev);
    if (!t->held || t->held->item.seq != t->next) return false;
    return give(s, t, unhold(s, t), ev);
}

bool sequence_ready(struct subscriber *s, struct subscriber_event *ev)
{
    for (size_t i = 0; i < s->n_topic; i++)
        if (ready_topic(s, &s->topic[i], ev)) return true;
    if (s->switching) return switch_stream(s, ev);
    if (!s->parked) return false;
    struct slot *slot = s->parked;
    s->parked = NULL;
    if (strcmp(slot->item.topic, STREAM_HEARTBEAT) == 0) return sequence_heartbeat(s, slot, ev);
    return sequence_take(s, slot, ev);
}
