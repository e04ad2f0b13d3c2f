"""Small networks for short windows: 60 bins of 2.048 s in one band, as the public light curves of Fermi/GBM are."""
import torch
from torch import nn

from burst_training import registry, tasks

N_BIN = 60
POOLED = 2  # the first two convolutions are followed by a pooling of two bins


class ShortConvNet(nn.Module):
    """[N, n_input, 60] -> [N, 2] logits of background and burst. Four convolutions with batch normalisation, maps of 60, 30, 15 and
    15 bins; the mean and the largest value of each map go to one dense layer: a slow burst fills the mean, a short one the largest."""

    def __init__(self, width=32, kernels=(7, 5, 5, 3), n_input=2, dropout=0.2):
        super().__init__()
        layers = []
        for i, kernel in enumerate(kernels):
            layers += [nn.Conv1d(n_input if i == 0 else width, width, kernel, padding=kernel // 2, bias=False), nn.BatchNorm1d(width), nn.ReLU()]
            if i < POOLED:
                layers.append(nn.MaxPool1d(2))
        self.maps = nn.Sequential(*layers)
        self.mean, self.largest = nn.AdaptiveAvgPool1d(1), nn.MaxPool1d(N_BIN >> POOLED)
        self.head = nn.Sequential(nn.Flatten(), nn.Dropout(dropout), nn.Linear(2 * width, 2))

    def trunk(self, x):
        """What the head is given: [N, 2 width, 1]."""
        maps = self.maps(x)
        return torch.cat([self.mean(maps), self.largest(maps)], 1)

    def forward(self, x):
        return self.head(self.trunk(x))


@registry.model("short_convnet")
def build(width=32, kernels=(7, 5, 5, 3), n_input=2, dropout=0.2):
    return ShortConvNet(width, tuple(kernels), n_input, dropout)


@registry.task("light_curve_2s")
class LightCurve2s(tasks.TwoLogits):
    input_name = "light_curve"

    def card_intro(self, config):
        return ["One detector's 123 s of counts (8 to 900 keV, 60 bins of 2.048 s) to two logits: background, burst.",
                *super().card_intro(config)]
