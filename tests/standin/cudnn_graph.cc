/* What the stand-in's cuDNN checks when a descriptor is finalised, and the engines it has. */
#include "tests/standin/cudnn.h"
#include <algorithm>

static cudnnStatus_t bad(const char *text)
{
    return standin_refuse(CUDNN_STATUS_BAD_PARAM, text);
}

static bool has(const standin_bag &bag, std::initializer_list<int> names)
{
    for (int name : names)
        if (!bag->attribute.count(name)) return false;
    return true;
}

static int64_t size_of(cudnnDataType_t type)
{
    return type == CUDNN_DATA_FLOAT ? 4 : type == CUDNN_DATA_BFLOAT16 ? 2 : 0;
}

static struct standin_tensor tensor_of(const standin_bag &bag)
{
    struct standin_tensor t = {};
    t.id = standin_value<int64_t>(bag, CUDNN_ATTR_TENSOR_UNIQUE_ID, 0);
    t.alignment = standin_value<int64_t>(bag, CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, 0);
    t.type = standin_value(bag, CUDNN_ATTR_TENSOR_DATA_TYPE, CUDNN_DATA_FLOAT);
    t.is_virtual = standin_value(bag, CUDNN_ATTR_TENSOR_IS_VIRTUAL, false);
    t.dim = standin_numbers(bag, CUDNN_ATTR_TENSOR_DIMENSIONS);
    t.stride = standin_numbers(bag, CUDNN_ATTR_TENSOR_STRIDES);
    return t;
}

static cudnnStatus_t finalize_tensor(const standin_bag &bag)
{
    if (!has(bag, {CUDNN_ATTR_TENSOR_UNIQUE_ID, CUDNN_ATTR_TENSOR_DATA_TYPE, CUDNN_ATTR_TENSOR_DIMENSIONS}))
        return bad("a tensor without id, type or dimensions");
    struct standin_tensor t = tensor_of(bag);
    if (!t.id) return bad("the id 0");
    if (!size_of(t.type)) return standin_refuse(CUDNN_STATUS_NOT_SUPPORTED_DATA_TYPE, "neither float nor bfloat16");
    if (t.dim.size() != t.stride.size()) return bad("as many strides as dimensions are wanted");
    for (size_t i = 0; i < t.dim.size(); i++)
        if (t.dim[i] < 1 || t.stride[i] < 1) return bad("a dimension or stride below 1");
    if (t.alignment < 1 || t.alignment % size_of(t.type)) return bad("no alignment, or none that fits the type");
    return CUDNN_STATUS_SUCCESS;
}

static cudnnStatus_t finalize_convolution(const standin_bag &bag)
{
    if (!has(bag,
             {CUDNN_ATTR_CONVOLUTION_COMP_TYPE, CUDNN_ATTR_CONVOLUTION_CONV_MODE, CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS,
              CUDNN_ATTR_CONVOLUTION_DILATIONS, CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES,
              CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS, CUDNN_ATTR_CONVOLUTION_POST_PADDINGS}))
        return bad("a convolution that lacks an attribute");
    size_t n = (size_t)standin_value<int64_t>(bag, CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS, 0);
    for (int name : {CUDNN_ATTR_CONVOLUTION_DILATIONS, CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES,
                     CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS, CUDNN_ATTR_CONVOLUTION_POST_PADDINGS}) {
        bool pads = name == CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS || name == CUDNN_ATTR_CONVOLUTION_POST_PADDINGS;
        std::vector<int64_t> values = standin_numbers(bag, name);
        if (values.size() != n) return bad("another number of dilations, strides or paddings than dimensions");
        for (int64_t v : values)
            if (v < (pads ? 0 : 1)) return bad("a dilation, stride or padding that is too small");
    }
    return CUDNN_STATUS_SUCCESS;
}

static bool same_dims(const struct standin_tensor &a, const struct standin_tensor &b)
{
    return a.dim == b.dim;
}

/* One number is 1 or the same in every dimension. */
static bool broadcasts(const struct standin_tensor &from, const struct standin_tensor &to)
{
    if (from.dim.size() != to.dim.size()) return false;
    for (size_t i = 0; i < from.dim.size(); i++)
        if (from.dim[i] != 1 && from.dim[i] != to.dim[i]) return false;
    return true;
}

