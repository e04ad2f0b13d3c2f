#!/usr/bin/python3
"""When the disk takes no more: what is judged is still told to people, the process ends, and recovers from the file. And an end that
is asked for while the networks are behind."""
import json
import resource
import signal
import sys
import time

from harness import GRB, SLOW, Cases, Daemon, check, popen, program
from test_bad_input import IMAGES, Images, good


def a_verdict_that_cannot_be_logged_is_told_provisionally_and_burstd_ends_with_4(folder, started):
    import zmq
    s = Images(folder, started)
    s.send_good()
    s.all_good_have_verdicts()
    sub = zmq.Context.instance().socket(zmq.SUB)
    sub.linger = 0
    sub.connect(s.daemon.live)
    sub.subscribe(b'burst-provisional.')
    s.settle(2)
    resource.prlimit(s.daemon.process.pid, resource.RLIMIT_FSIZE, (1, resource.RLIM_INFINITY))
    s.n_good += 1
    body = good(s.n_good)
    s.gateway.send(IMAGES, body)
    until, told = time.time() + 60 * SLOW, []
    while time.time() < until and s.daemon.process.poll() is None:
        s.gateway.serve(20)
        while sub.poll(20):
            told.append(sub.recv_multipart())
    check(s.daemon.process.poll() == 4, f'exit status {s.daemon.process.poll()}: {s.daemon.log.read_text()[-1500:]}')
    while sub.poll(500):
        told.append(sub.recv_multipart())
    sub.close()
    check(told and told[0][0] == b'burst-provisional.v1.svom.verdict', f'{told}')
    check(int.from_bytes(told[0][1][24:32], 'big') == 0 and len(told[0]) == 3, 'a number or a seal')
    verdict = json.loads(told[0][2])
    check(verdict['id'] == 'sb26000002' and verdict['record_number'] == 1, f'{verdict}')
    s.daemon.process = None
    s.daemon.start()
    check(s.wait(lambda c: c['verdicts'] >= 1), f'{s.daemon.status()["counters"]}')
    numbers = [(v['id'], v['record_number']) for v in s.daemon.verdicts()]
    check(numbers == [('sb26000001', 1), ('sb26000002', 1)], f'{numbers}')


def an_end_while_the_networks_are_behind_is_quick_and_loses_nothing(folder, started):
    """The plain backend cannot follow a replay at full speed: the queues are full when SIGTERM comes."""
    if not GRB.exists():
        return '../shared/data is absent'
    daemon = Daemon(folder, 'limits: {work_queue: 4, publish_queue: 4}', backend='plain')
    started.append(daemon)
    daemon.start()
    popen(started, [program('burst-replay'), GRB, '--speed', 'max', '--chunk', '20', '--live', daemon.gateway_live, '--history', daemon.gateway_history],
          f'{folder}/replay.log')
    check(daemon.wait_for(lambda s: s['counters']['windows'] >= 5, 60), f'{daemon.status()["counters"]}')
    begun = time.time()
    check(daemon.kill(signal.SIGTERM) == 0, 'exit status')
    took = time.time() - begun
    check(took < 15 * SLOW, f'{took:.1f} s')  # TimeoutStopSec of burstd.service
    daemon.start()
    check(daemon.wait_for(lambda s: any(v['record_number'] == 2 for v in daemon.verdicts()), 120), f'{daemon.status()["counters"]}')
    check(daemon.counter('verdict_conflicts') == 0 and daemon.counter('gaps') == 0, f'{daemon.status()["counters"]}')


def explanations_that_an_end_cut_off_are_made_after_the_next_start(folder, started):
    import sqlite3
    s = Images(folder, started)
    s.daemon.kill()
    s.daemon.config.write_text(s.daemon.config.read_text().replace('backend: auto', 'backend: plain'))
    s.daemon.start()
    for _ in range(4):
        s.send_good()
    check(s.wait(lambda c: c['verdicts'] >= 4), f'{s.daemon.status()["counters"]}')
    begun = time.time()
    check(s.daemon.stop() == 0, 'exit status')
    check(time.time() - begun < 15 * SLOW, f'{time.time() - begun:.1f} s')
    s.daemon.start()

    def evidence():
        with sqlite3.connect(f'file:{folder}/burst.db?mode=ro', uri=True) as db:
            bodies = db.execute("SELECT body FROM item JOIN topic USING (topic_id) WHERE name LIKE '%.evidence'").fetchall()
        return sorted(b[0].split(b"sb26", 1)[1][:6] for b in bodies)
    want = [b'%06d' % i for i in range(1, 5)]
    check(s.wait(lambda _: len(evidence()) >= 4, 120), f'{evidence()}')
    check(evidence() == want, f'{evidence()}')
    check(s.daemon.counter('verdict_conflicts') == 0 and s.daemon.counter('verdicts') == 0, f'{s.daemon.status()["counters"]}')


if __name__ == '__main__':
    cases = Cases()
    for case in (a_verdict_that_cannot_be_logged_is_told_provisionally_and_burstd_ends_with_4,
                 an_end_while_the_networks_are_behind_is_quick_and_loses_nothing,
                 explanations_that_an_end_cut_off_are_made_after_the_next_start):
        if len(sys.argv) < 2 or sys.argv[1] in case.__name__:
            cases.run(case)
    cases.finish()
