/* The CUDA twin against plain C, bit by bit, on odd shapes. Skips, saying so, where there is no GPU. */
#include "check.h"
#include "kernels/standardise_cuda.h"
#include <cuda_runtime_api.h>
#include <stdlib.h>

enum { ATOMS = 5, BANDS = 9 };
static const uint8_t FIRST[BANDS] = {0, 1, 1, 2, 2, 2, 3, 3, 4}, LAST[BANDS] = {1, 2, 3, 3, 4, 5, 4, 5, 5};

static void fill(uint32_t *counts, uint8_t *valid, size_t n_row, size_t n_bin)
{
    uint64_t x = 88172645463325252u;
    for (size_t i = 0; i < n_row * ATOMS * n_bin; i++) {
        x ^= x << 13, x ^= x >> 7, x ^= x << 17;
        counts[i] = (uint32_t)(x % 60);
    }
    for (size_t i = 0; i < n_row * n_bin; i++)
        valid[i] = i % 11 != 3;
    for (size_t t = 0; t < ATOMS * n_bin; t++)
        counts[t] = 7; /* a dead row: equal bins */
}

static void compare(int n_row, size_t n_bin)
{
    size_t n_count = (size_t)n_row * ATOMS * n_bin, n_valid = (size_t)n_row * n_bin,
           n_z = (size_t)n_row * BANDS * n_bin;
    uint32_t *counts = malloc(n_count * sizeof *counts);
    uint8_t *valid = malloc(n_valid);
    float *want = malloc(n_z * sizeof *want), *got = malloc(n_z * sizeof *got);
    void *d_counts = NULL, *d_valid = NULL, *d_z = NULL;
    fill(counts, valid, (size_t)n_row, n_bin);
    for (int r = 0; r < n_row; r++)
        for (int b = 0; b < BANDS; b++)
            standardise_band(counts + (size_t)r * ATOMS * n_bin, valid + (size_t)r * n_bin, n_bin, FIRST[b], LAST[b],
                             want + ((size_t)r * BANDS + (size_t)b) * n_bin);
    CHECK(cudaMalloc(&d_counts, n_count * sizeof *counts) == cudaSuccess &&
          cudaMalloc(&d_valid, n_valid) == cudaSuccess && cudaMalloc(&d_z, n_z * sizeof *got) == cudaSuccess);
    CHECK(cudaMemcpy(d_counts, counts, n_count * sizeof *counts, cudaMemcpyHostToDevice) == cudaSuccess);
    CHECK(cudaMemcpy(d_valid, valid, n_valid, cudaMemcpyHostToDevice) == cudaSuccess);
    struct standardise_job job = {d_counts, d_valid, d_z, n_bin, n_row, ATOMS, BANDS, {0}, {0}};
    memcpy(job.first, FIRST, sizeof FIRST);
    memcpy(job.last, LAST, sizeof LAST);
    CHECK_INT(standardise_cuda(&job, NULL), cudaSuccess);
    CHECK(cudaMemcpy(got, d_z, n_z * sizeof *got, cudaMemcpyDeviceToHost) == cudaSuccess);
    CHECK_SAY(memcmp(want, got, n_z * sizeof *got) == 0, "rows %d bins %zu differ", n_row, n_bin);
    (void)cudaFree(d_counts), (void)cudaFree(d_valid), (void)cudaFree(d_z);
    free(counts), free(valid), free(want), free(got);
}

TEST(cuda_standardises_as_plain_c_does)
{
    int n = 0;
    if (cudaGetDeviceCount(&n) != cudaSuccess || !n) SKIP("no GPU here");
    static const int rows[] = {1, 2, 7, 25, 33};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        compare(rows[i], 1875), compare(rows[i], 1874), compare(rows[i], 1);
}

int main(void)
{
    RUN(cuda_standardises_as_plain_c_does);
    return check_report();
}
