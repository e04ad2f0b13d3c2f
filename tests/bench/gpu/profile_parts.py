"""Where the time goes, for bench.py: a network cut after each of its larger steps, the difference between one cut and the next; the
kernels as Nsight Compute times them, where it is; and the engines of cuDNN that were chosen."""
import csv
import io
import pathlib
import re
import statistics
import subprocess

import checks
import places


def cut(folder, tensor, to):
    """The network up to a tensor, then the mean over its positions. Whole networks and vectors stay as they are."""
    import onnx
    from onnx import helper
    model = onnx.load(str(pathlib.Path(folder) / 'model.onnx'))
    graph, needed, nodes = model.graph, {tensor}, []
    for node in reversed(graph.node):
        if needed & set(node.output):
            nodes.insert(0, node)
            needed |= set(node.input)
    nodes += [helper.make_node('GlobalAveragePool', [tensor], ['part_mean']), helper.make_node('Flatten', ['part_mean'], ['part'])]
    kept = [t for t in graph.initializer if t.name in needed]
    made = helper.make_graph(nodes, 'part', list(graph.input), [helper.make_tensor_value_info('part', onnx.TensorProto.FLOAT, ['N', None])], kept)
    out = helper.make_model(made, opset_imports=list(model.opset_import))
    out.ir_version = model.ir_version
    to.mkdir(parents=True, exist_ok=True)
    onnx.save(out, str(to / 'model.onnx'))
    return to


def larger_steps(at, model, cache):
    """Results that are worth a cut: of the widest maps, in order. Source: gpu_parity's list of steps, and shapes from the file."""
    import onnx
    code, out, err = at.call([at.program('gpu_parity'), model, model / 'test_data_set_0/input_0.pb', 'fp32', 2, cache])
    if code != 0:
        raise RuntimeError(f'gpu_parity: {err.strip()[-200:]}')
    names = [t[1] for t in checks.bare(out) if t[0] == 'step']
    shaped = onnx.shape_inference.infer_shapes(onnx.load(str(model / 'model.onnx')))
    channels = {v.name: v.type.tensor_type.shape.dim[1].dim_value for v in shaped.graph.value_info if len(v.type.tensor_type.shape.dim) > 2}
    positions = {v.name: v.type.tensor_type.shape.dim[-1].dim_value for v in shaped.graph.value_info}
    maps = [n for n in names if n in channels and positions[n] > 1]
    widest = {positions[n]: max(channels[m] for m in maps if positions[m] == positions[n]) for n in maps}
    return [n for n in maps if channels[n] == widest[positions[n]]]


def parts(b, contender, model, rows, precision, batches, floor_us):
    """One row per cut: its time, and by how much it is more than the cut before."""
    before, table = {n: 0.0 for n in batches}, []
    names, done = larger_steps(b.at, model, b.cache), (0, 0)
    for tensor in [*names, 'the whole']:
        folder = model if tensor == 'the whole' else cut(model, tensor, b.at.scratch('parts') / re.sub(r'\W', '_', tensor))
        row = [tensor]
        for n in batches:
            side = contender(b.at, folder, rows, precision, n, b.cache)
            try:
                us = statistics.median(side.resident(3 if b.a.stand_in else 200)) * 1e-3
            finally:
                side.close()
            floor = floor_us(b, side.macs - done[0], max(0, side.parameters - done[1]), 0, precision, n)[0]
            row += [us, us - before[n], floor]
            before[n] = us
        row.insert(1, (side.macs - done[0]) / 1e6)
        done = side.macs, side.parameters
        table.append(row)
    b.report.table(f'{model.parent.name}, {precision}: the network cut after a step, and the mean of what it gives', ['up to', 'MMAC more', *(x for n in batches for x in (f'batch {n}: us', 'us more', 'floor us'))], table)


def kernels(b, model, rows, precision, batch):
    """Nsight Compute's time of each kernel of one launch, summed by name."""
    ncu = places.which('ncu')
    if not ncu or b.a.stand_in:
        b.report.note('Kernels one by one: no Nsight Compute here.' if not ncu else 'Kernels one by one: not on the stand-in device.')
        return
    command = [ncu, '--clock-control', 'none', '--csv', '--metrics', 'gpu__time_duration.sum', *(str(c) for c in (b.at.program('gpu_contender'), model, rows, precision, batch, b.cache))]
    try:
        done = subprocess.run(command, input=f'resident {batch} 1\n', env=b.at.env(), capture_output=True, text=True, timeout=max(30, min(240, b.left())))
    except subprocess.TimeoutExpired:
        b.report.line('skip', f'ncu_{precision}_{batch}', 'not through in time')
        return
    begin = done.stdout.find('"ID"')
    if begin < 0:
        b.report.line('skip', f'ncu_{precision}_{batch}', (done.stdout + done.stderr).strip()[-200:].replace('\n', ' / '))
        return
    found = {}
    for row in csv.DictReader(io.StringIO(done.stdout[begin:])):
        value, unit = row.get('Metric Value', '').replace(',', ''), row.get('Metric Unit', '')
        if value:
            found.setdefault(row['Kernel Name'][:90], []).append(float(value) * {'ns': 1e-3, 'nsecond': 1e-3, 'us': 1, 'usecond': 1, 'ms': 1e3, 'msecond': 1e3}.get(unit, 1))
    table = sorted(([name, len(us), statistics.median(us), sum(us)] for name, us in found.items()), key=lambda r: -r[3])
    b.report.table(f'{model.parent.name}, {precision}, batch {batch}: kernels by Nsight Compute (all launches of the process: choosing engines, answers, one run)', ['kernel', 'launches', 'median us', 'all us'], table[:40])


def engines(b):
    """The cache of choices: lib/net/choices.h."""
    for path in sorted(pathlib.Path(b.cache).glob('*')):
        lines = path.read_text().splitlines() if path.is_file() else []
        if len(lines) < 3 or not lines[0].startswith('burst choices'):
            continue
        rows = [w[:4] + [' '.join(w[4:])] for w in (line.split() for line in lines[2:]) if len(w) >= 4]
        rows.sort(key=lambda w: -float(w[3]))
        b.report.table(f'Engines chosen, slowest shapes first ({lines[1]}; batch x height x width x channels in : channels out ...)', ['shape', 'engine', 'form', 'us', 'knobs'], rows[:60])


def tell(b, contender, floor_us):
    b.report.section('Where the time goes')
    for name in b.a.model:
        model, (rows, _) = places.ROOT / name, b.rows(name)
        for precision in b.a.precision[:1] if b.a.stand_in else [p for p in b.a.precision if p != 'tf32']:
            if b.left() < 60:
                b.report.line('skip', f'profile_{model.parent.name}_{precision}', 'no time left')
                continue
            try:
                parts(b, contender, model, rows, precision, [1, max(b.a.batch)], floor_us)
                kernels(b, model, rows, precision, max(b.a.batch))
            except ImportError as e:
                b.report.line('skip', f'profile_{model.parent.name}', f'to cut a network: {e}')
            except RuntimeError as e:
                b.report.line('FAIL', f'profile_{model.parent.name}_{precision}', str(e))
    engines(b)
