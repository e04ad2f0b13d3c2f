#include "stream/frame.h"
#include "base/bytes.h"
#include <stdbool.h>

enum {
    MAGIC_AT = 0,
    VERSION_AT = 4,
    FLAGS_AT = 5,
    CONTENT_AT = 6,
    STREAM_AT = 8,
    SEQ_AT = 24,
    SENT_AT = 32,
    VERSION = 1
};
static const char MAGIC[4] = {'B', 'R', 'S', 'T'};
static const char REAL_PREFIX[] = "burst.v1.", PROVISIONAL_PREFIX[] = "burst-provisional.v1.";
static const char *const PREFIX[] = {REAL_PREFIX, "burst-test.v1.", "burst-archive.v1.", PROVISIONAL_PREFIX};

void frame_pack_header(struct stream_item *item)
{
    uint8_t *p = item->header;
    memcpy(p + MAGIC_AT, MAGIC, sizeof MAGIC);
    p[VERSION_AT] = VERSION;
    p[FLAGS_AT] = (uint8_t)item->flags;
    bytes_put_u16(p + CONTENT_AT, (uint16_t)item->content);
    memcpy(p + STREAM_AT, item->stream, STREAM_UUID);
    bytes_put_u64(p + SEQ_AT, item->seq);
    bytes_put_u64(p + SENT_AT, (uint64_t)item->sent_ns);
}

/* At most 47 characters of foreign bytes, made safe to read in a sentence. */
static const char *quote(const void *bytes, size_t n, char ret_text[48])
{
    size_t most = n < 47 ? n : 47;
    for (size_t i = 0; i < most; i++) {
        char c = ((const char *)bytes)[i];
        ret_text[i] = c > 0x20 && c < 0x7f ? c : '?';
    }
    ret_text[most] = 0;
    return ret_text;
}

static bool starts_with(const char *text, size_t n, const char *prefix)
{
    size_t n_prefix = strlen(prefix);
    return n >= n_prefix && memcmp(text, prefix, n_prefix) == 0;
}

enum burst_err frame_check_topic(const char *topic, size_t n, struct burst_error *reterr)
{
    char text[48];
    if (n == 0 || n >= STREAM_TOPIC_TEXT)
        return burst_fail(reterr, BURST_E_FORMAT, "frame 0 (topic) has %zu characters, allowed 1 to %d", n,
                          STREAM_TOPIC_TEXT - 1);
    for (size_t i = 0; i < n; i++)
        if (topic[i] <= 0x20 || topic[i] >= 0x7f)
            return burst_fail(reterr, BURST_E_FORMAT,
                              "frame 0 (topic) \"%s\" has byte 0x%02x at %zu: not printable ASCII",
                              quote(topic, n, text), (unsigned char)topic[i], i);
    for (size_t i = 0; i < sizeof PREFIX / sizeof *PREFIX; i++)
        if (starts_with(topic, n, PREFIX[i]) && n > strlen(PREFIX[i])) return BURST_OK;
    return burst_fail(reterr, BURST_E_FORMAT,
                      "frame 0 (topic) \"%s\" is not under burst.v1., burst-test.v1., burst-archive.v1. or "
                      "burst-provisional.v1.",
                      quote(topic, n, text));
}

static enum burst_err check_size_and_magic(const struct frame_bytes *header, const char *topic,
                                           enum frame_fault *ret_fault, struct burst_error *reterr)
{
    if (header->n != FRAME_HEADER) {
        *ret_fault = FAULT_HEADER;
        return burst_fail(reterr, BURST_E_SHAPE, "%s: frame 1 (header) has %zu bytes, not %d", topic, header->n,
                          FRAME_HEADER);
    }
    const uint8_t *p = header->bytes;
    char text[48];
    if (memcmp(p + MAGIC_AT, MAGIC, sizeof MAGIC) != 0) {
        *ret_fault = FAULT_MAGIC;
        return burst_fail(reterr, BURST_E_FORMAT, "%s: magic of frame 1 (header) is \"%s\", not \"BRST\"", topic,
                          quote(p, sizeof MAGIC, text));
    }
    if (p[VERSION_AT] != VERSION) {
        *ret_fault = FAULT_VERSION;
        return burst_fail(reterr, BURST_E_UNSUPPORTED, "%s: version of frame 1 (header) is %d, not %d", topic,
                          p[VERSION_AT], VERSION);
    }
    return BURST_OK;
}

