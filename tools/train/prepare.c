/* Counts to input. The daemon's scaling is kernels/standardise; the others are what it was compared with. */
#include "train/prepare.h"
#include "kernels/standardise.h"
#include "records/bands.h"
#include "train/median.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double RUNNING_LEAST = -5.0, RUNNING_MOST = 50.0;
enum { MEDIAN_PART = 5, MEDIAN_LEAST = 5, KNOWN_PART = 4 };

/* One thread's storage, and the row in hand. */
struct desk {
    const struct scaling_plan *plan;
    size_t n_bin, median_bins;
    uint32_t *atoms; /* [n_atom][n_bin] */
    uint32_t *band;  /* [n_band][n_bin] */
    uint8_t *all;    /* [n_bin] of 1 */
    const uint8_t *valid;
    struct median median;
};

static void desk_fini(struct desk *d)
{
    free(d->atoms);
    free(d->band);
    free(d->all);
    median_fini(&d->median);
}

static enum burst_err desk_init(struct desk *d, const struct curves *c, const struct scaling_plan *plan,
                                struct burst_error *reterr)
{
    *d = (struct desk){.plan = plan, .n_bin = c->n_bin, .median_bins = (size_t)plan->median_bins};
    if (d->median_bins == 0) d->median_bins = c->n_bin / MEDIAN_PART;
    if (d->median_bins < MEDIAN_LEAST) d->median_bins = MEDIAN_LEAST;
    d->atoms = malloc(c->n_atom * c->n_bin * sizeof *d->atoms);
    d->band = malloc((size_t)plan->n_band * c->n_bin * sizeof *d->band);
    d->all = malloc(c->n_bin);
    bool good = d->atoms && d->band && d->all;
    if (good && plan->scaling >= SCALING_RUNNING) good = median_init(&d->median, UINT16_MAX * (uint32_t)c->n_atom);
    if (!good) {
        desk_fini(d);
        return burst_fail(reterr, BURST_E_NOMEM, "no memory for light curves of %zu bins", c->n_bin);
    }
    memset(d->all, 1, c->n_bin);
    return BURST_OK;
}

static void desk_take(struct desk *d, const struct curves *c, size_t row)
{
    const uint16_t *from = c->atoms + row * c->n_atom * c->n_bin;
    for (size_t i = 0; i < c->n_atom * c->n_bin; i++)
        d->atoms[i] = from[i];
    d->valid = c->valid ? c->valid + row * c->n_bin : d->all;
}

static void desk_sum_bands(struct desk *d)
{
    memset(d->band, 0, (size_t)d->plan->n_band * d->n_bin * sizeof *d->band);
    for (int b = 0; b < d->plan->n_band; b++)
        for (size_t a = d->plan->first[b]; a < d->plan->last[b]; a++)
            for (size_t t = 0; t < d->n_bin; t++)
                d->band[(size_t)b * d->n_bin + t] += d->atoms[a * d->n_bin + t];
}

static struct standardise_scale scale_standard(const struct desk *d, const uint32_t *band, int n_band)
{
    uint64_t n = 0, sum = 0;
    double sum2 = 0;
    for (int b = 0; b < n_band; b++)
        for (size_t t = 0; t < d->n_bin; t++) {
            if (!d->valid[t]) continue;
            uint64_t x = band[(size_t)b * d->n_bin + t];
            n++;
            sum += x;
            sum2 += (double)(x * x);
        }
    return standardise_scale_of(n, sum, sum2);
}

static struct standardise_scale scale_range(const struct desk *d, const uint32_t *band, int n_band)
{
    uint32_t least = UINT32_MAX, most = 0;
    for (int b = 0; b < n_band; b++)
        for (size_t t = 0; t < d->n_bin; t++) {
            uint32_t x = band[(size_t)b * d->n_bin + t];
            if (d->valid[t] && x < least) least = x;
            if (d->valid[t] && x > most) most = x;
        }
    struct standardise_scale s = {least, 0.0};
    if (most > least) s.scale = 1.0 / (double)(most - least);
    return s;
}

/* Bands [0, n_band) of `band` on one scale. */
static void scale_together(const struct desk *d, const uint32_t *band, int n_band, float *ret_x)
{
    struct standardise_scale s =
        d->plan->scaling == SCALING_NORMALISE ? scale_range(d, band, n_band) : scale_standard(d, band, n_band);
    for (int b = 0; b < n_band; b++)
        for (size_t t = 0; t < d->n_bin; t++) {
            size_t i = (size_t)b * d->n_bin + t;
            ret_x[i] = d->valid[t] ? standardise_one(band[i], s) : 0.0f;
        }
}

static float running_one(uint32_t count, double m)
{
    double x = ((double)count - m) / sqrt(m > 1.0 ? m : 1.0);
    return (float)(x < RUNNING_LEAST ? RUNNING_LEAST : x > RUNNING_MOST ? RUNNING_MOST : x);
}

