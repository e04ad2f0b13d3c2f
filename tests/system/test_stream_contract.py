#!/usr/bin/python3
"""burst-replay against the wire contract: burst-probe finds no rule broken, no row of a file is lost or changed, exit codes."""
import io
import json
import pathlib
import re
import signal
import subprocess
import time
import uuid
import warnings

import numpy as np
import zmq
from astropy.io import fits

from harness import GRB, PROBE, SLOW, Cases, check, popen, program

MJDREFF = 0.00080074074074074074  # 69.184 s: TT - UTC from 2017 on
GECAM_TOPIC = 'burst-archive.v1.gecam-b.grd.events'


def endpoints(folder):
    return f'ipc://{folder}/live', f'ipc://{folder}/history'


def replay(started, folder, *arguments, log='replay.log'):
    live, history = endpoints(folder)
    return popen(started, [program('burst-replay'), '--live', live, '--history', history, *arguments], f'{folder}/{log}')


def summary(folder, seconds=60, log='replay.log'):
    """The line burst-replay prints when all is sent."""
    until = time.time() + seconds * SLOW
    while time.time() < until:
        lines = [x for x in open(f'{folder}/{log}') if x.startswith('burst-replay: ')]
        if lines:
            return lines[-1]
        time.sleep(0.05)
    raise AssertionError(f'no summary in {seconds} s')


def history_of(folder, topic):
    """Every message of a topic, by REPLAY."""
    s = zmq.Context.instance().socket(zmq.DEALER)
    s.linger = 0
    s.connect(endpoints(folder)[1])
    s.send_multipart([b'REPLAY', topic.encode(), bytes(16), (1).to_bytes(8, 'big'), (100000).to_bytes(4, 'big')])
    items = []
    while s.poll(20000 * SLOW):
        reply = s.recv_multipart()
        if reply[0] != b'ITEM':
            check(reply[0] == b'END', f'REPLAY ended with {reply[:1]}')
            s.close()
            return items
        items.append(reply[1:])
    raise AssertionError('REPLAY was not answered')


def read(body):
    with warnings.catch_warnings():
        warnings.simplefilter('error')  # a wrong checksum is a warning of astropy's
        f = fits.open(io.BytesIO(body), checksum=True)
        f.verify('exception')
        return f


def table(name, columns, **keys):
    hdu = fits.BinTableHDU.from_columns([fits.Column(name=n, format=f, array=a, bzero=z) for n, f, a, z in columns], name=name)
    for k, v in keys.items():
        hdu.header[k] = v
    return hdu


def gecam_file(path, rng, n_detector=3, seconds=6.5, start=131903046.3):
    """Events that step back in time, a good-time gap, an empty placeholder detector, a second file's worth of headers."""
    good = [(start, start + 2.25), (start + 3.5, start + seconds)]
    edges = np.geomspace(2.0, 10053.5, 449)
    primary = fits.PrimaryHDU()
    primary.header.update({'TELESCOP': 'GECAM-B', 'INSTRUME': 'GRD', 'TIMESYS': 'TT', 'MJDREFI': 58484, 'MJDREFF': MJDREFF,
                           'TSTART': start, 'TSTOP': start + seconds})
    hdus = [primary, table('EBOUNDS', [('CHANNEL', 'I', np.arange(448), None), ('E_MIN', 'E', edges[:-1], None), ('E_MAX', 'E', edges[1:], None)]),
            table('GTI', [('START', 'D', [a for a, _ in good], None), ('STOP', 'D', [b for _, b in good], None)])]
    for d in range(n_detector):
        t = np.sort(start + rng.uniform(0, seconds, 3000))
        i = rng.permutation(3000)[:200]
        t[i] = np.roll(t[i], 1)  # far out of order
        n = len(t)
        hdus.append(table(f'EVENTS{d + 1:02d}', [('TIME', 'D', t, None), ('PI', 'I', rng.integers(0, 448, n), None),
                                                 ('GAIN_TYPE', 'B', rng.integers(0, 2, n), None), ('DEAD_TIME', 'E', np.full(n, 4.0), None),
                                                 ('EVT_TYPE', 'B', np.full(n, 1), None), ('EVT_PAIR', 'B', np.zeros(n), None), ('FLAG', 'B', np.zeros(n), None)]))
    hdus.append(fits.BinTableHDU(name=f'EVENTS{n_detector + 1:02d}'))
    fits.HDUList(hdus).writeto(path, checksum=True)
    return good


