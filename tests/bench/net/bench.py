#!/usr/bin/python3
"""Windows per second of the network runtime beside PyTorch and ONNX Runtime: one sample at a time, one thread each.

  bench.py [MODEL ...] [--rounds N] [--seconds S]

MODEL is a folder with model.onnx and test_data_set_0 (default: every folder models/*/*). The contestants take turns within each
round, so that other load on the machine meets all of them alike, and CPU seconds are counted (of all threads, so that a
hidden second one gains nothing). The table shows medians over the rounds, the best round, and each contestant's speed as a
multiple of PyTorch's (jit, frozen) and of ONNX Runtime's. All must give the same answer first. PyTorch runs the ONNX file's own
nodes; its jit gets one-dimensional networks as images of height 1, which it runs four times faster, because only those go to
oneDNN. ONNX Runtime takes part where it can be imported. Nothing is asserted about time."""
import argparse
import os
import pathlib
import statistics
import subprocess
import sys
import time

import numpy as np
import onnx
import torch
from onnx import numpy_helper

try:
    import onnxruntime
except ImportError:
    onnxruntime = None

ROOT = pathlib.Path(__file__).resolve().parents[3]
BENCH = pathlib.Path(os.environ.get('BURST_BUILD', ROOT / 'build/release')) / 'bench/net_bench'
SAME = 1e-4


class Torch(torch.nn.Module):
    """The nodes of an ONNX file as PyTorch calls: the operators of the networks that ship. `flat`: a one-dimensional network as
    images of height 1."""

    def __init__(self, graph, flat):
        super().__init__()
        self.flat = flat
        self.nodes = []
        self.input, self.output = graph.input[0].name, graph.output[0].name
        self.fixed = {t.name: torch.from_numpy(numpy_helper.to_array(t).copy()) for t in graph.initializer}
        for node in graph.node:
            at = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
            if node.op_type == 'Constant':
                self.fixed[node.output[0]] = torch.from_numpy(numpy_helper.to_array(at['value']).copy())
            elif node.op_type in ('Identity', 'Dropout'):
                self.nodes.append(('Same', list(node.input[:1]), node.output[0], at))
            else:
                self.nodes.append((node.op_type, list(node.input), node.output[0], at))
        for op, inputs, _, _ in self.nodes:
            if flat and op == 'Conv':
                self.fixed[inputs[1]] = self.fixed[inputs[1]].unsqueeze(2)

    def window(self, at, key, default, rank):
        """An attribute of a window, one number per dimension; pads must be the same on both sides."""
        n = rank - self.flat
        value = list(at.get(key, [default] * (2 * n if key == 'pads' else n)))
        if key == 'pads' and value[:n] != value[n:]:
            raise NotImplementedError(f'pads {value}')
        return [default] * self.flat + value[:n]

    def step(self, op, x, at):
        f = torch.nn.functional
        if op == 'Same': return x[0]
        if op == 'Relu': return torch.relu(x[0])
        if op == 'Add': return x[0] + x[1]
        if op == 'Sigmoid': return torch.sigmoid(x[0])
        if op == 'Concat': return torch.cat(x, at['axis'])
        if op == 'Flatten': return x[0].flatten(at.get('axis', 1))
        if op == 'Reshape': return x[0].reshape(x[1].tolist())
        if op == 'GlobalAveragePool': return x[0].mean(list(range(2, x[0].dim())), keepdim=True)
        if op == 'ReduceMean':
            axes = [2, 3] if self.flat and at['axes'] in ([2], [-1]) else at['axes']
            return x[0].mean(axes, keepdim=bool(at.get('keepdims', 1)))
        if op == 'Squeeze': return x[0].flatten(1)
        if op == 'BatchNormalization': return f.batch_norm(x[0], x[3], x[4], x[1], x[2], False, 0, at.get('epsilon', 1e-5))
        if op == 'Gemm': return f.linear(x[0], x[1] if at.get('transB') else x[1].t(), x[2] if len(x) > 2 else None)
        if op == 'MatMul': return x[0] @ x[1]
        rank = x[0].dim() - 2
        if op == 'Conv':
            return (f.conv1d, f.conv2d)[rank - 1](x[0], x[1], x[2] if len(x) > 2 else None, self.window(at, 'strides', 1, rank),
                                                  self.window(at, 'pads', 0, rank), self.window(at, 'dilations', 1, rank),
                                                  at.get('group', 1))
        if op == 'MaxPool':
            return (f.max_pool1d, f.max_pool2d)[rank - 1](x[0], self.window(at, 'kernel_shape', 1, rank),
                                                          self.window(at, 'strides', 1, rank), self.window(at, 'pads', 0, rank))
        raise NotImplementedError(op)

    def forward(self, x):
        values = dict(self.fixed)
        values[self.input] = x.unsqueeze(2) if self.flat else x
        for op, inputs, output, at in self.nodes:
            values[output] = self.step(op, [values[i] for i in inputs if i], at)
        return values[self.output]


