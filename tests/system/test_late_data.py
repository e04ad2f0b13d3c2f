#!/usr/bin/python3
"""Data that come hours late are searched apart, told as archival on the topics of the real sky, and do not disturb what is live; a crash
before they have been searched loses nothing."""
import json
import signal
import time
from disorder_sky import TOPIC, Sky
from harness import SLOW, Cases, Daemon, Gateway, check, core

# `burst-sim stream --truth --seed 1`: a burst at 2856.7 s (2026-01-01T00:47:36.7), quiet from 13378 to 14022 s.
OLD, LIVE, CHUNK = (2790, 2890), (13450, 13550), 10


def chunks(sky, span):
    return [sky.get(float(t), float(t + CHUNK)) for t in range(*span, CHUNK)]


def begin(folder, started):
    daemon = Daemon(folder, extra='lightcurve: {silence_s: 2}')
    gateway = Gateway(daemon.gateway_live, daemon.gateway_history)
    started.append(daemon)
    daemon.start()
    return gateway, daemon


def settle(gateway, daemon, what, seconds=120):
    end = time.time() + seconds * SLOW
    while time.time() < end:
        gateway.serve(50)
        gateway.beat()
        if what(): return
    raise AssertionError(f'not within {seconds} s: {json.dumps(daemon.status()["counters"])}')


def archival(verdicts):
    return [core(v) for v in verdicts if v['alert_tense'] == 'archival']


def run_whole(folder, started, sky):
    """Live data, then the old ones, then live data again: the verdicts."""
    gateway, daemon = begin(folder, started)
    live, old = chunks(sky, LIVE), chunks(sky, OLD)
    for body in live[:6]: gateway.send(TOPIC, body, flags=0)
    settle(gateway, daemon, lambda: daemon.counter('windows') > 15)
    for body in old: gateway.send(TOPIC, body, flags=0)
    for body in live[6:]: gateway.send(TOPIC, body, flags=0)
    settle(gateway, daemon, lambda: any(v['alert_type'] == 'update' or v['state'] != 'open' for v in daemon.verdicts()))
    settle(gateway, daemon, lambda: daemon.status()['queues']['work'] == 0)
    return gateway, daemon


def a_burst_in_data_hours_late_is_told_as_archival(folder, started):
    sky = Sky(rate=0.3)
    gateway, daemon = run_whole(folder, started, sky)
    verdicts, counters = daemon.verdicts(), daemon.status()['counters']
    check(len({v['id'] for v in verdicts}) == 1, f'events {[v["id"] for v in verdicts]}')
    v = verdicts[-1]
    check(v['alert_tense'] == 'archival' and v['verdict'] == 'true' and v['mission'] == 'GECAM-B', json.dumps(v)[:300])
    check(v['trigger_time'].startswith('2026-01-01T00:47:3'), v['trigger_time'])
    check(counters['events_archival'] > 3e5, json.dumps(counters))
    check(counters.get('events_late', 0) == 0, 'counted late')
    check(not any(k.startswith('events.') for k in counters), f'refusals: {json.dumps(counters)}')
    gateway.close()
    sky.close()


def a_crash_before_they_were_searched_loses_nothing(folder, started):
    sky = Sky(rate=0.3)
    gateway, daemon = begin(folder, started)
    for body in chunks(sky, LIVE)[:6]: gateway.send(TOPIC, body, flags=0)
    settle(gateway, daemon, lambda: daemon.counter('windows') > 15)
    for body in chunks(sky, OLD)[:5]: gateway.send(TOPIC, body, flags=0)
    settle(gateway, daemon, lambda: daemon.counter('events_archival') > 0)
    for body in chunks(sky, LIVE)[6:]: gateway.send(TOPIC, body, flags=0)
    settle(gateway, daemon, lambda: daemon.counter('windows') > 40)
    daemon.kill(signal.SIGKILL)
    for body in chunks(sky, OLD)[5:]: gateway.send(TOPIC, body, flags=0)
    import threading
    stop = threading.Event()

    def serve():
        while not stop.is_set():
            gateway.serve(20)
    server = threading.Thread(target=serve)
    server.start()
    daemon.start()
    stop.set()
    server.join()
    settle(gateway, daemon, lambda: archival(daemon.verdicts()) and archival(daemon.verdicts())[-1]['verdict'] == 'true')
    v = archival(daemon.verdicts())[-1]
    check(v['trigger_time'].startswith('2026-01-01T00:47:3'), v['trigger_time'])
    gateway.close()
    sky.close()


def what_is_new_does_not_wait_for_hours_of_old_data(folder, started):
    """65 minutes of old data at once: the rings hold an hour. A sub-image behind them is judged when there is room for the last of
    them, not when all have been searched."""
    import numpy as np
    from test_bad_input import IMAGES, fits_bytes, good
    topic, zero = b'burst-archive.v1.fermi.gbm.events', 332916465.76
    rng = np.random.default_rng(9)
    gateway, daemon = begin(folder, started)

    def chunk(start, length):
        return fits_bytes.gbm(rng, n=int(10 * length), zero=zero + start, length=float(length)).bytes()
    gateway.send(topic, chunk(20000, 300))
    settle(gateway, daemon, lambda: daemon.counter('windows') > 240)
    live = daemon.counter('windows')
    for i in range(13):
        gateway.send(topic, chunk(300 * i, 300))
    gateway.send(IMAGES, good(1))
    settle(gateway, daemon, lambda: daemon.counter('images') == 1, 300)
    check(daemon.counter('windows') - live < 1500, f'{daemon.counter("windows") - live} old windows went first')
    settle(gateway, daemon, lambda: daemon.counter('windows') - live > 3700, 300)
    c = daemon.status()['counters']
    check(c['events'] + c['events_archival'] + c['events_dropped'] == 14 * 3000, json.dumps(c))
    gateway.close()


if __name__ == '__main__':
    cases = Cases()
    cases.run(a_burst_in_data_hours_late_is_told_as_archival)
    cases.run(a_crash_before_they_were_searched_loses_nothing)
    cases.run(what_is_new_does_not_wait_for_hours_of_old_data)
    cases.finish()
