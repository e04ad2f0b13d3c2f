"""burstd with a GPU, by its own policy: the verdicts of a cpu run, whatever becomes of the worker; and how long they take."""
import datetime
import json
import os
import pathlib
import signal
import socket
import sqlite3
import subprocess
import time

import places

TOLERANCE = {'fp32': 1e-3, 'tf32': 5e-3, 'bf16': 2e-2}  # of p_true: a quarter of the bound on a logit, dp/dz being at most 1/4, and rounding
APART = ('alert_datetime', 'latency')


def free_ports(n):
    sockets = [socket.socket() for _ in range(n)]
    for s in sockets:
        s.bind(('127.0.0.1', 0))
    ports = [s.getsockname()[1] for s in sockets]
    for s in sockets:
        s.close()
    return ports


class Burstd:
    """burstd and a burst-replay that plays files to it, in a folder of their own."""

    def __init__(self, at, name, backend, precision, cache, model, spin='off', patience_ms=60000):
        self.at, self.folder = at, at.scratch(name)
        self.live, self.history, out, out_history = (f'tcp://127.0.0.1:{p}' for p in free_ports(4))
        self.command, self.database = f'ipc://{self.folder}/command.sock', self.folder / 'burst.db'
        slow = f'deadline_ms: {patience_ms}, background_ms: {patience_ms}, ' if at.stand_in else ''
        gpu = f'gpu: {{{slow}program: "{at.program("burst-cuda")}", socket: "", cache: "{cache}", precision: {precision}, canary_s: 1, spin: {spin}}}'
        image = 'tests/golden/infer/small-image/3' if at.stand_in else 'models/eclairs-cnn/1'
        config = self.folder / 'burstd.yaml'
        config.write_text(f'''inputs:
  - {{name: test, live: "{self.live}", history: "{self.history}", topics: ["burst-archive.v1."]}}
output: {{live: "{out}", history: "{out_history}"}}
command: {{socket: "{self.command}"}}
store: {{database: "{self.database}"}}
models: {{backend: {backend}, light_curve: "{model}", image: "{image}"}}
lightcurve: {{silence_s: 6}}
{gpu}
''')
        config.chmod(0o600)
        self.log = open(self.folder / 'burstd.log', 'wb')
        self.begun = time.monotonic()
        self.process = subprocess.Popen([at.program('burstd'), '--config', config, '--foreground'], stdout=self.log, stderr=self.log, env=at.env(), cwd=places.ROOT)
        self.replay = None

    def status(self):
        code, out, _ = self.at.call([self.at.program('burstctl'), 'status', '--json', '--command', self.command], timeout=20)
        answer = json.loads(out) if code == 0 and out.strip() else {}
        return answer.get('status', answer) or None

    def wait_for(self, what, seconds):
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if self.process.poll() is not None:
                raise RuntimeError(f'burstd ended with {self.process.returncode}: {self.tail()}')
            status = self.status()
            if status and what(status):
                return status
            time.sleep(0.2)
        raise RuntimeError(f'not within {seconds} s: {self.tail()}')

    def tail(self):
        return ' / '.join((self.folder / 'burstd.log').read_text(errors='replace').splitlines()[-4:])

    def play(self, files, speed):
        self.replay = subprocess.Popen([self.at.program('burst-replay'), *files, '--speed', speed, '--live', self.live, '--history', self.history, '--linger', '15'],
                                       stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=self.at.env(), text=True)

    def through(self, seconds):
        """Until everything that was played has been judged."""
        if self.replay.wait(seconds) != 0:
            raise RuntimeError(f'burst-replay: {self.replay.stderr.read()[-300:]}')
        last = None
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            status = self.wait_for(lambda s: s['queues']['work'] == 0, seconds)
            now = [status['counters'].get(k) for k in ('messages', 'windows', 'images', 'detector_windows')]
            if now == last:
                return status
            last = now
            time.sleep(3)
        raise RuntimeError(f'still busy after {seconds} s')

    def workers(self):
        """Process ids of burst-cuda under this burstd."""
        found = []
        for path in pathlib.Path('/proc').glob('[0-9]*/stat'):
            try:
                name, rest = path.read_text().split('(', 1)[1].rsplit(')', 1)
            except (OSError, IndexError):
                continue
            if name.startswith('burst-cuda') and rest.split()[0] != 'Z' and int(rest.split()[1]) == self.process.pid:
                found.append(int(path.parent.name))
        return found

    def finals(self):
        """The newest revision of each event, from the database."""
        with sqlite3.connect(f'file:{self.database}?mode=ro', uri=True) as db:
            bodies = [json.loads(b) for b, in db.execute("SELECT i.body FROM item i JOIN topic t USING(topic_id) WHERE t.name LIKE '%.verdict' ORDER BY i.sent_ns, i.seq")]
        newest = {}
        for v in bodies:
            if v['record_number'] >= newest.get(v['id'], v)['record_number']:
                newest[v['id']] = v
        return newest, bodies

    def stop(self):
        for process, how in ((self.replay, signal.SIGTERM), (self.process, signal.SIGTERM)):
            if process and process.poll() is None:
                process.send_signal(how)
                try:
                    process.wait(30)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()
        self.log.close()


