/* Requests are bounded, parsed with duplicates refused, and answered from the read-only side of the store. */
#include "daemon/control.h"
#include "base/bytes.h"
#include "base/clock.h"
#include "base/log.h"
#include "daemon/catalog.h"
#include "daemon/gpu.h"
#include "daemon/platforms.h"
#include <errno.h>
#include <jansson.h>
#include <limits.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <zmq.h>

enum { REQUEST_MOST = 64 * 1024, IDENTITY_MOST = 256, ALERTS_DEFAULT = 50, LINGER_MS = 500, WAITING_MS = 10 };

/* Whom to answer. */
struct client {
    char identity[IDENTITY_MOST];
    int n_identity, n_frame; /* 2: a REQ client, which wants an empty frame between */
};

struct control {
    struct pipeline *p;
    void *context, *socket;
    struct client waiting; /* for the end of the change under way */
    bool later;            /* the answer to the request in hand comes with that end */
    struct store_reader *reader;
    int64_t started_mono_ns;
};

static json_t *error_answer(const char *code, const char *text)
{
    return json_pack("{s:b, s:{s:s, s:s}}", "ok", 0, "error", "code", code, "text", text);
}

static json_t *inputs_json(struct pipeline *p)
{
    json_t *inputs = json_object();
    int64_t now = clock_mono_ns();
    (void)pthread_mutex_lock(&p->feed_lock);
    for (int i = 0; i < p->n_feed; i++) {
        const struct feed_status *f = &p->feed[i];
        char text[CLOCK_UTC_TEXT];
        json_t *one = json_object();
        if (f->data_time_ns != INT64_MIN) {
            clock_utc_text(f->data_time_ns, text);
            (void)json_object_set_new(one, "data_time", json_string(text));
        }
        if (f->particle_ratio > 0) (void)json_object_set_new(one, "particle_ratio", json_real(f->particle_ratio));
        if (f->seen_mono_ns)
            (void)json_object_set_new(one, "age_s", json_integer((now - f->seen_mono_ns) / CLOCK_NS_PER_S));
        (void)json_object_set_new(one, "messages", json_integer((json_int_t)f->n_message));
        (void)json_object_set_new(inputs, f->topic, one);
    }
    (void)pthread_mutex_unlock(&p->feed_lock);
    return inputs;
}

/* By name: when it last spoke, and what its streams have been through. */
static json_t *gateways_json(struct pipeline *p)
{
    json_t *gateways = json_object();
    int64_t now = clock_mono_ns();
    (void)pthread_mutex_lock(&p->feed_lock);
    for (int i = 0; i < p->config.n_input; i++) {
        const struct subscriber_counts *c = &p->gateway[i];
        json_t *one = json_pack("{s:I, s:I, s:I, s:I, s:I, s:I}", "messages", (json_int_t)c->messages, "repaired",
                                (json_int_t)c->replayed, "lost", (json_int_t)c->lost, "streams", (json_int_t)c->streams,
                                "reconnects", (json_int_t)c->reconnects, "unanswered", (json_int_t)c->timeouts);
        if (c->heartbeat_mono_ns)
            (void)json_object_set_new(one, "heartbeat_age_s",
                                      json_integer((now - c->heartbeat_mono_ns) / CLOCK_NS_PER_S));
        (void)json_object_set_new(gateways, p->config.input[i].name, one);
    }
    (void)pthread_mutex_unlock(&p->feed_lock);
    return gateways;
}

static json_t *counters_json(struct health *h)
{
    json_t *counters = json_object();
    char name[64];
    for (int i = 0; i < COUNT_N; i++)
        (void)json_object_set_new(counters, health_count_name((enum health_count)i),
                                  json_integer((json_int_t)health_get(h, (enum health_count)i)));
    for (int kind = 0; kind < BAD_KIND_N; kind++)
        for (int code = 0; code < BURST_E_N; code++) {
            uint64_t n = health_bad_get(h, (enum health_kind)kind, (enum burst_err)code);
            if (!n) continue;
            (void)snprintf(name, sizeof name, "%s.%s", health_kind_name((enum health_kind)kind),
                           burst_err_name((enum burst_err)code));
            (void)json_object_set_new(counters, name, json_integer((json_int_t)n));
        }
    return counters;
}

