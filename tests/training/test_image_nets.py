#!/usr/bin/python3
"""Networks for sub-images: their sizes, the planes they make of the mask, the symmetry of the one that has it, and that the exported
file says the same in burstd's own runtime."""
import json
import pathlib
import subprocess
import sys
import tempfile

from common import BUILD, case, status


def sizes():
    n = sum(p.numel() for p in image.ImageNet().parameters())
    case('the_published_network_has_1624993_parameters', None if n == 1_624_993 else n)
    # by hand: conv 6 x 9 x 24, 24 x 9 x 48, 48 x 9 x 64; two numbers per batch normalisation; dense 64 + 1
    n = sum(p.numel() for p in image.SmallNet().parameters() if p.requires_grad)
    want = 6 * 9 * 24 + 24 * 9 * 48 + 48 * 9 * 64 + 2 * (24 + 48 + 64) + 65
    case('the_small_network_has_what_its_widths_say', None if n == want else f'{n}, not {want}')
    # by hand: fields of 6 x 9, then 72 numbers for each field before; 5 x 5 x 8 of the last; dense 6 x 4 rings and 24 -> 32 -> 1
    n = sum(p.numel() for p in image_d4.D4Net((2, 4, 6), (8, 8, 12), 24, 32).parameters() if p.requires_grad)
    frame, fovea = 2 * 54 + 4 * 2 * 72 + 6 * 4 * 72 + 2 * 12, 8 * 54 + 8 * 8 * 72 + 12 * 8 * 72 + 2 * 28
    want = frame + fovea + 24 * 12 * 200 + 2 * 24 + 32 * (6 * 4 + 1) + 32 * 24 + 33
    case('the_symmetric_network_shares_its_kernels', None if n == want else f'{n}, not {want}')
    net = image_resnet.ResNet50()
    n = sum(p.numel() for p in net.trunk.parameters()) + 2048 * 1000 + 1000
    case('resnet50_has_the_published_parameters', None if n == 25_557_032 else n)


def planes():
    """Every mask value as image_input makes it in C: a float divided by a float."""
    values = np.array([0, 1, 2, 3], np.float32) / np.float32(3)
    x = np.zeros((1, 2, 4, 6), np.float32)
    x[0, 0] = np.linspace(-2, 6, 24).reshape(4, 6)
    x[0, 1] = values[:, None]
    got = image.Planes()(torch.from_numpy(x))[0].numpy()
    mask = np.arange(4)[:, None] + np.zeros((4, 6))
    want = [np.maximum(x[0, 0], 0), np.maximum(-x[0, 0], 0), mask > 0, mask == 1, mask == 2, mask == 3]
    case('planes_are_exact_for_every_mask_value', None if all((g == w).all() for g, w in zip(got, want)) else got.tolist())
    near = np.nextafter(values, np.float32(9)), np.nextafter(values, np.float32(-9))
    for x[0, 1] in (near[0][:, None] + 0 * x[0, 1], near[1][:, None] + 0 * x[0, 1]):
        off = [g for g, w in zip(image.Planes()(torch.from_numpy(x))[0].numpy()[2:], want[2:]) if not (g == w).all()]
        case('planes_do_not_show_how_a_third_was_rounded', off)
    blind = image.Planes(use_mask=False)(torch.from_numpy(x))[0].numpy()[2:]
    case('without_the_mask_all_is_background', None if (blind[:2] == 1).all() and (blind[2:] == 0).all() else blind.tolist())


def some_images(n, seed=1):
    draw = np.random.default_rng(seed)
    x = np.clip(draw.normal(0, 0.3, (n, 2, 56, 56)), -2, 6).astype(np.float32)
    x[:, 1] = draw.choice(np.arange(4, dtype=np.float32) / np.float32(3), (n, 56, 56), p=[.1, .8, .07, .03])
    x[:, 0] *= x[:, 1] > 0
    return x


def settled(net, seed):
    """Random weights with batch normalisations that do something."""
    torch.manual_seed(seed)
    for m in net.modules():
        if isinstance(m, torch.nn.BatchNorm2d):
            m.running_mean.normal_(0, 0.3)
            m.running_var.uniform_(0.5, 2)
            m.weight.data.uniform_(-2, 2)
            m.bias.data.normal_(0, 0.3)
    return net.eval()


