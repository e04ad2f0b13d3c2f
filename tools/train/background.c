/* Polynomials under bursts, by Poisson likelihood. */
#include "train/background.h"
#include <math.h>
#include <stdlib.h>

enum { COEF = CURVE_DEGREE_MOST + 1, ROUNDS = 30, BINS_PER_COEF = 3 };
static const double SETTLED = 1e-7;      /* of the mean: far below what counts can show */
static const double WEIGHT_LEAST = 0.02; /* of the mean: a fit that dips to 0 would weigh one bin above all others */

struct fit {
    size_t from, to; /* outermost bins in use */
    double middle, half;
    double coef[COEF];
    int degree;
};

static double fit_at(const struct fit *f, size_t t)
{
    size_t held = t < f->from ? f->from : t > f->to ? f->to : t;
    double u = ((double)held - f->middle) / f->half, y = 0;
    for (int i = f->degree; i >= 0; i--)
        y = y * u + f->coef[i];
    return y;
}

/* Solve the symmetric positive a x = b by Cholesky in place; false where a is singular. */
static bool solve(double a[COEF][COEF], double *b, int m)
{
    for (int i = 0; i < m; i++)
        for (int j = 0; j <= i; j++) {
            double sum = a[i][j];
            for (int k = 0; k < j; k++)
                sum -= a[i][k] * a[j][k];
            if (i == j && !(sum > 1e-12 * a[i][i])) return false;
            a[i][j] = i == j ? sqrt(sum) : sum / a[j][j];
        }
    for (int i = 0; i < m; i++) {
        for (int k = 0; k < i; k++)
            b[i] -= a[i][k] * b[k];
        b[i] /= a[i][i];
    }
    for (int i = m - 1; i >= 0; i--) {
        for (int k = i + 1; k < m; k++)
            b[i] -= a[k][i] * b[k];
        b[i] /= a[i][i];
    }
    return true;
}

/* One round of weighted least squares, the weights from the fit so far. Returns how far the curve's coefficients moved. */
static double fit_round(struct fit *f, const double *counts, const uint8_t *use, double mean)
{
    double a[COEF][COEF] = {{0}}, b[COEF] = {0}, moment[2 * COEF - 1] = {0}, moved = 0;
    for (size_t t = f->from; t <= f->to; t++) {
        if (!use[t]) continue;
        double y = fit_at(f, t), u = ((double)t - f->middle) / f->half;
        double power = 1.0 / (y > WEIGHT_LEAST * mean ? y : WEIGHT_LEAST * mean);
        for (int k = 0; k <= 2 * f->degree; k++, power *= u) {
            moment[k] += power;
            if (k <= f->degree) b[k] += power * counts[t];
        }
    }
    for (int i = 0; i <= f->degree; i++)
        for (int j = 0; j <= i; j++)
            a[i][j] = moment[i + j];
    if (!solve(a, b, f->degree + 1)) return 0.0; /* the fit so far stands */
    for (int i = 0; i <= f->degree; i++) {
        moved = fmax(moved, fabs(b[i] - f->coef[i]));
        f->coef[i] = b[i];
    }
    return moved;
}

bool background_fit_row(const double *counts, const uint8_t *use, size_t n_bin, int degree, double *ret)
{
    struct fit f = {.from = n_bin, .degree = degree};
    size_t n = 0;
    double sum = 0;
    for (size_t t = 0; t < n_bin; t++) {
        if (!use[t]) continue;
        if (n == 0) f.from = t;
        f.to = t;
        sum += counts[t];
        n++;
    }
    if (n == 0) return false;
    while (f.degree > 0 && n < (size_t)(BINS_PER_COEF * (f.degree + 1)))
        f.degree--;
    f.middle = 0.5 * (double)(f.from + f.to);
    f.half = f.to > f.from ? 0.5 * (double)(f.to - f.from) : 1.0;
    f.coef[0] = sum / (double)n;
    for (int round = 0; f.degree > 0 && sum > 0 && round < ROUNDS; round++)
        if (fit_round(&f, counts, use, sum / (double)n) <= SETTLED * sum / (double)n) break;
    for (size_t t = 0; t < n_bin; t++)
        ret[t] = fmax(fit_at(&f, t), CURVE_BACKGROUND_LEAST);
    return true;
}