static cudnnStatus_t finalize_forward(const standin_bag &bag)
{
    if (!has(bag, {CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X,
                   CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y}))
        return bad("a convolution's operation that lacks a tensor");
    if (standin_value(bag, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_ALPHA, 1.0f) != 1.0f ||
        standin_value(bag, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_BETA, 0.0f) != 0.0f)
        return standin_refuse(CUDNN_STATUS_NOT_SUPPORTED, "alpha other than 1 or beta other than 0");
    struct standin_tensor x = tensor_of(standin_child(bag, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X));
    struct standin_tensor w = tensor_of(standin_child(bag, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W));
    struct standin_tensor y = tensor_of(standin_child(bag, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y));
    standin_bag conv = standin_child(bag, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC);
    std::vector<int64_t> pre = standin_numbers(conv, CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS),
                         post = standin_numbers(conv, CUDNN_ATTR_CONVOLUTION_POST_PADDINGS),
                         stride = standin_numbers(conv, CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES),
                         dilation = standin_numbers(conv, CUDNN_ATTR_CONVOLUTION_DILATIONS);
    if (x.dim.size() != pre.size() + 2 || w.dim.size() != x.dim.size() || y.dim.size() != x.dim.size())
        return bad("tensors of another rank than the convolution");
    if (x.dim[1] != w.dim[1] || y.dim[0] != x.dim[0] || y.dim[1] != w.dim[0])
        return standin_refuse(CUDNN_STATUS_BAD_PARAM_SHAPE_MISMATCH, "channels or batch of x, w and y");
    for (size_t i = 0; i < pre.size(); i++) {
        int64_t room = x.dim[i + 2] + pre[i] + post[i] - dilation[i] * (w.dim[i + 2] - 1) - 1;
        if (room < 0 || y.dim[i + 2] != room / stride[i] + 1)
            return standin_refuse(CUDNN_STATUS_BAD_PARAM_SHAPE_MISMATCH, "y is not what x, w and the paddings make");
    }
    return CUDNN_STATUS_SUCCESS;
}

static bool has_operand(cudnnPointwiseMode_t mode)
{
    return mode == CUDNN_POINTWISE_ADD;
}

static cudnnStatus_t finalize_pointwise_operation(const standin_bag &bag)
{
    if (!has(bag, {CUDNN_ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR, CUDNN_ATTR_OPERATION_POINTWISE_XDESC,
                   CUDNN_ATTR_OPERATION_POINTWISE_YDESC}))
        return bad("a pointwise operation that lacks a descriptor");
    standin_bag how = standin_child(bag, CUDNN_ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR);
    cudnnPointwiseMode_t mode = standin_value(how, CUDNN_ATTR_POINTWISE_MODE, CUDNN_POINTWISE_ADD);
    standin_bag operand = standin_child(bag, CUDNN_ATTR_OPERATION_POINTWISE_BDESC);
    if (has_operand(mode) != (operand != nullptr)) return bad("an operand too many or too few");
    struct standin_tensor x = tensor_of(standin_child(bag, CUDNN_ATTR_OPERATION_POINTWISE_XDESC));
    struct standin_tensor y = tensor_of(standin_child(bag, CUDNN_ATTR_OPERATION_POINTWISE_YDESC));
    if (!same_dims(x, y) || (operand && !broadcasts(tensor_of(operand), x)))
        return standin_refuse(CUDNN_STATUS_BAD_PARAM_SHAPE_MISMATCH, "tensors of a pointwise operation");
    return CUDNN_STATUS_SUCCESS;
}

static cudnnStatus_t finalize_pointwise(const standin_bag &bag)
{
    if (!has(bag, {CUDNN_ATTR_POINTWISE_MODE, CUDNN_ATTR_POINTWISE_MATH_PREC})) return bad("mode or precision");
    cudnnPointwiseMode_t mode = standin_value(bag, CUDNN_ATTR_POINTWISE_MODE, CUDNN_POINTWISE_ADD);
    bool known = mode == CUDNN_POINTWISE_ADD || mode == CUDNN_POINTWISE_RELU_FWD || mode == CUDNN_POINTWISE_IDENTITY;
    bool is_float = standin_value(bag, CUDNN_ATTR_POINTWISE_MATH_PREC, CUDNN_DATA_FLOAT) == CUDNN_DATA_FLOAT;
    return known && is_float ? CUDNN_STATUS_SUCCESS
                             : standin_refuse(CUDNN_STATUS_NOT_SUPPORTED, "a pointwise mode that the stand-in lacks");
}

