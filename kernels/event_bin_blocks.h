/* Blocks of 32 rows: the loop that the implementations with vectors share. Private to kernels/event_bin_*.c.
 *
 * A block that rises in time and has no fault lies in few bins; each bin's share of it is a mask of rows, and what falls
 * into an atom is a count of bits. Any other block goes to event_bin_rows, row by row. Whether a row lies before the end of
 * a bin is asked of its stored double: the first double of the next bin is found exactly, so no rounding can differ.
 *
 * The file that includes this defines BLOCK_TARGET, struct block_vectors (the columns of 32 rows), block_channel and block_sum
 * (what it likes to keep of a channel number and of a sum) and the functions declared below. */
#include "kernels/event_bin_rows.h"
#include <math.h>

/* What is called for every block is one function in the end: the kind of layout is a constant there. */
#define BLOCK_INLINE inline BLOCK_TARGET __attribute__((always_inline))

enum { BLOCK_ROWS = 32, RUNS_FEW = 8, RUNS_MOST = 16, PLAIN_ROW = 10, GAINS_ROW = 18 };

/* How far ahead bytes are asked for: measured, from 4 KiB on memory is the limit and not the wait for it. */
#ifndef BLOCK_AHEAD
enum { BLOCK_AHEAD = 6144 };
#endif

/* More than rounding two times and a dead time to nanoseconds can add to what lies between them. */
#define BLOCK_ROUNDING_S 4e-9

struct block {
    struct block_vectors v;
    bool rising;     /* every time is a number and not below the one in front of it */
    bool sound;      /* every gain and dead time is one */
    uint32_t same;   /* rows of the same time as the one in front */
    uint32_t passes; /* rows that pass type and flag */
    uint32_t low;    /* rows of low gain */
    uint32_t near;   /* rows within the dead time of the row in front; the first one's bit says nothing */
    uint32_t unsure; /* rows of which `near` may be wrong: is_pair decides */
};

/* The layouts that have a vector path. */
enum block_kind {
    BLOCK_PLAIN, /* TIME D, PHA I */
    BLOCK_GAINS, /* TIME D, PI I, GAIN_TYPE B, DEAD_TIME E, EVT_TYPE B, EVT_PAIR B, FLAG B */
    BLOCK_NEITHER,
};

static BLOCK_INLINE size_t row_width(enum block_kind kind)
{
    return kind == BLOCK_PLAIN ? PLAIN_ROW : GAINS_ROW;
}

/* Read the rows. */
static BLOCK_INLINE void block_load(struct block *b, enum block_kind kind, const struct event_layout *l,
                                    const uint8_t *rows, double before);
/* A channel number to compare with, and the rows whose channel is at least that. */
static BLOCK_INLINE block_channel block_channel_of(unsigned channel);
static BLOCK_INLINE uint32_t block_from(const struct block_vectors *v, const block_channel *least);
/* Rows whose time is before a number. */
static BLOCK_INLINE uint32_t block_before(const struct block_vectors *v, double end);
/* Add the dead times of some rows, units of EVENT_DEAD_NS, to a sum; what a sum is. */
static BLOCK_INLINE void block_dead(const struct block_vectors *v, uint32_t rows, block_sum *sum);
static BLOCK_INLINE uint64_t block_total(const block_sum *sum);

/* Channels of one atom in a row. */
struct runs {
    int n;
    block_channel first[RUNS_MOST + 1], last; /* from first[n] on n_channel, last the channel below */
    int8_t atom[RUNS_MOST];                   /* from atom[n] on of no atom: runs of nothing */
};

/* Everything between two calls of event_bin_rows. */
struct stream {
    const struct event_layout *l;
    const uint8_t *rows;
    const struct event_tile *tile;
    struct event_tally *tally;
    size_t n_row, synced; /* the tally's times and seen row are those of row `synced` - 1 */
    struct runs runs;
    double tile_end;  /* the first stored time that is beyond the tile or most_ns */
    double end, next; /* of the bin that the sums are of, and of the bin behind it; -INFINITY: of none */
    int64_t k;
    uint32_t at_least[RUNS_MOST]; /* counted rows from this run up */
    uint32_t n_in, n_last;        /* all rows; those in the last channel */
    block_sum dead;
    const uint8_t *seen; /* last recommended row; NULL: tally->seen is true */
    bool seen_paired;
};

