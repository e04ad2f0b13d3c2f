/* Four rounds at a time; the state lies as the instructions want it: A B E F in one register, C D G H in the other. */
#include "base/sha256_x86.h"

#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>
#include <stdatomic.h>

static const uint32_t K[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

static bool ask_processor(void)
{
    enum { SSSE3_SSE41 = 1 << 9 | 1 << 19, SHA = 1 << 29 };
    unsigned a, b, c, d;
    if (!__get_cpuid(1, &a, &b, &c, &d) || (c & SSSE3_SSE41) != SSSE3_SSE41) return false;
    return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & SHA) != 0;
}

/* The answer is kept, as libgcc keeps its own (which clang 14 does not know "sha" of): on a virtual machine the
 * question itself costs microseconds. Threads that ask at once write the same. */
bool sha256_x86_present(void)
{
    enum { UNKNOWN, ABSENT, PRESENT };
    static atomic_int answer = UNKNOWN;
    int known = atomic_load_explicit(&answer, memory_order_relaxed);
    if (known == UNKNOWN) {
        known = ask_processor() ? PRESENT : ABSENT;
        atomic_store_explicit(&answer, known, memory_order_relaxed);
    }
    return known == PRESENT;
}

/* Words 4i to 4i + 3 of the schedule are in w[i % 4]; from i = 4 on they come of the sixteen before. */
#define SCHEDULE(i)                                                                                                    \
    w[(i) % 4] = _mm_sha256msg2_epu32(_mm_add_epi32(_mm_sha256msg1_epu32(w[(i) % 4], w[((i) + 1) % 4]),                \
                                                    _mm_alignr_epi8(w[((i) + 3) % 4], w[((i) + 2) % 4], 4)),           \
                                      w[((i) + 3) % 4])
#define ROUNDS(i)                                                                                                      \
    do {                                                                                                               \
        __m128i k = _mm_add_epi32(w[(i) % 4], _mm_loadu_si128((const __m128i *)(const void *)&K[4 * (i)]));            \
        cdgh = _mm_sha256rnds2_epu32(cdgh, abef, k);                                                                   \
        abef = _mm_sha256rnds2_epu32(abef, cdgh, _mm_shuffle_epi32(k, 0x0E));                                          \
    } while (0)
#define LOAD(i) w[i] = _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)(const void *)(block + 16 * (i))), order)
#define FOUR(i)                                                                                                        \
    do {                                                                                                               \
        SCHEDULE(i);                                                                                                   \
        ROUNDS(i);                                                                                                     \
    } while (0)

__attribute__((target("sha,sse4.1,ssse3"))) void sha256_x86_blocks(uint32_t state[8], const uint8_t *block, size_t n)
{
    const __m128i order = _mm_set_epi64x(0x0c0d0e0f08090a0bLL, 0x0405060700010203LL);
    __m128i low = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)(const void *)state), 0xB1);
    __m128i high = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)(const void *)(state + 4)), 0x1B);
    __m128i abef = _mm_alignr_epi8(low, high, 8), cdgh = _mm_blend_epi16(high, low, 0xF0);
    for (; n; n--, block += 64) {
        __m128i w[4], abef_before = abef, cdgh_before = cdgh;
        LOAD(0);
        LOAD(1);
        LOAD(2);
        LOAD(3);
        ROUNDS(0);
        ROUNDS(1);
        ROUNDS(2);
        ROUNDS(3);
        FOUR(4);
        FOUR(5);
        FOUR(6);
        FOUR(7);
        FOUR(8);
        FOUR(9);
        FOUR(10);
        FOUR(11);
        FOUR(12);
        FOUR(13);
        FOUR(14);
        FOUR(15);
        abef = _mm_add_epi32(abef, abef_before);
        cdgh = _mm_add_epi32(cdgh, cdgh_before);
    }
    low = _mm_shuffle_epi32(abef, 0x1B);
    high = _mm_shuffle_epi32(cdgh, 0xB1);
    _mm_storeu_si128((__m128i *)(void *)state, _mm_blend_epi16(low, high, 0xF0));
    _mm_storeu_si128((__m128i *)(void *)(state + 4), _mm_alignr_epi8(high, low, 8));
}

#else

bool sha256_x86_present(void)
{
    return false;
}

void sha256_x86_blocks(uint32_t state[8], const uint8_t *block, size_t n)
{
    (void)state;
    (void)block;
    (void)n;
}

#endif
