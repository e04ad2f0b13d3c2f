/* What `burstctl status` shows of the satellites. Words and figures are those of the verdict's `platform` (protocol.md 6). */
#include "base/clock.h"
#include "daemon/platforms.h"
#include <math.h>

static void put_number(json_t *object, const char *name, double value)
{
    (void)json_object_set_new(object, name, json_real(round(value * 1e4) / 1e4));
}

static void put_position(json_t *one, const struct platform_state *s)
{
    put_number(one, "latitude", s->lat_deg);
    put_number(one, "longitude", s->lon_deg);
    put_number(one, "altitude", s->alt_km);
    if (s->l_shell > 0.0) put_number(one, "mcilwain_l", s->l_shell);
    (void)json_object_set_new(one, "night", json_boolean(s->is_night));
    if (!s->has_pointing) return;
    put_number(one, "earth_limb_angle", s->axis_limb_deg);
    put_number(one, "sun_angle", s->axis_sun_deg);
    put_number(one, "moon_angle", s->axis_moon_deg);
}

/* Live data have an age; of what is replayed the time alone says something. */
static json_t *state_json(const struct platform_state *s, enum burst_realm realm)
{
    static const char *const STATE[] = {"absent", "stale", "known"}, *const SAA[] = {"unknown", "outside", "inside"},
                             *const ATTITUDE[] = {"unknown", "invalid", "valid"};
    char text[CLOCK_UTC_TEXT];
    json_t *one = json_object();
    int64_t age_ns = realm == REALM_LIVE ? clock_tt_now_ns() - s->t_ns : 0;
    bool old = age_ns > PLATFORM_NEAR_S * CLOCK_NS_PER_S;
    clock_utc_text(s->t_ns, text);
    (void)json_object_set_new(one, "state",
                              json_string(STATE[s->state == PLATFORM_KNOWN && old ? PLATFORM_STALE : s->state]));
    (void)json_object_set_new(one, "time", json_string(text));
    if (realm == REALM_LIVE) put_number(one, "age_s", (double)age_ns * 1e-9);
    (void)json_object_set_new(one, "saa", json_string(SAA[s->saa]));
    (void)json_object_set_new(one, "attitude", json_string(ATTITUDE[s->attitude]));
    if (s->has_position) put_position(one, s);
    return one;
}

json_t *platforms_json(struct pipeline *p)
{
    json_t *all = json_object();
    char topic[STREAM_TOPIC_TEXT];
    (void)pthread_mutex_lock(&p->feed_lock);
    for (int realm = 0; realm < REALM_N; realm++)
        for (int mission = 0; mission < MISSION_N; mission++) {
            const struct platform_state *s = &p->platform[realm][mission];
            struct source source = {(enum burst_realm)realm, (enum burst_mission)mission, INSTRUMENT_NONE};
            if (s->t_ns == 0 || source_input_topic(source, TOPIC_PLATFORM, topic, sizeof topic)) continue;
            (void)json_object_set_new(all, topic, state_json(s, source.realm));
        }
    (void)pthread_mutex_unlock(&p->feed_lock);
    return all;
}
