#!/usr/bin/python3
"""The networks on this machine's GPU beside PyTorch in every mode and ONNX Runtime's CUDA provider, in one run.

  bench.py                    programs of build/gpu (tests/gpu/run builds them)
  bench.py --pack DIR         those that tests/gpu/pack made elsewhere
  bench.py --stand-in         the whole way on the stand-in device, PyTorch on the cpu: its figures say nothing
  bench.py --only W ...       parts: roof networks counts idle daemon profile

Contestants take turns within each round, with the same inputs, after their answers have been compared. hosted: from numbers in
host memory to answers in host memory, by the clock; device: the network alone, between two events. Beside every figure its
floor: operations over this card's measured rate or, where larger, bytes that must move over its measured bandwidth. Parts:
  roof       bandwidth and matrix rates, by gpu_roofline and by PyTorch's large product
  networks   standardised windows and sub-images: batch 1, 25, 256, in fp32, tf32, bf16
  counts     counts to answers: windows of 1 and 25 detectors through burst-cuda, asleep and spinning
  idle       batch 1 after rests of 10 s (--rests 0 10 300 for five minutes, too), ours also with a canary each second
  daemon     packet to verdict of burstd itself, on cpu and on cuda
  profile    time by part of the network, and the cuDNN engines chosen

Writes NAME.md, NAME.json and, where matplotlib is, NAME.svg and NAME.png. Asserts nothing about time; goals are said to be reached
or missed. --minutes M: what does not fit is skipped and says so."""
import argparse
import os
import pathlib
import statistics
import sys
import tempfile
import time

import numpy as np

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1] / 'gpu')]
import checks  # noqa: E402
import daemon  # noqa: E402
import places  # noqa: E402
from contestants import Contender, Windows  # noqa: E402
from lane import quantile  # noqa: E402
from report import Report  # noqa: E402

try:
    import torch
    import peers
except ImportError as e:
    torch, why_no_torch = None, str(e)
PARTS = ('roof', 'networks', 'counts', 'idle', 'daemon', 'profile')
SHAPES = {'models/gecam-resnet-mscfm/1': ('windows', (9, 1875)), 'models/eclairs-cnn/1': ('images', (2, 56, 56))}
ROWS = 512


class Bench:
    def __init__(self, a):
        self.a, self.begun = a, time.monotonic()
        self.at = places.Places(a.stand_in, a.pack, a.build)
        self.report = Report('The stand-in device, timed: figures that say nothing' if a.stand_in else 'A GPU, timed', a.out)
        self.cache = str(a.cache.resolve() if a.cache else self.at.scratch('engines'))
        os.makedirs(self.cache, exist_ok=True)
        self.device = torch and torch.device('cuda' if torch.cuda.is_available() and not a.stand_in else 'cpu')
        self.roof, self.bars = {}, []

    def left(self):
        return self.a.minutes * 60 - (time.monotonic() - self.begun)

    def rows(self, model):
        """The simulated rows of a model: their file, and as an array."""
        name, shape = SHAPES[model]
        path = self.at.sets() / f'{name}.f32'
        x = np.fromfile(path, '<f4').reshape(-1, *shape)[:self.a.rows]
        part = self.at.scratch('rows') / f'{name}.f32'
        x.tofile(part)
        return part, x


def measure(contestants, rounds, seconds):
    """ns of every run by contestant: hosted and on the device; about `seconds` to each in each round."""
    times = {c.name: {'hosted': [], 'device': []} for c in contestants}
    count = {c.name: max(1, min(5000, int(seconds * 1e9 / max(1, min(c.hosted(3)))))) for c in contestants}
    for _ in range(rounds):
        for c in contestants:
            times[c.name]['hosted'] += c.hosted(count[c.name])
            times[c.name]['device'] += c.resident(count[c.name])
    return times


def agree(report, name, contestants, precision):
    """Those whose answers are the first PyTorch mode's, else the first contestant's; the others are named and leave."""
    judge = next((c for c in contestants if c.name.startswith('torch')), contestants[0])
    want, good = judge.answers(), []
    for c in contestants:
        got = c.answers()
        far = float(np.max(np.abs(got - want) / np.maximum(1, np.abs(want)))) if got.shape == want.shape else float('inf')
        # two roundings stand between two contestants, one on either side
        if report.check(far <= 2 * checks.BOUNDS[precision]['worst'], f'{name}_{c.name}_answers_as_{judge.name}'.replace(' ', '_').replace(',', ''), f'{far:.3g}', apart=far):
            good.append(c)
    return good


