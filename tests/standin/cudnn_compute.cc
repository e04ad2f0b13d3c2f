/* What the stand-in's engines compute. Operands are rounded as the engine's units would; sums are float, in an order that
 * the engine and its tile decide, so that two engines differ in the last bits as real ones do. */
#include "kernels/bf16.h"
#include "tests/standin/cudnn.h"
#include <algorithm>
#include <random>

/* The nearest value with 10 bits of mantissa, ties to the even one: what tensor cores take of a float. */
static float tf32_round(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    if ((bits & 0x7f800000u) == 0x7f800000u) return value;
    bits = (bits + 0xfffu + (bits >> 13 & 1u)) & ~0x1fffu;
    memcpy(&value, &bits, sizeof value);
    return value;
}

enum units { FLOAT_UNITS, TF32_UNITS, BF16_UNITS };

static enum units units_of(int64_t engine)
{
    for (cudnnBackendNumericalNote_t note : standin_engine(engine)->notes)
        if (note == CUDNN_NUMERICAL_NOTE_DOWN_CONVERT_INPUTS) return BF16_UNITS;
    for (cudnnBackendNumericalNote_t note : standin_engine(engine)->notes)
        if (note == CUDNN_NUMERICAL_NOTE_TENSOR_CORE) return TF32_UNITS;
    return FLOAT_UNITS;
}

static std::vector<float> read(const struct standin_tensor &t, const void *at, enum units units)
{
    size_t n = (size_t)(t.dim[0] * t.dim[1] * t.dim[2] * t.dim[3]);
    std::vector<float> values(n);
    if (t.type == CUDNN_DATA_BFLOAT16) {
        for (size_t i = 0; i < n; i++)
            values[i] = bf16_to_float(static_cast<const uint16_t *>(at)[i]);
        return values;
    }
    memcpy(values.data(), at, n * sizeof(float));
    for (size_t i = 0; units != FLOAT_UNITS && i < n; i++)
        values[i] = units == TF32_UNITS ? tf32_round(values[i]) : bf16_round(values[i]);
    return values;
}

struct tap { /* one position of the filter over one position of the answer */
    const float *x, *w;
};

/* Four filters over one position: sums of LANES interleaved parts, added at the end. `step` floats lie between filters. */
template <int LANES>
static inline __attribute__((always_inline)) void four_sums(const std::vector<struct tap> &taps, size_t n_channel,
                                                            size_t filter, size_t step, size_t n, float *ret)
{
    float sum[4][LANES] = {};
    for (const struct tap &t : taps) {
        const float *w[4];
        for (size_t k = 0; k < 4; k++)
            w[k] = t.w + (filter + (k < n ? k : 0)) * step;
        size_t c = 0;
        for (; c + LANES <= n_channel; c += LANES)
            for (size_t k = 0; k < 4; k++)
                for (size_t i = 0; i < LANES; i++)
                    sum[k][i] += t.x[c + i] * w[k][c + i];
        for (; c < n_channel; c++)
            for (size_t k = 0; k < 4; k++)
                sum[k][c % LANES] += t.x[c] * w[k][c];
    }
    for (size_t k = 0; k < n; k++) {
        ret[k] = 0;
        for (size_t i = 0; i < LANES; i++)
            ret[k] += sum[k][i];
    }
}

template <int LANES>
static inline __attribute__((always_inline)) void all_sums(const std::vector<struct tap> &taps, size_t n_channel,
                                                           size_t n_filter, size_t step, float *ret)
{
    for (size_t k = 0; k < n_filter; k += 4)
        four_sums<LANES>(taps, n_channel, k, step, std::min((size_t)4, n_filter - k), ret + k);
}

typedef void sums(const std::vector<struct tap> &taps, size_t n_channel, size_t n_filter, size_t step, float *ret);
static void sums_8(const std::vector<struct tap> &taps, size_t n_channel, size_t n_filter, size_t step, float *ret)
{
    all_sums<8>(taps, n_channel, n_filter, step, ret);
}
static void sums_16(const std::vector<struct tap> &taps, size_t n_channel, size_t n_filter, size_t step, float *ret)
{
    all_sums<16>(taps, n_channel, n_filter, step, ret);
}
#if defined(__x86_64__)
__attribute__((target("avx2"))) static void sums_8_avx2(const std::vector<struct tap> &taps, size_t n_channel,
                                                        size_t n_filter, size_t step, float *ret)
{
    all_sums<8>(taps, n_channel, n_filter, step, ret);
}
__attribute__((target("avx2"))) static void sums_16_avx2(const std::vector<struct tap> &taps, size_t n_channel,
                                                         size_t n_filter, size_t step, float *ret)
{
    all_sums<16>(taps, n_channel, n_filter, step, ret);
}
#endif

