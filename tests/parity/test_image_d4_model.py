#!/usr/bin/python3
"""The shipped symmetric network, its file read node by node with PyTorch's own functions: golden logits, golden occlusion maps, and
one answer for all eight views. Nothing of the code that wrote the file is used."""
import json
import sys

from report import ROOT, case, exit_status

MODEL = ROOT / 'models/eclairs-d4/1'


def convolve(torch, node, x, weights):
    at = {a.name: list(a.ints) for a in node.attribute}
    kernel = weights[node.input[1]]
    bias = weights[node.input[2]] if len(node.input) > 2 else None
    if at['pads'][:2] != at['pads'][2:]:
        raise ValueError(f'{node.name}: uneven pads')
    return torch.nn.functional.conv2d(x, kernel, bias, at['strides'], at['pads'][:2], at['dilations'])


def answers(torch, graph, weights, x):
    """The network's output, by the operators that such a file may hold."""
    values = {graph.input[0].name: x}
    for node in graph.node:
        given = [values[i] for i in node.input if i in values]
        if node.op_type == 'Conv':
            y = convolve(torch, node, given[0], weights)
        elif node.op_type == 'MaxPool':
            y = torch.nn.functional.max_pool2d(given[0], 2)
        else:
            y = {'Relu': torch.relu, 'Add': torch.add, 'Flatten': torch.flatten}[node.op_type](*given, *([1] if node.op_type == 'Flatten' else []))
        values[node.output[0]] = y
    return values[graph.output[0].name]


class Network:
    def __init__(self, torch, numpy_helper, graph):
        self.torch, self.graph = torch, graph
        self.weights = {t.name: torch.from_numpy(numpy_helper.to_array(t).copy()) for t in graph.initializer}

    def eval(self):
        return self

    def __call__(self, x):
        return answers(self.torch, self.graph, self.weights, x)


def metadata(model):
    meta = {p.key: json.loads(p.value) for p in model.metadata_props}
    want = {'burst.kind': 'image', 'burst.image_clip': [-10, 30], 'burst.image_scale': 5,
            'burst.mask_encoding': {'kind': 'scalar', 'scale': 3}, 'burst.classes': ['false', 'true'],
            'burst.thresholds': {'open': 0.5, 'low': 0.2, 'high': 0.8}, 'burst.version': MODEL.name}
    case('d4_metadata_say_what_the_input_is', {k: meta.get(k) for k in want if meta.get(k) != want[k]})
    case('d4_temperature_is_a_number', None if 0.3 < meta['burst.temperature'] < 5 else meta['burst.temperature'])
    ends = (model.graph.input[0], model.graph.output[0])
    shapes = [(e.name, [d.dim_param or d.dim_value for d in e.type.tensor_type.shape.dim]) for e in ends]
    case('d4_input_and_output_have_a_free_batch', None if shapes == [('image', ['N', 2, 56, 56]), ('logits', ['N', 1])] else shapes)


def parity(numpy, onnx, torch, numpy_helper, model):
    from burst_training import image_explain

    def tensor(path):
        return numpy_helper.to_array(onnx.load_tensor(str(path)))
    net = Network(torch, numpy_helper, model.graph)
    x, y = tensor(MODEL / 'test_data_set_0/input_0.pb'), tensor(MODEL / 'test_data_set_0/output_0.pb')
    off = abs(image_explain.logits(net, x)[:, None] - y).max()
    case('d4_golden_logits_are_pytorchs', None if y.shape == (4, 1) and off < 1e-4 else f'{y.shape}, off by {off}')
    case('d4_golden_inputs_are_true_and_false', None if (y[:, 0] > 0).tolist() == [True, False, False, True] else y.tolist())
    views = [numpy.ascontiguousarray(numpy.rot90(x[..., ::-1] if m else x, k, (-2, -1))) for m in (0, 1) for k in range(4)]
    off = max(abs(image_explain.logits(net, v)[:, None] - y).max() for v in views)
    case('d4_eight_views_have_one_answer', None if off < 1e-4 else off)
    maps = tensor(ROOT / 'tests/golden/occlusion/eclairs-d4_1.pb')
    off = abs(image_explain.occlusion(net, x[0]) - maps[0]).max()
    case('d4_golden_occlusion_is_pytorchs', None if maps.shape == (2, 56, 56) and off < 1e-3 else f'{maps.shape}, off by {off}')


def main():
    try:
        import numpy
        import onnx
        import torch
        from onnx import numpy_helper
    except ImportError as why:
        print(f'skip symmetric_network_against_pytorch: {why}')
        return 0
    torch.set_num_threads(1)
    sys.path.insert(0, str(ROOT / 'training'))
    model = onnx.load(str(MODEL / 'model.onnx'))
    metadata(model)
    parity(numpy, onnx, torch, numpy_helper, model)
    return exit_status()


if __name__ == '__main__':
    sys.exit(main())
