/* cuDNN's descriptors on the stand-in: which attributes each has, of which type and how many; handles; execution. */
#include "tests/standin/cudnn.h"
#include "tests/standin/standin.h"
#include <algorithm>
#include <set>
#include <stdlib.h>

struct rule {
    cudnnBackendDescriptorType_t of;
    int name;
    cudnnBackendAttributeType_t type;
    int64_t least, most;
    int child; /* the type of descriptors it takes, or -1 */
    bool is_read;
};
#define VALUE(of, name, type)                                                                                          \
    {                                                                                                                  \
        CUDNN_BACKEND_##of##_DESCRIPTOR, CUDNN_ATTR_##name, CUDNN_TYPE_##type, 1, 1, -1, false                         \
    }
#define LIST(of, name, type, n)                                                                                        \
    {                                                                                                                  \
        CUDNN_BACKEND_##of##_DESCRIPTOR, CUDNN_ATTR_##name, CUDNN_TYPE_##type, 1, n, -1, false                         \
    }
#define CHILD(of, name, child)                                                                                         \
    {                                                                                                                  \
        CUDNN_BACKEND_##of##_DESCRIPTOR, CUDNN_ATTR_##name, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, 1,                       \
            CUDNN_BACKEND_##child##_DESCRIPTOR, false                                                                  \
    }
#define CHILDREN(of, name, n, child)                                                                                   \
    {                                                                                                                  \
        CUDNN_BACKEND_##of##_DESCRIPTOR, CUDNN_ATTR_##name, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, n, child, false          \
    }
#define READ(of, name, type, child)                                                                                    \
    {                                                                                                                  \
        CUDNN_BACKEND_##of##_DESCRIPTOR, CUDNN_ATTR_##name, CUDNN_TYPE_##type, 0, 0, child, true                       \
    }
enum { CONFIG = CUDNN_BACKEND_ENGINECFG_DESCRIPTOR };