def gbm_file(path, rng, name, trigger=332916465.760476, seconds=4.0):
    t = np.sort(rng.uniform(-1.3, seconds - 1.3, 2000))
    keys = {'TELESCOP': 'GLAST', 'INSTRUME': 'GBM', 'DETNAM': name, 'TIMESYS': 'TT', 'MJDREFI': 51910, 'MJDREFF': 7.428703703703703e-4,
            'TSTART': trigger + t[0], 'TSTOP': trigger + t[-1], 'TRIGTIME': trigger}
    primary = fits.PrimaryHDU()
    primary.header.update(keys)
    edges = np.geomspace(5.3, 2000, 129)
    stored = [('START', '1D', [trigger + t[0]], trigger), ('STOP', '1D', [trigger + t[-1]], trigger)]
    fits.HDUList([primary, table('EBOUNDS', [('CHANNEL', '1I', np.arange(128), None), ('E_MIN', '1E', edges[:-1], None), ('E_MAX', '1E', edges[1:], None)], **keys),
                  table('EVENTS', [('TIME', '1D', trigger + t, trigger), ('PHA', '1I', rng.integers(0, 128, len(t)), None)], **keys),
                  table('GTI', stored, **keys)]).writeto(path, checksum=True)


def probe_watch(started, folder, count, topic='burst-archive.v1.', seconds=120):
    live, history = endpoints(folder)
    return popen(started, [PROBE, 'watch', '--topic', topic, '--live', live, '--history', history, '--from-start', '--count', count,
                           '--seconds', seconds * SLOW], f'{folder}/probe.log')


def probe_finds_no_rule_broken_at_full_speed(folder, started):
    if not PROBE.exists():
        return 'no ../shared/tools/burst-probe'
    if not GRB.exists():
        return 'no ../shared/data/fermi-gbm'
    replay(started, folder, '--speed', 'max', GRB)
    check('336 of 336 messages, 284600 events' in summary(folder), summary(folder))
    p = probe_watch(started, folder, 336)
    check(p.wait(120 * SLOW) == 0, open(f'{folder}/probe.log').read()[-400:])
    check('336 messages' in open(f'{folder}/probe.log').read(), 'count')


def probe_finds_no_rule_broken_while_it_follows(folder, started):
    if not PROBE.exists():
        return 'no ../shared/tools/burst-probe'
    gecam_file(f'{folder}/a.fits', np.random.default_rng(1), n_detector=5, seconds=12.0)
    p = probe_watch(started, folder, 12)
    replay(started, folder, '--speed', '2', f'{folder}/a.fits')
    check(p.wait(60 * SLOW) == 0, open(f'{folder}/probe.log').read()[-400:])


def every_row_of_a_real_file_arrives_unchanged(folder, started):
    if not GRB.exists():
        return 'no ../shared/data/fermi-gbm'
    replay(started, folder, '--speed', 'max', '--wait', '0', GRB)
    summary(folder)
    source = fits.open(GRB)
    files = [read(item[2]) for item in history_of(folder, 'burst-archive.v1.fermi.gbm.events')]
    for name in ('TIME', 'PHA'):
        check(np.array_equal(np.concatenate([f['EVENTS'].data[name] for f in files]), source['EVENTS'].data[name]), name)
    good = [(f['GTI'].data['START'][0], f['GTI'].data['STOP'][0]) for f in files]
    check(good[0][0] == source['GTI'].data['START'][0] and good[-1][1] == source['GTI'].data['STOP'][0], 'ends of good time')
    check(all(a[1] == b[0] for a, b in zip(good, good[1:])), 'good time has a seam')
    check(all(np.array_equal(f['EBOUNDS'].data, source['EBOUNDS'].data) for f in files), 'energy bounds')
    for f in files:
        t, h = f['EVENTS'].data['TIME'], f[0].header
        check(h['TSTART'] - 1e-6 <= t.min() and t.max() <= h['TSTOP'] + 1e-6, 'TSTART..TSTOP')
        check(h['DETNAM'] == 'NAI_06' and f['EVENTS'].header['TZERO1'] == source['EVENTS'].header['TZERO1'], 'headers')


