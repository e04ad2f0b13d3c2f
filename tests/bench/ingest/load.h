/* What ingest_bench feeds to everybody: event files in memory, made by the project's writer, and a histogram of them. */
#ifndef BURST_BENCH_INGEST_LOAD_H
#define BURST_BENCH_INGEST_LOAD_H
#include "fits/gate.h"
#include "fits/table.h"
#include "fits/write.h"
#include "kernels/event_bin.h"
#include "records/bands.h"
#include "records/source.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LADDER = 448, GBM_CHANNELS = 128, ROW_OF_DEAD = 5, HISTOGRAM_ROWS = 6, TABLES_MOST = 4096 };

struct load_kind {
    const char *name;
    bool gains;       /* GECAM's 18-byte rows of 25 detectors; else GBM's 10-byte rows of one */
    double rate_hz;   /* rows per second of a detector */
    double message_s; /* seconds that one message holds; 0: all in one */
};

struct load_body {
    uint8_t *bytes;
    size_t n;
};

struct load_table {
    int detector;
    const uint8_t *rows;
    size_t n_row;
};

struct load {
    const struct load_kind *kind;
    struct source source;
    struct band_set bands;
    struct event_layout layout;
    int8_t atom[LADDER];
    size_t n_channel, n_body, n_table, n_row, n_byte;
    int n_detector;
    struct load_body *body;
    struct load_table table[TABLES_MOST];
    int64_t k0; /* histogram: [n_detector][HISTOGRAM_ROWS][n_bin], five atoms and dead time in units of EVENT_DEAD_NS */
    size_t n_bin;
    uint32_t *histogram;
};

static inline void give_up(const char *what, const struct burst_error *e)
{
    (void)fprintf(stderr, "ingest_bench: %s%s%s\n", what, e ? ": " : "", e ? e->text : "");
    exit(1);
}

static inline void *take_bytes(size_t n, size_t size)
{
    void *p = calloc(n, size);
    if (!p) give_up("no memory", NULL);
    return p;
}

/* Uniform in [0, 1): xorshift64 (Marsaglia 2003). */
static inline double draw_unit(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return (double)(*state >> 11) * 0x1p-53;
}

/* Channels rise in equal ratios: GBM's from 4.5 to 2,000 keV, GECAM's from 2 to 10,053.5 keV. */
static inline float channel_edge_kev(const struct load *l, size_t i)
{
    double low = l->kind->gains ? 2.0 : 4.5, high = l->kind->gains ? 10053.5 : 2000.0;
    return i == l->n_channel ? (float)high : (float)(low * pow(high / low, (double)i / (double)l->n_channel));
}

/* A photon's channel: most are soft. */
static inline uint16_t draw_channel(const struct load *l, uint64_t *seed)
{
    double x = draw_unit(seed);
    return (uint16_t)((double)l->n_channel * (0.2 + 0.75 * x * x));
}

/* Time of the next row: Poisson; a microsecond around the borders of bins is left out, so that a plain division finds the bin. */
static inline int64_t draw_time(int64_t before_ns, double rate_hz, uint64_t *seed)
{
    int64_t t = before_ns + (int64_t)(-log(1 - draw_unit(seed)) / rate_hz * 1e9);
    int64_t rest = t % EVENT_BIN_NS;
    if (rest < 1000) return t + 1000 - rest;
    return rest > EVENT_BIN_NS - 1000 ? t + EVENT_BIN_NS + 1000 - rest : t;
}

struct rows_drawn {
    size_t n;
    int64_t *met_ns;
    uint16_t *channel;
    uint8_t *gain, *type, *flag;
};

static inline void rows_draw(const struct load *l, int64_t from_ns, int64_t to_ns, uint64_t *seed, struct rows_drawn *r)
{
    size_t room = (size_t)((double)(to_ns - from_ns) * 1e-9 * l->kind->rate_hz * 1.1) + 1000;
    *r = (struct rows_drawn){0,
                             take_bytes(room, sizeof *r->met_ns),
                             take_bytes(room, sizeof *r->channel),
                             take_bytes(room, 1),
                             take_bytes(room, 1),
                             take_bytes(room, 1)};
    for (int64_t t = draw_time(from_ns, l->kind->rate_hz, seed); t < to_ns && r->n < room;
         t = draw_time(t, l->kind->rate_hz, seed)) {
        r->met_ns[r->n] = t;
        r->channel[r->n] = draw_channel(l, seed);
        r->gain[r->n] = draw_unit(seed) < 0.1;          /* low */
        r->type[r->n] = draw_unit(seed) < 0.94 ? 1 : 2; /* formats.md 2: 94 % are normal */
        r->flag[r->n++] = draw_unit(seed) < 0.01 ? 2 : 0;
    }
}

static inline void rows_drop(struct rows_drawn *r)
{
    free(r->met_ns);
    free(r->channel);
    free(r->gain);
    free(r->type);
    free(r->flag);
}

