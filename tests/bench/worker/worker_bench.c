/* What a job to burst-cuda costs besides its work: ECHO through the socket and with the spinning waiter, beside a bare ping-pong of
 * packets of the same sizes between two processes. The three take turns, so that what else runs meets all of them.
 *
 *   worker_bench [--program FILE] [--rounds N] [--jobs N] [--bytes N] [--core N] */
#include "base/clock.h"
#include "net/worker_wire.h"
#include <getopt.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { WAYS = 3, RAW = 0, SOCKET = 1, SPIN = 2, ROUNDS_MOST = 1000, JOBS_MOST = 100000 };
static const char *const NAME[WAYS] = {"bare packets", "socket", "spinning"};

struct options {
    const char *program;
    int rounds, jobs, bytes, core;
};

struct raw {
    int fd;
    pid_t peer;
};

static void end(const char *what)
{
    (void)fprintf(stderr, "worker_bench: %s\n", what);
    exit(4);
}

/* ---- the bare exchange ---- */

static void answer_for_ever(int fd)
{
    static struct wire_job job;
    static struct wire_done done;
    while (recv(fd, &job, sizeof job, 0) > 0)
        if (send(fd, &done, sizeof done, MSG_NOSIGNAL) < 0) break;
    _exit(0);
}

static struct raw raw_open(void)
{
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) end("no socket pair");
    struct raw r = {pair[0], fork()};
    if (r.peer == 0) {
        (void)close(pair[0]);
        answer_for_ever(pair[1]);
    }
    (void)close(pair[1]);
    return r;
}

static void raw_once(const struct raw *r)
{
    static struct wire_job job;
    static struct wire_done done;
    if (send(r->fd, &job, sizeof job, MSG_NOSIGNAL) < 0 || recv(r->fd, &done, sizeof done, 0) < 0)
        end("the bare peer is gone");
}

/* ---- lanes ---- */

static struct worker *lane_open(const struct options *o, bool spin)
{
    struct worker_settings settings = {.program = o->program, .spin = spin, .core = o->core};
    struct worker *w = NULL;
    struct burst_error e;
    int64_t until = clock_mono_ns() + 60 * CLOCK_NS_PER_S;
    if (worker_new(&settings, &w, &e)) end(e.text);
    while (worker_step(w, clock_mono_ns()) != WORKER_READY && clock_mono_ns() < until)
        (void)usleep(1000);
    if (worker_state(w) != WORKER_READY) end(worker_why(w));
    return w;
}

static void lane_once(struct worker *w, const struct options *o)
{
    static uint8_t out[1 << 20], back[1 << 20];
    struct burst_error e;
    if (worker_echo(w, out, (size_t)o->bytes, back, clock_mono_ns() + 10 * CLOCK_NS_PER_S, &e)) end(e.text);
}

/* ---- figures ---- */

static int rising(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double quantile(double *x, int n, double q)
{
    qsort(x, (size_t)n, sizeof *x, rising);
    return x[(int)(q * (n - 1))];
}

/* One round of one way: p50 and p99, us. */
static void measure(int way, const struct raw *raw, struct worker *const *lane, const struct options *o,
                    double *ret_p50, double *ret_p99)
{
    static double us[JOBS_MOST];
    for (int i = -20; i < o->jobs; i++) { /* the first ones wake things up */
        int64_t start = clock_mono_ns();
        if (way == RAW)
            raw_once(raw);
        else
            lane_once(lane[way], o);
        if (i >= 0) us[i] = 1e-3 * (double)(clock_mono_ns() - start);
    }
    *ret_p50 = quantile(us, o->jobs, 0.50);
    *ret_p99 = quantile(us, o->jobs, 0.99);
}

static void find_program(char *ret, size_t size)
{
    ssize_t n = readlink("/proc/self/exe", ret, size - 1);
    if (n < 0) end("who am I?");
    ret[n] = 0;
    for (int i = 0; i < 2; i++)
        *strrchr(ret, '/') = 0;
    size_t used = strlen(ret);
    (void)snprintf(ret + used, size - used, "/burst-cuda-standin");
}

static void parse(int argc, char **argv, struct options *o)
{
    static const struct option table[] = {
        {"program", required_argument, NULL, 'p'}, {"rounds", required_argument, NULL, 'r'},
        {"jobs", required_argument, NULL, 'j'},    {"bytes", required_argument, NULL, 'b'},
        {"core", required_argument, NULL, 'c'},    {0}};
    for (int c; (c = getopt_long(argc, argv, "", table, NULL)) != -1;)
        switch (c) {
        case 'p': o->program = optarg; break;
        case 'r': o->rounds = atoi(optarg); break;
        case 'j': o->jobs = atoi(optarg); break;
        case 'b': o->bytes = atoi(optarg); break;
        case 'c': o->core = atoi(optarg); break;
        default: exit(2);
        }
    if (o->rounds < 1 || o->rounds > ROUNDS_MOST || o->jobs < 1 || o->jobs > JOBS_MOST || o->bytes < 0 ||
        o->bytes > 1 << 20)
        end("a number outside its range");
}

int main(int argc, char **argv)
{
    static double p50[WAYS][ROUNDS_MOST], p99[WAYS][ROUNDS_MOST];
    static char program[4096];
    struct options o = {.program = program, .rounds = 20, .jobs = 1000, .bytes = 4096, .core = 1};
    find_program(program, sizeof program);
    parse(argc, argv, &o);
    struct raw raw = raw_open();
    for (int r = 0; r < o.rounds; r++)
        for (int way = 0; way < WAYS; way++) {
            struct worker *lane[WAYS] = {NULL};
            if (way != RAW)
                lane[way] = lane_open(&o, way == SPIN); /* a spinning lane beside the others would take their core */
            measure(way, &raw, lane, &o, &p50[way][r], &p99[way][r]);
            worker_free(lane[way]);
        }
    (void)printf("%d rounds of %d jobs of %d bytes there and back; us, the median round\n", o.rounds, o.jobs, o.bytes);
    (void)printf("%-14s %8s %8s %8s %8s\n", "", "p50", "p99", "/ bare", "best p50");
    double bare = quantile(p50[RAW], o.rounds, 0.5);
    for (int way = 0; way < WAYS; way++) {
        double middle = quantile(p50[way], o.rounds, 0.5);
        (void)printf("%-14s %8.2f %8.2f %8.2f %8.2f\n", NAME[way], middle, quantile(p99[way], o.rounds, 0.5),
                     middle / bare, quantile(p50[way], o.rounds, 0));
    }
    (void)close(raw.fd);
    (void)waitpid(raw.peer, NULL, 0);
    return 0;
}