def gecam_rows_out_of_order_go_to_their_own_second(folder, started):
    good = gecam_file(f'{folder}/a.fits', np.random.default_rng(2))
    replay(started, folder, '--speed', 'max', '--wait', '0', f'{folder}/a.fits')
    line = summary(folder)
    source = fits.open(f'{folder}/a.fits')
    items = history_of(folder, GECAM_TOPIC)
    sent = 0
    for item in items:
        f = read(item[2])
        check([h.name for h in f] == [h.name for h in source], 'HDUs')
        k = int(np.floor(f['GTI'].data['START'][0]))
        spans = [(max(a, k), min(b, k + 1)) for a, b in good if min(b, k + 1) > max(a, k)]
        got = list(zip(f['GTI'].data['START'], f['GTI'].data['STOP']))
        check(np.allclose(got, spans, rtol=0, atol=2e-8), f'good time {got}, not {spans}')  # doubles of 1.3e8 s are 1.5e-8 apart
        for d in (1, 2, 3):
            all_rows, name = source[f'EVENTS{d:02d}'].data, f'EVENTS{d:02d}'
            want = all_rows[np.floor(all_rows['TIME']) == k]
            check(np.array_equal(f[name].data.tobytes(), want.tobytes()), f'{name} of second {k}')
            sent += len(want)
        check(f['EVENTS04'].data is None or len(f['EVENTS04'].data) == 0, 'placeholder')
    check(len(items) == 7, f'{len(items)} messages: 6.5 s and a start inside a second make seven')
    check(f'{sent} events' in line, line)
    outside = 3 * 3000 - sent
    check(outside == 0 or f'{outside} events outside good time' in line, line)


def seconds_without_good_time_are_left_out_and_counted(folder, started):
    rng = np.random.default_rng(3)
    gecam_file(f'{folder}/a.fits', rng, n_detector=1, seconds=8.0, start=131903046.0)
    with fits.open(f'{folder}/a.fits', mode='update') as f:  # good: 46..48.25 and 51.5..54; 49 and 50 are not
        f['GTI'].data['START'][1] = 131903051.5
        t = f['EVENTS01'].data['TIME']
    outside = int(np.sum((np.floor(t) == 131903049) | (np.floor(t) == 131903050)))
    replay(started, folder, '--speed', 'max', '--wait', '0', f'{folder}/a.fits')
    line = summary(folder)
    check('6 of 6 messages' in line and f'{3000 - outside} events' in line and f'{outside} events outside good time' in line, line)


def detectors_of_one_instrument_are_interleaved_by_time(folder, started):
    rng = np.random.default_rng(4)
    for name in ('NAI_06', 'NAI_07', 'BGO_00'):
        gbm_file(f'{folder}/{name}.fit', rng, name)
    replay(started, folder, '--speed', 'max', '--wait', '0', *(f'{folder}/{n}.fit' for n in ('NAI_06', 'NAI_07', 'BGO_00')))
    summary(folder)
    starts, names = [], []
    for seq, item in enumerate(history_of(folder, 'burst-archive.v1.fermi.gbm.events'), 1):
        f = read(item[2])
        starts.append(int(np.floor(f['GTI'].data['START'][0])))
        names.append(f[0].header['DETNAM'])
        check(int.from_bytes(item[1][24:32], 'big') == seq and item[1][5] == 4, 'seq or flag')
    check(starts == sorted(starts), f'order of time {starts}')
    check(len(names) == 15 and all(names.count(n) == 5 for n in ('NAI_06', 'NAI_07', 'BGO_00')), f'{names}')


