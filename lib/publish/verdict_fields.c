/* The table. A new field of the verdict is one row here; the schema in config/schema is then rebuilt by
 * `publish_test_json --schema`, and the writer and the checks follow by themselves. */
#include "publish/verdict_fields.h"
#include "publish/json.h"
#include <math.h>
#include <stddef.h>
#include <string.h>

#define IN(member)   offsetof(struct verdict_view, member)
#define OF(member)   offsetof(struct verdict_view, v.member)
#define ROOM(member) sizeof(((struct verdict_view *)0)->v.member)
#define EV(member)   offsetof(struct evidence, member)
#define MO(member)   offsetof(struct model_tag, member)
#define ROWS(table)  .members = (table), .n_member = sizeof(table) / sizeof(table)[0]

/* Wide enough for any real figure, narrow enough to catch a broken one: the Sun is far below 1e9 counts/s. */
#define FIGURE .digits = 6, .least = -1e9, .limit = 1e9
#define SHARE  .digits = 6, .least = 0, .limit = 1
#define ANGLE  .digits = 9
#define TIMING .digits = 6, .least = -1e12, .limit = 1e12

static const struct field EVIDENCE_FIELD[] = {
    {"name", FIELD_TOKEN, .must = true, .at = EV(name), .room = sizeof(((struct evidence *)0)->name),
     .help = "detector as the mission names it, or image"},
    {"score", FIELD_NUMBER, .at = EV(score), SHARE, .help = "calibrated probability of this detector or image alone"},
    {"snr", FIELD_NUMBER, .at = EV(snr), FIGURE, .help = "sigma over background on the best time scale"},
    {"t90", FIELD_NUMBER, .at = EV(t90_s), .digits = 6, .least = 0, .limit = 1e9,
     .help = "s that hold 90 % of the counts above background"},
    {"peak_rate", FIELD_NUMBER, .at = EV(peak_rate_hz), FIGURE,
     .help = "counts/s of live time above background in the brightest 64 ms"},
    {"hardness", FIELD_NUMBER, .at = EV(hardness), FIGURE,
     .help = "counts above background, 100-300 keV over 50-100 keV"},
    {"quality", FIELD_FLAGS, .must = true, .at = EV(quality), .most = EVIDENCE_FLAG_N, .words = EVIDENCE_FLAG_WORD,
     .help = "what is wrong with these data; empty where nothing is"},
    {"input_sha256", FIELD_HEX, .at = EV(input_sha256), .room = 32,
     .help = "SHA-256 of the sub-image's bytes, or of the window's atom counts and validity"},
};

static const struct field CALIBRATION_FIELD[] = {
    {"temperature", FIELD_NUMBER, .must = true, .at = MO(temperature), .digits = 6, .least = 1e-6, .limit = 1e6,
     .help = "logits are divided by it before a probability is told"},
};

static const struct field MODEL_FIELD[] = {
    {"name", FIELD_TOKEN, .must = true, .at = MO(name), .room = MODEL_NAME_TEXT, .help = "folder under models/"},
    {"version", FIELD_TOKEN, .must = true, .at = MO(version), .room = 16, .help = "burst.version of the model"},
    {"sha256", FIELD_HEX_TEXT, .must = true, .at = MO(sha256), .room = 65, .help = "SHA-256 of model.onnx"},
    {"backend", FIELD_TOKEN, .told = true, .must = true, .at = MO(backend), .room = BACKEND_TEXT,
     .help = "what computed it: plain, cpu or cuda"},
    {"calibration", FIELD_GROUP, .must = true, ROWS(CALIBRATION_FIELD), .help = "how its logits become probabilities"},
};

#define RE(member) offsetof(struct related, member)
static const struct field RELATED_FIELD[] = {
    {"id", FIELD_TOKEN, .must = true, .at = RE(id), .room = EVENT_ID_TEXT,
     .help = "of the other event, ours or a mission's"},
    {"dt_s", FIELD_NUMBER, .must = true, .at = RE(dt_s), FIGURE, .help = "s, its time less this one's"},
    {"separation_deg", FIELD_NUMBER, .at = RE(separation_deg), .digits = 6, .least = 0, .limit = 180,
     .help = "degrees between the two positions"},
    {"joint_far", FIELD_NUMBER, .at = RE(joint_far_hz), .digits = 6, .least = 0, .limit = 1e9,
     .help = "Hz, of a chance coincidence as close"},
};

