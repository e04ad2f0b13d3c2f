/* CUDA twin of mscfm.c: a block takes TILE bins of one sample from x to y. The rows it needs (TILE and 3 on either
 * side, for three convolutions of three taps) and f0 to f3 lie in shared memory, f0 to f3 side by side as join takes
 * them; what lies outside the sample is zero in x and in each of f0, f1 and f2. Row r is bin TILE * block - 3 + r
 * throughout. Weights come through the caches, each 16 columns of them read by one warp for as many rows as it has.
 *
 * Work of one bin, C = 128: 4,096 + 3 x 3,072 + 16,384 = 29,696 multiplications and additions, 59,392 FLOP; x read
 * and y written once are 1,024 bytes (float) or 512 (bfloat16). So, for the 938 bins of the first unit on an H200
 * (67, 495, 990 TFLOP/s by the data sheet in FP32, TF32, bfloat16; 4.3 TB/s measured in a copy):
 *              FLOP       FP32      TF32      bfloat16    bytes float, bfloat16     at least
 *   batch 1    55.7 M     0.83 us   0.11 us   0.056 us    0.96 MB, 0.48 MB (in L2)  latency: five products in a row
 *   batch 256  14.26 G    213 us    28.8 us   14.4 us     246 MB 57 us, 123 MB 29 us  213 us, 57 us, 29 us
 * One after the other the six steps would move 992 elements of a bin where this moves 256: 3.9 times the bytes. The
 * weights, 119 kB or 59 kB and 1 kB of bias, are read from L2 once for each tile unless L1 still has them.
 *
 * Rows computed for a tile of 16, 32, 64, 128 over rows needed, for tensor cores (16 rows at a time): 1.34, 1.17,
 * 1.09, 1.04. Shared memory is 2 (TILE + 6) (C e + 16) bytes, e = 4 or 2: for C = 128 and tiles of 16, 32, 64, 128
 * 23, 40, 74, 141 kB as float and 12, 21, 38, 73 kB as bfloat16. The 16 bytes at the end of each row keep eight rows
 * in different banks. Registers of a thread for C = 128 and those tiles, by ptxas 13.0 for sm_90: FP32 196, 128, 126,
 * 126; tensor cores 71, 70, 80, 80; no kernel spills, on sm_80 neither. */
#include "kernels/cuda.h"
#include "kernels/mma.h"
#include "kernels/mscfm_cuda.h"
#include "kernels/wide.h"

enum { HALO = MSCFM_SCALES, SHARED_MOST = 227 * 1024 /* of any device to date: compute capability 9.0 */ };

/* Everything that is known when the kernel is compiled. */
template <int PRECISION_, int C_, int TILE_> struct size {
    static constexpr int PRECISION = PRECISION_, C = C_, TILE = TILE_;
    static constexpr int R = C / 4, ROWS = TILE + 2 * HALO;
    static constexpr int ELEMENT = PRECISION == TENSOR_BF16 ? 2 : 4, ROW_BYTES = C * ELEMENT, STRIDE = ROW_BYTES + 16;
    static constexpr int SHARED = 2 * ROWS * STRIDE;
    static constexpr int THREADS = TILE > 64 ? 512 : 256, WARPS = THREADS / 32;
    static constexpr int AHEAD =
        TILE > 32 ? 2 : 4; /* steps of weights: small tiles have few warps that could wait for them */
    /* On a multiprocessor at once, if they fit: bounds the registers, to 80 with three. */
    static constexpr int BLOCKS = THREADS > 256 || (TILE < 32 && PRECISION == TENSOR_FP32) ? 1
                                  : C == 128 && PRECISION != TENSOR_FP32                   ? 3
                                                                                           : 2;
};

static __device__ inline float relu(float value)
{
    return value < 0 ? 0 : value;
}

/* ---- two neighbouring elements of a row in shared memory ---- */

template <class S> static __device__ inline float2 load_pair(const unsigned char *at)
{
    if (S::PRECISION != TENSOR_BF16) return wide_load<float2>(at);
    uint32_t pair = wide_load<uint32_t>(at);
    float2 value = {bf16_to_float((uint16_t)pair), bf16_to_float((uint16_t)(pair >> 16))};
    return value;
}

template <class S> static __device__ inline void store_pair(unsigned char *at, float2 value)
{
    if (S::PRECISION == TENSOR_BF16)
        wide_store(at, mma_pair(value.x, value.y));
    else
        wide_store(at, value);
}

