/* event_bin with AVX2: a block of 32 rows is gathered into columns four and eight rows at a time. Where the processor or the
 * build has none of it, it says so. */
#include "kernels/event_bin.h"

#ifdef __x86_64__
#include <immintrin.h>
#define BLOCK_TARGET __attribute__((target("avx2,popcnt,bmi,bmi2")))

/* Columns of 32 rows, in their order. */
struct block_vectors {
    __m256d time[8];
    __m256i channel[2]; /* u16 */
    __m256i dead[4];    /* u32, units of EVENT_DEAD_NS */
};
typedef __m256i block_channel; /* that number in every lane */
typedef __m256i block_sum;     /* u64 */

#include "kernels/event_bin_blocks.h"

enum { ROTATE = 0x93, IN_TURN = 0xd8 }; /* lanes of 64 bits: 3 0 1 2; 0 2 1 3 */

/* Eight bytes of each of four rows. */
static BLOCK_INLINE __m256i load_four(const uint8_t *at, size_t width)
{
    __m128i a = _mm_loadl_epi64((const void *)at), b = _mm_loadl_epi64((const void *)(at + width));
    __m128i c = _mm_loadl_epi64((const void *)(at + 2 * width)), d = _mm_loadl_epi64((const void *)(at + 3 * width));
    return _mm256_set_m128i(_mm_unpacklo_epi64(c, d), _mm_unpacklo_epi64(a, b));
}

/* The times, and what they say of the order of the rows; ret_front: the times in front of each. */
static BLOCK_INLINE void load_times(struct block *b, const uint8_t *rows, size_t width, double before,
                                    __m256d ret_front[8])
{
    struct block_vectors *v = &b->v;
    const __m256i swap = _mm256_setr_epi8(7, 6, 5, 4, 3, 2, 1, 0, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0,
                                          15, 14, 13, 12, 11, 10, 9, 8);
    __m256d turned_before = _mm256_set1_pd(before), rises = _mm256_castsi256_pd(_mm256_set1_epi8(-1));
    b->same = 0;
    for (int i = 0; i < 8; i++) {
        __m256i bytes = load_four(rows + 4 * (size_t)i * width, width);
        v->time[i] = _mm256_castsi256_pd(_mm256_shuffle_epi8(bytes, swap));
        __m256d turned = _mm256_permute4x64_pd(v->time[i], ROTATE);
        ret_front[i] = _mm256_blend_pd(turned, turned_before, 1);
        rises = _mm256_and_pd(rises, _mm256_cmp_pd(v->time[i], ret_front[i], _CMP_GE_OQ));
        __m256d same = _mm256_cmp_pd(v->time[i], ret_front[i], _CMP_EQ_OQ);
        b->same |= (uint32_t)_mm256_movemask_pd(same) << 4 * i;
        turned_before = turned;
    }
    b->rising = _mm256_movemask_pd(rises) == 0xf;
}

/* Channels of 16 rows of 10 bytes: eight rows are five pieces of 16 bytes, and no channel lies in two. */
static BLOCK_INLINE __m256i plain_channels(const uint8_t *rows)
{
    static const int8_t words[5][16] = {{9, 8, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1},
                                        {-1, -1, 3, 2, 13, 12, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1},
                                        {-1, -1, -1, -1, -1, -1, 7, 6, -1, -1, -1, -1, -1, -1, -1, -1},
                                        {-1, -1, -1, -1, -1, -1, -1, -1, 1, 0, 11, 10, -1, -1, -1, -1},
                                        {-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, 5, 4, 15, 14}};
    __m256i sum = _mm256_setzero_si256();
    for (int i = 0; i < 5; i++) {
        __m256i piece = _mm256_loadu2_m128i((const void *)(rows + 80 + 16 * i), (const void *)(rows + 16 * i));
        __m256i pick = _mm256_broadcastsi128_si256(_mm_loadu_si128((const void *)words[i]));
        sum = _mm256_or_si256(sum, _mm256_shuffle_epi8(piece, pick));
    }
    return sum;
}

static BLOCK_INLINE void load_plain(struct block *b, const uint8_t *rows, double before)
{
    __m256d front[8];
    load_times(b, rows, PLAIN_ROW, before, front);
    b->v.channel[0] = plain_channels(rows);
    b->v.channel[1] = plain_channels(rows + 16 * PLAIN_ROW);
    for (int i = 0; i < 4; i++)
        b->v.dead[i] = _mm256_setzero_si256();
    b->sound = true;
    b->passes = UINT32_MAX;
    b->low = b->near = b->unsure = 0;
}

/* ---- two gains ---- */

enum {
    AT_GAIN = 8,
    AT_TYPE = 16,
    AT_FLAG = 24
}; /* bits of a rest: pair, gain, type, flag, and the dead time behind them */

