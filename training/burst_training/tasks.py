"""What training must know of a kind of question: its loss, which logit means "a real burst", what the exported file says."""
import numpy as np

from burst_training import registry

BANDS_KEV = [[25, 50], [50, 100], [50, 300], [100, 300], [100, 500], [100, 900], [300, 500], [300, 900], [500, 900]]
THRESHOLDS = {"open": 0.5, "low": 0.2, "high": 0.8}


class Task:
    """A subclass says how a network's logits [N, k] are read. input_name is the port's name in the exported file, true_logit
    which logit rises with the score, limits what a card must say of every network of the task."""
    input_name, true_logit, limits = "x", 0, ()

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
        """First lines of the card."""
        return [config["note"]] if config["note"] else []

    def golden_rows(self, part, score):
        """Rows for the golden vectors: one of each class, called rightly and not without doubt (a saturated answer tests
        little), of families `burst` and `quiet` where there are such."""
        return np.array([clearest_doubt(part, score, 1), clearest_doubt(part, score, 0)])

    def golden_explanations(self, net, x):
        """{file name: array} of explanations of the golden rows that C must reproduce."""
        return {}


def clearest_doubt(part, score, label):
    """The row of a class whose score is nearest to 4 (bursts) or -4: called rightly, if any is."""
    rows = np.flatnonzero(part.y == label)
    family = part.columns.get("family")
    if family is not None and label == 0 and (family[rows] == "quiet").any():
        rows = rows[family[rows] == "quiet"]
    return rows[np.argmin(np.abs(score[rows] - (4.0 if label else -4.0)))]


class TwoLogits(Task):
    """Classes background and burst, softmax outside."""
    true_logit = 1

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
    limits = ("It judges one detector alone; at the false-alarm rates of a watch (thousands of windows a day) detectors must agree.",)

    def metadata(self, config, figures):
        return {"burst.kind": "light_curve", "burst.bands_kev": BANDS_KEV, "burst.bin_s": 0.064, "burst.n_bin": 1875,
                "burst.standardise": "band", "burst.classes": ["background", "burst"]}

    def golden_explanations(self, net, x):
        import torch
        from burst_training.lightcurve import LightCurveNet, grad_cam
        return {"lightcurve_cam_0": grad_cam(net, torch.from_numpy(x)).numpy()} if isinstance(net, LightCurveNet) else {}

    def card_intro(self, config):
        return ["One detector's 120 s of counts (9 bands x 1,875 bins of 64 ms) to two logits: background, burst.",
                *super().card_intro(config)]