static sums *sums_of(const struct standin_config &config)
{
    bool wide = !config.knobs.empty() && config.knobs[0].type == CUDNN_KNOB_TYPE_TILE_SIZE && config.knobs[0].value;
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx2")) return wide ? sums_16_avx2 : sums_8_avx2;
#endif
    return wide ? sums_16 : sums_8;
}

/* The filter's positions that fall into the image, for the answer at (row, column) of image n. */
static void find_taps(const struct standin_graph &g, const float *x, const float *w, int64_t n, int64_t row,
                      int64_t column, std::vector<struct tap> *taps)
{
    int64_t channels = g.x.dim[1], height = g.x.dim[2], width = g.x.dim[3];
    taps->clear();
    for (int64_t r = 0; r < g.w.dim[2]; r++)
        for (int64_t s = 0; s < g.w.dim[3]; s++) {
            int64_t i = row * g.stride[0] - g.pad_begin[0] + r * g.dilation[0],
                    j = column * g.stride[1] - g.pad_begin[1] + s * g.dilation[1];
            if (i < 0 || i >= height || j < 0 || j >= width) continue;
            taps->push_back({x + ((n * height + i) * width + j) * channels, w + (r * g.w.dim[3] + s) * channels});
        }
}

struct follower { /* a step after the convolution, with its operand's address and strides (0 where it is repeated) */
    bool relu, bf16;
    const void *operand;
    int64_t stride[4];
};

static std::vector<struct follower> followers_of(const struct standin_graph &g, const std::map<int64_t, void *> &at)
{
    std::vector<struct follower> all;
    for (const struct standin_step &s : g.steps) {
        struct follower f = {s.mode == CUDNN_POINTWISE_RELU_FWD, s.operand.type == CUDNN_DATA_BFLOAT16, nullptr, {}};
        if (s.has_operand) f.operand = at.at(s.operand.id);
        for (size_t i = 0; f.operand && i < 4; i++)
            f.stride[i] = s.operand.dim[i] == 1 ? 0 : s.operand.stride[i];
        all.push_back(f);
    }
    return all;
}

/* What one step makes of the answer's channels at one position. */
static void follow(const struct follower &f, int64_t n, int64_t i, int64_t j, std::vector<float> *y)
{
    int64_t from = n * f.stride[0] + i * f.stride[2] + j * f.stride[3];
    for (size_t k = 0; f.operand && k < y->size(); k++) {
        size_t at = (size_t)(from + (int64_t)k * f.stride[1]);
        (*y)[k] += f.bf16 ? bf16_to_float(static_cast<const uint16_t *>(f.operand)[at])
                          : static_cast<const float *>(f.operand)[at];
    }
    for (size_t k = 0; f.relu && k < y->size(); k++)
        (*y)[k] = (*y)[k] > 0 || (*y)[k] != (*y)[k] ? (*y)[k] : 0.0f;
}

static void store(const struct standin_tensor &t, void *at, size_t to, const std::vector<float> &y)
{
    if (t.type == CUDNN_DATA_FLOAT) memcpy(static_cast<float *>(at) + to, y.data(), y.size() * sizeof(float));
    for (size_t k = 0; t.type == CUDNN_DATA_BFLOAT16 && k < y.size(); k++)
        static_cast<uint16_t *>(at)[to + k] = bf16_from_float(y[k]);
}

void standin_compute(const struct standin_graph &g, const struct standin_config &config,
                     const std::map<int64_t, void *> &at)
{
    static thread_local std::mt19937 order; /* of the engine whose sums come in another order each time */
    enum units units = units_of(config.engine);
    std::vector<float> x = read(g.x, at.at(g.x.id), units), w = read(g.w, at.at(g.w.id), units);
    int64_t filters = g.w.dim[0], height = g.y.dim[2], width = g.y.dim[3];
    std::vector<float> sum((size_t)filters);
    std::vector<struct tap> taps;
    std::vector<struct follower> followers = followers_of(g, at);
    sums *add = sums_of(config);
    bool wrong = units == TF32_UNITS && standin_engines_are("cores_wrong");
    bool shuffled = config.knobs.size() && config.knobs[0].type == CUDNN_KNOB_TYPE_SPLIT_K_SLC;
    for (int64_t n = 0; n < g.y.dim[0]; n++)
        for (int64_t i = 0; i < height; i++)
            for (int64_t j = 0; j < width; j++) {
                find_taps(g, x.data(), w.data(), n, i, j, &taps);
                if (shuffled) std::shuffle(taps.begin(), taps.end(), order);
                add(taps, (size_t)g.x.dim[1], (size_t)filters, (size_t)(g.x.dim[1] * g.w.dim[2] * g.w.dim[3]),
                    sum.data());
                for (const struct follower &f : followers)
                    follow(f, n, i, j, &sum);
                if (wrong && i == height - 1 && j == width - 1)
                    for (float &y : sum)
                        y += 1;
                store(g.y, at.at(g.y.id), (size_t)(((n * height + i) * width + j) * filters), sum);
            }
}
