#!/usr/bin/python3
"""Twenty-six minutes of simulated GECAM-B with every disorder a stream can have: the same counts, bin for bin, and the same verdicts as
when all goes well. And what cannot be the same - data that never come or come too late - is said, and changes nothing else.

    test_disorder.py                  the three cases
    test_disorder.py overlap late     each of these disorders alone (disorder_plan.py: KINDS)
    day.py                            a whole day"""
import os
import pathlib
import subprocess
import sys

from disorder import MODEL, Gateway, compare_traces, compare_verdicts, read_trace, session
from disorder_plan import CELL, KINDS, Plan, Step
from disorder_sky import Piece, Sky
from harness import ROOT, Cases, check, classify, program

# An hour of which a part is played: two bursts 105 s apart, a spike, an outage of 293 s, a hump, a burst on its end.
SKY = {'seed': 49, 'rate': 0.1, 'duration': 3600, 'every': 200}
START, STOP, CHUNK, LATENESS = 240, 1860, 2, 20
BIN, STRIDE, WINDOW = 0.064, 16, 1875
MET = 220924800  # mission elapsed time of the sky's first second, 2026-01-01: seconds since 2019-01-01T00:00:00 UTC, no leap second
shared = {}


def sky():
    if 'sky' not in shared:
        shared['sky'] = Sky(**SKY)
    return shared['sky']


def tidy(folder, started):
    if 'tidy' not in shared:
        shared['tidy'] = session(f'{folder}/tidy', started, sky(), Plan(START, STOP, CHUNK, LATENESS), LATENESS)
        trace, verdicts, counters, _ = shared['tidy']
        check(len(trace) > 25 * 1000, f'{len(trace)} detector windows')
        check(any(v['verdict'] == 'true' for v in verdicts.values()), f'no burst was found: {[(k, v["verdict"]) for k, v in verdicts.items()]}')
        check(not counters['events_repeated'] and not counters['gaps'], f'{dict(counters)}')
    return shared['tidy']


def same(folder, started, kinds):
    want, told, _, _ = tidy(folder, started)
    plan = Plan(START, STOP, CHUNK, LATENESS, kinds, seed=7)
    count = plan.count()
    check(set(kinds) <= set(count), f'the plan lacks {set(kinds) - set(count)}')
    with open(f'{folder}/plan.log', 'w') as log:
        got, verdicts, counters, _ = session(f'{folder}/disordered', started, sky(), plan, LATENESS, log=log)
    for wrong in (compare_traces(want, got), compare_verdicts(told, verdicts)):
        check(not wrong, wrong)
    check(counters['gaps'] == 0 and counters['verdict_conflicts'] == 0, f'{dict(counters)}')
    return counters, verdicts


def every_disorder_together_changes_no_count_and_no_verdict(folder, started):
    counters, verdicts = same(folder, started, KINDS)
    happened = {'duplicates': 'double', 'repaired': 'lost', 'events_repeated': 'overlap', 'stream_restarts': 'restart', 'bad_frame.unsupported': 'badframe',
                'bad_events.format': 'badfile'}
    check(all(counters[k] > 0 for k in happened), f'not seen: {[k for k in happened if not counters[k]]} of {dict(counters)}')
    check(counters['verdicts'] >= len(verdicts), f'{dict(counters)}')


def files_of_the_same_data_give_the_same_counts(folder, started):
    """burst-classify on chunks of 40 s, written by `burst-sim stream --out`, traces the windows that burstd does."""
    want, _, _, _ = tidy(folder, started)
    arguments = [f'--{k}={v}' for k, v in SKY.items()]
    subprocess.run([program('burst-sim'), 'stream', '--out', f'{folder}/chunks', '--chunk=40', f'--from={START}', f'--to={STOP}', *arguments], check=True,
                   env=dict(os.environ, BURST_DATADIR=os.environ.get('BURST_DATADIR', str(ROOT))))
    with open(f'{folder}/classify.yaml', 'w') as out:
        out.write(f'models: {{light_curve: "{MODEL}", image: ""}}\nlightcurve: {{trace: "{folder}/files.csv", lateness_s: {LATENESS}}}\n')
    os.chmod(f'{folder}/classify.yaml', 0o600)
    code, _, err = classify(*sorted(pathlib.Path(f'{folder}/chunks').iterdir()), extra=('--config', f'{folder}/classify.yaml'))
    check(code == 0, f'burst-classify ended with {code}: {err[-500:]}')
    got = read_trace(f'{folder}/files.csv')
    check(set(want) <= set(got), f'{len(set(want) - set(got))} windows are in burstd\'s trace alone')
    wrong = compare_traces(want, {k: got[k] for k in want})  # at the end of files all bins are closed: they have some windows more
    check(not wrong, wrong)


