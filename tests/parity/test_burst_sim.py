#!/usr/bin/python3
"""burst-sim's files in the hands of strangers: numpy, astropy and fitsverify."""
import csv
import hashlib
import pathlib
import subprocess
import sys
import tempfile

from report import BUILD, case, exit_status, sim, verify


def digest(path):
    return hashlib.sha256(pathlib.Path(path).read_bytes()).hexdigest()


def lightcurves(folder, np):
    sim('lightcurves', '--n', 40, '--seed', 5, '--out', folder / 'a')
    sim('lightcurves', '--n', 40, '--seed', 5, '--out', folder / 'b')
    same = all(digest(folder / 'a' / f) == digest(folder / 'b' / f) for f in ('x.npy', 'y.npy', 'meta.csv'))
    case('the_same_seed_gives_the_same_bytes', None if same else 'they differ')
    x, y = np.load(folder / 'a/x.npy'), np.load(folder / 'a/y.npy')
    case('numpy_reads_the_arrays', None if x.shape == (40, 9, 1875) and x.dtype == np.float32 and y.shape == (40,) else
         f'{x.shape} {x.dtype} {y.shape}')
    meta = list(csv.DictReader(open(folder / 'a/meta.csv')))
    case('labels_agree_with_the_table', None if [int(r['label']) for r in meta] == y.tolist() else 'they do not')
    rows = (x != 0).any(1).sum(1)  # a valid bin is hardly ever at the mean in all nine bands
    valid = np.array([int(r['n_valid']) for r in meta])
    case('missing_bins_are_zero_in_all_bands', None if (rows <= valid).all() and (rows > 0.98 * valid).all() else f'{rows - valid}')
    n = valid[:, None]
    mean, deviation = x.sum(2, dtype=float) / n, np.sqrt((x.astype(float) ** 2).sum(2) / n)
    live = deviation > 0.5  # a band without any count stays 0
    fault = abs(mean).max() > 1e-4 or abs(deviation[live] - 1).max() > 1e-4
    case('each_band_has_mean_0_and_deviation_1_over_valid_bins', f'{abs(mean).max()} {abs(deviation - 1).max()}' if fault else None)


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
        gecam(folder, numpy, fits)
        gbm(folder, fits)
        stream(folder, numpy, fits)
    return exit_status()


if __name__ == '__main__':
    sys.exit(main())
