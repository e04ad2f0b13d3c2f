/* What the tests of the lanes to a GPU share: a window, a sub-image, this process's own answers, and a worker that
 * fails on order. */
#ifndef BURST_TESTS_INFER_SCENE_H
#define BURST_TESTS_INFER_SCENE_H
#include "base/clock.h"
#include "check.h"
#include "infer/device_inside.h"
#include "infer/inside.h"
#include "peer.h"
#include "records/bands.h"
#include <time.h>

#define MODELS BURST_SOURCE_DIR "/models/"
#define LIGHT  MODELS "gecam-resnet-mscfm/1"
#define EYE    MODELS "eclairs-cnn/1"
enum { ROWS = 3 };
static const int64_t LONG_NS = 20 * CLOCK_NS_PER_S; /* a sanitized network on a busy machine */

static struct peer_control *control;
static char control_path[64], self_path[4096];
static struct lightcurve_window *window;
static struct image_sample sample;
static struct window_score own_score;
static struct image_score own_image_score;

static struct device_settings settings_of(void)
{
    return (struct device_settings){.program = self_path, .deadline_ns = LONG_NS, .background_ns = LONG_NS, .core = -1};
}

/* Networks with the peer as their GPU; an hour's answers in a second. */
static struct infer *open_with(const struct device_settings *gpu, enum infer_cross_check cross_check)
{
    struct infer *infer = NULL;
    struct burst_error e;
    struct infer_settings settings = {.light_curve = LIGHT, .image = EYE, .gpu = gpu, .cross_check = cross_check};
    enum burst_err err = infer_open(&settings, &infer, &e);
    CHECK_SAY(!err, "%s", e.text);
    return infer;
}

static void order(enum peer_fault fault, int lane, int spared)
{
    control->lane = lane;
    control->spared = spared;
    control->fault = (int)fault;
}

static struct device_status status_of(const struct infer *infer)
{
    struct device_status s = {.n_alarm = 0};
    CHECK(infer_gpu_status(infer, &s));
    return s;
}

static enum device_state state_of(const struct infer *infer, enum device_lane lane)
{
    return status_of(infer).lane[lane].state;
}

static void nap(int ms)
{
    (void)nanosleep(&(struct timespec){.tv_nsec = ms * 1000000L}, NULL);
}

/* Step until a lane has that state; false after half a minute. */
static bool reaches(struct infer *infer, enum device_lane lane, enum device_state state)
{
    int64_t until_ns = clock_mono_ns() + 30 * CLOCK_NS_PER_S;
    while (state_of(infer, lane) != state && clock_mono_ns() < until_ns) {
        int ms = infer_step(infer, clock_mono_ns());
        if (state_of(infer, lane) != state) nap(ms);
    }
    bool reached = state_of(infer, lane) == state;
    CHECK_SAY(reached, "lane %s is %s, not %s: %s", device_lane_name(lane), device_state_name(state_of(infer, lane)),
              device_state_name(state), status_of(infer).lane[lane].why);
    return reached;
}

/* The last event of a lane that contains `part`. */
static bool told(struct infer *infer, const char *part, bool alarm)
{
    struct device_event e;
    bool found = false;
    while (infer_gpu_event(infer, &e))
        found |= strstr(e.text, part) != NULL && e.alarm == alarm;
    return found;
}

static void window_fill(struct lightcurve_window *w)
{
    band_set_default(&w->bands);
    w->source = (struct source){REALM_LIVE, MISSION_GECAM_B, INSTRUMENT_GRD};
    w->k_end = 16 * 12345;
    w->n_detector = ROWS + 1;
    for (int r = 0; r <= ROWS; r++) {
        w->detector[r] = 2 * r + 1;
        w->n_valid[r] = WINDOW_BINS;
        w->scored[r] = r != 1;
        for (int t = 0; t < WINDOW_BINS; t++) {
            uint32_t burst = t >= 1700 && t < 1800 ? (uint32_t)(9 * (r + 1)) : 0;
            w->valid[r * WINDOW_BINS + t] = t % 100 != r;
            for (int a = 0; a < 5; a++)
                w->counts[(r * 5 + a) * WINDOW_BINS + t] = (uint32_t)((7 * r + 3 * a + t * t) % 11 + 5) + burst;
        }
    }
}

