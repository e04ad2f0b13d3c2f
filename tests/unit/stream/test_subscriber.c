/* The subscriber against our publisher: loss, reordering, repeats, late starts. Failures of the other side: test_restart.c; bad
 * messages: test_refusals.c. */
#include "rig.h"

static void lose_every_third(struct rig *r, struct rig_message *m, int n)
{
    if (n % 3 != 0) rig_send_on(r, m);
}

static void lose_all(struct rig *r, struct rig_message *m, int n)
{
    (void)r, (void)m, (void)n;
}

static void send_twice(struct rig *r, struct rig_message *m, int n)
{
    (void)n;
    rig_send_on(r, m);
    rig_send_on(r, m);
}

static void keep(struct rig *r, struct rig_message *m)
{
    r->kept.n_part = m->n_part;
    for (int i = 0; i < m->n_part; i++) {
        zmq_msg_init(&r->kept.part[i]);
        zmq_msg_copy(&r->kept.part[i], &m->part[i]);
    }
}

/* 2 1 4 3 6 5 ... */
static void swap_pairs(struct rig *r, struct rig_message *m, int n)
{
    if (n % 2) {
        keep(r, m);
        return;
    }
    rig_send_on(r, m);
    rig_send_on(r, &r->kept);
    rig_drop(&r->kept);
}

static void lose_the_second(struct rig *r, struct rig_message *m, int n)
{
    if (n != 2) rig_send_on(r, m);
}

TEST(messages_of_each_topic_come_in_order)
{
    struct rig r;
    struct subscriber_event ev;
    rig_begin(&r);
    for (int i = 1; i <= 50; i++) {
        char text[32];
        (void)snprintf(text, sizeof text, "message %d", i);
        rig_send_text(&r, i % 2 ? "burst.v1.gecam-b.grd.events" : "burst.v1.fermi.gbm.events", text);
    }
    uint64_t seq[2] = {0, 0};
    for (int i = 0; i < 50 && rig_next(&r, &ev); i++) {
        CHECK_INT(ev.kind, SUBSCRIBER_MESSAGE);
        CHECK_INT(ev.item.seq, ++seq[strcmp(ev.topic, RIG_TOPIC) == 0]);
        CHECK(memcmp(ev.stream, r.log.stream, STREAM_UUID) == 0);
    }
    CHECK_INT(seq[0], 25);
    CHECK_INT(seq[1], 25);
    CHECK_INT(rig_counts(&r).messages, 50);
    rig_close(&r);
}

TEST(the_sha256_is_that_of_the_body)
{
    struct rig r;
    struct subscriber_event ev;
    rig_begin(&r);
    rig_send_text(&r, RIG_TOPIC, "abc");
    if (rig_next(&r, &ev)) { /* FIPS 180-2's own example */
        CHECK_INT(ev.sha256[0], 0xba);
        CHECK_INT(ev.sha256[31], 0xad);
    }
    rig_close(&r);
}

TEST(lost_messages_are_replayed_in_order)
{
    struct rig r;
    rig_open(&r);
    r.policy = lose_every_third;
    rig_subscribe(&r);
    rig_settle(&r);
    rig_send(&r, 1, 200);
    rig_expect(&r, 1, 200);
    struct subscriber_counts c = rig_counts(&r);
    CHECK_INT(c.messages, 200);
    CHECK_SAY(c.replayed >= 66, "%d replayed, 66 were lost", (int)c.replayed);
    CHECK_INT(c.gaps, 0);
    CHECK_INT(c.lost, 0);
    CHECK_INT(c.held, 0);
    CHECK_INT(c.held_bytes, 0);
    rig_close(&r);
}

TEST(a_loss_that_nothing_follows_is_found_by_the_heartbeat)
{
    struct rig r;
    rig_begin(&r);
    rig_send(&r, 1, 3);
    rig_expect(&r, 1, 3);
    r.policy = lose_all;
    rig_send(&r, 4, 6);
    rig_expect(&r, 4, 6);
    CHECK_INT(rig_counts(&r).replayed, 3);
    rig_close(&r);
}

TEST(reordered_messages_come_in_order_without_history)
{
    struct rig r;
    rig_open(&r);
    r.policy = swap_pairs;
    r.set.history = "ipc:///tmp/burst-nobody-listens";
    r.set.answer_ms = 600000;
    rig_subscribe(&r);
    rig_settle(&r);
    rig_send(&r, 1, 40);
    rig_expect(&r, 1, 40);
    CHECK_INT(rig_counts(&r).replayed, 0);
    rig_close(&r);
}

