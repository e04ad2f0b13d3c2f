#!/usr/bin/python3
"""A small network tries to tell simulated GBM windows from real ones, in a short form (science.md A.11 (9)); training/burst-realism is
the long one. Its area under the ROC curve has to stay below 0.60 for quiet sky and for bursts, and well above for a simulation that
is wrong on purpose."""
import os
import sys
import tempfile

from common import case, curves, exit_status, np, real

EPOCHS, FOLDS = 4, 2


def try_import():
    try:
        import torch
    except ImportError:
        print('skip two_sample: torch is not installed')
        return False
    torch.set_num_threads(1)
    return True


def wrong_on_purpose(realism, windows, bursts):
    """Poisson counts about real trends, with 2 % of noise on the rate of every bin: a third more scatter than counts have. The network
    has to find that, else its verdicts mean nothing."""
    counts, group = realism.thin_out(windows, bursts, 1200, 1)
    draw = np.random.default_rng(1)
    level = np.maximum(counts - curves.detrend(counts, 2)[0], 1)
    fake = draw.poisson(level * (1 + 0.02 * draw.standard_normal(counts.shape)))
    found = realism.two_sample((fake.astype(float), group), realism.thin_out(windows, bursts, 1200, 2), 'poisson', 6, FOLDS, 20)
    case('noisier_windows_are_found', None if found['value'] > 0.65 else str(found))


def judge(realism, name, pair):
    for view in realism.VIEWS:
        found = realism.two_sample(*pair, view, EPOCHS, FOLDS, 20)
        case(f'{name}_cannot_be_told_{view}', None if found['value'] < realism.LIMIT else f'AUC {found["value"]:.3f}')


def main():
    folder = real('two_sample')
    if folder is None or not try_import():
        return 0
    from burst_training import realism
    with tempfile.TemporaryDirectory() as work:
        os.environ['BURST_TRAINING'] = work
        quiet, bursts = realism.quiet_pair(1500), realism.burst_pair(1500)
    judge(realism, 'quiet_sky', quiet)
    judge(realism, 'bursts', bursts)
    wrong_on_purpose(realism, *curves.quiet_windows(curves.RealCurves(folder)))
    return exit_status()


if __name__ == '__main__':
    sys.exit(main())
