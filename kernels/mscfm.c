#include "kernels/mscfm.h"
#include "kernels/bf16.h"
#include "kernels/matrix.h"

enum { MATRIX_N = 2 + MSCFM_SCALES };

/* In the order of the packed weights. */
static void list_matrices(int64_t n_channel, const struct mscfm_weights *w, struct matrix ret[MATRIX_N])
{
    int64_t reduced = n_channel / 4;
    ret[0] = (struct matrix){n_channel, reduced, 1, w->reduce, w->reduce_bias};
    for (int i = 0; i < MSCFM_SCALES; i++)
        ret[1 + i] = (struct matrix){reduced, reduced, MSCFM_TAPS, w->scale[i], w->scale_bias[i]};
    ret[MATRIX_N - 1] = (struct matrix){n_channel, n_channel, 1, w->join, w->join_bias};
}

bool mscfm_fits(int64_t n_channel, int64_t n_reduced, int64_t n_scale)
{
    return (n_channel == 64 || n_channel == 128 || n_channel == 256) && n_reduced == n_channel / 4 &&
           n_scale == MSCFM_SCALES;
}

size_t mscfm_packed_bytes(int64_t n_channel, enum tensor_precision precision)
{
    static const struct mscfm_weights none;
    struct matrix m[MATRIX_N];
    size_t bytes = 0;
    list_matrices(n_channel, &none, m);
    for (int i = 0; i < MATRIX_N; i++)
        bytes += (size_t)m[i].n_out * sizeof(float) + matrix_bytes(&m[i], m[i].n_in, m[i].n_out, precision);
    return bytes;
}

void mscfm_pack(int64_t n_channel, enum tensor_precision precision, const struct mscfm_weights *w, void *ret_packed)
{
    struct matrix m[MATRIX_N];
    unsigned char *to = ret_packed;
    list_matrices(n_channel, w, m);
    for (int i = 0; i < MATRIX_N; i++)
        to = matrix_pack_bias(&m[i], m[i].n_out, to);
    for (int i = 0; i < MATRIX_N; i++)
        to = matrix_pack(&m[i], m[i].n_in, m[i].n_out, precision, to);
}

/* A convolution whose result the next one multiplies. */
static void convolve(const struct matrix *m, enum tensor_precision precision, const struct matrix_rows *in,
                     float *ret_f, int64_t step)
{
    for (int64_t bin = 0; bin < in->n_bin; bin++)
        for (int64_t n = 0; n < m->n_out; n++) {
            float f = matrix_relu(matrix_sum(m, precision, in, bin - m->n_tap / 2, n));
            ret_f[bin * step + n] = matrix_factor(precision, f);
        }
}

static void join(const struct matrix *m, enum tensor_precision precision, const struct matrix_rows *f,
                 const struct matrix_rows *x, void *ret_y)
{
    for (int64_t bin = 0; bin < x->n_bin; bin++)
        for (int64_t n = 0; n < m->n_out; n++) {
            float y = matrix_relu(matrix_sum(m, precision, f, bin, n) + matrix_read(x, bin, n));
            if (precision == TENSOR_BF16)
                ((uint16_t *)ret_y)[bin * m->n_out + n] = bf16_from_float(y);
            else
                ((float *)ret_y)[bin * m->n_out + n] = y;
        }
}

void mscfm_plain(int64_t n_channel, enum tensor_precision precision, const struct mscfm_weights *w, int64_t n_sample,
                 int64_t n_bin, const void *x, float *scratch, void *ret_y)
{
    struct matrix m[MATRIX_N];
    list_matrices(n_channel, w, m);
    int64_t reduced = n_channel / 4, bytes = n_bin * n_channel * (int64_t)precision_bytes(precision);
    for (int64_t s = 0; s < n_sample; s++) {
        struct matrix_rows in = {(const char *)x + s * bytes, precision == TENSOR_BF16, n_channel, n_bin};
        struct matrix_rows f = {scratch, false, n_channel, n_bin};
        convolve(&m[0], precision, &in, scratch, n_channel);
        for (int i = 0; i < MSCFM_SCALES; i++, f.at = (const float *)f.at + reduced)
            convolve(&m[1 + i], precision, &f, scratch + (i + 1) * reduced, n_channel);
        f.at = scratch;
        join(&m[MATRIX_N - 1], precision, &f, &in, (char *)ret_y + s * bytes);
    }
}
