/* What the history socket answers to raw requests, good and bad. */
#include "desk.h"

TEST(hello_is_answered_with_the_stream)
{
    struct desk d;
    desk_open(&d, 1000);
    ASK(&d, WORD("HELLO"), WORD("console"));
    CHECK_INT(d.m.n_part, 2);
    CHECK(word_is(&d, 0, "OK") && part_is(&d, 1, d.log.stream, STREAM_UUID));
    desk_close(&d);
}

/* Expect items from .. to of TOPIC, then END with `next`. */
static void expect_items(struct desk *d, int from, int to, uint64_t next)
{
    for (int i = from; i <= to; i++) {
        char text[32];
        (void)snprintf(text, sizeof text, "message %d", i);
        CHECK_SAY(d->m.n_part == 5 && word_is(d, 0, "ITEM") && word_is(d, 1, TOPIC) && word_is(d, 3, text), "%d parts",
                  d->m.n_part);
        CHECK_INT(bytes_get_u64((uint8_t *)zmq_msg_data(&d->m.part[2]) + 24), i);
        if (!get(d, d->dealer)) return;
    }
    CHECK(d->m.n_part == 3 && word_is(d, 0, "END") && word_is(d, 1, TOPIC));
    CHECK_INT(number(d, 2), next);
}

TEST(replay_gives_a_range_and_what_comes_next)
{
    struct desk d;
    static const uint8_t current[STREAM_UUID];
    desk_open(&d, 1000);
    send_numbered(&d, 1, 60);
    ask_replay(&d, TOPIC, current, 5, 3);
    expect_items(&d, 5, 7, 8);
    ask_replay(&d, TOPIC, d.log.stream, 1, 10000); /* more than one turn of the server */
    expect_items(&d, 1, 60, 61);
    ask_replay(&d, TOPIC, current, 0, 1); /* numbers begin at 1 */
    expect_items(&d, 1, 1, 2);
    ask_replay(&d, TOPIC, current, 61, 10);
    expect_items(&d, 1, 0, 61);
    ask_replay(&d, TOPIC, current, 60, 0);
    expect_items(&d, 1, 0, 60);
    struct publisher_counts c;
    publisher_counts(d.publisher, &c);
    CHECK_INT(c.items_replayed, 64);
    CHECK_INT(c.requests, 5);
    desk_close(&d);
}

TEST(unknown_streams_and_forgotten_numbers_are_gone)
{
    struct desk d;
    uint8_t other[STREAM_UUID] = {9};
    desk_open(&d, 1000);
    send_numbered(&d, 1, 3);
    ask_replay(&d, TOPIC, other, 1, 10);
    CHECK(d.m.n_part == 3 && word_is(&d, 0, "GONE") && word_is(&d, 1, TOPIC));
    CHECK_INT(number(&d, 2), 1);
    uint8_t *big = calloc(1, FRAME_BODY_MAX);
    for (int i = 4; i <= 24; i++) /* 21 x 16 MiB do not fit 256 MiB */
        CHECK_INT(publisher_send(d.publisher, TOPIC, 0, FRAME_FITS, big, FRAME_BODY_MAX, NULL, &d.e), BURST_OK);
    free(big);
    ask_replay(&d, TOPIC, d.log.stream, 2, 10);
    CHECK(word_is(&d, 0, "GONE"));
    CHECK_INT(number(&d, 2), 10); /* 15 of 16 MiB and their heads fit */
    desk_close(&d);
}

TEST(last_gives_the_newest_of_each_topic)
{
    struct desk d;
    desk_open(&d, 1000);
    send_numbered(&d, 1, 3);
    CHECK_INT(publisher_send(d.publisher, "burst.v1.svom.eclairs.subimage", 0, FRAME_FITS, (const uint8_t *)"x", 1,
                             NULL, &d.e),
              BURST_OK);
    ASK(&d, WORD("LAST"), WORD("burst.v1."));
    CHECK(word_is(&d, 0, "ITEM") && word_is(&d, 1, TOPIC) && word_is(&d, 3, "message 3"));
    CHECK(get(&d, d.dealer) && word_is(&d, 1, "burst.v1.svom.eclairs.subimage"));
    CHECK(get(&d, d.dealer) && word_is(&d, 0, "END") && word_is(&d, 1, "burst.v1."));
    CHECK_INT(number(&d, 2), 0);
    ASK(&d, WORD("LAST"), WORD("burst.v1.gecam"));
    CHECK(word_is(&d, 0, "END"));
    desk_close(&d);
}