class Forgetful(Gateway):
    """Its history begins behind the numbers it has forgotten."""
    forgotten = 0

    def replay(self, who, topic, stream, start, most):
        if int.from_bytes(start, 'big') <= self.forgotten:
            self.router.send_multipart([who, b'GONE', topic, (self.forgotten + 1).to_bytes(8, 'big')])
        else:
            super().replay(who, topic, stream, start, most)

    def send(self, piece, live=True):
        super().send(piece, live)
        if not live:
            self.forgotten = len(self.log)
            self.lost.discard(len(self.log))


def window_of(key):
    """Start and end of a window in seconds of the scene."""
    k = key[0]
    return (k - WINDOW) * BIN - MET, k * BIN - MET


def what_never_comes_is_said_and_what_comes_too_late_is_in_later_windows(folder, started):
    """[340, 342) never comes; [400, 402) comes 35 s after its time, when its bins are closed; [100, 102)
    when it is older than the rings, and is searched apart."""
    want, _, _, _ = tidy(folder, started)
    plan = Plan(START, 700, CHUNK, LATENESS)
    for step in plan.steps:
        if step.piece.start == 340:
            step.what, step.why = 'lose', 'never'
        if step.piece.start == 400:
            step.due += 35
            step.why = 'too late'
    plan.steps.append(Step(600.5, 'send', Piece(100, 102), 'hours late'))
    plan.steps.sort(key=lambda s: s.due)
    got, verdicts, counters, _ = session(f'{folder}/gaps', started, sky(), plan, LATENESS, make=Forgetful)
    check(counters['gaps'] == 1, f'{dict(counters)}')
    check(counters['events_late'] > 0 and counters['events_archival'] > 0, f'{dict(counters)}')
    missing = marked = late = 0
    for key, (n_valid, incomplete, digest) in got.items():
        start, stop = window_of(key)
        holds = start < 342 and stop > 340
        waits = start < 402 and stop > 400 and stop < 435 - LATENESS - STRIDE * BIN - CELL  # closed before the late chunk came
        if holds:
            marked += incomplete
            check(incomplete == 1, f'the window of {start:.1f} to {stop:.1f} s is not marked incomplete')
        elif start > 342 + LATENESS + 1 or stop < 340 - LATENESS - 1:
            check(incomplete == 0, f'the window of {start:.1f} to {stop:.1f} s is marked incomplete')
        if holds or waits:
            missing += holds
            late += waits
            check(n_valid < want[key][0], f'the window of {start:.1f} to {stop:.1f} s has {n_valid} valid bins')
        elif stop > 436:  # from then on the late chunk is in
            check((n_valid, digest) == (want[key][0], want[key][2]), f'the window of {start:.1f} to {stop:.1f} s differs')
        elif stop < 340 or (start > 342 and stop < 400):
            check((n_valid, digest) == (want[key][0], want[key][2]), f'the window of {start:.1f} to {stop:.1f} s differs')
    check(missing > 2000 and marked == missing and late > 100, f'{missing} windows over the gap, {late} before the late chunk came')
    over = [v for v in verdicts.values() if any('incomplete' in e.get('quality', []) for e in v['evidence'])]
    check(over, f'no verdict says that data are missing: {[v["id"] for v in verdicts.values()]}')
    for v in verdicts.values():
        marks = {'incomplete' in e.get('quality', []) for e in v['evidence']}
        check(len(marks) == 1, f'{v["id"]}: some detectors are marked and some are not')


def main():
    cases = Cases()
    alone = [k for k in sys.argv[1:] if k in KINDS]
    for kind in alone:
        def one(folder, started, kind=kind):
            same(folder, started, (kind,))
        one.__name__ = f'{kind}_alone_changes_no_count_and_no_verdict'
        cases.run(one)
    for case in (every_disorder_together_changes_no_count_and_no_verdict, files_of_the_same_data_give_the_same_counts,
                 what_never_comes_is_said_and_what_comes_too_late_is_in_later_windows):
        if not alone and (len(sys.argv) < 2 or sys.argv[1] in case.__name__):
            cases.run(case)
    if 'sky' in shared:
        shared['sky'].close()
    cases.finish()


if __name__ == '__main__':
    main()