static enum burst_err check_words(const struct stream_item *item, enum frame_fault *ret_fault,
                                  struct burst_error *reterr)
{
    const unsigned unreal = FRAME_TEST | FRAME_INJECTION | FRAME_ARCHIVAL;
    *ret_fault = FAULT_FLAGS;
    if (item->flags & ~(unsigned)FRAME_FLAG_ALL)
        return burst_fail(reterr, BURST_E_UNSUPPORTED, "%s seq %llu: flags 0x%02x has unknown bits, known are 0x%02x",
                          item->topic, (unsigned long long)item->seq, item->flags, FRAME_FLAG_ALL);
    if (starts_with(item->topic, strlen(item->topic), REAL_PREFIX) && (item->flags & unreal))
        return burst_fail(reterr, BURST_E_UNSUPPORTED,
                          "%s seq %llu: flags 0x%02x say test, injection or archival on a topic of real data",
                          item->topic, (unsigned long long)item->seq, item->flags);
    *ret_fault = FAULT_CONTENT;
    if (item->content < FRAME_FITS || item->content > FRAME_XML)
        return burst_fail(reterr, BURST_E_UNSUPPORTED, "%s seq %llu: content %u is not 1 (FITS), 2 (JSON) or 3 (XML)",
                          item->topic, (unsigned long long)item->seq, item->content);
    *ret_fault = FAULT_NONE;
    return BURST_OK;
}

static enum burst_err check_numbers(const struct stream_item *item, enum frame_fault *ret_fault,
                                    struct burst_error *reterr)
{
    bool unnumbered =
        strcmp(item->topic, STREAM_HEARTBEAT) == 0 || starts_with(item->topic, strlen(item->topic), PROVISIONAL_PREFIX);
    *ret_fault = FAULT_SEQ;
    if (unnumbered && item->seq != 0)
        return burst_fail(reterr, BURST_E_RANGE, "%s: seq is %llu, must be 0 on this topic", item->topic,
                          (unsigned long long)item->seq);
    if (!unnumbered && item->seq == 0)
        return burst_fail(reterr, BURST_E_RANGE, "%s: seq is 0, numbers start at 1", item->topic);
    if (item->seq > INT64_MAX) /* no log gets there; past 2^64 - 1 everything would be older than everything */
        return burst_fail(reterr, BURST_E_RANGE, "%s: seq is %llu, at most %lld", item->topic,
                          (unsigned long long)item->seq, (long long)INT64_MAX);
    *ret_fault = FAULT_TIME;
    if (item->sent_ns <= 0)
        return burst_fail(reterr, BURST_E_RANGE, "%s seq %llu: sent_ns is %lld, must be after 1970", item->topic,
                          (unsigned long long)item->seq, (long long)item->sent_ns);
    *ret_fault = FAULT_NONE;
    return BURST_OK;
}

static void unpack_header(const uint8_t *p, struct stream_item *item)
{
    memcpy(item->header, p, FRAME_HEADER);
    item->flags = p[FLAGS_AT];
    item->content = bytes_get_u16(p + CONTENT_AT);
    memcpy(item->stream, p + STREAM_AT, STREAM_UUID);
    item->seq = bytes_get_u64(p + SEQ_AT);
    item->sent_ns = (int64_t)bytes_get_u64(p + SENT_AT);
}

