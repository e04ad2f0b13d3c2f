#!/usr/bin/python3
"""Simulated quiet sky against the real one: scatter, trends, colours, detectors side by side (science.md A.6, A.11)."""
import sys

from common import case, curves, exit_status, lightcurves, np, real, within

SIXTY_FOUR_MS, SECOND = 1, 16  # bins of 64 ms


def quiet_atoms():
    """Counts [N, 5, 1875] of whole windows of quiet GBM sky at 64 ms."""
    atoms, valid, _ = lightcurves('--n', 500, '--seed', 11, '--mission', 'fermi-gbm', '--only', 'quiet')
    return atoms[valid.all(1)].astype(float)


def quiet_total(n=6000):
    """Counts [N, 60] of 2.048 s, 8 to 900 keV: what the real light curves hold."""
    atoms, valid, _ = lightcurves('--n', n, '--seed', 12, '--mission', 'fermi-gbm', '--only', 'quiet', '--bands', 'total',
                                  '--bin', curves.BIN_S, '--bins', 60)
    return atoms[valid.all(1), 0].astype(float)


def scatter(atoms, total):
    """A.11 (1), (2): medians, since one quiet window in forty is not Poisson, as in orbit. At 4 s, where a window has 30 bins, many
    windows are needed: 6,000 know the median to 0.5 %."""
    for name, counts in (('64_ms', curves.merge(atoms.sum(1), SIXTY_FOUR_MS)), ('1_s', curves.merge(atoms.sum(1), SECOND)),
                         ('4_s', curves.merge(total, 2))):
        within(f'counts_scatter_as_poisson_at_{name}', curves.typical_dispersion(counts), 0.97, 1.03)
    for k in range(5):
        within(f'atom_{k + 1}_scatters_as_poisson_at_64_ms', curves.typical_dispersion(atoms[:, k]), 0.97, 1.03)
        within(f'neighbouring_bins_of_atom_{k + 1}_do_not_know_each_other', np.median(curves.lag_one(atoms[:, k])), -0.03, 0.03)


def colours(atoms):
    """A.11 (3)."""
    rates = atoms.mean(2)
    found = np.median(rates / rates.sum(1, keepdims=True), 0)
    for k, want in enumerate(curves.ATOM_FRACTIONS):
        within(f'atom_{k + 1}_has_its_part_of_the_counts', found[k], 0.9 * want, 1.1 * want)


def against_gbm(total, windows):
    """A.11 (1), (4) at 2.048 s: the same lines of code on real and simulated windows."""
    level = np.median(windows.mean(1))
    within('the_level_is_that_of_gbm', np.median(total.mean(1)), 0.9 * level, 1.1 * level)
    within('scatter_is_that_of_gbm', curves.typical_dispersion(total) - curves.typical_dispersion(windows), -0.03, 0.03)
    wild, real_wild = (np.mean(curves.dispersion(c) > 1.6) for c in (total, windows))
    within('as_many_windows_are_wild', wild, real_wild / 2, real_wild * 2)
    within('neighbours_are_as_in_gbm', np.median(curves.lag_one(total)) - np.median(curves.lag_one(windows)), -0.03, 0.03)
    for name, ours, theirs in zip(('slope', 'bend'), curves.trends(total), curves.trends(windows)):
        for share, slack in ((50, 1.25), (90, 1.35), (99, 1.6)):  # the higher, the fewer real windows stand behind it
            want = np.percentile(abs(theirs), share)
            within(f'{name}s_are_as_steep_as_in_gbm_up_to_{share}_per_cent', np.percentile(abs(ours), share), want / slack, want * slack)


