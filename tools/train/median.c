/* A running median by counting. Source: Huang, Yang & Tang 1979, IEEE Trans. ASSP 27, 13. */
#include "train/median.h"
#include <stdlib.h>

bool median_init(struct median *m, uint32_t most)
{
    *m = (struct median){0};
    m->count = calloc((size_t)most + 1, sizeof *m->count);
    if (m->count) m->most = most;
    return m->count != NULL;
}

void median_fini(struct median *m)
{
    free(m->count);
    *m = (struct median){0};
}

void median_add(struct median *m, uint32_t value)
{
    m->count[value]++;
    m->n++;
    m->below += value < m->at;
}

void median_remove(struct median *m, uint32_t value)
{
    m->count[value]--;
    m->n--;
    m->below -= value < m->at;
}

double median_value(struct median *m)
{
    if (m->n == 0) return 0.0;
    const size_t lower = (m->n - 1) / 2, upper = m->n / 2;
    while (m->below > lower)
        m->below -= m->count[--m->at];
    while (m->below + m->count[m->at] <= lower)
        m->below += m->count[m->at++];
    uint32_t above = m->at;
    if (m->below + m->count[m->at] <= upper) do
            above++;
        while (m->count[above] == 0);
    return 0.5 * ((double)m->at + (double)above);
}
