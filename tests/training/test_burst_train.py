#!/usr/bin/python3
"""burst-train: experiment files read strictly, splits that leak refused, runs that resume bit for bit, a small network from burst-sim
to the C runtime."""
import json
import os
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / 'training'), str(ROOT / 'tests/parity')]
from report import case, exit_status  # noqa: E402

TINY = """name: tiny
note: A small one.
task: light_curve
model: {kind: resnet_mscfm, width: 8}
data:
  train: {make: [lightcurves, --mission, gecam-b, --n, 64, --seed, 901]}
  validate: {make: [lightcurves, --mission, gecam-b, --n, 48, --seed, 902]}
  test: {make: [lightcurves, --mission, gecam-b, --n, 48, --seed, 903]}
augment: {thin: 0.5, snr_least: 5, cut: 0.2, turn: 0.5, rate: [0.8, 1.25], gain: 0.03}
optimise: {recipe: fast, epochs: 2, batch: 16, threads: 1, rate: 1e-3}
export: {model: gecam-tiny, version: 3}
calibrate: platt
seeds: [1]
"""

# What is changed in TINY, and what the error must say besides the file's name.
WRONG = {
    'unknown_key': (('note: A small one.', 'nota: A small one.'), ':2: nota: unknown key'),
    'unknown_key_below': (('rate: 1e-3', 'rat: 1e-3'), ":10: optimise.rat: unknown key 'rat' (known: batch"),
    'key_given_twice': (('seeds: [1]', 'seeds: [1]\nseeds: [2]'), "'seeds' is given twice"),
    'word_for_a_number': (('epochs: 2', 'epochs: two'), ":10: optimise.epochs: 'two' is no whole number"),
    'batch_of_none': (('batch: 16', 'batch: 0'), "optimise.batch: 'batch' is above 0"),
    'missing_part': (('  test: {make: [lightcurves, --mission, gecam-b, --n, 48, --seed, 903]}\n', ''), "data: 'test' is missing"),
    'missing_task': (('task: light_curve\n', ''), "'task' is missing"),
    'unknown_task': (('task: light_curve', 'task: light'), ":3: task: there is no task 'light' (known: "),
    'unknown_model': (('kind: resnet_mscfm', 'kind: resnot'), ":4: model.kind: there is no model kind 'resnot'"),
    'unknown_model_option': (('width: 8', 'with: 8'), ":4: model.with: unknown key 'with' (known: dropout"),
    'unknown_scaling': (('calibrate: platt', 'prepare: {scaling: sqrt}'), "prepare.scaling: 'sqrt' is none of standardise"),
    'unknown_augmentation': (('cut: 0.2', 'cat: 0.2'), ":9: augment.cat: unknown key 'cat'"),
    'make_and_load': (('seed, 903]}', 'seed, 903], load: x}'), "data.test: a part has either 'make' or 'load'"),
    'unknown_loader': (('{make: [lightcurves, --mission, gecam-b, --n, 48, --seed, 903]}', '{load: nowhere}'), "there is no loader 'nowhere'"),
    'unknown_kind_of_set': (('test: {make: [lightcurves', 'test: {make: [lightcurve'), ":8: data.test.make: 'make' starts with one of"),
    'name_is_not_the_files': (('name: tiny', 'name: teeny'), ":1: name: 'teeny' is not the name of the file"),
    'no_yaml': (('seeds: [1]', 'seeds: [1'), 'tiny.yaml:14: '),
    'start_without_run': (('calibrate: platt', 'start: {train: head}'), "start: 'run' is missing"),
    'unknown_start': (('calibrate: platt', 'start: {run: a, train: tail}'), "start.train: 'tail' is none of all, head, none"),
    'overlay_of_no_part': (('calibrate: platt', 'paper: {data: {tests: {n: 3}}}'), 'paper.data.tests: there is no such part'),
}


def fault_of(call, kind, want):
    """Nothing where the call raises that kind of error with those words."""
    try:
        call()
    except kind as why:
        return None if want in str(why) else f'says: {why}'
    return 'taken'


def written(folder, text, name='tiny'):
    path = folder / f'{name}.yaml'
    path.write_text(text)
    return path