def views(x):
    """The eight symmetries of whole frames."""
    return [np.ascontiguousarray(np.rot90(x[..., ::-1] if mirrored else x, quarters, (-2, -1)))
            for mirrored in (False, True) for quarters in range(4)]


def run_c(model, x, folder, backend):
    from onnx import numpy_helper
    (folder / 'x.pb').write_bytes(numpy_helper.from_array(x, 'image').SerializeToString())
    done = subprocess.run([BUILD / 'burstctl', 'model', 'run', model, '--backend', backend, '--input', folder / 'x.pb', '--output',
                           folder / 'y.pb'], capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f'burstctl model run: {done.returncode} {done.stderr}')
    return numpy_helper.to_array(onnx.load_tensor(str(folder / 'y.pb')))


def ensemble(n=2):
    return [settled(image_d4.D4Net((1, 2, 2), (2, 2, 3), 4, 8), seed) for seed in range(n)]


def symmetry(folder):
    net, x = ensemble(1)[0], some_images(3)
    with torch.no_grad():
        want = net(torch.from_numpy(x)).numpy()
        off = max(np.abs(net(torch.from_numpy(v)).numpy() - want).max() for v in views(x))
    case('eight_views_have_one_answer', None if off < 1e-5 else off)
    moved = np.roll(x, 3, -1)
    with torch.no_grad():
        other = np.abs(net(torch.from_numpy(moved)).numpy() - want).max()
    case('another_image_has_another_answer', None if other > 20 * off and other > 5e-5 else other)


def exported(folder):
    nets, x = ensemble(), some_images(3)
    with torch.no_grad():
        want = sum(net(torch.from_numpy(x)).numpy() for net in nets) / len(nets)
        whole = image_ordinary.ordinary(nets)
        off = np.abs(whole(torch.from_numpy(x)).numpy() - want).max()
    case('ordinary_convolutions_give_the_mean_of_the_ensemble', None if off < 1e-5 else off)
    export.write_onnx(whole, (2, 56, 56), folder / 'model.onnx', 'image', {'burst.kind': 'image', 'burst.temperature': 1.25})
    model = onnx.load(str(folder / 'model.onnx'))
    ops = {node.op_type for node in model.graph.node}
    groups = [a.i for node in model.graph.node for a in node.attribute if a.name == 'group' and a.i != 1]
    case('no_convolution_of_the_file_is_grouped', groups)
    case('the_file_holds_ordinary_operators', ops - {'Add', 'Conv', 'Relu', 'MaxPool', 'Flatten', 'Constant'})
    meta = {p.key: json.loads(p.value) for p in model.metadata_props}
    case('the_file_carries_its_metadata', None if meta == {'burst.kind': 'image', 'burst.temperature': 1.25} else meta)
    if not (BUILD / 'burstctl').exists():
        print(f'skip the_c_runtime: {BUILD}/burstctl is not built')
        return
    for backend in ('cpu', 'plain'):
        got = run_c(folder / 'model.onnx', np.concatenate(views(x)), folder, backend).reshape(8, 3, 1)
        off = np.abs(got - want).max()
        case(f'{backend}_answers_as_pytorch_does_for_every_view', None if off < 1e-5 else off)


