"""Trained networks asked together: several seeds of one experiment, each with one or all eight views of the image, and the mean
of their logits. Nothing is trained here (`epochs: 0`)."""
import torch
from torch import nn

from burst_training import registry, runs
from burst_training.image_d4 import D4Net, N_VIEW, view
from burst_training.image_ordinary import ordinary


def trigger_view(x, g):
    """Symmetry g of the 55 x 55 pixels around the trigger pixel, as training turns them."""
    x = x.clone()
    x[:, :, 1:, 1:] = view(x[:, :, 1:, 1:], g)
    return x


class Ensemble(nn.Module):
    def __init__(self, nets, views=1):
        super().__init__()
        self.members, self.views = nn.ModuleList(nets), views

    def forward(self, x):
        turned = [x] + [trigger_view(x, g) for g in range(1, self.views)]
        return sum(net(v) for net in self.members for v in turned) / (len(self.members) * len(turned))

    def ordinary(self):
        """One network of plain convolutions where the members have a form as such; else the members as they are."""
        if self.views == 1 and all(isinstance(net, D4Net) for net in self.members):
            return ordinary(list(self.members))
        return self


def trained(experiment, seed):
    """A finished run's network."""
    folder = runs.run_folder(experiment, seed)
    if not (folder / "run.json").exists():
        raise FileNotFoundError(f"{folder}: run '{experiment}' with seed {seed} is not finished; train it first")
    net = registry.build(runs.read_json(folder / "run.json")["config"]["model"])
    net.load_state_dict(torch.load(folder / "best.pt", map_location="cpu"))
    return net


@registry.register("image_ensemble")
def build_ensemble(of, members, views=1):
    """of: the experiment; members: its seeds; views: 1 or 8."""
    if views not in (1, N_VIEW):
        raise ValueError(f"{views} views: 1 or {N_VIEW}")
    return Ensemble([trained(of, seed) for seed in members], views)
