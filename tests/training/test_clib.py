#!/usr/bin/python3
"""The C code as Python sees it: shapes, dtypes, what is refused and how, against numpy where numpy can say it in a line."""
import os
import pathlib
import sys
import tempfile

import numpy as np

from common import ROOT, case, first, status
from burst_training import clib  # noqa: E402


def refused(code, part, function, *arguments, **named):
    """The fault of a call that must raise BurstError of that code, its text holding `part`."""
    try:
        function(*arguments, **named)
    except clib.BurstError as error:
        return None if error.code == code and part in str(error) else f'{function.__name__}: {error.code}: {error}'
    return f'{function.__name__} took {part}'


def form(array, dtype, shape):
    return None if array.dtype == dtype and array.shape == shape and array.flags.c_contiguous else f'{array.dtype} {array.shape}'


def made(n=3, n_atom=5, n_bin=60, level=20.0, seed=1):
    draw = np.random.default_rng(seed)
    background = np.full((n, n_atom, n_bin), level, np.float32)
    return draw.poisson(background).astype(np.uint16), (draw.random((n, n_bin)) > 0.1).astype(np.uint8), background


def inputs():
    atoms, valid, _ = made()
    x = clib.prepare(atoms, valid, *clib.NINE_BANDS)
    case('nine_bands_of_float32_come_out', form(x, np.float32, (3, 9, 60)))
    want = np.zeros((9, 60))
    for b, (lo, hi) in enumerate(zip(*clib.NINE_BANDS)):
        band, good = atoms[1, lo:hi].sum(0).astype(float), valid[1] == 1
        want[b, good] = (band[good] - band[good].mean()) / band[good].std()
    case('standardised_bands_are_numpys', None if np.abs(x[1] - want).max() < 1e-6 else np.abs(x[1] - want).max())
    x = clib.prepare(atoms, None, *clib.ONE_BAND, scaling='normalise')
    case('normalised_values_fill_0_to_1', first(form(x, np.float32, (3, 1, 60)), (x.min() != 0 or x.max() != 1) and f'{x.min()}..{x.max()}'))
    together = clib.prepare(atoms, valid, *clib.NINE_BANDS, per_band=False)
    case('one_scale_for_all_bands_keeps_their_order', first(form(together, np.float32, (3, 9, 60)), together[0, 0].mean() > together[0, 5].mean()))
    both = clib.prepare(atoms, valid, *clib.NINE_BANDS, scaling='running', median_bins=21)
    past = clib.prepare(atoms, valid, *clib.NINE_BANDS, scaling='running', median_bins=21, causal=True)
    case('a_causal_median_is_another', first(form(past, np.float32, (3, 9, 60)), np.array_equal(both, past) and 'the same',
                                             past[:, :, :5].any() and 'it knew five bins before there were any'))
    case('threads_change_nothing', None if np.array_equal(both, clib.prepare(atoms, valid, *clib.NINE_BANDS, scaling='running', median_bins=21, threads=3))
         else 'they did')
    case('no_light_curves_are_no_work', form(clib.prepare(atoms[:0], valid[:0], *clib.NINE_BANDS), np.float32, (0, 9, 60)))


def layouts():
    atoms, valid, background = made(n=6)
    case('a_view_with_gaps_is_taken_as_its_copy', None if np.array_equal(
        clib.prepare(atoms[::2, :, ::-1], valid[::2, ::-1], *clib.NINE_BANDS),
        clib.prepare(atoms[::2, :, ::-1].copy(), valid[::2, ::-1].copy(), *clib.NINE_BANDS)) else 'another result')
    case('fortran_order_is_taken_as_its_copy', None if np.array_equal(clib.thin(np.asfortranarray(atoms), background, 0.5, 1),
                                                                     clib.thin(atoms, background, 0.5, 1)) else 'another result')
    atoms.setflags(write=False)
    kept = atoms.copy()
    clib.thin(atoms, background, 0.5, 1), clib.rate(atoms, background, 1.2, 1), clib.gain(atoms, 1.03, 1)
    case('what_is_given_is_left_as_it_was', None if np.array_equal(kept, atoms) else 'it was written to')


