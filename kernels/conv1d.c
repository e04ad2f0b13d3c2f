#include "kernels/conv1d.h"
#include "kernels/bf16.h"

bool conv1d_fits(const struct conv1d_shape *s)
{
    if (s->n_in < 8 || s->n_in > CONV1D_CHANNEL_MOST || s->n_in % 8) return false;
    if (s->n_out < 8 || s->n_out > 65536 || s->n_out % 8) return false;
    if (s->n_tap < 1 || s->n_tap > CONV1D_TAP_MOST || s->pad < 0 || s->pad >= s->n_tap) return false;
    if (s->stride != 1 && s->stride != 2) return false;
    return s->n_bin_in >= 1 && s->n_bin_in <= 1 << 22 && s->n_bin_out >= 1 && s->n_bin_out <= 1 << 22;
}

static int64_t out_padded(const struct conv1d_shape *s)
{
    return (s->n_out + 15) / 16 * 16;
}

size_t conv1d_packed_bytes(const struct conv1d_shape *s, enum tensor_precision precision)
{
    struct matrix m = {.n_tap = s->n_tap};
    return (size_t)out_padded(s) * sizeof(float) + matrix_bytes(&m, s->n_in, out_padded(s), precision);
}

void conv1d_pack(const struct conv1d_shape *s, enum tensor_precision precision, const struct matrix *m,
                 void *ret_packed)
{
    unsigned char *to = matrix_pack_bias(m, out_padded(s), ret_packed);
    (void)matrix_pack(m, s->n_in, out_padded(s), precision, to);
}

static void put(enum tensor_precision precision, void *y, int64_t i, float value)
{
    if (precision == TENSOR_BF16)
        ((uint16_t *)y)[i] = bf16_from_float(value);
    else
        ((float *)y)[i] = value;
}

static void convolve(const struct conv1d_shape *s, enum tensor_precision precision, const struct matrix *m,
                     const struct matrix_rows *x, const struct matrix_rows *add, bool relu, void *ret_y)
{
    for (int64_t t = 0; t < s->n_bin_out; t++)
        for (int64_t n = 0; n < s->n_out; n++) {
            float y = n < m->n_out ? matrix_sum(m, precision, x, t * s->stride - s->pad, n) : 0;
            if (add->at) y += matrix_read(add, t, n);
            put(precision, ret_y, t * s->n_out + n, relu ? matrix_relu(y) : y);
        }
}

void conv1d_plain(const struct conv1d_shape *s, enum tensor_precision precision, const struct matrix *m,
                  int64_t n_sample, const void *x, const void *add, bool relu, void *ret_y)
{
    int64_t element = (int64_t)precision_bytes(precision);
    int64_t in_bytes = (int64_t)s->n_bin_in * s->n_in * element, out_bytes = (int64_t)s->n_bin_out * s->n_out * element;
    bool bf16 = precision == TENSOR_BF16;
    for (int64_t i = 0; i < n_sample; i++) {
        struct matrix_rows in = {(const char *)x + i * in_bytes, bf16, s->n_in, s->n_bin_in};
        struct matrix_rows residual = {add ? (const char *)add + i * out_bytes : NULL, bf16, s->n_out, s->n_bin_out};
        convolve(s, precision, m, &in, &residual, relu, (char *)ret_y + i * out_bytes);
    }
}
