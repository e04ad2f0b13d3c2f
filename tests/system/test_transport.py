#!/usr/bin/python3
"""Hostile peers on every socket of burstd (class Z of the bad-input catalogue, tests/bad/classes.py): clients of its PUB and
history sockets that speak nonsense, nothing, too slowly or too much, and a gateway that does. In every case burstd stays up,
its memory stays bounded, and a good sub-image sent afterwards gets its verdict."""
import os
import pathlib
import random
import socket
import struct
import sys
import time

import zmq

import zmtp
from harness import HEADER, SLOW, Cases, check, free_ports
from test_bad_input import IMAGES, Images, good

GROWTH_MIB = 64  # of resident memory, for anything a stranger may do; the buffers of one 16 MiB message are within it


class Hostile(Images):
    """A daemon with a good gateway, and a second one, `hostile`, that a case plays itself."""

    def __init__(self, folder, started):
        ports = free_ports(2)
        self.hostile_live, self.hostile_history = (f'tcp://127.0.0.1:{p}' for p in ports)
        super().__init__(folder, started)
        self.rss = self.memory()

    def configure(self, daemon):
        text = daemon.config.read_text()
        line = f'  - {{name: hostile, live: "{self.hostile_live}", history: "{self.hostile_history}", topics: ["burst-archive.v1."]}}\n'
        daemon.config.write_text(text.replace('output: {live', line + 'output: {live', 1))

    def memory(self):
        status = pathlib.Path(f'/proc/{self.daemon.process.pid}/status').read_text()
        return int(status.split('VmRSS:')[1].split()[0]) / 1024

    def still_well(self):
        self.send_good()
        self.all_good_have_verdicts()
        check(self.daemon.process.poll() is None, 'burstd has ended')
        grown = self.memory() - self.rss
        check(SLOW > 1 or grown < GROWTH_MIB, f'resident memory grew by {grown:.0f} MiB')

    def bad(self, name):
        return lambda c: c.get(f'bad_frame.{name}', 0)

    def ask(self, *frames, identity=None):
        """One request to the history socket; the whole answer."""
        s = zmq.Context.instance().socket(zmq.DEALER)
        s.linger = 0
        if identity:
            s.identity = identity
        s.connect(self.daemon.history)
        s.send_multipart(frames)
        answers = []
        while s.poll(5000 * SLOW):
            answers.append(s.recv_multipart())
            if answers[-1][0] != b'ITEM':
                break
        s.close()
        return answers

    def wait_evidence(self, topic):
        until = time.time() + 60 * SLOW
        while time.time() < until:
            if self.ask(b'LAST', topic)[0][0] == b'ITEM':
                return True
            self.settle(0.2)
        return False

    def ports(self):
        return self.daemon.live, self.daemon.history


def numbers_of_frames(folder, started):
    """Z1, Z2: 1, 2, 5, 300 and empty frames; headers of 0 and 1 bytes."""
    s = Hostile(folder, started)
    header = HEADER.pack(b'BRST', 1, 4, 1, s.gateway.stream, 1, time.time_ns())
    wrong = [[IMAGES], [IMAGES, b''], [IMAGES] * 5, [IMAGES] + [b''] * 299, [IMAGES, b'', b'body'], [IMAGES, b'B', b'body'],
             [IMAGES, header + b'\0', b'body']]
    for frames in wrong:
        s.gateway.pub.send_multipart(frames)
    check(s.wait(lambda c: s.bad('shape')(c) == len(wrong)), f'{s.daemon.status()["counters"]}')
    log = s.daemon.log.read_text()
    check('test (count)' in log and 'test (header)' in log, f'{log[-1000:]}')
    s.still_well()


