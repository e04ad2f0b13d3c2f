"""The C code that training shares with serving: numpy arrays in, numpy arrays out. Samples come from here and from nowhere else.

The library is libburst_train.so (CMake target burst_train) of $BURST_BUILD, else of build/release. It is loaded at the first call.
Arrays are taken as they are or refused: another dtype, shape or a missing value raises BurstError (a ValueError) saying which;
arrays that are not contiguous are copied first. Results are new arrays."""
import ctypes
import functools
import os
import pathlib

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parents[2]
SCALINGS = {"standardise": 0, "normalise": 1, "running": 2}
CAUSAL = 3
PRESETS = {"seed_removed": 0, "seed_kept": 1, "target_snr": 2}
EDGES_KEV = (25.0, 50.0, 100.0, 300.0, 500.0, 900.0)
# The paper's nine bands as sums of atoms [first, last) (science.md A.1), and the one band of one atom.
NINE_BANDS = ((0, 1, 1, 2, 2, 2, 3, 3, 4), (1, 2, 3, 3, 4, 5, 4, 5, 5))
ONE_BAND = ((0,), (1,))


class BurstError(ValueError):
    """What the C code refused. `code` is its name in lib/base/err.h, lower case."""

    def __init__(self, code, text):
        super().__init__(text)
        self.code = code


class _Error(ctypes.Structure):
    _fields_ = [("code", ctypes.c_int), ("text", ctypes.c_char * 480)]


class _Curves(ctypes.Structure):
    _fields_ = [("atoms", ctypes.c_void_p), ("valid", ctypes.c_void_p), ("background", ctypes.c_void_p), ("n", ctypes.c_size_t),
                ("n_atom", ctypes.c_size_t), ("n_bin", ctypes.c_size_t), ("n_thread", ctypes.c_int32)]


class _Plan(ctypes.Structure):
    _fields_ = [("first", ctypes.c_void_p), ("last", ctypes.c_void_p), ("n_band", ctypes.c_int32), ("scaling", ctypes.c_int32),
                ("together", ctypes.c_int32), ("median_bins", ctypes.c_int32)]


class _Draw(ctypes.Structure):
    _fields_ = [("seed", ctypes.c_uint64), ("index", ctypes.c_void_p)]


class _KnownCurves(ctypes.Structure):
    _fields_ = [("counts", ctypes.c_void_p), ("offset", ctypes.c_void_p), ("t_first_s", ctypes.c_void_p),
                ("t90_start_s", ctypes.c_void_p), ("t90_s", ctypes.c_void_p), ("burst", ctypes.c_void_p),
                ("n_count", ctypes.c_size_t), ("n_curve", ctypes.c_size_t), ("bin_s", ctypes.c_double)]


class _Rules(ctypes.Structure):
    _fields_ = [("n_bin", ctypes.c_int32), ("background_least", ctypes.c_int32), ("best_most", ctypes.c_int32),
                ("per_curve", ctypes.c_int32), ("quiet_most", ctypes.c_int32), ("quiet_of_kept", ctypes.c_int32),
                ("t90_most_s", ctypes.c_double), ("snr_least", ctypes.c_double), ("guard_s", ctypes.c_double),
                ("quiet_after_s", ctypes.c_double), ("seed", ctypes.c_uint64)]


# struct known_window of tools/train/windows.h
WINDOW = np.dtype([("curve", np.int64), ("first_bin", np.int64), ("snr", np.float64), ("snr_blind", np.float64), ("label", np.int32),
                   ("onset_bin", np.int32), ("stop_bin", np.int32), ("n_background", np.int32), ("n_saturated", np.int32), ("place", np.int32)], align=True)


def library_path():
    return pathlib.Path(os.environ.get("BURST_BUILD") or ROOT / "build/release").resolve() / "libburst_train.so"


@functools.lru_cache(maxsize=None)
def _library():
    path = library_path()
    if not path.exists():
        raise FileNotFoundError(f"{path} is not there: build the target burst_train, or set BURST_BUILD to the build folder")
    lib = ctypes.CDLL(str(path))
    lib.burst_err_name.restype = ctypes.c_char_p
    lib.evaluator_close.restype = None
    lib.evaluator_n_parameter.restype = ctypes.c_int64
    lib.window_rules_default.restype = None
    for name in ("evaluator_meta", "evaluator_meta_key", "evaluator_sha256", "evaluator_backend"):
        getattr(lib, name).restype = ctypes.c_char_p
    return lib


