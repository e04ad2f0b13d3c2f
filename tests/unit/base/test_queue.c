/* The bounded queue: order, fullness, closing, and hand-over between threads (TSan runs this too). */
#include "base/queue.h"
#include "check.h"
#include <pthread.h>
#include <stdint.h>

TEST(items_come_out_in_the_order_they_went_in)
{
    struct queue *q = NULL;
    struct burst_error e;
    int a, b, c;
    void *got = NULL;
    CHECK_INT(queue_new(2, &q, &e), BURST_OK);
    CHECK_INT(queue_put(q, &a, 0), BURST_OK);
    CHECK_INT(queue_put(q, &b, 0), BURST_OK);
    CHECK_INT(queue_put(q, &c, 5), BURST_E_FULL);
    CHECK_INT(queue_depth(q), 2);
    CHECK(queue_take(q, &got, 0) == BURST_OK && got == &a);
    CHECK_INT(queue_put(q, &c, 0), BURST_OK);
    CHECK(queue_take(q, &got, 0) == BURST_OK && got == &b);
    CHECK(queue_take(q, &got, 0) == BURST_OK && got == &c);
    CHECK_INT(queue_take(q, &got, 5), BURST_E_TIMEOUT);
    CHECK(got == &c);
    queue_free(q);
    queue_free(NULL);
}

TEST(a_closed_queue_drains_and_refuses)
{
    struct queue *q = NULL;
    struct burst_error e;
    int a;
    void *got = NULL;
    CHECK_INT(queue_new(2, &q, &e), BURST_OK);
    CHECK_INT(queue_put(q, &a, 0), BURST_OK);
    queue_close(q);
    CHECK_INT(queue_put(q, &a, 0), BURST_E_STATE);
    CHECK_INT(queue_take(q, &got, 0), BURST_OK);
    CHECK_INT(queue_take(q, &got, 1000), BURST_E_STATE);
    queue_free(q);
    CHECK_REFUSED(queue_new(0, &q, &e), BURST_E_RANGE, e, "capacity 0");
}

static void *put_thousand(void *q)
{
    for (uintptr_t i = 1; i <= 1000; i++)
        if (queue_put(q, (void *)i, 10000)) return (void *)i;
    return NULL;
}

TEST(two_writers_and_a_reader_lose_nothing)
{
    struct queue *q = NULL;
    struct burst_error e;
    CHECK_INT(queue_new(7, &q, &e), BURST_OK);
    pthread_t t[2];
    for (int i = 0; i < 2; i++)
        CHECK_INT(pthread_create(&t[i], NULL, put_thousand, q), 0);
    uint64_t sum = 0;
    void *got = NULL;
    for (int i = 0; i < 2000 && queue_take(q, &got, 10000) == BURST_OK; i++)
        sum += (uintptr_t)got;
    CHECK_INT(sum, 2 * 500500);
    for (int i = 0; i < 2; i++) {
        void *at = NULL;
        CHECK_INT(pthread_join(t[i], &at), 0);
        CHECK(at == NULL);
    }
    queue_free(q);
}

int main(void)
{
    RUN(items_come_out_in_the_order_they_went_in);
    RUN(a_closed_queue_drains_and_refuses);
    RUN(two_writers_and_a_reader_lose_nothing);
    return check_report();
}
