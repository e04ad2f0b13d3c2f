/* Our subscriber behind the gateway of burst-probe, the wire contract written by others; it loses every third message. */
#include "base/clock.h"
#include "check.h"
#include "stream/subscriber.h"
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define PROBE BURST_SOURCE_DIR "/../shared/tools/burst-probe"
#define TOPIC "burst-archive.v1.fermi.gbm.events"
enum { FILES = 24, PATIENCE_S = 120 };

struct bench {
    char folder[32], live[64], history[64], file[FILES][64];
    struct stream_context *context;
    struct subscriber *subscriber;
    pid_t gateway;
    struct burst_error e;
};

static void write_files(struct bench *b, const char *folder)
{
    for (int i = 0; i < FILES; i++) {
        (void)snprintf(b->file[i], sizeof b->file[i], "%s/body%02d", folder, i + 1);
        FILE *f = fopen(b->file[i], "w");
        CHECK(f != NULL);
        if (!f) return;
        (void)fprintf(f, "body %d", i + 1);
        (void)fclose(f);
    }
}

static void start_gateway(struct bench *b)
{
    char *argv[FILES + 20] = {"burst-probe", "gateway", "--topic",   TOPIC,      "--flags",   "4",
                              "--live",      b->live,   "--history", b->history, "--lose",    "3",
                              "--interval",  "0.02",    "--wait",    "0.3",      "--seconds", "120"};
    for (int i = 0; i < FILES; i++)
        argv[18 + i] = b->file[i];
    b->gateway = fork();
    if (b->gateway == 0) {
        (void)execv(PROBE, argv);
        _exit(127);
    }
    CHECK(b->gateway > 0);
}

static void stop_gateway(struct bench *b)
{
    int status;
    if (b->gateway > 0) (void)kill(b->gateway, SIGKILL);
    if (b->gateway > 0) (void)waitpid(b->gateway, &status, 0);
    b->gateway = 0;
}

static void bench_open(struct bench *b)
{
    static const char *prefix = "burst-archive.v1.";
    struct subscriber_settings set;
    memset(b, 0, sizeof *b);
    char folder[] = "/tmp/burst-XXXXXX";
    CHECK(mkdtemp(folder) != NULL);
    memcpy(b->folder, folder, sizeof folder);
    (void)snprintf(b->live, sizeof b->live, "ipc://%s/live", folder);
    (void)snprintf(b->history, sizeof b->history, "ipc://%s/history", folder);
    write_files(b, folder);
    subscriber_defaults(&set);
    set.live = b->live;
    set.history = b->history;
    set.prefix = &prefix;
    set.n_prefix = 1;
    set.from_start = true;
    set.attempts = 50;   /* a gateway in Python may take its time */
    set.repeat_most = 0; /* after its restart the gateway sends the same bodies */
    CHECK_INT(stream_context_open(&b->context, &b->e), BURST_OK);
    CHECK_INT(subscriber_open(b->context, &set, &b->subscriber, &b->e), BURST_OK);
}

static void bench_close(struct bench *b)
{
    static const char *const names[] = {"live", "history"};
    char path[80];
    stop_gateway(b);
    subscriber_close(b->subscriber);
    stream_context_close(b->context);
    for (int i = 0; i < FILES; i++)
        (void)unlink(b->file[i]);
    for (int i = 0; i < 2; i++) {
        (void)snprintf(path, sizeof path, "%s/%s", b->folder, names[i]);
        (void)unlink(path);
    }
    (void)rmdir(b->folder);
}

/* The next event but heartbeats. */
static bool next(struct bench *b, struct subscriber_event *ev)
{
    int64_t until = clock_mono_ns() + PATIENCE_S * CLOCK_NS_PER_S;
    while (clock_mono_ns() < until)
        if (subscriber_next(b->subscriber, 100, ev, &b->e) == BURST_OK && ev->kind != SUBSCRIBER_HEARTBEAT) return true;
    CHECK_SAY(false, "no event in %d s", PATIENCE_S);
    return false;
}

static void expect_messages(struct bench *b, uint64_t from, uint64_t to)
{
    struct subscriber_event ev;
    for (uint64_t i = from; i <= to && next(b, &ev); i++) {
        char text[32];
        int n = snprintf(text, sizeof text, "body %d", (int)i);
        CHECK_SAY(ev.kind == SUBSCRIBER_MESSAGE && ev.item.seq == i, "event %d, seq %d, %s", ev.kind, (int)ev.from,
                  ev.error.text);
        CHECK(ev.item.n_body == (size_t)n && memcmp(ev.item.body, text, (size_t)n) == 0);
    }
}

TEST(every_message_of_a_losing_gateway_arrives_in_order)
{
    if (access(PROBE, R_OK) != 0) SKIP("no ../shared/tools/burst-probe");
    struct bench b;
    struct subscriber_event ev;
    struct subscriber_counts c;
    bench_open(&b);
    start_gateway(&b);
    if (next(&b, &ev)) CHECK_INT(ev.kind, SUBSCRIBER_STREAM);
    expect_messages(&b, 1, FILES);
    CHECK_INT(subscriber_ack(b.subscriber, TOPIC, FILES, &b.e), BURST_OK);
    subscriber_counts(b.subscriber, &c);
    CHECK_SAY(c.replayed >= FILES / 3, "%d replayed", (int)c.replayed);
    CHECK_INT(c.gaps, 0);
    bench_close(&b);
}

TEST(a_gateway_killed_and_started_anew_is_followed)
{
    if (access(PROBE, R_OK) != 0) SKIP("no ../shared/tools/burst-probe");
    struct bench b;
    struct subscriber_event ev;
    bench_open(&b);
    start_gateway(&b);
    if (next(&b, &ev)) CHECK_INT(ev.kind, SUBSCRIBER_STREAM);
    expect_messages(&b, 1, 7);
    stop_gateway(&b);
    start_gateway(&b);
    while (next(&b, &ev) && ev.kind != SUBSCRIBER_STREAM)
        ; /* what of the first one still was on its way, and what was lost with it */
    expect_messages(&b, 1, FILES);
    bench_close(&b);
}

int main(void)
{
    RUN(every_message_of_a_losing_gateway_arrives_in_order);
    RUN(a_gateway_killed_and_started_anew_is_followed);
    return check_report();
}
