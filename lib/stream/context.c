#include "stream/context.h"
#include "stream/socket.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

enum { ENDPOINT_TEXT = 256 };

struct stream_context {
    void *zmq;
};

enum burst_err stream_context_open(struct stream_context **ret_c, struct burst_error *reterr)
{
    struct stream_context *c = calloc(1, sizeof *c);
    if (!c) return burst_fail(reterr, BURST_E_NOMEM, "no memory for a ZeroMQ context");
    c->zmq = zmq_ctx_new();
    if (!c->zmq) {
        free(c);
        return burst_fail(reterr, BURST_E_NET, "no ZeroMQ context: %s", zmq_strerror(zmq_errno()));
    }
    *ret_c = c;
    return BURST_OK;
}

void stream_context_close(struct stream_context *c)
{
    if (!c) return;
    while (zmq_ctx_term(c->zmq) != 0 && zmq_errno() == EINTR)
        ; /* a signal interrupts the wait for what lingers; the wait itself is bounded by each socket's linger */
    free(c);
}

static bool is_loopback(const char *host)
{
    return strncmp(host, "[::1]:", 6) == 0 ||
           (strncmp(host, "127.", 4) == 0 && strspn(host, "0123456789.") == strcspn(host, ":"));
}

enum burst_err stream_check_endpoint(const char *endpoint, struct burst_error *reterr)
{
    if (!endpoint || !*endpoint || strlen(endpoint) >= ENDPOINT_TEXT)
        return burst_fail(reterr, BURST_E_FORMAT, "endpoint \"%.40s\" is empty or longer than %d characters",
                          endpoint ? endpoint : "", ENDPOINT_TEXT - 1);
    if (strncmp(endpoint, "ipc://", 6) == 0 || strncmp(endpoint, "inproc://", 9) == 0) return BURST_OK;
    if (strncmp(endpoint, "tcp://", 6) != 0)
        return burst_fail(reterr, BURST_E_UNSUPPORTED, "endpoint \"%s\": transport is not tcp, ipc or inproc",
                          endpoint);
    if (is_loopback(endpoint + 6)) return BURST_OK;
    return burst_fail(reterr, BURST_E_AUTH,
                      "endpoint \"%s\" is not on the loopback interface (127.x.x.x or [::1]) and no CURVE key is set: "
                      "anybody could speak there",
                      endpoint);
}

static bool set_options(void *socket, const struct socket_options *o)
{
    /* libzmq 4.3.4 ends the process ("Assertion failed: _input_stopped") when a connection that it had stopped reading,
     * because RCVHWM was reached, is replaced by a new one: its restart of the old one hits the new one. So nothing that
     * others fill has a limit there; whoever owns such a socket keeps draining it (subscriber_shed). */
    bool filled_by_others = o->type == ZMQ_SUB || o->type == ZMQ_DEALER || o->type == ZMQ_ROUTER;
    return socket_set(socket, ZMQ_SNDHWM, o->hwm) && socket_set(socket, ZMQ_RCVHWM, filled_by_others ? 0 : o->hwm) &&
           socket_set(socket, ZMQ_LINGER, o->linger_ms) && socket_set(socket, ZMQ_HANDSHAKE_IVL, 2000) &&
           socket_set(socket, ZMQ_HEARTBEAT_IVL, 2000) && socket_set(socket, ZMQ_HEARTBEAT_TIMEOUT, 10000) &&
           socket_set(socket, ZMQ_RECONNECT_IVL, 50) && socket_set(socket, ZMQ_RECONNECT_IVL_MAX, 1000) &&
           socket_set(socket, ZMQ_IPV6, strchr(o->endpoint, '[') != NULL) &&
           zmq_setsockopt(socket, ZMQ_MAXMSGSIZE, &o->most_bytes, sizeof o->most_bytes) == 0;
}

enum burst_err socket_open(struct stream_context *c, const struct socket_options *o, void **ret_socket,
                           struct burst_error *reterr)
{
    enum burst_err err = stream_check_endpoint(o->endpoint, reterr);
    if (err) return err;
    void *socket = zmq_socket(c->zmq, o->type);
    if (!socket) return burst_fail(reterr, BURST_E_NET, "no ZeroMQ socket: %s", zmq_strerror(zmq_errno()));
    if (!set_options(socket, o)) {
        err = burst_fail(reterr, BURST_E_NET, "socket option refused: %s", zmq_strerror(zmq_errno()));
    } else if ((o->bind ? zmq_bind : zmq_connect)(socket, o->endpoint) != 0) {
        err = burst_fail(reterr, BURST_E_NET, "cannot %s %s: %s", o->bind ? "bind" : "connect to", o->endpoint,
                         zmq_strerror(zmq_errno()));
    }
    if (err) {
        socket_close(&socket);
        return err;
    }
    *ret_socket = socket;
    return BURST_OK;
}
