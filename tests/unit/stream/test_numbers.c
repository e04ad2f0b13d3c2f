/* Numbers that cannot be, numbers that come again with another body, and what of a refused message a person gets to see. */
#include "base/bytes.h"
#include "rig.h"

/* One message on the relay's own socket, past the publisher. */
static void forge(struct rig *r, const char *topic, uint64_t seq, const char *body, unsigned content)
{
    struct stream_item item = {.content = content, .seq = seq, .sent_ns = clock_utc_now_ns()};
    memcpy(item.stream, r->log.stream, STREAM_UUID);
    frame_pack_header(&item);
    zmq_send(r->out, topic, strlen(topic), ZMQ_SNDMORE);
    zmq_send(r->out, item.header, FRAME_HEADER, ZMQ_SNDMORE);
    zmq_send(r->out, body, strlen(body), 0);
}

static void open_settled(struct rig *r)
{
    rig_open(r);
    rig_subscribe(r);
    rig_settle(r);
}

TEST(a_number_with_another_body_is_told_and_the_first_stands)
{
    struct rig r;
    open_settled(&r);
    rig_send(&r, 1, 3);
    rig_expect(&r, 1, 3);
    forge(&r, RIG_TOPIC, 2, "message 2", FRAME_FITS); /* the same again: nothing to tell */
    forge(&r, RIG_TOPIC, 2, "forged", FRAME_FITS);
    rig_expect_bad(&r, FAULT_REWRITTEN, "seq 2 came before with another body");
    rig_send(&r, 4, 4);
    rig_expect(&r, 4, 4);
    struct subscriber_counts c = rig_counts(&r);
    CHECK_INT(c.bad[FAULT_REWRITTEN], 1);
    CHECK_INT(c.duplicates, 2);
    rig_close(&r);
}

TEST(a_number_that_waits_for_its_turn_must_not_change_either)
{
    struct rig r;
    open_settled(&r);
    forge(&r, RIG_TOPIC, 4, "held", FRAME_FITS); /* 1 to 3 are missing */
    forge(&r, RIG_TOPIC, 4, "other", FRAME_FITS);
    rig_expect_bad(&r, FAULT_REWRITTEN, "seq 4 came before with another body");
    rig_expect_gap(&r, 1, 3);
    struct subscriber_event ev;
    if (rig_next(&r, &ev)) CHECK(ev.kind == SUBSCRIBER_MESSAGE && ev.from == 4 && rig_body_is(&ev, "held"));
    rig_close(&r);
}

TEST(numbers_past_all_logs_are_refused_and_not_believed)
{
    struct rig r;
    open_settled(&r);
    rig_send(&r, 1, 1);
    rig_expect(&r, 1, 1);
    forge(&r, RIG_TOPIC, UINT64_MAX, "x", FRAME_FITS);
    rig_expect_bad(&r, FAULT_SEQ, "seq is 18446744073709551615, at most 9223372036854775807");
    forge(&r, RIG_TOPIC, INT64_MAX, "x", FRAME_FITS);
    rig_expect_bad(&r, FAULT_SEQ, "seq 9223372036854775807 is more than 2^40 after the next one expected, 2");
    forge(&r, RIG_TOPIC, (UINT64_C(1) << 40) + 3, "x", FRAME_FITS);
    rig_expect_bad(&r, FAULT_SEQ, "seq 1099511627779 is more");
    rig_send(&r, 2, 3);
    rig_expect(&r, 2, 3);
    CHECK_INT(rig_counts(&r).gaps, 0);
    rig_close(&r);
}

TEST(a_heartbeat_with_such_a_number_is_refused)
{
    struct rig r;
    char uuid[37], text[200];
    open_settled(&r);
    rig_send(&r, 1, 1);
    rig_expect(&r, 1, 1);
    bytes_uuid_text(r.log.stream, uuid);
    (void)snprintf(text, sizeof text, "{\"stream\": \"%s\", \"last\": {\"%s\": 9223372036854775807}}", uuid, RIG_TOPIC);
    forge(&r, STREAM_HEARTBEAT, 0, text, FRAME_JSON);
    rig_expect_bad(&r, FAULT_BEAT, "seq 9223372036854775807 is more than 2^40");
    rig_send(&r, 2, 2);
    rig_expect(&r, 2, 2);
    rig_close(&r);
}

