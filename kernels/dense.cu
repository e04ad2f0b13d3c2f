/* CUDA twin of dense.c. The inputs are cut into slices, each block sums one slice for some outputs, and the last block to come joins
 * the slices in their order. Few rows: a warp reads two rows of weights, 16 bytes a lane, once for eight rows of x. Many rows:
 * tiles of 64 by 64 through shared memory.
 *
 * The image network's 12,544 x 128 layer: 6.4 MB of weights, 1.3 us at an H200's 4.8 TB/s (data sheet) where they do not stay in
 * its 50 MB of L2; 822 MFLOP at 256 rows, 12.3 us at 67 TFLOP/s. */
#include "kernels/dense_cuda.h"
#include "kernels/piece.h"
#include "kernels/pointwise.h"

enum { THREADS = 256, WARPS = THREADS / 32, SLICE = 512, ROWS = 8, OUTPUTS = 2, FEW = 32, TILE = 64, STEP = 16 };
enum { ROWS_MOST = 1024 /* of one launch: so many that the counters' room does not depend on the number of rows */ };

struct split {
    int slices, group_rows, group_outputs;  /* one block sums group_rows x group_outputs results of one slice */
    int64_t row, row_groups, output_groups; /* of one launch, its first row being `row` */
};

static int64_t parts_of(int64_t whole, int64_t part)
{
    return (whole + part - 1) / part;
}

static struct split split_of(const struct dense_job *job, int64_t row)
{
    bool few = job->n_sample <= FEW;
    int64_t rows = job->n_sample - row, most = ROWS_MOST;
    if (rows > most) rows = most;
    struct split c = {(int)parts_of(job->n_in, SLICE), few ? ROWS : TILE, few ? WARPS * OUTPUTS : TILE, row, 0, 0};
    c.row_groups = parts_of(rows, c.group_rows);
    c.output_groups = parts_of(job->n_out, c.group_outputs);
    return c;
}

/* The same for any number of rows, so that jobs of different sizes can share their work memory one after the other. */
static size_t counter_bytes(const struct dense_job *job)
{
    static_assert(FEW / ROWS * (TILE / (WARPS * OUTPUTS)) <= ROWS_MOST / TILE,
                  "few rows need no more counters than many");
    return (size_t)(ROWS_MOST / TILE * parts_of(job->n_out, TILE)) * sizeof(uint32_t);
}

size_t dense_cuda_work(const struct dense_job *job)
{
    return counter_bytes(job) +
           (size_t)parts_of(job->n_in, SLICE) * (size_t)job->n_sample * (size_t)job->n_out * sizeof(float);
}

/* What a block of either kernel works on. */
struct place {
    int64_t row, output, from, to; /* first result; slice of the inputs */
    int rows;                      /* rows wanted of the whole job */
    uint32_t *counter;
    float *part; /* [slices][n_sample][n_out] */
};

static __device__ inline struct place place_of(const struct dense_job &job, const struct split &c, size_t parts_at)
{
    struct place p = {
        c.row + (int64_t)blockIdx.z * c.group_rows, (int64_t)blockIdx.x * c.group_outputs, 0, 0, 0, nullptr, nullptr};
    p.from = (int64_t)blockIdx.y * SLICE;
    p.to = p.from + SLICE < job.n_in ? p.from + SLICE : job.n_in;
    p.rows = piece_samples(job.n, job.n_sample);
    p.counter = static_cast<uint32_t *>(job.work) + blockIdx.z * gridDim.x + blockIdx.x;
    p.part = reinterpret_cast<float *>(static_cast<unsigned char *>(job.work) + parts_at);
    return p;
}

static __device__ inline void part_put(const struct dense_job &job, const struct place &p, int64_t row, int64_t output,
                                       float sum)
{
    p.part[((int64_t)blockIdx.y * job.n_sample + row) * job.n_out + output] = sum;
}

/* After the block has put its parts: is it the last of its results? */
static __device__ inline bool is_last(const struct place &p)
{
    bool last = false;
    __threadfence();
    __syncthreads();
    if (threadIdx.x == 0) {
        last = atomicAdd(p.counter, 1u) == gridDim.y - 1;
        if (last) *p.counter = 0;
        __threadfence();
    }
    return __syncthreads_or(last);
}

