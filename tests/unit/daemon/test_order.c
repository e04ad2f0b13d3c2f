#include "check.h"
#include "daemon/order.h"

#define S INT64_C(1000000000)

static struct order begun(void)
{
    struct order o;
    order_begin(&o);
    return o;
}

TEST(a_gateway_alone_never_waits)
{
    struct order o = begun();
    order_read(&o, 0, 100 * S, true, 5 * S);
    CHECK(!order_must_wait(&o, 0, S, 2 * S, 5 * S));
    CHECK(!order_must_wait(&o, 1, S, 2 * S, 5 * S));
}

TEST(of_two_that_read_history_the_one_ahead_waits)
{
    struct order o = begun();
    order_read(&o, 0, 100 * S, true, 5 * S);
    order_read(&o, 1, 98 * S, true, 5 * S);
    CHECK(order_must_wait(&o, 0, S, 2 * S, 5 * S));
    CHECK(!order_must_wait(&o, 1, S, 2 * S, 5 * S));
    order_read(&o, 1, 99 * S, true, 5 * S); /* exactly the slack behind */
    CHECK(!order_must_wait(&o, 0, S, 2 * S, 5 * S));
}

TEST(a_silent_gateway_is_not_waited_for_long)
{
    struct order o = begun();
    order_read(&o, 0, 100 * S, true, 5 * S);
    order_expect(&o, 1, 5 * S);
    CHECK(order_must_wait(&o, 0, S, 2 * S, 5 * S + 2 * S - 1));
    CHECK(!order_must_wait(&o, 0, S, 2 * S, 5 * S + 2 * S));
}

/* Two wait for a third that never comes: when they have waited long enough, the one behind still holds the one ahead. */
TEST(a_gateway_that_is_left_is_not_silent)
{
    struct order o = begun();
    order_expect(&o, 2, 5 * S);
    order_read(&o, 0, 100 * S, true, 5 * S);
    order_read(&o, 1, 50 * S, true, 5 * S);
    for (int64_t now = 5 * S; now < 7 * S; now += S / 10) {
        CHECK(order_must_wait(&o, 0, S, 2 * S, now));
        CHECK(order_must_wait(&o, 1, S, 2 * S, now));
    }
    CHECK(order_must_wait(&o, 0, S, 2 * S, 7 * S));
    CHECK(!order_must_wait(&o, 1, S, 2 * S, 7 * S));
    order_read(&o, 1, 100 * S, true, 7 * S);
    CHECK(!order_must_wait(&o, 0, S, 2 * S, 7 * S));
}

TEST(live_messages_wait_for_nobody_and_are_waited_for_by_nobody)
{
    struct order o = begun();
    order_read(&o, 0, 100 * S, false, 5 * S);
    order_read(&o, 1, 50 * S, true, 5 * S);
    CHECK(!order_must_wait(&o, 0, S, 2 * S, 5 * S));
    order_read(&o, 0, 100 * S, true, 5 * S);
    order_read(&o, 1, 50 * S, false, 5 * S);
    CHECK(!order_must_wait(&o, 0, S, 2 * S, 5 * S));
}

TEST(a_message_without_data_moves_nothing_back)
{
    struct order o = begun();
    order_read(&o, 0, 100 * S, true, 5 * S);
    order_read(&o, 1, 100 * S, true, 5 * S);
    order_read(&o, 1, INT64_MIN, true, 5 * S);
    CHECK(!order_must_wait(&o, 0, S, 2 * S, 5 * S));
}

TEST(all_has_been_sent_when_every_gateway_says_so)
{
    struct order o = begun();
    CHECK_INT(order_data_time(&o, 0, 100 * S, 10 * S, 5 * S), 100 * S); /* alone */
    order_read(&o, 0, 100 * S, false, 5 * S);
    order_read(&o, 1, 90 * S, false, 5 * S);
    CHECK_INT(order_data_time(&o, 0, 101 * S, 10 * S, 6 * S), INT64_MIN); /* the other one has not spoken */
    CHECK_INT(order_data_time(&o, 1, 95 * S, 10 * S, 6 * S), 95 * S);
    CHECK_INT(order_data_time(&o, 0, 102 * S, 10 * S, 7 * S), 95 * S);
    CHECK_INT(order_data_time(&o, 0, 103 * S, 10 * S, 15 * S), 103 * S); /* the other one is quiet */
}

int main(void)
{
    RUN(a_gateway_alone_never_waits);
    RUN(of_two_that_read_history_the_one_ahead_waits);
    RUN(a_silent_gateway_is_not_waited_for_long);
    RUN(a_gateway_that_is_left_is_not_silent);
    RUN(live_messages_wait_for_nobody_and_are_waited_for_by_nobody);
    RUN(a_message_without_data_moves_nothing_back);
    RUN(all_has_been_sent_when_every_gateway_says_so);
    return check_report();
}
