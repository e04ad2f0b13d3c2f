/* BLAKE2b and SHA-256 through libsodium. */
#include "base/hash.h"
#include <assert.h>
#include <sodium.h>

void hash_blake2b(const struct hash_piece *pieces, size_t n_piece, size_t n_digest, uint8_t *ret_digest)
{
    assert(n_digest == 16 || n_digest == 32);
    crypto_generichash_state state;
    (void)crypto_generichash_init(&state, NULL, 0, n_digest); /* fails only for a wrong digest size */
    for (size_t i = 0; i < n_piece; i++)
        (void)crypto_generichash_update(&state, pieces[i].bytes, pieces[i].n); /* cannot fail */
    (void)crypto_generichash_final(&state, ret_digest, n_digest);              /* cannot fail before a second final */
}

void hash_sha256(const struct hash_piece *pieces, size_t n_piece, uint8_t ret_digest[32])
{
    crypto_hash_sha256_state state;
    (void)crypto_hash_sha256_init(&state); /* libsodium's SHA-256 calls always return 0 */
    for (size_t i = 0; i < n_piece; i++)
        (void)crypto_hash_sha256_update(&state, pieces[i].bytes, pieces[i].n);
    (void)crypto_hash_sha256_final(&state, ret_digest);
}
