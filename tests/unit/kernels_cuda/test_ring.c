/* Rings on a GPU against plain C, bit by bit: the sums are of integers, so no order of threads changes them. */
#include "gpu.h"
#include "kernels/ring_cuda.h"

enum { RINGS = 40, UPDATES = 36, WINDOWS = 33, ROOM = 36 * 8 * 300 };
static const uint8_t FIRST[16] = {0, 1, 1, 2, 2, 2, 3, 3, 4, 0, 0, 4, 3, 2, 1, 0};
static const uint8_t LAST[16] = {1, 2, 3, 3, 4, 5, 4, 5, 5, 5, 2, 4, 3, 5, 5, 0};

/* The same rings twice: on the host, changed by plain C, and on the device. */
struct both {
    struct rings plain, cuda;
    size_t n_counts, n_valid;
};

static struct both both_new(int n_atom)
{
    struct both b = {.n_counts = (size_t)RINGS * (size_t)n_atom * RING_BINS, .n_valid = (size_t)RINGS * RING_BINS};
    b.plain = (struct rings){calloc(b.n_counts, 4), calloc(b.n_valid, 1), RINGS, n_atom};
    b.cuda = (struct rings){gpu_fill(0, b.n_counts * 4), gpu_fill(0, b.n_valid), RINGS, n_atom};
    return b;
}

static void both_free(struct both *b)
{
    free(b->plain.counts);
    free(b->plain.valid);
    gpu_free(b->cuda.counts);
    gpu_free(b->cuda.valid);
}

static void both_compare(const struct both *b)
{
    void *counts = gpu_get(b->cuda.counts, b->n_counts * 4), *valid = gpu_get(b->cuda.valid, b->n_valid);
    CHECK(memcmp(counts, b->plain.counts, b->n_counts * 4) == 0);
    CHECK(memcmp(valid, b->plain.valid, b->n_valid) == 0);
    free(counts);
    free(valid);
}

/* Run a job here and there. The limits are those of the memory that is lent. */
static void both_update(const struct both *b, const struct ring_job *job, const uint32_t *counts, const uint8_t *valid,
                        void *window, void *n_window)
{
    struct ring_limits limits = {RINGS, b->plain.n_atom, UPDATES, WINDOWS, ROOM, ROOM};
    for (int i = 0; i < job->n_update && i < UPDATES; i++)
        if (ring_update_fits(&job->update[i], &limits)) ring_update_one(&b->plain, &job->update[i], counts, valid);
    struct ring_update_job cuda = {
        b->cuda, limits, gpu_put(job, sizeof *job), gpu_put(counts, ROOM * 4), gpu_put(valid, ROOM), window, n_window};
    CHECK_INT(ring_update_cuda(&cuda, NULL), cudaSuccess);
    both_compare(b);
    gpu_free((void *)cuda.job);
    gpu_free((void *)cuda.counts);
    gpu_free((void *)cuda.valid);
}

/* New bins of every ring but one, whose history stays absent; ring 1 is dead, ring 2 has holes. */
static void fill(struct ring_job *job, int n_atom, int64_t k_first, int n_new, uint32_t *counts, uint8_t *valid)
{
    memset(job, 0, sizeof *job);
    job->n_update = UPDATES;
    for (int i = 0; i < UPDATES; i++) {
        uint32_t at = (uint32_t)(i * n_new);
        job->update[i] = (struct ring_update){.from = k_first + gpu_random() % 3,
                                              .ring = i,
                                              .n_new = i % 5 == 4 ? n_new / 2 : n_new,
                                              .counts_at = at * (uint32_t)n_atom,
                                              .valid_at = at};
    }
    for (int i = 0; i < ROOM; i++) {
        int ring = i / (n_new * n_atom);
        counts[i] = ring == 1 ? 7 : ring == 3 ? gpu_random() % (1u << 20) : gpu_random() % 60;
        valid[i] = (uint8_t)(i / n_new == 2 ? i % 11 != 3 : gpu_random() % 97 != 0);
    }
}