def refusals():
    atoms, valid, background = made()
    a, bands = clib.prepare, clib.NINE_BANDS
    case('other_dtypes_are_refused_by_name', first(
        refused('shape', 'atoms is int64', a, atoms.astype(int), valid, *bands), refused('shape', 'valid is bool', a, atoms, valid == 1, *bands),
        refused('shape', 'background is float64', clib.thin, atoms, background.astype(float), 0.5, 1),
        refused('shape', 'atoms is >u2', a, atoms.astype('>u2'), valid, *bands), refused('shape', 'atoms is <U3', a, 'abc', valid, *bands)))
    case('other_shapes_are_refused_by_name', first(
        refused('shape', 'atoms has shape (5, 60)', a, atoms[0], valid, *bands), refused('shape', 'valid has shape (3, 59)', a, atoms, valid[:, 1:], *bands),
        refused('shape', 'background has shape (2, 5, 60)', clib.thin, atoms, background[1:], 0.5, 1),
        refused('shape', 'kept has shape (2,)', clib.thin, atoms, background, [0.5, 0.5], 1),
        refused('shape', 'last has shape (1,)', a, atoms, valid, (0, 1), (1,))))
    case('numbers_of_another_kind_are_refused_by_name', first(
        refused('shape', 'kept is <U', clib.thin, atoms, background, 'half', 1),
        refused('range', 'part kept of row 0 is nan', clib.thin, atoms, background, np.nan, 1),
        refused('range', 'shift holds a number that is not whole', clib.turn, atoms, valid, background, 1.5, 1),
        refused('range', 'shift holds a number outside', clib.turn, atoms, valid, background, 2**40, 1),
        refused('range', 'index holds a number outside', clib.thin, atoms, background, 0.5, 1, index=[0, 1, -1]),
        refused('range', 'first holds a number outside', a, atoms, valid, (-1,), (1,)), refused('range', 'seed -1', clib.thin, atoms, background, 0.5, -1)))
    case('words_that_are_none_are_refused', first(
        refused('range', "scaling 'log'", a, atoms, valid, *bands, scaling='log'), refused('range', 'no causal form', a, atoms, valid, *bands, causal=True),
        refused('range', "preset 'x'", clib.draw_kept, [10.0], 1, preset='x')))
    case('what_the_c_code_refuses_keeps_its_sentence', first(
        refused('shape', '[0, 6) of 5', a, atoms, valid, (0,), (6,)),
        refused('range', 'all together', a, atoms, valid, *bands, scaling='running', per_band=False),
        refused('shape', '0 bands', a, atoms, valid, (), ()), refused('shape', '0 threads', a, atoms, valid, *bands, threads=0),
        refused('shape', '9 atoms', a, np.zeros((1, 9, 8), np.uint16), None, (0,), (1,)),
        refused('missing', 'row 2', clib.background, atoms, valid, [0, 0, 0], [0, 0, 60]),
        refused('range', 'degree 9', clib.background, atoms, valid, 0, 0, 9), refused('range', 'gain of row 0', clib.gain, atoms, 1.5, 1),
        refused('shape', 'one atom', clib.gain, atoms[:, :1], 1.01, 1, edges_kev=(8, 900)),
        refused('missing', 'no background', clib.slide, atoms, valid, None, 1, 1)))


