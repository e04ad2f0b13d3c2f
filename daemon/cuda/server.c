/* The main thread of burst-cuda. */
#include "daemon/cuda/server.h"
#include "base/clock.h"
#include "base/log.h"
#include "daemon/cuda/lane.h"
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

static const int64_t TURN_NS = 50000000, STATUS_NS = 5 * CLOCK_NS_PER_S, ALONE_NS = 30 * CLOCK_NS_PER_S;
static const int64_t DRAIN_NS = 5 * CLOCK_NS_PER_S;

struct server {
    const struct server_settings *settings;
    struct sockaddr_un address;
    char device_name[256];
    int listener;
    struct lane *lane[SERVER_LANES];
    int n_lane, next_number;
    uint64_t n_job_ended; /* of lanes that are gone */
    int64_t alone_since_ns;
    bool had_client;
};

/* ---- the device ---- */

/* Is there one? It is opened once so that the answer is known before anybody connects. */
static enum burst_err look_at_device(struct server *s, struct burst_error *reterr)
{
    struct cuda_settings settings = {.device = s->settings->device, .cache_folder = s->settings->cache_folder};
    struct cuda_device_facts facts;
    struct cuda_engine *engine;
    enum burst_err err = cuda_open(&settings, &engine, reterr);
    if (err) return err;
    cuda_describe(engine, &facts);
    cuda_close(engine);
    (void)snprintf(s->device_name, sizeof s->device_name, "%s", facts.name);
    log_line(LOG_LEVEL_NOTICE, "device found name=\"%s\" sm=%d driver=%d runtime=%d cudnn=%d memory_mib=%zu",
             facts.name, facts.sm, facts.driver, facts.runtime, facts.cudnn, facts.memory_bytes >> 20);
    return BURST_OK;
}

/* ---- the socket ---- */

static bool somebody_listens(const struct sockaddr_un *address)
{
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) return false;
    bool yes = connect(fd, (const struct sockaddr *)address, sizeof *address) == 0 || errno == EAGAIN;
    (void)close(fd);
    return yes;
}

/* A socket at `path` that takes clients, with its mode: nobody may find it before. Returns an errno, 0 is good. */
static int make_socket(struct server *s, const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    (void)snprintf(address.sun_path, sizeof address.sun_path, "%s.new", path); /* it fits: listen_at has looked */
    (void)unlink(address.sun_path);                                            /* what a process before us left */
    s->listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    mode_t old = umask(0177);
    bool good = s->listener >= 0 && bind(s->listener, (const struct sockaddr *)&address, sizeof address) == 0;
    int error = errno;
    (void)umask(old);
    if (!good) return error;
    if ((s->settings->once || chmod(address.sun_path, 0660) == 0) && listen(s->listener, SERVER_LANES) == 0 &&
        rename(address.sun_path, path) == 0)
        return 0;
    error = errno;
    (void)unlink(address.sun_path); /* ours, and of no use */
    return error;
}

static enum burst_err listen_at(struct server *s, struct burst_error *reterr)
{
    const char *path = s->settings->socket;
    size_t most = sizeof s->address.sun_path - sizeof ".new";
    s->address.sun_family = AF_UNIX;
    if (strlen(path) > most)
        return burst_fail(reterr, BURST_E_LIMIT, "%s is too long for a socket (at most %zu)", path, most);
    memcpy(s->address.sun_path, path, strlen(path) + 1);
    if (somebody_listens(&s->address))
        return burst_fail(reterr, BURST_E_CONFLICT, "another process listens at %s", path);
    int error = make_socket(s, path);
    return error ? burst_fail(reterr, BURST_E_IO, "%s: %s", path, strerror(error)) : BURST_OK;
}

/* ---- lanes ---- */

static void refuse(int fd, enum burst_err code, const char *why)
{
    struct wire_failed p;
    wire_begin(&p, sizeof p, WIRE_FAILED, 1);
    p.code = (uint32_t)code;
    (void)snprintf(p.text, sizeof p.text, "%s", why);
    (void)send(fd, &p, sizeof p, MSG_DONTWAIT | MSG_NOSIGNAL); /* a courtesy */
    (void)close(fd);
    log_line(LOG_LEVEL_WARNING, "a client is refused why=\"%s\"", why);
}

/* Who started us is the only one to be served. */
static bool may_come_in(const struct server *s, const struct ucred *peer)
{
    return !s->settings->once || peer->uid == geteuid();
}

static void begin_lane(struct server *s, int fd, const struct ucred *peer)
{
    int place = 0;
    while (place < SERVER_LANES && s->lane[place])
        place++;
    if (place == SERVER_LANES) {
        refuse(fd, BURST_E_FULL, "all lanes are taken");
        return;
    }
    struct lane *lane = calloc(1, sizeof *lane);
    if (!lane) {
        refuse(fd, BURST_E_NOMEM, "no memory for a lane");
        return;
    }
    lane->number = s->next_number++;
    lane->fd = fd;
    lane->device = s->settings->device;
    lane->cache_folder = s->settings->cache_folder;
    lane->patience_ns = s->settings->patience_ns;
    if (pthread_create(&lane->thread, NULL, lane_serve, lane) != 0) {
        free(lane);
        refuse(fd, BURST_E_NOMEM, "no thread for a lane");
        return;
    }
    s->lane[place] = lane;
    s->n_lane++;
    s->had_client = true;
    log_line(LOG_LEVEL_INFO, "a client is here lane=%d pid=%d uid=%d", lane->number, (int)peer->pid, (int)peer->uid);
}

