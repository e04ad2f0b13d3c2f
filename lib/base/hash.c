/* BLAKE2b and SHA-256 through libsodium; SHA-256 by the processor's own instructions where it has them. */
#include "base/hash.h"
#include "base/bytes.h"
#include "base/sha256_x86.h"
#include <assert.h>
#include <sodium.h>
#include <string.h>

void hash_blake2b(const struct hash_piece *pieces, size_t n_piece, size_t n_digest, uint8_t *ret_digest)
{
    assert(n_digest == 16 || n_digest == 32);
    crypto_generichash_state state;
    (void)crypto_generichash_init(&state, NULL, 0, n_digest); /* fails only for a wrong digest size */
    for (size_t i = 0; i < n_piece; i++)
        (void)crypto_generichash_update(&state, pieces[i].bytes, pieces[i].n); /* cannot fail */
    (void)crypto_generichash_final(&state, ret_digest, n_digest);              /* cannot fail before a second final */
}

static void sha256_sodium(const struct hash_piece *pieces, size_t n_piece, uint8_t ret_digest[32])
{
    crypto_hash_sha256_state state;
    (void)crypto_hash_sha256_init(&state); /* libsodium's SHA-256 calls always return 0 */
    for (size_t i = 0; i < n_piece; i++)
        (void)crypto_hash_sha256_update(&state, pieces[i].bytes, pieces[i].n);
    (void)crypto_hash_sha256_final(&state, ret_digest);
}

/* FIPS 180-4: whole blocks are taken from where they lie, what is left of a piece waits in `rest` for the next. */
static void sha256_processor(const struct hash_piece *pieces, size_t n_piece, uint8_t ret_digest[32])
{
    enum { BLOCK = 64, LENGTH_AT = 56 };
    uint32_t state[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                         0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
    uint8_t rest[2 * BLOCK];
    size_t n_rest = 0;
    uint64_t total = 0;
    for (size_t i = 0; i < n_piece; i++) {
        const uint8_t *p = pieces[i].bytes;
        size_t n = pieces[i].n;
        total += n;
        if (n_rest > 0) {
            size_t take = n < BLOCK - n_rest ? n : BLOCK - n_rest;
            if (take) memcpy(rest + n_rest, p, take);
            p += take;
            n -= take;
            n_rest += take;
            if (n_rest < BLOCK) continue;
            sha256_x86_blocks(state, rest, 1);
        }
        sha256_x86_blocks(state, p, n / BLOCK);
        n_rest = n % BLOCK;
        if (n_rest) memcpy(rest, p + n - n_rest, n_rest);
    }
    size_t n_end = n_rest < LENGTH_AT ? BLOCK : 2 * BLOCK;
    memset(rest + n_rest, 0, n_end - n_rest);
    rest[n_rest] = 0x80;
    bytes_put_u64(rest + n_end - 8, total * 8);
    sha256_x86_blocks(state, rest, n_end / BLOCK);
    for (size_t i = 0; i < 8; i++)
        bytes_put_u32(ret_digest + 4 * i, state[i]);
}

void hash_sha256(const struct hash_piece *pieces, size_t n_piece, uint8_t ret_digest[32])
{
    if (sha256_x86_present())
        sha256_processor(pieces, n_piece, ret_digest);
    else
        sha256_sodium(pieces, n_piece, ret_digest);
}
