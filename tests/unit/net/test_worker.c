/* A lane from nothing to ready and back, against a peer that says all kinds of things. */
#include "net/worker.h"
#include "worker_peer.h"
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>

static const struct worker_settings PLAIN = {.input_bytes = 4096, .output_bytes = 4096};
static const struct worker_model MODEL = {.bytes = (const uint8_t *)"onnx", .n = 4};

/* ---- settings ---- */

TEST(settings_outside_their_ranges_are_refused)
{
    struct worker *w = NULL;
    char longer[200];
    memset(longer, 'x', sizeof longer - 1);
    longer[sizeof longer - 1] = 0;
    CHECK_REFUSED(worker_new(&(struct worker_settings){.precision = WORKER_PRECISION_N}, &w, &e), BURST_E_RANGE, e,
                  "precision 3");
    CHECK_REFUSED(worker_new(&(struct worker_settings){.input_bytes = (size_t)1 << 40}, &w, &e), BURST_E_RANGE, e,
                  "room");
    CHECK_REFUSED(worker_new(&(struct worker_settings){.start_limit_ns = -1}, &w, &e), BURST_E_RANGE, e, "limit");
    CHECK_REFUSED(worker_new(&(struct worker_settings){.device = -1}, &w, &e), BURST_E_RANGE, e, "device -1");
    CHECK_REFUSED(worker_new(&(struct worker_settings){.socket = longer}, &w, &e), BURST_E_LIMIT, e, "too long");
    CHECK(w == NULL);
    worker_free(w);
}

TEST(models_outside_their_ranges_are_refused)
{
    struct worker *w = NULL;
    struct worker_model m = MODEL;
    CHECK_INT(worker_new(&PLAIN, &w, &e), BURST_OK);
    CHECK_REFUSED(worker_model(w, WORKER_SLOTS, &m, &e), BURST_E_RANGE, e, "slot 4");
    CHECK_REFUSED(worker_model(w, -1, &m, &e), BURST_E_RANGE, e, "slot -1");
    m.batch = 257;
    CHECK_REFUSED(worker_model(w, 0, &m, &e), BURST_E_RANGE, e, "257");
    m = MODEL;
    m.role = WORKER_ROLE_N;
    CHECK_REFUSED(worker_model(w, 0, &m, &e), BURST_E_RANGE, e, "role 3");
    m.role = WORKER_LIGHT_CURVE;
    CHECK_REFUSED(worker_model(w, 0, &m, &e), BURST_E_RANGE, e, "n_atom 0");
    m.role = WORKER_IMAGE;
    CHECK_REFUSED(worker_model(w, 0, &m, &e), BURST_E_RANGE, e, "scaling");
    m = MODEL;
    m.n = 0;
    CHECK_REFUSED(worker_model(w, 0, &m, &e), BURST_E_RANGE, e, "no bytes");
    CHECK_INT(worker_slot(w, 0)->state, WORKER_SLOT_EMPTY);
    worker_free(w);
}

/* ---- connecting ---- */

TEST(where_nobody_listens_the_lane_is_absent_and_says_so)
{
    struct worker *w = NULL;
    CHECK_INT(worker_new(&(struct worker_settings){.socket = "/tmp/burst-worker-nobody"}, &w, &e), BURST_OK);
    CHECK_STR(worker_why(w), "");
    CHECK_INT(worker_step(w, clock_mono_ns()), WORKER_ABSENT);
    CHECK(strstr(worker_why(w), "no worker at /tmp/burst-worker-nobody: No such file") != NULL);
    CHECK_INT(worker_fd(w), -1);
    CHECK(worker_facts(w) == NULL);
    worker_free(w);
}

TEST(hello_says_what_the_settings_say)
{
    struct peer p;
    peer_open(&p);
    struct worker_settings s = {
        .precision = WORKER_BF16, .background = true, .spin = true, .core = 3, .input_bytes = 5000};
    struct worker *w = peer_client(&p, &s);
    peer_meet(&p, w);
    CHECK_INT(p.hello.precision, 2);
    CHECK_INT(p.hello.background, 1);
    CHECK_INT(p.hello.spin, 1);
    CHECK_INT(p.hello.core, 3);
    CHECK_INT(p.hello.input_bytes, 8192);
    CHECK_INT(p.hello.output_bytes, 1 << 20);
    worker_free(w);
    peer_close(&p);
}

