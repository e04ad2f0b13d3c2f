/* The inside of struct infer, for infer.c and explain.c. */
#ifndef BURST_INFER_INSIDE_H
#define BURST_INFER_INSIDE_H
#include "infer/infer.h"

enum { IMAGE_PIXELS = IMAGE_SIDE * IMAGE_SIDE, IMAGE_BATCH = 32, LOGIT_MOST = 2 };
_Static_assert((int)IMAGE_BATCH >= (int)DETECTOR_MAX, "one array holds the answers of either network");

struct infer {
    struct net *lightcurve, *image;
    struct infer_model lightcurve_model, image_model;
    bool has_head; /* the light-curve network can be explained */
    struct net_head head;
    struct burst_error no_head; /* why not */
    float *input;               /* one batch of either network */
    float *feature;             /* [n_channel][n_position] of the head */
    float logits[IMAGE_BATCH * LOGIT_MOST];
};

/* logit(true) - logit(false) of row i of infer->logits. */
double infer_logit(const struct infer *infer, const struct infer_model *m, int i);
/* 1 / (1 + exp(-logit / temperature)). */
double infer_probability(const struct infer_model *m, double logit);
/* The bands of a window must be those of the network. BURST_E_MODEL names the first that is not. */
enum burst_err infer_bands_check(const struct infer *infer, const struct lightcurve_window *w,
                                 struct burst_error *reterr);
/* Standardise a row of a window into row i of infer->input. */
void infer_row_input(struct infer *infer, const struct lightcurve_window *w, int row, int i);
/* Run n samples of infer->input; answers that are not finite are BURST_E_MODEL. */
enum burst_err infer_run(struct infer *infer, struct net *net, const struct infer_model *m, int n,
                         struct burst_error *reterr);
/* Grad-CAM of row 0 of infer->input; ret->detector is left to the caller. Errors as infer_explain_window. */
enum burst_err infer_cam(struct infer *infer, struct window_explanation *ret, struct burst_error *reterr);
#endif
