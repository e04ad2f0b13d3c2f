#!/usr/bin/python3
"""A day of simulated GECAM-B through burstd, tidy and with every disorder of disorder_plan.py: counts of every window and `core` of every
revision must be the same. Hours of data in minutes, but minutes all the same: run by hand, before a release."""
import argparse
import json
import os
import pathlib
import pickle
import signal
import sys
import time

from disorder import MODEL, compare_traces, compare_verdicts, session
from disorder_plan import KINDS, Plan
from disorder_sky import Sky


def parse():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument('what', nargs='*', default=['tidy', 'disordered', 'compare'], help='tidy, disordered, compare (default all three)')
    p.add_argument('--out', required=True, help='folder for both runs: traces, verdicts, plan, figures')
    p.add_argument('--seed', type=int, default=1, help='of the sky')
    p.add_argument('--plan-seed', type=int, default=1, help='of the disorder')
    p.add_argument('--rate', type=float, default=1.0, help='1: 1,780 rows a second and detector')
    p.add_argument('--duration', type=float, default=86400, help='of the sky, seconds: another duration is another sky')
    p.add_argument('--start', type=float, default=0, help='second of the day')
    p.add_argument('--stop', type=float, default=86400)
    p.add_argument('--every', type=float, default=600, help='seconds between bursts, humps, flares, spikes')
    p.add_argument('--chunk', type=float, default=2, help='seconds')
    p.add_argument('--lateness', type=float, default=20, help='lightcurve.lateness_s')
    p.add_argument('--model', default=MODEL)
    p.add_argument('--only', nargs='+', default=[k for k in KINDS], help='disorders: ' + ' '.join(KINDS), choices=KINDS)
    return p.parse_args()


def run(a, name):
    kinds = a.only if name == 'disordered' else ()
    plan = Plan(a.start, a.stop, a.chunk, a.lateness, kinds, a.plan_seed)
    folder, started = f'{a.out}/{name}', []
    os.makedirs(folder, exist_ok=True)
    for old in ('trace.csv', 'burst.db', 'burst.db-wal', 'burst.db-shm', 'burstd.log'):
        pathlib.Path(f'{folder}/{old}').unlink(missing_ok=True)
    sky, begun = Sky(a.seed, a.rate, a.duration, a.every), time.time()

    def progress(at, player):
        done = (at - a.start) / (a.stop - a.start)
        took = time.time() - begun
        print(f'\r{name}: {at:9.1f} s of the day, {100 * done:5.1f} %, {took:6.0f} s, {took / max(done, 1e-9) * (1 - done):6.0f} s to go ',
              end='', file=sys.stderr, flush=True)
    try:
        with open(f'{folder}/plan.txt', 'w') as log:
            trace, verdicts, counters, took = session(folder, started, sky, plan, a.lateness, a.model, log=log, progress=progress)
    finally:
        sky.close()
        for d in started:
            if d.process:
                d.kill()
    print(file=sys.stderr)
    with open(f'{folder}/result.pickle', 'wb') as out:
        pickle.dump((trace, verdicts), out)
    figures = {'seconds': round(took, 1), 'detector_windows': len(trace), 'revisions': len(verdicts), 'events': len({v for v, _ in verdicts}),
               'verdicts': {w: sum(v.get('verdict') == w for v in verdicts.values()) for w in ('true', 'false', 'unclear')},
               'steps': plan.count(), 'counters': dict(counters)}
    pathlib.Path(f'{folder}/figures.json').write_text(json.dumps(figures, indent=1) + '\n')
    print(f'{name}: {json.dumps(figures)}')


def compare(a):
    (tidy, told), (other, told_other) = (pickle.loads(pathlib.Path(f'{a.out}/{n}/result.pickle').read_bytes()) for n in ('tidy', 'disordered'))
    wrong = [x for x in (compare_traces(tidy, other), compare_verdicts(told, told_other)) if x]
    print('\n'.join(wrong) if wrong else f'the same: {len(tidy)} detector windows, {len(told)} revisions of {len({k for k, _ in told})} events')
    return len(wrong)


def main():
    a = parse()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that burstd is ended with us
    for name in ('tidy', 'disordered'):
        if name in a.what:
            run(a, name)
    if 'compare' in a.what:
        sys.exit(compare(a))


if __name__ == '__main__':
    main()
