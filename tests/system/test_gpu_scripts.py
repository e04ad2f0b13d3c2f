#!/usr/bin/python3
"""The scripts for a machine with a GPU run through on the stand-in device, and can fail: tests/gpu/run, tests/gpu/pack, tests/bench/gpu."""
import json
import os
import pathlib
import subprocess
import sys

from harness import BUILD, ROOT, SLOW, Cases, check

PARTS = ('kernels', 'parity', 'swaps', 'lane', 'unplug')


def script(path, *words, env=None, seconds=400):
    done = subprocess.run([sys.executable, ROOT / path, '--stand-in', *map(str, words)], capture_output=True, text=True, timeout=seconds * SLOW,
                          env={**os.environ, 'BURST_BUILD': str(BUILD), **(env or {})})
    return done.returncode, done.stdout + done.stderr


def is_built():
    return (BUILD / 'burst-cuda-standin').exists() and (BUILD / 'gpu/gpu_parity_standin').exists()


def everything_is_proved_in_one_command(folder, started):
    if not is_built():
        return 'built without the stand-in device'
    code, text = script('tests/gpu/run', '--short', '--out', folder, '--only', *PARTS)
    check(code == 0, text[-3000:])
    report = json.loads((pathlib.Path(folder) / 'gpu-report.json').read_text())
    lines = [x for s in report['sections'] for x in s['lines']]
    told = {x['name'] for x in lines if x['word'] == 'ok'}
    for name in ('a_device_is_there', 'tune', 'burst_cuda_selftest', 'parity_light_curve_input_0_fp32', 'kill_sleep_changes_no_answer', 'stop_sleep_changes_no_answer',
                 'device_error_is_told', 'device_without_memory_is_told'):
        check(name in told, f'{name} is not among {sorted(told)}')
    check(report['verdict'].startswith(f'{len(told)} passed, 0 failed') and text.rstrip().endswith(report['verdict']), f'{report["verdict"]}: {text[-300:]}')
    check('passed' in (pathlib.Path(folder) / 'gpu-report.md').read_text(), 'the page has no verdict')


def a_device_that_fails_is_not_passed_over(folder, started):
    """The scripts can fail: no device at all, and a kernel whose launch fails every time."""
    if not is_built():
        return 'built without the stand-in device'
    code, text = script('tests/gpu/run', '--short', '--no-tune', '--out', folder, '--only', 'parity', env={'BURST_STANDIN_NO_DEVICE': '1'})
    check(code == 1 and 'FAIL a_device_is_there' in text, text[-1000:])
    code, text = script('tests/gpu/run', '--short', '--no-tune', '--out', folder, '--only', 'swaps', env={'BURST_STANDIN_FAIL': 'cudaGraphLaunch:30'})
    check(code == 1 and 'FAIL swaps_40_light_curve_fp32' in text and 'cudaGraphLaunch' in text, text[-1500:])


def what_is_packed_runs_from_the_pack(folder, started):
    if not is_built():
        return 'built without the stand-in device'
    code, text = script('tests/gpu/pack', '--out', f'{folder}/pack')
    check(code == 0, text[-2000:])
    code, text = script('tests/gpu/run', '--short', '--no-tune', '--pack', f'{folder}/pack', '--out', folder, '--only', 'swaps', env={'BURST_BUILD': '/nonexistent'})
    check(code == 0 and 'ok swaps_40_light_curve_fp32' in text, text[-2000:])


def the_bench_runs_through(folder, started):
    if not is_built():
        return 'built without the stand-in device'
    code, text = script('tests/bench/gpu/bench.py', '--out', folder, '--only', 'roof', 'counts')
    check(code == 0, text[-3000:])
    check(json.loads((pathlib.Path(folder) / 'gpu-bench.json').read_text())['sections'][-1]['tables'], 'no table')


if __name__ == '__main__':
    cases = Cases()
    for case in (everything_is_proved_in_one_command, a_device_that_fails_is_not_passed_over, what_is_packed_runs_from_the_pack, the_bench_runs_through):
        if len(sys.argv) < 2 or sys.argv[1] in case.__name__:
            cases.run(case)
    cases.finish()
