#!/usr/bin/python3
"""burst-sim's files in the hands of strangers: numpy, astropy and fitsverify."""
import csv
import hashlib
import json
import pathlib
import subprocess
import sys
import tempfile

from report import BUILD, case, exit_status, sim, verify


def digest(path):
    return hashlib.sha256(pathlib.Path(path).read_bytes()).hexdigest()


SET = ('atoms.npy', 'valid.npy', 'y.npy', 'meta.csv')


def same_sets(a, b, files=SET):
    return all(digest(a / f) == digest(b / f) for f in files)


def lightcurves(folder, np):
    sim('lightcurves', '--n', 400, '--seed', 5, '--threads', 1, '--out', folder / 'a')
    sim('lightcurves', '--n', 400, '--seed', 5, '--threads', 3, '--out', folder / 'b')
    case('the_same_seed_gives_the_same_set_by_one_thread_and_by_three', None if same_sets(folder / 'a', folder / 'b') else 'they differ')
    sim('lightcurves', '--n', 8, '--seed', 6, '--out', folder / 'b')
    atoms, valid, y = (np.load(folder / f'a/{f}') for f in SET[:3])
    shapes = (atoms.shape, valid.shape, y.shape) == ((400, 5, 1875), (400, 1875), (400,))
    case('numpy_reads_the_arrays', None if shapes and (atoms.dtype, valid.dtype, y.dtype) == (np.uint16, np.uint8, np.int64) else
         f'{atoms.shape} {atoms.dtype} {valid.shape} {y.shape}')
    case('another_seed_gives_other_counts', None if (np.load(folder / 'b/atoms.npy') != atoms[:8]).any(axis=(1, 2)).all() else 'it does not')
    meta = list(csv.DictReader(open(folder / 'a/meta.csv')))
    case('labels_agree_with_the_table', None if [int(r['label']) for r in meta] == y.tolist() else 'they do not')
    case('missing_bins_hold_no_counts', None if not atoms.sum(1)[valid == 0].any() else 'they do')
    case('the_table_counts_valid_bins', None if [int(r['n_valid']) for r in meta] == valid.sum(1).tolist() else 'it does not')
    total, ok = atoms.sum(1, dtype=float), valid == 1
    mean = np.array([t[v].mean() for t, v in zip(total, ok)])
    ratio = np.array([t[v].var() / t[v].mean() for t, v in zip(total, ok)])
    far = max(abs(mean - [float(r['counts']) for r in meta]).max(), abs(ratio / [float(r['dispersion']) for r in meta] - 1).max())
    case('the_table_tells_mean_and_dispersion', None if far < 1e-3 else f'off by {far}')
    about = json.load(open(folder / 'a/set.json'))
    wanted = {'what': 'lightcurves', 'version': 2, 'n': 400, 'seed': 5, 'mission': 'mix', 'bin_s': 0.064, 'n_bin': 1875, 'n_atom': 5,
              'edges_kev': [25, 50, 100, 300, 500, 900]}
    case('set_json_says_what_it_is', None if all(about.get(k) == v for k, v in wanted.items()) else f'{about}')


