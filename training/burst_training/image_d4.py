"""A network of the eight symmetries of the square: its answer is the same, to rounding, for an image turned or mirrored.

Every layer holds C fields of eight planes, one per symmetry (group convolution, Cohen and Welling 2016). Only one of the eight
kernels of a field is a parameter; the others are it turned and mirrored, so the exported file holds ordinary convolutions of
8 C channels (ordinary()). Frames are turned whole: 56, 28, 14 and 7 pixels and 2 x 2 poolings let that commute. The answer
equals the mean over eight views of the input at the price of one."""
import torch
from torch import nn

from burst_training.image import N_PLANE, Planes
from burst_training.registry import register

N_VIEW = 8
# Pixels of the last, 7 x 7, plane by their distance from the middle one, which holds the trigger pixel: rings of the head.
LAST_SIDE, RINGS = 7, ((0, 0), (1, 1), (2, 3))
N_POOL = 3


def view(kernel, g):
    """Symmetry g of a kernel [..., k, k]: mirrored for g >= 4, then turned by g quarters."""
    if g >= 4:
        kernel = torch.flip(kernel, (-1,))
    return torch.rot90(kernel, g % 4, (-2, -1))


def product(g, h):
    """The symmetry that is h, then g: found by what they do to a frame without any symmetry."""
    frame = torch.arange(9).view(3, 3)
    both = view(view(frame, h), g)
    return next(k for k in range(N_VIEW) if torch.equal(view(frame, k), both))


def inverse(g):
    return next(k for k in range(N_VIEW) if product(g, k) == 0)


def lift_index(n_plane, k):
    """[8, n_plane k k]: which parameter of a field's kernel stands where in the kernel of each symmetry."""
    at = torch.arange(n_plane * k * k).view(n_plane, k, k)
    return torch.stack([view(at, g).reshape(-1) for g in range(N_VIEW)])


def group_index(n_in, k):
    """The same for kernels over n_in fields of eight planes: plane h of symmetry g's kernel is parameter plane g^-1 h, turned."""
    at = torch.arange(n_in * N_VIEW * k * k).view(n_in, N_VIEW, k, k)
    rows = []
    for g in range(N_VIEW):
        planes = [product(inverse(g), h) for h in range(N_VIEW)]
        rows.append(view(at[:, planes], g).reshape(-1))
    return torch.stack(rows)


class GroupConv(nn.Module):
    """Convolution [N, n_in, H, W] -> [N, 8 n_out, H, W]; n_in counts planes of the image where `lift`, else fields."""

    def __init__(self, n_in, n_out, lift=False, k=3):
        super().__init__()
        self.shape = (N_VIEW * n_out, n_in if lift else n_in * N_VIEW, k, k)
        index = lift_index(n_in, k) if lift else group_index(n_in, k)
        self.register_buffer("index", index, persistent=False)
        self.weight = nn.Parameter(torch.randn(n_out, index.shape[1]) * (2.0 / index.shape[1]) ** 0.5)

    def kernel(self):
        return self.weight[:, self.index].reshape(self.shape)

    def forward(self, x):
        return nn.functional.conv2d(x, self.kernel(), padding=self.shape[-1] // 2)


class FieldNorm(nn.BatchNorm2d):
    """Batch normalisation with one mean and deviation for the eight planes of a field. Its factor is the size of the weight: as
    it never falls, it may stand behind a pooling (a quarter of the work) and be folded into the convolution before it."""

    def forward(self, x):
        n, c, h, w = x.shape
        x = x.contiguous().view(n, c // N_VIEW, N_VIEW * h, w)
        x = nn.functional.batch_norm(x, self.running_mean, self.running_var, self.weight.abs(), self.bias, self.training, self.momentum, self.eps)
        return x.view(n, c, h, w)


class D4Net(nn.Module):
    """Planes, three to four group convolutions with pooling between, then per field the mean over symmetries and over each ring
    around the trigger pixel and over the whole frame; two dense layers."""

    def __init__(self, fields=(4, 8, 12), hidden=32, dropout=0.3, use_mask=True):
        super().__init__()
        self.planes = Planes(use_mask)
        self.conv, self.norm, n_in = nn.ModuleList(), nn.ModuleList(), N_PLANE
        for i, n_out in enumerate(fields):
            self.conv.append(GroupConv(n_in, n_out, lift=i == 0))
            self.norm.append(FieldNorm(n_out))
            n_in = n_out
        self.register_buffer("rings", ring_weights(), persistent=False)
        self.hidden = nn.Linear(n_in * len(self.rings), hidden)
        self.drop, self.out = nn.Dropout(dropout), nn.Linear(hidden, 1)

    def pooled(self, x):
        """[N, 8 C, 7, 7] -> [N, C len(rings)]"""
        n, c, h, w = x.shape
        fields = x.view(n, c // N_VIEW, N_VIEW, h * w).mean(2)
        return torch.matmul(fields, self.rings.t()).flatten(1)

    def forward(self, x):
        x = self.planes(x)
        for i, (conv, norm) in enumerate(zip(self.conv, self.norm)):
            x = conv(x.contiguous(memory_format=torch.channels_last))  # twice as fast so on a CPU
            x = torch.relu(norm(nn.functional.max_pool2d(x, 2) if i < N_POOL else x))
        return self.out(self.drop(torch.relu(self.hidden(self.pooled(x)))))

    def ordinary(self):
        """What the exported file holds: see image_ordinary."""
        from burst_training.image_ordinary import ordinary
        return ordinary([self])


def ring_weights():
    """[rings + 1, 49]: the mean over the pixels of each ring, and over all."""
    axis = (torch.arange(LAST_SIDE) - LAST_SIDE // 2).abs()
    reach = torch.maximum(axis[:, None], axis[None]).flatten()
    rows = [((reach >= low) & (reach <= high)).float() for low, high in RINGS] + [torch.ones(LAST_SIDE**2)]
    return torch.stack([row / row.sum() for row in rows])


@register("image_d4")
def build_d4(fields=(4, 8, 12), hidden=32, dropout=0.3, use_mask=True):
    return D4Net(tuple(fields), hidden, dropout, use_mask)
