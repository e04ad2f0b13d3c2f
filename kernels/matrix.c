#include "kernels/matrix.h"
#include "kernels/bf16.h"
#include <math.h>

float matrix_factor(enum tensor_precision precision, float value)
{
    if (precision == TENSOR_TF32) return tf32_round(value);
    return precision == TENSOR_BF16 ? bf16_round(value) : value;
}

static float weight_at(const struct matrix *m, int64_t tap, int64_t channel, int64_t n)
{
    return channel < m->n_in && n < m->n_out ? m->weight[(n * m->n_in + channel) * m->n_tap + tap] : 0;
}

/* ---- packing ---- */

/* Steps of k of one tap: 16 bfloat16 or 8 floats, 32 bytes. */
static int64_t count_steps(int64_t in_padded, enum tensor_precision precision)
{
    return precision == TENSOR_BF16 ? (in_padded + 15) / 16 : in_padded / 8;
}

size_t matrix_bytes(const struct matrix *m, int64_t in_padded, int64_t out_padded, enum tensor_precision precision)
{
    return (size_t)m->n_tap * (size_t)count_steps(in_padded, precision) * 32 * (size_t)out_padded;
}

/* Word `word` of a lane's fragments for step `step` of a tap, in the 16 columns from `column` on. */
static uint32_t word_of(const struct matrix *m, enum tensor_precision precision, int64_t column, int64_t tap,
                        int64_t step, int lane, int word)
{
    int64_t n = column + word / 2 * 8 + lane / 4;
    if (precision == TENSOR_BF16) {
        int64_t channel = step * 16 + lane % 4 * 2 + word % 2 * 8;
        uint32_t low = bf16_from_float(weight_at(m, tap, channel, n));
        return low | (uint32_t)bf16_from_float(weight_at(m, tap, channel + 1, n)) << 16;
    }
    float value = tf32_round(weight_at(m, tap, step * 8 + lane % 4 + word % 2 * 4, n));
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static unsigned char *pack_step(const struct matrix *m, enum tensor_precision precision, int64_t column, int64_t tap,
                                int64_t step, unsigned char *to)
{
    for (int i = 0; i < 32 * 4; i++, to += sizeof(uint32_t)) {
        uint32_t word = word_of(m, precision, column, tap, step, i / 4, i % 4);
        memcpy(to, &word, sizeof word);
    }
    return to;
}

static unsigned char *pack_rows(const struct matrix *m, int64_t in_padded, int64_t out_padded, unsigned char *to)
{
    for (int64_t k = 0; k < m->n_tap * in_padded; k++)
        for (int64_t n = 0; n < out_padded; n++, to += sizeof(float)) {
            float value = weight_at(m, k / in_padded, k % in_padded, n);
            memcpy(to, &value, sizeof value);
        }
    return to;
}

unsigned char *matrix_pack(const struct matrix *m, int64_t in_padded, int64_t out_padded,
                           enum tensor_precision precision, unsigned char *to)
{
    if (precision == TENSOR_FP32) return pack_rows(m, in_padded, out_padded, to);
    for (int64_t column = 0; column < out_padded; column += 16)
        for (int64_t tap = 0; tap < m->n_tap; tap++)
            for (int64_t step = 0; step < count_steps(in_padded, precision); step++)
                to = pack_step(m, precision, column, tap, step, to);
    return to;
}

unsigned char *matrix_pack_bias(const struct matrix *m, int64_t out_padded, unsigned char *to)
{
    for (int64_t n = 0; n < out_padded; n++, to += sizeof(float)) {
        float bias = m->bias && n < m->n_out ? m->bias[n] : 0;
        memcpy(to, &bias, sizeof bias);
    }
    return to;
}

/* ---- sums ---- */

float matrix_read(const struct matrix_rows *rows, int64_t bin, int64_t channel)
{
    int64_t i = bin * rows->step + channel;
    return rows->bf16 ? bf16_to_float(((const uint16_t *)rows->at)[i]) : ((const float *)rows->at)[i];
}

float matrix_sum(const struct matrix *m, enum tensor_precision precision, const struct matrix_rows *rows, int64_t first,
                 int64_t n)
{
    float sum = m->bias ? m->bias[n] : 0;
    for (int64_t tap = 0; tap < m->n_tap; tap++) {
        bool inside = first + tap >= 0 && first + tap < rows->n_bin;
        for (int64_t i = 0; i < m->n_in; i++) {
            float x = inside ? matrix_factor(precision, matrix_read(rows, first + tap, i)) : 0;
            sum = fmaf(x, matrix_factor(precision, weight_at(m, tap, i, n)), sum);
        }
    }
    return sum;
}

float matrix_relu(float value)
{
    return value < 0 ? 0 : value;
}
