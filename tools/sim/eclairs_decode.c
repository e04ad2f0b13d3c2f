/* See eclairs_decode.h. All correlations are products of 200 x 200 transforms: 199 shifts fit without wrapping. */
#include "sim/eclairs_decode.h"
#include <fftw3.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { SIDE = 200, HALF = SIDE / 2 + 1, N_REAL = SIDE * SIDE, N_COMPLEX = SIDE * HALF };
enum { OPEN, OPAQUE, OPEN_SQUARED, OPAQUE_SQUARED, N_KERNEL };
static const float CODED_LEAST = 0.02f;

struct decoder {
    fftwf_plan forward, inverse;
    float *real;                     /* [SIDE][SIDE] work */
    fftwf_complex *spectrum;         /* [SIDE][HALF] work */
    fftwf_complex *plane;            /* [SIDE][HALF] transform of the plane: the inverse transform destroys its input */
    fftwf_complex *kernel[N_KERNEL]; /* [SIDE][HALF] transforms of the mask */
    float *sky[6];                   /* [SIDE][SIDE] correlations, shift (-79, -79) first */
};

static void transform(struct decoder *d, const float *values, int side)
{
    memset(d->real, 0, sizeof *d->real * N_REAL);
    for (int z = 0; z < side; z++)
        memcpy(d->real + z * SIDE, values + z * side, sizeof *values * (size_t)side);
    fftwf_execute(d->forward);
}

/* Correlate d->plane with one of the mask's kernels: kernel times conjugate. */
static void correlate(struct decoder *d, int kernel, float *ret_sky)
{
    for (int i = 0; i < N_COMPLEX; i++) {
        const float *k = d->kernel[kernel][i], *p = d->plane[i];
        d->spectrum[i][0] = k[0] * p[0] + k[1] * p[1];
        d->spectrum[i][1] = k[1] * p[0] - k[0] * p[1];
    }
    fftwf_execute(d->inverse);
    for (int z = 0; z < SIDE; z++)
        for (int y = 0; y < SIDE; y++) /* negative shifts come out at the end: put shift -79 first */
            ret_sky[z * SIDE + y] =
                d->real[(z + SIDE - PLANE_SIDE + 1) % SIDE * SIDE + (y + SIDE - PLANE_SIDE + 1) % SIDE] / N_REAL;
}

static void make_kernels(struct decoder *d, const struct coded_mask *m)
{
    static const int POWER[N_KERNEL] = {1, 1, 2, 2};
    float open[MASK_SIDE * MASK_SIDE], values[MASK_SIDE * MASK_SIDE];
    mask_sample(m, 0.0, 0.0, MASK_SIDE, open);
    for (int k = 0; k < N_KERNEL; k++) {
        for (int i = 0; i < MASK_SIDE * MASK_SIDE; i++) {
            float g = k == OPEN || k == OPEN_SQUARED ? open[i] : 1.0f - open[i];
            values[i] = POWER[k] == 2 ? g * g : g;
        }
        transform(d, values, MASK_SIDE);
        memcpy(d->kernel[k], d->spectrum, sizeof *d->spectrum * N_COMPLEX);
    }
}

enum burst_err decoder_new(const struct coded_mask *m, struct decoder **ret_d, struct burst_error *reterr)
{
    struct decoder *d = calloc(1, sizeof *d);
    if (!d) return burst_fail(reterr, BURST_E_NOMEM, "no memory for the decoder");
    d->real = fftwf_alloc_real(N_REAL);
    d->spectrum = fftwf_alloc_complex(N_COMPLEX);
    d->plane = fftwf_alloc_complex(N_COMPLEX);
    int good = d->real && d->spectrum && d->plane;
    for (int i = 0; i < N_KERNEL; i++)
        good &= (d->kernel[i] = fftwf_alloc_complex(N_COMPLEX)) != NULL;
    for (int i = 0; i < 6; i++)
        good &= (d->sky[i] = fftwf_alloc_real(N_REAL)) != NULL;
    if (good) { /* estimated plans: measured ones differ from run to run, and so would the last digits */
        d->forward = fftwf_plan_dft_r2c_2d(SIDE, SIDE, d->real, d->spectrum, FFTW_ESTIMATE);
        d->inverse = fftwf_plan_dft_c2r_2d(SIDE, SIDE, d->spectrum, d->real, FFTW_ESTIMATE);
    }
    if (!d->forward || !d->inverse) {
        decoder_free(d);
        return burst_fail(reterr, BURST_E_NOMEM, "no memory for the decoder");
    }
    make_kernels(d, m);
    *ret_d = d;
    return BURST_OK;
}

void decoder_free(struct decoder *d)
{
    if (!d) return;
    if (d->forward) fftwf_destroy_plan(d->forward);
    if (d->inverse) fftwf_destroy_plan(d->inverse);
    fftwf_free(d->real);
    fftwf_free(d->spectrum);
    fftwf_free(d->plane);
    for (int i = 0; i < N_KERNEL; i++)
        fftwf_free(d->kernel[i]);
    for (int i = 0; i < 6; i++)
        fftwf_free(d->sky[i]);
    free(d);
}

static void correlate_pair(struct decoder *d, const float *plane, int kernel, float *ret_open, float *ret_opaque)
{
    transform(d, plane, PLANE_SIDE);
    memcpy(d->plane, d->spectrum, sizeof *d->plane * N_COMPLEX);
    correlate(d, kernel, ret_open);
    correlate(d, kernel + 1, ret_opaque);
}

void decode_sky(struct decoder *d, const float *residual, const float *counts, const float *alive, float *ret_snr)
{
    float n_alive = 0.0f;
    for (int i = 0; i < PLANE_PIXELS; i++)
        n_alive += alive[i];
    correlate_pair(d, alive, OPEN, d->sky[0], d->sky[1]);
    correlate_pair(d, residual, OPEN, d->sky[2], d->sky[3]);
    correlate_pair(d, counts, OPEN_SQUARED, d->sky[4], d->sky[5]);
    for (int z = 0; z < SKY_SIDE; z++)
        for (int y = 0; y < SKY_SIDE; y++) {
            int i = z * SIDE + y;
            float balance = d->sky[0][i] / d->sky[1][i];
            float s = d->sky[2][i] - balance * d->sky[3][i];
            float v = d->sky[4][i] + balance * balance * d->sky[5][i];
            bool coded = d->sky[0][i] + d->sky[1][i] >= CODED_LEAST * n_alive && d->sky[1][i] > 0.5f && v > 0.0f;
            ret_snr[z * SKY_SIDE + y] = coded ? s / sqrtf(v) : NAN;
        }
}
