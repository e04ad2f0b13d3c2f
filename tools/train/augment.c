/* Fainter bursts and other rates: counts stay in their bins. */
#include "train/augment_inside.h"
#include <math.h>

static const double SEED_MU = -2.0, SEED_VARIANCE = 0.6; /* of the natural logarithm of c: science.md A.8 */

enum burst_err augment_check_numbers(const double *number, size_t n, double low, double high, const char *what,
                                     struct burst_error *reterr)
{
    if (!number && n > 0) return burst_fail(reterr, BURST_E_MISSING, "no %s", what);
    for (size_t i = 0; i < n; i++)
        if (!(number[i] >= low && number[i] <= high)) /* NaN too */
            return burst_fail(reterr, BURST_E_RANGE, "%s of row %zu is %g, not %g..%g", what, i, number[i], low, high);
    return BURST_OK;
}

static double kept_one(struct rng *r, double snr0, int preset, double least)
{
    if (preset == KEPT_TARGET_SNR) return snr0 > least ? rng_log_between(r, least, snr0) / snr0 : 1.0;
    double c = exp(SEED_MU + sqrt(SEED_VARIANCE) * rng_normal(r));
    if (c > 1.0) c = 1.0;
    return preset == KEPT_SEED_KEPT ? c : 1.0 - c;
}

enum burst_err kept_draw(const double *snr0, size_t n, int preset, double least, struct draw draw, double *ret_kept,
                         double *ret_snr, struct burst_error *reterr)
{
    if (preset < 0 || preset >= KEPT_PRESET_N)
        return burst_fail(reterr, BURST_E_RANGE, "no preset has number %d", preset);
    if (preset == KEPT_TARGET_SNR && !(least > 0.0 && isfinite(least)))
        return burst_fail(reterr, BURST_E_RANGE, "the least S/N aimed at, %g, is not above 0", least);
    if (n > 0 && (!ret_kept || !ret_snr)) return burst_fail(reterr, BURST_E_MISSING, "nowhere to write what is kept");
    enum burst_err e = augment_check_numbers(snr0, n, 1e-6, 1e9, "S/N", reterr);
    if (e) return e;
    if (least >= SNR_NOT_A_BURST && least < SNR_CLEAR) least = SNR_CLEAR;
    for (size_t i = 0; i < n; i++) {
        struct rng r = draw_start(draw, DRAW_KEPT, i);
        double snr = snr0[i];
        ret_kept[i] = kept_one(&r, snr, preset, least);
        ret_snr[i] = ret_kept[i] * snr;
    }
    return BURST_OK;
}

int snr_label(double snr_sigma)
{
    if (snr_sigma >= SNR_CLEAR) return 1;
    return snr_sigma < SNR_NOT_A_BURST ? 0 : -1;
}

static enum burst_err thin_part(void *what, int part, size_t from, size_t to, struct burst_error *reterr)
{
    (void)part, (void)reterr;
    const struct augment_job *job = what;
    const struct curves *c = job->c;
    for (size_t i = from; i < to; i++) {
        struct rng r = draw_start(job->draw, DRAW_THIN, i);
        const double kept = job->number[i];
        for (size_t a = 0; a < c->n_atom; a++)
            for (size_t t = 0; t < c->n_bin; t++) {
                const size_t at = atom_at(c, i, a) + t;
                uint32_t n = 0;
                if (bin_valid(c, i, t))
                    n = binomial_draw(&r, c->atoms[at], kept) +
                        rng_poisson(&r, (1.0 - kept) * (double)c->background[at]);
                job->ret_atoms[at] = count_of(n);
            }
    }
    return BURST_OK;
}

enum burst_err curves_thin(const struct curves *c, const double *kept, struct draw draw, uint16_t *ret_atoms,
                           struct burst_error *reterr)
{
    enum burst_err e = curves_check_background(c, reterr);
    if (!e) e = augment_check_numbers(kept, c->n, 0.0, 1.0, "part kept", reterr);
    if (e) return e;
    if (!ret_atoms && c->n > 0) return burst_fail(reterr, BURST_E_MISSING, "nowhere to write counts");
    struct augment_job job = {.c = c, .number = kept, .draw = draw, .ret_atoms = ret_atoms};
    return curves_each(c->n, c->n_thread, thin_part, &job, reterr);
}

