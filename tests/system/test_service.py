#!/usr/bin/python3
"""burstd as a service: readiness, watchdog, reload, drain, refusals at the door."""
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import time

from harness import BUILD, ROOT, SLOW, Cases, Daemon, check, program


def run(*arguments, **extra):
    return subprocess.run([program('burstd'), *arguments], capture_output=True, text=True, env=dict(os.environ, BURST_DATADIR=os.environ.get("BURST_DATADIR", str(ROOT))), **extra)


def defaults_printed_are_defaults_read(folder, started):
    text = run('--print-defaults').stdout
    check(text == (ROOT / 'config/burstd.yaml').read_text(), 'config/burstd.yaml is not what --print-defaults prints')
    path = f'{folder}/burstd.yaml'
    with open(path, 'w') as f:
        f.write(text)
    os.chmod(path, 0o600)
    done = run('--config', path, '--check-config')
    check(done.returncode == 0, done.stderr)


def a_misspelt_key_is_named_with_line_and_neighbour(folder, started):
    path = f'{folder}/burstd.yaml'
    with open(path, 'w') as f:
        f.write('site: {name: x}\ndetect:\n  hihg: 0.9\n')
    os.chmod(path, 0o600)
    done = run('--config', path, '--check-config')
    check(done.returncode == 3, f'exit status {done.returncode}')
    check(f'{path}:3:' in done.stderr and 'hihg' in done.stderr and 'detect.high' in done.stderr, done.stderr)


