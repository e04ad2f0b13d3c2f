#!/usr/bin/python3
"""Gateways whose numbers, order or pace are wrong (class P of the bad-input catalogue, tests/bad/classes.py): what is lost is told,
what comes twice is taken once, what contradicts itself is an alarm, and a good sub-image sent afterwards gets its verdict."""
import pathlib
import signal
import sys
import threading
import time
import uuid

import numpy as np

from harness import HEADER, SLOW, Cases, Gateway, check, free_ports
from test_bad_input import IMAGES, Images, fits_bytes, good

EVENTS = b'burst-archive.v1.fermi.gbm.events'


class Ordered(Images):
    """A session whose messages can be put on the wire in any order, under any number."""

    def frames(self, number, body, topic=IMAGES, stream=None):
        return [topic, HEADER.pack(b'BRST', 1, 4, 1, stream or self.gateway.stream, number, time.time_ns()), body]

    def wire(self, frames):
        self.gateway.pub.send_multipart(frames)

    def next_good(self):
        """The next good sub-image, numbered and kept for history, but not sent."""
        self.n_good += 1
        self.gateway.last[IMAGES] = self.gateway.last.get(IMAGES, 0) + 1
        frames = self.frames(self.gateway.last[IMAGES], good(self.n_good))
        self.gateway.kept.setdefault(IMAGES, []).append(frames)
        return frames

    def counts(self, **want):
        """Whether these counters come to these values (bad_frame__x stands for bad_frame.x)."""
        names = {k.replace('__', '.'): v for k, v in want.items()}
        ok = self.wait(lambda c: all(c.get(k, 0) == v for k, v in names.items()), 30)
        check(ok, f'wanted {names}: {self.daemon.status()["counters"]}')

    def still_well(self):
        self.send_good()
        self.all_good_have_verdicts()
        check(self.daemon.process.poll() is None, 'burstd has ended')


def gaps_are_repaired_or_told(folder, started):
    """P1: 2 is in history; 4 and 5 are nowhere."""
    s = Ordered(folder, started)
    s.send_good()
    s.next_good()
    s.wire(s.next_good())
    s.all_good_have_verdicts()
    s.counts(gaps=0)
    check(s.daemon.counter('repaired') >= 1, 'nothing was repaired')
    s.gateway.last[IMAGES] += 2  # two numbers that nobody has
    s.send_good()
    s.counts(gaps=2)
    check('input lost for good topic=burst-archive.v1.svom.eclairs.subimage from=4 to=5' in s.daemon.log.read_text(), s.daemon.log.read_text()[-800:])
    s.still_well()


def repeats_are_taken_once_and_rewritten_numbers_are_an_alarm(folder, started):
    """P2, P3: the same number again, the same body under another number, another body under the same number."""
    s = Ordered(folder, started)
    frames = s.next_good()
    s.wire(frames)
    s.all_good_have_verdicts()
    s.wire(frames)
    s.gateway.send(IMAGES, frames[2])
    s.counts(duplicates=1, alarms=0)
    s.wire(s.frames(1, good(999)))
    s.counts(bad_frame__conflict=1, alarms=1, quarantined=1)
    log = s.daemon.log.read_text()
    check('alarm=conflict' in log and 'seq 1 came before with another body; the first one stands' in log, log[-800:])
    s.still_well()
    told = [v['id'] for v in s.daemon.verdicts()]
    check(sorted(told) == ['sb26000001', 'sb26000002'], f'{told}')  # nothing of the forged one


def order_is_restored_inside_the_window_and_by_history_outside(folder, started):
    """P4: five in reverse; then one that comes 300 numbers late."""
    s = Ordered(folder, started)
    s.send_good()
    s.settle(0.5)
    batch = [s.next_good() for _ in range(5)]
    for frames in reversed(batch):
        s.wire(frames)
    s.all_good_have_verdicts()
    s.counts(gaps=0)
    rng = np.random.default_rng(4)
    late = [s.frames(i, fits_bytes.gbm(rng, n=5, zero=332916465.76 + 0.05 * i, length=0.05).bytes(), EVENTS) for i in range(1, 302)]
    s.gateway.last[EVENTS] = 301
    s.gateway.kept[EVENTS] = late
    for frames in late[1:]:
        s.wire(frames)
    s.wire(late[0])
    check(s.wait(lambda c: c['messages'] == s.n_good + 301, 60), f'{s.daemon.status()["counters"]}')
    s.counts(gaps=0)
    s.still_well()


