/* One lane from hello to hang-up. */
#include "daemon/cuda/lane.h"
#include "base/clock.h"
#include "base/log.h"
#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#if defined(__x86_64__) || defined(__i386__)
#define SPIN_PAUSE() __builtin_ia32_pause()
#else
#define SPIN_PAUSE() ((void)0)
#endif

_Static_assert((int)WORKER_FP32 == (int)CUDA_FP32 && (int)WORKER_TF32 == (int)CUDA_TF32 &&
                   (int)WORKER_BF16 == (int)CUDA_BF16 && (int)WORKER_PRECISION_N == (int)CUDA_PRECISION_N,
               "the wire's precisions are the engine's");

/* How long things may take before the process counts as stuck in the driver: a client's deadline is believed up to JOB_MOST.
 * A patience for networks, whose engines are timed, is not one for opening the device and giving back: no more than DEVICE_MOST. */
static const int64_t JOB_MOST_NS = 60 * CLOCK_NS_PER_S, DEVICE_MOST_NS = 60 * CLOCK_NS_PER_S;
static const int64_t GRACE_NS = 1 * CLOCK_NS_PER_S; /* past the client's deadline */
static const int64_t LOOK_NS = 1000000;             /* a lane that spins looks at its socket this often */

static void begin_device_work(struct lane *lane)
{
    int64_t most_ns = lane->patience_ns < DEVICE_MOST_NS ? lane->patience_ns : DEVICE_MOST_NS;
    atomic_store(&lane->busy_until_ns, clock_mono_ns() + most_ns);
}

/* ---- packets ---- */

static bool send_packet(struct lane *lane, const void *packet, size_t bytes)
{
    ssize_t n;
    do
        n = send(lane->fd, packet, bytes,
                 MSG_DONTWAIT | MSG_NOSIGNAL); /* a client that does not read has its lane ended */
    while (n < 0 && errno == EINTR);
    return n == (ssize_t)bytes;
}

static void copy_text(char *to, size_t size, const char *from)
{
    size_t n = strnlen(from, size - 1);
    memcpy(to, from, n);
    memset(to + n, 0, size - n);
}

/* Descriptors of a message: the first to *ret_fd (-1: none), all others closed. Returns how many there were. */
static int take_descriptors(struct msghdr *message, int *ret_fd)
{
    int n = 0, fd;
    *ret_fd = -1;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c)) {
        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS) continue;
        for (size_t at = 0; CMSG_LEN(at + sizeof fd) <= c->cmsg_len; at += sizeof fd, n++) {
            memcpy(&fd, CMSG_DATA(c) + at, sizeof fd);
            if (n == 0)
                *ret_fd = fd;
            else
                (void)close(fd);
        }
    }
    return n;
}

/* Read one request.
 * Returned  *ret_fd  its descriptor, the caller's; -1: none
 * Errors    BURST_E_GONE  the client hung up (no words), or with `wait` false and BURST_E_TIMEOUT: nothing is there
 *           those of wire_read_request; every descriptor is then closed */
static enum burst_err read_request(struct lane *lane, bool wait, struct wire_request *ret, int *ret_fd,
                                   struct burst_error *reterr)
{
    union {
        char room[CMSG_SPACE(sizeof(int))];
        struct cmsghdr align;
    } control;
    uint8_t bytes[WIRE_PACKET_MOST];
    struct iovec piece = {bytes, sizeof bytes};
    struct msghdr message = {
        .msg_iov = &piece, .msg_iovlen = 1, .msg_control = control.room, .msg_controllen = sizeof control};
    ssize_t n;
    int fd;
    do
        n = recvmsg(lane->fd, &message, MSG_CMSG_CLOEXEC | (wait ? 0 : MSG_DONTWAIT));
    while (n < 0 && errno == EINTR);
    if (n < 0 && !wait && (errno == EAGAIN || errno == EWOULDBLOCK)) return BURST_E_TIMEOUT;
    if (n < 0) return BURST_E_GONE;
    int n_fd = take_descriptors(&message, &fd);
    enum burst_err err;
    if (n == 0 && n_fd == 0)
        err = BURST_E_GONE;
    else if (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC))
        err = burst_fail(reterr, BURST_E_LIMIT, "a packet, or its descriptors, longer than any");
    else
        err = wire_read_request(bytes, (size_t)n, n_fd, ret, reterr);
    if (err && fd >= 0) (void)close(fd);
    if (!err) *ret_fd = fd;
    return err;
}