def other_sets(folder, np):
    sim('lightcurves', '--n', 60, '--detectors', 'best3', '--only', 'burst', '--out', folder / 'three')
    rows = list(csv.DictReader(open(folder / 'three/meta.csv')))
    skies = [rows[i:i + 3] for i in range(0, 60, 3)]
    whole = all(len({r['sky'] for r in s}) == 1 and len({r['detector'] for r in s}) == 3 and len({r['mission'] for r in s}) == 1 for s in skies)
    case('best3_rows_are_three_detectors_of_a_sky', None if whole and len({s[0]['sky'] for s in skies}) == 20 else f'{rows}')
    valid = np.load(folder / 'three/valid.npy').reshape(20, 3, -1)
    case('detectors_of_a_sky_pause_together', None if (valid == valid[:, :1]).all() else 'they do not')
    sim('lightcurves', '--n', 28, '--detectors', 'all', '--mission', 'fermi-gbm', '--bin', 2.048, '--bins', 60, '--bands', 'total', '--out', folder / 'all')
    atoms, rows = np.load(folder / 'all/atoms.npy'), list(csv.DictReader(open(folder / 'all/meta.csv')))
    case('all_are_14_of_gbm', None if [r['detector'] for r in rows[:14]] == 'n0 n1 n2 n3 n4 n5 n6 n7 n8 n9 na nb b0 b1'.split() else f'{rows[:14]}')
    case('one_atom_of_long_bins', None if atoms.shape == (28, 1, 60) else str(atoms.shape))
    sim('lightcurves', '--n', 300, '--only', 'burst', '--onset', 1, '--snr', '5,20', '--out', folder / 'begun')
    rows = list(csv.DictReader(open(folder / 'begun/meta.csv')))
    valid = np.load(folder / 'begun/valid.npy')
    end = [0.064 * (np.flatnonzero(v)[-1] + 1) for v in valid]
    late = np.mean([e - float(r['onset_s']) < 10.3 for e, r in zip(end, rows)])
    case('a_share_of_bursts_has_only_begun', None if late > 0.9 and all(float(r['stop_s']) > float(r['onset_s']) for r in rows) else f'{late}')
    snr = np.array([float(r['snr']) for r in rows])
    fair = snr.min() > 4.99 and snr.max() < 20.01 and abs(np.log(snr).mean() - np.log(10)) < 5 * np.log(4) / np.sqrt(12 * 300)
    case('snr_is_drawn_even_in_the_logarithm', None if fair else f'{snr.min()} {snr.max()} {np.log(snr).mean()}')
    sim('lightcurves', '--n', 200, '--without', 'burst,hump,quiet', '--out', folder / 'without')
    families = {r['family'] for r in csv.DictReader(open(folder / 'without/meta.csv'))}
    case('families_can_be_left_out', None if not families & {'burst', 'hump', 'quiet'} and len(families) > 10 else f'{families}')


def shifted_sets(folder, np):
    def mean(name, *options):
        sim('lightcurves', '--n', 100, '--only', 'quiet', '--mission', 'svom-grm', '--out', folder / name, *options)
        atoms, valid = np.load(folder / name / 'atoms.npy'), np.load(folder / name / 'valid.npy')
        return atoms.sum((0, 2)) / valid.sum()
    plain, loud, high = mean('plain'), mean('loud', '--shift', 'level-double'), mean('high', '--shift', 'gain-high')
    case('level_double_doubles_quiet_counts', None if abs(loud / plain - 1.976).max() < 0.015 else f'{loud / plain}')  # 8 us dead: 2 x 1.0118 / 1.0236
    case('a_high_gain_moves_counts_up', None if (high / plain)[4] > 1.01 and abs(high / plain - 1).max() < 0.1 else f'{high / plain}')
    case('set_json_names_the_shift', None if json.load(open(folder / 'loud/set.json'))['options']['shift'] == 'level-double' else 'it does not')
    sim('lightcurves', '--n', 300, '--rates', 'real', '--out', folder / 'real')
    families = [r['family'] for r in csv.DictReader(open(folder / 'real/meta.csv'))]
    case('most_real_windows_are_quiet', None if families.count('quiet') > 200 else f'{families.count("quiet")}')
    sim('lightcurves', '--n', 300, '--flux', '--only', 'burst', '--mission', 'fermi-gbm', '--out', folder / 'flux')
    rows = list(csv.DictReader(open(folder / 'flux/meta.csv')))
    fair = all(int(r['label']) == (float(r['snr']) >= 3.4995) for r in rows) and 60 < sum(int(r['label']) for r in rows) < 285
    case('by_flux_faint_bursts_have_no_label', None if fair else f'{sum(int(r["label"]) for r in rows)}')


