/* event_bin with AVX-512 VBMI: a block of 32 rows is turned from bytes of rows into columns by byte permutations. Where the
 * processor or the build has none of it, it says so. */
#include "kernels/event_bin.h"

#ifdef __x86_64__
#include <immintrin.h>
#define BLOCK_TARGET __attribute__((target("avx512f,avx512bw,avx512vl,avx512vbmi,popcnt,bmi,bmi2")))

/* Columns of 32 rows, in their order. */
struct block_vectors {
    __m512d time[4];
    __m512i channel; /* u16 */
    __m512i dead[2]; /* u32, units of EVENT_DEAD_NS */
};
typedef __m512i block_channel; /* that number in every lane */
typedef __m512i block_sum;     /* u64 */

#include "kernels/event_bin_blocks.h"

/* Bytes of a big-endian number at x, least first. */
#define BE2(x) (x) + 1, (x)
#define BE4(x) (x) + 3, (x) + 2, (x) + 1, (x)
#define BE8(x) (x) + 7, (x) + 6, (x) + 5, (x) + 4, (x) + 3, (x) + 2, (x) + 1, (x)
/* Eight rows of 10 bytes from x on. */
#define TIMES(x)                                                                                                       \
    BE8(x), BE8((x) + 10), BE8((x) + 20), BE8((x) + 30), BE8((x) + 40), BE8((x) + 50), BE8((x) + 60), BE8((x) + 70)
/* Times of eight rows of 10 bytes that begin 0, 16, 32, 48 bytes into two vectors. */
static const uint8_t plain_times[4][64] = {{TIMES(0)}, {TIMES(16)}, {TIMES(32)}, {TIMES(48)}};
/* Channel of row i, at byte 10 i + 8, in the one of five vectors that holds it. */
#define PLAIN(i) BE2((10 * (i) + 8) % 64)
static const uint8_t plain_channels[64] = {PLAIN(0),  PLAIN(1),  PLAIN(2),  PLAIN(3),  PLAIN(4),  PLAIN(5),  PLAIN(6),
                                           PLAIN(7),  PLAIN(8),  PLAIN(9),  PLAIN(10), PLAIN(11), PLAIN(12), PLAIN(13),
                                           PLAIN(14), PLAIN(15), PLAIN(16), PLAIN(17), PLAIN(18), PLAIN(19), PLAIN(20),
                                           PLAIN(21), PLAIN(22), PLAIN(23), PLAIN(24), PLAIN(25), PLAIN(26), PLAIN(27),
                                           PLAIN(28), PLAIN(29), PLAIN(30), PLAIN(31)};
/* Rows whose channel is in each of the five: 0-5, 6-11, 12-18, 19-24, 25-31. */
static const uint32_t plain_in[5] = {0x3f, 0xfc0, 0x7f000, 0x1f80000, 0xfe000000};

/* Something of eight rows of 18 bytes: four from x on in one vector, four in another that begins 72 bytes behind it. */
#define FOUR(of, x)  of(x), of((x) + 18), of((x) + 36), of((x) + 54)
#define EIGHT(of, x) FOUR(of, x), FOUR(of, (x) + 64)
/* Bytes 10 to 17 of a row, where the vector begins at its byte 8: pair, gain, type and flag, and the dead time behind them. */
#define REST(x) (x) + 8, (x) + 2, (x) + 7, (x) + 9, BE4((x) + 3)
static const uint8_t gains_times[64] = {EIGHT(BE8, 0)};
static const uint8_t gains_rests[64] = {EIGHT(REST, 0)};
static const uint8_t gains_channels[64] = {EIGHT(BE2, 0), EIGHT(BE2, 0), EIGHT(BE2, 0), EIGHT(BE2, 0)};
enum { AT_GAIN = 8, AT_TYPE = 16, AT_FLAG = 24 }; /* bits of a rest */

static BLOCK_INLINE uint32_t join(__mmask8 a, __mmask8 b, __mmask8 c, __mmask8 d)
{
    return (uint32_t)a | (uint32_t)b << 8 | (uint32_t)c << 16 | (uint32_t)d << 24;
}

/* What the times say of the order of the rows; ret_front: the times in front of each. */
static BLOCK_INLINE void load_order(struct block *b, double before, __m512d ret_front[4])
{
    const struct block_vectors *v = &b->v;
    __m512i front = _mm512_castpd_si512(_mm512_set1_pd(before));
    unsigned rises = 0xff;
    __mmask8 same[4];
    for (int i = 0; i < 4; i++) {
        __m512i here = _mm512_castpd_si512(v->time[i]);
        ret_front[i] = _mm512_castsi512_pd(_mm512_alignr_epi64(here, front, 7));
        rises &= _mm512_cmp_pd_mask(v->time[i], ret_front[i], _CMP_GE_OQ);
        same[i] = _mm512_cmp_pd_mask(v->time[i], ret_front[i], _CMP_EQ_OQ);
        front = here;
    }
    b->rising = rises == 0xff;
    b->same = join(same[0], same[1], same[2], same[3]);
}