TEST(duplicated_messages_come_once)
{
    struct rig r;
    rig_open(&r);
    r.policy = send_twice;
    rig_subscribe(&r);
    rig_settle(&r);
    rig_send(&r, 1, 30);
    rig_expect(&r, 1, 30);
    rig_expect_silence(&r, 2);
    CHECK_INT(rig_counts(&r).duplicates, 30);
    CHECK_INT(rig_counts(&r).messages, 30);
    rig_close(&r);
}

TEST(the_same_body_under_another_number_is_told_as_duplicate)
{
    struct rig r;
    struct subscriber_event ev;
    rig_begin(&r);
    rig_send_text(&r, RIG_TOPIC, "once");
    rig_send_text(&r, RIG_TOPIC, "once");
    rig_send_text(&r, "burst.v1.svom.eclairs.subimage", "once"); /* another topic may say the same */
    if (rig_next(&r, &ev)) CHECK_INT(ev.kind, SUBSCRIBER_MESSAGE);
    if (rig_next(&r, &ev)) CHECK_INT(ev.kind, SUBSCRIBER_DUPLICATE);
    CHECK_INT(ev.item.seq, 2);
    if (rig_next(&r, &ev)) CHECK_INT(ev.kind, SUBSCRIBER_MESSAGE);
    CHECK_INT(rig_counts(&r).repeats, 1);
    rig_close(&r);
}

TEST(a_late_subscriber_gets_all_from_the_start)
{
    struct rig r;
    rig_open(&r);
    rig_send(&r, 1, 150); /* more than two batches */
    rig_subscribe(&r);
    rig_expect_stream(&r);
    rig_expect(&r, 1, 150);
    rig_send(&r, 151, 160);
    rig_expect(&r, 151, 160);
    CHECK(rig_counts(&r).replayed >= 150);
    rig_close(&r);
}

TEST(a_late_subscriber_gets_only_what_is_new_where_asked)
{
    struct rig r;
    rig_open(&r);
    r.set.from_start = false;
    rig_send(&r, 1, 10);
    rig_subscribe(&r);
    rig_settle(&r);
    struct subscriber_counts c = rig_counts(&r);
    for (int i = 0; i < 3; i++)
        rig_settle(&r); /* LAST is answered by now */
    rig_send(&r, 11, 13);
    rig_expect(&r, 11, 13);
    CHECK_INT(c.messages, 0);
    rig_send_text(&r, "burst.v1.svom.eclairs.subimage", "a topic that begins now"); /* is wanted whole */
    struct subscriber_event ev;
    if (rig_next(&r, &ev)) CHECK_INT(ev.item.seq, 1);
    rig_close(&r);
}

TEST(a_resumed_subscriber_goes_on_after_its_position)
{
    struct rig r;
    rig_open(&r);
    struct stream_position at = {.topic = RIG_TOPIC, .seq = 7};
    memcpy(at.stream, r.log.stream, STREAM_UUID);
    r.set.resume = &at;
    r.set.n_resume = 1;
    rig_send(&r, 1, 10);
    rig_subscribe(&r);
    rig_expect_stream(&r);
    rig_expect(&r, 8, 10);
    struct stream_position now[4];
    CHECK_INT(subscriber_positions(r.subscriber, now, 4), 1);
    CHECK_STR(now[0].topic, RIG_TOPIC);
    CHECK_INT(now[0].seq, 10);
    CHECK(memcmp(now[0].stream, r.log.stream, STREAM_UUID) == 0);
    rig_close(&r);
}

TEST(of_several_positions_of_a_topic_the_one_of_the_stream_counts)
{
    struct rig r;
    rig_open(&r);
    struct stream_position at[3] = {{.topic = RIG_TOPIC, .stream = {1, 2, 3}, .seq = 2},
                                    {.topic = RIG_TOPIC, .seq = 7},
                                    {.topic = RIG_TOPIC, .stream = {4}, .seq = 9}};
    memcpy(at[1].stream, r.log.stream, STREAM_UUID);
    r.set.resume = at;
    r.set.n_resume = 3;
    rig_send(&r, 1, 10);
    rig_subscribe(&r);
    rig_expect_stream(&r);
    rig_expect(&r, 8, 10);
    rig_close(&r);
}

TEST(a_position_in_another_stream_begins_the_new_one_at_1)
{
    struct rig r;
    rig_open(&r);
    struct stream_position at = {.topic = RIG_TOPIC, .stream = {1, 2, 3}, .seq = 7};
    r.set.resume = &at;
    r.set.n_resume = 1;
    r.set.from_start = false;
    rig_send(&r, 1, 3);
    rig_subscribe(&r);
    rig_expect_stream(&r);
    rig_expect(&r, 1, 3);
    rig_close(&r);
}

