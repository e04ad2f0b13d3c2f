/* The GPU's answers are used while they are right and in time, and the cpu's in every other case; on a worker without a
 * GPU (peer.h) that runs in a process of its own and fails on order. */
#include "scene.h"
#include <sys/wait.h>

TEST(then_the_gpu_answers_and_nothing_but_the_backend_differs)
{
    struct device_settings gpu = settings_of();
    char line[320];
    order(PEER_GOOD, 2, 0);
    struct infer *infer = open_with(&gpu, INFER_CROSS_ALL);
    struct infer *own = open_with(NULL, INFER_CROSS_OFF);
    CHECK(!infer_gpu_alerts(infer) && !infer_gpu_explains(infer));
    if (reaches(infer, DEVICE_ALERT, DEVICE_ON) && reaches(infer, DEVICE_BACKGROUND, DEVICE_ON)) {
        CHECK(infer_gpu_alerts(infer) && infer_gpu_explains(infer));
        CHECK(told(infer, "golden answers are right: a peer without a GPU, fp32", false));
        int background = control->n_job[1];
        check_window(infer, "cuda");
        check_image(infer, "cuda");
        CHECK_INT(control->n_job[1], background);
        check_explanations(infer, own);
        CHECK(control->n_job[1] > background);
        window->counts[7]++; /* late data: only what differs travels, and it does */
        CHECK_INT(infer_window(own, window, &own_score, NULL), BURST_OK);
        check_window(infer, "cuda");
        struct window_score s;
        int alert = control->n_job[0];
        CHECK_INT(infer_window_background(infer, window, &s, NULL), BURST_OK);
        CHECK_STR(s.model.backend, "cuda");
        CHECK_INT(control->n_job[0], alert);
    }
    struct device_status s = status_of(infer);
    CHECK_INT(s.lane[DEVICE_ALERT].n_answered, 3);
    CHECK_INT(s.lane[DEVICE_ALERT].n_redone + s.lane[DEVICE_ALERT].n_failed + s.n_alarm, 0);
    CHECK_INT(s.facts.sm, 90);
    CHECK(s.loaded[DEVICE_LIGHT_CURVE] && s.loaded[DEVICE_IMAGE]);
    CHECK(device_status_text(&s, clock_mono_ns(), line, sizeof line) > 0);
    CHECK_STR(line, "cuda: a peer without a GPU, fp32");
    infer_close(infer);
    infer_close(own);
}

/* One fault in service: the unit in hand is redone, the lane left, and used again after its golden answers. */
static void fault_in_service(enum peer_fault fault, const char *why, bool alarm)
{
    struct device_settings gpu = settings_of();
    if (fault == PEER_SILENT || fault == PEER_STOPS) gpu.deadline_ns = CLOCK_NS_PER_S;
    order(PEER_GOOD, 2, 0);
    struct infer *infer = open_with(&gpu, INFER_CROSS_ALL);
    if (infer && reaches(infer, DEVICE_ALERT, DEVICE_ON)) {
        (void)told(infer, "", false);
        order(fault, 0, 0);
        check_window(infer, "cpu");
        CHECK_INT(state_of(infer, DEVICE_ALERT), DEVICE_FAILED);
        CHECK_SAY(told(infer, why, alarm), "%d: %s", (int)fault, status_of(infer).lane[DEVICE_ALERT].why);
        check_window(infer, "cpu");
        check_image(infer, "cpu");
        struct device_status s = status_of(infer);
        CHECK_INT(s.lane[DEVICE_ALERT].n_redone, 1); /* the others were not given to it */
        CHECK_INT(s.lane[DEVICE_ALERT].n_failed, 1);
        CHECK_INT(s.n_alarm, alarm);
        order(PEER_GOOD, 2, 0);
        if (reaches(infer, DEVICE_ALERT, DEVICE_CHECKING)) check_image(infer, "cpu");
        if (reaches(infer, DEVICE_ALERT, DEVICE_ON)) check_window(infer, "cuda");
        CHECK_SAY(told(infer, "golden answers are right", false), "after fault %d", (int)fault);
    }
    infer_close(infer);
}

TEST(a_silent_worker_costs_its_deadline)
{
    fault_in_service(PEER_SILENT, "no answer in 1000 ms", false);
}

