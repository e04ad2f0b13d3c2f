"""What burst-eval's commands measure: every command leaves one JSON file of figures, made again by the command told in it."""
import pathlib

import numpy as np

from burst_training import days as sky
from burst_training import metrics, runs

SNR_EDGES = [3, 4, 5, 6, 7, 8, 9, 10, 15, None]
ONSET_EDGES = [4, 6, 10, 20, None]
ONSET_S = [1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96]
POINTS = 160  # of a curve that ships


def thin(n):
    """At most POINTS of n places, ends kept, denser at the start where a curve is steep."""
    if n <= POINTS:
        return np.arange(n)
    return np.unique(np.concatenate([np.geomspace(1, n - 1, POINTS - 1).astype(int), [0]]))


def read_predictions(path):
    """Rows with a sure label of one file of a run."""
    with np.load(path, allow_pickle=False) as file:
        z = {k: file[k] for k in file.files}
    for key in ("logit", "y", "group"):
        if key not in z:
            raise ValueError(f"{path}: no '{key}' (it has {', '.join(sorted(z))})")
    sure = (z["y"] == 0) | (z["y"] == 1)
    rows = {k: v[sure] for k, v in z.items() if v.shape[:1] == sure.shape}
    return {**rows, "y": rows["y"].astype(int), "temperature": float(z.get("temperature", 1.0))}


def together(rows):
    """One row per group and label: the mean logit of its detectors."""
    key = np.char.add(np.char.add(rows["group"].astype(str), "|"), rows["y"].astype(str))
    names, first, index = np.unique(key, return_index=True, return_inverse=True)
    out = {k: v[first] for k, v in rows.items() if isinstance(v, np.ndarray)}
    out["logit"] = np.bincount(index, rows["logit"]) / np.bincount(index)
    if "snr" in rows:
        out["snr"] = np.array([rows["snr"][index == i].max() for i in range(len(names))]) if len(names) < 20000 else rows["snr"][first]
    return {**out, "temperature": rows["temperature"]}


def curve_points(logit, y):
    false, recall, _ = metrics.roc(logit, y)
    r, p, _ = metrics.precision_recall(logit, y)
    keep, kept = thin(len(false)), thin(len(r))
    return ({"fpr": np.round(false[keep], 6).tolist(), "recall": np.round(recall[keep], 5).tolist()},
            {"recall": np.round(r[kept], 5).tolist(), "precision": np.round(p[kept], 5).tolist()})


def one_set(rows, draws):
    """All that is told of one file."""
    logit, y, group, t = rows["logit"], rows["y"], rows["group"], rows["temperature"]
    hit = logit > 0
    roc, pr = curve_points(logit, y)
    out = {"n_burst": int(y.sum()), "n_other": int((1 - y).sum()), "temperature": t, "figures": metrics.figures(logit, y, group, t, draws=draws),
           "roc": roc, "precision_recall": pr, "reliability": metrics.reliability(metrics.probability(logit, t), y, group)}
    burst = y == 1
    if "snr" in rows:
        out["recall_by_snr"] = metrics.by_bin(rows["snr"][burst], SNR_EDGES, hit[burst], group[burst])
        for low, high in ((4, 6), (6, 10)):
            out["figures"][f"recall_snr_{low}_{high}"] = metrics.by_bin(rows["snr"][burst], [low, high], hit[burst], group[burst])[0]["figure"]
    if "family" in rows:
        out["false_positive_by_family"] = metrics.by_name(rows["family"][~burst], hit[~burst], group[~burst])
    return out


def over_seeds(sets):
    """{figure: {mean, least, most}} of several runs of one experiment."""
    names = sets[0]["figures"]
    values = {k: [s["figures"][k]["value"] for s in sets] for k in names}
    return {k: {"mean": float(np.mean(v)), "least": float(min(v)), "most": float(max(v))} for k, v in values.items() if None not in v}


def predictions(files, coincident=False, draws=1000):
    sets = []
    for path in files:
        rows = read_predictions(path)
        sets.append({"file": run_name(path), **one_set(together(rows) if coincident else rows, draws)})
    return {"sets": sets, "seeds": over_seeds(sets), "coincident": bool(coincident)}


def run_name(path):
    """runs/NAME/SEED/FILE without the folder that the machine keeps it in."""
    parts = pathlib.Path(path).resolve().parts
    return "/".join(parts[parts.index("runs") + 1:]) if "runs" in parts else parts[-1]


