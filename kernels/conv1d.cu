/* CUDA twin of conv1d.h: a block makes BINS bins of N channels of one sample. The bins of x that it needs, all their
 * channels, lie in shared memory; for stride 2 first every even one, then every odd one, so that a tap's rows are
 * neighbours for any stride. Weights come through the caches, several steps of k at once.
 *
 * Work of one output bin: n_tap n_in n_out multiplications and additions. 5 taps, 128 to 128 channels: 81,920, 164
 * kFLOP; 938 bins are 154 MFLOP, on an H200 (67, 495, 990 TFLOP/s by the data sheet) 2.3, 0.31, 0.16 us in FP32,
 * TF32, bfloat16; 256 samples 39.3 GFLOP, 587, 79, 40 us, over 246 MB (float; 57 us at the 4.3 TB/s of a copy) or 123
 * MB (bfloat16; 29 us). What mma.sync, not wgmma, can reach of the tensor cores' rate, and the weights that each
 * block reads (328 kB or 164 kB for all N), keep this kernel from that floor where batches are large: there cuDNN's
 * engines should be the faster ones. For one sample the small tiles are made: 16 bins of 32 channels are 236 blocks,
 * in which four warps share each 16 channels' sums and add their parts in a fixed order.
 *
 * Shared memory: rows of x, each n_in e bytes up to a multiple of 32, and 16, which keep eight rows in different
 * banks; e = 4 or 2. Registers of a thread for the four tiles, by ptxas 13.0 for sm_90: FP32 152, 96, 112, 122;
 * tensor cores 55, 55, 56, 118; no kernel spills, on sm_80 neither. */
#include "kernels/conv1d_cuda.h"
#include "kernels/cuda.h"
#include "kernels/mma.h"
#include "kernels/wide.h"

enum { THREADS = 256, WARPS = THREADS / 32 };
/* At the head of shared memory: where each step of k begins, 7 taps of 256 channels being 224 steps of 32 bytes. */
enum { STEP_MOST = CONV1D_TAP_MOST * CONV1D_CHANNEL_MOST / 8, HEAD_BYTES = 1024 };
static_assert(STEP_MOST * 4 <= HEAD_BYTES, "room for every step");

/* A tile: BINS x N outputs by ROWS x COLUMNS x PARTS warps; the parts of a warp's k are added up at the end. */
template <int PRECISION_, int BINS_, int N_, int ROWS_, int COLUMNS_> struct tile {
    static constexpr int PRECISION = PRECISION_, BINS = BINS_, N = N_;
    static constexpr int ROWS = ROWS_, COLUMNS = COLUMNS_, PARTS = WARPS / (ROWS * COLUMNS);
    static constexpr int HIGH = BINS / 16 / ROWS, WIDE = N / 16 / COLUMNS; /* 16 x 16 outputs of a warp */
    static constexpr int AHEAD = WIDE > 1 ? 2 : 4;                         /* steps of weights asked for at once */
    static constexpr int ELEMENT = PRECISION == TENSOR_BF16 ? 2 : 4;
    static constexpr int BLOCKS = PRECISION == TENSOR_FP32 && BINS < 64 ? 1 : 2; /* at once: bounds the registers */
    static constexpr int SUM_BYTES = (PARTS - 1) * BINS * N * 4;
};

/* What follows from the shape, worked out once on the host. */
struct geometry {
    int row_bytes; /* from one row of shared memory to the next */
    int n_row;     /* bins of x that a block needs */
    int half;      /* rows from the even ones to the odd ones, where stride is 2 */
    int n_step;    /* steps of k, 32 bytes, of one tap */
};

static __device__ inline float relu(float value)
{
    return value < 0 ? 0 : value;
}

/* Row of shared memory where bin `i` of those that the block needs lies. */
static __device__ inline int slot_of(const struct geometry &g, int stride, int i)
{
    return stride == 1 ? i : i % 2 * g.half + i / 2;
}

/* ---- where sums go ---- */

