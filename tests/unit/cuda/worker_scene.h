/* burst-cuda itself, started for a test, and small networks whose answers this process computes, too. */
#ifndef BURST_TESTS_CUDA_WORKER_SCENE_H
#define BURST_TESTS_CUDA_WORKER_SCENE_H
#include "base/clock.h"
#include "check.h"
#include "kernels/cam.h"
#include "net/net.h"
#include "net/worker.h"
#include "unit/net/onnx_maker.h"
#include <dirent.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ATOMS = 3, BANDS = 3, BINS = WORKER_WINDOW_BINS, PIXELS = WORKER_IMAGE_PIXELS, CURVE = 0, IMAGE = 1, OUT = 2 };
static const uint8_t FIRST[BANDS] = {0, 1, 0}, LAST[BANDS] = {1, 3, 3};
static const struct image_scaling SCALING = {-10, 30, 5, 3};
static const int64_t SOON_NS = 60 * CLOCK_NS_PER_S; /* for answers that come: the stand-in device is slow */
static struct burst_error e;

/* A network, its file, and the same on `plain`. */
struct own {
    uint8_t *bytes;
    size_t n;
    struct net *plain;
};
static struct own curve_own, image_own;
static char program[4096];

static inline int64_t soon(void)
{
    return clock_mono_ns() + SOON_NS;
}

/* The worker this test was built for: on the stand-in device, or for a card where the test's name begins so. False: not built. */
static inline bool find_program(void)
{
    char self[4096] = {0};
    if (readlink("/proc/self/exe", self, sizeof self - 1) < 0) return false;
    const char *name = strrchr(self, '/');
    bool card = name && strncmp(name + 1, "gpu_", 4) == 0;
    (void)snprintf(program, sizeof program, "%s/burst-cuda%s", BURST_BINARY_DIR, card ? "" : "-standin");
    return access(program, X_OK) == 0;
}

/* Failures can be asked of the stand-in device alone. */
static inline bool on_a_card(void)
{
    return strstr(program, "standin") == NULL;
}

/* Built for a card, and none is here? The worker says so by its exit status. */
static inline bool no_card(void)
{
    char command[5000];
    (void)snprintf(command, sizeof command, "%s --selftest /nowhere >/dev/null 2>&1", program);
    int status = on_a_card() ? system(command) : 0;
    return WIFEXITED(status) && WEXITSTATUS(status) == 69;
}

static inline void own_open(struct own *o, struct maker *m)
{
    struct net_settings settings = {.backend = NET_BACKEND_PLAIN, .batch_most = WORKER_BATCH_MOST};
    maker_finish(m, &o->bytes, &o->n);
    CHECK_INT(net_open_bytes(o->bytes, o->n, &settings, &o->plain, &e), BURST_OK);
}

static inline void scene_open(void)
{
    struct maker curve = {.seed = 5}, image = {.seed = 6};
    maker_input(&curve, "x", "N 3 1875");
    maker_conv_relu(&curve, "x", "c", BANDS, 8, "7", "strides=25, pads=3,3");
    maker_node(&curve, "GlobalAveragePool", "c.relu", "pool", "");
    maker_node(&curve, "Flatten", "pool", "flat", "axis=1");
    maker_dense(&curve, "flat", "y", 8, OUT);
    maker_output(&curve, "y", "N 2");
    own_open(&curve_own, &curve);
    maker_input(&image, "x", "N 2 56 56");
    maker_conv_relu(&image, "x", "c", 2, 4, "4 4", "strides=4,4");
    maker_node(&image, "Flatten", "c.relu", "flat", "axis=1");
    maker_dense(&image, "flat", "y", 4 * 14 * 14, OUT);
    maker_output(&image, "y", "N 2");
    own_open(&image_own, &image);
}

static inline void scene_close(void)
{
    free(curve_own.bytes);
    free(image_own.bytes);
    net_close(curve_own.plain);
    net_close(image_own.plain);
}

/* ---- lanes ---- */

static inline enum worker_state step_while(struct worker *w, enum worker_state a, enum worker_state b)
{
    int64_t until = soon();
    enum worker_state state;
    while (((state = worker_step(w, clock_mono_ns())) == a || state == b) && clock_mono_ns() < until)
        (void)usleep(500);
    return state;
}

static inline bool lane_up(struct worker *w)
{
    (void)worker_step(w, clock_mono_ns()); /* from ABSENT */
    bool ready = step_while(w, WORKER_CONNECTING, WORKER_LOADING) == WORKER_READY;
    CHECK_SAY(ready, "the lane is not ready: %s", worker_why(w));
    return ready;
}

/* A lane, not yet connected; `socket` NULL: it starts a worker of its own. */
static inline struct worker *lane_new(const struct worker_settings *settings, const char *socket)
{
    struct worker_settings s = *settings;
    struct worker *w = NULL;
    s.socket = socket;
    s.program = socket ? NULL : program;
    s.core = -1;
    CHECK_SAY(worker_new(&s, &w, &e) == BURST_OK, "%s", e.text);
    return w;
}

