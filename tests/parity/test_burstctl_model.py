#!/usr/bin/python3
"""burstctl model from outside: what it shows against python3-onnx, what it answers against PyTorch's golden vectors, and its
exit statuses."""
import hashlib
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

import numpy as np
import onnx
from onnx import helper, numpy_helper

from report import ROOT, case, exit_status

BURSTCTL = pathlib.Path(os.environ.get('BURST_BUILD', ROOT / 'build/release')) / 'burstctl'
GOLDEN = ROOT / 'tests/golden/net/light_curve'


def model(*words):
    return subprocess.run([str(BURSTCTL), 'model', *map(str, words)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          timeout=120)


def gives(done, status, words=''):
    """Why the run is not as wanted, or nothing."""
    if done.returncode != status:
        return f'exit status {done.returncode}, not {status}: {done.stderr.strip()[:200]}'
    if words not in done.stdout + done.stderr:
        return f'"{words}" is not in: {(done.stdout + done.stderr).strip()[:300]}'
    return 'the reason has more than one line' if status and done.stderr.count('\n') > 1 and status != 2 else ''


def read(path):
    return numpy_helper.to_array(onnx.load_tensor(str(path)))


def write(path, array, name=''):
    path.write_bytes(numpy_helper.from_array(array, name).SerializeToString())
    return path


def test_info():
    file = GOLDEN / 'model.onnx'
    net = onnx.load(str(file))
    text = model('info', GOLDEN).stdout
    wanted = [hashlib.sha256(file.read_bytes()).hexdigest(), net.producer_name, f'opset       {net.opset_import[0].version}',
              f'{sum(numpy_helper.to_array(t).size for t in net.graph.initializer if t.data_type == 1):,} numbers',
              net.graph.input[0].name, net.graph.output[0].name, 'implementation']
    case('info_shows_what_onnx_reads', ', '.join(f'{w} is missing' for w in wanted if w not in text))
    case('info_takes_the_file_or_its_folder', '' if model('info', file).stdout.split('\n', 1)[1] == text.split('\n', 1)[1] else 'they differ')
    case('info_names_the_implementation_of_each_backend',
         gives(model('info', GOLDEN, '--backend', 'plain'), 0, ' plain\n') or gives(model('info', GOLDEN, '--backend', 'cpu'), 0, 'jit'))


def test_run(tmp):
    x = read(GOLDEN / 'test_data_set_0/input_0.pb')
    want = read(GOLDEN / 'test_data_set_0/output_0.pb')
    many = np.tile(x, (40, 1, 1))[:70]  # more than one batch
    file, out = write(tmp / 'many.pb', many), tmp / 'out.pb'
    for backend in ('plain', 'cpu', 'auto'):
        done = model('run', GOLDEN, '--backend', backend, '--input', file, '--output', out)
        why = gives(done, 0)
        if not why:
            t = onnx.load_tensor(str(out))
            got = numpy_helper.to_array(t)
            wide = np.tile(want, (40, 1))[:70]
            if t.name != onnx.load(str(GOLDEN / 'model.onnx')).graph.output[0].name:
                why = f'the answer is called {t.name}'
            elif got.shape != wide.shape:
                why = f'shape {got.shape}'
            elif not np.abs(got - wide).max() < 1e-5:
                why = f'differs from PyTorch by {np.abs(got - wide).max()}'
        case(f'run_answers_as_pytorch.{backend}', why)
    shown = model('run', GOLDEN, '--input', GOLDEN / 'test_data_set_0/input_0.pb').stdout
    case('run_shows_answers_it_is_not_to_write',
         '' if abs(float(shown.split(':')[1].split()[0]) - float(want.flat[0])) < 1e-5 else shown)


def test_check(tmp):
    case('check_holds_on_every_backend', gives(model('check', GOLDEN), 0, 'plain ') or gives(model('check', GOLDEN), 0, 'cpu '))
    bad = tmp / 'bad'
    shutil.copytree(GOLDEN, bad)
    golden = read(bad / 'test_data_set_0/output_0.pb').copy()
    golden[1, 0] += 0.01
    write(bad / 'test_data_set_0/output_0.pb', golden)
    done = model('check', bad, '--backend', 'plain')
    case('check_fails_on_one_wrong_number', gives(done, 3, 'FAILED') or gives(done, 3, 'element'))
    case('check_takes_a_tolerance', gives(model('check', bad, '--tolerance', '0.1'), 0))
    shutil.rmtree(bad / 'test_data_set_0')
    case('check_needs_golden_vectors', gives(model('check', bad / 'model.onnx', '--backend', 'cpu'), 3, 'test_data_set_0'))


def test_refusals(tmp):
    x = GOLDEN / 'test_data_set_0/input_0.pb'
    unknown = helper.make_model(helper.make_graph(
        [helper.make_node('Einsum', ['a'], ['b'], name='the_node')], 'g', [helper.make_tensor_value_info('a', 1, [1, 2])],
        [helper.make_tensor_value_info('b', 1, [1, 2])]), opset_imports=[helper.make_opsetid('', 13)])
    onnx.save(unknown, str(tmp / 'unknown.onnx'))
    cut = tmp / 'cut.onnx'
    cut.write_bytes((GOLDEN / 'model.onnx').read_bytes()[:-100])
    long = tmp / 'wrong.pb'
    write(long, np.zeros((1, 9, 40), np.float32))
    for name, words, status, part in (
            ('unknown_operator', ('info', tmp / 'unknown.onnx'), 3, "Einsum"),
            ('unknown_operator_names_its_node', ('info', tmp / 'unknown.onnx'), 3, "the_node"),
            ('cut_short', ('info', cut), 3, 'cut short'),
            ('no_such_model', ('info', tmp / 'none.onnx'), 4, 'No such file'),
            ('no_such_input', ('run', GOLDEN, '--input', tmp / 'none.pb'), 4, 'none.pb'),
            ('input_of_another_shape', ('run', GOLDEN, '--input', long), 1, '[1, 9, 40]'),
            ('input_of_another_type', ('run', GOLDEN, '--input', write(tmp / 'i.pb', np.zeros((1, 9), np.int64))), 1, 'integers'),
            ('input_that_is_no_tensor', ('run', GOLDEN, '--input', GOLDEN / 'model.onnx'), 1, 'model.onnx'),
            ('no_input', ('run', GOLDEN), 2, '0 --input'),
            ('two_outputs_asked_of_one', ('run', GOLDEN, '--input', x, '--output', tmp / 'a', '--output', tmp / 'b'), 2, '2 --output'),
            ('output_in_no_folder', ('run', GOLDEN, '--input', x, '--output', tmp / 'no/out.pb'), 4, 'out.pb'),
            ('no_verb', (), 2, 'info, check, run'),
            ('no_model', ('info',), 2, 'takes one model'),
            ('unknown_backend', ('info', GOLDEN, '--backend', 'tpu'), 2, 'auto, cuda, cpu or plain'),
            ('tolerance_that_is_no_number', ('check', GOLDEN, '--tolerance', 'nan'), 2, 'tolerance'),
            ('input_for_info', ('info', GOLDEN, '--input', x), 2, 'belong to run')):
        case(f'refuses_{name}', gives(model(*words), status, part))
    case('help_is_no_error', gives(model('--help'), 0, 'golden vectors') or gives(model('run', '--help'), 0, '--output'))


if not BURSTCTL.exists():
    print(f'skip burstctl_model: {BURSTCTL} is not built')
    sys.exit(0)
with tempfile.TemporaryDirectory() as folder:
    test_info()
    test_run(pathlib.Path(folder))
    test_check(pathlib.Path(folder))
    test_refusals(pathlib.Path(folder))
sys.exit(exit_status())
