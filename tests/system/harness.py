"""What the system tests share: programs of the build under test, a burstd on sockets of its own, a report in our three words."""
import json
import os
import pathlib
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
import uuid

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get('BURST_BUILD', ROOT / 'build/release'))
SHARED = ROOT.parent / 'shared'
PROBE = SHARED / 'tools/burst-probe'
GRB = SHARED / 'data/fermi-gbm/bn110721200/glg_tte_n6_bn110721200_v00.fit'
SLOW = 8 if os.environ.get('BURST_SANITIZER') else 1  # sanitizers stretch every wait
HEADER = struct.Struct('>4sBBH16sQq')  # magic version flags content stream seq sent_ns
CORE_OUT = ('alert_datetime', 'latency')


def program(name):
    return str(BUILD / name)


def free_ports(n):
    sockets = [socket.socket() for _ in range(n)]
    for s in sockets:
        s.bind(('127.0.0.1', 0))
    ports = [s.getsockname()[1] for s in sockets]
    for s in sockets:
        s.close()
    return ports


def core(verdict):
    """A verdict without what may differ between two runs on the same input (protocol.md 6)."""
    v = {k: x for k, x in verdict.items() if k not in CORE_OUT}
    v['model'] = [{k: x for k, x in m.items() if k != 'backend'} for m in v.get('model', [])]
    return v


def finals(verdicts):
    """The newest revision of each event."""
    newest = {}
    for v in verdicts:
        if v['record_number'] >= newest.get(v['id'], v)['record_number']:
            newest[v['id']] = v
    return newest


class Daemon:
    """burstd in a temporary folder; its gateway is expected on gateway_live and gateway_history."""

    def __init__(self, folder, extra='', backend='auto'):
        self.folder = pathlib.Path(folder)
        ports = free_ports(4)
        self.gateway_live, self.gateway_history, self.live, self.history = (f'tcp://127.0.0.1:{p}' for p in ports)
        self.command = f'ipc://{folder}/command.sock'
        self.config = self.folder / 'burstd.yaml'
        self.config.write_text(f'''inputs:
  - {{name: test, live: "{self.gateway_live}", history: "{self.gateway_history}", topics: ["burst.v1.", "burst-archive.v1.", "burst-test.v1."]}}
output: {{live: "{self.live}", history: "{self.history}"}}
command: {{socket: "{self.command}"}}
store: {{database: "{folder}/burst.db"}}
models: {{backend: {backend}}}
{extra}
''')
        self.config.chmod(0o600)
        self.log = self.folder / 'burstd.log'
        self.process = None

    def start(self, wait=30):
        with open(self.log, 'ab') as out:
            self.process = subprocess.Popen([program('burstd'), '--config', str(self.config), '--foreground'], stdout=out, stderr=out,
                                            env=dict(os.environ, BURST_DATADIR=os.environ.get("BURST_DATADIR", str(ROOT))))
        until = time.time() + wait * SLOW
        while time.time() < until:
            if self.process.poll() is not None:
                raise RuntimeError(f'burstd ended with {self.process.returncode}: {self.log.read_text()[-2000:]}')
            if self.status():
                return self
            time.sleep(0.05)
        raise RuntimeError(f'burstd gave no status in {wait} s: {self.log.read_text()[-2000:]}')

    def ask(self, **request):
        import zmq
        context = zmq.Context.instance()
        s = context.socket(zmq.DEALER)
        s.linger = 0
        s.connect(self.command)
        s.send(json.dumps(request).encode())
        answer = json.loads(s.recv()) if s.poll(3000 * SLOW) else None
        s.close()
        return answer

    def status(self):
        answer = self.ask(command='status')
        return answer['status'] if answer and answer.get('ok') else None

    def counter(self, name):
        return self.status()['counters'].get(name, 0)

    def wait_for(self, what, seconds=60):
        """Until what(status) is true; returns whether it became so."""
        until = time.time() + seconds * SLOW
        while time.time() < until:
            status = self.status()
            if status and what(status):
                return True
            time.sleep(0.1)
        return False

    def kill(self, how=signal.SIGKILL):
        self.process.send_signal(how)
        code = self.process.wait(30 * SLOW)
        self.process = None
        return code

    def stop(self):
        return self.kill(signal.SIGTERM) if self.process else None

    def verdicts(self, prefix='burst'):
        """Every verdict of the history, in order, read through burst-probe's rules when it is there."""
        import zmq
        s = zmq.Context.instance().socket(zmq.DEALER)
        s.linger = 0
        s.connect(self.history)

        def ask(*frames):
            s.send_multipart(frames)
            items = []
            while s.poll(5000 * SLOW):
                reply = s.recv_multipart()
                if reply[0] != b'ITEM':
                    return items, reply
                items.append(reply[1:])
            raise RuntimeError(f'no answer to {frames[0]}')
        newest, _ = ask(b'LAST', prefix.encode())
        out = []
        for topic in [i[0] for i in newest if i[0].endswith(b'.verdict')]:
            items, _ = ask(b'REPLAY', topic, bytes(16), struct.pack('>Q', 1), struct.pack('>I', 100000))
            out += [json.loads(i[2]) for i in items]
        s.close()
        return out


def number_of(frames):
    return HEADER.unpack(frames[1])[5]


