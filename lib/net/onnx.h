/* onnx: an ONNX file's bytes to a graph: everything is checked here but the shapes (shape.h). */
#ifndef BURST_NET_ONNX_H
#define BURST_NET_ONNX_H
#include "net/graph.h"

enum { ONNX_IR_LEAST = 3, ONNX_IR_MOST = 8, ONNX_OPSET_LEAST = 11, ONNX_OPSET_MOST = 17 };

/* What the caller wants of the reader. */
struct onnx_options {
    const struct net_tensor *promote; /* [n_promote] graph inputs of these names become constants; copied */
    int n_promote;
    int opset_least; /* 0 is ONNX_OPSET_LEAST */
};

/* Read a model.
 *
 * Given     bytes, n   the file; may go afterwards
 *           g          from graph_init
 * Returned  *g         complete but for shapes; on failure half-built: graph_fini it either way
 * Errors    as net_open, without those of shapes */
enum burst_err onnx_read(const uint8_t *bytes, size_t n, const struct onnx_options *options, struct net_graph *g,
                         struct burst_error *reterr);
#endif
