/* A history that is not ours: too large, broken, empty, slow, or talking nonsense. What it costs is told, and never more than that. */
#include "base/bytes.h"
#include "rig.h"

static int fake_mode;
enum { FAKE_17_MIB = 1, FAKE_33_MIB, FAKE_EMPTY, FAKE_WORD, FAKE_ERROR, FAKE_FORK, FAKE_GOOD };

static void reply(struct rig *r, struct rig_message *ask, const struct frame_bytes *parts, size_t n)
{
    zmq_send(r->fake, zmq_msg_data(&ask->part[0]), zmq_msg_size(&ask->part[0]), ZMQ_SNDMORE);
    for (size_t i = 0; i < n; i++)
        zmq_send(r->fake, parts[i].bytes, parts[i].n, i + 1 < n ? ZMQ_SNDMORE : 0);
}

struct fake_answer {
    struct rig *r;
    struct rig_message *ask;
};

static enum burst_err fake_item(void *arg, const struct stream_item *item)
{
    struct fake_answer *a = arg;
    size_t n = fake_mode == FAKE_17_MIB ? (size_t)17 << 20 : (size_t)33 << 20;
    bool big = item->seq == 2 && fake_mode <= FAKE_33_MIB;
    uint8_t *body = big ? calloc(1, n) : NULL;
    struct frame_bytes parts[] = {{"ITEM", 4},
                                  {item->topic, strlen(item->topic)},
                                  {item->header, FRAME_HEADER},
                                  {big ? body : item->body, big ? n : item->n_body},
                                  {item->seal, FRAME_SEAL}};
    reply(a->r, a->ask, parts, 5);
    free(body);
    return BURST_OK;
}

static void fake_replay(struct rig *r, struct rig_message *ask)
{
    struct fake_answer a = {r, ask};
    uint64_t next, from = bytes_get_u64(zmq_msg_data(&ask->part[4]));
    uint8_t number[8];
    if (fake_mode == FAKE_WORD) {
        reply(r, ask, &(struct frame_bytes){"PERHAPS", 7}, 1);
        return;
    }
    if (fake_mode == FAKE_ERROR) {
        reply(r, ask, (struct frame_bytes[]){{"ERROR", 5}, {"io", 2}, {"disk\nfull", 9}}, 3);
        return;
    }
    uint32_t most = fake_mode == FAKE_EMPTY ? 0 : bytes_get_u32(zmq_msg_data(&ask->part[5]));
    CHECK_INT(r->log.read(r->log.ctx, RIG_TOPIC, from, most, fake_item, &a, &next, &r->e), BURST_OK);
    bytes_put_u64(number, next);
    reply(r, ask, (struct frame_bytes[]){{"END", 3}, {RIG_TOPIC, strlen(RIG_TOPIC)}, {number, 8}}, 3);
}

static void fake_reply(struct rig *r, struct rig_message *ask)
{
    static const uint8_t zero[8];
    char word[8] = "";
    memcpy(word, zmq_msg_data(&ask->part[1]), zmq_msg_size(&ask->part[1]) < 8 ? zmq_msg_size(&ask->part[1]) : 7);
    if (!strcmp(word, "HELLO"))
        reply(r, ask, (struct frame_bytes[]){{"OK", 2}, {r->log.stream, 16}}, 2);
    else if (!strcmp(word, "LAST"))
        reply(r, ask, (struct frame_bytes[]){{"END", 3}, {"burst.v1.", 9}, {zero, 8}}, 3);
    else if (!strcmp(word, "REPLAY"))
        fake_replay(r, ask);
    else if (!strcmp(word, "ACK"))
        reply(r, ask, (struct frame_bytes[]){{fake_mode == FAKE_FORK ? "FORK" : "OK", fake_mode == FAKE_FORK ? 4 : 2}},
              1);
    rig_drop(ask);
}

static void fake_history(struct rig *r)
{
    struct rig_message ask = {.n_part = 0};
    while (rig_receive(r->fake, &ask))
        fake_reply(r, &ask);
}

static void lose_2_to_4(struct rig *r, struct rig_message *m, int n)
{
    if (n < 2 || n > 4) rig_send_on(r, m);
}

/* Five messages of which live loses 2, 3 and 4. */
static void fake_open_for(struct rig *r, int mode, int attempts)
{
    static char endpoint[64];
    rig_open(r);
    fake_mode = mode;
    r->fake = zmq_socket(r->zmq, ZMQ_ROUTER);
    int zero = 0;
    zmq_setsockopt(r->fake, ZMQ_LINGER, &zero, sizeof zero);
    (void)snprintf(endpoint, sizeof endpoint, "ipc://%s/fake", r->folder);
    CHECK(zmq_bind(r->fake, endpoint) == 0);
    r->also = fake_history;
    r->set.history = endpoint;
    r->set.attempts = attempts;
    r->set.answer_ms = 300;
    r->policy = lose_2_to_4;
    rig_subscribe(r);
    rig_settle(r);
    rig_send(r, 1, 5);
    rig_expect(r, 1, 1);
}

