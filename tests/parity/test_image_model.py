#!/usr/bin/python3
"""The shipped image network against PyTorch: the weights inside model.onnx, put into the network of burst_training/image.py,
must give the golden logits and the golden occlusion maps; and the turning of training images must keep the trigger pixel."""
import json
import sys

from report import ROOT, case, exit_status

MODEL = ROOT / 'models/eclairs-cnn/1'
sys.path.insert(0, str(ROOT / 'training'))


def metadata(model):
    meta = {p.key: json.loads(p.value) for p in model.metadata_props}
    want = {'burst.kind': 'image', 'burst.image_clip': [-10, 30], 'burst.image_scale': 5,
            'burst.mask_encoding': {'kind': 'scalar', 'scale': 3}, 'burst.classes': ['false', 'true'],
            'burst.thresholds': {'open': 0.5, 'low': 0.2, 'high': 0.8}, 'burst.version': MODEL.name}
    case('image_metadata_say_what_the_input_is', {k: meta.get(k) for k in want if meta.get(k) != want[k]})
    case('image_temperature_is_a_number', None if 0.3 < meta['burst.temperature'] < 5 else meta['burst.temperature'])
    ends = (model.graph.input[0], model.graph.output[0])
    shapes = [(e.name, [d.dim_param or d.dim_value for d in e.type.tensor_type.shape.dim]) for e in ends]
    case('image_input_and_output_have_a_free_batch',
         None if shapes == [('image', ['N', 2, 56, 56]), ('logits', ['N', 1])] else shapes)
    version = (model.opset_import[0].version, model.ir_version)
    case('image_opset_and_ir_are_allowed', None if version[0] == 13 and version[1] <= 8 else version)


def parity(model, onnx, torch, numpy, numpy_helper):
    from burst_training import image, image_explain
    net = image.ImageNet()
    stored = {t.name: torch.from_numpy(numpy_helper.to_array(t).copy()) for t in model.graph.initializer}
    n = sum(t.numel() for t in stored.values())
    case('image_file_holds_1624993_numbers_and_a_reshape', None if 1_624_993 <= n <= 1_624_995 else n)
    net.load_state_dict({k: stored[k] for k in net.state_dict()})
    net.eval()

    def tensor(path):
        return numpy_helper.to_array(onnx.load_tensor(str(path)))
    x, y = tensor(MODEL / 'test_data_set_0/input_0.pb'), tensor(MODEL / 'test_data_set_0/output_0.pb')
    off = abs(image_explain.logits(net, x)[:, None] - y).max()
    case('image_golden_logits_are_pytorchs', None if y.shape == (4, 1) and off < 1e-4 else f'{y.shape}, off by {off}')
    case('image_golden_inputs_are_true_and_false', None if (y[:, 0] > 0).tolist() == [True, False, False, True] else y.tolist())
    mask = numpy.rint(x[:, 1] * 3).astype(int)
    case('image_golden_masks_are_whole_numbers', None if abs(mask / 3 - x[:, 1]).max() < 1e-6 and set(mask.flat) == {0, 1, 2, 3} else 'no')
    maps = tensor(ROOT / 'tests/golden/occlusion/image_occlusion_0.pb')
    off = max(abs(image_explain.occlusion(net, x[i]) - maps[i]).max() for i in range(2))
    case('image_golden_occlusion_is_pytorchs', None if maps.shape == (2, 56, 56) and off < 1e-3 else f'{maps.shape}, off by {off}')
    # written out for one pixel near a corner, whose neighbourhood is cut to 4 x 3
    one = x[0].copy()
    one[0, 0:4, 0:3][mask[0, 0:4, 0:3] > 0] = 0
    one[1, 0:4, 0:3][mask[0, 0:4, 0:3] > 0] = 1 / 3
    want = image_explain.logits(net, x[:1])[0] - image_explain.logits(net, one[None])[0]
    case('image_occlusion_at_the_edge_by_hand', None if abs(maps[0, 1, 0] - want) < 1e-4 else f'{maps[0, 1, 0]} is not {want}')


def turning(numpy):
    from burst_training import image_augment
    draw = numpy.random.default_rng(1)
    x = draw.normal(size=(2, 56, 56)).astype('f4')
    turned = [image_augment.turn(x, draw) for _ in range(200)]
    case('turns_keep_the_trigger_pixel', None if all((t[:, 28, 28] == x[:, 28, 28]).all() for t in turned) else 'it moved')
    case('turns_lose_no_pixel', None if all(numpy.array_equal(numpy.sort(t.ravel()), numpy.sort(x.ravel())) for t in turned) else 'some')
    case('turns_are_the_eight_of_a_square', None if len({t.tobytes() for t in turned}) == 8 else len({t.tobytes() for t in turned}))


def main():
    try:
        import numpy
        import onnx
        import torch
        from onnx import numpy_helper
    except ImportError as why:
        print(f'skip image_network_against_pytorch: {why}')
        return 0
    torch.set_num_threads(1)
    turning(numpy)
    model = onnx.load(str(MODEL / 'model.onnx'))
    metadata(model)
    parity(model, onnx, torch, numpy, numpy_helper)
    return exit_status()


if __name__ == '__main__':
    sys.exit(main())
