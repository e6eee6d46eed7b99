"""Rates, intervals and breakdown probability from counts of verified rows; threshold search."""

import numpy as np
import pytest
from scipy import stats

from skparietal.estimators.feedback._feedback_counts import FeedbackCounts
from skparietal.estimators.feedback._label_threshold import (
    can_choose,
    class_separation,
    cross_fitted,
    fixed_threshold,
    search_threshold,
    weight_above,
)
from skparietal.theory import effective_size


def test_counts_add_up_over_any_split():
    rng = np.random.default_rng(0)
    right, kept, weight = rng.random(90) < 0.6, rng.random(90) < 0.5, rng.random(90)
    whole = FeedbackCounts.of(right, kept, weight)
    parts = FeedbackCounts()
    for rows in np.split(np.arange(90), [10, 55]):
        parts = parts + FeedbackCounts.of(right[rows], kept[rows], weight[rows])
    assert parts.total == pytest.approx(weight.sum())
    assert parts.wrong_kept == pytest.approx(whole.wrong_kept)


def test_nothing_verified_is_nan_never_a_guess():
    nothing = FeedbackCounts()
    assert np.isnan(nothing.estimate("phi"))
    assert np.isnan(nothing.interval("purity")).all()
    assert np.isnan(nothing.breakdown_probability(2))


def test_breakdown_probability_is_a_posterior_tail():
    counts = FeedbackCounts(right_kept=12, right_dropped=3, wrong_kept=9, wrong_dropped=20)
    draws = stats.beta(12.5, 9.5).rvs(200_000, random_state=0)
    # Standard error .001.
    assert counts.breakdown_probability(2) == pytest.approx(np.mean(draws <= 1 / 2), abs=0.005)
    assert counts.breakdown_probability(4) < counts.breakdown_probability(2)


@pytest.mark.parametrize("rate", ["error_rate", "phi", "psi", "purity"])
def test_intervals_are_equal_tailed(rate):
    counts = FeedbackCounts(right_kept=30, right_dropped=8, wrong_kept=5, wrong_dropped=17)
    success, failure = counts.pair(rate)
    low, high = counts.interval(rate, 0.9)
    posterior = stats.beta(success + 0.5, failure + 0.5)
    np.testing.assert_allclose(posterior.cdf([low, high]), [0.05, 0.95])
    assert counts.estimate(rate) == pytest.approx(posterior.mean())


@pytest.mark.parametrize("discount", [False, True])
def test_searched_threshold_is_the_lowest_within_one_standard_error(discount):
    rng = np.random.default_rng(0)
    right = rng.random(300) < 0.6
    scores = np.round(rng.normal(right.astype(float), 0.7), 2)
    pool, weight = rng.normal(size=2000), np.ones(300)
    above = weight_above(pool, np.ones(2000))
    settings = {"pool": above, "n_trusted": 40.0, "discount": discount}
    task = {"mu_norm": 0.8, "n_classes": 3}

    def value(cut, less=0.0):
        kept = scores >= cut
        purity = (right[kept].sum() + 0.5) / (kept.sum() + 1)
        purity -= less * np.sqrt(purity * (1 - purity) / (kept.sum() + 1))
        n_pool = (pool >= cut).sum()
        if discount:
            return 40 + effective_size(n_pool, purity, **task)
        return effective_size(40 + n_pool, (40 + n_pool * purity) / (40 + n_pool), **task)

    cuts = np.unique(scores)
    best = max(cuts, key=value)
    allowed = [cut for cut in cuts if value(cut) >= value(best, less=1)]
    assert search_threshold(scores, right, weight, **settings, **task) == min(allowed)


@pytest.mark.parametrize("one_right_in, discount", [(2, False), (4, True)])
def test_useless_scores_leave_the_trusted_rows_alone(one_right_in, discount):
    # Weighted down, labels are worth something as long as more than half of them are right.
    scores, right = np.arange(60.0), np.arange(60) % one_right_in == 0
    above = weight_above(scores, np.ones(60))
    settings = {"pool": above, "n_trusted": 60.0, "mu_norm": 2.0, "n_classes": 2}
    threshold = search_threshold(scores, right, np.ones(60), **settings, discount=discount)
    assert threshold == np.inf


def test_a_threshold_is_chosen_from_thirty_right_labels_on():
    scores, right = np.linspace(0.1, 0.9, 60), np.arange(60) < 30
    assert can_choose(scores, right, np.ones(60))
    assert not can_choose(scores, right & (scores < 0.48), np.ones(60))
    # Weights count as repetitions; verdicts leave nothing to choose.
    assert can_choose(scores, right & (scores < 0.3), np.full(60, 3))
    assert not can_choose(np.round(scores), right, np.ones(60))


def test_weight_above_counts_ties_and_repetitions():
    scores, weight = np.array([0.5, 0.1, 0.5, -np.inf]), np.array([1.0, 2.0, 4.0, 8.0])
    np.testing.assert_array_equal(
        weight_above(scores, weight)([0.0, 0.1, 0.5, 0.6]), [7.0, 7.0, 5.0, 0.0]
    )


def test_a_row_has_no_part_in_the_threshold_that_judges_it():
    seen = []

    def search(scores, right, weight):
        seen.append(set(scores))
        return scores.sum()

    scores = np.random.default_rng(0).permutation(50).astype(float)
    thresholds = cross_fitted(search, scores, scores > 20, np.ones(50))
    for score, threshold in zip(scores, thresholds):
        others = next(part for part in seen if sum(part) == threshold)
        assert score not in others


def test_fixed_thresholds():
    scores = np.array([0.9, 0.2, -np.inf, 0.4])
    assert fixed_threshold(scores, "auto", None, 0.5) == 0.5
    assert fixed_threshold(scores, 0.3, None, 0.5) == 0.3
    assert fixed_threshold(scores, "auto", 0.5, 0.5) == 0.4
    with pytest.raises(ValueError, match="no natural threshold"):
        fixed_threshold(3 * scores, "auto", None, 0.5)


def test_class_separation_inverts_the_accuracy_of_two_gaussians():
    assert class_separation(stats.norm.cdf(1.3), 2) == pytest.approx(1.3)
    assert class_separation(1 / 7, 7) == pytest.approx(0, abs=1e-12)
    assert class_separation(0.1, 2) == 0
    assert np.isfinite(class_separation(1.0, 3))