static inline void give_models(struct worker *w, int batch, bool keep_all)
{
    struct worker_model m = {.role = WORKER_LIGHT_CURVE,
                             .bytes = curve_own.bytes,
                             .n = curve_own.n,
                             .batch = batch,
                             .keep_all = keep_all,
                             .cam_index = 1,
                             .n_atom = ATOMS,
                             .n_band = BANDS};
    memcpy(m.first, FIRST, sizeof FIRST);
    memcpy(m.last, LAST, sizeof LAST);
    CHECK_INT(worker_model(w, CURVE, &m, &e), BURST_OK);
    m = (struct worker_model){.role = WORKER_IMAGE,
                              .bytes = image_own.bytes,
                              .n = image_own.n,
                              .batch = batch,
                              .keep_all = keep_all,
                              .scaling = SCALING};
    CHECK_INT(worker_model(w, IMAGE, &m, &e), BURST_OK);
}

/* A worker of one's own with both networks. */
static inline struct worker *lane_ready(const struct worker_settings *settings)
{
    struct worker *w = lane_new(settings, NULL);
    give_models(w, 8, false);
    if (!lane_up(w)) exit(1); /* it has been told why; nothing that follows would mean anything */
    return w;
}

static inline int descriptors_of(int pid)
{
    char path[64];
    int n = 0;
    (void)snprintf(path, sizeof path, "/proc/%d/fd", pid);
    DIR *d = opendir(path);
    while (d && readdir(d))
        n++;
    if (d) (void)closedir(d);
    return n;
}

/* ---- what this process says ---- */

static inline void check_close(const float *a, const float *b, int64_t n, double tolerance, const char *what)
{
    for (int64_t i = 0; i < n; i++)
        CHECK_SAY(fabs((double)a[i] - (double)b[i]) <= tolerance * fmax(1, fabs((double)b[i])),
                  "%s: number %lld is %g, not %g", what, (long long)i, (double)a[i], (double)b[i]);
}

/* Rows of a window as `plain` scores them: [rows][OUT]. */
static inline void own_window(const struct worker_window *window, float *ret)
{
    static float input[WORKER_ROWS_MOST * BANDS * BINS];
    int n = 0;
    for (int row = 0; row < window->n_row; row++) {
        if (window->scored && !window->scored[row]) continue;
        standardise_bands(window->counts + (size_t)row * ATOMS * BINS, window->valid + (size_t)row * BINS, BINS, FIRST,
                          LAST, BANDS, input + (size_t)n++ * BANDS * BINS);
    }
    CHECK_INT(net_run(curve_own.plain, input, n, ret, &e), BURST_OK);
}

/* A variant of an image as `plain` scores it: [OUT]. */
static inline void own_image(const float *snr, const uint8_t *mask, int32_t without, float *ret)
{
    static float input[2 * PIXELS];
    CHECK_INT(image_input(snr, mask, PIXELS, &SCALING, input, &e), BURST_OK);
    if (without >= 0) (void)image_occlude(mask, WORKER_IMAGE_SIDE, &SCALING, without, input);
    if (without == IMAGE_WITHOUT_SOURCES) (void)image_hide_sources(mask, WORKER_IMAGE_SIDE, &SCALING, input);
    CHECK_INT(net_run(image_own.plain, input, 1, ret, &e), BURST_OK);
}

/* ---- samples ---- */

enum { ROWS = 5 };
struct stretch {
    uint32_t counts[ROWS][ATOMS][BINS];
    uint8_t valid[ROWS][BINS];
    uint64_t key[ROWS];
    bool scored[ROWS];
    struct worker_window window;
};

/* Counts that depend on detector, atom and bin alone, so that windows overlap as real ones do. */
static inline void stretch_make(struct stretch *s, int64_t k_first, int n_row, uint64_t first_key)
{
    for (int row = 0; row < n_row; row++) {
        s->key[row] = first_key + (uint64_t)row;
        s->scored[row] = true;
        for (int i = 0; i < BINS; i++) {
            uint64_t k = (uint64_t)(k_first + i), x = (k + s->key[row] % 100 * 7919) * UINT64_C(6364136223846793005);
            s->valid[row][i] = (x >> 40) % 50 != 0;
            for (int a = 0; a < ATOMS; a++)
                s->counts[row][a][i] = (uint32_t)((x >> (20 + 8 * a)) % 30);
        }
    }
    s->window = (struct worker_window){.n_row = n_row,
                                       .n_atom = ATOMS,
                                       .k_first = k_first,
                                       .key = s->key,
                                       .scored = s->scored,
                                       .counts = &s->counts[0][0][0],
                                       .valid = &s->valid[0][0]};
}

static inline void image_make(float *ret_snr, uint8_t *ret_mask)
{
    for (int i = 0; i < PIXELS; i++) {
        ret_snr[i] = (float)(i * 37 % 101) / 10 - 4;
        ret_mask[i] = (uint8_t)(i % 17 == 0 ? 0 : i % 29 == 0 ? 2 : 1);
    }
    ret_mask[28 * 56 + 28] = 3;
}
#endif