def floor_us(b, macs, parameters, floats, precision, batch):
    """The larger of arithmetic and of bytes that must move, and which it is."""
    rate, copy = b.roof.get(precision), b.roof.get('copy')
    if not rate or not copy:
        return float('nan'), '-'
    arithmetic = 2e-6 * macs * batch / rate
    bytes_us = (parameters * (2 if precision == 'bf16' else 4) + 4 * floats * batch) / copy * 1e-3
    return max(arithmetic, bytes_us), 'arithmetic' if arithmetic > bytes_us else 'bytes'


def tell(b, title, times, batch, floor=(float('nan'), '-')):
    """A table of contestants, and the ratio to PyTorch's best."""
    def middle(name, what):
        return statistics.median(times[name][what]) * 1e-3 if times[name][what] else float('nan')
    peers_best = {w: min((middle(n, w) for n in times if n.startswith('torch') and times[n][w]), default=float('nan')) for w in ('hosted', 'device')}
    rows = [[n, middle(n, 'hosted'), quantile(times[n]['hosted'], .99) * 1e-3, batch / middle(n, 'hosted') * 1e6, peers_best['hosted'] / middle(n, 'hosted'), middle(n, 'device'),
             peers_best['device'] / middle(n, 'device'), floor[0], middle(n, 'device') / floor[0]] for n in times]
    b.report.table(f'{title}; floor by {floor[1]}', ['contestant', 'hosted p50 us', 'p99 us', 'rows/s', 'x best torch', 'device p50 us', 'x best torch', 'floor us', 'device / floor'], rows)
    b.bars.append((title, [(r[0], r[1]) for r in rows], floor[0]))
    return {r[0]: r for r in rows}


def roof(b):
    b.report.section('Roof')
    code, out, err = b.at.call([b.at.program('gpu_roofline'), *(['small'] if b.a.stand_in else [])]) if b.at.program('gpu_roofline') else (1, '', 'gpu_roofline is not built')
    rows = [[t[0], float(t[1]), {'launch': 'us', 'copy': 'GB/s', 'l2': 'GB/s'}.get(t[0], 'TFLOP/s'), 'gpu_roofline'] for t in checks.bare(out)]
    b.report.check(code == 0, 'roofline', err.strip()[-300:])
    if torch and b.device.type == 'cuda':
        rows += [[p, peers.matrix_rate(p), 'TFLOP/s', 'PyTorch, 8192 x 8192 x 8192'] for p in checks.PRECISIONS]
    for name, value, _, _ in rows:
        b.roof[name] = max(value, b.roof.get(name, 0))
    b.report.table('What this card does, medians', ['', 'reached', 'unit', 'by'], rows)


def sides_of(b, model, rows, x, precision, batch):
    """Everyone who can take part."""
    sides = [Contender(b.at, places.ROOT / model, rows, precision, batch, b.cache)]
    if torch:
        sides += peers.torch_modes(places.ROOT / model, torch.from_numpy(x), batch, precision, b.device, max_autotune=b.a.max_autotune and batch == 1, say=b.report.note)
        try:
            sides.append(peers.OnnxRuntime(places.ROOT / model, torch.from_numpy(x), batch, precision))
        except (ImportError, RuntimeError) as e:
            b.report.note(f'onnxruntime CUDA: not here: {e}')
    return sides


def networks(b):
    for model in b.a.model:
        rows, x = b.rows(model)
        for precision in b.a.precision:
            b.report.section(f'{model.removeprefix("models/")}, {precision}')
            for batch in b.a.batch:
                if b.left() < 100:  # three compilations, then everyone's turns
                    b.report.line('skip', f'batch_{batch}', 'no time left')
                    continue
                one_batch(b, model, rows, x, precision, batch)
            b.report.write(b.a.name)


def one_batch(b, model, rows, x, precision, batch):
    sides = sides_of(b, model, rows, x, precision, batch)
    try:
        ours = sides[0]
        good = agree(b.report, f'batch_{batch}', sides, precision)
        if ours not in good:
            return
        times = measure(good, b.a.rounds, b.a.seconds)
        floats = x[0].size + ours.answers().shape[1]
        told = tell(b, f'{model.removeprefix("models/")}, {precision}, batch {batch}, {b.a.rounds} interleaved rounds', times, batch, floor_us(b, ours.macs, ours.parameters, floats, precision, batch))
        ratio = told['burst'][4]
        if ratio == ratio and batch in (1, 256) and not b.a.stand_in:
            b.report.note(f'Goal, batch {batch}: at least 2 x the best PyTorch mode: {"reached" if ratio >= 2 else "missed"} ({ratio:.2f} x hosted, {told["burst"][6]:.2f} x on the device).')
    except RuntimeError as e:
        b.report.line('FAIL', f'batch_{batch}', str(e))
    finally:
        sides[0].close()


