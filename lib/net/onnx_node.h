/* onnx_node: one NodeProto to one net_node: which operators, inputs and attributes we take. The tables in onnx_node.c are the
 * list; everything else is refused with the names of operator and node. */
#ifndef BURST_NET_ONNX_NODE_H
#define BURST_NET_ONNX_NODE_H
#include "net/graph.h"
#include "onnx.pb-c.h"

/* "node 'conv1' (Conv)": how errors name a node. */
enum { NODE_TEXT = 200 };
void node_text(const char *name, const char *op, char ret_text[NODE_TEXT]);

/* The operator of a node. BURST_E_UNSUPPORTED for another operator or domain; *ret untouched. */
enum burst_err onnx_node_op(const Onnx__NodeProto *p, const char *name, enum net_op *ret, struct burst_error *reterr);

/* Attributes of a node other than Constant, with the defaults of the opset for those left out.
 * Errors    BURST_E_UNSUPPORTED  an attribute, or a value of one, that we do not take
 *           BURST_E_FORMAT       an attribute of another type than ONNX's
 *           BURST_E_MISSING      a required one;  BURST_E_SHAPE  a list of the wrong length;  BURST_E_RANGE */
enum burst_err onnx_node_attributes(const Onnx__NodeProto *p, int64_t opset, struct net_node *node,
                                    struct burst_error *reterr);

/* BURST_E_SHAPE where the number of inputs is not the operator's. */
enum burst_err onnx_node_inputs(const Onnx__NodeProto *p, enum net_op op, const char *name, struct burst_error *reterr);

/* Inputs that must be constants (a shape, axes, a ratio) become attributes; the node keeps one input.
 * Errors    BURST_E_UNSUPPORTED  such an input is computed, or of the wrong type */
enum burst_err onnx_node_constants(const struct net_graph *g, struct net_node *node, struct burst_error *reterr);
#endif
