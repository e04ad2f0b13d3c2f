"""Sample sets: made by burst-sim when first asked for, mapped into memory, prepared by the daemon's own C code when a batch is
taken. Inputs are made anew each time, so that a set can be thinned, shifted and scaled differently in every pass."""
import csv
import fcntl
import shutil
import subprocess

import numpy as np

from burst_training import registry, runs


class Part:
    """One part (train, validate, test ...) of an experiment. A subclass sets y, group, columns and does take().

    y        int64 [N]       class; or float32 where labels may be soft
    group    str [N]         rows of one burst or sky share it; they are one trial
    columns  {name: [N]}     facts for figures: family, snr, detector ...
    origin   set             what rows stem from: parts that share any of it are refused together"""
    y, group, columns, origin = None, None, {}, frozenset()

    def __len__(self):
        return len(self.y)

    def take(self, pick, draw=None):
        """(x float32 [n, ...], y [n]) of these rows; draw: a numpy Generator to augment with, None to leave them as they are."""
        raise NotImplementedError


class First(Part):
    """The first n rows of another part."""

    def __init__(self, part, n):
        self.part, self.y, self.group, self.origin = part, part.y[:n], part.group[:n], part.origin
        self.columns = {name: column[:n] for name, column in part.columns.items()}

    def take(self, pick, draw=None):
        return self.part.take(pick, draw)


def burst_sim():
    path = runs.build_folder() / "burst-sim"
    if not path.exists():
        raise FileNotFoundError(f"{path} is missing: build burst-sim, or set BURST_BUILD to the folder that has it")
    return path


