#!/usr/bin/python3
"""The real networks at full size, random weights, against PyTorch: A.10, B.4 and ResNet-50, on every backend built in."""
import os
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BUILD = pathlib.Path(os.environ.get('BURST_BUILD', ROOT / 'build/release'))
sys.path.insert(0, str(ROOT / 'tests/golden/net'))


def write_networks(folder):
    """Folders of the networks, and how many have not the parameters they should have."""
    import torch

    import make
    import networks
    torch.manual_seed(1120)
    light = networks.settle(networks.LightCurveNet(), torch.randn(4, 9, 1875))
    image = networks.settle(networks.image_net(), torch.randn(4, 2, 56, 56))
    resnet = networks.settle(networks.ResNet(), torch.randn(4, 3, 64, 64))
    wrong = 0
    for net, want in ((light, 1060034), (image, 1624993), (resnet, 25557032)):
        have = sum(p.numel() for p in net.parameters())
        wrong += have != want
        print(f'ok parameters_{want}' if have == want else f'FAIL parameters_{want}: {have}', flush=True)
    make.export(folder / 'light_curve', light, torch.randn(3, 9, 1875), 'light_curve')
    make.export(folder / 'image', image, torch.randn(3, 2, 56, 56), 'image')
    make.export(folder / 'resnet50', resnet, torch.randn(1, 3, 224, 224), 'image')
    return [folder / name for name in ('light_curve', 'image', 'resnet50')], wrong


def main():
    try:
        import onnx  # noqa: F401
        import torch  # noqa: F401
    except ImportError as e:
        print(f'skip net_torch: {e}')
        return 0
    with tempfile.TemporaryDirectory() as folder:
        folders, wrong = write_networks(pathlib.Path(folder))
        return subprocess.run([BUILD / 'tests/net_test_golden', *folders]).returncode + wrong


if __name__ == '__main__':
    sys.exit(main())
