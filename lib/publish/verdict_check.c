/* The checks: the table's own (presence, range, words, grammar), then what holds between fields. */
#include "base/clock.h"
#include "publish/json.h"
#include "publish/verdict_fields.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { PATH_TEXT = 80 };
#define YEAR_NS (INT64_C(365) * 86400 * CLOCK_NS_PER_S)

static enum burst_err check_object(const struct field *fields, size_t n_field, const void *base, const char *path,
                                   struct burst_error *reterr);

static bool text_closed(const char *s, size_t room)
{
    return memchr(s, 0, room) != NULL;
}

static bool token_ok(const char *s)
{
    for (; *s; s++)
        if (*s <= ' ' || *s > '~') return false;
    return true;
}

/* Length of the UTF-8 sequence at s, 0 where it is none or a control character. Unicode 15, table 3-7. */
static int utf8_length(const unsigned char *s)
{
    static const struct {
        unsigned char lo, hi, second_lo, second_hi;
        int n;
    } ROW[] = {
        {0x20, 0x7e, 0, 0, 1},       {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3},
        {0xe1, 0xec, 0x80, 0xbf, 3}, {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3},
        {0xf0, 0xf0, 0x90, 0xbf, 4}, {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4},
    };
    for (size_t i = 0; i < sizeof ROW / sizeof ROW[0]; i++) {
        if (s[0] < ROW[i].lo || s[0] > ROW[i].hi) continue;
        if (ROW[i].n > 1 && (s[1] < ROW[i].second_lo || s[1] > ROW[i].second_hi)) return 0;
        for (int k = 2; k < ROW[i].n; k++)
            if ((s[k] & 0xc0) != 0x80) return 0;
        return ROW[i].n;
    }
    return 0;
}

static bool utf8_ok(const char *text)
{
    const unsigned char *s = (const unsigned char *)text;
    while (*s) {
        int n = utf8_length(s);
        if (n == 0) return false;
        s += n;
    }
    return true;
}

static enum burst_err check_text(const struct field *f, const char *s, const char *path, struct burst_error *reterr)
{
    if (!text_closed(s, f->room)) return burst_fail(reterr, BURST_E_FORMAT, "%s: text is not closed", path);
    if (f->kind == FIELD_TOKEN && !token_ok(s))
        return burst_fail(reterr, BURST_E_FORMAT, "%s: '%.40s' is not printable ASCII without blanks", path, s);
    if (f->kind == FIELD_HEX_TEXT && (strlen(s) != f->room - 1 || strspn(s, "0123456789abcdef") != f->room - 1))
        return burst_fail(reterr, BURST_E_FORMAT, "%s: '%.20s...' is not %zu hexadecimal digits", path, s, f->room - 1);
    if (!utf8_ok(s)) return burst_fail(reterr, BURST_E_FORMAT, "%s: not UTF-8, or a control character in it", path);
    return BURST_OK;
}

static enum burst_err check_number(const struct field *f, double x, const char *path, struct burst_error *reterr)
{
    if (x >= f->least && x <= f->limit) return BURST_OK; /* false for NaN, too */
    return burst_fail(reterr, BURST_E_RANGE, "%s is %g, allowed %g to %g", path, x, f->least, f->limit);
}

static enum burst_err check_pair(const struct field *f, const double *pair, const char *path,
                                 struct burst_error *reterr)
{
    enum burst_err err = check_number(f, pair[0], path, reterr);
    if (!err) err = check_number(f, pair[1], path, reterr);
    if (err || pair[0] <= pair[1]) return err;
    return burst_fail(reterr, BURST_E_RANGE, "%s: [%g, %g] is not in order", path, pair[0], pair[1]);
}

/* Sum 1 within 1e-6, as outside checks test it; the nine digits told lose less than 1e-8. */
static enum burst_err check_shares(const struct field *f, const double *share, const char *path,
                                   struct burst_error *reterr)
{
    double sum = 0;
    for (int i = 0; i < f->most; i++) {
        enum burst_err err = check_number(f, share[i], path, reterr);
        if (err) return err;
        sum += share[i];
    }
    if (fabs(sum - 1) <= 9e-7) return BURST_OK;
    return burst_fail(reterr, BURST_E_RANGE, "%s: probabilities sum to %.9g, not 1", path, sum);
}

