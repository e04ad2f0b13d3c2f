/* Words and figures of the GPU. */
#include "daemon/gpu.h"
#include "base/clock.h"
#include "base/log.h"
#include <stdio.h>

static const int64_t TELL_EVERY_NS = CLOCK_NS_PER_S / 10;

/* A machine without a GPU is no fault where `auto` found none. */
static enum log_level level_of(const struct pipeline *p, const struct device_event *e, const struct device_status *s)
{
    if (e->alarm) return LOG_LEVEL_ERROR;
    if (e->refused) return LOG_LEVEL_WARNING;
    if (e->state == DEVICE_ON) return LOG_LEVEL_NOTICE;
    bool expected = p->config.models_backend == CONFIG_BACKEND_CUDA || s->lane[e->lane].n_failed > 0;
    return expected ? LOG_LEVEL_WARNING : LOG_LEVEL_INFO;
}

static const char *word_of(const struct device_event *e)
{
    if (e->refused) return "the GPU refuses a job, the cpu answers it";
    return e->state == DEVICE_ON ? "the GPU answers" : "the GPU does not answer, the cpu does";
}

static void tell(struct pipeline *p, const struct device_event *e, const struct device_status *s)
{
    if (e->alarm) health_add(p->health, COUNT_ALARMS, 1);
    if (e->alarm)
        log_line(LOG_LEVEL_ERROR, "ALARM the GPU's answer is wrong and not used alarm=gpu lane=%s what=\"%s\"",
                 device_lane_name(e->lane), e->text);
    else
        log_line(level_of(p, e, s), "%s lane=%s state=%s what=\"%s\"", word_of(e), device_lane_name(e->lane),
                 device_state_name(e->state), e->text);
}

int gpu_keep(struct pipeline *p, int64_t *told_ns)
{
    struct infer *infer = p->science.infer;
    struct device_status s;
    struct device_event e;
    int64_t now_ns = clock_mono_ns();
    int wait_ms = infer_step(infer, now_ns);
    bool news = *told_ns == 0 || now_ns - *told_ns > TELL_EVERY_NS;
    if (!infer_gpu_status(infer, &s)) return wait_ms;
    while (infer_gpu_event(infer, &e)) {
        tell(p, &e, &s);
        news = true;
    }
    if (!news) return wait_ms;
    health_gpu_set(p->health, &s);
    *told_ns = now_ns;
    return wait_ms;
}

const char *gpu_mode(struct pipeline *p)
{
    struct device_status s;
    if (!health_gpu(p->health, &s)) return p->config.models_backend == CONFIG_BACKEND_CUDA ? "degraded" : "cpu";
    const struct device_lane_status *lane = &s.lane[DEVICE_ALERT];
    if (lane->state == DEVICE_ON) return "cuda";
    return lane->n_failed || p->config.models_backend == CONFIG_BACKEND_CUDA ? "degraded" : "cpu";
}

void gpu_line(struct pipeline *p, char ret_text[GPU_LINE_TEXT])
{
    struct device_status s;
    if (health_gpu(p->health, &s))
        (void)device_status_text(&s, clock_mono_ns(), ret_text, GPU_LINE_TEXT);
    else
        (void)snprintf(ret_text, GPU_LINE_TEXT, "cpu");
}

bool gpu_has(struct pipeline *p, enum device_slot slot)
{
    struct device_status s;
    return health_gpu(p->health, &s) && s.lane[DEVICE_ALERT].state == DEVICE_ON && s.loaded[slot];
}

static json_t *lane_json(const struct device_lane_status *lane)
{
    json_t *json = json_pack("{s:s, s:I, s:I, s:I}", "state", device_state_name(lane->state), "answered",
                             (json_int_t)lane->n_answered, "redone_on_cpu", (json_int_t)lane->n_redone, "lost",
                             (json_int_t)lane->n_failed);
    if (lane->why[0]) (void)json_object_set_new(json, "last_failure", json_string(lane->why));
    return json;
}

static json_t *canary_json(const struct device_status *s)
{
    return json_pack("{s:I, s:f, s:f, s:f}", "n", (json_int_t)s->n_canary, "p50_us", (double)s->p50_ns * 1e-3, "p99_us",
                     (double)s->p99_ns * 1e-3, "p999_us", (double)s->p999_ns * 1e-3);
}

static void put_facts(json_t *json, const struct worker_facts *f)
{
    char sm[16];
    (void)snprintf(sm, sizeof sm, "%d.%d", f->sm / 10, f->sm % 10);
    (void)json_object_set_new(json, "device", json_string(f->device));
    (void)json_object_set_new(json, "compute_capability", json_string(sm));
    (void)json_object_set_new(json, "driver", json_integer(f->driver));
    (void)json_object_set_new(json, "runtime", json_integer(f->runtime));
    (void)json_object_set_new(json, "cudnn", json_integer(f->cudnn));
    (void)json_object_set_new(json, "worker_pid", json_integer(f->pid));
}

json_t *gpu_json(struct pipeline *p)
{
    struct device_status s;
    char line[GPU_LINE_TEXT];
    if (!health_gpu(p->health, &s)) return NULL;
    (void)device_status_text(&s, clock_mono_ns(), line, sizeof line);
    json_t *json =
        json_pack("{s:s, s:s, s:I, s:o, s:o, s:o}", "status", line, "precision", device_precision_name(s.precision),
                  "alarms", (json_int_t)s.n_alarm, "alert", lane_json(&s.lane[DEVICE_ALERT]), "background",
                  lane_json(&s.lane[DEVICE_BACKGROUND]), "canary", canary_json(&s));
    if (json && s.has_facts) put_facts(json, &s.facts);
    return json;
}