static enum burst_err two_events(void *ctx, const char *prefix, int64_t since_ns, stream_visit *visit, void *arg,
                                 struct burst_error *reterr)
{
    (void)ctx, (void)reterr;
    CHECK_STR(prefix, "burst.v1.fermi");
    CHECK_INT(since_ns, 1700000000000000000);
    struct stream_item item = {.topic = TOPIC, .seq = 2};
    enum burst_err err = visit(arg, &item);
    item.seq = 3;
    return err ? err : visit(arg, &item);
}

TEST(open_gives_the_events_the_log_names)
{
    struct desk d;
    uint8_t since[8];
    bytes_put_u64(since, UINT64_C(1700000000000000000));
    desk_open(&d, 1000);
    send_numbered(&d, 1, 4);
    ASK(&d, WORD("OPEN"), WORD("burst.v1.fermi"), {since, 8});
    CHECK(word_is(&d, 0, "END")); /* this log knows no events */
    desk_close(&d);

    desk_open(&d, 1000);
    publisher_close(d.publisher);
    d.log.open_events = two_events;
    CHECK_INT(publisher_open(d.context, &d.set, &d.publisher, &d.e), BURST_OK);
    zmq_close(d.dealer);
    d.dealer = zmq_socket(d.zmq, ZMQ_DEALER);
    CHECK(zmq_connect(d.dealer, publisher_history(d.publisher)) == 0);
    send_numbered(&d, 1, 4);
    ASK(&d, WORD("OPEN"), WORD("burst.v1.fermi"), {since, 8});
    CHECK(word_is(&d, 0, "ITEM") && word_is(&d, 3, "message 2"));
    CHECK(get(&d, d.dealer) && word_is(&d, 3, "message 3"));
    CHECK(get(&d, d.dealer) && word_is(&d, 0, "END") && word_is(&d, 1, "burst.v1.fermi"));
    desk_close(&d);
}

TEST(an_ack_is_noted_under_the_name_and_a_fork_is_told)
{
    struct desk d;
    uint8_t seq[8], h[STREAM_CHAIN], zero[STREAM_CHAIN] = {0}, other[STREAM_UUID] = {9};
    uint64_t head;
    struct publisher_counts c;
    desk_open(&d, 1000);
    send_numbered(&d, 1, 3);
    CHECK_INT(d.log.head(d.log.ctx, TOPIC, &head, h, &d.e), BURST_OK);
    bytes_put_u64(seq, 3);
    ASK(&d, WORD("ACK"), WORD(TOPIC), {d.log.stream, 16}, {seq, 8}, {h, 32});
    CHECK(d.m.n_part == 1 && word_is(&d, 0, "OK"));
    CHECK_INT(log_memory_acked(&d.log, "anonymous", TOPIC), 3);
    ASK(&d, WORD("HELLO"), WORD("console"));
    ASK(&d, WORD("ACK"), WORD(TOPIC), {d.log.stream, 16}, {seq, 8}, {h, 32});
    CHECK(word_is(&d, 0, "OK"));
    CHECK_INT(log_memory_acked(&d.log, "console", TOPIC), 3);
    ASK(&d, WORD("ACK"), WORD(TOPIC), {d.log.stream, 16}, {seq, 8}, {zero, 32});
    CHECK(d.m.n_part == 1 && word_is(&d, 0, "FORK"));
    ASK(&d, WORD("ACK"), WORD(TOPIC), {other, 16}, {seq, 8}, {h, 32});
    CHECK(word_is(&d, 0, "FORK"));
    publisher_counts(d.publisher, &c);
    CHECK_INT(c.forks, 2);
    desk_close(&d);
}