def gecam(folder, np, fits):
    path = folder / 'gecam.fits'
    done = sim('events', '--seed', 7, '--duration', 60, '--snr', 60, '--out', path)
    truth = list(csv.DictReader(done.stdout.splitlines()))
    case('truth_names_one_burst', None if len(truth) == 1 and truth[0]['what'] == 'burst' else done.stdout)
    verify(path)
    with fits.open(path, checksum=True) as f:
        good, first = f['GTI'].data, float(truth[0]['start_s'])
        case('good_time_is_the_duration', None if abs(good['STOP'][0] - good['START'][0] - 60) < 1e-6 else str(good))
        lists = [h.data for h in f if h.name.startswith('EVENTS')]
        case('25_detectors_have_events', None if len(lists) == 25 and min(map(len, lists)) > 30000 else str([len(d) for d in lists]))
        order = all((np.diff(d['TIME']) >= 0).all() and d['TIME'][0] >= good['START'][0] and d['TIME'][-1] < good['STOP'][0] for d in lists)
        case('events_rise_inside_good_time', None if order else 'they do not')
        counts = [np.histogram(d['TIME'] - good['START'][0], np.arange(0, 60.01, 0.5))[0] for d in lists]
        peak = [(c.max() - np.median(c)) / np.sqrt(np.median(c)) for c in counts]
        when = 0.5 * counts[int(np.argmax(peak))].argmax()
        case('the_burst_is_where_truth_says', None if max(peak) > 8 and abs(when - first) < 20 else f'{max(peak):.1f} sigma at {when}')
        case('detectors_see_it_unequally', None if min(peak) < 0.4 * max(peak) else f'{min(peak)} {max(peak)}')
        quiet = np.concatenate([np.histogram(d['TIME'] - good['START'][0], np.arange(0, 25, 0.064))[0] for d in lists[:8]])
        ratio = quiet.reshape(8, -1).var(1) / quiet.reshape(8, -1).mean(1)
        case('counts_before_it_scatter_as_poisson', None if abs(ratio.mean() - 1) < 5 * np.sqrt(2 / quiet.size) + 0.01 else str(ratio))
    sim('events', '--seed', 7, '--duration', 60, '--snr', 60, '--out', folder / 'again.fits')
    case('the_same_seed_gives_the_same_file', None if digest(path) == digest(folder / 'again.fits') else 'they differ')


def gbm(folder, fits):
    sim('events', '--mission', 'fermi-gbm', '--scenario', 'hump', '--duration', 60, '--out', folder / 'gbm')
    files = sorted((folder / 'gbm').iterdir())
    case('gbm_has_12_files', None if len(files) == 12 else str(files))
    verify(files[0])
    with fits.open(files[6], checksum=True) as f:
        fine = f[0].header['TELESCOP'] == 'GLAST' and f[0].header['DETNAM'] == 'NAI_06' and len(f['EBOUNDS'].data) == 128
        case('gbm_headers_name_the_detector', None if fine else repr(f[0].header))


def other_missions(folder, fits):
    for mission, telescope, instrument, n in (('gecam-a', 'GECAM-A', 'GRD', 25), ('gecam-c', 'HEBS', 'GRD', 12), ('svom-grm', 'SVOM', 'GRM', 3)):
        path = folder / f'{mission}.fits'
        sim('events', '--mission', mission, '--duration', 60, '--snr', 50, '--out', path)
        verify(path)
        with fits.open(path, checksum=True) as f:
            head, lists = f[0].header, [h.data for h in f if h.name.startswith('EVENTS')]
            named = (head['TELESCOP'], head['INSTRUME'], len(lists)) == (telescope, instrument, n)
            case(f'{mission}_events_are_its_own', None if named and min(map(len, lists)) > 20000 else f'{head["TELESCOP"]} {len(lists)}')


