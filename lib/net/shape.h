/* shape: the shape of every value, from the inputs' and the weights'. Refuses everything that could not run, so that folding,
 * planning and backends need not ask again. */
#ifndef BURST_NET_SHAPE_H
#define BURST_NET_SHAPE_H
#include "net/graph.h"

/* Infer all shapes; resolve negative axes, automatic pads, kernel sizes and reshape targets into the nodes' attributes.
 *
 * Given     g  built by onnx_read
 * Returned  *g  every value shaped. Of Squeeze, ReduceMean and Transpose `axes` is filled when it was empty; ReduceMean's are
 *           sorted
 * Errors    BURST_E_SHAPE        shapes that do not fit, or differ from the output's declared shape: node and shapes named
 *           BURST_E_UNSUPPORTED  an operation that mixes the samples of a batch; computed weights; 3-D convolution
 *           BURST_E_LIMIT        a tensor of more than NET_ELEMENTS_MAX elements
 * Notes     A batched value's dim[0] is 1: one sample. Every operator here keeps the batch first. */
enum burst_err shape_infer(struct net_graph *g, struct burst_error *reterr);
#endif
