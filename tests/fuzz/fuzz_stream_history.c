/* Hostile consoles: requests of any shape to the history socket, from clients that read their answers and clients that do not.
 * Whatever comes, every request is answered in its turn or refused, never more wait than may, and whoever reads gets an end.
 * An input is a row of steps: who and whether it reads (1 byte), verb (1), sizes of up to four parts (1 each), then their bytes. */
#include "base/bytes.h"
#include "stream/log_memory.h"
#include "stream/publisher.h"
#include <stdbool.h>
#include <stdlib.h>
#include <zmq.h>

enum { CLIENTS = 3, PARTS = 4, STEPS_MOST = 200, PENDING_MOST = 256, ITEMS = 12 };
static const char *const VERB[] = {"HELLO", "REPLAY", "LAST", "OPEN", "ACK", "", "hello", "REPLAY\n"};
static const char TOPIC[] = "burst.v1.a.verdict";

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static struct stream_context *context;
static struct publisher *publisher;
static struct stream_log history;
static void *zmq, *client[CLIENTS];

static void stop(void)
{
    for (int i = 0; i < CLIENTS; i++)
        (void)zmq_close(client[i]);
    publisher_close(publisher);
    stream_context_close(context);
    (void)zmq_ctx_term(zmq);
    log_memory_close(&history);
}

static void connect_client(int i)
{
    int zero = 0, few = 4;
    client[i] = zmq_socket(zmq, ZMQ_DEALER);
    (void)zmq_setsockopt(client[i], ZMQ_LINGER, &zero, sizeof zero);
    (void)zmq_setsockopt(client[i], ZMQ_RCVHWM, &few, sizeof few);
    if (zmq_connect(client[i], publisher_history(publisher)) != 0) abort();
}

static void start_once(void)
{
    struct publisher_settings set;
    if (publisher) return;
    publisher_defaults(&set);
    set.live = "tcp://127.0.0.1:*";
    set.history = "tcp://127.0.0.1:*";
    set.log = &history;
    zmq = zmq_ctx_new();
    if (!zmq || stream_context_open(&context, NULL) || log_memory_open(1 << 20, &history, NULL) ||
        publisher_open(context, &set, &publisher, NULL) || atexit(stop))
        abort();
    for (int i = 0; i < ITEMS; i++)
        if (publisher_send(publisher, TOPIC, 0, FRAME_JSON, (const uint8_t *)"{}", 2, NULL, NULL)) abort();
    for (int i = 0; i < CLIENTS; i++)
        connect_client(i);
}

/* What a client has waiting. */
static void read_all(int who)
{
    char part[4096];
    while (zmq_recv(client[who], part, sizeof part, ZMQ_DONTWAIT) >= 0)
        ;
}

static void serve(int ms)
{
    (void)publisher_serve(publisher, ms, NULL); /* the asker is told */
    if (publisher_pending(publisher) > PENDING_MOST) abort();
}

/* One request: right values where a size byte is 255, else bytes of the input. */
static size_t ask(int who, const uint8_t *step, const uint8_t *end)
{
    uint8_t right[PARTS][32] = {{0}};
    size_t n_right[PARTS] = {sizeof TOPIC - 1, 16, 8, 4};
    const uint8_t *p = step + 2 + PARTS, *start = step;
    const char *verb = VERB[step[1] % (sizeof VERB / sizeof VERB[0])];
    int n_part = step[1] / 8 % (PARTS + 1);
    memcpy(right[0], TOPIC, sizeof TOPIC - 1);
    memcpy(right[1], history.stream, 16);
    bytes_put_u64(right[2], step[0] / 8);
    bytes_put_u32(right[3], step[0]);
    (void)zmq_send(client[who], verb, strlen(verb), ZMQ_DONTWAIT | (n_part ? ZMQ_SNDMORE : 0));
    for (int i = 0; i < n_part; i++) {
        size_t left = (size_t)(end - p), size = step[2 + i] < left ? step[2 + i] : left;
        bool is_right = step[2 + i] == 255;
        (void)zmq_send(client[who], is_right ? right[i] : p, is_right ? n_right[i] : size,
                       ZMQ_DONTWAIT | (i + 1 < n_part ? ZMQ_SNDMORE : 0));
        if (!is_right) p += size;
    }
    return (size_t)(p - start);
}

/* Whoever asks now is answered. */
static void must_answer(void)
{
    char word[8];
    void *fresh = zmq_socket(zmq, ZMQ_DEALER);
    int zero = 0;
    (void)zmq_setsockopt(fresh, ZMQ_LINGER, &zero, sizeof zero);
    if (zmq_connect(fresh, publisher_history(publisher)) != 0) abort();
    (void)zmq_send(fresh, "HELLO", 5, ZMQ_SNDMORE);
    (void)zmq_send(fresh, "fresh", 5, 0);
    int n = -1;
    for (int i = 0; i < 20000 && n < 0; i++) {
        serve(1);
        n = zmq_recv(fresh, word, sizeof word, ZMQ_DONTWAIT);
    }
    if (n != 2 || memcmp(word, "OK", 2) != 0) abort();
    (void)zmq_close(fresh);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    const uint8_t *p = bytes, *end = bytes + n;
    start_once();
    for (int i = 0; i < STEPS_MOST && end - p >= 2 + PARTS; i++) {
        int who = p[0] % CLIENTS, repeat = p[1] == 0xff ? 100 : 1;
        size_t used = 0;
        bool reads = p[0] & 4;
        for (int k = 0; k < repeat; k++)
            used = ask(who, p, end);
        p += used;
        serve(0);
        if (reads) read_all(who);
    }
    must_answer();
    for (int i = 0; i < CLIENTS; i++) { /* the next input begins with clients that have asked nothing */
        (void)zmq_close(client[i]);
        connect_client(i);
    }
    return 0;
}
