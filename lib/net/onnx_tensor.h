/* onnx_tensor: the content of one TensorProto, for initialisers, attributes and .pb files alike. */
#ifndef BURST_NET_ONNX_TENSOR_H
#define BURST_NET_ONNX_TENSOR_H
#include "net/graph.h"
#include "onnx.pb-c.h"

/* What unpacking n bytes may allocate, and a protobuf allocator that keeps to it: a node of 2 bytes unpacks to 100. */
struct onnx_budget {
    ProtobufCAllocator allocator; /* to be given to the unpack and free functions */
    size_t used, most;
    bool refused; /* an allocation was refused because of `most` */
};
/* Notes     b must stay where it is while the allocator is in use. */
void onnx_budget_init(struct onnx_budget *b, size_t n);
/* Why an unpacking gave NULL: BURST_E_LIMIT or BURST_E_FORMAT. */
enum burst_err onnx_budget_fail(const struct onnx_budget *b, const char *what, struct burst_error *reterr);

/* "FLOAT16" ...; "type 77" is "unknown". Static. */
const char *onnx_type_name(int data_type);

/* Type, shape and number of elements, and that the content has as many.
 * Given     what  how errors name it: "initialiser w"
 * Errors    BURST_E_UNSUPPORTED  other types than FLOAT, INT64, INT32, BOOL; external or segmented data
 *           BURST_E_SHAPE        content and dimensions differ; more than NET_RANK_MAX dimensions
 *           BURST_E_LIMIT        more than NET_ELEMENTS_MAX */
enum burst_err onnx_tensor_measure(const Onnx__TensorProto *p, const char *what, enum net_dtype *ret_dtype,
                                   struct net_dims *ret_dims, int64_t *ret_n, struct burst_error *reterr);
/* The content of a measured tensor; one of the two is NULL, by its type. */
void onnx_tensor_copy(const Onnx__TensorProto *p, int64_t n, float *ret_f32, int64_t *ret_i64);
#endif
