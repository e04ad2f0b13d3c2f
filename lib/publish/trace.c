/* Lines are gathered for a window and written at once. */
#include "publish/trace.h"
#include "base/bytes.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { TOPIC_TEXT = 64, LINE_MOST = TOPIC_TEXT + 128 };

struct window_trace {
    int file;
    char text[DETECTOR_MAX * LINE_MOST];
};

/* A process that was killed may have left part of a line: the next one begins on a line of its own. */
static bool end_line(int file)
{
    char last = '\n';
    off_t n = lseek(file, 0, SEEK_END);
    if (n > 0 && pread(file, &last, 1, n - 1) != 1) return false;
    return last == '\n' || write(file, "\n", 1) == 1;
}

enum burst_err window_trace_open(const char *path, struct window_trace **ret_trace, struct burst_error *reterr)
{
    struct window_trace *t = malloc(sizeof *t);
    if (!t) return burst_fail(reterr, BURST_E_NOMEM, "no memory for a trace of windows");
    t->file = open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
    if (t->file < 0) {
        free(t);
        return burst_fail(reterr, BURST_E_IO, "%s: %s", path, strerror(errno));
    }
    if (!end_line(t->file)) {
        enum burst_err err = burst_fail(reterr, BURST_E_IO, "%s: %s", path, strerror(errno));
        window_trace_close(t);
        return err;
    }
    *ret_trace = t;
    return BURST_OK;
}

void window_trace_close(struct window_trace *t)
{
    if (!t) return;
    (void)close(t->file); /* every line has been written */
    free(t);
}

static size_t line_put(const struct lightcurve_window *w, int row, const char *topic, char *to)
{
    uint8_t digest[32];
    char hex[65];
    window_row_sha256(w, row, digest);
    bytes_hex(digest, sizeof digest, hex);
    int n = snprintf(to, LINE_MOST, "%s,%lld,%d,%d,%d,%s\n", topic, (long long)w->k_end, w->detector[row],
                     w->n_valid[row], w->incomplete, hex);
    return n < 0 ? 0 : (size_t)n;
}

enum burst_err window_trace_add(struct window_trace *t, const struct lightcurve_window *w, struct burst_error *reterr)
{
    char topic[TOPIC_TEXT];
    size_t n = 0, done = 0;
    if (source_topic(w->source, NULL, topic, sizeof topic))
        return burst_fail(reterr, BURST_E_UNSUPPORTED, "a window of no known instrument");
    for (int row = 0; row < w->n_detector; row++)
        n += line_put(w, row, topic, t->text + n);
    while (done < n) {
        ssize_t wrote = write(t->file, t->text + done, n - done);
        if (wrote < 0 && errno == EINTR) continue;
        if (wrote <= 0) return burst_fail(reterr, BURST_E_IO, "the trace of windows: %s", strerror(errno));
        done += (size_t)wrote;
    }
    return BURST_OK;
}