static inline void body_write(const struct load *l, struct load_body *body, int64_t from_ns, int64_t to_ns,
                              const struct rows_drawn *rows)
{
    const struct instrument_fact *fact = source_fact(l->source.mission, l->source.instrument);
    struct fits_good good = {from_ns, to_ns};
    struct fits_detector_events list[DETECTOR_MAX];
    float low[LADDER], high[LADDER];
    struct burst_error e;
    for (size_t i = 0; i < l->n_channel; i++) {
        low[i] = channel_edge_kev(l, i);
        high[i] = channel_edge_kev(l, i + 1);
    }
    for (int d = 0; d < l->n_detector; d++)
        list[d] = (struct fits_detector_events){.detector = d,
                                                .n_event = rows[d].n,
                                                .met_ns = rows[d].met_ns,
                                                .channel = rows[d].channel,
                                                .gain = rows[d].gain,
                                                .type = rows[d].type,
                                                .flag = rows[d].flag};
    const struct fits_event_chunk chunk = {.layout = l->kind->gains ? FITS_GECAM_EVT : FITS_GBM_TTE,
                                           .telescope = fact->fits_telescope,
                                           .instrument = fact->fits_instrument,
                                           .mjdref_i = fact->epoch_mjd_i,
                                           .mjdref_f = fact->epoch_mjd_f,
                                           .n_channel = l->n_channel,
                                           .e_min_kev = low,
                                           .e_max_kev = high,
                                           .n_good = 1,
                                           .good = &good,
                                           .n_list = l->n_detector,
                                           .list = list};
    if (fits_write_events(&chunk, &body->bytes, &body->n, &e)) give_up("cannot write", &e);
}

/* Where the tables lie, once: the kernels alone are given these. */
static inline void tables_find(struct load *l, const struct load_body *body)
{
    struct fits_file file;
    struct burst_error e;
    if (fits_gate(body->bytes, body->n, &file, &e)) give_up("the gate refuses a file", &e);
    for (int i = 0, d = 0; i < file.n_hdu; i++) {
        struct fits_table t;
        if (strncmp(file.hdu[i].name, "EVENTS", 6) != 0) continue;
        if (fits_table_view(&file.hdu[i], &t, &e) || l->n_table == TABLES_MOST) give_up("no table", &e);
        l->table[l->n_table++] = (struct load_table){d++, t.hdu->data, t.n_row};
        l->n_row += t.n_row;
    }
    l->n_byte += body->n;
}

static inline void layout_set(struct load *l)
{
    bool g = l->kind->gains;
    for (size_t i = 0; i < l->n_channel; i++) {
        double kev = sqrt((double)channel_edge_kev(l, i) * (double)channel_edge_kev(l, i + 1));
        l->atom[i] = EVENT_NO_ATOM;
        for (int a = 0; a < l->bands.n_atom; a++)
            if (kev >= (double)l->bands.edge_kev[a] && kev < (double)l->bands.edge_kev[a + 1]) l->atom[i] = (int8_t)a;
    }
    l->layout = (struct event_layout){.row_bytes = g ? 18 : 10,
                                      .channel_at = 8,
                                      .channel_bytes = 2,
                                      .most_ns = INT64_C(4000000000000000000),
                                      .type_at = g ? 15 : -1,
                                      .type_is = 1,
                                      .flag_at = g ? 17 : -1,
                                      .flag_below = 2,
                                      .gain_at = g ? 10 : -1,
                                      .dead_at = g ? 11 : -1,
                                      .dead = 26, /* 2.6 us, and 10 us in the overflow channel: formats.md 3 */
                                      .dead_last = 100,
                                      .n_channel = l->n_channel,
                                      .atom = l->atom,
                                      .n_atom = l->bands.n_atom};
}

/* Files of about `mb` MB in all. */
static inline void load_make(struct load *l, const struct load_kind *kind, double mb)
{
    static const struct source gbm = {REALM_ARCHIVE, MISSION_FERMI, INSTRUMENT_GBM},
                               grd = {REALM_ARCHIVE, MISSION_GECAM_B, INSTRUMENT_GRD};
    static struct rows_drawn rows[DETECTOR_MAX];
    *l = (struct load){
        .kind = kind, .source = kind->gains ? grd : gbm, .n_channel = kind->gains ? LADDER : GBM_CHANNELS};
    l->n_detector = kind->gains ? 25 : 1;
    band_set_default(&l->bands);
    layout_set(l);
    double total_s = mb * 1e6 / ((double)l->layout.row_bytes * kind->rate_hz * l->n_detector);
    double message_s = kind->message_s > 0 ? kind->message_s : total_s;
    l->n_body = (size_t)(total_s / message_s + 0.5);
    l->body = take_bytes(l->n_body, sizeof *l->body);
    int64_t start = INT64_C(200000000) * 1000000000, step = (int64_t)(message_s * 1e9);
    uint64_t seed = 88172645463325252;
    for (size_t i = 0; i < l->n_body; i++) {
        int64_t from = start + (int64_t)i * step;
        for (int d = 0; d < l->n_detector; d++)
            rows_draw(l, from, from + step, &seed, &rows[d]);
        body_write(l, &l->body[i], from, from + step, rows);
        for (int d = 0; d < l->n_detector; d++)
            rows_drop(&rows[d]);
        tables_find(l, &l->body[i]);
    }
    l->k0 = start / EVENT_BIN_NS;
    l->n_bin = (size_t)((int64_t)l->n_body * step / EVENT_BIN_NS) + 3;
    l->histogram = take_bytes((size_t)l->n_detector * HISTOGRAM_ROWS * l->n_bin, sizeof *l->histogram);
}

static inline void load_drop(struct load *l)
{
    for (size_t i = 0; i < l->n_body; i++)
        free(l->body[i].bytes);
    free(l->body);
    free(l->histogram);
}

static inline uint32_t *histogram_row(const struct load *l, uint32_t *histogram, int detector, int row)
{
    return histogram + ((size_t)detector * HISTOGRAM_ROWS + (size_t)row) * l->n_bin;
}
#endif
