#!/usr/bin/python3
"""Figures of merit and intervals against numbers worked out by hand and tables in print."""
import json
import math
import sys

import numpy as np

from common import case, first, status
from burst_training import metrics as m  # noqa: E402


def near(got, want, tolerance=5e-5):
    return None if got is not None and abs(got - want) <= tolerance else f'{got}, not {want}'


def fractions():
    # Wilson's interval of 8 in 10: (9.9207 -+ 2.2651 * 1.9600) / 13.8415, by hand.
    p, low, high = m.wilson(8, 10)
    case('wilson_of_8_in_10', first(near(p, 0.8), near(low, 0.4902), near(high, 0.9433)))
    p, low, high = m.wilson(0, 20)
    case('wilson_of_none_in_20_ends_above_0', first(near(low, 0.0), near(high, 0.1611)))
    case('wilson_of_nothing_says_nothing', None if m.wilson(0, 0) == (None, None, None) else m.wilson(0, 0))
    one = m.fraction([1, 1, 1, 1, 1, 1, 1, 1, 0, 0])
    case('a_row_to_a_group_is_wilson', first(near(one['low'], 0.4902), near(one['high'], 0.9433), one['n_group'] != 10 and one))
    # Each row three times: the same knowledge, so the same interval but for 10 / 9 in the variance between groups.
    hit, group = np.repeat([1, 1, 1, 1, 1, 1, 1, 1, 0, 0], 3), np.repeat(np.arange(10), 3)
    copied = m.fraction(hit, group)
    want = m.wilson(8, 10)
    case('copies_of_a_burst_add_nothing', first(near(copied['low'], want[1]), near(copied['high'], want[2]), copied['n'] != 30 and copied))
    spread = m.fraction([1, 0] * 20, np.repeat(np.arange(20), 2))
    case('rows_that_differ_inside_groups_count_as_rows', first(near(spread['low'], m.wilson(20, 40)[1]), near(spread['high'], m.wilson(20, 40)[2])))
    full = m.fraction(np.ones(30), np.repeat(np.arange(10), 3))
    case('all_hits_are_only_as_many_trials_as_groups', near(full['low'], 10 / (10 + m.Z95**2)))
    none = m.fraction([])
    case('no_rows_no_figure', None if none == {'value': None, 'low': None, 'high': None, 'n': 0, 'n_group': 0} else none)


def curves():
    score, y = [0.9, 0.8, 0.7, 0.6, 0.5], [1, 0, 1, 1, 0]
    ranking = m.Ranking(score, y)
    # Pairs (burst, other) in order: 0.9 beats both, 0.7 and 0.6 beat 0.5 alone: 4 of 6.
    case('auc_counts_the_pairs_in_order', near(m.auc(ranking), 4 / 6))
    # Precision at each burst: 1, 2/3, 3/4; each step of recall is a third.
    case('average_precision_by_hand', near(m.average_precision(ranking), (1 + 2 / 3 + 3 / 4) / 3))
    false, recall, threshold = m.roc(score, y)
    case('roc_by_hand', None if np.allclose(false, [0, 0, .5, .5, .5, 1]) and np.allclose(recall, [0, 1/3, 1/3, 2/3, 1, 1]) and threshold[0] == np.inf
         else f'{false} {recall}')
    case('recall_at_no_false_call', near(m.recall_at_fpr(ranking, 0.0), 1 / 3))
    case('recall_at_half', near(m.recall_at_fpr(ranking, 0.5), 1.0))
    case('threshold_at_half_is_a_score', near(m.threshold_at_fpr(score, y, 0.5), 0.6))
    tied = m.Ranking([0.5, 0.5, 0.5, 0.5], [1, 0, 1, 0])
    case('ties_are_half_right', first(near(m.auc(tied), 0.5), near(m.recall_at_fpr(tied, 0.4), 0.0), near(m.average_precision(tied), 0.5)))
    weight = np.array([2.0, 1, 0, 1, 1])  # 0.9 twice, 0.7 never: pairs 2 * 2 + 1 of 3 * 2
    case('weights_are_copies', near(m.auc(ranking, weight), 5 / 6))
    case('one_class_has_no_area', None if m.auc(m.Ranking([1, 2], [1, 1])) is None else 'a number')
    recall, precision, _ = m.precision_recall(score, y)
    case('precision_by_hand', None if np.allclose(precision, [1, .5, 2/3, .75, .6]) and np.allclose(recall, [1/3, 1/3, 2/3, 1, 1]) else f'{precision}')
    for name, bad in (('lengths_must_agree', lambda: m.Ranking([1.0], [1, 0])), ('a_score_must_be_finite', lambda: m.Ranking([np.nan], [1]))):
        try:
            bad()
            case(name, 'taken')
        except ValueError:
            case(name, None)