static const struct field PLATFORM_FIELD[] = {
    {"saa", FIELD_WORD, .at = OF(platform.saa), .most = VERDICT_SAA_N, .words = VERDICT_SAA_WORD,
     .help = "South Atlantic anomaly"},
    {"latitude", FIELD_NUMBER, .at = OF(platform.lat_deg), .digits = 6, .least = -90, .limit = 90,
     .help = "degrees, geodetic"},
    {"longitude", FIELD_NUMBER, .at = OF(platform.lon_deg), .digits = 6, .least = -180, .limit = 360,
     .help = "degrees east"},
    {"altitude", FIELD_NUMBER, .at = OF(platform.alt_km), FIGURE, .help = "km above the ellipsoid"},
    {"mcilwain_l", FIELD_NUMBER, .at = OF(platform.l_shell), .digits = 6, .least = 0, .limit = 1e6,
     .help = "Earth radii"},
    {"earth_limb_angle", FIELD_NUMBER, .at = OF(platform.limb_deg), .digits = 6, .least = -180, .limit = 180,
     .help = "degrees of ra, dec above the Earth's limb; negative: behind the Earth"},
    {"sun_angle", FIELD_NUMBER, .at = OF(platform.sun_deg), .digits = 6, .least = 0, .limit = 180,
     .help = "degrees from ra, dec to the Sun"},
    {"moon_angle", FIELD_NUMBER, .at = OF(platform.moon_deg), .digits = 6, .least = 0, .limit = 180,
     .help = "degrees from ra, dec to the Moon"},
};

static const struct field LATENCY_FIELD[] = {
    {"since_trigger", FIELD_NUMBER, .at = OF(latency_since_trigger_s), TIMING,
     .help = "s from trigger_time to the telling"},
    {"decode", FIELD_NUMBER, .at = OF(latency_decode_s), TIMING, .help = "s spent reading the deciding message"},
    {"infer", FIELD_NUMBER, .at = OF(latency_infer_s), TIMING, .help = "s spent in the network"},
};

const struct field VERDICT_FIELD[] = {
    {"$schema", FIELD_FIXED, .must = true, .at = IN(schema), .help = "this schema, with its version"},
    {"id", FIELD_TOKEN, .must = true, .at = OF(id), .room = EVENT_ID_TEXT,
     .help = "event, immutable: SVOM BURST_ID, or <mission>-<instrument>-<trigger time>"},
    {"record_number", FIELD_INT, .must = true, .at = OF(record_number), .least = 1, .limit = 1e6,
     .help = "1, 2, 3 ... within id; each revision carries the full state"},
    {"supersedes", FIELD_INT, .at = IN(supersedes), .least = 1, .limit = 1e6,
     .help = "the record number before this one"},
    {"verdict_id", FIELD_HEX, .must = true, .at = OF(verdict_id), .room = 16,
     .help = "BLAKE2b-128 over id, record number, inputs, models and configuration"},
    {"alert_type", FIELD_WORD, .must = true, .at = OF(type), .most = ALERT_N, .words = ALERT_TYPE_WORD,
     .help = "initial is record 1 and only that"},
    {"alert_tense", FIELD_WORD, .must = true, .at = OF(tense), .most = TENSE_N, .words = ALERT_TENSE_WORD,
     .help = "current is real and now; nothing else is"},
    {"alert_datetime", FIELD_TIME, .told = true, .must = true, .at = IN(alert_ns), .help = "UTC of the telling"},
    {"mission", FIELD_FIXED, .must = true, .at = IN(mission), .help = "GECAM-A, GECAM-B, GECAM-C, SVOM, Fermi"},
    {"instrument", FIELD_FIXED, .must = true, .at = IN(instrument), .help = "GRD, GRM, ECLAIRs, GBM"},
    {"state", FIELD_WORD, .must = true, .at = OF(state), .most = STATE_N, .words = VERDICT_STATE_WORD,
     .help = "of the event"},
    {"verdict", FIELD_WORD, .at = OF(call), .most = CALL_N, .words = VERDICT_CALL_WORD,
     .help = "is this a real transient to act on? Absent while awaiting"},
    {"awaiting", FIELD_WORD, .at = OF(await), .most = AWAIT_N, .words = VERDICT_AWAIT_WORD,
     .help = "what the verdict waits for"},
    {"expected_by", FIELD_TIME, .at = OF(expected_ns), .help = "UTC by which what is awaited should have come"},
    {"machine_verdict", FIELD_WORD, .at = OF(machine_call), .most = CALL_N, .words = VERDICT_CALL_WORD,
     .help = "after a decision of the mission's or a person's: what the machine says now"},
    {"action", FIELD_WORD, .at = OF(action), .most = ACTION_N, .words = VERDICT_ACTION_WORD,
     .help = "what burstd asks for"},
    {"p_true", FIELD_NUMBER, .at = OF(p_true), SHARE, .help = "calibrated probability of `true`"},
    {"p_interval", FIELD_PAIR, .at = OF(p_lo), SHARE, .help = "[lo, hi] around p_true"},
    {"p_interval_containment", FIELD_NUMBER, .at = OF(p_containment), SHARE,
     .help = "probability that p_interval holds"},
    {"p_astro", FIELD_NUMBER, .at = OF(p_astro), SHARE, .help = "astrophysical origin, as GCN defines it"},
    {"classification", FIELD_SHARES, .at = OF(classification), .digits = 9, .least = 0, .limit = 1, .most = CLASS_N,
     .words = EVENT_CLASS_WORD, .help = "probabilities, sum 1"},
    {"reason_code", FIELD_WORD, .at = OF(reason), .most = REASON_N, .words = REASON_CODE_WORD,
     .help = "always on false, unclear and retractions"},
    {"reasons", FIELD_TEXTS, .at = OF(reasons), .at_n = OF(n_reason), .room = REASON_TEXT, .most = REASON_MAX,
     .help = "sentences with figures"},
    {"trigger_time", FIELD_TIME, .must = true, .at = OF(trigger_ns), .help = "frozen at record 1"},
    {"trigger_time_refined", FIELD_TIME, .at = OF(trigger_refined_ns), .help = "what is known now"},
    {"ra", FIELD_NUMBER, .at = OF(ra_deg), ANGLE, .least = 0, .limit = 360, .help = "degrees, ICRS"},
    {"dec", FIELD_NUMBER, .at = OF(dec_deg), ANGLE, .least = -90, .limit = 90, .help = "degrees, ICRS"},
    {"ra_dec_error", FIELD_NUMBER, .at = OF(ra_dec_error_deg), ANGLE, .least = 0, .limit = 180,
     .help = "degrees, radius of the circle that holds containment_probability"},
    {"containment_probability", FIELD_NUMBER, .at = OF(containment), SHARE, .help = "of ra_dec_error"},
    {"related", FIELD_LIST, .at = OF(related), .at_n = OF(n_related), .room = sizeof(struct related),
     .most = RELATED_MAX, ROWS(RELATED_FIELD), .help = "events at about this time: linked, never merged"},
    {"platform", FIELD_GROUP, ROWS(PLATFORM_FIELD),
     .help = "where the satellite was when the data behind this record ended, or in the middle of the exposure"},
    {"evidence", FIELD_LIST, .at = OF(evidence), .at_n = OF(n_evidence), .room = sizeof(struct evidence),
     .most = EVIDENCE_MAX, ROWS(EVIDENCE_FIELD), .help = "per detector or image"},
    {"model", FIELD_LIST, .must = true, .at = OF(model), .at_n = OF(n_model), .room = sizeof(struct model_tag),
     .most = MODEL_MAX, ROWS(MODEL_FIELD), .help = "the networks behind this revision; empty where none was asked"},
    {"latency", FIELD_GROUP, .told = true, ROWS(LATENCY_FIELD), .help = "seconds"},
};
const size_t VERDICT_FIELD_N = sizeof VERDICT_FIELD / sizeof VERDICT_FIELD[0];