struct job {
    const struct curves *c;
    const int32_t *onset_bin, *stop_bin;
    int degree;
    float *ret;
};

struct desk {
    double *counts, *fit; /* [n_bin] */
    uint8_t *use;
};

static void desk_fini(struct desk *d)
{
    free(d->counts);
    free(d->fit);
    free(d->use);
}

/* Which bins are background; the degree that they bear. */
static int row_use(const struct job *job, size_t row, uint8_t *ret_use)
{
    const struct curves *c = job->c;
    const int64_t onset = job->onset_bin[row], stop = job->stop_bin[row];
    size_t before = 0, after = 0;
    for (size_t t = 0; t < c->n_bin; t++) {
        bool inside = (int64_t)t >= onset && (int64_t)t < stop;
        ret_use[t] = !inside && (!c->valid || c->valid[row * c->n_bin + t]);
        before += ret_use[t] && (int64_t)t < onset;
        after += ret_use[t] && (int64_t)t >= stop;
    }
    bool burst = onset < stop && stop > 0 && onset < (int64_t)c->n_bin;
    return burst && (before == 0 || after == 0) && job->degree > 1 ? 1 : job->degree;
}

static enum burst_err row_fit(const struct job *job, struct desk *d, size_t row, struct burst_error *reterr)
{
    const struct curves *c = job->c;
    int degree = row_use(job, row, d->use);
    for (size_t a = 0; a < c->n_atom; a++) {
        const size_t at = (row * c->n_atom + a) * c->n_bin;
        for (size_t t = 0; t < c->n_bin; t++)
            d->counts[t] = c->atoms[at + t];
        if (!background_fit_row(d->counts, d->use, c->n_bin, degree, d->fit))
            return burst_fail(reterr, BURST_E_MISSING, "row %zu has no valid bin outside its burst [%d, %d)", row,
                              (int)job->onset_bin[row], (int)job->stop_bin[row]);
        for (size_t t = 0; t < c->n_bin; t++)
            job->ret[at + t] = (float)d->fit[t];
    }
    return BURST_OK;
}

static enum burst_err background_part(void *what, int part, size_t from, size_t to, struct burst_error *reterr)
{
    (void)part;
    const struct job *job = what;
    const size_t n_bin = job->c->n_bin;
    struct desk d = {malloc(n_bin * sizeof *d.counts), malloc(n_bin * sizeof *d.fit), malloc(n_bin)};
    enum burst_err e = BURST_OK;
    if (!d.counts || !d.fit || !d.use) e = burst_fail(reterr, BURST_E_NOMEM, "no memory for a fit of %zu bins", n_bin);
    for (size_t row = from; !e && row < to; row++)
        e = row_fit(job, &d, row, reterr);
    desk_fini(&d);
    return e;
}

enum burst_err curves_background(const struct curves *c, const int32_t *onset_bin, const int32_t *stop_bin, int degree,
                                 float *ret_background, struct burst_error *reterr)
{
    enum burst_err e = curves_check(c, reterr);
    if (e) return e;
    if (degree < 0 || degree > CURVE_DEGREE_MOST)
        return burst_fail(reterr, BURST_E_RANGE, "degree %d is not 0..%d", degree, CURVE_DEGREE_MOST);
    if (c->n > 0 && (!onset_bin || !stop_bin || !ret_background))
        return burst_fail(reterr, BURST_E_MISSING, "no bounds of the bursts, or nowhere to write");
    struct job job = {c, onset_bin, stop_bin, degree, ret_background};
    return curves_each(c->n, c->n_thread, background_part, &job, reterr);
}