// clang-format off
static const struct rule RULES[] = {
    VALUE(TENSOR, TENSOR_UNIQUE_ID, INT64),
    VALUE(TENSOR, TENSOR_DATA_TYPE, DATA_TYPE),
    VALUE(TENSOR, TENSOR_BYTE_ALIGNMENT, INT64),
    VALUE(TENSOR, TENSOR_IS_VIRTUAL, BOOLEAN),
    LIST(TENSOR, TENSOR_DIMENSIONS, INT64, CUDNN_DIM_MAX),
    LIST(TENSOR, TENSOR_STRIDES, INT64, CUDNN_DIM_MAX),
    VALUE(CONVOLUTION, CONVOLUTION_COMP_TYPE, DATA_TYPE),
    VALUE(CONVOLUTION, CONVOLUTION_CONV_MODE, CONVOLUTION_MODE),
    VALUE(CONVOLUTION, CONVOLUTION_SPATIAL_DIMS, INT64),
    LIST(CONVOLUTION, CONVOLUTION_DILATIONS, INT64, CUDNN_DIM_MAX),
    LIST(CONVOLUTION, CONVOLUTION_FILTER_STRIDES, INT64, CUDNN_DIM_MAX),
    LIST(CONVOLUTION, CONVOLUTION_PRE_PADDINGS, INT64, CUDNN_DIM_MAX),
    LIST(CONVOLUTION, CONVOLUTION_POST_PADDINGS, INT64, CUDNN_DIM_MAX),
    VALUE(OPERATION_CONVOLUTION_FORWARD, OPERATION_CONVOLUTION_FORWARD_ALPHA, FLOAT),
    VALUE(OPERATION_CONVOLUTION_FORWARD, OPERATION_CONVOLUTION_FORWARD_BETA, FLOAT),
    CHILD(OPERATION_CONVOLUTION_FORWARD, OPERATION_CONVOLUTION_FORWARD_CONV_DESC, CONVOLUTION),
    CHILD(OPERATION_CONVOLUTION_FORWARD, OPERATION_CONVOLUTION_FORWARD_X, TENSOR),
    CHILD(OPERATION_CONVOLUTION_FORWARD, OPERATION_CONVOLUTION_FORWARD_W, TENSOR),
    CHILD(OPERATION_CONVOLUTION_FORWARD, OPERATION_CONVOLUTION_FORWARD_Y, TENSOR),
    VALUE(POINTWISE, POINTWISE_MODE, POINTWISE_MODE),
    VALUE(POINTWISE, POINTWISE_MATH_PREC, DATA_TYPE),
    CHILD(OPERATION_POINTWISE, OPERATION_POINTWISE_PW_DESCRIPTOR, POINTWISE),
    CHILD(OPERATION_POINTWISE, OPERATION_POINTWISE_XDESC, TENSOR),
    CHILD(OPERATION_POINTWISE, OPERATION_POINTWISE_BDESC, TENSOR),
    CHILD(OPERATION_POINTWISE, OPERATION_POINTWISE_YDESC, TENSOR),
    {CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR, CUDNN_ATTR_OPERATIONGRAPH_HANDLE, CUDNN_TYPE_HANDLE, 1, 1, -1, false},
    {CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR, CUDNN_ATTR_OPERATIONGRAPH_OPS, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, 16, -1, false},
    CHILDREN(ENGINEHEUR, ENGINEHEUR_OPERATION_GRAPH, 1, CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR),
    VALUE(ENGINEHEUR, ENGINEHEUR_MODE, HEUR_MODE),
    READ(ENGINEHEUR, ENGINEHEUR_RESULTS, BACKEND_DESCRIPTOR, CONFIG),
    CHILD(ENGINE, ENGINE_OPERATION_GRAPH, OPERATIONGRAPH),
    VALUE(ENGINE, ENGINE_GLOBAL_INDEX, INT64),
    READ(ENGINE, ENGINE_NUMERICAL_NOTE, NUMERICAL_NOTE, -1),
    READ(ENGINE, ENGINE_BEHAVIOR_NOTE, BEHAVIOR_NOTE, -1),
    CHILD(ENGINECFG, ENGINECFG_ENGINE, ENGINE),
    CHILDREN(ENGINECFG, ENGINECFG_KNOB_CHOICES, CUDNN_KNOB_TYPE_COUNTS, CUDNN_BACKEND_KNOB_CHOICE_DESCRIPTOR),
    VALUE(KNOB_CHOICE, KNOB_CHOICE_KNOB_TYPE, KNOB_TYPE),
    VALUE(KNOB_CHOICE, KNOB_CHOICE_KNOB_VALUE, INT64),
    VALUE(EXECUTION_PLAN, EXECUTION_PLAN_HANDLE, HANDLE),
    CHILD(EXECUTION_PLAN, EXECUTION_PLAN_ENGINE_CONFIG, ENGINECFG),
    READ(EXECUTION_PLAN, EXECUTION_PLAN_WORKSPACE_SIZE, INT64, -1),
    LIST(VARIANT_PACK, VARIANT_PACK_UNIQUE_IDS, INT64, 64),
    LIST(VARIANT_PACK, VARIANT_PACK_DATA_POINTERS, VOID_PTR, 64),
    VALUE(VARIANT_PACK, VARIANT_PACK_WORKSPACE, VOID_PTR),
};
// clang-format on

struct descriptor_table {
    std::mutex lock;
    std::map<cudnnBackendDescriptor_t, standin_bag> bags;
    std::set<cudnnHandle_t> handles;
    uintptr_t n_made;
};
static struct descriptor_table &tables = *new struct descriptor_table(); /* never freed, as the runtime's */

static thread_local std::string last_text;

cudnnStatus_t standin_refuse(cudnnStatus_t status, const std::string &text)
{
    last_text = text;
    return status;
}

cudnnStatus_t standin_cudnn_begin(const char *name, struct standin_fault *ret_late)
{
    struct standin_fault fault = standin_called(name);
    if (!ret_late) standin_linger(fault);
    if (fault.how == STANDIN_FAILS)
        return standin_refuse(fault.status ? (cudnnStatus_t)fault.status : CUDNN_STATUS_INTERNAL_ERROR,
                              "as it was told");
    if (ret_late) *ret_late = fault;
    return CUDNN_STATUS_SUCCESS;
}
#define BEGIN(name)                                                                                                    \
    do {                                                                                                               \
        cudnnStatus_t begun_ = standin_cudnn_begin(name, nullptr);                                                     \
        if (begun_) return begun_;                                                                                     \
    } while (0)

bool standin_engines_are(const char *word)
{
    const char *text = getenv("BURST_STANDIN_ENGINES");
    return text && ("," + std::string(text) + ",").find("," + std::string(word) + ",") != std::string::npos;
}

bool standin_handle_lives(cudnnHandle_t handle)
{
    std::lock_guard<std::mutex> hold(tables.lock);
    return tables.handles.count(handle) != 0;
}

