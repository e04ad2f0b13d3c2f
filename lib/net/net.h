/* net: the network runtime's front door. An ONNX file becomes a `struct net` that answers; nothing here knows astronomy.
 * Refuses, at opening and with one sentence, every file that it could not run exactly. */
#ifndef BURST_NET_NET_H
#define BURST_NET_NET_H
#include "net/backend.h"

struct net;

enum { NET_FILE_MOST = 256 << 20 }; /* bytes of an ONNX file */
#define NET_MEMORY_MOST ((size_t)1 << 30)

struct net_settings {
    enum net_backend_id backend;
    const struct net_backend *with; /* another backend than those of backend_of(); NULL: `backend` says which */
    void *engine;                   /* of `with`: lent until net_close; NULL: the network opens one of its own */
    int batch_most;                 /* samples in one net_run; 0 is 1 */
    const char *const *keep; /* [n_keep] tensor or node names that net_read shall give; folding leaves them alone */
    int n_keep;
    bool keep_all;                    /* keep every tensor, so nothing is folded: for parity, slow and large */
    const struct net_tensor *promote; /* [n_promote] inputs of these names become constants (ONNX's node tests) */
    int n_promote;
    int opset_least;    /* 0 is 11. ONNX's node tests of operators that never changed name opset 1 */
    size_t memory_most; /* bytes of weights, and of scratch and results; 0 is NET_MEMORY_MOST */
};

/* An input or output. */
struct net_port {
    const char *name;
    struct net_dims dims; /* of one sample: dim[0] is 1 where `batched`, and stands for N */
    bool batched;
    int64_t n_element; /* of one sample */
};

/* Open a network.
 *
 * Given     path      an .onnx file, or a folder with model.onnx
 *           settings  NULL: auto, batch of 1
 * Returned  *ret      to be closed with net_close
 * Errors    BURST_E_IO           the file cannot be read
 *           BURST_E_LIMIT        larger than a stated maximum
 *           BURST_E_TRUNCATED    the protobuf is cut short;  BURST_E_FORMAT  it is not a protobuf of ONNX
 *           BURST_E_UNSUPPORTED  operator, attribute, type, opset or IR version: named, with the node's name
 *           BURST_E_MISSING      a tensor that nothing provides;  BURST_E_CONFLICT  one that two things provide
 *           BURST_E_MODEL        nodes out of order or in a cycle, no nodes, no output
 *           BURST_E_SHAPE        shapes that do not fit;  BURST_E_RANGE  a weight that is not finite
 *           BURST_E_NOMEM */
enum burst_err net_open(const char *path, const struct net_settings *settings, struct net **ret,
                        struct burst_error *reterr);
/* The same from memory; `bytes` may go afterwards. */
enum burst_err net_open_bytes(const uint8_t *bytes, size_t n, const struct net_settings *settings, struct net **ret,
                              struct burst_error *reterr);
/* NULL is accepted. */
void net_close(struct net *net);

int net_n_input(const struct net *net);
int net_n_output(const struct net *net);
/* 0 <= i < the number above. Lives as long as the network. */
const struct net_port *net_input(const struct net *net, int i);
const struct net_port *net_output(const struct net *net, int i);

/* Run n samples through a network with one input and one output.
 *
 * Given     input  [n][elements of one input sample]; n from 1 to net_batch()
 * Returned  ret_output  [n][elements of one output sample]
 * Errors    BURST_E_SHAPE  n outside that range, or more than one input or output; ret_output untouched
 *           whatever the backend meets
 * Notes     Takes no memory. One thread at a time per network. */
enum burst_err net_run(struct net *net, const float *input, int n, float *ret_output, struct burst_error *reterr);
/* The same for any number of inputs and outputs, in the order of the file. */
enum burst_err net_run_ports(struct net *net, const float *const *input, int n, float *const *ret_output,
                             struct burst_error *reterr);
/* Most samples of one run. 1 for a network whose input has no free first dimension. */
int net_batch(const struct net *net);

/* A tensor of the last run, by its name or its node's: outputs, the feature map of net_head, and what settings.keep named.
 *
 * Given     n_ret    floats in ret, at least n x elements, n being the last run's
 * Returned  ret      [n][elements of one sample]; *ret_port (may be NULL) its shape
 * Errors    BURST_E_MISSING  no such tensor, or not kept (the text says which); BURST_E_STATE  nothing was run yet
 *           BURST_E_SHAPE    ret is too small; outputs untouched */
enum burst_err net_read(struct net *net, const char *name, float *ret, size_t n_ret, struct net_port *ret_port,
                        struct burst_error *reterr);

/* The dense layers behind the global average pooling (for Grad-CAM); read the feature map with net_read(net, ret->name).
 * Errors    BURST_E_UNSUPPORTED, with the reason, where the network does not end so
 * Notes     Pointers live as long as the network. */
enum burst_err net_head(const struct net *net, struct net_head *ret, struct burst_error *reterr);

/* What the backend made of the network (struct net_backend, compile): for what a backend offers beside running. */
void *net_code(struct net *net);

/* Value of a metadata_props key (JSON text for "burst." keys), or NULL. */
const char *net_meta(const struct net *net, const char *key);
/* How many keys there are; the i-th, 0 <= i < that number, in the order of the file. */
int net_n_meta(const struct net *net);
const char *net_meta_key(const struct net *net, int i);
/* SHA-256 of the file, hex; name of the backend that answers; "pytorch 1.13.1" or "". */
const char *net_sha256(const struct net *net);
const char *net_backend_name(const struct net *net);
const char *net_producer(const struct net *net);
int64_t net_opset(const struct net *net);
/* Floats in the initialisers; multiplications per sample; bytes of scratch and results. */
int64_t net_n_parameter(const struct net *net);
int64_t net_macs(const struct net *net);
size_t net_memory(const struct net *net);

/* What runs, step by step, for `burstctl model info`. */
struct net_step {
    const char *op;       /* "Conv+Add+Relu" */
    const char *name;     /* of the node it came from */
    struct net_dims dims; /* of its output */
    bool batched;
    int64_t n_parameter, macs;
};
int net_n_step(const struct net *net);
/* 0 <= i < net_n_step. */
void net_step(const struct net *net, int i, struct net_step *ret);
/* Operation i of the compiled network: the step it serves and what the backend calls it ("brgconv:avx512_core"). False, outputs
 * untouched, past the last. */
bool net_operation(const struct net *net, int i, int *ret_step, const char **ret_name);

/* Compare with the golden vectors beside a model: every folder test_data_set_N with input_0.pb ... and output_0.pb ...
 *
 * Given     folder     that holds the test_data_set_N folders
 *           tolerance  most |answer - golden| / max(1, |golden|)
 * Returned  *ret_n_set (>= 1) sets compared, *ret_worst the largest such error; both also when the answer is wrong
 * Errors    BURST_E_MISSING  no test_data_set_0; BURST_E_SHAPE  a golden tensor of another shape
 *           BURST_E_MODEL    an answer outside the tolerance: which set, where, both numbers
 *           those of net_tensor_read and net_run */
enum burst_err net_check(struct net *net, const char *folder, double tolerance, int *ret_n_set, double *ret_worst,
                         struct burst_error *reterr);
#endif
