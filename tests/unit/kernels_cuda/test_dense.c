/* Dense layers on a GPU against sums in double. Tolerance: n roundings of relative size 2^-24 on the way of a term through a
 * slice (512 fused steps at most), its join (5) and the slices, bias and add, times the sum of the terms' sizes. */
#include "gpu.h"
#include "kernels/dense_cuda.h"

struct shape {
    int n_sample, n;
    int64_t n_in, n_out;
    bool bf16, bias, add, relu;
};

/* Result j of a row, and the sum of the sizes of its terms. */
static double truth(const struct shape *s, const float *x, const float *w, const float *bias, const float *add,
                    int64_t j, double *ret_size)
{
    double sum = 0;
    *ret_size = 0;
    for (int64_t l = 0; l < s->n_in; l++) {
        sum += (double)x[l] * (double)w[j * s->n_in + l];
        *ret_size += fabs((double)x[l] * (double)w[j * s->n_in + l]);
    }
    if (s->bias) sum += (double)bias[j];
    if (s->add) sum += (double)add[j];
    *ret_size += fabs(sum);
    return s->relu && sum < 0 ? 0 : sum;
}

static void rows_compare(const struct shape *s, const float *x, const float *w, const float *bias, const float *add,
                         const float *got)
{
    double worst = 0, steps = (double)(s->n_in < 512 ? s->n_in : 512) + 5 + (double)s->n_in / 512 + 3, size;
    for (int i = 0; i < s->n; i++)
        for (int64_t j = 0; j < s->n_out; j++) {
            double want = truth(s, x + i * s->n_in, w, bias, add + i * s->n_out, j, &size);
            worst = fmax(worst, fabs((double)got[i * s->n_out + j] - want) / (size * steps * 0x1p-24 + 1e-30));
        }
    CHECK_SAY(worst <= 1, "%d x %lld x %lld: %g of what rounding explains", s->n_sample, (long long)s->n_in,
              (long long)s->n_out, worst);
    for (int64_t i = s->n * s->n_out; i < s->n_sample * s->n_out; i++)
        CHECK(memcmp(&got[i], "ZZZZ", 4) == 0); /* rows beyond n are not touched */
}

static void compare(struct shape s)
{
    size_t n_x = (size_t)(s.n_sample * s.n_in), n_w = (size_t)(s.n_out * s.n_in), n_y = (size_t)(s.n_sample * s.n_out);
    float *x = gpu_random_floats(n_x), *w = gpu_random_floats(n_w), *bias = gpu_random_floats((size_t)s.n_out),
          *add = gpu_random_floats(n_y);
    struct layout row = {1, s.n_in, s.n_in, s.bf16};
    void *map = malloc(layout_bytes(&row, s.n_sample));
    layout_pack(&row, s.n_sample, x, map);
    layout_unpack(&row, s.n_sample, map, x);
    struct dense_job job = {.n_sample = s.n_sample, .n_in = s.n_in, .n_out = s.n_out, .bf16 = s.bf16, .relu = s.relu};
    job.x = gpu_put(map, layout_bytes(&row, s.n_sample));
    job.weight = gpu_put(w, n_w * 4);
    float *d_bias = gpu_put(bias, (size_t)s.n_out * 4), *d_add = gpu_put(add, n_y * 4);
    if (s.bias) job.bias = d_bias;
    if (s.add) job.add = d_add;
    job.work = gpu_fill(0, dense_cuda_work(&job));
    job.n = gpu_put(&s.n, sizeof s.n);
    job.ret = gpu_fill('Z', n_y * 4);
    CHECK_INT(dense_cuda(&job, NULL), cudaSuccess);
    float *first = gpu_get(job.ret, n_y * 4);
    rows_compare(&s, x, w, bias, add, first);
    CHECK_INT(cudaMemset(job.ret, 'Z', n_y * 4), cudaSuccess);
    CHECK_INT(dense_cuda(&job, NULL),
              cudaSuccess); /* the same work again, in another order of threads: the same bits */
    float *again = gpu_get(job.ret, n_y * 4);
    CHECK(memcmp(first, again, n_y * 4) == 0);
    free(x), free(w), free(bias), free(add), free(map), free(first), free(again);
    gpu_free((void *)job.x), gpu_free((void *)job.weight), gpu_free(d_bias), gpu_free(d_add);
    gpu_free(job.work), gpu_free((void *)job.n), gpu_free(job.ret);
}

