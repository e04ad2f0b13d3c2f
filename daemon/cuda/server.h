/* server: who may come in, and who is stuck. Listens, gives each client's lane a thread, watches that nothing is under way longer
 * than it may be, and tells the service manager. */
#ifndef BURST_DAEMON_CUDA_SERVER_H
#define BURST_DAEMON_CUDA_SERVER_H
#include "base/err.h"
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

enum { SERVER_LANES = 8 };

struct server_settings {
    const char *socket; /* path */
    int device;
    const char *cache_folder; /* NULL: none */
    int64_t patience_ns;      /* a network that takes longer to open counts as stuck */
    bool once;                /* for a client that started us: end with its last lane, or when none comes */
};

/* Serve until *stop.
 *
 * Given     settings   lent
 *           stop       set by a signal handler; its signals are blocked but while this waits
 *           waiting    signal mask to wait with
 * Errors    BURST_E_UNSUPPORTED  no usable device;  BURST_E_DEVICE  it fails;  BURST_E_LIMIT  the path is too long
 *           BURST_E_CONFLICT     another process listens there;  BURST_E_IO  the system refused the socket or a thread
 * Notes     A lane that is stuck in the driver past its limit ends the process: _exit(LANE_DEVICE_FAILED). */
enum burst_err server_run(const struct server_settings *settings, const volatile sig_atomic_t *stop,
                          const sigset_t *waiting, struct burst_error *reterr);
#endif
