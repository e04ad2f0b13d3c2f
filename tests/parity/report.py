"""What the parity tests share: lines that say ok, FAIL or skip and how many failed; burst-sim; fitsverify."""
import os
import pathlib
import shutil
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get('BURST_BUILD', ROOT / 'build/release'))
n_failed = 0


def case(name, fault):
    """`fault` is what is wrong, empty where nothing is."""
    global n_failed
    n_failed += bool(fault)
    print(f'FAIL {name}: {fault}' if fault else f'ok {name}', flush=True)


def exit_status():
    """The exit status: how many failed."""
    return min(n_failed, 125)


def sim(*args, want=0):
    done = subprocess.run([BUILD / 'burst-sim', *map(str, args)], capture_output=True, text=True)
    if done.returncode != want:
        raise RuntimeError(f'burst-sim {args}: exit {done.returncode}: {done.stderr}')
    return done


def verify(path, words='0 warning(s) and 0 error(s)'):
    """As the standard's own checker sees the file."""
    if not shutil.which('fitsverify'):
        print(f'skip fitsverify_accepts_{path.stem}: fitsverify is not installed')
        return
    done = subprocess.run(['fitsverify', path], capture_output=True, text=True)
    fine = done.returncode == 0 and words in done.stdout
    case(f'fitsverify_accepts_{path.stem}', None if fine else done.stdout[-1500:].replace('\n', ' | '))
