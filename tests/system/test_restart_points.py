#!/usr/bin/python3
"""Where burstd reads again from: several gateways with one topic, revisions of sub-images, replays that go back in time."""
import signal
import sys
import time

from harness import GRB, SLOW, Cases, Daemon, Gateway, Session, check, classify, free_ports, program
from test_bad_input import IMAGES, Images, good
from test_pipeline import chunks, final_told, popen, same_finals

EVENTS = b'burst-archive.v1.fermi.gbm.events'


class Two(Session):
    """Two gateways that carry the same topics."""

    def configure(self, daemon):
        ends = [f'tcp://127.0.0.1:{p}' for p in free_ports(2)]
        config = daemon.config.read_text()
        line = config.splitlines()[1]
        second = line.replace('test', 'other', 1).replace(daemon.gateway_live, ends[0]).replace(daemon.gateway_history, ends[1])
        daemon.config.write_text(config.replace(line, f'{line}\n{second}'))
        self.gateways.append(Gateway(*ends))


def two_gateways_of_one_topic_each_go_on_from_their_place(folder, started):
    s = Two(folder, started)
    a, b = s.gateways
    for number in range(1, 5):
        for g in (a, b):
            g.send(IMAGES, good(number))
    b.send(IMAGES, good(5))
    a.send(IMAGES, good(6))
    check(s.wait(lambda c: c['verdicts'] == 6), f'{s.daemon.status()["counters"]}')
    check(s.daemon.counter('duplicates') == 4, f'{s.daemon.status()["counters"]}')
    check(s.daemon.counter('bad_subimage.late') == 0, f'{s.daemon.status()["counters"]}')
    settled(s)
    s.daemon.kill(signal.SIGKILL)
    s.daemon.start()
    s.settle(4)
    counters = s.daemon.status()['counters']
    check(counters['messages'] <= 1 and counters['verdicts'] == 0, f'read again: {counters}')  # at most what came after the last point
    b.send(IMAGES, good(3, 1))
    a.send(IMAGES, good(3, 1))
    a.send(IMAGES, good(7))
    check(s.wait(lambda c: c['verdicts'] == 2), f'{s.daemon.status()["counters"]}')
    numbers = [(v['id'], v['record_number']) for v in s.daemon.verdicts()]
    check(numbers == [(f'sb26{i:06d}', 1) for i in (1, 2, 3, 4)] + numbers[4:6] + numbers[6:] and ('sb26000003', 2) in numbers[6:], f'{numbers}')
    check(s.daemon.counter('verdict_conflicts') == 0, f'{s.daemon.status()["counters"]}')


def two_gateways_with_the_same_events_give_the_core_of_the_files(folder, started):
    """The second gateway is a chunk behind the first; burstd is killed half way and reads both again."""
    if not GRB.exists():
        return '../shared/data is absent'
    import warnings
    warnings.simplefilter('ignore')
    files = chunks(folder, 42, 4.0)
    code, want, err = classify(*files)
    check(code == 0 and len(want) == 1, f'burst-classify: {code}, {len(want)} events: {err}')
    s = Two(folder, started)
    a, b = s.gateways
    bodies = [open(f, 'rb').read() for f in files]
    for i in range(len(bodies) + 1):
        if i < len(bodies):
            a.send(EVENTS, bodies[i])
        if i > 0:
            b.send(EVENTS, bodies[i - 1])
        s.settle(0.05)
        if i == 30:
            check(s.wait(lambda c: c['duplicates'] >= 25), f'{s.daemon.status()["counters"]}')
            s.daemon.kill(signal.SIGKILL)
            s.daemon.start()
    check(s.wait(lambda c: c['duplicates'] >= 12), f'{s.daemon.status()["counters"]}')
    s.told(lambda verdicts: any(v['record_number'] >= want[0]['record_number'] for v in verdicts), 90)
    same_finals(s.daemon, want)
    counters = s.daemon.status()['counters']
    check(counters['verdict_conflicts'] == 0 and 'bad_events.conflict' not in counters and counters['events_late'] == 0, f'{counters}')


def settled(s):
    """The evidence of every image has been told, and with it its restart point."""
    import sqlite3
    until = time.time() + 60 * SLOW
    while time.time() < until:
        s.settle(0.3)
        with sqlite3.connect(f'file:{s.daemon.folder}/burst.db?mode=ro', uri=True) as db:
            n = db.execute("SELECT count(*) FROM item JOIN topic USING (topic_id) WHERE name LIKE '%.evidence'").fetchone()[0]
        if n >= 6:
            s.settle(0.5)
            return
    raise AssertionError(f'{n} pieces of evidence')


