/* .npy headers byte by byte, as numpy.lib.format describes version 1.0. */
#include "check.h"
#include "sim/npy.h"
#include <stdlib.h>
#include <unistd.h>

static char path[64];

static const char *fresh_path(void)
{
    (void)snprintf(path, sizeof path, "/tmp/burst-npy-XXXXXX");
    int fd = mkstemp(path);
    if (fd >= 0) (void)close(fd);
    return path;
}

TEST(header_is_128_bytes_of_version_one)
{
    const size_t shape[3] = {2, 9, 1875};
    char bytes[256] = {0};
    FILE *file = NULL;
    struct burst_error err;
    CHECK_INT(npy_open(fresh_path(), "<f4", shape, 3, &file, &err), BURST_OK);
    CHECK_INT(npy_close(file, path, &err), BURST_OK);
    file = fopen(path, "rb");
    CHECK_INT(fread(bytes, 1, sizeof bytes, file), 128);
    (void)fclose(file);
    CHECK(memcmp(bytes, "\x93NUMPY\x01\x00\x76\x00", 10) == 0);
    CHECK(strncmp(bytes + 10, "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 9, 1875,), }", 66) == 0);
    CHECK(bytes[127] == '\n');
    (void)unlink(path);
}

TEST(one_dimension_keeps_its_comma)
{
    const size_t shape[1] = {7};
    char bytes[129] = {0};
    FILE *file = NULL;
    CHECK_INT(npy_open(fresh_path(), "<i8", shape, 1, &file, NULL), BURST_OK);
    CHECK_INT(npy_close(file, path, NULL), BURST_OK);
    file = fopen(path, "rb");
    CHECK_INT(fread(bytes, 1, 128, file), 128);
    (void)fclose(file);
    CHECK(strstr(bytes + 10, "(7,)") != NULL);
    (void)unlink(path);
}

TEST(bad_shapes_and_places_are_refused)
{
    const size_t shape[5] = {1, 1, 1, 1, 1};
    FILE *file = NULL;
    struct burst_error err;
    CHECK_REFUSED(npy_open("/tmp/never", "<f4", shape, 5, &file, &err), BURST_E_SHAPE, err, "5 dimensions");
    CHECK_REFUSED(npy_open("/nowhere/at/all", "<f4", shape, 1, &file, &err), BURST_E_IO, err, "/nowhere/at/all");
    CHECK(file == NULL);
}

TEST(a_full_disk_is_told_at_the_end)
{
    const size_t shape[1] = {1};
    FILE *file = NULL;
    struct burst_error err;
    if (npy_open("/dev/full", "|u1", shape, 1, &file, &err) != BURST_OK) SKIP("no /dev/full here");
    CHECK_REFUSED(npy_close(file, "/dev/full", &err), BURST_E_IO, err, "/dev/full");
}

int main(void)
{
    RUN(header_is_128_bytes_of_version_one);
    RUN(one_dimension_keeps_its_comma);
    RUN(bad_shapes_and_places_are_refused);
    RUN(a_full_disk_is_told_at_the_end);
    return check_report();
}
