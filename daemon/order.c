/* See order.h. */
#include "daemon/order.h"

void order_begin(struct order *o)
{
    for (int i = 0; i < CONFIG_INPUT_MAX; i++)
        o->place[i] = (struct order_place){.latest_ns = INT64_MIN, .data_time_ns = INT64_MIN};
}

void order_expect(struct order *o, int gateway, int64_t now_mono_ns)
{
    o->place[gateway].seen_mono_ns = now_mono_ns;
    o->place[gateway].is_replay = true;
}

void order_read(struct order *o, int gateway, int64_t stop_ns, bool is_replay, int64_t now_mono_ns)
{
    struct order_place *place = &o->place[gateway];
    if (stop_ns > place->latest_ns) place->latest_ns = stop_ns;
    place->is_replay = is_replay;
    place->seen_mono_ns = now_mono_ns;
}

static bool is_waited_for(const struct order_place *place, int64_t patience_ns, int64_t now_mono_ns)
{
    return place->is_replay && place->seen_mono_ns && now_mono_ns - place->seen_mono_ns < patience_ns;
}

bool order_must_wait(struct order *o, int gateway, int64_t slack_ns, int64_t patience_ns, int64_t now_mono_ns)
{
    struct order_place *own = &o->place[gateway];
    if (!own->is_replay || own->latest_ns == INT64_MIN) return false;
    for (int i = 0; i < CONFIG_INPUT_MAX; i++) {
        const struct order_place *other = &o->place[i];
        if (i == gateway || !is_waited_for(other, patience_ns, now_mono_ns)) continue;
        if (other->latest_ns != INT64_MIN && own->latest_ns - slack_ns <= other->latest_ns) continue;
        own->seen_mono_ns = now_mono_ns;
        return true;
    }
    return false;
}

int64_t order_data_time(struct order *o, int gateway, int64_t tt_ns, int64_t quiet_ns, int64_t now_mono_ns)
{
    int64_t least = tt_ns;
    if (tt_ns > o->place[gateway].data_time_ns) o->place[gateway].data_time_ns = tt_ns;
    for (int i = 0; i < CONFIG_INPUT_MAX; i++) {
        const struct order_place *other = &o->place[i];
        if (i == gateway || !other->seen_mono_ns || now_mono_ns - other->seen_mono_ns >= quiet_ns) continue;
        if (other->data_time_ns < least) least = other->data_time_ns;
    }
    return least;
}
