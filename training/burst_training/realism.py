"""Can a network tell simulated windows from real ones? A small one is trained to; where the area under its ROC curve stays near
0.5 there is nothing to find. Single numbers of a window are tried as well: they say what gave the simulation away.

Real: GBM NaI light curves, 8 to 900 keV, 60 bins of 2.048 s, of bursts before 2018 (../shared/data); and Swift/BAT at 64 ms.
Simulated: burst-sim lightcurves of GBM in the same bins, 8 to 900 keV."""
import numpy as np

from burst_training import clib, curves, data, metrics, probes

N_BIN, LIMIT = 60, 0.60
VIEWS = ("standardised", "poisson")
LEAST_T90_S = 2.0  # the real curves hold one burst in forty below it, the catalogue one in six: at 2.048 s the short ones were left out


# ---- windows ----

def thin_out(counts, group, n, seed):
    """At most n of the windows, by chance."""
    keep = np.sort(np.random.default_rng(seed).permutation(len(counts))[:n])
    return np.asarray(counts)[keep].astype(float), np.asarray(group)[keep].astype(str)


def simulated(kind, n, n_bin, *options, seed=1, bin_s=curves.BIN_S):
    """(atoms [n, 1, T] uint16, valid, meta) of burst-sim's GBM."""
    make = ["lightcurves", "--mission", "fermi-gbm", "--only", kind, "--bands", "total", "--bin", bin_s, "--bins", n_bin,
            "--n", n, "--seed", seed, *options]
    folder = data.make_set([str(word) for word in make])
    return np.load(folder / "atoms.npy"), np.load(folder / "valid.npy"), data.read_meta(folder / "meta.csv")


def quiet_pair(n, seed=1):
    """((counts, group) simulated, the same real) of quiet windows."""
    atoms, valid, meta = simulated("quiet", 2 * n, N_BIN, seed=seed)
    whole = valid.all(1) & (atoms[:, 0].min(1) > 0)
    real = curves.quiet_windows(curves.RealCurves(curves.shared_data()), N_BIN)
    return thin_out(atoms[whole, 0], meta["sky"][whole], n, seed), thin_out(*real, n, seed)


def real_bursts(seed):
    """(counts, group, S/N): windows that hold all of T90, anywhere, of the three best detectors of each burst. Curves that begin less
    than a window before the burst would fix its place, and are left out."""
    c = curves.RealCurves(curves.shared_data())
    c.keep((c.t90 >= LEAST_T90_S) & (c.t90_start - c.t_first >= (N_BIN - 2) * curves.BIN_S))
    counts = np.concatenate([c.counts(i) for i in range(len(c))]).astype(np.int32)
    offset = np.concatenate([[0], np.cumsum(c.last - c.first)])
    window, atoms, _ = clib.gbm_windows(counts, offset, c.t_first, c.t90_start, c.t90, c.burst, best_most=3, per_curve=1, quiet_most=0,
                                        seed=seed)
    return atoms[:, 0].astype(float), c.burst[window["curve"]].astype(str), curves.peak_snr(atoms[:, 0])


def t90_of(counts, onset, stop):
    """(first bin, bins) between which 5 and 95 % of the burst's counts fall, as catalogues measure it: from the counts, over a straight
    background on both sides of [onset, stop)."""
    at = np.arange(len(counts))
    outside = (at < onset - 1) | (at >= stop + 1)
    grown = np.cumsum((counts - np.polyval(np.polyfit(at[outside], counts[outside], 1), at))[onset:stop])
    first, last = (int(np.argmax(grown >= part * grown[-1])) for part in (0.05, 0.95))
    return onset + first, max(last - first, 0)


