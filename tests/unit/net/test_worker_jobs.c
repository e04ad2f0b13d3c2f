/* Jobs of a lane, through the socket and through memory alone, against a peer that answers them well, badly, late or not at all. */
#include "net/worker.h"
#include "worker_peer.h"
#include <string.h>

static const struct worker_settings SOCKET = {.input_bytes = 4096, .output_bytes = 4096};
static const struct worker_settings SPIN = {.input_bytes = 4096, .output_bytes = 4096, .spin = true, .core = -1};
static const struct worker_settings *const WAYS[2] = {&SOCKET, &SPIN};

static int64_t soon(void)
{
    return clock_mono_ns() + SOON_NS;
}

/* ---- scripts ---- */

static void say_wrong_sequence(struct peer *p, const struct wire_job *job)
{
    struct wire_done a = peer_done_packet(p, job);
    a.head.sequence++;
    peer_say(p, &a, sizeof a, job->head.sequence);
}

static void say_wrong_kind(struct peer *p, const struct wire_job *job)
{
    struct wire_loaded a = peer_loaded_packet(job->head.sequence, 0, 1, 1, 0);
    peer_say(p, &a, sizeof a, job->head.sequence); /* a LOADED where DONE belongs */
}

static void say_junk(struct peer *p, const struct wire_job *job)
{
    uint8_t junk[64] = {1, 2, 3};
    peer_say(p, junk, sizeof junk, job->head.sequence);
}

static void say_nothing(struct peer *p, const struct wire_job *job)
{
    (void)p;
    (void)job;
}

static void hang_up(struct peer *p, const struct wire_job *job)
{
    (void)job;
    (void)shutdown(p->fd, SHUT_RDWR);
}

/* ---- echo, and everything that can go wrong with any job ---- */

TEST(an_echo_comes_back_of_every_size)
{
    uint8_t out[4096], back[4096];
    for (size_t i = 0; i < sizeof out; i++)
        out[i] = (uint8_t)(i * 31);
    for (int way = 0; way < 2; way++) {
        struct peer p;
        peer_open(&p);
        struct worker *w = peer_ready(&p, WAYS[way]);
        for (size_t n = 0; n <= sizeof out; n = n ? n * 4 : 1) {
            memset(back, 0, sizeof back);
            peer_expect(&p, say_echo);
            CHECK_INT(worker_echo(w, out, n, back, soon(), &e), BURST_OK);
            peer_done(&p);
            CHECK(memcmp(out, back, n) == 0);
            CHECK_INT(worker_device_ns(w), 1234);
        }
        CHECK_INT(worker_state(w), WORKER_READY);
        worker_free(w);
        peer_close(&p);
    }
}

/* One echo against that script: the lane is lost with that code and words, and the result is left alone. */
static void lose_by(void (*script)(struct peer *p, const struct wire_job *job), uint64_t n_bytes, int64_t patience_ns,
                    enum burst_err code, const char *part)
{
    for (int way = 0; way < 2; way++) {
        struct peer p;
        char back[2] = "x";
        peer_open(&p);
        struct worker *w = peer_ready(&p, WAYS[way]);
        p.n_bytes = n_bytes;
        peer_expect(&p, script);
        CHECK_REFUSED(worker_echo(w, "a", 1, back, clock_mono_ns() + patience_ns, &e), code, e, part);
        peer_done(&p);
        CHECK_STR(back, "x");
        CHECK_INT(worker_state(w), WORKER_ABSENT);
        CHECK(strstr(worker_why(w), part) != NULL);
        CHECK_REFUSED(worker_echo(w, "a", 1, back, soon(), &e), BURST_E_STATE, e, "not ready");
        worker_free(w);
        peer_close(&p);
    }
}

TEST(bad_answers_lose_the_lane)
{
    lose_by(say_wrong_sequence, 1, SOON_NS, BURST_E_DEVICE, "not asked: kind 20");
    lose_by(say_wrong_kind, 1, SOON_NS, BURST_E_DEVICE,
            "the worker"); /* in memory it has another packet's length, too */
}

TEST(junk_loses_the_lane)
{
    lose_by(say_junk, 1, SOON_NS, BURST_E_DEVICE, "is no answer: not a packet of burst-cuda");
}

TEST(an_answer_of_another_size_loses_the_lane)
{
    lose_by(say_done, 2, SOON_NS, BURST_E_DEVICE, "answered 2 bytes, not 1");
    lose_by(say_done, 0, SOON_NS, BURST_E_DEVICE, "answered 0 bytes, not 1");
}

