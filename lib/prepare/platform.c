/* See platform.h. The history is a table with a place for every second: sample s lies at s mod PLATFORM_SECONDS. */
#include "prepare/platform.h"
#include "base/clock.h"
#include "kernels/geomagnetic.h"
#include "prepare/frame.h"
#include "prepare/orbit.h"
#include "prepare/saa.h"
#include "prepare/sky.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double SPEED_MOST_KM_S = 12.0; /* escape from 6,500 km: 11.1 */
static const double SPEED_SLACK_KM = 1.0;   /* positions are rounded */
enum { GAP_S = 2 * PLATFORM_NEAR_S };       /* the longest stretch of path between two samples */
static const double EARTH_KM = 6378.137;    /* WGS 84, equator */

struct sample {
    bool used, has_position;
    uint8_t attitude, saa; /* enum platform_attitude, enum platform_saa */
    int64_t t_ns;
    double km[3], quaternion[4];
};

struct platform_history {
    bool had_position; /* false: no need to look for one */
    struct sample at[PLATFORM_SECONDS];
};

enum burst_err platform_history_new(struct platform_history **ret_h, struct burst_error *reterr)
{
    struct platform_history *h = calloc(1, sizeof *h);
    if (!h) return burst_fail(reterr, BURST_E_NOMEM, "no memory for a platform history");
    *ret_h = h;
    return BURST_OK;
}

void platform_history_free(struct platform_history *h)
{
    free(h);
}

void platform_history_forget(struct platform_history *h)
{
    memset(h, 0, sizeof *h);
}

static int64_t second_of(int64_t t_ns)
{
    return t_ns / CLOCK_NS_PER_S - (t_ns % CLOCK_NS_PER_S < 0);
}

static size_t place_of(int64_t second)
{
    int64_t place = second % PLATFORM_SECONDS;
    return (size_t)(place < 0 ? place + PLATFORM_SECONDS : place);
}

static struct sample sample_of(const struct platform_packet *p)
{
    struct sample s;
    memset(&s, 0, sizeof s); /* samples are compared as bytes */
    s.used = true;
    s.has_position = p->has_position;
    s.attitude = (uint8_t)p->attitude;
    s.saa = (uint8_t)p->saa;
    s.t_ns = p->t_ns;
    if (p->has_position) memcpy(s.km, p->position_km, sizeof s.km);
    if (p->attitude == ATTITUDE_VALID) memcpy(s.quaternion, p->quaternion, sizeof s.quaternion);
    return s;
}

enum burst_err platform_history_add(struct platform_history *h, const struct platform_packet *p,
                                    struct burst_error *reterr)
{
    struct sample new = sample_of(p), *old = &h->at[place_of(second_of(p->t_ns))];
    char text[CLOCK_UTC_TEXT];
    clock_utc_text(p->t_ns, text);
    if (old->used && second_of(old->t_ns) > second_of(new.t_ns))
        return burst_fail(reterr, BURST_E_LATE, "platform sample of %s: more than %d s before others", text,
                          PLATFORM_SECONDS);
    if (old->used && old->t_ns == new.t_ns &&memcmp(old, &new, sizeof new) != 0)
        return burst_fail(reterr, BURST_E_CONFLICT, "platform sample of %s: another of that moment differs", text);
    h->had_position = h->had_position || new.has_position;
    /* Of one second the earliest stays, so that the order of coming does not matter. */
    if (!old->used || second_of(old->t_ns) < second_of(new.t_ns) || new.t_ns < old->t_ns) *old = new;
    return BURST_OK;
}

bool platform_history_latest(const struct platform_history *h, int64_t *ret_t_ns)
{
    const struct sample *latest = NULL;
    for (int i = 0; i < PLATFORM_SECONDS; i++)
        if (h->at[i].used && (!latest || h->at[i].t_ns > latest->t_ns)) latest = &h->at[i];
    if (latest) *ret_t_ns = latest->t_ns;
    return latest != NULL;
}

/* ---- neighbours of a moment ---- */

enum told { TOLD_POSITION, TOLD_ATTITUDE, TOLD_SAA };

static bool tells(const struct sample *s, enum told what)
{
    if (what == TOLD_POSITION) return s->has_position;
    return what == TOLD_ATTITUDE ? s->attitude != ATTITUDE_UNKNOWN : s->saa != SAA_UNKNOWN;
}

static double apart_s(const struct sample *s, int64_t t_ns)
{
    return fabs((double)(s->t_ns - t_ns)) * 1e-9;
}

/* At most so many whole seconds away: in integers, for limits are exact. */
static bool within(const struct sample *s, int64_t t_ns, int seconds)
{
    return llabs(s->t_ns - t_ns) <= seconds * CLOCK_NS_PER_S;
}

