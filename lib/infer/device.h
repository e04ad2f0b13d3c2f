/* device: when the GPU's answer is used. burst-cuda is reached through two lanes (lib/net/worker.h): `alert` for live
 * windows and sub-images, `background` for archival windows and explanations. Each lane is used only after its golden
 * answers were right, and is left at the first answer that is late, absent, not finite or wrong: then whoever asked
 * computes on the cpu, in the same call. What is wrong in one lane has both left: it is one card. The background lane is
 * asked nothing while the alert lane is not ON.
 *
 * Per lane    OFF -> STARTING -> CHECKING -> ON -> FAILED -> STARTING ...
 *   STARTING  connecting and loading, seconds
 *   CHECKING  one small job per step: every golden answer beside the models, then a made window and a made image
 *             against this process's own networks; on the alert lane one more that must keep the alert deadline
 *   ON        jobs are given to it; on the alert lane a canary every canary_ns: its answer must be the first, bit by bit
 *             A network that the worker refused is asked for again after 10 minutes, by way of STARTING
 *   FAILED    until the next try: after 0.1, 1, 10, 60, 60 ... s where it was not ON in between; after the third loss
 *             within 10 minutes 60 s
 * Driven by device_step from the thread that owns it; nothing waits longer than one job's deadline. No memory is taken
 * after device_open and device_model, but what worker_step takes while it connects.
 *
 * What this file refuses to do: compute on the cpu, log, or keep a worker it does not believe. */
#ifndef BURST_INFER_DEVICE_H
#define BURST_INFER_DEVICE_H
#include "net/worker.h"
#include "records/score.h"

struct device;

enum device_lane { DEVICE_ALERT, DEVICE_BACKGROUND, DEVICE_LANES };
enum device_state { DEVICE_OFF, DEVICE_STARTING, DEVICE_CHECKING, DEVICE_ON, DEVICE_FAILED };
enum device_slot { DEVICE_LIGHT_CURVE, DEVICE_IMAGE, DEVICE_SLOTS }; /* slots of the worker */
enum { DEVICE_WHY_TEXT = 256, DEVICE_PARTS_MOST = 64 };

struct device_settings {
    const char *socket;  /* NULL: WORKER_SOCKET, or with `program` a private one */
    const char *program; /* started where nobody listens; NULL: never */
    const char *cache;   /* with `program`: folder for its choices of engines; NULL: none */
    enum worker_precision precision;
    int64_t deadline_ns;   /* of a job on the alert lane */
    int64_t background_ns; /* of a job on the background lane, and while CHECKING */
    int64_t canary_ns;     /* from canary to canary; 0: none */
    bool spin;             /* of the alert lane */
    int core;              /* with spin: processor of the worker's thread; negative: none */
};

/* A network over there, and what its answers are compared with. */
struct device_model {
    const uint8_t *bytes; /* of the .onnx file; lent for the call, as all below */
    size_t n;
    const char *sha256; /* hex, of these bytes */
    const char
        *folder; /* that holds test_data_set_N; where there is none, the process's own networks are the only judge */
    int n_logit, true_index;
    struct band_set bands;        /* light curves */
    int n_cam;                    /* light curves: positions of a Grad-CAM; 0: it has none */
    struct image_scaling scaling; /* images */
};

/* This process's own networks: the judge. Logits are [row][n_logit] of the network, before anything is rounded. */
struct device_own {
    enum burst_err (*window)(void *context, const struct lightcurve_window *w, float *ret_logits,
                             struct burst_error *reterr);
    enum burst_err (*cam)(void *context, const struct lightcurve_window *w, int row, float *ret_cam,
                          struct burst_error *reterr);
    enum burst_err (*image)(void *context, const struct image_sample *s, float *ret_logits, struct burst_error *reterr);
    enum burst_err (*occlude)(void *context, const struct image_sample *s, const int32_t *without, int n,
                              float *ret_logits, struct burst_error *reterr);
    void *context;
};

/* Take all memory; nothing is connected.
 *
 * Given     settings  lent for the call
 *           own       functions and context live as long as the device
 * Errors    those of worker_new; *ret untouched */
enum burst_err device_open(const struct device_settings *settings, const struct device_own *own, struct device **ret,
                           struct burst_error *reterr);
