/* Check, write, store, tell. The daemon decides what an error means; this file only makes sure there is one. */
#include "publish/publish.h"
#include "base/hash.h"
#include "publish/json.h"
#include <stdlib.h>

uint8_t publish_flags(const struct verdict *v)
{
    unsigned flags = v->type == ALERT_RETRACTION ? FRAME_RETRACTION : 0;
    if (v->source.realm == REALM_ARCHIVE) flags |= FRAME_ARCHIVAL;
    if (v->source.realm == REALM_TEST) flags |= FRAME_TEST;
    if (v->source.realm == REALM_TEST && v->tense == TENSE_INJECTION) flags |= FRAME_INJECTION;
    return (uint8_t)flags;
}

static enum burst_err topic_of(const struct verdict *v, const char *word, char ret_topic[STREAM_TOPIC_TEXT],
                               struct burst_error *reterr)
{
    enum burst_err err = source_topic(v->source, word, ret_topic, STREAM_TOPIC_TEXT);
    return err ? burst_fail(reterr, err, "no %s topic for mission %d, instrument %d", word, (int)v->source.mission,
                            (int)v->source.instrument)
               : BURST_OK;
}

static enum burst_err describe(const struct verdict *v, const char *topic, struct store_record *ret_record,
                               struct burst_error *reterr)
{
    char core[VERDICT_JSON_MAX];
    size_t n = 0;
    enum burst_err err = verdict_core(v, core, sizeof core, &n, reterr);
    if (err) return err;
    *ret_record = (struct store_record){
        .topic = topic, .id = v->id, .record_number = v->record_number, .open = v->state == STATE_OPEN};
    hash_blake2b(&(struct hash_piece){core, n}, 1, 32, ret_record->core_hash);
    return BURST_OK;
}

enum burst_err publish_verdict(struct store *store, struct publisher *publisher, const struct verdict *v,
                               int64_t alert_ns, enum publish_answer *ret_answer, uint64_t *ret_seq,
                               struct burst_error *reterr)
{
    char topic[STREAM_TOPIC_TEXT], json[VERDICT_JSON_MAX];
    size_t n = 0;
    struct store_record record;
    enum store_seen seen = STORE_ABSENT;
    enum burst_err err =
        verdict_json(v, alert_ns, json, sizeof json, &n, reterr); /* checks before anything is touched */
    if (!err) err = topic_of(v, "verdict", topic, reterr);
    if (!err) err = describe(v, topic, &record, reterr);
    if (!err) err = store_has_record(store, &record, &seen, reterr);
    if (err) return err;
    if (seen == STORE_DIFFERENT)
        return burst_fail(reterr, BURST_E_CONFLICT, "%s revision %d was told before with another core", v->id,
                          v->record_number);
    if (seen == STORE_SAME) {
        *ret_answer = PUBLISH_ALREADY;
        *ret_seq = 0;
        return BURST_OK;
    }
    uint64_t seq = 0;
    err = store_stage_record(store, &record, reterr);
    if (!err)
        err = publisher_send(publisher, topic, publish_flags(v), FRAME_JSON, (const uint8_t *)json, n, &seq, reterr);
    store_unstage(store);
    if (err && err != BURST_E_NET) return err;
    *ret_answer = PUBLISH_SENT;
    *ret_seq = seq;
    return err;
}

enum burst_err publish_evidence(struct store *store, struct publisher *publisher, const struct verdict *v,
                                const uint8_t *fits, size_t n_fits, enum publish_answer *ret_answer, uint64_t *ret_seq,
                                struct burst_error *reterr)
{
    char verdict_topic[STREAM_TOPIC_TEXT], topic[STREAM_TOPIC_TEXT];
    bool has = false;
    uint64_t seq = 0;
    enum burst_err err = topic_of(v, "verdict", verdict_topic, reterr);
    if (!err) err = topic_of(v, "evidence", topic, reterr);
    if (!err) err = store_has_evidence(store, verdict_topic, v->id, v->record_number, &has, reterr);
    if (err) return err;
    if (!has) {
        err = store_stage_evidence(store, verdict_topic, v->id, v->record_number, reterr);
        if (!err) err = publisher_send(publisher, topic, publish_flags(v), FRAME_FITS, fits, n_fits, &seq, reterr);
        store_unstage(store);
        if (err && err != BURST_E_NET) return err;
    }
    *ret_answer = has ? PUBLISH_ALREADY : PUBLISH_SENT;
    *ret_seq = seq;
    return err;
}

/* Each append moves its event into the current stream, so that the next search finds another one or none. */
enum burst_err publish_orphans(struct store *store, struct publisher *publisher, int *ret_n, struct burst_error *reterr)
{
    struct store_orphan orphan;
    bool found = false;
    *ret_n = 0;
    enum burst_err err = store_next_orphan(store, &orphan, &found, reterr);
    while (!err && found) {
        err = store_stage_orphan(store, &orphan, reterr);
        if (!err)
            err = publisher_send(publisher, orphan.topic, orphan.flags, orphan.content, orphan.body, orphan.n_body,
                                 NULL, reterr);
        store_unstage(store);
        free(orphan.body);
        if (err) break;
        ++*ret_n;
        err = store_next_orphan(store, &orphan, &found, reterr);
    }
    return err;
}
