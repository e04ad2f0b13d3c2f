/* What all VOEvents have in common (VOEvent 2.0), and which mission's reader takes the rest. */
#include "base/clock.h"
#include "ingest/notice_inside.h"
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* ---- who ---- */

struct author {
    const char *ivorn; /* begins so */
    void (*read)(struct reading *r);
};

static const struct author AUTHORS[] = {
    {"ivo://org.svom/", notice_read_svom},
    {"ivo://nasa.gsfc.gcn/GECAM#", notice_read_gecam},
    {"ivo://nasa.gsfc.gcn/Fermi#", notice_read_gbm},
    {"ivo://nasa.gsfc.gcn/SWIFT#", notice_read_swift},
};

static const struct author *find_author(const char *ivorn)
{
    for (size_t i = 0; i < sizeof AUTHORS / sizeof AUTHORS[0]; i++)
        if (!strncasecmp(ivorn, AUTHORS[i].ivorn, strlen(AUTHORS[i].ivorn))) return &AUTHORS[i];
    return NULL;
}

static void read_ivorn(struct reading *r)
{
    const struct saying *s = said_find(r->said, "/VOEvent", "ivorn");
    if (!s || !s->text || !s->text[0]) {
        r->err = burst_fail(r->reterr, BURST_E_MISSING, "VOEvent without ivorn");
        return;
    }
    if (strncasecmp(s->text, "ivo://", 6) != 0) reading_fail(r, BURST_E_FORMAT, s, "ivo://... expected");
    if (strlen(s->text) >= NOTICE_IVORN_TEXT) reading_fail(r, BURST_E_FORMAT, s, "too long");
    for (const char *c = s->text; *c; c++)
        if (*c <= ' ' || *c > '~') {
            reading_fail(r, BURST_E_FORMAT, s, "visible ASCII without blanks expected");
            return;
        }
    if (!r->err) (void)snprintf(r->n->ivorn, sizeof r->n->ivorn, "%s", s->text);
}

static void read_role(struct reading *r)
{
    const struct saying *s = said_find(r->said, "/VOEvent", "role");
    r->n->tense = TENSE_CURRENT; /* VOEvent 2.0: the default role is "observation" */
    if (!s || said_is(r->said, "/VOEvent", "role", "observation")) return;
    if (said_is(r->said, "/VOEvent", "role", "test"))
        r->n->tense = TENSE_TEST;
    else
        reading_fail(r, BURST_E_UNSUPPORTED, s, "only observation and test are taken");
}

static void read_cited(struct reading *r)
{
    static const char *const WORDS[CITE_N] = {"followup", "supersedes", "retraction"};
    for (size_t i = 0; i < r->said->n_cited && !r->err; i++) {
        const struct saying ivorn = {"/Citations", "EventIVORN", r->said->cited[i].ivorn, 0, r->said->cited[i].line};
        const struct saying cite = {"/Citations", "cite", r->said->cited[i].cite, 0, r->said->cited[i].line};
        struct notice_citation *to = &r->n->cited[i];
        int word = 0;
        while (word < CITE_N && strcasecmp(cite.text, WORDS[word]) != 0)
            word++;
        if (word == CITE_N) reading_fail(r, BURST_E_FORMAT, &cite, "followup, supersedes or retraction expected");
        if (strlen(ivorn.text) >= NOTICE_IVORN_TEXT) reading_fail(r, BURST_E_FORMAT, &ivorn, "too long");
        read_text(r, &ivorn, to->ivorn, sizeof to->ivorn);
        to->cite = (enum notice_cite)(word % CITE_N);
        r->n->n_cited = (int)i + 1;
    }
}

/* ---- when and where ---- */

