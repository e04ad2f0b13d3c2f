/* TensorProto through protobuf-c, content in raw_data when written. */
#include "net/tensor_file.h"
#include "base/bytes.h"
#include "net/onnx_scan.h"
#include "net/onnx_tensor.h"
#include <stdlib.h>
#include <string.h>

/* `what` is the file's name, for errors. */
static enum burst_err tensor_from(const Onnx__TensorProto *p, const char *what, struct net_tensor *ret,
                                  struct burst_error *reterr)
{
    struct net_tensor t = {0};
    int64_t n;
    enum burst_err err = onnx_tensor_measure(p, what, &t.dtype, &t.dims, &n, reterr);
    if (err) return err;
    const char *text = p->name ? p->name : "";
    size_t n_text = strlen(text) + 1;
    char *name = malloc(n_text);
    void *content = malloc((size_t)n * (t.dtype == NET_F32 ? sizeof(float) : sizeof(int64_t)) + 1);
    if (!name || !content) {
        free(name);
        free(content);
        return burst_fail(reterr, BURST_E_NOMEM, "%s: no memory for %lld elements", what, (long long)n);
    }
    memcpy(name, text, n_text);
    t.name = name;
    if (t.dtype == NET_F32)
        t.f32 = content;
    else
        t.i64 = content;
    onnx_tensor_copy(p, n, t.dtype == NET_F32 ? content : NULL, t.dtype == NET_I64 ? content : NULL);
    *ret = t;
    return BURST_OK;
}

enum burst_err tensor_read(const char *path, struct net_tensor *ret, struct burst_error *reterr)
{
    uint8_t *bytes;
    size_t n;
    struct onnx_budget budget;
    Onnx__TensorProto *p = NULL;
    enum burst_err err = bytes_read_file(path, TENSOR_FILE_MOST, &bytes, &n, reterr);
    if (err) return err;
    err = onnx_scan(bytes, n, SCAN_TENSOR, reterr);
    if (!err) {
        onnx_budget_init(&budget, n);
        p = onnx__tensor_proto__unpack(&budget.allocator, n, bytes);
        if (!p) err = onnx_budget_fail(&budget, "the tensor", reterr);
    }
    if (p) {
        err = tensor_from(p, "the tensor", ret, reterr);
        onnx__tensor_proto__free_unpacked(p, &budget.allocator);
    }
    free(bytes);
    return err ? burst_prefix(reterr, err, path) : BURST_OK;
}

enum burst_err tensor_write(const char *path, const struct net_tensor *t, struct burst_error *reterr)
{
    Onnx__TensorProto p = ONNX__TENSOR_PROTO__INIT;
    int64_t dims[NET_RANK_MAX];
    size_t n_element = (size_t)dims_count(&t->dims);
    memcpy(dims, t->dims.dim, sizeof dims);
    /* protobuf-c's fields are not const, but packing only reads them. */
    p.name = (char *)t->name;
    p.dims = dims;
    p.n_dims = (size_t)t->dims.rank;
    p.has_data_type = 1;
    p.data_type = t->dtype == NET_F32 ? ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT : ONNX__TENSOR_PROTO__DATA_TYPE__INT64;
    p.has_raw_data = 1;
    p.raw_data.data = t->dtype == NET_F32 ? (uint8_t *)t->f32 : (uint8_t *)t->i64;
    p.raw_data.len = n_element * (t->dtype == NET_F32 ? sizeof(float) : sizeof(int64_t));
    size_t n = onnx__tensor_proto__get_packed_size(&p);
    uint8_t *bytes = malloc(n ? n : 1);
    if (!bytes) return burst_fail(reterr, BURST_E_NOMEM, "%s: no memory for %zu bytes", path, n);
    (void)onnx__tensor_proto__pack(&p, bytes); /* returns n */
    enum burst_err err = bytes_write_file(path, bytes, n, reterr);
    free(bytes);
    return err;
}

void tensor_fini(struct net_tensor *t)
{
    free((char *)t->name);
    free((float *)t->f32);
    free((int64_t *)t->i64);
    *t = (struct net_tensor){0};
}
