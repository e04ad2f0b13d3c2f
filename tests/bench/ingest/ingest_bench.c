/* How fast events come in: memory, cfitsio, and burstd's parts on the same files, in one run.
 *
 *   ingest_bench [ROUNDS [MEGABYTES]]
 *
 * Within each round everybody takes a turn, so that other load on the machine meets all alike; CPU seconds of the thread are
 * counted. Rates are of the best round. Ratios are medians over the rounds of what was measured within one round; in brackets the
 * ratio of the two best rounds. `memory` reads every byte once and adds it up, with the widest loads there are. Before anything is
 * timed, everybody's counts are compared bin by bin. Nothing is asserted about time. */
#include "base/arena.h"
#include "base/bytes.h"
#include "base/hash.h"
#include "fits/sum.h"
#include "ingest/ingest.h"
#include "load.h"
#include "peer.h"
#include "prepare/lightcurve.h"
#include <time.h>

enum { ROUNDS_MOST = 200 };

static const struct load_kind kinds[] = {{"GBM, 80 kHz, one file", false, 80000, 0},
                                         {"GBM, 2 kHz, one file", false, 2000, 0},
                                         {"GECAM, 25 x 80 kHz, one file", true, 80000, 0},
                                         {"GECAM, 25 x 1.78 kHz, one file", true, 1780, 0},
                                         {"GECAM, 25 x 1.78 kHz, a message a second", true, 1780, 1}};

static struct load load;
static struct arena arena;
static volatile uint64_t sink; /* keeps what is read */
static uint64_t n_event;       /* what the last contestant counted, where it tells */
static bool keep;              /* tiles go to the histogram */

/* ---- memory ---- */

#ifdef __x86_64__
#include <immintrin.h>

__attribute__((target("avx512f"))) static uint64_t read_avx512(const uint8_t *p, size_t n)
{
    __m512i a = _mm512_setzero_si512(), b = a, c = a, d = a;
    for (size_t i = 0; i + 256 <= n; i += 256) {
        for (size_t k = 0; k < 256; k += 64)
            __builtin_prefetch((const void *)((uintptr_t)p + i + 4096 + k));
        a = _mm512_add_epi64(a, _mm512_loadu_si512(p + i));
        b = _mm512_add_epi64(b, _mm512_loadu_si512(p + i + 64));
        c = _mm512_add_epi64(c, _mm512_loadu_si512(p + i + 128));
        d = _mm512_add_epi64(d, _mm512_loadu_si512(p + i + 192));
    }
    return (uint64_t)_mm512_reduce_add_epi64(_mm512_add_epi64(_mm512_add_epi64(a, b), _mm512_add_epi64(c, d)));
}
#endif

static uint64_t read_plain(const uint8_t *p, size_t n)
{
    uint64_t sum[4] = {0};
    for (size_t i = 0; i + 32 <= n; i += 32)
        for (size_t k = 0; k < 4; k++)
            sum[k] += bytes_get_u64(p + i + 8 * k);
    return sum[0] + sum[1] + sum[2] + sum[3];
}

static void run_memory(void)
{
    uint64_t (*reader)(const uint8_t *, size_t) = read_plain;
#ifdef __x86_64__
    if (__builtin_cpu_supports("avx512f")) reader = read_avx512;
#endif
    for (size_t i = 0; i < load.n_body; i++)
        sink += reader(load.body[i].bytes, load.body[i].n);
}

/* ---- the peer ---- */

static void run_cfitsio_read(void)
{
    peer_run(&load, false);
}

static void run_cfitsio(void)
{
    peer_run(&load, true);
}

/* ---- the kernels alone ---- */

static void keep_tile(int detector, const struct event_tile *tile)
{
    for (int r = 0; keep && r < HISTOGRAM_ROWS; r++)
        for (int t = 0; t < EVENT_TILE_BINS; t++) {
            int64_t at = tile->k0 + t - load.k0;
            if (at >= 0 && at < (int64_t)load.n_bin)
                histogram_row(&load, load.histogram, detector, r)[at] += tile->counts[r * EVENT_TILE_BINS + t];
        }
}

static void bin_table(event_bin_call *call, const struct load_table *t)
{
    static uint32_t counts[HISTOGRAM_ROWS * EVENT_TILE_BINS];
    struct event_tally tally = {.seen.gain = -1};
    for (enum event_row_fault fault = EVENT_ROW_BEYOND; fault == EVENT_ROW_BEYOND && tally.n_row < t->n_row;) {
        int64_t k = 0;
        if (event_row_bin(&load.layout, t->rows + tally.n_row * load.layout.row_bytes, &k))
            give_up("a wrong time", NULL);
        struct event_tile tile = {k / EVENT_TILE_BINS * EVENT_TILE_BINS, counts};
        memset(counts, 0, sizeof counts);
        fault = call(&load.layout, t->rows, t->n_row, &tile, &tally);
        keep_tile(t->detector, &tile);
        if (fault > EVENT_ROW_BEYOND) give_up("a row is refused", NULL);
    }
    n_event += tally.n_event;
}

