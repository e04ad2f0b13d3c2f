#!/usr/bin/python3
"""Windows of 2.048 s: the real ones are cut where the rules say and split by date, simulated ones obey the same rules, the small
network answers alike in C, and the table's figures are those of counts made by hand."""
import pathlib
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / 'training'), str(ROOT / 'tests/parity')]
from report import BUILD, case, exit_status  # noqa: E402

DATES = {'train': '150701', 'validate': '170101', 'test': '180101'}


def rows_of(name, y, logit, snr, np):
    """Two bursts of three detectors and their quiet windows."""
    n = len(y)
    group = np.array(name)
    sky = np.array([f'{g}{k}' for g, k in zip(name, y)])
    return {'y': np.array(y), 'logit': np.array(logit, float), 'group': group, 'sky': sky, 'snr': np.array(snr, float),
            'snr_blind': np.array(snr, float), 'detector': np.arange(n), 'place': np.zeros(n, int)}


def table(np):
    from burst_training import gbm2s_table as t
    rows = rows_of(['a'] * 3 + ['b'] * 3 + ['a'] * 3 + ['b'] * 3, [1] * 6 + [0] * 6,
                   [2, 1, -0.5, 3, -4, -2, -1, -2, 1.5, -3, -1, -1], [9, 7, 5, 20, 4.5, 4.1] + [2] * 6, np)
    f = t.figures(rows, [rows['logit']], draws=50)
    # By hand: 3 of 6 bursts and 5 of 6 quiet rows are called rightly.
    case('balanced_accuracy_by_hand', None if abs(f['balanced_accuracy']['value'] - (3 / 6 + 5 / 6) / 2) < 1e-12 else f['balanced_accuracy'])
    case('recall_between_4_and_6_by_hand', None if f['recall_snr_4_6']['value'] == 0 and f['recall_snr_4_6']['n'] == 3 else f['recall_snr_4_6'])
    case('recall_above_10_by_hand', None if f['recall_snr_10_up']['value'] == 1 and f['recall_snr_10_up']['n'] == 1 else f['recall_snr_10_up'])
    # At most 1 in 6 quiet rows: the threshold is the second highest of them, -1; 2 of the 3 faint bursts lie below, one above.
    strict = t.Strict(rows['logit'], rows['y'] == 1, np.array([2, 4, 5]), rate=1 / 6)
    case('recall_at_a_rate_by_hand', None if abs(strict(np.ones(12)) - 1 / 3) < 1e-12 else strict(np.ones(12)))
    joined, (mean,) = t.of_three(rows, [rows['logit']])
    # Means by hand, in the order a0, a1, b0, b1: -0.5, 2.5 / 3, -5 / 3, -1.
    case('three_detectors_are_their_mean', None if np.allclose(mean, [-0.5, 2.5 / 3, -5 / 3, -1]) and joined['y'].tolist() == [0, 1, 0, 1] else mean)
    case('best_detectors_snr_is_kept', None if joined['snr'].tolist() == [2, 9, 2, 20] else joined['snr'])
    two = t.figures(rows, [rows['logit'], -rows['logit']], draws=20)
    case('figures_are_means_over_seeds', None if abs(two['balanced_accuracy']['value'] - 0.5) < 1e-12 else two['balanced_accuracy'])
    case('threshold_of_highest_balanced_accuracy', None if t.best_threshold(np.array([1, 2, 3, 4.0]), np.array([0, 0, 1, 1])) == 3 else 'other')


