/* burst-cuda against clients that break its protocol: each ends its own lane, none another's, and nothing is left open. */
#include "net/worker_wire.h"
#include "worker_scene.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

static const struct worker_settings SOCKET = {0};
static struct worker *good; /* a lane of its own worker: it must live through everything below */

/* ---- a client without manners ---- */

static int stranger(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    memcpy(address.sun_path, worker_socket(good), strlen(worker_socket(good)) + 1);
    CHECK_INT(connect(fd, (const struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

static void say(int fd, const void *packet, size_t n, const int *with, int n_with)
{
    union {
        char room[CMSG_SPACE(8 * sizeof(int))];
        struct cmsghdr align;
    } control = {{0}};
    struct iovec piece = {(void *)packet, n};
    struct msghdr m = {.msg_iov = &piece, .msg_iovlen = 1};
    if (n_with) {
        m.msg_control = control.room;
        m.msg_controllen = CMSG_SPACE((size_t)n_with * sizeof(int));
        struct cmsghdr *c = CMSG_FIRSTHDR(&m);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN((size_t)n_with * sizeof(int));
        memcpy(CMSG_DATA(c), with, (size_t)n_with * sizeof(int));
    }
    (void)sendmsg(fd, &m, MSG_NOSIGNAL); /* it may have hung up already */
}

/* Its next packet; its kind, 0 where it hung up, -1 where nothing came. */
static int hear(int fd, struct wire_answer *ret)
{
    uint8_t bytes[WIRE_PACKET_MOST];
    struct pollfd p = {.fd = fd, .events = POLLIN};
    if (poll(&p, 1, 60000) <= 0) return -1;
    ssize_t n = recv(fd, bytes, sizeof bytes, 0);
    if (n <= 0) return 0;
    CHECK_INT(wire_read_answer(bytes, (size_t)n, ret, &e), BURST_OK);
    return (int)ret->kind;
}

static struct wire_hello hello_packet(void)
{
    struct wire_hello p;
    wire_begin(&p, sizeof p, WIRE_HELLO, 1);
    p.core = -1;
    p.input_bytes = (uint64_t)4 << 20;
    p.output_bytes = 4096;
    return p;
}

static const uint64_t WHOLE = 4096 + ((uint64_t)4 << 20) + 4096;

static int greet(uint8_t **ret_input)
{
    struct wire_hello p = hello_packet();
    struct wire_answer a;
    int memory = -1, fd = stranger();
    CHECK_INT(wire_make_memory(WHOLE, NULL, &memory, &e), BURST_OK);
    say(fd, &p, sizeof p, &memory, 1);
    CHECK_INT(hear(fd, &a), WIRE_WELCOME);
    if (ret_input) *ret_input = (uint8_t *)mmap(NULL, WHOLE, PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0) + 4096;
    (void)close(memory);
    return fd;
}

/* After a bad packet: the lane ends, perhaps after a word; nothing stays open over there; the good lane works. */
static void check_ended(int fd, int expect_kind, enum burst_err code)
{
    struct wire_answer a;
    int kind = hear(fd, &a);
    CHECK_INT(kind, expect_kind);
    if (kind == WIRE_FAILED) {
        CHECK_INT(a.failed.code, code);
        CHECK_INT(hear(fd, &a), 0);
    }
    (void)close(fd);
}

/* Clients are taken in the order they came: once this one has been sent away, so has everybody before. */
static void check_all_taken(void)
{
    struct wire_answer a;
    int fd = stranger();
    say(fd, "junk", 4, NULL, 0);
    while (hear(fd, &a) > 0) {
    }
    (void)close(fd);
}

static void check_nothing_left(int descriptors)
{
    char back[4] = {0};
    int64_t until = soon();
    int pid = worker_facts(good)->pid, open_there;
    check_all_taken();
    while ((open_there = descriptors_of(pid)) != descriptors && clock_mono_ns() < until)
        (void)usleep(2000); /* a lane's thread is joined within a turn of the main one */
    CHECK_INT(open_there, descriptors);
    CHECK_INT(worker_echo(good, "abc", 4, back, soon(), &e), BURST_OK);
    CHECK_STR(back, "abc");
}

/* ---- tests ---- */

TEST(a_first_packet_that_is_no_hello_ends_the_lane)
{
    int before = descriptors_of(worker_facts(good)->pid), null = open("/dev/null", O_RDWR | O_CLOEXEC), memory = -1, fd;
    int many[6] = {null, null, null, null, null, null};
    struct wire_hello hello = hello_packet();
    struct wire_job job;
    struct wire_load load;
    wire_begin(&job, sizeof job, WIRE_JOB, 1);
    wire_begin(&load, sizeof load, WIRE_LOAD, 1);
    load.n_bytes = load.batch = 1;
    CHECK_INT(wire_make_memory(1, "x", &memory, &e), BURST_OK);
    say(fd = stranger(), "junk", 4, NULL, 0);
    check_ended(fd, 0, BURST_OK);
    say(fd = stranger(), &hello, sizeof hello, NULL, 0);
    check_ended(fd, 0, BURST_OK);
    say(fd = stranger(), &hello, sizeof hello, many, 2); /* both fit the room for one */
    check_ended(fd, 0, BURST_OK);
    say(fd = stranger(), &hello, sizeof hello, many, 6); /* they do not */
    check_ended(fd, 0, BURST_OK);
    say(fd = stranger(), &job, sizeof job, NULL, 0);
    check_ended(fd, 0, BURST_OK);
    say(fd = stranger(), &load, sizeof load, &memory, 1);
    check_ended(fd, 0, BURST_OK);
    check_nothing_left(before); /* there are no more lanes than eight */
    hello.precision = 9;
    say(fd = stranger(), &hello, sizeof hello, many, 1);
    check_ended(fd, 0, BURST_OK);
    hello = hello_packet();
    hello.head.version = WIRE_VERSION + 1; /* a client of another tree is told that it is one */
    say(fd = stranger(), &hello, sizeof hello, many, 1);
    check_ended(fd, WIRE_FAILED, BURST_E_UNSUPPORTED);
    (void)close(stranger()); /* not a word */
    (void)close(null);
    (void)close(memory);
    check_nothing_left(before);
}

TEST(memory_that_could_shrink_or_is_too_small_is_refused)
{
    int before = descriptors_of(worker_facts(good)->pid), fd;
    int open_memory = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING), small = -1,
        null = open("/dev/null", O_RDWR | O_CLOEXEC);
    struct wire_hello hello = hello_packet();
    CHECK_INT(ftruncate(open_memory, (off_t)WHOLE), 0);
    CHECK_INT(wire_make_memory(WHOLE - 4096, NULL, &small, &e), BURST_OK);
    say(fd = stranger(), &hello, sizeof hello, &open_memory, 1);
    check_ended(fd, WIRE_FAILED, BURST_E_FORMAT);
    say(fd = stranger(), &hello, sizeof hello, &small, 1);
    check_ended(fd, WIRE_FAILED, BURST_E_SHAPE);
    say(fd = stranger(), &hello, sizeof hello, &null, 1);
    check_ended(fd, WIRE_FAILED, BURST_E_FORMAT);
    (void)close(open_memory);
    (void)close(small);
    (void)close(null);
    check_nothing_left(before);
}

TEST(a_lane_that_breaks_the_protocol_later_ends_too)
{
    int before = descriptors_of(worker_facts(good)->pid), fd, memory = -1;
    struct wire_hello hello = hello_packet();
    struct wire_done done;
    CHECK_INT(wire_make_memory(WHOLE, NULL, &memory, &e), BURST_OK);
    say(fd = greet(NULL), &hello, sizeof hello, &memory, 1); /* twice */
    check_ended(fd, 0, BURST_OK);
    wire_begin(&done, sizeof done, WIRE_DONE, 2);
    say(fd = greet(NULL), &done, sizeof done, NULL, 0);
    check_ended(fd, 0, BURST_OK);
    say(fd = greet(NULL), "", 0, &memory, 1); /* an empty packet that brings something */
    check_ended(fd, 0, BURST_OK);
    (void)close(memory);
    check_nothing_left(before);
}

TEST(a_network_whose_bytes_are_not_there_is_refused_and_the_lane_lives)
{
    struct wire_load load;
    struct wire_answer a;
    int before = descriptors_of(worker_facts(good)->pid), fd = greet(NULL), memory = -1;
    CHECK_INT(wire_make_memory(5, "hello", &memory, &e), BURST_OK);
    wire_begin(&load, sizeof load, WIRE_LOAD, 2);
    load.n_bytes = 6;
    load.batch = 1;
    say(fd, &load, sizeof load, &memory, 1);
    CHECK_INT(hear(fd, &a), WIRE_FAILED);
    CHECK_INT(a.failed.code, BURST_E_SHAPE);
    CHECK_INT(a.head.sequence, 2);
    load.n_bytes = 5;
    load.head.sequence = 3;
    say(fd, &load, sizeof load, &memory, 1); /* it is no network, but it is there */
    CHECK_INT(hear(fd, &a), WIRE_FAILED);
    CHECK(a.failed.code != BURST_E_SHAPE);
    CHECK_INT(a.head.sequence, 3);
    (void)close(memory);
    (void)close(fd);
    check_nothing_left(before);
}

/* Ask a job of a lane with the light-curve network in slot 0. */
static enum burst_err ask(int fd, uint32_t kind, uint32_t slot, uint64_t n, int64_t deadline_ns)
{
    static uint64_t sequence = 100;
    struct wire_job job;
    struct wire_answer a;
    wire_begin(&job, sizeof job, WIRE_JOB, ++sequence);
    job.kind = kind;
    job.slot = slot;
    job.n = n;
    job.deadline_ns = deadline_ns;
    if (kind == WIRE_READ) memcpy(job.name, "y", 1);
    say(fd, &job, sizeof job, NULL, 0);
    CHECK_INT(hear(fd, &a), WIRE_DONE);
    CHECK_INT(a.head.sequence, sequence);
    CHECK(a.done.code == BURST_OK || a.done.text[0]);
    return (enum burst_err)a.done.code;
}

TEST(jobs_outside_their_ranges_are_refused_and_the_lane_lives)
{
    struct wire_load load;
    struct wire_answer a;
    uint8_t *input = NULL;
    int before = descriptors_of(worker_facts(good)->pid), fd = greet(&input), memory = -1;
    struct wire_window *window = (void *)input;
    CHECK_INT(wire_make_memory(curve_own.n, curve_own.bytes, &memory, &e), BURST_OK);
    wire_begin(&load, sizeof load, WIRE_LOAD, 2);
    load.role = WORKER_LIGHT_CURVE;
    load.n_bytes = curve_own.n;
    load.batch = 4;
    load.n_atom = ATOMS;
    load.n_band = BANDS;
    memcpy(load.first, FIRST, BANDS);
    memcpy(load.last, LAST, BANDS);
    say(fd, &load, sizeof load, &memory, 1);
    CHECK_INT(hear(fd, &a), WIRE_LOADED);
    CHECK_INT(ask(fd, WIRE_ECHO, 0, 4097, soon()), BURST_E_SHAPE); /* the output has 4,096 bytes */
    CHECK_INT(ask(fd, WIRE_ECHO, 0, 4096, clock_mono_ns() - 1), BURST_E_LATE);
    CHECK_INT(ask(fd, WIRE_RUN, 1, 1, soon()), BURST_E_STATE);
    CHECK_INT(ask(fd, WIRE_RUN, 0, 5, soon()), BURST_E_SHAPE);
    CHECK_INT(ask(fd, WIRE_READ, 0, 0, soon()), BURST_E_STATE);
    CHECK_INT(ask(fd, WIRE_IMAGE, 0, 1, soon()), BURST_E_STATE);
    CHECK_INT(ask(fd, WIRE_WINDOW, 0, 1, soon()), BURST_E_RANGE); /* the job in memory has none */
    window->job.n_window = 1;
    CHECK_INT(ask(fd, WIRE_WINDOW, 0, 1, soon()), BURST_OK);
    CHECK_INT(ask(fd, WIRE_READ, 0, 0, soon()), BURST_E_STATE); /* a window is no run */
    window->job.window[0].ring = WORKER_RINGS;
    CHECK_INT(ask(fd, WIRE_WINDOW, 0, 1, soon()), BURST_E_RANGE);
    window->job.window[0].ring = 0;
    window->job.n_update = 1;
    window->job.update[0] = (struct ring_update){.ring = -1, .n_new = 1};
    CHECK_INT(ask(fd, WIRE_WINDOW, 0, 1, soon()), BURST_E_RANGE);
    window->job.update[0] = (struct ring_update){.n_new = 2, .counts_at = WIRE_COUNTS_MOST - 5};
    CHECK_INT(ask(fd, WIRE_CAM, 0, 1, soon()), BURST_E_RANGE);
    window->job.n_window = 5;
    window->job.n_update = 0;
    CHECK_INT(ask(fd, WIRE_WINDOW, 0, 5, soon()), BURST_E_SHAPE); /* batch 4 */
    window->job.n_window = 1;
    CHECK_INT(ask(fd, WIRE_CAM, 0, 1, soon()), BURST_OK);
    (void)munmap(input - 4096, WHOLE);
    (void)close(memory);
    (void)close(fd);
    check_nothing_left(before);
}

TEST(the_ninth_lane_is_refused_until_one_ends)
{
    int before = descriptors_of(worker_facts(good)->pid), fd[7], ninth;
    for (int i = 0; i < 7; i++)
        fd[i] = greet(NULL);
    ninth = stranger();
    check_ended(ninth, WIRE_FAILED, BURST_E_FULL);
    for (int i = 0; i < 7; i++)
        (void)close(fd[i]);
    check_nothing_left(before);
    (void)close(greet(NULL));
    check_nothing_left(before);
}

TEST(a_lane_that_spins_takes_no_jobs_from_its_socket)
{
    int before = descriptors_of(worker_facts(good)->pid), fd = stranger(), memory = -1;
    struct wire_hello hello = hello_packet();
    struct wire_answer a;
    struct wire_job job;
    hello.spin = 1;
    CHECK_INT(wire_make_memory(WHOLE, NULL, &memory, &e), BURST_OK);
    say(fd, &hello, sizeof hello, &memory, 1);
    CHECK_INT(hear(fd, &a), WIRE_WELCOME);
    wire_begin(&job, sizeof job, WIRE_JOB, 2);
    say(fd, &job, sizeof job, NULL, 0);
    check_ended(fd, 0, BURST_OK);
    (void)close(memory);
    check_nothing_left(before);
}

TEST(a_bell_without_a_job_ends_the_lane)
{
    for (int i = 0; i < 2; i++) {
        int before = descriptors_of(worker_facts(good)->pid), fd = stranger(), memory = -1;
        struct wire_hello hello = hello_packet();
        struct wire_answer a;
        struct wire_job job;
        hello.spin = 1;
        CHECK_INT(wire_make_memory(WHOLE, NULL, &memory, &e), BURST_OK);
        struct wire_control *c = mmap(NULL, WHOLE, PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);
        CHECK((void *)c != MAP_FAILED);
        say(fd, &hello, sizeof hello, &memory, 1);
        CHECK_INT(hear(fd, &a), WIRE_WELCOME);
        wire_begin(&job, sizeof job, WIRE_JOB, 2);
        if (i) memcpy(c->job, &job, sizeof job); /* a job, but another than the bell says */
        atomic_store(&c->bell, 77);
        check_ended(fd, 0, BURST_OK);
        (void)munmap(c, WHOLE);
        (void)close(memory);
        check_nothing_left(before);
    }
}

int main(void)
{
    if (!find_program()) {
        printf("skip worker_strangers: %s was not built\n", program);
        return 0;
    }
    if (no_card()) {
        printf("skip worker_strangers: no usable device\n");
        return 0;
    }
    scene_open();
    good = lane_new(&SOCKET, NULL);
    if (!lane_up(good)) return 1;
    RUN(a_first_packet_that_is_no_hello_ends_the_lane);
    RUN(memory_that_could_shrink_or_is_too_small_is_refused);
    RUN(a_lane_that_breaks_the_protocol_later_ends_too);
    RUN(a_network_whose_bytes_are_not_there_is_refused_and_the_lane_lives);
    RUN(jobs_outside_their_ranges_are_refused_and_the_lane_lives);
    RUN(the_ninth_lane_is_refused_until_one_ends);
    RUN(a_lane_that_spins_takes_no_jobs_from_its_socket);
    RUN(a_bell_without_a_job_ends_the_lane);
    worker_free(good);
    scene_close();
    return check_report();
}
