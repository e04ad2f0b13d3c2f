/* The ingest thread's insides: what the readers of the four kinds of input share. Private to daemon/ingest.c and daemon/take_*.c;
 * everything here belongs to the ingest thread. */
#ifndef BURST_DAEMON_INTAKE_H
#define BURST_DAEMON_INTAKE_H
#include "base/arena.h"
#include "daemon/feed.h"
#include "daemon/pipeline.h"
#include "ingest/repeats.h"

enum { INTAKE_WAIT_MS = 100, ARCHIVE_WAIT_MS = 5 };

struct intake {
    struct pipeline *p;
    int n_feed;
    struct feed feed[FEED_MAX];
    int n_subscriber;
    struct subscriber *subscriber[CONFIG_INPUT_MAX];
    bool has_stream[CONFIG_INPUT_MAX]; /* it has said which log is its own */
    struct arena arena;
    struct ingest_repeats *repeats; /* bodies that another gateway brought, sub-images */
    struct platforms *platforms;    /* where the satellites are */
    int64_t arrived_mono_ns;        /* of the message in hand */
    bool waited;            /* the message in hand had to wait for windows of an archive: other gateways go first */
    int64_t told_mono_ns;   /* when the subscribers' counts were last told */
    int64_t polled_mono_ns; /* when the live sockets were last looked at, or emptied */
};

/* ---- ingest.c ---- */

/* A unit for the work thread, waiting while it is busy; NULL when the daemon is stopping. */
struct work_unit *intake_take_free(struct intake *in);
/* What comes live while we cannot read is dropped now and then: memory stays bounded, and history gives it again when there
 * is room. Call it in long work. */
void intake_shed(struct intake *in);
/* BURST_E_TIME  live data that end more than an hour after the host's clock; `what` begins the sentence */
enum burst_err intake_check_ahead(enum burst_realm realm, const char *what, int64_t stop_ns,
                                  struct burst_error *reterr);
/* Refuse the input in hand: counted, logged once a minute. `item` is the message, NULL where there is none. */
void intake_refuse(struct intake *in, enum health_kind kind, const char *source, int gateway,
                   const struct stream_item *item, const struct burst_error *e);

/* ---- take_*.c: one message of a kind, not seen before; `gateway` is its place among the inputs of the configuration ---- */

void take_events(struct intake *in, struct feed *f, int gateway, const struct stream_item *item);
void take_image(struct intake *in, struct feed *f, int gateway, const struct stream_item *item);
void take_notice(struct intake *in, struct feed *f, int gateway, const struct stream_item *item);
void take_platform(struct intake *in, struct feed *f, int gateway, const struct stream_item *item);

/* Bins [from_k, to_k) of a packet that are older than the feed's rings: into its archive's rings. False: the daemon is stopping. */
bool archive_add(struct intake *in, struct feed *f, const struct event_packet *packet, int64_t from_k, int64_t to_k);
/* Windows of the archives to the work thread, while it has nothing else to do. True where more of them wait. */
bool archive_search(struct intake *in);

/* Hand every closed window of a feed to the work thread. False: the daemon is stopping. */
bool take_windows(struct intake *in, struct feed *f);
/* A unit without data, behind all windows so far. False: the daemon is stopping. */
bool take_word(struct intake *in, struct feed *f, enum work_kind kind);
#endif
