#!/usr/bin/python3
"""Positions and attitudes through the running daemon: in the status, in the verdict of a sub-image, after a restart; and that nothing
of it is needed for a verdict."""
import datetime
import json
import math
import pathlib
import signal
import subprocess
import sys

from harness import GRB, Cases, Gateway, Session, check, core, finals, free_ports, program
from test_bad_input import Images
from test_pipeline import chunks

PLATFORM = b'burst-archive.v1.svom.platform'
FERMI, EVENTS = b'burst-archive.v1.fermi.platform', b'burst-archive.v1.fermi.gbm.events'
MIDDLE = datetime.datetime(2026, 11, 18, 3, 4, 15, 490000)  # of the exposures of fits_bytes.subimage
MU, RADIUS_KM, INCLINATION = 398600.4418, 7003.0, math.radians(29)
JSON = 2


def position(t):
    """A circle of 30 degrees inclination, its northern end at MIDDLE."""
    u = math.pi / 2 + math.sqrt(MU / RADIUS_KM**3) * (t - MIDDLE).total_seconds()
    return [RADIUS_KM * x for x in (math.cos(u), math.sin(u) * math.cos(INCLINATION), math.sin(u) * math.sin(INCLINATION))]


def message(after_s, **members):
    t = MIDDLE + datetime.timedelta(seconds=after_s)
    body = {'time': t.isoformat() + 'Z', 'position_km': position(t), **members}
    return json.dumps({k: v for k, v in body.items() if v is not None}).encode()


def send(s, after_s, **members):
    s.gateway.send(PLATFORM, message(after_s, **members), content=JSON)


def status_of(s):
    return s.daemon.status()['platform'].get(PLATFORM.decode())


def wait_for(s, what, seconds=30):
    return s.wait(lambda _: what(), seconds)


def the_status_tells_where_the_satellite_is(folder, started):
    s = Session(folder, started)
    check(s.daemon.status()['platform'] == {}, 'positions before any were sent')
    for i in range(-10, 1):
        send(s, i, quaternion=[0, 0, 0, 1], saa=False, attitude_valid=True)
    check(wait_for(s, lambda: (status_of(s) or {}).get('time', '').startswith('2026-11-18T03:04:15.49')), f'{s.daemon.status()["platform"]}')
    p = status_of(s)
    # The northern end: geocentric latitude 29 degrees is 29.16 geodetic, at 6372.7 km from the centre.
    check(p['state'] == 'known' and p['saa'] == 'outside' and p['attitude'] == 'valid', f'{p}')
    check(abs(p['latitude'] - 29.16) < 0.02 and abs(p['altitude'] - 630.1) < 1.0 and 1 < p['mcilwain_l'] < 2.2, f'{p}')
    # SVOM looks along +X, ICRS (0, 0) within the precession since 2000; the Earth's centre stands at right ascension 270, declination -29.
    check(abs(p['earth_limb_angle'] - (90 - math.degrees(math.asin(6378.137 / RADIUS_KM)))) < 0.5, f'{p}')
    check('age_s' not in p, f'an age of archived data: {p}')
    page = subprocess.run([program('burstctl'), 'status', '--command', s.daemon.command], capture_output=True, text=True).stdout
    line = [x for x in page.splitlines() if PLATFORM.decode() in x and 'known' in x]
    check(len(line) == 1 and line[0].split()[4] == f'{p["latitude"]:.1f}', page)


def bad_messages_are_counted_and_the_next_good_one_is_taken(folder, started):
    s = Session(folder, started)
    bad = [(b'{"time": 5}', 'format'), (b'{}', 'missing'), (b'[' * 5000, 'format'), (message(1, position_km=[1, 2, 3]), 'range'),
           (message(1, quaternion=[0, 0, 0, 2]), 'range'), (b' ' * 20000, 'limit'), (message(0).replace(b'2026', b'x026'), 'time'),
           (b'\xff\xfe{}', 'format')]
    want = {}
    for body, code in bad:
        want[f'bad_platform.{code}'] = want.get(f'bad_platform.{code}', 0) + 1
        s.gateway.send(PLATFORM, body, content=JSON)
    s.gateway.send(PLATFORM, message(0), content=1)
    send(s, 3)
    check(wait_for(s, lambda: (status_of(s) or {}).get('state') == 'known'), f'{s.daemon.status()}')
    counters = s.daemon.status()['counters']
    differ = {k: (counters.get(k), n) for k, n in want.items() if counters.get(k) != n}
    check(not differ and counters.get('bad_frame.unsupported') == 1, f'counted and wanted: {differ}, {counters}')


def a_sub_image_is_told_with_its_satellite_and_without(folder, started):
    s = Images(folder, started)
    s.send_good()
    s.all_good_have_verdicts()
    alone = s.daemon.verdicts()[0]
    check('latitude' not in alone.get('platform', {}), f'{alone.get("platform")}')
    for i in range(-5, 6):
        send(s, 10 * i, saa=True)
    check(wait_for(s, lambda: status_of(s)), 'no position taken')
    s.send_good()
    s.all_good_have_verdicts()
    told = [v for v in s.daemon.verdicts() if v['id'] != alone['id']][0]
    p = told.get('platform', {})
    check(abs(p.get('latitude', 99) - 29.16) < 0.02 and p.get('saa') == 'inside' and p.get('moon_angle', -1) >= 0, f'{p}')


