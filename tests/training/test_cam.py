#!/usr/bin/python3
"""Grad-CAM in the real TTE of GRB 110721A, and the arithmetic of the deletion test on numbers worked out by hand."""
import os
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / 'training'), str(ROOT / 'tests/parity')]
from report import BUILD, case, exit_status  # noqa: E402

os.environ.setdefault('BURST_BUILD', str(BUILD))


class Sum:
    """A network whose logit is the counts of its window, in hundreds, less 10: what is removed is what it falls by."""

    def logit(self, atoms, valid):
        return (atoms.astype(float) * valid[:, None]).sum((1, 2)) / 100 - 10


def by_hand(np, cam):
    edge = cam.cells(118)
    case('cells_are_equal_parts', None if edge[0] == 0 and edge[-1] == 1875 and set(np.diff(edge)) == {15, 16} else np.diff(edge))
    # The mean of a straight line from 1 to 0.6 over the shares 0 to 0.4 is 0.8, whatever the steps.
    got = cam.area(np.array([1 - s for s in (0.0, *cam.SHARES)]))
    case('area_of_a_straight_line', None if abs(got - 0.8) < 1e-12 else got)
    values = np.array([0.0, 3, 1, 2])
    random = np.random.default_rng(1)
    case('highest_first', None if cam.order_of(values, 'highest', random).tolist() == [1, 3, 2, 0] else 'another order')
    case('lowest_first', None if cam.order_of(values, 'lowest', random).tolist() == [0, 2, 3, 1] else 'another order')
    case('random_order_is_all_positions', None if sorted(cam.order_of(values, 'random', random)) == [0, 1, 2, 3] else 'not all')


def deletion(np, cam):
    """One atom counts 100 in the 20 cells that the map ranks highest, nothing elsewhere, over a background of nothing."""
    values = np.zeros(118)
    values[50:70] = np.arange(1, 21)
    edge = cam.cells(118)
    atoms, valid = np.zeros((5, 1875), np.uint16), np.ones(1875, np.uint8)
    atoms[2, edge[50]:edge[70]] = 100
    valid[edge[69]] = 0
    z = cam.delete(Sum(), atoms, valid, np.zeros((5, 1875), np.float32), values, seed=3)
    n_bin = edge[70] - edge[50] - 1  # the missing bin counts nothing
    case('whole_window_first', None if np.allclose(z[:, 0], n_bin - 10) else z[:, 0])
    # 0.4 of 118 cells are 47: all 20 are gone, lowest first takes none of them, and 0.02 is the 2 highest cells, one bin missing.
    case('highest_first_takes_it_all', None if z[0, -1] == -10 else z[0, -1])
    case('lowest_first_takes_nothing', None if z[2, -1] == n_bin - 10 else z[2, -1])
    first = edge[70] - edge[68] - 1
    case('two_cells_are_two_hundredths', None if z[0, 1] == n_bin - first - 10 else (z[0, 1], first))
    case('random_order_lies_between', None if z[0, -1] < z[1, -1] < z[2, -1] else z[:, -1])
    found = cam.deletion_figures(np.stack([z, z]))
    fall = found['logit_fall']['highest'][-1]
    case('figures_carry_the_fall', None if abs(fall['value'] - n_bin) < 1e-9 and fall['n'] == 2 else fall)


def real(np, cam, curves, runs):
    folder = curves.shared_data()
    if folder is None:
        print('skip grb_110721a: ../shared/data is absent')
        return
    try:
        import astropy  # noqa: F401
    except ImportError:
        print('skip grb_110721a: python3-astropy is not installed')
        return
    atoms, valid, first_s = cam.read_tte(next((folder / 'fermi-gbm/bn110721200').glob('glg_tte_n6_*.fit')))
    # Source: science.md A.5, atoms of this burst in n6: 27.4 28.1 37.1 4.8 2.5 %, measured on another stretch and background.
    on, off = (int((t - first_s) / cam.BIN_S) for t in (0, 22))
    excess = atoms[0, :, on:off].sum(1) - cam.clib.background(atoms, valid, [on], [off])[0, :, on:off].sum(1)
    share = 100 * excess / excess.sum()
    case('atoms_of_the_burst', None if np.abs(share - [27.4, 28.1, 37.1, 4.8, 2.5]).max() < 4 else share)
    case('the_file_covers_the_window', None if valid.all() else int(valid.sum()))
    model = cam.Model(max((runs.REPOSITORY / 'models/gecam-resnet-mscfm').glob('[0-9]*'), key=lambda p: int(p.name)))
    found = cam.real(model, folder, repeats=2)
    model.close()
    case('it_is_called_a_burst', None if found['p'] > 0.9 else found['p'])
    case('the_map_peaks_inside_t90', None if found['peak_inside_t90'] else found['peak_s'])
    case('the_map_is_denser_inside_t90', None if found['share_of_map_inside_t90'] > found['share_of_time_inside_t90'] else found['share_of_map_inside_t90'])
    f = found['deletion']['logit_fall_highest_less_random']['value']
    case('the_highest_matter_more_than_random_ones', None if f > 0 else f)


def main():
    try:
        import numpy as np
    except ImportError as why:
        print(f'skip cam: {why}')
        return 0
    if not (BUILD / 'libburst_train.so').exists():
        print('skip cam: libburst_train is not built')
        return 0
    from burst_training import cam, curves, runs
    by_hand(np, cam)
    deletion(np, cam)
    real(np, cam, curves, runs)
    return exit_status()


if __name__ == '__main__':
    sys.exit(main())
