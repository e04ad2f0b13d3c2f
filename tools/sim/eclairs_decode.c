/* See eclairs_decode.h. All correlations are products of 200 x 200 transforms: 199 shifts fit without wrapping. What the
 * opaque cells see is what the mask's whole square sees less what its open cells see, and the square's share is a sum
 * over a rectangle of the plane, so that three transforms forward or back are saved of each kind.
 * Transforms run along the rows first, and only along those that hold data; spectra are kept with columns together. */
#include "sim/eclairs_decode.h"
#include <fftw3.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { SIDE = 200, HALF = SIDE / 2 + 1, N_REAL = SIDE * SIDE, N_COMPLEX = SIDE * HALF };
enum { OPEN, OPEN_SQUARED, N_KERNEL };
enum { FIRST_SHIFT = PLANE_SIDE - 1 }; /* the kernels lie this far in, so that shift -79 comes out first */
static const float CODED_LEAST = 0.02f;

struct decoder {
    fftwf_plan plane_rows, sky_rows; /* 80 or 199 rows to spectrum[column][row] */
    fftwf_plan columns, columns_back, rows_back;
    float *real;                     /* [SIDE][SIDE] work; beyond the rows and columns filled always 0 */
    fftwf_complex *spectrum;         /* [HALF][SIDE] of what is being transformed */
    fftwf_complex *product;          /* [HALF][SIDE] */
    fftwf_complex *kernel[N_KERNEL]; /* [HALF][SIDE] transforms of the mask and of its square, over N_REAL */
    float *sky[4];                   /* [SIDE][SIDE] correlations */
    float *balance;                  /* [SIDE][SIDE] open over opaque; NaN where the sky is not coded */
};

/* Forward transform of `side` rows and columns. */
static void transform(struct decoder *d, const float *values, int side)
{
    for (int z = 0; z < side; z++)
        memcpy(d->real + z * SIDE, values + z * side, sizeof *values * (size_t)side);
    if (side > PLANE_SIDE) {
        fftwf_execute(d->sky_rows);
    } else {
        for (int k = 0; k < HALF; k++) /* rows without data: an earlier transform has left its columns there */
            memset(d->spectrum + k * SIDE + PLANE_SIDE, 0, sizeof *d->spectrum * (SIDE - PLANE_SIDE));
        fftwf_execute(d->plane_rows);
    }
    fftwf_execute(d->columns);
    for (int z = 0; z < side; z++)
        memset(d->real + z * SIDE, 0, sizeof *values * (size_t)side);
}

/* Correlate what was transformed last with a kernel: kernel times conjugate. */
static void correlate(struct decoder *d, int kernel, float *ret_sky)
{
    for (int i = 0; i < N_COMPLEX; i++) {
        const float *k = d->kernel[kernel][i], *p = d->spectrum[i];
        d->product[i][0] = k[0] * p[0] + k[1] * p[1];
        d->product[i][1] = k[1] * p[0] - k[0] * p[1];
    }
    fftwf_execute(d->columns_back);
    fftwf_execute_dft_c2r(d->rows_back, d->product, ret_sky);
}

/* Sum of the plane's pixels that see any cell of the mask, open or opaque, from every sky pixel. */
static void sum_square(const float *plane, float *ret_sky)
{
    double sum[PLANE_SIDE + 1][PLANE_SIDE + 1] = {{0.0}}; /* of pixels in [0, z) x [0, y) */
    int first[SKY_SIDE], last[SKY_SIDE];
    for (int z = 0; z < PLANE_SIDE; z++)
        for (int y = 0; y < PLANE_SIDE; y++)
            sum[z + 1][y + 1] = sum[z][y + 1] + sum[z + 1][y] - sum[z][y] + (double)plane[z * PLANE_SIDE + y];
    for (int i = 0; i < SKY_SIDE; i++) {
        int shift = i - FIRST_SHIFT;
        first[i] = shift < 0 ? -shift : 0;
        last[i] = shift > MASK_SIDE - PLANE_SIDE ? MASK_SIDE - shift : PLANE_SIDE;
    }
    for (int z = 0; z < SKY_SIDE; z++) {
        double row[PLANE_SIDE + 1];
        for (int y = 0; y <= PLANE_SIDE; y++)
            row[y] = sum[last[z]][y] - sum[first[z]][y];
        for (int y = 0; y < SKY_SIDE; y++)
            ret_sky[z * SIDE + y] = (float)(row[last[y]] - row[first[y]]);
    }
}

static void make_kernels(struct decoder *d, const struct coded_mask *m)
{
    float open[MASK_SIDE * MASK_SIDE], values[SKY_SIDE * SKY_SIDE] = {0.0f};
    mask_sample(m, 0.0, 0.0, MASK_SIDE, open);
    for (int k = 0; k < N_KERNEL; k++) {
        for (int i = 0; i < MASK_SIDE * MASK_SIDE; i++) {
            int at = (i / MASK_SIDE + FIRST_SHIFT) * SKY_SIDE + i % MASK_SIDE + FIRST_SHIFT;
            values[at] = (k == OPEN_SQUARED ? open[i] * open[i] : open[i]) / N_REAL;
        }
        transform(d, values, SKY_SIDE);
        memcpy(d->kernel[k], d->spectrum, sizeof *d->spectrum * N_COMPLEX);
    }
}

