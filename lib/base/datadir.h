/* Where the models, the catalogue and the schema lie. */
#ifndef BURST_BASE_DATADIR_H
#define BURST_BASE_DATADIR_H
#include "base/err.h"
#include <stddef.h>

/* The data folder: $BURST_DATADIR where set; else, going up from the running program, the first folder with
 * share/burstd/config/burstd.yaml (installed under any prefix) or config/burstd.yaml (a build inside its source tree); else the
 * one compiled in, PREFIX/share/burstd.
 * Errors    BURST_E_LIMIT  longer than `size`; ret_path untouched */
enum burst_err datadir_find(char *ret_path, size_t size, struct burst_error *reterr);
#endif
