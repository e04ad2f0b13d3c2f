/* Bursts in other places: counts change their bins. */
#include "train/augment_inside.h"
#include <stdlib.h>

/* What bin `from` of background b held, now in a bin of background b_new. */
static uint32_t count_move(struct rng *r, uint32_t count, double b, double b_new)
{
    return b_new < b ? binomial_draw(r, count, b_new / b) : count + rng_poisson(r, b_new - b);
}

static void turn_row(const struct augment_job *job, size_t i)
{
    const struct curves *c = job->c;
    const int64_t n_bin = (int64_t)c->n_bin, shift = ((int64_t)job->bins[i] % n_bin + n_bin) % n_bin;
    struct rng r = draw_start(job->draw, DRAW_TURN, i);
    for (size_t t = 0; t < c->n_bin; t++) {
        const size_t to = (t + (size_t)shift) % c->n_bin;
        const bool valid = bin_valid(c, i, t);
        job->ret_valid[i * c->n_bin + to] = valid;
        for (size_t a = 0; a < c->n_atom; a++) {
            const size_t at = atom_at(c, i, a);
            const double b = (double)c->background[at + t], b_new = (double)c->background[at + to];
            job->ret_atoms[at + to] = valid ? count_of(count_move(&r, c->atoms[at + t], b, b_new)) : 0;
        }
    }
}

static enum burst_err turn_part(void *what, int part, size_t from, size_t to, struct burst_error *reterr)
{
    (void)part, (void)reterr;
    for (size_t i = from; i < to; i++)
        turn_row(what, i);
    return BURST_OK;
}

static enum burst_err outputs_check(const struct curves *c, const uint16_t *atoms, const uint8_t *valid,
                                    struct burst_error *reterr)
{
    if (c->n == 0 || (atoms && valid && atoms != c->atoms && valid != c->valid)) return BURST_OK;
    return burst_fail(reterr, BURST_E_MISSING, "nowhere to write counts and validity, or over what is read");
}

enum burst_err curves_turn(const struct curves *c, const int32_t *shift, struct draw draw, uint16_t *ret_atoms,
                           uint8_t *ret_valid, struct burst_error *reterr)
{
    enum burst_err e = curves_check_background(c, reterr);
    if (!e) e = outputs_check(c, ret_atoms, ret_valid, reterr);
    if (e) return e;
    if (!shift && c->n > 0) return burst_fail(reterr, BURST_E_MISSING, "no shift");
    struct augment_job job = {.c = c, .bins = shift, .draw = draw, .ret_atoms = ret_atoms, .ret_valid = ret_valid};
    return curves_each(c->n, c->n_thread, turn_part, &job, reterr);
}

/* The most that may be kept: k B must fit under the quiet background wherever there is data. */
static double swap_kept(const struct augment_job *job, size_t i)
{
    const struct curves *c = job->c, *quiet = job->quiet;
    double kept = job->number[i];
    for (size_t t = 0; t < c->n_bin; t++) {
        if (!bin_valid(c, i, t) || !bin_valid(quiet, i, t)) continue;
        for (size_t a = 0; a < c->n_atom; a++) {
            const size_t at = atom_at(c, i, a) + t;
            const double b = (double)c->background[at], b_new = (double)quiet->background[at];
            if (kept * b > b_new) kept = b_new / b;
        }
    }
    return kept;
}

static void swap_row(const struct augment_job *job, size_t i)
{
    const struct curves *c = job->c, *quiet = job->quiet;
    const double kept = swap_kept(job, i);
    struct rng r = draw_start(job->draw, DRAW_SWAP, i);
    job->ret_number[i] = kept;
    for (size_t t = 0; t < c->n_bin; t++) {
        const bool valid = bin_valid(c, i, t) && bin_valid(quiet, i, t);
        job->ret_valid[i * c->n_bin + t] = valid;
        for (size_t a = 0; a < c->n_atom; a++) {
            const size_t at = atom_at(c, i, a) + t;
            const double b = (double)c->background[at], b_new = (double)quiet->background[at];
            uint32_t n = 0;
            if (valid)
                n = binomial_draw(&r, c->atoms[at], kept) +
                    binomial_draw(&r, quiet->atoms[at], b_new > 0 ? 1.0 - kept * b / b_new : 1.0);
            job->ret_atoms[at] = count_of(n);
        }
    }
}

static enum burst_err swap_part(void *what, int part, size_t from, size_t to, struct burst_error *reterr)
{
    (void)part, (void)reterr;
    for (size_t i = from; i < to; i++)
        swap_row(what, i);
    return BURST_OK;
}

