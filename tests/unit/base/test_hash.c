/* SHA-256: published examples, and OpenSSL beside libsodium over lengths and pieces. */
#include "base/bytes.h"
#include "base/hash.h"
#include "check.h"
#include <sodium.h>
#include <stdlib.h>

static void hex_of(const struct hash_piece *pieces, size_t n, char ret_text[65])
{
    uint8_t digest[32];
    hash_sha256(pieces, n, digest);
    bytes_hex(digest, sizeof digest, ret_text);
}

/* NIST's examples for FIPS 180-4: "abc", nothing, 448 bits, 896 bits. */
TEST(published_examples_come_out)
{
    static const struct {
        const char *text, *digest;
    } EXAMPLE[] = {{"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
                   {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
                   {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
                    "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
                   {"abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmn"
                    "opqrstnopqrstu",
                    "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1"}};
    for (size_t i = 0; i < sizeof EXAMPLE / sizeof EXAMPLE[0]; i++) {
        char hex[65];
        hex_of(&(struct hash_piece){EXAMPLE[i].text, strlen(EXAMPLE[i].text)}, 1, hex);
        CHECK_STR(hex, EXAMPLE[i].digest);
    }
}

/* NIST: a million times "a". */
TEST(a_long_message_comes_out)
{
    size_t n = 1000000;
    char *text = malloc(n), hex[65];
    memset(text, 'a', n);
    hex_of(&(struct hash_piece){text, n}, 1, hex);
    CHECK_STR(hex, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
    free(text);
}

/* Every length around the block's edges, whole and in three pieces cut anywhere, empty ones too. */
TEST(lengths_and_pieces_give_what_libsodium_gives)
{
    enum { MOST = 300 };
    uint8_t text[MOST + 1], want[32], got[32];
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (uint8_t)(i * 167 + 13);
    for (size_t n = 0; n <= MOST; n++) {
        (void)crypto_hash_sha256(want, text + 1, n); /* text + 1: nothing may depend on alignment */
        for (size_t cut = 0; cut <= n; cut += 1 + n / 37) {
            size_t second = (n - cut) / 3;
            struct hash_piece pieces[3] = {
                {text + 1, cut}, {text + 1 + cut, second}, {text + 1 + cut + second, n - cut - second}};
            hash_sha256(pieces, 3, got);
            CHECK_SAY(memcmp(want, got, 32) == 0, "%zu bytes cut at %zu", n, cut);
        }
    }
}

int main(void)
{
    if (sodium_init() < 0) return 1;
    RUN(published_examples_come_out);
    RUN(a_long_message_comes_out);
    RUN(lengths_and_pieces_give_what_libsodium_gives);
    return check_report();
}
