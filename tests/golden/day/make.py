#!/usr/bin/python3
"""A light-curve network of 7,762 parameters for tests that judge a whole day: trained like the shipped one on windows of
`burst-sim lightcurves`, far cheaper to run, and worse. Not for users. Rebuild: ./make.py (two minutes); then read the diff."""
import os
import pathlib
import subprocess
import sys
import tempfile
import warnings

import numpy as np
import torch
from torch import nn

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[2]
sys.path.insert(0, str(ROOT / 'training'))
import common  # noqa: E402
from lightcurve_export import BANDS_KEV, name_features, unshare_initializers  # noqa: E402
from lightcurve_train import logits  # noqa: E402

SEEDS, EPOCHS, BATCH, RATE = {'train': (9001, 24000), 'validate': (9002, 6000), 'test': (9003, 6000)}, 24, 64, 4e-3
FALSE_MOST = 0.002  # of quiet and other windows in the validation set called a burst: three detectors of 25 open an event


def conv(n_in, n_out, kernel, stride):
    return nn.Sequential(nn.Conv1d(n_in, n_out, kernel, stride, kernel // 2, bias=False), nn.BatchNorm1d(n_out), nn.ReLU())


class SmallNet(nn.Module):
    """[N, 9, 1875] -> 469 -> 118 -> 59 -> 30 bins -> [N, 2]."""

    def __init__(self):
        super().__init__()
        self.units = nn.Sequential(conv(9, 16, 7, 4), conv(16, 24, 5, 4), conv(24, 24, 5, 2), conv(24, 24, 3, 2))
        self.pool = nn.AdaptiveAvgPool1d(1)
        self.head = nn.Sequential(nn.Flatten(), nn.Linear(24, 2))

    def forward(self, x):
        return self.head(self.pool(self.units(x)))


def train(net, part):
    draw = np.random.default_rng(1)
    optimiser = torch.optim.AdamW(net.parameters(), RATE, weight_decay=1e-3)
    n_step = len(part) // BATCH
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, EPOCHS * n_step, pct_start=0.15)
    loss_of = nn.CrossEntropyLoss()
    for epoch in range(EPOCHS):
        net.train()
        order, total = draw.permutation(len(part)), 0.0
        for step in range(n_step):
            pick = np.sort(order[step * BATCH:(step + 1) * BATCH])
            loss = loss_of(net(torch.from_numpy(part.x[pick])), torch.from_numpy(part.y[pick]))
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
            total += float(loss)
        common.say(f'epoch {epoch + 1}/{EPOCHS} loss {total / n_step:.4f}')


def export(net, path, props):
    path.parent.mkdir(parents=True, exist_ok=True)
    net.eval()
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        torch.onnx.export(net, torch.zeros(1, 9, 1875), str(path), opset_version=13, input_names=['light_curve'], output_names=['logits'],
                          do_constant_folding=False, training=torch.onnx.TrainingMode.PRESERVE,
                          dynamic_axes={'light_curve': {0: 'N'}, 'logits': {0: 'N'}})
    common.finish_onnx(str(path), props, unshare_initializers, name_features)


def main():
    build = os.environ.get('BURST_BUILD', ROOT / 'build/release')
    torch.manual_seed(1)
    torch.set_num_threads(2)
    net = SmallNet()
    with tempfile.TemporaryDirectory() as folder:
        for name, (seed, n) in SEEDS.items():
            subprocess.run([f'{build}/burst-sim', 'lightcurves', '--mission', 'gecam-b', '--n', str(n), '--seed', str(seed), '--out', f'{folder}/{name}'],
                           check=True, env=dict(os.environ, BURST_DATADIR=str(ROOT)))
        part = {name: common.Samples(f'{folder}/{name}') for name in SEEDS}
        common.check_split(part)
        train(net, part['train'])
        temperature = common.fit_temperature(logits(net, part['validate']), part['validate'].y)
        limit = float(np.quantile(logits(net, part['validate'])[part['validate'].y == 0], 1 - FALSE_MOST))
        with torch.no_grad():
            net.head[1].bias[1] -= max(limit, 0.0)
        f = common.figures(part['test'], logits(net, part['test']), temperature)
    n = sum(p.numel() for p in net.parameters())
    text = (f'For tests: {n:,} parameters; of {f["n"]} simulated windows {common.percent(f["recall"])} of bursts and '
            f'{common.percent(f["false_positive_rate"])} of others are called a burst')
    props = {'burst.kind': 'light_curve', 'burst.version': '1', 'burst.bands_kev': BANDS_KEV, 'burst.bin_s': 0.064, 'burst.n_bin': 1875,
             'burst.standardise': 'band', 'burst.classes': ['background', 'burst'], 'burst.temperature': round(temperature, 4),
             'burst.thresholds': {'open': 0.5, 'low': 0.2, 'high': 0.8}, 'burst.card': text}
    export(net, HERE / 'small-curve/1/model.onnx', props)
    (HERE / 'small-curve/1/card.md').write_text(f'# small-curve, version 1\n\n{text}.\nMade by tests/golden/day/make.py; simulated data only.\n')
    common.say(text + f'; AUC {f["auc"][0]:.4f}; temperature {temperature:.3f}')


if __name__ == '__main__':
    main()
