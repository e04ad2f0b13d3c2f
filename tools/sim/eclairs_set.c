/* See eclairs_set.h. False rows are made first: the true ones imitate them. */
#include "sim/eclairs_set.h"
#include "prepare/subimage.h"
#include "sim/rng.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

const struct image_scaling ECLAIRS_SCALING = {-10.0f, 30.0f, 5.0f, 3.0f};

/* Share of each family within its label. Source: science.md B.3, noise peaks B.5; the split of the true ones is a
 * choice. */
static const double WEIGHT[ECLAIRS_FAMILY_N] = {
    [ECLAIRS_NEW] = 0.75,      [ECLAIRS_OUTBURST] = 0.15, [ECLAIRS_SETTING] = 0.10, [ECLAIRS_BADSUB] = 0.40,
    [ECLAIRS_SAA] = 0.14,      [ECLAIRS_COLUMN] = 0.12,   [ECLAIRS_XRDPIX] = 0.10,  [ECLAIRS_HOTPIX] = 0.08,
    [ECLAIRS_ARTEFACT] = 0.16, [ECLAIRS_NOISE] = 0.05,
};
static const double FALSE_SHARE = 230.0 / 563.0; /* B.3, as on the slides */
static const double LOST_PACKETS = 0.12, LOW_THRESHOLD = 0.05, SAME_WIDTH = 0.75;
enum { PARTNER_MOST = 20 }; /* false rows to imitate before giving up */

static enum eclairs_family draw_family(struct rng *r, int label)
{
    double weight[ECLAIRS_FAMILY_N];
    for (int i = 0; i < ECLAIRS_FAMILY_N; i++)
        weight[i] = eclairs_label((enum eclairs_family)i) == label ? WEIGHT[i] : 0.0;
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

static enum burst_err fill_row(const struct eclairs_alert *a, const struct catalogue *c, struct eclairs_row *row,
                               struct burst_error *reterr)
{
    struct image_sample s;
    enum burst_err err = subimage_prepare(&a->packet, c, NULL, &s, reterr);
    if (!err) err = image_input(s.snr[0], s.mask[0], IMAGE_SIDE * IMAGE_SIDE, &ECLAIRS_SCALING, row->input, reterr);
    if (err) return err;
    row->family = a->family;
    row->snr = a->snr;
    row->spread = a->spread;
    row->frame_sd = frame_deviation(&s);
    row->exposure_s = a->exposure_s;
    row->nearest_px = s.nearest_px;
    row->n_missing = s.n_missing;
    row->n_try = a->n_try;
    memcpy(row->burst_id, a->packet.burst_id, sizeof row->burst_id);
    return BURST_OK;
}

struct set {
    struct eclairs *e;
    const struct catalogue *c;
    uint64_t seed;
    size_t n, n_false, n_done;
    size_t *false_row; /* indices of rows already made, the first n_false entries of `order` */
    eclairs_progress progress;
    struct eclairs_row *rows;
};

static enum burst_err make_row(struct set *set, size_t index, const struct eclairs_wish *wish, bool *low_threshold,
                               struct burst_error *reterr)
{
    struct eclairs_alert a;
    enum burst_err err = eclairs_alert(set->e, set->seed, index, wish, &a, reterr);
    if (!err) err = fill_row(&a, set->c, &set->rows[index], reterr);
    if (err) return err;
    low_threshold[index] = a.low_threshold;
    set->n_done++;
    if (set->progress) set->progress(set->n_done, set->n);
    return BURST_OK;
}

static enum burst_err make_false(struct set *set, struct rng *r, size_t index, bool *low_threshold,
                                 struct burst_error *reterr)
{
    struct eclairs_wish wish = {.family = draw_family(r, 0), .lose_packets = rng_chance(r, LOST_PACKETS)};
    wish.low_threshold = wish.family == ECLAIRS_NOISE || rng_chance(r, LOW_THRESHOLD);
    return make_row(set, index, &wish, low_threshold, reterr);
}

/* A combination of S/N and width that the family never reaches is passed over for another. */
static enum burst_err make_true(struct set *set, struct rng *r, size_t index, bool *low_threshold,
                                struct burst_error *reterr)
{
    struct eclairs_wish wish = {.family = draw_family(r, 1), .lose_packets = rng_chance(r, LOST_PACKETS)};
    bool same_width = rng_chance(r, SAME_WIDTH);
    enum burst_err err = BURST_E_LIMIT;
    for (int i = 0; i < PARTNER_MOST && err == BURST_E_LIMIT; i++) {
        size_t partner = set->false_row[(size_t)(rng_uniform(r) * (double)set->n_false)];
        wish.snr = set->rows[partner].snr;
        wish.spread = same_width ? set->rows[partner].spread : 0.0;
        wish.low_threshold = low_threshold[partner];
        err = make_row(set, index, &wish, low_threshold, reterr);
    }
    return err;
}

enum burst_err eclairs_set_make(struct eclairs *e, const struct catalogue *c, uint64_t seed, size_t n,
                                eclairs_progress progress, struct eclairs_row *ret_rows, struct burst_error *reterr)
{
    struct rng r;
    struct set set = {.e = e, .c = c, .seed = seed, .n = n, .progress = progress, .rows = ret_rows};
    enum burst_err err = BURST_OK;
    size_t *order = calloc(n, sizeof *order);
    bool *low_threshold = calloc(n, sizeof *low_threshold);
    if (!order || !low_threshold) err = burst_fail(reterr, BURST_E_NOMEM, "no memory for %zu rows", n);
    rng_seed(&r, seed, UINT64_C(0x736574000000)); /* "set": above every index */
    for (size_t i = 0; i < n && !err; i++) {      /* Fisher-Yates, inside out */
        size_t j = (size_t)(rng_uniform(&r) * (double)(i + 1));
        order[i] = order[j];
        order[j] = i;
    }
    set.false_row = order;
    set.n_false = (size_t)fmax(1.0, round(FALSE_SHARE * (double)n));
    for (size_t i = 0; i < n && !err; i++)
        err = i < set.n_false ? make_false(&set, &r, order[i], low_threshold, reterr)
                              : make_true(&set, &r, order[i], low_threshold, reterr);
    free(order);
    free(low_threshold);
    return err;
}