std::vector<int64_t> standin_numbers(const standin_bag &bag, int name)
{
    auto it = bag->attribute.find(name);
    std::vector<int64_t> numbers;
    if (it == bag->attribute.end()) return numbers;
    numbers.resize((size_t)it->second.n);
    memcpy(numbers.data(), it->second.bytes.data(), it->second.bytes.size());
    return numbers;
}

standin_bag standin_child(const standin_bag &bag, int name)
{
    auto it = bag->attribute.find(name);
    return it == bag->attribute.end() ? nullptr : it->second.children[0];
}

static size_t size_of(cudnnBackendAttributeType_t type)
{
    switch (type) {
    case CUDNN_TYPE_BOOLEAN: return sizeof(bool);
    case CUDNN_TYPE_INT64: return sizeof(int64_t);
    case CUDNN_TYPE_FLOAT: return sizeof(float);
    case CUDNN_TYPE_HANDLE:
    case CUDNN_TYPE_VOID_PTR:
    case CUDNN_TYPE_BACKEND_DESCRIPTOR: return sizeof(void *);
    default: return sizeof(int); /* enumerations */
    }
}

static const struct rule *rule_of(cudnnBackendDescriptorType_t of, int name)
{
    for (const struct rule &r : RULES)
        if (r.of == of && r.name == name) return &r;
    return nullptr;
}

static standin_bag bag_of(cudnnBackendDescriptor_t d)
{
    std::lock_guard<std::mutex> hold(tables.lock);
    auto it = tables.bags.find(d);
    return it == tables.bags.end() ? nullptr : it->second;
}

/* The children must be of the type the attribute takes, and finalised. */
static cudnnStatus_t take_children(const struct rule *r, struct standin_attribute *a)
{
    for (int64_t i = 0; i < a->n; i++) {
        cudnnBackendDescriptor_t d;
        memcpy(&d, a->bytes.data() + (size_t)i * sizeof d, sizeof d);
        standin_bag child = bag_of(d);
        if (!child) return standin_refuse(CUDNN_STATUS_BAD_PARAM, "a child is no descriptor");
        if (r->child >= 0 && child->type != r->child)
            return standin_refuse(CUDNN_STATUS_BAD_PARAM_DESCRIPTOR_TYPE, "a child of another type");
        if (!child->final) return standin_refuse(CUDNN_STATUS_BAD_PARAM_NOT_FINALIZED, "a child is not finalised");
        a->children.push_back(child);
    }
    return CUDNN_STATUS_SUCCESS;
}

static cudnnStatus_t set_attribute(const standin_bag &bag, const struct rule *r, struct standin_attribute *a,
                                   const void *from)
{
    if (bag->final) return standin_refuse(CUDNN_STATUS_BAD_PARAM, "set after finalising");
    if (!r || r->is_read) return standin_refuse(CUDNN_STATUS_BAD_PARAM, "an attribute that this descriptor lacks");
    if (a->type != r->type) return standin_refuse(CUDNN_STATUS_BAD_PARAM_ATTRIBUTE_TYPE, "another type of attribute");
    if (a->n < r->least || a->n > r->most) return standin_refuse(CUDNN_STATUS_BAD_PARAM, "too few or many elements");
    if (!from) return standin_refuse(CUDNN_STATUS_BAD_PARAM, "no elements");
    a->bytes.resize((size_t)a->n * size_of(a->type));
    memcpy(a->bytes.data(), from, a->bytes.size());
    cudnnStatus_t status = r->type == CUDNN_TYPE_BACKEND_DESCRIPTOR ? take_children(r, a) : CUDNN_STATUS_SUCCESS;
    if (!status) bag->attribute[r->name] = *a;
    return status;
}

static standin_bag made(cudnnBackendDescriptorType_t type, const standin_bag &like, const struct standin_config &config)
{
    standin_bag bag = std::make_shared<struct standin_bag_state>();
    bag->type = type;
    bag->final = true;
    bag->graph = like->graph;
    bag->config = config;
    return bag;
}

