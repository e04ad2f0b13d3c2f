#!/usr/bin/python3
"""Golden files of lib/infer: small networks with random weights and full metadata, and what PyTorch answers for samples that
tests/unit/infer/test_infer.c makes by the same formulas. Rebuild: ./make.py; then read the diff.

lightcurve_out.pb [4, 2]   logits of rows 0..3        lightcurve_cam.pb [118]  Grad-CAM of row 1 by autograd
image_out.pb [3]           logit; without the centre 5 x 5; with known sources declared background
image_drop.pb [56, 56]     occlusion map             small-flat: a network without global pooling"""
import json
import pathlib
import sys
import warnings

import numpy as np
import onnx
import torch
from onnx import numpy_helper

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / 'net'))
import networks  # noqa: E402

BANDS = [[25, 50], [50, 100], [50, 300], [100, 300], [100, 500], [100, 900], [300, 500], [300, 900], [500, 900]]
ATOMS = [(0, 1), (1, 2), (1, 3), (2, 3), (2, 4), (2, 5), (3, 4), (3, 5), (4, 5)]
COMMON = {'burst.version': '3', 'burst.temperature': 1.25, 'burst.thresholds': {'open': 0.5, 'low': 0.2, 'high': 0.8},
          'burst.card': 'random weights, for tests'}
LIGHT = {'burst.kind': 'light_curve', 'burst.bands_kev': BANDS, 'burst.bin_s': 0.064, 'burst.n_bin': 1875,
         'burst.standardise': 'band', 'burst.classes': ['background', 'burst']}
IMAGE = {'burst.kind': 'image', 'burst.image_clip': [-10, 30], 'burst.image_scale': 5,
         'burst.mask_encoding': {'kind': 'scalar', 'scale': 3}, 'burst.classes': ['false', 'true']}


def export(path, net, x, name, meta):
    path.parent.mkdir(parents=True, exist_ok=True)
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        torch.onnx.export(net, x, str(path), input_names=[name], output_names=['logits'], opset_version=13,
                          dynamic_axes={name: {0: 'N'}, 'logits': {0: 'N'}})
    model = onnx.load(str(path))
    onnx.helper.set_model_props(model, {k: json.dumps(v) for k, v in {**meta, **COMMON}.items()})
    onnx.save(model, str(path))


def save(name, array):
    (HERE / name).write_bytes(numpy_helper.from_array(np.ascontiguousarray(array, dtype=np.float32), name).SerializeToString())


def light_curve_input():
    """Counts of row r, atom a, bin t: (7 r + 3 a + t^2) mod 11, and 10 (r + 1) more in bins 900..999; bins t mod 10 = r missing."""
    t = np.arange(1875)
    rows = []
    for r in range(4):
        atoms = np.array([(7 * r + 3 * a + t * t) % 11 + 10 * (r + 1) * ((t >= 900) & (t < 1000)) for a in range(5)], float)
        valid = t % 10 != r
        bands = np.array([atoms[lo:hi].sum(0) for lo, hi in ATOMS])
        z = (bands - bands[:, valid].mean(1, keepdims=True)) / bands[:, valid].std(1, keepdims=True)
        rows.append(np.where(valid, z, 0))
    return torch.from_numpy(np.array(rows, np.float32))


def image_input():
    """SNR at [z][y]: ((13 z + 7 y) mod 17) / 4 - 2, 9 at the centre; mask 1, 3 at the centre, 2 at [30][31] and [10][40], 0 from
    row 50 on (where the SNR is 0)."""
    z, y = np.mgrid[:56, :56]
    snr, mask = ((13 * z + 7 * y) % 17) / 4 - 2, np.ones((56, 56))
    snr[28, 28], mask[28, 28], mask[30, 31], mask[10, 40] = 9, 3, 2, 2
    mask[50:], snr[50:] = 0, 0
    return snr, mask


def planes(snr, mask):
    return torch.from_numpy(np.array([np.clip(snr, -10, 30) / 5, mask / 3], np.float32))


def occluded(snr, mask, z, y):
    snr, mask = snr.copy(), mask.copy()
    here = np.zeros_like(mask, bool)
    here[max(z - 2, 0):z + 3, max(y - 2, 0):y + 3] = True
    here &= mask != 0
    snr[here], mask[here] = 0, 1
    return planes(snr, mask)


def make_light_curve():
    net = networks.settle(networks.LightCurveNet(8, 6), torch.randn(16, 9, 1875))
    x = light_curve_input()
    with torch.no_grad():  # logits and maps large enough to tell right from wrong
        net.f1.weight.normal_(0, 1)
        net.f2.weight.normal_(0, 1)
    export(HERE / 'small-light-curve/3/model.onnx', net, x, 'light_curve', LIGHT)
    with torch.no_grad():
        save('lightcurve_out.pb', net(x).numpy())
    maps = net.features(x[1:2]).detach().requires_grad_()
    pooled = maps.mean(-1)
    net.f2(torch.relu(net.f1(pooled)))[0, 1].backward()
    save('lightcurve_cam.pb', torch.relu((maps.grad.mean(2, keepdim=True) * maps).sum(1))[0].detach().numpy())


def make_flat():
    net = torch.nn.Sequential(torch.nn.Conv1d(9, 2, 25, 25), torch.nn.ReLU(), torch.nn.Flatten(), torch.nn.Linear(150, 2))
    export(HERE / 'small-flat/3/model.onnx', net, light_curve_input(), 'light_curve', LIGHT)


def make_image():
    net = networks.settle(networks.image_net(56, 4, 6, 8), torch.randn(8, 2, 56, 56))
    snr, mask = image_input()
    with torch.no_grad():
        net[-1].weight.mul_(100)
    export(HERE / 'small-image/3/model.onnx', net, planes(snr, mask)[None], 'image', IMAGE)
    with torch.no_grad():
        whole = net(planes(snr, mask)[None]).item()
        changed = torch.stack([occluded(snr, mask, z, y) for z in range(56) for y in range(56)])
        drop = whole - torch.cat([net(part) for part in changed.split(64)]).reshape(56, 56)
        bare = net(planes(snr, np.where(mask == 2, 1, mask))[None]).item()
    save('image_out.pb', np.array([whole, whole - drop[28, 28].item(), bare]))
    save('image_drop.pb', drop.numpy())


torch.manual_seed(20110721)
torch.set_num_threads(1)
make_light_curve()
make_image()
make_flat()
