"""A trained network of image_d4, or several, as one network of ordinary convolutions, ReLUs and poolings: what the exported file
holds. Several stand side by side as groups of the same convolutions, and their logits are averaged by the last one."""
import torch
from torch import nn

from burst_training.image_d4 import LAST_SIDE, N_POOL, N_VIEW


def folded(conv, norm):
    """(kernel, bias) in double of a group convolution with the batch normalisation that follows it."""
    scale = (norm.weight.double().abs() / torch.sqrt(norm.running_var.double() + norm.eps)).repeat_interleave(N_VIEW)
    shift = norm.bias.double().repeat_interleave(N_VIEW) - norm.running_mean.double().repeat_interleave(N_VIEW) * scale
    return conv.kernel().double() * scale[:, None, None, None], shift


def layer(n_in, kernels, biases, groups, padding=0):
    """A convolution of these kernels side by side, each [n_out, n_in / groups, k, k]."""
    kernel = torch.cat(kernels)
    conv = nn.Conv2d(n_in, len(kernel), kernel.shape[-1], groups=groups, padding=padding)
    conv.weight.data, conv.bias.data = kernel.float(), torch.cat(biases).float()
    return conv


def head_kernel(net):
    """[hidden, 8 C, 7, 7]: the dense layer over pooled fields as one convolution over the whole last plane."""
    weight = net.hidden.weight.double()
    rings = net.rings.double()
    per_field = weight.view(len(weight), -1, len(rings)) @ rings / N_VIEW  # [hidden, C, 49]
    return per_field.repeat_interleave(N_VIEW, 1).view(len(weight), -1, LAST_SIDE, LAST_SIDE)


class Ordinary(nn.Module):
    """[N, 2, 56, 56] -> [N, 1]: the mean logit of trained D4Nets of one shape."""

    def __init__(self, nets):
        super().__init__()
        n = len(nets)
        self.planes = nets[0].planes
        self.conv = nn.ModuleList()
        for i in range(len(nets[0].conv)):
            parts = [folded(net.conv[i], net.norm[i]) for net in nets]
            n_in = parts[0][0].shape[1]
            self.conv.append(layer(n_in if i == 0 else n * n_in, [k for k, _ in parts], [b for _, b in parts], 1 if i == 0 else n, 1))
        kernels = [head_kernel(net) for net in nets]
        self.hidden = layer(n * kernels[0].shape[1], kernels, [net.hidden.bias.double() for net in nets], n)
        out = torch.cat([net.out.weight.double() for net in nets], 1) / n
        self.out = layer(out.shape[1], [out[..., None, None]], [sum(net.out.bias.double() for net in nets) / n], 1)

    def forward(self, x):
        x = self.planes(x)
        for i, conv in enumerate(self.conv):
            x = torch.relu(conv(x))
            if i < N_POOL:
                x = nn.functional.max_pool2d(x, 2)
        return torch.flatten(self.out(torch.relu(self.hidden(x))), 1)


def ordinary(nets):
    """Errors: ValueError where the networks differ in shape, or a weight is not finite."""
    shapes = [[tuple(p.shape) for p in net.parameters()] for net in nets]
    if any(s != shapes[0] for s in shapes):
        raise ValueError("networks of an ensemble differ in shape")
    with torch.no_grad():
        whole = Ordinary([net.eval() for net in nets]).eval()
    if not all(torch.isfinite(p).all() for p in whole.parameters()):
        raise ValueError("a weight is not finite")
    return whole.requires_grad_(False)