static BLOCK_INLINE void load_plain(struct block *b, const uint8_t *rows, double before)
{
    __m512i z[5], channels = _mm512_loadu_si512(plain_channels), sum = _mm512_setzero_si512();
    __m512d front[4];
    for (int i = 0; i < 5; i++) {
        z[i] = _mm512_loadu_si512(rows + 64 * i);
        __m512i got = _mm512_permutexvar_epi8(channels, z[i]);
        sum = _mm512_mask_mov_epi16(sum, plain_in[i], got);
    }
    for (int i = 0; i < 4; i++)
        b->v.time[i] =
            _mm512_castsi512_pd(_mm512_permutex2var_epi8(z[i], _mm512_loadu_si512(plain_times[i]), z[i + 1]));
    b->v.channel = sum;
    load_order(b, before, front);
    b->sound = true;
    b->passes = UINT32_MAX;
    b->low = b->near = b->unsure = 0;
}

/* Dead times of 16 rows, in the upper halves of two vectors of eight.
 * Returned  whether they are sound */
static BLOCK_INLINE bool load_dead(__m512i a, __m512i b, __m512 *ret_us, __m512i *ret_units)
{
    const __m512i upper = _mm512_set_epi32(31, 29, 27, 25, 23, 21, 19, 17, 15, 13, 11, 9, 7, 5, 3, 1);
    __m512 us = _mm512_castsi512_ps(_mm512_permutex2var_epi32(a, upper, b));
    __mmask16 sound = _mm512_cmp_ps_mask(us, _mm512_setzero_ps(), _CMP_GE_OQ);
    sound = _mm512_mask_cmp_ps_mask(sound, us, _mm512_set1_ps(1e6f), _CMP_LE_OQ);
    *ret_us = us;
    *ret_units = _mm512_cvttps_epu32(_mm512_add_ps(_mm512_mul_ps(us, _mm512_set1_ps(10)), _mm512_set1_ps(0.5f)));
    return sound == 0xffff;
}

/* Of 16 rows, those within the dead time of the row in front, and those for which single precision and times not yet rounded
 * to nanoseconds may say something else. */
static BLOCK_INLINE __mmask16 find_near(const __m512d time[2], const __m512d front[2], __m512i dead_us,
                                        __mmask16 *ret_unsure)
{
    const __m512d us = _mm512_set1_pd(1e6);
    __m256 low = _mm512_cvtpd_ps(_mm512_mul_pd(_mm512_sub_pd(time[0], front[0]), us));
    __m256 high = _mm512_cvtpd_ps(_mm512_mul_pd(_mm512_sub_pd(time[1], front[1]), us));
    __m512d apart = _mm512_insertf64x4(_mm512_castpd256_pd512(_mm256_castps_pd(low)), _mm256_castps_pd(high), 1);
    __m512 dead = _mm512_castsi512_ps(dead_us), over = _mm512_sub_ps(_mm512_castpd_ps(apart), dead);
    __m512 slack = _mm512_add_ps(_mm512_mul_ps(dead, _mm512_set1_ps(1e-5f)), _mm512_set1_ps(0.01f));
    *ret_unsure = _mm512_cmp_ps_mask(_mm512_abs_ps(over), slack, _CMP_NGT_UQ);
    return _mm512_cmp_ps_mask(over, _mm512_setzero_ps(), _CMP_LE_OQ);
}

/* What the bytes of a rest may be at most once the type has been taken out of its own. */
static BLOCK_INLINE __m512i rest_limits(const struct event_layout *l)
{
    uint64_t flag = (uint64_t)(unsigned)(l->flag_below - 1) << AT_FLAG;
    return _mm512_set1_epi64((long long)(UINT64_C(0xffffffff000000ff) | UINT64_C(1) << AT_GAIN | flag));
}

