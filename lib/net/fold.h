/* fold: fewer nodes that compute the same. Batch normalisations go into the convolutions before them, biases into the nodes
 * they follow, additions and ReLUs into the convolution or dense layer whose result they take; dropout and identity go. */
#ifndef BURST_NET_FOLD_H
#define BURST_NET_FOLD_H
#include "net/graph.h"

/* Simplify a shaped graph.
 *
 * Given     g  from shape_infer; values with `kept` set, and the graph's outputs, are left as they are, with their names
 * Returned  *g  fewer nodes, in an order that still holds. Of Conv, Gemm and MatMul the fields `relu` and `add` say what was
 *           fused; a MatMul may have a bias as third input. Conv weights are new constants where a batch norm went in
 * Errors    BURST_E_RANGE  a batch normalisation gives weights that are not finite, or has a negative variance: named
 *           BURST_E_LIMIT, BURST_E_NOMEM
 * Notes     Folding is done in double and rounded once: fold(W) = W * scale / sqrt(variance + epsilon). */
enum burst_err fold_graph(struct net_graph *g, struct burst_error *reterr);
#endif
