/* Placing buffers: the largest first, each into the lowest hole among those placed that live at the same time. Not optimal
 * (that is a bin packing), but on the shipped networks it needs no more than the steps that are alive at once. */
#include "net/plan.h"
#include <stdlib.h>

static int larger_first(const void *pa, const void *pb)
{
    const struct plan_buffer *a = *(const struct plan_buffer *const *)pa, *b = *(const struct plan_buffer *const *)pb;
    if (a->bytes != b->bytes) return a->bytes < b->bytes ? 1 : -1;
    return a < b ? -1 : a > b; /* the order must not depend on the sort */
}

static bool alive_together(const struct plan_buffer *a, const struct plan_buffer *b)
{
    return a->first <= b->last && b->first <= a->last;
}

/* Lowest offset where `b` overlaps none of the n placed ones, which are in the order of their offsets. */
static bool find_hole(struct plan_buffer *b, struct plan_buffer *const *placed, int n)
{
    size_t at = 0;
    for (int i = 0; i < n; i++) {
        const struct plan_buffer *o = placed[i];
        if (!alive_together(b, o)) continue;
        if (o->offset >= at && o->offset - at >= b->bytes) break;
        if (o->offset + o->bytes > at) at = o->offset + o->bytes;
    }
    b->offset = at;
    return at <= SIZE_MAX / 2 - b->bytes;
}

/* Keep the placed ones in the order of their offsets. */
static void insert(struct plan_buffer **placed, int n, struct plan_buffer *b)
{
    int i = n;
    for (; i > 0 && placed[i - 1]->offset > b->offset; i--)
        placed[i] = placed[i - 1];
    placed[i] = b;
}

static bool place_all(struct plan_buffer **order, struct plan_buffer **placed, int n, size_t *ret_end)
{
    size_t end = 0;
    for (int i = 0; i < n; i++) {
        if (order[i]->bytes > SIZE_MAX / 2 || !find_hole(order[i], placed, i)) return false;
        insert(placed, i, order[i]);
        if (order[i]->offset + order[i]->bytes > end) end = order[i]->offset + order[i]->bytes;
    }
    *ret_end = end;
    return true;
}

enum burst_err plan_arrange(struct plan_buffer *buffer, int n_buffer, size_t *ret_bytes, struct burst_error *reterr)
{
    size_t n = (size_t)n_buffer;
    struct plan_buffer **order = malloc((2 * n + 1) * sizeof(struct plan_buffer *));
    if (!order) return burst_fail(reterr, BURST_E_NOMEM, "no memory to place %d buffers", n_buffer);
    for (int i = 0; i < n_buffer; i++)
        order[i] = &buffer[i];
    qsort(order, n, sizeof(struct plan_buffer *), larger_first);
    bool placed = place_all(order, order + n, n_buffer, ret_bytes);
    free(order);
    return placed ? BURST_OK
                  : burst_fail(reterr, BURST_E_LIMIT, "%d buffers need more bytes than can be counted", n_buffer);
}
