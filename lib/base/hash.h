/* The two digests of the wire: BLAKE2b (libsodium) for chains and identities, SHA-256 (OpenSSL) for input bytes. */
#ifndef BURST_BASE_HASH_H
#define BURST_BASE_HASH_H
#include <stddef.h>
#include <stdint.h>

/* A piece of what is hashed; pieces are joined without separators. */
struct hash_piece {
    const void *bytes;
    size_t n;
};

/* BLAKE2b with a digest of 16 or 32 bytes over the pieces in order. */
void hash_blake2b(const struct hash_piece *pieces, size_t n_piece, size_t n_digest, uint8_t *ret_digest);

/* SHA-256 over the pieces in order. */
void hash_sha256(const struct hash_piece *pieces, size_t n_piece, uint8_t ret_digest[32]);
#endif
