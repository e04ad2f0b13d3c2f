/* plan_steps: one node of a folded graph to one step of a plan (two where a matrix must be transposed first). Private to
 * lib/net. */
#ifndef BURST_NET_PLAN_STEPS_H
#define BURST_NET_PLAN_STEPS_H
#include "net/plan.h"

/* Is the node's output its input with another shape? Then it needs no step. */
bool plan_is_view(const struct net_node *node);

/* Append the step(s) of a node. p->value already holds the graph's values, with room for one more a node; steps likewise.
 * Errors    BURST_E_RANGE  alpha or beta overflow a weight;  BURST_E_LIMIT, BURST_E_NOMEM from the pool */
enum burst_err plan_add_step(struct net_plan *p, const struct net_node *node, struct burst_error *reterr);
#endif