TEST(a_welcome_makes_a_lane_without_networks_ready)
{
    struct peer p;
    peer_open(&p);
    struct worker *w = peer_client(&p, &PLAIN);
    peer_meet(&p, w);
    CHECK_INT(worker_step(w, clock_mono_ns()), WORKER_CONNECTING);
    CHECK(worker_facts(w) == NULL);
    peer_welcome(&p);
    CHECK_INT(worker_step(w, clock_mono_ns()), WORKER_READY);
    CHECK_STR(worker_facts(w)->device, "A card");
    CHECK_INT(worker_facts(w)->pid, getpid());
    CHECK_INT(worker_facts(w)->cudnn, 91900);
    CHECK(worker_fd(w) >= 0);
    worker_free(w);
    peer_close(&p);
}

TEST(networks_are_sent_with_their_bytes_and_again_after_a_hang_up)
{
    struct peer p;
    struct wire_request r;
    char bytes[4];
    int fd;
    peer_open(&p);
    struct worker *w = peer_client(&p, &PLAIN);
    CHECK_INT(worker_model(w, 2, &MODEL, &e), BURST_OK);
    for (int turn = 0; turn < 2; turn++) {
        peer_meet(&p, w);
        CHECK_INT(worker_slot(w, 2)->state, WORKER_SLOT_WAITS);
        peer_welcome(&p);
        CHECK_INT(worker_step(w, clock_mono_ns()), WORKER_LOADING);
        CHECK_INT(peer_read(&p, &r, &fd), WIRE_LOAD);
        CHECK_INT(r.load.slot, 2);
        CHECK_INT(r.load.batch, 256);
        CHECK_INT(r.head.sequence, 2);
        CHECK_INT(wire_check_memory(fd, 4, true, &e), BURST_OK);
        CHECK_INT(pread(fd, bytes, 4, 0), 4);
        CHECK(memcmp(bytes, "onnx", 4) == 0);
        (void)close(fd);
        struct wire_loaded a = peer_loaded_packet(2, 2, 10, 3, 7);
        peer_send(&p, &a, sizeof a);
        CHECK_INT(worker_step(w, clock_mono_ns()), WORKER_READY);
        CHECK_INT(worker_slot(w, 2)->state, WORKER_SLOT_LOADED);
        CHECK_INT(worker_slot(w, 2)->input_floats[0], 10);
        CHECK_INT(worker_slot(w, 2)->n_cam, 7);
        peer_hang_up(&p);
        CHECK_INT(worker_step(w, clock_mono_ns()), WORKER_ABSENT);
        CHECK(strstr(worker_why(w), "hung up") != NULL);
    }
    worker_free(w);
    peer_close(&p);
}

TEST(a_network_that_the_worker_refuses_leaves_the_lane_ready)
{
    struct peer p;
    struct wire_failed a;
    struct wire_request r;
    float x = 0, *y = &x;
    const float *xs = &x;
    int fd;
    peer_open(&p);
    struct worker *w = peer_ready(&p, &PLAIN);
    CHECK_INT(worker_model(w, 0, &MODEL, &e), BURST_OK);
    CHECK_INT(worker_step(w, clock_mono_ns()), WORKER_LOADING);
    (void)peer_read(&p, &r, &fd);
    (void)close(fd);
    wire_begin(&a, sizeof a, WIRE_FAILED, r.head.sequence);
    a.code = BURST_E_UNSUPPORTED;
    memcpy(a.text, "Einsum", 6);
    peer_send(&p, &a, sizeof a);
    CHECK_INT(worker_step(w, clock_mono_ns()), WORKER_READY);
    CHECK_INT(worker_slot(w, 0)->state, WORKER_SLOT_REFUSED);
    CHECK_INT(worker_slot(w, 0)->code, BURST_E_UNSUPPORTED);
    CHECK_STR(worker_slot(w, 0)->text, "Einsum");
    CHECK_REFUSED(worker_run(w, 0, &xs, 1, &y, clock_mono_ns() + SOON_NS, &e), BURST_E_STATE, e, "Einsum");
    CHECK_INT(worker_state(w), WORKER_READY);
    worker_free(w);
    peer_close(&p);
}