/* What the bytes of a rest may be at most once the type has been taken out of its own. */
static BLOCK_INLINE __m256i rest_limits(const struct event_layout *l)
{
    uint64_t flag = (uint64_t)(unsigned)(l->flag_below - 1) << AT_FLAG;
    return _mm256_set1_epi64x((long long)(UINT64_C(0xffffffff000000ff) | UINT64_C(1) << AT_GAIN | flag));
}

/* Which of four lanes of 64 bits have none of some bits. */
static BLOCK_INLINE uint32_t lanes_without(__m256i x, __m256i bits)
{
    __m256i none = _mm256_cmpeq_epi64(_mm256_and_si256(x, bits), _mm256_setzero_si256());
    return (uint32_t)_mm256_movemask_pd(_mm256_castsi256_pd(none));
}

static BLOCK_INLINE void load_rests(struct block *b, const struct event_layout *l, const uint8_t *rows,
                                    __m256i ret_rest[8])
{
    const __m256i pick = _mm256_setr_epi8(6, 0, 5, 7, 4, 3, 2, 1, 14, 8, 13, 15, 12, 11, 10, 9, 6, 0, 5, 7, 4, 3, 2, 1,
                                          14, 8, 13, 15, 12, 11, 10, 9);
    __m256i type = _mm256_set1_epi64x((long long)l->type_is << AT_TYPE), limit = rest_limits(l);
    __m256i low = _mm256_set1_epi64x(INT64_C(0xff) << AT_GAIN), spoilt = _mm256_setzero_si256();
    __m256i passing = _mm256_set1_epi64x(INT64_C(0xff) << AT_TYPE | INT64_C(0xff) << AT_FLAG);
    b->passes = b->low = 0;
    for (int i = 0; i < 8; i++) {
        ret_rest[i] = _mm256_shuffle_epi8(load_four(rows + 4 * GAINS_ROW * i + 10, GAINS_ROW), pick);
        __m256i over = _mm256_subs_epu8(_mm256_xor_si256(ret_rest[i], type), limit);
        spoilt = _mm256_or_si256(spoilt, over);
        b->passes |= lanes_without(over, passing) << 4 * i;
        b->low |= (lanes_without(ret_rest[i], low) ^ 0xf) << 4 * i;
    }
    b->sound = lanes_without(spoilt, low) == 0xf;
}

/* Dead times of eight rows, in the upper halves of two vectors of four.
 * Returned  whether they are sound */
static BLOCK_INLINE bool load_dead(__m256i a, __m256i b, __m256 *ret_us, __m256i *ret_units)
{
    __m256d halves = _mm256_castps_pd(_mm256_shuffle_ps(_mm256_castsi256_ps(a), _mm256_castsi256_ps(b), 0xdd));
    __m256 us = _mm256_castpd_ps(_mm256_permute4x64_pd(halves, IN_TURN));
    __m256 sound = _mm256_and_ps(_mm256_cmp_ps(us, _mm256_setzero_ps(), _CMP_GE_OQ),
                                 _mm256_cmp_ps(us, _mm256_set1_ps(1e6f), _CMP_LE_OQ));
    *ret_us = us;
    *ret_units = _mm256_cvttps_epi32(_mm256_add_ps(_mm256_mul_ps(us, _mm256_set1_ps(10)), _mm256_set1_ps(0.5f)));
    return _mm256_movemask_ps(sound) == 0xff;
}

/* Of eight rows, those within the dead time of the row in front, and those for which single precision and times not yet
 * rounded to nanoseconds may say something else. */
static BLOCK_INLINE uint32_t find_near(const __m256d time[2], const __m256d front[2], __m256 dead, uint32_t *ret_unsure)
{
    const __m256d us = _mm256_set1_pd(1e6);
    __m128 low = _mm256_cvtpd_ps(_mm256_mul_pd(_mm256_sub_pd(time[0], front[0]), us));
    __m128 high = _mm256_cvtpd_ps(_mm256_mul_pd(_mm256_sub_pd(time[1], front[1]), us));
    __m256 over = _mm256_sub_ps(_mm256_set_m128(high, low), dead), sign = _mm256_set1_ps(-0.0f);
    __m256 slack = _mm256_add_ps(_mm256_mul_ps(dead, _mm256_set1_ps(1e-5f)), _mm256_set1_ps(0.01f));
    __m256 unsure = _mm256_cmp_ps(_mm256_andnot_ps(sign, over), slack, _CMP_NGT_UQ);
    *ret_unsure = (uint32_t)_mm256_movemask_ps(unsure);
    return (uint32_t)_mm256_movemask_ps(_mm256_cmp_ps(over, _mm256_setzero_ps(), _CMP_LE_OQ));
}

