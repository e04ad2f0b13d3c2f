/* One verdict out: check, JSON, store, wire. Nothing is told before it is durable, and nothing is dropped in silence:
 * whatever is not told comes back as an error or as an answer that says why. */
#ifndef BURST_PUBLISH_PUBLISH_H
#define BURST_PUBLISH_PUBLISH_H
#include "publish/store.h"
#include "records/verdict.h"
#include "stream/publisher.h"

enum publish_answer {
    PUBLISH_SENT,    /* durable and told */
    PUBLISH_ALREADY, /* the same revision with the same core was told before (a replay after a restart) */
};

/* Header flags of a realm and verdict (protocol.md 1). */
uint8_t publish_flags(const struct verdict *v);

/* Publish one revision on <realm>.v1.<mission>.verdict.
 * Given     store      the log behind `publisher`; its staged checkpoints go into the same commit
 *           alert_ns   TT now
 * Returned  *ret_answer; *ret_seq the number it got (0 where it was not sent)
 * Errors    those of verdict_check     it breaks a rule of the wire: raise an alarm
 *           BURST_E_CONFLICT           the same id and record number was told before with another core
 *           BURST_E_IO, BURST_E_STATE  the log cannot be written: tell it on burst-provisional., end the process
 *           BURST_E_NET                durable, but ZeroMQ refused: history has it */
enum burst_err publish_verdict(struct store *store, struct publisher *publisher, const struct verdict *v,
                               int64_t alert_ns, enum publish_answer *ret_answer, uint64_t *ret_seq,
                               struct burst_error *reterr);

/* Publish the evidence of a revision that was told, on <realm>.v1.<mission>.evidence. Answers and errors as above. */
enum burst_err publish_evidence(struct store *store, struct publisher *publisher, const struct verdict *v,
                                const uint8_t *fits, size_t n_fits, enum publish_answer *ret_answer, uint64_t *ret_seq,
                                struct burst_error *reterr);

/* Begin a new stream: tell the newest revision of every event that is still open and that only an earlier stream told, as it
 * was told then. To be called once store_open has said that the stream is new.
 * Returned  *ret_n    how many
 * Errors    BURST_E_IO, BURST_E_STATE, BURST_E_NOMEM, BURST_E_NET as publish_verdict; *ret_n counts those told before */
enum burst_err publish_orphans(struct store *store, struct publisher *publisher, int *ret_n,
                               struct burst_error *reterr);
#endif
