"""MemoryScalingDisplay: the errors drawn are those of memories fitted at each size."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from skparietal import AssociativeMemory
from skparietal.datasets import make_zipf_associations
from skparietal.plotting import MemoryScalingDisplay

# Small on purpose.
pytestmark = pytest.mark.filterwarnings("ignore:The memory is too small")

X, y = make_zipf_associations(3000, beta=1.5, n_classes=10, random_state=0)
X_TEST, Y_TEST = make_zipf_associations(1000, beta=1.5, n_classes=10, random_state=1)


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def test_errors_are_those_of_memories_fitted_at_each_size():
    fitted = AssociativeMemory(32, random_state=0).fit(X, y)
    _, ax = plt.subplots()
    display = MemoryScalingDisplay.from_estimator(
        fitted, X_TEST, Y_TEST, n_components=[64, 16], ax=ax
    )
    np.testing.assert_array_equal(display.n_components, [16, 64])
    for k, d in enumerate([16, 64]):
        memory = AssociativeMemory(d, random_state=0).fit(X, y)
        assert display.predicted[k] == memory.expected_error_
        assert display.measured[k] == 1 - memory.score(X_TEST, Y_TEST)
    assert display.ax_ is ax
    assert (ax.get_xscale(), ax.get_yscale()) == ("log", "log")
    np.testing.assert_array_equal(display.lines_["measured"].get_ydata(), display.measured)
    assert set(display.lines_) == {"predicted", "measured", "irreducible"}


def test_errors_fall_towards_what_no_size_can_lower():
    fitted = AssociativeMemory(64, random_state=0).fit(X, y)
    default = MemoryScalingDisplay.from_estimator(fitted)
    np.testing.assert_array_equal(default.n_components, [8, 16, 32, 64, 128, 256])
    display = MemoryScalingDisplay.from_estimator(fitted, n_components=[16, 64, 256, 1024])
    np.testing.assert_array_equal(display.predicted[:3], default.predicted[1::2])
    assert np.all(np.diff(display.predicted) < 0)
    assert display.irreducible == pytest.approx(fitted.unseen_mass_ * 0.9)
    assert np.all(display.predicted > display.irreducible)
    assert display.predicted[-1] == pytest.approx(display.irreducible, abs=0.01)
    assert set(display.lines_) == {"predicted", "irreducible"}


@pytest.mark.parametrize("options", [{"solver": "passive-aggressive"}, {"columns": "sum"}])
def test_without_a_formula_rows_are_needed(options):
    fitted = AssociativeMemory(32, random_state=0, **options).fit(X, y)
    with pytest.raises(ValueError, match="give X and y of rows held out"):
        MemoryScalingDisplay.from_estimator(fitted)
    display = MemoryScalingDisplay.from_estimator(fitted, X_TEST, Y_TEST, n_components=[16, 32])
    assert display.predicted is None
    assert display.measured[1] == 1 - fitted.score(X_TEST, Y_TEST)


def test_rows_come_with_their_labels():
    fitted = AssociativeMemory(32, random_state=0).fit(X, y)
    with pytest.raises(ValueError, match="Give X and y"):
        MemoryScalingDisplay.from_estimator(fitted, X_TEST)


def test_arrays_alone_can_be_drawn():
    display = MemoryScalingDisplay(n_components=[8, 16], measured=[0.2, 0.1]).plot()
    assert list(display.lines_) == ["measured"]
    assert display.ax_.get_xlabel() == "number of components"
