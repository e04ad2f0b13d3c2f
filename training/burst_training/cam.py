"""Does the Grad-CAM of the light-curve network show what its answer rests on? The real TTE of GRB 110721A, whose T90 is known; and
a deletion test (Petsiuk, Das & Saenko 2018): bins replaced by counts of the background lower the answer, most when the map
ranks them high. Networks and maps are the C runtime's; numpy and astropy only."""
import csv
import ctypes
import gzip
import json

import numpy as np

from burst_training import clib, data, metrics

BIN_S, N_BIN, EDGES_KEV = 0.064, 1875, (25, 50, 100, 300, 500, 900)
BURST_CLASS = 1
SHARES = (0.02, 0.05, 0.1, 0.2, 0.4)  # of the window that is replaced
ORDERS = ("highest", "random", "lowest")
BACKGROUND_LEAST = 469  # 30 s of bins beside the burst, to fit what replaces it
BEFORE_S = 33.6  # of the window before the trigger: the TTE file begins 33.97 s before it


class _Shape(ctypes.Structure):
    _fields_ = [("n_in", ctypes.c_int64), ("n_out", ctypes.c_int64), ("n_position", ctypes.c_int64)]


class Explainer:
    """A network and its map: Explainer(path).run(x) -> (answers, maps). See tools/train/explain.h."""

    def __init__(self, path):
        self._at, self.shape = ctypes.c_void_p(), _Shape()
        clib.call("explainer_open", str(path).encode(), ctypes.byref(self._at), ctypes.byref(self.shape))

    def run(self, x, index=BURST_CLASS):
        """x float32 [n, ...] -> float32 [n, n_out], [n, n_position]."""
        n, per = len(x), int(np.prod(x.shape[1:]))
        if not self._at:
            raise clib.BurstError("state", "the network is closed")
        if per != self.shape.n_in:
            raise clib.BurstError("shape", f"samples of {per} values, the network's have {self.shape.n_in}")
        x = clib.array("x", x, np.float32, (None,) * x.ndim)
        y, cam = (np.empty((n, size), np.float32) for size in (self.shape.n_out, self.shape.n_position))
        clib.call("explainer_run", self._at, clib.address(x), ctypes.c_size_t(n), int(index), clib.address(y), clib.address(cam))
        return y, cam

    def close(self):
        if self._at:
            close = ctypes.CDLL(str(clib.library_path())).explainer_close
            close.restype = None
            close(self._at)
            self._at = ctypes.c_void_p()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Model:
    """A shipped light-curve network: probabilities and maps of counts."""

    def __init__(self, folder):
        self.folder = folder
        self.net, self.explainer = clib.Net(folder / "model.onnx"), Explainer(folder / "model.onnx")
        self.temperature = float(json.loads(self.net.metadata().get("burst.temperature", "1")))

    def logit(self, atoms, valid):
        z = self.net.run(clib.prepare(atoms, valid, *clib.NINE_BANDS)).astype(float)
        return (z[:, BURST_CLASS] - z[:, 1 - BURST_CLASS]) / self.temperature

    def cam(self, atoms, valid):
        return self.explainer.run(clib.prepare(atoms, valid, *clib.NINE_BANDS))[1]

    def close(self):
        self.net.close()
        self.explainer.close()


# ---- the real burst ----

def t90_of(folder, name):
    """(start, length) of T90 in seconds from the trigger, GBM burst catalogue."""
    with gzip.open(folder / "catalogs/gbm_burst_catalog_withmettrigger.csv.gz", "rt") as table:
        for row in csv.DictReader(table):
            if row["name"] == name:
                return float(row["t90_start"]), float(row["t90"])
    raise ValueError(f"{name} is not in the catalogue")


def read_tte(path, before_s=BEFORE_S):
    """(atoms uint16 [1, 5, 1875], valid uint8 [1, 1875], start in seconds from the trigger) of a TTE file. A channel belongs to the atom
    that its middle, the geometric mean of its edges, lies in; bins begin at whole multiples of 64 ms of mission time, as burstd's."""
    from astropy.io import fits
    with fits.open(path) as file:
        trigger = float(file[0].header["TRIGTIME"])
        time, channel = np.asarray(file["EVENTS"].data["TIME"], float), np.asarray(file["EVENTS"].data["PHA"], int)
        low, high = (np.asarray(file["EBOUNDS"].data[key], float) for key in ("E_MIN", "E_MAX"))
        good = [(float(a), float(b)) for a, b in zip(file["GTI"].data["START"], file["GTI"].data["STOP"])]
    k0 = int(np.ceil((trigger - before_s) / BIN_S))
    k = np.floor(time / BIN_S).astype(np.int64) - k0
    atom = np.searchsorted(EDGES_KEV, np.sqrt(low * high), "right")[channel] - 1
    inside = (k >= 0) & (k < N_BIN) & (atom >= 0) & (atom < len(EDGES_KEV) - 1)
    counts = np.zeros((len(EDGES_KEV) - 1, N_BIN), np.int64)
    np.add.at(counts, (atom[inside], k[inside]), 1)
    edge = (k0 + np.arange(N_BIN + 1)) * BIN_S
    valid = np.any([(edge[:-1] >= a) & (edge[1:] <= b) for a, b in good], 0)
    return (counts * valid).astype(np.uint16)[None], valid.astype(np.uint8)[None], k0 * BIN_S - trigger


