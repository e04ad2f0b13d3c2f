/* See eclairs_set.h. False rows are made first: the true ones imitate them. Rows are made by several threads; each
 * draws from streams of its own number, so that it does not matter who makes which. */
#include "sim/eclairs_set.h"
#include "prepare/subimage.h"
#include "sim/rng.h"
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

const struct image_scaling ECLAIRS_SCALING = {-10.0f, 30.0f, 5.0f, 3.0f};

/* Share of each family within its label. Source: science.md B.3, noise peaks B.5; the split of the true ones and
 * the Moon are choices; of five alerts that SVOM withdrew, two were the Moon (see eclairs_family.c). */
static const double WEIGHT[ECLAIRS_FAMILY_N] = {
    [ECLAIRS_NEW] = 0.80,      [ECLAIRS_OUTBURST] = 0.10, [ECLAIRS_SETTING] = 0.10, [ECLAIRS_BADSUB] = 0.40,
    [ECLAIRS_SAA] = 0.14,      [ECLAIRS_COLUMN] = 0.12,   [ECLAIRS_XRDPIX] = 0.10,  [ECLAIRS_HOTPIX] = 0.08,
    [ECLAIRS_ARTEFACT] = 0.16, [ECLAIRS_NOISE] = 0.05,    [ECLAIRS_MOON] = 0.02,    [ECLAIRS_LOST] = 1.0,
    [ECLAIRS_UNCLEAR] = 1.0, /* alone, or by themselves among the ordered ones */
};
static const double FALSE_SHARE = 230.0 / 563.0; /* B.3, as on the slides */
static const double LOST_PACKETS = 0.12, LOW_THRESHOLD = 0.05, SAME_WIDTH = 0.45, PLATFORM = 0.5;
/* False ones as they come have S/N of 7.2, 10.5 and 24 at 5, 50 and 95 %; 21 alerts of SVOM's notices (16 kept, 5
 * withdrawn) 8.0, 14.5 and 45. Faint ones are thinned out in the families that have bright ones. */
static const double THIN_BELOW[ECLAIRS_FAMILY_N] = {
    [ECLAIRS_BADSUB] = 25.0, [ECLAIRS_XRDPIX] = 25.0, [ECLAIRS_HOTPIX] = 25.0, [ECLAIRS_MOON] = 25.0};
enum { PARTNER_MOST = 40, PARTNER_TRIES = 60 }; /* false rows to imitate, and exposures for each, before giving up */
static const uint64_t STREAM = UINT64_C(0x736574000000); /* "set": above every row's own stream of exposures */

void eclairs_usual_families(bool ret_family[ECLAIRS_FAMILY_N])
{
    for (int i = 0; i < ECLAIRS_FAMILY_N; i++)
        ret_family[i] = i != ECLAIRS_LOST && i != ECLAIRS_UNCLEAR;
}

struct set {
    const struct catalogue *c;
    const struct eclairs_order *order;
    eclairs_progress progress;
    struct eclairs_row *rows;
    size_t *row;    /* in the order of making: false ones, then the others */
    size_t n_false; /* of them */
    pthread_mutex_t lock;
    size_t next, stop, n_done, failed; /* next: place in `row`; failed: lowest row that failed */
    enum burst_err err;
    struct burst_error error;
};

/* ---- a row ---- */

static bool has_family(const struct eclairs_order *order, int label)
{
    for (int i = 0; i < ECLAIRS_FAMILY_N; i++)
        if (order->family[i] && eclairs_label((enum eclairs_family)i) == label) return true;
    return false;
}

static enum eclairs_family draw_family(struct rng *r, const struct eclairs_order *order, int label)
{
    double weight[ECLAIRS_FAMILY_N];
    for (int i = 0; i < ECLAIRS_FAMILY_N; i++)
        weight[i] = order->family[i] && eclairs_label((enum eclairs_family)i) == label ? WEIGHT[i] : 0.0;
    return (enum eclairs_family)rng_pick(r, weight, ECLAIRS_FAMILY_N);
}