def configurations(folder, config):
    for name, ((old, new), want) in WRONG.items():
        assert old in TINY, old
        path = written(folder, TINY.replace(old, new))
        case(f'refused_{name}', fault_of(lambda: config.read(path), config.Wrong, want))
    case('refused_file_that_is_not_there', fault_of(lambda: config.read('no-such-experiment'), config.Wrong, 'there is no experiment'))
    c = config.read(written(folder, TINY))
    case('exponents_are_numbers', None if c['optimise']['rate'] == 1e-3 else c['optimise']['rate'])
    case('recipes_fill_in_what_is_not_said', None if c['optimise']['smooth'] == 0.02 and c['optimise']['optimiser'] == 'adamw' else c['optimise'])
    text = TINY + 'paper: {data: {train: {n: 205000}}, optimise: {recipe: paper}}\nstart: {run: other}\n'
    c = config.read(written(folder, text), 'paper')
    n, o = c['data']['train']['make'][4], c['optimise']
    case('paper_scale_is_the_papers', None if (n, o['batch'], o['rate'], o['patience'], o['halve_after']) == (205000, 1024, 1e-5, 20, 10) else (n, o))
    case('paper_scale_has_runs_of_its_own', None if (c['name'], c['start']['run']) == ('tiny-paper', 'other-paper') else (c['name'], c['start']))
    c = config.read(written(folder, TINY), small=True)
    case('smoke_is_small', None if c['data']['train']['make'][4] == 64 and c['optimise']['epochs'] == 1 and c['name'] == 'tiny-smoke' else c)
    case('scale_that_is_not_there_is_refused', fault_of(lambda: config.read(folder / 'tiny.yaml', 'paper'), config.Wrong, "no 'paper' scale"))
    faults = [str(why) for path in sorted((ROOT / 'training/experiments').glob('*.yaml')) for why in [reads(config, path)] if why]
    case('every_experiment_reads', '; '.join(faults))


def reads(config, path):
    try:
        config.read(path)
    except config.Wrong as why:
        return why
    return None


def calibration(np):
    from burst_training import calibrate
    draw = np.random.default_rng(1)
    z = draw.normal(0, 3, 40000)
    y = (draw.random(40000) < 1 / (1 + np.exp(-z))).astype(int)
    t = calibrate.temperature(2 * z, y)
    case('temperature_undoes_a_stretch', None if abs(t - 2) < 0.06 else t)
    t, b = calibrate.platt(2 * z - 1.5, y)
    case('platt_undoes_a_stretch_and_an_offset', None if abs(t - 2) < 0.06 and abs(b - 1.5) < 0.1 else (t, b))
    t, b = calibrate.platt(np.array([-1.0, 1, 2]), np.array([0, 1, 1]))
    case('platt_of_separable_rows_is_finite', None if np.isfinite([t, b]).all() and t > 0 else (t, b))
    # by hand: labels 0 1 0 1 1 at 1..5: the fall from 1 to 0 pools into 1/2
    edges, values = calibrate.isotonic(np.array([1.0, 2, 3, 4, 5]), np.array([0, 1, 0, 1, 1]))
    found = np.interp([1, 2, 2.5, 3, 4, 9], edges, values)
    case('isotonic_by_hand', None if np.allclose(found, [0, 0.5, 0.5, 0.5, 1, 1]) else found)


def networks(torch):
    from burst_training import registry
    from burst_training.lightcurve import COUNTED
    wrong = []
    for (kernels, fusion), want in COUNTED.items():
        for norm in ('batch', 'instance'):
            net = registry.build({'kind': 'resnet_mscfm', 'kernels': list(kernels), 'fusion': fusion, 'norm': norm})
            n = sum(p.numel() for p in net.parameters())
            if n != want:
                wrong.append((kernels, fusion, norm, n))
    # science.md A.10: (7,5,3) 939,202 and 1,060,034; (3,3,3) 606,914 and 727,746; (9,5,3) 1,039,810 and 1,160,642
    counts = sorted(COUNTED.values()) == [606_914, 727_746, 939_202, 1_039_810, 1_060_034, 1_160_642]
    case('networks_have_the_papers_parameters', wrong or not counts)
    net = registry.build({'kind': 'resnet_mscfm', 'width': 8}).eval()
    x = torch.randn(2, 9, 1875)
    with torch.no_grad():
        same = torch.allclose(net.head(net.trunk(x)), net(x), atol=1e-6)
    case('head_of_trunk_is_the_network', None if same else 'they differ')
    for norm in ('batch', 'instance'):
        net = registry.build({'kind': 'resnet_mscfm', 'width': 8, 'dropout': 0, 'norm': norm}).double()
        grown = [gradients(net, x.double(), wide) for wide in (False, True)]
        off = max(float((a - b).abs().max()) for a, b in zip(*grown))
        case(f'images_of_height_1_give_the_same_gradients_{norm}', None if off < 1e-9 else f'off by {off}')


