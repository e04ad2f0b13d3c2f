#!/usr/bin/python3
"""The GPU through its worker, on the stand-in device (tests/standin): verdicts are those of the cpu, whatever happens to the worker.
Small networks with random weights (tests/golden/infer) take the part of the shipped ones where the way is tested, not the verdict."""
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import time

import zmq
from harness import ROOT, SLOW, Cases, Daemon, Session, check, classify, core, finals, popen, program

STANDIN = pathlib.Path(program('burst-cuda-standin'))
LIGHT, IMAGE = 'tests/golden/infer/small-light-curve/3', 'tests/golden/infer/small-image/3'
CACHE = tempfile.mkdtemp(prefix='burst-gpu-')  # which engine is fastest is found out once
PATIENT = 60000  # the stand-in computes on this processor, thread by thread: only who tests a deadline has a short one
DETECT = 'detect: {open: 0.3}'  # random weights say little: let them open events


def keys(program_of=STANDIN, deadline=PATIENT, **more):
    gpu = {'program': f'"{program_of}"', 'cache': f'"{CACHE}"', 'deadline_ms': deadline, 'background_ms': PATIENT, **more}
    return 'gpu: {' + ', '.join(f'{k}: {v}' for k, v in gpu.items()) + '}\n' + DETECT


def config_of(folder, gpu, light=LIGHT, image=IMAGE, name='gpu.yaml'):
    path = pathlib.Path(folder) / name
    path.write_text(f'models: {{light_curve: "{light}", image: "{image}"}}\n{gpu}\n')
    path.chmod(0o600)
    return path


def simulate(folder, what, name, *arguments):
    path = f'{folder}/{name}.fits'
    done = subprocess.run([program('burst-sim'), what, *arguments, '--out', path], capture_output=True, text=True,
                          env=dict(os.environ, BURST_DATADIR=str(ROOT)))
    check(done.returncode == 0, f'burst-sim: {done.stderr}')
    return path


def image_of(folder, seed, family='true'):
    return simulate(folder, 'image', f'{family}{seed}', '--family', family, '--seed', str(seed))


def events_of(folder):
    return simulate(folder, 'events', 'events', '--scenario', 'burst', '--snr', '30', '--seed', '11', '--duration', '70')


def judged(config, backend, *files, env=None):
    """burst-classify's verdicts and what it said; the worker's environment is its own."""
    done = subprocess.run([program('burst-classify'), '--json', '--backend', backend, '--config', str(config), *map(str, files)],
                          capture_output=True, text=True, env=dict(os.environ, BURST_DATADIR=str(ROOT), **(env or {})))
    check(done.returncode == 0, f'burst-classify: {done.returncode} {done.stderr[-800:]}')
    return [json.loads(x) for x in done.stdout.splitlines()], done.stderr


def backends(verdicts):
    return {m['backend'] for v in verdicts for m in v['model']}


def same(got, want, what=''):
    check([core(v) for v in got] == [core(v) for v in want],
          f'{what}: ' + str([{k: (a.get(k), b.get(k)) for k in set(a) | set(b) if a.get(k) != b.get(k)} for a, b in zip(map(core, got), map(core, want))]))


# ---- files ----


def files_get_the_verdicts_of_the_cpu(folder, started):
    config = config_of(folder, keys())
    files = [events_of(folder)] + [image_of(folder, s) for s in (40, 41)]
    want, _ = judged(config, 'cpu', *files)
    got, said = judged(config, 'cuda', *files)
    check(len(want) == 3, f'{len(want)} events')
    check(backends(want) == {'cpu'} and backends(got) == {'cuda'}, f'{backends(want)} {backends(got)}: {said[-800:]}')
    same(got, want)


def a_lane_that_spins_says_the_same(folder, started):
    file = image_of(folder, 40)
    config = config_of(folder, keys(spin='on', core=0), light='')
    want, _ = judged(config, 'cpu', file)
    got, said = judged(config, 'cuda', file)
    check(backends(got) == {'cuda'} and 'spin=1' in said, f'{backends(got)}: {said[-800:]}')
    same(got, want)


