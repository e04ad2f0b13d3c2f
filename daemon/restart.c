/* Restart points. The blob is read back by the same build on the same host, so it is fixed fields in network order. */
#include "daemon/restart.h"
#include "base/bytes.h"
#include <string.h>

enum { VERSION = 3, FIXED = 4 + 4 + 8 + 8, FROM = STREAM_UUID + 8 };
_Static_assert(FIXED + RESTART_FROM_MAX * FROM <= RESTART_BLOB, "a full point fits");

const char *restart_key(const struct restart_point *point)
{
    return point->topic;
}

size_t restart_encode(const struct restart_point *point, uint8_t ret_blob[RESTART_BLOB])
{
    uint8_t *p = ret_blob + FIXED;
    for (int i = 0; i < point->n_from; i++, p += FROM) {
        memcpy(p, point->from[i].stream, STREAM_UUID);
        bytes_put_u64(p + STREAM_UUID, point->from[i].seq);
    }
    bytes_put_u32(ret_blob, VERSION);
    bytes_put_u32(ret_blob + 4, (uint32_t)point->n_from);
    bytes_put_u64(ret_blob + 8, (uint64_t)point->score_from_k);
    bytes_put_u64(ret_blob + 16, (uint64_t)point->tracker.k_end);
    return (size_t)(p - ret_blob);
}

enum burst_err restart_decode(const char *topic, const uint8_t *blob, size_t n, struct restart_point *ret_point,
                              struct burst_error *reterr)
{
    uint32_t version = n >= 4 ? bytes_get_u32(blob) : 0;
    if (n < FIXED || version != VERSION)
        return burst_fail(reterr, BURST_E_FORMAT,
                          "restart point of %s: %zu bytes, version %u; %d or more and %d expected", topic, n, version,
                          FIXED, VERSION);
    uint32_t n_from = bytes_get_u32(blob + 4);
    if (n_from > RESTART_FROM_MAX || n != FIXED + (size_t)n_from * FROM)
        return burst_fail(reterr, BURST_E_FORMAT, "restart point of %s: %u streams in %zu bytes", topic, n_from, n);
    if (strlen(topic) >= sizeof ret_point->topic)
        return burst_fail(reterr, BURST_E_FORMAT, "topic of %zu characters", strlen(topic));
    *ret_point = (struct restart_point){.n_from = (int)n_from};
    memcpy(ret_point->topic, topic, strlen(topic) + 1);
    ret_point->score_from_k = (int64_t)bytes_get_u64(blob + 8);
    ret_point->tracker.k_end = (int64_t)bytes_get_u64(blob + 16);
    const uint8_t *p = blob + FIXED;
    for (uint32_t i = 0; i < n_from; i++, p += FROM) {
        memcpy(ret_point->from[i].stream, p, STREAM_UUID);
        ret_point->from[i].seq = bytes_get_u64(p + STREAM_UUID);
    }
    return BURST_OK;
}

/* Two by two: the earlier number and the later end of each pair stand for both. */
static void join_pairs(struct cover *c)
{
    int n = 0;
    for (int i = 0; i + 1 < c->n; i += 2, n++) {
        c->entry[n].seq = c->entry[i].seq;
        c->entry[n].stop_ns =
            c->entry[i].stop_ns > c->entry[i + 1].stop_ns ? c->entry[i].stop_ns : c->entry[i + 1].stop_ns;
    }
    if (c->n & 1) c->entry[n++] = c->entry[c->n - 1];
    c->n = n;
}

void cover_add(struct cover *c, const uint8_t stream[STREAM_UUID], uint64_t seq, int64_t stop_ns)
{
    bool same = memcmp(c->stream, stream, STREAM_UUID) == 0;
    if (same && seq <= c->newest && stop_ns == INT64_MIN) return; /* an old number without data says nothing */
    if (!same || seq <= c->newest) {
        c->n = 0;
        memcpy(c->stream, stream, STREAM_UUID);
    }
    c->newest = seq;
    if (stop_ns == INT64_MIN) return;
    if (c->n == COVER_MAX) join_pairs(c);
    c->entry[c->n].seq = seq;
    c->entry[c->n++].stop_ns = stop_ns;
}

void cover_close(struct cover *c, int64_t stop_ns)
{
    for (int i = 0; i < c->n; i++)
        if (c->entry[i].stop_ns == COVER_OPEN) c->entry[i].stop_ns = stop_ns;
}

uint64_t cover_done_before(struct cover *c, int64_t t_ns)
{
    int first = 0;
    while (first < c->n && c->entry[first].stop_ns <= t_ns)
        first++;
    if (first == c->n) {
        c->n = 0;
        return c->newest;
    }
    memmove(c->entry, c->entry + first, (size_t)(c->n - first) * sizeof c->entry[0]);
    c->n -= first;
    return c->entry[0].seq - 1;
}
