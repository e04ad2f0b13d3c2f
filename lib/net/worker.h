/* worker: the client's end of one lane to `burst-cuda`, the process that owns the GPU. A lane is one connection, one thread and
 * one stream over there. Nothing here waits except the job calls, and those no longer than their deadline.
 *
 * A lane is *given up* when an answer does not come in time, when the worker hangs up, says that its device failed, or sends what
 * this side cannot believe: connection and shared memory are dropped, a worker that this lane started is killed, the state is
 * WORKER_ABSENT, and the next worker_step begins anew with other memory. When to call it again is the caller's policy
 * (lib/infer/device.h). Refused jobs (a shape, a slot that is empty) leave the lane as it is.
 *
 * What this file refuses to do: decide who answers instead. */
#ifndef BURST_NET_WORKER_H
#define BURST_NET_WORKER_H
#include "base/err.h"
#include "kernels/image_pack.h"
#include "kernels/ring.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct worker;

enum { WORKER_SLOTS = 4, WORKER_ROWS_MOST = 32, WORKER_RINGS = 64 };
enum { WORKER_ATOMS_MOST = RING_ATOM_MOST, WORKER_BANDS_MOST = RING_BAND_MOST };
enum { WORKER_WINDOW_BINS = 1875, WORKER_IMAGE_SIDE = 56, WORKER_IMAGE_PIXELS = WORKER_IMAGE_SIDE * WORKER_IMAGE_SIDE };
enum { WORKER_BATCH_MOST = RING_WINDOW_MOST, WORKER_TEXT = 192, WORKER_NAME_TEXT = 128, WORKER_PORTS_MOST = 8 };
#define WORKER_SOCKET "/run/burst-cuda/burst-cuda.sock"

/* How the device computes; the numbers go over the wire. Same order as enum cuda_precision. */
enum worker_precision { WORKER_FP32, WORKER_TF32, WORKER_BF16, WORKER_PRECISION_N };

struct worker_settings {
    const char *socket;  /* where the worker listens; NULL is WORKER_SOCKET, or with `program` a private folder */
    const char *program; /* started by worker_step where nobody listens; NULL: never started from here */
    const char *cache;   /* with `program`: folder for its choices of engines, made where it is not; NULL: none */
    int device;          /* with `program`: which GPU */
    enum worker_precision precision;  /* of this lane's networks */
    bool background;                  /* the stream's priority: low */
    bool spin;                        /* jobs and answers through shared memory alone: two threads that never sleep */
    int core;                         /* with `spin`: processor the worker's thread is bound to; negative: none */
    size_t input_bytes, output_bytes; /* room for a job's numbers and its answer's; 0 is 4 MiB and 1 MiB */
    int64_t start_limit_ns;           /* from connecting to the worker's first answer; 0 is 30 s */
    int64_t load_limit_ns; /* from then to the last network's answer; 0 is 600 s (every engine is timed once) */
};

enum worker_role { WORKER_PLAIN, WORKER_LIGHT_CURVE, WORKER_IMAGE, WORKER_ROLE_N };

struct worker_model {
    enum worker_role role;
    const uint8_t *bytes; /* the .onnx file; lent for the call */
    size_t n;
    int batch;     /* most samples of one job, 1..WORKER_BATCH_MOST; 0 is 256 */
    bool keep_all; /* every tensor can be read with worker_read; nothing is fused: for parity, slow */
    int cam_index; /* LIGHT_CURVE: output whose gradient worker_cam takes (the logit of a burst) */
    int n_atom, n_band;
    uint8_t first[WORKER_BANDS_MOST], last[WORKER_BANDS_MOST]; /* LIGHT_CURVE: band b sums atoms [first, last) */
    struct image_scaling scaling;                              /* IMAGE */
};

enum worker_state {
    WORKER_ABSENT,     /* no connection */
    WORKER_CONNECTING, /* connected or waiting for a worker just started; it has not answered yet */
    WORKER_LOADING,    /* it opens the networks */
    WORKER_READY       /* every slot has been answered, with a network or with a refusal */
};

