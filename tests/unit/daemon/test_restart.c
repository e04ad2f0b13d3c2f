/* Where reading goes on after a restart: never too late, however many messages came. */
#include "check.h"
#include "daemon/restart.h"

static const uint8_t STREAM[STREAM_UUID] = {1, 2, 3}, OTHER[STREAM_UUID] = {4};

TEST(a_point_comes_back_as_it_was)
{
    struct restart_point a = {.seq = 77, .score_from_k = -5, .tracker = {.k_end = 123456789012}}, b;
    uint8_t blob[RESTART_BLOB];
    struct burst_error e;
    strcpy(a.topic, "burst.v1.fermi.gbm.events");
    memcpy(a.stream, STREAM, sizeof a.stream);
    size_t n = restart_encode(&a, blob);
    CHECK(n <= RESTART_BLOB);
    CHECK_INT(restart_decode(restart_key(&a), blob, n, &b, &e), BURST_OK);
    CHECK(b.seq == 77 && b.score_from_k == -5 && b.tracker.k_end == 123456789012);
    CHECK(memcmp(b.stream, STREAM, sizeof b.stream) == 0);
    CHECK_STR(b.topic, a.topic);
}

TEST(a_blob_of_another_kind_is_refused)
{
    uint8_t blob[RESTART_BLOB] = {0};
    struct restart_point p = {.seq = 9};
    struct burst_error e;
    size_t n = restart_encode(&p, blob);
    CHECK_REFUSED(restart_decode("t", blob, n - 1, &p, &e), BURST_E_FORMAT, e, "t: 43 bytes");
    blob[3] = 9;
    CHECK_REFUSED(restart_decode("t", blob, n, &p, &e), BURST_E_FORMAT, e, "version 9");
    CHECK_INT(p.seq, 9);
}

TEST(the_oldest_message_with_needed_data_is_read_again)
{
    static struct cover c;
    memset(&c, 0, sizeof c);
    for (int i = 1; i <= 10; i++)
        cover_add(&c, STREAM, (uint64_t)i, 100 * i);
    CHECK_INT(cover_done_before(&c, 0), 0);
    CHECK_INT(cover_done_before(&c, 100), 1);
    CHECK_INT(cover_done_before(&c, 499), 4);
    cover_add(&c, STREAM, 11, 450); /* late data in a new message: all from it on, but 5 is older and still needed */
    CHECK_INT(cover_done_before(&c, 450), 4);
    CHECK_INT(cover_done_before(&c, 2000), 11);
    cover_add(&c, STREAM, 12, INT64_MIN); /* a message without data is done with */
    CHECK_INT(cover_done_before(&c, 2000), 12);
}

TEST(a_late_message_behind_newer_ones_is_found_first)
{
    static struct cover c;
    memset(&c, 0, sizeof c);
    cover_add(&c, STREAM, 1, 100);
    cover_add(&c, STREAM, 2, 900);
    cover_add(&c, STREAM, 3, 200);
    CHECK_INT(cover_done_before(&c, 500), 1);
    CHECK_INT(cover_done_before(&c, 900), 3);
}

TEST(a_new_stream_forgets_the_old_one)
{
    static struct cover c;
    memset(&c, 0, sizeof c);
    cover_add(&c, STREAM, 500, 100);
    cover_add(&c, OTHER, 1, 200);
    CHECK_INT(cover_done_before(&c, 100), 0);
    CHECK(memcmp(c.stream, OTHER, sizeof c.stream) == 0);
}

TEST(when_full_the_point_lies_earlier_never_later)
{
    static struct cover c;
    memset(&c, 0, sizeof c);
    for (int i = 1; i <= 3 * COVER_MAX; i++)
        cover_add(&c, STREAM, (uint64_t)i, i);
    /* Five joinings for 3 x COVER_MAX messages: the oldest entry stands for 2^5 of them. */
    for (int t = 1; t < 3 * COVER_MAX; t += 997) {
        struct cover copy = c;
        uint64_t done = cover_done_before(&copy, t);
        CHECK_SAY(done <= (uint64_t)t && (uint64_t)t - done < 32, "done %llu before %d", (unsigned long long)done, t);
    }
}

int main(void)
{
    RUN(a_point_comes_back_as_it_was);
    RUN(a_blob_of_another_kind_is_refused);
    RUN(the_oldest_message_with_needed_data_is_read_again);
    RUN(a_late_message_behind_newer_ones_is_found_first);
    RUN(a_new_stream_forgets_the_old_one);
    RUN(when_full_the_point_lies_earlier_never_later);
    return check_report();
}
