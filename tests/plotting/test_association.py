"""AssociationDisplay: the picture holds the scores, and marks what is lost."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from skparietal import AssociativeMemory
from skparietal.datasets import make_zipf_associations
from skparietal.plotting import AssociationDisplay

# Small on purpose.
pytestmark = pytest.mark.filterwarnings("ignore:The memory is too small")

X, y = make_zipf_associations(2000, beta=1.5, n_classes=4, random_state=0)


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def test_frequent_keys_are_drawn_with_their_scores():
    memory = AssociativeMemory(128, random_state=0).fit(X, y)
    _, ax = plt.subplots()
    display = AssociationDisplay.from_estimator(memory, n_keys=5, normalize="raw", ax=ax)
    np.testing.assert_allclose(display.image_.get_array(), memory.association_matrix(5))
    assert display.ax_ is ax
    assert not display.missed_.any()
    assert [text.get_text() for text in ax.get_yticklabels()] == ["1", "2", "3", "4", "5"]


def test_named_rows_are_in_the_order_of_the_classes():
    memory = AssociativeMemory(128, random_state=0).fit(X, y)
    rows = np.unique(X)[:3, None]
    labels = memory.predict(rows)
    display = AssociationDisplay.from_estimator(memory, rows, labels, normalize="raw")
    np.testing.assert_allclose(display.scores, memory.decision_function(rows))
    soft = AssociationDisplay.from_estimator(memory, rows, labels)
    np.testing.assert_allclose(soft.scores.sum(axis=1), 1.0)
    assert [text.get_text() for text in soft.ax_.get_yticklabels()] == ["1", "2", "3"]


def test_lost_keys_are_crossed_out():
    scores = np.array([[1.0, 0.0], [0.9, 0.1]])
    display = AssociationDisplay(scores=scores, labels=np.array([0, 1])).plot()
    np.testing.assert_array_equal(display.missed_, [False, True])
    np.testing.assert_array_equal(display.ax_.lines[0].get_xydata(), [[1, 1]])


def test_bad_arguments_are_named():
    memory = AssociativeMemory(16, columns="sum", random_state=0).fit(X, y)
    with pytest.raises(ValueError, match="Give the labels y"):
        AssociationDisplay.from_estimator(memory, X[:3])
    with pytest.raises(ValueError, match="normalize must be"):
        AssociationDisplay.from_estimator(memory, normalize="log")
    assert AssociationDisplay.from_estimator(memory, n_keys=2).scores.shape == (2, 4)
