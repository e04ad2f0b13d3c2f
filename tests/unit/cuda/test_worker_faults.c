/* burst-cuda dies, stops, hangs and fails under its client: every time the client knows in time, and the next worker is well. */
#include "worker_scene.h"
#include <pthread.h>
#include <sys/stat.h>
#include <sys/wait.h>

static const struct worker_settings SOCKET = {0}, SPIN = {.spin = true};
static const struct worker_settings *const WAYS[2] = {&SOCKET, &SPIN};
static struct stretch stretch;

/* The lane comes back and answers right. */
static void check_well(struct worker *w)
{
    float answer[2 * OUT], want[2 * OUT];
    if (!lane_up(w)) return;
    stretch_make(&stretch, 4000, 2, 300);
    CHECK_SAY(worker_window(w, CURVE, &stretch.window, answer, soon(), &e) == BURST_OK, "%s", e.text);
    own_window(&stretch.window, want);
    check_close(answer, want, 2 * OUT, 1e-4, "window");
}

/* Step until the lane is given up: with how its process ended, or, where the system closes its socket before it has an exit
 * status, with the hang-up. */
static void check_ends(struct worker *w, const char *how)
{
    int64_t until = soon();
    while (worker_step(w, clock_mono_ns()) == WORKER_READY && clock_mono_ns() < until)
        (void)usleep(1000);
    CHECK_INT(worker_state(w), WORKER_ABSENT);
    CHECK_SAY(strstr(worker_why(w), how) || strstr(worker_why(w), "hung up"), "why is \"%s\", without \"%s\"",
              worker_why(w), how);
}

static void fail(const char *list)
{
    CHECK_INT(list ? setenv("BURST_STANDIN_FAIL", list, 1) : unsetenv("BURST_STANDIN_FAIL"), 0);
}

/* ---- the process ---- */

static void *kill_soon(void *at)
{
    (void)usleep(20000);
    (void)kill(*(const int *)at, SIGKILL);
    return NULL;
}

TEST(a_worker_killed_in_mid_job_is_noticed_and_replaced)
{
    for (int way = 0; way < 2; way++) {
        char back;
        pthread_t thread;
        struct worker *w = lane_ready(WAYS[way]);
        int pid = worker_facts(w)->pid;
        enum burst_err err = BURST_OK;
        CHECK_INT(pthread_create(&thread, NULL, kill_soon, &pid), 0);
        while (!err)
            err = worker_echo(w, "x", 1, &back, soon(), &e);
        CHECK_INT(err, BURST_E_DEVICE);
        CHECK_INT(worker_state(w), WORKER_ABSENT);
        CHECK_INT(pthread_join(thread, NULL), 0);
        check_well(w);
        CHECK(worker_facts(w)->pid != pid);
        worker_free(w);
    }
}

TEST(a_worker_that_is_stopped_is_killed_after_the_deadline_and_replaced)
{
    for (int way = 0; way < 2; way++) {
        char back = 'y';
        struct worker *w = lane_ready(WAYS[way]);
        int pid = worker_facts(w)->pid;
        CHECK_INT(kill(pid, SIGSTOP), 0);
        CHECK_INT(waitpid(pid, NULL, WUNTRACED), pid); /* it has stopped by now */
        CHECK_INT(worker_echo(w, "x", 1, &back, clock_mono_ns() + 50000000, &e), BURST_E_TIMEOUT);
        CHECK_INT(back, 'y');
        CHECK_INT(worker_state(w), WORKER_ABSENT);
        check_well(w);
        for (int64_t until = soon(); kill(pid, 0) == 0 && clock_mono_ns() < until; (void)usleep(1000))
            (void)worker_step(w, clock_mono_ns()); /* which buries it */
        CHECK_INT(kill(pid, 0), -1);
        worker_free(w);
    }
}

TEST(a_worker_that_dies_between_jobs_is_told_by_the_step)
{
    struct worker *w = lane_ready(&SOCKET);
    CHECK_INT(kill(worker_facts(w)->pid, SIGKILL), 0);
    check_ends(w, "signal 9");
    check_well(w);
    worker_free(w);
}

/* ---- the device ---- */

TEST(no_device_ends_the_worker_with_69)
{
    if (on_a_card()) SKIP("needs the stand-in device");
    CHECK_INT(setenv("BURST_STANDIN_NO_DEVICE", "1", 1), 0);
    struct worker *w = lane_new(&SOCKET, NULL);
    CHECK_INT(worker_step(w, clock_mono_ns()), WORKER_CONNECTING);
    CHECK_INT(step_while(w, WORKER_CONNECTING, WORKER_LOADING), WORKER_ABSENT);
    CHECK_STR(worker_why(w), "the worker ended with status 69 (no usable device)");
    CHECK_INT(unsetenv("BURST_STANDIN_NO_DEVICE"), 0);
    give_models(w, 4, false);
    check_well(w);
    worker_free(w);
}

