#include "check.h"
#include "ingest/slice.h"

static const uint16_t CHANNEL[6] = {0, 1, 2, 3, 4, 5};

static struct event_packet one_detector(const int64_t *t, size_t n, const struct time_span *good, size_t n_good)
{
    struct event_packet p = {.n_list = 1, .span = {0, 1000}};
    p.list[0] =
        (struct event_list){.detector = 4, .n_event = n, .t_ns = t, .channel = CHANNEL, .n_good = n_good, .good = good};
    return p;
}

TEST(steps_back_in_time_are_sorted_and_equal_times_keep_their_order)
{
    static const int64_t t[6] = {5, 3, 9, 3, 3, 0};
    struct arena a;
    struct burst_error e;
    CHECK_INT(arena_init(&a, 4096, &e), BURST_OK);
    struct event_packet p = one_detector(t, 6, NULL, 0);
    CHECK_INT(slice_sort(&p, &a, &e), BURST_OK);
    static const int64_t want_t[6] = {0, 3, 3, 3, 5, 9};
    static const uint16_t want_c[6] = {5, 1, 3, 4, 0, 2};
    for (int i = 0; i < 6; i++)
        CHECK(p.list[0].t_ns[i] == want_t[i] && p.list[0].channel[i] == want_c[i]);
    arena_fini(&a);
}

TEST(a_sorted_list_is_not_copied)
{
    static const int64_t t[3] = {1, 1, 2};
    struct arena a = {0};
    struct burst_error e;
    struct event_packet p = one_detector(t, 3, NULL, 0);
    CHECK_INT(slice_sort(&p, &a, &e), BURST_OK);
    CHECK(p.list[0].t_ns == t);
}

TEST(a_full_arena_leaves_the_packet_as_it_was)
{
    static const int64_t t[3] = {2, 1, 0};
    struct arena a;
    struct burst_error e;
    CHECK_INT(arena_init(&a, 64, &e), BURST_OK);
    struct event_packet p = one_detector(t, 3, NULL, 0);
    CHECK_REFUSED(slice_sort(&p, &a, &e), BURST_E_NOMEM, e, "3 events of detector 5");
    CHECK(p.list[0].t_ns == t);
    arena_fini(&a);
}

TEST(a_slice_holds_its_events_and_its_good_time)
{
    static const int64_t t[5] = {0, 10, 19, 20, 30};
    static const struct time_span good[2] = {{0, 12}, {15, 40}};
    struct slice_storage storage;
    struct event_packet p = one_detector(t, 5, good, 2), part;
    struct burst_error e;
    CHECK_INT(slice_take(&p, 10, 20, &storage, &part, &e), BURST_OK);
    CHECK_INT(part.n_list, 1);
    CHECK_INT(part.list[0].n_event, 2);
    CHECK(part.list[0].t_ns[0] == 10 && part.list[0].channel[0] == 1 && part.list[0].t_ns[1] == 19);
    CHECK_INT(part.list[0].n_good, 2);
    CHECK(part.list[0].good[0].start_ns == 10 && part.list[0].good[0].stop_ns == 12);
    CHECK(part.list[0].good[1].start_ns == 15 && part.list[0].good[1].stop_ns == 20);
    CHECK_INT(slice_take(&p, 12, 15, &storage, &part, &e), BURST_OK);
    CHECK_INT(part.n_list, 0);
}

TEST(too_many_good_intervals_in_a_slice_are_refused)
{
    struct time_span good[SLICE_GOOD_MAX + 1];
    for (int i = 0; i <= SLICE_GOOD_MAX; i++)
        good[i] = (struct time_span){10 * i, 10 * i + 5};
    static const int64_t t[1] = {0};
    static struct slice_storage storage;
    struct event_packet p = one_detector(t, 1, good, SLICE_GOOD_MAX + 1), part;
    struct burst_error e;
    CHECK_REFUSED(slice_take(&p, 0, 1000, &storage, &part, &e), BURST_E_LIMIT, e, "detector 5 has over 64");
}

TEST(years_without_good_time_are_one_step)
{
    static const struct time_span good[2] = {{0, 12}, {1000000005, 1000000020}}, other[1] = {{40, 45}};
    struct event_packet p = one_detector(NULL, 0, good, 2);
    p.span = (struct time_span){0, 1000000020};
    p.n_list = 2;
    p.list[1] = (struct event_list){.n_good = 1, .good = other};
    CHECK_INT(slice_next(&p, 0, 10), 0);
    CHECK_INT(slice_next(&p, 10, 10), 10); /* [10, 12) */
    CHECK_INT(slice_next(&p, 20, 10), 40); /* the other detector's */
    CHECK_INT(slice_next(&p, 23, 10), 33); /* steps are counted from the time given: [33, 43) */
    CHECK_INT(slice_next(&p, 50, 10), 1000000000);
    CHECK_INT(slice_next(&p, 1000000010, 10), 1000000010);
    CHECK_INT(slice_next(&p, 1000000020, 10), 1000000020);
    CHECK_INT(slice_next(&p, 1000000019, 10), 1000000019);
    CHECK_INT(slice_next(&p, 1000000030, 10), 1000000030);
}

int main(void)
{
    RUN(steps_back_in_time_are_sorted_and_equal_times_keep_their_order);
    RUN(a_sorted_list_is_not_copied);
    RUN(a_full_arena_leaves_the_packet_as_it_was);
    RUN(a_slice_holds_its_events_and_its_good_time);
    RUN(too_many_good_intervals_in_a_slice_are_refused);
    RUN(years_without_good_time_are_one_step);
    return check_report();
}
