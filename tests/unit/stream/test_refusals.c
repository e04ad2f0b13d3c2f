/* Bad messages, one by one: each is told once, in its place where that is known, and everything else goes on. */
#include "base/bytes.h"
#include "rig.h"
#include "stream/seal.h"

/* Which message the relay spoils, and how. */
static int spoil_n;
static void (*spoil)(struct rig_message *m);

static void set_part(struct rig_message *m, int i, const void *bytes, size_t n)
{
    zmq_msg_close(&m->part[i]);
    zmq_msg_init_size(&m->part[i], n);
    if (bytes)
        memcpy(zmq_msg_data(&m->part[i]), bytes, n);
    else
        memset(zmq_msg_data(&m->part[i]), 0, n);
}

static uint8_t *header(struct rig_message *m)
{
    static uint8_t copy[FRAME_HEADER]; /* parts are shared between copies of a message: change a copy */
    memcpy(copy, zmq_msg_data(&m->part[1]), FRAME_HEADER);
    return copy;
}

static void spoil_one(struct rig *r, struct rig_message *m, int n)
{
    if (n == spoil_n) spoil(m);
    rig_send_on(r, m);
}

static void wrong_magic(struct rig_message *m)
{
    uint8_t *h = header(m);
    h[0] = 'X';
    set_part(m, 1, h, FRAME_HEADER);
}
static void wrong_version(struct rig_message *m)
{
    uint8_t *h = header(m);
    h[4] = 9;
    set_part(m, 1, h, FRAME_HEADER);
}
static void short_header(struct rig_message *m)
{
    set_part(m, 1, header(m), 39);
}
static void unknown_flag(struct rig_message *m)
{
    uint8_t *h = header(m);
    h[5] = 128;
    set_part(m, 1, h, FRAME_HEADER);
}
static void unknown_content(struct rig_message *m)
{
    uint8_t *h = header(m);
    h[7] = 77;
    set_part(m, 1, h, FRAME_HEADER);
}
static void number_0(struct rig_message *m)
{
    uint8_t *h = header(m);
    bytes_put_u64(h + 24, 0);
    set_part(m, 1, h, FRAME_HEADER);
}
static void before_1970(struct rig_message *m)
{
    uint8_t *h = header(m);
    bytes_put_u64(h + 32, UINT64_MAX);
    set_part(m, 1, h, FRAME_HEADER);
}
static void two_frames(struct rig_message *m)
{
    zmq_msg_close(&m->part[2]);
    zmq_msg_close(&m->part[3]);
    m->n_part = 2;
}
static void seven_frames(struct rig_message *m)
{
    for (; m->n_part < 7; m->n_part++)
        zmq_msg_init(&m->part[m->n_part]);
}
static void short_seal(struct rig_message *m)
{
    set_part(m, 3, NULL, 95);
}
static void other_body(struct rig_message *m)
{
    set_part(m, 2, "forged", 6);
}
static void body_of_17_mib(struct rig_message *m)
{
    set_part(m, 2, NULL, (size_t)17 << 20);
}

/* The second of five is spoiled. Not placed: history gives the good one. Placed: its number is used up. */
static void check_spoiled(void (*how)(struct rig_message *), enum frame_fault fault, const char *part, bool placed)
{
    struct rig r;
    rig_begin(&r);
    spoil = how;
    spoil_n = 2;
    r.policy = spoil_one;
    rig_send(&r, 1, 5);
    rig_expect(&r, 1, 1);
    rig_expect_bad(&r, fault, part);
    rig_expect(&r, placed ? 3 : 2, 5);
    struct subscriber_counts c = rig_counts(&r);
    for (int i = 0; i < FAULT_N; i++)
        CHECK_INT(c.bad[i], i == (int)fault);
    CHECK_INT(c.gaps, 0);
    if (placed) CHECK_INT(c.replayed, 0);
    rig_close(&r);
}