TEST(wrong_requests_are_answered_with_error_code_and_text)
{
    struct desk d;
    uint8_t number8[8] = {0}, uuid[16] = {0};
    struct publisher_counts c;
    char longer[STREAM_TOPIC_TEXT + 1];
    memset(longer, 'x', sizeof longer);
    desk_open(&d, 1000);
#define CHECK_ERROR(word, sentence)                                                                                    \
    do {                                                                                                               \
        char text_[512];                                                                                               \
        CHECK(d.m.n_part == 3 && word_is(&d, 0, "ERROR"));                                                             \
        if (d.m.n_part < 3) break;                                                                                     \
        (void)snprintf(text_, sizeof text_, "%.*s", (int)zmq_msg_size(&d.m.part[2]),                                   \
                       (char *)zmq_msg_data(&d.m.part[2]));                                                            \
        CHECK_SAY(word_is(&d, 1, word) && strstr(text_, sentence), "\"%s\" lacks \"%s\"", text_, sentence);            \
    } while (0)
    ASK(&d, WORD("STEAL"), WORD("x"));
    CHECK_ERROR("unsupported", "unknown request");
    ASK(&d, WORD(""));
    CHECK_ERROR("unsupported", "unknown request");
    ASK(&d, WORD("HELLO"));
    CHECK_ERROR("shape", "HELLO has 1 frames, not 2");
    ASK(&d, WORD("HELLO"), WORD(""));
    CHECK_ERROR("format", "name has 0 bytes");
    ASK(&d, WORD("HELLO"), WORD("a\033b"));
    CHECK_ERROR("format", "printable");
    ASK(&d, WORD("REPLAY"), WORD(TOPIC), {uuid, 16}, {number8, 8});
    CHECK_ERROR("shape", "REPLAY has 4 frames, not 5");
    ASK(&d, WORD("REPLAY"), WORD(TOPIC), {uuid, 16}, {number8, 8}, {number8, 8});
    CHECK_ERROR("shape", "max has 8 bytes, not 4");
    ASK(&d, WORD("REPLAY"), WORD(TOPIC), {uuid, 15}, {number8, 8}, {number8, 4});
    CHECK_ERROR("shape", "stream has 15 bytes, not 16");
    ASK(&d, WORD("REPLAY"), {longer, sizeof longer}, {uuid, 16}, {number8, 8}, {number8, 4});
    CHECK_ERROR("format", "topic has 129 bytes");
    ASK(&d, WORD("OPEN"), WORD("burst."), {number8, 7});
    CHECK_ERROR("shape", "since_ns has 7 bytes");
    ASK(&d, WORD("ACK"), WORD(TOPIC), {uuid, 16}, {number8, 8}, {uuid, 16});
    CHECK_ERROR("shape", "h has 16 bytes, not 32");
    ASK(&d, WORD("A"), WORD("B"), WORD("C"), WORD("D"), WORD("E"), WORD("F"), WORD("G"), WORD("H"));
    CHECK_ERROR("unsupported", "unknown request");
    publisher_counts(d.publisher, &c);
    CHECK_INT(c.refused_requests, 12);
    ASK(&d, WORD("HELLO"), WORD("still here"));
    CHECK(word_is(&d, 0, "OK"));
    desk_close(&d);
}

TEST(pipelined_requests_are_answered_in_order)
{
    struct desk d;
    uint8_t uuid[16] = {0}, from[8], most[4];
    bytes_put_u64(from, 1);
    bytes_put_u32(most, 1000);
    desk_open(&d, 1000);
    send_numbered(&d, 1, 40);
    const struct frame_bytes replay[] = {WORD("REPLAY"), WORD(TOPIC), {uuid, 16}, {from, 8}, {most, 4}};
    const struct frame_bytes hello[] = {WORD("HELLO"), WORD("x")};
    ask(&d, replay, 5);
    ask(&d, hello, 2);
    usleep(300000); /* both lie in the socket before the first is looked at */
    if (get(&d, d.dealer)) expect_items(&d, 1, 40, 41);
    CHECK(get(&d, d.dealer) && word_is(&d, 0, "OK"));
    desk_close(&d);
}

