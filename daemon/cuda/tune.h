/* tune: time every engine and kernel that can compute a network on this card, in each precision, and keep the fastest. The
 * worker does a quick version of this whenever it meets a shape that the cache does not know; this one takes its minutes, once
 * for a card and a version of cuDNN. */
#ifndef BURST_DAEMON_CUDA_TUNE_H
#define BURST_DAEMON_CUDA_TUNE_H
#include "base/err.h"
#include <stdio.h>

struct tune_settings {
    int device;
    const char *cache_folder; /* where the choices go; must be there */
    const char *const *model; /* [n_model] folders or .onnx files; none: the shipped ones */
    int n_model;
    int most; /* samples of the largest batch, 1..256; smaller than 256 only where time is short */
};

/* Run it. What the cache holds of other shapes stays. Tells `out` of each network and precision, and how far it is where that
 * is a terminal.
 *
 * Returned  *ret_n_refused  networks that one precision refuses
 * Errors    BURST_E_UNSUPPORTED  no usable device;  BURST_E_DEVICE, BURST_E_TIMEOUT  it failed on the way
 *           BURST_E_MISSING      no model;  those of net_open for a model that is none
 *           BURST_E_IO           no such folder, no writing there, or `out` takes no more; *ret_n_refused untouched */
enum burst_err tune_run(const struct tune_settings *settings, FILE *out, int *ret_n_refused,
                        struct burst_error *reterr);
#endif
