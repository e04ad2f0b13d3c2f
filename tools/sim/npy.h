/* NumPy's .npy files, written row by row. */
#ifndef BURST_SIM_NPY_H
#define BURST_SIM_NPY_H
#include "base/err.h"
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Open `path` and write the header of a C-ordered little-endian array.
 * Given     type   NumPy's word: "<f4", "<i8", "|u1"
 *           shape  [n_dim], 1..4 dimensions
 * Returned  *ret_file  at the first value; the caller writes product(shape) values and closes it with npy_close
 * Errors    BURST_E_SHAPE  n_dim out of range; BURST_E_IO; *ret_file untouched */
enum burst_err npy_open(const char *path, const char *type, const size_t *shape, int n_dim, FILE **ret_file,
                        struct burst_error *reterr);
/* Close a file and report what buffered writing left unsaid. BURST_E_IO naming `path`; the file is closed in any
 * case. */
enum burst_err npy_close(FILE *file, const char *path, struct burst_error *reterr);
#endif
