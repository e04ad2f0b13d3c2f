/* Gateways that share a topic wait for one another: where two bring parts of one instrument's data, neither may close bins that
 * the other has still to fill. Matters while history is read again, which goes as fast as each gateway answers. One per feed;
 * ingest thread only. */
#ifndef BURST_DAEMON_ORDER_H
#define BURST_DAEMON_ORDER_H
#include "config/config.h"
#include <stdbool.h>
#include <stdint.h>

struct order_place {
    int64_t latest_ns;    /* end of the latest data it brought, TT; INT64_MIN: none yet */
    int64_t data_time_ns; /* all before it has been sent, it says, TT; INT64_MIN: it said nothing */
    int64_t seen_mono_ns; /* its last message of this topic; 0: none, and none is expected */
    bool is_replay;       /* that message came from history, or the first one is still expected */
};

struct order {
    struct order_place place[CONFIG_INPUT_MAX]; /* by gateway */
};

/* Nobody has brought anything. */
void order_begin(struct order *o);
/* The gateway brought data of this topic before we were started again: its first message is waited for. */
void order_expect(struct order *o, int gateway, int64_t now_mono_ns);
/* A message of the gateway was read.
 * Given     stop_ns  TT end of its data; INT64_MIN: it held none */
void order_read(struct order *o, int gateway, int64_t stop_ns, bool is_replay, int64_t now_mono_ns);
/* True where the gateway's next message is to be left for now: it reads history and is more than slack_ns ahead of another one
 * that does, too, and has not been silent for patience_ns.
 * Notes  While a gateway is left it cannot be heard: that is no silence of its own. Of all that wait, one is behind the others;
 *        nobody leaves that one, so that its silence runs out. */
bool order_must_wait(struct order *o, int gateway, int64_t slack_ns, int64_t patience_ns, int64_t now_mono_ns);
/* A gateway says that all before tt_ns has been sent.
 * Returned  the moment up to which that is true of every gateway that brought data of this topic within quiet_ns; INT64_MIN where
 *           one of them has not said so */
int64_t order_data_time(struct order *o, int gateway, int64_t tt_ns, int64_t quiet_ns, int64_t now_mono_ns);
#endif