/* Deviation of the pixels that are data, in sigma again. */
static double frame_deviation(const struct image_sample *s)
{
    double n = 0.0, sum = 0.0, sum2 = 0.0;
    for (int i = 0; i < IMAGE_SIDE * IMAGE_SIDE; i++) {
        double x = (double)s->snr[i / IMAGE_SIDE][i % IMAGE_SIDE];
        if (s->mask[i / IMAGE_SIDE][i % IMAGE_SIDE] == MASK_IGNORE) continue;
        n += 1.0;
        sum += x;
        sum2 += x * x;
    }
    return sqrt(fmax(sum2 / n - sum / n * (sum / n), 0.0));
}

static void describe(const struct eclairs_alert *a, const struct image_sample *s, struct eclairs_row *row)
{
    row->family = a->family;
    row->low_threshold = a->low_threshold;
    row->snr = a->snr;
    row->spread = a->spread;
    row->frame_sd = frame_deviation(s);
    row->exposure_s = a->exposure_s;
    row->coded = a->coded;
    row->nearest_px = s->nearest_px;
    row->e_min_kev = a->packet.e_min_kev;
    row->e_max_kev = a->packet.e_max_kev;
    row->n_missing = s->n_missing;
    row->n_try = a->n_try;
    row->sky_y = a->packet.trigger_y;
    row->sky_z = a->packet.trigger_z;
    memcpy(row->burst_id, a->packet.burst_id, sizeof row->burst_id);
}

/* Prepared as burstd does: for some the satellite's position is known, and the Moon is marked where it was seen. */
static enum burst_err fill_row(const struct eclairs_alert *a, const struct catalogue *c, bool has_platform,
                               struct eclairs_row *row, struct burst_error *reterr)
{
    struct image_sample s;
    struct platform_state platform = {.state = PLATFORM_KNOWN, .has_position = true};
    memcpy(platform.position_icrs_km, a->observer_km, sizeof platform.position_icrs_km);
    enum burst_err err = subimage_prepare(&a->packet, c, has_platform ? &platform : NULL, &s, reterr);
    if (!err) err = image_input(s.snr[0], s.mask[0], IMAGE_SIDE * IMAGE_SIDE, &ECLAIRS_SCALING, row->input, reterr);
    if (err) return err;
    row->has_platform = has_platform;
    describe(a, &s, row);
    return BURST_OK;
}

/* A combination of S/N, width and exposure that the family never reaches is passed over for another. */
static enum burst_err imitate(const struct set *set, struct eclairs *e, struct rng *r, size_t index,
                              struct eclairs_wish *wish, struct eclairs_alert *ret_a, struct burst_error *reterr)
{
    bool same_width = rng_chance(r, SAME_WIDTH);
    enum burst_err err = BURST_E_LIMIT;
    wish->try_most = PARTNER_TRIES;
    for (int i = 0; i < PARTNER_MOST && err == BURST_E_LIMIT; i++) {
        const struct eclairs_row *partner = &set->rows[set->row[(size_t)(rng_uniform(r) * (double)set->n_false)]];
        wish->snr = partner->snr;
        wish->spread = same_width ? partner->spread : 0.0;
        wish->exposure_s = partner->exposure_s;
        wish->low_threshold = partner->low_threshold;
        err = eclairs_alert(e, set->order->seed, index, wish, ret_a, reterr);
    }
    return err;
}

static enum burst_err make_row(const struct set *set, struct eclairs *e, size_t place, struct burst_error *reterr)
{
    struct rng r;
    struct eclairs_alert a;
    size_t index = set->row[place];
    int label = place < set->n_false ? 0 : has_family(set->order, 1) ? 1 : -1;
    rng_seed(&r, set->order->seed, STREAM + 1 + index);
    struct eclairs_wish wish = {.family = draw_family(&r, set->order, label),
                                .lose_packets = rng_chance(&r, LOST_PACKETS)};
    bool has_platform = rng_chance(&r, PLATFORM);
    wish.thin_below = THIN_BELOW[wish.family];
    wish.low_threshold = wish.family == ECLAIRS_NOISE || rng_chance(&r, LOW_THRESHOLD);
    enum burst_err err = label == 1 && set->n_false > 0 ? imitate(set, e, &r, index, &wish, &a, reterr)
                                                        : eclairs_alert(e, set->order->seed, index, &wish, &a, reterr);
    return err ? err : fill_row(&a, set->c, has_platform, &set->rows[index], reterr);
}

/* ---- threads ---- */

