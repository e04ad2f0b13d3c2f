#!/usr/bin/python3
"""No single number of a simulated window tells its label (science.md D.1): mean, total, scatter, dispersion, whole numbers, level,
validity. Over all S/N the sums of a window hold the burst's own counts, and no generator can take them away: they are judged where
those are few (S/N 5 to 8), the others everywhere. Dispersion finds part of the bursts even there, as any search for bursts does: it is
held against what their counts alone make of it."""
import sys

from common import case, exit_status, lightcurves, np, numbers
from burst_training import probes

LIMIT = 0.60


def judge(name, figures, words):
    told = {word: round(figures[word]['value'], 3) for word in words if figures[word]['value'] >= LIMIT}
    case(name, f'AUC {told}' if told else None)


def sets(mission, n):
    atoms, valid, meta = lightcurves('--n', n, '--seed', 21, '--mission', mission)
    return atoms, valid, meta['label'].astype(int), numbers(meta['snr']), meta['sky']


def check(mission, n):
    atoms, valid, y, snr, group = sets(mission, n)
    found = probes.leaks(atoms, valid, y, snr, group, draws=10)
    case(f'{mission}_has_rows_for_all_comparisons', None if set(found) == {'matched', 'faint', 'quiet'} else sorted(found))
    without_excuse = [name for name, moved in probes.PROBES.items() if not moved]
    for name in found:
        judge(f'{mission}_level_validity_and_whole_numbers_tell_nothing_{name}', found[name], without_excuse)
    for name in ('faint', 'quiet'):
        judge(f'{mission}_sums_and_scatter_of_faint_bursts_tell_nothing_{name}', found[name], ('mean', 'total', 'deviation'))
    faint = (y == 1) & (snr >= 5) & (snr < 8)
    own = probes.dispersion_of_its_own(snr[faint], valid[faint].sum(1))  # 0.6 is out of reach: bursts of S/N 5 to 8 are that unsteady
    got = found['quiet']['dispersion']['value']
    case(f'{mission}_dispersion_tells_of_faint_bursts_what_they_are', None if got < own + 0.03 else f'AUC {got:.3f}, of its own {own:.3f}')
    return atoms, valid


def scaled_counts(atoms, valid):
    """What the printed augmentation does to counts (science.md A.8) would be seen at once."""
    whole, scaled = (probes.measure(a[:200], valid[:200])['fraction_not_whole'] for a in (atoms, atoms * 0.8 + 1.0))
    found = probes.separation(np.r_[scaled, whole], np.r_[np.ones(200), np.zeros(200)], np.arange(400), 20)
    case('scaled_counts_would_be_noticed', None if found['value'] > 0.9 else str(found))


def main():
    scaled_counts(*check('fermi-gbm', 8000))
    check('gecam-b', 5000)
    return exit_status()


if __name__ == '__main__':
    sys.exit(main())
