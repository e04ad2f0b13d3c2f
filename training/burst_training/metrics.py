"""Figures of merit with their intervals. numpy only.

A figure is a dictionary {value, low, high, n, n_group}: the number, its 95 % interval, the rows it stands on and the
independent groups among them. Detectors of one burst are no independent trials, so every interval is made by group:

- a plain fraction (recall, precision, accuracy) has Wilson's interval on the effective number of trials, rows divided by the
  design effect of the groups; with one row to a group that is Wilson's own interval;
- everything else (areas, F1, calibration) has percentiles of a bootstrap that draws whole groups.

value, low and high are None where nothing can be said: no rows, or one class alone."""
import math

import numpy as np

Z95 = 1.959963984540054  # standard normal, two-sided 95 %


def figure(value, low, high, n, n_group):
    """One figure; what is not a finite number becomes None, since JSON knows no NaN."""
    clean = [float(v) if v is not None and np.isfinite(v) else None for v in (value, low, high)]
    return {"value": clean[0], "low": clean[1], "high": clean[2], "n": int(n), "n_group": int(n_group)}


def wilson(hit, n, z=Z95):
    """(value, low, high) of a fraction; n need not be whole. Wilson 1927; three None for n = 0."""
    if n <= 0:
        return None, None, None
    p, d = hit / n, 1 + z * z / n
    middle, half = (p + z * z / (2 * n)) / d, z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / d
    return p, max(middle - half, 0.0), min(middle + half, 1.0)


def group_index(group, n):
    """Numbers 0..n_group-1 of the rows' groups; None: every row is a group of its own."""
    if group is None:
        return np.arange(n), n
    names, index = np.unique(np.asarray(group), return_inverse=True)
    if len(index) != n:
        raise ValueError(f"{len(index)} groups for {n} rows")
    return index, len(names)


def effective_n(hit, index, n_group):
    """Trials that would give a fraction the variance it has with whole groups drawn: the linearised variance of a ratio
    (Cochran, Sampling Techniques, 6.4), never more than the rows nor fewer than the groups."""
    n, p = len(hit), hit.mean()
    if n_group < 2 or p in (0.0, 1.0):
        return float(n_group)
    residual = np.bincount(index, hit - p, minlength=n_group)
    variance = n_group / (n_group - 1) * (residual**2).sum() / n**2
    return float(np.clip(p * (1 - p) / variance if variance > 0 else n, n_group, n))


def fraction(hit, group=None):
    """Part of the rows that are true."""
    hit = np.asarray(hit, dtype=float)
    index, n_group = group_index(group, len(hit))
    if not len(hit):
        return figure(None, None, None, 0, 0)
    n = effective_n(hit, index, n_group) if n_group < len(hit) else len(hit)
    return figure(*wilson(hit.mean() * n, n), len(hit), n_group)


def bootstrap(statistic, n, group=None, draws=1000, seed=1):
    """Figure of statistic(weight), weight [n] being how often each row counts; groups are drawn with replacement. A draw in
    which the statistic cannot be said (None or NaN) is left out."""
    index, n_group = group_index(group, n)
    if not n:
        return figure(None, None, None, 0, 0)
    random, values = np.random.default_rng(seed), []
    for _ in range(draws):
        times = np.bincount(random.integers(0, n_group, n_group), minlength=n_group)
        values.append(statistic(times[index].astype(float)))
    values = np.array([v for v in values if v is not None and np.isfinite(v)])
    low, high = np.percentile(values, [2.5, 97.5]) if len(values) > draws // 2 else (None, None)
    return figure(statistic(np.ones(n)), low, high, n, n_group)