TEST(no_answer_in_time_loses_the_lane)
{
    lose_by(say_nothing, 1, 30000000, BURST_E_TIMEOUT, "in time");
}

TEST(a_worker_that_dies_in_mid_job_is_noticed_at_once)
{
    lose_by(hang_up, 1, SOON_NS, BURST_E_DEVICE, "hung up");
}

TEST(errors_of_the_device_lose_the_lane_and_refusals_do_not)
{
    static const enum burst_err CODE[3] = {BURST_E_DEVICE, BURST_E_TIMEOUT, BURST_E_SHAPE};
    for (int way = 0; way < 2; way++)
        for (int i = 0; i < 3; i++) {
            struct peer p;
            char back[2] = "x";
            peer_open(&p);
            struct worker *w = peer_ready(&p, WAYS[way]);
            p.code = CODE[i];
            peer_expect(&p, say_done);
            CHECK_REFUSED(worker_echo(w, "a", 1, back, soon(), &e), CODE[i], e, "because");
            peer_done(&p);
            CHECK_STR(back, "x");
            CHECK_INT(worker_state(w), i < 2 ? WORKER_ABSENT : WORKER_READY);
            worker_free(w);
            peer_close(&p);
        }
}

TEST(what_cannot_be_asked_is_not_sent)
{
    struct peer p;
    static char big[4097];
    peer_open(&p);
    struct worker *w = peer_ready(&p, &SOCKET);
    CHECK_REFUSED(worker_echo(w, big, sizeof big, big, soon(), &e), BURST_E_SHAPE, e,
                  "4097 bytes on a lane with room for 4096");
    CHECK_REFUSED(worker_echo(w, big, 1, big, clock_mono_ns() - 1, &e), BURST_E_LATE, e, "past already");
    CHECK_INT(worker_state(w), WORKER_READY);
    CHECK_INT(recv(p.fd, big, sizeof big, MSG_DONTWAIT), -1);
    worker_free(w);
    peer_close(&p);
}

TEST(a_lost_lane_comes_back_and_leaves_no_descriptor)
{
    struct peer p;
    char back = 0;
    peer_open(&p);
    int before = count_descriptors();
    struct worker *w = peer_ready(&p, &SOCKET);
    for (int i = 0; i < 50; i++) {
        peer_expect(&p, hang_up);
        CHECK_INT(worker_echo(w, "a", 1, &back, soon(), &e), BURST_E_DEVICE);
        peer_done(&p);
        peer_hang_up(&p);
        peer_meet(&p, w);
        peer_welcome(&p);
        CHECK_INT(worker_step(w, clock_mono_ns()), WORKER_READY);
    }
    peer_expect(&p, say_echo);
    CHECK_INT(worker_echo(w, "a", 1, &back, soon(), &e), BURST_OK);
    peer_done(&p);
    CHECK_INT(back, 'a');
    worker_free(w);
    peer_hang_up(&p);
    CHECK_INT(count_descriptors(), before);
    peer_close(&p);
}

/* ---- floats ---- */

/* Twice each number. */
static void say_twice(struct peer *p, const struct wire_job *job)
{
    const float *x = (const void *)p->input;
    float *y = (void *)p->output;
    for (uint64_t i = 0; i < job->n * 3; i++)
        y[i] = 2 * x[i];
    p->n_bytes = job->n * 3 * sizeof(float);
    say_done(p, job);
}

TEST(a_run_brings_floats_there_and_back)
{
    struct peer p;
    float in[6] = {1, 2, 3, 4, 5, 6}, out[6] = {0}, *to = out;
    const float *from = in;
    peer_open(&p);
    struct worker *w = peer_ready(&p, &SOCKET);
    peer_give_model(&p, w, WORKER_PLAIN, 3, 3, 0);
    peer_expect(&p, say_twice);
    CHECK_INT(worker_run(w, 0, &from, 2, &to, soon(), &e), BURST_OK);
    peer_done(&p);
    for (int i = 0; i < 6; i++)
        CHECK_NEAR(out[i], 2 * in[i], 0);
    CHECK_REFUSED(worker_run(w, 0, &from, 0, &to, soon(), &e), BURST_E_SHAPE, e, "0 samples");
    CHECK_REFUSED(worker_run(w, 0, &from, 26, &to, soon(), &e), BURST_E_SHAPE, e, "takes 1 to 25");
    CHECK_REFUSED(worker_run(w, 1, &from, 1, &to, soon(), &e), BURST_E_STATE, e, "no network is in slot 1");
    CHECK_REFUSED(worker_run(w, 4, &from, 1, &to, soon(), &e), BURST_E_RANGE, e, "slot 4");
    worker_free(w);
    peer_close(&p);
}

