/* Counts are drawn per sixteenth of a second ("cell"), detector and energy group, each cell from a random stream of its
 * own; then every event costs one random number: its time, its channel (alias table) and what is special about it. */
#include "sim/stream.h"
#include "base/bytes.h"
#include "base/clock.h"
#include "sim/stream_fits.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    TICK_BITS = 20,  /* of a cell: a tick is 2^-24 s, which a double of mission time can tell apart until 2036 */
    DEAD_TICKS = 68, /* 4 us, rounded up */
    BLOCK_CELLS = 256,
    FINE = 8, /* steps of a cell in which something is fast */
    CACHE = 4,
    SLOTS = 512, /* alias table: a power of two above 448 channels */
    CELLS_MOST = 3600 * STREAM_CELL_PER_S,
    GOOD_MAX = 8,
};
static const double REST =
    3.68; /* background.c has 830 rows/s, of 40 keV on; formats.md 2 has 1,780: noise below 25 keV */
static const double MET_MOST_S = 536870912.0; /* 2^29 */
static const double GAIN_KEV = 300.0, BOTH_KEV = 100.0;
static const uint64_t STREAM_SEED = UINT64_C(0x6463616D53747265);

/* How often, of 2^19; formats.md 2: 94.0 % of rows are EVT_TYPE 1. The flags' shares are ours. */
struct kind {
    uint32_t below; /* upper end of its range */
    uint8_t type, flag;
};
static const struct kind KIND[] = {{7864, 2, 0},   {31457, 3, 0},   {33554, 1, 2}, {37224, 1, 10},
                                   {38272, 1, 11}, {39845, 1, 243}, {66060, 1, 1}, {1u << 19, 1, 0}};

struct alias {
    uint16_t cut[SLOTS], low[SLOTS], high[SLOTS]; /* channel `low` where the 16-bit fraction is below cut */
};

/* Rates of one block of 16 s. */
struct block {
    int64_t index; /* -1: none */
    int n_step;    /* in a cell: 1 or FINE */
    bool has[SCENE_DETECTOR_MAX];
    double *mean; /* [detector][SIM_GROUP][BLOCK_CELLS * FINE] counts expected in each step */
};

struct sim_stream {
    struct sim_stream_settings set;
    const struct instrument_fact *fact;
    struct scene *scene;
    double start_met_s;
    struct ladder ladder;
    struct alias alias[SIM_GROUP];
    uint8_t gain[LADDER_MAX], both[LADDER_MAX]; /* by channel: low gain; may be seen in both */
    struct block block[CACHE];
    int next_block;
    uint64_t *key, *sorted; /* events of one cell */
    size_t room;
    struct fits_out out;
};

/* Walker's alias method with Vose's construction: two lists, each short slot filled up by a long one. */
static void alias_make(const double *cumulative, size_t n, struct alias *a)
{
    double weight[SLOTS] = {0};
    int small[SLOTS], large[SLOTS], n_small = 0, n_large = 0;
    for (size_t k = 0; k < n; k++)
        weight[k] = (cumulative[k] - (k ? cumulative[k - 1] : 0.0)) * SLOTS;
    for (int k = 0; k < SLOTS; k++) {
        a->low[k] = a->high[k] = (uint16_t)k;
        a->cut[k] = UINT16_MAX;
        *(weight[k] < 1.0 ? &small[n_small++] : &large[n_large++]) = k;
    }
    while (n_small && n_large) {
        int s = small[--n_small], l = large[n_large - 1];
        a->cut[s] = (uint16_t)fmin(weight[s] * 65536.0, 65535.0);
        a->high[s] = (uint16_t)l;
        weight[l] -= 1.0 - weight[s];
        if (weight[l] < 1.0) {
            n_large--;
            small[n_small++] = l;
        }
    }
    /* What roundings left over: full slots, but a channel without weight must not be drawn. */
    while (n_small) {
        int s = small[--n_small];
        if (weight[s] < 1e-6) a->low[s] = a->high[s];
    }
}

static bool item_is_fast(const struct scene_item *item)
{
    if (item->burst) return true;
    enum transient_family f = item->transient.family;
    return f == TRANSIENT_SPIKE || f == TRANSIENT_FLASH || f == TRANSIENT_BIT;
}