static BLOCK_TARGET enum block_kind block_kind(const struct event_layout *l)
{
    if (l->time_at != 0 || l->channel_at != 8 || l->channel_bytes != 2 || l->n_channel > INT16_MAX)
        return BLOCK_NEITHER;
    if (l->row_bytes == PLAIN_ROW && l->type_at < 0 && l->flag_at < 0 && l->gain_at < 0 && l->dead_at < 0)
        return BLOCK_PLAIN;
    bool gains =
        l->row_bytes == GAINS_ROW && l->gain_at == 10 && l->dead_at == 11 && l->type_at == 15 && l->flag_at == 17;
    bool bytes = l->type_is >= 0 && l->type_is <= UINT8_MAX && l->flag_below >= 1 && l->flag_below <= UINT8_MAX;
    return gains && bytes ? BLOCK_GAINS : BLOCK_NEITHER;
}

/* Returned  false: more runs than there is room for, or no channels */
static BLOCK_TARGET bool runs_find(const struct event_layout *l, struct runs *ret)
{
    size_t i = 1, n = l->n_channel;
    if (!n) return false;
    ret->n = 1;
    ret->atom[0] = l->atom[0];
    while (i < n) {
        while (i + 8 <= n && !memcmp(l->atom + i, l->atom + i - 1, 8)) /* eight at once: tables are long, runs few */
            i += 8;
        for (size_t stop = i + 8 < n ? i + 8 : n; i < stop; i++) {
            if (l->atom[i] == l->atom[i - 1]) continue;
            if (ret->n == RUNS_MOST) return false;
            ret->first[ret->n] = block_channel_of((unsigned)i);
            ret->atom[ret->n++] = l->atom[i];
        }
    }
    for (int r = ret->n; r <= RUNS_MOST; r++)
        ret->first[r] = block_channel_of((unsigned)n);
    for (int r = ret->n; r < RUNS_MOST; r++)
        ret->atom[r] = EVENT_NO_ATOM;
    ret->last = block_channel_of((unsigned)n - 1);
    return true;
}

/* ---- where a bin ends ---- */

/* Doubles in their order as integers, and back. */
static BLOCK_INLINE int64_t order_of(double x)
{
    int64_t bits;
    memcpy(&bits, &x, 8);
    return bits < 0 ? INT64_MIN - bits : bits;
}

static BLOCK_INLINE double double_at(int64_t order)
{
    int64_t bits = order < 0 ? INT64_MIN - order : order;
    double x;
    memcpy(&x, &bits, 8);
    return x;
}

/* The same from a start that may be far off, in steps that grow. */
static BLOCK_TARGET double search_stored(int64_t ns, int64_t at)
{
    int64_t step = 1;
    if (event_stored_ns(double_at(at)) >= ns) {
        while (event_stored_ns(double_at(at - step)) >= ns) {
            at -= step;
            step *= 2;
        }
        at -= step;
    } else {
        while (event_stored_ns(double_at(at + step)) < ns) {
            at += step;
            step *= 2;
        }
    }
    while (step > 1) { /* at is below, at + step is not */
        step /= 2;
        if (event_stored_ns(double_at(at + step)) < ns) at += step;
    }
    return double_at(at + 1);
}

/* The least double whose event_stored_ns is at least ns: event_stored_ns never falls, so there is one. It is beside the inverse
 * in doubles, except within a second of 0, where doubles are much finer than its error. */
static BLOCK_TARGET double first_stored(int64_t ns)
{
    int64_t whole = ns / INT64_C(1000000000), rest = ns % INT64_C(1000000000);
    int64_t at = order_of((double)whole + ((double)rest - 0.5) * 1e-9);
    bool below = event_stored_ns(double_at(at - 1)) < ns, here = event_stored_ns(double_at(at)) < ns;
    if (!below || event_stored_ns(double_at(at + 1)) < ns) return search_stored(ns, at);
    return double_at(at + here);
}

