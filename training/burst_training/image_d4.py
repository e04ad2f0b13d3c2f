"""A network of the eight symmetries of the square: its answer is the same, to rounding, for an image turned or mirrored.

Every layer holds C fields of eight planes, one per symmetry (group convolution, Cohen and Welling 2016). Only one of the eight
kernels of a field is a parameter; the others are it turned and mirrored, so the exported file holds ordinary convolutions of
8 C channels (ordinary()). Frames are turned whole: 56, 28, 14 and 7 pixels and 2 x 2 poolings let that commute. The answer
equals the mean over eight views of the input at the price of one."""
import torch
from torch import nn

from burst_training.image import N_PLANE, SIDE, Planes
from burst_training.registry import register

N_VIEW = 8
# Pixels of the last, 7 x 7, plane by their distance from the middle one, which holds the trigger pixel: rings of the head.
LAST_SIDE, RINGS = 7, ((0, 0), (1, 1), (2, 3))
FOVEA = 20
FOVEA_FIRST = (SIDE - FOVEA) // 2


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


class Trunk(nn.Module):
    """Group convolutions, each with normalisation and ReLU; `pools` says which are followed by a 2 x 2 pooling."""

    def __init__(self, fields, pools):
        super().__init__()
        self.pools, n_in = pools, [N_PLANE, *fields]
        self.conv = nn.ModuleList([GroupConv(n_in[i], n, lift=i == 0) for i, n in enumerate(fields)])
        self.norm = nn.ModuleList([FieldNorm(n) for n in fields])

    def forward(self, x):
        for i, (conv, norm) in enumerate(zip(self.conv, self.norm)):
            x = conv(x.contiguous(memory_format=torch.channels_last))  # twice as fast so on a CPU
            x = torch.relu(norm(nn.functional.max_pool2d(x, 2) if i in self.pools else x))
        return x


class D4Net(nn.Module):
    """Planes, and two trunks over them: one over the whole frame, for texture, and one over the FOVEA x FOVEA pixels around the
    trigger pixel that pools later, for where exactly a dot lies beside a known source. Of the whole frame the dense layer sees
    each field's mean over symmetries and over rings around the middle; of the fovea, a last group convolution over all of it,
    averaged over symmetries behind its ReLU."""

    def __init__(self, fields=(2, 4, 6), fovea=(8, 8, 12), wide=24, hidden=32, dropout=0.3, use_mask=True):
        super().__init__()
        self.planes = Planes(use_mask)
        self.frame, self.fovea = Trunk(fields, (0, 1, 2)), Trunk(fovea, (1, 2))
        self.last, self.last_norm = GroupConv(fovea[-1], wide, k=FOVEA // 4), FieldNorm(wide)
        self.register_buffer("rings", ring_weights(), persistent=False)
        self.from_frame, self.from_fovea = nn.Linear(fields[-1] * len(self.rings), hidden), nn.Linear(wide, hidden, bias=False)
        self.drop, self.out = nn.Dropout(dropout), nn.Linear(hidden, 1)

    def pooled(self, x):
        """[N, 8 C, 7, 7] -> [N, C len(rings)]"""
        n, c, h, w = x.shape
        fields = x.view(n, c // N_VIEW, N_VIEW, h * w).mean(2)
        return torch.matmul(fields, self.rings.t()).flatten(1)

    def centre(self, x):
        """[N, N_PLANE, 56, 56] -> [N, wide]"""
        x = self.fovea(x[:, :, FOVEA_FIRST:FOVEA_FIRST + FOVEA, FOVEA_FIRST:FOVEA_FIRST + FOVEA])
        x = torch.relu(self.last_norm(nn.functional.conv2d(x, self.last.kernel())))
        return x.view(len(x), -1, N_VIEW).mean(2)

    def forward(self, x):
        x = self.planes(x)
        hidden = self.from_frame(self.pooled(self.frame(x))) + self.from_fovea(self.centre(x))
        return self.out(self.drop(torch.relu(hidden)))

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
def build_d4(fields=(2, 4, 6), fovea=(8, 8, 12), wide=24, hidden=32, dropout=0.3, use_mask=True):
    return D4Net(tuple(fields), tuple(fovea), wide, hidden, dropout, use_mask)
