/* Notices, one after another. */
#include "decide/trigger.h"
#include "base/clock.h"
#include "decide/alert.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { NAME_TEXT = 64 };

enum burst_realm trigger_realm(const struct notice *n)
{
    return n->source.realm == REALM_LIVE && n->tense == TENSE_TEST ? REALM_TEST : n->source.realm;
}

/* A mission's text in printable ASCII: what it says of itself must not break our records. */
static void clean_copy(char *to, size_t room, const char *from, char least)
{
    size_t i = 0;
    for (; i + 1 < room && from[i]; i++)
        to[i] = from[i] >= least && from[i] <= '~' ? from[i] : '?';
    to[i] = 0;
}

static bool has_curves(const struct notice *n)
{
    const struct instrument_fact *fact = source_fact(n->source.mission, n->source.instrument);
    return fact && fact->n_open > 0;
}

static bool has_images(const struct notice *n)
{
    return n->source.instrument == INSTRUMENT_ECLAIRS;
}

/* A better place? The first one, the first with a radius, and one with half the radius make a record; a smaller radius is kept
 * for the next one. */
static bool place_take(struct alert *a, const struct notice *n)
{
    if (isnan(n->ra_deg)) return false;
    bool first = isnan(a->ra_deg) && (a->now.record_number == 0 || isnan(a->last.ra_deg));
    double radius = isnan(n->containment) ? (double)NAN : n->error_deg; /* a radius of nobody knows what is none */
    bool radius_first = isnan(a->error_deg) && !isnan(radius), halved = radius <= a->error_deg / 2;
    if (isnan(a->ra_deg) || radius_first || radius <= a->error_deg) {
        a->ra_deg = n->ra_deg;
        a->dec_deg = n->dec_deg;
        a->error_deg = radius;
        a->containment = isnan(radius) ? (double)NAN : n->containment;
    }
    return first || radius_first || halved;
}

static void said_take(struct alert *a, const struct notice *n)
{
    a->noticed = true;
    if (a->now.withdrawn) return; /* that is the last they had to say */
    char word[NAME_TEXT];
    size_t room = sizeof a->said;
    if (n->flags & NOTICE_LOST_LOCK)
        (void)snprintf(a->said, room, "The mission's star tracker had lost lock: a known source may look new.");
    else if (n->catalogue_name[0]) {
        clean_copy(word, sizeof word, n->catalogue_name, ' ');
        (void)snprintf(a->said, room, "The mission names a source of its catalogue: %s.", word);
    } else if (n->flags & NOTICE_NOT_A_GRB)
        (void)snprintf(a->said, room, "The mission says that it is not a GRB.");
    else if (n->mission_class[0]) {
        clean_copy(word, sizeof word, n->mission_class, ' ');
        if (isnan(n->class_p))
            (void)snprintf(a->said, room, "The mission calls it %s.", word);
        else
            (void)snprintf(a->said, room, "The mission calls it %s (%.0f %%).", word, 100 * n->class_p);
    }
}

static bool lane_promise(struct lane *l)
{
    if (l->awaited || l->heard || l->given_up) return false;
    l->awaited = true;
    return true;
}

/* The light curves have a trigger. True where windows judged before answer it: v is then begun. */
static bool curves_take(struct tracker *t, struct alert *a, const struct notice *n, struct verdict *v)
{
    if (t) return tracker_take(t, a, v);
    a->instrument = n->source.instrument;
    a->triggered = true; /* for a tracker that is still to be made */
    return false;
}

/* The data this instrument's trigger promises. True where some are awaited that were not. */
static bool lanes_promise(struct alert *a, const struct notice *n)
{
    bool more = (has_images(n) && lane_promise(&a->now.lane[LANE_IMAGE])) ||
                (has_curves(n) && lane_promise(&a->now.lane[LANE_CURVE]));
    int64_t from_ns = n->published_ns > n->trigger_ns ? n->published_ns : n->trigger_ns;
    int64_t most_ns = n->trigger_ns + TRIGGER_NOTICE_S * CLOCK_NS_PER_S; /* a date is easily wrong by years */
    if (from_ns > most_ns) from_ns = most_ns;
    if (more) a->now.expected_ns = from_ns + TRIGGER_AWAIT_S * CLOCK_NS_PER_S;
    return more;
}

/* An event of the light curves whose windows hold this trigger, or lie less than merge_s before it. */
static struct alert *event_at(struct book *b, const struct decide_settings *s, const struct notice *n)
{
    int64_t merge_ns = (int64_t)(s->merge_s * 1e9);
    for (int i = 0; i < BOOK_ALERTS && has_curves(n); i++) {
        struct alert *a = &b->alert[i];
        if (a->used && a->last.source.mission == n->source.mission && a->instrument == n->source.instrument &&
            a->now.lane[LANE_CURVE].heard && a->now.state != STATE_RETRACTED && !a->now.withdrawn &&
            n->trigger_ns >= a->from_ns && n->trigger_ns <= a->to_ns + merge_ns)
            return a;
    }
    return NULL;
}

/* False where it has no room for one more name. */
static bool link_to(struct alert *a, const char *id, const struct notice *n)
{
    for (int i = 0; i < ALERT_ALIASES; i++)
        if (!a->alias[i][0]) {
            memcpy(a->alias[i], id, strlen(id) + 1);
            a->alias_dt_s[i] = 1e-9 * (double)(n->trigger_ns - a->trigger_ns);
            return true;
        }
    return false;
}

