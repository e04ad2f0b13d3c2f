"""Sample sets: made by burst-sim when first asked for, mapped into memory, prepared by the daemon's own C code when a batch is
taken. Inputs are made anew each time, so that a set can be thinned, shifted and scaled differently in every pass."""
import csv
import fcntl
import hashlib
import os
import shutil
import subprocess

import numpy as np

from burst_training import clib, registry, runs


class Part:
    """One part (train, validate, test ...) of an experiment. A subclass sets y, group, columns and does take().

    y        int64 [N]       class; or float32 where labels may be soft
    group    str [N]         rows of one burst or sky share it; they are one trial
    columns  {name: [N]}     facts for figures: family, snr, detector ...
    origin   set             what rows stem from: parts that share any of it are refused together
    simulated, made_by       whether the rows are; digest of the burst-sim that made them"""
    y, group, columns, origin, simulated, made_by = None, None, {}, frozenset(), True, ""

    def __len__(self):
        return len(self.y)

    def take(self, pick, draw=None):
        """(x float32 [n, ...], y [n]) of these rows; draw: a numpy Generator to augment with, None to leave them as they are."""
        raise NotImplementedError


class First(Part):
    """The first n rows of another part."""

    def __init__(self, part, n):
        self.simulated, self.made_by = part.simulated, part.made_by
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
            env = {"BURST_DATADIR": str(runs.REPOSITORY), **os.environ}
            done = subprocess.run(command, stderr=subprocess.PIPE, text=True, env=env)
            if done.returncode:
                raise RuntimeError(f"{' '.join(command)}: {done.stderr.strip()[-500:]}")
            runs.write_json(part / "made.json", {"make": [str(word) for word in make], "burst_sim": file_digest(command[0])})
            part.rename(folder)
    return folder


