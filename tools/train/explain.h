/* Answers with their Grad-CAM for Python: the arithmetic of lib/infer's explanations, on windows of any origin. */
#ifndef BURST_TRAIN_EXPLAIN_H
#define BURST_TRAIN_EXPLAIN_H
#include "base/err.h"
#include <stddef.h>
#include <stdint.h>

/* A network and its dense head; for one caller at a time. */
struct explainer;

/* Sizes of one sample. */
struct explainer_shape {
    int64_t n_in, n_out;
    int64_t n_position; /* of the map: positions of the last feature map */
};

/* Open a network with one input and one output that ends in a global average pooling and dense layers.
 *
 * Given     path  an .onnx file, or a folder with model.onnx
 * Returned  *ret  closed with explainer_close; *ret_shape
 * Errors    those of net_open; BURST_E_UNSUPPORTED  the network ends otherwise; BURST_E_MISSING  a NULL
 *           BURST_E_NOMEM. Outputs untouched */
enum burst_err explainer_open(const char *path, struct explainer **ret, struct explainer_shape *ret_shape,
                              struct burst_error *reterr);
/* NULL is accepted. */
void explainer_close(struct explainer *x);

/* Answer n samples and explain one of the answer's numbers, one sample after the other.
 *
 * Given     input  [n][n_in];  index  0..n_out - 1: the number to be explained
 * Returned  ret_output [n][n_out];  ret_cam [n][n_position], as cam_one of kernels/cam.h
 * Errors    BURST_E_RANGE  index; BURST_E_MISSING  a NULL; those of net_run and net_read
 * Source    Selvaraju et al. 2017 */
enum burst_err explainer_run(struct explainer *x, const float *input, size_t n, int index, float *ret_output,
                             float *ret_cam, struct burst_error *reterr);
#endif