def families(seen, held, draws=400):
    """Leave one family out: how often it is taken for a burst by the network that never saw it, beside the one that did."""
    rows, base = [], read_predictions(seen)
    for family, path in held:
        blind = read_predictions(path)
        at = lambda r: metrics.by_name(r["family"][r["y"] == 0], (r["logit"] > 0)[r["y"] == 0], r["group"][r["y"] == 0]).get(family)  # noqa: E731
        if at(blind) is None:
            raise ValueError(f"{path}: no rows of the family '{family}'")
        f = metrics.figures(blind["logit"], blind["y"], blind["group"], blind["temperature"], draws=draws)
        rows.append({"family": family, "unseen": at(blind), "seen": at(base), "recall": f["recall"], "accuracy": f["accuracy"], "auc": f["auc"],
                     "file": run_name(path)})
    return {"seen": run_name(seen), "rows": rows}


def shift(labelled, draws=400):
    """The same network, or the same recipe, over sets whose parameters differ."""
    rows = []
    for label, path in labelled:
        r = read_predictions(path)
        rows.append({"label": label, "file": run_name(path), "figures": metrics.figures(r["logit"], r["y"], r["group"], r["temperature"], draws=draws)})
    return {"rows": rows}


def about(judge, days, n):
    return {"model": judge.name, "sha256": judge.sha256, "days": n, "detectors": days.facts["detectors"],
            "of": {k: days.facts[k] for k in ("mission", "seed", "bursts", "rate")}, "stride_s": sky.STRIDE * sky.BIN_S, "made_by": [days.command(n)]}


def by_cause(scored, truths, threshold, exposure):
    """[{family, alarms, per_day}] of false alarms, the most frequent first; and how many of each family there were."""
    count, met = {}, {}
    for day, found in sky.false_alarms(scored, truths, threshold).items():
        for alarm in found:
            word = sky.cause(alarm, truths[day])
            count[word] = count.get(word, 0) + 1
        for e in truths[day]:
            met[e["what"]] = met.get(e["what"], 0) + 1
    return [{"family": k, "alarms": v, "happened": met.get(k, 0), "rate": metrics.poisson_rate(v, exposure)}
            for k, v in sorted(count.items(), key=lambda kv: -kv[1])]


def false_alarm_days(judge, folder, first=None, minutes=0.0):
    """Alarms a day of one detector, or of all detectors of the days by their mean logit, by threshold and by cause, with every
    family at the rate it has in orbit."""
    days = sky.Days(folder)
    scored = sky.score_together(judge, days, first, minutes)
    truths = {day: days.truth(day) for day, _, _ in scored}
    exposure = sum(len(t) for _, t, _ in scored) * sky.STRIDE * sky.BIN_S / 86400.0
    clear = sky.veto(scored, truths)
    clear_exposure = sum(len(t) for _, t, _ in clear) * sky.STRIDE * sky.BIN_S / 86400.0
    grid = np.arange(-1.0, 10.01, 0.5)
    out = {**about(judge, days, len(scored)), "live_days": exposure, "clear_live_days": clear_exposure,
           "windows": int(sum(len(t) for _, t, _ in scored)),
           "curve": sky.rate_curve(scored, truths, exposure, grid), "clear_curve": sky.rate_curve(clear, truths, clear_exposure, grid), "at": {}}
    for word, per_day in (("day", 1.0), ("week", 1 / 7)):
        level, n = sky.threshold_for(scored, truths, per_day, exposure)
        out["at"][word] = {"logit": level, "p": float(metrics.probability(level)), "alarms": n, "rate": metrics.poisson_rate(n, exposure)}
    for p in (0.5, 0.8, 0.95):
        level = float(np.log(p / (1 - p)))
        n = sum(map(len, sky.false_alarms(scored, truths, level).values()))
        out["at"][f"p{p:g}"] = {"logit": level, "p": p, "alarms": n, "rate": metrics.poisson_rate(n, exposure),
                                "causes": by_cause(scored, truths, level, exposure)}
    out["real_bursts"] = [{"snr": s, "caught": c} for s, c, _, _ in sky.caught(scored, truths, 0.0) if s > 0]
    return out


def methods(judge, days, first, minutes, focus_options, bursts_only=False):
    """{name: scored} of the network, FOCuS and the trigger over the same days. bursts_only: the network is asked where bursts are."""
    scored = sky.score_days(judge, days, first, minutes, bursts_only=bursts_only)
    n = len(scored)
    return {"network": scored, "focus": sky.classical_days(days, "focus", n, **focus_options), "trigger": sky.classical_days(days, "trigger", n)}


