"""ScalingLawDisplay: what is drawn is what the law says."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from skparietal import ScalingLawRegressor
from skparietal.plotting import ScalingLawDisplay

SIZES = np.geomspace(100, 1e5, 8)
ERRORS = SIZES**-0.5 + 0.02


@pytest.fixture
def ax():
    import matplotlib.pyplot as plt

    figure, ax = plt.subplots()
    yield ax
    plt.close(figure)


def test_the_line_is_the_prediction_and_reaches_beyond_the_data(ax):
    law = ScalingLawRegressor("power_plateau").fit(SIZES[:, None], ERRORS)
    display = ScalingLawDisplay.from_estimator(law, SIZES[:, None], ERRORS, extrapolate=100, ax=ax)
    x, y = display.line_.get_data()
    assert_allclose(x[[0, -1]], [100, 1e7])
    assert_allclose(y, law.predict(x[:, None]))
    assert display.ax_ is ax
    assert display.interval is None
    assert_allclose(ax.lines[1].get_ydata(), law.plateau_)


def test_a_bootstrapped_law_has_its_interval_drawn(ax):
    noisy = ERRORS * np.exp(0.02 * np.random.default_rng(0).normal(size=8))
    law = ScalingLawRegressor("power", n_bootstrap=20).fit(SIZES[:, None], noisy)
    display = ScalingLawDisplay.from_estimator(law, SIZES[:, None], noisy, ax=ax)
    assert len(ax.collections) == 1
    assert np.all(display.interval[0] < display.interval[1])
    assert len(ax.lines) == 2  # the law and the points: a power law has no plateau


def test_a_law_fitted_on_a_frame_is_drawn(ax):
    frame = pd.DataFrame({"rows": SIZES})
    law = ScalingLawRegressor("power").fit(frame, ERRORS)
    assert ScalingLawDisplay.from_estimator(law, frame, ERRORS, ax=ax).law_name == "power"


def test_several_columns_are_refused():
    X = np.column_stack([SIZES, SIZES[::-1]])
    law = ScalingLawRegressor().fit(X, ERRORS)
    with pytest.raises(ValueError, match="2 columns"):
        ScalingLawDisplay.from_estimator(law, X, ERRORS)
