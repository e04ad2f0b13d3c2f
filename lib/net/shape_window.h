/* shape_window: output sizes of convolutions and poolings, and the pads that automatic padding means. */
#ifndef BURST_NET_SHAPE_WINDOW_H
#define BURST_NET_SHAPE_WINDOW_H
#include "net/graph.h"

enum { SHAPE_WHY = 240 };

/* Output shape of a convolution.
 * Given     at      window and group; kernel, n_spatial and pads may be incomplete as the file leaves them
 *           x       [N][channels][width] or [N][channels][height][width]
 *           weight  [out channels][channels / group][kernel ...];  bias [out channels] or NULL
 * Returned  *ret; *at completed
 * Errors    BURST_E_SHAPE, BURST_E_UNSUPPORTED (three spatial dimensions), with the reason in ret_why */
enum burst_err shape_conv(struct net_attributes *at, const struct net_dims *x, const struct net_dims *weight,
                          const struct net_dims *bias, struct net_dims *ret, char ret_why[SHAPE_WHY]);

/* The same for a maximum or average pooling.
 * Notes     With ceil_mode the last window still starts inside the input or its first pad, as in PyTorch. */
enum burst_err shape_pool(struct net_attributes *at, const struct net_dims *x, struct net_dims *ret,
                          char ret_why[SHAPE_WHY]);
#endif