_Static_assert(OF(p_hi) == OF(p_lo) + sizeof(double), "p_interval is read as a pair");

void verdict_view_init(struct verdict_view *view, const struct verdict *v, int64_t alert_ns)
{
    const struct instrument_fact *fact = source_fact(v->source.mission, v->source.instrument);
    view->schema = VERDICT_SCHEMA_URI;
    view->mission = fact ? fact->mission_name : NULL;
    view->instrument = fact ? fact->instrument_name : NULL;
    view->supersedes = v->record_number - 1;
    view->alert_ns = alert_ns;
    view->v = *v;
}

int field_count(const struct field *f, const void *base)
{
    if (f->kind != FIELD_TEXTS && f->kind != FIELD_LIST) return 1;
    return *(const int *)((const char *)base + f->at_n);
}

static bool bytes_zero(const uint8_t *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (bytes[i]) return false;
    return true;
}

static bool word_known(const struct field *f, unsigned value)
{
    return value >= (unsigned)f->most || f->words[value]; /* outside the list: known, and refused by the check */
}

static bool group_known(const struct field *f, const void *base)
{
    for (size_t i = 0; i < f->n_member; i++)
        if (field_known(&f->members[i], base)) return true;
    return false;
}

bool field_known(const struct field *f, const void *base)
{
    const char *at = (const char *)base + f->at;
    switch (f->kind) {
    case FIELD_FIXED: return *(const char *const *)at != NULL;
    case FIELD_TOKEN:
    case FIELD_TEXT:
    case FIELD_HEX_TEXT: return at[0] != 0;
    case FIELD_HEX: return !bytes_zero((const uint8_t *)at, f->room);
    case FIELD_WORD: return word_known(f, *(const unsigned *)at);
    case FIELD_INT: return *(const int *)at != 0;
    case FIELD_NUMBER:
    case FIELD_PAIR:
    case FIELD_SHARES: return !isnan(*(const double *)at);
    case FIELD_TIME: return *(const int64_t *)at != 0;
    case FIELD_FLAGS: return true;
    case FIELD_TEXTS: return field_count(f, base) != 0;
    case FIELD_LIST: return f->must || field_count(f, base) != 0;
    case FIELD_GROUP: return group_known(f, base);
    }
    return false;
}