def fainter_bursts():
    atoms, valid, background = made(n=500, n_bin=200, level=52)
    thin = clib.thin(atoms, background, 0.5, 7)
    spread = thin.var() / thin.mean()
    case('thinned_counts_are_whole_and_poisson', first(form(thin, np.uint16, atoms.shape), abs(spread - 1) > 0.02 and spread))
    printed = clib.thin_as_printed(atoms, background, 0.5, 7)
    spread = printed.var() / printed.mean()
    case('the_printed_formula_is_under_dispersed', first(form(printed, np.float32, atoms.shape), abs(spread - 0.75) > 0.02 and spread,
                                                         abs(np.mean(printed != np.round(printed)) - 0.5) > 0.02 and 'whole numbers'))
    some = np.array([400, 3, 17])
    case('a_row_is_drawn_by_its_index_not_its_place', None if np.array_equal(clib.thin(atoms[some], background[some], 0.5, 7, index=some), thin[some])
         else 'another draw')
    case('another_seed_is_another_draw', None if not np.array_equal(clib.thin(atoms, background, 0.5, 8), thin) else 'the same')
    case('missing_bins_are_empty', None if not clib.thin(atoms, background, 0.5, 7, valid=valid)[:, 0][valid == 0].any() else 'counts')
    fit = clib.background(atoms, valid, 80, 120)
    case('the_background_is_found_again', first(form(fit, np.float32, atoms.shape), abs(fit.mean() - 52) > 0.2 and fit.mean(), fit.min() <= 0 and 'nothing'))
    kept, snr = clib.draw_kept(np.full(1000, 30.0), 5)
    case('targets_lie_between_clear_and_what_there_is', first(form(kept, np.float64, (1000,)), (snr.min() < 4.5 or snr.max() > 30) and 'outside',
                                                              np.abs(kept * 30 - snr).max() > 1e-9 and 'not kept x S/N'))
    case('labels_leave_the_unclear_out', None if clib.snr_label([3.4, 4.0, 4.6]).tolist() == [0, -1, 1] else 'another label')


def other_places():
    atoms, valid, background = made(n=4)
    counts, data = clib.turn(atoms, valid, background, [0, 60, -60, 7], 1)
    case('a_full_turn_changes_nothing_valid', first(form(counts, np.uint16, atoms.shape), form(data, np.uint8, valid.shape),
                                                    not np.array_equal(counts[:3], atoms[:3] * valid[:3, None]) and 'counts',
                                                    not np.array_equal(data[3], np.roll(valid[3], 7)) and 'validity'))
    counts, data, used = clib.swap(atoms, valid, background, *made(n=4, level=10, seed=2), 0.9, 1)
    case('over_a_fainter_window_less_is_kept', first(form(counts, np.uint16, atoms.shape), np.abs(used - 0.5).max() > 1e-9 and used))
    counts, data, moved = clib.slide(atoms, valid, background, 10, 1)
    later = atoms[:, :, 10:] * valid[:, None, 10:]
    case('a_window_moved_on_shows_what_came_later', first(
        form(moved, np.float32, atoms.shape), not np.array_equal(data[:, :50], valid[:, 10:]) and 'validity',
        not np.array_equal(counts[:, :, :50], later) and 'counts'))
    offset = clib.draw_cut([20] * 50, [30] * 50, 60, 1)
    edge = np.where(offset > 0, offset, offset + 60)
    case('cuts_fall_inside_the_burst', first(form(offset, np.int32, (50,)), ((edge <= 20) | (edge >= 30)).any() and offset))
    counts, none = clib.gain(atoms, [0.97, 1.03, 1.0, 1.0], 1)
    case('a_gain_keeps_the_sum_of_a_bin', first(
        none is not None and 'a background', not np.array_equal(counts.sum(1), atoms.sum(1)) and 'another sum',
        np.array_equal(counts[0], atoms[0]) and 'nothing moved', not np.array_equal(counts[2], atoms[2]) and 'it moved'))
    counts, scaled = clib.rate(atoms, background, 1.3, 1)
    case('a_higher_rate_adds', first((counts < atoms).any() and 'taken', np.abs(scaled - 26).max() > 1e-5 and scaled))


