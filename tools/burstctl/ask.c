/* One request to burstd's command socket, one answer. Refuses to wait for ever. */
#include "burstctl.h"
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

enum burst_err ask_endpoint(const char *command, const struct burst_config *config, char *ret_endpoint, size_t size,
                            struct burst_error *reterr)
{
    return config_command_endpoint(command ? command : config->command_socket, ret_endpoint, size, reterr);
}

/* Send the text and wait for one message. */
static enum burst_err exchange(void *socket, const char *endpoint, const char *text, zmq_msg_t *answer,
                               struct burst_error *reterr)
{
    zmq_pollitem_t item = {.socket = socket, .events = ZMQ_POLLIN};
    if (zmq_connect(socket, endpoint) != 0)
        return burst_fail(reterr, BURST_E_NET, "%s: %s", endpoint, zmq_strerror(zmq_errno()));
    if (zmq_send(socket, text, strlen(text), 0) < 0)
        return burst_fail(reterr, BURST_E_NET, "%s: send: %s", endpoint, zmq_strerror(zmq_errno()));
    int ready = zmq_poll(&item, 1, ASK_TIMEOUT_MS);
    if (ready == 0)
        return burst_fail(reterr, BURST_E_TIMEOUT, "no answer at %s in %d s: is burstd running?", endpoint,
                          ASK_TIMEOUT_MS / 1000);
    if (ready < 0 || zmq_msg_recv(answer, socket, 0) < 0)
        return burst_fail(reterr, BURST_E_NET, "%s: receive: %s", endpoint, zmq_strerror(zmq_errno()));
    return BURST_OK;
}

static enum burst_err read_answer(const char *endpoint, zmq_msg_t *message, json_t **ret_answer,
                                  struct burst_error *reterr)
{
    json_error_t why;
    json_t *answer = json_loadb(zmq_msg_data(message), zmq_msg_size(message), JSON_REJECT_DUPLICATES, &why);
    if (!json_is_object(answer)) {
        json_decref(answer);
        return burst_fail(reterr, BURST_E_FORMAT, "%s answered no JSON object: %.200s", endpoint, why.text);
    }
    if (json_is_true(json_object_get(answer, "ok"))) {
        *ret_answer = answer;
        return BURST_OK;
    }
    const json_t *error = json_object_get(answer, "error");
    const char *text = json_string_value(json_object_get(error, "text"));
    enum burst_err err =
        burst_fail(reterr, BURST_E_UNSUPPORTED, "burstd refused: %.400s", text ? text : "without a reason");
    json_decref(answer);
    return err;
}

enum burst_err ask_daemon(const char *endpoint, json_t *request, json_t **ret_answer, struct burst_error *reterr)
{
    int linger = 0;
    zmq_msg_t message;
    void *context = zmq_ctx_new(), *socket = context ? zmq_socket(context, ZMQ_DEALER) : NULL;
    char *text = json_dumps(request, JSON_COMPACT);
    json_decref(request);
    (void)zmq_msg_init(&message); /* cannot fail */
    enum burst_err err = BURST_OK;
    if (!socket || !text)
        err = burst_fail(reterr, BURST_E_NET, "no socket: %s", zmq_strerror(zmq_errno()));
    else
        (void)zmq_setsockopt(socket, ZMQ_LINGER, &linger, sizeof linger); /* a valid option of a fresh socket */
    if (!err) err = exchange(socket, endpoint, text, &message, reterr);
    if (!err) err = read_answer(endpoint, &message, ret_answer, reterr);
    (void)zmq_msg_close(&message); /* was initialised */
    if (socket) (void)zmq_close(socket);
    if (context) (void)zmq_ctx_term(context);
    free(text);
    return err;
}
