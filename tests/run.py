"""Build burstd and run its tests.

  ./run-tests            unit, parity, system tests of the release build, and the house rules
  ./run-tests --all      also: gcc with ASan+UBSan, with TSan what has threads, clang, and 10 s of each fuzzer (what CI runs)
  ./run-tests --only W   only the programs whose path contains W
  ./run-tests --list     what would run

Every case prints one line, `ok NAME`, `FAIL NAME: why` or `skip NAME: why`; the last line counts them. The exit status
is 0 only when nothing failed and everything built."""
import argparse
import concurrent.futures
import os
import pathlib
import re
import shutil
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
# Words of a format, and the harnesses (by how their names end) that read it.
DICTIONARIES = {'fits': ('_gate', '_events', '_subimage'), 'json': ('_json', '_platform', '_catalog'), 'xml': ('_voevent',), 'yaml': ('_yaml', '_instrument'),
                'onnx': ('_onnx',), 'stream': ('_frame', '_subscriber', '_history'), 'notice': ('_binary',), 'csv': ('_catalogue',)}
AT_ONCE = 2  # programs side by side
# Of threaded libraries, but with nothing between threads that cuda_test_net and the kernels' own tests do not have: minutes under TSan.
UNTHREADED = {'cuda_test_onnx', 'cuda_test_net_faults'}
LINE = re.compile(r'^(ok|FAIL|skip) (\S+)')
SANITIZER_ENV = {
    'asan': {'ASAN_OPTIONS': 'detect_leaks=1:abort_on_error=0', 'UBSAN_OPTIONS': 'halt_on_error=1:print_stacktrace=1'},
    'tsan': {'TSAN_OPTIONS': f'suppressions={ROOT}/tests/tsan.supp:ignore_noninstrumented_modules=1:halt_on_error=0:exitcode=66'},
}


class Count:
    def __init__(self):
        self.ok, self.failed, self.skipped, self.bad = 0, 0, 0, []

    def fail(self, where, why):
        self.failed += 1
        self.bad.append(f'{where}: {why}')
        print(f'FAIL {where}: {why}', flush=True)


def build(preset, count, targets=()):
    log = ROOT / 'build' / f'{preset}.log'
    log.parent.mkdir(exist_ok=True)
    launcher = ['-DCMAKE_C_COMPILER_LAUNCHER=ccache'] if shutil.which('ccache') else []
    with open(log, 'w') as out:
        for command in (['cmake', '--preset', preset, *launcher], ['cmake', '--build', '--preset', preset, *sum((['--target', t] for t in targets), [])]):
            if subprocess.run(command, cwd=ROOT, stdout=out, stderr=subprocess.STDOUT).returncode:
                sys.stdout.write(log.read_text()[-6000:])
                count.fail(f'build/{preset}', f'does not build, see {log.relative_to(ROOT)}')
                return False
    print(f'ok build/{preset}', flush=True)
    count.ok += 1
    return True


def threaded_targets():
    """What ThreadSanitizer has something to say about: the libraries whose objects pass between threads, and the programs it runs."""
    names = {'burstd', 'burst-classify', 'burst-replay', 'burst-sim', 'burstctl'}
    subprocess.run(['cmake', '--preset', 'tsan', *(['-DCMAKE_C_COMPILER_LAUNCHER=ccache'] if shutil.which('ccache') else [])], cwd=ROOT, capture_output=True)
    known = subprocess.run(['ninja', '-C', ROOT / 'build/tsan', '-t', 'targets', 'all'], capture_output=True, text=True).stdout
    threaded = re.findall(r'^((?:base|client|cuda|daemon|infer|kernels_cuda|net|publish|science|standin|stream|train)_test_\w+|sim_test_(?:eclairs_set|skyset)|burst-cuda-standin): phony', known, re.M)
    return sorted(names | set(threaded) - UNTHREADED)


def execute(command, env, timeout):
    """Exit status, None where it did not end; what it printed; how long it took."""
    begun = time.time()
    try:
        done = subprocess.run([str(c) for c in command], cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=timeout)
    except subprocess.TimeoutExpired as e:
        return None, (e.stdout or b'').decode(errors='replace'), time.time() - begun
    return done.returncode, done.stdout.decode(errors='replace'), time.time() - begun