/* Where a product's sums go: to f0 .. f3, as factors of the next product ... */
template <class S> struct to_f {
    unsigned char *at; /* row 0, first column */
    int first, n_bin;  /* bin of row 0, bins of the sample */

    __device__ void put(int row, int column, float2 sum) const
    {
        bool inside = first + row >= 0 && first + row < n_bin;
        float2 value = {inside ? relu(sum.x) : 0, inside ? relu(sum.y) : 0};
        if (S::PRECISION == TENSOR_TF32) value = {tf32_round(value.x), tf32_round(value.y)};
        store_pair<S>(at + row * S::STRIDE + column * S::ELEMENT, value);
    }
};

/* ... or onto x, which becomes y. Each element belongs to one thread. */
template <class S> struct to_x {
    unsigned char *at;

    __device__ void put(int row, int column, float2 sum) const
    {
        unsigned char *pair = at + row * S::STRIDE + column * S::ELEMENT;
        float2 x = load_pair<S>(pair);
        float2 y = {relu(sum.x + x.x), relu(sum.y + x.y)};
        store_pair<S>(pair, y);
    }
};

/* ---- one product: rows [ROW, ROW + ROW_N) of N columns from TAPS x K columns of `in` ---- */

template <class S, int ROW_, int ROW_N_, int K_, int TAPS_, int N_> struct product {
    static constexpr int ROW = ROW_, ROW_N = ROW_N_, K = K_, TAPS = TAPS_, N = N_;
    static constexpr int BYTES = K * TAPS * N * S::ELEMENT;
    const unsigned char *in; /* row 0, first column */
    const unsigned char *weight;
    const float *bias;
};

/* Row `row` of the product, or its last one: what is computed beyond that is not kept. */
template <class S, class P> static __device__ inline const unsigned char *row_of(const P &p, int row)
{
    return p.in + (P::ROW + min(row, P::ROW_N - 1)) * S::STRIDE;
}

/* Without tensor cores: a thread has 4 columns of every GROUPS-th row and adds in the order of mscfm.c. */
template <class S, class P, class TO> static __device__ inline void multiply_plain(const P &p, const TO &to)
{
    constexpr int QUADS = P::N / 4, GROUPS = S::THREADS / QUADS, MINE = (P::ROW_N + GROUPS - 1) / GROUPS;
    constexpr int ALL = P::TAPS * P::K, AHEAD = wide_ahead(MINE);
    int quad = (int)threadIdx.x % QUADS, group = (int)threadIdx.x / QUADS;
    float4 bias = wide_load_constant<float4>(p.bias + quad * 4), sum[MINE];
#pragma unroll
    for (int m = 0; m < MINE; m++)
        sum[m] = bias;
#pragma unroll 1
    for (int from = 0; from < ALL; from += AHEAD) {
        float4 w[AHEAD];
#pragma unroll
        for (int i = 0; i < AHEAD; i++)
            w[i] = wide_load_constant<float4>(p.weight + (min(from + i, ALL - 1) * P::N + quad * 4) * 4);
#pragma unroll
        for (int i = 0; i < AHEAD; i += 4) {
            int k = from + i, at = (k / P::K - P::TAPS / 2) * S::STRIDE + k % P::K * 4;
#pragma unroll
            for (int m = 0; m < MINE; m++)
                if (k < ALL) wide_multiply(&sum[m], wide_load<float4>(row_of<S>(p, group + m * GROUPS) + at), w + i);
        }
    }
#pragma unroll
    for (int m = 0; m < MINE; m++) {
        int row = group + m * GROUPS;
        if (row >= P::ROW_N) continue;
        to.put(P::ROW + row, quad * 4, {sum[m].x, sum[m].y});
        to.put(P::ROW + row, quad * 4 + 2, {sum[m].z, sum[m].w});
    }
}

/* Add what one step of k gives; a lane brings its part of 16 rows as for mma_load_a. ROUND: they are whole floats. */
template <class S, bool ROUND>
static __device__ inline void multiply_step(struct mma_sums *sums, const unsigned char *row, uint4 weight)
{
    uint32_t a[4];
    mma_load_a(a, row);
#pragma unroll
    for (int i = 0; ROUND && i < 4; i++)
        a[i] = __float_as_uint(tf32_round(__uint_as_float(a[i])));
    mma_multiply<S::PRECISION>(sums, a, weight);
}

/* With tensor cores: a warp has 16 columns, or several times 16, of every GROUPS-th 16 rows. Weights come several
 * steps of k at once. */
