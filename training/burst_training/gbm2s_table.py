"""The table of science.md, section 0, on real Fermi/GBM light curves: from the predictions of finished runs and from the classical
search, with intervals by burst. numpy only; nothing is trained or chosen on test rows here.

A score is a list of logits, one array per seed: figures are means over the seeds, and the bootstrap draws whole bursts."""
import numpy as np

from burst_training import calibrate, metrics, runs

RUNS = {"simulation only": "gbm-2s-sim", "real only": "gbm-2s-real", "simulation, then real": "gbm-2s-transfer"}
SNR_EDGES = ((4, 6), (6, 10), (10, None))
FPR = 0.01


def read(name, seed, part):
    """Predictions of a run's part as {logit, y, group, sky, snr, snr_blind}. Raises FileNotFoundError where the run is missing."""
    with np.load(runs.run_folder(name, seed) / f"predictions-{part}.npz") as file:
        kept = {key: file[key] for key in ("logit", "y", "group", "sky", "snr", "snr_blind", "detector", "place")}
        return kept, float(file["temperature"])


def same_rows(a, b):
    return all(len(a[k]) == len(b[k]) and (a[k] == b[k]).all() for k in ("y", "sky", "detector"))


def read_seeds(name, seeds, part):
    """(rows, logits [S], temperatures [S]) of a run's seeds, which must have judged the same rows."""
    kept = [read(name, seed, part) for seed in seeds]
    if not all(same_rows(kept[0][0], rows) for rows, _ in kept):
        raise ValueError(f"{name}: seeds {seeds} judged different rows of {part}")
    return kept[0][0], [rows["logit"] / t for rows, t in kept], [t for _, t in kept]


def of_three(rows, logits):
    """Rows and logits of the mean over the detectors of one stretch of sky; S/N is that of the best of them."""
    sky, first, index = np.unique(rows["sky"], return_index=True, return_inverse=True)
    count = np.bincount(index)
    snr = np.full(len(sky), -np.inf)
    np.maximum.at(snr, index, rows["snr"])
    joined = {**{k: rows[k][first] for k in ("y", "group", "sky")}, "snr": snr, "n_detector": count}
    return joined, [np.bincount(index, z) / count for z in logits]


def mean_of(statistic, per_seed):
    """The mean over seeds of a statistic, as a function of the rows' weights."""
    def of(weight):
        values = [statistic(one, weight) for one in per_seed]
        return None if any(v is None for v in values) else float(np.mean(values))
    return of


def share(call, weight):
    return float((weight * call).sum() / weight.sum()) if weight.sum() > 0 else None


class Strict:
    """Recall of some bursts at the threshold that calls at most a part `rate` of the quiet rows, by weights."""

    def __init__(self, score, y, inside, rate=FPR):
        self.score, self.inside, self.rate = score, inside, rate
        quiet = np.flatnonzero(~y)
        self.falling = quiet[np.argsort(-score[quiet], kind="stable")]

    def __call__(self, weight):
        w = weight[self.falling]
        allowed = np.searchsorted(np.cumsum(w), self.rate * w.sum() * (1 + 1e-12), "right")  # quiet rows that may be called
        if allowed == len(w) or not weight[self.inside].sum() > 0:
            return None
        called = self.score[self.inside] > self.score[self.falling[allowed]]
        return float((weight[self.inside] * called).sum() / weight[self.inside].sum())