static bool is_channels_last(const struct standin_tensor &t)
{
    int64_t c = t.dim[1], h = t.dim[2], w = t.dim[3];
    const int64_t want[4] = {c * h * w, 1, w * c, c};
    for (size_t i = 0; i < 4; i++)
        if (t.dim[i] > 1 && t.stride[i] != want[i]) return false;
    return true;
}

static cudnnStatus_t read_step(const standin_bag &op, struct standin_graph *g)
{
    if (op->type != CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR)
        return standin_refuse(CUDNN_STATUS_NOT_SUPPORTED_GRAPH_PATTERN,
                              "only pointwise operations follow a convolution");
    struct standin_tensor x = tensor_of(standin_child(op, CUDNN_ATTR_OPERATION_POINTWISE_XDESC));
    if (x.id != g->y.id || !g->y.is_virtual)
        return standin_refuse(CUDNN_STATUS_NOT_SUPPORTED_GRAPH_PATTERN,
                              "each operation takes the virtual tensor that the one before it makes");
    standin_bag how = standin_child(op, CUDNN_ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR);
    standin_bag operand = standin_child(op, CUDNN_ATTR_OPERATION_POINTWISE_BDESC);
    struct standin_step step = {};
    step.mode = standin_value(how, CUDNN_ATTR_POINTWISE_MODE, CUDNN_POINTWISE_ADD);
    step.has_operand = operand != nullptr;
    if (operand) step.operand = tensor_of(operand);
    if (operand && step.operand.is_virtual) return bad("an operand that nothing makes");
    g->steps.push_back(step);
    g->y = tensor_of(standin_child(op, CUDNN_ATTR_OPERATION_POINTWISE_YDESC));
    return CUDNN_STATUS_SUCCESS;
}

/* Ids are the tensors' names: two of the same name in one graph are a mistake. */
static bool ids_differ(const struct standin_graph &g)
{
    std::vector<int64_t> ids = {g.x.id, g.w.id, g.y.id};
    for (const struct standin_step &s : g.steps)
        if (s.has_operand) ids.push_back(s.operand.id);
    std::sort(ids.begin(), ids.end());
    return std::adjacent_find(ids.begin(), ids.end()) == ids.end();
}

cudnnStatus_t standin_read_graph(const standin_bag &bag, struct standin_graph *g)
{
    const std::vector<standin_bag> &ops = bag->attribute.at(CUDNN_ATTR_OPERATIONGRAPH_OPS).children;
    if (ops[0]->type != CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR)
        return standin_refuse(CUDNN_STATUS_NOT_SUPPORTED_GRAPH_PATTERN, "a convolution comes first");
    g->x = tensor_of(standin_child(ops[0], CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X));
    g->w = tensor_of(standin_child(ops[0], CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W));
    g->y = tensor_of(standin_child(ops[0], CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y));
    standin_bag conv = standin_child(ops[0], CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC);
    if (g->x.dim.size() != 4) return standin_refuse(CUDNN_STATUS_NOT_SUPPORTED_SHAPE, "two dimensions in space");
    for (size_t i = 0; i < 2; i++) {
        g->pad_begin[i] = standin_numbers(conv, CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS)[i];
        g->pad_end[i] = standin_numbers(conv, CUDNN_ATTR_CONVOLUTION_POST_PADDINGS)[i];
        g->stride[i] = standin_numbers(conv, CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES)[i];
        g->dilation[i] = standin_numbers(conv, CUDNN_ATTR_CONVOLUTION_DILATIONS)[i];
    }
    if (standin_value(conv, CUDNN_ATTR_CONVOLUTION_CONV_MODE, CUDNN_CONVOLUTION) != CUDNN_CROSS_CORRELATION ||
        standin_value(conv, CUDNN_ATTR_CONVOLUTION_COMP_TYPE, CUDNN_DATA_FLOAT) != CUDNN_DATA_FLOAT)
        return standin_refuse(CUDNN_STATUS_NOT_SUPPORTED, "a cross-correlation computed in float is what there is");
    for (size_t i = 1; i < ops.size(); i++) {
        cudnnStatus_t status = read_step(ops[i], g);
        if (status) return status;
    }
    if (g->x.is_virtual || g->w.is_virtual || g->y.is_virtual) return bad("the ends of a graph cannot be virtual");
    if (!ids_differ(*g)) return standin_refuse(CUDNN_STATUS_BAD_PARAM_DUPLICATED_ENTRIES, "two tensors have one id");
    return CUDNN_STATUS_SUCCESS;
}

