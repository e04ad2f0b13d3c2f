#!/usr/bin/python3
"""burstd beside a Python pipeline (pyzmq + astropy + numpy + ONNX Runtime) on the same messages, in one run.

  bench.py [--images N] [--seconds S] [--follow S] [--rates X...] [--only-follow]

1. Packet to verdict: sub-images go to one side, then the other, in turn; the clock runs from send to the verdict's arrival at a
   subscriber. burstd has committed the verdict to disk by then; the peer keeps nothing.
2. Windows per second: GECAM-B chunks, 25 detectors, as fast as each side takes them.
3. CPU load of burstd following GECAM-B live, a chunk a second of `burst-sim stream`: 25 detectors at 1,780 rows/s each, and ten times
   that; by thread. It is of this machine's core and of what else it does: read /proc/PID/task.

Needs python3-zmq, python3-astropy, and onnxruntime from PyPI (in a virtual environment with --system-site-packages). Prints a table;
asserts nothing: machines differ."""
import argparse
import io
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

import numpy as np
import zmq
from astropy.io import fits

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / 'system'))
from disorder_sky import Sky, tables  # noqa: E402
from harness import ROOT, Daemon, Gateway, free_ports, program  # noqa: E402
IMAGES, EVENTS = b'burst-archive.v1.svom.eclairs.subimage', b'burst-archive.v1.gecam-b.grd.events'


class Peer:
    def __init__(self, folder):
        live, out, history = (f'tcp://127.0.0.1:{p}' for p in free_ports(3))
        self.gateway = Gateway(live, history)
        self.process = subprocess.Popen([sys.executable, HERE / 'peer.py', live, out, ROOT / 'models/eclairs-cnn/1/model.onnx',
                                         ROOT / 'models/gecam-resnet-mscfm/1/model.onnx', ROOT / 'config/catalogues/known-sources.csv'])
        self.sub = zmq.Context.instance().socket(zmq.SUB)
        self.sub.connect(out)
        self.sub.subscribe(b'verdict')
        time.sleep(4)

    def receive(self, seconds):
        return json.loads(self.sub.recv_multipart()[2]) if self.sub.poll(int(seconds * 1000)) else None


class Burstd:
    def __init__(self, folder):
        self.daemon = Daemon(folder)
        self.gateway = Gateway(self.daemon.gateway_live, self.daemon.gateway_history)
        self.daemon.start()
        self.sub = zmq.Context.instance().socket(zmq.SUB)
        self.sub.connect(self.daemon.live)
        self.sub.subscribe(b'burst-archive.v1.svom.verdict')
        for _ in range(20):
            self.gateway.serve(100)
            self.gateway.beat()

    def receive(self, seconds):
        until = time.time() + seconds
        while time.time() < until:
            if self.sub.poll(1):
                return json.loads(self.sub.recv_multipart()[2])
            self.gateway.serve()
        return None


def gecam_chunk(start, seconds, rate, rng):
    """An event file of 25 detectors, Poisson, as GECAM-B's layout has it."""
    ladder = np.concatenate([[2.0], 2.0 * (10053.5 / 2.0) ** (np.arange(1, 449) / 448.)]).astype('f4')
    hdus = [fits.PrimaryHDU()]
    hdus[0].header['TELESCOP'], hdus[0].header['INSTRUME'] = 'GECAM-B', 'GRD'
    hdus.append(fits.BinTableHDU.from_columns([fits.Column('CHANNEL', 'I', array=np.arange(448, dtype='i2')), fits.Column('E_MIN', 'E', array=ladder[:-1]),
                                               fits.Column('E_MAX', 'E', array=ladder[1:])], name='EBOUNDS'))
    hdus.append(fits.BinTableHDU.from_columns([fits.Column('START', 'D', array=[start]), fits.Column('STOP', 'D', array=[start + seconds])], name='GTI'))
    for d in range(25):
        n = rng.poisson(rate * seconds)
        columns = [fits.Column('TIME', 'D', array=start + np.sort(rng.random(n)) * seconds), fits.Column('PI', 'I', array=rng.integers(60, 300, n).astype('i2')),
                   fits.Column('GAIN_TYPE', 'B', array=np.zeros(n, 'u1')), fits.Column('DEAD_TIME', 'E', array=np.full(n, 4, 'f4')),
                   fits.Column('EVT_TYPE', 'B', array=np.ones(n, 'u1')), fits.Column('EVT_PAIR', 'B', array=np.zeros(n, 'u1')),
                   fits.Column('FLAG', 'B', array=np.zeros(n, 'u1'))]
        hdus.append(fits.BinTableHDU.from_columns(columns, name=f'EVENTS{d + 1:02d}'))
    out = io.BytesIO()
    fits.HDUList(hdus).writeto(out)
    return out.getvalue()


def quantile(x, q):
    return sorted(x)[min(len(x) - 1, int(q * len(x)))]


def bench_images(sides, folder, n):
    bodies = []
    for i in range(n):
        path = f'{folder}/{i}.fits'
        subprocess.run([program('burst-sim'), 'image', '--family', ('true', 'badsub', 'saa', 'column')[i % 4], '--seed', str(1000 + i), '--out', path], check=True,
                       stdout=subprocess.DEVNULL, env=dict(os.environ, BURST_DATADIR=str(ROOT)))
        bodies.append(open(path, 'rb').read())
    seconds = {name: [] for name in sides}
    for i, body in enumerate(bodies):
        for name, side in sides.items():
            time.sleep(1.0)  # burstd explains the last image after its verdict: let it finish, so that only this one is timed
            side.gateway.serve()
            begun = time.perf_counter()
            side.gateway.send(IMAGES, body)
            if side.receive(20) is None:
                sys.exit(f'{name}: no verdict for image {i}')
            if i >= 3:
                seconds[name].append(time.perf_counter() - begun)
    return seconds


