#include "progress.h"
#include "base/clock.h"
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { BAR = 30 };

void progress_init(struct progress *p)
{
    *p = (struct progress){.terminal = isatty(STDERR_FILENO) == 1};
}

void progress_show(struct progress *p, size_t done, size_t all, int64_t tt_ns, const char *what)
{
    char bar[BAR + 1], now[CLOCK_UTC_TEXT];
    int64_t mono = clock_mono_ns();
    if (!p->terminal || mono - p->drawn_ns < CLOCK_NS_PER_S / 10) return;
    p->drawn_ns = mono;
    size_t n = all ? done * BAR / all : 0;
    memset(bar, '#', n);
    memset(bar + n, '.', BAR - n);
    bar[BAR] = 0;
    clock_utc_text(tt_ns, now);
    (void)fprintf(stderr, "\r[%s] %3zu %%  %.19s  %zu/%zu  %s\033[K", bar, all ? 100 * done / all : 0, now, done, all,
                  what);
    (void)fflush(stderr);
}

void progress_end(struct progress *p)
{
    if (p->terminal) (void)fputs("\r\033[K", stderr);
    p->drawn_ns = 0;
}
