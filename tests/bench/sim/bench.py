#!/usr/bin/python3
"""ECLAIRs skies per second: burst-sim's decoding beside the same balanced correlation in numpy and in scipy, one thread each.

  bench.py [--rounds N] [--seconds S]

The contestants take turns within each round, so that other load on the machine meets all of them alike, and CPU seconds are
counted. All decode the same exposure, in single precision where they can (numpy's transforms are double), with the mask's
transforms made beforehand, and must give the same sky first. `model` is burst-sim's whole forward model: shadows, Poisson counts,
fit, decoding. The table shows medians over the rounds and the ratio to each peer within a round. Nothing is asserted about time."""
import argparse
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

import numpy as np
import scipy.fft

ROOT = pathlib.Path(__file__).resolve().parents[3]
BENCH = pathlib.Path(os.environ.get('BURST_BUILD', ROOT / 'build/release')) / 'bench/eclairs_bench'
SIDE, MASK, PLANE, SKY, SAME = 200, 120, 80, 199, 2e-3


class Decoder:
    """science.md B.2 step 5 as it is written, with the transforms of one library; `w` is the plane's pixels that are alive."""

    def __init__(self, fft, mask, alive, real):
        self.forward = lambda a: fft.rfft2(a.astype(real), (SIDE, SIDE))
        self.back = lambda a: fft.irfft2(a, (SIDE, SIDE))
        self.kernel = {name: self.forward(g) for name, g in (('+', mask), ('-', 1 - mask), ('+2', mask ** 2), ('-2', (1 - mask) ** 2))}
        w = np.conj(self.forward(alive))
        seen = self.both(w, '+') + self.both(w, '-')
        self.balance = self.both(w, '+') / np.where(np.abs(self.both(w, '-')) > 0.5, self.both(w, '-'), np.nan)
        self.balance[seen < 0.02 * alive.sum()] = np.nan

    def both(self, plane, name):
        shifted = self.back(self.kernel[name] * plane)
        return np.roll(shifted, (PLANE - 1, PLANE - 1), (0, 1))[:SKY, :SKY]

    def __call__(self, residual, counts):
        r, d = np.conj(self.forward(residual)), np.conj(self.forward(counts))
        s = self.both(r, '+') - self.balance * self.both(r, '-')
        with np.errstate(invalid='ignore'):
            return s / np.sqrt(self.both(d, '+2') + self.balance ** 2 * self.both(d, '-2'))


def read(path):
    a = np.fromfile(path, np.float32)
    cut = np.cumsum([MASK * MASK, PLANE * PLANE, PLANE * PLANE, PLANE * PLANE])
    mask, alive, residual, counts, sky = np.split(a, cut)
    square = lambda v: v.reshape(int(len(v) ** 0.5), -1)
    return [square(v) for v in (mask, alive, residual, counts, sky)]


def rate(work, seconds):
    start, n = time.process_time(), 0
    while time.process_time() - start < seconds:
        work()
        n += 1
    return n / (time.process_time() - start)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('--rounds', type=int, default=7)
    p.add_argument('--seconds', type=float, default=0.5)
    args = p.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / 'dump'
        subprocess.run([BENCH, 'dump', path], check=True)
        mask, alive, residual, counts, sky = read(path)
    peers = {'scipy': Decoder(scipy.fft, mask, alive, np.float32), 'numpy': Decoder(np.fft, mask, alive, np.float64)}
    for name, peer in peers.items():
        other = peer(residual, counts)
        worst = np.nanmax(np.abs(other - sky))
        if (np.isnan(other) != np.isnan(sky)).any() or not worst < SAME:
            sys.exit(f'{name} sees another sky: {worst}')
    rates = {name: [] for name in ('decode', 'model', *peers)}
    for _ in range(args.rounds):
        for line in subprocess.run([BENCH, 'time', str(args.seconds)], check=True, capture_output=True, text=True).stdout.splitlines():
            name, n, seconds = line.split()
            rates[name].append(int(n) / float(seconds))
        for name, peer in peers.items():
            rates[name].append(rate(lambda: peer(residual, counts), args.seconds))
    print(f'{"":14}{"per second":>12}' + ''.join(f'{"x " + q:>12}' for q in peers))
    for name, values in rates.items():
        ratios = ''.join(f'{statistics.median(a / b for a, b in zip(values, rates[q])):12.2f}' for q in peers)
        print(f'{name:14}{statistics.median(values):12.0f}{ratios}')


if __name__ == '__main__':
    main()