def tell(label, count, status, text, took):
    names = set()
    seen = [0, 0, 0]
    for line in text.splitlines():
        m = LINE.match(line)
        if not m or (m[1], m[2]) in names:
            continue
        names.add((m[1], m[2]))
        if m[1] == 'ok': seen[0] += 1
        elif m[1] == 'skip': seen[2] += 1
        else:
            seen[1] += 1
            count.bad.append(f'{label}: {line[5:]}')
        if m[1] != 'ok':
            print(f'{label}: {line}', flush=True)
    count.ok, count.failed, count.skipped = count.ok + seen[0], count.failed + seen[1], count.skipped + seen[2]
    if status is None:
        print(text[-3000:])
        count.fail(label, f'no end within {took:.0f} s')
    elif status and not seen[1]:
        print(text[-4000:])
        count.fail(label, f'exit status {status} without a FAIL line')
    elif not any(seen):
        count.fail(label, 'ran no case')
    elif seen[1]:
        print(text[-3000:])
    print(f'{"FAIL" if seen[1] else "ok"} {label}: {seen[0]} ok, {seen[1]} failed, {seen[2]} skipped, {took:.1f} s', flush=True)


def run(paths, mark, count, env, at_once):
    """Run programs and scripts, at most at_once of them side by side; told in the order given."""
    def one(path):
        return execute([sys.executable, path] if path.suffix == '.py' else [path], env, 900)
    with concurrent.futures.ThreadPoolExecutor(at_once) as pool:
        for path, (status, text, took) in zip(paths, pool.map(one, paths)):
            tell(str(path.relative_to(ROOT)).replace('build/', '') + mark, count, status, text, took)


def programs(preset):
    tests = sorted((ROOT / 'build' / preset / 'tests').glob('*_test_*'))
    return [t for t in tests if os.access(t, os.X_OK) and t.is_file() and t.suffix == '']


def scripts(*folders):
    return [p for d in folders for p in sorted((ROOT / 'tests' / d).glob('test_*.py'))]


def fuzz_command(harness, seconds):
    corpus = ROOT / 'tests/fuzz/corpus' / harness.name[5:]
    work = ROOT / 'build/fuzz/work' / harness.name
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    dictionary = [f'-dict={ROOT}/tests/fuzz/{words}.dict' for words, names in DICTIONARIES.items() if harness.name.endswith(names)]
    return [harness, f'-max_total_time={seconds}', '-timeout=20', '-rss_limit_mb=3000', f'-artifact_prefix={work}/crash-',
            *dictionary, work, *([corpus] if corpus.is_dir() else [])]


def fuzz(count, seconds):
    if not build('fuzz', count):
        return
    harnesses = sorted((ROOT / 'build/fuzz/fuzz').glob('fuzz_*'))
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        done = pool.map(lambda h: execute(fuzz_command(h, seconds), None, seconds + 300), harnesses)
        for harness, (status, text, _) in zip(harnesses, done):
            if status != 0:
                print(text[-4000:])
                count.fail(harness.name, f'crashed; input under build/fuzz/work/{harness.name}')
                continue
            runs = re.findall(r'Done (\d+) runs', text)
            print(f'ok {harness.name}: {runs[-1] if runs else "?"} runs in {seconds} s', flush=True)
            count.ok += 1


def main():
    parser = argparse.ArgumentParser(prog='run-tests', description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--all', action='store_true', help='every compiler, sanitizer and fuzzer, as CI does')
    parser.add_argument('--only', default='', help='part of a path')
    parser.add_argument('--list', action='store_true')
    parser.add_argument('--fuzz-seconds', type=int, default=10)
    a = parser.parse_args()
    count, env = Count(), dict(os.environ, LC_ALL='C.UTF-8', BURST_BUILD=str(ROOT / 'build/release'))
    begun = time.time()
    if a.list:
        print('\n'.join(str(p.relative_to(ROOT)) for p in programs('release') + scripts('house', 'parity', 'golden', 'bad', 'realism', 'training', 'system')))
        return 0

    def wanted(paths):
        return [p for p in paths if a.only in str(p) and p.exists()]
    if build('release', count):
        run(wanted(programs('release') + scripts('house', 'parity', 'golden', 'bad', 'realism', 'training')), '', count, env, AT_ONCE)
        run(wanted(scripts('system')), '', count, env, AT_ONCE)  # most of it is waiting
    if a.all:  # clang compiles all of it, too: for the fuzzers
        for preset in ('asan', 'tsan'):
            if build(preset, count, threaded_targets() if preset == 'tsan' else ()):
                extra = dict(env, **SANITIZER_ENV[preset], BURST_BUILD=str(ROOT / 'build' / preset), BURST_SANITIZER=preset)
                run(wanted(programs(preset) + [ROOT / 'tests/system/test_sanitized.py']), f' ({preset})', count, extra, AT_ONCE)
        fuzz(count, a.fuzz_seconds)
    for line in count.bad:
        print(f'failed: {line}')
    print(f'{time.time() - begun:.0f} s')
    print(f'{count.ok} passed, {count.failed} failed, {count.skipped} skipped')
    return 1 if count.failed else 0


if __name__ == '__main__':
    sys.exit(main())
