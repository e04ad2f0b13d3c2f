/* What an operator may set about decisions, shared by light curves and images. */
#ifndef BURST_DECIDE_SETTINGS_H
#define BURST_DECIDE_SETTINGS_H
#include "records/verdict.h"

struct decide_settings {
    double open;           /* a detector above this probability votes for opening an event */
    double low, high;      /* false at or under, true at or over; low < high, both in (0, 1) */
    double quiet_s;        /* an event closes after this long without a window that would open one */
    double merge_s;        /* windows less than this apart are one event */
    double revision_gap_s; /* revisions that a change of verdict causes are at least this far apart, in data time */
    uint8_t config_sha256[32];
};

/* The defaults of protocol.md 6: 0.5, 0.2, 0.8, 20 s, 60 s, 5 s; configuration digest zero. */
struct decide_settings decide_defaults(void);
/* BURST_E_RANGE, naming the value and its limits. */
enum burst_err decide_settings_check(const struct decide_settings *s, struct burst_error *reterr);
#endif
