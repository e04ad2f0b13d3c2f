/* Chains and signatures. The expected values were made by Python's hashlib.blake2b and PyNaCl's SigningKey(bytes(range(32))). */
#include "base/bytes.h"
#include "check.h"
#include "stream/seal.h"

static const char *const H_HEX[3] = {"fbd734b609f826cdcc487fd0a10d430711f13fc313e2944a310121f2746ea4ee",
                                     "e47191d45f02c44d7d2b7e8788d3f4e1bcf20aa7655deda59eb28700dabd11d2",
                                     "f7578744bd104fc56f64df40deda46b6bb2078e73a094809dae769eb565ac6b8"};
static const char *const SIGNATURE_HEX[3] = {"a9ded653f76b3b8c2b4b3d512b34040544c9394878d9ba8f16ad54a0ea6ed067fedd7167e"
                                             "8aefa976b8d78e1f0781120841f5b6745ee93a417b29"
                                             "0971f04520f",
                                             "72482bd9407b921f8aef83806e9ca12d2eb9592fde79937c957d2c4f4f1a93b8abc72a17f"
                                             "34b920175e4b66c4d84e40095b57cb53c7a2e14224b8"
                                             "f35923da70f",
                                             "9332e987c47dc9e819dd34ed94703e03835bb5c6cdfde5dd0ecee265d7055aff0a739c724"
                                             "e4f250ee206595d9fcd6154cd49808c877b80c662c31"
                                             "aff6d5b6807"};
static const char PUBLIC_HEX[] = "03a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8";

static uint8_t body3[1024], public_key[SEAL_PUBLIC], secret[SEAL_SECRET];

/* The three messages of the vectors: bodies "SIMPLE  =", empty, and 0..255 four times. */
static struct stream_item item_of(uint64_t seq)
{
    struct stream_item item = {.content = FRAME_FITS, .seq = seq, .sent_ns = 1700000000000000000 + (int64_t)seq};
    static const char topic[] = "burst.v1.fermi.gbm.events";
    memcpy(item.topic, topic, sizeof topic);
    for (uint8_t i = 0; i < STREAM_UUID; i++)
        item.stream[i] = i;
    for (size_t i = 0; i < sizeof body3; i++)
        body3[i] = (uint8_t)i;
    item.body = seq == 1 ? (const uint8_t *)"SIMPLE  =" : body3;
    item.n_body = seq == 1 ? 9 : seq == 2 ? 0 : sizeof body3;
    frame_pack_header(&item);
    return item;
}

static void keys(void)
{
    (void)bytes_unhex(PUBLIC_HEX, sizeof public_key, public_key, NULL);
    for (uint8_t i = 0; i < 32; i++)
        secret[i] = i;
    memcpy(secret + 32, public_key, 32);
}

TEST(the_chain_is_that_of_python)
{
    uint8_t h[STREAM_CHAIN] = {0};
    char text[2 * STREAM_CHAIN + 1];
    for (uint64_t seq = 1; seq <= 3; seq++) {
        struct stream_item item = item_of(seq);
        seal_next(h, &item, h); /* in place */
        bytes_hex(h, sizeof h, text);
        CHECK_STR(text, H_HEX[seq - 1]);
    }
}

TEST(the_signature_is_that_of_pynacl)
{
    for (int i = 0; i < 3; i++) {
        uint8_t h[STREAM_CHAIN], seal[FRAME_SEAL];
        char text[129];
        (void)bytes_unhex(H_HEX[i], sizeof h, h, NULL);
        seal_make(h, secret, seal);
        CHECK(memcmp(seal, h, sizeof h) == 0);
        bytes_hex(seal + STREAM_CHAIN, 64, text);
        CHECK_STR(text, SIGNATURE_HEX[i]);
        CHECK(seal_signed_by(seal, public_key));
    }
}

TEST(without_a_key_the_signature_is_zero)
{
    uint8_t h[STREAM_CHAIN], seal[FRAME_SEAL];
    memset(h, 0xff, sizeof h);
    seal_make(h, NULL, seal);
    for (int i = STREAM_CHAIN; i < FRAME_SEAL; i++)
        CHECK_INT(seal[i], 0);
    CHECK(!seal_signed_by(seal, public_key));
}

TEST(one_bit_anywhere_breaks_the_signature)
{
    uint8_t h[STREAM_CHAIN] = {1}, seal[FRAME_SEAL];
    seal_make(h, secret, seal);
    for (int i = 0; i < FRAME_SEAL; i += 5) {
        seal[i] ^= 4;
        CHECK(!seal_signed_by(seal, public_key));
        seal[i] ^= 4;
    }
    CHECK(seal_signed_by(seal, public_key));
}

TEST(a_message_follows_only_from_the_one_before)
{
    uint8_t zero[STREAM_CHAIN] = {0}, h1[STREAM_CHAIN], h2[STREAM_CHAIN], seal[FRAME_SEAL];
    struct stream_item one = item_of(1), two = item_of(2);
    seal_next(zero, &one, h1);
    seal_next(h1, &two, h2);
    seal_make(h2, NULL, seal);
    two.seal = seal;
    CHECK(seal_follows(h1, &two));
    CHECK(!seal_follows(zero, &two));
    two.body = (const uint8_t *)"x";
    two.n_body = 1;
    CHECK(!seal_follows(h1, &two)); /* other content */
    two = item_of(3);
    two.seal = seal;
    CHECK(!seal_follows(h1, &two)); /* other header */
}

int main(void)
{
    keys();
    RUN(the_chain_is_that_of_python);
    RUN(the_signature_is_that_of_pynacl);
    RUN(without_a_key_the_signature_is_zero);
    RUN(one_bit_anywhere_breaks_the_signature);
    RUN(a_message_follows_only_from_the_one_before);
    return check_report();
}
