/* One lane's way from nothing to ready: connect, hello, networks. Every call returns at once. */
#include "base/clock.h"
#include "net/worker_inside.h"
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

/* ---- giving up ---- */

static void drop_memory(struct worker *w)
{
    if (w->control) (void)munmap(w->control, w->map_bytes); /* our own mapping: cannot fail */
    w->control = NULL;
    w->input = w->output = NULL;
}

static void drop_connection(struct worker *w)
{
    if (w->fd >= 0) (void)close(w->fd);
    w->fd = -1;
    drop_memory(w);
    w->state = WORKER_ABSENT;
    for (int i = 0; i < WORKER_SLOTS; i++) {
        struct worker_net *net = &w->net[i];
        if (!net->used) continue;
        net->to_send = true;
        net->in_flight = 0;
        net->slot = (struct worker_slot){.state = WORKER_SLOT_WAITS};
        if (net->rings) worker_rings_forget(net->rings);
    }
}

enum burst_err lane_give_up(struct worker *w, enum burst_err code, struct burst_error *reterr, const char *format, ...)
{
    char text[sizeof w->why];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    memcpy(w->why, text, sizeof text); /* the arguments may lie in w->why itself */
    drop_connection(w);
    child_kill(&w->child, w->address.sun_path);
    return burst_fail(reterr, code, "%.470s", w->why);
}

void worker_give_up(struct worker *w, const char *why)
{
    (void)lane_give_up(w, BURST_E_DEVICE, NULL, "%s", why);
}

/* ---- packets ---- */