template <class T> struct to_y {
    const void *add;
    void *y; /* this sample's */
    int first, n_bin, n_out;
    bool relu_wanted;

    __device__ float2 load(size_t at) const
    {
        if (T::PRECISION != TENSOR_BF16) return wide_load_constant<float2>(static_cast<const float *>(add) + at);
        uint32_t pair = wide_load_constant<uint32_t>(static_cast<const uint16_t *>(add) + at);
        return {bf16_to_float((uint16_t)pair), bf16_to_float((uint16_t)(pair >> 16))};
    }

    __device__ void put(int row, int column, float2 sum) const
    {
        if (first + row >= n_bin || column >= n_out) return;
        size_t at = (size_t)(first + row) * (size_t)n_out + (size_t)column;
        if (add) {
            float2 residual = load(at);
            sum.x += residual.x, sum.y += residual.y;
        }
        if (relu_wanted) sum.x = relu(sum.x), sum.y = relu(sum.y);
        if (T::PRECISION == TENSOR_BF16)
            wide_store(static_cast<uint16_t *>(y) + at, mma_pair(sum.x, sum.y));
        else
            wide_store(static_cast<float *>(y) + at, sum);
    }
};

/* ---- x into shared memory ---- */

static __device__ inline uint4 round_four(uint4 v)
{
    v.x = __float_as_uint(tf32_round(__uint_as_float(v.x))), v.y = __float_as_uint(tf32_round(__uint_as_float(v.y)));
    v.z = __float_as_uint(tf32_round(__uint_as_float(v.z))), v.w = __float_as_uint(tf32_round(__uint_as_float(v.w)));
    return v;
}

/* Zeros for bins outside of the sample and for what fills a row up. */
template <class T>
static __device__ inline void load_rows(const struct conv1d_shape &s, const struct geometry &g, const unsigned char *x,
                                        int first, unsigned char *to)
{
    int full = s.n_in * T::ELEMENT / 16, n_chunk = (g.row_bytes - 16) / 16;
#pragma unroll 4
    for (int i = (int)threadIdx.x; i < g.n_row * n_chunk; i += THREADS) {
        int row = i / n_chunk, chunk = i % n_chunk, bin = first + row;
        uint4 value = {0, 0, 0, 0};
        if (bin >= 0 && bin < s.n_bin_in && chunk < full)
            value = wide_load_constant<uint4>(x + ((size_t)bin * (size_t)full + (size_t)chunk) * 16);
        if (T::PRECISION == TENSOR_TF32) value = round_four(value);
        wide_store(to + slot_of(g, s.stride, row) * g.row_bytes + chunk * 16, value);
    }
}

/* ---- products ---- */

/* One block's operands: rows in shared memory, the matrix, and the block's first channel of the output. */
struct operands {
    const unsigned char *rows, *weight;
    const float *bias;
    int column, n_column; /* n_column: of the matrix, a multiple of 16 */
};

/* Without tensor cores: a thread has 4 columns of every GROUPS-th row and adds in the order of matrix.h, 8 k to a
 * step. */
