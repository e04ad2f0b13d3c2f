/* The mirror of the worker's rings: see worker_rings.h. */
#include "net/worker_rings.h"
#include <stdlib.h>
#include <string.h>

enum { UNKNOWN = 0xff }; /* as validity: no bin has it */
enum { BLOCK = 64 };     /* bins compared at once */

struct ring {
    uint64_t key;
    bool used;
    uint64_t asked;   /* the window that asked for it last */
    uint32_t *counts; /* [n_atom][RING_BINS] */
    uint8_t valid[RING_BINS];
};

struct worker_rings {
    int n_atom;
    uint64_t window;
    uint32_t *counts;
    struct ring ring[WORKER_RINGS];
};

enum burst_err worker_rings_new(int n_atom, struct worker_rings **ret, struct burst_error *reterr)
{
    struct worker_rings *r = calloc(1, sizeof *r);
    if (r) r->counts = calloc((size_t)WORKER_RINGS * (size_t)n_atom * RING_BINS, sizeof *r->counts);
    if (!r || !r->counts) {
        worker_rings_free(r);
        return burst_fail(reterr, BURST_E_NOMEM, "no memory for %d rings of counts", WORKER_RINGS);
    }
    r->n_atom = n_atom;
    for (int i = 0; i < WORKER_RINGS; i++)
        r->ring[i].counts = r->counts + (size_t)i * (size_t)n_atom * RING_BINS;
    worker_rings_forget(r);
    *ret = r;
    return BURST_OK;
}

void worker_rings_free(struct worker_rings *r)
{
    if (!r) return;
    free(r->counts);
    free(r);
}

void worker_rings_forget(struct worker_rings *r)
{
    for (int i = 0; i < WORKER_RINGS; i++)
        memset(r->ring[i].valid, UNKNOWN, sizeof r->ring[i].valid);
}

void worker_rings_begin(struct worker_rings *r)
{
    r->window++;
}

int worker_rings_of_key(struct worker_rings *r, uint64_t key)
{
    int oldest = 0;
    for (int i = 0; i < WORKER_RINGS; i++) {
        if (r->ring[i].used && r->ring[i].key == key) {
            r->ring[i].asked = r->window;
            return i;
        }
        if (r->ring[i].asked < r->ring[oldest].asked) oldest = i;
    }
    struct ring *ring = &r->ring[oldest];
    ring->key = key;
    ring->used = true;
    ring->asked = r->window;
    memset(ring->valid, UNKNOWN, sizeof ring->valid);
    return oldest;
}

/* ---- comparing ---- */

/* First of n elements of `size` bytes that differs, n where none does; whole blocks first. */
static size_t first_difference(const void *a, const void *b, size_t n, size_t size)
{
    const uint8_t *x = a, *y = b;
    size_t i = 0;
    while (i + BLOCK <= n && memcmp(x + i * size, y + i * size, BLOCK * size) == 0)
        i += BLOCK;
    while (i < n && memcmp(x + i * size, y + i * size, size) == 0)
        i++;
    return i;
}

/* One past the last of n elements that differs, 0 where none does. */
static size_t end_of_difference(const void *a, const void *b, size_t n, size_t size)
{
    const uint8_t *x = a, *y = b;
    while (n >= BLOCK && memcmp(x + (n - BLOCK) * size, y + (n - BLOCK) * size, BLOCK * size) == 0)
        n -= BLOCK;
    while (n && memcmp(x + (n - 1) * size, y + (n - 1) * size, size) == 0)
        n--;
    return n;
}

/* A row's bins lie in its ring in one piece, or in two where the ring's end is passed. */
struct piece {
    size_t bin, place, n;
};

static int pieces_of(int64_t k_first, size_t from, size_t n, struct piece ret[2])
{
    size_t place = ((size_t)k_first + from) % RING_BINS;
    size_t head = RING_BINS - place < n ? RING_BINS - place : n;
    ret[0] = (struct piece){from, place, head};
    ret[1] = (struct piece){from + head, 0, n - head};
    return head < n ? 2 : 1;
}

/* Widen [*from, *end) by where one series of the row differs from its ring. */
static void widen(const void *row, const void *ring, size_t size, const struct piece *piece, int n_piece, size_t *from,
                  size_t *end)
{
    const uint8_t *x = row, *y = ring;
    for (int p = 0; p < n_piece; p++) {
        const struct piece *s = &piece[p];
        if (s->bin >= *from) break;
        size_t n = s->bin + s->n < *from ? s->n : *from - s->bin; /* what comes later than *from would not widen */
        size_t first = first_difference(x + s->bin * size, y + s->place * size, n, size);
        if (first < n) *from = s->bin + first;
    }
    for (int p = n_piece - 1; p >= 0; p--) {
        const struct piece *s = &piece[p];
        if (s->bin + s->n <= *end) break;
        size_t skip = s->bin < *end ? *end - s->bin : 0;
        size_t last = end_of_difference(x + (s->bin + skip) * size, y + (s->place + skip) * size, s->n - skip, size);
        if (last) *end = s->bin + skip + last;
    }
}

void worker_rings_differ(const struct worker_rings *r, int ring, int64_t k_first, const uint32_t *counts,
                         const uint8_t *valid, int *ret_from, int *ret_n)
{
    const struct ring *held = &r->ring[ring];
    struct piece piece[2];
    int n_piece = pieces_of(k_first, 0, WORKER_WINDOW_BINS, piece);
    size_t from = WORKER_WINDOW_BINS, end = 0;
    widen(valid, held->valid, sizeof *valid, piece, n_piece, &from, &end);
    for (int a = 0; a < r->n_atom; a++)
        widen(counts + (size_t)a * WORKER_WINDOW_BINS, held->counts + (size_t)a * RING_BINS, sizeof *counts, piece,
              n_piece, &from, &end);
    *ret_from = end > from ? (int)from : 0;
    *ret_n = end > from ? (int)(end - from) : 0;
}

void worker_rings_send(struct worker_rings *r, int ring, int64_t k_first, const uint32_t *counts, const uint8_t *valid,
                       int from, int n, uint32_t *ret_counts, uint8_t *ret_valid)
{
    struct ring *held = &r->ring[ring];
    struct piece piece[2];
    int n_piece = n > 0 ? pieces_of(k_first, (size_t)from, (size_t)n, piece) : 0;
    for (int p = 0; p < n_piece; p++) {
        const struct piece *s = &piece[p];
        size_t at = s->bin - (size_t)from;
        memcpy(held->valid + s->place, valid + s->bin, s->n);
        memcpy(ret_valid + at, valid + s->bin, s->n);
        for (int a = 0; a < r->n_atom; a++) {
            const uint32_t *row = counts + (size_t)a * WORKER_WINDOW_BINS + s->bin;
            memcpy(held->counts + (size_t)a * RING_BINS + s->place, row, s->n * sizeof *row);
            memcpy(ret_counts + (size_t)a * (size_t)n + at, row, s->n * sizeof *row);
        }
    }
}
