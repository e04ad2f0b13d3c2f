/* Common fields and the identity of a verdict. */
#include "decide/compose.h"
#include "base/bytes.h"
#include "base/hash.h"
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

double compose_logistic(double x)
{
    return 1.0 / (1.0 + exp(-x));
}

void compose_begin(struct source source, struct verdict *ret_v)
{
    static const enum alert_tense TENSE[REALM_N] = {TENSE_CURRENT, TENSE_TEST, TENSE_ARCHIVAL};
    *ret_v = (struct verdict){.source = source, .tense = TENSE[source.realm]};
    ret_v->p_true = ret_v->p_lo = ret_v->p_hi = ret_v->p_containment = ret_v->p_astro = NAN;
    ret_v->ra_deg = ret_v->dec_deg = ret_v->ra_dec_error_deg = ret_v->containment = NAN;
    ret_v->latency_since_trigger_s = NAN;
    verdict_platform_unknown(&ret_v->platform);
}

void compose_sentence(struct verdict *v, const char *format, ...)
{
    if (v->n_reason == REASON_MAX) return;
    va_list list;
    va_start(list, format);
    (void)vsnprintf(v->reasons[v->n_reason++], REASON_TEXT, format, list); /* cutting a sentence is allowed */
    va_end(list);
}

void compose_limb(struct verdict *v, double limb_deg)
{
    if (limb_deg < 0)
        compose_sentence(v, "Its position is behind the Earth, %.1f degrees below the limb.", -limb_deg);
    else
        compose_sentence(v, "Its position stands %.1f degrees above the Earth's limb.", limb_deg);
}

enum verdict_action compose_action(enum verdict_call call, enum reason_code reason)
{
    if (call == CALL_FALSE) return ACTION_CANCEL;
    if (call == CALL_TRUE && reason != REASON_KNOWN_SOURCE && reason != REASON_SGR) return ACTION_FOLLOW_UP;
    return ACTION_REVIEW;
}

enum { PIECES_MAX = 2 * (3 + EVIDENCE_MAX + MODEL_MAX) };
struct prefixed {
    size_t n;
    struct hash_piece piece[PIECES_MAX];
    uint8_t length[PIECES_MAX / 2][4];
};

static void prefixed_add(struct prefixed *p, const void *bytes, size_t n)
{
    uint8_t *length = p->length[p->n / 2];
    bytes_put_u32(length, (uint32_t)n);
    p->piece[p->n++] = (struct hash_piece){length, 4};
    p->piece[p->n++] = (struct hash_piece){bytes, n};
}

void compose_identity(struct verdict *v, const uint8_t config_sha256[32])
{
    struct prefixed p = {.n = 0};
    uint8_t record[4];
    bytes_put_u32(record, (uint32_t)v->record_number);
    prefixed_add(&p, v->id, strlen(v->id));
    prefixed_add(&p, record, sizeof record);
    for (int i = 0; i < v->n_evidence; i++)
        prefixed_add(&p, v->evidence[i].input_sha256, 32);
    for (int i = 0; i < v->n_model; i++)
        prefixed_add(&p, v->model[i].sha256, strlen(v->model[i].sha256));
    prefixed_add(&p, config_sha256, 32);
    hash_blake2b(p.piece, p.n, sizeof v->verdict_id, v->verdict_id);
}
