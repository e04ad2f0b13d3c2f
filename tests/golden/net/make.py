#!/usr/bin/python3
"""Golden files of lib/net: make.py [networks|seeds] ...  (both without arguments). Rebuild, then read the diff.

networks: small networks exported by PyTorch, each with model.onnx and test_data_set_0 (and feature_0.pb, the last feature map).
seeds:    tests/fuzz/corpus/net_onnx: files that must be refused, listed with code and words in refused.tsv, and a few that are taken."""
import pathlib
import sys
import warnings

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

HERE = pathlib.Path(__file__).resolve().parent
SEEDS = HERE.parent.parent / 'fuzz/corpus/net_onnx'


# ---- networks ----

def save_tensor(path, name, array):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(numpy_helper.from_array(np.ascontiguousarray(array), name).SerializeToString())


def export(folder, net, x, name, preserve=False, opset=13):
    """model.onnx and its golden vectors; preserve: leave batch norms and dropout in the file."""
    import torch
    folder.mkdir(parents=True, exist_ok=True)
    mode = torch.onnx.TrainingMode.PRESERVE if preserve else torch.onnx.TrainingMode.EVAL
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        torch.onnx.export(net, x, str(folder / 'model.onnx'), input_names=[name], output_names=['logits'], opset_version=opset,
                          training=mode, do_constant_folding=not preserve, dynamic_axes={name: {0: 'N'}, 'logits': {0: 'N'}})
    with torch.no_grad():
        save_tensor(folder / 'test_data_set_0/input_0.pb', name, x.numpy())
        save_tensor(folder / 'test_data_set_0/output_0.pb', 'logits', net(x).numpy())
        if hasattr(net, 'features'):
            save_tensor(folder / 'feature_0.pb', 'feature', net.features(x).numpy())


def make_networks():
    import torch

    import networks
    torch.manual_seed(20110721)
    light = networks.settle(networks.LightCurveNet(8, 6), torch.randn(16, 9, 75))
    x = torch.randn(3, 9, 75)
    export(HERE / 'light_curve', light, x, 'light_curve')
    export(HERE / 'light_curve_unfolded', light, x, 'light_curve', preserve=True)
    light.pool = 'adaptive'
    export(HERE / 'light_curve_adaptive', light, x, 'light_curve', opset=17)
    export(HERE / 'image', networks.settle(networks.image_net(12, 4, 6, 8), torch.randn(8, 2, 12, 12)), torch.randn(2, 2, 12, 12),
           'image', opset=11)
    resnet = networks.settle(networks.ResNet((2, 1, 1), 4, 5), torch.randn(8, 3, 33, 33))
    export(HERE / 'bottleneck', resnet, torch.randn(2, 3, 33, 33), 'image')
    export(HERE / 'mixture', networks.settle(networks.Mixture(), torch.randn(8, 4, 11, 13)), torch.randn(3, 4, 11, 13), 'x', opset=12)
    model = onnx.load(str(HERE / 'light_curve/model.onnx'))
    helper.set_model_props(model, {'burst.kind': '"light_curve"', 'burst.bin_s': '0.064'})
    onnx.save(model, str(HERE / 'light_curve/model.onnx'))


# ---- seeds ----

F, I64 = TensorProto.FLOAT, TensorProto.INT64


def value(name, shape, kind=F):
    return helper.make_tensor_value_info(name, kind, shape)


def weights(name, *shape, fill=None):
    n = int(np.prod(shape))
    data = np.full(shape, fill, np.float32) if fill is not None else ((np.arange(n) % 7 - 3) / 4).astype(np.float32).reshape(shape)
    return numpy_helper.from_array(data, name)


def ints(name, *data):
    return numpy_helper.from_array(np.array(data, np.int64), name)


def model(nodes, inputs=None, outputs=None, init=(), opset=13, ir=7, **more):
    inputs = [value('x', ['N', 3, 8])] if inputs is None else inputs
    outputs = [value('y', None)] if outputs is None else outputs
    graph = helper.make_graph(list(nodes), 'g', inputs, outputs, list(init))
    return helper.make_model(graph, opset_imports=[helper.make_opsetid('', opset)], ir_version=ir, **more)


def node(op, inputs='x', outputs='y', name='n', **attributes):
    return helper.make_node(op, inputs.split(), outputs.split(), name=name, **attributes)


CONV = weights('w', 4, 3, 3)
conv = node('Conv', 'x w', kernel_shape=[3])