def a_stream_goes_forward_and_not_back(folder, started):
    """P5: a new log is followed from 1; a message of the old one is an alarm."""
    s = Ordered(folder, started)
    s.send_good()
    s.all_good_have_verdicts()
    old = s.gateway.stream
    s.gateway.stream, s.gateway.last, s.gateway.kept = uuid.uuid4().bytes, {}, {}
    s.send_good()
    s.all_good_have_verdicts()
    s.counts(stream_restarts=1, alarms=0)
    s.wire(s.frames(2, good(999), stream=old))
    s.counts(bad_frame__conflict=1, alarms=1)
    check('belongs to a stream that another one has replaced' in s.daemon.log.read_text(), 'not told')
    s.still_well()


def numbers_at_the_end_of_their_range_are_not_believed(folder, started):
    """P6: 2^64 - 1, 2^63, and a leap of 2^40; the topic goes on where it was."""
    s = Ordered(folder, started)
    s.send_good()
    s.all_good_have_verdicts()
    for number in (2**64 - 1, 2**63, 2**63 - 1, 2**40 + 3):
        s.wire(s.frames(number, good(999)))
    s.counts(bad_frame__range=4)
    s.gateway.last[EVENTS] = 2**63 - 1  # a heartbeat that promises as much, of a topic that was heard
    s.wire(s.frames(1, fits_bytes.gbm(np.random.default_rng(1)).bytes(), EVENTS))
    s.settle(1.5)
    s.gateway.last[EVENTS] = 1
    log = s.daemon.log.read_text()
    check('seq is 18446744073709551615' in log and '(heartbeat)' in log, log[-1500:])
    s.counts(gaps=0)
    s.still_well()


def two_gateways_with_one_topic_and_one_id(folder, started):
    """P8: the same messages from both are one; another image under the same id is an alarm."""
    ports = [f'tcp://127.0.0.1:{p}' for p in free_ports(2)]

    class Two(Ordered):
        def configure(self, daemon):
            text = daemon.config.read_text()
            line = f'  - {{name: second, live: "{ports[0]}", history: "{ports[1]}", topics: ["burst-archive.v1."]}}\n'
            daemon.config.write_text(text.replace('output: {live', line + 'output: {live', 1))
    second = Gateway(*ports)
    s = Two(folder, started)
    s.gateways.append(second)
    s.settle(1)
    s.send_good()
    s.settle(0.5)
    second.send(IMAGES, good(1))
    s.counts(duplicates=1, alarms=0)
    second.send(IMAGES, fits_bytes.subimage(np.random.default_rng(77), burst_id='sb26000001').bytes())
    s.counts(bad_subimage__conflict=1, alarms=1)
    check('alarm=conflict' in s.daemon.log.read_text(), 'no alarm in the log')
    s.still_well()
    second.close()


def a_burst_of_a_hundred_times_the_rate_loses_nothing(folder, started):
    """P10: 600 chunks and 6 sub-images at once; what cannot be held comes from history."""
    s = Ordered(folder, started)
    rng = np.random.default_rng(10)
    for i in range(600):
        s.gateway.send(EVENTS, fits_bytes.gbm(rng, n=50, zero=332916465.76 + 0.05 * i, length=0.05).bytes())
        if i % 100 == 0:
            s.send_good()
    check(s.wait(lambda c: c['messages'] == 606, 120), f'{s.daemon.status()["counters"]}')
    s.all_good_have_verdicts()
    s.counts(gaps=0)
    c = s.daemon.status()['counters']
    check(c['events'] + c['events_dropped'] == 30000 and c['events_late'] == 0, f'{c}')
    s.still_well()