enum burst_err curves_swap(const struct curves *c, const struct curves *quiet, const double *kept, struct draw draw,
                           uint16_t *ret_atoms, uint8_t *ret_valid, double *ret_kept, struct burst_error *reterr)
{
    enum burst_err e = curves_check_background(c, reterr);
    if (!e && (e = curves_check_background(quiet, reterr))) e = burst_prefix(reterr, e, "quiet windows");
    if (!e) e = augment_check_numbers(kept, c->n, 0.0, 1.0, "part kept", reterr);
    if (!e) e = outputs_check(c, ret_atoms, ret_valid, reterr);
    if (!e) e = outputs_check(quiet, ret_atoms, ret_valid, reterr);
    if (e) return e;
    if (c->n != quiet->n || c->n_atom != quiet->n_atom || c->n_bin != quiet->n_bin)
        return burst_fail(reterr, BURST_E_SHAPE, "bursts [%zu][%zu][%zu] over quiet windows [%zu][%zu][%zu]", c->n,
                          c->n_atom, c->n_bin, quiet->n, quiet->n_atom, quiet->n_bin);
    if (!ret_kept && c->n > 0) return burst_fail(reterr, BURST_E_MISSING, "nowhere to write what was kept");
    struct augment_job job = {.c = c,
                              .quiet = quiet,
                              .number = kept,
                              .draw = draw,
                              .ret_atoms = ret_atoms,
                              .ret_valid = ret_valid,
                              .ret_number = ret_kept};
    return curves_each(c->n, c->n_thread, swap_part, &job, reterr);
}

static void slide_row(const struct augment_job *job, size_t i)
{
    const struct curves *c = job->c;
    const int64_t last = (int64_t)c->n_bin - 1;
    struct rng r = draw_start(job->draw, DRAW_SLIDE, i);
    for (size_t t = 0; t < c->n_bin; t++) {
        const int64_t from = (int64_t)t + job->bins[i];
        const size_t held = (size_t)(from < 0 ? 0 : from > last ? last : from);
        const bool inside = from >= 0 && from <= last, valid = !inside || bin_valid(c, i, held);
        job->ret_valid[i * c->n_bin + t] = valid;
        for (size_t a = 0; a < c->n_atom; a++) {
            const size_t at = atom_at(c, i, a);
            const float b = c->background[at + held];
            uint32_t n = 0;
            if (valid) n = inside ? c->atoms[at + held] : rng_poisson(&r, (double)b);
            job->ret_atoms[at + t] = count_of(n);
            if (job->ret_background) job->ret_background[at + t] = b;
        }
    }
}

static enum burst_err slide_part(void *what, int part, size_t from, size_t to, struct burst_error *reterr)
{
    (void)part, (void)reterr;
    for (size_t i = from; i < to; i++)
        slide_row(what, i);
    return BURST_OK;
}

enum burst_err curves_slide(const struct curves *c, const int32_t *offset, struct draw draw, uint16_t *ret_atoms,
                            uint8_t *ret_valid, float *ret_background, struct burst_error *reterr)
{
    enum burst_err e = curves_check_background(c, reterr);
    if (!e) e = outputs_check(c, ret_atoms, ret_valid, reterr);
    if (e) return e;
    if (c->n > 0 && (!offset || ret_background == c->background))
        return burst_fail(reterr, BURST_E_MISSING,
                          "no offset, or nowhere to write the background but over what is read");
    for (size_t i = 0; i < c->n; i++)
        if (llabs((int64_t)offset[i]) >= (int64_t)c->n_bin)
            return burst_fail(reterr, BURST_E_RANGE, "offset %d of row %zu leaves nothing of %zu bins", (int)offset[i],
                              i, c->n_bin);
    struct augment_job job = {.c = c,
                              .bins = offset,
                              .draw = draw,
                              .ret_atoms = ret_atoms,
                              .ret_valid = ret_valid,
                              .ret_background = ret_background};
    return curves_each(c->n, c->n_thread, slide_part, &job, reterr);
}

enum burst_err cut_draw(const int32_t *onset_bin, const int32_t *stop_bin, size_t n, size_t n_bin, struct draw draw,
                        int32_t *ret_offset, struct burst_error *reterr)
{
    if (n > 0 && (!onset_bin || !stop_bin || !ret_offset))
        return burst_fail(reterr, BURST_E_MISSING, "no bounds of the bursts, or nowhere to write");
    if (n_bin < 1 || n_bin > CURVES_BINS_MOST)
        return burst_fail(reterr, BURST_E_RANGE, "%zu bins are not 1..%d", n_bin, CURVES_BINS_MOST);
    for (size_t i = 0; i < n; i++)
        if (onset_bin[i] < 0 || onset_bin[i] >= stop_bin[i] || stop_bin[i] > (int32_t)n_bin)
            return burst_fail(reterr, BURST_E_RANGE, "burst [%d, %d) of row %zu is not inside %zu bins",
                              (int)onset_bin[i], (int)stop_bin[i], i, n_bin);
    for (size_t i = 0; i < n; i++) {
        struct rng r = draw_start(draw, DRAW_CUT, i);
        const int32_t length = stop_bin[i] - onset_bin[i];
        const int32_t edge = onset_bin[i] + 1 + (int32_t)(rng_uniform(&r) * (length - 1));
        const int32_t offset =
            rng_chance(&r, 0.5) ? edge : edge - (int32_t)n_bin; /* the window begins there, or ends */
        ret_offset[i] = length < 2 ? 0 : offset;
    }
    return BURST_OK;
}
