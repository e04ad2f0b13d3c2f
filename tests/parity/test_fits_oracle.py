#!/usr/bin/python3
"""One file, three readers: ours, cfitsio and astropy must agree on every keyword, table cell and pixel of every file our
gate accepts; and what ingest makes of an event file must be what astropy's columns and exact rational arithmetic give.
Files: the accepted ones of tests/bad/make.py, what burst-sim writes, and the real ones of ../shared/data, where that is."""
import fractions
import gzip
import hashlib
import json
import pathlib
import subprocess
import sys
import tempfile
import warnings
import numpy as np
from astropy.io import fits
from astropy.time import Time

from report import BUILD, ROOT, case, exit_status, verify

DATA = ROOT.parent / 'shared/data'


def digest(array):
    return hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()


def dump(mode, paths):
    done = subprocess.run([BUILD / 'parity/ingest_dump', mode, *paths], stdout=subprocess.PIPE, check=True, timeout=600)
    return [json.loads(line) for line in done.stdout.splitlines()]


# ---- astropy's view in the words of ingest_dump ----

def doubles(array):
    values = np.asarray(array, '<f8').copy()
    values[np.isnan(values)] = np.nan
    return digest(values)


def column_view(hdu, i):
    column = hdu.columns[i]
    form = column.format
    repeat, letter = int(form.rstrip('ABDEIJKLX') or 1), form.lstrip('0123456789')
    data = hdu.data.field(i) if len(hdu.data) else np.zeros(0)
    if letter == 'A':
        text = ''.join(f'{cell.rstrip(" ")}\n' for cell in data)
        return [column.name, repeat, letter, hashlib.sha256(text.encode('latin-1')).hexdigest()]
    values = np.asarray(data, 'f8')
    if column.null is not None:
        raw = np.frombuffer(hdu.data.view(np.ndarray).tobytes(), hdu.data.dtype)[column.name]
        values = np.where(raw == column.null, np.nan, values)
    return [column.name, repeat, letter, doubles(values)]


def card_view(card):
    value = card.value
    if isinstance(value, bool): return [card.keyword, 'logical', 'T' if value else 'F']
    if isinstance(value, int): return [card.keyword, 'int', str(value)]
    if isinstance(value, float): return [card.keyword, 'real', '%.17g' % value]
    if isinstance(value, str): return [card.keyword, 'text', value.rstrip(' ')]
    return [card.keyword, 'none', '']


def astropy_view(path):
    hdus = []
    with fits.open(path, memmap=False, character_as_bytes=False) as file:
        for hdu in file:
            cards = [card_view(c) for c in fits.Header.fromstring(header_bytes(path, hdu)).cards
                     if c.keyword not in ('COMMENT', 'HISTORY', '')]
            view = {'axes': [c[2] for c in cards if c[0].startswith('NAXIS') and c[0] != 'NAXIS'], 'cards': cards}
            view['axes'] = [int(n) for n in view['axes']]
            if isinstance(hdu, fits.BinTableHDU):
                view['columns'] = [column_view(hdu, i) for i in range(len(hdu.columns))]
            else:
                view['pixels'] = doubles(hdu.data.ravel() if hdu.data is not None else np.zeros(0))
            hdus.append(view)
    return hdus


def header_bytes(path, hdu):
    """The header as it lies in the file: astropy's own copy has been tidied."""
    info = hdu.fileinfo()
    return path.read_bytes()[info['hdrLoc']:info['datLoc']].decode('latin-1').split(f'{"END":<80}')[0]


def first_difference(a, b):
    if len(a) != len(b):
        return f'{len(a)} and {len(b)} HDUs'
    for i, (x, y) in enumerate(zip(a, b)):
        for key in sorted(set(x) | set(y)):
            left, right = x.get(key), y.get(key)
            if left == right: continue
            if isinstance(left, list) and isinstance(right, list) and len(left) == len(right):
                left, right = next((l, r) for l, r in zip(left, right) if l != r)
            return f'HDU {i}: {key}: {left} and {right}'
    return None


# ---- what ingest must give ----

