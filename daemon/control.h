/* The command socket: a ROUTER on ipc, JSON in, JSON out (protocol.md 7). Answers status, alerts, show, quarantine and catalog;
 * refuses the rest by name. The answer to a change of the known sources waits until it is written, and holds up no other. One
 * thread: main's. */
#ifndef BURST_DAEMON_CONTROL_H
#define BURST_DAEMON_CONTROL_H
#include "daemon/pipeline.h"

struct control;

/* Bind the socket, for this user alone.
 * Errors    BURST_E_AUTH  not an ipc endpoint; BURST_E_NET; BURST_E_IO the folder or database; BURST_E_NOMEM */
enum burst_err control_open(struct pipeline *p, struct control **ret_control, struct burst_error *reterr);
/* NULL is accepted. */
void control_close(struct control *c);
/* Wait at most timeout_ms for requests and answer them. */
void control_serve(struct control *c, int timeout_ms);
#endif
