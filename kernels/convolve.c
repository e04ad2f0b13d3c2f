/* Tiles of TILE output positions. For each tile the inputs that it needs are laid out as [tap][position], DEPTH taps at a
 * time, and then serve all output channels: the multiplication runs along positions, which are neighbours in memory
 * whatever stride and padding were. A group's weights [out][tap] are in the right order as they stand. */
#include "kernels/convolve.h"
#include <string.h>

enum { TILE = 64, DEPTH = 64, ROWS = 4, LANE = 16 };

/* Sixteen floats; the compiler makes of it what the machine has. */
typedef float lane __attribute__((vector_size(LANE * sizeof(float))));

/* clang 14 has no clones in C; sanitizers do not like resolvers that run before they are set up. */
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__) &&               \
    !defined(__SANITIZE_THREAD__)
#define CLONES __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define CLONES
#endif

/* y[row][0..TILE) += sum over taps of w[row][tap] * col[tap][0..TILE). */
CLONES static void multiply(const float *const w[ROWS], int64_t n_tap, const float *col, float y[ROWS][TILE])
{
    for (int64_t x = 0; x < TILE; x += LANE) {
        lane sum[ROWS];
        memcpy(&sum[0], &y[0][x], sizeof(lane));
        memcpy(&sum[1], &y[1][x], sizeof(lane));
        memcpy(&sum[2], &y[2][x], sizeof(lane));
        memcpy(&sum[3], &y[3][x], sizeof(lane));
        for (int64_t t = 0; t < n_tap; t++) {
            lane c;
            memcpy(&c, &col[t * TILE + x], sizeof c);
            sum[0] += w[0][t] * c;
            sum[1] += w[1][t] * c;
            sum[2] += w[2][t] * c;
            sum[3] += w[3][t] * c;
        }
        memcpy(&y[0][x], &sum[0], sizeof(lane));
        memcpy(&y[1][x], &sum[1], sizeof(lane));
        memcpy(&y[2][x], &sum[2], sizeof(lane));
        memcpy(&y[3][x], &sum[3], sizeof(lane));
    }
}

/* Inputs of one tap for `n` neighbouring outputs of a row, from output column ox. `row` is the input row, or NULL where it
 * lies in the padding. */
static void lay_run(const struct window_shape *s, const float *row, int64_t kx, int64_t ox, int64_t n, float *ret)
{
    int64_t ix = ox * s->stride[1] + kx * s->dilation[1] - s->pad_begin[1];
    for (int64_t i = 0; i < n; i++, ix += s->stride[1])
        ret[i] = row && ix >= 0 && ix < s->in_size[1] ? row[ix] : 0;
}

/* The same for stride 1 well inside the row, the usual case: a copy. */
static void lay_row(const struct window_shape *s, const float *row, int64_t kx, int64_t ox, int64_t n, float *ret)
{
    int64_t ix = ox + kx * s->dilation[1] - s->pad_begin[1];
    if (row && s->stride[1] == 1 && ix >= 0 && ix + n <= s->in_size[1])
        memcpy(ret, row + ix, (size_t)n * sizeof(float));
    else
        lay_run(s, row, kx, ox, n, ret);
}

/* Taps [tap, tap + n_tap) at output positions [at, at + n). x is the group's first channel. */
static void lay_tile(const struct window_shape *s, const float *x, int64_t tap, int64_t n_tap, int64_t at, int64_t n,
                     float *col)
{
    int64_t area = s->kernel[0] * s->kernel[1];
    for (int64_t t = tap; t < tap + n_tap; t++, col += TILE) {
        int64_t i = t / area, ky = t % area / s->kernel[1], kx = t % s->kernel[1];
        int64_t oy = at / s->out_size[1], ox = at % s->out_size[1];
        for (int64_t done = 0; done < n; oy++, ox = 0) {
            int64_t run = s->out_size[1] - ox < n - done ? s->out_size[1] - ox : n - done;
            int64_t iy = oy * s->stride[0] + ky * s->dilation[0] - s->pad_begin[0];
            const float *row = iy >= 0 && iy < s->in_size[0] ? x + (i * s->in_size[0] + iy) * s->in_size[1] : NULL;
            lay_row(s, row, kx, ox, run, col + done);
            done += run;
        }
        memset(col + n, 0, (size_t)(TILE - n) * sizeof(float));
    }
}

/* Add these taps to n_out channels of one tile. weight [n_out][all taps], already at the first tap; y at the tile. */
static void add_taps(const float *weight, int64_t n_out, int64_t all, int64_t n_tap, const float *col, float *y,
                     int64_t y_step, int64_t n)
{
    for (int64_t o = 0; o < n_out; o += ROWS) {
        float block[ROWS][TILE] = {0};
        const float *w[ROWS];
        int64_t n_row = n_out - o < ROWS ? n_out - o : ROWS;
        for (int64_t r = 0; r < ROWS; r++)
            w[r] = weight + (o + (r < n_row ? r : 0)) * all; /* rows past the end repeat the first and are not stored */
        for (int64_t r = 0; r < n_row; r++)
            memcpy(block[r], y + (o + r) * y_step, (size_t)n * sizeof(float));
        multiply(w, n_tap, col, block);
        for (int64_t r = 0; r < n_row; r++)
            memcpy(y + (o + r) * y_step, block[r], (size_t)n * sizeof(float));
    }
}

static void convolve_group(const struct window_shape *s, const float *x, const float *weight, float *y)
{
    _Alignas(64) float col[DEPTH * TILE];
    int64_t n_out = s->n_out / s->group, taps = s->n_in / s->group * s->kernel[0] * s->kernel[1];
    int64_t positions = s->out_size[0] * s->out_size[1];
    for (int64_t at = 0; at < positions; at += TILE) {
        int64_t n = positions - at < TILE ? positions - at : TILE;
        for (int64_t tap = 0; tap < taps; tap += DEPTH) {
            int64_t n_tap = taps - tap < DEPTH ? taps - tap : DEPTH;
            lay_tile(s, x, tap, n_tap, at, n, col);
            add_taps(weight + tap, n_out, taps, n_tap, col, y + at, positions, n);
        }
    }
}

void convolve_image(const struct window_shape *s, const float *x, const float *weight, const float *bias, float *ret_y)
{
    int64_t in = s->in_size[0] * s->in_size[1], out = s->out_size[0] * s->out_size[1];
    int64_t taps = s->n_in / s->group * s->kernel[0] * s->kernel[1];
    for (int64_t o = 0; o < s->n_out; o++)
        for (int64_t i = 0; i < out; i++)
            ret_y[o * out + i] = bias ? bias[o] : 0;
    for (int64_t g = 0; g < s->group; g++)
        convolve_group(s, x + g * (s->n_in / s->group) * in, weight + g * (s->n_out / s->group) * taps,
                       ret_y + g * (s->n_out / s->group) * out);
}
