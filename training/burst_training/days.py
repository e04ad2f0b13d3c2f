"""Simulated days (burst-sim days): networks, FOCuS and the trigger that flies over every window, alarms counted the same way for all.

An alarm is a stretch in which a score passes a threshold; stretches less than a window (120 s) apart are one alarm, since they
share data, and one that goes on is told anew every ten minutes. It is true where its windows hold burst counts, else false."""
import csv
import json
import pathlib
import time
import zlib

import numpy as np

from burst_training import clib, metrics, runs

BIN_S, WINDOW, LEAST_VALID = 0.064, 1875, 469
WINDOW_S = WINDOW * BIN_S
STRIDE = 63  # bins: 4.032 s
COARSE = 4  # the first pass looks at every fourth window
DOUBT = 0.02  # and at those between where the probability is above this
ANEW_S = 600.0
AFTER_S = 115.0  # a burst is caught by windows that end from its onset to this long after its peak
RANGES = {"25-50": (0, 1), "50-300": (1, 3), "100-300": (2, 3), "300-900": (3, 5), "25-900": (0, 5)}


class Days:
    """A folder of days; counts stay on disk."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.facts = json.loads((self.folder / "set.json").read_text())
        self.n = len(sorted(self.folder.glob("day-*.csv")))
        self.simulated = True

    def command(self, n):
        """What makes n such days."""
        f, word = self.facts, {"real": "", "none": " --bursts none"}
        bursts = word.get(f["bursts"], f" --inject {f['snr'][0]:g},{f['snr'][1]:g} --every {f['every_s']:g}")
        rate = "" if f["rate"] == 1 else f" --rate {f['rate']:g}"
        return (f"burst-sim days --days {n} --mission {f['mission']} --detectors {f['detectors']} --seed {f['seed']}{bursts}{rate} "
                f"--out {self.folder.name}")

    def counts(self, day):
        """uint16 [detectors, atoms, bins], uint8 [bins]."""
        return np.load(self.folder / f"day-{day:03d}.npy", mmap_mode="r"), np.load(self.folder / f"day-{day:03d}-valid.npy")

    def truth(self, day):
        """[{what, start_s, ...}] with numbers as floats."""
        names = ("day", "what", "start_s", "stop_s", "peak_s", "onset_s", "snr", "detector", "t90_s", "azimuth_deg", "zenith_deg")
        with open(self.folder / f"day-{day:03d}.csv", newline="") as table:
            return [{k: v if k == "what" else float(v) for k, v in zip(names, row)} for row in csv.reader(table)]


def window_ends(valid, stride=STRIDE):
    """Bins at which windows of enough data end (exclusive)."""
    ends = np.arange(WINDOW, len(valid) + 1, stride)
    live = np.concatenate([[0], np.cumsum(valid, dtype=np.int64)])
    return ends[live[ends] - live[ends - WINDOW] >= LEAST_VALID]


class Judge:
    """An exported network with its temperature, as burstd asks it."""

    def __init__(self, folder, threads=1):
        folder = pathlib.Path(folder)
        self.net = clib.Net(str(folder / "model.onnx" if folder.is_dir() else folder), batch=16, threads=threads)
        meta = {k: json.loads(v) for k, v in self.net.metadata().items() if k.startswith("burst.")}
        self.temperature = float(meta.get("burst.temperature", 1.0))
        self.name = "/".join(folder.parts[-2:]) if folder.is_dir() else folder.name
        self.sha256 = self.net.sha256
        if tuple(self.net.input) != (9, WINDOW):
            raise ValueError(f"{folder}: the network takes {self.net.input}, not (9, {WINDOW})")

    def logits(self, counts, valid, ends):
        """Calibrated logit of each window; counts [atoms, bins] of one detector."""
        out = np.empty(len(ends), np.float32)
        for at in range(0, len(ends), 64):
            some = ends[at:at + 64]
            atoms = np.stack([counts[:, e - WINDOW:e] for e in some])
            x = clib.prepare(atoms, np.stack([valid[e - WINDOW:e] for e in some]), *clib.NINE_BANDS)
            z = self.net.run(x)
            out[at:at + len(some)] = (z[:, 1] - z[:, 0]) / self.temperature
        return out


def beside(ends, asked, logit, doubt):
    """Windows not asked for yet that lie beside one over the doubt, one stretch of the first pass to each side."""
    over = np.zeros(len(ends), bool)
    over[asked[logit > doubt]] = True
    near = over.copy()
    for step in range(1, COARSE + 1):
        near[step:] |= over[:-step]
        near[:-step] |= over[step:]
    near[asked] = False
    return np.flatnonzero(near)


def near_bursts(ends, truth):
    """Those of the ends that a burst can be caught by."""
    keep = np.zeros(len(ends), bool)
    for b in truth:
        if b["what"] == "burst" and b["onset_s"] >= 0:
            keep |= (ends * BIN_S > b["onset_s"]) & (ends * BIN_S <= b["peak_s"] + AFTER_S)
    return ends[keep]


def scan(judge, counts, valid, stride=STRIDE, whole=False, truth=None):
    """(ends, logit, how many were asked): every fourth window, then those between beside any of more than 2 %; the rest get the
    larger of their neighbours' answers. whole: every window is asked. truth: only windows that can catch one of its bursts."""
    ends = window_ends(valid, stride)
    if truth is not None:
        ends = near_bursts(ends, truth)
    if not len(ends):
        return ends, np.empty(0, np.float32), 0
    asked = np.arange(len(ends)) if whole else np.arange(0, len(ends), COARSE)
    logit = np.full(len(ends), -np.inf, np.float32)
    logit[asked] = judge.logits(counts, valid, ends[asked])
    n_asked, doubt = len(asked), np.log(DOUBT / (1 - DOUBT))
    more = beside(ends, asked, logit[asked], doubt)
    if len(more):
        logit[more] = judge.logits(counts, valid, ends[more])
        n_asked += len(more)
    left = np.flatnonzero(np.isneginf(logit))
    before, after = left // COARSE * COARSE, np.minimum(left // COARSE * COARSE + COARSE, (len(ends) - 1) // COARSE * COARSE)
    logit[left] = np.maximum(logit[before], logit[after])
    return ends, logit, n_asked


