/* Networks of the C runtime for Python: parity checks, and many windows at once. */
#ifndef BURST_TRAIN_NET_H
#define BURST_TRAIN_NET_H
#include "base/err.h"
#include <stddef.h>
#include <stdint.h>

/* The same network once per thread; for one caller at a time. */
struct evaluator;

enum { EVALUATOR_BATCH_MOST = 1024, EVALUATOR_THREADS_MOST = 64, EVALUATOR_DIMS = 8 };

/* Open a network with one input and one output.
 *
 * Given     path      an .onnx file, or a folder with model.onnx
 *           backend   "auto", "plain" or "cpu"
 *           batch     samples run together, 1..EVALUATOR_BATCH_MOST
 *           n_thread  1..EVALUATOR_THREADS_MOST
 * Returned  *ret      closed with evaluator_close
 * Errors    those of net_open and backend_parse; BURST_E_RANGE  batch or n_thread; BURST_E_MISSING  a NULL
 *           BURST_E_UNSUPPORTED  more than one input or output */
enum burst_err evaluator_open(const char *path, const char *backend, int batch, int n_thread, struct evaluator **ret,
                              struct burst_error *reterr);
/* NULL is accepted. */
void evaluator_close(struct evaluator *e);

/* Sizes of one sample, without the batch. Returned: *ret_n_dim, ret_dim [EVALUATOR_DIMS]. BURST_E_MISSING, BURST_E_LIMIT. */
enum burst_err evaluator_input(const struct evaluator *e, int *ret_n_dim, int64_t *ret_dim, struct burst_error *reterr);
enum burst_err evaluator_output(const struct evaluator *e, int *ret_n_dim, int64_t *ret_dim,
                                struct burst_error *reterr);

/* Run n samples, any number.
 *
 * Given     input [n][n_in]  n_in, n_out: elements of one sample, as the caller believes
 * Returned  ret_output [n][n_out]
 * Errors    BURST_E_SHAPE  n_in or n_out is not the network's; BURST_E_MISSING; those of net_run */
enum burst_err evaluator_run(struct evaluator *e, const float *input, size_t n, size_t n_in, float *ret_output,
                             size_t n_out, struct burst_error *reterr);

/* Value of a metadata key (JSON text for "burst." keys), or NULL; the i-th key, or NULL past the last. Live until closing. */
const char *evaluator_meta(const struct evaluator *e, const char *key);
const char *evaluator_meta_key(const struct evaluator *e, int i);
/* SHA-256 of the file in hex; the backend that answers. Live until closing. */
const char *evaluator_sha256(const struct evaluator *e);
const char *evaluator_backend(const struct evaluator *e);
int64_t evaluator_n_parameter(const struct evaluator *e);
#endif
