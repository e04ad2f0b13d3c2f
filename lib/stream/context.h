/* ZeroMQ's context, and which endpoints a socket of ours may use. One context per process; inproc:// endpoints meet only
 * inside one. Refuses every transport but tcp on the loopback interface, ipc and inproc: without CURVE keys anybody could
 * speak. Source: protocol.md 9. */
#ifndef BURST_STREAM_CONTEXT_H
#define BURST_STREAM_CONTEXT_H
#include "base/err.h"

struct stream_context;

/* Errors    BURST_E_NOMEM, BURST_E_NET; *ret_c untouched */
enum burst_err stream_context_open(struct stream_context **ret_c, struct burst_error *reterr);
/* Waits until what the closed publishers still had to send is on its way, or their linger has ended. All publishers and
 * subscribers of the context must be closed first. NULL is accepted. */
void stream_context_close(struct stream_context *c);

/* May this endpoint be bound or connected to without keys?
 * Errors    BURST_E_AUTH         tcp elsewhere than 127.x.x.x or [::1]
 *           BURST_E_UNSUPPORTED  another transport
 *           BURST_E_FORMAT       no endpoint at all, or too long */
enum burst_err stream_check_endpoint(const char *endpoint, struct burst_error *reterr);
#endif