def a_restart_reads_what_is_needed_again_and_no_more(folder, started):
    s = Images(folder, started)
    n = 400
    for i in range(n):
        send(s, 60 * (i - n + 1))  # six hours and a half, a message a minute
    check(s.wait(lambda c: c['messages'] >= n), f'{s.daemon.status()["counters"]}')
    s.settle(1)
    s.daemon.kill(signal.SIGKILL)
    s.daemon.start()
    check(wait_for(s, lambda: (status_of(s) or {}).get('time', '').startswith('2026-11-18T03:04:15.49')), f'{s.daemon.status()["platform"]}')
    read = s.daemon.counter('messages')
    check(120 <= read <= 125, f'{read} of {n} messages read again')  # two hours, and what came after the last point
    s.send_good()
    s.all_good_have_verdicts()
    check('latitude' in s.daemon.verdicts()[0].get('platform', {}), 'the position is lost')


def a_replay_that_goes_back_begins_anew(folder, started):
    s = Session(folder, started)
    send(s, 20000)
    check(wait_for(s, lambda: status_of(s)), 'no position taken')
    s.gateway.stream, s.gateway.last, s.gateway.kept = bytes(range(16)), {}, {}
    s.settle(1)
    for i in range(-5, 6):
        send(s, 10 * i)
    check(wait_for(s, lambda: status_of(s)['time'].startswith('2026-11-18T03:05:05.49')), f'{status_of(s)}')
    check(s.daemon.counter('bad_platform.late') == 0, f'{s.daemon.status()["counters"]}')


def a_second_gateway_that_begins_later_takes_nothing_away(folder, started):
    """Its first message is older than the other's newest: no replay that goes back."""
    ports = [f'tcp://127.0.0.1:{p}' for p in free_ports(2)]

    class Two(Session):
        def configure(self, daemon):
            line = f'  - {{name: second, live: "{ports[0]}", history: "{ports[1]}", topics: ["burst-archive.v1."]}}\n'
            daemon.config.write_text(daemon.config.read_text().replace('output: {live', line + 'output: {live', 1))
    second = Gateway(*ports)
    s = Two(folder, started)
    for i in range(-5, 1):
        send(s, 10 * i)
    check(wait_for(s, lambda: (status_of(s) or {}).get('time', '').startswith('2026-11-18T03:04:15.49')), f'{s.daemon.status()["platform"]}')
    second.send(PLATFORM, message(-45), content=JSON)
    for _ in range(20):
        second.serve(50)
        second.beat()
        s.settle(0.05)
    check(s.wait(lambda c: c['messages'] == 7), f'{s.daemon.status()["counters"]}')
    check('positions begin anew' not in s.daemon.log.read_text(), 'the first gateway\'s positions are forgotten')
    check(status_of(s)['time'].startswith('2026-11-18T03:04:15.49'), f'{status_of(s)}')
    second.close()


def night_of_110721(folder, started, killed):
    """Final verdicts of the real burst with a satellite that is sent second by second."""
    s = Session(folder, started)
    start = datetime.datetime(2011, 7, 21, 4, 47, 9)  # 34 s before the trigger
    for i, piece in enumerate(chunks(folder, 42, 4.0)):
        for k in range(4):
            t = start + datetime.timedelta(seconds=4 * i + k)
            u = 1.1e-3 * (t - start).total_seconds()
            body = {'time': t.isoformat() + 'Z', 'position_km': [6920 * math.cos(u), 6920 * math.sin(u) * 0.9, 6920 * math.sin(u) * 0.43588989]}
            s.gateway.send(FERMI, json.dumps(body).encode(), content=JSON)
        s.gateway.send(EVENTS, open(piece, 'rb').read())
        s.gateway.serve()
        if killed and i == 25:
            check(s.wait(lambda c: c['windows'] > 20), f'{s.daemon.status()["counters"]}')
            s.daemon.kill(signal.SIGKILL)
            s.daemon.start()
    check(s.wait(lambda c: c['verdicts'] + c['verdicts_known'] > 0), f'{s.daemon.status()["counters"]}')
    check(s.wait(lambda c: any(v['state'] != 'open' or v['record_number'] > 1 for v in s.daemon.verdicts()), 90), 'one revision alone')
    s.settle(15)  # silence closes the event
    counters = s.daemon.status()['counters']
    check(counters['verdict_conflicts'] == 0 and 'bad_platform.conflict' not in counters, f'{counters}')
    return {i: core(v) for i, v in finals(s.daemon.verdicts()).items()}


def a_burst_is_told_with_its_satellite_also_after_a_restart(folder, started):
    if not GRB.exists():
        return '../shared/data is absent'
    whole, torn = pathlib.Path(folder, 'whole'), pathlib.Path(folder, 'torn')
    whole.mkdir()
    torn.mkdir()
    want = night_of_110721(str(whole), started, False)
    got = night_of_110721(str(torn), started, True)
    check(want == got, f'{want} and after a restart {got}')
    p = list(want.values())[0].get('platform', {})
    check(-90 <= p.get('latitude', 99) <= 90 and p.get('saa') in ('inside', 'outside'), f'{p}')


def main():
    cases = Cases()
    for case in (the_status_tells_where_the_satellite_is, bad_messages_are_counted_and_the_next_good_one_is_taken,
                 a_sub_image_is_told_with_its_satellite_and_without, a_restart_reads_what_is_needed_again_and_no_more,
                 a_replay_that_goes_back_begins_anew, a_second_gateway_that_begins_later_takes_nothing_away,
                 a_burst_is_told_with_its_satellite_also_after_a_restart):
        if len(sys.argv) < 2 or sys.argv[1] in case.__name__:
            cases.run(case)
    cases.finish()


if __name__ == '__main__':
    sys.exit(main())