/* NULL is accepted. */
void device_close(struct device *d);

/* Name the network of a slot, before the first device_step.
 * Errors    of worker_model and tensor_read; BURST_E_SHAPE  golden vectors of another shape; BURST_E_NOMEM */
enum burst_err device_model(struct device *d, enum device_slot slot, const struct device_model *model,
                            struct burst_error *reterr);

/* Bring both lanes on by at most one job each.
 * Returned  ms until it wants to be called again, 1..200 */
int device_step(struct device *d, int64_t now_ns);

/* ---- jobs ----
 * True: the answer is the GPU's, finite, of the right size and in time. False: compute it yourself; ret untouched.
 * False at once, without a word, while the lane (or the alert lane) is not ON or the network is not over there. Take no
 * memory. */

/* Every scored row of a window. Returned  ret_logits [scored rows][n_logit] */
bool device_window(struct device *d, enum device_lane lane, const struct lightcurve_window *w, float *ret_logits);
/* Grad-CAM of one row, on the background lane. Returned  ret_cam [n_cam] */
bool device_cam(struct device *d, const struct lightcurve_window *w, int row, float *ret_cam);
/* A sub-image. Returned  ret_logits [n_logit] */
bool device_image(struct device *d, enum device_lane lane, const struct image_sample *s, float *ret_logits);
/* n <= DEVICE_PARTS_MOST variants of it with something taken away (kernels/image_pack.h), on the background lane.
 * Returned  [n][n_logit] */
bool device_occlude(struct device *d, const struct image_sample *s, const int32_t *without, int n, float *ret_logits);

/* Would a job of this kind be given to the GPU now? */
bool device_is_on(const struct device *d, enum device_lane lane, enum device_slot slot);

/* The largest |cuda - own| / max(1, |own|) that is no fault: fp32 1e-4, tf32 2e-2, bf16 1e-1. The two last are twice
 * the worst that rounding alone did to 512 windows and 512 sub-images: a good card must not raise an alarm. Source:
 * docs/gpu.md, precision */
double device_tolerance(enum worker_precision precision);
/* Compare n logits of an answer with those computed here. False beyond the tolerance: the lane is left, an alarm. */
bool device_agrees(struct device *d, enum device_lane lane, const float *answer, const float *own, int n);

/* ---- what is told ---- */

struct device_lane_status {
    enum device_state state;
    uint64_t n_answered;       /* jobs of ours, without checks and canaries */
    uint64_t n_redone;         /* jobs that it was given and the cpu answered */
    uint64_t n_failed;         /* times the lane was left while it was ON */
    int64_t next_try_ns;       /* FAILED: clock_mono_ns() of the next try */
    char why[DEVICE_WHY_TEXT]; /* it was last left, or not reached; "" before */
};

struct device_status {
    struct device_lane_status lane[DEVICE_LANES];
    bool has_facts; /* of the last worker that said hello */
    struct worker_facts facts;
    enum worker_precision precision;
    bool loaded[DEVICE_SLOTS]; /* on the alert lane */
    uint64_t n_alarm;          /* answers that were wrong */
    uint64_t n_canary;
    int64_t p50_ns, p99_ns, p999_ns; /* of the newest 1,024 canaries, from question to answer; 0 where there is none */
};
void device_status(const struct device *d, struct device_status *ret);
/* "cuda: NVIDIA H200, fp32", or "cpu: " and why, and when the next try is. Returns as snprintf. */
int device_status_text(const struct device_status *s, int64_t now_ns, char *ret_text, size_t size);
const char *device_state_name(enum device_state state);     /* "off", "starting", "checking", "on", "failed" */
const char *device_lane_name(enum device_lane lane);        /* "alert", "background" */
const char *device_precision_name(enum worker_precision p); /* "fp32", "tf32", "bf16" */

/* Something worth a line in the log: once per change, not once per job. */
struct device_event {
    enum device_lane lane;
    enum device_state state;    /* after it */
    bool alarm;                 /* an answer was wrong */
    bool refused;               /* one job, and the lane stays as it is */
    char text[DEVICE_WHY_TEXT]; /* what happened */
};
/* The oldest that was not taken yet; false: there is none. The newest 16 are kept. */
bool device_event(struct device *d, struct device_event *ret);
#endif