def headers_that_break_a_rule(folder, started):
    """Z3, Z5: magic, version, flags, content, time; a seal whose chain does not fit is an alarm."""
    s = Hostile(folder, started)

    def send(magic=b'BRST', version=1, flags=4, content=1, seq=1, sent=1, body=b'x', seal=()):
        s.gateway.pub.send_multipart([IMAGES, HEADER.pack(magic, version, flags, content, s.gateway.stream, seq, sent), body, *seal])
    send(magic=b'FITS')
    send(version=0)
    send(version=255)
    send(flags=255)
    send(content=0)
    send(content=65535)
    send(sent=-1)
    send(seq=0)
    check(s.wait(lambda c: s.bad('unsupported')(c) == 5 and s.bad('range')(c) == 2 and s.bad('format')(c) == 1), f'{s.daemon.status()["counters"]}')
    s.send_good()
    s.all_good_have_verdicts()
    s.gateway.last[IMAGES] += 1
    send(seq=s.gateway.last[IMAGES], seal=[b'\x55' * 96])
    check(s.wait(lambda c: s.bad('conflict')(c) == 1 and c['alarms'] == 1), f'{s.daemon.status()["counters"]}')
    check('alarm=conflict' in s.daemon.log.read_text() and '(chain)' in s.daemon.log.read_text(), 'no alarm in the log')
    s.still_well()


def messages_over_the_limit(folder, started):
    """Z6: 33 MiB breaks the connection, history has the good one; Z4: a frame that announces 2^63 - 1 bytes, or one byte more than come."""
    s = Hostile(folder, started)
    s.send_good()
    s.n_good += 1
    kept = [IMAGES, HEADER.pack(b'BRST', 1, 4, 1, s.gateway.stream, 2, time.time_ns()), good(s.n_good)]
    s.gateway.last[IMAGES] = 2
    s.gateway.kept[IMAGES].append(kept)
    s.gateway.pub.send_multipart([*kept[:2], bytes(33 << 20)])
    s.settle(1)
    s.send_good()
    s.all_good_have_verdicts()
    check(s.daemon.counter('repaired') >= 1 and s.daemon.counter('gaps') == 0, f'{s.daemon.status()["counters"]}')
    for size in (2**63 - 1, 2**64 - 1, 4097):
        for endpoint in s.ports():
            c = zmtp.dial(endpoint)
            zmtp.handshake(c, b'DEALER' if endpoint == s.daemon.history else b'SUB')
            c.sendall(b'\x02' + struct.pack('>Q', size) + b'\x01burst')
            check(zmtp.is_closed(c, 5 * SLOW), f'{endpoint} keeps a connection that announces {size} bytes')
            c.close()
    c = zmtp.dial(s.daemon.history)
    zmtp.handshake(c, b'DEALER')
    c.sendall(b'\0\x06HELLO')  # one byte is missing; then half a message is all there ever is
    c.close()
    s.still_well()


def garbage_before_the_handshake(folder, started):
    """Z7: 400 connections of random bytes, HTTP, TLS, SSH, half greetings, wrong mechanisms."""
    s = Hostile(folder, started)
    rng = random.Random(7)
    words = [b'GET / HTTP/1.1\r\nHost: burst\r\n\r\n', b'\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', b'SSH-2.0-OpenSSH_9.2\r\n', b'\xff' * 500,
             bytes(64), zmtp.GREETING[:11], zmtp.GREETING.replace(b'NULL', b'EVIL'), zmtp.GREETING.replace(b'NULL\0', b'CURVE'),
             zmtp.GREETING.replace(b'NULL\0', b'PLAIN'), zmtp.GREETING + b'\x04\xff' + b'\x05READY' + b'\xff' * 249,
             zmtp.GREETING + b'\x04\x00', zmtp.GREETING + zmtp.ready(b'PAIR'), zmtp.GREETING + zmtp.ready(b'SUB', b'\0' * 100) + b'\x06' + b'\xff' * 9]
    for i in range(400):
        c = zmtp.dial(s.ports()[i % 2])
        try:
            c.sendall(words[i % len(words)] if i % 3 else rng.randbytes(rng.randrange(1, 300)))
        except OSError:
            pass  # closed already: good
        c.close()
    s.still_well()


