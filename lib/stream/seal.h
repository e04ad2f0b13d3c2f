/* Seals: the hash chain of a topic and the Ed25519 signature over it. 96 bytes: h(n) then signature.
 * h(n) = BLAKE2b-256(h(n-1), topic, header, body), h(0) = 32 zero bytes; signature over "burst-seal-v1" + h(n).
 * Refuses nothing by itself: what a broken chain means is the subscriber's decision. Source: protocol.md 1. */
#ifndef BURST_STREAM_SEAL_H
#define BURST_STREAM_SEAL_H
#include "stream/frame.h"
#include <stdbool.h>

enum { SEAL_SECRET = 64, SEAL_PUBLIC = 32 }; /* bytes, libsodium's Ed25519 layout: secret = seed, public */

/* h(n) of the item after `previous`. Reads topic, header and body; ret_h may be previous. */
void seal_next(const uint8_t previous[STREAM_CHAIN], const struct stream_item *item, uint8_t ret_h[STREAM_CHAIN]);

/* The 96 bytes for `h`. secret NULL: the signature is 64 zero bytes. */
void seal_make(const uint8_t h[STREAM_CHAIN], const uint8_t *secret, uint8_t ret_seal[FRAME_SEAL]);

/* Whether the item's seal carries the chain value that follows `previous`. The item must have a seal. */
bool seal_follows(const uint8_t previous[STREAM_CHAIN], const struct stream_item *item);

/* Whether the seal's signature is by `public_key` over its own chain value. */
bool seal_signed_by(const uint8_t seal[FRAME_SEAL], const uint8_t public_key[SEAL_PUBLIC]);
#endif
