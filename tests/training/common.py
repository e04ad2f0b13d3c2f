"""What the tests of training share: where things lie, and one line a case."""
import os
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get('BURST_BUILD', ROOT / 'build/release')).resolve()
sys.path.insert(0, str(ROOT / 'training'))
failed = []


def case(name, fault):
    """fault: what is wrong, in words; None or nothing: all is well."""
    if fault:
        failed.append(name)
    print(f'FAIL {name}: {fault}' if fault else f'ok {name}', flush=True)


def first(*faults):
    return next((f for f in faults if f), None)


def status():
    """Exit status of the script."""
    return min(len(failed), 125)
