"""A lane to burst-cuda, as burstd has it: what an answer costs, whether it is plain C's, and what becomes of it when the worker is
killed, stopped, or finds no memory."""
import os
import queue
import signal
import subprocess
import sys
import threading
import time

import checks
import places

ANSWER_S = 900  # a first start times every engine


class Lane:
    """gpu_lane with a worker of its own."""

    def __init__(self, at, model, precision, wait, cache, counts=None, **env):
        # SIGSTOP of a worker must be noticed by a deadline, not by a debugger's signal: its own process group
        self.process = subprocess.Popen([str(c) for c in (at.program('gpu_lane'), at.program('burst-cuda'), model, counts or at.sets() / 'counts.u32',
                                                          places.ATOMS, places.BANDS, precision, wait, cache)], env=at.env(**env), cwd=places.ROOT,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, bufsize=1)
        self.lines, self.said = queue.Queue(), []
        threading.Thread(target=self.read, daemon=True).start()
        threading.Thread(target=lambda: self.said.extend(self.process.stderr), daemon=True).start()
        self.hello(self.line(ANSWER_S))

    def read(self):
        for line in self.process.stdout:
            self.lines.put(line.strip())
        self.lines.put(None)

    def hello(self, line):
        word, pid, device = (line.split(' ', 2) + ['', ''])[:3]
        if word != 'worker':
            raise RuntimeError(line)
        self.pid, self.device = int(pid), device

    def line(self, seconds=120):
        try:
            line = self.lines.get(timeout=seconds)
        except queue.Empty:
            raise RuntimeError(f'no answer within {seconds} s') from None
        if line is None:
            raise RuntimeError(f'gpu_lane ended with {self.process.wait(10)}: {"".join(self.said).strip()[-300:]}')
        return line

    def send(self, command):
        self.process.stdin.write(command + '\n')

    def ask(self, command, seconds=120):
        self.send(command)
        return self.line(seconds)

    def numbers(self, command, seconds=600):
        line = self.ask(command, seconds)
        if line.startswith('failed'):
            raise RuntimeError(line)
        return [int(x) for x in line.split()]

    def again(self):
        self.hello(self.ask('again', ANSWER_S))

    def close(self):
        if self.process.poll() is None:
            self.process.stdin.close()
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
        self.process.wait()


def quantile(values, q):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(q * len(ordered)))]


def model_of(at):
    """A light-curve network whose windows are those of the wire: the shipped one; on the stand-in device a small one."""
    return places.ROOT / ('tests/golden/day/small-curve/1' if at.stand_in else 'models/gecam-resnet-mscfm/1')


def is_gone(pid):
    """Ended: gone, or waiting to be buried."""
    try:
        with open(f'/proc/{pid}/stat') as stat:
            return stat.read().rsplit(')', 1)[1].split()[0] == 'Z'
    except (FileNotFoundError, ProcessLookupError):
        return True


def is_runnable(at, report, what):
    missing = [n for n in ('burst-cuda', 'gpu_lane') if not at.program(n)]
    if missing:
        report.line('FAIL', what, f'{" and ".join(missing)} not built under {at.build}')
    return not missing


