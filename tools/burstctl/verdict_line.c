/* console.md 3.3: 03:12:26Z TRUE 0.93 [.86-.97] sb26112003 ECLAIRs SNR 9.1 RA 143.2478 Dec -68.0289 r90 6' T0+81s OPEN */
#include "burstctl.h"
#include <ctype.h>
#include <math.h>
#include <stdarg.h>
#include <string.h>

/* Growing text in the line's storage; what does not fit is cut. */
struct line {
    char *at;
    size_t n;
};

static void add(struct line *l, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void add(struct line *l, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int n = vsnprintf(l->at + l->n, VERDICT_LINE - l->n, format, args);
    va_end(args);
    if (n > 0) l->n = l->n + (size_t)n < VERDICT_LINE ? l->n + (size_t)n : VERDICT_LINE - 1;
}

static const char *text_of(const json_t *v, const char *key)
{
    const char *text = json_string_value(json_object_get(v, key));
    return text ? clean(text) : "";
}

static double number_of(const json_t *v, const char *key)
{
    const json_t *x = json_object_get(v, key);
    return json_is_number(x) ? json_number_value(x) : NAN;
}

static void add_upper(struct line *l, const char *text, int width)
{
    int i = 0;
    for (; text[i]; i++)
        add(l, "%c", toupper((unsigned char)text[i]));
    for (; i < width; i++)
        add(l, " ");
}

static const char *call_colour(const json_t *v)
{
    const char *type = text_of(v, "alert_type"), *call = text_of(v, "verdict");
    if (strcmp(type, "retraction") == 0) return "\033[1;31m";
    if (strcmp(call, "true") == 0) return "\033[1;32m";
    if (strcmp(call, "unclear") == 0) return "\033[1;33m";
    return "\033[2m";
}

/* Time of day where the alert is of the day it is told on, else the date too: a shift's lines stay short, an archive's say
 * which year they speak of. */
static void add_time(struct line *l, const json_t *v)
{
    const char *trigger = text_of(v, "trigger_time"), *told = text_of(v, "alert_datetime");
    if (strlen(trigger) < 19)
        add(l, "%9s", "");
    else if (strncmp(trigger, told, 10) == 0)
        add(l, "%.8sZ", trigger + 11);
    else
        add(l, "%.10s %.8sZ", trigger, trigger + 11);
}

static void add_hundredths(struct line *l, double p)
{
    char text[16];
    (void)snprintf(text, sizeof text, "%.2f", p);
    add(l, "%s", text[0] == '0' ? text + 1 : text);
}

static void add_probability(struct line *l, const json_t *v)
{
    const json_t *interval = json_object_get(v, "p_interval");
    double p = number_of(v, "p_true");
    if (isnan(p))
        add(l, " %4s", "");
    else
        add(l, " %.2f", p);
    if (json_array_size(interval) != 2) {
        add(l, " %9s", "");
        return;
    }
    add(l, " [");
    add_hundredths(l, json_number_value(json_array_get(interval, 0)));
    add(l, "-");
    add_hundredths(l, json_number_value(json_array_get(interval, 1)));
    add(l, "]");
}

static void add_snr(struct line *l, const json_t *v)
{
    const json_t *evidence = json_object_get(v, "evidence");
    double best = NAN;
    size_t n_detector = json_array_size(evidence);
    for (size_t i = 0; i < json_array_size(evidence); i++) {
        n_detector -= strcmp(text_of(json_array_get(evidence, i), "name"), "image") == 0;
        double snr = number_of(json_array_get(evidence, i), "snr");
        if (isnan(best) || snr > best) best = snr;
    }
    if (!isnan(best)) add(l, " SNR %.1f", best);
    if (n_detector > 1) add(l, " in %zu det", n_detector);
}

static void add_position(struct line *l, const json_t *v)
{
    double ra = number_of(v, "ra"), dec = number_of(v, "dec"), radius = number_of(v, "ra_dec_error"),
           containment = number_of(v, "containment_probability");
    if (isnan(ra) || isnan(dec)) return;
    add(l, " RA %.4f Dec %+.4f", ra, dec);
    if (isnan(radius)) return;
    add(l, " r");
    if (!isnan(containment)) add(l, "%.0f", 100 * containment);
    if (radius < 2.0 / 60)
        add(l, " %.0f\"", 3600 * radius);
    else if (radius < 1)
        add(l, " %.0f'", 60 * radius);
    else
        add(l, " %.1f deg", radius);
}

/* How long after the trigger it was told, in one unit. */
static void add_delay(struct line *l, const json_t *v)
{
    static const struct {
        double from_s, unit_s;
        const char *unit;
    } STEP[] = {{2 * 365.25 * 86400, 365.25 * 86400, "y"},
                {2 * 86400, 86400, "d"},
                {7200, 3600, "h"},
                {600, 60, "min"},
                {-1e300, 1, "s"}};
    double s = number_of(json_object_get(v, "latency"), "since_trigger");
    if (isnan(s)) return;
    int i = 0;
    while (s < STEP[i].from_s)
        i++;
    add(l, " T0%+.0f%s", s / STEP[i].unit_s, STEP[i].unit);
}

/* What a record without a verdict waits for; and, beside the mission's decision, what the machine says. */
static void add_waiting(struct line *l, const json_t *v)
{
    const char *awaiting = text_of(v, "awaiting"), *machine = text_of(v, "machine_verdict");
    if (*awaiting) {
        add(l, " %s", awaiting);
        const char *by = text_of(v, "expected_by");
        if (strlen(by) >= 19) add(l, " by %.8sZ", by + 11);
    }
    if (*machine) add(l, " machine says %s", text_of(v, "machine_verdict"));
}

const char *verdict_realm(const json_t *verdict)
{
    const char *tense = json_string_value(json_object_get(verdict, "alert_tense"));
    if (tense && strcmp(tense, "archival") == 0) return "burst-archive";
    return tense && strcmp(tense, "current") == 0 ? "burst" : "burst-test";
}

void verdict_line(const json_t *verdict, const char *realm, bool colour, char ret_line[VERDICT_LINE])
{
    struct line l = {ret_line, 0};
    ret_line[0] = 0;
    if (strncmp(realm, "burst-", 6) == 0) {
        add_upper(&l, realm + 6, 0);
        add(&l, " ");
    }
    add_time(&l, verdict);
    add(&l, " %s", colour ? call_colour(verdict) : "");
    add_upper(&l, json_object_get(verdict, "awaiting") ? "awaits" : text_of(verdict, "verdict"), 7);
    add(&l, "%s", colour ? "\033[0m" : "");
    add_probability(&l, verdict);
    add(&l, " %s %s", text_of(verdict, "id"), text_of(verdict, "instrument"));
    add_snr(&l, verdict);
    add_position(&l, verdict);
    add_delay(&l, verdict);
    add(&l, " ");
    add_upper(&l, text_of(verdict, "state"), 0);
    if (number_of(verdict, "record_number") > 1) add(&l, " #%.0f", number_of(verdict, "record_number"));
    if (*text_of(verdict, "reason_code") && strcmp(text_of(verdict, "verdict"), "true") != 0)
        add(&l, " %s", text_of(verdict, "reason_code"));
    add_waiting(&l, verdict);
}