def a_model_cut_short_or_of_wrong_shape_is_refused_at_the_door(folder, started):
    model = (ROOT / 'models/eclairs-cnn/1/model.onnx').read_bytes()
    for name, bytes_, word in (('short', model[:len(model) // 2], 'truncated'), ('empty', b'', ''), ('junk', b'\x00' * 4096, '')):
        os.mkdir(f'{folder}/{name}')
        with open(f'{folder}/{name}/model.onnx', 'wb') as f:
            f.write(bytes_)
        path = f'{folder}/{name}.yaml'
        with open(path, 'w') as f:
            f.write(f'models: {{image: "{folder}/{name}"}}\n')
        os.chmod(path, 0o600)
        done = run('--config', path, '--check-config')
        check(done.returncode == 3, f'{name}: exit status {done.returncode}: {done.stderr}')
        check(f'{folder}/{name}' in done.stderr, f'{name}: which file? {done.stderr}')
    path = f'{folder}/swapped.yaml'
    with open(path, 'w') as f:
        f.write('models: {image: "models/gecam-resnet-mscfm/1"}\n')
    os.chmod(path, 0o600)
    done = run('--config', path, '--check-config')
    check(done.returncode == 3 and 'burst.kind' in done.stderr, f'a light-curve network as image network: {done.stderr}')


def what_is_installed_is_a_whole_service(folder, started):
    """docs/operations.md, "Install": into a prefix nobody configured, and the program there finds its models itself."""
    if not shutil.which('cmake') or not (BUILD / 'cmake_install.cmake').exists():
        return f'no cmake, or {BUILD} is no build folder'
    prefix = pathlib.Path(folder) / 'prefix'
    done = subprocess.run(['cmake', '--install', str(BUILD), '--prefix', str(prefix)], capture_output=True, text=True)
    check(done.returncode == 0, done.stderr[-2000:])
    cuda = (BUILD / 'burst-cuda').exists()
    units = prefix / 'lib/systemd/system'
    programs = ['burstd', 'burst-classify', 'burstctl', 'burst-replay', 'burst-sim'] + ['burst-cuda'] * cuda
    expected = [*(prefix / 'bin' / p for p in programs), units / 'burstd.service', prefix / 'share/burstd/config/burstd.yaml',
                *(prefix / 'share/burstd' / p.relative_to(ROOT) for p in ROOT.glob('models/*/*/model.onnx'))]
    if shutil.which('scdoc'):
        expected += [prefix / f'share/man/man{p.stem[-1]}/{p.stem}' for p in (ROOT / 'docs/man').glob('*.scd')]
    of_gpu = [units / 'burst-cuda.service', units / 'burstd.service.d/gpu.conf', prefix / 'lib/sysusers.d/burst-cuda.conf']
    missing = [str(p) for p in expected + of_gpu * cuda if not p.is_file()]
    check(not missing, f'not installed: {missing}')
    check(cuda or not any(p.exists() for p in of_gpu), 'parts of burst-cuda without burst-cuda')
    for name in ['burstd'] + ['burst-cuda'] * cuda:
        start = re.search(r'^ExecStart=(\S+)', (units / f'{name}.service').read_text(), re.M)
        check(start and start[1] == str(prefix / 'bin' / name), f'{name}.service starts {start and start[1]}')
    config = pathlib.Path(folder) / 'installed.yaml'
    config.write_text((prefix / 'share/burstd/config/burstd.yaml').read_text())
    config.chmod(0o600)
    alone = {k: v for k, v in os.environ.items() if k != 'BURST_DATADIR'}
    done = subprocess.run([prefix / 'bin/burstd', '--config', config, '--check-config'], capture_output=True, text=True, env=alone, cwd='/')
    check(done.returncode == 0 and str(ROOT / 'models') not in done.stdout + done.stderr, done.stdout + done.stderr)


def usage_errors_exit_with_two(folder, started):
    check(run('--no-such-option').returncode == 2, 'unknown option')
    check(run('stray').returncode == 2, 'stray argument')
    done = run('--version')
    check(done.returncode == 0 and done.stdout.startswith('burstd '), done.stdout)


def notifications(receiver, seconds, until):
    got, end = [], time.time() + seconds * SLOW
    receiver.settimeout(0.2)
    while time.time() < end and not until(got):
        try:
            got += receiver.recv(4096).decode().splitlines()
        except socket.timeout:
            pass
    return got


def systemd_hears_ready_watchdog_reloading_and_stopping(folder, started):
    receiver = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    receiver.bind(f'{folder}/notify')
    daemon = Daemon(folder)
    started.append(daemon)
    os.environ.update(NOTIFY_SOCKET=f'{folder}/notify', WATCHDOG_USEC='1500000')
    try:
        daemon.start()
    finally:
        del os.environ['NOTIFY_SOCKET'], os.environ['WATCHDOG_USEC']
    got = notifications(receiver, 20, lambda g: 'READY=1' in g and g.count('WATCHDOG=1') >= 3 and any(x.startswith('STATUS=cpu') for x in g))
    check('READY=1' in got and got.count('WATCHDOG=1') >= 3, f'heard {got}')
    check(any(x.startswith('STATUS=cpu') for x in got), f'no status in {got}')
    daemon.config.write_text(daemon.config.read_text() + 'log: {level: debug}\n')
    daemon.process.send_signal(signal.SIGHUP)
    got = notifications(receiver, 20, lambda g: 'READY=1' in g)
    check('RELOADING=1' in got and 'READY=1' in got, f'after SIGHUP heard {got}')
    check('configuration reloaded' in daemon.log.read_text(), 'reload not logged')
    daemon.config.write_text(daemon.config.read_text().replace('models: {backend: auto}', 'models: {backend: plain}'))
    daemon.process.send_signal(signal.SIGHUP)
    notifications(receiver, 20, lambda g: 'READY=1' in g)
    check('reload refused' in daemon.log.read_text() and 'models.backend' in daemon.log.read_text(), 'a key that needs a restart was not refused by name')
    code = daemon.stop()
    check(code == 0, f'exit status {code}')
    got = notifications(receiver, 5, lambda g: 'STOPPING=1' in g)
    check('STOPPING=1' in got, f'at the end heard {got}')


def a_second_daemon_on_the_same_database_is_refused(folder, started):
    daemon = Daemon(folder)
    started.append(daemon)
    daemon.start()
    second = f'{folder}/second'
    os.mkdir(second)
    other = Daemon(second)
    other.config.write_text(other.config.read_text().replace(f'{second}/burst.db', f'{folder}/burst.db'))
    done = subprocess.run([program('burstd'), '--config', str(other.config), '--foreground'], capture_output=True, text=True, timeout=60,
                          env=dict(os.environ, BURST_DATADIR=os.environ.get("BURST_DATADIR", str(ROOT))))
    check(done.returncode == 4, f'exit status {done.returncode}: {done.stderr}')
    check(daemon.status() is not None, 'the first one does not answer any more')


def commands_that_make_no_sense_get_a_clear_answer(folder, started):
    daemon = Daemon(folder)
    started.append(daemon)
    daemon.start()
    for request, code in (({'command': 'fly'}, 'unsupported'), ({'no': 'command'}, 'format'), ({'command': 'show'}, 'missing'),
                          ({'command': 'show', 'id': 'nothing'}, 'missing')):
        answer = daemon.ask(**request)
        check(answer and answer['ok'] is False and answer['error']['code'] == code and answer['error']['text'], f'{request}: {answer}')
    import zmq
    s = zmq.Context.instance().socket(zmq.DEALER)
    s.linger = 0
    s.connect(daemon.command)
    for body in (b'', b'{', b'[1,2]', b'{"command":' + b'[' * 3000, b'x' * 70000, b'{"command":"status","command":"status"}'):
        s.send(body)
        check(s.poll(5000 * SLOW), f'no answer to {body[:20]!r}')
        answer = json.loads(s.recv())
        check(answer['ok'] is False, f'{body[:20]!r} was taken: {answer}')
    s.close()
    check(daemon.counter('bad_command.format') >= 4 and daemon.counter('bad_command.limit') == 1, f'{daemon.status()["counters"]}')
    check(daemon.ask(command='alerts')['alerts'] == [], 'alerts of an empty store')


if __name__ == '__main__':
    cases = Cases()
    for case in (defaults_printed_are_defaults_read, a_misspelt_key_is_named_with_line_and_neighbour, a_model_cut_short_or_of_wrong_shape_is_refused_at_the_door,
                 what_is_installed_is_a_whole_service, usage_errors_exit_with_two, systemd_hears_ready_watchdog_reloading_and_stopping, a_second_daemon_on_the_same_database_is_refused,
                 commands_that_make_no_sense_get_a_clear_answer):
        if len(sys.argv) < 2 or sys.argv[1] in case.__name__:
            cases.run(case)
    cases.finish()
