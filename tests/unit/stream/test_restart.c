/* The other side fails: publishers that stop and come back, logs that are replaced or forget, histories that are silent. */
#include "rig.h"

static void lose_every_third(struct rig *r, struct rig_message *m, int n)
{
    if (n % 3 != 0) rig_send_on(r, m);
}

static void lose_all(struct rig *r, struct rig_message *m, int n)
{
    (void)r, (void)m, (void)n;
}

static void lose_the_second(struct rig *r, struct rig_message *m, int n)
{
    if (n != 2) rig_send_on(r, m);
}

TEST(a_restarted_publisher_with_its_log_goes_on)
{
    struct rig r;
    rig_begin(&r);
    rig_send(&r, 1, 5);
    rig_expect(&r, 1, 5);
    r.policy = lose_all;
    rig_send(&r, 6, 7);
    rig_relay(&r);
    rig_stop_publisher(&r);
    r.policy = NULL;
    rig_publisher(&r);
    rig_send(&r, 8, 10);
    rig_expect(&r, 6, 10);
    CHECK_INT(rig_counts(&r).streams, 1);
    rig_close(&r);
}

TEST(a_new_log_is_followed_from_1_and_what_was_held_is_not_lost)
{
    struct rig r;
    struct stream_log old;
    rig_begin(&r);
    rig_send(&r, 1, 1);
    rig_expect(&r, 1, 1);
    r.policy = lose_the_second;
    r.n_relayed = 1;
    rig_send(&r, 2, 4); /* 2 is lost; 3 and 4 arrive after history has gone */
    usleep(100000);
    rig_stop_publisher(&r);
    rig_relay(&r);
    old = r.log;
    CHECK_INT(log_memory_open((size_t)1 << 20, &r.log, &r.e), BURST_OK);
    r.policy = NULL;
    rig_publisher(&r);
    rig_send(&r, 1, 0);
    rig_send_text(&r, RIG_TOPIC, "message 11");
    rig_send_text(&r, RIG_TOPIC, "message 12");
    rig_expect_gap(&r, 2, 2);
    rig_expect(&r, 3, 4);
    rig_expect_stream(&r);
    struct subscriber_event ev;
    for (uint64_t i = 1; i <= 2 && rig_next(&r, &ev); i++) {
        CHECK_INT(ev.kind, SUBSCRIBER_MESSAGE);
        CHECK_INT(ev.item.seq, i);
        CHECK(memcmp(ev.stream, r.log.stream, STREAM_UUID) == 0);
    }
    CHECK_INT(rig_counts(&r).streams, 2);
    log_memory_close(&old);
    rig_close(&r);
}

TEST(what_history_no_longer_keeps_becomes_a_gap)
{
    struct rig r;
    rig_open(&r);
    rig_stop_publisher(&r);
    log_memory_close(&r.log);
    CHECK_INT(log_memory_open(8000, &r.log, &r.e), BURST_OK);
    rig_publisher(&r);
    rig_send(&r, 1, 60);
    uint64_t first;
    CHECK_INT(r.log.earliest(r.log.ctx, RIG_TOPIC, &first, &r.e), BURST_OK);
    CHECK(first > 2 && first < 60);
    rig_subscribe(&r);
    rig_expect_stream(&r);
    rig_expect_gap(&r, 1, (int)first - 1);
    rig_expect(&r, (int)first, 60);
    CHECK_INT(rig_counts(&r).gaps, 1);
    CHECK_INT(rig_counts(&r).lost, first - 1);
    rig_close(&r);
}

TEST(without_history_a_hole_becomes_a_gap_and_live_goes_on)
{
    struct rig r;
    rig_open(&r);
    r.policy = lose_every_third;
    r.set.history = "ipc:///tmp/burst-nobody-listens";
    r.set.answer_ms = 20;
    r.set.attempts = 3;
    rig_subscribe(&r);
    rig_settle(&r);
    rig_send(&r, 1, 8);
    rig_expect(&r, 1, 2);
    rig_expect_gap(&r, 3, 3);
    rig_expect(&r, 4, 5);
    rig_expect_gap(&r, 6, 6);
    rig_expect(&r, 7, 8);
    struct subscriber_counts c = rig_counts(&r);
    CHECK_INT(c.lost, 2);
    CHECK(c.timeouts >= 3);
    rig_close(&r);
}

