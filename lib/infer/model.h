/* What a model file says of itself (protocol.md 10), checked against what this program does. */
#ifndef BURST_INFER_MODEL_H
#define BURST_INFER_MODEL_H
#include "infer/infer.h"

/* Read and check the metadata and the shapes of a light-curve network.
 * Given     path  as it was opened: the model's name comes from it
 * Errors    BURST_E_MODEL  a key is absent, no JSON, or says something else than this program does
 *           BURST_E_SHAPE  input or output of another shape; *ret untouched in every case */
enum burst_err model_read_lightcurve(const struct net *net, const char *path, struct infer_model *ret,
                                     struct burst_error *reterr);
/* The same for an image network. */
enum burst_err model_read_image(const struct net *net, const char *path, struct infer_model *ret,
                                struct burst_error *reterr);
#endif