TEST(every_broken_rule_is_told_and_history_gives_the_good_message)
{
    check_spoiled(wrong_magic, FAULT_MAGIC, "\"XRST\", not \"BRST\"", false);
    check_spoiled(wrong_version, FAULT_VERSION, "is 9, not 1", false);
    check_spoiled(short_header, FAULT_HEADER, "has 39 bytes, not 40", false);
    check_spoiled(unknown_flag, FAULT_FLAGS, "0x80", false);
    check_spoiled(unknown_content, FAULT_CONTENT, "content 77", false);
    check_spoiled(number_0, FAULT_SEQ, "numbers start at 1", false);
    check_spoiled(before_1970, FAULT_TIME, "sent_ns is -1", false);
    check_spoiled(two_frames, FAULT_COUNT, "of 2 frames", false);
    check_spoiled(seven_frames, FAULT_COUNT, "of 7 frames", false);
}

TEST(a_message_that_can_be_placed_is_refused_once_and_not_asked_again)
{
    check_spoiled(short_seal, FAULT_SEAL, "seq 2: frame 3 (seal) has 95 bytes, not 96", true);
    check_spoiled(other_body, FAULT_CHAIN, "seq 2: frame 3 (seal) does not follow", true);
}

TEST(a_body_of_17_mib_is_refused_without_losing_the_connection)
{
    check_spoiled(body_of_17_mib, FAULT_BODY, "seq 2: frame 2 (body) has 17825792 bytes, limit 16777216", true);
}

TEST(a_refused_message_says_where_it_belongs_and_how_many_there_were)
{
    struct rig r;
    struct subscriber_event ev;
    rig_begin(&r);
    spoil = short_seal;
    r.policy = spoil_one;
    for (int i = 1; i <= 3; i++) {
        spoil_n = i;
        rig_send(&r, i, i);
        if (!rig_next(&r, &ev)) break;
        CHECK_INT(ev.kind, SUBSCRIBER_BAD);
        CHECK_INT(ev.n_fault, i);
        CHECK_INT(ev.from, i);
        CHECK_STR(ev.topic, RIG_TOPIC);
        CHECK_INT(ev.error.code, BURST_E_SHAPE);
    }
    rig_close(&r);
}

/* Forge one message on the relay's own socket. */
static void forge(struct rig *r, const char *topic, const uint8_t *stream, uint64_t seq, const char *body)
{
    struct stream_item item = {.content = FRAME_JSON, .seq = seq, .sent_ns = clock_utc_now_ns()};
    memcpy(item.stream, stream, STREAM_UUID);
    frame_pack_header(&item);
    zmq_send(r->out, topic, strlen(topic), ZMQ_SNDMORE);
    zmq_send(r->out, item.header, FRAME_HEADER, ZMQ_SNDMORE);
    zmq_send(r->out, body, strlen(body), 0);
}

TEST(wrong_heartbeats_are_told)
{
    struct rig r;
    rig_begin(&r);
    forge(&r, STREAM_HEARTBEAT, r.log.stream, 0, "nonsense");
    rig_expect_bad(&r, FAULT_BEAT, "is no JSON object");
    forge(&r, STREAM_HEARTBEAT, r.log.stream, 0,
          "{\"stream\": \"00000000-0000-0000-0000-000000000001\", \"last\": {}}");
    rig_expect_bad(&r, FAULT_BEAT, "is not the stream of its header");
    forge(&r, STREAM_HEARTBEAT, r.log.stream, 5, "{}");
    rig_expect_bad(&r, FAULT_SEQ, "must be 0");
    rig_send(&r, 1, 2);
    rig_expect(&r, 1, 2);
    rig_close(&r);
}

TEST(messages_of_a_replaced_stream_are_refused)
{
    struct rig r;
    rig_begin(&r);
    rig_send(&r, 1, 2);
    rig_expect(&r, 1, 2);
    struct stream_log old = r.log;
    rig_stop_publisher(&r);
    CHECK_INT(log_memory_open(1 << 20, &r.log, &r.e), BURST_OK);
    rig_publisher(&r);
    rig_expect_stream(&r);
    forge(&r, RIG_TOPIC, old.stream, 3, "late");
    rig_expect_bad(&r, FAULT_STREAM, "seq 3 belongs to a stream that another one has replaced");
    CHECK_INT(rig_counts(&r).streams, 2);
    log_memory_close(&old);
    rig_close(&r);
}

