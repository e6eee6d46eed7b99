"""Calibration: the right probabilities on scores whose law is known, and order kept."""

import numpy as np
import pytest

from skparietal.solvers.score_calibration import Calibration, calibrate_scores, score_leads


def gaussian_scores(n, n_classes, known_share, sd, seed=0):
    rng = np.random.default_rng(seed)
    labels = rng.integers(n_classes, size=n)
    scores = sd * rng.standard_normal((n, n_classes))
    known = rng.uniform(size=n) < known_share
    scores[np.arange(n)[known], labels[known]] += 1.0
    return scores, labels, known


def calibration_error(p, labels, n_bins=10):
    confidence, right = p.max(axis=1), p.argmax(axis=1) == labels
    bins = np.minimum((confidence * n_bins).astype(int), n_bins - 1)
    return sum(
        abs(confidence[bins == b].mean() - right[bins == b].mean()) * np.mean(bins == b)
        for b in np.unique(bins)
    )


@pytest.mark.parametrize("n_classes", [2, 10, 100])
@pytest.mark.parametrize("sd", [0.2, 0.4])
def test_probabilities_are_calibrated_on_gaussian_scores(n_classes, sd):
    scores, labels, known = gaussian_scores(3000, n_classes, 0.8, sd)
    calibration = calibrate_scores(scores, np.where(known, labels, -1), np.ones(3000))
    fresh, fresh_labels, _ = gaussian_scores(3000, n_classes, 0.8, sd, seed=1)
    # Ten bins of 300 rows have a sampling error near .02 by themselves.
    assert calibration_error(calibration.probabilities(fresh), fresh_labels) < 0.04


def test_disagreeing_labels_shrink_the_probabilities():
    scores, labels, known = gaussian_scores(3000, 10, 0.9, 0.2)
    calibration = calibrate_scores(
        scores, np.where(known, labels, -1), np.ones(3000), agreement=0.6
    )
    assert calibration.probabilities(scores).max() <= 0.6 + 0.4 / 10 + 1e-9


@pytest.mark.parametrize("of_leads", [False, True])
def test_probabilities_sum_to_one_and_keep_the_order_of_the_scores(of_leads):
    scores = np.random.default_rng(0).standard_normal((50, 6))
    p = Calibration(0.3, 0.5, of_leads, 0.9).probabilities(scores)
    np.testing.assert_allclose(p.sum(axis=1), 1.0, rtol=1e-12)
    np.testing.assert_array_equal(np.argsort(p, axis=1), np.argsort(scores, axis=1))


def test_leads_are_relative_to_the_best_other_label():
    leads = score_leads(np.array([[1.0, 4.0, 2.0], [3.0, 3.0, 0.0]]))
    np.testing.assert_array_equal(leads, [[-3.0, 2.0, -2.0], [0.0, 0.0, -3.0]])


def test_an_input_far_below_the_floor_has_nearly_equal_probabilities():
    p = Calibration(0.1, 1.0, False).probabilities(np.zeros((1, 5)))
    np.testing.assert_allclose(p, 0.2)
