#!/usr/bin/python3
"""burst-sim days in numpy's hands: files and tables agree, any number of threads, going on where a run stopped."""
import csv
import hashlib
import json
import pathlib
import sys
import tempfile

from report import case, exit_status, sim

BIN_S = 0.064


def digest(path):
    return hashlib.sha256(pathlib.Path(path).read_bytes()).hexdigest()


def rows(path):
    with open(path, newline='') as table:
        return list(csv.DictReader(table))


def arrays(folder, np):
    counts, valid = np.load(folder / 'day-000.npy', mmap_mode='r'), np.load(folder / 'day-000-valid.npy')
    good = counts.shape == (1, 5, 1350000) and counts.dtype == np.uint16 and valid.shape == (1350000,) and valid.dtype == np.uint8
    case('numpy_reads_a_day', None if good else f'{counts.shape} {counts.dtype} {valid.shape}')
    truth = [r for r in rows(folder / 'truth.csv') if r['day'] == '0']
    off = np.ones(len(valid), bool)
    for r in truth:
        if r['what'] == 'outage':
            off[int(float(r['start_s']) / BIN_S):int(float(r['stop_s']) / BIN_S) + 1] = False
    wrong = int((off != (valid == 1)).sum())
    case('outages_of_the_table_are_the_invalid_bins', f'{wrong} bins' if wrong > 2 * len(truth) else None)
    case('no_counts_where_nothing_is_valid', None if counts[0][:, valid == 0].sum() == 0 else 'some')
    mean = counts[0].mean(1) / valid.mean()
    # science.md A.5: 12, 6.5, 8, 2.6, 1.9 counts in 64 ms, +-20 % and the orbit
    case('levels_are_those_of_a_grd', None if (abs(mean / [12, 6.5, 8, 2.6, 1.9] - 1) < 0.35).all() else f'{mean}')
    facts = json.loads((folder / 'set.json').read_text())
    case('set_json_tells_the_days', None if (facts['what'], facts['seed'], facts['mission'], facts['bursts']) == ('days', 3, 'gecam-b', 'inject') else facts)


def bursts(folder, np):
    """Injected S/N is even in the logarithm and in the range asked for; onset before peak."""
    found = [r for r in rows(folder / 'truth.csv') if r['what'] == 'burst' and float(r['snr']) > 0]
    snr = np.array([float(r['snr']) for r in found])
    case('injected_bursts_have_the_snr_asked_for', None if len(snr) > 60 and snr.min() > 4.9 and snr.max() < 20.4 else f'{len(snr)} {snr.min()} {snr.max()}')
    half = (snr < 10).mean()
    case('even_in_the_logarithm', f'{half} below the middle' if abs(half - 0.5) > 0.2 else None)
    bad = [r for r in found if not float(r['onset_s']) <= float(r['peak_s'])]
    case('onset_is_not_after_the_peak', bad[:1])


def main():
    import numpy as np
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        options = ('--seed', 3, '--inject', '5,20', '--every', 1000)
        sim('days', '--days', 1, '--out', folder / 'a', *options)
        before = digest(folder / 'a/day-000.npy')
        (folder / 'a/day-000.npy').touch()
        stamp = (folder / 'a/day-000.npy').stat().st_mtime_ns
        sim('days', '--days', 2, '--out', folder / 'a', *options)
        case('a_day_that_is_there_is_kept', None if (folder / 'a/day-000.npy').stat().st_mtime_ns == stamp else 'drawn again')
        sim('days', '--days', 2, '--out', folder / 'b', '--threads', 2, *options)
        files = ('day-000.npy', 'day-001.npy', 'day-001-valid.npy', 'truth.csv', 'set.json')
        case('threads_change_nothing', [f for f in files if digest(folder / 'a' / f) != digest(folder / 'b' / f)])
        case('days_do_not_depend_on_their_number', None if digest(folder / 'b/day-000.npy') == before else 'they do')
        arrays(folder / 'a', np)
        bursts(folder / 'a', np)
        done = sim('days', '--days', 1, '--out', folder / 'a', '--seed', 4, want=1)
        case('a_folder_of_other_days_is_refused', None if 'holds other days' in done.stderr else done.stderr)
        for word, text, part in (('--inject', '5', 'LO,HI'), ('--detectors', '4', 'whole number'), ('--rate', '-1', 'number from 0'),
                                 ('--bursts', 'many', 'not one of')):
            done = sim('days', '--days', 1, '--out', folder / 'c', word, text, want=2)
            case(f'wrong{word.replace("--", "_")}_is_refused', None if part in done.stderr else done.stderr)
        done = sim('days', '--days', 1, '--out', folder / 'c', '--mission', 'voyager', want=1)
        case('an_unknown_mission_is_refused', None if 'voyager' in done.stderr else done.stderr)
        done = sim('days', '--days', 1, '--out', folder / 'c', '--detectors', 2, want=1)
        case('two_detectors_are_refused', None if '2 detectors' in done.stderr else done.stderr)
    return exit_status()


try:
    import numpy  # noqa: F401
except ImportError:
    print('skip burst_sim_days: numpy is not installed')
    sys.exit(0)
sys.exit(main())
