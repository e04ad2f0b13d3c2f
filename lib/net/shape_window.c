/* ONNX Conv-11, MaxPool-12, AveragePool-11. One-dimensional windows are stored with height 1. */
#include "net/shape_window.h"
#include <inttypes.h>
#include <stdio.h>

/* The dimension of x that spatial index i (0 height, 1 width) is. */
static int64_t input_size(const struct net_dims *x, int i)
{
    return i == 0 && x->rank == 3 ? 1 : x->dim[x->rank - 2 + i];
}

/* "<text>: a and b" */
static enum burst_err why(char ret_why[SHAPE_WHY], enum burst_err code, const char *text, int64_t a, int64_t b)
{
    (void)snprintf(ret_why, SHAPE_WHY, "%s: %" PRId64 " and %" PRId64, text, a, b);
    return code;
}

static enum burst_err check_rank(struct net_window *w, const struct net_dims *x, char ret_why[SHAPE_WHY])
{
    int n_spatial = x->rank - 2;
    if (n_spatial == 3)
        return why(ret_why, BURST_E_UNSUPPORTED, "only one or two spatial dimensions are supported, given", 3, x->rank);
    if (n_spatial < 1 || n_spatial > 2)
        return why(ret_why, BURST_E_SHAPE, "it takes 3 or 4 dimensions; its input and kernel have", x->rank,
                   w->n_spatial);
    if (w->n_spatial && w->n_spatial != n_spatial)
        return why(ret_why, BURST_E_SHAPE, "spatial dimensions of window and input differ", w->n_spatial, n_spatial);
    w->n_spatial = n_spatial;
    return BURST_OK;
}

/* Pads of one dimension for automatic padding: as many outputs as strides begin in the input. */
static void pad_same(struct net_window *w, int i, int64_t in, int64_t reach)
{
    int64_t out = (in + w->stride[i] - 1) / w->stride[i];
    int64_t total = (out - 1) * w->stride[i] + reach - in;
    if (total < 0) total = 0;
    int64_t less = total / 2;
    w->pad_begin[i] = w->auto_pad == NET_PAD_SAME_UPPER ? less : total - less;
    w->pad_end[i] = total - w->pad_begin[i];
}

/* Size of output dimension i. */
static enum burst_err window_size(struct net_window *w, int i, int64_t in, int64_t *ret, char ret_why[SHAPE_WHY])
{
    int64_t reach = w->dilation[i] * (w->kernel[i] - 1) + 1;
    if (w->auto_pad == NET_PAD_VALID)
        w->pad_begin[i] = w->pad_end[i] = 0;
    else if (w->auto_pad != NET_PAD_GIVEN)
        pad_same(w, i, in, reach);
    int64_t room = in + w->pad_begin[i] + w->pad_end[i] - reach;
    if (room < 0) return why(ret_why, BURST_E_SHAPE, "the window is larger than the padded input", reach, room + reach);
    int64_t out = room / w->stride[i] + 1;
    bool ceil_mode = w->ceil_mode && w->auto_pad == NET_PAD_GIVEN;
    if (ceil_mode && room % w->stride[i] && out * w->stride[i] < in + w->pad_begin[i]) out++;
    *ret = out;
    return BURST_OK;
}

static enum burst_err window_sizes(struct net_window *w, const struct net_dims *x, struct net_dims *d,
                                   char ret_why[SHAPE_WHY])
{
    d->rank = 2;
    for (int i = 2 - w->n_spatial; i < 2; i++) {
        enum burst_err err = window_size(w, i, input_size(x, i), &d->dim[d->rank++], ret_why);
        if (err) return err;
    }
    w->auto_pad = NET_PAD_GIVEN;
    return BURST_OK;
}

/* A kernel_shape that is given must be the weights'. */
static enum burst_err conv_kernel(struct net_window *w, const struct net_dims *weight, char ret_why[SHAPE_WHY])
{
    bool given = w->kernel[1] != 0;
    for (int i = 2 - w->n_spatial; i < 2; i++) {
        int64_t k = input_size(weight, i);
        if (given && w->kernel[i] != k)
            return why(ret_why, BURST_E_SHAPE, "kernel_shape and weights differ", w->kernel[i], k);
        if (k < 1 || k > 65536) return why(ret_why, BURST_E_SHAPE, "the weights' kernel is out of range", k, 65536);
        w->kernel[i] = k;
    }
    return BURST_OK;
}

enum burst_err shape_conv(struct net_attributes *at, const struct net_dims *x, const struct net_dims *weight,
                          const struct net_dims *bias, struct net_dims *ret, char ret_why[SHAPE_WHY])
{
    struct net_window w = at->window;
    struct net_dims d = {0};
    enum burst_err err = check_rank(&w, x, ret_why);
    if (err) return err;
    int64_t n_out = weight->dim[0], per_group = weight->dim[1], g = at->group;
    if (weight->rank != x->rank)
        return why(ret_why, BURST_E_SHAPE, "dimensions of weights and input differ", weight->rank, x->rank);
    if (g < 1 || x->dim[1] % g || n_out % g || n_out == 0)
        return why(ret_why, BURST_E_SHAPE, "its groups do not divide the channels", g, x->dim[1]);
    if (per_group != x->dim[1] / g)
        return why(ret_why, BURST_E_SHAPE, "channels (per group) of weights and input differ", per_group,
                   x->dim[1] / g);
    if (bias && (bias->rank != 1 || bias->dim[0] != n_out))
        return why(ret_why, BURST_E_SHAPE, "sizes of bias and output channels differ", dims_count(bias), n_out);
    err = conv_kernel(&w, weight, ret_why);
    if (!err) err = window_sizes(&w, x, &d, ret_why);
    if (err) return err;
    d.dim[0] = x->dim[0];
    d.dim[1] = n_out;
    at->window = w;
    *ret = d;
    return BURST_OK;
}

enum burst_err shape_pool(struct net_attributes *at, const struct net_dims *x, struct net_dims *ret,
                          char ret_why[SHAPE_WHY])
{
    struct net_window w = at->window;
    struct net_dims d = {0};
    enum burst_err err = check_rank(&w, x, ret_why);
    if (!err) err = window_sizes(&w, x, &d, ret_why);
    if (err) return err;
    /* Otherwise a window could hold nothing but padding, which has no maximum. */
    for (int i = 0; i < 2; i++)
        if (w.pad_begin[i] >= w.kernel[i] || w.pad_end[i] >= w.kernel[i])
            return why(ret_why, BURST_E_SHAPE, "its pads are not smaller than its kernel", w.pad_begin[i],
                       w.pad_end[i]);
    d.dim[0] = x->dim[0];
    d.dim[1] = x->dim[1];
    at->window = w;
    *ret = d;
    return BURST_OK;
}