/* A small generator with a seed, so that a failure can be seen again. */
static uint64_t dice_state;

static unsigned dice(unsigned sides)
{
    dice_state = dice_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (unsigned)(dice_state >> 33) % sides;
}

/* Lose, repeat, delay by one, spoil. */
static void chaos(struct rig *r, struct rig_message *m, int n)
{
    (void)n;
    unsigned what = dice(10);
    if (what == 0) return;
    if (what == 1) rig_send_on(r, m);
    if (what == 2 && r->kept.n_part == 0) {
        r->kept.n_part = m->n_part;
        for (int i = 0; i < m->n_part; i++) {
            zmq_msg_init(&r->kept.part[i]);
            zmq_msg_copy(&r->kept.part[i], &m->part[i]);
        }
        return;
    }
    if (what == 3) { /* cut short: it cannot be placed */
        zmq_msg_close(&m->part[1]);
        zmq_msg_init_size(&m->part[1], 7);
        memset(zmq_msg_data(&m->part[1]), 0, 7);
    }
    rig_send_on(r, m);
    if (r->kept.n_part) rig_send_on(r, &r->kept);
    rig_drop(&r->kept);
}

/* Every message once and in order, whatever the relay does and however often the publisher is started anew. */
static void check_chaos(uint64_t seed)
{
    struct rig r;
    struct subscriber_event ev;
    int sent = 0, got = 0, bad = 0;
    dice_state = seed;
    rig_open(&r);
    r.policy = chaos;
    r.set.batch = 1 + dice(20);
    r.set.hold_most = 1 + dice(30);
    rig_subscribe(&r);
    while (got < 300) {
        int n = (int)dice(20);
        rig_send(&r, sent + 1, sent + n < 300 ? sent + n : 300);
        sent = sent + n < 300 ? sent + n : 300;
        if (dice(12) == 0) {
            rig_stop_publisher(&r);
            rig_publisher(&r);
        }
        for (unsigned k = dice(20); (k > 0 || sent == 300) && got<sent; k -= k> 0) {
            if (!rig_next(&r, &ev)) break;
            if (ev.kind == SUBSCRIBER_STREAM) continue;
            bad += ev.kind == SUBSCRIBER_BAD;
            CHECK_SAY(ev.kind != SUBSCRIBER_BAD || ev.fault == FAULT_HEADER, "seed %d: %s", (int)seed, ev.error.text);
            if (ev.kind == SUBSCRIBER_BAD) continue;
            bool right = ev.kind == SUBSCRIBER_MESSAGE && ev.item.seq == (uint64_t)got + 1;
            CHECK_SAY(right, "seed %d: event %d from %d after %d", (int)seed, ev.kind, (int)ev.from, got);
            got++;
            if (!right) break;
        }
        if (check_case_failed) break;
    }
    struct subscriber_counts c = rig_counts(&r);
    CHECK_INT(c.gaps, 0);
    CHECK_INT(c.streams, 1);
    CHECK_INT(c.bad[FAULT_HEADER], bad);
    rig_close(&r);
}

TEST(whatever_happens_on_the_way_every_message_comes_once_and_in_order)
{
    for (uint64_t seed = 1; seed <= 8 && !check_case_failed; seed++)
        check_chaos(seed);
}

int main(void)
{
    RUN(a_restarted_publisher_with_its_log_goes_on);
    RUN(a_new_log_is_followed_from_1_and_what_was_held_is_not_lost);
    RUN(what_history_no_longer_keeps_becomes_a_gap);
    RUN(without_history_a_hole_becomes_a_gap_and_live_goes_on);
    RUN(whatever_happens_on_the_way_every_message_comes_once_and_in_order);
    return check_report();
}
