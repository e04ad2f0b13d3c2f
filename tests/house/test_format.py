#!/usr/bin/python3
"""Formatting is clang-format's business alone."""
import pathlib
import re
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
FILES = [p for d in ('lib', 'kernels', 'daemon', 'tools', 'tests') for p in sorted((ROOT / d).rglob('*')) if p.suffix in ('.c', '.h', '.cc', '.cu')]


def main():
    failed = 0
    if not shutil.which('clang-format-14'):
        print('skip every_c_file_is_formatted: clang-format-14 is not installed')
    else:
        done = subprocess.run(['clang-format-14', '--dry-run', '-Werror', *map(str, FILES)], capture_output=True, text=True)
        wrong = sorted({m for m in re.findall(r'^(\S+?):\d+:\d+: error', done.stderr, re.M)})
        failed += bool(wrong)
        print(f'FAIL every_c_file_is_formatted: {wrong}' if wrong else 'ok every_c_file_is_formatted')
    return failed


if __name__ == '__main__':
    sys.exit(main())