static standin_bag knob_bag(const standin_bag &like, const struct standin_knob &knob)
{
    standin_bag bag = made(CUDNN_BACKEND_KNOB_CHOICE_DESCRIPTOR, like, like->config);
    struct standin_attribute type = {CUDNN_TYPE_KNOB_TYPE, 1, std::vector<unsigned char>(sizeof(int)), {}};
    struct standin_attribute value = {CUDNN_TYPE_INT64, 1, std::vector<unsigned char>(sizeof(int64_t)), {}};
    memcpy(type.bytes.data(), &knob.type, sizeof knob.type);
    memcpy(value.bytes.data(), &knob.value, sizeof knob.value);
    bag->attribute[CUDNN_ATTR_KNOB_CHOICE_KNOB_TYPE] = type;
    bag->attribute[CUDNN_ATTR_KNOB_CHOICE_KNOB_VALUE] = value;
    return bag;
}

template <typename T> static struct standin_attribute numbers(cudnnBackendAttributeType_t type, const std::vector<T> &v)
{
    struct standin_attribute a = {type, (int64_t)v.size(), std::vector<unsigned char>(v.size() * sizeof(T)), {}};
    if (!v.empty()) memcpy(a.bytes.data(), v.data(), a.bytes.size());
    return a;
}

/* An attribute that is worked out when it is asked for, or the one that was set. */
static struct standin_attribute value_of(const standin_bag &bag, int name)
{
    struct standin_attribute a = {CUDNN_TYPE_BACKEND_DESCRIPTOR, 0, {}, {}};
    switch (name) {
    case CUDNN_ATTR_ENGINEHEUR_RESULTS:
        for (const struct standin_config &config : bag->offers)
            a.children.push_back(made(CUDNN_BACKEND_ENGINECFG_DESCRIPTOR, bag, config));
        break;
    case CUDNN_ATTR_ENGINECFG_ENGINE:
        a.children.push_back(made(CUDNN_BACKEND_ENGINE_DESCRIPTOR, bag, bag->config));
        break;
    case CUDNN_ATTR_ENGINECFG_KNOB_CHOICES:
        for (const struct standin_knob &knob : bag->config.knobs)
            a.children.push_back(knob_bag(bag, knob));
        break;
    case CUDNN_ATTR_ENGINE_GLOBAL_INDEX: return numbers(CUDNN_TYPE_INT64, std::vector<int64_t>{bag->config.engine});
    case CUDNN_ATTR_ENGINE_NUMERICAL_NOTE:
        return numbers(CUDNN_TYPE_NUMERICAL_NOTE, standin_engine(bag->config.engine)->notes);
    case CUDNN_ATTR_ENGINE_BEHAVIOR_NOTE:
        return numbers(CUDNN_TYPE_BEHAVIOR_NOTE, standin_engine(bag->config.engine)->behaviour);
    case CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE:
        return numbers(CUDNN_TYPE_INT64, std::vector<int64_t>{standin_workspace(bag->config, *bag->graph)});
    default: {
        auto it = bag->attribute.find(name);
        if (it != bag->attribute.end()) a = it->second;
        return a;
    }
    }
    a.n = (int64_t)a.children.size();
    return a;
}

/* Descriptors are read into descriptors that the caller has made. */
static cudnnStatus_t give_children(const struct standin_attribute &a, int64_t n, cudnnBackendDescriptor_t *to)
{
    for (size_t i = 0; i < (size_t)n; i++) {
        standin_bag into = bag_of(to[i]);
        if (!into || into->type != a.children[i]->type)
            return standin_refuse(CUDNN_STATUS_BAD_PARAM,
                                  "descriptors of the attribute's type are wanted to read into");
        *into = *a.children[i];
    }
    return CUDNN_STATUS_SUCCESS;
}

