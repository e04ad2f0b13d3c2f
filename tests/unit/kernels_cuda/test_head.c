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

/* 2^60 and 1 do not fit into one double: what remains of sums of both tells in which order they were made. */
static float large_or_small(int i)
{
    return i % 3 == 0 ? 0x1p60F : i % 3 == 1 ? -0x1p60F : (float)(gpu_random() % 1000);
}

GPU_TEST(sums_of_numbers_that_cancel_keep_their_order)
{
    enum { IN = 200, OUT = 37 };
    static const struct layout row = {1, IN, IN, false}, map = {IN, OUT, OUT, false};
    struct both b = both_new((const int[]){IN, OUT}, 1), none = {{.n_layer = 0}, {.n_layer = 0}};
    float *weight = malloc(IN * OUT * 4), *feature = malloc(IN * OUT * 4), one[IN], want[2][OUT];
    for (int i = 0; i < IN * OUT; i++) {
        weight[i] = large_or_small(i);
        feature[i] = large_or_small(i / OUT);
        one[i % IN] = 1;
    }
    free((void *)b.plain.layer[0].weight);
    b.plain.layer[0].weight = weight;
    CHECK_INT(cudaMemcpy((void *)b.cuda.layer[0].weight, weight, IN * OUT * 4, cudaMemcpyHostToDevice), cudaSuccess);
    struct head_job jobs[2] = {
        {.head = b.cuda, .as = row, .feature = gpu_put(one, sizeof one), .n_sample = 1},
        {.head = none.cuda, .as = map, .feature = gpu_put(feature, IN * OUT * 4), .n_sample = 1}};
    head_one(&b.plain, &row, one, want[0]);
    head_one(&none.plain, &map, feature, want[1]);
    for (int i = 0; i < 2; i++) {
        jobs[i].ret = gpu_fill(0, OUT * 4);
        CHECK_INT(head_cuda(&jobs[i], NULL), cudaSuccess);
        float *got = gpu_get(jobs[i].ret, OUT * 4);
        CHECK_SAY(memcmp(got, want[i], OUT * 4) == 0, "%s", i ? "means" : "outputs");
        free(got);
        gpu_free(jobs[i].ret);
        gpu_free((void *)jobs[i].feature);
    }
    free(feature);
    both_free(&b);
}

/* Look at the word as the worker does. False: the device is done and has not told it. */
static bool is_told(const uint32_t *word, uint32_t want)
{
    for (unsigned i = 1; __atomic_load_n(word, __ATOMIC_ACQUIRE) != want; i++)
        if (i % 100000 == 0 && cudaStreamQuery(NULL) != cudaErrorNotReady)
            return __atomic_load_n(word, __ATOMIC_ACQUIRE) == want;
    return true;
}

GPU_TEST(the_last_kernel_tells_the_hosts_memory_the_sequence)
{
    enum { SAMPLES = 3, OUT = HEAD_WIDTH_MOST };
    struct both b = {{.n_layer = 0}, {.n_layer = 0}};
    struct layout as = {2, OUT, OUT, true};
    uint8_t *map = maps(&as, SAMPLES);
    uint32_t *word = NULL; /* [0] done, [1] sequence; mapped, as the worker has it */
    float *ret = NULL, *want = malloc(SAMPLES * OUT * 4);
    void *d_word = NULL, *d_ret = NULL;
    CHECK_INT(cudaHostAlloc((void **)&word, 8, cudaHostAllocMapped), cudaSuccess);
    CHECK_INT(cudaHostAlloc((void **)&ret, SAMPLES * OUT * 4, cudaHostAllocMapped), cudaSuccess);
    CHECK_INT(cudaHostGetDevicePointer(&d_word, word, 0), cudaSuccess);
    CHECK_INT(cudaHostGetDevicePointer(&d_ret, ret, 0), cudaSuccess);
    uint32_t *counter = gpu_fill(0, 4), *at = d_word;
    struct head_job job = {.head = b.cuda,
                           .as = as,
                           .feature = gpu_put(map, layout_bytes(&as, SAMPLES)),
                           .ret = d_ret,
                           .n_sample = SAMPLES,
                           .finish = {at + 1, at},
                           .counter = counter};
    for (int i = 0; i < SAMPLES; i++)
        head_one(&b.plain, &as, map + (size_t)i * layout_bytes(&as, 1), want + i * OUT);
    for (uint32_t sequence = 41; sequence < 81; sequence++) { /* the counter is 0 again each time */
        word[1] = sequence;
        memset(ret, 0, SAMPLES * OUT * 4);
        CHECK_INT(head_cuda(&job, NULL), cudaSuccess);
        CHECK(is_told(word, sequence));
        CHECK(memcmp(ret, want, SAMPLES * OUT * 4) == 0); /* at once: what was told must be there */
        CHECK_INT(cudaDeviceSynchronize(), cudaSuccess);
    }
    word[1] = 0xfffffffeu;
    CHECK_INT(finish_cuda(&job.finish, NULL), cudaSuccess);
    CHECK_INT(cudaDeviceSynchronize(), cudaSuccess);
    CHECK_INT(word[0], 0xfffffffeu);
    CHECK_INT(cudaFreeHost(word), cudaSuccess);
    CHECK_INT(cudaFreeHost(ret), cudaSuccess);
    gpu_free(counter), gpu_free((void *)job.feature);
    free(map), free(want);
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
    RUN(sums_of_numbers_that_cancel_keep_their_order);
    RUN(the_last_kernel_tells_the_hosts_memory_the_sequence);
    RUN(heads_that_do_not_fit_are_refused);
    return check_report();
}
