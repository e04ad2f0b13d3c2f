/* The packets between burstd and burst-cuda: every field's edges, in both directions, and the memory that travels with them. */
#include "check.h"
#include "net/net.h"
#include "net/worker_wire.h"
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static struct burst_error e;
static struct wire_request request;
static struct wire_answer answer;

static struct wire_hello good_hello(void)
{
    struct wire_hello p;
    wire_begin(&p, sizeof p, WIRE_HELLO, 1);
    p.core = -1;
    p.input_bytes = p.output_bytes = 4096;
    return p;
}

static struct wire_load good_load(void)
{
    struct wire_load p;
    wire_begin(&p, sizeof p, WIRE_LOAD, 2);
    p.role = WORKER_LIGHT_CURVE;
    p.n_bytes = 10;
    p.batch = 25;
    p.n_atom = 5;
    p.n_band = 2;
    p.last[0] = 1;
    p.first[1] = 1;
    p.last[1] = 5;
    return p;
}

static struct wire_job good_job(void)
{
    struct wire_job p;
    wire_begin(&p, sizeof p, WIRE_JOB, 3);
    p.kind = WIRE_RUN;
    p.n = 1;
    return p;
}

static struct wire_welcome good_welcome(void)
{
    struct wire_welcome p;
    wire_begin(&p, sizeof p, WIRE_WELCOME, 1);
    p.pid = 17;
    memcpy(p.device, "card", 4);
    return p;
}

static struct wire_loaded good_loaded(void)
{
    struct wire_loaded p;
    wire_begin(&p, sizeof p, WIRE_LOADED, 2);
    p.batch = 25;
    p.n_input = p.n_output = 1;
    p.input_floats[0] = 9 * 1875;
    p.output_floats[0] = 2;
    memset(p.sha256, 'a', 64);
    return p;
}

static struct wire_failed good_failed(void)
{
    struct wire_failed p;
    wire_begin(&p, sizeof p, WIRE_FAILED, 2);
    p.code = BURST_E_MODEL;
    memcpy(p.text, "why", 3);
    return p;
}

static struct wire_done good_done(void)
{
    struct wire_done p;
    wire_begin(&p, sizeof p, WIRE_DONE, 3);
    p.n_bytes = 8;
    return p;
}

#define REFUSE_REQUEST(type, n_fd, field, value, code, part)                                                           \
    do {                                                                                                               \
        struct wire_##type p_ = good_##type();                                                                         \
        CHECK_INT(wire_read_request(&p_, sizeof p_, n_fd, &request, &e), BURST_OK);                                    \
        p_.field = (value);                                                                                            \
        CHECK_REFUSED(wire_read_request(&p_, sizeof p_, n_fd, &request, &e), code, e, part);                           \
    } while (0)
#define REFUSE_ANSWER(type, field, value, code, part)                                                                  \
    do {                                                                                                               \
        struct wire_##type p_ = good_##type();                                                                         \
        CHECK_INT(wire_read_answer(&p_, sizeof p_, &answer, &e), BURST_OK);                                            \
        p_.field = (value);                                                                                            \
        CHECK_REFUSED(wire_read_answer(&p_, sizeof p_, &answer, &e), code, e, part);                                   \
    } while (0)

/* ---- requests ---- */

TEST(a_request_is_read_as_it_was_written)
{
    struct wire_load p = good_load();
    CHECK_INT(wire_read_request(&p, sizeof p, 1, &request, &e), BURST_OK);
    CHECK_INT(request.kind, WIRE_LOAD);
    CHECK(memcmp(&request.load, &p, sizeof p) == 0);
}

TEST(heads_that_are_none_are_refused)
{
    REFUSE_REQUEST(job, 0, head.magic, 1, BURST_E_FORMAT, "not a packet");
    REFUSE_REQUEST(job, 0, head.version, WIRE_VERSION + 1, BURST_E_UNSUPPORTED, "version 2");
    REFUSE_REQUEST(job, 0, head.kind, WIRE_DONE, BURST_E_UNSUPPORTED, "kind 20 from this end");
    REFUSE_REQUEST(job, 0, head.kind, 0, BURST_E_UNSUPPORTED, "kind 0");
    REFUSE_REQUEST(job, 0, head.kind, 4, BURST_E_UNSUPPORTED, "kind 4");
    REFUSE_REQUEST(job, 0, head.kind, WIRE_HELLO, BURST_E_FORMAT, "bytes that says");
    REFUSE_REQUEST(job, 0, head.bytes, 12, BURST_E_FORMAT, "that says 12");
    REFUSE_REQUEST(job, 0, head.zero, 1, BURST_E_FORMAT, "must be 0");
    REFUSE_REQUEST(job, 0, head.sequence, 0, BURST_E_RANGE, "sequence 0");
}

