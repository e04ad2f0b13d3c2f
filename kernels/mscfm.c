#include "kernels/mscfm.h"
#include "kernels/bf16.h"
#include <math.h>

/* One of the module's convolutions. */
struct conv {
    int64_t n_in, n_out, n_tap;
    const float *weight, *bias;
};

enum { CONV_N = 2 + MSCFM_SCALES };

/* In the order of the packed weights. */
static void list_convolutions(int64_t n_channel, const struct mscfm_weights *w, struct conv ret[CONV_N])
{
    int64_t reduced = n_channel / 4;
    ret[0] = (struct conv){n_channel, reduced, 1, w->reduce, w->reduce_bias};
    for (int i = 0; i < MSCFM_SCALES; i++)
        ret[1 + i] = (struct conv){reduced, reduced, MSCFM_TAPS, w->scale[i], w->scale_bias[i]};
    ret[CONV_N - 1] = (struct conv){n_channel, n_channel, 1, w->join, w->join_bias};
}

bool mscfm_fits(int64_t n_channel, int64_t n_reduced, int64_t n_scale)
{
    return (n_channel == 64 || n_channel == 128 || n_channel == 256) && n_reduced == n_channel / 4 &&
           n_scale == MSCFM_SCALES;
}

/* A factor as the kernel multiplies it. */
static float factor_of(enum tensor_precision precision, float value)
{
    if (precision == TENSOR_TF32) return tf32_round(value);
    return precision == TENSOR_BF16 ? bf16_to_float(bf16_from_float(value)) : value;
}

/* ---- packing ---- */

size_t mscfm_packed_bytes(int64_t n_channel, enum tensor_precision precision)
{
    size_t c = (size_t)n_channel, r = c / 4;
    return 2 * c * sizeof(float) + (r * c + MSCFM_SCALES * MSCFM_TAPS * r * r + c * c) * precision_bytes(precision);
}

static float weight_at(const struct conv *c, int64_t k, int64_t n)
{
    return c->weight[(n * c->n_in + k % c->n_in) * c->n_tap + k / c->n_in];
}