template <class T, class TO>
static __device__ inline void multiply_plain(const struct geometry &g, const struct operands &o, const int *at, int n_k,
                                             const TO &to)
{
    constexpr int QUADS = T::N / 4, GROUPS = THREADS / QUADS, MINE = (T::BINS + GROUPS - 1) / GROUPS;
    constexpr int AHEAD = wide_ahead(MINE);
    int group = (int)threadIdx.x / QUADS, column = o.column + (int)threadIdx.x % QUADS * 4;
    if (column >= o.n_column || group >= T::BINS) return;
    const unsigned char *weight = o.weight + (size_t)column * 4, *row = o.rows + group * g.row_bytes;
    float4 bias = wide_load_constant<float4>(o.bias + column), sum[MINE];
#pragma unroll
    for (int m = 0; m < MINE; m++)
        sum[m] = bias;
#pragma unroll 1
    for (int from = 0; from < n_k; from += AHEAD) {
        float4 w[AHEAD];
#pragma unroll
        for (int i = 0; i < AHEAD; i++)
            w[i] = wide_load_constant<float4>(weight + (size_t)min(from + i, n_k - 1) * (size_t)o.n_column * 4);
#pragma unroll
        for (int i = 0; i < AHEAD; i += 4) {
            int k = min(from + i, n_k - 4), begin = at[k / 8] + k % 8 * 4;
#pragma unroll
            for (int m = 0; m < MINE; m++)
                if (from + i < n_k)
                    wide_multiply(&sum[m], wide_load<float4>(row + m * GROUPS * g.row_bytes + begin), w + i);
        }
    }
#pragma unroll
    for (int m = 0; m < MINE; m++) {
        to.put(group + m * GROUPS, column, {sum[m].x, sum[m].y});
        to.put(group + m * GROUPS, column + 2, {sum[m].z, sum[m].w});
    }
}

/* A warp's place among the block's. */
template <class T> struct place {
    int lane, row, column, part; /* row and column of its first output */

    __device__ place()
    {
        int warp = (int)threadIdx.x / 32;
        lane = (int)threadIdx.x % 32;
        part = warp / (T::ROWS * T::COLUMNS);
        row = warp / T::COLUMNS % T::ROWS * T::HIGH * 16;
        column = warp % T::COLUMNS * T::WIDE * 16;
    }
};

/* Add what one step of k gives; `row` is the lane's part of the warp's first 16 rows. */
template <class T>
static __device__ inline void multiply_step(const unsigned char *row, int row_bytes, const uint4 w[T::WIDE],
                                            struct mma_sums sums[T::HIGH][T::WIDE])
{
#pragma unroll
    for (int m = 0; m < T::HIGH; m++) {
        uint32_t a[4];
        mma_load_a(a, row + m * 16 * row_bytes);
#pragma unroll
        for (int n = 0; n < T::WIDE; n++)
            mma_multiply<T::PRECISION>(&sums[m][n], a, w[n]);
    }
}

/* The steps of one part of k. `at` [steps]: where a step's 32 bytes begin in shared memory, for output row 0. */
template <class T>
static __device__ inline void multiply_part(const struct geometry &g, const struct operands &o, const int *at,
                                            int n_step, const struct place<T> &p,
                                            struct mma_sums sums[T::HIGH][T::WIDE])
{
    const unsigned char *row = o.rows + (p.row + p.lane % 16) * g.row_bytes + p.lane / 16 * 16;
    const unsigned char *weight[T::WIDE];
#pragma unroll
    for (int n = 0; n < T::WIDE; n++) { /* columns beyond the matrix repeat its last ones; nobody takes them */
        int sixteen = min(o.column + p.column + n * 16, o.n_column - 16) / 16;
        weight[n] = o.weight + ((size_t)sixteen * (size_t)n_step * 32 + (size_t)p.lane) * 16;
    }
#pragma unroll 1
    for (int from = p.part; from < n_step; from += T::AHEAD * T::PARTS) {
        uint4 w[T::AHEAD][T::WIDE];
#pragma unroll
        for (int i = 0; i < T::AHEAD; i++)
#pragma unroll
            for (int n = 0; n < T::WIDE; n++)
                w[i][n] = wide_load_constant<uint4>(weight[n] + min(from + i * T::PARTS, n_step - 1) * 32 * 16);
#pragma unroll
        for (int i = 0; i < T::AHEAD; i++) {
            int step = from + i * T::PARTS;
            if (step < n_step) multiply_step<T>(row + at[step], g.row_bytes, w[i], sums);
        }
    }
}

