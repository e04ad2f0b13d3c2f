/* infer: samples to scores, and why. Holds the two networks (either may be absent), checks at opening that their
 * metadata say exactly what this program does with a sample, and refuses a model that was made for other bands, bins or
 * masks. Where a GPU is asked for, it answers while device.h believes it; this process's own networks answer otherwise,
 * within the same call. Which of the two it was stands in the score's model.backend and nowhere else: logits are told
 * in steps of INFER_LOGIT_STEP. One thread at a time. All memory is taken at opening. */
#ifndef BURST_INFER_INFER_H
#define BURST_INFER_INFER_H
#include "infer/device.h"
#include "kernels/image_input.h"
#include "net/net.h"
#include "records/score.h"

struct infer;

/* Scores are rounded to multiples of this, halves away from zero. Two backends agree to some 1e-5 of a logit, not to
 * the bit: told in these steps they tell the same but in the one case of many in which an edge lies between them
 * (docs/decisions/0013-gpu-worker.md). A step is at most 0.001 of probability, the last digit that a sentence of a
 * verdict shows. */
#define INFER_LOGIT_STEP (1.0 / 256)

/* Which answers of the GPU are computed here, too, before they are told. */
enum infer_cross_check { INFER_CROSS_OFF, INFER_CROSS_TRIGGERS, INFER_CROSS_ALL }; /* none; sub-images; windows, too */

struct infer_settings {
    const char *light_curve; /* folder or .onnx file; NULL or "": none */
    const char *image;
    enum net_backend_id backend;
    const struct device_settings *gpu; /* lent for the call; NULL: none is asked for */
    enum infer_cross_check cross_check;
};

/* What a model file says of itself. */
struct infer_model {
    struct model_tag tag; /* name: models/<name>/<version>, else the file's name without ".onnx" */
    int n_band;
    float band_kev[BAND_MAX][2];  /* light curves: burst.bands_kev, in the order of the network's input */
    struct image_scaling scaling; /* images: burst.image_clip, burst.image_scale, burst.mask_encoding */
    int n_logit;                  /* 1: logit of true; 2: [false, true] in the order of burst.classes */
    int true_index;               /* of the class that is a burst, where n_logit is 2 */
};

/* Open the networks that are named.
 *
 * Errors    BURST_E_CONFIG  no network named
 *           BURST_E_MODEL   metadata absent, not JSON, or not what this program does: key and value are named
 *           BURST_E_SHAPE   inputs or outputs of another shape; those of net_open. *ret untouched in every case */
enum burst_err infer_open(const struct infer_settings *settings, struct infer **ret, struct burst_error *reterr);
/* NULL is accepted. */
void infer_close(struct infer *infer);

/* The models, or NULL where none is open. They live as long as `infer`. */
const struct infer_model *infer_lightcurve_model(const struct infer *infer);
const struct infer_model *infer_image_model(const struct infer *infer);

/* Score every scored row of a window in one batch.
 *
 * Returned  ret  window and model set, model.backend being who answered; logit and p of the mean of the best
 *                min(3, n) rows
 * Errors    BURST_E_STATE  no light-curve network; BURST_E_MISSING  no row is scored
 *           BURST_E_MODEL  the window's bands are not the network's, or an answer is not finite
 *           those of net_run; ret untouched
 * Source    protocol.md 6 "When" */
enum burst_err infer_window(struct infer *infer, const struct lightcurve_window *w, struct window_score *ret,
                            struct burst_error *reterr);

/* The same where nobody waits for the answer: archival windows, which must not delay live ones on the GPU. */
enum burst_err infer_window_background(struct infer *infer, const struct lightcurve_window *w, struct window_score *ret,
                                       struct burst_error *reterr);

/* Grad-CAM of one row: which parts of the 120 s the burst class rests on.
 *
 * Given     row  0..n_detector-1
 * Returned  ret  cam[t] = max(0, sum over channels k of g_k A[k][t]); A is the feature map under the global average
 *                pooling, g_k = d logit(burst) / d A[k][t] by the chain rule through the dense head (the same for every
 *                t: the pooling divides by the number of positions). For a one-logit network logit(burst) is that logit.
 * Errors    BURST_E_UNSUPPORTED  the network has no global pooling with a dense head; those of infer_window
 * Source    Selvaraju et al. 2017; equal to PyTorch's autograd within rounding */
enum burst_err infer_explain_window(struct infer *infer, const struct lightcurve_window *w, int row,
                                    struct window_explanation *ret, struct burst_error *reterr);

/* Score a sub-image.
 * Errors    BURST_E_STATE  no image network; BURST_E_RANGE  a pixel is not finite
 *           BURST_E_MODEL  the answer is not finite; those of net_run; ret untouched */
enum burst_err infer_image(struct infer *infer, const struct image_sample *sample, struct image_score *ret,
                           struct burst_error *reterr);

enum { INFER_EXPLAIN_PIXELS = IMAGE_SIDE * IMAGE_SIDE, INFER_EXPLAIN_MOST = DEVICE_PARTS_MOST - 2 };

/* Occlusion: every 5 x 5 neighbourhood in turn becomes background (SNR 0, mask 1; pixels without data stay as they
 * are). A part at a time, so that an alert need not wait for the explanation of the one before.
 *
 * Given     n_pixel  how many more pixels, at least 1; more than INFER_EXPLAIN_MOST are that many
 *           *done    0 the first time; the sample and x are then those of the first call
 * Returned  x        drop[z][y] = logit of the sample - logit of the changed one, not rounded; p with the centre
 *                    removed; p with every known source of the mask declared background (negative where it has none)
 *           *done    pixels occluded so far; at INFER_EXPLAIN_PIXELS x is complete
 * Errors    as infer_image; *done then stays, and the part may be tried again
 * Notes     3,136 small forward passes in all. */
enum burst_err infer_explain_image_part(struct infer *infer, const struct image_sample *sample, int n_pixel, int *done,
                                        struct image_explanation *x, struct burst_error *reterr);

/* ---- the GPU ---- */

/* Keep the lanes to the GPU going: device_step. Returned  ms until it wants to be called again, 1..200 */
int infer_step(struct infer *infer, int64_t now_ns);
/* Is it used for live windows or sub-images now? For explanations of sub-images, so that larger parts are quick? */
bool infer_gpu_alerts(const struct infer *infer);
bool infer_gpu_explains(const struct infer *infer);
/* For programs that have nothing else to do: step until it is used, or until it failed for the first time, at most
 * limit_ns long.
 * Returned  infer_gpu_alerts */
bool infer_gpu_wait(struct infer *infer, int64_t limit_ns);
/* False, ret untouched, where none was asked for. Where a lane could not even be made, all is DEVICE_OFF and `why` says
 * it. */
bool infer_gpu_status(const struct infer *infer, struct device_status *ret);
/* device_event; false where none was asked for. */
bool infer_gpu_event(struct infer *infer, struct device_event *ret);
#endif