/* ---- hello ---- */

static enum burst_err map_lane(struct lane *lane, int fd, struct burst_error *reterr)
{
    void *device = NULL;
    lane->map_bytes = WIRE_PAGE + lane->hello.input_bytes + lane->hello.output_bytes;
    enum burst_err err = wire_check_memory(fd, lane->map_bytes, false, reterr);
    if (err) return err;
    void *map = mmap(NULL, lane->map_bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, 0);
    if (map == MAP_FAILED) return burst_fail(reterr, BURST_E_IO, "shared memory: %s", strerror(errno));
    lane->map = map;
    lane->control = map;
    lane->input = (uint8_t *)map + WIRE_PAGE;
    lane->output = lane->input + lane->hello.input_bytes;
    err = cuda_map(lane->engine, map, lane->map_bytes, &device, reterr);
    if (!err) lane->device_input = (const uint8_t *)device + WIRE_PAGE;
    return err;
}

static void bind_to_core(const struct lane *lane)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    if (lane->hello.core < 0 || lane->hello.core >= CPU_SETSIZE) return;
    CPU_SET((size_t)lane->hello.core, &set);
    int bad = pthread_setaffinity_np(pthread_self(), sizeof set, &set);
    if (bad)
        log_line(LOG_LEVEL_WARNING, "a lane spins on whatever processor it is given lane=%d core=%d why=\"%s\"",
                 lane->number, (int)lane->hello.core, strerror(bad));
}

static void say_welcome(struct lane *lane, struct wire_welcome *ret)
{
    struct cuda_device_facts facts;
    cuda_describe(lane->engine, &facts);
    wire_begin(ret, sizeof *ret, WIRE_WELCOME, lane->hello.head.sequence);
    ret->pid = getpid();
    ret->sm = facts.sm;
    ret->driver = facts.driver;
    ret->runtime = facts.runtime;
    ret->cudnn = facts.cudnn;
    ret->memory_bytes = facts.memory_bytes;
    copy_text(ret->device, sizeof ret->device, facts.name);
}

static bool say_failed(struct lane *lane, uint64_t sequence, uint32_t slot, const struct burst_error *e)
{
    struct wire_failed p;
    wire_begin(&p, sizeof p, WIRE_FAILED, sequence);
    p.slot = slot;
    p.code = (uint32_t)e->code;
    copy_text(p.text, sizeof p.text, e->text);
    return send_packet(lane, &p, sizeof p);
}

/* The first packet: an engine of the lane's own, its memory, and who we are. */
static enum burst_err greet(struct lane *lane, struct burst_error *reterr)
{
    struct wire_request r;
    struct wire_welcome welcome;
    int fd = -1;
    enum burst_err err = read_request(lane, true, &r, &fd, reterr);
    if (err == BURST_E_UNSUPPORTED) (void)say_failed(lane, 1, 0, reterr); /* its head says which version we speak */
    if (err) return err;
    if (r.kind != WIRE_HELLO) {
        if (fd >= 0) (void)close(fd);
        return burst_fail(reterr, BURST_E_STATE, "a packet of kind %d before HELLO", (int)r.kind);
    }
    lane->hello = r.hello;
    begin_device_work(lane);
    struct cuda_settings settings = {.device = lane->device,
                                     .precision = (enum cuda_precision)r.hello.precision,
                                     .background = r.hello.background != 0,
                                     .cache_folder = lane->cache_folder};
    err = cuda_open(&settings, &lane->engine, reterr);
    if (!err) err = map_lane(lane, fd, reterr);
    (void)close(fd);
    atomic_store(&lane->busy_until_ns, 0);
    if (err) {
        (void)say_failed(lane, r.head.sequence, 0, reterr); /* the lane ends anyway */
        return err;
    }
    if (r.hello.spin) bind_to_core(lane);
    say_welcome(lane, &welcome);
    return send_packet(lane, &welcome, sizeof welcome) ? BURST_OK : BURST_E_GONE;
}

/* ---- after an error that only a new process can cure ---- */

static void end_if_dead(const struct lane *lane, const struct burst_error *e)
{
    if (!lane->engine || !cuda_is_dead(lane->engine)) return;
    log_line(LOG_LEVEL_ERROR, "the device failed, this process ends lane=%d what=\"%s\"", lane->number, e->text);
    _exit(LANE_DEVICE_FAILED); /* no destructors: the driver may hang in them */
}