static void bin_tables(event_bin_call *call)
{
    for (size_t i = 0; i < load.n_table; i++)
        bin_table(call, &load.table[i]);
}

static void run_avx512(void)
{
    bin_tables(event_bin_avx512());
}

static void run_avx2(void)
{
    bin_tables(event_bin_avx2());
}

static void run_portable(void)
{
    bin_tables(event_bin_portable());
}

/* ---- from the bytes of a message ---- */

static void run_gate(void)
{
    struct fits_file file;
    struct burst_error e;
    for (size_t i = 0; i < load.n_body; i++)
        if (fits_gate(load.body[i].bytes, load.body[i].n, &file, &e)) give_up("gate", &e);
}

static void run_gate_sums(void)
{
    struct fits_file file;
    struct burst_error e;
    for (size_t i = 0; i < load.n_body; i++)
        if (fits_gate(load.body[i].bytes, load.body[i].n, &file, &e) || fits_sums_check(&file, &e)) give_up("sums", &e);
}

static void read_body(const struct load_body *body, struct event_packet *packet)
{
    struct burst_error e;
    arena_reset(&arena);
    if (ingest_events(load.source, body->bytes, body->n, &load.bands, &arena, packet, &e)) give_up("ingest", &e);
    for (size_t i = 0; i < packet->n_list; i++)
        n_event += packet->list[i].n_event;
}

static void run_ingest(void)
{
    static struct event_packet packet;
    for (size_t i = 0; i < load.n_body; i++) {
        read_body(&load.body[i], &packet);
        for (size_t d = 0; keep && d < packet.n_list; d++)
            for (size_t t = 0; t < packet.list[d].n_tile; t++)
                keep_tile(packet.list[d].detector, &packet.list[d].tile[t]);
    }
}

static void drain(struct lightcurve *lc, struct lightcurve_window *w)
{
    bool ready = true;
    struct burst_error e;
    while (ready)
        if (lightcurve_next(lc, w, &ready, &e)) give_up("window", &e);
}

static void add_packet(struct lightcurve *lc, struct lightcurve_window *w, const struct event_packet *packet)
{
    enum { STEP = LIGHTCURVE_STEP_BINS / 2 }; /* the daemon's */
    struct burst_error e;
    for (int64_t k = event_packet_next(packet, 0); k != INT64_MAX; k = event_packet_next(packet, k + STEP)) {
        enum burst_err err;
        while ((err = lightcurve_add(lc, packet, k, k + STEP, &e)) == BURST_E_FULL)
            drain(lc, w);
        if (err) give_up("rings", &e);
        drain(lc, w);
    }
}

static void run_rings(void)
{
    static struct event_packet packet;
    struct lightcurve_settings settings = {
        .source = load.source,
        .bands = load.bands,
        .epoch_ns = source_epoch_ns(source_fact(load.source.mission, load.source.instrument)),
        .lateness_ns = INT64_C(2000000000),
        .score_from_k = INT64_MIN};
    struct lightcurve *lc = NULL;
    struct lightcurve_window *w = NULL;
    struct burst_error e;
    if (lightcurve_new(&settings, &lc, &e) || window_new(DETECTOR_MAX, &w, &e)) give_up("rings", &e);
    for (size_t i = 0; i < load.n_body; i++) {
        read_body(&load.body[i], &packet);
        add_packet(lc, w, &packet);
    }
    n_event = lightcurve_counts(lc).events + lightcurve_counts(lc).outside;
    lightcurve_free(lc);
    window_free(w);
}

static void run_sha256(void)
{
    uint8_t digest[32];
    for (size_t i = 0; i < load.n_body; i++) {
        hash_sha256(&(struct hash_piece){load.body[i].bytes, load.body[i].n}, 1, digest);
        sink += digest[0];
    }
}

/* ---- the run ---- */

enum contestant_counts { NOTHING, EVENTS, HISTOGRAM };

static const struct contestant {
    const char *name;
    void (*run)(void);
    enum contestant_counts counts;
} contestants[] = {{"memory", run_memory, NOTHING},
                   {"cfitsio, columns read", run_cfitsio_read, NOTHING},
                   {"cfitsio, read and binned", run_cfitsio, HISTOGRAM},
                   {"event_bin, avx512", run_avx512, HISTOGRAM},
                   {"event_bin, avx2", run_avx2, HISTOGRAM},
                   {"event_bin, portable", run_portable, HISTOGRAM},
                   {"gate", run_gate, NOTHING},
                   {"gate and checksums", run_gate_sums, NOTHING},
                   {"ingest_events", run_ingest, HISTOGRAM},
                   {"ingest_events and rings", run_rings, EVENTS},
                   {"SHA-256 of the body", run_sha256, NOTHING}};