extern "C" {

size_t CUDNNWINAPI cudnnGetVersion(void)
{
    return CUDNN_VERSION;
}

size_t CUDNNWINAPI cudnnGetCudartVersion(void)
{
    return CUDART_VERSION;
}

void CUDNNWINAPI cudnnGetLastErrorString(char *to, size_t size)
{
    if (to && size) (void)snprintf(to, size, "%s", last_text.c_str());
    last_text.clear();
}

cudnnStatus_t CUDNNWINAPI cudnnCreate(cudnnHandle_t *handle)
{
    int n;
    if (!handle) return standin_refuse(CUDNN_STATUS_BAD_PARAM_NULL_POINTER, "handle");
    BEGIN("cudnnCreate");
    if (cudaGetDeviceCount(&n)) return standin_refuse(CUDNN_STATUS_NOT_INITIALIZED, "there is no device");
    std::lock_guard<std::mutex> hold(tables.lock);
    *handle = new struct cudnnContext();
    tables.handles.insert(*handle);
    standin_count("handles", 1);
    return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t CUDNNWINAPI cudnnDestroy(cudnnHandle_t handle)
{
    BEGIN("cudnnDestroy");
    std::lock_guard<std::mutex> hold(tables.lock);
    if (!tables.handles.erase(handle)) return standin_refuse(CUDNN_STATUS_BAD_PARAM, "no handle");
    delete handle;
    standin_count("handles", -1);
    return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t CUDNNWINAPI cudnnSetStream(cudnnHandle_t handle, cudaStream_t stream)
{
    BEGIN("cudnnSetStream");
    if (!standin_handle_lives(handle) || !standin_stream_of(stream))
        return standin_refuse(CUDNN_STATUS_BAD_PARAM, "no handle, or no stream");
    handle->stream = stream;
    return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t CUDNNWINAPI cudnnBackendCreateDescriptor(cudnnBackendDescriptorType_t type, cudnnBackendDescriptor_t *d)
{
    BEGIN("cudnnBackendCreateDescriptor");
    if (!d) return standin_refuse(CUDNN_STATUS_BAD_PARAM_NULL_POINTER, "descriptor");
    bool known = false;
    for (const struct rule &r : RULES)
        known |= r.of == type;
    if (!known) return standin_refuse(CUDNN_STATUS_NOT_SUPPORTED, "a descriptor that the stand-in lacks");
    std::lock_guard<std::mutex> hold(tables.lock);
    standin_bag bag = std::make_shared<struct standin_bag_state>();
    bag->type = type;
    *d = reinterpret_cast<cudnnBackendDescriptor_t>(0xd000 + 16 * ++tables.n_made);
    tables.bags[*d] = bag;
    standin_count("descriptors", 1);
    return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t CUDNNWINAPI cudnnBackendDestroyDescriptor(cudnnBackendDescriptor_t d)
{
    BEGIN("cudnnBackendDestroyDescriptor");
    std::lock_guard<std::mutex> hold(tables.lock);
    if (!tables.bags.erase(d)) return standin_refuse(CUDNN_STATUS_BAD_PARAM_NULL_POINTER, "no descriptor");
    standin_count("descriptors", -1);
    return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t CUDNNWINAPI cudnnBackendSetAttribute(cudnnBackendDescriptor_t d, cudnnBackendAttributeName_t name,
                                                   cudnnBackendAttributeType_t type, int64_t n, const void *from)
{
    BEGIN("cudnnBackendSetAttribute");
    standin_bag bag = bag_of(d);
    if (!bag) return standin_refuse(CUDNN_STATUS_BAD_PARAM_NULL_POINTER, "no descriptor");
    struct standin_attribute a = {type, n, {}, {}};
    return set_attribute(bag, rule_of(bag->type, name), &a, from);
}

cudnnStatus_t CUDNNWINAPI cudnnBackendGetAttribute(cudnnBackendDescriptor_t const d, cudnnBackendAttributeName_t name,
                                                   cudnnBackendAttributeType_t type, int64_t most, int64_t *ret_n,
                                                   void *to)
{
    BEGIN("cudnnBackendGetAttribute");
    standin_bag bag = bag_of(d);
    if (!bag) return standin_refuse(CUDNN_STATUS_BAD_PARAM_NULL_POINTER, "no descriptor");
    if (!bag->final) return standin_refuse(CUDNN_STATUS_NOT_INITIALIZED, "read before finalising");
    const struct rule *r = rule_of(bag->type, name);
    if (!r) return standin_refuse(CUDNN_STATUS_BAD_PARAM, "an attribute that this descriptor lacks");
    if (type != r->type) return standin_refuse(CUDNN_STATUS_BAD_PARAM_ATTRIBUTE_TYPE, "another type of attribute");
    if (most < 0 || (most && !to)) return standin_refuse(CUDNN_STATUS_BAD_PARAM, "nowhere to write");
    struct standin_attribute a = value_of(bag, name);
    int64_t n = std::min(a.n, most);
    if (ret_n) *ret_n = most ? n : a.n; /* as cuDNN does: all there are where none is asked for, else those given */
    if (r->type == CUDNN_TYPE_BACKEND_DESCRIPTOR)
        return give_children(a, n, static_cast<cudnnBackendDescriptor_t *>(to));
    if (n) memcpy(to, a.bytes.data(), (size_t)n * size_of(type));
    return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t CUDNNWINAPI cudnnBackendFinalize(cudnnBackendDescriptor_t d)
{
    BEGIN("cudnnBackendFinalize");
    standin_bag bag = bag_of(d);
    if (!bag) return standin_refuse(CUDNN_STATUS_BAD_PARAM_NULL_POINTER, "no descriptor");
    if (bag->final) return standin_refuse(CUDNN_STATUS_BAD_PARAM, "finalised twice");
    cudnnStatus_t status = standin_finalize(bag);
    bag->final = status == CUDNN_STATUS_SUCCESS;
    return status;
}
}

static size_t extent(const struct standin_tensor &t)
{
    int64_t last = 0;
    for (size_t i = 0; i < t.dim.size(); i++)
        last += (t.dim[i] - 1) * t.stride[i];
    return (size_t)(last + 1) * (t.type == CUDNN_DATA_BFLOAT16 ? 2 : 4);
}

/* The addresses of a pack, each aligned as its tensor says. Whether there is memory is found out by the device. */
static cudnnStatus_t addresses(const struct standin_graph &g, const standin_bag &pack, std::map<int64_t, void *> *ret,
                               bool *ret_illegal)
{
    std::vector<int64_t> ids = standin_numbers(pack, CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS);
    std::vector<int64_t> at = standin_numbers(pack, CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS);
    std::vector<const struct standin_tensor *> tensors = {&g.x, &g.w, &g.y};
    for (const struct standin_step &s : g.steps)
        if (s.has_operand) tensors.push_back(&s.operand);
    for (const struct standin_tensor *t : tensors) {
        auto it = std::find(ids.begin(), ids.end(), t->id);
        if (it == ids.end()) return standin_refuse(CUDNN_STATUS_BAD_PARAM, "a tensor of the graph has no address");
        int64_t p = at[(size_t)(it - ids.begin())];
        if (!p || p % t->alignment) return standin_refuse(CUDNN_STATUS_BAD_PARAM_MISALIGNED_POINTER, "an address");
        (*ret)[t->id] = reinterpret_cast<void *>(p);
        *ret_illegal |= standin_where(reinterpret_cast<void *>(p), extent(*t)) != STANDIN_DEVICE;
    }
    return CUDNN_STATUS_SUCCESS;
}

extern "C" cudnnStatus_t CUDNNWINAPI cudnnBackendExecute(cudnnHandle_t handle, cudnnBackendDescriptor_t plan_handle,
                                                         cudnnBackendDescriptor_t pack_handle)
{
    struct standin_fault late = {STANDIN_WELL, 0};
    cudnnStatus_t status = standin_cudnn_begin("cudnnBackendExecute", &late);
    if (status) return status;
    standin_bag plan = bag_of(plan_handle), pack = bag_of(pack_handle);
    if (!standin_handle_lives(handle) || !plan || !pack)
        return standin_refuse(CUDNN_STATUS_BAD_PARAM, "handle, plan or pack");
    if (plan->type != CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR || pack->type != CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR)
        return standin_refuse(CUDNN_STATUS_BAD_PARAM_DESCRIPTOR_TYPE, "no plan, or no pack");
    if (!plan->final || !pack->final) return standin_refuse(CUDNN_STATUS_BAD_PARAM_NOT_FINALIZED, "plan or pack");
    if (standin_sticky()) return standin_refuse(CUDNN_STATUS_EXECUTION_FAILED_CUDART, "the device has failed");
    std::map<int64_t, void *> at;
    bool illegal = false;
    status = addresses(*plan->graph, pack, &at, &illegal);
    if (status) return status;
    size_t bytes = (size_t)standin_workspace(plan->config, *plan->graph);
    at[0] = standin_value<void *>(pack, CUDNN_ATTR_VARIANT_PACK_WORKSPACE, nullptr);
    illegal |= bytes && standin_where(at[0], bytes) != STANDIN_DEVICE;
    std::shared_ptr<const struct standin_graph> graph = plan->graph;
    struct standin_config config = plan->config;
    cudaError_t error = standin_queue(standin_stream_of(handle->stream), late, [graph, config, at, illegal, bytes] {
        if (illegal) return standin_set_sticky(cudaErrorIllegalAddress);
        if (bytes) memset(at.at(0), 0x5a, bytes); /* a workspace that two plans use at once is seen in the results */
        standin_compute(*graph, config, at);
    });
    return error ? standin_refuse(CUDNN_STATUS_EXECUTION_FAILED_CUDART, "not queued") : CUDNN_STATUS_SUCCESS;
}
