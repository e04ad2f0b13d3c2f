/* No answer of a GPU is used before its golden answers were right; what is asked of a machine without one; and the
 * arithmetic of comparing. */
#include "scene.h"

TEST(until_its_golden_answers_are_right_the_cpu_answers)
{
    struct device_settings gpu = settings_of();
    order(PEER_GOOD, 2, 0);
    int before = control->n_started;
    struct infer *infer = open_with(&gpu, INFER_CROSS_OFF);
    if (!infer) return;
    CHECK_INT(state_of(infer, DEVICE_ALERT), DEVICE_OFF);
    CHECK_INT(control->n_started, before); /* opening starts nothing */
    check_window(infer, "cpu");
    (void)infer_step(infer, clock_mono_ns());
    CHECK_INT(state_of(infer, DEVICE_ALERT), DEVICE_STARTING);
    check_window(infer, "cpu");
    if (reaches(infer, DEVICE_ALERT, DEVICE_CHECKING)) {
        check_window(infer, "cpu");
        check_image(infer, "cpu");
    }
    CHECK_INT(status_of(infer).lane[DEVICE_ALERT].n_redone, 0); /* it was never asked */
    infer_close(infer);
}

/* Wrong at any stage of the checks: 0 echo, 1 and 2 golden answers, 3 window, 4 map, 5 image, 6 its parts, 7 late. */
TEST(a_worker_whose_golden_answers_are_wrong_is_never_used)
{
    struct device_settings gpu = settings_of();
    for (int spared = 1; spared < 8 && !check_case_failed; spared++) {
        order(PEER_WRONG, 2, spared);
        struct infer *infer = open_with(&gpu, INFER_CROSS_OFF);
        if (!reaches(infer, DEVICE_ALERT, DEVICE_FAILED)) break;
        CHECK_SAY(told(infer, "", true), "no alarm after %d good answers", spared);
        CHECK_SAY(strstr(status_of(infer).lane[DEVICE_ALERT].why, " is "), "%s",
                  status_of(infer).lane[DEVICE_ALERT].why);
        check_window(infer, "cpu");
        while (control->spared == 0 && status_of(infer).n_alarm < 2 && spared == 1) { /* the next try, wrong again */
            nap(infer_step(infer, clock_mono_ns()));
            check_image(infer, "cpu");
        }
        CHECK_INT(status_of(infer).lane[DEVICE_ALERT].n_answered, 0);
        infer_close(infer);
    }
}

/* Takes as long as it takes: the worker's time has not begun. */
static enum burst_err own_at_leisure(void *context, const struct lightcurve_window *w, float *ret_logits,
                                     struct burst_error *reterr)
{
    struct infer *infer = context;
    infer->device->background_ns = LONG_NS;
    return own_window(context, w, ret_logits, reterr);
}

TEST(the_time_this_processor_takes_is_not_the_workers)
{
    struct device_settings gpu = settings_of();
    order(PEER_GOOD, 2, 0);
    struct infer *infer = open_with(&gpu, INFER_CROSS_OFF);
    if (infer && reaches(infer, DEVICE_ALERT, DEVICE_CHECKING)) {
        struct device *d = infer->device;
        d->lane[DEVICE_ALERT].check = (struct device_check){.stage = CHECK_WINDOW};
        d->own.window = own_at_leisure;
        d->background_ns = 1; /* until our own answer is there */
        (void)infer_step(infer, clock_mono_ns());
        CHECK_SAY(state_of(infer, DEVICE_ALERT) == DEVICE_CHECKING, "%s", status_of(infer).lane[DEVICE_ALERT].why);
    }
    infer_close(infer);
}

