#include "check.h"
#include "records/packet.h"

#define MS INT64_C(1000000)

/* Detector 0: [10.00, 10.05) and [100, 101) s, detector 1: [20, 21) s after an epoch of 5 s. */
TEST(the_next_bin_with_good_time_is_that_of_any_detector)
{
    static const struct time_span first[2] = {{15000 * MS, 15050 * MS}, {105000 * MS, 106000 * MS}},
                                  second[1] = {{25000 * MS, 26000 * MS}};
    struct event_packet p = {.epoch_ns = 5000 * MS, .n_list = 2};
    p.list[0] = (struct event_list){.n_good = 2, .good = first};
    p.list[1] = (struct event_list){.n_good = 1, .good = second};
    CHECK_INT(event_packet_next(&p, 0), 156); /* 9.984 s */
    CHECK_INT(event_packet_next(&p, 156), 156);
    CHECK_INT(event_packet_next(&p, 157), 157); /* 10.048 s */
    CHECK_INT(event_packet_next(&p, 158), 312); /* 19.968 s */
    CHECK_INT(event_packet_next(&p, 320), 320);
    CHECK_INT(event_packet_next(&p, 328), 328);      /* 20.992 s */
    CHECK_INT(event_packet_next(&p, 329), 1562);     /* 99.968 s */
    CHECK(event_packet_next(&p, 1579) == INT64_MAX); /* 101.056 s */
}

TEST(a_packet_without_good_time_has_no_next_bin)
{
    struct event_packet p = {.n_list = 1};
    CHECK(event_packet_next(&p, 0) == INT64_MAX);
    p.n_list = 0;
    CHECK(event_packet_next(&p, 0) == INT64_MAX);
}

TEST(an_interval_is_over_when_it_ends)
{
    static const struct time_span good[3] = {{10, 20}, {20, 30}, {50, 60}};
    struct event_list list = {.n_good = 3, .good = good};
    const int64_t t_ns[] = {0, 10, 19, 20, 29, 30, 50, 59, 60, 1000};
    const size_t want[] = {0, 0, 0, 1, 1, 2, 2, 2, 3, 3};
    for (size_t i = 0; i < sizeof want / sizeof want[0]; i++)
        CHECK_INT(event_list_good_after(&list, t_ns[i]), want[i]);
    list.n_good = 0;
    CHECK_INT(event_list_good_after(&list, 15), 0);
}

int main(void)
{
    RUN(the_next_bin_with_good_time_is_that_of_any_detector);
    RUN(a_packet_without_good_time_has_no_next_bin);
    RUN(an_interval_is_over_when_it_ends);
    return check_report();
}
