/* TensorProto files: written and read back; read as numpy and onnx wrote them; refused. */
#include "base/bytes.h"
#include "check.h"
#include "net/tensor_file.h"
#include <stdlib.h>
#include <unistd.h>

#define GOLDEN BURST_SOURCE_DIR "/tests/golden/net/"

static struct burst_error error;
static char path[64];

static void temporary(void)
{
    (void)snprintf(path, sizeof path, "/tmp/burst-tensor-XXXXXX");
    int fd = mkstemp(path);
    CHECK(fd >= 0);
    (void)close(fd); /* only its name is wanted */
}

static void put(const char *bytes, size_t n)
{
    temporary();
    CHECK_INT(bytes_write_file(path, (const uint8_t *)bytes, n, &error), BURST_OK);
}

TEST(floats_come_back)
{
    const float content[] = {1.5F, -0.0F, NAN, INFINITY, 1e-42F, 3};
    struct net_tensor t = {.name = "answer", .dims = {.rank = 2, .dim = {2, 3}}, .f32 = content}, got = {0};
    temporary();
    CHECK_INT(tensor_write(path, &t, &error), BURST_OK);
    CHECK_SAY(tensor_read(path, &got, &error) == BURST_OK, "%s", error.text);
    CHECK_STR(got.name, "answer");
    CHECK(got.dtype == NET_F32 && dims_equal(&got.dims, &t.dims) && !got.i64);
    CHECK(memcmp(got.f32, content, sizeof content) == 0);
    tensor_fini(&got);
    CHECK(!got.f32 && !got.name);
    tensor_fini(&got);
    (void)unlink(path);
}

TEST(integers_and_scalars_come_back)
{
    const int64_t content[] = {INT64_MIN};
    struct net_tensor t = {.name = "", .dtype = NET_I64, .i64 = content}, got = {0};
    temporary();
    CHECK_INT(tensor_write(path, &t, &error), BURST_OK);
    CHECK_INT(tensor_read(path, &got, &error), BURST_OK);
    CHECK(got.dtype == NET_I64 && got.dims.rank == 0 && got.i64[0] == INT64_MIN && !got.f32);
    tensor_fini(&got);
    (void)unlink(path);
}

TEST(files_of_the_onnx_package_are_read)
{
    struct net_tensor got = {0};
    CHECK_INT(tensor_read(GOLDEN "light_curve/test_data_set_0/input_0.pb", &got, &error), BURST_OK);
    CHECK_STR(got.name, "light_curve");
    CHECK(got.dims.rank == 3 && got.dims.dim[0] == 3 && got.dims.dim[1] == 9 && got.dims.dim[2] == 75);
    tensor_fini(&got);
}

/* A file of these bytes, and how it is refused. */
static void check_refused(const char *bytes, size_t n, enum burst_err code, const char *words)
{
    struct net_tensor got = {.name = "untouched"};
    put(bytes, n);
    CHECK_REFUSED(tensor_read(path, &got, &error), code, error, words);
    CHECK(strncmp(error.text, path, strlen(path)) == 0);
    CHECK_STR(got.name, "untouched");
    CHECK_INT(tensor_read(path, &got, NULL), code);
    (void)unlink(path);
}
#define REFUSED(bytes, code, words) check_refused(bytes, sizeof(bytes) - 1, code, words)

TEST(bad_files_are_refused)
{
    /* dims 2, FLOAT, raw_data ... */
    REFUSED("\x08\x02\x10\x01\x4a\x08\0\0\0\0\0\0\0", BURST_E_TRUNCATED, "cut short");
    REFUSED("\x08\x02\x10\x01\x4a\x07\0\0\0\0\0\0\0", BURST_E_SHAPE, "2 elements by its shape and 1");
    REFUSED("\x08\x02\x10\x0b\x4a\x10\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", BURST_E_UNSUPPORTED, "DOUBLE");
    REFUSED("\x08\x02\x10\x01\x70\x01", BURST_E_UNSUPPORTED, "another file");
    REFUSED("\x08\x02\x10\x01\x1a\x00", BURST_E_UNSUPPORTED, "segment");
    REFUSED("\x08\xff\xff\xff\xff\x7f\x10\x01", BURST_E_LIMIT, "at most");
    REFUSED("", BURST_E_UNSUPPORTED, "UNDEFINED");
    REFUSED("hello, this is text", BURST_E_FORMAT, "not an ONNX file");
}

TEST(a_file_that_is_not_there_is_an_io_error)
{
    struct net_tensor got = {0}, t = {.name = "", .f32 = (const float[]){1}};
    CHECK_REFUSED(tensor_read("/nowhere/x.pb", &got, &error), BURST_E_IO, error, "/nowhere/x.pb");
    CHECK_REFUSED(tensor_write("/nowhere/x.pb", &t, &error), BURST_E_IO, error, "/nowhere");
}

int main(void)
{
    RUN(floats_come_back);
    RUN(integers_and_scalars_come_back);
    RUN(files_of_the_onnx_package_are_read);
    RUN(bad_files_are_refused);
    RUN(a_file_that_is_not_there_is_an_io_error);
    return check_report();
}