def soft_against_hard(atoms, folder):
    """A.11 (5): soft rates follow the X-ray sky, hard ones particles and albedo. Fitted slopes hold counting noise, which belongs to
    no band but its own: signs are compared, not sizes."""
    slope = np.array([curves.trends(atoms[:, k])[0] for k in range(5)])
    link = np.corrcoef(slope)
    case('the_softest_atom_drifts_against_the_hardest', None if link[0, 4] < 0 else f'{link[0]}')
    case('hard_atoms_drift_together', None if link[2, 3] > 0 and link[2, 4] > 0 else f'{link[2]}')
    rates = curves.deep_rates(folder)[:3240].reshape(-1, 30, 12, 3).transpose(0, 2, 3, 1).reshape(-1, 3, 30)
    deep = np.corrcoef([curves.trends(rates[:, k])[0] for k in range(3)])
    case('real_bands_drift_so_too', None if deep[0, 2] < 0.1 < deep[1, 2] else f'{deep}')  # 28-50 with 300-500 keV, 50-300 with it


def side_by_side():
    """A.11 (6): what is left of each detector's counts when its trend is gone is its own noise."""
    atoms, valid, meta = lightcurves('--n', 14 * 20, '--seed', 13, '--mission', 'fermi-gbm', '--only', 'quiet', '--detectors', 'all')
    sky, links = meta['sky'], []
    for name in np.unique(sky):
        rows = np.flatnonzero((sky == name) & np.char.startswith(meta['detector'], 'n'))
        rows = rows[valid[rows].all(1)]
        if len(rows) < 2:
            continue
        residual = curves.detrend(curves.merge(atoms[rows].sum(1), SECOND))[0]
        links.append(np.corrcoef(residual)[np.triu_indices(len(rows), 1)].mean())
    case('skies_have_several_detectors', None if len(links) > 8 else f'{len(links)} skies')
    within('detectors_scatter_apart', np.median(links), -0.03, 0.03)


def against_bat(atoms, folder):
    """The only real counts at 64 ms besides one trigger's. 100-350 keV scatters more (showers hit many of BAT's crystals at once):
    the bands below say what a sky does at 64 ms."""
    try:
        windows, files = curves.bat_windows(folder)
    except ImportError:
        print('skip swift_bat: astropy is not installed')
        return
    case('there_is_real_64_ms_background', None if len(windows) >= 40 else f'{len(windows)} windows of {len(set(files))} files')
    real_scatter = [curves.typical_dispersion(windows[:, k]) for k in range(4)]
    for k, name in enumerate(('15_25', '25_50', '50_100')):
        within(f'bat_scatters_as_poisson_at_64_ms_in_{name}_kev', real_scatter[k], 0.97, 1.08)
    within('bats_soft_band_and_ours_scatter_alike', real_scatter[1] - curves.typical_dispersion(atoms[:, 0]), -0.03, 0.06)
    within('bats_neighbouring_bins_do_not_know_each_other', np.median(curves.lag_one(windows[:, 1])), -0.03, 0.03)


def against_events(atoms, folder):
    """The one GBM trigger of which single photons are here: two windows tell the scatter of an atom to 2 %."""
    try:
        windows = curves.event_windows(folder)
    except ImportError:
        print('skip gbm_events: astropy is not installed')
        return
    case('there_are_gbm_photons_after_a_burst', None if len(windows) >= 1 else 'none')
    for k in range(5):
        error = np.sqrt(2 / windows[:, k].size)
        within(f'real_atom_{k + 1}_scatters_as_poisson_at_64_ms', curves.dispersion(windows[:, k]).mean(), 1 - 3 * error, 1 + 3 * error)
    total, ours = windows.sum((1, 2)).mean() / windows.shape[2] / 0.064, atoms.sum(1).mean(1) / 0.064
    within('the_real_rate_is_one_of_ours', total, *np.percentile(ours, [1, 99]))


def main():
    atoms, total = quiet_atoms(), quiet_total()
    scatter(atoms, total)
    colours(atoms)
    side_by_side()
    folder = real('background_against_gbm_and_bat')
    if folder is not None:
        soft_against_hard(atoms, folder)
        against_gbm(total, curves.quiet_windows(curves.RealCurves(folder))[0])
        against_bat(atoms, folder)
        against_events(atoms, folder)
    return exit_status()


if __name__ == '__main__':
    sys.exit(main())
