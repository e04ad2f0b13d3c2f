"""What the realism tests share: cases, sets of burst-sim, the real data where they are."""
import csv
import pathlib
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / 'tests/parity'), str(ROOT / 'training')]
from report import case, exit_status, sim  # noqa: E402,F401

try:
    import numpy as np
except ImportError:
    print('skip realism: numpy is not installed')
    sys.exit(0)
from burst_training import curves  # noqa: E402,F401


def lightcurves(*options):
    """(atoms, valid, meta {column: array}) of a set that is made and read."""
    with tempfile.TemporaryDirectory() as folder:
        sim('lightcurves', *options, '--threads', 1, '--out', folder)
        with open(f'{folder}/meta.csv', newline='') as table:
            rows = list(csv.DictReader(table))
        return np.load(f'{folder}/atoms.npy'), np.load(f'{folder}/valid.npy'), {k: np.array([r[k] for r in rows]) for k in rows[0]}


def numbers(column):
    return np.array([float(v) if v else np.nan for v in column])


def real(name):
    """The folder of the real data; None after a line that says so."""
    folder = curves.shared_data()
    if folder is None:
        print(f'skip {name}: ../shared/data is not there')
    return folder


def within(name, value, low, high):
    case(name, None if low <= value <= high else f'{value:.4g} is outside {low:.4g}..{high:.4g}')
