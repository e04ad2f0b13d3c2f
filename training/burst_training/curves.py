"""What light curves look like, simulated and real: scatter, trends, brightness; and the real ones of ../shared/data. numpy only.

Counts are [N, T] per bin unless said otherwise. Every statistic is made of simulated and of real curves by the same lines."""
import csv
import gzip
import pickle

import numpy as np

from burst_training import runs

BIN_S = 2.048  # of the real GBM light curves
ATOM_FRACTIONS = (0.375, 0.250, 0.275, 0.055, 0.045)  # of 25-900 keV, 12 NaI over 2.2 h of GRB 110721A (science.md A.6)


def shared_data():
    """Folder of the real data, or None where it is absent."""
    folder = runs.REPOSITORY.parent / "shared" / "data"
    return folder if folder.is_dir() else None


# ---- statistics ----

def powers(n_bin, degree):
    """Legendre polynomials over the window, [T, degree + 1]: well conditioned where plain powers are not."""
    return np.polynomial.legendre.legvander(np.linspace(-1, 1, n_bin), degree)


def detrend(counts, degree=3):
    """(residual, level): counts less the polynomial fitted to each window, and their mean."""
    counts = np.asarray(counts, float)
    basis = powers(counts.shape[-1], degree)
    fit = counts @ np.linalg.pinv(basis).T @ basis.T
    return counts - fit, counts.mean(-1)


def merge(counts, n):
    """Counts of n bins as one; bins left over at the end are dropped."""
    whole = counts.shape[-1] // n
    return counts[..., :whole * n].reshape(*counts.shape[:-1], whole, n).sum(-1)


def dispersion(counts, degree=3):
    """Variance over mean after the trend is taken away: 1 for Poisson counts, whatever their level. [N]"""
    residual, level = detrend(counts, degree)
    return (residual**2).sum(-1) / (counts.shape[-1] - degree - 1) / level


def typical_dispersion(counts, degree=3):
    """Median dispersion over what the median would be for Poisson counts: its distribution leans (Wilson & Hilferty 1931)."""
    freedom = counts.shape[-1] - degree - 1
    return float(np.median(dispersion(counts, degree)) / (1 - 2 / (9 * freedom))**3)


def lag_one(counts, degree=3):
    """Correlation of neighbouring residuals, [N]; what the polynomial itself takes from white noise, -(degree + 1) / T, is given back."""
    residual = detrend(counts, degree)[0]
    bias = (degree + 1) / counts.shape[-1]
    return (residual[..., 1:] * residual[..., :-1]).sum(-1) / (residual**2).sum(-1) + bias


def trends(counts):
    """(slope, bend) as parts of the level: the straight line's change over the window, and how far the parabola's ends stand above
    the straight line's. [N] each"""
    counts = np.asarray(counts, float)
    c = counts @ np.linalg.pinv(powers(counts.shape[-1], 2)).T
    return 2 * c[..., 1] / c[..., 0], c[..., 2] / c[..., 0]


def peak_snr(counts, widths=(1, 2, 4, 8)):
    """Highest excess over sqrt(background) of any stretch of these widths. The background is a quadratic fitted to what does not
    stand 3 sigma above it, found in a few rounds. [N]"""
    counts = np.asarray(counts, float)
    basis = powers(counts.shape[-1], 2)
    keep = np.ones(counts.shape, bool)
    for _ in range(6):
        fit = np.maximum(clipped_fit(counts, keep, basis), 1e-3)
        keep = counts - fit < 3 * np.sqrt(fit)
    best = np.zeros(len(counts))
    for width in widths:
        total, expected = (np.cumsum(np.pad(v, ((0, 0), (1, 0))), 1) for v in (counts, fit))
        excess, under = (v[:, width:] - v[:, :-width] for v in (total, expected))
        best = np.maximum(best, ((excess - under) / np.sqrt(under)).max(1))
    return best