def core(v):
    out = {k: x for k, x in v.items() if k not in APART}
    out['model'] = [{k: x for k, x in m.items() if k != 'backend'} for m in v.get('model', [])]
    return out


def backends(bodies):
    return {m.get('backend') for v in bodies for m in v.get('model', [])}


def simulate(at):
    """An event file with one burst, and sub-images of two kinds."""
    folder, files = at.scratch('sky'), []
    wanted = [('burst', ['events', '--mission', 'gecam-b', '--scenario', 'burst', '--snr', '30', '--seed', '11', '--duration', '120' if at.stand_in else '300'])]
    if not at.stand_in:
        wanted += [(f'image{i}', ['image', '--family', ('true', 'badsub')[i % 2], '--seed', str(40 + i)]) for i in range(20)]
    for name, words in wanted:
        files.append(folder / f'{name}.fits')
        code, _, err = at.call([at.program('burst-sim'), *words, '--out', files[-1]])
        if code != 0:
            raise RuntimeError(f'burst-sim {words}: {err[-200:]}')
    return files


def same(report, name, want, got, tolerance):
    """The same events, words and, within rounding, probabilities."""
    wrong = [f'{k} {"absent" if k not in got else "not in the cpu run"}' for k in sorted(set(want) ^ set(got))]
    both = [k for k in want if k in got]
    wrong += [f'{k}: {want[k]["verdict"]}, now {got[k]["verdict"]}' for k in both if want[k]['verdict'] != got[k]['verdict']]
    far = max((abs((want[k].get('p_true') or 0) - (got[k].get('p_true') or 0)) for k in both), default=0.0)
    if far > tolerance:
        wrong.append(f'p_true {far:.2g} apart, {tolerance:g} allowed')
    report.check(not wrong and both, name, '; '.join(wrong[:4]) or 'no event', events=len(both), p_apart=far, identical=sum(core(want[k]) == core(got[k]) for k in both))


def through_once(at, report, name, files, want, tolerance, harm=(), **how):
    """One burstd over the files. harm: what is done to the worker, one after another while data come."""
    side = Burstd(at, name, patience_ms=5000 if harm else 60000, **how)
    try:
        cuda = how['backend'] == 'cuda'
        side.wait_for(lambda s: not cuda or is_on(s), 60 if not cuda else 900)
        side.play(files, '20' if harm else '100')
        for blow in harm:
            time.sleep(2)
            before = side.workers()
            for pid in before:
                os.kill(pid, blow)
            side.wait_for(lambda s: is_on(s) and set(side.workers()) - set(before), 900)
        status = side.through(900)
        got, bodies = side.finals()
    finally:
        side.stop()
    if want is not None:
        same(report, f'{name}_verdicts_are_those_of_cpu', want, got, tolerance)
        gpu = status.get('gpu') or {}
        lost, wrong = gpu.get('alert', {}).get('lost', 0), gpu.get('alarms', 0)
        answered = sum(gpu.get(lane, {}).get('answered', 0) for lane in ('alert', 'background'))
        by_gpu = answered > 0 and (harm or 'cuda' in backends(bodies))  # what was told while the worker was away is the cpu's
        report.check(by_gpu and wrong == 0, f'{name}_gpu_answered', f'backends {backends(bodies)}; {json.dumps(gpu)[:300]}', answered=answered, canaries=gpu.get('canary', {}).get('n', 0))
        report.check(lost >= len(harm) if harm else lost == 0, f'{name}_losses_are_counted', f'{lost} of {len(harm)}: {gpu.get("alert", {}).get("last_failure")}', lost=lost)
    return got, status