TEST(every_shorter_and_longer_request_is_refused)
{
    uint8_t bytes[sizeof(struct wire_job) + 8] = {0};
    struct wire_job p = good_job();
    memcpy(bytes, &p, sizeof p);
    for (size_t n = 0; n < sizeof p; n++) {
        enum burst_err want = n < sizeof(struct wire_head) ? BURST_E_TRUNCATED : BURST_E_FORMAT;
        CHECK_INT(wire_read_request(bytes, n, 0, &request, &e), want);
    }
    for (size_t n = sizeof p + 1; n <= sizeof bytes; n++)
        CHECK_INT(wire_read_request(bytes, n, 0, &request, &e), BURST_E_FORMAT);
}

TEST(a_refused_request_leaves_the_result_alone)
{
    struct wire_request before;
    struct wire_hello p = good_hello();
    memset(&request, 0x5a, sizeof request);
    before = request;
    p.spin = 2;
    CHECK_REFUSED(wire_read_request(&p, sizeof p, 1, &request, &e), BURST_E_RANGE, e, "spin 2");
    CHECK(memcmp(&before, &request, sizeof before) == 0);
}

TEST(descriptors_come_where_they_belong)
{
    struct wire_hello hello = good_hello();
    struct wire_load load = good_load();
    struct wire_job job = good_job();
    CHECK_REFUSED(wire_read_request(&hello, sizeof hello, 0, &request, &e), BURST_E_MISSING, e, "0 descriptors");
    CHECK_REFUSED(wire_read_request(&load, sizeof load, 2, &request, &e), BURST_E_LIMIT, e, "2 descriptors");
    CHECK_REFUSED(wire_read_request(&job, sizeof job, 1, &request, &e), BURST_E_LIMIT, e, "1 descriptors");
}

TEST(a_hello_outside_its_ranges_is_refused)
{
    REFUSE_REQUEST(hello, 1, precision, WORKER_PRECISION_N, BURST_E_RANGE, "precision 3");
    REFUSE_REQUEST(hello, 1, background, 2, BURST_E_RANGE, "background 2");
    REFUSE_REQUEST(hello, 1, core, -2, BURST_E_RANGE, "core -2");
    REFUSE_REQUEST(hello, 1, zero[1], 1, BURST_E_FORMAT, "HELLO");
    REFUSE_REQUEST(hello, 1, zero2, 1, BURST_E_FORMAT, "HELLO");
    REFUSE_REQUEST(hello, 1, input_bytes, 0, BURST_E_RANGE, "input_bytes 0");
    REFUSE_REQUEST(hello, 1, input_bytes, 4097, BURST_E_RANGE, "input_bytes 4097");
    REFUSE_REQUEST(hello, 1, output_bytes, WIRE_AREA_MOST + 4096, BURST_E_RANGE, "output_bytes");
}

TEST(a_load_outside_its_ranges_is_refused)
{
    REFUSE_REQUEST(load, 1, slot, WORKER_SLOTS, BURST_E_RANGE, "slot 4");
    REFUSE_REQUEST(load, 1, role, WORKER_ROLE_N, BURST_E_RANGE, "role 3");
    REFUSE_REQUEST(load, 1, n_bytes, 0, BURST_E_RANGE, "n_bytes 0");
    REFUSE_REQUEST(load, 1, n_bytes, (uint64_t)NET_FILE_MOST + 1, BURST_E_RANGE, "n_bytes");
    REFUSE_REQUEST(load, 1, batch, 0, BURST_E_RANGE, "batch 0");
    REFUSE_REQUEST(load, 1, batch, 257, BURST_E_RANGE, "batch 257");
    REFUSE_REQUEST(load, 1, keep_all, 2, BURST_E_RANGE, "keep_all 2");
    REFUSE_REQUEST(load, 1, zero, 1, BURST_E_FORMAT, "LOAD");
    REFUSE_REQUEST(load, 1, cam_index, -1, BURST_E_RANGE, "cam_index -1");
    REFUSE_REQUEST(load, 1, n_atom, 9, BURST_E_RANGE, "n_atom 9");
    REFUSE_REQUEST(load, 1, n_atom, 4, BURST_E_RANGE, "atoms of band 1");
    REFUSE_REQUEST(load, 1, n_band, 0, BURST_E_RANGE, "n_band 0");
    REFUSE_REQUEST(load, 1, n_band, 17, BURST_E_RANGE, "n_band 17");
    REFUSE_REQUEST(load, 1, n_band, 3, BURST_E_RANGE, "atoms of band 2");
}

