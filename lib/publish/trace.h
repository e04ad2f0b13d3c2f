/* A line per window and detector with the digest of what the networks were given: two sites, two runs or a day
 * with losses and one without are compared line by line, bin for bin. The digest is the `input_sha256` that
 * evidence carries (protocol.md 6). Windows of data that came too late for the rings are the caller's to leave
 * out: their order is that of their coming. */
#ifndef BURST_PUBLISH_TRACE_H
#define BURST_PUBLISH_TRACE_H
#include "base/err.h"
#include "records/sample.h"

struct window_trace;

/* Append to a file, made when absent.
 * Errors  BURST_E_IO, BURST_E_NOMEM; *ret_trace untouched */
enum burst_err window_trace_open(const char *path, struct window_trace **ret_trace, struct burst_error *reterr);
/* NULL is accepted. */
void window_trace_close(struct window_trace *t);

/* Write the lines of a window: topic,k_end,detector,n_valid,incomplete,sha256 with detectors from 0.
 * Errors  BURST_E_IO           the window's lines may be there in part
 *         BURST_E_UNSUPPORTED  no known instrument
 * Notes   The lines have left the process when this returns: what a killed daemon had judged is in the file. A
 *         daemon that reads its input again writes lines again, the same ones if all is well. */
enum burst_err window_trace_add(struct window_trace *t, const struct lightcurve_window *w, struct burst_error *reterr);
#endif
