/* What the programs that look at a GPU share: a device, rows of floats, a refusal with its sentence. */
#ifndef BURST_TESTS_GPU_COMMON_H
#define BURST_TESTS_GPU_COMMON_H
#include "base/bytes.h"
#include "net/cuda/cuda.h"
#include "net/net.h"
#include "net/tensor_file.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Exit status 3, as the other programs have it for a model that cannot be used. */
static inline int gpu_refuse(const struct burst_error *error)
{
    (void)fprintf(stderr, "%s\n", error->text);
    return 3;
}

/* A device in that precision; cache "" keeps no choice of engines. */
static inline enum burst_err gpu_open(const char *precision, const char *cache, struct cuda_engine **ret,
                                      struct burst_error *reterr)
{
    struct cuda_settings settings = {.cache_folder = cache[0] ? cache : NULL, .patience_ns = INT64_C(120000000000)};
    enum burst_err err = cuda_precision_parse(precision, &settings.precision, reterr);
    return err ? err : cuda_open(&settings, ret, reterr);
}

/* One line, tabs between: device, name, compute capability, driver, CUDA, cuDNN, multiprocessors, memory, precision. */
static inline void gpu_tell(const struct cuda_engine *engine)
{
    struct cuda_device_facts f;
    cuda_describe(engine, &f);
    printf("device\t%s\t%d\t%d\t%d\t%d\t%d\t%zu\t%s\n", f.name, f.sm, f.driver, f.runtime, f.cudnn, f.n_multiprocessor,
           f.memory_bytes, cuda_precision_name(f.precision));
}

struct gpu_rows {
    float *x; /* [n][n_element], malloc */
    int64_t n;
};

/* Rows of n_element floats: an ONNX tensor (.pb), or the bare floats of any other file. */
static inline enum burst_err gpu_rows_read(const char *path, int64_t n_element, struct gpu_rows *ret,
                                           struct burst_error *reterr)
{
    size_t n_path = strlen(path), n_float;
    float *x = NULL;
    if (n_path > 3 && strcmp(path + n_path - 3, ".pb") == 0) {
        struct net_tensor t = {0};
        enum burst_err err = tensor_read(path, &t, reterr);
        if (err) return err;
        n_float = t.dtype == NET_F32 ? (size_t)dims_count(&t.dims) : 0;
        x = malloc(n_float * sizeof *x + 1);
        if (x && n_float) memcpy(x, t.f32, n_float * sizeof *x);
        tensor_fini(&t);
    } else {
        uint8_t *bytes;
        size_t n;
        enum burst_err err = bytes_read_file(path, (size_t)2 << 30, &bytes, &n, reterr);
        if (err) return err;
        n_float = n / sizeof *x;
        x = (float *)(void *)bytes; /* from malloc, so aligned for a float */
    }
    if (!x) return burst_fail(reterr, BURST_E_NOMEM, "no memory for the rows of %.130s", path);
    if (!n_float || n_float % (size_t)n_element) {
        free(x);
        return burst_fail(reterr, BURST_E_SHAPE, "%.130s has %zu floats; a row takes %lld", path, n_float,
                          (long long)n_element);
    }
    *ret = (struct gpu_rows){x, (int64_t)(n_float / (size_t)n_element)};
    return BURST_OK;
}
#endif
