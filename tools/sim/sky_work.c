/* Plans checked, room made and given back. */
#include "sim/sky_inside.h"
#include <stdlib.h>

int sky_rows(const struct sky_plan *plan)
{
    if (plan->view == VIEW_ONE) return 1;
    if (plan->view == VIEW_BEST3) return 3;
    for (int i = 1; i < plan->n_craft; i++)
        if (plan->craft[i].n_detector != plan->craft[0].n_detector) return 0;
    return plan->craft[0].n_detector;
}

static enum burst_err check_plan(const struct sky_plan *p, struct burst_error *reterr)
{
    if (p->n_craft < 1 || p->n_craft > SKY_CRAFT_MAX || sky_rows(p) == 0)
        return burst_fail(reterr, BURST_E_RANGE, "%d spacecraft with rows of their own number", p->n_craft);
    if (!(p->bin_s >= 0.064 && p->bin_s <= 65.6) || p->n_bin < 16 || p->n_bin > 20000)
        return burst_fail(reterr, BURST_E_RANGE, "%zu bins of %g s; 16 to 20000 of 0.064 to 65.536 are drawn", p->n_bin,
                          p->bin_s);
    if (p->n_atom != SIM_ATOM && p->n_atom != 1)
        return burst_fail(reterr, BURST_E_RANGE, "%d atoms; 5 or 1 are drawn", p->n_atom);
    for (int i = 0; i < p->n_craft; i++)
        if (p->view == VIEW_BEST3 && p->craft[i].n_search < 3)
            return burst_fail(reterr, BURST_E_RANGE, "%s has fewer than three detectors", p->craft[i].name);
    if ((p->without & ((1u << FAMILY_N) - 1u)) == (1u << FAMILY_N) - 1u)
        return burst_fail(reterr, BURST_E_RANGE, "a plan that leaves out every family");
    if (!(p->level > 0.0 && p->level <= 100.0 && p->gain >= 0.9 && p->gain <= 1.1))
        return burst_fail(reterr, BURST_E_RANGE, "quiet counts times %g, energies times %g", p->level, p->gain);
    if (p->only >= FAMILY_N || (p->only >= 0 && p->without >> p->only & 1u))
        return burst_fail(reterr, BURST_E_RANGE, "family %d alone, and left out or none", p->only);
    return BURST_OK;
}

enum burst_err sky_work_new(const struct sky_plan *plan, struct sky_work **ret_work, struct burst_error *reterr)
{
    enum burst_err err = check_plan(plan, reterr);
    if (err) return err;
    struct sky_work *w = calloc(1, sizeof *w);
    if (!w) return burst_fail(reterr, BURST_E_NOMEM, "no memory for a sky");
    size_t n = plan->n_bin, rows = (size_t)sky_rows(plan), group = SIM_GROUP * n;
    w->plan = plan;
    w->n_row = (int)rows;
    w->grid = (struct sim_grid){0.0, plan->bin_s, n};
    w->red = malloc(n * sizeof *w->red);
    w->turn = malloc(n * sizeof *w->turn);
    w->kept = malloc(n * sizeof *w->kept);
    for (int i = 0; i < RESPONSE_N; i++)
        w->paint[i] = malloc(group * sizeof *w->paint[i]);
    for (int i = 0; i < RESPONSE_N; i++)
        spacecraft_colour_table((enum response)i, &w->colours[i]);
    w->signal = malloc(group * sizeof *w->signal);
    w->total = malloc(n * sizeof *w->total);
    w->background = malloc(rows * group * sizeof *w->background);
    w->sum[0] = malloc(n * sizeof *w->sum[0]);
    w->sum[1] = malloc(n * sizeof *w->sum[1]);
    w->counts = malloc(n * sizeof *w->counts);
    w->atoms = malloc(rows * (size_t)plan->n_atom * n * sizeof *w->atoms);
    w->valid = malloc(rows * n);
    bool whole = w->red && w->turn && w->kept && w->paint[0] && w->paint[1] && w->paint[2] && w->signal && w->total &&
                 w->background && w->sum[0] && w->sum[1] && w->counts && w->atoms && w->valid;
    err = whole ? poisson_new(&w->tables, reterr)
                : burst_fail(reterr, BURST_E_NOMEM, "no memory for a sky of %zu bins", n);
    if (err) {
        sky_work_free(w);
        return err;
    }
    *ret_work = w;
    return BURST_OK;
}

void sky_work_free(struct sky_work *work)
{
    if (!work) return;
    for (int i = 0; i < RESPONSE_N; i++)
        free(work->paint[i]);
    free(work->red);
    free(work->turn);
    free(work->kept);
    free(work->signal);
    free(work->total);
    free(work->background);
    free(work->sum[0]);
    free(work->sum[1]);
    free(work->counts);
    free(work->atoms);
    free(work->valid);
    poisson_free(work->tables);
    free(work);
}

const struct sky_row *sky_row(const struct sky_work *work, int row)
{
    return &work->row[row];
}

const uint16_t *sky_atoms(const struct sky_work *work, int row)
{
    return work->atoms + (size_t)row * (size_t)work->plan->n_atom * work->grid.n_bin;
}

const uint8_t *sky_valid(const struct sky_work *work, int row)
{
    return work->valid + (size_t)row * work->grid.n_bin;
}

const float *sky_expected(const struct sky_work *work)
{
    return work->signal; /* sky_count leaves it there */
}