def the_shipped_image_network_says_the_same(folder, started):
    """True, false and unclear, with the network that ships."""
    image = 'models/eclairs-cnn/1'
    if not (ROOT / image / 'model.onnx').exists():
        return 'the shipped model is absent'
    config = config_of(folder, keys(), light='', image=image)
    files = [image_of(folder, s) for s in (40, 41, 42)] + [image_of(folder, s, 'badsub') for s in (50, 51, 52)]
    want, _ = judged(config, 'cpu', *files)
    got, said = judged(config, 'cuda', *files)
    check(backends(got) == {'cuda'}, f'{backends(got)}: {said[-800:]}')
    check({'true', 'false'} <= {v['verdict'] for v in want}, f'{[v["verdict"] for v in want]}')
    same(got, want)


def coarser_numbers_flip_no_verdict(folder, started):
    image = 'models/eclairs-cnn/1'
    if not (ROOT / image / 'model.onnx').exists():
        return 'the shipped model is absent'
    files = [image_of(folder, 40), image_of(folder, 50, 'badsub')]
    for precision in ('tf32', 'bf16'):
        config = config_of(folder, keys(precision=precision), light='', image=image)
        want, _ = judged(config, 'cpu', *files)
        got, said = judged(config, 'cuda', *files)
        check(backends(got) == {'cuda'}, f'{precision}: {backends(got)}: {said[-800:]}')
        check([(v['id'], v['verdict']) for v in got] == [(v['id'], v['verdict']) for v in want], f'{precision} flipped a verdict')


def without_a_gpu_the_cpu_answers_and_that_is_said(folder, started):
    """cuda is asked for by name: burst-classify and --check-config complain, and nobody refuses."""
    file = image_of(folder, 40)
    env = {'BURST_STANDIN_NO_DEVICE': '1'}
    config = config_of(folder, keys())
    want, _ = judged(config, 'cpu', file)
    for program_of, why in ((STANDIN, 'no usable device'), ('/nowhere/burst-cuda', '/nowhere/burst-cuda')):
        config = config_of(folder, keys(program_of))
        got, said = judged(config, 'cuda', file, env=env)
        same(got, want)
        check(backends(got) == {'cpu'}, f'{backends(got)}')
        check('no GPU can be used' in said and why in said, said[-800:])
        (pathlib.Path(folder) / 'cuda.yaml').write_text(config.read_text().replace('models: {', 'models: {backend: cuda, '))
        (pathlib.Path(folder) / 'cuda.yaml').chmod(0o600)
        done = subprocess.run([program('burstd'), '--check-config', '--config', f'{folder}/cuda.yaml'], capture_output=True, text=True,
                              env=dict(os.environ, BURST_DATADIR=str(ROOT), **env))
        check(done.returncode == 0 and 'WARNING' in done.stderr and why in done.stderr, f'{done.returncode} {done.stderr[-800:]}')


def check_config_asks_the_gpu_for_its_golden_answers(folder, started):
    config = config_of(folder, keys(), light='')
    config.write_text(config.read_text().replace('models: {', 'models: {backend: cuda, '))
    done = subprocess.run([program('burstd'), '--check-config', '--config', str(config)], capture_output=True, text=True,
                          env=dict(os.environ, BURST_DATADIR=str(ROOT)))
    check(done.returncode == 0 and 'cuda: stand-in device, fp32: its golden answers are right' in done.stdout, f'{done.stdout} {done.stderr[-500:]}')