TEST(a_stopped_worker_is_replaced)
{
    fault_in_service(PEER_STOPS, "no answer in 1000 ms", false);
}

TEST(a_worker_that_ends_is_replaced)
{
    fault_in_service(PEER_HANGS_UP, "the worker ", false); /* it hung up, or its status was there first */
}

TEST(a_device_that_fails_is_left)
{
    fault_in_service(PEER_DEVICE, "unspecified launch failure (719)", false);
}

TEST(an_answer_of_another_size_is_none)
{
    fault_in_service(PEER_SHORT, "bytes", false);
}

TEST(bytes_that_are_no_answer_are_none)
{
    fault_in_service(PEER_GARBAGE, "not a packet", false);
}

TEST(an_answer_that_is_no_number_is_an_alarm)
{
    fault_in_service(PEER_NAN, "number 0", true);
}

TEST(an_answer_that_differs_from_the_cpus_is_an_alarm_and_the_cpus_is_told)
{
    fault_in_service(PEER_WRONG, "disagree", true);
}

TEST(sub_images_alone_are_checked_where_that_is_asked)
{
    struct device_settings gpu = settings_of();
    order(PEER_GOOD, 2, 0);
    struct infer *infer = open_with(&gpu, INFER_CROSS_TRIGGERS);
    if (infer && reaches(infer, DEVICE_ALERT, DEVICE_ON)) {
        struct window_score s;
        order(PEER_WRONG, 0, 0);
        CHECK_INT(infer_window(infer, window, &s, NULL), BURST_OK);
        CHECK_STR(s.model.backend, "cuda"); /* nobody looked */
        CHECK_INT(status_of(infer).n_alarm, 0);
        check_image(infer, "cpu");
        CHECK_INT(status_of(infer).n_alarm, 1);
        CHECK_INT(status_of(infer).lane[DEVICE_ALERT].n_answered, 1);
    }
    infer_close(infer);
}

TEST(a_job_that_is_refused_is_redone_and_the_lane_stays)
{
    struct device_settings gpu = settings_of();
    order(PEER_GOOD, 2, 0);
    struct infer *infer = open_with(&gpu, INFER_CROSS_OFF);
    if (infer && reaches(infer, DEVICE_ALERT, DEVICE_ON)) {
        (void)told(infer, "", false);
        order(PEER_REFUSES, 0, 0);
        check_window(infer, "cpu");
        check_window(infer, "cpu");
        CHECK_INT(state_of(infer, DEVICE_ALERT), DEVICE_ON);
        CHECK_INT(status_of(infer).lane[DEVICE_ALERT].n_redone, 2);
        struct device_event e;
        CHECK(infer_gpu_event(infer, &e));
        CHECK_STR(e.text, "cudaMalloc: out of memory (2)");
        CHECK(e.refused && e.state == DEVICE_ON); /* no word that the lane came on */
        CHECK(!infer_gpu_event(infer, &e));       /* once a minute */
        order(PEER_GOOD, 2, 0);
        check_window(infer, "cuda");
    }
    infer_close(infer);
}

TEST(the_background_lane_fails_alone)
{
    struct device_settings gpu = settings_of();
    order(PEER_GOOD, 2, 0);
    struct infer *infer = open_with(&gpu, INFER_CROSS_OFF);
    struct infer *own = open_with(NULL, INFER_CROSS_OFF);
    if (reaches(infer, DEVICE_ALERT, DEVICE_ON) && reaches(infer, DEVICE_BACKGROUND, DEVICE_ON)) {
        order(PEER_DEVICE, 1, 0);
        check_explanations(infer, own); /* the cpu's */
        CHECK_INT(state_of(infer, DEVICE_BACKGROUND), DEVICE_FAILED);
        CHECK_INT(state_of(infer, DEVICE_ALERT), DEVICE_ON);
        check_window(infer, "cuda");
        order(PEER_GOOD, 2, 0);
        if (reaches(infer, DEVICE_BACKGROUND, DEVICE_ON)) check_explanations(infer, own);
        CHECK(status_of(infer).lane[DEVICE_BACKGROUND].n_answered > 0);
    }
    infer_close(infer);
    infer_close(own);
}