def call(name, *arguments):
    """Call a C function `enum burst_err name(..., struct burst_error *)`; a refusal becomes BurstError with its sentence."""
    error = _Error()
    code = getattr(_library(), name)(*arguments, ctypes.byref(error))
    if code:
        raise BurstError(_library().burst_err_name(code).decode(), error.text.decode("utf-8", "replace"))


def array(name, value, dtype, shape):
    """`value` as a contiguous array of that dtype. `shape` holds sizes, or None where any size will do."""
    value = np.asarray(value)
    if value.dtype != np.dtype(dtype):
        raise BurstError("shape", f"{name} is {value.dtype}, not {np.dtype(dtype)}")
    if value.ndim != len(shape) or any(want is not None and want != have for want, have in zip(shape, value.shape)):
        wanted = ", ".join("any" if s is None else str(s) for s in shape)
        raise BurstError("shape", f"{name} has shape {value.shape}, not ({wanted})")
    return np.ascontiguousarray(value)


def numbers(name, value, dtype, n):
    """One number per row from a number or a sequence; numbers that the dtype cannot hold are refused."""
    value = np.asarray(value)
    if value.ndim > 1 or (value.ndim == 1 and len(value) != n):
        raise BurstError("shape", f"{name} has shape {value.shape}, not ({n},)")
    if not (np.issubdtype(value.dtype, np.integer) or np.issubdtype(value.dtype, np.floating)):
        raise BurstError("shape", f"{name} is {value.dtype}, not numbers")
    if np.issubdtype(dtype, np.integer) and value.size:
        limit = np.iinfo(dtype)
        if not np.all(np.isfinite(value)) or np.any(value != np.floor(value)):
            raise BurstError("range", f"{name} holds a number that is not whole")
        if value.min() < limit.min or value.max() > limit.max:
            raise BurstError("range", f"{name} holds a number outside {limit.min}..{limit.max}")
    return np.ascontiguousarray(np.broadcast_to(value.astype(dtype), (n,)))


def address(value):
    return None if value is None else value.ctypes.data_as(ctypes.c_void_p)


class _Batch:
    """struct curves and the arrays it lends."""

    def __init__(self, atoms, valid=None, background=None, threads=1):
        self.atoms = array("atoms", atoms, np.uint16, (None, None, None))
        n, a, t = self.atoms.shape
        self.valid = None if valid is None else array("valid", valid, np.uint8, (n, t))
        self.background = None if background is None else array("background", background, np.float32, (n, a, t))
        self.shape = (n, a, t)
        self.c = _Curves(address(self.atoms), address(self.valid), address(self.background), n, a, t, int(threads))

    def at(self):
        return ctypes.byref(self.c)


def _draw(seed, index, n):
    """struct draw and the array it lends. Without `index`, row i draws from stream i."""
    kept = None if index is None else numbers("index", index, np.uint64, n)
    if not 0 <= int(seed) < 2**64:
        raise BurstError("range", f"seed {seed} is outside 0..2^64 - 1")
    return _Draw(int(seed), address(kept)), kept


def prepare(atoms, valid, first, last, scaling="standardise", per_band=True, causal=False, median_bins=0, threads=1):
    """The network's input, float32 [n, B, T]; missing bins 0. Standardised per band: burstd's own arithmetic, bit for bit.

    atoms u16 [n, A, T], valid u8 [n, T] (None: all), band b is the sum of atoms [first[b], last[b]).
    scaling: 'standardise', 'normalise' (0..1), or 'running' ((x - m) / sqrt(m) in [-5, 50], m the running median of median_bins bins
    (0: a fifth of the window) around each bin or, with causal=True, before it). per_band=False: one scale for all bands."""
    batch = _Batch(atoms, valid, threads=threads)
    if scaling not in SCALINGS:
        raise BurstError("range", f"scaling '{scaling}' is none of {', '.join(SCALINGS)}")
    if causal and scaling != "running":
        raise BurstError("range", f"scaling '{scaling}' has no causal form")
    first, last = np.asarray(first), np.asarray(last)
    n_band = first.size
    bounds = [numbers("first", first, np.uint8, n_band), numbers("last", last, np.uint8, n_band)]
    plan = _Plan(address(bounds[0]), address(bounds[1]), n_band, CAUSAL if causal else SCALINGS[scaling], int(not per_band),
                 int(median_bins))
    x = np.empty((batch.shape[0], n_band, batch.shape[2]), np.float32)
    call("curves_prepare", batch.at(), ctypes.byref(plan), address(x))
    return x