static void accept_client(struct server *s)
{
    struct ucred peer;
    socklen_t size = sizeof peer;
    int fd = accept4(s->listener, NULL, NULL, SOCK_CLOEXEC);
    if (fd < 0) return; /* it is gone again, or descriptors are short: the next turn tries again */
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0)
        refuse(fd, BURST_E_AUTH, "the system does not say who it is");
    else if (!may_come_in(s, &peer))
        refuse(fd, BURST_E_AUTH, "another user's process");
    else
        begin_lane(s, fd, &peer);
}

/* Join the threads that have ended. */
static void bury_lanes(struct server *s)
{
    for (int i = 0; i < SERVER_LANES; i++) {
        struct lane *lane = s->lane[i];
        if (!lane || !atomic_load(&lane->ended)) continue;
        (void)pthread_join(lane->thread, NULL); /* our own thread, joined once */
        (void)close(lane->fd);
        s->n_job_ended += atomic_load(&lane->n_job);
        free(lane);
        s->lane[i] = NULL;
        s->n_lane--;
        s->alone_since_ns = clock_mono_ns();
    }
}

/* A driver call that does not return can only be cured by ending the process that made it. */
static void end_if_stuck(const struct server *s, int64_t now_ns)
{
    for (int i = 0; i < SERVER_LANES; i++) {
        int64_t until = s->lane[i] ? atomic_load(&s->lane[i]->busy_until_ns) : 0;
        if (!until || now_ns <= until) continue;
        log_line(LOG_LEVEL_ERROR, "a lane is stuck in the driver, this process ends lane=%d overdue_s=%.1f",
                 s->lane[i]->number, 1e-9 * (double)(now_ns - until));
        _exit(LANE_DEVICE_FAILED);
    }
}

/* ---- the service manager ---- */

static void tell_status(const struct server *s)
{
    uint64_t n_job = s->n_job_ended;
    for (int i = 0; i < SERVER_LANES; i++)
        if (s->lane[i]) n_job += atomic_load(&s->lane[i]->n_job);
    (void)sd_notifyf(0, "STATUS=%s; %d lanes, %" PRIu64 " jobs", s->device_name, s->n_lane,
                     n_job); /* without systemd: nothing */
}

static int64_t watchdog_ns(void)
{
    uint64_t usec = 0;
    return sd_watchdog_enabled(0, &usec) > 0 ? (int64_t)usec * 1000 / 3 : 0;
}

/* ---- life ---- */

static bool is_done(const struct server *s, int64_t now_ns)
{
    if (!s->settings->once || s->n_lane) return false;
    return s->had_client || now_ns - s->alone_since_ns > ALONE_NS;
}

static void turn(struct server *s, const sigset_t *waiting)
{
    struct pollfd p = {.fd = s->listener, .events = POLLIN};
    struct timespec patience = {0, TURN_NS};
    bool knocks = ppoll(&p, 1, &patience, waiting) > 0;
    bury_lanes(s); /* first: the one who knocks may be the one whose lane has just ended */
    if (knocks) accept_client(s);
    end_if_stuck(s, clock_mono_ns());
}

static void serve(struct server *s, const volatile sig_atomic_t *stop, const sigset_t *waiting)
{
    int64_t ping_ns = watchdog_ns(), pinged = 0, told = 0;
    s->alone_since_ns = clock_mono_ns();
    while (!*stop && !is_done(s, clock_mono_ns())) {
        turn(s, waiting);
        int64_t now = clock_mono_ns();
        if (ping_ns && now - pinged > ping_ns) {
            (void)sd_notify(0, "WATCHDOG=1"); /* not reached while a lane is stuck */
            pinged = now;
        }
        if (now - told > STATUS_NS) {
            tell_status(s);
            told = now;
        }
    }
}

/* Every lane finishes what is under way. */
static void drain(struct server *s)
{
    int64_t until = clock_mono_ns() + DRAIN_NS;
    for (int i = 0; i < SERVER_LANES; i++)
        if (s->lane[i]) (void)shutdown(s->lane[i]->fd, SHUT_RD); /* the thread reads the end; it still can answer */
    while (s->n_lane && clock_mono_ns() < until) {
        (void)poll(NULL, 0, 2);
        bury_lanes(s);
        end_if_stuck(s, clock_mono_ns());
    }
    if (!s->n_lane) return;
    log_line(LOG_LEVEL_WARNING, "lanes do not end, this process does lanes=%d", s->n_lane);
    (void)unlink(s->address.sun_path);
    _exit(0);
}

enum burst_err server_run(const struct server_settings *settings, const volatile sig_atomic_t *stop,
                          const sigset_t *waiting, struct burst_error *reterr)
{
    struct server s = {.settings = settings, .listener = -1};
    enum burst_err err = look_at_device(&s, reterr);
    if (!err) err = listen_at(&s, reterr);
    if (!err) {
        log_line(LOG_LEVEL_NOTICE, "ready version=%s socket=%s", BURST_VERSION, settings->socket);
        (void)sd_notifyf(0, "READY=1\nSTATUS=%s", s.device_name);
        serve(&s, stop, waiting);
        (void)sd_notify(0, "STOPPING=1");
        log_line(LOG_LEVEL_NOTICE, "stopping: lanes finish what is under way lanes=%d", s.n_lane);
        (void)unlink(settings->socket); /* nobody new */
        drain(&s);
    }
    if (s.listener >= 0) (void)close(s.listener);
    return err;
}