TEST(a_scaling_that_is_none_is_refused)
{
    struct wire_load p = good_load();
    const float good[4] = {-10, 30, 5, 3}, bad[6] = {0.0F / 0.0F, 1.0F / 0.0F, -1, 0, 30, -10};
    p.role = WORKER_IMAGE;
    memcpy(p.scaling, good, sizeof good);
    CHECK_INT(wire_read_request(&p, sizeof p, 1, &request, &e), BURST_OK);
    for (int i = 0; i < 4; i++)
        for (int j = 0; j < 2; j++) {
            p.scaling[i] = bad[j];
            CHECK_REFUSED(wire_read_request(&p, sizeof p, 1, &request, &e), BURST_E_RANGE, e, "scaling");
            p.scaling[i] = good[i];
        }
    p.scaling[2] = 0;
    CHECK_INT(wire_read_request(&p, sizeof p, 1, &request, &e), BURST_E_RANGE);
    memcpy(p.scaling, good, sizeof good);
    p.scaling[1] = -10;
    CHECK_INT(wire_read_request(&p, sizeof p, 1, &request, &e), BURST_E_RANGE);
}

TEST(a_job_outside_its_ranges_is_refused)
{
    static const struct {
        uint32_t kind;
        uint64_t least, most;
    } RANGE[] = {{WIRE_ECHO, 0, WIRE_AREA_MOST},
                 {WIRE_RUN, 1, 256},
                 {WIRE_WINDOW, 1, 32},
                 {WIRE_CAM, 1, 1},
                 {WIRE_IMAGE, 1, 256}};
    REFUSE_REQUEST(job, 0, kind, WIRE_JOB_KIND_N, BURST_E_RANGE, "kind of job 6");
    REFUSE_REQUEST(job, 0, slot, WORKER_SLOTS, BURST_E_RANGE, "slot 4");
    for (size_t i = 0; i < sizeof RANGE / sizeof *RANGE; i++) {
        struct wire_job p = good_job();
        p.kind = RANGE[i].kind;
        p.n = RANGE[i].least;
        CHECK_INT(wire_read_request(&p, sizeof p, 0, &request, &e), BURST_OK);
        p.n = RANGE[i].least - 1; /* of ECHO: 2^64 - 1 */
        CHECK_INT(wire_read_request(&p, sizeof p, 0, &request, &e), BURST_E_RANGE);
        p.n = RANGE[i].most;
        CHECK_INT(wire_read_request(&p, sizeof p, 0, &request, &e), BURST_OK);
        p.n = RANGE[i].most + 1;
        CHECK_INT(wire_read_request(&p, sizeof p, 0, &request, &e), BURST_E_RANGE);
    }
}

TEST(a_name_belongs_to_read_alone_and_is_closed)
{
    struct wire_job p = good_job();
    p.kind = WIRE_READ;
    p.n = 0;
    CHECK_REFUSED(wire_read_request(&p, sizeof p, 0, &request, &e), BURST_E_FORMAT, e, "without a name");
    memset(p.name, 'x', sizeof p.name - 1);
    CHECK_INT(wire_read_request(&p, sizeof p, 0, &request, &e), BURST_OK);
    p.name[sizeof p.name - 1] = 'x';
    CHECK_REFUSED(wire_read_request(&p, sizeof p, 0, &request, &e), BURST_E_FORMAT, e, "not closed");
    memset(p.name, 0, sizeof p.name);
    p.name[0] = p.name[2] = 'x';
    CHECK_REFUSED(wire_read_request(&p, sizeof p, 0, &request, &e), BURST_E_FORMAT, e, "not closed");
    REFUSE_REQUEST(job, 0, name[0], 'x', BURST_E_FORMAT, "where none belongs");
}

/* ---- answers ---- */

