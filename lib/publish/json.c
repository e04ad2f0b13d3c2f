/* The writer: walks the field table over a view of the verdict. Never guesses: what verdict_check refuses is not written. */
#include "publish/json.h"
#include "base/bytes.h"
#include "base/clock.h"
#include "publish/text.h"
#include "publish/verdict_fields.h"
#include <math.h>

struct writer {
    struct text text;
    bool core;
};

/* %g drops trailing zeros, so that the digits say what is known and 0.93 stays 0.93; a negative zero is a zero. */
static void write_number(struct text *t, double x, int digits)
{
    text_put(t, "%.*g", digits, x == 0 ? 0.0 : x);
}

static void write_time(struct text *t, int64_t tt_ns)
{
    char text[CLOCK_UTC_TEXT];
    clock_utc_text(tt_ns, text);
    text_quote(t, text);
}

static void write_hex(struct text *t, const uint8_t *bytes, size_t n)
{
    text_put(t, "\"");
    for (size_t i = 0; i < n; i++)
        text_put(t, "%02x", bytes[i]);
    text_put(t, "\"");
}

static void write_shares(struct text *t, const struct field *f, const double *share)
{
    for (int i = 0; i < f->most; i++) {
        text_put(t, i ? "," : "{");
        text_quote(t, f->words[i]);
        text_put(t, ":");
        write_number(t, share[i], f->digits);
    }
    text_put(t, "}");
}

static void write_flags(struct text *t, const struct field *f, unsigned flags)
{
    const char *before = "";
    text_put(t, "[");
    for (int i = 0; i < f->most; i++) {
        if (!(flags >> i & 1u)) continue;
        text_put(t, "%s", before);
        text_quote(t, f->words[i]);
        before = ",";
    }
    text_put(t, "]");
}

static void write_texts(struct text *t, const char *items, size_t room, int n)
{
    for (int i = 0; i < n; i++) {
        text_put(t, i ? "," : "[");
        text_quote(t, items + (size_t)i * room);
    }
    text_put(t, "]");
}

static void write_object(struct writer *w, const struct field *fields, size_t n_field, const void *base);

static void write_list(struct writer *w, const struct field *f, const char *items, int n)
{
    if (!n) text_put(&w->text, "[");
    for (int i = 0; i < n; i++) {
        text_put(&w->text, i ? "," : "[");
        write_object(w, f->members, f->n_member, items + (size_t)i * f->room);
    }
    text_put(&w->text, "]");
}

static void write_value(struct writer *w, const struct field *f, const void *base)
{
    struct text *t = &w->text;
    const char *at = (const char *)base + f->at;
    const double *number = (const double *)at;
    switch (f->kind) {
    case FIELD_FIXED: text_quote(t, *(const char *const *)at); break;
    case FIELD_TOKEN:
    case FIELD_TEXT:
    case FIELD_HEX_TEXT: text_quote(t, at); break;
    case FIELD_HEX: write_hex(t, (const uint8_t *)at, f->room); break;
    case FIELD_WORD: text_quote(t, f->words[*(const unsigned *)at]); break;
    case FIELD_INT: text_put(t, "%d", *(const int *)at); break;
    case FIELD_NUMBER: write_number(t, *number, f->digits); break;
    case FIELD_PAIR:
        text_put(t, "[");
        write_number(t, number[0], f->digits);
        text_put(t, ",");
        write_number(t, number[1], f->digits);
        text_put(t, "]");
        break;
    case FIELD_TIME: write_time(t, *(const int64_t *)at); break;
    case FIELD_SHARES: write_shares(t, f, number); break;
    case FIELD_FLAGS: write_flags(t, f, *(const unsigned *)at); break;
    case FIELD_TEXTS: write_texts(t, at, f->room, field_count(f, base)); break;
    case FIELD_GROUP: write_object(w, f->members, f->n_member, base); break;
    case FIELD_LIST: write_list(w, f, at, field_count(f, base)); break;
    }
}

static void write_object(struct writer *w, const struct field *fields, size_t n_field, const void *base)
{
    const char *before = "{";
    for (size_t i = 0; i < n_field; i++) {
        if ((w->core && fields[i].told) || !field_known(&fields[i], base)) continue;
        text_put(&w->text, "%s", before);
        text_quote(&w->text, fields[i].name);
        text_put(&w->text, ":");
        write_value(w, &fields[i], base);
        before = ",";
    }
    text_put(&w->text, before[0] == '{' ? "{}" : "}");
}

static enum burst_err write_verdict(const struct verdict *v, int64_t alert_ns, bool core, char *ret_text, size_t size,
                                    size_t *ret_n, struct burst_error *reterr)
{
    enum burst_err err = verdict_check(v, reterr);
    if (err) return err;
    char storage[VERDICT_JSON_MAX];
    struct verdict_view view;
    verdict_view_init(&view, v, alert_ns);
    struct writer w = {text_on(storage, sizeof storage), core};
    write_object(&w, VERDICT_FIELD, VERDICT_FIELD_N, &view);
    if (w.text.full || w.text.n >= size)
        return burst_fail(reterr, BURST_E_LIMIT, "verdict %s %d needs more than %zu bytes of JSON", v->id,
                          v->record_number, size < sizeof storage ? size : sizeof storage);
    memcpy(ret_text, storage, w.text.n + 1);
    *ret_n = w.text.n;
    return BURST_OK;
}

enum burst_err verdict_json(const struct verdict *v, int64_t alert_ns, char *ret_text, size_t size, size_t *ret_n,
                            struct burst_error *reterr)
{
    if (alert_ns <= 0) return burst_fail(reterr, BURST_E_RANGE, "alert_datetime is %lld ns", (long long)alert_ns);
    return write_verdict(v, alert_ns, false, ret_text, size, ret_n, reterr);
}

enum burst_err verdict_core(const struct verdict *v, char *ret_text, size_t size, size_t *ret_n,
                            struct burst_error *reterr)
{
    return write_verdict(v, 0, true, ret_text, size, ret_n, reterr);
}
