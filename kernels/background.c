/* The plain C truth of background.h. Everything is summed in the order of time: the same bins give the same digits. */
#include "kernels/background.h"
#include <math.h>

enum { ROUNDS = 12, NEIGHBOURS = 2 };
#define SIGMA_ABOVE 3.0
#define SIGMA_BELOW 5.0

struct block {
    double u, rate, n; /* centre in [-1, 1], counts per bin, bins in use */
    bool keep;
};

static double evaluate(const struct background *b, double u)
{
    double y = 0;
    for (int i = b->degree; i >= 0; i--)
        y = y * u + b->coef[i];
    return y > BACKGROUND_LEAST ? y : BACKGROUND_LEAST;
}

double background_at(const struct background *b, size_t t)
{
    return evaluate(b, ((double)t + 0.5 - b->middle) / b->half);
}

static int blocks_make(const uint32_t *counts, const uint8_t *use, size_t n_bin, const struct background *frame,
                       struct block *ret_block)
{
    size_t length = (n_bin + BACKGROUND_BLOCKS - 1) / BACKGROUND_BLOCKS;
    if (length < BACKGROUND_BLOCK_BINS) length = BACKGROUND_BLOCK_BINS;
    int n = 0;
    for (size_t from = 0; from < n_bin; from += length) {
        size_t to = from + length < n_bin ? from + length : n_bin;
        uint64_t sum = 0, used = 0;
        double centre = 0;
        for (size_t t = from; t < to; t++)
            if (use[t]) {
                sum += counts[t];
                used++;
                centre += (double)t + 0.5;
            }
        if (used == 0 || 2 * used < length) continue;
        double bins = (double)used;
        ret_block[n++] = (struct block){(centre / bins - frame->middle) / frame->half, (double)sum / bins, bins, true};
    }
    return n;
}

/* The value that k others are not above and n - 1 - k not below (Hoare's selection; qsort would take memory). */
static double select_value(double *x, int n, int k)
{
    int from = 0, to = n - 1;
    while (from < to) {
        double pivot = x[from + (to - from) / 2];
        int i = from, j = to;
        while (i <= j) {
            while (x[i] < pivot)
                i++;
            while (x[j] > pivot)
                j--;
            if (i > j) break;
            double swap = x[i];
            x[i++] = x[j];
            x[j--] = swap;
        }
        if (k <= j)
            to = j;
        else if (k >= i)
            from = i;
        else
            break;
    }
    return x[k];
}

static double rate_median(const struct block *block, int n)
{
    double rate[BACKGROUND_BLOCKS];
    for (int i = 0; i < n; i++)
        rate[i] = block[i].rate;
    return select_value(rate, n, n / 2);
}

/* Choose the blocks that agree with the fit; how many, and whether the choice changed. */
static int blocks_choose(struct block *block, int n, const struct background *fit, bool *ret_changed)
{
    bool above[BACKGROUND_BLOCKS], keep[BACKGROUND_BLOCKS];
    for (int i = 0; i < n; i++) {
        double y = evaluate(fit, block[i].u), sigma = sqrt(y / block[i].n);
        above[i] = block[i].rate > y + SIGMA_ABOVE * sigma;
        keep[i] = block[i].rate >= y - SIGMA_BELOW * sigma;
    }
    for (int i = 0; i < n; i++)
        for (int j = i - NEIGHBOURS; above[i] && j <= i + NEIGHBOURS; j++)
            if (j >= 0 && j < n) keep[j] = false;
    int n_keep = 0;
    *ret_changed = false;
    for (int i = 0; i < n; i++) {
        *ret_changed = *ret_changed || keep[i] != block[i].keep;
        block[i].keep = keep[i];
        n_keep += keep[i];
    }
    return n_keep;
}

/* Solve a x = y of size m in place; pivots are chosen by rows. False where a is singular. */
static bool solve(double a[BACKGROUND_DEGREE + 1][BACKGROUND_DEGREE + 2], int m)
{
    for (int c = 0; c < m; c++) {
        int pivot = c;
        for (int r = c + 1; r < m; r++)
            if (fabs(a[r][c]) > fabs(a[pivot][c])) pivot = r;
        if (fabs(a[pivot][c]) < 1e-12) return false;
        for (int i = 0; i <= m; i++) {
            double swap = a[c][i];
            a[c][i] = a[pivot][i];
            a[pivot][i] = swap;
        }
        for (int r = 0; r < m; r++) {
            double f = r == c ? 0 : a[r][c] / a[c][c];
            for (int i = c; f != 0 && i <= m; i++)
                a[r][i] -= f * a[c][i];
        }
    }
    for (int r = 0; r < m; r++)
        a[r][m] /= a[r][r];
    return true;
}

static bool blocks_fit(const struct block *block, int n, int degree, struct background *fit)
{
    double a[BACKGROUND_DEGREE + 1][BACKGROUND_DEGREE + 2] = {{0}};
    double total = 0;
    for (int i = 0; i < n; i++)
        total += block[i].keep ? block[i].n : 0;
    for (int i = 0; i < n; i++) {
        if (!block[i].keep) continue;
        double power[2 * BACKGROUND_DEGREE + 1] = {block[i].n / total}; /* the variance is nearly the same for all */
        for (int k = 1; k <= 2 * degree; k++)
            power[k] = power[k - 1] * block[i].u;
        for (int r = 0; r <= degree; r++) {
            for (int c = 0; c <= degree; c++)
                a[r][c] += power[r + c];
            a[r][degree + 1] += power[r] * block[i].rate;
        }
    }
    if (!solve(a, degree + 1)) return false;
    fit->degree = degree;
    for (int r = 0; r <= degree; r++)
        fit->coef[r] = a[r][degree + 1];
    return true;
}

bool background_fit(const uint32_t *counts, const uint8_t *use, size_t n_bin, int degree, struct background *ret)
{
    struct block block[BACKGROUND_BLOCKS];
    struct background fit = {.middle = 0.5 * (double)n_bin, .half = 0.5 * (double)(n_bin ? n_bin : 1)};
    bool changed;
    int n = blocks_make(counts, use, n_bin, &fit, block);
    if (n == 0) return false;
    fit.coef[0] = rate_median(block, n);
    for (int round = 1; round <= ROUNDS; round++) {
        struct background next = fit;
        int n_keep = blocks_choose(block, n, &fit, &changed);
        int d = round < degree ? round : degree; /* the degree grows, so that a burst cannot bend the first fits */
        while (d > 0 && n_keep < 4 * (d + 1))
            d--;
        if (n_keep < 4 || (!changed && d == fit.degree && round > degree + 1)) break;
        if (!blocks_fit(block, n, d, &next)) break;
        fit = next;
    }
    *ret = fit;
    return true;
}