def resnet(folder):
    """The network at 224 x 224 in the C runtime; linear interpolation as PyTorch's own."""
    torch.manual_seed(3)
    x = torch.randn(1, 3, 56, 56)
    want = torch.nn.functional.interpolate(x, scale_factor=4, mode='bilinear', align_corners=False)
    off = (image_resnet.Enlarge(3, 4)(x) - want)[:, :, 4:-4, 4:-4].abs().max().item()
    case('enlarging_is_linear_interpolation', None if off < 1e-5 else off)
    net = image_resnet.ResNet50(2, frozen=3)
    net.train()
    before = net.trunk[1].running_mean.clone()
    net(torch.from_numpy(some_images(2)))
    still = torch.equal(before, net.trunk[1].running_mean) and not net.trunk[0].weight.requires_grad
    case('frozen_layers_stay_as_they_are', None if still and net.trunk[-1].main[0].weight.requires_grad else 'they moved')
    export.write_onnx(settled(net, 3), (2, 56, 56), folder / 'resnet.onnx', 'image', {'burst.kind': 'image'})
    if (BUILD / 'burstctl').exists():
        with torch.no_grad():
            want = net(torch.from_numpy(some_images(2))).numpy()
        off = np.abs(run_c(folder / 'resnet.onnx', some_images(2), folder, 'cpu') - want).max() / max(1.0, np.abs(want).max())
        case('the_c_runtime_runs_the_enlarged_resnet50', None if off < 1e-4 else off)


def refusals():
    try:
        image_ordinary.ordinary([image_d4.D4Net(), image_d4.D4Net(use_mask=False)])
        case('members_with_and_without_the_mask_are_refused', 'they were taken')
    except ValueError as why:
        case('members_with_and_without_the_mask_are_refused', None if 'the mask' in str(why) else why)
    bad = ensemble(1)[0]
    bad.out.bias.data[0] = float('nan')
    try:
        image_ordinary.ordinary([bad])
        case('weights_that_are_not_finite_are_refused', 'they were taken')
    except ValueError as why:
        case('weights_that_are_not_finite_are_refused', None if 'finite' in str(why) else why)


def augmentation():
    x = some_images(64)
    x[:, :, 28, 28] = 2.0, 1.0  # the trigger pixel has data
    options = {'turn': 'trigger', 'lose': 0.5, 'noise': 0.3, 'shift': 0.4, 'scale': 0.1}
    y = image_augment.change(options, x, np.random.default_rng(5))
    case('changed_images_are_copies', None if not np.shares_memory(x, y) and y.dtype == np.float32 and y.shape == x.shape else 'not so')
    case('pixels_without_data_are_0', None if (y[:, 0][y[:, 1] == 0] == 0).all() else 'not all')
    case('mask_values_stay_exact', None if set(np.unique(y[:, 1])) <= set(np.unique(x[:, 1])) else np.unique(y[:, 1]))
    case('the_trigger_pixel_is_never_lost_nor_moved', None if (y[:, 1, 28, 28] == 1).all() else 'it was')
    case('the_scaled_image_stays_clipped', None if y[:, 0].min() >= -2 and y[:, 0].max() <= 6 else (y[:, 0].min(), y[:, 0].max()))
    same = image_augment.change(options, x, np.random.default_rng(5))
    case('the_same_draw_changes_alike', None if np.array_equal(same, y) else 'it does not')
    plain = image_augment.change({}, x, np.random.default_rng(5))
    case('no_options_change_nothing', None if np.array_equal(plain, x) else 'something')
    lost = (image_augment.change({'lose': 1.0}, x, np.random.default_rng(2))[:, 1] == 0).sum((1, 2)) - (x[:, 1] == 0).sum((1, 2))
    case('every_image_loses_packets_where_all_do', None if lost.min() > 0 else lost.min())
    ramp = np.tile(np.arange(56, dtype=np.float32), (1, 56, 1))
    moved = image_augment.shift_fraction(ramp, np.zeros(1), np.array([0.25]))
    case('a_quarter_pixel_moves_a_ramp_by_a_quarter', None if np.allclose(moved[0, :, 1:-1], ramp[0, :, 1:-1] - 0.25, atol=1e-5) else moved[0, 0])


def main():
    global np, onnx, torch, export, image, image_augment, image_d4, image_ordinary, image_resnet
    try:
        import numpy as np
        import onnx
        import torch
    except ImportError as why:
        print(f'skip image_networks: {why}')
        return 0
    from burst_training import export, image, image_augment, image_d4, image_ordinary, image_resnet
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        for part in (sizes, planes, refusals, augmentation):
            part()
        for part in (symmetry, exported, resnet):
            part(pathlib.Path(folder))
    return status()


if __name__ == '__main__':
    sys.exit(main())