def burstctl_model_asks_the_worker(folder, started):
    model = ROOT / 'models/eclairs-cnn/1'
    if not (model / 'model.onnx').exists():
        return 'the shipped model is absent'
    config = config_of(folder, keys())

    def ctl(*arguments):
        done = subprocess.run([program('burstctl'), 'model', *map(str, arguments)], capture_output=True, text=True,
                              env=dict(os.environ, BURST_DATADIR=str(ROOT)))
        return done.returncode, done.stdout, done.stderr
    code, out, err = ctl('check', model, '--backend', 'cuda', '--config', config)
    check(code == 0 and re.search(r'cuda +1 set of golden vectors.*: ok', out), f'{code} {out} {err[-500:]}')
    code, out, err = ctl('check', model, '--backend', 'cuda', '--config', config, '--tolerance', '0')
    check(code == 3, f'to the last bit: {code} {out} {err[-500:]}')
    code, out, err = ctl('info', model, '--backend', 'cuda', '--config', config)
    check(code == 0 and 'cuda: stand-in device, fp32' in out and 'burst-cuda' in out, f'{code} {out} {err[-500:]}')
    data = model / 'test_data_set_0/input_0.pb'
    for backend in ('cuda', 'cpu'):
        code, out, err = ctl('run', model, '--backend', backend, '--config', config, '--input', data, '--output', f'{folder}/{backend}.pb')
        check(code == 0, f'{backend}: {code} {err[-500:]}')
    a, b = ((pathlib.Path(folder) / f'{n}.pb').stat().st_size for n in ('cuda', 'cpu'))
    check(a == b, f'answers of {a} and {b} bytes')
    code, _, err = ctl('check', model, '--backend', 'cuda', '--config', config_of(folder, keys('/nowhere/burst-cuda')))
    check(code == 3 and 'no GPU can be used' in err, f'{code} {err}')


# ---- every call fails once ----