static BLOCK_INLINE __m256i gains_channels(const uint8_t *rows)
{
    const __m256i swap = _mm256_setr_epi16(0x0001, 0x0203, 0x0405, 0x0607, 0x0809, 0x0a0b, 0x0c0d, 0x0e0f, 0x0001,
                                           0x0203, 0x0405, 0x0607, 0x0809, 0x0a0b, 0x0c0d, 0x0e0f);
    uint16_t raw[16];
    for (int i = 0; i < 16; i++)
        memcpy(&raw[i], rows + GAINS_ROW * i + 8, 2);
    return _mm256_shuffle_epi8(_mm256_loadu_si256((const void *)raw), swap);
}

static BLOCK_INLINE void load_gains(struct block *b, const struct event_layout *l, const uint8_t *rows, double before)
{
    __m256d front[8];
    __m256i rest[8];
    __m256 turned_before = _mm256_setzero_ps();
    load_times(b, rows, GAINS_ROW, before, front);
    b->v.channel[0] = gains_channels(rows);
    b->v.channel[1] = gains_channels(rows + 16 * GAINS_ROW);
    load_rests(b, l, rows, rest);
    b->near = b->unsure = 0;
    for (int i = 0; i < 4; i++) {
        __m256 us, turned;
        uint32_t unsure;
        b->sound &= load_dead(rest[2 * i], rest[2 * i + 1], &us, &b->v.dead[i]);
        turned = _mm256_permutevar8x32_ps(us, _mm256_setr_epi32(7, 0, 1, 2, 3, 4, 5, 6));
        __m256 dead = _mm256_blend_ps(turned, turned_before, 1);
        b->near |= find_near(b->v.time + 2 * i, front + 2 * i, dead, &unsure) << 8 * i;
        b->unsure |= unsure << 8 * i;
        turned_before = turned;
    }
}

/* ---- what event_bin_blocks.h asks for ---- */

static BLOCK_INLINE void block_load(struct block *b, enum block_kind kind, const struct event_layout *l,
                                    const uint8_t *rows, double before)
{
    if (kind == BLOCK_PLAIN)
        load_plain(b, rows, before);
    else
        load_gains(b, l, rows, before);
}

static BLOCK_INLINE block_channel block_channel_of(unsigned channel)
{
    return _mm256_set1_epi16((short)channel);
}

static BLOCK_INLINE uint32_t block_from(const struct block_vectors *v, const block_channel *least)
{
    __m256i low = _mm256_cmpeq_epi16(_mm256_max_epu16(v->channel[0], *least), v->channel[0]);
    __m256i high = _mm256_cmpeq_epi16(_mm256_max_epu16(v->channel[1], *least), v->channel[1]);
    return (uint32_t)_mm256_movemask_epi8(_mm256_permute4x64_epi64(_mm256_packs_epi16(low, high), IN_TURN));
}

static BLOCK_INLINE uint32_t block_before(const struct block_vectors *v, double end)
{
    uint32_t rows = 0;
    for (int i = 0; i < 8; i++)
        rows |= (uint32_t)_mm256_movemask_pd(_mm256_cmp_pd(v->time[i], _mm256_set1_pd(end), _CMP_LT_OQ)) << 4 * i;
    return rows;
}

static BLOCK_INLINE void block_dead(const struct block_vectors *v, uint32_t rows, block_sum *sum)
{
    const __m256i bit = _mm256_setr_epi32(1, 2, 4, 8, 16, 32, 64, 128);
    __m256i all = _mm256_setzero_si256();
    for (int i = 0; i < 4; i++) { /* 4e7 at most */
        __m256i mine = _mm256_and_si256(_mm256_set1_epi32((int)(rows >> 8 * i)), bit);
        all = _mm256_add_epi32(all, _mm256_and_si256(v->dead[i], _mm256_cmpeq_epi32(mine, bit)));
    }
    __m256i lower = _mm256_and_si256(all, _mm256_set1_epi64x(UINT32_MAX));
    *sum = _mm256_add_epi64(*sum, _mm256_add_epi64(lower, _mm256_srli_epi64(all, 32)));
}

static BLOCK_INLINE uint64_t block_total(const block_sum *sum)
{
    uint64_t lane[4];
    _mm256_storeu_si256((void *)lane, *sum);
    return lane[0] + lane[1] + lane[2] + lane[3];
}

event_bin_call *event_bin_avx2(void)
{
    bool has = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("popcnt") && __builtin_cpu_supports("bmi") &&
               __builtin_cpu_supports("bmi2");
    return has ? bin_stream : NULL;
}
#else
event_bin_call *event_bin_avx2(void)
{
    return NULL;
}
#endif
