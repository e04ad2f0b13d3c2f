/* Jobs in a ring, the oldest first. */
#include "daemon/explain.h"
#include "base/log.h"
#include "prepare/window.h"
#include "publish/evidence.h"
#include <stdlib.h>

/* A step is one detector's Grad-CAM or 32 small forward passes, 4 to 8 ms; on the GPU as many as it takes at once. */
enum { JOB_MAX = 4, PIXELS_A_STEP = 31 };

struct job {
    struct verdict verdict;
    struct work_unit *unit;           /* a sub-image, or NULL: a window */
    struct lightcurve_window *window; /* storage of its own */
    int next, n_cam;                  /* next pixel or row; rows explained */
    struct image_explanation image;
    struct window_explanation cam[DETECTOR_MAX];
};

struct explainer {
    struct pipeline *p;
    int first, n;
    struct job job[JOB_MAX];
};

enum burst_err explainer_new(struct pipeline *p, struct explainer **ret_x, struct burst_error *reterr)
{
    struct explainer *x = calloc(1, sizeof *x);
    enum burst_err err = x ? BURST_OK : burst_fail(reterr, BURST_E_NOMEM, "no memory for explanations");
    for (int i = 0; !err && i < JOB_MAX; i++)
        err = window_new(DETECTOR_MAX, &x->job[i].window, reterr);
    if (err) {
        explainer_free(x);
        return err;
    }
    x->p = p;
    *ret_x = x;
    return BURST_OK;
}

void explainer_free(struct explainer *x)
{
    for (int i = 0; x && i < JOB_MAX; i++)
        window_free(x->job[i].window);
    free(x);
}

static struct publish_unit *take_publish(struct explainer *x)
{
    return pipeline_take_free(x->p, x->p->units.free_publish, THREAD_WORK, NULL);
}

static void tell_evidence(struct explainer *x, const struct job *job, enum burst_err err, uint8_t *fits, size_t n_fits,
                          const struct burst_error *e)
{
    if (err) {
        health_add(x->p->health, COUNT_EVIDENCE_FAILED, 1);
        log_line(LOG_LEVEL_ERROR, "evidence not written id=%s record=%d error=%s what=\"%s\"", job->verdict.id,
                 job->verdict.record_number, burst_err_name(err), e->text);
        return;
    }
    struct publish_unit *unit = take_publish(x);
    unit->kind = PUBLISH_EVIDENCE;
    unit->verdict = job->verdict;
    unit->fits = fits;
    unit->n_fits = n_fits;
    pipeline_give(x->p->units.publish, unit);
}

/* A sub-image is done with once its evidence is on its way: now it need not be read again. */
static void image_end(struct explainer *x, struct job *job)
{
    struct publish_unit *keep = take_publish(x);
    keep->kind = PUBLISH_RESTART;
    keep->restart = job->unit->restart;
    pipeline_give(x->p->units.publish, keep);
    pipeline_give(x->p->units.free_work, job->unit);
}

static void job_end(struct explainer *x, enum burst_err err, uint8_t *fits, size_t n_fits, const struct burst_error *e)
{
    struct job *job = &x->job[x->first];
    tell_evidence(x, job, err, fits, n_fits, e);
    if (job->unit) image_end(x, job);
    x->first = (x->first + 1) % JOB_MAX;
    x->n--;
}

static void step_image(struct explainer *x, struct job *job)
{
    struct burst_error e;
    uint8_t *fits = NULL;
    size_t n_fits = 0;
    struct infer *infer = x->p->science.infer;
    int n_pixel = infer_gpu_explains(infer) ? INFER_EXPLAIN_MOST : PIXELS_A_STEP;
    bool explained =
        infer_explain_image_part(infer, &job->unit->image, n_pixel, &job->next, &job->image, &e) == BURST_OK;
    if (explained && job->next < INFER_EXPLAIN_PIXELS) return;
    enum burst_err err =
        evidence_image(&job->verdict, &job->unit->image, explained ? &job->image : NULL, &fits, &n_fits, &e);
    job_end(x, err, fits, n_fits, &e);
}

static void step_window(struct explainer *x, struct job *job)
{
    struct burst_error e;
    uint8_t *fits = NULL;
    size_t n_fits = 0;
    while (job->next < job->window->n_detector && !job->window->scored[job->next])
        job->next++;
    if (job->next < job->window->n_detector) {
        enum burst_err err =
            infer_explain_window(x->p->science.infer, job->window, job->next++, &job->cam[job->n_cam], &e);
        if (!err) job->n_cam++; /* a network without global pooling has no map: the counts go out all the same */
        return;
    }
    enum burst_err err = evidence_lightcurves(&job->verdict, job->window, job->cam, job->n_cam, &fits, &n_fits, &e);
    job_end(x, err, fits, n_fits, &e);
}

bool explainer_step(struct explainer *x)
{
    if (!x->n) return false;
    struct job *job = &x->job[x->first];
    if (job->unit)
        step_image(x, job);
    else
        step_window(x, job);
    return true;
}

static struct job *job_begin(struct explainer *x, const struct verdict *v)
{
    while (x->n == JOB_MAX) {
        health_progress(x->p->health, THREAD_WORK);
        (void)explainer_step(x); /* there is one */
    }
    struct job *job = &x->job[(x->first + x->n++) % JOB_MAX];
    job->verdict = *v;
    job->unit = NULL;
    job->next = job->n_cam = 0;
    return job;
}

void explainer_window(struct explainer *x, const struct verdict *v, const struct lightcurve_window *window)
{
    struct job *job = job_begin(x, v);
    (void)window_copy(window, job->window, NULL); /* storage for every detector there is: cannot be short */
}

void explainer_image(struct explainer *x, const struct verdict *v, struct work_unit *unit)
{
    struct job *job = job_begin(x, v);
    job->unit = unit;
}

bool explainer_waits(const struct explainer *x)
{
    return x->n > 0;
}
