"""TradeoffDisplay draws what the trade-off says."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from sklearn.datasets import load_diabetes
from sklearn.linear_model import LinearRegression
from sklearn.preprocessing import scale
from sklearn.tree import DecisionTreeRegressor

from skparietal import robustness_accuracy_tradeoff
from skparietal.plotting import TradeoffDisplay


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def test_lines_are_the_tradeoff_and_free_attacks_are_dashed():
    coef, radii = np.array([1.0, 0.5]), [0.01, 0.8]
    result = robustness_accuracy_tradeoff(coef, np.eye(2), radii)
    display = TradeoffDisplay.from_arrays(coef, np.eye(2), radii)
    for line, risk in zip(display.lines_, result.adversarial_risk):
        np.testing.assert_allclose(line.get_ydata(), risk)
        np.testing.assert_allclose(line.get_xdata(), result.clean_excess)
    assert [line.get_linestyle() for line in display.lines_] == ["--", "-"]


def test_a_fitted_model_is_taken_for_the_truth():
    X, y = load_diabetes(return_X_y=True)
    X, y = scale(X), scale(y)
    ols = LinearRegression().fit(X, y)
    _, ax = plt.subplots()
    display = TradeoffDisplay.from_estimator(ols, X, y, [0.05, 0.2], norm="linf", ax=ax)
    assert display.ax_ is ax
    noise = np.mean((y - ols.predict(X)) ** 2)
    start = noise + (0.2 * np.abs(ols.coef_).sum()) ** 2
    start += 2 * np.sqrt(2 / np.pi) * np.sqrt(noise) * 0.2 * np.abs(ols.coef_).sum()
    np.testing.assert_allclose(display.lines_[1].get_ydata()[0], start, rtol=1e-6)
    assert len(display.plot().ax_.lines) == 4


def test_bad_input_is_named():
    X, y = load_diabetes(return_X_y=True)
    tree = DecisionTreeRegressor(max_depth=2).fit(X, y)
    with pytest.raises(ValueError, match="is not affine in X"):
        TradeoffDisplay.from_estimator(tree, X, y, [0.1])
    twice = np.hstack([X, X])
    with pytest.raises(ValueError, match="covariance must be positive definite"):
        TradeoffDisplay.from_estimator(LinearRegression().fit(twice, y), twice, y, [0.1])
    with pytest.raises(ValueError, match="radius must be finite and >= 0"):
        TradeoffDisplay.from_arrays(np.ones(2), np.eye(2), [-0.1])
    assert not plt.get_fignums()