/* A worker that nobody here may kill, as a service manager's. */
static pid_t peer_of_its_own(char ret_path[64])
{
    (void)snprintf(ret_path, 64, "/tmp/burst-peer-%d.sock", (int)getpid());
    (void)unlink(ret_path);
    pid_t pid = fork();
    if (pid == 0) {
        (void)execl(self_path, self_path, "--once", "--socket", ret_path, (char *)NULL);
        _exit(127);
    }
    return pid;
}

TEST(a_worker_that_hangs_costs_one_deadline_and_not_the_background_lanes_too)
{
    struct device_settings gpu = settings_of();
    struct window_score s;
    char path[64];
    order(PEER_GOOD, 2, 0);
    pid_t pid = peer_of_its_own(path);
    gpu.program = NULL;
    gpu.socket = path;
    gpu.deadline_ns = CLOCK_NS_PER_S;
    struct infer *infer = open_with(&gpu, INFER_CROSS_OFF);
    if (infer && reaches(infer, DEVICE_ALERT, DEVICE_ON) && reaches(infer, DEVICE_BACKGROUND, DEVICE_ON)) {
        order(PEER_SILENT, 2, 0);
        check_window(infer, "cpu");
        int asked = control->n_job[1];
        CHECK_INT(state_of(infer, DEVICE_BACKGROUND), DEVICE_ON);
        CHECK(!infer_gpu_explains(infer));
        CHECK_INT(infer_window_background(infer, window, &s, NULL), BURST_OK);
        CHECK_STR(s.model.backend, "cpu");
        infer->device->lane[DEVICE_BACKGROUND].told.state = DEVICE_CHECKING; /* nor is it checked meanwhile */
        (void)device_step(infer->device, infer->device->lane[DEVICE_ALERT].told.next_try_ns - 1);
        CHECK_INT(control->n_job[1], asked);
        CHECK_INT(status_of(infer).lane[DEVICE_BACKGROUND].n_redone, 0);
        order(PEER_GOOD, 2, 0);
        if (reaches(infer, DEVICE_ALERT, DEVICE_ON) && reaches(infer, DEVICE_BACKGROUND, DEVICE_ON))
            CHECK(infer_gpu_explains(infer));
    }
    infer_close(infer);
    (void)kill(pid, SIGKILL); /* our child, not waited for yet */
    (void)waitpid(pid, NULL, 0);
    (void)unlink(path);
}

static void wrong_in(enum device_lane lane)
{
    struct device_settings gpu = settings_of();
    struct window_score s;
    char path[64];
    order(PEER_GOOD, 2, 0);
    pid_t pid = peer_of_its_own(path);
    gpu.program = NULL;
    gpu.socket = path;
    struct infer *infer = open_with(&gpu, INFER_CROSS_ALL);
    if (infer && reaches(infer, DEVICE_ALERT, DEVICE_ON) && reaches(infer, DEVICE_BACKGROUND, DEVICE_ON)) {
        order(PEER_WRONG, (int)lane, 0);
        if (lane == DEVICE_ALERT) check_window(infer, "cpu");
        CHECK_INT(infer_window_background(infer, window, &s, NULL), BURST_OK);
        CHECK_STR(s.model.backend, "cpu");
        check_window(infer, "cpu");
        CHECK_INT(state_of(infer, DEVICE_ALERT), DEVICE_FAILED);
        CHECK_INT(state_of(infer, DEVICE_BACKGROUND), DEVICE_FAILED);
        CHECK_INT(status_of(infer).n_alarm, 1);
        CHECK(told(infer, "an answer of the ", false));
    }
    infer_close(infer);
    (void)kill(pid, SIGKILL); /* our child, not waited for yet */
    (void)waitpid(pid, NULL, 0);
    (void)unlink(path);
}

TEST(a_worker_that_is_wrong_in_one_lane_is_believed_in_neither)
{
    wrong_in(DEVICE_ALERT);
    wrong_in(DEVICE_BACKGROUND);
}

