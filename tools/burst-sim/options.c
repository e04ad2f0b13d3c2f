/* Arguments checked, errors told, progress shown. */
#include "commands.h"
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void progress_show(const char *what, size_t done, size_t total)
{
    enum { WIDTH = 40 };
    static const char BAR[WIDTH + 1] = "########################################";
    if (!isatty(STDERR_FILENO)) return;
    if (done != total && done % (total / 200 + 1) != 0) return;
    int filled = (int)((double)WIDTH * (double)done / (double)total);
    (void)fprintf(stderr, "\r%s [%.*s%*s] %zu/%zu%s", what, filled, BAR, WIDTH - filled, "", done, total,
                  done == total ? "\n" : "");
}

int fail_with(const struct burst_error *err)
{
    (void)fprintf(stderr, "burst-sim: %s\n", err->text);
    return EXIT_FAILED;
}

int option_count(const char *name, const char *text, uint64_t least, uint64_t most, uint64_t *ret_value)
{
    char *end = NULL;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || text[0] == '-' || value < least || value > most) {
        (void)fprintf(stderr, "burst-sim: --%s %s: a whole number from %llu to %llu is needed\n", name, text,
                      (unsigned long long)least, (unsigned long long)most);
        return 0;
    }
    *ret_value = value;
    return 1;
}

int option_number(const char *name, const char *text, double least, double most, double *ret_value)
{
    char *end = NULL;
    double value = strtod(text, &end);
    if (end == text || *end != '\0' || !(value >= least && value <= most)) {
        (void)fprintf(stderr, "burst-sim: --%s %s: a number from %g to %g is needed\n", name, text, least, most);
        return 0;
    }
    *ret_value = value;
    return 1;
}

int option_word(const char *name, const char *text, const char *const *words, int n_word, int *ret_index)
{
    for (int i = 0; i < n_word; i++)
        if (strcmp(text, words[i]) == 0) {
            *ret_index = i;
            return 1;
        }
    (void)fprintf(stderr, "burst-sim: --%s %s: not one of", name, text);
    for (int i = 0; i < n_word; i++)
        (void)fprintf(stderr, " %s", words[i]);
    (void)fprintf(stderr, "\n");
    return 0;
}
