/* Any bytes as a job for the rings or for sub-images, as another process may leave them in shared memory: refused, or all that it
 * asks for can be done inside the memory that the limits tell of, which here is no byte larger. First byte: rings if even. Seeds:
 * tests/fuzz/corpus/kernels_jobs. */
#include "kernels/image_pack.h"
#include "kernels/ring.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

enum { SIDE = 5, PIXELS = SIDE * SIDE, IMAGES = 2 };
static const struct ring_limits LIMITS = {3, 2, 4, 3, 300, 100};

static void need(bool fact)
{
    if (!fact) abort();
}

static void *take(size_t n, size_t size)
{
    void *ret = calloc(n, size);
    need(ret != NULL);
    return ret;
}

static void do_rings(const struct ring_job *job)
{
    struct rings rings = {take(3 * 2 * RING_BINS, sizeof(uint32_t)), take(3 * RING_BINS, 1), 3, 2};
    struct ring_view view = {.n_bin = 20, .n_band = 1, .last = {2}, .n_padded = 8};
    uint32_t *counts = take(LIMITS.n_counts, sizeof *counts);
    uint8_t *valid = take(LIMITS.n_valid, 1);
    float *z = take(20 * 8, sizeof *z);
    memset(valid, 1, LIMITS.n_valid);
    for (uint32_t i = 0; i < LIMITS.n_counts; i++)
        counts[i] = i;
    for (int i = 0; i < job->n_update; i++) {
        need(ring_update_fits(&job->update[i], &LIMITS));
        ring_update_one(&rings, &job->update[i], counts, valid);
    }
    for (int i = 0; i < job->n_window; i++)
        ring_window_one(&rings, &job->window[i], &view, z);
    for (int i = 0; i < 20 * 8; i++)
        need(z[i] > -10 && z[i] < 10 && (i % 8 == 0 || z[i] == 0)); /* of 20 bins none is further off than sqrt(19) */
    free(rings.counts), free(rings.valid), free(counts), free(valid), free(z);
}

static void do_images(const struct image_job *job)
{
    static const struct image_scaling usual = {-10, 30, 5, 3};
    static const struct layout as = {PIXELS, 2, 8, false};
    float *snr = take(IMAGES * PIXELS, sizeof *snr), *map = take(PIXELS * 8, sizeof *map);
    uint8_t *mask = take(IMAGES * PIXELS, 1);
    for (int i = 0; i < IMAGES * PIXELS; i++)
        mask[i] = (uint8_t)(i % 4);
    for (int i = 0; i < job->n_sample; i++) {
        const struct image_variant *v = &job->sample[i];
        image_pack_one(snr + v->image * PIXELS, mask + v->image * PIXELS, SIDE, &usual, v->without, &as, map);
    }
    free(snr), free(map), free(mask);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    static struct ring_job rings;
    static struct image_job images;
    struct burst_error error = {0};
    bool image = n && bytes[0] % 2;
    void *to = image ? (void *)&images : (void *)&rings;
    size_t most = image ? sizeof images : sizeof rings, left = n ? n - 1 : 0;
    memset(to, 0, most);
    if (left) memcpy(to, bytes + 1, left < most ? left : most);
    enum burst_err err =
        image ? image_job_check(&images, IMAGES, SIDE, 7, &error) : ring_job_check(&rings, &LIMITS, &error);
    need(!err || (error.code == err && error.text[0]));
    if (!err && image) do_images(&images);
    if (!err && !image) do_rings(&rings);
    return 0;
}
