"""ResNet-50 (He et al. 2016) over sub-images enlarged to 224 x 224 inside the network, by operators that burstd's runtime knows.

Weights trained on photographs are not part of this project: what it is pre-trained on is simulation, and the card of a run says
so. `enlarge` 1, 2 or 4 gives 56, 112 or 224 pixels a side: the same weights work on each."""
import torch
from torch import nn

from burst_training.image import N_PLANE, SIDE, Planes
from burst_training.registry import register

STAGES = ((64, 3), (128, 4), (256, 6), (512, 3))
EXPAND = 4
N_PARAMETER_1000 = 25_557_032  # with three input planes and 1,000 classes, as published


class Enlarge(nn.Module):
    """Linear interpolation to `times` the side: a 3 x 3 convolution that is not trained makes times^2 planes of each, which are
    then laid out in space. Beyond the edge lies 0, as in every other layer."""

    def __init__(self, n_plane, times):
        super().__init__()
        self.n_plane, self.times = n_plane, times
        taps = []
        for r in range(times):
            off = (r + 0.5) / times - 0.5
            taps.append([max(-off, 0.0), 1 - abs(off), max(off, 0.0)])
        taps = torch.tensor(taps)
        kernel = torch.einsum("ai,bj->abij", taps, taps).reshape(times**2, 1, 3, 3)
        self.register_buffer("kernel", kernel.repeat(n_plane, 1, 1, 1), persistent=False)  # weights fit every size

    def forward(self, x):
        k = self.times
        x = nn.functional.conv2d(x, self.kernel, padding=1, groups=self.n_plane).reshape(-1, self.n_plane, k, k, SIDE, SIDE)
        return x.permute(0, 1, 4, 2, 5, 3).reshape(-1, self.n_plane, SIDE * k, SIDE * k)


class Bottleneck(nn.Module):
    def __init__(self, n_in, width, stride):
        super().__init__()
        n_out = width * EXPAND
        self.main = nn.Sequential(
            nn.Conv2d(n_in, width, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU(),
            nn.Conv2d(width, width, 3, stride, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU(),
            nn.Conv2d(width, n_out, 1, bias=False), nn.BatchNorm2d(n_out))
        self.short = nn.Identity()
        if stride != 1 or n_in != n_out:
            self.short = nn.Sequential(nn.Conv2d(n_in, n_out, 1, stride, bias=False), nn.BatchNorm2d(n_out))

    def forward(self, x):
        return torch.relu(self.main(x) + self.short(x))


def trunk():
    """[N, 3, H, W] -> [N, 2048, H / 32, W / 32]"""
    layers = [nn.Conv2d(3, 64, 7, 2, 3, bias=False), nn.BatchNorm2d(64), nn.ReLU(), nn.MaxPool2d(3, 2, 1)]
    n_in = 64
    for i, (width, n_block) in enumerate(STAGES):
        for block in range(n_block):
            layers.append(Bottleneck(n_in, width, 2 if i > 0 and block == 0 else 1))
            n_in = width * EXPAND
    return nn.Sequential(*layers)


class ResNet50(nn.Module):
    """frozen: how many of the 16 bottlenecks (and, where above 0, what lies before them) are not trained: their batch
    normalisation keeps its statistics. bf16: the trunk computes in bfloat16 when it is asked, too, a third of the time on a CPU."""

    def __init__(self, enlarge=4, frozen=0, use_mask=True, bf16=False):
        super().__init__()
        self.bf16 = bf16
        self.planes, self.colours = Planes(use_mask), nn.Conv2d(N_PLANE, 3, 1)
        self.enlarge = Enlarge(3, enlarge) if enlarge > 1 else nn.Identity()
        self.trunk = trunk()
        self.head = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(2048, 1))
        for block in self.trunk:
            if isinstance(block, Bottleneck):
                nn.init.zeros_(block.main[-1].weight)  # every block starts as the identity: few images train it sooner
        self.frozen = [self.colours, *self.trunk[:4 + frozen]] if frozen else []
        for part in self.frozen:
            part.requires_grad_(False)

    def train(self, mode=True):
        super().train(mode)
        for part in self.frozen:
            part.train(False)
        return self

    def features(self, x):
        x = self.colours(self.planes(x))
        with torch.autocast(x.device.type, torch.bfloat16, enabled=self.bf16 or torch.is_autocast_cpu_enabled()):
            x = self.trunk(self.enlarge(x))
        return x if x.dtype == torch.float32 else x.float()

    def forward(self, x):
        return self.head(self.features(x))


@register("image_resnet50")
def build_resnet50(enlarge=4, frozen=0, use_mask=True, bf16=False):
    return ResNet50(enlarge, frozen, use_mask, bf16)
