#!/usr/bin/python3
"""Labelled windows per CPU second of `burst-sim lightcurves` beside NumPy drawing nothing but their counts.

  bench.py [--rounds N] [--n N]

Each round the contestants take turns, so that other load on the machine meets both alike; CPU seconds of one thread are counted. NumPy
(Generator.poisson, PCG64) draws N x 5 x 1875 counts from quiet rates that lie in memory already: it makes no burst, background,
look-alike, table or file, all of which burst-sim's time contains. The table shows medians over the rounds and the ratio of burst-sim's
speed to NumPy's. The goal of the specification is 5,000 windows/s on two cores: 2,500 per CPU second. Nothing is asserted."""
import argparse
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parents[3]
BUILD = pathlib.Path(os.environ.get('BURST_BUILD', ROOT / 'build/release'))
WAYS = {'bursts and all families': [], 'bursts': ['--only', 'burst'], 'quiet': ['--only', 'quiet'], 'three detectors of a sky': ['--detectors', 'best3'],
        'real rates': ['--rates', 'real'], '60 bins of 2.048 s': ['--bin', '2.048', '--bins', '60', '--bands', 'total']}


def ours(options, n, seed, folder):
    """Windows per CPU second."""
    environment = dict(os.environ, BURST_DATADIR=os.environ.get('BURST_DATADIR', str(ROOT)))
    child = subprocess.Popen([BUILD / 'burst-sim', 'lightcurves', '--n', str(n), '--seed', str(seed), '--threads', '1', '--out', folder, *options], env=environment)
    _, status, used = os.wait4(child.pid, 0)
    if status:
        sys.exit('burst-sim failed')
    return n / (used.ru_utime + used.ru_stime)


def numpys(n, seed):
    """Windows per CPU second whose counts alone are drawn, 600 at a time."""
    rng = np.random.default_rng(seed)
    level = np.array([16.0, 10.5, 10.2, 2.1, 1.8])[None, :, None]  # per 64 ms: science.md A.6
    rates = level * (1 + 0.1 * np.linspace(-0.5, 0.5, 1875)) * np.ones((600, 1, 1))
    begin = time.process_time()
    for _ in range(n // 600):
        rng.poisson(rates).astype(np.uint16)
    return n // 600 * 600 / (time.process_time() - begin)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--rounds', type=int, default=5)
    parser.add_argument('--n', type=int, default=1800, help='windows a round')
    a = parser.parse_args()
    speed = {name: [] for name in ('numpy', *WAYS)}
    with tempfile.TemporaryDirectory() as folder:
        for r in range(a.rounds):
            speed['numpy'].append(numpys(a.n, r))
            for name, options in WAYS.items():
                speed[name].append(ours(options, a.n, r, folder))
    peer = statistics.median(speed['numpy'])
    print(f'{"":28} windows per CPU second, median of {a.rounds} (least - most)   times numpy')
    for name, seen in speed.items():
        label = 'numpy, counts only' if name == 'numpy' else f'burst-sim, {name}'
        print(f'{label:38} {statistics.median(seen):8.0f} ({min(seen):.0f} - {max(seen):.0f}) {statistics.median(seen) / peer:8.2f}')


if __name__ == '__main__':
    main()
