/* Which endpoints may be used without keys, and what a context promises. */
#include "check.h"
#include "stream/context.h"

TEST(loopback_ipc_and_inproc_are_allowed)
{
    const char *const good[] = {"tcp://127.0.0.1:5550", "tcp://127.0.0.1:*",   "tcp://127.1.2.3:1",
                                "tcp://[::1]:5550",     "ipc:///run/burstd/x", "inproc://test"};
    struct burst_error e;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        CHECK_SAY(stream_check_endpoint(good[i], &e) == BURST_OK, "%s: %s", good[i], e.text);
}

TEST(tcp_elsewhere_needs_keys)
{
    const char *const open[] = {"tcp://0.0.0.0:5550",        "tcp://*:5550",          "tcp://192.168.1.1:5550",
                                "tcp://eth0:5550",           "tcp://[::]:5550",       "tcp://example.org:5550",
                                "tcp://127.example.org:1",   "tcp://1270.0.0.1:5550", "tcp://localhost:5550",
                                "tcp://10.0.0.1;127.0.0.1:1"};
    struct burst_error e;
    for (size_t i = 0; i < sizeof open / sizeof *open; i++)
        CHECK_REFUSED(stream_check_endpoint(open[i], &e), BURST_E_AUTH, e, "is not on the loopback interface");
}

TEST(other_transports_and_no_endpoint_are_refused)
{
    struct burst_error e;
    char longer[300];
    memset(longer, 'x', sizeof longer - 1);
    longer[sizeof longer - 1] = 0;
    memcpy(longer, "ipc://", 6);
    CHECK_REFUSED(stream_check_endpoint("udp://127.0.0.1:5550", &e), BURST_E_UNSUPPORTED, e,
                  "transport is not tcp, ipc or inproc");
    CHECK_REFUSED(stream_check_endpoint("5550", &e), BURST_E_UNSUPPORTED, e, "\"5550\"");
    CHECK_REFUSED(stream_check_endpoint("", &e), BURST_E_FORMAT, e, "is empty");
    CHECK_REFUSED(stream_check_endpoint(NULL, &e), BURST_E_FORMAT, e, "is empty");
    CHECK_REFUSED(stream_check_endpoint(longer, &e), BURST_E_FORMAT, e, "longer than 255");
}

TEST(a_context_opens_and_closes)
{
    struct stream_context *c = NULL;
    struct burst_error e;
    CHECK_INT(stream_context_open(&c, &e), BURST_OK);
    CHECK(c != NULL);
    stream_context_close(c);
    stream_context_close(NULL);
}

int main(void)
{
    RUN(loopback_ipc_and_inproc_are_allowed);
    RUN(tcp_elsewhere_needs_keys);
    RUN(other_transports_and_no_endpoint_are_refused);
    RUN(a_context_opens_and_closes);
    return check_report();
}