def gradients(net, x, wide):
    """Logits and the gradients of all parameters."""
    net.zero_grad()
    net.train().wide = wide
    z = net(x)
    z[:, 1].sum().backward()
    return [z.detach(), *(p.grad.clone() for p in net.parameters())]


def run(loop, config, folder, seed=1, minutes=0.0, parts=None):
    """A run in this process, stopped as often as the time says and gone on from; what best.pt holds, and the number of legs."""
    import torch
    legs = 0
    while True:
        training, parts, _ = loop.open_training(config, seed, folder)
        training.resume()
        legs += 1
        try:
            training.train(minutes)
        except loop.Stopped:
            continue
        return torch.load(folder / 'best.pt'), legs, training, parts


def same_weights(torch, a, b):
    return set(a) == set(b) and all(torch.equal(a[k], b[k]) for k in a)


def resuming(folder, config, loop, torch):
    c = config.read(written(folder, TINY))
    whole, _, _, parts = run(loop, c, folder / 'whole')
    legs_weights, legs, _, _ = run(loop, c, folder / 'legs', minutes=1e-9)
    case('a_run_in_legs_of_one_step_is_the_run_without_a_stop',
         None if legs >= 8 and same_weights(torch, whole, legs_weights) else f'{legs} legs, or other weights')
    rows = [(folder / run / 'log.csv').read_text().splitlines() for run in ('whole', 'legs')]
    told = [[line.rsplit(',', 1)[0] for line in text] for text in rows]  # all but the seconds
    case('a_run_in_legs_logs_the_same', None if len(told[0]) == 3 and told[0] == told[1] else told)
    other, _, _, _ = run(loop, c, folder / 'other', seed=2)
    case('another_seed_is_another_run', None if not same_weights(torch, whole, other) else 'the same weights')
    c['optimise']['rate'] = 2e-3
    case('a_checkpoint_of_other_settings_is_refused', fault_of(lambda: run(loop, c, folder / 'whole'), ValueError, 'other settings'))
    return parts


def accumulating(folder, config, loop, torch):
    """Four pieces of 4 are one batch of 16 where no layer looks across rows."""
    text = TINY.replace('width: 8', 'width: 8, norm: instance, dropout: 0').replace('augment: ', '#').replace('epochs: 2', 'epochs: 1')
    whole, _, _, _ = run(loop, config.read(written(folder, text)), folder / 'batch')
    pieces, _, _, _ = run(loop, config.read(written(folder, text.replace('batch: 16', 'batch: 16, micro: 4'))), folder / 'pieces')
    off = max(float((whole[k] - pieces[k]).abs().max()) for k in whole if whole[k].is_floating_point())
    case('pieces_of_a_batch_add_up_to_it', None if off < 2e-4 else f'off by {off}')


def transferring(folder, config, loop, runs, torch):
    from burst_training import finish
    for name in ('base', 'headonly', 'onward'):
        text = TINY.replace('name: tiny', f'name: {name}').replace('export: {model: gecam-tiny, version: 3}\n', '').replace('epochs: 2', 'epochs: 1')
        if name != 'base':
            text = text.replace('901', '911').replace('augment: ', '#') + f'start: {{run: base, train: {"head" if name == "headonly" else "all"}}}\n'
        c = config.read(written(folder, text, name))
        training, parts, earlier = loop.open_training(c, 1, runs.run_folder(name, 1))
        training.train()
        finish.finish(training, parts, earlier)
    base, head, onward = (torch.load(runs.run_folder(n, 1) / 'best.pt') for n in ('base', 'headonly', 'onward'))
    kept = [k for k in base if not torch.equal(base[k], head[k])]
    case('head_alone_leaves_convolutions_and_statistics', None if kept and all(k.startswith('head.') for k in kept) else kept)
    moved = [k for k in base if not torch.equal(base[k], onward[k])]
    case('all_layers_moves_convolutions_and_statistics', None if {'units.0.first.0.weight', 'units.0.first.1.running_mean'} <= set(moved) else moved)
    trained_on = runs.read_json(runs.run_folder('onward', 1) / 'run.json')['trained_on']
    case('a_run_remembers_what_its_start_was_trained_on', None if trained_on == [['burst-sim', 901], ['burst-sim', 911]] else trained_on)
    text = text.replace('903', '901')
    case('test_bursts_that_the_start_was_trained_on_are_refused',
         fault_of(lambda: loop.open_training(config.read(written(folder, text, name)), 1, folder / 'leak'), ValueError, 'seed 901'))


