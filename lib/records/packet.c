/* Where a packet's data are. */
#include "records/packet.h"

size_t event_list_good_after(const struct event_list *list, int64_t t_ns)
{
    size_t low = 0, n = list->n_good;
    while (n) {
        size_t half = n / 2;
        if (list->good[low + half].stop_ns <= t_ns) {
            low += half + 1;
            n -= half + 1;
        } else
            n = half;
    }
    return low;
}

int64_t event_packet_next(const struct event_packet *packet, int64_t k)
{
    int64_t next = INT64_MAX;
    for (size_t i = 0; i < packet->n_list; i++) {
        const struct event_list *list = &packet->list[i];
        size_t g = event_list_good_after(list, packet->epoch_ns + k * EVENT_BIN_NS);
        if (g == list->n_good) continue;
        int64_t first = (list->good[g].start_ns - packet->epoch_ns) / EVENT_BIN_NS;
        if (first < k) first = k;
        if (first < next) next = first;
    }
    return next;
}