def handshakes_that_never_end(folder, started):
    """Z8, Z21: 300 connections that send nothing or one byte, some a byte a second; all are closed, and a console gets in meanwhile."""
    s = Hostile(folder, started)
    slow = [zmtp.dial(s.ports()[i % 2]) for i in range(300)]
    for i, c in enumerate(slow):
        if i % 3:
            c.sendall(b'\xff')
    check(s.ask(b'HELLO', b'console')[-1][0] == b'OK', 'a console is kept out')
    dribble = slow[:20]
    until = time.time() + 4
    while time.time() < until:
        s.settle(0.5)
        for c in dribble:
            try:
                c.send(b'\0')
            except OSError:
                pass
    check(all(zmtp.is_closed(c, 5 * SLOW) for c in slow), 'a connection without handshake stays open')
    for c in slow:
        c.close()
    s.still_well()


def bytes_that_come_one_by_one_after_it(folder, started):
    """Z21: a request a byte at a time is read as any other; one that stops half-way holds up nobody."""
    s = Hostile(folder, started)
    c, half = zmtp.dial(s.daemon.history), zmtp.dial(s.daemon.history)
    for one in (c, half):
        zmtp.handshake(one, b'DEALER')
    half.sendall(zmtp.message(b'HELLO', b'console')[:7])
    for b in zmtp.message(b'HELLO', b'console'):
        c.sendall(bytes([b]))
        time.sleep(0.05)
    c.settimeout(5 * SLOW)
    flags, body = zmtp.read_frame(c)
    while flags & 4:  # PING
        flags, body = zmtp.read_frame(c)
    check(body == b'OK', f'{body}')
    check(s.ask(b'HELLO', b'another')[-1][0] == b'OK', 'half a request holds up others')
    s.still_well()


def the_same_routing_id_twice(folder, started):
    """Z14: the first holder keeps it and its answers."""
    s = Hostile(folder, started)
    first, second = (zmq.Context.instance().socket(zmq.DEALER) for _ in range(2))
    for d in (first, second):
        d.linger, d.identity = 0, b'console-1'
    first.connect(s.daemon.history)
    first.send_multipart([b'HELLO', b'one'])
    check(first.poll(5000 * SLOW) and first.recv_multipart()[0] == b'OK', 'the first is not answered')
    second.connect(s.daemon.history)
    for _ in range(20):
        second.send_multipart([b'HELLO', b'two'])
    first.send_multipart([b'LAST', b'burst'])
    check(first.poll(5000 * SLOW) and first.recv_multipart()[0] == b'END', 'the first has lost its answers')
    check(not second.poll(300), 'the second speaks in the name of the first')
    check(s.ask(b'HELLO', b'third')[-1][0] == b'OK', 'others are not answered')
    first.close()
    second.close()
    s.still_well()


def subscriptions_without_measure(folder, started):
    """Z15: a topic of 1 MB is refused with its connection; 100,000 subscriptions cost bounded memory and die with it."""
    s = Hostile(folder, started)
    c = zmtp.dial(s.daemon.live)
    zmtp.handshake(c, b'SUB')
    try:
        c.sendall(zmtp.subscribe(b'x' * 1000000))
    except OSError:
        pass  # closed while it was still being sent
    check(zmtp.is_closed(c, 5 * SLOW), 'a subscription of 1 MB is taken')
    c = zmtp.dial(s.daemon.live)
    zmtp.handshake(c, b'SUB')
    c.sendall(b''.join(zmtp.subscribe(b'burst.v1.%d.' % i) for i in range(100000)))
    s.settle(1)
    s.still_well()
    c.close()
    s.still_well()


def consoles_that_never_read(folder, started):
    """Z16: one on the live socket and one that asks for the whole history 500 times; others are served meanwhile."""
    s = Hostile(folder, started)
    s.send_good()
    s.all_good_have_verdicts()
    evidence = b'burst-archive.v1.svom.evidence'
    check(s.wait_evidence(evidence), 'no evidence')
    deaf, greedy = zmtp.dial(s.daemon.live), zmtp.dial(s.daemon.history)
    for c, kind in ((deaf, b'SUB'), (greedy, b'DEALER')):
        c.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        zmtp.handshake(c, kind)
    deaf.sendall(zmtp.subscribe(b''))
    request = zmtp.message(b'REPLAY', evidence, bytes(16), struct.pack('>Q', 1), struct.pack('>I', 100000))
    greedy.settimeout(2)
    try:
        greedy.sendall(request * 500)
    except socket.timeout:
        pass  # burstd reads no more of it than it can answer: as it should
    s.send_good()
    s.all_good_have_verdicts()
    items = s.ask(b'REPLAY', b'burst-archive.v1.svom.verdict', bytes(16), struct.pack('>Q', 1), struct.pack('>I', 100000))
    check(len(items) >= 3 and items[-1][0] == b'END', f'{len(items)} {items[-1][:2]}')
    s.still_well()
    deaf.close()
    greedy.close()