/* What the worker says of its device. */
struct worker_facts {
    int pid;
    char device[96];       /* "NVIDIA H200" */
    int sm;                /* 90 for compute capability 9.0 */
    int driver, runtime;   /* 13000 for CUDA 13.0 */
    long cudnn;            /* 91900 for 9.19.0 */
    uint64_t memory_bytes; /* of the device */
};

enum worker_slot_state { WORKER_SLOT_EMPTY, WORKER_SLOT_WAITS, WORKER_SLOT_LOADED, WORKER_SLOT_REFUSED };

/* What became of a network over there. */
struct worker_slot {
    enum worker_slot_state state;
    int batch;                                                                 /* most samples of one job */
    int n_input, n_output;                                                     /* ports */
    int64_t input_floats[WORKER_PORTS_MOST], output_floats[WORKER_PORTS_MOST]; /* of one sample */
    int64_t n_cam;         /* positions of the map worker_cam gives; 0: it cannot */
    char sha256[65];       /* of the bytes it opened */
    uint64_t memory_bytes; /* taken on the device */
    enum burst_err code;   /* REFUSED: why */
    char text[WORKER_TEXT];
};

/* Take all memory of a lane. Connects to nothing.
 *
 * Given     settings  lent for the call; paths are copied
 * Returned  *ret      state WORKER_ABSENT, to be freed with worker_free
 * Errors    BURST_E_LIMIT  a path too long for a socket; BURST_E_RANGE  a number outside its range; BURST_E_NOMEM; *ret untouched
 * Notes     One thread at a time per lane. */
enum burst_err worker_new(const struct worker_settings *settings, struct worker **ret, struct burst_error *reterr);
/* Hangs up; a worker it started is asked to end (SIGTERM), and killed where it does not within 2 s. NULL is accepted. */
void worker_free(struct worker *w);

/* Remember a network for a slot. worker_step sends it, and again after every connect; the slot takes no jobs until then.
 *
 * Given     slot   0..WORKER_SLOTS-1
 *           model  bytes are copied
 * Errors    BURST_E_RANGE  slot, role, batch, atoms or bands; BURST_E_LIMIT  longer than NET_FILE_MOST; BURST_E_IO, BURST_E_NOMEM;
 *           the slot is untouched */
enum burst_err worker_model(struct worker *w, int slot, const struct worker_model *model, struct burst_error *reterr);

/* Have the next worker_step send every network again that was refused; it is LOADING until they are answered.
 * False: none was refused. */
bool worker_ask_again(struct worker *w);

/* Do what can be done without waiting: start the program, connect, say hello, send networks, read answers, bury a killed child.
 * Given     now_ns  clock_mono_ns()
 * Notes     In state ABSENT every call tries once. Takes memory only while it connects. */
enum worker_state worker_step(struct worker *w, int64_t now_ns);
/* The state as it was left: hang-ups are noticed by worker_step and the jobs. */
enum worker_state worker_state(const struct worker *w);
/* Descriptor to poll for reading between steps; -1 while there is none. */
int worker_fd(const struct worker *w);
/* Why the lane was last given up or not reached; "" where that never happened. Lives until the next call. */
const char *worker_why(const struct worker *w);
/* NULL before WORKER_LOADING. */
const struct worker_facts *worker_facts(const struct worker *w);
/* 0 <= slot < WORKER_SLOTS. */
const struct worker_slot *worker_slot(const struct worker *w, int slot);
/* Where it connects: with a private folder, for a second lane to the same worker. */
const char *worker_socket(const struct worker *w);
/* Give the lane up, for a reason of the caller's (a wrong golden answer). A worker it started is killed with SIGKILL. */
void worker_give_up(struct worker *w, const char *why);

/* ---- jobs ----
 * Given     deadline_ns  clock_mono_ns() by which the answer must be here
 * Errors    BURST_E_STATE    the lane is not READY, or the slot holds no network of that role
 *           BURST_E_LATE     the deadline is past already; nothing was sent
 *           BURST_E_SHAPE    numbers outside the network's or the lane's room; BURST_E_RANGE; nothing was sent
 *           BURST_E_TIMEOUT  no answer in time             \  the lane was given up;
 *           BURST_E_DEVICE   device, worker or answer bad  /  worker_why tells more
 *           any other code   the worker refused this job, the lane stays
 *           outputs untouched in every case
 * Notes     Take no memory. */

