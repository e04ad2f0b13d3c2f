"""PyTorch and ONNX Runtime as contestants of bench.py: the shipped networks with the weights of their ONNX files, in every mode
that somebody who knows PyTorch would try. The classes are those the networks were trained with (training/burst_training); batch norm is
folded into the convolutions, and one-dimensional networks also run as images of height 1, which cuDNN serves better."""
import contextlib
import pathlib
import sys
import time

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch.nn.utils.fusion import fuse_conv_bn_eval

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / 'training'))
WARM = 3


def network(folder):
    """The trained module of a model folder, with the weights of its ONNX file."""
    from burst_training.image import ImageNet
    from burst_training.lightcurve import LightCurveNet
    graph = onnx.load(str(pathlib.Path(folder) / 'model.onnx')).graph
    net = (LightCurveNet if len(graph.input[0].type.tensor_type.shape.dim) == 3 else ImageNet)().eval()
    have = net.load_state_dict({t.name: torch.from_numpy(numpy_helper.to_array(t).copy()) for t in graph.initializer}, strict=False)
    left = [k for k in have.missing_keys if not k.endswith('num_batches_tracked')]
    if left or have.unexpected_keys:
        raise ValueError(f'{folder}: the file lacks {left}, the module {have.unexpected_keys}')
    return fold(net)


def fold(net):
    """Batch norm into the convolution before it, everywhere."""
    for name, child in list(net.named_children()):
        if isinstance(child, torch.nn.Sequential) and len(child) == 2 and isinstance(child[1], torch.nn.BatchNorm1d):
            setattr(net, name, fuse_conv_bn_eval(child[0], child[1]))
        elif isinstance(child, torch.nn.ModuleList):
            for i, pair in enumerate(child):
                child[i] = fuse_conv_bn_eval(pair[0], pair[1])
        else:
            fold(child)
    return net


class Flat(torch.nn.Module):
    """A one-dimensional network as images of height 1."""

    def __init__(self, net):
        super().__init__()
        self.net = flatten(net)

    def forward(self, x):
        return self.net(x.unsqueeze(2))


def flatten(net):
    for name, child in list(net.named_children()):
        if isinstance(child, torch.nn.Conv1d):
            wide = torch.nn.Conv2d(child.in_channels, child.out_channels, (1, child.kernel_size[0]), (1, child.stride[0]), (0, child.padding[0]))
            wide.weight.data, wide.bias.data = child.weight.data.unsqueeze(2), child.bias.data
            setattr(net, name, wide)
        elif isinstance(child, torch.nn.AdaptiveAvgPool1d):
            setattr(net, name, torch.nn.AdaptiveAvgPool2d(1))
        else:
            flatten(child)
    return net


class Counts(torch.nn.Module):
    """Counts of atoms [N, 5, 1875] to standardised bands, as kernels/standardise.h has it, and on through the network."""

    def __init__(self, net, bands):
        super().__init__()
        self.net = net
        sums = torch.tensor([[float(first <= a < last) for a in range(5)] for first, last in bands], dtype=torch.float64)
        self.register_buffer('sums', sums)

    def forward(self, counts):
        band = torch.einsum('ba,nat->nbt', self.sums, counts.double())
        mean = band.mean(-1, keepdim=True)
        variance = (band * band).mean(-1, keepdim=True) - mean * mean
        scale = torch.where(variance > 1e-9 * (mean * mean + 1), variance.clamp(min=1e-30).rsqrt(), torch.zeros_like(variance))
        return self.net(((band - mean) * scale).float())


class Cast(torch.nn.Module):
    """float in and out, `inner` in another type."""

    def __init__(self, inner, dtype):
        super().__init__()
        self.inner, self.dtype = inner.to(dtype), dtype

    def forward(self, x):
        return self.inner(x.to(self.dtype)).float()


def forbid_tf32(forbid):
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = not forbid


class Mode:
    """A module that is called, replayed or compiled: hosted() from host memory to host memory, resident() on the device alone."""

    def __init__(self, name, module, rows, batch, device, graph=False, context=None):
        self.name, self.batch, self.device, self.module = name, batch, device, module
        self.context = context or contextlib.nullcontext
        self.rows, self.next = rows, 0
        self.cuda = device.type == 'cuda'
        self.host_in = torch.empty((batch, *rows.shape[1:]), dtype=rows.dtype, pin_memory=self.cuda)
        self.device_in = self.host_in.to(device)
        self.take()
        self.device_in.copy_(self.host_in)
        self.host_out = None
        for _ in range(WARM):
            out = self.forward()
        self.host_out = torch.empty(out.shape, dtype=out.dtype, pin_memory=self.cuda)
        self.graphs = [self.capture(self.there_and_back), self.capture(self.forward)] if graph else None

    def forward(self):
        with torch.inference_mode(), self.context():
            return self.module(self.device_in)

    def there_and_back(self):
        self.device_in.copy_(self.host_in, non_blocking=True)
        self.host_out.copy_(self.forward(), non_blocking=True)

    def capture(self, call):
        side = torch.cuda.Stream()
        with torch.cuda.stream(side):
            for _ in range(WARM):
                call()
        torch.cuda.synchronize()
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            self.kept = call()  # what a graph wrote must not be given away
        return graph

    def take(self):
        """The next rows into the pinned memory, around the end."""
        at = [(self.next + i) % len(self.rows) for i in range(self.batch)]
        self.next = (self.next + self.batch) % len(self.rows)
        if at[-1] == at[0] + self.batch - 1:
            self.host_in.copy_(self.rows[at[0]:at[-1] + 1])
        else:
            self.host_in.copy_(self.rows[at])

    def wait(self):
        if self.cuda:
            torch.cuda.synchronize()

    def hosted_once(self):
        begun = time.perf_counter_ns()
        self.take()
        if self.graphs:
            self.graphs[0].replay()
        else:
            self.there_and_back()
        self.wait()
        return time.perf_counter_ns() - begun

    def hosted(self, times):
        return [self.hosted_once() for _ in range(times)]

    def resident(self, times):
        """Between two events on the stream; without a GPU by the clock."""
        out = []
        for _ in range(times):
            begun, a, b = time.perf_counter_ns(), *((torch.cuda.Event(enable_timing=True) for _ in range(2)) if self.cuda else (None, None))
            if a: a.record()
            if self.graphs: self.graphs[1].replay()
            else: self.forward()
            if b: b.record()
            self.wait()
            out.append(int(a.elapsed_time(b) * 1e6) if a else time.perf_counter_ns() - begun)
        return out

    def idle(self, times, rest):
        out = []
        for _ in range(times):
            time.sleep(rest)
            out.append(self.hosted_once())
        return out

    def answers(self):
        """Of all rows, in their order."""
        self.next, out = 0, []
        while len(out) < len(self.rows):
            self.hosted_once()
            out += self.host_out[:len(self.rows) - len(out)].float().tolist()
        self.next = 0
        return np.array(out)