def clipped_fit(counts, keep, basis):
    """Least squares over the bins kept, window by window; windows with too few of them use all."""
    weight = np.where(keep.sum(1, keepdims=True) > 2 * basis.shape[1], keep, True).astype(float)
    normal = np.einsum("nt,ti,tj->nij", weight, basis, basis)
    right = np.einsum("nt,ti->ni", weight * counts, basis)
    return np.linalg.solve(normal, right[..., None])[..., 0] @ basis.T


def ks_distance(a, b):
    """Largest distance between two cumulative distributions (Kolmogorov and Smirnov)."""
    a, b = np.sort(a), np.sort(b)
    at = np.concatenate([a, b])
    return float(abs(np.searchsorted(a, at, "right") / len(a) - np.searchsorted(b, at, "right") / len(b)).max())


# ---- real data ----

class RealCurves:
    """GBM NaI light curves at 2.048 s, 8 to 900 keV: counts(i) of curve i, its facts in arrays."""

    def __init__(self, folder):
        with np.load(folder / "fermi-gbm/lc2048ms/gbm_lc_2048ms.npz") as file:
            self.burst, self.t90_start, self.t90, self.t_first = (file[k] for k in ("burst", "t90_start", "t90", "t_first_center"))
            self.first, self.last, self.values = file["offset"][:-1], file["offset"][1:], file["counts"]
            self.keep(np.char.startswith(file["det"], "n"))

    def __len__(self):
        return len(self.burst)

    def keep(self, which):
        """Leave out all curves but these."""
        for name in ("burst", "t90_start", "t90", "t_first", "first", "last"):
            setattr(self, name, getattr(self, name)[which])

    def counts(self, i):
        return self.values[self.first[i]:self.last[i]]

    def time(self, i):
        """Bin centres in seconds from the trigger."""
        return self.t_first[i] + BIN_S * np.arange(self.last[i] - self.first[i])


def quiet_windows(curves, n_bin=60, after_s=60.0):
    """(counts [N, n_bin], burst [N]): windows one after another, from `after_s` past the end of T90. Windows that hold a bin without
    counts are gaps in the data and left out."""
    windows, bursts = [], []
    for i in range(len(curves)):
        counts, late = curves.counts(i), curves.time(i) > curves.t90_start[i] + curves.t90[i] + after_s
        first = int(np.argmax(late)) if late.any() else len(late)
        for at in range(first, len(late) - n_bin + 1, n_bin):
            if counts[at:at + n_bin].min() > 0:
                windows.append(counts[at:at + n_bin])
                bursts.append(curves.burst[i])
    return np.array(windows), np.array(bursts)


def burst_snr(curves, n_bin=60):
    """Measured peak S/N of the brightest detector of each burst (T90 below 90 s), in the window around the middle of T90."""
    best = {}
    for i in range(len(curves)):
        middle = curves.t90_start[i] + curves.t90[i] / 2
        at = int(round((middle - curves.t_first[i]) / BIN_S)) - n_bin // 2
        at = min(max(at, 0), len(curves.counts(i)) - n_bin)
        window = curves.counts(i)[at:at + n_bin] if at >= 0 else np.zeros(0)
        if len(window) == n_bin and window.min() > 0 and curves.t90[i] < 90:
            best.setdefault(curves.burst[i], []).append(window)
    names = [name for name, windows in best.items() for _ in windows]
    snr = peak_snr(np.concatenate([np.array(w) for w in best.values()]))
    _, at = np.unique(names, return_inverse=True)
    found = np.zeros(at.max() + 1)
    np.maximum.at(found, at, snr)
    return found


def gbm_t90(folder):
    """T90 in seconds of the GBM burst catalogue."""
    with gzip.open(folder / "catalogs/gbm_burst_catalog_withmettrigger.csv.gz", "rt") as table:
        return np.array([float(row["t90"]) for row in csv.DictReader(table) if row["t90"]])


def batse_t90(folder):
    """T90 in seconds of 1,366 BATSE long bursts."""
    return 10 ** np.loadtxt(folder / "catalogs/batse1366.txt", skiprows=1, usecols=4)