TEST(a_position_beyond_the_log_is_told_and_the_rest_goes_on)
{
    struct rig r;
    rig_open(&r);
    struct stream_position at = {.topic = RIG_TOPIC, .seq = 100};
    memcpy(at.stream, r.log.stream, STREAM_UUID);
    r.set.resume = &at;
    r.set.n_resume = 1;
    rig_send(&r, 1, 3);
    rig_subscribe(&r);
    rig_expect_stream(&r);
    rig_expect_bad(&r, FAULT_POSITION, "is seq 100, but the log under the same stream ends at 3");
    rig_send(&r, 4, 5);
    rig_expect(&r, 4, 5);
    rig_close(&r);
}

TEST(what_is_held_back_stays_within_its_bounds)
{
    struct rig r;
    struct subscriber_event ev;
    rig_open(&r);
    r.set.hold_most = 8;
    r.policy = lose_the_second;
    rig_subscribe(&r);
    rig_settle(&r);
    rig_send(&r, 1, 100);
    for (int i = 1; i <= 100 && rig_next(&r, &ev); i++) {
        CHECK_INT(ev.item.seq, i);
        CHECK(rig_counts(&r).held <= 8);
    }
    CHECK_INT(rig_counts(&r).held, 0);
    rig_close(&r);

    rig_open(&r);
    r.set.hold_bytes = 1; /* full with the first one */
    r.policy = lose_the_second;
    rig_subscribe(&r);
    rig_settle(&r);
    rig_send(&r, 1, 30);
    rig_expect(&r, 1, 30);
    rig_close(&r);
}

TEST(data_times_wait_for_the_messages_before_them)
{
    struct rig r;
    struct subscriber_event ev;
    rig_open(&r);
    r.set.answer_ms = 600000;
    rig_subscribe(&r);
    rig_settle(&r);
    r.policy = lose_all;
    rig_send(&r, 1, 1);
    CHECK_INT(publisher_set_status(r.publisher, "{\"data_time\": {\"" RIG_TOPIC "\": \"2011-07-21T04:47:43.000000Z\"}}",
                                   &r.e),
              BURST_OK);
    bool given = false, told = false;
    while (!told && rig_event(&r, &ev, true)) {
        given = given || ev.kind == SUBSCRIBER_MESSAGE;
        if (ev.kind != SUBSCRIBER_HEARTBEAT || ev.n_data_time == 0) continue;
        told = true;
        CHECK(given);
        CHECK_INT(ev.n_data_time, 1);
        CHECK_STR(ev.data_time[0].topic, RIG_TOPIC);
        /* UTC 2011-07-21T04:47:43 is POSIX 1311223663; TT - UTC was 34 + 32.184 s. */
        CHECK_INT(ev.data_time[0].tt_ns, INT64_C(1311223663000000000) + INT64_C(66184000000));
        CHECK(strstr(ev.text, "\"data_time\"") != NULL && strlen(ev.text) == ev.n_text);
    }
    rig_close(&r);
}

TEST(what_was_handled_is_acknowledged)
{
    struct rig r;
    rig_begin(&r);
    rig_send(&r, 1, 5);
    rig_expect(&r, 1, 5);
    CHECK_REFUSED(subscriber_ack(r.subscriber, RIG_TOPIC, 6, &r.e), BURST_E_RANGE, r.e,
                  "seq 6 was not given yet, the newest is 5");
    CHECK_REFUSED(subscriber_ack(r.subscriber, RIG_TOPIC, 0, &r.e), BURST_E_RANGE, r.e, "seq 0");
    CHECK_REFUSED(subscriber_ack(r.subscriber, "burst.v1.x", 1, &r.e), BURST_E_MISSING, r.e,
                  "no message of \"burst.v1.x\"");
    CHECK_INT(subscriber_ack(r.subscriber, RIG_TOPIC, 4, &r.e), BURST_OK);
    for (int i = 0; i < 200 && log_memory_acked(&r.log, "test", RIG_TOPIC) < 4; i++)
        rig_settle(&r);
    CHECK_INT(log_memory_acked(&r.log, "test", RIG_TOPIC), 4);
    rig_close(&r);
}

