/* Error codes and their sentences. */
#include "base/err.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char *const NAMES[BURST_E_N] = {
    [BURST_OK] = "ok",
    [BURST_E_NOMEM] = "nomem",
    [BURST_E_IO] = "io",
    [BURST_E_SHAPE] = "shape",
    [BURST_E_RANGE] = "range",
    [BURST_E_FORMAT] = "format",
    [BURST_E_TRUNCATED] = "truncated",
    [BURST_E_LIMIT] = "limit",
    [BURST_E_UNSUPPORTED] = "unsupported",
    [BURST_E_MISSING] = "missing",
    [BURST_E_DUPLICATE] = "duplicate",
    [BURST_E_CONFLICT] = "conflict",
    [BURST_E_LATE] = "late",
    [BURST_E_TIME] = "time",
    [BURST_E_MODEL] = "model",
    [BURST_E_CONFIG] = "config",
    [BURST_E_STATE] = "state",
    [BURST_E_TIMEOUT] = "timeout",
    [BURST_E_GONE] = "gone",
    [BURST_E_FULL] = "full",
    [BURST_E_NET] = "net",
    [BURST_E_AUTH] = "auth",
    [BURST_E_DEVICE] = "device",
    [BURST_E_INTERNAL] = "internal",
};

const char *burst_err_name(enum burst_err code)
{
    return (unsigned)code < BURST_E_N ? NAMES[code] : "unknown";
}

enum burst_err burst_fail(struct burst_error *reterr, enum burst_err code, const char *format, ...)
{
    if (!reterr) return code;
    va_list args;
    va_start(args, format);
    (void)vsnprintf(reterr->text, sizeof reterr->text, format, args); /* a longer sentence is cut, never refused */
    va_end(args);
    reterr->code = code;
    return code;
}

enum burst_err burst_prefix(struct burst_error *reterr, enum burst_err code, const char *prefix)
{
    if (!reterr) return code;
    char old[sizeof reterr->text];
    memcpy(old, reterr->text, sizeof old);
    old[sizeof old - 1] = 0;
    return burst_fail(reterr, code, "%.160s: %.300s", prefix, old);
}
