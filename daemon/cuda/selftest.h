/* selftest: is this card, with this driver and this cuDNN, fit to judge? Prints what is there, holds every network's answers beside
 * the golden ones and beside plain C, in every precision, and times them. For a person with a new card. */
#ifndef BURST_DAEMON_CUDA_SELFTEST_H
#define BURST_DAEMON_CUDA_SELFTEST_H
#include "base/err.h"
#include <stdint.h>
#include <stdio.h>

struct selftest_settings {
    int device;
    const char *cache_folder; /* NULL: none */
    const char *const
        *model; /* [n_model] folders or .onnx files with test_data_set_N beside them; none: the shipped ones */
    int n_model;
    int most;            /* samples of the largest batch, 1..256; smaller than 256 only where time is short */
    int64_t patience_ns; /* how long one answer may take; 0: 60 s */
};

/* Run it, writing a table to `out`.
 *
 * Returned  *ret_n_wrong  answers outside their tolerance, and networks that one precision refuses
 * Errors    BURST_E_UNSUPPORTED  no usable device;  BURST_E_DEVICE  it failed on the way
 *           BURST_E_TIMEOUT      no answer within the patience: that is none, not a wrong one
 *           BURST_E_MISSING      no model; those of net_open and net_check for a model that plain C refuses, too
 *           BURST_E_IO           `out` takes no more; *ret_n_wrong untouched */
enum burst_err selftest_run(const struct selftest_settings *settings, FILE *out, int *ret_n_wrong,
                            struct burst_error *reterr);
#endif
