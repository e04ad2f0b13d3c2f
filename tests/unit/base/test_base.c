/* Digests from Python's hashlib. */
#include "base/arena.h"
#include "base/bytes.h"
#include "base/hash.h"
#include "base/log.h"
#include "check.h"
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

TEST(every_error_code_has_a_name)
{
    for (int i = 0; i < BURST_E_N; i++)
        CHECK_SAY(strcmp(burst_err_name((enum burst_err)i), "unknown") != 0, "code %d", i);
    CHECK_STR(burst_err_name(BURST_E_N), "unknown");
    CHECK_STR(burst_err_name((enum burst_err) - 1), "unknown");
}

TEST(a_prefix_goes_before_the_sentence)
{
    struct burst_error e;
    CHECK_INT(burst_fail(&e, BURST_E_RANGE, "channel %d of %d", 5, 3), BURST_E_RANGE);
    CHECK_INT(burst_prefix(&e, BURST_E_RANGE, "EVENTS"), BURST_E_RANGE);
    CHECK_STR(e.text, "EVENTS: channel 5 of 3");
    CHECK_INT(burst_fail(NULL, BURST_E_IO, "nobody listens"), BURST_E_IO);
}

TEST(digests_are_those_of_hashlib)
{
    struct hash_piece pieces[2] = {{"bur", 3}, {"std", 3}};
    uint8_t digest[32];
    char hex[65];
    hash_blake2b(pieces, 2, 32, digest);
    bytes_hex(digest, 32, hex);
    CHECK_STR(hex, "645f826256e675564fa7d377cf6542ed76f622e91961ae45a19e791fd691003d");
    hash_blake2b(pieces, 2, 16, digest);
    bytes_hex(digest, 16, hex);
    CHECK_STR(hex, "e15b32f632717767e5a904574445c2ac");
    hash_sha256(pieces, 2, digest);
    bytes_hex(digest, 32, hex);
    CHECK_STR(hex, "e92949ea1fa9fa52dae87f5d76a9cc28c5751b9c070084a66cb2141a0022148d");
}

TEST(hexadecimal_goes_there_and_back)
{
    uint8_t bytes[3] = {9, 9, 9};
    struct burst_error e;
    CHECK_INT(bytes_unhex("00fFa5", 3, bytes, &e), BURST_OK);
    CHECK(bytes[0] == 0 && bytes[1] == 0xff && bytes[2] == 0xa5);
    CHECK_REFUSED(bytes_unhex("00ff", 3, bytes, &e), BURST_E_FORMAT, e, "4 hexadecimal digits, 6 expected");
    CHECK_REFUSED(bytes_unhex("00ffxz", 3, bytes, &e), BURST_E_FORMAT, e, "character 5");
    CHECK(bytes[2] == 0xa5);
    char text[37];
    uint8_t uuid[16] = {0x12, 0x34, 0x56, 0x78, 0x9a, 0xbc, 0xde, 0xf0, 0, 1, 2, 3, 4, 5, 6, 7};
    bytes_uuid_text(uuid, text);
    CHECK_STR(text, "12345678-9abc-def0-0001-020304050607");
}

TEST(integers_are_read_in_network_order)
{
    uint8_t b[8] = {0x40, 0x09, 0x21, 0xfb, 0x54, 0x44, 0x2d, 0x18};
    CHECK_INT(bytes_get_u16(b), 0x4009);
    CHECK_INT(bytes_get_u32(b), 0x400921fb);
    CHECK_NEAR(bytes_get_f64(b), 3.141592653589793, 0);
    uint8_t out[8];
    bytes_put_u64(out, bytes_get_u64(b));
    CHECK(memcmp(b, out, 8) == 0);
    bytes_put_u32(out, 0x400921fb);
    bytes_put_u16(out + 4, 0x5444);
    CHECK(memcmp(b, out, 6) == 0);
}