/* ---- requests ---- */

static enum burst_err open_bytes(struct lane *lane, const struct wire_load *load, int fd, struct wire_loaded *ret,
                                 struct burst_error *reterr)
{
    enum burst_err err = wire_check_memory(fd, load->n_bytes, true, reterr);
    if (err) return err;
    void *bytes = mmap(NULL, load->n_bytes, PROT_READ, MAP_PRIVATE, fd, 0);
    if (bytes == MAP_FAILED) return burst_fail(reterr, BURST_E_IO, "a network's memory: %s", strerror(errno));
    err = lane_net_open(lane, load, bytes, ret, reterr);
    (void)munmap(bytes, load->n_bytes); /* our own mapping: cannot fail */
    return err;
}

static enum burst_err take_load(struct lane *lane, const struct wire_load *load, int fd)
{
    struct wire_loaded loaded;
    struct burst_error e = {0};
    int64_t start = clock_mono_ns();
    wire_begin(&loaded, sizeof loaded, WIRE_LOADED, load->head.sequence);
    atomic_store(&lane->busy_until_ns, start + lane->patience_ns);
    enum burst_err err = open_bytes(lane, load, fd, &loaded, &e);
    (void)close(fd);
    atomic_store(&lane->busy_until_ns, 0);
    if (err) {
        log_line(LOG_LEVEL_WARNING, "a network is refused lane=%d slot=%u error=%s what=\"%s\"", lane->number,
                 load->slot, burst_err_name(err), e.text);
        bool sent = say_failed(lane, load->head.sequence, load->slot, &e);
        end_if_dead(lane, &e);
        return sent ? BURST_OK : BURST_E_GONE;
    }
    log_line(LOG_LEVEL_INFO, "a network is loaded lane=%d slot=%u sha256=%.12s batch=%u seconds=%.2f", lane->number,
             load->slot, loaded.sha256, loaded.batch, 1e-9 * (double)(clock_mono_ns() - start));
    return send_packet(lane, &loaded, sizeof loaded) ? BURST_OK : BURST_E_GONE;
}

/* Do a job that is in time. What misses the client's deadline has half the grace to end by itself, which costs the device its
 * word for all lanes, and the other half before the driver counts as stuck. */
static enum burst_err do_job(struct lane *lane, struct wire_job *job, int64_t now_ns, uint64_t *ret_bytes,
                             struct burst_error *reterr)
{
    if (job->deadline_ns <= now_ns)
        return burst_fail(reterr, BURST_E_LATE, "a job whose deadline was past when it came");
    if (job->deadline_ns > now_ns + JOB_MOST_NS) job->deadline_ns = now_ns + JOB_MOST_NS;
    job->deadline_ns += GRACE_NS / 2;
    atomic_store(&lane->busy_until_ns, job->deadline_ns + GRACE_NS / 2);
    enum burst_err err = lane_job(lane, job, ret_bytes, reterr);
    atomic_store(&lane->busy_until_ns, 0);
    return err;
}

/* Do a job and fill its answer. */
static void take_job(struct lane *lane, struct wire_job *job, struct wire_done *ret, struct burst_error *ret_error)
{
    int64_t start = clock_mono_ns();
    uint64_t n_bytes = 0;
    enum burst_err err = do_job(lane, job, start, &n_bytes, ret_error);
    atomic_fetch_add_explicit(&lane->n_job, 1, memory_order_relaxed);
    wire_begin(ret, sizeof *ret, WIRE_DONE, job->head.sequence);
    ret->code = (uint32_t)err;
    ret->device_ns = clock_mono_ns() - start;
    if (err)
        copy_text(ret->text, sizeof ret->text, ret_error->text);
    else
        ret->n_bytes = n_bytes;
}

/* A request from the socket. Any error ends the lane. */
static enum burst_err take_request(struct lane *lane, struct wire_request *r, int fd, struct burst_error *reterr)
{
    struct burst_error e = {0};
    struct wire_done done;
    if (r->kind == WIRE_LOAD) return take_load(lane, &r->load, fd);
    if (r->kind == WIRE_HELLO || lane->hello.spin) {
        if (fd >= 0) (void)close(fd);
        return burst_fail(reterr, BURST_E_STATE, "a packet of kind %d on a lane that spins, or twice HELLO",
                          (int)r->kind);
    }
    take_job(lane, &r->job, &done, &e);
    bool sent = send_packet(lane, &done, sizeof done);
    end_if_dead(lane, &e);
    return sent ? BURST_OK : BURST_E_GONE;
}