template <class S, class P, bool ROUND, class TO> static __device__ inline void multiply_warp(const P &p, const TO &to)
{
    constexpr int PAIRS = P::N / 16, GROUPS = S::WARPS > PAIRS ? S::WARPS / PAIRS : 1, ROUNDS = (P::ROW_N + 15) / 16;
    constexpr int MINE = (ROUNDS + GROUPS - 1) / GROUPS, STEPS = P::K * S::ELEMENT / 32, ALL = P::TAPS * STEPS;
    int lane = (int)threadIdx.x % 32, warp = (int)threadIdx.x / 32, group = warp / PAIRS;
#pragma unroll 1
    for (int pair = warp % PAIRS; pair < PAIRS; pair += S::WARPS) {
        const unsigned char *weight = p.weight + (pair * ALL * 32 + lane) * 16;
        struct mma_sums sums[MINE];
#pragma unroll
        for (int m = 0; m < MINE; m++)
            sums[m] = mma_begin(p.bias + pair * 16);
#pragma unroll 1
        for (int from = 0; from < ALL; from += S::AHEAD) {
            uint4 w[S::AHEAD];
#pragma unroll
            for (int i = 0; i < S::AHEAD; i++)
                w[i] = wide_load_constant<uint4>(weight + min(from + i, ALL - 1) * 32 * 16);
#pragma unroll
            for (int i = 0; i < S::AHEAD; i++) {
                int step = from + i, at = (step / STEPS - P::TAPS / 2) * S::STRIDE + step % STEPS * 32 + lane / 16 * 16;
#pragma unroll
                for (int m = 0; m < MINE; m++)
                    if (step < ALL && group + m * GROUPS < ROUNDS)
                        multiply_step<S, ROUND>(&sums[m], row_of<S>(p, (group + m * GROUPS) * 16 + lane % 16) + at,
                                                w[i]);
            }
        }
#pragma unroll
        for (int m = 0; m < MINE; m++)
            mma_put(&sums[m], P::ROW + (group + m * GROUPS) * 16, P::ROW + P::ROW_N, pair * 16, to);
    }
}

template <class S, bool WHOLE, class P, class TO> static __device__ inline void multiply(const P &p, const TO &to)
{
    if constexpr (S::PRECISION == TENSOR_FP32)
        multiply_plain<S>(p, to);
    else
        multiply_warp<S, P, WHOLE && S::PRECISION == TENSOR_TF32>(p, to);
}

/* ---- the kernel ---- */

/* Rows of x into shared memory, zeros for bins outside of the sample. */
template <class S>
static __device__ inline void load_rows(const unsigned char *x, int first, int n_bin, unsigned char *to)
{
    constexpr int CHUNKS = S::ROW_BYTES / 16;
#pragma unroll 6
    for (int i = (int)threadIdx.x; i < S::ROWS * CHUNKS; i += S::THREADS) {
        int bin = first + i / CHUNKS;
        uint4 value = {0, 0, 0, 0};
        if (bin >= 0 && bin < n_bin)
            value = wide_load_constant<uint4>(x + (size_t)bin * S::ROW_BYTES + i % CHUNKS * 16);
        wide_store(to + i / CHUNKS * S::STRIDE + i % CHUNKS * 16, value);
    }
}

template <class S>
static __device__ inline void store_rows(const unsigned char *from, int first, int n_bin, unsigned char *y)
{
    constexpr int CHUNKS = S::ROW_BYTES / 16;
#pragma unroll 4
    for (int i = (int)threadIdx.x; i < S::TILE * CHUNKS; i += S::THREADS) {
        int row = HALO + i / CHUNKS;
        if (first + row >= n_bin) break;
        wide_store(y + (size_t)(first + row) * S::ROW_BYTES + i % CHUNKS * 16,
                   wide_load<uint4>(from + row * S::STRIDE + i % CHUNKS * 16));
    }
}