def calibration():
    p, y = np.array([0.1, 0.1, 0.9, 0.9]), np.array([0, 1, 1, 1])
    # Bin of 0.1: share 0.5 against 0.1; bin of 0.9: 1 against 0.9; half the rows each.
    case('ece_by_hand', near(m.ece(p, y), 0.5 * 0.4 + 0.5 * 0.1))
    case('brier_by_hand', near(m.brier(p, y), (0.01 + 0.81 + 0.01 + 0.01) / 4))
    case('brier_with_weights', near(m.brier(p, y, np.array([1.0, 0, 0, 0])), 0.01))
    rows = m.reliability(p, y)
    good = [round(r['low'] * 15) for r in rows] == [1, 13] and rows[0]['share']['value'] == 0.5 and rows[1]['share']['n'] == 2
    case('reliability_bins', None if good else rows)
    case('probability_of_a_logit', first(near(m.probability(math.log(3)), 0.75), near(m.probability(2 * math.log(3), 2.0), 0.75)))
    case('p_of_1_is_in_the_last_bin', near(m.ece(np.ones(2), np.ones(2)), 0.0))


def intervals():
    # The mean of n fair coins: the bootstrap's percentiles are near the binomial's 2.5 and 97.5 %, 0.5 -+ 1.96 / 20.
    x = np.tile([0.0, 1.0], 200)
    mean = m.bootstrap(lambda w: (w * x).sum() / w.sum(), 400, draws=2000)
    case('bootstrap_of_a_mean', first(near(mean['low'], 0.451, 0.006), near(mean['high'], 0.549, 0.006)))
    half = m.bootstrap(lambda w: (w * x).sum() / w.sum(), 400, np.repeat(np.arange(100), 4), draws=500)
    case('equal_groups_leave_no_doubt', first(near(half['low'], 0.5), near(half['high'], 0.5), half['n_group'] != 100 and half))
    copies = np.repeat(np.tile([0.0, 1.0], 50), 4)
    by_group = m.bootstrap(lambda w: (w * copies).sum() / w.sum(), 400, np.repeat(np.arange(100), 4), draws=2000)
    case('bootstrap_draws_whole_groups', first(near(by_group['low'], 0.402, 0.012), near(by_group['high'], 0.598, 0.012)))
    again = [m.bootstrap(lambda w: (w * x).sum() / w.sum(), 400, draws=50, seed=7) for _ in (0, 1)]
    case('the_same_seed_the_same_interval', None if again[0] == again[1] else again)
    # Garwood's table, Poisson 95 %: 0: 0-3.689, 1: 0.0253-5.572, 5: 1.623-11.668, 10: 4.795-18.390.
    table = {0: (0, 3.689), 1: (0.0253, 5.572), 5: (1.6235, 11.668), 10: (4.7954, 18.3904)}
    for count, (low, high) in table.items():
        rate = m.poisson_rate(count, 1.0)
        case(f'garwood_of_{count}', first(near(rate['low'], low, 1e-3), near(rate['high'], high, 1e-3)))
    case('a_rate_is_per_exposure', near(m.poisson_rate(10, 5.0)['low'], 4.7954 / 5, 1e-3))


def whole():
    logit, y = np.array([3.0, 2.0, -1.0, -2.0, 1.0, -3.0]), np.array([1, 1, 1, 0, 0, 0])
    f = m.figures(logit, y, draws=200)
    want = {'accuracy': 4 / 6, 'precision': 2 / 3, 'recall': 2 / 3, 'false_positive_rate': 1 / 3, 'balanced_accuracy': 2 / 3, 'f1': 2 / 3,
            'auc': 8 / 9, 'recall_at_fpr_0.01': 2 / 3}
    case('figures_by_hand', first(*(f'{k}: {near(f[k]["value"], v)}' for k, v in want.items() if near(f[k]['value'], v))))
    case('each_figure_is_whole', None if all(set(v) == {'value', 'low', 'high', 'n', 'n_group'} for v in f.values()) else f)
    inside = [k for k, v in f.items() if v['low'] is not None and not v['low'] - 1e-9 <= v['value'] <= v['high'] + 1e-9]
    case('values_lie_in_their_intervals', inside)
    one_class = m.figures(logit, np.ones(6), draws=20)
    case('one_class_gives_none_not_nan', None if one_class['auc']['value'] is None and json.loads(json.dumps(one_class, allow_nan=False)) else one_class['auc'])
    rows = m.by_bin([3, 4, 5, 20], [3, 5, 10, None], [0, 1, 1, 1])
    case('bins_hold_their_low_edge', None if [(r['figure']['value'], r['figure']['n']) for r in rows] == [(.5, 2), (1, 1), (1, 1)] else rows)
    names = m.by_name(['a', 'b', 'a'], [1, 0, 0], [1, 1, 2])
    case('figures_by_name', None if names['a']['value'] == 0.5 and names['b']['n_group'] == 1 else names)


for part in (fractions, curves, calibration, intervals, whole):
    part()
sys.exit(status())
