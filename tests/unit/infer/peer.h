/* A worker without a GPU, for tests of who asks one: it speaks the wire as burst-cuda does, computes with the plain C
 * kernels and this process's networks, and fails on order. The test program started with `--once --socket PATH` is this
 * worker. */
#ifndef BURST_TESTS_INFER_PEER_H
#define BURST_TESTS_INFER_PEER_H
#include "kernels/cam.h"
#include "kernels/image_pack.h"
#include "kernels/ring.h"
#include "net/net.h"
#include "net/worker_wire.h"
#include "records/score.h"
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum peer_fault {
    PEER_GOOD,
    PEER_SILENT,     /* no answer */
    PEER_STOPS,      /* SIGSTOP */
    PEER_HANGS_UP,   /* ends in the middle of a job */
    PEER_DEVICE,     /* says that the device failed */
    PEER_REFUSES,    /* says that it has no memory for this one */
    PEER_SHORT,      /* an answer of another size */
    PEER_GARBAGE,    /* a packet that is none */
    PEER_NAN,        /* numbers that are none */
    PEER_WRONG,      /* 0.01 beside what is right */
    PEER_DRIFTS,     /* the next float: far inside any tolerance */
    PEER_NO_DEVICE,  /* ends as burst-cuda does where there is no device */
    PEER_NO_LIGHT,   /* does not take the light-curve network */
    PEER_OTHER_MODEL /* says it opened other bytes */
};
enum { PEER_LANES = 4, PEER_BATCH = 32 };

/* Between the test and its worker: a file that both have mapped, named by PEER_CONTROL. */
struct peer_control {
    _Atomic int fault, lane; /* lane 0 alert, 1 background, 2 both */
    _Atomic int spared;      /* jobs of that lane that are still answered well */
    _Atomic int n_started, n_job[2], pid;
};

struct peer_net {
    struct net *net;
    struct wire_load load;
    int n_logit;
};

struct peer_lane {
    int fd, background;
    struct wire_hello hello;
    uint8_t *map;
    struct peer_net net[WORKER_SLOTS];
    struct rings rings;
};

static struct peer_control *peer_control;
static float *peer_input;   /* [PEER_BATCH][most floats of one sample] */
static float *peer_feature; /* [channels][positions] */

static void peer_die(const char *why)
{
    (void)fprintf(stderr, "peer: %s\n", why);
    _exit(1);
}

static struct peer_control *peer_map_control(const char *path)
{
    FILE *file = fopen(path, "r+b");
    void *at = file ? mmap(NULL, sizeof(struct peer_control), PROT_READ | PROT_WRITE, MAP_SHARED, fileno(file), 0)
                    : MAP_FAILED;
    if (at == MAP_FAILED) peer_die("no control");
    (void)fclose(file);
    return at;
}

static void peer_send(const struct peer_lane *l, const void *packet, size_t n)
{
    if (send(l->fd, packet, n, MSG_NOSIGNAL) != (ssize_t)n) _exit(0); /* it was given up meanwhile */
}

/* ---- HELLO, LOAD ---- */

static void peer_hello(struct peer_lane *l, const struct wire_hello *h, int fd)
{
    struct wire_welcome w;
    size_t n = WIRE_PAGE + h->input_bytes + h->output_bytes;
    l->hello = *h;
    l->background = h->background;
    l->map = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (l->map == MAP_FAILED) peer_die("no shared memory");
    wire_begin(&w, sizeof w, WIRE_WELCOME, h->head.sequence);
    w.pid = (int32_t)getpid();
    w.sm = 90;
    w.driver = w.runtime = 13000;
    w.cudnn = 91900;
    w.memory_bytes = 1 << 30;
    (void)snprintf(w.device, sizeof w.device, "a peer without a GPU");
    peer_send(l, &w, sizeof w);
}

static void peer_rings(struct peer_lane *l, int n_atom)
{
    size_t n = (size_t)WORKER_RINGS * RING_BINS;
    l->rings = (struct rings){aligned_alloc(64, n * (size_t)n_atom * sizeof(uint32_t)), aligned_alloc(64, n),
                              WORKER_RINGS, n_atom};
    if (!l->rings.counts || !l->rings.valid) peer_die("no memory");
    memset(l->rings.counts, 0, n * (size_t)n_atom * sizeof(uint32_t));
    memset(l->rings.valid, 0, n);
}

static int64_t peer_positions(struct net *net)
{
    struct net_head head;
    return net_head(net, &head, NULL) == BURST_OK ? head.n_position : 0;
}

