/* onnx_scan: walk the bytes of an ONNX protobuf before protobuf-c unpacks them. protobuf-c recurses once per nested message,
 * so a few megabytes of subgraphs within subgraphs would exhaust the stack; and it says only "failed" of a file cut short.
 * The walk has a fixed depth: a message that may hold itself (a subgraph, a sequence type) is refused by name. */
#ifndef BURST_NET_ONNX_SCAN_H
#define BURST_NET_ONNX_SCAN_H
#include "base/err.h"
#include <stddef.h>
#include <stdint.h>

enum scan_message {
    SCAN_MODEL,
    SCAN_GRAPH,
    SCAN_NODE,
    SCAN_ATTRIBUTE,
    SCAN_TENSOR,
    SCAN_VALUE_INFO,
    SCAN_TYPE,
    SCAN_FLAT
};

/* Check the nesting of n bytes that should be a message of type `root`.
 * Errors    BURST_E_TRUNCATED    a field runs past the end of its message, with the byte offset
 *           BURST_E_FORMAT       not the protobuf wire format, or a field of another wire type than ONNX's
 *           BURST_E_UNSUPPORTED  subgraphs, functions, training information, sparse tensors, sequence and map types */
enum burst_err onnx_scan(const uint8_t *bytes, size_t n, enum scan_message root, struct burst_error *reterr);
#endif
