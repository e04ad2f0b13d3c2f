#!/usr/bin/python3
"""What a precision costs by rounding alone, without a GPU: the shipped networks in PyTorch on the cpu with operands rounded as the
device rounds them, beside the same in float. The bounds of checks.py stand on it.

  rounding.py [--windows N]

tf32: operands of every convolution to 10 bits of mantissa, to nearest, ties away; tf32-cut: to the 10 bits that are there, which is
what a tensor core does with a float that nobody rounded. bf16: those and everything that lies in memory
between two steps, to nearest, ties to even; sums in float. Dense heads in float. Prints, for each precision, the largest norm of
a difference over any convolution's result, that of all answers, the worst answer, and verdicts that changed."""
import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
import onnx
import torch

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / 'tests/bench/gpu'))
import checks  # noqa: E402
import peers  # noqa: E402
import places  # noqa: E402


def tf32(x):
    return ((x.contiguous().view(torch.int32) + 0x1000) & ~0x1fff).view(torch.float32)


def tf32_cut(x):
    return (x.contiguous().view(torch.int32) & ~0x1fff).view(torch.float32)


def bf16(x):
    return x.to(torch.bfloat16).float()


def same(x):
    return x


class Rounded:
    """Runs a network with rounded operands; `stored` rounds what lies in memory, after each ReLU and each shortcut."""

    def __init__(self, net, operand, stored):
        self.net, self.results, self.hooks = net, [], []
        for layer in net.modules():
            if isinstance(layer, (torch.nn.Conv1d, torch.nn.Conv2d)):
                layer.weight.data = operand(layer.weight.data)
                self.hooks.append(layer.register_forward_pre_hook(lambda _, x: (operand(x[0]),)))
                self.hooks.append(layer.register_forward_hook(lambda _, x, y: self.results.append(y)))
            if isinstance(layer, torch.nn.ReLU):
                self.hooks.append(layer.register_forward_hook(lambda _, x, y: stored(y) if y.dim() > 2 else y))
        self.stored = stored

    def __call__(self, x):
        relu, self.results = torch.relu, []
        torch.relu = lambda y: self.stored(relu(y))
        try:
            return self.net(self.stored(x))
        finally:
            torch.relu = relu


def compare(folder, x, precision):
    operand, stored = {'tf32': (tf32, same), 'tf32-cut': (tf32_cut, same), 'bf16': (bf16, bf16)}[precision]
    plain, rounded = Rounded(peers.network(folder), same, same), Rounded(peers.network(folder), operand, stored)
    want, got, layer = [], [], 0.0
    for i in range(0, len(x), 32):
        want.append(plain(x[i:i + 32]))
        got.append(rounded(x[i:i + 32]))
        layer = max(layer, *(float((b - a).norm() / a.norm()) for a, b in zip(plain.results, rounded.results)))
    want, got = torch.cat(want), torch.cat(got)
    meta = {p.key: p.value for p in onnx.load(str(folder / 'model.onnx')).metadata_props}
    flipped, moved = checks.flips(list(zip(want.tolist(), got.tolist())), meta)
    far = (got - want).abs() / want.abs().clamp(min=1)
    return [precision, len(x), layer, float((got - want).norm() / want.norm()), float(far.max()), float(far.flatten().kthvalue(max(1, int(.99 * far.numel()))).values), flipped, moved]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--windows', type=int, default=512)
    a = parser.parse_args()
    torch.set_grad_enabled(False)
    sim = pathlib.Path(os.environ.get('BURST_BUILD', ROOT / 'build/release')) / 'burst-sim'
    for model, what in (('models/gecam-resnet-mscfm/1', 'lightcurves'), ('models/eclairs-cnn/1', 'images')):
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run([sim, what, '--n', str(a.windows), '--seed', '4711', '--out', folder], check=True, stdout=subprocess.DEVNULL, env=dict(os.environ, BURST_DATADIR=str(ROOT)))
            if what == 'lightcurves':
                places.window_floats(folder, f'{folder}/x.f32')
                x = torch.from_numpy(np.fromfile(f'{folder}/x.f32', '<f4').reshape(-1, 9, 1875))
            else:
                x = torch.from_numpy(np.load(f'{folder}/x.npy'))
        print(f'{model}, seed 4711: n, worst convolution (norm), answers (norm), worst answer, 99 %, flipped, to or from unclear')
        for precision in ('tf32', 'tf32-cut', 'bf16'):
            print('  ' + '  '.join(f'{v:.2g}' if isinstance(v, float) else json.dumps(v) for v in compare(ROOT / model, x, precision)), flush=True)


if __name__ == '__main__':
    main()