def sensitivity(judge, quiet_folder, injected_folder, first=None, first_injected=None, minutes=0.0, per_day=1.0, focus_options=None):
    """Recall against injected S/N of the network, FOCuS and the trigger that flies, thresholds set for the same measured false alarms
    a day: once with all that happens in orbit, once on the clear sky (see days.disturbs)."""
    quiet, injected, options = sky.Days(quiet_folder), sky.Days(injected_folder), focus_options or {}
    still = methods(judge, quiet, first, minutes, options)
    bursts = methods(judge, injected, first_injected, minutes, options, True)
    truths = {day: quiet.truth(day) for day in range(quiet.n)}
    burst_truths = {day: injected.truth(day) for day in range(injected.n)}
    n = len(still["network"])
    made_by = [quiet.command(n), injected.command(len(bursts["network"]))]
    out = {**about(judge, quiet, n), "per_day": per_day, "injected_days": len(bursts["network"]), "focus": options, "made_by": made_by, "skies": {}}
    for name, clear in (("all", False), ("clear", True)):
        exposure = sky.live_days(quiet, n, truths if clear else None)
        table = {}
        for method, scored in still.items():
            level, alarms = sky.threshold_for(sky.veto(scored, truths) if clear else scored, truths, per_day, exposure)
            rows = sky.caught(bursts[method], {d: sky.undisturbed(v) for d, v in burst_truths.items()} if clear else burst_truths, level)
            snr, hit = np.array([r[0] for r in rows]), np.array([r[1] for r in rows])
            table[method] = {"threshold": level, "alarms": alarms, "rate": metrics.poisson_rate(alarms, exposure),
                             "recall": metrics.by_bin(snr, SNR_EDGES, hit), "recall_4_6": metrics.by_bin(snr, [4, 6], hit)[0]["figure"]}
        out["skies"][name] = {"live_days": exposure, "methods": table}
    return out


def onset(judge, folder, first=None, threshold=0.5, most=400):
    """Seconds from a burst's onset to the first window over the threshold, windows ending every 1.024 s from the onset on."""
    days, rows = sky.Days(folder), []
    offsets, level = np.arange(0.512, 100.0, 1.024), np.log(threshold / (1 - threshold))
    for day in range(min(first or days.n, days.n)):
        counts, valid = days.counts(day)
        counts = np.ascontiguousarray(counts[0])
        live = np.concatenate([[0], np.cumsum(valid, dtype=np.int64)])
        for b in days.truth(day):
            if b["what"] != "burst" or b["onset_s"] < 0 or len(rows) >= most:
                continue
            ends = np.round((b["onset_s"] + offsets) / sky.BIN_S).astype(int)
            ends = ends[(ends >= sky.WINDOW) & (ends <= len(valid))]
            ends = ends[live[ends] - live[ends - sky.WINDOW] >= sky.LEAST_VALID]
            rows.append((b["snr"], first_over(judge, counts, valid, ends, level) * sky.BIN_S - b["onset_s"]))
    snr, delay = np.array([r[0] for r in rows]), np.array([r[1] for r in rows])
    out = {**about(judge, days, min(first or days.n, days.n)), "threshold": threshold, "n": len(rows), "bins": []}
    for low, high in zip(ONSET_EDGES, ONSET_EDGES[1:]):
        some = delay[(snr >= low) & (snr < (high or np.inf))]
        called = np.sort(some[np.isfinite(some)])
        out["bins"].append({"low": low, "high": high, "n": len(some), "called": len(called),
                            "median_s": float(called[(len(some) - 1) // 2]) if len(some) and len(called) > (len(some) - 1) // 2 else None,
                            "by": [{"seconds": s, "share": metrics.fraction(some <= s)} for s in ONSET_S]})
    return out


def first_over(judge, counts, valid, ends, level):
    """The first end whose window is over the level, looked for in growing pieces: most bursts are called soon. Infinity: none."""
    at, size = 0, 8
    while at < len(ends):
        z = judge.logits(counts, valid, ends[at:at + size])
        if (z > level).any():
            return float(ends[at + int(np.argmax(z > level))])
        at, size = at + size, 2 * size
    return np.inf


def write(folder, name, what, data, command, figures, title=""):
    """One file of figures. data: "simulated" or "real"."""
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    runs.write_json(folder / f"{name}.json", {"what": what, "name": name, "title": title, "data": data, "command": command, **figures})
    return folder / f"{name}.json"


def is_simulated(prediction):
    """What the run's own figures.json says of its test part; simulated where nothing is said."""
    record = pathlib.Path(prediction).with_name("figures.json")
    if not record.exists():
        return True
    part = pathlib.Path(prediction).stem.partition("-")[2]
    return bool(runs.read_json(record).get("data", {}).get(part, {}).get("simulated", True))


def finished_runs():
    """{experiment: [its seeds' test predictions]} of every finished run but smoke runs."""
    found = {}
    for path in sorted((runs.root() / "runs").glob("*/*/predictions-test.npz")):
        name = path.parts[-3]
        if not name.endswith("-smoke") and (path.parent / "run.json").exists():
            found.setdefault(name, []).append(path)
    return found