/* ISOTime, or truncated Julian day and seconds of the day; both must be the same moment. */
static void read_when(struct reading *r)
{
    static const char *const PAIRS[][2] = {{"Burst_TJD", "Burst_SOD"}, {"EVENT_DATE", "EVENT_TIME"}};
    const struct saying *iso = said_find(r->said, "/WhereWhen", "ISOTime");
    double digit = NAN, other_digit = NAN;
    int64_t trigger_ns = read_utc(r, iso, &digit), other_ns = 0;
    for (size_t i = 0; i < 2 && !other_ns; i++)
        other_ns =
            read_tjd(r, said_find(r->said, NULL, PAIRS[i][0]), said_find(r->said, NULL, PAIRS[i][1]), &other_digit);
    if (r->err) return;
    if (trigger_ns && other_ns && fabs((double)(trigger_ns - other_ns)) > 1e9) {
        char why[96];
        (void)snprintf(why, sizeof why, "the day and seconds in its Params are %.2f s from it",
                       (double)(other_ns - trigger_ns) * 1e-9);
        reading_fail(r, BURST_E_CONFLICT, iso, why);
        return;
    }
    r->n->trigger_ns = trigger_ns ? trigger_ns : other_ns;
    r->n->trigger_digit_s = trigger_ns ? digit : other_ns ? other_digit : NAN;
}

/* GCN's classic notices fill the position with zeros where they have none, and say so in Coords_String. */
static bool has_place(const struct reading *r)
{
    const char *type = said_text(r->said, NULL, "Coords_String");
    return !type[0] || strcasestr(type, "source") != NULL;
}

static void read_where(struct reading *r)
{
    const struct saying *system = said_find(r->said, "/WhereWhen", "coord_system"),
                        *c1 = said_find(r->said, "/WhereWhen", "C1"), *c2 = said_find(r->said, "/WhereWhen", "C2"),
                        *error = said_find(r->said, "/WhereWhen", "Error2Radius");
    if ((!c1 && !c2) || !has_place(r)) return;
    if (system && system->text && !strcasestr(system->text, "ICRS") && !strcasestr(system->text, "FK5")) {
        reading_fail(r, BURST_E_UNSUPPORTED, system, "ICRS or FK5 expected");
        return;
    }
    const struct saying *unit = said_find(r->said, "/WhereWhen", "unit");
    if (unit && !said_is(r->said, "/WhereWhen", "unit", "deg"))
        reading_fail(r, BURST_E_UNSUPPORTED, unit, "deg expected");
    bool swapped = said_is(r->said, "/WhereWhen", "Name1", "Dec");
    r->n->ra_deg = read_real(r, swapped ? c2 : c1, 0, 360, UNKNOWN_NEVER);
    r->n->dec_deg = read_real(r, swapped ? c1 : c2, -90, 90, UNKNOWN_NEVER);
    r->n->error_deg = read_real(r, error, 0, 180, UNKNOWN_MINUS_1 | UNKNOWN_ZERO);
}

/* ---- the whole ---- */

static void read_common(struct reading *r)
{
    read_ivorn(r);
    read_role(r);
    read_cited(r);
    r->n->published_ns = read_utc(r, said_find(r->said, "/Who", "Date"), NULL);
    read_when(r);
    read_where(r);
    r->n->packet_type = (int)read_int(r, said_find(r->said, NULL, "Packet_Type"), 0, 100000);
    r->n->packet_serial = (int)read_int(r, said_find(r->said, NULL, "Pkt_Ser_Num"), 0, INT32_MAX);
    r->n->inference_p = read_real(r, said_find(r->said, "/Why", "probability"), 0, 1, UNKNOWN_NEVER);
    read_text(r, said_find(r->said, "/Citations", "Description"), r->n->text, sizeof r->n->text);
    if (said_is(r->said, NULL, "Retraction", "1") || said_is(r->said, NULL, "Retraction", "true"))
        r->n->kind = NOTICE_RETRACTION;
}

enum burst_err notice_read_voevent(const struct said *said, struct notice *n, struct burst_error *reterr)
{
    struct reading r = {said, n, reterr, BURST_OK};
    read_common(&r);
    if (r.err) return r.err;
    const struct author *author = find_author(n->ivorn);
    if (!author) return burst_fail(reterr, BURST_E_UNSUPPORTED, "no reader for notices of '%.80s'", n->ivorn);
    author->read(&r);
    return r.err;
}