static int steps_of(const struct scene *scene, int64_t index)
{
    double start = (double)index * BLOCK_CELLS / STREAM_CELL_PER_S, stop = start + BLOCK_CELLS / STREAM_CELL_PER_S;
    for (int i = 0; i < scene->n_item; i++) {
        const struct scene_item *item = &scene->item[i];
        if (item_is_fast(item) && item->start_s - 1.0 < stop && item->stop_s + 1.0 > start) return FINE;
    }
    return 1;
}

static struct block *block_of(struct sim_stream *s, int64_t index)
{
    for (int i = 0; i < CACHE; i++)
        if (s->block[i].index == index) return &s->block[i];
    struct block *b = &s->block[s->next_block];
    s->next_block = (s->next_block + 1) % CACHE;
    b->index = index;
    b->n_step = steps_of(s->scene, index);
    memset(b->has, 0, sizeof b->has);
    return b;
}

static const double *block_mean(struct sim_stream *s, struct block *b, int detector)
{
    size_t n = (size_t)(BLOCK_CELLS * b->n_step);
    double *mean = b->mean + (size_t)detector * SIM_GROUP * BLOCK_CELLS * FINE;
    if (b->has[detector]) return mean;
    struct sim_grid grid = {(double)b->index * BLOCK_CELLS / STREAM_CELL_PER_S, 1.0 / (STREAM_CELL_PER_S * b->n_step),
                            n};
    scene_rates(s->scene, detector, &grid, mean);
    for (size_t i = 0; i < SIM_GROUP * n; i++)
        mean[i] *= grid.bin_s;
    b->has[detector] = true;
    return mean;
}

static bool cell_room(struct sim_stream *s, size_t n)
{
    if (n <= s->room) return true;
    size_t room = 2 * n;
    uint64_t *key = realloc(s->key, room * sizeof *key);
    if (key) s->key = key;
    uint64_t *sorted = realloc(s->sorted, room * sizeof *sorted);
    if (sorted) s->sorted = sorted;
    if (key && sorted) s->room = room;
    return key && sorted;
}

/* A key is ticks << 40 | channel << 20 | 19 bits of chance and one to spare: sorting by it sorts by time. */
static size_t draw_cell(struct sim_stream *s, const double *mean, int n_step, int64_t cell, int detector)
{
    struct rng r;
    size_t n = 0, stride = (size_t)(BLOCK_CELLS * n_step), first = (size_t)(cell % BLOCK_CELLS) * (size_t)n_step;
    unsigned step_bits = n_step == 1 ? TICK_BITS : TICK_BITS - 3;
    rng_seed(&r, s->set.seed ^ STREAM_SEED, (uint64_t)detector << 40 | (uint64_t)cell);
    for (size_t g = 0; g < SIM_GROUP; g++)
        for (size_t k = 0; k < (size_t)n_step; k++) {
            uint32_t n_more = rng_poisson(&r, mean[g * stride + first + k]);
            if (!cell_room(s, n + n_more)) return SIZE_MAX;
            const struct alias *a = &s->alias[g];
            for (uint32_t i = 0; i < n_more; i++) {
                uint64_t x = rng_next(&r), tick = (uint64_t)k << step_bits | x >> (64 - step_bits);
                size_t slot = (size_t)(x >> 35) & (SLOTS - 1);
                uint64_t channel = (uint16_t)(x >> 19) < a->cut[slot] ? a->low[slot] : a->high[slot];
                s->key[n++] = tick << 40 | channel << 20 | (x & 0x7FFFF) << 1;
            }
        }
    return n;
}

/* Into as many buckets as there are events, then set right: times are uniform. Returns the sorted keys. */
static const uint64_t *sort_cell(struct sim_stream *s, size_t n)
{
    uint32_t place[2049] = {0};
    unsigned bits = 4;
    while (bits < 11 && (size_t)1 << bits < n)
        bits++;
    unsigned shift = 40 + TICK_BITS - bits;
    for (size_t i = 0; i < n; i++)
        place[(s->key[i] >> shift) + 1]++;
    for (size_t b = 1; b <= (size_t)1 << bits; b++)
        place[b] += place[b - 1];
    for (size_t i = 0; i < n; i++)
        s->sorted[place[s->key[i] >> shift]++] = s->key[i];
    for (size_t i = 1; i < n; i++) {
        uint64_t x = s->sorted[i];
        size_t at = i;
        for (; at > 0 && s->sorted[at - 1] > x; at--)
            s->sorted[at] = s->sorted[at - 1];
        s->sorted[at] = x;
    }
    return s->sorted;
}

