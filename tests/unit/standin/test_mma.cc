/* Tensor cores' fragments (kernels/mma.h) against plain matrix products whose elements all differ, so that no two of
 * them can change places unseen. On a card it is gpu_test_mma. */
#include "check.h"
#include "kernels/cuda.h"
#include "kernels/mma.h"

enum { M = 16, N = 8 };

/* One warp: A [16][K] and B [K][8] by the words of mma.h, element by element; D begins as C. */
static __global__ void product_bf16(const uint16_t *a, const uint16_t *b, const float *c, float *ret_d)
{
    int lane = (int)threadIdx.x, g = lane / 4, t = lane % 4;
    const int row[4] = {g, g + 8, g, g + 8}, at[4] = {2 * t, 2 * t, 2 * t + 8, 2 * t + 8};
    uint32_t fa[4], fb[2];
    float d[4];
    for (int i = 0; i < 4; i++)
        fa[i] = a[row[i] * 16 + at[i]] | (uint32_t)a[row[i] * 16 + at[i] + 1] << 16;
    for (int i = 0; i < 2; i++)
        fb[i] = b[(2 * t + 8 * i) * N + g] | (uint32_t)b[(2 * t + 8 * i + 1) * N + g] << 16;
    for (int i = 0; i < 4; i++)
        d[i] = c[(g + i / 2 * 8) * N + 2 * t + i % 2];
    mma_bf16_16x8x16(d, fa, fb);
    for (int i = 0; i < 4; i++)
        ret_d[(g + i / 2 * 8) * N + 2 * t + i % 2] = d[i];
}

static __global__ void product_tf32(const float *a, const float *b, const float *c, float *ret_d)
{
    int lane = (int)threadIdx.x, g = lane / 4, t = lane % 4;
    uint32_t fa[4] = {__float_as_uint(a[g * 8 + t]), __float_as_uint(a[(g + 8) * 8 + t]),
                      __float_as_uint(a[g * 8 + t + 4]), __float_as_uint(a[(g + 8) * 8 + t + 4])};
    uint32_t fb[2] = {__float_as_uint(b[t * N + g]), __float_as_uint(b[(t + 4) * N + g])};
    float d[4];
    for (int i = 0; i < 4; i++)
        d[i] = c[(g + i / 2 * 8) * N + 2 * t + i % 2];
    mma_tf32_16x8x8(d, fa, fb);
    for (int i = 0; i < 4; i++)
        ret_d[(g + i / 2 * 8) * N + 2 * t + i % 2] = d[i];
}

/* What mma_load_a finds in 16 rows of 32 bytes that lie 48 apart. */
static __global__ void load(const unsigned char *rows, uint32_t *ret_word)
{
    __shared__ __align__(16) unsigned char shared[16 * 48];
    int lane = (int)threadIdx.x;
    for (int i = lane; i < 16 * 48; i += 32)
        shared[i] = rows[i];
    __syncwarp();
    uint32_t a[4];
    mma_load_a(a, shared + lane % 16 * 48 + lane / 16 * 16);
    for (int i = 0; i < 4; i++)
        ret_word[lane * 4 + i] = a[i];
}

static __global__ void pair(const float *x, uint32_t *ret)
{
    ret[threadIdx.x] = mma_pair(x[2 * threadIdx.x], x[2 * threadIdx.x + 1]);
}

/* Host arrays on the device and back: everything here is one small block. */
static void *upload(const void *from, size_t bytes)
{
    void *at = nullptr;
    CHECK(cudaMalloc(&at, bytes) == cudaSuccess && cudaMemcpy(at, from, bytes, cudaMemcpyHostToDevice) == cudaSuccess);
    return at;
}

static void download(void *to, void *from, size_t bytes)
{
    CHECK(cudaMemcpy(to, from, bytes, cudaMemcpyDeviceToHost) == cudaSuccess);
    (void)cudaFree(from);
}

static bool device_here(void)
{
    int n = 0;
    return cudaGetDeviceCount(&n) == cudaSuccess && n > 0;
}

/* Elements are small integers, distinct within their matrix and exact in either form; sums stay below 2^24: exact. */
static void fill(float *a, float *b, float *c, int k)
{
    for (int i = 0; i < M * k; i++)
        a[i] = (float)(i - 100);
    for (int i = 0; i < k * N; i++)
        b[i] = (float)(3 * i - 128);
    for (int i = 0; i < M * N; i++)
        c[i] = (float)(1000 * i);
}

static int count_wrong(const float *a, const float *b, const float *c, const float *d, int k)
{
    int n_wrong = 0;
    for (int i = 0; i < M; i++)
        for (int j = 0; j < N; j++) {
            float sum = c[i * N + j];
            for (int l = 0; l < k; l++)
                sum += a[i * k + l] * b[l * N + j];
            n_wrong += d[i * N + j] != sum;
        }
    return n_wrong;
}