/* ---- engines ---- */

enum { PLAIN = 0, CORES = 6, CORES_FUSED = 31, SPLIT = 17, DOWN = 22, REFUSES = 40, COMPILED = 7 };
static const struct standin_engine_facts ENGINES[] = {
    {PLAIN, {}, {{CUDNN_KNOB_TYPE_TILE_SIZE, 1}}},
    {CORES, {CUDNN_NUMERICAL_NOTE_TENSOR_CORE}, {{CUDNN_KNOB_TYPE_TILE_SIZE, 1}, {CUDNN_KNOB_TYPE_STAGES, 3}}},
    {CORES_FUSED,
     {CUDNN_NUMERICAL_NOTE_TENSOR_CORE},
     {{CUDNN_KNOB_TYPE_TILE_SIZE, 1}, {CUDNN_KNOB_TYPE_KERNEL_CFG, 7}}},
    {SPLIT, {CUDNN_NUMERICAL_NOTE_NONDETERMINISTIC}, {{CUDNN_KNOB_TYPE_SPLIT_K_SLC, 4}}},
    {DOWN, {CUDNN_NUMERICAL_NOTE_TENSOR_CORE, CUDNN_NUMERICAL_NOTE_DOWN_CONVERT_INPUTS}, {}},
    {REFUSES, {}, {}},
    {COMPILED,
     {CUDNN_NUMERICAL_NOTE_TENSOR_CORE},
     {{CUDNN_KNOB_TYPE_KERNEL_CFG, 21}},
     {CUDNN_BEHAVIOR_NOTE_RUNTIME_COMPILATION}},
};

const struct standin_engine_facts *standin_engine(int64_t index)
{
    for (const struct standin_engine_facts &e : ENGINES)
        if (e.index == index) return &e;
    return nullptr;
}

static bool is_aligned(const struct standin_tensor &t)
{
    return t.alignment % 16 == 0 && t.dim[1] * size_of(t.type) % 16 == 0;
}

/* A residual before the bias, and a bias of the tensors' type, is what ready-made engines know: seen in cuDNN 9.19, see
 * tests/unit/cudnn/test_offers.c. */
static bool is_ready_made(const struct standin_graph &g)
{
    for (size_t i = 0; i < g.steps.size(); i++) {
        if (!g.steps[i].has_operand) continue;
        if (i > 0 && same_dims(g.steps[i].operand, g.y)) return false;
        if (g.steps[i].operand.type != g.x.type) return false;
    }
    return true;
}

cudnnStatus_t standin_engine_takes(int64_t index, const struct standin_graph &g, bool late)
{
    bool bf16 = g.x.type == CUDNN_DATA_BFLOAT16, fused = !g.steps.empty();
    bool cores = index == CORES || index == CORES_FUSED || index == DOWN || index == COMPILED;
    if (!standin_engine(index)) return bad("no such engine");
    if (g.x.type != g.w.type || g.y.type != g.x.type) return CUDNN_STATUS_NOT_SUPPORTED_DATA_TYPE;
    if (!is_channels_last(g.x) || !is_channels_last(g.w) || !is_channels_last(g.y))
        return CUDNN_STATUS_NOT_SUPPORTED_LAYOUT;
    if (fused && standin_engines_are("none_fused")) return CUDNN_STATUS_NOT_SUPPORTED_GRAPH_PATTERN;
    if (cores && (!is_aligned(g.x) || !is_aligned(g.y))) return CUDNN_STATUS_NOT_SUPPORTED_SHAPE;
    if (cores && fused != (index == CORES_FUSED || index == COMPILED)) return CUDNN_STATUS_NOT_SUPPORTED_GRAPH_PATTERN;
    if ((index == PLAIN || index == CORES_FUSED) && fused && !is_ready_made(g))
        return CUDNN_STATUS_NOT_SUPPORTED_GRAPH_PATTERN;
    if ((index == SPLIT || index == DOWN) && (fused || bf16)) return CUDNN_STATUS_NOT_SUPPORTED_GRAPH_PATTERN;
    bool refuses = index == REFUSES || standin_engines_are("all_refuse");
    return late && refuses ? CUDNN_STATUS_NOT_SUPPORTED_SHARED_MEMORY_INSUFFICIENT : CUDNN_STATUS_SUCCESS;
}

