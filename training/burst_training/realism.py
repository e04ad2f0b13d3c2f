"""Can a network tell simulated windows from real ones? A small one is trained to; where the area under its ROC curve stays near
0.5 there is nothing to find. Single numbers of a window are tried as well: they say what gave the simulation away.

Real: GBM NaI light curves, 8 to 900 keV, 60 bins of 2.048 s, of bursts before 2018 (../shared/data). Simulated: burst-sim
lightcurves of the same spacecraft, bins and energies, cut to windows by the same code (clib.gbm_windows)."""
import numpy as np

from burst_training import clib, curves, data, metrics, probes

N_BIN, LIMIT = 60, 0.60
VIEWS = ("standardised", "poisson")


# ---- windows ----

def thin_out(counts, group, n, seed):
    """At most n of the windows, by chance."""
    keep = np.sort(np.random.default_rng(seed).permutation(len(counts))[:n])
    return np.asarray(counts)[keep].astype(float), np.asarray(group)[keep].astype(str)


def simulated(kind, n, n_bin, *options, seed=1):
    """(atoms [n, 1, T] uint16, valid, meta) of burst-sim's GBM."""
    make = ["lightcurves", "--mission", "fermi-gbm", "--only", kind, "--bands", "total", "--bin", curves.BIN_S, "--bins", n_bin,
            "--n", n, "--seed", seed, *options]
    folder = data.make_set([str(word) for word in make])
    return np.load(folder / "atoms.npy"), np.load(folder / "valid.npy"), data.read_meta(folder / "meta.csv")


def quiet_pair(n, seed=1):
    """((counts, group) simulated, the same real) of quiet windows."""
    atoms, valid, meta = simulated("quiet", 2 * n, N_BIN, seed=seed)
    whole = valid.all(1) & (atoms[:, 0].min(1) > 0)
    real = curves.quiet_windows(curves.RealCurves(curves.shared_data()), N_BIN)
    return thin_out(atoms[whole, 0], meta["sky"][whole], n, seed), thin_out(*real, n, seed)


def cut_real(seed):
    """(windows, counts, group) around real bursts, the three best detectors of each."""
    c = curves.RealCurves(curves.shared_data())
    counts = np.concatenate([c.counts(i) for i in range(len(c))]).astype(np.int32)
    offset = np.concatenate([[0], np.cumsum(c.last - c.first)])
    window, atoms, _ = clib.gbm_windows(counts, offset, c.t_first, c.t90_start, c.t90, c.burst, best_most=3, per_curve=1, quiet_most=0,
                                        seed=seed)
    return window, atoms[:, 0], c.burst[window["curve"]]


def cut_simulated(n, seed):
    """The same around simulated bursts, in light curves of eight minutes."""
    length = 240
    atoms, valid, meta = simulated("burst", 3 * n, length, "--detectors", "best3", "--onset", "0", seed=seed)
    use = np.flatnonzero(valid.all(1) & (meta["onset_s"] >= 0))
    t90 = np.maximum(meta["t90_s"][use].astype(float), 0.064)
    window, cut, _ = clib.gbm_windows(atoms[use, 0].astype(np.int32).ravel(), np.arange(len(use) + 1) * length,
                                      np.full(len(use), curves.BIN_S / 2), meta["onset_s"][use].astype(float), t90,
                                      meta["sky"][use], best_most=3, per_curve=1, quiet_most=0, seed=seed)
    return window, cut[:, 0], meta["sky"][use][window["curve"]]


def burst_pair(n, seed=1):
    """The same as quiet_pair of windows with bursts, at equal measured S/N."""
    (ws, cs, gs), (wr, cr, gr) = cut_simulated(n, seed), cut_real(seed)
    keep_s, keep_r = probes.match(ws["snr"], wr["snr"], seed, bins=20)
    return (cs[keep_s].astype(float), gs[keep_s].astype(str)), (cr[keep_r].astype(float), gr[keep_r].astype(str))


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


def report(n=5000, epochs=12, seed=1, say=lambda text: None):
    """Everything, as docs/science/realism.json keeps it."""
    out = {"bin_s": curves.BIN_S, "n_bin": N_BIN, "limit": LIMIT, "samples": {}}
    for kind, pair in (("quiet", quiet_pair), ("burst", burst_pair)):
        say(f"{kind}: windows")
        parts = pair(n, seed)
        sample = {"n_simulated": len(parts[0][0]), "n_real": len(parts[1][0]), "network": {}, "features": feature_table(*parts)}
        for name in VIEWS:
            say(f"{kind}: network, {name}")
            sample["network"][name] = two_sample(*parts, name, epochs, seed=seed)
        out["samples"][kind] = sample
    return out