static enum burst_err check_time(int64_t tt_ns, const char *path, struct burst_error *reterr)
{
    if (tt_ns > 0 && tt_ns < 230 * YEAR_NS) return BURST_OK; /* 1970 to 2199: four-digit years, and no overflow */
    return burst_fail(reterr, BURST_E_RANGE, "%s: %lld ns is no time between 1970 and 2199", path, (long long)tt_ns);
}

static enum burst_err check_word(const struct field *f, unsigned value, const char *path, struct burst_error *reterr)
{
    if (value < (unsigned)f->most && f->words[value]) return BURST_OK;
    return burst_fail(reterr, BURST_E_RANGE, "%s: no word for %u", path, value);
}

static enum burst_err check_items(const struct field *f, const void *base, const char *path, struct burst_error *reterr)
{
    int n = field_count(f, base);
    if (n < 0 || n > f->most) return burst_fail(reterr, BURST_E_RANGE, "%s: %d items, at most %d", path, n, f->most);
    enum burst_err err = BURST_OK;
    for (int i = 0; i < n && !err; i++) {
        const char *item = (const char *)base + f->at + (size_t)i * f->room;
        char inner[PATH_TEXT];
        (void)snprintf(inner, sizeof inner, "%.40s[%d]", path, i);
        if (f->kind == FIELD_LIST)
            err = check_object(f->members, f->n_member, item, inner, reterr);
        else
            err = check_text(f, item, inner, reterr);
    }
    return err;
}

static enum burst_err check_value(const struct field *f, const void *base, const char *path, struct burst_error *reterr)
{
    const char *at = (const char *)base + f->at;
    switch (f->kind) {
    case FIELD_FIXED:
    case FIELD_HEX: return BURST_OK;
    case FIELD_TOKEN:
    case FIELD_TEXT:
    case FIELD_HEX_TEXT: return check_text(f, at, path, reterr);
    case FIELD_WORD: return check_word(f, *(const unsigned *)at, path, reterr);
    case FIELD_INT: return check_number(f, *(const int *)at, path, reterr);
    case FIELD_NUMBER: return check_number(f, *(const double *)at, path, reterr);
    case FIELD_PAIR: return check_pair(f, (const double *)at, path, reterr);
    case FIELD_TIME: return check_time(*(const int64_t *)at, path, reterr);
    case FIELD_SHARES: return check_shares(f, (const double *)at, path, reterr);
    case FIELD_FLAGS:
        if (*(const unsigned *)at >> f->most == 0) return BURST_OK;
        return burst_fail(reterr, BURST_E_RANGE, "%s: flags %#x", path, *(const unsigned *)at);
    case FIELD_TEXTS:
    case FIELD_LIST: return check_items(f, base, path, reterr);
    case FIELD_GROUP: return check_object(f->members, f->n_member, base, path, reterr);
    }
    return BURST_OK;
}

static enum burst_err check_object(const struct field *fields, size_t n_field, const void *base, const char *path,
                                   struct burst_error *reterr)
{
    enum burst_err err = BURST_OK;
    for (size_t i = 0; i < n_field && !err; i++) {
        char inner[PATH_TEXT];
        (void)snprintf(inner, sizeof inner, "%s%s%s", path, *path ? "." : "", fields[i].name);
        if (field_known(&fields[i], base))
            err = check_value(&fields[i], base, inner, reterr);
        else if (fields[i].must)
            err = burst_fail(reterr, BURST_E_MISSING, "%s is mandatory and has no value", inner);
    }
    return err;
}

enum burst_err verdict_check_fields(const struct verdict_view *view, struct burst_error *reterr)
{
    return check_object(VERDICT_FIELD, VERDICT_FIELD_N, view, "", reterr);
}

