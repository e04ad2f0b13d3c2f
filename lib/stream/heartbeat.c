#include "stream/heartbeat.h"
#include "base/bytes.h"
#include "base/clock.h"
#include <stdbool.h>
#include <strings.h>

static const char *const OURS[] = {"stream", "alert_datetime", "last"};

enum burst_err heartbeat_extra(const char *json, json_t **ret_extra, struct burst_error *reterr)
{
    size_t n = strlen(json);
    if (n > HEARTBEAT_EXTRA_MOST)
        return burst_fail(reterr, BURST_E_LIMIT, "heartbeat members take %zu bytes, limit %d", n, HEARTBEAT_EXTRA_MOST);
    json_error_t why;
    json_t *extra = json_loadb(json, n, JSON_REJECT_DUPLICATES, &why);
    if (!json_is_object(extra)) {
        json_decref(extra);
        return burst_fail(reterr, BURST_E_FORMAT, "heartbeat members are no JSON object: %s",
                          extra ? "other type" : why.text);
    }
    for (size_t i = 0; i < sizeof OURS / sizeof *OURS; i++)
        if (json_object_get(extra, OURS[i])) {
            json_decref(extra);
            return burst_fail(reterr, BURST_E_FORMAT, "heartbeat member \"%s\" is the publisher's own", OURS[i]);
        }
    *ret_extra = extra;
    return BURST_OK;
}

/* Steals nothing; false where memory ran out. */
static bool fill(json_t *root, const uint8_t *stream, const struct topic_head *heads, size_t n_head, json_t *extra)
{
    char uuid[37], now[CLOCK_UTC_TEXT];
    bytes_uuid_text(stream, uuid);
    clock_utc_text(clock_tt_now_ns(), now);
    json_t *last = json_object();
    bool good = json_object_set_new(root, "stream", json_string(uuid)) == 0 &&
                json_object_set_new(root, "alert_datetime", json_string(now)) == 0;
    for (size_t i = 0; i < n_head; i++)
        good = good && (heads[i].seq == 0 ||
                        json_object_set_new(last, heads[i].topic, json_integer((json_int_t)heads[i].seq)) == 0);
    good = json_object_set_new(root, "last", last) == 0 && good;
    return good && (!extra || json_object_update(root, extra) == 0);
}

enum burst_err heartbeat_make(const uint8_t stream[STREAM_UUID], const struct topic_head *heads, size_t n_head,
                              json_t *extra, char **ret_text, struct burst_error *reterr)
{
    json_t *root = json_object();
    char *text = fill(root, stream, heads, n_head, extra) ? json_dumps(root, JSON_COMPACT) : NULL;
    json_decref(root);
    if (!text) return burst_fail(reterr, BURST_E_NOMEM, "no memory for a heartbeat of %zu topics", n_head);
    *ret_text = text;
    return BURST_OK;
}

static enum burst_err parse_uuid(const json_t *root, uint8_t ret_uuid[STREAM_UUID], struct burst_error *reterr)
{
    const char *text = json_string_value(json_object_get(root, "stream"));
    if (!text) return burst_fail(reterr, BURST_E_MISSING, "heartbeat: \"stream\" is absent or no string");
    char hex[33], again[37];
    size_t n = 0;
    for (const char *p = text; *p && n < 32; p++)
        if (*p != '-') hex[n++] = *p;
    hex[n] = 0;
    if (strlen(text) == 36 && bytes_unhex(hex, STREAM_UUID, ret_uuid, NULL) == BURST_OK) {
        bytes_uuid_text(ret_uuid, again);
        if (strcasecmp(again, text) == 0) return BURST_OK;
    }
    return burst_fail(reterr, BURST_E_FORMAT, "heartbeat: \"stream\" is \"%.40s\", no UUID", text);
}

static enum burst_err parse_last(json_t *root, struct heartbeat *beat, struct burst_error *reterr)
{
    json_t *last = json_object_get(root, "last"), *value;
    const char *topic;
    if (!json_is_object(last)) return burst_fail(reterr, BURST_E_MISSING, "heartbeat: \"last\" is absent or no object");
    if (json_object_size(last) > STREAM_TOPIC_MOST)
        return burst_fail(reterr, BURST_E_LIMIT, "heartbeat: \"last\" has %zu topics, limit %d", json_object_size(last),
                          STREAM_TOPIC_MOST);
    json_object_foreach(last, topic, value)
    {
        struct burst_error why;
        if (frame_check_topic(topic, strlen(topic), &why))
            return burst_fail(reterr, BURST_E_FORMAT, "heartbeat: \"last\": %s", why.text);
        if (!json_is_integer(value) || json_integer_value(value) < 0)
            return burst_fail(reterr, BURST_E_FORMAT, "heartbeat: \"last\" of %s is no number >= 0", topic);
        memcpy(beat->last[beat->n_last].topic, topic, strlen(topic) + 1);
        beat->last[beat->n_last++].seq = (uint64_t)json_integer_value(value);
    }
    return BURST_OK;
}

static enum burst_err parse_data_time(json_t *root, struct heartbeat *beat, struct burst_error *reterr)
{
    json_t *times = json_object_get(root, "data_time"), *value;
    const char *topic;
    if (!times) return BURST_OK;
    if (!json_is_object(times)) return burst_fail(reterr, BURST_E_FORMAT, "heartbeat: \"data_time\" is no object");
    if (json_object_size(times) > STREAM_TOPIC_MOST)
        return burst_fail(reterr, BURST_E_LIMIT, "heartbeat: \"data_time\" has %zu topics, limit %d",
                          json_object_size(times), STREAM_TOPIC_MOST);
    json_object_foreach(times, topic, value)
    {
        struct stream_data_time *t = &beat->data_time[beat->n_data_time];
        struct burst_error why;
        if (frame_check_topic(topic, strlen(topic), &why))
            return burst_fail(reterr, BURST_E_FORMAT, "heartbeat: \"data_time\": %s", why.text);
        if (!json_is_string(value))
            return burst_fail(reterr, BURST_E_FORMAT, "heartbeat: \"data_time\" of %s is no text", topic);
        if (clock_parse_utc(json_string_value(value), &t->tt_ns, &why))
            return burst_fail(reterr, BURST_E_TIME, "heartbeat: \"data_time\" of %s: %s", topic, why.text);
        memcpy(t->topic, topic, strlen(topic) + 1);
        beat->n_data_time++;
    }
    return BURST_OK;
}

enum burst_err heartbeat_parse(const uint8_t *body, size_t n, struct heartbeat *ret_beat, struct burst_error *reterr)
{
    if (n > HEARTBEAT_MOST)
        return burst_fail(reterr, BURST_E_LIMIT, "heartbeat has %zu bytes, limit %d", n, HEARTBEAT_MOST);
    json_error_t why;
    json_t *root = json_loadb((const char *)body, n, JSON_REJECT_DUPLICATES, &why);
    ret_beat->n_last = ret_beat->n_data_time = 0;
    enum burst_err err = BURST_OK;
    if (!json_is_object(root)) {
        err = burst_fail(reterr, BURST_E_FORMAT, "heartbeat is no JSON object: %s", root ? "other type" : why.text);
    } else if (!(err = parse_uuid(root, ret_beat->stream, reterr)) && !(err = parse_last(root, ret_beat, reterr))) {
        err = parse_data_time(root, ret_beat, reterr);
    }
    json_decref(root);
    return err;
}