TEST(a_machine_without_a_gpu_is_asked_ever_less_often)
{
    struct device_settings gpu = settings_of();
    struct device_event e;
    order(PEER_NO_DEVICE, 2, 0);
    struct infer *infer = open_with(&gpu, INFER_CROSS_OFF);
    if (infer && reaches(infer, DEVICE_ALERT, DEVICE_FAILED)) {
        CHECK(infer_gpu_event(infer, &e));
        CHECK_SAY(strstr(e.text, "no usable device"), "%s", e.text);
        CHECK(!e.alarm);
        check_window(infer, "cpu");
        int64_t wait_ns = 0, until_ns = clock_mono_ns() + 60 * CLOCK_NS_PER_S;
        while (wait_ns < 5 * CLOCK_NS_PER_S && clock_mono_ns() < until_ns) {
            nap(infer_step(infer, clock_mono_ns()));
            wait_ns = status_of(infer).lane[DEVICE_ALERT].next_try_ns - clock_mono_ns();
        }
        CHECK_SAY(wait_ns >= 5 * CLOCK_NS_PER_S, "the third wait is 10 s, not %g", (double)wait_ns * 1e-9);
        CHECK(!infer_gpu_event(infer, &e)); /* the same again and again is told once */
        CHECK_INT(state_of(infer, DEVICE_BACKGROUND), DEVICE_OFF);
    }
    infer_close(infer);
}

TEST(what_only_one_network_may_do_over_there_the_cpu_does_for_the_other)
{
    struct device_settings gpu = settings_of();
    order(PEER_NO_LIGHT, 2, 0);
    struct infer *infer = open_with(&gpu, INFER_CROSS_OFF);
    if (infer && reaches(infer, DEVICE_ALERT, DEVICE_ON)) {
        CHECK(told(infer, "operator Peer", false));
        CHECK(!status_of(infer).loaded[DEVICE_LIGHT_CURVE] && status_of(infer).loaded[DEVICE_IMAGE]);
        check_window(infer, "cpu");
        check_image(infer, "cuda");
        if (reaches(infer, DEVICE_BACKGROUND, DEVICE_ON)) CHECK(infer_gpu_explains(infer));
        infer->device->lane[DEVICE_BACKGROUND].loaded[DEVICE_IMAGE] = false; /* the cpu explains, in small parts */
        CHECK(!infer_gpu_explains(infer));
    }
    infer_close(infer);
    order(PEER_OTHER_MODEL, 2, 0);
    infer = open_with(&gpu, INFER_CROSS_OFF);
    if (infer && reaches(infer, DEVICE_ALERT, DEVICE_FAILED)) CHECK(told(infer, "another one", false));
    infer_close(infer);
}

TEST(a_network_that_was_refused_is_asked_for_again_after_ten_minutes)
{
    struct device_settings gpu = settings_of();
    struct device_event e;
    order(PEER_NO_LIGHT, 2, 0);
    struct infer *infer = open_with(&gpu, INFER_CROSS_OFF);
    if (infer && reaches(infer, DEVICE_ALERT, DEVICE_ON) && reaches(infer, DEVICE_BACKGROUND, DEVICE_ON)) {
        int started = control->n_started;
        (void)told(infer, "", false);
        (void)infer_step(infer, clock_mono_ns() + 590 * CLOCK_NS_PER_S);
        CHECK_INT(state_of(infer, DEVICE_ALERT), DEVICE_ON);
        (void)infer_step(infer, clock_mono_ns() + 601 * CLOCK_NS_PER_S);
        CHECK_INT(state_of(infer, DEVICE_ALERT), DEVICE_STARTING);
        check_image(infer, "cpu");
        if (reaches(infer, DEVICE_ALERT, DEVICE_ON) && reaches(infer, DEVICE_BACKGROUND, DEVICE_ON))
            check_image(infer, "cuda");
        check_window(infer, "cpu");
        CHECK(!infer_gpu_event(infer, &e)); /* refused again: no news */
        order(PEER_GOOD, 2, 0);
        (void)infer_step(infer, clock_mono_ns() + 601 * CLOCK_NS_PER_S);
        if (reaches(infer, DEVICE_ALERT, DEVICE_ON)) check_window(infer, "cuda");
        CHECK(told(infer, "golden answers are right", false));
        (void)infer_step(infer, clock_mono_ns() + 601 * CLOCK_NS_PER_S);
        CHECK_INT(state_of(infer, DEVICE_ALERT), DEVICE_ON); /* nothing is left to be asked for */
        CHECK_INT(control->n_started, started);
        CHECK_INT(status_of(infer).lane[DEVICE_ALERT].n_failed, 0);
    }
    infer_close(infer);
}

