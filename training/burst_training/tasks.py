"""What training must know of a kind of question: its loss, which logit means "a real burst", what the exported file says."""
from burst_training import registry

BANDS_KEV = [[25, 50], [50, 100], [50, 300], [100, 300], [100, 500], [100, 900], [300, 500], [300, 900], [500, 900]]
THRESHOLDS = {"open": 0.5, "low": 0.2, "high": 0.8}


class Task:
    """A subclass says how a network's logits [N, k] are read. input_name is the port's name in the exported file;
    card_intro(config) the first lines of the card; simulated tells the card which warning to print."""
    input_name, simulated = "x", True

    def loss(self, z, y, smooth):
        """Mean over the rows; y as the Part gave it, smooth the share of a label given to the other class."""
        raise NotImplementedError

    def score(self, z):
        """[N] logit of "a real burst"."""
        raise NotImplementedError

    def metadata(self, config, figures):
        """burst.* of protocol.md 10 beside version, temperature, thresholds and card, which every task has."""
        return {}

    def card_intro(self, config):
        return [config["note"]] if config["note"] else []


class TwoLogits(Task):
    """Classes background and burst, softmax outside."""

    def loss(self, z, y, smooth):
        import torch
        return torch.nn.functional.cross_entropy(z, y, label_smoothing=smooth)

    def score(self, z):
        return z[:, 1] - z[:, 0]


class OneLogit(Task):
    """One logit; labels may be soft."""

    def loss(self, z, y, smooth):
        import torch
        y = y.to(z.dtype)
        return torch.nn.functional.binary_cross_entropy_with_logits(z[:, 0], y + smooth * (0.5 - y))

    def score(self, z):
        return z[:, 0]


@registry.task("light_curve")
class LightCurve(TwoLogits):
    input_name = "light_curve"

    def metadata(self, config, figures):
        return {"burst.kind": "light_curve", "burst.bands_kev": BANDS_KEV, "burst.bin_s": 0.064, "burst.n_bin": 1875,
                "burst.standardise": "band", "burst.classes": ["background", "burst"]}

    def card_intro(self, config):
        return ["One detector's 120 s of counts (9 bands x 1,875 bins of 64 ms) to two logits: background, burst.",
                *super().card_intro(config)]
