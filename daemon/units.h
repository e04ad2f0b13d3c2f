/* What the threads hand to one another: units of work, made once at start and passed round. Putting one in a queue gives it
 * away; an empty pool makes the giver wait. */
#ifndef BURST_DAEMON_UNITS_H
#define BURST_DAEMON_UNITS_H
#include "base/arena.h"
#include "base/queue.h"
#include "daemon/restart.h"
#include "decide/book.h"
#include "records/notice.h"

enum work_kind {
    WORK_WINDOW,  /* a closed light-curve window */
    WORK_SILENCE, /* no more data for now: close what is open */
    WORK_ANEW,    /* a replay goes back in time: close what is open, forget the time */
    WORK_IMAGE,   /* a sub-image */
    WORK_NOTICE,  /* a notice */
    WORK_POINT,   /* a restart point that no event depends on */
};

struct work_unit {
    enum work_kind kind;
    struct source source;
    bool archival;                    /* of data older than the rings: WORK_WINDOW, WORK_SILENCE, WORK_ANEW */
    struct lightcurve_window *window; /* storage for one window; WORK_WINDOW */
    struct arena arena;               /* the sub-image's packet lives here; WORK_IMAGE */
    struct subimage_packet packet;
    struct image_sample image;
    struct notice notice; /* WORK_NOTICE, with the two below */
    int64_t arrived_mono_ns;
    double decode_s;
    struct restart_point restart; /* where to read again from, as of this unit */
};

enum publish_kind {
    PUBLISH_VERDICT,
    PUBLISH_EVIDENCE,
    PUBLISH_RESTART,
    PUBLISH_ALERT,    /* an alert that has changed without a record */
    PUBLISH_SIGHTINGS /* triggers that are no events of ours */
};

struct publish_unit {
    enum publish_kind kind;
    struct verdict verdict; /* PUBLISH_VERDICT, PUBLISH_EVIDENCE */
    uint8_t *fits;          /* PUBLISH_EVIDENCE: malloc'd by lib/publish, freed by the publish thread */
    size_t n_fits;
    struct restart_point restart; /* PUBLISH_RESTART */
    enum burst_realm realm;       /* PUBLISH_ALERT, PUBLISH_SIGHTINGS */
    int slot;                     /* PUBLISH_VERDICT, PUBLISH_ALERT: of the alert in its realm's book; negative: none */
    struct alert alert;
    struct sighting sighting[BOOK_SIGHTINGS];
};

/* Units of both kinds and the four queues they go round in. */
struct units {
    struct queue *free_work, *work, *free_publish, *publish;
    struct work_unit *work_unit;
    struct publish_unit *publish_unit;
    int n_work, n_publish;
};

/* All memory of the two pools.
 * Given     image_arena  bytes for one sub-image
 * Errors    BURST_E_NOMEM; *u is then safe for units_fini */
enum burst_err units_init(struct units *u, int n_work, int n_publish, size_t image_arena, struct burst_error *reterr);
/* Accepts zeros. Units still in queues are freed too. */
void units_fini(struct units *u);
#endif