/* The nearest sample at or before the moment (step -1), or at or after it (step 1), that tells `what`; NULL where there
 * is none
 * within reach_s. */
static const struct sample *neighbour(const struct platform_history *h, int64_t t_ns, int step, enum told what,
                                      int reach_s)
{
    int64_t second = second_of(t_ns);
    for (int i = 0; i <= reach_s; i++, second += step) {
        const struct sample *s = &h->at[place_of(second)];
        if (!s->used || second_of(s->t_ns) != second || !tells(s, what)) continue;
        if (step < 0 ? s->t_ns > t_ns : s->t_ns < t_ns) continue;
        return within(s, t_ns, reach_s) ? s : NULL;
    }
    return NULL;
}

static const struct sample *nearer(const struct sample *a, const struct sample *b, int64_t t_ns)
{
    if (!a || !b) return a ? a : b;
    return apart_s(b, t_ns) < apart_s(a, t_ns) ? b : a;
}

/* The farthest sample with a position on the other side of `s` that is still within PLATFORM_NEAR_S of it: the longest
 * base gives the
 * best velocity. */
static const struct sample *behind(const struct platform_history *h, const struct sample *s, int step)
{
    int64_t second = second_of(s->t_ns) + (int64_t)step * PLATFORM_NEAR_S;
    for (int i = 0; i < PLATFORM_NEAR_S; i++, second -= step) {
        const struct sample *other = &h->at[place_of(second)];
        if (!other->used || second_of(other->t_ns) != second || !other->has_position) continue;
        if (within(other, s->t_ns, PLATFORM_NEAR_S)) return other;
    }
    return NULL;
}

/* Seconds to the nearest sample with a position, however far; INFINITY: there is none. */
static double nearest_position_s(const struct platform_history *h, int64_t t_ns)
{
    double nearest = INFINITY;
    for (int i = 0; h->had_position && i < PLATFORM_SECONDS; i++)
        if (h->at[i].has_position) nearest = fmin(nearest, apart_s(&h->at[i], t_ns));
    return nearest;
}

/* ---- position ---- */

static struct orbit_point point_of(const struct sample *s)
{
    return (struct orbit_point){s->t_ns, {s->km[0], s->km[1], s->km[2]}};
}

static bool can_be_joined(const struct sample *a, const struct sample *b)
{
    double way = hypot(hypot(b->km[0] - a->km[0], b->km[1] - a->km[1]), b->km[2] - a->km[2]);
    return way <= SPEED_MOST_KM_S * apart_s(a, b->t_ns) + SPEED_SLACK_KM;
}

/* Beside one sample, with a second one farther off for the velocity where there is one. */
static bool place_beside(const struct platform_history *h, const struct sample *s, int step, int64_t t_ns,
                         double ret_km[3], double *ret_error_km)
{
    const struct sample *other = behind(h, s, step);
    if (other && !can_be_joined(s, other)) return false;
    if (other) {
        struct orbit_point near = point_of(s), far = point_of(other);
        *ret_error_km = step < 0 ? orbit_at(&far, &near, t_ns, ret_km) : orbit_at(&near, &far, t_ns, ret_km);
        return true;
    }
    memcpy(ret_km, s->km, sizeof s->km);
    *ret_error_km = orbit_reach_km(s->km, apart_s(s, t_ns));
    return within(s, t_ns, PLATFORM_ALONE_S);
}

/* Where the satellite is, TEME; false: not known. */
static bool place_at(const struct platform_history *h, int64_t t_ns, double ret_km[3], double *ret_error_km)
{
    const struct sample *before = neighbour(h, t_ns, -1, TOLD_POSITION, GAP_S),
                        *after = neighbour(h, t_ns, 1, TOLD_POSITION, GAP_S), *one = nearer(before, after, t_ns);
    if (!one || !within(one, t_ns, PLATFORM_NEAR_S)) return false;
    if (one->t_ns == t_ns) {
        memcpy(ret_km, one->km, sizeof one->km);
        *ret_error_km = 0.0;
        return true;
    }
    if (!before || !after || !within(before, after->t_ns, GAP_S))
        return place_beside(h, one, one == before ? -1 : 1, t_ns, ret_km, ret_error_km);
    if (!can_be_joined(before, after)) return false;
    struct orbit_point a = point_of(before), b = point_of(after);
    *ret_error_km = orbit_at(&a, &b, t_ns, ret_km);
    return true;
}

/* ---- what follows ---- */

static void direction_of(const double v[3], double sign, double ret_deg[2])
{
    double along = atan2(sign * v[1], sign * v[0]) * 180.0 / M_PI;
    ret_deg[0] = fmod(along + 360.0, 360.0);
    ret_deg[1] = atan2(sign * v[2], hypot(v[0], v[1])) * 180.0 / M_PI;
}

