import numpy as np
import pytest

from skparietal.metrics import regret_slope


def test_slope_of_a_power():
    rounds = np.geomspace(10, 1e4, 20)
    regret = np.stack([rounds**-0.4, 3 * rounds**-0.4])
    assert regret_slope(rounds, regret) == pytest.approx(-0.4, abs=1e-12)


def test_only_late_rounds_of_positive_regret_count():
    rounds = np.array([10, 300, 1000, 3000, 10_000])
    regret = np.array([1e9, 300**-0.5, -1.0, 3000**-0.5, 10_000**-0.5])
    assert regret_slope(rounds, regret) == pytest.approx(-0.5, abs=1e-12)