TEST(a_client_that_does_not_read_neither_loses_nor_stops_others)
{
    struct desk d;
    static uint8_t body[1 << 20], uuid[16];
    desk_open(&d, 1000);
    for (int i = 1; i <= 100; i++) { /* far more than sockets and kernel buffers hold */
        memset(body, i, sizeof body);
        CHECK_INT(publisher_send(d.publisher, TOPIC, 0, FRAME_FITS, body, sizeof body, NULL, &d.e), BURST_OK);
    }
    void *stuck = zmq_socket(d.zmq, ZMQ_DEALER);
    int one = 1, zero = 0;
    zmq_setsockopt(stuck, ZMQ_RCVHWM, &one, sizeof one);
    zmq_setsockopt(stuck, ZMQ_LINGER, &zero, sizeof zero);
    CHECK(zmq_connect(stuck, publisher_history(d.publisher)) == 0);
    void *other = d.dealer;
    uint8_t from[8], most[4];
    bytes_put_u64(from, 1);
    bytes_put_u32(most, 1000);
    const struct frame_bytes replay[] = {WORD("REPLAY"), WORD(TOPIC), {uuid, 16}, {from, 8}, {most, 4}};
    d.dealer = stuck;
    ask(&d, replay, 5);
    for (int i = 0; i < 300; i++)
        CHECK_INT(publisher_serve(d.publisher, 1, &d.e), BURST_OK);
    CHECK_INT(publisher_pending(d.publisher), 1);
    d.dealer = other;
    const struct frame_bytes hello[] = {WORD("HELLO"), WORD("quick")};
    ask(&d, hello, 2);
    CHECK(get(&d, d.dealer) && word_is(&d, 0, "OK"));
    for (int i = 1; i <= 100 && get(&d, stuck); i++) { /* now it reads */
        CHECK(word_is(&d, 0, "ITEM"));
        CHECK_INT(bytes_get_u64((uint8_t *)zmq_msg_data(&d.m.part[2]) + 24), i);
        CHECK_INT(((uint8_t *)zmq_msg_data(&d.m.part[3]))[sizeof body - 1], i);
    }
    CHECK(get(&d, stuck) && word_is(&d, 0, "END"));
    CHECK_INT(publisher_pending(d.publisher), 0);
    zmq_close(stuck);
    desk_close(&d);
}

/* Ask without reading until burstd has taken all of it. */
static void flood(struct desk *d, void *dealer, const struct frame_bytes *parts, size_t n_part, int n)
{
    void *other = d->dealer;
    d->dealer = dealer;
    for (int i = 0; i < n; i++)
        ask(d, parts, n_part);
    d->dealer = other;
    for (int i = 0; i < 100; i++)
        CHECK_INT(publisher_serve(d->publisher, 1, &d->e), BURST_OK);
}

TEST(what_a_client_asks_beyond_its_share_is_refused_in_its_turn)
{
    struct desk d;
    uint8_t uuid[16] = {0}, from[8], most[4];
    bytes_put_u64(from, 1);
    bytes_put_u32(most, 1000);
    desk_open(&d, 1000);
    send_numbered(&d, 1, 40);
    int zero = 0, n_end = 0, n_full = 0;
    zmq_setsockopt(d.dealer, ZMQ_SNDHWM, &zero, sizeof zero);
    const struct frame_bytes replay[] = {WORD("REPLAY"), WORD(TOPIC), {uuid, 16}, {from, 8}, {most, 4}};
    for (int i = 0; i < 300; i++)
        ask(&d, replay, 5);
    usleep(300000); /* all lie in the socket before the first is looked at */
    while (n_end + n_full < 300 && get(&d, d.dealer)) {
        n_end += word_is(&d, 0, "END");
        n_full += word_is(&d, 0, "ERROR") && word_is(&d, 1, "full");
    }
    CHECK_INT(n_end + n_full, 300);
    CHECK(n_end >= 64 && n_full > 0);
    const struct frame_bytes hello[] = {WORD("HELLO"), WORD("x")};
    ask(&d, hello, 2); /* afterwards it is a client like any other */
    CHECK(get(&d, d.dealer) && word_is(&d, 0, "OK"));
    desk_close(&d);
}