/* The first stored time at or after bin k, or beyond most_ns. */
static BLOCK_TARGET double bin_begin(const struct event_layout *l, int64_t k)
{
    int64_t ns = k * EVENT_BIN_NS;
    return first_stored((ns <= l->most_ns ? ns : l->most_ns + 1) - l->zero_ns);
}

/* ---- the tally between vectors and rows ---- */

static BLOCK_TARGET void add_counts(struct stream *s)
{
    uint32_t *counts = s->tile->counts + (s->k - s->tile->k0), counted = 0;
    for (int r = 0; r < s->runs.n; r++) {
        uint32_t n = s->at_least[r] - (r + 1 < s->runs.n ? s->at_least[r + 1] : 0);
        if (s->runs.atom[r] < 0) continue;
        counts[(size_t)s->runs.atom[r] * EVENT_TILE_BINS] += n;
        counted += n;
    }
    s->tally->n_event += counted;
    s->tally->n_outside += s->at_least[0] - counted;
}

static BLOCK_TARGET void sums_clear(struct stream *s)
{
    memset(s->at_least, 0, sizeof s->at_least);
    memset(&s->dead, 0, sizeof s->dead);
    s->n_in = s->n_last = 0;
}

/* What the sums hold goes into the tile and the tally. */
static BLOCK_TARGET void sums_flush(struct stream *s)
{
    if (!s->n_in) return;
    add_counts(s);
    uint64_t dead = s->l->dead_at >= 0
                        ? block_total(&s->dead)
                        : (uint64_t)(s->n_in - s->n_last) * s->l->dead + (uint64_t)s->n_last * s->l->dead_last;
    event_add_dead(&s->tile->counts[(size_t)s->l->n_atom * EVENT_TILE_BINS + (size_t)(s->k - s->tile->k0)], dead);
    sums_clear(s);
}

/* The row seen last becomes the tally's. */
static BLOCK_TARGET void seen_sync(struct stream *s)
{
    struct event_tally *tally = s->tally;
    uint32_t dead;
    if (!s->seen) return;
    (void)event_row_met(s->l, s->seen, &tally->seen.t_ns); /* they were sound in their block */
    (void)event_row_dead(s->l, s->seen, &dead, &tally->seen.dead_ns);
    tally->seen.gain = s->seen_paired ? NOBODY : s->seen[s->l->gain_at];
    tally->seen.atom = s->l->atom[event_row_channel(s->l, s->seen)];
    s->seen = NULL;
}

/* All that the blocks have kept for themselves becomes the tally's and the tile's. */
static BLOCK_TARGET void stream_sync(struct stream *s)
{
    struct event_tally *tally = s->tally;
    int64_t met = 0;
    sums_flush(s);
    seen_sync(s);
    if (s->synced == tally->n_row) return;
    if (s->synced == 0) { /* blocks rise: their first row is the least, their last the greatest */
        (void)event_row_met(s->l, s->rows, &tally->first_ns);
        tally->last_ns = tally->first_ns;
    }
    (void)event_row_met(s->l, s->rows + (tally->n_row - 1) * s->l->row_bytes, &met);
    tally->before_ns = met;
    if (met > tally->last_ns) tally->last_ns = met;
    s->synced = tally->n_row;
}

/* Rows up to `until` one by one. The bin is forgotten: they may go anywhere. */
static BLOCK_TARGET enum event_row_fault take_rows(struct stream *s, size_t until)
{
    stream_sync(s);
    enum event_row_fault fault = event_bin_rows(s->l, s->rows, s->n_row, until, s->tile, s->tally);
    s->synced = s->tally->n_row;
    s->end = s->next = -INFINITY;
    return fault;
}

/* ---- one deposit in both gains ---- */

/* The gain of the recommended row in front of each row: a carry takes it over the rows between. */
static BLOCK_INLINE uint32_t gain_before(uint32_t low, uint32_t recommended, bool seen_low)
{
    uint32_t gain = (low & recommended) << 1 | seen_low, between = ~recommended;
    return gain | ((between + (gain & between)) ^ between);
}

