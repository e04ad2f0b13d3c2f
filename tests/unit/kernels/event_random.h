/* Event tables drawn from bytes: a layout and rows with everything that can be odd about them, and what an implementation
 * makes of a table, tile by tile. Shared by the comparison test and the fuzz harness. */
#ifndef BURST_TESTS_EVENT_RANDOM_H
#define BURST_TESTS_EVENT_RANDOM_H
#include "unit/kernels/event_rows.h"
#include <math.h>
#include <stdbool.h>

/* Numbers from a seed (xorshift64*, Vigna 2016) or, while they last, from given bytes. */
struct draw {
    uint64_t state;
    const uint8_t *bytes;
    size_t n;
};

static inline uint64_t draw_bits(struct draw *d)
{
    if (d->n) {
        d->n--;
        return *d->bytes++;
    }
    d->state ^= d->state >> 12;
    d->state ^= d->state << 25;
    d->state ^= d->state >> 27;
    return d->state * UINT64_C(2685821657736338717) >> 32;
}

static inline unsigned draw_below(struct draw *d, unsigned n)
{
    return (unsigned)(draw_bits(d) % n);
}

static inline bool draw_one_in(struct draw *d, unsigned n)
{
    return draw_below(d, n) == 0;
}

enum { TABLE_ROWS = 400, TABLE_WIDTH = 24, TABLE_CHANNELS = 600 };

struct table {
    struct event_layout l;
    int8_t atom[TABLE_CHANNELS];
    size_t n_row;
    uint8_t rows[TABLE_ROWS * TABLE_WIDTH + 1];
    uint8_t *first; /* rows begin at any byte */
};

static inline void draw_atoms(struct draw *d, struct table *t)
{
    static const int8_t kinds[] = {0, 1, 2, 3, 4, EVENT_NO_ATOM, EVENT_NOT_RECOMMENDED};
    unsigned run = draw_one_in(d, 8) ? 1 : 20 + draw_below(d, 100);
    for (size_t i = 0; i < t->l.n_channel; i++)
        t->atom[i] = i % run ? t->atom[i - 1] : kinds[draw_below(d, sizeof kinds)];
    t->l.atom = t->atom;
}

static inline void draw_layout(struct draw *d, struct table *t)
{
    static const size_t channels[] = {1, 2, 12, 128, 448, 498, TABLE_CHANNELS};
    static const int64_t zeros[] = {0, 0, INT64_C(332916465760476000), INT64_C(-1000000007), 63999999, -MET_MOST_NS};
    unsigned kind = draw_below(d, 5);
    t->l = kind < 2 ? gbm : gecam;
    t->l.n_channel = channels[draw_below(d, sizeof channels / sizeof *channels)];
    t->l.zero_ns = zeros[draw_below(d, sizeof zeros / sizeof *zeros)];
    if (kind == 4) { /* a table of another mission */
        t->l.row_bytes = TABLE_WIDTH;
        t->l.time_at = 3;
        t->l.channel_bytes = 1 + (int)draw_below(d, 2);
        t->l.channel_at = 20;
        if (draw_one_in(d, 2)) t->l.gain_at = -1;
        if (draw_one_in(d, 2)) t->l.dead_at = 13;
        if (draw_one_in(d, 2)) t->l.type_at = -1;
    }
    if (draw_one_in(d, 4)) t->l.flag_below = (int)draw_below(d, 257);
    if (draw_one_in(d, 8)) t->l.type_is = (int)draw_below(d, 256);
    if (draw_one_in(d, 8)) t->l.dead_last = UINT32_MAX;
    draw_atoms(d, t);
}

/* Mission elapsed ns of the next row: steady, in bunches, on the border of a bin, or back. */
static inline int64_t draw_met(struct draw *d, int64_t before_ns, unsigned step_us, unsigned odd)
{
    int64_t met = before_ns + (int64_t)draw_below(d, 2 * step_us + 1) * 1000 + draw_below(d, 1000);
    if (draw_one_in(d, 16)) met = before_ns + draw_below(d, 5000);
    if (draw_one_in(d, 8)) met = before_ns + 3998 + draw_below(d, 5); /* about a dead time of 4 us */
    if (draw_one_in(d, 16)) met = (before_ns / EVENT_BIN_NS + 1) * EVENT_BIN_NS - 2 + draw_below(d, 4);
    if (odd && draw_one_in(d, odd)) met = before_ns - draw_below(d, 200000) * INT64_C(1000);
    return met < 0 ? 0 : met;
}

