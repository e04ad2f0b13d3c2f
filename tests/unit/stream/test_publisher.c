/* What the publisher tells, as its peers see it. Its answers: test_history.c. */
#include "base/hash.h"
#include "desk.h"
#include "stream/seal.h"
#include <pthread.h>

TEST(messages_are_numbered_sealed_and_told)
{
    struct desk d;
    uint8_t h[STREAM_CHAIN] = {0};
    desk_open(&d, 20);
    settle(&d);
    send_numbered(&d, 1, 5);
    for (uint64_t i = 1; i <= 5 && get_live(&d); i++) {
        CHECK_INT(d.m.n_part, 4);
        const uint8_t *header = zmq_msg_data(&d.m.part[1]);
        CHECK(word_is(&d, 0, TOPIC) && memcmp(header, "BRST\1\0\0\1", 8) == 0);
        CHECK(memcmp(header + 8, d.log.stream, STREAM_UUID) == 0);
        CHECK_INT(bytes_get_u64(header + 24), i);
        CHECK(llabs((int64_t)bytes_get_u64(header + 32) - clock_utc_now_ns()) < 3600 * CLOCK_NS_PER_S);
        struct hash_piece pieces[4] = {{h, 32}};
        for (int k = 0; k < 3; k++)
            pieces[k + 1] = (struct hash_piece){zmq_msg_data(&d.m.part[k]), zmq_msg_size(&d.m.part[k])};
        uint8_t next[32], zero[64] = {0};
        hash_blake2b(pieces, 4, 32, next);
        memcpy(h, next, 32);
        CHECK_INT(zmq_msg_size(&d.m.part[3]), FRAME_SEAL);
        CHECK(memcmp(zmq_msg_data(&d.m.part[3]), h, 32) == 0);
        CHECK(memcmp((uint8_t *)zmq_msg_data(&d.m.part[3]) + 32, zero, 64) == 0);
    }
    desk_close(&d);
}

TEST(the_heartbeat_has_three_frames_no_number_and_says_what_was_last)
{
    struct desk d;
    char text[4096], uuid[37];
    desk_open(&d, 20);
    send_numbered(&d, 1, 3);
    CHECK_INT(publisher_set_status(d.publisher, "{\"mode\": \"cpu\"}", &d.e), BURST_OK);
    CHECK_REFUSED(publisher_set_status(d.publisher, "{\"last\": 1}", &d.e), BURST_E_FORMAT, d.e, "the publisher's own");
    bytes_uuid_text(d.log.stream, uuid);
    while (get(&d, d.sub) && !word_is(&d, 0, STREAM_HEARTBEAT))
        ;
    CHECK_INT(d.m.n_part, 3);
    CHECK_INT(bytes_get_u64((uint8_t *)zmq_msg_data(&d.m.part[1]) + 24), 0);
    CHECK_INT(((uint8_t *)zmq_msg_data(&d.m.part[1]))[7], FRAME_JSON);
    (void)snprintf(text, sizeof text, "%.*s", (int)zmq_msg_size(&d.m.part[2]), (char *)zmq_msg_data(&d.m.part[2]));
    CHECK_SAY(strstr(text, "\"last\":{\"" TOPIC "\":3}"), "%s", text);
    CHECK_SAY(strstr(text, uuid) && strstr(text, "\"mode\":\"cpu\"") && strstr(text, "\"alert_datetime\":\""), "%s",
              text);
    CHECK_INT(publisher_set_status(d.publisher, NULL, &d.e), BURST_OK);
    desk_close(&d);
}

/* Reads slowly in a thread of its own and checks that nothing is missing. */
struct reader {
    const char *endpoint;
    int n, wrong;
};

static void *read_slowly(void *arg)
{
    struct reader *r = arg;
    void *zmq = zmq_ctx_new(), *sub = zmq_socket(zmq, ZMQ_SUB);
    int one = 1;
    struct rig_message m;
    zmq_setsockopt(sub, ZMQ_RCVHWM, &one, sizeof one);
    zmq_setsockopt(sub, ZMQ_SUBSCRIBE, "burst.v1.", 9);
    zmq_connect(sub, r->endpoint);
    for (uint64_t last = 0; last < 200;) {
        zmq_pollitem_t poll = {.socket = sub, .events = ZMQ_POLLIN};
        if (zmq_poll(&poll, 1, RIG_PATIENCE_S * 1000) <= 0) break;
        usleep(1000);
        if (!rig_receive(sub, &m)) continue;
        uint64_t seq = bytes_get_u64((uint8_t *)zmq_msg_data(&m.part[1]) + 24);
        if (seq) {
            r->n++;
            r->wrong += seq != last + 1;
            last = seq;
        }
        rig_drop(&m);
    }
    zmq_close(sub);
    zmq_ctx_term(zmq);
    return NULL;
}