static BLOCK_INLINE int lowest(uint32_t rows)
{
    return __builtin_ctz(rows);
}

/* Whether a row lies within the dead time of another in front of it; rounding to nanoseconds matters only near the limit. */
static BLOCK_TARGET bool is_pair(const struct event_layout *l, const uint8_t *front, const uint8_t *row)
{
    double apart = bytes_get_f64(row) - bytes_get_f64(front), dead_s = (double)bytes_get_f32(front + 11) * 1e-6;
    int64_t t_front = 0, t_row = 0, dead_ns = 0;
    uint32_t dead;
    if (fabs(apart - dead_s) > BLOCK_ROUNDING_S) return apart < dead_s;
    (void)event_row_met(l, front, &t_front); /* sound, as all rows of the block */
    (void)event_row_met(l, row, &t_row);
    (void)event_row_dead(l, front, &dead, &dead_ns);
    return t_row - t_front <= dead_ns;
}

/* The first recommended row of a block and the one seen in an earlier block: the high gain of a pair does not count.
 * Returned  whether they are a pair */
static BLOCK_TARGET bool pair_with_seen(struct stream *s, const uint8_t *row, uint32_t first, uint32_t *counted)
{
    struct event_tally *tally = s->tally;
    int64_t met = 0;
    if (s->seen && !is_pair(s->l, s->seen, row)) return false;
    seen_sync(s);
    (void)event_row_met(s->l, row, &met); /* sound, as all rows of the block */
    if (met < tally->seen.t_ns || met - tally->seen.t_ns > tally->seen.dead_ns) return false;
    if (tally->seen.gain == 0) return event_uncount_seen(s->tile, tally);
    *counted &= ~first;
    tally->n_merged++;
    tally->seen.gain = NOBODY;
    return true;
}

static BLOCK_TARGET int seen_gain(const struct stream *s)
{
    if (!s->seen) return s->tally->seen.gain;
    return s->seen_paired ? NOBODY : s->seen[s->l->gain_at];
}

/* Of candidates in a row every second one from the first: the row between two pairs belongs to the earlier. */
static BLOCK_INLINE uint32_t every_second(uint32_t candidates)
{
    const uint32_t even = 0x55555555;
    uint32_t begin = candidates & ~(candidates << 1);
    uint32_t begun_even = candidates & ~(candidates + (begin & even)); /* the carry runs through to the end */
    return (begun_even & even) | (candidates & ~begun_even & ~even);
}

/* Recommended rows that with the recommended row in front of them would be a pair. The few whose neighbour in front is not
 * recommended are asked themselves. */
static BLOCK_INLINE uint32_t find_pairs(const struct stream *s, const struct block *b, const uint8_t *rows,
                                        uint32_t all, uint32_t other)
{
    uint32_t ask = other & (b->unsure | ~(all << 1)), pairs = other & b->near & ~ask;
    for (; ask; ask &= ask - 1) {
        int at = lowest(ask), front = 31 - __builtin_clz(all & ((UINT32_C(1) << at) - 1));
        if (is_pair(s->l, rows + (size_t)front * GAINS_ROW, rows + (size_t)at * GAINS_ROW)) pairs |= UINT32_C(1) << at;
    }
    return pairs;
}

/* Take the high gain of each pair out of `counted`, the recommended rows. */
static BLOCK_INLINE void pairs_merge(struct stream *s, const struct block *b, const uint8_t *rows, uint32_t *counted)
{
    uint32_t all = *counted, first = all & (0 - all);
    if (!all) return;
    int gain = seen_gain(s), last = 31 - __builtin_clz(all);
    uint32_t other = (gain_before(b->low, all, gain == 1) ^ b->low) & all;
    bool taken =
        gain == NEXT_IS_PAIRED ||
        (gain >= 0 && other & first && pair_with_seen(s, rows + (size_t)lowest(first) * GAINS_ROW, first, counted));
    uint32_t pairs = find_pairs(s, b, rows, all, other & ~first);
    s->seen = rows + (size_t)last * GAINS_ROW;
    s->seen_paired = taken && first == UINT32_C(1) << last;
    if (!pairs) return;
    uint32_t low = _pext_u32(b->low, all), picked = every_second(_pext_u32(pairs, all) | taken) & ~(uint32_t)taken;
    *counted &= ~_pdep_u32((picked & ~low) | (picked & low) >> 1, all);
    s->tally->n_merged += (unsigned)__builtin_popcount(picked);
    s->seen_paired = picked >> (__builtin_popcount(all) - 1) & 1;
}

