/* metadata_props are JSON values; each is read by one short function that names the key when it is wrong. */
#include "infer/model.h"
#include <ctype.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define TEMPERATURE_LEAST 0.01
#define TEMPERATURE_MOST  100.0

/* The value of a key. It is the caller's to json_decref; NULL, and reterr filled, where there is none. */
static json_t *key_take(const struct net *net, const char *key, struct burst_error *reterr)
{
    const char *text = net_meta(net, key);
    if (!text) {
        (void)burst_fail(reterr, BURST_E_MODEL, "the model has no metadata '%s'", key);
        return NULL;
    }
    json_t *value = json_loads(text, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, NULL);
    if (!value) (void)burst_fail(reterr, BURST_E_MODEL, "metadata '%s' is no JSON: %.60s", key, text);
    return value;
}

static enum burst_err key_wrong(const struct net *net, const char *key, const char *want, struct burst_error *reterr)
{
    return burst_fail(reterr, BURST_E_MODEL, "metadata '%s' is %.80s; %s is needed", key, net_meta(net, key), want);
}

static enum burst_err key_is_text(const struct net *net, const char *key, const char *want, struct burst_error *reterr)
{
    json_t *value = key_take(net, key, reterr);
    if (!value) return BURST_E_MODEL;
    bool same = json_is_string(value) && strcmp(json_string_value(value), want) == 0;
    json_decref(value);
    return same ? BURST_OK : key_wrong(net, key, want, reterr);
}

static enum burst_err key_number(const struct net *net, const char *key, double least, double most, double *ret,
                                 struct burst_error *reterr)
{
    char want[64];
    json_t *value = key_take(net, key, reterr);
    if (!value) return BURST_E_MODEL;
    double x = json_is_number(value) ? json_number_value(value) : (double)NAN;
    json_decref(value);
    (void)snprintf(want, sizeof want, "a number from %g to %g", least, most);
    if (!(x >= least && x <= most)) return key_wrong(net, key, want, reterr);
    *ret = x;
    return BURST_OK;
}

/* Words of the wire: letters, digits, '.', '_', '-'. */
static bool is_token(const char *text, size_t room)
{
    size_t n = strlen(text);
    for (size_t i = 0; i < n; i++)
        if (!isalnum((unsigned char)text[i]) && !strchr("._-", text[i])) return false;
    return n > 0 && n < room;
}

static enum burst_err version_read(const struct net *net, struct model_tag *tag, struct burst_error *reterr)
{
    json_t *value = key_take(net, "burst.version", reterr);
    if (!value) return BURST_E_MODEL;
    bool good = json_is_string(value) && is_token(json_string_value(value), sizeof tag->version);
    if (good) (void)snprintf(tag->version, sizeof tag->version, "%s", json_string_value(value));
    json_decref(value);
    return good ? BURST_OK : key_wrong(net, "burst.version", "a short word", reterr);
}

/* The last part of a path before `end`; returns where it begins. */
static size_t part_before(const char *path, size_t end)
{
    while (end > 0 && path[end - 1] != '/')
        end--;
    return end;
}

/* models/NAME/VERSION[/model.onnx] is NAME; another folder or FILE.onnx is its own name; failing that, what it is for. */
static void name_read(const char *path, const char *kind, struct model_tag *tag)
{
    size_t end = strlen(path), begin;
    while (end > 0 && path[end - 1] == '/')
        end--;
    if (end >= 10 && strncmp(path + end - 10, "model.onnx", 10) == 0 && (end == 10 || path[end - 11] == '/'))
        end = end > 10 ? end - 11 : 0;
    else if (end >= 5 && strncmp(path + end - 5, ".onnx", 5) == 0)
        end -= 5;
    begin = part_before(path, end);
    if (begin > 0 && end - begin == strlen(tag->version) && strncmp(path + begin, tag->version, end - begin) == 0) {
        end = begin - 1;
        begin = part_before(path, end);
    }
    (void)snprintf(tag->name, sizeof tag->name, "%.*s", (int)(end - begin), path + begin);
    if (!is_token(tag->name, sizeof tag->name)) (void)snprintf(tag->name, sizeof tag->name, "%s", kind);
}

