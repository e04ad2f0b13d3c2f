/* From expected rates of a row to counts, and what can be said of them. */
#include "sim/sky_inside.h"
#include <math.h>
#include <string.h>

enum { COUNT_MOST = 65535 };

double sky_snr(const double *signal, const double *background, const uint8_t *valid, size_t n_bin, double bin_s)
{
    double best = 0.0; /* of S/N squared */
    for (size_t length = 1; length <= n_bin && (length <= 8 || (double)length * bin_s < 8.2); length *= 2) {
        double s = 0.0, b = 0.0;
        for (size_t i = 0; i < n_bin; i++) {
            if (valid[i]) s += signal[i], b += background[i];
            if (i >= length && valid[i - length]) s -= signal[i - length], b -= background[i - length];
            if (i + 1 >= length && s > 0.0 && s * s > best * b && b > 1e-9) best = s * s / b;
        }
    }
    return sqrt(best);
}

void sky_valid_range(const uint8_t *valid, size_t n_bin, size_t *ret_first, size_t *ret_last)
{
    size_t first = 0, last = n_bin - 1;
    while (first < last && !valid[first])
        first++;
    while (last > first && !valid[last])
        last--;
    *ret_first = first;
    *ret_last = last;
}

void sky_sum(const struct sky_work *w, const float *rate, double *sum)
{
    size_t n_bin = w->grid.n_bin, n_group = w->plan->n_atom == 1 ? SIM_GROUP : SIM_ATOM;
    for (size_t i = 0; i < n_bin; i++)
        sum[i] = 0.0;
    for (size_t g = 0; g < n_group; g++)
        for (size_t i = 0; i < n_bin; i++)
            sum[i] += (double)rate[g * n_bin + i] * w->grid.bin_s;
}

/* w->signal becomes what is recorded of signal and background, in counts per bin; w->total what all groups record. */
static void record(struct sky_work *w, const struct detector_kind *kind, bool loses, const float *background)
{
    size_t n_bin = w->grid.n_bin;
    float dead_s = (float)kind->dead_s, most = (float)kind->most_per_s, bin_s = (float)w->grid.bin_s;
    memset(w->total, 0, n_bin * sizeof *w->total);
    for (size_t g = 0; g < SIM_GROUP; g++)
        for (size_t i = 0; i < n_bin; i++) {
            float *at = &w->signal[g * n_bin + i];
            float rate = *at + background[g * n_bin + i];
            *at = rate > 0.0f ? rate : 0.0f;
            w->total[i] += *at;
        }
    for (size_t i = 0; i < n_bin; i++) { /* total becomes the part that is recorded */
        float live = 1.0f / (1.0f + w->total[i] * dead_s);
        w->total[i] = bin_s * (loses ? w->kept[i] : 1.0f) * (w->total[i] * live > most ? most / w->total[i] : live);
    }
    for (size_t g = 0; g < SIM_GROUP; g++)
        for (size_t i = 0; i < n_bin; i++)
            w->signal[g * n_bin + i] *= w->total[i];
}

void sky_gain(double gain, size_t n_bin, float *rate)
{
    static const double WIDTH[SIM_ATOM + 2] = {1.1394, 0.6931, 0.6931, 1.0986,
                                               0.5108, 0.5878, 0.7985}; /* ln(25 / 8) ... ln(2000 / 900) */
    static const int GROUP[SIM_ATOM + 2] = {SIM_REST, 0, 1, 2, 3, 4, SIM_REST};
    for (size_t i = 0; i < n_bin; i++) {
        double at[SIM_ATOM + 2], up[SIM_ATOM + 1];
        for (int k = 0; k < SIM_ATOM + 2; k++)
            at[k] = (double)rate[(size_t)GROUP[k] * n_bin + i];
        at[SIM_ATOM + 1] =
            fmin(at[SIM_ATOM + 1], 0.5 * at[SIM_ATOM]); /* most of what is outside the atoms is below them */
        at[0] -= at[SIM_ATOM + 1];
        for (int k = 0; k <= SIM_ATOM; k++) /* counts that cross edge k upward */
            up[k] = log(gain) * 0.5 * (at[k] / WIDTH[k] + at[k + 1] / WIDTH[k + 1]);
        rate[SIM_REST * n_bin + i] += (float)(up[SIM_ATOM] - up[0]);
        for (int a = 0; a < SIM_ATOM; a++)
            rate[(size_t)a * n_bin + i] += (float)(up[a] - up[a + 1]);
        for (size_t g = 0; g < SIM_GROUP; g++)
            rate[g * n_bin + i] = rate[g * n_bin + i] > 0.0f ? rate[g * n_bin + i] : 0.0f;
    }
}

static void draw_atom(struct sky_work *w, const float *mean, const uint8_t *valid, uint16_t *atoms, int *n_saturated)
{
    poisson_draw(w->tables, &w->r, mean, w->grid.n_bin, w->counts);
    for (size_t i = 0; i < w->grid.n_bin; i++) {
        uint32_t count = valid[i] ? w->counts[i] : 0;
        *n_saturated += count > COUNT_MOST;
        atoms[i] = (uint16_t)(count > COUNT_MOST ? COUNT_MOST : count);
    }
}

static void moments(const struct sky_work *w, const uint16_t *atoms, const uint8_t *valid, struct sky_row *f)
{
    size_t n_bin = w->grid.n_bin, first, last;
    double n = 0.0, sum = 0.0, sum2 = 0.0;
    for (size_t i = 0; i < n_bin; i++) {
        double c = 0.0;
        for (size_t a = 0; a < (size_t)w->plan->n_atom; a++)
            c += atoms[a * n_bin + i];
        n += valid[i];
        sum += valid[i] * c;
        sum2 += valid[i] * c * c;
    }
    sky_valid_range(valid, n_bin, &first, &last);
    f->n_valid = (int)n;
    f->n_missing_inside = (int)(last + 1 - first) - f->n_valid;
    f->counts = n > 0.0 ? sum / n : 0.0;
    f->dispersion = sum > 0.0 ? (sum2 / n - f->counts * f->counts) / f->counts : 0.0;
}

void sky_count(struct sky_work *w, int row, bool loses)
{
    size_t n_bin = w->grid.n_bin;
    struct sky_row *f = &w->row[row];
    const uint8_t *valid = w->valid + (size_t)row * n_bin;
    uint16_t *atoms = w->atoms + (size_t)row * (size_t)w->plan->n_atom * n_bin;
    record(w, w->plan->craft[f->craft].detector[f->detector].kind, loses,
           w->background + (size_t)row * SIM_GROUP * n_bin);
    if (w->plan->gain != 1.0) sky_gain(w->plan->gain, n_bin, w->signal);
    if (w->plan->n_atom == 1)
        for (size_t g = 1; g < SIM_GROUP; g++)
            for (size_t i = 0; i < n_bin; i++)
                w->signal[i] += w->signal[g * n_bin + i];
    for (size_t a = 0; a < (size_t)w->plan->n_atom; a++)
        draw_atom(w, w->signal + a * n_bin, valid, atoms + a * n_bin, &f->n_saturated);
    moments(w, atoms, valid, f);
}
