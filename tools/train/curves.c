/* Checks at the door from Python, and the threads behind it. */
#include "train/curves.h"
#include "records/bands.h"
#include <pthread.h>

static const float BACKGROUND_MOST = 1e8f; /* what rng_poisson draws */

enum burst_err curves_check(const struct curves *c, struct burst_error *reterr)
{
    if (c->n_atom < 1 || c->n_atom > ATOM_MAX)
        return burst_fail(reterr, BURST_E_SHAPE, "%zu atoms are not 1..%d", c->n_atom, ATOM_MAX);
    if (c->n_bin < 1 || c->n_bin > CURVES_BINS_MOST)
        return burst_fail(reterr, BURST_E_SHAPE, "%zu bins are not 1..%d", c->n_bin, CURVES_BINS_MOST);
    if (c->n > PTRDIFF_MAX / (sizeof(float) * BAND_MAX * CURVES_BINS_MOST))
        return burst_fail(reterr, BURST_E_SHAPE, "%zu light curves are more than memory can hold", c->n);
    if (c->n_thread < 1 || c->n_thread > CURVES_THREADS_MOST)
        return burst_fail(reterr, BURST_E_SHAPE, "%d threads are not 1..%d", (int)c->n_thread, CURVES_THREADS_MOST);
    if (!c->atoms && c->n > 0) return burst_fail(reterr, BURST_E_MISSING, "no atoms");
    return BURST_OK;
}

enum burst_err curves_check_background(const struct curves *c, struct burst_error *reterr)
{
    enum burst_err e = curves_check(c, reterr);
    if (e) return e;
    if (!c->background && c->n > 0) return burst_fail(reterr, BURST_E_MISSING, "no background");
    const size_t row = c->n_atom * c->n_bin;
    for (size_t i = 0; i < c->n * row; i++)
        if (!(c->background[i] >= 0.0f && c->background[i] <= BACKGROUND_MOST)) /* NaN too */
            return burst_fail(reterr, BURST_E_RANGE, "background of row %zu, atom %zu, bin %zu is %g, not 0..%g",
                              i / row, i % row / c->n_bin, i % c->n_bin, (double)c->background[i],
                              (double)BACKGROUND_MOST);
    return BURST_OK;
}

struct share {
    curves_part *part;
    void *what;
    int number;
    size_t from, to;
    enum burst_err e;
    struct burst_error error;
    pthread_t thread;
};

static void *share_run(void *arg)
{
    struct share *s = arg;
    s->e = s->part(s->what, s->number, s->from, s->to, &s->error);
    return NULL;
}

enum burst_err curves_each(size_t n, int n_thread, curves_part *part, void *what, struct burst_error *reterr)
{
    struct share share[CURVES_THREADS_MOST];
    const size_t parts = (size_t)n_thread;
    int started = 1, refused = 0;
    for (int i = 0; i < n_thread; i++) {
        size_t k = (size_t)i, each = n / parts, rest = n % parts;
        size_t from = k * each + (k < rest ? k : rest), to = from + each + (k < rest);
        share[i] = (struct share){.part = part, .what = what, .number = i, .from = from, .to = to};
    }
    while (started < n_thread && !(refused = pthread_create(&share[started].thread, NULL, share_run, &share[started])))
        started++;
    share_run(&share[0]);
    for (int i = 1; i < started; i++)
        (void)pthread_join(share[i].thread, NULL); /* fails for a thread that is not ours alone */
    for (int i = 0; i < started; i++) {
        if (!share[i].e) continue;
        if (reterr) *reterr = share[i].error;
        return share[i].e;
    }
    return refused ? burst_fail(reterr, BURST_E_NOMEM, "no more than %d threads can be made", started) : BURST_OK;
}