TEST(a_publisher_that_waits_loses_nothing_to_a_slow_subscriber)
{
    struct desk d;
    static uint8_t body[1 << 18];
    desk_open(&d, 20);
    publisher_close(d.publisher);
    d.set.hwm = 4;
    d.set.wait_ms = 60000;
    CHECK_INT(publisher_open(d.context, &d.set, &d.publisher, &d.e), BURST_OK);
    struct reader r = {.endpoint = publisher_live(d.publisher)};
    pthread_t thread;
    CHECK_INT(pthread_create(&thread, NULL, read_slowly, &r), 0);
    zmq_close(d.sub);
    d.sub = zmq_socket(d.zmq, ZMQ_SUB);
    for (int i = 0; i < 50; i++)
        CHECK_INT(publisher_serve(d.publisher, 10, &d.e), BURST_OK); /* its subscription arrives */
    for (int i = 0; i < 200; i++)
        CHECK_INT(publisher_send(d.publisher, TOPIC, 0, FRAME_FITS, body, sizeof body, NULL, &d.e), BURST_OK);
    pthread_join(thread, NULL);
    CHECK_INT(r.n, 200);
    CHECK_INT(r.wrong, 0);
    desk_close(&d);
}

TEST(a_publisher_that_does_not_wait_is_not_stopped_by_a_stuck_subscriber)
{
    struct desk d;
    static uint8_t body[1 << 20];
    desk_open(&d, 20);
    settle(&d); /* d.sub is connected and reads no more */
    for (int wait_ms = 0; wait_ms <= 50; wait_ms += 50) {
        struct publisher *p = NULL;
        d.set.hwm = 2;
        d.set.wait_ms = wait_ms;
        CHECK_INT(publisher_open(d.context, &d.set, &p, &d.e), BURST_OK);
        void *sub = zmq_socket(d.zmq, ZMQ_SUB);
        int one = 1;
        zmq_setsockopt(sub, ZMQ_RCVHWM, &one, sizeof one);
        zmq_setsockopt(sub, ZMQ_SUBSCRIBE, "", 0);
        zmq_connect(sub, publisher_live(p));
        for (int i = 0; i < 100; i++)
            CHECK_INT(publisher_serve(p, 1, &d.e), BURST_OK);
        uint64_t seq = 0;
        for (int i = 0; i < 60; i++)
            CHECK_INT(publisher_send(p, TOPIC, 0, FRAME_FITS, body, sizeof body, &seq, &d.e), BURST_OK);
        publisher_close(p);
        zmq_close(sub);
    }
    desk_close(&d);
}

TEST(the_last_message_before_closing_is_not_lost)
{
    struct desk d;
    static uint8_t body[1 << 20];
    desk_open(&d, 20);
    settle(&d);
    for (int i = 1; i <= 20; i++)
        CHECK_INT(publisher_send(d.publisher, TOPIC, 0, FRAME_FITS, body, sizeof body, NULL, &d.e), BURST_OK);
    publisher_close(d.publisher);
    d.publisher = NULL;
    stream_context_close(d.context);
    d.context = NULL;
    uint64_t last = 0;
    zmq_pollitem_t poll = {.socket = d.sub, .events = ZMQ_POLLIN};
    while (last < 20 && zmq_poll(&poll, 1, 10000) > 0) {
        rig_drop(&d.m);
        if (!rig_receive(d.sub, &d.m)) continue;
        uint64_t seq = bytes_get_u64((uint8_t *)zmq_msg_data(&d.m.part[1]) + 24);
        if (seq) last = seq;
    }
    CHECK_INT(last, 20);
    log_memory_close(&d.log);
    rig_drop(&d.m);
    zmq_close(d.dealer);
    zmq_close(d.sub);
    zmq_ctx_term(d.zmq);
}