def counts(b):
    """Windows of detectors, counts in, answers out."""
    b.report.section('Counts to answers, through burst-cuda')
    path = b.at.sets() / 'counts.u32'
    model = places.ROOT / ('tests/golden/day/small-curve/1' if b.a.stand_in else 'models/gecam-resnet-mscfm/1')
    for precision in b.a.precision:
        for batch in (1, 2) if b.a.stand_in else (1, 25):
            sides = []
            try:
                for wait in ('sleep', 'spin'):
                    sides.append(Windows(b.at, model, precision, wait, b.cache, batch, path))
                    worst, flipped = sides[-1].worst(2 if b.a.stand_in else 20)
                    b.report.check(worst <= checks.BOUNDS[precision]['worst'] and not flipped, f'counts_{precision}_{batch}_{wait}', f'worst {worst:.3g}, {flipped} flipped', worst=worst)
                ours = list(sides)
                if torch and not b.a.stand_in:
                    series = np.fromfile(path, '<i4').reshape(places.COUNT_ROWS, places.ATOMS, -1)
                    strides = np.concatenate([series[:batch, :, k:k + places.WINDOW_BINS] for k in range(0, 16 * 16, 16)])
                    bands = [tuple(map(int, w.split('-'))) for w in places.BANDS.split(',')]
                    sides += peers.torch_modes(model, torch.from_numpy(strides.copy()), batch, precision, b.device, bands=bands, say=b.report.note)
                tell(b, f'counts to answers, {precision}, windows of {batch} detectors', measure(sides, b.a.rounds, b.a.seconds), batch)
            except RuntimeError as e:
                b.report.line('FAIL', f'counts_{precision}_{batch}', str(e))
            finally:
                for s in ours if sides else []:
                    s.close()


def idle(b):
    """The first run after a rest of the whole card."""
    b.report.section('After idleness')
    model, precision = b.a.model[0], b.a.precision[0]
    rows, x = b.rows(model)
    ours, sides = Contender(b.at, places.ROOT / model, rows, precision, 1, b.cache), []
    try:
        sides = [('burst', ours, ours.idle)]
        sides.append(('burst, a canary each second', ours, lambda times, rest: ours.idle(times, rest, 1)))
        if torch:
            modes = peers.torch_modes(places.ROOT / model, torch.from_numpy(x[:32]), 1, precision, b.device, say=lambda _: None)
            best = min(modes, key=lambda m: statistics.median(m.hosted(20)))
            sides.append((best.name, best, best.idle))
        table = []
        for name, side, call in sides:
            hot = side.hosted(20 if b.a.stand_in else 2000)
            table.append([name, 0.0, len(hot), statistics.median(hot) * 1e-3, quantile(hot, .99) * 1e-3, 1.0])
            for rest in [r for r in b.a.rests if r > 0]:
                times = 2 if b.a.stand_in else max(1, min(10, int(120 / rest)))
                if b.left() < rest * times + 30:
                    b.report.line('skip', f'idle_{name}_{rest:g}'.replace(' ', '_'), 'no time left')
                    continue
                ns = call(times, rest)
                table.append([name, rest, times, statistics.median(ns) * 1e-3, quantile(ns, .99) * 1e-3, quantile(ns, .99) / quantile(hot, .99)])
        b.report.table(f'{model.removeprefix("models/")}, {precision}, batch 1, hosted (goal: p99 after a rest within 1.2 of hot)', ['contestant', 'rest s', 'runs', 'p50 us', 'p99 us', 'p99 / hot p99'], table)
    except RuntimeError as e:
        b.report.line('FAIL', 'idle', str(e))
    finally:
        ours.close()


def profile(b):
    import profile_parts
    profile_parts.tell(b, Contender, floor_us)


