/* The known sources in force: those of the catalogue file and those added in operation. Three threads meet here. Main changes them
 * (the `catalog` command); the publish thread makes a change durable, with its audit record, before anybody acts on it; the
 * ingest thread masks sub-images with them. A change takes effect with the next sub-image. */
#ifndef BURST_DAEMON_KNOWN_H
#define BURST_DAEMON_KNOWN_H
#include "prepare/subimage.h"
#include "publish/store.h"
#include "science/science.h"

struct known;

enum { KNOWN_WHO = 64, KNOWN_WHY = 256 };

struct known_change {
    bool remove, force;
    struct catalogue_source source; /* of a removal only the name */
    char who[KNOWN_WHO + 1], why[KNOWN_WHY + 1];
};

/* Before the threads start: what was added before comes from the store.
 * Given     science   lent until known_close
 * Errors    of overlay_parse and overlay_merge: burstd must not start with fewer known sources than it had
 *           BURST_E_IO, BURST_E_NOMEM; *ret_known untouched */
enum burst_err known_open(const struct science *science, struct store *store, struct known **ret_known,
                          struct burst_error *reterr);
/* NULL is accepted. */
void known_close(struct known *k);

/* Ingest thread: subimage_prepare with the sources of this moment; config_sha256 of the sample is theirs. Errors of it. */
enum burst_err known_prepare(struct known *k, const struct subimage_packet *packet,
                             const struct platform_state *platform, struct image_sample *ret_sample,
                             struct burst_error *reterr);

/* Publish thread, at every turn: write the change under way, if any.
 * Errors    the store's; it is then broken, and who asked is told */
enum burst_err known_commit(struct known *k, struct store *store, struct burst_error *reterr);

/* ---- main thread ---- */

/* Begin a change; known_outcome tells its end.
 * Errors    BURST_E_FULL  one is under way; those of overlay_add, overlay_remove: nothing is changed */
enum burst_err known_begin(struct known *k, const struct known_change *change, struct burst_error *reterr);
bool known_under_way(const struct known *k);

struct known_outcome {
    enum burst_err err;
    struct burst_error error;
    struct known_change change; /* the source as it was taken: its position rounded; a removed one as it was */
    int64_t audit_number;
};
/* The end of the change under way, once; it is in force then. False: none, or not yet. */
bool known_end(struct known *k, struct known_outcome *ret_outcome);

/* What is in force, until the next known_end. */
const struct catalogue *known_catalogue(const struct known *k);
const struct overlay *known_overlay(const struct known *k);
void known_sha256(const struct known *k, uint8_t ret_sha256[32]);
#endif