def replays_from_anywhere(folder, started):
    """Z17: from 0, from the future, of another stream, of no topic, with wrong sizes, thousands of times on one connection."""
    s = Hostile(folder, started)
    s.send_good()
    s.all_good_have_verdicts()
    topic, zero = b'burst-archive.v1.svom.verdict', bytes(16)

    def number(n, form='>Q'):
        return struct.pack(form, n)
    most = number(10, '>I')
    for request, word in [((topic, zero, number(0), most), b'END'), ((topic, zero, number(2**63), most), b'END'), ((topic, zero, number(2**64 - 1), most), b'END'),
                          ((topic, os.urandom(16), number(1), most), b'GONE'), ((b'burst.v1.nobody.verdict', zero, number(1), most), b'END'),
                          ((topic, zero, number(1), number(2**32 - 1, '>I')), b'END'), ((topic, zero, b'1', most), b'ERROR'), ((topic, b'', number(1), most), b'ERROR'),
                          ((b'x' * 4000, zero, number(1), most), b'ERROR'), ((b'\0\xff', zero, number(1), most), b'ERROR'), ((), b'ERROR')]:
        answer = s.ask(b'REPLAY', *request)
        check(answer and answer[-1][0] == word, f'REPLAY {[r[:20] for r in request]}: {answer[-1:]}')
    for request in ([b''], [b'DROP TABLE'], [b'LAST'], [b'OPEN', b'burst'], [b'HELLO', b'\0'], [b'HELLO'] * 6, [b'x' * 4000] * 3):
        check(s.ask(*request)[-1][0] == b'ERROR', f'{request[:2]}')
    d = zmq.Context.instance().socket(zmq.DEALER)
    d.linger, d.rcvhwm, d.sndhwm = 0, 0, 0
    d.connect(s.daemon.history)
    begun, ended = time.time(), 0
    for i in range(5000):
        d.send_multipart([b'REPLAY', topic, zero if i % 3 else os.urandom(16), number((0, 1, 2**40)[i % 3]), most])
    while ended < 5000 and d.poll(10000 * SLOW):  # those over a client's share are refused, in their turn
        ended += d.recv_multipart()[0] != b'ITEM'
    check(ended == 5000, f'{ended} of 5000 answers in {time.time() - begun:.1f} s')
    d.close()
    s.still_well()


def acknowledgements_of_what_never_was(folder, started):
    """Z18: a number of the future and another chain value are forks, and alarms."""
    s = Hostile(folder, started)
    s.send_good()
    s.all_good_have_verdicts()
    topic = b'burst-archive.v1.svom.verdict'
    stream = s.ask(b'HELLO', b'console')[0][1]
    item = s.ask(b'LAST', topic)[0]
    seq, h = item[2][24:32], item[4][:32]
    check(s.ask(b'ACK', topic, stream, seq, h)[0][0] == b'OK', 'a right ACK is refused')
    for wrong in ((topic, stream, struct.pack('>Q', 10**6), h), (topic, stream, struct.pack('>Q', 2**64 - 1), h), (topic, stream, seq, os.urandom(32)),
                  (topic, os.urandom(16), seq, h), (b'burst.v1.nobody.verdict', stream, seq, h)):
        check(s.ask(b'ACK', *wrong)[0][0] == b'FORK', f'{wrong[1:3]}')
    check(s.wait(lambda c: c['forks'] == 5 and c['alarms'] == 5), f'{s.daemon.status()["counters"]}')
    check('alarm=fork' in s.daemon.log.read_text(), 'no alarm in the log')
    s.still_well()