def silence_closes_what_is_open_and_shows_in_the_status(folder, started):
    """P11: no data and no heartbeat; the age grows, the bins are closed after lightcurve.silence_s, and the gateway is heard again."""
    class Quiet(Ordered):
        def configure(self, daemon):
            daemon.config.write_text(daemon.config.read_text() + 'lightcurve: {silence_s: 2}\n')
    s = Quiet(folder, started)
    rng = np.random.default_rng(11)
    s.gateway.send(EVENTS, fits_bytes.gbm(rng, n=4000, length=60.0).bytes())
    check(s.wait(lambda c: c['messages'] == 1), 'not taken')
    windows = s.daemon.counter('windows')
    check(s.daemon.wait_for(lambda status: status['counters']['windows'] > windows, 20), f'{windows} windows, and no more after silence')
    check(s.daemon.wait_for(lambda status: status['inputs'][EVENTS.decode()]['age_s'] >= 3, 20), f'{s.daemon.status()["inputs"]}')
    time.sleep(6 * SLOW)  # longer than a live socket may be silent before it is connected anew
    s.still_well()


def a_gap_is_told_after_a_crash_as_before(folder, started):
    """20 s that nobody has, and a crash when the messages before them are needed no more: the windows that still reach into the
    lost time say so, as those before the crash did (docs/decisions/0005)."""
    trace = pathlib.Path(folder) / 'windows.csv'

    class Traced(Ordered):
        def configure(self, daemon):
            daemon.config.write_text(daemon.config.read_text() + f'lightcurve: {{trace: "{trace}"}}\n')

    def windows():  # end of window in bins -> incomplete
        return {int(line.split(',')[1]): int(line.split(',')[4]) for line in trace.read_text().splitlines()}
    s = Traced(folder, started)
    rng = np.random.default_rng(12)
    zero = 332916465.76

    def send(first, last):
        for i in range(first, last):
            s.gateway.send(EVENTS, fits_bytes.gbm(rng, n=900, zero=zero + i, length=1.0).bytes())
    send(0, 60)
    s.gateway.last[EVENTS] += 20
    send(80, 188)
    check(s.wait(lambda c: c['messages'] == 168 and c['gaps'] == 20), f'{s.daemon.status()["counters"]}')
    s.settle(2)
    send(188, 193)  # the next window begins near 71 s
    check(s.wait(lambda c: c['messages'] == 173), f'{s.daemon.status()["counters"]}')
    s.settle(2)  # and the restart point is kept: one a second, with the first window after that
    before = windows()
    check(before[max(before)] == 1, f'the last window before the crash: {before[max(before)]}')
    s.daemon.kill(signal.SIGKILL)
    serving = threading.Event()
    server = threading.Thread(target=lambda: [s.gateway.serve(20) for _ in iter(serving.is_set, True)])
    server.start()
    s.daemon.start()
    serving.set()
    server.join()
    send(193, 215)
    end = int((zero + 208) / 0.064)
    check(s.wait(lambda c: max(windows()) > end), f'windows end at {max(windows())}: {s.daemon.status()["counters"]}')
    after = {k: v for k, v in windows().items() if k > max(before)}
    want = {k: int((k - 1875) * 0.064 < zero + 80) for k in after}
    wrong = {k: v for k, v in after.items() if v != want[k] and abs((k - 1875) * 0.064 - zero - 82) > 2.5}
    check(len(after) > 8 and not wrong, f'incomplete by end of window: {after}')


if __name__ == '__main__':
    cases = Cases()
    for case in (gaps_are_repaired_or_told, repeats_are_taken_once_and_rewritten_numbers_are_an_alarm,
                 order_is_restored_inside_the_window_and_by_history_outside, a_stream_goes_forward_and_not_back,
                 numbers_at_the_end_of_their_range_are_not_believed, two_gateways_with_one_topic_and_one_id,
                 a_burst_of_a_hundred_times_the_rate_loses_nothing, silence_closes_what_is_open_and_shows_in_the_status,
                 a_gap_is_told_after_a_crash_as_before):
        if len(sys.argv) < 2 or sys.argv[1] in case.__name__:
            cases.run(case)
    cases.finish()