def figures(rows, logits, draws=1000, probabilities=True):
    """{name: figure}, means over seeds. A logit above 0 calls a burst."""
    y, group = rows["y"] == 1, rows["group"]
    call, ranking = [z > 0 for z in logits], [metrics.Ranking(z, y) for z in logits]
    p = [metrics.probability(z) for z in logits]

    def drawn(statistic, per_seed, among=None):
        keep = np.ones(len(y), bool) if among is None else among
        part = [one[keep] if isinstance(one, np.ndarray) else one for one in per_seed]
        return metrics.bootstrap(mean_of(statistic, part), int(keep.sum()), group[keep], draws)

    out = {"balanced_accuracy": drawn(lambda c, w: metrics.balanced_accuracy(c, y, w), call),
           "recall": drawn(share, call, y), "false_positive_rate": drawn(share, call, ~y),
           "auc": drawn(metrics.auc, ranking), "recall_at_fpr_0.01": drawn(lambda r, w: metrics.recall_at_fpr(r, FPR, w), ranking)}
    for low, high in SNR_EDGES:
        inside = y & (rows["snr"] >= low) & (rows["snr"] < (high or np.inf))
        out[f"recall_snr_{low}_{high or 'up'}"] = drawn(share, call, inside)
        strict = [Strict(z, y, np.flatnonzero(inside)) for z in logits]
        kept = metrics.bootstrap(mean_of(lambda one, w: one(w), strict), len(y), group, draws)
        out[f"recall_at_fpr_snr_{low}_{high or 'up'}"] = {**kept, "n": int(inside.sum()), "n_group": int(len(np.unique(group[inside])))}
    if probabilities:
        out["ece"] = drawn(lambda q, w: metrics.ece(q, y, w), p)
        out["brier"] = drawn(lambda q, w: metrics.brier(q, y, w), p)
    return out


def recalibrated(check, logits_check, logits):
    """Logits (z + b) / T of each seed, T and b fitted on the validation rows; and those."""
    fits = [calibrate.platt(z, check["y"]) for z in logits_check]
    return [(z + b) / t for z, (t, b) in zip(logits, fits)], [{"temperature": t, "offset": b} for t, b in fits]


def best_threshold(score, y):
    """The score of highest balanced accuracy."""
    false, hit, threshold = metrics.roc(score, y)
    return float(threshold[np.argmax(hit - false)])


def row(name, trained_on, view, what, rows, logits, **kept):
    return {"name": name, "trained_on": trained_on, "detectors": view, "calibration": what, "seeds": len(logits),
            "n_burst": int((rows["y"] == 1).sum()), "n_quiet": int((rows["y"] == 0).sum()), "n_group": int(len(np.unique(rows["group"]))),
            **kept, "figures": figures(rows, logits, probabilities=what is not None)}


def run_rows(trained_on, name, seeds):
    """Every row of one run: seeds, ensemble, three detectors; as it comes and recalibrated on real validation bursts."""
    test, z, temperature = read_seeds(name, seeds, "test")
    check, zc, _ = read_seeds(name, seeds, "real-validate" if has_part(name, seeds[0], "real-validate") else "validate")
    views = {"one": (test, z, check, zc), "three": (*of_three(test, z), *of_three(check, zc))}
    out = []
    for view, (rows, logits, check_rows, check_logits) in views.items():
        for title, some, some_check in (("mean of the seeds", logits, check_logits),
                                        ("ensemble", [np.mean(logits, 0)], [np.mean(check_logits, 0)])):
            fixed, fits = recalibrated(check_rows, some_check, some)
            out.append(row(f"{trained_on}, {title}", trained_on, view, "as the run left it", rows, some, temperature=temperature))
            out.append(row(f"{trained_on}, {title}", trained_on, view, "on real validation bursts", rows, fixed, fits=fits))
    return out


def has_part(name, seed, part):
    return (runs.run_folder(name, seed) / f"predictions-{part}.npz").exists()


def classical_rows(name, seed):
    """The search that flies, on the same rows: highest S/N of 1, 2, 4, 8 bins over a clipped quadratic, threshold from validation."""
    test, _ = read(name, seed, "test")
    check, _ = read(name, seed, "real-validate" if has_part(name, seed, "real-validate") else "validate")
    out = []
    for view, of in (("one", lambda r: (r, [r["snr_blind"]])), ("three", lambda r: of_three(r, [r["snr_blind"]]))):
        (rows, score), (check_rows, check_score) = of(test), of(check)
        limit = best_threshold(check_score[0], check_rows["y"])
        out.append(row("classical, highest S/N", "nothing", view, None, rows, [score[0] - limit + 1e-9], threshold_snr=limit))
    return out