def background(atoms, valid, onset_bin, stop_bin, degree=2, threads=1):
    """Counts expected without the burst, float32 [n, A, T] > 0: a polynomial fitted by Poisson likelihood outside [onset, stop)."""
    batch = _Batch(atoms, valid, threads=threads)
    onset, stop = (numbers(k, v, np.int32, batch.shape[0]) for k, v in (("onset_bin", onset_bin), ("stop_bin", stop_bin)))
    fit = np.empty(batch.shape, np.float32)
    call("curves_background", batch.at(), address(onset), address(stop), int(degree), address(fit))
    return fit


def draw_kept(snr0, seed, preset="target_snr", least=4.0, index=None):
    """(kept, snr), float64 [n]: the part of each burst of S/N snr0 to keep, and the S/N expected of it. See tools/train/augment.h."""
    n = np.asarray(snr0).size
    snr0 = numbers("snr0", snr0, np.float64, n)
    if preset not in PRESETS:
        raise BurstError("range", f"preset '{preset}' is none of {', '.join(PRESETS)}")
    draw, lent = _draw(seed, index, n)
    kept, snr = np.empty(n), np.empty(n)
    call("kept_draw", address(snr0), ctypes.c_size_t(n), PRESETS[preset], ctypes.c_double(least), draw, address(kept), address(snr))
    return kept, snr


def snr_label(snr):
    """int64 [n]: 1 where S/N is clearly a burst's (4.5 or more), 0 below 3.5, -1 between: to be left out."""
    of_one = _library().snr_label
    return np.array([of_one(ctypes.c_double(s)) for s in np.ravel(snr)], np.int64)


def thin(atoms, background, kept, seed, valid=None, index=None, threads=1):
    """uint16 [n, A, T]: Binomial(counts, kept) + Poisson((1 - kept) background). Row i draws from stream index[i] (i) of the seed."""
    batch = _Batch(atoms, valid, background, threads)
    kept = numbers("kept", kept, np.float64, batch.shape[0])
    draw, lent = _draw(seed, index, batch.shape[0])
    counts = np.empty(batch.shape, np.uint16)
    call("curves_thin", batch.at(), address(kept), draw, address(counts))
    return counts


def thin_as_printed(atoms, background, removed, seed, valid=None, index=None, threads=1):
    """float32 [n, A, T]: the paper's counts - c counts + Poisson(c background), which is under-dispersed: for its reproduction only."""
    batch = _Batch(atoms, valid, background, threads)
    removed = numbers("removed", removed, np.float64, batch.shape[0])
    draw, lent = _draw(seed, index, batch.shape[0])
    counts = np.empty(batch.shape, np.float32)
    call("curves_thin_as_printed", batch.at(), address(removed), draw, address(counts))
    return counts


def turn(atoms, valid, background, shift, seed, index=None, threads=1):
    """(atoms, valid): the burst turned through the window by `shift` bins, the background's trend left in place."""
    batch = _Batch(atoms, valid, background, threads)
    n, _, t = batch.shape
    shift = numbers("shift", shift, np.int32, n)
    draw, lent = _draw(seed, index, n)
    counts, data = np.empty(batch.shape, np.uint16), np.empty((n, t), np.uint8)
    call("curves_turn", batch.at(), address(shift), draw, address(counts), address(data))
    return counts, data


def swap(atoms, valid, background, quiet_atoms, quiet_valid, quiet_background, kept, seed, index=None, threads=1):
    """(atoms, valid, kept): each burst, thinned to `kept`, over the quiet window of its row. kept is what was used: lowered where
    the burst's background would be over the quiet one."""
    batch, quiet = _Batch(atoms, valid, background, threads), _Batch(quiet_atoms, quiet_valid, quiet_background, threads)
    n, _, t = batch.shape
    kept = numbers("kept", kept, np.float64, n)
    draw, lent = _draw(seed, index, n)
    counts, data, used = np.empty(batch.shape, np.uint16), np.empty((n, t), np.uint8), np.empty(n)
    call("curves_swap", batch.at(), quiet.at(), address(kept), draw, address(counts), address(data), address(used))
    return counts, data, used


def gain(atoms, gain, seed, edges_kev=EDGES_KEV, spectral_index=1.6, background=None, valid=None, index=None, threads=1):
    """(atoms, background or None): inner edges moved by a factor 0.9..1.1 per row; counts near them go to the neighbouring atom."""
    batch = _Batch(atoms, valid, background, threads)
    n, a, _ = batch.shape
    edges, factor = numbers("edges_kev", edges_kev, np.float64, a + 1), numbers("gain", gain, np.float64, n)
    draw, lent = _draw(seed, index, n)
    counts = np.empty(batch.shape, np.uint16)
    moved = None if background is None else np.empty(batch.shape, np.float32)
    call("curves_gain", batch.at(), address(edges), address(factor), ctypes.c_double(spectral_index), draw, address(counts),
         address(moved))
    return counts, moved