/* A job on a device that fails so: the client has the code and the words, the worker ends with 70, the next one is well. */
static void fail_a_job(const char *list, enum burst_err code, const char *part, int64_t patience_ns)
{
    float answer[2 * OUT];
    fail(list);
    struct worker *w = lane_ready(&SOCKET);
    int pid = worker_facts(w) ? worker_facts(w)->pid : 0;
    fail(NULL);
    stretch_make(&stretch, 4000, 2, 300);
    enum burst_err err = BURST_OK;
    for (int i = 0; !err && i < 3; i++)
        err = worker_window(w, CURVE, &stretch.window, answer, clock_mono_ns() + patience_ns, &e);
    CHECK_SAY(err == code && strstr(e.text, part), "%s gave %s: %s", list, burst_err_name(err), err ? e.text : "");
    CHECK_INT(worker_state(w), WORKER_ABSENT);
    check_well(w);
    CHECK(worker_facts(w) && worker_facts(w)->pid != pid);
    worker_free(w);
}

TEST(a_launch_that_fails_is_answered_and_the_next_worker_is_well)
{
    if (on_a_card()) SKIP("needs the stand-in device");
    fail_a_job("cudaGraphLaunch:1", BURST_E_DEVICE, "cudaGraphLaunch", SOON_NS);
}

TEST(a_kernel_that_never_ends_costs_one_deadline)
{
    if (on_a_card()) SKIP("needs the stand-in device");
    fail_a_job("hang:cudaGraphLaunch:1", BURST_E_TIMEOUT, "in time", 300000000);
}

TEST(a_device_that_fails_while_loading_is_told_and_replaced)
{
    if (on_a_card()) SKIP("needs the stand-in device");
    fail("cudaStreamEndCapture:1");
    struct worker *w = lane_new(&SOCKET, NULL);
    give_models(w, 4, false);
    (void)worker_step(w, clock_mono_ns());
    CHECK_INT(step_while(w, WORKER_CONNECTING, WORKER_LOADING), WORKER_ABSENT);
    CHECK_SAY(strstr(worker_why(w), "cudaStreamEndCapture") != NULL, "why is \"%s\"", worker_why(w));
    fail(NULL);
    check_well(w);
    worker_free(w);
}

/* Who listens at a path of its own is nobody's child: how it ends is seen from outside. */
TEST(a_worker_whose_device_failed_ends_with_70)
{
    if (on_a_card()) SKIP("needs the stand-in device");
    char folder[] = "/tmp/burst-worker-XXXXXX", path[64];
    int status = 0;
    float answer[2 * OUT];
    CHECK(mkdtemp(folder) != NULL);
    (void)snprintf(path, sizeof path, "%s/s", folder);
    pid_t pid = fork();
    if (pid == 0) {
        (void)setenv("BURST_STANDIN_FAIL", "cudaGraphLaunch:1", 1);
        (void)execl(program, program, "--socket", path, (char *)NULL);
        _exit(127);
    }
    int64_t until = soon();
    while (access(path, F_OK) != 0 && clock_mono_ns() < until)
        (void)usleep(1000);
    struct worker *w = lane_new(&SOCKET, path);
    give_models(w, 4, false);
    CHECK(lane_up(w));
    stretch_make(&stretch, 4000, 2, 300);
    CHECK_INT(worker_window(w, CURVE, &stretch.window, answer, soon(), &e), BURST_E_DEVICE);
    CHECK_INT(waitpid(pid, &status, 0), pid);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 70);
    CHECK_INT(worker_step(w, clock_mono_ns()), WORKER_ABSENT); /* nobody listens, and it starts nobody */
    worker_free(w);
    (void)unlink(path);
    (void)rmdir(folder);
}

