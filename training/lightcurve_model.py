"""The light-curve network: four residual units with multi-scale fusion (science.md A.10)."""
import torch
from torch import nn

N_BAND, N_BIN, N_PARAMETER = 9, 1875, 1_060_034


def conv(n_in, n_out, kernel, stride=1):
    """Convolution without bias (batch norm follows) and its batch norm."""
    return nn.Sequential(nn.Conv1d(n_in, n_out, kernel, stride, kernel // 2, bias=False), nn.BatchNorm1d(n_out))


class Fusion(nn.Module):
    """MSCFM: three 3-wide convolutions in a row see 3, 5 and 7 bins; all scales are joined and added to the input."""

    def __init__(self, n=128):
        super().__init__()
        d = n // 4
        self.reduce = conv(n, d, 1)
        self.scale = nn.ModuleList([conv(d, d, 3) for _ in range(3)])
        self.join = conv(4 * d, n, 1)

    def forward(self, x):
        scales = [torch.relu(self.reduce(x))]
        for layer in self.scale:
            scales.append(torch.relu(layer(scales[-1])))
        return torch.relu(x + self.join(torch.cat(scales, 1)))


class Unit(nn.Module):
    """Convolutions of 7 (stride 2), 5 and 3 bins beside a 1-wide shortcut, then the fusion."""

    def __init__(self, n_in, n=128):
        super().__init__()
        self.first, self.second, self.third = conv(n_in, n, 7, 2), conv(n, n, 5), conv(n, n, 3)
        self.shortcut = conv(n_in, n, 1, 2)
        self.fusion = Fusion(n)

    def forward(self, x):
        y = torch.relu(self.second(torch.relu(self.first(x))))
        return self.fusion(torch.relu(self.third(y) + self.shortcut(x)))


class LightCurveNet(nn.Module):
    """[N, 9, 1875] standardised counts -> [N, 2] logits of background and burst. Feature maps: 938, 469, 235, 118 bins."""

    def __init__(self):
        super().__init__()
        self.units = nn.Sequential(Unit(N_BAND), Unit(128), Unit(128), Unit(128))
        self.pool = nn.AdaptiveAvgPool1d(1)
        self.head = nn.Sequential(nn.Flatten(), nn.Dropout(0.5), nn.Linear(128, 64), nn.ReLU(), nn.Linear(64, 2))
        n = sum(p.numel() for p in self.parameters())
        assert n == N_PARAMETER, n
        for layer in self.modules():
            if isinstance(layer, nn.Conv1d):
                nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")

    def forward(self, x):
        return self.head(self.pool(self.units(x)))


def grad_cam(net, x):
    """relu(sum_k w_k A_k[t]) with w_k the mean over t of d logit_burst / d A_k[t], A the map before pooling: [N, 118]."""
    net.eval()
    maps = net.units(x)
    maps.retain_grad()
    net.head(net.pool(maps))[:, 1].sum().backward()
    weight = maps.grad.mean(2, keepdim=True)
    return torch.relu((weight * maps).sum(1)).detach()
