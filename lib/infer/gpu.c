/* The GPU's part in infer: which networks it is given, and what is told of it. */
#include "base/bytes.h"
#include "base/clock.h"
#include "infer/inside.h"
#include "records/bands.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

enum { PATH_TEXT = 4096, STEP_MS = 200 };

/* The file and the folder of a model that was named either way. */
static void model_paths(const char *path, char ret_file[PATH_TEXT], char ret_folder[PATH_TEXT])
{
    struct stat st;
    size_t n = strlen(path);
    bool folder = stat(path, &st) == 0 && S_ISDIR(st.st_mode);
    (void)snprintf(ret_file, PATH_TEXT, "%.4000s%s", path, folder ? "/model.onnx" : "");
    while (!folder && n > 0 && path[n - 1] != '/')
        n--;
    (void)snprintf(ret_folder, PATH_TEXT, "%.*s", n < 4000 ? (int)n : 4000, n > 0 ? path : ".");
}

static enum burst_err give_model(struct infer *infer, enum device_slot slot, const char *path, const struct net *net,
                                 struct device_model *m, struct burst_error *reterr)
{
    char file[PATH_TEXT], folder[PATH_TEXT];
    uint8_t *bytes = NULL;
    model_paths(path, file, folder);
    enum burst_err err = bytes_read_file(file, NET_FILE_MOST, &bytes, &m->n, reterr);
    m->bytes = bytes;
    m->folder = folder;
    m->sha256 = net_sha256(net); /* a file that was changed in between is another network, and found out as such */
    if (!err) err = device_model(infer->device, slot, m, reterr);
    free(bytes);
    return err;
}

static enum burst_err give_lightcurve(struct infer *infer, const char *path, struct burst_error *reterr)
{
    const struct infer_model *model = &infer->lightcurve_model;
    struct device_model m = {.n_logit = model->n_logit,
                             .true_index = model->true_index,
                             .n_cam = infer->has_head ? (int)infer->head.n_position : 0};
    enum burst_err err = band_set_parse(model->band_kev, model->n_band, &m.bands, reterr);
    return err ? err : give_model(infer, DEVICE_LIGHT_CURVE, path, infer->lightcurve, &m, reterr);
}

static enum burst_err give_image(struct infer *infer, const char *path, struct burst_error *reterr)
{
    const struct infer_model *model = &infer->image_model;
    struct device_model m = {.n_logit = model->n_logit, .true_index = model->true_index, .scaling = model->scaling};
    return give_model(infer, DEVICE_IMAGE, path, infer->image, &m, reterr);
}

void gpu_open(struct infer *infer, const struct infer_settings *settings)
{
    const struct device_own own = {own_window, own_cam, own_image, own_occlude, infer};
    infer->gpu_asked = settings->gpu != NULL;
    infer->cross_check = settings->cross_check;
    if (!settings->gpu) return;
    if (infer->lightcurve) infer->lightcurve_path = strdup(settings->light_curve);
    if (infer->image) infer->image_path = strdup(settings->image);
    if ((infer->lightcurve && !infer->lightcurve_path) || (infer->image && !infer->image_path))
        (void)burst_fail(&infer->no_gpu, BURST_E_NOMEM, "no memory for the names of networks");
    else
        (void)device_open(settings->gpu, &own, &infer->device, &infer->no_gpu); /* it is NULL then, and why is kept */
}

/* Reading and sealing the networks takes a tenth of a start: it is done with the first step, when burstd is ready. */
static void give_networks(struct infer *infer)
{
    enum burst_err err = BURST_OK;
    infer->gpu_given = true;
    if (infer->lightcurve) err = give_lightcurve(infer, infer->lightcurve_path, &infer->no_gpu);
    if (!err && infer->image) err = give_image(infer, infer->image_path, &infer->no_gpu);
    if (!err) return;
    device_close(infer->device);
    infer->device = NULL;
}

int infer_step(struct infer *infer, int64_t now_ns)
{
    if (infer->device && !infer->gpu_given) give_networks(infer);
    return infer->device ? device_step(infer->device, now_ns) : STEP_MS;
}

bool infer_gpu_alerts(const struct infer *infer)
{
    const struct device *d = infer->device;
    return d && (device_is_on(d, DEVICE_ALERT, DEVICE_LIGHT_CURVE) || device_is_on(d, DEVICE_ALERT, DEVICE_IMAGE));
}

bool infer_gpu_explains(const struct infer *infer)
{
    return infer->device && device_is_on(infer->device, DEVICE_BACKGROUND, DEVICE_IMAGE);
}

bool infer_gpu_wait(struct infer *infer, int64_t limit_ns)
{
    struct device_status s;
    int64_t until_ns = clock_mono_ns() + limit_ns;
    while (infer->device && !infer_gpu_alerts(infer) && clock_mono_ns() < until_ns) {
        int ms = infer_step(infer, clock_mono_ns());
        device_status(infer->device, &s);
        if (s.lane[DEVICE_ALERT].state == DEVICE_FAILED) break;
        (void)nanosleep(&(struct timespec){.tv_nsec = ms * 1000000L}, NULL);
    }
    return infer_gpu_alerts(infer);
}

bool infer_gpu_status(const struct infer *infer, struct device_status *ret)
{
    if (!infer->gpu_asked) return false;
    if (infer->device) {
        device_status(infer->device, ret);
        return true;
    }
    *ret = (struct device_status){.n_canary = 0};
    for (int i = 0; i < DEVICE_LANES; i++)
        (void)snprintf(ret->lane[i].why, sizeof ret->lane[i].why, "%.250s", infer->no_gpu.text);
    return true;
}

bool infer_gpu_event(struct infer *infer, struct device_event *ret)
{
    if (infer->device) return device_event(infer->device, ret);
    if (!infer->gpu_asked || infer->gpu_told) return false;
    infer->gpu_told = true;
    *ret = (struct device_event){.lane = DEVICE_ALERT, .state = DEVICE_OFF};
    (void)snprintf(ret->text, sizeof ret->text, "%.250s", infer->no_gpu.text);
    return true;
}
