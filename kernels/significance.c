/* The plain C truth of significance.h. */
#include "kernels/significance.h"
#include <math.h>

double stretch_excess(const struct running *r, size_t from, size_t to)
{
    return (r->seen[to] - r->seen[from]) - (r->expected[to] - r->expected[from]);
}

double stretch_snr(const struct running *r, size_t from, size_t to)
{
    double expected = r->expected[to] - r->expected[from];
    return stretch_excess(r, from, to) / sqrt(expected > 1 ? expected : 1);
}

double stretch_sigma(const struct running *r, size_t from, size_t to)
{
    double seen = r->seen[to] - r->seen[from], expected = r->expected[to] - r->expected[from];
    if (expected <= 0) return 0;
    double ratio = seen > 0 ? seen * log(seen / expected) : 0, excess = seen - expected;
    double square = 2 * (ratio - excess);
    double sigma = square > 0 ? sqrt(square) : 0;
    return excess < 0 ? -sigma : sigma;
}

struct stretch stretch_best(const struct running *r, size_t from, size_t to, size_t longest)
{
    struct stretch best = {from, from, 0};
    for (size_t length = 1; length <= longest && length <= to - from; length *= 2)
        for (size_t s = from; s + length <= to; s++) {
            double snr = stretch_snr(r, s, s + length);
            if (snr > best.snr) best = (struct stretch){s, s + length, snr};
        }
    return best;
}

static size_t best_start(const struct running *r, size_t end, size_t longest, double *ret_sigma)
{
    size_t start = end;
    *ret_sigma = 0;
    for (size_t length = 1; length <= longest && length <= end; length++) {
        double sigma = stretch_sigma(r, end - length, end);
        if (sigma > *ret_sigma) {
            *ret_sigma = sigma;
            start = end - length;
        }
    }
    return start;
}

static size_t best_end(const struct running *r, size_t begin, size_t longest, double *ret_sigma)
{
    size_t end = begin;
    *ret_sigma = 0;
    for (size_t length = 1; length <= longest && begin + length <= r->n_bin; length++) {
        double sigma = stretch_sigma(r, begin, begin + length);
        if (sigma > *ret_sigma) {
            *ret_sigma = sigma;
            end = begin + length;
        }
    }
    return end;
}

size_t stretch_onset(const struct running *r, size_t end, size_t longest, double sigma)
{
    double found;
    size_t at = best_start(r, end, longest, &found);
    for (size_t next = best_start(r, at, longest, &found); found >= sigma; next = best_start(r, at, longest, &found))
        at = next;
    return at;
}

size_t stretch_ending(const struct running *r, size_t begin, size_t longest, double sigma)
{
    double found;
    size_t at = best_end(r, begin, longest, &found);
    for (size_t next = best_end(r, at, longest, &found); found >= sigma; next = best_end(r, at, longest, &found))
        at = next;
    return at;
}
