/* The wire format: a field is a varint key (number << 3 | type) and its content. */
#include "net/onnx_scan.h"

enum { WIRE_VARINT = 0, WIRE_64 = 1, WIRE_BYTES = 2, WIRE_32 = 5 };

/* Fields that hold a message: walked, or refused with these words. Numbers: onnx.proto. */
static const struct scan_rule {
    enum scan_message in;
    uint64_t field;
    enum scan_message to;
    const char *refuse;
} rules[] = {
    {SCAN_MODEL, 7, SCAN_GRAPH, NULL},
    {SCAN_MODEL, 8, SCAN_FLAT, NULL},
    {SCAN_MODEL, 14, SCAN_FLAT, NULL},
    {SCAN_MODEL, 20, SCAN_FLAT, "training information"},
    {SCAN_MODEL, 25, SCAN_FLAT, "functions"},
    {SCAN_GRAPH, 1, SCAN_NODE, NULL},
    {SCAN_GRAPH, 5, SCAN_TENSOR, NULL},
    {SCAN_GRAPH, 11, SCAN_VALUE_INFO, NULL},
    {SCAN_GRAPH, 12, SCAN_VALUE_INFO, NULL},
    {SCAN_GRAPH, 13, SCAN_VALUE_INFO, NULL},
    {SCAN_GRAPH, 14, SCAN_FLAT, "quantization annotations"},
    {SCAN_GRAPH, 15, SCAN_FLAT, "sparse initialisers"},
    {SCAN_NODE, 5, SCAN_ATTRIBUTE, NULL},
    {SCAN_ATTRIBUTE, 5, SCAN_TENSOR, NULL},
    {SCAN_ATTRIBUTE, 6, SCAN_FLAT, "a subgraph (If, Loop, Scan)"},
    {SCAN_ATTRIBUTE, 10, SCAN_FLAT, "a list of tensors as attribute"},
    {SCAN_ATTRIBUTE, 11, SCAN_FLAT, "a list of subgraphs"},
    {SCAN_ATTRIBUTE, 14, SCAN_FLAT, "a type as attribute"},
    {SCAN_ATTRIBUTE, 15, SCAN_FLAT, "a list of types as attribute"},
    {SCAN_ATTRIBUTE, 22, SCAN_FLAT, "a sparse tensor"},
    {SCAN_ATTRIBUTE, 23, SCAN_FLAT, "a list of sparse tensors"},
    {SCAN_VALUE_INFO, 2, SCAN_TYPE, NULL},
    {SCAN_TYPE, 1, SCAN_FLAT, NULL},
    {SCAN_TYPE, 4, SCAN_FLAT, "a sequence type"},
    {SCAN_TYPE, 5, SCAN_FLAT, "a map type"},
    {SCAN_TYPE, 8, SCAN_FLAT, "a sparse tensor type"},
    {SCAN_TYPE, 9, SCAN_FLAT, "an optional type"},
};

static const char *const message_names[] = {"model", "graph", "node", "attribute", "tensor", "value", "type", "part"};

struct scan {
    const uint8_t *bytes; /* of the whole file, so that offsets are those of the file */
    struct burst_error *reterr;
};

static enum burst_err scan_cut(const struct scan *s, enum scan_message in, size_t at)
{
    return burst_fail(s->reterr, BURST_E_TRUNCATED, "the file is cut short: a %s runs past its end at byte %zu",
                      message_names[in], at);
}

/* At most 10 bytes of 7 bits each. */
static enum burst_err scan_varint(const struct scan *s, enum scan_message in, size_t end, size_t *at, uint64_t *ret)
{
    uint64_t x = 0;
    for (unsigned shift = 0; shift < 70; shift += 7) {
        if (*at >= end) return scan_cut(s, in, *at);
        uint8_t byte = s->bytes[(*at)++];
        if (shift < 64) x |= (uint64_t)(byte & 0x7f) << shift;
        if (!(byte & 0x80)) {
            *ret = x;
            return BURST_OK;
        }
    }
    return burst_fail(s->reterr, BURST_E_FORMAT, "not an ONNX file: a number of more than 10 bytes before byte %zu",
                      *at);
}

static const struct scan_rule *rule_of(enum scan_message in, uint64_t field)
{
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++)
        if (rules[i].in == in && rules[i].field == field) return &rules[i];
    return NULL;
}

/* Length of the content of a field that starts at *at. */
static enum burst_err scan_length(const struct scan *s, enum scan_message in, uint64_t key, size_t end, size_t *at,
                                  uint64_t *ret)
{
    switch (key & 7) {
    case WIRE_VARINT: {
        uint64_t ignored;
        *ret = 0;
        return scan_varint(s, in, end, at, &ignored);
    }
    case WIRE_64: *ret = 8; return BURST_OK;
    case WIRE_32: *ret = 4; return BURST_OK;
    case WIRE_BYTES: return scan_varint(s, in, end, at, ret);
    default:
        return burst_fail(s->reterr, BURST_E_FORMAT, "not an ONNX file: wire type %u in a %s before byte %zu",
                          (unsigned)(key & 7), message_names[in], *at);
    }
}

/* The depth of this recursion is that of `rules`: 4. */
static enum burst_err scan_range(const struct scan *s, enum scan_message in, size_t at, size_t end)
{
    while (at < end) {
        uint64_t key = 0, n = 0;
        enum burst_err err = scan_varint(s, in, end, &at, &key);
        if (!err && key >> 3 == 0)
            err = burst_fail(s->reterr, BURST_E_FORMAT, "not an ONNX file: field 0 before byte %zu", at);
        if (!err) err = scan_length(s, in, key, end, &at, &n);
        if (err) return err;
        if (n > end - at) return scan_cut(s, in, at);
        const struct scan_rule *rule = rule_of(in, key >> 3);
        if (rule && rule->refuse)
            return burst_fail(s->reterr, BURST_E_UNSUPPORTED, "the file holds %s (at byte %zu)", rule->refuse, at);
        if (rule && (key & 7) != WIRE_BYTES)
            return burst_fail(s->reterr, BURST_E_FORMAT,
                              "not an ONNX file: field %llu of a %s before byte %zu is a number",
                              (unsigned long long)(key >> 3), message_names[in], at);
        if (rule && rule->to != SCAN_FLAT) err = scan_range(s, rule->to, at, at + (size_t)n);
        if (err) return err;
        at += (size_t)n;
    }
    return BURST_OK;
}

enum burst_err onnx_scan(const uint8_t *bytes, size_t n, enum scan_message root, struct burst_error *reterr)
{
    struct scan s = {bytes, reterr};
    return scan_range(&s, root, 0, n);
}