TEST(a_bfloat16_product_is_the_matrix_product)
{
    if (!device_here()) SKIP("no GPU here");
    enum { K = 16 };
    float a[M * K], b[K * N], c[M * N], d[M * N];
    uint16_t a16[M * K], b16[K * N];
    fill(a, b, c, K);
    for (int i = 0; i < M * K; i++)
        a16[i] = bf16_from_float(a[i]);
    for (int i = 0; i < K * N; i++)
        b[i] = (float)(2 * i - 128), b16[i] = bf16_from_float(b[i]);
    for (int i = 0; i < M * K; i++)
        CHECK(bf16_to_float(a16[i]) == a[i]);
    void *da = upload(a16, sizeof a16), *db = upload(b16, sizeof b16), *dc = upload(c, sizeof c),
         *dd = upload(c, sizeof c);
    CHECK_INT(cuda_launch(product_bf16, dim3(1), dim3(32), 0, nullptr, (const uint16_t *)da, (const uint16_t *)db,
                          (const float *)dc, (float *)dd),
              0);
    download(d, dd, sizeof d);
    CHECK_INT(count_wrong(a, b, c, d, K), 0);
    (void)cudaFree(da), (void)cudaFree(db), (void)cudaFree(dc);
}

TEST(a_tf32_product_is_the_matrix_product)
{
    if (!device_here()) SKIP("no GPU here");
    enum { K = 8 };
    float a[M * K], b[K * N], c[M * N], d[M * N];
    fill(a, b, c, K);
    void *da = upload(a, sizeof a), *db = upload(b, sizeof b), *dc = upload(c, sizeof c), *dd = upload(c, sizeof c);
    CHECK_INT(cuda_launch(product_tf32, dim3(1), dim3(32), 0, nullptr, (const float *)da, (const float *)db,
                          (const float *)dc, (float *)dd),
              0);
    download(d, dd, sizeof d);
    CHECK_INT(count_wrong(a, b, c, d, K), 0);
    (void)cudaFree(da), (void)cudaFree(db), (void)cudaFree(dc);
}

TEST(rows_in_shared_memory_become_a_fragment_of_a)
{
    if (!device_here()) SKIP("no GPU here");
    unsigned char rows[16 * 48];
    uint32_t got[32 * 4];
    for (int i = 0; i < 16 * 48; i++)
        rows[i] =
            (unsigned char)(i % 48 < 32 ? (i / 48) * 16 + i % 48 / 4 : 0xee); /* each word its own, rows and all */
    void *from = upload(rows, sizeof rows), *to = upload(got, sizeof got);
    CHECK_INT(cuda_launch(load, dim3(1), dim3(32), 0, nullptr, (const unsigned char *)from, (uint32_t *)to), 0);
    download(got, to, sizeof got);
    (void)cudaFree(from);
    for (unsigned lane = 0; lane < 32; lane++)
        for (unsigned i = 0; i < 4; i++) {
            unsigned row = lane / 4 + i % 2 * 8, word = lane % 4 + i / 2 * 4;
            CHECK_INT(got[lane * 4 + i], (row * 16 + word) * 0x01010101u);
        }
}

/* 1 + 2^-8 is halfway between two bfloat16 and goes to the even one, as does 1 + 3 x 2^-8. */
TEST(two_floats_become_a_pair_of_bfloat16)
{
    if (!device_here()) SKIP("no GPU here");
    const float x[8] = {1, -2, 1 + 0x1p-8f, 1 + 3 * 0x1p-8f, 0x1.fffffep127f, -0.0f, INFINITY, 1 + 0x1p-8f + 0x1p-20f};
    const uint32_t want[4] = {0xc0003f80u, 0x3f823f80u, 0x80007f80u, 0x3f817f80u};
    uint32_t got[4] = {0};
    void *from = upload(x, sizeof x), *to = upload(got, sizeof got);
    CHECK_INT(cuda_launch(pair, dim3(1), dim3(4), 0, nullptr, (const float *)from, (uint32_t *)to), 0);
    download(got, to, sizeof got);
    (void)cudaFree(from);
    for (int i = 0; i < 4; i++)
        CHECK_INT(got[i], want[i]);
}

int main(void)
{
    RUN(a_bfloat16_product_is_the_matrix_product);
    RUN(a_tf32_product_is_the_matrix_product);
    RUN(rows_in_shared_memory_become_a_fragment_of_a);
    RUN(two_floats_become_a_pair_of_bfloat16);
    return check_report();
}