def cache_folder(judge, days, stride):
    return runs.root() / "eval" / runs.digest([judge.sha256, days.facts, stride, COARSE, DOUBT])


def digest(counts, valid):
    """Of what a day holds: another simulator may draw other days from the same seed."""
    return zlib.crc32(np.ascontiguousarray(counts), zlib.crc32(valid))


def kept_scores(path, sum_of_day):
    """What is on disk for a day, or None where there is nothing or it is of another day."""
    if not path.exists():
        return None
    with np.load(path) as kept:
        return {k: kept[k] for k in kept.files} if int(kept["digest"]) == sum_of_day else None


def score_days(judge, days, first=None, minutes=0.0, detector=0, stride=STRIDE, whole=False, bursts_only=False):
    """[(day, ends, logit)] of the days scored so far; those on disk are not asked again. Stops in time: run it again to go on."""
    key = (stride, detector, whole, True) if bursts_only else (stride, detector, whole)
    folder, began, out = cache_folder(judge, days, key), time.monotonic(), []
    folder.mkdir(parents=True, exist_ok=True)
    n = min(days.n, first or days.n)
    progress = runs.Progress(n)
    for day in range(n):
        path, (counts, valid) = folder / f"day-{day:03d}.npz", days.counts(day)
        sum_of_day = digest(counts[detector], valid)
        kept = kept_scores(path, sum_of_day)
        if kept is None:
            if minutes and time.monotonic() - began > 60 * minutes:
                continue
            ends, logit, asked = scan(judge, np.ascontiguousarray(counts[detector]), valid, stride, whole,
                                      days.truth(day) if bursts_only else None)
            kept = {"ends": ends, "logit": logit, "asked": asked, "digest": sum_of_day}
            part = path.with_suffix(".part.npz")
            np.savez(part, **kept)
            part.replace(path)
        out.append((day, kept["ends"] * BIN_S, kept["logit"]))
        progress.show(day + 1)
    return out


def score_together(judge, days, first=None, minutes=0.0):
    """As score_days, with the mean logit of all detectors of the days: detectors in coincidence."""
    each = [score_days(judge, days, first, minutes, detector) for detector in range(days.facts["detectors"])]
    by_day = [{day: (t, z) for day, t, z in one} for one in each]
    both = [day for day, _, _ in each[0] if all(day in one for one in by_day)]
    return [(day, by_day[0][day][0], np.mean([one[day][1] for one in by_day], axis=0)) for day in both]


def focus_score(counts, valid, window_s=60.0, gap_s=4.096, mu_min=1.2):
    """FOCuS over five energy ranges of one detector: the best significance that ends with each bin."""
    best = np.zeros(len(valid))
    for first, last in RANGES.values():
        sums = counts[first:last].sum(0).astype(np.float64)
        expected = clib.sliding_background(sums, valid, round(window_s / BIN_S), round(gap_s / BIN_S))
        best = np.maximum(best, clib.focus(sums, expected, valid, mu_min)[0])
    return best


def classical_days(days, method, first=None, **options):
    """[(day, time, score)] of FOCuS or the flight-like trigger, thinned to bins over a floor that no threshold goes below."""
    out = []
    for day in range(min(days.n, first or days.n)):
        counts, valid = days.counts(day)
        if method == "focus":
            score = focus_score(counts[0], valid, **options)
        else:
            score = clib.snr_trigger(np.ascontiguousarray(counts), np.repeat(valid[None], counts.shape[0], 0), BIN_S,
                                     options.get("coincident", 1))[0]
        keep = np.flatnonzero(score > 3.0)
        out.append((day, (keep + 1) * BIN_S, score[keep].astype(np.float32)))
    return out