static void see(struct book *b, const char *id, const struct notice *n)
{
    struct sighting s = {
        .trigger_ns = n->trigger_ns, .ra_deg = n->ra_deg, .dec_deg = n->dec_deg, .error_deg = n->error_deg};
    memcpy(s.id, id, strlen(id) + 1);
    if (n->trigger_ns) book_see(b, &s);
}

/* The tense the mission gives, where the realm allows it. */
static void tense_take(struct alert *a, enum burst_realm realm, const struct notice *n)
{
    if (realm == REALM_LIVE && n->tense == TENSE_ARCHIVAL) a->tense = TENSE_ARCHIVAL;
    if (realm == REALM_TEST && n->tense == TENSE_INJECTION) a->tense = TENSE_INJECTION;
}

static bool take_new(struct book *b, const struct decide_settings *s, struct tracker *t, const struct notice *n,
                     const char *id, struct verdict *v)
{
    struct source source = n->source;
    source.realm = trigger_realm(n);
    struct alert *a = event_at(b, s, n);
    if (a && !link_to(a, id, n)) {
        see(b, id, n);
        return false;
    }
    if (a) {
        (void)place_take(a, n);
        said_take(a, n);
        alert_again(a, source, v);
    } else {
        a = book_add(b, source, id, n->trigger_ns);
        tense_take(a, source.realm, n);
        (void)place_take(a, n);
        said_take(a, n);
        bool answered = lanes_promise(a, n) && has_curves(n) && curves_take(t, a, n, v);
        if (!answered) alert_again(a, source, v);
    }
    alert_told(b, a, s->config_sha256, v);
    return true;
}

static bool take_known(struct book *b, const struct decide_settings *s, struct tracker *t, const struct notice *n,
                       struct alert *a, struct verdict *v)
{
    struct source source = n->source;
    source.realm = trigger_realm(n);
    bool waited_image = a->now.lane[LANE_IMAGE].awaited, told = false;
    bool placed = place_take(a, n);
    said_take(a, n);
    if (!a->now.withdrawn && lanes_promise(a, n) && has_curves(n)) told = curves_take(t, a, n, v);
    bool other_word = a->now.call == CALL_NONE && a->now.lane[LANE_IMAGE].awaited != waited_image;
    if (!told && (placed || other_word)) {
        if (source.instrument == INSTRUMENT_NONE) source.instrument = a->last.source.instrument;
        alert_again(a, source, v);
        told = true;
    }
    if (told)
        alert_told(b, a, s->config_sha256, v);
    else
        book_touch(b, a);
    return told;
}

static bool take_back(struct book *b, const struct decide_settings *s, const struct notice *n, const char *id,
                      struct alert *a, struct verdict *v)
{
    char why[REASON_TEXT];
    struct source source = n->source;
    source.realm = trigger_realm(n);
    if (a && a->now.withdrawn) return false;
    if (!a) a = book_add(b, source, id, n->trigger_ns);
    if (source.instrument == INSTRUMENT_NONE) source.instrument = a->last.source.instrument;
    (void)place_take(a, n);
    a->noticed = true;
    clean_copy(why, sizeof why, n->text, ' ');
    for (size_t end = strlen(why); end && (why[end - 1] == '.' || why[end - 1] == ' ');)
        why[--end] = 0; /* the full stop is ours */
    alert_withdraw(a, source, why, v);
    alert_told(b, a, s->config_sha256, v);
    return true;
}

enum burst_err trigger_notice(struct book *b, const struct decide_settings *settings, struct tracker *t,
                              const struct notice *n, struct verdict *ret_verdict, bool *ret_told,
                              struct burst_error *reterr)
{
    char id[EVENT_ID_TEXT];
    enum burst_err err = decide_settings_check(settings, reterr);
    clean_copy(id, sizeof id, n->id, '!');
    bool ours = has_curves(n) || has_images(n);
    struct alert *a = err ? NULL : book_find(b, n->source.mission, id);
    bool opens = ours && !a && n->kind != NOTICE_INFORMATION && n->kind != NOTICE_FOLLOW_UP;
    if (!err && opens && (!id[0] || !n->trigger_ns))
        err = burst_fail(reterr, BURST_E_MISSING, "a %s of %s without %s", NOTICE_KIND_WORD[n->kind], n->mission_name,
                         id[0] ? "trigger time" : "id");
    if (err) return err;
    *ret_told = false;
    if (n->kind == NOTICE_INFORMATION) return BURST_OK;
    book_clock(b, n->source.mission, n->published_ns > n->trigger_ns ? n->published_ns : n->trigger_ns);
    if (!a && !opens && n->kind == NOTICE_RETRACTION)
        book_unsee(b, id);
    else if (!a && !opens)
        see(b, id, n);
    else if (n->kind == NOTICE_RETRACTION)
        *ret_told = take_back(b, settings, n, id, a, ret_verdict);
    else if (a)
        *ret_told = take_known(b, settings, t, n, a, ret_verdict);
    else
        *ret_told = take_new(b, settings, t, n, id, ret_verdict);
    return BURST_OK;
}

bool trigger_tick(struct book *b, const struct decide_settings *settings, int64_t now_ns, struct verdict *ret_verdict)
{
    for (int i = 0; i < BOOK_ALERTS; i++) {
        struct alert *a = &b->alert[i];
        int64_t now = now_ns == INT64_MIN ? b->clock_ns[a->last.source.mission] : now_ns;
        if (!a->used || !a->now.expected_ns || now < a->now.expected_ns) continue;
        bool told = alert_give_up(a, ret_verdict);
        if (told) {
            alert_told(b, a, settings->config_sha256, ret_verdict);
            return true;
        }
        book_touch(b, a);
    }
    return false;
}