def jobs(at, report, short, precisions, cache):
    """What a job costs beside the device's own work, and whether windows over the wire are plain C's."""
    report.section('A lane to burst-cuda')
    if not is_runnable(at, report, 'lane'):
        return
    rows, times, model = [], 20 if short or at.stand_in else 2000, model_of(at)
    for wait in ('sleep', 'spin'):
        for precision in precisions if wait == 'sleep' else precisions[:1]:
            name = f'lane_{wait}_{precision}'
            lane = None
            try:
                lane = Lane(at, model, precision, wait, cache)
                for n in (64, 32768):
                    ns = lane.numbers(f'echo {n} {times}')
                    rows.append([wait, precision, f'echo of {n} bytes', quantile(ns, .5) * 1e-3, quantile(ns, .99) * 1e-3, '-'])
                for n in (1,) if short else (1, 2) if at.stand_in else (1, 25, 32):
                    some = max(2, times // 10) if at.stand_in else times
                    ns, device = lane.numbers(f'window {n} {some}'), lane.numbers(f'device {n} {some}')
                    rows.append([wait, precision, f'window of {n} detectors', quantile(ns, .5) * 1e-3, quantile(ns, .99) * 1e-3, quantile(device, .5) * 1e-3])
                answer = lane.ask(f'check {2 if at.stand_in else 32} {2 if at.stand_in else 20}', 600).split()
                good = answer[0] == 'worst' and float(answer[1]) <= checks.BOUNDS[precision]['worst'] and answer[3] == '0'
                report.check(good, f'{name}_windows_are_those_of_plain_c', ' '.join(answer), worst=float(answer[1]) if answer[0] == 'worst' else 'none')
                report.check(lane.ask('digest 2') == lane.ask('digest 2'), f'{name}_same_window_same_bits')
            except RuntimeError as e:
                report.line('FAIL', name, str(e))
            finally:
                if lane:
                    lane.close()
    report.table('From question to answer, us (echo: what the way costs; goals 60 asleep, 10 spinning on a processor of its own)',
                 ['waiting', 'precision', 'job', 'p50', 'p99', 'of it in the worker, p50'], rows)


def lose(at, report, name, lane, want, harm, code, mercy=None):
    """harm() while jobs run: the job fails in words, the lane comes back, the answers are those of before."""
    lane.send('window 1 10000000')
    time.sleep(0.5)
    pid = lane.pid
    harm(pid)
    answer = lane.line(60).split(' ', 3)
    good = answer[0] == 'failed' and answer[1] in code
    report.check(good, f'{name}_is_told', ' '.join(answer), after_ms=float(answer[2]) if answer[0] == 'failed' else 'none')
    if mercy:
        mercy()
    lane.again()
    report.check(lane.pid != pid and is_gone(pid), f'{name}_is_followed_by_a_new_worker', f'worker {lane.pid} after {pid}, which is {"gone" if is_gone(pid) else "still there"}')
    got = lane.ask('digest 1')
    report.check(got == want, f'{name}_changes_no_answer', f'{got}, before {want}')


def unplug(at, report, short, cache):
    """The worker killed, and stopped, in mid-stream; and a device without memory."""
    report.section('Unplug and recovery of a lane')
    if not is_runnable(at, report, 'unplug'):
        return
    lane = None
    try:
        for wait in ('sleep',) if short else ('sleep', 'spin'):
            lane = Lane(at, model_of(at), 'fp32', wait, cache)
            want = lane.ask('digest 1')
            lose(at, report, f'kill_{wait}', lane, want, lambda pid: os.kill(pid, signal.SIGKILL), ('device',))
            lose(at, report, f'stop_{wait}', lane, want, lambda pid: os.kill(pid, signal.SIGSTOP), ('timeout',))
            lane.close()
    except RuntimeError as e:
        report.line('FAIL', 'unplug', str(e))
    finally:
        if lane:
            lane.close()
    device_errors(at, report, short, cache)


HOG = '''
import sys, torch
kept, size = [], 1 << 32
while size >= 1 << 22:
    try:
        kept.append(torch.empty(size, dtype=torch.uint8, device="cuda"))
    except torch.OutOfMemoryError:
        size //= 2
print("full", flush=True)
sys.stdin.read()
'''


def stand_in_errors(at, report, cache):
    """The stand-in device has no memory left, and once a launch that fails: as device_errors and lose."""
    try:
        Lane(at, model_of(at), 'fp32', 'sleep', cache, BURST_STANDIN_MEMORY='100000').close()
        report.line('FAIL', 'device_without_memory_is_told', 'the worker found memory enough')
    except RuntimeError as e:
        report.check('memory' in str(e).lower(), 'device_without_memory_is_told', str(e))
    lane = None
    try:
        lane = Lane(at, model_of(at), 'fp32', 'sleep', cache, BURST_STANDIN_FAIL='cudaGraphLaunch:20', BURST_STANDIN_ONCE=str(at.scratch('once') / 'failed'))
        want = lane.ask('digest 1')
        answer = lane.ask('window 1 100').split(' ', 3)
        report.check(answer[0] == 'failed' and answer[1] == 'device' and 'cudaGraphLaunch' in answer[-1], 'device_error_is_told', ' '.join(answer))
        lane.again()
        report.check(lane.ask('digest 1') == want, 'device_error_changes_no_answer')
    except RuntimeError as e:
        report.line('FAIL', 'device_error', str(e))
    finally:
        if lane:
            lane.close()


def device_errors(at, report, short, cache):
    """A card whose memory another program holds: a refusal in words, and all is well once it is given back."""
    if at.stand_in:
        stand_in_errors(at, report, cache)
        return
    hog = subprocess.Popen([sys.executable, '-c', HOG], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if hog.stdout.readline().strip() != 'full':
        report.line('skip', 'device_without_memory', f'PyTorch cannot fill it here: {hog.stderr.read().strip()[-200:]}')
        return
    lane = None
    try:
        lane = Lane(at, model_of(at), 'fp32', 'sleep', cache)
        report.line('FAIL', 'device_without_memory_is_told', 'the worker found memory enough')
    except RuntimeError as e:
        report.check('memory' in str(e).lower(), 'device_without_memory_is_told', str(e))
    finally:
        if lane:
            lane.close()
        hog.stdin.close()
        hog.wait(60)
    try:
        lane = Lane(at, model_of(at), 'fp32', 'sleep', cache)
        report.check(lane.ask('digest 1') == lane.ask('digest 1'), 'device_with_memory_again_answers')
        lane.close()
    except RuntimeError as e:
        report.line('FAIL', 'device_with_memory_again_answers', str(e))
