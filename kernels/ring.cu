/* CUDA twin of ring.c. A window is one block: each count is read once, 16 bytes at a time, and kept in shared memory as the sum of
 * its atom and those below, so that any band is a difference of two; then a warp takes one band's sums, and all threads
 * write. At 5 atoms and 9 bands of 1,875 bins 37.5 kB are read and 60 kB (bfloat16) or 120 kB written for each window. */
#include "kernels/piece.h"
#include "kernels/ring_cuda.h"

enum { UPDATE_THREADS = 256, THREADS = 512, WARPS = THREADS / 32, SHARED_USUAL = 48 * 1024 };

/* ---- new bins ---- */

/* Numbers of a job are read once, whatever another process does with them meanwhile. */
static __device__ inline void update_read(const struct ring_update *from, struct ring_update *ret)
{
    static_assert(sizeof *from % sizeof(uint32_t) == 0, "whole words");
    const volatile uint32_t *word = reinterpret_cast<const uint32_t *>(from);
    if (threadIdx.x < sizeof *from / sizeof(uint32_t))
        reinterpret_cast<uint32_t *>(ret)[threadIdx.x] = word[threadIdx.x];
}

static __device__ inline int32_t bounded(int32_t n, int32_t most)
{
    return n < 0 ? 0 : n < most ? n : most;
}

static __device__ void update_windows(const struct ring_update_job &job)
{
    int32_t n = bounded(*static_cast<const volatile int32_t *>(&job.job->n_window), job.limits.n_window);
    for (int32_t i = (int32_t)threadIdx.x; i < n; i += UPDATE_THREADS) {
        const volatile struct ring_window *from = &job.job->window[i];
        struct ring_window w = {from->k_first, from->ring, 0};
        job.ret_window[i] = w;
    }
    if (threadIdx.x == 0) *job.ret_n_window = n;
}

static __global__ void update(const struct ring_update_job job)
{
    __shared__ struct ring_update u;
    __shared__ int32_t n_update;
    if (blockIdx.x == 0) update_windows(job);
    if (blockIdx.x >= (unsigned)job.limits.n_update) return;
    if (threadIdx.x == 0)
        n_update = bounded(*static_cast<const volatile int32_t *>(&job.job->n_update), job.limits.n_update);
    update_read(&job.job->update[blockIdx.x], &u);
    __syncthreads();
    if ((int)blockIdx.x >= n_update || !ring_update_fits(&u, &job.limits)) return;
    uint8_t *valid = job.rings.valid + (int64_t)u.ring * RING_BINS;
    for (int i = (int)threadIdx.x; u.clear && i < RING_BINS; i += UPDATE_THREADS)
        valid[i] = 0;
    __syncthreads();
    for (int32_t i = (int32_t)threadIdx.x; i < u.n_new; i += UPDATE_THREADS)
        valid[ring_place(u.from, i)] = job.valid[u.valid_at + (uint32_t)i];
    uint32_t *counts = job.rings.counts + (int64_t)u.ring * job.rings.n_atom * RING_BINS;
    for (int32_t i = (int32_t)threadIdx.x; i < u.n_new * job.rings.n_atom; i += UPDATE_THREADS)
        counts[i / u.n_new * RING_BINS + ring_place(u.from, i % u.n_new)] = job.counts[u.counts_at + (uint32_t)i];
}

int ring_update_cuda(const struct ring_update_job *job, void *stream)
{
    unsigned blocks = job->limits.n_update > 1 ? (unsigned)job->limits.n_update : 1u;
    return cuda_launch(update, blocks, UPDATE_THREADS, 0, stream, *job);
}

/* ---- windows ---- */

/* A window's bin t is element t + shift of a row, so that rows begin where the ring's 16 bytes do. */
static inline __device__ __host__ int row_groups(int n_bin)
{
    return (n_bin + 3 + 3) / 4;
}

/* What a block keeps of its job in shared memory, before the counts. */
struct bands {
    struct standardise_scale scale[RING_BAND_MOST];
    uint8_t first[RING_BAND_MOST], last[RING_BAND_MOST];
};

struct window {
    int n_bin, n_band, n_padded, groups, shift;
    struct bands *bands;
    uint32_t *below; /* [n_atom][4 * groups] counts of an atom and those below it; 0 where the bin is not valid */
    uint32_t *valid; /* [groups] four bins each: 1 in a byte where the bin is valid */
};

static __device__ inline uint32_t band_count(const struct window &w, int band, int at)
{
    int first = w.bands->first[band], last = w.bands->last[band], row = 4 * w.groups;
    if (last <= first) return 0;
    return w.below[(last - 1) * row + at] - (first ? w.below[(first - 1) * row + at] : 0);
}

/* The bytes of `valid` that are bins of the window, as 0 or 1. */
static __device__ inline uint32_t valid_bytes(uint32_t valid, int group, const struct window &w)
{
    uint32_t ret = 0;
#pragma unroll
    for (int i = 0; i < 4; i++) {
        int t = 4 * group + i - w.shift;
        bool is = (valid >> (8 * i) & 0xffu) && t >= 0 && t < w.n_bin;
        ret |= (uint32_t)is << (8 * i);
    }
    return ret;
}