bool lane_send(struct worker *w, const void *packet, size_t bytes, int fd)
{
    union {
        char room[CMSG_SPACE(sizeof(int))];
        struct cmsghdr align;
    } control = {{0}};
    struct iovec piece = {(void *)packet, bytes};
    struct msghdr message = {.msg_iov = &piece, .msg_iovlen = 1};
    if (fd >= 0) {
        message.msg_control = control.room;
        message.msg_controllen = sizeof control.room;
        struct cmsghdr *c = CMSG_FIRSTHDR(&message);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(sizeof fd);
        memcpy(CMSG_DATA(c), &fd, sizeof fd);
    }
    ssize_t n;
    do
        n = sendmsg(w->fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
    while (n < 0 && errno == EINTR);
    return n == (ssize_t)bytes;
}

/* The worker hung up: how it ended, where it was ours. */
static enum burst_err hung_up(struct worker *w, const char *how, struct burst_error *reterr)
{
    char end[96];
    if (child_ended(&w->child, end, sizeof end)) return lane_give_up(w, BURST_E_DEVICE, reterr, "the worker %s", end);
    return lane_give_up(w, BURST_E_DEVICE, reterr, "the worker hung up: %s", how);
}

enum burst_err lane_read(struct worker *w, struct wire_answer *ret, struct burst_error *reterr)
{
    uint8_t bytes[WIRE_PACKET_MOST];
    struct iovec piece = {bytes, sizeof bytes};
    struct msghdr message = {.msg_iov = &piece,
                             .msg_iovlen = 1}; /* no room for descriptors: the kernel drops them and says so */
    struct burst_error bad;
    ssize_t n;
    bool reset = false;
    /* A peer that ends with packets of ours unread is told before its last words, which lie there all the same. */
    do
        n = recvmsg(w->fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    while (n < 0 && (errno == EINTR || (errno == ECONNRESET && !reset && (reset = true))));
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return BURST_E_GONE;
    if (n < 0) return hung_up(w, strerror(errno), reterr);
    if (n == 0) return hung_up(w, "end of connection", reterr);
    if (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC))
        return lane_give_up(w, BURST_E_DEVICE, reterr, "the worker sent %s",
                            message.msg_flags & MSG_TRUNC ? "too long a packet" : "a descriptor");
    if (wire_read_answer(bytes, (size_t)n, ret, &bad))
        return lane_give_up(w, BURST_E_DEVICE, reterr, "what the worker sent is no answer: %s", bad.text);
    return BURST_OK;
}

/* ---- connecting ---- */

static enum burst_err map_memory(struct worker *w, int *ret_fd, struct burst_error *reterr)
{
    int fd = -1;
    enum burst_err err = wire_make_memory(w->map_bytes, NULL, &fd, reterr);
    if (err) return err;
    void *at = mmap(NULL, w->map_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (at == MAP_FAILED) {
        err = burst_fail(reterr, BURST_E_IO, "shared memory: %s", strerror(errno));
        (void)close(fd);
        return err;
    }
    w->control = at;
    w->input = (uint8_t *)at + WIRE_PAGE;
    w->output = w->input + w->input_bytes;
    *ret_fd = fd;
    return BURST_OK;
}

/* Say hello on a fresh connection; sequences begin at 1. */
static enum burst_err say_hello(struct worker *w, int64_t now_ns, struct burst_error *reterr)
{
    struct wire_hello hello;
    int memory = -1;
    w->sequence = 1;
    wire_begin(&hello, sizeof hello, WIRE_HELLO, w->sequence);
    hello.precision = w->precision;
    hello.background = w->background;
    hello.spin = w->spin;
    hello.core = w->core;
    hello.input_bytes = w->input_bytes;
    hello.output_bytes = w->output_bytes;
    enum burst_err err = map_memory(w, &memory, reterr);
    if (err) return lane_give_up(w, err, reterr, "%s", reterr->text);
    bool sent = lane_send(w, &hello, sizeof hello, memory);
    int error = errno;
    (void)close(memory); /* mapped here, and the worker has its own */
    if (!sent) return lane_give_up(w, BURST_E_IO, reterr, "hello to the worker: %s", strerror(error));
    w->state = WORKER_CONNECTING;
    w->since_ns = now_ns;
    return BURST_OK;
}

/* Who listens is the process that we started, where we started one. */
static bool is_our_child(const struct worker *w)
{
    struct ucred peer;
    socklen_t size = sizeof peer;
    if (!w->child.pid) return true;
    return getsockopt(w->fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && peer.pid == w->child.pid;
}

/* False: nobody listens there (yet), errno says. */
static bool try_connect(struct worker *w)
{
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) return false;
    if (connect(fd, (const struct sockaddr *)&w->address, sizeof w->address) != 0) {
        int error = errno;
        (void)close(fd);
        errno = error;
        return false;
    }
    w->fd = fd;
    return true;
}

static bool nobody_listens(int error)
{
    return error == ENOENT || error == ECONNREFUSED;
}

/* ABSENT, or CONNECTING to a worker that is starting. */
static void reach(struct worker *w, int64_t now_ns)
{
    struct burst_error e = {0};
    char end[96];
    if (child_ended(&w->child, end, sizeof end)) {
        (void)lane_give_up(w, BURST_E_DEVICE, &e, "the worker %s", end);
        return;
    }
    if (try_connect(w)) {
        if (is_our_child(w))
            (void)say_hello(w, now_ns, &e); /* its failure is in w->why */
        else
            (void)lane_give_up(w, BURST_E_AUTH, &e, "another process than the one started listens at %s",
                               w->address.sun_path);
        return;
    }
    int error = errno;
    if (w->child.pid) return; /* it has not begun to listen; worker_step limits how long */
    (void)snprintf(w->why, sizeof w->why, "no worker at %s: %s", w->address.sun_path, strerror(error));
    if (!w->child.program[0] || !nobody_listens(error)) return;
    if (child_start(&w->child, w->address.sun_path, &e)) {
        (void)lane_give_up(w, e.code, NULL, "%s", e.text);
        return;
    }
    w->state = WORKER_CONNECTING;
    w->since_ns = now_ns;
}

/* ---- networks ---- */

static void send_networks(struct worker *w)
{
    for (int i = 0; i < WORKER_SLOTS && w->fd >= 0; i++) {
        struct worker_net *net = &w->net[i];
        if (!net->used || !net->to_send || net->in_flight) continue;
        net->load.head.sequence = w->sequence + 1;
        if (lane_send(w, &net->load, sizeof net->load, net->fd)) {
            net->in_flight = ++w->sequence;
            net->to_send = false;
        } else if (errno != EAGAIN && errno != EWOULDBLOCK)
            (void)lane_give_up(w, BURST_E_DEVICE, NULL, "a network to the worker: %s", strerror(errno));
    }
}

static void take_welcome(struct worker *w, const struct wire_welcome *p, int64_t now_ns)
{
    w->facts = (struct worker_facts){.pid = p->pid,
                                     .sm = p->sm,
                                     .driver = p->driver,
                                     .runtime = p->runtime,
                                     .cudnn = (long)p->cudnn,
                                     .memory_bytes = p->memory_bytes};
    memcpy(w->facts.device, p->device, sizeof w->facts.device);
    w->state = WORKER_LOADING;
    w->since_ns = now_ns;
}

static void take_loaded(struct worker_net *net, const struct wire_loaded *p)
{
    struct worker_slot slot = {.state = WORKER_SLOT_LOADED,
                               .batch = (int)p->batch,
                               .n_input = (int)p->n_input,
                               .n_output = (int)p->n_output,
                               .n_cam = p->n_cam,
                               .memory_bytes = p->memory_bytes};
    memcpy(slot.input_floats, p->input_floats, sizeof slot.input_floats);
    memcpy(slot.output_floats, p->output_floats, sizeof slot.output_floats);
    memcpy(slot.sha256, p->sha256, sizeof slot.sha256);
    net->slot = slot;
    if (net->rings) worker_rings_forget(net->rings);
}

static void take_answer(struct worker *w, const struct wire_answer *a, int64_t now_ns)
{
    if (w->state == WORKER_CONNECTING && a->kind == WIRE_WELCOME && a->head.sequence == 1) {
        take_welcome(w, &a->welcome, now_ns);
        return;
    }
    if (w->state == WORKER_CONNECTING && a->kind == WIRE_FAILED && a->head.sequence == 1) {
        (void)lane_give_up(w, BURST_E_DEVICE, NULL, "the worker refuses the lane: %s", a->failed.text);
        return;
    }
    uint32_t slot = a->kind == WIRE_LOADED ? a->loaded.slot : a->kind == WIRE_FAILED ? a->failed.slot : WORKER_SLOTS;
    struct worker_net *net = slot < WORKER_SLOTS ? &w->net[slot] : NULL;
    if (!net || !net->in_flight || net->in_flight != a->head.sequence) {
        (void)lane_give_up(w, BURST_E_DEVICE, NULL, "the worker answered what was not asked: kind %d, sequence %llu",
                           (int)a->kind, (unsigned long long)a->head.sequence);
        return;
    }
    net->in_flight = 0;
    if (net->to_send) return; /* the slot has another network by now */
    if (a->kind == WIRE_LOADED) {
        take_loaded(net, &a->loaded);
        return;
    }
    if (a->failed.code == BURST_E_DEVICE || a->failed.code == BURST_E_TIMEOUT) {
        (void)lane_give_up(w, BURST_E_DEVICE, NULL, "a network: %s", a->failed.text);
        return;
    }
    net->slot = (struct worker_slot){.state = WORKER_SLOT_REFUSED, .code = (enum burst_err)a->failed.code};
    memcpy(net->slot.text, a->failed.text, sizeof net->slot.text);
}

static bool all_answered(const struct worker *w)
{
    for (int i = 0; i < WORKER_SLOTS; i++)
        if (w->net[i].used && (w->net[i].to_send || w->net[i].in_flight)) return false;
    return true;
}

static void keep_limits(struct worker *w, int64_t now_ns)
{
    int64_t waited = now_ns - w->since_ns;
    if (w->state == WORKER_CONNECTING && waited > w->start_limit_ns)
        (void)lane_give_up(w, BURST_E_TIMEOUT, NULL, "the worker said nothing for %.1f s", (double)waited * 1e-9);
    else if (w->state == WORKER_LOADING && waited > w->load_limit_ns)
        (void)lane_give_up(w, BURST_E_TIMEOUT, NULL, "networks were not loaded within %.1f s", (double)waited * 1e-9);
}

enum worker_state worker_step(struct worker *w, int64_t now_ns)
{
    struct wire_answer answer;
    child_bury(&w->child);
    if (w->fd < 0) reach(w, now_ns);
    while (w->fd >= 0 && lane_read(w, &answer, NULL) == BURST_OK)
        take_answer(w, &answer, now_ns);
    if (w->state >= WORKER_LOADING) {
        if (w->state == WORKER_READY && !all_answered(w)) {
            w->state = WORKER_LOADING;
            w->since_ns = now_ns;
        }
        send_networks(w);
    }
    if (w->state == WORKER_LOADING && all_answered(w)) w->state = WORKER_READY;
    keep_limits(w, now_ns);
    return w->state;
}
