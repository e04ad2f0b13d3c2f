/* Poisson-FOCuS. For a start s, C_s(mu) = X_s log(mu) - L_s (mu - 1), X and L being counts and expected counts since s.
 * Two starts differ by a constant function of mu, (X_a - X_b) log(mu) - (L_a - L_b)(mu - 1): the older wins below its
 * root, the younger above, and the root grows with (X_a - X_b) / (L_a - L_b). So the starts that win somewhere, in
 * order of age, have rising slopes between them: they are the lower convex hull of the walk. */
#include "train/focus.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ROOM_FIRST = 64 };

enum burst_err focus_init(double mu_min, struct focus *f, struct burst_error *reterr)
{
    if (!(mu_min >= 1.0 && mu_min <= 1e6))
        return burst_fail(reterr, BURST_E_RANGE, "a faintest burst of %g times the background; 1 to 1e6 are taken",
                          mu_min);
    struct focus_start *start = malloc(ROOM_FIRST * sizeof *start);
    if (!start) return burst_fail(reterr, BURST_E_NOMEM, "no memory for a search");
    *f = (struct focus){.mu_min = mu_min, .slope_min = 1.0, .room = ROOM_FIRST, .start = start};
    /* C_s(mu_min) = 0 at this slope: below it a start never wins at or above mu_min. */
    if (mu_min > 1.0) f->slope_min = (mu_min - 1.0) / log(mu_min);
    focus_reset(f);
    return BURST_OK;
}

void focus_fini(struct focus *f)
{
    free(f->start);
    *f = (struct focus){0};
}

void focus_reset(struct focus *f)
{
    f->counts = f->expected = 0.0;
    f->n = 1;
    f->start[0] = (struct focus_start){0.0, 0.0, f->bin};
}

static enum burst_err make_room(struct focus *f, struct burst_error *reterr)
{
    if (f->n < f->room) return BURST_OK;
    struct focus_start *grown = realloc(f->start, 2 * f->room * sizeof *grown);
    if (!grown) return burst_fail(reterr, BURST_E_NOMEM, "no memory for %zu candidate starts", 2 * f->room);
    f->start = grown;
    f->room *= 2;
    return BURST_OK;
}

/* Is the rise from a to b no flatter than from b to c? Products, since both widths are above 0. */
static int hides(const struct focus_start *a, const struct focus_start *b, const struct focus_start *c)
{
    return (b->counts - a->counts) * (c->expected - b->expected) >=
           (c->counts - b->counts) * (b->expected - a->expected);
}

/* The present becomes the youngest candidate. */
static void add_present(struct focus *f)
{
    struct focus_start now = {f->counts, f->expected, f->bin};
    while (f->n > 1 && hides(&f->start[f->n - 2], &f->start[f->n - 1], &now))
        f->n--;
    f->start[f->n++] = now;
    size_t dead = 0;
    while (dead + 1 < f->n && f->start[dead + 1].counts - f->start[dead].counts <=
                                  f->slope_min * (f->start[dead + 1].expected - f->start[dead].expected))
        dead++;
    f->n -= dead;
    memmove(f->start, f->start + dead, f->n * sizeof f->start[0]);
    if (f->n == 1) focus_reset(f); /* sums begin anew and stay small */
}

/* Log likelihood ratio at the best mu allowed. */
static double start_worth(double counts, double expected, double mu_min)
{
    double mu = counts / expected;
    if (mu < mu_min) mu = mu_min;
    return mu > 1.0 ? counts * log(mu) - expected * (mu - 1.0) : 0.0;
}

enum burst_err focus_step(struct focus *f, double counts, double expected, struct focus_peak *ret_peak,
                          struct burst_error *reterr)
{
    if (!(counts >= 0.0 && counts < 1e12) || !(expected > 0.0 && expected < 1e12))
        return burst_fail(reterr, BURST_E_RANGE, "bin %llu: %g counts, %g expected; both finite, expected above 0",
                          (unsigned long long)f->bin, counts, expected);
    enum burst_err err = make_room(f, reterr);
    if (err) return err;
    struct focus_peak peak = {0.0, 0};
    double best = 0.0;
    f->counts += counts;
    f->expected += expected;
    f->bin++;
    add_present(f);
    for (size_t i = 0; i + 1 < f->n; i++) {
        double worth = start_worth(f->counts - f->start[i].counts, f->expected - f->start[i].expected, f->mu_min);
        if (worth > best) best = worth, peak.length = f->bin - f->start[i].bin;
    }
    peak.significance = sqrt(2.0 * best);
    *ret_peak = peak;
    return BURST_OK;
}

enum burst_err focus_run(const double *counts, const double *expected, const uint8_t *valid, size_t n_bin,
                         double mu_min, double *ret_significance, uint32_t *ret_length, struct burst_error *reterr)
{
    struct focus f = {0};
    enum burst_err err = focus_init(mu_min, &f, reterr);
    for (size_t i = 0; i < n_bin && !err; i++) {
        struct focus_peak peak = {0.0, 0};
        if ((valid && !valid[i]) || !(expected[i] > 0.0))
            focus_reset(&f);
        else
            err = focus_step(&f, counts[i], expected[i], &peak, reterr);
        ret_significance[i] = peak.significance;
        ret_length[i] = (uint32_t)peak.length;
    }
    focus_fini(&f);
    return err;
}
