"""What burst-eval does not tell of the networks for sub-images: what each further member of the ensemble is worth, how right the
surest answers are, and the gain over the other networks image by image. docs/science/figures/eclairs.json."""
import numpy as np

from burst_training import calibrate, metrics, runs

OWN, ENSEMBLE, PUBLISHED = "ec-d4", "ec-d4-ensemble", "ec-1624993"
SNR_EDGES = (5, 7, 8, 10, 15, None)
LOW, HIGH = 0.2, 0.8


class Predictions:
    """One part of one run, or the mean of several runs over the same rows."""

    def __init__(self, logit, columns, y, group, temperature):
        self.logit, self.columns, self.y, self.group, self.temperature = logit, columns, y.astype(int), group, temperature

    @property
    def right(self):
        return (self.logit > 0) == (self.y == 1)

    @property
    def p(self):
        return metrics.probability(self.logit, self.temperature)


def read(experiment, seed, part="test"):
    """None where that run is not finished."""
    path = runs.run_folder(experiment, seed) / f"predictions-{part}.npz"
    if not path.exists():
        return None
    with np.load(path) as kept:
        columns = {k: kept[k] for k in kept.files if k not in ("logit", "y", "group", "temperature")}
        return Predictions(kept["logit"], columns, kept["y"], kept["group"], float(kept["temperature"]))


def seeds_of(experiment):
    folder = runs.root() / "runs" / experiment
    found = [int(p.name) for p in folder.iterdir() if p.name.isdigit()] if folder.is_dir() else []
    return sorted(s for s in found if read(experiment, s) is not None)


def mean_of(experiment, seeds):
    """The mean logit of several seeds, its temperature fitted on the validation part as a run's is."""
    parts = {name: [read(experiment, s, name) for s in seeds] for name in ("validate", "test")}
    for rows in parts.values():
        if any(not np.array_equal(one.group, rows[0].group) for one in rows):
            raise ValueError(f"{experiment}: its seeds were not judged by the same rows")
    mean = {name: np.mean([one.logit for one in rows], 0) for name, rows in parts.items()}
    first = parts["test"][0]
    return Predictions(mean["test"], first.columns, first.y, first.group, calibrate.temperature(mean["validate"], parts["validate"][0].y))


def figures(one):
    found = metrics.figures(one.logit, one.y, one.group, one.temperature)
    sure = (one.p <= LOW) | (one.p >= HIGH)
    return {**{k: found[k] for k in ("accuracy", "balanced_accuracy", "precision", "recall", "f1", "auc", "ece", "brier")},
            "decided": metrics.fraction(sure), "accuracy_where_decided": metrics.fraction(one.right[sure])}


def selective(one):
    """Accuracy of the surest part of the images."""
    order = np.argsort(-np.abs(one.p - 0.5), kind="stable")
    return [{"coverage": c, "accuracy": metrics.fraction(one.right[order[:int(round(c * len(order)))]])} for c in (1.0, 0.95, 0.9, 0.8)]


def difference(a, b):
    """Accuracy of a less that of b on the same images."""
    if not np.array_equal(a.group, b.group):
        raise ValueError("two networks were not judged by the same rows")
    gain = a.right.astype(float) - b.right
    return metrics.bootstrap(lambda w: float((w * gain).sum() / w.sum()), len(gain), a.group)


def detail(one):
    return {"temperature": one.temperature, "figures": figures(one), "selective": selective(one),
            "reliability": metrics.reliability(one.p, one.y, one.group),
            "by_family": metrics.by_name(one.columns["family"], one.right, one.group),
            "by_snr": metrics.by_bin(one.columns["snr"], SNR_EDGES, one.right, one.group)}


def report():
    """Everything, as JSON values. What no run has left is left out."""
    own = seeds_of(OWN)
    if not own:
        raise FileNotFoundError(f"no run of {OWN} is finished: training/burst-train {OWN}")
    whole = read(ENSEMBLE, 1) or mean_of(OWN, own)
    out = {"what": "image_ensemble", "data": "simulated", "n": len(whole.y), "n_true": int(whole.y.sum()),
           "ensemble": [{"members": k, "figures": figures(mean_of(OWN, own[:k]))} for k in range(1, len(own) + 1)],
           "shipped": {"experiment": ENSEMBLE, **detail(whole)}}
    others = [(name, read(name, seeds_of(name)[0])) for name in (PUBLISHED, "ec-resnet50", "ec-small-views") if seeds_of(name)]
    out["gain"] = {name: difference(whole, other) for name, other in others if np.array_equal(other.group, whole.group)}
    return out
