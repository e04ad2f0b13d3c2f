/* Places, names, relations. */
#include "decide/book.h"
#include <math.h>
#include <string.h>

/* Within this of each other: image triggers of ECLAIRs and WXT integrate for up to 20 minutes, most for one. */
#define RELATED_S 600.0
/* Positions fit within three of their radii, and within a degree where those are smaller: they are no 3 sigma. */
#define FIT_RADII 3.0
#define FIT_DEG   1.0
#define BACK_NS   (INT64_C(3600) * 1000000000)

static bool is_called(const struct alert *a, const char *id)
{
    bool called = strcmp(a->id, id) == 0;
    for (int i = 0; i < ALERT_ALIASES; i++)
        called = called || (a->alias[i][0] && strcmp(a->alias[i], id) == 0);
    return called;
}

/* Does `a` leave before `b`? */
static bool goes_before(const struct alert *a, const struct alert *b)
{
    bool a_waits = a->used && a->now.expected_ns, b_waits = b->used && b->now.expected_ns;
    return a_waits != b_waits ? b_waits : a->used < b->used;
}

/* A place for one more: the alert that was there has left. */
static struct alert *make_place(struct book *b)
{
    struct alert *a = &b->alert[0];
    for (int i = 1; i < BOOK_ALERTS; i++)
        if (goes_before(&b->alert[i], a)) a = &b->alert[i];
    if (a->used && b->past.part) b->past.part(b->past.arg, a);
    return a;
}

static bool answers_to(const struct alert *a, enum burst_mission mission, const char *id)
{
    return a->used && a->last.source.mission == mission && is_called(a, id);
}

struct alert *book_find(struct book *b, enum burst_mission mission, const char *id)
{
    struct alert back;
    for (int i = 0; i < BOOK_ALERTS; i++)
        if (answers_to(&b->alert[i], mission, id)) return &b->alert[i];
    if (!id[0] || !b->past.find || !b->past.find(b->past.arg, mission, id, &back)) return NULL;
    if (!answers_to(&back, mission, id)) return NULL;
    struct alert *a = make_place(b);
    *a = back;
    book_touch(b, a);
    return a;
}

struct alert *book_add(struct book *b, struct source source, const char *id, int64_t trigger_ns)
{
    struct alert *a = make_place(b);
    *a = (struct alert){.trigger_ns = trigger_ns, .instrument = source.instrument, .taken_k = INT64_MIN};
    static const enum alert_tense TENSE[REALM_N] = {TENSE_CURRENT, TENSE_TEST, TENSE_ARCHIVAL};
    a->tense = TENSE[source.realm];
    a->now.told_k = a->now.revised_k = INT64_MIN;
    a->now.rank = -1;
    a->ra_deg = a->dec_deg = a->error_deg = a->containment = NAN;
    a->last.source = source;
    strncpy(a->id, id, sizeof a->id - 1);
    book_touch(b, a);
    return a;
}

void book_touch(struct book *b, struct alert *a)
{
    a->used = ++b->n_used;
    b->dirty[a - b->alert] = true;
}

bool book_take_dirty(struct book *b, int slot)
{
    bool was = b->dirty[slot];
    b->dirty[slot] = false;
    return was;
}

void book_see(struct book *b, const struct sighting *s)
{
    b->sightings_dirty = true;
    for (int i = 0; i < BOOK_SIGHTINGS; i++)
        if (strcmp(b->sighting[i].id, s->id) == 0) {
            b->sighting[i] = *s;
            return;
        }
    b->sighting[b->n_sighting++ % BOOK_SIGHTINGS] = *s;
}

void book_unsee(struct book *b, const char *id)
{
    for (int i = 0; i < BOOK_SIGHTINGS; i++)
        if (b->sighting[i].id[0] && strcmp(b->sighting[i].id, id) == 0) {
            b->sighting[i] = (struct sighting){.trigger_ns = 0};
            b->sightings_dirty = true;
        }
}

void book_clock(struct book *b, enum burst_mission mission, int64_t t_ns)
{
    int64_t *clock = &b->clock_ns[mission];
    if (t_ns > *clock || t_ns < *clock - BACK_NS) *clock = t_ns;
}

/* A place in the sky; ra NaN: unknown. */
struct place {
    double ra_deg, dec_deg, error_deg;
};

static struct place place_of(const struct alert *a)
{
    if (!isnan(a->ra_deg)) return (struct place){a->ra_deg, a->dec_deg, a->error_deg};
    if (!a->last.record_number) return (struct place){NAN, NAN, NAN};
    return (struct place){a->last.ra_deg, a->last.dec_deg, a->last.ra_dec_error_deg};
}

/* Degrees; NaN where one of them is unknown. */
static double separation(struct place a, struct place b)
{
    if (isnan(a.ra_deg) || isnan(b.ra_deg)) return NAN;
    return platform_separation_deg((double[2]){a.ra_deg, a.dec_deg}, (double[2]){b.ra_deg, b.dec_deg});
}

