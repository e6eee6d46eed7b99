import matplotlib.pyplot as plt
import numpy as np
import pytest

from skparietal.plotting import RegretCurveDisplay


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def run_of(regret):
    return {"rounds": np.array([100, 1000, 10_000]), "regret": np.array(regret)}


def test_means_errors_and_slopes():
    runs = {
        "fast": run_of([[1.0, 0.1, 0.01], [3.0, 0.3, 0.03]]),
        "slow": run_of([1.0, 0.1**0.5, 0.1]),
    }
    display = RegretCurveDisplay.from_runs(runs, since=100)
    np.testing.assert_allclose(display.mean_["fast"], [2.0, 0.2, 0.02])
    # two values 1 apart from their mean: standard deviation sqrt(2), over sqrt(2)
    np.testing.assert_allclose(display.standard_error_["fast"], [1.0, 0.1, 0.01])
    np.testing.assert_array_equal(display.standard_error_["slow"], 0)
    assert display.slopes_ == pytest.approx({"fast": -1.0, "slow": -0.5}, abs=1e-12)
    labels = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert labels == ["fast (slope -1.00)", "slow (slope -0.50)"]
    assert display.ax_.get_xscale() == display.ax_.get_yscale() == "log"


def test_negative_means_leave_a_gap():
    display = RegretCurveDisplay.from_runs({"lucky": run_of([0.1, -0.1, 0.001])}, since=100)
    assert np.isnan(display.lines_["lucky"].get_ydata()[1])
    assert display.slopes_["lucky"] == pytest.approx(-1.0)


def test_too_few_rounds_have_no_slope():
    display = RegretCurveDisplay.from_runs({"short": run_of([0.1, 0.1, 0.1])}, since=5000)
    assert np.isnan(display.slopes_["short"])


def test_it_draws_on_given_axes():
    _, ax = plt.subplots()
    display = RegretCurveDisplay.from_runs({"a": run_of([0.3, 0.2, 0.1])}, ax=ax)
    assert display.ax_ is ax
    assert display.figure_ is ax.figure
