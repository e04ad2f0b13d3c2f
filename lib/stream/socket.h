/* Inside lib/stream: a ZeroMQ socket with our options, and multipart messages. */
#ifndef BURST_STREAM_SOCKET_H
#define BURST_STREAM_SOCKET_H
#include "stream/context.h"
#include "stream/frame.h"
#include <stdbool.h>
#include <zmq.h>

/* ITEM + four frames is the longest legal message; one part more is kept, so that too many can be told from enough. */
enum { MESSAGE_PARTS = 6 };

/* ZeroMQ closes the connection of a peer whose frame is larger. A body somewhat over the limit of the protocol must be
 * refused as what it is, not as a broken connection. */
#define SOCKET_FRAME_MOST ((int64_t)(2 * FRAME_BODY_MAX))

struct socket_options {
    const char *endpoint;
    int type; /* ZMQ_PUB ... */
    bool bind;
    int hwm; /* messages, both directions */
    int linger_ms;
    int64_t most_bytes; /* per frame; a peer that sends more is disconnected by libzmq */
};

/* Open, set up, then bind or connect. Errors as publisher_open's; *ret_socket untouched. */
enum burst_err socket_open(struct stream_context *c, const struct socket_options *o, void **ret_socket,
                           struct burst_error *reterr);
/* Close and set to NULL. */
void socket_close(void **socket);
bool socket_set(void *socket, int option, int value);

/* A received message. n_part counts all parts; those past MESSAGE_PARTS are not kept. */
struct stream_message {
    zmq_msg_t part[MESSAGE_PARTS];
    size_t n_part;
};

void message_init(struct stream_message *m);
void message_clear(struct stream_message *m);
/* Whether a message waits to be received. */
bool socket_has_message(void *socket);
/* Receive without waiting, over what ret_m held. BURST_E_TIMEOUT (reterr untouched): nothing there; BURST_E_NET. */
enum burst_err message_receive(void *socket, struct stream_message *ret_m, struct burst_error *reterr);
/* Part i < MESSAGE_PARTS, lent as long as the message. */
struct frame_bytes message_part(struct stream_message *m, size_t i);
/* Whether part i is this word. */
bool message_word(struct stream_message *m, size_t i, const char *word);

/* Send copies of the parts as one message. 0, or ZeroMQ's errno (EAGAIN only before the first part was taken). */
int message_send(void *socket, const struct frame_bytes *parts, size_t n_part, int flags);
#endif