static bool places_fit(struct place a, struct place b)
{
    double apart = separation(a, b);
    double reach = FIT_RADII * hypot(isnan(a.error_deg) ? 0 : a.error_deg, isnan(b.error_deg) ? 0 : b.error_deg);
    return isnan(apart) || apart <= fmax(reach, FIT_DEG);
}

static void related_add(struct related *list, int first, int *n, const struct related *one)
{
    int at = *n;
    if (at == RELATED_MAX && (at == first || fabs(list[at - 1].dt_s) <= fabs(one->dt_s))) return;
    if (at == RELATED_MAX)
        at--;
    else
        ++*n;
    for (; at > first && fabs(list[at - 1].dt_s) > fabs(one->dt_s); at--)
        list[at] = list[at - 1];
    list[at] = *one;
}

static void related_try(struct related *list, int first, int *n, const struct alert *a, const char *id,
                        int64_t trigger_ns, struct place other)
{
    struct place own = place_of(a);
    struct related one = {.dt_s = 1e-9 * (double)(trigger_ns - a->trigger_ns), .joint_far_hz = NAN};
    if (fabs(one.dt_s) > RELATED_S || !places_fit(own, other) || is_called(a, id)) return;
    for (int i = 0; i < *n; i++)
        if (strcmp(list[i].id, id) == 0) return; /* seen before its mission's trigger made it an alert */
    one.separation_deg = separation(own, other);
    memcpy(one.id, id, strlen(id) + 1);
    related_add(list, first, n, &one);
}

int book_related(const struct book *b, const struct alert *a, struct related *ret)
{
    int n = 0;
    for (int i = 0; i < ALERT_ALIASES && a->alias[i][0]; i++, n++) {
        ret[n] = (struct related){.dt_s = a->alias_dt_s[i], .separation_deg = NAN, .joint_far_hz = NAN};
        memcpy(ret[n].id, a->alias[i], sizeof ret[n].id);
    }
    int first = n;
    for (int i = 0; i < BOOK_ALERTS; i++)
        if (b->alert[i].used && &b->alert[i] != a && (a->noticed || b->alert[i].noticed))
            related_try(ret, first, &n, a, b->alert[i].id, b->alert[i].trigger_ns, place_of(&b->alert[i]));
    for (int i = 0; i < BOOK_SIGHTINGS; i++) {
        const struct sighting *s = &b->sighting[i];
        if (s->id[0])
            related_try(ret, first, &n, a, s->id, s->trigger_ns, (struct place){s->ra_deg, s->dec_deg, s->error_deg});
    }
    return n;
}

static bool closed(const char *text, size_t room)
{
    return memchr(text, 0, room) != NULL;
}

static bool within(int n, int most)
{
    return n >= 0 && n <= most;
}

static bool lane_sound(const struct lane *l)
{
    return (unsigned)l->call < CALL_N && (unsigned)l->reason < REASON_N;
}

static bool facts_sound(const struct alert_facts *f)
{
    return within(f->record_number, 1000000) && within(f->true_record, f->record_number) &&
           (unsigned)f->call < CALL_N && (unsigned)f->state < STATE_N && lane_sound(&f->lane[LANE_CURVE]) &&
           lane_sound(&f->lane[LANE_IMAGE]);
}

static bool last_sound(const struct verdict *v)
{
    bool sound = within(v->n_reason, REASON_MAX) && within(v->n_related, RELATED_MAX) &&
                 within(v->n_evidence, EVIDENCE_MAX) && within(v->n_model, MODEL_MAX) && closed(v->id, sizeof v->id) &&
                 (unsigned)v->source.mission < MISSION_N && (unsigned)v->source.instrument < INSTRUMENT_N &&
                 (unsigned)v->source.realm < REALM_N;
    for (int i = 0; sound && i < v->n_evidence; i++)
        sound = closed(v->evidence[i].name, sizeof v->evidence[i].name);
    for (int i = 0; sound && i < v->n_model; i++)
        sound = closed(v->model[i].sha256, sizeof v->model[i].sha256);
    for (int i = 0; sound && i < v->n_reason; i++)
        sound = closed(v->reasons[i], sizeof v->reasons[i]);
    return sound;
}

enum burst_err book_check_alert(const struct alert *a, struct burst_error *reterr)
{
    bool sound = closed(a->id, sizeof a->id) && closed(a->said, sizeof a->said) &&
                 closed(a->said_told, sizeof a->said_told) && within(a->n_top, TOP_WINDOWS) &&
                 (unsigned)a->instrument < INSTRUMENT_N && facts_sound(&a->now) && last_sound(&a->last);
    for (int i = 0; sound && i < ALERT_ALIASES; i++)
        sound = closed(a->alias[i], sizeof a->alias[i]);
    return sound ? BURST_OK : burst_fail(reterr, BURST_E_FORMAT, "no alert: a count, word or text is broken");
}

enum burst_err book_check_sighting(const struct sighting *s, struct burst_error *reterr)
{
    return closed(s->id, sizeof s->id) ? BURST_OK
                                       : burst_fail(reterr, BURST_E_FORMAT, "no sighting: its id is not closed");
}