static enum burst_err printed_part(void *what, int part, size_t from, size_t to, struct burst_error *reterr)
{
    (void)part, (void)reterr;
    const struct augment_job *job = what;
    const struct curves *c = job->c;
    for (size_t i = from; i < to; i++) {
        struct rng r = draw_start(job->draw, DRAW_PRINTED, i);
        const double removed = job->number[i];
        for (size_t a = 0; a < c->n_atom; a++)
            for (size_t t = 0; t < c->n_bin; t++) {
                const size_t at = atom_at(c, i, a) + t;
                double x = c->atoms[at], back = rng_poisson(&r, removed * (double)c->background[at]);
                job->ret_background[at] = bin_valid(c, i, t) ? (float)(x - removed * x + back) : 0.0f;
            }
    }
    return BURST_OK;
}

enum burst_err curves_thin_as_printed(const struct curves *c, const double *removed, struct draw draw,
                                      float *ret_counts, struct burst_error *reterr)
{
    enum burst_err e = curves_check_background(c, reterr);
    if (!e) e = augment_check_numbers(removed, c->n, 0.0, 1.0, "part removed", reterr);
    if (e) return e;
    if (!ret_counts && c->n > 0) return burst_fail(reterr, BURST_E_MISSING, "nowhere to write counts");
    struct augment_job job = {.c = c, .number = removed, .draw = draw, .ret_background = ret_counts};
    return curves_each(c->n, c->n_thread, printed_part, &job, reterr);
}

static enum burst_err rate_part(void *what, int part, size_t from, size_t to, struct burst_error *reterr)
{
    (void)part, (void)reterr;
    const struct augment_job *job = what;
    const struct curves *c = job->c;
    for (size_t i = from; i < to; i++) {
        struct rng r = draw_start(job->draw, DRAW_RATE, i);
        const double f = job->number[i];
        for (size_t at = atom_at(c, i, 0), end = at + c->n_atom * c->n_bin; at < end; at++) {
            const double b = (double)c->background[at];
            uint32_t n = 0;
            if (bin_valid(c, i, at % c->n_bin)) n = binomial_draw(&r, c->atoms[at], f) + rng_poisson(&r, (f - 1.0) * b);
            job->ret_atoms[at] = count_of(n);
            if (job->ret_background) job->ret_background[at] = (float)(f * b);
        }
    }
    return BURST_OK;
}

enum burst_err curves_rate(const struct curves *c, const double *factor, struct draw draw, uint16_t *ret_atoms,
                           float *ret_background, struct burst_error *reterr)
{
    enum burst_err e = curves_check_background(c, reterr);
    if (!e) e = augment_check_numbers(factor, c->n, 0.1, 10.0, "factor", reterr);
    if (e) return e;
    if (!ret_atoms && c->n > 0) return burst_fail(reterr, BURST_E_MISSING, "nowhere to write counts");
    struct augment_job job = {
        .c = c, .number = factor, .draw = draw, .ret_atoms = ret_atoms, .ret_background = ret_background};
    return curves_each(c->n, c->n_thread, rate_part, &job, reterr);
}

/* Part of the counts of [low, high] that lies in [from, to], counts per keV falling as E^-index. */
static double spectrum_part(double low, double high, double from, double to, double index)
{
    if (fabs(index - 1.0) < 1e-9) return log(to / from) / log(high / low);
    const double q = 1.0 - index;
    return (pow(to, q) - pow(from, q)) / (pow(high, q) - pow(low, q));
}

