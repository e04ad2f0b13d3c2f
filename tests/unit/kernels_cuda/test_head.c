/* Heads, the last word of a graph and Grad-CAM on a GPU against plain C, bit by bit: both keep the same order of sums. */
#include "gpu.h"
#include "kernels/cam_cuda.h"
#include "kernels/head_cuda.h"

/* A head twice: weights on the host, and on the device. */
struct both {
    struct head plain, cuda;
};

static struct both both_new(const int *width, int n_layer)
{
    struct both b = {{.n_layer = n_layer}, {.n_layer = n_layer}};
    for (int i = 0; i < n_layer; i++) {
        size_t n = (size_t)width[i] * (size_t)width[i + 1];
        float *weight = gpu_random_floats(n), *bias = gpu_random_floats((size_t)width[i + 1]);
        bool has_bias = i % 3 != 2, relu = i + 1 < n_layer;
        b.plain.layer[i] = (struct head_layer){width[i], width[i + 1], weight, has_bias ? bias : NULL, relu};
        b.cuda.layer[i] = b.plain.layer[i];
        b.cuda.layer[i].weight = gpu_put(weight, n * 4);
        if (has_bias) b.cuda.layer[i].bias = gpu_put(bias, (size_t)width[i + 1] * 4);
        if (!has_bias) free(bias);
    }
    return b;
}

static void both_free(struct both *b)
{
    for (int i = 0; i < b->plain.n_layer; i++) {
        free((void *)b->plain.layer[i].weight);
        free((void *)b->plain.layer[i].bias);
        gpu_free((void *)b->cuda.layer[i].weight);
        if (b->cuda.layer[i].bias) gpu_free((void *)b->cuda.layer[i].bias);
    }
}

/* n_sample maps of random numbers, padding zero. */
static void *maps(const struct layout *as, int n_sample)
{
    float *x = gpu_random_floats((size_t)(as->n_channel * as->n_position * n_sample));
    void *map = malloc(layout_bytes(as, n_sample));
    layout_pack(as, n_sample, x, map);
    free(x);
    return map;
}

static void heads_compare(const struct both *b, const struct layout *as, int n_sample, int n)
{
    uint8_t *map = maps(as, n_sample);
    int n_out = head_n_out(&b->plain, as->n_channel);
    size_t bytes = (size_t)n_sample * (size_t)n_out * 4;
    struct head_job job = {.head = b->cuda,
                           .as = *as,
                           .feature = gpu_put(map, layout_bytes(as, n_sample)),
                           .ret = gpu_fill(0x5a, bytes),
                           .n_sample = n_sample,
                           .n = gpu_put(&n, sizeof n)};
    CHECK_INT(head_cuda(&job, NULL), cudaSuccess);
    float *got = gpu_get(job.ret, bytes), *want = malloc(bytes);
    memset(want, 0x5a, bytes); /* samples beyond n are not touched */
    for (int i = 0; i < n; i++)
        head_one(&b->plain, as, map + (size_t)i * layout_bytes(as, 1), want + i * n_out);
    CHECK_SAY(memcmp(got, want, bytes) == 0, "%d of %d samples, %d positions, %d channels", n, n_sample,
              (int)as->n_position, (int)as->n_channel);
    free(map), free(got), free(want);
    gpu_free((void *)job.feature), gpu_free(job.ret), gpu_free((void *)job.n);
}

static void cams_compare(const struct both *b, const struct layout *as, int n_sample, int n, int index)
{
    uint8_t *map = maps(as, n_sample);
    size_t bytes = (size_t)n_sample * (size_t)as->n_position * 4;
    struct cam_job job = {.head = b->cuda,
                          .as = *as,
                          .feature = gpu_put(map, layout_bytes(as, n_sample)),
                          .index = index,
                          .ret = gpu_fill(0x5a, bytes),
                          .n_sample = n_sample,
                          .n = gpu_put(&n, sizeof n)};
    CHECK_INT(cam_cuda(&job, NULL), cudaSuccess);
    float *got = gpu_get(job.ret, bytes), *want = malloc(bytes);
    memset(want, 0x5a, bytes);
    for (int i = 0; i < n; i++)
        cam_one(&b->plain, as, map + (size_t)i * layout_bytes(as, 1), index, want + i * as->n_position);
    CHECK_SAY(memcmp(got, want, bytes) == 0, "map %d of %d samples, %d positions", index, n, (int)as->n_position);
    free(map), free(got), free(want);
    gpu_free((void *)job.feature), gpu_free(job.ret), gpu_free((void *)job.n);
}

GPU_TEST(heads_and_maps_are_those_of_plain_c)
{
    static const int widths[6][9] = {{128, 64, 2}, {9, 1},         {32, 33, 65, 3},
                                     {130, 7, 1},  {256, 1024, 5}, {1, 2, 3, 4, 5, 4, 3, 2, 1}};
    static const int layers[6] = {2, 1, 3, 2, 2, 8}, positions[6] = {118, 1, 2, 33, 31, 235},
                     padded[6] = {128, 16, 32, 136, 256, 8};
    static const int samples[6] = {25, 33, 7, 2, 1, 7};
    for (int i = 0; i < 6; i++) {
        struct both b = both_new(widths[i], layers[i]);
        for (int bf16 = 0; bf16 < 2; bf16++) {
            struct layout as = {positions[i], widths[i][0], padded[i], bf16};
            heads_compare(&b, &as, samples[i], samples[i] - (i < 3));
            cams_compare(&b, &as, i == 0 ? 3 : samples[i], i == 0 ? 3 : samples[i] - (i == 1),
                         widths[i][layers[i]] - 1);
        }
        both_free(&b);
    }
}