int64_t standin_workspace(const struct standin_config &config, const struct standin_graph &g)
{
    return config.engine == PLAIN ? 0 : 256 + g.w.dim[0] * g.w.dim[1] * 4;
}

static void offer(std::vector<struct standin_config> *to, const struct standin_graph &g, int64_t index, int64_t tile)
{
    if (standin_engine_takes(index, g, false)) return;
    struct standin_config config = {index, standin_engine(index)->knobs};
    if (!config.knobs.empty() && tile < config.knobs[0].value) config.knobs[0].value = tile;
    to->push_back(config);
}

std::vector<struct standin_config> standin_offers(const struct standin_graph &g, cudnnBackendHeurMode_t mode)
{
    std::vector<struct standin_config> to;
    if (standin_engines_are("none")) return to;
    if (mode == CUDNN_HEUR_MODE_FALLBACK) {
        offer(&to, g, PLAIN, 0);
        return to;
    }
    if (standin_engines_are("first_refuses")) offer(&to, g, REFUSES, 0);
    int64_t cores = g.steps.empty() ? CORES : CORES_FUSED;
    offer(&to, g, mode == CUDNN_HEUR_MODE_A ? cores : (int64_t)PLAIN, 1);
    offer(&to, g, SPLIT, 4);
    offer(&to, g, DOWN, 0);
    offer(&to, g, COMPILED, 0);
    offer(&to, g, cores, 0);
    offer(&to, g, PLAIN, 1);
    offer(&to, g, PLAIN, 0);
    offer(&to, g, REFUSES, 0);
    return to;
}

/* ---- descriptors of engines and plans ---- */

static cudnnStatus_t finalize_engine(const standin_bag &bag)
{
    standin_bag graph = standin_child(bag, CUDNN_ATTR_ENGINE_OPERATION_GRAPH);
    if (!graph) return standin_refuse(CUDNN_STATUS_BAD_PARAM_NULL_POINTER, "an engine without a graph");
    if (!has(bag, {CUDNN_ATTR_ENGINE_GLOBAL_INDEX})) return bad("an engine without a number");
    bag->graph = graph->graph;
    bag->config.engine = standin_value<int64_t>(bag, CUDNN_ATTR_ENGINE_GLOBAL_INDEX, -1);
    cudnnStatus_t status = standin_engine_takes(bag->config.engine, *bag->graph, false);
    return status ? standin_refuse(status, "the engine cannot do this graph") : CUDNN_STATUS_SUCCESS;
}

static cudnnStatus_t finalize_config(const standin_bag &bag)
{
    standin_bag engine = standin_child(bag, CUDNN_ATTR_ENGINECFG_ENGINE);
    if (!engine) return bad("a configuration without an engine");
    bag->graph = engine->graph;
    bag->config.engine = engine->config.engine;
    bag->config.knobs = standin_engine(engine->config.engine)->knobs;
    auto it = bag->attribute.find(CUDNN_ATTR_ENGINECFG_KNOB_CHOICES);
    if (it == bag->attribute.end()) return CUDNN_STATUS_SUCCESS;
    for (const standin_bag &choice : it->second.children) {
        int type = standin_value(choice, CUDNN_ATTR_KNOB_CHOICE_KNOB_TYPE, 0);
        int64_t value = standin_value<int64_t>(choice, CUDNN_ATTR_KNOB_CHOICE_KNOB_VALUE, -1);
        bool found = false;
        for (struct standin_knob &knob : bag->config.knobs)
            if (knob.type == type && value >= 0 && value <= knob.value) knob.value = value, found = true;
        if (!found) return bad("a knob that the engine lacks, or a value outside of its range");
    }
    return CUDNN_STATUS_SUCCESS;
}