static void put_row(uint8_t *p, double t_s, unsigned pi, unsigned gain, unsigned type, unsigned flag)
{
    static const uint8_t DEAD[4] = {0x40, 0x80, 0, 0}; /* 4.0F, big-endian */
    uint64_t bits;
    memcpy(&bits, &t_s, 8);
    bytes_put_u64(p, bits);
    bytes_put_u16(p + 8, (uint16_t)pi);
    p[10] = (uint8_t)gain;
    memcpy(p + 11, DEAD, 4);
    p[15] = (uint8_t)type;
    p[16] = 0;
    p[17] = (uint8_t)flag;
}

/* Rows of one cell: what the detector was dead for is left out. Returns how many. */
static size_t put_cell(const struct sim_stream *s, const uint64_t *key, size_t n, double base_s, int detector,
                       uint8_t *p)
{
    const uint8_t *begin = p;
    uint64_t alive = DEAD_TICKS;
    for (size_t i = 0; i < n; i++) {
        uint64_t tick = key[i] >> 40;
        if (tick < alive) continue;
        alive = tick + DEAD_TICKS;
        unsigned channel = (unsigned)(key[i] >> 20) & 0xFFFFF, chance = (unsigned)(key[i] >> 1) & 0x7FFFF;
        const struct kind *kind = KIND;
        if (chance < KIND[6].below)
            while (chance >= kind->below)
                kind++;
        else
            kind = &KIND[7];
        unsigned gain = s->gain[channel];
        unsigned pi = kind->type == 2 ? LADDER_MAX + 2 * (unsigned)detector + gain : channel;
        put_row(p, base_s + (double)tick * 0x1p-24, pi, gain, kind->type, kind->flag);
        p += STREAM_ROW_BYTES;
        if (kind != &KIND[7] || !s->both[channel] || (chance & 3) != 0) continue;
        unsigned after = 1 + (chance >> 2 & 31); /* up to 1.9 us later, a channel higher every other time */
        if (tick + after >= (uint64_t)1 << TICK_BITS) continue;
        alive += after;
        put_row(p, base_s + (double)(tick + after) * 0x1p-24, channel + (chance >> 7 & 1), 1, 1, 0);
        p += STREAM_ROW_BYTES;
    }
    return (size_t)(p - begin) / STREAM_ROW_BYTES;
}

static bool cell_is_off(const struct scene *scene, int64_t cell)
{
    double t = (double)cell / STREAM_CELL_PER_S;
    for (int i = 0; i < scene->n_outage; i++)
        if (t >= scene->outage[i].start_s && t < scene->outage[i].stop_s) return true;
    return false;
}

static double met_of(const struct sim_stream *s, int64_t cell)
{
    return s->start_met_s + (double)cell / STREAM_CELL_PER_S;
}

static int good_time(const struct sim_stream *s, int64_t from, int64_t to, struct stream_good good[GOOD_MAX])
{
    int n = 0;
    bool on = false;
    for (int64_t cell = from; cell < to; cell++) {
        bool off = cell_is_off(s->scene, cell);
        if (!off && !on) {
            if (n == GOOD_MAX) break;
            good[n++].start_s = met_of(s, cell);
        }
        on = !off;
        if (on) good[n - 1].stop_s = met_of(s, cell + 1);
    }
    return n;
}

static size_t put_detector(struct sim_stream *s, int64_t from, int64_t to, int detector)
{
    size_t n_row = 0;
    for (int64_t cell = from; cell < to && !s->out.failed; cell++) {
        if (cell_is_off(s->scene, cell)) continue;
        struct block *b = block_of(s, cell / BLOCK_CELLS);
        size_t n = draw_cell(s, block_mean(s, b, detector), b->n_step, cell, detector);
        s->out.failed = s->out.failed || n == SIZE_MAX;
        if (s->out.failed) break;
        const uint64_t *key = sort_cell(s, n);
        size_t most = 2 * n * STREAM_ROW_BYTES;
        uint8_t *p = fits_out_take(&s->out, most);
        if (!p) break;
        size_t n_put = put_cell(s, key, n, met_of(s, cell), detector, p);
        fits_out_cut(&s->out, most - n_put * STREAM_ROW_BYTES);
        n_row += n_put;
    }
    return n_row;
}