def rate(atoms, background, factor, seed, valid=None, index=None, threads=1):
    """(atoms, background): below 1 all is thinned, above 1 background is added."""
    batch = _Batch(atoms, valid, background, threads)
    factor = numbers("factor", factor, np.float64, batch.shape[0])
    draw, lent = _draw(seed, index, batch.shape[0])
    counts, scaled = np.empty(batch.shape, np.uint16), np.empty(batch.shape, np.float32)
    call("curves_rate", batch.at(), address(factor), draw, address(counts), address(scaled))
    return counts, scaled


def slide(atoms, valid, background, offset, seed, index=None, threads=1):
    """(atoms, valid, background): the window moved by `offset` bins to later times; what comes in is drawn from the background."""
    batch = _Batch(atoms, valid, background, threads)
    n, _, t = batch.shape
    offset = numbers("offset", offset, np.int32, n)
    draw, lent = _draw(seed, index, n)
    counts, data, moved = np.empty(batch.shape, np.uint16), np.empty((n, t), np.uint8), np.empty(batch.shape, np.float32)
    call("curves_slide", batch.at(), address(offset), draw, address(counts), address(data), address(moved))
    return counts, data, moved


def draw_cut(onset_bin, stop_bin, n_bin, seed, index=None):
    """int32 [n]: offsets for slide() that put an edge of the window inside the burst [onset, stop)."""
    n = np.asarray(onset_bin).size
    onset, stop = numbers("onset_bin", onset_bin, np.int32, n), numbers("stop_bin", stop_bin, np.int32, n)
    draw, lent = _draw(seed, index, n)
    offset = np.empty(n, np.int32)
    call("cut_draw", address(onset), address(stop), ctypes.c_size_t(n), ctypes.c_size_t(n_bin), draw, address(offset))
    return offset


def window_rules():
    """The rules of science.md, section 0, by name: what gbm_windows takes as keywords."""
    rules = _Rules()
    _library().window_rules_default(ctypes.byref(rules))
    return {name: getattr(rules, name) for name, _ in _Rules._fields_}


def gbm_windows(counts, offset, t_first_s, t90_start_s, t90_s, burst, bin_s=2.048, **rules):
    """Windows of real light curves by the rules of tools/train/windows.h; keywords change single rules (window_rules() names them).

    counts i32 [..], curve i is counts[offset[i]:offset[i + 1]] with its first bin centred t_first_s[i] after the trigger;
    burst: the burst's name or number per curve.
    Returns (window, atoms, valid): window a record array (WINDOW) [n], atoms u16 [n, 1, n_bin], valid u8 [n, n_bin] (all 1)."""
    counts = array("counts", counts, np.int32, (None,))
    n = np.asarray(t_first_s).size
    offset = numbers("offset", offset, np.int64, n + 1)
    first, start, t90 = (numbers(k, np.asarray(v, np.float64), np.float64, n)
                         for k, v in (("t_first_s", t_first_s), ("t90_start_s", t90_start_s), ("t90_s", t90_s)))
    burst = np.asarray(burst)
    if burst.shape != (n,):
        raise BurstError("shape", f"burst has shape {burst.shape}, not ({n},)")
    burst = np.ascontiguousarray(np.unique(burst, return_inverse=True)[1], np.int64)
    values = {**window_rules(), **rules}
    if set(values) != {name for name, _ in _Rules._fields_}:
        raise BurstError("range", f"no such rule: {', '.join(sorted(set(rules) - {name for name, _ in _Rules._fields_}))}")
    given = _KnownCurves(address(counts), address(offset), address(first), address(start), address(t90), address(burst), len(counts), n,
                         float(bin_s))
    room = n * max(0, values["per_curve"] + values["quiet_most"])
    window, atoms = np.zeros(room, WINDOW), np.empty((room, 1, max(0, values["n_bin"])), np.uint16)
    found = ctypes.c_size_t()
    call("known_windows_cut", ctypes.byref(given), ctypes.byref(_Rules(**values)), ctypes.c_size_t(room), address(window),
         address(atoms), ctypes.byref(found))
    atoms = atoms[:found.value].copy()
    return window[:found.value].copy(), atoms, np.ones((len(atoms), atoms.shape[2]), np.uint8)