def alarms(t, score, threshold, apart_s=WINDOW_S):
    """[(start, stop, highest score's time)] of stretches over the threshold."""
    over = np.flatnonzero(score > threshold)
    if not len(over):
        return []
    cuts = np.flatnonzero(np.diff(t[over]) > apart_s) + 1
    out = []
    for some in np.split(over, cuts):
        piece = ((t[some] - t[some[0]]) // ANEW_S).astype(int)
        for part in np.split(some, np.flatnonzero(np.diff(piece)) + 1):
            out.append((t[part[0]], t[part[-1]], t[part[np.argmax(score[part])]]))
    return out


def burst_spans(truth):
    """(onset, end) within which whatever fires is the burst's."""
    return [(b["onset_s"], max(b["stop_s"], b["peak_s"]) + WINDOW_S) for b in truth if b["what"] == "burst" and b["onset_s"] >= 0]


def false_alarms(scored, truths, threshold):
    """{day: [alarm]} of those that no burst is in."""
    out = {}
    for day, t, score in scored:
        spans = burst_spans(truths[day])
        out[day] = [a for a in alarms(t, score, threshold) if not any(a[0] <= stop and a[1] >= start for start, stop in spans)]
    return out


def cause(alarm, truth):
    """The family of what lies in the window of an alarm's highest score: what rises most, else what else there is."""
    stop, start = alarm[2] + BIN_S, alarm[2] - WINDOW_S
    inside = [e for e in truth if e["start_s"] < stop and e["stop_s"] > start and e["what"] not in ("outage", "burst")]
    risen = [e for e in inside if e["snr"] >= 3.0]
    if risen:
        return max(risen, key=lambda e: e["snr"])["what"]
    for word in ("slew", "flicker", "dropout", "step"):
        if any(e["what"] == word for e in inside):
            return word
    return "quiet"


def disturbs(event):
    """Is it more than the quiet sky with its trends and faint sources that rise?"""
    return event["what"] != "burst" and (event["what"] in ("dropout", "outage", "slew", "flicker") or event["snr"] >= 3.0)


def veto(scored, truths):
    """The same scores without times whose window holds something that disturbs."""
    out = []
    for day, t, score in scored:
        keep = np.ones(len(t), bool)
        for e in filter(disturbs, truths[day]):
            keep &= ~((t > e["start_s"] - 30.0) & (t < e["stop_s"] + WINDOW_S + 30.0))
        out.append((day, t[keep], score[keep]))
    return out


def undisturbed(truth):
    """The truth without bursts that something disturbs."""
    troubles = [e for e in truth if disturbs(e)]

    def alone(b):
        return not any(e["start_s"] < b["peak_s"] + AFTER_S and e["stop_s"] > b["onset_s"] - WINDOW_S for e in troubles)
    return [e for e in truth if e["what"] != "burst" or alone(e)]


def live_days(days, n, truths=None):
    """Days in which windows are scored; with truths, less what veto() takes."""
    total = 0.0
    for day in range(n):
        _, valid = days.counts(day)
        ends = window_ends(valid) * BIN_S
        if truths is not None:
            ends = veto([(day, ends, ends)], truths)[0][1]
        total += len(ends) * STRIDE * BIN_S / 86400.0
    return total


def threshold_for(scored, truths, per_day, exposure):
    """The lowest threshold found by bisection with at most that many false alarms a day, and how many there are."""
    every = np.unique(np.concatenate([s for _, _, s in scored] or [np.zeros(1)]))
    if not len(every):
        return -np.inf, 0
    low, high = 0, len(every) - 1  # the highest score itself is never passed
    while low < high:
        middle = (low + high) // 2
        n = sum(map(len, false_alarms(scored, truths, every[middle]).values()))
        low, high = (middle + 1, high) if n > per_day * exposure else (low, middle)
    return float(every[low]), sum(map(len, false_alarms(scored, truths, every[low]).values()))


def caught(scored, truths, threshold):
    """[(snr, 0 or 1, t90, day)] of bursts whose onset was seen."""
    rows = []
    for day, t, score in scored:
        for b in truths[day]:
            if b["what"] != "burst" or b["onset_s"] < 0:
                continue
            inside = (t > b["onset_s"]) & (t <= b["peak_s"] + AFTER_S)
            rows.append((b["snr"], bool((score[inside] > threshold).any()), b["t90_s"], day))
    return rows


def rate_curve(scored, truths, exposure, thresholds):
    """[{threshold, rate}] of false alarms a day."""
    return [{"threshold": float(h), "rate": metrics.poisson_rate(sum(map(len, false_alarms(scored, truths, h).values())), exposure)}
            for h in thresholds]