static json_t *models_json(struct pipeline *p)
{
    const struct infer *infer = p->science.infer;
    const struct infer_model *model[DEVICE_SLOTS] = {
        [DEVICE_LIGHT_CURVE] = infer_lightcurve_model(infer), [DEVICE_IMAGE] = infer_image_model(infer)};
    json_t *models = json_array();
    for (int i = 0; i < DEVICE_SLOTS; i++)
        if (model[i])
            (void)json_array_append_new(
                models, json_pack("{s:s, s:s, s:s, s:s}", "name", model[i]->tag.name, "version", model[i]->tag.version,
                                  "backend", gpu_has(p, (enum device_slot)i) ? "cuda" : model[i]->tag.backend, "sha256",
                                  model[i]->tag.sha256));
    return models;
}

static json_t *status_answer(struct control *c)
{
    struct pipeline *p = c->p;
    char stream[37];
    int64_t p50, p99;
    uint64_t n;
    uint8_t uuid[16];
    store_stream(p->store, uuid);
    bytes_uuid_text(uuid, stream);
    health_latency_quantiles(p->health, &p50, &p99, &n);
    json_t *gpu = gpu_json(p);
    json_t *answer = json_pack(
        "{s:b, s:{s:s, s:s, s:s, s:s, s:I, s:o, s:o, s:o, s:{s:I, s:I, s:I, s:I}, s:o, s:o, s:{s:I, s:f, s:f}}}", "ok",
        1, "status", "version", BURST_VERSION, "site", p->config.site_name, "stream", stream, "mode", gpu_mode(p),
        "uptime_s", (json_int_t)((clock_mono_ns() - c->started_mono_ns) / CLOCK_NS_PER_S), "gateways", gateways_json(p),
        "inputs", inputs_json(p), "counters", counters_json(p->health), "queues", "work",
        (json_int_t)queue_depth(p->units.work), "work_free", (json_int_t)queue_depth(p->units.free_work), "publish",
        (json_int_t)queue_depth(p->units.publish), "publish_free", (json_int_t)queue_depth(p->units.free_publish),
        "models", models_json(p), "platform", platforms_json(p), "latency", "n", (json_int_t)n, "p50_ms",
        (double)p50 * 1e-6, "p99_ms", (double)p99 * 1e-6);
    if (gpu) (void)json_object_set_new(json_object_get(answer, "status"), "gpu", gpu);
    return answer;
}

/* A JSON integer as int; -1, which no command takes, where it is none or too large. */
static int int_of(const json_t *json)
{
    json_int_t value = json_is_integer(json) ? json_integer_value(json) : -1;
    return value < -1 || value > INT_MAX ? -1 : (int)value;
}

static json_t *alerts_answer(struct control *c, const json_t *request)
{
    const json_t *limit = json_object_get(request, "limit"), *prefix = json_object_get(request, "prefix");
    char *text = NULL;
    struct burst_error e;
    int n = limit ? int_of(limit) : ALERTS_DEFAULT;
    enum burst_err err = store_alerts(c->reader, json_is_string(prefix) ? json_string_value(prefix) : "", n, &text, &e);
    if (err) return error_answer(burst_err_name(err), e.text);
    json_t *answer = json_pack("{s:b, s:o}", "ok", 1, "alerts", json_loads(text, JSON_REJECT_DUPLICATES, NULL));
    free(text);
    return answer;
}

static json_t *base64_json(const uint8_t *bytes, size_t n)
{
    size_t size = sodium_base64_ENCODED_LEN(n, sodium_base64_VARIANT_ORIGINAL);
    char *text = malloc(size);
    if (!text) return NULL;
    (void)sodium_bin2base64(text, size, bytes, n, sodium_base64_VARIANT_ORIGINAL); /* the size is exact */
    json_t *json = json_string(text);
    free(text);
    return json;
}

static json_t *show_answer(struct control *c, const json_t *request)
{
    const json_t *id = json_object_get(request, "id"), *record = json_object_get(request, "record_number");
    char *text = NULL;
    uint8_t *fits = NULL;
    size_t n_fits = 0;
    struct burst_error e;
    if (!json_is_string(id)) return error_answer("missing", "show needs \"id\", the event's id as text");
    int number = record ? int_of(record) : 0;
    enum burst_err err = store_show(c->reader, json_string_value(id), number, &text, &fits, &n_fits, &e);
    if (err) return error_answer(burst_err_name(err), e.text);
    json_t *answer = json_pack("{s:b, s:o}", "ok", 1, "verdict", json_loads(text, JSON_REJECT_DUPLICATES, NULL));
    if (answer && fits) (void)json_object_set_new(answer, "evidence_base64", base64_json(fits, n_fits));
    free(text);
    free(fits);
    return answer;
}

