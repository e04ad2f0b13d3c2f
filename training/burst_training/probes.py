"""Leak probes: what a single number of a window tells about its label. A network finds such numbers before it finds bursts, and
they are not there in flight (science.md D.1). numpy only.

Classes are compared at equal S/N, else brightness itself would be found: bursts with look-alikes of the same S/N, and faint bursts
with quiet windows. What a probe cannot avoid: counts of a burst are counts, so at high S/N mean, scatter and total must rise with
it, and a look-alike that lasts longer than a burst of its S/N has more of them. Level, validity and whole numbers have no such
excuse at any S/N."""
import math

import numpy as np

from burst_training import curves, metrics

# name: whether a burst's own counts move it
PROBES = {"mean": True, "total": True, "deviation": True, "dispersion": True, "median": False, "flicker": False, "valid_bins": False,
          "holes": False, "fraction_not_whole": False}


def measure(atoms, valid):
    """{probe: number per row} of counts [N, A, T] (any dtype) with validity [N, T]."""
    total, out = np.asarray(atoms).sum(1, dtype=float), {name: np.zeros(len(atoms)) for name in PROBES}
    whole = (np.asarray(atoms) == np.rint(atoms)).all(1)
    for i, (counts, live) in enumerate(zip(total, np.asarray(valid).astype(bool))):
        x, at = counts[live], np.flatnonzero(live)
        level, middle = x.mean(), np.median(x)
        step = np.diff(x)[np.diff(at) == 1]
        out["mean"][i], out["total"][i], out["deviation"][i], out["median"][i] = level, x.sum(), x.std(), middle
        out["dispersion"][i] = curves.dispersion(x[None])[0] if level > 0 else 0
        # neighbours' difference, by its quartiles: blind to trends, and to the few bins of a pulse
        out["flicker"][i] = np.subtract(*np.percentile(step, [75, 25]))**2 / max(middle, 1e-9)
        out["valid_bins"][i], out["holes"][i] = len(x), at[-1] + 1 - at[0] - len(at)
        out["fraction_not_whole"][i] = 1 - whole[i][live].mean()
    return out


def match_cells(a, b, seed=1):
    """Rows of a and of b, as many of each in every cell; a and b are whole numbers, the cell of each row."""
    draw, pick = np.random.default_rng(seed), ([], [])
    for cell in np.intersect1d(a, b):
        rows = np.flatnonzero(a == cell), np.flatnonzero(b == cell)
        n = min(map(len, rows))
        for keep, r in zip(pick, rows):
            keep.append(draw.permutation(r)[:n])
    return tuple(np.sort(np.concatenate(p)) if p else np.zeros(0, int) for p in pick)


def cells(a, b, bins):
    """The numbers' places among the quantiles of both together."""
    edges = np.quantile(np.concatenate([a, b]), np.linspace(0, 1, bins + 1)[1:-1])
    return tuple(np.searchsorted(edges, v, "right") for v in (a, b))


def match(a, b, seed=1, bins=12):
    """Rows of a and of b that are distributed alike in these numbers."""
    return match_cells(*cells(a, b, bins), seed)


def separation(value, y, group, draws=300):
    """Figure of the area under the ROC curve of one number, whichever way it points: 0.5 tells nothing."""
    area = metrics.auc(metrics.Ranking(value, y))
    ranking = metrics.Ranking(-np.asarray(value, float) if area is not None and area < 0.5 else value, y)
    return metrics.bootstrap(lambda w: metrics.auc(ranking, w), len(y), group, draws)


def dispersion_of_its_own(snr, n_valid):
    """Area under the ROC curve that dispersion reaches against quiet windows because bursts are bursts. Excess counts s over a
    background b with S = sum(s) / sqrt(n b) over the best n bins have sum(s^2) >= S^2 b (Cauchy and Schwarz), so of N bins' variance
    over mean at least S^2 / N is the burst's; quiet windows scatter by sqrt(2 / N). Trends that are taken away make it less."""
    shift = np.asarray(snr, float)**2 / (2 * np.sqrt(np.asarray(n_valid, float)))
    return float(np.mean([0.5 * (1 + math.erf(x / math.sqrt(2))) for x in shift]))


def probe(values, rows, y, group, draws=300):
    return {name: separation(values[name][rows], y[rows], group[rows], draws) for name in PROBES}


def leaks(atoms, valid, y, snr, group=None, low=5.0, high=8.0, draws=300):
    """Every probe's figure in three comparisons:
    matched  bursts and look-alikes at equal S/N, all S/N
    faint    the same from `low` to `high`, where a burst's own counts hardly move a window's sums
    quiet    bursts from `low` to `high` and quiet windows (S/N 0)

    Given     atoms [N, A, T], valid [N, T], y [N], snr [N] as in meta.csv, group [N] what is independent
    Returned  {comparison: {probe: figure}}; a comparison without 20 rows of each class is left out"""
    y, snr = np.asarray(y), np.nan_to_num(np.asarray(snr, float))
    group = np.arange(len(y)) if group is None else np.asarray(group)
    values, burst, alike, quiet = measure(atoms, valid), y == 1, (y == 0) & (snr > 0), (y == 0) & (snr <= 0)
    faint = (snr >= low) & (snr < high)
    out = {}
    for name, yes, no in (("matched", burst, alike), ("faint", burst & faint, alike & faint), ("quiet", burst & faint, quiet)):
        yes, no = np.flatnonzero(yes), np.flatnonzero(no)
        if name != "quiet" and len(yes) and len(no):
            kept = match(snr[yes], snr[no])
            yes, no = yes[kept[0]], no[kept[1]]
        if min(len(yes), len(no)) >= 20:
            out[name] = probe(values, np.concatenate([yes, no]), y, group, draws)
    return out