def plot(b):
    """A panel for each table: hosted p50 by contestant, and the floor."""
    try:
        import matplotlib
        matplotlib.use('Agg')
        from matplotlib import pyplot
    except ImportError:
        return
    bars = [x for x in b.bars if x[1]]
    if not bars:
        return
    figure, axes = pyplot.subplots(len(bars), 1, figsize=(9, 0.6 + sum(0.7 + 0.28 * len(x[1]) for x in bars)), squeeze=False,
                                   gridspec_kw={'height_ratios': [2 + len(x[1]) for x in bars]}, layout='constrained')
    for (title, values, floor), axis in zip(bars, axes[:, 0]):
        names, us = zip(*values)
        axis.barh(range(len(us)), us, color=['#2a6fbb' if n.startswith('burst') else '#b0b4ba' for n in names])
        axis.set_yticks(range(len(us)), names, fontsize=7)
        axis.invert_yaxis()
        for i, value in enumerate(us):
            axis.text(value, i, f' {value:,.0f}' if value >= 100 else f' {value:.1f}', va='center', fontsize=6)
        axis.set_xlim(0, 1.12 * max(us))
        axis.tick_params(axis='x', labelsize=7)
        axis.set_title(title, fontsize=8, loc='left')
        axis.set_xlabel('us, numbers in host memory to answers in host memory', fontsize=7)
        if floor == floor:
            axis.axvline(floor, color='#c0392b', lw=1, ls='--', label='floor')
            axis.legend(fontsize=6, loc='lower right')
    for ending in ('svg', 'png'):
        figure.savefig(b.report.folder / f'{b.a.name}.{ending}', dpi=110)
    pyplot.close(figure)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--stand-in', action='store_true')
    parser.add_argument('--pack', type=pathlib.Path)
    parser.add_argument('--build', type=pathlib.Path)
    parser.add_argument('--out', type=pathlib.Path, default=pathlib.Path(os.environ.get('OUT') or places.ROOT / 'build/gpu-report'))
    parser.add_argument('--name', default='gpu-bench')
    parser.add_argument('--only', nargs='+', choices=PARTS, default=PARTS)
    parser.add_argument('--model', nargs='+', choices=list(SHAPES))
    parser.add_argument('--precision', nargs='+', choices=checks.PRECISIONS)
    parser.add_argument('--batch', nargs='+', type=int)
    parser.add_argument('--rounds', type=int)
    parser.add_argument('--seconds', type=float, help='of each turn in each round')
    parser.add_argument('--rows', type=int, help='simulated rows taken')
    parser.add_argument('--rests', nargs='+', type=float)
    parser.add_argument('--images', type=int, help='sub-images from packet to verdict')
    parser.add_argument('--max-autotune', action='store_true', help="torch.compile's slowest compilation, too")
    parser.add_argument('--cache', type=pathlib.Path, help="folder of cuDNN's engines chosen, kept from run to run; else chosen anew")
    parser.add_argument('--no-tune', dest='tune', action='store_false', help='do not time every engine first (burst-cuda --tune)')
    parser.add_argument('--minutes', type=float, default=1e9)
    a = parser.parse_args()
    small = dict(model=['models/eclairs-cnn/1'], precision=['fp32'], batch=[1, 2], rounds=2, seconds=0.05, rows=4, rests=[0, 0.2], images=4)
    full = dict(model=list(SHAPES), precision=list(checks.PRECISIONS), batch=[1, 256, 25], rounds=5, seconds=0.15, rows=ROWS, rests=[0, 10], images=60)
    for key, value in (small if a.stand_in else full).items():
        if getattr(a, key) is None:
            setattr(a, key, value)
    return a


def main():
    a = arguments()
    b = Bench(a)
    b.report.section('Device')
    b.report.fact('commit', (b.at.base / 'commit').read_text().strip() if b.at.base else os.popen(f'git -C {places.ROOT} describe --always --dirty').read().strip())
    b.report.fact('PyTorch', f'{torch.__version__}, cuDNN {torch.backends.cudnn.version()}, {torch.cuda.get_device_name() if b.device.type == "cuda" else "on the cpu"}' if torch else f'absent: {why_no_torch}')
    b.report.fact('nvidia-smi', os.popen('nvidia-smi --query-gpu=name,driver_version,clocks.sm,temperature.gpu --format=csv,noheader 2>&1').read().strip())
    missing = [n for n in ('gpu_contender', 'gpu_lane', 'gpu_roofline', 'burst-cuda') if not b.at.program(n)]
    if b.report.check(not missing, 'programs', f'{", ".join(missing)} not built under {b.at.build}'):
        steps = {'roof': roof, 'networks': networks, 'counts': counts, 'idle': idle, 'profile': profile,
                 'daemon': lambda b: daemon.packet_to_verdict(b.at, b.report, a.precision[:1], b.cache, a.images)}
        if a.tune:
            checks.tune(b.at, b.report, b.cache, left=b.left() / 2)
        for part in [p for p in PARTS if p in a.only]:
            if b.left() < 30:
                b.report.section(part)
                b.report.line('skip', part, 'no time left')
                continue
            steps[part](b)
            b.report.fact(f'seconds until after {part}', round(time.monotonic() - b.begun))
            b.report.write(a.name)
    plot(b)
    print(f'\n{b.report.write(a.name)}\n{b.report.verdict()}')
    return 1 if b.report.count()[1] else 0


if __name__ == '__main__':
    sys.exit(main())