class Ranking:
    """Rows by falling score. Ties are taken together, so no order among equals is invented."""

    def __init__(self, score, y):
        score, self.y = np.asarray(score, dtype=float), np.asarray(y).astype(bool)
        if len(score) != len(self.y):
            raise ValueError(f"{len(score)} scores for {len(self.y)} labels")
        if not np.isfinite(score).all():
            raise ValueError("a score is not finite")
        self.order = np.argsort(-score, kind="stable")
        ranked = score[self.order]
        self.last = np.flatnonzero(np.append(ranked[1:] != ranked[:-1], True)) if len(score) else np.zeros(0, int)
        self.threshold = ranked[self.last]

    def counts(self, weight=None):
        """Bursts and others called a burst at each threshold (score >= threshold), the first entry calling none."""
        weight = np.ones(len(self.y)) if weight is None else weight
        w, y = weight[self.order], self.y[self.order]
        hit, false = np.cumsum(w * y)[self.last], np.cumsum(w * ~y)[self.last]
        return np.append(0.0, hit), np.append(0.0, false)


def roc(score, y):
    """False positive rate, recall, and the threshold of each point (infinity first)."""
    ranking = Ranking(score, y)
    hit, false = ranking.counts()
    return false / max(false[-1], 1.0), hit / max(hit[-1], 1.0), np.append(np.inf, ranking.threshold)


def auc(ranking, weight=None):
    """Area under the ROC curve; ties count half."""
    hit, false = ranking.counts(weight)
    if hit[-1] <= 0 or false[-1] <= 0:
        return None
    return float(((false[1:] - false[:-1]) * (hit[1:] + hit[:-1])).sum() / 2 / (hit[-1] * false[-1]))


def precision_recall(score, y):
    """Recall, precision and threshold of each point."""
    ranking = Ranking(score, y)
    hit, false = ranking.counts()
    return hit[1:] / max(hit[-1], 1.0), hit[1:] / np.maximum(hit[1:] + false[1:], 1.0), ranking.threshold


def average_precision(ranking, weight=None):
    """Area under the precision-recall curve, as steps: no line is drawn between points that no threshold reaches."""
    hit, false = ranking.counts(weight)
    if hit[-1] <= 0:
        return None
    precision = hit[1:] / np.maximum(hit[1:] + false[1:], 1e-300)
    return float(((hit[1:] - hit[:-1]) * precision).sum() / hit[-1])


def recall_at_fpr(ranking, rate, weight=None):
    """Largest recall with at most this part of the others called bursts."""
    hit, false = ranking.counts(weight)
    if hit[-1] <= 0 or false[-1] <= 0:
        return None
    return float(hit[np.flatnonzero(false <= rate * false[-1] * (1 + 1e-12))[-1]] / hit[-1])


def threshold_at_fpr(score, y, rate):
    """The lowest score that calls at most this part of the others bursts; infinity where none does."""
    false, _, threshold = roc(score, y)
    return float(threshold[np.flatnonzero(false <= rate * (1 + 1e-12))[-1]])


def balanced_accuracy(call, y, weight):
    good, bad = (weight * y).sum(), (weight * ~y).sum()
    if good <= 0 or bad <= 0:
        return None
    return float((weight * (call & y)).sum() / good + (weight * (~call & ~y)).sum() / bad) / 2


def f1(call, y, weight):
    both = (weight * call).sum() + (weight * y).sum()
    return float(2 * (weight * (call & y)).sum() / both) if both > 0 else None


def ece(p, y, weight=None, bins=15):
    """Expected calibration error: |burst share - mean probability| over equal bins of the burst's probability, by rows."""
    p, y = np.asarray(p, dtype=float), np.asarray(y, dtype=float)
    weight = np.ones(len(p)) if weight is None else weight
    index = np.minimum((p * bins).astype(int), bins - 1)
    gap = np.bincount(index, weight * (y - p), minlength=bins)
    return float(np.abs(gap).sum() / weight.sum()) if weight.sum() > 0 else None


def brier(p, y, weight=None):
    """Mean squared difference of probability and truth."""
    weight = np.ones(len(p)) if weight is None else weight
    return float((weight * (p - y) ** 2).sum() / weight.sum()) if weight.sum() > 0 else None


