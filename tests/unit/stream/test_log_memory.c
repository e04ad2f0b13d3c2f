/* The log contract, on the log in memory. */
#include "check.h"
#include "stream/log_memory.h"
#include <stdlib.h>

static const char A[] = "burst.v1.fermi.gbm.events", B[] = "burst.v1.svom.eclairs.subimage";

static uint8_t seal_of(uint64_t seq)
{
    return (uint8_t)(0x40 + seq);
}

static enum burst_err append(struct stream_log *log, const char *topic, uint64_t seq, size_t n, struct burst_error *e)
{
    uint8_t seal[FRAME_SEAL], *body = malloc(n + 1);
    memset(seal, seal_of(seq), sizeof seal);
    memset(body, (int)seq, n);
    struct stream_item item = {.content = FRAME_FITS, .seq = seq, .body = body, .n_body = n, .seal = seal};
    memcpy(item.topic, topic, strlen(topic) + 1);
    enum burst_err err = log->append(log->ctx, &item, e);
    free(body);
    return err;
}

struct seen {
    size_t n, most;
    uint64_t seq[64];
    char topic[64][STREAM_TOPIC_TEXT];
    bool right;
};

static enum burst_err look(void *arg, const struct stream_item *item)
{
    struct seen *s = arg;
    if (s->n == s->most) return BURST_E_FULL;
    s->right =
        s->right && item->seal[0] == seal_of(item->seq) && (item->n_body == 0 || item->body[0] == (uint8_t)item->seq);
    memcpy(s->topic[s->n], item->topic, sizeof item->topic);
    s->seq[s->n++] = item->seq;
    return BURST_OK;
}

static const struct seen EMPTY = {.most = 64, .right = true};

TEST(numbers_begin_at_1_and_follow_one_another)
{
    struct stream_log log;
    struct burst_error e;
    uint64_t seq = 99;
    uint8_t h[STREAM_CHAIN], zero[STREAM_CHAIN] = {0};
    CHECK_INT(log_memory_open(1 << 20, &log, &e), BURST_OK);
    CHECK_INT(log.head(log.ctx, A, &seq, h, &e), BURST_OK);
    CHECK_INT(seq, 0);
    CHECK(memcmp(h, zero, sizeof h) == 0);
    CHECK_REFUSED(append(&log, A, 2, 5, &e), BURST_E_CONFLICT, e, "seq 2 does not follow 0");
    CHECK_INT(append(&log, A, 1, 5, &e), BURST_OK);
    CHECK_REFUSED(append(&log, A, 1, 5, &e), BURST_E_CONFLICT, e, "seq 1 does not follow 1");
    CHECK_INT(append(&log, A, 2, 0, &e), BURST_OK);
    CHECK_INT(append(&log, B, 1, 5, &e), BURST_OK);
    CHECK_INT(log.head(log.ctx, A, &seq, h, &e), BURST_OK);
    CHECK_INT(seq, 2);
    CHECK_INT(h[31], seal_of(2));
    log_memory_close(&log);
}

TEST(reading_gives_a_range_in_order)
{
    struct stream_log log;
    struct burst_error e;
    struct seen s = EMPTY;
    uint64_t next = 0;
    CHECK_INT(log_memory_open(1 << 20, &log, &e), BURST_OK);
    for (uint64_t i = 1; i <= 20; i++)
        CHECK_INT(append(&log, A, i, i, &e), BURST_OK);
    CHECK_INT(log.read(log.ctx, A, 5, 3, look, &s, &next, &e), BURST_OK);
    CHECK_INT(s.n, 3);
    CHECK_INT(s.seq[0], 5);
    CHECK_INT(s.seq[2], 7);
    CHECK_INT(next, 8);
    CHECK(s.right);
    s = EMPTY;
    CHECK_INT(log.read(log.ctx, A, 19, UINT32_MAX, look, &s, &next, &e), BURST_OK);
    CHECK_INT(s.n, 2);
    CHECK_INT(next, 21);
    s = EMPTY;
    CHECK_INT(log.read(log.ctx, A, 500, 7, look, &s, &next, &e), BURST_OK);
    CHECK_INT(s.n, 0);
    CHECK_INT(next, 500);
    CHECK_INT(log.read(log.ctx, "burst.v1.none", 1, 7, look, &s, &next, &e), BURST_OK);
    CHECK_INT(next, 1);
    log_memory_close(&log);
}

TEST(a_visitor_that_has_had_enough_stops_the_reading)
{
    struct stream_log log;
    struct burst_error e;
    struct seen s = EMPTY;
    uint64_t next;
    s.most = 2;
    CHECK_INT(log_memory_open(1 << 20, &log, &e), BURST_OK);
    for (uint64_t i = 1; i <= 9; i++)
        CHECK_INT(append(&log, A, i, 1, &e), BURST_OK);
    CHECK_INT(log.read(log.ctx, A, 1, 9, look, &s, &next, &e), BURST_OK);
    CHECK_INT(s.n, 2);
    log_memory_close(&log);
}