/* ---- counting ---- */

/* Rows from each run of channels up, those in the last channel, those that count. */
struct shares {
    uint32_t from[RUNS_MOST], last, counted;
};

/* Given     room  runs to look at, a constant
 * Returned  false: a channel beyond the table in a row that passes */
static BLOCK_INLINE bool shares_find(const struct stream *s, int room, const struct block *b, struct shares *ret)
{
    uint32_t above = block_from(&b->v, &s->runs.first[room]);
    if (above & b->passes) return false;
    ret->counted = b->passes;
    for (int r = room - 1; r >= 0; r--) {
        ret->from[r] = r ? block_from(&b->v, &s->runs.first[r]) : UINT32_MAX;
        if (s->runs.atom[r] == EVENT_NOT_RECOMMENDED) ret->counted &= ~(ret->from[r] & ~above);
        above = ret->from[r];
    }
    return true;
}

static BLOCK_INLINE void sums_add(struct stream *s, enum block_kind kind, int room, const struct block *b,
                                  const struct shares *shares, uint32_t in)
{
    uint32_t counted = shares->counted & in;
    for (int r = 0; r < room; r++)
        s->at_least[r] += (uint32_t)__builtin_popcount(shares->from[r] & counted);
    s->n_in += (uint32_t)__builtin_popcount(in);
    if (kind == BLOCK_PLAIN)
        s->n_last += (uint32_t)__builtin_popcount(shares->last & in);
    else
        block_dead(&b->v, in, &s->dead);
}

/* Begin the sums of the bin that a row lies in: mostly the one behind the last.
 * Returned  false: it lies in none of the tile, outside the limits, or before the last row taken */
static BLOCK_TARGET bool bin_enter(struct stream *s, const uint8_t *row)
{
    int64_t met;
    sums_flush(s);
    if (bytes_get_f64(row) < s->next) {
        s->k++;
        s->end = s->next;
    } else {
        if (!event_row_met(s->l, row, &met) || event_place(s->tile, met) >= EVENT_TILE_BINS) return false;
        if (s->tally->n_row && met < s->tally->before_ns) return false; /* behind a row that was stepped over */
        s->k = met / EVENT_BIN_NS;
        s->end = bin_begin(s->l, s->k + 1);
    }
    s->next = bin_begin(s->l, s->k + 2);
    return true;
}

/* Count `rest` rows of a block that rises from the bin of the sums on, bin by bin. */
static BLOCK_INLINE void block_count(struct stream *s, enum block_kind kind, int room, const struct block *b,
                                     const struct shares *shares, const uint8_t *rows, uint32_t rest, double last)
{
    while (!(last < s->end)) {
        uint32_t in = block_before(&b->v, s->end) & rest;
        if (in) sums_add(s, kind, room, b, shares, in);
        rest &= ~in;
        (void)bin_enter(s, rows + (size_t)lowest(rest) * row_width(kind)); /* between two rows that are in the tile */
    }
    sums_add(s, kind, room, b, shares, rest);
}

/* One block of n rows, n at most BLOCK_ROWS; `full` holds them and copies of the last one behind.
 * Returned  false: it must be taken row by row; nothing was counted */
