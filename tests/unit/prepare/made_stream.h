/* A stream of events for the tests of the rings. Expected digests are numpy's on the same events: event i at 1000 s + 3 i + (i^2 mod 7) ms of mission time in
 * channel 5 i mod 8, good time [1000, 1090.01) and [1095, 1180) s, counts by np.add.at, missing bins zero. */
#ifndef BURST_TESTS_MADE_STREAM_H
#define BURST_TESTS_MADE_STREAM_H
#include "base/bytes.h"
#include "base/hash.h"
#include "prepare/lightcurve.h"
#include "records/bands.h"
#include <stdlib.h>

enum { N_EVENT = 60000, N_CHANNEL = 8 };
#define MS          INT64_C(1000000)
#define EPOCH_NS    (INT64_C(1546300800) * 1000 * MS)
#define LATENESS_NS (2000 * MS)

/* Channels of 10-20 25-40 40-60 60-110 110-300 300-500 500-900 900-2000 keV in the default atoms, by their mean energy. */
static const int ATOM[N_CHANNEL] = {-1, 0, 0, 1, 2, 3, 4, -1};
enum { N_TILE = 5, N_ATOM = 5, TILE_COUNTS = (N_ATOM + 1) * EVENT_TILE_BINS };

struct made {
    struct event_packet packet;
    struct time_span good[2];
    struct event_tile tile[N_TILE];
    uint32_t counts[N_TILE][TILE_COUNTS];
};
static struct made made;
static struct lightcurve_window *window;

static inline void good_cut(struct made *m, struct event_list *list, int64_t lo, int64_t hi, int64_t from, int64_t to)
{
    if (lo < from) lo = from;
    if (hi > to) hi = to;
    if (lo < hi) m->good[list->n_good++] = (struct time_span){EPOCH_NS + lo * MS, EPOCH_NS + hi * MS};
}

/* One event, and 4 us of dead time with it. */
static inline void event_put(struct made *m, struct event_list *list, int64_t k, int atom)
{
    int64_t k0 = k / EVENT_TILE_BINS * EVENT_TILE_BINS;
    if (!list->n_tile || m->tile[list->n_tile - 1].k0 < k0) {
        memset(m->counts[list->n_tile], 0, sizeof m->counts[0]);
        m->tile[list->n_tile] = (struct event_tile){k0, m->counts[list->n_tile]};
        list->n_tile++;
    }
    uint32_t *bin = m->counts[list->n_tile - 1] + (k - k0);
    bin[atom * EVENT_TILE_BINS]++;
    bin[N_ATOM * EVENT_TILE_BINS] += 40;
    list->n_event++;
}

/* The part of the test's events inside [from, to) ms of mission time, as one packet of one detector. */
static inline const struct event_packet *packet_cut(struct made *m, int detector, int64_t from, int64_t to)
{
    struct event_list *list = &m->packet.list[0];
    *list = (struct event_list){.detector = detector, .good = m->good, .tile = m->tile};
    for (int64_t i = 0; i < N_EVENT; i++) {
        int64_t t = 1000000 + 3 * i + i * i % 7;
        if (t < from || t >= to) continue;
        if (ATOM[5 * i % 8] < 0)
            list->n_outside++;
        else
            event_put(m, list, t * MS / BIN_NS, ATOM[5 * i % 8]);
    }
    good_cut(m, list, 1000000, 1090010, from, to);
    good_cut(m, list, 1095000, 1180000, from, to);
    m->packet.epoch_ns = EPOCH_NS;
    band_set_default(&m->packet.bands);
    m->packet.n_list = 1;
    m->packet.span = (struct time_span){0, 0};
    if (list->n_good > 0) m->packet.span = (struct time_span){m->good[0].start_ns, m->good[list->n_good - 1].stop_ns};
    return &m->packet;
}

static inline struct lightcurve *rings_from(int64_t score_from_k)
{
    struct lightcurve_settings s = {.source = {REALM_LIVE, MISSION_GECAM_B, INSTRUMENT_GRD}};
    struct lightcurve *lc = NULL;
    s.epoch_ns = EPOCH_NS;
    s.lateness_ns = LATENESS_NS;
    s.score_from_k = score_from_k;
    band_set_default(&s.bands);
    CHECK_INT(lightcurve_new(&s, &lc, NULL), BURST_OK);
    return lc;
}

static inline struct lightcurve *rings(void)
{
    return rings_from(INT64_MIN);
}

struct taken {
    int n;
    int64_t first_k, last_k;
    uint8_t chain[145][32]; /* digest of row 0 of each window */
};

static inline void drain(struct lightcurve *lc, struct taken *all)
{
    bool ready = true;
    while (lightcurve_next(lc, window, &ready, NULL) == BURST_OK && ready) {
        if (all->n == 0)
            all->first_k = window->k_end;
        else
            CHECK_INT(window->k_end, all->last_k + STRIDE_BINS);
        all->last_k = window->k_end;
        if (all->n < 145) window_row_sha256(window, 0, all->chain[all->n]);
        all->n++;
    }
}

static inline enum burst_err put(struct lightcurve *lc, const struct event_packet *p, struct burst_error *reterr)
{
    int64_t k = event_packet_next(p, 0);
    return k == INT64_MAX ? BURST_OK : lightcurve_add(lc, p, k, k + LIGHTCURVE_STEP_BINS, reterr);
}

static inline enum burst_err add(struct lightcurve *lc, const struct event_packet *p, struct taken *all)
{
    enum burst_err err = BURST_OK, one;
    for (int64_t k = event_packet_next(p, 0); k != INT64_MAX; k = event_packet_next(p, k + 100)) {
        one = lightcurve_add(lc, p, k, k + 100, NULL);
        if (one == BURST_E_FULL) {
            drain(lc, all);
            one = lightcurve_add(lc, p, k, k + 100, NULL);
        }
        if (one) err = one;
        drain(lc, all);
    }
    return err;
}

static inline void chain_text(const struct taken *all, char ret_text[65])
{
    struct hash_piece piece = {all->chain, sizeof all->chain};
    uint8_t sha[32];
    hash_sha256(&piece, 1, sha);
    bytes_hex(sha, 32, ret_text);
}

/* CHAIN: of all 145 windows; LAST: of the last alone. */
static const char *const LAST = "218906cf87282644384551efb2da7fd0714ec6ee226c0123c721b91f0fa78825";
static const char *const CHAIN = "6348c80d6b109634829f1cc33ccf6cf9ce6de81d7598f001b9c1f9ea125cf9cc";
#endif
