"""Verifiers: one score a label, tables of candidates, unknown classes."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from skparietal.verifiers import AgreementVerifier, ProbabilityVerifier, ResidualVerifier

X = np.array([[0.0], [1.0], [2.0], [3.0]])
MODEL = LogisticRegression().fit(X, ["a", "a", "b", "c"])
LABELS = np.array([["a", "b"], ["c", "a"], ["b", "b"], ["a", "c"]])


def gap_to_first_feature(X, labels):
    return np.abs(X[:, 0] - labels)


@pytest.mark.parametrize("verifier", [ProbabilityVerifier(MODEL), AgreementVerifier(MODEL)])
def test_a_table_is_scored_column_by_column(verifier):
    table = verifier(X, LABELS)
    assert table.shape == LABELS.shape
    for column, labels in zip(table.T, LABELS.T):
        np.testing.assert_array_equal(column, verifier(X, labels))


def test_probabilities_are_those_of_the_model():
    probabilities = MODEL.predict_proba(X)
    expected = probabilities[np.arange(4)[:, None], np.searchsorted(MODEL.classes_, LABELS)]
    np.testing.assert_array_equal(ProbabilityVerifier(MODEL)(X, LABELS), expected)


@pytest.mark.parametrize("label", ["A", "bb", "z"])
def test_a_class_that_the_model_does_not_know_scores_zero(label):
    labels = np.full(4, label)
    assert not ProbabilityVerifier(MODEL)(X, labels).any()
    assert not AgreementVerifier(MODEL)(X, labels).any()


def test_residuals_become_scores_or_verdicts():
    labels = np.array([0.0, 1.5, 2.0, 0.0])
    np.testing.assert_array_equal(
        ResidualVerifier(gap_to_first_feature)(X, labels), [0, -0.5, 0, -3]
    )
    verdicts = ResidualVerifier(gap_to_first_feature, tolerance=0.5)(X, np.c_[labels, labels + 1])
    np.testing.assert_array_equal(verdicts, [[1, 0], [1, 0], [1, 0], [0, 0]])


def test_a_check_of_the_wrong_shape_is_named():
    with pytest.raises(ValueError, match="one score a row"):
        ResidualVerifier(lambda X, labels: np.zeros(2))(X, np.zeros(4))
