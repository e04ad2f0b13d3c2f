#!/usr/bin/python3
"""The realism tests' own instruments, on series whose answer is known beforehand."""
import io
import pickle
import sys

from common import case, curves, exit_status, np, within
from burst_training import probes


def scatter():
    draw = np.random.default_rng(1)
    poisson = draw.poisson(40, (2000, 100)).astype(float)
    within('poisson_counts_have_dispersion_1', curves.dispersion(poisson).mean(), 0.99, 1.01)
    within('their_typical_dispersion_is_1', curves.typical_dispersion(poisson), 0.985, 1.015)
    within('doubled_counts_have_dispersion_2', curves.typical_dispersion(2 * poisson), 1.97, 2.03)
    slope = 1 + 0.3 * np.linspace(-1, 1, 100)**3
    within('a_cubic_trend_does_not_add_to_it', curves.typical_dispersion(draw.poisson(40 * slope, (2000, 100))), 0.985, 1.015)
    within('white_noise_has_no_neighbours', curves.lag_one(poisson).mean(), -0.006, 0.006)
    walk = poisson[:, 1:] + poisson[:, :-1]  # a sum of two neighbours: correlation 1/2
    within('a_moving_sum_has_half', curves.lag_one(walk).mean(), 0.47, 0.52)
    case('merged_bins_are_sums', None if curves.merge(np.arange(7.0)[None], 3).tolist() == [[3, 12]] else str(curves.merge(np.arange(7.0)[None], 3)))


def trend():
    x = np.linspace(-1, 1, 60)
    slope, bend = curves.trends(100 * (1 + 0.05 * x + 0.02 * (1.5 * x**2 - 0.5))[None])  # Legendre's second polynomial
    within('a_line_from_95_to_105_has_slope_10_per_cent', slope[0], 0.09999, 0.10001)
    within('a_parabola_has_its_height', bend[0], 0.01999, 0.02001)


def brightness():
    counts = np.full((1, 60), 100.0)
    counts[0, 30] += 80
    within('80_counts_over_100_are_8_sigma', curves.peak_snr(counts)[0], 7.7, 8.2)
    counts[0, 31] += 80
    within('two_such_bins_are_11_3_sigma', curves.peak_snr(counts)[0], 10.9, 11.6)  # 160 / sqrt(200)
    case('equal_samples_have_distance_0', None if curves.ks_distance(np.arange(9), np.arange(9)) == 0 else 'they do not')
    case('samples_apart_have_distance_1', None if curves.ks_distance(np.arange(9), np.arange(9) + 20) == 1 else 'they do not')
    within('half_shifted_samples_have_distance_one_half', curves.ks_distance(np.arange(10), np.arange(10) + 5), 0.499, 0.501)


def gaps():
    class Curves:
        burst, t90_start, t90 = np.array(['a', 'b']), np.array([0.0, 0.0]), np.array([10.0, 10.0])

        def __len__(self):
            return 2

        def counts(self, i):
            series = np.full(150, 50)
            series[40 if i else 0] = 0
            return series

        def time(self, i):
            return curves.BIN_S * np.arange(150)
    windows, bursts = curves.quiet_windows(Curves())
    case('a_gap_in_the_data_makes_no_quiet_window', None if list(bursts) == ['a'] and windows.min() == 50 else f'{bursts}')
    case('quiet_begins_a_minute_after_t90', None if windows.shape == (1, 60) else str(windows.shape))  # bins 35..94; 95..149 are too few


def refuses_code():
    class Evil:
        def __reduce__(self):
            return eval, ('1 + 1',)
    try:
        curves.PlainArrays(io.BytesIO(pickle.dumps(Evil()))).load()
        case('a_pickle_that_names_a_function_is_refused', 'it was run')
    except pickle.UnpicklingError:
        case('a_pickle_that_names_a_function_is_refused', None)


def matching():
    draw = np.random.default_rng(2)
    a, b = np.exp(draw.normal(2, 1, 3000)), np.exp(draw.normal(3, 1, 3000))
    i, j = probes.match(a, b)
    case('matched_rows_are_as_many', None if len(i) == len(j) > 1000 else f'{len(i)} {len(j)}')
    within('matched_rows_are_distributed_alike', curves.ks_distance(a[i], b[j]), 0, 0.08)
    case('nothing_in_common_matches_nothing', None if len(probes.match_cells(np.zeros(3, int), np.ones(3, int))[0]) == 0 else 'it does')
    y = np.r_[np.ones(500), np.zeros(500)]
    within('a_number_that_knows_nothing_separates_nothing', probes.separation(draw.normal(size=1000), y, np.arange(1000), 20)['value'], 0.5, 0.56)
    within('a_number_that_knows_all_separates_all', probes.separation(-y, y, np.arange(1000), 20)['value'], 1, 1)
    within('a_burst_of_7_sigma_in_1875_bins_is_unsteady', probes.dispersion_of_its_own([7.0], [1875]), 0.713, 0.715)  # Phi(49 / 86.6)


def measures():
    atoms, valid = np.full((1, 5, 40), 4), np.ones((1, 40))
    valid[0, :5], valid[0, 20] = 0, 0
    found = {name: value[0] for name, value in probes.measure(atoms, valid).items()}
    want = {'mean': 20, 'total': 680, 'deviation': 0, 'median': 20, 'flicker': 0, 'valid_bins': 34, 'holes': 1, 'fraction_not_whole': 0}
    case('probes_measure_what_they_say', None if all(found[k] == v for k, v in want.items()) else str(found))
    half = probes.measure(atoms + 0.5, valid)['fraction_not_whole'][0]
    case('counts_that_are_not_whole_are_seen', None if half == 1 else str(half))


def durations():
    try:
        from burst_training import realism
    except ImportError:
        print('skip t90: the training library is not there')
        return
    series = np.full(60, 100.0)
    series[20:30] += 50  # 20 bins in steps of 5 %: T90 from its first to its last bin but one
    begin, bins = realism.t90_of(series, 18, 33)
    case('t90_of_a_box_is_the_box', None if (begin, bins) == (20, 9) else f'{begin} {bins}')


def main():
    for part in (scatter, trend, brightness, gaps, refuses_code, matching, measures, durations):
        part()
    return exit_status()


if __name__ == '__main__':
    sys.exit(main())