/* Part of each atom that goes to its neighbour: above at a gain over 1, else below. */
static void gain_parts(const struct augment_job *job, double g, double *ret_part)
{
    const double *edge = job->edge_kev;
    const size_t n_atom = job->c->n_atom;
    for (size_t a = 0; a < n_atom; a++) {
        ret_part[a] = 0;
        if (g > 1.0 && a + 1 < n_atom)
            ret_part[a] = spectrum_part(edge[a], edge[a + 1], edge[a + 1] / g, edge[a + 1], job->index);
        if (g < 1.0 && a > 0) ret_part[a] = spectrum_part(edge[a], edge[a + 1], edge[a], edge[a] / g, job->index);
    }
}

static void gain_bin(const struct augment_job *job, struct rng *r, size_t at, bool valid, const double *part, double g)
{
    const struct curves *c = job->c;
    uint32_t count[ATOM_MAX] = {0};
    double expected[ATOM_MAX] = {0};
    for (size_t a = 0; a < c->n_atom; a++) {
        const size_t from = at + a * c->n_bin, to = part[a] <= 0 ? a : g > 1.0 ? a + 1 : a - 1;
        const uint32_t n = valid ? c->atoms[from] : 0, moved = binomial_draw(r, n, part[a]);
        const double b = job->ret_background ? (double)c->background[from] : 0.0;
        count[a] += n - moved;
        count[to] += moved;
        expected[a] += b * (1.0 - part[a]);
        expected[to] += b * part[a];
    }
    for (size_t a = 0; a < c->n_atom; a++) {
        job->ret_atoms[at + a * c->n_bin] = count_of(count[a]);
        if (job->ret_background) job->ret_background[at + a * c->n_bin] = (float)expected[a];
    }
}

static enum burst_err gain_part(void *what, int number, size_t from, size_t to, struct burst_error *reterr)
{
    (void)number, (void)reterr;
    const struct augment_job *job = what;
    for (size_t i = from; i < to; i++) {
        struct rng r = draw_start(job->draw, DRAW_GAIN, i);
        double part[ATOM_MAX];
        gain_parts(job, job->number[i], part);
        for (size_t t = 0; t < job->c->n_bin; t++)
            gain_bin(job, &r, atom_at(job->c, i, 0) + t, bin_valid(job->c, i, t), part, job->number[i]);
    }
    return BURST_OK;
}

static enum burst_err gain_check(const struct curves *c, const double *edge_kev, const double *gain, double index,
                                 struct burst_error *reterr)
{
    if (c->n_atom < 2) return burst_fail(reterr, BURST_E_SHAPE, "one atom has no edge inside that a gain could move");
    if (!(fabs(index) <= 10.0)) return burst_fail(reterr, BURST_E_RANGE, "spectral index %g is not -10..10", index);
    if (!edge_kev) return burst_fail(reterr, BURST_E_MISSING, "no edges");
    for (size_t a = 0; a < c->n_atom; a++)
        if (!(edge_kev[a] > 0.0 && edge_kev[a + 1] >= GAIN_ATOM_LEAST * edge_kev[a] && isfinite(edge_kev[a + 1])))
            return burst_fail(reterr, BURST_E_RANGE,
                              "edges %g and %g keV do not rise by a factor of %g: a gain would skip an atom",
                              edge_kev[a], edge_kev[a + 1], GAIN_ATOM_LEAST);
    return augment_check_numbers(gain, c->n, GAIN_LEAST, GAIN_MOST, "gain", reterr);
}

enum burst_err curves_gain(const struct curves *c, const double *edge_kev, const double *gain, double index,
                           struct draw draw, uint16_t *ret_atoms, float *ret_background, struct burst_error *reterr)
{
    enum burst_err e = ret_background ? curves_check_background(c, reterr) : curves_check(c, reterr);
    if (!e) e = gain_check(c, edge_kev, gain, index, reterr);
    if (e) return e;
    if (!ret_atoms && c->n > 0) return burst_fail(reterr, BURST_E_MISSING, "nowhere to write counts");
    struct augment_job job = {.c = c,
                              .number = gain,
                              .edge_kev = edge_kev,
                              .index = index,
                              .draw = draw,
                              .ret_atoms = ret_atoms,
                              .ret_background = ret_background};
    return curves_each(c->n, c->n_thread, gain_part, &job, reterr);
}