def to_ns(text):
    """Decimal seconds exactly, rounded half away from zero."""
    value = fractions.Fraction(text.replace('D', 'E')) * 10**9
    whole = abs(value).numerator * 2 // abs(value).denominator
    return ((whole + 1) // 2) * (1 if value >= 0 else -1)


def raw_card(path, hdu, key):
    header = header_bytes(path, hdu)
    cards = [header[i:i + 80] for i in range(0, len(header), 80)]
    found = [c for c in cards if c[:8].strip() == key]
    return found[0][10:].split('/')[0].strip() if found else None


def raw_rows(path, hdu):
    """Rows as stored, by astropy's layout of the columns but without its scaling."""
    at = hdu.fileinfo()['datLoc']
    return np.frombuffer(path.read_bytes()[at:at + hdu.header['NAXIS1'] * hdu.header['NAXIS2']], hdu.columns.dtype.newbyteorder('>'))


def stored_times(path, hdu, column):
    number = [c.name for c in hdu.columns].index(column) + 1
    zero = to_ns(raw_card(path, hdu, f'TZERO{number}') or '0')
    return zero, raw_rows(path, hdu)[column]


def exact_times(path, hdu, column, epoch_ns):
    """Rational arithmetic for every row: no float between the stored double and the nanosecond."""
    zero, raw = stored_times(path, hdu, column)
    out = []
    for value in raw:
        numerator, denominator = float(value).as_integer_ratio()
        out.append(epoch_ns + zero + (2 * numerator * 10**9 + denominator) // (2 * denominator))
    return np.array(out, '<i8')


def epoch_of(mjd_i):
    """The missions count TT seconds from a UTC midnight: astropy gives TT - UTC of that day."""
    t = Time(mjd_i, format='mjd', scale='utc')
    seconds = round((t.tt.jd1 - t.utc.jd1 + (t.tt.jd2 - t.utc.jd2)) * 86400, 3)
    return (mjd_i - 40587) * 86400 * 10**9 + round(seconds * 1000) * 10**6


EDGES = [25, 50, 100, 300, 500, 900] # keV: the default atoms
BIN = 64 * 10**6


def merged(times, dead, gain):
    """One deposit in both gains: two rows in succession, the later within the first's dead time; the low-gain one (1) counts."""
    keep, i = np.ones(len(times), bool), 1
    while i < len(times):
        if gain[i] != gain[i - 1] and times[i] - times[i - 1] <= dead[i - 1]:
            keep[i if gain[i - 1] else i - 1] = False
            i += 1 # a row belongs to one pair at most
        i += 1
    return keep


def counted(times, channel, dead, low, high):
    """What a list of recommended rows is in cells of (bin, atom), by numpy; outside: rows of no atom."""
    mean = np.sqrt(low.astype('f8') * high.astype('f8'))
    atom = (np.searchsorted(EDGES, mean, side='right') - 1)[channel]
    inside = (atom >= 0) & (atom < len(EDGES) - 1)
    cells, n = np.unique(np.stack([times[inside] // BIN, atom[inside]], 1), axis=0, return_counts=True)
    return [[int(k), int(a), int(c)] for (k, a), c in zip(cells, n)], int((~inside).sum())


def dead_cells(times, dead):
    """Dead time of all rows per bin, units of 100 ns."""
    bins, at = np.unique(times // BIN, return_inverse=True)
    sums = np.bincount(at, dead, len(bins))
    return [[int(k), len(EDGES) - 1, int(s)] for k, s in zip(bins, sums) if s]


def expected_list(path, hdu, low, high, ladder, gbm):
    raw, times = raw_rows(path, hdu), exact_times(path, hdu, 'TIME', 0)
    order = np.arange(len(raw)) if gbm else np.argsort(times, kind='stable')
    back = int((np.diff(times) < 0).sum())
    raw, times = raw[order], times[order]
    quality = 1 if back else 0  # steps back; all at one time; a row that is the one in front of it
    if len(raw) > 1:
        rows = raw.view(np.uint8).reshape(len(raw), -1)
        quality += 2 * bool(times.min() == times.max()) + 4 * bool((rows[1:] == rows[:-1]).all(axis=1).any())
    null = hdu.columns['PHA' if gbm else 'PI'].null
    channel = raw['PHA' if gbm else 'PI'].astype(int)
    there = np.ones(len(raw), bool) if null is None else channel != null
    keep = there if gbm else there & (raw['FLAG'] < 2) & (raw['EVT_TYPE'] == 1) & (channel < ladder)
    dead = np.where(channel == len(low) - 1, 104, 26) if gbm else np.rint(raw['DEAD_TIME'].astype('f8') * 10).astype(int)
    n_dropped, dead_all = int((~keep).sum()), dead_cells(times[there], dead[there])
    times, channel, dead = times[keep], channel[keep], dead[keep]
    once = np.ones(len(times), bool) if gbm else merged(times, dead * 100, raw['GAIN_TYPE'][keep])
    cells, n_outside = counted(times[once], channel[once], dead[once], low[:ladder], high[:ladder])
    return {'detector': int(hdu.header['DETNAM'][4:]) if gbm else int(hdu.name[6:]) - 1, 'n_event': sum(c[2] for c in cells),
            'n_outside': n_outside, 'n_dropped': n_dropped, 'n_merged': int((~once).sum()), 'n_back': back, 'quality': quality,
            'cells': sorted(cells + dead_all)}


def expected_lists(path, mjd_i, gbm):
    epoch, lists = epoch_of(mjd_i), []
    with fits.open(path, memmap=False) as file:
        bounds = file['EBOUNDS'].data
        low, high = np.asarray(bounds['E_MIN'], '<f4'), np.asarray(bounds['E_MAX'], '<f4')
        ladder = len(low) if gbm else 1 + next((i for i in range(len(low) - 1) if low[i + 1] != high[i]), len(low) - 1)
        good = [list(map(int, s)) for s in zip(exact_times(path, file['GTI'], 'START', epoch), exact_times(path, file['GTI'], 'STOP', epoch))]
        for hdu in file:
            if not hdu.name.startswith('EVENTS') or not hdu.columns.names: continue
            lists.append(expected_list(path, hdu, low, high, ladder, gbm) | {'good': good})
    return {'epoch_ns': epoch, 'span': [good[0][0], good[-1][1]], 'lists': lists}


WCS_KEYS = ('CRPIX1', 'CRPIX2', 'CRVAL1', 'CRVAL2', 'CD1_1', 'CD1_2', 'CD2_1', 'CD2_2')
FAULTS = {'no_wcs': 1, 'bytes_swapped': 2, 'no_noise': 4}


def expected_image(path, quality):
    """What is infinite has no data; what came the wrong way round is turned; sky coordinates that nobody can use are zeros."""
    with fits.open(path, memmap=False) as file:
        h, data = file[0].header, np.asarray(file[0].data, '>f4')
    data = np.frombuffer(data.tobytes(), '<f4' if 'bytes_swapped' in quality else '>f4').astype('<f4')
    data = np.where(np.isinf(data), np.float32(np.nan), data)
    span = []
    for key in ('DATE-OBS', 'DATE-END'):
        t = Time(h[key], format='isot', scale='utc').tt
        span.append(round(((fractions.Fraction(t.jd1) - fractions.Fraction(4881175, 2)) + fractions.Fraction(t.jd2)) * 86400 * 1000) * 10**6)
    return {'sha256': hashlib.sha256(path.read_bytes()).hexdigest(), 'burst_id': h['BURST_ID'], 'alert_count': h['ALERTCNT'], 'span': span,
            'reals': [float(h[k]) for k in ('E_MIN', 'E_MAX', 'TIMESCAL', 'SNR')] +
                     [0.0 if 'no_wcs' in quality else float(h[k]) for k in WCS_KEYS],
            'faults': sum(FAULTS.get(q, 0) for q in quality),
            'integers': [h[k] for k in ('NAXIS1', 'NAXIS2', 'SKYY0', 'SKYZ0', 'SKYN', 'TRIGY', 'TRIGZ')],
            'words': [h['TRIGTYPE'], h['SLEWSTAT'], h['DSTREAM']], 'snr': digest(data)}


def ingested(topic, path):
    done = subprocess.run([BUILD / 'parity/ingest_dump', 'ingest'], input=f'burst.v1.{topic} {path}\n'.encode(),
                          stdout=subprocess.PIPE, check=True)
    answer = json.loads(done.stdout)
    return {k: v for k, v in answer.items() if k not in ('file', 'code', 'text', 'arena')} if answer['code'] == 'ok' else answer


def first_odd_list(got, want):
    for g, w in zip(got, want):
        for key in w:
            if g[key] == w[key]: continue
            if key != 'cells': return f'detector {w["detector"]}: {key} is {g[key]}, {w[key]} expected'
            cell = next(((a, b) for a, b in zip(g[key], w[key]) if a != b), (len(g[key]), len(w[key])))
            return f'detector {w["detector"]}: cell {cell[0]}, {cell[1]} expected'
    return f'{len(got)} lists, {len(want)} expected'


def compare_packet(topic, path, quality=()):
    mjd = {'fermi.gbm.events': 51910, 'gecam-b.grd.events': 58484, 'gecam-c.grd.events': 59215, 'svom.grm.events': 57754}
    want = expected_image(path, quality) if topic.endswith('subimage') else expected_lists(path, mjd[topic], topic.startswith('fermi'))
    got = ingested(topic, path)
    different = [k for k in sorted(set(want) | set(got)) if want.get(k) != got.get(k)]
    fault = None
    if different == ['lists']:
        fault = first_odd_list(got['lists'], want['lists'])
    elif different:
        fault = f'{different[0]}: {got.get(different[0], got)}, {want.get(different[0])} expected'
    case(f'packet_of_{path.stem}', fault)


# ---- the files ----

def real_files(folder):
    for path in sorted(DATA.glob('**/*')):
        if path.suffix in ('.fit', '.fits', '.pha', '.rsp'):
            yield path
    for i, path in enumerate(sorted(DATA.glob('swift-bat/*/*.lc.gz'))):
        if i % 40 == 0: # nine of them: they are all of one kind
            unpacked = folder / path.name[:-3]
            unpacked.write_bytes(gzip.decompress(path.read_bytes()))
            yield unpacked


def simulated_files(folder):
    """(topic, path) of what burst-sim writes: events of both missions, chunks of a day in orbit, images of several families."""
    def sim(*words):
        subprocess.run([BUILD / 'burst-sim', *map(str, words)], check=True, stdout=subprocess.DEVNULL)
    sim('events', '--mission', 'fermi-gbm', '--duration', 60, '--seed', 3, '--out', folder / 'gbm')
    yield from (('fermi.gbm.events', p) for p in sorted((folder / 'gbm').rglob('*.fit*'))[::5])
    sim('stream', '--rate', 0.02, '--duration', 3600, '--from', 100, '--to', 112, '--chunk', 4, '--seed', 3, '--out', folder / 'day')
    yield from (('gecam-b.grd.events', p) for p in sorted((folder / 'day').glob('*.fits')))
    for family in ('true', 'outburst', 'badsub', 'column'):
        path = folder / f'sim_{family}.fits'
        sim('image', '--family', family, '--seed', 3, '--out', path, *(['--lost'] if family == 'badsub' else []))
        yield 'svom.eclairs.subimage', path


def compare_readers(path):
    ours = dump('fits', [path])[0]
    if ours['code'] != 'ok':
        return case(f'readers_agree_on_{path.stem}', f'the gate refuses it: {ours["text"]}')
    theirs = dump('cfitsio', [path])[0]
    fault = first_difference(ours['hdus'], theirs['hdus'])
    if fault:
        return case(f'readers_agree_on_{path.stem}', f'ours and cfitsio: {fault}')
    fault = first_difference(ours['hdus'], astropy_view(path))
    case(f'readers_agree_on_{path.stem}', fault and f'ours and astropy: {fault}')


def main():
    warnings.simplefilter('ignore')
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        subprocess.run([sys.executable, ROOT / 'tests/bad/make.py', '--out', folder], check=True, stdout=subprocess.DEVNULL)
        for entry in json.loads((folder / 'list.json').read_text()):
            if entry['code'] != 'ok': continue
            path = folder / entry['name']
            if 'no_wcs' not in entry.get('quality', ()):  # such coordinates are against the standard's own rules, too
                verify(path, '0 error(s)')
            compare_readers(path)
            compare_packet(entry['topic'], path, entry.get('quality', ()))
        for topic, path in simulated_files(folder):
            verify(path, '0 error(s)')
            compare_readers(path)
            compare_packet(topic, path)
        if not DATA.is_dir():
            print('skip real_files: ../shared/data is not there')
            return exit_status()
        for path in real_files(folder):
            compare_readers(path)
        compare_packet('fermi.gbm.events', DATA / 'fermi-gbm/bn110721200/glg_tte_n6_bn110721200_v00.fit')
    return exit_status()


if __name__ == '__main__':
    sys.exit(main())
