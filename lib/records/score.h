/* score: what the networks answered about a sample. Made by infer. */
#ifndef BURST_RECORDS_SCORE_H
#define BURST_RECORDS_SCORE_H
#include "records/sample.h"

enum { CAM_MAX = 256, MODEL_NAME_TEXT = 48, BACKEND_TEXT = 8 };

/* Which network answered. */
struct model_tag {
    char name[MODEL_NAME_TEXT], version[16];
    char sha256[65];            /* hex, of model.onnx */
    char backend[BACKEND_TEXT]; /* "plain", "cpu" or "cuda" */
    double temperature;         /* logits are divided by it before a probability is told */
    double open, low, high;     /* burst.thresholds: detector vote, called false at or under, called true at or over */
};

/* logit = logit(true) - logit(false), uncalibrated; p = 1 / (1 + exp(-logit / temperature)). */
struct detector_score {
    int detector;
    double logit, p;
};

struct window_score {
    const struct lightcurve_window *window; /* lent */
    struct model_tag model;
    int n_score;
    struct detector_score score[DETECTOR_MAX]; /* of the rows that were scored */
    double logit; /* mean logit of the best min(3, n) detectors (protocol.md 6 "When"); p likewise calibrated */
    double p;
    double infer_s;
};

/* Grad-CAM of one detector's window: one weight per bin of the last feature map, stretched over the 1,875 bins. */
struct window_explanation {
    int detector;
    int n_cam;
    float cam[CAM_MAX]; /* >= 0 */
};

struct image_score {
    const struct image_sample *sample; /* lent */
    struct model_tag model;
    double logit, p;
    double infer_s;
};

/* Occlusion: how far the logit falls when the 5 x 5 pixels around [z][y] become background. */
struct image_explanation {
    float drop[IMAGE_SIDE][IMAGE_SIDE];
    double p_without_centre;  /* p with the 5 x 5 pixels at the trigger removed */
    double p_without_sources; /* p with known sources declared background; negative where there are none */
};
#endif
