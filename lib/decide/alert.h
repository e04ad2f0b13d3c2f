/* The next record of an event, whoever speaks: a lane of data that has answered, a notice, or the clock. Decides the call all lanes
 * make together, type and state (docs/decisions/0003, 0007), and writes what every record carries. */
#ifndef BURST_DECIDE_ALERT_H
#define BURST_DECIDE_ALERT_H
#include "decide/book.h"

/* What data of one lane say. */
struct answer {
    enum verdict_call call;
    double p; /* NaN: they could not be judged */
    enum reason_code reason;
    bool closed; /* the last word of this lane for now */
};

/* Begin the record with which a lane answers: v gets what is known of the event, the call of all lanes together, p_true, reason,
 * type, state. The caller adds classification, evidence, model, window, platform and sentences, then calls alert_told. */
void alert_answer(struct alert *a, struct source source, enum alert_lane lane, const struct answer *answer,
                  struct verdict *ret_v);
/* Begin a record that says the same as the last one, or, before any, only what is awaited. */
void alert_again(struct alert *a, struct source source, struct verdict *ret_v);
/* Begin the record with which the mission takes the event back; `why` may be "". */
void alert_withdraw(struct alert *a, struct source source, const char *why, struct verdict *ret_v);
/* What is awaited has not come. Returned  true where that makes a record: v is then begun */
bool alert_give_up(struct alert *a, struct verdict *ret_v);

/* Finish a record: what the other lane has shown, position, relations, the mission's sentence, verdict_id; and remember it.
 * Given     config_sha256  of verdict_id */
void alert_told(struct book *b, struct alert *a, const uint8_t config_sha256[32], struct verdict *v);

/* Figures of the platform for a record whose position is known already, if it ever is. */
void alert_platform(const struct platform_state *p, struct verdict *v);
#endif