class Ours:
    def __init__(self, folder, backend):
        self.process = subprocess.Popen([str(BENCH), str(folder), backend, str(folder / 'test_data_set_0/input_0.pb')],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)
        self.answer = np.array(self.process.stdout.readline().split(), dtype=np.float64)

    def seconds(self, n):
        self.process.stdin.write(f'{n}\n')
        return float(self.process.stdout.readline())

    def close(self):
        self.process.stdin.close()
        self.process.wait(10)


class Call:
    """A peer inside this process."""

    def __init__(self, call):
        self.call = call
        self.answer = np.asarray(call()).reshape(-1).astype(np.float64)

    def seconds(self, n):
        begun = time.process_time()
        for _ in range(n):
            self.call()
        return time.process_time() - begun

    def close(self):
        pass


def contestants(folder):
    net = onnx.load(str(folder / 'model.onnx'))
    x = numpy_helper.to_array(onnx.load_tensor(str(folder / 'test_data_set_0/input_0.pb')))[:1].copy()
    t = torch.from_numpy(x)
    eager, images = Torch(net.graph, False).eval(), Torch(net.graph, x.ndim == 3).eval()
    frozen = torch.jit.optimize_for_inference(torch.jit.freeze(torch.jit.trace(images, t).eval()))
    for _ in range(3):
        frozen(t)  # the profiling executor settles
    all_of_them = {'burst cpu': Ours(folder, 'cpu'), 'burst plain': Ours(folder, 'plain'), 'torch jit': Call(lambda: frozen(t)),
                   'torch eager': Call(lambda: eager(t))}
    if onnxruntime:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        session = onnxruntime.InferenceSession(str(folder / 'model.onnx'), options, providers=['CPUExecutionProvider'])
        name = session.get_inputs()[0].name
        all_of_them['onnxruntime'] = Call(lambda: session.run(None, {name: x})[0])
    return all_of_them


def measure(runners, rounds, seconds):
    """Seconds per window of each round, by contestant; each turn takes about `seconds`."""
    count = {name: max(1, int(seconds / max(r.seconds(1), r.seconds(2) / 2, 1e-6))) for name, r in runners.items()}
    times = {name: [] for name in runners}
    for _ in range(rounds):
        for name, r in runners.items():
            times[name].append(r.seconds(count[name]) / count[name])
    return times


def table(folder, runners, times):
    jit = statistics.median(times['torch jit'])
    ort = statistics.median(times['onnxruntime']) if 'onnxruntime' in times else None
    print(f'\n{folder.parent.name}/{folder.name}: CPU time of 1 window, 1 thread, {len(times["torch jit"])} interleaved rounds')
    print(f'  {"":12s} {"median ms":>10s} {"best ms":>9s} {"windows/s":>10s} {"x torch jit":>12s} {"x onnxruntime":>14s}  answer')
    for name, values in times.items():
        median = statistics.median(values)
        answer = ' '.join(f'{v:.5f}' for v in runners[name].answer[:3])
        print(f'  {name:12s} {median * 1e3:10.3f} {min(values) * 1e3:9.3f} {1 / median:10.1f} {jit / median:12.2f} '
              f'{f"{ort / median:.2f}" if ort else "-":>14s}  {answer}')


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('model', nargs='*', type=pathlib.Path)
    parser.add_argument('--rounds', type=int, default=21)
    parser.add_argument('--seconds', type=float, default=0.1, help='length of one turn')
    a = parser.parse_args()
    torch.set_num_threads(1)
    torch.set_grad_enabled(False)
    print(f'torch {torch.__version__}, onnxruntime {onnxruntime.__version__ if onnxruntime else "not importable"}')
    status = 0
    for folder in a.model or sorted(p.parent for p in (ROOT / 'models').glob('*/*/model.onnx')):
        runners = contestants(folder)
        truth = runners['torch eager'].answer
        for name, r in runners.items():
            if r.answer.shape != truth.shape or not np.abs(r.answer - truth).max() <= SAME:
                print(f'{folder}: {name} answers {r.answer}, PyTorch {truth}')
                status = 1
        table(folder, runners, measure(runners, a.rounds, a.seconds))
        for r in runners.values():
            r.close()
    return status


if __name__ == '__main__':
    sys.exit(main())