class Net:
    """A network of the C runtime: Net(path).run(x) -> what the network answers. Closed by close(), `with`, or when collected."""

    def __init__(self, path, backend="cpu", batch=32, threads=1):
        self._at = ctypes.c_void_p()
        call("evaluator_open", os.fsencode(path), backend.encode(), int(batch), int(threads), ctypes.byref(self._at))
        self.input, self.output = self._shape("evaluator_input"), self._shape("evaluator_output")
        self.sha256, self.backend = (getattr(_library(), f"evaluator_{k}")(self._at).decode() for k in ("sha256", "backend"))
        self.n_parameter = _library().evaluator_n_parameter(self._at)

    def _shape(self, name):
        n, dims = ctypes.c_int(), (ctypes.c_int64 * 8)()
        call(name, self._at, ctypes.byref(n), dims)
        return tuple(dims[:n.value])

    def run(self, x):
        """x float32 [n, *input] -> float32 [n, *output]."""
        if not self._at:
            raise BurstError("state", "the network is closed")
        x = array("x", x, np.float32, (None, *self.input))
        y = np.empty((len(x), *self.output), np.float32)
        size = [ctypes.c_size_t(int(np.prod(s, dtype=np.int64))) for s in (self.input, self.output)]
        call("evaluator_run", self._at, address(x), ctypes.c_size_t(len(x)), size[0], address(y), size[1])
        return y

    def metadata(self):
        """metadata_props of the file: key to text (JSON under "burst." keys)."""
        if not self._at:
            raise BurstError("state", "the network is closed")
        lib, found = _library(), {}
        while (key := lib.evaluator_meta_key(self._at, len(found))) is not None:
            found[key.decode()] = lib.evaluator_meta(self._at, key).decode("utf-8", "replace")
        return found

    def close(self):
        if self._at:
            _library().evaluator_close(self._at)
            self._at = ctypes.c_void_p()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def __del__(self):
        if getattr(self, "_at", None):
            self.close()


# Searches that need no network: Poisson-FOCuS and the trigger that flies (tools/train/focus.h, trigger.h).


class _TriggerLine(ctypes.Structure):
    _fields_ = [("length", ctypes.c_size_t), ("offset", ctypes.c_size_t), ("atoms", ctypes.c_uint32), ("threshold", ctypes.c_double)]


class _TriggerData(ctypes.Structure):
    _fields_ = [("n_detector", ctypes.c_size_t), ("n_atom", ctypes.c_size_t), ("n_bin", ctypes.c_size_t), ("bin_s", ctypes.c_double),
                ("counts", ctypes.c_void_p), ("valid", ctypes.c_void_p)]


TRIGGER_LINE_MAX = 96


def focus(counts, background, valid=None, mu_min=1.0):
    """(significance float64 [T], length uint32 [T]): the best interval that ends with each bin, counts float64 [T] against the
    counts expected, and how many bins it has. Bins without validity or expectation end all intervals."""
    counts = array("counts", counts, np.float64, (None,))
    expected = array("background", background, np.float64, counts.shape)
    valid = None if valid is None else array("valid", valid, np.uint8, counts.shape)
    significance, length = np.empty(len(counts)), np.empty(len(counts), np.uint32)
    call("focus_run", address(counts), address(expected), address(valid), ctypes.c_size_t(len(counts)), ctypes.c_double(mu_min),
         address(significance), address(length))
    return significance, length


def sliding_background(counts, valid=None, window=266, gap=64):
    """float64 [T]: mean of the valid bins among the `window` that end `gap` bins before each bin; 0 where fewer than half are valid."""
    counts = array("counts", counts, np.float64, (None,))
    valid = None if valid is None else array("valid", valid, np.uint8, counts.shape)
    mean = np.empty(len(counts))
    call("trigger_background", address(counts), address(valid), ctypes.c_size_t(len(counts)), ctypes.c_size_t(window), ctypes.c_size_t(gap),
         address(mean))
    return mean


def snr_trigger(atoms, valid, bin_s=0.064, coincident=1):
    """(score float32 [T], line int32 [T]): the flight-like trigger over atoms u16 [D, 5, T], valid u8 [D, T]; it fires at 4.5 in
    `coincident` detectors. line is the one that scored, -1 where none did."""
    atoms = array("atoms", atoms, np.uint16, (None, 5, None))
    valid = array("valid", valid, np.uint8, (atoms.shape[0], atoms.shape[2]))
    line, n = (_TriggerLine * TRIGGER_LINE_MAX)(), ctypes.c_size_t()
    call("trigger_flight_lines", ctypes.c_double(bin_s), line, ctypes.byref(n))
    data = _TriggerData(*atoms.shape, float(bin_s), address(atoms), address(valid))
    score, which = np.empty(atoms.shape[2], np.float32), np.empty(atoms.shape[2], np.int32)
    call("trigger_run", ctypes.byref(data), line, n, ctypes.c_size_t(coincident), address(score), address(which))
    return score, which
