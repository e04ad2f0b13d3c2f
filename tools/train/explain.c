/* Grad-CAM of networks whose end the C runtime knows: run, read the feature map, go back through the dense head. */
#include "train/explain.h"
#include "kernels/cam.h"
#include "net/net.h"
#include <stdlib.h>

_Static_assert((int)NET_HEAD_LAYERS == (int)HEAD_LAYERS, "the runtime and the kernel allow as many layers");

struct explainer {
    struct net *net;
    struct net_head end;
    struct head head;
    struct explainer_shape shape;
    float *feature; /* [n_channel][n_position] */
};

static enum burst_err head_take(struct explainer *x, struct burst_error *reterr)
{
    enum burst_err refused = net_head(x->net, &x->end, reterr);
    if (refused) return refused;
    x->head.n_layer = x->end.n_layer;
    for (int i = 0; i < x->end.n_layer; i++) {
        const struct net_layer *l = &x->end.layer[i];
        x->head.layer[i] = (struct head_layer){l->n_in, l->n_out, l->weight, l->bias, l->relu};
    }
    if (head_fits(&x->head, x->end.n_channel)) return BURST_OK;
    return burst_fail(reterr, BURST_E_UNSUPPORTED, "a dense head wider than %d cannot be explained", HEAD_WIDTH_MOST);
}

static enum burst_err explainer_fill(struct explainer *x, const char *path, struct burst_error *reterr)
{
    enum burst_err refused = net_open(path, NULL, &x->net, reterr);
    if (refused) return refused;
    if (net_n_input(x->net) != 1 || net_n_output(x->net) != 1)
        return burst_fail(reterr, BURST_E_UNSUPPORTED, "the network has %d inputs and %d outputs, not one of each",
                          net_n_input(x->net), net_n_output(x->net));
    if ((refused = head_take(x, reterr))) return refused;
    x->shape =
        (struct explainer_shape){net_input(x->net, 0)->n_element, net_output(x->net, 0)->n_element, x->end.n_position};
    x->feature = malloc((size_t)x->end.n_channel * (size_t)x->end.n_position * sizeof *x->feature);
    return x->feature ? BURST_OK : burst_fail(reterr, BURST_E_NOMEM, "no memory for a feature map");
}

enum burst_err explainer_open(const char *path, struct explainer **ret, struct explainer_shape *ret_shape,
                              struct burst_error *reterr)
{
    if (!path || !ret || !ret_shape) return burst_fail(reterr, BURST_E_MISSING, "no path or place for the network");
    struct explainer *x = calloc(1, sizeof *x);
    if (!x) return burst_fail(reterr, BURST_E_NOMEM, "no memory for a network");
    enum burst_err refused = explainer_fill(x, path, reterr);
    if (refused) {
        explainer_close(x);
        return refused;
    }
    *ret_shape = x->shape;
    *ret = x;
    return BURST_OK;
}

void explainer_close(struct explainer *x)
{
    if (!x) return;
    net_close(x->net);
    free(x->feature);
    free(x);
}

enum burst_err explainer_run(struct explainer *x, const float *input, size_t n, int index, float *ret_output,
                             float *ret_cam, struct burst_error *reterr)
{
    if (!x || (n > 0 && (!input || !ret_output || !ret_cam)))
        return burst_fail(reterr, BURST_E_MISSING, "no network, no input, or nowhere to write");
    if (index < 0 || index >= x->shape.n_out)
        return burst_fail(reterr, BURST_E_RANGE, "number %d of an answer of %lld", index, (long long)x->shape.n_out);
    const size_t n_feature = (size_t)x->end.n_channel * (size_t)x->end.n_position;
    const size_t n_in = (size_t)x->shape.n_in, n_out = (size_t)x->shape.n_out, n_cam = (size_t)x->shape.n_position;
    enum burst_err refused = BURST_OK;
    for (size_t i = 0; !refused && i < n; i++) {
        refused = net_run(x->net, input + i * n_in, 1, ret_output + i * n_out, reterr);
        if (!refused) refused = net_read(x->net, x->end.name, x->feature, n_feature, NULL, reterr);
        if (!refused) cam_plane(&x->head, x->end.n_channel, x->end.n_position, x->feature, index, ret_cam + i * n_cam);
    }
    return refused;
}