class Gateway:
    """The input side of protocol.md 1 and 2, small: numbered messages on a PUB socket, kept for REPLAY and LAST."""
    def __init__(self, live, history):
        import zmq
        context = zmq.Context.instance()
        self.pub, self.router = context.socket(zmq.PUB), context.socket(zmq.ROUTER)
        self.pub.sndhwm = 0
        self.pub.bind(live)
        self.router.bind(history)
        self.stream, self.last, self.kept, self.data_time = uuid.uuid4().bytes, {}, {}, {}

    def send(self, topic, body, flags=4, content=1):
        self.last[topic] = self.last.get(topic, 0) + 1
        frames = [topic, HEADER.pack(b'BRST', 1, flags, content, self.stream, self.last[topic], time.time_ns()), body]
        self.kept.setdefault(topic, []).append(frames)
        self.pub.send_multipart(frames)

    def serve(self, timeout_ms=0):
        while self.router.poll(timeout_ms):
            who, verb, *rest = self.router.recv_multipart()
            timeout_ms = 0
            if verb == b'HELLO':
                self.router.send_multipart([who, b'OK', self.stream])
            elif verb == b'REPLAY':
                start, most = max(1, int.from_bytes(rest[2], 'big')), int.from_bytes(rest[3], 'big')
                items = [frames for frames in self.kept.get(rest[0], []) if number_of(frames) >= start][:most]
                for frames in items:
                    self.router.send_multipart([who, b'ITEM', *frames])
                after = number_of(items[-1]) + 1 if items else start
                self.router.send_multipart([who, b'END', rest[0], after.to_bytes(8, 'big')])
            elif verb == b'ACK':
                self.router.send_multipart([who, b'OK'])
            else:
                for topic, items in sorted(self.kept.items()):
                    if topic.startswith(rest[0]):
                        self.router.send_multipart([who, b'ITEM', *items[-1]])
                self.router.send_multipart([who, b'END', rest[0], bytes(8)])

    def close(self):
        self.pub.close(0)
        self.router.close(0)

    def beat(self):
        body = {'stream': str(uuid.UUID(bytes=self.stream)), 'alert_datetime': '2026-01-01T00:00:00.000000Z', 'last': {t.decode(): n for t, n in self.last.items()},
                'data_time': self.data_time}
        self.pub.send_multipart([b'burst.v1.heartbeat', HEADER.pack(b'BRST', 1, 0, 2, self.stream, 0, time.time_ns()), json.dumps(body).encode()])


class Session:
    """A running burstd and the gateway that it reads; `gateways` are all that are served while something is waited for."""

    def __init__(self, folder, started, extra=''):
        self.folder, self.daemon = folder, Daemon(folder, extra)
        self.gateway = Gateway(self.daemon.gateway_live, self.daemon.gateway_history)
        self.gateways = [self.gateway]
        self.configure(self.daemon)
        started.append(self.daemon)
        self.daemon.start()
        self.settle(1)

    def configure(self, daemon):
        """For more than the usual configuration."""

    def settle(self, seconds):
        until = time.time() + seconds * SLOW
        while time.time() < until:
            for g in self.gateways:
                g.serve(50 // len(self.gateways))
                g.beat()

    def wait(self, what, seconds=60):
        """Until what(counters) is true; returns whether it became so."""
        until = time.time() + seconds * SLOW
        while time.time() < until:
            self.settle(0.2)
            if what(self.daemon.status()['counters']):
                return True
        return False

    def told(self, what, seconds=60):
        """The verdicts, once what(verdicts) is true."""
        until = time.time() + seconds * SLOW
        while time.time() < until:
            self.settle(0.2)
            verdicts = self.daemon.verdicts()
            if what(verdicts):
                return verdicts
        raise AssertionError(f'{[(v["id"], v["record_number"], v.get("verdict"), v.get("awaiting")) for v in verdicts]} {self.daemon.status()["counters"]}')

    def notice(self, topic, flags=4, **words):
        """A notice in JSON."""
        self.gateway.send(topic, json.dumps(words).encode(), flags, content=2)

    def ctl(self, *arguments):
        """Exit status, output and errors of burstctl."""
        done = subprocess.run([program('burstctl'), *arguments, '--command', self.daemon.command], capture_output=True, text=True, timeout=60 * SLOW)
        return done.returncode, done.stdout, done.stderr


class Cases:
    """Run functions named like sentences; print ok, FAIL or skip; exit with the number of failures."""

    def __init__(self):
        self.failed = 0

    def run(self, case):
        folder = tempfile.mkdtemp(prefix='burst-')
        started = []
        try:
            why = case(folder, started)
            print(f'skip {case.__name__}: {why}' if why else f'ok {case.__name__}', flush=True)
        except Exception as e:  # a test that breaks in any way has failed; the reason is printed
            self.failed += 1
            text = f'{type(e).__name__}: {e}'.replace('\n', ' | ')
            print(f'FAIL {case.__name__}: {text[:1500]}', flush=True)
            for log in pathlib.Path(folder).glob('*.log'):
                print(f'--- {log.name}\n{log.read_text(errors="replace")[-1500:]}')
        finally:
            for p in started:
                process = p.process if isinstance(p, Daemon) else p
                if process and process.poll() is None:
                    process.kill()
                    process.wait()
            shutil.rmtree(folder, ignore_errors=True)

    def finish(self):
        sys.exit(min(self.failed, 125))


def check(condition, text):
    if not condition:
        raise AssertionError(text)


def popen(started, command, log, **extra):
    with open(log, 'ab') as out:
        p = subprocess.Popen([str(c) for c in command], stdout=extra.pop('stdout', out), stderr=out, env=dict(os.environ, BURST_DATADIR=os.environ.get("BURST_DATADIR", str(ROOT))), **extra)
    started.append(p)
    return p


def classify(*files, extra=()):
    done = subprocess.run([program('burst-classify'), '--json', *extra, *map(str, files)], capture_output=True, text=True,
                          env=dict(os.environ, BURST_DATADIR=os.environ.get("BURST_DATADIR", str(ROOT))))
    return done.returncode, [json.loads(x) for x in done.stdout.splitlines()], done.stderr
