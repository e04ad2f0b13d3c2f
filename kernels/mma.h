/* Tensor cores: products of small matrices by the 32 lanes of a warp together, and the loads that feed them. For
 * kernels only, after kernels/cuda.h; needs compute capability 8.0. All lanes of a warp must come to each of these
 * calls.
 *
 *   D [16][8] += A [16][K] x B [K][8]      K = 16 for bfloat16, 8 for TF32
 *
 * Lane l holds these elements, g = l / 4, t = l % 4 (row, column):
 *   D  float d[4]      (g, 2t) (g, 2t + 1) (g + 8, 2t) (g + 8, 2t + 1)
 *   A  TF32     a[4]   (g, t) (g + 8, t) (g, t + 4) (g + 8, t + 4)
 *      bfloat16 a[4]   the pairs that begin at (g, 2t) (g + 8, 2t) (g, 2t + 8) (g + 8, 2t + 8), the left one
 *                      in the lower half
 *   B  TF32     b[2]   (t, g) (t + 4, g)
 *      bfloat16 b[2]   the pairs of rows that begin at (2t, g) (2t + 8, g), the upper one in the lower half
 * In bytes, A is the same for both: 16 rows of 32 bytes. TF32 elements are floats after tf32_round.
 *
 * Products are exact and sums are in float, but in which order, and how what is lost is rounded, is the device's
 * affair: on the stand-in each call adds its K products in double and rounds once.
 *
 * Source    PTX ISA 9.0, "Matrix fragments for mma.m16n8k8", "... for mma.m16n8k16 with floating point type" and
 *           "ldmatrix". */
#ifndef BURST_KERNELS_MMA_H
#define BURST_KERNELS_MMA_H
#include "kernels/bf16.h"
#include "kernels/precision.h"
#include "kernels/wide.h"

#ifdef BURST_STANDIN
struct mma_part {
    float *d;
    const uint32_t *a, *b;
};

static inline void mma_unpack(uint32_t word, double *ret_one)
{
    *ret_one = (double)__uint_as_float(word & 0xffffe000u);
}

static inline void mma_unpack_two(uint32_t word, double *ret_first, double *ret_second)
{
    *ret_first = (double)__uint_as_float(word << 16);
    *ret_second = (double)__uint_as_float(word & 0xffff0000u);
}

/* The matrices out of the fragments of all lanes. Word w of a row of A, or of a column of B, holds elements w, or 2 w
 * and the next. */
template <int K> static inline void mma_gather(void *const lane[32], double a[16][K], double b[K][8])
{
    for (int l = 0; l < 32; l++) {
        const struct mma_part *part = static_cast<const struct mma_part *>(lane[l]);
        for (int i = 0; i < 4; i++) {
            int row = l / 4 + i % 2 * 8, word = l % 4 + i / 2 * 4;
            if (K == 8)
                mma_unpack(part->a[i], &a[row][word]);
            else
                mma_unpack_two(part->a[i], &a[row][word * K / 8], &a[row][word * K / 8 + 1]);
        }
        for (int i = 0; i < 2; i++) {
            int word = l % 4 + i * 4, column = l / 4;
            if (K == 8)
                mma_unpack(part->b[i], &b[word][column]);
            else
                mma_unpack_two(part->b[i], &b[word * K / 8][column], &b[word * K / 8 + 1][column]);
        }
    }
}

template <int K> static inline void mma_op(void *const lane[32], unsigned)
{
    double a[16][K], b[K][8];
    mma_gather<K>(lane, a, b);
    for (int row = 0; row < 16; row++) {
        double sum[8];
        for (int n = 0; n < 8; n++)
            sum[n] = (double)static_cast<struct mma_part *>(lane[row % 8 * 4 + n / 2])->d[row / 8 * 2 + n % 2];
        for (int k = 0; k < K; k++)
            for (int n = 0; n < 8; n++)
                sum[n] += a[row][k] * b[k][n];
        for (int n = 0; n < 8; n++)
            static_cast<struct mma_part *>(lane[row % 8 * 4 + n / 2])->d[row / 8 * 2 + n % 2] = (float)sum[n];
    }
}

/* Lane 8 i + r brings the address of row r of matrix i; word t of its 16 bytes goes to word i of lane 4 r + t. */
struct mma_rows {
    const unsigned char *row;
    uint32_t *ret;
};