def simulated_bursts(n, seed):
    """The same of simulated bursts. Rows of a sky follow each other, the best detector first: its counts tell T90."""
    atoms, valid, meta = simulated("burst", 3 * n, N_BIN, "--detectors", "best3", "--onset", "0", seed=seed)
    counts, rows = atoms[:, 0].astype(float), []
    onset, stop = ((np.asarray(meta[k], float) / curves.BIN_S).round().astype(int) for k in ("onset_s", "stop_s"))
    for row in range(0, len(counts), 3):
        whole = valid[row].all() and 0 < onset[row] < stop[row] < N_BIN and LEAST_T90_S <= meta["t90_s"][row] < 90
        if whole and N_BIN - (stop[row] - onset[row]) >= 12 and sum(t90_of(counts[row], onset[row], stop[row])) < N_BIN:
            rows += range(row, row + 3)
    return counts[rows], meta["sky"][rows].astype(str), curves.peak_snr(counts[rows])


def burst_pair(n, seed=1):
    """The same as quiet_pair of windows with bursts, at equal measured S/N of 4 and more."""
    ours, theirs = ([v[part[2] >= 4] for v in part] for part in (simulated_bursts(n, seed), real_bursts(seed)))
    keep, kept = probes.match(ours[2], theirs[2], seed, bins=20)
    return (ours[0][keep], ours[1][keep]), (theirs[0][kept], theirs[1][kept])