TEST(lanes_that_cannot_be_made_cost_the_gpu_alone)
{
    struct device_settings gpu = settings_of();
    struct device_event e;
    char line[320], path[150];
    memset(path, 'x', sizeof path);
    path[0] = '/';
    path[sizeof path - 1] = 0;
    gpu.socket = path;
    struct infer *infer = open_with(&gpu, INFER_CROSS_OFF);
    if (!infer) return;
    CHECK_INT(infer_step(infer, clock_mono_ns()), 200);
    check_window(infer, "cpu");
    struct device_status s = status_of(infer);
    CHECK_INT(s.lane[DEVICE_ALERT].state, DEVICE_OFF);
    CHECK(infer_gpu_event(infer, &e));
    CHECK_SAY(strstr(e.text, "too long"), "%s", e.text);
    CHECK(!infer_gpu_event(infer, &e));
    (void)device_status_text(&s, 0, line, sizeof line);
    CHECK_SAY(strstr(line, "cpu: ") == line && strstr(line, "too long"), "%s", line);
    CHECK(!infer_gpu_wait(infer, CLOCK_NS_PER_S));
    infer_close(infer);
}

TEST(waiting_ends_at_the_first_failure)
{
    struct device_settings gpu = settings_of();
    gpu.program = "/nowhere/burst-cuda";
    struct infer *infer = open_with(&gpu, INFER_CROSS_OFF);
    CHECK(!infer_gpu_wait(infer, 3600 * CLOCK_NS_PER_S));
    CHECK_SAY(strstr(status_of(infer).lane[DEVICE_ALERT].why, "/nowhere/burst-cuda"), "%s",
              status_of(infer).lane[DEVICE_ALERT].why);
    infer_close(infer);
    order(PEER_GOOD, 2, 0);
    gpu = settings_of();
    infer = open_with(&gpu, INFER_CROSS_OFF);
    CHECK(infer_gpu_wait(infer, 60 * CLOCK_NS_PER_S));
    infer_close(infer);
}

TEST(who_asks_for_no_gpu_has_none)
{
    struct device_status s = {.n_alarm = 77};
    struct device_event e;
    struct infer *infer = open_with(NULL, INFER_CROSS_ALL);
    CHECK(!infer_gpu_status(infer, &s) && !infer_gpu_event(infer, &e) && !infer_gpu_alerts(infer));
    CHECK_INT(s.n_alarm, 77);
    check_window(infer, "cpu");
    infer_close(infer);
}

/* Halves of 1/256 are exact, so that both sides of an edge can be written down. */
TEST(logits_are_told_in_steps)
{
    CHECK_NEAR(infer_told(0.0), 0, 0);
    CHECK_NEAR(infer_told(3.0), 3, 0);
    CHECK_NEAR(infer_told(1.0 / 512), 1.0 / 256, 0);
    CHECK_NEAR(infer_told(-1.0 / 512), -1.0 / 256, 0);
    CHECK_NEAR(infer_told(1.0 / 512 - 1e-9), 0, 0);
    CHECK_NEAR(infer_told(-1.0 / 512 + 1e-9), 0, 0);
    CHECK_NEAR(infer_told(-7.123456), -1824.0 / 256, 0); /* 7.123456 * 256 = 1823.6047 */
    CHECK_NEAR(infer_told(1e6 + 0.001), 1e6, 0);
}