def a_gateway_that_goes_silent_or_breaks_off(folder, started):
    """Z19, Z20, Z21 on the input side: a gateway that is half open, one that resets in mid-message, one that dribbles; the other one is heard."""
    s = Hostile(folder, started)
    topic = b'burst-archive.v1.fermi.gbm.events'
    body = zmtp.message(topic, HEADER.pack(b'BRST', 1, 4, 1, bytes(16), 1, time.time_ns()), bytes(1 << 20))

    def silent(c):
        zmtp.handshake(c, b'PUB')
        time.sleep(30 * SLOW)

    def breaks(c):
        zmtp.handshake(c, b'PUB')
        c.sendall(body[:random.randrange(1, len(body))])
        zmtp.reset(c)

    def nonsense(c):
        zmtp.handshake(c, b'PUB')
        c.sendall(os.urandom(1000))  # no frame: libzmq gives this peer up for good

    def dribbles(c):
        zmtp.handshake(c, b'ROUTER')
        for b in body:
            c.sendall(bytes([b]))
            time.sleep(0.2)
    live, history = zmtp.Listener(s.hostile_live, breaks), zmtp.Listener(s.hostile_history, dribbles)
    s.send_good()
    until = time.time() + 10 * SLOW
    while time.time() < until and live.accepted < 3:
        s.settle(0.3)
    check(live.accepted >= 3, f'{live.accepted} connections: burstd does not come back to a gateway that resets')
    live.close()
    s.all_good_have_verdicts()
    live = zmtp.Listener(s.hostile_live, nonsense)
    until = time.time() + 15 * SLOW
    while time.time() < until and live.accepted < 2:
        s.settle(0.5)
    check(live.accepted >= 2, 'burstd does not come back to a gateway that spoke nonsense')
    live.close()
    live = zmtp.Listener(s.hostile_live, silent)
    until = time.time() + 10 * SLOW
    while time.time() < until and not live.accepted:
        s.settle(0.5)
    first = live.accepted
    check(first >= 1, 'burstd has not come back')
    until = time.time() + 14 * SLOW
    while time.time() < until and live.accepted == first:
        s.settle(0.5)
    check(live.accepted > first, 'a half-open connection is kept for ever')  # no heartbeat of the protocol for 5 s, no PONG for 10 s
    told = s.daemon.status()['gateways']
    check(any(g['reconnects'] for g in told.values()), f'status tells of no connection made anew: {told}')
    live.close()
    history.close()
    s.still_well()


def connections_that_end_in_mid_message_and_storms(folder, started):
    """Z20, Z22: 3,000 connects and disconnects on both sockets, every third in mid-message or with a reset."""
    s = Hostile(folder, started)
    request = zmtp.GREETING + zmtp.ready(b'DEALER') + zmtp.message(b'REPLAY', b'burst-archive.v1.svom.verdict', bytes(16), bytes(8), bytes(4))
    for i in range(3000):
        c = zmtp.dial(s.ports()[i % 2])
        if i % 3 == 1:
            c.sendall(request[:i % len(request)])
        if i % 3 == 2:
            zmtp.reset(c)
        else:
            c.close()
        if i % 500 == 0:
            s.settle(0.05)
    s.still_well()


if __name__ == '__main__':
    cases = Cases()
    for case in (numbers_of_frames, headers_that_break_a_rule, messages_over_the_limit, garbage_before_the_handshake, handshakes_that_never_end,
                 bytes_that_come_one_by_one_after_it, the_same_routing_id_twice, subscriptions_without_measure, consoles_that_never_read,
                 replays_from_anywhere, acknowledgements_of_what_never_was, a_gateway_that_goes_silent_or_breaks_off,
                 connections_that_end_in_mid_message_and_storms):
        if len(sys.argv) < 2 or sys.argv[1] in case.__name__:
            begun = time.time()
            cases.run(case)
            print(f'   {time.time() - begun:.1f} s', flush=True)
    cases.finish()
