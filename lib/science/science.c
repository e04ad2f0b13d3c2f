/* From settings to opened things. */
#include "science/science.h"
#include "base/bytes.h"
#include "base/hash.h"
#include "records/bands.h"
#include "science/gpu.h"
#include "science/instruments.h"
#include <stdlib.h>
#include <string.h>

enum { PATH_TEXT = 4096 };

/* Of this process's own networks, which answer wherever the GPU does not. */
static const enum net_backend_id BACKEND[] = {[CONFIG_BACKEND_AUTO] = NET_BACKEND_AUTO,
                                              [CONFIG_BACKEND_CUDA] = NET_BACKEND_AUTO,
                                              [CONFIG_BACKEND_CPU] = NET_BACKEND_CPU,
                                              [CONFIG_BACKEND_PLAIN] = NET_BACKEND_PLAIN};
_Static_assert((int)CONFIG_PRECISION_TF32 == (int)WORKER_TF32 && (int)CONFIG_PRECISION_BF16 == (int)WORKER_BF16 &&
                   (int)CONFIG_CROSS_TRIGGERS == (int)INFER_CROSS_TRIGGERS &&
                   (int)CONFIG_CROSS_ALL == (int)INFER_CROSS_ALL,
               "the configuration's words stand for those of infer");

/* An empty path means "none" and stays empty. */
static enum burst_err model_path(const char *configured, char ret_path[PATH_TEXT], struct burst_error *reterr)
{
    ret_path[0] = 0;
    return configured[0] ? config_data_path(configured, ret_path, PATH_TEXT, reterr) : BURST_OK;
}

static enum burst_err open_networks(const struct burst_config *config, struct science *s, struct burst_error *reterr)
{
    char light_curve[PATH_TEXT], image[PATH_TEXT];
    struct gpu_settings gpu;
    enum burst_err err = model_path(config->models_light_curve, light_curve, reterr);
    if (!err) err = model_path(config->models_image, image, reterr);
    if (!err) err = gpu_settings_of(config, &gpu, reterr);
    struct infer_settings settings = {.light_curve = light_curve,
                                      .image = image,
                                      .backend = BACKEND[config->models_backend],
                                      .gpu = gpu_wanted(config) ? &gpu.device : NULL,
                                      .cross_check = (enum infer_cross_check)config->gpu_cross_check};
    if (!err) err = infer_open(&settings, &s->infer, reterr);
    const struct infer_model *model = err ? NULL : infer_lightcurve_model(s->infer);
    if (model) err = band_set_parse(model->band_kev, model->n_band, &s->bands, reterr);
    return err;
}

/* Catalogue from one reading of the file, so that what is used is what is hashed. */
static enum burst_err open_catalogue(const struct burst_config *config, struct science *s, struct burst_error *reterr)
{
    char path[PATH_TEXT];
    uint8_t digest[32], *bytes = NULL;
    size_t n = 0;
    enum burst_err err = config_data_path(config->image_catalogue, path, sizeof path, reterr);
    if (!err) err = bytes_read_file(path, CATALOGUE_BYTES_MAX, &bytes, &n, reterr);
    if (!err) err = catalogue_parse((const char *)bytes, n, path, &s->catalogue, reterr);
    if (!err) {
        config_digest(config, digest);
        struct hash_piece pieces[2] = {{digest, sizeof digest}, {bytes, n}};
        hash_sha256(pieces, 2, s->decide.config_sha256);
    }
    free(bytes);
    return err;
}

enum burst_err science_open(const struct burst_config *config, struct science *ret_s, struct burst_error *reterr)
{
    struct science s = {.decide = {.open = config->detect_open,
                                   .low = config->detect_low,
                                   .high = config->detect_high,
                                   .quiet_s = config->detect_quiet_s,
                                   .merge_s = config->detect_merge_s,
                                   .revision_gap_s = config->detect_min_revision_gap_s}};
    enum burst_err err = instruments_open(config, reterr);
    if (!err) err = decide_settings_check(&s.decide, reterr);
    if (!err) err = open_networks(config, &s, reterr);
    if (!err) err = open_catalogue(config, &s, reterr);
    if (err)
        science_close(&s);
    else
        *ret_s = s;
    return err;
}

void science_image_sha256(const uint8_t config_sha256[32], const struct overlay *o, uint8_t ret_sha256[32])
{
    char text[OVERLAY_TEXT];
    if (o->n_source == 0) {
        memcpy(ret_sha256, config_sha256, 32);
        return;
    }
    struct hash_piece pieces[2] = {{config_sha256, 32}, {text, overlay_text(o, text)}};
    hash_sha256(pieces, 2, ret_sha256);
}

void science_close(struct science *s)
{
    infer_close(s->infer);
    catalogue_fini(&s->catalogue);
    memset(s, 0, sizeof *s);
}
