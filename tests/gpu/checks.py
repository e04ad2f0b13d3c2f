"""Checks of the networks and kernels on a device: unit tests, parity with plain C, batches of changing size, compute-sanitizer."""
import json
import math
import re

import places

PRECISIONS = ('fp32', 'tf32', 'bf16')
# |cuda - plain|: `norm` of the difference over the norm of plain, over a tensor or all answers; `worst` single answer over max(1, |plain|).
# From rounding alone over 512 simulated windows (tests/gpu/rounding.py): docs/gpu.md "What a precision costs".
BOUNDS = {'fp32': {'norm': 1e-4, 'worst': 1e-4}, 'tf32': {'norm': 1e-3, 'worst': 1e-2}, 'bf16': {'norm': 1e-2, 'worst': 5e-2}}
LAYER_NORM = {'fp32': 1e-4, 'tf32': 1e-3, 'bf16': 2e-2}
LAYER_NORM_RANDOM = {'fp32': 1e-4, 'tf32': 1e-2, 'bf16': 1e-1}  # tests/golden: random weights, whose sums cancel to nearly nothing here and there
LINE = re.compile(r'^(ok|FAIL|skip) (\S+)', re.M)


class Network:
    """A model folder, the rows it is asked about, and how many at a time."""

    def __init__(self, name, rows, batch):
        self.name, self.folder, self.rows, self.batch = name, places.ROOT / name, rows, batch


def networks(at, short):
    """Shipped models on their golden inputs and the simulated sets; on the stand-in, small ones of the same kinds first."""
    golden = [Network(f'tests/golden/net/{n}', places.ROOT / f'tests/golden/net/{n}/test_data_set_0/input_0.pb', 2) for n in ('light_curve', 'image', 'bottleneck')]
    golden = [n for n in golden if n.rows.exists()]
    if short:
        return golden[:2]
    sets, batch = at.sets(), 2 if at.stand_in else 256
    for name, rows in (('models/gecam-resnet-mscfm/1', 'windows'), ('models/eclairs-cnn/1', 'images')):
        folder = places.ROOT / name
        golden += [Network(name, folder / 'test_data_set_0/input_0.pb', 2), Network(name, sets / f'{rows}.f32', batch)]
    return golden


def tune(at, report, cache, short=False, left=1e9):
    """Every engine of the shipped networks timed into the cache, before anything is measured; on the stand-in, of small ones."""
    small = ['--most', '2', *(places.ROOT / f'tests/golden/net/{n}' for n in (('light_curve',) if short else ('light_curve', 'image')))] if at.stand_in else []
    program = at.program('burst-cuda')
    status, out, err = at.call([program, '--tune', '--cache', cache, *small], timeout=max(1, min(1800, left))) if program else (1, '', 'burst-cuda is not built')
    if status is None:  # what was chosen by then is in the cache
        report.line('skip', 'tune', 'not through in the time left')
    else:
        report.check(status == 0, 'tune', f'exit status {status}: {" / ".join((out + err).strip().splitlines()[-3:])}')
    for text in out.strip().splitlines():
        report.note(f'    {text}')


def bare(table):
    return [line.split('\t') for line in table.splitlines() if '\t' in line]


def unit_tests(at, report, short):
    """The CUDA side's unit tests, as they are linked for this device."""
    report.section('Unit tests on the device')
    patterns = ['kernels_cuda_test_*', 'cuda_test_*'] if at.stand_in else ['gpu_kernels_cuda_test_*', 'gpu_cuda_test_*', 'gpu_test_*']
    found = [p for pattern in patterns for p in at.glob(pattern)]
    if not found:
        report.line('FAIL', 'unit_tests', f'no {" or ".join(patterns)} under {at.build}')
    for program in found[:1] if short else found:
        status, out, err = at.call([program])
        words = [m[0] for m in LINE.findall(out)]
        good = status == 0 and 'FAIL' not in words and 'ok' in words
        skipped = status == 0 and words and set(words) == {'skip'}
        why = f'exit status {status}; ' + ' / '.join([x for x in out.splitlines() if x.startswith(('FAIL', 'skip'))][:3] + err.splitlines()[-2:])
        report.line('ok' if good else 'skip' if skipped else 'FAIL', program.name, '' if good else why, cases=words.count('ok'), skipped=words.count('skip'))


def parity(at, report, short, precisions, cache):
    """cuda beside plain: between all steps, and on the answers; no verdict flipped."""
    report.section('Parity with plain C')
    program, rows = at.program('gpu_parity'), []
    if not program:
        report.line('FAIL', 'parity', f'gpu_parity is not built under {at.build}')
        return
    for net in networks(at, short):
        for precision in precisions:
            name = f'parity_{net.folder.parent.name if net.folder.name == "1" else net.folder.name}_{net.rows.stem}_{precision}'
            status, out, err = at.call([program, net.folder, net.rows, precision, net.batch, cache], timeout=540)
            if status != 0:
                report.line('FAIL', name, f'exit status {status}: {" / ".join(err.strip().splitlines()[-3:])}')
                continue
            rows.append([net.name.removeprefix('models/').removeprefix('tests/golden/'), net.rows.stem, precision, *judge(report, name, precision, bare(out), (LAYER_NORM if net.name.startswith('models/') else LAYER_NORM_RANDOM)[precision])])
    report.table('Largest differences (norm of the difference over the norm of plain; worst single answer over max(1, |plain|))',
                 ['network', 'rows', 'precision', 'n', 'steps, worst norm', 'joins', 'map', 'answers, norm', 'answers, worst', 'flipped', 'to or from unclear'], rows)