/* 1e-4 to either side: the same figure but within 1e-4 of an edge, and there the neighbour's. */
TEST(a_difference_of_the_tolerance_shows_at_an_edge_alone)
{
    int n_shown = 0;
    for (int i = 0; i < 25600; i++) {
        double logit = 2 + i * 3.7e-5, step = 1.0 / 256; /* 242.5 steps, each at other places */
        double a = infer_told(logit), b = infer_told(logit + 1e-4);
        double to_edge = fabs(fmod(logit + step / 2, step) - step); /* how far below the next one */
        CHECK_SAY(a == b || fabs(b - a - step) < 1e-12, "%g became %g", a, b);
        CHECK_SAY((a != b) == (to_edge <= 1e-4) || fabs(to_edge - 1e-4) < 1e-9, "at %.9g, %g below an edge", logit,
                  to_edge);
        n_shown += a != b;
    }
    CHECK_SAY(n_shown > 600 && n_shown < 720, "%d of 25,600 differ; 1e-4 * 256 are 655", n_shown);
}

TEST(answers_are_wrong_beyond_the_tolerance_or_where_they_are_no_numbers)
{
    const float want[3] = {0.5F, -20, 3};
    CHECK_INT(answer_wrong(want, want, 3, 0), -1);
    CHECK_INT(answer_wrong((const float[]){0.50009F, -20.0019F, 3}, want, 3, 1e-4), -1); /* 1e-4, and 1e-4 * 20 */
    CHECK_INT(answer_wrong((const float[]){0.50011F, -20, 3}, want, 3, 1e-4), 0);
    CHECK_INT(answer_wrong((const float[]){0.5F, -20.0021F, 3}, want, 3, 1e-4), 1);
    CHECK_INT(answer_wrong((const float[]){0.5F, -20, NAN}, want, 3, 1e9), 2);
    CHECK_INT(answer_wrong((const float[]){0.5F, -INFINITY, 3}, want, 3, 1e9), 1);
    CHECK_NEAR(device_tolerance(WORKER_FP32), 1e-4, 0);
    CHECK_NEAR(device_tolerance(WORKER_TF32), 2e-2, 0); /* docs/gpu.md: worst of 512 by rounding alone 0.0077 */
    CHECK_NEAR(device_tolerance(WORKER_BF16), 1e-1, 0); /* 0.047 */
}

TEST(quantiles_are_of_the_newest_canaries)
{
    static struct device_canary c;
    canary_took(&c, 5);
    CHECK_INT(c.p50_ns, 5);
    CHECK_INT(c.p999_ns, 5);
    for (int i = 0; i < 1024; i++)
        canary_took(&c, 1000 + i); /* 1000 .. 2023; the 5 is pushed out */
    CHECK_INT(c.n, 1025);
    CHECK_INT(c.p50_ns, 1512);
    CHECK_INT(c.p99_ns, 2013); /* 0.99 * 1024 = 1013.76 */
    CHECK_INT(c.p999_ns, 2022);
}

int main(int argc, char **argv)
{
    if (is_peer(argc, argv)) return peer_main(argv[3]);
    RUN(logits_are_told_in_steps);
    RUN(a_difference_of_the_tolerance_shows_at_an_edge_alone);
    RUN(answers_are_wrong_beyond_the_tolerance_or_where_they_are_no_numbers);
    RUN(quantiles_are_of_the_newest_canaries);
    if (!scene_open()) return scene_close();
    RUN(until_its_golden_answers_are_right_the_cpu_answers);
    RUN(a_worker_whose_golden_answers_are_wrong_is_never_used);
    RUN(the_time_this_processor_takes_is_not_the_workers);
    RUN(a_machine_without_a_gpu_is_asked_ever_less_often);
    RUN(what_only_one_network_may_do_over_there_the_cpu_does_for_the_other);
    RUN(a_network_that_was_refused_is_asked_for_again_after_ten_minutes);
    RUN(lanes_that_cannot_be_made_cost_the_gpu_alone);
    RUN(waiting_ends_at_the_first_failure);
    RUN(who_asks_for_no_gpu_has_none);
    return scene_close();
}