static void peer_refuse_load(struct peer_lane *l, const struct wire_load *load, const char *text)
{
    struct wire_failed f;
    wire_begin(&f, sizeof f, WIRE_FAILED, load->head.sequence);
    f.slot = load->slot;
    f.code = BURST_E_UNSUPPORTED;
    (void)snprintf(f.text, sizeof f.text, "%s", text);
    peer_send(l, &f, sizeof f);
}

static void peer_load(struct peer_lane *l, const struct wire_load *load, int fd)
{
    struct peer_net *p = &l->net[load->slot];
    struct wire_loaded d;
    struct burst_error e;
    const struct net_settings settings = {.batch_most = PEER_BATCH};
    const void *bytes = mmap(NULL, load->n_bytes, PROT_READ, MAP_SHARED, fd, 0);
    if (peer_control->fault == PEER_NO_LIGHT && load->role == WORKER_LIGHT_CURVE) {
        peer_refuse_load(l, load, "operator Peer of node 'one' has no kernel");
        return;
    }
    net_close(p->net);
    p->net = NULL;
    if (bytes == MAP_FAILED || net_open_bytes(bytes, load->n_bytes, &settings, &p->net, &e)) peer_die("no network");
    p->load = *load;
    p->n_logit = (int)net_output(p->net, 0)->n_element;
    if (load->role == WORKER_LIGHT_CURVE) peer_rings(l, load->n_atom);
    wire_begin(&d, sizeof d, WIRE_LOADED, load->head.sequence);
    d.slot = load->slot;
    d.batch = load->batch;
    d.n_input = d.n_output = 1;
    d.input_floats[0] = net_input(p->net, 0)->n_element;
    d.output_floats[0] = p->n_logit;
    d.n_cam = load->role == WORKER_LIGHT_CURVE ? peer_positions(p->net) : 0;
    memcpy(d.sha256, net_sha256(p->net), 65);
    if (peer_control->fault == PEER_OTHER_MODEL) d.sha256[0] = d.sha256[0] == 'a' ? 'b' : 'a';
    peer_send(l, &d, sizeof d);
}

/* ---- jobs: each returns the bytes of its answer ---- */

static const uint8_t *peer_in(const struct peer_lane *l)
{
    return l->map + WIRE_PAGE;
}

static float *peer_out(const struct peer_lane *l)
{
    return (float *)(void *)(l->map + WIRE_PAGE + l->hello.input_bytes);
}

static void peer_run(struct net *net, const float *input, int n, float *output)
{
    struct burst_error e;
    if (net_run(net, input, n, output, &e)) peer_die(e.text);
}

static uint64_t peer_job_run(const struct peer_lane *l, const struct wire_job *job)
{
    const struct peer_net *p = &l->net[job->slot];
    const float *in = (const float *)(const void *)peer_in(l);
    for (uint64_t at = 0; at < job->n; at += PEER_BATCH) {
        int n = job->n - at < PEER_BATCH ? (int)(job->n - at) : PEER_BATCH;
        peer_run(p->net, in + (int64_t)at * net_input(p->net, 0)->n_element, n,
                 peer_out(l) + at * (uint64_t)p->n_logit);
    }
    return job->n * (uint64_t)p->n_logit * sizeof(float);
}

/* The windows of a job as the network's input. */
static void peer_windows(const struct peer_lane *l, const struct wire_window *w, const struct wire_load *load)
{
    static float last[WORKER_WINDOW_BINS * WORKER_BANDS_MOST];
    struct ring_view view = {.n_bin = WORKER_WINDOW_BINS, .n_band = load->n_band, .n_padded = load->n_band};
    const struct ring_limits limits = {WORKER_RINGS, l->rings.n_atom,  RING_UPDATE_MOST,
                                       PEER_BATCH,   WIRE_COUNTS_MOST, WIRE_VALID_MOST};
    memcpy(view.first, load->first, sizeof view.first);
    memcpy(view.last, load->last, sizeof view.last);
    if (ring_job_check(&w->job, &limits, NULL)) peer_die("a job that does not fit");
    for (int i = 0; i < w->job.n_update; i++)
        ring_update_one(&l->rings, &w->job.update[i], w->counts, w->valid);
    for (int i = 0; i < w->job.n_window; i++) {
        ring_window_one(&l->rings, &w->job.window[i], &view, last);
        for (int b = 0; b < load->n_band; b++)
            for (int t = 0; t < WORKER_WINDOW_BINS; t++)
                peer_input[(i * load->n_band + b) * WORKER_WINDOW_BINS + t] = last[t * load->n_band + b];
    }
}

