/* The `catalog` command (protocol.md 7): list, show, add, remove. Reads requests strictly: a member that no action has is refused, for
 * a misspelt "force" must not be a silent "no". */
#ifndef BURST_DAEMON_CATALOG_H
#define BURST_DAEMON_CATALOG_H
#include "daemon/known.h"
#include <jansson.h>

enum catalog_action { CATALOG_LIST, CATALOG_SHOW, CATALOG_ADD, CATALOG_REMOVE, CATALOG_N };

struct catalog_request {
    enum catalog_action action;
    struct known_change change; /* CATALOG_SHOW: the name alone */
};

/* Given     request  an object with "action": "list"; "show" with "name"; "add" with "name", "ra_deg", "dec_deg", "by", "comment"
 *                    and perhaps "bright", "force"; "remove" with "name", "by", "comment"
 * Errors    BURST_E_UNSUPPORTED  no such action; BURST_E_MISSING  a member is absent; BURST_E_FORMAT  a member is of another type,
 *           unknown to the action, or its text holds control characters; BURST_E_LIMIT  its text is empty or too long;
 *           ret_request is untouched on every error. Names and positions are catalogue_check's to judge */
enum burst_err catalog_read(const json_t *request, struct catalog_request *ret_request, struct burst_error *reterr);

/* Answer a request, or begin its change: *ret_later is then true, and catalog_outcome is the answer once there is one.
 * Returned  the answer, given away; NULL with *ret_later, or on an error
 * Errors    those of catalog_read, known_begin, store_audit_list; BURST_E_MISSING  show: no such source, now or ever */
json_t *catalog_answer(struct known *k, struct store_reader *reader, const json_t *request, bool *ret_later,
                       struct burst_error *reterr);
/* The answer to a change that has ended well. */
json_t *catalog_outcome(const struct known *k, const struct known_outcome *outcome);
#endif