/* Estimated plans: measured ones differ from run to run, and so would the last digits. */
static bool make_plans(struct decoder *d)
{
    const int n = SIDE;
    d->plane_rows =
        fftwf_plan_many_dft_r2c(1, &n, PLANE_SIDE, d->real, NULL, 1, SIDE, d->spectrum, NULL, SIDE, 1, FFTW_ESTIMATE);
    d->sky_rows =
        fftwf_plan_many_dft_r2c(1, &n, SIDE, d->real, NULL, 1, SIDE, d->spectrum, NULL, SIDE, 1, FFTW_ESTIMATE);
    d->columns = fftwf_plan_many_dft(1, &n, HALF, d->spectrum, NULL, 1, SIDE, d->spectrum, NULL, 1, SIDE, FFTW_FORWARD,
                                     FFTW_ESTIMATE);
    d->columns_back = fftwf_plan_many_dft(1, &n, HALF, d->product, NULL, 1, SIDE, d->product, NULL, 1, SIDE,
                                          FFTW_BACKWARD, FFTW_ESTIMATE);
    d->rows_back =
        fftwf_plan_many_dft_c2r(1, &n, SIDE, d->product, NULL, SIDE, 1, d->sky[0], NULL, 1, SIDE, FFTW_ESTIMATE);
    return d->plane_rows && d->sky_rows && d->columns && d->columns_back && d->rows_back;
}

static bool allocate(struct decoder *d)
{
    bool good = true;
    d->real = fftwf_alloc_real(N_REAL);
    d->spectrum = fftwf_alloc_complex(N_COMPLEX);
    d->product = fftwf_alloc_complex(N_COMPLEX);
    d->balance = fftwf_alloc_real(N_REAL);
    for (int i = 0; i < N_KERNEL; i++)
        good &= (d->kernel[i] = fftwf_alloc_complex(N_COMPLEX)) != NULL;
    for (int i = 0; i < 4; i++)
        good &= (d->sky[i] = fftwf_alloc_real(N_REAL)) != NULL;
    return good && d->real && d->spectrum && d->product && d->balance;
}

enum burst_err decoder_new(const struct coded_mask *m, struct decoder **ret_d, struct burst_error *reterr)
{
    struct decoder *d = calloc(1, sizeof *d);
    if (!d || !allocate(d) || !make_plans(d)) {
        decoder_free(d);
        return burst_fail(reterr, BURST_E_NOMEM, "no memory for the decoder");
    }
    memset(d->real, 0, sizeof *d->real * N_REAL);
    make_kernels(d, m);
    *ret_d = d;
    return BURST_OK;
}

void decoder_free(struct decoder *d)
{
    if (!d) return;
    const fftwf_plan plan[] = {d->plane_rows, d->sky_rows, d->columns, d->columns_back, d->rows_back};
    for (size_t i = 0; i < sizeof plan / sizeof plan[0]; i++)
        if (plan[i]) fftwf_destroy_plan(plan[i]);
    fftwf_free(d->real);
    fftwf_free(d->spectrum);
    fftwf_free(d->product);
    fftwf_free(d->balance);
    for (int i = 0; i < N_KERNEL; i++)
        fftwf_free(d->kernel[i]);
    for (int i = 0; i < 4; i++)
        fftwf_free(d->sky[i]);
    free(d);
}

void decoder_set_alive(struct decoder *d, const float *alive)
{
    float n_alive = 0.0f;
    for (int i = 0; i < PLANE_PIXELS; i++)
        n_alive += alive[i];
    transform(d, alive, PLANE_SIDE);
    correlate(d, OPEN, d->sky[0]);
    sum_square(alive, d->sky[1]);
    for (int z = 0; z < SKY_SIDE; z++)
        for (int i = z * SIDE; i < z * SIDE + SKY_SIDE; i++) {
            float opaque = d->sky[1][i] - d->sky[0][i];
            bool coded = d->sky[1][i] >= CODED_LEAST * n_alive && opaque > 0.5f;
            d->balance[i] = coded ? d->sky[0][i] / opaque : NAN;
        }
}

void decode_sky(struct decoder *d, const float *residual, const float *counts, float *ret_snr)
{
    float *square = d->sky[0], *open = d->sky[1], *open2 = d->sky[2], *signal = d->sky[3];
    transform(d, residual, PLANE_SIDE);
    correlate(d, OPEN, signal);
    sum_square(residual, square);
    for (int z = 0; z < SKY_SIDE; z++)
        for (int i = z * SIDE; i < z * SIDE + SKY_SIDE; i++)
            signal[i] -= d->balance[i] * (square[i] - signal[i]);
    transform(d, counts, PLANE_SIDE);
    correlate(d, OPEN, open);
    correlate(d, OPEN_SQUARED, open2);
    sum_square(counts, square);
    for (int z = 0; z < SKY_SIDE; z++)
        for (int y = 0; y < SKY_SIDE; y++) { /* an opaque cell's square is 1 - 2 open + open squared */
            int i = z * SIDE + y;
            float b = d->balance[i], v = open2[i] + b * b * (square[i] - 2.0f * open[i] + open2[i]);
            ret_snr[z * SKY_SIDE + y] = v > 0.0f ? signal[i] / sqrtf(v) : NAN;
        }
}

void project_sky(struct decoder *d, const float *weight, float *ret_plane)
{
    transform(d, weight, SKY_SIDE);
    correlate(d, OPEN, d->sky[0]); /* pixel k of the plane is shift k - 79 */
    for (int z = 0; z < PLANE_SIDE; z++)
        memcpy(ret_plane + z * PLANE_SIDE, d->sky[0] + z * SIDE, sizeof *ret_plane * PLANE_SIDE);
}
