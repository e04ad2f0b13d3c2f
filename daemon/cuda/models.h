/* models: the networks that burst-cuda's self-test and tuning are about. */
#ifndef BURST_DAEMON_CUDA_MODELS_H
#define BURST_DAEMON_CUDA_MODELS_H
#include "base/err.h"

/* What is done with one model, a folder or .onnx file. */
typedef enum burst_err models_visitor(void *context, const char *path, struct burst_error *reterr);

/* Visit each of model[n_model] in turn, up to the first error; the shipped ones, in the order of their names, where none is
 * given.
 *
 * Errors    BURST_E_MISSING  none is given and none is shipped;  those of the visitor */
enum burst_err models_visit(const char *const *model, int n_model, models_visitor *visit, void *context,
                            struct burst_error *reterr);
#endif