static bool frame_is(const struct subscriber_event *ev, size_t i, const char *text)
{
    return i < ev->n_frame && ev->frame[i].n == strlen(text) && memcmp(ev->frame[i].bytes, text, ev->frame[i].n) == 0;
}

TEST(a_refused_message_is_lent_with_its_refusal)
{
    struct rig r;
    struct subscriber_event ev;
    open_settled(&r);
    forge(&r, RIG_TOPIC, 1, "body", 77); /* not placed */
    if (!rig_next(&r, &ev)) return;
    CHECK(ev.kind == SUBSCRIBER_BAD && ev.fault == FAULT_CONTENT && ev.n_frame == 3 && ev.n_frame_seen == 3);
    CHECK(frame_is(&ev, 0, RIG_TOPIC) && ev.frame[1].n == FRAME_HEADER && frame_is(&ev, 2, "body"));
    for (int i = 0; i < 9; i++)
        zmq_send(r.out, "burst.v1.x", 10, i < 8 ? ZMQ_SNDMORE : 0);
    if (!rig_next(&r, &ev)) return;
    CHECK_INT(ev.fault, FAULT_COUNT);
    CHECK_INT(ev.n_frame, SUBSCRIBER_FRAMES); /* the first ones */
    CHECK_INT(ev.n_frame_seen, 9);
    rig_send(&r, 1, 1); /* a good one: nothing is lent */
    if (!rig_next(&r, &ev)) return;
    CHECK(ev.kind == SUBSCRIBER_MESSAGE && ev.n_frame == 0 && ev.n_frame_seen == 0);
    rig_close(&r);
}

static void short_seal(struct rig *r, struct rig_message *m, int n)
{
    if (n == 2) {
        zmq_msg_close(&m->part[3]);
        zmq_msg_init_size(&m->part[3], 5);
        memcpy(zmq_msg_data(&m->part[3]), "seal!", 5);
    }
    rig_send_on(r, m);
}

TEST(a_refused_message_that_holds_its_place_is_lent_in_its_turn)
{
    struct rig r;
    struct subscriber_event ev;
    open_settled(&r);
    r.policy = short_seal;
    rig_send(&r, 1, 3);
    rig_expect(&r, 1, 1);
    if (!rig_next(&r, &ev)) return;
    CHECK(ev.kind == SUBSCRIBER_BAD && ev.fault == FAULT_SEAL && ev.from == 2);
    CHECK(ev.n_frame == 4 && frame_is(&ev, 2, "message 2") && frame_is(&ev, 3, "seal!"));
    rig_expect(&r, 3, 3);
    rig_close(&r);
}

/* Over the limit of a frame: libzmq ends the session and does not come back by itself. */
static void send_33_mib(struct rig *r, struct rig_message *m, int n)
{
    if (n == 2) {
        zmq_msg_close(&m->part[2]);
        zmq_msg_init_size(&m->part[2], (size_t)33 << 20);
        memset(zmq_msg_data(&m->part[2]), 0, (size_t)33 << 20);
    }
    rig_send_on(r, m);
}

TEST(a_frame_that_breaks_the_live_connection_costs_itself_alone)
{
    struct rig r;
    rig_open(&r);
    r.set.silent_ms = 300;
    rig_subscribe(&r);
    rig_settle(&r);
    r.policy = send_33_mib;
    rig_send(&r, 1, 3);
    rig_expect(&r, 1, 3); /* 2 and 3 from history, or 3 live */
    CHECK(rig_counts(&r).reconnects >= 1);
    rig_send(&r, 4, 4);
    rig_expect(&r, 4, 4);
    rig_close(&r);
}

int main(void)
{
    RUN(a_number_with_another_body_is_told_and_the_first_stands);
    RUN(a_number_that_waits_for_its_turn_must_not_change_either);
    RUN(numbers_past_all_logs_are_refused_and_not_believed);
    RUN(a_heartbeat_with_such_a_number_is_refused);
    RUN(a_refused_message_is_lent_with_its_refusal);
    RUN(a_refused_message_that_holds_its_place_is_lent_in_its_turn);
    RUN(a_frame_that_breaks_the_live_connection_costs_itself_alone);
    return check_report();
}
