/* What the tests of triggers share: a tracker of GECAM-B on synthetic windows, notices made by hand, and the book between them. */
#ifndef BURST_TESTS_DECIDE_TRIGGER_SCENE_H
#define BURST_TESTS_DECIDE_TRIGGER_SCENE_H
#include "base/clock.h"
#include "decide/trigger.h"
#include "unit/decide/image_scene.h"
#include "unit/decide/synthetic.h"

enum { K_TRIGGER = 10000, N_DETECTOR = 25 };
#define T_TRIGGER (SYNTHETIC_EPOCH_NS + K_TRIGGER * BIN_NS)
#define SECOND_NS CLOCK_NS_PER_S

static struct lightcurve_window *window;
static struct verdict told[TRACKER_VERDICTS], last;
static struct synthetic sky;

static inline double no_excess(int64_t k, int detector)
{
    (void)k;
    (void)detector;
    return 0;
}

/* A burst of 9.6 s at the trigger, as a direction spreads it over the detectors. */
static inline double burst_excess(int64_t k, int detector)
{
    double weight = detector < 8 ? 1.0 - 0.1 * detector : 0.1;
    return k >= K_TRIGGER && k < K_TRIGGER + 150 ? 40 * weight : 0;
}

static inline struct tracker *tracker_fresh(void)
{
    struct decide_settings s = decide_defaults();
    struct tracker *t = NULL;
    sky = (struct synthetic){.source = {REALM_LIVE, MISSION_GECAM_B, INSTRUMENT_GRD},
                             .n_detector = N_DETECTOR,
                             .background = {12, 6.5, 8, 2.6, 1.9},
                             .excess = no_excess,
                             .first_k = INT64_MIN};
    CHECK_INT(tracker_new(sky.source, &s, &book, &t, NULL), BURST_OK);
    return t;
}

static inline struct tracker *scene_fresh(void)
{
    memset(&book, 0, sizeof book);
    return tracker_fresh();
}

/* Judge the window as it is, `n_high` detectors at logit `high`, the others at -4. Returns the records made; the newest is `last`. */
static inline int judge(struct tracker *t, int n_high, double high)
{
    struct window_score score = {.window = window, .n_score = sky.n_detector};
    int n = -1;
    score.model = (struct model_tag){.name = "light-curve", .version = "1", .temperature = 1};
    memset(score.model.sha256, 'a', 64);
    for (int i = 0; i < sky.n_detector; i++) {
        score.score[i].detector = i;
        score.score[i].logit = i < n_high ? high : -4;
        score.score[i].p = 1 / (1 + exp(-score.score[i].logit));
    }
    for (int i = 0; i < 3; i++)
        score.logit += score.score[i].logit / 3;
    score.p = 1 / (1 + exp(-score.logit));
    CHECK_INT(tracker_window(t, &score, told, &n, NULL), BURST_OK);
    if (n > 0) last = told[n - 1];
    return n;
}

/* Feed the window of the sky that ends at k_end. */
static inline int feed(struct tracker *t, int64_t k_end, int n_high, double high)
{
    synthetic_window(&sky, k_end, window);
    return judge(t, n_high, high);
}

/* Windows from after k on to the one that ends at or before `to`; how many records they made. */
static inline int feed_to(struct tracker *t, int64_t *k, int64_t to, int n_high, double high)
{
    int n = 0;
    while (*k + STRIDE_BINS <= to)
        n += feed(t, *k += STRIDE_BINS, n_high, high);
    return n;
}

static inline struct notice notice_of(struct source source, const char *id, enum notice_kind kind)
{
    struct notice n;
    notice_clear(&n);
    n.source = source;
    n.kind = kind;
    n.tense = TENSE_CURRENT;
    n.trigger_ns = T_TRIGGER;
    (void)snprintf(n.id, sizeof n.id, "%s", id);
    (void)snprintf(n.mission_name, sizeof n.mission_name, "Mission");
    return n;
}

static inline struct notice gecam_notice(const char *id, enum notice_kind kind)
{
    return notice_of((struct source){REALM_LIVE, MISSION_GECAM_B, INSTRUMENT_GRD}, id, kind);
}

static inline struct notice placed(struct notice n, double ra, double dec, double error)
{
    n.ra_deg = ra;
    n.dec_deg = dec;
    n.error_deg = error;
    n.containment = 0.9;
    return n;
}

/* True where the notice makes a record, which is then `last`. */
static inline bool take(struct tracker *t, struct notice n)
{
    struct decide_settings s = decide_defaults();
    bool made = false;
    CHECK_INT(trigger_notice(&book, &s, t, &n, &last, &made, NULL), BURST_OK);
    return made;
}

static inline bool tick(int64_t now_ns)
{
    struct decide_settings s = decide_defaults();
    return trigger_tick(&book, &s, now_ns, &last);
}
#endif
