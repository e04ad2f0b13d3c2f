/* The other end of a lane, in the test's hand: it says what burst-cuda would, or what nobody should. */
#ifndef BURST_TESTS_WORKER_PEER_H
#define BURST_TESTS_WORKER_PEER_H
#include "base/clock.h"
#include "check.h"
#include "net/worker_wire.h"
#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static struct burst_error e;
static const int64_t SOON_NS = 20 * CLOCK_NS_PER_S; /* for answers that come: a loaded machine may be slow */

struct peer {
    char folder[64], path[80];
    int listener, fd;
    struct wire_hello hello;
    struct wire_control *control;
    uint8_t *input, *output;
    size_t map_bytes;
    /* What the thread does with the next job, and with what. */
    void (*script)(struct peer *p, const struct wire_job *job);
    uint32_t code;
    uint64_t n_bytes;
    pthread_t thread;
};

static inline int count_descriptors(void)
{
    int n = 0;
    DIR *d = opendir("/proc/self/fd");
    while (d && readdir(d))
        n++;
    if (d) (void)closedir(d);
    return n;
}

static inline void peer_open(struct peer *p)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    *p = (struct peer){.folder = "/tmp/burst-worker-XXXXXX", .fd = -1};
    CHECK(mkdtemp(p->folder) != NULL);
    (void)snprintf(p->path, sizeof p->path, "%s/sock", p->folder);
    memcpy(address.sun_path, p->path, sizeof p->path);
    p->listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    CHECK_INT(bind(p->listener, (const struct sockaddr *)&address, sizeof address), 0);
    CHECK_INT(listen(p->listener, 4), 0);
}

static inline void peer_hang_up(struct peer *p)
{
    if (p->fd >= 0) (void)close(p->fd);
    if (p->control) (void)munmap(p->control, p->map_bytes);
    p->fd = -1;
    p->control = NULL;
}

static inline void peer_close(struct peer *p)
{
    peer_hang_up(p);
    (void)close(p->listener);
    (void)unlink(p->path);
    (void)rmdir(p->folder);
}

/* The next request, with its descriptor (-1: none). */
static inline enum wire_kind peer_read(struct peer *p, struct wire_request *ret, int *ret_fd)
{
    union {
        char room[CMSG_SPACE(sizeof(int))];
        struct cmsghdr align;
    } control;
    uint8_t bytes[WIRE_PACKET_MOST];
    struct iovec piece = {bytes, sizeof bytes};
    struct msghdr m = {
        .msg_iov = &piece, .msg_iovlen = 1, .msg_control = control.room, .msg_controllen = sizeof control};
    ssize_t n = recvmsg(p->fd, &m, MSG_CMSG_CLOEXEC);
    struct cmsghdr *c = CMSG_FIRSTHDR(&m);
    *ret_fd = -1;
    if (c) memcpy(ret_fd, CMSG_DATA(c), sizeof(int));
    CHECK_INT(wire_read_request(bytes, n > 0 ? (size_t)n : 0, c != NULL, ret, &e), BURST_OK);
    return ret->kind;
}

static inline void peer_send(struct peer *p, const void *packet, size_t n)
{
    CHECK_INT(send(p->fd, packet, n, MSG_NOSIGNAL), (long long)n);
}

/* Accept, read HELLO, map the memory. */
static inline void peer_meet(struct peer *p, struct worker *w)
{
    struct wire_request r;
    int memory;
    CHECK_INT(worker_step(w, clock_mono_ns()), WORKER_CONNECTING);
    p->fd = accept4(p->listener, NULL, NULL, SOCK_CLOEXEC);
    CHECK_INT(peer_read(p, &r, &memory), WIRE_HELLO);
    p->hello = r.hello;
    p->map_bytes = WIRE_PAGE + r.hello.input_bytes + r.hello.output_bytes;
    CHECK_INT(wire_check_memory(memory, p->map_bytes, false, &e), BURST_OK);
    void *at = mmap(NULL, p->map_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);
    CHECK(at != MAP_FAILED);
    p->control = at;
    p->input = (uint8_t *)at + WIRE_PAGE;
    p->output = p->input + r.hello.input_bytes;
    (void)close(memory);
}

static inline void peer_welcome(struct peer *p)
{
    struct wire_welcome a;
    wire_begin(&a, sizeof a, WIRE_WELCOME, 1);
    a.pid = getpid();
    a.sm = 90;
    a.driver = a.runtime = 13000;
    a.cudnn = 91900;
    a.memory_bytes = (uint64_t)1 << 30;
    memcpy(a.device, "A card", 6);
    peer_send(p, &a, sizeof a);
}