static __device__ inline void result_put(const struct dense_job &job, const struct split &c, const struct place &p,
                                         int64_t row, int64_t output)
{
    const volatile float *part = p.part;
    int64_t at = row * job.n_out + output;
    float sum = 0;
#pragma unroll 8
    for (int s = 0; s < c.slices; s++)
        sum += part[(int64_t)s * job.n_sample * job.n_out + at];
    if (job.bias) sum += job.bias[output];
    if (job.add) sum += job.add[at];
    job.ret[at] = job.relu ? relu_one(sum) : sum;
}

static __device__ void join(const struct dense_job &job, const struct split &c, const struct place &p)
{
    if (!is_last(p)) return;
    for (int i = (int)threadIdx.x; i < c.group_rows * c.group_outputs; i += THREADS) {
        int64_t row = p.row + i / c.group_outputs, output = p.output + i % c.group_outputs;
        if (row < p.rows && output < job.n_out) result_put(job, c, p, row, output);
    }
}

/* Four elements of row `row` of a matrix [][n_in] from l on, zeros from `to` on. WHOLE: 4 divides n_in. */
template <bool BF16, bool WHOLE>
static __device__ inline float4 four(const void *at, int64_t n_in, int64_t row, int64_t l, int64_t to)
{
    float4 v = {0, 0, 0, 0};
    int64_t i = row * n_in + l;
    if (WHOLE && BF16) {
        if (l >= to) return v;
        uint2 x = wide_load<uint2>(static_cast<const uint16_t *>(at) + i);
        v.x = bf16_to_float((uint16_t)x.x), v.y = bf16_to_float((uint16_t)(x.x >> 16));
        v.z = bf16_to_float((uint16_t)x.y), v.w = bf16_to_float((uint16_t)(x.y >> 16));
        return v;
    }
    if (WHOLE) return l < to ? wide_load<float4>(static_cast<const float *>(at) + i) : v;
    if (l < to) v.x = layout_get(at, BF16, i);
    if (l + 1 < to) v.y = layout_get(at, BF16, i + 1);
    if (l + 2 < to) v.z = layout_get(at, BF16, i + 2);
    if (l + 3 < to) v.w = layout_get(at, BF16, i + 3);
    return v;
}

/* ---- few rows ---- */

static __device__ inline float dot_four(float4 a, float4 b, float sum)
{
    return fmaf(a.w, b.w, fmaf(a.z, b.z, fmaf(a.y, b.y, fmaf(a.x, b.x, sum))));
}

template <bool BF16, bool WHOLE, int N>
static __global__ void __launch_bounds__(THREADS, 2)
    few(const struct dense_job job, const struct split c, size_t parts_at)
{
    struct place p = place_of(job, c, parts_at);
    int lane = (int)threadIdx.x % 32;
    int64_t output = p.output + threadIdx.x / 32 * OUTPUTS;
    float sum[OUTPUTS][N];
#pragma unroll
    for (int i = 0; i < OUTPUTS * N; i++)
        sum[i / N][i % N] = 0;
#pragma unroll(N > 2 ? 1 : SLICE / 128)
    for (int64_t i = 0; i < SLICE / 128; i++) {
        int64_t l = p.from + 4 * (lane + 32 * i);
        if (output >= job.n_out) continue;
        float4 w[OUTPUTS];
#pragma unroll
        for (int j = 0; j < OUTPUTS; j++)
            w[j] = four<false, WHOLE>(job.weight, job.n_in, output + j < job.n_out ? output + j : output, l, p.to);
#pragma unroll
        for (int r = 0; r < N; r++) {
            int64_t row =
                p.row + r < job.n_sample ? p.row + r : p.row; /* past the end: the first again, and not kept */
            float4 x = four<BF16, WHOLE>(job.x, job.n_in, row, l, p.to);
#pragma unroll
            for (int j = 0; j < OUTPUTS; j++)
                sum[j][r] = dot_four(w[j], x, sum[j][r]);
        }
    }
#pragma unroll
    for (int half = 16; half; half /= 2)
#pragma unroll
        for (int i = 0; i < OUTPUTS * N; i++)
            sum[i / N][i % N] += __shfl_xor_sync(0xffffffffu, sum[i / N][i % N], half);
#pragma unroll
    for (int i = 0; i < OUTPUTS * N; i++)
        if (lane == i && output + i / N < job.n_out && p.row + i % N < p.rows)
            part_put(job, p, p.row + i % N, output + i / N, sum[i / N][i % N]);
    join(job, c, p);
}

/* ---- many rows ---- */

/* [step][row], [step][output]; the four more keep 16 bytes together and neighbours in different banks. */
struct tiles {
    float x[STEP][TILE + 4], w[STEP][TILE + 4];
};