static cudnnStatus_t finalize_plan(const standin_bag &bag)
{
    standin_bag config = standin_child(bag, CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG);
    if (!config) return bad("a plan without a configuration");
    if (!standin_handle_lives(standin_value<cudnnHandle_t>(bag, CUDNN_ATTR_EXECUTION_PLAN_HANDLE, nullptr)))
        return bad("a plan without a handle");
    bag->graph = config->graph;
    bag->config = config->config;
    cudnnStatus_t status = standin_engine_takes(bag->config.engine, *bag->graph, true);
    return status ? standin_refuse(status, "the engine finds that it cannot do this graph") : CUDNN_STATUS_SUCCESS;
}

static cudnnStatus_t finalize_heuristics(const standin_bag &bag)
{
    standin_bag graph = standin_child(bag, CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH);
    if (!graph || !has(bag, {CUDNN_ATTR_ENGINEHEUR_MODE})) return bad("heuristics without a graph or a mode");
    cudnnBackendHeurMode_t mode = standin_value(bag, CUDNN_ATTR_ENGINEHEUR_MODE, CUDNN_HEUR_MODE_A);
    if (mode != CUDNN_HEUR_MODE_A && mode != CUDNN_HEUR_MODE_B && mode != CUDNN_HEUR_MODE_FALLBACK)
        return standin_refuse(CUDNN_STATUS_NOT_SUPPORTED, "a mode of heuristics that the stand-in lacks");
    bag->graph = graph->graph;
    bag->offers = standin_offers(*bag->graph, mode);
    if (bag->offers.empty() && mode != CUDNN_HEUR_MODE_A)
        return standin_refuse(CUDNN_STATUS_NOT_SUPPORTED_GRAPH_PATTERN, "no engine for this graph");
    return CUDNN_STATUS_SUCCESS;
}

static cudnnStatus_t finalize_graph(const standin_bag &bag)
{
    if (!has(bag, {CUDNN_ATTR_OPERATIONGRAPH_HANDLE, CUDNN_ATTR_OPERATIONGRAPH_OPS}))
        return bad("handle or operations");
    if (!standin_handle_lives(standin_value<cudnnHandle_t>(bag, CUDNN_ATTR_OPERATIONGRAPH_HANDLE, nullptr)))
        return bad("a graph without a handle");
    std::shared_ptr<struct standin_graph> graph = std::make_shared<struct standin_graph>();
    cudnnStatus_t status = standin_read_graph(bag, graph.get());
    bag->graph = graph;
    return status;
}

static cudnnStatus_t finalize_pack(const standin_bag &bag)
{
    std::vector<int64_t> ids = standin_numbers(bag, CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS);
    if (ids.empty() || ids.size() != standin_numbers(bag, CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS).size())
        return bad("as many ids as addresses are wanted");
    std::sort(ids.begin(), ids.end());
    return std::adjacent_find(ids.begin(), ids.end()) == ids.end() ? CUDNN_STATUS_SUCCESS : bad("an id twice");
}

cudnnStatus_t standin_finalize(const standin_bag &bag)
{
    switch (bag->type) {
    case CUDNN_BACKEND_TENSOR_DESCRIPTOR: return finalize_tensor(bag);
    case CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR: return finalize_convolution(bag);
    case CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR: return finalize_forward(bag);
    case CUDNN_BACKEND_POINTWISE_DESCRIPTOR: return finalize_pointwise(bag);
    case CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR: return finalize_pointwise_operation(bag);
    case CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR: return finalize_graph(bag);
    case CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR: return finalize_heuristics(bag);
    case CUDNN_BACKEND_ENGINE_DESCRIPTOR: return finalize_engine(bag);
    case CUDNN_BACKEND_ENGINECFG_DESCRIPTOR: return finalize_config(bag);
    case CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR: return finalize_plan(bag);
    case CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR: return finalize_pack(bag);
    case CUDNN_BACKEND_KNOB_CHOICE_DESCRIPTOR:
        return has(bag, {CUDNN_ATTR_KNOB_CHOICE_KNOB_TYPE, CUDNN_ATTR_KNOB_CHOICE_KNOB_VALUE}) ? CUDNN_STATUS_SUCCESS
                                                                                               : bad("a knob's choice");
    default: return standin_refuse(CUDNN_STATUS_NOT_SUPPORTED, "a descriptor that the stand-in lacks");
    }
}
