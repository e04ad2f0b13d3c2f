#!/usr/bin/python3
"""Real event data through every way burstd can take it: files, a replayed stream at full speed and at its own pace, a stream with
losses, a daemon that is stopped or killed half way. The final `core` must be the same each time."""
import json
import signal
import subprocess
import sys
import time

from harness import GRB, PROBE, SLOW, Cases, Daemon, check, classify, core, finals, popen, program

T0 = '2011-07-21T04:47:43.760'  # GRB 110721A, MET 332916465.760


def seconds_from_t0(text):
    return (float(text[17:26]) + 60 * int(text[14:16])) - (43.760 + 60 * 47)


def reference():
    code, verdicts, err = classify(GRB)
    check(code == 0, f'burst-classify ended with {code}: {err}')
    return verdicts


def replay(started, daemon, folder, *extra, files=(GRB,)):
    return popen(started, [program('burst-replay'), *files, '--live', daemon.gateway_live, '--history', daemon.gateway_history, *extra],
                 f'{folder}/replay.log')


def same_finals(daemon, want):
    got = finals(daemon.verdicts())
    check(set(got) == {v['id'] for v in want}, f'events {sorted(got)}, wanted {[v["id"] for v in want]}')
    for v in want:
        a, b = core(got[v['id']]), core(v)
        check(a == b, f'core differs: { {k: (a.get(k), b.get(k)) for k in set(a) | set(b) if a.get(k) != b.get(k)} }')


def final_told(daemon, want):
    """The last revision of every wanted event has been told."""
    def done(_):
        got = finals(daemon.verdicts())
        return all(v['id'] in got and got[v['id']]['record_number'] >= v['record_number'] for v in want)
    check(daemon.wait_for(done, 120), f'final revisions not told: {[(k, v["record_number"]) for k, v in finals(daemon.verdicts()).items()]}; '
          f'counters {daemon.status()["counters"]}')


def classify_finds_grb_110721a_and_nothing_else(folder, started):
    if not GRB.exists():
        return '../shared/data is absent'
    verdicts = reference()
    check(len(verdicts) == 1, f'{len(verdicts)} events: {[v["id"] for v in verdicts]}')
    v = verdicts[0]
    check(v['verdict'] == 'true', f'verdict {v["verdict"]} p {v["p_true"]}')
    check(abs(seconds_from_t0(v['trigger_time'])) < 1, f'trigger time {v["trigger_time"]}, T0 {T0}')


def a_replay_at_full_speed_gives_the_core_of_the_file(folder, started):
    if not GRB.exists():
        return '../shared/data is absent'
    want, daemon = reference(), Daemon(folder)
    started.append(daemon)
    daemon.start()
    replay(started, daemon, folder, '--speed', 'max')
    final_told(daemon, want)
    same_finals(daemon, want)
    check(daemon.stop() == 0, 'burstd did not end well')


def burstctl_watch_shows_the_same(folder, started):
    if not GRB.exists():
        return '../shared/data is absent'
    want, daemon = reference(), Daemon(folder)
    started.append(daemon)
    daemon.start()
    out = open(f'{folder}/watch.json', 'wb')
    popen(started, [program('burstctl'), 'watch', '--json', '--topic', 'burst-archive.v1.', '--live', daemon.live, '--history', daemon.history],
          f'{folder}/watch.log', stdout=out)
    replay(started, daemon, folder, '--speed', 'max')
    final_told(daemon, want)
    time.sleep(2 * SLOW)
    lines = [json.loads(x) for x in open(f'{folder}/watch.json')]
    got = finals([v for v in lines if 'record_number' in v])
    check({k: core(v) for k, v in got.items()} == {v['id']: core(v) for v in want}, f'watch showed {list(got)}')


def restarted(folder, how):
    want, daemon = reference(), Daemon(folder)
    started = [daemon]
    try:
        daemon.start()
        replay(started, daemon, folder, '--speed', '25')
        check(daemon.wait_for(lambda s: s['counters']['messages'] >= 60, 60), 'the first minute did not come')
        daemon.kill(how)
        daemon.start()
        check(daemon.wait_for(lambda s: s['counters']['messages'] >= 80, 60), 'the stream did not go on')
        daemon.kill(how)
        daemon.start()
        final_told(daemon, want)
        same_finals(daemon, want)
        numbers = {}
        for v in daemon.verdicts():
            check(v['record_number'] == numbers.get(v['id'], 0) + 1, f'record {v["record_number"]} after {numbers.get(v["id"], 0)}')
            numbers[v['id']] = v['record_number']
        check(daemon.status()['counters']['verdict_conflicts'] == 0, 'a revision was derived twice with different content')
    finally:
        for p in started[1:]:
            p.kill()
        if daemon.process:
            daemon.kill()


def stopped_in_mid_stream_the_core_is_the_same(folder, started):
    if not GRB.exists():
        return '../shared/data is absent'
    restarted(folder, signal.SIGTERM)


