"""Plots for docs/science: one look, colours that the colour-blind can tell apart (Okabe & Ito 2008), the same bytes from the same
figures. Every curve has its own marker and dash as well, so that it can be read in grey."""
import pathlib

import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot as plt  # noqa: E402

COLOURS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000"]
MARKERS = ["o", "s", "^", "D", "v", "P", "X"]
DASHES = ["-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (1, 1)), (0, (8, 2))]
matplotlib.rcParams.update({"svg.hashsalt": "burst", "svg.fonttype": "path", "font.size": 10, "axes.grid": True, "grid.alpha": 0.3,
                            "axes.spines.top": False, "axes.spines.right": False, "legend.frameon": False, "figure.dpi": 100})


def style(i):
    return {"color": COLOURS[i % len(COLOURS)], "marker": MARKERS[i % len(MARKERS)], "linestyle": DASHES[i % len(DASHES)]}


def save(figure, path, png=False):
    """path without its ending; returns the SVG's name."""
    path = pathlib.Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.tight_layout()
    figure.savefig(path.with_suffix(".svg"), metadata={"Date": None, "Creator": None})
    if png:
        figure.savefig(path.with_suffix(".png"), metadata={"Software": None}, dpi=120)
    plt.close(figure)
    return path.with_suffix(".svg").name


def line(axes, x, y, label, i, every=None):
    look = style(i)
    axes.plot(x, y, label=label, markevery=every or max(len(x) // 8, 1), markersize=5, linewidth=1.6, **look)


def points(axes, x, figures, label, i, shift=0.0):
    """Figures with their intervals; rows without a figure are left out."""
    kept = [(a + shift, f) for a, f in zip(x, figures) if f["value"] is not None]
    if not kept:
        return
    value = [f["value"] for _, f in kept]
    low, high = [max(v - f["low"], 0) for v, (_, f) in zip(value, kept)], [max(f["high"] - v, 0) for v, (_, f) in zip(value, kept)]
    axes.errorbar([a for a, _ in kept], value, yerr=[low, high], label=label, capsize=3, markersize=5, linewidth=1.4, **style(i))


def roc(curves, path, title):
    """curves: [(label, {fpr, recall})]. False positives on a logarithm: what matters lies left."""
    figure, axes = plt.subplots(figsize=(5.4, 4.2))
    for i, (label, c) in enumerate(curves):
        line(axes, [max(v, 1e-5) for v in c["fpr"]], c["recall"], label, i)
    floor = min((v for _, c in curves for v in c["fpr"] if v > 0), default=1e-3)
    axes.set(xscale="log", xlim=(max(floor / 2, 1e-5), 1), ylim=(0, 1.01), xlabel="false positive rate", ylabel="recall", title=title)
    axes.legend(loc="lower right")
    return save(figure, path)


def precision_recall(curves, path, title):
    figure, axes = plt.subplots(figsize=(5.4, 4.2))
    for i, (label, c) in enumerate(curves):
        line(axes, c["recall"], c["precision"], label, i)
    axes.set(xlim=(0, 1.01), ylim=(0.5, 1.01), xlabel="recall", ylabel="precision", title=title)
    axes.legend(loc="lower left")
    return save(figure, path)


def reliability(curves, path, title):
    """curves: [(label, rows of metrics.reliability)]."""
    figure, axes = plt.subplots(figsize=(4.8, 5.2))
    axes.plot([0, 1], [0, 1], color="0.6", linewidth=1)
    for i, (label, rows) in enumerate(curves):
        points(axes, [r["p"] for r in rows], [r["share"] for r in rows], label, i)
    axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), xlabel="probability told", ylabel="share that are bursts", title=title)
    axes.legend(loc="upper left", bbox_to_anchor=(0, -0.16), fontsize=9)
    return save(figure, path)


def bin_name(row):
    return f"{row['low']:g}–{row['high']:g}" if row["high"] is not None else f"over {row['low']:g}"


def by_snr(curves, path, title, ylabel="recall"):
    """curves: [(label, rows of metrics.by_bin)], equal bins."""
    figure, axes = plt.subplots(figsize=(6.8, 4.2))
    names = [bin_name(r) for r in curves[0][1]]
    for i, (label, rows) in enumerate(curves):
        points(axes, range(len(rows)), [r["figure"] for r in rows], label, i, shift=0.06 * (i - (len(curves) - 1) / 2))
    axes.set_xticks(range(len(names)), names)
    axes.set(ylim=(-0.02, 1.02), xlabel="S/N of the burst, expected", ylabel=ylabel, title=title)
    axes.legend(loc="best")
    return save(figure, path, png=True)


def rates(curves, path, title):
    """curves: [(label, [{threshold, rate}])]: false alarms a day against the threshold of the probability."""
    figure, axes = plt.subplots(figsize=(5.8, 4.2))
    for i, (label, rows) in enumerate(curves):
        some = [r for r in rows if r["rate"]["n"] > 0]
        points(axes, [r["threshold"] for r in some], [r["rate"] for r in some], label, i)
        none = next((r for r in rows if r["rate"]["n"] == 0), None)
        if none:  # seen never: an arrow from the upper limit
            axes.errorbar([none["threshold"]], [none["rate"]["high"]], yerr=[[0.5 * none["rate"]["high"]], [0]], uplims=True, color=COLOURS[i])
    for level, word in ((1.0, "1 a day"), (1 / 7, "1 a week")):
        axes.axhline(level, color="0.5", linewidth=1)
        axes.annotate(word, (1.0, level), xycoords=("axes fraction", "data"), ha="right", va="bottom", color="0.3")
    axes.set(yscale="log", xlabel="threshold of the logit", ylabel="false alarms a day", title=title)
    axes.legend(loc="upper right")
    return save(figure, path)


def onset(curves, path, title):
    """curves: [(label, seconds, shares)]: part of the bursts called by then."""
    figure, axes = plt.subplots(figsize=(6.0, 4.2))
    for i, (label, seconds, shares) in enumerate(curves):
        line(axes, seconds, shares, label, i)
    axes.set(xscale="log", ylim=(0, 1.02), xlabel="seconds after the onset", ylabel="part of the bursts called by then", title=title)
    axes.legend(loc="best")
    return save(figure, path)
