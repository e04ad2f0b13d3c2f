/* Platform messages to histories, and histories to the states that windows, sub-images and the status are given. */
#include "base/clock.h"
#include "base/log.h"
#include "daemon/intake.h"
#include "daemon/platforms.h"
#include "ingest/platform.h"
#include "prepare/platform.h"
#include <stdlib.h>
#include <string.h>

static const int64_t POINT_EVERY_NS = 60 * CLOCK_NS_PER_S; /* of data time between two restart points */

struct place {
    struct platform_history *history;
    int64_t pointed_ns;                  /* data time of the last restart point given */
    int64_t latest_ns[CONFIG_INPUT_MAX]; /* by gateway: of its stream so far; INT64_MIN: nothing */
    bool fresh;                          /* something came since it was told */
};

struct platforms {
    struct place place[REALM_N][MISSION_N];
};

enum burst_err platforms_new(struct platforms **ret_platforms, struct burst_error *reterr)
{
    struct platforms *ps = calloc(1, sizeof *ps);
    enum burst_err err = ps ? BURST_OK : burst_fail(reterr, BURST_E_NOMEM, "no memory for platform histories");
    for (int realm = 0; !err && realm < REALM_N; realm++)
        for (int mission = 0; !err && mission < MISSION_N; mission++) {
            struct place *place = &ps->place[realm][mission];
            place->pointed_ns = INT64_MIN;
            for (int i = 0; i < CONFIG_INPUT_MAX; i++)
                place->latest_ns[i] = INT64_MIN;
            err = platform_history_new(&place->history, reterr);
        }
    if (err)
        platforms_free(ps);
    else
        *ret_platforms = ps;
    return err;
}

void platforms_free(struct platforms *ps)
{
    for (int realm = 0; ps && realm < REALM_N; realm++)
        for (int mission = 0; mission < MISSION_N; mission++)
            platform_history_free(ps->place[realm][mission].history);
    free(ps);
}

void platforms_state(const struct platforms *ps, struct source source, int64_t t_ns, struct platform_state *ret_state)
{
    platform_state_at(ps->place[source.realm][source.mission].history, source.mission, t_ns, ret_state);
}

void platforms_state_of_window(const struct platforms *ps, struct lightcurve_window *w)
{
    platforms_state(ps, w->source, w->epoch_ns + w->k_end * BIN_NS, &w->platform);
}

void platforms_tell(struct platforms *ps, struct pipeline *p)
{
    for (int realm = 0; realm < REALM_N; realm++)
        for (int mission = 0; mission < MISSION_N; mission++) {
            struct place *place = &ps->place[realm][mission];
            struct platform_state state;
            int64_t latest_ns;
            if (!place->fresh || !platform_history_latest(place->history, &latest_ns)) continue;
            place->fresh = false;
            platform_state_at(place->history, (enum burst_mission)mission, latest_ns, &state);
            (void)pthread_mutex_lock(&p->feed_lock);
            p->platform[realm][mission] = state;
            (void)pthread_mutex_unlock(&p->feed_lock);
        }
}

/* In an unreal realm a replay may begin again further back: where a gateway's new stream begins before what its last one brought,
 * what it says now counts alone. A gateway that begins later than another takes nothing away. */
static bool goes_back(struct feed *f, int gateway, const uint8_t stream[STREAM_UUID], struct place *place, int64_t t_ns)
{
    int64_t *latest_ns = &place->latest_ns[gateway], before_ns = *latest_ns;
    bool first = memcmp(f->data_stream[gateway], stream, STREAM_UUID) != 0;
    memcpy(f->data_stream[gateway], stream, STREAM_UUID);
    if (first || t_ns > before_ns) *latest_ns = t_ns;
    return first && f->source.realm != REALM_LIVE && t_ns < before_ns;
}

/* Now and then, where to read again from after a restart. False: the daemon is stopping. */
static bool give_point(struct intake *in, struct feed *f, struct place *place, int64_t t_ns)
{
    if (place->pointed_ns != INT64_MIN && t_ns - place->pointed_ns < POINT_EVERY_NS) return true;
    struct work_unit *unit = intake_take_free(in);
    if (!unit) return false;
    place->pointed_ns = t_ns;
    unit->kind = WORK_POINT;
    unit->source = f->source;
    feed_platform_point(f, t_ns - PLATFORM_SECONDS * CLOCK_NS_PER_S, &unit->restart);
    pipeline_give(in->p->units.work, unit);
    return true;
}

void take_platform(struct intake *in, struct feed *f, int gateway, const struct stream_item *item)
{
    struct burst_error e;
    struct platform_packet packet;
    struct place *place = &in->platforms->place[f->source.realm][f->source.mission];
    enum burst_err err = ingest_platform(f->source, item->body, item->n_body, &packet, &e);
    if (!err) err = intake_check_ahead(f->source.realm, "position and attitude are given", packet.t_ns, &e);
    feed_read(f, gateway, item->stream, item->seq, err ? INT64_MIN : packet.t_ns);
    if (err) {
        intake_refuse(in, BAD_PLATFORM, f->topic, gateway, item, &e);
        return;
    }
    if (goes_back(f, gateway, item->stream, place, packet.t_ns)) {
        log_line(LOG_LEVEL_NOTICE, "a replay goes back in time, positions begin anew topic=%s", f->topic);
        platform_history_forget(place->history);
        place->pointed_ns = INT64_MIN;
    }
    if ((err = platform_history_add(place->history, &packet, &e)))
        pipeline_refused(in->p, BAD_PLATFORM, err, f->topic, &e); /* well made, but too late or in doubt */
    place->fresh = true;
    pipeline_feed_seen(in->p, f->topic, packet.t_ns, true);
    (void)give_point(in, f, place, packet.t_ns); /* stopping shows at the next loop */
}
