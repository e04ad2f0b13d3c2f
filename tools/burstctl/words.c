/* Telling people: errors, help, text made safe for a terminal. */
#include "burstctl.h"
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int tell_error(const char *name, const struct burst_error *error)
{
    (void)fprintf(stderr, "burstctl %s: %s\n", name, clean(error->text)); /* nowhere else to say it */
    switch (error->code) {
    case BURST_E_CONFIG:
    case BURST_E_MODEL: return EXIT_CONFIG;
    case BURST_E_IO:
    case BURST_E_NET:
    case BURST_E_TIMEOUT: return EXIT_IO;
    default: return EXIT_REFUSED;
    }
}

int tell_usage(const char *name, const char *text)
{
    (void)fprintf(stderr, "burstctl %s: %s; try burstctl %s --help\n", name, clean(text), name);
    return EXIT_USAGE;
}

int tell_help(const char *help)
{
    (void)fputs(help, stdout); /* a failure shows in the flush */
    return finish_output("help");
}

int finish_output(const char *name)
{
    if (fflush(stdout) == 0 && !ferror(stdout)) return EXIT_DONE;
    (void)fprintf(stderr, "burstctl %s: standard output: %s\n", name, strerror(errno));
    return EXIT_IO;
}

const char *clean(const char *text)
{
    enum { KEPT = 3, ROOM = 1024 };
    static char kept[KEPT][ROOM];
    static int next;
    char *out = kept[next = (next + 1) % KEPT];
    size_t n = 0;
    for (; text[n] && n < ROOM - 1; n++)
        out[n] = (unsigned char)text[n] < 0x20 || text[n] == 0x7f ? '?' : text[n];
    out[n] = 0;
    return out;
}

bool colour_wanted(void)
{
    const char *no = getenv("NO_COLOR"), *term = getenv("TERM");
    return isatty(STDOUT_FILENO) && !(no && *no) && !(term && strcmp(term, "dumb") == 0);
}

bool parse_int(const char *text, long least, long most, long *ret_value)
{
    char *end;
    errno = 0;
    long value = strtol(text, &end, 10);
    if (errno || end == text || *end || value < least || value > most) return false;
    *ret_value = value;
    return true;
}

int read_config(const char *name, const char *path, struct burst_config *ret_config)
{
    static struct config_faults faults;
    char line[1024];
    config_defaults(ret_config);
    if (!path || config_read(path, ret_config, &faults) == BURST_OK) return EXIT_DONE;
    for (int i = 0; i < faults.n; i++) {
        config_fault_text(path, &faults.fault[i], line, sizeof line);
        (void)fprintf(stderr, "burstctl %s: %s\n", name, clean(line));
    }
    return EXIT_CONFIG;
}