def leaks(folder, config, data):
    text = TINY.replace('48, --seed, 903', '48, --seed, 901')
    case('one_seed_in_train_and_test_is_refused',
         fault_of(lambda: data.open_parts(config.read(written(folder, text))), data.Leak, 'seed 901 is in both train and test'))


def augmenting(parts, np):
    train, test = parts['train'], parts['test']
    pick = np.arange(len(train))
    a, b, c = (train.take(pick, np.random.default_rng(s))[0] for s in (1, 1, 2))
    case('an_augmented_batch_depends_on_the_draw_alone', None if np.array_equal(a, b) and not np.array_equal(a, c) else 'no')
    plain = train.take(pick)[0]
    case('without_a_draw_nothing_is_changed', None if np.array_equal(plain, train.take(pick)[0]) and not np.array_equal(plain, a) else 'it is')
    case('only_the_train_part_is_augmented', None if test.augment is None else 'test is')
    change, was = train.augment, (train.augment.onset.copy(), train.augment.stop.copy())
    change.onset[5], change.stop[5] = 0, train.n_bin
    left = np.array_equal(train.counts(pick, np.random.default_rng(1))[0][5], train.atoms[5])
    change.onset, change.stop = was
    case('a_burst_that_fills_its_window_is_left_as_it_is', None if left else 'it is changed')
    counts, valid = train.counts(pick, np.random.default_rng(3))
    case('augmented_counts_are_none_where_data_are_missing', None if (counts.sum(1)[valid == 0] == 0).all() else 'some')


def program(folder, np):
    """The command itself, on 64 samples, to the exported file."""
    path = written(folder, TINY)
    env = dict(os.environ, BURST_TRAINING=str(folder / 'store'), OMP_NUM_THREADS='1')

    def burst_train(*words):
        return subprocess.run([ROOT / 'training/burst-train', *map(str, words)], env=env, capture_output=True, text=True)
    done = burst_train(path, '--smoke')
    case('smoke_ends_well', None if done.returncode == 0 else done.stdout[-1000:] + done.stderr[-2000:])
    if done.returncode:
        return
    run_folder = folder / 'store/runs/tiny-smoke/1'
    left = {p.name for p in run_folder.iterdir()}
    want = {'best.pt', 'checkpoint.pt', 'log.csv', 'predictions-validate.npz', 'predictions-test.npz', 'figures.json', 'run.json', 'card.md', 'export'}
    case('a_run_leaves_what_it_should', sorted(want - left))
    predictions(np, run_folder)
    exported(run_folder)
    once = burst_train(path, '--smoke', '--resume')
    case('what_is_done_is_left_alone', None if once.returncode == 0 and once.stdout == '' else once.stdout + once.stderr)
    path = written(folder, TINY.replace('epochs: 2', 'epochs: 1'))
    stopped = burst_train(path, '--minutes', '1e-9')
    case('a_run_that_was_stopped_says_so', None if stopped.returncode == 75 and 'stopped' in stopped.stdout else (stopped.returncode, stopped.stderr))
    again = burst_train(path)
    case('a_run_is_not_thrown_away_unasked', None if again.returncode == 1 and '--resume' in again.stderr else (again.returncode, again.stderr))
    case('no_experiment_is_a_usage_error', None if burst_train().returncode == 2 else 'not')
    listed = burst_train('--list')
    case('list_names_every_experiment', [p.stem for p in (ROOT / 'training/experiments').glob('*.yaml') if p.stem not in listed.stdout])


