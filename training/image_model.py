"""The image network: two convolutions and two dense layers, exactly 1,624,993 parameters (science.md B.4)."""
import numpy as np
import torch
from torch import nn

SIDE, CENTRE, N_PARAMETER = 56, 28, 1_624_993
# What prepare does to pixels and mask values before the network sees them; told to burstd in the model file.
CLIP, SCALE, MASK_SCALE = [-10, 30], 5, 3
MASK_IGNORE, MASK_BACKGROUND = 0, 1


class ImageNet(nn.Module):
    """[N, 2, 56, 56] image and mask planes -> [N, 1] logit of a true alert."""

    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(nn.Conv2d(2, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
                                      nn.Conv2d(32, 64, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2))
        self.head = nn.Sequential(nn.Flatten(), nn.Linear(64 * 14 * 14, 128), nn.ReLU(), nn.Dropout(0.5),
                                  nn.Linear(128, 1))
        n = sum(p.numel() for p in self.parameters())
        assert n == N_PARAMETER, n

    def forward(self, x):
        return self.head(self.features(x))


def logits(net, x, batch=128):
    """Logit of every sample, float64."""
    net.eval()
    with torch.no_grad():
        return np.concatenate([net(torch.from_numpy(np.array(x[i:i + batch])))[:, 0].numpy()
                               for i in range(0, len(x), batch)]).astype(np.float64)


def occlusion(net, x, reach=2):
    """How far the logit falls when the 5 x 5 pixels around each pixel become background: SNR 0, mask 1. Pixels without
    data (mask 0) stay as they are; at the edge the neighbourhood is cut. x [2, 56, 56] -> [56, 56]."""
    has_data = np.rint(x[1] * MASK_SCALE) != MASK_IGNORE
    changed = np.repeat(x[None], SIDE * SIDE, 0)
    for k in range(SIDE * SIDE):
        z, y = divmod(k, SIDE)
        here = np.zeros((SIDE, SIDE), bool)
        here[max(z - reach, 0):z + reach + 1, max(y - reach, 0):y + reach + 1] = True
        here &= has_data
        changed[k, 0, here] = 0.0
        changed[k, 1, here] = np.float32(MASK_BACKGROUND) / np.float32(MASK_SCALE)
    return (logits(net, x[None])[0] - logits(net, changed)).reshape(SIDE, SIDE)