/* Word `word` of a lane's fragments for step `step` of k in 16 columns from `column` on. */
static uint32_t word_of(const struct conv *c, enum tensor_precision precision, int64_t column, int64_t step, int lane,
                        int word)
{
    int64_t n = column + word / 2 * 8 + lane / 4;
    if (precision == TENSOR_BF16) {
        int64_t k = step * 16 + lane % 4 * 2 + word % 2 * 8;
        return bf16_from_float(weight_at(c, k, n)) | (uint32_t)bf16_from_float(weight_at(c, k + 1, n)) << 16;
    }
    float value = tf32_round(weight_at(c, step * 8 + lane % 4 + word % 2 * 4, n));
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static unsigned char *pack_fragments(const struct conv *c, enum tensor_precision precision, unsigned char *to)
{
    int64_t n_step = c->n_in * c->n_tap / (precision == TENSOR_BF16 ? 16 : 8);
    for (int64_t column = 0; column < c->n_out; column += 16)
        for (int64_t step = 0; step < n_step; step++)
            for (int i = 0; i < 32 * 4; i++, to += sizeof(uint32_t)) {
                uint32_t word = word_of(c, precision, column, step, i / 4, i % 4);
                memcpy(to, &word, sizeof word);
            }
    return to;
}

static unsigned char *pack_rows(const struct conv *c, unsigned char *to)
{
    for (int64_t k = 0; k < c->n_in * c->n_tap; k++)
        for (int64_t n = 0; n < c->n_out; n++, to += sizeof(float)) {
            float value = weight_at(c, k, n);
            memcpy(to, &value, sizeof value);
        }
    return to;
}

void mscfm_pack(int64_t n_channel, enum tensor_precision precision, const struct mscfm_weights *w, void *ret_packed)
{
    struct conv conv[CONV_N];
    list_convolutions(n_channel, w, conv);
    unsigned char *to = ret_packed;
    for (int i = 0; i < CONV_N; i++)
        for (int64_t n = 0; n < conv[i].n_out; n++, to += sizeof(float)) {
            float bias = conv[i].bias ? conv[i].bias[n] : 0;
            memcpy(to, &bias, sizeof bias);
        }
    for (int i = 0; i < CONV_N; i++)
        to = precision == TENSOR_FP32 ? pack_rows(&conv[i], to) : pack_fragments(&conv[i], precision, to);
}

/* ---- the module itself ---- */

/* One sample's tensor: x, or a part of the channels of f0 to f3. */
struct rows {
    const void *at;
    bool bf16;
    int64_t step; /* elements from one bin to the next */
};

static float read_at(const struct rows *r, int64_t bin, int64_t channel)
{
    int64_t i = bin * r->step + channel;
    return r->bf16 ? bf16_to_float(((const uint16_t *)r->at)[i]) : ((const float *)r->at)[i];
}

/* Bias and products of one output, in the order of k. */
static float sum_at(const struct conv *c, enum tensor_precision precision, const struct rows *in, int64_t n_bin,
                    int64_t bin, int64_t n)
{
    float sum = c->bias ? c->bias[n] : 0;
    for (int64_t tap = 0; tap < c->n_tap; tap++) {
        int64_t from = bin + tap - c->n_tap / 2;
        for (int64_t i = 0; i < c->n_in; i++) {
            float x = from >= 0 && from < n_bin ? factor_of(precision, read_at(in, from, i)) : 0;
            sum = fmaf(x, factor_of(precision, weight_at(c, tap * c->n_in + i, n)), sum);
        }
    }
    return sum;
}

static float relu(float value)
{
    return value < 0 ? 0 : value; /* NaN stays NaN, so that a broken input shows */
}

/* A convolution whose result the next one multiplies. */
static void convolve(const struct conv *c, enum tensor_precision precision, const struct rows *in, int64_t n_bin,
                     float *ret_f, int64_t step)
{
    for (int64_t bin = 0; bin < n_bin; bin++)
        for (int64_t n = 0; n < c->n_out; n++)
            ret_f[bin * step + n] = factor_of(precision, relu(sum_at(c, precision, in, n_bin, bin, n)));
}

static void join(const struct conv *c, enum tensor_precision precision, const struct rows *f, const struct rows *x,
                 int64_t n_bin, void *ret_y)
{
    for (int64_t bin = 0; bin < n_bin; bin++)
        for (int64_t n = 0; n < c->n_out; n++) {
            float y = relu(sum_at(c, precision, f, n_bin, bin, n) + read_at(x, bin, n));
            if (precision == TENSOR_BF16)
                ((uint16_t *)ret_y)[bin * c->n_out + n] = bf16_from_float(y);
            else
                ((float *)ret_y)[bin * c->n_out + n] = y;
        }
}

void mscfm_plain(int64_t n_channel, enum tensor_precision precision, const struct mscfm_weights *w, int64_t n_sample,
                 int64_t n_bin, const void *x, float *scratch, void *ret_y)
{
    struct conv conv[CONV_N];
    list_convolutions(n_channel, w, conv);
    int64_t reduced = n_channel / 4, bytes = n_bin * n_channel * (int64_t)precision_bytes(precision);
    for (int64_t s = 0; s < n_sample; s++) {
        struct rows in = {(const char *)x + s * bytes, precision == TENSOR_BF16, n_channel};
        struct rows f = {scratch, false, n_channel};
        convolve(&conv[0], precision, &in, n_bin, scratch, n_channel);
        for (int i = 0; i < MSCFM_SCALES; i++, f.at = (const float *)f.at + reduced)
            convolve(&conv[1 + i], precision, &f, n_bin, scratch + (i + 1) * reduced, n_channel);
        f.at = scratch;
        join(&conv[CONV_N - 1], precision, &f, &in, n_bin, (char *)ret_y + s * bytes);
    }
}