def deep_rates(folder):
    """Counts [T, 12 detectors, 3 bands (28-50, 50-300, 300-500 keV)] per 4.096 s, 3.7 h of GBM; its last line is cut off."""
    with open(folder / "fermi-gbm/deepgrb/frg_01-2019_06-2019.csv") as table:
        lines = table.read().splitlines()[1:-1]
    rates = np.array([line.split(",")[:36] for line in lines], float)
    return 4.096 * rates.reshape(-1, 12, 3)


def bat_windows(folder, n_bin=1875, most=60):
    """Counts [N, 4, n_bin] of Swift/BAT at 64 ms (15-25, 25-50, 50-100, 100-350 keV), and the file of each window: one window of each
    of the first `most` files without anything above 6 sigma at 1.024 s."""
    from astropy.io import fits
    with open(folder / "swift-bat/bat_rates64ms_index.csv") as table:
        names = [row["file"] for row in csv.DictReader(table) if float(row["max_snr_1024ms"]) < 6]
    windows, files = [], []
    for name in names:
        with fits.open(folder / "swift-bat/rates64ms" / name) as file:
            time, counts = np.asarray(file["RATE"].data["TIME"]), np.asarray(file["RATE"].data["COUNTS"], float)
        cut = np.flatnonzero(np.diff(time) > 0.07) + 1
        for at, to in zip(np.r_[0, cut], np.r_[cut, len(time)]):
            if to - at >= n_bin and counts[at:at + n_bin].min() > 0:
                windows.append(counts[at:at + n_bin].T)
                files.append(name)
                break
        if len(windows) == most:
            break
    return np.array(windows), np.array(files)


EDGES_KEV = (25.0, 50.0, 100.0, 300.0, 500.0, 900.0)


def event_windows(folder, n_bin=1875, after_s=60.0):
    """Counts [N, 5, n_bin] at 64 ms of GBM n6 from `after_s` behind GRB 110721A, from its single photons: a channel belongs to the atom
    that holds the geometric mean of its energies."""
    from astropy.io import fits
    with fits.open(folder / "fermi-gbm/bn110721200/glg_tte_n6_bn110721200_v00.fit") as file:
        bounds, time = file["EBOUNDS"].data, np.asarray(file["EVENTS"].data["TIME"]) - file[0].header["TRIGTIME"]
        atom = np.searchsorted(EDGES_KEV, np.sqrt(bounds["E_MIN"] * bounds["E_MAX"]), "right") - 1
        atom = atom[np.asarray(file["EVENTS"].data["PHA"], int)]
    edges = np.arange(after_s, time.max(), 0.064)
    counts = np.array([np.histogram(time[atom == k], edges)[0] for k in range(5)])
    n = counts.shape[1] // n_bin
    return counts[:, :n * n_bin].reshape(5, n, n_bin).transpose(1, 0, 2).astype(float)


class PlainArrays(pickle.Unpickler):
    """Reads a pickled numpy array and nothing else: a pickle may name any function, and these files come from elsewhere."""
    ALLOWED = {("numpy.core.multiarray", "_reconstruct"), ("numpy", "ndarray"), ("numpy", "dtype"), ("_codecs", "encode"),
               ("numpy.core.multiarray", "scalar")}

    def find_class(self, module, name):
        if (module, name) not in self.ALLOWED:
            raise pickle.UnpicklingError(f"{module}.{name} in a file of numbers")
        return super().find_class(module, name)


def response_table(folder, word="50_300_norm"):
    """Relative rates [directions, 12] of the NaI detectors, 41,168 directions over the sky (Connaughton et al. 2015; gdt-fermi)."""
    with open(folder / f"fermi-gbm/response/band_1deg_{word}.npy", "rb") as file:
        np.lib.format.read_magic(file)
        np.lib.format.read_array_header_1_0(file)
        table = PlainArrays(file, encoding="latin1").load().item()["table"]
    return table[2:].T.astype(float)