TEST(the_bound_forgets_the_oldest_whatever_its_topic)
{
    struct stream_log log;
    struct burst_error e;
    struct seen s = EMPTY;
    uint64_t first = 0, next, seq;
    uint8_t h[STREAM_CHAIN];
    CHECK_INT(log_memory_open(100000, &log, &e), BURST_OK);
    CHECK_INT(append(&log, B, 1, 10000, &e), BURST_OK);
    for (uint64_t i = 1; i <= 200; i++)
        CHECK_INT(append(&log, A, i, 10000, &e), BURST_OK);
    CHECK(log_memory_bytes(&log) <= 100000);
    CHECK_INT(log.earliest(log.ctx, A, &first, &e), BURST_OK);
    CHECK_SAY(first >= 192 && first <= 194, "%d",
              (int)first); /* at most 9 of 10,000 bytes and their heads fit in 100,000 */
    CHECK_REFUSED(log.read(log.ctx, A, first - 1, 1, look, &s, &next, &e), BURST_E_GONE, e,
                  "no longer kept, the oldest is");
    CHECK_INT(s.n, 0);
    CHECK_INT(log.read(log.ctx, A, first, 64, look, &s, &next, &e), BURST_OK);
    CHECK_INT(next, 201);
    CHECK(s.right);
    CHECK_INT(log.earliest(log.ctx, B, &first, &e), BURST_OK); /* all of B is forgotten, its number is not */
    CHECK_INT(first, 2);
    CHECK_INT(log.head(log.ctx, B, &seq, h, &e), BURST_OK);
    CHECK_INT(seq, 1);
    CHECK_INT(append(&log, B, 2, 10, &e), BURST_OK);
    CHECK_REFUSED(append(&log, A, 201, 100001, &e), BURST_E_FULL, e, "do not fit a log of 100000");
    log_memory_close(&log);
}

TEST(last_gives_the_newest_of_each_topic_in_topic_order)
{
    struct stream_log log;
    struct burst_error e;
    struct seen s = EMPTY;
    CHECK_INT(log_memory_open(1 << 20, &log, &e), BURST_OK);
    CHECK_INT(append(&log, B, 1, 1, &e), BURST_OK);
    CHECK_INT(append(&log, A, 1, 1, &e), BURST_OK);
    CHECK_INT(append(&log, A, 2, 1, &e), BURST_OK);
    CHECK_INT(log.last(log.ctx, "burst.v1.", look, &s, &e), BURST_OK);
    CHECK_INT(s.n, 2);
    CHECK_STR(s.topic[0], A);
    CHECK_INT(s.seq[0], 2);
    CHECK_STR(s.topic[1], B);
    s = EMPTY;
    CHECK_INT(log.last(log.ctx, "burst.v1.svom", look, &s, &e), BURST_OK);
    CHECK_INT(s.n, 1);
    CHECK(log.open_events == NULL); /* this log knows no events */
    log_memory_close(&log);
}

TEST(acknowledged_numbers_only_rise_and_forks_are_found)
{
    struct stream_log log;
    struct burst_error e;
    uint8_t h[STREAM_CHAIN];
    CHECK_INT(log_memory_open(1 << 20, &log, &e), BURST_OK);
    for (uint64_t i = 1; i <= 3; i++)
        CHECK_INT(append(&log, A, i, 1, &e), BURST_OK);
    memset(h, seal_of(3), sizeof h);
    CHECK_INT(log.ack(log.ctx, "console", A, 3, h, &e), BURST_OK);
    memset(h, seal_of(2), sizeof h);
    CHECK_INT(log.ack(log.ctx, "console", A, 2, h, &e), BURST_OK);
    CHECK_INT(log_memory_acked(&log, "console", A), 3);
    CHECK_INT(log_memory_acked(&log, "other", A), 0);
    CHECK_REFUSED(log.ack(log.ctx, "console", A, 3, h, &e), BURST_E_CONFLICT, e, "holds another message under seq 3");
    CHECK_REFUSED(log.ack(log.ctx, "console", A, 4, h, &e), BURST_E_CONFLICT, e,
                  "acknowledges seq 4, the log ends at 3");
    CHECK_REFUSED(log.ack(log.ctx, "console", B, 1, h, &e), BURST_E_CONFLICT, e, "the log ends at 0");
    CHECK_INT(log_memory_acked(&log, "console", A), 3);
    log_memory_close(&log);
}

TEST(the_marks_of_consumers_are_bounded)
{
    struct stream_log log;
    struct burst_error e;
    uint8_t h[STREAM_CHAIN];
    enum burst_err err = BURST_OK;
    CHECK_INT(log_memory_open(1 << 20, &log, &e), BURST_OK);
    CHECK_INT(append(&log, A, 1, 1, &e), BURST_OK);
    memset(h, seal_of(1), sizeof h);
    for (int i = 0; i < 2000 && !err; i++) {
        char name[16];
        (void)snprintf(name, sizeof name, "c%d", i);
        err = log.ack(log.ctx, name, A, 1, h, &e);
    }
    CHECK_REFUSED(err, BURST_E_IO, e, "no room for the mark");
    log_memory_close(&log);
}

TEST(each_log_is_a_stream_of_its_own)
{
    struct stream_log a, b;
    struct burst_error e;
    CHECK_INT(log_memory_open(1 << 20, &a, &e), BURST_OK);
    CHECK_INT(log_memory_open(1 << 20, &b, &e), BURST_OK);
    CHECK(memcmp(a.stream, b.stream, STREAM_UUID) != 0);
    CHECK_INT(a.stream[6] >> 4, 4); /* UUID version 4 */
    log_memory_close(&a);
    log_memory_close(&b);
    log_memory_close(&b); /* all zeros by now */
}

int main(void)
{
    RUN(numbers_begin_at_1_and_follow_one_another);
    RUN(reading_gives_a_range_in_order);
    RUN(a_visitor_that_has_had_enough_stops_the_reading);
    RUN(the_bound_forgets_the_oldest_whatever_its_topic);
    RUN(last_gives_the_newest_of_each_topic_in_topic_order);
    RUN(acknowledged_numbers_only_rise_and_forks_are_found);
    RUN(the_marks_of_consumers_are_bounded);
    RUN(each_log_is_a_stream_of_its_own);
    return check_report();
}
