"""Show burstd at work, on this machine alone: build it if needed, start it, replay a night, show verdicts arriving.

  ./run-demo                 a simulated night: GECAM-B events and ECLAIRs sub-images, made from a fixed seed
  ./run-demo --file F...     your own FITS files: Fermi/GBM TTE, GECAM events, ECLAIRs sub-images
  ./run-demo --seed N        another night
  ./run-demo --keep          leave the folder with the database and the logs

CPU only; SQLite and sockets in a temporary folder, nothing on the network. Debian packages that are missing are installed first (as root)."""
import argparse
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
BUILD = ROOT / 'build/release'
ENV = dict(os.environ, BURST_DATADIR=str(ROOT))
# What the night holds: file, arguments of burst-sim, what a Burst Advocate should see.
NIGHT = [
    ('gecam-b-burst.fits', 'events --mission gecam-b --scenario burst --snr 40 --duration 240', 'a gamma-ray burst over 25 detectors'),
    ('gecam-b-hump.fits', 'events --mission gecam-b --scenario hump --duration 240 --start 2026-01-01T01:00:00', 'particles: all detectors alike, as near the South Atlantic Anomaly'),
    ('eclairs-true.fits', 'image --family true --snr 15', 'a new source'),
    ('eclairs-badsub.fits', 'image --family badsub', 'a known source badly subtracted'),
    ('eclairs-saa.fits', 'image --family saa', 'a background pattern of the South Atlantic Anomaly'),
    ('eclairs-column.fits', 'image --family column', 'noisy detector columns'),
]


def say(text):
    print(text, flush=True)


def build():
    say('Building ...' if not (BUILD / 'burstd').exists() else 'Checking the build ...')
    log = tempfile.NamedTemporaryFile('w+', suffix='.log')
    for command in (['cmake', '--preset', 'release'], ['cmake', '--build', '--preset', 'release']):
        if subprocess.run(command, cwd=ROOT, stdout=log, stderr=log).returncode:
            log.seek(0)
            sys.exit(log.read()[-4000:] + '\nrun-demo: the build failed; if a package is missing, run deploy/install-deps')


def simulate(folder, seed):
    files = []
    for i, (name, arguments, what) in enumerate(NIGHT):
        say(f'  {name:22} {what}')
        subprocess.run([BUILD / 'burst-sim', *arguments.split(), '--seed', str(seed + i), '--out', folder / name], check=True,
                       stdout=subprocess.DEVNULL, env=ENV)
        files.append(folder / name)
    return files


def write_config(folder):
    ipc = {k: f'ipc://{folder}/{k}.sock' for k in ('in-live', 'in-history', 'live', 'history', 'command')}
    config = folder / 'burstd.yaml'
    config.write_text(f'''site: {{name: demo}}
inputs: [{{name: replay, live: "{ipc['in-live']}", history: "{ipc['in-history']}", topics: ["burst-archive.v1."]}}]
output: {{live: "{ipc['live']}", history: "{ipc['history']}"}}
command: {{socket: "{ipc['command']}"}}
store: {{database: "{folder}/burst.db"}}
lightcurve: {{silence_s: 3}}
''')
    config.chmod(0o600)
    return config, ipc


def ask_status(ipc):
    done = subprocess.run([BUILD / 'burstctl', 'status', '--json', '--command', ipc['command']], capture_output=True, text=True, env=ENV)
    try:
        answer = json.loads(done.stdout)
        return answer.get('status', answer)
    except ValueError:
        return None


def wait(ipc, daemon, replay, until):
    """Until nothing has changed for five seconds: all sent, judged, told, and the last event closed by silence."""
    last, since = None, time.time()
    while time.time() < until and daemon.poll() is None and replay.poll() is None:
        status = ask_status(ipc)
        now = status and {k: v for k, v in status['counters'].items() if k != 'commands'}
        if now is None or now != last or status['queues']['work']:
            since = time.time()
        last = now
        if time.time() - since > 5:
            break
        time.sleep(0.5)
    return ask_status(ipc)


def main():
    parser = argparse.ArgumentParser(prog='run-demo', description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--file', nargs='+', type=pathlib.Path, metavar='F')
    parser.add_argument('--seed', type=int, default=7)
    parser.add_argument('--keep', action='store_true')
    a = parser.parse_args()
    build()
    folder = pathlib.Path(tempfile.mkdtemp(prefix='burst-demo-'))
    started = []
    try:
        if not a.file:
            say('Simulating a night ...')
        files = a.file or simulate(folder, a.seed)
        config, ipc = write_config(folder)
        say('Starting burstd; the verdicts as a Burst Advocate sees them (burstctl watch):\n')
        with open(folder / 'burstd.log', 'w') as log:
            daemon = subprocess.Popen([BUILD / 'burstd', '--config', config, '--foreground'], stderr=log, env=ENV)
        started.append(daemon)
        for _ in range(300):
            if daemon.poll() is not None:
                sys.exit((folder / 'burstd.log').read_text() + 'run-demo: burstd did not start')
            if ask_status(ipc):
                break
            time.sleep(0.1)
        watch = subprocess.Popen([BUILD / 'burstctl', 'watch', '--topic', 'burst-archive.v1.', '--live', ipc['live'], '--history', ipc['history']], env=ENV)
        started.append(watch)
        replay = subprocess.Popen([BUILD / 'burst-replay', *map(str, files), '--speed', 'max', '--live', ipc['in-live'], '--history', ipc['in-history']],
                                  stdout=subprocess.DEVNULL, stderr=open(folder / 'replay.log', 'w'), env=ENV)
        started.append(replay)
        status = wait(ipc, daemon, replay, time.time() + 1800)
        if status is None:
            sys.exit((folder / 'burstd.log').read_text() + 'run-demo: burstd has ended')
        if replay.poll():
            sys.exit((folder / 'replay.log').read_text() + 'run-demo: the files could not be replayed')
        counters = status['counters']
        bad = {k: v for k, v in counters.items() if k.startswith('bad_')}
        say(f"\n{counters['messages']} messages, {counters['events']} photons, {counters['detector_windows']} detector windows and {counters['images']} "
            f"sub-images through the networks, {counters['verdicts']} revisions told." + (f' Refused: {bad}' if bad else ''))
        say('Next: burstctl --help, docs/path-of-an-alert.md, burst-classify FILE...')
        if a.keep:
            say(f'Database and logs: {folder}')
        return 0 if counters['verdicts'] else 1
    finally:
        for p in reversed(started):
            if p.poll() is None:
                p.terminate()
                p.wait(20)
        if not a.keep:
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == '__main__':
    sys.exit(main())