static void sample_fill(void)
{
    memset(&sample, 0, sizeof sample);
    for (int z = 0; z < IMAGE_SIDE; z++)
        for (int y = 0; y < IMAGE_SIDE; y++) {
            sample.mask[z][y] = z < 50 ? MASK_BACKGROUND : MASK_IGNORE;
            sample.snr[z][y] = z < 50 ? (float)((13 * z + 7 * y) % 17) / 4 - 2 : 0;
        }
    sample.snr[28][28] = 9;
    sample.mask[28][28] = MASK_TRIGGER;
    sample.mask[10][40] = MASK_SOURCE;
}

/* ---- what is the same whoever answers ---- */

static void check_window(struct infer *infer, const char *backend)
{
    struct window_score s;
    struct burst_error e = {0};
    CHECK_SAY(infer_window(infer, window, &s, &e) == BURST_OK, "%s", e.text);
    if (check_case_failed) return;
    CHECK_STR(s.model.backend, backend);
    CHECK_STR(s.model.sha256, own_score.model.sha256);
    CHECK_INT(s.n_score, ROWS);
    CHECK_NEAR(s.logit, own_score.logit, 0);
    CHECK_NEAR(s.p, own_score.p, 0);
    for (int i = 0; i < ROWS; i++) {
        CHECK_INT(s.score[i].detector, own_score.score[i].detector);
        CHECK_NEAR(s.score[i].logit, own_score.score[i].logit, 0);
    }
}

static void check_image(struct infer *infer, const char *backend)
{
    struct image_score s;
    struct burst_error e = {0};
    CHECK_SAY(infer_image(infer, &sample, &s, &e) == BURST_OK, "%s", e.text);
    if (check_case_failed) return;
    CHECK_STR(s.model.backend, backend);
    CHECK_NEAR(s.logit, own_image_score.logit, 0);
    CHECK_NEAR(s.p, own_image_score.p, 0);
}

static inline void check_explanations(struct infer *infer, struct infer *own)
{
    static struct image_explanation x, y;
    struct window_explanation a, b;
    int done_x = 0, done_y = 0;
    double worst = 0;
    CHECK_INT(infer_explain_window(infer, window, 2, &a, NULL), BURST_OK);
    CHECK_INT(infer_explain_window(own, window, 2, &b, NULL), BURST_OK);
    CHECK_INT(a.detector, b.detector);
    CHECK_INT(a.n_cam, b.n_cam);
    for (int t = 0; t < a.n_cam; t++)
        worst = fmax(worst, fabs((double)a.cam[t] - (double)b.cam[t]));
    CHECK_SAY(worst < 1e-3, "maps differ by %g", worst);
    while (done_x < 600 && !check_case_failed) {
        CHECK_INT(infer_explain_image_part(infer, &sample, 200, &done_x, &x, NULL), BURST_OK);
        CHECK_INT(infer_explain_image_part(own, &sample, 200, &done_y, &y, NULL), BURST_OK);
    }
    worst = 0;
    for (int i = 0; i < done_x; i++)
        worst = fmax(worst, fabs((double)(&x.drop[0][0])[i] - (double)(&y.drop[0][0])[i]));
    CHECK_SAY(worst < 1e-3, "occlusion differs by %g", worst);
}

/* ---- beginning and end ---- */

static bool make_control(void)
{
    (void)snprintf(control_path, sizeof control_path, "/tmp/burst-peer-%d", (int)getpid());
    FILE *file = fopen(control_path, "wb");
    struct peer_control zero;
    memset(&zero, 0, sizeof zero);
    bool good = file && fwrite(&zero, sizeof zero, 1, file) == 1;
    if (file) good = fclose(file) == 0 && good;
    ssize_t n = readlink("/proc/self/exe", self_path, sizeof self_path - 1);
    return good && n > 0 && setenv("PEER_CONTROL", control_path, 1) == 0;
}

/* Everything above; false: say so and run no test. The own answers need the shipped models. */
static bool scene_open(void)
{
    struct infer *own = NULL;
    if (!make_control() || window_new(DETECTOR_MAX, &window, NULL)) return false;
    control = peer_map_control(control_path);
    window_fill(window);
    sample_fill();
    bool good = infer_open(&(struct infer_settings){.light_curve = LIGHT, .image = EYE}, &own, NULL) == BURST_OK &&
                infer_window(own, window, &own_score, NULL) == BURST_OK &&
                infer_image(own, &sample, &own_image_score, NULL) == BURST_OK;
    infer_close(own);
    if (!good) printf("skip lanes_to_a_gpu: the shipped models are absent\n");
    return good;
}

static int scene_close(void)
{
    window_free(window);
    (void)unlink(control_path);
    return check_report();
}

/* The program is its own worker. */
static bool is_peer(int argc, char **argv)
{
    return argc > 3 && strcmp(argv[1], "--once") == 0;
}
#endif
