/* Everything that decides what a verdict says, opened from one configuration: networks, bands, catalogue, thresholds and
 * the digest that stands for them in verdict_id. The daemon and burst-classify open it alike, so that the same input gives
 * the same `core` in both. The only library above the stages. */
#ifndef BURST_SCIENCE_SCIENCE_H
#define BURST_SCIENCE_SCIENCE_H
#include "config/config.h"
#include "decide/settings.h"
#include "infer/infer.h"
#include "prepare/overlay.h"

struct science {
    struct infer *infer;
    struct catalogue catalogue;
    struct band_set bands; /* of the light-curve network; n_atom 0 where none is configured */
    struct decide_settings decide;
};

/* Open the networks and the catalogue a configuration names.
 * Returned  ret_s  freed by science_close; decide.config_sha256 covers the core keys and the catalogue's bytes, not where
 *                  files lie: the networks' own digests are in verdict_id beside it
 * Errors    of instruments_open, config_data_path, infer_open, band_set_parse, catalogue_load, decide_settings_check; ret_s untouched */
enum burst_err science_open(const struct burst_config *config, struct science *ret_s, struct burst_error *reterr);
/* What stands for configuration and catalogue in the verdict_id of a sub-image while sources have been added.
 * Given     config_sha256  decide.config_sha256
 * Returned  ret_sha256     the same for an empty overlay, else SHA-256 over it and overlay_text: the same sources give the same
 *                          digest whatever the order in which they were added */
void science_image_sha256(const uint8_t config_sha256[32], const struct overlay *o, uint8_t ret_sha256[32]);
/* Accepts zeros. */
void science_close(struct science *s);
#endif