TEST(a_device_that_fails_while_loading_loses_the_lane)
{
    struct peer p;
    struct wire_failed a;
    struct wire_request r;
    int fd;
    peer_open(&p);
    struct worker *w = peer_ready(&p, &PLAIN);
    CHECK_INT(worker_model(w, 0, &MODEL, &e), BURST_OK);
    (void)worker_step(w, clock_mono_ns());
    (void)peer_read(&p, &r, &fd);
    (void)close(fd);
    wire_begin(&a, sizeof a, WIRE_FAILED, r.head.sequence);
    a.code = BURST_E_DEVICE;
    memcpy(a.text, "cudaMalloc", 10);
    peer_send(&p, &a, sizeof a);
    CHECK_INT(worker_step(w, clock_mono_ns()), WORKER_ABSENT);
    CHECK(strstr(worker_why(w), "cudaMalloc") != NULL);
    worker_free(w);
    peer_close(&p);
}

TEST(an_answer_about_a_network_since_replaced_is_passed_over)
{
    struct peer p;
    struct wire_request first, second;
    struct worker_model other = MODEL;
    int fd;
    peer_open(&p);
    struct worker *w = peer_ready(&p, &PLAIN);
    CHECK_INT(worker_model(w, 0, &MODEL, &e), BURST_OK);
    (void)worker_step(w, clock_mono_ns());
    (void)peer_read(&p, &first, &fd);
    (void)close(fd);
    other.batch = 9;
    CHECK_INT(worker_model(w, 0, &other, &e), BURST_OK);
    CHECK_INT(worker_step(w, clock_mono_ns()), WORKER_LOADING); /* one at a time for each slot */
    struct wire_loaded a = peer_loaded_packet(first.head.sequence, 0, 10, 3, 0);
    peer_send(&p, &a, sizeof a);
    CHECK_INT(worker_step(w, clock_mono_ns()), WORKER_LOADING);
    CHECK_INT(worker_slot(w, 0)->state, WORKER_SLOT_WAITS);
    CHECK_INT(peer_read(&p, &second, &fd), WIRE_LOAD);
    (void)close(fd);
    CHECK_INT(second.load.batch, 9);
    a = peer_loaded_packet(second.head.sequence, 0, 20, 3, 0);
    peer_send(&p, &a, sizeof a);
    CHECK_INT(worker_step(w, clock_mono_ns()), WORKER_READY);
    CHECK_INT(worker_slot(w, 0)->input_floats[0], 20);
    worker_free(w);
    peer_close(&p);
}

/* ---- what nobody should say ---- */

/* Say one packet to a client in that state; the lane must be lost, for a reason with `part`. */
static void lose_by(bool welcomed, const void *packet, size_t n, const char *part)
{
    struct peer p;
    peer_open(&p);
    struct worker *w = peer_client(&p, &PLAIN);
    peer_meet(&p, w);
    if (welcomed) {
        peer_welcome(&p);
        CHECK_INT(worker_step(w, clock_mono_ns()), WORKER_READY);
    }
    peer_send(&p, packet, n);
    CHECK_INT(worker_step(w, clock_mono_ns()), WORKER_ABSENT);
    CHECK_SAY(strstr(worker_why(w), part) != NULL, "why is \"%s\", without \"%s\"", worker_why(w), part);
    CHECK_INT(worker_fd(w), -1);
    worker_free(w);
    peer_close(&p);
}