def judge(report, name, precision, table, most):
    """One network in one precision; returns the cells of its row."""
    norms = {what: [(float(t[3]), t[1]) for t in table if t[0] == what] for what in ('step', 'join', 'map')}
    meta = {t[1]: t[2] for t in table if t[0] == 'meta'}
    pairs = [halves([float(v) for v in t[2:]]) for t in table if t[0] == 'row']
    worst = max((abs(b - a) / max(1, abs(a)) if math.isfinite(b) else math.inf for x, y in pairs for a, b in zip(x, y)), default=math.inf)
    norm = math.sqrt(sum((b - a) ** 2 for x, y in pairs for a, b in zip(x, y)) / max(1e-30, sum(a * a for x, _ in pairs for a in x))) if pairs else math.inf
    flipped, moved = flips(pairs, meta)
    layer, where = max((v for w in norms.values() for v in w), default=(math.inf, 'nothing'), key=lambda v: v[0] if v[0] == v[0] else math.inf)
    bound = BOUNDS[precision]
    wrong = [f'{where}: {layer:.2g} above {most:g}'] * (not layer <= most)
    wrong += [f'answers: norm {norm:.2g} above {bound["norm"]:g}'] * (not norm <= bound['norm'])
    wrong += [f'answers: worst {worst:.2g} above {bound["worst"]:g}'] * (not worst <= bound['worst'])
    wrong += [f'{flipped} verdicts flipped'] * bool(flipped)
    report.check(not wrong, name, '; '.join(wrong), rows=len(pairs), worst=worst, norm=norm)
    return [len(pairs), *(f'{max((v for v, _ in norms[w]), default=float("nan")):.2g}' for w in norms), f'{norm:.2g}', f'{worst:.2g}', flipped, moved]


def halves(values):
    return values[:len(values) // 2], values[len(values) // 2:]


def flips(pairs, meta):
    """True became false or the reverse; and, for a network with thresholds, how many changed to or from unclear."""
    limits = json.loads(meta.get('burst.thresholds', '{"low": 0.5, "high": 0.5}'))
    temperature = float(meta.get('burst.temperature', 1))

    def word(y):
        margin = y[0] if len(y) == 1 else y[1] - y[0] if len(y) == 2 else y.index(max(y))
        p = 1 / (1 + math.exp(-max(-60.0, min(60.0, margin / temperature))))
        return 'false' if p < limits['low'] else 'true' if p >= limits['high'] else 'unclear'
    if any(not math.isfinite(v) for _, y in pairs for v in y):
        return len(pairs), 0
    changed = [(word(x), word(y)) for x, y in pairs]
    changed = [c for c in changed if c[0] != c[1]]
    return sum('unclear' not in c for c in changed), sum('unclear' in c for c in changed)


def swaps(at, report, short, precisions, cache):
    """Batches of changing size: what a size answers stays what it answered first."""
    report.section('Hot swaps of batch size')
    program = at.program('gpu_swaps')
    if not program:
        report.line('FAIL', 'swaps', f'gpu_swaps is not built under {at.build}')
        return
    n, batch = (40, 4) if short else (1000, 8) if at.stand_in else (1000, 256)
    nets = [x for x in networks(at, short or at.stand_in) if x.rows.suffix == '.pb']
    for net in nets if at.stand_in else [x for x in nets if x.name.startswith('models/')]:
        for precision in precisions:
            status, out, err = at.call([program, net.folder, net.rows, precision, n, batch, cache], timeout=540)
            done = next((t for t in bare(out) if t[0] == 'swaps'), None)
            wrong = [t for t in bare(out) if t[0] == 'differ']
            report.check(status == 0 and done and int(done[1]) == n and not wrong, f'swaps_{n}_{net.folder.parent.name if net.folder.name == "1" else net.folder.name}_{precision}',
                         f'exit status {status}; size, run of the first differences {[t[1:] for t in wrong[:5]]}; {" / ".join(err.strip().splitlines()[-2:])}',
                         sizes=int(done[3]) if done else 0)


def sanitize(at, report, left):
    """compute-sanitizer over the kernels' tests and, for memory, over a whole network. left(): seconds until time is up."""
    report.section('compute-sanitizer')
    tool = places.which('compute-sanitizer')
    if at.stand_in or not tool:
        report.line('skip', 'compute_sanitizer', 'the stand-in device has no machine code; its own checks are in the unit tests' if at.stand_in else 'not on this machine')
        return
    kernels = at.glob('gpu_kernels_cuda_test_*') + at.glob('gpu_test_*')
    network = [[at.program('gpu_parity'), places.ROOT / f'tests/golden/net/{n}', places.ROOT / f'tests/golden/net/{n}/test_data_set_0/input_0.pb', p, 2] for n in ('light_curve', 'image') for p in ('fp32', 'bf16')]
    for check in ('memcheck', 'racecheck', 'initcheck', 'synccheck'):
        for command in [[k] for k in kernels] + (network if check in ('memcheck', 'synccheck') else []):
            name = f'{check}_{command[0].name}' + (f'_{command[1].name}_{command[3]}' if len(command) > 1 else '')
            if left() < 20:
                report.line('skip', name, 'no time left')
                continue
            status, out, err = at.call([tool, '--tool', check, '--error-exitcode', '99', *command], timeout=min(300, left()))
            if status is None:
                report.line('skip', name, 'not through in the time left')
            else:
                summary = re.findall(r'SUMMARY: (.*)', out + err)
                report.check(status == 0 and summary, name, f'exit status {status}: {" / ".join(re.findall(r"========= ((?!COMPUTE).*)", out + err)[:4])}')