enum { MEMORY = 0, PEER = 2, N_CONTESTANT = sizeof contestants / sizeof *contestants };

static double seconds[N_CONTESTANT][ROUNDS_MOST];

static bool is_here(int c)
{
    return (contestants[c].run != run_avx512 || event_bin_avx512()) &&
           (contestants[c].run != run_avx2 || event_bin_avx2());
}

/* Everybody against cfitsio, bin by bin. */
static void compare_counts(void)
{
    size_t n = (size_t)load.n_detector * HISTOGRAM_ROWS * load.n_bin;
    uint32_t *truth = take_bytes(n, sizeof *truth);
    uint64_t total = 0;
    run_cfitsio();
    memcpy(truth, load.histogram, n * sizeof *truth);
    for (int d = 0; d < load.n_detector; d++)
        for (size_t i = 0; i < ROW_OF_DEAD * load.n_bin; i++)
            total += histogram_row(&load, truth, d, 0)[i];
    keep = true;
    for (int c = 0; c < N_CONTESTANT; c++) {
        if (contestants[c].counts == NOTHING || !is_here(c)) continue;
        memset(load.histogram, 0, n * sizeof *truth);
        n_event = total;
        if (c != PEER) n_event = 0;
        contestants[c].run();
        if (n_event != total)
            give_up(contestants[c].name, &(struct burst_error){.text = "counts another number of events"});
        if (contestants[c].counts == HISTOGRAM && memcmp(truth, load.histogram, n * sizeof *truth) != 0)
            give_up(contestants[c].name, &(struct burst_error){.text = "has other counts than cfitsio"});
    }
    keep = false;
    free(truth);
    printf("%llu events counted, the same by all\n", (unsigned long long)total);
}

static double cpu_seconds(void)
{
    struct timespec t = {0};
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t); /* exists on every Linux */
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double best(int c, int rounds)
{
    double least = seconds[c][0];
    for (int r = 1; r < rounds; r++)
        least = seconds[c][r] < least ? seconds[c][r] : least;
    return least;
}

/* How many times as fast as another, within one round: the median. */
static double ratio(int c, int other, int rounds)
{
    double x[ROUNDS_MOST];
    for (int r = 0; r < rounds; r++)
        x[r] = seconds[other][r] / seconds[c][r];
    qsort(x, (size_t)rounds, sizeof *x, by_size);
    return x[rounds / 2];
}

static void print_table(int rounds)
{
    printf("%-26s %9s %7s %18s %18s\n", "", "Mrow/s", "GB/s", "x cfitsio", "% of memory");
    for (int c = 0; c < N_CONTESTANT; c++) {
        if (!is_here(c)) continue;
        double s = best(c, rounds);
        printf("%-26s %9.0f %7.2f %9.1f (%6.1f) %9.1f (%6.1f)\n", contestants[c].name, (double)load.n_row / s * 1e-6,
               (double)load.n_byte / s * 1e-9, ratio(c, PEER, rounds), best(PEER, rounds) / s,
               100 * ratio(c, MEMORY, rounds), 100 * best(MEMORY, rounds) / s);
    }
    printf("\n");
    (void)fflush(stdout);
}

static void bench(const struct load_kind *kind, int rounds, double mb)
{
    struct burst_error e;
    load_make(&load, kind, mb);
    if (arena_init(&arena, ingest_arena_need(load.body[0].n), &e)) give_up("arena", &e);
    printf("%s: %zu x %.2f MB, %.1f million rows; ", kind->name, load.n_body, (double)load.body[0].n * 1e-6,
           (double)load.n_row * 1e-6);
    compare_counts();
    for (int r = 0; r < rounds; r++)
        for (int c = 0; c < N_CONTESTANT; c++) {
            if (!is_here(c)) continue;
            double begun = cpu_seconds();
            contestants[c].run();
            seconds[c][r] = cpu_seconds() - begun;
        }
    print_table(rounds);
    arena_fini(&arena);
    load_drop(&load);
}

int main(int argc, char **argv)
{
    int rounds = argc > 1 ? (int)strtol(argv[1], NULL, 10) : 15;
    double mb = argc > 2 ? strtod(argv[2], NULL) : 100;
    if (rounds < 1 || rounds > ROUNDS_MOST || !(mb >= 1 && mb <= 1000)) {
        (void)fprintf(stderr, "ingest_bench [ROUNDS 1..%d [MEGABYTES 1..1000]]\n", ROUNDS_MOST);
        return 2;
    }
    printf("event_bin here: %s; %d rounds\n\n", event_bin_name(), rounds);
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        bench(&kinds[i], rounds, mb);
    return 0;
}