static void fake_open(struct rig *r, int mode)
{
    fake_open_for(r, mode, 3);
}

TEST(a_body_of_17_mib_in_history_is_refused_and_the_rest_goes_on)
{
    struct rig r;
    fake_open(&r, FAKE_17_MIB);
    rig_expect_bad(&r, FAULT_BODY, "seq 2: frame 2 (body) has 17825792 bytes");
    rig_expect(&r, 3, 5);
    CHECK_INT(rig_counts(&r).timeouts, 0);
    rig_close(&r);
}

TEST(a_message_that_breaks_the_history_connection_costs_itself_alone)
{
    struct rig r;
    fake_open(&r, FAKE_33_MIB);
    rig_expect_gap(&r, 2, 2);
    rig_expect(&r, 3, 5);
    rig_close(&r);
}

TEST(a_history_that_gives_nothing_costs_a_gap)
{
    struct rig r;
    fake_open(&r, FAKE_EMPTY);
    rig_expect_gap(&r, 2, 4);
    rig_expect(&r, 5, 5);
    rig_close(&r);
}

/* The history answers at once, but nobody looks: the caller is busy for longer than an answer may take. */
TEST(an_answer_that_waits_while_the_caller_is_away_is_no_silence)
{
    struct rig r;
    struct subscriber_event ev;
    fake_open(&r, FAKE_GOOD);
    while (subscriber_next(r.subscriber, 0, &ev, &r.e) != BURST_E_TIMEOUT) /* at its end the question is asked */
        CHECK_INT(ev.kind, SUBSCRIBER_HEARTBEAT);
    usleep(50000);
    fake_history(&r);
    usleep(400000);
    rig_expect(&r, 2, 5);
    CHECK_INT(rig_counts(&r).timeouts, 0);
    rig_close(&r);
}

/* It takes 450 ms for each answer, one after the other, also for those who went; the first may take 300, then twice as long. */
static struct rig_message late_ask;
static int64_t late_ns;

static void late_history(struct rig *r)
{
    if (late_ask.n_part) {
        if (clock_mono_ns() < late_ns) return;
        fake_reply(r, &late_ask);
        late_ask.n_part = 0;
    }
    if (rig_receive(r->fake, &late_ask)) late_ns = clock_mono_ns() + 450 * (CLOCK_NS_PER_S / 1000);
}

TEST(a_slow_history_is_waited_for_longer_each_time)
{
    struct rig r;
    fake_open_for(&r, FAKE_GOOD, 4);
    r.also = late_history;
    rig_expect(&r, 2, 5);
    CHECK_INT(rig_counts(&r).gaps, 0);
    CHECK(rig_counts(&r).timeouts > 0);
    if (late_ask.n_part) rig_drop(&late_ask);
    late_ask.n_part = 0;
    rig_close(&r);
}

TEST(answers_that_are_none_are_told)
{
    struct rig r;
    fake_open(&r, FAKE_WORD);
    rig_expect_bad(&r, FAULT_HISTORY, "a word that is no answer");
    rig_close(&r);
    fake_open(&r, FAKE_ERROR);
    rig_expect_bad(&r, FAULT_HISTORY, "ERROR: disk?full");
    rig_expect_bad(&r, FAULT_HISTORY, "ERROR");
    rig_expect_bad(&r, FAULT_HISTORY, "ERROR");
    rig_expect_gap(&r, 2, 4);
    rig_expect(&r, 5, 5);
    rig_close(&r);
}

TEST(a_fork_is_told)
{
    struct rig r;
    fake_open(&r, FAKE_FORK);
    rig_expect(&r, 2, 5);
    CHECK_INT(subscriber_ack(r.subscriber, RIG_TOPIC, 5, &r.e), BURST_OK);
    rig_expect_bad(&r, FAULT_FORK, "seq 5: the publisher's log holds another message");
    rig_close(&r);
}

int main(void)
{
    RUN(a_body_of_17_mib_in_history_is_refused_and_the_rest_goes_on);
    RUN(a_message_that_breaks_the_history_connection_costs_itself_alone);
    RUN(a_history_that_gives_nothing_costs_a_gap);
    RUN(an_answer_that_waits_while_the_caller_is_away_is_no_silence);
    RUN(a_slow_history_is_waited_for_longer_each_time);
    RUN(answers_that_are_none_are_told);
    RUN(a_fork_is_told);
    return check_report();
}
