#!/usr/bin/python3
"""The SQLite log behind the real publisher, seen from outside: history requests, forks, a kill -9 in the middle, a restored
file, and burst-probe's own rules. The server is `publish_test_publish --serve DATABASE N`."""
import hashlib
import json
import os
import pathlib
import shutil
import signal
import struct
import subprocess
import sys
import tempfile

try:
    import zmq
except ImportError:
    zmq = None

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BUILD = pathlib.Path(os.environ.get('BURST_BUILD', ROOT / 'build/release'))
PROBE = ROOT.parent / 'shared/tools/burst-probe'
HEADER = struct.Struct('>4sBBH16sQq')
VERDICT, EVIDENCE = b'burst-archive.v1.fermi.verdict', b'burst-archive.v1.fermi.evidence'
failed = 0


def case(name, fault):
    global failed
    failed += bool(fault)
    print(f'FAIL {name}: {fault}' if fault else f'ok {name}', flush=True)


class Server:
    def __init__(self, database, n):
        self.process = subprocess.Popen([BUILD / 'tests/publish_test_publish', '--serve', str(database), str(n)],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        line = self.process.stdout.readline().decode().split()
        if len(line) != 3:
            raise RuntimeError('the server did not start')
        self.live, self.history, self.stream = line

    def stop(self):
        self.process.stdin.close()
        return self.process.wait(20)

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()


class Client:
    def __init__(self, context, endpoint):
        self.socket = context.socket(zmq.DEALER)
        self.socket.linger = 0
        self.socket.connect(endpoint)

    def ask(self, *frames):
        self.socket.send_multipart(frames)
        items = []
        while self.socket.poll(10000):
            reply = self.socket.recv_multipart()
            if reply[0] != b'ITEM':
                return items, reply
            items.append(reply[1:])
        raise RuntimeError(f'no answer to {frames[0]!r}')

    def replay(self, topic, start, most=10000, stream=bytes(16)):
        return self.ask(b'REPLAY', topic, stream, start.to_bytes(8, 'big'), most.to_bytes(4, 'big'))


def chain_fault(items, first=1, h=bytes(32)):
    for i, (topic, header, body, seal) in enumerate(items):
        h = hashlib.blake2b(h + topic + header + body, digest_size=32).digest()
        if HEADER.unpack(header)[5] != first + i:
            return f'seq {HEADER.unpack(header)[5]} at place {first + i}'
        if seal[:32] != h:
            return f'chain broken at {first + i}'
    return None


def history(client, n):
    _, hello = client.ask(b'HELLO', b'wire-test')
    case('hello_names_the_stream', None if hello[0] == b'OK' and len(hello[1]) == 16 else hello)
    items, end = client.replay(VERDICT, 1)
    case('replay_gives_every_verdict_in_order', (None if len(items) == 3 * n else f'{len(items)} items') or chain_fault(items))
    case('replay_ends_with_the_next_number', None if end[0] == b'END' and int.from_bytes(end[2], 'big') == 3 * n + 1 else end)
    some, end = client.replay(VERDICT, 3, 2)
    case('replay_can_be_a_part', None if some == items[2:4] and int.from_bytes(end[2], 'big') == 5 else end)
    evidence, _ = client.replay(EVIDENCE, 1)
    case('evidence_has_its_own_numbers', (None if len(evidence) == 3 * n else f'{len(evidence)} items') or chain_fault(evidence))
    _, gone = client.replay(VERDICT, 1, stream=bytes(range(16)))
    case('another_stream_is_gone', None if gone[0] == b'GONE' else gone)
    last, _ = client.ask(b'LAST', b'burst-archive.')
    case('last_gives_the_newest_of_each_topic', None if last == [evidence[-1], items[-1]] else [i[0] for i in last])
    opened, _ = client.ask(b'OPEN', b'burst-archive.', (0).to_bytes(8, 'big'))
    ids = [(json.loads(i[2])['id'], json.loads(i[2])['record_number']) for i in opened]
    want = [(f'fermi-gbm-event-{k:03d}', 3) for k in range(n)]
    case('open_gives_the_newest_revision_of_each_event', None if ids == want else ids)
    later, _ = client.ask(b'OPEN', b'burst-archive.', (2**62).to_bytes(8, 'big'))
    case('open_leaves_out_what_was_closed_before', None if not later else f'{len(later)} items')
    return hello[1], items


def acks(client, stream, items):
    def ack(seq, h):
        return client.ask(b'ACK', VERDICT, stream, seq.to_bytes(8, 'big'), h)[1][0]
    case('ack_of_our_chain_is_ok', None if ack(3, items[2][3][:32]) == b'OK' else 'refused')
    case('ack_of_another_chain_is_a_fork', None if ack(3, bytes(32)) == b'FORK' else 'taken')
    case('ack_beyond_the_end_is_a_fork', None if ack(len(items) + 1, items[-1][3][:32]) == b'FORK' else 'taken')


def restarts(context, database, n, before):
    server = Server(database, n)
    items, _ = Client(context, server.history).replay(VERDICT, 1)
    case('a_restart_tells_nothing_twice', None if server.stream == 'same' and items == before else f'{server.stream}, {len(items)} items')
    server.kill()
    server = Server(database, n + 2)
    client = Client(context, server.history)
    items, _ = client.replay(VERDICT, 1)
    while len(items) < 3 * (n + 2):
        items, _ = client.replay(VERDICT, 1)
    case('after_kill_9_the_log_goes_on_where_it_was', (None if items[:3 * n] == before else 'other messages') or chain_fault(items))
    case('the_server_ends_well', None if server.stop() == 0 else 'exit status')


def restored(context, database, copy):
    shutil.copy(copy, database)
    server = Server(database, 0)
    items, end = Client(context, server.history).replay(VERDICT, 1)
    fault = None if server.stream == 'new' and not items and end[0] == b'END' else f'{server.stream}, {len(items)} items, {end[0]}'
    case('a_restored_file_is_a_new_stream_from_1', fault)
    server.stop()


def probe(database):
    if not PROBE.exists():
        print('skip burst_probe_finds_no_rule_broken: ../shared/tools/burst-probe is absent')
        return
    server = Server(database, 7)
    done = subprocess.run([sys.executable, PROBE, 'watch', '--topic', 'burst-archive.', '--live', server.live, '--history', server.history,
                           '--from-start', '--count', '42', '--seconds', '60'], capture_output=True, timeout=120)
    server.stop()
    said = done.stderr.decode().strip().splitlines()
    case('burst_probe_finds_no_rule_broken', None if done.returncode == 0 and said[-1].startswith('42 messages, 7 events') else said[-3:])


def main():
    if not zmq:
        print('skip publish_wire: python3-zmq is not installed')
        return 0
    context = zmq.Context()
    with tempfile.TemporaryDirectory() as folder:
        database, n = pathlib.Path(folder, 'burst.db'), 5
        server = Server(database, n)
        client = Client(context, server.history)
        while len(client.replay(EVIDENCE, 1)[0]) < 3 * n:
            pass
        stream, items = history(client, n)
        acks(client, stream, items)
        server.stop()
        shutil.copy(database, f'{folder}/copy')
        restarts(context, database, n, items)
        restored(context, database, f'{folder}/copy')
        probe(pathlib.Path(folder, 'probe.db'))
    return failed


if __name__ == '__main__':
    sys.exit(main())
