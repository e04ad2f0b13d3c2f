/* One write per line, so that lines of several threads do not mix. */
#include "base/log.h"
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static atomic_int log_most = LOG_LEVEL_INFO; /* style.md 1 allows this one global */
static atomic_int log_journal;

void log_setup(enum log_level level, int journal)
{
    atomic_store(&log_most, (int)level);
    atomic_store(&log_journal, journal);
}

void log_line(enum log_level level, const char *format, ...)
{
    if ((int)level > atomic_load(&log_most)) return;
    char line[2048];
    int n = atomic_load(&log_journal) ? snprintf(line, sizeof line, "<%d>", (int)level) : 0;
    va_list args;
    va_start(args, format);
    (void)vsnprintf(line + n, sizeof line - (size_t)n - 1, format, args); /* a longer line is cut */
    va_end(args);
    size_t length = strlen(line);
    for (size_t i = 0; i < length; i++)
        if ((unsigned char)line[i] < 0x20 || line[i] == 0x7f) line[i] = '?';
    line[length++] = '\n';
    if (write(STDERR_FILENO, line, length) < 0) return; /* no place left to say it */
}