TEST(a_network_too_large_for_the_lane_is_told)
{
    struct peer p;
    float x = 0, *to = &x;
    const float *from = &x;
    peer_open(&p);
    struct worker *w = peer_ready(&p, &SOCKET);
    peer_give_model(&p, w, WORKER_PLAIN, 1025, 1, 0);
    CHECK_REFUSED(worker_run(w, 0, &from, 1, &to, soon(), &e), BURST_E_SHAPE, e, "a job of 4100 bytes");
    peer_give_model(&p, w, WORKER_PLAIN, 1, 1025, 0);
    CHECK_REFUSED(worker_run(w, 0, &from, 1, &to, soon(), &e), BURST_E_SHAPE, e, "an answer of 4100 bytes");
    worker_free(w);
    peer_close(&p);
}

TEST(a_tensor_is_read_by_its_name)
{
    struct peer p;
    char name[200];
    float ret[4] = {-1, -1, -1, -1};
    size_t n = 0;
    memset(name, 'n', sizeof name - 1);
    name[sizeof name - 1] = 0;
    peer_open(&p);
    struct worker *w = peer_ready(&p, &SOCKET);
    peer_give_model(&p, w, WORKER_PLAIN, 1, 1, 0);
    p.n_bytes = 12;
    peer_expect(&p, say_done);
    CHECK_INT(worker_read(w, 0, "feature", ret, 4, &n, soon(), &e), BURST_OK);
    peer_done(&p);
    CHECK_INT(n, 3);
    CHECK_NEAR(ret[2], 0, 0);
    CHECK_NEAR(ret[3], -1, 0);
    peer_expect(&p, say_done);
    CHECK_REFUSED(worker_read(w, 0, "feature", ret, 2, &n, soon(), &e), BURST_E_SHAPE, e, "room for 2");
    peer_done(&p);
    CHECK_REFUSED(worker_read(w, 0, "", ret, 4, &n, soon(), &e), BURST_E_RANGE, e, "0 characters");
    CHECK_REFUSED(worker_read(w, 0, name, ret, 4, &n, soon(), &e), BURST_E_RANGE, e, "199 characters");
    p.n_bytes = 7;
    peer_expect(&p, say_done);
    CHECK_REFUSED(worker_read(w, 0, "feature", ret, 4, &n, soon(), &e), BURST_E_DEVICE, e, "no floats");
    peer_done(&p);
    worker_free(w);
    peer_close(&p);
}

/* ---- windows ---- */

enum { ROWS = 3, ATOMS = 2, BINS = WORKER_WINDOW_BINS };
static uint32_t counts[ROWS][ATOMS][BINS];
static uint8_t valid[ROWS][BINS];
static const uint64_t KEY[ROWS] = {70, 71, 72};
static const struct worker_settings WIDE = {.spin = false};
static struct ring_job seen;

static void note_window(struct peer *p, const struct wire_job *job)
{
    memcpy(&seen, p->input, sizeof seen);
    p->n_bytes = job->kind == WIRE_CAM ? 5 * sizeof(float) : job->n * sizeof(float);
    for (uint64_t i = 0; i < 5; i++)
        ((float *)(void *)p->output)[i] = (float)i;
    say_done(p, job);
}

static struct worker_window make_window(int64_t k_first)
{
    for (int r = 0; r < ROWS; r++)
        for (int i = 0; i < BINS; i++) {
            valid[r][i] = 1;
            for (int a = 0; a < ATOMS; a++)
                counts[r][a][i] = (uint32_t)((k_first + i) * 7 + r * 3 + a) % 1000;
        }
    return (struct worker_window){.n_row = ROWS,
                                  .n_atom = ATOMS,
                                  .k_first = k_first,
                                  .key = KEY,
                                  .counts = &counts[0][0][0],
                                  .valid = &valid[0][0]};
}

static struct worker *with_windows(struct peer *p)
{
    peer_open(p);
    struct worker *w = peer_ready(p, &WIDE);
    peer_give_model(p, w, WORKER_LIGHT_CURVE, BINS, 1, 5);
    return w;
}

