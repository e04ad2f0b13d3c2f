"""Which pixels of a sub-image an answer rests on, as burstd computes it in C."""
import numpy as np
import torch

from burst_training.image import MASK_BACKGROUND, MASK_IGNORE, MASK_SCALE, SIDE


def logits(net, x, batch=128):
    """Logit of every image, float64."""
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