TEST(provisional_messages_pass_outside_every_order)
{
    struct rig r;
    struct subscriber_event ev;
    rig_open(&r);
    const char *both[] = {"burst.v1.", "burst-provisional.v1."};
    r.set.prefix = both;
    r.set.n_prefix = 2;
    rig_subscribe(&r);
    rig_settle(&r);
    CHECK_INT(publisher_send_provisional(r.publisher, "burst-provisional.v1.x", 0, FRAME_JSON, (const uint8_t *)"{}", 2,
                                         &r.e),
              BURST_OK);
    if (rig_next(&r, &ev)) CHECK_SAY(ev.kind == SUBSCRIBER_MESSAGE && ev.item.seq == 0, "event %d", ev.kind);
    CHECK_STR(ev.topic, "burst-provisional.v1.x");
    rig_close(&r);
}

TEST(only_messages_signed_by_the_expected_key_pass)
{
    struct rig r;
    uint8_t secret[SEAL_SECRET], key[SEAL_PUBLIC];
    rig_open(&r);
    (void)bytes_unhex("03a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8", 32, key,
                      NULL); /* PyNaCl, seed 0..31 */
    for (uint8_t i = 0; i < 32; i++)
        secret[i] = i;
    memcpy(secret + 32, key, 32);
    r.set.public_key = key;
    rig_subscribe(&r);
    rig_settle(&r);
    rig_send(&r, 1, 1);
    rig_expect_bad(&r, FAULT_SIGNATURE, "seq 1: frame 3 (seal) is not signed by the expected key");
    forge(&r, RIG_TOPIC, r.log.stream, 2, "no seal");
    rig_expect_bad(&r, FAULT_SIGNATURE, "seq 2: frame 3 (seal) is absent");
    rig_stop_publisher(&r);
    struct publisher_settings set;
    publisher_defaults(&set);
    set.live = r.live;
    set.history = r.history;
    set.log = &r.log;
    set.heartbeat_ms = 30;
    set.secret = secret;
    CHECK_INT(publisher_open(r.context, &set, &r.publisher, &r.e), BURST_OK);
    rig_send(&r, 2, 3); /* under number 2 the relay has forged a message: 3 is the next */
    rig_expect(&r, 3, 3);
    rig_close(&r);
}

TEST(unsealed_input_is_taken_without_a_key)
{
    struct rig r;
    struct subscriber_event ev;
    rig_begin(&r);
    forge(&r, RIG_TOPIC, r.log.stream, 1, "one");
    forge(&r, RIG_TOPIC, r.log.stream, 2, "two");
    for (uint64_t i = 1; i <= 2 && rig_next(&r, &ev); i++)
        CHECK_SAY(ev.kind == SUBSCRIBER_MESSAGE && ev.item.seq == i, "event %d", ev.kind);
    rig_close(&r);
}

TEST(topics_beyond_64_are_told)
{
    struct rig r;
    struct subscriber_event ev;
    char topic[64];
    rig_open(&r);
    r.mute = true;
    rig_subscribe(&r);
    for (int i = 0; i < 20; i++) {
        rig_pump(&r);
        (void)subscriber_next(r.subscriber, 20, &ev, &r.e);
    }
    for (int i = 1; i <= 65; i++) {
        (void)snprintf(topic, sizeof topic, "burst.v1.topic%d", i);
        forge(&r, topic, r.log.stream, 1, "x");
        if (!rig_next(&r, &ev)) break;
        CHECK_INT(ev.kind, i <= 64 ? SUBSCRIBER_MESSAGE : SUBSCRIBER_BAD);
    }
    CHECK(strstr(ev.error.text, "would be topic 65 of the stream, limit 64") != NULL);
    rig_close(&r);
}

int main(void)
{
    RUN(every_broken_rule_is_told_and_history_gives_the_good_message);
    RUN(a_message_that_can_be_placed_is_refused_once_and_not_asked_again);
    RUN(a_body_of_17_mib_is_refused_without_losing_the_connection);
    RUN(a_refused_message_says_where_it_belongs_and_how_many_there_were);
    RUN(wrong_heartbeats_are_told);
    RUN(messages_of_a_replaced_stream_are_refused);
    RUN(provisional_messages_pass_outside_every_order);
    RUN(only_messages_signed_by_the_expected_key_pass);
    RUN(unsealed_input_is_taken_without_a_key);
    RUN(topics_beyond_64_are_told);
    return check_report();
}