def data_time_says_what_has_been_sent(folder, started):
    """At every heartbeat: what `last` counts ends where data_time says, to the end of the piece."""
    gecam_file(f'{folder}/a.fits', np.random.default_rng(5), n_detector=1, seconds=6.0, start=131903046.0)
    s = zmq.Context.instance().socket(zmq.SUB)
    s.linger = 0
    s.subscribe(b'burst')
    s.connect(endpoints(folder)[0])
    replay(started, folder, '--speed', '1.5', f'{folder}/a.fits')
    seen, beats = 0, []
    while s.poll(15000 * SLOW):
        topic, header, body, *_ = s.recv_multipart()
        if topic != b'burst.v1.heartbeat':
            seen = int.from_bytes(header[24:32], 'big')
            continue
        check(header[24:32] == bytes(8) and not _, 'heartbeat with a number or a seal')
        beat = json.loads(body)
        check(uuid.UUID(beat['stream']).bytes == header[8:24], 'stream')
        check(beat['last'].get(GECAM_TOPIC, 0) == seen, f'last {beat["last"]}, seen {seen}')
        if GECAM_TOPIC in beat.get('data_time', {}):
            beats.append((seen, beat['data_time'][GECAM_TOPIC]))
        if seen == 6 and len([b for b in beats if b[0] == 6]) >= 2:
            break
    s.close()
    times = [t for _, t in beats]
    check(times == sorted(times) and all(re.fullmatch(r'\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z', t) for t in times), f'{times}')
    # MET 131903052 since 2019-01-01T00:00:00 UTC, no leap second since: 1526 d 15:44:12
    check(times[-1] == '2023-03-07T15:44:12.000000Z', f'end of data {times[-1]}')


def a_sub_image_is_sent_whole(folder, started):
    image = fits.PrimaryHDU(np.arange(56 * 56, dtype='>f4').reshape(56, 56))
    image.header.update({'TELESCOP': 'SVOM', 'INSTRUME': 'ECL', 'DATE-OBS': '2026-05-04T21:06:24', 'DATE-END': '2026-05-04T21:06:44'})
    image.writeto(f'{folder}/i.fits', checksum=True)
    replay(started, folder, '--realm', 'test', '--wait', '0', f'{folder}/i.fits')
    check('1 of 1 messages' in summary(folder), summary(folder))
    (item,) = history_of(folder, 'burst-test.v1.svom.eclairs.subimage')
    check(item[2] == open(f'{folder}/i.fits', 'rb').read() and item[1][5] == 1, 'bytes or flag')


def the_pace_is_that_of_the_data(folder, started):
    """Not how fast, but how far apart: at speed 4 eight seconds of data take two."""
    gecam_file(f'{folder}/a.fits', np.random.default_rng(6), n_detector=1, seconds=8.0, start=131903046.0)
    replay(started, folder, '--speed', '4', '--wait', '0', f'{folder}/a.fits')
    took = float(re.search(r'in ([\d.]+) s', summary(folder))[1])
    check(took >= 2.0, f'{took} s')  # a lower bound only: a busy machine may take longer


def a_long_gap_is_not_waited_for(folder, started):
    rng = np.random.default_rng(7)
    gecam_file(f'{folder}/a.fits', rng, n_detector=1, seconds=4.0, start=131903046.0)
    gecam_file(f'{folder}/b.fits', rng, n_detector=1, seconds=4.0, start=131999046.0)
    replay(started, folder, '--speed', '10', '--wait', '0', f'{folder}/b.fits', f'{folder}/a.fits')
    check('8 of 8 messages' in summary(folder), summary(folder))