/* A call that never returns cannot be given up by the thread that made it. */
TEST(a_worker_stuck_in_the_driver_ends_with_70)
{
    if (on_a_card()) SKIP("needs the stand-in device");
    char folder[] = "/tmp/burst-worker-XXXXXX", path[64];
    int status = 0;
    CHECK(mkdtemp(folder) != NULL);
    (void)snprintf(path, sizeof path, "%s/s", folder);
    pid_t pid = fork();
    if (pid == 0) {
        (void)setenv("BURST_STANDIN_FAIL", "hang:cudaEventCreate:3", 1); /* two are the look at the device's */
        (void)execl(program, program, "--socket", path, "--patience", "1", (char *)NULL);
        _exit(127);
    }
    int64_t until = soon();
    while (access(path, F_OK) != 0 && clock_mono_ns() < until)
        (void)usleep(1000);
    struct worker *w = lane_new(&SOCKET, path);
    (void)worker_step(w, clock_mono_ns());
    CHECK_INT(step_while(w, WORKER_CONNECTING, WORKER_LOADING), WORKER_ABSENT);
    CHECK_INT(waitpid(pid, &status, 0), pid);
    CHECK_SAY(WIFEXITED(status) && WEXITSTATUS(status) == 70, "status %d", status);
    worker_free(w);
    (void)unlink(path);
    (void)rmdir(folder);
}

/* ---- a worker that is let alone ---- */

static pid_t start(const char *path)
{
    pid_t pid = fork();
    if (pid == 0) {
        (void)execl(program, program, "--socket", path, (char *)NULL);
        _exit(127);
    }
    int64_t until = soon();
    while (access(path, F_OK) != 0 && clock_mono_ns() < until)
        (void)usleep(1000);
    return pid;
}

TEST(a_stop_signal_finishes_the_lanes_and_leaves_no_socket)
{
    char folder[] = "/tmp/burst-worker-XXXXXX", path[64], back;
    int status = 0;
    struct stat st;
    CHECK(mkdtemp(folder) != NULL);
    (void)snprintf(path, sizeof path, "%s/s", folder);
    pid_t pid = start(path);
    CHECK_INT(stat(path, &st), 0);
    CHECK_INT(st.st_mode & 0777, 0660);
    struct worker *w[2] = {lane_new(&SOCKET, path), lane_new(&SPIN, path)};
    for (int i = 0; i < 2; i++) {
        CHECK(lane_up(w[i]));
        CHECK_INT(worker_echo(w[i], "x", 1, &back, soon(), &e), BURST_OK);
    }
    CHECK_INT(kill(pid, SIGTERM), 0);
    CHECK_INT(waitpid(pid, &status, 0), pid);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    CHECK_INT(access(path, F_OK), -1);
    for (int i = 0; i < 2; i++) {
        CHECK_INT(worker_step(w[i], clock_mono_ns()), WORKER_ABSENT);
        worker_free(w[i]);
    }
    (void)rmdir(folder);
}

TEST(a_second_worker_at_the_same_socket_is_refused)
{
    char folder[] = "/tmp/burst-worker-XXXXXX", path[64];
    int status = 0;
    CHECK(mkdtemp(folder) != NULL);
    (void)snprintf(path, sizeof path, "%s/s", folder);
    pid_t first = start(path), second = start(path);
    CHECK_INT(waitpid(second, &status, 0), second);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 4);
    CHECK_INT(kill(first, SIGKILL), 0);
    CHECK_INT(waitpid(first, NULL, 0), first);
    CHECK_INT(access(path, F_OK), 0); /* a dead one's socket is in nobody's way */
    first = start(path);
    struct worker *w = lane_new(&SOCKET, path);
    int64_t until = soon();
    while (worker_step(w, clock_mono_ns()) != WORKER_READY && clock_mono_ns() < until)
        (void)usleep(1000);
    CHECK_INT(worker_state(w), WORKER_READY);
    worker_free(w);
    CHECK_INT(kill(first, SIGTERM), 0);
    CHECK_INT(waitpid(first, NULL, 0), first);
    (void)rmdir(folder);
}

int main(void)
{
    if (!find_program()) {
        printf("skip worker_faults: %s was not built\n", program);
        return 0;
    }
    if (no_card()) {
        printf("skip worker_faults: no usable device\n");
        return 0;
    }
    scene_open();
    RUN(a_worker_killed_in_mid_job_is_noticed_and_replaced);
    RUN(a_worker_that_is_stopped_is_killed_after_the_deadline_and_replaced);
    RUN(a_worker_that_dies_between_jobs_is_told_by_the_step);
    RUN(no_device_ends_the_worker_with_69);
    RUN(a_launch_that_fails_is_answered_and_the_next_worker_is_well);
    RUN(a_kernel_that_never_ends_costs_one_deadline);
    RUN(a_device_that_fails_while_loading_is_told_and_replaced);
    RUN(a_worker_whose_device_failed_ends_with_70);
    RUN(a_worker_stuck_in_the_driver_ends_with_70);
    RUN(a_stop_signal_finishes_the_lanes_and_leaves_no_socket);
    RUN(a_second_worker_at_the_same_socket_is_refused);
    scene_close();
    return check_report();
}