def bat_pair(n, seed=1):
    """Quiet sky in bins of 64 ms: ours, and Swift/BAT's 25-50 keV, the only real counts of that kind at hand. BAT counts more: photons
    are left out by chance until both have one mean, which keeps Poisson counts Poisson and other scatter in proportion."""
    windows, files = curves.bat_windows(curves.shared_data(), most=240)
    counts = cut_windows(windows[:, 1])
    make = simulated("quiet", 2 * n, N_BIN, seed=seed + 1, bin_s=0.064)
    whole = make[1].all(1)
    ours, draw = make[0][whole, 0], np.random.default_rng(seed)
    kept = min(1.0, ours.mean() / counts.mean())
    theirs = draw.binomial(counts.astype(int), kept)
    return (thin_out(ours, make[2]["sky"][whole], n, seed),
            thin_out(theirs, np.repeat(files, len(counts) // len(files)), n, seed))


def cut_windows(windows):
    """[N, T] as [N * T // N_BIN, N_BIN]."""
    whole = windows.shape[1] // N_BIN
    return windows[:, :whole * N_BIN].reshape(-1, N_BIN)


# ---- single numbers ----

def features(counts):
    """{name: number per window}: what may give a simulation away."""
    residual, level = curves.detrend(counts)
    pull = residual / np.sqrt(level)[:, None]
    slope, bend = curves.trends(counts)
    wide = curves.merge(counts, 4)
    return {"level": level, "dispersion": curves.dispersion(counts), "dispersion of 4 bins": curves.dispersion(wide),
            "neighbours": curves.lag_one(counts), "slope": np.abs(slope), "bend": np.abs(bend), "highest": pull.max(1),
            "lowest": -pull.min(1), "fourth power": (pull**4).mean(1) / (pull**2).mean(1)**2, "skew": (pull**3).mean(1)}


def feature_table(simulated_part, real_part, draws=200):
    """{name: figure} of how far each number alone tells the two apart."""
    (cs, gs), (cr, gr) = simulated_part, real_part
    y = np.r_[np.ones(len(cs)), np.zeros(len(cr))]
    group = np.concatenate([np.char.add("s", gs), np.char.add("r", gr)])
    both = features(np.concatenate([cs, cr]))
    return {name: probes.separation(value, y, group, draws) for name, value in both.items()}


# ---- the network ----

def view(counts, name):
    """float32 [N, 1, T]: `standardised` as networks see it, each window with mean 0 and deviation 1; `poisson` in units of the
    window's own counting noise, where scatter and trends keep their size."""
    counts = np.asarray(counts, float)
    level = counts.mean(1, keepdims=True)
    scale = counts.std(1, keepdims=True) if name == "standardised" else np.sqrt(level)
    return np.arcsinh((counts - level) / scale)[:, None].astype(np.float32)


def small_network():
    from torch import nn
    return nn.Sequential(nn.Conv1d(1, 16, 5, padding=2), nn.BatchNorm1d(16), nn.ReLU(), nn.Conv1d(16, 24, 5, 2, padding=2),
                         nn.BatchNorm1d(24), nn.ReLU(), nn.Conv1d(24, 32, 3, 2, padding=1), nn.BatchNorm1d(32), nn.ReLU(),
                         nn.Flatten(), nn.Dropout(0.3), nn.Linear(32 * (N_BIN // 4), 1))


def train_and_score(x, y, train, test, epochs, seed):
    """Scores of the rows `test` by a network trained on the rows `train`."""
    import torch
    torch.manual_seed(seed)
    net, x, y = small_network(), torch.from_numpy(x), torch.from_numpy(y.astype(np.float32))
    optimiser = torch.optim.AdamW(net.parameters(), 2e-3, weight_decay=1e-2)
    steps = epochs * (len(train) // 64)
    plan = torch.optim.lr_scheduler.OneCycleLR(optimiser, 4e-3, total_steps=max(steps, 1))
    for _ in range(epochs):
        order = torch.from_numpy(train)[torch.randperm(len(train))]
        for at in range(0, len(order) - 63, 64):
            pick = order[at:at + 64]
            optimiser.zero_grad()
            torch.nn.functional.binary_cross_entropy_with_logits(net(x[pick])[:, 0], y[pick]).backward()
            optimiser.step()
            plan.step()
    net.eval()
    with torch.no_grad():
        return net(x[torch.from_numpy(test)])[:, 0].numpy()


def two_sample(simulated_part, real_part, name, epochs=12, folds=4, draws=500, seed=1):
    """Figure of the area under the ROC curve of a network that never saw a burst (or sky) it is asked about: each fold is scored by
    a network trained on the others. Scores become ranks within their fold, since every network has a scale of its own."""
    (cs, gs), (cr, gr) = simulated_part, real_part
    n = min(len(cs), len(cr))
    cs, gs, cr, gr = cs[:n], gs[:n], cr[:n], gr[:n]
    x, y = view(np.concatenate([cs, cr]), name), np.r_[np.ones(n), np.zeros(n)]
    group = np.concatenate([np.char.add("s", gs), np.char.add("r", gr)])
    names, index = np.unique(group, return_inverse=True)
    fold = np.random.default_rng(seed).integers(0, folds, len(names))[index]
    score = np.zeros(2 * n)
    for k in range(folds):
        test = np.flatnonzero(fold == k)
        found = train_and_score(x, y, np.flatnonzero(fold != k), test, epochs, seed + k)
        score[test] = np.argsort(np.argsort(found)) / max(len(test) - 1, 1)
    ranking = metrics.Ranking(score, y)
    return metrics.bootstrap(lambda w: metrics.auc(ranking, w), 2 * n, group, draws)


def report(n=4000, epochs=10, seed=1, say=lambda text: None):
    """Everything, as docs/science/realism.json keeps it."""
    out = {"n_bin": N_BIN, "limit": LIMIT, "samples": {}}
    for kind, pair, bin_s, source in (("quiet", quiet_pair, curves.BIN_S, "Fermi/GBM"), ("burst", burst_pair, curves.BIN_S, "Fermi/GBM"),
                                      ("quiet, 64 ms", bat_pair, 0.064, "Swift/BAT 25-50 keV")):
        say(f"{kind}: windows")
        parts = pair(n, seed)
        sample = {"bin_s": bin_s, "real": source, "n_simulated": len(parts[0][0]), "n_real": len(parts[1][0]), "network": {}, "features": feature_table(*parts)}
        for name in VIEWS:
            say(f"{kind}: network, {name}")
            sample["network"][name] = two_sample(*parts, name, epochs, seed=seed)
        out["samples"][kind] = sample
    return out