def cpu_seconds(pid):
    fields = open(f'/proc/{pid}/stat').read().rsplit(')', 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf('SC_CLK_TCK')


def bench_windows(sides, seconds):
    rng = np.random.default_rng(1)
    chunks = [gecam_chunk(200000000.0 + i, 1.0, 830, rng) for i in range(seconds)]
    rates = {}
    for name, side in sides.items():
        begun, n = time.perf_counter(), 0
        if name == 'burstd':
            for i, c in enumerate(chunks):
                side.gateway.send(EVENTS, c)
            last = -1
            while True:
                side.gateway.serve(20)
                side.gateway.beat()
                status = side.daemon.status()
                n = status['counters']['detector_windows']
                if status['counters']['messages'] >= seconds and n == last and status['queues']['work'] == 0:
                    break
                if n != last:
                    end = time.perf_counter()
                last = n
                time.sleep(0.2)
        else:
            for c in chunks:
                side.gateway.send(EVENTS, c)
            for _ in chunks:
                answer = side.receive(600)
                n = answer['detector_windows']
            end = time.perf_counter()
        rates[name] = n / (end - begun)
    return rates


def thread_seconds(pid):
    """CPU seconds of each kind of thread: burstd's by their names, libzmq's together."""
    seconds = {}
    for task in pathlib.Path(f'/proc/{pid}/task').iterdir():
        name = (task / 'comm').read_text().strip()
        fields = (task / 'stat').read_text().rsplit(')', 1)[1].split()
        kind = 'sockets' if name.startswith('ZMQ') else name
        seconds[kind] = seconds.get(kind, 0) + (int(fields[11]) + int(fields[12])) / os.sysconf('SC_CLK_TCK')
    return seconds


def bench_follow(folder, seconds, rate):
    """The first 40 s are not timed: windows come after 30 s of data."""
    side, sky = Burstd(folder), Sky(rate=rate, duration=3600)
    pid, warm, rows, late = side.daemon.process.pid, 40, 0, 0.0
    begun = time.time()
    for i in range(warm + seconds):
        body = sky.get(float(i), float(i + 1))
        while time.time() < begun + i:
            side.gateway.serve(20)
        late = max(late, time.time() - begun - i)
        side.gateway.send(EVENTS, body)
        side.gateway.kept[EVENTS][:-30] = [None] * len(side.gateway.kept[EVENTS][:-30])  # nobody asks for what was taken half a minute ago
        side.gateway.beat()
        if i == warm:
            cpu, wall, rows, before = thread_seconds(pid), time.time(), 0, side.daemon.status()['counters']
        rows += sum(n for _, size, n in tables(body) if size == 18)
    took = time.time() - wall
    load = {k: 100 * (v - cpu.get(k, 0)) / took for k, v in thread_seconds(pid).items()}
    after = side.daemon.status()['counters']
    side.daemon.stop()
    side.gateway.close()
    sky.close()
    return load, rows / seconds, after['detector_windows'] - before['detector_windows'], late


def show_follow(folder, seconds, rate):
    load, rows, windows, late = bench_follow(folder, seconds, rate)
    parts = ', '.join(f'{k} {v:.1f}' for k, v in sorted(load.items(), key=lambda x: -x[1]))
    print(f'following 25 GECAM-B detectors at {rows:,.0f} rows/s ({rate:g} times flight): {sum(load.values()):.1f} % of one core over {seconds} s '
          f'({parts}; {windows} detector windows; chunks at most {late:.2f} s late)', flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--images', type=int, default=100)
    parser.add_argument('--seconds', type=int, default=150)
    parser.add_argument('--follow', type=int, default=60)
    parser.add_argument('--rates', type=float, nargs='+', default=[1, 10], help='for --follow: times the flight rate')
    parser.add_argument('--only-follow', action='store_true')
    a = parser.parse_args()
    if not a.only_follow:
        compare(a)
    for rate in a.rates:
        with tempfile.TemporaryDirectory(prefix='burst-bench-') as folder:
            show_follow(folder, a.follow, rate)


def compare(a):
    with tempfile.TemporaryDirectory(prefix='burst-bench-') as folder:
        sides = {'burstd': Burstd(folder), 'python': Peer(folder)}
        try:
            t = bench_images(sides, folder, a.images)
            print(f'packet to verdict, {len(t["burstd"])} sub-images each, in turn   p50 ms   p99 ms')
            for name in sides:
                print(f'  {name:8}                                            {quantile(t[name], .5) * 1e3:9.2f} {quantile(t[name], .99) * 1e3:8.2f}')
            ratio = [p / b for p, b in zip(t['python'], t['burstd'])]
            print(f'  python / burstd: p50 {quantile(t["python"], .5) / quantile(t["burstd"], .5):.2f}, p99 {quantile(t["python"], .99) / quantile(t["burstd"], .99):.2f}, '
                  f'median of pairs {statistics.median(ratio):.2f}', flush=True)
            w = bench_windows(sides, a.seconds)
            print(f'detector windows/s, GECAM-B, {a.seconds} s of data: burstd {w["burstd"]:.1f}, python {w["python"]:.1f}, burstd / python {w["burstd"] / w["python"]:.2f}', flush=True)
        finally:
            sides['python'].process.kill()
            sides['burstd'].daemon.stop()


if __name__ == '__main__':
    main()