GPU_TEST(few_rows_are_right)
{
    compare((struct shape){1, 1, 12544, 128, true, true, false, true});
    compare((struct shape){2, 2, 12544, 20, false, true, false, true});
    compare((struct shape){3, 2, 513, 17, true, true, true, false});
    compare((struct shape){4, 4, 516, 15, true, false, true, true});
    compare((struct shape){7, 7, 1, 1, false, true, false, false});
    compare((struct shape){8, 5, 1024, 33, false, true, false, false});
    compare((struct shape){25, 25, 700, 16, false, true, false, true});
    compare((struct shape){32, 27, 1300, 9, true, false, false, false});
    compare((struct shape){1, 0, 64, 2, false, true, false, false});
}

GPU_TEST(many_rows_are_right)
{
    compare((struct shape){33, 33, 1100, 65, false, true, true, true});
    compare((struct shape){64, 64, 515, 64, true, true, false, false});
    compare((struct shape){130, 70, 528, 3, true, false, false, true});
    compare((struct shape){256, 256, 20, 130, false, true, false, true});
    compare((struct shape){100, 0, 64, 70, false, true, false, false});
    compare((struct shape){2100, 2090, 24, 3, false, true, true, true}); /* several launches */
}

/* One network's work memory serves batches of all sizes, as they come. */
GPU_TEST(sizes_take_turns_in_the_same_work_memory)
{
    enum { IN = 1030, OUT = 130, MOST = 256 };
    static const int sizes[9] = {256, 16, 1, 32, 64, 25, 2, 256, 8};
    float *x = gpu_random_floats(MOST * IN), *w = gpu_random_floats(OUT * IN);
    struct dense_job job = {.n_sample = MOST, .n_in = IN, .n_out = OUT};
    job.x = gpu_put(x, MOST * IN * 4);
    job.weight = gpu_put(w, OUT * IN * 4);
    job.work = gpu_fill(0, dense_cuda_work(&job));
    for (int i = 0; i < 9; i++) {
        job.n_sample = sizes[i];
        job.ret = gpu_fill('Z', MOST * OUT * 4);
        CHECK_INT(dense_cuda(&job, NULL), cudaSuccess);
        float *got = gpu_get(job.ret, MOST * OUT * 4);
        struct shape s = {.n_sample = MOST, .n = sizes[i], .n_in = IN, .n_out = OUT};
        rows_compare(&s, x, w, NULL, got, got);
        free(got);
        gpu_free(job.ret);
    }
    free(x), free(w);
    gpu_free((void *)job.x), gpu_free((void *)job.weight), gpu_free(job.work);
}

/* A network's flattened map: the columns of its weights follow the map. */
GPU_TEST(a_flattened_map_lies_channels_last)
{
    static const struct layout as = {6, 5, 8, true};
    float *x = gpu_random_floats(60), *w = gpu_random_floats(3 * 30), columns[3 * 48];
    uint16_t map[2 * 48];
    layout_pack(&as, 2, x, map);
    layout_unpack(&as, 2, map, x);
    layout_columns(&as, 3, w, columns);
    struct dense_job job = {.n_sample = 2,
                            .n_in = 48,
                            .n_out = 3,
                            .bf16 = true,
                            .x = gpu_put(map, sizeof map),
                            .weight = gpu_put(columns, sizeof columns),
                            .ret = gpu_fill('Z', 24)};
    job.work = gpu_fill(0, dense_cuda_work(&job));
    CHECK_INT(dense_cuda(&job, NULL), cudaSuccess);
    float *got = gpu_get(job.ret, 24);
    rows_compare(&(struct shape){.n_sample = 2, .n = 2, .n_in = 30, .n_out = 3}, x, w, NULL, got, got);
    free(x), free(w), free(got);
    gpu_free((void *)job.x), gpu_free((void *)job.weight), gpu_free(job.ret), gpu_free(job.work);
}

int main(void)
{
    RUN(few_rows_are_right);
    RUN(many_rows_are_right);
    RUN(sizes_take_turns_in_the_same_work_memory);
    RUN(a_flattened_map_lies_channels_last);
    return check_report();
}
