#include "check.h"
#include "daemon/health.h"
#include <time.h>

TEST(every_counter_kind_and_thread_has_a_name_of_its_own)
{
    for (int i = 0; i < COUNT_N; i++)
        for (int k = 0; k < i; k++)
            CHECK(strcmp(health_count_name((enum health_count)i), health_count_name((enum health_count)k)) != 0);
    for (int i = 0; i < BAD_KIND_N; i++)
        CHECK(health_kind_name((enum health_kind)i) != NULL);
    for (int i = 0; i < THREAD_N; i++)
        CHECK(health_thread_name((enum health_thread)i) != NULL);
}

TEST(a_babbling_source_is_counted_each_time_and_told_once)
{
    struct health *h = NULL;
    struct burst_error e;
    CHECK_INT(health_new(&h, &e), BURST_OK);
    CHECK(health_bad(h, BAD_FRAME, BURST_E_FORMAT, "a"));
    CHECK(!health_bad(h, BAD_FRAME, BURST_E_FORMAT, "a"));
    CHECK(health_bad(h, BAD_FRAME, BURST_E_FORMAT, "b"));
    CHECK(health_bad(h, BAD_FRAME, BURST_E_LIMIT, "a"));
    CHECK(health_bad(h, BAD_EVENTS, BURST_E_FORMAT, "a"));
    CHECK_INT(health_bad_get(h, BAD_FRAME, BURST_E_FORMAT), 3);
    CHECK_INT(health_bad_get(h, BAD_EVENTS, BURST_E_FORMAT), 1);
    CHECK_INT(health_bad_get(h, BAD_SUBIMAGE, BURST_E_FORMAT), 0);
    health_free(h);
    health_free(NULL);
}

TEST(a_thread_without_progress_is_named)
{
    struct health *h = NULL;
    struct burst_error e;
    enum health_thread stuck = THREAD_MAIN;
    CHECK_INT(health_new(&h, &e), BURST_OK);
    CHECK(health_alive(h, INT64_C(60000000000), &stuck));
    (void)nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
    health_progress(h, THREAD_INGEST);
    health_progress(h, THREAD_PUBLISH);
    health_progress(h, THREAD_MAIN);
    CHECK(!health_alive(h, 4000000, &stuck));
    CHECK_INT(stuck, THREAD_WORK);
    health_free(h);
}

TEST(quantiles_are_of_the_newest_latencies)
{
    struct health *h = NULL;
    struct burst_error e;
    int64_t p50, p99;
    uint64_t n;
    CHECK_INT(health_new(&h, &e), BURST_OK);
    health_latency_quantiles(h, &p50, &p99, &n);
    CHECK(p50 == 0 && p99 == 0 && n == 0);
    for (int i = 0; i < 5000; i++)
        health_latency(h, 1000000000);
    for (int i = 1; i <= 1024; i++)
        health_latency(h, i);
    health_latency_quantiles(h, &p50, &p99, &n);
    CHECK(p50 == 513 && p99 == 1014 && n == 6024);
    health_free(h);
}

TEST(the_first_fatal_failure_is_the_one_told)
{
    struct health *h = NULL;
    struct burst_error e, got = {0};
    CHECK_INT(health_new(&h, &e), BURST_OK);
    CHECK(!health_is_fatal(h, &got));
    health_fatal(h, &(struct burst_error){BURST_E_IO, "first"});
    health_fatal(h, &(struct burst_error){BURST_E_NET, "second"});
    CHECK(health_is_fatal(h, &got));
    CHECK_STR(got.text, "first");
    health_free(h);
}

TEST(the_gpu_is_as_it_was_last_told)
{
    struct health *h = NULL;
    struct device_status s = {.n_alarm = 77}, told = {.n_alarm = 3, .lane[DEVICE_BACKGROUND].state = DEVICE_ON};
    CHECK_INT(health_new(&h, NULL), BURST_OK);
    CHECK(!health_gpu(h, &s));
    CHECK_INT(s.n_alarm, 77);
    health_gpu_set(h, &told);
    told.n_alarm = 4;
    CHECK(health_gpu(h, &s));
    CHECK_INT(s.n_alarm, 3);
    CHECK_INT(s.lane[DEVICE_BACKGROUND].state, DEVICE_ON);
    health_gpu_set(h, &told);
    CHECK(health_gpu(h, &s));
    CHECK_INT(s.n_alarm, 4);
    health_free(h);
}

int main(void)
{
    RUN(every_counter_kind_and_thread_has_a_name_of_its_own);
    RUN(a_babbling_source_is_counted_each_time_and_told_once);
    RUN(a_thread_without_progress_is_named);
    RUN(quantiles_are_of_the_newest_latencies);
    RUN(the_first_fatal_failure_is_the_one_told);
    RUN(the_gpu_is_as_it_was_last_told);
    return check_report();
}