/* Stored seconds of a mission elapsed time, now and then a part of a nanosecond off, and on the border between two bins, half a
 * nanosecond before it, to the last digits. */
static inline double draw_stored(struct draw *d, int64_t met_ns, int64_t zero_ns)
{
    double time_s = (double)(met_ns - zero_ns) * 1e-9;
    if (draw_one_in(d, 4)) time_s += ((double)draw_below(d, 11) - 5) * 1e-10;
    if (met_ns % EVENT_BIN_NS || draw_one_in(d, 4)) return time_s;
    int64_t stored_ns = met_ns - zero_ns, whole = stored_ns / 1000000000;
    time_s = (double)whole + ((double)(stored_ns % 1000000000) - 0.5) * 1e-9;
    for (unsigned i = draw_below(d, 8); i > 0; i--)
        time_s = nextafter(time_s, d->state & 1 ? INFINITY : -INFINITY);
    return time_s;
}

static inline double spoil_time(struct draw *d, double time_s)
{
    const double bad[] = {NAN, -INFINITY, INFINITY, -time_s, time_s * 1e6, 1e300, 4.1e9, 9e9, -0.0, 5e-324};
    return bad[draw_below(d, sizeof bad / sizeof *bad)];
}

static inline float draw_dead(struct draw *d, unsigned odd)
{
    const float strange[] = {0, 69.0f, 1e6f, 0.049f, 15.625f, 1e-40f, 1000.5f, 4.05f};
    const float bad[] = {NAN, -1, INFINITY, 1.1e6f, -0.0f};
    if (odd && draw_one_in(d, 8 * odd)) return bad[draw_below(d, 5)];
    return draw_one_in(d, 8) ? strange[draw_below(d, 8)] : 4.0f;
}

static inline void draw_row(struct draw *d, const struct table *t, uint8_t *row, double time_s, unsigned odd)
{
    const struct event_layout *l = &t->l;
    unsigned channel = draw_below(d, (unsigned)l->n_channel);
    if (odd && draw_one_in(d, 8 * odd)) time_s = spoil_time(d, time_s);
    if (odd && draw_one_in(d, 8 * odd)) channel = (unsigned)draw_bits(d);
    put_f64(row + l->time_at, time_s);
    if (l->channel_bytes == 2)
        bytes_put_u16(row + l->channel_at, (uint16_t)channel);
    else
        row[l->channel_at] = (uint8_t)channel;
    if (l->type_at >= 0) row[l->type_at] = draw_one_in(d, 8) ? (uint8_t)draw_below(d, 4) : (uint8_t)l->type_is;
    if (l->flag_at >= 0) row[l->flag_at] = draw_one_in(d, 8) ? (uint8_t)draw_bits(d) : 0;
    if (l->gain_at >= 0) row[l->gain_at] = (uint8_t)draw_below(d, odd && draw_one_in(d, 8 * odd) ? 4 : 2);
    if (l->dead_at >= 0) put_f32(row + l->dead_at, draw_dead(d, odd));
}