def changed(m, change):
    change(m)
    return m


def with_tensor(change):
    """A convolution whose weights were changed."""
    m = model([conv], init=[CONV])
    change(m.graph.initializer[0])
    return m


def big_dims(*dims):
    def change(t):
        del t.dims[:]
        t.dims.extend(dims)
    return with_tensor(change)


def external(t):
    t.data_location = TensorProto.EXTERNAL
    e = t.external_data.add()
    e.key, e.value = 'location', '/etc/passwd'


def norm(**arrays):
    parts = {k: weights(k, 3, fill=v) for k, v in {'s': 1, 'b': 0, 'm': 0, 'v': 1, **arrays}.items()}
    return parts.values()


def nested(depth):
    """Subgraphs within subgraphs, as bytes: deeper than any stack."""
    inner = b''
    for _ in range(depth):
        for tag in (b'\x32', b'\x2a', b'\x0a'):  # attribute.g, node.attribute, graph.node
            size, length = len(inner), b''
            while True:
                length += bytes([size & 0x7f | (0x80 if size > 0x7f else 0)])
                size >>= 7
                if not size:
                    break
            inner = tag + length + inner
    return b'\x08\x07\x3a' + bytes([len(inner) & 0x7f | 0x80, len(inner) >> 7]) + inner


def refused():
    """name: (file, code, words of the error)."""
    good = model([conv], init=[CONV]).SerializeToString()
    relu = node('Relu')
    batch = "mix or move the samples of a batch"
    gemm = weights('w', 3, 5)
    rows = [value('x', ['N', 3])]
    constant_of_1d = helper.make_node('Constant', [], ['c'], name='c', value_string='text')
    sub = helper.make_graph([relu], 's', [], [value('y', None)])
    table = {
        'empty': (b'', 'truncated', 'the file is empty'),
        'cut_in_half': (good[:len(good) // 2], 'truncated', 'cut short'),
        'cut_last_byte': (good[:-1], 'truncated', 'cut short'),
        'text': (b'Dear sir, this is no model.', 'format', 'not an ONNX file'),
        'group_wire': (b'\x0b' + good, 'format', 'wire type 3'),
        'field_zero': (b'\x00\x00' + good, 'format', 'field 0'),
        'long_varint': (b'\x08' + b'\xff' * 11 + good, 'format', 'more than 10 bytes'),
        'graph_is_number': (b'\x08\x07\x38\x01', 'format', 'is a number'),
        'name_is_number': (b'\x08\x07\x42\x04\x0a\x00\x10\x0d\x3a\x02\x10\x01', 'format', 'schema'),
        'nested_subgraphs': (nested(900), 'unsupported', 'subgraph'),
        'if': (model([node('If', then_branch=sub, else_branch=sub)]), 'unsupported', 'a subgraph'),
        'no_graph': (changed(model([relu]), lambda m: m.ClearField('graph')), 'model', 'holds no graph'),
        'ir_2': (model([relu], ir=2), 'unsupported', 'IR version 2'),
        'ir_9': (model([relu], ir=9), 'unsupported', 'IR version 9'),
        'opset_10': (model([relu], opset=10), 'unsupported', 'opset 10; 11 to 17'),
        'opset_18': (model([relu], opset=18), 'unsupported', 'opset 18'),
        'no_opset': (changed(model([relu]), lambda m: m.ClearField('opset_import')), 'unsupported', 'opset 0'),
        'functions': (changed(model([relu]), lambda m: m.functions.add()), 'unsupported', 'functions'),
        'training': (changed(model([relu]), lambda m: m.training_info.add()), 'unsupported', 'training information'),
        'sparse': (changed(model([relu]), lambda m: m.graph.sparse_initializer.add()), 'unsupported', 'sparse initialisers'),
        'sequence_input': (model([relu], inputs=[helper.make_tensor_sequence_value_info('x', F, [1])]), 'unsupported', 'sequence type'),
        'unknown_operator': (model([node('Erf', name='act_7')]), 'unsupported', "node 'act_7': operator Erf is not supported"),
        'other_domain': (model([helper.make_node('Gelu', ['x'], ['y'], name='n', domain='com.microsoft')]), 'unsupported',
                         'operator Gelu of domain com.microsoft'),
        'no_operator': (changed(model([relu]), lambda m: m.graph.node[0].ClearField('op_type')), 'unsupported', "operator  is not"),
        'shape_node': (model([node('Shape')]), 'unsupported', 'operator Shape'),
        'no_output': (model([relu], outputs=[]), 'model', 'no output'),
        'output_unmade': (model([relu], outputs=[value('z', None)]), 'missing', "output 'z' is made by no node"),
        'output_twice': (model([relu], outputs=[value('y', None)] * 2), 'conflict', "listed twice"),
        'output_unnamed': (model([relu], outputs=[value('', None)]), 'format', "no name"),
        'missing_weights': (model([conv]), 'missing', "node 'n' (Conv) needs 'w', which is no input, initialiser or output"),
        'cycle': (model([node('Add', 'x b', 'a', 'first'), node('Relu', 'a', 'b', 'second')], outputs=[value('b', None)]), 'model',
                  "node 'first' (Add) needs 'b', which node 1 ('second') makes later"),
        'self_cycle': (model([node('Add', 'x y')]), 'model', 'wrong order or a cycle'),
        'tensor_twice': (model([relu, node('Sigmoid')]), 'conflict', "'y': the file defines that tensor twice"),
        'weights_twice': (model([conv], init=[CONV, CONV]), 'conflict', "initialiser 'w'"),
        'input_twice': (model([relu], inputs=[value('x', ['N', 3]), value('y', ['N', 3])]), 'conflict', 'twice'),
        'weights_unnamed': (with_tensor(lambda t: t.ClearField('name')), 'format', 'initialiser has no name'),
        'long_name': (model([node('Relu', outputs='y' * 300)], outputs=[value('y' * 300, None)]), 'limit', 'more than 255 characters'),
        'inputs_few': (model([node('Conv', 'x')]), 'shape', "(Conv) has 1 inputs, not 2 to 3"),
        'inputs_many': (model([node('Relu', 'x x')]), 'shape', "has 2 inputs"),
        'input_left_out': (model([helper.make_node('Conv', ['x', ''], ['y'], name='n')]), 'missing', 'input 1 is left out'),
        'no_node_output': (model([helper.make_node('Relu', ['x'], [], name='n'), node('Sigmoid')]), 'model', "has no output"),
        'attribute_unknown': (model([node('Relu', slope=0.1)]), 'unsupported', "node 'n' (Relu): attribute 'slope'"),
        'attribute_type': (model([node('Conv', 'x w', group=1.0)], init=[CONV]), 'format', 'attribute group is not an integer'),
        'attribute_bool': (model([node('MaxPool', kernel_shape=[2], ceil_mode=2)]), 'range', 'attribute ceil_mode is neither 0 nor 1'),
        'attribute_nan': (model([node('Gemm', 'x w', alpha=float('nan'))], inputs=rows, init=[gemm]), 'range', 'alpha is not finite'),
        'auto_pad': (model([node('Conv', 'x w', auto_pad='SAME')], init=[CONV]), 'unsupported', 'none of NOTSET'),
        'negative_pad': (model([node('Conv', 'x w', pads=[-1, 0])], init=[CONV]), 'range', 'attribute pads has a value out of range'),
        'zero_stride': (model([node('Conv', 'x w', strides=[0])], init=[CONV]), 'range', 'attribute strides'),
        'huge_stride': (model([node('Conv', 'x w', strides=[1 << 40])], init=[CONV]), 'range', 'attribute strides'),
        'odd_pads': (model([node('Conv', 'x w', pads=[1, 1, 1])], init=[CONV]), 'shape', 'odd length'),
        'lists_differ': (model([node('Conv', 'x w', pads=[1, 1], strides=[1, 1])], init=[CONV]), 'shape', 'another length'),
        'conv_3d': (model([node('Conv', 'x w', strides=[1, 1, 1])], init=[CONV]), 'unsupported', '1 or 2 dimensions'),
        'conv_3d_input': (model([node('Conv', 'x w')], inputs=[value('x', ['N', 3, 4, 4, 4])], init=[weights('w', 2, 3, 1, 1, 1)]),
                          'unsupported', 'one or two spatial dimensions'),
        'conv_rows': (model([node('Conv', 'x w')], inputs=rows, init=[CONV]), 'shape', "node 'n' (Conv)"),
        'no_kernel': (model([node('MaxPool')]), 'missing', 'no attribute kernel_shape'),
        'no_axis': (model([node('Concat', 'x x')]), 'missing', 'no attribute axis'),
        'pool_indices': (model([node('MaxPool', outputs='y i', kernel_shape=[2])]), 'unsupported', "its output 1 ('i')"),
        'pool_padding': (model([node('MaxPool', kernel_shape=[2], pads=[2, 0])]), 'shape', 'not smaller than its kernel'),
        'norm_training': (model([node('BatchNormalization', 'x s b m v', training_mode=1)], init=norm(), opset=15), 'unsupported',
                          'only inference'),
        'norm_channels': (model([node('BatchNormalization', 'x s b m v')], inputs=[value('x', ['N', 4, 8])], init=norm()), 'shape',
                          'its scale has 3 elements, not one for each of 4'),
        'norm_variance': (model([node('BatchNormalization', 'x s b m v')], init=norm(v=-1)), 'range', 'channel 0 has variance'),
        'norm_overflow': (model([conv, node('BatchNormalization', 'y s b m v', 'z', 'bn')], outputs=[value('z', None)],
                                init=[weights('w', 3, 3, 3, fill=1e38), *norm(s=1e5)]), 'range', "node 'bn' (BatchNormalization)"),
        'dropout_training': (model([node('Dropout', 'x r t')], init=[weights('r'), numpy_helper.from_array(np.array(True), 't')]),
                             'unsupported', 'training mode'),
        'constant_text': (model([constant_of_1d, relu]), 'unsupported', "node 'c' (Constant)"),
        'weights_nan': (model([conv], init=[weights('w', 4, 3, 3, fill=np.nan)]), 'range', "initialiser 'w': element 0 is nan"),
        'weights_inf': (model([conv], init=[weights('w', 4, 3, 3, fill=-np.inf)]), 'range', 'element 0 is -inf'),
        'weights_float16': (model([conv], init=[numpy_helper.from_array(np.zeros((4, 3, 3), np.float16), 'w')]), 'unsupported',
                            "initialiser 'w' is of type FLOAT16"),
        'weights_integer': (model([conv], init=[numpy_helper.from_array(np.zeros((4, 3, 3), np.int64), 'w')]), 'unsupported',
                            "its input 'w' is not of type FLOAT"),
        'weights_external': (with_tensor(external), 'unsupported', "keeps its data in another file"),
        'weights_short': (with_tensor(lambda t: setattr(t, 'raw_data', t.raw_data[:-4])), 'shape',
                          "initialiser 'w' has 36 elements by its shape and 35 in its data"),
        'weights_ragged': (with_tensor(lambda t: setattr(t, 'raw_data', t.raw_data + b'z')), 'shape', '36 elements'),
        'weights_huge': (big_dims(1 << 20, 1 << 20, 1 << 20), 'limit', "initialiser 'w': a tensor of shape [1048576, 1048576, 1048576]"),
        'weights_overflow': (big_dims(1 << 62, 4, 4), 'limit', 'at most 268435456 elements'),
        'weights_negative': (big_dims(-4, 3, -3), 'limit', '[-4, 3, -3]'),
        'weights_rank': (big_dims(*[1] * 9), 'shape', '9 dimensions; at most 8'),
        'weights_computed': (model([node('Relu', 'v', 'w', 'r'), conv], inputs=[value('x', [1, 3, 8]), value('v', [4, 3, 3])]),
                             'unsupported', "node 'n' (Conv): its weights are computed"),
        'channels': (model([conv], init=[weights('w', 4, 2, 3)]), 'shape', 'channels (per group) of weights and input differ: 2 and 3'),
        'groups': (model([node('Conv', 'x w', group=2)], init=[CONV]), 'shape', 'groups do not divide'),
        'group_zero': (model([node('Conv', 'x w', group=0)], init=[CONV]), 'shape', 'groups do not divide'),
        'kernel_differs': (model([node('Conv', 'x w', kernel_shape=[5])], init=[CONV]), 'shape', 'kernel_shape and weights differ: 5 and 3'),
        'bias_size': (model([node('Conv', 'x w b')], init=[CONV, weights('b', 3)]), 'shape', 'sizes of bias and output channels differ'),
        'window_large': (model([node('Conv', 'x w')], init=[weights('w', 1, 3, 9)]), 'shape', 'larger than the padded input: 9 and 8'),
        'gemm_size': (model([node('Gemm', 'x w')], inputs=[value('x', ['N', 4])], init=[gemm]), 'shape', '4 inputs meet weights for 3'),
        'gemm_bias': (model([node('Gemm', 'x w b')], inputs=rows, init=[gemm, weights('b', 4)]), 'unsupported', 'constant of 1 or 5'),
        'gemm_overflow': (model([node('Gemm', 'x w', alpha=3e38)], inputs=rows, init=[weights('w', 3, 5, fill=9)]), 'range', 'alpha or beta'),
        'gemm_rank': (model([node('Gemm', 'x w')], init=[gemm]), 'shape', 'takes matrices; its input is [N, 3, 8]'),
        'matmul_size': (model([node('MatMul', 'x w')], inputs=[value('x', ['N', 4])], init=[gemm]), 'shape', '4 columns meet 3 rows'),
        'matmul_vector': (model([node('MatMul', 'x w')], init=[weights('w', 8)]), 'unsupported', 'matrices'),
        'add_shapes': (model([node('Add', 'x w')], init=[weights('w', 3, 7)]), 'shape', 'shapes [1, 3, 8] and [3, 7] do not fit'),
        'concat_shapes': (model([node('Concat', 'x z', axis=1)], inputs=[value('x', ['N', 3, 8]), value('z', ['N', 3, 9])]), 'shape',
                          'input 1 does not fit the first'),
        'concat_axis': (model([node('Concat', 'x x', axis=3)]), 'shape', 'axis 3 of a tensor of 3 dimensions'),
        'reshape_size': (model([node('Reshape', 'x s')], init=[ints('s', -1, 7)]), 'shape', "does not divide the elements; its input is [N, 3, 8]"),
        'reshape_two': (model([node('Reshape', 'x s')], init=[ints('s', -1, -1)]), 'shape', 'two -1'),
        'reshape_negative': (model([node('Reshape', 'x s')], init=[ints('s', -1, -2)]), 'shape', 'out of range'),
        'reshape_overflow': (model([node('Reshape', 'x s')], init=[ints('s', -1, 1 << 40, 1 << 40)]), 'shape', 'out of range'),
        'reshape_computed': (model([node('Reshape', 'x s')], inputs=[value('x', ['N', 3, 8]), value('s', ['N'])]), 'unsupported',
                             'its shape is not a constant list of integers'),
        'squeeze_two': (model([node('Squeeze', 'x a')], init=[ints('a', 1)]), 'shape', 'not 1'),
        'unsqueeze_many': (model([node('Unsqueeze', 'x a')], init=[ints('a', *range(1, 8))]), 'shape', 'too many dimensions'),
        'axis_twice': (model([node('ReduceMean', axes=[1, 1])]), 'shape', 'axis 1 is given twice'),
        'mean_apart': (model([node('ReduceMean', axes=[1, 3])], inputs=[value('x', ['N', 3, 4, 4])]), 'unsupported', 'not next to'),
        'transpose_length': (model([node('Transpose', perm=[0, 1])]), 'shape', 'another length'),
        'batch_flatten': (model([node('Flatten', axis=0)]), 'unsupported', batch),
        'batch_reshape': (model([node('Reshape', 'x s')], init=[ints('s', 1, -1)]), 'unsupported', batch),
        'batch_transpose': (model([node('Transpose', perm=[1, 0, 2])]), 'unsupported', batch),
        'batch_mean': (model([node('ReduceMean')]), 'unsupported', batch),
        'batch_concat': (model([node('Concat', 'x x', axis=0)]), 'unsupported', batch),
        'batch_softmax': (model([node('Softmax', axis=0)]), 'unsupported', batch),
        'batch_add': (model([node('Add', 'x w')], init=[weights('w', 2, 3, 8)]), 'unsupported', batch),
        'batch_grow': (model([node('Add', 'x w')], init=[weights('w', 1, 1, 3, 8)]), 'unsupported', batch),
        'batch_unsqueeze': (model([node('Unsqueeze', 'x a')], init=[ints('a', 0)]), 'unsupported', batch),
        'batch_gemm': (model([node('Gemm', 'x w', transA=1)], inputs=[value('x', ['N', 3])], init=[weights('w', 1, 5)]), 'unsupported', batch),
        'input_integer': (model([relu], inputs=[value('x', ['N', 3], I64)]), 'unsupported', "'x' is of type INT64"),
        'input_free': (model([relu], inputs=[value('x', ['N', 3, 'L'])]), 'unsupported', 'dimension 2 is free; only the first may be'),
        'input_zero': (model([relu], inputs=[value('x', [0, 3])]), 'shape', 'dimension 0 is 0'),
        'input_negative': (model([relu], inputs=[value('x', [-5, 3])]), 'shape', 'dimension 0 is -5'),
        'input_shapeless': (model([relu], inputs=[value('x', None)]), 'shape', 'has no shape'),
        'input_typeless': (model([relu], inputs=[onnx.ValueInfoProto(name='x')]), 'format', 'without a tensor type'),
        'input_rank': (model([relu], inputs=[value('x', [1] * 9)]), 'shape', '9 dimensions'),
        'input_huge': (model([relu], inputs=[value('x', ['N', 1 << 30, 1 << 30])]), 'limit', 'at most 268435456'),
        'inputs_mixed': (model([node('Add', 'x z')], inputs=[value('x', ['N', 3]), value('z', [1, 3])]), 'unsupported', 'and the other not'),
        'output_shape': (model([conv], init=[CONV], outputs=[value('y', ['N', 4, 7])]), 'shape',
                         "output 'y' is [N, 4, 6] by its nodes and [N, 4, 7] by its declaration"),
        'output_rank': (model([conv], init=[CONV], outputs=[value('y', ['N', 24])]), 'shape', 'by its declaration'),
        'output_integer': (model([relu], outputs=[value('y', None, I64)]), 'unsupported', "'y' is of type INT64"),
        'blow_up': (model([node('Conv', 'x w', pads=[65536, 65536])] + [node('Concat', 'y ' * 63 + 'y', 'z', 'c', axis=2)] +
                          [node('Concat', 'z ' * 63 + 'z', 'u', 'd', axis=2)], init=[CONV], outputs=[value('u', None)]), 'limit',
                    'at most 268435456'),
    }
    return table


def taken():
    """Small networks that must load and run: a start for the fuzzer."""
    plane = [value('x', ['N', 2, 6, 7])]
    return {
        'conv': model([conv], init=[CONV]),
        'unit': model([node('Conv', 'x w', 'a', 'c'), node('BatchNormalization', 'a s b m v', 'z', 'bn'), node('Add', 'z x', 'u', 'add'),
                       node('Relu', 'u', 'o', 'r')], init=[weights('w', 3, 3, 1), *norm()], outputs=[value('o', ['N', 3, 8])]),
        'plane': model([node('Conv', 'x w b', 'a', 'c', pads=[1, 2, 0, 1], strides=[2, 1], dilations=[1, 2], group=2),
                        node('MaxPool', 'a', 'p', 'p', kernel_shape=[2, 2], ceil_mode=1, strides=[2, 2]),
                        node('AveragePool', 'p', 'q', 'q', kernel_shape=[1, 2], auto_pad='SAME_UPPER'),
                        node('GlobalAveragePool', 'q', 'g', 'g'), node('Flatten', 'g', 'f', 'f'),
                        node('Gemm', 'f k', 'h', 'h', transB=1, alpha=0.5), node('Softmax', 'h', 'y', 's')],
                       inputs=plane, init=[weights('w', 4, 1, 3, 2), weights('b', 4), weights('k', 3, 4)]),
        'rows': model([node('Identity', 'x', 'i', 'i'), node('Dropout', 'i', 'd', 'd'), node('Transpose', 'd', 't', 't', perm=[0, 2, 1]),
                       node('MatMul', 't w', 'm', 'm'), node('Add', 'm b', 'a', 'a'), node('Sigmoid', 'a', 's', 's'),
                       node('ReduceMean', 's', 'r', 'r', axes=[-1], keepdims=1), node('Squeeze', 'r ax', 'q', 'q'),
                       node('Unsqueeze', 'q ax', 'u', 'u'), node('Reshape', 'u sh', 'v', 'v'), node('Concat', 'v v', 'y', 'k', axis=-1)],
                      init=[weights('w', 3, 5), weights('b', 5), ints('ax', 2), ints('sh', 0, -1)]),
    }


def make_seeds():
    SEEDS.mkdir(parents=True, exist_ok=True)
    for old in SEEDS.glob('*.onnx'):
        old.unlink()
    lines = []
    for name, (content, code, words) in refused().items():
        (SEEDS / f'{name}.onnx').write_bytes(content if isinstance(content, bytes) else content.SerializeToString())
        lines.append(f'{name}\t{code}\t{words}\n')
    for name, content in taken().items():
        (SEEDS / f'taken_{name}.onnx').write_bytes(content.SerializeToString())
    (HERE / 'refused.tsv').write_text(''.join(lines))


if __name__ == '__main__':
    for part in sys.argv[1:] or ('networks', 'seeds'):
        {'networks': make_networks, 'seeds': make_seeds}[part]()