def reliability(p, y, group=None, bins=15):
    """Rows {low, high, p, share}: edges, mean probability and the figure of the burst share of each bin that holds rows."""
    p, y = np.asarray(p, dtype=float), np.asarray(y).astype(bool)
    group = np.arange(len(p)) if group is None else np.asarray(group)
    index, rows = np.minimum((p * bins).astype(int), bins - 1), []
    for b in range(bins):
        inside = index == b
        if inside.any():
            rows.append({"low": b / bins, "high": (b + 1) / bins, "p": float(p[inside].mean()), "share": fraction(y[inside], group[inside])})
    return rows


def probability(logit, temperature=1.0):
    """Of a burst; logit: burst minus background."""
    return 1.0 / (1.0 + np.exp(-np.clip(np.asarray(logit, dtype=float) / temperature, -60, 60)))


def figures(logit, y, group=None, temperature=1.0, threshold=0.5, rates=(0.01, 0.001), draws=1000, seed=1):
    """Every figure of one set of rows.

    Given     logit  [n], burst minus background; y [n], 0 or 1; group [n], what is independent (None: each row)
              threshold  of the probability: above it a row is called a burst
    Returned  {name: figure}, recall at rate r as `recall_at_fpr_<r>`"""
    y, p = np.asarray(y).astype(bool), probability(logit, temperature)
    group = np.arange(len(y)) if group is None else np.asarray(group)
    call, ranking, n = p > threshold, Ranking(logit, y), len(y)

    def drawn(statistic):
        return bootstrap(statistic, n, group, draws, seed)

    out = {"accuracy": fraction(call == y, group), "precision": fraction(y[call], group[call]), "recall": fraction(call[y], group[y]),
           "false_positive_rate": fraction(call[~y], group[~y]),
           "balanced_accuracy": drawn(lambda w: balanced_accuracy(call, y, w)), "f1": drawn(lambda w: f1(call, y, w)),
           "auc": drawn(lambda w: auc(ranking, w)), "average_precision": drawn(lambda w: average_precision(ranking, w)),
           "ece": drawn(lambda w: ece(p, y, w)), "brier": drawn(lambda w: brier(p, y, w))}
    for rate in rates:
        out[f"recall_at_fpr_{rate:g}"] = drawn(lambda w, r=rate: recall_at_fpr(ranking, r, w))
    return out


def by_bin(values, edges, hit, group=None):
    """Rows {low, high, figure} of the hits among rows with edges[i] <= value < edges[i + 1]; the last edge may be None: no end."""
    values, hit = np.asarray(values, dtype=float), np.asarray(hit).astype(bool)
    group, rows = np.arange(len(hit)) if group is None else np.asarray(group), []
    for low, high in zip(edges, edges[1:]):
        inside = (values >= low) & (values < (np.inf if high is None else high))
        rows.append({"low": low, "high": high, "figure": fraction(hit[inside], group[inside])})
    return rows


def by_name(names, hit, group=None):
    """{name: figure} of the hits among the rows of each name."""
    names, hit = np.asarray(names), np.asarray(hit).astype(bool)
    group = np.arange(len(hit)) if group is None else np.asarray(group)
    return {str(name): fraction(hit[names == name], group[names == name]) for name in np.unique(names)}


def poisson_cdf(k, mean):
    """P(count <= k)."""
    if k < 0:
        return 0.0
    if mean == 0:
        return 1.0
    terms = np.arange(k + 1)
    logs = terms * math.log(mean) - mean - np.array([math.lgamma(t + 1) for t in terms])
    return float(min(np.exp(logs).sum(), 1.0))


def solve_mean(k, target):
    """The mean at which P(count <= k) falls to the target."""
    low, high = 0.0, k + 10 * math.sqrt(k + 1) + 20
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if poisson_cdf(k, middle) > target else (low, middle)
    return (low + high) / 2


def poisson_rate(count, exposure):
    """Events per unit of exposure with the central 95 % interval of Garwood 1936."""
    low = solve_mean(count - 1, 0.975) if count > 0 else 0.0
    return figure(count / exposure, low / exposure, solve_mean(count, 0.025) / exposure, count, count)
