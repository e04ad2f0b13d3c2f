/* The sums of head.h in the GPU's order. */
#include "kernels/head.h"
#include <string.h>

bool head_fits(const struct head *h, int64_t n_channel)
{
    bool fits = h->n_layer >= 0 && h->n_layer <= HEAD_LAYERS && n_channel >= 1 && n_channel <= HEAD_WIDTH_MOST;
    int64_t n = n_channel;
    for (int i = 0; fits && i < h->n_layer; i++) {
        const struct head_layer *l = &h->layer[i];
        fits = l->n_in == n && l->n_out >= 1 && l->n_out <= HEAD_WIDTH_MOST;
        n = l->n_out;
    }
    return fits;
}

int head_n_out(const struct head *h, int64_t n_channel)
{
    return h->n_layer ? h->layer[h->n_layer - 1].n_out : (int)n_channel;
}

static float mean_of(const struct layout *as, const void *feature, int64_t channel)
{
    double part[HEAD_LANES] = {0};
    for (int64_t t = 0; t < as->n_position; t++)
        part[t % HEAD_LANES] += (double)layout_get(feature, as->bf16, t * as->n_padded + channel);
    return head_mean(head_join(part, 1), as->n_position);
}

static float output_of(const struct head_layer *l, int o, const float *in)
{
    double part[HEAD_LANES] = {0};
    for (int k = 0; k < l->n_in; k++)
        part[k % HEAD_LANES] += (double)l->weight[(size_t)o * (size_t)l->n_in + (size_t)k] * (double)in[k];
    return head_output(l, o, head_join(part, 1));
}

void head_one(const struct head *h, const struct layout *as, const void *feature, float *ret)
{
    float in[HEAD_WIDTH_MOST], out[HEAD_WIDTH_MOST];
    for (int64_t c = 0; c < as->n_channel; c++)
        in[c] = mean_of(as, feature, c);
    for (int i = 0; i < h->n_layer; i++) {
        for (int o = 0; o < h->layer[i].n_out; o++)
            out[o] = output_of(&h->layer[i], o, in);
        memcpy(in, out, (size_t)h->layer[i].n_out * sizeof *in);
    }
    memcpy(ret, in, (size_t)head_n_out(h, as->n_channel) * sizeof *ret);
}
