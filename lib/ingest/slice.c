/* Cutting by time: pointers into the sorted lists, nothing is copied. */
#include "ingest/slice.h"
#include <stdbool.h>
#include <string.h>

static bool is_sorted(const int64_t *t, size_t n)
{
    for (size_t i = 1; i < n; i++)
        if (t[i] < t[i - 1]) return false;
    return true;
}

struct column {
    int64_t *t;
    uint16_t *channel;
};

static void merge_runs(struct column from, struct column to, size_t lo, size_t mid, size_t hi)
{
    size_t a = lo, b = mid;
    for (size_t k = lo; k < hi; k++) {
        bool left = a < mid && (b >= hi || from.t[a] <= from.t[b]);
        size_t i = left ? a++ : b++;
        to.t[k] = from.t[i];
        to.channel[k] = from.channel[i];
    }
}

/* Bottom-up merge sort between two buffers; the answer lies in *ret. Stable: equal times keep file order. */
static struct column merge_sort(struct column x, struct column y, size_t n)
{
    for (size_t width = 1; width < n; width *= 2) {
        for (size_t lo = 0; lo < n; lo += 2 * width) {
            size_t mid = lo + width < n ? lo + width : n, hi = lo + 2 * width < n ? lo + 2 * width : n;
            merge_runs(x, y, lo, mid, hi);
        }
        struct column swap = x;
        x = y;
        y = swap;
    }
    return x;
}

static enum burst_err sort_list(struct event_list *list, struct arena *arena, struct burst_error *reterr)
{
    if (is_sorted(list->t_ns, list->n_event)) return BURST_OK;
    struct column buffer[2];
    for (int i = 0; i < 2; i++) {
        buffer[i].t = arena_take(arena, list->n_event, sizeof *buffer[i].t);
        buffer[i].channel = arena_take(arena, list->n_event, sizeof *buffer[i].channel);
        if (!buffer[i].t || !buffer[i].channel)
            return burst_fail(reterr, BURST_E_NOMEM, "no room to sort %zu events of detector %d", list->n_event,
                              list->detector + 1);
    }
    memcpy(buffer[0].t, list->t_ns, list->n_event * sizeof *list->t_ns);
    memcpy(buffer[0].channel, list->channel, list->n_event * sizeof *list->channel);
    struct column sorted = merge_sort(buffer[0], buffer[1], list->n_event);
    list->t_ns = sorted.t;
    list->channel = sorted.channel;
    return BURST_OK;
}

enum burst_err slice_sort(struct event_packet *packet, struct arena *arena, struct burst_error *reterr)
{
    struct event_packet sorted = *packet;
    for (size_t i = 0; i < sorted.n_list; i++) {
        enum burst_err err = sort_list(&sorted.list[i], arena, reterr);
        if (err) return err;
    }
    *packet = sorted;
    return BURST_OK;
}

/* First index whose time is not before `t`. */
static size_t lower_bound(const int64_t *times, size_t n, int64_t t)
{
    size_t lo = 0;
    while (n) {
        size_t half = n / 2;
        if (times[lo + half] < t) {
            lo += half + 1;
            n -= half + 1;
        } else
            n = half;
    }
    return lo;
}

/* First interval that ends after `t`: they are disjoint and rising. */
static size_t good_after(const struct event_list *list, int64_t t)
{
    size_t lo = 0, n = list->n_good;
    while (n) {
        size_t half = n / 2;
        if (list->good[lo + half].stop_ns <= t) {
            lo += half + 1;
            n -= half + 1;
        } else
            n = half;
    }
    return lo;
}

static enum burst_err clip_good(const struct event_list *list, int64_t from, int64_t to, struct time_span *good,
                                size_t *ret_n, struct burst_error *reterr)
{
    size_t n = 0;
    for (size_t i = good_after(list, from); i < list->n_good && list->good[i].start_ns < to; i++) {
        struct time_span s = list->good[i];
        if (s.start_ns < from) s.start_ns = from;
        if (s.stop_ns > to) s.stop_ns = to;
        if (s.stop_ns <= s.start_ns) continue;
        if (n == SLICE_GOOD_MAX)
            return burst_fail(reterr, BURST_E_LIMIT, "detector %d has over %d good-time intervals in %.3f s",
                              list->detector + 1, SLICE_GOOD_MAX, (double)(to - from) * 1e-9);
        good[n++] = s;
    }
    *ret_n = n;
    return BURST_OK;
}

enum burst_err slice_take(const struct event_packet *packet, int64_t from_ns, int64_t to_ns,
                          struct slice_storage *storage, struct event_packet *ret_part, struct burst_error *reterr)
{
    *ret_part = *packet;
    ret_part->n_list = 0;
    ret_part->span = (struct time_span){from_ns > packet->span.start_ns ? from_ns : packet->span.start_ns,
                                        to_ns < packet->span.stop_ns ? to_ns : packet->span.stop_ns};
    for (size_t i = 0; i < packet->n_list; i++) {
        struct event_list list = packet->list[i];
        size_t first = lower_bound(list.t_ns, list.n_event, from_ns),
               last = lower_bound(list.t_ns, list.n_event, to_ns);
        enum burst_err err = clip_good(&packet->list[i], from_ns, to_ns, storage->good[i], &list.n_good, reterr);
        if (err) return err;
        if (first == last && !list.n_good) continue;
        list.t_ns += first;
        list.channel += first;
        list.n_event = last - first;
        list.good = storage->good[i];
        ret_part->list[ret_part->n_list++] = list;
    }
    return BURST_OK;
}

int64_t slice_next(const struct event_packet *packet, int64_t t_ns, int64_t step_ns)
{
    int64_t next = INT64_MAX;
    for (size_t i = 0; i < packet->n_list; i++) {
        size_t g = good_after(&packet->list[i], t_ns);
        if (g < packet->list[i].n_good && packet->list[i].good[g].start_ns < next)
            next = packet->list[i].good[g].start_ns;
    }
    if (next == INT64_MAX) return t_ns > packet->span.stop_ns ? t_ns : packet->span.stop_ns;
    return next > t_ns ? t_ns + (next - t_ns) / step_ns * step_ns : t_ns;
}