GPU_TEST(rows_of_plain_numbers_are_a_map_too)
{
    static const int widths[3] = {129, 10, 1};
    struct both b = both_new(widths, 2), none = {{.n_layer = 0}, {.n_layer = 0}};
    struct layout row = {1, 129, 129, false}, odd = {40, 13, 13, true}, even = {40, 12, 16, false};
    heads_compare(&b, &row, 7, 7);
    heads_compare(&none, &odd, 3, 3);
    heads_compare(&none, &even, 3, 2);
    both_free(&b);
}

GPU_TEST(a_sum_of_large_numbers_that_cancel_keeps_its_order)
{
    static const struct head none = {.n_layer = 0};
    struct both b = {none, none};
    struct layout as = {200, 8, 8, false};
    float *map = calloc(1600, 4), want[8];
    for (int i = 0; i < 1600; i++)
        map[i] = (i / 8 % 3 == 0 ? 1e30F : i / 8 % 3 == 1 ? -1e30F : 1) * gpu_random_float();
    struct head_job job = {
        .head = b.cuda, .as = as, .feature = gpu_put(map, 6400), .ret = gpu_fill(0, 32), .n_sample = 1};
    CHECK_INT(head_cuda(&job, NULL), cudaSuccess);
    float *got = gpu_get(job.ret, 32);
    head_one(&none, &as, map, want);
    CHECK(memcmp(got, want, 32) == 0);
    free(map), free(got);
    gpu_free((void *)job.feature), gpu_free(job.ret);
}

GPU_TEST(the_last_kernel_tells_the_hosts_memory_the_sequence)
{
    static const int widths[3] = {8, 4, 2};
    struct both b = both_new(widths, 2);
    struct layout as = {5, 8, 8, true};
    uint8_t *map = maps(&as, 7);
    uint32_t *word = NULL; /* [0] done, [1] sequence; mapped, as the worker has it */
    float *ret = NULL, want[2];
    void *d_word = NULL, *d_ret = NULL;
    CHECK_INT(cudaHostAlloc((void **)&word, 8, cudaHostAllocMapped), cudaSuccess);
    CHECK_INT(cudaHostAlloc((void **)&ret, 7 * 8, cudaHostAllocMapped), cudaSuccess);
    CHECK_INT(cudaHostGetDevicePointer(&d_word, word, 0), cudaSuccess);
    CHECK_INT(cudaHostGetDevicePointer(&d_ret, ret, 0), cudaSuccess);
    uint32_t *counter = gpu_fill(0, 4), *at = d_word;
    struct head_job job = {.head = b.cuda,
                           .as = as,
                           .feature = gpu_put(map, layout_bytes(&as, 7)),
                           .ret = d_ret,
                           .n_sample = 7,
                           .finish = {at + 1, at},
                           .counter = counter};
    for (uint32_t sequence = 41; sequence < 44; sequence++) { /* the counter is 0 again each time */
        word[1] = sequence;
        memset(ret, 0, 7 * 8);
        CHECK_INT(head_cuda(&job, NULL), cudaSuccess);
        CHECK_INT(cudaDeviceSynchronize(), cudaSuccess);
        CHECK_INT(word[0], sequence);
        for (int i = 0; i < 7; i++) {
            head_one(&b.plain, &as, map + (size_t)i * layout_bytes(&as, 1), want);
            CHECK(memcmp(ret + 2 * i, want, sizeof want) == 0);
        }
    }
    word[1] = 0xfffffffeu;
    CHECK_INT(finish_cuda(&job.finish, NULL), cudaSuccess);
    CHECK_INT(cudaDeviceSynchronize(), cudaSuccess);
    CHECK_INT(word[0], 0xfffffffeu);
    CHECK_INT(cudaFreeHost(word), cudaSuccess);
    CHECK_INT(cudaFreeHost(ret), cudaSuccess);
    gpu_free(counter), gpu_free((void *)job.feature);
    free(map);
    both_free(&b);
}

GPU_TEST(heads_that_do_not_fit_are_refused)
{
    struct head_job job = {.as = {1, HEAD_WIDTH_MOST + 1, HEAD_WIDTH_MOST + 1, false}, .n_sample = 1};
    struct cam_job cam = {.as = {1, 8, 8, false}, .n_sample = 1};
    CHECK_INT(head_cuda(&job, NULL), cudaErrorInvalidValue);
    CHECK_INT(cam_cuda(&cam, NULL), cudaErrorInvalidValue); /* no layers: nothing to go back through */
    cam.head = (struct head){1, {{7, 1, NULL, NULL, false}}};
    CHECK_INT(cam_cuda(&cam, NULL), cudaErrorInvalidValue);
}

int main(void)
{
    RUN(heads_and_maps_are_those_of_plain_c);
    RUN(rows_of_plain_numbers_are_a_map_too);
    RUN(a_sum_of_large_numbers_that_cancel_keeps_its_order);
    RUN(the_last_kernel_tells_the_hosts_memory_the_sequence);
    RUN(heads_that_do_not_fit_are_refused);
    return check_report();
}