static BLOCK_INLINE bool take_block(struct stream *s, enum block_kind kind, int room, const uint8_t *full, size_t n)
{
    struct block b;
    struct shares shares;
    uint32_t live = UINT32_MAX >> (BLOCK_ROWS - n);
    const uint8_t *rows = s->rows + s->tally->n_row * row_width(kind);
    double last = bytes_get_f64(rows + (n - 1) * row_width(kind));
    double before = s->tally->n_row ? bytes_get_f64(rows - row_width(kind)) : -INFINITY;
    block_load(&b, kind, s->l, full, before);
    if (!b.rising || !b.sound || !(last < s->tile_end)) return false;
    b.passes &= live;
    if (!shares_find(s, room, &b, &shares) || (s->end == -INFINITY && !bin_enter(s, rows))) return false;
    s->tally->n_dropped += n - (size_t)__builtin_popcount(shares.counted);
    if (kind == BLOCK_GAINS) pairs_merge(s, &b, rows, &shares.counted);
    if (kind == BLOCK_PLAIN) shares.last = block_from(&b.v, &s->runs.last);
    block_count(s, kind, room, &b, &shares, rows, live, last);
    for (uint32_t same = b.same & live; same; same &= same - 1)
        s->tally->n_repeat += event_row_repeats(s->l, s->rows, s->tally->n_row + (size_t)lowest(same));
    s->tally->n_row += n;
    return true;
}

/* The rows behind the last whole block, and copies of the last one. */
static BLOCK_TARGET const uint8_t *fill_block(const uint8_t *rows, size_t n, size_t width, uint8_t *full)
{
    memcpy(full, rows, n * width);
    for (size_t i = n; i < BLOCK_ROWS; i++)
        memcpy(full + i * width, full + (n - 1) * width, width);
    return full;
}

static BLOCK_INLINE enum event_row_fault bin_blocks(struct stream *s, enum block_kind kind, int room)
{
    uint8_t full[BLOCK_ROWS * GAINS_ROW];
    const size_t width = row_width(kind);
    for (size_t left = s->n_row - s->tally->n_row; left; left = s->n_row - s->tally->n_row) {
        const uint8_t *rows = s->rows + s->tally->n_row * width;
        size_t n = left < BLOCK_ROWS ? left : BLOCK_ROWS;
        for (size_t at = 0; at < BLOCK_ROWS * width; at += 64) /* may be behind the end: it only asks */
            __builtin_prefetch((const void *)((uintptr_t)rows + BLOCK_AHEAD + at));
        if (take_block(s, kind, room, n == BLOCK_ROWS ? rows : fill_block(rows, n, width, full), n)) continue;
        enum event_row_fault fault = take_rows(s, s->tally->n_row + n);
        if (fault) return fault;
    }
    stream_sync(s);
    return EVENT_ROWS_DONE;
}

/* event_bin, whatever the layout. */
static BLOCK_TARGET enum event_row_fault bin_stream(const struct event_layout *l, const uint8_t *rows, size_t n_row,
                                                    const struct event_tile *tile, struct event_tally *tally)
{
    struct stream s;
    enum block_kind kind = block_kind(l);
    bool reachable = tile->k0 >= 0 && tile->k0 <= l->most_ns / EVENT_BIN_NS;
    if (kind == BLOCK_NEITHER || !reachable || !runs_find(l, &s.runs))
        return event_bin_rows(l, rows, n_row, n_row, tile, tally);
    s.l = l;
    s.rows = rows;
    s.tile = tile;
    s.tally = tally;
    s.n_row = n_row;
    s.synced = tally->n_row;
    s.seen = NULL;
    sums_clear(&s);
    s.end = s.next = -INFINITY;
    s.tile_end = bin_begin(l, tile->k0 + EVENT_TILE_BINS);
    int room = s.runs.n <= RUNS_FEW ? RUNS_FEW : RUNS_MOST;
    if (kind == BLOCK_PLAIN)
        return room == RUNS_FEW ? bin_blocks(&s, BLOCK_PLAIN, RUNS_FEW) : bin_blocks(&s, BLOCK_PLAIN, RUNS_MOST);
    return room == RUNS_FEW ? bin_blocks(&s, BLOCK_GAINS, RUNS_FEW) : bin_blocks(&s, BLOCK_GAINS, RUNS_MOST);
}