static __device__ void window_read(const struct rings &rings, const struct ring_window &from, const struct window &w)
{
    const uint32_t *counts = rings.counts + (int64_t)from.ring * rings.n_atom * RING_BINS;
    const uint8_t *valid = rings.valid + (int64_t)from.ring * RING_BINS;
    int32_t place = ring_place(from.k_first, 0) - w.shift;
    for (int g = (int)threadIdx.x; g < w.groups; g += THREADS) {
        int32_t at = (place + 4 * g) & (RING_BINS - 1);
        uint32_t is = valid_bytes(wide_load<uint32_t>(valid + at), g, w);
        uint4 sum = {0, 0, 0, 0};
        w.valid[g] = is;
#pragma unroll 4
        for (int a = 0; a < rings.n_atom; a++) {
            uint4 c = wide_load<uint4>(counts + a * RING_BINS + at);
            sum.x += is & 1u ? c.x : 0;
            sum.y += is & 0x100u ? c.y : 0;
            sum.z += is & 0x10000u ? c.z : 0;
            sum.w += is & 0x1000000u ? c.w : 0;
            wide_store(w.below + (a * w.groups + g) * 4, sum);
        }
    }
}

static __device__ inline unsigned long long warp_sum(unsigned long long x)
{
#pragma unroll
    for (int half = 16; half; half /= 2)
        x += __shfl_down_sync(0xffffffffu, x, half);
    return x;
}

/* One band's scale by one warp. */
static __device__ void band_scale(const struct window &w, int band)
{
    unsigned long long n = 0, sum = 0, sum2 = 0; /* exact: counts up to 2^20 in 2,048 bins keep sum2 under 2^53 */
    for (int g = (int)threadIdx.x % 32; g < w.groups; g += 32) {
        n += (unsigned)__popc(w.valid[g]);
#pragma unroll
        for (int i = 0; i < 4; i++) {
            unsigned long long c = band_count(w, band, 4 * g + i);
            sum += c;
            sum2 += c * c;
        }
    }
    n = warp_sum(n);
    sum = warp_sum(sum);
    sum2 = warp_sum(sum2);
    if (threadIdx.x % 32 == 0) w.bands->scale[band] = standardise_scale_of(n, sum, (double)sum2);
}

template <bool BF16, int W> static __device__ void window_write(const struct window &w, int64_t first, void *ret)
{
    unsigned pieces = (unsigned)w.n_padded / W;
    for (unsigned i = threadIdx.x; i < (unsigned)w.n_bin * pieces; i += THREADS) {
        int t = (int)(i / pieces), channel = (int)(i % pieces) * W, at = t + w.shift;
        bool is = w.valid[at / 4] >> (at % 4 * 8) & 1u;
        struct piece<W> z;
#pragma unroll
        for (int e = 0; e < W; e++) {
            int band = channel + e;
            z.value[e] = 0;
            if (is && band < w.n_band) z.value[e] = standardise_one(band_count(w, band, at), w.bands->scale[band]);
        }
        piece_store<BF16, W>(ret, first + (int64_t)i * W, z);
    }
}

/* bytes[i]. Arguments that are indexed at run time would be copied to memory first; words that are shifted are not. */
static __device__ inline uint8_t byte_of(const uint8_t bytes[RING_BAND_MOST], unsigned i)
{
    uint64_t low, high;
    static_assert(RING_BAND_MOST == sizeof low + sizeof high, "two words");
    memcpy(&low, bytes, sizeof low);
    memcpy(&high, bytes + sizeof low, sizeof high);
    return (uint8_t)((i < 8 ? low : high) >> (i % 8 * 8));
}

template <bool BF16, int W> static __global__ void __launch_bounds__(THREADS) cut(const struct ring_window_job job)
{
    CUDA_DYNAMIC_SHARED(struct bands, bands);
    if ((int)blockIdx.x >= piece_samples(job.n, job.n_sample)) return;
    struct ring_window from = job.window[blockIdx.x];
    const struct ring_view &v = job.view;
    if (threadIdx.x < RING_BAND_MOST) {
        bands->first[threadIdx.x] = byte_of(v.first, threadIdx.x);
        bands->last[threadIdx.x] = byte_of(v.last, threadIdx.x);
    }
    struct window w = {v.n_bin, v.n_band, v.n_padded, row_groups(v.n_bin), ring_place(from.k_first, 0) % 4,
                       bands,   nullptr,  nullptr};
    w.below = reinterpret_cast<uint32_t *>(bands + 1);
    w.valid = w.below + job.rings.n_atom * 4 * w.groups;
    if (from.ring >= 0 && from.ring < job.rings.n_ring) {
        window_read(job.rings, from, w);
    } else {
        for (int g = (int)threadIdx.x; g < w.groups; g += THREADS)
            w.valid[g] = 0;
    }
    __syncthreads();
    for (int band = (int)threadIdx.x / 32; band < v.n_band; band += WARPS)
        band_scale(w, band);
    __syncthreads();
    window_write<BF16, W>(w, (int64_t)blockIdx.x * v.n_bin * v.n_padded, job.ret);
}

int ring_window_cuda(const struct ring_window_job *job, void *stream)
{
    const struct ring_view *v = &job->view;
    if (v->n_bin < 1 || v->n_bin > RING_BINS || v->n_band < 1 || v->n_band > RING_BAND_MOST ||
        v->n_band > v->n_padded || job->rings.n_atom < 1 || job->rings.n_atom > RING_ATOM_MOST)
        return (int)cudaErrorInvalidValue;
    bool whole = v->n_padded % piece_width(v->bf16) == 0;
    auto ring_cut_kernel = PIECE_KERNEL(cut, v->bf16, whole);
    size_t words = (size_t)row_groups(v->n_bin) * (4 * (size_t)job->rings.n_atom + 1);
    size_t shared = sizeof(struct bands) + words * sizeof(uint32_t);
    int error = shared > SHARED_USUAL ? cuda_allow_shared(ring_cut_kernel) : 0;
    return error ? error : cuda_launch(ring_cut_kernel, (unsigned)job->n_sample, THREADS, shared, stream, *job);
}