def file_digest(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def made_by(folder):
    """Digest of the burst-sim that made a set. Another one may draw other skies from the same seed: said, never hidden. Whoever
    wants the new ones removes the folder."""
    digest = runs.read_json(folder / "made.json")["burst_sim"]
    if digest != file_digest(burst_sim()):
        runs.say(f"{folder} was made by another build of burst-sim; remove it to have it made anew")
    return digest


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


FIT_LEAST = 0.05  # of the window's bins, outside the burst: a parabola through fewer says nothing


def rolled(draw, share, n):
    """Which of n rows a change falls on."""
    return draw.random(n) < share


class Augment:
    """Light curves changed differently in every pass, by the C code of tools/train/augment.h: counts stay whole and exactly Poisson.

    thin, snr_least     share of bursts thinned to an S/N drawn log-uniformly from snr_least to their own (science.md A.8)
    cut                 share of windows moved so that an edge falls inside the burst; other windows move as far as bursts do
    turn                share of the rest whose content is turned through the window by any number of bins
    gain                edges of the atoms move by up to this part either way
    rate: [low, high]   rates are scaled by a factor log-uniform between
    All but thin, which needs a burst, befall both classes alike, so that no trace of them says anything about the label."""
    OPTIONS = {"thin": float, "snr_least": float, "cut": float, "turn": float, "gain": float, "rate": list}

    def __init__(self, options, part):
        self.o, self.part = options, part
        columns = part.columns
        edge = [np.rint(np.nan_to_num(columns[c].astype(float)) / part.bin_s).astype(np.int32) for c in ("onset_s", "stop_s")]
        self.onset, self.stop = (np.clip(e, 0, part.n_bin) for e in edge)
        self.bursts = np.flatnonzero((part.y == 1) & (self.stop - self.onset >= 2))

    def thin(self, state, pick, draw):
        snr = self.part.columns["snr"][pick].astype(float)
        rows = np.flatnonzero(rolled(draw, self.o["thin"], len(pick)) & (self.part.y[pick] == 1) & (snr > 0))
        if len(rows):
            kept, _ = clib.draw_kept(snr[rows], seed_of(draw), least=self.o.get("snr_least", 5.0))
            state["atoms"][rows] = clib.thin(state["atoms"][rows], state["background"][rows], kept, seed_of(draw), state["valid"][rows])

    def cut(self, state, pick, draw):
        """A window without a burst moves as one with a burst drawn at random would."""
        if not len(self.bursts):
            return
        rows = np.flatnonzero(rolled(draw, self.o["cut"], len(pick)))
        own = np.where(np.isin(pick[rows], self.bursts), pick[rows], draw.choice(self.bursts, len(rows)))
        if len(rows):
            offset = clib.draw_cut(self.onset[own], self.stop[own], self.part.n_bin, seed_of(draw))
            moved = clib.slide(*(state[k][rows] for k in ("atoms", "valid", "background")), offset, seed_of(draw))
            for key, value in zip(("atoms", "valid", "background"), moved):
                state[key][rows] = value
        state["moved"][rows] = True

    def turn(self, state, pick, draw):
        rows = np.flatnonzero(rolled(draw, self.o["turn"], len(pick)) & ~state["moved"])
        shift = draw.integers(0, self.part.n_bin, len(rows))
        if len(rows):
            moved = clib.turn(*(state[k][rows] for k in ("atoms", "valid", "background")), shift, seed_of(draw))
            state["atoms"][rows], state["valid"][rows] = moved

    def gain(self, state, pick, draw):
        factor = 1 + self.o["gain"] * draw.uniform(-1, 1, len(pick))
        state["atoms"], state["background"] = clib.gain(state["atoms"], factor, seed_of(draw), self.part.edges_kev,
                                                        background=state["background"], valid=state["valid"])

    def rate(self, state, pick, draw):
        factor = np.exp(draw.uniform(*np.log(self.o["rate"]), len(pick)))
        state["atoms"], state["background"] = clib.rate(state["atoms"], state["background"], factor, seed_of(draw), state["valid"])

    def changeable(self, valid, pick):
        """Rows with enough bins outside the burst to know their background; the others stay as they are."""
        bins = np.arange(self.part.n_bin)
        outside = (bins < self.onset[pick, None]) | (bins >= self.stop[pick, None])
        return np.flatnonzero((outside & (valid != 0)).sum(1) >= FIT_LEAST * self.part.n_bin)

    def change(self, atoms, valid, pick, draw):
        rows = self.changeable(valid, pick)
        if not len(rows):
            return atoms, valid
        pick = pick[rows]
        state = {"atoms": atoms[rows], "valid": valid[rows], "moved": np.zeros(len(rows), bool)}
        state["background"] = clib.background(state["atoms"], state["valid"], self.onset[pick], self.stop[pick])
        for name in ("thin", "cut", "turn", "gain", "rate"):
            if self.o.get(name):
                getattr(self, name)(state, pick, draw)
        atoms[rows], valid[rows] = state["atoms"], state["valid"]
        return atoms, valid


def seed_of(draw):
    return int(draw.integers(1 << 62))


class LightCurves(Part):
    """A folder of `burst-sim lightcurves`: counts per atom become the network's bands when they are taken."""

    def __init__(self, folder, prepare=None, augment=None):
        facts, self.y, self.columns = read_set(folder, "lightcurves")
        self.atoms = np.load(folder / "atoms.npy", mmap_mode="r")
        self.valid = np.load(folder / "valid.npy", mmap_mode="r")
        if self.atoms.shape != (len(self.y), facts["n_atom"], facts["n_bin"]) or self.valid.shape != (len(self.y), facts["n_bin"]):
            raise ValueError(f"{folder}: counts {self.atoms.shape}, valid {self.valid.shape}, not as set.json says")
        self.bin_s, self.n_bin, self.edges_kev = facts["bin_s"], facts["n_bin"], facts["edges_kev"]
        self.bands = clib.NINE_BANDS if facts["n_atom"] == 5 else clib.ONE_BAND
        self.group = np.char.add(np.char.add(self.columns["seed"].astype(str), "-"), self.columns["sky"].astype(str))
        self.origin = frozenset(("burst-sim", int(seed)) for seed in np.unique(self.columns["seed"]))
        self.prepare, self.augment = dict(prepare or {}), Augment(augment, self) if augment else None

    def counts(self, pick, draw=None):
        """(atoms, valid) of these rows, changed where draw is given and the experiment augments."""
        atoms, valid = np.array(self.atoms[pick]), np.array(self.valid[pick])
        return self.augment.change(atoms, valid, np.asarray(pick), draw) if draw is not None and self.augment else (atoms, valid)

    def take(self, pick, draw=None):
        atoms, valid = self.counts(pick, draw)
        return clib.prepare(atoms, valid, *self.bands, scaling=self.prepare.get("scaling", "standardise"),
                            per_band=self.prepare.get("per_band", True)), self.y[pick]


@registry.made("lightcurves")
def open_lightcurves(folder, prepare, augment):
    return LightCurves(folder, prepare, augment)


open_lightcurves.PREPARE_OPTIONS = {"scaling": tuple(clib.SCALINGS), "per_band": bool}
open_lightcurves.AUGMENT_OPTIONS = Augment.OPTIONS


def open_part(options, prepare, augment):
    """The Part of one entry of an experiment's `data`."""
    options = dict(options)
    first = options.pop("first", 0)
    if "make" in options:
        make = options["make"]
        folder = make_set(make)
        part = registry.find(registry.MADE, make[0], "kind of set")(folder, prepare=prepare, augment=augment)
        part.made_by = made_by(folder)
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
