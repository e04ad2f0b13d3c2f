/* The inside of struct device, for device.c, device_check.c, device_made.c and device_status.c. */
#ifndef BURST_INFER_DEVICE_INSIDE_H
#define BURST_INFER_DEVICE_INSIDE_H
#include "infer/device.h"

enum { GOLDEN_SETS = 16, GOLDEN_BATCH = 8, MADE_ROWS = 2, MADE_PARTS = 5, LOGITS = 2, EVENTS = 16, LATENCIES = 1024 };
enum { LOSSES = 3, ECHO_BYTES = 64 };

/* One test_data_set folder. */
struct golden_set {
    int n; /* samples */
    float *input, *output;
};

/* What the worker's answers in one slot are compared with. */
struct device_net {
    bool named;
    int n_logit, n_cam;
    struct band_set bands;
    size_t n_input; /* floats of one sample */
    char sha256[65];
    int n_set;
    struct golden_set set[GOLDEN_SETS];
};

/* A window and an image made here, and what this process's own networks say of them, asked once. */
struct device_made {
    struct lightcurve_window *window;
    struct image_sample image;
    int32_t without[MADE_PARTS];
    bool has_window, has_cam, has_image, has_occluded;
    float window_logits[MADE_ROWS * LOGITS], cam[CAM_MAX], image_logits[LOGITS], occluded[MADE_PARTS * LOGITS];
};

enum check_stage {
    CHECK_ECHO,
    CHECK_GOLDEN,
    CHECK_WINDOW,
    CHECK_CAM,
    CHECK_IMAGE,
    CHECK_OCCLUDE,
    CHECK_IN_TIME,
    CHECK_DONE
};

/* How far the golden answers of a lane are. */
struct device_check {
    enum check_stage stage;
    int slot, set, at;
};

struct device_lane_inside {
    struct worker *worker;
    struct device_check check;
    bool loaded[DEVICE_SLOTS];
    int n_start_failed;      /* in succession, without being ON */
    int64_t lost_ns[LOSSES]; /* when it was left while ON, the newest last */
    int64_t refused_told_ns; /* when a refused job was last told */
    int64_t loaded_ns;       /* when the worker last answered for every network */
    bool asks_again;         /* for a network it refused, and nothing is new so far */
    struct device_lane_status told;
};

/* Canaries since the lane came on, and how long they took ever. */
struct device_canary {
    int64_t asked_ns;
    bool has_first;
    float first[MADE_ROWS * LOGITS];
    uint64_t n;
    int64_t latency_ns[LATENCIES], p50_ns, p99_ns, p999_ns;
};

struct device {
    enum worker_precision precision;
    int64_t deadline_ns, background_ns, canary_ns;
    struct device_own own;
    struct device_net net[DEVICE_SLOTS];
    struct device_made made;
    struct device_lane_inside lane[DEVICE_LANES];
    struct device_canary canary;
    bool has_facts;
    struct worker_facts facts;
    uint64_t n_alarm;
    float answer[DEVICE_PARTS_MOST * LOGITS]; /* of a job, until it is believed */
    float cam[CAM_MAX];
    int first_event, n_event;
    struct device_event event[EVENTS];
};

/* ---- device.c: jobs of either kind, without counting. Errors of the worker's calls ---- */

int64_t device_deadline(const struct device *d, enum device_lane lane); /* of a job begun now */
bool device_has_cam(const struct device *d, enum device_lane lane);     /* as many positions over there as here */
/* `made` windows have rings of their own. */
enum burst_err device_ask_window(struct device *d, enum device_lane lane, const struct lightcurve_window *w, bool made,
                                 float *ret_logits, int64_t deadline_ns, struct burst_error *reterr);
enum burst_err device_ask_cam(struct device *d, enum device_lane lane, const struct lightcurve_window *w, int row,
                              float *ret_cam, int64_t deadline_ns, struct burst_error *reterr);
enum burst_err device_ask_image(struct device *d, enum device_lane lane, const struct image_sample *s,
                                float *ret_logits, int64_t deadline_ns, struct burst_error *reterr);
enum burst_err device_ask_occluded(struct device *d, enum device_lane lane, const struct image_sample *s,
                                   const int32_t *without, int n, float *ret_logits, int64_t deadline_ns,
                                   struct burst_error *reterr);

/* ---- device_check.c ---- */

/* Read the golden vectors of a slot whose sizes are known. */
enum burst_err golden_read(struct device_net *net, const char *folder, struct burst_error *reterr);
void golden_free(struct device_net *net);
/* The first of n numbers that is further from `want` than the tolerance, or not finite; -1: all are right. */
int answer_wrong(const float *got, const float *want, int n, double tolerance);
/* One job of the lane's check; check.stage CHECK_DONE: all were right.
 * Errors    BURST_E_MODEL  an answer is wrong: an alarm;  those of the worker and of this process's own networks */
enum burst_err check_step(struct device *d, enum device_lane lane, struct burst_error *reterr);
/* A canary through the alert lane. Errors as check_step. */
enum burst_err canary_step(struct device *d, struct burst_error *reterr);

/* ---- device_made.c ---- */

enum burst_err made_window(struct device_made *m, const struct band_set *bands, struct burst_error *reterr);
void made_image(struct device_made *m);

/* ---- device_status.c ---- */

void device_tell(struct device *d, enum device_lane lane, bool alarm, const char *text);
void device_tell_refused(struct device *d, enum device_lane lane, const char *text);
void canary_took(struct device_canary *c, int64_t ns);
#endif
