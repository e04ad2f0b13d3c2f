"""The networks of the golden files, as PyTorch modules: science.md A.10 and B.4 and a ResNet with bottlenecks, in any width, and
one network of the operators that those leave out. Random weights, and batch norms that have seen data."""
import torch
from torch import nn


class Multiscale(nn.Module):
    """MSCFM: 1x1 down, three 3-tap convolutions in a row, all four side by side, 1x1 up, added to the input."""

    def __init__(self, c):
        super().__init__()
        d = c // 4
        self.r, self.s1, self.s2, self.s3 = (self.block(i, d, k) for i, k in ((c, 1), (d, 3), (d, 3), (d, 3)))
        self.f = nn.Sequential(nn.Conv1d(4 * d, c, 1, bias=False), nn.BatchNorm1d(c))

    @staticmethod
    def block(n_in, n_out, k):
        return nn.Sequential(nn.Conv1d(n_in, n_out, k, padding=k // 2, bias=False), nn.BatchNorm1d(n_out), nn.ReLU())

    def forward(self, x):
        r = self.r(x)
        s1 = self.s1(r)
        s2 = self.s2(s1)
        s3 = self.s3(s2)
        return torch.relu(x + self.f(torch.cat([r, s1, s2, s3], 1)))


class Unit(nn.Module):
    """ConvUnit: kernels 7 (stride 2), 5, 3, shortcut 1x1 of stride 2, then MSCFM."""

    def __init__(self, n_in, c):
        super().__init__()
        self.c1, self.b1 = nn.Conv1d(n_in, c, 7, 2, 3, bias=False), nn.BatchNorm1d(c)
        self.c2, self.b2 = nn.Conv1d(c, c, 5, 1, 2, bias=False), nn.BatchNorm1d(c)
        self.c3, self.b3 = nn.Conv1d(c, c, 3, 1, 1, bias=False), nn.BatchNorm1d(c)
        self.cs, self.bs = nn.Conv1d(n_in, c, 1, 2, bias=False), nn.BatchNorm1d(c)
        self.m = Multiscale(c)

    def forward(self, x):
        y = torch.relu(self.b1(self.c1(x)))
        y = torch.relu(self.b2(self.c2(y)))
        return self.m(torch.relu(self.b3(self.c3(y)) + self.bs(self.cs(x))))


class LightCurveNet(nn.Module):
    """science.md A.10. `pool` is how the mean over bins is written: "mean" or "adaptive"."""

    def __init__(self, width=128, hidden=64, pool='mean'):
        super().__init__()
        self.units = nn.Sequential(*(Unit(9 if i == 0 else width, width) for i in range(4)))
        self.drop, self.f1, self.f2, self.pool = nn.Dropout(0.5), nn.Linear(width, hidden), nn.Linear(hidden, 2), pool

    def features(self, x):
        return self.units(x)

    def forward(self, x):
        x = self.units(x)
        x = x.mean(-1) if self.pool == 'mean' else nn.functional.adaptive_avg_pool1d(x, 1).flatten(1)
        return self.f2(torch.relu(self.f1(self.drop(x))))


def image_net(side=56, c1=32, c2=64, hidden=128):
    """science.md B.4: with the defaults exactly 1,624,993 parameters."""
    return nn.Sequential(nn.Conv2d(2, c1, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(c1, c2, 3, padding=1), nn.ReLU(),
                         nn.MaxPool2d(2), nn.Flatten(), nn.Linear(c2 * (side // 4) ** 2, hidden), nn.ReLU(), nn.Dropout(0.5),
                         nn.Linear(hidden, 1))


class Bottleneck(nn.Module):
    """1x1, 3x3 (strided), 1x1 times four; the shortcut is a strided 1x1 where the shape changes."""

    def __init__(self, n_in, c, stride):
        super().__init__()
        self.a, self.ba = nn.Conv2d(n_in, c, 1, bias=False), nn.BatchNorm2d(c)
        self.b, self.bb = nn.Conv2d(c, c, 3, stride, 1, bias=False), nn.BatchNorm2d(c)
        self.c, self.bc = nn.Conv2d(c, 4 * c, 1, bias=False), nn.BatchNorm2d(4 * c)
        self.short = None
        if stride != 1 or n_in != 4 * c:
            self.short = nn.Sequential(nn.Conv2d(n_in, 4 * c, 1, stride, bias=False), nn.BatchNorm2d(4 * c))

    def forward(self, x):
        y = torch.relu(self.ba(self.a(x)))
        y = torch.relu(self.bb(self.b(y)))
        y = self.bc(self.c(y))
        return torch.relu(y + (self.short(x) if self.short else x))


class ResNet(nn.Module):
    """He et al. 2016: (3, 4, 6, 3) blocks of width 64 are ResNet-50 (25,557,032 parameters)."""

    def __init__(self, blocks=(3, 4, 6, 3), width=64, classes=1000):
        super().__init__()
        self.c, self.b, self.pool = nn.Conv2d(3, width, 7, 2, 3, bias=False), nn.BatchNorm2d(width), nn.MaxPool2d(3, 2, 1)
        stages, n_in = [], width
        for i, n in enumerate(blocks):
            c = width << i
            for j in range(n):
                stages.append(Bottleneck(n_in, c, 2 if i and j == 0 else 1))
                n_in = 4 * c
        self.stages, self.mean, self.fc = nn.Sequential(*stages), nn.AdaptiveAvgPool2d(1), nn.Linear(n_in, classes)

    def features(self, x):
        return self.stages(self.pool(torch.relu(self.b(self.c(x)))))

    def forward(self, x):
        return self.fc(torch.flatten(self.mean(self.features(x)), 1))


class Mixture(nn.Module):
    """What the others leave out: a batch norm with nothing before it, groups, dilation, asymmetric sizes, poolings with ceil_mode
    and padding, a linear layer over rows (MatMul and Add), transposes, sigmoid, softmax, constants added."""

    def __init__(self):
        super().__init__()
        self.norm = nn.BatchNorm2d(4)
        self.group = nn.Conv2d(4, 8, (3, 2), (2, 1), (1, 0), (1, 2), groups=2)
        self.deep = nn.Conv2d(8, 8, 3, 1, 2, 2, groups=8, bias=False)
        self.average = nn.AvgPool2d(3, 2, ceil_mode=True, count_include_pad=False)  # with True PyTorch writes Pad, which we refuse
        self.inside = nn.AvgPool2d((2, 3), (1, 2), (1, 1), count_include_pad=False)
        self.largest = nn.MaxPool2d((3, 2), (2, 1), (1, 0), (1, 2), ceil_mode=True)
        self.rows = nn.Linear(8, 5)
        self.offset = nn.Parameter(torch.randn(1, 8, 1, 1))

    def forward(self, x):
        x = torch.relu(self.group(torch.relu(self.norm(x))))
        x = self.deep(x) + self.offset
        a, b, c = self.average(x), self.inside(x), self.largest(x)
        a, b, c = (t.mean((2, 3), keepdim=True).squeeze(3) for t in (a, b, c))
        x = torch.cat([a, b, c], 2).transpose(1, 2)
        x = torch.sigmoid(self.rows(x))
        return torch.softmax(x.reshape(-1, 15), 1)


def settle(net, x):
    """Random scale, shift and running statistics for every batch norm, as training would leave them."""
    for m in net.modules():
        if isinstance(m, (nn.BatchNorm1d, nn.BatchNorm2d)):
            nn.init.uniform_(m.weight, 0.5, 1.5)
            nn.init.normal_(m.bias, 0, 0.3)
    net.train()
    with torch.no_grad():
        for _ in range(20):
            net(x + 0.1 * torch.randn_like(x))
    return net.eval()