TEST(a_reopened_log_goes_on_counting)
{
    struct desk d;
    uint64_t seq = 0;
    desk_open(&d, 1000);
    send_numbered(&d, 1, 7);
    publisher_close(d.publisher);
    CHECK_INT(publisher_open(d.context, &d.set, &d.publisher, &d.e), BURST_OK);
    CHECK_INT(publisher_send(d.publisher, TOPIC, 0, FRAME_FITS, (const uint8_t *)"x", 1, &seq, &d.e), BURST_OK);
    CHECK_INT(seq, 8);
    desk_close(&d);
}

static enum burst_err no_room(void *ctx, const struct stream_item *item, struct burst_error *reterr)
{
    (void)ctx, (void)item;
    return burst_fail(reterr, BURST_E_IO, "disk full");
}

TEST(what_the_log_does_not_take_is_not_told_and_keeps_its_number_free)
{
    struct desk d;
    uint64_t seq = 4711;
    desk_open(&d, 1000);
    publisher_close(d.publisher);
    enum burst_err (*append)(void *, const struct stream_item *, struct burst_error *) = d.log.append;
    d.log.append = no_room;
    CHECK_INT(publisher_open(d.context, &d.set, &d.publisher, &d.e), BURST_OK);
    CHECK_REFUSED(publisher_send(d.publisher, TOPIC, 0, FRAME_FITS, (const uint8_t *)"x", 1, &seq, &d.e), BURST_E_IO,
                  d.e, "disk full");
    CHECK_INT(seq, 4711);
    publisher_close(d.publisher);
    d.log.append = append;
    CHECK_INT(publisher_open(d.context, &d.set, &d.publisher, &d.e), BURST_OK);
    send_numbered(&d, 1, 1);
    desk_close(&d);
}

TEST(provisional_messages_have_no_number_and_no_seal)
{
    struct desk d;
    desk_open(&d, 20);
    settle(&d);
    const uint8_t *body = (const uint8_t *)"{}";
    CHECK_INT(
        publisher_send_provisional(d.publisher, "burst-provisional.v1.fermi.verdict", 0, FRAME_JSON, body, 2, &d.e),
        BURST_OK);
    if (get_live(&d)) {
        CHECK_INT(d.m.n_part, 3);
        CHECK(word_is(&d, 0, "burst-provisional.v1.fermi.verdict"));
        CHECK_INT(bytes_get_u64((uint8_t *)zmq_msg_data(&d.m.part[1]) + 24), 0);
    }
    CHECK_REFUSED(publisher_send_provisional(d.publisher, TOPIC, 0, FRAME_JSON, body, 2, &d.e), BURST_E_FORMAT, d.e,
                  "is not under burst-provisional.v1.");
    desk_close(&d);
}

TEST(wrong_messages_are_refused)
{
    struct desk d;
    desk_open(&d, 1000);
    uint8_t *big = calloc(1, FRAME_BODY_MAX + 1);
#define SEND(topic, flags, content, n) publisher_send(d.publisher, topic, flags, content, big, n, NULL, &d.e)
    CHECK_REFUSED(SEND(TOPIC, 0, FRAME_FITS, FRAME_BODY_MAX + 1), BURST_E_LIMIT, d.e,
                  "body has 16777217 bytes, limit 16777216");
    CHECK_REFUSED(SEND("gcn.x", 0, FRAME_FITS, 1), BURST_E_FORMAT, d.e, "is not under burst.v1.");
    CHECK_REFUSED(SEND(STREAM_HEARTBEAT, 0, FRAME_FITS, 1), BURST_E_RANGE, d.e, "must be 0 on this topic");
    CHECK_REFUSED(SEND("burst-provisional.v1.x", 0, FRAME_FITS, 1), BURST_E_RANGE, d.e, "must be 0 on this topic");
    CHECK_REFUSED(SEND(TOPIC, FRAME_TEST, FRAME_FITS, 1), BURST_E_UNSUPPORTED, d.e, "on a topic of real data");
    CHECK_REFUSED(SEND(TOPIC, 32, FRAME_FITS, 1), BURST_E_UNSUPPORTED, d.e, "flags 0x20");
    CHECK_REFUSED(SEND(TOPIC, 0, 0, 1), BURST_E_UNSUPPORTED, d.e, "content 0");
    CHECK_REFUSED(SEND(TOPIC, 0, 70000, 1), BURST_E_UNSUPPORTED, d.e, "content 70000");
    CHECK_INT(SEND(TOPIC, 0, FRAME_FITS, FRAME_BODY_MAX), BURST_OK);
    char topic[64];
    for (int i = 2; i <= 64; i++) {
        (void)snprintf(topic, sizeof topic, "burst.v1.topic%d", i);
        CHECK_INT(SEND(topic, 0, FRAME_FITS, 1), BURST_OK);
    }
    CHECK_REFUSED(SEND("burst.v1.topic65", 0, FRAME_FITS, 1), BURST_E_LIMIT, d.e, "would be topic 65, limit 64");
    free(big);
    desk_close(&d);
}