TEST(several_subscribers_are_waited_for_together)
{
    struct rig r;
    struct subscriber_event ev;
    rig_begin(&r);
    struct subscriber *both[2] = {r.subscriber, NULL};
    CHECK_INT(subscriber_open(r.context, &r.set, &both[1], &r.e), BURST_OK);
    rig_send(&r, 1, 1);
    int got[2] = {0, 0};
    for (int i = 0; i < 5000 && !(got[0] && got[1]); i++) {
        rig_pump(&r);
        CHECK_INT(subscriber_wait(both, 2, 10, &r.e), BURST_OK);
        for (int k = 0; k < 2; k++)
            while (subscriber_next(both[k], 0, &ev, &r.e) == BURST_OK)
                got[k] += ev.kind == SUBSCRIBER_MESSAGE;
    }
    CHECK_INT(got[0], 1);
    CHECK_INT(got[1], 1);
    CHECK_REFUSED(subscriber_wait(both, 0, 0, &r.e), BURST_E_LIMIT, r.e, "0 subscribers");
    CHECK_REFUSED(subscriber_wait(both, 17, 0, &r.e), BURST_E_LIMIT, r.e, "17 subscribers");
    subscriber_close(both[1]);
    rig_close(&r);
}

TEST(nothing_there_is_a_timeout)
{
    struct rig r;
    struct subscriber_event ev = {.from = 4711};
    rig_open(&r);
    r.set.live = "ipc:///tmp/burst-nobody-listens-1";
    r.set.history = "ipc:///tmp/burst-nobody-listens-2";
    rig_subscribe(&r);
    CHECK_REFUSED(subscriber_next(r.subscriber, 5, &ev, &r.e), BURST_E_TIMEOUT, r.e, "nothing came in 5 ms");
    CHECK_INT(ev.from, 4711);
    rig_close(&r);
}

TEST(wrong_settings_are_refused_and_nothing_is_opened)
{
    struct rig r;
    rig_open(&r);
    struct subscriber *s = NULL;
    struct subscriber_settings set = r.set;
#define CHECK_SETTING(change, err, part)                                                                               \
    do {                                                                                                               \
        set = r.set;                                                                                                   \
        change;                                                                                                        \
        CHECK_REFUSED(subscriber_open(r.context, &set, &s, &r.e), err, r.e, part);                                     \
    } while (0)
    CHECK_SETTING(set.live = "tcp://192.168.0.1:5550", BURST_E_AUTH, "is not on the loopback interface");
    CHECK_SETTING(set.history = "udp://127.0.0.1:5550", BURST_E_UNSUPPORTED, "transport is not tcp, ipc or inproc");
    CHECK_SETTING(set.live = NULL, BURST_E_FORMAT, "is empty");
    CHECK_SETTING(set.name = "", BURST_E_FORMAT, "has not 1 to 63 characters");
    CHECK_SETTING(set.name = "a\nb", BURST_E_FORMAT, "not printable");
    CHECK_SETTING(set.n_prefix = 0, BURST_E_RANGE, "n_prefix is 0, allowed 1 to 16");
    CHECK_SETTING(set.batch = 0, BURST_E_RANGE, "batch is 0");
    CHECK_SETTING(set.hold_most = 70000, BURST_E_RANGE, "hold_most is 70000, allowed 1 to 65536");
    CHECK_SETTING(set.attempts = -1, BURST_E_RANGE, "attempts is -1");
    const char *prefix = "gcn.";
    CHECK_SETTING(set.prefix = &prefix, BURST_E_FORMAT, "topic prefix \"gcn.\" does not start with");
    CHECK(s == NULL);
    subscriber_close(NULL);
    rig_close(&r);
}

int main(void)
{
    RUN(messages_of_each_topic_come_in_order);
    RUN(the_sha256_is_that_of_the_body);
    RUN(lost_messages_are_replayed_in_order);
    RUN(a_loss_that_nothing_follows_is_found_by_the_heartbeat);
    RUN(reordered_messages_come_in_order_without_history);
    RUN(duplicated_messages_come_once);
    RUN(the_same_body_under_another_number_is_told_as_duplicate);
    RUN(a_late_subscriber_gets_all_from_the_start);
    RUN(a_late_subscriber_gets_only_what_is_new_where_asked);
    RUN(a_resumed_subscriber_goes_on_after_its_position);
    RUN(of_several_positions_of_a_topic_the_one_of_the_stream_counts);
    RUN(a_position_in_another_stream_begins_the_new_one_at_1);
    RUN(a_position_beyond_the_log_is_told_and_the_rest_goes_on);
    RUN(what_is_held_back_stays_within_its_bounds);
    RUN(data_times_wait_for_the_messages_before_them);
    RUN(what_was_handled_is_acknowledged);
    RUN(several_subscribers_are_waited_for_together);
    RUN(nothing_there_is_a_timeout);
    RUN(wrong_settings_are_refused_and_nothing_is_opened);
    return check_report();
}