static inline void mma_rows_op(void *const lane[32], unsigned)
{
    for (int from = 0; from < 32; from++)
        for (int t = 0; t < 4; t++)
            memcpy(&static_cast<struct mma_rows *>(lane[from % 8 * 4 + t])->ret[from / 8],
                   static_cast<struct mma_rows *>(lane[from])->row + t * 4, 4);
}
#endif

/* d += a x b. */
static __device__ inline void mma_bf16_16x8x16(float d[4], const uint32_t a[4], const uint32_t b[2])
{
#ifdef BURST_STANDIN
    struct mma_part mine = {d, a, b};
    standin_collective(0xffffffffu, mma_op<16>, &mine, {__FILE__, __LINE__});
#else
    asm("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
        : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
#endif
}

static __device__ inline void mma_tf32_16x8x8(float d[4], const uint32_t a[4], const uint32_t b[2])
{
#ifdef BURST_STANDIN
    struct mma_part mine = {d, a, b};
    standin_collective(0xffffffffu, mma_op<8>, &mine, {__FILE__, __LINE__});
#else
    asm("mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
        : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
#endif
}

/* A lane's part of A, 16 rows of 32 bytes in shared memory: lane l brings the address, a multiple of 16, of byte 16
 * (l / 16) of row l % 16. Rows are best a multiple of 32 words and 4 more apart: no two of eight then meet
 * in a bank. */
static __device__ inline void mma_load_a(uint32_t ret_a[4], const void *mine)
{
#ifdef BURST_STANDIN
    struct mma_rows rows = {static_cast<const unsigned char *>(mine), ret_a};
    standin_collective(0xffffffffu, mma_rows_op, &rows, {__FILE__, __LINE__});
#else
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0,%1,%2,%3}, [%4];"
                 : "=r"(ret_a[0]), "=r"(ret_a[1]), "=r"(ret_a[2]), "=r"(ret_a[3])
                 : "r"((uint32_t)__cvta_generic_to_shared(mine))
                 : "memory");
#endif
}

/* Two values as neighbouring bfloat16, the first in the lower half. */
static __device__ inline uint32_t mma_pair(float first, float second)
{
#ifdef BURST_STANDIN
    return bf16_from_float(first) | (uint32_t)bf16_from_float(second) << 16;
#else
    uint32_t pair;
    asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(pair) : "f"(second), "f"(first));
    return pair;
#endif
}

/* Sums of a warp in 16 rows of 16 columns: two fragments D, the left one and the right one. */
struct mma_sums {
    float d[2][4];
};

/* Begin with the biases of the 16 columns. */
static __device__ inline struct mma_sums mma_begin(const float *bias)
{
    float2 left = wide_load_constant<float2>(bias + threadIdx.x % 4 * 2);
    float2 right = wide_load_constant<float2>(bias + threadIdx.x % 4 * 2 + 8);
    struct mma_sums sums = {{{left.x, left.y, left.x, left.y}, {right.x, right.y, right.x, right.y}}};
    return sums;
}

/* Add A times 16 columns of a step of k: a lane brings its words of packed weights (matrix.h). */
template <int PRECISION>
static __device__ inline void mma_multiply(struct mma_sums *sums, const uint32_t a[4], uint4 weight)
{
    const uint32_t left[2] = {weight.x, weight.y}, right[2] = {weight.z, weight.w};
    if (PRECISION == TENSOR_BF16) {
        mma_bf16_16x8x16(sums->d[0], a, left);
        mma_bf16_16x8x16(sums->d[1], a, right);
    } else {
        mma_tf32_16x8x8(sums->d[0], a, left);
        mma_tf32_16x8x8(sums->d[1], a, right);
    }
}

/* Hand a lane's sums to to.put(row, column, two neighbours), where the 16 rows and columns begin at `row` and
 * `column` and rows from row_end on are not wanted. */
template <class TO>
static __device__ inline void mma_put(const struct mma_sums *sums, int row, int row_end, int column, const TO &to)
{
    row += (int)threadIdx.x % 32 / 4;
    column += (int)threadIdx.x % 4 * 2;
#pragma unroll
    for (int half = 0; half < 2; half++, row += 8)
#pragma unroll
        for (int side = 0; row < row_end && side < 2; side++)
            to.put(row, column + side * 8, {sums->d[side][half * 2], sums->d[side][half * 2 + 1]});
}
#endif