struct worker {
    pthread_t thread;
    struct set *set;
    struct eclairs *e;
};

/* Notes what a row came to and takes the next one; false: none is left, or one failed. */
static bool take_next(struct set *set, size_t *place, enum burst_err err, const struct burst_error *error)
{
    (void)pthread_mutex_lock(&set->lock); /* glibc: a plain mutex that is initialised */
    if (*place < set->order->n) {
        if (!err && set->progress) set->progress(++set->n_done, set->order->n);
        if (err && (!set->err || set->row[*place] < set->failed)) {
            set->err = err;
            set->error = *error;
            set->failed = set->row[*place];
        }
    }
    bool more = set->next < set->stop && !set->err;
    *place = more ? set->next++ : set->order->n;
    (void)pthread_mutex_unlock(&set->lock);
    return more;
}

static void *work(void *context)
{
    struct worker *w = context;
    struct burst_error error = {0};
    enum burst_err err = BURST_OK;
    size_t place = w->set->order->n; /* none yet */
    while (take_next(w->set, &place, err, &error))
        err = make_row(w->set, w->e, place, &error);
    return NULL;
}

/* Rows up to `stop`; without a thread to be had, this one makes them. */
static void run(struct set *set, struct worker *worker, size_t stop)
{
    int n_started = 0;
    set->stop = stop;
    for (int i = 1; i < set->order->n_thread; i++) {
        if (pthread_create(&worker[i].thread, NULL, work, &worker[i]) != 0) break;
        n_started = i;
    }
    (void)work(&worker[0]);
    for (int i = 1; i <= n_started; i++)
        (void)pthread_join(worker[i].thread, NULL); /* ours, joined once */
}

static void close_workers(struct worker *worker, int n)
{
    for (int i = 0; i < n; i++)
        eclairs_free(worker[i].e);
}

/* Simulators are made one after the other: FFTW's planner is for one thread. */
static enum burst_err open_workers(struct set *set, struct worker *worker, struct burst_error *reterr)
{
    for (int i = 0; i < set->order->n_thread; i++) {
        worker[i].set = set;
        enum burst_err err = eclairs_new(set->order->mask_seed, set->c, &worker[i].e, reterr);
        if (err) {
            close_workers(worker, i);
            return err;
        }
        eclairs_set_shift(worker[i].e, &set->order->shift);
    }
    return BURST_OK;
}

/* ---- set ---- */

static void shuffle(uint64_t seed, size_t n, size_t *ret_row)
{
    struct rng r;
    rng_seed(&r, seed, STREAM);
    for (size_t i = 0; i < n; i++) { /* Fisher-Yates, inside out */
        size_t j = (size_t)(rng_uniform(&r) * (double)(i + 1));
        ret_row[i] = ret_row[j];
        ret_row[j] = i;
    }
}

static size_t count_false(const struct eclairs_order *order)
{
    if (!has_family(order, 0)) return 0;
    return has_family(order, 1) ? (size_t)fmax(1.0, round(FALSE_SHARE * (double)order->n)) : order->n;
}

enum burst_err eclairs_set_make(const struct catalogue *c, const struct eclairs_order *order, eclairs_progress progress,
                                struct eclairs_row *ret_rows, struct burst_error *reterr)
{
    struct worker worker[ECLAIRS_THREAD_MAX];
    struct set set = {.c = c, .order = order, .progress = progress, .rows = ret_rows};
    if (!has_family(order, 0) && !has_family(order, 1) && !has_family(order, -1))
        return burst_fail(reterr, BURST_E_MISSING, "no family is left to draw from");
    set.row = calloc(order->n, sizeof *set.row);
    if (!set.row) return burst_fail(reterr, BURST_E_NOMEM, "no memory for %zu rows", order->n);
    shuffle(order->seed, order->n, set.row);
    set.n_false = count_false(order);
    enum burst_err err = open_workers(&set, worker, reterr);
    if (!err) {
        (void)pthread_mutex_init(&set.lock, NULL); /* glibc: cannot fail with default attributes */
        run(&set, worker, set.n_false);
        run(&set, worker, order->n);
        (void)pthread_mutex_destroy(&set.lock);
        close_workers(worker, order->n_thread);
        err = set.err;
        if (err && reterr) *reterr = set.error;
    }
    free(set.row);
    return err;
}