static BLOCK_INLINE void load_rests(struct block *b, const struct event_layout *l, const __m512i rest[4])
{
    __m512i type = _mm512_set1_epi64((long long)l->type_is << AT_TYPE), limit = rest_limits(l);
    __m512i low = _mm512_set1_epi64(UINT64_C(0xff) << AT_GAIN), spoilt = _mm512_setzero_si512();
    __m512i passing = _mm512_set1_epi64((long long)(UINT64_C(0xff) << AT_TYPE | UINT64_C(0xff) << AT_FLAG));
    __mmask8 fails[4], lows[4];
    for (int i = 0; i < 4; i++) {
        __m512i over = _mm512_subs_epu8(_mm512_xor_si512(rest[i], type), limit);
        spoilt = _mm512_or_si512(spoilt, over);
        fails[i] = _mm512_test_epi64_mask(over, passing);
        lows[i] = _mm512_test_epi64_mask(rest[i], low);
    }
    b->passes = ~join(fails[0], fails[1], fails[2], fails[3]);
    b->low = join(lows[0], lows[1], lows[2], lows[3]);
    b->sound = !_mm512_test_epi64_mask(spoilt, low);
}

static BLOCK_INLINE void load_gains(struct block *b, const struct event_layout *l, const uint8_t *rows, double before)
{
    __m512i times = _mm512_loadu_si512(gains_times), rests = _mm512_loadu_si512(gains_rests);
    __m512i channels = _mm512_loadu_si512(gains_channels), rest[4];
    __m512d front[4];
    __m512 us[2];
    b->v.channel = _mm512_setzero_si512();
    for (int i = 0; i < 4; i++) { /* eight rows each */
        const uint8_t *at = rows + 8 * GAINS_ROW * i;
        b->v.time[i] =
            _mm512_castsi512_pd(_mm512_permutex2var_epi8(_mm512_loadu_si512(at), times, _mm512_loadu_si512(at + 72)));
        __m512i head = _mm512_loadu_si512(at + 8), tail = _mm512_loadu_si512(at + 80);
        rest[i] = _mm512_permutex2var_epi8(head, rests, tail);
        __m512i eight = _mm512_permutex2var_epi8(head, channels, tail);
        b->v.channel = _mm512_mask_mov_epi64(b->v.channel, (__mmask8)(3 << 2 * i), eight);
    }
    load_order(b, before, front);
    load_rests(b, l, rest);
    bool first = load_dead(rest[0], rest[1], &us[0], &b->v.dead[0]);
    bool second = load_dead(rest[2], rest[3], &us[1], &b->v.dead[1]);
    b->sound = b->sound && first && second;
    __mmask16 unsure[2];
    __m512i even = _mm512_alignr_epi32(_mm512_castps_si512(us[0]), _mm512_setzero_si512(), 15);
    __m512i odd = _mm512_alignr_epi32(_mm512_castps_si512(us[1]), _mm512_castps_si512(us[0]), 15);
    b->near = find_near(b->v.time, front, even, &unsure[0]);
    b->near |= (uint32_t)find_near(b->v.time + 2, front + 2, odd, &unsure[1]) << 16;
    b->unsure = (uint32_t)unsure[0] | (uint32_t)unsure[1] << 16;
}

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
    return _mm512_set1_epi16((short)channel);
}

static BLOCK_INLINE uint32_t block_from(const struct block_vectors *v, const block_channel *least)
{
    return _mm512_cmpge_epu16_mask(v->channel, *least);
}

static BLOCK_INLINE uint32_t block_before(const struct block_vectors *v, double end)
{
    __m512d e = _mm512_set1_pd(end);
    return join(_mm512_cmp_pd_mask(v->time[0], e, _CMP_LT_OQ), _mm512_cmp_pd_mask(v->time[1], e, _CMP_LT_OQ),
                _mm512_cmp_pd_mask(v->time[2], e, _CMP_LT_OQ), _mm512_cmp_pd_mask(v->time[3], e, _CMP_LT_OQ));
}

static BLOCK_INLINE void block_dead(const struct block_vectors *v, uint32_t rows, block_sum *sum)
{
    __m512i low = _mm512_maskz_mov_epi32((__mmask16)rows, v->dead[0]);
    __m512i both = _mm512_mask_add_epi32(low, (__mmask16)(rows >> 16), low, v->dead[1]); /* 2e7 each at most */
    __m512i lower = _mm512_and_si512(both, _mm512_set1_epi64(UINT32_MAX));
    *sum = _mm512_add_epi64(*sum, _mm512_add_epi64(lower, _mm512_srli_epi64(both, 32)));
}

static BLOCK_INLINE uint64_t block_total(const block_sum *sum)
{
    return (uint64_t)_mm512_reduce_add_epi64(*sum);
}

event_bin_call *event_bin_avx512(void)
{
    bool has = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
               __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512vbmi") &&
               __builtin_cpu_supports("popcnt") && __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2");
    return has ? bin_stream : NULL;
}
#else
event_bin_call *event_bin_avx512(void)
{
    return NULL;
}
#endif
