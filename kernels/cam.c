/* Forward to see which ReLUs are open, backward for the gradient, once more over the map. */
#include "kernels/cam.h"
#include <string.h>

/* A map in either order of its dimensions. */
struct map {
    const void *at;
    bool bf16;
    int64_t n_channel, n_position, channel_step, position_step;
};

/* Which outputs of each layer a change can go through. */
struct head_pass {
    bool open[HEAD_LAYERS][HEAD_WIDTH_MOST];
};

static double map_get(const struct map *m, int64_t channel, int64_t position)
{
    return (double)layout_get(m->at, m->bf16, channel * m->channel_step + position * m->position_step);
}

static void layer_forward(const struct head_layer *l, const float *in, float *out, bool *open)
{
    for (int o = 0; o < l->n_out; o++) {
        out[o] = cam_output(l, o, in);
        open[o] = cam_is_open(l, out[o]);
    }
}

static void head_forward(const struct head *h, const struct map *m, struct head_pass *pass)
{
    float in[HEAD_WIDTH_MOST], out[HEAD_WIDTH_MOST];
    for (int64_t k = 0; k < m->n_channel; k++) {
        double sum = 0;
        for (int64_t t = 0; t < m->n_position; t++)
            sum += map_get(m, k, t);
        in[k] = head_mean(sum, m->n_position);
    }
    for (int i = 0; i < h->n_layer; i++) {
        layer_forward(&h->layer[i], in, out, pass->open[i]);
        memcpy(in, out, (size_t)h->layer[i].n_out * sizeof *in);
    }
}

/* d output[index] / d pooled[k], for every k. */
static void head_backward(const struct head *h, const struct head_pass *pass, int index, double *ret_gradient)
{
    double up[HEAD_WIDTH_MOST] = {0}, down[HEAD_WIDTH_MOST];
    up[index] = 1;
    for (int i = h->n_layer - 1; i >= 0; i--) {
        const struct head_layer *l = &h->layer[i];
        for (int k = 0; k < l->n_in; k++)
            down[k] = cam_down(l, pass->open[i], up, k);
        memcpy(up, down, (size_t)l->n_in * sizeof *up);
    }
    memcpy(ret_gradient, up, (size_t)h->layer[0].n_in * sizeof *up);
}

static void cam_of(const struct head *h, const struct map *m, int index, float *ret)
{
    struct head_pass pass = {0}; /* a compiler cannot see that every layer is passed */
    double gradient[HEAD_WIDTH_MOST];
    head_forward(h, m, &pass);
    head_backward(h, &pass, index, gradient);
    for (int64_t t = 0; t < m->n_position; t++) {
        double sum = 0;
        for (int64_t k = 0; k < m->n_channel; k++)
            sum += gradient[k] * map_get(m, k, t);
        ret[t] = cam_weight(sum, m->n_position);
    }
}

void cam_one(const struct head *h, const struct layout *as, const void *feature, int index, float *ret)
{
    struct map m = {feature, as->bf16, as->n_channel, as->n_position, 1, as->n_padded};
    cam_of(h, &m, index, ret);
}

void cam_plane(const struct head *h, int64_t n_channel, int64_t n_position, const float *feature, int index, float *ret)
{
    struct map m = {feature, false, n_channel, n_position, n_position, 1};
    cam_of(h, &m, index, ret);
}