TEST(answers_to_nothing_lose_the_lane)
{
    struct wire_done done;
    struct wire_welcome welcome;
    struct wire_failed failed;
    struct wire_loaded loaded = peer_loaded_packet(2, 0, 1, 1, 0);
    uint8_t longer[WIRE_PACKET_MOST + 1] = {0};
    wire_begin(&done, sizeof done, WIRE_DONE, 1);
    wire_begin(&welcome, sizeof welcome, WIRE_WELCOME, 7);
    welcome.pid = 1;
    lose_by(false, &done, sizeof done, "not asked: kind 20");
    lose_by(false, &welcome, sizeof welcome, "sequence 7");
    welcome.head.sequence = 1;
    lose_by(true, &welcome, sizeof welcome, "not asked: kind 17");
    lose_by(false, &loaded, sizeof loaded, "not asked: kind 18");
    lose_by(true, &loaded, sizeof loaded, "not asked: kind 18");
    lose_by(true, &done, sizeof done, "not asked: kind 20");
    lose_by(true, "junk", 4, "is no answer: a packet of 4 bytes");
    lose_by(true, longer, sizeof longer, "too long a packet");
    wire_begin(&failed, sizeof failed, WIRE_FAILED, 1);
    failed.code = BURST_E_FULL;
    memcpy(failed.text, "all lanes are taken", 19);
    lose_by(false, &failed, sizeof failed, "refuses the lane: all lanes are taken");
}

TEST(a_descriptor_from_the_worker_loses_the_lane_and_leaves_nothing_open)
{
    struct peer p;
    struct wire_done done;
    union {
        char room[CMSG_SPACE(sizeof(int))];
        struct cmsghdr align;
    } control = {{0}};
    struct iovec piece = {&done, sizeof done};
    struct msghdr m = {
        .msg_iov = &piece, .msg_iovlen = 1, .msg_control = control.room, .msg_controllen = sizeof control};
    struct cmsghdr *c = CMSG_FIRSTHDR(&m);
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(sizeof(int));
    wire_begin(&done, sizeof done, WIRE_DONE, 1);
    peer_open(&p);
    int before = count_descriptors();
    struct worker *w = peer_ready(&p, &PLAIN);
    memcpy(CMSG_DATA(c), &p.listener, sizeof(int));
    CHECK_INT(sendmsg(p.fd, &m, MSG_NOSIGNAL), sizeof done);
    CHECK_INT(worker_step(w, clock_mono_ns()), WORKER_ABSENT);
    CHECK(strstr(worker_why(w), "a descriptor") != NULL);
    worker_free(w);
    peer_hang_up(&p);
    CHECK_INT(count_descriptors(), before);
    peer_close(&p);
}

/* ---- limits ---- */

TEST(a_worker_that_says_nothing_is_given_up_after_its_limit)
{
    struct peer p;
    struct worker_settings s = PLAIN;
    s.start_limit_ns = 5 * CLOCK_NS_PER_S;
    peer_open(&p);
    struct worker *w = peer_client(&p, &s);
    peer_meet(&p, w);
    CHECK_INT(worker_step(w, clock_mono_ns() + 4 * CLOCK_NS_PER_S), WORKER_CONNECTING);
    CHECK_INT(worker_step(w, clock_mono_ns() + 6 * CLOCK_NS_PER_S), WORKER_ABSENT);
    CHECK(strstr(worker_why(w), "said nothing") != NULL);
    worker_free(w);
    peer_close(&p);
}

TEST(a_worker_that_loads_for_ever_is_given_up_after_its_limit)
{
    struct peer p;
    struct worker_settings s = PLAIN;
    s.load_limit_ns = 5 * CLOCK_NS_PER_S;
    peer_open(&p);
    struct worker *w = peer_ready(&p, &s);
    CHECK_INT(worker_model(w, 0, &MODEL, &e), BURST_OK);
    CHECK_INT(worker_step(w, clock_mono_ns()), WORKER_LOADING);
    CHECK_INT(worker_step(w, clock_mono_ns() + 4 * CLOCK_NS_PER_S), WORKER_LOADING);
    CHECK_INT(worker_step(w, clock_mono_ns() + 6 * CLOCK_NS_PER_S), WORKER_ABSENT);
    CHECK(strstr(worker_why(w), "not loaded within") != NULL);
    worker_free(w);
    peer_close(&p);
}