# ---- deletion ----

def cells(n_position, n_bin=N_BIN):
    """First bin of each position of the map, and n_bin at the end: equal parts, as evidence tells the map."""
    return np.rint(np.linspace(0, n_bin, n_position + 1)).astype(int)


def order_of(cam, order, random):
    """Positions in the order in which they are replaced; equal ones by chance."""
    shuffled = random.permutation(len(cam))
    if order == "random":
        return shuffled
    sign = -1 if order == "highest" else 1
    return shuffled[np.argsort(sign * cam[shuffled], kind="stable")]


def replaced(atoms, valid, background, cam, order, shares, random):
    """atoms [len(shares), A, T]: one window with ever more of its valid bins replaced by Poisson counts of the background. What a bin is
    replaced by stays the same from one share to the next, and from one order to another where `random` begins alike."""
    noise = random.poisson(background).astype(np.uint16)
    edge, positions = cells(len(cam)), order_of(cam, order, random)
    rank = np.empty(len(cam), int)
    rank[positions] = np.arange(len(cam))
    of_bin = np.repeat(rank, np.diff(edge))
    gone = [(of_bin < round(share * len(cam))) & (valid > 0) for share in shares]
    return np.stack([np.where(g, noise, atoms) for g in gone])


def delete(model, atoms, valid, background, cam, seed, shares=SHARES):
    """Logits [order, 1 + share] of one window; share 0 first."""
    whole = model.logit(atoms[None], valid[None])
    rows = np.concatenate([replaced(atoms, valid, background, cam, order, shares, np.random.default_rng(seed)) for order in ORDERS])
    z = model.logit(rows, np.repeat(valid[None], len(rows), 0)).reshape(len(ORDERS), len(shares))
    return np.concatenate([np.repeat(whole[None], len(ORDERS), 0), z], 1)


def area(values, shares=SHARES):
    """Mean of a curve over the shares 0 to the last, by trapezia: [..., 1 + share] -> [...]."""
    x = np.array([0.0, *shares])
    return ((values[..., 1:] + values[..., :-1]) / 2 * np.diff(x)).sum(-1) / x[-1]


def mean_figure(values):
    return metrics.bootstrap(lambda w: float((w * values).sum() / w.sum()), len(values))


def deletion_figures(logits, shares=SHARES):
    """Curves and areas of logits [n, order, 1 + share], with intervals over the bursts; differences burst by burst."""
    p = metrics.probability(logits)
    under = area(p, shares)  # [n, order]
    fall = logits[:, :, :1] - logits
    return {"n": len(p), "shares": [0.0, *shares],
            "p": {order: [mean_figure(p[:, i, k]) for k in range(p.shape[2])] for i, order in enumerate(ORDERS)},
            "logit_fall": {order: [mean_figure(fall[:, i, k]) for k in range(p.shape[2])] for i, order in enumerate(ORDERS)},
            "area_under_p": {order: mean_figure(under[:, i]) for i, order in enumerate(ORDERS)},
            "area_random_less_highest": mean_figure(under[:, 1] - under[:, 0]),
            "area_lowest_less_highest": mean_figure(under[:, 2] - under[:, 0]),
            "logit_fall_highest_less_random": mean_figure(area(fall[:, 0] - fall[:, 1], shares)),
            "logit_fall_highest_less_lowest": mean_figure(area(fall[:, 0] - fall[:, 2], shares))}


def simulated(model, make, n):
    """Logits [n, order, 1 + share] of the first n simulated bursts that the network calls bursts and that leave 30 s of background in
    the window; and how many were looked at."""
    part = data.LightCurves(data.make_set(make))
    out, looked = [], 0
    for i in range(len(part)):
        if len(out) == n:
            break
        onset, stop = (np.clip(np.rint(float(part.columns[k][i]) / BIN_S), 0, N_BIN) for k in ("onset_s", "stop_s"))
        atoms, valid = np.array(part.atoms[i:i + 1]), np.array(part.valid[i:i + 1])
        looked += 1
        beside = valid[0].sum() - valid[0, int(onset):int(stop)].sum()
        if part.y[i] != 1 or beside < BACKGROUND_LEAST or model.logit(atoms, valid)[0] <= 0:
            continue
        background = clib.background(atoms, valid, [int(onset)], [int(stop)])
        out.append(delete(model, atoms[0], valid[0], background[0], model.cam(atoms, valid)[0], seed=i))
    return np.array(out), looked