def real(np):
    from burst_training import clib, curves, data, gbm2s
    if curves.shared_data() is None:
        print('skip real_windows: ../shared/data is absent')
        return
    parts = {split: gbm2s.Real(split) for split in DATES}
    case('parts_share_no_burst', data.check_split(parts))
    low = '080101'
    for split, high in DATES.items():
        part = parts[split]
        names = part.group.astype(str)
        case(f'{split}_is_split_by_date', None if (names >= low).all() and (names < high).all() else (names.min(), names.max()))
        low = high
    part = parts['validate']
    burst, c = part.y == 1, part.columns
    case('bursts_have_the_least_snr', None if c['snr'][burst].min() >= 4 else c['snr'][burst].min())
    case('bursts_are_not_longer_than_the_rule', None if c['t90_s'][burst].max() < 90 else c['t90_s'][burst].max())
    per_sky = np.unique(c['sky'][burst], return_counts=True)[1]
    case('three_detectors_at_most', None if per_sky.max() == 3 else per_sky.max())
    edge = np.nanmin(c['onset_s']), 60 * 2.048 - np.nanmax(c['stop_s'])  # two bins of 2.048 s at the least on either side
    case('t90_lies_in_the_window_with_a_margin', None if min(edge) >= 4.096 - 1e-9 else edge)
    # T90 as the catalogue has it, in whole bins: the bin it begins in to the bin it ends in
    longer = (c['stop_s'] - c['onset_s'] - c['t90_s'])[burst]
    case('t90_is_the_catalogues', None if longer.min() > -1e-4 and longer.max() < 2 * 2.048 + 1e-4 else (longer.min(), longer.max()))
    case('quiet_windows_of_the_same_detectors', None if set(part.group[~burst]) <= set(part.group[burst]) else 'other bursts')
    quiet = np.array(part.atoms[~burst][:, 0], float)
    case('quiet_rates_are_gbms', None if 600 < np.median(quiet) / 2.048 < 1500 else np.median(quiet))  # science.md A.6: 622 to 1497 c/s
    x, y = part.take(np.arange(8))
    want = clib.prepare(np.array(part.atoms[:8]), None, *clib.ONE_BAND)
    case('input_is_what_the_daemon_would_see', None if x.shape == (8, 2, 60) and (x[:, :1] == want).all() else x.shape)


class Faint:
    """The bursts of a part with flat counts in their place: S/N 0."""

    def __init__(self, part, np):
        rows = np.flatnonzero(part.y == 1)
        self.y, self.atoms, self.n_bin = part.y[rows], np.full((len(rows), 1, 60), 2000, np.uint16), 60
        self.columns = {k: v[rows] for k, v in part.columns.items()}


def simulated(np):
    from burst_training import gbm2s
    part = gbm2s.Simulated(400, 77, 0.1)
    burst = part.y == 1
    case('half_are_bursts', None if abs(burst.mean() - 0.5) < 0.05 and len(part) <= 400 else (burst.mean(), len(part)))
    other = (~burst) & (part.columns['family'] != 'quiet')
    case('share_of_look_alikes', None if other.sum() == 20 else int(other.sum()))
    case('simulated_windows_are_whole', None if np.array(part.valid).all() else 'missing bins')
    case('simulated_bursts_are_short_enough', None if part.columns['t90_s'][burst].astype(float).max() < 90 else 'long')
    case('their_measured_snr_is_a_bursts', None if len(gbm2s.Simulated.like_real(Faint(part, np))) == 0 else 'bursts of nothing are kept')
    case('one_seed_to_a_kind', None if len(part.origin) == 3 else part.origin)


def network(np):
    import torch
    from burst_training import clib, export, short
    torch.manual_seed(1)
    net = short.build(width=8).eval()
    x = torch.randn(5, 2, 60)
    # by hand: 2 x 8 x 7 + 8 x 8 x (5 + 5 + 3) weights, 4 x 2 x 8 of batch norm, 2 x (16 + 1) of the head
    n = sum(p.numel() for p in net.parameters())
    case('parameters_by_hand', None if n == 2 * 8 * 7 + 8 * 8 * 13 + 64 + 34 else n)
    with torch.no_grad():
        want = net(x).numpy()
        case('head_of_the_trunk_is_the_answer', None if np.allclose(net.head(net.trunk(x)).numpy(), want) else 'differs')
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / 'model.onnx'
        export.write_onnx(net, (2, 60), path, 'light_curve', {'burst.card': 'random'})
        with clib.Net(path) as c:
            got = c.run(x.numpy())
    case('the_c_runtime_answers_alike', None if np.abs(got - want).max() < 1e-5 else np.abs(got - want).max())


def main():
    try:
        import numpy as np
    except ImportError as why:
        print(f'skip gbm2s: {why}')
        return 0
    table(np)
    if not (pathlib.Path(BUILD) / 'libburst_train.so').exists():
        print('skip windows_of_2s: libburst_train is not built')
        return exit_status()
    real(np)
    with tempfile.TemporaryDirectory() as folder:
        import os
        os.environ.update(BURST_BUILD=str(BUILD), BURST_TRAINING=folder)
        simulated(np)
    try:
        import onnx  # noqa: F401
        import torch  # noqa: F401
    except ImportError as why:
        print(f'skip small_network: {why}')
        return exit_status()
    network(np)
    return exit_status()


if __name__ == '__main__':
    sys.exit(main())