TEST(a_first_load_times_every_engine_and_is_given_as_long_as_the_worker_gives_itself)
{
    struct peer p;
    peer_open(&p);
    struct worker *w = peer_ready(&p, &PLAIN);
    CHECK_INT(worker_model(w, 0, &MODEL, &e), BURST_OK);
    CHECK_INT(worker_step(w, clock_mono_ns()), WORKER_LOADING);
    CHECK_INT(worker_step(w, clock_mono_ns() + 590 * CLOCK_NS_PER_S), WORKER_LOADING);
    CHECK_INT(worker_step(w, clock_mono_ns() + 601 * CLOCK_NS_PER_S), WORKER_ABSENT);
    worker_free(w);
    peer_close(&p);
}

TEST(a_lane_given_up_by_its_caller_begins_anew_with_other_memory)
{
    struct peer p;
    peer_open(&p);
    struct worker *w = peer_ready(&p, &PLAIN);
    p.input[0] = 7;
    worker_give_up(w, "a wrong golden answer");
    CHECK_INT(worker_state(w), WORKER_ABSENT);
    CHECK_STR(worker_why(w), "a wrong golden answer");
    peer_hang_up(&p);
    peer_meet(&p, w);
    CHECK_INT(p.input[0], 0);
    worker_free(w);
    peer_close(&p);
}

/* ---- a program of one's own ---- */

/* A program that does this in sh; the private folder is the test's. */
static struct worker *with_program(struct peer *p, const char *body, int64_t start_limit_ns)
{
    static char program[96];
    struct worker *w = NULL;
    (void)snprintf(program, sizeof program, "%s/program", p->folder);
    FILE *f = fopen(program, "w");
    CHECK(f && fprintf(f, "#!/bin/sh\n%s\n", body) > 0 && fclose(f) == 0);
    CHECK_INT(chmod(program, 0700), 0);
    CHECK_INT(setenv("XDG_RUNTIME_DIR", p->folder, 1), 0);
    CHECK_INT(unsetenv("RUNTIME_DIRECTORY"), 0);
    CHECK_INT(worker_new(&(struct worker_settings){.program = program, .start_limit_ns = start_limit_ns}, &w, &e),
              BURST_OK);
    return w;
}

static void without_program(struct peer *p)
{
    char program[96];
    (void)snprintf(program, sizeof program, "%s/program", p->folder);
    CHECK_INT(unlink(program), 0);
    CHECK_INT(unsetenv("XDG_RUNTIME_DIR"), 0);
    peer_close(p);
    CHECK(access(p->folder, F_OK) != 0); /* nothing was left in it */
}

static enum worker_state step_until(struct worker *w, enum worker_state not_this)
{
    int64_t until = clock_mono_ns() + SOON_NS;
    enum worker_state state;
    while ((state = worker_step(w, clock_mono_ns())) == not_this && clock_mono_ns() < until)
        (void)usleep(1000);
    return state;
}

TEST(a_program_that_ends_is_told_with_its_status)
{
    struct peer p;
    peer_open(&p);
    struct worker *w = with_program(&p, "exit 69", 0);
    CHECK_INT(worker_step(w, clock_mono_ns()), WORKER_CONNECTING);
    CHECK_INT(step_until(w, WORKER_CONNECTING), WORKER_ABSENT);
    CHECK_STR(worker_why(w), "the worker ended with status 69 (no usable device)");
    worker_free(w);
    without_program(&p);
}

TEST(a_program_is_told_where_to_listen_and_not_what_the_service_manager_says)
{
    struct peer p;
    char text[400] = {0};
    peer_open(&p);
    CHECK_INT(setenv("NOTIFY_SOCKET", "/nowhere", 1), 0);
    struct worker *w = with_program(&p, "echo \"$* notify=$NOTIFY_SOCKET\" > \"${0%program}said\"", 0);
    (void)worker_step(w, clock_mono_ns());
    CHECK_INT(step_until(w, WORKER_CONNECTING), WORKER_ABSENT);
    (void)snprintf(text, sizeof text, "%s/said", p.folder);
    int fd = open(text, O_RDONLY | O_CLOEXEC);
    (void)unlink(text);
    memset(text, 0, sizeof text);
    CHECK(read(fd, text, sizeof text - 1) > 0);
    (void)close(fd);
    CHECK_SAY(strstr(text, "--once --socket ") && strstr(text, worker_socket(w)) &&
                  strstr(text, "--device 0 notify=\n"),
              "%s", text);
    worker_free(w);
    CHECK_INT(unsetenv("NOTIFY_SOCKET"), 0);
    without_program(&p);
}