def is_on(status):
    """Does the alert lane of this burstd's GPU answer?"""
    return ((status.get('gpu') or {}).get('alert') or {}).get('state') == 'on'


def policy(at, report, short, precisions, cache):
    """The same sky through cpu, cuda, and cuda whose worker is killed and stopped."""
    report.section('burstd with the GPU')
    missing = [n for n in ('burstd', 'burst-replay', 'burst-sim', 'burstctl', 'burst-cuda') if not at.program(n)]
    if missing:
        report.line('FAIL', 'daemon', f'{", ".join(missing)} not built under {at.build}')
        return
    model = 'tests/golden/day/small-curve/1' if at.stand_in else 'models/gecam-resnet-mscfm/1'
    rows = []
    try:
        files = simulate(at)
        want, status = through_once(at, report, 'cpu', files, None, 0, backend='cpu', precision='fp32', cache=cache, model=model)
        rows.append(latency('cpu', status))
        for precision in precisions[:1] if short or at.stand_in else precisions:
            _, status = through_once(at, report, f'cuda_{precision}', files, want, TOLERANCE[precision], backend='cuda', precision=precision, cache=cache, model=model)
            rows.append(latency(f'cuda {precision}', status))
        for name, blow in (('killed', signal.SIGKILL), ('stopped', signal.SIGSTOP)):
            _, status = through_once(at, report, f'cuda_{name}', files, want, TOLERANCE['fp32'], [blow], backend='cuda', precision='fp32', cache=cache, model=model)
            rows.append(latency(f'cuda fp32, worker {name}', status))
    except RuntimeError as e:
        report.line('FAIL', 'daemon', str(e))
    report.table('From packet to verdict, ms, as burstd counts it (goal p99: 0.5 ms plus transport)', ['backend', 'n', 'p50', 'p99'], rows)


def spaced(path, k, every):
    """A simulated sub-image as if it had ended `every` x k seconds after the first: played one after another, none waits for another's
    explanation. Its checksums, no longer right, become blank cards."""
    data = pathlib.Path(path).read_bytes()
    end = datetime.datetime(2029, 1, 1, 1) + datetime.timedelta(seconds=every * k)
    for key, at in ((b'DATE-OBS', end - datetime.timedelta(seconds=163.84)), (b'DATE-END', end)):
        i = data.index(key)
        data = data[:i + 11] + at.isoformat(timespec='microseconds').encode() + data[i + 37:]
    for key in (b'CHECKSUM=', b'DATASUM ='):
        i = data.find(key)
        data = data if i < 0 else data[:i] + b' ' * 80 + data[i + 80:]
    pathlib.Path(path).write_bytes(data)


def packet_to_verdict(at, report, precisions, cache, n):
    """n sub-images one after another through burstd on cpu and on cuda: from a packet's arrival until its verdict is out and on disk."""
    report.section('Packet to verdict')
    folder, files, rows = at.scratch('images'), [], []
    try:
        for i in range(n):
            files.append(folder / f'{i:03d}.fits')
            code, _, err = at.call([at.program('burst-sim'), 'image', '--family', ('true', 'badsub', 'saa', 'column')[i % 4], '--seed', str(1000 + i), '--out', files[-1]])
            if code != 0:
                raise RuntimeError(f'burst-sim image: {err[-200:]}')
            spaced(files[-1], i, 1.0)
        for name, backend, precision, spin in [('cpu', 'cpu', 'fp32', 'off'), *((f'cuda {p}{", spinning" if s == "on" else ""}', 'cuda', p, s) for p in precisions for s in ('off', 'on'))]:
            side = Burstd(at, f'packet_{name.replace(" ", "_").replace(",", "")}', backend, precision, cache, '', spin)
            try:
                side.wait_for(lambda s: backend == 'cpu' or is_on(s), 900)
                side.play(files, '1')
                rows.append(latency(name, side.through(900)))
            finally:
                side.stop()
    except RuntimeError as e:
        report.line('FAIL', 'packet_to_verdict', str(e))
    report.table('Sub-images, one a second, ms (goal on cuda: p99 0.5 plus transport; the commit to disk is in it)', ['backend', 'n', 'p50', 'p99'], rows)


def latency(name, status):
    return [name, status['latency']['n'], status['latency']['p50_ms'], status['latency']['p99_ms']]