def windows():
    counts = np.full(2 * 100, 100, np.int32)
    counts[20:23] += 100
    given = {'counts': counts, 'offset': [0, 100, 200], 't_first_s': [-40.0, -40.0], 't90_start_s': np.float32([0, 0]),
             't90_s': np.float32([4, 4]), 'burst': ['080714745', '080715950'], 'bin_s': 2.0}
    window, atoms, valid = clib.gbm_windows(**given, n_bin=np.int64(20), guard_s=4, quiet_most=1, quiet_of_kept=0)
    case('windows_come_with_their_facts', first(
        form(atoms, np.uint16, (3, 1, 20)), form(valid, np.uint8, (3, 20)), window.dtype != clib.WINDOW and window.dtype,
        window['label'].tolist() != [1, 0, 0] and window, window['curve'].tolist() != [0, 0, 1] and window))
    at = int(window['first_bin'][0])
    case('a_windows_counts_are_the_curves', first(
        not np.array_equal(atoms[0, 0], counts[at:at + 20]) and at, abs(window['snr'][0] - 15) > 1e-6 and window['snr'],
        window['onset_bin'][0] != 20 - at and window['onset_bin']))
    rules = clib.window_rules()
    case('the_rules_have_their_published_values', None if (rules['n_bin'], rules['best_most'], rules['t90_most_s'], rules['background_least'],
                                                           rules['quiet_after_s']) == (60, 3, 90.0, 10, 60.0) else rules)
    case('windows_of_nonsense_are_refused', first(
        refused('range', 'no such rule: speed', clib.gbm_windows, **given, speed=3),
        refused('shape', 'counts is int64', clib.gbm_windows, **{**given, 'counts': counts.astype(int)}),
        refused('shape', 'offset has shape', clib.gbm_windows, **{**given, 'offset': [0, 100]}),
        refused('shape', 'burst has shape', clib.gbm_windows, **{**given, 'burst': ['a']}),
        refused('shape', '[100, 201) of 200', clib.gbm_windows, **{**given, 'offset': [0, 100, 201]}),
        refused('range', 'curve 1', clib.gbm_windows, **{**given, 't90_s': [4.0, np.nan]}),
        refused('shape', 'windows of -1', clib.gbm_windows, **given, n_bin=-1),
        refused('shape', 'per_curve -5', clib.gbm_windows, **given, per_curve=-5)))
    none = clib.gbm_windows(np.zeros(0, np.int32), [0], [], [], [], [])
    case('no_curves_give_no_windows', None if len(none[0]) == 0 and none[1].shape == (0, 1, 60) else none)


def real_windows():
    """What is so of real light curves whatever the burst; the S/N of science.md A.4 within what its other rules for detectors can do."""
    path = ROOT.parent / 'shared/data/fermi-gbm/lc2048ms/gbm_lc_2048ms.npz'
    if not path.exists():
        print(f'skip real_light_curves_are_cut_by_the_rules: {path} is absent')
        return
    with np.load(path) as file:
        known = {name: file[name] for name in file.files}
    mine = np.flatnonzero(np.char.startswith(known['det'], 'n') & (known['burst'] >= '15'))
    counts = [known['counts'][known['offset'][i]:known['offset'][i + 1]] for i in mine]
    burst, start, t90, centre = (known[k][mine] for k in ('burst', 't90_start', 't90', 't_first_center'))
    window, atoms, valid = clib.gbm_windows(np.concatenate(counts), np.cumsum([0, *map(len, counts)]), centre, start, t90, burst)
    one, at = window['label'] == 1, window['curve']
    began = centre[at] + (window['first_bin'] - 0.5) * 2.048
    case('real_windows_are_cut_by_the_rules', first(
        one.sum() < 1000 and f'{one.sum()} burst windows', (~one).sum() < 2000 and f'{(~one).sum()} quiet windows',
        np.unique(burst[at][one], return_counts=True)[1].max() > 3 and 'over three detectors of a burst', window['snr'][one].min() < 4 and 'a weak one',
        (t90[at][one] >= 90).any() and 'a long one', window['n_background'][one].min() < 10 and 'a crowded one',
        (began > start[at])[one].any() and 'T90 begins before its window', (began + 60 * 2.048 < (start + t90)[at])[one].any() and 'T90 ends after',
        (began - (start + t90)[at] < 60)[~one].any() and 'a quiet one too early'))
    cut = all(np.array_equal(a[0], counts[w['curve']][w['first_bin']:w['first_bin'] + 60]) for a, w in zip(atoms, window) if not w['n_saturated'])
    case('real_windows_hold_the_files_counts', None if cut else 'others')
    # A.4: the brightest detector's median S/N is 15, the third's 12.3; burst windows here are those of S/N 4 and more.
    best = [window['snr'][one & (burst[at] == name)].max() for name in np.unique(burst[at][one])]
    quiet = np.median(window['snr'][~one])
    case('real_bursts_are_as_bright_as_they_were_measured_before', first(not 12 < np.median(best) < 22 and np.median(best), not 1.5 < quiet < 3.5 and quiet))