def killed_in_mid_stream_the_core_is_the_same(folder, started):
    if not GRB.exists():
        return '../shared/data is absent'
    restarted(folder, signal.SIGKILL)


def chunks(folder, n, seconds):
    """The first n pieces of the real file, as an outside program would cut them (astropy)."""
    import astropy.io.fits as fits
    files = []
    with fits.open(GRB) as f:
        zero = float(f['EVENTS'].header['TZERO1'])
        start = float(f['GTI'].data['START'][0])
        t = f['EVENTS'].data['TIME']
        for i in range(n):
            a, b = start + i * seconds, start + (i + 1) * seconds
            part = fits.HDUList([f[0].copy(), f['EBOUNDS'].copy()])
            events = f['EVENTS'].copy()
            events.data = f['EVENTS'].data[(t >= a) & (t < b)]
            gti = f['GTI'].copy()
            gti.data = f['GTI'].data[:1].copy()
            gti.data['START'], gti.data['STOP'] = a, b
            part[0].header['TSTART'], part[0].header['TSTOP'] = a, b
            part += [events, gti]
            name = f'{folder}/chunk{i:04d}.fits'
            part.writeto(name, checksum=True)  # the mission's own sums no longer fit
            files.append(name)
    check(zero > 3e8, 'TZERO1 is not the trigger time')
    return files


def probe_run(folder, started, kill):
    if not GRB.exists() or not PROBE.exists():
        return '../shared is absent'
    import warnings
    warnings.simplefilter('ignore')
    files, daemon = chunks(folder, 84, 4.0), Daemon(folder)
    started.append(daemon)
    daemon.start()
    popen(started, ['/usr/bin/python3', PROBE, 'gateway', '--topic', 'burst-archive.v1.fermi.gbm.events', '--flags', '4', '--lose', '3', '--interval',
                    '0.15', '--wait', '0.5', '--live', daemon.gateway_live, '--history', daemon.gateway_history, *files], f'{folder}/gateway.log')
    for i in range(3 if kill else 0):
        check(daemon.wait_for(lambda s: s['counters']['messages'] >= 12 + 6 * i, 60), 'no messages')
        daemon.kill(signal.SIGKILL)
        daemon.start()
    code, want, err = classify(*files)
    check(code == 0 and len(want) == 1, f'burst-classify on the pieces: {code}, {len(want)} events: {err}')
    final_told(daemon, want)
    same_finals(daemon, want)
    n = len(daemon.verdicts())
    watch = subprocess.run(['/usr/bin/python3', PROBE, 'watch', '--from-start', '--topic', 'burst-archive.v1.fermi.verdict', '--live', daemon.live, '--history',
                            daemon.history, '--count', str(n), '--seconds', str(20 * SLOW)], capture_output=True, text=True)
    check(watch.returncode == 0 and ' 0 rules broken' in watch.stderr, watch.stderr[-800:])
    check(daemon.status()['counters']['gaps'] == 0, 'messages were lost for good')


def every_third_message_only_in_history_breaks_no_rule(folder, started):
    return probe_run(folder, started, False)


def kill_9_between_lost_messages_breaks_no_rule(folder, started):
    return probe_run(folder, started, True)


def at_its_own_pace_the_first_minute_opens_the_same_event(folder, started):
    """Speed 1: what is told while the data come, and the core after a silence, is that of the same minute read from a file."""
    if not GRB.exists():
        return '../shared/data is absent'
    import warnings
    warnings.simplefilter('ignore')
    (piece,) = chunks(folder, 1, 60.0)
    code, want, err = classify(piece)
    check(code == 0 and len(want) == 1, f'burst-classify: {code}, {len(want)} events: {err}')
    daemon = Daemon(folder, 'lightcurve: {silence_s: 10}')
    started.append(daemon)
    daemon.start()
    begun = time.time()
    replay(started, daemon, folder, '--speed', '1', files=(piece,))
    check(daemon.wait_for(lambda s: s['counters']['verdicts'] >= 1, 70), 'no verdict within 70 s')
    check(time.time() - begun > 30, f'a verdict {time.time() - begun:.1f} s after the start: before the burst')
    final_told(daemon, want)
    same_finals(daemon, want)


if __name__ == '__main__':
    cases = Cases()
    for case in (classify_finds_grb_110721a_and_nothing_else, a_replay_at_full_speed_gives_the_core_of_the_file, burstctl_watch_shows_the_same,
                 stopped_in_mid_stream_the_core_is_the_same, killed_in_mid_stream_the_core_is_the_same,
                 every_third_message_only_in_history_breaks_no_rule, kill_9_between_lost_messages_breaks_no_rule,
                 at_its_own_pace_the_first_minute_opens_the_same_event):
        if len(sys.argv) < 2 or sys.argv[1] in case.__name__:
            cases.run(case)
    cases.finish()
