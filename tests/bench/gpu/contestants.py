"""burstd's side of bench.py: a network in a process of its own (gpu_contender), and a lane to burst-cuda as burstd has it."""
import pathlib
import subprocess
import sys

import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / 'gpu'))
import places  # noqa: E402
from lane import Lane  # noqa: E402


class Contender:
    """cuDNN, our kernels and one graph for each batch, without burst-cuda between."""

    def __init__(self, at, folder, rows, precision, batch, cache, name='burst'):
        self.name, self.batch = name, batch
        self.process = subprocess.Popen([str(c) for c in (at.program('gpu_contender'), folder, rows, precision, batch, cache)], env=at.env(), cwd=places.ROOT,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, bufsize=1)
        self.answer, self.device = [], None
        for line in self.process.stdout:
            words = line.rstrip('\n').split('\t')
            if words[0] == 'device':
                self.device = words[1:]
            if words[0] == 'answer':
                self.answer.append([float(x) for x in words[2:]])
            if words[0] == 'ready':
                self.macs, self.parameters = int(words[1]), int(words[2])
                return
        raise RuntimeError(f'gpu_contender: {self.process.stderr.read().strip()[-300:]}')

    def numbers(self, command):
        self.process.stdin.write(command + '\n')
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f'gpu_contender: {self.process.stderr.read().strip()[-300:]}')
        return [int(x) for x in line.split()]

    def hosted(self, times):
        return self.numbers(f'hosted {self.batch} {times}')

    def resident(self, times):
        return self.numbers(f'resident {self.batch} {times}')

    def idle(self, times, rest, beat=0):
        return self.numbers(f'idle {self.batch} {times} {rest} {beat}')

    def answers(self):
        return np.array(self.answer)

    def close(self):
        if self.process.poll() is None:
            self.process.stdin.close()
            self.process.wait(60)


class Windows:
    """Windows of counts through burst-cuda: only what is new travels."""

    def __init__(self, at, model, precision, wait, cache, batch, counts):
        self.name, self.batch = f'burst-cuda, {"asleep" if wait == "sleep" else "spinning"}', batch
        self.lane = Lane(at, model, precision, wait, cache, counts)

    def hosted(self, times):
        return self.lane.numbers(f'window {self.batch} {times}')

    def resident(self, times):
        return []

    def worst(self, times):
        """Largest difference from plain C over so many windows, and verdicts flipped."""
        words = self.lane.ask(f'check {self.batch} {times}', 600).split()
        if words[0] != 'worst':
            raise RuntimeError(' '.join(words))
        return float(words[1]), int(words[3])

    def close(self):
        self.lane.close()