static void fill_position(struct platform_state *s, const double teme_km[3])
{
    struct geomagnetic field;
    double itrs_km[3];
    frame_from_teme(s->t_ns, teme_km, itrs_km, s->position_icrs_km);
    frame_geodetic(itrs_km, &s->lat_deg, &s->lon_deg, &s->alt_km);
    geomagnetic_at(frame_year(s->t_ns), &field);
    s->l_shell = geomagnetic_l(&field, itrs_km, &s->b_nt);
    direction_of(s->position_icrs_km, -1.0, s->earth_deg);
    double r = sqrt(itrs_km[0] * itrs_km[0] + itrs_km[1] * itrs_km[1] + itrs_km[2] * itrs_km[2]);
    s->earth_radius_deg = asin(fmin(EARTH_KM / r, 1.0)) * 180.0 / M_PI;
    sky_sun_from(s->t_ns, s->position_icrs_km, s->sun_deg);
    sky_moon_from(s->t_ns, s->position_icrs_km, s->moon_deg);
    s->sun_limb_deg = platform_limb_deg(s, s->sun_deg);
    s->is_night = s->sun_limb_deg < 0.0;
}

static void fill_saa(const struct platform_history *h, enum burst_mission mission, struct platform_state *s)
{
    const struct sample *word = nearer(neighbour(h, s->t_ns, -1, TOLD_SAA, PLATFORM_NEAR_S),
                                       neighbour(h, s->t_ns, 1, TOLD_SAA, PLATFORM_NEAR_S), s->t_ns);
    if (word) {
        s->saa = (enum platform_saa)word->saa;
        s->saa_by = SAA_BY_MISSION;
    } else if (s->has_position) {
        s->saa = saa_inside(mission, s->t_ns, s->lat_deg, s->lon_deg) ? SAA_IN : SAA_OUT;
        s->saa_by = SAA_BY_POLYGON;
    }
}

/* The attitude at the moment; ret_q is written for ATTITUDE_VALID alone. */
static enum platform_attitude attitude_at(const struct platform_history *h, int64_t t_ns, double ret_q[4])
{
    const struct sample *a = neighbour(h, t_ns, -1, TOLD_ATTITUDE, PLATFORM_NEAR_S),
                        *b = neighbour(h, t_ns, 1, TOLD_ATTITUDE, PLATFORM_NEAR_S);
    if (!a && !b) return ATTITUDE_UNKNOWN;
    if ((a && a->attitude == ATTITUDE_INVALID) || (b && b->attitude == ATTITUDE_INVALID)) return ATTITUDE_INVALID;
    if (a && b && b->t_ns > a->t_ns && within(a, b->t_ns, PLATFORM_ATTITUDE_GAP_S)) {
        turn_between(a->quaternion, b->quaternion, apart_s(a, t_ns) / apart_s(a, b->t_ns), ret_q);
        return ATTITUDE_VALID;
    }
    const struct sample *one = nearer(a, b, t_ns);
    if (!within(one, t_ns, PLATFORM_ALONE_S)) return ATTITUDE_UNKNOWN;
    memcpy(ret_q, one->quaternion, sizeof one->quaternion);
    return ATTITUDE_VALID;
}

static void fill_attitude(const struct platform_history *h, enum burst_mission mission, struct platform_state *s)
{
    static const double X[3] = {1.0, 0.0, 0.0}, Z[3] = {0.0, 0.0, 1.0};
    double axis[3];
    s->attitude = attitude_at(h, s->t_ns, s->quaternion);
    if (s->attitude != ATTITUDE_VALID) return;
    s->has_pointing = true;
    turn_vector(s->quaternion, mission == MISSION_SVOM ? X : Z, axis);
    direction_of(axis, 1.0, s->axis_deg);
    if (!s->has_position) return;
    s->axis_sun_deg = platform_separation_deg(s->axis_deg, s->sun_deg);
    s->axis_moon_deg = platform_separation_deg(s->axis_deg, s->moon_deg);
    s->axis_limb_deg = platform_limb_deg(s, s->axis_deg);
}

void platform_state_at(const struct platform_history *h, enum burst_mission mission, int64_t t_ns,
                       struct platform_state *ret_state)
{
    struct platform_state s;
    double teme_km[3];
    memset(&s, 0, sizeof s);
    s.t_ns = t_ns;
    s.has_position = place_at(h, t_ns, teme_km, &s.position_error_km);
    double age_s = nearest_position_s(h, t_ns);
    if (s.has_position)
        fill_position(&s, teme_km);
    else
        s.position_error_km = 0.0;
    s.state = s.has_position ? PLATFORM_KNOWN : isfinite(age_s) ? PLATFORM_STALE : PLATFORM_ABSENT;
    s.age_s = isfinite(age_s) ? age_s : 0.0;
    fill_saa(h, mission, &s);
    fill_attitude(h, mission, &s);
    *ret_state = s;
}