/* `odd`: one row in so many is out of the ordinary; 0: none. */
static inline void draw_table(struct draw *d, struct table *t, unsigned odd)
{
    static const unsigned steps_us[] = {0, 2, 12, 300, 2000, 30000, 3000000};
    draw_layout(d, t);
    t->n_row = draw_below(d, TABLE_ROWS + 1);
    t->first = t->rows + draw_below(d, 2);
    unsigned step_us = steps_us[draw_below(d, 7)];
    int64_t met = draw_one_in(d, 2) ? (int64_t)draw_below(d, 200) * 999999999 : INT64_C(200000000000000000);
    if (draw_one_in(d, 4) && t->l.zero_ns > 0)
        met = t->l.zero_ns - draw_below(d, 2000) * INT64_C(1000000); /* about a stored 0 */
    if (met < 0) met = 0;
    for (size_t i = 0; i < t->n_row; i++) {
        uint8_t *row = t->first + i * t->l.row_bytes;
        met = draw_met(d, met, step_us, odd);
        for (size_t k = 0; k < t->l.row_bytes; k++)
            row[k] = (uint8_t)draw_bits(d);
        draw_row(d, t, row, draw_stored(d, met, t->l.zero_ns), odd);
        if (i && draw_one_in(d, 64)) memcpy(row, row - t->l.row_bytes, t->l.row_bytes);
    }
    if (draw_one_in(d, 4)) t->l.least_ns = met - 1000000;
    if (draw_one_in(d, 4)) t->l.most_ns = met - draw_below(d, 3) * INT64_C(500000);
    if (t->l.least_ns < 0) t->l.least_ns = 0;
    if (t->l.most_ns < 0) t->l.most_ns = 0;
}

/* ---- what an implementation makes of it ---- */

enum { CALLS_MOST = 48 };

struct outcome {
    int n;
    struct {
        enum event_row_fault fault;
        struct event_tally tally;
        uint64_t counts; /* FNV-1a of the tile */
    } call[CALLS_MOST];
};

static inline uint64_t counts_digest(void)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (int i = 0; i < N_CELL; i++)
        hash = (hash ^ counts[i]) * UINT64_C(0x100000001b3);
    return hash;
}

/* A whole table, or as much of it as CALLS_MOST tiles hold; the first tile may be another than the first row's. `step_over`: a
 * channel outside the table is no fault, and its row void. */
static inline void table_bin(event_bin_call *call, const struct table *t, int64_t shift, bool step_over,
                             struct outcome *ret)
{
    int64_t k = 0;
    tally = tally_new();
    ret->n = 0;
    while (ret->n < CALLS_MOST) {
        if (tally.n_row < t->n_row) (void)event_row_bin(&t->l, t->first + tally.n_row * t->l.row_bytes, &k);
        memset(counts, 0, sizeof counts);
        struct event_tile tile = {(k / EVENT_TILE_BINS + (ret->n ? 0 : shift)) * EVENT_TILE_BINS, counts};
        enum event_row_fault fault = call(&t->l, t->first, t->n_row, &tile, &tally);
        ret->call[ret->n].fault = fault;
        ret->call[ret->n].tally = tally;
        ret->call[ret->n++].counts = counts_digest();
        if (fault == EVENT_ROW_CHANNEL && step_over)
            tally.n_row++;
        else if (fault != EVENT_ROW_BEYOND)
            return;
    }
}

static inline bool is_same_tally(const struct event_tally *a, const struct event_tally *b)
{
    bool same = a->n_row == b->n_row && a->n_event == b->n_event && a->n_outside == b->n_outside &&
                a->n_dropped == b->n_dropped && a->n_merged == b->n_merged && a->n_back == b->n_back &&
                a->n_repeat == b->n_repeat;
    bool seen = a->seen.gain == b->seen.gain &&
                (a->seen.gain < 0 ||
                 (a->seen.t_ns == b->seen.t_ns && a->seen.dead_ns == b->seen.dead_ns && a->seen.atom == b->seen.atom));
    if (a->n_row == 0) return same && seen;
    return same && seen && a->first_ns == b->first_ns && a->last_ns == b->last_ns && a->before_ns == b->before_ns;
}

/* Returned  the first call with another outcome; -1: none */
static inline int outcome_compare(const struct outcome *a, const struct outcome *b)
{
    for (int i = 0; i < a->n && i < b->n; i++)
        if (a->call[i].fault != b->call[i].fault || a->call[i].counts != b->call[i].counts ||
            !is_same_tally(&a->call[i].tally, &b->call[i].tally))
            return i;
    return a->n == b->n ? -1 : a->n < b->n ? a->n : b->n;
}
#endif