def networks():
    folder = ROOT / 'tests/golden/net/light_curve'
    x = np.random.default_rng(3).normal(size=(5, 9, 75)).astype(np.float32)
    with clib.Net(folder, batch=2, threads=2) as cpu, clib.Net(str(folder / 'model.onnx'), backend='plain') as plain:
        facts = (cpu.input, cpu.output, cpu.backend, plain.backend)
        case('a_file_tells_what_it_takes_and_gives', None if facts == ((9, 75), (2,), 'cpu', 'plain') else facts)
        y, z = cpu.run(x), plain.run(x)
        case('both_backends_agree', first(form(y, np.float32, (5, 2)), np.abs(y - z).max() > 1e-5 and np.abs(y - z).max()))
        case('metadata_are_the_files', None if cpu.metadata().get('burst.bin_s') == '0.064' and len(cpu.sha256) == 64 else cpu.metadata())
        case('a_view_runs_as_its_copy', None if np.array_equal(cpu.run(x[::-1]), y[::-1]) else 'another answer')
        case('no_samples_no_answers', form(cpu.run(x[:0]), np.float32, (0, 2)))
        case('samples_of_another_form_are_refused', first(refused('shape', 'x is float64', cpu.run, x.astype(float)),
                                                          refused('shape', 'x has shape (5, 9, 74)', cpu.run, x[:, :, 1:])))
    case('a_closed_network_says_so', first(refused('state', 'closed', cpu.run, x), refused('state', 'closed', cpu.metadata)))
    with tempfile.TemporaryDirectory() as scratch:
        broken = pathlib.Path(scratch) / 'model.onnx'
        broken.write_bytes((folder / 'model.onnx').read_bytes()[:1000])
        case('files_that_will_not_do_are_refused', first(
            refused('truncated', '', clib.Net, broken), refused('io', 'nowhere', clib.Net, '/nowhere.onnx'),
            refused('range', "'tpu'", clib.Net, folder, backend='tpu'), refused('range', 'batch of 0', clib.Net, folder, batch=0)))


def library():
    before = os.environ.get('BURST_BUILD')
    os.environ['BURST_BUILD'] = '/nowhere'
    clib._library.cache_clear()
    try:
        clib.snr_label([1.0])
        fault = 'it was found'
    except FileNotFoundError as error:
        fault = None if 'burst_train' in str(error) and '/nowhere' in str(error) else str(error)
    case('a_library_that_is_not_built_is_told_by_its_target', fault)
    os.environ.pop('BURST_BUILD') if before is None else os.environ.update(BURST_BUILD=before)
    clib._library.cache_clear()


def main():
    if not clib.library_path().exists():
        print(f'skip clib: {clib.library_path()} is not built')
        return 0
    for part in (inputs, layouts, refusals, fainter_bursts, other_places, windows, real_windows, networks, library):
        part()
    return status()


if __name__ == '__main__':
    sys.exit(main())