TEST(clients_that_ask_without_reading_do_not_keep_others_out)
{
    enum { HOGS = 6 };
    struct desk d;
    static uint8_t body[1 << 20], uuid[16];
    void *hog[HOGS];
    uint8_t from[8], most[4];
    int one = 1, zero = 0;
    desk_open(&d, 1000);
    for (int i = 1; i <= 60; i++) {
        memset(body, i, sizeof body);
        CHECK_INT(publisher_send(d.publisher, TOPIC, 0, FRAME_FITS, body, sizeof body, NULL, &d.e), BURST_OK);
    }
    bytes_put_u64(from, 1);
    bytes_put_u32(most, 1000);
    const struct frame_bytes replay[] = {WORD("REPLAY"), WORD(TOPIC), {uuid, 16}, {from, 8}, {most, 4}};
    for (int i = 0; i < HOGS; i++) {
        hog[i] = zmq_socket(d.zmq, ZMQ_DEALER);
        zmq_setsockopt(hog[i], ZMQ_RCVHWM, &one, sizeof one);
        zmq_setsockopt(hog[i], ZMQ_LINGER, &zero, sizeof zero);
        zmq_setsockopt(hog[i], ZMQ_SNDHWM, &zero, sizeof zero);
        CHECK(zmq_connect(hog[i], publisher_history(d.publisher)) == 0);
        flood(&d, hog[i], replay, 5, 100);
    }
    const struct frame_bytes hello[] = {WORD("HELLO"), WORD("x")};
    for (int i = 0; i < 3; i++) {
        ask(&d, hello, 2);
        CHECK(get(&d, d.dealer) && word_is(&d, 0, "OK"));
    }
    for (int i = 0; i < HOGS; i++)
        zmq_close(hog[i]);
    desk_close(&d);
}

TEST(a_client_that_left_leaves_nothing_behind)
{
    struct desk d;
    static uint8_t body[1 << 20], uuid[16];
    desk_open(&d, 1000);
    for (int i = 1; i <= 100; i++)
        CHECK_INT(publisher_send(d.publisher, TOPIC, 0, FRAME_FITS, body, sizeof body, NULL, &d.e), BURST_OK);
    uint8_t from[8], most[4];
    bytes_put_u64(from, 1);
    bytes_put_u32(most, 1000);
    const struct frame_bytes replay[] = {WORD("REPLAY"), WORD(TOPIC), {uuid, 16}, {from, 8}, {most, 4}};
    ask(&d, replay, 5);
    CHECK(get(&d, d.dealer));
    zmq_close(d.dealer);
    for (int i = 0; i < 20000 && publisher_pending(d.publisher) > 0; i++)
        CHECK_INT(publisher_serve(d.publisher, 1, &d.e), BURST_OK);
    CHECK_INT(publisher_pending(d.publisher), 0);
    d.dealer = zmq_socket(d.zmq, ZMQ_DEALER);
    desk_close(&d);
}

int main(void)
{
    RUN(hello_is_answered_with_the_stream);
    RUN(replay_gives_a_range_and_what_comes_next);
    RUN(unknown_streams_and_forgotten_numbers_are_gone);
    RUN(last_gives_the_newest_of_each_topic);
    RUN(open_gives_the_events_the_log_names);
    RUN(an_ack_is_noted_under_the_name_and_a_fork_is_told);
    RUN(wrong_requests_are_answered_with_error_code_and_text);
    RUN(pipelined_requests_are_answered_in_order);
    RUN(a_client_that_does_not_read_neither_loses_nor_stops_others);
    RUN(what_a_client_asks_beyond_its_share_is_refused_in_its_turn);
    RUN(clients_that_ask_without_reading_do_not_keep_others_out);
    RUN(a_client_that_left_leaves_nothing_behind);
    return check_report();
}