TEST(the_folder_of_a_programs_choices_is_made_before_it)
{
    struct peer p;
    char cache[96], parent[96], path[96];
    peer_open(&p);
    (void)snprintf(parent, sizeof parent, "%s/.cache", p.folder);
    (void)snprintf(cache, sizeof cache, "%s/.cache/burst-cuda", p.folder);
    worker_free(with_program(&p, "test -d \"$7\" && exit 69; exit 3", 0));
    (void)snprintf(path, sizeof path, "%s/program", p.folder);
    struct worker *w = NULL;
    CHECK_INT(worker_new(&(struct worker_settings){.program = path, .cache = cache}, &w, &e), BURST_OK);
    (void)worker_step(w, clock_mono_ns());
    CHECK_INT(step_until(w, WORKER_CONNECTING), WORKER_ABSENT);
    CHECK_STR(worker_why(w), "the worker ended with status 69 (no usable device)");
    worker_free(w);
    CHECK_INT(rmdir(cache), 0);
    CHECK_INT(rmdir(parent), 0);
    without_program(&p);
}

TEST(a_program_that_is_not_there_is_told)
{
    struct worker *w = NULL;
    CHECK_INT(worker_new(&(struct worker_settings){.program = "/nowhere/burst-cuda"}, &w, &e), BURST_OK);
    CHECK_INT(worker_step(w, clock_mono_ns()), WORKER_ABSENT);
    CHECK(strstr(worker_why(w), "/nowhere/burst-cuda: No such file") != NULL);
    worker_free(w);
}

TEST(a_program_that_never_listens_is_killed_and_buried)
{
    struct peer p;
    peer_open(&p);
    struct worker *w = with_program(&p, "trap '' TERM; while :; do sleep 1; done", CLOCK_NS_PER_S);
    CHECK_INT(worker_step(w, clock_mono_ns()), WORKER_CONNECTING);
    CHECK_INT(worker_step(w, clock_mono_ns() + 2 * CLOCK_NS_PER_S), WORKER_ABSENT);
    CHECK(strstr(worker_why(w), "said nothing") != NULL);
    CHECK_INT(worker_step(w, clock_mono_ns()), WORKER_CONNECTING); /* another one */
    worker_give_up(w, "enough");
    worker_free(w);
    without_program(&p);
}

int main(void)
{
    RUN(settings_outside_their_ranges_are_refused);
    RUN(models_outside_their_ranges_are_refused);
    RUN(where_nobody_listens_the_lane_is_absent_and_says_so);
    RUN(hello_says_what_the_settings_say);
    RUN(a_welcome_makes_a_lane_without_networks_ready);
    RUN(networks_are_sent_with_their_bytes_and_again_after_a_hang_up);
    RUN(a_network_that_the_worker_refuses_leaves_the_lane_ready);
    RUN(a_device_that_fails_while_loading_loses_the_lane);
    RUN(an_answer_about_a_network_since_replaced_is_passed_over);
    RUN(answers_to_nothing_lose_the_lane);
    RUN(a_descriptor_from_the_worker_loses_the_lane_and_leaves_nothing_open);
    RUN(a_worker_that_says_nothing_is_given_up_after_its_limit);
    RUN(a_worker_that_loads_for_ever_is_given_up_after_its_limit);
    RUN(a_first_load_times_every_engine_and_is_given_as_long_as_the_worker_gives_itself);
    RUN(a_lane_given_up_by_its_caller_begins_anew_with_other_memory);
    RUN(a_program_that_ends_is_told_with_its_status);
    RUN(a_program_is_told_where_to_listen_and_not_what_the_service_manager_says);
    RUN(the_folder_of_a_programs_choices_is_made_before_it);
    RUN(a_program_that_is_not_there_is_told);
    RUN(a_program_that_never_listens_is_killed_and_buried);
    return check_report();
}
