#!/usr/bin/python3
"""The shipped light-curve network against PyTorch: the weights inside model.onnx, put into the network of
burst_training/lightcurve.py, must give the golden logits and the golden Grad-CAM."""
import json
import sys

from report import ROOT, case, exit_status

MODEL = ROOT / 'models/gecam-resnet-mscfm/1'
sys.path.insert(0, str(ROOT / 'training'))


def metadata(model):
    meta = {p.key: json.loads(p.value) for p in model.metadata_props}
    want = {'burst.kind': 'light_curve', 'burst.bin_s': 0.064, 'burst.n_bin': 1875, 'burst.standardise': 'band',
            'burst.classes': ['background', 'burst']}
    wrong = {k: meta.get(k) for k in want if meta.get(k) != want[k]}
    case('metadata_say_what_the_input_is', wrong)
    case('nine_bands_with_300_500', None if len(meta['burst.bands_kev']) == 9 and [300, 500] in meta['burst.bands_kev'] else
         meta['burst.bands_kev'])
    case('file_version_is_the_folders', None if meta['burst.version'] == MODEL.name else meta['burst.version'])
    ends = (model.graph.input[0], model.graph.output[0])
    shapes = [(e.name, [d.dim_param or d.dim_value for d in e.type.tensor_type.shape.dim]) for e in ends]
    case('input_and_output_have_a_free_batch', None if shapes == [('light_curve', ['N', 9, 1875]), ('logits', ['N', 2])] else shapes)
    case('opset_and_ir_are_allowed', None if 11 <= model.opset_import[0].version <= 17 and model.ir_version <= 8 else model.ir_version)


def parity(model, torch, numpy_helper, onnx):
    from burst_training.lightcurve import COUNTED, LightCurveNet, grad_cam
    net, stored = LightCurveNet(), {t.name: torch.from_numpy(numpy_helper.to_array(t).copy()) for t in model.graph.initializer}
    net.load_state_dict({k: stored[k] if k in stored else v for k, v in net.state_dict().items()})
    case('file_holds_every_parameter', [k for k, _ in net.named_parameters() if k not in stored])
    case('parameters_are_counted_right', None if sum(p.numel() for p in net.parameters()) == COUNTED[(7, 5, 3), True] == 1_060_034 else 'not 1,060,034')

    def tensor(path):
        return numpy_helper.to_array(onnx.load_tensor(str(path)))
    x, y = tensor(MODEL / 'test_data_set_0/input_0.pb'), tensor(MODEL / 'test_data_set_0/output_0.pb')
    net.eval()
    with torch.no_grad():
        z = net(torch.from_numpy(x.copy())).numpy()
    case('golden_logits_are_pytorchs', None if abs(z - y).max() < 1e-4 else f'off by {abs(z - y).max()}')
    case('golden_inputs_are_a_burst_and_a_quiet_sky', None if y[0, 1] > y[0, 0] and y[1, 1] < y[1, 0] else y.tolist())
    cam = tensor(ROOT / 'tests/golden/cam/lightcurve_cam_0.pb')
    off = abs(grad_cam(net, torch.from_numpy(x.copy())).numpy() - cam).max()
    case('golden_grad_cam_is_pytorchs', None if cam.shape == (2, 118) and off < 1e-3 else f'{cam.shape}, off by {off}')


def main():
    try:
        import onnx
        import torch
        from onnx import numpy_helper
    except ImportError as why:
        print(f'skip light_curve_network_against_pytorch: {why}')
        return 0
    model = onnx.load(str(MODEL / 'model.onnx'))
    metadata(model)
    parity(model, torch, numpy_helper, onnx)
    return exit_status()


if __name__ == '__main__':
    sys.exit(main())
