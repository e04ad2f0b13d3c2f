/* What is told of the device: changes, figures, one line. */
#include "base/clock.h"
#include "infer/device_inside.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *device_state_name(enum device_state state)
{
    static const char *const name[] = {[DEVICE_OFF] = "off",
                                       [DEVICE_STARTING] = "starting",
                                       [DEVICE_CHECKING] = "checking",
                                       [DEVICE_ON] = "on",
                                       [DEVICE_FAILED] = "failed"};
    return name[state];
}

const char *device_lane_name(enum device_lane lane)
{
    return lane == DEVICE_ALERT ? "alert" : "background";
}

const char *device_precision_name(enum worker_precision p)
{
    static const char *const name[] = {[WORKER_FP32] = "fp32", [WORKER_TF32] = "tf32", [WORKER_BF16] = "bf16"};
    return name[p];
}

static struct device_event *event_new(struct device *d, enum device_lane lane, const char *text)
{
    struct device_event *e = &d->event[(d->first_event + d->n_event) % EVENTS];
    if (d->n_event == EVENTS)
        d->first_event = (d->first_event + 1) % EVENTS;
    else
        d->n_event++;
    *e = (struct device_event){.lane = lane, .state = d->lane[lane].told.state};
    (void)snprintf(e->text, sizeof e->text, "%s", text);
    return e;
}

void device_tell(struct device *d, enum device_lane lane, bool alarm, const char *text)
{
    event_new(d, lane, text)->alarm = alarm;
}

void device_tell_refused(struct device *d, enum device_lane lane, const char *text)
{
    event_new(d, lane, text)->refused = true;
}

bool device_event(struct device *d, struct device_event *ret)
{
    if (!d->n_event) return false;
    *ret = d->event[d->first_event];
    d->first_event = (d->first_event + 1) % EVENTS;
    d->n_event--;
    return true;
}

static int compare_ns(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* Quantile q of n sorted ones: the least that a share q of them does not exceed. */
static int64_t quantile(const int64_t *sorted, size_t n, double q)
{
    size_t i = (size_t)(q * (double)n);
    return sorted[i < n ? i : n - 1];
}

void canary_took(struct device_canary *c, int64_t ns)
{
    int64_t sorted[LATENCIES];
    c->latency_ns[c->n++ % LATENCIES] = ns;
    size_t n = c->n < LATENCIES ? (size_t)c->n : LATENCIES;
    memcpy(sorted, c->latency_ns, n * sizeof sorted[0]);
    qsort(sorted, n, sizeof sorted[0], compare_ns);
    c->p50_ns = quantile(sorted, n, 0.5);
    c->p99_ns = quantile(sorted, n, 0.99);
    c->p999_ns = quantile(sorted, n, 0.999);
}

void device_status(const struct device *d, struct device_status *ret)
{
    *ret = (struct device_status){.has_facts = d->has_facts,
                                  .facts = d->facts,
                                  .precision = d->precision,
                                  .n_alarm = d->n_alarm,
                                  .n_canary = d->canary.n,
                                  .p50_ns = d->canary.p50_ns,
                                  .p99_ns = d->canary.p99_ns,
                                  .p999_ns = d->canary.p999_ns};
    for (int i = 0; i < DEVICE_LANES; i++)
        ret->lane[i] = d->lane[i].told;
    for (int i = 0; i < DEVICE_SLOTS; i++)
        ret->loaded[i] = d->lane[DEVICE_ALERT].loaded[i];
}

int device_status_text(const struct device_status *s, int64_t now_ns, char *ret_text, size_t size)
{
    const struct device_lane_status *lane = &s->lane[DEVICE_ALERT];
    const char *why = lane->why[0] ? lane->why : "no GPU worker yet";
    int64_t wait_s = lane->next_try_ns > now_ns ? (lane->next_try_ns - now_ns) / CLOCK_NS_PER_S : 0;
    switch (lane->state) {
    case DEVICE_ON:
        return snprintf(ret_text, size, "cuda: %s, %s", s->facts.device, device_precision_name(s->precision));
    case DEVICE_STARTING: return snprintf(ret_text, size, "cpu: the GPU worker is starting");
    case DEVICE_CHECKING: return snprintf(ret_text, size, "cpu: the GPU's golden answers are being checked");
    case DEVICE_OFF: return snprintf(ret_text, size, "cpu: %s", why);
    case DEVICE_FAILED: break;
    }
    return snprintf(ret_text, size, "cpu: %s, next try in %lld s", why, (long long)wait_s);
}
