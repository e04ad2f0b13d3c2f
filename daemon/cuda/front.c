/* The fronts of a lane's networks: see front.h. */
#include "daemon/cuda/front.h"
#include <string.h>

/* ---- windows ---- */

static void set_view(struct ring_view *view, const struct wire_load *load)
{
    *view = (struct ring_view){.n_bin = WORKER_WINDOW_BINS, .n_band = load->n_band};
    memcpy(view->first, load->first, sizeof view->first);
    memcpy(view->last, load->last, sizeof view->last);
}

enum burst_err front_window_init(struct cuda_engine *engine, const struct wire_load *load, const void *input,
                                 struct front_window *ret, struct burst_error *reterr)
{
    const struct wire_window *in = input; /* an address of the device: only its members' addresses are taken */
    struct rings rings = {.n_ring = WORKER_RINGS, .n_atom = load->n_atom};
    void *counts = NULL, *valid = NULL, *window = NULL, *n = NULL;
    size_t places = (size_t)WORKER_RINGS * RING_BINS;
    enum burst_err err = cuda_take(engine, places * (size_t)load->n_atom * sizeof *rings.counts, &counts, reterr);
    if (!err) err = cuda_take(engine, places, &valid, reterr);
    if (!err) err = cuda_take(engine, RING_WINDOW_MOST * sizeof(struct ring_window), &window, reterr);
    if (!err) err = cuda_take(engine, sizeof(int32_t), &n, reterr);
    rings.counts = counts;
    rings.valid = valid;
    struct front_window f = {.update = {.rings = rings,
                                        .limits = {.n_ring = WORKER_RINGS,
                                                   .n_atom = load->n_atom,
                                                   .n_update = WORKER_ROWS_MOST,
                                                   .n_window = RING_WINDOW_MOST,
                                                   .n_counts = WIRE_COUNTS_MOST,
                                                   .n_valid = WIRE_VALID_MOST},
                                        .job = &in->job,
                                        .counts = in->counts,
                                        .valid = in->valid,
                                        .ret_window = window,
                                        .ret_n_window = n},
                             .window = {.rings = rings, .window = window, .n = n}};
    set_view(&f.window.view, load);
    if (err)
        front_window_fini(engine, &f);
    else
        *ret = f;
    return err;
}

void front_window_fini(struct cuda_engine *engine, struct front_window *f)
{
    cuda_give_back(engine, f->update.rings.counts);
    cuda_give_back(engine, f->update.rings.valid);
    cuda_give_back(engine, f->update.ret_window);
    cuda_give_back(engine, f->update.ret_n_window);
}

enum burst_err front_window_queue(void *context, const struct cuda_tensor *to, int n, void *stream,
                                  struct burst_error *reterr)
{
    const struct front_window *f = context;
    struct ring_window_job window = f->window;
    if (to->n_channel != window.view.n_band || to->size[0] != 1 || to->size[1] != window.view.n_bin)
        return burst_fail(reterr, BURST_E_SHAPE,
                          "a network of %lld channels and %lld x %lld places for windows of %d x %d",
                          (long long)to->n_channel, (long long)to->size[0], (long long)to->size[1],
                          (int)window.view.n_band, (int)window.view.n_bin);
    window.view.n_padded = (int32_t)to->n_padded;
    window.view.bf16 = to->bf16;
    window.n_sample = n;
    window.ret = to->at;
    int bad = ring_update_cuda(&f->update, stream);
    if (!bad) bad = ring_window_cuda(&window, stream);
    return bad ? burst_fail(reterr, BURST_E_DEVICE, "windows: CUDA error %d", bad) : BURST_OK;
}

enum burst_err front_window_check(const struct front_window *f, const struct wire_window *input, uint64_t n,
                                  struct burst_error *reterr)
{
    struct ring_job job;
    memcpy(&job, &input->job, sizeof job); /* what is checked must not change meanwhile */
    enum burst_err err = ring_job_check(&job, &f->update.limits, reterr);
    if (!err && (uint64_t)job.n_window != n)
        return burst_fail(reterr, BURST_E_RANGE, "%d windows in a job of %llu", (int)job.n_window,
                          (unsigned long long)n);
    return err;
}

/* ---- sub-images ---- */

void front_image_init(const struct wire_load *load, const void *input, struct front_image *ret)
{
    const struct wire_image *in = input; /* an address of the device, as above */
    const float *s = load->scaling;
    ret->job = (struct image_pack_job){.job = &in->job,
                                       .snr = in->snr,
                                       .mask = in->mask,
                                       .n_image = 1,
                                       .side = WORKER_IMAGE_SIDE,
                                       .scaling = {s[0], s[1], s[2], s[3]}};
}

enum burst_err front_image_queue(void *context, const struct cuda_tensor *to, int n, void *stream,
                                 struct burst_error *reterr)
{
    const struct front_image *f = context;
    struct image_pack_job job = f->job;
    if (to->n_channel != 2 || to->size[0] != job.side || to->size[1] != job.side)
        return burst_fail(reterr, BURST_E_SHAPE,
                          "a network of %lld channels and %lld x %lld pixels for sub-images of 2 x %d x %d",
                          (long long)to->n_channel, (long long)to->size[0], (long long)to->size[1], job.side, job.side);
    job.as = (struct layout){to->size[0] * to->size[1], to->n_channel, to->n_padded, to->bf16};
    job.n_sample = n;
    job.ret = to->at;
    int bad = image_pack_cuda(&job, stream);
    return bad ? burst_fail(reterr, BURST_E_DEVICE, "sub-images: CUDA error %d", bad) : BURST_OK;
}

enum burst_err front_image_check(const struct wire_image *input, uint64_t n, struct burst_error *reterr)
{
    struct image_job job;
    memcpy(&job, &input->job, sizeof job);
    enum burst_err err = image_job_check(&job, 1, WORKER_IMAGE_SIDE, WORKER_BATCH_MOST, reterr);
    if (!err && (uint64_t)job.n_sample != n)
        return burst_fail(reterr, BURST_E_RANGE, "%d samples in a job of %llu", (int)job.n_sample,
                          (unsigned long long)n);
    return err;
}