def predictions(np, run_folder):
    with np.load(run_folder / 'predictions-test.npz') as kept:
        arrays = {name: kept[name] for name in kept.files}
    faults = [name for name in ('logit', 'y', 'group', 'snr', 'family', 'temperature') if name not in arrays]
    faults += [name for name, array in arrays.items() if array.ndim and len(array) != 64]
    case('predictions_hold_a_row_per_sample', faults or not np.isfinite(arrays['logit']).all())
    figures = json.loads((run_folder / 'figures.json').read_text())
    hit = float(((arrays['logit'] > 0) == (arrays['y'] == 1)).mean())
    told = figures['parts']['test']['figures']['accuracy']['value']
    case('figures_are_of_the_predictions', None if abs(hit - told) < 1e-9 else (hit, told))
    card = (run_folder / 'card.md').read_text()
    words = ['# gecam-tiny, version 3', '--seed 903', 'Simulated data only', f'{100 * told:.2f} [', 'Known failures', 'temperature and offset', 'C runtime']
    case('the_card_tells_data_recipe_and_figures', [w for w in words if w not in card])


def exported(run_folder):
    import numpy as np
    import onnx
    from burst_training import clib
    from onnx import numpy_helper
    model = onnx.load(str(run_folder / 'export/model.onnx'))
    version = (model.opset_import[0].version, model.ir_version)
    case('opset_and_ir_are_allowed', None if version[0] <= 17 and version[1] <= 8 else version)
    meta = {p.key: json.loads(p.value) for p in model.metadata_props}
    want = {'burst.kind': 'light_curve', 'burst.version': '3', 'burst.bin_s': 0.064, 'burst.n_bin': 1875, 'burst.standardise': 'band',
            'burst.classes': ['background', 'burst'], 'burst.thresholds': {'open': 0.5, 'low': 0.2, 'high': 0.8}}
    case('metadata_are_the_protocols', {k: meta.get(k) for k in want if meta.get(k) != want[k]} or not 0 < meta['burst.temperature'] or not meta['burst.card'])
    x, y = (numpy_helper.to_array(onnx.load_tensor(str(run_folder / f'export/test_data_set_0/{n}_0.pb'))) for n in ('input', 'output'))
    with clib.Net(str(run_folder / 'export')) as net:
        off = float(np.abs(net.run(np.ascontiguousarray(x)) - y).max())
    case('the_c_runtime_gives_the_golden_logits', None if x.shape[1:] == (9, 1875) and off < 1e-4 else f'{x.shape}, off by {off}')
    with np.load(run_folder / 'predictions-test.npz') as kept:
        near = np.abs(kept['logit'][:, None] - (y[:, 1] - y[:, 0])[None]).min(0).max()
    case('the_offset_of_calibration_is_in_the_file', None if near < 1e-4 else f'off by {near}')


def ordering(config):
    import importlib.machinery
    import importlib.util
    loader = importlib.machinery.SourceFileLoader('burst_train_command', str(ROOT / 'training/burst-train'))
    sys.dont_write_bytecode = True
    command = importlib.util.module_from_spec(importlib.util.spec_from_loader(loader.name, loader))
    loader.exec_module(command)
    made = {n: {'name': n, 'start': {'run': s} if s else {}, 'model': {}} for n, s in (('a', 'b'), ('b', 'c'), ('c', ''), ('d', 'elsewhere'))}
    case('a_run_comes_after_its_start', None if [c['name'] for c in command.in_order(made)] == ['c', 'b', 'a', 'd'] else 'not')
    made['b'].update(start={}, model={'of': 'd'})
    order = [c['name'] for c in command.in_order(made)]
    case('an_ensemble_comes_after_its_members', None if order == ['d', 'b', 'a', 'c'] else order)
    made['b']['start'], made['c']['start'] = {'run': 'c'}, {'run': 'a'}
    case('a_circle_of_starts_is_refused', fault_of(lambda: command.in_order(made), config.Wrong, 'a circle'))


def main():
    try:
        import numpy as np
        import onnx  # noqa: F401
        import torch
        import yaml  # noqa: F401
    except ImportError as why:
        print(f'skip burst_train: {why}')
        return 0
    with tempfile.TemporaryDirectory(prefix='burst-train-') as name:
        folder = pathlib.Path(name)
        os.environ['BURST_TRAINING'] = str(folder / 'store')
        from burst_training import config, data, loop, registry, runs
        registry.discover()
        configurations(folder, config)
        ordering(config)
        calibration(np)
        networks(torch)
        parts = resuming(folder, config, loop, torch)
        augmenting(parts, np)
        accumulating(folder, config, loop, torch)
        leaks(folder, config, data)
        transferring(folder, config, loop, runs, torch)
        program(folder, np)
    return exit_status()


if __name__ == '__main__':
    sys.exit(main())