def sweep(folder, config, file, kinds, want):
    """The first and the last call of each kind fail; a spoilt number or a verdict of another kind is a failure of the test."""
    failed, by_cpu = [], set()
    for kind, last in kinds:
        for n in sorted({1, last}):
            got, said = judged(config, 'cuda', file, env={'BURST_STANDIN_FAIL': f'{kind}:{n}'})
            if [core(v) for v in got] != [core(v) for v in want]:
                failed.append(f'{kind}:{n} {said[-200:]}')
            if backends(got) == {'cpu'}:
                by_cpu.add(kind)
    check(len(by_cpu) > len(kinds) // 2, f'only {sorted(by_cpu)} brought the GPU down: did the others fail?')
    check(not failed, f'{len(failed)} verdicts differ: {failed[:5]}')


def counted(config, file):
    """Kinds of calls of one good run, and how many of each there were."""
    with tempfile.NamedTemporaryFile() as counts:
        _, said = judged(config, 'cuda', file, env={'BURST_STANDIN_COUNT': counts.name})
        lines = [line.split() for line in pathlib.Path(counts.name).read_text().splitlines() if len(line.split()) == 2]
    return [(name, int(n)) for name, n in lines]


def any_call_that_fails_gives_the_verdict_of_the_cpu(folder, started):
    config = config_of(folder, keys(), light='')
    file = image_of(folder, 40)
    want, _ = judged(config, 'cpu', file)
    kinds = [(k, 20 if k == 'cudaStreamQuery' else n) for k, n in counted(config, file)]  # how often it is asked is by chance
    check(len(kinds) > 30, f'{kinds}')
    sweep(folder, config, file, kinds, want)


def any_kernel_of_the_light_curves_that_fails_gives_the_verdict_of_the_cpu(folder, started):
    config = config_of(folder, keys(), image='')
    file = events_of(folder)
    want, _ = judged(config, 'cpu', file)
    check(len(want) == 1, f'{len(want)} events')
    for kind, n in (('kernel:update', 7), ('cudaGraphLaunch', 9), ('cudaMalloc', 5)):
        got, said = judged(config, 'cuda', file, env={'BURST_STANDIN_FAIL': f'{kind}:{n}'})
        same(got, want, f'{kind}:{n}')


def a_call_that_never_ends_costs_the_deadline(folder, started):
    config = config_of(folder, keys(deadline=2000, background_ms=2000), light='')
    file = image_of(folder, 40)
    want, _ = judged(config, 'cpu', file)
    launches = dict(counted(config, file))['cudaGraphLaunch']
    got, said = judged(config, 'cuda', file, env={'BURST_STANDIN_FAIL': f'hang:cudaGraphLaunch:{launches}'})
    same(got, want)
    check(backends(got) == {'cpu'}, f'{said[-500:]}')


# ---- burstd ----


class Sky(Session):
    """A burstd with small networks and a worker; `gpu` are its keys, `env` the worker's environment."""

    def __init__(self, folder, started, gpu, light='', env=None):
        self.light = light
        before = {k: os.environ.get(k) for k in env or {}}
        os.environ.update(env or {})
        super().__init__(folder, started, gpu)
        for k, v in before.items():
            os.environ.pop(k)
            if v is not None:
                os.environ[k] = v

    def configure(self, daemon):
        text = daemon.config.read_text()
        daemon.config.write_text(text.replace('models: {backend: auto}', f'models: {{backend: auto, light_curve: "{self.light}", image: "{IMAGE}"}}'))

    def gpu(self):
        return self.daemon.status()['gpu']

    def until(self, what, seconds=120):
        """Until what(gpu) is true."""
        until = time.time() + seconds * SLOW
        while time.time() < until:
            self.settle(0.1)
            if what(self.gpu()):
                return
        raise AssertionError(f'{self.gpu()} {self.daemon.log.read_text()[-1500:]}')

    def on(self):
        self.until(lambda g: g['alert']['state'] == 'on' and g['background']['state'] == 'on')

    def judge(self, file, n):
        """Send a sub-image; its verdict, the n-th."""
        self.gateway.send(b'burst-archive.v1.svom.eclairs.subimage', pathlib.Path(file).read_bytes())
        ok = self.wait(lambda c: c['verdicts'] >= n)
        check(ok, f'{self.daemon.status()["counters"]} {self.daemon.log.read_text()[-1500:]}')
        return self.daemon.verdicts()[-1]

    def beat_of(self):
        """The next heartbeat of burstd."""
        s = zmq.Context.instance().socket(zmq.SUB)
        s.linger = 0
        s.subscribe(b'burst.v1.heartbeat')
        s.connect(self.daemon.live)
        check(s.poll(10000 * SLOW), 'no heartbeat')
        body = json.loads(s.recv_multipart()[2])
        s.close()
        return body


def scene(folder, n):
    """n sub-images and what the cpu says of them."""
    files = [image_of(folder, 40 + i) for i in range(n)]
    want, _ = judged(config_of(folder, DETECT, light=''), 'cpu', *files)
    check(len(want) == n, f'{len(want)} verdicts of {n} images')
    return files, want


def burstd_uses_its_worker_and_says_so(folder, started):
    files, want = scene(folder, 3)
    sky = Sky(folder, started, keys(canary_s=0.2))
    sky.on()
    got = [sky.judge(f, i + 1) for i, f in enumerate(files)]
    same(got, want)
    check(backends(got) == {'cuda'}, f'{backends(got)}')
    sky.until(lambda g: g['canary']['n'] >= 3 and g['background']['answered'] >= 3)
    status = sky.daemon.status()
    check(status['mode'] == 'cuda' and sky.beat_of()['mode'] == 'cuda', f'{status["mode"]}')
    check({m['name']: m['backend'] for m in status['models']} == {'small-image': 'cuda'}, f'{status["models"]}')
    gpu = status['gpu']
    check(gpu['status'] == 'cuda: stand-in device, fp32' and gpu['alarms'] == 0, f'{gpu}')
    check(gpu['alert']['answered'] == 3 and gpu['alert']['redone_on_cpu'] == 0 and gpu['alert']['lost'] == 0, f'{gpu}')
    check(0 < gpu['canary']['p50_us'] <= gpu['canary']['p99_us'] <= gpu['canary']['p999_us'], f'{gpu["canary"]}')
    code, page, _ = sky.ctl('status')
    check(code == 0 and 'mode cuda' in page and 'cuda: stand-in device, fp32' in page and 'on: 3 answered' in page, page)
    check(sky.daemon.stop() == 0, 'burstd did not end well')


def replayed(folder, started):
    """A burstd on the GPU that is sent a file of events, and what the cpu says of it."""
    file = events_of(folder)
    want, _ = judged(config_of(folder, DETECT), 'cpu', file)
    daemon = Daemon(folder, keys(), backend=f'cuda, light_curve: "{LIGHT}", image: ""')
    started.append(daemon)
    daemon.start()
    check(daemon.wait_for(lambda s: s['mode'] == 'cuda', 120), f'{daemon.status()["gpu"]}')
    popen(started, [program('burst-replay'), file, '--live', daemon.gateway_live, '--history', daemon.gateway_history, '--speed', 'max'], f'{folder}/replay.log')
    return daemon, want


def finals_of(daemon, want):
    """The last revisions, once they have been told; they are those of the cpu."""
    def done(_):
        got = finals(daemon.verdicts())
        return all(v['id'] in got and got[v['id']]['record_number'] >= v['record_number'] for v in want)
    check(daemon.wait_for(done, 240), f'{daemon.status()["counters"]}')
    got = finals(daemon.verdicts())
    same([got[v['id']] for v in want], want)
    return got


def what_was_told_on_the_gpu_is_known_again_on_the_cpu(folder, started):
    """Killed after its first verdict and started without a GPU, burstd derives the same again: no record has two contents."""
    daemon, want = replayed(folder, started)
    check(daemon.wait_for(lambda s: s['counters']['verdicts'] >= 1, 120), f'{daemon.status()["counters"]}')
    told = daemon.verdicts()
    daemon.kill()
    daemon.config.write_text(daemon.config.read_text().replace('backend: cuda', 'backend: cpu'))
    daemon.start()
    finals_of(daemon, want)
    counters = daemon.status()['counters']
    check(backends(told) == {'cuda'} and counters['verdicts_known'] >= len(told) and counters['verdict_conflicts'] == 0, f'{backends(told)} {counters}')


def events_through_burstd_get_the_verdicts_of_the_cpu(folder, started):
    daemon, want = replayed(folder, started)
    got = finals_of(daemon, want)
    gpu = daemon.status()['gpu']
    check(backends(got.values()) == {'cuda'} and gpu['alert']['answered'] >= 30 and gpu['alert']['redone_on_cpu'] == 0, f'{gpu}')


def lost_and_found(folder, started, deadline, harm, why):
    """A worker that is harmed between two sub-images: every verdict is the cpu's, and the worker is used again."""
    files, want = scene(folder, 4)
    sky = Sky(folder, started, keys(deadline=deadline, background_ms=deadline, canary_s=0))
    sky.on()
    got = [sky.judge(files[0], 1)]
    pid = sky.gpu()['worker_pid']
    harm(pid)
    got += [sky.judge(files[1], 2), sky.judge(files[2], 3)]
    check(sky.gpu()['alert']['lost'] == 1 and why in sky.gpu()['alert']['last_failure'], f'{sky.gpu()}')
    sky.on()
    got.append(sky.judge(files[3], 4))
    same(got, want)
    said = [v['model'][0]['backend'] for v in got]
    check(said[0] == 'cuda' and said[3] == 'cuda', f'{said}')
    check(sky.gpu()['worker_pid'] != pid and sky.gpu()['alarms'] == 0, f'{sky.gpu()}')
    log = sky.daemon.log.read_text()
    check(log.count('the GPU answers lane=alert') == 2 and log.count('the GPU does not answer, the cpu does lane=alert') == 1, log[-1500:])
    return said


def a_killed_worker_loses_no_verdict(folder, started):
    lost_and_found(folder, started, PATIENT, lambda pid: os.kill(pid, signal.SIGKILL), 'the worker')


def a_stopped_worker_loses_no_verdict(folder, started):
    said = lost_and_found(folder, started, 3000, lambda pid: os.kill(pid, signal.SIGSTOP), 'no answer in 3000 ms')
    check(said[1] == 'cpu', f'{said}')


def a_device_that_fails_once_is_used_again(folder, started):
    """The worker's own process ends with its device; the next one is well."""
    files, want = scene(folder, 2)
    config = config_of(folder, keys(), light='')
    launches = dict(counted(config, files[0]))['cudaGraphLaunch']
    env = {'BURST_STANDIN_FAIL': f'cudaGraphLaunch:{launches}', 'BURST_STANDIN_ONCE': f'{folder}/failed'}
    sky = Sky(folder, started, keys(canary_s=0.2), env=env)
    got = [sky.judge(files[0], 1)]
    sky.until(lambda g: os.path.exists(f'{folder}/failed') and g['alert']['state'] == 'on' and g['canary']['n'] > 2)
    got.append(sky.judge(files[1], 2))
    same(got, want)
    check(got[1]['model'][0]['backend'] == 'cuda', f'{sky.gpu()}')


def burstd_is_ready_before_its_worker_has_said_a_word(folder, started):
    """The worker never will: a program that starts and sleeps."""
    files, want = scene(folder, 1)
    sleeper = pathlib.Path(folder) / 'sleeper'
    sleeper.write_text('#!/bin/sh\nexec sleep 1000\n')
    sleeper.chmod(0o755)
    sky = Sky(folder, started, keys(sleeper))
    check(sky.gpu()['alert']['state'] == 'starting' and sky.daemon.status()['mode'] == 'cpu', f'{sky.gpu()}')
    got = [sky.judge(files[0], 1)]
    same(got, want)
    check(sky.gpu()['alert']['state'] == 'starting' and backends(got) == {'cpu'}, f'{sky.gpu()}')
    check(sky.daemon.stop() == 0, 'burstd did not end well')


def a_machine_without_a_gpu_judges_as_ever(folder, started):
    files, want = scene(folder, 2)
    sky = Sky(folder, started, keys(), env={'BURST_STANDIN_NO_DEVICE': '1'})
    got = [sky.judge(files[0], 1)]
    sky.until(lambda g: 'no usable device' in g['alert'].get('last_failure', ''))
    got.append(sky.judge(files[1], 2))
    same(got, want)
    check(backends(got) == {'cpu'} and sky.daemon.status()['mode'] == 'cpu' and sky.beat_of()['mode'] == 'cpu', f'{sky.gpu()}')
    check(sky.gpu()['status'].startswith('cpu: '), f'{sky.gpu()}')
    check(sky.daemon.log.read_text().count('no usable device') == 1, 'told more than once')


def unit_keys(name):
    """Of a unit file: key to all its values."""
    keys_of = {}
    for line in (ROOT / 'deploy' / name).read_text().splitlines():
        key, sign, value = line.partition('=')
        if sign and not line.startswith('#'):
            keys_of.setdefault(key, []).extend(value.split())
    return keys_of


def systemd_lets_burstd_start_alone_and_never_gives_the_worker_up(folder, started):
    worker, burstd, with_gpu = unit_keys('burst-cuda.service'), unit_keys('burstd.service'), unit_keys('burstd.service.d/gpu.conf')
    check(with_gpu['Wants'] == ['burst-cuda.service'], f'nobody starts the worker: {with_gpu}')
    for unit in (burstd, with_gpu):
        check('burst-cuda.service' not in unit.get('After', []) + unit.get('Requires', []), f'burstd waits for the worker: {unit}')
    check('burstd.service' not in worker.get('Before', []), 'burstd waits for the worker')
    check(worker['StartLimitIntervalSec'] == ['0'], 'a worker whose driver is down for a minute is never started again')


def main():
    cases = Cases()
    if len(sys.argv) < 2 or systemd_lets_burstd_start_alone_and_never_gives_the_worker_up.__name__ in sys.argv[1:]:
        cases.run(systemd_lets_burstd_start_alone_and_never_gives_the_worker_up)
    if not STANDIN.exists():
        print('skip the_gpu_on_the_stand_in_device: burst-cuda-standin is not built (no CUDA headers)')
        cases.finish()
    for case in (files_get_the_verdicts_of_the_cpu, a_lane_that_spins_says_the_same, the_shipped_image_network_says_the_same, coarser_numbers_flip_no_verdict,
                 without_a_gpu_the_cpu_answers_and_that_is_said, check_config_asks_the_gpu_for_its_golden_answers, burstctl_model_asks_the_worker,
                 burstd_uses_its_worker_and_says_so, events_through_burstd_get_the_verdicts_of_the_cpu,
                 what_was_told_on_the_gpu_is_known_again_on_the_cpu, a_killed_worker_loses_no_verdict,
                 a_stopped_worker_loses_no_verdict, a_device_that_fails_once_is_used_again, burstd_is_ready_before_its_worker_has_said_a_word,
                 a_machine_without_a_gpu_judges_as_ever, a_call_that_never_ends_costs_the_deadline,
                 any_kernel_of_the_light_curves_that_fails_gives_the_verdict_of_the_cpu, any_call_that_fails_gives_the_verdict_of_the_cpu):
        if len(sys.argv) < 2 or case.__name__ in sys.argv[1:]:
            cases.run(case)
    subprocess.run(['rm', '-rf', CACHE], check=True)
    cases.finish()


if __name__ == '__main__':
    main()
