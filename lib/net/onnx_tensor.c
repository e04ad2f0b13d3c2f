/* TensorProto keeps its numbers in raw_data (little-endian) or in a typed list; both are taken. */
#include "net/onnx_tensor.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Before each allocation its size, so that what is given back can be counted. */
enum { HEADER = 16 };

static void *budget_alloc(void *data, size_t size)
{
    struct onnx_budget *b = data;
    if (size > b->most || b->used > b->most - size) {
        b->refused = true;
        return NULL;
    }
    uint8_t *p = malloc(HEADER + size);
    if (!p) return NULL;
    memcpy(p, &size, sizeof size);
    b->used += size;
    return p + HEADER;
}

static void budget_free(void *data, void *pointer)
{
    if (!pointer) return;
    struct onnx_budget *b = data;
    uint8_t *p = (uint8_t *)pointer - HEADER;
    size_t size;
    memcpy(&size, p, sizeof size);
    b->used -= size;
    free(p);
}

void onnx_budget_init(struct onnx_budget *b, size_t n)
{
    *b = (struct onnx_budget){.most = 3 * n + ((size_t)16 << 20)};
    b->allocator = (ProtobufCAllocator){budget_alloc, budget_free, b};
}

enum burst_err onnx_budget_fail(const struct onnx_budget *b, const char *what, struct burst_error *reterr)
{
    if (b->refused) return burst_fail(reterr, BURST_E_LIMIT, "%s unpacks to more than %zu bytes", what, b->most);
    return burst_fail(reterr, BURST_E_FORMAT, "%s is not what ONNX's schema says", what);
}

static const char *const type_names[] = {"UNDEFINED", "FLOAT",  "UINT8",     "INT8",       "UINT16",  "INT16",
                                         "INT32",     "INT64",  "STRING",    "BOOL",       "FLOAT16", "DOUBLE",
                                         "UINT32",    "UINT64", "COMPLEX64", "COMPLEX128", "BFLOAT16"};

const char *onnx_type_name(int data_type)
{
    size_t n = sizeof type_names / sizeof type_names[0];
    return data_type >= 0 && (size_t)data_type < n ? type_names[data_type] : "unknown";
}

/* Bytes of one element in raw_data; 0 for a type we do not take. */
static size_t type_size(int data_type)
{
    switch (data_type) {
    case ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT:
    case ONNX__TENSOR_PROTO__DATA_TYPE__INT32: return 4;
    case ONNX__TENSOR_PROTO__DATA_TYPE__INT64: return 8;
    case ONNX__TENSOR_PROTO__DATA_TYPE__BOOL: return 1;
    default: return 0;
    }
}

static size_t listed(const Onnx__TensorProto *p)
{
    switch (p->data_type) {
    case ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT: return p->n_float_data;
    case ONNX__TENSOR_PROTO__DATA_TYPE__INT64: return p->n_int64_data;
    default: return p->n_int32_data;
    }
}

static enum burst_err tensor_dims(const Onnx__TensorProto *p, const char *what, struct net_dims *ret, int64_t *ret_n,
                                  struct burst_error *reterr)
{
    struct net_dims dims = {0};
    if (p->n_dims > NET_RANK_MAX)
        return burst_fail(reterr, BURST_E_SHAPE, "%s has %zu dimensions; at most %d are taken", what, p->n_dims,
                          NET_RANK_MAX);
    for (size_t i = 0; i < p->n_dims; i++)
        dims.dim[dims.rank++] = p->dims[i];
    enum burst_err err = dims_elements(&dims, ret_n, reterr);
    if (err) return burst_prefix(reterr, err, what);
    *ret = dims;
    return BURST_OK;
}

enum burst_err onnx_tensor_measure(const Onnx__TensorProto *p, const char *what, enum net_dtype *ret_dtype,
                                   struct net_dims *ret_dims, int64_t *ret_n, struct burst_error *reterr)
{
    struct net_dims dims;
    int64_t n;
    if (p->n_external_data || p->data_location == ONNX__TENSOR_PROTO__DATA_LOCATION__EXTERNAL)
        return burst_fail(reterr, BURST_E_UNSUPPORTED, "%s keeps its data in another file; save the model in one file",
                          what);
    if (p->segment) return burst_fail(reterr, BURST_E_UNSUPPORTED, "%s is a segment of a tensor", what);
    size_t size = type_size(p->data_type);
    if (!size)
        return burst_fail(reterr, BURST_E_UNSUPPORTED, "%s is of type %s; FLOAT, INT64, INT32 and BOOL are taken", what,
                          onnx_type_name(p->data_type));
    enum burst_err err = tensor_dims(p, what, &dims, &n, reterr);
    if (err) return err;
    size_t have = p->has_raw_data ? p->raw_data.len / size : listed(p);
    if (have != (size_t)n || (p->has_raw_data && p->raw_data.len % size))
        return burst_fail(reterr, BURST_E_SHAPE, "%s has %lld elements by its shape and %zu in its data", what,
                          (long long)n, have);
    *ret_dtype = p->data_type == ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT ? NET_F32 : NET_I64;
    *ret_dims = dims;
    *ret_n = n;
    return BURST_OK;
}

static void copy_raw(const Onnx__TensorProto *p, int64_t n, int64_t *ret)
{
    const uint8_t *raw = p->raw_data.data;
    for (int64_t i = 0; i < n; i++) {
        int32_t x = 0;
        if (p->data_type == ONNX__TENSOR_PROTO__DATA_TYPE__BOOL)
            x = raw[i] != 0;
        else
            memcpy(&x, raw + 4 * i, 4);
        ret[i] = x;
    }
}

void onnx_tensor_copy(const Onnx__TensorProto *p, int64_t n, float *ret_f32, int64_t *ret_i64)
{
    if (n == 0) return;
    if (ret_f32)
        memcpy(ret_f32, p->has_raw_data ? (const void *)p->raw_data.data : p->float_data, (size_t)n * 4);
    else if (p->data_type == ONNX__TENSOR_PROTO__DATA_TYPE__INT64)
        memcpy(ret_i64, p->has_raw_data ? (const void *)p->raw_data.data : p->int64_data, (size_t)n * 8);
    else if (p->has_raw_data)
        copy_raw(p, n, ret_i64);
    else
        for (int64_t i = 0; i < n; i++)
            ret_i64[i] = p->int32_data[i];
}
