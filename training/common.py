"""What the training scripts share: samples on disk, figures of merit with intervals, calibration, leak probes."""
import csv
import json
import os
import sys
import time

import numpy as np


def say(text):
    print(time.strftime("%H:%M:%S"), text, flush=True)


class Samples:
    """One folder of `burst-sim lightcurves`: x stays on disk until it is asked for."""

    def __init__(self, folder):
        self.folder = folder
        self.x = np.load(os.path.join(folder, "x.npy"), mmap_mode="r")
        self.y = np.load(os.path.join(folder, "y.npy"))
        with open(os.path.join(folder, "meta.csv"), newline="") as table:
            self.meta = list(csv.DictReader(table))
        if not len(self.x) == len(self.y) == len(self.meta):
            raise ValueError(f"{folder}: {len(self.x)} inputs, {len(self.y)} labels, {len(self.meta)} rows of facts")

    def __len__(self):
        return len(self.y)

    def column(self, name, kind=float):
        return np.array([kind(row[name]) for row in self.meta])

    def seeds(self):
        return set(self.column("seed", int).tolist())


def check_split(parts):
    """Every sample is a burst or a sky of its own and depends on its seed, so parts with different seeds share none."""
    seen = {}
    for name, part in parts.items():
        for seed in part.seeds():
            if seed in seen:
                raise ValueError(f"seed {seed} is in both {seen[seed]} and {name}: the split leaks")
            seen[seed] = name


def wilson(hit, n, z=1.959964):
    """Fraction and its 95 % Wilson interval."""
    if n == 0:
        return [float("nan")] * 3
    p, d = hit / n, 1 + z * z / n
    middle, half = (p + z * z / (2 * n)) / d, z * np.sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / d
    return [p, max(middle - half, 0.0), min(middle + half, 1.0)]


def auc(score, label):
    """Area under the ROC curve by ranks; ties count half."""
    order = np.argsort(score, kind="stable")
    ranks = np.empty(len(score))
    ranks[order] = np.arange(1, len(score) + 1)
    values, inverse, count = np.unique(score, return_inverse=True, return_counts=True)
    ranks = (np.bincount(inverse, ranks) / count)[inverse]
    n1, n0 = int(label.sum()), int((1 - label).sum())
    return (ranks[label == 1].sum() - n1 * (n1 + 1) / 2) / (n1 * n0)


def auc_interval(score, label, n=200, seed=1):
    """AUC with a 95 % bootstrap interval over samples (each is a burst or a sky of its own)."""
    draw = np.random.default_rng(seed)
    values = []
    for _ in range(n):
        pick = draw.integers(0, len(label), len(label))
        values.append(auc(score[pick], label[pick]))
    return [float(auc(score, label)), *np.percentile(values, [2.5, 97.5]).tolist()]


def probability(logit, temperature=1.0):
    return 1.0 / (1.0 + np.exp(-np.clip(logit / temperature, -60, 60)))


def fit_temperature(logit, label):
    """The temperature of least cross-entropy, by a search on a fine grid."""
    grid = np.exp(np.linspace(np.log(0.3), np.log(5.0), 400))
    loss = [np.mean(np.logaddexp(0.0, np.where(label == 1, -logit, logit) / t)) for t in grid]
    return float(grid[int(np.argmin(loss))])


def calibration_error(p, label, n_bin=15):
    """Expected calibration error over equal bins of the probability of the burst class."""
    index = np.minimum((p * n_bin).astype(int), n_bin - 1)
    return float(sum(abs(label[index == b].mean() - p[index == b].mean()) * (index == b).mean()
                     for b in range(n_bin) if (index == b).any()))


def figures(samples, logit, temperature):
    """All figures of merit of one part; fractions as [value, low, high] with the n they stand on."""
    y, p = samples.y, probability(logit, temperature)
    call, n1, n0 = p > 0.5, int((y == 1).sum()), int((y == 0).sum())
    hit, false = int((call & (y == 1)).sum()), int((call & (y == 0)).sum())
    recall, specificity = wilson(hit, n1), wilson(n0 - false, n0)
    out = {"n": len(y), "n_burst": n1, "n_background": n0, "accuracy": wilson(int((call == (y == 1)).sum()), len(y)),
           "balanced_accuracy": (recall[0] + specificity[0]) / 2, "recall": recall,
           "precision": wilson(hit, hit + false), "false_positive_rate": wilson(false, n0),
           "auc": auc_interval(logit, y), "calibration_error": calibration_error(p, y),
           "brier": float(np.mean((p - y) ** 2))}
    for name, rate in (("recall_at_1_percent_fpr", 0.01), ("recall_at_0.1_percent_fpr", 0.001)):
        limit = np.quantile(logit[y == 0], 1 - rate)
        out[name] = wilson(int((logit[y == 1] > limit).sum()), n1)
    family, snr = samples.column("family", str), samples.column("snr")
    out["false_positive_by_family"] = {f: [*wilson(int(call[family == f].sum()), int((family == f).sum())),
                                           int((family == f).sum())] for f in sorted(set(family[y == 0]))}
    edges = [5, 6, 7, 8, 10, 15, 30, 100, 1e9]
    out["recall_by_snr"] = {f"{a:g}-{b:g}" if b < 1e8 else f"over {a:g}": [
        *wilson(int(call[m].sum()), int(m.sum())), int(m.sum())]
        for a, b in zip(edges, edges[1:]) for m in [(y == 1) & (snr >= a) & (snr < b)]}
    return out


def leak_probes(samples):
    """AUC of one-number classifiers that must know nothing: the mean counts, the valid bins, and, for faint bursts against
    quiet windows, the scatter of the counts and the size of the standardised values."""
    y, family, snr = samples.y, samples.column("family", str), samples.column("snr")
    matched = (family == "quiet") | ((y == 1) & (snr < 7))
    fold = lambda a: float(max(a, 1 - a))
    mean, dispersion = samples.column("counts"), samples.column("dispersion")
    valid, inside = samples.column("n_valid"), samples.column("n_missing_inside")
    ramp = family == "ramp"
    return {"mean_counts_matched_snr": fold(auc(mean[matched], y[matched])),
            "dispersion_matched_snr": fold(auc(dispersion[matched], y[matched])),
            "valid_bins_without_ramps": fold(auc(valid[~ramp], y[~ramp])),
            "missing_inside_without_ramps": fold(auc(inside[~ramp], y[~ramp])), "n_matched": int(matched.sum())}


def write_json(path, value):
    with open(path, "w") as out:
        json.dump(value, out, indent=1)
        out.write("\n")


def progress(done, total, text=""):
    if sys.stderr.isatty():
        bar = "#" * (40 * done // total)
        print(f"\r[{bar:<40}] {done}/{total} {text}", end="\n" if done == total else "", file=sys.stderr, flush=True)


def write_tensor(path, array, name):
    """An ONNX TensorProto file, as golden vectors are."""
    from onnx import numpy_helper
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as out:
        out.write(numpy_helper.from_array(array, name).SerializeToString())


def finish_onnx(path, props, *changes):
    """Apply the changes to an exported file, put the metadata in, check it."""
    import onnx
    model = onnx.load(path)
    for change in changes:
        change(model)
    assert model.ir_version <= 8, model.ir_version
    model.doc_string = props["burst.card"]
    for key, value in props.items():
        entry = model.metadata_props.add()
        entry.key, entry.value = key, json.dumps(value)
    onnx.checker.check_model(model)
    onnx.save(model, path)


def percent(triple):
    return f"{100 * triple[0]:.1f} [{100 * triple[1]:.1f}, {100 * triple[2]:.1f}] %"