static bool pair_read(const json_t *value, float ret[2])
{
    if (!json_is_array(value) || json_array_size(value) != 2) return false;
    for (size_t i = 0; i < 2; i++) {
        if (!json_is_number(json_array_get(value, i))) return false;
        ret[i] = (float)json_number_value(json_array_get(value, i));
    }
    return isfinite(ret[0]) && isfinite(ret[1]) && ret[0] < ret[1];
}

static enum burst_err bands_read(const struct net *net, struct infer_model *m, struct burst_error *reterr)
{
    json_t *value = key_take(net, "burst.bands_kev", reterr);
    if (!value) return BURST_E_MODEL;
    size_t n = json_array_size(value);
    bool good = json_is_array(value) && n >= 1 && n <= BAND_MAX;
    for (size_t i = 0; good && i < n; i++)
        good = pair_read(json_array_get(value, i), m->band_kev[i]);
    json_decref(value);
    m->n_band = (int)n;
    return good ? BURST_OK : key_wrong(net, "burst.bands_kev", "a list of 1 to 16 rising pairs", reterr);
}

static enum burst_err thresholds_read(const struct net *net, struct model_tag *tag, struct burst_error *reterr)
{
    json_t *value = key_take(net, "burst.thresholds", reterr);
    if (!value) return BURST_E_MODEL;
    tag->open = json_number_value(json_object_get(value, "open"));
    tag->low = json_number_value(json_object_get(value, "low"));
    tag->high = json_number_value(json_object_get(value, "high"));
    json_decref(value);
    if (tag->open > 0 && tag->open < 1 && tag->low > 0 && tag->low < tag->high && tag->high < 1) return BURST_OK;
    return key_wrong(net, "burst.thresholds", "{\"open\", \"low\", \"high\"} between 0 and 1", reterr);
}

/* Which class means "a real burst". */
static enum burst_err classes_read(const struct net *net, struct infer_model *m, struct burst_error *reterr)
{
    static const char *const TRUE_WORD[] = {"burst", "true", "GRB"};
    json_t *value = key_take(net, "burst.classes", reterr);
    if (!value) return BURST_E_MODEL;
    int n_true = 0;
    for (size_t i = 0; json_array_size(value) == 2 && i < 2; i++)
        for (size_t k = 0; k < sizeof TRUE_WORD / sizeof TRUE_WORD[0]; k++) {
            const char *word = json_string_value(json_array_get(value, i));
            if (!word || strcmp(word, TRUE_WORD[k]) != 0) continue;
            m->true_index = (int)i;
            n_true++;
        }
    json_decref(value);
    /* One logit is the logit of the second class: it must be the real one. */
    if (n_true == 1 && (m->n_logit == 2 || m->true_index == 1)) return BURST_OK;
    return key_wrong(net, "burst.classes",
                     "two classes, of which one (the last of a one-logit network) is burst, true or GRB", reterr);
}

static enum burst_err mask_read(const struct net *net, struct infer_model *m, struct burst_error *reterr)
{
    json_t *value = key_take(net, "burst.mask_encoding", reterr);
    if (!value) return BURST_E_MODEL;
    const char *kind = json_string_value(json_object_get(value, "kind"));
    double scale = json_number_value(json_object_get(value, "scale"));
    bool good = kind && strcmp(kind, "scalar") == 0 && scale > 0 && scale < 1e6;
    json_decref(value);
    if (!good) return key_wrong(net, "burst.mask_encoding", "{\"kind\": \"scalar\", \"scale\": > 0}", reterr);
    m->scaling.mask_scale = (float)scale;
    return BURST_OK;
}

static enum burst_err clip_read(const struct net *net, struct infer_model *m, struct burst_error *reterr)
{
    float clip[2];
    double scale;
    json_t *value = key_take(net, "burst.image_clip", reterr);
    if (!value) return BURST_E_MODEL;
    bool good = pair_read(value, clip);
    json_decref(value);
    if (!good) return key_wrong(net, "burst.image_clip", "a rising pair", reterr);
    enum burst_err err = key_number(net, "burst.image_scale", 1e-6, 1e6, &scale, reterr);
    if (err) return err;
    m->scaling.clip_lo = clip[0];
    m->scaling.clip_hi = clip[1];
    m->scaling.image_scale = (float)scale;
    return BURST_OK;
}