/* The same n bytes back.
 * Given     n  0..the lane's input_bytes and output_bytes */
enum burst_err worker_echo(struct worker *w, const void *bytes, size_t n, void *ret, int64_t deadline_ns,
                           struct burst_error *reterr);

/* Any network: floats in, floats out.
 * Given     input       [port of the file] each [n][floats of one sample]
 * Returned  ret_output  [port of the file] each [n][floats of one sample] */
enum burst_err worker_run(struct worker *w, int slot, const float *const *input, int n, float *const *ret_output,
                          int64_t deadline_ns, struct burst_error *reterr);

/* A tensor of the last worker_run of that slot, by its name or its node's: the feature map under the head, outputs, or with
 * keep_all any.
 * Given     n_ret  floats in ret
 * Returned  ret    [n of that run][floats of one sample]; *ret_n (may be NULL) how many floats those are
 * Errors    BURST_E_MISSING, BURST_E_SHAPE (ret too small), BURST_E_STATE (nothing was run) of net_read */
enum burst_err worker_read(struct worker *w, int slot, const char *name, float *ret, size_t n_ret, size_t *ret_n,
                           int64_t deadline_ns, struct burst_error *reterr);

/* One stride's look back: bins [k_first, k_first + WORKER_WINDOW_BINS) of every row. */
struct worker_window {
    int n_row, n_atom;      /* 1..WORKER_ROWS_MOST; the model's n_atom */
    int64_t k_first;        /* number of the first bin, >= 0 */
    const uint64_t *key;    /* [n_row] which detector's ring, the same from window to window; all different */
    const bool *scored;     /* [n_row] rows that go through the network; NULL: all */
    const uint32_t *counts; /* [n_row][n_atom][WORKER_WINDOW_BINS] */
    const uint8_t *valid;   /* [n_row][WORKER_WINDOW_BINS] 1 data, 0 missing */
};

/* Score a window's scored rows in one batch.
 * Returned  ret_output  [scored rows, in order][floats of one sample]
 * Notes     Only bins that differ from what the worker's rings hold travel; compared number by number, so late data are right,
 *           too. */
enum burst_err worker_window(struct worker *w, int slot, const struct worker_window *window, float *ret_output,
                             int64_t deadline_ns, struct burst_error *reterr);
/* Grad-CAM of one row of a window, as infer_explain_window.
 * Returned  ret_cam  [worker_slot()->n_cam] */
enum burst_err worker_cam(struct worker *w, int slot, const struct worker_window *window, int row, float *ret_cam,
                          int64_t deadline_ns, struct burst_error *reterr);

/* Score one sub-image.
 * Given     snr, mask   [WORKER_IMAGE_PIXELS]  as image_input
 * Returned  ret_output  [floats of one sample]
 * Errors    also BURST_E_RANGE  a pixel is not finite */
enum burst_err worker_image(struct worker *w, int slot, const float *snr, const uint8_t *mask, float *ret_output,
                            int64_t deadline_ns, struct burst_error *reterr);
/* The same sub-image with something taken away, n variants of it in one batch.
 * Given     without     [n]  a pixel 0..WORKER_IMAGE_PIXELS-1, the 5 x 5 around which become background; IMAGE_WITHOUT_SOURCES;
 *                       IMAGE_WHOLE (kernels/image_pack.h). n from 1 to WORKER_BATCH_MOST
 * Returned  ret_output  [n][floats of one sample] */
enum burst_err worker_occlude(struct worker *w, int slot, const float *snr, const uint8_t *mask, const int32_t *without,
                              int n, float *ret_output, int64_t deadline_ns, struct burst_error *reterr);

/* What the last answered job took on the worker's side, ns. */
int64_t worker_device_ns(const struct worker *w);
#endif
