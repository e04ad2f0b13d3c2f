"""Windows of 60 bins of 2.048 s in one band: real ones of Fermi/GBM around known bursts (science.md, section 0), simulated ones of
`burst-sim lightcurves --bin 2.048 --bins 60 --bands total`. The C code of tools/train cuts, measures and prepares both.

    {load: gbm-2s, split: train, places: 4}           real; split by the burst's date
    {load: sim-2s, n: 40000, seed: 1, look_alikes: 0.05}   simulated"""
import numpy as np

from burst_training import clib, curves, data, registry

# [from, to) by the date in a burst's name, yymmdd (science.md, section 0): training, validation, test.
SPLITS = {"train": ("080101", "150701"), "validate": ("150701", "170101"), "test": ("170101", "180101")}
N_BIN, BIN_S = 60, 2.048
MARGIN_S = 2 * BIN_S  # on either side of T90, in which a burst window holds it: where a burst is cut, S/N of what is left is not the burst's
CLIP = 5.0  # the running scale in these units: its [-5, 50] sigma become [-1, 10], near the standardised counts
SCALINGS = (*clib.SCALINGS, "both")


class NoData(FileNotFoundError):
    """The real light curves are not on this machine."""


def inputs(atoms, valid, scaling):
    """float32 [n, 1 or 2, 60]. Standardised counts tell the shape; counts over the running median in Poisson sigma tell how
    significant it is. `both`: one above the other."""
    if scaling == "both":
        return np.concatenate([inputs(atoms, valid, word) for word in ("standardise", "running")], 1)
    x = clib.prepare(atoms, valid, *clib.ONE_BAND, scaling=scaling, median_bins=N_BIN if scaling == "running" else 0)
    return x / np.float32(CLIP) if scaling == "running" else x


def cut(counts, offset, t_first_s, start_s, length_s, burst, **rules):
    """clib.gbm_windows of T90 and its margin. The rules' S/N is that of all bins in them, their times stay those of T90."""
    plain = clib.window_rules()
    rules = {"t90_most_s": plain["t90_most_s"], "quiet_after_s": plain["quiet_after_s"], **rules, "guard_s": 0.0}
    rules["t90_most_s"] += 2 * MARGIN_S
    rules["quiet_after_s"] -= MARGIN_S
    return clib.gbm_windows(counts, offset, t_first_s, start_s - MARGIN_S, length_s + 2 * MARGIN_S, burst, **rules)


class Windows(data.Part):
    """Counts [n, 1, 60] in memory or mapped, made into the network's input when taken."""
    n_bin, bin_s, edges_kev = N_BIN, BIN_S, [8.0, 900.0]

    def begin(self, prepare, augment):
        """After atoms, valid, y, columns are there."""
        self.scaling = (prepare or {}).get("scaling", "both")
        self.augment = data.Augment(augment, self) if augment else None

    def take(self, pick, draw=None):
        atoms, valid = np.array(self.atoms[pick]), np.array(self.valid[pick])
        if draw is not None and self.augment:
            atoms, valid = self.augment.change(atoms, valid, np.asarray(pick), draw)
        return inputs(atoms, valid, self.scaling), self.y[pick]