/* Sums of all parts but the first go through shared memory, and the first adds them in order. All threads come here. */
template <class T>
static __device__ inline void add_parts(unsigned char *shared, const struct place<T> &p,
                                        struct mma_sums sums[T::HIGH][T::WIDE])
{
    constexpr int QUADS = T::HIGH * T::WIDE * 2; /* a lane's sums, in fours */
    unsigned char *mine = shared + ((int)threadIdx.x % (T::ROWS * T::COLUMNS * 32)) * 16;
    constexpr int STEP = T::ROWS * T::COLUMNS * 32 * 16;
    __syncthreads(); /* the last rows have been read */
#pragma unroll
    for (int i = 0; i < QUADS; i++) {
        const float *d = sums[i / 2 / T::WIDE][i / 2 % T::WIDE].d[i % 2];
        if (p.part > 0) wide_store(mine + ((p.part - 1) * QUADS + i) * STEP, float4{d[0], d[1], d[2], d[3]});
    }
    __syncthreads();
#pragma unroll
    for (int part = 1; part < T::PARTS; part++)
#pragma unroll
        for (int i = 0; i < QUADS; i++) {
            float *d = sums[i / 2 / T::WIDE][i / 2 % T::WIDE].d[i % 2];
            if (p.part > 0) continue;
            float4 other = wide_load<float4>(mine + ((part - 1) * QUADS + i) * STEP);
            d[0] += other.x, d[1] += other.y, d[2] += other.z, d[3] += other.w;
        }
}

template <class T, class TO>
static __device__ inline void multiply_warps(const struct geometry &g, const struct operands &o, const int *at,
                                             int n_step, unsigned char *shared, const TO &to)
{
    const struct place<T> p;
    struct mma_sums sums[T::HIGH][T::WIDE];
#pragma unroll
    for (int n = 0; n < T::WIDE; n++) {
        struct mma_sums begin = {};
        int column = o.column + p.column + n * 16;
        if (p.part == 0 && column < o.n_column) begin = mma_begin(o.bias + column);
#pragma unroll
        for (int m = 0; m < T::HIGH; m++)
            sums[m][n] = begin;
    }
    multiply_part<T>(g, o, at, n_step, p, sums);
    if constexpr (T::PARTS > 1) add_parts<T>(shared, p, sums);
    if (p.part > 0) return;
#pragma unroll
    for (int m = 0; m < T::HIGH; m++)
#pragma unroll
        for (int n = 0; n < T::WIDE; n++)
            mma_put(&sums[m][n], p.row + m * 16, T::BINS, o.column + p.column + n * 16, to);
}

/* ---- the kernel ---- */

template <class T>
static __global__ void __launch_bounds__(THREADS, T::BLOCKS) conv1d(struct conv1d_job job, struct geometry g)
{
    CUDA_DYNAMIC_SHARED(unsigned char, shared);
    unsigned char *rows = shared + HEAD_BYTES;
    int *at = reinterpret_cast<int *>(shared);
    const struct conv1d_shape &s = job.shape;
    int first = (int)blockIdx.x * T::BINS, n_column = (s.n_out + 15) / 16 * 16, n_step = s.n_tap * g.n_step;
    size_t sample = blockIdx.z, in = (size_t)s.n_bin_in * (size_t)s.n_in, out = (size_t)s.n_bin_out * (size_t)s.n_out;
    const float *bias = static_cast<const float *>(job.weights);
    const struct operands o = {rows, reinterpret_cast<const unsigned char *>(bias + n_column), bias,
                               (int)blockIdx.y * T::N, n_column};
    const unsigned char *add = static_cast<const unsigned char *>(job.add);
    const struct to_y<T> to = {
        add ? add + sample *out *T::ELEMENT : nullptr,
            static_cast<unsigned char *>(job.y) + sample *out *T::ELEMENT, first, s.n_bin_out, s.n_out, job.relu
    };

    for (int i = (int)threadIdx.x; i < n_step; i += THREADS)
        at[i] = slot_of(g, s.stride, i / g.n_step) * g.row_bytes + i % g.n_step * 32;
    load_rows<T>(s, g, static_cast<const unsigned char *>(job.x) + sample * in * T::ELEMENT, first * s.stride - s.pad,
                 rows);
    __syncthreads();
    if constexpr (T::PRECISION == TENSOR_FP32)
        multiply_plain<T>(g, o, at, n_step * 8, to);
    else
        multiply_warps<T>(g, o, at, n_step, rows, to);
}

