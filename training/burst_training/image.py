"""Networks that judge ECLAIRs sub-images: [N, 2, 56, 56] image and mask planes -> [N, 1] logit of a true alert.

The input is what burstd gives (protocol.md 10): S/N clipped to [-10, 30] over 5, and the mask (0 no data, 1 background,
2 known source, 3 trigger pixel) over 3. What a network wants instead, one plane per mask value and one for the data, it
makes itself out of ordinary operators (Planes), so that the daemon need not know."""
import torch
from torch import nn

from burst_training.registry import register

SIDE, CENTRE = 56, 28
CLIP, SCALE, MASK_SCALE = [-10, 30], 5, 3
MASK_IGNORE, MASK_BACKGROUND, MASK_KNOWN, MASK_TRIGGER = range(4)
N_PARAMETER = 1_624_993
N_PLANE = 6  # image above 0, image below 0, data, background, known source, trigger pixel


class ImageNet(nn.Module):
    """Two convolutions and two dense layers, exactly 1,624,993 parameters (science.md B.4)."""

    def __init__(self, use_mask=True):
        super().__init__()
        self.features = nn.Sequential(nn.Conv2d(2, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
                                      nn.Conv2d(32, 64, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2))
        self.head = nn.Sequential(nn.Flatten(), nn.Linear(64 * 14 * 14, 128), nn.ReLU(), nn.Dropout(0.5),
                                  nn.Linear(128, 1))
        self.use_mask = use_mask
        n = sum(p.numel() for p in self.parameters())
        assert n == N_PARAMETER, n

    def forward(self, x):
        return self.head(self.features(x if self.use_mask else without_mask(x)))


def without_mask(x):
    """The image alone: every pixel is background, so that a network of the same size knows no mask."""
    return torch.stack([x[:, 0], torch.full_like(x[:, 0], MASK_BACKGROUND / MASK_SCALE)], 1)


def point(n_out, n_in, weight, bias):
    """A 1 x 1 convolution that is not trained."""
    layer = nn.Conv2d(n_in, n_out, 1)
    layer.weight.data = torch.tensor(weight, dtype=torch.float32).view(n_out, n_in, 1, 1)
    layer.bias.data = torch.tensor(bias, dtype=torch.float32)
    return layer.requires_grad_(False)


class Planes(nn.Module):
    """Image and mask as N_PLANE planes, by three 1 x 1 convolutions that are not trained.

    With v = 3 x the mask plane, relu(1 - relu(1 - z)) and z = 4 (v - k) + 3 is a step that is exactly 0 for v <= k - 3/4 and
    exactly 1 for v >= k - 1/2, so no rounding of k/3 shows: "at least k" is an exact 0 or 1, and so is the difference of
    two. The image goes through the ReLUs as what is above 0 and what is below. use_mask: without it the planes of the mask
    are those of a frame that is all background."""

    def __init__(self, use_mask=True):
        super().__init__()
        mask = 4.0 * MASK_SCALE if use_mask else 0.0
        rows = [[1, 0], [-1, 0]] + [[0, -mask]] * 3
        bias = [0, 0] + [4.0 * k - 2 if use_mask else (k - 1) * 4.0 for k in (1, 2, 3)]  # 1 - z
        self.low = point(5, 2, rows, bias)
        self.step = point(5, 5, [[1, 0, 0, 0, 0], [0, 1, 0, 0, 0], [0, 0, -1, 0, 0], [0, 0, 0, -1, 0], [0, 0, 0, 0, -1]],
                          [0, 0, 1, 1, 1])
        self.one_hot = point(N_PLANE, 5, [[1, 0, 0, 0, 0], [0, 1, 0, 0, 0], [0, 0, 1, 0, 0], [0, 0, 1, -1, 0],
                                          [0, 0, 0, 1, -1], [0, 0, 0, 0, 1]], [0] * N_PLANE)

    def forward(self, x):
        return self.one_hot(torch.relu(self.step(torch.relu(self.low(x)))))


def plain_block(n_in, n_out):
    return [nn.Conv2d(n_in, n_out, 3, padding=1, bias=False), nn.BatchNorm2d(n_out), nn.ReLU()]


class SmallNet(nn.Module):
    """Planes, three blocks of convolution, batch normalisation and ReLU with pooling between, global pooling, dropout and
    one dense layer (science.md B.6)."""

    def __init__(self, widths=(24, 48, 64), dropout=0.3, use_mask=True):
        super().__init__()
        layers, n_in = [], N_PLANE
        for n_out in widths:
            layers += [*plain_block(n_in, n_out), nn.MaxPool2d(2)]
            n_in = n_out
        self.planes, self.features = Planes(use_mask), nn.Sequential(*layers)
        self.head = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(dropout), nn.Linear(n_in, 1))

    def forward(self, x):
        return self.head(self.features(self.planes(x)))


@register("image_1624993")
def build_image_net(use_mask=True):
    return ImageNet(use_mask)


@register("image_small")
def build_small(widths=(24, 48, 64), dropout=0.3, use_mask=True):
    return SmallNet(widths, dropout, use_mask)
