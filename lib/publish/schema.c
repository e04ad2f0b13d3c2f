/* The JSON Schema: walks the same table and says in the words of draft 2020-12 what the writer may write. It leaves
 * unknown members alone, because version 1 grows by adding. */
#include "publish/json.h"
#include "publish/text.h"
#include "publish/verdict_fields.h"
#include <string.h>

#define TIME_PATTERN "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\\\\.[0-9]{6}Z$"

static void schema_object(struct text *t, const struct field *fields, size_t n_field, int depth);

static void line(struct text *t, int depth)
{
    text_put(t, "\n%*s", 2 * depth, "");
}

static void schema_words(struct text *t, const struct field *f)
{
    const char *before = "[";
    for (int i = 0; i < f->most; i++) {
        if (!f->words[i]) continue;
        text_put(t, "%s", before);
        text_quote(t, f->words[i]);
        before = ", ";
    }
    text_put(t, "]");
}

static void schema_number(struct text *t, const struct field *f, const char *type)
{
    text_put(t, "\"type\": \"%s\", \"minimum\": %.15g, \"maximum\": %.15g", type, f->least, f->limit);
}

static void schema_shares(struct text *t, const struct field *f)
{
    text_put(t, "\"type\": \"object\", \"propertyNames\": {\"enum\": ");
    schema_words(t, f);
    text_put(t, "}, \"additionalProperties\": {");
    schema_number(t, f, "number");
    text_put(t, "}");
}

static void schema_value(struct text *t, const struct field *f, int depth)
{
    switch (f->kind) {
    case FIELD_FIXED: text_put(t, "\"type\": \"string\", \"minLength\": 1"); break;
    case FIELD_TOKEN:
        text_put(t, "\"type\": \"string\", \"pattern\": \"^[!-~]+$\", \"maxLength\": %zu", f->room - 1);
        break;
    case FIELD_TEXT: text_put(t, "\"type\": \"string\", \"minLength\": 1, \"maxLength\": %zu", f->room - 1); break;
    case FIELD_HEX_TEXT: text_put(t, "\"type\": \"string\", \"pattern\": \"^[0-9a-f]{%zu}$\"", f->room - 1); break;
    case FIELD_HEX: text_put(t, "\"type\": \"string\", \"pattern\": \"^[0-9a-f]{%zu}$\"", 2 * f->room); break;
    case FIELD_WORD:
        text_put(t, "\"enum\": ");
        schema_words(t, f);
        break;
    case FIELD_INT: schema_number(t, f, "integer"); break;
    case FIELD_NUMBER: schema_number(t, f, "number"); break;
    case FIELD_PAIR:
        text_put(t, "\"type\": \"array\", \"minItems\": 2, \"maxItems\": 2, \"items\": {");
        schema_number(t, f, "number");
        text_put(t, "}");
        break;
    case FIELD_TIME: text_put(t, "\"type\": \"string\", \"pattern\": \"" TIME_PATTERN "\""); break;
    case FIELD_SHARES: schema_shares(t, f); break;
    case FIELD_FLAGS:
        text_put(t, "\"type\": \"array\", \"uniqueItems\": true, \"items\": {\"enum\": ");
        schema_words(t, f);
        text_put(t, "}");
        break;
    case FIELD_TEXTS:
        text_put(t, "\"type\": \"array\", \"minItems\": 1, \"maxItems\": %d, ", f->most);
        text_put(t, "\"items\": {\"type\": \"string\", \"maxLength\": %zu}", f->room - 1);
        break;
    case FIELD_GROUP: schema_object(t, f->members, f->n_member, depth); break;
    case FIELD_LIST:
        text_put(t, "\"type\": \"array\", \"minItems\": %d, \"maxItems\": %d, \"items\": {", f->must ? 0 : 1, f->most);
        schema_object(t, f->members, f->n_member, depth);
        text_put(t, "}");
        break;
    }
}

static void schema_object(struct text *t, const struct field *fields, size_t n_field, int depth)
{
    const char *before = "";
    text_put(t, "\"type\": \"object\",");
    line(t, depth);
    text_put(t, "\"required\": [");
    for (size_t i = 0; i < n_field; i++) {
        if (!fields[i].must) continue;
        text_put(t, "%s", before);
        text_quote(t, fields[i].name);
        before = ", ";
    }
    text_put(t, "],");
    line(t, depth);
    text_put(t, "\"properties\": {");
    for (size_t i = 0; i < n_field; i++) {
        line(t, depth + 1);
        text_quote(t, fields[i].name);
        text_put(t, ": {\"description\": ");
        text_quote(t, fields[i].help);
        text_put(t, ", ");
        schema_value(t, &fields[i], depth + 2);
        text_put(t, "}%s", i + 1 < n_field ? "," : "");
    }
    line(t, depth);
    text_put(t, "}");
}

/* What holds between fields: protocol.md 6. The sum of `classification` is beyond the schema's words. */
static const char RULES[] =
    "  \"dependentRequired\": {\"ra\": [\"dec\"], \"dec\": [\"ra\"], \"ra_dec_error\": [\"containment_probability\"],\n"
    "    \"containment_probability\": [\"ra_dec_error\"], \"p_interval\": [\"p_interval_containment\"]},\n"
    "  \"allOf\": [\n"
    "    {\"if\": {\"required\": [\"awaiting\"]}, \"then\": {\"required\": [\"expected_by\"], \"not\": {\"required\": "
    "[\"verdict\"]}},\n"
    "     \"else\": {\"required\": [\"verdict\", \"action\", \"p_true\"]}},\n"
    "    {\"if\": {\"required\": [\"verdict\"], \"properties\": {\"verdict\": {\"enum\": [\"false\", \"unclear\"]}}},\n"
    "     \"then\": {\"required\": [\"reason_code\"]}},\n"
    "    {\"if\": {\"properties\": {\"alert_type\": {\"const\": \"initial\"}}},\n"
    "     \"then\": {\"properties\": {\"record_number\": {\"const\": 1}}},\n"
    "     \"else\": {\"required\": [\"supersedes\"], \"properties\": {\"record_number\": {\"minimum\": 2}}}},\n"
    "    {\"if\": {\"properties\": {\"alert_type\": {\"const\": \"retraction\"}}},\n"
    "     \"then\": {\"required\": [\"reason_code\"], \"properties\": {\"state\": {\"const\": \"retracted\"}}}}\n"
    "  ]\n";

enum burst_err verdict_schema(char *ret_text, size_t size, size_t *ret_n, struct burst_error *reterr)
{
    char storage[VERDICT_JSON_MAX];
    struct text t = text_on(storage, sizeof storage);
    text_put(&t, "{\n  \"$schema\": \"https://json-schema.org/draft/2020-12/schema\",\n");
    text_put(&t, "  \"$id\": \"" VERDICT_SCHEMA_URI "\",\n  \"title\": \"burstd verdict, version 1\",\n  ");
    schema_object(&t, VERDICT_FIELD, VERDICT_FIELD_N, 1);
    text_put(&t, ",\n%s}\n", RULES);
    if (t.full || t.n >= size) return burst_fail(reterr, BURST_E_LIMIT, "the schema needs more than %zu bytes", size);
    memcpy(ret_text, storage, t.n + 1);
    *ret_n = t.n;
    return BURST_OK;
}