/* The bell rang with `sequence`. Any error ends the lane. */
static enum burst_err take_bell(struct lane *lane, uint64_t sequence, struct burst_error *reterr)
{
    struct wire_control *c = lane->control;
    uint8_t bytes[sizeof c->job];
    struct wire_request r;
    struct wire_done done;
    struct burst_error e = {0};
    memcpy(bytes, c->job, sizeof bytes); /* what is checked must not change meanwhile */
    enum burst_err err = wire_read_request(bytes, sizeof bytes, 0, &r, reterr);
    if (err) return err;
    if (r.head.sequence != sequence)
        return burst_fail(reterr, BURST_E_STATE, "the bell rang for job %llu, and job %llu is there",
                          (unsigned long long)sequence, (unsigned long long)r.head.sequence);
    take_job(lane, &r.job, &done, &e);
    memcpy(c->done, &done, sizeof done);
    atomic_store_explicit(&c->answer, sequence, memory_order_release);
    end_if_dead(lane, &e);
    return BURST_OK;
}

/* ---- the lane's life ---- */

static enum burst_err serve_socket(struct lane *lane, struct burst_error *reterr)
{
    for (;;) {
        struct wire_request r;
        int fd = -1;
        enum burst_err err = read_request(lane, true, &r, &fd, reterr);
        if (!err) err = take_request(lane, &r, fd, reterr);
        if (err) return err;
    }
}

/* What came through the socket of a lane that spins; BURST_OK where nothing did. */
static enum burst_err look_at_socket(struct lane *lane, struct burst_error *reterr)
{
    struct wire_request r;
    int fd = -1;
    enum burst_err err = read_request(lane, false, &r, &fd, reterr);
    if (err == BURST_E_TIMEOUT) return BURST_OK;
    return err ? err : take_request(lane, &r, fd, reterr);
}

static enum burst_err serve_memory(struct lane *lane, struct burst_error *reterr)
{
    uint64_t last = 0, bell = 0;
    int64_t looked = 0;
    for (;;) {
        enum burst_err err = BURST_OK;
        for (int i = 0; i < 64 && bell == last; i++) {
            bell = atomic_load_explicit(&lane->control->bell, memory_order_acquire);
            if (bell == last) SPIN_PAUSE();
        }
        int64_t now = clock_mono_ns();
        if (bell != last)
            err = take_bell(lane, last = bell, reterr);
        else if (now - looked >= LOOK_NS) {
            looked = now;
            err = look_at_socket(lane, reterr);
        }
        if (err) return err;
    }
}

static void drop(struct lane *lane)
{
    for (int i = 0; i < WORKER_SLOTS; i++)
        if (lane->net[i].net) lane_net_close(lane, &lane->net[i]);
    if (lane->map && lane->device_input) cuda_unmap(lane->engine, lane->map);
    cuda_close(lane->engine);
    if (lane->map) (void)munmap(lane->map, lane->map_bytes); /* our own mapping: cannot fail */
}

void *lane_serve(void *at)
{
    struct lane *lane = at;
    struct burst_error e = {0};
    enum burst_err err = greet(lane, &e);
    if (!err) {
        log_line(LOG_LEVEL_NOTICE, "a lane begins lane=%d priority=%s precision=%s spin=%d", lane->number,
                 lane->hello.background ? "low" : "high",
                 cuda_precision_name((enum cuda_precision)lane->hello.precision), lane->hello.spin);
        err = lane->hello.spin ? serve_memory(lane, &e) : serve_socket(lane, &e);
    }
    end_if_dead(lane, &e);
    if (err == BURST_E_GONE)
        log_line(LOG_LEVEL_NOTICE, "a lane ends, its client is gone lane=%d jobs=%llu", lane->number,
                 (unsigned long long)atomic_load(&lane->n_job));
    else
        log_line(LOG_LEVEL_ERROR, "a lane is ended lane=%d error=%s what=\"%s\"", lane->number, burst_err_name(err),
                 e.text);
    begin_device_work(lane); /* giving back is the driver's work, too */
    drop(lane);
    atomic_store(&lane->busy_until_ns, 0);
    (void)shutdown(lane->fd,
                   SHUT_RDWR); /* the client sees the end now; the descriptor is closed by who joins this thread */
    atomic_store(&lane->ended, true);
    return NULL;
}