TEST(a_file_is_replaced_whole_and_read_back)
{
    char dir[] = "/tmp/burst-base-XXXXXX", path[64];
    CHECK(mkdtemp(dir) != NULL);
    (void)snprintf(path, sizeof path, "%s/f", dir);
    uint8_t *bytes = NULL;
    size_t n = 77;
    struct burst_error e;
    CHECK_REFUSED(bytes_read_file(path, 10, &bytes, &n, &e), BURST_E_IO, e, "No such file");
    CHECK_INT(bytes_write_file(path, (const uint8_t *)"old", 3, &e), BURST_OK);
    CHECK_INT(bytes_write_file(path, (const uint8_t *)"newer", 5, &e), BURST_OK);
    CHECK_REFUSED(bytes_read_file(path, 4, &bytes, &n, &e), BURST_E_LIMIT, e, "5 bytes, at most 4");
    CHECK(bytes == NULL && n == 77);
    CHECK_INT(bytes_read_file(path, 5, &bytes, &n, &e), BURST_OK);
    CHECK_INT(n, 5);
    CHECK_STR((char *)bytes, "newer");
    free(bytes);
    bytes = NULL;
    CHECK_REFUSED(bytes_read_file(dir, 5, &bytes, &n, &e), BURST_E_IO, e, "not a regular file");
    CHECK_INT(unlink(path), 0);
    CHECK_INT(rmdir(dir), 0);
    CHECK_REFUSED(bytes_write_file(path, (const uint8_t *)"x", 1, &e), BURST_E_IO, e, "No such file");
}

TEST(an_arena_gives_aligned_pieces_until_it_is_full)
{
    struct arena a;
    struct burst_error e;
    CHECK_INT(arena_init(&a, 200, &e), BURST_OK);
    CHECK_INT(a.size, 256);
    void *p = arena_take(&a, 3, 20), *q = arena_take(&a, 1, 1);
    CHECK(p && q && (uintptr_t)q % 64 == 0 && (uint8_t *)q - (uint8_t *)p == 64);
    CHECK(arena_take(&a, 0, 8) != NULL);
    CHECK(arena_take(&a, 129, 1) == NULL);
    CHECK(arena_take(&a, SIZE_MAX / 2, 3) == NULL);
    CHECK(arena_take(&a, SIZE_MAX, 1) == NULL);
    CHECK(arena_take(&a, 128, 1) != NULL);
    CHECK(arena_take(&a, 1, 1) == NULL);
    arena_reset(&a);
    CHECK_INT(a.high, 256);
    CHECK(arena_take(&a, 1, 1) == p);
    arena_fini(&a);
    arena_fini(&a);
}

TEST(a_forged_second_log_line_stays_on_one_line)
{
    int pipe_fd[2], saved = dup(STDERR_FILENO);
    CHECK_INT(pipe(pipe_fd), 0);
    CHECK(dup2(pipe_fd[1], STDERR_FILENO) >= 0);
    log_setup(LOG_LEVEL_INFO, 1);
    log_line(LOG_LEVEL_DEBUG, "unseen");
    log_line(LOG_LEVEL_WARNING, "bad topic=%s", "x\n<0>forged\x7f");
    CHECK(dup2(saved, STDERR_FILENO) >= 0);
    char text[128] = {0};
    CHECK(read(pipe_fd[0], text, sizeof text - 1) > 0);
    CHECK_STR(text, "<4>bad topic=x?<0>forged?\n");
    (void)close(saved), (void)close(pipe_fd[0]), (void)close(pipe_fd[1]);
    log_setup(LOG_LEVEL_INFO, 0);
}

int main(void)
{
    RUN(every_error_code_has_a_name);
    RUN(a_prefix_goes_before_the_sentence);
    RUN(digests_are_those_of_hashlib);
    RUN(hexadecimal_goes_there_and_back);
    RUN(integers_are_read_in_network_order);
    RUN(a_file_is_replaced_whole_and_read_back);
    RUN(an_arena_gives_aligned_pieces_until_it_is_full);
    RUN(a_forged_second_log_line_stays_on_one_line);
    return check_report();
}