TEST(only_scored_rows_travel_and_later_only_what_is_new)
{
    struct peer p;
    static const bool scored[ROWS] = {true, false, true};
    float answer[ROWS] = {-1, -1, -1};
    struct worker *w = with_windows(&p);
    struct worker_window window = make_window(800);
    window.scored = scored;
    peer_expect(&p, note_window);
    CHECK_INT(worker_window(w, 0, &window, answer, soon(), &e), BURST_OK);
    peer_done(&p);
    CHECK_NEAR(answer[1], 1, 0);
    CHECK_NEAR(answer[2], -1, 0);
    CHECK_INT(seen.n_update, 2);
    CHECK_INT(seen.n_window, 2);
    CHECK_INT(seen.update[1].n_new, BINS);
    CHECK_INT(seen.update[1].counts_at, ATOMS * BINS);
    CHECK_INT(seen.update[1].valid_at, BINS);
    CHECK_INT(seen.window[1].ring, seen.update[1].ring);
    CHECK_INT(seen.window[1].k_first, 800);
    window = make_window(816);
    peer_expect(&p, note_window);
    CHECK_INT(worker_window(w, 0, &window, answer, soon(), &e), BURST_OK);
    peer_done(&p);
    CHECK_INT(seen.n_window, 3);
    CHECK_INT(seen.update[0].n_new, 16);
    CHECK_INT(seen.update[0].from, 816 + BINS - 16);
    CHECK_INT(seen.update[1].n_new, BINS); /* the row that was not scored before */
    struct wire_window *in = (void *)p.input;
    CHECK_INT(in->counts[16], counts[0][1][BINS - 16]);
    worker_free(w);
    peer_close(&p);
}

TEST(after_a_refused_window_all_travels_again)
{
    struct peer p;
    float answer[ROWS];
    struct worker *w = with_windows(&p);
    struct worker_window window = make_window(800);
    for (int turn = 0; turn < 3; turn++) {
        p.code = turn == 1 ? BURST_E_RANGE : BURST_OK;
        peer_expect(&p, note_window);
        CHECK_INT(worker_window(w, 0, &window, answer, soon(), &e), p.code);
        peer_done(&p);
        CHECK_INT(seen.n_update, turn == 1 ? 0 : ROWS);
    }
    worker_free(w);
    peer_close(&p);
}

TEST(a_map_takes_one_row_along)
{
    struct peer p;
    float cam[6] = {-1, -1, -1, -1, -1, -1};
    struct worker *w = with_windows(&p);
    struct worker_window window = make_window(800);
    peer_expect(&p, note_window);
    CHECK_INT(worker_cam(w, 0, &window, 2, cam, soon(), &e), BURST_OK);
    peer_done(&p);
    CHECK_INT(seen.n_window, 1);
    CHECK_INT(seen.n_update, 1);
    CHECK_NEAR(cam[4], 4, 0);
    CHECK_NEAR(cam[5], -1, 0);
    struct wire_window *in = (void *)p.input;
    CHECK_INT(in->counts[0], counts[2][0][0]);
    CHECK_REFUSED(worker_cam(w, 0, &window, 3, cam, soon(), &e), BURST_E_RANGE, e, "row 3");
    peer_give_model(&p, w, WORKER_LIGHT_CURVE, BINS, 1, 0);
    CHECK_REFUSED(worker_cam(w, 0, &window, 0, cam, soon(), &e), BURST_E_STATE, e, "no map");
    worker_free(w);
    peer_close(&p);
}

TEST(windows_that_do_not_fit_are_refused_here)
{
    struct peer p;
    static const bool none[ROWS] = {false};
    static const uint64_t twice[ROWS] = {70, 71, 70};
    float answer[ROWS];
    struct worker *w = with_windows(&p);
    struct worker_window window = make_window(800);
#define REFUSE(field, value, code, part)                                                                               \
    do {                                                                                                               \
        struct worker_window bad_ = window;                                                                            \
        bad_.field = (value);                                                                                          \
        CHECK_REFUSED(worker_window(w, 0, &bad_, answer, soon(), &e), code, e, part);                                  \
    } while (0)
    REFUSE(n_row, 0, BURST_E_SHAPE, "0 rows");
    REFUSE(n_row, WORKER_ROWS_MOST + 1, BURST_E_SHAPE, "33 rows");
    REFUSE(n_atom, 3, BURST_E_SHAPE, "3 atoms for a network of 2");
    REFUSE(k_first, -1, BURST_E_RANGE, "bin -1");
    REFUSE(key, twice, BURST_E_RANGE, "rows 0 and 2");
    REFUSE(scored, none, BURST_E_SHAPE, "0 samples");
    CHECK_INT(worker_state(w), WORKER_READY);
    peer_give_model(&p, w, WORKER_PLAIN, BINS, 1, 0);
    CHECK_REFUSED(worker_window(w, 0, &window, answer, soon(), &e), BURST_E_STATE, e, "no light-curve network");
    worker_free(w);
    peer_close(&p);
}