enum burst_err sim_stream_chunk(struct sim_stream *s, int64_t from, int64_t to, uint32_t detectors,
                                const uint8_t **ret_bytes, size_t *ret_n, size_t *ret_n_row, struct burst_error *reterr)
{
    struct stream_good good[GOOD_MAX];
    double end = s->set.duration_s * STREAM_CELL_PER_S;
    if (from < 0 || from >= to || (double)to > end || to - from > CELLS_MOST)
        return burst_fail(reterr, BURST_E_RANGE, "cells %lld to %lld of a scene of %.0f, at most %d at once",
                          (long long)from, (long long)to, end, CELLS_MOST);
    int n_good = good_time(s, from, to, good);
    size_t n_row = 0;
    s->out.n = 0;
    s->out.failed = false;
    if (n_good > 0) {
        struct stream_good hull = {good[0].start_s, good[n_good - 1].stop_s};
        stream_fits_begin(&s->out, s->fact, &s->ladder, good, n_good);
        for (int d = 0; d < s->scene->n_detector && !s->out.failed; d++) {
            if (!(detectors >> d & 1)) {
                stream_fits_placeholder(&s->out, d);
                continue;
            }
            size_t at = stream_fits_begin_events(&s->out, s->fact, d, &hull), n = put_detector(s, from, to, d);
            stream_fits_end_table(&s->out, at, n);
            n_row += n;
        }
    }
    if (s->out.failed) return burst_fail(reterr, BURST_E_NOMEM, "no memory for a chunk of events");
    *ret_bytes = s->out.byte;
    *ret_n = s->out.n;
    *ret_n_row = n_row;
    return BURST_OK;
}

static enum burst_err take_memory(struct sim_stream *s, struct burst_error *reterr)
{
    for (int i = 0; i < CACHE; i++) {
        s->block[i].index = -1;
        s->block[i].mean = malloc(SCENE_DETECTOR_MAX * SIM_GROUP * BLOCK_CELLS * FINE * sizeof(double));
        if (!s->block[i].mean) return burst_fail(reterr, BURST_E_NOMEM, "no memory for the rates of a stream");
    }
    return BURST_OK;
}

enum burst_err sim_stream_new(const struct sim_stream_settings *settings, struct sim_stream **ret_s,
                              struct burst_error *reterr)
{
    const struct instrument_fact *fact = source_fact(MISSION_GECAM_B, INSTRUMENT_GRD);
    int64_t met_ns = settings->start_tt_ns - source_epoch_ns(fact);
    double met_s = (double)(met_ns / CLOCK_NS_PER_S);
    if (met_ns < 0 || met_ns % CLOCK_NS_PER_S != 0 || met_s + settings->duration_s > MET_MOST_S)
        return burst_fail(reterr, BURST_E_TIME,
                          "a stream begins at a whole second of mission elapsed time, not at %.9f",
                          (double)met_ns * 1e-9);
    struct sim_stream *s = calloc(1, sizeof *s);
    if (!s) return burst_fail(reterr, BURST_E_NOMEM, "no memory for a stream");
    s->set = *settings;
    s->fact = fact;
    s->start_met_s = met_s;
    ladder_make(SIM_GECAM_B, &s->ladder);
    for (int g = 0; g < SIM_GROUP; g++)
        alias_make(s->ladder.cumulative[g], s->ladder.n_channel, &s->alias[g]);
    for (size_t k = 0; k < s->ladder.n_channel; k++) {
        s->gain[k] = (double)s->ladder.e_min_kev[k] >= GAIN_KEV;
        s->both[k] = !s->gain[k] && (double)s->ladder.e_min_kev[k] >= BOTH_KEV;
    }
    enum burst_err err = take_memory(s, reterr);
    if (!err)
        err = scene_new_orbit(SIM_GECAM_B, settings->seed, settings->duration_s, settings->every_s, settings->rate,
                              REST, &s->scene, reterr);
    if (err)
        sim_stream_free(s);
    else
        *ret_s = s;
    return err;
}

void sim_stream_free(struct sim_stream *s)
{
    if (!s) return;
    for (int i = 0; i < CACHE; i++)
        free(s->block[i].mean);
    scene_free(s->scene);
    free(s->key);
    free(s->sorted);
    free(s->out.byte);
    free(s);
}

const struct scene *sim_stream_scene(const struct sim_stream *s)
{
    return s->scene;
}
