#!/usr/bin/python3
"""GECAM's charged-particle files are read and counted; their rate over its own median is in the status, and no bursts are searched for
in them."""
import json
import sys
import numpy as np
from harness import ROOT, Cases, Session, check

sys.path.insert(0, str(ROOT / 'tests/bad'))
import fits_bytes  # noqa: E402

TOPIC, MET = b'burst.v1.gecam-b.cpd.events', 220000000.0
ROW = np.dtype([('TIME', '>f8'), ('PI', '>i2'), ('GAIN_TYPE', 'u1'), ('DEAD_TIME', '>f4'), ('EVT_TYPE', 'u1'), ('EVT_PAIR', 'u1'), ('FLAG', 'u1')])
FORMS = [('TIME', '1D'), ('PI', '1I'), ('GAIN_TYPE', '1B'), ('DEAD_TIME', '1E'), ('EVT_TYPE', '1B'), ('EVT_PAIR', '1B'), ('FLAG', '1B')]


def stamped(hdu, start, stop):
    for key, value in {'TELESCOP': 'GECAM-B', 'INSTRUME': 'CPD', 'TIMESYS': 'TT', 'MJDREFI': 58484, 'MJDREFF': 69.184 / 86400, 'TSTART': start,
                       'TSTOP': stop}.items():
        hdu.put(key, value)
    return hdu.bytes()


def chunk(start, stop, rate):
    """Eight detectors of `rate` per second, evenly, in ten channels."""
    bounds = np.zeros(10, np.dtype([('CHANNEL', '>i2'), ('E_MIN', '>f4'), ('E_MAX', '>f4')]))
    bounds['CHANNEL'], bounds['E_MIN'], bounds['E_MAX'] = np.arange(10), 100 * 2.0 ** np.arange(10), 200 * 2.0 ** np.arange(10)
    good = np.array([(start, stop)], np.dtype([('START', '>f8'), ('STOP', '>f8')]))
    parts = [stamped(fits_bytes.primary(), start, stop), stamped(fits_bytes.table('EBOUNDS', [('CHANNEL', '1I'), ('E_MIN', '1E'), ('E_MAX', '1E')], bounds), start, stop),
             stamped(fits_bytes.table('GTI', [('START', '1D'), ('STOP', '1D')], good), start, stop)]
    for d in range(8):
        n = int((stop - start) * rate)
        rows = np.zeros(n, ROW)
        rows['TIME'] = start + (np.arange(n) + 0.5) / rate
        rows['PI'], rows['DEAD_TIME'], rows['EVT_TYPE'] = np.arange(n) % 10, 4.0, 1
        parts.append(stamped(fits_bytes.table(f'EVENTS{d + 1:02d}', FORMS, rows), start, stop))
    return b''.join(parts)


def ratio(daemon):
    return daemon.status()['inputs'].get(TOPIC.decode(), {}).get('particle_ratio', 0)


def particles_over_their_usual_rate_are_in_the_status(folder, started):
    s = Session(folder, started)
    daemon = s.daemon
    say = lambda: f'ratio {ratio(daemon)}: {json.dumps(daemon.status()["counters"])}'  # noqa: E731
    for t in range(0, 90, 2): s.gateway.send(TOPIC, chunk(MET + t, MET + t + 2, 250), flags=0)
    check(s.wait(lambda _: 0.9 < ratio(daemon) < 1.1), say())
    for t in range(90, 100, 2): s.gateway.send(TOPIC, chunk(MET + t, MET + t + 2, 1500), flags=0)
    check(s.wait(lambda _: 5.5 < ratio(daemon) < 6.5), say())
    check(s.wait(lambda c: c['messages'] == 50), say())  # the ratio is over before the last chunk is read
    counters = daemon.status()['counters']
    check(counters['events_unsearched'] == 8 * (90 * 250 + 10 * 1500), json.dumps(counters))
    check(counters['windows'] == 0 and counters['events'] == 0 and not daemon.verdicts(), json.dumps(counters))
    daemon.kill()
    s.gateway.serve()
    s.gateway.close()


if __name__ == '__main__':
    cases = Cases()
    cases.run(particles_over_their_usual_rate_are_in_the_status)
    cases.finish()
