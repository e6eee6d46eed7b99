"""Calibration: the right probabilities on scores whose law is known, and order kept."""

from dataclasses import replace

import numpy as np
import pytest

from skparietal.solvers.memory.score_calibration import Calibration, calibrate_scores, score_leads


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


def certainty_of(known, n_classes, certainty=1.0):
    return np.where(known, certainty, 1.0 / n_classes)


@pytest.mark.parametrize("n_classes", [2, 10, 100])
@pytest.mark.parametrize("sd", [0.2, 0.4])
def test_probabilities_are_calibrated_on_gaussian_scores(n_classes, sd):
    scores, labels, known = gaussian_scores(3000, n_classes, 0.8, sd)
    calibration = calibrate_scores(
        scores, labels, np.ones(3000), certainty=certainty_of(known, n_classes)
    )
    fresh, fresh_labels, _ = gaussian_scores(3000, n_classes, 0.8, sd, seed=1)
    # Ten bins of 300 rows have a sampling error near .02 by themselves.
    assert calibration_error(calibration.probabilities(fresh), fresh_labels) < 0.04


def test_scores_of_no_parametric_law_are_calibrated():
    # Scores of a third of the inputs are ten times as noisy: no temperature suits both.
    rng = np.random.default_rng(0)
    labels = rng.integers(10, size=6000)
    noise = np.where(rng.uniform(size=6000) < 1 / 3, 3.0, 0.3)
    scores = noise[:, None] * rng.standard_normal((6000, 10))
    scores[np.arange(6000), labels] += 1.0
    half = slice(0, 3000), slice(3000, 6000)
    calibration = calibrate_scores(
        scores[half[0]], labels[half[0]], np.ones(3000), certainty=np.ones(3000)
    )
    fresh, truth = scores[half[1]], labels[half[1]]
    plain = replace(calibration, confidence=None)
    assert calibration_error(calibration.probabilities(fresh), truth) < 0.04
    assert calibration_error(plain.probabilities(fresh), truth) > 0.08


def test_disagreeing_labels_shrink_the_probabilities():
    scores, labels, known = gaussian_scores(3000, 10, 0.9, 0.2)
    calibration = calibrate_scores(
        scores, labels, np.ones(3000), certainty=certainty_of(known, 10, 0.6)
    )
    p = calibration.probabilities(scores)
    # A hundredth of a strictly increasing map, which ends at 1, is mixed in.
    assert p.max() <= 0.6 + 0.01 * 0.4
    rng = np.random.default_rng(1)
    drawn = np.where(known & (rng.uniform(size=3000) < 0.6), labels, -1)
    redrawn = (labels + rng.integers(1, 10, size=3000)) % 10
    assert calibration_error(p, np.where(drawn < 0, redrawn, drawn)) < 0.04


@pytest.mark.parametrize("of_leads", [False, True])
def test_probabilities_sum_to_one_and_keep_the_order_of_the_scores(of_leads):
    scores, labels, known = gaussian_scores(500, 6, 0.5, 0.5)
    fitted = calibrate_scores(scores, labels, np.ones(500), certainty=certainty_of(known, 6))
    p = replace(fitted, of_leads=of_leads).probabilities(scores)
    np.testing.assert_allclose(p.sum(axis=1), 1.0, rtol=1e-12)
    np.testing.assert_array_equal(np.argsort(p, axis=1), np.argsort(scores, axis=1))


def test_probabilities_of_two_classes_are_strictly_increasing_in_the_difference():
    scores, labels, known = gaussian_scores(500, 2, 0.6, 0.4)
    calibration = calibrate_scores(
        scores, labels, np.ones(500), certainty=certainty_of(known, 2, 0.9)
    )
    difference = np.linspace(-10, 10, 2001)
    p = calibration.probabilities(np.column_stack([-difference, difference]) / 2)
    assert np.all(np.diff(p[:, 1]) > 0)
    np.testing.assert_allclose(p[::-1, 0], p[:, 1], rtol=1e-12)


def test_scores_without_order_have_equal_probabilities():
    scores, labels, known = gaussian_scores(500, 3, 0.6, 0.4)
    calibration = calibrate_scores(scores, labels, np.ones(500), certainty=certainty_of(known, 3))
    p = replace(calibration, of_leads=False).probabilities(np.zeros((1, 3)))
    np.testing.assert_allclose(p, 1 / 3, atol=0.05)
    assert p.argmax() == 0


def test_leads_are_relative_to_the_best_other_label():
    leads = score_leads(np.array([[1.0, 4.0, 2.0], [3.0, 3.0, 0.0]]))
    np.testing.assert_array_equal(leads, [[-3.0, 2.0, -2.0], [0.0, 0.0, -3.0]])


def test_an_input_far_below_the_floor_has_nearly_equal_probabilities():
    p = Calibration(0.1, 1.0, False).probabilities(np.zeros((1, 5)))
    np.testing.assert_allclose(p, 0.2)