static json_t *refuse(struct control *c, enum burst_err code, const char *text)
{
    struct burst_error e;
    (void)burst_fail(&e, code, "%s", text);
    pipeline_refused(c->p, BAD_COMMAND, code, "command", &e);
    return error_answer(burst_err_name(code), text);
}

/* Listing and reading need no daemon: burstctl looks into the folder. Removing is left to who writes there. */
static json_t *quarantine_answer(struct control *c, const json_t *request)
{
    const char *action = json_string_value(json_object_get(request, "action"));
    int64_t n;
    if (!action || strcmp(action, "clear") != 0)
        return refuse(c, BURST_E_UNSUPPORTED, "quarantine takes \"action\": \"clear\"");
    pipeline_keep_quarantine(c->p); /* what waits goes, too */
    quarantine_clear(c->p->quarantine, &n);
    log_line(LOG_LEVEL_NOTICE, "quarantine cleared on command refused_inputs=%lld", (long long)n);
    return json_pack("{s:b, s:I}", "ok", 1, "cleared", (json_int_t)n);
}

static json_t *catalog_command(struct control *c, const json_t *request)
{
    struct burst_error e;
    json_t *answer = catalog_answer(c->p->known, c->reader, request, &c->later, &e);
    return answer || c->later ? answer : refuse(c, e.code, e.text);
}

static json_t *answer_to(struct control *c, const char *bytes, size_t n)
{
    json_error_t where;
    char text[256];
    json_t *request = n > REQUEST_MOST ? NULL : json_loadb(bytes, n, JSON_REJECT_DUPLICATES, &where), *answer;
    const char *command = json_string_value(json_object_get(request, "command"));
    if (n > REQUEST_MOST)
        answer = refuse(c, BURST_E_LIMIT, "a request holds at most 64 KiB");
    else if (!command)
        answer = refuse(c, BURST_E_FORMAT, "a request is a JSON object with \"command\"");
    else if (strcmp(command, "status") == 0)
        answer = status_answer(c);
    else if (strcmp(command, "alerts") == 0)
        answer = alerts_answer(c, request);
    else if (strcmp(command, "show") == 0)
        answer = show_answer(c, request);
    else if (strcmp(command, "quarantine") == 0)
        answer = quarantine_answer(c, request);
    else if (strcmp(command, "catalog") == 0)
        answer = catalog_command(c, request);
    else {
        (void)snprintf(text, sizeof text, "no command '%.64s'; there are status, alerts, show, quarantine and catalog",
                       command);
        answer = refuse(c, BURST_E_UNSUPPORTED, text);
    }
    json_decref(request);
    return answer || c->later ? answer : error_answer("nomem", "no memory for the answer");
}

/* A client that has gone gets no answer: its loss alone. */
static void send_answer(struct control *c, const struct client *to, json_t *answer)
{
    char *text = json_dumps(answer, JSON_COMPACT | JSON_REAL_PRECISION(9));
    (void)zmq_send(c->socket, to->identity, (size_t)to->n_identity, ZMQ_SNDMORE | ZMQ_DONTWAIT);
    if (to->n_frame == 2) (void)zmq_send(c->socket, "", 0, ZMQ_SNDMORE | ZMQ_DONTWAIT);
    (void)zmq_send(c->socket, text ? text : "{}", text ? strlen(text) : 2, ZMQ_DONTWAIT);
    free(text);
    json_decref(answer);
}

/* A change of the known sources has been written: it is in force from here on. */
static void tell_change(struct control *c)
{
    struct known_outcome o;
    if (!known_end(c->p->known, &o)) return;
    if (o.err) {
        send_answer(c, &c->waiting, refuse(c, o.err, o.error.text));
        return;
    }
    log_line(LOG_LEVEL_NOTICE, "known source %s name=\"%s\" by=\"%s\" audit=%lld",
             o.change.remove ? "taken back" : "added", o.change.source.name, o.change.who, (long long)o.audit_number);
    send_answer(c, &c->waiting, catalog_outcome(c->p->known, &o));
}