static inline struct wire_loaded peer_loaded_packet(uint64_t sequence, uint32_t slot, int64_t n_in, int64_t n_out,
                                                    int64_t n_cam)
{
    struct wire_loaded a;
    wire_begin(&a, sizeof a, WIRE_LOADED, sequence);
    a.slot = slot;
    a.batch = 25;
    a.n_input = a.n_output = 1;
    a.input_floats[0] = n_in;
    a.output_floats[0] = n_out;
    a.n_cam = n_cam;
    memset(a.sha256, 'c', 64);
    return a;
}

/* Read a LOAD and say that it is loaded. */
static inline void peer_load(struct peer *p, int64_t n_in, int64_t n_out, int64_t n_cam)
{
    struct wire_request r;
    int fd;
    CHECK_INT(peer_read(p, &r, &fd), WIRE_LOAD);
    (void)close(fd);
    struct wire_loaded a = peer_loaded_packet(r.head.sequence, r.load.slot, n_in, n_out, n_cam);
    peer_send(p, &a, sizeof a);
}

/* A client whose settings are these, connected and ready, without networks. */
static inline struct worker *peer_client(struct peer *p, const struct worker_settings *settings)
{
    struct worker_settings s = *settings;
    struct worker *w = NULL;
    s.socket = p->path;
    CHECK_INT(worker_new(&s, &w, &e), BURST_OK);
    return w;
}

static inline struct worker *peer_ready(struct peer *p, const struct worker_settings *settings)
{
    struct worker *w = peer_client(p, settings);
    peer_meet(p, w);
    peer_welcome(p);
    CHECK_INT(worker_step(w, clock_mono_ns()), WORKER_READY);
    return w;
}

/* Put a network of that role into slot 0 and have it loaded. */
static inline void peer_give_model(struct peer *p, struct worker *w, enum worker_role role, int64_t n_in, int64_t n_out,
                                   int64_t n_cam)
{
    struct worker_model m = {.role = role,
                             .bytes = (const uint8_t *)"onnx",
                             .n = 4,
                             .n_atom = 2,
                             .n_band = 1,
                             .last = {2},
                             .scaling = {-10, 30, 5, 3}};
    CHECK_INT(worker_model(w, 0, &m, &e), BURST_OK);
    CHECK_INT(worker_step(w, clock_mono_ns()), WORKER_LOADING);
    peer_load(p, n_in, n_out, n_cam);
    CHECK_INT(worker_step(w, clock_mono_ns()), WORKER_READY);
}

/* ---- answering jobs, beside the client that waits ---- */

static inline void *peer_answer_one(void *at)
{
    struct peer *p = at;
    struct wire_request r = {0};
    int fd = -1;
    if (p->hello.spin) {
        while (atomic_load_explicit(&p->control->bell, memory_order_acquire) ==
               atomic_load_explicit(&p->control->answer, memory_order_relaxed))
            (void)usleep(100);
        CHECK_INT(wire_read_request(p->control->job, sizeof p->control->job, 0, &r, &e), BURST_OK);
    } else
        CHECK_INT(peer_read(p, &r, &fd), WIRE_JOB);
    p->script(p, &r.job);
    return NULL;
}

static inline void peer_expect(struct peer *p, void (*script)(struct peer *p, const struct wire_job *job))
{
    p->script = script;
    CHECK_INT(pthread_create(&p->thread, NULL, peer_answer_one, p), 0);
}

static inline void peer_done(struct peer *p)
{
    CHECK_INT(pthread_join(p->thread, NULL), 0);
}

static inline void peer_say(struct peer *p, const void *packet, size_t n, uint64_t sequence)
{
    if (!p->hello.spin) {
        peer_send(p, packet, n);
        return;
    }
    memcpy(p->control->done, packet, n < sizeof p->control->done ? n : sizeof p->control->done);
    atomic_store_explicit(&p->control->answer, sequence, memory_order_release);
}

static inline struct wire_done peer_done_packet(const struct peer *p, const struct wire_job *job)
{
    struct wire_done a;
    wire_begin(&a, sizeof a, WIRE_DONE, job->head.sequence);
    a.code = p->code;
    a.n_bytes = p->code ? 0 : p->n_bytes;
    a.device_ns = 1234;
    if (p->code) memcpy(a.text, "because", 7);
    return a;
}

/* Scripts. */
static inline void say_done(struct peer *p, const struct wire_job *job)
{
    struct wire_done a = peer_done_packet(p, job);
    peer_say(p, &a, sizeof a, job->head.sequence);
}

static inline void say_echo(struct peer *p, const struct wire_job *job)
{
    memcpy(p->output, p->input, job->n);
    p->n_bytes = job->n;
    say_done(p, job);
}
#endif