def per_seed(name, seeds):
    """Point values of each seed, one detector, as the run left it."""
    test, z, _ = read_seeds(name, seeds, "test")
    y = test["y"] == 1
    ones = np.ones(len(y))
    return [{"seed": seed, "balanced_accuracy": metrics.balanced_accuracy(one > 0, y, ones), "auc": metrics.auc(metrics.Ranking(one, y)),
             "ece": metrics.ece(metrics.probability(one), y), "recall_at_fpr_0.01": metrics.recall_at_fpr(metrics.Ranking(one, y), FPR)}
            for seed, one in zip(seeds, z)]


def table(seeds=(1, 2, 3), names=None):
    """All rows, and what each seed gave."""
    names = names or RUNS
    rows = [one for trained_on, name in names.items() for one in run_rows(trained_on, name, seeds)]
    first = next(iter(names.values()))
    return {"what": "gbm-2s-table", "name": "gbm-2s-table", "data": "real", "command": "training/burst-gbm-2s --out docs/science/figures",
            "title": "real Fermi/GBM light curves of 2017, 2.048 s, 8-900 keV, one band", "interval": "95 %, bootstrap by burst",
            "rows": rows + classical_rows(first, seeds[0]),
            "by_seed": {trained_on: per_seed(name, seeds) for trained_on, name in names.items()}}


COLUMNS = (("balanced_accuracy", "balanced accuracy", 100), ("auc", "AUC", 1), ("recall_at_fpr_0.01", "recall at 1 % FPR", 100),
           ("recall_at_fpr_snr_4_6", "of S/N 4-6", 100), ("recall_at_fpr_snr_6_10", "of 6-10", 100), ("recall_at_fpr_snr_10_up", "of over 10", 100),
           ("recall_snr_4_6", "recall at p 0.5 of S/N 4-6", 100), ("recall_snr_6_10", "of 6-10", 100), ("ece", "ECE", 1))


def cell(figure, scale):
    if figure is None or figure["value"] is None:
        return "-"
    digits = 1 if scale == 100 else 4
    value, low, high = (f"{scale * figure[k]:.{digits}f}" if figure[k] is not None else "?" for k in ("value", "low", "high"))
    return f"{value} [{low}, {high}]" + (" %" if scale == 100 else "")


def markdown(found):
    lines = ["| trained on | detectors | calibration | " + " | ".join(title for _, title, _ in COLUMNS) + " |", "|" + "---|" * (3 + len(COLUMNS))]
    for r in found["rows"]:
        cells = [cell(r["figures"].get(key), scale) for key, _, scale in COLUMNS]
        lines.append(f"| {r['name']} | {r['detectors']} | {r['calibration'] or '-'} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def section(found):
    """The table for docs/science.md."""
    n = found["rows"][0]
    rows = f"{n['n_burst']} with a burst, {n['n_quiet']} quiet, of {n['n_group']} bursts"
    return f"""Rows are windows of one detector ({rows}) or,
with three detectors, the mean logit of the same stretch of sky. Means are over {n['seeds']} seeds, an ensemble is their mean logit;
intervals are made by burst. Thresholds lie at p = 0.5; recalibration (temperature and offset, which moves the threshold to where
bursts are as frequent as there) and the classical search's threshold are fitted on real validation bursts (2015-07 to 2016). The
classical search is the highest S/N of 1, 2, 4 or 8 bins over a clipped quadratic. Burst windows have a measured S/N of 4 or more,
which favours a search by S/N; each recipe was chosen on validation bursts, and its seeds looked at the test bursts once.

{markdown(found)}
Made by `{found['command']}`.
"""