TEST(an_answer_is_read_as_it_was_written)
{
    struct wire_loaded p = good_loaded();
    CHECK_INT(wire_read_answer(&p, sizeof p, &answer, &e), BURST_OK);
    CHECK_INT(answer.kind, WIRE_LOADED);
    CHECK(memcmp(&answer.loaded, &p, sizeof p) == 0);
}

TEST(a_client_is_no_worker)
{
    struct wire_job p = good_job();
    CHECK_REFUSED(wire_read_answer(&p, sizeof p, &answer, &e), BURST_E_UNSUPPORTED, e, "kind 3 from this end");
}

TEST(every_shorter_and_longer_answer_is_refused)
{
    uint8_t bytes[sizeof(struct wire_done) + 8] = {0};
    struct wire_done p = good_done();
    memcpy(bytes, &p, sizeof p);
    for (size_t n = 0; n <= sizeof bytes; n++)
        CHECK((wire_read_answer(bytes, n, &answer, &e) == BURST_OK) == (n == sizeof p));
}

TEST(a_welcome_outside_its_ranges_is_refused)
{
    struct wire_welcome p = good_welcome();
    REFUSE_ANSWER(welcome, pid, 0, BURST_E_RANGE, "pid 0");
    REFUSE_ANSWER(welcome, sm, -1, BURST_E_RANGE, "version");
    REFUSE_ANSWER(welcome, driver, -1, BURST_E_RANGE, "version");
    REFUSE_ANSWER(welcome, cudnn, -1, BURST_E_RANGE, "version");
    memset(p.device, 'x', sizeof p.device);
    CHECK_REFUSED(wire_read_answer(&p, sizeof p, &answer, &e), BURST_E_FORMAT, e, "not closed");
}

TEST(a_loaded_outside_its_ranges_is_refused)
{
    REFUSE_ANSWER(loaded, slot, 4, BURST_E_RANGE, "slot 4");
    REFUSE_ANSWER(loaded, batch, 0, BURST_E_RANGE, "batch 0");
    REFUSE_ANSWER(loaded, batch, 257, BURST_E_RANGE, "batch 257");
    REFUSE_ANSWER(loaded, n_input, 0, BURST_E_RANGE, "0 inputs");
    REFUSE_ANSWER(loaded, n_input, 2, BURST_E_RANGE, "2 inputs"); /* the second has no floats */
    REFUSE_ANSWER(loaded, n_output, WORKER_PORTS_MOST + 1, BURST_E_RANGE, "9 outputs");
    REFUSE_ANSWER(loaded, input_floats[0], -1, BURST_E_RANGE, "sizes");
    REFUSE_ANSWER(loaded, output_floats[0], ((int64_t)1 << 28) + 1, BURST_E_RANGE, "sizes");
    REFUSE_ANSWER(loaded, output_floats[7], 1, BURST_E_RANGE, "sizes");
    REFUSE_ANSWER(loaded, n_cam, -1, BURST_E_RANGE, "n_cam -1");
    REFUSE_ANSWER(loaded, sha256[3], 'g', BURST_E_FORMAT, "SHA-256");
    REFUSE_ANSWER(loaded, sha256[63], 0, BURST_E_FORMAT, "SHA-256");
    REFUSE_ANSWER(loaded, sha256[64], 8, BURST_E_FORMAT,
                  "SHA-256"); /* the fuzzer's: 64 good digits and one byte more */
    REFUSE_ANSWER(loaded, sha256[71], 'a', BURST_E_FORMAT, "SHA-256");
}

TEST(a_failure_names_a_code_and_closes_its_text)
{
    struct wire_failed p = good_failed();
    REFUSE_ANSWER(failed, slot, 4, BURST_E_RANGE, "slot 4");
    REFUSE_ANSWER(failed, code, BURST_OK, BURST_E_RANGE, "code 0");
    REFUSE_ANSWER(failed, code, BURST_E_N, BURST_E_RANGE, "code");
    memset(p.text, 'x', sizeof p.text);
    CHECK_REFUSED(wire_read_answer(&p, sizeof p, &answer, &e), BURST_E_FORMAT, e, "not closed");
}