TEST(a_canary_that_is_another_bird_is_an_alarm)
{
    struct device_settings gpu = settings_of();
    gpu.canary_ns = 1000000;
    order(PEER_GOOD, 2, 0);
    struct infer *infer = open_with(&gpu, INFER_CROSS_OFF);
    if (infer && reaches(infer, DEVICE_ALERT, DEVICE_ON)) {
        int64_t until_ns = clock_mono_ns() + 60 * CLOCK_NS_PER_S;
        while (status_of(infer).n_canary < 5 && clock_mono_ns() < until_ns)
            nap(infer_step(infer, clock_mono_ns()));
        CHECK_INT(state_of(infer, DEVICE_ALERT), DEVICE_ON);
        struct device_status s = status_of(infer);
        CHECK(s.n_canary >= 5);
        CHECK(0 < s.p50_ns && s.p50_ns <= s.p99_ns && s.p99_ns <= s.p999_ns);
        order(PEER_DRIFTS, 0, 0);
        CHECK(reaches(infer, DEVICE_ALERT, DEVICE_FAILED));
        CHECK(told(infer, "canary's answer has changed", true));
        CHECK_INT(status_of(infer).n_alarm, 1);
        order(PEER_GOOD, 2, 0);
        CHECK(reaches(infer, DEVICE_ALERT, DEVICE_ON)); /* the first answer of a new start may be another */
    }
    infer_close(infer);
}

TEST(a_worker_that_ended_is_noticed_before_an_alert_finds_it)
{
    struct device_settings gpu = settings_of();
    order(PEER_GOOD, 2, 0);
    struct infer *infer = open_with(&gpu, INFER_CROSS_OFF);
    if (infer && reaches(infer, DEVICE_ALERT, DEVICE_ON)) {
        CHECK_INT(kill(control->pid, SIGKILL), 0);
        CHECK(reaches(infer, DEVICE_ALERT, DEVICE_FAILED));
        CHECK_INT(status_of(infer).lane[DEVICE_ALERT].n_redone, 0);
    }
    infer_close(infer);
}

TEST(the_third_loss_within_ten_minutes_waits_for_a_minute)
{
    struct device_settings gpu = settings_of();
    struct device_status s;
    char line[320];
    order(PEER_GOOD, 2, 0);
    struct infer *infer = open_with(&gpu, INFER_CROSS_OFF);
    for (int i = 0; infer && i < 3 && !check_case_failed; i++) {
        if (!reaches(infer, DEVICE_ALERT, DEVICE_ON)) break;
        int64_t from_ns = clock_mono_ns();
        order(PEER_DEVICE, 0, 0);
        check_window(infer, "cpu");
        order(PEER_GOOD, 2, 0);
        s = status_of(infer);
        int64_t wait_ns = s.lane[DEVICE_ALERT].next_try_ns - from_ns;
        CHECK_SAY(i < 2 ? wait_ns < 50 * CLOCK_NS_PER_S : wait_ns >= 60 * CLOCK_NS_PER_S, "loss %d: %g s", i,
                  (double)wait_ns * 1e-9);
    }
    int started = control->n_started;
    (void)infer_step(infer, clock_mono_ns());
    CHECK_INT(control->n_started, started);
    (void)device_status_text(&s, s.lane[DEVICE_ALERT].next_try_ns - 9 * CLOCK_NS_PER_S, line, sizeof line);
    CHECK_STR(line, "cpu: cudaGraphLaunch: unspecified launch failure (719), next try in 9 s");
    infer_close(infer);
}

int main(int argc, char **argv)
{
    if (is_peer(argc, argv)) return peer_main(argv[3]);
    if (!scene_open()) return scene_close();
    RUN(then_the_gpu_answers_and_nothing_but_the_backend_differs);
    RUN(a_silent_worker_costs_its_deadline);
    RUN(a_stopped_worker_is_replaced);
    RUN(a_worker_that_ends_is_replaced);
    RUN(a_device_that_fails_is_left);
    RUN(an_answer_of_another_size_is_none);
    RUN(bytes_that_are_no_answer_are_none);
    RUN(an_answer_that_is_no_number_is_an_alarm);
    RUN(an_answer_that_differs_from_the_cpus_is_an_alarm_and_the_cpus_is_told);
    RUN(sub_images_alone_are_checked_where_that_is_asked);
    RUN(a_job_that_is_refused_is_redone_and_the_lane_stays);
    RUN(the_background_lane_fails_alone);
    RUN(a_worker_that_hangs_costs_one_deadline_and_not_the_background_lanes_too);
    RUN(a_worker_that_is_wrong_in_one_lane_is_believed_in_neither);
    RUN(a_canary_that_is_another_bird_is_an_alarm);
    RUN(a_worker_that_ended_is_noticed_before_an_alert_finds_it);
    RUN(the_third_loss_within_ten_minutes_waits_for_a_minute);
    return scene_close();
}