def make_lines(n, seed, look_alikes, drawn=()):
    """(rows wanted, make line) of bursts, quiet windows and look-alikes. More is drawn than wanted: windows that are not whole and
    long bursts are left out. Each line has a seed of its own, since rows of one seed and number are one sky."""
    n_other = round(n / 2 * look_alikes)
    what = ((n // 2, "--only", "burst"), (n - n // 2 - n_other, "--only", "quiet"), (n_other, "--without", "burst,quiet"))
    return [(want, ["lightcurves", "--mission", "fermi-gbm", "--bin", str(BIN_S), "--bins", str(N_BIN), "--bands", "total", "--onset", "0", option,
                    word, *map(str, drawn), "--n", str(2 * want + 100), "--seed", str(3 * seed + i)])
            for i, (want, option, word) in enumerate(what) if want]


class Simulated(Windows):
    """At most n rows of burst-sim, half of them bursts, by the rules of real windows: whole, T90 below 90 s, background beside the burst,
    a measured S/N of 4 or more. Bursts may begin before the window or outlast it: a watch sees them so. look_alikes: share of the
    rows without a burst that something else is in; real quiet windows are nearly always quiet. group: the sky."""

    def __init__(self, n, seed, look_alikes, drawn=(), prepare=None, augment=None):
        parts = [(want, data.LightCurves(data.make_set(line))) for want, line in make_lines(n, seed, look_alikes, drawn)]
        kept = [(part, self.like_real(part)[:want]) for want, part in parts]
        self.y, self.atoms, self.valid, self.group = (np.concatenate([getattr(part, k)[rows] for part, rows in kept])
                                                      for k in ("y", "atoms", "valid", "group"))
        names = set.intersection(*(set(part.columns) for part, _ in kept))
        self.columns = {k: np.concatenate([part.columns[k][rows] for part, rows in kept]) for k in sorted(names)}
        self.origin = frozenset().union(*(part.origin for part, _ in kept))
        self.begin(prepare, augment)

    @staticmethod
    def like_real(part):
        """Rows that the rules keep. The C code that cuts real light curves judges simulated bursts too: a window is then a curve of
        its own, and what is above 5 % of the burst's peak, as far as it lies inside, stands for T90."""
        if part.atoms.shape[1:] != (1, N_BIN):
            raise ValueError(f"a set of {part.atoms.shape[1]} atoms x {part.n_bin} bins, not 1 x {N_BIN}")
        facts, rules = part.columns, clib.window_rules()
        whole = np.flatnonzero((facts["n_valid"] == N_BIN) & ~(facts["t90_s"].astype(float) >= rules["t90_most_s"]))
        quiet, burst = whole[part.y[whole] == 0], whole[part.y[whole] == 1]
        if not len(burst):
            return quiet
        inside = MARGIN_S, N_BIN * BIN_S - MARGIN_S - BIN_S / 2
        onset, stop = (np.clip(facts[k][burst].astype(float), *inside) for k in ("onset_s", "stop_s"))
        window, _, _ = cut(part.atoms[burst].astype(np.int32).ravel(), N_BIN * np.arange(len(burst) + 1),
                           np.full(len(burst), BIN_S / 2), onset, stop - onset, np.arange(len(burst)), best_most=0, quiet_most=0,
                           t90_most_s=N_BIN * BIN_S)
        return np.sort(np.concatenate([quiet, burst[window["curve"]]]))


def read_curves(folder, low, high):
    """Names of the bursts [low, high), detectors, counts in a row, offsets, and times of first bin, T90's start and length in seconds
    from the trigger, of the NaI detectors' light curves."""
    with np.load(folder / "fermi-gbm/lc2048ms/gbm_lc_2048ms.npz") as file:
        kept = {key: file[key] for key in ("burst", "det", "t_first_center", "t90_start", "t90", "offset", "counts")}
    mine = np.flatnonzero((kept["burst"] >= low) & (kept["burst"] < high) & np.char.startswith(kept["det"], "n"))
    counts = [kept["counts"][kept["offset"][i]:kept["offset"][i + 1]] for i in mine]
    offset = np.concatenate([[0], np.cumsum([len(c) for c in counts])])
    times = [kept[key][mine].astype(float) for key in ("t_first_center", "t90_start", "t90")]
    return kept["burst"][mine], kept["det"][mine], np.concatenate(counts).astype(np.int32), offset, *times


class Real(Windows):
    """Burst windows of the three best detectors of each burst, and quiet windows of the same detectors at least 60 s after T90.

    group     the burst's name: all its detectors and its quiet windows, however they are placed
    columns   snr (measured with T90 known), snr_blind (without: the classical search), detector, place, sky (rows that are the same
              stretch of time in several detectors), onset_s, stop_s, t90_s, family"""
    simulated = False

    def __init__(self, split, places=1, rules=None, prepare=None, augment=None):
        folder = curves.shared_data()
        if folder is None:
            raise NoData("the real light curves (../shared/data/fermi-gbm/lc2048ms) are absent")
        name, detector, *known = read_curves(folder, *SPLITS[split])
        t90 = known[-1]
        window, self.atoms, self.valid = cut(*known, name, per_curve=places, **(rules or {}))
        at = window["curve"]
        self.y, self.group = window["label"].astype(np.int64), name[at]
        self.origin = frozenset(("gbm", str(name)) for name in np.unique(self.group))
        burst, quiet = self.y == 1, np.where(self.y == 1, "burst", "quiet")
        self.columns = {"snr": window["snr"], "snr_blind": window["snr_blind"], "detector": detector[at], "place": window["place"],
                        "sky": np.char.add(np.char.add(self.group, quiet), window["place"].astype(str)),
                        "onset_s": np.where(burst, window["onset_bin"] * BIN_S + MARGIN_S, np.nan),
                        "stop_s": np.where(burst, window["stop_bin"] * BIN_S - MARGIN_S, np.nan),
                        "t90_s": t90[at].astype(float), "family": quiet}
        self.begin(prepare, augment)


@registry.loader("gbm-2s")
def load_real(prepare, augment, split, places=1):
    if split not in SPLITS:
        raise registry.Unknown(f"there is no split '{split}' (known: {', '.join(SPLITS)})")
    return Real(split, places, None, prepare, augment)


@registry.loader("sim-2s")
def load_simulated(prepare, augment, n, seed, look_alikes=0.05, drawn=()):
    if not 0 <= look_alikes < 1:
        raise ValueError(f"look_alikes {look_alikes} is not a share below 1")
    return Simulated(n, seed, look_alikes, drawn, prepare, augment)


for _load in (load_real, load_simulated):
    _load.PREPARE_OPTIONS = {"scaling": SCALINGS}
    _load.AUGMENT_OPTIONS = data.Augment.OPTIONS
