/* Where reading goes on after a restart: never too late, however many messages came. */
#include "check.h"
#include "daemon/restart.h"

static const uint8_t STREAM[STREAM_UUID] = {1, 2, 3}, OTHER[STREAM_UUID] = {4};

static uint8_t blob[RESTART_BLOB];

TEST(a_point_comes_back_as_it_was)
{
    struct restart_point a = {.n_from = 2, .score_from_k = -5, .tracker = {.k_end = 123456789012}}, b;
    struct burst_error e;
    strcpy(a.topic, "burst.v1.fermi.gbm.events");
    memcpy(a.from[0].stream, STREAM, STREAM_UUID);
    a.from[0].seq = 77;
    memcpy(a.from[1].stream, OTHER, STREAM_UUID);
    a.from[1].seq = UINT64_MAX;
    size_t n = restart_encode(&a, blob);
    CHECK_INT(n, 4 + 4 + 8 + 8 + 2 * 24);
    CHECK_INT(restart_decode(restart_key(&a), blob, n, &b, &e), BURST_OK);
    CHECK(b.n_from == 2 && b.score_from_k == -5 && b.tracker.k_end == 123456789012);
    CHECK(b.from[0].seq == 77 && memcmp(b.from[0].stream, STREAM, STREAM_UUID) == 0);
    CHECK(b.from[1].seq == UINT64_MAX && memcmp(b.from[1].stream, OTHER, STREAM_UUID) == 0);
    CHECK_STR(b.topic, a.topic);
}

TEST(a_blob_of_another_kind_is_refused)
{
    struct restart_point p = {.n_from = 1}, q = {.n_from = 9};
    struct burst_error e;
    size_t n = restart_encode(&p, blob);
    CHECK_REFUSED(restart_decode("t", blob, n - 1, &q, &e), BURST_E_FORMAT, e, "1 streams in 47 bytes");
    CHECK_REFUSED(restart_decode("t", blob, 3, &q, &e), BURST_E_FORMAT, e, "t: 3 bytes");
    blob[7] = RESTART_FROM_MAX + 1;
    CHECK_REFUSED(restart_decode("t", blob, n, &q, &e), BURST_E_FORMAT, e, "9 streams");
    blob[3] = 9;
    CHECK_REFUSED(restart_decode("t", blob, n, &q, &e), BURST_E_FORMAT, e, "version 9");
    CHECK_INT(q.n_from, 9);
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

TEST(an_old_number_without_data_changes_nothing)
{
    static struct cover c;
    memset(&c, 0, sizeof c);
    cover_add(&c, STREAM, 4, 100);
    cover_add(&c, STREAM, 5, 200);
    cover_add(&c, STREAM, 2, INT64_MIN);
    CHECK_INT(cover_done_before(&c, 100), 4);
    cover_add(&c, STREAM, 1, 50); /* the log begins again under the same stream */
    CHECK_INT(cover_done_before(&c, 40), 0);
    CHECK_INT(cover_done_before(&c, 100), 1);
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

TEST(an_open_end_is_needed_until_it_is_known)
{
    static struct cover c;
    memset(&c, 0, sizeof c);
    cover_add(&c, STREAM, 1, 100);
    cover_add(&c, STREAM, 3, COVER_OPEN);
    cover_add(&c, STREAM, 4, 400);
    CHECK_INT(cover_done_before(&c, 1000), 2);
    cover_close(&c, 300);
    CHECK_INT(cover_done_before(&c, 299), 2);
    CHECK_INT(cover_done_before(&c, 300), 3);
    cover_close(&c, 500); /* nothing is open */
    CHECK_INT(cover_done_before(&c, 400), 4);
}

int main(void)
{
    RUN(a_point_comes_back_as_it_was);
    RUN(a_blob_of_another_kind_is_refused);
    RUN(the_oldest_message_with_needed_data_is_read_again);
    RUN(a_late_message_behind_newer_ones_is_found_first);
    RUN(a_new_stream_forgets_the_old_one);
    RUN(an_old_number_without_data_changes_nothing);
    RUN(an_open_end_is_needed_until_it_is_known);
    RUN(when_full_the_point_lies_earlier_never_later);
    return check_report();
}