/* ---- the C face ---- */

template <class T> static size_t measure(const struct conv1d_shape *s, struct geometry *ret)
{
    int payload = (s->n_in * T::ELEMENT + 31) / 32 * 32, n_row = (T::BINS - 1) * s->stride + s->n_tap;
    *ret = {payload + 16, n_row, (n_row + 1) / 2, payload / 32};
    int bytes = (s->stride == 1 ? n_row : 2 * ret->half) * ret->row_bytes;
    int sum_bytes = T::PRECISION == TENSOR_FP32 ? 0 : T::SUM_BYTES;
    return HEAD_BYTES + (size_t)(bytes > sum_bytes ? bytes : sum_bytes);
}

template <class T> static int launch(const struct conv1d_job *job, void *stream)
{
    struct geometry g;
    const struct conv1d_shape *s = &job->shape;
    size_t shared = measure<T>(s, &g);
    int error = cuda_allow_shared(conv1d<T>);
    if (error) return error;
    dim3 grid((unsigned)((s->n_bin_out + T::BINS - 1) / T::BINS), (unsigned)((s->n_out + T::N - 1) / T::N),
              (unsigned)job->n_sample);
    return cuda_launch(conv1d<T>, grid, dim3(THREADS), shared, stream, *job, g);
}

struct choice {
    int bins, n;
    size_t (*measure)(const struct conv1d_shape *, struct geometry *);
    int (*launch)(const struct conv1d_job *, void *stream);
};

template <class T> static constexpr struct choice choice_of()
{
    return {T::BINS, T::N, measure<T>, launch<T>};
}

#define TILES(PRECISION)                                                                                               \
    {                                                                                                                  \
        choice_of<tile<PRECISION, 16, 32, 1, 2>>(), choice_of<tile<PRECISION, 32, 64, 1, 4>>(),                        \
            choice_of<tile<PRECISION, 64, 64, 2, 4>>(), choice_of<tile<PRECISION, 128, 128, 2, 4>>()                   \
    }
static const struct choice CHOICES[TENSOR_PRECISION_N][CONV1D_TILE_N] = {TILES(TENSOR_FP32), TILES(TENSOR_TF32),
                                                                         TILES(TENSOR_BF16)};

static const struct choice *choice_at(enum tensor_precision precision, int tile)
{
    return precision < TENSOR_PRECISION_N && tile >= 0 && tile < CONV1D_TILE_N ? &CHOICES[precision][tile] : nullptr;
}

size_t conv1d_shared_bytes(const struct conv1d_shape *s, enum tensor_precision precision, int tile)
{
    struct geometry g;
    const struct choice *c = choice_at(precision, tile);
    return c ? c->measure(s, &g) : 0;
}

void conv1d_tile_size(int tile, int *ret_bins, int *ret_channels)
{
    const struct choice *c = choice_at(TENSOR_FP32, tile); /* the same for all precisions */
    *ret_bins = c ? c->bins : 0;
    *ret_channels = c ? c->n : 0;
}

int conv1d_tiles(const struct conv1d_shape *s, enum tensor_precision precision, size_t shared_most,
                 int ret_tile[CONV1D_TILE_N])
{
    int n = 0;
    for (int tile = 0; conv1d_fits(s) && tile < CONV1D_TILE_N; tile++)
        if (conv1d_shared_bytes(s, precision, tile) <= shared_most) ret_tile[n++] = tile;
    return n;
}

int conv1d_cuda(const struct conv1d_job *job, void *stream)
{
    const struct choice *c = choice_at(job->precision, job->tile);
    if (!c || !conv1d_fits(&job->shape) || job->n_sample < 1 || job->n_sample > 65535) return cudaErrorInvalidValue;
    return c->launch(job, stream);
}
