/* Inside lib/stream: one history request on its way to its answer. history_request.c reads requests, history.c sends. */
#ifndef BURST_STREAM_HISTORY_JOB_H
#define BURST_STREAM_HISTORY_JOB_H
#include "stream/history.h"
#include "stream/socket.h"

enum {
    JOB_MOST = 256,      /* of all clients; then whoever has most of them loses its newest to one who has fewer */
    CLIENT_JOBS = 64,    /* of one client; what it asks beyond is refused, in its turn */
    TAKE_MOST = 64,      /* requests taken before answers are sent again */
    STEP_ITEMS = 16,     /* items per job and turn, so that clients take turns */
    LIST_MOST = 1 << 16, /* topics or events in one LAST or OPEN */
    NAME_MOST = 256,     /* clients whose name is remembered */
    NAME_TEXT = 64,
    ROUTER_HWM = 16,     /* messages queued per client: at most 16 bodies of 16 MiB */
    REQUEST_MOST = 4096, /* bytes per frame of a request */
    STUCK_S = 60
};

struct identity {
    uint8_t bytes[255];
    size_t n;
};

/* The message that ends an answer: a word and up to two frames. */
struct reply {
    char word[8];
    size_t n_part;
    struct {
        uint8_t bytes[512];
        size_t n;
    } part[2];
};

struct item_ref {
    char topic[STREAM_TOPIC_TEXT];
    uint64_t seq;
};

struct job {
    struct job *next;
    struct identity who;
    char topic[STREAM_TOPIC_TEXT]; /* REPLAY: [from, from + left) still to be sent */
    uint64_t from;
    uint32_t left;
    struct item_ref *list; /* LAST, OPEN: list[at .. n_list) still to be sent */
    size_t at, n_list;
    struct reply reply;
    int64_t moved_ns; /* monotonic time of the last progress */
    uint32_t n_over;  /* requests that came after this one and were refused for their number: told after its answer */
};

struct history {
    void *socket;
    const struct stream_log *log;
    struct job pool[JOB_MOST];
    struct job *free, *first;
    struct {
        struct identity who;
        char name[NAME_TEXT];
    } client[NAME_MOST];
    size_t n_client; /* ever named; the newest NAME_MOST are kept */
    size_t n_job;
    uint64_t requests, refused, items, forks;
};

/* Read one request: m's part 0 is the client's identity. The answer's items are left as a range or list in `job`, its end in
 * job->reply. Errors: what the client is told with ERROR. */
enum burst_err history_request(struct history *h, struct job *job, struct stream_message *m,
                               struct burst_error *reterr);

/* Replies that both files write. */
void reply_number(struct reply *r, const char *word, const char *key, uint64_t number);
void reply_error(struct reply *r, enum burst_err code, const char *text);
enum burst_err reply_gone(struct history *h, struct job *job, struct burst_error *reterr);
bool identity_same(const struct identity *a, const struct identity *b);
#endif