/* Bins [at, to) come under the median. */
static size_t median_reach(struct desk *d, const uint32_t *band, size_t at, size_t to)
{
    for (; at < to && at < d->n_bin; at++)
        if (d->valid[at]) median_add(&d->median, band[at]);
    return at;
}

/* Bins [from, to) leave it. */
static size_t median_leave(struct desk *d, const uint32_t *band, size_t from, size_t to)
{
    for (; from < to; from++)
        if (d->valid[from]) median_remove(&d->median, band[from]);
    return from;
}

static void scale_running(struct desk *d, const uint32_t *band, float *ret_x)
{
    const bool causal = d->plan->scaling == SCALING_RUNNING_CAUSAL;
    const size_t before = causal ? d->median_bins : d->median_bins / 2, after = causal ? 0 : d->median_bins / 2 + 1;
    const size_t known = causal ? (d->median_bins + KNOWN_PART - 1) / KNOWN_PART : 1;
    size_t from = 0, to = 0;
    for (size_t t = 0; t < d->n_bin; t++) {
        to = median_reach(d, band, to, t + after);
        if (t > before) from = median_leave(d, band, from, t - before);
        bool scaled = d->valid[t] && d->median.n >= known;
        ret_x[t] = scaled ? running_one(band[t], median_value(&d->median)) : 0.0f;
    }
    (void)median_leave(d, band, from, to); /* empty for the next band */
}

static void desk_scale(struct desk *d, float *ret_x)
{
    const struct scaling_plan *plan = d->plan;
    if (plan->scaling == SCALING_STANDARDISE && !plan->together) {
        standardise_bands(d->atoms, d->valid, d->n_bin, plan->first, plan->last, plan->n_band, ret_x);
        return;
    }
    desk_sum_bands(d);
    if (plan->together) {
        scale_together(d, d->band, plan->n_band, ret_x);
        return;
    }
    for (int b = 0; b < plan->n_band; b++) {
        size_t at = (size_t)b * d->n_bin;
        if (plan->scaling == SCALING_NORMALISE)
            scale_together(d, d->band + at, 1, ret_x + at);
        else
            scale_running(d, d->band + at, ret_x + at);
    }
}

struct job {
    const struct curves *c;
    const struct scaling_plan *plan;
    float *ret_x;
};

static enum burst_err prepare_part(void *what, int part, size_t from, size_t to, struct burst_error *reterr)
{
    (void)part;
    const struct job *job = what;
    struct desk desk;
    enum burst_err e = desk_init(&desk, job->c, job->plan, reterr);
    if (e) return e;
    for (size_t i = from; i < to; i++) {
        desk_take(&desk, job->c, i);
        desk_scale(&desk, job->ret_x + i * (size_t)job->plan->n_band * job->c->n_bin);
    }
    desk_fini(&desk);
    return BURST_OK;
}

static enum burst_err plan_check(const struct curves *c, const struct scaling_plan *p, struct burst_error *reterr)
{
    if (p->n_band < 1 || p->n_band > BAND_MAX)
        return burst_fail(reterr, BURST_E_SHAPE, "%d bands are not 1..%d", (int)p->n_band, BAND_MAX);
    if (!p->first || !p->last) return burst_fail(reterr, BURST_E_MISSING, "no bounds of bands");
    for (int b = 0; b < p->n_band; b++)
        if (p->first[b] >= p->last[b] || p->last[b] > c->n_atom)
            return burst_fail(reterr, BURST_E_SHAPE, "band %d is the sum of atoms [%d, %d) of %zu", b, p->first[b],
                              p->last[b], c->n_atom);
    if (p->scaling < 0 || p->scaling >= SCALING_N)
        return burst_fail(reterr, BURST_E_RANGE, "no scaling has number %d", (int)p->scaling);
    if (p->together && p->scaling >= SCALING_RUNNING)
        return burst_fail(reterr, BURST_E_RANGE, "a running median is of one band, not of all together");
    if (p->median_bins < 0 || (size_t)p->median_bins > c->n_bin)
        return burst_fail(reterr, BURST_E_RANGE, "a running median of %d bins does not fit into %zu",
                          (int)p->median_bins, c->n_bin);
    return BURST_OK;
}

enum burst_err curves_prepare(const struct curves *c, const struct scaling_plan *plan, float *ret_x,
                              struct burst_error *reterr)
{
    enum burst_err e = curves_check(c, reterr);
    if (e) return e;
    e = plan_check(c, plan, reterr);
    if (e) return e;
    if (!ret_x && c->n > 0) return burst_fail(reterr, BURST_E_MISSING, "nowhere to write the input");
    struct job job = {c, plan, ret_x};
    return curves_each(c->n, c->n_thread, prepare_part, &job, reterr);
}