TEST(a_done_outside_its_ranges_is_refused)
{
    struct wire_done p = good_done();
    REFUSE_ANSWER(done, code, BURST_E_N, BURST_E_RANGE, "code");
    REFUSE_ANSWER(done, code, BURST_E_DEVICE, BURST_E_RANGE, "n_bytes 8"); /* a failure has no answer */
    REFUSE_ANSWER(done, zero, 1, BURST_E_FORMAT, "DONE");
    REFUSE_ANSWER(done, n_bytes, WIRE_AREA_MOST + 1, BURST_E_RANGE, "n_bytes");
    REFUSE_ANSWER(done, device_ns, -1, BURST_E_RANGE, "device_ns -1");
    memset(p.text, 'x', sizeof p.text);
    CHECK_REFUSED(wire_read_answer(&p, sizeof p, &answer, &e), BURST_E_FORMAT, e, "not closed");
}

/* ---- memory ---- */

TEST(memory_is_made_as_it_is_checked)
{
    int shared = -1, content = -1;
    char back[5] = {0};
    CHECK_INT(wire_make_memory(8192, NULL, &shared, &e), BURST_OK);
    CHECK_INT(wire_make_memory(5, "hello", &content, &e), BURST_OK);
    CHECK_INT(wire_check_memory(shared, 8192, false, &e), BURST_OK);
    CHECK_INT(wire_check_memory(content, 5, true, &e), BURST_OK);
    CHECK_INT(pread(content, back, 5, 0), 5);
    CHECK(memcmp(back, "hello", 5) == 0);
    CHECK_INT(fcntl(shared, F_GETFD), FD_CLOEXEC);
    CHECK_INT(ftruncate(shared, 4096), -1); /* the seals hold */
    CHECK_INT(pwrite(content, "x", 1, 0), -1);
    (void)close(shared);
    (void)close(content);
}

TEST(memory_of_another_size_or_seal_is_refused)
{
    int open_fd = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING), file = open("/dev/zero", O_RDWR), shared = -1,
        content = -1;
    CHECK_INT(ftruncate(open_fd, 4096), 0);
    CHECK_REFUSED(wire_check_memory(open_fd, 4096, false, &e), BURST_E_FORMAT, e, "seals");
    CHECK_REFUSED(wire_check_memory(file, 4096, false, &e), BURST_E_FORMAT, e, "no memory");
    CHECK_REFUSED(wire_check_memory(-1, 4096, false, &e), BURST_E_FORMAT, e, "no memory");
    CHECK_INT(wire_make_memory(4096, NULL, &shared, &e), BURST_OK);
    CHECK_INT(wire_make_memory(5, "hello", &content, &e), BURST_OK);
    CHECK_REFUSED(wire_check_memory(shared, 8192, false, &e), BURST_E_SHAPE, e, "4096 bytes, not 8192");
    CHECK_REFUSED(wire_check_memory(shared, 4096, true, &e), BURST_E_FORMAT, e, "seals"); /* could still be written */
    CHECK_REFUSED(wire_check_memory(content, 5, false, &e), BURST_E_FORMAT, e, "cannot be written");
    (void)close(open_fd);
    (void)close(file);
    (void)close(shared);
    (void)close(content);
}

TEST(memory_that_the_system_does_not_give_is_told)
{
    int fd = -7;
    CHECK_REFUSED(wire_make_memory((uint64_t)1 << 63, NULL, &fd, &e), BURST_E_IO, e, "memory of");
    CHECK_INT(fd, -7);
}

int main(void)
{
    RUN(a_request_is_read_as_it_was_written);
    RUN(heads_that_are_none_are_refused);
    RUN(every_shorter_and_longer_request_is_refused);
    RUN(a_refused_request_leaves_the_result_alone);
    RUN(descriptors_come_where_they_belong);
    RUN(a_hello_outside_its_ranges_is_refused);
    RUN(a_load_outside_its_ranges_is_refused);
    RUN(a_scaling_that_is_none_is_refused);
    RUN(a_job_outside_its_ranges_is_refused);
    RUN(a_name_belongs_to_read_alone_and_is_closed);
    RUN(an_answer_is_read_as_it_was_written);
    RUN(a_client_is_no_worker);
    RUN(every_shorter_and_longer_answer_is_refused);
    RUN(a_welcome_outside_its_ranges_is_refused);
    RUN(a_loaded_outside_its_ranges_is_refused);
    RUN(a_failure_names_a_code_and_closes_its_text);
    RUN(a_done_outside_its_ranges_is_refused);
    RUN(memory_is_made_as_it_is_checked);
    RUN(memory_of_another_size_or_seal_is_refused);
    RUN(memory_that_the_system_does_not_give_is_told);
    return check_report();
}