def make_set(make):
    """The folder of a make line. Made by burst-sim in a folder beside it and moved when whole; two programs that want the
    same set wait for one another."""
    folder = runs.data_folder(make)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with open(folder.with_suffix(".lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            part = folder.with_suffix(".part")
            shutil.rmtree(part, ignore_errors=True)
            command = [str(burst_sim()), *(str(word) for word in make), "--out", str(part)]
            runs.say("making " + " ".join(command[1:-2]))
            done = subprocess.run(command, stderr=subprocess.PIPE, text=True)
            if done.returncode:
                raise RuntimeError(f"{' '.join(command)}: {done.stderr.strip()[-500:]}")
            part.rename(folder)
    return folder


def column(values):
    """Numbers where every row is one (nothing: NaN), words elsewhere."""
    try:
        numbers = np.array([float(v) if v != "" else np.nan for v in values])
    except ValueError:
        return np.array(values)
    whole = np.isfinite(numbers).all() and (numbers == np.rint(numbers)).all() and (np.abs(numbers) < 2**53).all()
    return numbers.astype(np.int64) if whole else numbers


def read_meta(path):
    with open(path, newline="") as table:
        rows = list(csv.DictReader(table))
    return {name: column([row[name] for row in rows]) for name in (rows[0] if rows else ())}


def read_set(folder, what):
    """set.json, y and meta.csv of a made set."""
    facts = runs.read_json(folder / "set.json")
    if facts.get("what") != what:
        raise ValueError(f"{folder}: a set of {facts.get('what')}, not of {what}")
    y, meta = np.load(folder / "y.npy"), read_meta(folder / "meta.csv")
    if len(y) != facts["n"] or any(len(values) != len(y) for values in meta.values()):
        raise ValueError(f"{folder}: {facts['n']} rows in set.json, {len(y)} labels, {len(meta.get('label', ()))} rows of facts")
    return facts, y, meta


# Atoms of each network band (science.md A.1): 25-50, 50-100, 50-300, 100-300, 100-500, 100-900, 300-500, 300-900, 500-900 keV.
BAND_FIRST, BAND_LAST = (0, 1, 1, 2, 2, 2, 3, 3, 4), (0, 1, 2, 2, 3, 4, 3, 4, 4)
SCALINGS = ("standardise", "normalise", "running")


def augment_rows(options, draw, y, snr):
    """What is done to each row, drawn before any counts are touched: (kept fraction of the signal, kept fraction of all counts,
    bins of shift). A burst's target S/N is log-uniform from `snr_least` to what it has (science.md A.8); rows of both classes
    are shifted and dimmed alike, so neither says anything about the label."""
    n = len(y)
    kept, rate = np.ones(n), np.ones(n)
    least = options.get("snr_least", 5.0)
    chosen = (draw.random(n) < options.get("thin", 0.0)) & (y == 1) & (snr > least)
    target = np.exp(draw.uniform(np.log(least), np.log(np.maximum(snr, least))))
    kept[chosen] = target[chosen] / snr[chosen]
    if options.get("dim", 0.0) > 0:
        rate = 1 - options["dim"] * draw.random(n)
    reach = options.get("shift", 0)
    return kept, rate, draw.integers(-reach, reach + 1, n) if reach else np.zeros(n, np.int64)


class LightCurves(Part):
    """A folder of `burst-sim lightcurves`: counts per atom become the network's bands when they are taken."""

    def __init__(self, folder, prepare=None, augment=None):
        facts, self.y, self.columns = read_set(folder, "lightcurves")
        self.atoms = np.load(folder / "atoms.npy", mmap_mode="r")
        self.valid = np.load(folder / "valid.npy", mmap_mode="r")
        if self.atoms.shape != (len(self.y), facts["n_atom"], facts["n_bin"]) or self.valid.shape != (len(self.y), facts["n_bin"]):
            raise ValueError(f"{folder}: counts {self.atoms.shape}, valid {self.valid.shape}, not as set.json says")
        self.bin_s, self.prepare, self.augment = facts["bin_s"], dict(prepare or {}), dict(augment or {})
        self.bands = (BAND_FIRST, BAND_LAST) if facts["n_atom"] == 5 else (tuple(range(facts["n_atom"])),) * 2
        self.group = np.char.add(np.char.add(self.columns["seed"].astype(str), "-"), self.columns["sky"].astype(str))
        self.origin = frozenset(("burst-sim", int(seed)) for seed in np.unique(self.columns["seed"]))

    def change(self, pick, atoms, valid, draw):
        """Thinning by C (integer and exactly Poisson again), then the shift: both arrays roll together."""
        from burst_training import clib
        kept, rate, shift = augment_rows(self.augment, draw, self.y[pick], self.columns["snr"][pick])
        seed = int(draw.integers(1 << 62))
        dim = np.flatnonzero(kept < 1)
        if len(dim):
            edge = [np.rint(np.nan_to_num(self.columns[c][pick][dim]) / self.bin_s).astype(np.int32) for c in ("onset_s", "stop_s")]
            quiet = clib.background(atoms[dim], valid[dim], *edge)
            atoms[dim] = clib.thin(atoms[dim], quiet, kept[dim], seed)
        if (rate < 1).any():
            atoms = clib.thin(atoms, np.zeros(atoms.shape, np.float32), rate, seed + 1)
        for i in np.flatnonzero(shift):
            atoms[i], valid[i] = np.roll(atoms[i], shift[i], -1), np.roll(valid[i], shift[i])
        return atoms, valid

    def counts(self, pick, draw=None):
        atoms, valid = np.array(self.atoms[pick]), np.array(self.valid[pick])
        return self.change(pick, atoms, valid, draw) if draw is not None and self.augment else (atoms, valid)

    def take(self, pick, draw=None):
        from burst_training import clib
        atoms, valid = self.counts(pick, draw)
        return clib.prepare(atoms, valid, *self.bands, scaling=self.prepare.get("scaling", "standardise"),
                            per_band=self.prepare.get("per_band", True)), self.y[pick]


@registry.made("lightcurves")
def open_lightcurves(folder, prepare, augment):
    return LightCurves(folder, prepare, augment)


open_lightcurves.PREPARE_OPTIONS = {"scaling": SCALINGS, "per_band": bool}
open_lightcurves.AUGMENT_OPTIONS = {"thin": float, "snr_least": float, "dim": float, "shift": int}


def open_part(options, prepare, augment):
    """The Part of one entry of an experiment's `data`."""
    options = dict(options)
    first = options.pop("first", 0)
    if "make" in options:
        make = options["make"]
        part = registry.find(registry.MADE, make[0], "kind of set")(make_set(make), prepare=prepare, augment=augment)
    else:
        part = registry.find(registry.LOADERS, options.pop("load"), "loader")(prepare=prepare, augment=augment, **options)
    return First(part, first) if 0 < first < len(part) else part


class Leak(ValueError):
    """Two parts stem from the same bursts."""


def check_split(parts, earlier=frozenset()):
    """No burst in two parts, nor in what an earlier run was trained on and what this one is judged by."""
    seen = {}
    for name, part in parts.items():
        for item in part.origin:
            if item in seen:
                raise Leak(f"{describe(item)} is in both {seen[item]} and {name}: the split leaks")
            seen[item] = name
            if name != "train" and item in earlier:
                raise Leak(f"{describe(item)} is in {name} and was trained on by the run this one starts from: the split leaks")


def describe(item):
    return f"seed {item[1]}" if isinstance(item, tuple) and item[0] == "burst-sim" else str(item)


def open_parts(config, earlier=frozenset()):
    """All parts of an experiment; only `train` is augmented."""
    parts = {name: open_part(part, config["prepare"], config["augment"] if name == "train" else {})
             for name, part in config["data"].items()}
    check_split(parts, earlier)
    return parts