/* A verdict, or what it waits for: never both, never neither. */
static enum burst_err check_waiting(const struct verdict *v, struct burst_error *reterr)
{
    bool waits = v->await != AWAIT_NOTHING;
    if (waits && v->call != CALL_NONE)
        return burst_fail(reterr, BURST_E_CONFLICT, "verdict %s while awaiting %s", VERDICT_CALL_WORD[v->call],
                          VERDICT_AWAIT_WORD[v->await]);
    if (waits != (v->expected_ns != 0))
        return burst_fail(reterr, BURST_E_MISSING, "awaiting and expected_by are known together");
    if (waits) return BURST_OK;
    if (v->call == CALL_NONE) return burst_fail(reterr, BURST_E_MISSING, "neither verdict nor awaiting");
    if (v->action == ACTION_NONE) return burst_fail(reterr, BURST_E_MISSING, "action is owed by a verdict");
    if (isnan(v->p_true)) return burst_fail(reterr, BURST_E_MISSING, "p_true is owed by a verdict");
    if (v->n_evidence && !v->n_model) return burst_fail(reterr, BURST_E_MISSING, "model is owed by evidence");
    return BURST_OK;
}

/* Fields that are known together or not at all, and reasons where a reason is owed. */
static enum burst_err check_company(const struct verdict *v, struct burst_error *reterr)
{
    bool owes = v->call == CALL_FALSE || v->call == CALL_UNCLEAR || v->type == ALERT_RETRACTION;
    if (owes && v->reason == REASON_NONE)
        return burst_fail(reterr, BURST_E_MISSING, "reason_code is owed by a %s %s", ALERT_TYPE_WORD[v->type],
                          VERDICT_CALL_WORD[v->call]);
    if (!isnan(v->p_lo) && isnan(v->p_containment))
        return burst_fail(reterr, BURST_E_MISSING, "p_interval without p_interval_containment");
    if (!isnan(v->p_lo) && !(v->p_lo <= v->p_true && v->p_true <= v->p_hi))
        return burst_fail(reterr, BURST_E_RANGE, "p_true %g is outside p_interval [%g, %g]", v->p_true, v->p_lo,
                          v->p_hi);
    if (isnan(v->ra_deg) != isnan(v->dec_deg))
        return burst_fail(reterr, BURST_E_MISSING, "ra and dec are known together");
    if (isnan(v->ra_dec_error_deg) != isnan(v->containment))
        return burst_fail(reterr, BURST_E_MISSING, "ra_dec_error and containment_probability are known together");
    return BURST_OK;
}

static bool tense_fits(enum burst_realm realm, enum alert_tense tense)
{
    switch (realm) {
    case REALM_LIVE: return tense == TENSE_CURRENT || tense == TENSE_ARCHIVAL; /* hours-late downlink: protocol.md 4 */
    case REALM_TEST: return tense == TENSE_TEST || tense == TENSE_INJECTION;
    case REALM_ARCHIVE: return tense == TENSE_ARCHIVAL;
    case REALM_N: break;
    }
    return false;
}

static enum burst_err check_agreement(const struct verdict *v, struct burst_error *reterr)
{
    if ((v->type == ALERT_INITIAL) != (v->record_number == 1))
        return burst_fail(reterr, BURST_E_CONFLICT, "alert_type %s at record_number %d", ALERT_TYPE_WORD[v->type],
                          v->record_number);
    if (v->type == ALERT_RETRACTION && v->state != STATE_RETRACTED)
        return burst_fail(reterr, BURST_E_CONFLICT, "a retraction leaves the event %s", VERDICT_STATE_WORD[v->state]);
    if (!tense_fits(v->source.realm, v->tense))
        return burst_fail(reterr, BURST_E_CONFLICT, "alert_tense %s in realm %d", ALERT_TENSE_WORD[v->tense],
                          (int)v->source.realm);
    for (int i = 0; i < v->n_evidence; i++)
        for (int k = 0; k < i; k++)
            if (strcmp(v->evidence[i].name, v->evidence[k].name) == 0)
                return burst_fail(reterr, BURST_E_CONFLICT, "evidence[%d] and evidence[%d] are both '%s'", k, i,
                                  v->evidence[i].name);
    return BURST_OK;
}

enum burst_err verdict_check(const struct verdict *v, struct burst_error *reterr)
{
    struct verdict_view view;
    verdict_view_init(&view, v, 1); /* any time: the caller's alert_ns is checked by verdict_json */
    enum burst_err err = verdict_check_fields(&view, reterr);
    if (!err) err = check_waiting(v, reterr);
    if (!err) err = check_company(v, reterr);
    if (!err) err = check_agreement(v, reterr);
    return err;
}