/* One input [N, want...], one output [N, 1] or [N, 2]. */
static enum burst_err shape_check(const struct net *net, const int64_t *want, int n_want, struct infer_model *m,
                                  struct burst_error *reterr)
{
    char text[DIMS_TEXT];
    if (net_n_input(net) != 1 || net_n_output(net) != 1)
        return burst_fail(reterr, BURST_E_SHAPE, "the model has %d inputs and %d outputs; one of each is needed",
                          net_n_input(net), net_n_output(net));
    const struct net_port *in = net_input(net, 0), *out = net_output(net, 0);
    bool good = in->batched && in->dims.rank == n_want + 1;
    for (int i = 0; good && i < n_want; i++)
        good = in->dims.dim[i + 1] == want[i];
    dims_text(&in->dims, in->batched, text);
    if (!good)
        return burst_fail(reterr, BURST_E_SHAPE, "input '%s' is %s; [N, %d, %d%s] is needed", in->name, text,
                          (int)want[0], (int)want[1], n_want == 3 ? ", 56" : "");
    dims_text(&out->dims, out->batched, text);
    if (!out->batched || out->dims.rank != 2 || out->dims.dim[1] < 1 || out->dims.dim[1] > 2)
        return burst_fail(reterr, BURST_E_SHAPE, "output '%s' is %s; [N, 1] or [N, 2] is needed", out->name, text);
    m->n_logit = (int)out->dims.dim[1];
    return BURST_OK;
}

static enum burst_err common_read(const struct net *net, const char *path, const char *kind, struct infer_model *m,
                                  struct burst_error *reterr)
{
    struct model_tag *tag = &m->tag;
    enum burst_err err = version_read(net, tag, reterr);
    if (!err) err = classes_read(net, m, reterr);
    if (!err) err = thresholds_read(net, tag, reterr);
    if (!err)
        err = key_number(net, "burst.temperature", TEMPERATURE_LEAST, TEMPERATURE_MOST, &tag->temperature, reterr);
    if (err) return err;
    name_read(path, kind, tag);
    (void)snprintf(tag->sha256, sizeof tag->sha256, "%s", net_sha256(net));
    (void)snprintf(tag->backend, sizeof tag->backend, "%s", net_backend_name(net));
    return BURST_OK;
}

enum burst_err model_read_lightcurve(const struct net *net, const char *path, struct infer_model *ret,
                                     struct burst_error *reterr)
{
    struct infer_model m = {.n_band = 0};
    double bin_s, n_bin;
    enum burst_err err = key_is_text(net, "burst.kind", "light_curve", reterr);
    if (!err) err = bands_read(net, &m, reterr);
    if (!err) err = key_number(net, "burst.bin_s", 0.064, 0.064, &bin_s, reterr);
    if (!err) err = key_number(net, "burst.n_bin", WINDOW_BINS, WINDOW_BINS, &n_bin, reterr);
    if (!err) err = key_is_text(net, "burst.standardise", "band", reterr);
    if (!err) err = shape_check(net, (const int64_t[]){m.n_band, WINDOW_BINS}, 2, &m, reterr);
    if (!err) err = common_read(net, path, "light_curve", &m, reterr);
    if (!err) *ret = m;
    return err;
}

enum burst_err model_read_image(const struct net *net, const char *path, struct infer_model *ret,
                                struct burst_error *reterr)
{
    struct infer_model m = {.n_band = 0};
    enum burst_err err = key_is_text(net, "burst.kind", "image", reterr);
    if (!err) err = clip_read(net, &m, reterr);
    if (!err) err = mask_read(net, &m, reterr);
    if (!err) err = shape_check(net, (const int64_t[]){2, IMAGE_SIDE, IMAGE_SIDE}, 3, &m, reterr);
    if (!err) err = common_read(net, path, "image", &m, reterr);
    if (!err) *ret = m;
    return err;
}
