#include "stream/seal.h"
#include "base/hash.h"
#include <sodium.h>
#include <string.h>

static const char DOMAIN[] = "burst-seal-v1";
enum { DOMAIN_BYTES = sizeof DOMAIN - 1, SIGNED_BYTES = DOMAIN_BYTES + STREAM_CHAIN };

void seal_next(const uint8_t previous[STREAM_CHAIN], const struct stream_item *item, uint8_t ret_h[STREAM_CHAIN])
{
    struct hash_piece pieces[] = {{previous, STREAM_CHAIN},
                                  {item->topic, strlen(item->topic)},
                                  {item->header, FRAME_HEADER},
                                  {item->body, item->n_body}};
    uint8_t h[STREAM_CHAIN]; /* apart, because ret_h may be previous */
    hash_blake2b(pieces, 4, sizeof h, h);
    memcpy(ret_h, h, sizeof h);
}

static void signed_bytes(const uint8_t *h, uint8_t ret_bytes[SIGNED_BYTES])
{
    memcpy(ret_bytes, DOMAIN, DOMAIN_BYTES);
    memcpy(ret_bytes + DOMAIN_BYTES, h, STREAM_CHAIN);
}

void seal_make(const uint8_t h[STREAM_CHAIN], const uint8_t *secret, uint8_t ret_seal[FRAME_SEAL])
{
    memcpy(ret_seal, h, STREAM_CHAIN);
    memset(ret_seal + STREAM_CHAIN, 0, crypto_sign_BYTES);
    if (!secret) return;
    uint8_t bytes[SIGNED_BYTES];
    signed_bytes(h, bytes);
    (void)crypto_sign_detached(ret_seal + STREAM_CHAIN, NULL, bytes, sizeof bytes, secret); /* always 0: documented */
}

bool seal_follows(const uint8_t previous[STREAM_CHAIN], const struct stream_item *item)
{
    uint8_t h[STREAM_CHAIN];
    seal_next(previous, item, h);
    return memcmp(h, item->seal, sizeof h) == 0;
}

bool seal_signed_by(const uint8_t seal[FRAME_SEAL], const uint8_t public_key[SEAL_PUBLIC])
{
    uint8_t bytes[SIGNED_BYTES];
    signed_bytes(seal, bytes);
    return crypto_sign_verify_detached(seal + STREAM_CHAIN, bytes, sizeof bytes, public_key) == 0;
}
