/* tensor_file: ONNX TensorProto files (.pb): golden vectors, a user's inputs and outputs. */
#ifndef BURST_NET_TENSOR_FILE_H
#define BURST_NET_TENSOR_FILE_H
#include "net/graph.h"

enum { TENSOR_FILE_MOST = 256 << 20 }; /* bytes */

/* Read a tensor.
 * Returned  *ret  its content is owned by it: tensor_fini
 * Errors    BURST_E_IO, BURST_E_LIMIT, BURST_E_TRUNCATED, BURST_E_FORMAT, BURST_E_NOMEM
 *           BURST_E_UNSUPPORTED  a type other than FLOAT, INT64, INT32, BOOL, or external data
 *           BURST_E_SHAPE        content and dimensions differ, or too many dimensions
 * Notes     Values need not be finite. */
enum burst_err tensor_read(const char *path, struct net_tensor *ret, struct burst_error *reterr);
/* Write a tensor, atomically. BURST_E_IO, BURST_E_NOMEM. */
enum burst_err tensor_write(const char *path, const struct net_tensor *t, struct burst_error *reterr);
/* Free what tensor_read made; leaves it all zeros, accepts that. */
void tensor_fini(struct net_tensor *t);
#endif
