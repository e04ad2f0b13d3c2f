#!/usr/bin/python3
"""A light-curve network of 7,762 parameters for tests that judge a whole day: trained like the shipped one on windows of
`burst-sim lightcurves`, far cheaper to run, and worse. Not for users. Rebuild: ./make.py (minutes); then read the diff.
`./make.py --rows N` tries it on few rows; `--out DIR` writes elsewhere."""
import argparse
import pathlib
import sys
import tempfile

import numpy as np
import torch
from torch import nn

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[2]
sys.path.insert(0, str(ROOT / 'training'))
from burst_training import calibrate, card, config, export, loop, metrics, registry, runs, tasks  # noqa: E402

SEEDS, EPOCHS, RATE = {'train': (9001, 24000), 'validate': (9002, 6000), 'test': (9003, 6000)}, 24, 4e-3
FALSE_MOST = 0.002  # of quiet and other windows in the validation set called a burst: three detectors of 25 open an event


def conv(n_in, n_out, kernel, stride):
    return nn.Sequential(nn.Conv1d(n_in, n_out, kernel, stride, kernel // 2, bias=False), nn.BatchNorm1d(n_out), nn.ReLU())


@registry.model('small_curve')
class SmallNet(nn.Module):
    """[N, 9, 1875] -> 469 -> 118 -> 59 -> 30 bins -> [N, 2]."""

    def __init__(self):
        super().__init__()
        self.units = nn.Sequential(conv(9, 16, 7, 4), conv(16, 24, 5, 4), conv(24, 24, 5, 2), conv(24, 24, 3, 2))
        self.pool = nn.AdaptiveAvgPool1d(1)
        self.head = nn.Sequential(nn.Flatten(), nn.Linear(24, 2))

    def forward(self, x):
        return self.head(self.pool(self.units(x)))


def experiment(rows):
    parts = {name: {'make': ['lightcurves', '--mission', 'gecam-b', '--n', min(n, rows or n), '--seed', seed]} for name, (seed, n) in SEEDS.items()}
    return config.complete({'name': 'small-curve', 'task': 'light_curve', 'model': {'kind': 'small_curve'}, 'data': parts,
                            'optimise': {'epochs': EPOCHS, 'rate': RATE, 'smooth': 0.0, 'keep': 'last'}, 'calibrate': 'temperature'})


def strict(net, temperature, logit, y):
    """Fewer false calls than a threshold of one half gives: an offset in the last bias."""
    limit = float(np.quantile(logit[y == 0], 1 - FALSE_MOST))
    with torch.no_grad():
        net.head[1].bias[1] -= max(limit, 0.0)
    return {'kind': 'temperature', 'temperature': temperature, 'offset': 0.0}


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument('--rows', type=int, default=0)
    p.add_argument('--out', type=pathlib.Path, default=HERE / 'small-curve/1')
    args = p.parse_args()
    registry.discover()
    with tempfile.TemporaryDirectory() as folder:
        training, parts, _ = loop.open_training(experiment(args.rows), 1, pathlib.Path(folder))
        training.train()
        logit = {name: loop.predict(training.net, training.task, parts[name], training.device) for name in ('validate', 'test')}
        found = strict(training.net, calibrate.temperature(logit['validate'], parts['validate'].y), logit['validate'], parts['validate'].y)
        logit = loop.predict(training.net, training.task, parts['test'], training.device)
        f = metrics.figures(logit, parts['test'].y, parts['test'].group, found['temperature'], draws=200)
    n = sum(p.numel() for p in training.net.parameters())
    text = (f'For tests: {n:,} parameters; of simulated windows {card.interval(f["recall"])} of bursts and '
            f'{card.interval(f["false_positive_rate"])} of others are called a burst')
    args.out.mkdir(parents=True, exist_ok=True)
    props = {**training.task.metadata({}, {}), 'burst.version': '1', 'burst.temperature': round(found['temperature'], 4),
             'burst.thresholds': tasks.THRESHOLDS, 'burst.card': text}
    export.write_onnx(training.net.eval(), (9, 1875), args.out / 'model.onnx', 'light_curve', props)
    (args.out / 'card.md').write_text(f'# small-curve, version 1\n\n{text}.\nMade by tests/golden/day/make.py; simulated data only.\n')
    runs.say(f'{text}; AUC {card.number(f["auc"])}; temperature {found["temperature"]:.3f}')


if __name__ == '__main__':
    main()
