/* A verdict as the JSON of protocol.md 6. One field table (verdict_fields.c) makes the writer, the JSON Schema and the
 * checks, so that none can drift from the others. Refuses to write a verdict that verdict_check would refuse. */
#ifndef BURST_PUBLISH_JSON_H
#define BURST_PUBLISH_JSON_H
#include "records/verdict.h"

/* Room that any verdict fits into: 25 detectors, two models, four related events, three sentences that are all escapes. */
enum { VERDICT_JSON_MAX = 27648 };
#define VERDICT_SCHEMA_URI "urn:burstd:schema:verdict:1"

/* Does the verdict keep every rule the wire promises: mandatory fields, ranges, words, order of what is ordered?
 * Given     v  whole
 * Errors    BURST_E_MISSING   a mandatory field has no value (NaN, 0, empty), or a call without its reason
 *           BURST_E_RANGE     a number, count, word or time outside its range; probabilities that do not sum to 1;
 *                             p_true outside its own interval
 *           BURST_E_FORMAT    text that is not closed, not UTF-8, or has control characters
 *           BURST_E_CONFLICT  fields that contradict one another (type and record number, realm and tense, ...)
 * Notes     The sentence names the field as the wire does. Any thread. */
enum burst_err verdict_check(const struct verdict *v, struct burst_error *reterr);

/* The verdict as one line of JSON, members in the order of the table.
 * Given     alert_ns  TT, when this revision is told
 * Returned  ret_text  [size] closed with 0; *ret_n characters before it
 * Errors    those of verdict_check; BURST_E_LIMIT  size is too small. Outputs untouched
 * Notes     A figure that is NaN, and a time that is 0, is left out. Numbers have the significant digits the table
 * states (9 for angles and class probabilities, 6 for the rest) and no more characters than that needs: 0.93 is "0.93".
 *           Needs the "C" numeric locale, as every program here has. No allocation. */
enum burst_err verdict_json(const struct verdict *v, int64_t alert_ns, char *ret_text, size_t size, size_t *ret_n,
                            struct burst_error *reterr);

/* `core`: the same text without alert_datetime, latency and model[].backend. Same inputs, config and models give the
 * same bytes. Returned, Errors and Notes as verdict_json. */
enum burst_err verdict_core(const struct verdict *v, char *ret_text, size_t size, size_t *ret_n,
                            struct burst_error *reterr);

/* The JSON Schema (draft 2020-12) of what verdict_json writes, from the same table; config/schema/verdict-1.json is
 * this text. Errors  BURST_E_LIMIT; outputs untouched. */
enum burst_err verdict_schema(char *ret_text, size_t size, size_t *ret_n, struct burst_error *reterr);
#endif