template <class S> static __global__ void __launch_bounds__(S::THREADS, S::BLOCKS) mscfm(struct mscfm_job job)
{
    typedef struct product<S, 0, S::ROWS, S::C, 1, S::R> reduce;
    typedef struct product<S, 1, S::ROWS - 2, S::R, MSCFM_TAPS, S::R> scale1;
    typedef struct product<S, 2, S::ROWS - 4, S::R, MSCFM_TAPS, S::R> scale2;
    typedef struct product<S, 3, S::ROWS - 6, S::R, MSCFM_TAPS, S::R> scale3;
    typedef struct product<S, HALO, S::TILE, S::C, 1, S::C> join;
    constexpr int SIDE = S::R * S::ELEMENT; /* from a column of f0 to the same of f1 */

    CUDA_DYNAMIC_SHARED(unsigned char, x);
    unsigned char *f = x + S::ROWS * S::STRIDE;
    const float *bias = static_cast<const float *>(job.weights);
    const unsigned char *weight = static_cast<const unsigned char *>(job.weights) + 2 * S::C * sizeof(float);
    size_t sample = (size_t)blockIdx.y * (size_t)job.n_bin * S::ROW_BYTES;
    int first = (int)blockIdx.x * S::TILE - HALO, n_bin = job.n_bin;

    load_rows<S>(static_cast<const unsigned char *>(job.x) + sample, first, n_bin, x);
    __syncthreads();
    multiply<S, true>(reduce{x, weight, bias}, to_f<S>{f, first, n_bin});
    weight += reduce::BYTES;
    __syncthreads();
    multiply<S, false>(scale1{f, weight, bias + S::R}, to_f<S>{f + SIDE, first, n_bin});
    weight += scale1::BYTES;
    __syncthreads();
    multiply<S, false>(scale2{f + SIDE, weight, bias + 2 * S::R}, to_f<S>{f + 2 * SIDE, first, n_bin});
    weight += scale2::BYTES;
    __syncthreads();
    multiply<S, false>(scale3{f + 2 * SIDE, weight, bias + 3 * S::R}, to_f<S>{f + 3 * SIDE, first, n_bin});
    weight += scale3::BYTES;
    __syncthreads();
    multiply<S, false>(join{f, weight, bias + S::C}, to_x<S>{x});
    __syncthreads();
    store_rows<S>(x, first, n_bin, static_cast<unsigned char *>(job.y) + sample);
}

/* ---- the C face ---- */

template <class S> static int launch(const struct mscfm_job *job, void *stream)
{
    int error = (int)cudaFuncSetAttribute(reinterpret_cast<const void *>(mscfm<S>),
                                          cudaFuncAttributeMaxDynamicSharedMemorySize, S::SHARED);
    if (error) return error;
    dim3 grid((unsigned)((job->n_bin + S::TILE - 1) / S::TILE), (unsigned)job->n_sample);
    return cuda_launch(mscfm<S>, grid, dim3(S::THREADS), S::SHARED, stream, *job);
}

struct choice {
    int precision, n_channel, tile;
    size_t shared;
    int (*launch)(const struct mscfm_job *, void *stream); /* NULL: no device has that much shared memory */
};

template <int PRECISION, int C, int TILE> static constexpr struct choice choice_of()
{
    typedef struct size<PRECISION, C, TILE> S;
    struct choice c = {PRECISION, C, TILE, S::SHARED, nullptr};
    if constexpr (S::SHARED <= SHARED_MOST) c.launch = launch<S>;
    return c;
}

#define TILES(PRECISION, C)                                                                                            \
    choice_of<PRECISION, C, 16>(), choice_of<PRECISION, C, 32>(), choice_of<PRECISION, C, 64>(),                       \
        choice_of<PRECISION, C, 128>()
#define CHANNELS(PRECISION) TILES(PRECISION, 64), TILES(PRECISION, 128), TILES(PRECISION, 256)
static const struct choice CHOICES[] = {CHANNELS(TENSOR_FP32), CHANNELS(TENSOR_TF32), CHANNELS(TENSOR_BF16)};

static const struct choice *find_choice(int n_channel, int precision, int tile)
{
    for (const struct choice &c : CHOICES)
        if (c.n_channel == n_channel && c.precision == precision && c.tile == tile) return &c;
    return nullptr;
}

int mscfm_tiles(int n_channel, enum tensor_precision precision, size_t shared_most, int ret_tile[MSCFM_TILE_N])
{
    int n = 0;
    for (const struct choice &c : CHOICES)
        if (c.n_channel == n_channel && c.precision == precision && c.launch && c.shared <= shared_most)
            ret_tile[n++] = c.tile;
    return n;
}

size_t mscfm_shared_bytes(int n_channel, enum tensor_precision precision, int tile)
{
    const struct choice *c = find_choice(n_channel, precision, tile);
    return c ? c->shared : 0;
}

int mscfm_cuda(const struct mscfm_job *job, void *stream)
{
    const struct choice *c = find_choice(job->n_channel, job->precision, job->tile);
    if (!c || !c->launch) return cudaErrorInvalidValue;
    if (job->n_bin < 1 || job->n_bin > 1 << 22 || job->n_sample < 1 || job->n_sample > 65535)
        return cudaErrorInvalidValue;
    return c->launch(job, stream);
}