TEST(a_lane_too_narrow_for_windows_says_so)
{
    struct peer p;
    float answer[ROWS];
    struct worker_window window = make_window(800);
    peer_open(&p);
    struct worker *w = peer_ready(&p, &SOCKET);
    peer_give_model(&p, w, WORKER_LIGHT_CURVE, BINS, 1, 0);
    CHECK_REFUSED(worker_window(w, 0, &window, answer, soon(), &e), BURST_E_SHAPE, e, "windows need a lane");
    worker_free(w);
    peer_close(&p);
}

/* ---- sub-images ---- */

static void note_image(struct peer *p, const struct wire_job *job)
{
    const struct wire_image *in = (const void *)p->input;
    for (uint64_t i = 0; i < job->n; i++)
        ((float *)(void *)p->output)[i] = (float)in->job.sample[i].without + in->snr[7] + in->mask[9];
    p->n_bytes = job->n * sizeof(float);
    CHECK_INT(in->job.n_sample, job->n);
    say_done(p, job);
}

TEST(sub_images_travel_whole_or_with_something_taken_away)
{
    struct peer p;
    static float snr[WORKER_IMAGE_PIXELS];
    static uint8_t mask[WORKER_IMAGE_PIXELS];
    const int32_t without[3] = {0, 3135, IMAGE_WITHOUT_SOURCES}, bad[2] = {3136, -3};
    float answer[3] = {0};
    snr[7] = 0.5F;
    mask[9] = 3;
    peer_open(&p);
    struct worker *w = peer_ready(&p, &WIDE);
    peer_give_model(&p, w, WORKER_IMAGE, 2 * WORKER_IMAGE_PIXELS, 1, 0);
    peer_expect(&p, note_image);
    CHECK_INT(worker_image(w, 0, snr, mask, answer, soon(), &e), BURST_OK);
    peer_done(&p);
    CHECK_NEAR(answer[0], 2.5, 0); /* IMAGE_WHOLE is -1 */
    peer_expect(&p, note_image);
    CHECK_INT(worker_occlude(w, 0, snr, mask, without, 3, answer, soon(), &e), BURST_OK);
    peer_done(&p);
    CHECK_NEAR(answer[0], 3.5, 0);
    CHECK_NEAR(answer[1], 3138.5, 0);
    CHECK_NEAR(answer[2], 1.5, 0);
    CHECK_REFUSED(worker_occlude(w, 0, snr, mask, &bad[0], 1, answer, soon(), &e), BURST_E_RANGE, e, "without 3136");
    CHECK_REFUSED(worker_occlude(w, 0, snr, mask, &bad[1], 1, answer, soon(), &e), BURST_E_RANGE, e, "without -3");
    CHECK_REFUSED(worker_occlude(w, 0, snr, mask, without, 26, answer, soon(), &e), BURST_E_SHAPE, e, "26 samples");
    snr[3000] = NAN;
    CHECK_REFUSED(worker_image(w, 0, snr, mask, answer, soon(), &e), BURST_E_RANGE, e, "pixel 3000");
    worker_free(w);
    peer_close(&p);
}

int main(void)
{
    RUN(an_echo_comes_back_of_every_size);
    RUN(bad_answers_lose_the_lane);
    RUN(junk_loses_the_lane);
    RUN(an_answer_of_another_size_loses_the_lane);
    RUN(no_answer_in_time_loses_the_lane);
    RUN(a_worker_that_dies_in_mid_job_is_noticed_at_once);
    RUN(errors_of_the_device_lose_the_lane_and_refusals_do_not);
    RUN(what_cannot_be_asked_is_not_sent);
    RUN(a_lost_lane_comes_back_and_leaves_no_descriptor);
    RUN(a_run_brings_floats_there_and_back);
    RUN(a_network_too_large_for_the_lane_is_told);
    RUN(a_tensor_is_read_by_its_name);
    RUN(only_scored_rows_travel_and_later_only_what_is_new);
    RUN(after_a_refused_window_all_travels_again);
    RUN(a_map_takes_one_row_along);
    RUN(windows_that_do_not_fit_are_refused_here);
    RUN(a_lane_too_narrow_for_windows_says_so);
    RUN(sub_images_travel_whole_or_with_something_taken_away);
    return check_report();
}