def a_second_replay_is_a_new_stream(folder, started):
    gecam_file(f'{folder}/a.fits', np.random.default_rng(8), n_detector=1)
    streams = set()
    for i in range(2):
        p = replay(started, folder, '--speed', 'max', '--wait', '0', f'{folder}/a.fits', log=f'replay{i}.log')
        summary(folder, log=f'replay{i}.log')
        streams |= {item[1][8:24] for item in history_of(folder, GECAM_TOPIC)}
        p.send_signal(signal.SIGTERM)
        check(p.wait(30 * SLOW) == 0, 'exit status after SIGTERM')
    check(len(streams) == 2, f'{len(streams)} streams')


def linger_ends_it(folder, started):
    gecam_file(f'{folder}/a.fits', np.random.default_rng(9), n_detector=1)
    p = replay(started, folder, '--speed', 'max', '--wait', '0', '--linger', '0.2', f'{folder}/a.fits')
    check(p.wait(60 * SLOW) == 0, 'exit status')


def a_signal_before_the_end_is_told(folder, started):
    gecam_file(f'{folder}/a.fits', np.random.default_rng(10), n_detector=1)
    p = replay(started, folder, '--wait', '0', '--speed', '0.001', f'{folder}/a.fits')
    while not pathlib.Path(f'{folder}/live').exists():  # bound last, after the signal handlers stand
        time.sleep(0.05)
    p.send_signal(signal.SIGINT)
    check(p.wait(30 * SLOW) == 130, 'exit status')
    check('0 of 7 messages' in summary(folder), summary(folder))


def refusals_have_their_exit_codes(folder, started):
    good, bad, cut = (f'{folder}/{n}.fits' for n in ('good', 'bad', 'cut'))
    gecam_file(good, np.random.default_rng(11), n_detector=1)
    open(bad, 'w').write('this is no FITS file')
    open(cut, 'wb').write(open(good, 'rb').read()[:20000])
    nan = f'{folder}/nan.fits'
    gecam_file(nan, np.random.default_rng(11), n_detector=1)
    with fits.open(nan, mode='update') as f:
        f['EVENTS01'].data['TIME'][17] = np.nan
    for code, text, arguments in (
            (2, 'no files', []), (2, '--speed 0', ['--speed', '0', good]), (2, '--speed fast', ['--speed', 'fast', good]),
            (2, 'live, test or archive', ['--realm', 'real', good]), (2, 'is not under burst.v1.', ['--topic', 'x', good]),
            (2, 'has no numbers', ['--topic', 'burst.v1.heartbeat', good]), (2, '--help', ['--nonsense', good]),
            (1, 'bad.fits', [bad]), (1, '(truncated)', [good, cut]), (1, 'EVENTS01: row 18: TIME is nan', [nan]),
            (4, 'none.fits', [f'{folder}/none.fits']), (3, 'not on the loopback interface', ['--live', 'tcp://0.0.0.0:5999', good]),
            (4, 'cannot bind', ['--live', f'ipc://{folder}/no/such/folder/x', '--history', f'ipc://{folder}/h', good])):
        done = subprocess.run([program('burst-replay'), *arguments], capture_output=True, text=True, timeout=60 * SLOW)
        check(done.returncode == code and text in done.stderr, f'{arguments}: {done.returncode} {done.stderr!r}')
    done = subprocess.run([program('burst-replay'), '--help'], capture_output=True, text=True)
    check(done.returncode == 0 and '--speed' in done.stdout, '--help')


if __name__ == '__main__':
    cases = Cases()
    for case in (probe_finds_no_rule_broken_at_full_speed, probe_finds_no_rule_broken_while_it_follows, every_row_of_a_real_file_arrives_unchanged,
                 gecam_rows_out_of_order_go_to_their_own_second, seconds_without_good_time_are_left_out_and_counted,
                 detectors_of_one_instrument_are_interleaved_by_time, data_time_says_what_has_been_sent, a_sub_image_is_sent_whole,
                 the_pace_is_that_of_the_data, a_long_gap_is_not_waited_for, a_second_replay_is_a_new_stream, linger_ends_it,
                 a_signal_before_the_end_is_told, refusals_have_their_exit_codes):
        cases.run(case)
    cases.finish()