def back_in_time(folder, started, restart):
    if not GRB.exists():
        return '../shared/data is absent'
    import warnings
    warnings.simplefilter('ignore')
    pieces = chunks(folder, 5, 60.0)
    code, want, err = classify(pieces[0])
    check(code == 0 and len(want) == 1, f'burst-classify: {code}, {len(want)} events: {err}')
    daemon = Daemon(folder)
    started.append(daemon)
    daemon.start()
    for n, piece in enumerate((pieces[4], pieces[0])):
        if n and restart:
            daemon.kill(signal.SIGKILL)
            daemon.start()
        before = daemon.counter('windows')
        p = popen(started, [program('burst-replay'), piece, '--speed', 'max', '--live', daemon.gateway_live, '--history', daemon.gateway_history],
                  f'{folder}/replay.log')
        check(daemon.wait_for(lambda s: s['counters']['windows'] >= before + 25, 60), f'{n}: {daemon.status()["counters"]} {daemon.log.read_text()[-800:]}')
        if n == 0:
            time.sleep(2 * SLOW)  # the restart point of the later piece is kept
            p.terminate()
            p.wait(20)
    final_told(daemon, want)
    same_finals(daemon, want)
    check('begin anew' in daemon.log.read_text(), 'nobody went back')


def an_older_replay_after_a_newer_one_is_judged(folder, started):
    return back_in_time(folder, started, False)


def a_replay_that_goes_back_is_taken_whole(folder, started):
    """The second half of a file, then all of it: the same messages again are no repeats, for their data have been forgotten."""
    if not GRB.exists():
        return '../shared/data is absent'
    daemon = Daemon(folder)
    started.append(daemon)
    daemon.start()
    pieces = chunks(folder, 5, 60.0)
    half = 0
    for some in (pieces[2:4], pieces[:4]):
        before, half = daemon.counter('messages'), daemon.counter('events')
        p = popen(started, [program('burst-replay'), *some, '--speed', 'max', '--live', daemon.gateway_live, '--history', daemon.gateway_history],
                  f'{folder}/replay.log')
        check(daemon.wait_for(lambda s: s['counters']['messages'] >= before + 60 * len(some), 60), f'{daemon.status()["counters"]}')
        time.sleep(2 * SLOW)
        p.terminate()
        p.wait(20)
    counters = daemon.status()['counters']
    check('begin anew' in daemon.log.read_text(), 'nobody went back')
    check(counters['duplicates'] == 0 and counters['events'] >= 2 * half, f'{half} events of the second half, then {counters}')


def an_older_replay_after_a_restart_is_judged(folder, started):
    return back_in_time(folder, started, True)


def evidence_of_a_revision_that_was_not_told_is_not_told(folder, started):
    """The configuration changes, the input is read again: record 1 comes out otherwise than it was told."""
    import sqlite3
    s = Images(folder, started)
    s.send_good()
    s.all_good_have_verdicts()

    def pieces(of=''):
        with sqlite3.connect(f'file:{folder}/burst.db?mode=ro', uri=True) as db:
            return db.execute("SELECT count(*) FROM item JOIN topic USING (topic_id) WHERE name LIKE '%.evidence' AND instr(body, CAST(? AS BLOB)) > 0",
                              (of,)).fetchone()[0]
    until = time.time() + 60 * SLOW
    while not pieces('sb26000001') and time.time() < until:
        s.settle(0.3)
    s.settle(1)
    check(s.daemon.stop() == 0, 'burstd did not end well')
    with sqlite3.connect(f'{folder}/burst.db') as db:
        db.execute('DELETE FROM checkpoint')
        db.execute('DELETE FROM past')
        db.execute('UPDATE record SET evidence_topic_id = NULL, evidence_seq = NULL')
    s.daemon.config.write_text(s.daemon.config.read_text() + 'detect: {low: 0.19}\n')
    s.daemon.start()
    check(s.wait(lambda c: c['verdict_conflicts'] == 1), f'{s.daemon.status()["counters"]}')
    s.gateway.send(IMAGES, good(2))
    check(s.wait(lambda c: c['verdicts'] == 1), f'{s.daemon.status()["counters"]}')
    while not pieces('sb26000002') and time.time() < until + 60 * SLOW:
        s.settle(0.3)
    check((pieces('sb26000002'), pieces()) == (1, 2), f'{pieces()} pieces of evidence')  # of the first telling, and of image 2


if __name__ == '__main__':
    cases = Cases()
    for case in (two_gateways_of_one_topic_each_go_on_from_their_place, two_gateways_with_the_same_events_give_the_core_of_the_files,
                 an_older_replay_after_a_newer_one_is_judged, a_replay_that_goes_back_is_taken_whole,
                 an_older_replay_after_a_restart_is_judged, evidence_of_a_revision_that_was_not_told_is_not_told):
        if len(sys.argv) < 2 or sys.argv[1] in case.__name__:
            cases.run(case)
    cases.finish()
