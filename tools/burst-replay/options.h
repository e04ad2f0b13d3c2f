/* Arguments of burst-replay. */
#ifndef BURST_REPLAY_OPTIONS_H
#define BURST_REPLAY_OPTIONS_H
#include "records/source.h"

enum { EXIT_DONE = 0, EXIT_REFUSED = 1, EXIT_USAGE = 2, EXIT_CONFIG = 3, EXIT_IO = 4 }; /* protocol.md 8 */

struct options {
    const char *live, *history, *topic; /* topic NULL: by mission, instrument and realm */
    enum burst_realm realm;
    double speed; /* times the data's own pace; 0: as fast as possible */
    double chunk_s, wait_s, gap_s;
    double linger_s; /* negative: until a signal */
    double keep_mib;
    int n_file;
    char **file;
};

/* Returns -1 to go on, else the exit status: help was printed or something refused. */
int options_parse(int argc, char **argv, struct options *ret_options);
#endif
