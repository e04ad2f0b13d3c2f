"""A trained network of image_d4, or several, as one network of ordinary convolutions, ReLUs, poolings and additions: what the
exported file holds. Several stand beside one another behind the same planes, and their logits are averaged. There are no grouped
convolutions, for which burst-cuda has no kernel."""
import torch
from torch import nn

from burst_training.image_d4 import FOVEA_FIRST, LAST_SIDE, N_VIEW


def layer(kernel, bias, padding=0):
    """A convolution of a kernel and bias in double."""
    conv = nn.Conv2d(kernel.shape[1], len(kernel), kernel.shape[-1], padding=padding)
    conv.weight.data, conv.bias.data = kernel.float(), bias.float()
    return conv


def folded(conv, norm):
    """(kernel, bias) of a group convolution with the batch normalisation that follows it."""
    scale = (norm.weight.double().abs() / torch.sqrt(norm.running_var.double() + norm.eps)).repeat_interleave(N_VIEW)
    shift = norm.bias.double().repeat_interleave(N_VIEW) - norm.running_mean.double().repeat_interleave(N_VIEW) * scale
    return conv.kernel().double() * scale[:, None, None, None], shift


class OrdinaryTrunk(nn.Module):
    def __init__(self, trunk):
        super().__init__()
        self.pools = trunk.pools
        self.conv = nn.ModuleList([layer(*folded(conv, norm), padding=1) for conv, norm in zip(trunk.conv, trunk.norm)])

    def forward(self, x):
        for i, conv in enumerate(self.conv):
            x = torch.relu(conv(x))
            if i in self.pools:
                x = nn.functional.max_pool2d(x, 2)
        return x


def crop_layer(n_plane):
    """The fovea, cut out by a convolution: of the nine taps of a kernel so far dilated that it fits only there, the middle one."""
    crop = nn.Conv2d(n_plane, n_plane, 3, dilation=FOVEA_FIRST, bias=False)
    crop.weight.data.zero_()
    crop.weight.data[:, :, 1, 1] = torch.eye(n_plane)
    return crop


def frame_head(net):
    """The dense layer over the pooled frame as a convolution over the whole last plane: [hidden, 8 C, 7, 7], bias."""
    weight, rings = net.from_frame.weight.double(), net.rings.double()
    per_field = weight.view(len(weight), -1, len(rings)) @ rings / N_VIEW  # [hidden, C, 49]
    return per_field.repeat_interleave(N_VIEW, 1).view(len(weight), -1, LAST_SIDE, LAST_SIDE), net.from_frame.bias.double()


def fovea_head(net):
    weight = net.from_fovea.weight.double()
    return weight.repeat_interleave(N_VIEW, 1)[:, :, None, None] / N_VIEW, torch.zeros(len(weight), dtype=torch.float64)


class Member(nn.Module):
    """One trained D4Net behind the planes: (whole frame, fovea) -> its share [N, 1, 1, 1] of the mean logit of n."""

    def __init__(self, net, n):
        super().__init__()
        self.frame, self.fovea = OrdinaryTrunk(net.frame), OrdinaryTrunk(net.fovea)
        self.last = layer(*folded(net.last, net.last_norm))
        self.from_frame, self.from_fovea = layer(*frame_head(net)), layer(*fovea_head(net))
        self.out = layer(net.out.weight.double()[..., None, None] / n, net.out.bias.double() / n)

    def forward(self, frame, fovea):
        centre = self.from_fovea(torch.relu(self.last(self.fovea(fovea))))
        return self.out(torch.relu(self.from_frame(self.frame(frame)) + centre))


class Ordinary(nn.Module):
    """[N, 2, 56, 56] -> [N, 1]: the mean logit of trained D4Nets."""

    def __init__(self, nets):
        super().__init__()
        self.planes, self.crop = nets[0].planes, crop_layer(nets[0].frame.conv[0].shape[1])
        self.member = nn.ModuleList([Member(net, len(nets)) for net in nets])

    def forward(self, x):
        x = self.planes(x)
        centre, logit = self.crop(x), None
        for member in self.member:
            share = member(x, centre)
            logit = share if logit is None else logit + share
        return torch.flatten(logit, 1)


def ordinary(nets):
    """Errors: ValueError where only some of the networks know the mask, or a weight is not finite."""
    with torch.no_grad():
        whole = Ordinary([net.eval() for net in nets]).eval()
        if any(not torch.equal(net.planes.low.weight, whole.planes.low.weight) for net in nets):
            raise ValueError("networks of an ensemble differ in what they know of the mask")
    if not all(torch.isfinite(p).all() for p in whole.parameters()):
        raise ValueError("a weight is not finite")
    return whole.requires_grad_(False)
