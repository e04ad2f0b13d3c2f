/* Shared by the two readers of JSON notices, for no one else. */
#ifndef BURST_INGEST_NOTICE_JSON_H
#define BURST_INGEST_NOTICE_JSON_H
#include "ingest/notice_inside.h"
#include <jansson.h>

/* A text, number, true or false as one saying; null, lists and objects are passed over. Errors as said_put. */
enum burst_err notice_json_put(struct said *said, const char *group, const char *name, const json_t *value,
                               struct burst_error *reterr);

/* A VOEvent that a program has turned into JSON element by element, attributes as keys (with or without '@'). */
enum burst_err notice_read_json_voevent(const json_t *root, struct notice *ret_n, struct burst_error *reterr);
#endif
