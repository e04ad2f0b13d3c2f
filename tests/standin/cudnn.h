/* What the files of the stand-in's cuDNN share: descriptors as bags of attributes, the graph they describe, its engines.
 * What is refused, and with which status, follows cuDNN 9.19's own library, which answers every call on descriptors on a
 * machine without a device; where that is lenient (a child that is not finalised) this is not. The engines are invented,
 * after what 9.19 offers for Hopper when it is asked without a card (tests/unit/cudnn). */
#ifndef BURST_STANDIN_CUDNN_H
#define BURST_STANDIN_CUDNN_H
#include "tests/standin/runtime.h"
#include <cudnn.h>
#include <map>
#include <string.h>
#include <string>

struct standin_bag_state;
typedef std::shared_ptr<struct standin_bag_state> standin_bag;

struct standin_attribute {
    cudnnBackendAttributeType_t type;
    int64_t n;
    std::vector<unsigned char> bytes;
    std::vector<standin_bag> children; /* of TYPE_BACKEND_DESCRIPTOR */
};

struct standin_tensor {
    int64_t id, alignment;
    cudnnDataType_t type;
    bool is_virtual;
    std::vector<int64_t> dim, stride; /* n, c, h, w; channels last */
};

struct standin_step { /* what follows the convolution */
    cudnnPointwiseMode_t mode;
    bool has_operand;
    struct standin_tensor operand;
};

struct standin_graph {
    struct standin_tensor x, w, y;
    int64_t pad_begin[2], pad_end[2], stride[2], dilation[2];
    std::vector<struct standin_step> steps;
};

struct standin_knob {
    int type;
    int64_t value;
};

struct standin_config {
    int64_t engine;
    std::vector<struct standin_knob> knobs;
};

struct standin_bag_state {
    cudnnBackendDescriptorType_t type;
    bool final;
    std::map<int, struct standin_attribute> attribute;
    std::shared_ptr<const struct standin_graph> graph; /* of a finalised graph and of what is made for it */
    struct standin_config config;                      /* of a finalised engine, configuration or plan */
    std::vector<struct standin_config> offers;         /* of finalised heuristics */
};

struct cudnnContext {
    cudaStream_t stream;
};

struct standin_engine_facts {
    int64_t index;
    std::vector<cudnnBackendNumericalNote_t> notes;
    std::vector<struct standin_knob> knobs; /* with their defaults; another value is 0 .. default */
    std::vector<cudnnBackendBehaviorNote_t> behaviour = {};
};

/* Begin a call of cuDNN: count it, fail it where that is asked. */
cudnnStatus_t standin_cudnn_begin(const char *name, struct standin_fault *ret_late);
/* Keep the text for cudnnGetLastErrorString; answers status. */
cudnnStatus_t standin_refuse(cudnnStatus_t status, const std::string &text);
bool standin_engines_are(const char *word); /* of BURST_STANDIN_ENGINES */
bool standin_handle_lives(cudnnHandle_t handle);

/* The one element of an attribute that is there. */
template <typename T> static inline T standin_value(const standin_bag &bag, int name, T otherwise)
{
    auto it = bag->attribute.find(name);
    if (it == bag->attribute.end()) return otherwise;
    T value;
    memcpy(&value, it->second.bytes.data(), sizeof value);
    return value;
}
std::vector<int64_t> standin_numbers(const standin_bag &bag, int name);
standin_bag standin_child(const standin_bag &bag, int name);

/* Check what a descriptor says when it is finalised, and work out what follows from it. */
cudnnStatus_t standin_finalize(const standin_bag &bag);

/* The graph that an OPERATIONGRAPH's operations make. */
cudnnStatus_t standin_read_graph(const standin_bag &bag, struct standin_graph *ret);

/* The engine of that number; NULL where there is none. */
const struct standin_engine_facts *standin_engine(int64_t index);
/* Whether it can do this graph: 0, or why not. `late`: what only making the plan finds out, too. */
cudnnStatus_t standin_engine_takes(int64_t index, const struct standin_graph &g, bool late);
int64_t standin_workspace(const struct standin_config &config, const struct standin_graph &g);
std::vector<struct standin_config> standin_offers(const struct standin_graph &g, cudnnBackendHeurMode_t mode);

/* Compute the graph; `at` has the addresses by the tensors' ids, 0 that of the workspace. */
void standin_compute(const struct standin_graph &g, const struct standin_config &config,
                     const std::map<int64_t, void *> &at);
#endif