/* One request: identity, then the last frame is the JSON (a REQ client puts an empty frame between: it is given back). */
static void serve_one(struct control *c)
{
    struct client from = {.n_frame = 0};
    char *body = malloc(REQUEST_MOST + 1);
    int n_body = 0, more = 0;
    size_t size = sizeof more;
    from.n_identity = zmq_recv(c->socket, from.identity, sizeof from.identity, 0);
    while (zmq_getsockopt(c->socket, ZMQ_RCVMORE, &more, &size) == 0 && more) {
        n_body = zmq_recv(c->socket, body, body ? REQUEST_MOST + 1 : 0,
                          0); /* a longer frame is cut; its true length comes back */
        from.n_frame++;
    }
    if (body && from.n_identity > 0 && from.n_identity <= IDENTITY_MOST && n_body >= 0 && from.n_frame) {
        health_add(c->p->health, COUNT_COMMANDS, 1);
        c->later = false;
        json_t *answer = answer_to(c, body, (size_t)n_body);
        if (c->later)
            c->waiting = from;
        else
            send_answer(c, &from, answer);
    }
    free(body);
}

void control_serve(struct control *c, int timeout_ms)
{
    zmq_pollitem_t item = {.socket = c->socket, .events = ZMQ_POLLIN};
    if (known_under_way(c->p->known)) timeout_ms = timeout_ms < WAITING_MS ? timeout_ms : WAITING_MS;
    for (int i = 0; i < 16 && zmq_poll(&item, 1, i ? 0 : timeout_ms) > 0; i++)
        serve_one(c);
    tell_change(c);
}

/* The folder of an ipc endpoint, made for this user alone where it is missing. */
static enum burst_err make_folder(const char *endpoint, struct burst_error *reterr)
{
    char folder[CONFIG_TEXT];
    if (strncmp(endpoint, "ipc://", 6) != 0)
        return burst_fail(reterr, BURST_E_AUTH, "command.socket %s: only ipc:// endpoints take commands without keys",
                          endpoint);
    (void)snprintf(folder, sizeof folder, "%s", endpoint + 6);
    char *slash = strrchr(folder, '/');
    if (!slash || slash == folder) return BURST_OK;
    *slash = 0;
    if (mkdir(folder, 0700) < 0 && errno != EEXIST)
        return burst_fail(reterr, BURST_E_IO, "%s: %s", folder, strerror(errno));
    return BURST_OK;
}

static enum burst_err bind_socket(struct control *c, const char *endpoint, struct burst_error *reterr)
{
    int linger = LINGER_MS;
    int64_t most = REQUEST_MOST * 2;
    c->context = zmq_ctx_new();
    c->socket = c->context ? zmq_socket(c->context, ZMQ_ROUTER) : NULL;
    if (!c->socket) return burst_fail(reterr, BURST_E_NET, "command socket: %s", zmq_strerror(zmq_errno()));
    (void)zmq_setsockopt(c->socket, ZMQ_LINGER, &linger, sizeof linger); /* valid options of a fresh socket */
    (void)zmq_setsockopt(c->socket, ZMQ_MAXMSGSIZE, &most, sizeof most);
    mode_t mask = umask(0077); /* commands are for this user */
    int rc = zmq_bind(c->socket, endpoint);
    (void)umask(mask);
    return rc == 0 ? BURST_OK
                   : burst_fail(reterr, BURST_E_NET, "command socket %s: %s", endpoint, zmq_strerror(zmq_errno()));
}

enum burst_err control_open(struct pipeline *p, struct control **ret_control, struct burst_error *reterr)
{
    char endpoint[CONFIG_TEXT], database[4096];
    struct control *c = calloc(1, sizeof *c);
    if (!c) return burst_fail(reterr, BURST_E_NOMEM, "no memory for the command socket");
    c->p = p;
    c->started_mono_ns = clock_mono_ns();
    enum burst_err err = config_command_endpoint(p->config.command_socket, endpoint, sizeof endpoint, reterr);
    if (!err) err = make_folder(endpoint, reterr);
    if (!err) err = bind_socket(c, endpoint, reterr);
    if (!err) err = config_data_path(p->config.store_database, database, sizeof database, reterr);
    if (!err) err = store_reader_open(database, &c->reader, reterr);
    if (err)
        control_close(c);
    else
        *ret_control = c;
    return err;
}

void control_close(struct control *c)
{
    if (!c) return;
    if (c->socket) (void)zmq_close(c->socket); /* fails only for no socket */
    if (c->context) (void)zmq_ctx_term(c->context);
    store_reader_close(c->reader);
    free(c);
}