def torch_modes(folder, rows, batch, precision, device, bands=None, max_autotune=False, say=print):
    """Every mode of PyTorch for a batch; bands: rows are counts. A mode that this PyTorch cannot is said and left out."""
    dtype = torch.bfloat16 if precision == 'bf16' else torch.float32
    flat_too = rows.dim() == 3
    torch.backends.cudnn.benchmark = True
    if device.type == 'cuda':
        forbid_tf32(precision == 'fp32')

    def module(flat, cast=True):
        net = network(folder)
        net = Flat(net) if flat else net
        net = net.to(device, memory_format=torch.channels_last) if flat or not flat_too else net.to(device)
        net = Cast(net, dtype) if cast and dtype != torch.float32 else net
        return (Counts(net, bands) if bands else net).to(device)

    wanted = [('eager', lambda: dict(module=module(False))), ('eager, channels last', lambda: dict(module=module(True)))]
    if dtype == torch.bfloat16:
        wanted.append(('eager, autocast', lambda: dict(module=module(flat_too, False), context=lambda: torch.autocast(device.type, torch.bfloat16))))
    if device.type == 'cuda':
        wanted += [('CUDA graph', lambda: dict(module=module(False), graph=True)), ('CUDA graph, channels last', lambda: dict(module=module(flat_too), graph=True))]
        for mode in ['default', 'reduce-overhead', *(['max-autotune'] if max_autotune else [])]:
            wanted.append((f'compile {mode}', lambda mode=mode: dict(module=torch.compile(module(flat_too), mode=mode, dynamic=False))))
        wanted.append(('compile, CUDA graph', lambda: dict(module=torch.compile(module(flat_too), dynamic=False), graph=True)))
    if not flat_too:
        wanted = [w for w in wanted if 'channels last' not in w[0]]
    made = []
    for name, make in wanted:
        try:
            made.append(Mode(f'torch {name}', rows=rows, batch=batch, device=device, **make()))
        except Exception as e:  # a mode that fails is a fact about this PyTorch, not about burstd
            say(f'torch {name}: not with this PyTorch: {type(e).__name__}: {str(e).splitlines()[0] if str(e) else ""}')
    return made


class OnnxRuntime:
    """ONNX Runtime's CUDA provider, its input and output bound to pinned memory."""
    name = 'onnxruntime CUDA'

    def __init__(self, folder, rows, batch, precision):
        import onnxruntime
        if 'CUDAExecutionProvider' not in onnxruntime.get_available_providers():
            raise RuntimeError(f'onnxruntime {onnxruntime.__version__} has {", ".join(onnxruntime.get_available_providers())}')
        if precision == 'bf16':
            raise RuntimeError('the file is float32')
        self.rows, self.batch, self.next = rows, batch, 0
        self.session = onnxruntime.InferenceSession(str(pathlib.Path(folder) / 'model.onnx'),
                                                    providers=[('CUDAExecutionProvider', {'use_tf32': int(precision == 'tf32'), 'cudnn_conv_algo_search': 'EXHAUSTIVE'})])
        self.input = self.session.get_inputs()[0].name
        self.hosted(WARM)

    def hosted(self, times):
        out = []
        for _ in range(times):
            begun = time.perf_counter_ns()
            at = [(self.next + i) % len(self.rows) for i in range(self.batch)]
            self.next = (self.next + self.batch) % len(self.rows)
            self.answer = self.session.run(None, {self.input: self.rows[at].numpy()})[0]
            out.append(time.perf_counter_ns() - begun)
        return out

    def resident(self, times):
        return []

    def idle(self, times, rest):
        return [x for _ in range(times) for x in (time.sleep(rest), self.hosted(1))[1]]

    def answers(self):
        self.next, out = 0, []
        while len(out) < len(self.rows):
            self.hosted(1)
            out += self.answer[:len(self.rows) - len(out)].tolist()
        self.next = 0
        return np.array(out)


def matrix_rate(precision, n=8192, times=10):
    """TFLOP/s of a large product of random matrices by PyTorch: with wgmma, which our own program does not use."""
    forbid_tf32(precision == 'fp32')
    a, b = (torch.randn(n, n, device='cuda', dtype=torch.bfloat16 if precision == 'bf16' else torch.float32) for _ in range(2))
    for _ in range(WARM):
        a @ b
    begun, ended = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    begun.record()
    for _ in range(times):
        a @ b
    ended.record()
    torch.cuda.synchronize()
    return 2 * n ** 3 * times / begun.elapsed_time(ended) * 1e-9
