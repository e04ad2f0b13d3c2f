/* Arguments of burst-classify. */
#ifndef BURST_CLASSIFY_OPTIONS_H
#define BURST_CLASSIFY_OPTIONS_H
#include "config/config.h"
#include <stdbool.h>

enum { EXIT_DONE = 0, EXIT_REFUSED = 1, EXIT_USAGE = 2, EXIT_CONFIG = 3, EXIT_IO = 4 }; /* protocol.md 8 */

struct options {
    struct burst_config config;
    bool json;
    int n_file;
    char **file;
};

/* Returns -1 to go on, else the exit status: help was printed or something refused. */
int options_parse(int argc, char **argv, struct options *ret_options);
#endif
