/* infer: samples to scores, and why. Holds the two networks (either may be absent), checks at opening that their metadata
 * say exactly what this program does with a sample, and refuses a model that was made for other bands, bins or masks.
 * One thread at a time. All memory is taken at opening. */
#ifndef BURST_INFER_INFER_H
#define BURST_INFER_INFER_H
#include "kernels/image_input.h"
#include "net/net.h"
#include "records/score.h"

struct infer;

struct infer_settings {
    const char *light_curve; /* folder or .onnx file; NULL or "": none */
    const char *image;
    enum net_backend_id backend;
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
 * Returned  ret  window and model set; logit and p of the mean of the best min(3, n) rows
 * Errors    BURST_E_STATE  no light-curve network; BURST_E_MISSING  no row is scored
 *           BURST_E_MODEL  the window's bands are not the network's, or an answer is not finite
 *           those of net_run; ret untouched
 * Source    protocol.md 6 "When" */
enum burst_err infer_window(struct infer *infer, const struct lightcurve_window *w, struct window_score *ret,
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
 * Errors    BURST_E_STATE  no image network; BURST_E_RANGE  a pixel is not finite; BURST_E_MODEL  the answer is not finite;
 *           those of net_run; ret untouched */
enum burst_err infer_image(struct infer *infer, const struct image_sample *sample, struct image_score *ret,
                           struct burst_error *reterr);

/* Occlusion: every 5 x 5 neighbourhood in turn becomes background (SNR 0, mask 1; pixels without data stay as they are).
 *
 * Returned  ret  drop[z][y] = logit of the sample - logit of the changed one; p with the centre removed; p with every
 *                known source of the mask declared background (negative where the mask has none)
 * Errors    those of infer_image
 * Notes     3,138 small forward passes in batches. */
enum burst_err infer_explain_image(struct infer *infer, const struct image_sample *sample,
                                   struct image_explanation *ret, struct burst_error *reterr);

enum { INFER_EXPLAIN_PIXELS = IMAGE_SIDE * IMAGE_SIDE };

/* The same a part at a time, so that an alert need not wait for the explanation of the one before.
 *
 * Given     n_pixel  how many more pixels, at least 1
 *           *done    0 the first time; the sample and x are then those of the first call
 * Returned  *done    pixels occluded so far; at INFER_EXPLAIN_PIXELS x is complete
 * Errors    as infer_explain_image; *done then stays, and the part may be tried again */
enum burst_err infer_explain_image_part(struct infer *infer, const struct image_sample *sample, int n_pixel, int *done,
                                        struct image_explanation *x, struct burst_error *reterr);
#endif