TEST(wrong_settings_and_addresses_are_refused)
{
    struct desk d;
    struct publisher *p = NULL;
    struct publisher_settings set;
    desk_open(&d, 1000);
#define CHECK_OPEN(change, err, part)                                                                                  \
    do {                                                                                                               \
        set = d.set;                                                                                                   \
        change;                                                                                                        \
        CHECK_REFUSED(publisher_open(d.context, &set, &p, &d.e), err, d.e, part);                                      \
    } while (0)
    CHECK_OPEN(set.live = "tcp://0.0.0.0:5556", BURST_E_AUTH, "tcp://0.0.0.0:5556\" is not on the loopback interface");
    CHECK_OPEN(set.history = "tcp://*:5557", BURST_E_AUTH, "no CURVE key");
    CHECK_OPEN(set.live = "pgm://x", BURST_E_UNSUPPORTED, "transport");
    CHECK_OPEN(set.live = "", BURST_E_FORMAT, "empty");
    CHECK_OPEN(set.hwm = 0, BURST_E_RANGE, "hwm is 0, allowed 1 to 100000");
    CHECK_OPEN(set.wait_ms = -1, BURST_E_RANGE, "wait_ms is -1");
    CHECK_OPEN(set.heartbeat_ms = 1, BURST_E_RANGE, "heartbeat_ms is 1");
    CHECK_OPEN(set.linger_ms = 70000, BURST_E_RANGE, "linger_ms is 70000");
    CHECK_OPEN(set.live = publisher_live(d.publisher), BURST_E_NET, "cannot bind");
    CHECK_OPEN(set.history = publisher_history(d.publisher), BURST_E_NET, "cannot bind");
    CHECK(p == NULL);
    publisher_close(NULL);
    desk_close(&d);
}

TEST(a_signing_key_signs)
{
    struct desk d;
    uint8_t secret[SEAL_SECRET], public_key[SEAL_PUBLIC];
    desk_open(&d, 20);
    publisher_close(d.publisher);
    (void)bytes_unhex("03a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8", 32, public_key,
                      NULL); /* PyNaCl, seed 0..31 */
    for (uint8_t i = 0; i < 32; i++)
        secret[i] = i;
    memcpy(secret + 32, public_key, 32);
    d.set.secret = secret;
    CHECK_INT(publisher_open(d.context, &d.set, &d.publisher, &d.e), BURST_OK);
    zmq_connect(d.sub, publisher_live(d.publisher));
    settle(&d);
    send_numbered(&d, 1, 1);
    if (get_live(&d)) CHECK(seal_signed_by(zmq_msg_data(&d.m.part[3]), public_key));
    desk_close(&d);
}

int main(void)
{
    RUN(messages_are_numbered_sealed_and_told);
    RUN(the_heartbeat_has_three_frames_no_number_and_says_what_was_last);
    RUN(a_publisher_that_waits_loses_nothing_to_a_slow_subscriber);
    RUN(a_publisher_that_does_not_wait_is_not_stopped_by_a_stuck_subscriber);
    RUN(the_last_message_before_closing_is_not_lost);
    RUN(a_reopened_log_goes_on_counting);
    RUN(what_the_log_does_not_take_is_not_told_and_keeps_its_number_free);
    RUN(provisional_messages_have_no_number_and_no_seal);
    RUN(wrong_messages_are_refused);
    RUN(wrong_settings_and_addresses_are_refused);
    RUN(a_signing_key_signs);
    return check_report();
}
