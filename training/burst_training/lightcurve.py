"""The light-curve networks: four residual units, with or without multi-scale fusion (science.md A.10)."""
import torch
from torch import nn

from burst_training import registry

N_BAND, N_UNIT = 9, 4
# (kernels, fusion): parameters with 128 filters and nine bands, counted in science.md A.10
COUNTED = {((7, 5, 3), False): 939_202, ((7, 5, 3), True): 1_060_034, ((3, 3, 3), False): 606_914, ((3, 3, 3), True): 727_746,
           ((9, 5, 3), False): 1_039_810, ((9, 5, 3), True): 1_160_642}


class Conv(nn.Conv1d):
    """A convolution without bias (a normalisation follows) that also takes light curves as images of height 1, [N, C, 1, T]."""

    def __init__(self, n_in, n_out, kernel, stride=1):
        super().__init__(n_in, n_out, kernel, stride, kernel // 2, bias=False)

    def forward(self, x):
        if x.dim() == 3:
            return super().forward(x)
        return nn.functional.conv2d(x, self.weight.unsqueeze(2), None, (1, *self.stride), (0, *self.padding))


class BatchNorm(nn.BatchNorm1d):
    """Of any number of dimensions."""

    def _check_input_dim(self, x):
        pass


class InstanceNorm(nn.InstanceNorm1d):
    """Of any number of dimensions, with a learned scale and shift."""

    def __init__(self, n):
        super().__init__(n, affine=True)

    def _check_input_dim(self, x):
        pass

    def _get_no_batch_dim(self):
        return None


NORMS = {"batch": BatchNorm, "instance": InstanceNorm}


def conv(n_in, n_out, kernel, stride=1, norm="batch"):
    """Convolution and its normalisation."""
    return nn.Sequential(Conv(n_in, n_out, kernel, stride), NORMS[norm](n_out))


class Fusion(nn.Module):
    """MSCFM: three 3-wide convolutions in a row see 3, 5 and 7 bins; all scales are joined and added to the input."""

    def __init__(self, n=128, norm="batch"):
        super().__init__()
        d = n // 4
        self.reduce = conv(n, d, 1, norm=norm)
        self.scale = nn.ModuleList([conv(d, d, 3, norm=norm) for _ in range(3)])
        self.join = conv(4 * d, n, 1, norm=norm)

    def forward(self, x):
        scales = [torch.relu(self.reduce(x))]
        for layer in self.scale:
            scales.append(torch.relu(layer(scales[-1])))
        return torch.relu(x + self.join(torch.cat(scales, 1)))


class Unit(nn.Module):
    """Convolutions of 7 (stride 2), 5 and 3 bins beside a 1-wide shortcut, then the fusion if there is one."""

    def __init__(self, n_in, n=128, kernels=(7, 5, 3), fusion=True, norm="batch"):
        super().__init__()
        self.first = conv(n_in, n, kernels[0], 2, norm)
        self.second, self.third = conv(n, n, kernels[1], norm=norm), conv(n, n, kernels[2], norm=norm)
        self.shortcut = conv(n_in, n, 1, 2, norm)
        self.fusion = Fusion(n, norm) if fusion else nn.Identity()

    def forward(self, x):
        y = torch.relu(self.second(torch.relu(self.first(x))))
        return self.fusion(torch.relu(self.third(y) + self.shortcut(x)))


class LightCurveNet(nn.Module):
    """[N, 9, 1875] standardised counts -> [N, 2] logits of background and burst. Feature maps: 938, 469, 235, 118 bins.

    wide: compute as images of height 1 with channels last, the same sums in the order that CPUs and cuDNN are fastest at. The
    exported file is of the other form: ordinary one-dimensional layers."""
    wide = False

    def __init__(self, width=128, kernels=(7, 5, 3), fusion=True, norm="batch", n_band=N_BAND, dropout=0.5):
        super().__init__()
        kernels = tuple(kernels)
        self.units = nn.Sequential(*(Unit(n_band if i == 0 else width, width, kernels, fusion, norm) for i in range(N_UNIT)))
        self.pool = nn.AdaptiveAvgPool1d(1)
        self.head = nn.Sequential(nn.Flatten(), nn.Dropout(dropout), nn.Linear(width, width // 2), nn.ReLU(), nn.Linear(width // 2, 2))
        n = sum(p.numel() for p in self.parameters())
        if width == 128 and n_band == N_BAND:
            assert COUNTED.get((kernels, fusion), n) == n, n
        for layer in self.modules():
            if isinstance(layer, nn.Conv1d):
                nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")

    def maps(self, x):
        """[N, width, 118]: what is pooled."""
        if not self.wide:
            return self.units(x)
        return self.units(x.unsqueeze(2).contiguous(memory_format=torch.channels_last)).squeeze(2)

    def trunk(self, x):
        """What the head is given: [N, width]."""
        return self.pool(self.maps(x)).flatten(1)

    def forward(self, x):
        return self.head(self.pool(self.maps(x)))


@registry.model("resnet_mscfm")
def build(width=128, kernels=(7, 5, 3), fusion=True, norm="batch", n_band=N_BAND, dropout=0.5):
    if norm not in NORMS:
        raise registry.Unknown(f"there is no norm '{norm}' (known: {', '.join(NORMS)})")
    return LightCurveNet(width, kernels, fusion, norm, n_band, dropout)


def grad_cam(net, x):
    """relu(sum_k w_k A_k[t]) with w_k the mean over t of d logit_burst / d A_k[t], A the map before pooling: [N, 118]."""
    net.eval()
    maps = net.units(x)
    maps.retain_grad()
    net.head(net.pool(maps))[:, 1].sum().backward()
    weight = maps.grad.mean(2, keepdim=True)
    return torch.relu((weight * maps).sum(1)).detach()