def real(model, folder, name="GRB110721200", detector="n6", repeats=20):
    """The map of the real burst beside its T90, and its deletion test with `repeats` draws of what replaces a bin."""
    file = name.replace("GRB", "bn")
    start, length = t90_of(folder, name)
    atoms, valid, first_s = read_tte(next((folder / "fermi-gbm" / file).glob(f"glg_tte_{detector}_*.fit")))
    cam, logit = model.cam(atoms, valid)[0], float(model.logit(atoms, valid)[0])
    edge = first_s + cells(len(cam)) * BIN_S
    middle = (edge[1:] + edge[:-1]) / 2
    inside = (middle >= start) & (middle <= start + length)
    bins = np.clip(np.round((np.array([start, start + length]) - first_s) / BIN_S + [-16, 16]), 0, N_BIN).astype(int)
    background = clib.background(atoms, valid, bins[:1], bins[1:])
    curves = np.array([delete(model, atoms[0], valid[0], background[0], cam, seed) for seed in range(repeats)])
    peak = float(middle[np.argmax(cam)])
    return {"burst": name, "detector": detector, "logit": logit, "p": float(metrics.probability(logit)), "t90_start_s": start, "t90_s": length,
            "peak_s": peak, "peak_inside_t90": bool(start <= peak <= start + length), "share_of_map_inside_t90": float(cam[inside].sum() / cam.sum()),
            "share_of_time_inside_t90": float(inside.mean()), "time_s": middle.tolist(), "cam": cam.astype(float).tolist(),
            "deletion": deletion_figures(curves)}


# ---- plots ----

def draw(found, path):
    """The real burst with its map, and the deletion curves: FOLDER/grad-cam.svg and .png."""
    from burst_training import plots
    plt = plots.plt
    figure, (left, right) = plt.subplots(1, 2, figsize=(10.5, 4.0))
    one = found["real"]
    left.axvspan(one["t90_start_s"], one["t90_start_s"] + one["t90_s"], color="#56B4E9", alpha=0.25)
    left.step(one["time_s"], one["cam"], where="mid", color=plots.COLOURS[1], linewidth=1.6)
    left.set(xlabel="seconds from the trigger", ylabel="Grad-CAM", ylim=(0, None), title="GRB 110721A, NaI n6; T90 shaded")
    curves = found["simulated"]
    for i, order in enumerate(ORDERS):
        plots.points(right, curves["shares"], curves["p"][order], f"{order} first" if order != "random" else "in random order", i)
    right.set(xlabel="share of the window replaced by background", ylabel="mean probability", ylim=(0, 1.02),
              title=f"{curves['n']} simulated bursts")
    right.legend(loc="lower left")
    return plots.save(figure, path, png=True)


def in_words(figure, digits=3):
    return f"{figure['value']:.{digits}f} [{figure['low']:.{digits}f}, {figure['high']:.{digits}f}]"


def section(found):
    """For docs/science.md: the plot and what was measured."""
    one, many = found["real"], found["simulated"]
    inside, end = "inside" if one["peak_inside_t90"] else "outside", one["t90_start_s"] + one["t90_s"]
    share, time = (round(100 * one[f"share_of_{k}_inside_t90"]) for k in ("map", "time"))
    highest, random, lowest = (in_words(many["area_under_p"][order]) for order in ORDERS)
    fall = in_words(one["deletion"]["logit_fall_highest_less_random"])
    return f"""Real: GRB 110721A in NaI n6, from the TTE file. The map peaks {one['peak_s']:.2f} s after the trigger, {inside} T90
({one['t90_start_s']:.2f} to {end:.2f} s); {share} % of the map lie in T90's {time} % of the window. Bins were replaced by Poisson counts of the
fitted background, up to {100 * many['shares'][-1]:.0f} % of the window: on average the logit falls by {fall} more when the map's
highest go first than in random order (interval over {one['deletion']['n']} draws of the counts and of the order).

Simulated: {many['n']} bursts that the network calls bursts and that leave 30 s of background beside them, of {many['looked_at']}. Area under
the mean probability: {highest} with the highest first, {random} in random order,
{lowest} with the lowest first. Burst by burst, random less highest is {in_words(many['area_random_less_highest'])},
lowest less highest {in_words(many['area_lowest_less_highest'])}.

![Grad-CAM](science/grad-cam.svg)

Made by `{found['command']}` ({found['model']}).
"""
