/* The inside of struct infer, for infer.c, own.c, explain.c and gpu.c. */
#ifndef BURST_INFER_INSIDE_H
#define BURST_INFER_INSIDE_H
#include "infer/infer.h"

enum { IMAGE_PIXELS = IMAGE_SIDE * IMAGE_SIDE, IMAGE_BATCH = 32, LOGIT_MOST = 2 };
_Static_assert((int)IMAGE_BATCH >= (int)DETECTOR_MAX, "one array holds the inputs of either network");

struct infer {
    struct net *lightcurve, *image;
    struct infer_model lightcurve_model, image_model;
    bool has_head; /* the light-curve network can be explained */
    struct net_head head;
    struct burst_error no_head; /* why not */
    float *input;               /* one batch of either network */
    float *feature;             /* [n_channel][n_position] of the head */
    float logits[DEVICE_PARTS_MOST * LOGIT_MOST], checked[DETECTOR_MAX * LOGIT_MOST];
    bool gpu_asked;
    struct device *device;              /* NULL: none is asked for, or it could not be made */
    bool gpu_told;                      /* that it could not be made */
    bool gpu_given;                     /* the device has the networks */
    char *lightcurve_path, *image_path; /* until then; NULL: not named, or no GPU is asked for */
    struct burst_error no_gpu;
    enum infer_cross_check cross_check;
};

/* logit(true) - logit(false) of row i of infer->logits, as the network said it. */
double infer_logit(const struct infer *infer, const struct infer_model *m, int i);
/* The nearest multiple of INFER_LOGIT_STEP. */
double infer_told(double logit);
/* 1 / (1 + exp(-logit / temperature)). */
double infer_probability(const struct infer_model *m, double logit);
/* The bands of a window must be those of the network. BURST_E_MODEL names the first that is not. */
enum burst_err infer_bands_check(const struct infer *infer, const struct lightcurve_window *w,
                                 struct burst_error *reterr);

/* ---- own.c: this process's networks ---- */

/* Grad-CAM of row 0 of infer->input; ret->detector is left to the caller. Errors as infer_explain_window. */
enum burst_err infer_cam(struct infer *infer, struct window_explanation *ret, struct burst_error *reterr);
/* struct device_own's functions; `context` is the struct infer. Answers that are not finite are BURST_E_MODEL. */
enum burst_err own_window(void *context, const struct lightcurve_window *w, float *ret_logits,
                          struct burst_error *reterr);
enum burst_err own_cam(void *context, const struct lightcurve_window *w, int row, float *ret_cam,
                       struct burst_error *reterr);
enum burst_err own_image(void *context, const struct image_sample *s, float *ret_logits, struct burst_error *reterr);
enum burst_err own_occlude(void *context, const struct image_sample *s, const int32_t *without, int n,
                           float *ret_logits, struct burst_error *reterr);

/* ---- gpu.c ---- */

/* Lanes for the networks that are open. What goes wrong here costs the GPU alone: infer->no_gpu. */
void gpu_open(struct infer *infer, const struct infer_settings *settings);
#endif
