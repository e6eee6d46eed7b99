"""CollapseCurveDisplay: what is drawn is what was given."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from skparietal.plotting import CollapseCurveDisplay


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def test_generations_show_mean_standard_error_and_theory():
    risks = np.array([[1.0, 2.0, 3.0], [3.0, 4.0, 5.0]])
    _, ax = plt.subplots()
    display = CollapseCurveDisplay.from_generations(risks, theory=[1, 2, 3], ax=ax)
    np.testing.assert_array_equal(display.lines_["measured"].get_ydata(), [2, 3, 4])
    np.testing.assert_array_equal(display.lines_["theory"].get_xdata(), [0, 1, 2])
    np.testing.assert_allclose(display.bands["measured"], 1)  # sd sqrt(2), two chains
    assert display.ax_ is ax
    assert display.figure_ is ax.figure
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("generation", "excess risk")


def test_a_negative_estimate_leaves_a_gap_on_the_logarithmic_axis():
    display = CollapseCurveDisplay(
        x=np.array([1.0, 10.0]), curves={"corrected": np.array([-0.1, 0.2])}
    ).plot()
    np.testing.assert_array_equal(np.isnan(display.lines_["corrected"].get_ydata()), [True, False])
    assert display.ax_.get_yscale() == "log"