static uint64_t peer_job_window(const struct peer_lane *l, const struct wire_job *job)
{
    const struct peer_net *p = &l->net[job->slot];
    const struct wire_window *w = (const struct wire_window *)(const void *)peer_in(l);
    peer_windows(l, w, &p->load);
    peer_run(p->net, peer_input, w->job.n_window, peer_out(l));
    return (uint64_t)w->job.n_window * (uint64_t)p->n_logit * sizeof(float);
}

static uint64_t peer_job_cam(const struct peer_lane *l, const struct wire_job *job)
{
    const struct peer_net *p = &l->net[job->slot];
    float logits[WORKER_PORTS_MOST];
    struct net_head h;
    struct head head;
    struct burst_error e;
    peer_windows(l, (const struct wire_window *)(const void *)peer_in(l), &p->load);
    peer_run(p->net, peer_input, 1, logits);
    if (net_head(p->net, &h, &e)) peer_die(e.text);
    head.n_layer = h.n_layer;
    for (int i = 0; i < h.n_layer; i++)
        head.layer[i] =
            (struct head_layer){h.layer[i].n_in, h.layer[i].n_out, h.layer[i].weight, h.layer[i].bias, h.layer[i].relu};
    if (net_read(p->net, h.name, peer_feature, (size_t)h.n_channel * (size_t)h.n_position, NULL, &e)) peer_die(e.text);
    cam_plane(&head, h.n_channel, h.n_position, peer_feature, p->load.cam_index, peer_out(l));
    return (uint64_t)h.n_position * sizeof(float);
}

static uint64_t peer_job_image(const struct peer_lane *l, const struct wire_job *job)
{
    enum { PLANE = WORKER_IMAGE_PIXELS };
    const struct peer_net *p = &l->net[job->slot];
    const struct wire_image *w = (const struct wire_image *)(const void *)peer_in(l);
    const float *s = p->load.scaling;
    const struct image_scaling scaling = {s[0], s[1], s[2], s[3]};
    for (int i = 0; i < w->job.n_sample; i++) {
        int without = w->job.sample[i].without;
        if (image_input(w->snr, w->mask, PLANE, &scaling, peer_input, NULL)) peer_die("pixels");
        if (without >= 0) (void)image_occlude(w->mask, WORKER_IMAGE_SIDE, &scaling, without, peer_input);
        if (without == IMAGE_WITHOUT_SOURCES)
            (void)image_hide_sources(w->mask, WORKER_IMAGE_SIDE, &scaling, peer_input);
        peer_run(p->net, peer_input, 1, peer_out(l) + i * p->n_logit);
    }
    return (uint64_t)w->job.n_sample * (uint64_t)p->n_logit * sizeof(float);
}

static uint64_t peer_job(const struct peer_lane *l, const struct wire_job *job)
{
    switch (job->kind) {
    case WIRE_ECHO: memcpy(peer_out(l), peer_in(l), job->n); return job->n;
    case WIRE_RUN: return peer_job_run(l, job);
    case WIRE_WINDOW: return peer_job_window(l, job);
    case WIRE_CAM: return peer_job_cam(l, job);
    case WIRE_IMAGE: return peer_job_image(l, job);
    default: peer_die("a job of no kind");
    }
    return 0;
}

/* ---- faults ---- */

static enum peer_fault peer_fault_now(const struct peer_lane *l)
{
    bool mine = peer_control->lane == 2 || peer_control->lane == l->background;
    if (!mine || peer_control->fault == PEER_GOOD) return PEER_GOOD;
    if (peer_control->spared > 0) {
        peer_control->spared--;
        return PEER_GOOD;
    }
    return (enum peer_fault)peer_control->fault;
}

/* Numbers of an answer, spoilt. */
static void peer_spoil(const struct peer_lane *l, const struct wire_job *job, uint64_t bytes, enum peer_fault fault)
{
    float *out = peer_out(l);
    for (uint64_t i = 0; job->kind != WIRE_ECHO && i < bytes / sizeof(float); i++) {
        if (fault == PEER_NAN) out[i] = NAN;
        if (fault == PEER_WRONG) out[i] += 0.01F;
        if (fault == PEER_DRIFTS) out[i] = nextafterf(out[i], INFINITY);
    }
}

