"""Displays of rankings draw the numbers that the metrics give."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from skparietal import FairRankingFW
from skparietal.metrics import gini_index, lorenz_curve
from skparietal.plotting import (
    ConvergenceDisplay,
    FairnessTradeoffDisplay,
    LorenzCurveDisplay,
    RegretCurveDisplay,
)


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def models():
    X = np.random.default_rng(0).random((80, 20)) * np.linspace(0.2, 1, 20)
    return [FairRankingFW(beta=b, top_k=4, tol=0, max_iter=8).fit(X) for b in (0.0, 0.5)]


def test_lorenz_curves_are_the_metrics(models):
    display = LorenzCurveDisplay.from_estimators({"greedy": models[0], "fair": models[1]})
    x, y = lorenz_curve(models[1].item_exposure_)
    np.testing.assert_allclose(display.lines_["fair"].get_xdata(), x)
    np.testing.assert_allclose(display.lines_["fair"].get_ydata(), y)
    assert display.gini_["fair"] == gini_index(models[1].item_exposure_) < display.gini_["greedy"]
    assert "Gini" in display.ax_.get_legend().get_texts()[1].get_text()


def test_tradeoff_has_a_point_per_estimator_and_markers_for_single_ones(models):
    _, ax = plt.subplots()
    display = FairnessTradeoffDisplay.from_paths({"path": models, "one": models[:1]}, ax=ax)
    assert display.ax_ is ax
    expected = [model.user_utility_.mean() for model in models]
    np.testing.assert_allclose(display.lines_["path"].get_ydata(), expected)
    assert display.lines_["one"].get_linestyle() == "None"


def test_tradeoff_takes_another_measure(models):
    display = FairnessTradeoffDisplay.from_paths({"path": models}, unfairness=np.max)
    expected = [model.item_exposure_.max() for model in models]
    np.testing.assert_allclose(display.lines_["path"].get_xdata(), expected)


def test_convergence_draws_gaps_or_distances_and_leaves_out_what_is_not_positive(models):
    model = models[1]
    gaps = ConvergenceDisplay.from_estimators({"offr": model}).lines_["offr"].get_ydata()
    np.testing.assert_allclose(gaps, model.history_["gap"])
    best = model.history_["objective"].max()
    line = ConvergenceDisplay.from_estimators({"offr": model}, optimum=best).lines_["offr"]
    np.testing.assert_array_equal(np.isnan(line.get_ydata()), model.history_["objective"] == best)


@pytest.mark.parametrize(
    "draw, name",
    [
        (LorenzCurveDisplay.from_estimators, "estimators"),
        (LorenzCurveDisplay.from_exposures, "exposures"),
        (FairnessTradeoffDisplay.from_paths, "paths"),
        (FairnessTradeoffDisplay.from_points, "points"),
        (ConvergenceDisplay.from_estimators, "estimators"),
        (RegretCurveDisplay.from_runs, "runs"),
    ],
)
def test_curves_without_labels_are_named(models, draw, name):
    with pytest.raises(TypeError, match=f"{name} must be a dict from the label .* got list"):
        draw(models)