static void windows_compare(const struct both *b, const struct ring_window *window, int n_sample, int n,
                            const struct ring_view *view)
{
    size_t one = (size_t)view->n_bin * (size_t)view->n_padded * (view->bf16 ? 2 : 4);
    struct ring_window_job job = {b->cuda,
                                  *view,
                                  gpu_put(window, WINDOWS * sizeof *window),
                                  n_sample,
                                  gpu_put(&n, sizeof n),
                                  gpu_fill(0x5a, (size_t)n_sample * one)};
    CHECK_INT(ring_window_cuda(&job, NULL), cudaSuccess);
    uint8_t *got = gpu_get(job.ret, (size_t)n_sample * one), *want = malloc(one);
    for (int i = 0; i < n_sample; i++) {
        memset(want, i < n ? 0 : 0x5a, one); /* rows beyond n are not touched */
        bool there = window[i].ring >= 0 && window[i].ring < RINGS;
        if (i < n && there) ring_window_one(&b->plain, &window[i], view, want);
        CHECK_SAY(memcmp(got + (size_t)i * one, want, one) == 0,
                  "window %d of %d: %d bins, %d bands, %d atoms, bf16 %d", i, n, view->n_bin, view->n_band,
                  b->plain.n_atom, view->bf16);
    }
    free(got);
    free(want);
    gpu_free((void *)job.window);
    gpu_free((void *)job.n);
    gpu_free(job.ret);
}

static struct ring_view view_of(int n_bin, int n_band, int n_atom, bool bf16, int n_padded)
{
    struct ring_view v = {.n_bin = n_bin, .n_band = n_band, .n_padded = n_padded, .bf16 = bf16};
    for (int i = 0; i < n_band; i++) {
        v.first[i] = FIRST[i] < n_atom ? FIRST[i] : 0;
        v.last[i] = LAST[i] < n_atom ? LAST[i] : (uint8_t)n_atom;
    }
    return v;
}

static void windows_of(const struct both *b, int64_t k_first, bool every)
{
    static const int bins[3] = {1875, 1874, 1}, bands[4] = {1, 2, 9, 16}, counts[5] = {1, 2, 7, 25, 33};
    struct ring_window window[WINDOWS];
    for (int i = 0; i < WINDOWS; i++)
        window[i] = (struct ring_window){.k_first = k_first + i % 5, .ring = i % 9 == 8 ? RINGS - 1 : i};
    window[5].ring = RINGS; /* there is none: zeros */
    window[6].ring = -1;
    for (int i = 0; i < 3 * 4 * 2; i++) {
        if (!every && i % 5) continue;
        int n_band = bands[i / 2 % 4], padded = i % 2 || n_band > 8 ? 16 : 8;
        struct ring_view v = view_of(bins[i / 8], n_band, b->plain.n_atom, i % 2, padded);
        windows_compare(b, window, counts[i % 5], counts[i % 5] - (i % 5 > 2), &v);
    }
}

static void rings_of(int n_atom, bool every)
{
    struct both b = both_new(n_atom);
    struct ring_job *job = calloc(1, sizeof *job);
    uint32_t *counts = malloc(ROOM * 4);
    uint8_t *valid = malloc(ROOM);
    void *window = gpu_fill(0, WINDOWS * sizeof(struct ring_window)), *n_window = gpu_fill(0, sizeof(int32_t));
    int64_t k = 1000000007;
    for (int round = 0; round < 8; round++, k += 290) { /* 8 x 290 bins: once round the ring and more */
        fill(job, n_atom, k, 290, counts, valid);
        job->update[7].clear = round == 3;
        both_update(&b, job, counts, valid, window, n_window);
    }
    windows_of(&b, k - 1875, every);
    free(job);
    free(counts);
    free(valid);
    gpu_free(window);
    gpu_free(n_window);
    both_free(&b);
}

GPU_TEST(rings_and_windows_are_those_of_plain_c)
{
    rings_of(5, true);
}

GPU_TEST(one_atom_and_eight_are_served)
{
    rings_of(1, false);
    rings_of(8, false); /* more than 48 kB of shared memory */
}

GPU_TEST(a_window_as_long_as_the_ring_and_odd_channels_are_served)
{
    struct both b = both_new(5);
    struct ring_job *job = calloc(1, sizeof *job);
    uint32_t *counts = malloc(ROOM * 4);
    uint8_t *valid = malloc(ROOM);
    void *window = gpu_fill(0, WINDOWS * sizeof(struct ring_window)), *n_window = gpu_fill(0, sizeof(int32_t));
    struct ring_window at[WINDOWS] = {
        {.k_first = 3, .ring = 1}, {.k_first = -1, .ring = 2}, {.k_first = 2047, .ring = 3}};
    for (int i = 0; i < 7; i++) {
        fill(job, 5, 295 * i, 295, counts, valid);
        both_update(&b, job, counts, valid, window, n_window);
    }
    for (int bf16 = 0; bf16 < 2; bf16++) {
        struct ring_view v = view_of(RING_BINS, 9, 5, bf16, 9);
        windows_compare(&b, at, 3, 3, &v);
    }
    free(job);
    free(counts);
    free(valid);
    gpu_free(window);
    gpu_free(n_window);
    both_free(&b);
}

