/* Images, whole and occluded, and maps packed and unpacked on a GPU against plain C, bit by bit: nothing is summed. */
#include "gpu.h"
#include "kernels/image_pack_cuda.h"
#include "kernels/layout_cuda.h"

enum { SIDE = 56, PIXELS = SIDE * SIDE, IMAGES = 3 };
static const struct image_scaling USUAL = {-10.0f, 30.0f, 5.0f, 3.0f};
static float snr[IMAGES * PIXELS];
static uint8_t mask[IMAGES * PIXELS];
static struct image_job job;

static void fill(void)
{
    memset(&job, 0, sizeof job);
    for (int i = 0; i < IMAGES * PIXELS; i++) {
        snr[i] = 20 * gpu_random_float();
        mask[i] = (uint8_t)(gpu_random() % 4);
    }
    for (int i = 0; i < IMAGE_JOB_MOST; i++)
        job.sample[i] =
            (struct image_variant){i < 40 ? 0 : (int32_t)(gpu_random() % IMAGES), (int32_t)(gpu_random() % PIXELS)};
    static const int32_t edges[8] = {IMAGE_WHOLE, IMAGE_WITHOUT_SOURCES, 0, SIDE - 1, PIXELS - SIDE, PIXELS - 1, 57,
                                     1568};
    for (int i = 0; i < 8; i++)
        job.sample[5 * i].without = edges[i];
    job.sample[21].image = IMAGES; /* there is none: zeros */
    job.sample[22].image = -1;
}

static void images_compare(int n_sample, int n, struct layout as)
{
    size_t one = layout_bytes(&as, 1);
    job.n_sample = n;
    struct image_pack_job cuda = {gpu_put(&job, sizeof job),
                                  gpu_put(snr, sizeof snr),
                                  gpu_put(mask, sizeof mask),
                                  IMAGES,
                                  SIDE,
                                  USUAL,
                                  as,
                                  n_sample,
                                  gpu_fill(0x5a, (size_t)n_sample * one)};
    CHECK_INT(image_pack_cuda(&cuda, NULL), cudaSuccess);
    uint8_t *got = gpu_get(cuda.ret, (size_t)n_sample * one), *want = malloc(one);
    for (int i = 0; i < n_sample; i++) {
        const struct image_variant *v = &job.sample[i];
        memset(want, i < n ? 0 : 0x5a, one); /* samples beyond n are not touched */
        if (i < n && v->image >= 0 && v->image < IMAGES)
            image_pack_one(snr + v->image * PIXELS, mask + v->image * PIXELS, SIDE, &USUAL, v->without, &as, want);
        CHECK_SAY(memcmp(got + (size_t)i * one, want, one) == 0, "sample %d of %d differs, %d channels, bf16 %d", i, n,
                  (int)as.n_padded, as.bf16);
    }
    free(got);
    free(want);
    gpu_free((void *)cuda.job);
    gpu_free((void *)cuda.snr);
    gpu_free((void *)cuda.mask);
    gpu_free(cuda.ret);
}

GPU_TEST(images_are_those_of_plain_c)
{
    static const int batches[6] = {1, 2, 7, 25, 33, 256};
    fill();
    for (int i = 0; i < 6; i++) {
        images_compare(batches[i], batches[i] - (i == 3), (struct layout){PIXELS, 2, 8, i % 2});
        if (i == 2) images_compare(batches[i], batches[i], (struct layout){PIXELS, 2, 16, true});
    }
    images_compare(2, 0, (struct layout){PIXELS, 2, 8, true});
    images_compare(7, 7, (struct layout){PIXELS, 2, 2, false});
    images_compare(7, 7, (struct layout){PIXELS, 2, 3, true});
}

GPU_TEST(shapes_that_cannot_be_are_refused)
{
    struct image_pack_job good = {.side = SIDE, .n_sample = 1, .as = {PIXELS, 2, 8, false}},
                          bad[4] = {good, good, good, good};
    bad[0].as.n_position = PIXELS + 1;
    bad[1].as.n_channel = 1;
    bad[2].as.n_padded = 1;
    bad[3].n_sample = IMAGE_JOB_MOST + 1;
    for (int i = 0; i < 4; i++)
        CHECK_INT(image_pack_cuda(&bad[i], NULL), cudaErrorInvalidValue);
}