def stream(folder, np, fits):
    sim('stream', '--seed', 3, '--rate', 0.5, '--from', 4000, '--to', 4010, '--chunk', 4, '--duration', 7200, '--out', folder / 'stream')
    files = sorted((folder / 'stream').iterdir())
    case('a_stream_is_cut_into_chunks', None if len(files) == 3 else str(files))
    verify(files[0])
    last = 0.0
    for path in files:
        with fits.open(path) as f:
            good, bounds = f['GTI'].data, f['EBOUNDS'].data
            fault = None if abs(good['START'][0] - last) < 1e-9 or not last else f'{good["START"]} after {last}'
            last = good['STOP'][-1]
            lists = [h.data for h in f if h.name.startswith('EVENTS')]
            inside = all(d['TIME'].min() >= good['START'][0] and d['TIME'].max() < good['STOP'][-1] and (np.diff(d['TIME']) > 0).all() for d in lists)
            ladder = len(bounds) == 498 and abs(bounds['E_MIN'][0] - 2) < 1e-6 and abs(bounds['E_MAX'][447] - 10053.5) < 0.01
            over = all((d['PI'][d['EVT_TYPE'] == 2] >= 448).all() and (d['PI'][d['EVT_TYPE'] != 2] < 448).all() for d in lists)
            case(f'{path.stem}_is_a_gecam_file', fault or (None if len(lists) == 25 and inside and ladder and over else f'{len(lists)} {inside} {ladder} {over}'))
    pipe = subprocess.run([BUILD / 'burst-sim', 'stream', '--requests', '--seed', '3', '--rate', '0.5', '--duration', '7200'],
                          input=b'4004 4008\n4000 4004 1ffffff\n4000 4004 0\n', capture_output=True).stdout
    parts, at = [], 0
    while at < len(pipe):
        n = int.from_bytes(pipe[at:at + 8], 'big')
        parts.append(pipe[at + 8:at + 8 + n])
        at += 8 + n
    same = len(parts) == 3 and [hashlib.sha256(p).hexdigest() for p in parts[:2]] == [digest(files[1]), digest(files[0])]
    case('any_stretch_can_be_asked_for', None if same else f'{[len(p) for p in parts]}')
    truth = list(csv.DictReader(sim('stream', '--truth', '--seed', 3, '--duration', 7200).stdout.splitlines()))
    case('truth_tells_what_happens', None if {'burst'} <= {r['what'] for r in truth} else f'{truth}')


def refusals(folder):
    for name, args in (('no_command', []), ('unknown_command', ['nothing']), ('no_number', ['lightcurves', '--out', folder / 'x']),
                       ('zero_samples', ['lightcurves', '--n', '0', '--out', folder / 'x']),
                       ('unknown_family', ['lightcurves', '--n', '1', '--only', 'nova', '--out', folder / 'x']),
                       ('rows_that_fill_no_sky', ['lightcurves', '--n', '4', '--detectors', 'best3', '--out', folder / 'x']),
                       ('a_bin_between_bins', ['lightcurves', '--n', '1', '--bin', '0.1', '--out', folder / 'x']),
                       ('snr_upside_down', ['lightcurves', '--n', '1', '--snr', '9,5', '--out', folder / 'x']),
                       ('unknown_shift', ['lightcurves', '--n', '1', '--shift', 'sideways', '--out', folder / 'x']),
                       ('all_of_a_mix', ['lightcurves', '--n', '100', '--detectors', 'all', '--out', folder / 'x']),
                       ('too_short', ['events', '--duration', '59', '--out', folder / 'x']),
                       ('unknown_scenario', ['events', '--scenario', 'day', '--out', folder / 'x']),
                       ('bad_time', ['events', '--start', 'noon', '--out', folder / 'x']), ('no_way_out', ['stream', '--seed', '1']),
                       ('no_rate', ['stream', '--pipe', '--rate', '0'])):
        done = subprocess.run([BUILD / 'burst-sim', *map(str, args)], capture_output=True, text=True)
        case(f'{name}_is_a_usage_error', None if done.returncode == 2 and done.stderr else f'exit {done.returncode}: {done.stderr}')
    done = subprocess.run([BUILD / 'burst-sim', 'events', '--duration', '60', '--mission', 'fermi-gbm', '--out', '/proc/none'],
                          capture_output=True, text=True)
    case('a_place_that_cannot_be_written_is_named', None if done.returncode == 1 and '/proc/none' in done.stderr else done.stderr)


def main():
    if not (BUILD / 'burst-sim').exists():
        print('FAIL burst_sim_is_built: no program', BUILD / 'burst-sim')
        return 1
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        refusals(folder)
        try:
            import numpy
            from astropy.io import fits
        except ImportError as why:
            print(f'skip files_in_strangers_hands: {why}')
            return exit_status()
        lightcurves(folder, numpy)
        other_sets(folder, numpy)
        shifted_sets(folder, numpy)
        gecam(folder, numpy, fits)
        gbm(folder, fits)
        other_missions(folder, fits)
        stream(folder, numpy, fits)
    return exit_status()


if __name__ == '__main__':
    sys.exit(main())