static void peer_answer(const struct peer_lane *l, const struct wire_job *job)
{
    struct wire_done d;
    enum peer_fault fault = peer_fault_now(l);
    peer_control->n_job[l->background]++;
    if (fault == PEER_SILENT) return;
    if (fault == PEER_HANGS_UP) _exit(70);
    if (fault == PEER_STOPS) (void)raise(SIGSTOP);
    wire_begin(&d, sizeof d, WIRE_DONE, job->head.sequence);
    if (fault == PEER_DEVICE || fault == PEER_REFUSES) {
        d.code = fault == PEER_DEVICE ? BURST_E_DEVICE : BURST_E_NOMEM;
        (void)snprintf(d.text, sizeof d.text,
                       fault == PEER_DEVICE ? "cudaGraphLaunch: unspecified launch failure (719)"
                                            : "cudaMalloc: out of memory (2)");
    } else {
        d.n_bytes = peer_job(l, job);
        peer_spoil(l, job, d.n_bytes, fault);
        if (fault == PEER_SHORT) d.n_bytes -= d.n_bytes ? 4 : 0;
    }
    if (fault == PEER_GARBAGE) memset(&d, 0x5a, sizeof d);
    peer_send(l, &d, sizeof d);
}

/* ---- lanes ---- */

/* One packet; false: the other end hung up. */
static bool peer_read(struct peer_lane *l)
{
    uint8_t bytes[WIRE_PACKET_MOST];
    union {
        char room[CMSG_SPACE(sizeof(int))];
        struct cmsghdr align;
    } control;
    struct iovec iov = {bytes, sizeof bytes};
    struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
    struct wire_request r;
    struct burst_error e;
    int fd = -1;
    ssize_t n = recvmsg(l->fd, &m, MSG_CMSG_CLOEXEC);
    if (n <= 0) return false;
    const struct cmsghdr *c = CMSG_FIRSTHDR(&m);
    if (c) memcpy(&fd, CMSG_DATA(c), sizeof fd);
    if (wire_read_request(bytes, (size_t)n, fd >= 0, &r, &e)) peer_die(e.text);
    switch (r.kind) {
    case WIRE_HELLO: peer_hello(l, &r.hello, fd); break;
    case WIRE_LOAD: peer_load(l, &r.load, fd); break;
    default: peer_answer(l, &r.job);
    }
    if (fd >= 0) (void)close(fd);
    return true;
}

static void peer_leave(struct peer_lane *l)
{
    (void)close(l->fd);
    for (int i = 0; i < WORKER_SLOTS; i++)
        net_close(l->net[i].net);
    free(l->rings.counts);
    free(l->rings.valid);
    if (l->map) (void)munmap(l->map, WIRE_PAGE + l->hello.input_bytes + l->hello.output_bytes);
    *l = (struct peer_lane){.fd = -1};
}

static int peer_listen(const char *path)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    (void)snprintf(a.sun_path, sizeof a.sun_path, "%s", path);
    if (fd < 0 || bind(fd, (const struct sockaddr *)&a, sizeof a) < 0 || listen(fd, 4) < 0) peer_die("cannot listen");
    return fd;
}

/* Serve until the last lane has gone. */
static int peer_main(const char *path)
{
    struct peer_lane lane[PEER_LANES];
    struct pollfd p[PEER_LANES + 1];
    peer_control = peer_map_control(getenv("PEER_CONTROL"));
    peer_control->n_started++;
    peer_control->pid = (int)getpid();
    if (peer_control->fault == PEER_NO_DEVICE) return 69;
    peer_input = calloc((size_t)PEER_BATCH * WORKER_BANDS_MOST * WORKER_WINDOW_BINS, sizeof *peer_input);
    peer_feature = calloc(1 << 20, sizeof *peer_feature);
    for (int i = 0; i < PEER_LANES; i++)
        lane[i] = (struct peer_lane){.fd = -1};
    p[PEER_LANES] = (struct pollfd){.fd = peer_listen(path), .events = POLLIN};
    for (int n = 0, had = 0; peer_input && peer_feature && (n > 0 || !had);) {
        for (int i = 0; i < PEER_LANES; i++)
            p[i] = (struct pollfd){.fd = lane[i].fd, .events = POLLIN};
        if (poll(p, PEER_LANES + 1, -1) < 0) continue;
        for (int i = 0; i < PEER_LANES; i++) {
            if (lane[i].fd < 0 || !p[i].revents || peer_read(&lane[i])) continue;
            peer_leave(&lane[i]);
            n--;
        }
        for (int i = 0; i < PEER_LANES && p[PEER_LANES].revents; i++) {
            if (lane[i].fd >= 0) continue;
            lane[i].fd = accept4(p[PEER_LANES].fd, NULL, NULL, SOCK_CLOEXEC);
            n += lane[i].fd >= 0;
            had = 1;
            break;
        }
    }
    free(peer_input);
    free(peer_feature);
    return 0;
}
#endif