GPU_TEST(what_does_not_fit_changes_nothing)
{
    struct both b = both_new(5);
    struct ring_job *job = calloc(1, sizeof *job);
    uint32_t *counts = calloc(ROOM, 4);
    uint8_t *valid = calloc(ROOM, 1);
    void *window = gpu_fill(0, WINDOWS * sizeof(struct ring_window)), *n_window = gpu_fill(0, sizeof(int32_t));
    memset(counts, 1, ROOM * 4);
    memset(valid, 1, ROOM);
    job->n_update = 8;
    for (int i = 0; i < 8; i++)
        job->update[i] = (struct ring_update){.ring = i, .n_new = 100};
    job->update[0].ring = -1;
    job->update[1].ring = RINGS;
    job->update[2].n_new = -5;
    job->update[3].n_new = RING_BINS + 1;
    job->update[4].counts_at = ROOM - 499;
    job->update[5].valid_at = UINT32_MAX;
    job->update[6].n_new = 0;
    both_update(&b, job, counts, valid, window, n_window);
    CHECK(b.plain.valid[7 * RING_BINS] == 1 && b.plain.valid[6 * RING_BINS] == 0); /* the last alone was good */
    job->n_update = INT32_MAX; /* no more than the limit are looked at */
    both_update(&b, job, counts, valid, window, n_window);
    job->n_update = INT32_MIN;
    memset(job->update, 0, sizeof job->update);
    job->update[0] = (struct ring_update){.ring = 9, .n_new = 1};
    both_update(&b, job, counts, valid, window, n_window);
    free(job);
    free(counts);
    free(valid);
    gpu_free(window);
    gpu_free(n_window);
    both_free(&b);
}

static void windows_handed_over(int n, int want)
{
    struct both b = both_new(1);
    struct ring_job *job = calloc(1, sizeof *job);
    uint32_t *counts = calloc(ROOM, 4);
    void *window = gpu_fill(0x5a, WINDOWS * sizeof(struct ring_window)), *n_window = gpu_fill(0x5a, sizeof(int32_t));
    job->n_window = n;
    for (int i = 0; i < RING_WINDOW_MOST; i++)
        job->window[i] = (struct ring_window){.k_first = 1000 * i - 7, .ring = i};
    both_update(&b, job, counts, (const uint8_t *)counts, window, n_window);
    struct ring_window *got = gpu_get(window, WINDOWS * sizeof *got);
    int32_t *got_n = gpu_get(n_window, sizeof *got_n);
    CHECK_INT(*got_n, want);
    for (int i = 0; i < WINDOWS; i++)
        CHECK_INT(got[i].k_first, i < want ? 1000 * i - 7 : 0x5a5a5a5a5a5a5a5a);
    free(got);
    free(got_n);
    free(job);
    free(counts);
    gpu_free(window);
    gpu_free(n_window);
    both_free(&b);
}

GPU_TEST(windows_are_handed_over_up_to_the_limit)
{
    windows_handed_over(0, 0);
    windows_handed_over(1, 1);
    windows_handed_over(WINDOWS, WINDOWS);
    windows_handed_over(RING_WINDOW_MOST, WINDOWS);
    windows_handed_over(-3, 0);
}

GPU_TEST(shapes_that_cannot_be_are_refused)
{
    struct ring_window_job job = {.rings = {NULL, NULL, 1, 5}, .view = view_of(1875, 9, 5, false, 16), .n_sample = 1};
    struct ring_window_job bad[6] = {job, job, job, job, job, job};
    bad[0].view.n_bin = 0;
    bad[1].view.n_bin = RING_BINS + 1;
    bad[2].view.n_band = RING_BAND_MOST + 1;
    bad[3].view.n_padded = 8;
    bad[4].rings.n_atom = RING_ATOM_MOST + 1;
    bad[5].rings.n_atom = 0;
    for (int i = 0; i < 6; i++)
        CHECK_INT(ring_window_cuda(&bad[i], NULL), cudaErrorInvalidValue);
}

int main(void)
{
    RUN(rings_and_windows_are_those_of_plain_c);
    RUN(one_atom_and_eight_are_served);
    RUN(a_window_as_long_as_the_ring_and_odd_channels_are_served);
    RUN(what_does_not_fit_changes_nothing);
    RUN(windows_are_handed_over_up_to_the_limit);
    RUN(shapes_that_cannot_be_are_refused);
    return check_report();
}