/* Pack n of n_sample, look, unpack into another place, look. */
static void layout_compare(struct layout as, int n_sample, int n)
{
    size_t plane = (size_t)(as.n_channel * as.n_position), one = layout_bytes(&as, 1);
    float *x = gpu_random_floats(plane * (size_t)n_sample), *d_x = gpu_put(x, plane * (size_t)n_sample * 4);
    int32_t *d_n = gpu_put(&n, sizeof n);
    uint8_t *d_map = gpu_fill(0x5a, one * (size_t)n_sample), *want = malloc(one * (size_t)n_sample);
    float *d_back = gpu_fill(0x5a, plane * (size_t)n_sample * 4), *back = malloc(plane * (size_t)n_sample * 4);
    CHECK_INT(layout_pack_cuda(&(struct layout_pack_job){as, d_x, d_map, n_sample, d_n}, NULL), cudaSuccess);
    CHECK_INT(layout_unpack_cuda(&(struct layout_unpack_job){as, d_map, d_back, n_sample, d_n}, NULL), cudaSuccess);
    memset(want, 0x5a, one * (size_t)n_sample);
    memset(back, 0x5a, plane * (size_t)n_sample * 4);
    layout_pack(&as, n, x, want);
    layout_unpack(&as, n, want, back);
    void *got = gpu_get(d_map, one * (size_t)n_sample), *got_back = gpu_get(d_back, plane * (size_t)n_sample * 4);
    CHECK_SAY(memcmp(got, want, one * (size_t)n_sample) == 0, "packed %d x %d", (int)as.n_position, (int)as.n_padded);
    CHECK_SAY(memcmp(got_back, back, plane * (size_t)n_sample * 4) == 0, "unpacked %d x %d", (int)as.n_position,
              (int)as.n_padded);
    free(x), free(want), free(back), free(got), free(got_back);
    gpu_free(d_x), gpu_free(d_n), gpu_free(d_map), gpu_free(d_back);
}

GPU_TEST(maps_are_packed_and_unpacked_as_plain_c_does)
{
    static const struct layout as[9] = {{1875, 9, 16, true},   {1874, 9, 16, false}, {1, 1, 8, false},
                                        {938, 128, 128, true}, {33, 33, 40, true},   {31, 2, 2, false},
                                        {1, 64, 64, false},    {65, 7, 7, true},     {64, 5, 6, false}};
    for (int i = 0; i < 9; i++)
        layout_compare(as[i], i == 3 ? 2 : 7, i == 3 ? 2 : i % 3 ? 7 : 4);
}

GPU_TEST(a_number_of_samples_out_of_range_means_all)
{
    layout_compare((struct layout){10, 3, 8, false}, 3, 3);
    static const int32_t odd[2] = {-1, 4};
    for (int i = 0; i < 2; i++) {
        struct layout as = {10, 3, 8, false};
        float *x = gpu_random_floats(90), *d_x = gpu_put(x, 360), *d_map = gpu_fill(0x5a, 3 * 320);
        int32_t *d_n = gpu_put(&odd[i], sizeof odd[i]);
        CHECK_INT(layout_pack_cuda(&(struct layout_pack_job){as, d_x, d_map, 3, i ? d_n : NULL}, NULL), cudaSuccess);
        float want[240], *got = gpu_get(d_map, sizeof want);
        layout_pack(&as, 3, x, want);
        CHECK(memcmp(got, want, sizeof want) == 0);
        free(x), free(got);
        gpu_free(d_x), gpu_free(d_map), gpu_free(d_n);
    }
}

int main(void)
{
    RUN(images_are_those_of_plain_c);
    RUN(shapes_that_cannot_be_are_refused);
    RUN(maps_are_packed_and_unpacked_as_plain_c_does);
    RUN(a_number_of_samples_out_of_range_means_all);
    return check_report();
}
