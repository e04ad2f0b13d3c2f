#include "stream/socket.h"
#include <errno.h>
#include <string.h>

void socket_close(void **socket)
{
    if (*socket) (void)zmq_close(*socket); /* fails only for what is no socket */
    *socket = NULL;
}

bool socket_set(void *socket, int option, int value)
{
    return zmq_setsockopt(socket, option, &value, sizeof value) == 0;
}

bool socket_has_message(void *socket)
{
    int events = 0;
    size_t n = sizeof events;
    return zmq_getsockopt(socket, ZMQ_EVENTS, &events, &n) == 0 && (events & ZMQ_POLLIN);
}

void message_init(struct stream_message *m)
{
    memset(m, 0, sizeof *m);
}

void message_clear(struct stream_message *m)
{
    for (size_t i = 0; i < m->n_part && i < MESSAGE_PARTS; i++)
        (void)zmq_msg_close(&m->part[i]); /* fails only for what is no message */
    m->n_part = 0;
}

/* Parts past MESSAGE_PARTS are counted and thrown away: a message of 300 frames must not take memory. */
static int take_part(void *socket, struct stream_message *m, bool *ret_more)
{
    zmq_msg_t part;
    (void)zmq_msg_init(&part); /* always 0 */
    if (zmq_msg_recv(&part, socket, ZMQ_DONTWAIT) < 0) {
        (void)zmq_msg_close(&part);
        return -1;
    }
    *ret_more = zmq_msg_more(&part) != 0;
    if (m->n_part < MESSAGE_PARTS) {
        (void)zmq_msg_init(&m->part[m->n_part]);
        (void)zmq_msg_move(&m->part[m->n_part], &part);
    }
    (void)zmq_msg_close(&part);
    m->n_part++;
    return 0;
}

enum burst_err message_receive(void *socket, struct stream_message *ret_m, struct burst_error *reterr)
{
    message_clear(ret_m);
    bool more = true;
    while (more) {
        if (take_part(socket, ret_m, &more) == 0) continue;
        int why = zmq_errno();
        if (why == EINTR && ret_m->n_part > 0) continue; /* the rest of a message is there: a signal only delays it */
        message_clear(ret_m);
        if (why == EAGAIN || why == EINTR) return BURST_E_TIMEOUT;
        return burst_fail(reterr, BURST_E_NET, "receive refused: %s", zmq_strerror(why));
    }
    return BURST_OK;
}

struct frame_bytes message_part(struct stream_message *m, size_t i)
{
    return (struct frame_bytes){zmq_msg_data(&m->part[i]), zmq_msg_size(&m->part[i])};
}

bool message_word(struct stream_message *m, size_t i, const char *word)
{
    struct frame_bytes part = message_part(m, i);
    return part.n == strlen(word) && memcmp(part.bytes, word, part.n) == 0;
}

int message_send(void *socket, const struct frame_bytes *parts, size_t n_part, int flags)
{
    for (size_t i = 0; i < n_part; i++) {
        int more = i + 1 < n_part ? ZMQ_SNDMORE : 0;
        int sent;
        do {
            sent = zmq_send(socket, parts[i].bytes, parts[i].n, flags | more);
        } while (sent < 0 && zmq_errno() == EINTR);
        if (sent < 0) return zmq_errno();
    }
    return 0;
}