/* Frames 0 and 1. */
static enum burst_err parse_head(const struct frame_bytes *frames, struct stream_item *item,
                                 enum frame_fault *ret_fault, struct burst_error *reterr)
{
    enum burst_err err = frame_check_topic(frames[0].bytes, frames[0].n, reterr);
    if (err) {
        *ret_fault = FAULT_TOPIC;
        return err;
    }
    memcpy(item->topic, frames[0].bytes, frames[0].n);
    item->topic[frames[0].n] = 0;
    err = check_size_and_magic(&frames[1], item->topic, ret_fault, reterr);
    if (err) return err;
    unpack_header(frames[1].bytes, item);
    err = check_words(item, ret_fault, reterr);
    return err ? err : check_numbers(item, ret_fault, reterr);
}

/* Frames 2 and 3. */
static enum burst_err parse_rest(const struct frame_bytes *frames, size_t n_frame, struct stream_item *item,
                                 enum frame_fault *ret_fault, struct burst_error *reterr)
{
    unsigned long long seq = item->seq;
    if (frames[2].n > FRAME_BODY_MAX) {
        *ret_fault = FAULT_BODY;
        return burst_fail(reterr, BURST_E_LIMIT, "%s seq %llu: frame 2 (body) has %zu bytes, limit %zu", item->topic,
                          seq, frames[2].n, FRAME_BODY_MAX);
    }
    if (n_frame == 4 && frames[3].n != FRAME_SEAL) {
        *ret_fault = FAULT_SEAL;
        return burst_fail(reterr, BURST_E_SHAPE, "%s seq %llu: frame 3 (seal) has %zu bytes, not %d", item->topic, seq,
                          frames[3].n, FRAME_SEAL);
    }
    item->body = frames[2].bytes;
    item->n_body = frames[2].n;
    item->seal = n_frame == 4 ? frames[3].bytes : NULL;
    return BURST_OK;
}

enum burst_err frame_parse(const struct frame_bytes *frames, size_t n_frame, struct stream_item *ret_item,
                           enum frame_fault *ret_fault, struct burst_error *reterr)
{
    *ret_fault = FAULT_COUNT;
    ret_item->topic[0] = 0;
    if (n_frame != 3 && n_frame != 4)
        return burst_fail(reterr, BURST_E_SHAPE, "message of %zu frames, not 3 or 4 (topic, header, body, seal)",
                          n_frame);
    struct stream_item item = {0};
    enum burst_err err = parse_head(frames, &item, ret_fault, reterr);
    if (err) return err;
    err = parse_rest(frames, n_frame, &item, ret_fault, reterr);
    *ret_item = item; /* also after a fault in frames 2 and 3: the message can then be placed */
    if (err) return err;
    *ret_fault = FAULT_NONE;
    return BURST_OK;
}

static const char *const FAULT_NAME[FAULT_N] = {
    [FAULT_NONE] = "none",           [FAULT_COUNT] = "count",         [FAULT_TOPIC] = "topic",
    [FAULT_HEADER] = "header",       [FAULT_MAGIC] = "magic",         [FAULT_VERSION] = "version",
    [FAULT_FLAGS] = "flags",         [FAULT_CONTENT] = "content",     [FAULT_SEQ] = "seq",
    [FAULT_TIME] = "time",           [FAULT_BODY] = "body",           [FAULT_SEAL] = "seal",
    [FAULT_CHAIN] = "chain",         [FAULT_SIGNATURE] = "signature", [FAULT_STREAM] = "stream",
    [FAULT_REWRITTEN] = "rewritten", [FAULT_BEAT] = "heartbeat",      [FAULT_POSITION] = "position",
    [FAULT_HISTORY] = "history",     [FAULT_FORK] = "fork",
};

const char *frame_fault_name(enum frame_fault fault)
{
    return (unsigned)fault < FAULT_N ? FAULT_NAME[fault] : "unknown";
}
