"""Synthetic labels and feedback: rates, extremes, errors."""

import numpy as np
import pytest

from skparietal.datasets import make_feedback, make_synthetic_labels

Y = np.repeat(["a", "b", "c"], [60_000, 30_000, 10_000])


def test_errors_come_at_their_rate_and_evenly():
    labels = make_synthetic_labels(Y, 0.3, random_state=0)
    assert np.mean(labels != Y) == pytest.approx(0.3, abs=0.006)  # standard error .0014
    assert np.mean(labels[Y == "a"] == "b") == pytest.approx(0.15, abs=0.006)


def test_confusion_is_followed():
    confusion = np.array([[0.5, 0.5, 0.0], [0.0, 1.0, 0.0], [0.2, 0.2, 0.6]])
    labels = make_synthetic_labels(Y, confusion=confusion, random_state=0)
    for row, true in enumerate("abc"):
        shares = [np.mean(labels[true == Y] == label) for label in "abc"]
        np.testing.assert_allclose(shares, confusion[row], atol=0.02)


def test_candidates_are_independent():
    labels = make_synthetic_labels(Y, 0.3, n_candidates=2, random_state=0)
    right = labels == Y[:, None]
    assert labels.shape == (100_000, 2)
    assert right.all(axis=1).mean() == pytest.approx(0.49, abs=0.006)


def test_extremes_are_exact():
    np.testing.assert_array_equal(make_synthetic_labels(Y, 0.0), Y)
    assert (make_synthetic_labels(Y, 1.0) != Y).all()
    labels = make_synthetic_labels(Y, 0.5, n_candidates=3, random_state=0)
    np.testing.assert_array_equal(make_feedback(Y, labels, 1, 0), labels == Y[:, None])


def test_feedback_keeps_right_and_wrong_labels_at_their_rates():
    labels = make_synthetic_labels(Y, 0.4, random_state=0)
    kept = make_feedback(Y, labels, 0.8, 0.25, random_state=0)
    assert kept[labels == Y].mean() == pytest.approx(0.8, abs=0.007)
    assert kept[labels != Y].mean() == pytest.approx(0.25, abs=0.01)


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: make_synthetic_labels([0, 1], 1.5), "error_rate must lie in"),
        (lambda: make_synthetic_labels([1, 1]), "one class"),
        (lambda: make_synthetic_labels([0, 1], confusion=np.eye(3)), "must be 2 x 2"),
        (lambda: make_synthetic_labels([0, 1], confusion=np.ones((2, 2))), "sum to 1"),
        (lambda: make_feedback([0, 1], [0], 1, 0), "y has 2 rows and y_synthetic 1"),
        (lambda: make_feedback([0, 1], [0, 1], 1, -1), "psi must lie in"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
