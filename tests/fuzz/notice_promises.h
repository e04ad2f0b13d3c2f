/* What records/notice.h promises of any notice that was accepted, whatever the bytes were. */
#ifndef BURST_TESTS_FUZZ_NOTICE_PROMISES_H
#define BURST_TESTS_FUZZ_NOTICE_PROMISES_H
#include "base/clock.h"
#include "ingest/notice.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static inline void promise(int holds)
{
    if (!holds) abort();
}

static inline void promise_range(double value, double least, double most)
{
    promise(isnan(value) || (value >= least && value <= most));
}

/* Ends within its field, and holds no control character. */
static inline void promise_text(const char *text, size_t size)
{
    size_t n = strnlen(text, size);
    promise(n < size);
    for (size_t i = 0; i < n; i++)
        promise((unsigned char)text[i] >= 0x20 && text[i] != 0x7f);
}

static inline void promise_time(int64_t tt_ns)
{
    promise(tt_ns == 0 || (tt_ns >= 631152000 * CLOCK_NS_PER_S && tt_ns < 4133980800 * CLOCK_NS_PER_S));
}

static inline void promise_words(const struct notice *n)
{
    promise(n->id[0] && n->mission_name[0]);
    promise(n->id[strspn(n->id, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-")] == 0);
    promise_text(n->id, sizeof n->id);
    promise_text(n->trigger_name, sizeof n->trigger_name);
    promise_text(n->mission_name, sizeof n->mission_name);
    promise_text(n->instrument_name, sizeof n->instrument_name);
    promise_text(n->kind_word, sizeof n->kind_word);
    promise_text(n->ivorn, sizeof n->ivorn);
    promise_text(n->text, sizeof n->text);
    promise_text(n->mission_class, sizeof n->mission_class);
    promise_text(n->second_class, sizeof n->second_class);
    promise_text(n->catalogue_name, sizeof n->catalogue_name);
    promise(n->n_cited >= 0 && n->n_cited <= NOTICE_CITED_MAX);
    for (int i = 0; i < n->n_cited; i++) {
        promise(n->cited[i].cite < CITE_N);
        promise_text(n->cited[i].ivorn, sizeof n->cited[i].ivorn);
    }
}

static inline void promise_figures(const struct notice *n)
{
    promise(isnan(n->ra_deg) == isnan(n->dec_deg) && (!isnan(n->ra_deg) || isnan(n->error_deg)));
    promise(isnan(n->containment) || !isnan(n->error_deg));
    promise(n->ra_deg != 360);
    promise_range(n->ra_deg, 0, 360);
    promise_range(n->dec_deg, -90, 90);
    promise_range(n->error_deg, 0, 180);
    promise_range(n->containment, 0, 1);
    promise_range(n->class_p, 0, 1);
    promise_range(n->second_p, 0, 1);
    promise_range(n->inference_p, 0, 1);
    promise_range(n->p_astro, 0, 1);
    promise_range(n->sat_longitude_deg, -180, 180);
    promise_range(n->sat_latitude_deg, -90, 90);
    promise_range(n->sun_angle_deg, 0, 180);
    promise_range(n->moon_angle_deg, 0, 180);
    promise_range(n->snr_sigma, -1e6, 1e6);
    promise_range(n->intensity, -1e9, 1e9);
    promise(isnan(n->timescale_s) || n->timescale_s > 0);
    promise(!(n->e_max_kev <= n->e_min_kev));
    promise(isnan(n->quaternion[0]) == isnan(n->quaternion[3]));
    promise(n->flags < 1u << NOTICE_FLAG_N && n->packet_type >= 0 && n->packet_serial >= 0 && n->record >= 0);
}

static inline void promise_notice(const struct notice *n)
{
    promise(n->kind < NOTICE_KIND_N && n->type < ALERT_N && n->tense < TENSE_N && n->event_class <= CLASS_N);
    promise((n->kind == NOTICE_RETRACTION) == (n->type == ALERT_RETRACTION));
    promise(n->trigger_ns || n->kind == NOTICE_RETRACTION);
    promise(n->slew < SLEW_N && n->trigger_type < TRIGGER_TYPE_N);
    promise_time(n->trigger_ns);
    promise_time(n->published_ns);
    promise_time(n->sequence_ns);
    promise_time(n->window.start_ns);
    promise(n->window.stop_ns >= n->window.start_ns && !n->window.start_ns == !n->window.stop_ns);
    promise_words(n);
    promise_figures(n);
}

/* The bytes as a notice of each mission in turn, until it is on its own topic. A refusal leaves the record alone. */
static inline void promise_any_mission(enum notice_content content, const uint8_t *data, size_t size)
{
    static struct notice untouched;
    memset(&untouched, 0x5a, sizeof untouched);
    for (int m = 0; m < MISSION_N; m++) {
        struct source source = {(enum burst_realm)(m % REALM_N), (enum burst_mission)m, INSTRUMENT_NONE};
        struct burst_error why = {.text = ""};
        struct notice n;
        memset(&n, 0x5a, sizeof n);
        enum burst_err err = ingest_notice(source, content, data, size, &n, &why);
        if (!err) {
            promise_notice(&n);
            return;
        }
        promise(err == why.code && why.text[0] && !strchr(why.text, '\n') && err != BURST_E_NOMEM);
        promise(memcmp(&n, &untouched, sizeof n) == 0);
        if (err != BURST_E_CONFLICT) return;
    }
}
#endif