static __device__ inline void tile_put(float to[STEP][TILE + 4], int row, int step, float4 v)
{
    to[step][row] = v.x;
    to[step + 1][row] = v.y;
    to[step + 2][row] = v.z;
    to[step + 3][row] = v.w;
}

/* What one thread brings to the next two tiles: a quarter of a row of each. */
struct quarter {
    float4 x, w;
};

template <bool BF16, bool WHOLE>
static __device__ inline struct quarter quarter_read(const struct dense_job &job, const struct place &p, int64_t l)
{
    int64_t i = threadIdx.x / 4, at = l + threadIdx.x % 4 * 4;
    struct quarter q = {{0, 0, 0, 0}, {0, 0, 0, 0}};
    if (p.row + i < job.n_sample) q.x = four<BF16, WHOLE>(job.x, job.n_in, p.row + i, at, p.to);
    if (p.output + i < job.n_out) q.w = four<false, WHOLE>(job.weight, job.n_in, p.output + i, at, p.to);
    return q;
}

static __device__ inline void products_add(const struct tiles *t, int row, int output, float sum[4][4])
{
#pragma unroll
    for (int k = 0; k < STEP; k++) {
        float4 x = wide_load<float4>(&t->x[k][row]), w = wide_load<float4>(&t->w[k][output]);
        const float a[4] = {x.x, x.y, x.z, x.w}, b[4] = {w.x, w.y, w.z, w.w};
#pragma unroll
        for (int i = 0; i < 16; i++)
            sum[i / 4][i % 4] = fmaf(a[i / 4], b[i % 4], sum[i / 4][i % 4]);
    }
}

template <bool BF16, bool WHOLE>
static __global__ void __launch_bounds__(THREADS)
    many(const struct dense_job job, const struct split c, size_t parts_at)
{
    CUDA_DYNAMIC_SHARED(struct tiles, t);
    struct place p = place_of(job, c, parts_at);
    int row = (int)threadIdx.x / 16 * 4, output = (int)threadIdx.x % 16 * 4;
    float sum[4][4];
    if (p.row >= p.rows) return;
#pragma unroll
    for (int i = 0; i < 16; i++)
        sum[i / 4][i % 4] = 0;
    struct quarter next = quarter_read<BF16, WHOLE>(job, p, p.from);
    for (int64_t l = p.from; l < p.to; l += STEP) {
        __syncthreads(); /* the tiles before were used */
        tile_put(t->x, (int)threadIdx.x / 4, (int)threadIdx.x % 4 * 4, next.x);
        tile_put(t->w, (int)threadIdx.x / 4, (int)threadIdx.x % 4 * 4, next.w);
        __syncthreads();
        next =
            quarter_read<BF16, WHOLE>(job, p, l + STEP); /* on its way while these are multiplied; zeros past the end */
        products_add(t, row, output, sum);
    }
#pragma unroll
    for (int i = 0; i < 16; i++)
        if (p.row + row + i / 4 < p.rows && p.output + output + i % 4 < job.n_out)
            part_put(job, p, p.row + row + i / 4, p.output + output + i % 4, sum[i / 4][i % 4]);
    join(job, c, p);
}

typedef void dense_kernel(const struct dense_job, const struct split, size_t);

template <bool BF16, bool WHOLE> static dense_kernel *kernel_of(const struct dense_job *job)
{
    if (job->n_sample > FEW) return many<BF16, WHOLE>;
    if (job->n_sample == 1) return few<BF16, WHOLE, 1>;
    if (job->n_sample == 2) return few<BF16, WHOLE, 2>;
    return job->n_sample <= 4 ? few<BF16, WHOLE, 4> : few<BF16, WHOLE, 8>;
}

int dense_cuda(const struct dense_job *job, void *stream)
{
    bool whole = job->n_in % 4 == 0;
    dense_kernel *dense_sum_kernel = job->bf16 ? (whole ? kernel_of<true, true>(job) : kernel_of<true, false>(job))
                                               : (whole ? kernel_of<false, true>(job) : kernel_of<false, false>(job));
    size_t shared = job->n_sample > FEW ? sizeof(struct tiles) : 0;
    int error = 0;
    for (int64_t row = 0; !error && row < job->n_sample; row += ROWS_MOST) {
        struct split c = split_of(job, row);
        dim3 grid((unsigned)c.output_groups, (unsigned)c.slices, (unsigned)c.row_groups);
        error = cuda_launch(dense_sum_kernel, grid, THREADS, shared, stream, *job, c, counter_bytes(job));
    }
    return error;
}
